"""Steps of training, told to whoever watches: `wengert run --progress` does."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from wengert.ground.terminal import in_notebook

__all__ = ["line", "step", "watchers"]

SELDOM = 0.5
"""Seconds between two changes of a line."""

watchers: list[Callable[[Any, int], None]] = []
"""Functions of (loss, count) that are called for each step. Empty as a rule, and telling nobody costs nothing."""


def step(loss: Any = None, count: int = 1) -> None:
    """Tell the watchers of steps taken and of the latest loss; without a loss, the one before still holds.

    ``count``: how many steps; 0 where only the loss is news.

    >>> seen = []
    >>> watchers.append(lambda loss, count: seen.append((loss, count)))
    >>> step(0.5)
    >>> seen
    [(0.5, 1)]
    >>> watchers.clear()
    """
    for watcher in watchers:
        watcher(loss, count)


@contextlib.contextmanager
def line(name: str) -> Iterator[Callable[[float], None]]:
    """In a notebook, show the iterations of an optimizer in one line that changes; give what is told the loss after each.

    Elsewhere nothing is shown. It is an output of its own, so that what is printed meanwhile stands below it, line by line.
    """
    if not in_notebook():
        yield lambda loss: None
        return
    from IPython import display

    show: Callable[..., Any] = display.display
    handle: Any = None
    count, last, latest = 0, -math.inf, math.nan

    def text() -> dict[str, str]:
        return {"text/plain": f"{name}: iteration {count:,}, loss {latest:.6g}"}

    def told(loss: float) -> None:
        nonlocal handle, count, last, latest
        count, latest, now = count + 1, float(loss), time.monotonic()
        if now - last < SELDOM:
            return
        last = now
        if handle is None:
            handle = show(text(), raw=True, display_id=True)
        else:
            handle.update(text(), raw=True)

    try:
        yield told
    finally:
        if handle is not None:
            handle.update(text(), raw=True)
