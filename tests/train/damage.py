"""Damaged files, made from whole ones: cut off, with bits flipped, and with headers that lie."""

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np


def truncations(blob: bytes, rng: np.random.Generator, number: int) -> Iterator[bytes]:
    """The file without its end: at the ends of its parts, and wherever."""
    header = 8 + struct.unpack("<Q", blob[:8])[0]
    for size in {0, 7, 8, header - 1, header, len(blob) - 1}:
        yield blob[:size]
    for size in rng.integers(0, len(blob), number):
        yield blob[:size]


def flips(blob: bytes, rng: np.random.Generator, number: int, bits: int = 1) -> Iterator[bytes]:
    """The file with as many bits flipped, anywhere."""
    for _ in range(number):
        damaged = bytearray(blob)
        for at in rng.integers(0, 8 * len(blob), bits):
            damaged[at // 8] ^= 1 << (at % 8)
        yield bytes(damaged)


def rewritten(blob: bytes, rng: np.random.Generator, number: int) -> Iterator[bytes]:
    """The file with some bytes in a row replaced, removed or put in twice."""
    for _ in range(number):
        at, size = int(rng.integers(len(blob))), int(rng.integers(1, 64))
        middle = (rng.bytes(size), b"", blob[at : at + size] * 2, b"\0" * size)[rng.integers(4)]
        yield blob[:at] + middle + blob[at + size :]


def safetensors(header: Any, data: bytes = b"") -> bytes:
    """A file with this header, which is JSON or bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def parts(blob: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the data of a file."""
    size = 8 + struct.unpack("<Q", blob[:8])[0]
    return json.loads(blob[8:size]), blob[size:]


def swapped(blob: bytes) -> Iterator[bytes]:
    """The file with the values of two arrays, their names, or their shapes exchanged: each is a whole file of its format."""
    for entry in ("data_offsets", "shape"):
        header, data = parts(blob)
        names = [name for name in header if name != "__metadata__"]
        for one in names:
            for other in names:
                a, b = header[one], header[other]
                if (
                    one < other
                    and a["dtype"] == b["dtype"]
                    and np.prod(a["shape"]) == np.prod(b["shape"])
                    and a[entry] != b[entry]
                ):
                    changed = {**header, one: {**a, entry: b[entry]}, other: {**b, entry: a[entry]}}
                    yield safetensors(changed, data)


DEEP = "[" * 100_000 + "]" * 100_000


def headers() -> dict[str, bytes]:
    """Files whose headers lie, by what is wrong with them."""
    one = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    data = b"\0" * 8
    odd = {
        "no file": b"",
        "no header": struct.pack("<Q", 2),
        "2**63 bytes of header": struct.pack("<Q", 2**63) + b"{}",
        "2**64 - 1 bytes of header": struct.pack("<Q", 2**64 - 1) + b"{}",
        "another format": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "a zip file": b"PK\x03\x04" + bytes(100),
        "a pickle": b"\x80\x04\x95cos\nsystem\n",
        "no JSON": safetensors(b"{" + b"x" * 50),
        "a list": safetensors([1, 2]),
        "JSON nested deeply": safetensors(DEEP.encode()),
        "no UTF-8": safetensors(b'{"\xff": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', data),
        "two arrays of one name": safetensors(
            b'{"v": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},'
            b' "v": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
            data,
        ),
        "arrays that overlap": safetensors({"v": one, "w": {**one, "data_offsets": [4, 12]}}, data + bytes(4)),
        "texts that are none": safetensors({"__metadata__": {"a": 1}, "v": one}, data),
        "dtypes nested deeply": safetensors({"__metadata__": {"wengert.dtypes": DEEP}, "v": one}, data),
        "dtypes that are none": safetensors({"__metadata__": {"wengert.dtypes": "3"}, "v": one}, data),
        "dtypes of nothing": safetensors({"__metadata__": {"wengert.dtypes": '{"x": "complex128"}'}, "v": one}, data),
        "complex numbers that are none": safetensors({"__metadata__": {"wengert.dtypes": '{"v": "complex128"}'}, "v": one}, data),
        "checksums that are none": safetensors({"__metadata__": {"wengert.checksums": "null"}, "v": one}, data),
        "checksums nested deeply": safetensors({"__metadata__": {"wengert.checksums": DEEP}, "v": one}, data),
        "checksums under another name": safetensors({"__metadata__": {"wengert.checksumz": '{"crc32": {}}'}, "v": one}, data),
        "truth of 2": safetensors({"v": {"dtype": "BOOL", "shape": [8], "data_offsets": [0, 8]}}, b"\2" * 8),
    }
    fields: dict[str, Any] = {
        "offsets below 0": {"data_offsets": [-8, 0]},
        "offsets in the wrong order": {"data_offsets": [8, 0]},
        "offsets beyond the file": {"data_offsets": [0, 2**40]},
        "offsets of 2**64": {"data_offsets": [0, 2**64]},
        "offsets of NaN": {"data_offsets": [0, float("nan")]},
        "a hole": {"data_offsets": [4, 12]},
        "a shape that is too large": {"shape": [2**40, 2**40]},
        "a shape below 0": {"shape": [-2]},
        "a shape of another size": {"shape": [3]},
        "a hundred axes": {"shape": [1] * 100 + [2]},
        "no elements along an axis and too many along others": {"shape": [0, 2**62, 2**62], "data_offsets": [0, 0]},
        "dtype F8": {"dtype": "F8_E4M3", "shape": [8]},
        "dtype F4": {"dtype": "F4", "shape": [16]},
        "dtype BF16": {"dtype": "BF16", "shape": [4]},
        "a dtype that nobody knows": {"dtype": "X7"},
        "no dtype": {"dtype": None},
    }
    odd |= {what: safetensors({"v": {**one, **field}}, data) for what, field in fields.items()}
    return odd


def npy(shape: tuple[int, ...], dtype: str = "<f4", data: bytes = b"") -> bytes:
    """An array in NumPy's format, which claims to be of a shape and a dtype."""
    return npy_of(repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n", data)


def npy_of(header: bytes, data: bytes = b"") -> bytes:
    """An array in NumPy's format with this header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data
