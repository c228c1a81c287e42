r"""Which derivatives there are, decided from structure alone.

A value is seen as a polynomial-like object in small changes of some tensors (the seeds): the set of orders (a
multi-index, one number for each seed) at which its Taylor series can have a coefficient. Constants have {0}; a linear
operation has the union of its inputs' sets; a bilinear one their sums; an elementwise one v = φ(u) the set {0} ∪ Σ k (u \ 0)
over the orders k of φ itself, which are those of its stated derivatives, one more. A gradient by x has the set of y, one order
of x less. So the second derivative of a linear function is known to be absent, and of x * x the third, before anything is
computed: what TensorFlow's expansion of the gradient would find.

A set is kept as a union of boxes, all orders between two multi-indices: that of exp(u) is one box, whatever the orders. One walk
over a list answers for all xs, and a list within nested gradients is walked once for each order of each seed that is asked of
it; so deciding about k nested gradients takes a number of steps that is polynomial in k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from wengert.derive import forward, reverse
from wengert.derive.questions import GRADIENT, split_gradient
from wengert.derive.reverse import located, rule
from wengert.graph.node import Node
from wengert.ground.context import state
from wengert.ground.errors import OpError
from wengert.ground.locks import lock
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.op import Op
from wengert.tensor.tensor import Graph, SymbolicTensor, tensors

__all__ = ["ancestors", "connected", "forget", "freeze", "traced"]

Index = tuple[int, ...]


class Box(NamedTuple):
    """All orders from ``low`` to ``high``.

    Axis 0 is the order in the xs that a question is about, one at most in all of them, and ``which`` says in which of them.
    """

    low: Index
    high: Index
    which: int = 0

    def within(self, other: Box) -> bool:
        """Whether another box has all of this one's orders."""
        return (
            all([a >= b for a, b in zip(self.low, other.low, strict=True)])
            and all([a <= b for a, b in zip(self.high, other.high, strict=True)])
            and not self.which & ~other.which
        )


Orders = tuple[Box, ...]
"""A set that has the order zero: boxes of which none is within another, sorted."""


def ancestors(
    outputs: Iterable[Any], stops: frozenset[int] = frozenset(), inputs: Callable[[Node], Iterable[Any]] | None = None
) -> list[Node]:
    """Return the nodes that the tensors are computed from, in order; not looking behind the stops.

    ``inputs``: which tensors of a node to follow, all that it reads if not given.
    """
    seen: set[Node] = set()
    pending = [t for t in outputs if t.n not in stops]
    found: list[Node] = []
    while pending:
        node = pending.pop().node
        if node not in seen:
            seen.add(node)
            found.append(node)
            pending.extend([t for t in (node.inputs if inputs is None else inputs(node)) if t.n not in stops])
    found.sort(key=lambda node: node.index)
    return found


def connected(ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int]) -> list[bool]:
    """Return for each x whether the sum of ys has a derivative by it."""
    question = _Question(ys, (), _Asked({n: 1 << k for k, n in enumerate(dict.fromkeys([x.n for x in xs]))}, stops))
    nodes = question.nodes
    _check_stated(nodes, ys, xs, stops)
    if not any(node.op is GRADIENT for node in nodes):
        reached = {y.n for y in ys}
        for node in reversed(nodes):
            if any(o.n in reached and o.n not in stops for o in node.outputs):
                reached.update([node.inputs[i].n for i in node.op.passes(node.inputs, node.outputs)])
        return [x.n in reached for x in xs]
    found = 0
    for orders in _answer(question):
        for box in orders:
            found |= box.which
    return [bool(found & question.asked.bits[x.n]) for x in xs]


def _check_stated(nodes: Sequence[Node], ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int]) -> None:
    """Check that no way from an x to a y passes through a derivative that is not stated.

    Of the ways through another gradient, it is seen when that is lowered.

    Raises:
        NoGradientError: with the operation and its line.
    """
    if all(node.op.complete for node in nodes):
        return
    nodes = [node for node in nodes if node.op is not GRADIENT]
    changing = {x.n for x in xs}
    for node in nodes:
        if any(node.inputs[i].n in changing for i in node.op.passes(node.inputs, node.outputs)):
            changing.update([o.n for o in node.outputs if o.n not in stops])
    asked = {y.n for y in ys}
    for node in reversed(nodes):
        if any(o.n in asked and o.n not in stops for o in node.outputs):
            for i in node.op.passes(node.inputs, node.outputs):
                if node.inputs[i].n in changing and not node.op.states(i):
                    raise located(node.op.unstated(i), node.outputs[0])
            asked.update([node.inputs[i].n for i in node.op.passes(node.inputs, node.outputs)])


# --- sets of orders ---------------------------------------------------------------------------------------------------


class _Space:
    """The sets of orders up to a greatest one along each axis."""

    def __init__(self, caps: Index) -> None:
        self.caps = caps
        self.total = sum(caps)
        self.zero: Orders = (Box((0,) * len(caps), (0,) * len(caps)),)

    def unit(self, at: int, which: int = 0) -> Orders:
        """Return {0, 1} along an axis."""
        return (Box(self.zero[0].low, tuple([int(i == at) for i in range(len(self.caps))]), which),)

    def union(self, sets: Iterable[Orders]) -> Orders:
        """Return the union."""
        found: dict[tuple[Index, Index], int] = {}
        for orders in sets:
            for low, high, which in orders:
                found[low, high] = found.get((low, high), 0) | which
        boxes = [Box(low, high, which) for (low, high), which in found.items()]
        if len(boxes) > 1:
            boxes = [b for b in boxes if not any(b is not c and b.within(c) for c in boxes)]
        return tuple(sorted(boxes))

    def plus(self, a: Orders, b: Orders) -> Orders:
        """Return the sums of one order of each."""
        if a == self.zero:
            return b
        if b == self.zero:
            return a
        return self.union([tuple([box for p in a for q in b if (box := self._sum(p, q)) is not None])])

    def _sum(self, p: Box, q: Box) -> Box | None:
        low = tuple([i + j for i, j in zip(p.low, q.low, strict=True)])
        if any([i > cap for i, cap in zip(low, self.caps, strict=True)]):
            return None
        high = tuple([i + j if i + j < cap else cap for i, j, cap in zip(p.high, q.high, self.caps, strict=True)])
        # Where one has order one in an x in any case, the other has none.
        return Box(low, high, p.which if p.low[0] else q.which if q.low[0] else p.which | q.which)

    def times(self, count: int, a: Orders) -> Orders:
        """Return the sums of so many orders of a set, each any of it."""
        if count >= self.total and not any(any(box.low) for box in a):
            high = tuple([cap if any(box.high[i] for box in a) else 0 for i, cap in enumerate(self.caps)])
            return (Box(self.zero[0].low, high, reduce(int.__or__, [box.which for box in a])),)
        total = self.zero
        while count:
            if count & 1:
                total = self.plus(total, a)
            count >>= 1
            if count:
                a = self.plus(a, a)
        return total

    def moved(self, a: Orders, first: int = 0) -> Orders:
        """Return the set without the order zero, along the axes from the first on."""
        found = []
        for box in a:
            if any(box.low[first:]):
                found.append(box)
            else:
                for i, high in enumerate(box.high):
                    if high and i >= first:
                        found.append(box._replace(low=(*box.low[:i], 1, *box.low[i + 1 :])))
        return tuple(found)

    def compose(self, own: Orders, inputs: Sequence[Orders]) -> Orders:
        """Return the orders of φ(u) from those of φ in its inputs and those of the inputs u."""
        found = [self.zero]
        for box in own:
            total = self.zero
            for low, high, u in zip(box.low, box.high, inputs, strict=True):
                if low:
                    total = self.plus(total, self.times(low, self.moved(u))) if u != self.zero else ()
                if high > low:
                    total = self.plus(total, self.times(high - low, u))
            found.append(total)
        return self.union(found)

    def of(self, node: Node, inputs: Sequence[Orders], depth: int | None = None) -> Orders:
        """Return the orders of an operation's outputs from those of its inputs; ``depth``: the greatest sum that matters."""
        op, live = node.op, node.op.passes(node.inputs, node.outputs)
        moving = [inputs[i] for i in live if inputs[i] != self.zero]
        if not moving:
            return self.zero
        if op.partials:
            return self.compose(_own(op, node.attrs, _complexes(node), self._depth(node) if depth is None else depth), inputs)
        if op.kind in ("linear", "piecewise"):
            return self.union(moving)
        if op.kind == "bilinear":
            return self.plus(inputs[0], inputs[1])
        straight = [inputs[i] for i in op.linear_inputs if inputs[i] != self.zero]
        bent = [inputs[i] for i in live if i not in op.linear_inputs and inputs[i] != self.zero]
        factor = self.times(self.total, self.union(bent)) if bent else self.zero
        return self.plus(self.union(straight), factor) if straight else factor

    def naming(self, node: Node, inputs: Sequence[Orders], orders: Orders) -> Orders:
        r"""Return the orders of an elementwise operation's output that changes by itself too, being differentiated by.

        Of exp(u), which is v, the derivative v du changes with v: a partial names the output that there is. The least set with
        v = orders ∪ (h(u, v) ⊕ (u \ 0)), h being the partials that name v. A derivative by v meets them where it is taken of a
        derivative by what u is made of, not the other way round; the xs asked for, on axis 0, are the last to be differentiated
        by, so the changes of u that count are those along the other axes.
        """
        naming = []
        for i in node.op.passes(node.inputs, node.outputs):
            nodes, leaves, result = traced(node.op, node.attrs, _complexes(node), i)
            if inputs[i] != self.zero and leaves[-1].node in ancestors([result]):
                naming.append((i, [inner for inner in nodes if inner.op is not PLACEHOLDER], leaves, result))
        before = None
        while orders != before:
            before = orders
            for i, nodes, leaves, result in naming:
                sets = dict(zip([t.n for t in leaves], [*inputs, orders], strict=True))
                for inner in nodes:
                    own = self.of(inner, [sets.get(t.n, self.zero) for t in inner.inputs])
                    sets.update([(t.n, own) for t in inner.outputs])
                slope = sets.get(result.n, self.zero)
                orders = self.union([orders, self.plus(slope, self.moved(inputs[i], 1))])
        return orders

    def naming_others(self, node: Node, inputs: Sequence[Orders], found: list[Orders]) -> list[Orders]:
        """Return the orders of the outputs of an operation without partials, of which some are differentiated by.

        Its rule may be written with outputs (that of an inverse is); in those the derivative may be of any order.
        """
        named = _named(node)
        moving = self.union([self.moved(u, 1) for u in inputs if u != self.zero])
        before: list[Orders] = []
        while found != before:
            before = found
            found = [
                self.union([own, self.plus(self.times(self.total, self.union([*[before[k] for k in ks], *inputs])), moving)])
                if ks else own
                for own, ks in zip(before, named, strict=True)
            ]  # fmt: skip
        return found

    def _depth(self, node: Node) -> int:
        # One more for each further input: so that a box ends beyond what matters along each of them.
        return self.total + len(node.inputs) - 1


# --- the orders of an elementwise operation in its own inputs -----------------------------------------------------------

_partials: dict[Any, Any] = {}
_naming: dict[Any, list[list[int]]] = {}
_orders: dict[Any, list[Orders]] = {}
_growing = lock()


def forget() -> None:
    """Forget what was derived from the statements of operations, which have changed."""
    reverse.forget()
    forward.forget()
    _partials.clear()
    _naming.clear()
    _orders.clear()


def _complexes(node: Node) -> tuple[bool, ...]:
    return tuple([t.nptype.kind == "c" for t in (*node.inputs, node.outputs[0])])


def _own(op: Op, attrs: dict[str, Any], complexes: tuple[bool, ...], depth: int) -> Orders:
    """Return the orders of an operation in its inputs, all those with a sum up to ``depth``.

    Those with a sum up to n come from the orders of its partials with a sum up to n - 1. So a chain of partials that never
    closes (x ** -1, x ** -2, ...) is followed as deep as the orders asked for.
    """
    pending = [(op, attrs, complexes, depth)]
    while pending:
        one, its, kinds, n = pending[-1]
        known = _orders.setdefault((one, freeze(its), kinds), [])
        if len(known) > n:
            pending.pop()
            continue
        n = len(known)
        if n:
            partials = [traced(one, its, kinds, i) for i, p in enumerate(one.partials) if p is not None]
            left = [
                (node.op, node.attrs, _complexes(node), n - 1)
                for nodes, _, _ in partials
                for node in nodes
                if node.op.partials and len(_orders.get((node.op, freeze(node.attrs), _complexes(node)), ())) < n
            ]
            if left:
                pending += left
                continue
        found = _next(one, its, kinds, n, known)
        with _growing:  # another thread may have come to the same place
            if len(known) == n:
                known.append(found)
    return _orders[op, freeze(attrs), complexes][depth]


def _next(op: Op, attrs: dict[str, Any], complexes: tuple[bool, ...], n: int, known: list[Orders]) -> Orders:
    """Return the orders with a sum up to n, those up to n - 1 being known."""
    count = len(op.partials)
    if not n:
        return _Space((0,) * count).zero
    inner, outer = _Space((n - 1,) * count), _Space((n,) * count)
    found = list(outer.zero)
    for i, partial in enumerate(op.partials):
        if partial is not None:
            nodes, leaves, result = traced(op, attrs, complexes, i)
            sets = {t.n: inner.unit(k) if n > 1 else inner.zero for k, t in enumerate(leaves[:-1])}
            sets[leaves[-1].n] = known[n - 1]
            for node in nodes:
                if node.op is not PLACEHOLDER:
                    orders = inner.of(node, [sets.get(t.n, inner.zero) for t in node.inputs], n - 1)
                    sets.update([(t.n, orders) for t in node.outputs])
            for low, high, _ in sets.get(result.n, inner.zero):
                found.append(Box((*low[:i], low[i] + 1, *low[i + 1 :]), (*high[:i], high[i] + 1, *high[i + 1 :])))
        elif not op.states(i):  # who comes this way meets the error
            found.append(Box(tuple([int(k == i) for k in range(count)]), (n,) * count))
    return outer.union([tuple([_grown(box, found) for box in found])])


def _grown(box: Box, boxes: Sequence[Box]) -> Box:
    """Return a box that begins as low as what lies below it is in the boxes too."""
    low = list(box.low)
    for i in range(len(low)):
        while low[i] and _covered((*low[:i], low[i] - 1, *low[i + 1 :]), (*box.high[:i], low[i] - 1, *box.high[i + 1 :]), boxes):
            low[i] -= 1
    return Box(tuple(low), box.high)


def _covered(low: Index, high: Index, boxes: Sequence[Box]) -> bool:
    """Whether all orders from low to high are in one of the boxes."""
    for k, box in enumerate(boxes):
        if all(a <= d and c <= b for a, b, c, d in zip(low, high, box.low, box.high, strict=True)):
            rest = boxes[k + 1 :]
            for i, (first, last) in enumerate(zip(box.low, box.high, strict=True)):
                if low[i] < first:
                    if not _covered(low, (*high[:i], first - 1, *high[i + 1 :]), rest):
                        return False
                    low = (*low[:i], first, *low[i + 1 :])
                if high[i] > last:
                    if not _covered((*low[:i], last + 1, *low[i + 1 :]), high, rest):
                        return False
                    high = (*high[:i], last, *high[i + 1 :])
            return True
    return False


# --- the orders of the values of a list -----------------------------------------------------------------------------------


class _Seed(NamedTuple):
    """A tensor that changes, and the values through which its change does not pass."""

    n: int
    stops: tuple[int, ...]


class _Asked(NamedTuple):
    """The xs that a question is about: a bit for each, by number, and the values through which no change passes."""

    bits: dict[int, int]
    stops: frozenset[int]


class _Question:
    """The orders of some values: in each seed up to its greatest order, and up to one in the xs asked for."""

    def __init__(self, ys: Sequence[Any], seeds: tuple[tuple[_Seed, int], ...], asked: _Asked) -> None:
        self.ys, self.seeds, self.asked = ys, seeds, asked
        self.key = (tuple([y.n for y in ys]), seeds)
        self.nodes = ancestors(ys, inputs=_followed)
        self.within: dict[tuple[Node, int], _Question] = {}
        """What is to be known of the ys of Gradient nodes, by the node and the number of its x: one order of the x more."""

    def inner(self, questions: dict[Any, _Question]) -> Iterable[_Question]:
        """Return the questions whose answers this one takes."""
        if not self.within:
            for node in self.nodes:
                if node.op is GRADIENT:
                    ys, _, xs, stops = split_gradient(node)
                    for k, x in enumerate(xs):
                        seed = _Seed(x.n, tuple(sorted({t.n for t in stops})))
                        counts = dict(self.seeds)
                        counts[seed] = counts.get(seed, 0) + 1
                        seeds = tuple(sorted(counts.items()))
                        key = (tuple([y.n for y in ys]), seeds)
                        if key not in questions:
                            questions[key] = _Question(ys, seeds, self.asked)
                        self.within[node, k] = questions[key]
        return self.within.values()

    def answer(self, answers: dict[Any, list[Orders]]) -> list[Orders]:
        """Return the orders of each y, those of the inner questions being known."""
        space = _Space((1, *[cap for _, cap in self.seeds]))
        zero, bits = space.zero, self.asked.bits
        stops = [self.asked.stops, *[frozenset(seed.stops) for seed, _ in self.seeds]]
        blocked = frozenset().union(*stops)
        places: dict[int, list[int]] = {}
        for at, (seed, _) in enumerate(self.seeds, 1):
            places.setdefault(seed.n, []).append(at)
        sets: dict[int, Orders] = {}
        memo: dict[Any, Orders] = {}
        for node in self.nodes:
            op = node.op
            if op is GRADIENT:
                found = self._of_gradient(node, space, sets, answers)
            elif op.kind == "constant" or not any([t.n in sets for t in node.inputs]):
                found = [zero] * len(node.outputs)
            else:
                inputs = tuple([sets.get(t.n, zero) for t in node.inputs])
                key: Any = (op, inputs, node.outputs[0].nptype.kind if node.outputs else "")
                if op.partials:
                    key = (op, inputs, freeze(node.attrs) if node.attrs else None, _complexes(node))
                elif op.kind not in ("linear", "piecewise", "bilinear"):
                    key = (op, inputs, *[t.nptype for t in (*node.inputs, *node.outputs)])
                orders = memo.get(key)
                if orders is None:
                    orders = memo[key] = space.of(node, inputs)
                found = [orders] * len(node.outputs)
            moving, by = [orders != zero for orders in found], False
            for k, t in enumerate(node.outputs):
                orders = found[k]
                if t.n in blocked and orders is not zero:
                    for at, its in enumerate(stops):
                        if t.n in its:
                            orders = space.union([zero, tuple([_flat(box, at) for box in orders if not box.low[at]])])
                            moving[k] = orders != zero
                if t.n in places or t.n in bits:
                    units = [space.unit(at) for at in places.get(t.n, ())]
                    if t.n in bits:
                        units.append(space.unit(0, bits[t.n]))
                    orders, by = space.union([orders, *units]), True
                found[k] = orders
            if by and any(moving):
                if op.partials:
                    found = [space.naming(node, inputs, found[0])]
                elif op.kind == "implicit":
                    found = space.naming_others(node, inputs, found)
            sets.update(
                [(t.n, orders) for t, orders in zip(node.outputs, found, strict=True) if orders is not zero and orders != zero]
            )
        return [sets.get(y.n, zero) for y in self.ys]

    def _of_gradient(self, node: Node, space: _Space, sets: dict[int, Orders], answers: Any) -> list[Orders]:
        _, gs, xs, _ = split_gradient(node)
        found = []
        for k in range(len(xs)):
            inner = self.within[node, k]
            before = dict(self.seeds)
            at = next(i for i, (seed, cap) in enumerate(inner.seeds, 1) if before.get(seed, 0) < cap)
            outer = inner.seeds[at - 1][0] in before
            parts = [space.zero]
            for g, orders in zip(gs, answers[inner.key], strict=True):
                less = tuple([_less(box, at, outer) for box in orders if box.high[at]])
                if less:
                    parts.append(less if g is None else space.plus(less, sets.get(g.n, space.zero)))
            found.append(space.union(parts))
        return found


def _followed(node: Node) -> Sequence[Any]:
    """Return the inputs whose orders those of a node are found from: of a gradient's ys another question is asked."""
    return node.inputs if node.op is not GRADIENT else [g for g in split_gradient(node)[1] if g is not None]


def _flat(box: Box, at: int) -> Box:
    """Return the part of a box with no order along an axis."""
    return Box(box.low, (*box.high[:at], 0, *box.high[at + 1 :]), box.which if at else 0)


def _less(box: Box, at: int, kept: bool) -> Box:
    """Return a box, of what has order one at least along an axis, with one order less; ``kept``: the axis stays."""
    low, high, which = box
    ends = ((max(low[at] - 1, 0),), (high[at] - 1,)) if kept else ((), ())
    return Box((*low[:at], *ends[0], *low[at + 1 :]), (*high[:at], *ends[1], *high[at + 1 :]), which)


def _answer(question: _Question) -> list[Orders]:
    """Return the orders of the values of a question, the questions within it being answered first."""
    questions: dict[Any, _Question] = {question.key: question}
    answers: dict[Any, list[Orders]] = {}
    pending = [question]
    while pending:
        one = pending[-1]
        left = [] if one.key in answers else [q for q in one.inner(questions) if q.key not in answers]
        if left:
            pending += left
            continue
        pending.pop()
        if one.key not in answers:
            answers[one.key] = one.answer(answers)
    return answers[question.key]


def freeze(value: Any) -> Any:
    """Return a hashable stand-in for attributes."""
    if isinstance(value, dict):
        return tuple((k, freeze(v)) for k, v in sorted(value.items()))
    if isinstance(value, list | tuple):
        return (type(value).__name__, *[freeze(v) for v in value])
    if isinstance(value, slice):
        return ("slice", freeze(value.start), freeze(value.stop), freeze(value.step))
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "O" and value.size <= 64:
            return (value.shape, value.dtype.str, value.tobytes())
        return id(value)
    if isinstance(value, float):
        return ("float", value.hex())
    try:
        hash(value)
    except TypeError:
        return id(value)
    return (type(value).__name__, value) if isinstance(value, bool | int) else value


def traced(op: Op, attrs: dict[str, Any], complexes: tuple[bool, ...], i: int) -> Any:
    """Return the partial derivative of an operation by input i as a list: its nodes, its leaves, its result.

    ``complexes``: which of the inputs, and the output, are complex: a partial may be another for those.
    """
    key = (op, freeze(attrs), complexes, i)
    if key not in _partials:
        scratch = Graph()
        leaves = []
        for is_complex in complexes:
            nptype = np.dtype(np.complex128 if is_complex else np.float64)
            leaves.append(scratch.append(PLACEHOLDER, (), {"dtype": nptype, "shape": ()}, [((), nptype)]).outputs[0])
        graph, observers = state.graph, state.observers
        state.graph, state.observers = scratch, ()
        try:
            result: SymbolicTensor = op.partials[i](tensors, *leaves, **attrs)  # type: ignore[misc]
        finally:
            state.graph, state.observers = graph, observers
        _partials[key] = (list(scratch.nodes), leaves, result)
    return _partials[key]


def _named(node: Node) -> list[list[int]]:
    """Return which outputs the derivative of each output of an operation is written with: its rule, for that one alone."""
    op = node.op
    key = (op, freeze(node.attrs), *[(t.sizes, t.nptype) for t in node.inputs])
    if key not in _naming:
        several = op.outputs != 1
        _naming[key] = []
        graph, observers = state.graph, state.observers
        for k in range(len(node.outputs)):
            scratch = Graph()
            state.graph, state.observers = scratch, ()
            try:
                inputs, outputs, gs = (
                    [
                        scratch.append(PLACEHOLDER, (), {"dtype": t.nptype, "shape": t.sizes}, [(t.sizes, t.nptype)]).outputs[0]
                        for t in ts
                    ]
                    for ts in (node.inputs, node.outputs, node.outputs)
                )
                g = [g if j == k else None for j, g in enumerate(gs)]
                found = rule(op)(tensors, g if several else g[0], inputs, outputs if several else outputs[0],
                                             node.attrs, node.op.passes(node.inputs, node.outputs))  # fmt: skip
            except OpError:  # it has no such derivative: who asks for that is told elsewhere
                found = []
            finally:
                state.graph, state.observers = graph, observers
            before = set(ancestors([t for t in found if t is not None]))
            _naming[key].append([j for j, t in enumerate(outputs) if t.node in before])
    return _naming[key]
