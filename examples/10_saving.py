"""Saving: a field with its derivatives, trained by one program and used by another, which needs none of its source.

The file holds the list of operations and the weights, and executes nothing when it is loaded. `model.save_weights` and
`tf.train.Checkpoint` keep weights alone; they read what Keras and TensorFlow wrote, too (docs/saving.md).
"""

import tempfile

import numpy as np

import wengert as tf


class Field(tf.Module):
    """u(x, t), and what the heat equation leaves of it."""

    def __init__(self):
        super().__init__()
        layers = tf.keras.layers
        self.network = tf.keras.Sequential(
            [layers.Input((2,)), layers.Dense(16, "tanh"), layers.Dense(16, "tanh"), layers.Dense(1)]
        )

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32)] * 2)
    def __call__(self, x, t):
        return self.network(tf.concat([x, t], 1))

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32)] * 2)
    def residual(self, x, t):
        u = self(x, t)
        u_t, u_x = tf.gradients(u, [t, x])
        return u_t - tf.gradients(u_x, x)[0]


tf.random.set_seed(0)
rng = np.random.default_rng(0)
x, t = (tf.constant(rng.random((64, 1)), tf.float32) for _ in range(2))
field, optimizer = Field(), tf.keras.optimizers.Adam(1e-2)
for _ in range(200):
    with tf.GradientTape() as tape:
        start = tf.reduce_mean((field(x, 0.0 * t) - tf.sin(np.pi * x)) ** 2)
        loss = start + tf.reduce_mean(field.residual(x, t) ** 2)
    weights = field.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
print(f"loss {loss.numpy():.3f}")

folder = tempfile.mkdtemp()
tf.saved_model.save(field, folder)
loaded = tf.saved_model.load(folder)
print("the same residual:", np.array_equal(loaded.residual(x, t), field.residual(x, t)))

with tf.GradientTape() as outer:
    outer.watch(x)
    with tf.GradientTape() as inner:
        inner.watch(x)
        u = loaded(x, t)
    u_x = inner.gradient(u, x)
print("a derivative that nobody saved: u_xx =", outer.gradient(u_x, x).numpy()[:2, 0].round(2))
print("the field goes on training:", len(loaded.trainable_variables), "variables")
