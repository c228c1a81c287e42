"""`ops.unique`: of slices against NumPy's; sizes and orders that NumPy has not, against what they are made of."""

import numpy as np
import pytest

import wengert as tf

unique = tf.keras.ops.unique
rng = np.random.default_rng(0)
TENSORS = [rng.integers(0, 2, (7, 2)).astype("float32"), rng.integers(0, 2, (2, 6, 2)), rng.integers(0, 3, (3, 2, 8))]


@pytest.mark.parametrize("road", ["eager", "numpy"])
@pytest.mark.parametrize("which", range(3))
def test_slices_are_numpys(which, road):
    x = TENSORS[which]
    for axis in range(-1, x.ndim):
        wanted = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis)

        def call(t, axis=axis):
            return unique(t, return_index=True, return_inverse=True, return_counts=True, axis=axis)

        if road != "eager":
            tf.config.set_executor(road)
        try:
            found = (call if road == "eager" else tf.function(call))(tf.constant(x))
        finally:
            tf.config.set_executor("native")
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs.reshape(ours.shape))


def test_sizes_and_the_order_of_appearance():
    x = np.array([[1, 2], [0, 1], [1, 2], [0, 0]])
    found, first, counts = unique(x, sorted=False, return_index=True, return_counts=True, axis=0)
    assert found.numpy().tolist() == [[1, 2], [0, 1], [0, 0]] and first.numpy().tolist() == [0, 1, 3]
    assert counts.numpy().tolist() == [2, 1, 1]
    assert unique(x, axis=0, size=2).numpy().tolist() == [[0, 0], [0, 1]]
    found, first, counts = unique(x, axis=0, size=4, fill_value=9, return_index=True, return_counts=True)
    assert found.numpy().tolist() == [[0, 0], [0, 1], [1, 2], [9, 9]]
    assert first.numpy().tolist() == [3, 1, 0, 1] and counts.numpy().tolist() == [1, 1, 2, 0]
    assert unique([3.0, 1.0, 3.0], size=3).numpy().tolist() == [1.0, 3.0, 0.0]


def test_derivatives_go_to_the_slice_that_stands_first():
    x = tf.constant([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(unique(x, axis=0) * [[1.0, 2.0], [3.0, 4.0]])
    assert tape.gradient(y, x).numpy().tolist() == [[3.0, 4.0], [1.0, 2.0], [0.0, 0.0]]
