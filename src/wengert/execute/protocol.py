"""What an executor is: what makes a program of a request, and what a program is to those who run it.

Everything above runs programs by this protocol alone. Its laws, which `tests/execute/test_conformance.py` holds for every
executor that is registered:

- the values are those of the operations, and the same bits whenever it is run again on the same device;
- effects (assignments, prints, checks, calls of the host, draws) happen once each, in the order in which they were made;
- an error is the operation's, with the user's line; what a run assigned is undone where Ctrl-C breaks it off;
- threads may run a program at once; nothing else holds on to a program that nobody needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from wengert.graph.node import Node
from wengert.ground.types import NumPyArray
from wengert.tensor.tensor import Graph

if TYPE_CHECKING:
    from wengert.execute.numpy import NumPyProgram

__all__ = ["Executor", "Program", "Request", "Wrapped"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Request(NamedTuple):
    """The part of a graph that is asked for."""

    graph: Graph
    fetches: Sequence[Any]
    feeds: Sequence[Any]
    controls: Sequence[Node] = ()
    """Operations that are to run, whatever is fetched."""


@runtime_checkable
class Program(Protocol):
    """The part of a graph that some fetches and controls need, as an executor runs it."""

    @property
    def request(self) -> Request:
        """What was asked for."""

    @property
    def numpy(self) -> NumPyProgram:
        """The same over NumPy: it has the lowered list and its plan."""

    @property
    def decision(self) -> str | None:
        """Who runs it and why, where there was something to decide."""

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run with the feeds' arrays; return the fetches' arrays, which are the caller's.

        Raises:
            InvalidArgumentError: for a placeholder that is needed and not fed, and for values that do not fit.
            FailedPreconditionError: for a variable that is not initialised.
        """

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run; what comes back may be shared."""


class Executor(Protocol):
    """What makes a program of a request."""

    def __call__(self, graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = (), /) -> Program:
        """Take the request; it may be lowered and compiled when it is first run."""


class Wrapped:
    """A program around another one, which answers for it."""

    def __init__(self, inner: Program) -> None:
        """Take the program."""
        self.inner = inner

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.inner.request

    @property
    def numpy(self) -> NumPyProgram:
        """The same over NumPy."""
        return self.inner.numpy

    @property
    def decision(self) -> str | None:
        """Who runs it and why."""
        return self.inner.decision

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run."""
        return self.inner(*arrays)

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run."""
        return self.inner.inside(*arrays)
