"""Connectionist temporal classification: the likelihood of a sequence, summed over how it may lie along longer time."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.losses.loss import LossFunctionWrapper, tensor_of
from wengert.modes import control
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["CTC", "ctc", "ctc_loss"]

_NEVER = -1e9  # the logarithm of a probability that exp takes to 0; infinities would make derivatives of nothing NaN


def ctc_loss(
    target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike, mask_index: int = 0
) -> Any:
    """Return -log of the probability of each row's labels: Graves et al. (2006), section 4.1.

    Args:
        target: labels, shape (batch, labels).
        output: logits of classes, shape (batch, time, classes).
        target_length: how many labels count, shape (batch,).
        output_length: how many steps of time count, shape (batch,).
        mask_index: the class that stands for no label.
    """
    logp = elementary.log_softmax(tensor_of(output), -1)
    labels = array.cast(target, "int64")
    batch, count = array.shape(labels)[0], array.shape(labels)[1]
    blanks = array.fill([batch, count], array.constant(mask_index, "int64"))
    # A blank before, between and after the labels: 2 count + 1 places.
    path = array.concat(
        [array.reshape(array.stack([blanks, labels], axis=2), [batch, -1]), blanks[:, :1] * 0 + mask_index], axis=1
    )
    seen = array.gather(logp, array.tile(path[:, None, :], [1, array.shape(logp)[1], 1]), axis=2, batch_dims=2)
    # A label may follow the one before it directly unless they are the same.
    skips = elementary.logical_and(elementary.not_equal(path[:, 2:], mask_index), elementary.not_equal(path[:, 2:], path[:, :-2]))
    never = array.cast(_NEVER, logp.dtype)
    steps = array.cast(output_length, "int32")

    def later(alpha: Tensor, by: int) -> Any:
        return array.concat([array.fill([batch, by], never), alpha[:, :-by]], axis=1)

    def step(alpha: Tensor, now: tuple[Tensor, Tensor]) -> Any:
        at, seen_now = now
        skipped = later(alpha, 2)
        skipped = array.concat([skipped[:, :2], array.where(skips, skipped[:, 2:], never)], axis=1)
        ways = elementary.reduce_logsumexp(array.stack([alpha, later(alpha, 1), skipped]), axis=0)
        return array.where((at < steps)[:, None], ways + seen_now, alpha)

    places = array.range(array.shape(path)[1])[None, :]
    start = array.where(places < 2, seen[:, 0], never)
    rest = array.transpose(seen, [1, 0, 2])[1:]
    alpha = control.foldl(step, (array.range(1, array.shape(logp)[1]), rest), start)
    last = array.cast(target_length, "int32")[:, None] * 2
    ends = elementary.logical_or(elementary.equal(places, last), elementary.equal(places, last - 1))
    found = -elementary.reduce_logsumexp(array.where(ends, alpha, never), axis=1)
    return array.where(found > -0.5 * _NEVER, array.fill(array.shape(found), array.constant(float("inf"), found.dtype)), found)


def ctc(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return `ctc_loss` of labels, those that are 0 left out, and logits of all steps of time.

    Raises:
        ValueError: unless they have shapes (batch, labels) and (batch, time, classes).
    """
    y, t = tensor_of(y_pred), array.cast(y_true, "int64")
    if t.sizes is None or len(t.sizes) != 2:
        raise ValueError(f"Targets `y_true` must be a tensor of shape `(batch_size, target_length)`, not {t.shape}.")
    if y.sizes is None or len(y.sizes) != 3:
        raise ValueError(f"Logits `y_pred` must have shape `(batch_size, output_length, num_classes)`, not {y.shape}.")
    length = elementary.reduce_sum(array.cast(elementary.not_equal(t, 0), "int32"), axis=-1)
    return ctc_loss(t, y, length, array.fill([array.shape(y)[0]], array.shape(y)[1]))


class CTC(LossFunctionWrapper):
    """-log of the probability of labels along time."""

    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "ctc", dtype: DtypeLike | None = None) -> None:
        """Take reduction, name and dtype."""
        super().__init__(ctc, reduction, name, dtype)
