"""Callbacks that keep and record the course of training; data by numbers of batches; names that files may mention."""

from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert import keras

X, Y = np.arange(16.0).reshape(8, 2) / 16, np.ones((8, 1))


def model():
    made = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    made.compile(keras.optimizers.Adam(0.1), "mse")
    return made


class Interrupting(keras.callbacks.Callback):
    def __init__(self, after: int):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise RuntimeError("stop")


@pytest.mark.parametrize("freq", ["epoch", 3])
@pytest.mark.parametrize("double", [False, True])
def test_training_goes_on_where_it_was_interrupted(tmp_path: Path, freq: str | int, double: bool):
    # The losses are Keras 3.15's.
    losses = {"epoch": [0.203206, 0.212007, 0.189109], 3: [0.209124, 0.184534, 0.149042]}
    folder = tmp_path / "backup"

    def backup():
        return keras.callbacks.BackupAndRestore(folder, save_freq=freq, double_checkpoint=double)

    options = {"batch_size": 2, "epochs": 5, "verbose": 0, "shuffle": False}
    with pytest.raises(RuntimeError, match="stop"):
        model().fit(X, Y, callbacks=[backup(), Interrupting(11)], **options)
    found = model().fit(X, Y, callbacks=[backup()], **options)
    assert found.epoch == [2, 3, 4]
    np.testing.assert_allclose(found.history["loss"], losses[freq], rtol=1e-5)
    assert not folder.exists()


def test_a_damaged_backup_is_told_of_or_the_one_before_it_taken(tmp_path: Path):
    for double in (False, True):
        folder = tmp_path / str(double)
        with pytest.raises(RuntimeError, match="stop"):
            backup = keras.callbacks.BackupAndRestore(folder, double_checkpoint=double)
            model().fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=[backup, Interrupting(4)])
        (folder / "latest.weights.h5").write_bytes(b"nothing")
        backup = keras.callbacks.BackupAndRestore(folder, double_checkpoint=double)
        if double:
            assert model().fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[backup]).epoch == [3, 4]
        else:
            with pytest.raises(ValueError, match="latest"):
                model().fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[backup])


def test_the_summaries_have_the_names_of_keras(tmp_path: Path):
    made = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(1, name="b")])
    made.compile("sgd", "mse", metrics=["mae"])
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=2, update_freq=2, write_images=True)
    history = made.fit(X, Y, batch_size=2, epochs=2, verbose=0, validation_data=(X[:4], Y[:4]), callbacks=[board]).history
    events = {name: tf.summary.read(str(tmp_path / name)) for name in ("train", "validation")}
    told = {name: [(e["tag"], e["step"]) for e in found] for name, found in events.items()}
    batches = [(f"batch_{k}", n) for n in (2, 4) for k in ("loss", "mae")]
    epoch = ["epoch_loss", "epoch_mae", "epoch_learning_rate"]
    weights = [(f"{w}/{k}", 0) for w in ("a/kernel", "a/bias", "b/kernel") for k in ("histogram", "image")]
    assert told["train"][:7] == batches + [(name, 0) for name in epoch]
    assert told["train"][7:14] == [*weights, ("b/bias/histogram", 0)]
    assert told["train"][-3:] == [(name, 1) for name in epoch]
    assert told["validation"] == [
        *[(f"evaluation_{k}_vs_iterations", 4) for k in ("loss", "mae")], ("epoch_loss", 0), ("epoch_mae", 0),
        *[(f"evaluation_{k}_vs_iterations", 8) for k in ("loss", "mae")], ("epoch_loss", 1), ("epoch_mae", 1),
    ]  # fmt: skip
    losses = [e["scalar"] for e in events["train"] if e["tag"] == "epoch_loss"]
    np.testing.assert_allclose(losses, history["loss"], rtol=1e-6)


def test_callbacks_are_given_a_dictionary():
    seen: dict[str, object] = {}

    class Callback(keras.callbacks.Callback):
        def __getattribute__(self, name):
            found = super().__getattribute__(name)
            return (lambda *a, **k: seen.setdefault(name, (a, k)[0][-1])) if name.startswith("on_") else found

    made = model()
    made.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[Callback()])
    made.predict(X, verbose=0, callbacks=[Callback()])
    assert len(seen) == 14 and all(isinstance(logs, dict) for logs in seen.values())
    assert [seen[f"on_{n}"] for n in ("train_begin", "epoch_begin", "test_begin", "predict_begin", "predict_end")] == [{}] * 5


def test_the_loss_and_the_metrics_of_keras_2():
    class Custom(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            self.optimizer.apply_gradients(zip(tape.gradient(loss, self.weights), self.weights, strict=True))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    i = keras.Input((4,))
    made = Custom(i, keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))(i))
    assert made.compiled_loss is None
    made.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    found = made.fit(np.ones((8, 4)), np.zeros((8, 1)), epochs=2, verbose=0).history
    np.testing.assert_allclose(found["loss"], [18.0, 14.3298016], rtol=1e-6)  # tf_keras 2.21's
    np.testing.assert_allclose(found["mae"], [4.0, 3.5600002], rtol=1e-6)


def test_short_floats_train_with_scaled_losses():
    keras.mixed_precision.set_global_policy(keras.mixed_precision.Policy("mixed_float16"))
    try:
        layers = [keras.layers.Dense(3, activation="relu", kernel_initializer="ones")]
        made = keras.Sequential([*layers, keras.layers.Dense(1, kernel_initializer="ones", dtype="float32")])
        made.compile("sgd", "mse")
        assert isinstance(made.optimizer, keras.mixed_precision.LossScaleOptimizer)
        found = made.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, epochs=2).history
    finally:
        keras.mixed_precision.set_global_policy("float32")
    # The gradients, 2 * 5 * 3 * 2**15, are infinite in float16: both steps are skipped, the scale is halved, as in Keras 3.15.
    assert found["loss"] == [25.0, 25.0] and float(made.optimizer.dynamic_scale) == 2.0**13


def test_the_factor_of_the_loss_is_taken_out_again():
    plain, scaled = model(), model()
    plain.compile(keras.optimizers.SGD(0.1), "mse")
    scaled.compile(keras.optimizers.SGD(0.1, loss_scale_factor=8.0), "mse")
    for made in (plain, scaled):
        made.fit(X, Y, verbose=0, shuffle=False)
    np.testing.assert_allclose(scaled.get_weights()[0], plain.get_weights()[0], rtol=1e-6)


@pytest.mark.parametrize("traced", [False, True])
def test_a_step_that_is_not_finite_is_skipped(traced: bool):
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0, dynamic_growth_steps=3)
    v = keras.Variable(np.ones(2, "float32"))

    def step(g):
        optimizer.apply_gradients([(g, v)])

    take = tf.function(step) if traced else step
    scales = []
    for g in (1, 1, 1, 1, np.inf, 1, np.nan, 1, 1, 1, 1):
        take(tf.constant([8.0 * g] * 2))
        scales.append(float(optimizer.dynamic_scale))
    assert scales == [8, 8, 16, 16, 8, 8, 4, 4, 4, 8, 8]  # Keras 3.15's
    assert int(optimizer.iterations) == 9
    np.testing.assert_allclose(v.numpy(), [-0.15] * 2, atol=1e-6)
    again = keras.optimizers.get(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    with pytest.raises(ValueError, match="inner_optimizer"):
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), clipnorm=1.0)


def test_batches_by_their_numbers():
    class Data(keras.utils.PyDataset):
        ended = 0

        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[2 * i : 2 * i + 2], Y[2 * i : 2 * i + 2]

        def on_epoch_end(self):
            self.ended += 1

    data = Data(workers=2)
    one, other = model(), model()
    found = one.fit(data, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert found == other.fit(X, Y, batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"] and data.ended == 2
    np.testing.assert_allclose(one.evaluate(data, verbose=0), other.evaluate(X, Y, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(one.predict(data, verbose=0), other.predict(X, verbose=0), rtol=1e-6)


def test_rows_of_one_length():
    rows = [[1, 2], [3, 4, 5, 6]]
    assert keras.utils.pad_sequences(rows).tolist() == [[0, 0, 1, 2], [3, 4, 5, 6]]
    assert keras.utils.pad_sequences(rows, padding="post").tolist() == [[1, 2, 0, 0], [3, 4, 5, 6]]
    short = keras.utils.pad_sequences(rows, maxlen=3, truncating="post", value=9, dtype="float32")
    assert short.tolist() == [[9, 1, 2], [3, 4, 5]] and short.dtype == np.float32
    with pytest.raises(ValueError, match="Padding"):
        keras.utils.pad_sequences(rows, padding="both")


def test_what_files_may_mention():
    @keras.saving.register_keras_serializable("mine")
    class Scaled(keras.layers.Layer):
        def __init__(self, factor, **keywords):
            super().__init__(**keywords)
            self.factor = factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    told = keras.saving.serialize_keras_object({"layers": [Scaled(2), keras.layers.Dense(3)], "name": "a", "n": 1})
    again = keras.saving.deserialize_keras_object(told)
    assert type(again["layers"][0]) is Scaled and again["layers"][0].factor == 2 and again["layers"][1].units == 3
    assert (again["name"], again["n"]) == ("a", 1)
    assert keras.saving.get_registered_object("mine>Scaled") is Scaled
    with pytest.raises(ValueError, match="Unheard"):
        keras.saving.deserialize_keras_object({"class_name": "Unheard", "config": {}})
