"""What distributions have that are given a rate or its logarithm: Gamma and Poisson."""

from __future__ import annotations

from typing import Any

from wengert.functions import math as elementary
from wengert.probability.distribution import Distribution
from wengert.tensor.tensor import convert

__all__ = ["Rated"]


class Rated(Distribution):
    """A distribution whose rate is given, or the logarithm of it."""

    _rate: Any
    _log_rate: Any

    @property
    def rate(self) -> Any:
        """The rate, if it was given."""
        return self._rate

    @property
    def log_rate(self) -> Any:
        """The logarithm of the rate, if it was given."""
        return self._log_rate

    def rate_parameter(self, name: str | None = None) -> Any:
        """Return the rate."""
        return elementary.exp(self.log_rate) if self.rate is None else convert(self.rate)

    def log_rate_parameter(self, name: str | None = None) -> Any:
        """Return the logarithm of the rate."""
        return elementary.log(self.rate) if self.log_rate is None else convert(self.log_rate)
