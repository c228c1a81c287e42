"""What steps that a model states itself are given: as Keras 3.15 over TensorFlow 2.21 gives it."""

import numpy as np
import pytest

from wengert import keras


class Noting(keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Dense(1)
        self.given = []

    def call(self, x):
        return self.layer(x)

    def train_step(self, data):
        self.given.append([None if d is None else tuple(d.shape) for d in data] if isinstance(data, tuple) else data.shape)
        return {"loss": self.layer.bias}

    test_step = train_step

    def predict_step(self, data):
        self.train_step(data)
        return self(data[0] if isinstance(data, tuple) else data)


X, W = np.ones((4, 1), np.float32), np.ones(4)
CALLS = {
    "x": (lambda m: m.fit(X, verbose=0), (4, 1)),
    "x, y": (lambda m: m.fit(X, X, verbose=0), [(4, 1), (4, 1)]),
    "x, y, weights": (lambda m: m.fit(X, X, sample_weight=W, verbose=0), [(4, 1), (4, 1), (4,)]),
    "pairs": (lambda m: m.fit((b for b in [(X, X)]), steps_per_epoch=1, verbose=0), [(4, 1), (4, 1)]),
    "evaluate": (lambda m: m.evaluate(X, verbose=0), (4, 1)),
    "predict": (lambda m: m.predict(X, verbose=0), (4, 1)),
    "predict_on_batch": (lambda m: m.predict_on_batch(X), [(4, 1)]),
    "train_on_batch": (lambda m: m.train_on_batch(X), [(4, 1), None, None]),
}


@pytest.mark.parametrize("call", CALLS)
def test_data_of_a_step(call):
    model = Noting()
    model(X)
    model.compile("sgd", "mse")
    do, expected = CALLS[call]
    do(model)
    assert model.given == [expected]
