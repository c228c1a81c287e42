"""Models that are saved to a folder, as Keras 2 has it: a saved model, of which a Keras model is made again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.train import archive

RNG = np.random.RandomState(0)
X, Y = RNG.rand(32, 3).astype("float32"), RNG.rand(32, 1).astype("float32")


class Own(tf.keras.Model):
    """A class that nobody has registered, with a call that depends on ``training``."""

    def __init__(self, units: Any) -> None:
        super().__init__()
        self.dense, self.norm = tf.keras.layers.Dense(units.count, "tanh"), tf.keras.layers.BatchNormalization()

    def call(self, inputs: Any, training: bool = False) -> Any:
        y = self.norm(self.dense(inputs), training=training)
        return 2.0 * y if training else y


class Units:
    """What no file can hold."""

    count = 1


def trained(model: Any, epochs: int = 2) -> Any:
    if not model.compiled:
        model.compile(tf.keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model.fit(X, Y, epochs=epochs, shuffle=False, verbose=0).history


def near(value: Any) -> Any:
    """What machine code, which takes over at a moment of its own, may have with other last digits."""
    return pytest.approx(value, rel=1e-4)


def sequential() -> Any:
    return tf.keras.Sequential([tf.keras.layers.Dense(4, "tanh", input_shape=(3,)), tf.keras.layers.Dense(1)])


def test_a_model_of_known_layers_is_what_it_was(tmp_path: Path):
    one = sequential()
    trained(one)
    one.save(tmp_path / "m")
    assert os.listdir(tmp_path / "m") == ["saved_model.safetensors"] and tf.saved_model.contains_saved_model(tmp_path / "m")
    two = tf.keras.models.load_model(tmp_path / "m")
    assert type(two) is tf.keras.Sequential and two.optimizer.iterations.numpy() == 2
    assert two.evaluate(X, Y, verbose=0) == near(one.evaluate(X, Y, verbose=0))
    assert [near(v) for v in trained(two).values()] == list(trained(one).values())


def test_weights_out_of_a_folder(tmp_path: Path):
    one, two = sequential(), sequential()
    trained(one)
    one.save(tmp_path / "m")
    two.load_weights(tmp_path / "m")
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    tf.saved_model.save(one, tmp_path / "low")
    with pytest.raises(ValueError, match="are not those of the model"):
        two.load_weights(tmp_path / "low")


def test_each_array_is_there_once(tmp_path: Path):
    model = sequential()
    trained(model)
    model.save(tmp_path / "m")
    arrays, _ = archive.load(str(tmp_path / "m" / "saved_model.safetensors"))
    kernels = [a for a in arrays.values() if a.shape == (3, 4)]
    assert len(kernels) == 3  # the value, and Adam's two moments


def test_a_class_that_is_not_known_is_what_was_traced_of_it(tmp_path: Path):
    one = Own(Units())
    trained(one)
    one.save(tmp_path / "m")
    two = tf.keras.models.load_model(tmp_path / "m")
    assert type(two).__name__ == "Own" and type(two) is not Own and two.compiled
    for training in (False, True):
        np.testing.assert_allclose(two(X, training=training), one(X, training=training), rtol=1e-5, atol=1e-6)
    assert len(two.trainable_variables) == 4 and len(two.weights) == len(one.weights) == 6
    assert two.evaluate(X, Y, verbose=0) == near(one.evaluate(X, Y, verbose=0))
    before = [w.numpy() for w in two.trainable_variables]
    assert trained(two, 1)["loss"] == near(trained(one, 1)["loss"])
    assert all((w.numpy() != old).all() for w, old in zip(two.trainable_variables, before, strict=True))


def test_a_program_that_has_not_the_class(tmp_path: Path):
    one = Own(Units())
    want = one(X).numpy()
    one.save(tmp_path / "m")
    np.save(tmp_path / "x.npy", X)
    body = """
import numpy as np, wengert as tf
x = np.load("x.npy")
low = tf.saved_model.load("m")
print(float(tf.keras.models.load_model("m")(x)[3, 0]), float(low(x)[3, 0]), sorted(low.signatures))
"""
    out = subprocess.run([sys.executable, "-c", body], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    *values, names = out.split(maxsplit=2)
    assert [float(v) for v in values] == [near(float(want[3, 0]))] * 2 and names == "['serving_default']\n"


def test_names_of_files_and_of_folders(tmp_path: Path):
    model = sequential()
    for name, folder in {"a": True, "b.model": True, "c.keras": False, "d.h5": False, "e.safetensors": False}.items():
        model.save(tmp_path / name)
        assert os.path.isdir(tmp_path / name) == folder
        np.testing.assert_allclose(tf.keras.models.load_model(tmp_path / name)(X), model(X), rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "f", save_format="h5")
    assert os.path.isfile(tmp_path / "f")
    with pytest.raises(FileExistsError):
        model.save(tmp_path / "a", overwrite=False)


def test_without_the_optimizer(tmp_path: Path):
    model = sequential()
    trained(model)
    for name in ("a", "b.keras", "c.safetensors"):
        model.save(tmp_path / name, include_optimizer=False)
        assert tf.keras.models.load_model(tmp_path / name).optimizer is None


def test_signatures_of_ones_own(tmp_path: Path):
    model = sequential()
    doubled = tf.function(lambda x: 2.0 * model(x), input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    model.save(tmp_path / "m", signatures={"doubled": doubled})
    found = tf.saved_model.load(tmp_path / "m").signatures["doubled"](x=tf.constant(X))
    np.testing.assert_allclose(found["output_0"], 2.0 * model(X), rtol=1e-6)


def test_what_a_model_is_called_with():
    def told(model: Any, dynamic: bool = True) -> Any:
        found = model.save_spec(dynamic)
        return None if found is None else (tf.nest.map_structure(lambda s: (s.shape.as_list(), s.dtype), found[0]), found[1])

    a, b = tf.keras.Input((3,), name="a"), tf.keras.Input((2,), name="b", dtype="float64")
    two = tf.keras.Model([a, b], tf.keras.layers.Dense(1)(a))
    first = [None, 3], tf.float32
    assert told(sequential()) == ([first], {}) and told(two) == ([[first, ([None, 2], tf.float64)]], {})
    own = Own(Units())
    assert told(own) is None
    own(X)
    assert told(own) == ([first], {}) and told(own, False) == ([([32, 3], tf.float32)], {})
    assert [s.name for s in tf.nest.flatten(two.save_spec()[0])] == ["a", "b"]


def test_what_is_none(tmp_path: Path):
    with pytest.raises(ValueError, match="cannot be saved either because the input shape is not available"):
        Own(Units()).save(tmp_path / "m")
    assert not os.path.exists(tmp_path / "m")
    tf.saved_model.save(sequential(), tmp_path / "low")
    with pytest.raises(ValueError, match=r"exported with `tf\.saved_model\.save`"):
        tf.keras.models.load_model(tmp_path / "low")
    os.mkdir(tmp_path / "empty")
    for name in ("empty", "nothing"):
        with pytest.raises(OSError, match="there is no file"):
            tf.keras.models.load_model(tmp_path / name)
    arrays, texts = archive.load(str(tmp_path / "low" / "saved_model.safetensors"))
    archive.dump(str(tmp_path / "low" / "saved_model.safetensors"), arrays, {**texts, "wengert.keras": '{"labels": {"a": "b"}}'})
    with pytest.raises(ValueError, match="what it tells of a Keras model is damaged"):
        tf.keras.models.load_model(tmp_path / "low")


def test_a_call_that_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    own = Own(Units())
    with pytest.raises(ValueError, match="It must be built before export"):
        own.export(tmp_path / "m")
    trained(own)
    own.export(tmp_path / "m")
    assert capsys.readouterr().out == f"Saved artifact at '{tmp_path / 'm'}'.\n"
    found = tf.saved_model.load(tmp_path / "m")
    np.testing.assert_allclose(found.serve(X[:5]), own(X[:5]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.signatures["serving_default"](tf.constant(X))["output_0"], own(X), rtol=1e-5, atol=1e-6)
    assert sorted(found.signatures) == ["serve", "serving_default"]
    assert [len(found.trainable_variables), len(found.variables)] == [4, 6]
    own.export(tmp_path / "two", input_signature=[tf.TensorSpec([2, 3], tf.float32)], verbose=False)
    assert tf.saved_model.load(tmp_path / "two").serve(X[:2]).shape == (2, 1) and not capsys.readouterr().out
    with pytest.raises(ValueError, match="matching concrete function"):
        tf.saved_model.load(tmp_path / "two").serve(X)
    with pytest.raises(NotImplementedError, match="onnx"):
        own.export(tmp_path / "m.onnx", format="onnx")
