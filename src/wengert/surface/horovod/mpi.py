"""What programs of Horovod's take of ``mpi4py.MPI``: the communicator of all processes, by arrays.

Served where mpi4py is not installed, or no MPI has started the processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.execute import processes
from wengert.ground.types import Array, NumPyArray
from wengert.surface.horovod.world import Plain, allgather_object, init

__all__ = ["COMM_WORLD", "DOUBLE", "FLOAT", "INT", "LONG", "MAX", "MIN", "PROD", "SUM", "Wtime"]

Reduction = Callable[[NumPyArray, NumPyArray], NumPyArray]
Buffer = Array | Sequence[Any]
"""An array, or a list of it and what stands in it."""

SUM: Reduction = np.add
PROD: Reduction = np.multiply
MAX: Reduction = np.maximum
MIN: Reduction = np.minimum
DOUBLE, FLOAT, INT, LONG = (np.dtype(name) for name in ("float64", "float32", "int32", "int64"))


def Wtime() -> float:
    """Return seconds, from some time on."""
    return time.perf_counter()


def _array(buffer: Buffer) -> NumPyArray:
    found: NumPyArray = np.asarray(buffer[0] if isinstance(buffer, list | tuple) else buffer)
    return found


def _fill(buffer: Buffer, value: NumPyArray) -> None:
    place = _array(buffer)
    if place.size != value.size or place.dtype != value.dtype:
        raise ValueError(
            f"What comes has {value.size} elements of {value.dtype}, the place for it {place.size} of {place.dtype}."
        )
    place[...] = value.reshape(place.shape)


def _folded(every: NumPyArray, op: Reduction) -> NumPyArray:
    total: NumPyArray = every[0]
    for other in every[1:]:
        total = op(total, other)
    return total


class Communicator:
    """All processes. Each computes for itself from where it is first asked."""

    @property
    def rank(self) -> int:
        """Which process this is, from 0."""
        return self.Get_rank()

    @property
    def size(self) -> int:
        """How many there are."""
        return self.Get_size()

    def Get_rank(self) -> int:
        """Return which process this is, from 0."""
        init()
        return processes.index()

    def Get_size(self) -> int:
        """Return how many there are."""
        init()
        return processes.count()

    def Barrier(self) -> None:
        """Wait for all."""
        init()
        processes.barrier("mpi")

    barrier = Barrier

    def Bcast(self, buf: Buffer, root: int = 0) -> None:
        """Fill an array with that of one process."""
        init()
        _fill(buf, processes.gather(_array(buf))[root])

    def Allreduce(self, sendbuf: Buffer, recvbuf: Buffer, op: Reduction = SUM) -> None:
        """Fill an array with the sum, or what ``op`` says, of all processes' arrays."""
        init()
        _fill(recvbuf, _folded(processes.gather(_array(sendbuf)), op))

    def Reduce(self, sendbuf: Buffer, recvbuf: Buffer | None, op: Reduction = SUM, root: int = 0) -> None:
        """Fill one process's array with the sum, or what ``op`` says, of all processes' arrays."""
        init()
        found = _folded(processes.gather(_array(sendbuf)), op)
        if recvbuf is not None and processes.index() == root:
            _fill(recvbuf, found)

    def Allgather(self, sendbuf: Buffer, recvbuf: Buffer) -> None:
        """Fill an array with the arrays of all processes, one after another."""
        init()
        _fill(recvbuf, processes.gather(_array(sendbuf)))

    def Gather(self, sendbuf: Buffer, recvbuf: Buffer | None, root: int = 0) -> None:
        """Fill one process's array with the arrays of all processes, one after another."""
        init()
        found = processes.gather(_array(sendbuf))
        if recvbuf is not None and processes.index() == root:
            _fill(recvbuf, found)

    def Scatter(self, sendbuf: Buffer | None, recvbuf: Buffer, root: int = 0) -> None:
        """Fill an array with this process's part of one process's array: as many parts of equal length as processes."""
        init()
        place = _array(recvbuf)
        whole = np.zeros(place.size * processes.count(), place.dtype)
        if processes.index() == root and sendbuf is not None:
            _fill(whole, _array(sendbuf))
        _fill(recvbuf, processes.gather(whole)[root].reshape(processes.count(), -1)[processes.index()])

    def bcast(self, obj: Plain, root: int = 0) -> Any:
        """Return one process's value, which JSON can say."""
        init()
        return allgather_object(obj)[root]

    def allgather(self, sendobj: Plain) -> list[Any]:
        """Return all processes' values, which JSON can say."""
        init()
        return allgather_object(sendobj)

    def gather(self, sendobj: Plain, root: int = 0) -> list[Any] | None:
        """Return all processes' values, which JSON can say, in one process."""
        found = self.allgather(sendobj)
        return found if processes.index() == root else None

    def allreduce(self, sendobj: float, op: Reduction = SUM) -> Any:
        """Return the sum, or what ``op`` says, of all processes' numbers."""
        return _folded(np.array(self.allgather(sendobj)), op).item()


COMM_WORLD = Communicator()
