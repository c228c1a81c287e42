"""Reductions and cumulative operations. What is a composition of these (variance, norm, softmax) is not an operation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import Array, Attrs, Described, Namespace, NumPyArray
from wengert.ops import layout, rows, signature, slopes
from wengert.ops.derivative import Constant, Implicit, Linear, Piecewise, Unstated
from wengert.ops.linear import index_along
from wengert.ops.op import Op
from wengert.ops.signature import first
from wengert.ops.slopes import FINITE, Columns

__all__ = ["MAX", "MEAN", "MIN", "SUM"]


def _infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return shapes.reduced(inputs[0].sizes, attrs["axis"], attrs["keepdims"]), inputs[0].nptype


def _boolean(inputs: Sequence[Described], attrs: Attrs) -> Any:
    signature.check("any and all", inputs[0], "b")
    return shapes.reduced(inputs[0].sizes, attrs["axis"], attrs["keepdims"]), signature.BOOL


def _spread(xp: Namespace, g: Array, x: Array, axis: int, keepdims: bool) -> Any:
    """Return g, the cotangent of a reduction of x, with the reduced axes back and broadcast."""
    return xp.spread_like(g, x, axis=axis, keepdims=keepdims)


def _spread_like(xp: Any, g: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
    if not keepdims and g.ndim and g.ndim != x.ndim:
        over = [a % x.ndim for a in axis]
        g = xp.reshape(g, tuple(1 if i in over else s for i, s in enumerate(x.shape)))
    return xp.broadcast_to(g, x.shape)


SPREAD_LIKE = Op(
    "spread_like", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.sum(g, **attrs), constant_inputs=(1,)),
    _spread_like, signature.like(1), type="BroadcastTo", aliases=True, rows=rows.spread, columns=Columns.PLACED,
    layout=layout.SPREAD_BACK,
)
SUM = Op(
    "sum", Linear(transpose=lambda xp, g, i, inputs, output, attrs: _spread(xp, g, inputs[0], **attrs)),
    lambda xp, x, *, axis, keepdims: xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype), _infer, type="Sum", kinds="iufc",
    rows=rows.over, bounds=slopes.total, columns=Columns.SUMMED, layout=layout.SUMMED,
)


def _mean(xp: Any, x: NumPyArray, *, axis: Sequence[int], keepdims: bool) -> Any:
    if x.dtype.kind in "iu":
        n = x.size // max(1, xp.sum(x, axis=axis).size)
        return xp.astype(xp.trunc(xp.sum(x, axis=axis, keepdims=keepdims) / max(n, 1)), x.dtype)
    total = xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)
    return total / xp.asarray(_number(x.shape, axis), dtype=x.dtype)


def _number(shape: Sequence[int], axis: Sequence[int] | None) -> int:
    return math.prod(shape if axis is None else [shape[a] for a in axis])


def _mean_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    return xp.mean_transpose(g, inputs[0], **attrs)


MEAN = Op(
    "mean", Linear(transpose=_mean_transpose), _mean, _infer, type="Mean", kinds="iufc", rows=rows.over, bounds=slopes.hull,
    columns=Columns.SUMMED, layout=layout.MEAN,
)
MEAN_TRANSPOSE = Op(
    "mean_transpose", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.mean(g, **attrs), constant_inputs=(1,)),
    lambda xp, g, x, *, axis, keepdims: _spread_like(
        xp, g / xp.asarray(_number(x.shape, axis), dtype=g.dtype), x, axis=axis, keepdims=keepdims),
    signature.like(1), type="RealDiv", aliases=True, rows=rows.spread, columns=Columns.PLACED, layout=layout.MEAN_BACK,
)


def _extreme_share(xp: Namespace, x: Array, v: Array, axis: int, keepdims: bool) -> Any:
    """Return the weights by which the extreme's derivative is shared: evenly among ties, as in TensorFlow."""
    hit = xp.cast(xp.equal(x, xp.spread_like(v, x, axis=axis, keepdims=keepdims)), dtype=x.dtype.name)
    return hit / xp.spread_like(xp.sum(hit, axis=axis, keepdims=keepdims), x, axis=axis, keepdims=keepdims)


def _extreme_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    return _spread(xp, g, inputs[0], **attrs) * _extreme_share(xp, inputs[0], output, **attrs)


def _extreme_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    return xp.sum(tangents[0] * _extreme_share(xp, inputs[0], output, **attrs), **attrs)


MAX = Op(
    "max", Piecewise(tangent=_extreme_tangent, transpose=_extreme_transpose, slope=FINITE, selects=True),
    lambda xp, x, *, axis, keepdims: _extreme(xp, "max", x, axis, keepdims), _infer, kinds="iuf", type="Max", rows=rows.over,
    bounds=slopes.hull, columns=Columns.MIXED, layout=layout.reduced("maximum"),
)
MIN = Op(
    "min", Piecewise(tangent=_extreme_tangent, transpose=_extreme_transpose, slope=FINITE, selects=True),
    lambda xp, x, *, axis, keepdims: _extreme(xp, "min", x, axis, keepdims), _infer, kinds="iuf", type="Min", rows=rows.over,
    bounds=slopes.hull, columns=Columns.MIXED, layout=layout.reduced("minimum"),
)


def _extreme(xp: Any, which: str, x: NumPyArray, axis: int, keepdims: bool) -> Any:
    if 0 not in x.shape:
        return getattr(xp, which)(x, axis=axis, keepdims=keepdims)
    # Of nothing, the maximum is the least value there is.
    info = dtypes.of(x.dtype)
    start = (-xp.inf if which == "max" else xp.inf) if x.dtype.kind == "f" else (info.min if which == "max" else info.max)
    return getattr(xp, which)(x, axis=axis, keepdims=keepdims, initial=start)


# Products: the derivative by x_j is the product of the others, from the products before and after it, so zeros are safe.
# One axis at a time.


def _others(xp: Namespace, x: Array, axis: int) -> Any:
    before = xp.cumprod(x, axis=axis, exclusive=True, reverse=False)
    return before * xp.cumprod(x, axis=axis, exclusive=True, reverse=True)


def _prod_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    return _spread(xp, g, inputs[0], **attrs) * xp.dual(_others(xp, inputs[0], attrs["axis"][0]))


PROD = Op(
    "prod", Implicit(
        tangent=lambda xp, tangents, inputs, output, attrs: xp.sum(
        tangents[0] * _others(xp, inputs[0], attrs["axis"][0]), **attrs),
        transpose=_prod_transpose, slope=FINITE,
    ),
    lambda xp, x, *, axis, keepdims: xp.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype), _infer, type="Prod", kinds="iufc",
    rows=rows.over, columns=Columns.MIXED, layout=layout.reduced("multiply"),
)
ANY = Op(
    "any", Constant(), lambda xp, x, *, axis, keepdims: xp.any(x, axis=axis, keepdims=keepdims), _boolean, type="Any",
    rows=rows.over, layout=layout.reduced("logical_or"), gives="truth",
)
ALL = Op(
    "all", Constant(), lambda xp, x, *, axis, keepdims: xp.all(x, axis=axis, keepdims=keepdims), _boolean, type="All",
    rows=rows.over, layout=layout.reduced("logical_and"), gives="truth",
)


def _cumulative(xp: Namespace, x: Array, which: str, start: int, axis: int, exclusive: bool, reverse: bool) -> Any:
    if reverse:
        x = xp.flip(x, axis=axis)
    result = getattr(xp, which)(x, axis=axis, dtype=x.dtype)
    if exclusive:
        keep: list[Any] = [slice(None)] * x.ndim
        head: list[Any] = [slice(None)] * x.ndim
        keep[axis], head[axis] = slice(None, -1), slice(None, 1)
        lead = xp.zeros_like(x[tuple(head)]) if start == 0 else xp.ones_like(x[tuple(head)])
        result = xp.concatenate([lead, result[tuple(keep)]], axis=axis)
    return xp.flip(result, axis=axis) if reverse else result


CUMSUM = Op(
    "cumsum", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.cumsum(g, **(attrs | {"reverse": not attrs["reverse"]})),
    ),
    lambda xp, x, **attrs: _cumulative(xp, x, "cumsum", 0, **attrs), first, kinds="iufc", rows=rows.along,
    columns=Columns.PLACED,
)


# v_k = v_{k-1} x_k: a linear recurrence y_k = a_k y_{k-1} + b_k carries tangents forward and cotangents back, with no
# division, so zeros are safe where TensorFlow's quotient gives NaN.


def _recurrence(xp: Namespace, a: Array, b: Array, *, axis: int, reverse: bool) -> Any:
    a, b = xp.moveaxis(a, axis, 0), xp.moveaxis(b, axis, 0)
    order = range(b.shape[0])
    rows: list[Any] = [None] * b.shape[0]
    previous = None
    for k in reversed(order) if reverse else order:
        rows[k] = b[k] if previous is None else a[k] * previous + b[k]
        previous = rows[k]
    return xp.moveaxis(xp.stack(rows), 0, axis) if rows else xp.moveaxis(b, 0, axis)


def _shift(xp: Namespace, x: Array, axis: int, by: int) -> Any:
    """Return x moved by one place along an axis, with zero coming in."""
    edge, rest = (slice(None, 1), slice(None, -1)) if by > 0 else (slice(-1, None), slice(1, None))
    zeros = xp.zeros_like(xp.getitem(x, index=index_along(axis, edge)))
    kept = xp.getitem(x, index=index_along(axis, rest))
    return xp.concat(zeros, kept, axis=axis) if by > 0 else xp.concat(kept, zeros, axis=axis)


def _recurrence_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    axis, by = attrs["axis"], -1 if attrs["reverse"] else 1
    source = tangents[1]
    if tangents[0] is not None:
        term = tangents[0] * _shift(xp, output, axis, by)
        source = term if source is None else source + term
    return xp.recurrence(inputs[0], source, **attrs)


def _recurrence_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    axis, reverse = attrs["axis"], attrs["reverse"]
    by = -1 if reverse else 1
    carried = xp.recurrence(xp.dual(_shift(xp, inputs[0], axis, -by)), g, axis=axis, reverse=not reverse)
    return carried if i == 1 else carried * xp.dual(_shift(xp, output, axis, by))


RECURRENCE = Op(
    "recurrence", Implicit(tangent=_recurrence_tangent, transpose=_recurrence_transpose, linear_inputs=(1,), slope=FINITE),
    _recurrence, signature.elementwise, kinds="fc", rows=rows.recurrence,
)


def _cumprod_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    axis, reverse = attrs["axis"], attrs["reverse"]
    before = xp.cumprod(inputs[0], axis=axis, exclusive=True, reverse=reverse)
    full = xp.recurrence(inputs[0], tangents[0] * before, axis=axis, reverse=reverse)
    return _shift(xp, full, axis, -1 if reverse else 1) if attrs["exclusive"] else full


def _cumprod_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    axis, reverse = attrs["axis"], attrs["reverse"]
    by = -1 if reverse else 1
    if attrs["exclusive"]:
        g = _shift(xp, g, axis, -by)
    before = xp.cumprod(inputs[0], axis=axis, exclusive=True, reverse=reverse)
    carried = xp.recurrence(xp.dual(_shift(xp, inputs[0], axis, -by)), g, axis=axis, reverse=not reverse)
    return carried * xp.dual(before)


CUMPROD = Op(
    "cumprod", Implicit(tangent=_cumprod_tangent, transpose=_cumprod_transpose, slope=FINITE),
    lambda xp, x, **attrs: _cumulative(xp, x, "cumprod", 1, **attrs), first, kinds="iufc", rows=rows.along,
)


def _arg_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return shapes.reduced(inputs[0].sizes, (attrs["axis"],), False), dtypes.as_dtype(attrs["dtype"]).numpy


ARGMAX = Op(
    "argmax", Constant(), lambda xp, x, *, axis, dtype: xp.astype(xp.argmax(x, axis=axis), dtype), _arg_infer, type="ArgMax",
    kinds="biuf", rows=rows.arg, gives="place",
)
ARGMIN = Op(
    "argmin", Constant(), lambda xp, x, *, axis, dtype: xp.astype(xp.argmin(x, axis=axis), dtype), _arg_infer, type="ArgMin",
    kinds="biuf", rows=rows.arg, gives="place",
)


def _argsort(xp: Namespace, x: Array, *, axis: int, descending: bool) -> Any:
    if descending:
        n = x.shape[axis] - 1
        return xp.astype(xp.flip(n - xp.argsort(xp.flip(x, axis=axis), axis=axis, stable=True), axis=axis), "int32")
    return xp.astype(xp.argsort(x, axis=axis, stable=True), "int32")


ARGSORT = Op(
    "argsort", Constant(), _argsort, signature.to(dtypes.int32.numpy), kinds="iuf", type="TopKV2", rows=rows.along,
    gives="place",
)


def _unique_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    out = dtypes.as_dtype(attrs["dtype"]).numpy
    return [((None,), inputs[0].nptype), (inputs[0].sizes, out), ((None,), out)]


def _unique(xp: Namespace, x: Array, *, dtype: str) -> Any:
    """Return the values in order of first appearance, where each stands, and how often."""
    found, at, inverse, counts = xp.unique(x, return_index=True, return_inverse=True, return_counts=True)
    order = xp.argsort(at)
    rank = xp.argsort(order)
    return found[order], xp.astype(rank[xp.reshape(inverse, x.shape)], dtype), xp.astype(counts[order], dtype)


UNIQUE = Op(
    "unique", Unstated(), _unique, _unique_infer, outputs=None, rows=None,
    eager_only="the shape of its result depends on values",
)
BINCOUNT = Op(
    "bincount", Constant(),
    lambda xp, x, *, length, dtype: xp.astype(xp.bincount(xp.reshape(x, (-1,)), minlength=length), dtype),
    lambda inputs, attrs: ((None,), dtypes.as_dtype(attrs["dtype"]).numpy), kinds="iu", rows=None,
    eager_only="the shape of its result depends on values",
)


def _cummax(xp: Any, x: NumPyArray, *, axis: int, reverse: bool) -> Any:
    if reverse:
        return xp.flip(xp.maximum.accumulate(xp.flip(x, axis=axis), axis=axis), axis=axis)
    return xp.maximum.accumulate(x, axis=axis)


ISOTONIC_BLOCKS = Op(
    "isotonic_blocks", Constant(), lambda xp, x, *, increasing: xp.isotonic_blocks(x, increasing),
    signature.to(dtypes.int32.numpy), kinds="f", type="IsotonicRegression", rows=rows.last,
    eager_only="it pools neighbours as long as values demand",
)
"""For each row of a matrix, which block of the monotone fit each element is in."""
CUMMAX = Op("cummax", Constant(), _cummax, first, kinds="iuf", rows=rows.along)
"""The running maximum, for shifts that have no derivative."""

# --- segments -----------------------------------------------------------------------------------------------------


def _checked_ids(xp: Any, ids: Any, *frame: Any, increasing: bool = False) -> Any:
    count = frame[0].shape[0] - 1 if frame else None
    if xp.name != "xla" and ids.size:
        if increasing and (ids[1:] < ids[:-1]).any():
            raise InvalidArgumentError("segment ids are not increasing")
        if not frame and ids.min() < 0:
            raise InvalidArgumentError(f"ids must be >= 0, and one is {ids.min()}.")
        if frame and ids.max() >= count:
            raise InvalidArgumentError(f"segment id {ids.max()} is not in [0, {count})")
    return xp.where(ids < 0, xp.asarray(count, dtype=ids.dtype), ids) if frame else ids


CHECKED_IDS = Op("checked_ids", Constant(), _checked_ids, first, kinds="iu", type="Identity", aliases=True, rows=None)
"""Ids that are not negative and, where asked, do not decrease; with a frame, negative ones name its last row."""


def _segment_table(xp: Namespace, ids: Any, frame: Any) -> Any:
    """Return for each segment the places of its members, in a table filled up with the number of ids."""
    ids = xp.reshape(ids, (-1,))
    n, count = ids.size, frame.shape[0]
    order = xp.argsort(ids, stable=True)
    order = order[ids[order] >= 0]
    placed = ids[order]
    if placed.size and placed[-1] >= count:
        raise InvalidArgumentError(f"segment id {placed[-1]} is not in [0, {count})")
    place = xp.arange(placed.size) - xp.searchsorted(placed, placed, side="left")
    table = xp.full((count, int(place.max()) + 1 if place.size else 0), n)
    return xp.index_set(table, (placed, place), order)


SEGMENT_TABLE = Op(
    "segment_table", Constant(), _segment_table,
    lambda inputs, attrs: ((None if inputs[1].sizes is None else inputs[1].sizes[0], None), dtypes.int64.numpy), kinds="iu",
    rows=None, eager_only="the shape of its result depends on values",
)


def _segment_shares(xp: Any, places: Any, ids: Any, frame: Any, *, count: int, power: float) -> Any:
    """Return for each id one over its number to a power, in the dtype of a frame with a row for each segment.

    Raises:
        InvalidArgumentError: for places that are not in [0, count), and ids that are no row of the frame.
    """
    n = frame.shape[0]
    if xp.name != "xla":  # there the numbers may not be known yet
        if ids.size and int(ids[-1]) >= n:
            raise InvalidArgumentError(f"Invalid number of segments: the last id is {int(ids[-1])}, and there are {n} rows.")
        for what, numbers, limit in (("Index", places, count), ("Segment id", ids, n)):
            wrong = numbers[(numbers < 0) | (numbers >= limit)]
            if wrong.size:
                raise InvalidArgumentError(f"{what} {int(wrong[0])} out of range [0, {limit}).")
    members = xp.index_add(xp.zeros((n,), frame.dtype), ids, xp.ones(ids.shape, frame.dtype))
    return members[ids] ** -power


SEGMENT_SHARES = Op(
    "segment_shares", Constant(), _segment_shares, lambda inputs, attrs: (inputs[1].sizes, inputs[2].nptype), rows=None,
)
