"""Powers and roots.

x^y = exp(y log(x)) needs the logarithm to more digits than the result has. float32: it is computed in float64. float64: it is a
sum of two numbers, as are the terms that count: with s = f / (2 + f),

    log(x) = e ln 2 + 2s + s³ (2/3 + s² Q(s²)),

with Q of degree 6 (see `wengert.execute.native.functions.logarithm`).
"""

from __future__ import annotations

import math

import numpy as np

from wengert.execute.native.code import Vector
from wengert.execute.native.functions.exponential import LN2, SINGLE, ends, exponential, remainder, scaled, split
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
from wengert.execute.native.functions.logarithm import parts

__all__ = ["cbrt", "hypot", "power", "sqrt"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

FLOAT64 = np.dtype(np.float64)

ROOT = (
    0.4150659600889919,
    1.0526679868521363,
    -0.7615097292644211,
    0.38721793807865784,
    -0.10452845133849707,
    0.011285403751050553,
)
"""The cube root between 0.353 and 2.83, of which it errs by 2^-10.5."""

ARTANH_SINGLE = (*(0.6666666564526403, 0.40000335436583984, 0.2853728194619722, 0.2358282979550194),)
"""(2 atanh(s) - 2s) / s³ in s², which errs by 2^-37.6 of 2 atanh(s)."""

ARTANH_DOUBLE = (
    *(0.4000000000000226, 0.28571428570096385, 0.2222222252061844, 0.1818178429613651),
    *(0.15386761020690717, 0.13256723070441656, 0.13197280693271168),
)
"""Q, which errs by 2^-66.3 of 2 atanh(s)."""

TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
LN2_SHORT = (0.6931471804855391, 7.440617110012397e-11)
"""ln 2 as the sum of two numbers, of which the first has 33 bits: its products with exponents are exact."""


@within(0.5, 0.5)
def sqrt(x: Vector) -> Vector:
    """Return the square root."""
    format_of(x)
    return square_root(x)


@within(1.5, 1.5)
def cbrt(x: Vector) -> Vector:
    """Return the cube root 2^q ∛m of x = 2^(3q) m, by one or two of Halley's steps from a polynomial.

    The last step is added as a correction, so that it is rounded once.
    """
    form = format_of(x)
    with x.code.exactly():
        a = absolute(x)
        e, m = parts(a)
        whole = e.fma(1.0 / 3.0, form.integer)
        q = whole - form.integer
        rest = (q.fma(-3.0, e) + form.integer).as_bits(form.signed).shifted(form.fraction)
        m = (m.as_bits(form.signed) + rest).as_bits(form.dtype)
        y = polynomial(m, ROOT)
        for _ in range(in_format(x, 1, 2)):
            cube = y * y * y
            y = (y * (m - cube) / (cube + cube + m)) + y
        y = (y.as_bits(form.signed) + whole.as_bits(form.signed).shifted(form.fraction)).as_bits(form.dtype)
        y = (a < form.smallest).choose(a.like(0.0), (a < math.inf).choose(y, a))
        return signed_as(y, x)


@within(2.0, 2.0)
def hypot(x: Vector | float, y: Vector | float) -> Vector:
    """Return √(x² + y²), as that of the larger times √(1 + ratio²): no square overflows."""
    x, y = pair(x, y)
    format_of(x)
    with x.code.exactly():
        a, b = absolute(x), absolute(y)
        more, less = (a > b).choose(a, b), (a > b).choose(b, a)
        ratio = (less == 0.0).choose(less, less / more)
        found = more * square_root(ratio.fma(ratio, 1.0))
        infinite = (a == math.inf) | (b == math.inf)
        return infinite.choose(more.like(math.inf), found)


PRODUCTS = 8
"""The largest exponent whose power is a product: three squares and their products err by less than the bound."""


@within(4.0, 4.0)
def power(x: Vector | float, y: Vector | float, /) -> Vector:
    """Return x to the power y. A small multiple of 1/2 that is known becomes products and a square root."""
    if isinstance(x, Vector) and not isinstance(y, Vector):
        format_of(x)
        with x.code.exactly():
            product = _product(x, float(y))
        if product is not None:
            return product
    x, y = pair(x, y)
    format_of(x)
    with x.code.exactly():
        a = absolute(x)
        found = _single(a, y) if format_of(x).fraction == 23 else _double(a, y)
        return _signs(found, x, y)


def _product(x: Vector, p: float) -> Vector | None:
    """Return x to the power p by products, where there is such a form."""
    if not (2 * p).is_integer() or not -PRODUCTS / 2 <= p <= PRODUCTS:
        return None
    if p == 0.0:
        return x.like(1.0)
    whole, odd = divmod(int(abs(2 * p)), 2)
    base = 1.0 / x if p < 0 and whole else x  # its powers overflow where x's underflow, and are zero where they overflow
    found: Vector | None = None
    if odd:
        root = square_root(x)
        if not whole:  # the square root of minus infinity is NaN, its power 1/2 infinite, and that of minus zero zero
            root = (x == -math.inf).choose(x.like(math.inf), root + 0.0)
        found = 1.0 / root if p < 0 else root
    while whole:
        if whole & 1:
            found = base if found is None else found * base
        whole >>= 1
        base = base * base if whole else base
    return found


def _single(a: Vector, y: Vector) -> Vector:
    """Return a to the power y, a not negative, for float32."""
    wide, exponent = a.to(FLOAT64), y.to(FLOAT64)
    e, m = parts(wide)
    f = m - 1.0
    s = f / (f + 2.0)
    square = s * s
    logarithm = e.fma(math.log(2.0), s.fma(2.0, (square * s) * polynomial(square, ARTANH_SINGLE)))
    logarithm = _at_ends(logarithm, wide, format_of(a).smallest)
    t = exponent * logarithm
    t = (t > 200.0).choose(t.like(200.0), (t < -200.0).choose(t.like(-200.0), t))
    n, whole = split(t)
    r = n.fma(-LN2[1][0], t)
    y = polynomial(r, SINGLE).fma(r, 1.0).fma(r, 1.0)
    return scaled(y, whole, t, -200.0, 200.0).to(a.dtype)


def _at_ends(logarithm: Vector, a: Vector, least: float) -> Vector:
    """Return the logarithm of a, infinite at infinity, and below the least normal number of the result's format."""
    logarithm = (a < math.inf).choose(logarithm, a)
    return (a < least).choose(a.like(-math.inf), logarithm)


def _sum(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Return x + y, and what its rounding drops, for |x| >= |y|."""
    total = x + y
    return total, y - (total - x)


def _long_logarithm(a: Vector) -> tuple[Vector, Vector]:
    """Return log(a), a not negative, for float64, as the sum of two numbers."""
    e, m = parts(a)
    f = m - 1.0
    # s = f / (2 + f)
    d, d_low = _sum(a.like(2.0), f)
    s = f / d
    s_low = (-s).fma(d_low, (-s).fma(d, f)) / d
    # s² and s³
    z = s * s
    z_low = (s + s).fma(s_low, s.fma(s, -z))
    c = s * z
    c_low = s.fma(z_low, s_low.fma(z, s.fma(z, -c)))
    # s³ (2/3 + s² Q)
    w, w_low = _sum(a.like(TWO_THIRDS[0]), z * polynomial(z, ARTANH_DOUBLE))
    u = c * w
    u_low = c.fma(w_low + TWO_THIRDS[1], c_low.fma(w, c.fma(w, -u)))
    # e ln 2 + 2s + that
    high, low = _sum(s + s, u)
    low = low + s_low.fma(2.0, u_low)
    total, rest = _sum(e * LN2_SHORT[0], high)
    near = e == 0.0
    total, rest = near.choose(high, total), near.choose(a.like(0.0), rest)
    total, low = _sum(total, e.fma(LN2_SHORT[1], low) + rest)
    return _at_ends(total, a, format_of(a).smallest), low


def _double(a: Vector, y: Vector) -> Vector:
    """Return a to the power y, a not negative, for float64."""
    logarithm, low = _long_logarithm(a)
    t = y * logarithm
    t_low = y.fma(low, y.fma(logarithm, -t))
    t_low = (absolute(t_low) < 1.0).choose(t_low, t_low.like(0.0))  # it is no number where t is infinite
    t = (t > 800.0).choose(t.like(800.0), (t < -800.0).choose(t.like(-800.0), t))
    n, whole = split(t)
    found = exponential(remainder(t, n) + t_low)
    up = n > 0.0  # by a factor 2 that is left for the end: with what t lacks, the largest n may be one too many
    whole = whole - up.choose(a.like(1.0), a.like(0.0))
    return scaled(found, whole, t, *ends(format_of(a))) * up.choose(a.like(2.0), a.like(1.0))


def _signs(found: Vector, x: Vector, y: Vector) -> Vector:
    """Return |x|^y as the power of x: negative for odd y, NaN where there is none, and 1 where NumPy has it for NaN too."""
    form = format_of(x)
    a, b = absolute(x), absolute(y)
    whole = x.code.call("llvm.trunc", y.dtype, y) == y
    half = y * 0.5
    odd = whole & (x.code.call("llvm.trunc", y.dtype, half) != half) & (b < math.inf)
    negative = x.as_bits(form.signed) < 0
    found = (negative & odd).choose(-found, found)
    found = ((x < 0.0) & ~whole & (a < math.inf)).choose(x.like(math.nan), found)
    found = ((a == 1.0) & (b == math.inf)).choose(x.like(1.0), found)
    found = ((x != x) | (y != y)).choose(x + y, found)
    return ((y == 0.0) | (x == 1.0)).choose(x.like(1.0), found)
