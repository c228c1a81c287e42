"""TensorFlow 1's functions for networks that TensorFlow 2 lacks, against NumPy."""

import numpy as np
import pytest

import wengert as tf

EPSILON = 0.01
rng = np.random.default_rng(8)


def arrays(shape, channel, dtype=np.float64):
    x = rng.normal(size=shape).astype(dtype)
    scale, offset, mean, variance = (rng.uniform(0.5, 2.0, shape[channel]).astype(np.float32) for _ in range(4))
    return x, scale, offset, mean, variance


def normal(x, scale, offset, mean, variance, channel):
    m, v, s, o = (np.moveaxis(np.expand_dims(a, tuple(range(1, x.ndim))), 0, channel) for a in (mean, variance, scale, offset))
    return s * (x - m) / np.sqrt(v + EPSILON) + o


@pytest.mark.parametrize(
    ("data_format", "shape"),
    [
        ("NHWC", (2, 3, 4, 5)),
        ("NCHW", (2, 5, 3, 4)),
        ("NDHWC", (2, 3, 2, 2, 4)),
        ("NCDHW", (2, 4, 3, 2, 2)),
        ("NHWC", (1, 1, 1, 3)),
    ],
)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_fused_batch_norm(v1, data_format, shape, training, factor):
    channel = data_format.index("C")
    x, scale, offset, mean, variance = arrays(shape, channel, np.float32)
    y, m, v = v1.nn.fused_batch_norm(
        x, scale, offset, mean, variance, EPSILON, data_format, training, exponential_avg_factor=factor
    )
    if training:
        others = tuple(i for i in range(len(shape)) if i != channel)
        n = x.size // len(scale)
        batch = x.mean(others), x.var(others)
        np.testing.assert_allclose(m, (1 - factor) * mean + factor * batch[0], rtol=1e-5)
        np.testing.assert_allclose(v, (1 - factor) * variance + factor * batch[1] * n / max(n - 1, 1), rtol=1e-5)
    else:
        batch = mean, variance
        np.testing.assert_array_equal(m, mean)
        np.testing.assert_array_equal(v, variance)
    np.testing.assert_allclose(y, normal(x, scale, offset, *batch, channel), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("training", [True, False])
def test_fused_batch_norm_has_the_derivatives_of_differences(v1, data_format, training):
    given = [a.astype(np.float64) for a in arrays((2, 3, 2, 3), data_format.index("C"))]

    def y(x, scale, offset):
        return v1.nn.fused_batch_norm(x, scale, offset, *given[3:], EPSILON, data_format, training)[0]

    def slope(x, scale, offset):
        with tf.GradientTape() as tape:
            tape.watch([x, scale, offset])
            z = y(x, scale, offset) ** 3
        return tf.concat([tf.reshape(g, [-1]) for g in tape.gradient(z, [x, scale, offset])], 0)

    for f in (y, slope):
        theory, numeric = tf.test.compute_gradient(f, given[:3], delta=1e-4)
        for a, b in zip(theory, numeric, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_fused_batch_norm_computes_in_the_dtype_of_the_scale(v1):
    x, scale, offset, *_ = arrays((4, 8, 8, 3), 3, np.float16)
    y, m, v = v1.nn.fused_batch_norm(x, scale, offset, epsilon=EPSILON)
    assert (y.dtype, m.dtype, v.dtype) == (tf.float16, tf.float32, tf.float32)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(m, wide.mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(y, normal(wide, scale, offset, wide.mean((0, 1, 2)), wide.var((0, 1, 2)), 3), rtol=1e-3, atol=1e-5)


def test_fused_batch_norm_of_no_rows_has_zero_derivatives(v1):
    x, scale, offset = tf.zeros([0, 7, 11, 4]), tf.ones(4), tf.zeros(4)
    with tf.GradientTape() as tape:
        tape.watch([x, scale, offset])
        y, _, _ = v1.nn.fused_batch_norm(x, scale, offset)
    dx, dscale, doffset = tape.gradient(y, [x, scale, offset])
    assert dx.shape == (0, 7, 11, 4)
    np.testing.assert_array_equal(dscale, np.zeros(4))
    np.testing.assert_array_equal(doffset, np.zeros(4))


def test_the_mean_and_variance_of_fused_batch_norm_have_derivatives(v1):
    x = rng.normal(size=(2, 2, 1, 1))
    t = tf.constant(x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(t)
        _, m, v = v1.nn.fused_batch_norm(t, tf.ones(1, tf.float64), tf.zeros(1, tf.float64))
    np.testing.assert_allclose(tape.gradient(m, t), np.full((2, 2, 1, 1), 0.25))
    np.testing.assert_allclose(tape.gradient(v, t), 2.0 * (x - x.mean()) / 3.0)


def test_fused_batch_norm_refuses(v1):
    x, one = tf.ones([1, 2, 2, 1]), tf.ones(1)
    with pytest.raises(ValueError, match="data_format is NHWC"):
        v1.nn.fused_batch_norm(x, one, one, data_format="HWCN")
    with pytest.raises(ValueError, match="must be a 1D tensor"):
        v1.nn.fused_batch_norm(x, one, one, is_training=False)
    with pytest.raises(ValueError, match="must be a 1D tensor"):
        v1.nn.fused_batch_norm(x, one, one, exponential_avg_factor=0.5)


def test_weighted_moments_takes_the_old_argument(v1):
    mean, variance = v1.nn.weighted_moments(tf.constant([[1.0, 5.0]]), [1], [3.0, 1.0], keep_dims=True)
    np.testing.assert_array_equal(mean, [[2.0]])
    np.testing.assert_array_equal(variance, [[3.0]])
