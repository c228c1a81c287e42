"""TensorFlow 1's ``tf.gfile``: files of this machine, under the older names."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

from wengert.functions.io import gfile as two
from wengert.ground.errors import AlreadyExistsError, NotFoundError

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]

GFile = Open = FastGFile = two.GFile


def Exists(filename: str | os.PathLike[str]) -> bool:
    """Return whether there is such a file or folder.

    >>> Exists("no such file")
    False
    """
    return os.path.exists(filename)


def IsDirectory(dirname: Any) -> bool:
    """Return whether there is such a folder."""
    return os.path.isdir(dirname)


def ListDirectory(dirname: Any) -> list[str]:
    """Return the names in a folder.

    Raises:
        NotFoundError: if there is no such folder.
    """
    if not os.path.isdir(dirname):
        raise NotFoundError(f"Could not find directory {dirname}")
    return os.listdir(dirname)


def MkDir(dirname: Any) -> None:
    """Make a folder."""
    os.mkdir(dirname)


def MakeDirs(dirname: Any) -> None:
    """Make a folder, and those above it; one that is there stays."""
    os.makedirs(dirname, exist_ok=True)


def Glob(filename: str | os.PathLike[str]) -> list[str]:
    """Return the files that match a pattern, or several patterns."""
    patterns = filename if isinstance(filename, list | tuple) else [filename]
    return [found for p in patterns for found in sorted(glob.glob(os.fspath(p)))]


def Remove(filename: str | os.PathLike[str]) -> None:
    """Remove a file.

    Raises:
        NotFoundError: if there is no such file.
    """
    try:
        os.remove(filename)
    except FileNotFoundError:
        raise NotFoundError(f"{filename}; No such file or directory") from None


def DeleteRecursively(dirname: Any) -> None:
    """Remove a folder with all that is in it.

    Raises:
        NotFoundError: if there is no such folder.
    """
    try:
        shutil.rmtree(dirname)
    except FileNotFoundError:
        raise NotFoundError(f"{dirname}; No such file or directory") from None


def Copy(oldpath: Any, newpath: Any, overwrite: bool = False) -> None:
    """Copy a file.

    Raises:
        AlreadyExistsError: if there is a file of the new name, unless ``overwrite``.
    """
    if not overwrite and os.path.exists(newpath):
        raise AlreadyExistsError(f"file already exists: {newpath}")
    shutil.copy(oldpath, newpath)


def Rename(oldname: Any, newname: Any, overwrite: bool = False) -> None:
    """Rename a file.

    Raises:
        AlreadyExistsError: if there is a file of the new name, unless ``overwrite``.
    """
    if not overwrite and os.path.exists(newname):
        raise AlreadyExistsError(f"file already exists: {newname}")
    os.replace(oldname, newname)


class _Statistics(NamedTuple):
    """What is known of a file: its size, when it was changed, and whether it is a folder."""

    length: int
    mtime_nsec: int
    is_directory: bool


def Stat(filename: str | os.PathLike[str]) -> Any:
    """Return the ``length`` of a file, ``mtime_nsec`` and ``is_directory``.

    Raises:
        NotFoundError: if there is no such file.
    """
    try:
        found = os.stat(filename)
    except FileNotFoundError:
        raise NotFoundError(f"{filename}; No such file or directory") from None
    return _Statistics(found.st_size, found.st_mtime_ns, os.path.isdir(filename))


def Walk(top: Any, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """Iterate over (folder, folders in it, files in it), from the top down, or with ``in_order=False`` from below."""
    yield from os.walk(top, topdown=in_order)
