"""The lines on standard error that say what has been mended, each once; and whose code it was."""

from __future__ import annotations

import os
import sys
from types import FrameType

from wengert.context import ROOT

__all__ = ["Program", "note"]

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
        self.folder = os.path.dirname(os.path.abspath(script))
        self._before = frozenset(sys.path)

    def owns(self, filename: str | None) -> bool:
        """Return whether a file lies beside the script, or where the script has put onto `sys.path`."""
        if not filename or filename.startswith(("<", ROOT)):
            return False
        path = os.path.abspath(filename)
        if any(part in ("site-packages", "dist-packages") for part in path.split(os.sep)):
            return False
        added = [os.path.abspath(p) for p in sys.path if p not in self._before]
        return any(path.startswith(os.path.join(root, "")) for root in (self.folder, *added))

    def calls(self, frame: FrameType) -> bool:
        """Return whether a frame is of the program's own code."""
        return self.owns(frame.f_code.co_filename)


def place(frame: FrameType) -> str:
    """Return "file:line" of a frame."""
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
