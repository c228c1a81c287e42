"""The walk down a list that says of each step what it is: a row step, a sum over the rows, or whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from wengert.execute.plan import Plan, Step
from wengert.graph.node import Node
from wengert.ground.shapes import is_full
from wengert.ops.layout import Lies
from wengert.ops.linear import CONSTANT
from wengert.ops.op import Op
from wengert.ops.rows import Refused, row_axes

__all__ = [
    "LEAST_ROWS",
    "NUMBERS",
    "SUMS",
    "Cut",
    "Item",
    "Load",
    "Mismatch",
    "Spec",
    "Store",
    "Unfit",
    "kept_dims",
    "lies_of",
    "outputs_of",
    "over_axes",
]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LEAST_ROWS = 512
"""Rows from which a list is looked at."""
SUMS = (Lies.REDUCED, Lies.MATRICES, Lies.LETTERS)
"""What may be a sum over the rows, of which parts are put together."""
NUMBERS = "biufc"


class Mismatch(Exception):
    """A value does not have the shape or the dtype that the list says."""


class Unfit(Exception):
    """A step has no form in tiles."""

    def __init__(self, step: Step, reason: str = "") -> None:
        self.step, self.reason = step, reason


class Spec:
    """Shape and dtype of a value, as the rules for rows read them."""

    __slots__ = ("nptype", "root", "sizes")

    def __init__(self, sizes: Any, nptype: Any) -> None:
        self.sizes, self.nptype, self.root = sizes, nptype, None

    def tile(self, axis: int | None, rows: int) -> tuple[int, ...]:
        """Return the shape of a tile."""
        return tuple(self.sizes) if axis is None else (*self.sizes[:axis], rows, *self.sizes[axis + 1 :])


class Item:
    """A step, what it is, and when it runs."""

    __slots__ = ("again", "axes", "level", "n", "references", "role", "slices", "step")

    def __init__(self, step: Step, role: str = "whole", n: int = 0, axes: Any = (), slices: Any = None) -> None:
        self.step, self.role, self.n = step, role, n
        self.axes: list[int] = list(axes)
        """The axes of rows of the outputs of a row step."""
        self.slices: dict[int, int] = slices or {}
        """For each input that rows are taken from, by position: along which axis."""
        self.references = step.node.op.shapes_only(len(step.node.inputs))
        self.level = 0
        self.again = False
        """Whether an earlier pass has done it, too."""

    def read(self) -> list[int]:
        """Return the slots whose values are read."""
        return [s for p, s in enumerate(self.step.inputs) if p not in self.references]


def lies_of(op: Op) -> Lies | None:
    """Return how an operation's result lies, where it states it."""
    return None if op.layout is None else op.layout.lies


def outputs_of(step: Step) -> range:
    """Return the slots of a step's outputs."""
    return range(step.output, step.output + len(step.node.outputs)) if step.node.outputs else range(0)


class Cut:
    """The walk down a list that says of each step what it is."""

    def __init__(self, plan: Plan, feeds: Sequence[tuple[Any, Any]], without: frozenset[int], unfit: set[Node]) -> None:
        self.plan, self.unfit = plan, unfit
        self.specs: dict[int, Spec] = {}
        self.rows: dict[int, tuple[int, int]] = {}
        """For the values that have rows: how many, and along which axis."""
        self.arrays: set[int] = set()
        """Those of them that are whole arrays before a pass begins: feeds, constants, and what whole steps give."""
        self.without = without
        self.families: set[int] = set()
        for slot, (sizes, nptype) in zip(plan.feeds, feeds, strict=True):
            if is_full(sizes):
                self.specs[slot] = Spec(tuple(sizes), nptype)
                self._source(slot)
        for step in plan.steps:
            for slot, t in zip(outputs_of(step), step.node.outputs, strict=True):
                if is_full(t.sizes):
                    self.specs[slot] = Spec(tuple(t.sizes), t.nptype)
            if step.node.op is CONSTANT:
                self._source(step.output)
        self.items: list[Item] = []
        for step in plan.steps if self.families else ():
            item = self._classify(step) or Item(step)
            if item.role == "whole":  # what is not there yet as a whole array is not needed as one for its shape
                item.references = tuple([p for p in item.references if self._tiled(step.inputs[p])])
                if step.node.op is not CONSTANT:
                    for slot in outputs_of(step):
                        self._source(slot, self.families)
            self.items.append(item)

    def _tiled(self, slot: int) -> bool:
        return slot in self.rows and slot not in self.arrays

    def _source(self, slot: int, among: Collection[int] | None = None) -> None:
        """Enter a whole array that has rows; ``among``: numbers of rows that others have, if it is to have one of these."""
        spec = self.specs.get(slot)
        if spec is None or spec.nptype.kind not in NUMBERS or not spec.sizes:
            return
        for axis in (0, len(spec.sizes) - 1):
            n = spec.sizes[axis]
            # Rows along the last axis: a few coordinates of many points, not many features of a few.
            if n < LEAST_ROWS or n in self.without or (among is not None and n not in among):
                continue
            if axis == 0 or spec.sizes[0] <= 16:
                self.rows[slot] = (n, axis)
                self.arrays.add(slot)
                self.families.add(n)
                return

    def _classify(self, step: Step) -> Item | None:
        """Return a row step or a sum; None for a whole step."""
        node = step.node
        if node.op.stateful or node.op.kind in ("control", "custom") or not node.outputs or node.op is CONSTANT:
            return None
        slots = (*step.inputs, *outputs_of(step))
        if node in self.unfit or any(s not in self.specs or self.specs[s].nptype.kind not in NUMBERS for s in slots):
            return None
        inputs = [self.specs[s] for s in step.inputs]
        outputs = [self.specs[s] for s in outputs_of(step)]
        probe: Any = SimpleNamespace(op=node.op, inputs=inputs, outputs=outputs, attrs=node.attrs, where=node.where)
        references = node.op.shapes_only(len(node.inputs))
        read = {self.rows[s][0] for p, s in enumerate(step.inputs) if s in self.rows and p not in references}
        if len(read) > 1:
            return None
        item = self._rows(step, probe, read.pop(), references) if read else self._alike(step, probe, references)
        if item is not None and item.role == "row":
            for slot, axis in zip(outputs_of(step), item.axes, strict=True):
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
                shape = kept_dims(shape, out.sizes, probe.attrs)
            placed = axis - (len(out.sizes) - len(shape))
            if placed >= 0 and shape[placed] != 1:
                return None
        return Item(step, "row", n, [axis])

    def _rows(self, step: Step, probe: Any, n: int, references: tuple[int, ...]) -> Item | None:
        lies = lies_of(probe.op)
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
        return axis in over_axes(probe.attrs["axis"], len(x.sizes))


def _one_dtype(probe: Any) -> bool:
    return all(t.nptype == probe.outputs[0].nptype for t in probe.inputs)


def over_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Return the axes that an attribute names, counted from the first."""
    if axis is None:
        return tuple(range(rank))
    return tuple(a % rank for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def kept_dims(shape: Any, out: Any, attrs: Any) -> tuple[int, ...]:
    """Return the shape of a reduction's result with the reduced axes back in place."""
    if attrs["keepdims"] or len(shape) == len(out):
        return tuple(shape)
    over = over_axes(attrs["axis"], len(out))
    return tuple(1 if k in over else s for k, s in enumerate(out))


class Load(NamedTuple):
    """Take the rows of a tile from a whole array."""

    slot: int
    axis: int


class Store(NamedTuple):
    """Put the rows of a tile into a whole array."""

    slot: int
    axis: int
