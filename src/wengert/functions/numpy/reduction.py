"""Functions of `tf.experimental.numpy` along axes: sums and means, extremes, orders."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import math as elementary
from wengert.functions.numpy.promotion import asarray, dtype_of, flexible, floating
from wengert.ground.dtypes import DtypeLike
from wengert.tensor.tensor import AxisLike, TensorLike

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "average", "count_nonzero", "cumprod", "cumsum", "diff", "max",
    "mean", "min", "nanmean", "nanprod", "nansum", "prod", "ptp", "sort", "std", "sum", "var",
]  # fmt: skip


# --- along axes -------------------------------------------------------------------------------------------------------


def summed(a: TensorLike, dtype: DtypeLike | None) -> Any:
    """Return a value in the dtype in which NumPy adds: integers of less than 64 bits are widened."""
    if dtype is not None:
        return asarray(a, dtype)
    x = asarray(a)
    if flexible():
        return x
    if x.nptype.kind in "bi":
        return arrangement.cast(x, "int64")
    return arrangement.cast(x, "uint64") if x.nptype.kind == "u" else x


def sum(a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the sum; integers are added as 64-bit ones."""
    x = summed(a, dtype)
    return (elementary.reduce_any if x.nptype.kind == "b" else elementary.reduce_sum)(x, axis, builtins.bool(keepdims))


def prod(a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the product; integers are multiplied as 64-bit ones."""
    x = summed(a, dtype)
    return (elementary.reduce_all if x.nptype.kind == "b" else elementary.reduce_prod)(x, axis, builtins.bool(keepdims))


def mean(
    a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, out: None = None, keepdims: bool | None = None
) -> Any:
    """Return the mean, of integers a float64.

    >>> mean([1, 2]).numpy()
    np.float64(1.5)
    """
    no_out(out)
    return elementary.reduce_mean(floating(a) if dtype is None else asarray(a, dtype), axis, builtins.bool(keepdims))


def no_out(out: None) -> None:
    if out is not None:
        raise ValueError("Setting out is not supported: tensors do not change.")


def var(
    a: TensorLike,
    axis: AxisLike | None = None,
    dtype: DtypeLike | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool | None = None,
) -> Any:
    """Return Σ |x - mean|² / (n - ddof), n being the number of elements."""
    no_out(out)
    x = floating(a)
    x = x if dtype is None else arrangement.cast(x, np.result_type(x.nptype, dtype_of(dtype)))
    found = elementary.reduce_variance(x, axis, builtins.bool(keepdims))
    if ddof:
        n = arrangement.cast(arrangement.size(x), "float64") / arrangement.cast(arrangement.size(found), "float64")
        found = found * arrangement.cast(n / (n - float(ddof)), found.dtype)
    return found if dtype is None else arrangement.cast(found, dtype_of(dtype))


def std(a: TensorLike, axis: AxisLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the square root of the variance."""
    return elementary.sqrt(var(a, axis, keepdims=keepdims))


def _extreme(
    function: Callable[..., Any], logical: Callable[..., Any], a: TensorLike, axis: AxisLike | None, keepdims: bool | None
) -> Any:
    x = asarray(a)
    axes = range(len(x.sizes)) if axis is None else axis if isinstance(axis, list | tuple) else [axis]
    if builtins.any(x.sizes[i] == 0 for i in axes):
        raise ValueError(f"There is no extreme element of none (shape {list(x.sizes)}).")
    return (logical if x.nptype.kind == "b" else function)(x, axis, builtins.bool(keepdims))


def max(a: TensorLike, axis: AxisLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the greatest element.

    Raises:
        ValueError: where there are no elements.
    """
    return _extreme(elementary.reduce_max, elementary.reduce_any, a, axis, keepdims)


def min(a: TensorLike, axis: AxisLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the least element.

    Raises:
        ValueError: where there are no elements.
    """
    return _extreme(elementary.reduce_min, elementary.reduce_all, a, axis, keepdims)


def cumsum(a: TensorLike, axis: int | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the running sum along an axis, of all elements in a row by default; integers are added as 64-bit ones.

    >>> cumsum([[1, 2], [3, 4]]).numpy().tolist()
    [1, 3, 6, 10]
    """
    x = summed(a, dtype)
    return elementary.cumsum(arrangement.reshape(x, [-1]), 0) if axis is None else elementary.cumsum(x, axis)


def argmax(a: TensorLike, axis: int | None = None) -> Any:
    """Return where the greatest element stands: the first of equals, in a row of all elements by default."""
    x = asarray(a)
    return elementary.argmax(arrangement.reshape(x, [-1]) if axis is None else x, axis or 0)


def argmin(a: TensorLike, axis: int | None = None) -> Any:
    """Return where the least element stands: the first of equals, in a row of all elements by default."""
    x = asarray(a)
    return elementary.argmin(arrangement.reshape(x, [-1]) if axis is None else x, axis or 0)


def all(a: TensorLike, axis: AxisLike | None = None, keepdims: bool | None = None) -> Any:
    """Return whether all elements are true."""
    return elementary.reduce_all(asarray(a, "bool"), axis, builtins.bool(keepdims))


def any(a: TensorLike, axis: AxisLike | None = None, keepdims: bool | None = None) -> Any:
    """Return whether an element is true."""
    return elementary.reduce_any(asarray(a, "bool"), axis, builtins.bool(keepdims))


def amax(a: TensorLike, axis: AxisLike | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """Return the greatest element."""
    no_out(out)
    return max(a, axis, keepdims)


def amin(a: TensorLike, axis: AxisLike | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """Return the least element."""
    no_out(out)
    return min(a, axis, keepdims)


def ptp(a: TensorLike, axis: AxisLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the greatest element less the least."""
    return max(a, axis, keepdims) - min(a, axis, keepdims)


def count_nonzero(a: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return how many elements are not zero."""
    return elementary.count_nonzero(asarray(a), axis, dtype="int64")


def cumprod(a: TensorLike, axis: int | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the running product along an axis, of all elements in a row by default."""
    x = summed(a, dtype)
    return elementary.cumprod(arrangement.reshape(x, [-1]), 0) if axis is None else elementary.cumprod(x, axis)


def average(a: TensorLike, axis: int | None = None, weights: TensorLike | None = None, returned: bool = False) -> Any:
    """Return the mean, with weights where they are given; and the sum of the weights where asked."""
    if axis is not None and not isinstance(axis, int):
        raise ValueError(f"average: axis is an integer, not {axis!r}.")
    if weights is None:
        found = mean(a, axis)
        x = floating(a)
        count = arrangement.size(x, x.dtype) / arrangement.size(found, x.dtype)
        return (found, arrangement.ones_like(found) * count) if returned else found
    x, w = floating(a, weights)
    if w.sizes != x.sizes:
        if axis is None or len(w.sizes) != 1 or w.sizes[0] != x.sizes[axis]:
            raise ValueError(f"average: weights of shape {w.shape} do not fit a of shape {x.shape} along axis {axis}.")
        w = arrangement.reshape(w, [-1 if i == axis % len(x.sizes) else 1 for i in range(len(x.sizes))])
        w = w + arrangement.zeros_like(x)
    total = elementary.reduce_sum(w, axis)
    found = elementary.reduce_sum(x * w, axis) / total
    return (found, total) if returned else found


def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbours along an axis, n times.

    >>> diff([1, 4, 9, 16], 2).numpy().tolist()
    [2, 2]
    """
    x = asarray(a)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    at = axis % len(x.sizes)
    for _ in range(n):
        later = x[(slice(None),) * at + (slice(1, None),)]
        earlier = x[(slice(None),) * at + (slice(None, -1),)]
        x = elementary.not_equal(later, earlier) if x.nptype.kind == "b" else later - earlier
    return x


def _without_nan(a: TensorLike, dtype: DtypeLike | None, other: float) -> tuple[Any, Any]:
    """Return numbers with another in place of those that are none, and where these are."""
    x = asarray(a, dtype)
    absent = elementary.not_equal(x, x)
    return arrangement.where(absent, arrangement.cast(arrangement.ones_like(x) * other, x.dtype), x), absent


def nansum(a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool = False) -> Any:
    """Return the sum of what is a number."""
    return sum(_without_nan(a, dtype, 0.0)[0] if asarray(a).nptype.kind in "fc" else a, axis, dtype, keepdims)


def nanprod(a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool = False) -> Any:
    """Return the product of what is a number."""
    return prod(_without_nan(a, dtype, 1.0)[0] if asarray(a).nptype.kind in "fc" else a, axis, dtype, keepdims)


def nanmean(a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the mean of what is a number."""
    x, absent = _without_nan(floating(a), dtype, 0.0)
    count = elementary.reduce_sum(arrangement.cast(elementary.logical_not(absent), x.dtype), axis, builtins.bool(keepdims))
    return elementary.reduce_sum(x, axis, builtins.bool(keepdims)) / count


def _kind(kind: str, order: str | None) -> None:
    if kind not in ("quicksort", "stable"):
        raise ValueError(f"Only kind='quicksort' and kind='stable' are supported. Received: kind={kind}")
    if order is not None:
        raise ValueError("The `order` argument is not supported. Pass order=None")


def sort(a: TensorLike, axis: int | None = -1, kind: str = "quicksort", order: str | None = None) -> Any:
    """Return the elements in their order along an axis; all of them in a row for None."""
    _kind(kind, order)
    x = asarray(a)
    return arrangement.sort(arrangement.reshape(x, [-1]), 0) if axis is None else arrangement.sort(x, axis)


def argsort(a: TensorLike, axis: int | None = -1, kind: str = "quicksort", order: str | None = None) -> Any:
    """Return where the elements stand that come first, second, ... along an axis; equal ones stay in their order."""
    _kind(kind, order)
    x = asarray(a)
    x, axis = (arrangement.reshape(x, [-1]), 0) if axis is None else (x, axis)
    return arrangement.cast(arrangement.argsort(x, axis, stable=True), "int64")
