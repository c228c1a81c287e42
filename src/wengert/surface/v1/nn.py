"""The functions of TensorFlow 1's ``tf.nn`` that are not TensorFlow 2's with other names of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions import array, math
from wengert.functions import nn as two
from wengert.functions.math import named
from wengert.ground import checks
from wengert.surface.keywords import sentinel
from wengert.tensor.tensor import AxisLike, TensorLike, convert


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: AxisLike = -1,
    name: str | None = None,
    axis: AxisLike | None = None,
) -> Any:
    """Return -Σ labels log softmax(logits); no derivative passes to the labels."""
    sentinel("softmax_cross_entropy_with_logits", _sentinel)
    along = dim if axis is None else axis
    return two.softmax_cross_entropy_with_logits(array.stop_gradient(labels), logits, along, name)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """Return -log softmax(logits) at the labels."""
    sentinel("sparse_softmax_cross_entropy_with_logits", _sentinel)
    return two.sparse_softmax_cross_entropy_with_logits(labels, logits, name)


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: TensorLike | None = None, logits: TensorLike | None = None, name: str | None = None
) -> Any:
    """Return the cross entropy of each label by itself."""
    sentinel("sigmoid_cross_entropy_with_logits", _sentinel)
    return two.sigmoid_cross_entropy_with_logits(labels, logits, name)


def dropout(
    x: TensorLike,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | Sequence[int] | None = None,
    name: str | None = None,
    rate: TensorLike | None = None,
) -> Any:
    """Return x with elements dropped at a rate (or kept with a probability), the others scaled up.

    Raises:
        ValueError: if both are given, or neither.
    """
    if (keep_prob is None) == (rate is None):
        raise ValueError("dropout: give one of keep_prob and rate.")
    return two.dropout(x, 1.0 - keep_prob if rate is None else rate, noise_shape, seed, name)


def embedding_lookup(
    params: TensorLike, ids: TensorLike, partition_strategy: str = "mod", name: str | None = None, validate_indices: bool = True,
    max_norm: Any = None,
) -> Any:  # fmt: skip
    """Return rows of a table, whose shards are mixed ("mod") unless the strategy is "div"."""
    return two.embedding_lookup(params, ids, max_norm, name, partition_strategy=partition_strategy)


def fused_batch_norm(
    x: TensorLike,
    scale: TensorLike,
    offset: TensorLike,
    mean: TensorLike | None = None,
    variance: TensorLike | None = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> Any:
    """Return (scale (x - mean) / √(variance + ε) + offset, mean, variance), by the channels, in the dtype of the scale.

    In training y has the batch's own mean and variance; what is returned of them is (1 - f) old + f new for the factor f,
    the new variance times n / (n - 1), which is without bias. ε is 1.001e-5 or more, as in TensorFlow.

    Raises:
        ValueError: for another data format, and where the old mean and variance are needed and not there.
    """
    training = checks.flag(is_training, "fused_batch_norm", "is_training")
    if data_format not in ("NHWC", "NDHWC", "NCHW", "NCDHW"):
        raise ValueError(f"fused_batch_norm: data_format is NHWC, NDHWC, NCHW or NCDHW, and not {data_format!r}.")
    if (not training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or `exponential_avg_factor` != 1.0."
        )
    t, gamma = convert(x), convert(scale)
    beta, wide = convert(offset, like=gamma), array.cast(t, gamma.dtype)
    channel = data_format.index("C")
    others = [i for i in range(len(data_format)) if i != channel]
    sizes = [-1 if i == channel else 1 for i in range(len(data_format))]
    if training:
        m, v = two.moments(wide, others)
    else:
        m, v = convert(mean, like=gamma), convert(variance, like=gamma)
    m4, v4, gamma4, beta4 = (array.reshape(a, sizes) for a in (m, v, gamma, beta))
    # The difference comes first: where there is no row at all, 0 rows of NaN add up to a derivative of 0.
    y = (wide - m4) * math.rsqrt(v4 + max(epsilon, 1.001e-5)) * gamma4 + beta4
    if training:
        n = array.cast(array.size(t), v.dtype) / array.cast(array.size(v), v.dtype)
        v = v * (n / math.maximum(n - 1.0, 1.0))
        if exponential_avg_factor != 1.0:
            kept = 1.0 - exponential_avg_factor
            m = kept * convert(mean, like=m) + exponential_avg_factor * m
            v = kept * convert(variance, like=v) + exponential_avg_factor * v
    return named(array.cast(y, t.dtype), name), m, v
