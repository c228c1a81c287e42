"""`wengert run --progress`: a line at the foot of the terminal with the number of steps, the loss and the rate."""

from __future__ import annotations

import collections
import contextlib
import sys
import time
from typing import Any, TextIO

import numpy as np

from wengert.ground import progress

__all__ = ["Bar"]

WINDOW = 10.0
"""Seconds over which the rate is taken."""


class Bar(contextlib.AbstractContextManager["Bar"]):
    """Shows steps as they are told, from the first one on; only where standard error is a terminal."""

    def __init__(self) -> None:
        """Start at no steps."""
        self.steps, self.loss = 0, None
        self._live: Any = None
        self._marks: collections.deque[tuple[float, int]] = collections.deque()

    def __enter__(self) -> Bar:
        """Listen."""
        if _is_terminal(sys.stderr):
            self._marks.append((time.monotonic(), 0))
            progress.watchers.append(self._step)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Leave the last line as it is."""
        self.close()

    def close(self) -> None:
        """Listen no longer."""
        if self._step in progress.watchers:
            progress.watchers.remove(self._step)
        if self._live is not None:
            self._live.stop()
            self._live = None

    def forsake(self) -> None:
        """In a child that was forked: leave the line to the parent, and the child's streams as they were before there was one."""
        if self._step in progress.watchers:
            progress.watchers.remove(self._step)
        if self._live is not None:
            self._live, (sys.stdout, sys.stderr) = None, self._streams

    def _step(self, loss: Any, count: int) -> None:
        if loss is not None:
            self.loss = loss
        self.steps += count
        if self._live is None and self.steps:
            self._open()

    def _open(self) -> None:
        from rich.console import Console
        from rich.live import Live

        # What the script prints goes above the line, as it is, unless it goes elsewhere anyway.
        console = Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)
        self._streams = sys.stdout, sys.stderr
        self._live = Live(
            self, console=console, refresh_per_second=4, redirect_stdout=_is_terminal(sys.stdout), redirect_stderr=True
        )  # fmt: skip
        self._live.start()

    def __rich__(self) -> Any:
        from rich.text import Text

        return Text(self.line(time.monotonic()))

    def line(self, now: float) -> str:
        """Return the line at a time: steps, the latest loss, and steps a second of late."""
        self._marks.append((now, self.steps))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW:
            self._marks.popleft()
        (begin, before), loss = self._marks[0], self.loss
        rate = (self.steps - before) / (now - begin) if now > begin else 0.0
        told = "" if loss is None else f"  loss {float(np.asarray(loss).reshape(-1)[0]):.4e}"
        return f"step {self.steps}{told}  {rate:.1f} steps/s"


def _is_terminal(stream: TextIO | None) -> bool:
    return bool(getattr(stream, "isatty", bool)())
