"""What the elementary functions are written with: the formats of floats, polynomials, signs, and the bounds that they state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from wengert.execute.native.code import NoForm, Vector
from wengert.ground.types import Dtype

__all__ = [
    "Format",
    "absolute",
    "bound",
    "format_of",
    "horner",
    "in_format",
    "pair",
    "polynomial",
    "signed_as",
    "square_root",
    "within",
]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

FLOAT32 = np.dtype(np.float32)

Form = TypeVar("Form", bound=Callable[..., Vector])

BOUND = "__bound_in_ulp__"


def within(single: float, double: float) -> Callable[[Form], Form]:
    """State the largest error of a function, in units in the last place of the exact result: in float32 and in float64."""

    def stated(form: Form) -> Form:
        setattr(form, BOUND, (single, double))
        return form

    return stated


def bound(form: Callable[..., Vector]) -> tuple[float, float]:
    """Return the largest error that a function states, in units in the last place, in float32 and in float64."""
    single, double = getattr(form, BOUND)
    return single, double


class Format(NamedTuple):
    """A format of floats: what its bits mean."""

    dtype: Dtype
    signed: Dtype
    """Integers of the same size."""
    unsigned: Dtype
    fraction: int
    """Bits of the significand that are stored."""
    bias: int
    """Of the exponent: 1 has this one."""
    sign: int
    """The sign's bit, as a signed integer."""
    integer: float
    """Added to a number, it rounds it to an integer, which then stands in the low bits of the sum, even or odd as they are."""

    @property
    def one(self) -> int:
        """The bits of 1."""
        return self.bias << self.fraction

    @property
    def smallest(self) -> float:
        """The smallest normal number."""
        return float(np.finfo(self.dtype).tiny)

    @property
    def largest(self) -> float:
        """The largest number."""
        return float(np.finfo(self.dtype).max)


SINGLE = Format(np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.uint32), 23, 127, -(2**31), 1.5 * 2.0**23)
DOUBLE = Format(np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.uint64), 52, 1023, -(2**63), 1.5 * 2.0**52)


def format_of(x: Vector) -> Format:
    """Return the format of a vector's numbers; `NoForm` for what is neither float32 nor float64."""
    for form in (SINGLE, DOUBLE):
        if form.dtype == x.dtype:
            return form
    raise NoForm(f"an elementary function of {x.dtype.name}")


Case = TypeVar("Case")


def in_format(x: Vector, single: Case, double: Case) -> Case:
    """Return what serves a vector's format."""
    return single if x.dtype == FLOAT32 else double


def polynomial(x: Vector, coefficients: Sequence[float], square: Vector | None = None) -> Vector:
    """Return c[0] + c[1] x + c[2] x² + ..., by fused multiply-adds.

    Of long ones, all but the first term are added up as two of half the length, in x², whose chains of instructions run side
    by side; the first term comes last, so that the sum is rounded as that of Horner's scheme is.
    """
    if len(coefficients) < 7:
        return horner(x, coefficients)
    first, *rest = coefficients
    square = x * x if square is None else square
    return horner(square, rest[1::2]).fma(x, horner(square, rest[::2])).fma(x, first)


def horner(x: Vector, coefficients: Sequence[float]) -> Vector:
    """Return c[0] + c[1] x + c[2] x² + ... by Horner's scheme."""
    total = x.like(coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total.fma(x, c)
    return total


def absolute(x: Vector) -> Vector:
    """Return |x|."""
    return x.code.call("llvm.fabs", x.dtype, x)


def square_root(x: Vector) -> Vector:
    """Return √x, rounded once."""
    return x.code.call("llvm.sqrt", x.dtype, x)


def pair(x: Vector | float, y: Vector | float) -> tuple[Vector, Vector]:
    """Return two operands, one of which may be a number of Python's, as vectors of one dtype."""
    if isinstance(x, Vector):
        return x.pair(y)
    if isinstance(y, Vector):
        y, x = y.pair(x)
        return x, y
    raise NoForm("a function of two numbers")


def signed_as(y: Vector, x: Vector) -> Vector:
    """Return y, which is not negative or has the sign of x, with the sign of x: of zeros too."""
    form = format_of(x)
    return (y.as_bits(form.signed) | (x.as_bits(form.signed) & form.sign)).as_bits(x.dtype)
