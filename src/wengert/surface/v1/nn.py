"""TensorFlow 1's ``tf.nn``."""

from __future__ import annotations

from typing import Any

from wengert.functions import array, math
from wengert.functions import nn as two
from wengert.functions.math import named
from wengert.ground import checks
from wengert.surface.nn import (
    atrous_conv2d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    batch_normalization,
    bias_add,
    conv1d_transpose,
    conv3d_transpose,
    convolution,
    elu,
    gelu,
    in_top_k,
    isotonic_regression,
    l2_loss,
    leaky_relu,
    local_response_normalization,
    log_poisson_loss,
    log_sigmoid,
    lrn,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    relu,
    relu6,
    relu_layer,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    swish,
    tanh,
    top_k,
    xw_plus_b,
    zero_fraction,
)
from wengert.surface.v1.keywords import renamed, sentinel
from wengert.surface.v1.linalg import l2_normalize
from wengert.surface.v1.math import log_softmax, softmax
from wengert.tensor.tensor import convert

__all__ = [
    "atrous_conv2d",
    "avg_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_normalization",
    "bias_add",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "convolution",
    "crelu",
    "depthwise_conv2d",
    "depthwise_conv2d_native",
    "dropout",
    "elu",
    "embedding_lookup",
    "fused_batch_norm",
    "gelu",
    "in_top_k",
    "isotonic_regression",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "local_response_normalization",
    "log_poisson_loss",
    "log_sigmoid",
    "log_softmax",
    "lrn",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "moments",
    "relu",
    "relu6",
    "relu_layer",
    "selu",
    "separable_conv2d",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "silu",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
    "top_k",
    "weighted_cross_entropy_with_logits",
    "weighted_moments",
    "xw_plus_b",
    "zero_fraction",
]


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, dim: Any = -1, name: str | None = None, axis: Any = None
) -> Any:
    """Return -Σ labels log softmax(logits); no derivative passes to the labels."""
    sentinel("softmax_cross_entropy_with_logits", _sentinel)
    along = dim if axis is None else axis
    return two.softmax_cross_entropy_with_logits(array.stop_gradient(labels), logits, along, name)


def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: Any = None, name: str | None = None, dim: Any = None
) -> Any:
    """Return -Σ labels log softmax(logits)."""
    return two.softmax_cross_entropy_with_logits(labels, logits, renamed("axis", axis, "dim", dim, -1), name)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """Return -log softmax(logits) at the labels."""
    sentinel("sparse_softmax_cross_entropy_with_logits", _sentinel)
    return two.sparse_softmax_cross_entropy_with_logits(labels, logits, name)


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """Return the cross entropy of each label by itself."""
    sentinel("sigmoid_cross_entropy_with_logits", _sentinel)
    return two.sigmoid_cross_entropy_with_logits(labels, logits, name)


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Any:
    """Return the cross entropy with positive labels weighted."""
    return two.weighted_cross_entropy_with_logits(renamed("labels", labels, "targets", targets), logits, pos_weight, name)


def conv1d(
    value: Any = None, filters: Any = None, stride: Any = None, padding: Any = None, use_cudnn_on_gpu: Any = None,
    data_format: Any = None, name: str | None = None, input: Any = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """Return a convolution along one axis."""
    return two.conv1d(renamed("input", input, "value", value), filters, stride, padding, data_format or "NWC", dilations, name)


def conv2d(
    input: Any, filter: Any = None, strides: Any = None, padding: Any = None, use_cudnn_on_gpu: bool = True,
    data_format: Any = "NHWC", dilations: Any = None, name: str | None = None, filters: Any = None,
) -> Any:  # fmt: skip
    """Return a convolution along two axes."""
    return two.conv2d(input, renamed("filters", filters, "filter", filter), strides, padding, data_format, dilations, name)


def conv3d(
    input: Any, filter: Any = None, strides: Any = None, padding: Any = None, data_format: Any = "NDHWC",
    dilations: Any = None, name: str | None = None, filters: Any = None,
) -> Any:  # fmt: skip
    """Return a convolution along three axes."""
    return two.conv3d(input, renamed("filters", filters, "filter", filter), strides, padding, data_format, dilations, name)


def conv2d_transpose(
    value: Any = None, filter: Any = None, output_shape: Any = None, strides: Any = None, padding: Any = "SAME",
    data_format: Any = "NHWC", name: str | None = None, input: Any = None, filters: Any = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """Return the adjoint of a convolution along two axes."""
    x, w = renamed("input", input, "value", value), renamed("filters", filters, "filter", filter)
    return two.conv2d_transpose(x, w, output_shape, strides, padding, data_format, dilations, name)


def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: Any, rate: Any = None, name: str | None = None, data_format: Any = None,
    dilations: Any = None,
) -> Any:  # fmt: skip
    """Return convolutions of each channel by itself."""
    return two.depthwise_conv2d(input, filter, strides, padding, data_format, renamed("dilations", dilations, "rate", rate), name)


def depthwise_conv2d_native(
    input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = "NHWC", dilations: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return convolutions of each channel by itself."""
    return two.depthwise_conv2d(input, filter, strides, padding, data_format, dilations, name)


def separable_conv2d(
    input: Any, depthwise_filter: Any, pointwise_filter: Any, strides: Any, padding: Any, rate: Any = None,
    name: str | None = None, data_format: Any = None, dilations: Any = None,
) -> Any:  # fmt: skip
    """Return a convolution of each channel by itself, then of each point by itself."""
    return two.separable_conv2d(
        input, depthwise_filter, pointwise_filter, strides, padding, data_format,
        renamed("dilations", dilations, "rate", rate), name,
    )  # fmt: skip


def max_pool(
    value: Any = None, ksize: Any = None, strides: Any = None, padding: Any = None, data_format: Any = "NHWC",
    name: str | None = None, input: Any = None,
) -> Any:  # fmt: skip
    """Return the greatest element of each window."""
    return two.max_pool(renamed("input", input, "value", value), ksize, strides, padding, data_format, name)


def avg_pool(
    value: Any = None, ksize: Any = None, strides: Any = None, padding: Any = None, data_format: Any = "NHWC",
    name: str | None = None, input: Any = None,
) -> Any:  # fmt: skip
    """Return the mean of each window."""
    return two.avg_pool(renamed("input", input, "value", value), ksize, strides, padding, data_format, name)


def dropout(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, name: str | None = None, rate: Any = None
) -> Any:
    """Return x with elements dropped at a rate (or kept with a probability), the others scaled up.

    Raises:
        ValueError: if both are given, or neither.
    """
    if (keep_prob is None) == (rate is None):
        raise ValueError("dropout: give one of keep_prob and rate.")
    return two.dropout(x, 1.0 - keep_prob if rate is None else rate, noise_shape, seed, name)


def moments(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: Any = None, keepdims: Any = None
) -> tuple[Any, Any]:
    """Return mean and variance over axes."""
    keep = renamed("keepdims", keepdims, "keep_dims", keep_dims, False)
    return two.moments(x, axes, shift, keep, name)


def embedding_lookup(
    params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None, validate_indices: bool = True,
    max_norm: Any = None,
) -> Any:  # fmt: skip
    """Return rows of a table, whose shards are mixed ("mod") unless the strategy is "div"."""
    return two.embedding_lookup(params, ids, max_norm, name, partition_strategy=partition_strategy)


def crelu(features: Any, name: str | None = None, axis: Any = -1) -> Any:
    """Return relu(x) beside relu(-x)."""
    return two.crelu(features, axis, name)


def fused_batch_norm(
    x: Any, scale: Any, offset: Any, mean: Any = None, variance: Any = None, epsilon: float = 0.001,
    data_format: str = "NHWC", is_training: bool = True, name: str | None = None, exponential_avg_factor: float = 1.0,
) -> Any:  # fmt: skip
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


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, name: str | None = None, keep_dims: Any = None, keepdims: Any = None
) -> tuple[Any, Any]:
    """Return weighted mean and variance over axes."""
    keep = renamed("keepdims", keepdims, "keep_dims", keep_dims, False)
    return two.weighted_moments(x, axes, frequency_weights, keep, name)
