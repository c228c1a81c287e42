"""Functions of neural networks: activations, normalisation, crossentropies, rows with a 1 in them."""

from __future__ import annotations

from typing import Any

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras import activations
from wengert.keras.configuration import epsilon as least
from wengert.keras.configuration import standardize_dtype
from wengert.keras.losses.alignment import ctc_loss
from wengert.keras.ops.algebra import norm
from wengert.keras.ops.promotion import axes_of, floating, tensor
from wengert.keras.ops.reduction import moments
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike

_ACTIVATIONS = """
    celu elu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax relu6 selu sigmoid
    silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink threshold
""".split()
globals().update({name: getattr(activations, name) for name in _ACTIVATIONS})

__all__ = [
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_loss",
    "gelu",
    "layer_normalization",
    "multi_hot",
    "normalize",
    "one_hot",
    "psnr",
    "relu",
    "rms_normalization",
    "sparse_categorical_crossentropy",
    *_ACTIVATIONS,
]


def relu(x: TensorLike) -> Any:
    """Return max(x, 0)."""
    return nn.relu(tensor(x))


def gelu(x: TensorLike, approximate: bool = True) -> Any:
    """Return x Φ(x), Φ the normal distribution's function; unless told otherwise by the approximation with tanh.

    >>> print(gelu([1.0]).numpy().round(4), gelu([1.0], approximate=False).numpy().round(4))
    [0.8412] [0.8413]
    """
    return activations.gelu(x, approximate)


def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: DtypeLike | None = None, sparse: bool = False) -> Any:
    """Return whole numbers as rows with a 1 in them, of `floatx` by default.

    Raises:
        NotImplementedError: for sparse=True.
    """
    if sparse:
        raise NotImplementedError("one_hot: there are no sparse tensors here.")
    at = tensor(x)
    return array.one_hot(at if at.nptype.kind in "iu" else array.cast(at, "int64"), num_classes, axis=axis,
                         dtype=standardize_dtype(dtype))  # fmt: skip


def multi_hot(inputs: TensorLike, num_classes: int, axis: int = -1, dtype: DtypeLike | None = None, sparse: bool = False) -> Any:
    """Return rows with a 1 at each of the whole numbers of a row; a vector is one row."""
    found = one_hot(inputs, num_classes, dtype=dtype, sparse=sparse)
    return elementary.reduce_max(found, axis=-2 if len(found.sizes) > 1 else [])


def normalize(x: TensorLike, axis: int = -1, order: TensorLike = 2, epsilon: float | None = None) -> Any:
    """Return x divided by its norm along an axis, which counts as epsilon where it is less."""
    x = floating(x)
    small = least() if epsilon is None else epsilon
    if order == 2:
        square = elementary.reduce_sum(elementary.square(x), axis, True)
        return x * elementary.rsqrt(elementary.maximum(square, small * small))
    return x / elementary.maximum(norm(x, order, axis, True), small)


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 0.001,
) -> Any:
    """Return (x - mean) / √(variance + epsilon) * scale + offset, the vectors standing along an axis."""
    x = floating(x)
    sizes = [-1 if a == axis % len(x.sizes) else 1 for a in range(len(x.sizes))]

    def along(t: TensorLike) -> Any:
        return array.reshape(tensor(t, x.dtype), sizes)

    factor = elementary.rsqrt(along(variance) + epsilon)
    factor = factor if scale is None else factor * along(scale)
    found = (x - along(mean)) * factor
    return found if offset is None else found + along(offset)


def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: AxisLike = -1,
    epsilon: float | None = None,
) -> Any:
    """Return (x - mean) / √(variance + epsilon) * gamma + beta, mean and variance being along axes."""
    x = floating(x)
    mean, variance = moments(x, axis, keepdims=True)
    found = (x - mean) * elementary.rsqrt(variance + (least() if epsilon is None else epsilon))
    found = found if gamma is None else found * _along(gamma, x, axis)
    return found if beta is None else found + _along(beta, x, axis)


def rms_normalization(x: TensorLike, scale: TensorLike | None = None, axis: AxisLike = -1, epsilon: float | None = None) -> Any:
    """Return x / √(mean of x² + epsilon) * scale, the mean being along axes."""
    x = floating(x)
    square = elementary.reduce_mean(elementary.square(x), axis, True)
    found = x * elementary.rsqrt(square + (least() if epsilon is None else epsilon))
    return found if scale is None else found * _along(scale, x, axis)


def _along(weights: TensorLike, x: Tensor, axis: AxisLike) -> Any:
    """Return weights, one for each element along axes, with the other axes of size 1."""
    w = tensor(weights, x.dtype)
    rank = len(x.sizes)
    axes = [a % rank for a in axes_of(axis)]
    if len(w.sizes) != len(axes):
        return w
    whole = array.shape(x)
    return array.reshape(w, [whole[a] if a in axes else 1 for a in range(rank)])


def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """Return -(t log(y) + (1 - t) log(1 - y)), element by element."""
    y = floating(output)
    t = tensor(target, y.dtype)
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(labels=t, logits=y)
    y = elementary.clip_by_value(y, least(), 1.0 - least())
    return -(t * elementary.log(y) + (1.0 - t) * elementary.log(1.0 - y))


def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Any:
    """Return the sum of -t log(y) along an axis, y scaled to sum 1 along it."""
    y = floating(output)
    t = tensor(target, y.dtype)
    if from_logits:
        return -elementary.reduce_sum(t * elementary.log_softmax(y, axis), axis)
    y = y / elementary.reduce_sum(y, axis, True)
    return -elementary.reduce_sum(t * elementary.log(elementary.clip_by_value(y, least(), 1.0 - least())), axis)


def sparse_categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Any:
    """Return the cross entropy of the classes that whole numbers name."""
    y = floating(output)
    t = array.cast(tensor(target), "int64")
    if len(t.sizes) == len(y.sizes) and t.sizes[axis] == 1:
        t = array.squeeze(t, axis)
    hot = array.one_hot(t, y.sizes[axis], axis=axis, dtype=y.dtype)
    if not from_logits:
        y = elementary.log(elementary.clip_by_value(y, least(), 1.0 - least()))
    return -elementary.reduce_sum(hot * elementary.log_softmax(y, axis), axis)


def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Any:
    """Return the ratio of the greatest possible value to the noise, in decibels: 20 log₁₀(max_val) - 10 log₁₀(mean square)."""
    a, b = floating(x1), floating(x2)
    square = elementary.reduce_mean(elementary.squared_difference(a, b))
    return (2.0 * elementary.log(tensor(float(max_val), square.dtype)) - elementary.log(square)) * (10.0 / 2.302585092994046)
