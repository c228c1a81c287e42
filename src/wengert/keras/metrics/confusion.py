"""Metrics of a test that says yes where y_pred is above a threshold: how often it is right and wrong, and what follows of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import epsilon
from wengert.keras.losses.loss import pair_of
from wengert.keras.metrics.metric import Metric
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]

_FEWER = -1e10  # what is no number of y_pred's: below every threshold
_COUNTS = ("true_positives", "true_negatives", "false_positives", "false_negatives")


def between(num_thresholds: int) -> list[float]:
    """Return thresholds at equal distances, of which the first lies below 0 and the last above 1."""
    inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
    return [-epsilon(), *inner, 1.0 + epsilon()]


def _likeliest(y: Tensor, k: int) -> Any:
    """Return y with all but the k greatest numbers along the last axis below every threshold."""
    hot = elementary.reduce_sum(array.one_hot(elementary.top_k(y, k).indices, y.sizes[-1], dtype=y.dtype), axis=-2)
    return y * hot + _FEWER * (1.0 - hot)


class Confusion(Metric):
    """Counts what a test is right and wrong in: ``counted`` says which of the four sums are kept, one for each threshold."""

    counted: ClassVar[tuple[str, ...]] = _COUNTS

    def __init__(self, thresholds: Sequence[float], name: str | None, dtype: DtypeLike | None, labels: int | None = None) -> None:
        """Take the thresholds, name, dtype and, where each label has a sum of its own, how many they are."""
        super().__init__(dtype, name)
        if any(not -1e-3 <= t <= 1.001 and t != _FEWER for t in thresholds):
            raise ValueError(f"Threshold values must be in [0, 1], not {list(thresholds)}.")
        self._levels = list(thresholds)
        shape = [len(self._levels)] if labels is None else [len(self._levels), labels]
        for count in self.counted:
            setattr(self, count, self.add_variable(shape, name=count))

    def _count(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None, class_id: int | None = None,
        top_k: int | None = None, labels: int | None = None,
    ) -> None:  # fmt: skip
        """Add what is true and what the test says, flat or (with ``labels``) in columns."""
        t, y = (array.cast(v, self._dtype) for v in pair_of(y_true, y_pred))
        w = array.ones_like(y) if sample_weight is None else array.cast(sample_weight, self._dtype)
        if y.sizes is not None and w.sizes is not None:
            if len(w.sizes) == len(y.sizes) + 1:
                w = array.squeeze(w, -1)
            for _ in range(len(y.sizes) - len(w.sizes) if w.sizes else 0):
                w = array.expand_dims(w, -1)
        w = array.broadcast_to(w, array.shape(y))
        if top_k is not None:
            y = _likeliest(y, top_k)
        if class_id is not None:
            t, y, w = (v[..., class_id] for v in (t, y, w))
        columns = 1 if labels is None else labels
        t, y, w = (array.reshape(v, [1, -1, columns]) for v in (t, y, w))
        yes = array.cast(y > array.reshape(array.constant(self._levels, self._dtype), [-1, 1, 1]), self._dtype)
        true = array.cast(t > 0.0, self._dtype)
        right = {"true_positives": true * yes, "true_negatives": (1.0 - true) * (1.0 - yes)}
        right |= {"false_positives": (1.0 - true) * yes, "false_negatives": true * (1.0 - yes)}
        for count in self.counted:
            sums = elementary.reduce_sum(right[count] * w, axis=1)
            getattr(self, count).assign_add(sums if labels is not None else sums[:, 0])

    def _sums(self) -> list[Any]:
        return [getattr(self, count).read_value() for count in self.counted]

    def _joined(self, result: Tensor) -> Any:
        """Return one number where there is one threshold."""
        return result[0] if len(self._levels) == 1 else result


def _listed(thresholds: float | Sequence[float] | None, default: float) -> list[float]:
    if thresholds is None:
        return [default]
    return [float(thresholds)] if isinstance(thresholds, int | float) else [float(t) for t in thresholds]


class _Counted(Confusion):
    """One of the four sums."""

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None, dtype: DtypeLike | None = None
    ) -> None:
        """Take thresholds (0.5), a name and a dtype."""
        self.thresholds = _listed(thresholds, 0.5)
        super().__init__(self.thresholds, name, dtype)
        self._given = thresholds

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count."""
        self._count(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """Return the sum, one for each threshold."""
        return self._joined(self._sums()[0])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "thresholds": self._given}


class TruePositives(_Counted):
    """How many are true, and above the threshold.

    >>> float(TruePositives()([0, 1, 1, 1], [0.1, 0.9, 0.2, 0.8]))
    2.0
    """

    counted = ("true_positives",)


class TrueNegatives(_Counted):
    """How many are not true, and not above the threshold."""

    counted = ("true_negatives",)


class FalsePositives(_Counted):
    """How many are not true, and above the threshold."""

    counted = ("false_positives",)


class FalseNegatives(_Counted):
    """How many are true, and not above the threshold."""

    counted = ("false_negatives",)


class _Rate(Confusion):
    """The true positives among what the second sum and they have together."""

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, top_k: int | None = None, class_id: int | None = None,
        name: str | None = None, dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take thresholds (0.5; none with ``top_k``), how many of a row's greatest count, and the only class that does."""
        self.thresholds = _listed(thresholds, 0.5 if top_k is None else _FEWER)
        super().__init__(self.thresholds, name, dtype)
        self.top_k, self.class_id, self._given = top_k, class_id, thresholds

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count."""
        self._count(y_true, y_pred, sample_weight, self.class_id, self.top_k)

    def result(self) -> Any:
        """Return the rate, 0 of nothing; one for each threshold."""
        right, wrong = self._sums()
        return self._joined(elementary.divide_no_nan(right, right + wrong))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "thresholds": self._given, "top_k": self.top_k, "class_id": self.class_id}


class Precision(_Rate):
    """How many of those above the threshold are true.

    >>> float(Precision()([0, 1, 1, 1], [0.6, 0.9, 0.2, 0.8]))  # doctest: +ELLIPSIS
    0.666...
    """

    counted = ("true_positives", "false_positives")


class Recall(_Rate):
    """How many of what is true are above the threshold.

    >>> float(Recall()([0, 1, 1, 1], [0.6, 0.9, 0.2, 0.8]))  # doctest: +ELLIPSIS
    0.666...
    """

    counted = ("true_positives", "false_negatives")


class _Bound(Confusion):
    """The greatest of one rate, ``_wanted``, over the thresholds at which another, ``_label``, is at least ``value``."""

    _label: ClassVar[str]
    _wanted: ClassVar[str]

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: DtypeLike | None
    ) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"Argument `{self._label}` must be in the range [0, 1], not {value}.")
        if num_thresholds <= 0:
            raise ValueError(f"Argument `num_thresholds` must be an integer > 0, not {num_thresholds}.")
        ends = [0.0, *between(num_thresholds)[1:-1], 1.0]
        self.thresholds = [0.5] if num_thresholds == 1 else ends
        super().__init__(self.thresholds, name, dtype)
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count."""
        self._count(y_true, y_pred, sample_weight, self.class_id)

    def _rates(self) -> dict[str, Any]:
        tp, tn, fp, fn = self._sums()
        pairs = {"sensitivity": (tp, fn), "specificity": (tn, fp), "precision": (tp, fp), "recall": (tp, fn)}
        return {name: elementary.divide_no_nan(right, right + wrong) for name, (right, wrong) in pairs.items()}

    def result(self) -> Any:
        """Return the greatest rate, 0 where no threshold will do."""
        rates = self._rates()
        wanted = rates[self._wanted]
        return elementary.reduce_max(array.where(rates[self._label] >= self.value, wanted, array.zeros_like(wanted)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        given = {self._label: self.value, "num_thresholds": self.num_thresholds, "class_id": self.class_id}
        return {**super().get_config(), **given}


class SensitivityAtSpecificity(_Bound):
    """The greatest share of what is true that is found, where at least a share ``specificity`` of the rest is not."""

    _label, _wanted = "specificity", "sensitivity"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the specificity, how many thresholds are tried, the only class that counts, a name and a dtype."""
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_Bound):
    """The greatest share of what is not true that is not found, where at least a share ``sensitivity`` of what is true is."""

    _label, _wanted = "sensitivity", "specificity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the sensitivity, how many thresholds are tried, the only class that counts, a name and a dtype."""
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_Bound):
    """The greatest precision where the recall is at least ``recall``."""

    _label, _wanted = "recall", "precision"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the recall, how many thresholds are tried, the only class that counts, a name and a dtype."""
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_Bound):
    """The greatest recall where the precision is at least ``precision``."""

    _label, _wanted = "precision", "recall"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the precision, how many thresholds are tried, the only class that counts, a name and a dtype."""
        super().__init__(precision, num_thresholds, class_id, name, dtype)
