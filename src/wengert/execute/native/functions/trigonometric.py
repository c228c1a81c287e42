"""Sine and cosine, whose argument is reduced by a multiple of π for arguments of any size.

    x = n π + r, |r| <= π / 2,   sin(x) = (-1)ⁿ sin(r),   sin(r) = r + r³ P(r²)

with P the polynomial that errs least in units of sin(r) on |r| <= 0.504 π: of degree 3, 2^-27 of it, for float32; of degree 7,
2^-61.4, for float64. (Of float32's neighbouring coefficients those are taken by which sin(π/2), and so cos(0), is 1.)
The cosine is the sine of x + π/2: n is a half of an odd number there, and r is small where the cosine is.

π in three numbers of the format serves as long as n is not large. Beyond that, x / 2π modulo 1 is a product of integers: the
significand of x times those bits of 1 / 2π that are not multiples of 1 after it (Payne and Hanek, Radian reduction for
trigonometric functions, SIGNUM Newsletter 18, 1983). Vectors in which no number is that large skip it by a branch.
"""

from __future__ import annotations

import math

import numpy as np

from wengert.execute.native.code import Code, Vector, literal, scalar
from wengert.execute.native.functions.exponential import clamped
from wengert.execute.native.functions.forms import Format, absolute, format_of, in_format, polynomial, signed_as, within

__all__ = ["cos", "sin", "tan"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SINGLE = (-0.1666666, 0.008333055, -0.00019808541, 2.6033576e-06)
DOUBLE = (
    *(-0.16666666666666666, 0.008333333333333177, -0.00019841269841203068, 2.7557319210061886e-06),
    *(-2.5052106772559735e-08, 1.6058934585113203e-10, -7.642856270565198e-13, 2.719732262320768e-15),
)
"""P, for float32 and float64."""

LARGE = (1e5, 1e9)
"""Up to which three numbers for π serve: n times what the third lacks is nothing beside the smallest remainder."""


DOUBLES = np.dtype(np.float64)

PI_SINGLE = (3.141592502593994, 1.5099578831723193e-07, 1.078060505991553e-14)
PI_DOUBLE = (3.141592653589793, 1.224646799147353e-16, 2.1657133478438278e-32)
"""π as the sum of three numbers of each format: positive ones, which leave a zero its sign."""


@within(1.75, 1.75)
def sin(x: Vector) -> Vector:
    """Return the sine."""
    form = format_of(x)
    with x.code.exactly():
        whole = x.fma(1 / math.pi, form.integer)
        n = whole - form.integer
    return _of_remainder(_reduced(x, n, whole, 0))


@within(1.75, 1.75)
def cos(x: Vector) -> Vector:
    """Return the cosine, sin(x + π/2)."""
    form = format_of(x)
    with x.code.exactly():
        whole = x.fma(1 / math.pi, 0.5) + form.integer
        n = (whole - form.integer) - 0.5
    return _of_remainder(_reduced(x, n, whole, 1))


@within(4.0, 4.0)
def tan(x: Vector) -> Vector:
    """Return sin(x) / cos(x)."""
    return sin(x) / cos(x)


def _reduced(x: Vector, n: Vector, whole: Vector, quarters: int) -> Vector:
    """Return r between -π/2 and π/2 with sin(r) = sin(x + quarters π/2), where n π is to be taken from x."""
    form = format_of(x)
    r = x
    for part in in_format(x, PI_SINGLE, PI_DOUBLE):
        r = n.fma(-part, r)
    odd = whole.as_bits(form.signed).shifted(form.signed.itemsize * 8 - 1)
    r = (r.as_bits(form.signed) ^ odd).as_bits(form.dtype)
    code, kind = x.code, x.code.type(x.dtype)
    name = f"reduced{quarters}.{code.lanes}.{form.dtype.name}"
    large = absolute(x) > in_format(x, *LARGE)
    code.helpers[name] = _each_reduced(name, code, form, quarters)
    width = _width(form)
    code.declared["declare double @llvm.fma.f64(double, double, double)"] = None
    code.declared[f"declare i{width} @llvm.ctlz.i{width}(i{width}, i1)"] = None
    return code.rarely(large, r, f"call {kind} @{name}({kind} {x.name}, {kind} {r.name})")


def _of_remainder(r: Vector) -> Vector:
    """Return sin(r) for r between -π/2 and π/2: never beyond ±1, by which its rounding may miss by a unit."""
    a = absolute(r)
    square = a * a
    cube = polynomial(square, in_format(r, SINGLE, DOUBLE))
    return signed_as(clamped((square * a).fma(cube, a), None, 1.0), r)


def _inverse_of_two_pi(bits: int) -> int:
    """Return 1 / 2π times 2^bits, cut to an integer.

    π by Machin's formula, 16 atan(1/5) - 4 atan(1/239), in integers.
    """
    scale = 1 << (bits + 64)

    def arctan_of_inverse(q: int) -> int:
        term = scale // q
        total, k, sign = term, 1, 1
        while term:
            term //= q * q
            k += 2
            sign = -sign
            total += sign * (term // k)
        return total

    pi = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)
    return (scale << bits) // (2 * pi)


def _each_reduced(name: str, code: Code, form: Format, quarters: int) -> str:
    """Return the text of a function that reduces those lanes of a vector whose numbers are large (`_one_reduced`)."""
    number = scalar(form.dtype)
    kind = code.type(form.dtype)
    lines = [f"define internal {kind} @{name}({kind} %x, {kind} %fast) noinline cold {{"]
    total = "poison"
    for k in range(code.lanes):
        lines += [
            f"  %x{k} = extractelement {kind} %x, i64 {k}",
            f"  %r{k} = call {number} @{name}.one({number} %x{k})",
            f"  %t{k} = insertelement {kind} {total}, {number} %r{k}, i64 {k}",
        ]
        total = f"%t{k}"
    limit = LARGE[0] if form.fraction == 23 else LARGE[1]
    lines += [
        f"  %size = call {kind} @llvm.fabs.v{code.lanes}f{8 * form.dtype.itemsize}({kind} %x)",
        f"  %large = fcmp ogt {kind} %size, splat ({number} {literal(limit, form.dtype)})",
        f"  %all = select <{code.lanes} x i1> %large, {kind} {total}, {kind} %fast",
        f"  ret {kind} %all",
        "}",
    ]
    return "\n".join([*lines, _one_reduced(f"{name}.one", form, quarters)])


def _width(form: Format) -> int:
    """Return the bits of a fraction of a turn: twice those of the number, of its nearest approach to a half turn, and some."""
    return 128 if form.fraction == 23 else 256


def _one_reduced(name: str, form: Format, quarters: int) -> str:
    """Return the text of a function of one number x = m 2ᵉ: of the turns m 2ᵉ / 2π, in an integer of which 2^width are one turn.

    Turns between a quarter and three are mirrored at the half: their sine is the same. The remainder's leading 64 bits, shifted
    up to the first that counts, are two exact doubles, which 2π in two numbers multiplies.
    """
    width, number, size = _width(form), scalar(form.dtype), 8 * form.dtype.itemsize
    highest = form.bias - form.fraction  # the largest e; the least that comes here is that of `LARGE`
    lowest = -8 if form.fraction == 23 else -24
    total = highest + width
    inverse = _inverse_of_two_pi(highest + width)
    mantissa = (1 << form.fraction) - 1
    turn, turn_low, small = (literal(value, DOUBLES) for value in (2 * math.pi, 2 * PI_DOUBLE[1], 2.0**-32))
    lines = f"""
define internal {number} @{name}({number} %x) noinline cold {{
  %bits = bitcast {number} %x to i{size}
  %high = lshr i{size} %bits, {form.fraction}
  %biased = and i{size} %high, {2 * form.bias + 1}
  %finite = icmp ne i{size} %biased, {2 * form.bias + 1}
  %stored = and i{size} %bits, {mantissa}
  %m = or i{size} %stored, {mantissa + 1}
  %far = sub i{size} {highest + form.bias + form.fraction}, %biased
  %near = icmp ugt i{size} %far, {highest - lowest}
  %by = select i1 %near, i{size} {highest - lowest}, i{size} %far
  %shift = zext i{size} %by to i{total}
  %all = lshr i{total} {inverse}, %shift
  %window = trunc i{total} %all to i{width}
  %wide = zext i{size} %m to i{width}
  %product = mul i{width} %wide, %window
  %negative = icmp slt i{size} %bits, 0
  %minus = sub i{width} 0, %product
  %sided = select i1 %negative, i{width} %minus, i{width} %product
  %turns = add i{width} %sided, {quarters << (width - 2)}
  %doubled = shl i{width} %turns, 1
  %both = xor i{width} %turns, %doubled
  %beyond = icmp slt i{width} %both, 0
  %other = sub i{width} {1 << (width - 1)}, %turns
  %mirrored = select i1 %beyond, i{width} %other, i{width} %turns
  %below = icmp slt i{width} %mirrored, 0
  %opposite = sub i{width} 0, %mirrored
  %size = select i1 %below, i{width} %opposite, i{width} %mirrored
  %zeros = call i{width} @llvm.ctlz.i{width}(i{width} %size, i1 false)
  %up = shl i{width} %size, %zeros
  %top = lshr i{width} %up, {width - 64}
  %lead = trunc i{width} %top to i64
  %upper = lshr i64 %lead, 32
  %lower = and i64 %lead, 4294967295
  %a = uitofp i64 %upper to double
  %b = uitofp i64 %lower to double
  %b1 = fmul double %b, {small}
  %c = fmul double %a, {turn_low}
  %d = call double @llvm.fma.f64(double %b1, double {turn}, double %c)
  %e = call double @llvm.fma.f64(double %a, double {turn}, double %d)
  %z = trunc i{width} %zeros to i64
  %scale = sub i64 {1023 - 32}, %z
  %placed = shl i64 %scale, 52
  %power = bitcast i64 %placed to double
  %r = fmul double %e, %power
  %s = fneg double %r
  %signed = select i1 %below, double %s, double %r
"""
    if number == "float":
        lines += "  %as = fptrunc double %signed to float\n"
    result = "%as" if number == "float" else "%signed"
    nan = "0x7FF8000000000000"
    return lines + f"  %found = select i1 %finite, {number} {result}, {number} {nan}\n  ret {number} %found\n}}\n"
