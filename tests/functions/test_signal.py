"""Fourier transforms of real values against NumPy, and their derivatives against central differences."""

import numpy as np
import pytest

import wengert as tf

rng = np.random.default_rng(5)
X = rng.normal(size=(2, 3, 4, 5))
STEP = 1e-6
LENGTHS = {
    1: [None, [5], [4], [8], [3]],
    2: [None, [4, 5], [3, 4], [6, 8], [2, 7]],
    3: [None, [3, 4, 5], [2, 3, 4], [4, 6, 7], [5, 2, 6]],
}
CASES = [(n, lengths) for n, table in LENGTHS.items() for lengths in table]


def named(name, n):
    return getattr(tf.signal, name if n == 1 else f"{name}{n}d")


@pytest.mark.parametrize(("n", "lengths"), CASES)
def test_values(n, lengths):
    axes = tuple(range(-n, 0))
    found = named("rfft", n)(X, lengths)
    np.testing.assert_allclose(found, np.fft.rfftn(X, lengths, axes), atol=1e-13)
    half = rng.normal(size=X.shape) + 1j * rng.normal(size=X.shape)
    np.testing.assert_allclose(named("irfft", n)(half, lengths), np.fft.irfftn(half, lengths, axes), atol=1e-13)


@pytest.mark.parametrize(("n", "lengths"), CASES)
def test_derivatives(n, lengths):
    def there(x):
        y = named("rfft", n)(x, lengths)
        return tf.reduce_sum(tf.sin(tf.math.real(y)) + tf.math.imag(y) ** 3)

    def back(x):
        return tf.reduce_sum(tf.sin(named("irfft", n)(tf.complex(x, x * x), lengths)))

    direction = rng.normal(size=X.shape)
    for f in (there, back):
        expected = (f(X + STEP * direction) - f(X - STEP * direction)) / (2 * STEP)
        x = tf.constant(X)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert np.sum(tape.gradient(y, x) * direction) == pytest.approx(expected.numpy(), rel=1e-6)
        traced = tf.function(lambda x, f=f: tf.gradients(f(x), x)[0])
        assert np.sum(traced(x) * direction) == pytest.approx(expected.numpy(), rel=1e-6)


def test_types_and_shapes():
    assert tf.signal.rfft2d(np.ones((2, 3), np.float32)).dtype == tf.complex64
    assert tf.signal.irfft2d(np.ones((2, 3), np.complex64)).dtype == tf.float32
    with pytest.raises(TypeError):
        tf.signal.rfft2d([[1]])
    with pytest.raises(TypeError):
        tf.signal.irfft2d([[1.0]])
    for bad in (lambda: tf.signal.rfft2d([1.0]), lambda: tf.signal.rfft2d([[1.0]], [3]), lambda: tf.signal.rfft([1.0], [-1])):
        with pytest.raises(ValueError, match="rfft"):
            bad()
