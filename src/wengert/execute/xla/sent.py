"""What is fed again and is not sent again."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.execute.xla.arrays import XlaArrays
from wengert.ground.types import Array, NumPyArray

__all__ = ["Sent"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LARGEST = 1 << 24
"""Bytes of an array that is compared with what was sent, rather than sent: reading both takes a few milliseconds at most."""
SHARED = 1 << 20
"""Bytes of a tensor's array that a CPU gets a copy of, which a run takes up sooner; greater ones it reads where they are."""
CHANGES = 3
"""After how often in a row that an array was another one it is not compared any more."""


class _Latest:
    """What was fed at a place by tensors: the array of one, while it lives."""

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest: tuple[weakref.ref[NumPyArray] | None, Array | None] = None, None
        """The array, and where the devices have it: both at once, as threads may run."""

    def there(self, a: NumPyArray, put: Callable[[NumPyArray], Array]) -> Array | None:
        """Return where the devices have an array, from the second time on."""
        if a.base is not None:
            return None
        array, there = self.latest
        if array is None or array() is not a:
            self.latest = weakref.ref(a, self._gone), None
            return None
        if there is None:
            there = put(a)
            self.latest = array, there
        return there

    def _gone(self, array: weakref.ref[NumPyArray]) -> None:
        if self.latest[0] is array:
            self.latest = None, None


class _Copied:
    """What was fed at a place by arrays of the user's: a copy of the latest."""

    __slots__ = ("changes", "latest")

    def __init__(self) -> None:
        self.latest: tuple[NumPyArray | None, Array | None] = None, None
        """The copy, and where the devices have it: both at once, as threads may run."""
        self.changes = 0

    def there(self, a: NumPyArray, put: Callable[[NumPyArray], Array]) -> Array | None:
        """Return where the devices have what is the same, from the second time on."""
        if self.changes >= CHANGES or a.nbytes > LARGEST or not a.flags.c_contiguous or a.dtype.kind not in "biufc":
            return None
        copy, there = self.latest
        if copy is None or copy.shape != a.shape or copy.dtype != a.dtype or not _equal(copy, a):
            self.changes += copy is not None
            self.latest = None if self.changes >= CHANGES else a.copy(), None
            return None
        self.changes = 0
        if there is None:
            there = put(copy)
            self.latest = copy, there
        return there


class Sent:
    """The feeds of a program as devices have them.

    A tensor's array, which nobody changes, is known by its identity, and is sent once more when it comes again. One of the
    user's, where to send it takes long (to a memory of the device's own, or to several devices), is compared in full with a
    copy of what was sent, as a view of what else changes would be no proof. One that changes all the time is sent as it is.
    """

    def __init__(self, xp: XlaArrays) -> None:
        """Hold nothing."""
        self._xp = xp
        self._known: dict[tuple[int, int | None, bool], _Latest | _Copied] = {}

    def __call__(self, feeds: Sequence[Any], axes: Sequence[int | None], lasting: bool) -> Sequence[Any]:
        """Return the feeds, in place of some of them what the devices have.

        ``axes``: along which each is to be spread; ``lasting``: they are values of tensors.
        """
        apart = self._xp.distant or self._xp.mesh is not None
        if not (lasting or apart):
            return feeds
        found: list[Any] = []
        for k, (a, axis) in enumerate(zip(feeds, axes, strict=True)):
            there = None
            if a.__class__ is np.ndarray and (apart or a.nbytes <= SHARED):
                known = self._known.get((k, axis, lasting))
                if known is None:
                    known = self._known[k, axis, lasting] = _Latest() if lasting else _Copied()
                there = known.there(a, partial(self._put, axis))
            found.append(a if there is None else there)
        return found

    def _put(self, axis: int | None, a: NumPyArray) -> Any:
        with self._xp.wide():
            return self._xp.put(a, axis)


def _equal(a: NumPyArray, b: NumPyArray) -> bool:
    """Whether two arrays of one shape and dtype have the same bits."""
    x, y = a.reshape(-1).view(np.uint8), b.reshape(-1).view(np.uint8)
    wide = x.size // 8 * 8
    same = np.array_equal(x[:wide].view(np.uint64), y[:wide].view(np.uint64)) if wide else True
    return bool(same and np.array_equal(x[wide:], y[wide:]))
