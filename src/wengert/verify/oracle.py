"""Derivatives of any order from values alone, in arithmetic of many digits, with an error bound.

The oracle knows a function by its values f(ε), ε being small numbers along given directions, and by nothing else: no rule of
derivatives is used. With steps of 1e-12 and digits enough, a central difference of order k has a truncation error of about
1e-24 and a rounding error below 1e-30, so that the difference *is* the derivative to more than 20 digits. What stands in the
way of a derivative shows in one-sided differences: F(h) - B(h), forward less backward, shrinks with h where f is smooth, stays
where f has a kink, and grows where f jumps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

__all__ = ["Answer", "Oracle", "indices"]

Counts = tuple[int, ...]
"""The order along each direction."""
STEP = 12
"""The step is ten to minus this."""
SMOOTH, KINK, JUMP, UNDEFINED = "smooth", "kink", "jump", "undefined"


class Answer(NamedTuple):
    """A derivative of each output."""

    values: list[Any]
    """Arrays of mpmath's numbers."""
    errors: list[Any]
    """Bounds of the errors, of the shape of the values."""
    kind: str
    """smooth, or why there is no derivative here: kink, jump, undefined."""
    kinds: list[str]
    """The same of each output."""


def indices(seeds: int, order: int) -> list[Counts]:
    """Return all counts of a total order from 1 to the given one.

    >>> indices(2, 2)
    [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    """
    found: list[Counts] = []
    for total in range(1, order + 1):
        for chosen in itertools.combinations_with_replacement(range(seeds), total):
            found.append(tuple(chosen.count(s) for s in range(seeds)))
    return found


@cache
def central(order: int) -> dict[int, float]:
    """Return the weights of the central difference by node, of second order: exact in binary."""
    row = [(-1.0) ** (order - k) * math.comb(order, k) for k in range(order + 1)]
    if order % 2:
        row = [(a + b) / 2 for a, b in zip([*row, 0.0], [0.0, *row], strict=True)]
    reach = (len(row) - 1) // 2
    return {k - reach: w for k, w in enumerate(row) if w}


@cache
def forward(order: int) -> dict[int, float]:
    """Return the weights of the forward difference by node, of first order."""
    return {k: (-1.0) ** (order - k) * math.comb(order, k) for k in range(order + 1)}


class Oracle:
    """The derivatives of a function of small numbers at 0; each value of the function is computed once.

    Args:
        f: A function of a list of mpmath numbers ε, returning a list of real arrays (object dtype, mpmath's numbers).
        seeds: How many numbers ε there are.
        order: The greatest total order that will be asked for; it decides the digits.

    >>> import mpmath
    >>> oracle = Oracle(lambda e: [np.array(mpmath.exp(2 * e[0]) * (1 + e[1]), object)], 2, 3)
    >>> answer = oracle((2, 1))
    >>> answer.kind, mpmath.nstr(answer.values[0].item(), 20), bool(answer.errors[0] < 1e-20)
    ('smooth', '4.0', True)
    """

    def __init__(self, f: Callable[[Sequence[Any]], list[Any]], seeds: int, order: int) -> None:
        """Take the function."""
        self.f, self.seeds, self.order = f, seeds, order
        self.digits = 50 + STEP * order
        self.known: dict[Counts, list[Any] | None] = {}
        self.answers: dict[Counts, Answer] = {}

    def value(self, at: Counts) -> list[Any] | None:
        """Return f at h times the counts, h the step; None where it is not finite."""
        if at not in self.known:
            with mp.workdps(self.digits):
                h = mp.mpf(10) ** -STEP
                try:
                    found = self.f([h * k for k in at])
                except (ValueError, ZeroDivisionError, OverflowError, FloatingPointError, mp.libmp.NoConvergence):
                    found = None
                if found is not None:
                    found = [np.asarray(y, dtype=object) for y in found]
                    if not all(mp.isfinite(v) for y in found for v in y.flat):
                        found = None
                self.known[at] = found
        return self.known[at]

    def __call__(self, counts: Counts) -> Answer:
        """Return the derivative of the given order along each direction.

        Where the function is not smooth in a direction that is asked for, `kind` says so.
        """
        if counts not in self.answers:
            with mp.workdps(self.digits):
                self.answers[counts] = self._answer(counts)
        return self.answers[counts]

    def one_sided(self, counts: Counts) -> tuple[list[Any], list[Any]] | None:
        """Return the derivatives from the right and from the left along one direction, None where there is none."""
        (seed,) = [s for s, n in enumerate(counts) if n]
        with mp.workdps(self.digits):
            right, left = (
                self._difference(
                    self._grid(counts, 1, {seed: (forward(counts[seed]), sign)}), counts, 1, mp.mpf(sign) ** counts[seed]
                )
                for sign in (1, -1)
            )
        return None if right is None or left is None else (right, left)

    def _answer(self, counts: Counts) -> Answer:
        found, base = self._difference(self._grid(counts, 1), counts, 1), self.value((0,) * self.seeds)
        wide = self._difference(self._grid(counts, 2), counts, 2)
        if found is None or base is None or wide is None:
            return Answer([], [], UNDEFINED, [])
        total = sum(counts)
        # What rounding leaves: f is known to `digits`, and a difference divides it by h to the order.
        floor = mp.mpf(10) ** (3 - self.digits + STEP * total) * 4**total
        noise = [floor * (1 + max((abs(v) for v in y.flat), default=0)) for y in base]
        errors = [np.asarray(abs(a - b) + n, dtype=object) for a, b, n in zip(found, wide, noise, strict=True)]
        columns = [self._kinds(s, counts, noise) for s, n in enumerate(counts) if n]
        if total == 1:
            columns.append([_grown(a, b, n) for a, b, n in zip(found, wide, noise, strict=True)])
        for s, n in enumerate(counts):
            if n and total > 1:
                # Beside a kink the function is smooth, and so are one-sided differences of higher order.
                below = self(tuple(m - (t == s) for t, m in enumerate(counts))).kinds
                columns.append(below or [UNDEFINED] * len(found))
        kinds = [_worst(column) for column in zip(*columns, strict=True)]
        return Answer(found, errors, _worst(kinds), kinds)

    def _kinds(self, seed: int, counts: Counts, noise: list[Any]) -> list[str]:
        """Tell a kink and a jump from a smooth function: how forward less backward changes with the step."""
        gaps = []
        for step in (1, 2):
            ends = []
            for sign in (1, -1):
                grid = self._grid(counts, 1, {seed: (forward(counts[seed]), sign * step)})
                ends.append(self._difference(grid, counts, 1, mp.mpf(sign * step) ** counts[seed]))
            if ends[0] is None or ends[1] is None:
                return [UNDEFINED] * len(noise)
            gaps.append([np.atleast_1d(abs(a - b)) for a, b in zip(*ends, strict=True)])
        kinds = []
        for near, far, n in zip(*gaps, noise, strict=True):
            kind = SMOOTH
            for a, b in zip(near.flat, far.flat, strict=True):
                if a > 1000 * n and a > mp.mpf("0.75") * b:
                    kind = JUMP if kind == JUMP or a > mp.mpf("1.5") * b else KINK
            kinds.append(kind)
        return kinds

    def _grid(self, counts: Counts, step: int, own: dict[int, Any] | None = None) -> list[tuple[Counts, float]]:
        """Return points and weights: central differences along each seed, or those of `own` with a step of their own."""
        grid: list[tuple[Counts, float]] = [((), 1.0)]
        for seed, n in enumerate(counts):
            weights, width = own[seed] if own and seed in own else (central(n), step)
            grid = [((*at, width * k), w * v) for at, w in grid for k, v in weights.items()]
        return grid

    def _difference(self, grid: list[tuple[Counts, float]], counts: Counts, step: int, scale: Any = 1) -> list[Any] | None:
        total: list[Any] | None = None
        for at, w in grid:
            ys = self.value(at)
            if ys is None:
                return None
            terms = [y * mp.mpf(w) for y in ys]
            total = terms if total is None else [t + u for t, u in zip(total, terms, strict=True)]
        assert total is not None
        size = scale * (mp.mpf(10) ** -STEP) ** sum(counts) * mp.mpf(step) ** sum(counts)
        return [np.asarray(t / size, dtype=object) for t in total]


def _grown(near: Any, wide: Any, noise: Any) -> str:
    """Tell a jump with the same step on both sides, which one-sided differences do not see: the difference grows as h shrinks."""
    for a, b in zip(np.atleast_1d(near).flat, np.atleast_1d(wide).flat, strict=True):
        if abs(a) > 1000 * noise and abs(a) > mp.mpf("1.5") * abs(b):
            return JUMP
    return SMOOTH


def _worst(kinds: Sequence[str]) -> str:
    return max(kinds, key=(SMOOTH, KINK, JUMP, UNDEFINED).index, default=SMOOTH)
