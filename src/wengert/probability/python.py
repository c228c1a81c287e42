"""``tfp.python``: where programs reach for TensorFlow Probability's internal modules."""

from __future__ import annotations

from types import SimpleNamespace

from wengert.probability import bijectors, distributions, math, optimizer, stats, util
from wengert.probability.distribution import Distribution

__all__ = ["bijectors", "distributions", "layers", "math", "optimizer", "stats", "util"]


class _TensorCoercible(Distribution):
    """The class that a distribution which stands for its own draw has in TensorFlow Probability; none is one here."""


layers = SimpleNamespace(
    internal=SimpleNamespace(distribution_tensor_coercible=SimpleNamespace(_TensorCoercible=_TensorCoercible))
)
