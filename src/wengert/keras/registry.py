"""Names: of objects that are found by one, of classes that a file may mention, and of layers that were given none.

What a module finds by name, as `keras.activations` does, it states as a table; `Registry` gives it ``get``, ``serialize`` and
``deserialize``. What arguments make again, and a file can hold, is `Stated`.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from wengert.tensor.tensor import TensorLike

__all__ = [
    "Configured",
    "CustomObjectScope",
    "Identifier",
    "Registry",
    "Stated",
    "auto_name",
    "custom_object_scope",
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


class Configured(Protocol):
    """What a file can hold: a class that it names, and arguments."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""


Identifier = str | Mapping[str, Any] | Callable[..., Any] | Configured | None
"""How a program says which object it means: by name, by configuration, by a function or class, or by the object itself."""
_Thing = TypeVar("_Thing", bound=Callable[..., Any])
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


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[_Thing], _Thing]:
    """Decorate a class or function so that files may name it.

    >>> @register_keras_serializable("mine")
    ... def swell(x):
    ...     return 2 * x
    >>> get_registered_name(swell)
    'mine>swell'
    """

    def decorate(thing: _Thing) -> _Thing:
        key = f"{package}>{name or thing.__name__}"
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"register_keras_serializable: {thing.__name__} has no get_config() method.")
        _custom[key] = thing
        return thing

    return decorate


def get_registered_name(obj: Callable[..., Any]) -> str:
    """Return the name that an object is registered by, its own where it is not."""
    return next((key for key, value in _custom.items() if value is obj), str(getattr(obj, "__name__", obj)))


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
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


def resolve(identifier: str, table: Mapping[str, Any], what: str) -> Any:
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


def serialize(obj: Identifier | float) -> Any:
    """Return a function's name, or an object's class and configuration, as JSON can hold them; of lists and dictionaries, too.

    Raises:
        TypeError: for what is neither, such as a lambda.
    """
    if obj is None or isinstance(obj, str | int | float | bool):
        return obj
    if isinstance(obj, list | tuple):
        return [serialize(item) for item in obj]
    if isinstance(obj, Mapping):
        return {key: serialize(item) for key, item in obj.items()}
    if hasattr(obj, "get_config"):
        return {"class_name": get_registered_name(type(obj)), "config": obj.get_config()}
    name = getattr(obj, "__name__", "")
    if not callable(obj) or not name.isidentifier():
        raise TypeError(f"{obj!r} has no name that a file could give it: register a function, or a class with get_config().")
    return get_registered_name(obj)


class Stated:
    """What its arguments make again. ``_arguments`` names those that are attributes; None: all attributes are."""

    _arguments: ClassVar[tuple[str, ...] | None] = ()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        if self._arguments is None:
            return dict(vars(self))
        given = ((name, getattr(self, name)) for name in self._arguments)
        return {k: serialize(v) if callable(v) or hasattr(v, "get_config") else v for k, v in given}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make one from its arguments."""
        return cls(**config)


class Registry:
    """What a module finds by name, and what comes of names, configurations and the objects themselves."""

    def __init__(
        self,
        what: str,
        table: Mapping[str, Any],
        absent: Any = None,
        adapt: Callable[[Any], Any] | None = None,
        fits: Callable[[Any], bool] = callable,
    ) -> None:
        """Take what the objects are called in errors, what names and None stand for, and what is made of what was found."""
        self.what, self.table = what, table
        self._absent, self._adapt, self._fits = absent, adapt, fits

    def named(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Return the function or class of a name.

        Raises:
            ValueError: for a name that is not known.
        """
        return get_registered_object(name, custom_objects) or resolve(name, self.table, self.what)

    def get(self, identifier: Identifier | TensorLike) -> Any:
        """Return what a name or a configuration stands for; a function or an object as it is.

        >>> from wengert.keras import activations, constraints
        >>> activations.get("tanh") is activations.tanh, constraints.get(None)
        (True, None)

        Raises:
            ValueError: for what is none of them.
        """
        if identifier is None:
            return self._absent
        found: Any = identifier
        if isinstance(identifier, Mapping):
            found = self.deserialize(identifier)
        elif isinstance(identifier, str):
            found = self.named(identifier)
        if isinstance(found, type):
            found = found()
        if self._adapt is not None:
            found = self._adapt(found)
        if not self._fits(found):
            raise ValueError(f"Could not interpret {self.what} identifier: {identifier!r}")
        return found

    def serialize(self, obj: Identifier) -> Any:
        """Return a function's name, or an object's class and configuration, as JSON can hold them.

        >>> from wengert.keras import regularizers
        >>> regularizers.serialize(regularizers.L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
        """
        return serialize(obj)

    def deserialize(
        self,
        config: Identifier,
        custom_objects: Mapping[str, Any] | None = None,
        use_legacy_format: bool | None = None,
        use_legacy_optimizer: bool | None = None,
    ) -> Any:
        """Return the object that `serialize` described; only classes and functions that are known by name are made.

        >>> from wengert.keras import regularizers
        >>> regularizers.deserialize({"class_name": "L2", "config": {"l2": 0.5}}).l2
        0.5

        Raises:
            ValueError: for an unknown name.
        """
        if isinstance(config, str):
            return self.named(config, custom_objects)
        if not isinstance(config, Mapping) or "class_name" not in config:
            raise ValueError(f"Could not interpret serialized {self.what}: {config!r}")
        if config["class_name"] == "function":  # as Keras says it
            return self.named(str(config["config"]), custom_objects)
        cls = self.named(str(config.get("registered_name") or config["class_name"]), custom_objects)
        given = dict(config.get("config") or {})
        return cls.from_config(given) if hasattr(cls, "from_config") else cls(**given)
