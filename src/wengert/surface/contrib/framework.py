"""``tf.contrib.framework``: default arguments for functions in a with block, and variables by scope."""

from __future__ import annotations

import contextlib
import functools
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.functions.array import is_tensor
from wengert.ground import nest
from wengert.surface.v1.graphs import GraphKeys, get_collection
from wengert.surface.v1.steps import assert_global_step, create_global_step, get_global_step, get_or_create_global_step
from wengert.surface.v1.variables import VariableScope
from wengert.train import list_variables, load_checkpoint, load_variable

__all__ = [
    "add_arg_scope",
    "arg_scope",
    "arg_scoped_arguments",
    "assert_global_step",
    "create_global_step",
    "current_arg_scope",
    "get_global_step",
    "get_local_variables",
    "get_model_variables",
    "get_or_create_global_step",
    "get_trainable_variables",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "has_arg_scope",
    "is_tensor",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "nest",
]


# --- default arguments ----------------------------------------------------------------------------------------------------


class _Scopes(threading.local):
    """The arguments by function, of the scope that is entered."""

    current: dict[str, dict[str, Any]] = {}  # noqa: RUF012  (replaced, never changed)


_scopes = _Scopes()
_known: dict[str, frozenset[str]] = {}


def _key(function: Callable[..., Any]) -> str:
    """Return what a function and the one that is decorated have in common."""
    return f"{function.__module__}.{function.__qualname__}"


def add_arg_scope(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function so that `arg_scope` gives it arguments.

    >>> @add_arg_scope
    ... def area(width, height=1):
    ...     return width * height
    >>> with arg_scope([area], height=3):
    ...     area(2), area(2, height=5)
    (6, 10)
    """
    key = _key(func)

    @functools.wraps(func)
    def scoped(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **{**_scopes.current.get(key, {}), **kwargs})

    _known[key] = arg_scoped_arguments(func)
    return scoped


def has_arg_scope(func: Callable[..., Any]) -> bool:
    """Return whether `arg_scope` gives a function arguments."""
    return _key(func) in _known


def arg_scoped_arguments(func: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the arguments that `arg_scope` may give: those with defaults."""
    import inspect

    parameters = inspect.signature(func).parameters.values()
    return frozenset(p.name for p in parameters if p.default is not inspect.Parameter.empty)


def current_arg_scope() -> dict[str, dict[str, Any]]:
    """Return the arguments that are in force, by function."""
    return {key: dict(values) for key, values in _scopes.current.items()}


@contextlib.contextmanager
def arg_scope(list_ops_or_scope: Any, **kwargs: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """Give functions these arguments by default in a with block, or all those of a scope that was entered before.

    Raises:
        ValueError: for a function that is not decorated by `add_arg_scope`, and for a scope with further arguments.
        TypeError: for what is neither a list of functions nor a scope.
    """
    before = _scopes.current
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("arg_scope: a scope that is entered again takes no further arguments.")
        _scopes.current = {key: dict(values) for key, values in list_ops_or_scope.items()}
    elif isinstance(list_ops_or_scope, list | tuple):
        fresh = current_arg_scope()
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                raise ValueError(f"arg_scope: {_key(function)} is not decorated with @add_arg_scope.")
            fresh[_key(function)] = {**fresh.get(_key(function), {}), **kwargs}
        _scopes.current = fresh
    else:
        raise TypeError(f"arg_scope: a list of functions, or a scope, is needed, not {list_ops_or_scope!r}.")
    try:
        yield _scopes.current
    finally:
        _scopes.current = before


# --- variables ------------------------------------------------------------------------------------------------------------


def get_variables(scope: str | None = None, suffix: str | None = None, collection: Any = GraphKeys.GLOBAL_VARIABLES) -> list[Any]:
    """Return the variables of a collection whose names begin with a scope and end in a suffix."""
    name = scope.name if isinstance(scope, VariableScope) else scope
    if suffix is not None:
        name = f"{name or ''}.*{suffix if ':' in suffix else suffix + ':0'}"
    return get_collection(collection, name)


def get_trainable_variables(scope: str | None = None, suffix: str | None = None) -> list[Any]:
    """Return the trainable variables in a scope."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_model_variables(scope: str | None = None, suffix: str | None = None) -> list[Any]:
    """Return the variables of the collection of models' variables in a scope."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: str | None = None, suffix: str | None = None) -> list[Any]:
    """Return the local variables in a scope."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: str | None = None) -> list[Any]:
    """Return the variables whose names end in a suffix."""
    return [v for v in get_variables(scope) if v._name.endswith(suffix)]


def get_variables_by_name(given_name: str, scope: str | None = None) -> list[Any]:
    """Return the variables whose last part of the name is this one."""
    return [v for v in get_variables(scope) if v._name.rpartition("/")[2] == given_name]


def filter_variables(var_list: Sequence[Any], include_patterns: Sequence[str] | None = None,
                     exclude_patterns: Sequence[str] | None = None, reg_search: bool = True) -> list[Any]:  # fmt: skip
    """Return the variables whose names match a pattern, and none of those to exclude."""
    find = re.search if reg_search else re.match
    kept = [v for v in var_list if include_patterns is None or any(find(p, v._name) for p in include_patterns)]
    return [v for v in kept if not any(find(p, v._name) for p in exclude_patterns or ())]
