"""Functions of windows that move over axes, of blocks of images, and attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.keras.configuration import image_data_format
from wengert.keras.ops.promotion import floating, tensor, together
from wengert.tensor.tensor import TensorLike

__all__ = [
    "average_pool",
    "conv",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "dot_product_attention",
    "extract_sequences",
    "max_pool",
    "separable_conv",
    "space_to_depth",
]


def _format(data_format: str | None, n: int) -> str:
    """Return TensorFlow's letters for where the channels stand, in images of n axes.

    Raises:
        ValueError: for something else than "channels_last" and "channels_first".
    """
    name = image_data_format() if data_format is None else data_format
    if name not in ("channels_last", "channels_first"):
        raise ValueError(f"The data format is 'channels_last' or 'channels_first', not {data_format!r}.")
    space = {1: "W", 2: "HW", 3: "DHW"}[n]
    return f"N{space}C" if name == "channels_last" else f"NC{space}"


def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Any:
    """Return the correlation of inputs with a kernel of shape (..., channels in, channels out), over one to three axes.

    >>> conv([[[1.0], [2.0], [4.0]]], [[[1.0]], [[-1.0]]]).numpy().ravel().tolist()
    [-1.0, -2.0]
    """
    x, w = together(inputs, kernel, also=(float,))
    n = len(w.sizes) - 2
    return nn.convolution(x, w, strides, padding.upper(), _format(data_format, n), dilation_rate)


def _each(value: int | Sequence[int], n: int) -> list[int]:
    return [value] * n if isinstance(value, int) else list(value)


def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Any:
    """Return the transpose of `conv` with a kernel of shape (..., channels out, channels in), over one to three axes.

    >>> conv_transpose([[[1.0], [2.0]]], [[[1.0]], [[-1.0]]], strides=2).numpy().ravel().tolist()
    [1.0, -1.0, 2.0, -2.0]
    """
    x, w = together(inputs, kernel, also=(float,))
    n = len(w.sizes) - 2
    first, same = _format(data_format, n).startswith("NC"), padding.lower() == "same"
    steps, spreads = _each(strides, n), _each(dilation_rate, n)
    before, beyond = [], []
    for i, (size, stride, spread) in enumerate(zip(w.sizes[:n], steps, spreads, strict=True)):
        extent = (size - 1) * spread + 1
        if output_padding is None:
            last = stride if same else max(extent, stride)
        else:
            last = extent - (2 * (extent // 2) if same else 0) + _each(output_padding, n)[i]
        before.append(max(extent - last, 0) // 2 if same else 0)
        beyond.append(last)
    x = array.transpose(x, [0, *range(2, n + 2), 1]) if first else x
    y = nn.adjoint_of_convolution(x, w, steps, spreads, before, beyond, "conv_transpose")
    return array.transpose(y, [0, n + 1, *range(1, n + 1)]) if first else y


def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Any:
    """Return for each channel of images its correlation with kernels of its own.

    Raises:
        NotImplementedError: for other numbers of axes than an image's two.
    """
    x, w = _images("depthwise_conv", inputs, kernel)
    return nn.depthwise_conv2d(x, w, _four(strides), padding.upper(), _format(data_format, 2), _pair(dilation_rate))


def separable_conv(
    inputs: TensorLike, depthwise_kernel: Any, pointwise_kernel: Any, strides: int | Sequence[int] = 1, padding: str = "valid",
    data_format: str | None = None, dilation_rate: int | Sequence[int] = 1,
) -> Any:  # fmt: skip
    """Return `depthwise_conv`, and its channels mixed by a second kernel.

    Raises:
        NotImplementedError: for other numbers of axes than an image's two.
    """
    x, w = _images("separable_conv", inputs, depthwise_kernel)
    mix = tensor(pointwise_kernel, x.dtype)
    letters = _format(data_format, 2)
    return nn.separable_conv2d(x, w, mix, _four(strides), padding.upper(), letters, _pair(dilation_rate))


def _images(name: str, inputs: TensorLike, kernel: TensorLike) -> list[Any]:
    found = together(inputs, kernel, also=(float,))
    if len(found[1].sizes) != 4:
        raise NotImplementedError(f"{name} takes images, of two axes, not a kernel of shape {list(found[1].sizes)}.")
    return found


def _pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)


def _four(strides: int | Sequence[int]) -> list[int]:
    return [1, *_pair(strides), 1]


def _pooled(
    function: Callable[..., Any],
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
) -> Any:
    x = tensor(inputs)
    n = len(x.sizes) - 2
    return function(x, pool_size, pool_size if strides is None else strides, padding.upper(), _format(data_format, n))


def max_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Return the greatest elements of windows, one beside the other unless strides are given."""
    return _pooled(nn.max_pool, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Return the means of windows, one beside the other unless strides are given; padding does not count."""
    return _pooled(nn.avg_pool, floating(inputs), pool_size, strides, padding, data_format)


def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Any:
    """Return the windows of a length that begin at each stride along the last axis."""
    t = tensor(x)
    size = t.sizes[-1]
    if size is None:
        raise ValueError("extract_sequences: the last axis must be of a known size.")
    starts = np.arange(0, max(size - sequence_length + 1, 0), sequence_stride)
    return array.gather(t, (starts[:, None] + np.arange(sequence_length)).astype(np.int32), axis=-1)


def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Return images with blocks of pixels moved into channels."""
    t = _channels_last(tensor(x), data_format)
    n, h, w, c = (array.shape(t)[i] if s is None else s for i, s in enumerate(t.sizes))
    b = block_size
    t = array.transpose(array.reshape(t, [n, h // b, b, w // b, b, c]), [0, 1, 3, 2, 4, 5])
    return _channels_back(array.reshape(t, [n, h // b, w // b, b * b * c]), data_format)


def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Any:
    """Return images with channels moved into blocks of pixels: the inverse of `space_to_depth`."""
    t = _channels_last(tensor(x), data_format)
    n, h, w, c = (array.shape(t)[i] if s is None else s for i, s in enumerate(t.sizes))
    b = block_size
    t = array.transpose(array.reshape(t, [n, h, w, b, b, c // (b * b)]), [0, 1, 3, 2, 4, 5])
    return _channels_back(array.reshape(t, [n, h * b, w * b, c // (b * b)]), data_format)


def _channels_last(x: TensorLike, data_format: str) -> Any:
    return array.transpose(x, [0, 2, 3, 1]) if _format(data_format, 2) == "NCHW" else x


def _channels_back(x: TensorLike, data_format: str) -> Any:
    return array.transpose(x, [0, 3, 1, 2]) if _format(data_format, 2) == "NCHW" else x


def dot_product_attention(
    query: TensorLike,
    key: Any,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Return Σ softmax(scale query · key + bias) value, for tensors of shape (batch, length, heads, depth).

    ``mask``: where attention is allowed. ``is_causal``: to no later place. Vaswani and others (2017).

    Raises:
        NotImplementedError: for attn_logits_soft_cap.
    """
    if attn_logits_soft_cap is not None:
        raise NotImplementedError("dot_product_attention: attn_logits_soft_cap is not served.")
    q, k, v = together(query, key, value, also=(float,))
    scale = 1.0 / math.sqrt(q.sizes[-1]) if scale is None else scale
    logits = elementary.einsum("btnh,bsnh->bnts", q, k) * scale
    if bias is not None:
        logits = logits + tensor(bias, logits.dtype)
    allowed = None if mask is None else array.cast(tensor(mask), "bool")
    if is_causal:
        down, across = (array.range(array.shape(t)[1]) for t in (q, k))
        causal = elementary.greater_equal(array.expand_dims(down, 1), array.expand_dims(across, 0))
        allowed = causal if allowed is None else elementary.logical_and(allowed, causal)
    if allowed is not None:
        least = -0.7 * float(np.finfo(logits.nptype).max)
        logits = array.where(allowed, logits, tensor(least, logits.dtype))
    return elementary.einsum("bnts,bsnh->btnh", elementary.softmax(logits), v)
