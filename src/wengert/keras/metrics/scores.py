"""Scores of all rows together: R² of numbers, and the F score of classes."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import epsilon
from wengert.keras.losses.loss import pair_of
from wengert.keras.metrics.metric import Metric
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["F1Score", "FBetaScore", "R2Score"]


def _weights_like(y: Tensor, sample_weight: TensorLike | None) -> Any:
    """Return a weight for each element: a row's, where rows have one."""
    if sample_weight is None:
        return array.ones_like(y)
    w = array.cast(sample_weight, y.dtype)
    if w.sizes is not None and y.sizes is not None and len(w.sizes) < len(y.sizes):
        w = array.expand_dims(w, -1)
    return array.broadcast_to(w, array.shape(y))


class R2Score(Metric):
    """1 - sum((y_true - y_pred)²) / sum((y_true - mean)²) for each column, then joined.

    ``class_aggregation``: "uniform_average", "variance_weighted_average", or None for one of each column.
    ``num_regressors``: by how many inputs the score is adjusted.
    """

    def __init__(
        self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0, name: str = "r2_score",
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the choices, a name and a dtype.

        Raises:
            ValueError: for a way of joining that there is not, or a negative number of regressors.
        """
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"Invalid value for argument `class_aggregation`: {class_aggregation!r}. Expected one of {known}.")
        if num_regressors < 0:
            raise ValueError(f"Invalid value for argument `num_regressors`: {num_regressors}. Expected a value >= 0.")
        super().__init__(dtype, name)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), dtype="int32", name="num_samples")

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Add rows."""
        t, y = (array.cast(v, self._dtype) for v in pair_of(y_true, y_pred))
        if t.sizes is not None and len(t.sizes) == 1:
            t, y = t[:, None], y[:, None]
        if len(self._variables) == 1:
            names = ("squared_sum", "sum", "total_mse", "count")
            self._sums = [self.add_variable((y.sizes[-1],), name=n) for n in names]
        w = _weights_like(t, sample_weight)
        for variable, part in zip(self._sums, (t * t, t, elementary.square(t - y), array.ones_like(t)), strict=True):
            variable.assign_add(elementary.reduce_sum(part * w, axis=0))
        self.num_samples.assign_add(array.cast(array.size(t), "int32"))  # as Keras counts: elements, not rows

    def result(self) -> Any:
        """Return the score."""
        if len(self._variables) == 1:
            return array.constant(0.0, self._dtype)
        squares, total, residual, count = (v.read_value() for v in self._sums)
        spread = squares - total * elementary.divide_no_nan(total, count)
        scores = 1.0 - elementary.divide_no_nan(residual, spread)
        scores = array.where(elementary.equal(spread, 0.0), array.zeros_like(scores), scores)
        if self.class_aggregation == "uniform_average":
            scores = elementary.reduce_mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = elementary.reduce_sum(scores * spread) / elementary.reduce_sum(spread)
        if self.num_regressors:
            n = array.cast(self.num_samples.read_value(), self._dtype)
            scores = 1.0 - (1.0 - scores) * (n - 1.0) / (n - self.num_regressors - 1.0)
        return scores

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        given = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **given}


class FBetaScore(Metric):
    """(1 + beta²) precision recall / (beta² precision + recall), for each class, then joined.

    ``average``: "micro" (of all classes' sums), "macro" (the mean), "weighted" (by how often each is true), None: one of each.
    """

    def __init__(
        self, average: str | None = None, beta: float = 1.0, threshold: float | None = None, name: str = "fbeta_score",
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take how classes are joined, beta, the threshold (None: the greatest of a row is the class), a name and a dtype.

        Raises:
            ValueError: for a choice that there is not.
        """
        known = (None, "micro", "macro", "weighted")
        if average not in known:
            raise ValueError(f"Invalid `average` argument value. Expected one of: {known}. Received: average={average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"Invalid `beta` argument value. It should be a Python float > 0. Received: beta={beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"Invalid `threshold` argument value. It should be a Python float in (0, 1], not {threshold!r}")
        super().__init__(dtype, name)
        self.average, self.beta, self.threshold = average, beta, threshold

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count rows of classes.

        Raises:
            ValueError: unless y_pred is a matrix.
        """
        t, y = (array.cast(v, self._dtype) for v in pair_of(y_true, y_pred, False))
        if y.sizes is None or len(y.sizes) != 2:
            raise ValueError(f"FBetaScore expects 2D inputs with shape (batch_size, output_dim), not {y.shape}.")
        if not self._variables:
            shape = () if self.average == "micro" else (y.sizes[-1],)
            names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
            self._sums = [self.add_variable(shape, name=n) for n in names]
        if self.threshold is None:  # a row of zeros says nothing
            yes = elementary.logical_and(y >= elementary.reduce_max(y, axis=-1, keepdims=True), elementary.abs(y) > 1e-9)
        else:
            yes = y > self.threshold
        said = array.cast(yes, self._dtype)
        w = _weights_like(y, sample_weight)
        for variable, part in zip(self._sums, (said * t, said * (1.0 - t), (1.0 - said) * t, t), strict=True):
            variable.assign_add(elementary.reduce_sum(part * w, axis=None if self.average == "micro" else 0))

    def result(self) -> Any:
        """Return the score, or one of each class."""
        if not self._variables:
            return array.constant(0.0, self._dtype)
        right, wrong, missed, true = (v.read_value() for v in self._sums)
        precision, recall = right / (right + wrong + epsilon()), right / (right + missed + epsilon())
        square = self.beta**2
        scores = (1.0 + square) * precision * recall / (square * precision + recall + epsilon())
        if self.average == "weighted":
            return elementary.reduce_sum(scores * true / (elementary.reduce_sum(true) + epsilon()))
        return scores if self.average is None else elementary.reduce_mean(scores)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), for each class, then joined.

    >>> F1Score()([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]).numpy().round(3).tolist()
    [0.6669999957084656, 0.6669999957084656]
    """

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str = "f1_score", dtype: DtypeLike | None = None
    ) -> None:
        """Take how classes are joined, the threshold, a name and a dtype."""
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        del config["beta"]
        return config
