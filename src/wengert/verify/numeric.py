"""Derivatives from values in double precision: for functions that exist in no other arithmetic.

Three ways, all with an estimate of their own error: central differences whose steps shrink, extrapolated to the step zero
(C. J. F. Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", 1982); the complex step, for first orders of functions that
take complex numbers; and Cauchy's integral over a circle, for any order of such functions (J. N. Lyness and C. B. Moler, 1967).
A function may take complex numbers and not be analytic (it may use abs or real): the complex ways count only where they agree
with the differences within the differences' own error.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.verify.oracle import central

__all__ = ["Estimate", "derivative"]

SHRINK = 1.6
"""By how much each step is smaller than the one before."""
TABLEAU = 14
"""Steps that are tried."""
START = 0.3
POINTS = 32
"""Points on a circle."""
RADII = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)


class Estimate(NamedTuple):
    """A derivative and a bound of its error."""

    value: float
    error: float
    how: str
    kind: str = "smooth"


def derivative(
    f: Callable[[Sequence[Any]], Any], counts: Sequence[int], start: float = START, eps: float = 2.0**-52, enough: float = 0.0
) -> Estimate:
    """Return the derivative of f(ε) at 0, of the given order in each ε.

    Args:
        f: A function of a list of numbers that gives a number. It may be given complex numbers, and may refuse them.
        counts: The order in each number.
        start: The greatest step.
        eps: The unit of rounding of f's values.
        enough: The relative error at which nothing finer is looked for.

    >>> import math
    >>> found = derivative(lambda e: math.sin(2 * e[0] + 0.3), [3])
    >>> abs(found.value - -8 * math.cos(0.3)) <= found.error < 1e-4, found.how
    (True, 'differences')
    """
    found = _extrapolated(f, counts, start, eps, enough)
    if found.error <= enough * abs(found.value):
        return found
    if sum(n > 0 for n in counts) == 1 and math.isfinite(found.value):
        seed = next(s for s, n in enumerate(counts) if n)
        for way in (_complex_step, _cauchy) if eps < 1e-10 else ():
            finer = way(f, seed, len(counts), counts[seed])
            if finer is not None and abs(finer.value - found.value) <= 4 * found.error + 1e-12 * abs(found.value):
                if finer.error < found.error:
                    return Estimate(finer.value, finer.error, finer.how, found.kind)
    return found


def _extrapolated(f: Callable[[Sequence[Any]], Any], counts: Sequence[int], start: float, eps: float, enough: float) -> Estimate:
    grid: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
    for n in counts:
        grid = [((*at, k), w * v) for at, w in grid for k, v in central(n).items()]
    order = sum(counts)
    base = _call(f, [0.0] * len(counts))
    best, error = math.nan, math.inf
    above: list[float] = []
    h = start
    for _ in range(TABLEAU):
        values = [_call(f, [h * k for k in at]) for at, _ in grid]
        raw = sum(w * v for (_, w), v in zip(grid, values, strict=True)) / h**order
        size = max((abs(v) for v in values), default=0.0)
        # What rounding leaves of the values: half a unit of the greatest, for each.
        floor = eps * size * sum(abs(w) for _, w in grid) / h**order
        row = [raw]
        for j, old in enumerate(above, 1):
            factor = SHRINK ** (2 * j)
            row.append((factor * row[j - 1] - old) / (factor - 1))
            gap = max(abs(row[j] - row[j - 1]), abs(row[j] - old)) + 4 * floor
            if gap < error:
                best, error = row[j], gap
        if error <= enough * abs(best):
            break
        above = row
        h /= SHRINK
    kind = _kind(f, counts, base, eps) if order == 1 else "smooth"
    return Estimate(best, error, "differences", kind)


def _kind(f: Callable[[Sequence[Any]], Any], counts: Sequence[int], base: float, eps: float) -> str:
    """Tell a kink or a jump at the point: how forward less backward difference changes with the step."""
    seed = next(s for s, n in enumerate(counts) if n)
    gaps = []
    step = max(1e-5, 10 * eps**0.5)
    for h in (step, 2 * step):
        right, left = (_call(f, [sign * h if s == seed else 0.0 for s in range(len(counts))]) for sign in (1, -1))
        gaps.append(abs(right - 2 * base + left) / h)
        noise = 4 * eps * (abs(right) + abs(base) + abs(left)) / h
        if not math.isfinite(gaps[-1]):
            return "undefined"
    if gaps[0] > 100 * noise + 1e-9 and gaps[0] > 0.75 * gaps[1]:
        return "jump" if gaps[0] > 1.5 * gaps[1] else "kink"
    return "smooth"


def _call(f: Callable[[Sequence[Any]], Any], at: Sequence[float]) -> float:
    try:
        return float(np.real(f(at)))
    except (ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def _complex_step(f: Callable[[Sequence[Any]], Any], seed: int, seeds: int, order: int) -> Estimate | None:
    """Im f(ih) / h: nothing is subtracted, so h may be as small as one likes."""
    if order != 1:
        return None
    h = 1e-30
    value = _complex(f, [1j * h if s == seed else 0.0 for s in range(seeds)])
    if value is None or value.imag == 0.0:
        return None
    found = value.imag / h
    return Estimate(found, 8 * 2.0**-52 * (abs(found) + abs(value.real)), "complex step")


def _cauchy(f: Callable[[Sequence[Any]], Any], seed: int, seeds: int, order: int) -> Estimate | None:
    """The k-th derivative is k! / r^k times the k-th Fourier coefficient of f over the circle of radius r."""
    found: list[tuple[float, float]] = []
    for r in RADII:
        values = []
        for j in range(POINTS):
            e = r * complex(math.cos(2 * math.pi * j / POINTS), math.sin(2 * math.pi * j / POINTS))
            value = _complex(f, [e if s == seed else 0.0 for s in range(seeds)])
            if value is None:
                return None
            values.append(value)
        array = np.array(values)
        if not np.isfinite(array).all():
            continue
        scale = math.factorial(order) / r**order
        coefficient = np.mean(array * np.exp(-2j * np.pi * order * np.arange(POINTS) / POINTS)) * scale
        found.append((float(coefficient.real), 4 * 2.0**-52 * float(np.abs(array).max()) * scale))
    best: Estimate | None = None
    for (a, noise_a), (b, noise_b) in itertools.pairwise(found):
        error = abs(a - b) + max(noise_a, noise_b)
        if best is None or error < best.error:
            best = Estimate(a if noise_a < noise_b else b, error, "Cauchy's integral")
    return best


def _complex(f: Callable[[Sequence[Any]], Any], at: Sequence[Any]) -> complex | None:
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a cast that drops the imaginary part is a warning
            value = f(at)
        if not np.iscomplexobj(value):
            return None
        return complex(value)
    except Exception:  # the user's function may refuse complex numbers in whatever way it likes
        return None
