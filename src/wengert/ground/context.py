"""What is going on in this thread: the graph being built, who observes operations, and the user's line."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Site", "default_session", "here", "scoped", "state"]

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of the package."""
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
        return f"{self.filename}:{self.lineno}"


class Observer:
    """What sees the operations of a thread: a tape, an accumulator. Here it takes no note of anything."""

    recording = True
    """Whether it sees operations."""

    def record(self, op: Any, inputs: Any, output: Any, attrs: Any) -> None:
        """Take note of an operation."""

    def read(self, variable: Any, tensor: Any) -> None:
        """Take note that a variable was read, giving a tensor."""

    def read_in(self, variable: Any, handle: Any, tensor: Any) -> None:
        """Take note that a variable was read in a graph, through its handle, giving a tensor."""

    def captured(self, source: Any, place: Any) -> None:
        """Take note that a tensor stands for another one in a graph within."""

    def turning(self, places: Any) -> None:
        """Take note of what a loop within the block gives its body anew in each turn."""

    def closed(self, captures: Any) -> None:
        """Take note of what a body took in: pairs of a tensor and what stands for it."""


class Memory:
    """What a computation took from the world, so that it can be repeated: seeds of random numbers, values of variables."""

    def __init__(self) -> None:
        """Make it empty."""
        self._taken: list[Any] = []
        self._rest: Iterator[Any] | None = None
        self._around: Memory | None = None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what a with block takes."""
        self._around, state.memory = state.memory, self
        try:
            yield
        finally:
            state.memory = self._around

    @contextlib.contextmanager
    def given(self) -> Iterator[None]:
        """Give it to a with block that does the same again, in the same order."""
        self._rest = iter(self._taken)
        try:
            with self.kept():
                yield
        finally:
            self._rest = None

    @property
    def repeating(self) -> bool:
        """Whether what is done now was done before: what it changed in the world is changed already."""
        return self._rest is not None or (self._around is not None and self._around.repeating)

    def take(self, new: Any) -> Any:
        """Return what is new, and keep it; or what was taken at this point before."""
        if self._rest is not None:
            return next(self._rest, new)
        if self._around is not None:  # that of a repeated computation around this one, which is a part of it
            new = self._around.take(new)
        self._taken.append(new)
        return new


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
    sessions: tuple[Any, ...] = ()
    """The sessions entered, outermost first."""
    session: Any = None
    """The session at work, which holds the values of a graph's variables."""
    counters: dict[Any, Any] | None = None
    """How often each random operation of a graph has run, in the session at work."""
    memory: Memory | None = None
    """What a computation that is to be repeated took from the world."""
    numerics: Callable[..., None] | None = None
    """What looks at each result of a run for infinities and NaN, where that is asked for: (operation, arrays, place)."""
    run: Callable[..., Any]
    """Calls a kernel where NumPy is silent about overflow, division by zero and their like, as tensors are."""

    def __init__(self) -> None:
        """Give the thread a context of its own: entering one costs 10 ns, where ``numpy.errstate`` costs 1800."""
        quiet = contextvars.copy_context()
        quiet.run(np.seterr, all="ignore")
        self.run = quiet.run


state = State()


def default_session(session: Any = None) -> Any:
    """Return the given session or the innermost one entered.

    Raises:
        ValueError: if there is none.
    """
    if session is not None:
        return session
    if not state.sessions:
        raise ValueError(
            "Cannot evaluate a tensor or run an operation: no default session is registered. Use `with sess.as_default()` or "
            "pass a session."
        )
    return state.sessions[-1]


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


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector of cycles still while many objects are made, all of which stay: it would look at them in vain."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def here(skipped: tuple[str, ...] = SKIP) -> tuple[Any, ...]:
    """Return the nearest place on the stack that is outside of this package: the arguments of a `Site`."""
    if state.site is not None:
        return state.site
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(skipped):
        frame = frame.f_back
    return (frame.f_code, frame.f_lasti)
