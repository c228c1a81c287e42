"""TensorFlow's ``tf.sparse``: sparse tensors, and sums over segments of chosen rows.

Each function is made of operations on the three tensors that a `SparseTensor` is of, so that it has derivatives of any order by
the values, and by the dense tensors that it takes.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as two
from wengert.graph.static import static_value
from wengert.ground import dtypes, shapes
from wengert.ground.dtypes import DtypeLike
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.modes.sparse import SparseTensor, SparseTensorValue
from wengert.ops import linear
from wengert.tensor.tensor import AxisLike, EagerTensor, Tensor, TensorLike, apply, convert

__all__ = [
    "SparseTensor", "add", "concat", "expand_dims", "eye", "fill_empty_rows", "from_dense", "map_values", "maximum", "minimum",
    "reduce_max", "reduce_sum", "reorder", "reset_shape", "reshape", "retain", "segment_mean", "segment_sqrt_n",
    "segment_sum", "slice", "softmax", "sparse_dense_matmul", "split", "to_dense", "to_indicator", "transpose",
]  # fmt: skip

Sparse = SparseTensor | SparseTensorValue


def _sparse(x: Sparse | TensorLike, what: str) -> SparseTensor:
    if isinstance(x, SparseTensorValue):
        return SparseTensor.from_value(x)
    if not isinstance(x, SparseTensor):
        raise TypeError(f"{what}: Input must be a SparseTensor, not {type(x).__name__}.")
    return x


def _rank(x: SparseTensor, what: str) -> int:
    if x.rank is None:
        raise ShapeError(f"{what} needs to know the rank of the sparse tensor: give its placeholder a shape.")
    return x.rank


def _whole(x: SparseTensor) -> Any:
    """Return the shape of the whole as numbers where it is known, else as a tensor: what is fed decides, not `set_shape`."""
    known = static_value(x.dense_shape)
    return x.dense_shape if known is None or None in known else [int(size) for size in known]


def _part(x: SparseTensor, axes: Sequence[int]) -> Any:
    """Return the sizes along some axes as numbers where they are known, else as a tensor."""
    whole = _whole(x)
    return [whole[a] for a in axes] if isinstance(whole, list) else array.gather(whole, np.array(axes, np.int64))


def _joined(*parts: Any) -> Any:
    """Return pieces of a shape as one."""
    if builtins.all(isinstance(p, list) and None not in p for p in parts):
        return [size for p in parts for size in p]
    return array.concat([convert(p, "int64") if isinstance(p, list) else array.cast(p, "int64") for p in parts], 0)


def _sizes(x: Any, axes: builtins.slice) -> Any:
    """Return the sizes of a dense tensor along some axes."""
    known = None if x.sizes is None else list(x.sizes[axes])
    return array.shape(x, "int64")[axes] if known is None or None in known else known


def _columns(x: SparseTensor, axes: Sequence[int]) -> Any:
    """Return the coordinates along some axes, (n, their number)."""
    return array.gather(x.indices, np.array(axes, np.int64), axis=1)


def _numbers(places: TensorLike, whole: Any) -> Any:
    """Return one number for each place, in the order of rows: the last coordinate counts ones."""
    sizes = convert(whole, "int64") if isinstance(whole, list) else array.cast(whole, "int64")
    strides = two.cumprod(sizes, exclusive=True, reverse=True)
    return two.reduce_sum(convert(places) * strides, 1)


def _ordered(x: SparseTensor) -> SparseTensor:
    """Return the elements in the order of rows; of those at one place, the first stays first."""
    order = array.argsort(_numbers(x.indices, _whole(x)), stable=True)
    return SparseTensor(array.gather(x.indices, order), _picked(x.values, order), x.dense_shape)


def _picked(values: Tensor, order: Tensor) -> Any:
    """Return elements at places: as a gather whose gradient is dense, since the values are the elements, not rows of a table."""
    return apply(linear.GATHER_ND, (values, array.expand_dims(order, 1)), {"batch_dims": 0})


def _scattered(values: Tensor, places: TensorLike, whole: Any) -> Any:
    return array.scatter_nd(places, values, whole)


# --- making, and dense ones -------------------------------------------------------------------------------------------


def from_dense(tensor: TensorLike, name: str | None = None) -> SparseTensor:
    """Return the elements that are not zero.

    >>> from_dense([[0.0, 1.0], [2.0, 0.0]]).indices.numpy().tolist()
    [[0, 1], [1, 0]]
    """
    x = convert(tensor)
    places = array.where(two.not_equal(x, array.zeros_like(x)))
    values = apply(linear.GATHER_ND, (x, places), {"batch_dims": 0})
    made = SparseTensor(places, values, array.shape(x, "int64"))
    made.set_shape(x.shape)
    return made


def eye(
    num_rows: int, num_columns: int | None = None, dtype: DtypeLike = dtypes.float32, name: str | None = None
) -> SparseTensor:
    """Return the matrix with ones on its diagonal."""
    columns = num_rows if num_columns is None else num_columns
    count = min(int(num_rows), int(columns))
    places = np.stack([np.arange(count)] * 2, axis=1)
    return SparseTensor(places, array.ones([count], dtype), [int(num_rows), int(columns)])


def to_dense(
    sp_input: Sparse, default_value: TensorLike | None = None, validate_indices: bool = True, name: str | None = None
) -> Any:
    """Return the whole, with zeros or another value where no element stands.

    Raises:
        InvalidArgumentError: (a ValueError) unless the places are in order, without repetition and within the shape.

    >>> to_dense(SparseTensor([[0, 0], [1, 2]], [1.0, 5.0], [2, 3])).numpy().tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 5.0]]
    """
    x = _sparse(sp_input, "to_dense")
    whole, places = _whole(x), x.indices
    if validate_indices:
        places = apply(linear.CHECKED_PLACES, (places, x.dense_shape))
    empty = (b"" if x.dtype == "string" else 0) if default_value is None else default_value
    base = array.fill(whole, array.cast(empty, x.dtype) if x.dtype != "string" else convert(empty))
    return two.named(array.tensor_scatter_nd_update(base, places, x.values), name)


def to_indicator(sp_input: Sparse, vocab_size: int, name: str | None = None) -> Any:
    """Return whether a number is among those of each row: (..., vocab_size), in place of the last axis."""
    x = _sparse(sp_input, "to_indicator")
    lead = list(range(_rank(x, "to_indicator") - 1))
    places = array.concat([_columns(x, lead), array.expand_dims(array.cast(x.values, "int64"), 1)], 1)
    found = _scattered(array.ones_like(x.values, "int32"), places, _joined(_part(x, lead), [int(vocab_size)]))
    return two.named(found > 0, name)


def map_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a function makes of the elements of sparse tensors that have them at the same places."""
    given = [a for a in (*args, *kwargs.values()) if isinstance(a, SparseTensor)]
    if not given:
        raise ValueError("No SparseTensor in argument list of map_values")
    flat = [a.values if isinstance(a, SparseTensor) else a for a in args]
    named = {k: a.values if isinstance(a, SparseTensor) else a for k, a in kwargs.items()}
    return given[0].with_values(op(*flat, **named))


# --- products and sums ------------------------------------------------------------------------------------------------


def sparse_dense_matmul(
    sp_a: Sparse | TensorLike, b: Sparse | TensorLike, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Any:
    """Return A b, of a sparse matrix and a dense one, in either order; each may be taken as its conjugate transpose.

    Elements that are written down more than once add up.

    Raises:
        InvalidArgumentError: (a ValueError) where the sizes do not fit, or an element stands outside of the matrix.

    >>> a = SparseTensor([[0, 0], [1, 2]], [1.0, 5.0], [2, 3])
    >>> sparse_dense_matmul(a, [[2.0], [7.0], [1.0]]).numpy().tolist()
    [[2.0], [5.0]]
    """
    if isinstance(b, SparseTensor | SparseTensorValue):  # (A b)ᴴ = bᴴ Aᴴ
        found = sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a)
        return two.named(_adjoint(found), name)
    a = _sparse(sp_a, "sparse_dense_matmul")
    dense = convert(b, like=a.values)
    if dense.nptype != a.values.nptype:
        raise DTypeError(
            f"sparse_dense_matmul: the sparse matrix is of dtype {a.dtype.name} and the dense one of {dense.dtype.name}: "
            "convert one of them with cast(x, dtype)."
        )
    if (dense.sizes is not None and len(dense.sizes) != 2) or a.rank not in (None, 2):
        raise ShapeError(f"sparse_dense_matmul takes matrices, not shapes {a.shape} and {dense.shape}.")
    dense = _adjoint(dense) if adjoint_b else dense
    values = two.conj(a.values) if adjoint_a else a.values
    row, column = (1, 0) if adjoint_a else (0, 1)
    inner = None if a.sizes is None else a.sizes[column]
    rows = None if dense.sizes is None else dense.sizes[0]
    if inner is not None and rows is not None and inner != rows:
        raise InvalidArgumentError(
            f"sparse_dense_matmul: Cannot multiply A and B because inner dimension does not match: {inner} vs. {rows}.  Did you "
            "forget a transpose?"
        )
    # Not `gather`, by whose gradient the dense matrix would be a table of which some rows are touched.
    met = apply(linear.GATHER_ND, (dense, a.indices[:, column : column + 1]), {"batch_dims": 0})
    products = array.expand_dims(values, 1) * met
    whole = _joined(_part(a, [row]), _sizes(dense, builtins.slice(1, None)))
    return two.named(_scattered(products, a.indices[:, row : row + 1], whole), name)


def _adjoint(x: Any) -> Any:
    return two.conj(array.transpose(x))


def add(a: Sparse | TensorLike, b: Sparse | TensorLike, threshold: TensorLike = 0) -> Any:
    """Return the sum: sparse if both are, without elements of less than the threshold; dense if one is dense.

    >>> x = SparseTensor([[0, 0], [1, 2]], [1.0, 5.0], [2, 3])
    >>> add(x, x).values.numpy().tolist()
    [2.0, 10.0]
    """
    one, other = (SparseTensor.from_value(x) if isinstance(x, SparseTensorValue) else x for x in (a, b))
    if isinstance(one, SparseTensor) and isinstance(other, SparseTensor):
        return _combined(one, other, two.unsorted_segment_sum, threshold)
    x, rest = (one, other) if isinstance(one, SparseTensor) else (other, one)
    if not isinstance(x, SparseTensor) or isinstance(rest, SparseTensor):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    dense = convert(rest, like=x.values)
    _same_shape(x.sizes, dense.sizes)
    return array.tensor_scatter_nd_add(dense, x.indices, x.values)


def _same_shape(a: shapes.Shape, b: shapes.Shape) -> None:
    if not shapes.fits(a, b):
        raise InvalidArgumentError(f"Operands' shapes do not match: got {shapes.text(a)} and {shapes.text(b)}.")


def _united(one: SparseTensor, other: SparseTensor) -> tuple[Any, Any, Any]:
    """Return all places of two sparse tensors in order, and which of them each element of the two stands at."""
    _same_shape(one.sizes, other.sizes)
    places = array.concat([one.indices, other.indices], 0)
    numbers = _numbers(places, _whole(one))
    order = array.argsort(numbers, stable=True)
    different, at = array.unique(array.gather(numbers, order), "int64")
    first = array.gather(order, array.searchsorted(array.gather(numbers, order), different))
    return array.gather(places, first), array.gather(at, array.invert_permutation(order)), array.size(different)


def _combined(one: SparseTensor, other: SparseTensor, sums: Callable[..., Any], threshold: TensorLike) -> SparseTensor:
    places, at, count = _united(one, other)
    values = sums(array.concat([one.values, other.values], 0), at, count)
    found = SparseTensor(places, values, one.dense_shape)
    if isinstance(threshold, int | float) and threshold == 0:
        return found
    size = two.abs(values)
    return retain(found, size >= array.cast(threshold, size.dtype))


def _extreme(one: Sparse, other: Sparse, function: Callable[[Any, Any], Any], what: str) -> SparseTensor:
    a, b = _sparse(one, what), _sparse(other, what)
    places, at, count = _united(a, b)
    n = array.size(a.values)
    mine = two.unsorted_segment_sum(a.values, at[:n], count)
    theirs = two.unsorted_segment_sum(b.values, at[n:], count)
    return SparseTensor(places, function(mine, theirs), a.dense_shape)


def maximum(sp_a: Sparse, sp_b: Sparse, name: str | None = None) -> SparseTensor:
    """Return the greater of two at each place where either has an element; what is not written down is zero."""
    return _extreme(sp_a, sp_b, two.maximum, "maximum")


def minimum(sp_a: Sparse, sp_b: Sparse, name: str | None = None) -> SparseTensor:
    """Return the lesser of two at each place where either has an element; what is not written down is zero."""
    return _extreme(sp_a, sp_b, two.minimum, "minimum")


def _reduced(x: SparseTensor, axis: AxisLike | None, what: str) -> tuple[list[int], list[int]]:
    """Return the axes that are kept, and those that are not."""
    rank = _rank(x, what)
    gone = list(range(rank)) if axis is None else sorted({shapes.axis_of(a, rank) for a in array.integers_of(axis)})
    return [a for a in range(rank) if a not in gone], gone


def _reduction(
    x: SparseTensor, axis: AxisLike | None, keepdims: bool | None, as_sparse: bool, what: str, sums: Callable[..., Any]
) -> Any:
    kept, gone = _reduced(x, axis, what)
    whole = _part(x, kept)
    numbers = _numbers(_columns(x, kept), whole) if kept else array.zeros([array.size(x.values)], "int64")
    if as_sparse:
        ordered, at = array.unique(array.sort(numbers), "int64")
        at = array.searchsorted(ordered, numbers)
        values = sums(x.values, at, array.size(ordered))
        places = _places(ordered, whole) if kept else array.zeros([array.size(ordered), 0], "int64")
        return SparseTensor(places, values, whole)
    count = math.prod(whole) if isinstance(whole, list) else two.reduce_prod(whole)
    found = sums(x.values, numbers, count)
    counted = two.unsorted_segment_sum(array.ones_like(x.values, "int32"), numbers, count)
    found = array.where(counted > 0, found, array.zeros_like(found))
    ones: Any = [1 if a in gone else a for a in range(len(kept) + len(gone))]
    if keepdims:
        whole = _joined(*([1] if a in gone else _part(x, [a]) for a in range(len(ones)))) if ones else []
    return array.reshape(found, whole)


def _places(numbers: Any, whole: Any) -> Any:
    """Return the coordinates of numbered places."""
    sizes = convert(whole, "int64") if isinstance(whole, list) else array.cast(whole, "int64")
    strides = two.cumprod(sizes, exclusive=True, reverse=True)
    return two.floormod(two.floordiv(array.expand_dims(numbers, 1), strides), sizes)


def reduce_sum(
    sp_input: Sparse, axis: AxisLike | None = None, keepdims: bool | None = None, output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return the sums along axes, dense unless asked for otherwise.

    >>> reduce_sum(SparseTensor([[0, 0], [1, 2]], [1.0, 5.0], [2, 3]), 1).numpy().tolist()
    [1.0, 5.0]
    """
    x = _sparse(sp_input, "reduce_sum")
    return _reduction(x, axis, keepdims, output_is_sparse, "reduce_sum", two.unsorted_segment_sum)


def reduce_max(
    sp_input: Sparse, axis: AxisLike | None = None, keepdims: bool | None = None, output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return the greatest elements along axes, of those that are written down; zero where there are none."""
    x = _sparse(sp_input, "reduce_max")
    return _reduction(x, axis, keepdims, output_is_sparse, "reduce_max", two.unsorted_segment_max)


def softmax(sp_input: Sparse, name: str | None = None) -> SparseTensor:
    """Return exp(x) over its sum along the last axis, among the elements that are written down."""
    x = _sparse(sp_input, "softmax")
    lead = list(range(_rank(x, "softmax") - 1))
    _, at = array.unique(_numbers(_columns(x, lead), _part(x, lead)), "int64")
    count = array.size(x.values)
    shifted = x.values - array.stop_gradient(array.gather(two.unsorted_segment_max(x.values, at, count), at))
    powers = two.exp(shifted)
    return x.with_values(powers / array.gather(two.unsorted_segment_sum(powers, at, count), at))


# --- arranging --------------------------------------------------------------------------------------------------------


def reorder(sp_input: Sparse, name: str | None = None) -> SparseTensor:
    """Return the elements in the order of rows."""
    return _ordered(_sparse(sp_input, "reorder"))


def transpose(sp_input: Sparse, perm: TensorLike | None = None, name: str | None = None) -> SparseTensor:
    """Return the axes in another order, reversed by default."""
    x = _sparse(sp_input, "transpose")
    rank = _rank(x, "transpose")
    order = list(range(rank))[::-1] if perm is None else list(array.integers_of(perm, "perm"))
    if sorted(order) != list(range(rank)):
        raise InvalidArgumentError(f"transpose: perm is a permutation of {list(range(rank))}, not {order}.")
    return _ordered(SparseTensor(_columns(x, order), x.values, array.gather(x.dense_shape, np.array(order, np.int64))))


def reshape(sp_input: Sparse, shape: TensorLike, name: str | None = None) -> SparseTensor:
    """Return the whole with another shape; one size may be -1."""
    x = _sparse(sp_input, "reshape")
    sizes = array.cast(shape, "int64")
    known = array.get_static_value(sizes)
    whole = _whole(x)
    if known is not None and isinstance(whole, list):
        sizes = convert(_filled([int(s) for s in np.ravel(known)], math.prod(whole)), "int64")
    else:
        given = two.reduce_prod(array.where(sizes < 0, array.ones_like(sizes), sizes))
        sizes = array.where(sizes < 0, array.zeros_like(sizes) + two.reduce_prod(x.dense_shape) // given, sizes)
    return SparseTensor(_places(_numbers(x.indices, whole), sizes), x.values, sizes)


def _filled(sizes: list[int], count: int) -> list[int]:
    rest = math.prod(s for s in sizes if s >= 0)
    found = [s if s >= 0 else count // max(rest, 1) for s in sizes]
    if math.prod(found) != count or sizes.count(-1) > 1:
        raise InvalidArgumentError(f"reshape: a sparse tensor of {count} places has no shape {sizes}.")
    return found


def expand_dims(sp_input: Sparse, axis: AxisLike | None = None, name: str | None = None) -> SparseTensor:
    """Return the whole with an axis of size 1 at this place, the last one by default."""
    x = _sparse(sp_input, "expand_dims")
    rank = _rank(x, "expand_dims")
    at = shapes.axis_of(-1 if axis is None else array.integer_of(axis), rank + 1)
    places = array.concat([x.indices[:, :at], array.zeros_like(x.indices[:, :1]), x.indices[:, at:]], 1)
    sizes = array.concat([x.dense_shape[:at], convert([1], "int64"), x.dense_shape[at:]], 0)
    return SparseTensor(places, x.values, sizes)


def retain(sp_input: Sparse, to_retain: TensorLike) -> SparseTensor:
    """Return the elements of which it is said that they are to be kept."""
    x = _sparse(sp_input, "retain")
    kept = array.reshape(array.where(convert(to_retain)), [-1])
    return SparseTensor(array.gather(x.indices, kept), _picked(x.values, kept), x.dense_shape)


def reset_shape(sp_input: Sparse, new_shape: TensorLike | None = None) -> SparseTensor:
    """Return the elements in a tensor of another shape, by default the smallest that holds them."""
    x = _sparse(sp_input, "reset_shape")
    if new_shape is None:
        return SparseTensor(x.indices, x.values, two.reduce_max(x.indices, 0) + 1)
    sizes = array.cast(new_shape, "int64")
    known = array.get_static_value(sizes)
    if known is not None and shapes.is_full(x.sizes):
        if len(known) != len(x.sizes or ()) or builtins.any(n < s for n, s in zip(known, x.sizes or (), strict=False)):
            raise ShapeError(f"reset_shape: the new shape {list(known)} does not hold {shapes.text(x.sizes)}.")
    return SparseTensor(x.indices, x.values, sizes)


def concat(
    axis: AxisLike, sp_inputs: Sequence[Sparse], expand_nonconcat_dims: bool = False, name: str | None = None
) -> SparseTensor:
    """Return sparse tensors beside each other along an axis; where allowed, others of different sizes are made the largest."""
    if not isinstance(sp_inputs, list | tuple) or not sp_inputs:
        raise InvalidArgumentError(f"sparse.concat: a list of sparse tensors is wanted, not {sp_inputs!r}.")
    parts = [_sparse(x, "concat") for x in sp_inputs]
    rank = _rank(parts[0], "concat")
    at = shapes.axis_of(array.integer_of(axis), rank)
    along, offset = np.eye(rank, dtype=np.int64)[at], array.zeros([], "int64")
    places = []
    for x in parts:
        places.append(x.indices + along * offset)
        offset = offset + x.dense_shape[at]
    wholes = array.stack([x.dense_shape for x in parts])
    if not expand_nonconcat_dims:
        for x in parts[1:]:
            mine, theirs = ([s for a, s in enumerate(t.sizes or ()) if a != at] for t in (parts[0], x))
            _same_shape(tuple(mine), tuple(theirs))
    most = two.reduce_max(wholes, 0)
    whole = array.where(along == 1, array.zeros_like(most) + offset, most)
    return _ordered(SparseTensor(array.concat(places, 0), array.concat([x.values for x in parts], 0), whole))


def slice(sp_input: Sparse, start: TensorLike, size: TensorLike, name: str | None = None) -> SparseTensor:
    """Return the part of this size that begins here, less what lies outside of the whole."""
    x = _sparse(sp_input, "slice")
    first = array.cast(start, "int64")
    last = two.minimum(first + array.cast(size, "int64"), x.dense_shape)
    inside = two.reduce_all(two.logical_and(x.indices >= first, x.indices < last), 1)
    kept = retain(x, inside)
    return SparseTensor(kept.indices - first, kept.values, two.maximum(last - first, array.zeros_like(first)))


def split(
    sp_input: Sparse | None = None, num_split: int | None = None, axis: AxisLike | None = None, name: str | None = None
) -> list[SparseTensor]:
    """Return so many parts along an axis, of which the first are larger by one where they cannot be equal."""
    if sp_input is None or num_split is None or axis is None:
        raise ValueError("split takes sp_input, num_split and axis.")
    x = _sparse(sp_input, "split")
    whole = _whole(x)
    if not isinstance(whole, list):
        raise ShapeError("split needs to know the shape of the sparse tensor.")
    at = shapes.axis_of(array.integer_of(axis), len(whole))
    begin, found = [0] * len(whole), []
    for k in range(num_split):
        size = [*whole]
        size[at] = whole[at] // num_split + (k < whole[at] % num_split)
        found.append(slice(x, begin, size))
        begin = [b + (size[at] if a == at else 0) for a, b in enumerate(begin)]
    return found


def fill_empty_rows(sp_input: Sparse, default_value: TensorLike, name: str | None = None) -> tuple[SparseTensor, Any]:
    """Return the matrix with a value at the first place of each row that has none, and which rows these are."""
    x = _sparse(sp_input, "fill_empty_rows")
    rows = x.dense_shape[0]
    counted = two.unsorted_segment_sum(array.ones_like(x.values, "int32"), x.indices[:, 0], array.cast(rows, "int32"))
    empty = two.equal(counted, 0)
    more = array.where(empty)
    places = array.pad(more, [[0, 0], [0, _rank(x, "fill_empty_rows") - 1]])
    filled = array.zeros_like(more[:, 0], x.dtype) + array.cast(default_value, x.dtype)
    found = SparseTensor(array.concat([x.indices, places], 0), array.concat([x.values, filled], 0), x.dense_shape)
    return _ordered(found), empty


# --- segments ---------------------------------------------------------------------------------------------------------


def _over(which: str, doc: str) -> Callable[..., Any]:
    def segments(
        data: TensorLike,
        indices: TensorLike,
        segment_ids: TensorLike,
        num_segments: TensorLike | None = None,
        name: str | None = None,
        sparse_gradient: bool = False,
    ) -> Any:
        rows, ids = array.gather(data, indices), array._indices(segment_ids, "segment_ids")
        if num_segments is not None:
            return getattr(two, f"unsorted_{which}")(rows, ids, num_segments, name)
        if which != "segment_sqrt_n":
            return getattr(two, which)(rows, ids, name)
        known = array.get_static_value(ids)
        count = two._number_of_segments(ids if known is None else EagerTensor(known))
        return two.unsorted_segment_sqrt_n(rows, ids, count, name)

    segments.__name__ = segments.__qualname__ = which
    segments.__doc__ = doc
    return segments


segment_sum = _over("segment_sum", "Return the sums of chosen rows of data over segments.")
segment_mean = _over("segment_mean", "Return the means of chosen rows of data over segments.")
segment_sqrt_n = _over("segment_sqrt_n", "Return the sums of chosen rows over segments, over the root of their number.")
