"""Laws that every operation obeys, over the table of `cases`."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wengert.calculus.gradients import ForwardAccumulator, gradients
from wengert.execute.numpy import NumPyProgram
from wengert.ground.shapes import fits
from wengert.modes.tape import GradientTape
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.op import operations, table
from wengert.tensor.tensor import EagerTensor, Graph, append, apply

spec = importlib.util.spec_from_file_location("cases", Path(__file__).with_name("cases.py"))
assert spec is not None and spec.loader is not None
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)

CASES = cases.CASES
pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


def label(case: Any) -> str:
    return f"{case.op}[{case.note}]" if case.note else case.op


def over(chosen: Any) -> Any:
    chosen = list(chosen)
    return pytest.mark.parametrize("case", chosen, ids=[label(c) for c in chosen])


def numeric(a: Any) -> bool:
    return a.dtype.kind in "fc"


def movable(case: Any) -> list[int]:
    """Return the positions of the inputs that one can differentiate by."""
    op = table[case.op]
    return [i for i, a in enumerate(case.inputs) if numeric(a) and i not in op.constant_inputs]


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def run(case: Any, inputs: Any) -> list[Any]:
    """Apply the operation to tensors; return all of its outputs."""
    if case.enter is not None:
        inputs = [case.enter(x) if numeric_tensor(x) else x for x in inputs]
    return listed(apply(table[case.op], inputs, case.attrs))


def numeric_tensor(x: Any) -> bool:
    return x.nptype.kind in "fc"


def eager(case: Any, arrays: Any = None) -> list[Any]:
    return [y.array for y in run(case, [EagerTensor(a) for a in (case.inputs if arrays is None else arrays)])]


def place(graph: Graph, array: Any, sizes: Any) -> Any:
    return append(graph, PLACEHOLDER, (), {"dtype": array.dtype, "shape": sizes})


def static(case: Any, sizes: Any) -> tuple[Graph, list[Any], list[Any]]:
    """Build the operation in a graph; return the graph, placeholders of the given static shapes, and the outputs."""
    graph = Graph()
    with graph.as_default():
        xs = [place(graph, a, s) for a, s in zip(case.inputs, sizes, strict=True)]
        return graph, xs, run(case, xs)


def full(case: Any) -> list[Any]:
    return [a.shape for a in case.inputs]


def same(found: Any, expected: Any, rtol: float, atol: float = 0.0) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    if found.dtype.kind == "O":
        assert found.tolist() == expected.tolist()
        return
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


# --- the table itself -------------------------------------------------------------------------------------------------


def test_every_operation_has_a_case_or_a_reason() -> None:
    tested = {c.op for c in CASES}
    assert {op.name for op in operations() if not cases.exempt(op)} == tested
    assert set(cases.EXEMPT) <= {op.name for op in operations()}


def test_the_cases_differ() -> None:
    labels = [label(c) for c in CASES]
    assert len(set(labels)) == len(labels), [name for name in labels if labels.count(name) > 1]


# --- values -----------------------------------------------------------------------------------------------------------


@over(CASES)
def test_value(case: Any) -> None:
    outputs = eager(case)
    expected = case.oracle(*case.inputs)
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    shown = outputs if case.view is None else list(case.view(case.inputs, outputs))
    assert len(shown) == len(expected)
    for found, wanted in zip(shown, expected, strict=True):
        same(found, wanted, case.rtol, case.atol)


NARROW = {"float64": "float32", "complex128": "complex64"}


@over(c for c in CASES if any(numeric(a) for a in c.inputs) and c.loose < math.inf)
def test_float32(case: Any) -> None:
    narrow = [a.astype(NARROW.get(a.dtype.name, a.dtype)) for a in case.inputs]
    wide, found = eager(case), eager(case, narrow)
    for a, b in zip(wide, found, strict=True):
        assert a.shape == b.shape
        if "dtype" not in case.attrs:
            assert b.dtype == NARROW.get(a.dtype.name, a.dtype)
    if case.view is not None:
        wide, found = case.view(case.inputs, wide), case.view(narrow, found)
    for a, b in zip(wide, found, strict=True):
        if a.dtype.kind in "fc" and a.size:
            finite = np.abs(a[np.isfinite(a)])
            same(b, a, case.loose, case.loose * (finite.max() if finite.size else 1.0))


@over(c for c in CASES if table[c.op].moves)
def test_what_moves_elements_has_nothing_to_warn_of(case: Any) -> None:
    odd = np.array([np.inf, np.nan, np.finfo(np.float64).max, -np.inf, np.finfo(np.float64).smallest_subnormal])
    given = [
        np.resize(odd, a.shape).astype(a.dtype) if a.dtype.kind in "fc" and i not in table[case.op].constant_inputs else a
        for i, a in enumerate(case.inputs)
    ]
    with np.errstate(all="raise"):
        table[case.op].eager(*given, **case.attrs)


# --- shape rules ------------------------------------------------------------------------------------------------------


@over(CASES)
def test_shape_rule(case: Any) -> None:
    _, _, ys = static(case, full(case))
    outputs = eager(case)
    assert len(ys) == len(outputs)
    for y, a in zip(ys, outputs, strict=True):
        assert y.nptype == a.dtype
        assert fits(y.sizes, a.shape) if case.open else y.sizes == a.shape


@over(c for c in CASES if c.inputs)
def test_shape_rule_with_unknown_sizes(case: Any) -> None:
    outputs = eager(case)
    for i, a in enumerate(case.inputs):
        for less in [*[(*a.shape[:k], None, *a.shape[k + 1 :]) for k in range(a.ndim)], (None,) * a.ndim, None]:
            sizes = full(case)
            sizes[i] = less
            _, _, ys = static(case, sizes)
            for y, b in zip(ys, outputs, strict=True):
                assert y.nptype == b.dtype
                assert fits(y.sizes, b.shape), f"input {i} of shape {less}: {y.sizes}, and the kernel gives {b.shape}"


def reference(case: Any) -> int | None:
    """Return which input gives an operation's shape, if nothing else is read of it."""
    at = table[case.op].reference
    return at if at in table[case.op].constant_inputs else None


@over(c for c in CASES if reference(c) is not None)
def test_of_an_input_that_gives_the_shape_the_values_are_not_read(case: Any) -> None:
    at = reference(case)
    other = [np.full_like(a, 113) if k == at else a for k, a in enumerate(case.inputs)]
    for a, b in zip(eager(case), eager(case, other), strict=True):
        np.testing.assert_array_equal(a, b)


# --- eager = static ---------------------------------------------------------------------------------------------------


@over(CASES)
@pytest.mark.parametrize("known", ["full", "ranks", "nothing"])
def test_eager_is_static(case: Any, known: str) -> None:
    sizes = {"full": full(case), "ranks": [(None,) * a.ndim for a in case.inputs], "nothing": [None] * len(case.inputs)}[known]
    graph, xs, ys = static(case, sizes)
    results = NumPyProgram(graph, ys, xs)(*case.inputs)
    for found, expected in zip(results, eager(case), strict=True):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        if found.dtype.kind == "O":
            assert found.tolist() == expected.tolist()
        else:
            np.testing.assert_array_equal(found, expected)


# --- derivatives ------------------------------------------------------------------------------------------------------
# A real number L = Σ <w, f(x)> with <a, b> = Re Σ conj(a) b; the gradient g of it obeys dL = <g, dx>.


def dense(gs: Any) -> list[Any]:
    """Return gradients as tensors: that of a gather is a sparse one."""
    return [g._as_tensor() if hasattr(g, "indices") else g for g in gs]


def inner(a: Any, b: Any) -> float:
    return float(np.real(np.sum(np.conj(a) * b)))


def random_like(a: Any, rng: Any) -> Any:
    x = rng.standard_normal(a.shape)
    return x + 1j * rng.standard_normal(a.shape) if a.dtype.kind == "c" else x


class Scene:
    """A case with weights for its outputs, and weights for the gradients by its inputs."""

    def __init__(self, case: Any) -> None:
        rng = np.random.default_rng(5)
        self.case, self.at = case, movable(case)
        self.arrays = [case.inputs[i] for i in self.at]
        outputs = eager(case)
        chosen = range(len(outputs)) if case.outputs is None else case.outputs
        self.outs = [k for k in chosen if numeric(outputs[k])]
        self.weights = [random_like(outputs[k], rng) for k in self.outs]
        self.seconds = [random_like(a, rng) for a in self.arrays]
        self.tangents = [random_like(a, rng) for a in self.arrays]

    def fill(self, xs: Any, others: Any) -> list[Any]:
        given = dict(zip(self.at, xs, strict=True))
        return [given[i] if i in given else others(a) for i, a in enumerate(self.case.inputs)]

    def tensors(self, xs: Any) -> list[Any]:
        """Return the outputs that count, as tensors, of the movable inputs as tensors."""
        ys = run(self.case, self.fill(xs, EagerTensor))
        return [ys[k] for k in self.outs]

    def value(self, arrays: Any) -> float:
        ys = eager(self.case, self.fill(arrays, lambda a: a))
        return sum(inner(w, ys[k]) for w, k in zip(self.weights, self.outs, strict=True))

    def gradient(self, arrays: Any) -> list[Any]:
        xs = [EagerTensor(a) for a in arrays]
        with GradientTape() as tape:
            tape.watch(xs)
            ys = self.tensors(xs)
        return dense(tape.gradient(ys, xs, output_gradients=[EagerTensor(w) for w in self.weights]))

    def slope(self, arrays: Any) -> float:
        """Return Σ <seconds, gradient>."""
        gs = self.gradient(arrays)
        return sum(inner(r, g.array) for r, g in zip(self.seconds, gs, strict=True) if g is not None)


def differences(f: Any, arrays: Any) -> list[Any]:
    """Return the gradient of a real function, by central differences with two steps of Richardson extrapolation."""
    found = []
    for k, a in enumerate(arrays):
        g = np.zeros_like(a)
        for i in np.ndindex(*a.shape):
            for unit in (1.0, 1j) if a.dtype.kind == "c" else (1.0,):
                slopes = []
                for h in (1e-2, 5e-3, 2.5e-3):
                    values = []
                    for sign in (1, -1):
                        moved = np.array(a)
                        moved[i] += sign * h * unit
                        values.append(f([*arrays[:k], moved, *arrays[k + 1 :]]))
                    slopes.append((values[0] - values[1]) / (2 * h))
                one, two = (4 * slopes[1] - slopes[0]) / 3, (4 * slopes[2] - slopes[1]) / 3
                g[i] += unit * (16 * two - one) / 15
        found.append(g)
    return found


def close(found: Any, expected: Any, what: str, rtol: float = 1e-7) -> None:
    for k, (g, e) in enumerate(zip(found, expected, strict=True)):
        g = np.zeros_like(e) if g is None else g.array
        assert g.dtype == e.dtype, f"{what}, input {k}: {g.dtype}, not {e.dtype}"
        assert g.shape == e.shape, f"{what}, input {k}: shape {g.shape}, not {e.shape}"
        scale = max(1.0, float(np.abs(e).max())) if e.size else 1.0
        np.testing.assert_allclose(g, e, rtol=rtol, atol=rtol * scale, err_msg=f"{what}, input {k}")


SMOOTH = [c for c in CASES if c.smooth and movable(c) and c.outputs != ()]
CONSTANT = {op.name for op in operations() if op.kind == "constant"}
UNSTATED = {op.name for op in operations() if not op.complete}
DIFFERENTIABLE = [c for c in SMOOTH if c.op not in CONSTANT | UNSTATED]
TWICE = [c for c in DIFFERENTIABLE if not c.first]


@over(DIFFERENTIABLE)
def test_reverse_mode(case: Any) -> None:
    scene = Scene(case)
    found = scene.gradient(scene.arrays)
    close(found, differences(scene.value, scene.arrays), "order 1")


@over(TWICE)
def test_reverse_over_reverse(case: Any) -> None:
    scene = Scene(case)
    xs = [EagerTensor(a) for a in scene.arrays]
    with GradientTape() as outer:
        outer.watch(xs)
        with GradientTape() as tape:
            tape.watch(xs)
            ys = scene.tensors(xs)
        gs = dense(tape.gradient(ys, xs, output_gradients=[EagerTensor(w) for w in scene.weights]))
    live = [(g, EagerTensor(r)) for g, r in zip(gs, scene.seconds, strict=True) if g is not None]
    found = dense(outer.gradient([g for g, _ in live], xs, output_gradients=[r for _, r in live]))
    close(found, differences(scene.slope, scene.arrays), "order 2", 1e-6)


@over(TWICE)
def test_forward_mode(case: Any) -> None:
    scene = Scene(case)
    xs = [EagerTensor(a) for a in scene.arrays]
    tangents = scene.tangents
    with ForwardAccumulator(xs, [EagerTensor(t) for t in tangents]) as acc:
        ys = scene.tensors(xs)
    found = acc.jvp(ys)
    # <jvp(t), w> = <t, vjp(w)>, to rounding.
    left = sum(inner(w, t.array) for w, t in zip(scene.weights, found, strict=True) if t is not None)
    gs = scene.gradient(scene.arrays)
    right = sum(inner(g.array, t) for g, t in zip(gs, tangents, strict=True) if g is not None)
    scale = sum(np.abs(g.array * t).sum() for g, t in zip(gs, tangents, strict=True) if g is not None)
    assert left == pytest.approx(right, rel=1e-10, abs=1e-10 * max(1.0, scale))
    for y, t in zip(ys, found, strict=True):
        assert t is None or (t.sizes == y.sizes and t.nptype == y.nptype)


@over(TWICE)
def test_forward_over_reverse(case: Any) -> None:
    scene = Scene(case)
    xs = [EagerTensor(a) for a in scene.arrays]
    tangents = scene.tangents
    with ForwardAccumulator(xs, [EagerTensor(t) for t in tangents]) as acc:
        with GradientTape() as tape:
            tape.watch(xs)
            ys = scene.tensors(xs)
        gs = dense(tape.gradient(ys, xs, output_gradients=[EagerTensor(w) for w in scene.weights]))
    moved = [None if g is None else acc.jvp(g) for g in gs]
    left = sum(inner(r, t.array) for r, t in zip(scene.seconds, moved, strict=True) if t is not None)
    terms = [inner(e, t) for e, t in zip(differences(scene.slope, scene.arrays), tangents, strict=True)]
    assert left == pytest.approx(sum(terms), rel=1e-6, abs=1e-6 * max(1.0, *map(abs, terms)))


@over(TWICE)
@pytest.mark.parametrize("known", ["full", "ranks", "nothing"])
def test_static_gradients(case: Any, known: str) -> None:
    scene = Scene(case)
    graph = Graph()
    with graph.as_default():
        sizes = {"full": full(case), "ranks": [(None,) * a.ndim for a in case.inputs], "nothing": [None] * len(case.inputs)}[
            known
        ]
        xs = [place(graph, a, s) for a, s in zip(case.inputs, sizes, strict=True)]
        moving = [xs[i] for i in scene.at]
        ys = [run(case, xs)[k] for k in scene.outs]
        gs = dense(gradients(ys, moving, grad_ys=[EagerTensor(w) for w in scene.weights]))
        live = [(g, EagerTensor(r)) for g, r in zip(gs, scene.seconds, strict=True) if g is not None]
        hs = dense(gradients([g for g, _ in live], moving, grad_ys=[r for _, r in live])) if live else [None] * len(gs)
    there = [g for g in (*gs, *hs) if g is not None]
    values = iter(NumPyProgram(graph, there, xs)(*case.inputs))
    got = [None if g is None else next(values) for g in (*gs, *hs)]

    sources = [EagerTensor(a) for a in scene.arrays]
    with GradientTape() as outer:
        outer.watch(sources)
        with GradientTape() as tape:
            tape.watch(sources)
            ys = scene.tensors(sources)
        first = dense(tape.gradient(ys, sources, output_gradients=[EagerTensor(w) for w in scene.weights]))
    eagers = [(g, EagerTensor(r)) for g, r in zip(first, scene.seconds, strict=True) if g is not None]
    second = [None] * len(gs)
    if eagers:
        second = dense(outer.gradient([g for g, _ in eagers], sources, output_gradients=[r for _, r in eagers]))
    for g, e in zip(got, (*first, *second), strict=True):
        assert (g is None) == (e is None)
        if g is not None:
            assert g.dtype == e.array.dtype
            assert g.shape == e.array.shape
            np.testing.assert_allclose(g, e.array, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(e.array).max(initial=0.0)))


LARGE = {c.op: c for c in TWICE if table[c.op].partials or c.op in ("add", "subtract", "multiply", "where", "conj")}


@over(LARGE.values())
def test_static_gradients_of_large_arrays(case: Any) -> None:
    """The executor writes large results over arrays that nobody reads any more."""
    arrays = [np.resize(a, 5000) for a in case.inputs]
    case = case._replace(inputs=tuple([a.copy() for a in arrays]))
    at = movable(case)

    def total(xs: Any) -> Any:
        y = run(case, xs)[0]
        return y * y + y

    graph = Graph()
    with graph.as_default():
        xs = [place(graph, a, a.shape) for a in arrays]
        y = total(xs)
        g = gradients(y, xs[at[0]])[0]
        h = gradients(g * g, xs[at[-1]])[0]
    found = NumPyProgram(graph, [y, g, h], xs)(*arrays)
    ts = [EagerTensor(a) for a in arrays]
    with GradientTape() as outer:
        outer.watch(ts[at[-1]])
        with GradientTape() as tape:
            tape.watch(ts[at[0]])
            y = total(ts)
        g = tape.gradient(y, ts[at[0]])
        square = g * g
    h = outer.gradient(square, ts[at[-1]])
    for a, b in zip(found, (y, g, h), strict=True):
        np.testing.assert_allclose(a, b.array, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(b.array).max()))
    for a, b in zip(arrays, case.inputs, strict=True):
        np.testing.assert_array_equal(a, b)


# --- whether there is a derivative ------------------------------------------------------------------------------------


def eager_nones(case: Any, position: int, orders: int) -> list[bool]:
    x = EagerTensor(case.inputs[position])
    tapes = [GradientTape() for _ in range(orders)]
    for tape in tapes:
        tape.__enter__()
        tape.watch(x)
    ys: Any = run(case, [x if i == position else EagerTensor(a) for i, a in enumerate(case.inputs)])
    found = []
    for tape in reversed(tapes):
        ys = None if ys is None else dense([tape.gradient(ys, x)])[0]
        tape.__exit__(None, None, None)
        found.append(ys is None)
    return found


def static_nones(case: Any, position: int, orders: int) -> list[bool]:
    _, xs, ys = static(case, full(case))
    found = []
    with xs[0].graph.as_default():
        for _ in range(orders):
            ys = None if ys is None else gradients(ys, xs[position])[0]
            found.append(ys is None)
    return found


@over(c for c in CASES if movable(c) and c.outputs != () and not c.first and c.op not in UNSTATED)
def test_none_eagerly_where_none_statically(case: Any) -> None:
    for i in movable(case):
        assert eager_nones(case, i, 3) == static_nones(case, i, 3), f"input {i}"


@over(c for c in CASES if movable(c) and c.op in CONSTANT)
def test_what_is_constant_has_no_derivative(case: Any) -> None:
    for i in movable(case):
        assert eager_nones(case, i, 1) == [True] == static_nones(case, i, 1)


# --- kinds ------------------------------------------------------------------------------------------------------------


def mixed(case: Any, positions: list[int]) -> None:
    """Check f(a x + b y) = a f(x) + b f(y) in the inputs at the positions together."""
    rng = np.random.default_rng(8)
    one = [random_like(a, rng) if i in positions else a for i, a in enumerate(case.inputs)]
    two = [random_like(a, rng) if i in positions else a for i, a in enumerate(case.inputs)]
    both = [1.5 * p - 0.7 * q if i in positions else p for i, (p, q) in enumerate(zip(one, two, strict=True))]
    for f, g, h in zip(eager(case, one), eager(case, two), eager(case, both), strict=True):
        if numeric(f):
            np.testing.assert_allclose(1.5 * f - 0.7 * g, h, rtol=1e-12, atol=1e-12)


@over(c for c in CASES if table[c.op].kind == "linear" and movable(c) and c.smooth)
def test_linear(case: Any) -> None:
    mixed(case, movable(case))


@over(c for c in CASES if table[c.op].kind == "bilinear" and movable(c) and c.smooth)
def test_bilinear(case: Any) -> None:
    for i in (0, 1):
        mixed(case, [i])


# --- ties and kinks ---------------------------------------------------------------------------------------------------

KINKS = [
    ("abs", {}, [[0.0, -0.0]], [[0.0, 0.0]]),
    ("relu", {}, [[0.0, -0.0]], [[0.0, 0.0]]),
    ("relu6", {}, [[0.0, 6.0]], [[0.0, 0.0]]),
    ("leaky_relu", {"alpha": 0.2}, [[0.0]], [[0.2]]),
    ("elu", {"alpha": 1.0, "scale": 1.0}, [[0.0]], [[1.0]]),
    ("elu", {"alpha": 1.6, "scale": 1.1}, [[0.0]], [[1.1]]),
    ("maximum", {}, [[1.0], [1.0]], [[1.0], [0.0]]),
    ("minimum", {}, [[1.0], [1.0]], [[1.0], [0.0]]),
    ("clip", {}, [[1.0, 2.0], [1.0, 1.0], [2.0, 2.0]], [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]),
    ("max", {"axis": None, "keepdims": False}, [[3.0, 3.0, 1.0]], [[0.5, 0.5, 0.0]]),
    ("min", {"axis": (0,), "keepdims": False}, [[3.0, 1.0, 1.0]], [[0.0, 0.5, 0.5]]),
    ("divide_no_nan", {}, [[2.0], [0.0]], [[0.0], [0.0]]),
    ("xlogy", {}, [[0.0], [0.0]], [[0.0], [0.0]]),
    ("hypot", {}, [[3.0, 0.0], [4.0, 2.0]], [[0.6, 0.0], [0.8, 1.0]]),
    ("integer_power", {"n": 2}, [[0.0]], [[0.0]]),
    ("integer_power", {"n": 0}, [[0.0]], [[0.0]]),
    ("power", {}, [[0.0, 0.0], [2.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]),
    ("sinc_unnormalised", {}, [[0.0]], [[0.0]]),
    ("bessel_i1", {}, [[0.0]], [[0.5]]),
    ("bessel_i1e", {}, [[0.0]], [[0.5]]),
    ("sqrt", {}, [[0.0, 4.0]], [[math.inf, 0.25]]),
    ("prod", {"axis": (0,), "keepdims": False}, [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
    ("prod", {"axis": (0,), "keepdims": False}, [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
]
"""(operation, attributes, inputs, gradients of the sum): what TensorFlow 2.21 answers, where it is not NaN."""


@pytest.mark.parametrize("name, attrs, inputs, expected", KINKS, ids=[f"{k[0]}-{i}" for i, k in enumerate(KINKS)])
def test_kinks(name: str, attrs: Any, inputs: Any, expected: Any) -> None:
    xs = [EagerTensor(np.array(x)) for x in inputs]
    with GradientTape() as tape:
        tape.watch(xs)
        y = apply(table[name], xs, attrs)
    for g, e in zip(tape.gradient(y, xs), expected, strict=True):
        np.testing.assert_array_equal(g.array, e)


def test_sqrt_behind_a_selection_gives_no_nan_at_zero() -> None:
    x = EagerTensor(np.array([0.0, 4.0]))
    with ForwardAccumulator(x, EagerTensor(np.array([0.0, 1.0]))) as acc, GradientTape() as tape:
        tape.watch(x)
        root = apply(table["sqrt"], (x,))
        y = apply(table["where"], (x > 1.0, root, EagerTensor(np.zeros(2))))
    np.testing.assert_array_equal(tape.gradient(y, x).array, [0.0, 0.25])
    np.testing.assert_array_equal(acc.jvp(root).array, [0.0, 0.25])


def test_the_sparse_gradient_of_a_gather_has_derivatives() -> None:
    x = EagerTensor(np.array([1.0, 2.0, 3.0]))
    with ForwardAccumulator(x, EagerTensor(np.ones(3))) as acc, GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as tape:
            tape.watch(x)
            y = apply(table["take"], (x, EagerTensor(np.array([0, 0, 2]))), {"axis": 0, "batch_dims": 0}) ** 3
        g = tape.gradient(y, x)
    np.testing.assert_array_equal(g.numpy(), [6.0, 0.0, 27.0])
    np.testing.assert_array_equal(acc.jvp(g).numpy(), [12.0, 0.0, 18.0])
    np.testing.assert_array_equal(outer.gradient(g, x).numpy(), [12.0, 0.0, 18.0])


# --- random numbers ---------------------------------------------------------------------------------------------------


def distributions() -> list[Any]:
    from scipy import stats

    return [
        ("random_uniform", {"dtype": "float64"}, stats.uniform()),
        ("random_normal", {"dtype": "float64"}, stats.norm()),
        ("truncated_normal", {"dtype": "float64"}, stats.truncnorm(-2, 2)),
        ("random_gamma", {"dtype": "float64"}, stats.gamma(1.7)),
    ]


@pytest.mark.parametrize("name, attrs, law", distributions(), ids=lambda v: v if isinstance(v, str) else "")
def test_distribution(name: str, attrs: Any, law: Any) -> None:
    from scipy import stats

    inputs = (EagerTensor(np.array(1.7)),) if name == "random_gamma" else ()
    x = apply(table[name], inputs, {"shape": (20000,), "seeds": (1, 2), "key": None} | attrs).array
    assert stats.kstest(x, law.cdf).pvalue > 1e-3
