"""Cross entropies that weigh rows by how sure the prediction is: focal ones, of Lin et al. (2017), and the generalised one."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import epsilon
from wengert.keras.losses.loss import LossFunctionWrapper, pair_of, tensor_of
from wengert.tensor.tensor import TensorLike

__all__ = [
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
]


def binary_focal_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
) -> Any:  # fmt: skip
    """Return the mean along an axis of -(1 - p)^gamma log(p), where p is the probability of what is true.

    ``apply_class_balancing``: times alpha where y_true is 1, 1 - alpha where it is 0.
    """
    t, y = pair_of(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y = elementary.sigmoid(y)
    kept = elementary.clip_by_value(y, epsilon(), 1.0 - epsilon())
    entropy = -(t * elementary.log(kept) + (1.0 - t) * elementary.log(1.0 - kept))
    found = elementary.pow(1.0 - (t * y + (1.0 - t) * (1.0 - y)), gamma) * entropy
    if apply_class_balancing:
        found = found * (t * alpha + (1.0 - t) * (1.0 - alpha))
    return elementary.reduce_mean(found, axis=axis)


def categorical_focal_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
    label_smoothing: float = 0.0, axis: int = -1,
) -> Any:  # fmt: skip
    """Return the sum along an axis of -alpha (1 - y_pred)^gamma y_true log(y_pred), y_pred scaled to sum 1 along it."""
    t, y = pair_of(y_true, y_pred, False)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.sizes[axis]
    if from_logits:
        y = elementary.softmax(y, axis)
    y = y / elementary.reduce_sum(y, axis=axis, keepdims=True)
    y = elementary.clip_by_value(y, epsilon(), 1.0 - epsilon())
    return elementary.reduce_sum(-alpha * elementary.pow(1.0 - y, gamma) * t * elementary.log(y), axis=axis)


def categorical_generalized_cross_entropy(y_true: TensorLike, y_pred: TensorLike, q: float) -> Any:
    """Return (1 - p^q) / q, where p is the probability of the class, a whole number, that is true: Zhang & Sabuncu (2018)."""
    y = tensor_of(y_pred)
    t = array.cast(y_true, "int64")
    if t.sizes is not None and y.sizes is not None and len(t.sizes) == len(y.sizes):
        t = array.squeeze(t, -1)
    p = elementary.reduce_sum(y * array.one_hot(t, y.sizes[-1], dtype=y.dtype), axis=-1)
    return (1.0 - elementary.pow(p, q)) / q


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The focal cross entropy of labels 0 and 1."""

    def __init__(
        self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
        label_smoothing: float = 0.0, axis: int = -1, reduction: str = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy", dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the choices."""
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The focal cross entropy of classes given as rows with a 1 in them."""

    def __init__(
        self, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
        reduction: str = "sum_over_batch_size", name: str = "categorical_focal_crossentropy", dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the choices."""
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """The generalised cross entropy of classes given as whole numbers, which bears wrong labels."""

    def __init__(
        self, q: float = 0.5, reduction: str = "sum_over_batch_size", name: str = "categorical_generalized_cross_entropy",
        dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take q, reduction, name and dtype.

        Raises:
            ValueError: unless q lies between 0 and 1.
        """
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1), not {q}.")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
