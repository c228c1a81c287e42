"""The lines on standard error that say what has been mended, each once; and whose code it was."""

from __future__ import annotations

import os
import sys
from types import FrameType

from wengert.ground.context import ROOT

__all__ = ["Program", "note"]

INSTALLED = ("site-packages", "dist-packages")
LIBRARY = os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "")
"""Where Python's own library is, which may be below the script's folder."""

_told: set[str] = set()


def note(key: str, text: str) -> None:
    """Print a line to standard error, the first time only that there is something to say under this key."""
    if key not in _told:
        _told.add(key)
        print(f"wengert run: {text}", file=sys.stderr, flush=True)


def forget() -> None:
    """Start anew, for another script in the same process."""
    _told.clear()


class Program:
    """The script and the modules of its own, as opposed to what is installed."""

    def __init__(self, script: str) -> None:
        """Take the script's path."""
        self.script = script
        self.folder = os.path.dirname(os.path.realpath(script))
        self._before = frozenset(sys.path)

    def owns(self, filename: str | None) -> bool:
        """Return whether a file lies beside the script, or where the script has put onto `sys.path`."""
        if filename == self.script:  # as it was given: the script may have gone to another folder since
            return True
        if not filename or filename.startswith(("<", ROOT)):
            return False
        path = os.path.abspath(filename)
        if path.startswith(LIBRARY) or any(part in INSTALLED for part in path.split(os.sep)):
            return False
        added = [os.path.abspath(p) for p in sys.path if p not in self._before]
        return any(path.startswith(os.path.join(root, "")) for root in (self.folder, *added))

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


def place(frame: FrameType) -> str:
    """Return "file:line" of a frame."""
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
