"""Learning rates that change with the step, each stated once, over tensors; `rate` and `step` are floats of one dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.functions.array import where
from wengert.functions.math import ceil, cos, equal, exp, floor, less_equal, log, minimum, pow
from wengert.tensor.tensor import TensorLike

__all__ = ["cosine", "cosine_restarts", "exponential", "inverse_time", "linear_cosine", "natural_exponential", "piecewise",
           "polynomial"]  # fmt: skip


def _periods(step: TensorLike, steps: Any, staircase: bool) -> Any:
    """Return how many periods of decay have passed, in whole numbers for a staircase."""
    return floor(step / steps) if staircase else step / steps


def exponential(rate: TensorLike, step: TensorLike, steps: Any, decay: Any, staircase: bool = False) -> Any:
    """Return rate · decay^(step / steps).

    >>> import wengert as tf
    >>> exponential(tf.constant(0.5), tf.constant(4.0), tf.constant(2.0), tf.constant(0.5)).numpy()
    np.float32(0.125)
    """
    return rate * pow(decay, _periods(step, steps, staircase))


def natural_exponential(rate: TensorLike, step: TensorLike, steps: Any, decay: Any, staircase: bool = False) -> Any:
    """Return rate · exp(-decay · step / steps)."""
    return rate * exp(-decay * _periods(step, steps, staircase))


def inverse_time(rate: TensorLike, step: TensorLike, steps: Any, decay: Any, staircase: bool = False) -> Any:
    """Return rate / (1 + decay · step / steps)."""
    return rate / (decay * _periods(step, steps, staircase) + 1.0)


def piecewise(step: TensorLike, boundaries: Sequence[Any], values: Sequence[Any]) -> Any:
    """Return the first value up to and with the first boundary, the second up to the second, ..., and the last beyond."""
    chosen = values[-1]
    for boundary, value in zip(reversed(boundaries), reversed(values[:-1]), strict=True):
        chosen = where(less_equal(step, boundary), value, chosen)
    return chosen


def polynomial(rate: Any, step: Any, steps: Any, end: Any, power: Any, cycle: bool = False) -> Any:
    """Return (rate - end) (1 - step / steps)^power + end; beyond ``steps`` the end, or with ``cycle`` a longer period."""
    if cycle:
        times = where(equal(step, step * 0.0), step * 0.0 + 1.0, ceil(step / steps))
        steps = steps * times
    else:
        step = minimum(step, steps)
    return (rate - end) * pow(1.0 - step / steps, power) + end


def cosine(rate: Any, step: Any, steps: Any, alpha: Any = 0.0) -> Any:
    """Return rate · ((1 - alpha) (1 + cos(π step / steps)) / 2 + alpha), constant beyond ``steps``.

    I. Loshchilov, F. Hutter (2016), SGDR: stochastic gradient descent with warm restarts.
    """
    wave = (cos(minimum(step, steps) / steps * math.pi) + 1.0) * 0.5
    return rate * (wave * (1.0 - alpha) + alpha)


def cosine_restarts(rate: Any, step: Any, steps: Any, longer: float, lower: float, alpha: Any = 0.0) -> Any:
    """Return `cosine` begun anew after each period, which is ``longer`` times the one before and ``lower`` times as high."""
    done = step / steps
    if longer == 1.0:
        turn = floor(done)
        part = done - turn
    else:
        turn = floor(log(1.0 - done * (1.0 - longer)) / math.log(longer))
        power = pow(step * 0.0 + longer, turn)
        part = (done - (1.0 - power) / (1.0 - longer)) / power
    height = pow(step * 0.0 + lower, turn)
    wave = height * (cos(part * math.pi) + 1.0) * 0.5
    return rate * (wave * (1.0 - alpha) + alpha)


def linear_cosine(
    rate: TensorLike,
    step: TensorLike,
    steps: Any,
    periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    noise: float = 0.0,
) -> Any:
    """Return rate · ((alpha + 1 - step / steps + noise) (1 + cos(2π periods step / steps)) / 2 + beta)."""
    part = minimum(step, steps) / steps
    return rate * ((1.0 - part + alpha + noise) * (cos(part * (2.0 * math.pi * periods)) + 1.0) * 0.5 + beta)
