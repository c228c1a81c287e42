"""Saved models: what is loaded is what was saved, to any derivative; damaged and lying files are refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert import compat
from wengert.train import archive

v1 = compat.v1


class Model(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = tf.Variable(2.0, name="v")
        self.parts = [tf.Variable([1.0, 2.0], trainable=False)]
        self.known = {"v": self.v}
        self.c = tf.constant([0.5])

    @tf.function
    def f(self, x, k=2):
        return {"y": x * self.v * k}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def g(self, x):
        if tf.reduce_sum(x) > 0:
            for _ in tf.range(3):
                x = x * self.v + self.c
        else:
            x = tf.sin(x)
        return x[::2, None], tf.gradients(x**2, x)[0]

    @tf.function
    def step(self):
        self.v.assign_add(1.0)
        return self.v


@pytest.fixture
def saved(tmp_path: Path):
    model = Model()
    model.f(tf.constant(1.0))
    model.f(tf.constant([1.0, 2.0]), k=3)
    model.step()
    tf.saved_model.save(model, tmp_path)
    return model, tmp_path


def test_variables_and_functions(saved):
    model, folder = saved
    loaded = tf.saved_model.load(folder)
    assert loaded.v.numpy() == 3.0 and loaded.known["v"] is loaded.v and loaded.parts[0].numpy().tolist() == [1, 2]
    assert [v.trainable for v in (loaded.v, loaded.parts[0])] == [True, False]
    assert loaded.f(tf.constant(2.0))["y"].numpy() == 12.0
    assert loaded.f([1.0, 2.0], 3)["y"].numpy().tolist() == [9.0, 18.0]
    assert loaded.step().numpy() == 4.0 and loaded.v.numpy() == 4.0 and model.v.numpy() == 3.0
    with pytest.raises(ValueError, match="Could not find matching concrete function"):
        loaded.f(tf.constant([1.0]), 3)
    with pytest.raises(ValueError, match="Could not find matching concrete function"):
        loaded.f(tf.constant(1.0), 4)


@pytest.mark.parametrize("values", [[1.0, 2.0], [-1.0, -0.5, -2.0]])
def test_derivatives_of_any_order(saved, values):
    model, folder = saved
    loaded = tf.saved_model.load(folder)

    def derivatives(one):
        x = tf.constant(values)
        with tf.GradientTape() as third:
            third.watch(x)
            with tf.GradientTape() as second:
                second.watch(x)
                with tf.GradientTape() as first:
                    first.watch(x)
                    y = tf.reduce_sum(one.g(x)[0] ** 3)
                a = first.gradient(y, x)
            b = second.gradient(a, x)
        with tf.GradientTape() as tape:
            z = tf.reduce_sum(one.f(tf.constant(1.0))["y"] ** 2)
        return [y, a, b, third.gradient(b, x), tape.gradient(z, one.v)]

    for a, b in zip(derivatives(loaded), derivatives(model), strict=True):
        np.testing.assert_array_equal(a, b)

    inside = tf.function(lambda x: loaded.g(x)[0] * 2.0)
    np.testing.assert_array_equal(inside(tf.constant(values)), 2.0 * model.g(tf.constant(values))[0])


def test_signatures(saved):
    model, folder = saved
    found = tf.saved_model.load(folder).signatures
    assert list(found) == ["serving_default"]  # of the one function with an input_signature
    result = found["serving_default"](x=tf.constant([1.0]))
    assert list(result) == ["output_0", "output_1"]
    np.testing.assert_array_equal(result["output_0"], model.g(tf.constant([1.0]))[0])
    tf.saved_model.save(model, folder, {"a": model.f.get_concrete_function(tf.constant(1.0))})
    found = tf.saved_model.load(folder).signatures
    assert list(found) == ["a"] and found["a"](tf.constant(2.0))["y"].numpy() == 12.0
    with pytest.raises(ValueError, match=r"Only `tf.functions` with an input signature"):
        tf.saved_model.save(model, folder, model.f)


def test_a_keras_model(tmp_path: Path):
    layers = tf.keras.layers
    model = tf.keras.Sequential([tf.keras.Input((2,)), layers.Dense(3, "tanh"), layers.Dropout(0.5), layers.Dense(1)])
    tf.saved_model.save(model, tmp_path)
    loaded, x = tf.saved_model.load(tmp_path), tf.ones((4, 2))
    np.testing.assert_array_equal(loaded(x), model(x))
    assert len(loaded.trainable_variables) == 4 and loaded(x, training=True).shape == (4, 1)
    np.testing.assert_array_equal(loaded.signatures["serving_default"](x)["output_0"], model(x))
    tf.saved_model.save(loaded, tmp_path)
    np.testing.assert_array_equal(tf.saved_model.load(tmp_path)(x), model(x))


def test_a_custom_derivative(tmp_path: Path):
    @tf.custom_gradient
    def twice(x):
        return x * 1.0, lambda g: 2.0 * g

    class Own(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def __call__(self, x):
            return twice(x)

    tf.saved_model.save(Own(), tmp_path)
    loaded, x = tf.saved_model.load(tmp_path), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loaded(x)
    assert tape.gradient(y, x).numpy() == 2.0


def test_what_calls_python_is_not_saved(tmp_path: Path):
    class Calls(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def __call__(self, x):
            return tf.py_function(lambda a: a, [x], tf.float32)

    with pytest.raises(ValueError, match=r"test_saved_model.py.* holds <function .*only its program can make"):
        tf.saved_model.save(Calls(), tmp_path / "m")
    assert not (tmp_path / "m").exists()
    with pytest.raises(ValueError, match="Expected an object of type `Trackable`"):
        tf.saved_model.save(lambda x: x, tmp_path / "m")


def test_a_session(tmp_path: Path):
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 2])
        w = v1.get_variable("w", initializer=[[1.0], [2.0]])
        y = tf.tanh(x @ w)
        g = tf.gradients(y, x)[0]
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            session.run(w.assign([[3.0], [4.0]]))
            v1.saved_model.simple_save(session, tmp_path / "m", {"x": x}, {"y": y, "g": g})
            want = session.run({"y": y, "g": g}, {x: [[0.1, 0.2]]})
            with pytest.raises(ValueError, match="depend on the placeholder"):
                v1.saved_model.simple_save(session, tmp_path / "n", {}, {"y": y})
            with pytest.raises(AssertionError, match="already exists"):
                v1.saved_model.Builder(tmp_path / "m")
    found = tf.saved_model.load(tmp_path / "m").signatures["serving_default"](x=tf.constant([[0.1, 0.2]]))
    for name, value in want.items():
        np.testing.assert_array_equal(found[name], value)


# --- damage -------------------------------------------------------------------------------------------------------------------


def test_none_is_there(tmp_path: Path):
    assert not tf.saved_model.contains_saved_model(tmp_path)
    with pytest.raises(OSError, match="SavedModel file does not exist at"):
        tf.saved_model.load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(OSError, match=r"saved_model.pb, which TensorFlow wrote.*load_checkpoint"):
        tf.saved_model.load(tmp_path)


def changes(told):
    """The texts of files that lie, made from one that does not."""
    first = next(i for i, one in enumerate(told["lists"]) if any(n[2] for n in one["nodes"]))
    at = next(i for i, n in enumerate(told["lists"][first]["nodes"]) if n[2])

    def changed(change):
        other = json.loads(json.dumps(told))
        change(other, other["lists"][first]["nodes"][at])
        return other

    yield changed(lambda t, n: t.update(format=2))
    yield changed(lambda t, n: t.pop("lists"))
    yield changed(lambda t, n: n.__setitem__(0, "system"))
    yield changed(lambda t, n: n.__setitem__(0, "py_function"))
    yield changed(lambda t, n: n.__setitem__(0, 7))
    yield changed(lambda t, n: n.__setitem__(2, [10**6]))
    yield changed(lambda t, n: n.__setitem__(2, [-1]))
    yield changed(lambda t, n: n.__setitem__(1, "a name/../ with spaces"))
    yield changed(lambda t, n: n.__setitem__(3, {"x": {"call": "os.system"}}))
    yield changed(lambda t, n: n.__setitem__(3, {"x": {"array": "none"}}))
    yield changed(lambda t, n: n.__setitem__(4, [at]))
    yield changed(lambda t, n: t["objects"][0].update(kind="function"))
    yield changed(lambda t, n: t["objects"][0]["children"].update(a=10**6))
    yield changed(lambda t, n: t["traces"][0].update(list=10**6))
    yield changed(lambda t, n: t["traces"][0].update(labels=[]))
    yield changed(lambda t, n: t["signatures"].update(a=10**6))
    for one in told["lists"]:
        for node in one["nodes"]:
            for value in node[3].values():
                if isinstance(value, dict) and "body" in value:
                    value["body"] = 0
                    yield told
                    return


def test_files_that_lie(saved):
    _, folder = saved
    path = str(folder / "saved_model.safetensors")
    arrays, texts = archive.load(path)
    count = 0
    for told in changes(json.loads(texts["wengert.saved_model"])):
        archive.dump(path, arrays, {"wengert.saved_model": json.dumps(told)})
        with pytest.raises(tf.errors.DataLossError, match=path):
            tf.saved_model.load(folder)
        count += 1
    assert count == 17
    for text in ("", "[]", "{", "[" * 100000):
        archive.dump(path, arrays, {"wengert.saved_model": text})
        with pytest.raises(tf.errors.DataLossError, match=path):
            tf.saved_model.load(folder)


def test_names_that_would_change_methods_are_passed_over(saved):
    _, folder = saved
    path = str(folder / "saved_model.safetensors")
    arrays, texts = archive.load(path)
    told = json.loads(texts["wengert.saved_model"])
    told["objects"][0]["children"] |= {"variables": 1, "__class__": 1, "__init__": 1}
    archive.dump(path, arrays, {"wengert.saved_model": json.dumps(told)})
    loaded = tf.saved_model.load(folder)
    assert isinstance(loaded.variables, tuple) and isinstance(loaded, tf.Module)
