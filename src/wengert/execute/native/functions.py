"""Elementary functions of vectors: straight code, for float32 and float64, of every argument that there is.

Each says within how many units in the last place (ulp) it is, by `within`; tests measure it against mpmath over the whole range.
What underflows is zero, since passes flush denormals. The polynomials are Chebyshev fits, made with mpmath in 60 digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from wengert.execute.native.code import NoForm, Vector, scalar

__all__ = ["Functions", "within"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

F = TypeVar("F", bound=Callable[..., Vector])

I32, I64, F32, F64 = np.dtype(np.int32), np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)


def within(single: float, double: float | None) -> Callable[[F], F]:
    """Say within how many ulp a function is, in float32 and in float64; None: it has no form there."""

    def said(function: F) -> F:
        function.bounds = {"float32": single, "float64": double}  # type: ignore[attr-defined]
        return function

    return said


# (exp(r) - 1 - r) / r² for |r| up to log(2)/2, relative errors of exp 8e-9 and 2e-19.
EXP = {
    4: (0.5, 0.16666576989698775, 0.041666554617204574, 0.008363179052722578, 0.0013926183587713494),
    8: (0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748, 0.00019841269874820627,
        2.4801587325547743e-05, 2.7557255400206422e-06, 2.75572736431103e-07, 2.5105217004720745e-08, 2.0914686968086876e-09),
}  # fmt: skip
# (sin(r)/r - 1) / r² and (cos(r) - 1 + r²/2) / r⁴ in r², for |r| up to π/4; errors 3e-11 and 1e-20, 2e-12 and 7e-22.
SIN = {
    4: (-0.16666666663853044, 0.008333331873837089, -0.00019840086263755443, 2.7249864655139585e-06),
    8: (-0.16666666666666666, 0.008333333333333331, -0.0001984126984126506, 2.7557319219335453e-06, -2.5052106231157904e-08,
        1.605853141458901e-10, -7.586685070091267e-13),
}  # fmt: skip
COS = {
    4: (0.04166666666431933, -0.0013888887671288108, 2.480059998353171e-05, -2.7300908167996537e-07),
    8: (0.041666666666666664, -0.0013888888888888887, 2.4801587301584645e-05, -2.755731922140076e-07, 2.0876755790363397e-09,
        -1.1470460773969325e-11, 4.7458652037874553e-14),
}  # fmt: skip
# (2 artanh(s)/s - 2) / s² in s², for s = f/(2 + f) with 1 + f between √½ and √2; errors 1e-9 and 2e-18.
LOG = {
    4: (0.6666666655440618, 0.4000012191414928, 0.28550812382590146, 0.2333069667245578),
    8: (0.6666666666666666, 0.4000000000000088, 0.2857142857080285, 0.22222222391887064, 0.18181795621632782, 0.15386240708969665,
        0.13268746195596595, 0.13086907887965027),
}  # fmt: skip
# erf(x)/x in x², for |x| up to 1; errors 3e-11 and 2e-21.
ERF = {
    4: (1.1283791670615435, -0.3761263846802871, 0.11283782495236845, -0.026865430727670243, 0.005221031807858023,
        -0.0008484080405535107, 0.00011265959025606609, -9.667044571486996e-06),
    8: (1.1283791670955126, -0.37612638903183754, 0.1128379167095512, -0.02686617064512984, 0.0052239776254232985,
        -0.000854832702193483, 0.00012055332902888736, -1.4925647567519332e-05, 1.6462045441468418e-06, -1.6364642158167616e-07,
        1.4792401209404813e-08, -1.216456005728345e-09, 8.709045129053106e-11, -4.230945824295338e-12),
}  # fmt: skip
# erfc(x) exp(x²) in t = 1/(1 + x/2), for x from 1 to 4 and to 6; errors 3e-11 and 3e-21.
TAIL = {
    4: (-0.00012111545700869851, 0.2843379824031656, 0.26401708349524594, 0.32932740698756685, -0.054787177787211386,
        0.4814605719346478, -0.38633270834228883, 0.06951113789412769, 0.012685404228379299),
    8: (-4.837766082637064e-11, 0.28209478495587603, 0.28209518553239515, 0.2468234246837756, 0.1764495107073652,
        0.0823119189474066, 0.00646731743806149, -0.12012687256825698, 0.23701655888031614, -1.0641119101675054,
        3.1495874248203455, -7.195726914796367, 13.443186831183395, -19.554373108727514, 21.31574536281336, -17.04009158734736,
        9.733373787745375, -3.7803758467452706, 0.8987494392605222, -0.09909544558140096),
}  # fmt: skip

FRACTION = {4: 23, 8: 52}
"""Bits of a fraction."""
BIAS = {4: 127, 8: 1023}
MAGIC = {4: 1.5 * 2.0**23, 8: 1.5 * 2.0**52}
"""What a number is added to for its last bit to count ones: the sum's last bits are then a whole number."""
LN2 = {4: (0.693145751953125, 1.4286068203094173e-06), 8: (0.6931471805598903, 5.497923018708371e-14)}
"""log 2 in two parts, of which whole multiples of the first are exact."""
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)
"""π/2 in three parts, of which the first two have 33 bits."""
HALF_PI_SHORT = (1.5707963267948966, 6.123233995736766e-17)


def _float(x: Vector) -> int:
    """Return the bytes of a float."""
    if x.dtype not in (F32, F64):
        raise NoForm(f"a function of {x.dtype.name}")
    return x.dtype.itemsize


def _integers(x: Vector) -> Vector:
    """Return the bits of floats as integers."""
    return x.as_bits(I32 if x.dtype.itemsize == 4 else I64)


def _polynomial(x: Vector, coefficients: Sequence[float]) -> Vector:
    """Return a polynomial, the constant term first, by Horner's rule."""
    total = x.like(coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total.fma(x, c)
    return total


def _magnitude(x: Vector) -> Vector:
    return x.code.call("llvm.fabs", x.dtype, x)


def _signed(x: Vector, sign: Vector) -> Vector:
    """Return x with the sign of another number."""
    return x.code.call("llvm.copysign", x.dtype, x, sign)


def _whole(t: Vector, size: int) -> tuple[Vector, Vector]:
    """Return the nearest whole number of t - MAGIC, as a float, and the bits of t, whose last ones are that number."""
    return t - MAGIC[size], _integers(t)


def _power_of_two(bits: Vector, size: int, more: int = 0) -> Vector:
    """Return 2 ** (n + more), where n is a whole number in the last bits."""
    exponent = bits.shifted(FRACTION[size]) + ((BIAS[size] + more) << FRACTION[size])
    return exponent.as_bits(F32 if size == 4 else F64)


def _reduced(x: Vector, size: int) -> tuple[Vector, Vector]:
    """Return q = exp(r) - 1 and the bits of n, where x = n log(2) + r."""
    n, bits = _whole(x.fma(1.0 / math.log(2.0), MAGIC[size]), size)
    high, low = LN2[size]
    r = n.fma(-low, n.fma(-high, x))
    return (r * r).fma(_polynomial(r, EXP[size]), r), bits


def _decaying(a: Vector, size: int) -> tuple[Vector, Vector, Vector]:
    """Return expm1(-a), 4 exp(-a) and 1 + exp(-a) for a that is not negative, or NaN."""
    least = {4: -88.72283172607422, 8: -709.7827128933840}[size]  # 4 exp(-a) is a normal number from here on
    y = -a
    small = y < least
    q, bits = _reduced(small.choose(y.like(least), y), size)
    four = _power_of_two(bits, size, 2)
    one = four * 0.25
    difference = one.fma(q, one - 1.0)
    return difference, small.choose(y.like(0), four.fma(q, four)), difference + 2.0


class Functions:
    """The functions by their names in the array API, and those that `wengert.ground.arrays` adds."""

    @staticmethod
    @within(1.0, 1.0)
    def exp(x: Vector) -> Vector:
        """Return exp(x)."""
        size = _float(x)
        with x.code.exactly():
            # 2 ** n is split in two: for the greatest results n + 1 bits of an exponent would be needed.
            most, least = {4: (88.72283935546875, -87.33654022216797), 8: (709.782712893384, -708.3964185322641)}[size]
            high, low = x > most, x < least
            bounded = low.choose(x.like(least), high.choose(x.like(most), x))
            q, bits = _reduced(bounded, size)
            half = _power_of_two(bits, size, -1)
            return high.choose(x.like(math.inf), low.choose(x.like(0), half.fma(q, half) * 2.0))

    @staticmethod
    @within(2.0, 2.0)
    def expm1(x: Vector) -> Vector:
        """Return exp(x) - 1."""
        size = _float(x)
        with x.code.exactly():
            most = {4: 88.72283935546875, 8: 709.782712893384}[size]
            least = {4: -30.0, 8: -60.0}[size]
            high, low = x > most, x < least
            bounded = low.choose(x.like(least), high.choose(x.like(most), x))
            q, bits = _reduced(bounded, size)
            half = _power_of_two(bits, size, -1)
            found = half.fma(q, half - 0.5) * 2.0
            return high.choose(x.like(math.inf), (x == 0).choose(x, found))

    @staticmethod
    @within(2.5, 2.5)
    def tanh(x: Vector) -> Vector:
        """Return tanh(x) = -e / (2 + e), where e = exp(-2 |x|) - 1."""
        size = _float(x)
        with x.code.exactly():
            difference, _, total = _decaying(_magnitude(x) * 2.0, size)
            return _signed((-difference) / total, x)

    @staticmethod
    @within(4.0, 4.0)
    def sech_squared(x: Vector) -> Vector:
        """Return 1/cosh(x)², 4 e / (1 + e)² for e = exp(-2 |x|): nothing cancels."""
        size = _float(x)
        with x.code.exactly():
            _, four, total = _decaying(_magnitude(x) * 2.0, size)
            return four / (total * total)

    @staticmethod
    @within(2.5, 2.5)
    def cosh(x: Vector) -> Vector:
        """Return cosh(x); h = exp(|x|/2) overflows for nothing that cosh does not."""
        _float(x)
        with x.code.exactly():
            h = Functions.exp(_magnitude(x) * 0.5)
            half = 0.5 / h
            return (h * 0.5).fma(h, half / h)

    @staticmethod
    @within(3.5, 3.5)
    def sinh(x: Vector) -> Vector:
        """Return sinh(x), by exp(|x|) - 1 where that is small and by exp(|x|/2)² where it may overflow."""
        _float(x)
        with x.code.exactly():
            a = _magnitude(x)
            e = Functions.expm1((a > 1.0).choose(a.like(1.0), a))
            near = (e + e / (e + 1.0)) * 0.5
            h = Functions.exp(a * 0.5)
            far = (h * 0.5).fma(h, (-0.5 / h) / h)
            return _signed((a > 1.0).choose(far, near), x)

    @staticmethod
    @within(1.5, 1.5)
    def log(x: Vector) -> Vector:
        """Return log(x) = k log(2) + log(1 + f), where 1 + f lies between √½ and √2."""
        size = _float(x)
        with x.code.exactly():
            found = _logarithm(x, size)
            found = (x == 0).choose(x.like(-math.inf), found)
            found = (x < 0).choose(x.like(math.nan), found)
            return ((x == math.inf) | (x != x)).choose(x, found)

    @staticmethod
    @within(2.0, 2.0)
    def log1p(x: Vector) -> Vector:
        """Return log(1 + x): log(u) of u = 1 + x as it is rounded, and what was rounded away over u."""
        _float(x)
        with x.code.exactly():
            u = x + 1.0
            rest = (_magnitude(x) < 1.0).choose(x - (u - 1.0), 1.0 - (u - x)) / u
            plain = (x == 0) | (u == math.inf)
            found = Functions.log(u)
            return plain.choose(x, (u == 0).choose(found, found + rest))

    @staticmethod
    @within(3.0, 3.0)
    def logaddexp(x: Vector, y: Vector) -> Vector:
        """Return log(exp(x) + exp(y))."""
        if not isinstance(x, Vector):
            x = y.like(x)
        x, y = x.pair(y)
        _float(x)
        with x.code.exactly():
            more = (x > y).choose(x, y)
            apart = x - y
            found = more + Functions.log1p(Functions.exp(-_magnitude(apart)))
            found = (apart == apart).choose(found, apart)  # NaN in one
            return (x == y).choose(x + math.log(2.0), found)

    @staticmethod
    @within(1.0, 1.0)
    def sin(x: Vector) -> Vector:
        """Return sin(x)."""
        return _wave(x, 0)

    @staticmethod
    @within(1.0, 1.0)
    def cos(x: Vector) -> Vector:
        """Return cos(x)."""
        return _wave(x, 1)

    @staticmethod
    @within(2.5, 2.5)
    def tan(x: Vector) -> Vector:
        """Return sin(x) / cos(x)."""
        with x.code.exactly():
            return _wave(x, 0) / _wave(x, 1)

    @staticmethod
    @within(2.0, 2.0)
    def erf(x: Vector) -> Vector:
        """Return the error function: by its series up to 1, by exp(-x²) beyond."""
        size = _float(x)
        with x.code.exactly():
            a = _magnitude(x)
            most = {4: 4.0, 8: 6.0}[size]
            near = a < 1.0
            series = a * _polynomial(a * a, ERF[size])
            far = (a > most).choose(a.like(most), a)
            t = 1.0 / far.fma(0.5, 1.0)
            tail = Functions.exp(-(far * far)) * _polynomial(t, TAIL[size])
            return _signed(near.choose(series, 1.0 - tail), x)

    @staticmethod
    @within(0.5, 0.5)
    def sqrt(x: Vector) -> Vector:
        """Return √x."""
        _float(x)
        return x.code.call("llvm.sqrt", x.dtype, x)

    @staticmethod
    @within(2.0, 2.0)
    def hypot(x: Vector, y: Vector) -> Vector:
        """Return √(x² + y²), scaled so that no square overflows."""
        if not isinstance(x, Vector):
            x = y.like(x)
        x, y = x.pair(y)
        _float(x)
        with x.code.exactly():
            a, b = _magnitude(x), _magnitude(y)
            more, less = (a > b).choose(a, b), (a > b).choose(b, a)
            ratio = less / more
            found = more * Functions.sqrt(ratio.fma(ratio, 1.0))
            found = (more == 0).choose(more, found)
            infinite = (a == math.inf) | (b == math.inf)
            return infinite.choose(more.like(math.inf), (found == found).choose(found, a + b))

    @staticmethod
    @within(1.0, None)
    def power(x: Vector, y: Vector, /) -> Vector:
        """Return x ** y, of float32 by the logarithm in float64; of a constant multiple of ½ by roots."""
        if isinstance(x, Vector) and not isinstance(y, Vector):
            return _constant_power(x, float(y))
        if not isinstance(x, Vector):
            x = y.like(x)
        x, y = x.pair(y)
        if _float(x) == 8:
            raise NoForm("powers of float64")
        with x.code.exactly():
            return _general_power(x, y)

    @staticmethod
    @within(0.0, 0.0)
    def floor(x: Vector) -> Vector:
        """Return the greatest whole number that is not above x."""
        return x if x.dtype.kind != "f" else x.code.call("llvm.floor", x.dtype, x)

    @staticmethod
    @within(0.0, 0.0)
    def ceil(x: Vector) -> Vector:
        """Return the least whole number that is not below x."""
        return x if x.dtype.kind != "f" else x.code.call("llvm.ceil", x.dtype, x)

    @staticmethod
    @within(0.0, 0.0)
    def trunc(x: Vector) -> Vector:
        """Return x without what follows the point."""
        return x if x.dtype.kind != "f" else x.code.call("llvm.trunc", x.dtype, x)

    @staticmethod
    @within(0.0, 0.0)
    def round(x: Vector) -> Vector:
        """Return the nearest whole number; of two, the even one."""
        return x if x.dtype.kind != "f" else x.code.call("llvm.roundeven", x.dtype, x)


def _logarithm(x: Vector, size: int) -> Vector:
    """Return the logarithm of a positive normal number."""
    root = int(np.array(math.sqrt(0.5), f"f{size}").view(f"i{size}"))
    bits = _integers(x)
    count = (bits - root).shifted(-FRACTION[size])
    f = (bits - count.shifted(FRACTION[size])).as_bits(x.dtype) - 1.0
    magic = int(np.array(MAGIC[size], f"f{size}").view(f"i{size}"))
    k = (count + magic).as_bits(x.dtype) - MAGIC[size]
    s = f / (f + 2.0)
    z = s * s
    half = (f * 0.5) * f
    high, low = LN2[size]
    # s (f²/2 + z R): log(1 + f) is f - (f²/2 - that).
    inner = s.fma(z.fma(_polynomial(z, LOG[size]), half), k * low)
    return k.fma(high, f - (half - inner))


def _wave(x: Vector, quarter: int) -> Vector:
    """Return the sine of x + quarter π/2."""
    size = _float(x)
    code = x.code
    with code.exactly():
        if size == 4:
            wide = x.to(F64)
            n, bits = _whole(wide.fma(2.0 / math.pi, MAGIC[8]), 8)
            r = n.fma(-HALF_PI_SHORT[1], n.fma(-HALF_PI_SHORT[0], wide)).to(F32)
            turns, far = bits.to(I32), 2.0**28
        else:
            n, turns = _whole(x.fma(2.0 / math.pi, MAGIC[8]), 8)
            first = n.fma(-HALF_PI[0], x)
            step = n * HALF_PI[1]
            second = first - step
            lost = (first - second) - step
            r, far = second - n.fma(HALF_PI[2], -lost), 2.0**19
        z = r * r
        turns = turns + quarter if quarter else turns
        sine = (z * r).fma(_polynomial(z, SIN[size]), r)
        cosine = (z * z).fma(_polynomial(z, COS[size]), z.fma(-0.5, 1.0))
        odd = (turns & 1) != 0
        flipped = _integers(odd.choose(cosine, sine)) ^ (turns & 2).shifted(8 * size - 2)
        found = flipped.as_bits(x.dtype)
        if not quarter:
            found = (x == 0).choose(x, found)
        return _elsewhere(found, x, ~(_magnitude(x) <= far), ("sin", "cos")[quarter])


def _elsewhere(found: Vector, x: Vector, rare: Vector, name: str) -> Vector:
    """Return what the C library's function of a double gives, where one of the lanes is rare: a branch that is hardly taken."""
    code, lanes, kind = x.code, x.code.lanes, scalar(x.dtype)
    helper = f"{name}.{lanes}{kind}"
    lines = [f"define internal <{lanes} x {kind}> @{helper}(<{lanes} x {kind}> %x) noinline {{", "entry:"]
    total = "poison"
    for k in range(lanes):
        lines.append(f"  %x{k} = extractelement <{lanes} x {kind}> %x, i64 {k}")
        wide, single = f"%x{k}", f"%y{k}"
        if x.dtype == F32:
            lines.append(f"  %w{k} = fpext float %x{k} to double")
            wide, single = f"%w{k}", f"%d{k}"
        lines.append(f"  {single} = call double @{name}(double {wide})")
        if x.dtype == F32:
            lines.append(f"  %y{k} = fptrunc double %d{k} to float")
        lines.append(f"  %t{k} = insertelement <{lanes} x {kind}> {total}, {kind} %y{k}, i64 {k}")
        total = f"%t{k}"
    code.helpers[helper] = "\n".join([*lines, f"  ret <{lanes} x {kind}> {total}", "}", ""])
    code.declared[f"declare double @{name}(double)"] = None
    return code.rarely(rare, found, f"call <{lanes} x {kind}> @{helper}(<{lanes} x {kind}> {x.name})")


def _constant_power(x: Vector, p: float) -> Vector:
    """Return x ** p for a p that is known: by products and a root where it is a small multiple of ½."""
    twice = 2.0 * p
    if not twice.is_integer() or abs(p) > 32 or x.dtype.kind != "f":
        if _float(x) == 8:
            raise NoForm("powers of float64")
        return _general_power(x, x.like(p))
    whole, odd = divmod(int(abs(twice)), 2)
    base, found = x, None
    while whole:
        if whole & 1:
            found = base if found is None else found * base
        whole >>= 1
        base = base * base if whole else base
    if odd:
        root = Functions.sqrt(x)
        if p == 0.5:  # the square root of minus infinity is NaN, and its power infinite
            root = (x == -math.inf).choose(x.like(math.inf), root) + 0.0
        found = root if found is None else found * root
    if found is None:
        return x.like(1)
    return found if p > 0 else 1.0 / found


def _general_power(x: Vector, y: Vector) -> Vector:
    """Return x ** y of float32, by way of float64."""
    a, b = _magnitude(x).to(F64), y.to(F64)
    logarithm = _logarithm(a, 8)
    logarithm = (a == 0).choose(a.like(-math.inf), (a == math.inf).choose(a, logarithm))
    found = Functions.exp(logarithm * b).to(F32)
    whole = x.code.call("llvm.trunc", F32, y) == y
    half = y * 0.5
    odd = whole & (x.code.call("llvm.trunc", F32, half) != half)
    negative = _integers(x) < 0
    found = (negative & odd).choose(-found, found)
    found = ((x < 0) & ~whole & (_magnitude(x) < math.inf)).choose(x.like(math.nan), found)
    found = ((x == -1.0) & (_magnitude(y) == math.inf)).choose(x.like(1), found)
    found = ((x != x) | (y != y)).choose(x + y, found)
    return ((y == 0) | (x == 1.0)).choose(x.like(1), found)
