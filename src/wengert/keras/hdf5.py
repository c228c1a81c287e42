"""Arrays in HDF5 files, as Keras writes them: by paths such as ``layers/dense/vars/0``. Nothing in them is executed.

The library is h5py, imported when it is needed. What it is asked to do is little: a file may hold groups, arrays of numbers and
attributes, within itself. Links to elsewhere, data in other files, unknown filters and arrays longer than what is stored of them
are refused before anything is read. A file of ours ends with a checksum of all before it, which other readers pass over.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import math
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wengert.ground.errors import OpError, ResourceExhaustedError
from wengert.ground.interrupt import undivided
from wengert.ground.types import NumPyArray

if TYPE_CHECKING:
    import h5py

__all__ = ["SIGNATURE", "Dataset", "Tree", "available", "dumped", "opened", "sealed"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SEAL = b"\nwengert crc32 "
INSTALL = "pip install wengert[weights]"
LABEL = "wengert.name"
"""The attribute of an array that says what Wengert calls it."""
MOST = 1 << 20
"""How many groups and arrays a file may hold."""
LONGEST = 1 << 24
"""How many bytes an attribute may have: configurations, and lists of names in parts of 64 KiB."""
FILTERS = (1, 2, 3)
"""Deflate, shuffle, and Fletcher's checksum."""
DEFLATED = 1040
"""By how much deflate can shorten, at most."""


def available() -> bool:
    """Return whether HDF5 files can be read and written."""
    return importlib.util.find_spec("h5py") is not None


@contextlib.contextmanager
def _reading(source: str) -> Iterator[None]:
    """Raise errors that name the file; whatever the library raises for a damaged one."""
    try:
        yield
    except OpError:
        raise
    except MemoryError:
        raise ResourceExhaustedError(f"{source} was not read: there is not enough memory.") from None
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        if isinstance(error, TimeoutError | InterruptedError):  # of a signal, not of the file
            raise
        raise ValueError(f"{source} cannot be read, it is damaged or of another format: {error}") from None


class Dataset:
    """An array in a file, read when it is converted to one."""

    def __init__(self, found: h5py.Dataset, label: str | None, source: str) -> None:
        """Take it, what Wengert calls it, and what errors are to name."""
        self._found, self._source, self.label = found, source, label
        self.shape: tuple[int, ...] = found.shape
        self.dtype: np.dtype[Any] = found.dtype

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> NumPyArray:
        with _reading(self._source):
            array = np.asarray(self._found[()])
        return array if dtype is None else array.astype(dtype, copy=False)


class Tree(NamedTuple):
    """What a file holds, by path; ``source`` is what errors are to name."""

    source: str
    arrays: dict[str, Dataset]
    groups: dict[str, h5py.Group]

    def text(self, path: str, name: str) -> str | None:
        """Return an attribute of a group that is a text, None if there is none.

        Raises:
            ValueError: for one that is no text.
        """
        with _reading(self.source):
            found = _attribute(self.groups[path], name)
            if found is None:
                return None
            if not isinstance(found, str | bytes):
                raise ValueError(f"the attribute {name} is no text")
            return found if isinstance(found, str) else found.decode()

    def texts(self, path: str, name: str) -> list[str]:
        """Return an attribute of a group that is a list of texts; a long one stands in several, with numbers behind the name.

        Raises:
            ValueError: for one that is none.
        """
        with _reading(self.source):
            group = self.groups[path]
            parts = [] if (whole := _attribute(group, name)) is None else [whole]
            while (more := _attribute(group, f"{name}{len(parts)}")) is not None:
                parts.append(more)
            found = [one for part in parts for one in np.asarray(part).ravel().tolist()]
            if not all(isinstance(one, str | bytes) for one in found):
                raise ValueError(f"the attribute {name} of {path or 'the file'} is no list of texts")
            return [one if isinstance(one, str) else one.decode() for one in found]


def _attribute(item: h5py.Group | h5py.Dataset, name: str) -> str | bytes | NumPyArray | None:
    """Return an attribute, None if there is none.

    Raises:
        ValueError: for one that is said to be longer than attributes are.
    """
    import h5py

    if name not in item.attrs:
        return None
    told = h5py.h5a.open(item.id, name.encode())
    if math.prod(told.shape) * told.get_type().get_size() > LONGEST:
        raise ValueError(f"the attribute {name} is said to have the shape {told.shape}")
    return item.attrs[name]  # type: ignore[no-any-return, unused-ignore]


@contextlib.contextmanager
def opened(path: str, who: str, content: bytes | None = None) -> Iterator[Tree]:
    """Open a file, or what stands in it, for reading.

    Raises:
        ImportError: without the library; it says what to install.
        ValueError: if it is damaged, or holds what is refused; it names the file.
        ResourceExhaustedError: without the memory for it.
    """
    if not available():
        raise ImportError(f"{who}: {path} is an HDF5 file, and h5py, which reads them, is not installed: {INSTALL}")
    import h5py

    source = f"{who}: {path}"
    with _reading(source):
        if content is None:
            _unsealed(path)
        file = h5py.File(path if content is None else io.BytesIO(content), "r")
    with file:
        with _reading(source):
            tree = _tree(file, os.path.getsize(path) if content is None else len(content), source)
        yield tree


def _tree(file: h5py.File, size: int, source: str) -> Tree:
    """Return what a file holds, each thing checked, nothing of the arrays read."""
    import h5py

    tree = Tree(source, {}, {"": file})
    pending: list[tuple[str, h5py.Group]] = [("", file)]
    seen = {h5py.h5o.get_info(file.id).addr}
    stored = 0
    for prefix, group in pending:  # grows meanwhile
        for name in group:
            path = f"{prefix}{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path} is a link to elsewhere, which is not followed")
            item = group[name]
            if len(seen) > MOST:
                raise ValueError(f"it holds more than {MOST} groups and arrays")
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"{path} stands in two places")
            seen.add(address)
            if isinstance(item, h5py.Group):
                tree.groups[path] = item
                pending.append((path + "/", item))
            else:
                stored += _checked(path, item)
                label = _attribute(item, LABEL)
                tree.arrays[path] = Dataset(item, label if isinstance(label, str) else None, source)
    if stored > size:
        raise ValueError(f"its arrays have {stored} bytes, and it has {size}")
    return tree


def _checked(path: str, item: h5py.Dataset) -> int:
    """Return how many bytes of an array are stored.

    Raises:
        ValueError: if it is not of numbers, not in this file, or longer than these bytes can tell.
    """
    import h5py

    if not isinstance(item, h5py.Dataset) or item.shape is None or item.dtype.kind not in "biufc":
        raise ValueError(f"{path} is no array of numbers")
    made = item.id.get_create_plist()
    if item.external or item.is_virtual:
        raise ValueError(f"the numbers of {path} are in another file, which is not read")
    filters = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    if not set(filters) <= set(FILTERS):
        raise ValueError(f"{path} is packed in a way that is not read here")
    stored = int(item.id.get_storage_size())
    if math.prod(item.shape) * item.dtype.itemsize > stored * (DEFLATED if 1 in filters else 1):
        raise ValueError(f"{path} is said to have the shape {item.shape}, and {stored} bytes of it are stored")
    return stored


# --- writing ----------------------------------------------------------------------------------------------------------------


def dumped(
    arrays: Mapping[str, NumPyArray], labels: Mapping[str, str], groups: Mapping[str, str], texts: Mapping[str, str]
) -> bytes:
    """Return the bytes of a file: arrays by path and what Wengert calls them, names of groups by path, and texts of the whole."""
    import h5py

    buffer = io.BytesIO()

    def write() -> None:
        with h5py.File(buffer, "w") as file:
            for name, text in texts.items():
                file.attrs[name] = text
            for path, name in groups.items():
                file.create_group(path).attrs["name"] = name
            for path, array in arrays.items():
                file.create_dataset(path, data=array).attrs[LABEL] = labels[path]

    undivided(write)  # a signal that comes while h5py drops its objects is lost
    return buffer.getvalue()


def sealed(content: bytes) -> Sequence[bytes]:
    """Return the pieces of a file, a checksum of it the last."""
    return content, SEAL + b"%08x" % zlib.crc32(content)


def _unsealed(path: str) -> None:
    """Check the checksum that a file ends with, if it does.

    Raises:
        ValueError: if the file has changed since it was written.
    """
    left = os.path.getsize(path) - len(SEAL) - 8
    with open(path, "rb") as file:
        file.seek(max(left, 0))
        end = file.read()
        if not end.startswith(SEAL):
            return
        file.seek(0)
        found = 0
        while left > 0 and (piece := file.read(min(left, 1 << 20))):
            left -= len(piece)
            found = zlib.crc32(piece, found)
    if end[len(SEAL) :] != b"%08x" % found:
        raise ValueError("its checksum is wrong, it has changed since it was written")
