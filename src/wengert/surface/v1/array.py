"""The functions about shapes and values at TensorFlow 1's top that have other arguments than TensorFlow 2's."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array as two
from wengert.ground import dtypes, shapes
from wengert.ground.dtypes import DtypeLike
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.shapes import ShapeLike
from wengert.surface.keywords import renamed
from wengert.tensor.tensor import AxisLike, TensorLike, convert


def constant(
    value: TensorLike,
    dtype: DtypeLike | None = None,
    shape: ShapeLike | None = None,
    name: str | None = "Const",
    verify_shape: bool = False,
) -> Any:
    """Return a constant; fewer values than the shape has places are filled up with the last one.

    Raises:
        TypeError: with ``verify_shape``, unless the value has the shape.
    """
    if shape is None:
        return two.constant(value, dtype, None, name)
    wanted = shapes.as_shape(shape)
    plain = two.constant(value, dtype)
    if verify_shape and plain.sizes != wanted:
        raise TypeError(f"Expected Tensor's shape: {shapes.text(wanted)}, got {shapes.text(plain.sizes)}.")
    return two.constant(value, dtype, wanted, name)


def expand_dims(input: TensorLike, axis: AxisLike | None = None, name: str | None = None, dim: AxisLike | None = None) -> Any:
    """Return the tensor with a new axis of size 1."""
    place = renamed("axis", axis, "dim", dim)
    if place is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return two.expand_dims(input, place, name)


def batch_gather(params: TensorLike, indices: TensorLike, name: str | None = None) -> Any:
    """Return the slices at indices, row by row."""
    at = convert(indices)
    if at.ndim is None:
        raise ValueError("batch_gather: the rank of the indices must be known.")
    return two.gather(params, at, None, at.ndim - 1, at.ndim - 1, name)


def where(condition: TensorLike, x: TensorLike | None = None, y: TensorLike | None = None, name: str | None = None) -> Any:
    """Return x where a condition holds and y elsewhere; a vector condition chooses among the rows of x and y.

    Raises:
        InvalidArgumentError: (a ValueError) if x and y have different shapes.
    """
    if x is None and y is None:
        return two.where(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    test = convert(condition)
    left = convert(x)
    right = convert(y, like=left)
    if left.nptype != right.nptype and not hasattr(x, "sizes"):
        left = convert(x, like=right)
    if not shapes.fits(left.sizes, right.sizes):
        raise InvalidArgumentError(
            f"where: x and y must have the same shape, not {shapes.text(left.sizes)} and {shapes.text(right.sizes)}."
        )
    rank = None if left.sizes is None else len(left.sizes)
    if test.sizes is not None and len(test.sizes) == 1 and rank is not None and rank > 1:
        test = two.reshape(test, [-1, *([1] * (rank - 1))])
    return two.where(test, left, right, name)


def setdiff1d(x: TensorLike, y: TensorLike, index_dtype: Any = dtypes.int32, name: str | None = None) -> Any:
    """Return the elements of x that are not in y, and where they stand."""
    a, b = two.get_static_value(convert(x)), two.get_static_value(convert(y))
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        if a is not None and b is not None:
            raise InvalidArgumentError("setdiff1d: x and y must be vectors.")
        raise NotImplementedError("setdiff1d: the values must be known while the graph is built.")
    if a.ndim != 1 or b.ndim != 1:
        raise InvalidArgumentError(f"setdiff1d takes vectors, not shapes {a.shape} and {b.shape}.")
    keep = np.nonzero(~np.isin(a, b))[0]
    return two.constant(a[keep]), two.constant(keep.astype(dtypes.as_dtype(index_dtype).numpy))


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: TensorLike,
    sparse_values: TensorLike,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Any:
    """Return a tensor of a default value, with values at some places."""
    values = convert(sparse_values)
    whole = two.fill(output_shape, convert(default_value, like=values))
    at = convert(sparse_indices)
    if at.ndim is not None and at.ndim < 2:
        at = two.reshape(at, [-1, 1])
        values = two.broadcast_to(values, two.shape(at)[:1])
    return two.tensor_scatter_nd_update(whole, at, values)
