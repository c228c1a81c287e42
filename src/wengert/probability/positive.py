"""Distributions made of gamma functions: Gamma, Exponential, InverseGamma, Beta, Dirichlet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground.shapes import TensorShape
from wengert.probability import draws, special, values
from wengert.probability.bijector import described
from wengert.probability.distribution import FULLY_REPARAMETERIZED, Distribution
from wengert.probability.draws import Seed
from wengert.probability.rated import Rated
from wengert.probability.values import Size, common_dtype, followed
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["Beta", "Dirichlet", "Exponential", "Gamma", "InverseGamma"]


class Gamma(Rated):
    """The gamma distribution: density in proportion to x^(concentration - 1) exp(-rate x).

    >>> round(float(Gamma(2.0, 3.0).log_prob(1.0)), 4)
    -0.8028
    """

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"concentration": 0, "rate": 0, "log_rate": 0}
    _positive: ClassVar[tuple[str, ...]] = ("concentration", "rate")
    _concentration: Any

    def __init__(
        self, concentration: TensorLike, rate: TensorLike | None = None, log_rate: TensorLike | None = None,
        validate_args: bool = False, allow_nan_stats: bool = True, force_probs_to_zero_outside_support: bool = False,
        name: str = "Gamma",
    ) -> None:  # fmt: skip
        """Take the concentration (the shape), and the rate (the inverse of the scale) or its logarithm.

        Raises:
            ValueError: for a rate and its logarithm, or neither.
        """
        made = locals()
        if (rate is None) == (log_rate is None):
            raise ValueError("Exactly one of `rate` or `log_rate` must be specified.")
        dtype = common_dtype([concentration, rate, log_rate])
        super().__init__(dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, made, name=name)
        self._force = force_probs_to_zero_outside_support
        self._keep(dtype, concentration=concentration, rate=rate, log_rate=log_rate)

    @property
    def concentration(self) -> Any:
        """The concentration."""
        return self._concentration

    @property
    def force_probs_to_zero_outside_support(self) -> bool:
        """Whether negative numbers have probability 0, and not what the formula says."""
        return self._force

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return draws.gamma(n, array.broadcast_to(self.concentration, self._batch()), seed) / self.rate_parameter()

    def _log_prob(self, x: Tensor) -> Any:
        a = convert(self.concentration)
        found = elementary.xlogy(a - 1.0, x) - self.rate_parameter() * x - (elementary.lgamma(a) - a * self.log_rate_parameter())
        return array.where(x < 0.0, convert(-math.inf, x.dtype), found) if self._force else found

    def _cdf(self, x: Tensor) -> Any:
        return elementary.igamma(self.concentration, self.rate_parameter() * elementary.maximum(x, 0.0))

    def _survival_function(self, x: Tensor) -> Any:
        return elementary.igammac(self.concentration, self.rate_parameter() * elementary.maximum(x, 0.0))

    def _quantile(self, p: Tensor) -> Any:
        return special.igammainv(self.concentration, p) / self.rate_parameter()

    def _mean(self) -> Any:
        return self.concentration / self.rate_parameter()

    def _variance(self) -> Any:
        return self.concentration / elementary.square(self.rate_parameter())

    def _stddev(self) -> Any:
        return elementary.sqrt(self.concentration) / self.rate_parameter()

    def _mode(self) -> Any:
        a = array.broadcast_to(self.concentration, self._batch())
        return self._defined(a > 1.0, (a - 1.0) / self.rate_parameter(), "mode")

    def _entropy(self) -> Any:
        a = convert(self.concentration)
        return a - self.log_rate_parameter() + elementary.lgamma(a) + (1.0 - a) * elementary.digamma(a)

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Gamma):
            return NotImplemented
        a, b = convert(self.concentration), convert(other.concentration)
        rates = b * (self.log_rate_parameter() - other.log_rate_parameter())
        ratio = other.rate_parameter() / self.rate_parameter() - 1.0
        return (a - b) * elementary.digamma(a) + elementary.lgamma(b) - elementary.lgamma(a) + rates + a * ratio


class Exponential(Gamma):
    """The exponential distribution: density rate exp(-rate x)."""

    def __init__(
        self, rate: TensorLike, force_probs_to_zero_outside_support: bool = False, validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "Exponential",
    ) -> None:  # fmt: skip
        """Take the rate."""
        made = described(locals())
        super().__init__(
            convert(1.0, common_dtype([rate])),
            rate,
            None,
            validate_args,
            allow_nan_stats,
            force_probs_to_zero_outside_support,
            name,
        )
        self._parameters = made

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        # 1 - u is in (0, 1], so that its logarithm is finite
        return -elementary.log1p(-draws.uniform(followed(n, self._batch()), self.dtype, seed)) / self.rate

    def _cdf(self, x: Tensor) -> Any:
        return -elementary.expm1(-self.rate * elementary.maximum(x, 0.0))

    def _log_survival_function(self, x: Tensor) -> Any:
        return -self.rate * elementary.maximum(x, 0.0)

    def _survival_function(self, x: Tensor) -> Any:
        return elementary.exp(self._log_survival_function(x))

    def _quantile(self, p: Tensor) -> Any:
        return -elementary.log1p(-p) / self.rate


class InverseGamma(Distribution):
    """The distribution of 1/x for x of a gamma distribution: density in proportion to x^(-concentration - 1) exp(-scale/x)."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"concentration": 0, "scale": 0}
    _positive: ClassVar[tuple[str, ...]] = ("concentration", "scale")
    _concentration: Any
    _scale: Any

    def __init__(
        self, concentration: TensorLike, scale: TensorLike | None = None, validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "InverseGamma",
    ) -> None:  # fmt: skip
        """Take the concentration and the scale."""
        made = locals()
        dtype = common_dtype([concentration, scale])
        super().__init__(dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, made, name=name)
        self._keep(dtype, concentration=concentration, scale=1.0 if scale is None else scale)

    @property
    def concentration(self) -> Any:
        """The concentration."""
        return self._concentration

    @property
    def scale(self) -> Any:
        """The scale."""
        return self._scale

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self.scale / draws.gamma(n, array.broadcast_to(self.concentration, self._batch()), seed)

    def _log_prob(self, x: Tensor) -> Any:
        a = convert(self.concentration)
        return -self.scale / x - elementary.xlogy(1.0 + a, x) - (elementary.lgamma(a) - elementary.xlogy(a, self.scale))

    def _cdf(self, x: Tensor) -> Any:
        return elementary.igammac(self.concentration, self.scale / x)

    def _survival_function(self, x: Tensor) -> Any:
        return elementary.igamma(self.concentration, self.scale / x)

    def _quantile(self, p: Tensor) -> Any:
        return self.scale / special.igammacinv(self.concentration, p)

    def _mean(self) -> Any:
        a = array.broadcast_to(self.concentration, self._batch())
        return self._defined(a > 1.0, self.scale / (a - 1.0), "mean")

    def _mode(self) -> Any:
        return self.scale / (1.0 + convert(self.concentration))

    def _variance(self) -> Any:
        a = array.broadcast_to(self.concentration, self._batch())
        many = a > 2.0
        wide = array.where(many, a, convert(3.0, a.dtype))
        known = elementary.square(self.scale) / (elementary.square(wide - 1.0) * (wide - 2.0))
        return self._defined(a > 2.0, known, "variance")

    def _entropy(self) -> Any:
        a = convert(self.concentration)
        return a + elementary.log(self.scale) + elementary.lgamma(a) - (1.0 + a) * elementary.digamma(a)


class Beta(Distribution):
    """The beta distribution: density in proportion to x^(concentration1 - 1) (1 - x)^(concentration0 - 1)."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"concentration1": 0, "concentration0": 0}
    _positive: ClassVar[tuple[str, ...]] = ("concentration1", "concentration0")
    _concentration1: Any
    _concentration0: Any

    def __init__(
        self, concentration1: TensorLike, concentration0: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True,
        force_probs_to_zero_outside_support: bool = False, name: str = "Beta",
    ) -> None:  # fmt: skip
        """Take the concentrations towards 1 and towards 0."""
        made = locals()
        dtype = common_dtype([concentration1, concentration0])
        super().__init__(dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, made, name=name)
        self._force = force_probs_to_zero_outside_support
        self._keep(dtype, concentration1=concentration1, concentration0=concentration0)

    @property
    def concentration1(self) -> Any:
        """The concentration towards 1."""
        return self._concentration1

    @property
    def concentration0(self) -> Any:
        """The concentration towards 0."""
        return self._concentration0

    @property
    def force_probs_to_zero_outside_support(self) -> bool:
        """Whether numbers outside of [0, 1] have probability 0, and not what the formula says."""
        return self._force

    def _both(self) -> tuple[Any, Any]:
        batch = self._batch()
        return array.broadcast_to(self.concentration1, batch), array.broadcast_to(self.concentration0, batch)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        x, y = (draws.gamma(n, a, s) for a, s in zip(self._both(), draws.split(seed), strict=True))
        return x / (x + y)

    def _log_prob(self, x: Tensor) -> Any:
        a, b = self._both()
        found = elementary.xlogy(a - 1.0, x) + elementary.xlog1py(b - 1.0, -x) - special.lbeta(a, b)
        outside = elementary.logical_or(x < 0.0, x > 1.0)
        return array.where(outside, convert(-math.inf, x.dtype), found) if self._force else found

    def _cdf(self, x: Tensor) -> Any:
        a, b = self._both()
        x = elementary.clip_by_value(x, 0.0, 1.0)
        return elementary.betainc(a + 0.0 * x, b + 0.0 * x, x + 0.0 * a)

    def _survival_function(self, x: Tensor) -> Any:
        return Beta(self.concentration0, self.concentration1)._cdf(1.0 - x)

    def _quantile(self, p: Tensor) -> Any:
        return special.betaincinv(*self._both(), p)

    def _mean(self) -> Any:
        a, b = self._both()
        return a / (a + b)

    def _variance(self) -> Any:
        a, b = self._both()
        return a * b / (elementary.square(a + b) * (a + b + 1.0))

    def _mode(self) -> Any:
        a, b = self._both()
        return self._defined(elementary.logical_and(a > 1.0, b > 1.0), (a - 1.0) / (a + b - 2.0), "mode")

    def _entropy(self) -> Any:
        a, b = self._both()
        towards = (a - 1.0) * elementary.digamma(a) + (b - 1.0) * elementary.digamma(b)
        return special.lbeta(a, b) - towards + (a + b - 2.0) * elementary.digamma(a + b)

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Beta):
            return NotImplemented
        (a, b), (c, d) = self._both(), other._both()
        slopes = (a - c) * elementary.digamma(a) + (b - d) * elementary.digamma(b)
        return special.lbeta(c, d) - special.lbeta(a, b) + slopes + (c + d - a - b) * elementary.digamma(a + b)


class Dirichlet(Distribution):
    """The Dirichlet distribution of positive numbers whose sum is 1: density in proportion to Π x_k^(concentration_k - 1)."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"concentration": 1}
    _positive: ClassVar[tuple[str, ...]] = ("concentration",)
    _concentration: Any

    def __init__(
        self, concentration: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True,
        force_probs_to_zero_outside_support: bool = False, name: str = "Dirichlet",
    ) -> None:  # fmt: skip
        """Take the concentrations, along the last axis."""
        made = locals()
        dtype = common_dtype([concentration])
        super().__init__(dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, made, name=name)
        self._keep(dtype, concentration=concentration)

    @property
    def concentration(self) -> Any:
        """The concentrations."""
        return self._concentration

    @property
    def total_concentration(self) -> Any:
        """Their sum."""
        return values.reduced(self.concentration, 1)

    def _event_shape(self) -> TensorShape:
        return TensorShape(values.static(self.concentration)[-1:])

    def _event_shape_tensor(self) -> Any:
        return array.shape(self.concentration)[-1:]

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        each = draws.gamma(n, self.concentration, seed)
        return each / array.expand_dims(values.reduced(each, 1), -1)

    def _norm(self) -> Any:
        return values.reduced(elementary.lgamma(self.concentration), 1) - elementary.lgamma(self.total_concentration)

    def _log_prob(self, x: Tensor) -> Any:
        return values.reduced(elementary.xlogy(convert(self.concentration) - 1.0, x), 1) - self._norm()

    def _mean(self) -> Any:
        return self.concentration / array.expand_dims(self.total_concentration, -1)

    def _variance(self) -> Any:
        mean = self._mean()
        return mean * (1.0 - mean) / array.expand_dims(self.total_concentration + 1.0, -1)

    def _covariance(self) -> Any:
        mean = self._mean()
        outer = array.expand_dims(mean, -1) * array.expand_dims(mean, -2)
        return (linalg.diag(mean) - outer) / array.reshape(self.total_concentration + 1.0, followed(self._batch(), (1, 1)))

    def _mode(self) -> Any:
        a = convert(self.concentration)
        total = array.expand_dims(self.total_concentration, -1)
        inside = elementary.reduce_all(a > 1.0, axis=-1, keepdims=True)
        found = (a - 1.0) / (total - values.events_of(a, 1)[0])
        return self._defined(inside, found, "mode")

    def _entropy(self) -> Any:
        a, total = convert(self.concentration), self.total_concentration
        count = array.cast(values.events_of(a, 1)[0], a.dtype)
        slopes = values.reduced((a - 1.0) * elementary.digamma(a), 1)
        return self._norm() + (total - count) * elementary.digamma(total) - slopes

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Dirichlet):
            return NotImplemented
        a, b = convert(self.concentration), convert(other.concentration)
        slopes = elementary.digamma(a) - elementary.digamma(array.expand_dims(self.total_concentration, -1))
        return values.reduced((a - b) * slopes, 1) - self._norm() + other._norm()
