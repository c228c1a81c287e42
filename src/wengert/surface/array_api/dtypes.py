"""Dtypes of the array API standard: their names, their limits, and which ones values have together.

Python's floats become float64 and its integers int64, as in `tf.experimental.numpy` and NumPy; beside a tensor they take
its dtype.
"""

from __future__ import annotations

import builtins
from typing import NamedTuple

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions.numpy.promotion import common_type, dtype_of, is_number
from wengert.ground.dtypes import ALL, DType, DtypeLike, as_dtype, bool_, of, promote
from wengert.ground.dtypes import complex64 as complex64
from wengert.ground.dtypes import complex128 as complex128
from wengert.ground.dtypes import float32 as float32
from wengert.ground.dtypes import float64 as float64
from wengert.ground.dtypes import int8 as int8
from wengert.ground.dtypes import int16 as int16
from wengert.ground.dtypes import int32 as int32
from wengert.ground.dtypes import int64 as int64
from wengert.ground.dtypes import uint8 as uint8
from wengert.ground.dtypes import uint16 as uint16
from wengert.ground.dtypes import uint32 as uint32
from wengert.ground.dtypes import uint64 as uint64
from wengert.ground.errors import DTypeError
from wengert.tensor.exchange import DEVICE
from wengert.tensor.tensor import Tensor, TensorLike, value_of

__all__ = [
    "astype", "bool", "can_cast", "complex64", "complex128", "finfo", "float32", "float64", "iinfo", "int8", "int16", "int32",
    "int64", "isdtype", "result_type", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip

bool = bool_

KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
"""The kinds of dtypes that the standard names, by NumPy's letters."""

NAMED = {d.name: d for d in ALL if d.name not in ("string", "float16")}
"""The dtypes that the standard has."""


class FloatLimits(NamedTuple):
    """What `finfo` tells of a floating dtype; of a complex one, of its parts."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


class IntegerLimits(NamedTuple):
    """What `iinfo` tells of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: DType


def dtype_in(value: DtypeLike | TensorLike) -> DType:
    """Return the dtype that a value is, or has."""
    if isinstance(value, Tensor) or hasattr(value, "_as_tensor"):
        return of(value_of(value).nptype)
    return of(dtype_of(value))  # type: ignore[arg-type]


def device_in(device: str | None) -> None:
    """Take note of where a tensor is to be: there is one place, the memory of the processor.

    Raises:
        ValueError: for another place.
    """
    if device is not None and device != "" and "CPU" not in str(device).upper():
        raise ValueError(f"There is no device {device!r} here: tensors are in the memory of the processor, {DEVICE!r}.")


def finfo(type: DtypeLike | TensorLike, /) -> FloatLimits:
    """Return the limits of a floating dtype, as Python's numbers.

    Raises:
        TypeError: for a dtype of another kind.

    >>> finfo(float32).eps == 2.0**-23, finfo(complex64).dtype
    (True, tf.float32)
    """
    dtype = dtype_in(type).real_dtype
    if not dtype.is_floating:
        raise DTypeError(f"finfo takes a floating dtype, not {dtype.name}.")
    info = np.finfo(dtype.numpy)
    return FloatLimits(info.bits, float(info.eps), float(info.max), float(info.min), float(info.smallest_normal), dtype)


def iinfo(type: DtypeLike | TensorLike, /) -> IntegerLimits:
    """Return the limits of an integer dtype.

    Raises:
        TypeError: for a dtype of another kind.

    >>> iinfo(int8).max
    127
    """
    dtype = dtype_in(type)
    if not dtype.is_integer:
        raise DTypeError(f"iinfo takes an integer dtype, not {dtype.name}.")
    info = np.iinfo(dtype.numpy)
    return IntegerLimits(info.bits, int(info.max), int(info.min), dtype)


def can_cast(from_: DtypeLike | TensorLike, to: DtypeLike, /) -> builtins.bool:
    """Whether values of one dtype may become another by the standard's rules of promotion.

    >>> can_cast(int8, int16), can_cast(int8, float32), can_cast(float64, float32)
    (True, False, False)
    """
    one, other = dtype_in(from_), dtype_in(to)
    try:
        return of(promote(one.numpy, other.numpy, "can_cast")) is other
    except TypeError:
        return False


def isdtype(dtype: DtypeLike, kind: DtypeLike | tuple[DtypeLike, ...]) -> builtins.bool:
    """Whether a dtype is another, or of a kind; or of one of several.

    The kinds are "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric".

    Raises:
        ValueError: for another kind.

    >>> isdtype(int8, "integral"), isdtype(int8, (float32, "real floating"))
    (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    found = as_dtype(dtype)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"isdtype: {kind!r} is no kind of dtypes; there are {', '.join(KINDS)}.")
        return found.kind in KINDS[kind]
    return found == kind


def result_type(*arrays_and_dtypes: TensorLike | DtypeLike) -> DType:
    """Return the dtype that tensors, dtypes and Python's numbers have together.

    Raises:
        TypeError: where there is none, as for int64 and uint64; and for Python's numbers alone.

    >>> result_type(int8, uint8), result_type(float32, 1.0), result_type(float32, complex128)
    (tf.int16, tf.float32, tf.complex128)
    """
    numbers = [v for v in arrays_and_dtypes if is_number(v)]  # type: ignore[arg-type]
    found = [dtype_in(v).numpy for v in arrays_and_dtypes if not is_number(v)]  # type: ignore[arg-type]
    if not found:
        raise DTypeError("result_type takes one tensor or dtype at least.")
    together = found[0]
    for other in found[1:]:
        together = promote(together, other, "result_type")
    return of(common_type(*numbers, np.empty(0, together)))  # type: ignore[arg-type]


def astype(x: TensorLike, dtype: DtypeLike, /, *, copy: builtins.bool = True, device: str | None = None) -> Tensor:
    """Return a tensor with another dtype; as tensors do not change, nothing is copied where it has that dtype.

    >>> from wengert import array_api as xp
    >>> xp.astype(xp.asarray([1.5, -1.5]), xp.int8).numpy().tolist()
    [1, -1]
    """
    device_in(device)
    cast: Tensor = arrangement.cast(x, dtype_of(dtype))
    return cast
