"""A layer of one's own: weights made by add_weight, and by the variables and getters inside of Keras."""
import numpy as np
import tensorflow as tf
from keras.src import backend, constraints, initializers, ops, regularizers
from tensorflow import keras


class Swish(keras.layers.Layer):
    def __init__(self, units, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_initializer = initializers.get("ones")
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(None)

    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer=self.kernel_initializer, trainable=True)
        with backend.name_scope(self.name, caller=self):
            self.beta = backend.Variable(
                initializer=initializers.get("ones"), shape=(1,), dtype=backend.standardize_dtype("float32"), trainable=True,
                autocast=True, aggregation="none", name="beta")
        self.built = True

    def call(self, x):
        z = tf.matmul(x, self.w)
        return z * tf.math.sigmoid(self.beta * z) + 0.0 * ops.ones((1,))


layer = Swish(3)
x = tf.constant([[0.1, 0.2], [0.3, -0.5]])
with tf.GradientTape() as tape:
    y = tf.reduce_sum(layer(x))
print(np.round(layer(x), 5).tolist(), np.round(tape.gradient(y, layer.w), 5).tolist())
drawn = backend.random.uniform((4, 2), minval=0.0, maxval=0.5, dtype="float32", seed=2)
print(drawn.shape, bool(tf.reduce_max(drawn) < 0.5), len(layer.trainable_weights) >= 1)
net = keras.Sequential([keras.layers.InputLayer((2,)), layer, keras.layers.Dense(1, activation="tanh", use_bias=False)])
print(net(x).shape, keras.activations.get("relu")(x).numpy().tolist())
optimizer = keras.optimizers.Adam(learning_rate=keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
print("rate", round(float(optimizer.lr(20)), 5))
