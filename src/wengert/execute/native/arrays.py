"""The array namespace over vectors: what the kernels of operations are written against, as they are for NumPy's arrays."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from wengert.execute.native.code import NoForm, Vector
from wengert.execute.native.functions import Functions
from wengert.execute.native.functions.forms import absolute, pair

if TYPE_CHECKING:
    from wengert.ground.types import Dtype

__all__ = ["VECTORS", "Vectors"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

BOOL = np.dtype(bool)
Operand = Vector | float
"""A vector, or a number, which takes the vector's dtype."""


class Vectors(Functions):
    """Vectors as an array namespace. What is not here has no form in machine code."""

    name = "native"
    add, subtract = staticmethod(operator.add), staticmethod(operator.sub)
    multiply, divide = staticmethod(operator.mul), staticmethod(operator.truediv)
    equal, not_equal = staticmethod(operator.eq), staticmethod(operator.ne)
    less, less_equal = staticmethod(operator.lt), staticmethod(operator.le)
    greater, greater_equal = staticmethod(operator.gt), staticmethod(operator.ge)
    negative, positive = staticmethod(operator.neg), staticmethod(operator.pos)
    conj = positive

    def __getattr__(self, name: str) -> NoReturn:
        """Say that there is no such function."""
        if name.startswith("__"):  # Python itself asks
            raise AttributeError(name)
        raise NoForm(f"{name} has no form")

    @staticmethod
    def square(x: Vector) -> Vector:
        """Return x²."""
        return x * x

    @staticmethod
    def abs(x: Vector) -> Vector:
        """Return the magnitude."""
        if x.dtype.kind == "f":
            return absolute(x)
        return x if x.dtype.kind in "ub" else (x < 0).choose(-x, x)

    @staticmethod
    def sign(x: Vector) -> Vector:
        """Return -1, 0 or 1; NaN stays."""
        rest = x if x.dtype.kind == "f" else x.like(0)
        positive = (x > 0).choose(x.like(1), rest)
        return positive if x.dtype.kind == "u" else (x < 0).choose(x.like(-1), positive)

    @staticmethod
    def maximum(x: Operand, y: Operand) -> Vector:
        """Return the greater one, NaN wherever one of the two is, as NumPy does."""
        x, y = pair(x, y)
        first = x >= y
        return (first | (x != x)).choose(x, y) if x.dtype.kind == "f" else first.choose(x, y)

    @staticmethod
    def minimum(x: Operand, y: Operand) -> Vector:
        """Return the lesser one, NaN wherever one of the two is, as NumPy does."""
        x, y = pair(x, y)
        first = x <= y
        return (first | (x != x)).choose(x, y) if x.dtype.kind == "f" else first.choose(x, y)

    @staticmethod
    def where(test: Vector, x: Operand, y: Operand) -> Vector:
        """Choose by a truth value."""
        if not isinstance(x, Vector) and not isinstance(y, Vector):
            x = test.code.constant(x, np.result_type(x, y))
        x, y = pair(x, y)
        return test.to(BOOL).choose(x, y)

    @staticmethod
    def astype(x: Vector, dtype: Dtype) -> Vector:
        """Convert."""
        return x.to(np.dtype(dtype))

    @staticmethod
    def zeros_like(x: Vector) -> Vector:
        """Return zeros."""
        return x.like(0)

    @staticmethod
    def ones_like(x: Vector) -> Vector:
        """Return ones."""
        return x.like(1)

    @staticmethod
    def zeros(shape: tuple[int, ...], dtype: Dtype) -> Any:
        """Return a zero, which takes the dtype of what it meets: kernels ask for it beside a vector of the same dtype."""
        if shape != ():
            raise NoForm("zeros of a shape")
        return np.dtype(dtype).type(0).item()

    @staticmethod
    def logical_and(x: Vector, y: Vector) -> Vector:
        """Return whether both hold."""
        return x.to(BOOL) & y.to(BOOL)

    @staticmethod
    def logical_or(x: Vector, y: Vector) -> Vector:
        """Return whether one holds."""
        return x.to(BOOL) | y.to(BOOL)

    @staticmethod
    def logical_xor(x: Vector, y: Vector) -> Vector:
        """Return whether just one holds."""
        return x.to(BOOL) ^ y.to(BOOL)

    @staticmethod
    def logical_not(x: Vector) -> Vector:
        """Return whether it does not hold."""
        return ~x.to(BOOL)

    @staticmethod
    def isnan(x: Vector) -> Vector:
        """Return where NaN is."""
        return x != x

    @staticmethod
    def isinf(x: Vector) -> Vector:
        """Return where an infinity is."""
        return Vectors.abs(x) == math.inf

    @staticmethod
    def isfinite(x: Vector) -> Vector:
        """Return where neither is."""
        return Vectors.abs(x) < math.inf


VECTORS = Vectors()
"""The one instance."""
