"""Inverse functions: of the circle's, and of the hyperbola's, which are logarithms.

atan(t) = t + t³ P(t²) for 0 <= t <= 1, with P of degree 8, which errs by 2^-28.5 of it, for float32, of degree 19, 2^-57.6, for
float64. asin(t) = t + t³ P(t²) for t² <= 1/4, with P of degree 4, 2^-27.6, and of degree 12, 2^-59.9.
"""

from __future__ import annotations

import math

from wengert.execute.native.code import Vector
from wengert.execute.native.functions.forms import (
    absolute,
    format_of,
    in_format,
    pair,
    polynomial,
    signed_as,
    square_root,
    within,
)
from wengert.execute.native.functions.logarithm import log1p

__all__ = ["arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

ARCTAN_SINGLE = (
    *(-0.33333299096167085, 0.1999854837416484, -0.14264242160469023, 0.10952187396686654),
    *(-0.0840345434577708, 0.057957663241161625, -0.03117792147204873, 0.010914650733384497),
    *(-0.001793632813124521,),
)
ARCTAN_DOUBLE = (
    *(-0.3333333333333307, 0.1999999999995149, -0.14285714282576686, 0.11111111007068859),
    *(-0.09090907003696798, 0.0769227984709001, -0.06666404118515597, 0.05880528163882796),
    *(-0.052535200583342774, 0.04722327181829368, -0.04219191625736255, 0.03664216259019626),
    *(-0.029904248030212282, 0.021985321116573392, -0.013900991185905437, 0.0071968021382579715),
    *(-0.002885069307312765, 0.0008313741075481943, -0.00015217197635882277, 1.3226168363397392e-05),
)
ARCSIN_SINGLE = (
    *(0.16666752578881744, 0.07495292154092735, 0.04547125928754539, 0.024174250137622512),
    *(0.04217664388515035,),
)
ARCSIN_DOUBLE = (
    *(0.1666666666666676, 0.0749999999997064, 0.04464285717477445, 0.030381942699571115),
    *(0.022372215229651986, 0.01735160748847454, 0.01398087681427225, 0.011398436036991389),
    *(0.01078300728620748, 0.0036956911274571326, 0.02173426582840008, -0.021038039998638316),
    *(0.03265362619308448,),
)
"""P of atan and asin, for float32 and float64."""

HALF_PI = (1.57079637050628662109375, -4.37113900018624283e-8), (1.5707963267948966, 6.123233995736766e-17)
"""π/2 as the sum of two numbers of each format."""


def _of_the_unit(t: Vector) -> Vector:
    """Return atan(t) for t between 0 and 1."""
    square = t * t
    return (square * t).fma(polynomial(square, in_format(t, ARCTAN_SINGLE, ARCTAN_DOUBLE)), t)


def _of_a_quarter(t: Vector, square: Vector) -> Vector:
    """Return asin(t) for t between 0 and 1/2."""
    return (square * t).fma(polynomial(square, in_format(t, ARCSIN_SINGLE, ARCSIN_DOUBLE)), t)


def _from_half_pi(y: Vector, multiple: float = 1.0) -> Vector:
    """Return multiple π/2 - y."""
    high, low = in_format(y, *HALF_PI)
    with y.code.exactly():
        return multiple * high - (y - multiple * low)


@within(2.5, 2.5)
def arctan(x: Vector) -> Vector:
    """Return the angle whose tangent is x: π/2 - atan(1/|x|) for |x| > 1."""
    format_of(x)
    with x.code.exactly():
        a = absolute(x)
        over = a > 1.0
        y = _of_the_unit(over.choose(1.0 / a, a))
        return signed_as(over.choose(_from_half_pi(y), y), x)


@within(3.0, 3.0)
def arctan2(y: Vector | float, x: Vector | float) -> Vector:
    """Return the angle of the point (x, y), from the angle below the diagonal of the larger of |x| and |y|."""
    y, x = pair(y, x)
    format_of(x)
    with x.code.exactly():
        a, b = absolute(x), absolute(y)
        steep = b > a
        less, more = steep.choose(a, b), steep.choose(b, a)
        # Two zeros, and two infinities, are as NumPy has them: on an axis, and on the diagonal.
        t = (less == more).choose((more == 0.0).choose(more.like(0.0), more.like(1.0)), less / more)
        angle = _of_the_unit(t)
        angle = steep.choose(_from_half_pi(angle), angle)
        left = x.as_bits(format_of(x).signed) < 0
        return signed_as(left.choose(_from_half_pi(angle, 2.0), angle), y)


def _halved(a: Vector) -> tuple[Vector, Vector, Vector]:
    """Return whether a is over 1/2, and asin(a) if it is not, asin(√((1 - a) / 2)) if it is, and twice the latter."""
    over = a > 0.5
    square = over.choose((1.0 - a) * 0.5, a * a)
    y = _of_a_quarter(over.choose(square_root(square), a), square)
    return over, y, y + y


@within(2.5, 2.5)
def arcsin(x: Vector) -> Vector:
    """Return the angle whose sine is x: π/2 - 2 asin(√((1 - |x|) / 2)) for |x| > 1/2."""
    format_of(x)
    with x.code.exactly():
        over, y, twice = _halved(absolute(x))
        return signed_as(over.choose(_from_half_pi(twice), y), x)


@within(2.5, 2.5)
def arccos(x: Vector) -> Vector:
    """Return the angle whose cosine is x: 2 asin(√((1 - |x|) / 2)), or π less it, for |x| > 1/2."""
    format_of(x)
    with x.code.exactly():
        over, y, twice = _halved(absolute(x))
        far = (x < 0.0).choose(_from_half_pi(twice, 2.0), twice)
        return over.choose(far, _from_half_pi(signed_as(y, x)))


def _logarithm_of_double(a: Vector, small: Vector) -> Vector:
    """Return log(1 + small), or log(2a) where a is so large that its square counts alone, and may overflow."""
    large = a > in_format(a, 2.0**28, 2.0**60)
    return log1p(large.choose(a, small)) + large.choose(a.like(math.log(2.0)), a.like(0.0))


@within(3.0, 3.0)
def arcsinh(x: Vector) -> Vector:
    """Return log(|x| + √(x² + 1)) with the sign of x, as log(1 + |x| + x² / (1 + √(x² + 1)))."""
    format_of(x)
    with x.code.exactly():
        a = absolute(x)
        square = a * a
        small = a + square / (square_root(square + 1.0) + 1.0)
        return signed_as(_logarithm_of_double(a, small), x)


@within(3.0, 3.0)
def arccosh(x: Vector) -> Vector:
    """Return log(x + √(x² - 1)) = log(1 + t + √(2t + t²)), t = x - 1."""
    format_of(x)
    with x.code.exactly():
        t = x - 1.0
        y = _logarithm_of_double(x, t + square_root(t.fma(t, t + t)))
        return (x >= 1.0).choose(y, x.like(math.nan))


@within(3.0, 3.0)
def arctanh(x: Vector) -> Vector:
    """Return log((1 + |x|) / (1 - |x|)) / 2 with the sign of x, as log(1 + 2|x| / (1 - |x|)) / 2."""
    format_of(x)
    with x.code.exactly():
        a = absolute(x)
        return signed_as(log1p((a + a) / (1.0 - a)) * 0.5, x)
