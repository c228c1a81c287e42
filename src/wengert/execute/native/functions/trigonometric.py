"""Sine and cosine, whose argument is reduced by a multiple of π/2, for arguments of any size.

    x = n π/2 + r, |r| <= π/4,   sin(r) = r (1 + r² S(r²)),   cos(r) = 1 - r²/2 + r⁴ C(r²)

Of the two, the last bits of n choose the sine of x, and its cosine, which share all the rest where both are asked for. S and C
err least in units of sin(r) and cos(r) on |r| <= 0.8: of degree 2, 2^-27.8 and 2^-32.7 of it, for float32; of degree 5, 2^-57.6
and 2^-63.5, for float64.

π/2 in three numbers of the format serves as long as n is not large. Beyond that, x / 2π modulo 1 is a product of integers: the
significand of x times those bits of 1 / 2π that are not multiples of 1 after it (Payne and Hanek, Radian reduction for
trigonometric functions, SIGNUM Newsletter 18, 1983). Vectors in which no number is that large skip it by a branch.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from wengert.execute.native.code import Code, Vector, literal, scalar
from wengert.execute.native.functions.forms import Format, absolute, format_of, in_format, polynomial, within

__all__ = ["cos", "sin", "tan"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SINE_SINGLE = (-0.16666653195490985, 0.008332070921050169, -0.00019503065830681418)
SINE_DOUBLE = (
    *(-0.1666666666666662, 0.008333333333319847, -0.00019841269827734117),
    *(2.7557312966677065e-06, -2.505064381213263e-08, 1.58901352690136e-10),
)
"""S, for float32 and float64."""

COSINE_SINGLE = (0.04166664321844483, -0.0013887195354123378, 2.4419281765952883e-05)
COSINE_DOUBLE = (
    *(0.041666666666666574, -0.0013888888888869814, 2.4801587286806722e-05),
    *(-2.7557313583770454e-07, 2.087561938143904e-09, -1.1354298283209715e-11),
)
"""C, for float32 and float64."""

LARGE = (1e5, 1e9)
"""Up to which three numbers for π/2 serve: n times what the third lacks is nothing beside the smallest remainder."""

DOUBLES = np.dtype(np.float64)

HALF_PI_SINGLE = (1.570796251296997, 7.549789415861596e-08, 5.390302529957765e-15)
HALF_PI_DOUBLE = (1.5707963267948966, 6.123233995736765e-17, 1.0828566739219139e-32)
"""π/2 as the sum of three numbers of each format: positive ones, which leave a zero its sign."""

TURN_LOW = 2.4492935982947064e-16
"""What 2π is more than the double next to it."""


@within(2.25, 2.25)
def sin(x: Vector) -> Vector:
    """Return the sine."""
    return _waves(x)[0]


@within(2.25, 2.25)
def cos(x: Vector) -> Vector:
    """Return the cosine."""
    return _waves(x)[1]


@within(4.0, 4.0)
def tan(x: Vector) -> Vector:
    """Return the tangent, as the quotient of sine and cosine."""
    sine, cosine = _waves(x)
    return sine / cosine


def _waves(x: Vector) -> tuple[Vector, Vector]:
    """Return the sine and the cosine: of instructions that no result needs, LLVM makes no code."""
    form = format_of(x)
    bits = 8 * form.dtype.itemsize
    with x.code.exactly():
        r, n = _reduced(x)
        square = r * r
        sine = r * square.fma(polynomial(square, in_format(x, SINE_SINGLE, SINE_DOUBLE)), 1.0)
        cosine = square.fma(square.fma(polynomial(square, in_format(x, COSINE_SINGLE, COSINE_DOUBLE)), -0.5), 1.0)
        odd = n.shifted(bits - 1) < 0

        def signed(y: Vector, quarter: Vector) -> Vector:
            return (y.as_bits(form.signed) ^ (quarter.shifted(bits - 2) & form.sign)).as_bits(form.dtype)

        return signed(odd.choose(cosine, sine), n), signed(odd.choose(sine, cosine), n + 1)


def _reduced(x: Vector) -> tuple[Vector, Vector]:
    """Return r between -π/4 and π/4, and in the last two bits of an integer n."""
    code, form = x.code, format_of(x)
    key = ("reduced", x.name)
    for scope in reversed(code.scopes):
        if key in scope:
            names = scope[key].split()
            return Vector(code, names[0], form.dtype), Vector(code, names[1], form.signed)
    whole = x.fma(2 / math.pi, form.integer)
    n = whole - form.integer
    r = x
    for part in in_format(x, HALF_PI_SINGLE, HALF_PI_DOUBLE):
        r = n.fma(-part, r)
    found = _or_of_large(x, r, whole.as_bits(form.signed))
    code.scopes[-1][key] = " ".join(v.name for v in found)
    return found


def _or_of_large(x: Vector, r: Vector, n: Vector) -> tuple[Vector, Vector]:
    """Return r and n, in those lanes whose numbers are large what a helper returns, which is called only if there are some."""
    code, form = x.code, format_of(x)
    helper = f"reduced.{code.lanes}.{form.dtype.name}"
    if helper not in code.helpers:
        code.helpers[helper] = _each_reduced(helper, code, form)
    width = _width(form)
    code.declared["declare double @llvm.fma.f64(double, double, double)"] = None
    code.declared[f"declare i{width} @llvm.ctlz.i{width}(i{width}, i1)"] = None
    floats, integers = code.type(form.dtype), code.type(form.signed)
    large = absolute(x) > in_format(x, *LARGE)
    mask = code.let(f"bitcast {code.type(large.dtype)} {large.name} to i{code.lanes}")
    some = code.let(f"icmp ne i{code.lanes} {mask}, 0")
    before, taken, done = code.block, code.label(), code.label()
    code.write(f"  br i1 {some}, label %{taken}, label %{done}, !prof !0")
    code.begin(taken)
    operands = f"{floats} {x.name}, {floats} {r.name}, {integers} {n.name}"
    both = code.let(f"call {{ {floats}, {integers} }} @{helper}({operands})")
    other = [code.let(f"extractvalue {{ {floats}, {integers} }} {both}, {k}") for k in range(2)]
    code.write(f"  br label %{done}")
    code.begin(done)
    kinds = (floats, r, other[0]), (integers, n, other[1])
    names = [code.let(f"phi {kind} [ {v.name}, %{before} ], [ {o}, %{taken} ]") for kind, v, o in kinds]
    return Vector(code, names[0], form.dtype), Vector(code, names[1], form.signed)


def _each_reduced(name: str, code: Code, form: Format) -> str:
    """Return the text of a function that reduces those lanes of a vector whose numbers are large (`_one_reduced`)."""
    number, integer = scalar(form.dtype), scalar(form.signed)
    floats, integers = code.type(form.dtype), code.type(form.signed)
    lines = [
        f"define internal {{ {floats}, {integers} }} @{name}({floats} %x, {floats} %r, {integers} %n) noinline cold {{",
        f"  %size = call {floats} @llvm.fabs.v{code.lanes}f{8 * form.dtype.itemsize}({floats} %x)",
        f"  %large = fcmp ogt {floats} %size, splat ({number} {literal(LARGE[form.fraction > 23], form.dtype)})",
    ]
    r, n = "poison", "poison"
    for k in range(code.lanes):
        lines += [
            f"  %x{k} = extractelement {floats} %x, i64 {k}",
            f"  %both{k} = call {{ {number}, {integer} }} @{name}.one({number} %x{k})",
            f"  %one{k} = extractvalue {{ {number}, {integer} }} %both{k}, 0",
            f"  %quarter{k} = extractvalue {{ {number}, {integer} }} %both{k}, 1",
            f"  %r{k} = insertelement {floats} {r}, {number} %one{k}, i64 {k}",
            f"  %n{k} = insertelement {integers} {n}, {integer} %quarter{k}, i64 {k}",
        ]
        r, n = f"%r{k}", f"%n{k}"
    lines += [
        f"  %rs = select <{code.lanes} x i1> %large, {floats} {r}, {floats} %r",
        f"  %ns = select <{code.lanes} x i1> %large, {integers} {n}, {integers} %n",
        f"  %first = insertvalue {{ {floats}, {integers} }} poison, {floats} %rs, 0",
        f"  %all = insertvalue {{ {floats}, {integers} }} %first, {integers} %ns, 1",
        f"  ret {{ {floats}, {integers} }} %all",
        "}",
    ]
    return "\n".join([*lines, _one_reduced(f"{name}.one", form)])


@cache
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


def _width(form: Format) -> int:
    """Return the bits of a fraction of a turn: twice those of the number, of its nearest approach to a quarter turn, and some."""
    return 128 if form.fraction == 23 else 256


def _one_reduced(name: str, form: Format) -> str:
    """Return the text of a function of one number x = m 2ᵉ: the remainder, at most an eighth of a turn, and the quarter turns."""
    number, size = scalar(form.dtype), 8 * form.dtype.itemsize
    cast = "fptrunc double %signed to float" if number == "float" else "fadd double %signed, 0.0"
    return f"""
define internal {{ {number}, i{size} }} @{name}({number} %x) noinline cold {{
{_turns(form)}{_angle(_width(form))}
  %as = {cast}
  %found = select i1 %finite, {number} %as, {number} 0x7FF8000000000000
  %n = trunc i{_width(form)} %quarters to i{size}
  %first = insertvalue {{ {number}, i{size} }} poison, {number} %found, 0
  %all = insertvalue {{ {number}, i{size} }} %first, i{size} %n, 1
  ret {{ {number}, i{size} }} %all
}}
"""


def _turns(form: Format) -> str:
    """Return the text of %quarters, quarter turns, and %rest, what x is more: in an integer of which 2^width are one turn.

    Of 1 / 2π, whose bits are a constant, those count that are shifted to the integer by the exponent.
    """
    width, number, size = _width(form), scalar(form.dtype), 8 * form.dtype.itemsize
    highest = form.bias - form.fraction  # the largest e
    most = highest + (8 if form.fraction == 23 else 24)  # by which the least e that comes here, that of `LARGE`, is less
    total = highest + width
    mantissa = (1 << form.fraction) - 1
    return f"""
  %bits = bitcast {number} %x to i{size}
  %high = lshr i{size} %bits, {form.fraction}
  %biased = and i{size} %high, {2 * form.bias + 1}
  %finite = icmp ne i{size} %biased, {2 * form.bias + 1}
  %stored = and i{size} %bits, {mantissa}
  %m = or i{size} %stored, {mantissa + 1}
  %far = sub i{size} {2 * form.bias}, %biased
  %near = icmp ugt i{size} %far, {most}
  %by = select i1 %near, i{size} {most}, i{size} %far
  %shift = zext i{size} %by to i{total}
  %shifted = lshr i{total} {_inverse_of_two_pi(total)}, %shift
  %window = trunc i{total} %shifted to i{width}
  %wide = zext i{size} %m to i{width}
  %product = mul i{width} %wide, %window
  %negative = icmp slt i{size} %bits, 0
  %minus = sub i{width} 0, %product
  %sided = select i1 %negative, i{width} %minus, i{width} %product
  %half = add i{width} %sided, {1 << (width - 3)}
  %quarters = lshr i{width} %half, {width - 2}
  %complete = shl i{width} %quarters, {width - 2}
  %rest = sub i{width} %sided, %complete
"""


def _angle(width: int) -> str:
    """Return the text of %signed, the angle of %rest.

    Its leading 64 bits, shifted up to the first that counts, are two exact doubles, which 2π in two numbers multiplies.
    """
    turn, turn_low, small = (literal(value, DOUBLES) for value in (2 * math.pi, TURN_LOW, 2.0**-32))
    return f"""
  %below = icmp slt i{width} %rest, 0
  %opposite = sub i{width} 0, %rest
  %size = select i1 %below, i{width} %opposite, i{width} %rest
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
