"""Functions of mpmath's numbers that mpmath lacks, or answers otherwise than an array namespace does.

Two differences are general. Where a real function has no real value mpmath goes on in the complex plane, and an array of
reals has NaN there; at a pole mpmath raises, and an array has the infinite limit or NaN. Numbers are real (mpf) or complex
(mpc), and the kind of what goes in is the kind of what comes out, so analytic functions can be followed off the real line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import scipy.special
from mpmath import libmp

__all__ = ["UNARY", "closed", "complex_number", "number", "real_number"]

mp = mpmath.mp
mpf, mpc = mp.mpf, mp.mpc
INF, MINUS_INF, NAN = mp.inf, -mp.inf, mp.nan


def real_number(x: Any) -> Any:
    """Return a real number of Python or NumPy as an mpf, with every bit of it."""
    if type(x) is mpf:
        return x
    return mp.make_mpf(libmp.from_float(x) if isinstance(x, float) else libmp.from_int(int(x)))


def complex_number(x: Any) -> Any:
    """Return a number as an mpc, with every bit of it."""
    if type(x) is mpc:
        return x
    if type(x) is mpf:
        return mp.make_mpc((x._mpf_, libmp.fzero))
    return mp.make_mpc((real_number(x.real)._mpf_, real_number(x.imag)._mpf_))


def number(x: Any) -> Any:
    """Return a number as an mpf or an mpc."""
    return x if type(x) is mpf or type(x) is mpc else complex_number(x) if isinstance(x, complex) else real_number(x)


def primitive(real: Callable[..., Any], complex_: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return a function of numbers from two of mpmath's on raw ones."""
    make_mpf, make_mpc = mp.make_mpf, mp.make_mpc

    def function(x: Any) -> Any:
        if type(x) is mpf:
            try:
                return make_mpf(real(x._mpf_, *mp._prec_rounding))
            except libmp.ComplexResult:
                return NAN
        return make_mpc(complex_(x._mpc_, *mp._prec_rounding))

    return function


def closed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is real for reals, complex with a complex argument, and NaN where it has no value.

    Such functions cost milliseconds a number, and the lists of all modes ask for the same numbers: they are remembered.
    """

    @functools.lru_cache(4096, typed=True)
    def at(precision: int, *xs: Any) -> Any:
        try:
            value = function(*xs)
        except (ValueError, ArithmeticError, libmp.NoConvergence):
            value = NAN
        if mpc in map(type, xs):
            return complex_number(value)
        return NAN if type(value) is mpc else number(value)

    return lambda *xs: at(mp.prec, *xs)


# --- arithmetic ---------------------------------------------------------------------------------------------------


def divide(x: Any, y: Any) -> Any:
    """Return x / y, by zero too."""
    if y:
        return x / y
    if type(x) is mpc or type(y) is mpc:
        return mpc(NAN, NAN)
    return NAN if not x or x != x else INF if x > 0 else MINUS_INF


def power(x: Any, y: Any) -> Any:
    """Return x ** y; of reals NaN where it is complex."""
    if not x and type(y) is not mpc and y < 0:
        return divide(mpf(1), x)
    value = x**y
    return NAN if type(value) is mpc and type(x) is mpf and type(y) is mpf else value


def floor_divide(x: Any, y: Any) -> Any:
    """Return the floor of the quotient."""
    if not y:
        return divide(x, y)
    if not mp.isfinite(x) or not mp.isfinite(y):
        return NAN if not mp.isfinite(x) or y != y else mpf(-1) if x * y < 0 else mpf(0)
    return mp.floor(x / y)


def remainder(x: Any, y: Any) -> Any:
    """Return what is left of x, with the sign of y."""
    if not y or not mp.isfinite(x) or not mp.isfinite(y):
        return NAN if not y or not mp.isfinite(x) or y != y else x if x * y >= 0 or not x else y
    return x % y


def truncated_remainder(x: Any, y: Any) -> Any:
    """Return what is left of x, with the sign of x."""
    rest = remainder(abs(x), abs(y))
    return rest if x >= 0 else -rest


def maximum(x: Any, y: Any) -> Any:
    """Return the greater; NaN where either is."""
    return x if x >= y or x != x else y


def minimum(x: Any, y: Any) -> Any:
    """Return the less; NaN where either is."""
    return x if x <= y or x != x else y


def sign(x: Any) -> Any:
    """Return the sign; x / |x| of a complex number."""
    if type(x) is mpc:
        return x / abs(x) if x else x
    return mpf(1) if x > 0 else mpf(-1) if x < 0 else x


def trunc(x: Any) -> Any:
    """Return the integer towards zero."""
    return mp.floor(x) if x >= 0 else mp.ceil(x)


def hypot(x: Any, y: Any) -> Any:
    """Return the square root of x² + y²; complex numbers are not conjugated."""
    return mp.hypot(x, y) if type(x) is mpf and type(y) is mpf else mp.sqrt(x * x + y * y)


def nextafter(x: Any, y: Any) -> Any:
    """Return x plus the distance from the double at x to the next one towards y: its slope by x is one."""
    at = float(x)
    return x + (real_number(float(np.nextafter(at, float(y)))) - real_number(at)) if x != y else y


# --- exponential and logarithm ------------------------------------------------------------------------------------

exp = primitive(libmp.mpf_exp, libmp.mpc_exp)
log = primitive(libmp.mpf_log, libmp.mpc_log)
sqrt = primitive(libmp.mpf_sqrt, libmp.mpc_sqrt)
sinh = primitive(libmp.mpf_sinh, libmp.mpc_sinh)
cosh = primitive(libmp.mpf_cosh, libmp.mpc_cosh)


def expm1(x: Any) -> Any:
    """Return exp(x) - 1 = 2 exp(x/2) sinh(x/2), in which nothing cancels."""
    half = x / 2
    value = 2 * exp(half) * sinh(half)
    return value if value == value else exp(x) - 1


def cbrt(x: Any) -> Any:
    """Return the cube root, real for every real number."""
    return -mp.cbrt(-x) if type(x) is mpf and x < 0 else mp.cbrt(x)


def logaddexp(x: Any, y: Any) -> Any:
    """Return log(exp(x) + exp(y)), which overflows nowhere."""
    if x == y:
        return x + mp.ln2
    large, small = (x, y) if mp.re(x) >= mp.re(y) else (y, x)
    return large + mp.log1p(exp(small - large))


def sech_squared(x: Any) -> Any:
    """Return 1 / cosh²."""
    c = cosh(x)
    return 1 / (c * c)


def expit(x: Any) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + exp(-x))


# --- special functions --------------------------------------------------------------------------------------------

erf, erfc = closed(mp.erf), closed(mp.erfc)
fresnels, fresnelc = closed(mp.fresnels), closed(mp.fresnelc)


def _inverse(f: Callable[[Any], Any], sign: int, start: Callable[[float], float], y: Any) -> Any:
    """Solve f(x) = y, f' = sign · 2/√π · exp(-x²), by Halley's steps from the double's answer."""
    x = number(start(float(mp.re(y))))
    if not mp.isfinite(x):
        return x
    with mp.extraprec(20):
        for _ in range(60):
            off = (f(x) - y) * (sign * mp.sqrt(mp.pi) / 2) * exp(x * x)
            step = off / (1 + x * off)
            x -= step
            # The steps converge cubically: after one of this size the next is below the last digit.
            if not step or mp.mag(step) - mp.mag(x) < -mp.prec // 3 - 5:
                break
        else:
            return NAN
    return +x


def erfinv(y: Any) -> Any:
    """Return the inverse of erf, by that of erfc where y is near 1."""
    if abs(y) < 0.5:
        return _inverse(erf, 1, scipy.special.erfinv, y) if y else y
    return -erfcinv(1 + y) if mp.re(y) < 0 else erfcinv(1 - y)


def erfcinv(y: Any) -> Any:
    """Return the inverse of erfc."""
    if type(y) is mpf and not 0 < y < 2:
        return INF if y == 0 else MINUS_INF if y == 2 else NAN
    if abs(y - 1) < 0.5:
        return -_inverse(erf, 1, scipy.special.erfinv, y - 1) if y != 1 else y - 1
    return -_inverse(erfc, -1, scipy.special.erfcinv, 2 - y) if mp.re(y) > 1 else _inverse(erfc, -1, scipy.special.erfcinv, y)


def ndtr(x: Any) -> Any:
    """Return the normal distribution function."""
    return erfc(-x / mp.sqrt(2)) / 2


def ndtri(p: Any) -> Any:
    """Return the inverse of the normal distribution function."""
    return -mp.sqrt(2) * erfcinv(2 * p)


def log_ndtr(x: Any) -> Any:
    """Return the logarithm of the normal distribution function."""
    return log(ndtr(x))


def lgamma(x: Any) -> Any:
    """Return log |Γ(x)|; for complex x, log Γ."""
    if type(x) is mpf:
        if x <= 0 and mp.isint(x):
            return INF
        return mp.loggamma(x) if x > 0 else log(abs(mp.gamma(x)))
    return mp.loggamma(x)


def zeta(x: Any, q: Any) -> Any:
    """Return Hurwitz's zeta function."""
    return INF if x == 1 else mp.zeta(x, q)


def gammainc(a: Any, x: Any) -> Any:
    """Return the regularised lower incomplete gamma function."""
    return mp.gammainc(a, 0, x, regularized=True)


def gammaincc(a: Any, x: Any) -> Any:
    """Return the regularised upper incomplete gamma function."""
    return mp.gammainc(a, x, regularized=True)


def betainc(a: Any, b: Any, x: Any) -> Any:
    """Return the regularised incomplete beta function."""
    return mp.betainc(a, b, 0, x, regularized=True)


def _solved(f: Callable[[Any], Any], slope: Callable[[Any], Any], y: mpmath.mpf, start: float) -> Any:
    """Solve f(x) = y by Newton's steps from the double's answer."""
    x = number(start)
    if not mp.isfinite(x) or not x:
        return x
    with mp.extraprec(20):
        for _ in range(60):
            step = (f(x) - y) / slope(x)
            x -= step
            # The steps converge quadratically: after one of this size the next is below the last digit.
            if not step or mp.mag(step) - mp.mag(x) < -mp.prec // 2 - 5:
                break
        else:
            return NAN
    return +x


def _double(x: mpmath.mpf) -> float:
    return float(mp.re(x))


def gammaincinv(a: mpmath.mpf, p: mpmath.mpf) -> Any:
    """Return x with gammainc(a, x) = p."""
    start = float(scipy.special.gammaincinv(_double(a), _double(p)))
    return _solved(lambda x: gammainc(a, x), lambda x: x ** (a - 1) * exp(-x) / mp.gamma(a), p, start)


def gammainccinv(a: mpmath.mpf, p: mpmath.mpf) -> Any:
    """Return x with gammaincc(a, x) = p."""
    start = float(scipy.special.gammainccinv(_double(a), _double(p)))
    return _solved(lambda x: gammaincc(a, x), lambda x: -(x ** (a - 1)) * exp(-x) / mp.gamma(a), p, start)


def betaincinv(a: mpmath.mpf, b: mpmath.mpf, p: mpmath.mpf) -> Any:
    """Return x with betainc(a, b, x) = p."""
    start = float(scipy.special.betaincinv(_double(a), _double(b), _double(p)))
    return _solved(lambda x: betainc(a, b, x), lambda x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b), p, start)


def dawsn(x: Any) -> Any:
    """Return Dawson's integral, √π/2 exp(-x²) erfi(x)."""
    return mp.sqrt(mp.pi) / 2 * exp(-x * x) * mp.erfi(x) if mp.isfinite(x) else mpf(0) if x == x else x


def spence(x: Any) -> Any:
    """Return the dilogarithm of 1 - x."""
    value = mp.polylog(2, 1 - x) if mp.isfinite(x) else NAN
    return mp.re(value) if type(x) is mpf and x >= 0 else value


@functools.cache
def polygamma(n: int) -> Callable[..., Any]:
    """Return the n-th derivative of digamma."""
    return closed(lambda x: mp.psi(n, x))


@functools.cache
def gammainc_by(n: int) -> Callable[..., Any]:
    """Return the n-th derivative of gammainc by its first argument, by differences with the digits that they need."""
    return closed(lambda a, x: mp.diff(lambda t: gammainc(t, x), a, n))


@functools.cache
def betainc_by(m: int, n: int) -> Callable[..., Any]:
    """Return the derivative of betainc of orders m by a and n by b, by differences with the digits that they need."""
    return closed(lambda a, b, x: mp.diff(lambda s, t: betainc(s, t, x), (a, b), (m, n)))


@functools.cache
def zeta_by(n: int) -> Callable[..., Any]:
    """Return the n-th derivative of Hurwitz's zeta function by its first argument."""
    return closed(lambda s, q: mp.zeta(s, q, n))


@functools.cache
def bessel(family: str, n: int) -> Callable[[Any], Any]:
    """Return a Bessel function of order n; "ie" and "ke" are scaled by exp(-|x|) and exp(x)."""
    plain = {"j": mp.besselj, "y": mp.bessely, "i": mp.besseli, "k": mp.besselk}[family[0]]

    def function(x: Any) -> Any:
        if family[0] in "yk" and type(x) is mpf and x <= 0:
            return NAN if x else INF if family[0] == "k" else MINUS_INF
        if mp.isinf(x) and family in ("ie", "ke"):
            return mpf(0)
        value = plain(n, x)
        if family == "ie":
            return value * exp(-x if mp.re(x) >= 0 else x)
        return value * exp(x) if family == "ke" else value

    return closed(function)


@functools.cache
def spherical_bessel(n: int) -> Callable[[Any], Any]:
    """Return jₙ(x) = xⁿ / (2n+1)!! · ₀F₁(n + 3/2, -x²/4) (DLMF 10.53.1): no division by x, and one formula for either sign."""

    def function(x: Any) -> Any:
        if not mp.isfinite(x):
            return mpf(0) if x == x else x
        return x**n / mp.fac2(2 * n + 1) * mp.hyp0f1(n + mpf(1.5), -x * x / 4)

    return closed(function)


UNARY: dict[np.ufunc, Callable[[Any], Any]] = {
    np.exp: exp,
    np.expm1: expm1,
    np.log: log,
    np.log1p: closed(mp.log1p),
    np.sqrt: sqrt,
    np.cbrt: cbrt,
    np.sin: primitive(libmp.mpf_sin, libmp.mpc_sin),
    np.cos: primitive(libmp.mpf_cos, libmp.mpc_cos),
    np.tan: primitive(libmp.mpf_tan, libmp.mpc_tan),
    np.arcsin: primitive(libmp.mpf_asin, libmp.mpc_asin),
    np.arccos: primitive(libmp.mpf_acos, libmp.mpc_acos),
    np.arctan: primitive(libmp.mpf_atan, libmp.mpc_atan),
    np.sinh: sinh,
    np.cosh: cosh,
    np.tanh: primitive(libmp.mpf_tanh, libmp.mpc_tanh),
    np.arcsinh: primitive(libmp.mpf_asinh, libmp.mpc_asinh),
    np.arccosh: primitive(libmp.mpf_acosh, libmp.mpc_acosh),
    np.arctanh: closed(mp.atanh),
    np.floor: mp.floor,
    np.ceil: mp.ceil,
    np.rint: mp.nint,
    np.trunc: trunc,
    np.sign: sign,
    np.reciprocal: lambda x: divide(mpf(1), x),
}
"""What stands in the place of NumPy's functions of one number."""
