"""TensorFlow 1's losses against the sums that define them."""

import numpy as np
import pytest

import wengert as tf

v1 = tf.compat.v1
rng = np.random.default_rng(2)
LABELS, GUESSES = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))


@pytest.mark.parametrize("weights", [1.0, 2.5, 0.0, [[1.0], [0.0], [2.0]]])
def test_mean_pairwise_squared_error_is_a_mean_over_pairs(weights):
    d = GUESSES - LABELS
    pairs = [np.sum([(a - b) ** 2 for a in row for b in row]) / (4 * 3) for row in d]
    heavy = np.broadcast_to(weights, (3, 1))[:, 0]
    expected = np.sum(pairs * heavy)
    assert v1.losses.mean_pairwise_squared_error(LABELS, GUESSES, weights).numpy() == pytest.approx(expected)
    with tf.Graph().as_default(), v1.Session() as session:
        guess = tf.constant(GUESSES)
        loss = v1.losses.mean_pairwise_squared_error(LABELS, guess, weights)
        assert v1.losses.get_losses() == [loss]
        value, slope = session.run([loss, tf.gradients(loss, guess)[0]])
    assert value == pytest.approx(expected)
    # Σ over pairs (dᵢ - dⱼ)² has the slope 4 (n dᵢ - Σ d).
    np.testing.assert_allclose(slope, 4 * (4 * d - d.sum(1, keepdims=True)) / 12 * heavy[:, None], atol=1e-13)
