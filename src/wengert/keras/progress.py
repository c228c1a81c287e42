"""`Progbar`: a line that says how far something is."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert.ground.terminal import in_notebook, is_rewritable, shown

__all__ = ["Line", "Progbar"]

WIDTH = 20


class Line:
    """A line of standard output: it is written over where that can be, and elsewhere printed when it is done."""

    SELDOM = 0.25
    """Seconds between two writings in a notebook, which keeps and sends all that is written."""

    def __init__(self, interval: float) -> None:
        """Take the seconds between two writings."""
        self.interval = interval
        self._last = -math.inf
        self._length = 0
        self._waiting = ""

    def write(self, text: str, done: bool, live: bool = True) -> None:
        """Write the line, unless it was written just now; ``done``: for the last time. ``live``: whether it is written before."""
        now = time.perf_counter()
        live = live and is_rewritable(sys.stdout)
        interval = max(self.interval, self.SELDOM) if live and in_notebook() else self.interval
        self._waiting = "" if done or not live else text
        if not done and (not live or now - self._last < interval):
            return
        self._last = now
        if live:
            sys.stdout.write("\r" + text.ljust(self._length) + ("\n" if done else ""))
            self._length = 0 if done else len(text)
        else:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Write what was not written yet, for the last time."""
        if self._waiting:
            self.write(self._waiting, True)


class Progbar:
    """Prints how far something is, with the means of values.

    On a terminal and in a notebook the line is written over; elsewhere it is printed once, when the target is reached.

    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(1, [("loss", 3.0)])
    >>> bar.update(2, [("loss", 1.0)])  # doctest: +ELLIPSIS
    2/2 - ... - loss: 2.0000
    """

    def __init__(
        self, target: int | None, width: int = WIDTH, verbose: int = 1, interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:  # fmt: skip
        """Take how far it goes (None: not known), and which values are not averaged."""
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.stateful_metrics, self.unit_name = set(stateful_metrics or []), unit_name
        self._sums: dict[str, list[float]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._line, self._label, self._last = Line(interval), "", True

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None) -> None:
        """Say how far it is, with values by name."""
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        step = max(current - self._seen, 1)
        for name, value in values or []:
            number = float(np.mean(np.asarray(value)))
            if name in self.stateful_metrics or (finalize and step == 1 and current == self._seen):
                self._sums[name] = [number, 1.0]
            else:
                total = self._sums.setdefault(name, [0.0, 0.0])
                total[0] += number * step
                total[1] += step
        self._seen = current
        if not self.verbose:
            return
        text = shown(self._label + self._text(current, time.perf_counter() - self._start))
        self._line.write(text, finalize and self._last, live=self.verbose == 1)

    def within(self, line: Line, label: str, last: bool) -> None:
        """Write into a line that others are written into, too, before it or, unless it is the last, after it."""
        self._line, self._label, self._last = line, label, last

    def _text(self, current: int, elapsed: float) -> str:
        each = elapsed / max(current, 1)
        parts = [f"{current}/{self.target if self.target is not None else 'Unknown'}"]
        if self.verbose == 1 and self.target:
            done = int(self.width * min(current / self.target, 1.0))
            parts[0] += " [" + "=" * done + "." * (self.width - done) + "]"
        parts.append(f"{elapsed:.0f}s {_short(each)}/{self.unit_name}")
        for name, (total, count) in self._sums.items():
            mean = total / max(count, 1.0)
            parts.append(f"{name}: {mean:.4f}" if abs(mean) > 1e-3 else f"{name}: {mean:.4e}")
        return " - ".join(parts)

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Go on by n."""
        self.update(self._seen + n, values)


def _short(seconds: float) -> str:
    return f"{seconds:.0f}s" if seconds >= 1 else f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
