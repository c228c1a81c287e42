"""TensorFlow's internal ``util.object_identity``: sets and dictionaries of objects that go by identity, not by equality."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSet
from typing import Any, TypeVar

__all__ = [
    "ObjectIdentityDictionary",
    "ObjectIdentitySet",
    "ObjectIdentityWeakKeyDictionary",
    "ObjectIdentityWeakSet",
    "Reference",
]


K = TypeVar("K")
V = TypeVar("V")


class Reference:
    """An object as a key: equal to one of the same object alone."""

    __slots__ = ("_held",)

    def __init__(self, wrapped: object) -> None:
        """Take the object."""
        self._held = wrapped

    @property
    def unwrapped(self) -> Any:
        """The object."""
        return self._held

    deref = property(lambda self: lambda: self._held)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.unwrapped is other.unwrapped

    def __hash__(self) -> int:
        return id(self._held)


class ObjectIdentityDictionary(MutableMapping[K, V]):
    """A dictionary whose keys go by identity."""

    def __init__(self, given: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        """Take what a dictionary takes."""
        self._kept: dict[int, tuple[Any, V]] = {}
        self.update(given)

    def __getitem__(self, key: K) -> V:
        return self._kept[id(key)][1]

    def __setitem__(self, key: K, value: V) -> None:
        self._kept[id(key)] = key, value

    def __delitem__(self, key: K) -> None:
        del self._kept[id(key)]

    def __iter__(self) -> Iterator[K]:
        return iter([key for key, _ in self._kept.values()])

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._kept.values())!r})"


class ObjectIdentityWeakKeyDictionary(ObjectIdentityDictionary[K, V]):
    """A dictionary whose keys go by identity, and leave when nobody else has them."""

    def __setitem__(self, key: K, value: V) -> None:
        kept, number = self._kept, id(key)
        kept[number] = weakref.ref(key, lambda _: kept.pop(number, None) and None), value

    def __iter__(self) -> Iterator[K]:
        return iter([key for reference, _ in self._kept.values() if (key := reference()) is not None])


class ObjectIdentitySet(MutableSet[K]):
    """A set whose members go by identity."""

    kind: type[ObjectIdentityDictionary[Any, None]] = ObjectIdentityDictionary

    def __init__(self, given: Iterable[K] = ()) -> None:
        """Take the members."""
        self._kept = self.kind()
        self.update(given)

    def add(self, value: K) -> None:
        """Add a member."""
        self._kept[value] = None

    def discard(self, value: K) -> None:
        """Take a member out, if it is there."""
        self._kept.pop(value, None)

    def update(self, given: Iterable[K]) -> None:
        """Add members."""
        for value in given:
            self.add(value)

    def intersection(self, given: Iterable[K]) -> ObjectIdentitySet[K]:
        """Return the members that are among the given."""
        return self & type(self)(given)  # type: ignore[return-value]

    def difference(self, given: Iterable[K]) -> ObjectIdentitySet[K]:
        """Return the members that are not among the given."""
        return self - type(self)(given)  # type: ignore[return-value]

    def __contains__(self, value: object) -> bool:
        return value in self._kept

    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


class ObjectIdentityWeakSet(ObjectIdentitySet[K]):
    """A set whose members go by identity, and leave when nobody else has them."""

    kind: type[ObjectIdentityDictionary[Any, None]] = ObjectIdentityWeakKeyDictionary
