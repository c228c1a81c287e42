"""`AUC`: the area under a curve of two rates of a test, whose points are its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import epsilon
from wengert.keras.losses.loss import tensor_of
from wengert.keras.metrics.confusion import Confusion, between
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["AUC"]

_ratio = elementary.divide_no_nan


class AUC(Confusion):
    """The area under the curve ``ROC`` (true positives by false ones), ``PR`` (precision by recall) or ``PRGAIN``.

    The area between two thresholds is a trapezium (of ``PR``: Davis & Goadrich 2006's) by ``interpolation``, else the
    ``minoring`` or ``majoring`` rectangle.

    >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
    0.75
    """

    def __init__(
        self, num_thresholds: int = 200, curve: str = "ROC", summation_method: str = "interpolation", name: str | None = None,
        dtype: DtypeLike | None = None, thresholds: Sequence[float] | None = None, multi_label: bool = False,
        num_labels: int | None = None, label_weights: TensorLike | None = None, from_logits: bool = False,
    ) -> None:  # fmt: skip
        """Take the choices; with ``multi_label`` each column is a test of its own, and the areas' mean is told.

        Raises:
            ValueError: for an unknown curve or method, or fewer than two thresholds.
        """
        for value, known, what in (
            (curve, ("ROC", "PR", "PRGAIN"), "curve"),
            (summation_method, ("interpolation", "minoring", "majoring"), "summation_method"),
        ):
            if value not in known:
                raise ValueError(f"Invalid `{what}` argument value {value!r}. Expected one of: {list(known)}.")
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(f"Argument `num_thresholds` must be an integer > 1, not {num_thresholds}.")
        inner = None if thresholds is None else sorted(float(t) for t in thresholds)
        levels = between(num_thresholds) if inner is None else [-epsilon(), *inner, 1.0 + epsilon()]
        self.curve, self.summation_method, self.thresholds, self.num_thresholds = curve, summation_method, levels, len(levels)
        self.multi_label, self.num_labels, self.label_weights, self._from_logits = (
            multi_label,
            num_labels,
            label_weights,
            from_logits,
        )
        self._inner, self._made = inner, (name, dtype)
        if multi_label and num_labels is None:
            self._levels = []
            super(Confusion, self).__init__(dtype, name)
        else:
            super().__init__(levels, name, dtype, num_labels if multi_label else None)

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Count, for each threshold."""
        y = tensor_of(y_pred)
        if self.multi_label and not self._variables:  # y_pred says how many labels there are
            super().__init__(self.thresholds, self.name, self._dtype, y.sizes[-1])
        labels = getattr(self, self.counted[0]).sizes[1] if self.multi_label else None
        self._count(y_true, elementary.sigmoid(y) if self._from_logits else y, sample_weight, labels=labels)

    def result(self) -> Any:
        """Return the area."""
        if not self._variables:
            return array.constant(0.0, self._dtype)
        tp, tn, fp, fn = self._sums()
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _precision_recall(tp, fp, fn)
        else:
            x, y = self._points(tp, tn, fp, fn)
            one, other = y[:-1], y[1:]
            heights = {
                "interpolation": lambda: (one + other) / 2.0,
                "minoring": lambda: elementary.minimum(one, other),
                "majoring": lambda: elementary.maximum(one, other),
            }[self.summation_method]()
            areas = (x[:-1] - x[1:]) * heights
        if not self.multi_label:
            return elementary.reduce_sum(areas)
        by_label = elementary.reduce_sum(areas, axis=0)
        if self.label_weights is None:
            return elementary.reduce_mean(by_label)
        weights = array.cast(self.label_weights, by_label.dtype)
        return _ratio(elementary.reduce_sum(by_label * weights), elementary.reduce_sum(weights))

    def _points(self, tp: Tensor, tn: Tensor, fp: Tensor, fn: Tensor) -> tuple[Any, Any]:
        """Return the curve's points (x, y)."""
        recall = _ratio(tp, tp + fn)
        if self.curve == "ROC":
            return _ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, _ratio(tp, tp + fp)
        # Flach & Kull 2015: the gains over the share of what is true; 1 and 0 where nothing true is found.
        odds, found = _ratio(tp + fn, fp + tn), tp > 0.0
        recall_gain = array.where(found, 1.0 - odds * _ratio(fn, tp), array.zeros_like(tp))
        return elementary.maximum(recall_gain, 0.0), array.where(found, 1.0 - odds * _ratio(fp, tp), array.ones_like(tp))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        given = {"num_thresholds": self.num_thresholds, "curve": self.curve, "summation_method": self.summation_method}
        given |= {"multi_label": self.multi_label, "num_labels": self.num_labels, "label_weights": self.label_weights}
        given |= {"from_logits": self._from_logits}
        return {**super().get_config(), **given, **({} if self._inner is None else {"thresholds": self._inner})}


def _precision_recall(tp: Tensor, fp: Tensor, fn: Tensor) -> Any:
    """Return the areas under precision by recall between neighbouring thresholds.

    Between two of them the true positives are a line in the positives p, tp = slope p + intercept, so that the precision's
    integral over the recall is slope (Δtp + intercept log(p / p')) / (tp + fn).
    """
    p = tp + fp
    gained = tp[:-1] - tp[1:]
    slope = _ratio(gained, elementary.maximum(p[:-1] - p[1:], 0.0))
    intercept = tp[1:] - slope * p[1:]
    both = elementary.logical_and(p[:-1] > 0.0, p[1:] > 0.0)
    ratio = array.where(both, _ratio(p[:-1], elementary.maximum(p[1:], 0.0)), array.ones_like(p[1:]))
    return _ratio(slope * (gained + intercept * elementary.log(ratio)), elementary.maximum(tp[1:] + fn[1:], 0.0))
