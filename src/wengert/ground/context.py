"""What is going on in this thread: the graph being built, who observes operations, and the user's line."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import inspect
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from wengert.ground.blocks import Block, Leaving, Raised, changed

__all__ = ["Site", "asked", "default_session", "here", "place", "scoped", "state"]

T = TypeVar("T")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of the package."""
SKIP = (ROOT, "<__autograph_generated", os.sep + "malt" + os.sep)


called: dict[str, str] = {}
"""What files are called where a place is told: a script by the name by which it was started."""
cells: dict[str, tuple[str, int]] = {}
"""By the names of files that Python has for cells of a notebook: what they are called, such as "cell 3", and how many of their
lines stand before what Python was given."""


def place(file: str, line: int) -> str:
    """Return how a place is told: "file:line", or "cell 3, line 2" in a notebook."""
    if file not in cells:
        return f"{called.get(file, file)}:{line}"
    cell, above = cells[file]
    return f"{cell}, line {line + above}"


class Site(NamedTuple):
    """A place in a user's program: the code object and the instruction in it. The line is found when asked for."""

    code: Any
    instruction: int
    sweep: bool = False
    """Whether what happened was part of a derivative that was taken there."""
    script: tuple[Any, int] | None = None
    """Where the script that is run was then, if this place is in a library that it called."""

    @property
    def filename(self) -> str:
        """The file."""
        return called.get(self.code.co_filename, str(self.code.co_filename))

    @property
    def lineno(self) -> int:
        """The line, counted from 1."""
        for begin, end, line in self.code.co_lines():
            if begin <= self.instruction < end and line is not None:
                return int(line)
        return int(self.code.co_firstlineno)

    def __str__(self) -> str:
        where = place(self.code.co_filename, self.lineno)
        if self.script is None:
            return where
        return f"{Site(*self.script)} ({os.path.basename(where)})"


class Observer:
    """What sees the operations of a thread: a tape, an accumulator. Here it takes no note of anything."""

    recording = True
    """Whether it sees operations."""

    def record(self, op: Any, inputs: Any, output: Any, attrs: Any) -> None:
        """Take note of an operation."""

    def follows(self, number: int) -> bool:
        """Whether it takes note of what is computed from the tensor of a number."""
        return False

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

    def kept(self) -> current[None]:
        """Keep what a with block takes."""
        self._around = state.memory
        return current(memory=self)

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
    distribution: tuple[Any, Any] | None = None
    """The strategy of whose replicas values are, and what a replica may ask; no replica's where a program is across them."""
    numerics: Callable[..., None] | None = None
    """What looks at each result of a run for infinities and NaN, where that is asked for: (operation, arrays, place)."""

    @classmethod
    def default(cls, name: str) -> Any:
        """Return what an attribute is in threads that have not set it."""
        found = vars(cls)[name]
        return found.default if isinstance(found, _Interleaved) else found

    @classmethod
    def set_default(cls, name: str, value: object) -> None:
        """Set what an attribute is in threads that have not set it."""
        if isinstance(vars(cls)[name], _Interleaved):
            vars(cls)[name].default = value
        else:
            setattr(cls, name, value)


state = State()

_apart: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("wengert.state", default=None)
"""In a coroutine that is in a with block of its own: what is current there, in place of the thread's."""
COROUTINE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class _Interleaved:
    """An attribute of the state that coroutines have apart. It takes the plain one's place when the first of them asks."""

    def __init__(self, name: str) -> None:
        self.name, self.default = name, getattr(State, name)

    def __get__(self, thread: State | None, owner: type[State]) -> Any:
        if thread is None:
            return self
        return known(thread).get(self.name, self.default)

    def __set__(self, thread: State, value: object) -> None:
        known(thread)[self.name] = value


def known(thread: State) -> dict[str, Any]:
    """Return where the attributes of a thread's state lie, or those of the coroutine that runs in it."""
    found = _apart.get()
    return vars(thread) if found is None else found


class apart:
    """What is current in a coroutine from here on, until it is left: others that go on meanwhile do not see it."""

    NAMES = ("graph", "graphs", "observers", "scope", "sessions", "memory", "site", "distribution")

    def __init__(self) -> None:
        """Begin with what is current."""
        for name in self.NAMES:
            if not isinstance(vars(State)[name], _Interleaved):
                setattr(State, name, _Interleaved(name))
        self._around = _apart.get()
        _apart.set({name: getattr(state, name) for name in self.NAMES})

    def leave(self) -> None:
        """Go back to what was."""
        _apart.set(self._around)

    @staticmethod
    def asked(frame: FrameType | None) -> bool:
        """Return whether the frame that enters a with block is a coroutine's: only that may be left in the midst of it."""
        while frame is not None and frame.f_code.co_filename.startswith(_MANAGERS):
            frame = frame.f_back
        return frame is not None and bool(frame.f_code.co_flags & COROUTINE)


_MANAGERS = (ROOT, str(contextlib.__file__))


class Observing(Block):
    """An observer that sees the operations of a with block: it is among the thread's observers while it is under way."""

    _recording = False
    _own: apart | None = None

    @property
    def recording(self) -> bool:
        """Whether it sees operations."""
        return self._recording

    def follows(self, number: int) -> bool:
        """Whether it takes note of what is computed from the tensor of a number."""
        return False

    def _begin(self, frame: FrameType | None = None) -> None:
        """Observe; ``frame``: that of the with statement, if it is one."""
        if frame is not None and frame.f_code.co_flags & COROUTINE:
            self._own = apart()
        before = state.observers
        self.keep((known(state), {"observers": before}), (vars(self), {"_recording": False}))
        self._recording = True
        state.observers = (*before, self)

    def _end(self) -> None:
        """Observe no longer."""
        around = state.observers
        state.observers = around[:-1] if around[-1:] == (self,) else tuple([o for o in around if o is not self])
        self._recording = False
        if self._own is not None:
            self._own.leave()
            self._own = None
        self.kept()


class current(changed[T]):
    """Let something else be current in a with block: the thread's state, or a coroutine's own."""

    def __init__(self, giving: T = None, /, **values: Any) -> None:  # type: ignore[assignment]
        """Take what ``as`` gives, and attributes of `state`."""
        super().__init__(state, giving, **values)

    def __enter__(self) -> T:
        """Change them."""
        self._own = apart() if apart.asked(sys._getframe(1)) else None
        return super().__enter__()

    def _entries(self) -> dict[str, Any]:
        return known(state)

    def _leave(self, *exception: Raised) -> None:
        if self._own is None:
            self._known.update(self._before)
        else:  # a task that was made in the block goes on with what was current there
            self._own.leave()
        self.kept()

    __exit__ = Leaving(_leave)


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


def scoped(name: str | None) -> current[str]:
    """Put a name scope around eager code: one that ends with a slash is taken as it is, none at all resets it."""
    path = name or "" if not name or name.endswith("/") else f"{state.scope}{name}/"
    return current(path, scope=path)


recent: deque[tuple[int, Any]] = deque(maxlen=4096)
"""How the latest tensors came about, so that a reason can be given through those that are gone."""
left: deque[tuple[int, str, int, Any]] = deque(maxlen=1024)
"""Which tensors' values left for Python or NumPy: the tensor's number, how, the number when it did, and where."""
assigned: deque[tuple[int, int, str, Any, str]] = deque(maxlen=1024)
"""What was assigned to variables: the variable's number, the value's, how, where, and the variable's name."""
slopes: deque[tuple[int, Any]] = deque(maxlen=1024)
"""What gradients are of that were computed operation by operation, seen by an outer tape."""


# --- NumPy's floating-point warnings ------------------------------------------------------------------------------------
#
# Whether NumPy speaks of overflow, division by zero and their like is one entry of the context. To set it, and to set it
# back, costs 0.1 microseconds, where ``numpy.errstate`` takes 1.8; all else in the caller's context stays as it is.
#
# Up to Python 3.11 the collector of garbage runs in the midst of that, as memory is asked for. What it calls (a finalizer, a
# callback of its own, a handler of a signal within one) may compute as well, and so free the very table that is being
# copied: then the context forgets what was set, or Python dies. Who holds the table meanwhile, by a copy of the context, is safe.


def _entry_of_errors() -> tuple[contextvars.ContextVar[Any], Any]:
    """Return NumPy's context variable, and its value where nothing is said."""
    context = contextvars.Context()
    context.run(np.seterr, all="ignore")
    [(variable, quiet)] = context.items()
    return variable, quiet


_errors, QUIET = _entry_of_errors()
errors_now, set_errors = _errors.get, _errors.set
table_held: Callable[[], object] = contextvars.copy_context if sys.version_info < (3, 12) else bool
"""What holds the context's table while `set_errors` is called."""
_copies = [table_held() for _ in range(16)]
del _copies  # Python keeps them for the next ones, and so asks for no memory then, which sets the collector off
_callers: contextvars.ContextVar[Any] = contextvars.ContextVar("wengert.errors")
"""Within of `quietly`: what the caller has."""


def quietly(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function with NumPy's floating-point warnings off, as tensors are computed."""
    before = errors_now()
    if before is QUIET:
        return function(*arguments)
    around = _callers.get(None)
    kept = table_held()
    try:
        _callers.set(before)
        kept = table_held()
        set_errors(QUIET)
        return function(*arguments)
    finally:
        try:
            kept = table_held()
        finally:  # also where a signal has struck
            set_errors(before)
        kept = table_held()
        _callers.set(around)
        del kept


def loudly(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a user's function from within of `quietly`: it finds NumPy as its caller has it."""
    if errors_now() is not QUIET:
        return function(*arguments, **keywords)
    kept = table_held()
    try:
        set_errors(_callers.get())
        return function(*arguments, **keywords)
    finally:
        try:
            kept = table_held()
        finally:
            set_errors(QUIET)
        del kept


def uncollected(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function that makes many objects, all of which stay, with the collector of cycles still: it would look in vain."""
    enabled = gc.isenabled()
    try:
        if enabled:
            gc.disable()
        return function(*arguments)
    finally:
        if enabled:
            gc.enable()


def here(skipped: tuple[str, ...] = SKIP) -> tuple[Any, ...]:
    """Return the nearest place on the stack that is outside of this package: the arguments of a `Site`."""
    if state.site is not None:
        return state.site
    frame = sys._getframe(2)
    while frame.f_code.co_filename.startswith(skipped):
        back = frame.f_back
        if back is None:
            break
        frame = back
    return (frame.f_code, frame.f_lasti)


def asked() -> tuple[Any, ...]:
    """Return `here()`; where that is in a library, with the line of the script on whose behalf the library is at work."""
    at = here()
    if state.site is not None or not (called or cells) or _is_script(at[0].co_filename):
        return at
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _is_script(frame.f_code.co_filename):
        frame = frame.f_back
    return at if frame is None else (*at[:2], False, (frame.f_code, frame.f_lasti))


def _is_script(file: str) -> bool:
    return file in called or file in cells
