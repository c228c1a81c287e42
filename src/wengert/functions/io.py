"""TensorFlow's ``tf.io``: tensors as bytes (NumPy's own format, without pickle), and files."""

from __future__ import annotations

import glob
import io as _io
import os
import shutil
from typing import Any

import numpy as np

from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import DTypeError, FailedPreconditionError, InvalidArgumentError, NotFoundError, UnimplementedError
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike, convert

__all__ = ["gfile", "parse_tensor", "read_file", "serialize_tensor", "write_file"]


def serialize_tensor(tensor: TensorLike, name: str | None = None) -> Any:
    """Return a tensor as a string tensor of bytes in NumPy's format.

    >>> import wengert as tf
    >>> parse_tensor(serialize_tensor([1.0, 2.0]), tf.float32).numpy().tolist()
    [1.0, 2.0]
    """
    array = convert(tensor)
    if not isinstance(array, EagerTensor):
        raise UnimplementedError("serialize_tensor: files and bytes are for eager tensors here; use numpy_function in a graph.")
    array = array.array
    if array.dtype.kind == "O":
        raise DTypeError("io.serialize_tensor: numbers only, no strings.")
    buffer = _io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return EagerTensor(np.array(buffer.getvalue(), object))


def parse_tensor(serialized: Any, out_type: DtypeLike, name: str | None = None) -> Any:
    """Return the tensor that `serialize_tensor` wrote.

    Raises:
        InvalidArgumentError: (a ValueError) for other bytes, or another dtype.
    """
    value = _bytes(serialized, "parse_tensor", "serialized")
    try:
        array = np.load(_io.BytesIO(value), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InvalidArgumentError(f"Could not parse `serialized` as a tensor: {error}") from None
    if as_dtype(array.dtype) != as_dtype(out_type):
        raise InvalidArgumentError(
            f"Type mismatch between parsed tensor ({as_dtype(array.dtype).name}) and dtype ({as_dtype(out_type).name})"
        )
    return EagerTensor(array)


def read_file(filename: str | os.PathLike[str], name: str | None = None) -> Any:
    """Return a file's bytes as a string tensor."""
    path = _path(filename)
    try:
        with open(path, "rb") as file:
            return EagerTensor(np.array(file.read(), object))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise NotFoundError(f"read_file: {path!r}: {error}") from error
    except OSError as error:
        raise FailedPreconditionError(f"read_file: {path!r}: {error}") from error


def write_file(filename: str | os.PathLike[str], contents: Any, name: str | None = None) -> None:
    """Write a string tensor to a file."""
    path, value = _path(filename), _bytes(contents, "write_file", "contents")
    try:
        with open(path, "wb") as file:
            file.write(value)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise NotFoundError(f"write_file: {path!r}: {error}") from error
    except OSError as error:
        raise FailedPreconditionError(f"write_file: {path!r}: {error}") from error


def _bytes(value: TensorLike, who: str, what: str) -> bytes:
    """Return the bytes of an eager string scalar."""
    t = convert(value)
    if not isinstance(t, EagerTensor):
        raise UnimplementedError(f"{who}: files and bytes are for eager tensors here; use numpy_function in a graph.")
    if t.array.dtype.kind != "O" or t.array.ndim:
        raise DTypeError(f"{who}: {what} must be one string, not {value!r}.")
    return bytes(t.array.item())


def _path(value: Any) -> str:
    value = value.numpy() if isinstance(value, Tensor) and hasattr(value, "numpy") else value
    if not isinstance(value, str | bytes | os.PathLike):
        raise TypeError(f"A file's name must be a string or a path, not {value!r}.")
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
    def makedirs(path: str | os.PathLike[str]) -> None:
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
    def join(path: str | os.PathLike[str], *paths: Any) -> str:
        """Return a path of parts."""
        return str(os.path.join(path, *paths))
