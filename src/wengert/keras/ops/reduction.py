"""Functions along axes: sums, means, extremes, places, quantiles, running sums. Without an axis they are of all elements."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.shapes import axis_of
from wengert.keras.ops import elementwise
from wengert.keras.ops.arrangement import moveaxis, ravel
from wengert.keras.ops.promotion import axes_of, floating, result_type, summed, tensor, together
from wengert.ops import linear
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, apply

__all__ = """
    all amax amin any argmax argmin argpartition argsort average bincount corrcoef correlate count_nonzero cumprod cumsum diff
    digitize histogram logsumexp max mean median min moments nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian
    nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar percentile prod ptp quantile searchsorted sort std sum top_k
    in_top_k trapezoid var segment_sum segment_max segment_min segment_prod
""".split()


def _axes(x: Tensor, axis: AxisLike | None) -> list[int]:
    """Return the axes that an argument names, all for None."""
    rank = len(x.sizes)
    if axis is None:
        return list(range(rank))
    return [axis_of(a, rank) for a in axes_of(axis)]


def sum(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the sum; small integers are added as 32-bit ones.

    >>> sum(np.array([200, 100], "uint8")).numpy()
    np.uint32(300)
    """
    return elementary.reduce_sum(summed(x), axis, keepdims)


def prod(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, dtype: DtypeLike | None = None) -> Any:
    """Return the product; small integers are multiplied as 32-bit ones."""
    return elementary.reduce_prod(summed(x) if dtype is None else tensor(x, dtype), axis, keepdims)


def mean(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the mean, of integers too a float.

    >>> mean(np.array([1, 2])).numpy()
    np.float32(1.5)
    """
    x = tensor(x)
    wide = array.cast(x, result_type(x.dtype, "float32"))
    found = elementary.reduce_mean(wide, axis, keepdims)
    return array.cast(found, x.dtype) if x.nptype.kind in "fc" else found


def var(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the mean of |x - mean|²."""
    x = tensor(x)
    wide = array.cast(x, result_type(x.dtype, "float32"))
    found = elementary.reduce_variance(wide, axis, keepdims)
    return array.cast(found, x.dtype) if x.nptype.kind == "f" else found


def std(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the square root of the variance."""
    return elementary.sqrt(var(floating(x), axis, keepdims))


def all(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return whether all elements are True, or not 0."""
    return elementary.reduce_all(array.cast(tensor(x), "bool"), axis, keepdims)


def any(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return whether an element is True, or not 0."""
    return elementary.reduce_any(array.cast(tensor(x), "bool"), axis, keepdims)


def _extreme(which: str, x: TensorLike, axis: AxisLike | None, keepdims: bool, initial: Any) -> Any:
    x = tensor(x)
    if initial is None and x.sizes is not None and builtins.any(x.sizes[a] == 0 for a in _axes(x, axis)):
        raise InvalidArgumentError(f"keras.ops.{which}: there is no {which} of no elements (shape {list(x.sizes)}).")
    if x.nptype.kind == "b":
        found = (elementary.reduce_any if which == "max" else elementary.reduce_all)(x, axis, keepdims)
    else:
        found = (elementary.reduce_max if which == "max" else elementary.reduce_min)(x, axis, keepdims)
    if initial is None:
        return found
    return (elementwise.maximum if which == "max" else elementwise.minimum)(found, tensor(initial, x.dtype))


def max(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the greatest element; `initial` is one more.

    Raises:
        InvalidArgumentError: (a ValueError) where there are no elements.
    """
    return _extreme("max", x, axis, keepdims, initial)


def min(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the least element; `initial` is one more.

    Raises:
        InvalidArgumentError: (a ValueError) where there are no elements.
    """
    return _extreme("min", x, axis, keepdims, initial)


def amax(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the greatest element: `max`."""
    return max(x, axis, keepdims)


def amin(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the least element: `min`."""
    return min(x, axis, keepdims)


def ptp(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the greatest element less the least."""
    return elementary.subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def logsumexp(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the logarithm of the sum of exponentials, without overflow."""
    return elementary.reduce_logsumexp(floating(x), axis, keepdims)


def count_nonzero(x: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return how many elements are not 0."""
    return elementary.count_nonzero(tensor(x), axis, dtype="int32")


def average(x: TensorLike, axis: AxisLike | None = None, weights: TensorLike | None = None) -> Any:
    """Return the mean, weighted where weights are given: of the shape of x, or one for each element along the axis."""
    if weights is None:
        return elementary.reduce_mean(floating(x), axis)
    x, w = together(x, weights, also=(float,))
    if axis is not None and len(w.sizes) != len(x.sizes):
        along = axis_of(axis, len(x.sizes))
        w = array.reshape(w, [-1 if a == along else 1 for a in range(len(x.sizes))]) + array.zeros_like(x)
    return elementary.reduce_sum(x * w, axis) / elementary.reduce_sum(w, axis)


def moments(x: TensorLike, axes: AxisLike, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Return mean and variance along axes."""
    x = tensor(x)
    return mean(x, axes, keepdims), var(x, axes, keepdims)


# --- running ----------------------------------------------------------------------------------------------------------


def _running(function: Callable[..., Any], x: TensorLike, axis: AxisLike | None, dtype: DtypeLike | None) -> Any:
    x = tensor(x, dtype)
    x = array.cast(x, "int32") if x.nptype.kind == "b" else x
    return function(ravel(x), 0) if axis is None else function(x, axis)


def cumsum(x: TensorLike, axis: int | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the running sum along an axis, of all elements in a row by default.

    >>> cumsum([[1, 2], [3, 4]]).numpy().tolist()
    [1, 3, 6, 10]
    """
    return _running(elementary.cumsum, x, axis, dtype)


def cumprod(x: TensorLike, axis: int | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the running product along an axis, of all elements in a row by default."""
    return _running(elementary.cumprod, x, axis, dtype)


def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbours along an axis, n times over.

    Raises:
        ValueError: for a negative n, and for scalars.
    """
    x = tensor(a)
    if n < 0 or not x.sizes:
        raise ValueError(f"diff: n is not negative and x has an axis; got n = {n} and shape {list(x.sizes)}.")
    x = moveaxis(x, axis, -1)
    for _ in range(n):
        after, before = x[..., 1:], x[..., :-1]
        x = elementary.not_equal(after, before) if x.nptype.kind == "b" else after - before
    return moveaxis(x, -1, axis)


def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: TensorLike = 1.0, axis: int = -1) -> Any:
    """Return the integral along an axis by the trapezoidal rule, at places x or at equal distances dx."""
    y = floating(y)
    if x is None:
        steps = tensor(dx, y.dtype)
    else:
        x = tensor(x, y.dtype)
        steps = diff(x) if len(x.sizes) == 1 else moveaxis(diff(x, axis=axis), axis, -1)
    heights = moveaxis(y, axis, -1)
    return elementary.reduce_sum(0.5 * (heights[..., 1:] + heights[..., :-1]) * steps, -1)


# --- places -----------------------------------------------------------------------------------------------------------


def _place(function: Callable[..., Any], x: TensorLike, axis: int | None, keepdims: bool) -> Any:
    x = tensor(x)
    rank = len(x.sizes)
    found = function(ravel(x), 0, "int32") if axis is None else function(x, axis, "int32")
    if not keepdims:
        return found
    return array.reshape(found, [1] * rank) if axis is None else array.expand_dims(found, axis)


def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the greatest element stands: the first of equals, in a row of all elements by default.

    >>> argmax([[1, 5], [7, 2]]).numpy(), argmax([[1, 5], [7, 2]], axis=1).numpy().tolist()
    (np.int32(2), [1, 0])
    """
    return _place(elementary.argmax, x, axis, keepdims)


def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the least element stands: the first of equals, in a row of all elements by default."""
    return _place(elementary.argmin, x, axis, keepdims)


def sort(x: TensorLike, axis: int | None = -1) -> Any:
    """Return the elements in rising order along an axis; with axis None, of all in a row."""
    x = tensor(x)
    x = ravel(x) if axis is None else x
    if not x.sizes:
        raise InvalidArgumentError("sort: a scalar has no axis to sort along.")
    ordered = array.sort(array.cast(x, "int8") if x.nptype.kind == "b" else x, -1 if axis is None else axis)
    return array.cast(ordered, x.dtype)


def argsort(x: TensorLike, axis: int | None = -1) -> Any:
    """Return the places that sort the elements along an axis, equal ones in order; with axis None, of all in a row."""
    x = tensor(x)
    x = array.cast(x, "uint8") if x.nptype.kind == "b" else x
    if axis is None or not x.sizes:
        return array.argsort(ravel(x))
    return array.argsort(x, axis)


def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Any:
    """Return places in an order with all lesser elements before the kth, and all others behind it: the sorted one."""
    return argsort(x, axis)


def top_k(x: TensorLike, k: int, sorted: bool = True) -> Any:
    """Return the k greatest elements along the last axis, in falling order, and where they stand."""
    return elementary.top_k(tensor(x), k, sorted)


def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Any:
    """Return for each row of predictions whether its target is among the k greatest."""
    return elementary.in_top_k(targets, predictions, k)


def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Any:
    """Return where values would be inserted into a sorted vector to keep it sorted: before their equals, or behind.

    Raises:
        ValueError: unless the sequence has one axis.
    """
    sequence, values = together(sorted_sequence, values)
    if len(sequence.sizes) != 1:
        raise ValueError(f"searchsorted takes a sequence of one axis, not shape {list(sequence.sizes)}.")
    found = array.searchsorted(sequence, ravel(values), side)
    return array.reshape(found, array.shape(values))


def digitize(x: TensorLike, bins: Any) -> Any:
    """Return the number of the bin that each element lies in: how many of the rising edges are not greater."""
    return searchsorted(bins, x, "right")


# --- quantiles --------------------------------------------------------------------------------------------------------


def _last(x: Tensor, axis: AxisLike | None) -> tuple[Any, list[int]]:
    """Return x with some axes joined to one, the last; and those axes."""
    axes = _axes(x, axis)
    rest = [a for a in range(len(x.sizes)) if a not in axes]
    moved = array.transpose(x, [*rest, *axes])
    whole = array.shape(moved)
    return array.reshape(moved, array.concat([whole[: len(rest)], [-1]], 0)), axes


def _quantile(x: TensorLike, q: Any, axis: AxisLike | None, method: str, keepdims: bool, skip: bool) -> Any:
    """Return the quantiles q along axes; `skip`: of what is not NaN."""
    x, q = floating(x), tensor(q)
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ValueError(f"quantile: the method is linear, lower, higher, midpoint or nearest, not {method!r}.")
    flat, axes = _last(x, axis)
    if flat.sizes[-1] == 0:  # a quantile of nothing is NaN, as if there were one element that is
        flat = array.pad(flat, [*[[0, 0]] * (len(flat.sizes) - 1), [0, 1]], constant_values=math.nan)
    nan = elementary.is_nan(flat)
    most = array.stop_gradient(array.ones_like(flat) * math.inf)
    ordered = array.sort(array.where(nan, most, flat))
    q = array.cast(q, "float64")
    shares = array.reshape(q, [-1])
    number = array.cast(array.shape(flat)[-1], "float64")
    if skip:
        number = number - array.cast(elementary.count_nonzero(nan, -1, True), "float64")
    # NumPy's places: (n - 1) q, with the neighbours that the method says. One row of places for each row of elements.
    place = elementary.maximum((number - 1.0) * shares, 0.0)
    place = array.broadcast_to(place, array.concat([array.shape(flat)[:-1], array.shape(shares)], 0))
    low, high = elementary.floor(place), elementary.ceil(place)
    if method == "nearest":
        low = high = elementary.round(place)
    elif method != "linear" and method != "midpoint":
        low = high = low if method == "lower" else high
    a, b = (_taken(ordered, p) for p in (low, high))
    share = elementary.not_equal(low, high)
    weight = array.cast(array.cast(share, "float64") * 0.5 if method == "midpoint" else place - low, x.dtype)
    found = a if low is high else array.where(share, a * (1.0 - weight) + b * weight, a)
    bad = elementary.equal(number, 0.0) if skip else elementary.reduce_any(nan, -1, True)
    found = array.where(bad, array.stop_gradient(array.ones_like(found) * math.nan), found)
    if keepdims:
        for a in sorted(axes):
            found = array.expand_dims(found, a)
    found = moveaxis(found, -1, 0)
    rest = array.shape(found)[1:]
    return array.reshape(found, array.concat([array.shape(q), rest], 0)) if q.sizes else array.squeeze(found, 0)


def _taken(x: TensorLike, places: Any) -> Any:
    return apply(linear.TAKE_ALONG_AXIS, (x, array.cast(places, "int32")), {"axis": -1})


def quantile(x: TensorLike, q: TensorLike, axis: AxisLike | None = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Return the quantiles q, between 0 and 1; their axes come first.

    `method`: where a quantile lies between two elements, "linear" interpolates, "lower", "higher" and "nearest" take one of
    them, "midpoint" their mean.

    >>> quantile([1.0, 2.0, 4.0], [0.5, 0.75]).numpy()
    array([2., 3.], dtype=float32)
    """
    return _quantile(x, q, axis, method, keepdims, False)


def percentile(x: TensorLike, q: TensorLike, axis: AxisLike | None = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Return the quantiles q / 100."""
    return _quantile(x, tensor(q, "float64") / 100.0, axis, method, keepdims, False)


def median(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the median."""
    return _quantile(x, 0.5, axis, "linear", keepdims, False)


# --- without NaN ------------------------------------------------------------------------------------------------------


def _without(x: TensorLike, value: float) -> tuple[Any, Any]:
    """Return x with a value for NaN, and where it was not NaN."""
    x = tensor(x)
    good = elementary.logical_not(elementwise.isnan(x))
    return (array.where(good, x, tensor(value, x.dtype)) if x.nptype.kind in "fc" else x), good


def nansum(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the sum of what is not NaN."""
    return sum(_without(x, 0.0)[0], axis, keepdims)


def nanprod(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the product of what is not NaN."""
    return prod(_without(x, 1.0)[0], axis, keepdims)


def nancumsum(x: TensorLike, axis: int | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the running sum of what is not NaN."""
    return cumsum(_without(x, 0.0)[0], axis, dtype)


def nancumprod(x: TensorLike, axis: int | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return the running product of what is not NaN."""
    return cumprod(_without(x, 1.0)[0], axis, dtype)


def nanmean(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the mean of what is not NaN."""
    y, good = _without(floating(x), 0.0)
    return elementary.reduce_sum(y, axis, keepdims) / elementary.reduce_sum(array.cast(good, y.dtype), axis, keepdims)


def nanvar(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the variance of what is not NaN."""
    y, good = _without(floating(x), 0.0)
    off = array.where(good, y - nanmean(array.where(good, y, tensor(math.nan, y.dtype)), axis, True), array.zeros_like(y))
    squares = elementary.real(off * elementary.conj(off)) if y.nptype.kind == "c" else off * off
    return elementary.reduce_sum(squares, axis, keepdims) / elementary.reduce_sum(
        array.cast(good, squares.dtype), axis, keepdims)  # fmt: skip


def nanstd(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the standard deviation of what is not NaN."""
    return elementary.sqrt(nanvar(x, axis, keepdims))


def _nan_extreme(function: Callable[..., Any], least: float, x: TensorLike, axis: AxisLike | None, keepdims: bool) -> Any:
    y, good = _without(x, least)
    found = function(y, axis, keepdims)
    if y.nptype.kind != "f":
        return found
    return array.where(elementary.reduce_any(good, axis, keepdims), found, tensor(math.nan, y.dtype))


def nanmax(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the greatest element that is not NaN."""
    return _nan_extreme(max, -math.inf, x, axis, keepdims)


def nanmin(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the least element that is not NaN."""
    return _nan_extreme(min, math.inf, x, axis, keepdims)


def _nan_place(function: Callable[..., Any], least: float, x: TensorLike, axis: AxisLike | None, keepdims: bool) -> Any:
    x, good = _without(x, least)
    found = function(x, axis, keepdims)
    return array.where(elementary.reduce_any(good, axis, keepdims), found, tensor(-1, "int32"))


def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the greatest element that is not NaN stands, -1 where all are NaN."""
    return _nan_place(argmax, -math.inf, x, axis, keepdims)


def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the least element that is not NaN stands, -1 where all are NaN."""
    return _nan_place(argmin, math.inf, x, axis, keepdims)


def nanquantile(
    x: TensorLike, q: TensorLike, axis: AxisLike | None = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return the quantiles q of what is not NaN."""
    return _quantile(x, q, axis, method, keepdims, True)


def nanpercentile(
    x: TensorLike, q: TensorLike, axis: AxisLike | None = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return the quantiles q / 100 of what is not NaN."""
    return _quantile(x, tensor(q, "float64") / 100.0, axis, method, keepdims, True)


def nanmedian(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return the median of what is not NaN."""
    return _quantile(x, 0.5, axis, "linear", keepdims, True)


# --- counts -----------------------------------------------------------------------------------------------------------


def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Any:
    """Return how often each number from 0 on occurs, or the sum of its weights; of a matrix, for each row.

    Raises:
        NotImplementedError: for sparse=True.
    """
    if sparse:
        raise NotImplementedError("bincount: there are no sparse tensors here.")
    x = tensor(x)
    if x.nptype.kind not in "iu":
        x = tensor(x, "int32")
    if len(x.sizes) == 1:
        if weights is None:
            return elementary.bincount(x, minlength=minlength or None)
        w = tensor(weights)
        return array.cast(elementary.bincount(x, w, minlength=minlength or None), result_type(x.dtype, w.dtype))
    length = elementary.maximum(elementary.reduce_max(x) + 1, array.cast(minlength, x.dtype))
    w = array.ones_like(x, "int32") if weights is None else tensor(weights)
    hits = array.one_hot(x, array.cast(length, "int32"), dtype=w.dtype)
    return elementary.reduce_sum(hits * array.expand_dims(w, -1), -2)


def histogram(x: TensorLike, bins: int = 10, range: Sequence[float] | None = None) -> Any:
    """Return how many elements lie in each of some bins of one width, and the edges of these; the last edge belongs to it.

    Raises:
        ValueError: unless bins is a positive whole number.
    """
    if not isinstance(bins, int) or bins < 1:
        raise ValueError(f"histogram: bins must be a positive whole number, not {bins!r}.")
    x = tensor(x)
    y = floating(ravel(x))
    low, high = (elementary.reduce_min(y), elementary.reduce_max(y)) if range is None else (tensor(r, y.dtype) for r in range)
    same = elementary.equal(low, high)
    low, high = array.where(same, low - 0.5, low), array.where(same, high + 0.5, high)
    edges = array.linspace(low, high, bins + 1)
    inside = elementary.logical_and(elementary.greater_equal(y, low), elementary.less_equal(y, high))
    at = array.searchsorted(edges[1:-1], y, "right")
    counts = array.scatter_nd(array.expand_dims(at, -1), array.cast(inside, x.dtype), [bins])
    return counts, edges


def corrcoef(x: TensorLike) -> Any:
    """Return the correlation coefficients of the rows."""
    x = floating(x, wide=True)
    off = x - elementary.reduce_mean(x, -1, True)
    products = elementary.tensordot(off, elementary.conj(off), [[-1], [-1]])
    if not products.sizes:
        return products / products
    scale = elementary.sqrt(elementary.real(elementary.reduce_sum(off * elementary.conj(off), -1)))
    found = products / array.cast(array.expand_dims(scale, 1) * array.expand_dims(scale, 0), products.dtype)
    return found if x.nptype.kind == "c" else elementary.clip_by_value(found, -1.0, 1.0)


def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Any:
    """Return Σₙ x1[n + k] conj(x2[n]) for shifts k: those of full overlap ("valid"), of some ("full"), or as many as x1 ("same").

    Raises:
        ValueError: for another mode.
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: the mode is valid, same or full, not {mode!r}.")
    a, b = (floating(t, wide=True) for t in together(x1, x2))
    n, m = a.sizes[0], b.sizes[0]
    if n is None or m is None:
        raise ValueError("correlate needs vectors of known length.")
    padded = array.pad(a, [[m - 1, m - 1]])
    places = np.arange(n + m - 1)[:, None] + np.arange(m)
    full = elementary.reduce_sum(array.gather(padded, places) * elementary.conj(b), -1)
    short, long = builtins.min(n, m), builtins.max(n, m)
    if mode == "full":
        return full
    first = short - 1 if mode == "valid" else (short - 1) // 2 if n >= m else short // 2
    return full[first : first + (long - short + 1 if mode == "valid" else long)]


# --- segments ---------------------------------------------------------------------------------------------------------


def _segments(name: str, data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike | None, sorted: bool) -> Any:
    if sorted and num_segments is None and name != "sum":
        return getattr(elementary, f"segment_{name}")(data, segment_ids)
    ids = tensor(segment_ids)
    if num_segments is None:
        num_segments = elementary.reduce_max(ids) + 1
    return getattr(elementary, f"unsorted_segment_{name}")(data, ids, num_segments)


def segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike | None = None, sorted: bool = False) -> Any:
    """Return the sum of the rows that have one id, for all ids up to the greatest, or for so many."""
    return _segments("sum", data, segment_ids, num_segments, sorted)


def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike | None = None, sorted: bool = False) -> Any:
    """Return the greatest of the rows that have one id."""
    return _segments("max", data, segment_ids, num_segments, sorted)


def segment_min(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike | None = None, sorted: bool = False) -> Any:
    """Return the least of the rows that have one id."""
    return _segments("min", data, segment_ids, num_segments, sorted)


def segment_prod(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike | None = None, sorted: bool = False) -> Any:
    """Return the product of the rows that have one id."""
    return _segments("prod", data, segment_ids, num_segments, sorted)
