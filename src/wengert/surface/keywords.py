"""Functions whose arguments TensorFlow renamed: an old name stands for the new one, and only one of them may be given."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from wengert.surface.table import Argument, arguments
from wengert.tensor.tensor import TensorLike

__all__ = ["called", "renamed", "sentinel"]


@functools.cache
def called(name: str, function: Callable[..., Any], call: str) -> Callable[..., Any]:
    """Return a function that takes the arguments of a row of the table, and passes them on under the function's own names.

    What may be left out and is None is not passed.

    Raises:
        TypeError: (when called) for other arguments than the row has, and where one is missing.
        ValueError: (when called) if one is given by two names.

    >>> called("power", lambda base, exponent=2: base**exponent, "base power=exponent? exponent?")(3, power=4)
    81
    """
    every, others = arguments(call)
    signature = _signature(every, others, function)
    positions = [] if others else [a.name for a in every]
    needed = {a.name for a in every if not a.optional}
    inner = {a.name: a.inner for a in every}

    def function_of_other_names(*values: Any, **keywords: Any) -> Any:
        given = dict(zip(positions, values, strict=False)) | keywords
        fits = len(given) == len(values) + len(keywords) and needed <= given.keys() and (others or given.keys() <= inner.keys())
        if not fits:
            _refuse(name, signature, values, keywords)
        passed: dict[str, Any] = {}
        for key, value in given.items():
            to = inner.get(key, key)
            if to == "" or (value is None and key not in needed):
                continue
            if to in passed:
                old = next(k for k, i in inner.items() if i == to and k != to and given.get(k) is not None)
                raise ValueError(f"Cannot specify both '{old}' and '{to}'.")
            passed[to] = value
        return function(**passed)

    function_of_other_names.__name__ = function_of_other_names.__qualname__ = name
    function_of_other_names.__doc__ = f"Call `{function.__name__}`, with these arguments. {function.__doc__ or ''}"
    function_of_other_names.__dict__["__signature__"] = signature
    return function_of_other_names


def _signature(every: list[Argument], others: bool, function: Callable[..., Any]) -> Signature:
    """Return the signature; an argument of the same name has the default that it has in the function."""
    if others:
        known = [Parameter(a.name, Parameter.KEYWORD_ONLY, default=None) for a in every]
        return Signature([*known, Parameter("others", Parameter.VAR_KEYWORD)])
    taken = inspect.signature(function).parameters
    defaults = {name: None if p.default is p.empty else p.default for name, p in taken.items()}
    found = []
    for name, inner, optional in every:
        default = Parameter.empty if not optional else defaults[name] if inner == name else None
        found.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default))
    return Signature(found)


def _refuse(name: str, signature: Signature, values: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Raise what Python raises where arguments do not fit, with the function's name."""
    try:
        signature.bind(*values, **keywords)
    except TypeError as error:
        raise TypeError(f"{name}() {error}") from None


def renamed(new_name: str, new: Any, old_name: str, old: Any, default: Any = None) -> Any:
    """Return the value given by the new or by the old name of an argument.

    Raises:
        ValueError: if both are given.

    >>> renamed("axis", None, "dim", 1)
    1
    """
    if old is None:
        return default if new is None else new
    if new is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'.")
    return old


def sentinel(name: str, value: TensorLike) -> None:
    """Refuse positional arguments where TensorFlow 1 does.

    Raises:
        ValueError: if there is one.
    """
    if value is not None:
        raise ValueError(f"Only call `{name}` with named arguments (labels=..., logits=..., ...)")
