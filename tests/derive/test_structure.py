"""Deciding whether there is a derivative: which there are, against polynomials expanded by hand, and how much work it is."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import wengert as tf
from wengert.derive import request, structure
from wengert.derive.lower import lower
from wengert.errors import NoGradientError
from wengert.execute.plan import plan

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


# --- which derivatives there are ------------------------------------------------------------------------------------

Polynomial = Counter[tuple[int, ...]]
"""Exponents of each variable and their coefficients, all of them positive: nothing cancels."""


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the product."""
    product: Polynomial = Counter()
    for (p, c), (q, d) in itertools.product(a.items(), b.items()):
        product[tuple(i + j for i, j in zip(p, q, strict=True))] += c * d
    return product


def derived(a: Polynomial, at: int) -> Polynomial:
    """Return the derivative by a variable."""
    return Counter({(*p[:at], p[at] - 1, *p[at + 1 :]): c * p[at] for p, c in a.items() if p[at]})


def expression(draw: random.Random, xs: list[Any], depth: int) -> tuple[Any, Polynomial]:
    """Return a random polynomial in the xs as a tensor of the graph, and expanded."""
    if not depth or draw.random() < 0.15:
        k = draw.randrange(len(xs))
        return xs[k], Counter({tuple(int(i == k) for i in range(len(xs))): 1})
    kind = draw.choice(["sum", "product", "square", "scaled", "gradient"])
    a, p = expression(draw, xs, depth - 1)
    if kind in ("sum", "product"):
        b, q = expression(draw, xs, depth - 1)
        return (a + b, p + q) if kind == "sum" else (a * b, times(p, q))
    if kind == "square":
        return tf.square(a), times(p, p)
    k = draw.randrange(len(xs))
    if kind == "gradient" and derived(p, k):
        return tf.gradients(a, xs[k])[0], derived(p, k)
    return 2.0 * a, Counter({e: 2 * c for e, c in p.items()})


@pytest.mark.parametrize("seed", range(60))
def test_a_derivative_is_none_where_that_of_the_polynomial_is_zero(seed: int) -> None:
    draw = random.Random(seed)
    with tf.Graph().as_default():
        xs = [tf.compat.v1.placeholder(tf.float64, [], name) for name in "xyz"]
        u, p = expression(draw, xs, 4)
        for _ in range(sum(max(p)) + 2):
            there = [bool(derived(p, k)) for k in range(3)]
            found = tf.gradients(u, xs)
            assert [g is not None for g in found] == there
            assert [tf.gradients(u, x)[0] is not None for x in xs] == there
            if not any(there):
                break
            k = draw.choice([k for k in range(3) if there[k]])
            u, p = found[k], derived(p, k)


@pytest.mark.parametrize("f", [tf.exp, tf.tanh, lambda x: 1.0 / x, lambda x: x**2.5, lambda x: tf.sin(tf.square(x))])
def test_a_function_with_all_derivatives_has_them_by_tensors_that_all_differ(f: Callable[[Any], Any]) -> None:
    with tf.Graph().as_default():
        points = [tf.compat.v1.placeholder(tf.float64, [])]
        for _ in range(9):
            points.append(tf.identity(points[-1]))
        u = f(points[-1])
        for p in reversed(points):
            (u,) = tf.gradients(u, p)
            assert u is not None


def test_no_derivative_passes_through_a_stop_at_any_order() -> None:
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [])
        s = tf.sin(x)
        u = s * x  # with s held fixed it is linear in x
        first = tf.gradients(u, x, stop_gradients=[s])[0]
        assert tf.gradients(first, x, stop_gradients=[s])[0] is None
        assert tf.gradients(first, x)[0] is not None  # that of s itself
        assert tf.gradients(first, s)[0] is not None


def test_a_parameter_whose_derivative_is_not_stated_is_an_error_and_not_on_the_way_of_others() -> None:
    with tf.Graph().as_default():
        n, x = (tf.compat.v1.placeholder(tf.float64, []) for _ in range(2))
        u = tf.math.polygamma(n, x)
        with pytest.raises(NoGradientError, match="Polygamma"):
            tf.gradients(u, n)
        u_x = tf.gradients(u, x)[0]  # polygamma(n + 1, x)
        assert tf.gradients(u_x, x)[0] is not None


# --- how much work it is ----------------------------------------------------------------------------------------------


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the walks over lists, and the nodes that they visit."""
    counted: Counter[str] = Counter()
    answer = structure._Question.answer

    def counting(self: Any, answers: Any) -> Any:
        counted.update(walks=1, nodes=len(self.nodes))
        return answer(self, answers)

    monkeypatch.setattr(structure._Question, "answer", counting)
    return counted


def network(x: Any) -> Any:
    for _ in range(4):
        x = tf.tanh(tf.matmul(x, tf.ones([x.shape[1], 8], tf.float64)))
    return tf.matmul(x, tf.ones([8, 1], tf.float64))


def static(f: Callable[[Any], Any], order: int) -> None:
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [5, 1])
        u = f(x)
        for _ in range(order):
            u = tf.gradients(u, x)[0]


def traced(f: Callable[[Any], Any], order: int) -> None:
    def derivative(x: Any, k: int) -> Any:
        if not k:
            return f(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = derivative(x, k - 1)
        return tape.gradient(y, x)

    tf.function(lambda x: derivative(x, order)).get_concrete_function(tf.TensorSpec([5, 1], tf.float64))


def field(f: Callable[[Any], Any], order: int) -> None:
    x = tf.zeros([5, 1], tf.float64)
    tf.field(lambda x: f(x), "x").d(x=order).get_concrete_function(x)


@pytest.mark.parametrize("build", [static, traced, field])
@pytest.mark.parametrize("f", [network, lambda x: tf.sin(tf.exp(tf.sin(x)) * x), lambda x: x ** (1.0 / x)])
def test_the_work_of_nested_gradients_grows_with_the_square_of_the_order(
    build: Any, f: Callable[[Any], Any], visits: Counter[str]
) -> None:
    counts = []
    for order in (8, 16, 32):
        visits.clear()
        build(f, order)
        counts.append(visits["nodes"])
    assert counts[0] > 0
    assert counts[1] < 4.2 * counts[0]
    assert counts[2] < 4.2 * counts[1]


def test_gradients_of_products_of_gradients_are_decided_once_for_each_order(visits: Counter[str]) -> None:
    def last(order: int) -> int:
        with tf.Graph().as_default():
            x = tf.compat.v1.placeholder(tf.float64, [5, 1])
            a, b = network(x), tf.sin(x)
            for _ in range(order):
                visits.clear()
                a, b = tf.gradients(a * b, x)[0], a
        return visits["walks"]

    assert last(16) < 4.2 * last(8)


def test_the_work_of_a_long_chain_grows_with_its_length(visits: Counter[str]) -> None:
    counts: list[tuple[int, int, int]] = []
    for length in (300, 600, 1200):
        visits.clear()
        with tf.Graph().as_default() as graph:
            x = u = tf.compat.v1.placeholder(tf.float64, [])
            for k in range(length):
                u = u * 1.0001 if k % 2 else tf.sin(u)
            for _ in range(3):
                u = tf.gradients(u, x)[0]
            lowered, outputs, places, controls = lower(graph, [u], [x], [])
        steps = plan(outputs, places, controls, lambda node: None).steps
        counts.append((visits["nodes"], len(lowered.nodes), len(steps)))
    assert counts[0][0] < 4 * 300  # each request but the first, which needs no orders, walks over the chain once
    for less, more in itertools.pairwise(counts):
        assert all(b < 2.1 * a for a, b in zip(less, more, strict=True))


def test_all_xs_are_decided_in_one_walk(visits: Counter[str]) -> None:
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [5, 1])
        weights = [tf.compat.v1.placeholder(tf.float64, [1, 1]) for _ in range(20)]
        u = x
        for w in weights:
            u = tf.tanh(u * w)
        residual = tf.gradients(tf.gradients(u, x)[0], x)[0]
        visits.clear()
        assert None not in tf.gradients(residual, [*weights, x])
        assert visits["walks"] == 3


def test_gradients_may_be_nested_deeper_than_python_may_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "connected", lambda ys, xs, stops: [True] * len(xs))
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [])
        smooth, linear = tf.exp(x), 2.0 * x
        for _ in range(400):
            smooth, linear = tf.gradients(smooth, x)[0], tf.gradients(linear, x)[0]
        assert structure.connected([smooth], [x], frozenset()) == [True]
        assert structure.connected([linear], [x], frozenset()) == [False]


def test_threads_that_ask_first_at_the_same_time_learn_the_same():
    """Orders are found one after another; two threads at one of them are not to count it twice."""
    import sys
    import threading

    from wengert.ops.op import table

    before = sys.getswitchinterval()
    structure.forget()
    wanted = [structure._own(table["sin"], {}, (False, False), depth) for depth in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            structure.forget()
            barrier, found = threading.Barrier(6), []

            def ask(barrier: threading.Barrier = barrier, found: list[object] = found) -> None:
                barrier.wait()
                found.append([structure._own(table["sin"], {}, (False, False), depth) for depth in range(4)])

            threads = [threading.Thread(target=ask) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(found) == 6 and found == [wanted] * 6
    finally:
        sys.setswitchinterval(before)
        structure.forget()
