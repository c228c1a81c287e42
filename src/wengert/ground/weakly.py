"""Tables whose entries go with what they hold, or are for, by calls in C alone.

The tables of the standard library's `weakref` do that by a function in Python. A handler that raises while it runs, such as
that of Ctrl-C, raises in vain: Python passes over the exceptions of such calls.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from operator import methodcaller
from typing import Any, Generic, TypeVar

__all__ = ["WeakValues", "Weakly", "lapse"]

T = TypeVar("T")


class Weakly(Generic[T]):
    """Things that somebody else holds, as long as he does."""

    def __init__(self) -> None:
        """Hold none."""
        self._references: set[weakref.ref[T]] = set()

    def add(self, thing: T) -> None:
        """Add one."""
        self._references.add(weakref.ref(thing, self._references.discard))

    def __iter__(self) -> Iterator[T]:
        """Iterate over those that are there."""
        return iter([thing for reference in list(self._references) if (thing := reference()) is not None])


class _Reference(weakref.ref[Any]):
    __slots__ = ("pop",)
    pop: Callable[..., object]


def lapse(thing: T, table: dict[int, Any], key: int) -> weakref.ref[Any]:
    """Return a reference to a thing; where the thing goes first, so does an entry of a table."""
    found = _Reference(thing, methodcaller("pop", key, None))
    found.pop = table.pop
    return found


class WeakValues(Generic[T]):
    """A table from numbers, none of which is used twice, to what others hold."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._references: dict[int, weakref.ref[T]] = {}

    def __setitem__(self, key: int, value: T) -> None:
        self._references[key] = lapse(value, self._references, key)

    def get(self, key: int) -> T | None:
        """Return the value, if it is there."""
        found = self._references.get(key)
        return None if found is None else found()
