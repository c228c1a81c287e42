"""TensorFlow's ``tf.bitwise``."""

from __future__ import annotations

from typing import Any

from wengert.ops import elementwise
from wengert.ops.op import Op
from wengert.tensor import tensor
from wengert.tensor.tensor import TensorLike

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]


def _apply(op: Op, x: Any, y: TensorLike, name: str | None) -> Any:
    pair = tensor.coerce(op, x, y)
    if pair is None:
        raise TypeError(f"{op.name}: expected integer tensors, not {x!r} and {y!r}.")
    return tensor.apply(op, pair, {}, name)


def bitwise_and(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return the bits that are set in both.

    >>> bitwise_and([12], [10]).numpy()
    array([8], dtype=int32)
    """
    return _apply(elementwise.BITWISE_AND, x, y, name)


def bitwise_or(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return the bits that are set in one of the two."""
    return _apply(elementwise.BITWISE_OR, x, y, name)


def bitwise_xor(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return the bits that differ."""
    return _apply(elementwise.BITWISE_XOR, x, y, name)


def left_shift(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return the bits shifted left."""
    return _apply(elementwise.LEFT_SHIFT, x, y, name)


def right_shift(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return the bits shifted right."""
    return _apply(elementwise.RIGHT_SHIFT, x, y, name)


def invert(x: TensorLike, name: str | None = None) -> Any:
    """Return the bits that are not set."""
    return tensor.apply(elementwise.INVERT, (tensor.convert(x),), {}, name)
