"""Arguments that TensorFlow renamed: the old name stands for the new one, and only one of them may be given."""

from __future__ import annotations

from typing import Any

__all__ = ["renamed", "sentinel"]


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


def sentinel(name: str, value: Any) -> None:
    """Refuse positional arguments where TensorFlow 1 does.

    Raises:
        ValueError: if there is one.
    """
    if value is not None:
        raise ValueError(f"Only call `{name}` with named arguments (labels=..., logits=..., ...)")
