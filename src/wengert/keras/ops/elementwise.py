"""Functions of one or two tensors, element by element: NumPy's values, Keras's dtypes."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.functions import array, bitwise
from wengert.functions import math as elementary
from wengert.keras.ops.promotion import floating, tensor, together
from wengert.modes import control
from wengert.ops.elementwise import HYPOT, INVERT, LOGADDEXP, TRUNC
from wengert.tensor.tensor import Tensor, TensorLike, apply

__all__ = """
    abs absolute add angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_invert bitwise_left_shift
    bitwise_not bitwise_or bitwise_right_shift bitwise_xor cbrt ceil clip conj conjugate copy cos cosh deg2rad digamma divide
    divide_no_nan equal erf erfc erfinv exp exp2 expm1 fabs floor floor_divide fmax fmin fmod gcd greater greater_equal heaviside
    hypot i0 imag isclose allclose isfinite isinf isnan isneginf isposinf isreal lcm ldexp left_shift less less_equal log log10
    log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum minimum mod multiply nan_to_num
    negative nextafter not_equal polar power rad2deg real reciprocal right_shift round rsqrt sign signbit sin sinc sinh sqrt
    square subtract tan tanh true_divide trunc where view_as_complex view_as_real
""".split()


def _named(made: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    return made


def _of_floats(function: Callable[[Any], Any], name: str, doc: str, wide: bool = False) -> Callable[[Any], Any]:
    """Return a function of one tensor of floats, which integers and Booleans become."""

    def made(x: TensorLike) -> Any:
        return function(floating(x, wide))

    return _named(made, name, doc)


arccos = _of_floats(elementary.acos, "arccos", "Return the inverse cosine.")
arccosh = _of_floats(elementary.acosh, "arccosh", "Return the inverse hyperbolic cosine.")
arcsin = _of_floats(elementary.asin, "arcsin", "Return the inverse sine.")
arcsinh = _of_floats(elementary.asinh, "arcsinh", "Return the inverse hyperbolic sine.")
arctan = _of_floats(elementary.atan, "arctan", "Return the inverse tangent.")
arctanh = _of_floats(elementary.atanh, "arctanh", "Return the inverse hyperbolic tangent.")
ceil = _of_floats(elementary.ceil, "ceil", "Return the least whole numbers that are not less.")
cos = _of_floats(elementary.cos, "cos", "Return the cosine.")
cosh = _of_floats(elementary.cosh, "cosh", "Return the hyperbolic cosine.")
digamma = _of_floats(elementary.digamma, "digamma", "Return the logarithmic derivative of the Γ function.")
erf = _of_floats(elementary.erf, "erf", "Return the error function.")
erfc = _of_floats(elementary.erfc, "erfc", "Return 1 - erf(x).")
erfinv = _of_floats(elementary.erfinv, "erfinv", "Return the inverse of `erf`.")
exp = _of_floats(elementary.exp, "exp", "Return eˣ.")
expm1 = _of_floats(elementary.expm1, "expm1", "Return eˣ - 1.")
fabs = _of_floats(elementary.abs, "fabs", "Return |x| as floats.")
floor = _of_floats(elementary.floor, "floor", "Return the greatest whole numbers that are not greater.")
log = _of_floats(elementary.log, "log", "Return the natural logarithm.")
log1p = _of_floats(elementary.log1p, "log1p", "Return log(1 + x).")
reciprocal = _of_floats(elementary.reciprocal, "reciprocal", "Return 1 / x.")
rsqrt = _of_floats(elementary.rsqrt, "rsqrt", "Return 1 / √x.")
sin = _of_floats(elementary.sin, "sin", "Return the sine.")
sinh = _of_floats(elementary.sinh, "sinh", "Return the hyperbolic sine.")
sqrt = _of_floats(
    elementary.sqrt, "sqrt", """Return √x.

    >>> sqrt(np.array([4])).numpy()
    array([2.], dtype=float32)
    """,
)  # fmt: skip
tan = _of_floats(elementary.tan, "tan", "Return the tangent.")
tanh = _of_floats(elementary.tanh, "tanh", "Return the hyperbolic tangent.")
cbrt = _of_floats(elementary.cbrt, "cbrt", "Return the real cube root.", wide=True)
i0 = _of_floats(elementary.bessel_i0, "i0", "Return the modified Bessel function I₀.", wide=True)
deg2rad = _of_floats(lambda x: x * (math.pi / 180.0), "deg2rad", "Return degrees as radians.", wide=True)
rad2deg = _of_floats(lambda x: x * (180.0 / math.pi), "rad2deg", "Return radians as degrees.", wide=True)
exp2 = _of_floats(lambda x: elementary.pow(array.ones_like(x) * 2.0, x), "exp2", "Return 2ˣ.")
log2 = _of_floats(lambda x: elementary.log(x) / math.log(2.0), "log2", "Return the logarithm to base 2.")
log10 = _of_floats(lambda x: elementary.log(x) / math.log(10.0), "log10", "Return the logarithm to base 10.")
sinc = _of_floats(lambda x: elementary.sinc(x * math.pi), "sinc", "Return sin(πx) / (πx), and 1 at 0.")
angle = _of_floats(elementary.angle, "angle", "Return the argument of complex numbers; π for negative ones.")


def absolute(x: TensorLike) -> Any:
    """Return |x|."""
    x = tensor(x)
    return x if x.nptype.kind in "ub" else elementary.abs(x)


def square(x: TensorLike) -> Any:
    """Return x²."""
    x = tensor(x)
    return elementary.square(array.cast(x, "int32") if x.nptype.kind == "b" else x)


def negative(x: TensorLike) -> Any:
    """Return -x."""
    return elementary.negative(tensor(x))


def sign(x: TensorLike) -> Any:
    """Return -1, 0 or 1 with the sign of x."""
    return elementary.sign(tensor(x))


def conj(x: TensorLike) -> Any:
    """Return the complex conjugate."""
    return elementary.conj(tensor(x))


def real(x: TensorLike) -> Any:
    """Return the real part."""
    return elementary.real(tensor(x))


def imag(x: TensorLike) -> Any:
    """Return the imaginary part; zeros for what is real."""
    x = tensor(x)
    return elementary.imag(x) if x.nptype.kind == "c" else array.zeros_like(x)


def copy(x: TensorLike) -> Any:
    """Return a tensor of the same value."""
    return array.identity(tensor(x))


def trunc(x: TensorLike) -> Any:
    """Return the whole numbers next to x in the direction of 0."""
    x = tensor(x)
    return apply(TRUNC, (x,)) if x.nptype.kind == "f" else x


def round(x: TensorLike, decimals: int = 0) -> Any:
    """Return the nearest number with so many decimals; halves go to the even one.

    >>> round([0.25, 0.75, 2.5], 1).numpy()
    array([0.2, 0.8, 2.5], dtype=float32)
    """
    x = tensor(x)
    if x.nptype.kind in "iu" and decimals >= 0:
        return x
    if not decimals:
        return elementary.round(floating(x))
    y, scale = floating(x), 10.0 ** builtins.abs(decimals)
    y = elementary.round(y * scale) / scale if decimals > 0 else elementary.round(y / scale) * scale
    return array.cast(y, x.dtype)


def signbit(x: TensorLike) -> Any:
    """Return where the sign is minus, that of -0.0 too."""
    x = tensor(x)
    if x.nptype.kind == "b":
        return array.zeros_like(x)
    if x.nptype.kind != "f":
        return elementary.less(x, array.zeros_like(x))
    zero = elementary.equal(x, array.zeros_like(x))
    # 1 / -0.0 is -∞
    return elementary.less(array.where(zero, 1.0 / array.where(zero, x, array.ones_like(x)), x), array.zeros_like(x))


def _predicate(function: Callable[[Any], Any], elsewhere: bool, name: str, doc: str) -> Callable[[Any], Any]:
    """Return a question about floats; what cannot hold the answer's exceptions gives the same everywhere."""

    def made(x: Tensor) -> Any:
        x = tensor(x)
        if x.nptype.kind in "fc":
            return function(x)
        return (array.ones_like if elsewhere else array.zeros_like)(x, "bool")

    return _named(made, name, doc)


isfinite = _predicate(elementary.is_finite, True, "isfinite", "Return where x is neither infinite nor NaN.")
isinf = _predicate(elementary.is_inf, False, "isinf", "Return where x is infinite.")
isnan = _predicate(elementary.is_nan, False, "isnan", "Return where x is NaN.")
isposinf = _predicate(lambda x: elementary.equal(x, math.inf), False, "isposinf", "Return where x is ∞.")
isneginf = _predicate(lambda x: elementary.equal(x, -math.inf), False, "isneginf", "Return where x is -∞.")


def isreal(x: TensorLike) -> Any:
    """Return where the imaginary part is 0."""
    part = imag(x)
    return elementary.equal(part, array.zeros_like(part))


def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Return x with NaN and infinities replaced, the latter by the greatest and least numbers unless told otherwise."""
    x = tensor(x)
    if x.nptype.kind == "c":
        return elementary.complex(nan_to_num(real(x), nan, posinf, neginf), nan_to_num(imag(x), nan, posinf, neginf))
    if x.nptype.kind != "f":
        return x
    limits = np.finfo(x.nptype)
    y = array.where(elementary.is_nan(x), tensor(nan, x.dtype), x)
    y = array.where(elementary.equal(y, math.inf), tensor(limits.max if posinf is None else posinf, x.dtype), y)
    return array.where(elementary.equal(y, -math.inf), tensor(limits.min if neginf is None else neginf, x.dtype), y)


# --- two tensors ------------------------------------------------------------------------------------------------------


def _of_two(function: Callable[[Any, Any], Any], name: str, doc: str, *also: Any) -> Callable[[Any, Any], Any]:
    """Return a function of two tensors, which are brought to one dtype (with `also`: to floats)."""

    def made(x1: TensorLike, x2: TensorLike) -> Any:
        return function(*together(x1, x2, also=also))

    return _named(made, name, doc)


def _numbers(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return the function with Booleans counted as 0 and 1."""
    return lambda a, b: function(*(array.cast(t, "int32") if t.nptype.kind == "b" else t for t in (a, b)))


def _or_logical(function: Callable[..., Any], logical: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Return the function, and for Booleans what NumPy takes it for."""
    return lambda a, b: logical(a, b) if a.nptype.kind == "b" else function(a, b)


add = _of_two(
    _or_logical(elementary.add, elementary.logical_or), "add", """Return x1 + x2.

    >>> add(np.array([1, 2]), 0.5).numpy()
    array([1.5, 2.5], dtype=float32)
    """,
)  # fmt: skip
subtract = _of_two(elementary.subtract, "subtract", "Return x1 - x2.")
multiply = _of_two(_or_logical(elementary.multiply, elementary.logical_and), "multiply", "Return x1 * x2.")
divide = _of_two(elementary.truediv, "divide", "Return x1 / x2.", float)
true_divide = divide
divide_no_nan = _of_two(elementary.divide_no_nan, "divide_no_nan", "Return x1 / x2, and 0 where x2 is 0.", float)
floor_divide = _of_two(_numbers(elementary.floordiv), "floor_divide", "Return ⌊x1 / x2⌋.")
mod = _of_two(_numbers(elementary.floormod), "mod", "Return the remainder of x1 / x2, with the sign of x2.")
fmod = _of_two(_numbers(elementary.truncatemod), "fmod", "Return the remainder of x1 / x2, with the sign of x1.")
maximum = _of_two(_or_logical(elementary.maximum, elementary.logical_or), "maximum", "Return the greater of two.")
minimum = _of_two(_or_logical(elementary.minimum, elementary.logical_and), "minimum", "Return the lesser of two.")
equal = _of_two(elementary.equal, "equal", "Return where x1 == x2.")
not_equal = _of_two(elementary.not_equal, "not_equal", "Return where x1 != x2.")
greater = _of_two(_numbers(elementary.greater), "greater", "Return where x1 > x2.")
greater_equal = _of_two(_numbers(elementary.greater_equal), "greater_equal", "Return where x1 >= x2.")
less = _of_two(_numbers(elementary.less), "less", "Return where x1 < x2.")
less_equal = _of_two(_numbers(elementary.less_equal), "less_equal", "Return where x1 <= x2.")
arctan2 = _of_two(elementary.atan2, "arctan2", "Return the angle of the points (x2, x1).", float)
nextafter = _of_two(elementary.nextafter, "nextafter", "Return the number after x1 in the direction of x2.", float)
logaddexp = _of_two(
    lambda a, b: apply(LOGADDEXP, (a, b)), "logaddexp", "Return log(exp(x1) + exp(x2)), without overflow.", float)  # fmt: skip
logaddexp2 = _of_two(
    lambda a, b: apply(LOGADDEXP, (a * math.log(2.0), b * math.log(2.0))) / math.log(2.0), "logaddexp2",
    "Return log₂(2 ** x1 + 2 ** x2), without overflow.", float,
)  # fmt: skip


def _wide_pair(x1: TensorLike, x2: TensorLike) -> list[Any]:
    """Return two tensors of floats, which int64 makes float64."""
    return [floating(t, wide=True) for t in together(x1, x2)]


def hypot(x1: TensorLike, x2: TensorLike) -> Any:
    """Return √(x1² + x2²), without overflow."""
    return apply(HYPOT, tuple(_wide_pair(x1, x2)))


def heaviside(x1: TensorLike, x2: TensorLike) -> Any:
    """Return 0 where x1 < 0, 1 where x1 > 0, and x2 where x1 is 0; its derivative by x1 is zero."""
    x, at_zero = _wide_pair(x1, x2)
    # NaN is neither less nor greater, and stays.
    step = array.where(elementary.is_nan(x), array.stop_gradient(x), array.cast(x > 0.0, x.dtype))
    return array.where(elementary.equal(x, array.zeros_like(x)), at_zero, step)


def _other_than_nan(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def made(a: Tensor, b: TensorLike) -> Any:
        if a.nptype.kind != "f":
            return function(a, b)
        found = function(array.where(elementary.is_nan(a), b, a), array.where(elementary.is_nan(b), a, b))
        return found

    return made


fmax = _of_two(_other_than_nan(maximum), "fmax", "Return the greater of two, or the one that is not NaN.")
fmin = _of_two(_other_than_nan(minimum), "fmin", "Return the lesser of two, or the one that is not NaN.")


def power(x1: TensorLike, x2: TensorLike) -> Any:
    """Return x1 ** x2; a whole exponent that is a Python number has derivatives at 0 too.

    >>> power(np.array([1.0, 3.0], "float32"), 2).numpy()
    array([1., 9.], dtype=float32)
    """
    a, b = _numbers_of(*together(x1, x2))
    return elementary.pow(a, x2 if x2.__class__ in (int, float) else b)


def _numbers_of(*values: Tensor) -> list[Any]:
    return [array.cast(t, "int32") if t.nptype.kind == "b" else t for t in values]


def ldexp(x1: TensorLike, x2: TensorLike) -> Any:
    """Return x1 * 2 ** x2, x2 being integers."""
    exponent = tensor(x2)
    if exponent.nptype.kind not in "iu":
        raise TypeError(f"ldexp: the exponent must be integers, not {exponent.dtype.name}.")
    x = floating(x1)
    return x * array.stop_gradient(elementary.pow(array.ones_like(x) * 2.0, array.cast(exponent, x.dtype)))


def clip(x: TensorLike, x_min: TensorLike | None = None, x_max: TensorLike | None = None) -> Any:
    """Return x kept within limits; None is no limit.

    >>> clip([-1.0, 0.5, 3.0], 0, 1).numpy()
    array([0. , 0.5, 1. ], dtype=float32)
    """
    given = [limit for limit in (x_min, x_max) if limit is not None]
    y, *limits = _numbers_of(*together(x, *given))
    if len(limits) == 2 and builtins.all(limit.sizes in ((), y.sizes) for limit in limits):
        return elementary.clip_by_value(y, *limits)
    if x_min is not None:
        y = elementary.maximum(y, limits[0])
    return y if x_max is None else elementary.minimum(y, limits[-1])


abs = absolute
conjugate = conj


def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Return where |x1 - x2| <= atol + rtol |x2|; infinities are close to themselves alone, NaN to NaN where asked.

    >>> isclose([1.0, 2.0], [1.000001, 2.1]).numpy()
    array([ True, False])
    """
    a, b = together(x1, x2)
    exact = elementary.equal(a, b)
    if a.nptype.kind not in "fc":
        a, b = array.cast(a, "float64"), array.cast(b, "float64")
    near = elementary.less_equal(elementary.abs(a - b), elementary.abs(b) * rtol + atol)
    found = elementary.logical_or(exact, elementary.logical_and(near, elementary.is_finite(b)))
    if equal_nan:
        return elementary.logical_or(found, elementary.logical_and(elementary.is_nan(a), elementary.is_nan(b)))
    return found


def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Return whether `isclose` holds everywhere."""
    return elementary.reduce_all(isclose(x1, x2, rtol, atol, equal_nan))


def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Any:
    """Return x1 where a condition holds and x2 elsewhere; or with one argument the places, an int32 vector for each axis.

    >>> where([True, False], 1, 2.5).numpy()
    array([1. , 2.5], dtype=float32)
    """
    chosen = tensor(condition, "bool")
    if x1 is None and x2 is None:
        found = array.cast(array.where(chosen), "int32")
        return array.unstack(found, len(chosen.sizes), axis=1)
    if x1 is None or x2 is None:
        raise ValueError("where: x1 and x2 must be given both or neither.")
    a, b = together(x1, x2)
    return array.where(chosen, a, b)


# --- logic and bits ---------------------------------------------------------------------------------------------------


def _truth(function: Callable[..., Any], name: str, doc: str) -> Callable[[Any, Any], Any]:
    def made(x1: TensorLike, x2: TensorLike) -> Any:
        return function(array.cast(tensor(x1), "bool"), array.cast(tensor(x2), "bool"))

    return _named(made, name, doc)


logical_and = _truth(elementary.logical_and, "logical_and", "Return where both are True, or not 0.")
logical_or = _truth(elementary.logical_or, "logical_or", "Return where one or both are True, or not 0.")
logical_xor = _truth(elementary.logical_xor, "logical_xor", "Return where exactly one is True, or not 0.")


def logical_not(x: TensorLike) -> Any:
    """Return where x is False, or 0."""
    return elementary.logical_not(array.cast(tensor(x), "bool"))


def _bits(function: Callable[..., Any], name: str, doc: str) -> Callable[[Any, Any], Any]:
    def made(x: TensorLike, y: TensorLike) -> Any:
        return function(*together(x, y))

    return _named(made, name, doc)


bitwise_and = _bits(bitwise.bitwise_and, "bitwise_and", "Return the bits that are set in both.")
bitwise_or = _bits(bitwise.bitwise_or, "bitwise_or", "Return the bits that are set in one or both.")
bitwise_xor = _bits(bitwise.bitwise_xor, "bitwise_xor", "Return the bits that differ.")
bitwise_left_shift = _bits(bitwise.left_shift, "bitwise_left_shift", "Return x with its bits shifted left by y.")
bitwise_right_shift = _bits(bitwise.right_shift, "bitwise_right_shift", "Return x with its bits shifted right by y.")
left_shift, right_shift = bitwise_left_shift, bitwise_right_shift


def bitwise_invert(x: TensorLike) -> Any:
    """Return the bits that are not set."""
    return apply(INVERT, (tensor(x),))


bitwise_not = bitwise_invert


def gcd(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the greatest common divisor of integers: Euclid's algorithm on all elements at once."""
    a, b = _integers("gcd", x1, x2)
    zero = array.zeros_like(a + b)
    a, b = elementary.abs(a) + zero, elementary.abs(b) + zero

    def step(a: TensorLike, b: TensorLike) -> Any:
        going = elementary.not_equal(b, zero)
        rest = elementary.floormod(a, array.where(going, b, array.ones_like(b)))
        return array.where(going, b, a), array.where(going, rest, zero)

    going = lambda a, b: elementary.reduce_any(elementary.not_equal(b, zero))  # noqa: E731
    return control.while_loop(going, step, (a, b))[0]


def lcm(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the least common multiple of integers."""
    a, b = _integers("lcm", x1, x2)
    divisor = gcd(a, b)
    none = elementary.equal(divisor, array.zeros_like(divisor))
    return array.where(none, divisor, elementary.abs(a) * elementary.floordiv(
        elementary.abs(b), array.where(none, array.ones_like(divisor), divisor)))  # fmt: skip


def _integers(name: str, *values: TensorLike) -> list[Any]:
    found = together(*values)
    if found[0].nptype.kind not in "iu":
        raise TypeError(f"{name} takes integers, not {found[0].dtype.name}.")
    return found


# --- complex numbers and parts of them --------------------------------------------------------------------------------


def view_as_complex(x: TensorLike) -> Any:
    """Return the complex numbers whose parts stand along the last axis."""
    parts = tensor(x)
    return elementary.complex(parts[..., 0], parts[..., 1])


def view_as_real(x: TensorLike) -> Any:
    """Return the parts of complex numbers along a new last axis."""
    x = tensor(x)
    return array.stack([real(x), imag(x)], axis=-1)


def polar(abs_: TensorLike, angle: TensorLike) -> Any:
    """Return the complex numbers of given absolute values and arguments."""
    r, phi = together(abs_, angle, also=(float,))
    return elementary.complex(r * elementary.cos(phi), r * elementary.sin(phi))
