"""Losses of what overlaps: of regions (Dice, Tversky), and of vectors of which those of one class shall be near (Circle)."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras import masks
from wengert.keras.configuration import epsilon
from wengert.keras.losses.loss import LossFunctionWrapper, pair_of, tensor_of
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["Circle", "Dice", "Tversky", "circle", "dice", "tversky"]

Axes = int | tuple[int, ...] | list[int] | None


def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axes = None) -> Any:
    """Return 1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred)), along axes or of all elements."""
    t, y = pair_of(y_true, y_pred)
    common = elementary.reduce_sum(t * y, axis=axis)
    both = elementary.reduce_sum(t, axis=axis) + elementary.reduce_sum(y, axis=axis)
    return 1.0 - elementary.divide_no_nan(2.0 * common, both + epsilon())


def tversky(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Any:
    """Return 1 - c / (c + alpha missed + beta wrong), along axes or of all elements: Tversky (1977).

    c = sum(y_true y_pred), missed = sum(y_true (1 - y_pred)), wrong = sum((1 - y_true) y_pred).
    """
    t, y = pair_of(y_true, y_pred)
    common = elementary.reduce_sum(t * y, axis=axis)
    wrong = elementary.reduce_sum((1.0 - t) * y, axis=axis)
    missed = elementary.reduce_sum(t * (1.0 - y), axis=axis)
    return 1.0 - elementary.divide_no_nan(common, common + alpha * missed + beta * wrong + epsilon())


def circle(
    y_true: TensorLike, y_pred: TensorLike, ref_labels: TensorLike | None = None, ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True, gamma: float = 80, margin: float = 0.4,
) -> Any:  # fmt: skip
    """Return log(1 + sum(exp(a)) sum(exp(b))) for each row, with the distances d = 1 - cosine to the rows of reference.

    a = gamma max(margin + d, 0) (d - margin) over rows of the same class, b = gamma max(1 + margin - d, 0) (1 - margin - d) over
    those of others: Sun et al. (2020). ``y_true`` are classes, ``y_pred`` vectors of length 1; ``remove_diagonal``: no row is
    compared with itself. Rows of which no other is of the same class, or none of another, are 0, and do not count.
    """
    y = tensor_of(y_pred)
    labels = array.reshape(array.cast(y_true, "int64"), [-1, 1])
    reference = labels if ref_labels is None else array.reshape(array.cast(ref_labels, "int64"), [-1, 1])
    others = y if ref_embeddings is None else array.cast(ref_embeddings, y.dtype)
    distance = 1.0 - elementary.matmul(y, others, transpose_b=True)
    same = elementary.equal(labels, array.transpose(reference))
    other = elementary.logical_not(same)
    if remove_diagonal:
        rows, columns = array.shape(distance)[0], array.shape(distance)[1]
        same = elementary.logical_and(same, elementary.not_equal(array.range(rows)[:, None], array.range(columns)[None, :]))
    near = gamma * elementary.maximum(margin + distance, 0.0) * (distance - margin)
    far = gamma * elementary.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    found = elementary.softplus(_among(near, same) + _among(far, other))
    return masks.attach(found, found > 0.0)


def _among(x: Tensor, mask: Tensor) -> Any:
    """Return log(sum(exp(x))) of each row's elements in a mask: a number that exp takes to 0 where there is none."""
    return elementary.reduce_logsumexp(array.where(mask, x, array.fill(array.shape(x), array.constant(-1e9, x.dtype))), axis=1)


class Dice(LossFunctionWrapper):
    """1 - the Dice coefficient of two regions."""

    def __init__(
        self, reduction: str = "sum_over_batch_size", name: str = "dice", axis: Axes = None, dtype: DtypeLike | None = None
    ) -> None:
        """Take reduction, name, the axes of a region (None: all), and dtype."""
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """1 - the Tversky index of two regions."""

    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, reduction: str = "sum_over_batch_size", name: str = "tversky",
        axis: Axes = None, dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take what missed and wrong elements weigh, reduction, name, the axes of a region (None: all), and dtype."""
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


class Circle(LossFunctionWrapper):
    """The circle loss of vectors: `circle` of them scaled to length 1."""

    def __init__(
        self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True, reduction: str = "sum_over_batch_size",
        name: str = "circle", dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take gamma, margin, whether no row is compared with itself, reduction, name and dtype."""
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
