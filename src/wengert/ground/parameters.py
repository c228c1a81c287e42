"""Derivatives of special functions by their parameters, of any order, over an array namespace.

The function is an integral of a density p, and the n-th derivative of p by its parameters is p times a polynomial Yₙ in the
derivatives of log p (a complete Bell polynomial). So with F = ∫ p over one side of x,

    ∂ⁿF = F · (∫ Yₙ p) / (∫ p),

two integrals over the side of x on which the first derivative keeps its sign, so that nothing cancels, times F itself, which
is known to full precision. The integrands fall smoothly from x on; they are summed by the double exponential rule of
H. Takahasi and M. Mori (1974) for half-lines. Where p is singular near by (small x), F is a series of positive terms
instead, and the same holds of sums: ∂ⁿF = F · (Σ Yₙ tₖ) / (Σ tₖ).

The rules of TensorFlow and of JAX differentiate a continued fraction term by term, by one parameter and once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["bell", "betainc_by", "gammainc_by", "zeta_by"]

STEP, FIRST, LAST = 0.07, -53, 88
"""The rule's nodes: u = w exp(τ - exp(-τ)) at τ = STEP k, k from FIRST to LAST."""
NODES = [
    (math.exp(STEP * k - math.exp(-STEP * k)), STEP * (1.0 + math.exp(-STEP * k)))
    for k in range(FIRST, LAST + 1)
]  # fmt: skip
"""For each node u / w, and du / u."""


def bell(logs: Callable[[int, int], Any], m: int, n: int) -> Any:
    """Return ∂ₐᵐ ∂ᵦⁿ p / p, m + n > 0, from the derivatives of log p: ``logs(i, j)``, of orders i and j.

    With y(i, j) that of orders i and j, y(i + 1, j) is Σ C(i, r) C(j, s) y(i - r, j - s) logs(r + 1, s), by Leibniz' rule.
    """
    y: dict[tuple[int, int], Any] = {}
    for i in range(m + 1):
        for j in range(n + 1):
            of_a = [
                (math.comb(i - 1, r) * math.comb(j, s), (i - 1 - r, j - s), (r + 1, s)) for r in range(i) for s in range(j + 1)
            ]
            of_b = [(math.comb(j - 1, s), (0, j - 1 - s), (0, s + 1)) for s in range(j)]
            for times, before, orders in of_a if i else of_b:
                term = logs(*orders)
                if before != (0, 0):
                    term = y[before] * term
                if times != 1:
                    term = float(times) * term
                y[i, j] = term if (i, j) not in y else y[i, j] + term
    return y[m, n]


def _psi(xp: Any, x: Any, order: int) -> list[Any]:
    """Return digamma and its derivatives up to an order."""
    return [xp.digamma(x)] + [xp.polygamma(x, k) for k in range(1, order + 1)]


def _next(psi: list[Any], x: Any) -> list[Any]:
    """Return what `_psi` gives at x + 1, from what it gives at x: ψ⁽ᵏ⁾(x + 1) = ψ⁽ᵏ⁾(x) + (-1)ᵏ k! / xᵏ⁺¹."""
    return [p + (-1) ** k * math.factorial(k) / x ** (k + 1) for k, p in enumerate(psi)]


def gammainc_by(xp: Any, a: Any, x: Any, n: int) -> Any:
    """Return ∂ⁿ/∂aⁿ P(a, x), n > 0, for float64: P is the lower regularised incomplete gamma function."""
    inside = xp.logical_and(x > 0, x < xp.inf)
    given, x = x, xp.where(inside, x, 1.0)
    log_x, psi = xp.log(x), _psi(xp, a, n - 1)

    # P = Σ tₖ with tₖ = xᵃ⁺ᵏ e⁻ˣ / Γ(a + k + 1), for x up to 1.5.
    term, total, moved, at, shifted = 1.0, 0.0, 0.0, a + 1.0, _psi(xp, a + 1.0, n - 1)
    near = xp.minimum(x, 1.5)
    for _ in range(26):
        here = [log_x - shifted[0], *[-p for p in shifted[1:]]]
        total = total + term
        moved = moved + term * bell(lambda i, j, here=here: here[i - 1], n, 0)  # type: ignore[misc]
        term, shifted = term * near / at, _next(shifted, at)
        at = at + 1.0
    series = xp.gammainc(a, x) * (moved / total)

    # With t = x exp(σu), p dt is exp(σ a u - x (exp(σu) - 1)) du but for a factor.
    lower = log_x < psi[0]
    sign = xp.where(lower, -1.0, 1.0)
    width = 1.0 / (xp.abs(x - a) + xp.where(lower, xp.minimum(xp.sqrt(x), a), xp.sqrt(x)))
    total, moved = 0.0, 0.0
    for node, weight in NODES:
        u = sign * (width * node)
        p = xp.exp(a * u - x * xp.expm1(u)) * (node * weight)
        total = total + p
        moved = moved + p * bell(lambda i, j, u=u: log_x + u - psi[0] if i == 1 else -psi[i - 1], n, 0)  # type: ignore[misc]
    side = xp.where(lower, xp.gammainc(a, x), -xp.gammaincc(a, x)) * (moved / total)
    found = xp.where(inside, xp.where(x <= 1.5, series, side), 0.0)
    return xp.where(xp.logical_or(xp.isnan(given), given < 0), xp.nan, found)


def betainc_by(xp: Any, a: Any, b: Any, x: Any, m: int, n: int) -> Any:
    """Return ∂ᵐ⁺ⁿ/∂aᵐ∂bⁿ Iₓ(a, b), m + n > 0, for float64: I is the regularised incomplete beta function."""
    inside = xp.logical_and(x > 0, x < 1)
    given, x = x, xp.where(inside, x, 0.5)
    y = 1.0 - x
    log_x, log_y = xp.log(x), xp.log1p(-x)
    order = max(m + n - 1, 0)
    by_a, by_b, by_both = _psi(xp, a, order), _psi(xp, b, order), _psi(xp, a + b, order)
    # The side of x on which the first factor of Y keeps its sign, and there a series where its terms are few.
    below = log_x < by_a[0] - by_both[0] if m >= n else log_y > by_b[0] - by_both[0]
    short = xp.logical_and(x <= 0.5, b * x <= 2.0), xp.logical_and(y <= 0.5, a * y <= 2.0)
    below = xp.logical_and(xp.logical_or(below, short[0]), xp.logical_not(short[1]))
    short = xp.logical_or(*short)
    # What follows is the integral from 0 to x, where need be with the roles of both sides exchanged.
    own = [xp.where(below, p, q) for p, q in zip(by_a, by_b, strict=True)]
    other = [xp.where(below, q, p) for p, q in zip(by_a, by_b, strict=True)]
    a, b = xp.where(below, a, b), xp.where(below, b, a)
    x, y = xp.where(below, x, y), xp.where(below, y, x)
    log_x, log_y = xp.where(below, log_x, log_y), xp.where(below, log_y, log_x)

    def factor(first: Any, second: Any, single: Any, shared: Any, fixed: Any) -> Any:
        """Return Y: the logarithms of both factors, the digammas of both parameters and of their sum."""

        def logs(i: int, j: int) -> Any:
            both = shared[i + j - 1]
            if i and j:
                return both
            return both - (single if i else fixed)[i + j - 1] + ((first if i else second) if i + j == 1 else 0.0)

        def swapped(i: int, j: int) -> Any:
            return logs(j, i)

        return xp.where(below, bell(logs, m, n), bell(swapped, m, n))

    # I = Σ tₖ with tₖ = xᵃ⁺ᵏ yᵇ Γ(a + b + k) / (Γ(a + 1 + k) Γ(b)).
    term, total, moved, at, k = 1.0, 0.0, 0.0, a + 1.0, 0.0
    single, shared = _psi(xp, a + 1.0, order), by_both
    near = xp.where(short, x, 0.0)
    for _ in range(90):
        total = total + term
        moved = moved + term * factor(log_x, log_y, single, shared, other)
        ratio = near * (a + b + k) / at
        single, shared = _next(single, at), _next(shared, a + b + k)
        term, at, k = term * ratio, at + 1.0, k + 1.0
    series = moved / total

    # With t / (1 - t) = x/y exp(-u), p dt is exp(-a u - (a + b) l) du but for a factor, l = log(y + x exp(-u)).
    width = 1.0 / (xp.abs(a * y - b * x) + xp.minimum(xp.sqrt((a + b) * x * y), a))
    total, moved = 0.0, 0.0
    for node, weight in NODES:
        u = width * node
        less = x * xp.expm1(-u)
        rest = xp.where(less > -0.5, xp.log1p(less), xp.log(y + x * xp.exp(-u)))
        p = xp.exp(-a * u - (a + b) * rest) * (node * weight)
        total = total + p
        moved = moved + p * factor(log_x - u - rest, log_y - rest, own, by_both, other)
    value = xp.betainc(a, b, x)
    found = xp.where(below, value, -value) * xp.where(short, series, moved / total)
    return xp.where(xp.logical_or(xp.isnan(given), xp.logical_or(given < 0, given > 1)), xp.nan, xp.where(inside, found, 0.0))


BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330, 854513 / 138,
    -236364091 / 2730,
)  # fmt: skip
"""B₂, B₄, ..."""
DIRECT = 12
"""Terms of a zeta function that are summed one by one."""


def zeta_by(xp: Any, s: Any, q: Any, n: int) -> Any:
    """Return ∂ⁿ/∂sⁿ Σₖ (q + k)⁻ˢ, n > 0, for float64: by the formula of Euler and Maclaurin, term by term.

    The tail from y = q + N on is y⁻ˢ J(s), J = y / (s - 1) + 1/2 + Σ B₂ⱼ / (2j)! s (s + 1) ... (s + 2j - 2) y¹⁻²ʲ.
    """
    total = 0.0
    for k in range(DIRECT):
        total = total + (q + k) ** -s * (-xp.log(q + k)) ** n
    y = q + float(DIRECT)
    log_y = xp.log(y)
    # Taylor coefficients of J in s.
    tail = [(-1.0) ** i * y / (s - 1.0) ** (i + 1) for i in range(n + 1)]
    tail[0] = tail[0] + 0.5
    rising = [s] + [xp.ones_like(s) if i == 1 else xp.zeros_like(s) for i in range(1, n + 1)]
    power = 1.0 / y
    for j, number in enumerate(BERNOULLI, 1):
        for i in range(n + 1):
            tail[i] = tail[i] + (number / math.factorial(2 * j)) * power * rising[i]
        for r in (2 * j - 1, 2 * j):
            rising = [rising[i] * (s + r) + (rising[i - 1] if i else 0.0) for i in range(n + 1)]
        power = power / (y * y)
    terms = [math.comb(n, i) * math.factorial(i) * (-log_y) ** (n - i) * tail[i] for i in range(n + 1)]
    return total + y**-s * sum(terms)
