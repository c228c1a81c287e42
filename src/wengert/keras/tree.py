"""``keras.tree``: lists, tuples and dictionaries within each other, and what is done to all that they hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.ground import nest
from wengert.tensor.tensor import Nested

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]

flatten, is_nested, map_structure = nest.flatten, nest.is_nested, nest.map_structure


def assert_same_structure(a: Nested, b: Nested) -> None:
    """Raise an error unless two structures are alike.

    Raises:
        ValueError, TypeError: if they are not.
    """
    nest.assert_same_structure(a, b)


def pack_sequence_as(structure: Nested, flat_sequence: list[Any], sequence_fn: Callable[..., Any] | None = None) -> Any:
    """Return values in the structure of another.

    Raises:
        NotImplementedError: for a sequence_fn.
    """
    if sequence_fn is not None:
        raise NotImplementedError("keras.tree.pack_sequence_as: sequence_fn is not served.")
    return nest.pack_sequence_as(structure, flat_sequence)
