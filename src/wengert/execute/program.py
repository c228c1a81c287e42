"""Which executor runs a list: what `options.executor` says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.execute.auto import AutoProgram
from wengert.execute.compare import Compared
from wengert.execute.native.program import NativeProgram
from wengert.execute.numpy import NumPyProgram
from wengert.execute.protocol import Executor, Program, Request, Wrapped
from wengert.execute.xla.falling import Falling
from wengert.graph.node import Node
from wengert.ground.options import options
from wengert.ground.types import NumPyArray
from wengert.tensor.tensor import Graph

__all__ = ["EXECUTORS", "Watcher", "compile", "told", "watchers"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

EXECUTORS: dict[str, Executor] = {"native": NativeProgram, "numpy": NumPyProgram, "xla": Falling, "auto": AutoProgram}
"""By the names of `wengert.ground.options.EXECUTORS`."""

looked_at: list[Program] | None = None
"""Where `wengert explain` keeps the programs that are made; None while nobody asks."""

After = Callable[[Sequence[NumPyArray] | None], None]
Watcher = Callable[[Request, Sequence[NumPyArray]], After | None]

watchers: list[Watcher] = []
"""Called with each request that is about to run, and the arrays of its feeds; what one returns is called with the results, or
with None where the run fails: how `wengert check` learns of what a script received."""


def compile(
    graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = (), tell: bool = True
) -> Program:
    """Return what runs the part of a graph that some fetches and controls need.

    ``tell``: whether the watchers learn of its runs.

    Raises:
        ValueError: if the options name no executor.
        ImportError: for the executor over XLA where JAX is not installed.
    """
    executor = EXECUTORS.get(options.executor)
    if executor is None:
        raise ValueError(f"The executor (WENGERT_EXECUTOR) must be one of {', '.join(EXECUTORS)}, not {options.executor!r}.")
    program = executor(graph, fetches, feeds, controls)
    if looked_at is not None:
        looked_at.append(program)
    if options.compare:
        program = Compared(program)
    return Watched(program) if watchers and tell else program


class Watched(Wrapped):
    """A program of whose runs the watchers are told."""

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run."""
        return told(self.request, arrays, lambda: self.inner(*arrays))


def told(request: Request, arrays: Sequence[NumPyArray], run: Callable[[], list[NumPyArray]]) -> list[NumPyArray]:
    """Return what a run gives, arrays; the watchers learn of it."""
    waiting = [one for one in [watcher(request, arrays) for watcher in watchers] if one is not None]
    found = None
    try:
        found = run()
    finally:
        for one in waiting:
            one(found)
    return found
