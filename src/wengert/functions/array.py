"""TensorFlow's functions that make, shape, join, part and index tensors.

Shapes may be lists of ints, of whole floats and of scalar tensors, integer tensors, or a `TensorShape`. What is known
when a graph is built becomes part of the operation; what is not is an input of it.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.graph.static import static_value
from wengert.ground import checks, dtypes, shapes
from wengert.ground.context import here, state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import DTypeError, InvalidArgumentError, ResourceExhaustedError, ShapeError, UnimplementedError
from wengert.ground.nest import Composite, map_structure
from wengert.ground.shapes import ShapeLike, TensorShape, axis_of
from wengert.ground.types import Array
from wengert.modes.sparse import SparseTensor
from wengert.ops import elementwise, linear, reduction
from wengert.ops.op import Op
from wengert.tensor.tensor import (
    AxisLike,
    EagerTensor,
    SymbolicTensor,
    Tensor,
    TensorLike,
    WeakTensor,
    apply,
    coerce,
    convert,
    derived,
    getitem,
    holds_tensors,
    is_tensor_like,
    of_values,
    together,
    value_of,
)

newaxis = None
"""In an index: an axis of size 1."""
FLOAT32, INT32, INT64 = dtypes.float32.numpy, dtypes.int32.numpy, dtypes.int64.numpy
CONSTANT_LIMIT = 1000
"""Elements up to which a graph holds zeros and ones as a constant, as in TensorFlow; larger ones are filled in a run."""

# --- arguments ------------------------------------------------------------------------------------------------------


def sizes_of(shape: Any, wild: bool = False) -> tuple[Any, tuple[Any, ...]]:
    """Return a shape argument as (sizes, ()), or as (None, (shape tensor,)) where a graph's tensor decides it.

    ``wild``: one size may be -1.

    Raises:
        ShapeError: for negative sizes and for what is no shape.
        ResourceExhaustedError: for a shape beyond any memory.
    """
    sizes: Any = shape
    if not (sizes.__class__ is tuple or sizes.__class__ is list) or any(s.__class__ is not int for s in sizes):
        sizes = numbers_of(shape, "a shape")
        if sizes.__class__ is SymbolicTensor:
            return None, (sizes,)
    total = 1
    for s in sizes:
        if s < 0 and not (wild and s == -1):
            raise ShapeError(f"A shape holds no negative sizes: {list(sizes)}.")
        total *= s
    if total > linear.MOST_ELEMENTS or any(s > linear.MOST_ELEMENTS for s in sizes):
        raise ResourceExhaustedError(f"A tensor of shape {list(sizes)} is beyond any memory.")
    return tuple(sizes), ()


def numbers_of(value: Any, what: str) -> Any:
    """Return a list of whole numbers, or the one-axis integer tensor of a graph that holds them."""
    value = value_of(value)
    if value.__class__ is SymbolicTensor:
        return _symbolic_numbers(value, what)
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ShapeError(f"{what} must be known in full, not {value}.")
        return list(value.as_list())
    if isinstance(value, EagerTensor | np.ndarray):
        if isinstance(value, EagerTensor):
            value._leave(what)
        array: Any = value.array if isinstance(value, EagerTensor) else value
        if array.dtype.kind not in "iuf" or array.ndim > 1:
            raise ShapeError(f"{what} is a vector of whole numbers, not {value!r}.")
        return shapes.as_sizes(array.reshape(-1).tolist())
    if value is None or isinstance(value, str | bytes | dict | set):
        raise ShapeError(f"{what} is a list of whole numbers, not {value!r}.")
    items = list(value) if hasattr(value, "__iter__") else [value]
    if any(item is None for item in items):
        raise ShapeError(f"{what} must be known in full, not {value!r}.")
    items = [_number(item) for item in items]
    if not any(item.__class__ is SymbolicTensor for item in items):
        return shapes.as_sizes(items)
    wide = any(item.nptype.itemsize > 4 if item.__class__ is SymbolicTensor else abs(item) >= 2**31 for item in items)
    to = INT64 if wide else INT32
    parts = [_cast(item, to) if item.__class__ is SymbolicTensor else convert(shapes.as_sizes([item])[0], to) for item in items]
    return apply(linear.STACK, parts, {"axis": 0}, "packed")


def _number(item: Any) -> Any:
    """Return one item of a shape: a number, or a symbolic scalar whose value is not known."""
    item = value_of(item)
    if item.__class__ is EagerTensor and item.array.size == 1:
        return item.array.item()
    if item.__class__ is SymbolicTensor:
        known = static_value(item)
        if isinstance(known, int):
            return known
        if item.nptype.kind not in "iu" or item.sizes not in ((), None):
            raise ShapeError(f"A shape holds integer scalars, not {item!r}.")
    return item


def _symbolic_numbers(tensor: Any, what: str) -> Any:
    if tensor.nptype.kind not in "iu":
        raise DTypeError(f"{what} is a tensor of integers, not {tensor!r}.")
    known = static_value(tensor)
    if isinstance(known, int):
        return [known]
    if isinstance(known, list) and all(isinstance(k, int) for k in known):
        return known
    if tensor.sizes == ():
        return apply(linear.RESHAPE, (tensor,), {"shape": (1,)})
    if tensor.sizes is not None and len(tensor.sizes) != 1:
        raise ShapeError(f"{what} is a vector of integers, not {tensor!r}.")
    return tensor


def integer_of(value: Any, what: str = "axis") -> int:
    """Return a whole number that must be known now.

    Raises:
        ShapeError: if it is no whole number.
        UnimplementedError: for a graph's tensor whose value is not known.
    """
    if value.__class__ is int:
        return value
    value = value_of(value)
    if value.__class__ is SymbolicTensor:
        known = static_value(value)
        if isinstance(known, list) and len(known) == 1:
            known = known[0]
        if not isinstance(known, int):
            raise UnimplementedError(f"{what} must be known when the graph is built, and {value!r} is not.")
        return known
    if isinstance(value, EagerTensor | np.ndarray) and value.dtype != "string" and np.size(value) == 1:
        value = np.asarray(value).item()
    if value is None or isinstance(value, bool | str | bytes):
        raise ShapeError(f"{what} must be a whole number, not {value!r}.")
    return shapes.as_sizes([value])[0]


def integers_of(value: TensorLike | None, what: str = "axis") -> tuple[int, ...]:
    """Return whole numbers, one or several, that must be known now."""
    if value.__class__ is int:
        return (value,)
    numbers = numbers_of(value, what)
    if numbers.__class__ is SymbolicTensor:
        raise UnimplementedError(f"{what} must be known when the graph is built, and {numbers!r} is not.")
    return tuple(numbers)


def _cast(x: Any, nptype: Any) -> Any:
    return x if x.nptype == nptype else apply(linear.CAST, (x,), {"dtype": nptype.name})


def _allocated(make: Callable[..., Any], sizes: tuple[int, ...], *rest: Any) -> Any:
    """Return a new array of a shape.

    Raises:
        ResourceExhaustedError: where there is no memory for it.
    """
    try:
        return make(sizes, *rest)
    except MemoryError as error:
        raise ResourceExhaustedError(f"There is no memory for a tensor of shape {list(sizes)}: {error}") from error


def known(array: Any, name: str | None = None) -> Any:
    """Return an array, which nobody changes from now on, as a constant."""
    graph = state.graph
    if graph is None:
        return EagerTensor(array)
    return graph.append(linear.CONSTANT, (), {"value": array}, [(array.shape, array.dtype)], name, here()).outputs[0]


def _of_shape(array: TensorLike | None, what: Any, x: TensorLike | None, name: str | None) -> Any:
    """Return what follows from the shape of a tensor alone, as a constant; an eager one remembers the tensor."""
    if x.__class__ is EagerTensor and state.graph is None:
        return derived(array, what, x, gives="shape")
    return known(array, name or (what if isinstance(what, str) else what.type))


def _checked(op: Op, inputs: Sequence[Any], attrs: dict[str, Any], name: str | None) -> Any:
    """Apply an operation whose kernel would accept, by broadcasting, what its shape rule rejects."""
    if state.graph is None:
        op.infer(inputs, attrs)
    return apply(op, inputs, attrs, name)


def _indices(value: TensorLike, name: str) -> Any:
    """Return integer indices as a tensor; an empty list is one of integers."""
    if value.__class__ is list and not value:
        value = np.zeros(0, np.int32)
    t = convert(value, name=name)
    if t.nptype.kind not in "iu":
        raise DTypeError(f"{name} must be integers, not {t.dtype.name}.")
    return t


def _rank_of(x: Any, what: str) -> int:
    if x.sizes is None:
        raise ShapeError(f"{what} needs a tensor of known rank.")
    return len(x.sizes)


# --- making tensors -------------------------------------------------------------------------------------------------


def constant(
    value: TensorLike, dtype: DtypeLike | None = None, shape: ShapeLike | None = None, name: str | None = "Const"
) -> Any:
    """Return a Python or NumPy value as a tensor; Python numbers become float32 and int32.

    ``shape``: what the value is reshaped to; one number fills it.

    Raises:
        TypeError: for a graph's tensor, and where the value does not fit the dtype.
        ValueError: for ragged nesting.

    >>> import wengert as tf
    >>> tf.constant([1.0, 2.0])
    <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    >>> tf.constant(7, shape=[2]).numpy().tolist()
    [7, 7]
    """
    if value.__class__ is SymbolicTensor:
        raise TypeError(f"Expected any non-tensor type, but got a tensor instead: {value!r}. It needs no constant().")
    if (value.__class__ is list or isinstance(value, list | tuple)) and holds_tensors(value):
        _refuse_symbolic(value)
    elif value.__class__ is list and shape is None:
        return of_values(value, None if dtype is None else as_dtype(dtype).numpy, name=name)
    if shape is None:
        return convert(value, dtype, name=name)
    sizes, symbolic = sizes_of(shape)
    if symbolic:
        raise ShapeError(f"The shape of a constant must be known, not {shape!r}.")
    if isinstance(value, Tensor):
        array = convert(value, dtype).array
    else:
        before, state.graph = state.graph, None
        try:
            array = convert(value, dtype).array
        finally:
            state.graph = before
    if array.size == 1 and math.prod(sizes) != 1:
        return known(_allocated(np.full, sizes, array.reshape(()), array.dtype), name)
    if array.size != math.prod(sizes):
        raise DTypeError(f"Eager execution of tf.constant with unsupported shape. Tensor has {array.size} elements, "
                         f"but got `shape` {list(sizes)} with {math.prod(sizes)} elements.")  # fmt: skip
    return known(array.reshape(sizes), name)


def _refuse_symbolic(value: Any) -> None:
    """Raise what NumPy's reading of a symbolic tensor does, for nested sequences that hold one."""
    pending = list(value)
    while pending:
        item = pending.pop()
        if isinstance(item, list | tuple):
            pending.extend(item)
        elif item.__class__ is SymbolicTensor:
            np.asarray(item)


def convert_to_tensor(value: TensorLike, dtype: DtypeLike | None = None, dtype_hint: Any = None, name: str | None = None) -> Any:
    """Return a number, list, array, variable or tensor as a tensor.

    ``dtype_hint``: the dtype where the value can have it, else its own.

    Raises:
        DTypeError: (a ValueError and a TypeError) where a tensor has another dtype than the one asked for.

    >>> import wengert as tf
    >>> tf.convert_to_tensor([1, 2]).dtype
    tf.int32
    """
    if dtype is None and dtype_hint is not None and not isinstance(value, Tensor):
        try:
            return convert(value, dtype_hint, name=name)
        except (TypeError, ValueError):
            pass
    return convert(value, dtype, name=name)


def is_tensor(x: TensorLike) -> bool:
    """Whether the value is a tensor or a variable.

    >>> import wengert as tf
    >>> tf.is_tensor(tf.constant(1.0)), tf.is_tensor(1.0)
    (True, False)
    """
    return isinstance(x, Tensor | Composite) or hasattr(x, "_as_tensor")


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """Return the NumPy value of a tensor that is known without a run, or None."""
    if not isinstance(tensor, SymbolicTensor):
        if tensor is None:
            return None
        try:
            return np.asarray(tensor)
        except ValueError as error:
            raise InvalidArgumentError(f"get_static_value: {tensor!r} is no tensor, number or regular list.") from error
    if tensor.node.op is linear.CONSTANT:
        return tensor.node.attrs["value"]
    found = static_value(tensor)
    if found is None or (isinstance(found, list) and None in found):
        return None
    return np.asarray(found, tensor.nptype)


def zeros(shape: ShapeLike | None, dtype: DtypeLike = dtypes.float32, name: str | None = None, layout: Any = None) -> Any:
    """Return zeros of a shape.

    Raises:
        ShapeError: (a ValueError) for a negative size.

    >>> import wengert as tf
    >>> tf.zeros([2, 1]).numpy().tolist()
    [[0.0], [0.0]]
    """
    return _filled(0, shape, dtype, name or "zeros")


def ones(shape: ShapeLike, dtype: DtypeLike = dtypes.float32, name: str | None = None, layout: Any = None) -> Any:
    """Return ones of a shape; ``[4.0, 1.0]`` is a shape too.

    >>> import wengert as tf
    >>> tf.ones([2.0]).numpy().tolist()
    [1.0, 1.0]
    """
    return _filled(1, shape, dtype, name or "ones")


def _filled(value: int, shape: ShapeLike | None, dtype: DtypeLike, name: str) -> Any:
    sizes, symbolic = sizes_of(shape)
    nptype = as_dtype(dtype).numpy
    if nptype.kind == "O":
        if value:
            raise DTypeError("A tensor of strings has no ones.")
        return known(_allocated(np.full, sizes if not symbolic else (), b"", object), name)
    if not symbolic and (state.graph is None or math.prod(sizes) <= CONSTANT_LIMIT):
        return known(_allocated(np.zeros if value == 0 else np.ones, sizes, nptype), name)
    return apply(linear.FILL, (known(np.asarray(value, nptype), f"{name}/Const"), *symbolic), {"shape": sizes}, name)


def fill(dims: TensorLike, value: TensorLike, name: str | None = None, layout: Any = None) -> Any:
    """Return a tensor of shape ``dims`` that holds one scalar throughout.

    Raises:
        ShapeError: if the value is no scalar.

    >>> import wengert as tf
    >>> tf.fill([3], 2.5).numpy().tolist()
    [2.5, 2.5, 2.5]
    """
    sizes, symbolic = sizes_of(dims)
    x = convert(value, name="Fill/value")
    if x.sizes not in ((), None):
        raise ShapeError(f"fill takes a scalar, not shape {shapes.text(x.sizes)}.")
    return apply(linear.FILL, (x, *symbolic), {"shape": sizes}, name)


def zeros_like(input: TensorLike, dtype: DtypeLike | None = None, name: str | None = None, layout: Any = None) -> Any:
    """Return zeros of the shape, and unless told otherwise of the dtype, of a tensor."""
    return _like(linear.ZEROS_LIKE, input, dtype, name)


def ones_like(input: Any, dtype: DtypeLike | None = None, name: str | None = None, layout: Any = None) -> Any:
    """Return ones of the shape, and unless told otherwise of the dtype, of a tensor."""
    return _like(linear.ONES_LIKE, input, dtype, name)


def _like(op: Op, value: Any, dtype: DtypeLike | None, name: str | None) -> Any:
    x = convert(value)
    nptype = x.nptype if dtype is None else as_dtype(dtype).numpy
    if nptype.kind == "O" or x.nptype.kind == "O":
        if x.sizes is None or None in x.sizes:
            raise UnimplementedError(f"{op.name}: strings of unknown shape.")
        return _filled(int(op is linear.ONES_LIKE), x.sizes, nptype, name or op.label)
    if x.__class__ is EagerTensor and state.graph is None:
        return derived((np.zeros if op is linear.ZEROS_LIKE else np.ones)(x.array.shape, nptype), op, x)
    if x.nptype == nptype:
        return apply(op, (x,), name=name)
    return apply(linear.CAST, (apply(op, (x,)),), {"dtype": nptype.name}, name)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: ShapeLike | None = None,
    dtype: DtypeLike = dtypes.float32,
    name: str | None = None,
) -> Any:
    """Return the identity matrix, shape (..., num_rows, num_columns).

    >>> import wengert as tf
    >>> tf.eye(2).numpy().tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    nptype = as_dtype(dtype).numpy
    sizes, symbolic = sizes_of([num_rows, num_rows if num_columns is None else num_columns])
    name = name or "eye"
    if symbolic:
        down, across = (apply(linear.RANGE, _range_inputs(0, symbolic[0][i], 1)) for i in (0, 1))
        hit = apply(elementwise.EQUAL, (expand_dims(down, 1), expand_dims(across, 0)))
        result = apply(linear.CAST, (hit,), {"dtype": nptype.name}, name)
    else:
        result = known(_allocated(lambda s: np.eye(*s, dtype=nptype), sizes), f"{name}/diag" if batch_shape is None else None)
    if batch_shape is None:
        return result
    batch, more = sizes_of(batch_shape)
    if symbolic or more:
        whole = concat([*(more or [constant(batch, dtypes.int32)]), shape(result)], 0)
        return apply(linear.BROADCAST_TO, (result, whole), {"shape": None}, name)
    return apply(linear.BROADCAST_TO, (result,), {"shape": sizes_of((*batch, *sizes))[0]}, name)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Any:
    """Return start, start + delta, ... up to but without limit; with one argument, 0, 1, ... up to it.

    Raises:
        InvalidArgumentError: (a ValueError) for a zero delta, or one that leads away from the limit.

    >>> import wengert as tf
    >>> tf.range(3).numpy().tolist(), tf.range(0.0, 1.0, 0.5).numpy().tolist()
    ([0, 1, 2], [0.0, 0.5])
    """
    if limit is None:
        start, limit = 0, start
    whole = start.__class__ is int and limit.__class__ is int and delta.__class__ is int and dtype is None
    if whole and state.graph is None and delta > 0 and -(2**31) <= start <= limit < 2**31:
        return EagerTensor(np.arange(start, limit, delta, dtype=INT32))
    inputs = _range_inputs(start, limit, delta, dtype)
    if any(t.__class__ is SymbolicTensor and t.node.op is not linear.CONSTANT for t in inputs):
        return apply(linear.RANGE, inputs, name=name)
    first, last, step = (t.array if t.__class__ is EagerTensor else t.node.attrs["value"] for t in inputs)
    count = linear.range_count(first, last, step)
    if state.graph is None:
        return apply(linear.RANGE, inputs)
    result = apply(linear.RANGE, inputs, name=name)
    result.set_shape((count,))
    return result


def _range_inputs(start: Any, limit: Array | None, delta: Any, dtype: Any = None) -> list[Any]:
    values = [start, limit, delta]
    if dtype is not None:
        nptype = as_dtype(dtype).numpy
        return [_cast(convert(v, name="range/bound"), nptype) for v in values]
    tensors = [convert(v, name="range/bound") for v in values]
    order = [INT32, INT64, np.dtype(np.float16), FLOAT32, np.dtype(np.float64)]
    typed = [t.nptype for v, t in zip(values, tensors, strict=True) if not isinstance(v, int | float)]
    kinds = [t.nptype for t in tensors] if not typed else [*typed, *(t.nptype for t in tensors if t.nptype.kind == "f")]
    if any(k.kind not in "iuf" for k in kinds):
        raise DTypeError(f"range takes real numbers, not {[t.dtype.name for t in tensors]}.")
    if any(k not in order for k in kinds):
        nptype = kinds[0]
    else:
        nptype = max(kinds, key=order.index)
    for t in tensors:
        if t.sizes not in ((), None):
            raise ShapeError(f"range takes scalars, not shape {shapes.text(t.sizes)}.")
    return [_cast(t, nptype) if t.__class__ is not SymbolicTensor or t.node.op is not linear.CONSTANT
            else (t if t.nptype == nptype else known(t.node.attrs["value"].astype(nptype), "range/bound"))
            for t in tensors]  # fmt: skip


def linspace(start: TensorLike, stop: TensorLike, num: TensorLike, name: str | None = None, axis: AxisLike = 0) -> Any:
    """Return num evenly spaced values from start to stop, both included, along a new axis.

    start and stop may be tensors of one shape, and have derivatives.

    Raises:
        InvalidArgumentError: (a ValueError) unless num is positive.

    >>> import wengert as tf
    >>> tf.linspace(0.0, 1.0, 3).numpy().tolist()
    [0.0, 0.5, 1.0]
    """
    if isinstance(start, int) and not isinstance(start, bool) and not isinstance(stop, Tensor):
        start = float(start)
    pair = coerce(elementwise.ADD, start, stop)
    if pair is None or pair[0].nptype.kind not in "fc":
        raise DTypeError(f"linspace takes floats, not {start!r} and {stop!r}.")
    if num.__class__ is SymbolicTensor and not isinstance(static_value(num), int):
        first, last = pair
        count = _cast(num, INT32)
        steps = apply(linear.RANGE, _range_inputs(0, count, 1))
        most = apply(elementwise.MAXIMUM, (count - 1, convert(1, INT32)))
        share = _cast(steps, first.nptype) / _cast(most, first.nptype)
        if first.sizes != () or last.sizes != ():
            raise UnimplementedError("linspace of a number of values that is not known takes scalars.")
        return first + (last - first) * share
    number = integer_of(num, "num")
    if number < 1:
        raise InvalidArgumentError(f"linspace: num must be positive, not {number}.")
    if number > linear.MOST_ELEMENTS:
        raise ResourceExhaustedError(f"linspace of {number} values is beyond any memory.")
    return apply(linear.LINSPACE, pair, {"num": number, "axis": integer_of(axis)}, name)


lin_space = linspace


def meshgrid(*args: Any, **keywords: Any) -> list[Any]:
    """Return the coordinates of a grid, one tensor for each vector; ``indexing="xy"`` (the default) or ``"ij"``.

    Raises:
        ValueError: for another indexing.

    >>> import wengert as tf
    >>> [g.numpy().tolist() for g in tf.meshgrid([1, 2], [3, 4, 5])]
    [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
    """
    indexing = keywords.pop("indexing", "xy")
    keywords.pop("name", None)
    if keywords:
        raise TypeError(f"'{next(iter(keywords))}' is an invalid keyword argument for this function")
    if not isinstance(indexing, str) or indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'")
    vectors = [reshape(x, [-1]) for x in args]
    n = len(vectors)
    places = list(builtins.range(n))
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    whole: list[Any] = [None] * n
    for v, p in zip(vectors, places, strict=True):
        whole[p] = size(v) if v.sizes[0] is None else v.sizes[0]
    sizes, symbolic = sizes_of(whole)
    grids = []
    for v, p in zip(vectors, places, strict=True):
        spread = tuple(-1 if i == p else 1 for i in builtins.range(n))
        grids.append(apply(linear.BROADCAST_TO, (apply(linear.RESHAPE, (v,), {"shape": spread}), *symbolic), {"shape": sizes}))
    return grids


# --- passing on and converting --------------------------------------------------------------------------------------


def identity(input: TensorLike, name: str | None = None) -> Any:
    """Return the tensor as a new one of the same value."""
    if isinstance(input, Composite):
        return map_structure(identity, input)
    x = convert(input)
    return together(apply(linear.IDENTITY, (x,), name=name), (x,))


def identity_n(input: TensorLike, name: str | None = None) -> list[Any]:
    """Return the tensors as new ones of the same values."""
    return [identity(x) for x in checks.listed(input, "identity_n", "input")]


def guarantee_const(input: TensorLike, name: str | None = None) -> Any:
    """Return the tensor: no use is made of the guarantee."""
    return identity(input, name)


def stop_gradient(input: TensorLike, name: str | None = None) -> Any:
    """Return the tensor as a constant: derivatives do not pass.

    >>> import wengert as tf
    >>> tf.stop_gradient(tf.constant(3.0)).numpy()
    np.float32(3.0)
    """
    return apply(linear.STOP_GRADIENT, (convert(input),), name=name)


def cast(x: TensorLike, dtype: DtypeLike, name: str | None = None) -> Any:
    """Return the tensor with another dtype: floats are cut to integers, complex numbers lose their imaginary part.

    Raises:
        UnimplementedError: from or to strings.

    >>> import wengert as tf
    >>> tf.cast([1.9, -1.9], tf.int32).numpy().tolist()
    [1, -1]
    """
    if isinstance(x, SparseTensor):
        return x.with_values(cast(x.values, dtype, name))
    nptype = as_dtype(dtype).numpy
    x = convert(x, name="Cast/x")
    if x.nptype == nptype:
        return apply(linear.IDENTITY, (x,)) if x.__class__ is WeakTensor else x
    if x.nptype.kind == "O" or nptype.kind == "O":
        raise UnimplementedError(f"Cast {x.dtype.name} to {as_dtype(dtype).name} is not supported.")
    return apply(linear.CAST, (x,), {"dtype": nptype.name}, name)


def saturate_cast(value: TensorLike, dtype: DtypeLike, name: str | None = None) -> Any:
    """Return the tensor with another dtype, values beyond its range clipped to it."""
    x, target = convert(value), as_dtype(dtype)
    if x.nptype.kind == "c" and target.kind != "c":
        x = apply(elementwise.REAL_PART, (x,))
    if x.nptype.kind not in "iuf" or target.kind not in "iuf":
        return cast(x, target, name)
    low, high = (_inward(x.dtype, limit) for limit in (target.min, target.max))
    bounds = known(np.asarray(low, x.nptype)), known(np.asarray(high, x.nptype))
    return cast(apply(elementwise.CLIP, (x, *bounds)), target, name)


def _inward(dtype: Any, limit: Any) -> Any:
    """Return the value of a dtype nearest to a limit that does not lie beyond it."""
    if dtype.kind in "iu":
        return max(dtype.min, min(dtype.max, int(limit)))
    value = dtype.as_numpy_dtype(max(float(dtype.min), min(float(dtype.max), float(limit))))
    return np.nextafter(value, dtype.as_numpy_dtype(0)) if abs(int(value)) > abs(int(limit)) else value


def bitcast(input: TensorLike, type: Any, name: str | None = None) -> Any:
    """Return the tensor's memory read as another dtype; another width adds or takes a last axis."""
    x, target = convert(input), as_dtype(type)
    if x.nptype.kind == "O" or target.kind == "O" or x.nptype.kind == "b" or target.kind == "b":
        raise DTypeError(f"bitcast does not read {x.dtype.name} as {target.name}.")
    return _checked(linear.BITCAST, (x,), {"dtype": target.numpy.name}, name)


# --- shape ----------------------------------------------------------------------------------------------------------


def shape(input: Any, out_type: DtypeLike | None = None, name: str | None = None) -> Any:
    """Return the shape of a tensor as an integer tensor (int32 unless told otherwise).

    >>> import wengert as tf
    >>> tf.shape([[1.0, 2.0]]).numpy().tolist()
    [1, 2]
    """
    nptype = INT32 if out_type is None else as_dtype(out_type).numpy
    if isinstance(input, SparseTensor):
        return cast(input.dense_shape, nptype, name)
    x = convert(input)
    if x.sizes is not None and None not in x.sizes:
        return _of_shape(np.asarray(x.sizes, nptype), linear.SHAPE, x, name)
    return apply(linear.SHAPE, (x,), {"dtype": nptype.name}, name)


def shape_n(input: TensorLike, out_type: DtypeLike = dtypes.int32, name: str | None = None) -> list[Any]:
    """Return the shapes of several tensors."""
    return [shape(x, out_type) for x in checks.listed(input, "shape_n", "input")]


def size(input: TensorLike, out_type: DtypeLike = dtypes.int32, name: str | None = None) -> Any:
    """Return the number of elements of a tensor, a scalar integer tensor."""
    nptype = as_dtype(out_type).numpy
    if isinstance(input, SparseTensor):
        return cast(apply(reduction.PROD, (input.dense_shape,), {"axis": (0,), "keepdims": False}), nptype, name)
    x = convert(input)
    if x.sizes is not None and None not in x.sizes:
        return _of_shape(np.asarray(math.prod(x.sizes), nptype), linear.SIZE, x, name)
    return apply(linear.SIZE, (x,), {"dtype": nptype.name}, name)


def rank(input: TensorLike, name: str | None = None) -> Any:
    """Return the number of axes of a tensor, a scalar int32 tensor."""
    if isinstance(input, SparseTensor):
        return size(input.dense_shape, name=name)
    x = convert(input)
    if x.sizes is not None:
        return _of_shape(np.asarray(len(x.sizes), INT32), "Rank", x, name)
    return apply(linear.SIZE, (apply(linear.SHAPE, (x,), {"dtype": "int32"}),), {"dtype": "int32"}, name or "Rank")


def reshape(tensor: Any, shape: ShapeLike | Tensor, name: str | None = None) -> Any:
    """Return the tensor with another shape; one size may be -1: what is left.

    Raises:
        ShapeError: (a ValueError) where the numbers of elements differ.

    >>> import wengert as tf
    >>> tf.reshape([1, 2, 3, 4], [2, -1]).numpy().tolist()
    [[1, 2], [3, 4]]
    """
    sizes, symbolic = sizes_of(shape, wild=True)
    x = tensor if tensor.__class__ is EagerTensor else convert(tensor, name="Reshape/tensor")
    result = apply(linear.RESHAPE, (x, *symbolic), {"shape": sizes}, name)
    return result if x.__class__ is EagerTensor else together(result, (x,))


def squeeze(input: TensorLike, axis: AxisLike | None = None, name: str | None = None) -> Any:
    """Return the tensor without its axes of size 1, or without those named.

    Raises:
        ShapeError: (a ValueError) if a named axis has another size.
    """
    x = convert(input)
    axes = None if axis is None else integers_of(axis)
    return apply(linear.SQUEEZE, (x,), {"axis": axes or None}, name)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Any:
    """Return the tensor with a new axis of size 1 at a place.

    >>> import wengert as tf
    >>> tf.expand_dims([1, 2], 1).shape
    TensorShape([2, 1])
    """
    return apply(linear.EXPAND_DIMS, (convert(input),), {"axis": integer_of(axis)}, name)


def transpose(a: Any, perm: TensorLike | None = None, conjugate: bool = False, name: str | None = "transpose") -> Any:
    """Return the tensor with its axes permuted; without a permutation, reversed.

    Raises:
        ShapeError: (a ValueError) unless perm names each axis once.

    >>> import wengert as tf
    >>> tf.transpose([[1, 2], [3, 4]]).numpy().tolist()
    [[1, 3], [2, 4]]
    """
    x = convert(a)
    axes = None if perm is None else numbers_of(perm, "perm")
    if axes.__class__ is SymbolicTensor:
        result = apply(linear.TRANSPOSE_BY, (x, axes), {"back": False}, name)
    else:
        axes = None if axes is None else tuple(axes)
        if axes is not None and x.sizes is not None and len(axes) == len(x.sizes):
            axes = tuple(axis_of(i, len(axes), "perm") for i in axes)
        result = together(apply(linear.TRANSPOSE, (x,), {"axes": axes}, name), (x,))
    conjugate = checks.flag(conjugate, "transpose", "conjugate")
    return apply(elementwise.CONJ, (result,)) if conjugate and x.nptype.kind == "c" else result


def tile(input: TensorLike, multiples: TensorLike, name: str | None = None) -> Any:
    """Return the tensor repeated along each axis.

    >>> import wengert as tf
    >>> tf.tile([1, 2], [2]).numpy().tolist()
    [1, 2, 1, 2]
    """
    x = convert(input, name="Tile/input")
    times, symbolic = sizes_of(multiples)
    if times is not None and x.sizes is not None:
        linear.TILE.infer((x,), {"multiples": times})
        sizes_of([1 if s is None else s * t for s, t in zip(x.sizes, times, strict=True)])
    return apply(linear.TILE, (x, *symbolic), {"multiples": times}, name)


def broadcast_to(input: TensorLike, shape: ShapeLike, name: str | None = None) -> Any:
    """Return the tensor broadcast to a shape.

    Raises:
        ShapeError: (a ValueError) if it cannot be.
    """
    sizes, symbolic = sizes_of(shape, wild=True)
    x = convert(input)
    if sizes is not None and -1 in sizes:
        if x.sizes is None or None in x.sizes or len(x.sizes) != len(sizes):
            raise ShapeError(f"broadcast_to: -1 stands for a size that is known, and {x!r} has none there.")
        sizes = tuple(s if t == -1 else t for s, t in zip(x.sizes, sizes, strict=True))
    return apply(linear.BROADCAST_TO, (x, *symbolic), {"shape": sizes}, name)


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Return the static shape of an elementwise operation on two shapes.

    Raises:
        ShapeError: (a ValueError) if they do not fit.
    """
    return TensorShape(shapes.broadcast(shapes.as_shape(shape_x), shapes.as_shape(shape_y)))


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Any:
    """Return the shape of an elementwise operation on two shapes, as an integer tensor."""
    pair = coerce(elementwise.ADD, _indices(shape_x, "shape_x"), _indices(shape_y, "shape_y"))
    return apply(linear.BROADCAST_SHAPE, pair or ())


def ensure_shape(x: TensorLike, shape: ShapeLike, name: str | None = None) -> Any:
    """Return the tensor, whose shape is checked against one that may be known in part.

    Raises:
        ShapeError: (an InvalidArgumentError) if it is another, when known; in a graph perhaps only in a run.
    """
    return apply(linear.ENSURE_SHAPE, (convert(x),), {"shape": shapes.as_shape(shape)}, name)


# --- joining and parting --------------------------------------------------------------------------------------------


def _alike(values: TensorLike, what: str) -> list[Any]:
    """Return values as tensors of one dtype, those that are tensors deciding."""
    if isinstance(values, Tensor):
        values = list(values) if isinstance(values, EagerTensor) else [values]
    values = checks.listed(values, what, "values")
    for v in values:
        if v.__class__ is not EagerTensor:
            break
    else:
        first = values[0].array.dtype if values else None
        if all(v.array.dtype is first for v in values):
            return list(values)
    like = None
    for v in values:
        t = value_of(v)
        if isinstance(t, Tensor):
            like = t if like is None or like.nptype == t.nptype else _widest(like, t, what)
        elif isinstance(v, list | tuple) and holds_tensors(v) and like is None:
            like = convert(v)
    if like is None:
        array = [convert(v, name=f"{what}/values_{i}") for i, v in enumerate(values)]
        wide = array[0]
        for t in array[1:]:
            if wide.nptype.kind in "iu" and t.nptype.kind in "fc":
                wide = t  # Python numbers among themselves: an int becomes a float
            elif t.nptype.kind in "fc" and wide.nptype.kind in "fc":
                wide = _widest(wide, t, what)
        return [t if t.nptype == wide.nptype else convert(v, like=wide) for v, t in zip(values, array, strict=True)]
    parts = [convert(v, like=like, name=f"{what}/values_{i}") for i, v in enumerate(values)]
    for p in parts:
        if p.nptype != like.nptype:
            dtypes.promote(like.nptype, p.nptype, what)
    return [_cast(p, like.nptype) for p in parts]


def _widest(a: Any, b: Any, what: str) -> Any:
    nptype = dtypes.promote(a.nptype, b.nptype, what)
    return a if nptype == a.nptype else b if nptype == b.nptype else EagerTensor(np.zeros((), nptype))


def concat(values: TensorLike, axis: AxisLike, name: str | None = "concat") -> Any:
    """Return tensors joined along an axis.

    Floating dtypes promote; the sizes of the other axes are equal.

    Raises:
        ShapeError: (a ValueError) if another axis differs.
        UnimplementedError: if a graph decides the axis in a run.

    >>> import wengert as tf
    >>> tf.concat([[[1.0], [2.0]], [[3.0], [4.0]]], 1).numpy().tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    if not isinstance(values, list | tuple):
        values = [values]
    if not values:
        raise InvalidArgumentError("concat joins at least one tensor, and got an empty list.")
    parts = _alike(values, "concat")
    axis = axis if axis.__class__ is int else integer_of(axis)
    return apply(linear.CONCAT, parts, {"axis": axis}, name)


def stack(values: TensorLike, axis: AxisLike = 0, name: str | None = "stack") -> Any:
    """Return tensors of one shape joined along a new axis.

    Raises:
        ShapeError: (a ValueError) if the shapes differ.

    >>> import wengert as tf
    >>> tf.stack([[1, 2], [3, 4]], axis=1).numpy().tolist()
    [[1, 3], [2, 4]]
    """
    if isinstance(values, SymbolicTensor) and axis == 0:
        return values
    parts = _alike(values, "stack")
    if not parts:
        raise InvalidArgumentError("stack joins at least one tensor, and got an empty list.")
    return apply(linear.STACK, parts, {"axis": integer_of(axis)}, name)


def parallel_stack(values: TensorLike, name: str | None = "parallel_stack") -> Any:
    """Return tensors of one shape joined along a new first axis."""
    return stack(values, 0, name)


def unstack(value: TensorLike, num: TensorLike | None = None, axis: AxisLike = 0, name: str | None = "unstack") -> list[Any]:
    """Return the parts of a tensor along an axis, each without it.

    Raises:
        ValueError: if their number is neither known nor given, or is another.
    """
    x = convert(value)
    axis = integer_of(axis)
    if x.sizes == ():
        raise ShapeError("unstack takes a tensor with at least one axis.")
    if num is None:
        if x.sizes is not None:
            num = x.sizes[axis_of(axis, len(x.sizes))]
        if num is None:
            raise ShapeError(f"Cannot infer argument `num` from shape {shapes.text(x.sizes)}")
    return list(_checked(linear.UNSTACK, (x,), {"axis": axis, "num": integer_of(num, "num")}, name))


def split(
    value: Any, num_or_size_splits: Any, axis: AxisLike = 0, num: TensorLike | None = None, name: str | None = "split"
) -> list[Any]:
    """Return the parts of a tensor along an axis: so many equal ones, or of the sizes given (one may be -1).

    Raises:
        ShapeError: (a ValueError) if the parts do not add up.

    >>> import wengert as tf
    >>> [p.numpy().tolist() for p in tf.split([1, 2, 3], [1, 2])]
    [[1], [2, 3]]
    """
    x = convert(value)
    axis = integer_of(axis)
    if not isinstance(num_or_size_splits, list | tuple) and np.ndim(_shape_only(num_or_size_splits)) == 0:
        parts: Any = integer_of(num_or_size_splits, "num_or_size_splits")
        if parts < 1:
            raise InvalidArgumentError(f"split takes a positive number of parts, not {parts}.")
        if parts > CONSTANT_LIMIT**2:
            raise ResourceExhaustedError(f"split: {parts} tensors are beyond any memory.")
    else:
        sizes = numbers_of(num_or_size_splits, "the sizes of the parts")  # of parts, so that their product says nothing
        if sizes.__class__ is SymbolicTensor:
            return _split_dynamic(x, sizes, axis, num)
        if any(s < -1 for s in sizes):
            raise ShapeError(f"split: the parts {list(sizes)} have negative sizes.")
        parts = tuple(sizes)
    return list(_checked(linear.SPLIT, (x,), {"axis": axis, "parts": parts}, name))


def _shape_only(value: TensorLike) -> Any:
    """Return something of the rank of a number, an array or a tensor."""
    value = value_of(value)
    return np.empty((0,) * len(value.sizes or ())) if isinstance(value, Tensor) else value


def _split_dynamic(x: Any, sizes: Any, axis: int, num: Any) -> list[Any]:
    count = sizes.sizes[0] if num is None and sizes.sizes is not None else num
    if count is None:
        raise ShapeError("Cannot infer argument `num` from the sizes of the parts.")
    at: Any = 0
    axis = axis_of(axis, _rank_of(x, "split"))
    result = []
    for i in builtins.range(integer_of(count, "num")):
        end = at + sizes[i]
        result.append(getitem(x, (*[builtins.slice(None)] * axis, builtins.slice(at, end))))
        at = end
    return result


# --- rearranging ----------------------------------------------------------------------------------------------------


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None) -> Any:
    """Return the tensor with values put before and after it along each axis.

    ``paddings``: a pair (before, after) for each axis. ``mode``: "CONSTANT", "REFLECT" (the edge once) or "SYMMETRIC"
    (the edge twice).

    Raises:
        ShapeError: (a ValueError) for negative paddings, or more reflection than there is.

    >>> import wengert as tf
    >>> tf.pad([1, 2], [[1, 2]]).numpy().tolist()
    [0, 1, 2, 0, 0]
    """
    x = convert(tensor)
    if not isinstance(mode, str) or mode.lower() not in ("constant", "reflect", "symmetric"):
        raise ValueError(f"Expected mode to be one of CONSTANT, REFLECT, SYMMETRIC, not {mode!r}.")
    mode = mode.lower()
    pairs, symbolic = _pairs(paddings)
    value = constant_values
    value = value_of(value)
    attrs = {"paddings": pairs, "mode": mode, "value": 0}
    if mode == "constant" and not (value.__class__ is int and value == 0):
        value = convert(value, like=x)
        if value.sizes not in ((), None):
            raise ShapeError(f"constant_values must be a scalar, not {constant_values!r}.")
        inside = apply(linear.CAST, (apply(linear.ONES_LIKE, (x,)),), {"dtype": "bool"})
        inside = _checked(linear.PAD, (inside, *symbolic), attrs, None)
        padded = apply(linear.PAD, (x, *symbolic), attrs)
        return apply(elementwise.WHERE, (inside, padded, _cast(value, x.nptype)), name=name or "Pad")
    return _checked(linear.PAD, (x, *symbolic), attrs, name)


def _pairs(paddings: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return paddings as (pairs, ()), or as (None, (tensor,)) where a graph's tensor decides them."""
    paddings = value_of(paddings)
    if paddings.__class__ is not SymbolicTensor and isinstance(paddings, list | tuple) and holds_tensors(paddings):
        rows = [numbers_of(row, "paddings") for row in paddings]
        if any(row.__class__ is SymbolicTensor for row in rows):
            to = INT64 if any(row.__class__ is SymbolicTensor and row.nptype == INT64 for row in rows) else INT32
            paddings = stack([_cast(convert(row), to) for row in rows])
        else:
            paddings = rows
    if paddings.__class__ is SymbolicTensor:
        found = get_static_value(paddings)
        if found is None:
            return None, (paddings,)
        paddings = found
    array = np.asarray(convert_eagerly(paddings))
    if array.size == 0:
        array = array.reshape(-1, 2).astype(np.int32)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iuf":
        raise ShapeError(f"paddings must be a pair of whole numbers for each axis, not {paddings!r}.")
    return tuple(tuple(shapes.as_sizes(row)) for row in array.tolist()), ()


def convert_eagerly(value: Any) -> Any:
    """Return the NumPy array of a value that is known now, whatever graph is being built."""
    if isinstance(value, EagerTensor):
        return value.array
    graph, observers = state.graph, state.observers
    state.graph, state.observers = None, ()
    try:
        return convert(value).array
    finally:
        state.graph, state.observers = graph, observers


def reverse(tensor: TensorLike, axis: AxisLike, name: str | None = None) -> Any:
    """Return the tensor with the order along some axes reversed.

    >>> import wengert as tf
    >>> tf.reverse([1, 2, 3], [0]).numpy().tolist()
    [3, 2, 1]
    """
    x = convert(tensor)
    return apply(linear.REVERSE, (x,), {"axis": _axes(x, axis)}, name)


def _axes(x: Any, axis: AxisLike | None) -> tuple[int, ...]:
    n = None if x.sizes is None else len(x.sizes)
    axes = tuple(axis_of(a, n) for a in integers_of(axis))
    if n == 0 and axes:
        raise ShapeError("a scalar has no axis.")
    return axes


def roll(input: TensorLike, shift: TensorLike, axis: AxisLike, name: str | None = None) -> Any:
    """Return the tensor with its elements moved along axes; those that leave at one end come in at the other.

    >>> import wengert as tf
    >>> tf.roll([1, 2, 3], 1, 0).numpy().tolist()
    [3, 1, 2]
    """
    x = convert(input)
    shifts, axes = integers_of(shift, "shift"), _axes(x, axis)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: shift {list(shifts)} and axis {list(axes)} have different lengths.")
    return apply(linear.ROLL, (x,), {"shift": shifts, "axis": axes}, name)


def reverse_sequence(
    input: TensorLike, seq_lengths: Any, seq_axis: Any = None, batch_axis: Any = None, name: str | None = None
) -> Any:
    """Return the tensor with the first seq_lengths[i] elements of each sequence i reversed.

    Raises:
        InvalidArgumentError: (a ValueError) if a length exceeds the axis.
    """
    x, lengths = convert(input), _indices(seq_lengths, "seq_lengths")
    n = None if x.sizes is None else len(x.sizes)
    if seq_axis is None:
        raise ShapeError("reverse_sequence needs seq_axis.")
    attrs = {
        "axis": axis_of(integer_of(seq_axis), n),
        "batch_axis": axis_of(integer_of(0 if batch_axis is None else batch_axis), n),
    }
    return _checked(linear.REVERSE_SEQUENCE, (x, lengths), attrs, name)


def repeat(input: TensorLike, repeats: TensorLike, axis: AxisLike | None = None, name: str | None = None) -> Any:
    """Return the tensor with its elements along an axis repeated; without an axis, of the flattened tensor.

    ``repeats``: one number, or one for each element.

    >>> import wengert as tf
    >>> tf.repeat([3, 4], [1, 2]).numpy().tolist()
    [3, 4, 4]
    """
    x = convert(input)
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    axis = axis_of(integer_of(axis), _rank_of(x, "repeat"))
    if not x.sizes:
        x = reshape(x, [1])
    times = _indices(repeats, "repeats")
    if times.sizes is not None and len(times.sizes) > 1:
        raise ShapeError(f"repeat: repeats must be one number or a vector, not of shape {shapes.text(times.sizes)}.")
    n = shape(x)[axis]
    at = apply(linear.REPEAT_INDEX, (times, n), {})
    result = apply(linear.TAKE, (x, at), {"axis": axis, "batch_dims": 0}, name)
    given = static_value(times) if result.__class__ is SymbolicTensor else None
    if isinstance(given, list) and None not in given and len(given) != 1:
        result.set_shape([*x.sizes[:axis], sum(given), *x.sizes[axis + 1 :]])
    elif isinstance(given, int) and x.sizes[axis] is not None:
        result.set_shape([*x.sizes[:axis], x.sizes[axis] * given, *x.sizes[axis + 1 :]])
    return result


# --- indexing -------------------------------------------------------------------------------------------------------


def slice(input_: Any, begin: TensorLike, size: TensorLike, name: str | None = None) -> Any:
    """Return the part of a tensor that starts at begin and has the sizes given; -1: all that is left.

    Raises:
        ShapeError: (a ValueError) if the part does not lie within the tensor.

    >>> import wengert as tf
    >>> tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).numpy().tolist()
    [[2, 3], [5, 6]]
    """
    x = convert(input_)
    starts, counts = (_scalars(v, x, what) for v, what in ((begin, "begin"), (size, "size")))
    if len(starts) != len(counts) or (x.sizes is not None and len(x.sizes) != len(starts)):
        raise ShapeError(
            f"slice: begin and size need one number for each axis of shape {shapes.text(x.sizes)}, "
            f"and have {len(starts)} and {len(counts)}."
        )
    index = []
    for axis, (start, count) in enumerate(zip(starts, counts, strict=True)):
        whole = None if x.sizes is None else x.sizes[axis]
        if isinstance(start, int) and isinstance(count, int):
            if start < 0 or count < -1 or (whole is not None and start + max(count, 0) > whole):
                raise ShapeError(f"slice: from {start}, {count} elements, does not lie within axis {axis} of shape "
                                 f"{shapes.text(x.sizes)}.")  # fmt: skip
        if isinstance(count, int):
            index.append(builtins.slice(start, None if count == -1 else start + count))
        else:
            given = static_value(count)
            index.append(builtins.slice(start, start + count if given != -1 else None))
    return _indexed(x, index, name or "Slice")


def _indexed(x: Any, index: list[Any], name: str) -> Any:
    """Return x[index], in a graph under a name."""
    bounds = [b for i in index for b in ((i.start, i.stop, i.step) if isinstance(i, builtins.slice) else (i,))]
    if any(isinstance(b, SymbolicTensor) for b in bounds):
        return getitem(x, tuple(index))
    return apply(linear.GETITEM, (x,), {"index": tuple(index)}, name)


def _scalars(value: TensorLike, x: TensorLike, what: str) -> list[Any]:
    """Return a vector argument as a list of ints and symbolic scalars."""
    value = value_of(value)
    if isinstance(value, list | tuple) and any(v.__class__ is SymbolicTensor for v in value):
        items = [_number(v) for v in value]
        return [v if v.__class__ is SymbolicTensor else shapes.as_sizes([v])[0] for v in items]
    numbers = numbers_of(value, what)
    if numbers.__class__ is not SymbolicTensor:
        return list(numbers)
    n = numbers.sizes[0] if numbers.sizes is not None else None
    n = n if n is not None else _rank_of(x, "slice")
    at = static_value(numbers) or [None] * n
    return [numbers[i] if at[i] is None else at[i] for i in builtins.range(n)]


def strided_index(
    starts: Sequence[Any], ends: Sequence[Any], steps: Sequence[Any], begin_mask: Any, end_mask: Any, ellipsis_mask: Any,
    new_axis_mask: Any, shrink_axis_mask: Any,
) -> list[Any]:  # fmt: skip
    """Return the index that `strided_slice` takes, as Python writes it."""
    begin_mask, end_mask = integer_of(begin_mask, "begin_mask"), integer_of(end_mask, "end_mask")
    ellipsis_mask, new_axis_mask = integer_of(ellipsis_mask, "ellipsis_mask"), integer_of(new_axis_mask, "new_axis_mask")
    shrink_axis_mask = integer_of(shrink_axis_mask, "shrink_axis_mask")
    index: list[Any] = []
    for i, (a, b, s) in enumerate(zip(starts, ends, steps, strict=True)):
        bit = 1 << i
        if ellipsis_mask & bit:
            index.append(Ellipsis)
        elif new_axis_mask & bit:
            index.append(None)
        elif shrink_axis_mask & bit:
            index.append(a)
        else:
            index.append(builtins.slice(None if begin_mask & bit else a, None if end_mask & bit else b, s))
    return index


def strided_slice(
    input_: Any,
    begin: TensorLike,
    end: TensorLike,
    strides: int | Sequence[int] | None = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: TensorLike | None = None,
    name: str | None = None,
) -> Any:
    """Return x[begin:end:strides, ...]; bit i of a mask concerns the i-th item of the index.

    begin_mask and end_mask: from the start, to the end; ellipsis_mask: ``...``; new_axis_mask: ``newaxis``;
    shrink_axis_mask: the integer begin[i].
    """
    x = convert(input_)
    starts, ends = _scalars(begin, x, "begin"), _scalars(end, x, "end")
    steps = [1] * len(starts) if strides is None else _scalars(strides, x, "strides")
    if not len(starts) == len(ends) == len(steps):
        raise ShapeError("strided_slice: begin, end and strides have different lengths.")
    index = strided_index(starts, ends, steps, begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return _indexed(x, index, name or "StridedSlice")


def gather(
    params: TensorLike,
    indices: TensorLike,
    validate_indices: Any = None,
    axis: AxisLike | None = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Any:
    """Return the slices of a tensor that stand at some indices of an axis.

    The shape is params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]. The first ``batch_dims``
    axes of both belong together; without an axis it is the next one.

    Raises:
        InvalidArgumentError: (a ValueError) for an index out of range.

    >>> import wengert as tf
    >>> tf.gather([10, 20, 30], [2, 0]).numpy().tolist()
    [30, 10]
    """
    x, at = convert(params, name="GatherV2/params"), _indices(indices, "GatherV2/indices")
    batch = integer_of(batch_dims, "batch_dims")
    if batch < 0:
        batch = axis_of(batch, _rank_of(at, "gather"), "batch_dims")
    along = batch if axis is None else integer_of(axis)
    return _checked(linear.TAKE, (x, at), {"axis": along, "batch_dims": batch}, name)


def gather_nd(
    params: TensorLike, indices: TensorLike, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return the elements, or slices, of a tensor at coordinates, which stand along the last axis of the indices.

    Raises:
        InvalidArgumentError: (a ValueError) for an index out of range.

    >>> import wengert as tf
    >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).numpy().tolist()
    [2, 3]
    """
    x, at = convert(params, name="GatherNd/params"), _indices(indices, "GatherNd/indices")
    batch = integer_of(batch_dims, "batch_dims")
    if at.sizes == ():
        raise ShapeError("gather_nd: the coordinates stand along the last axis of the indices, and a scalar has none.")
    if batch == 0 and at.sizes is not None and at.sizes[-1] == 1 and x.sizes != ():
        # One coordinate is the number of a row: what rows hand back is sparse.
        return _checked(linear.TAKE, (x, apply(linear.SQUEEZE, (at,), {"axis": (-1,)})), {"axis": 0, "batch_dims": 0}, name)
    return _checked(linear.GATHER_ND, (x, at), {"batch_dims": batch}, name)


def scatter_nd(
    indices: TensorLike, updates: TensorLike, shape: ShapeLike, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return zeros of a shape, with updates added at coordinates.

    >>> import wengert as tf
    >>> tf.scatter_nd([[1], [1]], [5, 6], [3]).numpy().tolist()
    [0, 11, 0]
    """
    at, values = _indices(indices, "ScatterNd/indices"), convert(updates, name="ScatterNd/updates")
    sizes, symbolic = sizes_of(shape)
    return _checked(linear.SCATTER_ND, (values, at, *symbolic), {"shape": sizes}, name)


def _scatter(op: Op, tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None) -> Any:
    x, at = convert(tensor), _indices(indices, "indices")
    pair = coerce(elementwise.WHERE, x, convert(updates, like=x))
    if pair is None:
        raise DTypeError(f"{op.name}: {updates!r} is no tensor.")
    return _checked(op, (pair[0], at, pair[1]), {}, name)


def tensor_scatter_nd_update(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return the tensor with values put at coordinates; of several at one place the last stays.

    >>> import wengert as tf
    >>> tf.tensor_scatter_nd_update([1, 2, 3], [[1]], [9]).numpy().tolist()
    [1, 9, 3]
    """
    return _scatter(linear.SCATTER_UPDATE, tensor, indices, updates, name)


def tensor_scatter_nd_add(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return the tensor with values added at coordinates."""
    return _scatter(linear.SCATTER_ADD, tensor, indices, updates, name)


def tensor_scatter_nd_sub(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return the tensor with values subtracted at coordinates."""
    values = convert(updates, like=convert(tensor))
    return _scatter(linear.SCATTER_ADD, tensor, indices, apply(elementwise.NEGATIVE, (values,)), name)


def tensor_scatter_nd_max(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return the tensor with the maximum taken at coordinates."""
    return _scatter(linear.SCATTER_MAX, tensor, indices, updates, name)


def tensor_scatter_nd_min(
    tensor: TensorLike, indices: TensorLike, updates: TensorLike, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Return the tensor with the minimum taken at coordinates."""
    return _scatter(linear.SCATTER_MIN, tensor, indices, updates, name)


def boolean_mask(tensor: TensorLike, mask: TensorLike, axis: AxisLike | None = None, name: str | None = "boolean_mask") -> Any:
    """Return the elements (or slices) of a tensor where a mask is True.

    The mask's axes belong to those of the tensor from ``axis`` on; they become one.

    Raises:
        ValueError: for a scalar mask, or one that does not fit.

    >>> import wengert as tf
    >>> tf.boolean_mask([1, 2, 3], [True, False, True]).numpy().tolist()
    [1, 3]
    """
    x, where_true = convert(tensor), convert(mask)
    if where_true.nptype.kind != "b":
        raise DTypeError(f"mask must be bool, not {where_true.dtype.name}.")
    if where_true.sizes is None:
        raise ShapeError("Number of mask dimensions must be specified, even if some dimensions are None.")
    depth = len(where_true.sizes)
    if depth == 0:
        raise ShapeError("mask cannot be scalar.")
    first = 0 if axis is None else axis_of(integer_of(axis), None if x.sizes is None else len(x.sizes))
    if x.sizes is not None:
        shapes.merge(x.sizes[first : first + depth], where_true.sizes)
    found = apply(linear.NONZERO, (where_true,))
    if depth == 1:
        at = apply(linear.RESHAPE, (found,), {"shape": (-1,)})
        return apply(linear.TAKE, (x, at), {"axis": first, "batch_dims": 0}, name)
    if first == 0:
        return apply(linear.GATHER_ND, (x, found), {"batch_dims": 0}, name)
    n = _rank_of(x, "boolean_mask")
    over = list(builtins.range(first, first + depth))
    rest = [a for a in builtins.range(n) if a not in over]
    rows = apply(linear.GATHER_ND, (transpose(x, [*over, *rest]), found), {"batch_dims": 0})
    return transpose(rows, [*builtins.range(1, first + 1), 0, *builtins.range(first + 1, len(rest) + 1)], name=name)


def where(condition: Any, x: TensorLike | None = None, y: TensorLike | None = None, name: str | None = None) -> Any:
    """Return x where a condition holds and y elsewhere, all broadcast; or with one argument the places where it holds.

    The places are int64 of shape (n, rank). A derivative of the branch not taken is multiplied by zero: see to it that
    it is finite.

    Raises:
        ValueError: if only one of x and y is given.

    >>> import wengert as tf
    >>> tf.where([True, False], [1.0, 2.0], 0.0).numpy().tolist()
    [1.0, 0.0]
    >>> tf.where([False, True]).numpy().tolist()
    [[1]]
    """
    if x is None and y is None:
        return apply(linear.NONZERO, (convert(condition),), name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    test = convert(condition, name="SelectV2/condition")
    if test.nptype.kind != "b":
        raise DTypeError(f"where takes a condition of dtype bool, not {test.dtype.name}.")
    pair = _alike([x, y], "SelectV2")
    return apply(elementwise.WHERE, (test, *pair), name=name)


# --- integers about places ------------------------------------------------------------------------------------------


def one_hot(
    indices: TensorLike,
    depth: Any,
    on_value: TensorLike | None = None,
    off_value: TensorLike | None = None,
    axis: AxisLike | None = None,
    dtype: DtypeLike | None = None,
    name: str | None = None,
) -> Any:
    """Return on_value (1) where an index says, off_value (0) elsewhere, along a new axis of size depth (the last).

    >>> import wengert as tf
    >>> tf.one_hot([0, 2], 3).numpy().tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    at = _indices(indices, "one_hot/indices")
    given = [convert(v, name="one_hot/value") for v in (on_value, off_value) if v is not None]
    nptype = as_dtype(dtype).numpy if dtype is not None else given[0].nptype if given else FLOAT32
    for v in given:
        if v.nptype != nptype and (dtype is None or v.__class__ is SymbolicTensor):
            raise DTypeError(f"one_hot: on_value, off_value and dtype differ: {v.dtype.name} and {dtypes.of(nptype).name}.")
    along = -1 if axis is None else integer_of(axis)
    if at.sizes is not None:
        along = axis_of(along, len(at.sizes) + 1)
    sizes, symbolic = sizes_of([depth])
    if sizes is not None and at.sizes is not None:
        sizes_of([*(s or 1 for s in at.sizes), sizes[0]])
    number = None if symbolic else sizes[0]
    later = any(is_tensor_like(v) for v in (on_value, off_value))
    on, off = (True, False) if later else (_scalar(v, d) for v, d in ((on_value, 1), (off_value, 0)))
    attrs = {"depth": number, "on": on, "off": off, "axis": along, "dtype": "bool" if later else nptype.name}
    hit = apply(linear.ONE_HOT, (at, *symbolic), attrs, name)
    if not later:
        return hit
    branches = [_cast(convert(d if v is None else v, None if v is not None else dtypes.of(nptype)), nptype)
                for v, d in ((on_value, 1), (off_value, 0))]  # fmt: skip
    return apply(elementwise.WHERE, (hit, *branches))


def _scalar(value: TensorLike | None, default: Any) -> Any:
    if value is None:
        return default
    if value.__class__ is SymbolicTensor:
        return value.node.attrs["value"].item()
    array = np.asarray(convert_eagerly(value))
    if array.size != 1:
        raise ShapeError(f"one_hot takes scalars for its values, not shape {array.shape}.")
    return array.item()


def searchsorted(
    sorted_sequence: Any, values: TensorLike, side: str = "left", out_type: DtypeLike = dtypes.int32, name: str | None = None
) -> Any:
    """Return where values would be inserted into sorted sequences (along the last axis) to keep them sorted.

    Raises:
        ValueError: for another side than "left" and "right".
    """
    checks.choice(side, ("left", "right"), "searchsorted", "side")
    pair = coerce(elementwise.LESS, sorted_sequence, values)
    if pair is None:
        raise DTypeError("searchsorted takes numbers.")
    attrs = {"side": side, "dtype": as_dtype(out_type).numpy.name}
    return _checked(linear.SEARCHSORTED, pair, attrs, name)


def unique(x: TensorLike, out_idx: Any = dtypes.int32, name: str | None = None) -> tuple[Any, Any]:
    """Return the distinct values of a vector in order of first appearance, and where each element stands among them.

    >>> import wengert as tf
    >>> [t.numpy().tolist() for t in tf.unique([4, 4, 2, 4])]
    [[4, 2], [0, 0, 1, 0]]
    """
    return unique_with_counts(x, out_idx, name)[:2]


def unique_with_counts(x: TensorLike, out_idx: Any = dtypes.int32, name: str | None = None) -> tuple[Any, Any, Any]:
    """Return what `unique` does, and how often each distinct value appears."""
    t = convert(x)
    if t.sizes is not None and len(t.sizes) != 1:
        raise ShapeError(f"unique expects a 1D vector, not shape {shapes.text(t.sizes)}.")
    values, at, counts = apply(reduction.UNIQUE, (t,), {"dtype": as_dtype(out_idx).numpy.name}, name)
    return values, at, counts


def sequence_mask(
    lengths: TensorLike, maxlen: TensorLike | None = None, dtype: DtypeLike = dtypes.bool_, name: str | None = None
) -> Any:
    """Return a mask, shape lengths.shape + (maxlen,), that is True at the first lengths[i] places.

    >>> import wengert as tf
    >>> tf.sequence_mask([1, 3], 3).numpy().tolist()
    [[True, False, False], [True, True, True]]
    """
    n = _indices(lengths, "lengths")
    if maxlen is None:
        most = apply(reduction.MAX, (n,), {"axis": None, "keepdims": False})
        most = apply(elementwise.MAXIMUM, (most, convert(0, like=most)))
    else:
        most = convert(maxlen, like=n)
        if most.nptype.kind not in "iu" or most.sizes not in ((), None):
            raise ShapeError(f"sequence_mask: maxlen must be an integer scalar, not {maxlen!r}.")
        most = _cast(most, n.nptype)
    places = range(convert(0, like=n), most, convert(1, like=n))
    mask = apply(elementwise.LESS, (places, expand_dims(n, -1)))
    return cast(mask, dtype)


def dynamic_partition(data: TensorLike, partitions: Any, num_partitions: Any, name: str | None = None) -> list[Any]:
    """Return num_partitions tensors: the i-th has the slices of data whose partition is i, in order.

    Raises:
        InvalidArgumentError: (a ValueError) for a partition out of range.
    """
    x, to = convert(data), _indices(partitions, "partitions")
    number = integer_of(num_partitions, "num_partitions")
    if number < 1:
        raise InvalidArgumentError(f"num_partitions must be at least 1, not {number}.")
    if number > CONSTANT_LIMIT**2:
        raise ResourceExhaustedError(f"dynamic_partition: {number} tensors are beyond any memory.")
    if x.sizes is not None and to.sizes is not None and not shapes.fits(x.sizes[: len(to.sizes)], to.sizes):
        raise ShapeError(f"data.shape must start with partitions.shape, got {shapes.text(x.sizes)} and {shapes.text(to.sizes)}.")
    found = apply(linear.PARTITION, (to,), {"num": number})
    return [apply(linear.GATHER_ND, (x, at), {"batch_dims": 0}, name) for at in found]


def dynamic_stitch(indices: TensorLike, data: TensorLike, name: str | None = None) -> Any:
    """Return a tensor with ``result[indices[m][i, ...]] = data[m][i, ...]``; of several at one place the last stays.

    >>> import wengert as tf
    >>> tf.dynamic_stitch([[0, 2], [1]], [[1.0, 3.0], [2.0]]).numpy().tolist()
    [1.0, 2.0, 3.0]
    """
    places = [_indices(i, "indices") for i in checks.listed(indices, "dynamic_stitch", "indices")]
    parts = _alike(checks.listed(data, "dynamic_stitch", "data"), "data")
    if not places or len(places) != len(parts):
        raise InvalidArgumentError(f"dynamic_stitch: {len(places)} indices for {len(parts)} tensors.")
    rows = []
    for at, part in zip(places, parts, strict=True):
        depth = _rank_of(at, "dynamic_stitch")
        if not shapes.fits(part.sizes[:depth], at.sizes):
            raise ShapeError(
                f"data.shape must start with indices.shape, got {shapes.text(part.sizes)} and {shapes.text(at.sizes)}."
            )
        rest = part.sizes[depth:]
        flat = [-1, *rest] if None not in rest else concat([[-1], shape(part)[depth:]], 0)
        rows.append(reshape(part, flat))
    column = concat([reshape(at, [-1, 1]) for at in places], 0)
    joined = concat(rows, 0)
    last = apply(reduction.MAX, (column,), {"axis": None, "keepdims": False})
    count = apply(elementwise.MAXIMUM, (last, convert(-1, like=last))) + 1
    whole = concat([reshape(_cast(count, INT32), [1]), shape(joined)[1:]], 0)
    return apply(linear.SCATTER_UPDATE, (zeros(whole, joined.dtype), column, joined), {}, name)


def invert_permutation(x: TensorLike, name: str | None = None) -> Any:
    """Return the inverse of a permutation: y[x[i]] = i.

    Raises:
        InvalidArgumentError: (a ValueError) if it is none.
    """
    t = _indices(x, "x")
    if t.sizes is not None and len(t.sizes) != 1:
        raise ShapeError(f"invert_permutation expects a 1D vector, not shape {shapes.text(t.sizes)}.")
    return apply(linear.INVERT_PERMUTATION, (t,), name=name)


def argsort(
    values: TensorLike, axis: AxisLike = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Any:
    """Return the int32 indices that sort a tensor along an axis, equal values in order.

    >>> import wengert as tf
    >>> tf.argsort([3.0, 1.0, 2.0]).numpy().tolist()
    [1, 2, 0]
    """
    x = convert(values)
    checks.choice(direction, ("ASCENDING", "DESCENDING"), "argsort", "direction")
    if x.sizes == ():
        raise ShapeError("A scalar has no axis to sort along.")
    along = axis_of(integer_of(axis), None if x.sizes is None else len(x.sizes))
    return apply(reduction.ARGSORT, (x,), {"axis": along, "descending": direction == "DESCENDING"}, name)


def sort(values: TensorLike, axis: AxisLike = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """Return the tensor sorted along an axis.

    >>> import wengert as tf
    >>> tf.sort([3.0, 1.0, 2.0], direction="DESCENDING").numpy().tolist()
    [3.0, 2.0, 1.0]
    """
    x = convert(values)
    at = argsort(x, axis, direction)
    along = axis_of(integer_of(axis), None if x.sizes is None else len(x.sizes))
    return apply(linear.TAKE_ALONG_AXIS, (x, at), {"axis": along}, name)


def histogram_fixed_width(
    values: TensorLike, value_range: Any, nbins: int = 100, dtype: DtypeLike = dtypes.int32, name: str | None = None
) -> Any:
    """Return how many values lie in each of nbins bins of one width; what lies beyond counts in the outermost ones.

    Raises:
        ValueError: if the range is empty, or nbins not positive.
    """
    x = convert(values)
    bounds = convert(value_range, like=x)
    number = integer_of(nbins, "nbins")
    if number < 1:
        raise InvalidArgumentError(f"nbins should be a positive number, but got '{number}'.")
    if bounds.sizes not in ((2,), (None,), None):
        raise ShapeError(f"histogram_fixed_width: value_range must be two numbers, not of shape {shapes.text(bounds.sizes)}.")
    low, high = bounds[0], bounds[1]
    ends = get_static_value(bounds)
    if ends is not None and not ends[0] < ends[1]:
        raise InvalidArgumentError(f"value_range should satisfy value_range[0] < value_range[1], but got {bounds!r}.")
    share = (cast(x, dtypes.float64) - cast(low, dtypes.float64)) / (cast(high, dtypes.float64) - cast(low, dtypes.float64))
    place = cast(apply(elementwise.FLOOR, (share * number,)), dtypes.int64)
    inside = apply(elementwise.CLIP, (place, convert(0, INT64), convert(number - 1, INT64)))
    count = apply(reduction.BINCOUNT, (inside,), {"length": number, "dtype": as_dtype(dtype).numpy.name}, name)
    if count.__class__ is SymbolicTensor:
        count.set_shape((number,))
    return count
