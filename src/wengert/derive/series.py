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

import math
from collections.abc import Generator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from wengert.derive import forward
from wengert.derive.moves import Bounds, Moves
from wengert.graph.graph import Node
from wengert.ground.errors import UnimplementedError
from wengert.ground.shapes import is_full
from wengert.ops import elementwise, linear
from wengert.ops.contraction import MATMUL
from wengert.ops.control import CALL
from wengert.ops.elementwise import ADD, ADD_N, CONJ, IMAGINARY_PART, NEGATIVE, REAL_PART, SUBTRACT, WHERE
from wengert.ops.linear import (
    CAST,
    CONCAT,
    CONSTANT,
    ENSURE_SHAPE,
    EXPAND_DIMS,
    GETITEM,
    IDENTITY,
    MATRIX_TRANSPOSE,
    PAD,
    REVERSE,
    ROLL,
    SHAPED,
    SPLIT,
    STACK,
    TILE,
    TRANSPOSE,
    UNSTACK,
)
from wengert.ops.reduction import CUMSUM, MEAN, SUM
from wengert.ops.rows import Refused, row_axes
from wengert.ops.state import FED, READ
from wengert.tensor.tensor import apply, convert, tensors

__all__ = ["Combination", "Index", "Series", "plus", "series_reason"]

Index = tuple[int, ...]
Functional = tuple[tuple[Index, float], ...]
Key = tuple[int, Any, bool]
Request = tuple[Any, Any, bool]
"""(tensor, index or functional, whether to go by the tensor's own operation, whatever else is known of it)."""
Steps = Generator[Request, Any, Any]
Products = dict[tuple[int, int, bool], tuple[float, Any, Any, bool]]
"""Products to be summed: their factor, the two values, and whether the sum is over directions too."""


NARROW = frozenset(
    [
        NEGATIVE,
        IDENTITY,
        CAST,
        REAL_PART,
        IMAGINARY_PART,
        CONJ,
        GETITEM,
        TRANSPOSE,
        MATRIX_TRANSPOSE,
        EXPAND_DIMS,
        SPLIT,
        UNSTACK,
        CUMSUM,
        PAD,
        TILE,
        REVERSE,
        ROLL,
        SUM,
        MEAN,
        CONCAT,
        STACK,
    ]
)
"""Linear operations that take a coefficient of size one along an axis on which they do not work, as they stand."""


class Combination(NamedTuple):
    """A sum of coefficients: numbers by (tensor's number, index), and the tensors."""

    terms: dict[tuple[int, Index], float]
    tensors: dict[int, Any]


@cache
def splits(a: Index) -> tuple[tuple[Index, Index, float], ...]:
    """Return all (b, a - b, C(a, b)) with b ≤ a, from b = 0 on."""
    found: list[tuple[Index, Index, float]] = [((), (), 1.0)]
    for seed in sorted(set(a)):
        n = a.count(seed)
        found = [(b + (seed,) * k, c + (seed,) * (n - k), m * math.comb(n, k)) for b, c, m in found for k in range(n + 1)]
    return tuple(sorted(found, key=lambda item: (len(item[0]), item[0])))


@cache
def join(a: Index, b: Index) -> Index:
    """Return the index that is the sum of two."""
    return tuple(sorted(a + b))


@cache
def lowered_by(a: Index) -> tuple[int, Index]:
    """Return a seed of the index, that with the lowest order, and the index with one order less of it."""
    seed = min(set(a), key=lambda s: (a.count(s), s))
    at = a.index(seed)
    return seed, a[:at] + a[at + 1 :]


def series_reason(op: Any) -> str | None:
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


class Series:
    """The coefficients over one lowered list."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Take the list, which grows."""
        self.nodes = nodes
        self.own: dict[tuple[int, Index], Any] = {}
        """What a seed adds to its tensor."""
        self.sources: list[set[int]] = []
        self.stops: list[frozenset[int]] = []
        self.moved: list[Moves] = []
        self.bounds = Bounds()
        self.memo: dict[Key, Any] = {}
        self.tangents: dict[Any, Any] = {}
        self.controls: dict[Any, Any] = {}
        self.terms: dict[int, Combination] = {}
        """Values that are known to be coefficients: their derivatives are coefficients too."""
        self.made: dict[int, tuple[Any, Any]] = {}
        """Values that are coefficients of an elementwise operation: its output, and the index or functional."""
        self.batched: set[int] = set()
        """Seeds that stand for many directions; coefficients along them have an axis more, the second."""
        self.ceiling: Index = ()
        self.numbers: dict[Any, Any] = {}
        self.partials: dict[tuple[int, int], Any] = {}

    def seed(
        self, own: dict[tuple[int, Index], Any], stops: frozenset[int], count: int = 1, columns: dict[int, Any] | None = None
    ) -> int:
        """Enter seeds; return the number of the first.

        ``own``: the coefficients that they give to their tensors, by (number, index), where the index counts these seeds
        from 0. ``columns``: by number, which columns of the tensors these move; all, where it is not said.
        """
        first = len(self.sources)
        for k in range(count):
            self.sources.append({n for n, a in own if k in a})
            self.stops.append(stops)
            known = columns or {}
            self.moved.append(Moves({n: known.get(n) for n in self.sources[-1]}, stops, self.bounds))
        for (n, a), t in own.items():
            self.own[n, tuple(s + first for s in a)] = t
        return first

    # --- what users of a series ask ------------------------------------------------------------------------------

    def coefficient(self, t: Any, a: Index) -> Any:
        """Return the coefficient at an index, in one row where all rows are alike; None if it is zero."""
        return self._run((t, a, False))

    def part(self, h: Any, a: Index) -> Any:
        """Return the coefficient of a partial derivative: an expression of which its own form alone is used."""
        return self._run((h, a, True))

    def functional(self, t: Any, terms: Functional) -> Any:
        """Return a sum of coefficients of one value."""
        if len(terms) == 1 and not self.is_batched(terms[0][0]):
            a, c = terms[0]
            return self.scaled(self.coefficient(t, a), c)
        return self._run((t, terms, False))

    def whole(self, c: Any, t: Any) -> Any:
        """Return a coefficient of t in the shape of t."""
        if c.sizes == t.sizes and is_full(t.sizes):
            return c
        if c.__class__ is t.__class__ and c.root is t.root:
            return c
        if is_full(t.sizes):
            return apply(linear.BROADCAST_TO, (c,), {"shape": tuple(t.sizes)})
        return apply(linear.BROADCAST_LIKE, (c, t))

    def scaled(self, x: Any, c: float) -> Any:
        """Return c x; None stays None."""
        if x is None or c == 1.0:
            return x
        if c == -1.0:
            return -x
        number = self.numbers.get((c, x.nptype))
        if number is None:
            number = self.numbers[c, x.nptype] = convert(c, like=x)
        return apply(elementwise.MULTIPLY, (number, x))

    def depends(self, t: Any, seed: int) -> bool:
        """Whether a value changes with a seed."""
        moved = self.moved[seed]
        if t.node.index >= moved.upto:
            moved.advance(self.nodes, self.terms)
        return t.n in moved.columns

    def moves(self, t: Any, seed: int) -> bool:
        """Whether a value changes with a seed by what it is computed from."""
        return t.n not in self.sources[seed] and t.n not in self.stops[seed] and self.depends(t, seed)

    # --- evaluation without recursion ---------------------------------------------------------------------------

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

    def _index_rule(self, t: Any, a: Index, bare: bool) -> Steps:
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

    def _of_operation(self, t: Any, a: Index) -> Steps:
        node = t.node
        op = node.op
        if op.kind == "constant":
            return None
        if op.kind == "linear":
            return (yield from self._linear(t, a))
        if op.kind == "bilinear":
            return (yield from self._bilinear(t, a))
        if op.taylor is not None and node.outputs[0].nptype.kind != "c":
            same = op.taylor(tensors, *node.inputs, t, **node.attrs)
            if isinstance(same, tuple):
                return (yield from self._quotient(t, a, *same))
            # Of the first order, the partial is one factor for all directions.
            if same is not None and (len(a) > 1 or not op.partials):
                return (yield same, a, False)
        if op.partials and not _complex(node):
            return (yield from self._elementwise(t, ((a, 1.0),), None))
        if op.kind == "control":
            return (yield from self._control(t, a))
        return (yield from self._by_tangent(t, a))

    # --- rules -----------------------------------------------------------------------------------------------------

    def _linear(self, t: Any, a: Any) -> Steps:
        """Apply the operation to the coefficients of its inputs; the same for a functional."""
        node = t.node
        op = node.op
        if t.nptype.kind not in "fc":  # a cast to an integer
            return None
        moved: list[Any] = []
        for i, x in enumerate(node.inputs):
            if i in op.constant_inputs or x.nptype.kind not in "fc":
                moved.append(None)
            else:
                moved.append((yield x, a, False))
        live = [i for i, m in enumerate(moved) if m is not None]
        if not live:
            return None
        if op in (READ, IDENTITY, SHAPED, ENSURE_SHAPE, FED):
            return moved[0]
        batched = bool(self.batched) and a and not isinstance(a[0], tuple) and self.is_batched(a)
        if batched and op not in (ADD, ADD_N, SUBTRACT):
            return self._batched_linear(node, moved, live)
        if op in (ADD, ADD_N):
            total = None
            for i in live:
                total = plus(total, self._placed(moved[i], node.inputs[i], t))
            return total
        if op is SUBTRACT:
            parts: list[Any] = [None if m is None else self._placed(m, x, t) for m, x in zip(moved, node.inputs, strict=True)]
            if parts[0] is None or parts[1] is None:
                return parts[0] if parts[1] is None else -parts[1]
            return parts[0] - parts[1]
        if op is WHERE:
            filled = [convert(t.nptype.type(0)) if m is None else m for m in moved[1:]]
            return self._placed(apply(op, (node.inputs[0], *filled)), t, t)
        kept = self._kept(node, moved, live)
        inputs = []
        for i, x in enumerate(node.inputs):
            if moved[i] is not None:
                inputs.append(self._spread(moved[i], x, kept[i]))
            elif i in op.constant_inputs or x.nptype.kind not in "fc":
                inputs.append(x)
            else:
                inputs.append(self._zeros(x, kept[live[0]]))
        found = apply(op, inputs, node.attrs)
        return found if op.outputs == 1 else found[t.index]

    def _placed(self, c: Any, x: Any, t: Any) -> Any:
        """Return a coefficient of the input x as a part of one of t: with as many axes, broadcast but for the rows."""
        if self.batched and c.sizes is not None and t.sizes is not None and len(c.sizes) == 3 and len(t.sizes) == 2:
            if c.sizes[2] != t.sizes[1]:
                c = apply(linear.BROADCAST_TO, (c,), {"shape": (*c.sizes[:2], t.sizes[1])})
            return c
        if c.sizes is None or t.sizes is None or len(c.sizes) > len(t.sizes):
            return self.whole(c, t)
        for _ in range(len(t.sizes) - len(c.sizes)):
            c = apply(linear.EXPAND_DIMS, (c,), {"axis": 0})
        return c

    def _kept(self, node: Node, moved: Sequence[Any], live: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return for each moving input the axes along which its coefficient may stay alike while the operation is applied.

        They are those of which the operation's rule for rows says where they go, the same for all inputs that move.
        """
        none = dict.fromkeys(live, frozenset[int]())
        if node.op not in NARROW or any(_alike(moved[i], node.inputs[i]) is None for i in live):
            return none
        found = none
        first = live[0]
        for axis in _alike(moved[first], node.inputs[first]) or ():
            axes: list[int | None] = [None] * len(node.inputs)
            for i in live:
                # Where several inputs move, they have one rank (concat, stack).
                if axis in (_alike(moved[i], node.inputs[i]) or ()):
                    axes[i] = axis
            if any(axes[i] is None for i in live) or not self._carries(node, axes):
                continue
            if len(node.inputs) > 1 and any(_unknown_beside(x, axis) for x in node.inputs):
                continue
            found = {i: kept | {axis} for i, kept in found.items()}
        return found

    def _carries(self, node: Node, axes: Sequence[int | None]) -> bool:
        """Whether an operation works on each place along an axis alone."""
        try:
            row_axes(node, axes)
        except Refused:
            return False
        return True

    def _spread(self, c: Any, x: Any, kept: frozenset[int]) -> Any:
        """Return a coefficient of x in the shape of x, but for the axes kept, along which it may have size one."""
        alike = _alike(c, x)
        if alike is None:
            return self.whole(c, x)
        if alike <= kept:
            return c
        if not alike & kept:
            return self.whole(c, x)
        shape = tuple([1 if k in alike & kept else s for k, s in enumerate(x.sizes)])
        return self.whole(c, x) if None in shape else apply(linear.BROADCAST_TO, (c,), {"shape": shape})

    def _zeros(self, x: Any, alike: frozenset[int]) -> Any:
        """Return zeros in the shape of x, but of size one along some axes."""
        sizes = None if x.sizes is None else tuple([1 if k in alike else s for k, s in enumerate(x.sizes)])
        return apply(linear.ZEROS_LIKE, (x,)) if not is_full(sizes) else self._filled(sizes, x)  # type: ignore[arg-type]

    def _filled(self, sizes: tuple[int, ...], x: Any) -> Any:
        zero = convert(x.nptype.type(0))
        return zero if sizes == () else apply(linear.FILL, (zero,), {"shape": sizes})

    def _bilinear(self, t: Any, a: Index) -> Steps:
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
                _enter(terms, m, p, q, u is w and node.op is elementwise.MULTIPLY)
        return self._moving(t, ((a, 1.0),), self._product_sum(node, terms))

    def _product_sum(self, node: Node, terms: Products) -> Any:
        """Return the sum of products by a bilinear operation."""
        sums: dict[tuple[float, bool], Any] = {}
        for m, p, q, over in terms.values():
            if node.op is elementwise.MULTIPLY:
                product = _times(p, q)
            elif self.batched and len(p.sizes) == 3 and len(node.inputs[0].sizes) == 2:
                product = apply(node.op, (p, q), node.attrs)  # rows × directions × columns
            else:
                p, q = self._factor(node, 0, p), self._factor(node, 1, q)
                product = apply(node.op, (p, q), node.attrs)
            sums[m, over] = product if (m, over) not in sums else sums[m, over] + product
        return self.weighted(sums)

    def _factor(self, node: Node, i: int, c: Any) -> Any:
        """Return a coefficient of an input of a product: it may stay alike along the axes that are not summed over."""
        x = node.inputs[i]
        alike = frozenset() if c is x else _alike(c, x)
        if not alike:
            return c if c is x or alike is not None else self.whole(c, x)
        kept = []
        if node.op is MATMUL:
            kept = [k for k in alike if self._carries(node, [k if j == i else None for j in range(2)])]
        return self._spread(c, x, frozenset(kept))

    def weighted(self, sums: dict[tuple[float, bool], Any]) -> Any:
        """Return the sum of values by their factors; those marked are summed over the directions that they hold."""
        total = None
        inner: dict[bool, Any] = {}
        for (m, over), x in sorted(sums.items(), key=lambda item: item[0]):
            inner[over] = plus(inner.get(over), self.scaled(x, m))
        for over, x in inner.items():
            total = plus(total, apply(SUM, (x,), {"axis": (1,), "keepdims": False}) if over else x)
        return total

    # --- many directions in one array ------------------------------------------------------------------------------

    def is_batched(self, a: Index) -> bool:
        """Whether the coefficient at an index holds many directions, along its second axis."""
        return any(s in self.batched for s in a)

    def aligned(self, c: Any, b: Index, a: Index) -> Any:
        """Return the coefficient at b as a factor of one at a: with an axis of directions, if that has one."""
        if not self.batched or not self.is_batched(a) or self.is_batched(b) or c.sizes is None or len(c.sizes) < 2:
            return c
        return apply(linear.EXPAND_DIMS, (c,), {"axis": 1})

    def _batched_linear(self, node: Node, moved: Sequence[Any], live: Sequence[int]) -> Any:
        """Apply a linear operation on rows to coefficients that hold many directions: rows × directions × columns."""
        op, attrs = node.op, node.attrs
        first = moved[live[0]]
        if op in (NEGATIVE, CAST):
            return apply(op, (first,), attrs)
        if op is GETITEM:
            index = attrs["index"]
            return apply(op, (first,), {"index": (index[0], slice(None), *index[1:])})
        if op in (SUM, MEAN):
            return apply(op, (first,), {"axis": (2,), "keepdims": True})
        assert op is CONCAT, op.name
        rows = max((moved[i].sizes[0] for i in live), key=lambda r: r != 1)
        parts = []
        for i, x in enumerate(node.inputs):
            shape = (rows, first.sizes[1], x.sizes[1])
            part = moved[i] if i in live else self._filled(shape, x)
            parts.append(part if part.sizes == shape else apply(linear.BROADCAST_TO, (part,), {"shape": shape}))
        return apply(op, parts, {"axis": 2})

    def _elementwise(self, t: Any, terms: Functional, tops: Any) -> Steps:
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
                _enter(flat, 1.0, self.aligned(h, (), terms[0][0]) if tops is None else h, top)
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
                        _enter(bends, weight, p, q, True, self.is_batched(a))
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
                            _enter(flat, m * weight, self.aligned(q, b, a), self.aligned(p, e, a), False, over)
            if bends:
                sums: dict[tuple[float, bool], Any] = {}
                for m, p, q, over in bends.values():
                    sums[m, over] = plus(sums.get((m, over)), _times(p, q))
                _enter(flat, 1.0, slope, self.weighted(sums))
        sums = {}
        for m, p, q, over in flat.values():
            sums[m, over] = plus(sums.get((m, over)), _times(p, q))
        found = plus(first, self.weighted(sums))
        if found is None:
            return None
        return self._enter_made(t, terms[0][0] if tops is None else terms, self._placed(found, t, t), before, terms)

    def _enter_made(self, t: Any, key: Any, found: Any, before: int, terms: Functional) -> Any:
        """Note that a new value is a coefficient of an elementwise operation."""
        moving = self._moving(t, terms, found)
        if moving is found and found.node.index >= before and t.node.op.kind == "elementwise" and not t.node.op.stated:
            self.made.setdefault(found.n, (t, key))
        return moving

    def _moving(self, t: Any, terms: Functional, c: Any) -> Any:
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

    def _quotient(self, t: Any, a: Index, p: Any, q: Any) -> Steps:
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
                        _enter(terms, m, self.aligned(v, b, a), self.aligned(w, c, a))
        sums: dict[tuple[float, bool], Any] = {}
        for m, v, w, over in terms.values():
            sums[m, over] = plus(sums.get((m, over)), _times(v, w))
        rest = self.weighted(sums)
        if rest is not None:
            total = -rest if total is None else total - rest
        if total is None:
            return None
        return self._enter_made(t, a, self._placed(total / self.aligned(q, (), a), t, t), before, ((a, 1.0),))

    def _by_tangent(self, t: Any, a: Index) -> Steps:
        """v_e is the tangent, an expression in u_e whose derivatives are known; v_a is the coefficient at a - e of it."""
        node = t.node
        seed, less = lowered_by(a)
        key = (node, seed)
        if key not in self.tangents:
            tangents = []
            for i, x in enumerate(node.inputs):
                moved = None
                if i not in node.op.constant_inputs and x.nptype.kind in "fc":
                    moved = yield x, (seed,), False
                    if moved is not None:
                        moved = self.whole(moved, x)
                        # A node of its own, so that what is known of it is known of nothing else.
                        moved = _alone(moved)
                        self.terms[moved.n] = Combination({(x.n, (seed,)): 1.0}, {x.n: x})
                tangents.append(moved)
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

    def _control(self, t: Any, a: Index) -> Steps:
        """A choice or a loop: one that carries the coefficients up to a greatest index beside the values."""
        node = t.node
        top = self.ceiling if set(a) <= set(self.ceiling) and _within(a, self.ceiling) else a
        indices = [b for b, _, _ in splits(top)]
        key = (node, top)
        if key not in self.controls:
            moved: list[list[Any]] = []
            for i, x in enumerate(node.inputs):
                row = [x]
                for b in indices[1:]:
                    c = None
                    if i not in node.op.constant_inputs and x.nptype.kind in "fc":
                        c = yield x, b, False
                    row.append(None if c is None else self.whole(c, x))
                moved.append(row)
            self.controls[key] = node.op.series(tensors, moved, indices, node)
        return self.controls[key].get((t.index, a))

    # --- functionals -----------------------------------------------------------------------------------------------

    def _functional_rule(self, t: Any, terms: Functional, bare: bool) -> Steps:
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
            return plus(total, (yield from self._linear(t, live)))
        if op.kind == "bilinear":
            return plus(total, (yield from self._bilinear_functional(t, live)))
        same = None
        if op.taylor is not None and node.outputs[0].nptype.kind != "c":
            same = op.taylor(tensors, *node.inputs, t, **node.attrs)
            if same is not None and not isinstance(same, tuple):
                return plus(total, (yield same, live, False))
        if op.partials and same is None and not _complex(node):
            tops = []
            for u in node.inputs:
                tops.append((yield u, live, False))
            return plus(total, (yield from self._elementwise(t, live, tops)))
        for a, c in live:
            found = yield from self._of_operation(t, a)
            if found is not None and self.is_batched(a):
                found = apply(SUM, (found,), {"axis": (1,), "keepdims": False})
            total = plus(total, self.scaled(found, c))
        return total

    def _bilinear_functional(self, t: Any, live: Functional) -> Steps:
        node = t.node
        u, w = node.inputs
        fold = u is w and node.op is elementwise.MULTIPLY
        terms: Products = {}
        left = yield u, live, False
        if left is not None:
            _enter(terms, 1.0, left, w, fold)
        right = yield w, live, False
        if right is not None:
            _enter(terms, 1.0, u, right, fold)
        for a, weight in live:
            for b, c, m in splits(a):
                if b and c:
                    p = yield u, b, False
                    if p is None:
                        continue
                    q = yield w, c, False
                    if q is not None:
                        p, q = self.aligned(p, b, a), self.aligned(q, c, a)
                        _enter(terms, m * weight, p, q, fold, self.is_batched(a))
        return self._moving(t, live, self._product_sum(node, terms))


def _alike(c: Any, x: Any) -> frozenset[int] | None:
    """Return the axes along which a coefficient of x has size one and x has not; None where their ranks differ."""
    if c.sizes is None or x.sizes is None or len(c.sizes) != len(x.sizes):
        return None
    return frozenset([k for k, (p, q) in enumerate(zip(c.sizes, x.sizes, strict=True)) if p == 1 and q != 1])


def _unknown_beside(x: Any, axis: int) -> bool:
    return x.sizes is None or None in (*x.sizes[:axis], *x.sizes[axis + 1 :])


def _enter(terms: Products, m: float, p: Any, q: Any, fold: bool = False, over: bool = False) -> None:
    """Enter the product m p q into a sum; the same product twice is one with twice the weight."""
    key = (min(p.n, q.n), max(p.n, q.n), over) if fold else (p.n, q.n, over)
    old = terms.get(key)
    terms[key] = (m if old is None else m + old[0], p, q, over)


def plus(a: Any, b: Any) -> Any:
    """Add what may be absent."""
    return b if a is None else a if b is None else apply(elementwise.ADD, (a, b)) if a.nptype == b.nptype else a + b


def _times(p: Any, q: Any) -> Any:
    """Return p q; nothing is computed where one of them is ones, all in one place."""
    for one, other in ((p, q), (q, p)):
        node = one.node
        if node.op is CONSTANT and one.sizes is not None and all(s == 1 for s in one.sizes):
            if node.attrs["value"].reshape(()) == 1 and other.sizes is not None and len(one.sizes) <= len(other.sizes):
                return other
    return apply(elementwise.MULTIPLY, (p, q)) if p.nptype == q.nptype else p * q


def _slope(h: Any, u: Any) -> Any:
    """Return the derivative by u of an expression that is a function of u by one operation; None if it is not."""
    node, negative = h.node, False
    while node.op is elementwise.NEGATIVE:
        node, negative = node.inputs[0].node, not negative
    if len(node.inputs) != 1 or node.inputs[0] is not u or node.op.kind != "elementwise" or node.op.stated:
        return None
    found = node.op.partials[0](tensors, u, node.outputs[0], **node.attrs)
    return -found if negative else found


def _is_zero(h: Any) -> bool:
    """Whether an expression is zero by its form."""
    node = h.node
    if node.op is linear.ZEROS_LIKE:
        return True
    if node.op is elementwise.MULTIPLY:
        return any(t.node.op is CONSTANT and not t.node.attrs["value"].any() for t in node.inputs)
    return node.op is CONSTANT and not node.attrs["value"].any()


def _complex(node: Node) -> bool:
    """Whether an operation takes complex numbers to real ones: such a partial is not a factor."""
    return any(t.nptype.kind == "c" for t in node.inputs) and node.outputs[0].nptype.kind != "c"


def _alone(t: Any) -> Any:
    """Return a copy of a value as a node that nothing else is merged with."""
    node = t.graph.append(linear.IDENTITY, (t,), {}, [(t.sizes, t.nptype)], None, None, ("alone", len(t.graph.nodes)))
    return node.outputs[0]


def _within(a: Index, b: Index) -> bool:
    return all(a.count(s) <= b.count(s) for s in set(a))


def unsupported(op: Any) -> UnimplementedError:
    """Return the error for an operation without a series."""
    return UnimplementedError(series_reason(op) or f"{op.name} has no series")
