"""What both versions of TensorFlow's checkpoints say of a tensor: its dtype, its shape, and the parts that it is kept in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from wengert.ground.dtypes import DType, as_dtype
from wengert.ground.errors import DTypeError
from wengert.ground.types import NumPyArray
from wengert.train.tensorflow.wire import Record

__all__ = ["BFLOAT16", "Slice", "dtype_of", "joined", "shape_of", "slice_of", "slice_shape"]

AXES = 64
"""How many axes NumPy's arrays have at most."""
BFLOAT16 = 14
"""TensorFlow's number of the dtype."""
Slice = tuple[tuple[int, int], ...]
"""A part of a tensor: for each axis the start and the length, -1 for all of it."""


def dtype_of(number: int) -> DType:
    """Return the dtype of TensorFlow's number for it: for bfloat16, which NumPy has not, float32, which holds the same numbers.

    Raises:
        ValueError: for one that is not read here.
    """
    try:
        return as_dtype("float32" if number == BFLOAT16 else number)
    except DTypeError:
        raise ValueError(f"a tensor is of TensorFlow's dtype number {number}, which is not read here") from None


def shape_of(record: Record) -> tuple[int, ...]:
    """Return the shape that a record tells.

    Raises:
        ValueError: if it is none.
    """
    sizes = tuple(one.integer(1) for one in record.records(2))
    if record.integer(3) or any(size < 0 for size in sizes) or len(sizes) > AXES:
        raise ValueError(f"the shape {sizes} is none")
    return sizes


def slice_of(record: Record) -> Slice:
    """Return the part of a tensor that a record tells."""
    return tuple((one.integer(1), one.integer(2) if one.has(2) else -1) for one in record.records(1))


def slice_shape(shape: tuple[int, ...], part: Slice) -> tuple[int, ...]:
    """Return the shape of a part.

    Raises:
        ValueError: if it is no part of a tensor of this shape.
    """
    lengths = tuple(size if length == -1 else length for size, (_, length) in zip(shape, part, strict=True))
    if any(
        start < 0 or length < 0 or start + length > size for size, length, (start, _) in zip(shape, lengths, part, strict=True)
    ):
        raise ValueError(f"{part} is no part of a tensor of shape {shape}")
    return lengths


def joined(
    shape: tuple[int, ...], dtype: DType, parts: Sequence[Slice], read: Callable[[Slice, tuple[int, ...]], NumPyArray]
) -> NumPyArray:
    """Return a tensor of its parts; ``read`` returns one of a shape.

    Raises:
        ValueError: if they do not make it up.
    """
    shapes = [slice_shape(shape, part) for part in parts]
    if sum(map(math.prod, shapes)) != math.prod(shape):
        raise ValueError(f"its parts do not make up a tensor of shape {shape}")
    if len(parts) == 1:
        return read(parts[0], shape)
    found: list[tuple[tuple[slice, ...], NumPyArray]] = []
    for part, sizes in zip(parts, shapes, strict=True):
        place = tuple(slice(start, start + size) for (start, _), size in zip(part, sizes, strict=True))
        found.append((place, read(part, sizes)))
    whole = np.zeros(shape, dtype.numpy)
    for place, values in found:
        whole[place] = values
    return whole
