"""What steps that a model states itself are given: as Keras 3.15 over TensorFlow 2.21 gives it."""

import warnings

import numpy as np
import pytest

import wengert as tf
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


# --- where an epoch goes on, and what it is told of ------------------------------------------------------------------------


class Batches:
    """Seven batches, the k-th of two rows of k, as often as it is iterated over."""

    def __iter__(self):
        return ((np.full((2, 1), k, np.float32), np.zeros((2, 1), np.float32)) for k in range(7))


def means(*groups):
    """Return the mean squares of the batches with these numbers."""
    return [float(np.mean(np.square(g))) for g in groups]


def measuring(cls=keras.Model, **compiled):
    """Return a model that is the identity and stays it: its loss is the mean square of what it is given."""
    x = keras.Input((1,))
    model = cls(x, keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)(x))
    model.compile(keras.optimizers.SGD(0.0), "mse", **compiled)
    return model


@pytest.mark.parametrize(
    ("steps", "epochs", "expected", "ends"),
    [
        (2, 3, means([0, 1], [2, 3], [4, 5]), False),
        (7, 2, means(range(7), range(7)), False),
        (3, 4, means([0, 1, 2], [3, 4, 5], [6], [0, 1, 2]), True),
        (9, 2, means(range(7), range(7)), True),
    ],
)
@pytest.mark.parametrize("kind", ["iterable", "list of arrays"])
def test_an_epoch_goes_on_where_the_last_has_ended(kind, steps, epochs, expected, ends):
    if kind == "iterable":
        data, more = (Batches(),), {}
    else:
        data = tuple(np.concatenate(part) for part in zip(*Batches(), strict=True))
        more = {"batch_size": 2, "shuffle": False}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = measuring().fit(*data, epochs=epochs, steps_per_epoch=steps, verbose=0, **more).history["loss"]
    np.testing.assert_allclose(found, expected)
    assert ends == any("ended before an epoch" in str(w.message) for w in said)


def test_a_generator_that_has_ended_is_said():
    model = measuring()
    with pytest.warns(UserWarning, match="ended before an epoch"):
        history = model.fit(iter(Batches()), epochs=3, steps_per_epoch=4, verbose=0)
    np.testing.assert_allclose(history.history["loss"], means([0, 1, 2, 3], [4, 5, 6]))
    with pytest.warns(UserWarning, match="ended before an epoch"):
        history = model.fit(iter(Batches()), epochs=3, verbose=0)  # not the numbers of the epoch before
    assert history.epoch == [0]


def test_validation_begins_anew_each_time():
    history = measuring().fit(
        Batches(), epochs=4, verbose=0, validation_data=Batches(), validation_steps=2, validation_freq=[2, 4]
    )
    np.testing.assert_allclose(history.history["val_loss"], means([0, 1], [0, 1]))
    history = measuring().fit(Batches(), epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]


ROWS = np.arange(8.0, dtype=np.float32).reshape(8, 1)


class OwnStep(keras.Model):
    """The loop of Keras's guide to one's own steps."""

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=weight)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred, sample_weight=weight)
        return {m.name: m.result() for m in self.metrics}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("cls", [keras.Model, OwnStep])
def test_the_metrics_of_compile(cls, eager):
    model = measuring(cls, metrics=["mae"], weighted_metrics=["mae"], run_eagerly=eager)
    assert model.metrics_names == ["loss", "compile_metrics"]
    two = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    found = model.fit(ROWS, np.zeros_like(ROWS), **two).history
    assert found == {"loss": [17.5] * 2, "mae": [3.5] * 2, "weighted_mae": [3.5] * 2}
    weights = np.arange(8.0)
    found = model.fit(ROWS, np.zeros_like(ROWS), sample_weight=weights, **two).history
    assert found["loss"] == [98.0] * 2 and found["mae"] == [3.5] * 2
    np.testing.assert_allclose(found["weighted_mae"], [np.average(np.arange(8), weights=weights)] * 2)
    labels = np.array([0, 1] * 4, np.float32).reshape(8, 1)
    found = model.fit(ROWS, labels, class_weight={0: 1.0, 1: 3.0}, **two).history
    assert found["loss"] == [28.0] * 2 and found["mae"] == [3.0] * 2
    assert sum(np.size(v) for v in model.metrics[1].variables) == 4


def test_metrics_that_were_given_nothing():
    class Alone(keras.Model):
        def train_step(self, data):
            return {m.name: m.result() for m in self.metrics}

    with pytest.raises(ValueError, match="Cannot get result"):
        measuring(Alone, metrics=["mae"]).fit(ROWS, ROWS, verbose=0)


def test_class_weights_of_an_iterable_are_refused():
    with pytest.raises(ValueError, match="class_weight"):
        measuring().fit(Batches(), class_weight={0: 2.0}, verbose=0)


@pytest.mark.parametrize(
    ("losses", "settings", "expected"),
    [  # (epochs run, epoch of the weights, stopped at), as Keras 3.15 has them
        ([3.0, 2.0, 1.0, 2.0, 3.0, 4.0], {"patience": 2}, (5, 3, 4)),
        ([3.0, 2.0, 1.0, 2.0, 3.0, 4.0], {"patience": 10}, (6, 3, 0)),
        ([1.0, 2.0, 3.0], {"patience": 0}, (2, 1, 1)),
        ([5.0, 2.0, 3.0, 1.0, 1.0, 1.0], {"patience": 1, "start_from_epoch": 2}, (5, 4, 4)),
        ([5.0, 4.0, 3.0, 2.0], {"patience": 1, "baseline": 1.0}, (4, 4, 0)),
        ([5.0, 4.95, 4.9, 4.85], {"patience": 2, "min_delta": 0.2}, (3, 1, 2)),
    ],
)
def test_the_best_weights_come_back(losses, settings, expected):
    class Noted(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.array([[epoch + 1.0]])])
            logs["val_loss"] = losses[epoch]

    model, stop = measuring(), keras.callbacks.EarlyStopping(restore_best_weights=True, **settings)
    history = model.fit(ROWS, ROWS, epochs=len(losses), verbose=0, callbacks=[Noted(), stop])
    assert (len(history.epoch), model.get_weights()[0].item(), stop.stopped_epoch) == expected


def test_batch_normalisation_moves_its_averages_in_each_mode():
    layer = keras.layers.BatchNormalization(momentum=0.5)
    x = tf.constant([[1.0], [3.0]])
    traced = tf.function(lambda x: layer(x, training=True))
    traced(x)
    traced(x)
    assert (layer.moving_mean.numpy(), layer.moving_variance.numpy()) == ([1.5], [1.0])
    layer(x, training=True)
    layer(x, training=False)
    assert layer.moving_mean.numpy() == [1.75]
    layer.trainable = False
    layer(x, training=True)
    assert layer.moving_mean.numpy() == [1.75]


def test_each_of_several_outputs_tells_its_loss():
    """Values of Keras 3.15, which weighs no loss where it tells it alone."""
    layers, losses = tf.keras.layers, {"zed": "mse", "abc": "mae"}
    x, y = np.arange(8, dtype="f").reshape(4, 2), np.ones((4, 1), "f")
    inputs = tf.keras.Input((2,))
    outputs = [layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2", name=n)(inputs) for n in losses]
    model = tf.keras.Model(inputs, outputs)
    model.compile(tf.keras.optimizers.SGD(0.0), losses, loss_weights={"zed": 2.0, "abc": 0.5}, metrics={"zed": ["mae"]})
    targets = [y, 2 * y]
    told = model.fit(x, targets, epochs=1, batch_size=2, verbose=0, validation_split=0.25).history
    assert list(told) == sorted(told)
    found = {name: value for name, (value,) in told.items()}
    assert found == pytest.approx(
        {"abc_loss": 11 / 3, "loss": 55.206667, "zed_loss": 80 / 3, "zed_mae": 4.0,
         "val_abc_loss": 11.0, "val_loss": 293.54, "val_zed_loss": 144.0, "val_zed_mae": 12.0}, rel=1e-5
    )  # fmt: skip
    assert model.evaluate(x, targets, verbose=0) == pytest.approx([114.79, 56.0, 5.5, 6.0], rel=1e-5)
    assert model.metrics_names == ["loss", "compile_metrics", "zed_loss", "abc_loss"]
    model.compile("sgd", {"zed": "mse"})
    assert model.evaluate(x, targets, verbose=0) == pytest.approx(56.04, rel=1e-5)
    assert model.metrics_names == ["loss"]


@pytest.mark.parametrize(
    ("base", "listed", "trainable"),
    [
        (keras.Model, [[8], [4], [3, 2], [2], [6, 5], [5], [7], [1], [9]], [[8], [4], [3, 2], [2], [6, 5], [5], [7], [1]]),
        (keras.layers.Layer, [[8], [1], [4], [9], [3, 2], [2], [7], [6, 5], [5]], [[8], [1], [4], [3, 2], [2], [7], [6, 5], [5]]),
    ],
)
def test_plain_variables_of_a_model_stand_where_keras_2_has_them(base, listed, trainable):
    """The order of tf_keras 2.21, but that declared weights, and all that a layer owns, are first, as in Keras 3."""

    class Inner(base):
        def __init__(self):
            super().__init__()
            self.rate = tf.Variable(tf.zeros(7))
            self.layer = keras.layers.Dense(5)

    class Outer(base):
        def __init__(self):
            super().__init__()
            self.known = tf.Variable(tf.zeros(9), trainable=False)
            self.sought = tf.Variable(tf.zeros(1))
            self.several = [tf.Variable(tf.zeros(4))]
            self.layer = keras.layers.Dense(2)
            self.inner = Inner()
            self.declared = self.add_weight(shape=(8,), name="declared")

    outer = Outer()
    outer.layer.build((None, 3))
    outer.inner.layer.build((None, 6))
    assert [list(v.shape) for v in outer.weights] == listed
    assert [list(v.shape) for v in outer.trainable_variables] == trainable
    outer.set_weights([np.full(v.shape, i) for i, v in enumerate(outer.weights)])
    assert [w.flat[0] for w in outer.get_weights()] == list(range(len(listed)))
