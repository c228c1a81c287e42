"""The processes as Horovod's programs ask for them: how many, which of them, and which of those on one machine."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.execute import processes
from wengert.ground import entropy
from wengert.ground.types import NumPyArray

__all__ = [
    "ProcessSet",
    "allgather_object",
    "broadcast_object",
    "cross_rank",
    "cross_size",
    "global_process_set",
    "init",
    "is_homogeneous",
    "is_initialized",
    "local_rank",
    "local_size",
    "rank",
    "shutdown",
    "size",
]


class World(NamedTuple):
    """Where a process is."""

    size: int
    rank: int
    local_size: int
    local_rank: int
    cross_size: int
    """How many machines have a process of this one's number on its machine."""
    cross_rank: int
    homogeneous: bool
    """Whether all machines have as many processes."""


_world: list[World] = []
"""Where this process is, once that is known."""

Plain = bool | float | str | None | Sequence["Plain"] | dict[str, "Plain"]
"""What JSON can say."""


def init(comm: Sequence[int] | None = None, process_sets: Sequence[ProcessSet] | None = None) -> None:
    """Find the other processes. From here on each computes for itself: what is fed, drawn, read and written is its own.

    Raises:
        NotImplementedError: for a part of the processes.
    """
    if process_sets or (comm is not None and list(comm) != list(range(processes.count()))):
        raise NotImplementedError("horovod: all processes exchange what they have; there are no sets of some of them here.")
    if not _world:
        _world.append(_found())
    processes.set_apart(True)
    entropy.own()


def _found() -> World:
    name = np.frombuffer(hashlib.sha256(socket.gethostname().encode()).digest()[:8], np.int64)[0]
    hosts = [int(host) for host in processes.gather(np.array(name))]
    me = processes.index()
    local = [hosts[:i].count(host) for i, host in enumerate(hosts)]
    peers = [i for i, number in enumerate(local) if number == local[me]]
    counts = {hosts.count(host) for host in hosts}
    return World(len(hosts), me, hosts.count(hosts[me]), local[me], len(peers), peers.index(me), len(counts) == 1)


def world() -> World:
    """Return where this process is.

    Raises:
        ValueError: before `init`.
    """
    if not _world:
        raise ValueError("Horovod has not been initialized; use hvd.init().")
    return _world[0]


def shutdown() -> None:
    """Forget the other processes."""
    _world.clear()


def is_initialized() -> bool:
    """Whether the other processes are known."""
    return bool(_world)


def size() -> int:
    """Return how many processes there are."""
    return world().size


def rank() -> int:
    """Return which of them this is, from 0."""
    return world().rank


def local_size() -> int:
    """Return how many there are on this machine."""
    return world().local_size


def local_rank() -> int:
    """Return which of those on this machine this is, from 0."""
    return world().local_rank


def cross_size() -> int:
    """Return how many machines have a process of this one's number on its machine."""
    return world().cross_size


def cross_rank() -> int:
    """Return which of those machines this is, from 0."""
    return world().cross_rank


def is_homogeneous() -> bool:
    """Whether all machines have as many processes."""
    return world().homogeneous


class ProcessSet:
    """A set of processes: all of them."""

    process_set_id = 0

    def __init__(self, ranks_or_comm: Sequence[int] | None = None) -> None:
        """Take which: all.

        Raises:
            NotImplementedError: for some of them.
        """
        if ranks_or_comm is not None:
            raise NotImplementedError("horovod: all processes exchange what they have; there are no sets of some of them here.")

    @property
    def ranks(self) -> list[int]:
        """Their numbers."""
        return list(range(size()))

    def size(self) -> int:
        """Return how many there are."""
        return size()

    def rank(self) -> int:
        """Return which of them this is."""
        return rank()

    def included(self) -> bool:
        """Whether this process is one of them."""
        return True


global_process_set = ProcessSet()


# --- plain values ------------------------------------------------------------------------------------------------------------


def _every(value: Plain) -> list[Any]:
    content = np.frombuffer(json.dumps(value).encode(), np.uint8)
    return [json.loads(row.tobytes()) for row in uneven(content)]


def uneven(array: NumPyArray) -> list[NumPyArray]:
    """Return the arrays of all processes, which may differ in the length of their first axis."""
    counts = processes.gather(np.array(len(array)))
    padded = np.zeros((int(counts.max()), *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return [rows[:count] for rows, count in zip(processes.gather(padded), counts.tolist(), strict=True)]


def broadcast_object(obj: Plain, root_rank: int = 0, session: Hashable = None, name: str | None = None) -> Any:
    """Return one process's value in all of them: what JSON can say, where Horovod pickles.

    Raises:
        TypeError: for another one.
    """
    return allgather_object(obj)[root_rank]


def allgather_object(obj: Plain, session: Hashable = None, name: str | None = None) -> list[Any]:
    """Return the values of all processes: what JSON can say, where Horovod pickles.

    Raises:
        TypeError: for another one.
    """
    world()
    return _every(obj)
