"""What the tests of derivatives share: derivatives by differences with 170 digits, and how a run found its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from math import comb
from typing import Any

import mpmath as mp
import numpy as np

import wengert as tf
from wengert.derive import lowered as plan
from wengert.tensor.tensor import apply

DIGITS = 170
STEP = -20
"""The step is ten to this power: differences of order 6 lose 120 of the digits, and err by 1e-40, relative."""


@cache
def weights(order: int) -> dict[int, mp.mpf]:
    """Return the weights of the central difference of an order, by node."""
    row = [(-1) ** (order - k) * comb(order, k) for k in range(order + 1)]
    if order % 2:
        row = [mp.mpf(a + b) / 2 for a, b in zip([*row, 0], [0, *row], strict=True)]
    reach = (len(row) - 1) // 2
    return {k - reach: w for k, w in enumerate(row) if w}


class Differences:
    """The derivatives of a function of numbers at a point; each value of the function is computed once."""

    def __init__(self, f: Callable[..., Any], *at: float, digits: int = DIGITS) -> None:
        self.f, self.at, self.digits = f, at, digits
        self.known: dict[tuple[int, ...], Any] = {}

    def __call__(self, *orders: int) -> Any:
        """Return the derivative of the given order in each argument, to 40 digits."""
        with mp.workdps(self.digits):
            h = mp.mpf(10) ** STEP
            grid: list[tuple[tuple[int, ...], Any]] = [((), mp.mpf(1))]
            for order in orders:
                grid = [((*at, k), w * v) for at, w in grid for k, v in weights(order).items()]
            total = sum((w * self.value(at, h) for at, w in grid), mp.mpf(0))
            return total / h ** sum(orders)

    def value(self, at: tuple[int, ...], h: Any) -> Any:
        if at not in self.known:
            self.known[at] = self.f(*[mp.mpf(a) + k * h for a, k in zip(self.at, at, strict=True)])
        return self.known[at]


def operation(name: str, *inputs: Any, **attrs: Any) -> Any:
    """Apply an operation of the table."""
    from wengert.ops.op import table

    return apply(table[name], inputs, attrs)


@contextlib.contextmanager
def choices() -> Iterator[list[Any]]:
    """Collect how the derivatives in what is lowered meanwhile are found."""
    found: list[Any] = []

    def watch(lowered: Any) -> None:
        found.extend(lowered.choices)

    plan.watchers.append(watch)
    try:
        yield found
    finally:
        plan.watchers.remove(watch)


def nested(y: Any, *xs: Any) -> Any:
    """Return the derivative by one x after the other."""
    for x in xs:
        y = None if y is None else tf.gradients(y, x)[0]
    return y


def close(found: Any, expected: Any, rtol: float, what: str = "", scale: float = 0.0) -> None:
    """Compare, with an error relative to the greatest number among those expected, or to the given one if that is greater."""
    expected = np.asarray(expected, dtype=np.float64)
    found = np.asarray(found)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    size = max(scale, float(np.abs(expected).max(initial=0.0)), 1e-25)  # differences of 170 digits leave 1e-40 of a zero
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * size, err_msg=what)


def columns(n: int | None, *names: str, dtype: Any = tf.float64) -> list[Any]:
    """Return placeholders of n rows and one column."""
    return [tf.compat.v1.placeholder(dtype, [n, 1], name=name) for name in names]
