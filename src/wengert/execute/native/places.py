"""Where the values of a pass lie while it is read: values of the tile by slots, shared values, and new ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import default_rng

from wengert.execute.native.code import NoForm
from wengert.execute.native.work import Buffer, Fetch, Loop, Place, Shared, Work
from wengert.execute.tiles.cut import Item, Load, Spec
from wengert.execute.tiles.tile import Tile
from wengert.ground.types import Dtype, NumPyArray
from wengert.ops.linear import CONSTANT

if TYPE_CHECKING:
    from wengert.execute.tiles.layout import Way

__all__ = ["MOST", "ROWS", "Places", "broadcast", "is_number", "number", "ordered", "sides", "without"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

MOST = 1 << 16
"""Elements that a value of a row may have; what is wider is left to whole steps."""
ROWS = 2
"""Rows of the arrays of numbers by which it is found out where views look."""


class Places(Tile):
    """Where values lie, and the work that makes them, as far as it has been read."""

    def __init__(self, pass_: Way) -> None:
        """Begin with nothing."""
        super().__init__(pass_, ROWS)
        self.specs = pass_.specs
        self.places: dict[int | Load, Place] = {}
        self.works: list[Work] = []
        self.shared: dict[int, Shared] = {}
        self.random = default_rng(0)
        steps = pass_.tiling.plan.steps
        self.constants: dict[int, NumPyArray] = {s.output: s.node.attrs["value"] for s in steps if s.node.op is CONSTANT}

    def load(self, load: Load) -> None:
        """Read what is taken from a whole array; who reads numbers that have no form there is told when it is read."""
        spec = self.specs[load.slot]
        if not is_number(spec.nptype) or not math.prod(spec.sizes):
            return
        before, after = sides(spec, load.axis)
        buffer = Buffer(before * after, spec.nptype)
        self.works.append(Fetch(load, buffer, before, after))
        self.places[load] = Place(buffer, ordered(without(spec.sizes, load.axis)), spec.nptype)

    # --- inputs and outputs ---

    def place(self, item: Item, p: int) -> Place:
        """Return where an input lies, its rows' axis left out."""
        slot = item.step.inputs[p]
        if p in item.slices:
            found = self.places.get(slot if slot in self.pass_.made else Load(slot, item.slices[p]))
            if found is None:
                raise NoForm(f"numbers of dtype {self.specs[slot].nptype.name}")
            return found
        spec = self.specs[slot]
        shared = self.shared.setdefault(slot, Shared(slot, number(spec.nptype)))
        return Place(shared, ordered(spec.sizes), spec.nptype)

    def aligned(self, item: Item, p: int, out: Sequence[int], axis: int) -> Place:
        """Return where an input lies, broadcast to an output's elements: ``out``, with the rows along an axis."""
        place = self.place(item, p)
        sizes = self.specs[item.step.inputs[p]].sizes
        placed = axis - (len(out) - len(sizes))
        if p in item.slices:
            if item.slices[p] != placed:
                raise NoForm("rows along an axis that does not meet that of the result")
        elif placed >= 0 and sizes[placed] != 1:
            raise NoForm("a shared value as long as the rows")
        value = self.constants.get(item.step.inputs[p])
        if value is not None and value.size == 1:  # a number in the code, which meets the same number of a function's own
            place = Place(None, np.zeros_like(place.at), place.nptype, value.item())
        return place._replace(at=broadcast(place.at, sizes, out, axis))

    def fresh(self, shape: Sequence[int], nptype: Dtype) -> Buffer:
        """Return new memory for the elements of a value."""
        n = math.prod(shape)
        if n > MOST:
            raise NoForm(f"{n} elements in a row")
        return Buffer(n, number(nptype))

    def set(self, slot: int, place: Place) -> None:
        """Note where a value lies."""
        self.places[slot] = place

    def solid(self, place: Place) -> Place:
        """Return it where it lies in the memory of the tile: what is shared, or a number, is put there."""
        if isinstance(place.source, Buffer):
            return place
        if place.at.size > MOST:
            raise NoForm(f"{place.at.size} elements in a row")
        buffer = self.fresh(place.at.shape, place.nptype)
        self.works.append(Loop(None, place.at.shape, [place], [buffer]))
        return Place(buffer, ordered(place.at.shape), place.nptype)

    def fixed(self, item: Item, p: int) -> NumPyArray:
        """Return an input that is no data: a stand-in where its shape alone is read, else its value, a constant."""
        if p in item.references:
            return self.dummy(item, p)
        value = self.constants.get(item.step.inputs[p])
        if value is None or p in item.slices:
            raise NoForm(f"{item.step.node.op.name} by what a run says")
        return value


def is_number(nptype: Dtype) -> bool:
    """Whether there is machine code for numbers of a dtype."""
    return nptype.kind in "iub" or (nptype.kind == "f" and nptype.itemsize in (4, 8))


def number(nptype: Dtype) -> Dtype:
    """Return a dtype for which there is machine code."""
    if not is_number(nptype):
        raise NoForm(f"numbers of dtype {nptype.name}")
    return nptype


def ordered(shape: Sequence[int]) -> NumPyArray:
    """Return the numbers of elements that lie in order."""
    return np.arange(math.prod(shape)).reshape(tuple(shape))


def without(sizes: Sequence[int], axis: int) -> tuple[int, ...]:
    """Return sizes without that of one axis."""
    return (*sizes[:axis], *sizes[axis + 1 :])


def broadcast(at: NumPyArray, sizes: Sequence[int], out: Sequence[int], axis: int) -> NumPyArray:
    """Return where elements lie, broadcast to those of a result, whose rows lie along an axis: both are without their rows."""
    placed = axis - (len(out) - len(sizes))
    if placed < 0:
        return np.broadcast_to(at.reshape(tuple(sizes)), without(out, axis))
    # The axis of the rows is gone on both sides, so the axes before it meet from the right as they did.
    return np.broadcast_to(at.reshape((1,) * (len(out) - len(sizes)) + without(sizes, placed)), without(out, axis))


def sides(spec: Spec, axis: int) -> tuple[int, int]:
    """Return how many elements lie before an axis, and how many after it."""
    return math.prod(spec.sizes[:axis]), math.prod(spec.sizes[axis + 1 :])
