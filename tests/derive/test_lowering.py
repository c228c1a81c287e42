"""Lowering: a list with every rewrite gives what it gives with none, on random programs and at every kink."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import wengert as tf
from wengert.ground.options import Options, options


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle = load("oracle", Path(__file__).parent / "oracle.py")
choices, columns, nested = oracle.choices, oracle.columns, oracle.nested
pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")

v1 = tf.compat.v1
ALL = dict.fromkeys(Options.REWRITES, True)
NONE = dict.fromkeys(Options.REWRITES, False)


def both(fetches: Any, feeds: dict[Any, Any], session: Any = None) -> tuple[Any, Any, list[Any]]:
    """Return the fetches with all rewrites and with none, and how the derivatives were found with them."""
    with session or v1.Session() as session:
        with options.set(**ALL), choices() as how:
            on = session.run(fetches, feeds)
        with options.set(**NONE), choices() as plain:
            off = session.run(fetches, feeds)
    assert {c.method for c in plain} <= {"reverse"}
    return on, off, how


def agree(on: Any, off: Any, rtol: float = 1e-9, what: str = "") -> None:
    """Compare arrays in one structure, relative to the greatest number of each."""
    for k, (a, b) in enumerate(zip(tf.nest.flatten(on), tf.nest.flatten(off), strict=True)):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape, f"{what} {k}: shape {a.shape}, not {b.shape}"
        assert a.dtype == b.dtype, f"{what} {k}: {a.dtype}, not {b.dtype}"
        np.testing.assert_allclose(
            a, b, rtol=rtol, atol=rtol * max(1.0, float(np.abs(b).max(initial=0.0))), err_msg=f"{what} {k}"
        )


def same(fetches: Any, feeds: dict[Any, Any], rtol: float = 1e-9) -> list[Any]:
    on, off, how = both(fetches, feeds)
    agree(on, off, rtol)
    return how


# --- random programs ----------------------------------------------------------------------------------------------------

UNARY: dict[str, Callable[[Any], Any]] = {
    "tanh": tf.tanh,
    "sin": tf.sin,
    "exp": lambda a: tf.exp(0.3 * tf.tanh(a)),
    "square": lambda a: tf.square(tf.sin(a)),
    "sigmoid": tf.sigmoid,
    "softplus": tf.math.softplus,
    "swish": lambda a: a * tf.sigmoid(a),
    "cube": lambda a: tf.tanh(a) ** 3,
    "reciprocal": lambda a: 1.0 / (2.0 + tf.cos(a)),
    "sqrt": lambda a: tf.sqrt(1.5 + tf.sin(a)),
    "log": lambda a: tf.math.log(1.5 + tf.cos(a)),
    "negative": lambda a: -a,
    "shift": lambda a: 0.5 * a + 0.25,
    "relu": tf.nn.relu,
    "abs": tf.abs,
    "clip": lambda a: tf.clip_by_value(a, -0.4, 0.6),
    "where": lambda a: tf.where(a > 0.1, a * a, 2.0 * a),
    "halt": lambda a: a * tf.stop_gradient(tf.cos(a)),
    "row sum": lambda a: tf.reduce_sum(a, axis=1, keepdims=True) * 0.5,
    "row mean": lambda a: a - tf.reduce_mean(a, axis=1, keepdims=True),
    "softmax": tf.nn.softmax,
    "flip": lambda a: tf.reverse(a, [1]),
    "double": lambda a: tf.concat([a, a[:, :1]], 1),
    "first": lambda a: a[:, 0:1],
    "last": lambda a: a[:, -1:],
    "squeezed": lambda a: tf.expand_dims(tf.reduce_sum(a, 1), 1),
    "transposed": lambda a: tf.transpose(tf.sin(tf.transpose(a))),
    "floor": lambda a: tf.floor(a * 3.0) * 0.1 + a,
    "identity": tf.identity,
    "cumulated": lambda a: tf.cumsum(a, axis=1),
}
MIXING: dict[str, Callable[[Any], Any]] = {
    "mean": lambda a: a - tf.reduce_mean(a),
    "cumulated rows": lambda a: tf.cumsum(a, axis=0) * 0.3,
    "turned rows": lambda a: a * a[::-1],
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b[:, :1],
    "subtract": lambda a, b: a[:, :1] - b,
    "multiply": lambda a, b: a * b[:, :1],
    "divide": lambda a, b: a / (2.0 + tf.cos(b[:, :1])),
    "maximum": lambda a, b: tf.maximum(a, b[:, :1]),
    "atan2": lambda a, b: tf.atan2(a[:, :1], 2.0 + b * b),
    "concat": lambda a, b: tf.concat([a, b], 1),
    "select": lambda a, b: tf.where(b[:, :1] > 0.0, a, -a),
    "power": lambda a, b: (1.5 + tf.sin(a)) ** b[:, :1],
    "contract": lambda a, b: tf.reduce_sum(a[:, :1] * tf.tanh(b), 1, keepdims=True),
}
NUMBER = st.integers(0, 99)
STEP = st.one_of(
    st.tuples(st.just("layer"), NUMBER, st.sampled_from([1, 2, 3]), st.sampled_from(["tanh", "sin", "swish", "softplus"])),
    st.tuples(st.sampled_from(sorted(UNARY)), NUMBER),
    st.tuples(st.sampled_from(sorted(BINARY)), NUMBER, NUMBER),
)
PROGRAM = st.lists(STEP, min_size=1, max_size=6)
COORDINATE = st.sampled_from(["x", "t", "X0", "X1", "u"])
CHAIN = st.lists(st.tuples(COORDINATE, st.booleans()), min_size=1, max_size=4)
RNG = np.random.default_rng(17)
NUMBERS = RNG.uniform(-1.0, 1.0, (40, 8, 3))


class Scene:
    """A graph with columns x and t, X of both beside each other, and weights."""

    def __init__(self, rows: int | None, dtype: Any = tf.float64) -> None:
        self.dtype = dtype
        self.x, self.t = columns(rows, "x", "t", dtype=dtype)
        self.X = tf.concat([self.x, self.t], 1)
        self.weights: list[Any] = []
        self.feeds: dict[Any, Any] = {}
        self.middle: Any = None

    def weight(self, k: int, m: int) -> Any:
        w = v1.placeholder(self.dtype, [k, m])
        self.feeds[w] = NUMBERS[len(self.weights), :k, :m]
        self.weights.append(w)
        return w

    def build(self, program: Any, joined: bool) -> Any:
        """Apply the steps; each reads earlier values, chosen by number. The last one counts."""
        values = [self.X] if joined else [self.x, self.t]
        for name, *rest in program:
            chosen = [values[k % len(values)] for k in rest if isinstance(k, int)]
            if any(a.shape[1] > 6 for a in chosen):
                chosen = [a[:, :3] for a in chosen]
            if name == "layer":
                a = chosen[0]
                values.append(UNARY[rest[2]](tf.matmul(a, self.weight(a.shape[1], rest[1])) + self.weight(1, rest[1])))
            else:
                values.append({**UNARY, **MIXING, **BINARY}[name](*chosen))
            if self.middle is None:
                self.middle = values[-1]
        return values[-1]

    def points(self, n: int) -> dict[Any, Any]:
        rng = np.random.default_rng(3)
        return {self.x: rng.uniform(-0.9, 0.9, (n, 1)), self.t: rng.uniform(-0.9, 0.9, (n, 1)), **self.feeds}

    def derivative(self, y: Any, by: str, weighted: bool) -> Any:
        """Return the derivative by a coordinate, None if there is none."""
        source = {"x": self.x, "t": self.t, "X0": self.X, "X1": self.X, "u": self.middle}[by]
        g = tf.gradients(y, source, grad_ys=tf.sin(3.0 * y) + 0.5 if weighted else None)[0]
        if g is None:
            return None
        return g[:, 0:1] if by == "X0" else g[:, 1:2] if by == "X1" else g

    def chain(self, y: Any, chain: Any) -> list[Any]:
        found = []
        for k, (by, weighted) in enumerate(chain):
            # The derivatives of v = a ** b by a and b are a formula without v and one with it. So how a mixed derivative, as a
            # graph, depends on v is a matter of the order in which it was taken, and a derivative of it by v means nothing.
            if by == "u" and k and self.middle.op.type == "Pow":
                by = "x"
            y = self.derivative(y, by, weighted)
            if y is None:
                break
            found.append(y)
        return found

    def losses(self, values: Any) -> list[Any]:
        """Return the mean of the square of a sum, and its gradient by the weights."""
        total = 0.0
        for k, v in enumerate(values):
            total = total + (1.0 + 0.5 * k) * tf.reduce_sum(v, 1, keepdims=True)
        loss = tf.reduce_mean(tf.square(total))
        gs = tf.gradients(loss, self.weights) if self.weights else []
        return [loss, *[g for g in gs if g is not None]]


LAYER = ("layer", 0, 3, "tanh")
DEEP = [LAYER, ("layer", 1, 3, "sin"), ("layer", 2, 1, "tanh")]


@settings(max_examples=60)
@given(PROGRAM, st.lists(CHAIN, min_size=1, max_size=3), st.booleans(), st.sampled_from([(None, 4), (4, 4), (None, 1), (1, 1)]))
@example(DEEP, [[("x", False)] * 4, [("t", False), ("x", False)]], True, (None, 4))
@example(DEEP, [[("X0", False)] * 2, [("X1", True), ("X0", False)]], True, (4, 4))
@example(DEEP, [[("u", False), ("x", False)]], True, (None, 4))
@example(DEEP, [[("x", False), ("u", True), ("t", False)]], True, (None, 4))
def test_programs(program: Any, chains: Any, joined: bool, rows: Any) -> None:
    with tf.Graph().as_default():
        scene = Scene(rows[0])
        u = scene.build(program, joined)
        found = [scene.chain(u, c if joined else [(by if by[0] != "X" else "x", w) for by, w in c]) for c in chains]
        ends = [f[-1] for f in found if f]
        fetches = [u, *[g for f in found for g in f], *(scene.losses(ends) if ends else [])]
        same(fetches, scene.points(rows[1]))


@settings(max_examples=30)
@given(PROGRAM, CHAIN, st.sampled_from([(None, 4), (4, 4)]))
def test_only_the_end_of_a_chain(program: Any, chain: Any, rows: Any) -> None:
    """What lies between is used once, so that it need not be computed."""
    with tf.Graph().as_default():
        scene = Scene(rows[0])
        found = scene.chain(scene.build(program, True), chain)
        if found:
            same([found[-1]], scene.points(rows[1]))
            same(scene.losses(found[-1:]), scene.points(rows[1]))


@settings(max_examples=25)
@given(PROGRAM, st.sampled_from(sorted(MIXING)), CHAIN)
def test_programs_that_mix_rows(program: Any, mixing: str, chain: Any) -> None:
    with tf.Graph().as_default():
        scene = Scene(None)
        u = scene.build([*program, (mixing, len(program)), ("sin", len(program) + 1)], True)
        found = scene.chain(u, chain)
        if found:
            same([u, *found, *scene.losses(found[-1:])], scene.points(4))


@settings(max_examples=20)
@given(PROGRAM, CHAIN)
def test_programs_in_float32(program: Any, chain: Any) -> None:
    """Both lists round differently; a derivative of order k of numbers of size 1 has lost some of its 7 digits."""
    with tf.Graph().as_default():
        scene = Scene(None, tf.float32)
        found = scene.chain(scene.build(program, True), [(by, False) for by, _ in chain])
        if found:
            same(found, scene.points(4), 2e-4)


# Expressions of derivatives, as in partial differential equations: f(d, u) with d(name) the derivative by a list of columns.
EQUATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "Laplacian": lambda d, u: d("xx") + d("tt"),
    "wave": lambda d, u: d("tt") - 2.25 * d("xx"),
    "heat": lambda d, u: d("t") - 0.3 * d("xx"),
    "Burgers": lambda d, u: d("t") + u * d("x") - 0.1 * d("xx"),
    "Korteweg-de Vries": lambda d, u: d("t") + 6.0 * u * d("x") + d("xxx"),
    "biharmonic": lambda d, u: d("xxxx") + 2.0 * d("xxtt") + d("tttt"),
    "Kuramoto-Sivashinsky": lambda d, u: d("t") + u * d("x") + d("xx") + d("xxxx"),
    "divergence form": lambda d, u: d("x", (1.0 + u * u) * d("x")) + d("t", u * d("t")),
    "square of a derivative": lambda d, u: d("x") ** 2 + d("t") ** 2 - 1.0,
    "derivative of a sum": lambda d, u: d("x", d("x") + d("t")) - d("t", d("x") - d("t")),
    "derivative of a Laplacian": lambda d, u: d("x", d("xx") + d("tt")),
    "mixed orders": lambda d, u: d("x") + d("xx") + d("xxx") + d("tx") - d("xt"),
    "halves": lambda d, u: (d("xx") + d("tt")) / 2.0 - (-d("xx")),
    "twice the same": lambda d, u: d("xx") + d("xx") + d("xx") * d("xx"),
    "cancelled": lambda d, u: d("xx") - d("xx") + d("t"),
    "sine of a Laplacian": lambda d, u: tf.sin(d("xx") + d("tt")),
    "derivative of an expression": lambda d, u: d("x", tf.sin(d("x")) * u) - d("t", tf.exp(0.2 * d("xx"))),
}


@pytest.mark.parametrize("way", ["columns", "slices", "joined"])
@pytest.mark.parametrize("rows", [(None, 5), (5, 5), (1, 1)])
@pytest.mark.parametrize("name", EQUATIONS)
def test_equations(name: str, rows: Any, way: str) -> None:
    """``way``: by x and t apart, by slices of the gradient by X fed as one, or by X made of both."""
    with tf.Graph().as_default():
        scene = Scene(rows[0])
        if way == "slices":
            X = v1.placeholder(tf.float64, [rows[0], 2])
            scene.X = X
        u = scene.build(DEEP, True)

        def d(by: str, y: Any = None) -> Any:
            y = u if y is None else y
            for c in by:
                y = tf.gradients(y, scene.X)[0][:, "xt".index(c) :][:, :1] if way != "columns" else scene.derivative(y, c, False)
            return y

        residual = EQUATIONS[name](d, u)
        feeds = scene.points(rows[1])
        if way == "slices":
            feeds = {X: np.concatenate([feeds.pop(scene.x), feeds.pop(scene.t)], 1), **feeds}
        how = same([residual, *scene.losses([residual])], feeds)
        one = rows[1] == 1 and way != "columns"  # one row of several columns is left to reverse mode
        assert one or any(c.method == "taylor" for c in how)
        how = same([residual], feeds)
        assert one or {c.method for c in how if c.order > 1} <= {"taylor"}


@pytest.mark.parametrize("columns_", [3, 5, 8])
@pytest.mark.parametrize("rows", [None, 4, 1])
def test_laplacian_of_many_columns(columns_: int, rows: int | None) -> None:
    """Many directions of one sum stand side by side."""
    n = rows or 4
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [rows, columns_])
        w1, w2, b = [v1.placeholder(tf.float64, s) for s in ([columns_, 3], [3, 1], [1, 3])]
        h = tf.tanh(tf.matmul(x, w1) + b) * tf.sin(x[:, :1])
        u = tf.matmul(tf.concat([h[:, :2], tf.exp(0.3 * h[:, 2:])], 1), w2) + tf.reduce_sum(x**3, 1, keepdims=True)
        g = tf.gradients(u, x)[0]
        terms = [tf.gradients(g[:, j : j + 1], x)[0][:, j : j + 1] for j in range(columns_)]
        laplacian = tf.add_n(terms)
        scaled = 0.5 * tf.add_n(terms[:-1]) - terms[-1] + u * g[:, :1]
        loss = tf.reduce_mean(tf.square(laplacian - tf.sin(u)))
        feeds = {
            x: NUMBERS.ravel()[: n * columns_].reshape(n, columns_), w1: NUMBERS.ravel()[: columns_ * 3].reshape(columns_, 3),
            w2: NUMBERS[1, :3, :1], b: NUMBERS[2, :1],
        }  # fmt: skip
        how = same([laplacian], feeds)
        assert rows == 1 or {c.method for c in how} == {"taylor"}
        same([scaled], feeds)
        same([loss, tf.gradients(loss, [w1, w2, b])], feeds)
        same([g, laplacian, *terms, loss, scaled], feeds)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_all_columns_at_once(order: int) -> None:
    """The gradient of the sum of the gradient, not of a column of it."""
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 3])
        u = tf.sin(tf.matmul(x, tf.constant(NUMBERS[0, :3, :2]))) * x[:, 1:]
        same(nested(u, *[x] * order), {x: NUMBERS[5, :4]})


def test_columns_by_unstack_and_split() -> None:
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 3])
        u = tf.sin(tf.matmul(x, tf.constant(NUMBERS[0, :3, :1]))) * x[:, 1:2]
        g = tf.gradients(u, x)[0]
        a, b, c = tf.split(g, 3, 1)
        p, _, q = tf.unstack(g, axis=1)
        ga = tf.gradients(a, x)[0]
        gq = tf.gradients(q, x)[0]
        how = same([b, c, p, ga[:, 2], ga[:, ::-1], gq[..., 1], tf.unstack(gq, axis=1)[0], gq[1:2]], {x: NUMBERS[5, :4]})
        assert any(c.method == "taylor" for c in how)


# --- shapes of the coordinate -------------------------------------------------------------------------------------------


def smooth(x: Any) -> Any:
    return tf.exp(tf.sin(x)) * (1.0 + 0.3 * x)


SHAPES: dict[str, tuple[Any, Any, Any, bool]] = {
    "a number": ([], np.array(0.4), smooth, True),
    "a number against a vector": ([], np.array(0.4), lambda x: smooth(x * tf.constant([0.3, -0.8, 1.1], tf.float64)), True),
    "a number against a matrix": ([], np.array(0.4), lambda x: tf.linalg.det(tf.constant(NUMBERS[0, :3]) * x + 2.0), True),
    "one element": ([1], np.array([0.4]), smooth, True),
    "one row and column": ([1, 1], np.array([[0.4]]), smooth, True),
    "one row and column against rows": ([1, 1], np.array([[0.4]]), lambda x: smooth(x * tf.constant(NUMBERS[0, :4])), True),
    "a vector": ([4], NUMBERS[0, :4, 0], smooth, True),
    "a vector of unknown length": ([None], NUMBERS[0, :4, 0], smooth, True),
    "a vector as a column": (
        [None], NUMBERS[0, :4, 0], lambda x: tf.matmul(smooth(x[:, None]), tf.ones([1, 3], tf.float64)), True),
    "a vector summed": ([4], NUMBERS[0, :4, 0], lambda x: tf.reduce_sum(smooth(x)), True),
    "a vector of parameters": ([4], NUMBERS[0, :4, 0], lambda x: tf.sin(x[0] * x[1]) + x[2] * x[3] * x[0], False),
    "three columns": ([None, 3], NUMBERS[0, :4], lambda x: smooth(x[:, :1]) * tf.sin(x[:, 1:2]) * x[:, 2:], True),
    "a row": ([1, 4], NUMBERS[0, :4, :1].T, smooth, True),
    "a row of unknown length": ([1, None], NUMBERS[0, :4, :1].T, smooth, True),
    "columns that are points": ([2, 5], NUMBERS[0, :5, :2].T, lambda x: smooth(x[:1]) * tf.sin(x[1:] + x[:1]), True),
    "columns that are points, a network": (
        [2, None], NUMBERS[0, :5, :2].T,
        lambda x: tf.tanh(tf.matmul(tf.constant(NUMBERS[3, :2, :2]), tf.sin(x))), True),
    "one row against more": ([1, 3], NUMBERS[0, :1], lambda x: smooth(x) * tf.constant(NUMBERS[1, :4]), False),
    "rows against more": ([3, 1], NUMBERS[0, :3, :1], lambda x: smooth(x) * tf.constant(NUMBERS[1, :1]), True),
    "unknown rows against one": ([None, 1], NUMBERS[0, :1, :1], lambda x: smooth(x) * tf.constant(NUMBERS[1, :3]), False),
    "unknown rows, one of them, broadcast": (
        [None, 1], NUMBERS[0, :1, :1], lambda x: tf.broadcast_to(tf.sin(x), [3, 1]) * x, False),
    "rows of matrices": (
        [None, 2, 2], NUMBERS[0, :8, :2].reshape(4, 2, 2), lambda x: tf.linalg.det(x) * tf.sin(x[:, 0, 0]), False),
    "nothing in it": ([None, 1], np.zeros((0, 1)), smooth, True),
    "no columns": ([None, 0], np.zeros((3, 0)), lambda x: tf.reduce_sum(smooth(x), 1, keepdims=True), False),
    "of unknown rank": (None, NUMBERS[0, :4, :1], smooth, True),
    "of unknown columns": ([None, None], NUMBERS[0, :4, :1], smooth, True),
    "rows that are reshaped": ([None, 1], NUMBERS[0, :4, :1], lambda x: tf.reshape(smooth(tf.reshape(x, [-1])), [-1, 1]), True),
    "rows that are folded": ([4, 1], NUMBERS[0, :4, :1], lambda x: tf.reduce_prod(tf.reshape(smooth(x), [2, 2]), 1), False),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str, order: int) -> None:
    shape, point, f, taylor = SHAPES[name]
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, shape, name="x")
        y = f(x)
        g = nested(y, *[x] * order)
        weighted = tf.gradients(tf.gradients(y, x, grad_ys=tf.cos(y))[0], x)[0]
        how = same([g, weighted], {x: point})
        how = [c for c in how if c.order == order]
        if taylor and order > 1:
            assert "taylor" in {c.method for c in how}, how


def test_a_batch_of_another_size_in_the_next_run() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        x = columns(None, "x")[0]
        u = smooth(x) / tf.cast(tf.shape(x)[0], tf.float64)
        g = nested(u, x, x, x)
        for n in (4, 1, 7, 0, 2, 9, 10, 11, 12, 13, 14):
            point = np.linspace(-0.9, 0.9, n)[:, None]
            with options.set(**ALL):
                on = session.run(g, {x: point})
            with options.set(**NONE):
                agree(on, session.run(g, {x: point}), what=f"{n} rows")


# --- kinks -----------------------------------------------------------------------------------------------------------------
# What TensorFlow answers for nested gradients of the sum, orders 1 to 3. A selection is held fixed, and abs goes by sign.

X3 = [[-0.5], [0.0], [0.5]]
KINKS: dict[str, tuple[Callable[[Any], Any], Any, list[Any]]] = {
    "relu": (tf.nn.relu, X3, [[0, 0, 1], [0, 0, 0], [0, 0, 0]]),
    "relu of minus x": (lambda x: tf.nn.relu(-x), X3, [[-1, 0, 0], [0, 0, 0], [0, 0, 0]]),
    "relu cubed": (lambda x: tf.nn.relu(x) ** 3, X3, [[0, 0, 0.75], [0, 0, 3], [0, 0, 6]]),
    "relu squared": (lambda x: tf.square(tf.nn.relu(x)), X3, [[0, 0, 1], [0, 0, 2], [0, 0, 0]]),
    "relu times x": (lambda x: tf.nn.relu(x) * x, X3, [[0, 0, 1], [0, 0, 2], [0, 0, 0]]),
    "relu6": (tf.nn.relu6, [[0.0], [6.0], [3.0]], [[0, 0, 1], [0, 0, 0], [0, 0, 0]]),
    "leaky_relu": (lambda x: tf.nn.leaky_relu(x, 0.25), X3, [[0.25, 0.25, 1], [0, 0, 0], [0, 0, 0]]),
    "abs": (tf.abs, X3, [[-1, 0, 1], [0, 0, 0], [0, 0, 0]]),
    "abs cubed": (lambda x: tf.abs(x) ** 3, X3, [[-0.75, 0, 0.75], [3, 0, 3], [-6, 0, 6]]),
    "abs times x": (lambda x: tf.abs(x) * x, X3, [[1, 0, 1], [-2, 0, 2], [0, 0, 0]]),
    "sign": (lambda x: tf.sign(x) * x * x, X3, [[1, 0, 1], [-2, 0, 2], [0, 0, 0]]),
    "maximum": (lambda x: tf.maximum(x * x, x), [[-0.5], [0.0], [1.0], [0.5]], [[-1, 0, 2, 1], [2, 2, 2, 0], [0] * 4]),
    "maximum, second": (lambda x: tf.maximum(x, x * x), [[-0.5], [0.0], [1.0], [0.5]], [[-1, 1, 1, 1], [2, 0, 0, 0], [0] * 4]),
    "minimum": (lambda x: tf.minimum(x * x, x), [[-0.5], [0.0], [1.0], [0.5]], [[1, 0, 2, 1], [0, 2, 2, 2], [0] * 4]),
    "maximum with a number": (lambda x: tf.maximum(x, 0.0) * x, X3, [[0, 0, 1], [0, 2, 2], [0, 0, 0]]),
    "clip": (lambda x: tf.clip_by_value(x, 0.0, 1.0) ** 2, [[-0.5], [0.0], [0.5], [1.0], [1.5]],
             [[0, 0, 1, 2, 0], [0, 2, 2, 2, 0], [0] * 5]),
    "where": (lambda x: tf.where(x > 0.0, x**3, -(x**2)), X3, [[1, 0, 0.75], [-2, -2, 3], [0, 0, 6]]),
    "where, at its other side": (lambda x: tf.where(x >= 0.0, x**3, -(x**2)), X3, [[1, 0, 0.75], [-2, 0, 3], [0, 6, 6]]),
    "elu": (tf.nn.elu, [[-1.0], [0.0], [0.5]], [[math.exp(-1), 1, 1], [math.exp(-1), 0, 0], [math.exp(-1), 0, 0]]),
    "x to the power 2": (lambda x: x**2, X3, [[-1, 0, 1], [2, 2, 2]]),
    "x to the power 0": (lambda x: x**0 * x, X3, [[1, 1, 1], [0, 0, 0], [0, 0, 0]]),
    "floor": (lambda x: tf.floor(x) * x, [[-0.5], [0.0], [1.0]], [[-1, 0, 1]]),
    "remainder": (lambda x: tf.math.floormod(x, 1.0) ** 2, [[0.25], [1.0], [1.75]], [[0.5, 0, 1.5], [2, 2, 2], [0, 0, 0]]),
    "max of columns": (lambda x: tf.reduce_max(tf.concat([x, x * x], 1), 1), [[-0.5], [1.0], [0.5]],
                       [[-1, 1.5, 1], [2, 1, 0], [0, 0, 0]]),
    "max of columns, a square": (
        lambda x: tf.reduce_max(tf.concat([x, 0 * x], 1), 1) ** 2, X3, [[0, 0, 1], [0, 0.5, 2], [0, 0, 0]]),
    "divided by nothing": (lambda x: tf.math.divide_no_nan(x, x * 0.0), X3, [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
    "times nothing": (lambda x: tf.math.multiply_no_nan(tf.sin(x), tf.zeros_like(x)), X3, [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
    "x log x": (lambda x: tf.math.xlogy(x, x + 1.0), [[0.0], [1.0]], [[0, math.log(2) + 0.5], [0, 0.75], [0, -0.5]]),
}  # fmt: skip


@pytest.mark.parametrize("rows", [None, "known"])
@pytest.mark.parametrize("name", KINKS)
def test_kinks(name: str, rows: Any) -> None:
    f, points, expected = KINKS[name]
    with tf.Graph().as_default():
        x = columns(None if rows is None else len(points), "x")[0]
        gs = [nested(f(x), *[x] * k) for k in range(1, 4)]
        there = [g for g in gs if g is not None]
        on, off, how = both(there, {x: points})
        alone = [both(g, {x: points})[0] for g in there]
    for k, e in enumerate(expected):
        if gs[k] is None:
            np.testing.assert_array_equal(e, 0)
        else:
            np.testing.assert_allclose(off[k][:, 0], e, rtol=1e-14, atol=1e-14, err_msg=f"{name}, order {k + 1}, reverse")
            np.testing.assert_allclose(on[k][:, 0], e, rtol=1e-14, atol=1e-14, err_msg=f"{name}, order {k + 1}, taylor")
            np.testing.assert_allclose(alone[k][:, 0], e, rtol=1e-14, atol=1e-14, err_msg=f"{name}, order {k + 1}, alone")
    assert {c.method for c in how} == {"taylor"}, how


def test_sqrt_behind_a_selection() -> None:
    """Nothing comes of the infinite slope at 0 where nothing is handed back."""
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        y = tf.where(x > 0.5, tf.sqrt(x), tf.zeros_like(x))
        gs = [nested(y, *[x] * k) for k in range(1, 3)]
        on, off, _ = both(gs[:1], {x: [[0.0], [4.0]]})
        np.testing.assert_array_equal(off[0], [[0.0], [0.25]])
        np.testing.assert_array_equal(on[0], [[0.0], [0.25]])


# --- what has no derivative, what is fed, what has a rule of its own -----------------------------------------------------


def test_absent_derivatives_stay_absent() -> None:
    def answers() -> list[bool]:
        with tf.Graph().as_default():
            x, t = columns(None, "x", "t")
            u = tf.sin(x) * 2.0 + 3.0 * t
            one = tf.gradients(u, [x, t])
            asked = [*one, *tf.gradients(one[0], [x, t]), *tf.gradients(one[1], [x, t]), nested(x * x, x, x, x)]
            asked += [tf.gradients(tf.stop_gradient(u), x)[0], tf.gradients(tf.floor(u), x)[0]]
            asked += tf.gradients(u, tf.constant(1.0))
            there = [g for g in asked if g is not None]
            same(there, {x: [[0.3]], t: [[0.2]]})
            return [g is None for g in asked]

    with options.set(**ALL):
        on = answers()
    with options.set(**NONE):
        off = answers()
    assert on == off == [False, False, False, True, True, True, True, True, True, True]


def test_a_gradient_that_is_there_and_zero() -> None:
    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        y = tf.sign(x) * t + 0.0 * x + tf.sin(t)
        on, off, _ = both([nested(y, x), nested(y, t, x), nested(y, t, t)], {x: [[0.3], [0.0]], t: [[0.2], [0.1]]})
        agree(on, off)
        np.testing.assert_array_equal(on[0], [[0.0], [0.0]])
        np.testing.assert_array_equal(on[1], [[0.0], [0.0]])


def test_integers() -> None:
    with tf.Graph().as_default():
        n = v1.placeholder(tf.int32, [None, 1])
        x = columns(None, "x")[0]
        assert tf.gradients(tf.cast(n, tf.float64) * 2.0, n)[0] is None
        u = tf.sin(x) * tf.cast(n, tf.float64) + tf.cast(tf.cast(x, tf.int32), tf.float64) * x
        gs = [nested(u, *[x] * k) for k in (1, 2, 3)]
        on, off, how = both(gs[:2], {x: [[0.3], [2.5]], n: [[2], [-3]]})
        agree(on, off)
        np.testing.assert_allclose(on[1], -np.sin([[0.3], [2.5]]) * [[2.0], [-3.0]], rtol=1e-14)
        assert {c.method for c in how} == {"taylor"}


def test_stops() -> None:
    """A derivative reaches a stop that is an x, and does not pass through it."""
    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        u = tf.sin(x * t)
        w = u * u * x
        first = tf.gradients(w, [x, u], stop_gradients=[u])
        second = tf.gradients(first[0] * x, [x, t], stop_gradients=[u])
        through = tf.gradients(first[0], x)[0]
        stopped = tf.gradients(w, x, stop_gradients=[x * t])[0]
        again = tf.gradients(tf.gradients(w, x, stop_gradients=[t])[0], t, stop_gradients=[x])[0]
        fetches = [g for g in [*first, *second, through, stopped, again] if g is not None]
        point = {x: [[0.3], [0.7]], t: [[0.2], [-0.4]]}
        on, off, _ = both(fetches, point)
        agree(on, off)
        u0 = np.sin(point[x] * np.array(point[t]))
        np.testing.assert_allclose(on[0], u0**2, rtol=1e-14)
        np.testing.assert_allclose(on[1], 2 * u0 * point[x], rtol=1e-14)


def test_feeding_an_intermediate_tensor() -> None:
    """Its value is what is fed, and the derivative passes on as if it had been computed."""
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        u = tf.sin(x)
        y = u * u * x
        gs = [nested(y, *[x] * k) for k in (1, 2, 3)]
        by_u = [nested(y, *[u] * k) for k in (1, 2)]
        point, value = np.array([[0.3], [0.7]]), np.array([[2.0], [-1.0]])
        on, off, how = both([y, *gs[:1], *by_u], {x: point, u: value})
        agree(on, off)
        np.testing.assert_allclose(on[0], value**2 * point, rtol=1e-14)
        np.testing.assert_allclose(on[1], 2 * value * np.cos(point) * point + value**2, rtol=1e-14)
        np.testing.assert_allclose(on[2], 2 * value * point, rtol=1e-14)
        np.testing.assert_allclose(on[3], 2 * point, rtol=1e-14)
        agree(*both(gs, {x: point, u: value})[:2])
        assert any(c.method == "taylor" for c in how)


def test_feeding_a_gradient() -> None:
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        u = tf.sin(x)
        g = tf.gradients(u, x)[0]
        h = tf.gradients(g * g * x, x)[0]
        k = tf.gradients(h, x)[0]
        point, value = np.array([[0.3], [0.7]]), np.array([[2.0], [-1.0]])
        on, off, _ = both([g, g * 3.0, h], {x: point, g: value})
        agree(on, off)
        np.testing.assert_allclose(on[1], 3 * value, rtol=1e-14)
        np.testing.assert_allclose(on[2], value**2 - 2 * value * np.sin(point) * point, rtol=1e-14)
        agree(*both([h, k], {x: point, g: value})[:2])
        agree(*both([h, k], {x: point})[:2])


def test_feeding_a_column_of_a_gradient() -> None:
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 2])
        g = tf.gradients(tf.sin(x[:, :1]) * x[:, 1:], x)[0]
        first = g[:, :1]
        h = tf.gradients(first * x[:, :1], x)[0][:, 1:]
        point = np.array([[0.3, 0.2], [0.7, -0.5]])
        agree(*both([h, g], {x: point})[:2])
        agree(*both([h, first], {x: point, first: [[1.0], [2.0]]})[:2])
        agree(*both([h, g], {x: point, g: [[1.0, 3.0], [2.0, 4.0]]})[:2])


@tf.custom_gradient
def bent(x: Any) -> Any:
    """A square with a slope of its own."""
    return x * x, lambda g: g * 7.0 * x


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_rule_of_the_users(order: int) -> None:
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        g = nested(bent(tf.sin(x)), *[x] * order)
        on, off, how = both(g, {x: [[0.3], [0.7]]})
        agree(on, off)
        # What the rule hands back is made of operations: their derivatives may go by series.
        first = [c for c in how if c.order == 1]
        assert {c.method for c in first} == {"reverse"}
        assert all("custom_gradient states no series" in c.reason or "custom_gradient has no rule" in c.reason for c in first), (
            how
        )
        s, c = np.sin([[0.3], [0.7]]), np.cos([[0.3], [0.7]])
        if order == 1:
            np.testing.assert_allclose(on, 7 * s * c, rtol=1e-14)
        if order == 2:
            np.testing.assert_allclose(on, 7 * (c * c - s * s), rtol=1e-14)


def test_a_rule_of_the_users_beside_the_way() -> None:
    """It falls out of the way of t, and stands in that of x."""
    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        u = bent(tf.sin(x)) * tf.cos(t)
        fetches = [nested(u, t, t), nested(u, t, x), nested(u, x, t), nested(u, t, t, x)]
        same(fetches, {x: [[0.3], [0.7]], t: [[0.2], [-0.4]]})
        how = same(fetches[:1], {x: [[0.3], [0.7]], t: [[0.2], [-0.4]]})
        assert {c.method for c in how} == {"taylor"}


def test_a_python_function_on_the_way() -> None:
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        y = tf.py_function(lambda a: a * a * a, [tf.sin(x)], tf.float64)
        y.set_shape([None, 1])
        g = tf.gradients(y * x, x)[0]
        on, off, how = both(g, {x: [[0.3], [0.7]]})
        agree(on, off)
        assert {c.method for c in how} == {"reverse"}
        assert all("py_function" in c.reason for c in how)


@pytest.mark.parametrize("shape", [(), (1,), (4, 1), (4, 2)])
def test_variables_as_coordinates(shape: Any) -> None:
    with tf.Graph().as_default():
        v = v1.Variable(NUMBERS.ravel()[: math.prod(shape)].reshape(shape))
        y = smooth(v) * v
        gs = [nested(y, *[v] * k) for k in (1, 2, 3)]
        loss = tf.reduce_sum(gs[1] ** 2)
        fetches = [*gs, tf.gradients(loss, v)[0]]
        session = v1.Session()
        session.run(v1.global_variables_initializer())
        on, off, _ = both(fetches, {}, session)
        agree(on, off)


def test_variables_as_weights() -> None:
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        w = v1.Variable(NUMBERS[0, :1])
        v = v1.Variable(NUMBERS[1, :3, :1])
        u = tf.matmul(tf.tanh(tf.matmul(x, w)), v)
        residual = nested(u, x, x) + u * nested(u, x)
        loss = tf.reduce_mean(residual**2)
        grads = tf.gradients(loss, [w, v])
        hessian = tf.gradients(tf.reduce_sum(grads[0]), [w, v])
        session = v1.Session()
        session.run(v1.global_variables_initializer())
        on, off, how = both([loss, *grads, *hessian], {x: NUMBERS[5, :4, :1]}, session)
        agree(on, off)
        assert {c.method for c in how if c.what.startswith("x ")} == {"taylor"}


PICKED: dict[str, Callable[[Any], Any]] = {
    "a row": lambda g: g[2],
    "a row, kept": lambda g: g[1:2],
    "rows": lambda g: g[1:],
    "the last rows": lambda g: g[-2:],
    "every other": lambda g: g[::2],
    "turned": lambda g: g[::-1] * tf.constant(NUMBERS[0, :4, :1]),
    "turned columns": lambda g: tf.transpose(g)[:, 1:],
    "squeezed": lambda g: tf.squeeze(g, 1)[1:3],
    "folded": lambda g: tf.reshape(g, [2, 2])[1:],
    "summed up": lambda g: tf.cumsum(g),
    "beside each other": lambda g: tf.concat([g[1:2], g], 0),
    "apart": lambda g: tf.split(g, 2, 0)[1],
    "padded": lambda g: tf.pad(g, [[1, 0], [0, 0]]),
    "gathered": lambda g: tf.gather(g, [3, 1, 1]),
    "from the left": lambda g: tf.matmul(tf.constant(NUMBERS[0, :2, :2].repeat(2, 1)), g),
}


@pytest.mark.parametrize("name", PICKED)
def test_rows_of_a_derivative(name: str) -> None:
    """The derivative of a linear function is one row for all, of which there are no others to pick."""
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        for u in (3.0 * x, x * x, tf.sin(x), tf.concat([x, 2.0 * x], 1)):
            for order in (1, 2):
                g = nested(u, *[x] * order)
                if g is not None:
                    y = PICKED[name](g)
                    same([y], {x: NUMBERS[5, :4, :1]})
                    again = tf.gradients(y, x)[0]
                    if again is not None:
                        same([again], {x: NUMBERS[5, :4, :1]})


SCALES: dict[str, Callable[[Any, Any], Any]] = {
    "divided": lambda x, w: tf.tanh(x / w),
    "divided, a constant row": lambda x, w: tf.tanh(x / (1.0 + w * w)) * tf.sin(x),
    "divides": lambda x, w: tf.tanh(w / (1.5 + x)),
    "an angle": lambda x, w: tf.sin(tf.atan2(x, w)),
    "a power": lambda x, w: tf.sin((1.5 + tf.sin(x)) ** w),
    "a logarithm": lambda x, w: tf.math.xlogy(w, 1.5 + x) * x,
    "a hypotenuse": lambda x, w: tf.sin(x) * tf.math.sqrt(x * x + w * w + 0.25),
    "a greater one": lambda x, w: tf.maximum(tf.sin(x), w - 1.2) ** 3 / w,
    "chosen": lambda x, w: tf.where(x > 0.1, tf.sin(x * w), x / w),
    "columns": lambda x, w: tf.reduce_sum(tf.tanh(tf.concat([x, 2.0 * x], 1) / w), 1, keepdims=True),
}


@pytest.mark.parametrize("shape", [(), (1, 1), (1, 2), (2,)])
@pytest.mark.parametrize("name", SCALES)
def test_reverse_mode_by_what_rows_are_divided_by(name: str, shape: Any) -> None:
    """The coefficient of x / w is one row for all, and its part of the gradient by w is a sum over rows already."""
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        w = v1.placeholder(tf.float64, shape)
        u = SCALES[name](x, w)
        loss = tf.reduce_mean((nested(u, x, x) + u * nested(u, x)) ** 2 + u)
        point = {x: NUMBERS[5, :4, :1], w: np.array([[1.3, 0.8]])[:, : math.prod(shape)].reshape(shape)}
        how = same([loss, tf.gradients(loss, w)], point)
        assert any(c.method == "taylor" for c in how)


def test_a_gradient_by_an_intermediate_tensor_and_by_what_it_is_made_of() -> None:
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        h = tf.tanh(x)
        u = tf.sin(h) * h + x * h
        fetches = [nested(u, h), nested(u, h, h), nested(u, h, x), nested(u, x, h), nested(u, h, x, h), nested(u, x, x, h)]
        same([f for f in fetches if f is not None], {x: [[0.3], [0.7]]})
        for f in fetches:
            if f is not None:
                same(f, {x: [[0.3], [0.7]]})


def test_several_ys_and_xs() -> None:
    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        u, w = tf.sin(x * t), tf.exp(0.3 * x) + tf.reduce_sum(tf.concat([x, t], 1) ** 3, 1, keepdims=True)
        gs = tf.gradients([u, w, u], [x, t], grad_ys=[None, 2.0 * tf.ones_like(w), tf.sin(u)])
        hs = tf.gradients([gs[0], gs[1] * u], [t, x])
        same([gs, hs], {x: [[0.3], [0.7]], t: [[0.2], [-0.4]]})


def test_outputs_of_other_shapes() -> None:
    """The rows of y may lie elsewhere, and it may have none."""
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        ys = [
            smooth(x)[:, 0], tf.transpose(smooth(x)), smooth(x)[:, :, None] * tf.constant(NUMBERS[0, :2]),
            tf.reduce_sum(smooth(x)), tf.reduce_mean(smooth(x), 0), tf.stack([smooth(x), x * x], 0),
            -tf.reduce_mean(tf.square(smooth(x))) / 3.0, tf.reshape(smooth(x), [-1]), tf.squeeze(smooth(x), 1),
        ]  # fmt: skip
        for y in ys:
            for order in (1, 2, 3):
                how = same(nested(y, *[x] * order), {x: NUMBERS[0, :4, :1]})
                assert "taylor" in {c.method for c in how}, (y, order, how)


def test_the_same_request_twice_is_computed_once() -> None:
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        u = smooth(x)
        on, off, _ = both([nested(u, x, x), nested(u, x, x), nested(smooth(x), x, x)], {x: NUMBERS[0, :4, :1]})
        agree(on, off)
        np.testing.assert_array_equal(on[0], on[1])
        np.testing.assert_array_equal(on[0], on[2])


@pytest.mark.parametrize("rewrite", Options.REWRITES)
def test_each_rewrite_alone(rewrite: str) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        scene = Scene(None)
        u = scene.build(DEEP, True)
        residual = EQUATIONS["Burgers"](lambda by: nested(u, *[{"x": scene.x, "t": scene.t}[c] for c in by]), u)
        residual = residual + nested(u, scene.t, scene.t)
        fetches, feeds = [residual, *scene.losses([residual])], scene.points(5)
        with options.set(**NONE):
            plain = session.run(fetches, feeds)
        for switched in ({**ALL, rewrite: False}, {**NONE, rewrite: True}, {**NONE, "taylor": True, rewrite: True}):
            with options.set(**switched):
                agree(session.run(fetches, feeds), plain, what=str(switched))


def test_a_stop_is_one_output_of_several():
    # f = 3 x0² + x1², and the second half of the split is held fixed.
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.constant([1.0, 2.0])
        left, right = tf.split(x * x, 2)
        y = left * 3.0 + right
        stopped, through, by_right = tf.gradients(y, [x, left, right], stop_gradients=[right])
        found = session.run([tf.gradients(y, x)[0], stopped, through, by_right])
    for value, expected in zip(found, [[6.0, 4.0], [6.0, 0.0], [3.0], [1.0]], strict=True):
        np.testing.assert_array_equal(value, expected)
