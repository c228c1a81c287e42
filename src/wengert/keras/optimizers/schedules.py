"""``keras.optimizers.schedules``: learning rates that change with the step.

The formulas stand in `wengert.train.schedules`; here they have Keras's names and arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.keras import registry
from wengert.keras.configuration import floatx
from wengert.tensor.tensor import Tensor, TensorLike, convert
from wengert.train import schedules

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(registry.Stated):
    """Returns the learning rate of a step when it is called with it. One's own overrides `__call__` and `get_config`."""

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        raise NotImplementedError(f"The learning rate schedule {type(self).__name__!r} must override `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        raise NotImplementedError(f"The learning rate schedule {type(self).__name__!r} must override `get_config()`.")


class _Stated(LearningRateSchedule):
    """One whose arguments are its attributes."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        return dict(vars(self))


def _start(rate: TensorLike) -> Any:
    """Return the first learning rate as a tensor: a Python number has Keras's default dtype."""
    return rate if isinstance(rate, Tensor) else convert(rate, floatx() if isinstance(rate, int | float) else None)


class ExponentialDecay(_Stated):
    """initial_learning_rate · decay_rate^(step / decay_steps), in whole powers with ``staircase``.

    >>> float(ExponentialDecay(0.5, decay_steps=10, decay_rate=0.25)(5))
    0.25
    """

    def __init__(
        self, initial_learning_rate: TensorLike, decay_steps: TensorLike, decay_rate: TensorLike, staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:  # fmt: skip
        """Take the first rate, the length of a period in steps, and the factor of one period.

        Raises:
            ValueError: unless decay_steps is positive.
        """
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _positive(self, decay_steps)

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        rate = _start(self.initial_learning_rate)
        step, steps, decay = (array.cast(a, rate.dtype) for a in (step, self.decay_steps, self.decay_rate))
        return schedules.exponential(rate, step, steps, decay, self.staircase)


class InverseTimeDecay(_Stated):
    """initial_learning_rate / (1 + decay_rate · step / decay_steps), in whole periods with ``staircase``.

    >>> float(InverseTimeDecay(0.5, decay_steps=10, decay_rate=1.0)(10))
    0.25
    """

    def __init__(
        self, initial_learning_rate: TensorLike, decay_steps: TensorLike, decay_rate: TensorLike, staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:  # fmt: skip
        """Take the first rate, the length of a period in steps, and the decay of one period.

        Raises:
            ValueError: unless decay_steps is positive.
        """
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _positive(self, decay_steps)

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        rate = _start(self.initial_learning_rate)
        step, steps, decay = (array.cast(a, rate.dtype) for a in (step, self.decay_steps, self.decay_rate))
        return schedules.inverse_time(rate, step, steps, decay, self.staircase)


class PiecewiseConstantDecay(_Stated):
    """The first value up to and with the first boundary, and so on.

    >>> [float(PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25])(s)) for s in (2, 3, 5)]
    [1.0, 0.5, 0.25]
    """

    def __init__(self, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = "PiecewiseConstant") -> None:
        """Take increasing steps, and one value more than there are steps.

        Raises:
            ValueError: unless there is one value more.
        """
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={list(boundaries)} of length {len(boundaries)}, and values={list(values)} of length {len(values)}."
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        values = [_start(v) for v in self.values]
        step = convert(step)
        return schedules.piecewise(step, [array.cast(b, step.dtype) for b in self.boundaries], values)


class PolynomialDecay(_Stated):
    """From initial_learning_rate to end_learning_rate by (1 - step / decay_steps)^power.

    >>> float(PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.5)(5))
    0.75
    """

    def __init__(
        self,
        initial_learning_rate: TensorLike,
        decay_steps: TensorLike,
        end_learning_rate: float = 0.0001,
        power: TensorLike = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        """Take the first rate, the steps to the last, and whether longer periods follow.

        Raises:
            ValueError: unless decay_steps is positive.
        """
        self.initial_learning_rate, self.decay_steps, self.end_learning_rate = (
            initial_learning_rate, decay_steps, end_learning_rate,
        )  # fmt: skip
        self.power, self.cycle, self.name = power, cycle, name
        _positive(self, decay_steps)

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        rate = _start(self.initial_learning_rate)
        step, steps, end, power = (
            array.cast(a, rate.dtype) for a in (step, self.decay_steps, self.end_learning_rate, self.power)
        )
        return schedules.polynomial(rate, step, steps, end, power, self.cycle)


class CosineDecay(_Stated):
    """Half a wave of the cosine from initial_learning_rate (or warmup_target) to alpha times that.

    >>> float(CosineDecay(1.0, decay_steps=10)(5)) < 0.501
    True
    """

    def __init__(
        self,
        initial_learning_rate: TensorLike,
        decay_steps: TensorLike,
        alpha: TensorLike = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: TensorLike | None = None,
        warmup_steps: int = 0,
    ) -> None:
        """Take the first rate, the steps to the last; with ``warmup_target`` the rate rises to it in ``warmup_steps`` before.

        Raises:
            ValueError: unless decay_steps is positive.
        """
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.name, self.warmup_target, self.warmup_steps = name, warmup_target, warmup_steps
        _positive(self, decay_steps)

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        rate = _start(self.initial_learning_rate)
        step, steps = array.cast(step, rate.dtype), array.cast(self.decay_steps, rate.dtype)
        if self.warmup_target is None:
            return schedules.cosine(rate, step, steps, self.alpha)
        top, warm = array.cast(self.warmup_target, rate.dtype), array.cast(self.warmup_steps, rate.dtype)
        step = elementary.minimum(step, steps + warm)
        rising = (top - rate) * (step / warm) + rate
        return array.where(elementary.less(step, warm), rising, schedules.cosine(top, step - warm, steps, self.alpha))


class CosineDecayRestarts(_Stated):
    """`CosineDecay` begun anew after each period, which is t_mul times as long as the one before and m_mul times as high."""

    def __init__(
        self,
        initial_learning_rate: TensorLike,
        first_decay_steps: TensorLike,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: TensorLike = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        """Take the first rate, and the length of the first period in steps.

        Raises:
            ValueError: unless first_decay_steps is positive.
        """
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name
        _positive(self, first_decay_steps)

    def __call__(self, step: TensorLike) -> Any:
        """Return the learning rate."""
        rate = _start(self.initial_learning_rate)
        step, steps = array.cast(step, rate.dtype), array.cast(self.first_decay_steps, rate.dtype)
        return schedules.cosine_restarts(rate, step, steps, float(self.t_mul), float(self.m_mul), self.alpha)


def _positive(schedule: LearningRateSchedule, steps: TensorLike) -> None:
    if isinstance(steps, int | float) and not (steps > 0 and math.isfinite(steps)):
        raise ValueError(f"{type(schedule).__name__}: the number of steps must be positive, not {steps}.")


_REGISTRY = registry.Registry("learning rate schedule", {n: globals()[n] for n in __all__[:7]})
serialize, deserialize = _REGISTRY.serialize, _REGISTRY.deserialize
