"""The exponential function and what is made of it: each reduces its argument by a multiple of ln 2.

    x = n ln 2 + r, |r| <= ln 2 / 2,   exp(x) = 2ⁿ exp(r),   exp(r) = 1 + r + r² P(r)

with P the polynomial that errs least in units of expm1(r) on |r| <= 0.503 ln 2: of degree 4, 2^-26.1 of it, for float32; of
degree 9, 2^-55.5, for float64.
"""

from __future__ import annotations

import math

from wengert.execute.native.code import Vector
from wengert.execute.native.functions.forms import Format, absolute, format_of, in_format, polynomial, signed_as, within

__all__ = ["cosh", "exp", "exp2", "expit", "expm1", "sech_squared", "sinh", "tanh"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SINGLE = (0.49999998091282744, 0.1666654128520529, 0.041667211334602765, 0.00836684133655008, 0.0013882445319882448)
DOUBLE = (
    *(0.5000000000000006, 0.16666666666666585, 0.04166666666657322, 0.008333333333392066, 0.0013888888932831875),
    *(0.00019841269714739062, 2.480150365195779e-05, 2.7557409961935273e-06, 2.762671507627943e-07, 2.505353644500576e-08),
)
"""P, for float32 and float64."""

LN2 = (0.693147182464599609375, -1.904654299957767878541e-09), (0.6931471805599453, 2.3190468138462996e-17)
"""ln 2 as the sum of two numbers of each format."""


def split(x: Vector, factor: float = 1.0) -> tuple[Vector, Vector]:
    """Return n, the integer next to factor x / ln 2, as a float and in the low bits of another."""
    form = format_of(x)
    whole = x.fma(factor / math.log(2.0), form.integer)
    with x.code.exactly():
        return whole - form.integer, whole


def remainder(x: Vector, n: Vector) -> Vector:
    """Return x - n ln 2, right to the last place for every n that an exponent holds."""
    high, low = in_format(x, *LN2)
    return n.fma(-low, n.fma(-high, x))


def exponential(r: Vector) -> Vector:
    """Return exp(r), for |r| <= ln 2 / 2."""
    return polynomial(r, in_format(r, SINGLE, DOUBLE)).fma(r, 1.0).fma(r, 1.0)


def less_one(r: Vector) -> Vector:
    """Return exp(r) - 1, with all its digits, for |r| <= ln 2 / 2."""
    square = r * r
    return square.fma(polynomial(r, in_format(r, SINGLE, DOUBLE), square), r)


def power_of_two(whole: Vector, form: Format, more: int = 0, sign: int = 1) -> Vector:
    """Return 2^(more ± n), for the n in the low bits of a float: a normal number, or 2^(bias + 1) as infinity."""
    n = whole.as_bits(form.signed).shifted(form.fraction)
    one = n.like((form.bias + more) << form.fraction)
    return (one + n if sign > 0 else one - n).as_bits(form.dtype)


def clamped(x: Vector, low: float | None, high: float | None) -> Vector:
    """Return x, or the bound that it lies beyond; NaN as it is."""
    if high is not None:
        x = (x > high).choose(x.like(high), x)
    if low is not None:
        x = (x < low).choose(x.like(low), x)
    return x


def ends(form: Format) -> tuple[float, float]:
    """Return ln of the smallest normal number, rounded up, and of the largest one, rounded down."""
    return (-87.33654, 88.72283) if form.fraction == 23 else (-708.3964185322641, 709.782712893384)


def scaled(y: Vector, whole: Vector, x: Vector, low: float, high: float) -> Vector:
    """Return 2ⁿ y where x is between the bounds, zero below, infinity above; NaN where x is NaN.

    The exponent is added to y's bits: 2ⁿ itself, with n the largest one, is no number.
    """
    form = format_of(y)
    bits = y.as_bits(form.signed) + whole.as_bits(form.signed).shifted(form.fraction)
    y = (x <= high).choose(bits.as_bits(form.dtype), x + math.inf)
    return (x < low).choose(y.like(0.0), y)


@within(1.0, 1.0)
def exp(x: Vector) -> Vector:
    """Return the exponential."""
    n, whole = split(x)
    return scaled(exponential(remainder(x, n)), whole, x, *ends(format_of(x)))


@within(1.0, 1.0)
def exp2(x: Vector) -> Vector:
    """Return 2ˣ = 2ⁿ exp((x - n) ln 2): x - n is exact."""
    form = format_of(x)
    high, low = in_format(x, *LN2)
    with x.code.exactly():
        whole = x + form.integer
        d = x - (whole - form.integer)
    y = exponential(d.fma(high, d * low))
    largest = math.nextafter(128.0, 0.0) if form.fraction == 52 else 127.99999
    return scaled(y, whole, x, 1.0 - form.bias, largest if form.fraction == 23 else math.nextafter(1024.0, 0.0))


@within(2.0, 2.0)
def expm1(x: Vector) -> Vector:
    """Return the exponential less one: twice 2ⁿ⁻¹ (exp(r) - 1) + (2ⁿ⁻¹ - 1/2), so that it overflows where it must.

    For n = 0 it is exp(r) - 1 itself, a half of which may be no normal number.
    """
    form = format_of(x)
    inside = clamped(x, *in_format(x, (-18.0, 89.0), (-40.0, 710.0)))
    n, whole = split(inside)
    half = power_of_two(whole, form, -1)
    with x.code.exactly():
        near = less_one(remainder(inside, n))
        y = near.fma(half, half - 0.5)
        return signed_as((n == 0.0).choose(near, y + y), x)


def _decay(x: Vector) -> tuple[Vector, Vector, Vector]:
    """Return of E = exp(-2|x|) = 2⁻ⁿ exp(2r): expm1(2r), 2²⁻ⁿ, and 1 / (1 + E), so that tanh and its slope share a division.

    |x| is no larger here than 1 / cosh² has normal numbers for.
    """
    form = format_of(x)
    a = clamped(absolute(x), None, in_format(x, 44.5, 355.0))
    n, whole = split(a, 2.0)
    high, low = in_format(x, *LN2)
    r = n.fma(low / 2, n.fma(high / 2, -a))
    square = r * r
    p = polynomial(r, tuple(c * 2.0 ** (k + 2) for k, c in enumerate(in_format(x, SINGLE, DOUBLE))), square)
    near, scale = square.fma(p, r + r), power_of_two(whole, form, 2, -1)
    return near, scale, near.like(4.0) / near.fma(scale, scale + 4.0)


@within(3.0, 3.0)
def tanh(x: Vector) -> Vector:
    """Return the hyperbolic tangent, (1 - E) / (1 + E), with four times 1 - E as 4 - 2²⁻ⁿ less 2²⁻ⁿ expm1(2r), rounded once."""
    with x.code.exactly():
        near, scale, half = _decay(x)
        return near.fma(-scale, 4.0 - scale) * half * signed_as(x.like(0.25), x)


@within(4.5, 4.5)
def sech_squared(x: Vector) -> Vector:
    """Return 1 / cosh²(x) = 1 - tanh²(x) = 4E / (1 + E)²: no digit is lost before it underflows."""
    with x.code.exactly():
        near, scale, half = _decay(x)
        y = near.fma(scale, scale) * half * half
    last = (2 * math.log(2.0) - ends(format_of(x))[0]) / 2
    return (absolute(x) > last).choose(y.like(0.0), y)


@within(3.0, 3.0)
def expit(x: Vector) -> Vector:
    """Return 1 / (1 + exp(-x)), by E = exp(-|x|): its slope is 1 / cosh²(x/2), which is made of the same."""
    half_x = x * 0.5
    with x.code.exactly():
        near, scale, half = _decay(half_x)
        return (x < 0.0).choose(near.fma(scale, scale) * 0.25, x.like(1.0)) * half


def half_exponential(x: Vector) -> Vector:
    """Return exp(|x|) / 2, or infinity."""
    form = format_of(x)
    a = clamped(absolute(x), None, ends(form)[1] + 1.0)
    n, whole = split(a)
    half = power_of_two(whole, form, -2)
    y = exponential(remainder(a, n)) * half
    with x.code.exactly():
        return y + y


@within(2.5, 2.5)
def cosh(x: Vector) -> Vector:
    """Return h + 1/(4h), with h = exp(|x|) / 2."""
    h = half_exponential(x)
    with x.code.exactly():
        return h + h.like(0.25) / h


@within(3.0, 3.0)
def sinh(x: Vector) -> Vector:
    """Return (m + m / (m + 1)) / 2, with m = expm1(|x|), and exp(|x|) / 2 where that is all."""
    a = absolute(x)
    m = expm1(a)
    with x.code.exactly():
        y = (m + m / (m + 1.0)) * 0.5
    return signed_as((a > in_format(x, 20.0, 40.0)).choose(half_exponential(x), y), x)
