"""Lists whose values have many rows, run tile by tile: a few hundred rows at a time, in buffers that stay in the cache.

A list is *cut* once for the shapes of its feeds. Row i of many of its values depends on row i of the feeds alone (the row
proof of `wengert.derive.rows`), and each step is one of

- a *row* step, which a tile of rows can be put through by itself,
- a *sum* over the rows (also a maximum, a product, a product of matrices Yᵀ G): tiles give parts of it that are added up,
- *whole*: it does not depend on the rows, or it needs all of them (a sort, whatever acts on the world).

Whole steps and passes over the tiles take turns. Stage k is the whole steps that need no more than the sums of the stages
before it, and then one pass through the row steps and the sums that need no more than that. What a pass makes lives in
buffers for one tile; only what another pass, a whole step or a fetch reads is written out whole.

A pass is compiled to a list of calls whose arguments never change: buffers, views of buffers, and copies of the shared values
(weights), which are refreshed in each run. So nothing is allocated, and a call costs little more than NumPy's own.

Tiles are joined to *groups*, which threads take in turn. A group's parts are added up tile by tile, those of the groups in
their order, so the result depends on neither the number of threads nor on which of them did what. The error of a sum of n
terms is that of adding up a tile, a group and the groups: at most (t + g + n / (t g)) ε Σ|x| for tiles of t rows and groups
of g tiles, where NumPy's sum along the first axis has n ε Σ|x|.

If anything fails inside of a pass, what is left of the list is run whole: an error is then the one that it always was, with the
shapes and the line. The steps of a pass are pure, so that nothing happens twice.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import itertools
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from wengert.execute.plan import Plan, Step
from wengert.graph.graph import Node
from wengert.ground.context import quietly
from wengert.ground.interrupt import breakable
from wengert.ground.options import options
from wengert.ground.shapes import is_full
from wengert.ops.layout import Lies
from wengert.ops.linear import CONSTANT
from wengert.ops.op import Op
from wengert.ops.rows import Refused, row_axes

__all__ = ["Tiling", "cut"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LEAST_ROWS = 512
"""Rows from which a list is looked at."""
LEAST_STEPS = 6
"""Row steps under which it does not pay."""
LEAST_BYTES = 1 << 20
"""Bytes that the row steps write in all, under which everything stays in the cache anyway."""
CACHE = 4 << 20
"""Bytes that the buffers of a tile may take: more than the second level of a core's cache holds, which does little harm where
neighbouring steps share operands, and less than its part of the third. Smaller tiles mean shorter calls, and for threads that
take turns in holding Python's lock, those cost more than a farther cache does."""
CALL = 1 << 15
"""Bytes that a call writes, on average, at least: under that, calls cost more than the work."""
HELD = 2e-6
"""Seconds of a call's work for which one more thread is worth it. A call holds Python's lock for a quarter of a microsecond, and
waiting for the lock costs several times that: where calls of 3 us took turns, two threads were no faster than one."""
FLOPS, MOVED = 4e11, 1e11
"""A rough guess of a core's rates, to tell long calls from short ones: flops times the bytes of a number, bytes moved."""
FEWEST = 128
"""Rows of a tile, at least."""
SHARES, GROUP, GROUPS = 8, 4, 64
"""The number of tiles is a multiple of the first. A few tiles make so many groups; of more, at least the second make a group, up
to the third number of groups."""
INNER = 512
"""Elements of a row up to which a shared row is spread over a tile beforehand: NumPy's inner loop runs along one row only."""
COPIED = 1 << 22
"""Bytes up to which a shared value is copied for a run; a larger one is handed over in each call."""
CREWS = 4
"""Sets of buffers that are kept; there are as many as runs at the same time."""
HELPERS = 256

SUMS = (Lies.REDUCED, Lies.MATRICES, Lies.LETTERS)
"""What may be a sum over the rows, of which parts are put together."""
NUMBERS = "biufc"
_ndarray = np.ndarray


class Mismatch(Exception):
    """A value does not have the shape or the dtype that the list says."""


class Unfit(Exception):
    """A step cannot be bound to buffers."""

    def __init__(self, step: Step) -> None:
        self.step = step


class Spec:
    """Shape and dtype of a value, as the rules for rows read them."""

    __slots__ = ("nptype", "root", "sizes")

    def __init__(self, sizes: Any, nptype: Any) -> None:
        self.sizes, self.nptype, self.root = sizes, nptype, None

    def tile(self, axis: int | None, rows: int) -> tuple[int, ...]:
        """Return the shape of a tile."""
        return tuple(self.sizes) if axis is None else (*self.sizes[:axis], rows, *self.sizes[axis + 1 :])


# --- cutting ------------------------------------------------------------------------------------------------------


class Item:
    """A step, what it is, and when it runs."""

    __slots__ = ("axes", "level", "n", "references", "role", "slices", "step")

    def __init__(self, step: Step, role: str = "whole", n: int = 0, axes: Any = (), slices: Any = None) -> None:
        self.step, self.role, self.n = step, role, n
        self.axes: list[int] = list(axes)
        """The axes of rows of the outputs of a row step."""
        self.slices: dict[int, int] = slices or {}
        """For each input that rows are taken from, by position: along which axis."""
        self.references = step.node.op.shapes_only(len(step.node.inputs))
        self.level = 0

    def read(self) -> list[int]:
        """Return the slots whose values are read."""
        return [s for p, s in enumerate(self.step.inputs) if p not in self.references]


def _lies(op: Op) -> Lies | None:
    """Return how an operation's result lies, where it states it."""
    return None if op.layout is None else op.layout.lies


def _outputs(step: Step) -> range:
    return range(step.output, step.output + len(step.node.outputs)) if step.node.outputs else range(0)


class _Cut:
    """The walk down a list that says of each step what it is."""

    def __init__(self, plan: Plan, feeds: Sequence[tuple[Any, Any]], without: frozenset[int], unfit: set[Node]) -> None:
        self.plan, self.unfit = plan, unfit
        self.specs: dict[int, Spec] = {}
        self.rows: dict[int, tuple[int, int]] = {}
        """For the values that have rows: how many, and along which axis."""
        self.arrays: set[int] = set()
        """Those of them that are whole arrays from the start: feeds and constants."""
        self.without = without
        self.families: set[int] = set()
        for slot, (sizes, nptype) in zip(plan.feeds, feeds, strict=True):
            if is_full(sizes):
                self.specs[slot] = Spec(tuple(sizes), nptype)
                self._source(slot)
        for step in plan.steps:
            for slot, t in zip(_outputs(step), step.node.outputs, strict=True):
                if is_full(t.sizes):
                    self.specs[slot] = Spec(tuple(t.sizes), t.nptype)
            if step.node.op is CONSTANT:
                self._source(step.output)
        self.items: list[Item] = []
        for step in plan.steps if self.families else ():
            item = self._classify(step) or Item(step)
            if item.role == "whole":  # what is not there yet as a whole array is not needed as one for its shape
                item.references = tuple([p for p in item.references if self._tiled(step.inputs[p])])
            self.items.append(item)

    def _tiled(self, slot: int) -> bool:
        return slot in self.rows and slot not in self.arrays

    def _source(self, slot: int) -> None:
        spec = self.specs.get(slot)
        if spec is None or spec.nptype.kind not in NUMBERS or not spec.sizes:
            return
        for axis in (0, len(spec.sizes) - 1):
            n = spec.sizes[axis]
            # Rows along the last axis: a few coordinates of many points, not many features of a few.
            if n >= LEAST_ROWS and n not in self.without and (axis == 0 or spec.sizes[0] <= 16):
                self.rows[slot] = (n, axis)
                self.arrays.add(slot)
                self.families.add(n)
                return

    def _classify(self, step: Step) -> Item | None:
        """Return a row step or a sum; None for a whole step."""
        node = step.node
        if node.op.stateful or node.op.kind in ("control", "custom") or not node.outputs or node.op is CONSTANT:
            return None
        slots = (*step.inputs, *_outputs(step))
        if node in self.unfit or any(s not in self.specs or self.specs[s].nptype.kind not in NUMBERS for s in slots):
            return None
        inputs = [self.specs[s] for s in step.inputs]
        outputs = [self.specs[s] for s in _outputs(step)]
        probe: Any = SimpleNamespace(op=node.op, inputs=inputs, outputs=outputs, attrs=node.attrs, where=node.where)
        references = node.op.shapes_only(len(node.inputs))
        read = {self.rows[s][0] for p, s in enumerate(step.inputs) if s in self.rows and p not in references}
        if len(read) > 1:
            return None
        item = self._rows(step, probe, read.pop(), references) if read else self._alike(step, probe, references)
        if item is not None and item.role == "row":
            for slot, axis in zip(_outputs(step), item.axes, strict=True):
                self.rows[slot] = (item.n, axis)
        return item

    def _alike(self, step: Step, probe: Any, references: tuple[int, ...]) -> Item | None:
        """Say whether all rows of a value are alike: a shared value that is repeated."""
        layout, out = probe.op.layout, probe.outputs[0]
        if layout is None or layout.lies not in (Lies.SPREAD, Lies.FILLED):
            return None
        if references:
            slot = step.inputs[references[0]]
            if slot not in self.rows or out.sizes != self.specs[slot].sizes:
                return None
            n, axis = self.rows[slot]
        else:
            places = [(n, k) for k in (0, len(out.sizes) - 1) for n in self.families if out.sizes and out.sizes[k] == n]
            if len(step.inputs) > 1 or not places:
                return None
            n, axis = places[0]
        if layout.lies is Lies.SPREAD:
            shape = probe.inputs[0].sizes
            if layout.axes:
                shape = _kept_dims(shape, out.sizes, probe.attrs)
            placed = axis - (len(out.sizes) - len(shape))
            if placed >= 0 and shape[placed] != 1:
                return None
        return Item(step, "row", n, [axis])

    def _rows(self, step: Step, probe: Any, n: int, references: tuple[int, ...]) -> Item | None:
        lies = _lies(probe.op)
        axes = [self.rows[s][1] if s in self.rows and p not in references else None for p, s in enumerate(step.inputs)]
        mine = {p: a for p, a in enumerate(axes) if a is not None}
        if lies in SUMS and self._sums(probe, axes, n):
            return Item(step, "sum", n, (), mine)
        if probe.op.rows is None or (lies in (Lies.VIEW, Lies.SCATTERED) and len(step.inputs) > 1 + len(references)):
            return None
        try:
            found = [a for a in row_axes(probe, axes) if a is not None]
        except (Refused, IndexError, TypeError, AttributeError):
            return None
        if len(found) < len(probe.outputs) or any(
            len(t.sizes) <= a or t.sizes[a] != n for t, a in zip(probe.outputs, found, strict=True)
        ):
            return None
        rank = len(probe.outputs[0].sizes)
        broadcast = lies in (Lies.POINTWISE, Lies.MATRICES, Lies.JOINED)
        for p, t in enumerate(probe.inputs):
            if p in mine or p in references or n not in t.sizes:
                continue
            if broadcast:  # rows of a whole array meet the rows of a tile
                placed = found[0] - (rank - len(t.sizes))
                batch = lies is not Lies.MATRICES or found[0] < rank - 2
                if batch and placed >= 0 and t.sizes[placed] == n:
                    mine[p] = placed
            elif not (lies is Lies.TAKEN and p == 0 and axes[1] is not None):
                return None
        return Item(step, "row", n, found, mine)

    def _sums(self, probe: Any, axes: Sequence[Any], n: int) -> bool:
        """Say whether a step sums over the rows, and parts of it can be added up."""
        layout, kind = probe.op.layout, probe.outputs[0].nptype.kind
        if probe.outputs[0].nptype.itemsize < 4 and kind == "f":
            return False  # parts would be rounded to few digits
        if layout.lies is Lies.MATRICES:
            if None in axes or any(len(t.sizes) != 2 for t in probe.inputs):
                return False
            ta, tb = probe.attrs.get("ta", False), probe.attrs.get("tb", False)
            return axes[0] == (0 if ta else 1) and axes[1] == (1 if tb else 0) and _one_dtype(probe)
        if layout.lies is Lies.LETTERS:
            operands, result = probe.attrs["equation"].split("->")
            labels = [part[a] for part, a in zip(operands.split(","), axes, strict=True) if a is not None]
            alike = len(labels) == 2 and labels[0] == labels[1] and labels[0] not in result
            return alike and operands.count(labels[0]) == 2
        x, out, axis = probe.inputs[0], probe.outputs[0], axes[0]
        if not layout.axes:
            placed = axis - (len(x.sizes) - len(out.sizes))
            return bool(placed < 0 or out.sizes[placed] != n)
        if layout.mean and kind not in "fc":
            return False
        return axis in _over(probe.attrs["axis"], len(x.sizes))


def _one_dtype(probe: Any) -> bool:
    return all(t.nptype == probe.outputs[0].nptype for t in probe.inputs)


def _over(axis: Any, rank: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(rank))
    return tuple(a % rank for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def _kept_dims(shape: Any, out: Any, attrs: Any) -> tuple[int, ...]:
    """Return the shape of a reduction's result with the reduced axes back in place."""
    if attrs["keepdims"] or len(shape) == len(out):
        return tuple(shape)
    over = _over(attrs["axis"], len(out))
    return tuple(1 if k in over else s for k, s in enumerate(out))


def cut(plan: Plan, feeds: Sequence[tuple[Any, Any]], tile: int | None = None) -> Tiling | None:
    """Cut a planned list, whose feeds have the given shapes and dtypes; None if it is to be run whole.

    ``tile``: the rows of a tile, where they are not to be found by the size of the cache.
    """
    without: frozenset[int] = frozenset()
    unfit: set[Node] = set()
    while True:
        walk = _Cut(plan, feeds, without, unfit)
        if not walk.families:
            return None
        try:
            tiling = Tiling(plan, walk, tile)
        except Unfit as error:
            unfit.add(error.step.node)
            continue
        small = tiling.small()
        if not small:
            return tiling
        without |= small


# --- passes -------------------------------------------------------------------------------------------------------


class Load(NamedTuple):
    """Take the rows of a tile from a whole array."""

    slot: int
    axis: int


class Store(NamedTuple):
    """Put the rows of a tile into a whole array."""

    slot: int
    axis: int


class Pass:
    """One way through the tiles."""

    def __init__(self, n: int, items: list[Item], tiling: Tiling, tile: int | None) -> None:
        """Order what is done for a tile, and find how many rows it is to have."""
        self.n, self.items, self.tiling = n, items, tiling
        self.specs = tiling.specs
        made = {s for item in items for s in _outputs(item.step)}
        self.work: list[Any] = []
        self.loads: list[Load] = []
        self.stores: list[Store] = []
        self.sums: list[Item] = []
        loaded: set[Load] = set()
        for item in items:
            for p, slot in enumerate(item.step.inputs):
                if p in item.slices and slot not in made:
                    load = Load(slot, item.slices[p])
                    if load not in loaded:
                        loaded.add(load)
                        self.loads.append(load)
                        self.work.append(load)
            self.work.append(item)
            if item.role == "sum":
                self.sums.append(item)
                continue
            for slot, axis in zip(_outputs(item.step), item.axes, strict=True):
                if slot in tiling.stored:
                    self.stores.append(Store(slot, axis))
                    self.work.append(self.stores[-1])
        self.made = made
        self._plan(tile)

    def _plan(self, tile: int | None) -> None:
        m = tile or 64
        self.rows = m
        self.places, self.buffers = _Layout(self, m).places()
        self.per_row = sum(self.buffers) / m
        """Bytes that the buffers take for each row."""
        if tile is None:
            least = max(FEWEST, min(self.n, int(CALL * len(self.items) * self.n / max(self.written(), 1))))
            tiles = -(-self.n // max(least, int(CACHE / max(self.per_row, 1))))
            even = -(-tiles // SHARES) * SHARES
            tiles = even if self.n >= even * least else tiles
            m = min(self.n, -(-self.n // (tiles * 8)) * 8)
            self.places, self.buffers = _Layout(self, m).places()
        self.rows, self.tiles = m, -(-self.n // m)
        per = -(-self.tiles // SHARES) if self.tiles <= SHARES * GROUP else GROUP
        self.group = max(per, -(-self.tiles // GROUPS))
        self.groups = -(-self.tiles // self.group)
        self.threads = max(1, int(self._seconds() / HELD))
        """How many threads are of use."""

    def _seconds(self) -> float:
        """Return about how long a call works."""
        total = 0.0
        for item in self.items:
            sizes = [self.specs[s].sizes for s in item.step.inputs]
            each = self.specs[item.step.output].nptype.itemsize
            if _lies(item.step.node.op) is Lies.MATRICES:
                inner = sizes[0][-2 if item.step.node.attrs.get("ta", False) else -1]
                total += 2 * math.prod(self.specs[item.step.output].sizes) * inner * each / FLOPS
            else:
                total += (sum(map(math.prod, sizes)) + math.prod(self.specs[item.step.output].sizes)) * each / MOVED
        return total / (self.tiles * len(self.items))

    @property
    def last(self) -> int:
        """The rows of the last tile."""
        return self.n - (self.tiles - 1) * self.rows

    def written(self) -> int:
        """Return how many bytes the row steps write in all."""
        total = 0
        for item in self.items:
            if item.role == "row" and _lies(item.step.node.op) not in (Lies.SAME, Lies.VIEW, Lies.SPREAD):
                total += sum(math.prod(self.specs[s].sizes) * self.specs[s].nptype.itemsize for s in _outputs(item.step))
        return total


class _Layout:
    """Which values of a pass share a buffer: a value's buffer is free after its last reading."""

    def __init__(self, pass_: Pass, rows: int) -> None:
        self.made: list[tuple[int, int, tuple[Any, ...]]] = []
        """Of each array asked for: when, its bytes, and the arrays that it may be written over."""
        self.owners: dict[int, int] = {}
        """The address of an array's memory: which array it is."""
        self.kept: list[Any] = []
        self.at = 0
        self.last: dict[int, int] = {}
        binder = Binder(pass_, rows, self.allocate, Forms(), self.read)
        for at, work in enumerate(pass_.work):
            self.at = at
            try:
                binder.do(work)
            except Exception as error:
                if isinstance(work, Item):
                    raise Unfit(work.step) from error
                raise

    def allocate(self, shape: Any, nptype: Any, over: Sequence[Any]) -> Any:
        array = np.empty(shape, nptype)
        number = len(self.made)
        self.made.append((self.at, array.nbytes, tuple(self.owners[id(a)] for a in over if id(a) in self.owners)))
        self.owners[id(array)] = number
        self.kept.append(array)
        self.last[number] = self.at
        return array

    def read(self, array: Any) -> None:
        while array is not None:
            number = self.owners.get(id(array))
            if number is not None:
                self.last[number] = self.at
                return
            array = array.base

    def places(self) -> tuple[list[int], list[int]]:
        """Return for each array, in the order of asking, its buffer; and the sizes of the buffers."""
        sizes: list[int] = []
        free: dict[int, list[int]] = {}
        places: list[int] = []
        dying: dict[int, list[int]] = {}
        for number, at in self.last.items():
            dying.setdefault(at, []).append(number)
        taken: set[int] = set()
        swept = 0
        for at, size, over in self.made:
            while swept < at:
                for number in dying.get(swept, ()):
                    if number not in taken and number < len(places):
                        free.setdefault(self.made[number][1], []).append(places[number])
                swept += 1
            chosen = next((o for o in over if self.last[o] == at and o not in taken and self.made[o][1] == size), None)
            if chosen is not None:
                taken.add(chosen)
                places.append(places[chosen])
            elif free.get(size):
                places.append(free[size].pop())
            else:
                places.append(len(sizes))
                sizes.append(size)
        return places, sizes


# --- binding ------------------------------------------------------------------------------------------------------


class Late:
    """A shared value that is too large to copy, and is put in when it is known."""

    __slots__ = ("flipped", "value")

    def __init__(self, flipped: bool) -> None:
        self.flipped = flipped
        self.value: Any = None


class Forms:
    """The shared values in the forms in which calls read them: as they are, transposed, or spread over a tile."""

    def __init__(self) -> None:
        self.held: dict[Any, Any] = {}
        self.slots: dict[int, list[Any]] = {}

    def get(self, slot: int, spec: Spec, form: str, shape: Any = None) -> Any:
        """Return the array that a form is kept in."""
        key = (slot, form, shape)
        found = self.held.get(key)
        if found is None:
            sizes = spec.sizes if shape is None else shape
            if shape is None and math.prod(sizes) * spec.nptype.itemsize > COPIED:
                found = Late(form == "flipped")
            else:
                found = np.empty(sizes[::-1] if form == "flipped" else sizes, spec.nptype)
            self.held[key] = found
            self.slots.setdefault(slot, []).append((spec, form, found))
        return found

    def fill(self, slots: Sequence[Any]) -> None:
        """Take the values of a run, as far as they are there."""
        for slot, forms in self.slots.items():
            value = slots[slot]
            for spec, form, array in forms:
                if value.__class__ is not _ndarray or value.shape != spec.sizes or value.dtype != spec.nptype:
                    raise Mismatch
                turned = value.T if form == "flipped" else value
                if array.__class__ is Late:
                    array.value = turned
                else:
                    np.copyto(array, turned)

    def release(self) -> None:
        """Hold on to no array of a run."""
        for found in self.held.values():
            if found.__class__ is Late:
                found.value = None


def _late(function: Any, arguments: Sequence[Any]) -> None:
    function(*[a.value if a.__class__ is Late else a for a in arguments])


def _generic(kernel: Any, out: Any, *values: Any) -> None:
    found = kernel(*values)
    if found.shape != out.shape:
        raise Mismatch
    np.copyto(out, found)


def _several(kernel: Any, outs: Sequence[Any], *values: Any) -> None:
    for out, found in zip(outs, kernel(*values), strict=True):
        if found.shape != out.shape:
            raise Mismatch
        np.copyto(out, found)


def _load(out: Any, views: Sequence[Any], k: int) -> None:
    np.copyto(out, views[k])


def _store(value: Any, views: Sequence[Any], k: int) -> None:
    np.copyto(views[k], value)


def _choose(out: Any, test: Any, yes: Any, no: Any) -> None:
    np.copyto(out, no)
    np.copyto(out, yes, where=test)


def _cast(out: Any, x: Any) -> None:
    np.copyto(out, x, casting="unsafe")


def _maximum(x: Any, y: Any, out: Any) -> None:
    np.maximum(x, y, out=out)


def _minimum(x: Any, y: Any, out: Any) -> None:
    np.minimum(x, y, out=out)


NAMED: dict[Any, Any] = {np.maximum: _maximum, np.minimum: _minimum}
"""Those that take the place of their result by name alone."""


class Binder:
    """Makes the calls of a pass for tiles of some number of rows."""

    def __init__(self, pass_: Pass, rows: int, allocate: Any, forms: Forms, read: Any = None, parts: Any = None) -> None:
        self.pass_, self.rows, self.allocate, self.forms = pass_, rows, allocate, forms
        self.noted = read
        self.values: dict[Any, Any] = {}
        self.first: list[Any] = []
        """The calls for a tile that begins a group."""
        self.later: list[Any] = []
        """Those for one that adds to it."""
        self.views: list[Any] = [None] * (len(pass_.loads) + len(pass_.stores))
        """The rows of the tile in the whole arrays that are read and written."""
        self.parts = parts
        self.scratch: dict[Any, Any] = {}
        self.loaded = self.stored = self.summed = 0

    def do(self, work: Any) -> None:
        """Make the calls for one thing to do."""
        kind = work.__class__
        if kind is Load:
            spec = self.pass_.specs[work.slot]
            out = self.allocate(spec.tile(work.axis, self.rows), spec.nptype, ())
            self.values[work] = out
            self.call(_load, out, self.views, self.loaded)
            self.loaded += 1
        elif kind is Store:
            value = self.values[work.slot]
            self.note(value)
            self.call(_store, value, self.views, len(self.pass_.loads) + self.stored)
            self.stored += 1
        elif work.role == "sum":
            self.sum(work)
        else:
            self.step(work)

    def call(self, function: Any, *arguments: Any) -> None:
        """Call this for every tile."""
        made = self.bound(function, arguments)
        self.first.append(made)
        self.later.append(made)

    def bound(self, function: Any, arguments: Sequence[Any]) -> Any:
        if isinstance(function, np.ufunc):
            function = NAMED.get(function, function)
        if any(a.__class__ is Late for a in arguments):
            return partial(_late, function, tuple(arguments))
        return partial(function, *arguments)

    def note(self, *arrays: Any) -> None:
        if self.noted is not None:
            for a in arrays:
                if a.__class__ is _ndarray:
                    self.noted(a)

    def value(self, item: Item, p: int, form: str = "plain", shape: Any = None) -> Any:
        """Return what an input is in a tile: rows, or a shared value in a form."""
        slot = item.step.inputs[p]
        if p in item.slices:
            found = self.values[slot if slot in self.pass_.made else Load(slot, item.slices[p])]
            self.note(found)
            return found
        return self.forms.get(slot, self.pass_.specs[slot], form, shape)

    def dummy(self, item: Item, p: int) -> Any:
        """Return something of the shape that an input has in a tile."""
        slot = item.step.inputs[p]
        spec = self.pass_.specs[slot]
        n, axis = self.pass_.tiling.rows.get(slot, (0, None))
        return np.broadcast_to(np.zeros((), spec.nptype), spec.tile(axis if n == self.pass_.n else None, self.rows))

    # --- row steps ----------------------------------------------------------------------------------------------------

    def step(self, item: Item) -> None:
        """Make the calls of a row step."""
        node = item.step.node
        op, lies, attrs = node.op, _lies(node.op), node.attrs
        specs = [self.pass_.specs[s] for s in _outputs(item.step)]
        shapes = [spec.tile(axis, self.rows) for spec, axis in zip(specs, item.axes, strict=True)]
        if lies is Lies.SAME:
            x = self.value(item, 0)
            return self.view(item, [x.reshape(shapes[0])], x, shapes, specs)
        if lies is Lies.FILLED:
            self.values[item.step.output] = np.broadcast_to(np.asarray(op.layout.value, specs[0].nptype), shapes[0])
            return None
        if lies is Lies.SPREAD and not op.layout.mean:
            return self.spread(item, self.value(item, 0), shapes[0])
        if lies is Lies.SPREAD:
            x, spec = self.value(item, 0), self.pass_.specs[item.step.inputs[0]]
            count = math.prod([specs[0].sizes[a] for a in _over(attrs["axis"], len(specs[0].sizes))])
            small = self.allocate(x.shape, spec.nptype, ())
            self.call(np.divide, x, np.asarray(count, spec.nptype), small)
            return self.spread(item, small, shapes[0])
        if lies is Lies.VIEW:
            x = self.value(item, 0)
            found = op.eager(x, *[self.dummy(item, p) for p in range(1, len(item.step.inputs))], **self.turned(item, attrs))
            return self.view(item, found if item.step.several else [found], x, shapes, specs)
        if item.step.several:
            outs = [self.allocate(shape, spec.nptype, ()) for shape, spec in zip(shapes, specs, strict=True)]
            self.call(_several, item.step.kernel, outs, *self.all(item))
            for slot, out in zip(_outputs(item.step), outs, strict=True):
                self.values[slot] = out
            return None
        self.values[item.step.output] = self.one(item, shapes[0], specs[0])
        return None

    def all(self, item: Item) -> list[Any]:
        references = item.references
        return [self.dummy(item, p) if p in references else self.value(item, p) for p in range(len(item.step.inputs))]

    def turned(self, item: Item, attrs: Any) -> Any:
        """Return the attributes with an index that takes all rows, however many there are."""
        if "index" not in attrs:
            return attrs
        back = _lies(item.step.node.op) is Lies.SCATTERED
        axis = item.axes[0] if back else item.slices[0]
        rank = len(self.pass_.specs[item.step.output if back else item.step.inputs[0]].sizes)
        index = attrs["index"]
        used = sum(i is not None and i is not Ellipsis for i in index)
        items = list(index) if any(i is Ellipsis for i in index) else [*index, Ellipsis]
        at = next(k for k, i in enumerate(items) if i is Ellipsis)
        items[at : at + 1] = [slice(None)] * (rank - used)
        place = [k for k, i in enumerate(items) if i is not None][axis]
        items[place] = slice(None)
        return {"index": tuple(items)}

    def view(self, item: Item, found: Sequence[Any], x: Any, shapes: Any, specs: Any) -> None:
        """Keep views of a tile; where NumPy had to copy, copy in every tile."""
        outs = []
        for one, shape, spec in zip(found, shapes, specs, strict=True):
            if one.shape != shape or one.dtype != spec.nptype:
                raise Mismatch
            outs.append(one if one is x or np.may_share_memory(one, x) else None)
        if None in [o if o is None else 0 for o in outs]:
            node = item.step.node
            if item.step.several:
                raise Mismatch
            outs = [self.allocate(shapes[0], specs[0].nptype, ())]
            if _lies(node.op) is Lies.SAME:
                self.call(_generic, partial(np.reshape, shape=shapes[0]), outs[0], x)
            else:
                self.call(_generic, partial(node.op.eager, **self.turned(item, node.attrs)), outs[0], x)
        for slot, out in zip(_outputs(item.step), outs, strict=True):
            self.values[slot] = out

    def spread(self, item: Item, x: Any, shape: Any) -> None:
        if x.__class__ is Late:
            raise Mismatch
        layout, attrs = item.step.node.op.layout, item.step.node.attrs
        if layout.axes:
            x = x.reshape(_kept_dims(x.shape, shape, attrs))
        self.values[item.step.output] = np.broadcast_to(x, shape)

    def one(self, item: Item, shape: Any, spec: Spec) -> Any:
        """Make the calls of a step that computes one array, and return the array."""
        node, count = item.step.node, len(item.step.inputs)
        op, nptype = node.op, spec.nptype
        if isinstance(op.eager, np.ufunc) and count == op.eager.nin:
            values = [self.operand(item, p, shape) for p in range(count)]
            out = self.allocate(shape, nptype, [v for v in values if _same(v, shape, nptype)])
            self.call(op.eager, *values, out)
            return out
        layout = op.layout
        if layout is not None and layout.lies is Lies.MATRICES:
            return self.matmul(item, shape, nptype)
        if layout is not None and layout.lies is Lies.REDUCED and layout.join == "add" and not layout.mean:
            return self.narrow(item, shape, nptype)
        into = getattr(Into, op.name, None)  # the kernels that are known to write to a buffer
        out = None if into is None else into(self, item, shape, spec)
        if out is None:
            values = self.all(item)
            out = self.allocate(shape, nptype, ())
            self.call(_generic, item.step.kernel, out, *values)
        return out

    def fused(self, item: Item, shape: Any, spec: Spec, calls: Sequence[tuple[Any, ...]]) -> Any:
        """Make calls that write to one array what they make of one input."""
        x = self.value(item, 0)
        if x.shape != shape or x.dtype != spec.nptype:
            return None
        out = self.allocate(shape, spec.nptype, [x] if _same(x, shape, spec.nptype) else [])
        for function, *places in calls:
            self.call(function, *[x if a is X else out if a is OUT else a for a in places])
        return out

    def operand(self, item: Item, p: int, shape: Any) -> Any:
        """Return an operand of an elementwise step; a shared row is spread over the tile once in a run."""
        if p not in item.slices and item.axes[0] == 0:
            sizes = self.pass_.specs[item.step.inputs[p]].sizes
            if 1 < math.prod(sizes) and math.prod(shape[1:]) <= INNER:
                whole = self.value(item, p, "spread", (self.pass_.rows, *shape[1:]))
                return whole if self.rows == self.pass_.rows else whole[: self.rows]
        return self.value(item, p)

    def matmul(self, item: Item, shape: Any, nptype: Any) -> Any:
        attrs = item.step.node.attrs
        pair = []
        for p, flag in ((0, "ta"), (1, "tb")):
            flipped = attrs.get(flag, False)
            rank = len(self.pass_.specs[item.step.inputs[p]].sizes)
            if p in item.slices or rank != 2:
                v = self.value(item, p)
                if flipped and v.__class__ is Late:
                    raise Mismatch
                pair.append(np.swapaxes(v, -1, -2) if flipped else v)
            else:
                pair.append(self.value(item, p, "flipped" if flipped else "plain"))
        out = self.allocate(shape, nptype, ())
        flat = len(shape) == 2 and all(len(self.pass_.specs[s].sizes) == 2 for s in item.step.inputs)
        self.call(np.dot if flat else np.matmul, *pair, out)
        return out

    def narrow(self, item: Item, shape: Any, nptype: Any) -> Any:
        """Sum within the rows."""
        x = self.value(item, 0)
        over, kept = self.reduction(item, x)
        out = self.allocate(shape, nptype, ())
        if not over:
            self.call(np.copyto, out, x.reshape(shape))
            return out
        self.call(np.add.reduce, x, over, None, out.reshape(kept))
        return out

    # --- sums ---------------------------------------------------------------------------------------------------------

    def reduction(self, item: Item, x: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the axes that are summed over, and the shape that is left without them."""
        node = item.step.node
        if not node.op.layout.axes:
            out = self.pass_.specs[item.step.output].sizes
            if item.role == "row":
                out = self.pass_.specs[item.step.output].tile(item.axes[0], self.rows)
            extra = x.ndim - len(out)
            over = (*range(extra), *[k + extra for k, s in enumerate(out) if s == 1 and x.shape[k + extra] != 1])
        else:
            over = _over(node.attrs["axis"], x.ndim)
        return over, tuple(s for k, s in enumerate(x.shape) if k not in over)

    def sum(self, item: Item) -> None:
        """Make the calls of a part of a sum: the first tile of a group writes it, the others add theirs."""
        node, spec = item.step.node, self.pass_.specs[item.step.output]
        layout, nptype = node.op.layout, spec.nptype
        ufunc = getattr(np, layout.join)
        total = np.empty(spec.sizes, nptype) if self.parts is None else self.parts[self.summed]
        self.summed += 1
        key = (spec.sizes, nptype)
        part = self.scratch.get(key)
        if part is None:
            part = self.scratch[key] = np.empty(*key)
        values = [self.value(item, p) for p in range(len(item.step.inputs)) if p not in item.references]

        def into(out: Any) -> Any:
            if layout.lies is Lies.MATRICES:
                a, b = values
                a = a.T if node.attrs.get("ta", False) else a
                return self.bound(np.dot, (a, b.T if node.attrs.get("tb", False) else b, out))
            if layout.lies is Lies.LETTERS:
                return self.bound(_generic, (item.step.kernel, out, *values))
            x = values[0]
            over, kept = self.reduction(item, x)
            if ufunc is np.add and nptype.kind in "fc" and over == (0,) and x.ndim == 2 and x.shape[1] > 1:
                # As a product with ones it is three times as fast.
                return self.bound(np.dot, (self.ones(nptype), x, out.reshape(1, x.shape[1])))
            return self.bound(ufunc.reduce, (x, over, None, out.reshape(kept)))

        self.first.append(into(total))
        self.later.append(into(part))
        self.later.append(self.bound(ufunc, (total, part, total)))

    def ones(self, nptype: Any) -> Any:
        key = ("ones", nptype)
        if key not in self.scratch:
            self.scratch[key] = np.ones((1, self.rows), nptype)
        return self.scratch[key]


def _same(v: Any, shape: Any, nptype: Any) -> bool:
    """Whether a result may be written over an operand: it is an array of the same shape, and not a view of another."""
    return v.__class__ is _ndarray and v.shape == shape and v.dtype == nptype and v.base is None


X, OUT = object(), object()


class Into:
    """Kernels that write to a buffer, by the name of the operation: what NumPy's own functions with ``out`` do not cover.

    Each makes the calls of a step and returns the array that they write to, or None where the kernel as it is must do.
    """

    @staticmethod
    def concat(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """Join where all that is joined has rows."""
        if not all(p in item.slices for p in range(len(item.step.inputs))):
            return None
        values = binder.all(item)
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(np.concatenate, tuple(values), item.step.node.attrs["axis"], out)
        return out

    @staticmethod
    def add_n(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """Add one after the other."""
        values = [binder.operand(item, p, shape) for p in range(len(item.step.inputs))]
        if len(values) < 2:
            return None
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(np.add, values[0], values[1], out)
        for v in values[2:]:
            binder.call(np.add, out, v, out)
        return out

    @staticmethod
    def where(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """Choose by truth values."""
        if binder.pass_.specs[item.step.inputs[0]].nptype.kind != "b":
            return None
        values = [binder.value(item, p) for p in range(len(item.step.inputs))]
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(_choose, out, *values)
        return out

    @staticmethod
    def cast(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """Copy, where no number is complex."""
        if "c" in (spec.nptype.kind, binder.pass_.specs[item.step.inputs[0]].nptype.kind):
            return None
        x = binder.value(item, 0)
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(_cast, out, x)
        return out

    @staticmethod
    def getitem_transpose(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """Fill with zeros, and copy to where the index looks."""
        g, index = binder.value(item, 0), binder.turned(item, item.step.node.attrs)["index"]
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(out.fill, 0)
        binder.call(np.copyto, out[index], g)
        return out

    @staticmethod
    def sech_squared(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """1/cosh², from left to right."""
        if spec.nptype.kind != "f":
            return None
        one = spec.nptype.type(1)
        calls = [(np.cosh, X, OUT), (np.divide, one, OUT, OUT), (np.multiply, OUT, OUT, OUT)]
        return binder.fused(item, shape, spec, calls)

    @staticmethod
    def relu(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """The greater one of x and 0."""
        return binder.fused(item, shape, spec, [(np.maximum, X, spec.nptype.type(0), OUT)])

    @staticmethod
    def reciprocal(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """1/x."""
        return binder.fused(item, shape, spec, [(np.divide, spec.nptype.type(1), X, OUT)])

    @staticmethod
    def rsqrt(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """1/√x."""
        return binder.fused(item, shape, spec, [(np.sqrt, X, OUT), (np.divide, spec.nptype.type(1), OUT, OUT)])

    @staticmethod
    def integer_power(binder: Binder, item: Item, shape: Any, spec: Spec) -> Any:
        """Squares, and x itself."""
        known: dict[int, list[tuple[Any, ...]]] = {2: [(np.multiply, X, X, OUT)], 1: [(np.positive, X, OUT)]}
        calls = known.get(item.step.node.attrs["n"])
        return None if calls is None else binder.fused(item, shape, spec, calls)


# --- running ------------------------------------------------------------------------------------------------------


class Worker:
    """The buffers of one thread, and the calls bound to them."""

    def __init__(self) -> None:
        self.bound: dict[int, Any] = {}

    def bind(self, number: int, pass_: Pass, forms: Forms) -> Any:
        """Return what a pass needs: the calls by length of the tile, the views to set for a tile, the parts of sums."""
        found = self.bound.get(number)
        if found is None:
            memory = _memory(pass_.buffers)
            parts = [np.empty(pass_.specs[i.step.output].sizes, pass_.specs[i.step.output].nptype) for i in pass_.sums]
            calls, views = {}, {}
            for rows in {pass_.rows, pass_.last}:
                binder = Binder(pass_, rows, _from(memory, pass_.places), forms, None, parts)
                for work in pass_.work:
                    binder.do(work)
                calls[rows], views[rows] = (binder.first, binder.later), binder.views
            found = self.bound[number] = (calls, views, parts)
        return found


def _memory(sizes: Sequence[int]) -> list[Any]:
    """Return buffers of these many bytes, each at the start of a line of the cache."""
    line = 64
    whole = np.empty(sum(-(-s // line) * line + line for s in sizes) + line, np.uint8)
    at = -whole.ctypes.data % line
    found = []
    for s in sizes:
        found.append(whole[at : at + s])
        at += -(-s // line) * line + line
    return found


def _from(memory: Sequence[Any], places: Sequence[int]) -> Any:
    order = iter(places)

    def allocate(shape: Any, nptype: Any, over: Any) -> Any:
        buffer = memory[next(order)]
        return buffer[: math.prod(shape) * nptype.itemsize].view(nptype).reshape(shape)

    return allocate


class Crew:
    """What one run works with: workers, and for each pass the shared values."""

    def __init__(self, passes: int) -> None:
        self.forms = [Forms() for _ in range(passes)]
        self.workers: list[Worker] = []

    def worker(self, k: int) -> Worker:
        """Return the k-th worker."""
        while len(self.workers) <= k:
            self.workers.append(Worker())
        return self.workers[k]

    def release(self) -> None:
        """Hold on to no array of a run."""
        for forms in self.forms:
            forms.release()


class Stage(NamedTuple):
    """Whole steps, and then passes."""

    steps: tuple[Step, ...]
    passes: tuple[int, ...]
    dead: tuple[tuple[int, ...], ...]
    """For each pass, the slots that nobody reads any more."""


class Tiling:
    """A list that is cut, and the buffers for running it."""

    def __init__(self, plan: Plan, walk: _Cut, tile: int | None) -> None:
        """Order the steps by stages."""
        self.plan, self.specs, self.rows, self.items = plan, walk.specs, walk.rows, walk.items
        self.arrays = walk.arrays
        self._levels()
        self._sink()
        self.stored = self._stored()
        groups: dict[tuple[int, int], list[Item]] = {}
        for item in self.items:
            if item.role != "whole":
                groups.setdefault((item.level, item.n), []).append(item)
        keys = sorted(groups)
        self.passes = [Pass(n, groups[level, n], self, tile) for level, n in keys]
        self.stages = self._stages(keys)
        self.crews: list[Crew] = []
        self.failures: list[str] = []
        """Why passes failed where the whole steps did not."""
        shapes = {item.step.inputs[p] for item in self.items if item.role == "whole" for p in item.references}
        self.dummies = [(s, np.broadcast_to(np.zeros((), self.specs[s].nptype), self.specs[s].sizes)) for s in shapes]
        """Stand-ins for values of tiles of which whole steps read the shape alone."""

    def _users(self) -> dict[int, list[Item]]:
        users: dict[int, list[Item]] = {}
        for item in self.items:
            for slot in item.read():
                users.setdefault(slot, []).append(item)
        return users

    def _levels(self) -> None:
        """Give each step the first stage in which it can run."""
        maker: dict[int, Item] = {}
        of: dict[Node, Item] = {}
        effects = 0

        def ready(item: Item, tiled: bool, slot: int | None = None) -> int:
            if item.role == "whole" or (item.role == "row" and tiled and slot is not None):
                return item.level
            return item.level + 1

        for item in self.items:
            tiled = item.role != "whole"
            level = 0
            for slot in item.read():
                if slot in maker:
                    tile = tiled and maker[slot].n == item.n
                    level = max(level, ready(maker[slot], tile, slot))
            for node in item.step.node.control_inputs:
                if node in of:
                    level = max(level, ready(of[node], False))
            if item.step.node.op.stateful:
                effects = level = max(level, effects)
            item.level = level
            of[item.step.node] = item
            for slot in _outputs(item.step):
                maker[slot] = item

    def _sink(self) -> None:
        """Move row steps to the pass that reads them, where fewer bytes are then written out whole."""
        if all(item.level == 0 for item in self.items):
            return
        users = self._users()
        maker = {slot: item for item in self.items for slot in _outputs(item.step)}
        awaited = {node for item in self.items for node in item.step.node.control_inputs}
        fetched = set(self.plan.fetches)

        def crosses(slot: int) -> bool:
            made = maker.get(slot)
            if made is None or made.role != "row" or slot in fetched:
                return False
            return any(u.level != made.level or u.role == "whole" for u in users.get(slot, ()))

        def width(slot: int) -> int:
            spec = self.specs[slot]
            return int(math.prod(spec.sizes) * spec.nptype.itemsize)

        for item in reversed(self.items):
            outs = list(_outputs(item.step))
            if item.role != "row" or fetched & set(outs) or item.step.node.control_inputs:
                continue
            if item.step.node in awaited:
                continue
            reading = [u for slot in outs for u in users.get(slot, ())]
            latest = min((u.level - (u.role == "whole" or u.n != item.n) for u in reading), default=item.level)
            if latest <= item.level:
                continue
            ours = [s for s in item.read() if s in maker and maker[s].role == "row" and not crosses(s) and s not in fetched]
            if sum(map(width, ours)) <= sum(map(width, outs)):
                item.level = latest

    def _stored(self) -> set[int]:
        """Return the row values that are written out whole."""
        maker = {slot: item for item in self.items if item.role == "row" for slot in _outputs(item.step)}
        found = {slot for slot in self.plan.fetches if slot in maker}
        for item in self.items:
            for slot in item.read():
                made = maker.get(slot)
                if made is not None and (item.role == "whole" or (item.level, item.n) != (made.level, made.n)):
                    found.add(slot)
        return found

    def _stages(self, keys: Sequence[tuple[int, int]]) -> list[Stage]:
        count = max([item.level for item in self.items], default=0) + 1
        order: list[Any] = []
        for level in range(count):
            order.extend(item for item in self.items if item.role == "whole" and item.level == level)
            order.extend(k for k, (at, _) in enumerate(keys) if at == level)
        last: dict[int, int] = {}
        for at, one in enumerate(order):
            for item in [one] if isinstance(one, Item) else self.passes[one].items:
                for slot in (*(item.step.inputs if item.role == "whole" else item.read()), *_outputs(item.step)):
                    last[slot] = at
        kept = set(self.plan.fetches)
        dying: dict[int, list[int]] = {}
        for slot, at in last.items():
            if slot not in kept:
                dying.setdefault(at, []).append(slot)
        stages: list[Stage] = []
        at = 0
        for level in range(count):
            steps = []
            while at < len(order) and isinstance(order[at], Item) and order[at].level == level:
                steps.append(order[at].step._replace(dead=tuple(dying.get(at, ())), freed=(), overwrites=()))
                at += 1
            passes, dead = [], []
            while at < len(order) and not isinstance(order[at], Item) and keys[order[at]][0] == level:
                passes.append(order[at])
                dead.append(tuple(dying.get(at, ())))
                at += 1
            stages.append(Stage(tuple(steps), tuple(passes), tuple(dead)))
        return stages

    def small(self) -> frozenset[int]:
        """Return the numbers of rows for which tiles do not pay."""
        found = set()
        for n in {p.n for p in self.passes}:
            mine = [p for p in self.passes if p.n == n]
            written = sum(p.written() for p in mine)
            steps = sum(len(p.items) for p in mine)
            out = sum(math.prod(self.specs[s.slot].sizes) * self.specs[s.slot].nptype.itemsize for p in mine for s in p.stores)
            fetched = set(self.plan.fetches)
            forced = sum(
                math.prod(self.specs[s.slot].sizes) * self.specs[s.slot].nptype.itemsize
                for p in mine for s in p.stores if s.slot not in fetched
            )  # fmt: skip
            if steps < LEAST_STEPS or written < LEAST_BYTES or 2 * forced > written or out > written:
                found.add(n)
        return frozenset(found) if self.passes else frozenset({n for n, _ in self.rows.values()})

    # --- a run --------------------------------------------------------------------------------------------------------

    def run(self, arrays: Sequence[Any], walk: Callable[[Sequence[Step], list[Any]], None]) -> list[Any]:
        """Run for the feeds' arrays; ``walk`` runs whole steps. Return the slots, of which those of the fetches are filled."""
        slots: list[Any] = [None] * self.plan.size
        for slot, a in zip(self.plan.feeds, arrays, strict=True):
            slots[slot] = a
        for slot, dummy in self.dummies:
            slots[slot] = dummy
        try:
            crew = self.crews.pop()
        except IndexError:
            crew = Crew(len(self.passes))
        done: set[int] = set()
        try:
            for stage in self.stages:
                walk(stage.steps, slots)
                for number, dead in zip(stage.passes, stage.dead, strict=True):
                    try:
                        self._pass(number, crew, slots)
                    except Exception as error:
                        reason = repr(error)
                        self._rest(stage, done, slots, walk)
                        self.failures.append(reason)
                        return slots
                    done.add(number)
                    for slot in dead:
                        slots[slot] = None
        finally:
            crew.release()
            if len(self.crews) < CREWS:
                self.crews.append(crew)
        return slots

    def _rest(self, stage: Stage, done: set[int], slots: list[Any], walk: Any) -> None:
        """Run whole what has not run."""
        finished = {step.node for s in self.stages[: self.stages.index(stage) + 1] for step in s.steps}
        finished |= {item.step.node for k in done for item in self.passes[k].items}
        left = [step for step in self.plan.steps if step.node not in finished]
        for step in left:
            for p in step.node.op.shapes_only(len(step.inputs)):
                slot = step.inputs[p]
                if slots[slot] is None and slot in self.rows:
                    slots[slot] = np.broadcast_to(np.zeros((), self.specs[slot].nptype), self.specs[slot].sizes)
        walk([step._replace(dead=(), freed=(), overwrites=()) for step in left], slots)

    def _pass(self, number: int, crew: Crew, slots: list[Any]) -> None:
        pass_ = self.passes[number]
        whole: list[tuple[Any, int]] = []
        for slot, axis in pass_.loads:
            array, spec = slots[slot], self.specs[slot]
            if array.__class__ is not _ndarray or array.shape != spec.sizes or array.dtype != spec.nptype:
                raise Mismatch
            whole.append((array, axis))
        fresh = {s.slot: np.empty(self.specs[s.slot].sizes, self.specs[s.slot].nptype) for s in pass_.stores}
        whole.extend((fresh[s.slot], s.axis) for s in pass_.stores)
        totals = [
            np.empty((pass_.groups, *self.specs[i.step.output].sizes), self.specs[i.step.output].nptype) for i in pass_.sums
        ]
        threads = max(1, min(int(options.threads), pass_.groups, pass_.threads))
        bound = [crew.worker(k).bind(number, pass_, crew.forms[number]) for k in range(threads)]
        crew.forms[number].fill(slots)
        counter = itertools.count()
        failures: list[BaseException] = []

        def work(k: int) -> None:
            calls, views, parts = bound[k]
            try:
                _tiles(pass_, calls, views, parts, whole, totals, counter, failures)
            except BaseException as error:
                failures.append(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                for several in views.values():
                    several[:] = [None] * len(several)

        with _blas.alone():
            waiting: list[Any] = []
            try:
                for k in range(1, threads):
                    waiting.append(_pool().submit(quietly, work, k))
                quietly(work, 0)
            finally:
                for future in waiting:
                    if not future.cancel():
                        future.exception()
        if failures:
            raise failures[0]
        for slot, array in fresh.items():
            slots[slot] = array
        for item, total in zip(pass_.sums, totals, strict=True):
            slots[item.step.output] = self._total(item, total)

    def _total(self, item: Item, parts: Any) -> Any:
        """Put the parts of the groups together, in their order."""
        node = item.step.node
        layout = node.op.layout
        found = np.asarray(getattr(np, layout.join).reduce(parts, axis=0, dtype=parts.dtype))
        if layout.mean:
            sizes = self.specs[item.step.inputs[0]].sizes
            count = math.prod([sizes[a] for a in _over(node.attrs["axis"], len(sizes))])
            found = np.asarray(found / np.asarray(count, found.dtype))
        return found


@breakable
def _tiles(
    pass_: Pass, calls: Any, views: Any, parts: Any, whole: Any, totals: Any, counter: Iterator[int], failures: list[Any]
) -> None:
    """Work on one group after another, as long as there are any."""
    n, m, per = pass_.n, pass_.rows, pass_.group
    plain = all(axis == 0 for _, axis in whole)
    for group in counter:
        if group >= pass_.groups or failures:
            return
        begin = True
        for tile in range(group * per, min((group + 1) * per, pass_.tiles)):
            lo = tile * m
            rows = min(m, n - lo)
            if plain:
                views[rows][:] = [a[lo : lo + rows] for a, _ in whole]
            else:
                views[rows][:] = [a[(slice(None),) * axis + (slice(lo, lo + rows),)] for a, axis in whole]
            for call in calls[rows][0 if begin else 1]:
                call()
            begin = False
        for total, part in zip(totals, parts, strict=True):
            total[group] = part


_threads: list[ThreadPoolExecutor] = []
_making = threading.Lock()


def _pool() -> ThreadPoolExecutor:
    """Return the threads, of which there are as many as have been asked for at the same time."""
    with _making:
        if not _threads:
            _threads.append(ThreadPoolExecutor(HELPERS, "wengert tiles"))
        return _threads[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.clear)


class _Blas:
    """The threads of NumPy's BLAS, which is to use one while tiles run: they have threads of their own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.depth = self.before = 0
        self.calls: Any = None

    def found(self) -> Any:
        """Return the functions that tell and set how many threads OpenBLAS uses; for another BLAS, nothing."""
        if self.calls is None:
            self.calls = ()
            with contextlib.suppress(Exception):
                # NumPy's own module: what it is linked to is searched with it.
                library = ctypes.CDLL(importlib.import_module("numpy._core._multiarray_umath").__file__)
                for name in ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads64_",
                             "openblas_{}_num_threads"):  # fmt: skip
                    if hasattr(library, name.format("set")):
                        self.calls = (getattr(library, name.format("get")), getattr(library, name.format("set")))
                        break
        return self.calls

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Have one thread in the with block; blocks may overlap."""
        with self.lock:
            calls = self.found()
            if calls and self.depth == 0:
                self.before = int(calls[0]())
                if self.before != 1:
                    calls[1](1)
            self.depth += 1
        try:
            yield
        finally:
            with self.lock:
                self.depth -= 1
                if calls and self.depth == 0 and self.before != 1:
                    calls[1](self.before)


_blas = _Blas()
