"""Metrics of layers, `add_metric`, and what a functional model counts: numbers of Keras 3.15 and of TF-Keras 2.21."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import wengert as tf
from wengert import keras

RANDOM = np.random.RandomState(0)
X = RANDOM.rand(10, 3).astype("float32")
T = (RANDOM.rand(10, 1) > 0.5).astype("float32")


class Counts(keras.layers.Layer):
    def __init__(self, name):
        super().__init__(name=name)
        self.total = keras.metrics.Sum(name=f"{name}_sum")
        self.held = [keras.metrics.Mean(name=f"{name}_mean")]

    def call(self, x):
        self.total.update_state(x)
        self.held[0].update_state(x)
        return x


class Around(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Counts("inner")
        self.own = keras.metrics.Mean(name="around")

    def call(self, x):
        x = self.inner(x)
        self.own.update_state(x)
        return x


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.counts = Counts("nested")
        self.hidden = keras.metrics.Mean(name="hidden")

    def call(self, x):
        self.hidden.update_state(x)
        return self.counts(x)


class Log(keras.layers.Layer):
    def call(self, x):
        self.add_metric(tf.reduce_sum(x), name="total", aggregation="mean")
        self.add_metric(x, name="each")
        return x


class Endpoint(keras.layers.Layer):
    def __init__(self, name):
        super().__init__(name=name)
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
        self.accuracy_fn = keras.metrics.BinaryAccuracy()

    def call(self, targets, logits):
        self.add_loss(self.loss_fn(targets, logits))
        self.add_metric(self.accuracy_fn(targets, logits), name="accuracy")
        return tf.sigmoid(logits)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.d = keras.layers.Dense(1, kernel_initializer="ones")
        self.own = keras.metrics.Sum(name="own")

    def call(self, x):
        y = self.d(x)
        self.own.update_state(y)
        self.add_metric(tf.reduce_max(y), name="top")
        return y


def compare(found, expected):
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-6, err_msg=name)


@pytest.mark.parametrize("eagerly", [False, True])
def test_the_metrics_of_layers_are_the_models(eagerly):
    """Keras 3.15."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones"), Around(), Nested()])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], run_eagerly=eagerly)
    history = model.fit(X, T, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    means, sums = [1.358605980873108, 0.8624063730239868], [13.5860595703125, 8.624063491821289]
    expected = {
        "around": means, "inner_mean": means, "inner_sum": sums, "nested_mean": means, "nested_sum": sums,
        "loss": [1.233079195022583, 0.5301403999328613], "mae": [0.9055044054985046, 0.5477973222732544],
    }  # fmt: skip
    compare(history, expected)
    told = model.evaluate(X, T, batch_size=4, verbose=0, return_dict=True)
    compare(told, {
        "around": 0.8826274871826172, "inner_mean": 0.8826274871826172, "inner_sum": 8.826274871826172,
        "loss": 0.4348481297492981, "mae": 0.5315118432044983, "nested_mean": 0.8826274871826172, "nested_sum": 8.826274871826172,
    })  # fmt: skip
    assert [one.name for one in model.layers[1].metrics] == ["around", "inner_sum", "inner_mean"]
    assert [one.name for one in model.layers[2].metrics] == ["hidden", "nested_sum", "nested_mean"]
    assert len(model.weights) == 2


def test_a_layer_adds_metrics():
    """TF-Keras 2.21."""
    inputs, targets = keras.Input((3,), name="inputs"), keras.Input((1,), name="targets")
    dense = keras.layers.Dense(1, name="d")
    logits = Log()(dense(inputs))
    model = keras.Model([inputs, targets], Endpoint("e")(targets, logits))
    dense.set_weights([np.array([[0.5], [-1.0], [2.0]], "float32"), np.array([0.1], "float32")])
    model.compile(keras.optimizers.SGD(0.1))
    assert [one.name for one in model.metrics] == ["loss", "total", "each", "binary_accuracy"]
    history = dict(model.fit([X, T], epochs=2, batch_size=4, shuffle=False, verbose=0).history)
    history.pop("loss")  # without targets, its mean over the batches in TF-Keras; in Keras 3, and here, over the rows
    expected = {
        "total": [2.98751163482666, 3.078242540359497], "each": [0.8962534666061401, 0.9234727621078491],
        "binary_accuracy": [0.699999988079071, 0.699999988079071],
    }  # fmt: skip
    compare(history, expected)
    told = model.evaluate([X, T], batch_size=4, verbose=0, return_dict=True)
    told.pop("loss")
    compare(told, {"total": 3.2657253742218018, "each": 0.9797176122665405, "binary_accuracy": 0.699999988079071})
    assert len(model.weights) == 2
    again = pickle.loads(pickle.dumps(model))
    told = again.evaluate([X, T], batch_size=4, verbose=0, return_dict=True)
    np.testing.assert_allclose(told["total"], 3.2657253742218018, rtol=2e-6)


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_model_adds_metrics(eagerly):
    """TF-Keras 2.21."""
    net = Net()
    net.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], run_eagerly=eagerly)
    history = net.fit(X, T, epochs=2, batch_size=4, shuffle=False, verbose=0, validation_data=(X, T)).history
    expected = {
        "loss": [1.233079195022583, 0.5301403999328613], "mae": [0.9055044054985046, 0.5477973222732544],
        "own": [13.5860595703125, 8.624063491821289], "top": [1.7410392761230469, 1.206843376159668],
        "val_loss": [0.5483784675598145, 0.4348481297492981], "val_mae": [0.5866602063179016, 0.5315118432044983],
        "val_own": [10.346588134765625, 8.826274871826172], "val_top": [1.437154769897461, 1.2492045164108276],
    }  # fmt: skip
    compare(history, expected)


def functional():
    inputs = keras.Input((3,))
    first, second = keras.layers.Dense(2, activation="tanh", name="a"), keras.layers.Dense(1, name="b")
    hidden = first(inputs)
    model = keras.Model(inputs, second(hidden))
    first.set_weights([np.arange(6).reshape(3, 2).astype("float32") / 7, np.array([0.1, -0.1], "float32")])
    second.set_weights([np.array([[1.0], [-2.0]], "float32"), np.array([0.3], "float32")])
    model.add_loss(tf.reduce_sum(hidden) * 0.1)
    model.add_loss(tf.reduce_mean(hidden * hidden))
    model.add_metric(tf.math.reduce_std(hidden), name="std", aggregation="mean")
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("again", [lambda model: model, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_functional_model_counts_symbolic_tensors(again):
    """TF-Keras 2.21."""
    model = again(functional())
    history = model.fit(X, T, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    expected = {
        "loss": [1.110779047012329, 0.6591116189956665], "mae": [0.5368168950080872, 0.5273115634918213],
        "std": [0.18785971403121948, 0.21836765110492706],
    }  # fmt: skip
    compare(history, expected)
    told = model.evaluate(X, T, batch_size=4, verbose=0, return_dict=True)
    compare(told, {"loss": 0.23455099761486053, "mae": 0.3856809735298157, "std": 0.12018194794654846})
    kernel, bias = model.layers[1].get_weights()
    expected_kernel = [
        [-0.1343737542629242, -0.04107813537120819], [0.09071085602045059, 0.3016152083873749],
        [0.5036703944206238, 0.3477971851825714],
    ]  # fmt: skip
    np.testing.assert_allclose(kernel, expected_kernel, rtol=3e-6)
    np.testing.assert_allclose(bias, [-0.16279344260692596, -0.42491817474365234], rtol=3e-6)
    assert model(X).shape == (10, 1) and model.outputs[0].shape[-1] == 1
    np.testing.assert_allclose([float(one) for one in model.losses], [0.07150556147098541, 0.025249049067497253], rtol=1e-5)


def test_what_is_added_after_training_counts():
    model = functional()
    model.fit(X, T, epochs=1, batch_size=4, shuffle=False, verbose=0)
    before = model.evaluate(X, T, verbose=0, return_dict=True)
    model.add_loss(tf.reduce_sum(model.layers[1].output * 0.0) + 1.0)
    after = model.evaluate(X, T, verbose=0, return_dict=True)
    np.testing.assert_allclose(after["loss"], before["loss"] + 1.0, rtol=1e-6)


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.safetensors", "folder"])
def test_no_file_says_what_a_model_counts(tmp_path, name):
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(1)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.add_metric(hidden, name="hidden")
    for one, what in ((model, "add_metric"), (keras.Sequential([inputs, model]), "add_metric"), (functional(), "add_loss")):
        with pytest.raises(NotImplementedError, match=what):
            one.save(tmp_path / name)
    with pytest.raises(TypeError, match="add_metric"):
        keras.models.clone_model(model)
    model.save_weights(tmp_path / "model.weights.safetensors")


def test_what_cannot_be_counted_is_refused():
    class Nameless(keras.layers.Layer):
        def call(self, x):
            self.add_metric(x)
            return x

    with pytest.raises(ValueError, match="name"):
        Nameless()(X)
    other = keras.Input((2,))
    with pytest.raises(ValueError, match="is not among the model's inputs"):
        functional().add_loss(tf.reduce_sum(other))
    for add in (lambda net: net.add_loss(other), lambda net: net.add_metric(other, "other")):
        with pytest.raises(ValueError, match="functional model alone"):
            add(Net())


def test_eager_calls_are_counted():
    log = Log()
    log(tf.ones((2, 2)))
    log(tf.zeros((2, 2)))
    assert [(one.name, float(one.result())) for one in log.metrics] == [("total", 2.0), ("each", 0.5)]


def test_a_sequential_has_one_input():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    np.testing.assert_array_equal(model([X]).numpy(), model(X).numpy())  # as Keras 3.15 takes it
    with pytest.raises(ValueError, match="has one input, and 2 are given"):
        model([X, X])
