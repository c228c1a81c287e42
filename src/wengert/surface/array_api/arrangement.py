"""Functions of the array API standard that arrange elements: their shapes, places, order, and which ones there are."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wengert.functions import array as arrangement
from wengert.functions import math as elementary
from wengert.functions.numpy import arrangement as shaping
from wengert.functions.numpy import elementwise as numpylike
from wengert.functions.numpy.promotion import asarray, together
from wengert.ground.shapes import ShapeLike
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike

Place = Callable[[Tensor, int], Tensor]

__all__ = [
    "argmax", "argmin", "argsort", "broadcast_arrays", "broadcast_to", "concat", "count_nonzero", "expand_dims", "flip",
    "moveaxis", "nonzero", "permute_dims", "repeat", "reshape", "roll", "searchsorted", "sort", "squeeze", "stack", "take",
    "take_along_axis", "tile", "unique_all", "unique_counts", "unique_inverse", "unique_values", "unstack", "where",
]  # fmt: skip


# --- shapes -----------------------------------------------------------------------------------------------------------


def broadcast_arrays(*arrays: TensorLike) -> list[Tensor]:
    """Return values repeated to the shape that they have together."""
    return shaping.broadcast_arrays(*arrays) if arrays else []


def broadcast_to(x: TensorLike, /, shape: ShapeLike) -> Tensor:
    """Return a value repeated to a shape."""
    return shaping.broadcast_to(x, shape)  # type: ignore[no-any-return]


def concat(arrays: Sequence[TensorLike], /, *, axis: int | None = 0) -> Tensor:
    """Return tensors beside each other along an axis; with axis None, all elements in a row."""
    return shaping.concatenate(list(arrays), axis)  # type: ignore[no-any-return]


def expand_dims(x: TensorLike, /, axis: int = 0) -> Tensor:
    """Return a value with a new axis of size 1, which stands at this place afterwards.

    Raises:
        IndexError: for a place that there is not.
    """
    t = asarray(x)
    rank = len(t.sizes) + 1
    if not -rank <= axis < rank:
        raise IndexError(f"expand_dims: axis {axis} is out of range for a tensor that is to have {rank} axes.")
    return arrangement.expand_dims(t, axis)  # type: ignore[no-any-return]


def flip(x: TensorLike, /, *, axis: AxisLike | None = None) -> Tensor:
    """Return a value in reverse along axes, all by default."""
    return shaping.flip(x, axis)  # type: ignore[no-any-return]


def moveaxis(x: TensorLike, source: AxisLike, destination: AxisLike, /) -> Tensor:
    """Return a value with axes moved to other places, the others in their order."""
    return shaping.moveaxis(x, source, destination)  # type: ignore[no-any-return]


def permute_dims(x: TensorLike, /, axes: Sequence[int]) -> Tensor:
    """Return the axes in another order."""
    return shaping.transpose(x, axes)  # type: ignore[no-any-return]


def repeat(x: TensorLike, repeats: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return each element, or each slice along an axis, so often."""
    return shaping.repeat(x, repeats, axis)  # type: ignore[no-any-return]


def reshape(x: TensorLike, /, shape: ShapeLike, *, copy: builtins.bool | None = None) -> Tensor:
    """Return a value with another shape; one size may be -1. ``copy=True`` gives it memory of its own."""
    found: Tensor = shaping.reshape(x, shape)
    return arrangement.identity(found) if copy else found


def roll(x: TensorLike, /, shift: AxisLike, *, axis: AxisLike | None = None) -> Tensor:
    """Return the elements moved on along axes, the last coming first; without an axis, in a row of all."""
    t = asarray(x)
    if axis is not None and isinstance(shift, int) and not isinstance(axis, int):
        shift = [shift] * len(list(arrangement.integers_of(axis)))
    return shaping.roll(t, shift, axis)  # type: ignore[no-any-return]


def squeeze(x: TensorLike, /, axis: AxisLike) -> Tensor:
    """Return a value without the axes named, which have size 1.

    Raises:
        ValueError: for an axis of another size.
    """
    return shaping.squeeze(x, axis) if axis != () else asarray(x)  # type: ignore[no-any-return]


def stack(arrays: Sequence[TensorLike], /, *, axis: int = 0) -> Tensor:
    """Return tensors of one shape along a new axis."""
    return shaping.stack(list(arrays), axis)  # type: ignore[no-any-return]


def tile(x: TensorLike, repetitions: Sequence[int], /) -> Tensor:
    """Return a value repeated along each axis; missing axes are added, missing numbers are 1."""
    return shaping.tile(x, repetitions)  # type: ignore[no-any-return]


def unstack(x: TensorLike, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices along an axis."""
    return tuple(arrangement.unstack(asarray(x), axis=axis))


# --- places -----------------------------------------------------------------------------------------------------------


def take(x: TensorLike, indices: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return the slices along an axis at places, which may be counted from the end.

    Raises:
        ValueError: without an axis, where there are several; for a place that there is not.

    >>> take([1.0, 2.0, 3.0], [0, -1]).numpy().tolist()
    [1.0, 3.0]
    """
    t, at = asarray(x), asarray(indices)
    if axis is None and len(t.sizes) != 1:
        raise ValueError(f"take needs an axis, as x has {len(t.sizes)} axes.")
    along = 0 if axis is None else axis
    return arrangement.gather(t, _from_front(at, t, along), axis=along)  # type: ignore[no-any-return]


def _from_front(at: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return places along an axis counted from the front."""
    if at.nptype.kind == "u":
        return at
    return arrangement.where(at < 0, at + arrangement.shape(x, at.dtype)[axis], at)  # type: ignore[no-any-return]


def take_along_axis(x: TensorLike, indices: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return at each place the element that an index tells along an axis."""
    return shaping.take_along_axis(x, indices, axis)  # type: ignore[no-any-return]


def nonzero(x: TensorLike, /) -> tuple[Tensor, ...]:
    """Return the places of what is not zero, a vector for each axis.

    Raises:
        ValueError: for a scalar, which has no places.
    """
    t = asarray(x)
    if not t.sizes:
        raise ValueError("nonzero takes a tensor with axes: a scalar has no places.")
    return tuple(shaping.nonzero(t))


def where(condition: TensorLike, x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x1 where a condition holds, and x2 elsewhere."""
    return numpylike.where(condition, x1, x2)  # type: ignore[no-any-return]


def count_nonzero(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return how many elements are not zero."""
    return elementary.count_nonzero(asarray(x), axis, keepdims)  # type: ignore[no-any-return]


def argmax(x: TensorLike, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return where the greatest element stands: the first of equals, in a row of all elements by default."""
    return _place(elementary.argmax, asarray(x), axis, keepdims)


def argmin(x: TensorLike, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Return where the least element stands: the first of equals, in a row of all elements by default."""
    return _place(elementary.argmin, asarray(x), axis, keepdims)


def _place(function: Place, x: Tensor, axis: int | None, keepdims: builtins.bool) -> Tensor:
    found = function(arrangement.reshape(x, [-1]) if axis is None else x, 0 if axis is None else axis)
    if not keepdims:
        return found
    if axis is not None:
        return arrangement.expand_dims(found, axis)  # type: ignore[no-any-return]
    return arrangement.reshape(found, [1] * len(x.sizes))  # type: ignore[no-any-return]


def searchsorted(x1: TensorLike, x2: TensorLike, /, *, side: str = "left", sorter: TensorLike | None = None) -> Tensor:
    """Return where values belong in an ordered vector; ``sorter``: the places that bring the vector in order.

    >>> searchsorted([1.0, 2.0, 3.0], [2.5, 0.0]).numpy().tolist()
    [2, 0]
    """
    ordered, values = together(x1, x2)
    if sorter is not None:
        ordered = arrangement.gather(ordered, asarray(sorter))
    return arrangement.searchsorted(ordered, values, side, "int64")  # type: ignore[no-any-return]


# --- order ------------------------------------------------------------------------------------------------------------


def _sortable(x: Tensor) -> Tensor:
    return arrangement.cast(x, "int8") if x.nptype.kind == "b" else x


def argsort(x: TensorLike, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
    """Return where the elements stand that come first, second, ... along an axis; equal ones stay in their order."""
    direction = "DESCENDING" if descending else "ASCENDING"
    return arrangement.cast(arrangement.argsort(_sortable(asarray(x)), axis, direction), "int64")  # type: ignore[no-any-return]


def sort(x: TensorLike, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
    """Return the elements in their order along an axis."""
    t = asarray(x)
    found: Tensor = arrangement.sort(_sortable(t), axis, "DESCENDING" if descending else "ASCENDING")
    return arrangement.cast(found, t.dtype)  # type: ignore[no-any-return]


# --- which elements there are -----------------------------------------------------------------------------------------


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def _order(x: Tensor) -> Tensor:
    """Return the places that bring a vector in order, equal values in theirs; complex ones by real part, then imaginary."""
    if x.nptype.kind != "c":
        return argsort(x)
    by_imaginary = argsort(elementary.imag(x))
    return arrangement.gather(by_imaginary, argsort(arrangement.gather(elementary.real(x), by_imaginary)))  # type: ignore[no-any-return]


def unique_all(x: TensorLike, /) -> UniqueAll:
    """Return the distinct elements in order, where each comes first, which one each element is, and how often each is there.

    Each NaN is distinct from all others.

    >>> unique_all([3.0, 1.0, 3.0]).counts.numpy().tolist()
    [1, 2]
    """
    t = asarray(x)
    flat = arrangement.reshape(t, [-1])
    order = _order(flat)
    ordered = arrangement.gather(flat, order)
    first = elementary.not_equal(ordered[1:], ordered[:-1])
    first = arrangement.concat([arrangement.ones_like(order[:1], "bool"), first], 0)
    starts = arrangement.reshape(arrangement.where(first), [-1])
    group = elementary.cumsum(arrangement.cast(first, "int64")) - 1
    inverse = arrangement.reshape(arrangement.gather(group, argsort(order)), arrangement.shape(t))
    indices = arrangement.gather(order, starts)
    ends = arrangement.concat([starts[1:], arrangement.reshape(arrangement.size(flat, "int64"), [1])], 0)
    return UniqueAll(arrangement.gather(flat, indices), indices, inverse, ends[: arrangement.size(starts)] - starts)


def unique_counts(x: TensorLike, /) -> UniqueCounts:
    """Return the distinct elements in order, and how often each is there."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: TensorLike, /) -> UniqueInverse:
    """Return the distinct elements in order, and which one each element is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: TensorLike, /) -> Tensor:
    """Return the distinct elements in order."""
    return unique_all(x).values
