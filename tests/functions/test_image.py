"""`image.resize` and blocks of space, against formulas of pixels and TensorFlow 2.21's answers."""

import numpy as np
import pytest

import wengert as tf
from wengert import compat

X = (np.sin(np.arange(40.0).reshape(1, 4, 5, 2) ** 1.3) * 10).astype("float32")
METHODS = ["bilinear", "bicubic", "area", "nearest", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"]

# TensorFlow 2.21, the first four elements: of [7, 4], then of [2, 3] with antialias=True.
ANSWERS = {
    "bilinear": ([0.78531, 6.29152, 3.10704, -1.72268], [2.39154, 0.64315, -3.11428, 4.51081]),
    "bicubic": ([-0.06061, 7.88005, 4.45482, -3.64672], [2.82976, 0.51751, -3.32654, 4.67723]),
    "area": ([1.2565, 5.01761, 2.89535, -1.26614], [4.24599, -0.44667, -2.9066, 5.18093]),
    "nearest": ([0.0, 8.41471, 6.28252, -8.5708], [8.92594, -5.59143, -4.92848, 6.87012]),
    "lanczos3": ([-0.72302, 8.22792, 5.47215, -4.77847], [2.7276, 0.69258, -3.53977, 4.55458]),
    "lanczos5": ([-1.82523, 8.95791, 6.29309, -5.96083], [2.73352, 0.73802, -3.62745, 4.48503]),
    "gaussian": ([1.49564, 4.79993, 2.82557, -1.20673], [1.87657, 1.10423, -2.83745, 3.98038]),
    "mitchellcubic": ([0.73592, 6.26147, 3.64198, -2.36057], [2.28552, 0.85793, -3.1077, 4.26708]),
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_values_are_tensorflows(method):
    larger, smaller = ANSWERS[method]
    np.testing.assert_allclose(np.ravel(tf.image.resize(X, [7, 4], method))[:4], larger, atol=2e-5)
    np.testing.assert_allclose(np.ravel(tf.image.resize(X, [2, 3], method, antialias=True))[:4], smaller, atol=2e-5)


@pytest.mark.parametrize("method", METHODS)
def test_constants_stay_and_derivatives_pass(method):
    ones = tf.image.resize(tf.ones([3, 4, 1]), [5, 2], method, antialias=True)
    np.testing.assert_allclose(ones, np.ones([5, 2, 1]), rtol=1e-5)
    x = tf.Variable(X)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(tf.image.resize(x, [3, 7], method) ** 3)
        slope = inner.gradient(y, x)
        total = tf.reduce_sum(slope * X[::-1])
    second = outer.gradient(total, x)
    # Cubes of linear functions: the derivative along x itself is three times the value, that of the slope twice the slope.
    np.testing.assert_allclose(tf.reduce_sum(slope * X), 3 * y, rtol=1e-4)
    np.testing.assert_allclose(tf.reduce_sum(second * X), 2 * total, rtol=1e-4)
    traced = tf.function(lambda x: tf.image.resize(x, [3, 7], method))(tf.constant(X))
    np.testing.assert_allclose(traced, tf.image.resize(X, [3, 7], method), rtol=1e-5, atol=1e-5)


def test_dtypes_shapes_and_the_ratio_of_sides():
    assert tf.image.resize(X.astype("float64"), [4, 5]).dtype == tf.float32
    assert tf.image.resize((X * 9).astype("int32"), [8, 2], "nearest").dtype == tf.int32
    assert tf.image.resize(X, [3, 100], preserve_aspect_ratio=True).shape == [1, 3, 4, 2]
    assert tf.image.resize(X[0], tf.constant([8, 10])).shape == [8, 10, 2]
    for bad, text in [
        ((X, 10), "size"),
        ((X[0, 0], [2, 2]), "dimensions"),
        ((X, [0, 2]), "positive"),
        ((X, [2, 2], "foo"), "foo"),
    ]:
        with pytest.raises(ValueError, match=text):
            tf.image.resize(*bad)


def test_tensorflow_1_counts_from_corners():
    """TensorFlow 2.21's compat.v1."""
    image = compat.v1.image
    row = np.array([[[0.0], [4.0], [8.0]]], "float32")
    assert np.ravel(image.resize_bilinear(row[None], [1, 6])).tolist() == [0, 2, 4, 6, 8, 8]
    assert np.ravel(image.resize_images(row, [1, 5], align_corners=True)).tolist() == [0, 2, 4, 6, 8]
    assert np.ravel(image.resize_nearest_neighbor(row[None], [1, 2])).tolist() == [0, 4]
    assert np.ravel(image.resize_bilinear(row[None], [1, 6], half_pixel_centers=True)).tolist() == [0, 1, 3, 5, 7, 8]


def test_blocks_of_space_are_channels_and_batches():
    x = np.arange(2 * 4 * 6 * 3.0).reshape(2, 4, 6, 3)
    deep = tf.nn.space_to_depth(x, 2)
    np.testing.assert_array_equal(deep, x.reshape(2, 2, 2, 3, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 2, 3, 12))
    np.testing.assert_array_equal(tf.nn.depth_to_space(deep, 2), x)
    first = np.moveaxis(x, -1, 1)
    np.testing.assert_array_equal(tf.nn.space_to_depth(first, 2, "NCHW"), np.moveaxis(deep, -1, 1))
    batch = tf.space_to_batch(x, [2, 3], [[1, 1], [0, 0]])
    padded = np.pad(x, [(0, 0), (1, 1), (0, 0), (0, 0)])
    parts = [padded[:, a::2, b::3] for a in range(2) for b in range(3)]
    np.testing.assert_array_equal(batch, np.concatenate(parts))
    np.testing.assert_array_equal(tf.batch_to_space(batch, [2, 3], [[1, 1], [0, 0]]), x)
    np.testing.assert_array_equal(compat.v1.space_to_batch(x, [[0, 0], [0, 0]], 2), tf.space_to_batch(x, 2, [[0, 0], [0, 0]]))
    traced = tf.function(lambda x: tf.nn.space_to_depth(x, 2), input_signature=[tf.TensorSpec([None, None, None, 3], "float64")])
    np.testing.assert_array_equal(traced(x), deep)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not divided"):
        tf.nn.space_to_depth(x, 4)


def test_images_are_turned_mirrored_cropped_and_padded():
    x = X[0]
    np.testing.assert_array_equal(tf.image.flip_left_right(x), x[:, ::-1])
    np.testing.assert_array_equal(tf.image.flip_up_down(X), X[:, ::-1])
    for k in range(-1, 5):
        np.testing.assert_array_equal(tf.image.rot90(x, k), np.rot90(x, k))
    np.testing.assert_array_equal(tf.image.transpose(x), x.transpose(1, 0, 2))
    np.testing.assert_array_equal(tf.image.central_crop(x, 0.5), x[1:3, 1:4])
    np.testing.assert_array_equal(tf.image.resize_with_crop_or_pad(x, 2, 7), np.pad(x[1:3], [(0, 0), (1, 1), (0, 0)]))
    np.testing.assert_array_equal(tf.image.pad_to_bounding_box(x, 1, 0, 6, 5), np.pad(x, [(1, 1), (0, 0), (0, 0)]))
    np.testing.assert_allclose(tf.image.rgb_to_grayscale([[[1.0, 2.0, 3.0]]]), [[[0.2989 + 1.174 + 0.342]]], rtol=1e-6)
    np.testing.assert_allclose(tf.image.psnr(x, x + 1, 255.0), 20 * np.log10(255.0), rtol=1e-5)
