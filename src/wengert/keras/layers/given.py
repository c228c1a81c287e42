"""What a program's own class was made with: its configuration, where it states none."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from wengert.tensor.tensor import TensorLike

__all__ = ["Given", "as_made"]


Plain = Mapping[str, Any] | Sequence[Any] | float | None
"""What JSON may hold."""


class Given:
    """The arguments that a program's own class was made with."""

    def __init__(self, arguments: tuple[TensorLike, ...], keywords: Mapping[str, TensorLike]) -> None:
        """Take them."""
        self.arguments, self.keywords = arguments, dict(keywords)


def as_made(thing: Hashable, given: Given | None, own: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a thing again: the arguments that it was made with, and of ``own`` what its class takes.

    Raises:
        TypeError: for arguments that JSON cannot hold.
    """
    if given is None:
        return own
    cls = type(thing)
    signature = inspect.signature(cls.__init__)
    parameters = list(signature.parameters.values())[1:]
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        own = {key: value for key, value in own.items() if key in signature.parameters}
    bound = signature.bind(thing, *given.arguments, **given.keywords).arguments
    found = {p.name: bound[p.name] for p in parameters if p.name in bound}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            found |= found.pop(parameter.name, {})
        elif parameter.kind is parameter.VAR_POSITIONAL and found.get(parameter.name):
            raise TypeError(f"{cls.__name__} was made with *{parameter.name}, which only its own get_config() can tell.")
    for name, value in found.items():
        if not _plain(value):
            raise TypeError(
                f"{cls.__name__} was made with {name}={value!r:.80}, which a file cannot hold: let it state get_config()."
            )
    return {**own, **found}


def _plain(value: Plain) -> bool:
    """Return whether JSON holds an argument as it is: a class of one's own would be given a dictionary instead of an object."""
    if isinstance(value, list | tuple):
        return all(_plain(one) for one in value)
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _plain(one) for key, one in value.items())
    return value is None or isinstance(value, str | int | float | bool)
