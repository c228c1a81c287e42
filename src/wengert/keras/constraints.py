"""``keras.constraints``: where a weight is put back to after each step of an optimizer."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.keras import registry
from wengert.keras.configuration import epsilon
from wengert.tensor.tensor import AxisLike, TensorLike, convert

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


class Constraint(registry.Stated):
    """Returns an admissible weight near the one that it is called with."""

    _arguments: ClassVar[tuple[str, ...] | None] = None

    def __call__(self, w: TensorLike) -> Any:
        """Return the weight."""
        raise NotImplementedError("Constraint subclasses must implement the `__call__()` method.")


def _norms(w: TensorLike, axis: AxisLike) -> Any:
    return elementary.sqrt(elementary.reduce_sum(elementary.square(w), axis=axis, keepdims=True))


class NonNeg(Constraint):
    """No negative numbers.

    >>> NonNeg()([-1.0, 2.0]).numpy()
    array([-0.,  2.], dtype=float32)
    """

    def __call__(self, w: TensorLike) -> Any:
        """Return the weight with zeros for negative numbers."""
        w = convert(w)
        return w * array.cast(elementary.greater_equal(w, 0.0), w.dtype)


class MaxNorm(Constraint):
    """Norms along an axis of at most max_value."""

    def __init__(self, max_value: float = 2, axis: AxisLike = 0) -> None:
        """Take the greatest norm and the axis."""
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: TensorLike) -> Any:
        """Return the weight scaled."""
        w = convert(w)
        norms = _norms(w, self.axis)
        return w * (elementary.clip_by_value(norms, 0.0, float(self.max_value)) / (epsilon() + norms))


class MinMaxNorm(Constraint):
    """Norms along an axis between two numbers, reached by a share ``rate`` of the way."""

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: AxisLike = 0) -> None:
        """Take the limits, the rate and the axis."""
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: TensorLike) -> Any:
        """Return the weight scaled."""
        w = convert(w)
        norms = _norms(w, self.axis)
        inside = elementary.clip_by_value(norms, float(self.min_value), float(self.max_value))
        return w * ((self.rate * inside + (1.0 - self.rate) * norms) / (epsilon() + norms))


class UnitNorm(Constraint):
    """Norms of 1 along an axis."""

    def __init__(self, axis: AxisLike = 0) -> None:
        """Take the axis."""
        self.axis = axis

    def __call__(self, w: TensorLike) -> Any:
        """Return the weight scaled."""
        w = convert(w)
        return w / (epsilon() + _norms(w, self.axis))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_REGISTRY = registry.Registry(
    "constraint", {
        "MaxNorm": MaxNorm, "MinMaxNorm": MinMaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "max_norm": MaxNorm,
        "min_max_norm": MinMaxNorm, "non_neg": NonNeg, "nonneg": NonNeg, "unit_norm": UnitNorm,
    },
)  # fmt: skip
get, serialize, deserialize = _REGISTRY.get, _REGISTRY.serialize, _REGISTRY.deserialize
