"""Names: of objects that are found by one, of classes that a file may mention, and of layers that were given none."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = [
    "CustomObjectScope",
    "auto_name",
    "custom_object_scope",
    "deserialize",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "get_uid",
    "register_keras_serializable",
    "reset_names",
    "resolve",
    "serialize",
    "snake_case",
]

_custom: dict[str, Any] = {}
_counts: dict[str, int] = {}


def snake_case(name: str) -> str:
    """Return a class's name in lower case, with an underscore before each word.

    >>> snake_case("LayerNormalization"), snake_case("ReLU"), snake_case("Conv2D")
    ('layer_normalization', 're_lu', 'conv2d')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Return a name that was not given yet since `reset_names`: the prefix, then with 1, 2, ... after it."""
    count = _counts.get(prefix, 0)
    _counts[prefix] = count + 1
    return f"{prefix}_{count}" if count else prefix


def get_uid(prefix: str = "") -> int:
    """Return how many names with this prefix there are, one more than before."""
    _counts[prefix] = _counts.get(prefix, 0) + 1
    return _counts[prefix]


def reset_names() -> None:
    """Forget which names were given."""
    _counts.clear()


def get_custom_objects() -> dict[str, Any]:
    """Return the dictionary of the program's own classes and functions by name, which may be changed."""
    return _custom


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorate a class or function so that files may name it.

    >>> @register_keras_serializable("mine")
    ... def swell(x):
    ...     return 2 * x
    >>> get_registered_name(swell)
    'mine>swell'
    """

    def decorate(thing: Any) -> Any:
        key = f"{package}>{name or thing.__name__}"
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"register_keras_serializable: {thing.__name__} has no get_config() method.")
        _custom[key] = thing
        return thing

    return decorate


def get_registered_name(obj: Any) -> str:
    """Return the name that an object is registered by, its own where it is not."""
    return next((key for key, value in _custom.items() if value is obj), str(getattr(obj, "__name__", obj)))


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Any = None) -> Any:
    """Return what is registered by a name, None if there is nothing."""
    for table in (custom_objects or {}, _custom, module_objects or {}):
        if name in table:
            return table[name]
        for key in table:
            if key.rpartition(">")[2] == name:
                return table[key]
    return None


@contextlib.contextmanager
def custom_object_scope(*custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Know objects by name for a with block."""
    before = dict(_custom)
    for table in custom_objects:
        _custom.update(table)
    try:
        yield
    finally:
        _custom.clear()
        _custom.update(before)


CustomObjectScope = custom_object_scope


def resolve(identifier: Any, table: Mapping[str, Any], what: str) -> Any:
    """Return what a name stands for in a table or among the program's own objects.

    Raises:
        ValueError: for a name that is not there.
    """
    found = get_registered_object(identifier, None, table)
    if found is None:
        near = difflib.get_close_matches(identifier, list(table), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Could not interpret {what} identifier: {identifier!r} is not known.{hint}")
    return found


def serialize(obj: Any) -> Any:
    """Return a function's name, or an object's class and configuration, as JSON can hold them.

    Raises:
        TypeError: for what is neither, such as a lambda.
    """
    if obj is None or isinstance(obj, str | int | float | bool):
        return obj
    if hasattr(obj, "get_config"):
        return {"class_name": get_registered_name(type(obj)), "config": obj.get_config()}
    name = getattr(obj, "__name__", "")
    if not name.isidentifier():
        raise TypeError(f"{obj!r} has no name that a file could give it: register a function, or a class with get_config().")
    return get_registered_name(obj)


def deserialize(config: Any, table: Mapping[str, Any], what: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the object that `serialize` described; only classes and functions that are known by name are made."""
    if isinstance(config, str):
        return get_registered_object(config, custom_objects) or resolve(config, table, what)
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(f"Could not interpret serialized {what}: {config!r}")
    name = str(config["class_name"])
    cls = get_registered_object(name, custom_objects) or resolve(name, table, what)
    given = dict(config.get("config") or {})
    return cls.from_config(given) if hasattr(cls, "from_config") else cls(**given)
