"""The lines on standard error that say what has been mended, each once; and whose code it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import FrameType

from wengert.ground.context import ROOT, cells
from wengert.ground.context import place as at
from wengert.ground.terminal import tell

__all__ = ["Program", "forget", "frames_shown", "note", "speak_as", "told"]

INSTALLED = ("site-packages", "dist-packages")
LIBRARY = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "")
"""Where Python's own library is, which may be below the script's folder."""

_told: set[str] = set()
_speaking = ["wengert run"]


def speak_as(name: str) -> None:
    """Say who speaks in the lines from now on: `wengert run`, or in a notebook, `wengert`."""
    _speaking[0] = name


def note(key: str, text: str) -> None:
    """Print a line to standard error, the first time only that there is something to say under this key."""
    if key not in _told:
        _told.add(key)
        tell(f"{_speaking[0]}: {text}")


def told() -> frozenset[str]:
    """Return the keys under which something has been said."""
    return frozenset(_told)


def forget(but: Iterable[str] = ()) -> None:
    """Start anew, for another script in the same process. ``but``: keys under which all has been said."""
    _told.clear()
    _told.update(but)


def frames_shown() -> bool:
    """Return whether our own frames are to stand in tracebacks, as WENGERT_FRAMES says."""
    return os.environ.get("WENGERT_FRAMES", "0") not in ("", "0")


class Program:
    """The script and the modules of its own, as opposed to what is installed."""

    def __init__(self, script: str, folder: str | None = None) -> None:
        """Take the script's path as tracebacks have it, and its folder: "" is that in which the process works."""
        self.script = script
        self.folder = folder if folder is None else _absolute(folder)
        self._before = frozenset(sys.path)

    def owns(self, filename: str | None) -> bool:
        """Return whether a file lies beside the script, or where the script has put onto `sys.path`."""
        if filename == self.script:  # as it was given: the script may have gone to another folder since
            return True
        if not filename or filename.startswith(("<", ROOT)):
            return False
        path = _absolute(filename)
        if path.startswith(LIBRARY) or any(part in INSTALLED for part in path.split(os.sep)):
            return False
        added = [_absolute(p) for p in sys.path if p not in self._before]
        return any(path.startswith(os.path.join(root, "")) for root in (self.folder, *added) if root)

    def calls(self, frame: FrameType) -> bool:
        """Return whether a frame is of the program's own code."""
        return self.owns(frame.f_code.co_filename)

    def imports(self) -> bool:
        """Return whether the import under way is one of the program's own code; for finders to ask."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename.startswith((ROOT, "<frozen importlib")):
            frame = frame.f_back
        return frame is not None and self.calls(frame)

    def line(self) -> str | None:
        """Return "file:line" of the program's code that is being run, None if there is none among the callers."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not self.calls(frame):
            frame = frame.f_back
        return None if frame is None else place(frame)


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except FileNotFoundError:  # the folder in which the process works is gone
        return path


def place(frame: FrameType) -> str:
    """Return where a frame is, without the folder."""
    file = frame.f_code.co_filename
    return f"{os.path.basename(file)}:{frame.f_lineno}" if file not in cells else at(file, frame.f_lineno)
