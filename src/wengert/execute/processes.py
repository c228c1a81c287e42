"""The processes that run one script: which of how many this is, and what they tell each other.

Each runs the whole script. All make the same exchanges in the same order. Where a script runs alone, all of this is known
without JAX: one process, the first, which tells itself what it knows.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from wengert.ground.options import options

if TYPE_CHECKING:
    from wengert.execute.xla.joined import Joined
    from wengert.ground.types import Array, NumPyArray

__all__ = [
    "barrier", "broadcast", "broadcast_bytes", "count", "fail", "file_of_first", "gather", "index", "is_first", "join",
    "of_first", "set_apart",
]  # fmt: skip

T = TypeVar("T", bool, list[float])

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def join() -> Joined | None:
    """Wait until all processes are there; None where this one is alone. JAX is imported where it is not.

    Raises:
        DeadlineExceededError: if the others do not come.
        FailedPreconditionError: if JAX has started already, or what has started the processes is not recognised.
        ImportError: if JAX is not installed.
    """
    if options.processes is None or options.processes.count == 1:
        return None
    from wengert.execute.xla.arrays import arrays
    from wengert.execute.xla.joined import joined

    arrays()
    return joined()


def count() -> int:
    """Return how many processes run the script."""
    asked = options.processes
    if asked is not None and asked.recognised:
        join()
        asked = options.processes
    return 1 if asked is None else asked.count


def index() -> int:
    """Return which of them this is, from 0."""
    count()
    return 0 if options.processes is None else options.processes.index


def is_first() -> bool:
    """Return whether this is the one that writes files."""
    return index() == 0


def set_apart(apart: bool) -> None:
    """Say that the script knows in which of its processes it runs, so that each reads and writes files as it says there.

    Without this the first writes the files alone, and what is read is what it reads.
    """
    if options.processes is not None:
        options.processes = replace(options.processes, apart=apart)


def gather(array: Array) -> NumPyArray:
    """Return the arrays of all processes, in their order, of shape (count, *shape) and the same dtype in each of them.

    Raises:
        ValueError: if shapes or dtypes differ.
    """
    mine = np.asarray(array)
    here = join()
    if here is None:
        return mine[None]
    every = [_read(content) for content in here.exchange(_written(mine), range(here.count))]
    kinds = {(a.shape, a.dtype) for a in every}
    if len(kinds) > 1:
        raise ValueError(
            f"Arrays of {here.count} processes are gathered, which differ: {', '.join(f'{a.shape} {a.dtype}' for a in every)}"
        )
    return np.stack(every)


def broadcast(array: Array) -> NumPyArray:
    """Return the first process's array, which may be of another shape and dtype, in all of them."""
    mine = np.asarray(array)
    here = join()
    if here is None:
        return mine
    return _read(here.exchange(None if here.index else _written(mine), [0])[0])


def broadcast_bytes(content: bytes) -> bytes:
    """Return the first process's bytes in all of them."""
    here = join()
    return content if here is None else here.exchange(None if here.index else content, [0])[0]


def of_first(value: T) -> T:
    """Return the first process's answer in all, unless each has files of its own."""
    return value if _apart() else json.loads(broadcast_bytes(json.dumps(value).encode()))


@contextlib.contextmanager
def file_of_first(path: str) -> Iterator[str]:
    """Give the path of a file that holds what the first process's file of this path holds: no file where it has none.

    What the first has been told to write has been written, as all have come here. No disk is shared.
    """
    if _apart():
        yield path
        return
    content = b""
    if is_first() and os.path.isfile(path):
        with open(path, "rb") as file:
            content = b"1" + file.read()
    content = broadcast_bytes(content)
    if is_first():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="wengert-") as folder:
        here = os.path.join(folder, os.path.basename(path))
        if content:
            with open(here, "wb") as file:
                file.write(memoryview(content)[1:])
        yield here


def _apart() -> bool:
    return options.processes is None or options.processes.apart or count() == 1


def barrier(name: str) -> None:
    """Wait until all processes have come here, with the same name.

    Raises:
        RuntimeError: if they have come to places of different names.
    """
    here = join()
    if here is not None:
        names = here.exchange(name.encode(), range(here.count))
        if len(set(names)) > 1:
            told = ", ".join(f"{i}: {content.decode()}" for i, content in enumerate(names))
            raise RuntimeError(f"Processes wait for each other at different places: {told}.")


def fail(status: int, why: str) -> None:
    """Have all other processes end, as this one ends with a status that is not 0; nothing where they are not joined."""
    if options.processes is None or options.processes.count == 1:
        return
    from wengert.execute.xla.joined import joined

    here = joined()
    if here is not None:
        here.fail(status, why)


def _written(array: NumPyArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _read(content: bytes) -> NumPyArray:
    array: NumPyArray = np.load(io.BytesIO(content), allow_pickle=False)
    return array
