"""Signals: a run that assigns to variables happens whole or not at all, whatever handler raises in the midst of it.

While such a run is under way, signals that have a handler in Python come here. Ctrl-C breaks the run off only where nothing
is half done: between kernels and inside of them (functions marked by `breakable`). Anywhere else, such as while threads are
awaited or while XLA has the variables, it is kept until the run has ended. A run that is broken off has its assignments and
its count of random numbers undone. Another handler, such as one that saves before the machine is taken away, sees variables
as they were before the run: each step is whole for it.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FrameType, MappingProxyType
from typing import Any, ClassVar, TypeVar

from wengert.ground.context import loudly, state

__all__ = ["between", "breakable", "undivided"]

F = TypeVar("F", bound=Callable[..., Any])

# signal.signal and getsignal without the making of enumerations, which takes 3 us a call.
_signals = importlib.import_module("_signal")
_install: Callable[[int, Any], Any] = _signals.signal
_installed: Callable[[int], Any] = _signals.getsignal

between: list[Callable[[], None]] = []
"""Called after runs that assign to variables and before eager tapes: where no step is half done. Empty as a rule."""

_places: set[CodeType] = set()
UNDIVIDED = True
"""In a module: its functions may be broken off only if they are marked `breakable`. Read from the frames' globals."""


SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)
"""The signals that programs answer to."""

FOREIGN = ("jax", "jaxlib", "weakref", "_weakrefset")
"""Packages whose functions others call where an exception does not come through, as of the collector of garbage: it is lost."""


class _Run:
    """The run under way in the main thread, the only one that Python interrupts."""

    depth = 0
    thread = threading.main_thread().ident
    previous: Mapping[int, Any] = MappingProxyType({})
    """Who answered to each signal before."""
    struck = False
    """Whether a handler is at work, or the run is being broken off."""
    pending: ClassVar[list[int]] = []
    """The signals that had to wait."""
    before: Sequence[tuple[Any, Any]] = ()
    """The memory of the variables, with their values before the run."""
    seen: tuple[tuple[Any, ...], tuple[tuple[int, Any], ...]] = ((), ())
    """The handlers that were found at the latest run, and those in Python among them."""


_run = _Run()


def breakable(function: F) -> F:
    """Mark a function in which a run may be broken off at any instruction."""
    _places.add(function.__code__)
    return function


def _may_break(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code in _places:
            return True
        known = frame.f_globals
        if "UNDIVIDED" in known or str(known.get("__name__")).partition(".")[0] in FOREIGN:
            return False
        frame = frame.f_back
    return False


def _strike(number: int, frame: FrameType | None) -> None:
    """Answer to a signal during a run."""
    if _run.struck or not _may_break(frame):
        if number not in _run.pending:
            _run.pending.append(number)
        return
    _run.struck = True
    now = [(s, s.values) for s, _ in _run.before]
    for storage, values in _run.before:
        storage.values = values
    loudly(_run.previous[number], number, frame)  # raises KeyboardInterrupt, as a rule
    for (storage, values), (_, found) in zip(now, _run.before, strict=True):
        if all(a is b for a, b in zip(storage.values, found, strict=True)):  # else the handler has assigned to it
            storage.values = values
    _run.struck = False


def _lay() -> None:
    """Take the signals over that have a handler in Python; none where this is not the main interpreter."""
    handlers = tuple(map(_installed, SIGNALS))
    if handlers != _run.seen[0]:
        found = tuple([(n, h) for n, h in zip(SIGNALS, handlers, strict=True) if callable(h) and h is not _strike])
        _run.previous = dict(found)
        _run.seen = handlers, found
    # Before a handler is laid: what comes the moment that it is must not be forgotten.
    _run.struck = False
    if _run.pending:
        _run.pending.clear()
    for number, _ in _run.seen[1]:
        try:
            _install(number, _strike)
        except ValueError:  # not the main interpreter
            _run.seen = (), ()


def _give_back() -> BaseException | None:
    """Give the signals back; return what a handler raised the moment that it was back in its place."""
    raised: BaseException | None = None
    laid = list(_run.seen[1])
    while laid:
        try:
            while laid:
                number, handler = laid[-1]
                found = _install(number, handler)
                if found is not _strike:  # somebody has set another meanwhile, or it was not laid yet
                    _install(number, found)
                laid.pop()
        except BaseException as error:
            raised = error
    return raised


def _deliver(waiting: list[int]) -> None:
    """Call the handlers of signals that waited, each one even if another raises."""
    if not waiting:
        return
    try:
        _run.previous[waiting[0]](waiting[0], sys._getframe())
    finally:
        _deliver(waiting[1:])


def undivided(function: Callable[..., Any], *arguments: Any, storages: Sequence[Any] = ()) -> Any:
    """Call a function so that signals leave what it does whole or undone; it costs 2 microseconds.

    ``storages``: the memory of the variables that it assigns to, which get their values back where a signal breaks it off.

    Raises:
        KeyboardInterrupt: at once where that is harmless, else at the end, when all is done.
    """
    if threading.get_ident() != _run.thread:
        return function(*arguments)
    depth = _run.depth
    before = [(s, s.values) for s in storages]
    counters = state.counters
    counted = dict(counters) if counters else {}
    try:
        if not depth:
            _run.before = before
            _lay()
        _run.depth = depth + 1
        result = function(*arguments)
    except BaseException as error:
        if not isinstance(error, Exception):
            for storage, values in before:
                storage.values = values
            if counters is not None:
                counters.clear()
                counters.update(counted)
        _run.depth = depth
        if not depth:
            _end(error)
        raise
    _run.depth = depth
    if not depth:
        _end(None)
        for function in between:
            function()
    return result


def _end(error: BaseException | None) -> None:
    """End the outermost run: what waited is delivered, but Ctrl-C pressed again while the first breaks it off."""
    raised = _give_back()
    _run.before = ()
    if raised is None and not _run.pending:
        return
    waiting = list(_run.pending)
    if isinstance(error, KeyboardInterrupt) and signal.SIGINT in waiting:
        waiting.remove(signal.SIGINT)
    try:
        _deliver(waiting)
    finally:
        if raised is not None:
            raise raised


def _forked() -> None:
    """In a child: what was under way in a thread that there is no more has ended."""
    if _run.thread != threading.get_ident():
        _run.thread = threading.get_ident()
        if _run.depth:
            _run.depth, _run.before, _run.struck = 0, (), False
            _run.pending.clear()
            _give_back()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
