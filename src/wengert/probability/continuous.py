"""Distributions of a real number: Normal, Laplace, Cauchy, Student's t, Uniform, and those of halves and exponentials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from wengert.functions import array, debugging
from wengert.functions import math as elementary
from wengert.probability import draws, special
from wengert.probability.bijectors import Exp
from wengert.probability.distribution import FULLY_REPARAMETERIZED, Distribution, TransformedDistribution
from wengert.probability.draws import Seed
from wengert.probability.values import Size, common_dtype, followed
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["Cauchy", "HalfCauchy", "HalfNormal", "Laplace", "LogNormal", "Normal", "StudentT", "Uniform"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class _LocationScale(Distribution):
    """A distribution of loc + scale z."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"loc": 0, "scale": 0}
    _positive: ClassVar[tuple[str, ...]] = ("scale",)
    _loc: Any
    _scale: Any

    def _begin(self, made: Mapping[str, Any], loc: TensorLike | None, scale: TensorLike, **more: TensorLike) -> None:
        dtype = common_dtype([loc, scale, *more.values()])
        Distribution.__init__(
            self, dtype, FULLY_REPARAMETERIZED, made["validate_args"], made["allow_nan_stats"], made, name=made["name"]
        )
        self._keep(dtype, loc=loc, scale=scale, **more)

    @property
    def loc(self) -> Any:
        """Where it lies."""
        return self._loc

    @property
    def scale(self) -> Any:
        """How wide it is."""
        return self._scale

    def _z(self, x: Tensor) -> Any:
        return (x - self.loc) / self.scale

    def _filled(self, value: TensorLike) -> Any:
        """Return what is the same for all of the batch, for each of it."""
        return array.broadcast_to(value, self._batch())

    def _log_scale(self) -> Any:
        return elementary.log(self.scale)


class Normal(_LocationScale):
    """The normal distribution: density exp(-z²/2) / (√(2π) scale), z = (x - loc) / scale.

    >>> round(float(Normal(0.0, 1.0).log_prob(0.0)), 4)
    -0.9189
    """

    def __init__(
        self, loc: TensorLike, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Normal"
    ) -> None:
        """Take the mean and the standard deviation."""
        self._begin(locals(), loc, scale)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self.loc + self.scale * draws.normal(followed(n, self._batch()), self.dtype, seed)

    def _log_prob(self, x: Tensor) -> Any:
        return -0.5 * elementary.square(self._z(x)) - (_HALF_LOG_2PI + self._log_scale())

    def _cdf(self, x: Tensor) -> Any:
        return special.ndtr(self._z(x))

    def _log_cdf(self, x: Tensor) -> Any:
        return special.log_ndtr(self._z(x))

    def _survival_function(self, x: Tensor) -> Any:
        return special.ndtr(-self._z(x))

    def _log_survival_function(self, x: Tensor) -> Any:
        return special.log_ndtr(-self._z(x))

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * elementary.ndtri(p)

    def _mean(self) -> Any:
        return self._filled(self.loc)

    _mode = _mean

    def _stddev(self) -> Any:
        return self._filled(self.scale)

    def _entropy(self) -> Any:
        return self._filled(0.5 + _HALF_LOG_2PI + self._log_scale())

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Normal):
            return NotImplemented
        ratio = self._log_scale() - other._log_scale()
        distance = elementary.square((self.loc - convert(other.loc)) / other.scale)
        return 0.5 * distance + 0.5 * elementary.expm1(2.0 * ratio) - ratio


class Laplace(_LocationScale):
    """The Laplace distribution: density exp(-|z|) / (2 scale)."""

    def __init__(
        self, loc: TensorLike, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Laplace"
    ) -> None:
        """Take the mean and the scale, the mean distance from it."""
        self._begin(locals(), loc, scale)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        u = draws.uniform(followed(n, self._batch()), self.dtype, seed, -1.0)
        return self.loc - self.scale * elementary.sign(u) * elementary.log1p(-elementary.abs(u))

    def _log_prob(self, x: Tensor) -> Any:
        return -elementary.abs(self._z(x)) - math.log(2.0) - self._log_scale()

    def _cdf(self, x: Tensor) -> Any:
        z = self._z(x)
        half = 0.5 * elementary.exp(-elementary.abs(z))
        return array.where(z < 0.0, half, 1.0 - half)

    def _log_cdf(self, x: Tensor) -> Any:
        return self._log_below(self._z(x))

    def _log_survival_function(self, x: Tensor) -> Any:
        return self._log_below(-self._z(x))

    def _survival_function(self, x: Tensor) -> Any:
        return self._cdf(2.0 * convert(self.loc) - x)

    def _log_below(self, z: Tensor) -> Any:
        return array.where(z < 0.0, z - math.log(2.0), elementary.log1p(-0.5 * elementary.exp(-elementary.abs(z))))

    def _quantile(self, p: Tensor) -> Any:
        half = elementary.minimum(p, 1.0 - p)
        return self.loc + self.scale * elementary.sign(p - 0.5) * -elementary.log(2.0 * half)

    def _mean(self) -> Any:
        return self._filled(self.loc)

    _mode = _mean

    def _stddev(self) -> Any:
        return self._filled(math.sqrt(2.0) * convert(self.scale))

    def _entropy(self) -> Any:
        return self._filled(1.0 + math.log(2.0) + self._log_scale())

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Laplace):
            return NotImplemented
        distance = elementary.abs(self.loc - convert(other.loc))
        ratio = self._log_scale() - other._log_scale()
        return (self.scale * elementary.exp(-distance / self.scale) + distance) / other.scale - ratio - 1.0


class _WithoutMoments(_LocationScale):
    """One whose tails are so heavy that it has neither a mean nor a standard deviation."""

    def _mode(self) -> Any:
        return self._filled(self.loc)

    def _mean(self) -> Any:
        return self._defined(False, self._mode(), "mean")

    def _stddev(self) -> Any:
        return self._defined(False, self._mode(), "standard deviation")


class Cauchy(_WithoutMoments):
    """The Cauchy distribution: density 1 / (π scale (1 + z²)); it has no mean."""

    def __init__(
        self, loc: TensorLike, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "Cauchy"
    ) -> None:
        """Take the median, and the half width at half the height."""
        self._begin(locals(), loc, scale)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self._quantile(draws.uniform(followed(n, self._batch()), self.dtype, seed))

    def _log_prob(self, x: Tensor) -> Any:
        return -elementary.log1p(elementary.square(self._z(x))) - math.log(math.pi) - self._log_scale()

    def _cdf(self, x: Tensor) -> Any:
        return elementary.atan(self._z(x)) / math.pi + 0.5

    def _survival_function(self, x: Tensor) -> Any:
        return elementary.atan(-self._z(x)) / math.pi + 0.5

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * elementary.tan(math.pi * (p - 0.5))

    def _entropy(self) -> Any:
        return self._filled(math.log(4 * math.pi) + self._log_scale())

    def _kl_divergence(self, other: Distribution) -> Any:
        # F. Chyzak and F. Nielsen, "A closed-form formula for the Kullback-Leibler divergence between Cauchy distributions", 2019
        if not isinstance(other, Cauchy):
            return NotImplemented
        squares = elementary.square(convert(self.scale) + other.scale) + elementary.square(convert(self.loc) - other.loc)
        return elementary.log(squares) - math.log(4.0) - self._log_scale() - other._log_scale()


class StudentT(_LocationScale):
    """Student's t distribution: density in proportion to (1 + z²/df)^(-(df + 1)/2)."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"df": 0, "loc": 0, "scale": 0}
    _positive: ClassVar[tuple[str, ...]] = ("df", "scale")
    _df: Any

    def __init__(
        self, df: TensorLike, loc: TensorLike, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "StudentT",
    ) -> None:  # fmt: skip
        """Take the degrees of freedom, the median, and the scale."""
        self._begin(locals(), loc, scale, df=df)

    @property
    def df(self) -> Any:
        """The degrees of freedom."""
        return self._df

    def _half(self) -> Any:
        return 0.5 * convert(self.df)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        first, second = draws.split(seed)
        z = draws.normal(followed(n, self._batch()), self.dtype, first)
        chi = draws.gamma(n, self._filled(self._half()), second) / self._half()
        return self.loc + self.scale * z * elementary.rsqrt(chi)

    def _log_prob(self, x: Tensor) -> Any:
        half = self._half()
        norm = elementary.log(math.pi * convert(self.df)) / 2.0 + elementary.lgamma(half) - elementary.lgamma(half + 0.5)
        tail = elementary.log1p(elementary.square(self._z(x)) / self.df)
        return -(half + 0.5) * tail - norm - elementary.log(elementary.abs(self.scale))

    def _cdf(self, x: Tensor) -> Any:
        return special.student_cdf(self._z(x), self.df)

    def _survival_function(self, x: Tensor) -> Any:
        return special.student_cdf(-self._z(x), self.df)

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * special.student_quantile(p, self.df)

    def _mode(self) -> Any:
        return self._filled(self.loc)

    def _mean(self) -> Any:
        return self._defined(elementary.greater(self.df, 1.0), self._filled(self.loc), "mean")

    def _variance(self) -> Any:
        df = self._filled(self.df)
        square = self._filled(elementary.square(self.scale))
        many = df > 2.0
        known = square * df / (array.where(many, df, convert(3.0, df.dtype)) - 2.0)
        return self._defined(df > 1.0, array.where(many, known, convert(math.inf, df.dtype)), "variance")

    def _entropy(self) -> Any:
        half = self._half()
        slopes = (half + 0.5) * (elementary.digamma(half + 0.5) - elementary.digamma(half))
        root = 0.5 * elementary.log(convert(self.df)) + special.lbeta(half, convert(0.5, half.dtype))
        return self._filled(slopes + root + elementary.log(elementary.abs(self.scale)))


class Uniform(Distribution):
    """The uniform distribution on [low, high]."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"low": 0, "high": 0}
    _low: Any
    _high: Any

    def __init__(
        self, low: TensorLike = 0.0, high: TensorLike = 1.0, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "Uniform",
    ) -> None:  # fmt: skip
        """Take the bounds."""
        made = locals()
        dtype = common_dtype([low, high])
        super().__init__(dtype, FULLY_REPARAMETERIZED, validate_args, allow_nan_stats, made, name=name)
        self._keep(dtype, low=low, high=high)

    def _checked(self) -> None:
        debugging.assert_less(self.low, self.high, message="uniform not defined when `low` >= `high`.")

    @property
    def low(self) -> Any:
        """The lower bound."""
        return self._low

    @property
    def high(self) -> Any:
        """The upper bound."""
        return self._high

    def range(self, name: str = "range") -> Any:
        """Return the distance of the bounds."""
        return convert(self.high) - self.low

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self.low + self.range() * draws.uniform(followed(n, self._batch()), self.dtype, seed)

    def _inside(self, x: Tensor, inside: TensorLike, outside: float) -> Any:
        """Return one of two values, NaN for NaN."""
        within = elementary.logical_and(x >= self.low, x <= self.high)
        found = array.where(within, inside, convert(outside, x.dtype))
        return array.where(elementary.is_nan(x), x, found)

    def _log_prob(self, x: Tensor) -> Any:
        return self._inside(x, -elementary.log(self.range()), -math.inf)

    def _prob(self, x: Tensor) -> Any:
        return self._inside(x, 1.0 / self.range(), 0.0)

    def _cdf(self, x: Tensor) -> Any:
        return elementary.clip_by_value((x - self.low) / self.range(), 0.0, 1.0)

    def _quantile(self, p: Tensor) -> Any:
        return self.low + self.range() * p

    def _mean(self) -> Any:
        return (convert(self.low) + self.high) / 2.0

    def _stddev(self) -> Any:
        return self.range() / math.sqrt(12.0)

    def _entropy(self) -> Any:
        return elementary.log(self.range())

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Uniform):
            return NotImplemented
        within = elementary.logical_and(elementary.less_equal(other.low, self.low), elementary.less_equal(self.high, other.high))
        ratio = elementary.log(other.range()) - elementary.log(self.range())
        return array.where(within, ratio, convert(math.inf, ratio.dtype))


class _Half(_LocationScale):
    """What is on one side of a symmetric distribution, twice as likely."""

    def _above(self, x: Tensor, value: TensorLike, below: float) -> Any:
        return array.where(self._z(x) < 0.0, convert(below, x.dtype), value)


class HalfNormal(_Half):
    """The distribution of |x| for normal x of mean 0."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"scale": 0}

    def __init__(
        self, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True, name: str = "HalfNormal"
    ) -> None:
        """Take the standard deviation of x."""
        self._begin(locals(), None, scale)

    def _z(self, x: Tensor) -> Any:
        return x / self.scale

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return elementary.abs(self.scale * draws.normal(followed(n, self._batch()), self.dtype, seed))

    def _log_prob(self, x: Tensor) -> Any:
        inside = 0.5 * math.log(2 / math.pi) - self._log_scale() - 0.5 * elementary.square(self._z(x))
        return self._above(x, inside, -math.inf)

    def _cdf(self, x: Tensor) -> Any:
        return elementary.erf(elementary.maximum(self._z(x), 0.0) * math.sqrt(0.5))

    def _quantile(self, p: Tensor) -> Any:
        return math.sqrt(2.0) * self.scale * elementary.erfinv(p)

    def _mean(self) -> Any:
        return math.sqrt(2 / math.pi) * convert(self.scale)

    def _mode(self) -> Any:
        return array.zeros(self._batch(), self.dtype)

    def _variance(self) -> Any:
        return (1 - 2 / math.pi) * elementary.square(self.scale)

    def _entropy(self) -> Any:
        return 0.5 * math.log(math.pi / 2) + 0.5 + self._log_scale()

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, HalfNormal):
            return NotImplemented
        ratio = self._log_scale() - other._log_scale()
        return 0.5 * elementary.expm1(2.0 * ratio) - ratio


class HalfCauchy(_WithoutMoments, _Half):
    """The distribution of loc + |x - loc| for x of a Cauchy distribution."""

    def __init__(
        self, loc: TensorLike, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "HalfCauchy",
    ) -> None:  # fmt: skip
        """Take the least value, and the scale."""
        self._begin(locals(), loc, scale)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self._quantile(draws.uniform(followed(n, self._batch()), self.dtype, seed))

    def _log_prob(self, x: Tensor) -> Any:
        inside = math.log(2 / math.pi) - self._log_scale() - elementary.log1p(elementary.square(self._z(x)))
        return self._above(x, inside, -math.inf)

    def _cdf(self, x: Tensor) -> Any:
        return elementary.atan(elementary.maximum(self._z(x), 0.0)) * (2 / math.pi)

    def _quantile(self, p: Tensor) -> Any:
        return self.loc + self.scale * elementary.tan(math.pi / 2 * p)

    def _entropy(self) -> Any:
        return self._filled(math.log(2 * math.pi) + self._log_scale())


class LogNormal(TransformedDistribution):
    """The distribution of exp(x) for normal x."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"loc": 0, "scale": 0}

    def __init__(
        self, loc: TensorLike, scale: TensorLike, validate_args: bool = False, allow_nan_stats: bool = True,
        name: str = "LogNormal",
    ) -> None:  # fmt: skip
        """Take the mean and the standard deviation of x."""
        made = {"loc": loc, "scale": scale, "validate_args": validate_args, "allow_nan_stats": allow_nan_stats, "name": name}
        inner = Normal(loc, scale, validate_args, allow_nan_stats)
        super().__init__(inner, Exp(), validate_args=validate_args, parameters=made, name=name)
        self._loc, self._scale = inner.loc, inner.scale

    @property
    def loc(self) -> Any:
        """The mean of x."""
        return self._loc

    @property
    def scale(self) -> Any:
        """The standard deviation of x."""
        return self._scale

    def _mean(self) -> Any:
        return elementary.exp(self.loc + 0.5 * elementary.square(self.scale))

    def _mode(self) -> Any:
        return elementary.exp(self.loc - elementary.square(self.scale))

    def _variance(self) -> Any:
        square = elementary.square(self.scale)
        return elementary.expm1(square) * elementary.exp(2.0 * convert(self.loc) + square)

    def _entropy(self) -> Any:
        return self.loc + 0.5 + _HALF_LOG_2PI + elementary.log(self.scale)
