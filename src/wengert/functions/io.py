"""TensorFlow's ``tf.io``: tensors as bytes (NumPy's own format, without pickle), and files."""

from __future__ import annotations

import base64
import contextlib
import glob
import io as _io
import math
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import (
    DTypeError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnimplementedError,
)
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike, convert

__all__ = [
    "decode_base64",
    "decode_raw",
    "encode_base64",
    "gfile",
    "parse_tensor",
    "read_file",
    "serialize_tensor",
    "write_file",
]


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
    array = _parsed(value)
    if as_dtype(array.dtype) != as_dtype(out_type):
        raise InvalidArgumentError(
            f"Type mismatch between parsed tensor ({as_dtype(array.dtype).name}) and dtype ({as_dtype(out_type).name})"
        )
    return EagerTensor(array)


def _parsed(value: bytes) -> Any:
    """Return the array that bytes in NumPy's format hold: nothing less, nothing more, and nothing that is executed."""
    stream = _io.BytesIO(value)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
        given, claimed = len(value) - stream.tell(), math.prod(shape) * dtype.itemsize
        if dtype.kind not in "biufc":
            raise ValueError(f"its dtype is {dtype}")
        native = as_dtype(dtype.newbyteorder("=")).numpy
        if given != claimed or min(shape, default=0) < 0:
            raise ValueError(f"it claims the shape {shape} of {dtype}, {claimed} bytes, and has {given}")
    except Exception as error:  # NumPy reads a header as Python's literals, which raises errors of many kinds
        raise InvalidArgumentError(f"Could not parse `serialized` as a tensor: {error}") from None
    stream.seek(0)
    array = np.load(stream, allow_pickle=False)
    return array.astype(native, copy=False) if dtype.kind != "b" else array.view(np.uint8) != 0


def read_file(filename: str | os.PathLike[str], name: str | None = None) -> Any:
    """Return a file's bytes as a string tensor.

    Raises:
        NotFoundError, PermissionDeniedError, FailedPreconditionError: if there is none, or it cannot be read.
    """
    path = _path(filename)
    with _opening("read_file", path), open(path, "rb") as file:
        return EagerTensor(np.array(file.read(), object))


def write_file(filename: str | os.PathLike[str], contents: Any, name: str | None = None) -> None:
    """Write a string tensor to a file.

    Raises:
        NotFoundError, PermissionDeniedError, FailedPreconditionError: if its folder is not there, or it cannot be written.
    """
    path, value = _path(filename), _bytes(contents, "write_file", "contents")
    with _opening("write_file", path), open(path, "wb") as file:
        file.write(value)


@contextlib.contextmanager
def _opening(who: str, path: str) -> Iterator[None]:
    """Raise TensorFlow's errors, which name the file."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: NUL in the name
        raise NotFoundError(f"{who}: {path!r}: {error}") from error
    except PermissionError as error:
        raise PermissionDeniedError(f"{who}: {path!r}: {error}") from error
    except OSError as error:
        raise FailedPreconditionError(f"{who}: {path!r}: {error}") from error


def _changed(value: TensorLike, who: str, change: Callable[[bytes], bytes]) -> Any:
    """Return an eager string tensor with each of its strings changed."""
    t = convert(value)
    if not isinstance(t, EagerTensor):
        raise UnimplementedError(f"{who}: files and bytes are for eager tensors here; use numpy_function in a graph.")
    if t.array.dtype.kind != "O":
        raise DTypeError(f"{who}: strings are needed, not {t.dtype.name}.")
    return EagerTensor(np.array([change(bytes(s)) for s in t.array.ravel()], object).reshape(t.array.shape))


def encode_base64(input: TensorLike, pad: bool = False, name: str | None = None) -> Any:
    """Return strings in base64, in the alphabet for URLs: RFC 4648, section 5.

    >>> encode_base64(b"a?").numpy(), encode_base64(b"a?", pad=True).numpy()
    (b'YT8', b'YT8=')
    """

    def encoded(text: bytes) -> bytes:
        result = base64.urlsafe_b64encode(text)
        return result if pad else result.rstrip(b"=")

    return _changed(input, "encode_base64", encoded)


def decode_base64(input: TensorLike, name: str | None = None) -> Any:
    """Return strings from base64, in the alphabet for URLs, padded or not.

    Raises:
        InvalidArgumentError: (a ValueError) for what is none.

    >>> decode_base64(["YT8", "YT8="]).numpy().tolist()
    [b'a?', b'a?']
    """

    def decoded(text: bytes) -> bytes:
        try:
            return base64.b64decode(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4), altchars=b"-_", validate=True)
        except ValueError as error:
            raise InvalidArgumentError(f"decode_base64: {text[:80]!r} is no base64: {error}") from None

    return _changed(input, "decode_base64", decoded)


def decode_raw(
    input_bytes: TensorLike, out_type: DtypeLike, little_endian: bool = True, fixed_length: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    r"""Return the numbers that the bytes of strings are, along a new last axis; ``fixed_length``: cut, or filled with zeros.

    Raises:
        InvalidArgumentError: (a ValueError) for strings of other lengths than each other, or than a number's size divides.

    >>> decode_raw(b"\x01\x00\x02\x00", "int16").numpy().tolist()
    [1, 2]
    """
    nptype = as_dtype(out_type).numpy
    t = _changed(input_bytes, "decode_raw", bytes).array
    rows = [bytes(s) for s in t.ravel()]
    if fixed_length is not None:
        rows = [s[:fixed_length].ljust(fixed_length, b"\0") for s in rows]
    lengths = {len(s) for s in rows}
    if len(lengths) > 1 or any(n % nptype.itemsize for n in lengths):
        raise InvalidArgumentError(
            f"decode_raw: the strings have {sorted(lengths)} bytes; all must have as many, a multiple of {nptype.itemsize}. "
            "fixed_length cuts and fills."
        )
    order = nptype.newbyteorder("<" if little_endian else ">")
    whole = np.frombuffer(b"".join(rows), order).astype(nptype)
    return EagerTensor(whole.reshape((*t.shape, (lengths.pop() if lengths else 0) // nptype.itemsize)))


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
