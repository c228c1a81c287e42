"""What JAX's primitives that read and write at places become.

Places are numbers that no derivative passes through. Where only one axis is read at places and all others whole, it is a gather
along that axis, so that rows stay rows; anything else reads the flattened input at flat places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import math as maths
from wengert.ground.errors import UnimplementedError
from wengert.ops import elementwise as E
from wengert.surface.frameworks.rules import Sizes, number, rule, sizes_of
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__: list[str] = []

INT = np.dtype("int32")
MOST_PRODUCTS = 10_000_000
"""Elements of the table by which values are multiplied in at places."""


def _inside(start: Tensor, count: int, size: int) -> Any:
    """Return the start of a slice, pushed inside."""
    return apply(E.CLIP, (cast(start, INT), number(0), number(size - count)))


@rule("dynamic_slice")
def dynamic_slice(x: Tensor, *starts: Tensor, slice_sizes: Sizes, **params: Hashable) -> Any:
    """A slice from a start that is pushed inside."""
    sizes = sizes_of(x)
    for axis, (start, count) in enumerate(zip(starts, slice_sizes, strict=False)):
        if count != sizes[axis]:
            x = arrays.gather(x, _inside(start, count, sizes[axis]) + np.arange(count, dtype=np.int32), axis=axis)
    return x


@rule("dynamic_update_slice")
def dynamic_update_slice(x: Tensor, update: Tensor, *starts: Tensor, **params: Hashable) -> Any:
    """The input with a block of it replaced."""
    sizes, counts = sizes_of(x), sizes_of(update)
    inside: Any = None
    for axis, (start, count, size) in enumerate(zip(starts, counts, sizes, strict=True)):
        if count == size:
            continue
        along = np.arange(size, dtype=np.int32) - _inside(start, count, size)
        update = arrays.gather(update, apply(E.CLIP, (along, number(0), number(count - 1))), axis=axis)
        here = apply(E.LOGICAL_AND, (along >= np.int32(0), along < np.int32(count)))
        here = arrays.reshape(here, [-1 if k == axis else 1 for k in range(len(sizes))])
        inside = here if inside is None else apply(E.LOGICAL_AND, (inside, here))
    return update if inside is None else arrays.where(inside, update, x)


class _Windows(NamedTuple):
    """Windows of an array, laid out in another: which axes of each belong together."""

    sizes: Sizes
    """Of the array."""
    counts: Sizes
    """Of a window, for each axis of the array."""
    batch: Sizes
    """Of the places, without their last axis."""
    offset: Sizes
    """The axes of the other array that lie in a window."""
    gone: Sizes
    """The axes of the array that a window has one element of, and the other array has not."""
    starts: Sizes
    """The axes of the array at which a place says where a window starts."""
    stacked: Sizes
    stacked_at: Sizes
    """Axes of the array that go along with axes of the places."""

    @property
    def rank(self) -> int:
        """How many axes the other array has."""
        return len(self.batch) + len(self.offset)

    @property
    def of_places(self) -> list[int]:
        """The axes of the other array that are those of the places."""
        return [k for k in range(self.rank) if k not in self.offset]

    @property
    def kept(self) -> list[int]:
        """The axes of the array that the other one has."""
        return [k for k in range(len(self.sizes)) if k not in self.gone and k not in self.stacked]

    @property
    def shape(self) -> Sizes:
        """The shape of the other array."""
        at, kept = self.of_places, self.kept
        return tuple([self.batch[at.index(k)] if k in at else self.counts[kept[self.offset.index(k)]] for k in range(self.rank)])

    def spread(self, x: Tensor) -> Any:
        """Return what there is for each place as it broadcasts against the other array."""
        at = self.of_places
        return arrays.reshape(x, [self.batch[at.index(k)] if k in at else 1 for k in range(self.rank)])

    def line(self, count: int, axis: int) -> Any:
        """Return 0, 1, ... along an axis of the other array."""
        return convert(np.arange(count, dtype=np.int32).reshape([-1 if k == axis else 1 for k in range(self.rank)]))

    def start(self, places: Tensor, axis: int) -> tuple[Any, Any]:
        """Return where windows start along an axis of the array, and whether they fit there."""
        start = cast(places[..., self.starts.index(axis)], INT)
        last = number(self.sizes[axis] - self.counts[axis])
        fits = apply(E.LOGICAL_AND, (apply(E.GREATER_EQUAL, (start, number(0))), apply(E.LESS_EQUAL, (start, last))))
        return apply(E.CLIP, (start, number(0), last)), fits

    def flat(self, places: Tensor) -> tuple[Any, Any]:
        """Return the places in the flattened array, in the other one's shape, and whether each place's window fits."""
        inside: Any = None
        flat: Any = None
        step = 1
        kept = self.kept
        for axis in reversed(range(len(self.sizes))):
            along: Any = None
            if axis in self.starts:
                start, fits = self.start(places, axis)
                inside = fits if inside is None else apply(E.LOGICAL_AND, (inside, fits))
                along = self.spread(start)
            elif axis in self.stacked:
                along = self.line(self.sizes[axis], self.of_places[self.stacked_at[self.stacked.index(axis)]])
            if axis in kept:
                own = self.line(self.counts[axis], self.offset[kept.index(axis)])
                along = own if along is None else along + own
            if along is not None:
                along = along * np.int32(step)
                flat = along if flat is None else flat + along
            step *= self.sizes[axis]
        shape = self.shape
        return convert(np.zeros(shape, np.int32)) if flat is None else arrays.broadcast_to(flat, shape), inside


def _numbers(numbers: Hashable, *names: str) -> list[Sizes]:
    return [tuple(int(k) for k in getattr(numbers, name, ())) for name in names]


@rule("gather")
def gather(
    x: Tensor,
    indices: Tensor,
    *,
    dimension_numbers: Hashable,
    slice_sizes: Sizes,
    mode: Hashable = None,
    fill_value: float | None = None,
    **params: Hashable,
) -> Any:
    """Windows from starts that lie in the last axis of the indices; one outside is pushed inside, or filled."""
    offset, gone, starts, stacked, at = _numbers(
        dimension_numbers, "offset_dims", "collapsed_slice_dims", "start_index_map", "operand_batching_dims",
        "start_indices_batching_dims",
    )  # fmt: skip
    windows = _Windows(sizes_of(x), tuple(slice_sizes), sizes_of(indices)[:-1], offset, gone, starts, stacked, at)
    whole = [k for k in range(len(windows.sizes)) if windows.counts[k] == windows.sizes[k]]
    inside: Any = None
    if starts and gone == starts[:1] == starts and not stacked and len(whole) >= len(windows.sizes) - 1:
        (axis,) = starts
        start, inside = windows.start(indices, axis)
        found = arrays.gather(x, start, axis=axis)
        lead, count = axis, len(windows.batch)
        order = [0] * windows.rank
        mine = [*range(lead), *range(lead + count, windows.rank)]
        for k, own in zip(windows.offset, mine, strict=True):
            order[k] = own
        for k, own in zip(windows.of_places, range(lead, lead + count), strict=True):
            order[k] = own
        if order != sorted(order):
            found = arrays.transpose(found, order)
    else:
        flat, inside = windows.flat(indices)
        found = arrays.gather(arrays.reshape(x, (-1,)), flat)
    if "FILL" not in str(mode).upper() or inside is None:
        return found
    fill = fill_value if fill_value is not None else np.nan if x.nptype.kind in "fc" else 0
    return arrays.where(windows.spread(inside), found, convert(np.asarray(fill, x.nptype)))


def _scattered(
    x: Tensor, indices: Tensor, updates: Tensor, dimension_numbers: Hashable, mode: Hashable
) -> tuple[Tensor, Any, Any, Sizes]:
    """Return the flattened input with one place more, the places of the updates, flat, the flat updates, and the shape.

    What lies outside goes to the place that is one more; by the mode "clip" it is pushed inside.
    """
    offset, gone, starts, stacked, at = _numbers(
        dimension_numbers, "update_window_dims", "inserted_window_dims", "scatter_dims_to_operand_dims",
        "operand_batching_dims", "scatter_indices_batching_dims",
    )  # fmt: skip
    sizes, given = sizes_of(x), sizes_of(updates)
    within = iter(offset)
    counts = tuple([1 if k in gone or k in stacked else given[next(within)] for k in range(len(sizes))])
    windows = _Windows(sizes, counts, sizes_of(indices)[:-1], offset, gone, starts, stacked, at)
    flat, inside = windows.flat(indices)
    size = int(np.prod(sizes))
    if inside is not None and "CLIP" not in str(mode).upper():
        flat = arrays.where(windows.spread(inside), flat, number(size))
    longer = arrays.concat([arrays.reshape(x, (-1,)), convert(np.zeros(1, x.nptype))], 0)
    return longer, arrays.reshape(flat, (-1, 1)), arrays.reshape(updates, (-1,)), sizes


def _shorter(x: Tensor, sizes: Sizes) -> Any:
    return arrays.reshape(x[: int(np.prod(sizes))], sizes)


def _scatter(function: Callable[..., Any]) -> Any:
    def applied(
        x: Tensor, indices: Tensor, updates: Tensor, *, dimension_numbers: Hashable, mode: Hashable = None, **params: Hashable
    ) -> Any:  # fmt: skip
        longer, flat, values, sizes = _scattered(x, indices, updates, dimension_numbers, mode)
        return _shorter(function(longer, flat, values), sizes)

    return applied


for _name, _function in {
    "scatter": arrays.tensor_scatter_nd_update, "scatter-add": arrays.tensor_scatter_nd_add,
    "scatter_add": arrays.tensor_scatter_nd_add, "scatter-sub": arrays.tensor_scatter_nd_sub,
    "scatter-min": arrays.tensor_scatter_nd_min, "scatter_min": arrays.tensor_scatter_nd_min,
    "scatter-max": arrays.tensor_scatter_nd_max, "scatter_max": arrays.tensor_scatter_nd_max,
}.items():  # fmt: skip
    rule(_name)(_scatter(_function))


@rule("scatter-mul", "scatter_mul")
def scatter_multiply(
    x: Tensor, indices: Tensor, updates: Tensor, *, dimension_numbers: Hashable, mode: Hashable = None, **params: Hashable
) -> Any:  # fmt: skip
    """Values multiplied in at places, repeated places by all of theirs."""
    longer, flat, values, sizes = _scattered(x, indices, updates, dimension_numbers, mode)
    size, count = sizes_of(longer)[0], sizes_of(values)[0]
    if size * count > MOST_PRODUCTS:
        raise UnimplementedError(f"wengert.jax: {count} values are not multiplied in at places of {size}.")
    here = apply(E.EQUAL, (flat, convert(np.arange(size, dtype=np.int32)[None])))
    one = convert(np.ones((), values.nptype))
    factors = maths.reduce_prod(arrays.where(here, arrays.expand_dims(values, 1), one), axis=0)
    return _shorter(longer * factors, sizes)
