"""A model that was loaded is compiled as it was when it was saved: it is measured alike, and its training goes on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf

RNG = np.random.RandomState(0)
X = RNG.rand(64, 3).astype("float32")
Y = {"a": RNG.rand(64, 2).astype("float32"), "b": (RNG.rand(64, 1) > 0.5).astype("float32")}


def power(y: Any, p: Any) -> Any:
    return tf.reduce_mean(tf.abs(y - p) ** 1.5)


def network() -> Any:
    tf.keras.utils.set_random_seed(3)
    x = tf.keras.Input((3,), name="x")
    h = tf.keras.layers.Dense(5, "tanh", name="h")(x)
    return tf.keras.Model(x, [tf.keras.layers.Dense(2, name="a")(h), tf.keras.layers.Dense(1, "sigmoid", name="b")(h)])


def plain(model: Any) -> None:
    model.compile("rmsprop", "mse", metrics=[["mae", "accuracy"], ["mse"]])


def full(model: Any) -> None:
    model.compile(
        tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)),
        loss={"a": power, "b": tf.keras.losses.BinaryCrossentropy(label_smoothing=0.1)}, loss_weights={"a": 0.5, "b": 2.0},
        metrics={"a": ["mae", tf.keras.metrics.MeanSquaredError()], "b": ["accuracy"]},
        weighted_metrics={"b": [tf.keras.metrics.AUC(num_thresholds=20)]},
    )  # fmt: skip


def listed(model: Any) -> None:
    model.compile(
        tf.keras.optimizers.SGD(0.1, momentum=0.9), [tf.keras.losses.MeanSquaredError(), "mse"], loss_weights=[1.0, 3.0]
    )


@pytest.mark.parametrize("name", ["m.keras", "m.safetensors"])
@pytest.mark.parametrize("compiled", [plain, full, listed])
def test_training_goes_on(compiled: Any, name: str, tmp_path: Path):
    one = network()
    compiled(one)
    one.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    one.save(tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        two = tf.keras.models.load_model(tmp_path / name, custom_objects={"power": power})
    assert two.optimizer.iterations.numpy() == one.optimizer.iterations.numpy() == 4
    # Machine code takes over at a moment of its own, with other last digits.
    assert two.evaluate(X, Y, verbose=0, return_dict=True) == pytest.approx(one.evaluate(X, Y, verbose=0, return_dict=True), 1e-5)
    more, same = (m.fit(X, Y, epochs=2, shuffle=False, verbose=0).history for m in (two, one))
    assert more.keys() == same.keys() and all(more[name] == pytest.approx(same[name], 1e-4) for name in same)
    assert compiled is not full or {"a_mean_squared_error", "b_auc", "a_loss", "b_accuracy"} <= more.keys()


def test_objects_of_metrics_keep_their_names(tmp_path: Path):
    metric, model = tf.keras.metrics.MeanAbsoluteError(name="far"), network()
    model.compile("sgd", "mse", metrics={"a": metric})
    model.fit(X, Y, verbose=0)
    assert metric.name == "far" and "a_far" in model.evaluate(X, Y, verbose=0, return_dict=True)
    model.save(tmp_path / "m.keras")
    assert "a_far" in tf.keras.models.load_model(tmp_path / "m.keras").evaluate(X, Y, verbose=0, return_dict=True)


def test_what_is_not_compiled(tmp_path: Path):
    model = network()
    model.save(tmp_path / "never.keras")
    model.compile("sgd", power)
    model.save(tmp_path / "own.keras")
    model.compile("sgd", lambda y, p: power(y, p))
    model.save(tmp_path / "nameless.keras")
    assert not tf.keras.models.load_model(tmp_path / "never.keras").compiled
    assert not tf.keras.models.load_model(tmp_path / "nameless.keras").compiled
    assert not tf.keras.models.load_model(tmp_path / "own.keras", compile=False).compiled
    with pytest.warns(UserWarning, match="not compiled, as its file says what is not here: .*'power'"):
        assert not tf.keras.models.load_model(tmp_path / "own.keras").compiled
