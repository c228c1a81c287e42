"""A pass, read item by item: what is done to the rows of a tile, and where each value lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wengert.execute.native.code import NoForm
from wengert.execute.native.contracting import product, sum_of_products
from wengert.execute.native.indices import same
from wengert.execute.native.moving import moved
from wengert.execute.native.places import MOST, Places, broadcast, ordered, sides, without
from wengert.execute.native.work import Keep, Loop, Narrow, Outer, Place, Read, Work
from wengert.execute.tiles.cut import Item, Load, Store, Unfit, kept_dims, lies_of, outputs_of
from wengert.ground.types import Dtype
from wengert.ops.elementwise import ADD, ADD_N
from wengert.ops.layout import Lies

if TYPE_CHECKING:
    from wengert.execute.tiles.layout import Way
    from wengert.execute.tiles.run import Tiling

__all__ = ["REFUSED", "read"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

REFUSED = (TypeError, AttributeError, ValueError, IndexError, NotImplementedError)
"""What kernels that were written for arrays alone raise where they are given something else."""


def read(pass_: Way) -> Read:
    """Read a pass.

    Raises:
        Unfit: for a step that has no form.
    """
    return _Reader(pass_).read()


class _Reader(Places):
    """Reads one item after another."""

    def __init__(self, pass_: Way) -> None:
        super().__init__(pass_)
        self.summed = 0

    def read(self) -> Read:
        for work in self.pass_.work:
            if isinstance(work, Load):
                self.load(work)
            elif isinstance(work, Store):
                place = self.solid(self.places[work.slot])
                before, after = sides(self.specs[work.slot], work.axis)
                self.works.append(Keep(work, place, before, after))
            else:
                try:
                    self.item(work)
                except NoForm as error:
                    raise Unfit(work.step, str(error)) from error
                except REFUSED as error:
                    raise Unfit(work.step, f"{type(error).__name__}: {error}") from error
        self.join()
        return Read(self.works, self.pass_.loads, self.pass_.stores, self.pass_.sums, list(self.shared))

    def join(self) -> None:
        """Put sums of products together of which nothing is read but their sum: the first of them is it, the others are zero."""
        first: dict[object, Outer] = {}
        roots = added(self.pass_.tiling) if self.pass_.sums else {}
        kept: list[Work] = []
        for work in self.works:
            if isinstance(work, Outer):
                slot = self.pass_.sums[work.sum].step.output
                root = roots.get(slot, slot)
                y, g = work.reads
                key = root, y.nptype, same(y.at), same(g.at), work.at.tobytes()
                if key in first:
                    first[key].reads += work.reads
                    kept.remove(first[key])  # it comes as late as its last factors
                    kept.append(first[key])
                    continue
                first[key] = work
            kept.append(work)
        self.works = kept

    def item(self, item: Item) -> None:
        lies = lies_of(item.step.node.op)
        if any(not math.prod(self.specs[s].sizes) for s in (*item.step.inputs, *outputs_of(item.step))):
            raise NoForm("a value without elements")
        for s in outputs_of(item.step):
            if item.role == "row" and math.prod(self.specs[s].sizes) // item.n > MOST:
                raise NoForm("a row of too many elements")
        if item.role == "sum":
            return self.sum(item)
        if lies is Lies.POINTWISE:
            return self.loop(item)
        if lies is Lies.FILLED:
            return self.filled(item)
        if lies is Lies.SPREAD:
            return self.spread(item)
        if lies is Lies.REDUCED:
            return self.narrow(item)
        if lies in (Lies.MATRICES, Lies.LETTERS):
            return product(self, item)
        if lies in (Lies.SAME, Lies.VIEW, Lies.SCATTERED, Lies.JOINED, Lies.TAKEN) or item.step.node.op.kind == "linear":
            return moved(self, item)
        raise NoForm(f"{item.step.node.op.name} has no form")

    def loop(self, item: Item) -> None:
        """Read an operation on each element for itself."""
        step = item.step
        slots = list(outputs_of(step))
        sizes, axis = self.specs[slots[0]].sizes, item.axes[0]
        if any(self.specs[s].sizes != sizes for s in slots):
            raise NoForm("results of several shapes")
        shape = without(sizes, axis)
        reads = [
            Place(None, np.zeros(shape, np.int64), self.specs[s].nptype) if p in item.references
            else self.aligned(item, p, sizes, axis)
            for p, s in enumerate(step.inputs)
        ]  # fmt: skip
        self.looped(item, shape, reads)

    def looped(self, item: Item, shape: tuple[int, ...], reads: Sequence[Place]) -> None:
        """Enter a loop, and where its results lie."""
        slots = list(outputs_of(item.step))
        buffers = [self.fresh(shape, self.specs[s].nptype) for s in slots]
        self.works.append(Loop(item, shape, reads, buffers))
        for s, b in zip(slots, buffers, strict=True):
            self.set(s, Place(b, ordered(shape), b.nptype))

    def filled(self, item: Item) -> None:
        slot = item.step.output
        spec = self.specs[slot]
        shape = without(spec.sizes, item.axes[0])
        self.set(slot, Place(None, np.zeros(shape, np.int64), spec.nptype, item.step.node.op.layout.value))

    def spread(self, item: Item) -> None:
        """Read what repeats a value over the rows, or over other axes."""
        step, layout = item.step, item.step.node.op.layout
        out, axis = self.specs[step.output].sizes, item.axes[0]
        x = self.specs[step.inputs[0]].sizes
        kept = kept_dims(x, out, step.node.attrs) if layout.axes else x
        place = self.place(item, 0)
        wide = place._replace(at=broadcast(place.at, kept, out, axis))
        if layout.mean:
            return self.looped(item, without(out, axis), [wide])
        return self.set(step.output, wide)

    def narrow(self, item: Item) -> None:
        """Read a reduction within the rows."""
        step = item.step
        layout = step.node.op.layout
        place, axis = self.place(item, 0), item.slices[0]
        sizes, out = self.specs[step.inputs[0]].sizes, self.specs[step.output].sizes
        over, _ = self.reduction(item, self.dummy(item, 0))
        if axis in over:
            raise NoForm("a reduction over the rows within a row")
        kept = [k for k in range(len(sizes)) if k not in over and k != axis]
        place_of = {k: i for i, k in enumerate(k for k in range(len(sizes)) if k != axis)}
        order = [place_of[k] for k in (*kept, *over)]
        at = place.at.transpose(order).reshape(math.prod(sizes[k] for k in kept), -1)
        nptype = self.specs[step.output].nptype
        if nptype != place.nptype or not joins(layout.join, nptype):
            raise NoForm(f"a reduction by {layout.join} of {place.nptype.name}")
        if layout.mean and nptype.kind != "f":
            raise NoForm("a mean of integers")
        shape = without(out, item.axes[0])
        buffer = self.fresh(shape, nptype)
        terms = self.terms(item) if layout.mean else 1
        self.works.append(Narrow(place._replace(at=at), buffer, layout.join, terms))
        self.set(step.output, Place(buffer, ordered(shape), nptype))

    def sum(self, item: Item) -> None:
        """Read a sum over the rows."""
        step, number = item.step, self.summed
        op, spec = step.node.op, self.specs[step.output]
        layout = op.layout
        if layout.lies in (Lies.MATRICES, Lies.LETTERS):
            sum_of_products(self, item, number)
        else:
            if not joins(layout.join, spec.nptype):
                raise NoForm(f"a sum by {layout.join} of {spec.nptype.name}")
            place, axis = self.place(item, 0), item.slices[0]
            if place.nptype != spec.nptype:
                raise NoForm("a sum of another dtype")
            sizes = self.specs[step.inputs[0]].sizes
            shape = without(sizes, axis)
            if layout.axes:
                kept = kept_dims(spec.sizes, sizes, step.node.attrs)
            else:
                kept = (1,) * (len(sizes) - len(spec.sizes)) + tuple(spec.sizes)
            at = np.broadcast_to(ordered(spec.sizes).reshape(without(kept, axis)), shape)
            work = Loop(item, shape, [place], [])
            work.sum, work.at = number, at
            self.works.append(work)
        self.summed += 1


def joins(join: str, nptype: Dtype) -> bool:
    """Whether a function of two arrays joins numbers of a dtype to one of that dtype here."""
    of_truth = isinstance(getattr(np, join).identity, bool)
    return nptype.kind == "b" if of_truth else nptype.kind in "fiu"


def added(tiling: Tiling) -> dict[int, int]:
    """Return, for each sum over the rows and each addition of such, one of those of which nothing but their sum is read."""
    uses: dict[int, int] = dict.fromkeys(tiling.plan.fetches, 2)
    for item in tiling.items:
        for slot in item.step.inputs:
            uses[slot] = uses.get(slot, 0) + 1
    found = {item.step.output: item.step.output for item in tiling.items if item.role == "sum"}
    for item in tiling.items:
        slots = item.step.inputs
        if item.role == "whole" and item.step.node.op in (ADD, ADD_N) and all(s in found and uses[s] == 1 for s in slots):
            if len({(tiling.specs[s].sizes, tiling.specs[s].nptype) for s in (*slots, item.step.output)}) > 1:
                continue
            root = found[slots[0]]
            others = {found[s] for s in slots}
            found.update({slot: root for slot, before in found.items() if before in others})
            found[item.step.output] = root
    return found
