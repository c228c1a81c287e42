"""Colours, edges and likeness of images: values are TensorFlow 2.21's (record_image.py), derivatives those of other formulas."""

import colorsys
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "image-tensorflow-2.21.json").read_text())
spec = importlib.util.spec_from_file_location("record_image", HERE / "record_image.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)
rng = np.random.default_rng(2)


@pytest.mark.parametrize("row", RECORDED)
def test_values_are_tensorflows(row):
    kind, shape, numbers = record.answer(tf, row)
    assert [kind, shape] == RECORDED[row][:2]
    np.testing.assert_allclose(numbers, RECORDED[row][2], rtol=3e-5, atol=3e-5)


@pytest.mark.parametrize("there", [True, False])
def test_hues_are_those_of_the_standard_library(there):
    x = rng.uniform(size=(20, 3))
    ours, theirs = (tf.image.rgb_to_hsv, colorsys.rgb_to_hsv) if there else (tf.image.hsv_to_rgb, colorsys.hsv_to_rgb)
    np.testing.assert_allclose(ours(x).numpy(), [theirs(*one) for one in x], rtol=1e-12, atol=1e-12)


FUNCTIONS = {
    "rgb_to_hsv": tf.image.rgb_to_hsv, "hsv_to_rgb": tf.image.hsv_to_rgb, "rgb_to_yuv": tf.image.rgb_to_yuv,
    "adjust_hue": lambda x: tf.image.adjust_hue(x, 0.2), "adjust_saturation": lambda x: tf.image.adjust_saturation(x, 0.7),
    "sobel_edges": tf.image.sobel_edges,
}  # fmt: skip


@pytest.mark.parametrize("road", ["eager", "numpy", "native", "xla"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_derivatives_are_the_slopes_of_the_values(name, road):
    """Of f(x + s v) by s, against central differences of the values and of the first."""
    x, v, w = rng.uniform(0.1, 0.9, (1, 3, 4, 3)), 0.1 * rng.normal(size=(1, 3, 4, 3)), rng.normal(size=(1, 3, 4, 3))

    def both(s):
        with tf.GradientTape() as second:
            second.watch(s)
            with tf.GradientTape() as first:
                first.watch(s)
                y = FUNCTIONS[name](x + s * v + 0.1 * s * s * w)
                value = tf.reduce_sum(tf.sin(3.0 * y))
            slope = first.gradient(value, s)
        return value, slope, second.gradient(slope, s)

    call = both
    if road != "eager":
        tf.config.set_executor(road)
        call = tf.function(both)
    try:
        h = 1e-5
        low, at, high = ([float(v) for v in call(tf.constant(s, tf.float64))] for s in (0.2 - h, 0.2, 0.2 + h))
    finally:
        tf.config.set_executor("native")
    np.testing.assert_allclose(at[1:], [(high[i] - low[i]) / (2 * h) for i in (0, 1)], rtol=1e-6, atol=1e-7)


def test_the_gradient_of_likeness_is_that_of_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    x, y = rng.uniform(size=(1, 14, 13, 2)), rng.uniform(size=(1, 14, 13, 2))
    bell = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    bell = bell / bell.sum()

    def mean(t):
        windows = jnp.stack([t[:, i : i + 4, j : j + 3] * bell[i] * bell[j] for i in range(11) for j in range(11)])
        return windows.sum(0)

    def likeness(x):
        a, b = mean(x), mean(y)
        light = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
        rest = (2 * (mean(x * y) - a * b) + 9e-4) / (mean(x * x) - a * a + mean(y * y) - b * b + 9e-4)
        return (light * rest).mean()

    with jax.enable_x64(True):
        value, slope = jax.value_and_grad(likeness)(jnp.asarray(x))
        way = np.cos(np.arange(x.size)).reshape(x.shape)
        curved = jax.jvp(jax.grad(likeness), (jnp.asarray(x),), (jnp.asarray(way),))[1]
    t = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(t)
        with tf.GradientTape() as inner:
            inner.watch(t)
            found = tf.reduce_mean(tf.image.ssim(t, y, 1.0))
        first = inner.gradient(found, t)
        along = tf.reduce_sum(first * way)
    np.testing.assert_allclose(found.numpy(), value, rtol=1e-12)
    np.testing.assert_allclose(first.numpy(), slope, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(outer.gradient(along, t).numpy(), curved, rtol=1e-8, atol=1e-11)


def test_what_is_drawn_lies_within_its_bounds():
    x = tf.constant(np.full((50, 2, 2, 3), [0.6, 0.3, 0.2]))
    shifts = {float(tf.image.random_brightness(x[0], 0.2).numpy()[0, 0, 0] - 0.6) for _ in range(40)}
    assert len(shifts) == 40 and -0.2 <= min(shifts) < -0.1 and 0.1 < max(shifts) <= 0.2
    one = tf.image.stateless_random_hue(x, 0.3, (1, 2)).numpy()
    np.testing.assert_array_equal(one, tf.image.stateless_random_hue(x, 0.3, (1, 2)).numpy())
    assert not np.allclose(one, tf.image.stateless_random_hue(x, 0.3, (1, 3)).numpy())
    np.testing.assert_allclose(one.max(-1), 0.6, rtol=1e-6)
    pale = tf.image.random_saturation(x, 0.2, 0.4).numpy()
    assert (np.ptp(pale, -1) < 0.17).all()
    y = tf.image.random_crop(tf.range(10), [4]).numpy()
    assert (np.diff(y) == 1).all()
    gradient = np.arange(200.0).reshape(50, 2, 2, 1)
    for flip, axis in ((tf.image.random_flip_left_right, 2), (tf.image.random_flip_up_down, 1)):
        y = flip(gradient).numpy()
        turned = (y == np.flip(gradient, axis)).all((1, 2, 3))
        assert ((y == gradient).all((1, 2, 3)) ^ turned).all() and 10 < turned.sum() < 40


@pytest.mark.parametrize(
    "call",
    [
        lambda: tf.image.rgb_to_hsv(np.ones((2, 2))), lambda: tf.image.ssim(np.ones((5, 5, 1)), np.ones((5, 5, 1)), 1.0),
        lambda: tf.image.ssim(np.ones((15, 15, 1)), np.ones((15, 16, 1)), 1.0), lambda: tf.image.sobel_edges(np.ones((3, 3, 1))),
        lambda: tf.image.random_hue(np.ones((1, 1, 3)), 0.6), lambda: tf.image.random_contrast(np.ones((1, 1, 3)), 0.5, 0.4),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ValueError):
        call()
