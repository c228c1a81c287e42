"""Making tensors; their shape, joining, parting and rearranging them, and taking elements by their places."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike, axis_of
from wengert.keras.configuration import floatx, standardize_dtype
from wengert.keras.ops import elementwise
from wengert.keras.ops.promotion import axes_of, result_type, summed, tensor, together
from wengert.ops import linear
from wengert.tensor.tensor import AxisLike, TensorLike, apply

__all__ = """
    append arange array array_split bartlett blackman broadcast_to cast concatenate convert_to_numpy convert_to_tensor diag
    diagflat diagonal dsplit dstack dtype empty empty_like expand_dims eye flip fliplr flipud full full_like geomspace get_item
    hamming hanning hsplit hstack identity is_tensor isin kaiser linspace logspace meshgrid moveaxis ndim nonzero ones ones_like
    pad ravel repeat reshape roll rot90 saturate_cast scatter scatter_update select shape size slice slice_update split squeeze
    stack stop_gradient swapaxes take take_along_axis tile trace transpose tri tril triu unravel_index unstack vander view
    vsplit vstack zeros zeros_like
""".split()

is_tensor = array.is_tensor


def convert_to_tensor(
    x: TensorLike, dtype: DtypeLike | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Return a value as a tensor, of another dtype where one is given.

    >>> convert_to_tensor([1.9, 2.0], "int32").numpy().tolist()
    [1, 2]
    """
    return tensor(x, dtype)


def array_of(x: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return a value as a tensor: `convert_to_tensor`."""
    return tensor(x, dtype)


def cast(x: TensorLike, dtype: DtypeLike) -> Any:
    """Return a tensor with another dtype, which may be given by its name.

    >>> cast([1.5, 2.0], "int32").numpy().tolist()
    [1, 2]
    """
    return array.cast(tensor(x), standardize_dtype(dtype))


def saturate_cast(x: TensorLike, dtype: DtypeLike) -> Any:
    """Return a tensor with another dtype, values beyond its range clipped to it."""
    x, name = tensor(x), standardize_dtype(dtype)
    return array.cast(x, name) if x.nptype.kind == "b" else array.saturate_cast(x, name)


def stop_gradient(variable: TensorLike) -> Any:
    """Return a tensor that no derivative passes."""
    return array.stop_gradient(variable)


def zeros(shape: ShapeLike, dtype: DtypeLike | None = None) -> Any:
    """Return zeros, of `floatx` by default.

    >>> zeros((2,)).numpy()
    array([0., 0.], dtype=float32)
    """
    return array.zeros(shape, standardize_dtype(dtype))


def ones(shape: ShapeLike, dtype: DtypeLike | None = None) -> Any:
    """Return ones, of `floatx` by default."""
    return array.ones(shape, standardize_dtype(dtype))


empty = zeros


def full(shape: ShapeLike, fill_value: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return one value throughout, of `floatx` by default; a value with axes is broadcast."""
    return array.broadcast_to(tensor(fill_value, standardize_dtype(dtype)), shape)


def zeros_like(x: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return zeros in the shape of x, and unless told otherwise of its dtype."""
    return array.zeros_like(tensor(x), None if dtype is None else standardize_dtype(dtype))


def ones_like(x: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return ones in the shape of x, and unless told otherwise of its dtype."""
    return array.ones_like(tensor(x), None if dtype is None else standardize_dtype(dtype))


empty_like = zeros_like


def full_like(x: TensorLike, fill_value: TensorLike, dtype: Any = None) -> Any:
    """Return one value throughout, in the shape of x, and unless told otherwise of its dtype."""
    x = tensor(x)
    return array.broadcast_to(tensor(fill_value, x.dtype if dtype is None else dtype), array.shape(x))


def eye(N: int, M: int | None = None, k: int = 0, dtype: DtypeLike | None = None) -> Any:
    """Return a matrix with ones on its k-th diagonal."""
    return array.convert_to_tensor(np.eye(N, M, k, dtype=as_dtype(standardize_dtype(dtype)).numpy))


def identity(n: int, dtype: DtypeLike | None = None) -> Any:
    """Return the identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: DtypeLike | None = None) -> Any:
    """Return a matrix with ones on and below its k-th diagonal."""
    return array.convert_to_tensor(np.tri(N, M, k, dtype=as_dtype(standardize_dtype(dtype)).numpy))


def arange(
    start: TensorLike, stop: TensorLike | None = None, step: TensorLike | None = None, dtype: DtypeLike | None = None
) -> Any:
    """Return start, start + step, ... up to but without stop; with one argument 0, 1, ... up to it.

    >>> arange(3).numpy().tolist(), arange(0.0, 1.0, 0.5).numpy()
    ([0, 1, 2], array([0. , 0.5], dtype=float32))
    """
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = result_type(*(v.dtype if hasattr(v, "dtype") else type(v) for v in given))
    start, stop = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    numbers: list[Any] = [v for v in (start, stop, step) if isinstance(v, int | float | np.number)]
    if len(numbers) == 3:
        # Counted in double precision, as NumPy does; beyond the end there is nothing, not an error.
        return array.convert_to_tensor(np.arange(*numbers).astype(as_dtype(standardize_dtype(dtype)).numpy))
    return array.range(start, stop, step, standardize_dtype(dtype))


def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DtypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Return num numbers at equal distances from start to stop, which `endpoint` includes; and their distance where asked.

    Raises:
        ValueError: for a negative num.

    >>> linspace(0, 1, 3).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    if num < 0:
        raise ValueError(f"linspace: num is not negative, and is {num}.")
    first, last = together(start, stop, also=(float,))
    if dtype is not None and as_dtype(standardize_dtype(dtype)).kind == "f":
        first, last = tensor(start, dtype), tensor(stop, dtype)
    first, last = first + array.zeros_like(last), last + array.zeros_like(first)
    parts = num - 1 if endpoint else num
    step = (last - first) / builtins.float(parts) if parts > 0 else array.ones_like(first) * math.nan
    if num == 0:
        found = array.stack([first], axis)
        found = apply(
            linear.GETITEM,
            (found,),
            {"index": linear.full_index(axis_of(axis, len(found.sizes)), len(found.sizes), builtins.slice(0, 0))},
        )
    elif endpoint or num == 1:
        found = array.linspace(first, last, num, axis=axis)
    else:
        found = array.linspace(first, last - step, num, axis=axis)
    if dtype is not None:
        found = cast(elementary.floor(found) if as_dtype(standardize_dtype(dtype)).kind in "iu" else found, dtype)
    return (found, step) if retstep else found


def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: TensorLike = 10,
    dtype: DtypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Return base to the powers that `linspace` gives."""
    powers = linspace(start, stop, num, endpoint, axis=axis)
    found = elementwise.power(tensor(base, powers.dtype), powers)
    return found if dtype is None else cast(found, dtype)


def geomspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, dtype: DtypeLike | None = None, axis: int = 0
) -> Any:
    """Return num numbers from start to stop, each the same multiple of the one before."""
    first, last = together(start, stop, also=(float,))
    low, high = (elementary.log(elementary.abs(t)) for t in (first, last))
    found = elementary.sign(first) * elementary.exp(linspace(low, high, num, endpoint, axis=axis))
    return found if dtype is None else cast(found, dtype)


def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid, one tensor for each vector."""
    return array.meshgrid(*(tensor(v) for v in x), indexing=indexing)


def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Any:
    """Return the powers of a vector's elements, those of one element in a row, falling unless told otherwise."""
    x = tensor(x)
    n = x.sizes[0] if N is None else N
    if n is None:
        raise ValueError("vander: give N where the vector's length is not known when the graph is built.")
    powers = [elementary.pow(x, p) for p in (range(n) if increasing else range(n - 1, -1, -1))]
    return array.stack(powers, -1) if powers else array.reshape(x, [-1, 1])[:, :0]


def _window(function: Callable[[int], Any], name: str, doc: str) -> Callable[..., Any]:
    def made(x: int) -> Any:
        return array.convert_to_tensor(function(int(x)).astype(floatx()))

    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    return made


bartlett = _window(np.bartlett, "bartlett", "Return Bartlett's window of x points: a triangle.")
blackman = _window(np.blackman, "blackman", "Return Blackman's window of x points.")
hamming = _window(np.hamming, "hamming", "Return Hamming's window of x points.")
hanning = _window(np.hanning, "hanning", "Return Hann's window of x points.")


def kaiser(x: int, beta: float) -> Any:
    """Return Kaiser's window of x points."""
    return array.convert_to_tensor(np.kaiser(int(x), float(beta)).astype(floatx()))


# --- shape ------------------------------------------------------------------------------------------------------------


def shape(x: TensorLike) -> Any:
    """Return the shape as a tuple, with a tensor for each size that is not known."""
    t = tensor(x)
    sizes = t.sizes
    if sizes is None:
        raise ValueError("keras.ops.shape: the number of axes is not known.")
    return tuple(array.shape(t)[i] if s is None else s for i, s in enumerate(sizes))


def ndim(x: TensorLike) -> Any:
    """Return the number of axes."""
    return len(tensor(x).sizes)


def size(x: TensorLike) -> Any:
    """Return the number of elements."""
    return array.size(tensor(x))


def dtype(x: TensorLike) -> str:
    """Return the dtype's name."""
    return str(tensor(x).dtype.name)


def convert_to_numpy(x: TensorLike) -> Any:
    """Return a NumPy array."""
    return np.array(x)


def reshape(x: TensorLike, newshape: Any) -> Any:
    """Return x with another shape; one size may be -1."""
    return array.reshape(tensor(x), newshape)


def ravel(x: TensorLike) -> Any:
    """Return x as one axis."""
    return array.reshape(tensor(x), [-1])


def expand_dims(x: TensorLike, axis: AxisLike) -> Any:
    """Return x with new axes of size 1, which stand at these places afterwards."""
    x = tensor(x)
    places = axes_of(axis)
    rank = len(x.sizes) + len(places)
    for a in sorted(axis_of(a, rank) for a in places):
        x = array.expand_dims(x, a)
    return x


def squeeze(x: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return x without its axes of size 1, or without those named.

    Raises:
        ShapeError: (a ValueError) if a named axis has another size.
    """
    return array.squeeze(tensor(x), None if axis is None else axes_of(axis))


def broadcast_to(x: TensorLike, shape: ShapeLike) -> Any:
    """Return x broadcast to a shape."""
    return array.broadcast_to(tensor(x), shape)


def transpose(x: TensorLike, axes: AxisLike | None = None) -> Any:
    """Return the axes in another order, reversed by default."""
    return array.transpose(tensor(x), axes)


def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Any:
    """Return x with two axes swapped."""
    t = tensor(x)
    order = list(range(len(t.sizes)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return array.transpose(t, order)


def moveaxis(x: TensorLike, source: Any, destination: Any) -> Any:
    """Return x with axes moved to other places.

    Raises:
        ValueError: unless there are as many places as axes.
    """
    t = tensor(x)
    rank = len(t.sizes)
    moved, places = ([axis_of(a, rank) for a in axes_of(v)] for v in (source, destination))
    if len(moved) != len(places):
        raise ValueError(f"moveaxis: {source} and {destination} differ in number.")
    order = [a for a in range(rank) if a not in moved]
    for place, a in sorted(zip(places, moved, strict=True)):
        order.insert(place, a)
    return t if order == sorted(order) else array.transpose(t, order)


def flip(x: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return x reversed along axes, along all by default."""
    t = tensor(x)
    return array.reverse(t, list(range(len(t.sizes))) if axis is None else axes_of(axis))


def flipud(x: TensorLike) -> Any:
    """Return x reversed along its first axis."""
    return flip(x, 0)


def fliplr(x: TensorLike) -> Any:
    """Return x reversed along its second axis."""
    return flip(x, 1)


def roll(x: TensorLike, shift: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return x with its elements moved along axes, those that leave at one end coming in at the other; as one row by default."""
    t = tensor(x)
    if axis is None:
        return array.reshape(array.roll(ravel(t), shift, 0), array.shape(t))
    return array.roll(t, shift, axis)


def rot90(array: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Return x turned k times by 90 degrees in the plane of two axes, from the first to the second.

    Raises:
        ValueError: unless there are two axes.
    """
    t = tensor(array)
    if len(t.sizes) < 2 or len(axes) != 2:
        raise ValueError(f"rot90 takes two axes, not {axes} of shape {list(t.sizes)}.")
    if k % 4 == 2:
        return flip(t, axes)
    if k % 4 == 1:
        return swapaxes(flip(t, axes[1]), *axes)
    return flip(swapaxes(t, *axes), axes[1]) if k % 4 else t


# --- joining and parting ----------------------------------------------------------------------------------------------


def _joined(xs: TensorLike) -> list[Any]:
    """Return several tensors, or the rows of one, in one dtype."""
    return together(*(xs if isinstance(xs, list | tuple) else array.unstack(tensor(xs))))


def concatenate(xs: TensorLike, axis: int = 0) -> Any:
    """Return tensors beside each other along an axis."""
    return array.concat(_joined(xs), axis)


def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Any:
    """Return two tensors beside each other along an axis; all elements in a row by default."""
    a, b = together(x1, x2)
    return array.concat([ravel(a), ravel(b)], 0) if axis is None else array.concat([a, b], axis)


def stack(x: TensorLike, axis: int = 0) -> Any:
    """Return tensors of one shape along a new axis."""
    return array.stack(_joined(x), axis)


def hstack(xs: TensorLike) -> Any:
    """Return tensors beside each other along the second axis, vectors along the first."""
    rows = [ravel(x) if not x.sizes else x for x in _joined(xs)]
    return array.concat(rows, 0 if len(rows[0].sizes) == 1 else 1)


def vstack(xs: TensorLike) -> Any:
    """Return tensors below each other, vectors as rows."""
    return array.concat([array.reshape(x, [1, -1]) if len(x.sizes) < 2 else x for x in _joined(xs)], 0)


def dstack(xs: TensorLike) -> Any:
    """Return tensors behind each other along the third axis, which matrices and rows are given."""
    parts = [array.reshape(x, [1, -1]) if len(x.sizes) < 2 else x for x in _joined(xs)]
    return array.concat([array.expand_dims(x, 2) if len(x.sizes) == 2 else x for x in parts], 2)


def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> Any:
    """Return x in equal parts, or cut at places."""
    t = tensor(x)
    if isinstance(indices_or_sections, int):
        return array.split(t, indices_or_sections, axis)
    cuts = [int(i) for i in indices_or_sections]
    before = [builtins.slice(None)] * axis_of(axis, len(t.sizes))
    return [t[(*before, builtins.slice(a, b))] for a, b in itertools.pairwise([0, *cuts, None])]


def array_split(x: TensorLike, indices_or_sections: TensorLike, axis: int = 0) -> Any:
    """Return x in parts that differ by one in size at most, or cut at places."""
    t = tensor(x)
    if not isinstance(indices_or_sections, int):
        return split(t, indices_or_sections, axis)
    if t.sizes[axis] is None:
        raise ValueError(f"array_split: the size of axis {axis} is not known when the graph is built.")
    size, more = divmod(t.sizes[axis], indices_or_sections)
    return array.split(t, [size + 1] * more + [size] * (indices_or_sections - more), axis)


def hsplit(x: TensorLike, indices_or_sections: TensorLike) -> Any:
    """Return x parted along its second axis, a vector along its first."""
    t = tensor(x)
    return split(t, indices_or_sections, 0 if len(t.sizes) == 1 else 1)


def vsplit(x: TensorLike, indices_or_sections: TensorLike) -> Any:
    """Return x parted along its first axis."""
    return split(x, indices_or_sections, 0)


def dsplit(x: TensorLike, indices_or_sections: TensorLike) -> Any:
    """Return x parted along its third axis."""
    return split(x, indices_or_sections, 2)


def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> Any:
    """Return the parts of x along an axis, each without it."""
    return array.unstack(tensor(x), num, axis)


def repeat(x: TensorLike, repeats: TensorLike, axis: int | None = None) -> Any:
    """Return x with its elements along an axis repeated; all in a row by default."""
    return array.repeat(tensor(x), repeats, axis)


def tile(x: TensorLike, repeats: Any) -> Any:
    """Return x repeated along each axis; missing axes are added, missing numbers are 1."""
    t = tensor(x)
    times = list(repeats) if isinstance(repeats, list | tuple) or np.ndim(repeats) else [repeats]
    rank = max(len(times), len(t.sizes))
    for _ in range(rank - len(t.sizes)):
        t = array.expand_dims(t, 0)
    return array.tile(t, [1] * (rank - len(times)) + times)


def pad(x: TensorLike, pad_width: TensorLike, mode: str = "constant", constant_values: TensorLike | None = None) -> Any:
    """Return x with more elements before and after along each axis: one number, a pair, or a pair for each axis.

    Raises:
        ValueError: for constant values in another mode.
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: constant_values belong to the mode 'constant', not to {mode!r}.")
    t = tensor(x)
    widths = np.broadcast_to(np.asarray(pad_width), (len(t.sizes), 2)).tolist()
    return array.pad(t, widths, mode, 0 if constant_values is None else tensor(constant_values, t.dtype))


# --- elements by their places -----------------------------------------------------------------------------------------


def _counted(indices: TensorLike, size: TensorLike) -> Any:
    """Return places, negative ones counted from the end."""
    at = tensor(indices)
    return array.where(elementary.less(at, 0), at + array.cast(size, at.dtype), at)


def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """Return elements by their places along an axis, of all elements in a row by default; negative ones count from the end.

    >>> take([10, 20, 30], [-1, 0]).numpy().tolist()
    [30, 10]
    """
    t = ravel(x) if axis is None else tensor(x)
    along = 0 if axis is None else axis_of(axis, len(t.sizes))
    return array.gather(t, _counted(indices, array.shape(t)[along]), axis=along)


def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Any:
    """Return elements by their places along an axis, for each place along the others; of all in a row for axis None."""
    t, at = tensor(x), tensor(indices)
    if axis is None:
        t, axis = ravel(t), 0
    along = axis_of(axis, len(t.sizes))
    at = _counted(at, array.shape(t)[along])
    over = [a for a in range(len(t.sizes)) if a != along]
    for a in over:
        if t.sizes[a] == 1 and at.sizes[a] != 1:
            t = array.repeat(t, array.shape(at)[a], a)
        elif at.sizes[a] == 1 and t.sizes[a] != 1:
            at = array.repeat(at, array.shape(t)[a], a)
    return apply(linear.TAKE_ALONG_AXIS, (t, at), {"axis": along})


def get_item(x: TensorLike, key: Any) -> Any:
    """Return x[key]."""
    return tensor(x)[key]


def slice(inputs: TensorLike, start_indices: Any, shape: TensorLike) -> Any:
    """Return the part of a tensor that starts at some indices and has a shape."""
    return array.slice(tensor(inputs), start_indices, shape)


def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Any:
    """Return a tensor with a part of it replaced, which starts at some indices."""
    t = tensor(inputs)
    part = tensor(updates, t.dtype)
    starts = [start_indices[i] for i in range(len(t.sizes))]
    counts = [array.shape(part)[i] if n is None else n for i, n in enumerate(part.sizes)]
    grids = array.meshgrid(*(array.range(s, s + n) for s, n in zip(starts, counts, strict=True)), indexing="ij")
    at = array.stack(grids, -1) if grids else array.zeros([0], "int32")
    return array.tensor_scatter_nd_update(t, at, part)


def scatter(indices: TensorLike, values: TensorLike, shape: ShapeLike) -> Any:
    """Return zeros with values added at coordinates."""
    return array.scatter_nd(indices, values, shape)


def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None) -> Any:
    """Return a tensor with values put at coordinates, or joined there: by "add", "max", "min" or "mul".

    Raises:
        ValueError: for another reduction.
    """
    t = tensor(inputs)
    values = tensor(updates, t.dtype)
    functions = {None: array.tensor_scatter_nd_update, "add": array.tensor_scatter_nd_add,
                 "max": array.tensor_scatter_nd_max, "min": array.tensor_scatter_nd_min}  # fmt: skip
    if reduction == "mul":
        factors = [array.tensor_scatter_nd_update(array.ones_like(t), i[None], v[None])
                   for i, v in zip(array.unstack(_rows(indices, -1)), array.unstack(values), strict=True)]  # fmt: skip
        return elementary.reduce_prod(array.stack([t, *factors]), 0)
    if reduction not in functions:
        raise ValueError(f"scatter_update: reduction is None, add, max, min or mul, not {reduction!r}.")
    return functions[reduction](t, indices, values)


def _rows(indices: TensorLike, last: int) -> Any:
    at = tensor(indices)
    return array.reshape(at, [-1, at.sizes[last]])


def nonzero(x: TensorLike) -> Any:
    """Return the places of what is not 0: an int32 vector for each axis."""
    return elementwise.where(x)


def unravel_index(indices: TensorLike, shape: Any) -> Any:
    """Return the coordinates in a shape of places in a row of all elements."""
    at = tensor(indices)
    found = []
    for n in reversed(list(shape)):
        found.append(elementary.floormod(at, n))
        at = elementary.floordiv(at, n)
    return tuple(reversed(found))


def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Any:
    """Return where elements of x1 are among those of x2; `invert`: where they are not."""
    a, b = together(x1, x2)
    found = elementary.reduce_any(elementary.equal(array.expand_dims(a, -1), ravel(b)), -1)
    return elementary.logical_not(found) if invert else found


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: int = 0) -> Any:
    """Return, of several tensors, the first whose condition holds, and a default where none does."""
    *choices, found = together(*choicelist, default)
    for condition, choice in zip(reversed(list(condlist)), reversed(choices), strict=True):
        found = array.where(array.cast(tensor(condition), "bool"), choice, found)
    return found


def view(x: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return the memory of x read as another dtype; another width changes the last axis."""
    t = tensor(x)
    target = as_dtype(t.dtype if dtype is None else standardize_dtype(dtype))
    old, new = t.nptype.itemsize, target.itemsize
    if old == new:
        return array.bitcast(t, target)
    if old > new:
        return array.reshape(array.bitcast(t, target), [*t.sizes[:-1], -1])
    if not t.sizes or t.sizes[-1] * old % new:
        raise ValueError(f"view: shape {list(t.sizes)} of {t.dtype.name} holds no whole number of {target.name}.")
    return array.bitcast(array.reshape(t, [*t.sizes[:-1], -1, new // old]), target)


# --- diagonals and triangles ------------------------------------------------------------------------------------------


def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return a diagonal of the plane of two axes, along a new last axis."""
    t = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = t.sizes[-2:]
    if rows is not None and columns is not None and not -rows < offset < columns:
        return t[..., 0, :0] if rows else t[..., :, 0]
    return linalg.diag_part(t, k=offset)


def diag(x: TensorLike, k: int = 0) -> Any:
    """Return a matrix with a vector on its k-th diagonal, or the k-th diagonal of a matrix.

    Raises:
        ValueError: for other numbers of axes.
    """
    t = tensor(x)
    if len(t.sizes) == 1:
        return linalg.diag(t, k=k)
    if len(t.sizes) == 2:
        return diagonal(t, k)
    raise ValueError(f"diag takes a vector or a matrix, not shape {list(t.sizes)}.")


def diagflat(x: TensorLike, k: int = 0) -> Any:
    """Return a matrix with all elements in a row on its k-th diagonal."""
    return linalg.diag(ravel(x), k=k)


def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of a diagonal of the plane of two axes; small integers are added as 32-bit ones."""
    return elementary.reduce_sum(diagonal(summed(x), offset, axis1, axis2), -1)


def _triangle(x: TensorLike, k: int, lower: bool) -> Any:
    t = tensor(x)
    rows, columns = array.shape(t)[-2], array.shape(t)[-1]
    down, across = array.expand_dims(array.range(rows), 1), array.expand_dims(array.range(columns), 0)
    inside = elementary.less_equal(across - k, down) if lower else elementary.greater_equal(across - k, down)
    return array.where(inside, t, array.zeros_like(t))


def tril(x: TensorLike, k: int = 0) -> Any:
    """Return matrices with zeros above their k-th diagonal."""
    return _triangle(x, k, True)


def triu(x: TensorLike, k: int = 0) -> Any:
    """Return matrices with zeros below their k-th diagonal."""
    return _triangle(x, k, False)
