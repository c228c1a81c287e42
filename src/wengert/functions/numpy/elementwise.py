"""Functions of `tf.experimental.numpy` that work element by element."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import bitwise
from wengert.functions import math as elementary
from wengert.functions.numpy.promotion import Binary, Unary, asarray, floating, named, together
from wengert.ops import elementwise as ops
from wengert.tensor import tensor as tensors
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = [
    "abs",
    "absolute",
    "add",
    "allclose",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "around",
    "array_equal",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "cos",
    "cosh",
    "deg2rad",
    "divide",
    "divmod",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fix",
    "float_power",
    "floor",
    "floor_divide",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "imag",
    "isclose",
    "iscomplex",
    "iscomplexobj",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "isrealobj",
    "isscalar",
    "lcm",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "power",
    "rad2deg",
    "real",
    "reciprocal",
    "remainder",
    "round",
    "select",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "where",
]  # fmt: skip


# --- of one -----------------------------------------------------------------------------------------------------------


def _of_floats(function: Unary, name: str, doc: str) -> Callable[[TensorLike], Any]:
    def made(x: TensorLike) -> Any:
        return function(floating(x))

    return named(made, name, doc)


sin = _of_floats(elementary.sin, "sin", "Return the sine.")
cos = _of_floats(elementary.cos, "cos", "Return the cosine.")
tan = _of_floats(elementary.tan, "tan", "Return the tangent.")
sinh = _of_floats(elementary.sinh, "sinh", "Return the hyperbolic sine.")
cosh = _of_floats(elementary.cosh, "cosh", "Return the hyperbolic cosine.")
tanh = _of_floats(elementary.tanh, "tanh", "Return the hyperbolic tangent.")
arcsin = _of_floats(elementary.asin, "arcsin", "Return the angle of a sine.")
arccos = _of_floats(elementary.acos, "arccos", "Return the angle of a cosine.")
arctan = _of_floats(elementary.atan, "arctan", "Return the angle of a tangent.")
arcsinh = _of_floats(elementary.asinh, "arcsinh", "Return the inverse of the hyperbolic sine.")
arccosh = _of_floats(elementary.acosh, "arccosh", "Return the inverse of the hyperbolic cosine.")
arctanh = _of_floats(elementary.atanh, "arctanh", "Return the inverse of the hyperbolic tangent.")
exp = _of_floats(elementary.exp, "exp", "Return eˣ.")
exp2 = _of_floats(lambda x: tensors.apply(ops.EXP2, (x,)), "exp2", "Return 2ˣ.")
expm1 = _of_floats(elementary.expm1, "expm1", "Return eˣ - 1.")
log = _of_floats(elementary.log, "log", "Return the natural logarithm.")
log1p = _of_floats(elementary.log1p, "log1p", "Return log(1 + x).")
log2 = _of_floats(lambda x: elementary.log(x) / float(np.log(2.0)), "log2", "Return the logarithm to base 2.")
log10 = _of_floats(lambda x: elementary.log(x) / float(np.log(10.0)), "log10", "Return the logarithm to base 10.")
sqrt = _of_floats(elementary.sqrt, "sqrt", "Return √x.")
cbrt = _of_floats(lambda x: tensors.apply(ops.CBRT, (x,)), "cbrt", "Return the cube root, negative for negative numbers.")
sinc = _of_floats(lambda x: tensors.apply(ops.SINC, (x * np.pi,)), "sinc", "Return sin(πx) / (πx), and 1 at 0.")
deg2rad = _of_floats(lambda x: x * (np.pi / 180.0), "deg2rad", "Return degrees as radians.")
rad2deg = _of_floats(lambda x: x * (180.0 / np.pi), "rad2deg", "Return radians as degrees.")
floor = _of_floats(elementary.floor, "floor", "Return the greatest whole numbers that are not greater, as floats.")
ceil = _of_floats(elementary.ceil, "ceil", "Return the least whole numbers that are not less, as floats.")
fix = _of_floats(lambda x: tensors.apply(ops.TRUNC, (x,)), "fix", "Return the nearest whole numbers towards zero, as floats.")
isfinite = _of_floats(elementary.is_finite, "isfinite", "Return whether numbers are finite.")
isinf = _of_floats(elementary.is_inf, "isinf", "Return whether numbers are infinite.")
isnan = _of_floats(elementary.is_nan, "isnan", "Return whether numbers are no numbers.")


def isneginf(x: TensorLike) -> Any:
    """Return whether numbers are -∞."""
    t = floating(x)
    return elementary.equal(t, np.full((), -np.inf, t.nptype))


def isposinf(x: TensorLike) -> Any:
    """Return whether numbers are ∞."""
    t = floating(x)
    return elementary.equal(t, np.full((), np.inf, t.nptype))


def absolute(x: TensorLike) -> Any:
    """Return |x|."""
    t = asarray(x)
    return t if t.nptype.kind in "ub" else elementary.abs(t)


abs = fabs = absolute


def square(x: TensorLike) -> Any:
    """Return x²."""
    return elementary.square(asarray(x))


def reciprocal(x: TensorLike) -> Any:
    """Return 1 / x, of integers the whole number towards zero, as NumPy does."""
    t = asarray(x)
    return elementary.reciprocal(t) if t.nptype.kind in "fc" else elementary.truncatediv(arrangement.ones_like(t), t)


def sign(x: TensorLike, out: None = None, where: None = None, **kwargs: None) -> Any:
    """Return -1, 0 or 1 with the sign of x; of a complex number, x / |x|."""
    if out is not None or where is not None or kwargs:
        raise ValueError("sign: tf.numpy doesn't support setting out, where and others.")
    return elementary.sign(asarray(x))


def negative(x: TensorLike) -> Any:
    """Return -x."""
    return elementary.negative(asarray(x))


def positive(x: TensorLike) -> Any:
    """Return x."""
    return asarray(x)


def around(a: TensorLike, decimals: int = 0) -> Any:
    """Return the nearest numbers of so many decimals, the even one of two that are as near; integers stay integers.

    >>> around([1.25, 1.35], 1).numpy().tolist()
    [1.2, 1.4]
    """
    x = asarray(a)
    nptype = x.nptype
    factor = float(10**decimals)
    scaled = floating(x) * factor if decimals else floating(x)
    found = elementary.round(scaled)
    return arrangement.cast(found / factor if decimals else found, nptype)


round = around


def real(val: TensorLike) -> Any:
    """Return the real part."""
    return elementary.real(asarray(val))


def imag(val: TensorLike) -> Any:
    """Return the imaginary part."""
    x = asarray(val)
    return elementary.imag(x) if x.nptype.kind == "c" else arrangement.zeros_like(x)


def conj(x: TensorLike) -> Any:
    """Return the conjugate."""
    return elementary.conj(asarray(x))


conjugate = conj


def angle(z: TensorLike, deg: bool = False) -> Any:
    """Return the angle of complex numbers, in radians or degrees."""
    x = asarray(z)
    found = elementary.angle(x if x.nptype.kind == "c" else floating(x))
    return found * (180.0 / np.pi) if deg else found


def signbit(x: TensorLike) -> Any:
    """Return whether numbers are less than zero."""
    t = asarray(x)
    return arrangement.zeros_like(t) if t.nptype.kind in "b" else elementary.less(t, arrangement.zeros_like(t))


def isreal(x: TensorLike) -> Any:
    """Return whether numbers have no imaginary part."""
    t = imag(x)
    return elementary.equal(t, arrangement.zeros_like(t))


def iscomplex(x: TensorLike) -> Any:
    """Return whether numbers have an imaginary part."""
    return elementary.logical_not(isreal(x))


def iscomplexobj(x: TensorLike) -> bool:
    """Return whether the dtype of a value is complex."""
    return bool(asarray(x).nptype.kind == "c")


def isrealobj(x: TensorLike) -> bool:
    """Return whether the dtype of a value is real."""
    return not iscomplexobj(x)


def isscalar(num: TensorLike) -> bool:
    """Return whether a value has no axes."""
    if isinstance(num, Tensor) or isinstance(num, np.ndarray):
        return np.ndim(num) == 0 if isinstance(num, np.ndarray) else num.ndim == 0
    return np.isscalar(num)


# --- of two -----------------------------------------------------------------------------------------------------------


def _of_two(function: Binary, name: str, doc: str, logical: Binary | None = None) -> Callable[[TensorLike, TensorLike], Any]:
    """Return a function of two values in the dtype that they have together; `logical`: what it is for Booleans."""

    def made(x1: TensorLike, x2: TensorLike) -> Any:
        a, b = together(x1, x2)
        return logical(a, b) if logical is not None and a.nptype.kind == "b" else function(a, b)

    return named(made, name, doc)


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


def _whole(function: Binary) -> Binary:
    """Return a function of numbers for which Booleans are int8."""

    def made(a: Tensor, b: Tensor) -> Any:
        if a.nptype.kind == "b":
            return arrangement.cast(function(arrangement.cast(a, "int8"), arrangement.cast(b, "int8")), "int8")
        return function(a, b)

    return made


floor_divide = _of_two(
    _whole(lambda a, b: tensors.apply(ops.FLOOR_DIVIDE, (a, b))), "floor_divide", "Return x1 / x2 rounded down."
)
mod = _of_two(_whole(elementary.floormod), "mod", "Return the remainder of a division that rounds down: it has the sign of x2.")
remainder = mod
float_power = _of_two(lambda a, b: power(a, b), "float_power", "Return x1 ** x2.")
equal = _of_two(elementary.equal, "equal", "Return whether numbers are equal.")
not_equal = _of_two(elementary.not_equal, "not_equal", "Return whether numbers differ.")


def _ordered(function: Binary) -> Binary:
    def made(a: Tensor, b: Tensor) -> Any:
        if a.nptype.kind == "b":
            a, b = (arrangement.cast(t, "int8") for t in (a, b))
        return function(a, b)

    return made


less = _of_two(_ordered(elementary.less), "less", "Return whether x1 < x2.")
less_equal = _of_two(_ordered(elementary.less_equal), "less_equal", "Return whether x1 <= x2.")
greater = _of_two(_ordered(elementary.greater), "greater", "Return whether x1 > x2.")
greater_equal = _of_two(_ordered(elementary.greater_equal), "greater_equal", "Return whether x1 >= x2.")
bitwise_and = _of_two(bitwise.bitwise_and, "bitwise_and", "Return the bits that are in both.", elementary.logical_and)
bitwise_or = _of_two(bitwise.bitwise_or, "bitwise_or", "Return the bits that are in either.", elementary.logical_or)
bitwise_xor = _of_two(bitwise.bitwise_xor, "bitwise_xor", "Return the bits that are in one alone.", elementary.logical_xor)


def bitwise_not(x: TensorLike) -> Any:
    """Return the other bits, of Booleans the opposite."""
    t = asarray(x)
    return elementary.logical_not(t) if t.nptype.kind == "b" else bitwise.invert(t)


def _of_two_floats(function: Binary, name: str, doc: str) -> Callable[[TensorLike, TensorLike], Any]:
    def made(x1: TensorLike, x2: TensorLike) -> Any:
        return function(*floating(x1, x2))

    return named(made, name, doc)


divide = _of_two_floats(elementary.truediv, "divide", """Return x1 / x2; of integers it is a float.

    >>> divide(1, 2).numpy()
    np.float64(0.5)
    """)  # fmt: skip
true_divide = divide
arctan2 = _of_two_floats(elementary.atan2, "arctan2", "Return the angle of the point (x2, x1).")
hypot = _of_two_floats(lambda a, b: tensors.apply(ops.HYPOT, (a, b)), "hypot", "Return √(x1² + x2²).")
nextafter = _of_two_floats(elementary.nextafter, "nextafter", "Return the number after x1 in the direction of x2.")
logaddexp = _of_two_floats(lambda a, b: tensors.apply(ops.LOGADDEXP, (a, b)), "logaddexp", "Return log(exp(x1) + exp(x2)).")


def _log_of_sum(a: Tensor, b: Tensor) -> Any:
    two = float(np.log(2.0))
    return tensors.apply(ops.LOGADDEXP, (a * two, b * two)) / two


logaddexp2 = _of_two_floats(_log_of_sum, "logaddexp2", "Return log2(2 ** x1 + 2 ** x2).")


def divmod(x1: TensorLike, x2: TensorLike) -> tuple[Any, Any]:
    """Return the quotient, rounded down, and the remainder."""
    return floor_divide(x1, x2), mod(x1, x2)


def power(x1: TensorLike, x2: TensorLike) -> Any:
    """Return x1 ** x2; a whole exponent that is a Python number has derivatives at 0 too."""
    a, b = (arrangement.cast(t, "int8") if t.nptype.kind == "b" else t for t in together(x1, x2))
    return elementary.pow(a, x2 if isinstance(x2, int | float) and x2.__class__ is not bool else b)


def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """Return 0 for x1 < 0, 1 for x1 > 0, and x2 where x1 is 0; its derivative by x1 is zero."""
    x, at_zero = floating(x1, x2)
    # NaN is neither less nor greater, and stays.
    step = arrangement.where(elementary.is_nan(x), arrangement.stop_gradient(x), arrangement.cast(x > 0.0, x.dtype))
    return arrangement.where(elementary.equal(x, arrangement.zeros_like(x)), at_zero, step)


def _integers(x1: TensorLike, x2: TensorLike, name: str) -> list[Any]:
    found = together(x1, x2)
    if found[0].nptype.kind not in "iu":
        raise ValueError(f"Arguments to {name} must be integers.")
    return [elementary.abs(t) if t.nptype.kind == "i" else t for t in found]


_STEPS = 92
"""Euclid's algorithm ends within so many steps on 64 bits: the numbers fall as Fibonacci's do at the slowest."""


def gcd(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the greatest common divisors of integers, by Euclid's algorithm.

    >>> gcd(12, 18).numpy()
    np.int64(6)
    """
    from wengert.modes.control import while_loop

    a, b = _integers(x1, x2, "gcd")
    a, b = a + arrangement.zeros_like(b), b + arrangement.zeros_like(a)

    def step(a: Tensor, b: Tensor) -> tuple[Any, Any]:
        left = elementary.not_equal(b, arrangement.zeros_like(b))
        divisor = arrangement.where(left, b, arrangement.ones_like(b))
        return arrangement.where(left, b, a), arrangement.where(left, elementary.floormod(a, divisor), arrangement.zeros_like(b))

    going = lambda a, b: elementary.reduce_any(elementary.not_equal(b, arrangement.zeros_like(b)))  # noqa: E731
    return while_loop(going, step, (a, b), maximum_iterations=_STEPS)[0]


def lcm(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the least common multiples of integers.

    >>> lcm(4, 6).numpy()
    np.int64(12)
    """
    a, b = _integers(x1, x2, "lcm")
    divisor = gcd(a, b)
    divisor = arrangement.where(
        elementary.equal(divisor, arrangement.zeros_like(divisor)), arrangement.ones_like(divisor), divisor
    )
    return elementary.floordiv(a, divisor) * b


# --- truth ------------------------------------------------------------------------------------------------------------


def _true(x: TensorLike) -> Any:
    return arrangement.cast(asarray(x), "bool")


def logical_and(x1: TensorLike, x2: TensorLike) -> Any:
    """Return whether both are true, numbers other than 0 being so."""
    return elementary.logical_and(_true(x1), _true(x2))


def logical_or(x1: TensorLike, x2: TensorLike) -> Any:
    """Return whether one is true."""
    return elementary.logical_or(_true(x1), _true(x2))


def logical_xor(x1: TensorLike, x2: TensorLike) -> Any:
    """Return whether one alone is true."""
    return elementary.logical_xor(_true(x1), _true(x2))


def logical_not(x: TensorLike) -> Any:
    """Return whether a value is not true."""
    return elementary.logical_not(_true(x))


def isclose(a: TensorLike, b: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Return whether |a - b| <= atol + rtol |b|; integers are close where they are equal."""
    x, y = together(a, b)
    same = elementary.equal(x, y)
    if x.nptype.kind not in "fc":
        return same
    near = elementary.less_equal(elementary.abs(x - y), atol + rtol * elementary.abs(y))
    bounded = elementary.is_finite(elementary.abs(y))
    found = elementary.logical_or(same, elementary.logical_and(near, bounded))
    if equal_nan:
        both = elementary.logical_and(elementary.not_equal(x, x), elementary.not_equal(y, y))
        found = elementary.logical_or(found, both)
    return found


def allclose(a: TensorLike, b: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Return whether all elements are close; see `isclose`."""
    return elementary.reduce_all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: TensorLike, a2: TensorLike) -> Any:
    """Return whether two values have one shape and equal elements."""
    x, y = together(a1, a2)
    if x.sizes != y.sizes:
        return arrangement.constant(False)
    return elementary.reduce_all(elementary.equal(x, y))


# --- choice -----------------------------------------------------------------------------------------------------------


def clip(a: TensorLike, a_min: TensorLike | None, a_max: TensorLike | None) -> Any:
    """Return the values between two bounds, of which one may be None.

    >>> clip([1, 5, 9], 2, 8).numpy().tolist()
    [2, 5, 8]
    """
    if a_min is None and a_max is None:
        raise ValueError("Not more than one of `a_min` and `a_max` may be `None`.")
    if a_max is None:
        return maximum(a, a_min) if a_min is not None else asarray(a)
    if a_min is None:
        return minimum(a, a_max)
    x, low, high = together(a, a_min, a_max)
    return elementary.minimum(elementary.maximum(x, low), high)


def where(condition: TensorLike, x: TensorLike | None = None, y: TensorLike | None = None) -> Any:
    """Return x where a condition holds and y elsewhere; or with one argument the places, a vector for each axis."""
    truth = _true(condition)
    if x is None and y is None:
        return arrangement.unstack(arrangement.where(truth), len(truth.sizes), axis=1)
    if x is None or y is None:
        raise ValueError("Both x and y must be ndarrays, or both must be None.")
    return arrangement.where(truth, *together(x, y))


def select(condlist: list[TensorLike], choicelist: list[TensorLike], default: TensorLike = 0) -> Any:
    """Return of several choices the first whose condition holds."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"condlist must have length equal to choicelist ({len(condlist)} vs {len(choicelist)})")
    if not condlist:
        raise ValueError("condlist must be non-empty")
    *choices, found = together(*choicelist, default)
    for condition, choice in builtins.reversed(list(builtins.zip(condlist, choices, strict=True))):
        found = arrangement.where(_true(condition), choice, found)
    return found
