"""What a coefficient is in terms of others: the rule of each kind of operation.

A rule is a generator: it yields what it asks for (`Request`) and returns the coefficient, a node or None. So a rule calls no
other, and whoever runs them keeps the stack (`wengert.derive.series`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.derive import forward
from wengert.derive.coefficients import Coefficients, alone, enter, plus, times
from wengert.derive.index import Combination, Functional, Index, Products, Steps, join, lowered_by, splits, within
from wengert.graph.node import Node
from wengert.ops import elementwise, linear
from wengert.ops.elementwise import ADD, ADD_N, SUBTRACT, WHERE
from wengert.ops.linear import (
    CONSTANT,
    ENSURE_SHAPE,
    IDENTITY,
    SHAPED,
)
from wengert.ops.state import FED, READ
from wengert.tensor.tensor import Tensor, apply, convert, tensors

__all__ = ["Recurrences", "to_real"]


class Recurrences(Coefficients):
    """The rules, with what they keep."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Take the list, which grows."""
        super().__init__(nodes)
        self.tangents: dict[Any, Any] = {}
        self.controls: dict[Any, Any] = {}
        self.partials: dict[tuple[int, int], Any] = {}
        self.made: dict[int, tuple[Any, Any]] = {}
        """Values that are coefficients of an elementwise operation: its output, and the index or functional."""
        self.ceiling: Index = ()
        """The greatest index that will be asked for: a choice or a loop carries all below it."""

    def linear(self, t: Any, a: Any) -> Steps:
        """Apply the operation to the coefficients of its inputs; the same for a functional."""
        node = t.node
        op = node.op
        passing = op.passes(node.inputs, node.outputs)
        moved: list[Any] = [None] * len(node.inputs)
        for i in passing:
            moved[i] = yield node.inputs[i], a, False
        live = [i for i, m in enumerate(moved) if m is not None]
        if not live:
            return None
        if op in (READ, IDENTITY, SHAPED, ENSURE_SHAPE, FED):
            return moved[0]
        batched = bool(self.batched) and a and not isinstance(a[0], tuple) and self.is_batched(a)
        if batched and op not in (ADD, ADD_N, SUBTRACT):
            return self.batched_linear(node, moved, live)
        if op in (ADD, ADD_N):
            total = None
            for i in live:
                total = plus(total, self.placed(moved[i], node.inputs[i], t))
            return total
        if op is SUBTRACT:
            parts: list[Any] = [None if m is None else self.placed(m, x, t) for m, x in zip(moved, node.inputs, strict=True)]
            if parts[0] is None or parts[1] is None:
                return parts[0] if parts[1] is None else -parts[1]
            return parts[0] - parts[1]
        if op is WHERE:
            filled = [convert(t.nptype.type(0)) if m is None else m for m in moved[1:]]
            return self.placed(apply(op, (node.inputs[0], *filled)), t, t)
        kept = self.kept_axes(node, moved, live)
        inputs = []
        for i, x in enumerate(node.inputs):
            if moved[i] is not None:
                inputs.append(self.spread(moved[i], x, kept[i]))
            elif i not in passing:
                inputs.append(x)
            else:
                inputs.append(self.zeros(x, kept[live[0]]))
        found = apply(op, inputs, node.attrs)
        return found if op.outputs == 1 else found[t.index]

    def bilinear(self, t: Tensor, a: Index) -> Steps:
        """Sum the products of the coefficients whose indices add to a."""
        node = t.node
        u, w = node.inputs
        terms: Products = {}
        for b, c, m in splits(a):
            p = yield u, b, False
            if p is None:
                continue
            q = yield w, c, False
            if q is not None:
                if node.op is elementwise.MULTIPLY:
                    p, q = self.aligned(p, b, a), self.aligned(q, c, a)
                enter(terms, m, p, q, u is w and node.op is elementwise.MULTIPLY)
        return self._moving(t, ((a, 1.0),), self.product_sum(node, terms))

    def bilinear_functional(self, t: Tensor, live: Functional) -> Steps:
        """The same for a functional: its greatest coefficients are one value of each input."""
        node = t.node
        u, w = node.inputs
        fold = u is w and node.op is elementwise.MULTIPLY
        terms: Products = {}
        left = yield u, live, False
        if left is not None:
            enter(terms, 1.0, left, w, fold)
        right = yield w, live, False
        if right is not None:
            enter(terms, 1.0, u, right, fold)
        for a, weight in live:
            for b, c, m in splits(a):
                if b and c:
                    p = yield u, b, False
                    if p is None:
                        continue
                    q = yield w, c, False
                    if q is not None:
                        p, q = self.aligned(p, b, a), self.aligned(q, c, a)
                        enter(terms, m * weight, p, q, fold, self.is_batched(a))
        return self._moving(t, live, self.product_sum(node, terms))

    def elementwise(self, t: Tensor, terms: Functional, tops: Any) -> Steps:
        """The coefficients of v = φ(u, ...), summed with weights; ``tops``: the functional of each input, if it is one."""
        node = t.node
        op = node.op
        before = len(self.nodes)
        flat: Products = {}
        first = None
        for i, u in enumerate(node.inputs):
            if not any(self.depends(u, s) for a, _ in terms for s in a):
                continue
            h = self.partials.get((t.n, i))
            if h is None:
                h = self.partials[t.n, i] = op.partials[i](tensors, *node.inputs, t, **node.attrs)
            if _is_zero(h):
                continue
            top = tops[i] if tops is not None else (yield u, terms[0][0], False)
            if top is not None and op.stated:
                first = forward.rule(op)(tensors, [top], node.inputs, t, node.attrs)
            elif top is not None:
                enter(flat, 1.0, self.aligned(h, (), terms[0][0]) if tops is None else h, top)
            if op.kind == "piecewise":
                continue
            slope = _slope(h, u) if tops is not None else None
            bends: Products = {}
            for a, weight in terms:
                seed, less = lowered_by(a)
                if slope is not None and len(a) == 2:
                    # Of second order, φ'' is one factor for all directions: v_ab = h u_ab + φ'' u_a u_b.
                    p, q = (yield u, (a[0],), False), (yield u, (a[1],), False)
                    if p is not None and q is not None:
                        p, q = self.aligned(p, (a[0],), a), self.aligned(q, (a[1],), a)
                        enter(bends, weight, p, q, True, self.is_batched(a))
                    continue
                for b, c, m in splits(less):
                    if b:
                        e = join(c, (seed,))
                        p = yield u, e, False
                        if p is None:
                            continue
                        q = yield h, b, True
                        if q is not None:
                            over = tops is not None and self.is_batched(a)
                            enter(flat, m * weight, self.aligned(q, b, a), self.aligned(p, e, a), False, over)
            if bends:
                sums: dict[tuple[float, bool], Any] = {}
                for m, p, q, over in bends.values():
                    sums[m, over] = plus(sums.get((m, over)), times(p, q))
                enter(flat, 1.0, slope, self.weighted(sums))
        sums = {}
        for m, p, q, over in flat.values():
            sums[m, over] = plus(sums.get((m, over)), times(p, q))
        found = plus(first, self.weighted(sums))
        if found is None:
            return None
        return self._enter_made(t, terms[0][0] if tops is None else terms, self.placed(found, t, t), before, terms)

    def _enter_made(self, t: Tensor, key: Any, found: Any, before: int, terms: Functional) -> Any:
        """Note that a new value is a coefficient of an elementwise operation."""
        moving = self._moving(t, terms, found)
        if moving is found and found.node.index >= before and t.node.op.kind == "elementwise" and not t.node.op.stated:
            self.made.setdefault(found.n, (t, key))
        return moving

    def _moving(self, t: Tensor, terms: Functional, c: Tensor) -> Any:
        """Return a coefficient with zeros in the columns that do not move, whatever the slopes are there."""
        if c is None or c.sizes is None or t.sizes is None or len(c.sizes) != len(t.sizes):
            return c
        if t.node.op in (elementwise.MULTIPLY, elementwise.DIVIDE) and any(i.node.op is CONSTANT for i in t.node.inputs):
            return c  # a number as the slope
        total: Any = False
        for a, _ in terms:
            own: Any = True
            for s in set(a):
                columns = self.moved[s].columns.get(t.n)
                own = own if columns is None else np.logical_and(own, columns)
            if own is True:
                return c
            total = np.logical_or(total, own)
        if total.all():
            return c
        return apply(elementwise.WHERE, (convert(total), c, convert(c.nptype.type(0))))

    def quotient(self, t: Tensor, a: Index, p: Tensor, q: Tensor) -> Steps:
        """V = p / q: from v q = p, v_a = (p_a - Σ_{b < a} C(a, b) v_b q_{a-b}) / q."""
        before = len(self.nodes)
        total = None if p is None else (yield p, a, False)
        terms: Products = {}
        for b, c, m in splits(a):
            if c:
                w = yield q, c, False
                if w is not None:
                    v = yield t, b, False
                    if v is not None:
                        enter(terms, m, self.aligned(v, b, a), self.aligned(w, c, a))
        sums: dict[tuple[float, bool], Any] = {}
        for m, v, w, over in terms.values():
            sums[m, over] = plus(sums.get((m, over)), times(v, w))
        rest = self.weighted(sums)
        if rest is not None:
            total = -rest if total is None else total - rest
        if total is None:
            return None
        return self._enter_made(t, a, self.placed(total / self.aligned(q, (), a), t, t), before, ((a, 1.0),))

    def by_tangent(self, t: Any, a: Index) -> Steps:
        """v_e is the tangent, an expression in u_e whose derivatives are known; v_a is the coefficient at a - e of it."""
        node = t.node
        seed, less = lowered_by(a)
        key = (node, seed)
        if key not in self.tangents:
            tangents: list[Any] = [None] * len(node.inputs)
            for i in node.op.passes(node.inputs, node.outputs):
                x = node.inputs[i]
                moved = yield x, (seed,), False
                if moved is not None:
                    # A node of its own, so that what is known of it is known of nothing else.
                    tangents[i] = moved = alone(self.whole(moved, x))
                    self.terms[moved.n] = Combination({(x.n, (seed,)): 1.0}, {x.n: x})
            output = node.outputs[0] if node.op.outputs == 1 else node.outputs
            if all(m is None for m in tangents):
                self.tangents[key] = None
            else:
                self.tangents[key] = forward.rule(node.op)(tensors, tangents, node.inputs, output, node.attrs)
        w = self.tangents[key]
        if w is None:
            return None
        if node.op.outputs != 1:
            w = w[t.index]
        return w if not less or w is None else (yield w, less, True)

    def control(self, t: Any, a: Index) -> Steps:
        """A choice or a loop: one that carries the coefficients up to a greatest index beside the values."""
        node = t.node
        top = self.ceiling if set(a) <= set(self.ceiling) and within(a, self.ceiling) else a
        indices = [b for b, _, _ in splits(top)]
        key = (node, top)
        if key not in self.controls:
            moved = [[x, *([None] * (len(indices) - 1))] for x in node.inputs]
            for i in node.op.passes(node.inputs, node.outputs):
                for k, b in enumerate(indices[1:], 1):
                    c = yield node.inputs[i], b, False
                    moved[i][k] = None if c is None else self.whole(c, node.inputs[i])
            self.controls[key] = node.op.series(tensors, moved, indices, node)
        return self.controls[key].get((t.index, a))


def _slope(h: Tensor, u: Tensor) -> Any:
    """Return the derivative by u of an expression that is a function of u by one operation; None if it is not."""
    node, negative = h.node, False
    while node.op is elementwise.NEGATIVE:
        node, negative = node.inputs[0].node, not negative
    if len(node.inputs) != 1 or node.inputs[0] is not u or node.op.kind != "elementwise" or node.op.stated:
        return None
    found = node.op.partials[0](tensors, u, node.outputs[0], **node.attrs)
    return -found if negative else found


def _is_zero(h: Tensor) -> bool:
    """Whether an expression is zero by its form."""
    node = h.node
    if node.op is linear.ZEROS_LIKE:
        return True
    if node.op is elementwise.MULTIPLY:
        return any(t.node.op is CONSTANT and not t.node.attrs["value"].any() for t in node.inputs)
    return node.op is CONSTANT and not node.attrs["value"].any()


def to_real(node: Node) -> bool:
    """Whether an operation takes complex numbers to real ones: such a partial is not a factor."""
    return any(t.nptype.kind == "c" for t in node.inputs) and node.outputs[0].nptype.kind != "c"
