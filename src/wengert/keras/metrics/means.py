"""Means over batches of a function of (y_true, y_pred), and the functions that are not losses."""

from __future__ import annotations

from typing import Any

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import epsilon, standardize_dtype
from wengert.keras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tensor_of,
)
from wengert.keras.losses.loss import pair_of
from wengert.keras.metrics.metric import FunctionMetric, Mean, MeanMetricWrapper
from wengert.tensor.tensor import TensorLike

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "PearsonCorrelation",
    "Poisson",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "concordance_correlation",
    "pearson_correlation",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 1 where both are equal."""
    t, y = pair_of(y_true, y_pred)
    return array.cast(elementary.equal(t, y), standardize_dtype(None))


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Any:
    """Return 1 where y_pred is above the threshold just where y_true is 1."""
    t, y = pair_of(y_true, y_pred)
    return array.cast(elementary.equal(t, array.cast(y > threshold, t.dtype)), standardize_dtype(None))


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 1 where the greatest numbers of both stand in the same place."""
    t, y = tensor_of(y_true), tensor_of(y_pred)
    return array.cast(elementary.equal(elementary.argmax(t, -1), elementary.argmax(y, -1)), standardize_dtype(None))


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 1 where y_true is the place of y_pred's greatest number."""
    y = tensor_of(y_pred)
    t = array.cast(y_true, "int64")
    if t.sizes is not None and y.sizes is not None and len(t.sizes) == len(y.sizes):
        t = array.squeeze(t, -1)
    return array.cast(elementary.equal(t, elementary.argmax(y, -1)), standardize_dtype(None))


def _cosine(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """Return the cosine between y_true and y_pred: minus the loss."""
    return -cosine_similarity(y_true, y_pred, axis)


def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Any:
    """Return 1 where the place of y_true's greatest number is among y_pred's k greatest."""
    return sparse_top_k_categorical_accuracy(elementary.argmax(tensor_of(y_true), -1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """Return 1 where the class y_true is among y_pred's k greatest; ``from_sorted_ids``: y_pred has the classes themselves."""
    y = tensor_of(y_pred) if not from_sorted_ids else array.cast(y_pred, "int64")
    t = array.cast(y_true, "int64")
    if t.sizes is not None and y.sizes is not None and len(t.sizes) == len(y.sizes):
        t = array.squeeze(t, -1)
    if from_sorted_ids:
        hit = elementary.reduce_any(elementary.equal(t[..., None], y[..., :k]), axis=-1)
    else:
        flat = array.reshape(y, [-1, y.sizes[-1]])
        hit = array.reshape(elementary.in_top_k(array.reshape(t, [-1]), flat, k), array.shape(t))
    return array.cast(hit, standardize_dtype(None))


def _centred(y_true: TensorLike, y_pred: TensorLike, axis: int | tuple[int, ...]) -> tuple[Any, Any, Any, Any]:
    pair = pair_of(y_true, y_pred)
    means = [elementary.reduce_mean(v, axis=axis, keepdims=True) for v in pair]
    return (*(v - m for v, m in zip(pair, means, strict=True)), *means)


def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int | tuple[int, ...] = -1) -> Any:
    """Return the covariance of both along an axis over the product of their standard deviations."""
    t, y, *_ = _centred(y_true, y_pred, axis)
    return elementary.reduce_sum(linalg.l2_normalize(t, axis, epsilon()) * linalg.l2_normalize(y, axis, epsilon()), axis=axis)


def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: int | tuple[int, ...] = -1) -> Any:
    """Return 2 covariance / (both variances + the square of the difference of the means), along an axis: Lin (1989)."""
    t, y, t_mean, y_mean = _centred(y_true, y_pred, axis)
    spread = elementary.square(t) + elementary.square(y) + elementary.square(t_mean - y_mean)
    return elementary.reduce_mean(2.0 * t * y, axis=axis) / (elementary.reduce_mean(spread, axis=axis) + epsilon())


class RootMeanSquaredError(Mean):
    """The root of the mean of (y_true - y_pred)²."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: DtypeLike | None = None) -> None:
        """Take a name and a dtype."""
        super().__init__(name, dtype)

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:  # type: ignore[override]
        """Add squared errors."""
        t, y = pair_of(y_true, y_pred)
        super().update_state(elementary.square(y - t), sample_weight)

    def result(self) -> Any:
        """Return the root of the mean."""
        return elementary.sqrt(super().result())


class MeanSquaredError(FunctionMetric):
    """The mean of (y_true - y_pred)²."""

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(FunctionMetric):
    """The mean of |y_true - y_pred|."""

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMetric):
    """100 times the mean of |y_true - y_pred| / |y_true|."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMetric):
    """The mean of (log(1 + y_true) - log(1 + y_pred))²."""

    function = staticmethod(mean_squared_logarithmic_error)


class LogCoshError(FunctionMetric):
    """The mean of log(cosh(y_pred - y_true))."""

    function, label = staticmethod(log_cosh), "logcosh"


class KLDivergence(FunctionMetric):
    """The mean of the Kullback-Leibler divergence."""

    function = staticmethod(kl_divergence)


class Poisson(FunctionMetric):
    """The mean of y_pred - y_true log(y_pred)."""

    function = staticmethod(poisson)


class Hinge(FunctionMetric):
    """The mean of max(1 - y_true y_pred, 0)."""

    function = staticmethod(hinge)


class SquaredHinge(FunctionMetric):
    """The mean of max(1 - y_true y_pred, 0)²."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(FunctionMetric):
    """The mean of the categorical hinge loss."""

    function = staticmethod(categorical_hinge)


class CosineSimilarity(FunctionMetric):
    """The mean cosine between y_true and y_pred."""

    function, label = staticmethod(_cosine), "cosine_similarity"


class BinaryCrossentropy(FunctionMetric):
    """The mean binary cross entropy."""

    function = staticmethod(binary_crossentropy)


class CategoricalCrossentropy(FunctionMetric):
    """The mean categorical cross entropy."""

    function = staticmethod(categorical_crossentropy)


class SparseCategoricalCrossentropy(FunctionMetric):
    """The mean cross entropy of classes that are whole numbers."""

    function = staticmethod(sparse_categorical_crossentropy)


class Accuracy(FunctionMetric):
    """How often both are equal."""

    function = staticmethod(accuracy)


class BinaryAccuracy(FunctionMetric):
    """How often a threshold gives the label."""

    function = staticmethod(binary_accuracy)


class CategoricalAccuracy(FunctionMetric):
    """How often the greatest numbers stand in one place."""

    function = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(FunctionMetric):
    """How often the greatest number stands where the label says."""

    function = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class is among the k that y_pred deems likeliest."""

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: DtypeLike | None = None) -> None:
        """Take k, a name and a dtype."""
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class, a whole number, is among the k that y_pred deems likeliest."""

    def __init__(
        self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: DtypeLike | None = None,
        from_sorted_ids: bool = False,
    ) -> None:  # fmt: skip
        """Take k, a name, a dtype, and whether y_pred is the classes in falling order of likelihood."""
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlation along an axis."""

    def __init__(
        self, name: str = "pearson_correlation", dtype: DtypeLike | None = None, axis: int | tuple[int, ...] = -1
    ) -> None:
        """Take a name, a dtype and the axis."""
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of Lin's concordance along an axis."""

    def __init__(
        self, name: str = "concordance_correlation", dtype: DtypeLike | None = None, axis: int | tuple[int, ...] = -1
    ) -> None:
        """Take a name, a dtype and the axis."""
        super().__init__(concordance_correlation, name, dtype, axis=axis)
