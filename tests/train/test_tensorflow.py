"""Checkpoints that TensorFlow wrote: read as they were written, and refused by name where they are damaged or lie."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert import compat
from wengert.train import tensorflow as files
from wengert.train.tensorflow.bundle import _key
from wengert.train.tensorflow.checksum import crc32c
from wengert.train.tensorflow.wire import varint, varints

from . import damage
from .published import models

HERE = Path(__file__).parent / "published"
v1 = compat.v1


# --- checksums and numbers ------------------------------------------------------------------------------------------------


def slow(data):
    """The definition, bit by bit."""
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = (found >> 1) ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 100, 4095, 4096, 4097, 5003, 65536, 70001])
def test_checksums_of_all_lengths(size):
    data = np.random.default_rng(size).bytes(size)
    assert crc32c(data) == slow(data)


def test_checksums_that_are_published():  # RFC 3720, B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_numbers():
    assert varint(b"\xff" * 9 + b"\x01", 0) == (2**64 - 1, 10)
    numbers = [0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1]

    def written(n):
        return bytes(
            [
                *((n >> 7 * i & 127) | 128 for i in range(max(n.bit_length() - 1, 0) // 7)),
                n >> (max(n.bit_length() - 1, 0) // 7 * 7),
            ]
        )

    assert varints(b"".join(map(written, numbers))).tolist() == numbers
    for bad in (b"\x80", b"\x80" * 11 + b"\0"):
        with pytest.raises(ValueError, match="no end"):
            varints(bad)


def test_names_of_parts():
    # As TensorFlow's ordered code has them: -1 is 7f, 64 takes two bytes, 8192 three.
    assert _key("a\0b", ((0, -1), (64, 8192))) == b"\0a\0\xffb\0\1\1\2\x80\x7f\xc0\x40\xe0\x20\0"


# --- what TensorFlow wrote ------------------------------------------------------------------------------------------------


class Held(tf.Module):
    def __init__(self):
        super().__init__(name="m")
        self.w = tf.Variable([[0.0, 0.0], [0.0, 0.0]])
        self.parts = [tf.Variable(0, dtype=tf.int64), tf.Variable([False, False])]
        self.d = {"a/b": tf.Variable(0.0, dtype=tf.float64)}
        self.c = tf.Variable([0j], dtype=tf.complex128)
        self.short = tf.Variable([0.0, 0.0])
        self.text = tf.Variable(["", ""])


def test_objects_of_all_kinds_of_values():
    path = tf.train.latest_checkpoint(HERE / "module")
    assert path == str(HERE / "module" / "ckpt-1")
    m = Held()
    checkpoint = tf.train.Checkpoint(m=m)
    checkpoint.restore(path).assert_consumed()
    assert checkpoint.save_counter.numpy() == 1
    np.testing.assert_array_equal(m.w, [[1, 2], [3, 4]])
    assert m.parts[0].numpy() == 5 and m.parts[1].numpy().tolist() == [True, False]
    assert m.d["a/b"].numpy() == 1.5 and m.c.numpy().tolist() == [1 + 2j]
    assert m.short.numpy().tolist() == [1.5, -2.0]
    assert m.text.numpy().tolist() == [b"one", b"zwei"]


def test_looking_into_one():
    found = dict(tf.train.list_variables(HERE / "module"))
    assert found["m/w/.ATTRIBUTES/VARIABLE_VALUE"] == [2, 2] and found["_CHECKPOINTABLE_OBJECT_GRAPH"] == []
    reader = tf.train.load_checkpoint(HERE / "module")
    assert reader.get_variable_to_dtype_map()["m/parts/0/.ATTRIBUTES/VARIABLE_VALUE"] is tf.int64
    assert reader.has_tensor("m/c/.ATTRIBUTES/VARIABLE_VALUE") and not reader.has_tensor("m")
    assert tf.train.load_variable(HERE / "module", "save_counter/.ATTRIBUTES/VARIABLE_VALUE") == 1
    with pytest.raises(tf.errors.NotFoundError, match="Key m not found"):
        reader.get_tensor("m")


@pytest.mark.parametrize("keras", ["keras3", "keras2"])
@pytest.mark.parametrize("name", ["seq", "func", "sub"])
@pytest.mark.parametrize("built", [True, False])
def test_models_and_their_optimizers(keras, name, built):
    told = np.load(HERE / keras / f"{name}.npz")
    x, _ = models.points()
    model = {"seq": models.sequential, "func": models.functional, "sub": models.subclass}[name](tf.keras)
    if name != "sub" or keras == "keras3":  # Keras 3 leads to the layers of a list by the optimizer's places alone
        model(x)
    model.compile("adam", "mse")
    if built and model.built:
        model.optimizer.build(model.trainable_variables)
    status = tf.train.Checkpoint(model=model, optimizer=model.optimizer).restore(str(HERE / keras / name))
    if name != "sub" or keras == "keras2":
        np.testing.assert_allclose(model(x), told["pred"], atol=2e-6)
    model.optimizer.build(model.trainable_variables)
    np.testing.assert_allclose(model(x), told["pred"], atol=2e-6)
    status.assert_existing_objects_matched().assert_consumed()
    own = {v.path: v.numpy() for v in model.optimizer.variables}
    places = [p for p in own if keras == "keras3" or not p.endswith("learning_rate")]
    if name == "sub" and keras == "keras2":  # which counts a model's own weights last
        scale = [p for p in places if "scale" in p]
        places = [p for p in places if p not in scale] + scale
    for i, place in enumerate(places):
        np.testing.assert_array_equal(own[place], told[f"o{i}"], err_msg=place)


def test_load_weights_of_a_checkpoint():
    told = np.load(HERE / "keras2" / "seq.npz")
    model = models.sequential(tf.keras)
    model.load_weights(HERE / "keras2" / "root").expect_partial()
    np.testing.assert_allclose(model(models.points()[0]), told["pred"], atol=2e-6)


def test_load_weights_of_a_checkpoint_of_something_else():
    with pytest.raises(ValueError, match="holds nothing that belongs to the model"):
        models.sequential(tf.keras).load_weights(HERE / "keras2" / "seq")


@pytest.mark.parametrize("name", ["one", "two-1"])
def test_savers(name):
    path = str(HERE / "tf1" / name)
    assert v1.train.checkpoint_exists(path)
    with tf.Graph().as_default():
        w = v1.get_variable("net/w", shape=(2, 3))
        part = v1.get_variable("part", shape=(200, 2))
        step = v1.train.get_or_create_global_step()
        with v1.Session() as session:
            v1.train.Saver().restore(session, path)
            assert session.run(step) == 1
            np.testing.assert_allclose(session.run(w), np.maximum(np.arange(6.0).reshape(2, 3) - 0.1, 0), atol=1e-6)
            np.testing.assert_array_equal(session.run(part), np.load(HERE / "tf1" / "part.npz")["part"])
    reader = v1.train.NewCheckpointReader(path)
    assert reader.get_tensor("flag").tolist() == [True, False] and reader.get_tensor("i8").tolist() == [-3, 4]
    assert reader.get_tensor("h").dtype == np.float16 and reader.get_tensor("c").tolist() == [1 + 2j]
    assert reader.get_tensor("d") == 0.25 and reader.get_tensor("net/b").tolist() == [1, 2]


def test_a_manager_goes_on_in_a_folder_that_tensorflow_began(tmp_path: Path):
    folder = shutil.copytree(HERE / "module", tmp_path / "module")
    m = Held()
    del m.text  # strings are not written
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(m=m), folder, 1)
    assert manager.restore_or_initialize() == str(folder / "ckpt-1")
    m.w.assign(m.w + 1)
    path = manager.save()
    assert path == str(folder / "ckpt-2") and not (folder / "ckpt-1.index").exists()
    other = Held()
    tf.train.Checkpoint(m=other).restore(path).expect_partial()
    np.testing.assert_array_equal(other.w, [[2, 3], [4, 5]])


def test_where_an_iterator_of_tensorflow_is_does_not_hide_the_variables_beside_it():
    v, step, elements = tf.Variable([0.0, 0.0]), tf.Variable(0), iter(tf.data.Dataset.range(5))
    tf.train.Checkpoint(v=v, step=step, iterator=elements).read(str(HERE / "iterator" / "ckpt")).expect_partial()
    assert v.numpy().tolist() == [1.5, -2] and step.numpy() == 7
    assert next(elements).numpy() == 0  # what TensorFlow tells of its iterators is its own


def test_a_value_that_does_not_fit_changes_nothing():
    m = tf.Module()
    m.parts, m.w = [tf.Variable(7, dtype=tf.int64)], tf.Variable([0.0])
    with pytest.raises(ValueError, match=r"holds m/w.* with shape \(2, 2\)"):
        tf.train.Checkpoint(m=m).restore(str(HERE / "module" / "ckpt-1"))
    assert m.parts[0].numpy() == 7


# --- damage -----------------------------------------------------------------------------------------------------------------


def read_all(prefix):
    reader = tf.train.load_checkpoint(prefix)
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


@pytest.mark.parametrize("of", ["module/ckpt-1.index", "module/ckpt-1.data-00000-of-00001", "tf1/one"])
def test_damaged_files_are_refused_by_name(of, tmp_path: Path):
    source, rng = HERE / of, np.random.default_rng(0)
    for path in source.parent.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    prefix, blob = str(tmp_path / source.name.split(".")[0]), source.read_bytes()
    read_all(prefix)
    cut = [blob[:size] for size in {0, 1, 47, 48, len(blob) // 2, len(blob) - 48, len(blob) - 1}]
    refused = 0
    for bad in (*cut, *damage.flips(blob, rng, 60), *damage.flips(blob, rng, 20, 3), *damage.rewritten(blob, rng, 40)):
        (tmp_path / source.name).write_bytes(bad)
        try:
            read_all(prefix)
        except tf.errors.OpError as error:
            assert str(tmp_path) in str(error), error
            refused += 1
    assert refused > 115  # of 127: a bit in what fills the end up tells nothing, and some are written over by themselves


def number(n):
    found = b""
    while n > 127:
        found, n = found + bytes([n & 127 | 128]), n >> 7
    return found + bytes([n])


def field(at, value):
    return number(at << 3 | 2) + number(len(value)) + value if isinstance(value, bytes) else number(at << 3) + number(value)


def block(entries):
    body = (
        b"".join(number(0) + number(len(k)) + number(len(v)) + k + v for k, v in entries) + bytes(4) + (1).to_bytes(4, "little")
    )
    return body + sum_of(body + b"\0")


def sum_of(data):
    found = crc32c(data)
    return b"\0" + ((((found >> 15) | (found << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")


def table(entries):
    """A whole table, its checksums right."""
    first = block(entries)
    index = block([(b"z", number(0) + number(len(first) - 5))])
    ends = number(len(first)) + number(0) + number(len(first)) + number(len(index) - 5)
    return first + index + ends.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def entry(dtype=1, shape=(2,), shard=0, offset=0, size=8, more=b""):
    sizes = b"".join(field(2, field(1, s)) for s in shape)
    return field(1, dtype) + field(2, sizes) + field(3, shard) + field(4, offset) + field(5, size) + more


HEADER = (b"", field(1, 1))
LIES = {
    "an absurd shape": [HEADER, (b"a", entry(shape=(2**40,)))],
    "a shape without end": [HEADER, (b"a", entry(shape=(2**62, 2**62)))],
    "a negative size": [HEADER, (b"a", entry(shape=(2**64 - 1,)))],
    "a place beyond the end": [HEADER, (b"a", entry(offset=2**40))],
    "a place before the beginning": [HEADER, (b"a", entry(offset=2**64 - 8))],
    "many of the same bytes": [HEADER, *((b"%03d" % i, entry()) for i in range(100))],
    "another file": [HEADER, (b"a", entry(shard=7))],
    "many files": [(b"", field(1, 2**31)), (b"a", entry())],
    "no such dtype": [HEADER, (b"a", entry(dtype=99))],
    "too many axes": [HEADER, (b"a", entry(shape=(1,) * 65, size=4))],
    "parts that are missing": [
        HEADER,
        (b"a", entry(shape=(2**40,), size=0, more=field(7, field(1, field(1, 0) + field(2, 2**40))))),
    ],
    "no record": [HEADER, (b"a", b"\xff\xff")],
    "no text": [HEADER, (b"\xff\xfe", entry())],
    "big-endian numbers": [(b"", field(1, 1) + field(2, 1)), (b"a", entry())],
}


@pytest.mark.parametrize("lie", LIES)
def test_whole_files_that_lie(lie, tmp_path: Path):
    prefix = tmp_path / "ckpt"
    (tmp_path / "ckpt.index").write_bytes(table(LIES[lie]))
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(bytes(16))
    with pytest.raises(tf.errors.DataLossError, match=str(tmp_path)):
        read_all(str(prefix))


def test_the_same_file_without_a_lie(tmp_path: Path):
    more = number(6 << 3 | 5) + sum_of(bytes(8))[1:]
    (tmp_path / "ckpt.index").write_bytes(table([HEADER, (b"a", entry(more=more))]))
    (tmp_path / "ckpt.data-00000-of-00001").write_bytes(bytes(16))
    assert tf.train.load_variable(str(tmp_path / "ckpt"), "a").tolist() == [0, 0]


def node(children=(), value=None):
    held = b"".join(field(1, field(1, to) + field(2, name)) for name, to in children)
    return field(1, held + (b"" if value is None else field(2, field(1, b"VARIABLE_VALUE") + field(2, b"v") + field(3, value))))


@pytest.mark.parametrize(
    "graph",
    [b"\xff", node([(b"a", 5)]), node([(b"a", 2**63)]), node([(b"a", 1)]) + node(value=b"none"), field(1, b"\x0a\x7f")],
)
def test_graphs_that_lie(graph):
    with pytest.raises(tf.errors.DataLossError, match="checkpoint X"):
        files.graph.picture(graph, ["v"], "checkpoint X")


def test_a_graph_with_circles_is_one():
    found = files.graph.picture(node([(b"self", 0), (b"v", 1), (b"empty", 2)]) + node(value=b"v") + node(), ["v"], "X")
    assert found[0]["children"] == {"self": 0, "v": 1} and found[1]["value"] == "v"


def test_a_part_that_is_missing_is_named(tmp_path: Path):
    shutil.copy(HERE / "module" / "ckpt-1.index", tmp_path)
    with pytest.raises(tf.errors.NotFoundError, match=r"ckpt-1.data-00000-of-00001 does not exist"):
        tf.train.load_checkpoint(str(tmp_path / "ckpt-1"))
