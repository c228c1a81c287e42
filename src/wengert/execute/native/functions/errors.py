"""The error function, what it lacks of 1, and the normal distribution.

erf(a) = 1 - exp(-a P(a)) for a >= 0, where a P(a) = -log(erfc(a)): the polynomial P, of degree 8 up to 3.95, for float32, errs by
2^-27.9 of erf; that of degree 23 up to 5.95, for float64, by 2^-55.4.

erfc(a) = exp(-a²) R(t) / (1 + 2a), t = (a - 3) / (a + 3), with R of degree 10 up to a = 9.3, which errs by 2^-29.5 of it, for
float32; of degree 24 up to 26.7, 2^-59.5, for float64.
"""

from __future__ import annotations

import math

from wengert.execute.native.code import Vector
from wengert.execute.native.functions.exponential import LN2, clamped, exponential, less_one, power_of_two, remainder, split
from wengert.execute.native.functions.forms import absolute, format_of, in_format, polynomial, signed_as, within

__all__ = ["erf", "erfc", "ndtr"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

ERF_SINGLE = (
    *(1.128379171617187, 0.6366193817951287, 0.10277783337566845, -0.019153076678629106),
    *(-0.0001603709090533576, 0.0016670017637239634, -0.0006328225657046903, 0.00011763710762996588),
    *(-9.255758190322215e-06,),
)
ERF_DOUBLE = (
    *(1.1283791670955126, 0.636619772367591, 0.10277260330131406, -0.019128446993067608),
    *(-0.00020919485423516617, 0.0016962076721497737, -0.0005901324414223022, 2.5904539101291658e-05),
    *(6.442037137333947e-05, -2.9575473521634305e-05, 3.1693835914246375e-06, 3.133296570804472e-06),
    *(-2.0374945161162337e-06, 5.708546414941717e-07, -1.1836459930214122e-08, -6.567470275616611e-08),
    *(3.4563467991680323e-08, -1.0767244775099352e-08, 2.359163410491688e-09, -3.758443879743227e-10),
    *(4.299001782806082e-11, -3.3619940176262703e-12, 1.6136446885255773e-13, -3.589238557874891e-15),
)
"""P, for float32 and float64."""

TAIL_SINGLE = (
    *(1.253008058504647, -0.13562113175198737, -0.04756232855438034, 0.12964621713342064),
    *(-0.119272320886197, 0.06829638451437377, -0.023789297415243178, 0.0025727067899118097),
    *(0.0019877380737719727, -0.0007981475413020615, -0.00027581928104906993),
)
TAIL_DOUBLE = (
    *(1.2530080582697296, -0.13562110612458114, -0.047562294353450996, 0.12964515870275714),
    *(-0.11927366341528702, 0.06830802734413478, -0.023770514919297162, 0.0025293918129416365),
    *(0.0018886903681799903, -0.0007798322382877114, -0.00010515986576636031, 0.00012509913264921137),
    *(4.949762796742608e-06, -2.009966244113634e-05, -7.3219551889389e-07, 3.4699883541086977e-06),
    *(3.577459709064041e-07, -6.124335277679713e-07, -1.4194504854080672e-07, 9.728493870593412e-08),
    *(4.114328127612346e-08, -1.0489327751128625e-08, -7.584671818704631e-09, 2.259738382782123e-10),
    *(5.32666127566289e-10,),
)
"""R, for float32 and float64."""


@within(4.0, 4.0)
def erf(x: Vector) -> Vector:
    """Return the error function."""
    with x.code.exactly():
        a = clamped(absolute(x), None, in_format(x, 3.95, 5.95))
        t = a * polynomial(a, in_format(x, ERF_SINGLE, ERF_DOUBLE))
        n, whole = split(t)
        scale = power_of_two(whole, format_of(x), 0, -1)
        near = less_one(n.fma(in_format(x, *LN2)[0], -t))  # ln 2 in one number serves: where n is large, the scale is small
        return signed_as(0.0 - near.fma(scale, scale - 1.0), x)


def _tail(a: Vector, square: Vector, dropped: Vector) -> Vector:
    """Return erfc(a) for a >= 0 that are not beyond its normal numbers, where square + dropped is a²."""
    n, whole = split(square, -1.0)
    e = exponential(remainder(-square, n) - dropped) * power_of_two(whole, format_of(a))
    t = (a + a) / (a + 3.0) - 1.0  # more exact than (a - 3) / (a + 3) where a is small
    y = e * (polynomial(t, in_format(a, TAIL_SINGLE, TAIL_DOUBLE)) / a.fma(2.0, 1.0))
    return (a < in_format(a, 2.0**-25, 2.0**-54)).choose(a.like(1.0), y)  # of which the polynomial may miss a unit


@within(5.0, 5.0)
def erfc(x: Vector) -> Vector:
    """Return 1 - erf(x)."""
    with x.code.exactly():
        last = in_format(x, 9.3, 26.6)
        a = clamped(absolute(x), None, last)
        square = a * a
        y = _tail(a, square, a.fma(a, -square))
        y = (absolute(x) > last).choose(y.like(0.0), y)
        return (x < 0.0).choose(2.0 - y, y)


@within(5.0, 5.0)
def ndtr(x: Vector) -> Vector:
    """Return the normal distribution's integral up to x, erfc(-x / √2) / 2."""
    with x.code.exactly():
        last = in_format(x, 13.1, 37.6)
        a = clamped(absolute(x), None, last)
        square = a * a
        y = _tail(a * math.sqrt(0.5), square * 0.5, a.fma(a, -square) * 0.5) * 0.5
        y = (absolute(x) > last).choose(y.like(0.0), y)
        return (x > 0.0).choose(1.0 - y, y)
