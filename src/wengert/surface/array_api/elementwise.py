"""Elementwise functions of the array API standard, by the operations that `tf.math` and `tf.experimental.numpy` have.

Two values meet in the dtype that they have together by the standard's rules; a Python number takes that of the tensor.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import bitwise
from wengert.functions import math as elementary
from wengert.functions.numpy import elementwise as numpylike
from wengert.functions.numpy.promotion import Binary, Unary, asarray, named, together
from wengert.ops import elementwise as ops
from wengert.tensor.tensor import Tensor, TensorLike, apply, cast, convert

__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "clip", "conj", "copysign", "cos", "cosh",
    "divide", "equal", "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log1p", "log2", "log10", "logaddexp", "logical_and", "logical_not", "logical_or",
    "logical_xor", "maximum", "minimum", "multiply", "negative", "nextafter", "not_equal", "positive", "pow", "real",
    "reciprocal", "remainder", "round", "sign", "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
]  # fmt: skip


def _one(function: Unary, name: str, doc: str) -> Callable[[TensorLike], Tensor]:
    def made(x: TensorLike, /) -> Tensor:
        return function(x)  # type: ignore[no-any-return]

    return named(made, name, doc)


def _two(function: Binary, name: str, doc: str) -> Callable[[TensorLike, TensorLike], Tensor]:
    def made(x1: TensorLike, x2: TensorLike, /) -> Tensor:
        return function(x1, x2)  # type: ignore[no-any-return]

    return named(made, name, doc)


# --- of one -----------------------------------------------------------------------------------------------------------

sin = _one(numpylike.sin, "sin", "Return the sine.")
cos = _one(numpylike.cos, "cos", "Return the cosine.")
tan = _one(numpylike.tan, "tan", "Return the tangent.")
asin = _one(numpylike.arcsin, "asin", "Return the angle of a sine, in [-π/2, π/2].")
acos = _one(numpylike.arccos, "acos", "Return the angle of a cosine, in [0, π].")
atan = _one(numpylike.arctan, "atan", "Return the angle of a tangent, in [-π/2, π/2].")
sinh = _one(numpylike.sinh, "sinh", "Return the hyperbolic sine.")
cosh = _one(numpylike.cosh, "cosh", "Return the hyperbolic cosine.")
tanh = _one(numpylike.tanh, "tanh", "Return the hyperbolic tangent.")
asinh = _one(numpylike.arcsinh, "asinh", "Return the inverse of the hyperbolic sine.")
acosh = _one(numpylike.arccosh, "acosh", "Return the inverse of the hyperbolic cosine, of x ≥ 1.")
atanh = _one(numpylike.arctanh, "atanh", "Return the inverse of the hyperbolic tangent, of x in [-1, 1].")
exp = _one(numpylike.exp, "exp", "Return eˣ.")
expm1 = _one(numpylike.expm1, "expm1", "Return eˣ - 1, which keeps its digits where x is small.")
log = _one(numpylike.log, "log", "Return the natural logarithm.")
log1p = _one(numpylike.log1p, "log1p", "Return log(1 + x), which keeps its digits where x is small.")
log2 = _one(numpylike.log2, "log2", "Return the logarithm to base 2.")
log10 = _one(numpylike.log10, "log10", "Return the logarithm to base 10.")
sqrt = _one(numpylike.sqrt, "sqrt", "Return √x.")
square = _one(numpylike.square, "square", "Return x².")
reciprocal = _one(numpylike.reciprocal, "reciprocal", "Return 1 / x.")
abs = _one(numpylike.absolute, "abs", "Return |x|, of a complex number a real one.")
negative = _one(numpylike.negative, "negative", "Return -x.")
positive = _one(numpylike.positive, "positive", "Return x.")
sign = _one(numpylike.sign, "sign", "Return -1, 0 or 1 with the sign of x; of a complex number, x / |x|.")
conj = _one(numpylike.conj, "conj", "Return the conjugate.")
real = _one(numpylike.real, "real", "Return the real part.")
imag = _one(numpylike.imag, "imag", "Return the imaginary part.")
isfinite = _one(numpylike.isfinite, "isfinite", "Return whether numbers are finite.")
isinf = _one(numpylike.isinf, "isinf", "Return whether numbers are infinite.")
isnan = _one(numpylike.isnan, "isnan", "Return whether numbers are no numbers.")
logical_not = _one(numpylike.logical_not, "logical_not", "Return whether a value is not true.")
bitwise_invert = _one(numpylike.bitwise_not, "bitwise_invert", "Return the other bits, of Booleans the opposite.")


def _whole(function: Unary, name: str, doc: str) -> Callable[[TensorLike], Tensor]:
    """Return a function to whole numbers, which integers are already."""

    def made(x: TensorLike, /) -> Tensor:
        t: Tensor = asarray(x)
        return t if t.nptype.kind in "iub" else function(t)

    return named(made, name, doc)


floor = _whole(elementary.floor, "floor", "Return the greatest whole numbers that are not greater.")
ceil = _whole(elementary.ceil, "ceil", "Return the least whole numbers that are not less.")
trunc = _whole(lambda x: apply(ops.TRUNC, (x,)), "trunc", "Return the nearest whole numbers towards zero.")


def _rounded(x: Tensor) -> Tensor:
    if x.nptype.kind != "c":
        return elementary.round(x)  # type: ignore[no-any-return]
    return elementary.complex(elementary.round(elementary.real(x)), elementary.round(elementary.imag(x)))  # type: ignore[no-any-return]


round = _whole(_rounded, "round", "Return the nearest whole numbers, the even one of two that are as near.")


def signbit(x: TensorLike, /) -> Tensor:
    """Return whether numbers have a minus sign, as -0.0 has.

    >>> signbit(convert([-0.0, 0.0, -1.0])).numpy().tolist()
    [True, False, True]
    """
    t = asarray(x)
    bits = arrangement.bitcast(t, f"int{8 * t.nptype.itemsize}")
    return elementary.less(bits, arrangement.zeros_like(bits))  # type: ignore[no-any-return]


# --- of two -----------------------------------------------------------------------------------------------------------

add = _two(numpylike.add, "add", "Return x1 + x2.")
subtract = _two(numpylike.subtract, "subtract", "Return x1 - x2.")
multiply = _two(numpylike.multiply, "multiply", "Return x1 * x2, element by element.")
divide = _two(numpylike.divide, "divide", "Return x1 / x2.")
floor_divide = _two(numpylike.floor_divide, "floor_divide", "Return x1 / x2 rounded down.")
remainder = _two(numpylike.remainder, "remainder", "Return the remainder of a division that rounds down, with the sign of x2.")
pow = _two(numpylike.power, "pow", "Return x1 ** x2; a whole exponent that is a Python number has derivatives at 0 too.")
atan2 = _two(numpylike.arctan2, "atan2", "Return the angle of the point (x2, x1), in [-π, π].")
hypot = _two(numpylike.hypot, "hypot", "Return √(x1² + x2²).")
logaddexp = _two(numpylike.logaddexp, "logaddexp", "Return log(exp(x1) + exp(x2)).")
maximum = _two(numpylike.maximum, "maximum", "Return the greater of two.")
minimum = _two(numpylike.minimum, "minimum", "Return the lesser of two.")
nextafter = _two(numpylike.nextafter, "nextafter", "Return the number after x1 in the direction of x2.")
equal = _two(numpylike.equal, "equal", "Return whether values are equal.")
not_equal = _two(numpylike.not_equal, "not_equal", "Return whether values differ.")
less = _two(numpylike.less, "less", "Return whether x1 < x2.")
less_equal = _two(numpylike.less_equal, "less_equal", "Return whether x1 <= x2.")
greater = _two(numpylike.greater, "greater", "Return whether x1 > x2.")
greater_equal = _two(numpylike.greater_equal, "greater_equal", "Return whether x1 >= x2.")
logical_and = _two(numpylike.logical_and, "logical_and", "Return whether both are true.")
logical_or = _two(numpylike.logical_or, "logical_or", "Return whether one is true.")
logical_xor = _two(numpylike.logical_xor, "logical_xor", "Return whether one alone is true.")
bitwise_and = _two(numpylike.bitwise_and, "bitwise_and", "Return the bits that are in both.")
bitwise_or = _two(numpylike.bitwise_or, "bitwise_or", "Return the bits that are in either.")
bitwise_xor = _two(numpylike.bitwise_xor, "bitwise_xor", "Return the bits that are in one alone.")
bitwise_left_shift = _two(
    lambda x1, x2: bitwise.left_shift(*together(x1, x2)), "bitwise_left_shift", "Return the bits of x1 moved left by x2."
)
bitwise_right_shift = _two(
    lambda x1, x2: bitwise.right_shift(*together(x1, x2)),
    "bitwise_right_shift",
    "Return the bits of x1 moved right by x2.",
)


def copysign(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return |x1| with the sign of x2; its derivative by x1 is 1 or -1, at zero too.

    >>> copysign([1.0, -2.0], -0.0).numpy().tolist()
    [-1.0, -2.0]
    """
    a, b = together(x1, x2)
    return arrangement.where(elementary.equal(signbit(a), signbit(b)), a, -a)  # type: ignore[no-any-return]


def clip(x: TensorLike, /, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Return the values between two bounds, each of which may be None; the dtype is that of x.

    >>> clip([1.0, 5.0, 9.0], 2, 8).numpy().tolist()
    [2.0, 5.0, 8.0]
    """
    found: Tensor = asarray(x)
    for bound, limited in ((min, elementary.maximum), (max, elementary.minimum)):
        if bound is not None:
            limit = cast(bound, found.nptype) if isinstance(bound, Tensor) else convert(np.asarray(bound).astype(found.nptype))
            found = limited(found, limit)
    return found
