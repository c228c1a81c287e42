"""Dtypes of `tf.experimental.numpy`: what a value becomes, and which dtype values have together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.ground.dtypes import DType, DtypeLike, as_dtype, of
from wengert.ground.errors import DTypeError
from wengert.tensor import tensor as tensors
from wengert.tensor.behavior import BEHAVIOR, Kind, promoted
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["array", "asanyarray", "asarray", "ascontiguousarray", "copy", "finfo", "promote_types", "result_type"]

finfo = np.finfo

FLOATS = [False]
"""Whether Python's floats become float32."""


def float_type() -> np.dtype[Any]:
    """Return NumPy's dtype of Python's floats."""
    return np.dtype(np.float32 if FLOATS[0] else np.float64)


def dtype_of(dtype: DtypeLike | None) -> np.dtype[Any]:
    """Return NumPy's dtype of a dtype argument; Python's types are 64 bits wide."""
    if dtype is float or dtype is None:
        return float_type()
    return np.dtype(np.int64) if dtype is int else as_dtype(dtype).numpy


def is_number(value: TensorLike) -> bool:
    """Whether a value is a number of Python's own, which takes the dtype of what it meets."""
    return value.__class__ in (bool, int, float, complex)


def weak_numbers(value: TensorLike) -> bool:
    """Whether a value is made of Python's own numbers, which were given no dtype."""
    depth = 0
    while isinstance(value, list | tuple) and value and depth < tensors.MOST_AXES:
        value, depth = value[0], depth + 1
    return value.__class__ in (int, float, complex)


def flexible() -> bool:
    """Whether dtypes that were inferred give way: the modes "all" and "safe"."""
    return BEHAVIOR[0] is not None and BEHAVIOR[0].everywhere


def made(value: TensorLike) -> Tensor | np.ndarray[Any, Any]:
    """Return a value as a tensor or as a NumPy array with NumPy's dtype."""
    if isinstance(value, Tensor):
        return value
    if flexible() and weak_numbers(value):
        return tensors.convert(value)
    if hasattr(value, "_as_tensor") or (isinstance(value, list | tuple) and tensors.holds_tensors(value)):
        return tensors.convert(value)
    found = np.asarray(value)
    return found if hasattr(value, "dtype") or found.dtype != np.float64 else found.astype(float_type())


def common_type(*values: TensorLike) -> np.dtype[Any]:
    """Return the dtype that values have together: NumPy's rule, by which Python's numbers take that of what they meet."""
    if all(is_number(v) for v in values):
        values = tuple(made(v) for v in values)
    given: list[Any] = [v if is_number(v) else getattr(v, "nptype", None) or getattr(v, "dtype", v) for v in values]
    found = np.result_type(*given)
    # Python's floats are float64 unless told otherwise: beside integers, too.
    kinds = {np.result_type(g).kind for g in given if not isinstance(g, int | float | complex)}
    if FLOATS[0] and found == np.float64 and not kinds & set("fc"):
        return np.dtype(np.float32)
    return found


def result_type(*arrays_and_dtypes: TensorLike | DtypeLike) -> DType:
    """Return the dtype that arrays, numbers and dtypes have together.

    >>> result_type("int32", "float32")
    tf.float64
    """
    given: list[Any] = []
    for item in arrays_and_dtypes:
        if isinstance(item, str | type | DType):
            given.append(dtype_of(item))
        else:
            given.append(item if isinstance(item, np.dtype) or is_number(item) else made(item))
    return of(common_type(*given))


def promote_types(type1: DtypeLike, type2: DtypeLike) -> np.dtype[Any]:
    """Return NumPy's dtype that two dtypes have together.

    >>> promote_types("int8", "uint8")
    dtype('int16')
    """
    return common_type(*(np.empty(0, dtype_of(t)) for t in (type1, type2)))


def asarray(a: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return a value as a tensor, of another dtype where one is given.

    >>> asarray([1.5]).dtype, asarray(1).dtype
    (tf.float64, tf.int64)
    """
    found = made(a)
    found = found if isinstance(found, Tensor) else tensors.convert(found)
    return found if dtype is None else arrangement.cast(found, dtype_of(dtype))


asanyarray = asarray


def array(val: TensorLike, dtype: DtypeLike | None = None, copy: bool = True, ndmin: int = 0) -> Any:
    """Return a value as a tensor of at least so many axes, of another dtype where one is given."""
    found = asarray(val, dtype)
    missing = ndmin - len(found.sizes)
    return arrangement.reshape(found, [*[1] * missing, *found.sizes]) if missing > 0 else found


def ascontiguousarray(a: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return a value as a tensor of at least one axis."""
    return array(a, dtype, ndmin=1)


def copy(a: TensorLike) -> Any:
    """Return a value as a tensor of its own."""
    return arrangement.identity(asarray(a))


def together(*values: TensorLike) -> list[Any]:
    """Return values as tensors of the dtype that they have together."""
    if flexible():
        return _flexibly([tensors.convert(v) for v in values])
    ready = [v if is_number(v) else made(v) for v in values]
    # A list of Python's numbers counts as one of them.
    nptype = common_type(*(m.flat[0].item() if _is_list(v) else m for v, m in zip(values, ready, strict=True)))  # type: ignore[union-attr]
    return [tensors.cast(m, nptype) if isinstance(m, Tensor) else tensors.convert(np.asarray(m).astype(nptype)) for m in ready]


def _is_list(value: TensorLike) -> bool:
    return isinstance(value, list | tuple) and weak_numbers(value) and not tensors.holds_tensors(value)


def _flexibly(found: list[Any]) -> list[Any]:
    """Return tensors in the dtype that they have together where inferred dtypes give way."""
    kind = Kind(found[0].nptype, tensors.is_weak(found[0]))
    for t in found[1:]:
        both = promoted(kind, Kind(t.nptype, tensors.is_weak(t)), BEHAVIOR[0].safe)
        if both is None:
            raise DTypeError(
                f"In promotion mode SAFE, implicit dtype promotion of {[x.dtype.name for x in found]} is disallowed."
            )
        kind = both
    return [tensors.cast(t, kind.nptype) for t in found]


def floating(*values: TensorLike) -> Any:
    """Return a value, or several in the dtype that they have together, as floats: integers become the default one."""
    found = [x if x.nptype.kind in "fc" else arrangement.cast(x, float_type()) for x in
             (together(*values) if len(values) > 1 else [asarray(values[0])])]  # fmt: skip
    return found[0] if len(values) == 1 else found


def parts_of(arrays: TensorLike) -> list[Any]:
    """Return several values as tensors of the dtype that they have together: a sequence of them, or what a tensor is of."""
    items: Sequence[TensorLike] = arrays if isinstance(arrays, list | tuple) else arrangement.unstack(asarray(arrays))
    if not items:
        raise ValueError("Need at least one array, and there is none.")
    return together(*items)


def named(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """Return a function under its name."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]
