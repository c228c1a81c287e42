"""`Module`: an object that knows the variables in its attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from wengert.ground import nest
from wengert.ground.context import scoped, state
from wengert.modes.variable import Variable

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
        return tuple(self._flatten(predicate=_is_variable, expand_composites=True))

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
        return tuple(self._flatten(predicate=_is_module))

    _TF_MODULE_IGNORED_PROPERTIES: frozenset[str] = frozenset()
    """Attributes in which nothing is looked for. A class that leaves some out says so here, with those of its bases."""

    _composite = False
    """Whether it stands for its variables where those are collected, so that they come in its place."""

    def _flatten(
        self,
        recursive: bool = True,
        predicate: Callable[[Any], bool] | None = None,
        attribute_traversal_key: Callable[[str], Any] | None = None,
        with_path: bool = False,
        expand_composites: bool = False,
    ) -> Iterator[Any]:
        """Iterate over what the attributes hold and the predicate takes: those of a module by name, then its modules' in turn.

        ``with_path``: pairs of the path and the object, which comes once for each path; once alone otherwise.
        ``expand_composites``: what stands for variables is those, in its place.
        """
        seen = {id(self)}
        pending: list[tuple[tuple[Any, ...], Module, tuple[int, ...]]] = [((), self, (id(self),))]
        while pending:
            path, module, around = pending.pop()
            following = []
            for name in sorted(vars(module), key=attribute_traversal_key):
                if name in module._TF_MODULE_IGNORED_PROPERTIES:
                    continue
                found = nest.flatten_with_paths(vars(module)[name])
                for rest, leaf in _expanded(found) if expand_composites else found:
                    if not with_path:
                        if id(leaf) in seen:
                            continue
                        seen.add(id(leaf))
                    full = (*path, name, *rest)
                    if predicate is None or predicate(leaf):
                        yield (full, leaf) if with_path else leaf
                    if recursive and isinstance(leaf, Module) and id(leaf) not in around:
                        following.append((full, leaf, (*around, id(leaf))))
            pending += reversed(following)

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """Decorate a method so that its operations and variables are named within the module's scope."""

        @functools.wraps(method)
        def wrapped(self: Module, *arguments: Any, **keywords: Any) -> Any:
            with self.name_scope:
                return method(self, *arguments, **keywords)

        return wrapped


def _expanded(found: Iterable[tuple[tuple[Any, ...], Any]]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    for path, leaf in found:
        whole = isinstance(leaf, Module) and leaf._composite
        yield from ((path, v) for v in leaf.variables) if whole else ((path, leaf),)


def _is_variable(value: object) -> bool:
    return isinstance(value, Variable)


def _is_module(value: object) -> bool:
    return isinstance(value, Module)
