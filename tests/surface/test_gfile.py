"""``tf.gfile``: what it does to files, seen from outside of it."""

import os
from pathlib import Path

import pytest

import wengert as tf


def test_files_and_folders(v1, tmp_path: Path):
    F = v1.gfile
    F.MakeDirs(tmp_path / "a" / "b")
    F.MakeDirs(tmp_path / "a" / "b")
    F.MkDir(tmp_path / "c")
    with F.GFile(str(tmp_path / "a" / "one.txt"), "w") as file:
        file.write("four")
    assert (F.Exists(tmp_path / "a"), F.IsDirectory(tmp_path / "a"), F.IsDirectory(tmp_path / "a" / "one.txt")) == (
        True,
        True,
        False,
    )
    assert sorted(F.ListDirectory(tmp_path)) == ["a", "c"]
    F.Copy(tmp_path / "a" / "one.txt", tmp_path / "c" / "two.txt")
    with pytest.raises(tf.errors.AlreadyExistsError):
        F.Copy(tmp_path / "a" / "one.txt", tmp_path / "c" / "two.txt")
    F.Rename(tmp_path / "c" / "two.txt", tmp_path / "c" / "three.txt")
    assert F.Glob([str(tmp_path / "c" / "*.txt")]) == [str(tmp_path / "c" / "three.txt")]
    assert (F.Stat(tmp_path / "c" / "three.txt").length, F.Stat(tmp_path).is_directory) == (4, True)
    assert next(folder for folder, _, _ in F.Walk(str(tmp_path))) == str(tmp_path)
    F.Remove(tmp_path / "c" / "three.txt")
    F.DeleteRecursively(tmp_path / "a")
    assert os.listdir(tmp_path) == ["c"]


@pytest.mark.parametrize("name", ["Remove", "DeleteRecursively", "ListDirectory", "Stat"])
def test_what_is_not_there(name: str, v1, tmp_path: Path):
    with pytest.raises(tf.errors.NotFoundError):
        getattr(v1.gfile, name)(tmp_path / "nothing")
