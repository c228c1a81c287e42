"""Logarithms: each takes the exponent off.

    x = 2ᵉ m, √½ <= m < √2,   log(x) = e ln 2 + log(1 + f),   f = m - 1

float32: log(1 + f) = f - f²/2 + f³ P(f), with P of degree 7, which errs by 2^-27.3 of log(1 + f).
float64: log(1 + f) = 2 atanh(s) = 2s + s³ P(s²), with s = f / (2 + f) and P of degree 6, which errs by 2^-59.5 of it; since
2s = f - s f, that is f - s (f - s² P(s²)), where f is exact.
"""

from __future__ import annotations

import math

from wengert.execute.native.code import Vector
from wengert.execute.native.functions.exponential import LN2, clamped, ends, exponential, power_of_two, remainder, split
from wengert.execute.native.functions.forms import absolute, format_of, horner, in_format, pair, polynomial, signed_as, within

__all__ = ["log", "log1p", "log2", "log10", "logaddexp", "parts"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SINGLE = (
    *(0.3333333173653529, -0.25000822553810903, 0.2000122585129158, -0.16623296997823026),
    *(0.14201734052727424, -0.1316080031028367, 0.12762066589304444, -0.07633373481368586),
)
DOUBLE = (
    *(0.6666666666666734, 0.39999999999414126, 0.2857142874261902, 0.22222198537959248),
    *(0.18183566742774848, 0.15313974398062946, 0.1479684688660923),
)
"""P, for float32 and float64."""

SUM_SINGLE = (
    *(0.999999995287365, -0.49999902477583463, 0.33329963739022783, -0.24954144242086385),
    *(0.19675978578674322, -0.1530566771310729, 0.10603726678944636, -0.05695977756226122),
    *(0.01985138129675321, -0.00324396736686011),
)
SUM_DOUBLE = (
    *(1.0, -0.49999999999999184, 0.33333333333211174, -0.24999999992719632),
    *(0.19999999769413018, -0.16666662177662547, 0.14285655673412878, -0.12499456318825795),
    *(0.11107380968358099, -0.09980504981879992, 0.09011548420478915, -0.08077272946883202),
    *(0.07027973263898164, -0.0573880822735403, 0.0421664679795552, -0.026623193658326993),
    *(0.013756213291953513, -0.005502114081963357, 0.0015817028189365656, -0.0002888051112729862),
    *(2.504148658474571e-05,),
)
"""log(1 + e) / e for 0 <= e <= 1, of which they err by 2^-27.7 and 2^-56.6."""

ROOT = 0.7071067811865476


def _aligned(x: Vector) -> tuple[Vector, int]:
    """Return bits that hold e, with the bias, above those by which m differs from √½, whose bits are the second."""
    form = format_of(x)
    root = int.from_bytes(form.dtype.type(ROOT).tobytes(), "little")
    return x.as_bits(form.signed) + (form.one - root), root


def parts(x: Vector) -> tuple[Vector, Vector]:
    """Return e, as a float, and m: of positive normal numbers."""
    form = format_of(x)
    bits, root = _aligned(x)
    m = ((bits & ((1 << form.fraction) - 1)) + root).as_bits(form.dtype)
    whole = bits.to(form.unsigned).shifted(-form.fraction).to(form.signed)
    with x.code.exactly():  # numbers from 2^fraction on have integers for bits
        e = (whole | ((form.bias + form.fraction) << form.fraction)).as_bits(form.dtype) - (2.0**form.fraction + form.bias)
    return e, m


def _less_f(f: Vector) -> Vector:
    """Return log(1 + f) - f."""
    if format_of(f).fraction == 23:
        return (f * f) * f.fma(polynomial(f, SINGLE), -0.5)
    s = f / (f + 2.0)
    square = s * s
    return -s * (-square).fma(polynomial(square, DOUBLE), f)


def _special(y: Vector, x: Vector) -> Vector:
    """Return y, the logarithm of x, where x is positive and finite; what NumPy has elsewhere. Denormals count as zero."""
    form = format_of(x)
    y = (x < math.inf).choose(y, x)
    rest = (x > -form.smallest).choose(x.like(-math.inf), x.like(math.nan))
    return (x >= form.smallest).choose(y, rest)


def _sum(e: Vector, f: Vector, rest: Vector) -> Vector:
    """Return e ln 2 + (f + rest)."""
    high, low = in_format(f, *LN2)
    with f.code.exactly():
        return e.fma(high, e.fma(low, rest) + f)


@within(1.0, 1.0)
def log(x: Vector) -> Vector:
    """Return the natural logarithm."""
    e, m = parts(x)
    with x.code.exactly():
        f = m - 1.0
    return _special(_sum(e, f, _less_f(f)), x)


def _log_of_sum(x: Vector) -> Vector:
    """Return log(1 + x) for x > -1 that are finite; of 1 + x what its rounding drops is put to f."""
    form = format_of(x)
    with x.code.exactly():
        u = x + 1.0
        back = u - 1.0
        dropped = (1.0 - (u - back)) + (x - back)
        e, m = parts(u)
        bits, _ = _aligned(clamped(u, None, 2.0**64))  # nothing counts that is dropped beyond
        scale = (bits.like(2 * form.one) - (bits & ~((1 << form.fraction) - 1))).as_bits(form.dtype)  # 2⁻ᵉ
        f = dropped.fma(scale, m - 1.0)
    return _sum(e, f, _less_f(f))


@within(2.0, 2.0)
def log1p(x: Vector) -> Vector:
    """Return the logarithm of 1 + x."""
    y = _log_of_sum(x)
    y = (x < math.inf).choose(y, x)
    rest = (x == -1.0).choose(x.like(-math.inf), x.like(math.nan))
    y = (x > -1.0).choose(y, rest)
    return signed_as(y, x)


@within(2.0, 2.0)
def log2(x: Vector) -> Vector:
    """Return the binary logarithm, e + log(1 + f) / ln 2."""
    e, m = parts(x)
    with x.code.exactly():
        f = m - 1.0
    high, low = in_format(x, (1.44269502162933349609375, 1.925963033500e-8), (1.4426950408889634, 2.0355273740931033e-17))
    rest = _less_f(f)
    with x.code.exactly():
        y = e + f.fma(high, rest.fma(high, f * low))
    return _special(y, x)


@within(2.0, 2.0)
def log10(x: Vector) -> Vector:
    """Return the decimal logarithm: e times that of 2, and log(1 + f) / ln 10."""
    e, m = parts(x)
    with x.code.exactly():
        f = m - 1.0
    high, low = in_format(x, (0.4342944920063018798828125, -1.010305e-8), (0.4342944819032518, 1.098319650216765e-17))
    two, more = in_format(x, (0.301030009984970092773438, -1.4320989e-8), (0.3010299956639812, -2.8037281277851704e-18))
    rest = _less_f(f)
    with x.code.exactly():
        small = f.fma(high, rest.fma(high, e.fma(more, f * low)))
        y = e.fma(two, small)
    return _special(y, x)


@within(4.0, 4.0)
def logaddexp(x: Vector | float, y: Vector | float) -> Vector:
    """Return log(exp(x) + exp(y)) = max(x, y) + log(1 + e), e = exp(-|x - y|).

    The bound is one in units of the larger of the result and log(1 + e): the sum cancels where it is near zero.
    """
    x, y = pair(x, y)
    form = format_of(x)
    with x.code.exactly():
        d = absolute(x - y)
        d = (x == y).choose(d.like(0.0), d)  # infinities too
        more = (x > y).choose(x, y)
        n, whole = split(d, -1.0)
        e = exponential(remainder(-d, n)) * power_of_two(whole, form)
        e = (d > -ends(form)[0]).choose(d.like(0.0), e)
        return e.fma(horner(e, in_format(e, SUM_SINGLE, SUM_DOUBLE)), more)  # even and odd terms would cancel
