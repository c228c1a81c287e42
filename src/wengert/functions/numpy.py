"""TensorFlow's ``tf.experimental.numpy``: functions of NumPy's names, with NumPy's meaning, over tensors.

Axes, order of results and dtypes are NumPy's: Python's floats are float64 (float32 after
``experimental_enable_numpy_behavior(prefer_float32=True)``) and its integers int64, but beside a tensor they take its
dtype; an integer with a float32 is a float64. Functions of floats make float64 of every integer, as TensorFlow's do.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import math as elementary
from wengert.functions import random as draws
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike
from wengert.ops.elementwise import EXP2
from wengert.tensor import tensor as tensors
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, is_tensor_like

__all__ = [
    "abs", "absolute", "add", "arange", "argmax", "argmin", "array", "asarray", "bool_", "ceil", "concatenate", "cos", "cosh",
    "cumsum", "divide", "e", "einsum", "exp", "exp2", "expand_dims", "experimental_enable_numpy_behavior", "expm1", "eye",
    "float32", "float64", "floor", "heaviside", "inf", "int32", "int64", "linspace", "log", "log1p", "matmul", "max", "maximum",
    "mean", "meshgrid", "min", "minimum", "multiply", "nan", "ndarray", "newaxis", "ones", "ones_like", "pi", "power", "prod",
    "random", "reshape", "sign", "sin", "sinh", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum", "tan", "tanh",
    "tensordot", "tile", "transpose", "var", "where", "zeros", "zeros_like",
]  # fmt: skip

pi, e, inf, nan, newaxis = np.pi, np.e, np.inf, np.nan, None
float32, float64, int32, int64, bool_ = np.float32, np.float64, np.int32, np.int64, np.bool_
ndarray = Tensor

_settings = {"prefer_float32": False}


def experimental_enable_numpy_behavior(prefer_float32: bool = False, dtype_conversion_mode: str = "legacy") -> None:
    """Say whether Python's floats become float32. Operators of tensors promote floating dtypes anyway."""
    _settings["prefer_float32"] = bool(prefer_float32)


# --- dtypes -----------------------------------------------------------------------------------------------------------


def _float() -> Any:
    """Return NumPy's dtype of Python's floats."""
    return np.dtype(np.float32 if _settings["prefer_float32"] else np.float64)


def _dtype_of(dtype: DtypeLike) -> Any:
    """Return NumPy's dtype of a dtype argument; Python's types are 64 bits wide."""
    if dtype is float:
        return _float()
    return np.dtype(np.int64) if dtype is int else as_dtype(dtype).numpy


def _is_number(value: Any) -> bool:
    return value.__class__ in (builtins.bool, int, float, complex)


def _made(value: Any) -> Any:
    """Return a value as a tensor or as a NumPy array with NumPy's dtype."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "_as_tensor") or (isinstance(value, list | tuple) and tensors.holds_tensors(value)):
        return tensors.convert(value)
    found = np.asarray(value)
    return found if hasattr(value, "dtype") or found.dtype != np.float64 else found.astype(_float())


def _result_type(*values: Any) -> Any:
    """Return the dtype that values have together: NumPy's rule, by which Python's numbers take that of what they meet."""
    if builtins.all(_is_number(v) for v in values):
        values = tuple(_made(v) for v in values)
    return np.result_type(*(v if _is_number(v) else v.nptype if isinstance(v, Tensor) else v.dtype for v in values))


def asarray(a: Any, dtype: DtypeLike | None = None) -> Any:
    """Return a value as a tensor, of another dtype where one is given.

    >>> asarray([1.5]).dtype, asarray(1).dtype
    (tf.float64, tf.int64)
    """
    found = _made(a)
    found = found if isinstance(found, Tensor) else tensors.convert(found)
    return found if dtype is None else arrangement.cast(found, _dtype_of(dtype))


def array(val: Any, dtype: DtypeLike | None = None, copy: bool = True, ndmin: int = 0) -> Any:
    """Return a value as a tensor of at least so many axes, of another dtype where one is given."""
    found = asarray(val, dtype)
    missing = ndmin - len(found.sizes)
    return arrangement.reshape(found, [*[1] * missing, *found.sizes]) if missing > 0 else found


def _together(*values: TensorLike) -> list[Any]:
    """Return values as tensors of the dtype that they have together."""
    made = [v if _is_number(v) else _made(v) for v in values]
    nptype = _result_type(*made)
    return [tensors.cast(m, nptype) if isinstance(m, Tensor) else tensors.convert(np.asarray(m).astype(nptype)) for m in made]


def _floating(value: TensorLike) -> Any:
    x = asarray(value)
    return x if x.nptype.kind in "fc" else arrangement.cast(x, _float())


def _named(made: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    return made


# --- element by element -----------------------------------------------------------------------------------------------


def _of_floats(function: Callable[[Any], Any], name: str, doc: str) -> Callable[[Any], Any]:
    def made(x: TensorLike) -> Any:
        return function(_floating(x))

    return _named(made, name, doc)


sin = _of_floats(elementary.sin, "sin", "Return the sine.")
cos = _of_floats(elementary.cos, "cos", "Return the cosine.")
tan = _of_floats(elementary.tan, "tan", "Return the tangent.")
sinh = _of_floats(elementary.sinh, "sinh", "Return the hyperbolic sine.")
cosh = _of_floats(elementary.cosh, "cosh", "Return the hyperbolic cosine.")
tanh = _of_floats(elementary.tanh, "tanh", "Return the hyperbolic tangent.")
exp = _of_floats(elementary.exp, "exp", "Return eˣ.")
exp2 = _of_floats(lambda x: tensors.apply(EXP2, (x,)), "exp2", "Return 2ˣ.")
expm1 = _of_floats(elementary.expm1, "expm1", "Return eˣ - 1.")
log = _of_floats(elementary.log, "log", "Return the natural logarithm.")
log1p = _of_floats(elementary.log1p, "log1p", "Return log(1 + x).")
sqrt = _of_floats(elementary.sqrt, "sqrt", "Return √x.")
floor = _of_floats(elementary.floor, "floor", "Return the greatest whole numbers that are not greater, as floats.")
ceil = _of_floats(elementary.ceil, "ceil", "Return the least whole numbers that are not less, as floats.")


def absolute(x: Any) -> Any:
    """Return |x|."""
    x = asarray(x)
    return x if x.nptype.kind in "ub" else elementary.abs(x)


abs = absolute


def square(x: TensorLike) -> Any:
    """Return x²."""
    return elementary.square(asarray(x))


def sign(x: TensorLike) -> Any:
    """Return -1, 0 or 1 with the sign of x."""
    return elementary.sign(asarray(x))


def _of_two(function: Callable[[Any, Any], Any], name: str, doc: str, logical: Any = None) -> Callable[[Any, Any], Any]:
    """Return a function of two values in the dtype that they have together; `logical`: what it is for Booleans."""

    def made(x1: TensorLike, x2: TensorLike) -> Any:
        a, b = _together(x1, x2)
        return logical(a, b) if logical is not None and a.nptype.kind == "b" else function(a, b)

    return _named(made, name, doc)


add = _of_two(
    elementary.add, "add", """Return x1 + x2.

    >>> add([1, 2], 0.5).numpy()
    array([1.5, 2.5])
    """, elementary.logical_or,
)  # fmt: skip
subtract = _of_two(elementary.subtract, "subtract", "Return x1 - x2.")
multiply = _of_two(elementary.multiply, "multiply", "Return x1 * x2.", elementary.logical_and)
maximum = _of_two(elementary.maximum, "maximum", "Return the greater of two.", elementary.logical_or)
minimum = _of_two(elementary.minimum, "minimum", "Return the lesser of two.", elementary.logical_and)


def divide(x1: TensorLike, x2: TensorLike) -> Any:
    """Return x1 / x2; of integers it is a float.

    >>> divide(1, 2).numpy()
    np.float64(0.5)
    """
    a, b = _together(x1, x2)
    return elementary.truediv(_floating(a), _floating(b))


def power(x1: TensorLike, x2: TensorLike) -> Any:
    """Return x1 ** x2; a whole exponent that is a Python number has derivatives at 0 too."""
    a, b = (arrangement.cast(t, "int8") if t.nptype.kind == "b" else t for t in _together(x1, x2))
    return elementary.pow(a, x2 if x2.__class__ in (int, float) else b)


def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """Return 0 for x1 < 0, 1 for x1 > 0, and x2 where x1 is 0; its derivative by x1 is zero."""
    x, at_zero = (_floating(t) for t in _together(x1, x2))
    # NaN is neither less nor greater, and stays.
    step = arrangement.where(elementary.is_nan(x), arrangement.stop_gradient(x), arrangement.cast(x > 0.0, x.dtype))
    return arrangement.where(elementary.equal(x, arrangement.zeros_like(x)), at_zero, step)


def where(condition: Any, x: TensorLike | None = None, y: TensorLike | None = None) -> Any:
    """Return x where a condition holds and y elsewhere; or with one argument the places, a vector for each axis."""
    condition = arrangement.cast(asarray(condition), "bool")
    if x is None and y is None:
        return arrangement.unstack(arrangement.where(condition), len(condition.sizes), axis=1)
    if x is None or y is None:
        raise ValueError("Both x and y must be ndarrays, or both must be None.")
    return arrangement.where(condition, *_together(x, y))


# --- along axes -------------------------------------------------------------------------------------------------------


def _summed(a: Any, dtype: DtypeLike | None) -> Any:
    """Return a value in the dtype in which NumPy adds: integers of less than 64 bits are widened."""
    if dtype is not None:
        return asarray(a, dtype)
    x = asarray(a)
    if x.nptype.kind in "bi":
        return arrangement.cast(x, "int64")
    return arrangement.cast(x, "uint64") if x.nptype.kind == "u" else x


def sum(a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the sum; integers are added as 64-bit ones."""
    x = _summed(a, dtype)
    return (elementary.reduce_any if x.nptype.kind == "b" else elementary.reduce_sum)(x, axis, builtins.bool(keepdims))


def prod(a: Any, axis: AxisLike | None = None, dtype: DtypeLike | None = None, keepdims: bool | None = None) -> Any:
    """Return the product; integers are multiplied as 64-bit ones."""
    x = _summed(a, dtype)
    return (elementary.reduce_all if x.nptype.kind == "b" else elementary.reduce_prod)(x, axis, builtins.bool(keepdims))


def mean(
    a: TensorLike, axis: AxisLike | None = None, dtype: DtypeLike | None = None, out: Any = None, keepdims: bool | None = None
) -> Any:
    """Return the mean, of integers a float64.

    >>> mean([1, 2]).numpy()
    np.float64(1.5)
    """
    _no_out(out)
    return elementary.reduce_mean(_floating(a) if dtype is None else asarray(a, dtype), axis, builtins.bool(keepdims))


def _no_out(out: Any) -> None:
    if out is not None:
        raise ValueError("Setting out is not supported: tensors do not change.")


def var(
    a: TensorLike,
    axis: AxisLike | None = None,
    dtype: DtypeLike | None = None,
    out: Any = None,
    ddof: int = 0,
    keepdims: bool | None = None,
) -> Any:
    """Return Σ |x - mean|² / (n - ddof), n being the number of elements."""
    _no_out(out)
    x = _floating(a)
    x = x if dtype is None else arrangement.cast(x, np.result_type(x.nptype, _dtype_of(dtype)))
    found = elementary.reduce_variance(x, axis, builtins.bool(keepdims))
    if ddof:
        n = arrangement.cast(arrangement.size(x), "float64") / arrangement.cast(arrangement.size(found), "float64")
        found = found * arrangement.cast(n / (n - float(ddof)), found.dtype)
    return found if dtype is None else arrangement.cast(found, _dtype_of(dtype))


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
    x = _summed(a, dtype)
    return elementary.cumsum(arrangement.reshape(x, [-1]), 0) if axis is None else elementary.cumsum(x, axis)


def argmax(a: TensorLike, axis: int | None = None) -> Any:
    """Return where the greatest element stands: the first of equals, in a row of all elements by default."""
    x = asarray(a)
    return elementary.argmax(arrangement.reshape(x, [-1]) if axis is None else x, axis or 0)


def argmin(a: TensorLike, axis: int | None = None) -> Any:
    """Return where the least element stands: the first of equals, in a row of all elements by default."""
    x = asarray(a)
    return elementary.argmin(arrangement.reshape(x, [-1]) if axis is None else x, axis or 0)


# --- products ---------------------------------------------------------------------------------------------------------


def _product(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Return a bilinear function of two values; of Booleans, whether a product is not 0."""
    x, y = _together(a, b)
    if x.nptype.kind == "b":
        return arrangement.cast(function(arrangement.cast(x, "int32"), arrangement.cast(y, "int32")), "bool")
    return function(x, y)


def _matmul(a: Any, b: Any) -> Any:
    if not a.sizes or not b.sizes:
        raise ValueError("matmul takes vectors and matrices, not scalars: use multiply.")
    left, right = len(a.sizes) == 1, len(b.sizes) == 1
    found = elementary.matmul(arrangement.expand_dims(a, 0) if left else a, arrangement.expand_dims(b, 1) if right else b)
    found = arrangement.squeeze(found, -1) if right else found
    return arrangement.squeeze(found, -1 if right else -2) if left else found


def matmul(x1: Any, x2: Any) -> Any:
    """Return the product of matrices, or stacks of them; a vector is a row on the left, a column on the right."""
    return _product(_matmul, x1, x2)


def tensordot(a: TensorLike, b: TensorLike, axes: Any = 2) -> Any:
    """Return the sum of products over so many axes, the last of a and the first of b, or over those named for each."""
    if not isinstance(axes, int):
        axes = [list(i) if isinstance(i, tuple | list) else [i] for i in axes]
    return _product(lambda x, y: elementary.tensordot(x, y, axes), a, b)


def einsum(subscripts: str, *operands: Any, casting: str = "safe", optimize: bool = False) -> Any:
    """Return the sum of products that Einstein's notation says."""
    return elementary.einsum(subscripts, *_together(*operands))


# --- making and arranging ---------------------------------------------------------------------------------------------


def zeros(shape: ShapeLike | None, dtype: DtypeLike = float) -> Any:
    """Return zeros, float64 by default."""
    return arrangement.zeros(shape, _float() if dtype is None else _dtype_of(dtype))


def ones(shape: ShapeLike, dtype: DtypeLike = float) -> Any:
    """Return ones, float64 by default."""
    return arrangement.ones(shape, _float() if dtype is None else _dtype_of(dtype))


def zeros_like(a: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return zeros in the shape of a value, and unless told otherwise of its dtype."""
    return arrangement.zeros_like(asarray(a), None if dtype is None else _dtype_of(dtype))


def ones_like(a: Any, dtype: DtypeLike | None = None) -> Any:
    """Return ones in the shape of a value, and unless told otherwise of its dtype."""
    return arrangement.ones_like(asarray(a), None if dtype is None else _dtype_of(dtype))


def eye(N: int, M: int | None = None, k: int = 0, dtype: DtypeLike = float) -> Any:
    """Return a matrix with ones on its k-th diagonal, float64 by default."""
    return tensors.convert(np.eye(int(N), M, int(k), dtype=_float() if dtype is None else _dtype_of(dtype)))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Return start, start + step, ... up to but without stop; with one argument 0, 1, ... up to it.

    >>> arange(3).dtype, arange(1.0, 2.0, 0.5).numpy().tolist()
    (tf.int64, [1.0, 1.5])
    """
    given = [v for v in (start, stop, step) if v is not None]
    nptype = _result_type(*(v if _is_number(v) else _made(v) for v in given)) if dtype is None else _dtype_of(dtype)
    start, stop = (0, start) if stop is None else (start, stop)
    if builtins.any(is_tensor_like(v) for v in (start, stop, step)):
        return arrangement.cast(arrangement.range(start, stop, step), nptype)
    return tensors.convert(np.arange(start, stop, step).astype(nptype))


def linspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DtypeLike = float,
    axis: int = 0,
) -> Any:
    """Return num numbers at equal distances from start to stop, which `endpoint` includes; and their distance where asked."""
    first, last = (_floating(t) for t in _together(start, stop))
    if first.nptype != np.float64 and dtype is float:
        first, last = arrangement.cast(first, _float()), arrangement.cast(last, _float())
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
        nptype = _dtype_of(dtype)
        found = arrangement.cast(elementary.floor(found) if nptype.kind in "iu" else found, nptype)
    return (found, step) if retstep else found


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid, one tensor for each vector.

    Raises:
        ValueError: for sparse grids.
    """
    if sparse:
        raise ValueError("tnp.meshgrid does not support the sparse argument.")
    return arrangement.meshgrid(*(asarray(x) for x in xi), indexing=indexing)


def reshape(a: Any, newshape: Any, order: str = "C") -> Any:
    """Return a value with another shape; one size may be -1. `order` "F": the first axis varies fastest, as in Fortran."""
    x = asarray(a)
    if order == "C":
        return arrangement.reshape(x, newshape)
    if order != "F":
        raise ValueError(f"Unsupported value for argument order. Expected 'C' or 'F'. Received: order={order!r}")
    sizes = [newshape] if isinstance(newshape, int) else list(newshape)
    return arrangement.transpose(arrangement.reshape(arrangement.transpose(x), sizes[::-1]))


def transpose(a: Any, axes: AxisLike | None = None) -> Any:
    """Return the axes in another order, reversed by default."""
    return arrangement.transpose(asarray(a), axes)


def expand_dims(a: Any, axis: Any) -> Any:
    """Return a value with new axes of size 1, which stand at these places afterwards."""
    x = asarray(a)
    places = list(axis) if isinstance(axis, list | tuple) else [axis]
    rank = len(x.sizes) + len(places)
    for i in sorted(i % rank if -rank <= i < rank else i for i in places):
        x = arrangement.expand_dims(x, i)
    return x


def squeeze(a: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return a value without its axes of size 1, or without those named."""
    return arrangement.squeeze(asarray(a), axis)


def concatenate(arys: Any, axis: int | None = 0) -> Any:
    """Return tensors beside each other along an axis; with axis None, all elements in a row."""
    parts = _together(*(arys if isinstance(arys, list | tuple) else arrangement.unstack(asarray(arys))))
    return arrangement.concat([arrangement.reshape(p, [-1]) for p in parts] if axis is None else parts, axis or 0)


def stack(arrays: TensorLike, axis: int = 0) -> Any:
    """Return tensors of one shape along a new axis."""
    parts = _together(*(arrays if isinstance(arrays, list | tuple) else arrangement.unstack(asarray(arrays))))
    return arrangement.stack(parts, axis)


def tile(a: TensorLike, reps: Any) -> Any:
    """Return a value repeated along each axis; missing axes are added, missing numbers are 1."""
    x = asarray(a)
    times = list(reps) if isinstance(reps, list | tuple) or np.ndim(reps) else [reps]
    for _ in range(len(times) - len(x.sizes)):
        x = arrangement.expand_dims(x, 0)
    return arrangement.tile(x, [1] * (len(x.sizes) - len(times)) + times)


# --- random numbers ---------------------------------------------------------------------------------------------------


def _randn(*shape: int) -> Any:
    """Return normal values."""
    return draws.normal(shape, dtype=_float())


def _rand(*shape: int) -> Any:
    """Return uniform values in [0, 1)."""
    return draws.uniform(shape, dtype=_float())


def _seed(s: int) -> None:
    """Set the seed."""
    draws.set_seed(s)


random = SimpleNamespace(randn=_randn, rand=_rand, seed=_seed)
"""Functions of ``numpy.random``."""
