"""The models of this folder's files, for whichever Keras is given."""

import numpy as np


def points():
    return np.linspace(-1, 1, 8).reshape(4, 2).astype("f"), np.ones((4, 1), "f")


def sequential(keras):
    layers = keras.layers
    return keras.Sequential(
        [layers.Input((2,)), layers.Dense(3, activation="tanh", name="first"), layers.BatchNormalization(), layers.Dropout(0.5),
         layers.Dense(1)]
    )  # fmt: skip


def functional(keras):
    layers = keras.layers
    x = keras.Input((2,))
    a, b = layers.Dense(3, activation="tanh")(x), layers.Dense(3)(x)
    both = layers.Concatenate(axis=-1)([layers.Concatenate()([a, b]), layers.Add()([a, b])])
    return keras.Model(x, layers.Dense(1, kernel_regularizer="l2")(both))


def subclass(keras):
    class Sub(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [keras.layers.Dense(3, activation="tanh") for _ in range(2)]
            self.out = keras.layers.Dense(1)
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x):
            for layer in self.hidden:
                x = layer(x)
            return self.scale * self.out(x)

    return Sub()


def waves():
    return np.sin(3.0 * np.arange(8)).reshape(4, 2).astype("f")


def later(keras):
    """One that is built by its first call: equal kernels, a model within, statistics, and all of the layers by name."""
    layers = keras.layers

    class Inner(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(2, use_bias=False), layers.Dense(2)
            self.norm = layers.BatchNormalization()

        def call(self, x, training=False):
            return self.second(self.norm(self.first(x), training=training))

    class Later(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.out = Inner(), layers.Dense(2)

        def call(self, x, training=False):
            return self.out(self.inner(x, training=training))

    return Later()
