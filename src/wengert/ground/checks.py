"""Checks of arguments at the door: what is no list, no number, no truth value and no function is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ground.errors import InvalidArgumentError

__all__ = ["choice", "flag", "function", "listed", "real", "whole"]


def flag(value: Any, who: str, what: str) -> bool:
    """Return the truth of an argument that switches something on or off.

    Raises:
        InvalidArgumentError: for an array that is not of one element.

    >>> flag(True, "reduce_sum", "keepdims"), flag(None, "reduce_sum", "keepdims")
    (True, False)
    """
    if value.__class__ is bool:
        return value
    if isinstance(value, np.ndarray) and value.size != 1:
        raise InvalidArgumentError(f"{who}: {what} must be True or False, not an array of shape {value.shape}.")
    return bool(value)


def listed(values: Any, who: str, what: str) -> list[Any]:
    """Return an argument that holds several values as a list.

    Raises:
        TypeError: for None, a number, a string, a dictionary, and all else that is no sequence.

    >>> listed((1, 2), "stack", "values")
    [1, 2]
    """
    if isinstance(values, list | tuple):
        return list(values)
    if (
        isinstance(values, str | bytes | Mapping)
        or not isinstance(values, Iterable)
        or (isinstance(values, np.ndarray) and not values.ndim)
    ):
        raise TypeError(f"{who}: {what} must be a list or a tuple, not {_shown(values)}.")
    return list(values)


def real(value: Any, who: str, what: str) -> float:
    """Return an argument that is one real number, a float.

    Raises:
        TypeError: for what is no number.

    >>> real(1, "leaky_relu", "alpha")
    1.0
    """
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{who}: {what} must be one real number, not {_shown(value)}.") from error


def whole(value: Any, who: str, what: str) -> int:
    """Return an argument that is one whole number, an int.

    Raises:
        TypeError: for what is no whole number.

    >>> whole(2.0, "get_seed", "op_seed")
    2
    """
    try:
        number = int(value)
        fits = bool(number == value)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{who}: {what} must be one whole number, not {_shown(value)}.") from error
    if not fits:
        raise TypeError(f"{who}: {what} must be one whole number, not {_shown(value)}.")
    return number


def choice(value: Any, choices: Sequence[Any], who: str, what: str) -> Any:
    """Return an argument that is one of a few strings (or None, where that is among them).

    Raises:
        ValueError: for anything else.

    >>> choice("left", ("left", "right"), "searchsorted", "side")
    'left'
    """
    if not (value is None or isinstance(value, str)) or value not in choices:
        shown = ", ".join(repr(c) for c in choices if c is not None)
        raise ValueError(f"{who}: {what} must be one of {shown}, not {_shown(value)}.")
    return value


def function(value: Any, who: str, what: str) -> Callable[..., Any]:
    """Return an argument that is a function.

    Raises:
        TypeError: for what cannot be called.
    """
    if not callable(value):
        raise TypeError(f"{who}: {what} must be a function, not {_shown(value)}.")
    return value  # type: ignore[no-any-return]


def _shown(value: Any) -> str:
    """Return a value as a message shows it, with its type and in one line."""
    if value is None:
        return "None"
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 80 else text[:77] + '...'} of type {type(value).__name__}"
