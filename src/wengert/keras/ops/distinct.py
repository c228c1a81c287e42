"""`unique`: the distinct elements of tensors, and their distinct slices."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.shapes import axis_of
from wengert.keras.ops.arrangement import ravel
from wengert.keras.ops.promotion import tensor
from wengert.keras.ops.reduction import argsort
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["unique"]


def unique(
    x: TensorLike, sorted: bool = True, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, size: int | None = None, fill_value: TensorLike | None = None,
) -> Any:  # fmt: skip
    """Return the distinct elements in rising order, and where they stand first, which each element is, and their number.

    Args:
        x: any tensor.
        sorted: in rising order, or in the order in which they come.
        return_index: whether to return where they stand first.
        return_inverse: whether to return which of them each element is.
        return_counts: whether to return how often each occurs.
        axis: the axis along which slices are compared, element by element; None: the elements of the whole are.
        size: how many to return: the first, or with ``fill_value`` after them (the index 1 and the count 0, as in Keras).
        fill_value: 0 by default.
    """
    x = tensor(x)
    if axis is not None and len(x.sizes) > 1:
        found, first, at, counts = _distinct_slices(x, axis_of(axis, len(x.sizes)), sorted)
    else:
        found, first, at, counts = _distinct(x, sorted)
        at = array.reshape(at, array.shape(x))
    if size is not None:
        along = 0 if axis is None else axis_of(axis, len(x.sizes))
        found = _as_long(found, along, size, 0 if fill_value is None else fill_value)
        first, counts = _as_long(first, 0, size, 1), _as_long(counts, 0, size, 0)
    results = [found, *[r for r, w in zip((first, at, counts), (return_index, return_inverse, return_counts), strict=True) if w]]
    return tuple(results) if len(results) > 1 else found


def _as_long(x: Tensor, axis: int, size: int, value: TensorLike) -> Any:
    """Return as many slices along an axis, cut off or filled up."""
    x = x[(*[slice(None)] * axis, slice(size))]
    pairs: list[Any] = [[0, 0] for _ in x.sizes]
    pairs[axis] = [0, size - array.shape(x)[axis]]
    found = array.pad(x, pairs, "CONSTANT", array.cast(value, x.dtype))
    found.set_shape([size if i == axis else n for i, n in enumerate(x.sizes)])
    return found


def _distinct_slices(x: Tensor, axis: int, sorted: bool) -> tuple[Any, Any, Any, Any]:
    """Return distinct slices, where they stand first, which of them each is, and how often each occurs.

    A slice counts as the number of the first that equals it.
    """
    rank = len(x.sizes)
    rows = array.transpose(x, [axis, *(i for i in range(rank) if i != axis)])
    rows = array.reshape(rows, [array.shape(x)[axis], -1])
    same = elementary.reduce_all(elementary.equal(array.expand_dims(rows, 1), array.expand_dims(rows, 0)), -1)
    label = array.cast(elementary.argmax(array.cast(same, "int32"), axis=1), "int32")
    first, _, at, counts = _distinct(label, True)
    if sorted:
        kept = array.gather(rows, first)
        order = array.range(array.size(first))
        for column in reversed(range(rows.sizes[1])):
            order = array.gather(order, array.argsort(array.gather(kept[:, column], order), stable=True))
        first, counts = array.gather(first, order), array.gather(counts, order)
        at = array.gather(array.invert_permutation(order), at)
    return array.gather(x, first, axis=axis), first, at, counts


def _distinct(x: Tensor, sorted: bool) -> tuple[Any, Any, Any, Any]:
    """Return distinct elements, where they stand first, which of them each is, and how often each occurs."""
    found, at, counts = array.unique_with_counts(ravel(x))
    n = array.size(at)
    beyond = array.zeros_like(at)[: array.size(found)] + n
    first = array.tensor_scatter_nd_min(beyond, array.expand_dims(at, -1), array.range(n))
    if sorted:
        order = argsort(found)
        found, counts, first = (array.gather(t, order) for t in (found, counts, first))
        at = array.gather(array.invert_permutation(order), at)
    return found, first, at, counts
