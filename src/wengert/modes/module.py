"""`Module`: an object that knows the variables in its attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from wengert.ground.context import scoped, state
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Tensor

__all__ = ["Module"]


def _scope_of(text: str) -> str:
    return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", text).lower()


class Module:
    """Collects the variables and modules among its attributes, in lists, tuples and dictionaries too.

    >>> import wengert as tf
    >>> class Line(tf.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.w = tf.Variable(2.0, name="w")
    >>> [v.name for v in Line().trainable_variables]
    ['w:0']
    """

    def __init__(self, name: str | None = None) -> None:
        """Take a name, that of the class in lower case by default."""
        if name is not None and not name.isidentifier():
            raise ValueError(f"{name!r} is not a valid module name. Module names must be valid Python identifiers.")
        self._name = name or _scope_of(type(self).__name__)

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def name_scope(self) -> Any:
        """A scope of this name."""
        graph = state.graph
        return scoped(self._name) if graph is None else graph.name_scope(self._name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables."""
        return tuple(v for v in self._walk() if isinstance(v, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """The trainable ones."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The others."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Module, ...]:
        """All modules within."""
        return tuple(m for m in self._walk() if isinstance(m, Module))

    def _walk(self) -> Iterator[Any]:
        """Iterate over variables and modules: own attributes by name first, then what the modules among them hold."""
        seen = {id(self)}
        level: list[Module] = [self]
        while level:
            following: list[Module] = []
            for module in level:
                for _, value in sorted(vars(module).items()):
                    for leaf in _leaves(value):
                        if id(leaf) not in seen and isinstance(leaf, Variable | Module):
                            seen.add(id(leaf))
                            yield leaf
                            if isinstance(leaf, Module):
                                following.append(leaf)
            level = following

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """Decorate a method so that its operations and variables are named within the module's scope."""

        @functools.wraps(method)
        def wrapped(self: Module, *arguments: Any, **keywords: Any) -> Any:
            with self.name_scope:
                return method(self, *arguments, **keywords)

        return wrapped


def _leaves(value: Tensor) -> Iterator[Any]:
    pending = [value]
    count = 0
    while pending and count < 1_000_000:
        item = pending.pop()
        count += 1
        if isinstance(item, Mapping):
            try:
                keys = sorted(item)
            except TypeError:
                keys = list(item)
            pending.extend(item[k] for k in reversed(keys))
        elif isinstance(item, list | tuple):
            pending.extend(reversed(item))
        else:
            yield item
