"""Ctrl-C: a run that assigns to variables happens whole or not at all.

While such a run is under way, Ctrl-C breaks it off only where nothing is half done: between kernels and inside of them
(functions marked by `breakable`). Anywhere else, such as while threads are awaited or while XLA has the variables, it is kept
until the run has ended. A run that is broken off has its assignments and its count of random numbers undone.
"""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any, TypeVar

from wengert.ground.context import state

__all__ = ["between", "breakable", "undivided"]

F = TypeVar("F", bound=Callable[..., Any])

# signal.signal and getsignal without the making of enumerations, which takes 3 us a call.
_signals = importlib.import_module("_signal")
_install: Callable[[int, Any], Any] = _signals.signal
_installed: Callable[[int], Any] = _signals.getsignal
_main = threading.main_thread

between: list[Callable[[], None]] = []
"""Called after runs that assign to variables and before eager tapes: where no step is half done. Empty as a rule."""

_places: set[CodeType] = set()
UNDIVIDED = True
"""In a module: its functions may be broken off only if they are marked `breakable`. Read from the frames' globals."""


class _Run:
    """The run under way in the main thread, the only one that Python interrupts."""

    depth = 0
    previous: Any = None
    """Who answered to Ctrl-C before."""
    struck = False
    """Whether the run is being broken off."""
    pending = False
    """Whether Ctrl-C came where it had to wait."""


_run = _Run()


def breakable(function: F) -> F:
    """Mark a function in which a run may be broken off at any instruction."""
    _places.add(function.__code__)
    return function


def _may_break(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code in _places:
            return True
        if "UNDIVIDED" in frame.f_globals:
            return False
        frame = frame.f_back
    return False


def _strike(number: int, frame: FrameType | None) -> None:
    """Answer to Ctrl-C during a run."""
    if _run.struck or not _may_break(frame):
        _run.pending = True
        return
    _run.struck = True
    _run.previous(number, frame)  # raises KeyboardInterrupt, as a rule
    _run.struck = False


def _enter() -> bool:
    """Take over Ctrl-C; return False where that is another's: no handler of Python's, or not the main interpreter."""
    previous = _installed(signal.SIGINT)
    if not callable(previous):
        return False
    # Before the handler is laid: what comes the moment that it is must not be forgotten.
    _run.previous, _run.struck, _run.pending = previous, False, False
    try:
        _install(signal.SIGINT, _strike)
    except ValueError:
        return False
    _run.depth = 1
    return True


def _leave() -> bool:
    """Give Ctrl-C back; return whether one is waiting."""
    _run.depth = 0
    found = _install(signal.SIGINT, _run.previous)
    if found is not _strike:  # somebody has set another meanwhile
        _install(signal.SIGINT, found)
    return _run.pending


def undivided(function: Callable[..., Any], *arguments: Any, storages: Sequence[Any] = ()) -> Any:
    """Call a function so that Ctrl-C leaves what it does whole or undone; it costs 1 microsecond.

    ``storages``: the memory of the variables that it assigns to, which get their values back where Ctrl-C breaks it off.

    Raises:
        KeyboardInterrupt: at once where that is harmless, else at the end, when all is done.
    """
    if threading.get_ident() != _main().ident:
        return function(*arguments)
    outermost = _run.depth == 0
    if outermost:
        if not _enter():
            return function(*arguments)
    else:
        _run.depth += 1
    before = [(s, s.values) for s in storages]
    counters = state.counters
    counted = dict(counters) if counters else {}
    try:
        result = function(*arguments)
    except BaseException as error:
        if not isinstance(error, Exception):
            for storage, values in before:
                storage.values = values
            if counters is not None:
                counters.clear()
                counters.update(counted)
        _close(outermost, isinstance(error, Exception))
        raise
    _close(outermost, True)
    if between and outermost:
        for function in between:
            function()
    return result


def _close(outermost: bool, deliver: bool) -> None:
    if not outermost:
        _run.depth -= 1
    elif _leave() and deliver:
        _run.previous(signal.SIGINT, sys._getframe())


def harmless(frame: FrameType | None) -> bool:
    """Return whether another signal's handler may raise at a frame: no run is under way, or it will be undone."""
    if _run.depth == 0:
        return frame is None or frame.f_globals is not globals()  # here one may be about to begin
    return not _run.struck and _may_break(frame)
