"""TensorFlow's ``tf.io``: tensors as bytes (NumPy's own format, without pickle), and files."""

from __future__ import annotations

import glob
import io as _io
import os
import shutil
from typing import Any

import numpy as np

from wengert.dtypes import as_dtype
from wengert.errors import DTypeError, InvalidArgumentError
from wengert.tensor import EagerTensor, convert

__all__ = ["gfile", "parse_tensor", "read_file", "serialize_tensor", "write_file"]


def serialize_tensor(tensor: Any, name: str | None = None) -> Any:
    """Return a tensor as a string tensor of bytes in NumPy's format.

    >>> import wengert as tf
    >>> parse_tensor(serialize_tensor([1.0, 2.0]), tf.float32).numpy().tolist()
    [1.0, 2.0]
    """
    array = convert(tensor).array
    if array.dtype.kind == "O":
        raise DTypeError("io.serialize_tensor: numbers only, no strings.")
    buffer = _io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return EagerTensor(np.array(buffer.getvalue(), object))


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Any:
    """Return the tensor that `serialize_tensor` wrote.

    Raises:
        InvalidArgumentError: (a ValueError) for other bytes, or another dtype.
    """
    value = convert(serialized).array.item()
    try:
        array = np.load(_io.BytesIO(value), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InvalidArgumentError(f"Could not parse `serialized` as a tensor: {error}") from None
    if as_dtype(array.dtype) != as_dtype(out_type):
        raise InvalidArgumentError(
            f"Type mismatch between parsed tensor ({as_dtype(array.dtype).name}) and dtype ({as_dtype(out_type).name})"
        )
    return EagerTensor(array)


def read_file(filename: Any, name: str | None = None) -> Any:
    """Return a file's bytes as a string tensor."""
    with open(_path(filename), "rb") as file:
        return EagerTensor(np.array(file.read(), object))


def write_file(filename: Any, contents: Any, name: str | None = None) -> None:
    """Write a string tensor to a file."""
    with open(_path(filename), "wb") as file:
        file.write(convert(contents).array.item())


def _path(value: Any) -> str:
    value = value.numpy() if hasattr(value, "numpy") else value
    return str(os.fsdecode(value))


class gfile:
    """TensorFlow's ``tf.io.gfile``: files of this machine."""

    GFile = staticmethod(open)
    exists = staticmethod(os.path.exists)
    isdir = staticmethod(os.path.isdir)
    listdir = staticmethod(os.listdir)
    mkdir = staticmethod(os.mkdir)
    remove = staticmethod(os.remove)
    rmtree = staticmethod(shutil.rmtree)
    glob = staticmethod(glob.glob)

    @staticmethod
    def makedirs(path: Any) -> None:
        """Make a folder, and those above it."""
        os.makedirs(path, exist_ok=True)

    @staticmethod
    def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
        """Copy a file."""
        if not overwrite and os.path.exists(dst):
            raise FileExistsError(dst)
        shutil.copy(src, dst)

    @staticmethod
    def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
        """Rename a file."""
        os.replace(src, dst)

    @staticmethod
    def join(path: Any, *paths: Any) -> str:
        """Return a path of parts."""
        return str(os.path.join(path, *paths))
