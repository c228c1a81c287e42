"""The array namespace over vectors: what the kernels of operations are written against, as they are for NumPy's arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.execute.native.code import NoForm, Vector
from wengert.execute.native.functions import Functions
from wengert.ground.types import Dtype

__all__ = ["VECTORS", "Vectors"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

BOOL = np.dtype(bool)



def _joined(x: Any, y: Any) -> tuple[Vector, Vector]:
    """Return two operands as vectors of one dtype."""
    if isinstance(x, Vector):
        return x.pair(y)
    y, x = y.pair(x)
    return x, y


class Vectors(Functions):
    """Vectors as an array namespace. What is not here has no form in machine code."""

    name = "native"

    def __getattr__(self, name: str) -> Any:
        """Say that there is no such function."""
        raise NoForm(name)

    @staticmethod
    def add(x: Any, y: Any) -> Vector:
        return x + y  # type: ignore[no-any-return]

    @staticmethod
    def subtract(x: Any, y: Any) -> Vector:
        return x - y  # type: ignore[no-any-return]

    @staticmethod
    def multiply(x: Any, y: Any) -> Vector:
        return x * y  # type: ignore[no-any-return]

    @staticmethod
    def divide(x: Any, y: Any) -> Vector:
        return x / y  # type: ignore[no-any-return]

    @staticmethod
    def negative(x: Vector) -> Vector:
        return -x

    @staticmethod
    def positive(x: Vector) -> Vector:
        return x

    @staticmethod
    def square(x: Vector) -> Vector:
        return x * x

    @staticmethod
    def conj(x: Vector) -> Vector:
        return x

    @staticmethod
    def abs(x: Vector) -> Vector:
        if x.dtype.kind == "f":
            return x.code.call("llvm.fabs", x.dtype, x)
        return x if x.dtype.kind in "ub" else (x < 0).choose(-x, x)

    @staticmethod
    def sign(x: Vector) -> Vector:
        zero = x.like(0)
        positive = (x > 0).choose(x.like(1), zero if x.dtype.kind != "f" else x)  # NaN, and the sign of a zero, stay
        return positive if x.dtype.kind == "u" else (x < 0).choose(x.like(-1), positive)

    @staticmethod
    def maximum(x: Any, y: Any) -> Vector:
        """As NumPy's: NaN wherever one of the two is."""
        x, y = _joined(x, y)
        first = x >= y
        return (first | (x != x)).choose(x, y) if x.dtype.kind == "f" else first.choose(x, y)

    @staticmethod
    def minimum(x: Any, y: Any) -> Vector:
        """As NumPy's: NaN wherever one of the two is."""
        x, y = _joined(x, y)
        first = x <= y
        return (first | (x != x)).choose(x, y) if x.dtype.kind == "f" else first.choose(x, y)

    @staticmethod
    def where(test: Vector, x: Any, y: Any) -> Vector:
        """Choose by a truth value."""
        if not isinstance(x, Vector) and not isinstance(y, Vector):
            kind = np.result_type(x, y)
            x = test.code.constant(x, kind)
        x, y = _joined(x, y)
        return test.to(BOOL).choose(x, y)

    @staticmethod
    def astype(x: Any, dtype: Dtype) -> Vector:
        """Convert."""
        return x.to(np.dtype(dtype))  # type: ignore[no-any-return]

    @staticmethod
    def zeros_like(x: Vector) -> Vector:
        return x.like(0)

    @staticmethod
    def ones_like(x: Vector) -> Vector:
        return x.like(1)

    @staticmethod
    def zeros(shape: tuple[int, ...], dtype: Dtype) -> Any:
        """Return a zero, which takes the dtype of what it meets: kernels ask for it beside a vector of the same dtype."""
        if shape != ():
            raise NoForm("zeros of a shape")
        return np.dtype(dtype).type(0).item()

    @staticmethod
    def equal(x: Any, y: Any) -> Vector:
        return x == y  # type: ignore[no-any-return]

    @staticmethod
    def not_equal(x: Any, y: Any) -> Vector:
        return x != y  # type: ignore[no-any-return]

    @staticmethod
    def less(x: Any, y: Any) -> Vector:
        return x < y  # type: ignore[no-any-return]

    @staticmethod
    def less_equal(x: Any, y: Any) -> Vector:
        return x <= y  # type: ignore[no-any-return]

    @staticmethod
    def greater(x: Any, y: Any) -> Vector:
        return x > y  # type: ignore[no-any-return]

    @staticmethod
    def greater_equal(x: Any, y: Any) -> Vector:
        return x >= y  # type: ignore[no-any-return]

    @staticmethod
    def logical_and(x: Vector, y: Vector) -> Vector:
        return x.to(BOOL) & y.to(BOOL)

    @staticmethod
    def logical_or(x: Vector, y: Vector) -> Vector:
        return x.to(BOOL) | y.to(BOOL)

    @staticmethod
    def logical_xor(x: Vector, y: Vector) -> Vector:
        return x.to(BOOL) ^ y.to(BOOL)

    @staticmethod
    def logical_not(x: Vector) -> Vector:
        return ~x.to(BOOL)

    @staticmethod
    def isnan(x: Vector) -> Vector:
        return x != x

    @staticmethod
    def isinf(x: Vector) -> Vector:
        return Vectors.abs(x) == math.inf

    @staticmethod
    def isfinite(x: Vector) -> Vector:
        return Vectors.abs(x) < math.inf


VECTORS = Vectors()
"""The one instance."""
