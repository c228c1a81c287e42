"""Checkpoints of TensorFlow's version 2: a table of what tensors there are and where, and files of their bytes."""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from typing import NamedTuple

import numpy as np

from wengert.ground.dtypes import DType
from wengert.ground.types import NumPyArray
from wengert.train.tensorflow.checksum import crc32c, unmasked
from wengert.train.tensorflow.table import Table, part, reading
from wengert.train.tensorflow.tensors import BFLOAT16, Slice, dtype_of, joined, shape_of, slice_of
from wengert.train.tensorflow.wire import Record, varint

__all__ = ["Bundle"]

LARGEST = 1 << 30
"""How many bytes an index may have: it has some hundred for each tensor."""
SHARDS = 1 << 16
VARIANT = 21
"""TensorFlow's number of the dtype of what only its own code reads: where an iterator over one of its datasets is."""


class _Entry(NamedTuple):
    """Where a tensor's bytes are."""

    dtype: DType
    short: bool  # bfloat16: the first half of each number
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    parts: list[Slice]


def _entry(data: bytes) -> _Entry:
    record = Record(data)
    checksum = int(record.fixed(6, "<u4")[-1]) if record.has(6) else 0
    return _Entry(
        dtype_of(record.integer(1)), record.integer(1) == BFLOAT16, shape_of(record.record(2)),
        record.integer(3), record.integer(4), record.integer(5),
        unmasked(checksum), [slice_of(one) for one in record.records(7)],
    )  # fmt: skip


class Bundle:
    """The tensors of ``PREFIX.index``, by name.

    Raises:
        DataLossError: if it is damaged; it names the file.
    """

    def __init__(self, prefix: str) -> None:
        """Read the index, and compare what it tells with the files of bytes."""
        self._prefix, self._index = prefix, f"{prefix}.index"
        self._entries: dict[str, _Entry] = {}
        self._slices: dict[bytes, _Entry] = {}
        self._shards = 1
        with reading(self._index):
            if os.path.getsize(self._index) > LARGEST:
                raise ValueError(f"it is larger than {LARGEST} bytes")
            for name, value in Table(self._index):
                if not name:
                    self._begin(Record(value))
                elif name[0] == 0:
                    self._slices[name] = _entry(value)
                elif Record(value).integer(1) != VARIANT:
                    self._entries[name.decode()] = _entry(value)
        self._check()
        self.shapes = {name: entry.shape for name, entry in self._entries.items()}
        self.dtypes = {name: entry.dtype for name, entry in self._entries.items()}

    def _begin(self, header: Record) -> None:
        self._shards = header.integer(1)
        if not 0 < self._shards <= SHARDS:
            raise ValueError(f"it tells of {self._shards} files")
        if header.integer(2) != 0:
            raise ValueError("its numbers are big-endian, which is not read here")

    def _file(self, shard: int) -> str:
        return f"{self._prefix}.data-{shard:05d}-of-{self._shards:05d}"

    def _check(self) -> None:
        """Compare the bytes that the tensors are to have with those that there are: no part of a file belongs to two."""
        told: Counter[int] = Counter()
        for entry in (*(e for e in self._entries.values() if not e.parts), *self._slices.values()):
            with reading(self._index):
                least = math.prod(entry.shape) * (1 if entry.dtype.kind == "O" else 2 if entry.short else entry.dtype.itemsize)
                if not 0 <= entry.shard < self._shards or entry.size < least or (entry.dtype.kind != "O" and entry.size > least):
                    raise ValueError(
                        f"a tensor of shape {entry.shape} and dtype {entry.dtype.name} is said to have {entry.size} bytes"
                    )
            told[entry.shard] += entry.size
        for shard, size in told.items():
            with reading(self._file(shard)):
                there = os.path.getsize(self._file(shard))
                if size > there:
                    raise ValueError(f"its tensors have {size} bytes, and it has {there}")

    def read(self, name: str) -> NumPyArray:
        """Return a tensor."""
        entry = self._entries[name]
        if not entry.parts:
            return self._whole(name, entry, entry.shape)

        def read(part: Slice, shape: tuple[int, ...]) -> NumPyArray:
            stored = self._slices.get(_key(name, part))
            if stored is None or stored.dtype is not entry.dtype or stored.shape != shape:
                raise ValueError(f"the part {part} of {name} is missing")
            return self._whole(name, stored, shape)

        with reading(self._index):
            return joined(entry.shape, entry.dtype, entry.parts, read)

    def _whole(self, name: str, entry: _Entry, shape: tuple[int, ...]) -> NumPyArray:
        """Return a tensor, or a part of one, whose bytes stand together."""
        path = self._file(entry.shard)
        with reading(path):
            data = part(path, entry.offset, entry.size)
            if entry.dtype.kind == "O":
                return _strings(name, data, shape, entry.checksum)
            if crc32c(data) != entry.checksum:
                raise ValueError(f"the checksum of {name} is wrong, its bytes have changed since they were written")
            if entry.dtype.kind == "b" and data.strip(b"\0\1"):
                raise ValueError(f"{name} is of dtype bool, and some of its bytes are neither 0 nor 1")
            if entry.short:
                return (np.frombuffer(data, "<u2").astype(np.uint32) << np.uint32(16)).view(np.float32).reshape(shape)
            array = np.frombuffer(bytearray(data), entry.dtype.numpy.newbyteorder("<")).reshape(shape)
            return array if sys.byteorder == "little" else array.astype(entry.dtype.numpy)


def _strings(name: str, data: bytes, shape: tuple[int, ...], checksum: int) -> NumPyArray:
    """Return strings: their lengths, the checksum of these, and their bytes stand behind one another.

    The checksums are over the lengths as numbers of four bytes (eight for those that need them).
    """
    at, lengths, told = 0, [], b""
    for _ in range(math.prod(shape)):
        length, at = varint(data, at)
        lengths.append(length)
        told += length.to_bytes(4 if length < 1 << 32 else 8, "little")
    stored = data[at : at + 4]
    body = data[at + 4 :]
    if crc32c(told) != unmasked(int.from_bytes(stored, "little")) or crc32c(told + stored + body) != checksum:
        raise ValueError(f"the checksum of {name} is wrong, its bytes have changed since they were written")
    if sum(lengths) != len(body):
        raise ValueError(f"the strings of {name} are longer than their bytes")
    found = np.empty(len(lengths), object)
    at = 0
    for i, length in enumerate(lengths):
        found[i] = body[at : at + length]
        at += length
    return found.reshape(shape)


# --- the names of parts: such that they stand in order ---------------------------------------------------------------------


def _unsigned(value: int) -> bytes:
    """Return a number such that greater ones come later: how many bytes it has, and these."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _signed(value: int) -> bytes:
    """Return a number, with its sign, such that greater ones come later: a byte for every seven bits and the sign.

    As many leading bits as there are bytes tell how many these are; for a negative number all bits are turned.
    """
    size = (value if value >= 0 else ~value).bit_length() // 7 + 1
    head = ((1 << size) - 1) << (8 * size - size)
    return ((value & ((1 << 8 * size) - 1)) ^ head).to_bytes(size, "big")


def _key(name: str, part: Slice) -> bytes:
    """Return the name under which a part of a tensor stands in the index."""
    text = name.encode().replace(b"\xff", b"\xff\x00").replace(b"\0", b"\0\xff")
    ends = b"".join(_signed(start) + _signed(length) for start, length in part)
    return _unsigned(0) + text + b"\0\1" + _unsigned(len(part)) + ends
