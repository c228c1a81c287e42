"""Which executor runs a list: what `options.executor` says."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from wengert.execute.auto import AutoProgram
from wengert.execute.compare import Compared
from wengert.execute.numpy import Program
from wengert.execute.xla import Unsupported, XlaProgram
from wengert.graph import Graph, Node
from wengert.options import EXECUTORS, options

__all__ = ["Falling", "compile"]

log = logging.getLogger("wengert")

_told: set[str] = set()
looked_at: list[Any] | None = None
"""Where `wengert explain` keeps the programs that are made; None while nobody asks."""


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
    return Compared(program, graph, fetches, feeds, controls) if options.compare else program
