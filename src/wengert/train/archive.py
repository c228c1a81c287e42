"""Named arrays and texts in one file, in the format safetensors: nothing in it is ever executed.

Beside what it is given, a file holds checksums (CRC-32): of each array with its name, dtype and shape, and of all texts. They
are checked where there are some; files of other programs, and older ones, have none.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wengert.ground.errors import DataLossError, NotFoundError, OpError, PermissionDeniedError, ResourceExhaustedError
from wengert.ground.replacing import replace
from wengert.ground.types import NumPyArray

__all__ = ["dump", "load"]

DTYPES = "wengert.dtypes"
"""The entry of a file's texts that names the dtypes that safetensors has not: complex128, as pairs of float64."""
CHECKSUMS = "wengert.checksums"
"""The entry that holds the checksums, as JSON."""
BEGIN = '{"crc32": '
"""What its text begins with: a file in which that stands under another name has been damaged."""
KINDS = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint8": "U8", "uint16": "U16", "uint32": "U32",
    "uint64": "U64", "float16": "F16", "float32": "F32", "float64": "F64", "complex64": "C64",
}  # fmt: skip
"""What the format calls the dtypes that it has."""

NUMBERS = "biufc"
"""The kinds of dtypes that NumPy has of itself."""


def dump(path: str, arrays: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Write arrays by name, and texts, whole or not at all: a file that was there stays until the new one is complete.

    Raises:
        TypeError: for an array that is not of numbers.
        OSError: if the file cannot be written.
        ResourceExhaustedError: without the memory for it.
    """
    try:
        replace(path, _pieces(arrays, texts))
    except MemoryError:
        raise ResourceExhaustedError(f"{path} was not written: there is not enough memory.") from None


def _pieces(arrays: Mapping[str, Any], texts: Mapping[str, str]) -> list[bytes | memoryview]:
    """Return what a file consists of: the length of the header, the header, and the bytes of the arrays where they are.

    The library that reads files makes one in memory, or writes to a place of its own choosing, which a kill would leave there.
    """
    packed: dict[str, NumPyArray] = {}
    special: dict[str, str] = {}
    for name, value in arrays.items():
        array = np.asarray(value, order="C")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype.name == "complex128":
            special[name] = "complex128"
            array = np.stack([array.real, array.imag], -1)
        if array.dtype.name not in KINDS:
            raise TypeError(f"A checkpoint holds numbers, and {name} is of dtype {array.dtype}.")
        packed[name] = array
    kept = {**texts, **({DTYPES: json.dumps(special)} if special else {})}
    sums = {"crc32": {name: _checksum(name, array) for name, array in packed.items()}, "texts": _checksum_of_texts(kept)}
    header: dict[str, Any] = {"__metadata__": {**kept, CHECKSUMS: json.dumps(sums)}}
    pieces: list[bytes | memoryview] = []
    end = 0
    for name, array in sorted(packed.items(), key=lambda item: (-item[1].itemsize, item[0])):  # so that all are aligned
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": KINDS[array.dtype.name], "shape": array.shape, "data_offsets": [begin, end]}
        pieces.append(array.reshape(-1).view(np.uint8).data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return [struct.pack("<Q", len(text)), text, *pieces]


def load(path: str) -> tuple[dict[str, NumPyArray], dict[str, str]]:
    """Return the arrays and the texts of a file.

    Raises:
        NotFoundError: if there is no such file.
        DataLossError: if it is no whole file of this format; it names the file, and the array.
        PermissionDeniedError, ResourceExhaustedError: if it may not be read, or without the memory for it.
    """
    from safetensors import safe_open

    if not os.path.isfile(path):
        raise NotFoundError(f"{path} {'is no file' if os.path.exists(path) else 'does not exist'}.")
    arrays: dict[str, NumPyArray] = {}
    with _reading(path), safe_open(path, framework="np") as file:
        texts = dict(file.metadata() or {})
        sums = _checksums(texts)
        names = file.keys()
        if sums is not None and sums.keys() != set(names):
            raise ValueError(f"the names are not those that were written: {_some(sums.keys() ^ set(names))}")
        for name in names:
            try:
                array = file.get_tensor(name)
            except (AttributeError, KeyError, TypeError):  # NumPy has no such dtype
                kind = file.get_slice(name).get_dtype()
                raise ValueError(f"{name} is of dtype {kind}, which is not read here") from None
            if array.dtype.kind not in NUMBERS:  # another library has taught NumPy of it
                raise ValueError(f"{name} is of dtype {array.dtype}, which is not read here")
            if sums is not None and _checksum(name, array) != sums[name]:
                raise ValueError(f"the checksum of {name} is wrong, its bytes have changed since they were written")
            if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
                raise ValueError(f"{name} is of dtype bool, and some of its bytes are neither 0 nor 1")
            arrays[name] = array
        for name, dtype in _object(texts.pop(DTYPES, "{}")).items():
            pairs = arrays.get(name)
            if dtype != "complex128" or pairs is None or pairs.dtype != np.float64 or pairs.shape[-1:] != (2,):
                raise ValueError(f"{name} is not of dtype {dtype}")
            arrays[name] = pairs.view(np.complex128)[..., 0]
        texts.pop(CHECKSUMS, None)
    return arrays, texts


# --- checksums ------------------------------------------------------------------------------------------------------------


def _checksum(name: str, array: NumPyArray) -> int:
    """Return the checksum of an array's bytes as they stand in a file, with its name, dtype and shape."""
    dtype = array.dtype
    if sys.byteorder == "big":
        array = array.astype(dtype.newbyteorder("<"), copy=False)
    return zlib.crc32(array.data, zlib.crc32(f"{name}\n{dtype.kind}{dtype.itemsize}{array.shape}".encode()))


def _checksum_of_texts(texts: Mapping[str, str]) -> int:
    return zlib.crc32(json.dumps(sorted(texts.items())).encode())


def _checksums(texts: dict[str, str]) -> dict[str, int] | None:
    """Return the checksums of a file by the names of its arrays, None if it has none.

    Raises:
        ValueError: if they are damaged, or the texts are.
    """
    text = texts.get(CHECKSUMS)
    if text is None:
        if any(other.startswith(BEGIN) for other in texts.values()):
            raise ValueError("the name of its checksums is damaged")
        return None
    sums = _object(text)
    found = sums.get("crc32")
    if not isinstance(found, dict) or sums.get("texts") != _checksum_of_texts({k: t for k, t in texts.items() if k != CHECKSUMS}):
        raise ValueError("the checksum of its texts is wrong, they have changed since they were written")
    return found


def _object(text: str) -> dict[str, Any]:
    """Return the object that a JSON text holds."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"an object was expected where {text:.40} stands")
    return found


def _some(names: set[str]) -> str:
    first = sorted(names)
    return ", ".join(first[:3]) + (f" and {len(first) - 3} more" if len(first) > 3 else "")


# --- errors ---------------------------------------------------------------------------------------------------------------


def _panics(error: BaseException) -> bool:
    """Whether the library's own code gave up, as it does without memory: that is no Exception."""
    return type(error).__module__ == "pyo3_runtime"


@contextlib.contextmanager
def _reading(path: str) -> Iterator[None]:
    """Raise errors that name the file."""
    try:
        yield
    except OpError:
        raise
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist.") from None
    except PermissionError as error:
        raise PermissionDeniedError(f"{path} may not be read: {error}") from None
    except MemoryError:
        raise ResourceExhaustedError(f"{path} was not read: there is not enough memory.") from None
    except Exception as error:
        what = "its texts are nested too deeply" if isinstance(error, RecursionError) else error
        raise DataLossError(f"{path} cannot be read, it is damaged or of another format: {what}.") from None
    except BaseException as error:
        if not _panics(error):
            raise
        raise ResourceExhaustedError(f"{path} was not read: {error}") from None
