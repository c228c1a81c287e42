"""Coefficients as they are held: the seeds that they are by, and their shapes.

A coefficient has as many axes as its value, and size one along those where it is alike; along a batched seed it has one more,
the directions. What is computed of coefficients here is exact and linear: numbers, sums, products, broadcasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.derive.index import Combination, Index, Products
from wengert.derive.moves import Bounds, Moves
from wengert.graph.node import Node
from wengert.ground.shapes import is_full
from wengert.ground.types import Array
from wengert.ops import elementwise, linear
from wengert.ops.contraction import MATMUL
from wengert.ops.elementwise import CONJ, IMAGINARY_PART, NEGATIVE, REAL_PART
from wengert.ops.linear import (
    CAST,
    CONCAT,
    CONSTANT,
    EXPAND_DIMS,
    GETITEM,
    IDENTITY,
    MATRIX_TRANSPOSE,
    PAD,
    REVERSE,
    ROLL,
    SPLIT,
    STACK,
    TILE,
    TRANSPOSE,
    UNSTACK,
)
from wengert.ops.reduction import CUMSUM, MEAN, SUM
from wengert.ops.rows import Refused, row_axes
from wengert.tensor.tensor import Tensor, apply, convert

__all__ = ["Coefficients", "alone", "enter", "plus", "times"]

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


class Coefficients:
    """The seeds over one lowered list, and what is computed of their coefficients."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Take the list, which grows."""
        self.nodes = nodes
        self.own: dict[tuple[int, Index], Any] = {}
        """What a seed adds to its tensor."""
        self.sources: list[set[int]] = []
        self.stops: list[frozenset[int]] = []
        self.moved: list[Moves] = []
        self.bounds = Bounds()
        self.terms: dict[int, Combination] = {}
        """Values that are known to be coefficients: their derivatives are coefficients too."""
        self.batched: set[int] = set()
        """Seeds that stand for many directions; coefficients along them have an axis more, the second."""
        self.numbers: dict[Any, Any] = {}

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

    def depends(self, t: Any, seed: int) -> bool:
        """Whether a value changes with a seed."""
        moved = self.moved[seed]
        if t.node.index >= moved.upto:
            moved.advance(self.nodes, self.terms)
        return t.n in moved.columns

    def moves(self, t: Tensor, seed: int) -> bool:
        """Whether a value changes with a seed by what it is computed from."""
        return t.n not in self.sources[seed] and t.n not in self.stops[seed] and self.depends(t, seed)

    def whole(self, c: Any, t: Any) -> Any:
        """Return a coefficient of t in the shape of t."""
        if c.sizes == t.sizes and is_full(t.sizes):
            return c
        if c.__class__ is t.__class__ and c.root is t.root:
            return c
        if is_full(t.sizes):
            return apply(linear.BROADCAST_TO, (c,), {"shape": tuple(t.sizes)})
        return apply(linear.BROADCAST_LIKE, (c, t))

    def scaled(self, x: Tensor | None, c: float) -> Any:
        """Return c x; None stays None."""
        if x is None or c == 1.0:
            return x
        if c == -1.0:
            return -x
        number = self.numbers.get((c, x.nptype))
        if number is None:
            number = self.numbers[c, x.nptype] = convert(c, like=x)
        return apply(elementwise.MULTIPLY, (number, x))

    def weighted(self, sums: dict[tuple[float, bool], Any]) -> Any:
        """Return the sum of values by their factors; those marked are summed over the directions that they hold."""
        total = None
        inner: dict[bool, Any] = {}
        for (m, over), x in sorted(sums.items(), key=lambda item: item[0]):
            inner[over] = plus(inner.get(over), self.scaled(x, m))
        for over, x in inner.items():
            total = plus(total, apply(SUM, (x,), {"axis": (1,), "keepdims": False}) if over else x)
        return total

    def placed(self, c: Any, x: Array | None, t: Any) -> Any:
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

    def kept_axes(self, node: Node, moved: Sequence[Any], live: Sequence[int]) -> dict[int, frozenset[int]]:
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

    def spread(self, c: Tensor, x: Tensor, kept: frozenset[int]) -> Any:
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

    def zeros(self, x: Tensor, alike: frozenset[int]) -> Any:
        """Return zeros in the shape of x, but of size one along some axes."""
        sizes = None if x.sizes is None else tuple([1 if k in alike else s for k, s in enumerate(x.sizes)])
        return apply(linear.ZEROS_LIKE, (x,)) if not is_full(sizes) else self.filled(sizes, x)  # type: ignore[arg-type]

    def filled(self, sizes: tuple[int, ...], x: Tensor) -> Any:
        """Return zeros of a known shape, of the dtype of x."""
        zero = convert(x.nptype.type(0))
        return zero if sizes == () else apply(linear.FILL, (zero,), {"shape": sizes})

    def product_sum(self, node: Node, terms: Products) -> Any:
        """Return the sum of products by a bilinear operation."""
        sums: dict[tuple[float, bool], Any] = {}
        for m, p, q, over in terms.values():
            if node.op is elementwise.MULTIPLY:
                product = times(p, q)
            elif self.batched and len(p.sizes) == 3 and len(node.inputs[0].sizes) == 2:
                product = apply(node.op, (p, q), node.attrs)  # rows × directions × columns
            else:
                p, q = self._factor(node, 0, p), self._factor(node, 1, q)
                product = apply(node.op, (p, q), node.attrs)
            sums[m, over] = product if (m, over) not in sums else sums[m, over] + product
        return self.weighted(sums)

    def _factor(self, node: Node, i: int, c: Tensor) -> Any:
        """Return a coefficient of an input of a product: it may stay alike along the axes that are not summed over."""
        x = node.inputs[i]
        alike = frozenset() if c is x else _alike(c, x)
        if not alike:
            return c if c is x or alike is not None else self.whole(c, x)
        kept = []
        if node.op is MATMUL:
            kept = [k for k in alike if self._carries(node, [k if j == i else None for j in range(2)])]
        return self.spread(c, x, frozenset(kept))

    def is_batched(self, a: Index) -> bool:
        """Whether the coefficient at an index holds many directions, along its second axis."""
        return any(s in self.batched for s in a)

    def aligned(self, c: Tensor, b: Index, a: Index) -> Any:
        """Return the coefficient at b as a factor of one at a: with an axis of directions, if that has one."""
        if not self.batched or not self.is_batched(a) or self.is_batched(b) or c.sizes is None or len(c.sizes) < 2:
            return c
        return apply(linear.EXPAND_DIMS, (c,), {"axis": 1})

    def batched_linear(self, node: Node, moved: Sequence[Any], live: Sequence[int]) -> Any:
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
            part = moved[i] if i in live else self.filled(shape, x)
            parts.append(part if part.sizes == shape else apply(linear.BROADCAST_TO, (part,), {"shape": shape}))
        return apply(op, parts, {"axis": 2})


def _alike(c: Tensor, x: Tensor) -> frozenset[int] | None:
    """Return the axes along which a coefficient of x has size one and x has not; None where their ranks differ."""
    if c.sizes is None or x.sizes is None or len(c.sizes) != len(x.sizes):
        return None
    return frozenset([k for k, (p, q) in enumerate(zip(c.sizes, x.sizes, strict=True)) if p == 1 and q != 1])


def _unknown_beside(x: Tensor, axis: int) -> bool:
    return x.sizes is None or None in (*x.sizes[:axis], *x.sizes[axis + 1 :])


def enter(terms: Products, m: float, p: Any, q: Any, fold: bool = False, over: bool = False) -> None:
    """Enter the product m p q into a sum; the same product twice is one with twice the weight."""
    key = (min(p.n, q.n), max(p.n, q.n), over) if fold else (p.n, q.n, over)
    old = terms.get(key)
    terms[key] = (m if old is None else m + old[0], p, q, over)


def plus(a: Tensor | None, b: Tensor | None) -> Any:
    """Add what may be absent."""
    return b if a is None else a if b is None else apply(elementwise.ADD, (a, b)) if a.nptype == b.nptype else a + b


def times(p: Tensor, q: Tensor) -> Any:
    """Return p q; nothing is computed where one of them is ones, all in one place."""
    for one, other in ((p, q), (q, p)):
        node = one.node
        if node.op is CONSTANT and one.sizes is not None and all(s == 1 for s in one.sizes):
            if node.attrs["value"].reshape(()) == 1 and other.sizes is not None and len(one.sizes) <= len(other.sizes):
                return other
    return apply(elementwise.MULTIPLY, (p, q)) if p.nptype == q.nptype else p * q


def alone(t: Any) -> Any:
    """Return a copy of a value as a node that nothing else is merged with."""
    node = t.graph.append(linear.IDENTITY, (t,), {}, [(t.sizes, t.nptype)], None, None, ("alone", len(t.graph.nodes)))
    return node.outputs[0]
