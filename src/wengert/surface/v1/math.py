"""Functions of TensorFlow 1's ``tf.math``, and of its top, that TensorFlow 2 does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions import array
from wengert.functions import math as two
from wengert.ground import dtypes
from wengert.tensor.tensor import Tensor, TensorLike, convert, value_of


def div(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Divide as Python 2 did: integers are rounded down."""
    x = value_of(x)
    y = value_of(y)
    a = x if isinstance(x, Tensor) else convert(x, like=y if isinstance(y, Tensor) else None)
    return two.floordiv(a, y, name) if a.dtype.is_integer else two.divide(a, y, name)


def _to(dtype: Any) -> Callable[..., Any]:
    def to(x: Any, name: str = "Cast") -> Any:
        """Convert to the dtype of the function's name."""
        return array.cast(x, dtype, name)

    to.__name__ = to.__qualname__ = f"to_{dtype.name}"
    return to


to_float, to_double = _to(dtypes.float32), _to(dtypes.float64)
to_int32, to_int64 = _to(dtypes.int32), _to(dtypes.int64)
to_complex64, to_complex128 = _to(dtypes.complex64), _to(dtypes.complex128)


def to_bfloat16(x: TensorLike, name: str = "ToBFloat16") -> Any:
    """Refuse: NumPy has no bfloat16."""
    raise NotImplementedError("to_bfloat16: there is no bfloat16 here; float16 is the nearest.")
