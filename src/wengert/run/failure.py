"""How a script's error is told: as Python does, without our own frames; what a line can say, in a line."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from types import TracebackType

import numpy as np

from wengert.ground.context import ROOT
from wengert.ground.terminal import tell
from wengert.run.arrays import pickled
from wengert.run.notice import frames_shown
from wengert.run.packages import missing_module, python_2
from wengert.run.served import MissingName

__all__ = ["report", "report_source", "status_of"]

OWN = (ROOT, "<frozen")
"""What the names of files begin with whose frames tell a user nothing."""
AROUND = os.path.join(ROOT, "run", "")
"""What runs scripts and loads their modules: no part of what a user has called."""
NUMPY = os.path.join(os.path.dirname(np.__file__), "")


Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def status_of(error: SystemExit) -> int:
    """Return the status that a script exits with; what is no number is printed, as Python does."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    _print([f"{error.code}\n"])
    return 1


def report(error: BaseException, usual: Hook) -> int:
    """Tell an error that has ended a script, and return its status.

    A missing name or package is told in one line. ``usual``: the hook of before; another one is the script's, and is called.
    """
    status = 130 if isinstance(error, KeyboardInterrupt) else 1
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OWN):
        frames = frames.tb_next
    error = error.with_traceback(frames)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, frames
    vars(sys)["last_exc"] = error  # from Python 3.12 on
    hook: Hook = getattr(sys, "excepthook", None)  # type: ignore[assignment]
    if hook is not usual:
        return _hooked(hook, error, frames, status)
    if status == 130:
        tell("interrupted")
    elif (line := _in_a_line(error, frames)) is not None:
        tell(line)
    else:
        _print(_told(error).format())
    return status


def _hooked(hook: Hook, error: BaseException, frames: TracebackType | None, status: int) -> int:
    """Call the script's own hook; where that fails, tell both errors."""
    try:
        if not hasattr(sys, "excepthook"):
            _print(["sys.excepthook is missing\n", *_told(error).format()])
        else:
            hook(type(error), error, frames)
    except SystemExit as left:
        return status_of(left)
    except BaseException as failure:
        within = failure.__traceback__.tb_next if failure.__traceback__ is not None else None
        failure.__context__ = None  # Python calls the hook when nothing is being handled
        _print(["Error in sys.excepthook:\n", *_told(failure.with_traceback(within)).format()])
        _print(["\nOriginal exception was:\n", *_told(error).format()])
    return status


def report_source(error: BaseException, path: str) -> int:
    """Tell why a source cannot be compiled, and return the status."""
    told = python_2(error) if isinstance(error, SyntaxError) else None
    if told is not None:
        tell(f"{path}:{getattr(error, 'lineno', None) or '?'}: {told}")
    else:
        if isinstance(error, SyntaxError):
            error.filename = error.filename or path
        _print(traceback.TracebackException.from_exception(error).format_exception_only())
    return 1


def _in_a_line(error: BaseException, frames: TracebackType | None) -> str | None:
    """Return what one line can say of an error, None if that is not enough."""
    if isinstance(error, SyntaxError):
        told = python_2(error)
        return told and f"{error.filename}:{error.lineno}: {told}"
    if isinstance(error, ImportError) and not str(error.name or "").startswith("tensorflow"):
        told = missing_module(error)
    else:
        told = str(error) if isinstance(error, MissingName | ImportError) else pickled(error)
    own = [f for f in traceback.extract_tb(frames) if not f.filename.startswith((*OWN, NUMPY))]
    return f"{own[-1].filename}:{own[-1].lineno}: {told}" if told and own else None


class _Folded(traceback.StackSummary):
    """The user's frames of a stack; ours are counted where they stand."""

    def __init__(self, stack: Iterable[traceback.FrameSummary]) -> None:
        self.after: dict[int, int] = {}
        """How many of ours come after a frame of the user's, by that one's position."""
        super().__init__()
        for frame in stack:
            if not frame.filename.startswith(OWN):
                self.append(frame)
            elif self and frame.filename.startswith(ROOT) and not frame.filename.startswith(AROUND):
                self.after[len(self) - 1] = self.after.get(len(self) - 1, 0) + 1

    def format(self, **keywords: bool) -> list[str]:
        """Return the lines; a frame that stands many times in a row is told as Python tells it."""
        lines: list[str] = []
        begun = 0
        for k, count in sorted({**self.after, len(self) - 1: self.after.get(len(self) - 1, 0)}.items()):
            lines += traceback.StackSummary.from_list(list(self)[begun : k + 1]).format(**keywords)
            begun = k + 1
            if count:
                lines.append(f"  [{count} frame{'s' * (count > 1)} of Wengert: --frames shows them]\n")
        return lines


def _told(error: BaseException) -> traceback.TracebackException:
    """Return an error with its causes, contexts and members, our own frames folded in each."""
    whole = traceback.TracebackException.from_exception(error, compact=True)
    pending, seen = [whole], set[int]()
    while pending:
        one = pending.pop()
        if id(one) not in seen:
            seen.add(id(one))
            if not frames_shown():
                one.stack = _Folded(one.stack)
            below = (one.__cause__, one.__context__, *(one.exceptions or ()))
            pending += [other for other in below if other is not None]
    return whole


def _print(lines: Iterable[str]) -> None:
    """Print to standard error; as with Python, it is no other error where nobody can read it."""
    if sys.stderr is not None:
        with contextlib.suppress(Exception):
            sys.stderr.write("".join(lines))
            sys.stderr.flush()
