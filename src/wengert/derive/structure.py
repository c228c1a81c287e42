r"""Which derivatives there are, decided from structure alone.

A value is seen as a polynomial-like object in small changes of some tensors (the seeds): the set of orders (a
multi-index, one number for each seed) at which its Taylor series can have a coefficient. Constants have {0}; a linear
operation has the union of its inputs' sets; a bilinear one their sums; an elementwise one v = φ(u) the least set with
v = {0} ∪ (h ⊕ (u \ 0)), h being the set of the stated derivative. A gradient by x has the set of y, one order of x
less. So the second derivative of a linear function is known to be absent, and of x * x the third, before anything is
computed: what TensorFlow's expansion of the gradient would find.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.context import state
from wengert.derive.reverse import located
from wengert.graph import Graph, Node
from wengert.op import Op
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor import SymbolicTensor, tensors

__all__ = ["Seed", "ancestors", "connected", "freeze", "orders", "traced"]

Index = tuple[int, ...]
Orders = frozenset[Index]


class Seed(NamedTuple):
    """A tensor that changes, and the values through which its change does not pass."""

    n: int
    stops: frozenset[int]


def ancestors(outputs: Iterable[Any], stops: frozenset[int] = frozenset()) -> list[Node]:
    """Return the nodes that the tensors are computed from, in order; not looking behind the stops."""
    seen: set[Node] = set()
    pending = [t for t in outputs if t.n not in stops]
    found: list[Node] = []
    while pending:
        node = pending.pop().node
        if node not in seen:
            seen.add(node)
            found.append(node)
            pending.extend([t for t in node.inputs if t.n not in stops])
    found.sort(key=lambda node: node.index)
    return found


def connected(ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int]) -> list[bool]:
    """Return for each x whether the sum of ys has a derivative by it."""
    nodes = ancestors(ys)
    _check_stated(nodes, ys, xs, stops)
    if not any(node.op.name == "gradient" for node in nodes):
        reached = {y.n for y in ys}
        for node in reversed(nodes):
            if any(o.n in reached and o.n not in stops for o in node.outputs):
                reached.update([node.inputs[i].n for i in _differentiable(node)])
        return [x.n in reached for x in xs]
    answers = []
    for x in xs:
        seed = Seed(x.n, stops)
        found = orders(ys, {seed: 1}, nodes)
        answers.append(any((1,) in f for f in found))
    return answers


def _check_stated(nodes: Sequence[Node], ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int]) -> None:
    """Check that no way from an x to a y passes through a derivative that is not stated.

    Of the ways through another gradient, it is seen when that is lowered.

    Raises:
        NoGradientError: with the operation and its line.
    """
    if all(node.op.complete for node in nodes):
        return
    nodes = [node for node in nodes if node.op.name != "gradient"]
    changing = {x.n for x in xs}
    for node in nodes:
        if any(node.inputs[i].n in changing for i in _differentiable(node)):
            changing.update([o.n for o in node.outputs if o.n not in stops])
    asked = {y.n for y in ys}
    for node in reversed(nodes):
        if any(o.n in asked and o.n not in stops for o in node.outputs):
            for i in _differentiable(node):
                if node.inputs[i].n in changing and not node.op.states(i):
                    raise located(node.op.unstated(i), node.outputs[0])
            asked.update([node.inputs[i].n for i in _differentiable(node)])


def _differentiable(node: Node) -> list[int]:
    """Return the positions of the inputs that an operation has a derivative by."""
    op = node.op
    if op.kind == "constant":
        return []
    if op.name == "cast" and (node.inputs[0].nptype.kind not in "fc" or node.outputs[0].nptype.kind not in "fc"):
        return []
    return [i for i, t in enumerate(node.inputs) if i not in op.constant_inputs and t.nptype.kind in "fc"]


def orders(ys: Sequence[Any], seeds: dict[Seed, int], nodes: list[Node] | None = None, depth: int = 0) -> list[Orders]:
    """Return the orders of each y, up to the given order in each seed."""
    if depth > 200:
        raise RecursionError("gradients are nested more than 200 deep")
    return _Pass(seeds, depth).run(ys, ancestors(ys) if nodes is None else nodes)


class _Pass:
    """One walk over a list, for a set of seeds with their greatest orders."""

    def __init__(self, seeds: dict[Seed, int], depth: int) -> None:
        self.keys = list(seeds)
        self.caps = tuple(seeds.values())
        self.seeds = seeds
        self.depth = depth
        self.zero: Orders = frozenset([(0,) * len(self.keys)])
        self.sets: dict[int, Orders] = {}
        self.memo: dict[Any, Orders] = {}
        self.level = 0

    def run(self, ys: Sequence[Any], nodes: list[Node]) -> list[Orders]:
        for node in nodes:
            self.visit(node)
        return [self.sets.get(y.n, self.zero) for y in ys]

    def visit(self, node: Node) -> None:
        inputs = [self.sets.get(t.n, self.zero) for t in node.inputs]
        if node.op.name == "gradient":
            found = self.of_gradient(node)
        elif all(s is self.zero or s == self.zero for s in inputs):
            found = [self.zero] * len(node.outputs)
        else:
            found = [self.of(node, inputs)] * len(node.outputs)
        for t, s in zip(node.outputs, found, strict=True):
            for i, key in enumerate(self.keys):
                if t.n in key.stops:
                    s = frozenset(a for a in s if not a[i])
                if t.n == key.n:
                    s = s | {tuple(int(j == i) for j in range(len(self.keys)))}
            if s != self.zero:
                self.sets[t.n] = s

    def of(self, node: Node, inputs: list[Orders]) -> Orders:
        key = (node.op, freeze(node.attrs) if node.op.partials else None, tuple(inputs), len(node.outputs))
        if node.op.partials or node.op.name == "cast":
            key = (*key, *[t.nptype for t in node.inputs], node.outputs[0].nptype)
        if key not in self.memo:
            self.memo[key] = self.compute(node, inputs)
        return self.memo[key]

    def compute(self, node: Node, inputs: list[Orders]) -> Orders:
        op, live = node.op, _differentiable(node)
        moving = [inputs[i] for i in live if inputs[i] != self.zero]
        if not moving:
            return self.zero
        if op.partials:
            complexes = tuple([t.nptype.kind == "c" for t in (*node.inputs, node.outputs[0])])
            return self.elementwise(op, node.attrs, complexes, inputs)
        if op.kind in ("linear", "piecewise"):
            return frozenset().union(*moving)
        if op.kind == "bilinear":
            return self.plus(inputs[0], inputs[1])
        straight = [inputs[i] for i in op.linear_inputs if inputs[i] != self.zero]
        bent = [inputs[i] for i in live if i not in op.linear_inputs and inputs[i] != self.zero]
        if not straight:
            return self.closure(bent)
        union = frozenset().union(*straight)
        return self.plus(union, self.closure(bent)) if bent else union

    def elementwise(self, op: Op, attrs: dict[str, Any], complexes: tuple[bool, ...], inputs: list[Orders]) -> Orders:
        # A partial h meets a change of order one at least, so of h one order less counts than of v: a chain of partials
        # that never closes (x ** -1, x ** -2, ...) is followed as deep as the orders asked for.
        if self.level >= sum(self.caps):
            return self.zero
        key = (op, freeze(attrs), complexes, tuple(inputs), self.level)
        if key in self.memo:
            return self.memo[key]
        self.level += 1
        try:
            v = self.zero
            while True:
                grown = v
                for i, u in enumerate(inputs):
                    rest = u - self.zero
                    if rest:
                        if op.states(i):
                            h = self.of_partial(op, attrs, complexes, i, [*inputs, v])
                        else:  # who comes this way meets the error
                            h = self.closure([s for s in inputs if s != self.zero])
                        grown = grown | self.plus(h, rest)
                if grown == v:
                    break
                v = grown
        finally:
            self.level -= 1
        self.memo[key] = v
        return v

    def of_partial(self, op: Op, attrs: dict[str, Any], complexes: tuple[bool, ...], i: int, leaves: list[Orders]) -> Orders:
        nodes, inputs, result = traced(op, attrs, complexes, i)
        before = self.sets
        self.sets = dict(zip([t.n for t in inputs], leaves, strict=True))
        try:
            for node in nodes:
                if node.op is not PLACEHOLDER:
                    at = [self.sets.get(t.n, self.zero) for t in node.inputs]
                    if any(s != self.zero for s in at):
                        s = self.compute(node, at)
                        for t in node.outputs:
                            self.sets[t.n] = s
            return self.sets.get(result.n, self.zero)
        finally:
            self.sets = before

    def of_gradient(self, node: Node) -> list[Orders]:
        ys, gs, xs, stops = split_gradient(node)
        found = []
        for x in xs:
            seed = Seed(x.n, frozenset(t.n for t in stops))
            inner = dict(self.seeds)
            inner[seed] = inner.get(seed, 0) + 1
            at = list(inner).index(seed)
            outer = seed in self.seeds
            total: Orders = frozenset()
            for g, s in zip(gs, orders(ys, inner, None, self.depth + 1), strict=True):
                less = {tuple(k - (j == at) for j, k in enumerate(a)) for a in s if a[at]}
                kept = frozenset(less) if outer else frozenset(a[:at] + a[at + 1 :] for a in less if not a[at])
                total = total | (kept if g is None else self.plus(kept, self.sets.get(g.n, self.zero)))
            found.append(total | self.zero)
        return found

    def plus(self, a: Orders, b: Orders) -> Orders:
        if a == self.zero:
            return b
        if b == self.zero:
            return a
        sums = {tuple([p + q for p, q in zip(x, y, strict=True)]) for x in a for y in b}
        return frozenset(s for s in sums if all(k <= cap for k, cap in zip(s, self.caps, strict=True)))

    def closure(self, sets: Sequence[Orders]) -> Orders:
        support = frozenset().union(*sets)
        found = self.zero
        while True:
            grown = found | self.plus(found, support) if found != self.zero else self.zero | support
            if grown == found:
                return found
            found = grown


def split_gradient(node: Node) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return a Gradient node's ys, their cotangents (None: ones), xs, and stops."""
    given, ny, nx = node.attrs["given"], node.attrs["ys"], node.attrs["xs"]
    ys = list(node.inputs[:ny])
    count = sum(given)
    rest = iter(node.inputs[ny : ny + count])
    gs = [next(rest) if there else None for there in given]
    at = ny + count
    return ys, gs, list(node.inputs[at : at + nx]), list(node.inputs[at + nx :])


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


_partials: dict[Any, Any] = {}


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
