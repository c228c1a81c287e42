"""Files that Keras wrote, and files for Keras."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

from ..train.published import models

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install wengert[weights]")

HERE = Path(__file__).parent.parent / "train" / "published"
MAKE = {"seq": models.sequential, "func": models.functional, "sub": models.subclass}
X, Y = models.points()
FILES = ["seq.weights.h5", "seq.h5", "seq.keras", "func.weights.h5", "func.h5", "func.keras", "sub.weights.h5"]


def unpacked(keras, name, folder):
    path = folder / name
    path.write_bytes(gzip.decompress((HERE / keras / f"{name}.gz").read_bytes()))
    return path


def made(name):
    model = MAKE[name](tf.keras)
    model(X)
    model.compile("adam", "mse")
    return model


def the_same(model, keras, name):
    told = np.load(HERE / keras / f"{name}.npz")
    np.testing.assert_allclose(model(X), told["pred"], atol=2e-6)
    own = [v for v in model.optimizer.variables if keras == "keras3" or v is not model.optimizer.learning_rate]
    for i, v in enumerate(own):
        np.testing.assert_array_equal(v.numpy(), told[f"o{i}"])


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
@pytest.mark.parametrize("name", FILES)
def test_weights(keras, name, tmp_path: Path):
    path, kind = unpacked(keras, name, tmp_path), name.split(".")[0]
    model = made(kind)
    if (keras, kind) == ("keras2", "sub"):  # whose optimizer counts the weights in another order
        with pytest.warns(UserWarning, match="not all of the optimizer's state was restored"):
            model.load_weights(path).expect_partial()
        np.testing.assert_allclose(model(X), np.load(HERE / keras / "sub.npz")["pred"], atol=2e-6)
        return
    model.load_weights(path)
    the_same(model, keras, kind)


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
@pytest.mark.parametrize("name", ["seq.h5", "seq.keras", "func.h5", "func.keras"])
def test_models(keras, name, tmp_path: Path):
    model = tf.keras.models.load_model(unpacked(keras, name, tmp_path))
    the_same(model, keras, name.split(".")[0])
    model.fit(X, Y, epochs=1, verbose=0)
    again = tf.keras.models.load_model(tmp_path / name, compile=False)
    assert again.optimizer is None and [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


def test_by_name(tmp_path: Path):
    model = tf.keras.Sequential(
        [tf.keras.Input((2,)), tf.keras.layers.Dense(3, name="first"), tf.keras.layers.Dense(2, name="own")]
    )
    before = model.get_weights()
    model.load_weights(unpacked("keras2", "seq.h5", tmp_path), by_name=True)
    told = np.load(HERE / "keras2" / "seq.npz")
    for a, b in zip(model.get_weights(), [told["w0"], told["w1"], *before[2:]], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_that_is_another_is_refused(tmp_path: Path):
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(4)])
    before = model.get_weights()
    for keras, name in (("keras3", "seq.weights.h5"), ("keras2", "seq.h5"), ("keras3", "func.keras")):
        with pytest.raises(ValueError, match="are not those of the model"):
            model.load_weights(unpacked(keras, name, tmp_path))
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


# --- files for Keras ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["seq", "func", "sub"])
def test_what_is_written_stands_where_keras_looks(kind, tmp_path: Path):
    model = made(kind)
    model.fit(X, Y, verbose=0)
    model.save_weights(tmp_path / "own.weights.h5")
    theirs = unpacked("keras3", f"{kind}.weights.h5", tmp_path)
    with h5py.File(tmp_path / "own.weights.h5") as own, h5py.File(theirs) as keras:
        for file, found in ((own, {}), (keras, other := {})):
            file.visititems(lambda path, item, found=found: found.update({path: getattr(item, "shape", None)}))
            if file is own:
                assert (own_paths := found) is not None
        assert own_paths == other
        np.testing.assert_array_equal(own["optimizer/vars/0"][()], model.optimizer.iterations)
    again = made(kind)
    again.load_weights(tmp_path / "own.weights.h5")
    for a, b in zip((*model.weights, *model.optimizer.variables), (*again.weights, *again.optimizer.variables), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["seq", "func"])
def test_a_model_that_is_written_is_one_of_keras(kind, tmp_path: Path):
    model = made(kind)
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "own.keras")

    def told(path):
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))

    own, theirs = told(tmp_path / "own.keras"), told(unpacked("keras3", f"{kind}.keras", tmp_path))
    assert own["class_name"] == theirs["class_name"] and own["module"] == theirs["module"]
    for a, b in zip(own["config"]["layers"], theirs["config"]["layers"], strict=True):
        assert (a["module"], a["class_name"]) == (b["module"], b["class_name"])
        assert a["config"].keys() <= b["config"].keys()
        assert [len(n["args"]) for n in a.get("inbound_nodes", [])] == [len(n["args"]) for n in b.get("inbound_nodes", [])]
    again = tf.keras.models.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(again(X), model(X))


# --- damage -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["seq.weights.h5", "seq.h5", "seq.keras"])
def test_damaged_files_are_refused_by_name(name, tmp_path: Path):
    path = unpacked("keras3", name, tmp_path)
    whole, rng, model = path.read_bytes(), np.random.default_rng(0), made("seq")
    refused = 0
    for size in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1, *rng.integers(0, len(whole), 10)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=str(path)):
            model.load_weights(path)
    for _ in range(60):
        blob = bytearray(whole)
        for at in rng.integers(0, len(whole), 20):
            blob[at] = rng.integers(256)
        path.write_bytes(blob)
        try:
            model.load_weights(path)
            if "weights" not in name:
                tf.keras.models.load_model(path)
        except ValueError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 10


def hostile(path, write):
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["1"] = np.zeros(2, "f")
        write(group)


def external(group):
    group["0"] = h5py.ExternalLink("/etc/hostname", "/x")


def elsewhere(group):
    Path(group.file.filename).with_name("raw").write_bytes(bytes(16))
    group.create_dataset("0", (2, 2), "f", external=[(str(Path(group.file.filename).with_name("raw")), 0, 16)])


def circle(group):
    group["0"] = group.file["layers"]


def text(group):
    group["0"] = np.array([[b"a", b"b"]])


def bomb(group):
    group.create_dataset("0", (2**20, 2**20), "f", chunks=(2**10, 2**10), compression="gzip")


def huge(group):
    group.create_dataset("0", (2**20, 2**20), "f", chunks=(2**10, 2**10))


LIES = {
    "a link": external,
    "another file": elsewhere,
    "a circle": circle,
    "no numbers": text,
    "a bomb": bomb,
    "nothing stored": huge,
}


@pytest.mark.parametrize("lie", LIES)
def test_whole_files_that_lie(lie, tmp_path: Path):
    hostile(tmp_path / "f.h5", LIES[lie])
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=str(tmp_path)):
        model.load_weights(tmp_path / "f.h5")


def zipped(path, config, weights=None, **more):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        buffer = io.BytesIO()
        h5py.File(buffer, "w").close()
        kind = zipfile.ZIP_STORED if weights is None else zipfile.ZIP_DEFLATED
        archive.writestr("model.weights.h5", buffer.getvalue() if weights is None else weights, kind)
        for name, content in more.items():
            archive.writestr(name, content)


def dense(**config):
    layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 2]}}, {"class_name": "Dense", "config": config}]
    return {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}


CODE = {"class_name": "__lambda__", "config": {"value": "bm90aGluZw=="}}
CONFIGS = {
    "no JSON": "{",
    "a list": [1],
    "nested too deeply": "[" * 100000,
    "no such class": {"module": "os", "class_name": "system", "config": {"command": "true"}},
    "a module": {"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}},
    "code": {"class_name": "Lambda", "config": {"name": "l", "function": CODE}},
    "a weight larger than the file": dense(units=2**40),
    "no units": dense(),
    "an argument that is not here": dense(units=2, lora_magic=[1]),
    "a tensor from nowhere": {"class_name": "Functional", "config": {"name": "m", "layers": [],
        "input_layers": ["a", 0, 0], "output_layers": ["a", 0, 0]}},
    "an operation": {"module": "keras.src.ops.numpy", "class_name": "Sin", "config": {}},
}  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS)
def test_configurations_that_are_none(config, tmp_path: Path):
    path = tmp_path / "m.keras"
    zipped(path, CONFIGS[config])
    with pytest.raises(ValueError, match=str(path)):
        tf.keras.models.load_model(path)


def test_archives_that_unpack_to_much_are_refused(tmp_path: Path):
    path = tmp_path / "m.keras"
    zipped(path, dense(units=2), bytes(1 << 24))
    with pytest.raises(ValueError, match=r"model.weights.h5 is said to have 16777216 bytes"):
        tf.keras.models.load_model(path)
    zipped(path, " " * (1 << 27))
    with pytest.raises(ValueError, match=r"config.json is said to have"):
        tf.keras.models.load_model(path)


def test_members_of_other_names_are_left_alone(tmp_path: Path):
    path = tmp_path / "in" / "m.keras"
    path.parent.mkdir()
    zipped(path, dense(units=2), **{"../outside": "x", "/tmp/absolute-of-wengert": "x"})
    with pytest.raises(ValueError, match="is not in the file"):
        tf.keras.models.load_model(path)
    assert [p.name for p in tmp_path.iterdir()] == ["in"] and [p.name for p in path.parent.iterdir()] == ["m.keras"]


def test_without_the_library_it_is_said_what_to_install(tmp_path: Path, monkeypatch):
    from wengert.keras import hdf5

    path = unpacked("keras3", "seq.weights.h5", tmp_path)
    monkeypatch.setattr(hdf5, "available", lambda: False)
    with pytest.raises(ImportError, match=r"seq.weights.h5 is an HDF5 file.*pip install wengert\[weights\]"):
        made("seq").load_weights(path)
