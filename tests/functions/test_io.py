"""Tensors as bytes, and files: damaged bytes are refused, and nothing in them is executed."""

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest

import wengert as tf

spec = importlib.util.spec_from_file_location("damage", Path(__file__).parents[1] / "train" / "damage.py")
damage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(damage)


@pytest.mark.parametrize("value", [1.5, [[1, 2], [3, 4]], [True, False], np.zeros((0, 3)), np.array([1 + 2j])], ids=str)
def test_there_and_back(value):
    t = tf.convert_to_tensor(value)
    found = tf.io.parse_tensor(tf.io.serialize_tensor(t), t.dtype)
    assert (found.dtype, found.shape) == (t.dtype, t.shape) and np.array_equal(found, t)


def test_bytes_of_another_order():
    found = tf.io.parse_tensor(damage.npy((2,), ">f4", np.array([1, 2], ">f4").tobytes()), tf.float32)
    assert found.numpy().tolist() == [1.0, 2.0] and found.numpy().dtype.isnative
    assert (found + 1).numpy().tolist() == [2.0, 3.0]


def test_truth_is_0_or_1():
    assert tf.io.parse_tensor(damage.npy((2,), "|b1", b"\0\7"), tf.bool).numpy().view(np.uint8).tolist() == [0, 1]


class Evil:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize(
    "blob",
    [
        b"", b"nonsense", b"\x93NUMPY", b"\x93NUMPY\x09\x00", damage.npy((2**40,)), damage.npy((2**62, 2**62)), damage.npy((-1,)),
        damage.npy((3,), data=bytes(8)), damage.npy((1,), data=bytes(8)), damage.npy((1,), "|O", bytes(8)),
        damage.npy((1,), "<U2", bytes(8)), damage.npy((1,), "<M8[s]", bytes(8)), damage.npy((1,), "<q9", bytes(8)),
        damage.npy_of(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,\n"), damage.npy_of(b"(" * 9000),
        damage.npy_of(b"{}"), damage.npy_of(b"\xff" * 20), damage.npy_of(b"__import__('os')"), b"PK\x03\x04" + bytes(50),
        pickle.dumps(Evil()), damage.npy((1,), "<V4", bytes(4)), damage.npy((1,), "<f16", bytes(16)),
        damage.npy((1,), [("a", "<f4")], bytes(4)),
    ],
    ids=range(23),
)  # fmt: skip
def test_damaged_bytes_are_refused(blob: bytes, capsys):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse `serialized` as a tensor"):
        tf.io.parse_tensor(blob, tf.float32)
    assert capsys.readouterr().out == ""


def test_bytes_cut_off_or_with_flips():
    blob = damage.npy((4, 5), data=np.ones(20, np.float32).tobytes())
    rng = np.random.default_rng(0)
    cut = [blob[:size] for size in range(0, len(blob), 3)]
    for one in cut:
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.io.parse_tensor(one, tf.float32)
    for one in (*damage.flips(blob, rng, 300), *damage.rewritten(blob, rng, 300)):
        try:
            assert tf.io.parse_tensor(one, tf.float32).dtype == tf.float32
        except tf.errors.InvalidArgumentError as error:
            assert len(str(error)) < 2000


def test_files_that_cannot_be_read_or_written(tmp_path: Path, monkeypatch):
    for name in (tmp_path / "nothing", tmp_path / "nothing" / "x", "a\0b"):
        with pytest.raises(tf.errors.NotFoundError):
            tf.io.read_file(name)
    with pytest.raises(tf.errors.FailedPreconditionError, match=str(tmp_path)):
        tf.io.read_file(tmp_path)
    with pytest.raises(tf.errors.FailedPreconditionError, match=str(tmp_path)):
        tf.io.write_file(tmp_path, b"x")

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    for call in (lambda: tf.io.read_file(tmp_path / "x"), lambda: tf.io.write_file(tmp_path / "x", b"")):
        with pytest.raises(tf.errors.PermissionDeniedError, match=str(tmp_path / "x")):
            call()
