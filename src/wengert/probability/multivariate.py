"""Distributions of vectors: the normal ones, and `Independent`, which makes axes of a batch axes of an event."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground import shapes
from wengert.ground.shapes import TensorShape
from wengert.probability import draws, values
from wengert.probability.distribution import FULLY_REPARAMETERIZED, Distribution, kl_divergence
from wengert.probability.draws import Seed
from wengert.probability.values import Size, common_dtype, followed
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["Independent", "MultivariateNormalDiag", "MultivariateNormalFullCovariance", "MultivariateNormalTriL"]


class _MultivariateNormal(Distribution):
    """The normal distribution of loc + S z, S the scale, z of standard normal numbers: a subclass states what S does."""

    _loc: Any

    def _begin(self, made: Mapping[str, Any], **given: TensorLike | None) -> None:
        dtype = common_dtype(given.values())
        Distribution.__init__(
            self, dtype, FULLY_REPARAMETERIZED, made["validate_args"], made["allow_nan_stats"], made, name=made["name"]
        )
        self._keep(dtype, **given)
        self._event_shape()  # which says whether they fit

    @property
    def loc(self) -> Any:
        """The mean, if it was given; else it is zero."""
        return self._loc

    @property
    def scale(self) -> linalg.LinearOperator:
        """S, a linear operator."""
        raise NotImplementedError

    def _applied(self, z: TensorLike) -> Any:
        """Return S z."""
        raise NotImplementedError

    def _solved(self, x: TensorLike) -> Any:
        """Return z with S z = x."""
        raise NotImplementedError

    def _log_det(self) -> Any:
        """Return log |det S|."""
        raise NotImplementedError

    def _event_shape(self) -> TensorShape:
        whole: shapes.Shape = (1,)
        for value in self._given().values():
            last = values.static(value)
            whole = shapes.broadcast(whole, (None,) if last.rank is None else shapes.as_shape(last[-1:]))
        return TensorShape(whole)

    def _event_shape_tensor(self) -> Any:
        return array.shape(next(iter(reversed(self._given().values()))))[-1:]

    def _events(self) -> Any:
        known = self.event_shape
        return tuple(known) if known.is_fully_defined() else self.event_shape_tensor()

    def _count(self, x: Tensor) -> Any:
        """Return how many numbers an event has, in the dtype of x."""
        return array.cast(self.event_shape_tensor()[0], x.dtype)

    def _filled(self, value: TensorLike) -> Any:
        return array.broadcast_to(value, followed(self._batch(), self._events()))

    def _moved(self, x: TensorLike) -> Any:
        return x if self.loc is None else elementary.add(x, self.loc)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        z = draws.normal(followed(n, self._batch(), self._events()), self.dtype, seed)
        return self._moved(self._applied(z))

    def _log_prob(self, x: Tensor) -> Any:
        z = self._solved(x if self.loc is None else x - self.loc)
        squares = values.reduced(elementary.square(z), 1)
        return -0.5 * squares - 0.5 * math.log(2 * math.pi) * self._count(z) - self._log_det()

    def _mean(self) -> Any:
        return self._filled(self._moved(array.zeros(self._events(), self.dtype)))

    _mode = _mean

    def _covariance(self) -> Any:
        s = self.scale.to_dense()
        found = elementary.matmul(s, s, transpose_b=True)
        return array.broadcast_to(found, followed(self._batch(), self._events(), self._events()))

    def _variance(self) -> Any:
        return self._filled(values.reduced(elementary.square(self.scale.to_dense()), 1))

    def _entropy(self) -> Any:
        log_det = self._log_det()
        return array.broadcast_to(0.5 * math.log(2 * math.pi * math.e) * self._count(log_det) + log_det, self._batch())

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, _MultivariateNormal):
            return NotImplemented
        # (‖T⁻¹ S‖² + ‖T⁻¹ (μ - ν)‖² - k) / 2 + log |det T| - log |det S|, with each column of S solved for
        columns = linalg.matrix_transpose(self.scale.to_dense())
        spread = elementary.square(other._each(columns))
        apart = other._solved(self._mean() - other._mean())
        total = values.reduced(spread, 2) + values.reduced(elementary.square(apart), 1) - self._count(apart)
        return 0.5 * total + other._log_det() - self._log_det()

    def _each(self, rows: TensorLike) -> Any:
        """Return z with S z = x for each x of the rows of matrices."""
        raise NotImplementedError


class MultivariateNormalDiag(_MultivariateNormal):
    """Normal numbers that are independent of each other.

    >>> round(float(MultivariateNormalDiag([0.0, 0.0], [1.0, 2.0]).log_prob([0.0, 0.0])), 4)
    -2.531
    """

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"loc": 1, "scale_diag": 1}
    _positive: ClassVar[tuple[str, ...]] = ("scale_diag",)
    _scale_diag: Any

    def __init__(
        self, loc: TensorLike | None = None, scale_diag: TensorLike | None = None, experimental_use_kahan_sum: bool = False,
        validate_args: bool = False, allow_nan_stats: bool = True, name: str = "MultivariateNormalDiag",
    ) -> None:  # fmt: skip
        """Take the means (zero by default) and the standard deviations (one by default).

        Raises:
            ValueError: for neither.
        """
        made = locals()
        if loc is None and scale_diag is None:
            raise ValueError("MultivariateNormalDiag: give `loc` or `scale_diag`, which say how many numbers an event has.")
        self._begin(made, loc=loc, scale_diag=scale_diag)

    def _diag(self) -> Any:
        return array.ones_like(self.loc) if self._scale_diag is None else convert(self._scale_diag)

    @property
    def scale(self) -> linalg.LinearOperator:
        """The standard deviations as a linear operator."""
        return linalg.LinearOperatorDiag(self._full(self._diag()))

    def _full(self, diagonal: TensorLike) -> Any:
        return diagonal if values.static(diagonal)[-1] != 1 else self._filled(diagonal)

    def _applied(self, z: TensorLike) -> Any:
        return elementary.multiply(z, self._diag())

    def _solved(self, x: TensorLike) -> Any:
        return elementary.divide(x, self._diag())

    def _each(self, rows: TensorLike) -> Any:
        return elementary.divide(rows, array.expand_dims(self._diag(), -2))

    def _log_det(self) -> Any:
        return values.reduced(elementary.log(elementary.abs(self._full(self._diag()))), 1)


class MultivariateNormalTriL(_MultivariateNormal):
    """Normal vectors of covariance L Lᵀ, L a lower triangular matrix."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"loc": 1, "scale_tril": 2}
    _scale_tril: Any

    def __init__(
        self, loc: TensorLike | None = None, scale_tril: TensorLike | None = None, experimental_use_kahan_sum: bool = False,
        validate_args: bool = False, allow_nan_stats: bool = True, name: str = "MultivariateNormalTriL",
    ) -> None:  # fmt: skip
        """Take the means (zero by default), and L (the identity by default), of which the lower triangle is read.

        Raises:
            ValueError: for neither.
        """
        made = locals()
        if loc is None and scale_tril is None:
            raise ValueError("MultivariateNormalTriL: give `loc` or `scale_tril`, which say how many numbers an event has.")
        self._begin(made, loc=loc, scale_tril=scale_tril)

    @property
    def scale_tril(self) -> Any:
        """L, if it was given."""
        return self._scale_tril

    def _lower(self) -> Any:
        if self.scale_tril is None:
            return array.eye(self._events()[0], dtype=self.dtype)
        return linalg.band_part(self.scale_tril, -1, 0)

    @property
    def scale(self) -> linalg.LinearOperator:
        """L as a linear operator."""
        return linalg.LinearOperatorLowerTriangular(self._lower())

    def _applied(self, z: TensorLike) -> Any:
        return elementary.matvec(self._lower(), z)

    def _solved(self, x: TensorLike) -> Any:
        return array.squeeze(self._solution(array.expand_dims(x, -1)), -1)

    def _each(self, rows: TensorLike) -> Any:
        return linalg.matrix_transpose(self._solution(linalg.matrix_transpose(rows)))

    def _solution(self, b: TensorLike) -> Any:
        """Return X with L X = B, where the batches of both broadcast."""
        lower, b = self._lower(), convert(b)
        batch = array.broadcast_dynamic_shape(array.shape(lower)[:-2], array.shape(b)[:-2])
        known = array.get_static_value(batch)
        head = batch if known is None else tuple(int(n) for n in known)
        lower, b = (array.broadcast_to(x, followed(head, values.events_of(x, 2))) for x in (lower, b))
        return linalg.triangular_solve(lower, b)

    def _log_det(self) -> Any:
        return values.reduced(elementary.log(elementary.abs(linalg.diag_part(self._lower()))), 1)


class MultivariateNormalFullCovariance(MultivariateNormalTriL):
    """Normal vectors of a covariance matrix."""

    _parameter_ranks: ClassVar[Mapping[str, int]] = {"loc": 1, "covariance_matrix": 2}
    _covariance_matrix: Any

    def __init__(
        self, loc: TensorLike | None = None, covariance_matrix: TensorLike | None = None, validate_args: bool = False,
        allow_nan_stats: bool = True, name: str = "MultivariateNormalFullCovariance",
    ) -> None:  # fmt: skip
        """Take the means (zero by default) and the covariance (the identity by default)."""
        made = locals()
        if loc is None and covariance_matrix is None:
            raise ValueError("MultivariateNormalFullCovariance: give `loc` or `covariance_matrix`.")
        self._begin(made, loc=loc, covariance_matrix=covariance_matrix)

    @property
    def covariance_matrix(self) -> Any:
        """The covariance, if it was given."""
        return self._covariance_matrix

    @property
    def scale_tril(self) -> Any:
        """The covariance's Cholesky factor, if it was given."""
        return None if self.covariance_matrix is None else linalg.cholesky(self.covariance_matrix)


class Independent(Distribution):
    """A batch of distributions as one of events: of the batch, the last axes belong to the event.

    >>> from wengert.probability.distributions import Normal
    >>> Independent(Normal([0.0, 0.0], 1.0), 1).event_shape
    TensorShape([2])
    """

    def __init__(
        self, distribution: Distribution, reinterpreted_batch_ndims: int | None = None, validate_args: bool = False,
        experimental_use_kahan_sum: bool = False, name: str | None = None,
    ) -> None:  # fmt: skip
        """Take the distribution, and how many axes of its batch belong to an event: all but the first by default."""
        made = locals()
        super().__init__(
            distribution.dtype, distribution.reparameterization_type, validate_args, distribution.allow_nan_stats, made,
            name=name or f"Independent{distribution.name}",
        )  # fmt: skip
        self._distribution = distribution
        given = max(0, len(distribution.batch_shape) - 1) if reinterpreted_batch_ndims is None else reinterpreted_batch_ndims
        self._taken = int(array.get_static_value(convert(given)))
        if self._taken > len(distribution.batch_shape):
            raise ValueError(
                f"Independent: reinterpreted_batch_ndims({self._taken}) cannot exceed the rank of the batch, "
                f"{len(distribution.batch_shape)}."
            )

    @property
    def distribution(self) -> Distribution:
        """The batch of distributions."""
        return self._distribution

    @property
    def reinterpreted_batch_ndims(self) -> int:
        """How many axes of its batch belong to an event."""
        return self._taken

    def _batch_shape(self) -> TensorShape:
        shape = self.distribution.batch_shape
        return TensorShape(shape[: len(shape) - self._taken])

    def _event_shape(self) -> TensorShape:
        shape = self.distribution.batch_shape
        return TensorShape(shape[len(shape) - self._taken :] + self.distribution.event_shape)

    def _batch_shape_tensor(self) -> Any:
        shape = self.distribution.batch_shape_tensor()
        return shape[: shape.shape[0] - self._taken]

    def _event_shape_tensor(self) -> Any:
        shape = self.distribution.batch_shape_tensor()
        return array.concat([shape[shape.shape[0] - self._taken :], self.distribution.event_shape_tensor()], 0)

    def _sample_n(self, n: Size, seed: Seed = None) -> Any:
        return self.distribution.sample(n, seed=seed)

    def _log_prob(self, x: Tensor) -> Any:
        return values.reduced(self.distribution.log_prob(x), self._taken)

    def _log_cdf(self, x: Tensor) -> Any:
        return values.reduced(self.distribution.log_cdf(x), self._taken)

    def _entropy(self) -> Any:
        return values.reduced(self.distribution.entropy(), self._taken)

    def _mean(self) -> Any:
        return self.distribution.mean()

    def _mode(self) -> Any:
        return self.distribution.mode()

    def _variance(self) -> Any:
        return self.distribution.variance()

    def _stddev(self) -> Any:
        return self.distribution.stddev()

    def _kl_divergence(self, other: Distribution) -> Any:
        if not isinstance(other, Independent):
            return NotImplemented
        if self.event_shape != other.event_shape or self._taken != other._taken:
            raise NotImplementedError("KL between Independents with different event shapes is not known.")
        return values.reduced(kl_divergence(self.distribution, other.distribution), self._taken)
