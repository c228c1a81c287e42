"""Arrays of other libraries are taken wherever a tensor is, by their values as they are now."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as tf
from wengert.errors import DTypeError, FailedPreconditionError

VALUES = np.array([1.0, 2.0, 3.0], np.float32)


class Array:
    """An array of a library that has no more than `__array__`, without the argument that NumPy 2 asks for."""

    def __init__(self, values):
        self.values = np.array(values)

    def __array__(self, dtype=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def __gt__(self, other):
        return Array(self.values > other)

    def __getitem__(self, index):
        return Array(self.values[index])

    def __len__(self):
        return len(self.values)

    @property
    def shape(self):
        return self.values.shape

    @property
    def dtype(self):
        return self.values.dtype


def of_jax(values):
    return pytest.importorskip("jax").numpy.asarray(values)


def of_torch(values):
    return pytest.importorskip("torch", reason="needs PyTorch").tensor(values)


@pytest.fixture(params=[Array, of_jax, of_torch])
def make(request):
    return request.param


def session(a):
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        p = tf.compat.v1.placeholder(tf.float32, (3,))
        return sess.run(p * 2.0, {p: a})


def fitted(a):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    model.fit(a, a, batch_size=3, verbose=0, shuffle=False, validation_data=(a, a))
    model.train_on_batch(a, a)
    return model.predict(a, verbose=0)


def gradient(a):
    x = tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(tf.sin(x) * a)
    return tape.gradient(y, x)


def looped(a):
    return tf.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, a), (0, a))[1]


def double(a):
    return a * 2.0


COLUMN = VALUES[:, None]
SPEC = tf.TensorSpec((3,), tf.float32)
PLACES = {
    "sin": (tf.sin, VALUES, np.sin(VALUES)),
    "constant": (tf.constant, VALUES, VALUES),
    "another dtype": (lambda a: tf.constant(a, tf.float64), VALUES, VALUES.astype(np.float64)),
    "variable": (lambda a: tf.Variable(a) * 1.0, VALUES, VALUES),
    "assign": (lambda a: tf.Variable(np.zeros(3, np.float32)).assign(a) * 1.0, VALUES, VALUES),
    "operator": (lambda a: tf.ones(3) * a, VALUES, VALUES),
    "left": (lambda a: tf.subtract(a, tf.ones(3)), VALUES, VALUES - 1.0),
    "concat": (lambda a: tf.concat([a, tf.ones(3)], 0), VALUES, np.r_[VALUES, np.ones(3, np.float32)]),
    "function": (tf.function(double), VALUES, VALUES * 2.0),
    "nested": (tf.function(lambda d: d["a"][0] * 2.0), VALUES, VALUES * 2.0),
    "signature": (tf.function(double, input_signature=[SPEC]), VALUES, VALUES * 2.0),
    "concrete": (tf.function(double).get_concrete_function(SPEC), VALUES, VALUES * 2.0),
    "feed": (session, VALUES, VALUES * 2.0),
    "slices": (lambda a: list(tf.data.Dataset.from_tensor_slices((a, a)))[1][0], VALUES, VALUES[1]),
    "dataset": (lambda a: next(iter(tf.data.Dataset.from_tensors({"a": a})))["a"], VALUES, VALUES),
    "layer": (tf.keras.layers.Dense(1, kernel_initializer="ones"), COLUMN, COLUMN),
    "fit": (fitted, COLUMN, None),
    "choice": (lambda a: tf.cond(a[0] > 0.0, lambda: 1.0, lambda: 2.0), VALUES, None),
    "loop": (looped, VALUES, VALUES),
    "tape": (gradient, VALUES, np.cos(VALUES) * VALUES),
    "field": (lambda a: tf.field(lambda x: x**3, "x").x(a), COLUMN, 3.0 * COLUMN**2),
    "optimizer": (
        lambda a: tf.keras.optimizers.SGD(1.0).apply_gradients([(a, tf.Variable(np.ones(3, np.float32)))]), VALUES, None
    ),
}  # fmt: skip


def called(place, a):
    return PLACES[place][0]({"a": [a]} if place == "nested" else a)


@pytest.mark.parametrize("place", PLACES)
def test_an_array_stands_where_a_tensor_does(make, place):
    _, values, wanted = PLACES[place]
    found = called(place, make(values))
    if wanted is not None:
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-6)
        assert np.asarray(found).dtype == wanted.dtype


def test_a_function_is_traced_once_and_sees_what_is_written():
    traces = []

    @tf.function
    def f(x):
        traces.append(x)
        return x * 2.0

    a = Array(VALUES)
    f(a)
    a.values += 1.0
    np.testing.assert_allclose(f(a), 2.0 * (VALUES + 1.0))
    f(Array(VALUES))
    f(tf.constant(VALUES))
    assert len(traces) == 1


def test_what_a_tape_holds_is_not_changed_by_a_later_write(make):
    if make is of_jax:
        pytest.skip("JAX's arrays do not change")
    a, x = make(VALUES), tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * a
    written = a.values if make is Array else a
    written += 1.0
    np.testing.assert_allclose(tape.gradient(y, x), VALUES)


def test_a_tensor_of_torch_that_requires_a_gradient_is_refused_and_told_what_to_do():
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    a = torch.tensor(VALUES, requires_grad=True)
    for place, (_, values, _) in PLACES.items():
        if place != "choice":  # by a comparison, which has no gradient
            with pytest.raises(RuntimeError, match="detach"):
                called(place, a.reshape(3, 1) if values is COLUMN else a)
    with pytest.raises(FailedPreconditionError, match=r"wengert\.torch\.field"):
        tf.sin(a)
    np.testing.assert_allclose(tf.sin(a.detach()), np.sin(VALUES), rtol=1e-6)
    with pytest.raises(DTypeError, match="BFloat16"):
        tf.sin(torch.tensor(VALUES).bfloat16())


def test_what_jax_is_tracing_is_refused():
    jax = pytest.importorskip("jax")
    with pytest.raises(TypeError, match="traced"):
        jax.grad(lambda x: tf.reduce_sum(tf.sin(x)))(jax.numpy.ones(3))
