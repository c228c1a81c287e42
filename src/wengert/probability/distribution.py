"""Distributions: the base class, and the distribution of a mapped draw."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import EllipsisType
from typing import Any, ClassVar

import numpy as np

from wengert.functions import array, debugging
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike, TensorShape
from wengert.modes.module import Module
from wengert.probability import special, values
from wengert.probability.bijector import Bijector, described
from wengert.probability.draws import Seed
from wengert.probability.values import Size
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = [
    "FULLY_REPARAMETERIZED", "NOT_REPARAMETERIZED", "Distribution", "RegisterKL", "ReparameterizationType",
    "TransformedDistribution", "kl_divergence",
]  # fmt: skip


Index = int | slice | EllipsisType
"""Which part of an axis."""


class ReparameterizationType:
    """Whether draws have derivatives by the parameters."""

    def __init__(self, rep_type: str) -> None:
        """Take the words for it."""
        self._words = rep_type

    def __repr__(self) -> str:
        return f"<Reparameterization Type: {self._words}>"


FULLY_REPARAMETERIZED = ReparameterizationType("FULLY_REPARAMETERIZED")
NOT_REPARAMETERIZED = ReparameterizationType("NOT_REPARAMETERIZED")


class Distribution(Module):
    """A batch of distributions of events.

    A subclass states ``_log_prob`` (or ``_prob``), ``_sample_n(n, seed)``, and what it has of ``_cdf``, ``_log_cdf``,
    ``_quantile``, ``_mean``, ``_mode``, ``_variance`` (or ``_stddev``), ``_covariance`` and ``_entropy``.
    """

    _composite = True
    _parameter_ranks: ClassVar[Mapping[str, int]] = {}
    """The parameters that decide the shape of a batch: of each, how many axes belong to one event."""
    _positive: ClassVar[tuple[str, ...]] = ()
    """The parameters that must be positive."""

    def __init__(
        self, dtype: DtypeLike, reparameterization_type: ReparameterizationType, validate_args: bool, allow_nan_stats: bool,
        parameters: Mapping[str, Any] | None = None, graph_parents: TensorLike | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        """Take the dtype of draws, and the arguments that it was made with (``locals()`` in an ``__init__``)."""
        super().__init__(re.sub(r"\W", "_", name or type(self).__name__))
        self._dtype = as_dtype(dtype)
        self._reparameterization, self._validate, self._allow_nan = reparameterization_type, validate_args, allow_nan_stats
        self._parameters = described(parameters)

    def _keep(self, dtype: DtypeLike, **given: TensorLike | None) -> None:
        """Keep parameters as attributes, each under its name after an underscore; see whether they fit.

        Raises:
            ValueError: if their shapes do not fit.
        """
        for name, value in given.items():
            setattr(self, f"_{name}", values.parameter(value, dtype))
        values.batch_of(type(self).__name__, self._given(), self._parameter_ranks)
        if self._validate:
            self._checked()

    def _given(self) -> dict[str, Any]:
        found = {name: getattr(self, f"_{name}", None) for name in self._parameter_ranks}
        return {name: value for name, value in found.items() if value is not None}

    def _checked(self) -> None:
        """See that the parameters are what they must be.

        Raises:
            InvalidArgumentError: if they are not.
        """
        for name, value in self._given().items():
            if name in self._positive:
                debugging.assert_positive(value, message=f"Argument `{name}` must be positive.")

    # --- what it is ----------------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The dtype of draws."""
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments that it was made with."""
        return dict(self._parameters)

    @property
    def allow_nan_stats(self) -> bool:
        """Whether what is not defined is NaN, and no error."""
        return self._allow_nan

    @property
    def validate_args(self) -> bool:
        """Whether arguments are checked."""
        return self._validate

    @property
    def reparameterization_type(self) -> ReparameterizationType:
        """Whether draws have derivatives by the parameters."""
        return self._reparameterization

    @property
    def batch_shape(self) -> TensorShape:
        """The static shape of the batch."""
        return TensorShape(self._batch_shape())

    @property
    def event_shape(self) -> TensorShape:
        """The static shape of one event."""
        return TensorShape(self._event_shape())

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Any:
        """Return the shape of the batch as an integer tensor."""
        known = self.batch_shape
        return values.known(known) if known.is_fully_defined() else self._batch_shape_tensor()

    def event_shape_tensor(self, name: str = "event_shape_tensor") -> Any:
        """Return the shape of one event as an integer tensor."""
        known = self.event_shape
        return values.known(known) if known.is_fully_defined() else self._event_shape_tensor()

    def is_scalar_event(self, name: str = "is_scalar_event") -> Any:
        """Return whether an event is one number."""
        return convert(self.event_shape.rank == 0)

    def is_scalar_batch(self, name: str = "is_scalar_batch") -> Any:
        """Return whether there is one distribution."""
        return convert(self.batch_shape.rank == 0)

    def _batch_shape(self) -> TensorShape:
        return values.batch_of(type(self).__name__, self._given(), self._parameter_ranks)

    def _batch_shape_tensor(self) -> Any:
        return values.batch_tensor_of(self._given(), self._parameter_ranks)

    def _event_shape(self) -> TensorShape:
        return TensorShape([])

    def _event_shape_tensor(self) -> Any:
        return values.known(self.event_shape)

    def _batch(self) -> Any:
        """Return the shape of the batch, a tuple where it is known, else an integer tensor."""
        known = self.batch_shape
        return tuple(known) if known.is_fully_defined() else self.batch_shape_tensor()

    def copy(self, **overrides: TensorLike | None) -> Distribution:
        """Return one like it, with other arguments where said."""
        return type(self)(**{**self.parameters, **overrides})

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Distribution:
        """Return the distributions of a part of the batch."""
        if not self._parameter_ranks:
            raise NotImplementedError(f"{type(self).__name__} has no parts: index the batch of what it is made of.")
        picks = list(index) if isinstance(index, tuple) else [index]
        parts = {}
        for name, value in self._given().items():
            rank = self._parameter_ranks[name]
            value = array.broadcast_to(value, values.followed(self._batch(), values.events_of(convert(value), rank)))
            own = [*picks, *([slice(None)] * rank if Ellipsis in picks else [])]
            parts[name] = value[tuple(own)]
        return self.copy(**parts)

    # --- what it answers -----------------------------------------------------------------------------------------------------

    def log_prob(self, value: TensorLike, name: str = "log_prob") -> Any:
        """Return the logarithm of the density, or of the probability, at value."""
        return self._at(value, ("_log_prob", None), ("_prob", elementary.log))

    def prob(self, value: TensorLike, name: str = "prob") -> Any:
        """Return the density, or the probability, at value."""
        return self._at(value, ("_prob", None), ("_log_prob", elementary.exp))

    def unnormalized_log_prob(self, value: TensorLike, name: str = "unnormalized_log_prob") -> Any:
        """Return `log_prob` but for a constant."""
        return self._at(value, ("_unnormalized_log_prob", None), ("_log_prob", None), ("_prob", elementary.log))

    def cdf(self, value: TensorLike, name: str = "cdf") -> Any:
        """Return the probability of what is not greater than value."""
        return self._at(value, ("_cdf", None), ("_log_cdf", elementary.exp))

    def log_cdf(self, value: TensorLike, name: str = "log_cdf") -> Any:
        """Return the logarithm of `cdf`."""
        return self._at(value, ("_log_cdf", None), ("_cdf", elementary.log))

    def survival_function(self, value: TensorLike, name: str = "survival_function") -> Any:
        """Return the probability of what is greater than value."""
        log_cdf = ("_log_cdf", lambda x: elementary.negative(elementary.expm1(x)))
        return self._at(
            value, ("_survival_function", None), ("_log_survival_function", elementary.exp), ("_cdf", lambda x: 1.0 - x), log_cdf
        )

    def log_survival_function(self, value: TensorLike, name: str = "log_survival_function") -> Any:
        """Return the logarithm of `survival_function`."""
        return self._at(
            value, ("_log_survival_function", None), ("_survival_function", elementary.log),
            ("_cdf", lambda x: elementary.log1p(elementary.negative(x))), ("_log_cdf", special.log1mexp),
        )  # fmt: skip

    def quantile(self, value: TensorLike, name: str = "quantile") -> Any:
        """Return x of which `cdf` is value."""
        return self._at(value, ("_quantile", None))

    def mean(self, name: str = "mean") -> Any:
        """Return the mean."""
        return self._first("mean", ("_mean", None))

    def mode(self, name: str = "mode") -> Any:
        """Return where the density is greatest."""
        return self._first("mode", ("_mode", None))

    def variance(self, name: str = "variance") -> Any:
        """Return the variance of each number of an event."""
        return self._first("variance", ("_variance", None), ("_stddev", elementary.square))

    def stddev(self, name: str = "stddev") -> Any:
        """Return the square root of `variance`."""
        return self._first("stddev", ("_stddev", None), ("_variance", elementary.sqrt))

    def covariance(self, name: str = "covariance") -> Any:
        """Return the covariance matrix of the numbers of an event."""
        return self._first("covariance", ("_covariance", None))

    def entropy(self, name: str = "entropy") -> Any:
        """Return the entropy: the mean of minus `log_prob`."""
        return self._first("entropy", ("_entropy", None))

    def kl_divergence(self, other: Distribution, name: str = "kl_divergence") -> Any:
        """Return the Kullback-Leibler divergence from this to the other: the mean here of the difference of their `log_prob`.

        Raises:
            NotImplementedError: for a pair of which it is not known.
        """
        return kl_divergence(self, other)

    def cross_entropy(self, other: Distribution, name: str = "cross_entropy") -> Any:
        """Return the mean here of minus the other's `log_prob`."""
        return kl_divergence(self, other) + self.entropy()

    def sample(self, sample_shape: ShapeLike | Tensor = (), seed: Seed = None, name: str = "sample") -> Any:
        """Return draws, of shape ``sample_shape + batch_shape + event_shape``.

        ``seed``: a whole number with TensorFlow's meaning (each call goes on in a sequence of its own), or a pair of them, which
        alone decides the draws.
        """
        if self._validate:
            self._checked()
        given = array.reshape(_sizes(sample_shape), [-1])
        shape = array.get_static_value(given)
        head = given if shape is None else tuple(int(s) for s in shape)
        count = elementary.reduce_prod(given) if isinstance(head, Tensor) else math.prod(head)
        drawn = self._first("sample", ("_sample_n", lambda draws: draws), arguments=(count, seed))
        tail = drawn.shape[1:]
        return array.reshape(drawn, values.followed(head, tuple(tail) if tail.is_fully_defined() else array.shape(drawn)[1:]))

    def _at(self, value: TensorLike, *stated: tuple[str, Callable[[Any], Any] | None]) -> Any:
        if self._validate:
            self._checked()
        x = array.convert_to_tensor(value, dtype_hint=self.dtype)
        return self._first(stated[0][0].removeprefix("_"), *stated, arguments=(x,))

    def _first(self, what: str, *stated: tuple[str, Callable[[Any], Any] | None], arguments: tuple[Any, ...] = ()) -> Any:
        """Return the first of the answers that the class states, each with what makes the answer of it."""
        for name, made in stated:
            if hasattr(self, name):
                found = getattr(self, name)(*arguments)
                return found if made is None else made(found)
        raise NotImplementedError(f"{type(self).__name__} has no `{what}`.")

    def _defined(self, where: TensorLike, value: TensorLike, what: str) -> Any:
        """Return a value where it is defined, else NaN.

        Raises:
            InvalidArgumentError: if it is not defined, and NaN is not allowed.
        """
        if not self.allow_nan_stats:
            debugging.Assert(
                elementary.reduce_all(where), [f"{self.name}: the {what} is not defined for some of the parameters."]
            )
            return value
        x = convert(value)
        return array.where(where, x, convert(float("nan"), x.dtype))

    def _kl_divergence(self, other: Distribution) -> Any:
        """Return the divergence to the other; `NotImplemented` for one of another kind."""
        return NotImplemented

    def _mapped(self, bijector: Bijector) -> Distribution:
        return TransformedDistribution(self, bijector)

    def __str__(self) -> str:
        return (
            f'tfp.distributions.{type(self).__name__}("{self.name}", batch_shape={self.batch_shape.as_list()}, '
            f"event_shape={self.event_shape.as_list()}, dtype={self.dtype.name})"
        )

    def __repr__(self) -> str:
        return (
            f"<tfp.distributions.{type(self).__name__} '{self.name}' batch_shape={self.batch_shape.as_list()} "
            f"event_shape={self.event_shape.as_list()} dtype={self.dtype.name}>"
        )


def _sizes(shape: ShapeLike | Tensor) -> Any:
    return shape if isinstance(shape, Tensor) else np.asarray(shape, np.int32)


# --- divergences ------------------------------------------------------------------------------------------------------------

_registered: dict[tuple[type, type], Callable[..., Any]] = {}
"""The divergences that programs register, beside those that the distributions state."""


class RegisterKL:
    """Decorate the function ``(a, b, name=None)`` that returns the divergence of two kinds of distributions."""

    def __init__(self, dist_cls_a: type, dist_cls_b: type) -> None:
        """Take the two classes."""
        self._pair = (dist_cls_a, dist_cls_b)

    def __call__(self, kl_fn: Callable[..., Any]) -> Callable[..., Any]:
        """Keep the function, and return it.

        Raises:
            ValueError: if there is one for the pair.
        """
        if self._pair in _registered:
            raise ValueError(f"KL({self._pair[0].__name__} || {self._pair[1].__name__}) has already been registered.")
        _registered[self._pair] = kl_fn
        return kl_fn


def kl_divergence(
    distribution_a: Distribution, distribution_b: Distribution, allow_nan_stats: bool = True, name: str | None = None
) -> Any:
    """Return the Kullback-Leibler divergence from the first to the second: the mean of log a(x) - log b(x) over draws x of a.

    Raises:
        NotImplementedError: for a pair of which it is not known.

    >>> from wengert.probability.distributions import Normal
    >>> float(kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0)))
    0.5
    """
    a, b = type(distribution_a), type(distribution_b)
    for above_a in a.__mro__:
        for above_b in b.__mro__:
            if (above_a, above_b) in _registered:
                return _registered[above_a, above_b](distribution_a, distribution_b, name=name)
    found = distribution_a._kl_divergence(distribution_b)
    if found is NotImplemented:
        raise NotImplementedError(
            f"No KL(distribution_a || distribution_b) registered for distribution_a type {a.__name__} and distribution_b type "
            f"{b.__name__}"
        )
    return found


class TransformedDistribution(Distribution):
    """The distribution of a bijector's map of draws.

    >>> from wengert.probability.distributions import Normal
    >>> from wengert.probability.bijectors import Exp
    >>> round(float(TransformedDistribution(Normal(0.0, 1.0), Exp()).log_prob(1.0)), 4)
    -0.9189
    """

    def __init__(
        self, distribution: Distribution, bijector: Bijector, kwargs_split_fn: Callable[..., Any] | None = None,
        validate_args: bool = False, parameters: Mapping[str, Any] | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        """Take the distribution, and the bijector that maps its draws."""
        made = {"distribution": distribution, "bijector": bijector, "validate_args": validate_args, "name": name}
        super().__init__(
            distribution.dtype, distribution.reparameterization_type, validate_args, distribution.allow_nan_stats,
            parameters or made, name=name or f"{bijector.name}{distribution.name}",
        )  # fmt: skip
        self._distribution, self._bijector = distribution, bijector

    @property
    def distribution(self) -> Distribution:
        """The distribution whose draws are mapped."""
        return self._distribution

    @property
    def bijector(self) -> Bijector:
        """The map."""
        return self._bijector

    def _rank(self) -> int:
        """Return how many axes an event has before the map: those of the bijector, if it takes axes of the batch too."""
        return max(len(self.distribution.event_shape), self.bijector.forward_min_event_ndims)

    def _taken(self) -> int:
        """Return how many axes of the distribution's batch belong to an event of the bijector."""
        return self._rank() - len(self.distribution.event_shape)

    def _batch_shape(self) -> TensorShape:
        shape = self.distribution.batch_shape
        return TensorShape(shape[: len(shape) - self._taken()])

    def _batch_shape_tensor(self) -> Any:
        shape = self.distribution.batch_shape_tensor()
        return shape[: shape.shape[0] - self._taken()]

    def _event_shape(self) -> TensorShape:
        batch = self.distribution.batch_shape
        return self.bijector.forward_event_shape(batch[len(batch) - self._taken() :] + self.distribution.event_shape)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self.bijector.forward(self.distribution.sample(n, seed=seed))

    def _log_prob(self, y: Tensor) -> Any:
        x = self.bijector.inverse(y)
        density = values.reduced(self.distribution.log_prob(x), self._taken())
        rank = self.bijector.forward_event_ndims(self._rank())
        return density + self.bijector.inverse_log_det_jacobian(y, rank)

    def _below(self, y: Tensor, upwards: Callable[..., Any], downwards: Callable[..., Any]) -> Any:
        """Return what is asked at x of an increasing map, the contrary of a decreasing one."""
        if self._rank():
            raise NotImplementedError("TransformedDistribution has no `cdf` for events of several numbers.")
        increasing, x = self.bijector.is_increasing(), self.bijector.inverse(y)
        if increasing is True:
            return upwards(x)
        return array.where(increasing, upwards(x), downwards(x))

    def _cdf(self, y: Tensor) -> Any:
        return self._below(y, self.distribution.cdf, self.distribution.survival_function)

    def _log_cdf(self, y: Tensor) -> Any:
        return self._below(y, self.distribution.log_cdf, self.distribution.log_survival_function)

    def _survival_function(self, y: Tensor) -> Any:
        return self._below(y, self.distribution.survival_function, self.distribution.cdf)

    def _log_survival_function(self, y: Tensor) -> Any:
        return self._below(y, self.distribution.log_survival_function, self.distribution.log_cdf)

    def _quantile(self, value: Tensor) -> Any:
        if self._rank():
            raise NotImplementedError("TransformedDistribution has no `quantile` for events of several numbers.")
        increasing = self.bijector.is_increasing()
        at = value if increasing is True else array.where(increasing, value, 1.0 - value)
        return self.bijector.forward(self.distribution.quantile(at))

    def _mean(self) -> Any:
        self._same_everywhere("mean")
        return self.bijector.forward(self.distribution.mean())

    def _entropy(self) -> Any:
        self._same_everywhere("entropy")
        entropy, mean = values.reduced(self.distribution.entropy(), self._taken()), self.distribution.mean()
        return entropy + self.bijector.forward_log_det_jacobian(mean, self._rank())

    def _same_everywhere(self, what: str) -> None:
        if not self.bijector.is_constant_jacobian:
            raise NotImplementedError(f"{what} is not implemented for TransformedDistributions without a constant Jacobian.")

    def _kl_divergence(self, other: Distribution) -> Any:
        # What is mapped by the same bijector diverges as what it is mapped from.
        if not isinstance(other, TransformedDistribution) or not self.bijector.is_like(other.bijector):
            return NotImplemented
        return values.reduced(kl_divergence(self.distribution, other.distribution), self._taken())
