"""TensorFlow's functions for networks: activations, losses, normalisation, convolution, pooling.

All are compositions, so that derivatives of any order follow. A convolution gathers patches by slices and multiplies
matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, random
from wengert.functions.array import integer_of, integers_of
from wengert.functions.math import (
    add_n,
    axes_of,
    axis_in,
    clip_by_norm,
    exp,
    greater,
    greater_equal,
    less,
    log,
    log_softmax,
    logical_and,
    matmul,
    named,
    not_equal,
    number,
    operands,
    reduce_mean,
    reduce_prod,
    reduce_sum,
    rsqrt,
    sigmoid,
    softplus,
    tanh,
    unary,
    unsorted_segment_mean,
)
from wengert.ground import checks, dtypes, shapes
from wengert.ground.errors import InvalidArgumentError, ShapeError, UnimplementedError
from wengert.ground.shapes import ShapeLike
from wengert.ground.types import Array
from wengert.ops import contraction, elementwise, linear, reduction
from wengert.tensor.tensor import NONE, AxisLike, EagerTensor, Tensor, TensorLike, apply, cast, convert

# --- activations ------------------------------------------------------------------------------------------------------

_relu = unary(elementwise.RELU, "relu", "")
_relu6 = unary(elementwise.RELU6, "relu6", "")
SELU = {"alpha": 1.6732632423543772848170429916717, "scale": 1.0507009873554804934193349852946}
"""G. Klambauer and others, "Self-normalizing neural networks" (2017)."""


def relu(features: TensorLike, name: str | None = None) -> Any:
    """Return max(x, 0); the derivative at 0 is 0.

    >>> import wengert as tf
    >>> tf.nn.relu([-1.0, 2.0]).numpy().tolist()
    [0.0, 2.0]
    """
    return _relu(features, name)


def relu6(features: TensorLike, name: str | None = None) -> Any:
    """Return min(max(x, 0), 6); the derivative at 0 and 6 is 0."""
    return _relu6(features, name)


def leaky_relu(features: TensorLike, alpha: TensorLike = 0.2, name: str | None = None) -> Any:
    """Return x where x > 0, else alpha * x.

    >>> import wengert as tf
    >>> tf.nn.leaky_relu([-1.0, 2.0], alpha=0.5).numpy().tolist()
    [-0.5, 2.0]
    """
    x = convert(features)
    if x.nptype.kind in "iu":
        x = cast(x, dtypes.float32.numpy)
    return apply(elementwise.LEAKY_RELU, (number(x, "leaky_relu"),), {"alpha": checks.real(alpha, "leaky_relu", "alpha")}, name)


def elu(features: TensorLike, name: str | None = None) -> Any:
    """Return x where x > 0, else eˣ - 1."""
    return apply(elementwise.ELU, (number(features, "elu"),), {"alpha": 1.0, "scale": 1.0}, name)


def selu(features: TensorLike, name: str | None = None) -> Any:
    """Return λ x where x > 0, else λ α (eˣ - 1), with λ = 1.0507... and α = 1.6732..."""
    return apply(elementwise.ELU, (number(features, "selu"),), SELU, name or "Selu")


def crelu(features: TensorLike, axis: AxisLike = -1, name: str | None = None) -> Any:
    """Return relu of x and of -x, joined along an axis."""
    x = number(features, "crelu")
    return relu(array.concat([x, -x], axis), name)


def gelu(features: TensorLike, approximate: bool = False, name: str | None = None) -> Any:
    """Return x Φ(x), Φ being the standard normal distribution, or its approximation by tanh.

    >>> import wengert as tf
    >>> print(tf.nn.gelu([0.0, 1.0]).numpy().round(4))
    [0.     0.8413]
    """
    x = number(features, "gelu")
    if checks.flag(approximate, "gelu", "approximate"):
        inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * (x * x * x))
        return named(0.5 * x * (1.0 + tanh(inner)), name)
    return apply(elementwise.MULTIPLY, (x, apply(elementwise.NDTR, (x,))), NONE, name or "Gelu")


def silu(features: TensorLike, beta: TensorLike = 1.0, name: str | None = None) -> Any:
    """Return x sigmoid(beta x).

    >>> import wengert as tf
    >>> print(tf.nn.silu([0.0, 1.0]).numpy().round(4))
    [0.     0.7311]
    """
    x = number(features, "silu")
    scaled = x if isinstance(beta, float | int) and beta == 1 else x * convert(beta, like=x)
    return named(x * sigmoid(scaled), name)


swish = silu

# --- layers and normalisation -----------------------------------------------------------------------------------------


def l2_loss(t: TensorLike, name: str | None = None) -> Any:
    """Return Σ x² / 2.

    >>> import wengert as tf
    >>> tf.nn.l2_loss([3.0, 4.0]).numpy()
    np.float32(12.5)
    """
    x = number(t, "l2_loss")
    return apply(elementwise.MULTIPLY, (reduce_sum(x * x), convert(0.5, like=x)), NONE, name or "L2Loss")


def bias_add(value: TensorLike, bias: TensorLike, data_format: str | None = None, name: str | None = None) -> Any:
    """Return the tensor plus a vector along its channels: the last axis, or with "NC..." the second.

    Raises:
        ShapeError: (a ValueError) if the bias is no vector, or has another length.
    """
    x, b = operands(elementwise.ADD, value, bias)
    if b.sizes is not None and len(b.sizes) != 1:
        raise ShapeError(f"bias_add: the bias is a vector, not of shape {shapes.text(b.sizes)}.")
    axis = -1
    if data_format is not None and str(data_format).startswith("NC"):
        axis = 1
    elif data_format is not None and not str(data_format).startswith("N"):
        raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")
    if x.sizes is not None:
        if len(x.sizes) < 2:
            raise ShapeError(f"bias_add: the tensor has at least two axes, not shape {shapes.text(x.sizes)}.")
        if not shapes.fits((x.sizes[axis],), b.sizes):
            raise ShapeError(f"bias_add: a bias of shape {shapes.text(b.sizes)} does not fit shape {shapes.text(x.sizes)}.")
        if axis == 1:
            b = array.reshape(b, [-1] + [1] * (len(x.sizes) - 2))
    return apply(elementwise.ADD, (x, b), NONE, name or "BiasAdd")


def xw_plus_b(x: TensorLike, weights: TensorLike, biases: Any, name: str | None = None) -> Any:
    """Return x W + b."""
    return bias_add(matmul(x, weights), biases, name=name)


def relu_layer(x: TensorLike, weights: TensorLike, biases: Any, name: str | None = None) -> Any:
    """Return relu(x W + b)."""
    return relu(xw_plus_b(x, weights, biases), name)


def moments(
    x: TensorLike, axes: AxisLike, shift: TensorLike | None = None, keepdims: bool = False, name: str | None = None
) -> tuple[Any, Any]:
    """Return the mean and the variance along axes; float16 is summed as float32.

    >>> import wengert as tf
    >>> mean, variance = tf.nn.moments(tf.constant([1.0, 3.0]), [0])
    >>> float(mean), float(variance)
    (2.0, 1.0)
    """
    t = number(x, "moments", "fc")
    wide = cast(t, dtypes.float32.numpy) if t.nptype.itemsize == 2 else t
    over, keep = axes_of(axes, t), checks.flag(keepdims, "moments", "keepdims")
    mean = apply(reduction.MEAN, (wide,), {"axis": over, "keepdims": True})
    off = wide - mean
    square = apply(elementwise.REAL_PART, (off * apply(elementwise.CONJ, (off,)),)) if t.nptype.kind == "c" else off * off
    variance = apply(reduction.MEAN, (square,), {"axis": over, "keepdims": keep})
    if not keep:
        mean = reduce_mean(wide, over)
    if wide is not t:
        mean, variance = cast(mean, t.nptype), cast(variance, t.nptype)
    return named(mean, name), variance


def weighted_moments(
    x: TensorLike, axes: AxisLike, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Any, Any]:
    """Return the mean Σ w x / Σ w and the variance Σ w (x - mean)² / Σ w along axes; the weights w broadcast to x.

    float16 is summed as float32.

    >>> import wengert as tf
    >>> mean, variance = tf.nn.weighted_moments(tf.constant([1.0, 5.0]), [0], [3.0, 1.0])
    >>> float(mean), float(variance)
    (2.0, 3.0)
    """
    t = number(x, "weighted_moments")
    w = convert(frequency_weights, like=t)
    wide = dtypes.float32.numpy if t.nptype.itemsize == 2 else t.nptype
    t32, w32 = cast(t, wide), cast(w, wide)
    over, keep = axes_of(axes, t), checks.flag(keepdims, "weighted_moments", "keepdims")
    w32 = w32 + array.zeros_like(t32)
    total = reduce_sum(w32, over, keepdims=True)
    mean = reduce_sum(w32 * t32, over, keepdims=True) / total
    off = t32 - mean
    variance = reduce_sum(w32 * off * off, over, keepdims=True) / total
    if not keep:  # a sum over axes of size 1 drops them, whether they are named or all
        mean, variance = reduce_sum(mean, over), reduce_sum(variance, over)
    return named(cast(mean, t.nptype), name), cast(variance, t.nptype)


def isotonic_regression(inputs: TensorLike, decreasing: bool = True, axis: int = -1) -> tuple[Any, Any]:
    """Return (y, segments): the monotone sequences along an axis that are nearest to the inputs by least squares.

    y is constant in each of its segments, the mean of the inputs there, and so is its derivative; ``segments`` numbers them
    from 0. Integers are taken as float64, or as float32 where those of 16 bits and less fit.
    M. Best and N. Chakravarti, "Active set algorithms for isotonic regression" (1990).

    >>> import wengert as tf
    >>> y, segments = tf.nn.isotonic_regression([3.0, 1.0, 2.0], axis=-1)
    >>> y.numpy().tolist(), segments.numpy().tolist()
    ([3.0, 1.5, 1.5], [0, 1, 1])
    """
    t = number(inputs, "isotonic_regression", "iuf")
    if t.nptype.kind != "f":
        t = cast(t, dtypes.float32.numpy if t.nptype.itemsize < 3 else dtypes.float64.numpy)
    if t.sizes is None:
        raise ShapeError("isotonic_regression: the number of axes of the inputs is not known.")
    order = list(range(len(t.sizes)))
    at = axis_in(axis, t)
    order[at], order[-1] = order[-1], order[at]
    last = array.transpose(t, order)
    n = array.shape(last)[-1]
    rows = array.reshape(last, array.stack([reduce_prod(array.shape(last)[:-1]), n]))
    falls = checks.flag(decreasing, "isotonic_regression", "decreasing")
    blocks = apply(reduction.ISOTONIC_BLOCKS, (rows,), {"increasing": not falls})
    ids = array.reshape(blocks + n * array.expand_dims(array.range(array.shape(rows)[0]), 1), [-1])
    means = unsorted_segment_mean(array.reshape(rows, [-1]), ids, array.size(rows))
    y, segments = (array.reshape(a, array.shape(last)) for a in (array.gather(means, ids), blocks))
    return array.transpose(y, order), array.transpose(segments, order)


def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    offset: TensorLike | None,
    scale: TensorLike | None,
    variance_epsilon: Any,
    name: str | None = None,
) -> Any:
    """Return scale (x - mean) / √(variance + ε) + offset; scale and offset may be None."""
    t = number(x, "batch_normalization", "fc")
    variance = convert(variance, like=t)
    factor = rsqrt(variance + convert(variance_epsilon, like=variance))
    if scale is not None:
        factor = factor * convert(scale, like=factor)
    shift = -(convert(mean, like=t) * factor)
    if offset is not None:
        shift = shift + convert(offset, like=shift)
    return named(t * cast(factor, t.nptype) + cast(shift, t.nptype), name)


def dropout(
    x: TensorLike, rate: TensorLike, noise_shape: Any = None, seed: int | Sequence[int] | None = None, name: str | None = None
) -> Any:
    """Return the tensor with elements set to zero with probability ``rate``, the others times 1 / (1 - rate).

    ``noise_shape``: axes of size 1 are kept or dropped as one.

    Raises:
        InvalidArgumentError: (a ValueError) unless 0 <= rate < 1.
    """
    t = number(x, "dropout")
    if isinstance(rate, int | float) and not 0 <= rate < 1:
        raise InvalidArgumentError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
    if isinstance(rate, int | float) and rate == 0:
        return t
    share = convert(rate, like=t)
    if noise_shape is None:
        dims: Any = array.shape(t)
    else:
        given = list(noise_shape) if isinstance(noise_shape, list | tuple) else noise_shape
        whole = array.shape(t)
        dims = [whole[i] if s is None else s for i, s in enumerate(given)] if isinstance(given, list) else given
    kept = greater_equal(random.uniform(dims, seed=seed, dtype=t.dtype), share)
    scaled = t * (1.0 / (1.0 - share))
    return named(array.where(kept, scaled, array.zeros_like(scaled)), name)


def embedding_lookup(
    params: TensorLike, ids: TensorLike, max_norm: Any = None, name: str | None = None, *, partition_strategy: str = "div"
) -> Any:
    """Return the rows of a table that have the given numbers; with ``max_norm`` none longer than that.

    ``params`` may be a list of shards, which hold as many rows as each other, the first ones one more where the total does
    not divide. With "div" they stand one after the other in the table, with "mod" row i is in shard i mod n.

    Raises:
        ValueError: for other shards, and for an unknown strategy.

    >>> import wengert as tf
    >>> tf.nn.embedding_lookup(tf.constant([[1.0], [2.0]]), [1, 1, 0]).numpy().tolist()
    [[2.0], [2.0], [1.0]]
    >>> tf.nn.embedding_lookup([[[1.0], [2.0]], [[3.0]]], [2, 0]).numpy().tolist()
    [[3.0], [1.0]]
    """
    if isinstance(params, list | tuple):
        rows = _rows_of_shards(params, ids, partition_strategy, name)
    else:
        rows = array.gather(params, ids, axis=0, name=name)
    if max_norm is None:
        return rows
    if rows.sizes is None:
        raise ShapeError("embedding_lookup with max_norm needs a table of known rank.")
    lead = len(array.convert_to_tensor(ids).sizes or ())
    return clip_by_norm(rows, max_norm, list(range(lead, len(rows.sizes))))


def _rows_of_shards(params: Sequence[Any], ids: TensorLike, strategy: str, name: str | None) -> Any:
    if not params:
        raise ValueError("embedding_lookup: need at least one tensor of params.")
    if len(params) == 1:
        return array.gather(params[0], ids, axis=0, name=name)
    shards = [convert(p) for p in params]
    counts: list[Any] = [s.sizes[0] if s.sizes else None for s in shards]
    if None in counts:
        raise ShapeError("embedding_lookup: of each shard the number of rows must be known.")
    n, total = len(shards), sum(counts)
    if strategy not in ("div", "mod"):
        raise ValueError(f"embedding_lookup: partition_strategy is 'div' or 'mod', not {strategy!r}.")
    if counts != [total // n + (k < total % n) for k in range(n)]:
        raise ShapeError(
            f"embedding_lookup: the shards hold {counts} rows. They must hold as many as each other, the first ones one more."
        )
    table, at = array.concat(shards, 0), ids
    if strategy == "mod":
        number = np.arange(total)
        first = np.cumsum([0, *counts[:-1]])
        at = array.gather((first[number % n] + number // n).astype(np.int32), ids)
    return array.gather(table, at, axis=0, name=name)


# --- losses -----------------------------------------------------------------------------------------------------------


def _both(labels: TensorLike | None, logits: TensorLike | None, title: str) -> tuple[Any, Any]:
    if labels is None or logits is None:
        raise ValueError(f"Both labels and logits must be provided to {title}.")
    x = number(logits, title)
    z, x = operands(elementwise.MULTIPLY, convert(labels, like=x), x)
    return z, x


def _same_shape(z: Any, x: Any) -> None:
    if not shapes.fits(z.sizes, x.sizes):
        raise ShapeError(f"`logits` and `labels` must have the same shape, received ({x.shape} vs {z.shape}).")


def sigmoid_cross_entropy_with_logits(
    labels: TensorLike | None = None, logits: TensorLike | None = None, name: str | None = None
) -> Any:
    """Return -z log σ(x) - (1 - z) log(1 - σ(x)) = log(1 + eˣ) - x z, element by element, z being the labels.

    >>> import wengert as tf
    >>> print(tf.nn.sigmoid_cross_entropy_with_logits(labels=[1.0], logits=[0.0]).numpy().round(4))
    [0.6931]
    """
    z, x = _both(labels, logits, "sigmoid_cross_entropy_with_logits")
    _same_shape(z, x)
    return named(softplus(x) - x * z, name)


def weighted_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike, pos_weight: Any, name: str | None = None) -> Any:
    """Return -q z log σ(x) - (1 - z) log(1 - σ(x)) = (1 - z) x + (1 + (q - 1) z) log(1 + e⁻ˣ), q being pos_weight."""
    z, x = _both(labels, logits, "weighted_cross_entropy_with_logits")
    _same_shape(z, x)
    weight = 1.0 + (convert(pos_weight, like=x) - 1.0) * z
    return named((1.0 - z) * x + weight * softplus(-x), name)


def softmax_cross_entropy_with_logits(
    labels: TensorLike, logits: TensorLike, axis: AxisLike = -1, name: str | None = None
) -> Any:
    """Return -Σ z log softmax(x) along an axis, z being the labels.

    Raises:
        ShapeError: (a ValueError) where labels and logits do not broadcast.

    >>> import wengert as tf
    >>> print(tf.nn.softmax_cross_entropy_with_logits([[0.5, 0.5]], [[1.0, 1.0]]).numpy().round(4))
    [0.6931]
    """
    z, x = _both(labels, logits, "softmax_cross_entropy_with_logits")
    return named(-reduce_sum(z * log_softmax(x, axis), axis_in(axis, x)), name)


def sparse_softmax_cross_entropy_with_logits(labels: TensorLike, logits: TensorLike, name: str | None = None) -> Any:
    """Return -log softmax(x)[label] along the last axis, for integer labels of one axis less.

    Raises:
        InvalidArgumentError: (a ValueError) for a label out of range.

    >>> import wengert as tf
    >>> print(tf.nn.sparse_softmax_cross_entropy_with_logits([0], [[1.0, 1.0]]).numpy().round(4))
    [0.6931]
    """
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided to sparse_softmax_cross_entropy_with_logits.")
    x, at = number(logits, "sparse_softmax_cross_entropy_with_logits"), number(labels, "labels", "iu")
    if x.sizes is None or at.sizes is None:
        raise ShapeError("sparse_softmax_cross_entropy_with_logits needs labels and logits of known rank.")
    if len(at.sizes) != len(x.sizes) - 1 or not shapes.fits(at.sizes, x.sizes[:-1]):
        raise ShapeError(
            "`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
            f"labels.shape={shapes.text(at.sizes)} and logits.shape={shapes.text(x.sizes)}"
        )
    rank = len(at.sizes)
    if not rank:
        return named(-array.gather(log_softmax(x), at, axis=0), name)
    chosen = array.gather(log_softmax(x), array.expand_dims(at, -1), axis=rank, batch_dims=rank)
    return apply(elementwise.NEGATIVE, (apply(linear.SQUEEZE, (chosen,), {"axis": (-1,)}),), NONE, name)


def log_poisson_loss(targets: TensorLike, log_input: TensorLike, compute_full_loss: bool = False, name: str | None = None) -> Any:
    """Return eᶜ - c z, and with ``compute_full_loss`` Stirling's z log z - z + log(2π z) / 2 too, where z > 1."""
    z, c = _both(targets, log_input, "log_poisson_loss")
    _same_shape(z, c)
    loss = exp(c) - c * z
    if checks.flag(compute_full_loss, "log_poisson_loss", "compute_full_loss"):
        one = array.ones_like(z)
        safe = array.where(greater(z, one), z, one)
        stirling = safe * log(safe) - safe + 0.5 * log((2.0 * math.pi) * safe)
        in_range = logical_and(greater_equal(z, 0.0), less(z, one + array.zeros_like(z)))
        at_one = array.where(not_equal(z, one), stirling, array.zeros_like(z))
        loss = loss + array.where(in_range, array.zeros_like(z), at_one)
    return named(loss, name)


# --- convolution ------------------------------------------------------------------------------------------------------


def _numbers(value: TensorLike | None, n: int, what: str, channels_first: bool) -> list[int]:
    """Return n numbers for the spatial axes from one, n, or those of all axes."""
    found = [1] if value is None else list(integers_of(value, what))
    if len(found) == 1:
        found = found * n
    elif len(found) == n + 2:
        outer = (found[0], found[1] if channels_first else found[-1])
        if outer != (1, 1):
            raise UnimplementedError(f"{what} along the batch and the channels must be 1, not {value!r}.")
        found = found[2:] if channels_first else found[1:-1]
    if len(found) != n or any(f < 1 for f in found):
        raise InvalidArgumentError(f"{what} must be 1, {n} or {n + 2} positive numbers, not {value!r}.")
    return found


def _channels_first(data_format: str | None, n: int) -> bool:
    last = {1: "NWC", 2: "NHWC", 3: "NDHWC"}[n]
    if data_format is None or (isinstance(data_format, str) and data_format == last):
        return False
    if isinstance(data_format, str) and data_format in ("NC" + last[1:-1], "NCHW"):
        return True
    raise ValueError(f"`data_format` must be {last} or NC{last[1:-1]}. Received: data_format={data_format!r}")


def _channels_last(x: Any, n: int, title: str) -> Any:
    if x.sizes is not None and len(x.sizes) != n + 2:
        raise ShapeError(f"{title} takes a tensor with {n + 2} axes, not shape {shapes.text(x.sizes)}.")
    return x


def _moved(x: TensorLike, n: int, to_last: bool) -> Any:
    axes = (0, *range(2, n + 2), 1) if to_last else (0, n + 1, *range(1, n + 1))
    return apply(linear.TRANSPOSE, (x,), {"axes": axes})


def _paddings(
    x: Any, extents: Sequence[int], strides: Sequence[int], padding: str | int | Sequence[Any] | None, channels_first: bool
) -> list[Any]:
    """Return the pairs (before, after) for the spatial axes; a size that is not known gives symbolic ones."""
    n = len(extents)
    if isinstance(padding, list | tuple):
        pairs = [list(integers_of(p, "padding")) for p in padding]
        if len(pairs) == n + 2:
            pairs = pairs[2:] if channels_first else pairs[1:-1]
        if len(pairs) != n or any(len(p) != 2 or min(p) < 0 for p in pairs):
            raise InvalidArgumentError(f"padding holds a pair of numbers for each axis, not {padding!r}.")
        return pairs
    kind = str(padding).upper()
    if kind == "VALID":
        return [[0, 0]] * n
    if kind != "SAME":
        raise ValueError(f"padding must be SAME, VALID or pairs of numbers, not {padding!r}.")
    found = []
    for i, (extent, stride) in enumerate(zip(extents, strides, strict=True)):
        size = None if x.sizes is None else x.sizes[i + 1]
        if size is None and stride > 1:
            rows = array.shape(x)[i + 1]
            reach = ((rows + (stride - 1)) // stride - 1) * stride + extent
            total = apply(elementwise.MAXIMUM, (reach - rows, convert(0)))
            found.append([total // 2, total - total // 2])
        else:
            total = extent - 1 if size is None else max((-(-size // stride) - 1) * stride + extent - size, 0)
            found.append([total // 2, total - total // 2])
    return found


def _windows(x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> list[Any]:
    """Return for each place in the kernel the slice of x that meets it, as the kernel slides."""
    slices = []
    for place in np.ndindex(*kernel):
        index: list[Any] = [slice(None)]
        for at, size, stride, dilation in zip(place, kernel, strides, dilations, strict=True):
            left = (size - 1 - at) * dilation
            index.append(slice(at * dilation, -left if left else None, stride))
        whole = all(i == slice(0, None, 1) for i in index[1:])
        slices.append(x if whole else apply(linear.GETITEM, (x,), {"index": tuple(index)}))
    return slices


def _padded(x: Any, pairs: list[Any], value: TensorLike = 0) -> Any:
    if all(isinstance(p, int) and p == 0 for pair in pairs for p in pair):
        return x
    return array.pad(x, [[0, 0], *pairs, [0, 0]], constant_values=value)


def _sizes(x: Any) -> list[Any]:
    """Return the sizes of a tensor: numbers where they are known, else a graph's scalars."""
    if shapes.is_full(x.sizes):
        return list(x.sizes)
    whole = array.shape(x)
    return [whole[i] if s is None else s for i, s in enumerate(x.sizes)]


def _filters(filters: Any, x: TensorLike, n: int, title: str) -> tuple[Any, Any]:
    x, w = operands(contraction.EINSUM, x, filters)
    for t in (x, w):
        number(t, title)
    if w.sizes is None or None in w.sizes:
        raise ShapeError(f"{title} needs filters of known shape, not {shapes.text(w.sizes)}.")
    if len(w.sizes) != n + 2:
        raise ShapeError(f"{title} takes filters with {n + 2} axes, not shape {shapes.text(w.sizes)}.")
    return _channels_last(x, n, title), w


def _convolve(x: Any, w: Any, strides: Any, pairs: Any, dilations: Any, title: str) -> Any:
    kernel, inner, outer = w.sizes[:-2], w.sizes[-2], w.sizes[-1]
    channels = None if x.sizes is None else x.sizes[-1]
    groups = 1 if channels in (None, inner) else channels // max(inner, 1)
    if channels is not None and (groups * inner != channels or outer % max(groups, 1)):
        raise ShapeError(f"{title}: input of {channels} channels does not fit filters of shape {shapes.text(w.sizes)}.")
    x = _padded(x, pairs)
    for i, (k, d) in enumerate(zip(kernel, dilations, strict=True)):
        size = None if x.sizes is None else x.sizes[i + 1]
        if size is not None and size < (k - 1) * d + 1:
            raise ShapeError(f"{title}: a kernel of {(k - 1) * d + 1} does not fit an axis of {size}.")
    if groups > 1:
        xs, ws = array.split(x, groups, -1), array.split(w, groups, -1)
        return array.concat(
            [_convolve(a, b, strides, [[0, 0]] * len(kernel), dilations, title) for a, b in zip(xs, ws, strict=True)], -1
        )
    slices = _windows(x, kernel, strides, dilations)
    patches = array.concat(slices, -1) if len(slices) > 1 else slices[0]
    flat = apply(linear.RESHAPE, (patches,), {"shape": (-1, math.prod(kernel) * inner)})
    columns = apply(linear.RESHAPE, (w,), {"shape": (math.prod(kernel) * inner, outer)})
    product = apply(contraction.MATMUL, (flat, columns))
    return array.reshape(product, [*_sizes(patches)[:-1], outer])


def _convolution(
    n: int,
    input: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int] | None,
    padding: str | int | Sequence[Any],
    data_format: str | None,
    dilations: str | int | Sequence[Any] | None,
    name: str | None,
    title: str,
) -> Any:
    first = _channels_first(data_format, n)
    x, w = _filters(filters, convert(input), n, title)
    x = _moved(x, n, True) if first else x
    steps = _numbers(strides, n, "strides", first)
    spread = _numbers(dilations, n, "dilations", first)
    extents = [(k - 1) * d + 1 for k, d in zip(w.sizes[:-2], spread, strict=True)]
    y = _convolve(x, w, steps, _paddings(x, extents, steps, padding, first), spread, title)
    return named(_moved(y, n, False) if first else y, name)


def conv1d(
    input: TensorLike,
    filters: TensorLike,
    stride: Any,
    padding: str | Sequence[int],
    data_format: str = "NWC",
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return the convolution of (batch, width, channels) with filters (width, channels, outputs)."""
    return _convolution(1, input, filters, stride, padding, data_format, dilations, name, "conv1d")


def conv2d(
    input: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """Return the convolution of (batch, height, width, channels) with filters (height, width, channels, outputs).

    ``padding``: "VALID" (none), "SAME" (zeros, so that stride 1 keeps the size), or a pair of numbers for each axis.
    As everywhere in the field it is a correlation: the filters are not turned round.

    >>> import wengert as tf
    >>> tf.nn.conv2d(tf.ones([1, 3, 3, 1]), tf.ones([2, 2, 1, 1]), 1, "VALID")[0, :, :, 0].numpy().tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    return _convolution(2, input, filters, strides, padding, data_format, dilations, name, "conv2d")


def conv3d(
    input: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NDHWC",
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return the convolution of (batch, depth, height, width, channels) with filters of five axes."""
    return _convolution(3, input, filters, strides, padding, data_format, dilations, name, "conv3d")


def convolution(
    input: TensorLike,
    filters: TensorLike,
    strides: int | Sequence[int] | None = None,
    padding: str | Sequence[int] = "VALID",
    data_format: Any = None,
    dilations: str | int | Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return the convolution over one, two or three axes, as the filters have."""
    w = convert(filters)
    if w.sizes is None or not 3 <= len(w.sizes) <= 5:
        raise ShapeError(f"convolution takes filters with 3 to 5 axes, not shape {shapes.text(w.sizes)}.")
    return _convolution(len(w.sizes) - 2, input, w, strides, padding, data_format, dilations, name, "convolution")


def atrous_conv2d(
    value: TensorLike, filters: TensorLike, rate: TensorLike, padding: str | int | Sequence[Any], name: str | None = None
) -> Any:
    """Return `conv2d` with the filters spread by a rate."""
    return conv2d(value, filters, 1, padding, dilations=rate, name=name)


def _transposed(
    n: int,
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: str | int | Sequence[Any],
    padding: str | int | Sequence[Any],
    data_format: Any,
    dilations: Any,
    name: str | None,
    title: str,
) -> Any:
    # The adjoint of a convolution: put stride - 1 zeros between the elements, pad, convolve with the turned filters.
    first = _channels_first(data_format, n)
    x, w = _filters(filters, convert(input), n, title)
    x = _moved(x, n, True) if first else x
    steps = _numbers(strides, n, "strides", first)
    spread = _numbers(dilations, n, "dilations", first)
    if x.sizes is None or None in x.sizes[1:]:
        raise ShapeError(f"{title} needs an input of known sizes but for the batch, not {shapes.text(x.sizes)}.")
    if x.sizes[-1] != w.sizes[-1]:
        raise ShapeError(f"{title}: input of {x.sizes[-1]} channels does not fit filters of shape {shapes.text(w.sizes)}.")
    known = array.get_static_value(output_shape) if hasattr(output_shape, "dtype") else output_shape
    if known is None:
        raise UnimplementedError(f"{title}: output_shape must be known when the graph is built.")
    wanted = [None if s is None or hasattr(s, "node") else integer_of(s, "output_shape") for s in list(known)]
    if len(wanted) == n + 2:
        wanted = wanted[2:] if first else wanted[1:-1]
    if len(wanted) != n or None in wanted:
        raise InvalidArgumentError(f"{title}: output_shape {output_shape!r} does not fit.")
    extents = [(k - 1) * d + 1 for k, d in zip(w.sizes[:n], spread, strict=True)]
    whole = array.sizes_of([1, *wanted, 1])[0]
    forward = _paddings(EagerTensor(np.broadcast_to(np.float32(0), whole)), extents, steps, padding, first)
    beyond = []
    for i, (before, after) in enumerate(forward):
        size, out, stride, extent = x.sizes[i + 1], wanted[i], steps[i], extents[i]
        if (out + before + after - extent) // stride + 1 != size:
            raise ShapeError(f"{title}: an output of {out} along axis {i + 1} does not come from an input of {size}.")
        beyond.append(out - (size - 1) * stride)
    y = adjoint_of_convolution(x, w, steps, spread, [before for before, _ in forward], beyond, title)
    return named(_moved(y, n, False) if first else y, name)


def adjoint_of_convolution(
    x: Tensor,
    w: Tensor,
    strides: Sequence[int],
    dilations: Sequence[int],
    before: Sequence[int],
    beyond: Sequence[int],
    title: str,
) -> Any:
    """Return what the gradient of a convolution by its input is, channels last.

    ``before``: how much the convolution pads at the beginning of each axis; ``beyond``: how many elements the result has from
    the place of the last element of x on.
    """
    n = len(strides)
    pairs = []
    for i, (first, last) in enumerate(zip(before, beyond, strict=True)):
        pairs.append([(w.sizes[i] - 1) * dilations[i] - first, last - 1 + first])
    x = _spread(x, [s - 1 for s in strides])
    index = (slice(None), *[slice(max(-b, 0), None if a >= 0 else a) for b, a in pairs])
    if any(min(p) < 0 for p in pairs):
        x = apply(linear.GETITEM, (x,), {"index": index})
    turned = apply(linear.REVERSE, (w,), {"axis": tuple(range(n))})
    turned = apply(linear.TRANSPOSE, (turned,), {"axes": (*range(n), n + 1, n)})
    return _convolve(x, turned, [1] * n, [[max(b, 0), max(a, 0)] for b, a in pairs], dilations, title)


def _spread(x: TensorLike, between: Sequence[int]) -> Any:
    """Return x with zeros between its elements along the spatial axes."""
    for i, zeros in enumerate(between):
        if zeros:
            sizes = _sizes(x)
            axis = i + 1
            wide = array.expand_dims(x, axis + 1)
            wide = array.pad(wide, [[0, 0]] * (axis + 1) + [[0, zeros]] + [[0, 0]] * (len(sizes) - axis - 1))
            flat = array.reshape(wide, [*sizes[:axis], sizes[axis] * (zeros + 1), *sizes[axis + 1 :]])
            x = apply(linear.GETITEM, (flat,), {"index": linear.full_index(axis, axis + 1, slice(0, -zeros))})
    return x


def conv1d_transpose(
    input: TensorLike,
    filters: TensorLike,
    output_shape: ShapeLike,
    strides: int | Sequence[int],
    padding: str | Sequence[int] = "SAME",
    data_format: Any = "NWC",
    dilations: str | int | Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return the transpose of `conv1d`: what its gradient by the input is."""
    return _transposed(1, input, filters, output_shape, strides, padding, data_format, dilations, name, "conv1d_transpose")


def conv2d_transpose(
    input: TensorLike,
    filters: TensorLike,
    output_shape: ShapeLike,
    strides: int | Sequence[int],
    padding: str | Sequence[int] = "SAME",
    data_format: Any = "NHWC",
    dilations: str | int | Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return the transpose of `conv2d`: what its gradient by the input is. Filters are (height, width, outputs, inputs)."""
    return _transposed(2, input, filters, output_shape, strides, padding, data_format, dilations, name, "conv2d_transpose")


def conv3d_transpose(
    input: TensorLike,
    filters: TensorLike,
    output_shape: ShapeLike,
    strides: int | Sequence[int],
    padding: str | Sequence[int] = "SAME",
    data_format: Any = "NDHWC",
    dilations: str | int | Sequence[Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return the transpose of `conv3d`: what its gradient by the input is."""
    return _transposed(3, input, filters, output_shape, strides, padding, data_format, dilations, name, "conv3d_transpose")


def conv_transpose(
    input: TensorLike,
    filters: TensorLike,
    output_shape: ShapeLike,
    strides: int | Sequence[int],
    padding: str | Sequence[int] = "SAME",
    data_format: str | None = None,
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return the transpose of `convolution`, over one, two or three axes, as the filters have."""
    w = convert(filters)
    if w.sizes is None or not 3 <= len(w.sizes) <= 5:
        raise ShapeError(f"conv_transpose takes filters with 3 to 5 axes, not shape {shapes.text(w.sizes)}.")
    n = len(w.sizes) - 2
    return _transposed(n, input, w, output_shape, strides, padding, data_format, dilations, name, "conv_transpose")


def depthwise_conv2d(
    input: TensorLike,
    filter: Any,
    strides: int | Sequence[int],
    padding: str | Sequence[int],
    data_format: str | None = None,
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return the convolution of each channel by itself with filters (height, width, channels, multiplier)."""
    return depthwise_convolution(2, input, filter, strides, padding, data_format, dilations, name)


def depthwise_convolution(
    n: int,
    input: TensorLike,
    filter: TensorLike,
    strides: int | Sequence[int],
    padding: str | Sequence[int],
    data_format: str | None = None,
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return the convolution over n axes of each channel by itself with filters (..., channels, multiplier)."""
    first, title = _channels_first(data_format, n), f"depthwise_conv{n}d"
    x, w = _filters(filter, convert(input), n, title)
    x = _moved(x, n, True) if first else x
    if x.sizes is not None and x.sizes[-1] not in (None, w.sizes[n]):
        raise ShapeError(f"{title}: {x.sizes[-1]} channels do not fit filters of shape {shapes.text(w.sizes)}.")
    steps, spread = _numbers(strides, n, "strides", first), _numbers(dilations, n, "dilations", first)
    extents = [(k - 1) * d + 1 for k, d in zip(w.sizes[:n], spread, strict=True)]
    x = _padded(x, _paddings(x, extents, steps, padding, first))
    slices = _windows(x, w.sizes[:n], steps, spread)
    terms = [s[..., None] * w[place] for s, place in zip(slices, np.ndindex(*w.sizes[:n]), strict=True)]
    y = add_n(terms)
    y = array.reshape(y, [*_sizes(slices[0])[:-1], w.sizes[n] * w.sizes[n + 1]])
    return named(_moved(y, n, False) if first else y, name)


def separable_conv2d(
    input: TensorLike,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: int | Sequence[int],
    padding: str | Sequence[int],
    data_format: str | None = None,
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return `depthwise_conv2d` followed by a `conv2d` with filters (1, 1, channels, outputs)."""
    y = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(y, pointwise_filter, 1, "VALID", data_format or "NHWC", name=name)


# --- windows ---------------------------------------------------------------------------------------------------------


def extract_patches(
    images: TensorLike,
    sizes: TensorLike,
    strides: int | Sequence[int],
    rates: Any,
    padding: str | int | Sequence[Any],
    name: str | None = None,
) -> Any:
    """Return for each place of a window over (batch, height, width, channels) the pixels in it, as channels.

    The channels are those of the window's first pixel, then of the next in its row, and so on. ``rates``: how far apart the
    pixels of a window are.

    >>> import wengert as tf
    >>> tf.image.extract_patches([[[[1], [2], [3]]]], [1, 1, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID").numpy().tolist()
    [[[[1, 2], [2, 3]]]]
    """
    x = _channels_last(convert(images), 2, "extract_patches")
    kernel, steps, spread = (
        _numbers(value, 2, what, False) for value, what in ((sizes, "sizes"), (strides, "strides"), (rates, "rates"))
    )
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, spread, strict=True)]
    x = _padded(x, _paddings(x, extents, steps, padding, False))
    return named(array.concat(_windows(x, kernel, steps, spread), -1), name)


def local_response_normalization(
    input: TensorLike,
    depth_radius: int = 5,
    bias: TensorLike = 1,
    alpha: TensorLike = 1,
    beta: TensorLike = 0.5,
    name: str | None = None,
) -> Any:
    """Return x / (bias + alpha Σ x²)^beta, the sum being over the channels at most ``depth_radius`` away.

    Krizhevsky, Sutskever and Hinton (2012).

    Raises:
        ShapeError: unless there are four axes, the last of a known size.

    >>> import wengert as tf
    >>> tf.nn.local_response_normalization([[[[3.0, 4.0]]]], 1, 0.0).numpy().ravel().round(3)
    array([0.6, 0.8], dtype=float32)
    """
    x = number(input, "local_response_normalization")
    if x.sizes is None or len(x.sizes) != 4 or x.sizes[-1] is None:
        raise ShapeError(f"local_response_normalization takes four axes, the last of a known size, not shape {x.shape}.")
    channels = x.sizes[-1]
    radius = min(integer_of(depth_radius, "depth_radius"), max(channels - 1, 0))
    if radius < 0:
        raise InvalidArgumentError(f"local_response_normalization: depth_radius must not be negative, and is {depth_radius!r}.")
    squares = array.pad(x * x, [[0, 0]] * 3 + [[radius, radius]])
    near = add_n([squares[..., k : k + channels] for k in range(2 * radius + 1)])
    return named(x / (bias + alpha * near) ** beta, name)


lrn = local_response_normalization


# --- pooling ----------------------------------------------------------------------------------------------------------


def _pool(
    n: int,
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str | None,
    name: str | None,
    title: str,
    join: Callable[..., Any],
    dilations: int | Sequence[int] | None = None,
) -> Any:
    first = _channels_first(data_format, n)
    x = _channels_last(number(input, title), n, title)
    x = _moved(x, n, True) if first else x
    kernel, steps = _numbers(ksize, n, "ksize", first), _numbers(strides, n, "strides", first)
    spread = _numbers(dilations, n, "dilations", first)
    pairs = _paddings(x, [(k - 1) * d + 1 for k, d in zip(kernel, spread, strict=True)], steps, padding, first)
    y = join(x, pairs, lambda padded: _windows(padded, kernel, steps, spread))
    return named(_moved(y, n, False) if first else y, name)


def _average(x: TensorLike, pairs: list[Any], windows: Callable[[Any], list[Any]]) -> Any:
    slices = windows(_padded(x, pairs))
    total = add_n(slices)
    if all(isinstance(p, int) and p == 0 for pair in pairs for p in pair):
        return total * (1.0 / len(slices))
    return total / add_n(windows(_padded(array.ones_like(x), pairs)))


def _greatest(x: Array, pairs: list[Any], windows: Callable[[Any], list[Any]]) -> Any:
    slices = windows(_padded(x, pairs, x.dtype.min))
    y = slices[0]
    for s in slices[1:]:
        y = apply(elementwise.MAXIMUM_FIRST, (y, s))
    return y


def _rank(input: TensorLike) -> int:
    sizes = convert(input).sizes
    if sizes is None or not 3 <= len(sizes) <= 5:
        raise ShapeError(f"Pooling takes a tensor with 3 to 5 axes, not shape {shapes.text(sizes)}.")
    return len(sizes) - 2


def pool(
    input: TensorLike,
    window_shape: int | Sequence[int],
    pooling_type: str,
    strides: int | Sequence[int] | None = None,
    padding: str | int | Sequence[Any] = "VALID",
    data_format: str | None = None,
    dilations: int | Sequence[int] | None = None,
    name: str | None = None,
) -> Any:
    """Return the means ("AVG") or the greatest elements ("MAX") of windows that slide over one to three axes.

    >>> import wengert as tf
    >>> tf.nn.pool([[[1.0], [5.0], [2.0]]], [2], "MAX", dilations=[2]).numpy().tolist()
    [[[2.0]]]

    Raises:
        ValueError: for another type of pooling.
    """
    joins: dict[str, Callable[..., Any]] = {"AVG": _average, "MAX": _greatest}
    if not isinstance(pooling_type, str) or pooling_type not in joins:
        raise ValueError(f"pool: pooling_type is 'MAX' or 'AVG', not {pooling_type!r}.")
    return _pool(
        _rank(input), input, window_shape, strides or 1, padding, data_format, name, "pool", joins[pooling_type], dilations
    )


def avg_pool(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str | None = None,
    name: str | None = None,
) -> Any:
    """Return the means over windows that slide over one to three axes; padding does not count."""
    return _pool(_rank(input), input, ksize, strides, padding, data_format, name, "avg_pool", _average)


def avg_pool1d(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NWC",
    name: str | None = None,
) -> Any:
    """Return the means over windows of (batch, width, channels)."""
    return _pool(1, input, ksize, strides, padding, data_format, name, "avg_pool1d", _average)


def avg_pool2d(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """Return the means over windows of (batch, height, width, channels).

    >>> import wengert as tf
    >>> tf.nn.avg_pool2d([[[[1.0], [3.0]]]], [1, 2], 1, "VALID").numpy().tolist()
    [[[[2.0]]]]
    """
    return _pool(2, input, ksize, strides, padding, data_format, name, "avg_pool2d", _average)


def avg_pool3d(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Any:
    """Return the means over windows of (batch, depth, height, width, channels)."""
    return _pool(3, input, ksize, strides, padding, data_format, name, "avg_pool3d", _average)


def max_pool(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str | None = None,
    name: str | None = None,
) -> Any:
    """Return the greatest elements of windows that slide over one to three axes; of equals the first has the derivative."""
    return _pool(_rank(input), input, ksize, strides, padding, data_format, name, "max_pool", _greatest)


def max_pool1d(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NWC",
    name: str | None = None,
) -> Any:
    """Return the greatest elements of windows of (batch, width, channels)."""
    return _pool(1, input, ksize, strides, padding, data_format, name, "max_pool1d", _greatest)


def max_pool2d(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """Return the greatest elements of windows of (batch, height, width, channels).

    >>> import wengert as tf
    >>> tf.nn.max_pool2d([[[[1.0], [3.0]]]], [1, 2], 1, "VALID").numpy().tolist()
    [[[[3.0]]]]
    """
    return _pool(2, input, ksize, strides, padding, data_format, name, "max_pool2d", _greatest)


def max_pool3d(
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NDHWC",
    name: str | None = None,
) -> Any:
    """Return the greatest elements of windows of (batch, depth, height, width, channels)."""
    return _pool(3, input, ksize, strides, padding, data_format, name, "max_pool3d", _greatest)
