"""Tables of LevelDB's format: names in order with bytes for each, in blocks, which an index at the file's end tells of.

The format is published with LevelDB ("table_format.md"). A block holds names that begin like the one before them shortened;
behind each stand how it is packed, and a checksum.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

from wengert.ground.errors import DataLossError, NotFoundError, OpError, PermissionDeniedError, ResourceExhaustedError
from wengert.train.tensorflow.checksum import crc32c, unmasked
from wengert.train.tensorflow.wire import varint

__all__ = ["Block", "Table", "is_table", "part", "reading"]

Block = tuple[int, int]
"""Where a block stands in the file, and how long it is."""

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
FOOTER = 48
TRAILER = 5
NAMES = 1 << 28
"""How many bytes the names of a table may have together: they are stored shortened, and a small file could tell of many."""


def is_table(path: str) -> bool:
    """Return whether a file ends as a table does, or was one before its end was lost: TensorFlow wrote it, not a text."""
    if os.path.getsize(path) < FOOTER:
        return False
    with open(path, "rb") as file:
        file.seek(-8, os.SEEK_END)
        if file.read(8) == MAGIC:
            return True
        file.seek(0)
        return file.read(2) == b"\0\0"  # the first name is empty


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Raise errors that name the file."""
    try:
        yield
    except OpError:
        raise
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist: a part of the checkpoint is missing.") from None
    except PermissionError as error:
        raise PermissionDeniedError(f"{path} may not be read: {error}") from None
    except MemoryError:
        raise ResourceExhaustedError(f"{path} was not read: there is not enough memory.") from None
    except (ValueError, LookupError, ArithmeticError, OSError) as error:
        raise DataLossError(f"{path} cannot be read, it is damaged or of another format: {error}.") from None


def part(path: str, offset: int, size: int) -> bytes:
    """Return a part of a file, if it is as long as that.

    Raises:
        ValueError: if not; nothing is allocated then.
    """
    there = os.path.getsize(path)
    if offset < 0 or size < 0 or offset + size > there:
        raise ValueError(f"{size} bytes were expected from byte {offset} on, and the file has {there}")
    with open(path, "rb") as file:
        file.seek(offset)
        data = file.read(size)
    if len(data) != size:
        raise ValueError("it has become shorter while it was read")
    return data


def _handle(data: bytes, at: int) -> tuple[Block, int]:
    """Return where a block stands and how long it is, and the place after that."""
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


class Table:
    """A file of names with bytes.

    Raises:
        DataLossError: if it is none, or damaged; it names the file.
    """

    def __init__(self, path: str) -> None:
        """Read the index."""
        self.path = path
        with reading(path):
            there = os.path.getsize(path)
            if there < FOOTER:
                raise ValueError(f"it has {there} bytes, fewer than such a file ends with")
            footer = part(path, there - FOOTER, FOOTER)
            if footer[-8:] != MAGIC:
                raise ValueError("it does not end as such a file does")
            _, at = _handle(footer, 0)
            where, _ = _handle(footer, at)
            self.blocks = [_handle(value, 0)[0] for _, value in self.entries(where)]
            if sum(size + TRAILER for _, size in self.blocks) > there:
                raise ValueError("its blocks are longer than the file")

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over names and bytes."""
        names = 0
        for block in self.blocks:
            with reading(self.path):
                found = list(self.entries(block))
                names += sum(len(name) for name, _ in found)
                if names > NAMES:
                    raise ValueError("its names are too long")
            yield from found

    def entries(self, where: Block) -> Iterator[tuple[bytes, bytes]]:
        """Iterate over the entries of a block, its checksum checked."""
        offset, size = where
        data = part(self.path, offset, size + TRAILER)
        if crc32c(data[: size + 1]) != unmasked(int.from_bytes(data[size + 1 :], "little")):
            raise ValueError(f"the checksum of the block at byte {offset} is wrong")
        if data[size] != 0:
            raise ValueError(f"the block at byte {offset} is compressed, which is not read here")
        if size < 4:
            raise ValueError(f"the block at byte {offset} is too short")
        end = size - 4 - 4 * int.from_bytes(data[size - 4 : size], "little")
        at, name, names = 0, b"", 0
        while at < end:
            shared, at = varint(data, at)
            more, at = varint(data, at)
            length, at = varint(data, at)
            if shared > len(name) or at + more + length > end:
                raise ValueError(f"the block at byte {offset} has an entry without an end")
            name = name[:shared] + data[at : at + more]
            names += len(name)
            if names > NAMES:
                raise ValueError("its names are too long")
            at += more
            yield name, data[at : at + length]
            at += length
        if at != end or end < 0:
            raise ValueError(f"the block at byte {offset} does not end where it says")
