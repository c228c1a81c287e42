"""Nested structures: lists, tuples, named tuples, dictionaries (in the order of their sorted keys), and leaves.

Containers as well are the classes that attrs makes, with their attributes in order, and those that say by ``__tf_flatten__`` and
``__tf_unflatten__`` what they hold and how they are made of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wengert.ground import checks

__all__ = ["Composite", "assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]

MANY = 10_000
"""Containers after which it is asked whether one of them holds itself."""


class Composite:
    """What is made of several tensors, which are its leaves."""

    def _parts(self) -> list[Any]:
        raise NotImplementedError

    def _of(self, parts: Sequence[Any]) -> Any:
        """Return another of other parts."""
        raise NotImplementedError


class Leaf:
    """What is no container, whatever a program says of containers' classes: it is not asked."""

    __slots__ = ()


_CONTAINERS = (list, tuple, Mapping, Composite)
_KNOWN: dict[type, bool] = {list: True, tuple: True, dict: True} | dict.fromkeys((int, float, bool, str, type(None)), False)
"""Whether instances of the commonest classes are containers: to ask costs a tenth of a look at what they are."""


def is_nested(structure: Any) -> bool:
    """Whether the value is a container rather than a leaf.

    >>> is_nested([1]), is_nested("ab")
    (True, False)
    """
    known = _KNOWN.get(structure.__class__)
    if known is not None:
        return known
    return not isinstance(structure, Leaf) and (isinstance(structure, _CONTAINERS) or _is_record(structure))


def _is_record(structure: Any) -> bool:
    kind = type(structure)
    return hasattr(kind, "__attrs_attrs__") or (hasattr(kind, "__tf_flatten__") and hasattr(kind, "__tf_unflatten__"))


is_sequence = is_sequence_or_composite = is_nested


def keys(mapping: Any) -> list[Any]:
    """Return the keys of a mapping: sorted where they can be."""
    if not isinstance(mapping, Mapping):
        raise TypeError(f"a mapping is wanted, not {mapping!r}")
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def children(structure: Any) -> list[Any]:
    """Return the parts of a container, in the order in which its leaves are."""
    if isinstance(structure, list | tuple):
        return list(structure)
    if not is_nested(structure):
        raise TypeError(f"a container is wanted, not {structure!r}")
    if isinstance(structure, Mapping):
        return [structure[k] for k in keys(structure)]
    if isinstance(structure, Composite):
        return structure._parts()
    if hasattr(structure, "__tf_flatten__"):
        return list(structure.__tf_flatten__()[1])
    return [getattr(structure, name) for name in _names(structure)]


def _names(structure: Any) -> Any:
    """Return what the parts of a container that is no mapping are called: their numbers where they have no names."""
    if hasattr(type(structure), "__attrs_attrs__"):
        return [attribute.name for attribute in type(structure).__attrs_attrs__]
    return getattr(structure, "_fields", range(len(children(structure))))


def kind(structure: Any) -> tuple[object, ...]:
    """Return of which kind a container is: its type, and what it says of itself beside its parts."""
    said = structure.__tf_flatten__()[0] if hasattr(type(structure), "__tf_flatten__") else None
    return (type(structure), said)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Return the leaves in order.

    >>> flatten({"b": [1, 2], "a": 3})
    [3, 1, 2]
    """
    leaves: list[Any] = []
    pending = [structure]
    containers = 0
    while pending:
        item = pending.pop()
        if is_nested(item):
            containers += 1
            if containers == MANY:
                _check_ends(structure)
            pending.extend(reversed(children(item)))
        else:
            leaves.append(item)
    return leaves


def _check_ends(structure: Any) -> None:
    """Check that no container holds itself.

    Raises:
        ValueError: if one does.
    """
    around: set[int] = {id(structure)}
    whole: set[int] = set()
    open_ = [(structure, iter(children(structure)))]
    while open_:
        container, rest = open_[-1]
        for item in rest:
            if is_nested(item) and id(item) not in whole:
                if id(item) in around:
                    raise ValueError(f"A structure holds itself: a {type(item).__name__} is among its own elements.")
                around.add(id(item))
                open_.append((item, iter(children(item))))
                break
        else:
            around.discard(id(container))
            whole.add(id(container))
            open_.pop()


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Return the structure with its leaves replaced, in order.

    Raises:
        ValueError: if there are more or fewer leaves.

    >>> pack_sequence_as({"b": [1, 2], "a": 3}, [7, 8, 9])
    {'b': [8, 9], 'a': 7}
    """
    leaves = checks.listed(flat_sequence, "pack_sequence_as", "flat_sequence")
    needed = len(flatten(structure))
    if needed != len(leaves):
        raise ValueError(f"Structure had {needed} atoms, but flat_sequence had {len(leaves)} items. Structure: {structure!r}.")
    return _pack(structure, iter(leaves))


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(leaves)
    if isinstance(structure, Mapping):
        found = {k: _pack(structure[k], leaves) for k in keys(structure)}
        ordered = {k: found[k] for k in structure}
        make: Any = type(structure)
        if isinstance(structure, defaultdict):
            return make(structure.default_factory, ordered)
        return make(ordered) if make is not dict else ordered
    parts = [_pack(s, leaves) for s in children(structure)]
    if isinstance(structure, Composite):
        return structure._of(parts)
    if hasattr(structure, "__tf_unflatten__"):
        return type(structure).__tf_unflatten__(structure.__tf_flatten__()[0], tuple(parts))
    if hasattr(structure, "_fields") or hasattr(structure, "__attrs_attrs__"):
        return type(structure)(*parts)
    return type(structure)(parts)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Raise unless both have the same structure.

    Raises:
        ValueError: if the numbers of parts differ.
        TypeError: if the types of containers, or the keys, differ.
    """
    check_types = checks.flag(check_types, "assert_same_structure", "check_types")
    pending = [(nest1, nest2)]
    while pending:
        a, b = pending.pop()
        if is_nested(a) != is_nested(b):
            raise ValueError(f"The two structures don't have the same nested structure: {nest1!r} and {nest2!r}.")
        if not is_nested(a):
            continue
        if check_types and type(a) is not type(b):
            raise TypeError(f"The two structures don't have the same sequence type: {type(a)} and {type(b)}.")
        if isinstance(a, Mapping) and set(a) != set(b):
            raise ValueError(f"The two dictionaries don't have the same set of keys: {list(a)} and {list(b)}.")
        x, y = children(a), children(b)
        if len(x) != len(y):
            raise ValueError(f"The two structures don't have the same number of elements: {nest1!r} and {nest2!r}.")
        pending.extend(zip(x, y, strict=True))


def map_structure(func: Callable[..., Any], *structure: Any, **keywords: Any) -> Any:
    """Apply a function to the leaves of structures that are alike.

    >>> map_structure(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    if not callable(func):
        raise TypeError(f"func must be callable, got: {func!r}")
    if not structure:
        raise ValueError("Must provide at least one structure")
    for other in structure[1:]:
        assert_same_structure(structure[0], other, check_types=keywords.get("check_types", True))
    columns = [flatten(s) for s in structure]
    return pack_sequence_as(structure[0], [func(*leaves) for leaves in zip(*columns, strict=True)])


def flatten_with_paths(structure: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Iterate over (path, leaf)."""
    if not is_nested(structure):
        yield path, structure
    elif isinstance(structure, Mapping):
        for key in keys(structure):
            yield from flatten_with_paths(structure[key], (*path, key))
    else:
        for key, part in zip(_names(structure), children(structure), strict=True):
            yield from flatten_with_paths(part, (*path, key))
