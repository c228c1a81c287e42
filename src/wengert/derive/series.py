r"""Taylor series over a lowered list.

A direction (a seed) is a small change of a tensor. An index is a sorted tuple of seeds, repeated as often as their order:
``(0, 0, 1)`` is the second order along seed 0 and the first along seed 1. The coefficient of a value at an index is its
derivative, not divided by a factorial: so a derivative by one more seed is the coefficient at one more entry, without a
factor. Coefficients are nodes of the lowered list, made when asked for and kept; one that is zero is None and costs nothing.

- linear: (f u)_a = f(u_a)
- bilinear: (u v)_a = Σ_{b ≤ a} C(a, b) u_b v_{a-b}
- elementwise, v = φ(u) with the stated partial h: v_a = Σ_{b ≤ a-e} C(a-e, b) h_b u_{a-b}, e any seed of a; h is an expression
  of the list itself, so its coefficients come from the same rules, and mutual recursions (sin and cos) close by themselves
- any other operation: its stated tangent is an expression w in u_e, and v_a is w_{a-e}
- a choice or a loop: the same choice or loop over series

A *functional* is a sum of coefficients of one value, Σ c_a v_a. All rules are linear in the coefficient at the greatest index,
so that a functional is carried through them as one value: "collapsed Taylor mode" (F. Dangel, T. Siebert, M. Zeinhofer,
A. Walther, 2025), which for a Laplacian is the "forward Laplacian" (R. Li et al., 2024).

Where the rows of x are independent, a direction is the same in each row, and so may coefficients be. A coefficient has as many
axes as its value; along each it may have size one, where it is alike, and it broadcasts. An operation keeps that where the rule
of `rows` says that it works on each place of that axis alone; along any other axis the coefficient is spread first. So it is
the coefficient's own shape that tells what it is alike along, and no proof of another seed's rows is ever read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.derive.coefficients import plus
from wengert.derive.index import Combination, Functional, Index, Key, Request, Steps, join
from wengert.derive.recurrences import Recurrences, to_real
from wengert.graph.node import Node
from wengert.ground.types import Array
from wengert.ops.control import CALL
from wengert.ops.op import Op
from wengert.ops.reduction import SUM
from wengert.tensor.tensor import Tensor, apply, tensors

__all__ = ["Series", "series_reason"]


def series_reason(op: Op) -> str | None:
    """Return why an operation has no series, or None if it has one."""
    if not op.complete:
        return f"{op.name} states not every derivative"
    if op.kind == "custom" or op is CALL:
        return f"{op.name} states no series"
    if (
        op.kind == "control"
        or op.kind == "constant"
        or op.partials
        or op.tangent is not None
        or op.kind in ("linear", "bilinear")
    ):
        return None
    return f"{op.name} states no tangent"


class Series(Recurrences):
    """The coefficients over one lowered list: what is asked, and the rules run without recursion."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Take the list, which grows."""
        super().__init__(nodes)
        self.memo: dict[Key, Any] = {}

    def coefficient(self, t: Tensor, a: Index) -> Any:
        """Return the coefficient at an index, in one row where all rows are alike; None if it is zero."""
        return self._run((t, a, False))

    def part(self, h: Array | None, a: Index) -> Any:
        """Return the coefficient of a partial derivative: an expression of which its own form alone is used."""
        return self._run((h, a, True))

    def functional(self, t: Tensor, terms: Functional) -> Any:
        """Return a sum of coefficients of one value."""
        if len(terms) == 1 and not self.is_batched(terms[0][0]):
            a, c = terms[0]
            return self.scaled(self.coefficient(t, a), c)
        return self._run((t, terms, False))

    def _run(self, request: Request) -> Any:
        memo = self.memo
        key = (request[0].n, request[1], request[2])
        if key in memo:
            return memo[key]
        keys, stack, busy = [key], [self._rule(request)], {key}
        value: Any = None
        while stack:
            try:
                wanted = stack[-1].send(value)
            except StopIteration as done:
                stack.pop()
                key = keys.pop()
                busy.discard(key)
                value = memo[key] = done.value
                continue
            key = (wanted[0].n, wanted[1], wanted[2])
            if key in memo:
                value = memo[key]
                continue
            if key in busy:
                # What is known of the value leads back to itself: its own operation decides.
                wanted, key = (wanted[0], wanted[1], True), (wanted[0].n, wanted[1], True)
                if key in busy:
                    raise AssertionError(f"the series of {wanted[0]!r} depends on itself")
                if key in memo:
                    value = memo[key]
                    continue
            busy.add(key)
            keys.append(key)
            stack.append(self._rule(wanted))
            value = None
        return value

    def _rule(self, request: Request) -> Steps:
        t, a, bare = request
        if a and isinstance(a[0], tuple):
            return self._functional_rule(t, a, bare)
        return self._index_rule(t, a, bare)

    def _index_rule(self, t: Tensor, a: Index, bare: bool) -> Steps:
        if not a:
            return t
        if not bare and t.n in self.terms:
            return (yield from self._of_terms(self.terms[t.n], a))
        own = self.own.get((t.n, a))
        for s in set(a):
            # What a source is computed from does not change with its own seed, though its partials may name it.
            if not self.moves(t, s):
                return own
        found = yield from self._of_operation(t, a)
        return found if own is None else own if found is None else own + found

    def _of_terms(self, known: Combination, a: Index) -> Steps:
        total = None
        for (n, b), c in known.terms.items():
            found = yield known.tensors[n], join(a, b), False
            total = plus(total, self.scaled(found, c))
        return total

    def _of_operation(self, t: Tensor, a: Index) -> Steps:
        node = t.node
        op = node.op
        if op.kind == "constant":
            return None
        if op.kind == "linear":
            return (yield from self.linear(t, a))
        if op.kind == "bilinear":
            return (yield from self.bilinear(t, a))
        if op.taylor is not None and node.outputs[0].nptype.kind != "c":
            same = op.taylor(tensors, *node.inputs, t, **node.attrs)
            if isinstance(same, tuple):
                return (yield from self.quotient(t, a, *same))
            # Of the first order, the partial is one factor for all directions.
            if same is not None and (len(a) > 1 or not op.partials):
                return (yield same, a, False)
        if op.partials and not to_real(node):
            return (yield from self.elementwise(t, ((a, 1.0),), None))
        if op.kind == "control":
            return (yield from self.control(t, a))
        return (yield from self.by_tangent(t, a))

    def _functional_rule(self, t: Tensor, terms: Functional, bare: bool) -> Steps:
        if not bare and t.n in self.terms:
            known = self.terms[t.n]
            grouped: dict[int, dict[Index, float]] = {}
            for (n, b), c in known.terms.items():
                for a, weight in terms:
                    group = grouped.setdefault(n, {})
                    index = join(a, b)
                    group[index] = group.get(index, 0.0) + c * weight
            total = None
            for n, group in grouped.items():
                total = plus(total, (yield known.tensors[n], tuple(sorted(group.items())), False))
            return total
        live = tuple((a, c) for a, c in terms if all(self.moves(t, s) for s in set(a)))
        total = None
        for a, c in terms:
            own = self.own.get((t.n, a))
            total = plus(total, self.scaled(own, c))
        if not live:
            return total
        if len(live) == 1 and not self.is_batched(live[0][0]):
            return plus(total, self.scaled((yield from self._of_operation(t, live[0][0])), live[0][1]))
        node = t.node
        op = node.op
        if op.kind == "linear":
            return plus(total, (yield from self.linear(t, live)))
        if op.kind == "bilinear":
            return plus(total, (yield from self.bilinear_functional(t, live)))
        same = None
        if op.taylor is not None and node.outputs[0].nptype.kind != "c":
            same = op.taylor(tensors, *node.inputs, t, **node.attrs)
            if same is not None and not isinstance(same, tuple):
                return plus(total, (yield same, live, False))
        if op.partials and same is None and not to_real(node):
            tops = []
            for u in node.inputs:
                tops.append((yield u, live, False))
            return plus(total, (yield from self.elementwise(t, live, tops)))
        for a, c in live:
            found = yield from self._of_operation(t, a)
            if found is not None and self.is_batched(a):
                found = apply(SUM, (found,), {"axis": (1,), "keepdims": False})
            total = plus(total, self.scaled(found, c))
        return total
