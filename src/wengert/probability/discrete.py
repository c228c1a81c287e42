"""Distributions of whole numbers: Bernoulli, Categorical, Poisson."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike, as_dtype, int32
from wengert.probability import draws, values
from wengert.probability.distribution import NOT_REPARAMETERIZED, Distribution
from wengert.probability.draws import Seed
from wengert.probability.rated import Rated
from wengert.probability.values import Size, common_dtype, followed
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["Bernoulli", "Categorical", "Poisson"]


class _OfChances(Distribution):
    """A distribution that is given by probabilities, or by their logarithms in some form."""

    _logits: Any
    _probs: Any

    def _begin(self, made: Mapping[str, Any]) -> None:
        logits, probs = made["logits"], made["probs"]
        if (logits is None) == (probs is None):
            raise ValueError("Must pass probs or logits, but not both.")
        Distribution.__init__(
            self, made["dtype"], NOT_REPARAMETERIZED, made["validate_args"], made["allow_nan_stats"], made, name=made["name"]
        )
        self._keep(common_dtype([logits, probs]), logits=logits, probs=probs)

    @property
    def logits(self) -> Any:
        """The logits, if they were given."""
        return self._logits

    @property
    def probs(self) -> Any:
        """The probabilities, if they were given."""
        return self._probs


class Bernoulli(_OfChances):
    """One with a probability, else zero; the logit is log(p / (1 - p)).

    >>> round(float(Bernoulli(logits=0.0).prob(1)), 4)
    0.5
    """

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"logits": 0, "probs": 0}

    def __init__(
        self, logits: TensorLike | None = None, probs: TensorLike | None = None, dtype: DtypeLike = int32,
        validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Bernoulli",
    ) -> None:  # fmt: skip
        """Take the logit or the probability of one.

        Raises:
            ValueError: for both, or neither.
        """
        self._begin(locals())

    def logits_parameter(self, name: str | None = None) -> Any:
        """Return the logit."""
        if self.logits is not None:
            return convert(self.logits)
        return elementary.log(self.probs) - elementary.log1p(elementary.negative(self.probs))

    def probs_parameter(self, name: str | None = None) -> Any:
        """Return the probability of one."""
        return elementary.sigmoid(self.logits) if self.probs is None else convert(self.probs)

    def _logs(self) -> tuple[Any, Any]:
        """Return the logarithms of the probabilities of zero and one."""
        if self.probs is not None:
            return elementary.log1p(elementary.negative(self.probs)), elementary.log(self.probs)
        logits = convert(self.logits)
        return elementary.negative(elementary.softplus(logits)), elementary.negative(elementary.softplus(-logits))

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        p = self.probs_parameter()
        return array.cast(draws.uniform(followed(n, self._batch()), p.dtype, seed) < p, self.dtype)

    def _log_prob(self, x: Tensor) -> Any:
        zero, one = self._logs()
        x = array.cast(x, one.dtype)
        return elementary.multiply_no_nan(zero, 1.0 - x) + elementary.multiply_no_nan(one, x)

    def _cdf(self, x: Tensor) -> Any:
        p = self.probs_parameter()
        below = array.where(x < 0, array.zeros_like(p), array.ones_like(p))
        return array.where(elementary.logical_or(x < 0, x >= 1), below, 1.0 - p)

    def _mean(self) -> Any:
        return self.probs_parameter()

    def _variance(self) -> Any:
        p = self.probs_parameter()
        return p * (1.0 - p)

    def _mode(self) -> Any:
        return array.cast(self.probs_parameter() > 0.5, self.dtype)

    def _entropy(self) -> Any:
        p, (zero, one) = self.probs_parameter(), self._logs()
        return -(elementary.multiply_no_nan(zero, 1.0 - p) + elementary.multiply_no_nan(one, p))

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Bernoulli):
            return NotImplemented
        p, (zero, one), (other_zero, other_one) = self.probs_parameter(), self._logs(), other._logs()
        return elementary.multiply_no_nan(one - other_one, p) + elementary.multiply_no_nan(zero - other_zero, 1.0 - p)


class Categorical(_OfChances):
    """A class, 0 to K - 1, with probabilities along the last axis: probs, or softmax(logits)."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"logits": 1, "probs": 1}

    def __init__(
        self, logits: TensorLike | None = None, probs: TensorLike | None = None, dtype: DtypeLike = int32,
        force_probs_to_zero_outside_support: bool = False, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "Categorical",
    ) -> None:  # fmt: skip
        """Take logits or probabilities; what is no class has probability zero.

        Raises:
            ValueError: for both, or neither.
        """
        self._begin(locals())

    @property
    def num_categories(self) -> Any:
        """How many classes there are."""
        return values.events_of(self._chances(), 1)[0]

    def _chances(self) -> Any:
        return convert(self.probs if self.logits is None else self.logits)

    def logits_parameter(self, name: str | None = None) -> Any:
        """Return the logits: those given, or the logarithms of the probabilities."""
        return elementary.log(self.probs) if self.logits is None else convert(self.logits)

    def probs_parameter(self, name: str | None = None) -> Any:
        """Return the probabilities."""
        return elementary.softmax(self.logits) if self.probs is None else convert(self.probs)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        logits = self.logits_parameter()
        flat = draws.categorical(n, array.reshape(logits, [-1, self.num_categories]), self.dtype, seed)
        return array.reshape(array.transpose(flat), followed(n, self._batch()))

    def _picked(self, of: Tensor, x: Tensor) -> Any:
        """Return the value of the class x, zero where it is none; and whether it is one."""
        which = array.one_hot(array.cast(x, int32), self.num_categories, on_value=True, off_value=False, dtype="bool")
        found = values.reduced(array.where(which, of, convert(0.0, of.dtype)), 1)
        return found, elementary.reduce_any(which, axis=-1)

    def _log_prob(self, x: Tensor) -> Any:
        if self.logits is None:  # a probability of zero that is not asked for has a derivative of zero, and no NaN
            return elementary.log(self._picked(convert(self.probs), x)[0])
        found, known = self._picked(elementary.log_softmax(self.logits), x)
        return array.where(known, found, convert(-math.inf, found.dtype))

    def _cdf(self, x: Tensor) -> Any:
        p = self.probs_parameter()
        place = array.range(self.num_categories, dtype=p.dtype)
        within = place <= array.expand_dims(array.cast(x, p.dtype), -1)
        return values.reduced(array.where(within, p, convert(0.0, p.dtype)), 1)

    def _mode(self) -> Any:
        return array.cast(elementary.argmax(self._chances(), axis=-1), self.dtype)

    def _moment(self, power: int) -> Any:
        p = self.probs_parameter()
        return values.reduced(p * array.range(self.num_categories, dtype=p.dtype) ** power, 1)

    def _mean(self) -> Any:
        return self._moment(1)

    def _variance(self) -> Any:
        return self._moment(2) - elementary.square(self._moment(1))

    def _logs(self) -> Any:
        return elementary.log(self.probs) if self.logits is None else elementary.log_softmax(self.logits)

    def _entropy(self) -> Any:
        return -values.reduced(elementary.multiply_no_nan(self._logs(), self.probs_parameter()), 1)

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Categorical):
            return NotImplemented
        return values.reduced(elementary.multiply_no_nan(self._logs() - other._logs(), self.probs_parameter()), 1)


class Poisson(Rated):
    """The Poisson distribution: probability rate^k exp(-rate) / k!."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"rate": 0, "log_rate": 0}
    _positive = ("rate",)

    def __init__(
        self, rate: TensorLike | None = None, log_rate: TensorLike | None = None,
        force_probs_to_zero_outside_support: bool = False, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "Poisson",
    ) -> None:  # fmt: skip
        """Take the rate, which is the mean, or its logarithm.

        Raises:
            ValueError: for both, or neither.
        """
        made = locals()
        if (rate is None) == (log_rate is None):
            raise ValueError("Must specify exactly one of `rate` and `log_rate`.")
        dtype = common_dtype([rate, log_rate])
        if not as_dtype(dtype).is_floating:
            raise TypeError(f"Poisson: the rate is of a floating dtype, not {as_dtype(dtype).name}.")
        super().__init__(dtype, NOT_REPARAMETERIZED, validate_args, allow_nan_stats, made, name=name)
        self._force = force_probs_to_zero_outside_support
        self._keep(dtype, rate=rate, log_rate=log_rate)

    @property
    def force_probs_to_zero_outside_support(self) -> bool:
        """Whether what is no whole number has probability 0, and not what the formula says."""
        return self._force

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return draws.poisson(n, array.broadcast_to(self.rate_parameter(), self._batch()), seed)

    def _log_prob(self, k: Tensor) -> Any:
        rate = self.rate_parameter()
        logs = elementary.xlogy(k, rate) if self.log_rate is None else elementary.multiply_no_nan(self.log_rate, k)
        inside = logs - elementary.lgamma(1.0 + elementary.maximum(k, 0.0)) - rate
        outside = k < 0.0
        if self._force:
            outside = elementary.logical_or(outside, elementary.not_equal(k, elementary.floor(k)))
        return array.where(outside, convert(-math.inf, inside.dtype), inside)

    def _cdf(self, k: Tensor) -> Any:
        k = elementary.floor(k) if self._force else k
        found = elementary.igammac(elementary.maximum(k + 1.0, 1.0), self.rate_parameter() + 0.0 * k)
        return array.where(k < 0.0, array.zeros_like(found), found)

    def _mean(self) -> Any:
        return self.rate_parameter()

    _variance = _mean

    def _mode(self) -> Any:
        return elementary.floor(self.rate_parameter())

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Poisson):
            return NotImplemented
        rate, ratio = self.rate_parameter(), self.log_rate_parameter() - other.log_rate_parameter()
        return rate * ratio - (rate - other.rate_parameter())
