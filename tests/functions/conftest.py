"""What the tables of this folder compare with: graphs of known and of unknown sizes, and central finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wengert import nest
from wengert.derive import forward
from wengert.execute.numpy import NumPyProgram
from wengert.functions.numpy.behavior import experimental_enable_numpy_behavior
from wengert.ground.context import state
from wengert.modes.tape import GradientTape
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Graph, Tensor, apply, convert, tensors

STEP = 1e-6


def in_graph(f: Callable[..., Any], arrays: list[Any], sizes: str) -> list[Any]:
    """The results of a function built into a graph: sizes "known", "unknown" (the rank is known) or "rankless"."""
    graph = Graph()
    with graph.as_default():
        places = []
        for a in arrays:
            shape = {"known": a.shape, "unknown": (None,) * a.ndim, "rankless": None}[sizes]
            places.append(apply(PLACEHOLDER, (), {"dtype": a.dtype, "shape": shape}))
        outputs = nest.flatten(f(*places))
        outputs = [convert(o) for o in outputs]
    found = NumPyProgram(graph, outputs, places)(*arrays)
    for o, v in zip(outputs, found, strict=True):
        assert o.shape.is_compatible_with(np.shape(v)), f"{o} is said to have a shape that {np.shape(v)} is not"
        assert o.nptype == np.asarray(v).dtype
    return found


def scalar(f: Callable[..., Any], weights: list[Any]) -> Callable[..., Any]:
    """The weighted sum of the squares of what a function gives (of its floating outputs)."""

    def g(*xs: Any) -> Any:
        total = None
        outputs = [o for o in nest.flatten(f(*xs)) if o.nptype.kind == "f"]
        for o in outputs:
            if len(weights) < len(outputs):
                weights.append(np.random.default_rng(len(weights)).normal(size=o.shape.as_list()))
        for o, w in zip(outputs, weights, strict=True):
            term = tensors.sum((o * o + o) * convert(w, o.dtype), axis=None, keepdims=False)
            total = term if total is None else total + term
        return total

    return g


def values(xs: Any) -> list[Any]:
    return [convert(x) for x in xs]


def gradient(s: Callable[..., Any], arrays: list[Any]) -> list[Any]:
    xs = values(arrays)
    with GradientTape() as tape:
        tape.watch(xs)
        y = s(*xs)
    found = tape.gradient(y, xs, unconnected_gradients="zero")
    return [np.asarray(g) for g in found]


def tangent(s: Callable[..., Any], arrays: list[Any], direction: list[Any]) -> float:
    """The directional derivative by forward mode: each recorded operation's rule in turn."""
    xs = values(arrays)
    tape = GradientTape(persistent=True)
    with tape:
        tape.watch(xs)
        y = s(*xs)
    known = {x.n: convert(d) for x, d in zip(xs, direction, strict=True)}
    for op, inputs, output, attrs in tape.entries:
        ts = [known.get(t.n) for t in inputs]
        if all(t is None for t in ts):
            continue
        result = forward.rule(op)(tensors, ts, inputs, output, attrs)
        outputs, results = ([output], [result]) if op.outputs == 1 else (output, result or [None] * len(output))
        for o, r in zip(outputs, results, strict=True):
            if r is not None:
                assert r.sizes == o.sizes, op
                known[o.n] = r
    return float(known[y.n]) if y.n in known else 0.0


def check(f: Callable[..., Any], arrays: list[Any], rtol: float = 1e-5) -> None:
    """First derivatives in both modes, and second ones, along random directions, against finite differences."""
    s = scalar(f, [])
    rng = np.random.default_rng(0)
    direction = [rng.normal(size=a.shape) for a in arrays]

    def moved(h: float) -> list[Any]:
        return [a + h * d for a, d in zip(arrays, direction, strict=True)]

    def along(gs: list[Any]) -> float:
        return float(sum(np.sum(g * d) for g, d in zip(gs, direction, strict=True)))

    first = gradient(s, arrays)
    assert all(g.shape == a.shape for g, a in zip(first, arrays, strict=True))
    numeric = (float(s(*values(moved(STEP)))) - float(s(*values(moved(-STEP))))) / (2 * STEP)
    assert along(first) == pytest.approx(numeric, rel=rtol, abs=rtol)
    assert tangent(s, arrays, direction) == pytest.approx(numeric, rel=rtol, abs=rtol)

    def slope(*xs: Any) -> Any:
        with GradientTape() as tape:
            tape.watch(xs)
            y = s(*xs)
        total = None
        for g, d in zip(tape.gradient(y, list(xs), unconnected_gradients="zero"), direction, strict=True):
            term = tensors.sum(g * convert(d), axis=None, keepdims=False)
            total = term if total is None else total + term
        return total

    second = gradient(slope, arrays)
    up, down = gradient(s, moved(STEP)), gradient(s, moved(-STEP))
    for g, a, b in zip(second, up, down, strict=True):
        np.testing.assert_allclose(g, (a - b) / (2 * STEP), rtol=100 * rtol, atol=100 * rtol * max(1.0, np.abs(a).max(initial=0)))


@pytest.fixture
def derivatives() -> Callable[..., None]:
    return check


@pytest.fixture
def static() -> Callable[..., list[Any]]:
    return in_graph


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    assert state.graph is None and state.observers == ()


@pytest.fixture(autouse=True)
def tensors_as_they_were():
    """Take NumPy's methods from tensors again: a test that asked for them asked for the whole process."""
    before = dict(vars(Tensor))
    yield
    changed = {name for name, value in vars(Tensor).items() if before.get(name) is not value}
    if changed:
        experimental_enable_numpy_behavior(dtype_conversion_mode="off")
    for name in changed:
        if name in before:
            setattr(Tensor, name, before[name])
        else:
            delattr(Tensor, name)
