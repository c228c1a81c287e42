"""A model that says how it is trained, and not what its value is."""

import numpy as np

import wengert as tf


class Pair(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = tf.keras.layers.Dense(1, kernel_initializer="ones")

    def train_step(self, x):
        return {"loss": tf.reduce_mean(self.inner(x))}


def test_a_model_without_call_is_trained_by_its_own_step():
    model = Pair()
    model.compile("sgd")
    history = model.fit(np.ones((4, 2), "float32"), batch_size=2, verbose=0).history
    np.testing.assert_allclose(history["loss"], [2.0])
