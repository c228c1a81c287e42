"""Results of functions under XLA stay on the device until somebody reads them; what is fed again is not sent again."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.config import get_executor, set_executor
from wengert.execute.xla.sent import CHANGES, Sent
from wengert.tensor.resident import DeviceTensor, brought, tensor_of, value_there
from wengert.tensor.tensor import EagerTensor, weakened

jax = pytest.importorskip("jax", reason="the executor over XLA needs jax: pip install 'wengert[xla]'")

X = np.linspace(-1.0, 1.0, 7).reshape(7, 1)


@pytest.fixture(params=["xla", "auto"])
def _executor(request: pytest.FixtureRequest) -> Iterator[None]:
    before = get_executor()
    set_executor(request.param)
    yield
    set_executor(before)


@pytest.fixture
def _xla() -> Iterator[None]:
    before = get_executor()
    set_executor("xla")
    yield
    set_executor(before)


def unread(t: Any) -> bool:
    return type(t) is DeviceTensor


def given() -> Any:
    """Return an unread tensor of X."""
    return tensor_of(jax.device_put(np.float32(X)))


@pytest.mark.usefixtures("_xla")
def test_results_stay_until_they_are_read() -> None:
    f = tf.function(lambda x: (tf.sin(x) * 2.0, {"next": x + 1.0}))
    y, more = f(tf.constant(X))
    assert unread(y) and unread(more["next"])
    assert y.shape == (7, 1) and y.dtype == tf.float64 and y.ndim == 2 and tf.is_tensor(y) and isinstance(y, tf.Tensor)
    z, _ = f(y)
    assert unread(y) and unread(z)  # to be described, and to be given to another, is not to be read
    np.testing.assert_allclose(z.numpy(), 2.0 * np.sin(2.0 * np.sin(X)), rtol=1e-14)
    assert type(z) is EagerTensor and unread(y)
    np.testing.assert_allclose((y + more["next"]).numpy(), 2.0 * np.sin(X) + X + 1.0, rtol=1e-14)
    assert type(y) is EagerTensor
    again, _ = f(y)  # the device has what was read, too
    assert value_there(y) is not y.array
    np.testing.assert_array_equal(again.numpy(), z.numpy())


@pytest.mark.usefixtures("_executor")
def test_loops_over_results_are_right() -> None:
    step = tf.function(lambda u, dt: u + dt * u * (1.0 - u))
    u: Any = tf.constant(np.full((4000, 50), 0.25))  # enough for XLA to be tried by the executor that chooses
    expected = np.full((4000, 50), 0.25)
    for _ in range(40):
        u = step(u, tf.constant(0.1, tf.float64))
        expected = expected + 0.1 * expected * (1.0 - expected)
    np.testing.assert_allclose(u.numpy(), expected, rtol=1e-13)


@pytest.mark.usefixtures("_executor")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_derivatives_go_through_what_stayed(count: int) -> None:
    f = tf.function(lambda x: tf.sin(x) * x)
    v = tf.Variable(0.5, dtype=tf.float64)
    scaled = tf.function(lambda x: tf.reduce_sum(v * x**2))
    x = f(tf.constant(X))
    for _ in range(count):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = scaled(f(x))
            g = tape.gradient(loss, x)
        h = outer.gradient(g, x)
    with tf.GradientTape() as tape:
        loss = scaled(f(x))
    np.testing.assert_allclose(tape.gradient(loss, v), np.sum((np.sin(x) * x) ** 2), rtol=1e-13)
    y = np.sin(X) * X
    u, u_x, u_xx = np.sin(y) * y, np.cos(y) * y + np.sin(y), 2.0 * np.cos(y) - np.sin(y) * y
    np.testing.assert_allclose(g.numpy(), u * u_x, rtol=1e-12, atol=1e-15)  # v is a half
    np.testing.assert_allclose(h.numpy(), u_x**2 + u * u_xx, rtol=1e-12, atol=1e-15)


@pytest.mark.usefixtures("_executor")
def test_a_value_that_was_read_outlives_what_is_assigned() -> None:
    v = tf.Variable(X)
    read, grow = tf.function(lambda: v.read_value()), tf.function(lambda: v.assign_add(tf.ones_like(v)))
    found = []
    for _ in range(4):
        found.append(read())
        grow()
    for k, t in enumerate(found):
        np.testing.assert_array_equal(t.numpy(), X + k)


@pytest.mark.usefixtures("_xla")
def test_a_function_that_was_traced_for_another_executor_takes_it() -> None:
    f = tf.function(lambda x: x * 2.0)
    y = f(tf.constant(X))
    assert unread(y)
    set_executor("numpy")
    np.testing.assert_array_equal(f(y).numpy(), 4.0 * X)


SHORT_WAYS: list[Callable[[Any], Any]] = [
    lambda t: t + t, lambda t: 1.0 - t, lambda t: tf.tanh(t), lambda t: tf.reduce_sum(t, 0), lambda t: tf.matmul(t, t, True),
    lambda t: tf.stack([t, t]), lambda t: tf.reshape(t, [-1]), lambda t: tf.ones_like(t), lambda t: tf.zeros_like(t),
    lambda t: tf.shape(t), lambda t: t[2:], lambda t: tf.concat([t, t], 1), lambda t: tf.Variable(t).read_value(),
    lambda t: tf.debugging.check_numerics(t, "bad"), lambda t: tf.where(t > 0.0, t, -t), lambda t: tf.unstack(t)[0],
    lambda t: tf.cast(t, tf.float64), lambda t: tf.identity(t), lambda t: t == t, lambda t: [*t][3],
    lambda t: tf.divide(t, t + 2.0),
    lambda t: tf.range(tf.reshape(t, [-1])[-1]), lambda t: tf.function(lambda: t * 2.0)(), lambda t: tf.map_fn(tf.sin, t),
    lambda t: tf.cond(tf.reduce_sum(t) > -1.0, lambda: t, lambda: -t), lambda t: tf.convert_to_tensor(t), lambda t: abs(t),
    lambda t: np.sin(t), lambda t: np.asarray(t), lambda t: tf.einsum("ij,ij->i", t, t),
    lambda t: tf.keras.layers.Dense(1, "tanh", kernel_initializer="ones")(t),
]  # fmt: skip


@pytest.mark.parametrize("way", range(len(SHORT_WAYS)))
def test_short_ways_take_it_as_any_other(way: int) -> None:
    function = SHORT_WAYS[way]
    found, expected = function(given()), function(tf.constant(np.float32(X)))
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "shown", [str, repr, len, bool, lambda t: t.numpy().tolist(), lambda t: t._repr_html_(), lambda t: hash(t.ref()) is not None]
)
def test_python_takes_it_as_any_other(shown: Callable[[Any], Any]) -> None:
    if shown is bool:
        assert shown(tensor_of(jax.numpy.ones(()))) is True
        return
    assert shown(given()) == shown(tf.constant(np.float32(X)))


def test_it_says_that_it_is_a_tensor() -> None:
    t = given()
    assert t.__class__ is EagerTensor and str(type(t)) == str(EagerTensor) and unread(t)
    with pytest.raises(AttributeError, match="no attribute 'shapes'"):
        _ = t.shapes
    assert unread(t)


def test_copies_and_pickles() -> None:
    t = given()
    assert copy.deepcopy(t) is t and unread(t)
    other = pickle.loads(pickle.dumps(t))
    np.testing.assert_array_equal(other.numpy(), t.numpy())
    assert type(other) is EagerTensor


def test_a_dtype_that_gives_way() -> None:
    t = weakened(given())
    assert type(t).__name__ == "WeakTensor"
    np.testing.assert_array_equal(t.array, np.float32(X))


def test_threads_read_at_once() -> None:
    for _ in range(50):
        t, found = given(), []
        begin = threading.Barrier(4)

        def read(t: Any = t, found: list[Any] = found, begin: threading.Barrier = begin) -> None:
            begin.wait()
            found.append(t.array.copy())

        threads = [threading.Thread(target=read) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(found) == 4 and all(np.array_equal(a, np.float32(X)) for a in found)


def test_all_are_read_before_the_device_is_gone() -> None:
    t, other = given(), given()
    _ = other.array
    brought()
    assert type(t) is EagerTensor and getattr(t, "there", None) is None and getattr(other, "there", None) is None
    np.testing.assert_array_equal(t.array, np.float32(X))


# --- what is fed --------------------------------------------------------------------------------------------------------


class Distant:
    """What `Sent` asks of the namespace over JAX: a device with a memory of its own, which says what came to it."""

    distant, mesh = True, None

    def __init__(self) -> None:
        self.came: list[np.ndarray[Any, Any]] = []

    def wide(self) -> Any:
        return jax.enable_x64(True)

    def put(self, a: Any, axis: int | None) -> Any:
        self.came.append(a.copy())
        return jax.device_put(a)


def test_an_array_of_the_users_is_compared_in_full() -> None:
    xp = Distant()
    sent = Sent(xp)  # type: ignore[arg-type]
    base = np.arange(12.0)
    view = base[:9]
    view.flags.writeable = False  # which changes with its base all the same

    def told() -> Any:
        (value,) = sent([view], [None], False)
        np.testing.assert_array_equal(np.asarray(value), view)
        return value

    assert told() is view
    first = told()
    assert first is not view and told() is first and len(xp.came) == 1
    base[8] = -1.0
    assert told() is view
    assert told() is not first and len(xp.came) == 2
    base[0] = -0.0  # another number for 1 / x
    assert told() is view and np.signbit(np.asarray(told())[0])
    base[1] = np.nan
    assert told() is view and told() is told()


def test_what_changes_all_the_time_is_not_compared() -> None:
    xp = Distant()
    sent = Sent(xp)  # type: ignore[arg-type]
    for k in range(CHANGES + 5):
        a = np.full(3, float(k))
        assert sent([a], [None], False)[0] is a
    constant = np.ones(3)
    assert all(sent([constant], [None], False)[0] is constant for _ in range(4)) and not xp.came


def test_a_tensors_array_is_known_by_itself() -> None:
    xp = Distant()
    sent = Sent(xp)  # type: ignore[arg-type]
    a, other = np.ones(3), np.ones(3)
    assert sent([a], [None], True)[0] is a
    there = sent([a], [None], True)[0]
    assert sent([a], [None], True)[0] is there and len(xp.came) == 1
    assert sent([other], [None], True)[0] is other


@pytest.mark.parametrize("a", [np.ones((4, 4))[:, ::2], np.array(["a"], dtype=object), np.zeros((0, 3)), np.array(3, np.int32)])
def test_arrays_of_every_kind(a: Any) -> None:
    xp = Distant()
    sent = Sent(xp)  # type: ignore[arg-type]
    for _ in range(3):
        np.testing.assert_array_equal(np.asarray(sent([a], [None], False)[0]), a)
