"""What a pass is made of, read from its items: loops over elements, products, moves, and where each value lies.

In a tile the rows are innermost: a value of shape (rows, 64) is 64 *elements*, each of which is a short run of rows that vectors
hold. Where the elements of a value lie is an array of whole numbers, of the value's shape without the rows: `Place.at`. So
slices, transposes, reshapes and repetitions are arithmetic on these numbers, and move nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wengert.execute.native.code import NoForm
from wengert.execute.tiles.cut import Item, Load, Spec, Store, Unfit, kept_dims, lies_of, outputs_of, over_axes
from wengert.execute.tiles.tile import Tile
from wengert.ground.types import Dtype, NumPyArray
from wengert.ops.elementwise import ADD, ADD_N
from wengert.ops.layout import Lies
from wengert.ops.linear import CONSTANT

if TYPE_CHECKING:
    from wengert.execute.native.passes import Pass
    from wengert.execute.tiles.run import Tiling

__all__ = ["Buffer", "Copy", "Fetch", "Keep", "Loop", "Narrow", "Outer", "Place", "Product", "Read", "REFUSED", "Shared", "Work", "read"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

MOST = 1 << 16
"""Elements that a value of a row may have; what is wider is left to whole steps."""
LARGE = 1 << 18
"""Elements of a shared matrix from which its product is left to the BLAS."""


class Buffer:
    """Memory of a tile for the elements of one value."""

    __slots__ = ("elements", "last", "maker", "nptype", "offset")

    def __init__(self, elements: int, nptype: Dtype) -> None:
        """Take how many elements there are, each of as many rows as a tile has."""
        self.elements, self.nptype = elements, nptype
        self.maker: Work | None = None
        self.last = -1
        """The number of the last step that reads it; -1 where only the step that makes it does."""
        self.offset = -1
        """Where it begins in the memory of a tile, in bytes for each row; -1 where it stays in registers."""

    @property
    def width(self) -> int:
        """Bytes for each row."""
        return self.elements * self.nptype.itemsize


class Shared(NamedTuple):
    """A value without rows, which a run gives as a whole array in C's order."""

    slot: int
    nptype: Dtype


class Place(NamedTuple):
    """Where the elements of a value lie: in the memory of a tile, in a shared array, or nowhere, as they are all one number."""

    source: Buffer | Shared | None
    at: NumPyArray
    nptype: Dtype
    number: float = 0

    def spread(self, shape: Sequence[int]) -> Place:
        """Return it repeated to a shape."""
        return self._replace(at=np.broadcast_to(self.at, tuple(shape)))

    def whole(self) -> bool:
        """Whether it is all of a buffer, in order."""
        source = self.source
        return isinstance(source, Buffer) and self.at.size == source.elements and bool((self.at.ravel() == _count(source)).all())


def _count(buffer: Buffer) -> NumPyArray:
    return np.arange(buffer.elements)


class Work:
    """A thing to do for a tile: what is read, and what is made."""

    __slots__ = ("depth", "makes", "order", "reads")

    def __init__(self, reads: Sequence[Place], makes: Sequence[Buffer]) -> None:
        self.reads, self.makes = list(reads), list(makes)
        self.depth = self.order = 0
        for b in makes:
            b.maker = self

    def joins(self, read: Place) -> bool:
        """Whether it may stand in one loop with what makes this input."""
        return False


class Loop(Work):
    """An operation that works on each element for itself; of a sum over the rows, what is summed.

    ``shape``: of the elements. ``makes`` has no buffer for a sum, whose place in the result ``at`` says.
    """

    __slots__ = ("at", "item", "shape", "sum")

    def __init__(self, item: Item | None, shape: tuple[int, ...], reads: Sequence[Place], makes: Sequence[Buffer]) -> None:
        super().__init__(reads, makes)
        self.item, self.shape = item, shape
        """The operation; without one, what is read is put into the memory of the tile."""
        self.sum = -1
        """Which sum of the pass it is, if it is one."""
        self.at: NumPyArray | None = None

    def joins(self, read: Place) -> bool:
        """Whether it may stand in one loop with what makes this input."""
        source = read.source
        assert isinstance(source, Buffer)
        maker = source.maker
        return isinstance(maker, Loop) and maker.shape == self.shape and read.at.shape == self.shape and read.whole()


class Copy(Work):
    """Elements put together in an order that no address says: for each of the result, where it comes from."""

    __slots__ = ("picks",)

    def __init__(self, reads: Sequence[Place], out: Buffer, picks: NumPyArray) -> None:
        super().__init__(reads, [out])
        self.picks = picks
        """-1 for zero; else the elements of the inputs are counted one input after another."""


class Narrow(Work):
    """A reduction within the rows: element i of the result joins those in row i of ``reads[0].at``, of two axes."""

    __slots__ = ("join", "terms")

    def __init__(self, read: Place, out: Buffer, join: str, terms: int) -> None:
        super().__init__([read], [out])
        self.join, self.terms = join, terms


class Product(Work):
    """out[o, j] = sum over k of x[o, k] w[o, k, j], where w is shared or has rows too.

    ``reads``: x, of which ``at`` has the axes (o, k), and w, of which it has (o, k, j).
    """


class Outer(Work):
    """out[i, j] += sum over k and the rows of y[k, i] g[k, j]: a sum over the rows of a pass, whose number it has.

    ``reads``: y and g, and more such pairs where several of these are added up.
    """

    __slots__ = ("at", "sum")

    def __init__(self, pairs: Sequence[Place], number: int, at: NumPyArray) -> None:
        super().__init__(pairs, [])
        self.sum, self.at = number, at

    def pairs(self) -> list[tuple[Place, Place]]:
        """Return the factors."""
        return list(zip(self.reads[::2], self.reads[1::2], strict=True))


class Fetch(Work):
    """The rows of the tile taken from a whole array; ``before`` and ``after``: the elements on either side of the rows' axis."""

    __slots__ = ("after", "before", "load")

    def __init__(self, load: Load, out: Buffer, before: int, after: int) -> None:
        super().__init__([], [out])
        self.load, self.before, self.after = load, before, after


class Keep(Work):
    """The rows of the tile put into a whole array."""

    __slots__ = ("after", "before", "store")

    def __init__(self, store: Store, read: Place, before: int, after: int) -> None:
        super().__init__([read], [])
        self.store, self.before, self.after = store, before, after


class Read(NamedTuple):
    """A pass as it was read."""

    works: list[Work]
    loads: list[Load]
    stores: list[Store]
    sums: list[Item]
    shared: list[int]
    """The slots of shared values, each once."""


REFUSED = (TypeError, AttributeError, ValueError, IndexError, NotImplementedError)
"""What kernels that were written for arrays alone raise where they are given something else."""
NUMBERS = ("add", "multiply", "maximum", "minimum")
JOINS = {"b": ("logical_and", "logical_or"), "c": (), "O": ()}
"""The functions that join what is reduced, by the kind of the numbers where they are not those of all numbers."""
ROWS = 2
"""Rows of the arrays of numbers by which it is found out where views look."""


def read(pass_: Pass) -> Read:
    """Read a pass.

    Raises:
        Unfit: for a step that has no form.
    """
    return _Reader(pass_).read()


class _Reader(Tile):
    """Reads one item after another."""

    def __init__(self, pass_: Pass) -> None:
        super().__init__(pass_, ROWS)
        self.specs = pass_.specs
        self.places: dict[Any, Place] = {}
        self.works: list[Work] = []
        self.shared: dict[int, Shared] = {}
        self.summed = 0
        self.random = np.random.default_rng(0)
        steps = pass_.tiling.plan.steps
        self.constants = {s.output: s.node.attrs["value"] for s in steps if s.node.op is CONSTANT}

    def read(self) -> Read:
        for work in self.pass_.work:
            if isinstance(work, Load):
                self.load(work)
            elif isinstance(work, Store):
                place = self.solid(self.places[work.slot])
                before, after = _sides(self.specs[work.slot], work.axis)
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
        first: dict[Any, Outer] = {}
        kept: list[Work] = []
        for work in self.works:
            if isinstance(work, Outer):
                slot = self.pass_.sums[work.sum].step.output
                root = added(self.pass_.tiling).get(slot, slot)
                key = (root, work.reads[0].nptype, [p.at.shape for p in work.reads[:2]].__repr__(), work.at.tobytes())
                if key in first:
                    first[key].reads += work.reads
                    kept.remove(first[key])  # it comes as late as its last factors
                    kept.append(first[key])
                    continue
                first[key] = work
            kept.append(work)
        self.works = kept

    def load(self, load: Load) -> None:
        """Read what is taken from a whole array; who reads numbers that have no form there is told when it is read."""
        spec = self.specs[load.slot]
        if not _is_number(spec.nptype) or not math.prod(spec.sizes):
            return
        before, after = _sides(spec, load.axis)
        buffer = Buffer(before * after, spec.nptype)
        self.works.append(Fetch(load, buffer, before, after))
        self.places[load] = Place(buffer, _ordered(_without(spec.sizes, load.axis)), spec.nptype)

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
        shared = self.shared.setdefault(slot, Shared(slot, _number(spec.nptype)))
        return Place(shared, _ordered(spec.sizes), spec.nptype)

    def aligned(self, item: Item, p: int, out: Sequence[int], axis: int) -> Place:
        """Return where an input lies, broadcast to an output's elements: ``out``, with the rows along an axis."""
        place = self.place(item, p)
        sizes = self.specs[item.step.inputs[p]].sizes
        placed = axis - (len(out) - len(sizes))
        at = place.at
        if p in item.slices:
            if item.slices[p] != placed:
                raise NoForm("rows along an axis that does not meet that of the result")
        elif placed >= 0:
            if sizes[placed] != 1:
                raise NoForm("a shared value as long as the rows")
            at = at.reshape(_without(sizes, placed))
        # The axis of the rows is gone on both sides, so the axes before it meet from the right as they did.
        lacking = len(out) - len(sizes)
        if lacking and placed >= 0:
            at = at.reshape((1,) * lacking + at.shape)
        return place._replace(at=np.broadcast_to(at, _without(out, axis)))

    def fresh(self, shape: Sequence[int], nptype: Dtype) -> Buffer:
        n = math.prod(shape)
        if n > MOST:
            raise NoForm(f"{n} elements in a row")
        return Buffer(n, _number(nptype))

    def set(self, slot: int, place: Place) -> None:
        self.places[slot] = place

    def solid(self, place: Place) -> Place:
        """Return it where it lies in the memory of the tile: what is shared, or a number, is put there."""
        if isinstance(place.source, Buffer):
            return place
        if place.at.size > MOST:
            raise NoForm(f"{place.at.size} elements in a row")
        buffer = self.fresh(place.at.shape, place.nptype)
        self.works.append(Loop(None, place.at.shape, [place], [buffer]))
        return Place(buffer, _ordered(place.at.shape), place.nptype)

    # --- items ---

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
        if lies is Lies.MATRICES:
            return self.matmul(item)
        if lies is Lies.LETTERS:
            return self.letters(item)
        if lies in (Lies.SAME, Lies.VIEW, Lies.SCATTERED, Lies.JOINED, Lies.TAKEN) or item.step.node.op.kind == "linear":
            return self.moved(item)
        raise NoForm(f"{item.step.node.op.name} has no form")

    def loop(self, item: Item) -> None:
        """Read an operation on each element for itself."""
        step = item.step
        slots = list(outputs_of(step))
        sizes, axis = self.specs[slots[0]].sizes, item.axes[0]
        if any(self.specs[s].sizes != sizes for s in slots):
            raise NoForm("results of several shapes")
        shape = _without(sizes, axis)
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
            self.set(s, Place(b, _ordered(shape), b.nptype))

    def filled(self, item: Item) -> None:
        slot = item.step.output
        spec = self.specs[slot]
        shape = _without(spec.sizes, item.axes[0])
        self.set(slot, Place(None, np.zeros(shape, np.int64), spec.nptype, item.step.node.op.layout.value))

    def spread(self, item: Item) -> None:
        """Read what repeats a value over the rows, or over other axes."""
        step, layout = item.step, item.step.node.op.layout
        out, axis = self.specs[step.output].sizes, item.axes[0]
        x = self.specs[step.inputs[0]].sizes
        kept = kept_dims(x, out, step.node.attrs) if layout.axes else x
        place = self.place(item, 0)
        lacking = len(out) - len(kept)
        if 0 in item.slices:
            # The place has no axis for the rows; in ``kept`` it stands where the result's does.
            shape = _without(kept, axis - lacking)
        elif axis - lacking >= 0:
            shape = _without(kept, axis - lacking)
        else:
            shape = kept
        at = place.at.reshape(shape)
        if lacking and axis - lacking >= 0:
            at = at.reshape((1,) * lacking + at.shape)
        wide = place._replace(at=np.broadcast_to(at, _without(out, axis)))
        if layout.mean:
            return self.looped(item, _without(out, axis), [wide])
        return self.set(step.output, wide)

    def moved(self, item: Item) -> None:
        """Read what puts elements elsewhere, by having it done to numbers that stand for them.

        The operation is linear. If it makes of random whole numbers nothing but some of them, and zeros, then it moves elements,
        and one can tell which: that a sum of several, or a multiple of one, is another of them by chance has odds of 2 ** -40.
        """
        step = item.step
        op, count = step.node.op, len(step.inputs)
        lies = lies_of(op)
        fixed = set(item.references) | set(op.constant_inputs) | ({1} if lies is Lies.TAKEN else set())
        reading = [p for p in range(count) if p not in fixed]
        places, arrays, given = [], [], []
        for p in reading:
            axis = item.slices.get(p)
            if axis is None:
                raise NoForm("a shared value among what is put together")
            place = self.place(item, p)
            numbers = self.random.integers(1 << 40, 1 << 62, place.at.shape)
            places.append(place)
            arrays.append(numbers)
            given.append(np.repeat(np.expand_dims(numbers, axis), ROWS, axis))
        given = [given[reading.index(p)] if p in reading else self.fixed(item, p) for p in range(count)]
        _, shapes = self.outputs(item)
        if lies is Lies.SAME:
            results: Sequence[Any] = [given[0].reshape(shapes[0])]
        else:
            attrs = self.turned(item, step.node.attrs) if lies in (Lies.VIEW, Lies.SCATTERED) else step.node.attrs
            found = op.eager(*given, **attrs)
            results = found if step.several else [found]
        known = np.concatenate([[0], *[a.ravel() for a in arrays]])
        sources = np.concatenate([[-1], *[np.asarray(q.at).ravel() for q in places]])
        owners = np.concatenate([[-1], *[np.full(q.at.size, k) for k, q in enumerate(places)]])
        order = np.argsort(known)
        for slot, one, axis, shape in zip(outputs_of(step), results, item.axes, shapes, strict=True):
            numbers = np.asarray(one)
            if numbers.shape != shape or numbers.dtype.kind not in "iu":
                raise NoForm(f"{op.name} of whole numbers")
            first = np.take(numbers, 0, axis)
            picks = order[np.minimum(np.searchsorted(known[order], first), len(order) - 1)]
            if (np.expand_dims(first, axis) != numbers).any() or (known[picks] != first).any():
                raise NoForm(f"{op.name} does more than move elements")
            self.picked(slot, places, picks, sources, owners)

    def fixed(self, item: Item, p: int) -> Any:
        """Return an input that is no data: a stand-in where its shape alone is read, else its value, a constant."""
        if p in item.references:
            return self.dummy(item, p)
        value = self.constants.get(item.step.inputs[p])
        if value is None or p in item.slices:
            raise NoForm(f"{item.step.node.op.name} by what a run says")
        return value

    def picked(self, slot: int, places: Sequence[Place], picks: NumPyArray, sources: NumPyArray, owners: NumPyArray) -> None:
        """Enter a value that has these elements of others: by its place alone, or as a copy."""
        nptype = self.specs[slot].nptype
        own = np.unique(owners[picks])
        first = places[own[0]] if own.size and own[0] >= 0 else None
        if own.size == 1 and first is not None:
            self.set(slot, first._replace(at=sources[picks]))
            return
        if own.size == 1:
            self.set(slot, Place(None, np.zeros(picks.shape, np.int64), nptype, 0))
            return
        solid = [self.solid(q) for q in places]
        out = self.fresh(picks.shape, nptype)
        self.works.append(Copy(solid, out, picks - 1))
        self.set(slot, Place(out, _ordered(picks.shape), nptype))

    def narrow(self, item: Item) -> None:
        """Read a reduction within the rows."""
        step = item.step
        layout = step.node.op.layout
        place, axis = self.place(item, 0), item.slices[0]
        sizes, out = self.specs[step.inputs[0]].sizes, self.specs[step.output].sizes
        if layout.axes:
            over = over_axes(step.node.attrs["axis"], len(sizes))
        else:
            extra = len(sizes) - len(out)
            over = (*range(extra), *[k + extra for k, s in enumerate(out) if s == 1 and sizes[k + extra] != 1])
        if axis in over:
            raise NoForm("a reduction over the rows within a row")
        kept = [k for k in range(len(sizes)) if k not in over and k != axis]
        place_of = {k: i for i, k in enumerate(k for k in range(len(sizes)) if k != axis)}
        order = [place_of[k] for k in (*kept, *over)]
        at = place.at.transpose(order).reshape(math.prod(sizes[k] for k in kept), -1)
        nptype = self.specs[step.output].nptype
        if nptype != place.nptype or layout.join not in JOINS.get(nptype.kind, NUMBERS):
            raise NoForm(f"a reduction by {layout.join} of {place.nptype.name}")
        if layout.mean and nptype.kind != "f":
            raise NoForm("a mean of integers")
        shape = _without(out, item.axes[0])
        buffer = self.fresh(shape, nptype)
        terms = self.terms(item) if layout.mean else 1
        self.works.append(Narrow(place._replace(at=at), buffer, layout.join, terms))
        self.set(step.output, Place(buffer, _ordered(shape), nptype))

    # --- products ---

    def matmul(self, item: Item) -> None:
        """Read a product of matrices whose rows are those of its result."""
        attrs = item.step.node.attrs
        sides = []
        for p, flag in ((0, "ta"), (1, "tb")):
            rank = len(self.specs[item.step.inputs[p]].sizes)
            letters = list(range(-rank, 0))
            if attrs.get(flag, False):
                letters[-2:] = letters[:-3:-1]
            sides.append(letters)
        # Letters: -1 and -2 are the columns and the rows of a matrix, the others its batch; the inner axis is "k".
        a = ["k" if k == -1 else k for k in sides[0]]
        b = ["k" if k == -2 else "j" if k == -1 else k for k in sides[1]]
        rank = len(self.specs[item.step.output].sizes)
        out: list[Any] = [*range(-rank, -2), -2, "j"]
        self.contract(item, a, b, out)

    def letters(self, item: Item) -> None:
        """Read a sum of products as an equation says."""
        operands, out = item.step.node.attrs["equation"].split("->")
        parts = operands.split(",")
        if "." in operands or len(parts) != 2 or any(len(set(q)) < len(q) for q in (*parts, out)):
            raise NoForm("an equation of this form")
        self.contract(item, list(parts[0]), list(parts[1]), list(out))

    def contract(self, item: Item, a: list[Any], b: list[Any], out: list[Any]) -> None:
        """Enter a sum of products; ``a``, ``b`` and ``out`` name the axes."""
        step = item.step
        nptype = self.specs[step.output].nptype
        if nptype.kind != "f" or any(self.specs[s].nptype != nptype for s in step.inputs):
            raise NoForm(f"a product of {nptype.name}")
        sizes: dict[Any, int] = {}
        sides: list[tuple[Place, list[Any]]] = []
        rows = out[item.axes[0]]
        for p, letters in enumerate((a, b)):
            place, axes = self.place(item, p), list(letters)
            if p in item.slices:
                if axes[item.slices[p]] != rows:
                    raise NoForm("rows that do not meet")
                del axes[item.slices[p]]
            elif rows in axes:
                k = axes.index(rows)
                if place.at.shape[k] != 1:
                    raise NoForm("a shared value as long as the rows")
                place = place._replace(at=np.take(place.at, 0, k))
                del axes[k]
            for letter, s in zip(axes, place.at.shape, strict=True):
                sizes[letter] = max(s, sizes.get(letter, 1))
            sides.append((place, axes))
        if not (0 in item.slices or 1 in item.slices):
            raise NoForm("a product without rows")
        if 0 not in item.slices:
            sides.reverse()
        (x, xs), (w, ws) = sides
        result = [letter for letter in out if letter != rows]
        summed = [letter for letter in dict.fromkeys((*xs, *ws)) if letter not in result]
        columns = [letter for letter in result if letter in ws and letter not in xs]
        others = [letter for letter in result if letter not in columns]
        if isinstance(w.source, Shared) and w.at.size > LARGE:
            raise NoForm("a product with a large matrix, which the BLAS does")

        def turned(place: Place, axes: list[Any], *groups: list[Any]) -> NumPyArray:
            order = [letter for group in groups for letter in group]
            moved = np.expand_dims(place.at, tuple(range(place.at.ndim, place.at.ndim + len(order) - len(axes))))
            lacking = [letter for letter in order if letter not in axes]
            moved = moved.transpose([[*axes, *lacking].index(letter) for letter in order])
            full = np.broadcast_to(moved, [sizes[letter] for letter in order])
            return full.reshape([math.prod(sizes[letter] for letter in group) for group in groups])

        if any(letter not in sizes for letter in result):
            raise NoForm("an axis of the result that no factor has")
        buffer = self.fresh([sizes[letter] for letter in result], nptype)
        # A matrix that is the same for all others has one of them, of which its place repeats nothing.
        batch = others if any(letter in ws for letter in others) else []
        matrix = w._replace(at=turned(w, ws, batch, summed, columns))
        matrix = matrix if isinstance(w.source, Shared) else self.solid(matrix)
        self.works.append(Product([self.solid(x._replace(at=turned(x, xs, others, summed))), matrix], [buffer]))
        made = _ordered([sizes[letter] for letter in (*others, *columns)])
        order = [[*others, *columns].index(letter) for letter in result]
        self.set(step.output, Place(buffer, made.transpose(order), nptype))

    # --- sums over the rows ---

    def sum(self, item: Item) -> None:
        """Read a sum over the rows."""
        step, number = item.step, self.summed
        op, spec = step.node.op, self.specs[step.output]
        layout = op.layout
        if layout.lies in (Lies.MATRICES, Lies.LETTERS):
            if layout.lies is Lies.MATRICES:
                a = ["r", "i"] if step.node.attrs.get("ta", False) else ["i", "r"]
                b = ["j", "r"] if step.node.attrs.get("tb", False) else ["r", "j"]
                out, rows = ["i", "j"], "r"
            else:
                operands, result = step.node.attrs["equation"].split("->")
                a, b = [list(q) for q in operands.split(",")]
                out, rows = list(result), a[item.slices[0]]
                if "." in operands or any(len(set(q)) < len(q) for q in (a, b, out)):
                    raise NoForm("an equation of this form")
            self.outer(item, number, a, b, out, rows)
        else:
            if layout.join not in JOINS.get(spec.nptype.kind, NUMBERS):
                raise NoForm(f"a sum by {layout.join} of {spec.nptype.name}")
            place, axis = self.place(item, 0), item.slices[0]
            if place.nptype != spec.nptype:
                raise NoForm("a sum of another dtype")
            sizes = self.specs[step.inputs[0]].sizes
            shape = _without(sizes, axis)
            if layout.axes:
                kept = kept_dims(spec.sizes, sizes, {**step.node.attrs, "keepdims": step.node.attrs["keepdims"]})
            else:
                kept = (1,) * (len(sizes) - len(spec.sizes)) + tuple(spec.sizes)
            at = np.broadcast_to(_ordered(spec.sizes).reshape(_without(kept, axis)), shape)
            work = Loop(item, shape, [place], [])
            work.sum, work.at = number, at
            self.works.append(work)
        self.summed += 1

    def outer(self, item: Item, number: int, a: list[Any], b: list[Any], out: list[Any], rows: Any) -> None:
        """Enter a sum of products over the rows."""
        spec = self.specs[item.step.output]
        if spec.nptype.kind != "f" or any(self.specs[s].nptype != spec.nptype for s in item.step.inputs):
            raise NoForm(f"a product of {spec.nptype.name}")
        if spec.sizes and math.prod(spec.sizes) > LARGE:
            raise NoForm("a product whose result is a large matrix, which the BLAS does")
        sides = []
        sizes: dict[Any, int] = {}
        for p, letters in enumerate((a, b)):
            place, axes = self.place(item, p), [letter for letter in letters if letter != rows]
            sizes.update(zip(axes, place.at.shape, strict=True))
            sides.append((place, axes))
        (y, ys), (g, gs) = sides
        left = [letter for letter in out if letter in ys and letter not in gs]
        right = [letter for letter in out if letter in gs and letter not in ys]
        inner = [letter for letter in ys if letter in gs and letter not in out]
        if len(left) + len(right) != len(out) or len(left) + len(inner) != len(ys) or len(right) + len(inner) != len(gs):
            raise NoForm("an equation of this form")

        def turned(place: Place, axes: list[Any], others: list[Any]) -> NumPyArray:
            moved = place.at.transpose([axes.index(letter) for letter in (*inner, *others)])
            return moved.reshape(math.prod(sizes[s] for s in inner), math.prod(sizes[s] for s in others))

        at = _ordered(spec.sizes).transpose([out.index(letter) for letter in (*left, *right)])
        at = at.reshape(math.prod(sizes[s] for s in left), math.prod(sizes[s] for s in right))
        self.works.append(
            Outer(
                [self.solid(y._replace(at=turned(y, ys, left))), self.solid(g._replace(at=turned(g, gs, right)))], number, at
            )
        )


def added(tiling: Tiling) -> dict[int, int]:
    """Return for sums over the rows, and for additions of these, the slots of which nothing but their sum is read: one of them."""
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


def _is_number(nptype: Dtype) -> bool:
    return nptype.kind in "iub" or (nptype.kind == "f" and nptype.itemsize in (4, 8))


def _number(nptype: Dtype) -> Dtype:
    if not _is_number(nptype):
        raise NoForm(f"numbers of dtype {nptype.name}")
    return nptype


def _ordered(shape: Sequence[int]) -> NumPyArray:
    return np.arange(math.prod(shape)).reshape(tuple(shape))


def _without(sizes: Sequence[int], axis: int) -> tuple[int, ...]:
    return (*sizes[:axis], *sizes[axis + 1 :])


def _sides(spec: Spec, axis: int) -> tuple[int, int]:
    return math.prod(spec.sizes[:axis]), math.prod(spec.sizes[axis + 1 :])
