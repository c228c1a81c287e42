"""Protocol buffers as they stand in bytes: fields by number, each a whole number or some bytes.

The format is published with Protocol Buffers ("Encoding"). A record is read one level at a time, by whom knows what its fields
mean: so nothing here is recursive.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wengert.ground.types import NumPyArray

__all__ = ["Record", "varint", "varints"]


def varint(data: bytes, at: int) -> tuple[int, int]:
    r"""Return the whole number that begins at a place, seven bits a byte, and the place after it.

    >>> varint(b"\xac\x02", 0)
    (300, 2)

    Raises:
        ValueError: where none ends within ten bytes.
    """
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise ValueError("a number has no end")


def varints(data: bytes) -> NumPyArray:
    r"""Return all the numbers that stand behind one another, as uint64.

    >>> varints(b"\x01\xac\x02")
    array([  1, 300], dtype=uint64)

    Raises:
        ValueError: where one has no end.
    """
    given = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(given < 128)
    if given.size and (not ends.size or ends[-1] != given.size - 1):
        raise ValueError("a number has no end")
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = ends - starts + 1
    if lengths.size and lengths.max() > 10:
        raise ValueError("a number has no end")
    found = np.zeros(len(ends), np.uint64)
    for i in range(int(lengths.max(initial=0))):
        there = lengths > i
        found[there] |= (given[starts[there] + i] & np.uint8(127)).astype(np.uint64) << np.uint64(7 * i)
    return found


class Record:
    """The fields of one record: for each number the values that were given for it, in order.

    Raises:
        ValueError: for bytes that are none.
    """

    def __init__(self, data: bytes) -> None:
        """Read the fields of the outermost level."""
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _fields(data):
            self._fields.setdefault(number, []).append(value)

    def integer(self, number: int, absent: int = 0) -> int:
        """Return a whole number, signed, of 64 bits."""
        value = self._fields.get(number, [absent])[-1]
        if isinstance(value, bytes):
            raise ValueError(f"field {number} is no number")
        return value - (1 << 64) if value >= 1 << 63 else value

    def raw(self, number: int) -> bytes:
        """Return bytes, none where there is no such field."""
        found = self.all(number)
        return found[-1] if found else b""

    def text(self, number: int) -> str:
        """Return a text."""
        return self.raw(number).decode()

    def all(self, number: int) -> list[bytes]:
        """Return all bytes that are given for a field."""
        found = self._fields.get(number, [])
        if any(isinstance(value, int) for value in found):
            raise ValueError(f"field {number} is a number")
        return [value for value in found if isinstance(value, bytes)]

    def record(self, number: int) -> Record:
        """Return a record within, an empty one where there is none."""
        return Record(self.raw(number))

    def records(self, number: int) -> list[Record]:
        """Return all records that are given for a field."""
        return [Record(one) for one in self.all(number)]

    def has(self, number: int) -> bool:
        """Return whether a field is given."""
        return number in self._fields

    def fixed(self, number: int, dtype: str) -> NumPyArray:
        """Return a field of many numbers of fixed length, whether they are packed or given one by one."""
        size = np.dtype(dtype).itemsize
        parts = [v if isinstance(v, bytes) else v.to_bytes(8, "little")[:size] for v in self._fields.get(number, [])]
        return np.frombuffer(b"".join(parts), dtype)

    def whole(self, number: int) -> NumPyArray:
        """Return a field of many whole numbers, whether they are packed or given one by one, as uint64."""
        parts = [varints(v) if isinstance(v, bytes) else np.array([v], np.uint64) for v in self._fields.get(number, [])]
        return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind, size = tag & 7, 0
        if kind == 0:
            value, at = varint(data, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"there are no fields of kind {kind}")
        if size > len(data) - at:
            raise ValueError("a field has no end")
        part = data[at : at + size]
        yield tag >> 3, part if kind == 2 else int.from_bytes(part, "little")
        at += size
