"""What a direction moves: which columns of each value, and where a slope on the way may be infinite.

Two facts of one walk down the list, kept for each seed.

A column that a direction does not move is absent, not zero: ``X[:, 0:1]`` does not depend on the second column of X, and no
number 0 is made that could meet an infinite slope. The columns are an array of truth values that broadcasts to the value's
shape, or None where all may move.

A series multiplies slopes from x on, reverse mode from y back. The products are the same, but not what becomes of infinite
factors: reverse mode hands zeros back to what a selection did not choose, and zero times infinity is NaN, while a series leaves
it out; infinite slopes cancel in the one and not in the other; a root gives nothing where nothing is handed back. Eager mode is
the definition, and is reverse mode. So where a slope on the way may be infinite and the two may differ, a series does not stand
for the gradient. That an argument stays away from the pole is proved by bounds (``sqrt(1 + x*x)``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.node import Node
from wengert.ops.linear import CONSTANT, TAKE
from wengert.ops.rows import Refused, row_axes
from wengert.ops.slopes import INFINITE, Interval, Slope
from wengert.ops.slopes import Bounds as Rule
from wengert.ops.slopes import Columns as Moving
from wengert.tensor.tensor import Tensor

__all__ = ["Bounds", "Moves"]

Columns = Any
"""An array of truth values; None where all columns may move."""


class Bounds:
    """Lower and upper bounds of values, found from the list where they are asked for; it is not proved that they are reached."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.known: dict[int, Interval] = {}
        self.known_wild: dict[int, bool] = {}

    def of(self, t: Tensor) -> Interval:
        """Return the bounds of a value."""
        known = self.known
        if t.n not in known:
            for node in _unknown(t, known):
                bounds = self._of_node(node)
                for o in node.outputs:
                    known[o.n] = bounds
        return known[t.n]

    def wild(self, t: Tensor) -> bool:
        """Whether a value is computed by an operation whose slope may be infinite."""
        known = self.known_wild
        if t.n not in known:
            for node in _unknown(t, known):
                own = any([known[i.n] for i in node.inputs])
                if not own and node.op.kind == "control":
                    own = any(_of_bodies(node))
                elif not own and node.op.kind != "constant":
                    own = not _harmless(node, range(len(node.inputs))) and not self.regular(node)
                known.update([(o.n, own) for o in node.outputs])
        return known[t.n]

    def _of_node(self, node: Node) -> Interval:
        if node.op is CONSTANT:
            value = node.attrs["value"]
            if value.dtype.kind not in "iuf" or not value.size or not np.isfinite(value).all():
                return INFINITE
            return float(value.min()), float(value.max())
        rule: Rule = node.op.bounds
        if not callable(rule):
            return rule
        low, high = rule(node, [self.known[t.n] for t in node.inputs])
        return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)

    def regular(self, node: Node) -> bool:
        """Whether an operation's derivatives are finite at its arguments."""
        slope = _slope(node)
        if slope is None or slope.everywhere:
            return slope is not None
        if slope.at is None:
            return False
        low, high = self.of(node.inputs[slope.at])
        if slope.low < low and (high < slope.high or slope.high == math.inf):
            return True
        return slope.below and high < 0.0


def _slope(node: Node) -> Slope | None:
    """Return where an operation's derivatives are finite, as its attributes say; None for what states nothing."""
    stated: Slope | None = node.op.slope(node.attrs) if callable(node.op.slope) else node.op.slope
    return stated


def _unknown(t: Tensor, known: dict[int, Any]) -> list[Node]:
    """Return the nodes that a value is computed from, in order, but for those of which something is known."""
    pending, found, seen = [t.node], [], set()
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            found.append(node)
            pending.extend([i.node for i in node.inputs if i.n not in known])
    return sorted(found, key=lambda node: node.index)


class Moves:
    """One direction: what it moves, and what stands in the way of a series along it."""

    __slots__ = ("bounds", "columns", "lost", "poles", "refused", "stops", "upto")

    def __init__(self, sources: dict[int, Columns], stops: frozenset[int], bounds: Bounds) -> None:
        """Take the columns of the sources that move, by number, and the values through which no change passes."""
        self.columns: dict[int, Columns] = dict(sources)
        """The values that change, and which of their columns."""
        self.poles: dict[int, str] = {}
        """Of these, those behind an operation whose slope may be infinite, and which that is."""
        self.refused: dict[int, str] = {}
        """Of these, those for which a series may differ from reverse mode, and why."""
        self.lost: set[int] = set()
        """Of these, those of which some columns stand still, but it is not known which."""
        self.stops, self.bounds = stops, bounds
        self.upto = 0

    def reason(self, t: Tensor) -> str | None:
        """Return why a series along the direction may not stand for the gradient of a value; None if it may."""
        return self.refused.get(t.n)

    def advance(self, nodes: Sequence[Node], terms: dict[int, Any]) -> None:
        """Walk on to the end of the list; ``terms``: what is known to be a sum of coefficients, and of which values."""
        columns = self.columns
        for at in range(self.upto, len(nodes)):
            node = nodes[at]
            op = node.op
            if op.kind == "constant":
                continue
            moving = [i for i, t in enumerate(node.inputs) if t.n in columns and i not in op.constant_inputs]
            found: Any = [None] * len(node.outputs)
            if not moving:
                # A coefficient may be computed from what does not change with the seed, and change with it all the same.
                sums = terms.get(node.outputs[0].n) if node.outputs else None
                if sums is None or not any([n in columns for n in sums.tensors]):
                    continue
            elif op.columns in FILLING or any([columns[node.inputs[i].n] is not None for i in moving]):
                known = _moved(node, moving, [columns[t.n] if t.n in columns else False for t in node.inputs])
                if known is None:
                    self.lost.update([t.n for t in node.outputs])
                found = known or found
            if self.lost and op.columns not in MIXING and any([node.inputs[i].n in self.lost for i in moving]):
                self.lost.update([t.n for t in node.outputs])
            if self.poles or self.refused or op.kind not in ("linear", "bilinear"):
                self._judge(node, moving)
            for t, mine in zip(node.outputs, found, strict=True):
                if mine is False and t.n in self.refused:
                    mine = None  # reverse mode hands zeros back to what was left out, and they may meet an infinite slope
                if t.n not in self.stops and t.n not in columns and mine is not False:
                    columns[t.n] = mine
        self.upto = len(nodes)

    def _judge(self, node: Node, live: Sequence[int]) -> None:
        op, inputs = node.op, node.inputs
        if not live:
            return
        refused = next((self.refused[inputs[i].n] for i in live if inputs[i].n in self.refused), None)
        pole = next((self.poles[inputs[i].n] for i in live if inputs[i].n in self.poles), None)
        if refused is None:
            if pole is not None and _selects(node):
                refused = f"{op.name} takes a part of what lies behind {pole}"
            elif op.kind == "control":
                refused, own = _of_bodies(node)
                pole = pole or own
            elif not _harmless(node, live) and not self.bounds.regular(node):
                slope = f"{op.name}, whose slope may be infinite ({node.where})"
                stated = _slope(node)
                if stated is not None and stated.value and stated.at is not None:
                    refused = slope
                elif any(self.columns[inputs[i].n] is not None or inputs[i].n in self.lost for i in live):
                    refused = f"{slope}, of which some columns stand still"
                pole = pole or slope
        for t in node.outputs:
            if refused is not None:
                self.refused[t.n] = refused
            if pole is not None:
                self.poles[t.n] = pole


def _harmless(node: Node, live: Sequence[int]) -> bool:
    """Whether an operation's derivatives by the moving inputs are finite at all finite arguments."""
    op, slope = node.op, _slope(node)
    # A quotient is linear in its numerator.
    return (slope is not None and slope.everywhere) or (bool(op.linear_inputs) and all(i in op.linear_inputs for i in live))


def _selects(node: Node) -> bool:
    selects = node.op.selects
    return bool(selects(node) if callable(selects) else selects)


def _of_bodies(node: Node) -> tuple[str | None, str | None]:
    """Return what stands in the way in the bodies of a choice or loop, and an operation in them with a pole."""
    inside: list[Node] = []
    pending = [node]
    while pending:
        for body in pending.pop().attrs.values():
            graph = getattr(body, "graph", None)
            if graph is not None:
                inside.extend(graph.nodes)
                pending.extend([inner for inner in graph.nodes if inner.op.kind == "control"])
    slopes = [(inner.op.name, _slope(inner)) for inner in inside]
    stated = [(name, slope) for name, slope in slopes if slope is not None and not slope.everywhere]
    name = min([name for name, slope in stated if slope.value], default=None)
    if name is not None:
        return f"{name}, whose slope may be infinite, in a body ({node.where})", None
    name = min([name for name, slope in stated], default=None)
    if name is None:
        return None, None
    text = f"{name}, whose slope may be infinite, in a body ({node.where})"
    return (text, text) if any(inner.op.selects for inner in inside) else (None, text)


# --- columns ------------------------------------------------------------------------------------------------------

FILLING = (Moving.JOINED, Moving.FILLED)
"""Beyond these some columns stand still, even where all of an input move."""
MIXING = (Moving.SUMMED, Moving.MIXED)
"""Beyond these all columns move, if one of them does."""


def _moved(node: Node, live: Sequence[int], given: Sequence[Columns]) -> list[Columns] | None:
    """Return which columns of the outputs move, from those of the inputs, of which some move; False: none.

    None if it is not known.
    """
    op = node.op
    everything: list[Columns] = [None] * len(node.outputs)
    how = op.columns
    if how is Moving.MIXED:
        return everything
    if (
        all(given[i] is None for i in live)
        and how is not Moving.FILLED
        and (how is not Moving.JOINED or len(live) == len(node.inputs))
    ):
        return everything
    if how is Moving.SAME:
        return [given[0]]
    if how is Moving.ANY:
        if any(given[i] is None for i in live):
            return everything
        found = given[live[0]]
        for i in live[1:]:
            found = np.logical_or(found, given[i])
        return [_shortened(found)]
    arrays = None if how is None else _placed(node, given, live)
    if arrays is None:
        return None
    attrs = dict(node.attrs, value=0) if "value" in node.attrs else node.attrs
    results = op.eager(*arrays, **attrs)
    several = [results] if op.outputs == 1 else list(results)
    return [_shortened(np.asarray(r) > 0) for r in several]


def _placed(node: Node, given: Sequence[Columns], live: Sequence[int]) -> list[Any] | None:
    """Return numbers, 1 where an input moves, of size one along the axes on which the operation does not work."""
    inputs = node.inputs
    indices = inputs[-1].node
    if node.op is TAKE and indices.op is not CONSTANT:
        return None
    if any(t.sizes is None or (t.nptype.kind not in "fc" and not (node.op is TAKE and t.node is indices)) for t in inputs):
        return None  # where a part begins or ends may be computed
    rank = len(inputs[0].sizes)
    if any(given[i] is not None and given[i].ndim != rank for i in live):
        return None
    shape: list[list[Any]] = [list(t.sizes) for t in inputs]
    for axis in range(rank):
        try:
            placed = row_axes(node, [axis if i in live else None for i in range(len(inputs))])[0]
        except Refused:
            continue
        if placed is not None and all(given[i] is None or given[i].shape[axis] == 1 for i in live):
            for i, sizes in enumerate(shape):
                if node.op is not TAKE or i == 0:
                    sizes[placed if i in node.op.constant_inputs else axis] = 1
    if any(None in sizes or math.prod(sizes) > 4096 for sizes in shape):
        return None
    marks = [0.0 if i not in live else 1.0 if given[i] is None else given[i] for i in range(len(inputs))]
    arrays = [np.array(np.broadcast_to(mark, sizes), float) for mark, sizes in zip(marks, shape, strict=True)]
    if node.op is TAKE:
        arrays[1] = indices.attrs["value"]
    return arrays


def _shortened(columns: Any) -> Columns:
    return None if columns.all() else columns if columns.any() else False
