"""TensorFlow 1's learning rates that decay with the step: tensors in a graph, functions of nothing eagerly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, random
from wengert.functions.math import pow, sqrt
from wengert.functions.program import name_scope
from wengert.ground.context import state
from wengert.ground.errors import DTypeError
from wengert.tensor.tensor import Tensor, TensorLike, convert, value_of
from wengert.train import schedules


def _tensor(value: Any, dtype: Any = None) -> Any:
    """Return a value as a tensor, of a dtype where one is given: a number takes it exactly, a tensor is cast."""
    value = value_of(value)
    if dtype is None or isinstance(value, Tensor):
        value = convert(value)
        return value if dtype is None else array.cast(value, dtype)
    return convert(np.asarray(value, dtype.numpy))


def _named(who: str, title: str, name: str | None, result: Callable[[], Any]) -> Any:
    """Return the result as a tensor of this name in a graph; eagerly the function, so that the step is read at each call."""

    def compute() -> Any:
        with name_scope(name or title) as scope:
            rate = result()
            return array.identity(rate, name=scope) if state.graph is not None else rate

    compute.__name__ = compute.__qualname__ = who
    return compute() if state.graph is not None else compute


def _decay(
    who: str, title: str, name: str | None, rate: TensorLike, step: TensorLike, formula: Callable[[Any, Any, Any], Any]
) -> Any:
    """Return formula(rate, step, to tensors of rate's dtype), checked and named."""
    if step is None:
        raise ValueError(f"{who}: global_step is needed, the number of steps made so far; it was None.")

    def result() -> Any:
        start = _tensor(rate)
        if not start.dtype.is_floating:
            raise DTypeError(f"{who}: learning_rate must be of a floating dtype, and {rate!r} is of dtype {start.dtype.name}.")
        return formula(start, _tensor(step, start.dtype), lambda value: _tensor(value, start.dtype))

    return _named(who, title, name, result)


def exponential_decay(
    learning_rate: TensorLike,
    global_step: TensorLike,
    decay_steps: TensorLike,
    decay_rate: TensorLike,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """Return learning_rate · decay_rate^(global_step / decay_steps), with ``staircase`` in steps.

    In a graph a tensor; eagerly a function of no arguments, which reads the step when it is called.

    >>> exponential_decay(0.5, 4, 2, 0.5)().numpy()
    np.float32(0.125)

    Raises:
        ValueError: without a step.
        TypeError: for a learning rate that is no floating number.
    """
    return _decay("exponential_decay", "ExponentialDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.exponential(r, s, to(decay_steps), to(decay_rate), staircase))  # fmt: skip


def natural_exp_decay(
    learning_rate: TensorLike,
    global_step: TensorLike,
    decay_steps: TensorLike,
    decay_rate: TensorLike,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """Return learning_rate · exp(-decay_rate · global_step / decay_steps)."""
    return _decay("natural_exp_decay", "NaturalExpDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.natural_exponential(r, s, to(decay_steps), to(decay_rate), staircase))  # fmt: skip


def inverse_time_decay(
    learning_rate: TensorLike,
    global_step: TensorLike,
    decay_steps: TensorLike,
    decay_rate: TensorLike,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """Return learning_rate / (1 + decay_rate · global_step / decay_steps)."""
    return _decay("inverse_time_decay", "InverseTimeDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.inverse_time(r, s, to(decay_steps), to(decay_rate), staircase))  # fmt: skip


def polynomial_decay(
    learning_rate: TensorLike,
    global_step: TensorLike,
    decay_steps: TensorLike,
    end_learning_rate: float = 0.0001,
    power: TensorLike = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Any:
    """Return what falls from learning_rate to end_learning_rate in decay_steps as a power, with ``cycle`` over and over."""
    end = end_learning_rate
    return _decay("polynomial_decay", "PolynomialDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.polynomial(r, s, to(decay_steps), to(end), to(power), cycle))  # fmt: skip


def cosine_decay(
    learning_rate: TensorLike, global_step: TensorLike, decay_steps: TensorLike, alpha: TensorLike = 0.0, name: str | None = None
) -> Any:
    """Return what falls from learning_rate to alpha · learning_rate along half a wave."""
    return _decay("cosine_decay", "CosineDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.cosine(r, s, to(decay_steps), to(alpha)))  # fmt: skip


def cosine_decay_restarts(
    learning_rate: TensorLike,
    global_step: TensorLike,
    first_decay_steps: Any,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: TensorLike = 0.0,
    name: str | None = None,
) -> Any:
    """Return `cosine_decay` begun anew after each period, t_mul times as long and m_mul times as high as the one before."""
    return _decay("cosine_decay_restarts", "SGDRDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.cosine_restarts(r, s, to(first_decay_steps), t_mul, m_mul, to(alpha)))  # fmt: skip


def linear_cosine_decay(
    learning_rate: TensorLike,
    global_step: TensorLike,
    decay_steps: TensorLike,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Any:
    """Return learning_rate · ((alpha + 1 - t) (1 + cos(2π num_periods t)) / 2 + beta), t = global_step / decay_steps ≤ 1."""
    return _decay("linear_cosine_decay", "LinearCosineDecay", name, learning_rate, global_step,
                  lambda r, s, to: schedules.linear_cosine(r, s, to(decay_steps), num_periods, alpha, beta))  # fmt: skip


def noisy_linear_cosine_decay(
    learning_rate: TensorLike,
    global_step: TensorLike,
    decay_steps: TensorLike,
    initial_variance: float = 1.0,
    variance_decay: float = 0.55,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Any:
    """Return `linear_cosine_decay` with noise on its line, of variance initial_variance / (1 + t)^variance_decay."""

    def formula(rate: Any, step: Any, to: Any) -> Any:
        spread = sqrt(to(initial_variance) / pow(step + 1.0, to(variance_decay)))
        noise = random.normal([], dtype=rate.dtype) * spread
        return schedules.linear_cosine(rate, step, to(decay_steps), num_periods, alpha, beta, noise)

    return _decay("noisy_linear_cosine_decay", "NoisyLinearCosineDecay", name, learning_rate, global_step, formula)


def piecewise_constant(x: TensorLike, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Any:
    """Return the first value up to and with the first boundary, the second up to the second, ..., and the last beyond.

    Raises:
        ValueError: unless there is one value more than boundaries, those of x's dtype, and the values of one dtype.
    """
    boundaries, values = list(boundaries), list(values)
    if len(boundaries) != len(values) - 1:
        raise ValueError(
            f"piecewise_constant: The length of boundaries should be 1 less than the length of values; there are "
            f"{len(boundaries)} and {len(values)}."
        )

    def result() -> Any:
        step = _tensor(x)
        limits, heights = [_tensor(b) for b in boundaries], [_tensor(v) for v in values]
        for i, limit in enumerate(limits):
            if limit.dtype == "int32" and step.dtype == "int64":
                limits[i] = array.cast(limit, step.dtype)
            elif limit.dtype != step.dtype:
                raise DTypeError(
                    f"piecewise_constant: Boundaries ({limit.dtype.name}) must have the same dtype as x ({step.dtype.name})."
                )
        for height in heights:
            if height.dtype != heights[0].dtype:
                raise DTypeError(
                    f"piecewise_constant: Values must have elements all with the same dtype ({heights[0].dtype.name} vs "
                    f"{height.dtype.name})."
                )
        return schedules.piecewise(step, limits, heights)

    return _named("piecewise_constant", "PiecewiseConstant", name, result)


piecewise_constant_decay = piecewise_constant
