"""Functions of the array API standard along axes: sums and means, extremes, truth, differences."""

from __future__ import annotations

import builtins
from collections.abc import Callable

from wengert.functions import array as arrangement
from wengert.functions import math as elementary
from wengert.functions.numpy import reduction as numpylike
from wengert.functions.numpy.promotion import asarray, dtype_of, floating, together
from wengert.ground.dtypes import DtypeLike
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike

__all__ = [
    "all", "any", "cumulative_prod", "cumulative_sum", "diff", "max", "mean", "min", "prod", "std", "sum", "var",
]  # fmt: skip


def sum(
    x: TensorLike, /, *, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: builtins.bool = False
) -> Tensor:
    """Return the sum; integers are added as 64-bit ones.

    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy().tolist()
    [4.0, 6.0]
    """
    return numpylike.sum(x, axis, None if dtype is None else dtype_of(dtype), keepdims)  # type: ignore[no-any-return]


def prod(
    x: TensorLike, /, *, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: builtins.bool = False
) -> Tensor:
    """Return the product; integers are multiplied as 64-bit ones."""
    return numpylike.prod(x, axis, None if dtype is None else dtype_of(dtype), keepdims)  # type: ignore[no-any-return]


def mean(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return the mean."""
    return elementary.reduce_mean(floating(x), axis, keepdims)  # type: ignore[no-any-return]


def var(x: TensorLike, /, *, axis: AxisLike | None = None, correction: float = 0.0, keepdims: builtins.bool = False) -> Tensor:
    """Return Σ |x - mean|² / (n - correction), n being the number of elements."""
    return numpylike.var(x, axis, None, None, correction, keepdims)  # type: ignore[arg-type, no-any-return]


def std(x: TensorLike, /, *, axis: AxisLike | None = None, correction: float = 0.0, keepdims: builtins.bool = False) -> Tensor:
    """Return the square root of the variance."""
    return elementary.sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims))  # type: ignore[no-any-return]


def max(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return the greatest element; equal ones share the derivative evenly.

    Raises:
        ValueError: where there are no elements.
    """
    return numpylike.max(x, axis, keepdims)  # type: ignore[no-any-return]


def min(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return the least element; equal ones share the derivative evenly.

    Raises:
        ValueError: where there are no elements.
    """
    return numpylike.min(x, axis, keepdims)  # type: ignore[no-any-return]


def all(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return whether all elements are true, numbers other than 0 being so."""
    return numpylike.all(x, axis, keepdims)  # type: ignore[no-any-return]


def any(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return whether an element is true, numbers other than 0 being so."""
    return numpylike.any(x, axis, keepdims)  # type: ignore[no-any-return]


def _running(function: Callable[..., Tensor], start: int, x: Tensor, axis: int | None, include_initial: builtins.bool) -> Tensor:
    if axis is None and len(x.sizes) != 1:
        raise ValueError(f"An axis is needed, as x has {len(x.sizes)} axes.")
    along = 0 if axis is None else axis
    found = function(x, along)
    if not include_initial:
        return found
    sizes = [1 if i == along % len(x.sizes) else s for i, s in enumerate(x.sizes)]
    return arrangement.concat([arrangement.cast(arrangement.fill(sizes, start), x.dtype), found], along)  # type: ignore[no-any-return]


def cumulative_sum(
    x: TensorLike,
    /,
    *,
    axis: int | None = None,
    dtype: DtypeLike | None = None,
    include_initial: builtins.bool = False,
) -> Tensor:
    """Return the running sum along an axis; ``include_initial``: with the 0 that it starts at.

    >>> cumulative_sum([1.0, 2.0], include_initial=True).numpy().tolist()
    [0.0, 1.0, 3.0]
    """
    wide = numpylike.summed(x, None if dtype is None else dtype_of(dtype))
    return _running(elementary.cumsum, 0, wide, axis, include_initial)


def cumulative_prod(
    x: TensorLike,
    /,
    *,
    axis: int | None = None,
    dtype: DtypeLike | None = None,
    include_initial: builtins.bool = False,
) -> Tensor:
    """Return the running product along an axis; ``include_initial``: with the 1 that it starts at."""
    wide = numpylike.summed(x, None if dtype is None else dtype_of(dtype))
    return _running(elementary.cumprod, 1, wide, axis, include_initial)


def diff(
    x: TensorLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
) -> Tensor:
    """Return the differences of neighbours along an axis, n times; ``prepend`` and ``append`` are put at its ends first.

    >>> diff([1, 4, 9, 16], n=2).numpy().tolist()
    [2, 2]
    """
    parts = [p for p in (prepend, x, append) if p is not None]
    t = arrangement.concat(together(*parts), axis) if len(parts) > 1 else asarray(x)
    return numpylike.diff(t, n, axis)  # type: ignore[no-any-return]
