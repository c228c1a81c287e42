"""Which executor runs a list: what `options.executor` says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from wengert.execute.auto import AutoProgram
from wengert.execute.compare import Compared
from wengert.execute.numpy import Program, Wrapped
from wengert.execute.xla.arrays import Unsupported
from wengert.execute.xla.program import XlaProgram
from wengert.graph.graph import Node
from wengert.ground.options import EXECUTORS, options
from wengert.tensor.tensor import Graph

__all__ = ["Falling", "compile", "told", "watchers"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

_told: set[str] = set()
looked_at: list[Any] | None = None
"""Where `wengert explain` keeps the programs that are made; None while nobody asks."""


watchers: list[Callable[[Any, Sequence[Any]], Callable[[Any], None] | None]] = []
"""Called with each request that is about to run, and the arrays of its feeds; what one returns is called with the results, or
with None where the run fails: how `wengert check` learns of what a script received."""


class Falling(XlaProgram):
    """A program for XLA that runs on NumPy where XLA cannot; the reason is logged once."""

    def run(self, arrays: Sequence[Any], copy: bool = True) -> list[Any]:
        """Run on XLA, or on NumPy."""
        try:
            return super().run(arrays, copy)
        except Unsupported as error:
            if error.message not in _told:
                _told.add(error.message)
                log.warning("%s; NumPy runs it", error.message)
        return self.program(*arrays) if copy else self.program.inside(*arrays)


def compile(graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = ()) -> Any:
    """Return what runs the part of a graph that some fetches and controls need.

    Raises:
        ValueError: if the options name no executor.
        ImportError: for the executor over XLA where JAX is not installed.
    """
    program: Any
    if options.executor == "xla":
        program = Falling(graph, fetches, feeds, controls)
    elif options.executor == "auto":
        program = AutoProgram(graph, fetches, feeds, controls)
    elif options.executor == "numpy":
        program = Program(graph, fetches, feeds, controls)
    else:
        raise ValueError(f"The executor (WENGERT_EXECUTOR) must be one of {', '.join(EXECUTORS)}, not {options.executor!r}.")
    if looked_at is not None:
        looked_at.append(program)
    if options.compare:
        program = Compared(program, graph, fetches, feeds, controls)
    return Watched(program) if watchers else program


class Watched(Wrapped):
    """A program of whose runs the watchers are told."""

    def __call__(self, *arrays: Any) -> list[Any]:
        """Run."""
        return told(self.program.request, arrays, lambda: self.inner(*arrays))


def told(request: Any, arrays: Sequence[Any], run: Callable[[], list[Any]]) -> list[Any]:
    """Return what a run gives, arrays; the watchers learn of it."""
    waiting = [one for one in [watcher(request, arrays) for watcher in watchers] if one is not None]
    found = None
    try:
        found = run()
    finally:
        for one in waiting:
            one(found)
    return found
