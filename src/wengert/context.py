"""What is going on in this thread: the graph being built, who observes operations, and the user's line."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Site", "here", "scoped", "state"]

ROOT = os.path.dirname(os.path.abspath(__file__)) + os.sep
SKIP = (ROOT, "<__autograph_generated", os.sep + "malt" + os.sep)


class Site(NamedTuple):
    """A place in a user's program: the code object and the instruction in it. The line is found when asked for."""

    code: Any
    instruction: int
    sweep: bool = False
    """Whether what happened was part of a derivative that was taken there."""

    @property
    def filename(self) -> str:
        """The file."""
        return str(self.code.co_filename)

    @property
    def lineno(self) -> int:
        """The line, counted from 1."""
        for begin, end, line in self.code.co_lines():
            if begin <= self.instruction < end and line is not None:
                return int(line)
        return int(self.code.co_firstlineno)

    def __str__(self) -> str:
        """Return ``file:line``."""
        return f"{self.filename}:{self.lineno}"


class State(threading.local):
    """The state of one thread. Class attributes are what a new thread starts with."""

    graph: Any = None
    """The graph that operations are appended to, or None: run them now."""
    observers: tuple[Any, ...] = ()
    """Tapes and accumulators that see each operation, outermost first."""
    scope: str = ""
    """The name scope of eager code, which variables take."""
    site: tuple[Any, ...] | None = None
    """The user's line on whose behalf a sweep runs operations."""
    graphs: tuple[Any, ...] = ()
    """The graphs entered before the current one."""
    session: Any = None
    """The session at work, which holds the values of a graph's variables."""
    counters: dict[Any, int] | None = None
    """How often each random operation of a graph has run, in the session at work."""
    run: Callable[..., Any]
    """Calls a kernel where NumPy is silent about overflow, division by zero and their like, as tensors are."""

    def __init__(self) -> None:
        """Give the thread a context of its own: entering one costs 10 ns, where ``numpy.errstate`` costs 1800."""
        quiet = contextvars.copy_context()
        quiet.run(np.seterr, all="ignore")
        self.run = quiet.run


state = State()


@contextlib.contextmanager
def scoped(name: str | None) -> Iterator[str]:
    """Put a name scope around eager code: one that ends with a slash is taken as it is, none at all resets it."""
    before = state.scope
    state.scope = name or "" if not name or name.endswith("/") else f"{before}{name}/"
    try:
        yield state.scope
    finally:
        state.scope = before


recent: deque[tuple[int, Any]] = deque(maxlen=4096)
"""How the latest tensors came about, so that a reason can be given through those that are gone."""
left: deque[tuple[int, str, int, Any]] = deque(maxlen=1024)
"""Which tensors' values left for Python or NumPy: the tensor's number, how, the number when it did, and where."""
assigned: deque[tuple[int, int, str, Any, str]] = deque(maxlen=1024)
"""What was assigned to variables: the variable's number, the value's, how, where, and the variable's name."""
slopes: deque[tuple[int, Any]] = deque(maxlen=1024)
"""What gradients are of that were computed operation by operation, seen by an outer tape."""


def call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a function: what `State.run` is while the thread is inside of its quiet context already."""
    return function(*arguments, **keywords)


def quietly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function with NumPy's floating-point warnings off; what it calls may come here again."""
    run = state.run
    state.run = call
    try:
        return run(function, *arguments)
    finally:
        state.run = run


def here(skipped: tuple[str, ...] = SKIP) -> tuple[Any, ...]:
    """Return the nearest place on the stack that is outside of this package: the arguments of a `Site`."""
    if state.site is not None:
        return state.site
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(skipped):
        frame = frame.f_back
    return (frame.f_code, frame.f_lasti)
