"""Steps of training, told to whoever watches: `wengert run --progress` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["step", "watchers"]

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
