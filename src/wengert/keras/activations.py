"""``keras.activations``: functions of one tensor, elementwise but for the softmax family, and finding them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.keras import registry
from wengert.ops.elementwise import ELU
from wengert.tensor.tensor import AxisLike, TensorLike, apply, convert

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def linear(x: TensorLike) -> Any:
    """Return x."""
    return x


def tanh(x: TensorLike) -> Any:
    """Return the hyperbolic tangent.

    >>> round(float(tanh(0.5)), 4)
    0.4621
    """
    return elementary.tanh(x)


def sigmoid(x: TensorLike) -> Any:
    """Return 1 / (1 + exp(-x))."""
    return elementary.sigmoid(x)


def exponential(x: TensorLike) -> Any:
    """Return exp(x)."""
    return elementary.exp(x)


def relu(x: TensorLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return x where it is above the threshold (at most max_value), and negative_slope (x - threshold) below it."""
    if not negative_slope and max_value is None and not threshold:
        return nn.relu(x)
    x = convert(x)
    above = array.where(x > threshold, x, array.zeros_like(x))
    if max_value is not None:
        above = elementary.minimum(above, max_value)
    if not negative_slope:
        return above
    return array.where(x > threshold, above, negative_slope * (x - threshold))


def relu6(x: TensorLike) -> Any:
    """Return min(max(x, 0), 6)."""
    return nn.relu6(x)


def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Any:
    """Return x where it is positive, and negative_slope x where it is not."""
    return nn.leaky_relu(x, alpha=negative_slope)


def elu(x: TensorLike, alpha: float = 1.0) -> Any:
    """Return x where it is positive, and alpha (exp(x) - 1) where it is not."""
    return apply(ELU, (elementary.number(x, "elu"),), {"alpha": float(alpha), "scale": 1.0})


def celu(x: TensorLike, alpha: float = 1.0) -> Any:
    """Return x where it is positive, and alpha (exp(x / alpha) - 1) where it is not."""
    return alpha * nn.elu(convert(x) / alpha)


def selu(x: TensorLike) -> Any:
    """Return the scaled exponential linear unit: Klambauer and others (2017)."""
    return nn.selu(x)


def gelu(x: TensorLike, approximate: bool = False) -> Any:
    """Return x Φ(x), Φ the normal distribution's function."""
    return nn.gelu(x, approximate)


def silu(x: TensorLike) -> Any:
    """Return x sigmoid(x)."""
    return nn.silu(x)


def softplus(x: TensorLike) -> Any:
    """Return log(1 + exp(x))."""
    return elementary.softplus(x)


def softsign(x: TensorLike) -> Any:
    """Return x / (1 + |x|)."""
    return elementary.softsign(x)


def mish(x: TensorLike) -> Any:
    """Return x tanh(softplus(x)): Misra (2019)."""
    x = convert(x)
    return x * elementary.tanh(elementary.softplus(x))


def squareplus(x: TensorLike, b: float = 4) -> Any:
    """Return (x + sqrt(x² + b)) / 2."""
    x = convert(x)
    return (x + elementary.sqrt(elementary.square(x) + b)) / 2.0


def hard_sigmoid(x: TensorLike) -> Any:
    """Return min(max(x / 6 + 1 / 2, 0), 1)."""
    return nn.relu6(convert(x) + 3.0) / 6.0


def hard_silu(x: TensorLike) -> Any:
    """Return x hard_sigmoid(x)."""
    x = convert(x)
    return x * hard_sigmoid(x)


def hard_tanh(x: TensorLike) -> Any:
    """Return min(max(x, -1), 1)."""
    return elementary.clip_by_value(x, -1.0, 1.0)


def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Any:
    """Return x where |x| is above the threshold, and 0."""
    x = convert(x)
    return array.where(elementary.abs(x) > threshold, x, array.zeros_like(x))


def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Any:
    """Return x, nearer to 0 by the threshold."""
    x = convert(x)
    below = array.where(x < -threshold, x + threshold, array.zeros_like(x))
    return array.where(x > threshold, x - threshold, below)


def sparse_plus(x: TensorLike) -> Any:
    """Return 0 for x <= -1, (x + 1)² / 4 between, and x for x >= 1."""
    x = convert(x)
    between = array.where(x < 1.0, 0.25 * elementary.square(x + 1.0), x)
    return array.where(x <= -1.0, array.zeros_like(x), between)


def sparse_sigmoid(x: TensorLike) -> Any:
    """Return 0 for x <= -1, (x + 1) / 2 between, and 1 for x >= 1: the slope of `sparse_plus`."""
    x = convert(x)
    between = array.where(x >= 1.0, array.ones_like(x), 0.5 * (x + 1.0))
    return array.where(x <= -1.0, array.zeros_like(x), between)


def tanh_shrink(x: TensorLike) -> Any:
    """Return x - tanh(x)."""
    x = convert(x)
    return x - elementary.tanh(x)


def threshold(x: TensorLike, threshold: float, default_value: float) -> Any:
    """Return x where it is above the threshold, and the default value."""
    x = convert(x)
    return array.where(x > threshold, x, default_value * array.ones_like(x))


def glu(x: TensorLike, axis: int = -1) -> Any:
    """Return a sigmoid(b), a and b the halves of x along an axis."""
    a, b = array.split(x, 2, axis)
    return a * elementary.sigmoid(b)


def softmax(x: TensorLike, axis: AxisLike | None = -1) -> Any:
    """Return exp(x) / sum(exp(x)), the sum being along an axis, along several, or (None) along all.

    >>> softmax([[1.0, 1.0], [1.0, 1.0]], axis=None).numpy().tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    """
    return _along(elementary.softmax, x, axis)


def log_softmax(x: TensorLike, axis: AxisLike | None = -1) -> Any:
    """Return the logarithm of `softmax`."""
    return _along(elementary.log_softmax, x, axis)


def _along(function: Callable[[Any, int], Any], x: TensorLike, axis: AxisLike | None) -> Any:
    """Return a function along one axis of x, or along several as if they were one."""
    if isinstance(axis, int):
        return function(x, axis)
    x = convert(x)
    rank = len(x.sizes)
    given: Any = range(rank) if axis is None else axis
    axes = [a % rank for a in given]
    order = [*(a for a in range(rank) if a not in axes), *axes]
    moved = array.transpose(x, order)
    whole = array.shape(moved)
    flat = array.reshape(moved, array.concat([whole[: rank - len(axes)], [-1]], 0))
    return array.transpose(array.reshape(function(flat, -1), whole), [order.index(a) for a in range(rank)])


def sparsemax(x: TensorLike, axis: int = -1) -> Any:
    """Return the nearest point to x whose elements along an axis are not negative and have sum 1: Martins, Astudillo (2016)."""
    x = convert(x)
    falling = array.sort(x, axis, "DESCENDING")
    sums = elementary.cumsum(falling, axis)
    sizes = [1] * len(x.sizes)
    sizes[axis] = -1
    numbers = array.reshape(array.cast(array.range(1, array.shape(x)[axis] + 1), x.dtype), sizes)
    inside = falling * numbers > sums - 1.0
    number = elementary.reduce_sum(array.cast(inside, x.dtype), axis, True)
    total = elementary.reduce_sum(array.where(inside, falling, array.zeros_like(x)), axis, True)
    return elementary.maximum(x - (total - 1.0) / number, array.zeros_like(x))


def log_sigmoid(x: TensorLike) -> Any:
    """Return the logarithm of `sigmoid`."""
    return elementary.log_sigmoid(x)


swish, hard_swish = silu, hard_silu

_REGISTRY = registry.Registry(
    "activation function", {n: globals()[n] for n in __all__ if n not in ("get", "serialize", "deserialize")}, absent=linear
)
get, serialize, deserialize = _REGISTRY.get, _REGISTRY.serialize, _REGISTRY.deserialize
