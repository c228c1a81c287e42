"""A gradient along directions: the coefficients of one order more, of values whose rows are independent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.derive.adjoint import entries_of
from wengert.derive.choice import TAIL
from wengert.derive.coefficients import plus
from wengert.derive.deferred import Columns, Deferred, alone, filled, mapped_by, ones_like, total_of
from wengert.derive.frame import Frame, column_index
from wengert.derive.index import join
from wengert.derive.lowered import Lowered, number_in
from wengert.derive.reverse import reach_of, sweep
from wengert.derive.rows import Rows
from wengert.derive.series import Series
from wengert.derive.sums import Sums
from wengert.ops import elementwise, linear, reduction
from wengert.ops.elementwise import DIVIDE, MULTIPLY
from wengert.ops.linear import (
    GETITEM,
)
from wengert.ops.reduction import MEAN, SUM
from wengert.tensor.tensor import Tensor, apply, convert, tensors

__all__ = ["Directions", "tail"]


class Directions:
    """The directions of one lowering: each is a seed of the series, and moves some columns of an x."""

    def __init__(self, lowered: Lowered, series: Series, sums: Sums) -> None:
        """Take the list being made, its series, and the sums of their coefficients."""
        self.lowered, self.series, self.sums = lowered, series, sums
        self.directions: dict[Any, int] = {}
        self.taken: dict[int, Any] = {}
        """The seeds along which derivatives are series, and by what."""
        self.wild: set[int] = set()
        """Values that reverse mode found through slopes that may be infinite, and what is computed from them."""
        self.wild_upto = 0

    def gradient(self, frame: Frame, bases: Sequence[Any], blocked: frozenset[int], reverse: Any, note: Any) -> Any:
        """Return the gradient, deferred.

        ``reverse``: gives the whole of it by reverse mode, for a direction along which a series may not stand for it.
        """
        if frame.rows is not None:
            bases = [part for d, g in bases for part in _peeled(d, g, frame.rows)]
        made: dict[tuple[int, ...], Deferred] = {}
        whole: list[Any] = []

        def of_all() -> Any:
            if not whole:
                whole.append(reverse())
            return whole[0]

        def part(columns: tuple[int, ...]) -> Deferred:
            if columns not in made:
                reason = self.stands_in(self.seed(frame, columns, blocked), bases)
                if reason is None:
                    made[columns] = self._one_direction(frame, columns, bases, blocked)
                else:
                    note(reason)
                    made[columns] = alone(_some_columns(of_all(), frame, columns))
            return made[columns]

        if frame.width == 1:
            return part((0,))
        return Columns(frame.x, frame.axis, range(frame.width), part, of_all if frame.dear else None)

    def seed(self, frame: Frame, columns: tuple[int, ...], blocked: frozenset[int]) -> int:
        """Return the seed of a direction: the sum of some unit columns."""
        x = frame.x
        key = (x.n, frame.axis, columns, blocked)
        if key not in self.directions:
            sizes = tuple(1 if k == frame.axis else s for k, s in enumerate(x.sizes))
            unit = np.zeros(math.prod(sizes), x.nptype)
            unit[list(columns)] = 1
            unit = unit.reshape(sizes)
            own: dict[Any, Any] = {(x.n, (0,)): convert(unit)}
            seed = self.series.seed(own, blocked - {x.n}, columns={x.n: None if unit.all() else unit != 0})
            self.directions[key] = seed
            self.sums.units[seed] = frame, columns
        return self.directions[key]

    def stands_in(self, seed: int, bases: Sequence[Any]) -> str | None:
        """Return why a series along a direction may not stand for the gradient of the bases; see `moves`."""
        nodes = self.lowered.nodes
        for at in range(self.wild_upto, len(nodes)):
            if any([t.n in self.wild for t in nodes[at].inputs]):
                self.wild.update([t.n for t in nodes[at].outputs])
        self.wild_upto = len(nodes)
        for d, _ in bases:
            for t in d.tensors.values():
                if t.n in self.wild:
                    return "a derivative within went by reverse mode, through slopes that may be infinite"
                if self.series.depends(t, seed) and self.series.moved[seed].reason(t):
                    return self.series.moved[seed].reason(t)
        return None

    def _one_direction(self, frame: Frame, columns: tuple[int, ...], bases: Sequence[Any], blocked: frozenset[int]) -> Deferred:
        seed = self.seed(frame, columns, blocked)
        self.taken[seed] = frame.x
        x = frame.x
        parts = []
        for d, g in bases:
            moved = {(n, join(a, (seed,))): c for (n, a), c in d.terms.items() if self._moves(d.tensors[n], seed, frame)}
            if not moved:
                continue
            one = Deferred(moved, {n: d.tensors[n] for n, _ in moved}, d.sizes, d.nptype)
            if g is not None:
                product = apply(elementwise.MULTIPLY, (g, self.sums.force(one)))
                one = alone(_column(product, frame, next(iter(one.tensors.values()))))
            else:
                one = mapped_by(one, lambda base: _column(base, frame, base))
            parts.append(one)
        if not parts:
            like = x if frame.width == 1 else apply(GETITEM, (x,), {"index": column_index(x, frame.axis, 0)})
            return alone(filled(0, like))
        return total_of(parts, [1.0] * len(parts))

    def _moves(self, t: Tensor, seed: int, frame: Frame) -> bool:
        if frame.rows is not None:
            frame.rows.advance(self.lowered.nodes, len(self.lowered.nodes))
            return t.n in frame.rows.axes
        return self.series.depends(t, seed)


def _peeled(d: Deferred, g: Tensor | None, rows: Rows) -> list[tuple[Deferred, Any]]:
    """Carry a cotangent back through sums over rows, to values whose rows are independent."""
    mixed = [n for n in d.tensors if n in rows.mixed]
    if not mixed:
        return [(d, g)]
    found = []
    kept = {key: c for key, c in d.terms.items() if key[0] not in mixed}
    if kept:
        found.append((Deferred(kept, {n: t for n, t in d.tensors.items() if n not in mixed}, d.sizes, d.nptype), g))
    for (n, a), c in d.terms.items():
        if n not in mixed:
            continue
        base = d.tensors[n]
        nodes = _frontier(base, rows)
        assert nodes is not None
        start = ones_like(base) if g is None else g
        entries = entries_of(None, [base], nodes)
        edge = {t.n: t for node in nodes for t in node.inputs if t.n in rows.axes and t.n not in rows.mixed}
        reach = reach_of(entries, set(edge))
        cotangents = sweep(tensors, entries, {n: start}, reach, set(edge), raw=False)
        for m, t in edge.items():
            if m in cotangents:
                weight, number = cotangents[m], number_in(cotangents[m])
                one = Deferred({(m, a): c * (1.0 if number is None else number)}, {m: t}, t.sizes, t.nptype)
                found.append((one, weight if number is None else None))
    return found


def _some_columns(g: Tensor, frame: Frame, columns: Sequence[int]) -> Any:
    """Return the sum of some columns of a gradient, in the shape that a column of x has."""
    total = None
    for j in columns:
        total = plus(total, apply(GETITEM, (g,), {"index": column_index(frame.x, frame.axis, j)}))
    return total


def _column(t: Tensor, frame: Frame, base: Tensor) -> Any:
    """Return the sum over all but the rows, in the shape that a column of x has."""
    x = frame.x
    if frame.axis is None:
        if frame.width > 1:
            return apply(reduction.SUM, (t,), {"axis": None, "keepdims": False}) if t.sizes != () else t
        if t.sizes == x.sizes:
            return t
        total = t if t.sizes == () else apply(reduction.SUM, (t,), {"axis": None, "keepdims": False})
        return apply(linear.RESHAPE, (total,), {"shape": tuple(x.sizes)})
    assert frame.rows is not None
    axis = frame.rows.axes[base.n]
    over = tuple(k for k, s in enumerate(base.sizes) if k != axis and s != 1)
    if over:
        t = apply(reduction.SUM, (t,), {"axis": over, "keepdims": True})
    if len(t.sizes) == len(x.sizes) and axis == frame.axis:
        return t
    shape = tuple((x.sizes[k] if x.sizes[k] is not None else -1) if k == frame.axis else 1 for k in range(len(x.sizes)))
    return apply(linear.RESHAPE, (t,), {"shape": shape})


def _frontier(base: Tensor, rows: Rows) -> list[Any] | None:
    """Return the nodes of the linear tail between a value and the last ones with independent rows."""
    pending, seen = [base], set()
    found: list[Any] = []
    while pending:
        t = pending.pop()
        if t.n in seen or t.n not in rows.mixed:
            continue
        seen.add(t.n)
        node = t.node
        depends = [i for i in node.inputs if i.n in rows.mixed or i.n in rows.axes]
        if node.op not in (SUM, MEAN) and any(i.n in rows.axes for i in depends):
            return None  # not a sum of rows, but a mixture of rows and sums
        linear_ = node.op in TAIL or (node.op is MULTIPLY and len(depends) == 1) or (
            node.op is DIVIDE and len(depends) == 1 and depends[0] is node.inputs[0])  # fmt: skip
        if not linear_ or len(found) > 64:
            return None
        found.append(node)
        pending.extend(depends)
    return sorted(found, key=lambda node: node.index)


def tail(base: Tensor, rows: Rows) -> bool:
    """Whether a value is a sum over rows of values whose rows are independent."""
    return _frontier(base, rows) is not None
