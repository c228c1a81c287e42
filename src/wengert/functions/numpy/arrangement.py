"""Functions of `tf.experimental.numpy` that make values and arrange them."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import linalg
from wengert.functions import math as elementary
from wengert.functions.numpy.elementwise import power
from wengert.functions.numpy.promotion import (
    array,
    asarray,
    common_type,
    dtype_of,
    flexible,
    float_type,
    floating,
    is_number,
    made,
    parts_of,
    together,
)
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike, TensorShape
from wengert.tensor import tensor as tensors
from wengert.tensor.tensor import AxisLike, TensorLike, is_tensor_like, weakened

__all__ = [
    "append", "arange", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_to", "compress", "concatenate",
    "diag", "diag_indices", "diagflat", "diagonal", "dsplit", "dstack", "empty", "empty_like", "expand_dims", "eye", "flatten",
    "flip", "fliplr", "flipud", "full", "full_like", "geomspace", "hsplit", "hstack", "identity", "ix_", "linspace", "logspace",
    "meshgrid", "moveaxis", "ndim", "nonzero", "ones", "ones_like", "pad", "polyval", "ravel", "repeat", "reshape", "roll",
    "rot90", "shape", "size", "split", "squeeze", "stack", "swapaxes", "take", "take_along_axis", "tile", "trace", "transpose",
    "tri", "tril", "triu", "vander", "vsplit", "vstack", "zeros", "zeros_like",
]  # fmt: skip

# --- making and arranging ---------------------------------------------------------------------------------------------


def zeros(shape: ShapeLike | None, dtype: DtypeLike | None = float) -> Any:
    """Return zeros, float64 by default."""
    return arrangement.zeros(shape, float_type() if dtype is None else dtype_of(dtype))


def ones(shape: ShapeLike, dtype: DtypeLike | None = float) -> Any:
    """Return ones, float64 by default."""
    return arrangement.ones(shape, float_type() if dtype is None else dtype_of(dtype))


def zeros_like(a: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return zeros in the shape of a value, and unless told otherwise of its dtype."""
    return arrangement.zeros_like(asarray(a), None if dtype is None else dtype_of(dtype))


def ones_like(a: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return ones in the shape of a value, and unless told otherwise of its dtype."""
    return arrangement.ones_like(asarray(a), None if dtype is None else dtype_of(dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: DtypeLike | None = float) -> Any:
    """Return a matrix with ones on its k-th diagonal, float64 by default."""
    return tensors.convert(np.eye(int(N), M, int(k), dtype=float_type() if dtype is None else dtype_of(dtype)))


def arange(start: TensorLike, stop: TensorLike | None = None, step: TensorLike = 1, dtype: DtypeLike | None = None) -> Any:
    """Return start, start + step, ... up to but without stop; with one argument 0, 1, ... up to it.

    >>> arange(3).dtype, arange(1.0, 2.0, 0.5).numpy().tolist()
    (tf.int64, [1.0, 1.5])
    """
    given = [v for v in (start, stop, step) if v is not None]
    nptype = common_type(*(v if is_number(v) else made(v) for v in given)) if dtype is None else dtype_of(dtype)
    start, stop = (0, start) if stop is None else (start, stop)
    if builtins.any(is_tensor_like(v) for v in (start, stop, step)):
        return arrangement.cast(arrangement.range(start, stop, step), nptype)
    bounds: list[Any] = [np.asarray(v)[()] for v in (start, stop, step)]
    found = np.arange(*bounds)
    if dtype is None and flexible() and builtins.all(is_number(v) for v in given):
        return weakened(tensors.convert(found.tolist()))
    return tensors.convert(found.astype(nptype))


def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DtypeLike | None = float,
    axis: int = 0,
) -> Any:
    """Return num numbers at equal distances from start to stop, which `endpoint` includes; and their distance where asked."""
    first, last = (floating(t) for t in together(start, stop))
    if first.nptype != np.float64 and dtype is float:
        first, last = arrangement.cast(first, float_type()), arrangement.cast(last, float_type())
    first, last = first + arrangement.zeros_like(last), last + arrangement.zeros_like(first)
    if num < 0:
        raise ValueError(f"linspace: num is not negative, and is {num}.")
    parts = num - 1 if endpoint else num
    step = (last - first) / float(parts) if parts > 0 else arrangement.ones_like(first) * np.nan
    if num == 0:
        found = arrangement.gather(arrangement.stack([first], axis), np.zeros(0, np.int32), axis=axis)
    else:
        found = arrangement.linspace(first, last if endpoint or num == 1 else last - step, num, axis=axis)
    if dtype is not None:
        nptype = dtype_of(dtype)
        found = arrangement.cast(elementary.floor(found) if nptype.kind in "iu" else found, nptype)
    return (found, step) if retstep else found


def meshgrid(*xi: TensorLike, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid, one tensor for each vector.

    Raises:
        ValueError: for sparse grids.
    """
    if not copy:
        raise ValueError("tnp.meshgrid only supports copy=True.")
    if sparse:
        raise ValueError("tnp.meshgrid does not support the sparse argument.")
    return arrangement.meshgrid(*(asarray(x) for x in xi), indexing=indexing)


def reshape(a: TensorLike, newshape: ShapeLike, order: str = "C") -> Any:
    """Return a value with another shape; one size may be -1. `order` "F": the first axis varies fastest, as in Fortran."""
    x = asarray(a)
    if order == "C":
        return arrangement.reshape(x, newshape)
    if order != "F":
        raise ValueError(f"Unsupported value for argument order. Expected 'C' or 'F'. Received: order={order!r}")
    sizes = [newshape] if isinstance(newshape, int) else list(newshape)
    return arrangement.transpose(arrangement.reshape(arrangement.transpose(x), sizes[::-1]))


def transpose(a: TensorLike, axes: AxisLike | None = None) -> Any:
    """Return the axes in another order, reversed by default."""
    return arrangement.transpose(asarray(a), axes)


def expand_dims(a: TensorLike, axis: AxisLike) -> Any:
    """Return a value with new axes of size 1, which stand at these places afterwards."""
    x = asarray(a)
    places = list(arrangement.integers_of(axis))
    rank = len(x.sizes) + len(places)
    for i in sorted(i % rank if -rank <= i < rank else i for i in places):
        x = arrangement.expand_dims(x, i)
    return x


def squeeze(a: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return a value without its axes of size 1, or without those named."""
    return arrangement.squeeze(asarray(a), axis)


def concatenate(arys: TensorLike, axis: int | None = 0) -> Any:
    """Return tensors beside each other along an axis; with axis None, all elements in a row."""
    parts = together(*(arys if isinstance(arys, list | tuple) else arrangement.unstack(asarray(arys))))
    return arrangement.concat([arrangement.reshape(p, [-1]) for p in parts] if axis is None else parts, axis or 0)


def stack(arrays: TensorLike, axis: int = 0) -> Any:
    """Return tensors of one shape along a new axis."""
    parts = together(*(arrays if isinstance(arrays, list | tuple) else arrangement.unstack(asarray(arrays))))
    return arrangement.stack(parts, axis)


def tile(a: TensorLike, reps: AxisLike) -> Any:
    """Return a value repeated along each axis; missing axes are added, missing numbers are 1."""
    x = asarray(a)
    times = list(arrangement.integers_of(reps, "reps"))
    for _ in range(len(times) - len(x.sizes)):
        x = arrangement.expand_dims(x, 0)
    return arrangement.tile(x, [1] * (len(x.sizes) - len(times)) + times)


empty, empty_like = zeros, zeros_like


def identity(n: int, dtype: DtypeLike | None = float) -> Any:
    """Return the matrix with ones on its diagonal."""
    return eye(n, n, dtype=dtype)


def full(shape: ShapeLike, fill_value: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return a value broadcast to a shape, of its own dtype by default."""
    return arrangement.broadcast_to(asarray(fill_value, dtype), [shape] if isinstance(shape, int) else shape)


def full_like(
    a: TensorLike, fill_value: TensorLike, dtype: DtypeLike | None = None, order: str = "K", subok: bool = True,
    shape: ShapeLike | None = None,
) -> Any:  # fmt: skip
    """Return a value broadcast to the shape of another, and of its dtype by default."""
    if order != "K":
        raise ValueError("Non-standard orders are not supported.")
    if not subok:
        raise ValueError("subok being False is not supported.")
    if shape is not None:
        raise ValueError("Overriding the shape is not supported.")
    x = asarray(a)
    return arrangement.broadcast_to(asarray(fill_value, x.dtype if dtype is None else dtype), arrangement.shape(x))


def _even(start: TensorLike, stop: TensorLike, num: int, endpoint: bool, axis: int) -> Any:
    return linspace(start, stop, num, endpoint, dtype=None, axis=axis)


def logspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, base: TensorLike = 10.0,
    dtype: DtypeLike | None = None, axis: int = 0,
) -> Any:  # fmt: skip
    """Return base to the power of numbers at equal distances from start to stop."""
    found = power(base, _even(start, stop, num, endpoint, axis))
    return found if dtype is None else arrangement.cast(found, dtype_of(dtype))


def geomspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, dtype: DtypeLike | None = None, axis: int = 0
) -> Any:
    """Return numbers from start to stop, each the same multiple of the one before."""
    first, last = floating(start, stop)
    if first.nptype == np.float32:
        first, last = (arrangement.cast(t, float_type()) for t in (first, last))
    sign = elementary.sign(first)
    exponents = _even(elementary.log(sign * first), elementary.log(sign * last), num, endpoint, axis)
    found = (arrangement.expand_dims(sign, axis) if sign.sizes else sign) * elementary.exp(exponents)
    return found if dtype is None else arrangement.cast(found, dtype_of(dtype))


def tri(N: int, M: int | None = None, k: int = 0, dtype: DtypeLike | None = None) -> Any:
    """Return ones on and below the k-th diagonal, float64 by default."""
    return tensors.convert(np.tri(N, M, k, dtype=dtype_of(dtype)))


def _triangle(m: TensorLike, k: int, below: bool) -> Any:
    x = asarray(m)
    lower = np.tri(x.sizes[-2], x.sizes[-1], k if below else k - 1, dtype=bool)
    return arrangement.where(tensors.convert(lower if below else ~lower), x, arrangement.zeros_like(x))


def tril(m: TensorLike, k: int = 0) -> Any:
    """Return matrices with zeros above the k-th diagonal."""
    return _triangle(m, k, True)


def triu(m: TensorLike, k: int = 0) -> Any:
    """Return matrices with zeros below the k-th diagonal."""
    return _triangle(m, k, False)


def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Any:
    """Return the powers of a vector's elements as columns, the greatest first unless they are to increase."""
    v = asarray(x)
    if len(v.sizes) != 1:
        raise ValueError("x must be a one-dimensional array")
    count = v.sizes[0] if N is None else N
    if count < 0:
        raise ValueError("N must be nonnegative")
    columns = [elementary.pow(v, n) for n in range(count)]
    if not columns:
        return arrangement.zeros([v.sizes[0], 0], v.dtype)
    return arrangement.stack(columns if increasing else columns[::-1], 1)


def diag(v: TensorLike, k: int = 0) -> Any:
    """Return a matrix with a vector on its k-th diagonal, or the diagonal of a matrix."""
    x = asarray(v)
    if len(x.sizes) > 2:
        raise ValueError(f"Shape {x.shape} must have rank at most 2")
    return linalg.diag(x, k=k) if len(x.sizes) == 1 else diagonal(x, k)


def diagflat(v: TensorLike, k: int = 0) -> Any:
    """Return a matrix with all elements on its k-th diagonal."""
    return diag(ravel(v), k)


def diagonal(a: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the elements on a diagonal of two axes, as the last axis."""
    x = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = x.sizes[-2:]
    count = builtins.max(min(rows + min(offset, 0), columns - builtins.max(offset, 0)), 0)
    first = builtins.max(-offset, 0), builtins.max(offset, 0)
    return linalg.diag_part(x[..., first[0] : first[0] + count, first[1] : first[1] + count])


def trace(a: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: DtypeLike | None = None) -> Any:
    """Return the sum of a diagonal."""
    x = asarray(a, dtype)
    return elementary.reduce_sum(diagonal(x, offset, axis1, axis2), -1)


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """Return the places on the diagonal, a vector for each axis."""
    if n < 0:
        raise ValueError(f"n must be nonnegative, got {n}")
    return (arrangement.range(n),) * ndim


def ix_(*args: TensorLike) -> list[Any]:
    """Return indices that pick the cross of several vectors of places; one of Booleans says which places."""
    found = []
    for i, arg in enumerate(args):
        x = asarray(arg)
        if len(x.sizes) != 1:
            raise ValueError(f"Arguments must be 1-d, got arg {i} of rank {len(x.sizes)}")
        places = arrangement.reshape(arrangement.where(x), [-1]) if x.nptype.kind == "b" else x
        found.append(arrangement.reshape(places, [-1 if k == i else 1 for k in range(len(args))]))
    return found


def nonzero(a: TensorLike) -> list[Any]:
    """Return the places of what is not zero, a vector for each axis."""
    x = array(a, ndmin=1)
    return arrangement.unstack(arrangement.where(arrangement.cast(x, "bool")), len(x.sizes), axis=1)


def ndim(a: TensorLike) -> int:
    """Return the number of axes."""
    return 0 if is_number(a) else len(asarray(a).sizes)


def shape(a: TensorLike) -> TensorShape:
    """Return the shape."""
    found: TensorShape = asarray(a).shape
    return found


def size(x: TensorLike, axis: int | None = None) -> Any:
    """Return the number of elements: a number where the shape is known, else a tensor.

    Raises:
        NotImplementedError: for an axis.
    """
    if axis is not None:
        raise NotImplementedError("axis argument is not supported in the current `np.size` implementation")
    if is_number(x):
        return 1
    t = asarray(x)
    count = t.shape.num_elements()
    return arrangement.size(t) if count is None else np.int64(count)


def ravel(a: TensorLike) -> Any:
    """Return all elements in a row."""
    return arrangement.reshape(asarray(a), [-1])


def flatten(a: TensorLike, order: str = "C") -> Any:
    """Return all elements in a row, `order` "F": the first axis varying fastest."""
    if order not in ("C", "A", "K", "F"):
        raise ValueError("flatten only supports 'C', 'A', 'K' and 'F' for order.")
    x = asarray(a)
    return arrangement.reshape(arrangement.transpose(x) if order == "F" else x, [-1])


def moveaxis(a: TensorLike, source: AxisLike, destination: AxisLike) -> Any:
    """Return a value with axes moved to other places, the others in their order."""
    x = asarray(a)
    rank = len(x.sizes)
    given = [list(arrangement.integers_of(v)) for v in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise ValueError("The lengths of source and destination must equal")
    for axis in given[0] + given[1]:
        if not -rank <= axis < rank:
            raise ValueError(f"moveaxis: axis {axis} is out of range for {rank} axes.")
    start, end = ([i % rank for i in axes] for axes in given)
    order = [i for i in range(rank) if i not in start]
    for to, axis in sorted(zip(end, start, strict=True)):
        order.insert(to, axis)
    return arrangement.transpose(x, order)


def swapaxes(a: TensorLike, axis1: int, axis2: int) -> Any:
    """Return a value with two axes exchanged."""
    x = asarray(a)
    order = list(range(len(x.sizes)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return arrangement.transpose(x, order)


def broadcast_to(array: TensorLike, shape: ShapeLike) -> Any:
    """Return a value repeated to a shape."""
    return arrangement.broadcast_to(asarray(array), [shape] if isinstance(shape, int) else shape)


def broadcast_arrays(*args: TensorLike, **kwargs: bool) -> list[Any]:
    """Return values repeated to the shape that they have together."""
    if kwargs.pop("subok", False) or kwargs:
        raise ValueError("broadcast_arrays: subok=True and others are not supported.")
    parts = [asarray(a) for a in args]
    whole = parts[0].shape
    for p in parts[1:]:
        whole = arrangement.broadcast_static_shape(whole, p.shape)
    return [arrangement.broadcast_to(p, whole) for p in parts]


def _at_least(n: int, values: Sequence[TensorLike]) -> Any:
    found = []
    for v in values:
        x = array(v, ndmin=min(n, 2))
        if n == 3 and len(x.sizes) == 2:
            x = arrangement.expand_dims(x, 2)
        found.append(x)
    return found[0] if len(found) == 1 else found


def atleast_1d(*arys: TensorLike) -> Any:
    """Return values with at least one axis."""
    return _at_least(1, arys)


def atleast_2d(*arys: TensorLike) -> Any:
    """Return values with at least two axes, new ones first."""
    return _at_least(2, arys)


def atleast_3d(*arys: TensorLike) -> Any:
    """Return values with at least three axes: a vector becomes (1, n, 1), a matrix (m, n, 1)."""
    return _at_least(3, arys)


def append(arr: TensorLike, values: TensorLike, axis: int | None = None) -> Any:
    """Return two values beside each other; without an axis, their elements in a row."""
    x, y = together(arr, values)
    return concatenate([ravel(x), ravel(y)] if axis is None else [x, y], axis or 0)


def hstack(tup: TensorLike) -> Any:
    """Return values beside each other along the second axis, vectors along the first."""
    parts = [array(p, ndmin=1) for p in parts_of(tup)]
    return arrangement.concat(parts, 0 if len(parts[0].sizes) == 1 else 1)


def vstack(tup: TensorLike) -> Any:
    """Return values beneath each other, vectors as rows."""
    return arrangement.concat([array(p, ndmin=2) for p in parts_of(tup)], 0)


def dstack(tup: TensorLike) -> Any:
    """Return values behind each other, along the third axis."""
    return arrangement.concat([atleast_3d(p) for p in parts_of(tup)], 2)


def split(ary: TensorLike, indices_or_sections: AxisLike, axis: int = 0) -> list[Any]:
    """Return equal parts along an axis, so many or those between indices."""
    x = asarray(ary)
    if isinstance(indices_or_sections, int):
        return arrangement.split(x, indices_or_sections, axis)
    size = x.sizes[axis]
    bounds = [min(i if i >= 0 else size + i, size) for i in arrangement.integers_of(indices_or_sections)]
    ends = [0, *bounds, size]
    index = (slice(None),) * (axis % len(x.sizes))
    return [x[(*index, slice(a, b))] for a, b in itertools.pairwise(ends)]


def hsplit(ary: TensorLike, indices_or_sections: AxisLike) -> list[Any]:
    """Return parts along the second axis, of a vector along the first."""
    return split(ary, indices_or_sections, 0 if ndim(ary) == 1 else 1)


def vsplit(ary: TensorLike, indices_or_sections: AxisLike) -> list[Any]:
    """Return parts along the first axis."""
    return split(ary, indices_or_sections, 0)


def dsplit(ary: TensorLike, indices_or_sections: AxisLike) -> list[Any]:
    """Return parts along the third axis."""
    return split(ary, indices_or_sections, 2)


def flip(m: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return a value in reverse along axes, all by default."""
    x = asarray(m)
    return arrangement.reverse(x, list(range(len(x.sizes))) if axis is None else list(arrangement.integers_of(axis)))


def fliplr(m: TensorLike) -> Any:
    """Return the columns in reverse."""
    return flip(m, 1)


def flipud(m: TensorLike) -> Any:
    """Return the rows in reverse."""
    return flip(m, 0)


def rot90(m: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Return a value turned by k right angles, from the first of two axes towards the second."""
    x = asarray(m)
    one, other = (a % len(x.sizes) for a in axes)
    turns = k % 4
    if turns == 0:
        return x
    if turns == 2:
        return flip(x, (one, other))
    return swapaxes(flip(x, other), one, other) if turns == 1 else flip(swapaxes(x, one, other), other)


def roll(a: TensorLike, shift: AxisLike, axis: AxisLike | None = None) -> Any:
    """Return the elements moved on along axes, the last coming first; without an axis, in a row of all."""
    x = asarray(a)
    if axis is None:
        return arrangement.reshape(arrangement.roll(ravel(x), shift, 0), x.shape)
    return arrangement.roll(x, shift, axis)


def repeat(a: TensorLike, repeats: TensorLike, axis: int | None = None) -> Any:
    """Return each element, or each slice along an axis, so often."""
    return arrangement.repeat(asarray(a), repeats, axis)


def pad(array: TensorLike, pad_width: TensorLike, mode: str, **kwargs: TensorLike) -> Any:
    """Return a value with more elements at its edges: constants, or the reflection of what is there.

    Raises:
        ValueError: for another mode than "constant", "reflect" and "symmetric".
    """
    value = kwargs.pop("constant_values", 0)
    if mode not in ("constant", "reflect", "symmetric"):
        raise ValueError(f"Unsupported padding mode: {mode}")
    x = asarray(array)
    widths = np.broadcast_to(np.asarray(pad_width), (len(x.sizes), 2)) if not is_tensor_like(pad_width) else pad_width
    return arrangement.pad(x, widths, mode.upper(), arrangement.cast(asarray(value), x.dtype))


def polyval(p: TensorLike, x: TensorLike) -> Any:
    """Return the polynomial's value, whose coefficients begin with that of the highest power."""
    coefficients, point = together(p, x)
    found = arrangement.zeros_like(point)
    for c in arrangement.unstack(coefficients):
        found = found * point + c
    return found


def take(a: TensorLike, indices: TensorLike, axis: int | None = None, out: None = None, mode: str = "clip") -> Any:
    """Return the elements, or slices along an axis, at places; those outside are the last ones, or counted round.

    Raises:
        ValueError: for `out`, and for another mode than "clip" and "wrap".
    """
    if out is not None:
        raise ValueError("out argument is not supported in take.")
    if mode not in ("clip", "wrap"):
        raise ValueError(f"The '{mode}' mode to take is not supported.")
    x, at = asarray(a), asarray(indices)
    x, axis = (ravel(x), 0) if axis is None else (x, axis)
    size = x.sizes[axis]
    at = elementary.floormod(at, size) if mode == "wrap" else elementary.maximum(elementary.minimum(at, size - 1), 0)
    return arrangement.gather(x, at, axis=axis)


def take_along_axis(arr: TensorLike, indices: TensorLike, axis: int | None) -> Any:
    """Return at each place the element that an index tells along an axis."""
    from wengert.ops.linear import TAKE_ALONG_AXIS

    x, at = asarray(arr), asarray(indices)
    if axis is None:
        x, axis = ravel(x), 0
    axis %= len(x.sizes)
    whole = [1 if i == axis else builtins.max(s, t) for i, (s, t) in enumerate(zip(x.sizes, at.sizes, strict=True))]
    x = arrangement.broadcast_to(x, [x.sizes[axis] if i == axis else s for i, s in enumerate(whole)])
    at = arrangement.broadcast_to(at, [at.sizes[axis] if i == axis else s for i, s in enumerate(whole)])
    at = arrangement.where(at < 0, at + x.sizes[axis], at)
    return tensors.apply(TAKE_ALONG_AXIS, (x, at), {"axis": axis})


def compress(condition: TensorLike, a: TensorLike, axis: int | None = None) -> Any:
    """Return the slices along an axis of which a vector says that they are kept; without an axis, of all elements in a row."""
    truth, x = arrangement.cast(asarray(condition), "bool"), asarray(a)
    if len(truth.sizes) != 1:
        raise ValueError("condition must be a 1-d array.")
    x, axis = (ravel(x), 0) if axis is None else (x, axis)
    kept = arrangement.reshape(arrangement.where(truth), [-1])
    return arrangement.gather(x, kept, axis=axis)
