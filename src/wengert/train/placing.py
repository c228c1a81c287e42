"""Values for several variables at once: all of them get theirs, or none does.

Whatever can fail, or wait, comes before: reading, checking, converting. What is left is setting one reference for each variable,
which neither Ctrl-C nor an error leaves half done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wengert.ground.interrupt import undivided
from wengert.ground.types import Array, NumPyArray
from wengert.modes.storage import Storage

__all__ = ["Placement", "place", "ready"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

Placement = tuple[Storage, NumPyArray]
"""The memory of a variable, and the array that it is to hold."""


def ready(memory: Storage, value: Array) -> Placement:
    """Return the memory with the value as it can hold it: one of the right dtype is taken as it is, not copied.

    Raises:
        ShapeError: if it does not fit.
    """
    array = np.asarray(value, memory.nptype)
    memory.check(array.shape)
    return memory, array


def place(placements: Sequence[Placement], done: Callable[[], None] | None = None) -> None:
    """Set all of the memories to their arrays, or none; then call ``done``, which belongs to it."""
    undivided(_place, placements, done, storages=[memory for memory, _ in placements])


def _place(placements: Sequence[Placement], done: Callable[[], None] | None) -> None:
    before = [(memory, memory.values) for memory, _ in placements]
    try:
        for memory, array in placements:
            memory.array = array
        if done is not None:
            done()
    except BaseException:
        for memory, values in before:
            memory.values = values
        raise
