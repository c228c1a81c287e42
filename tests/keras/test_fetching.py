"""Files that are fetched and kept; data sets that are read from them. What is fetched lies in a folder here."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

import wengert as tf
from wengert.keras.datasets import reading

get_file = tf.keras.utils.get_file


def address(path):
    return path.as_uri()


def test_a_file_is_fetched_once_and_checked(tmp_path):
    there = tmp_path / "there.txt"
    there.write_bytes(b"first")
    told = hashlib.sha256(b"first").hexdigest()
    found = get_file("kept.txt", address(there), file_hash=told, cache_dir=str(tmp_path / "home"))
    assert found == str(tmp_path / "home" / "datasets" / "kept.txt") and Path(found).read_bytes() == b"first"
    there.write_bytes(b"second")
    assert get_file("kept.txt", address(there), cache_dir=str(tmp_path / "home")) == found
    assert Path(found).read_bytes() == b"first"
    with pytest.raises(ValueError, match="another hash"):
        get_file("kept.txt", address(there), file_hash=told, cache_dir=str(tmp_path / "home"), force_download=True)
    assert Path(found).read_bytes() == b"first", "a file of another hash takes no one's place"
    md5 = hashlib.md5(b"second").hexdigest()
    get_file("kept.txt", address(there), md5_hash=md5, cache_dir=str(tmp_path / "home"))
    assert Path(found).read_bytes() == b"second", "a file whose hash is another is fetched anew"


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_archives_are_unpacked_within_their_folder(tmp_path, kind):
    path = tmp_path / f"pack.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("inner/a.txt", "text")
    else:
        with tarfile.open(path, "w:gz") as packed:
            info = tarfile.TarInfo("inner/a.txt")
            info.size = 4
            packed.addfile(info, io.BytesIO(b"text"))
    folder = get_file(origin=address(path), extract=True, cache_dir=str(tmp_path / "home"))
    assert (tmp_path / "home" / "datasets") in list((tmp_path / folder).parents)
    assert Path(folder, "inner", "a.txt").read_text() == "text"


def test_what_leads_out_of_the_folder_is_refused(tmp_path):
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as packed:
        info = tarfile.TarInfo("../../escaped.txt")
        info.size = 1
        packed.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(tarfile.FilterError):
        get_file(origin=address(path), extract=True, cache_dir=str(tmp_path / "home"))
    assert not list(tmp_path.rglob("escaped.txt"))
    with pytest.raises(ValueError, match="no name of a file"):
        get_file("../up.txt", address(path), cache_dir=str(tmp_path / "home"))
    with pytest.raises(ValueError, match="origin"):
        get_file("name")
    with pytest.raises(OSError, match="by hand"):
        get_file("gone", address(tmp_path / "gone"), cache_dir=str(tmp_path / "home"))


def test_digits_and_houses_are_read(tmp_path):
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    np.savez(tmp_path / "houses.npz", x=x, y=y)
    (train, answers), (test, others) = tf.keras.datasets.boston_housing.load_data(str(tmp_path / "houses.npz"), 0.3)
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    np.testing.assert_array_equal(np.concatenate([train, test]), x[order])
    np.testing.assert_array_equal(np.concatenate([answers, others]), y[order])
    assert len(train) == 7
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    assert tf.keras.datasets.mnist.load_data(str(tmp_path / "mnist.npz"))[1][0].shape == (1, 2)
    np.savez(tmp_path / "evil.npz", x=np.array([{}], object), y=y)
    with pytest.raises(ValueError, match="pickle"):
        tf.keras.datasets.california_housing.load_data(path=str(tmp_path / "evil.npz"))


def test_clothes_are_read(tmp_path, monkeypatch):
    for part, count in (("train", 3), ("t10k", 2)):
        for name, head, size in ((f"{part}-labels-idx1-ubyte.gz", 8, count), (f"{part}-images-idx3-ubyte.gz", 16, count * 784)):
            with gzip.open(tmp_path / name, "wb") as file:
                file.write(bytes(head) + bytes(i % 251 for i in range(size)))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("wengert.keras.datasets.fashion_mnist.ADDRESS", address(tmp_path) + "/")
    (x, y), (other, _) = tf.keras.datasets.fashion_mnist.load_data()
    assert x.shape == (3, 28, 28) and y.tolist() == [0, 1, 2] and other.shape == (2, 28, 28)
    assert x[0, 0, :3].tolist() == [0, 1, 2] and reading.ADDRESS.startswith("https")
