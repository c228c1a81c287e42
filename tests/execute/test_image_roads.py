"""Images, pools and convolutions in traced functions: every executor gives the eager value."""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.ground.options import options

X = np.random.default_rng(0).random((2, 8, 6, 4))
K = np.random.default_rng(1).random((3, 3, 4, 2))
POOL: Any = (2, 2, "SAME")
CALLS: dict[str, Callable[[Any], Any]] = {
    **{method: lambda x, m=method: tf.image.resize(x, [5, 9], m) for method in ("bilinear", "bicubic", "area", "nearest")},
    "patches": lambda x: tf.image.extract_patches(x, [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME"),
    "space_to_depth": lambda x: tf.nn.space_to_depth(x, 2),
    "depth_to_space": lambda x: tf.nn.depth_to_space(x, 2),
    "space_to_batch": lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]),
    "total_variation": tf.image.total_variation,
    "image_gradients": tf.image.image_gradients,
    "standardization": tf.image.per_image_standardization,
    "turned": lambda x: tf.image.rot90(tf.image.flip_left_right(x)),
    "max_pool": lambda x: tf.nn.max_pool2d(x, *POOL),
    "avg_pool": lambda x: tf.nn.avg_pool2d(x, *POOL),
    "conv2d": lambda x: tf.nn.conv2d(x, K, 2, "SAME"),
    "depthwise": lambda x: tf.nn.depthwise_conv2d(x, K, [1, 1, 1, 1], "VALID"),
}


@pytest.mark.parametrize("executor", ["native", "xla", "auto"])
def test_values_and_slopes_are_the_eager_ones(executor: str) -> None:
    if executor != "native" and importlib.util.find_spec("jax") is None:
        pytest.skip("needs jax: pip install 'wengert[xla]'")

    def every(x: Any) -> list[Any]:
        found = []
        for call in CALLS.values():
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = call(x)
                total = tf.add_n([tf.reduce_sum(tf.cast(t, tf.float64) ** 2) for t in tf.nest.flatten(y)])
            found += [*tf.nest.flatten(y), tape.gradient(total, x)]
        return found

    expected = every(tf.constant(X))
    with options.set(executor=executor, after=0):
        for found, wanted in zip(tf.function(every)(tf.constant(X)), expected, strict=True):
            assert found.dtype == wanted.dtype and found.shape == wanted.shape
            loose = 1e-4 if wanted.dtype == tf.float32 else 1e-5
            np.testing.assert_allclose(found, wanted, rtol=loose, atol=loose)
