"""``tf.nn``'s averages of losses over a batch that several replicas may share."""

from __future__ import annotations

from typing import Any

from wengert.functions import array, math
from wengert.ground.dtypes import float64
from wengert.surface.distribute.strategies import get_strategy, has_strategy, in_cross_replica_context
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["compute_average_loss", "scale_regularization_loss"]


def _in_replica(name: str) -> None:
    if has_strategy() and in_cross_replica_context():
        raise RuntimeError(
            f"You are calling `{name}` in cross replica context, while it was expected to be called in replica context."
        )


def _weighted(losses: Tensor, weights: Tensor) -> Any:
    """Return losses times weights, of which one axis of length 1 at the end may be missing, or be too much."""
    if losses.sizes is not None and weights.sizes:
        if len(weights.sizes) == len(losses.sizes) + 1 and weights.sizes[-1] == 1:
            weights = array.squeeze(weights, [-1])
        elif len(weights.sizes) == len(losses.sizes) - 1:
            weights = array.expand_dims(weights, -1)
    return losses * array.cast(weights, losses.dtype)


def compute_average_loss(
    per_example_loss: TensorLike, sample_weight: TensorLike | None = None, global_batch_size: TensorLike | None = None
) -> Any:
    """Return the sum of the losses of a batch's examples, divided by the batch's size: a scalar of the losses' dtype.

    Args:
        per_example_loss: the losses, of one axis at least; the first is that of the examples.
        sample_weight: weights that the losses are multiplied by.
        global_batch_size: how many examples the batch has; the length of the first axis by default.

    Raises:
        ValueError: for a scalar loss, and a negative size.
        TypeError: for a size that is not whole.
        RuntimeError: across replicas, without a size.

    >>> import wengert as tf
    >>> tf.nn.compute_average_loss([1.0, 3.0], global_batch_size=4).numpy()
    np.float32(1.0)
    """
    losses = convert(per_example_loss)
    if losses.sizes == ():
        raise ValueError(
            "Invalid value passed for `per_example_loss`. Expected a tensor with at least rank 1. Received per_example_loss="
            f"{per_example_loss!r} with rank 0"
        )
    kind = losses.dtype
    if sample_weight is not None:
        losses = _weighted(losses, convert(sample_weight))
    if global_batch_size is None:
        _in_replica("compute_average_loss")
        global_batch_size = array.shape(losses)[0] * get_strategy().num_replicas_in_sync
    size: Tensor = convert(global_batch_size)
    if size.sizes:
        raise ValueError(f"global_batch_size must be scalar, not of shape {size.sizes}.")
    if not size.dtype.is_integer:
        raise TypeError(f"global_batch_size must be an integer, not {size.dtype.name}.")
    total = math.reduce_sum(array.cast(losses, kind))
    kind = kind if kind.is_floating or kind.is_complex else float64
    return math.divide_no_nan(array.cast(total, kind), array.cast(size, kind))


def scale_regularization_loss(regularization_loss: TensorLike) -> Any:
    """Return the sum of regularization losses, divided by the number of replicas: a scalar.

    Raises:
        RuntimeError: across replicas.

    >>> import wengert as tf
    >>> tf.nn.scale_regularization_loss([1.0, 2.0]).numpy()
    np.float32(3.0)
    """
    _in_replica("scale_regularization_loss")
    return math.reduce_sum(regularization_loss) / get_strategy().num_replicas_in_sync
