"""Jacobians and Hessians, eagerly and in graphs that know their sizes, know them in part, or not at all; of nothing, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.compat import v1

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")

MODES = ["eager", "function", "unknown rows", "unknown shape", "graph", "graph of unknown rows"]


def shaped(mode: str, shape: tuple[int, ...]) -> Any:
    """Return what a mode knows of a shape."""
    return {
        "unknown rows": (None, *shape[1:]),
        "graph of unknown rows": (None, *shape[1:]),
        "unknown shape": (None,) * len(shape),
    }.get(mode, shape)


def run(mode: str, f: Callable[..., Any], *arrays: Any) -> Any:
    """Return f's values in a mode, as arrays; None stays None."""
    if mode == "eager":
        found = f(*[tf.constant(a) for a in arrays])
    elif mode.startswith("graph"):
        with tf.Graph().as_default(), v1.Session() as session:
            places = [v1.placeholder(tf.float64, shaped(mode, a.shape)) for a in arrays]
            found = f(*places)
            single = not isinstance(found, list)
            values = session.run(
                [g for g in ([found] if single else found) if g is not None], dict(zip(places, arrays, strict=True))
            )
            rest = iter(values)
            whole = [None if g is None else next(rest) for g in ([found] if single else found)]
            return whole[0] if single else whole
    else:
        signature = [tf.TensorSpec(shaped(mode, a.shape), tf.float64) for a in arrays]
        found = tf.function(f, input_signature=signature)(*[tf.constant(a) for a in arrays])
    as_array = lambda g: None if g is None else g.numpy()  # noqa: E731
    return [as_array(g) for g in found] if isinstance(found, list) else as_array(found)


def points(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape)


# --- of rows that depend on themselves: y = sin(x) a, by x and by a --------------------------------------------------


def both(x: Any, a: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch([x, a])
        y = tf.matmul(tf.sin(x), a)
    return tape.jacobian(y, [x, a])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_jacobian(mode: str, rows: int) -> None:
    x, a = points(rows, 2), points(2, 4)
    by_x, by_a = run(mode, both, x, a)
    # dy[i, j] / dx[k, l] = δ_ik cos(x[i, l]) a[l, j]
    np.testing.assert_allclose(by_x, np.einsum("ik,il,lj->ijkl", np.eye(rows), np.cos(x), a), atol=1e-12)
    # dy[i, j] / da[l, m] = sin(x[i, l]) δ_jm
    np.testing.assert_allclose(by_a, np.einsum("il,jm->ijlm", np.sin(x), np.eye(4)), atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("rows", "columns"), [(0, 2), (2, 0), (0, 0), (3, 2)])
def test_batch_jacobian(mode: str, rows: int, columns: int) -> None:
    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.stack([tf.exp(x), x * tf.reduce_sum(x, 1, keepdims=True)], 2)
        return tape.batch_jacobian(y, x)

    x = points(rows, columns)
    found = run(mode, f, x)
    right = np.zeros((rows, columns, 2, columns))
    for i in range(columns):
        right[:, i, 0, i] = np.exp(x[:, i])
        right[:, i, 1, :] = x[:, i : i + 1]
        right[:, i, 1, i] += x.sum(1)
    np.testing.assert_allclose(found, right, rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rows", [0, 2])
def test_the_jacobian_of_a_gradient_is_the_hessian_and_has_a_gradient(mode: str, rows: int) -> None:
    def f(x: Any) -> Any:
        with tf.GradientTape() as third:
            third.watch(x)
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    y = tf.reduce_sum(x**3) * tf.reduce_sum(x)
                g = inner.gradient(y, x)
            hessian = outer.jacobian(g, x)
        return [hessian, third.gradient(hessian, x)]

    x = points(rows, 2)
    n, z = 2 * rows, x.reshape(-1)
    hessian, third = run(mode, f, x)
    # y = s3 s1: y_i = 3 z_i² s1 + s3;  y_ij = 6 z_i s1 δ_ij + 3 z_i² + 3 z_j²
    right = 6 * np.diag(z) * z.sum() + 3 * z[:, None] ** 2 + 3 * z[None, :] ** 2
    np.testing.assert_allclose(hessian, right.reshape(rows, 2, rows, 2), rtol=1e-12)
    # Σ_ij y_ij = 6 s1² + 6 n s2
    np.testing.assert_allclose(third, 12 * z.sum() + 12 * n * x, rtol=1e-12)


@pytest.mark.parametrize("mode", [m for m in MODES if m != "eager"])
@pytest.mark.parametrize("shape", [(0,), (3,), (0, 2), (2, 2), (1,)])
def test_hessians(mode: str, shape: tuple[int, ...]) -> None:
    x = points(*shape)
    z = x.reshape(-1)
    found = run(mode, lambda x: tf.hessians(tf.reduce_sum(x) ** 3 + tf.reduce_sum(tf.exp(x)), x), x)[0]
    np.testing.assert_allclose(found, (6 * z.sum() + np.diag(np.exp(z))).reshape(*shape, *shape), rtol=1e-12)


def test_hessians_eagerly_of_what_is_recorded() -> None:
    with tf.recording():
        for n in (0, 3):
            x = tf.constant(points(n))
            (found,) = tf.hessians(tf.reduce_sum(x**3), x)
            np.testing.assert_allclose(found.numpy(), np.diag(6 * points(n)))


@pytest.mark.parametrize("shape", [(2,), (10, 10), None])
def test_hessians_of_something_linear_is_an_error(shape: Any) -> None:
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, shape)
        with pytest.raises(ValueError, match="no second derivative"):
            tf.hessians(3.0 * x, x)
        with pytest.raises(ValueError, match="do not depend"):
            tf.hessians(tf.constant(1.0), x)


# --- what a run alone tells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [5.0, 1.2, 0.0])
@pytest.mark.parametrize("mode", MODES)
def test_jacobian_of_a_mask(mode: str, limit: float) -> None:
    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.boolean_mask(x**2, x > limit)
        return tape.jacobian(y, x)

    x = points(5)
    np.testing.assert_allclose(run(mode, f, x), np.diag(2 * x)[x > limit], rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_batch_jacobian_of_a_slice_whose_end_is_a_tensor(mode: str) -> None:
    def f(x: Any) -> Any:
        count = tf.cast(tf.reduce_max(x) * 0.0, tf.int32) + 2
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = (x**2)[:, :count]
        return tape.batch_jacobian(y, x)

    x = points(3, 4)
    np.testing.assert_allclose(run(mode, f, x), np.einsum("bj,ij->bij", 2 * x, np.eye(4))[:, :2], rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_sources_in_a_structure_some_of_which_are_not_connected(mode: str) -> None:
    def f(x: Any) -> Any:
        other = tf.ones([2], tf.float64)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, other])
            y = tf.cumsum(x) * 2.0
        found = tape.jacobian(y, {"x": x, "other": other})
        zero = tape.jacobian(y, other, unconnected_gradients="zero")
        return [found["x"], found["other"], zero]

    by_x, by_other, zero = run(mode, f, points(3))
    np.testing.assert_allclose(by_x, 2 * np.tri(3))
    assert by_other is None
    np.testing.assert_array_equal(zero, np.zeros((3, 2)))


@pytest.mark.parametrize("mode", MODES)
def test_by_a_variable_and_through_what_is_computed_before_the_tape(mode: str) -> None:
    v = tf.Variable([2.0, 3.0], dtype=tf.float64)

    def f(x: Any) -> Any:
        before = tf.exp(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = before * x * v  # what was computed before the tape is held fixed
        return tape.jacobian(y, [x, v])

    if mode.startswith("graph"):
        pytest.skip("variables of a graph are its own")
    x = points(3, 2)
    by_x, by_v = run(mode, f, x)
    np.testing.assert_allclose(by_x, np.einsum("ij,ik,jl->ijkl", np.exp(x) * [2.0, 3.0], np.eye(3), np.eye(2)), rtol=1e-12)
    np.testing.assert_allclose(by_v, np.einsum("ij,jl->ijl", np.exp(x) * x, np.eye(2)), rtol=1e-12)


def test_random_numbers_are_drawn_once() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            noise = tf.random.uniform(tf.shape(x), dtype=tf.float64)
            y = x * noise
        return tape.jacobian(y, x), noise

    jacobian, noise = f(tf.ones([4], tf.float64))
    np.testing.assert_array_equal(jacobian.numpy(), np.diag(noise.numpy()))


# --- answers and errors of batch_jacobian --------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["none", "zero"])
@pytest.mark.parametrize("mode", MODES)
def test_batch_jacobian_is_zeros_where_nothing_is_connected(mode: str, choice: str) -> None:
    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.ones_like(x) * [[1.0, 2.0]]
        return tape.batch_jacobian(y, x, unconnected_gradients=choice)

    np.testing.assert_array_equal(run(mode, f, points(3, 2)), np.zeros((3, 2, 2)))


def test_batch_jacobian_needs_rows_and_columns() -> None:
    def of(y: Any, x: Any) -> None:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
        for attempt in (tape.batch_jacobian, tf.function(tape.batch_jacobian)):
            attempt(y, x)

    with pytest.raises(ValueError, match="must have rank at least 2"):
        of(tf.ones([2, 2]), tf.ones([2]))
    with pytest.raises(ValueError, match="must have rank at least 2"):
        of(tf.ones([2]), tf.ones([2, 2]))
    with pytest.raises(ValueError, match=r"Need first dimension of target shape .* and source shape .* to match"):
        of(tf.ones([2, 2]), tf.ones([3, 2]))


def test_a_tape_that_is_not_persistent_makes_no_loops_of_gradients() -> None:
    x = tf.constant([[3.0]])

    def of(what: str, persistent: bool, **keywords: Any) -> Any:
        with tf.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            y = tf.tile(x**2, [1, 4])
        return getattr(tape, what)(y, x, **keywords)

    for what, keywords in [
        ("jacobian", {"experimental_use_pfor": False}),
        ("batch_jacobian", {"experimental_use_pfor": False}),
        ("batch_jacobian", {"parallel_iterations": 2}),
    ]:
        with pytest.raises(RuntimeError, match="persistent=True"):
            of(what, False, **keywords)
        assert of(what, True, **keywords).numpy().reshape(-1).tolist() == [6.0] * 4
