"""The functions of tensors of ``keras.backend``, by the names and with the arguments of Keras 2."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.functions import array, nn
from wengert.functions import linalg as matrices
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.keras import losses, ops, random
from wengert.keras.configuration import epsilon, floatx, image_data_format
from wengert.keras.layers.tracking import put
from wengert.keras.variable import Variable
from wengert.modes import control
from wengert.modes.variable import Variable as AnyVariable
from wengert.tensor.tensor import AxisLike, Nested, Tensor, TensorLike, convert

__all__ = """
    all any arange argmin batch_flatten batch_get_value batch_normalization batch_set_value bias_add binary_crossentropy
    binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy conv1d conv2d conv2d_transpose conv3d
    count_params cumprod cumsum depthwise_conv2d dropout eye foldl foldr gather greater greater_equal hard_sigmoid in_top_k
    is_sparse l2_normalize less less_equal map_fn moving_average_update not_equal one_hot permute_dimensions pool2d pool3d
    print_tensor random_normal_variable random_uniform_variable repeat resize_images resize_volumes reverse rnn round
    separable_conv2d softsign sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding switch temporal_padding
    to_dense update update_add update_sub
""".split()

Sizes = int | Sequence[int]


# --- elements -------------------------------------------------------------------------------------------------------------


def all(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return whether all elements are True, or not 0."""
    return elementary.reduce_all(array.cast(x, "bool"), axis, keepdims)


def any(x: TensorLike, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return whether an element is True, or not 0."""
    return elementary.reduce_any(array.cast(x, "bool"), axis, keepdims)


def arange(start: TensorLike, stop: TensorLike | None = None, step: TensorLike = 1, dtype: DtypeLike = "int32") -> Any:
    """Return the numbers from start (0 where there is no stop) to stop."""
    if stop is None and isinstance(start, int | float) and start < 0:
        start = 0
    found = array.range(start, delta=step) if stop is None else array.range(start, stop, step)
    return array.cast(found, dtype)


def argmin(x: TensorLike, axis: int = -1) -> Any:
    """Return where the least element along an axis stands."""
    return elementary.argmin(x, axis)


def greater(x: TensorLike, y: TensorLike) -> Any:
    """Return where x > y."""
    return elementary.greater(x, y)


def greater_equal(x: TensorLike, y: TensorLike) -> Any:
    """Return where x >= y."""
    return elementary.greater_equal(x, y)


def less(x: TensorLike, y: TensorLike) -> Any:
    """Return where x < y."""
    return elementary.less(x, y)


def less_equal(x: TensorLike, y: TensorLike) -> Any:
    """Return where x <= y."""
    return elementary.less_equal(x, y)


def not_equal(x: TensorLike, y: TensorLike) -> Any:
    """Return where x and y differ."""
    return elementary.not_equal(x, y)


def round(x: TensorLike) -> Any:
    """Return the nearest whole numbers, even ones of two."""
    return elementary.round(x)


def softsign(x: TensorLike) -> Any:
    """Return x / (1 + |x|)."""
    return elementary.softsign(x)


def hard_sigmoid(x: TensorLike) -> Any:
    """Return x / 5 + 1/2 between 0 and 1, as Keras 2 has it; `keras.ops.hard_sigmoid` rises by a sixth."""
    return elementary.clip_by_value(convert(x) * 0.2 + 0.5, 0.0, 1.0)


def cumsum(x: TensorLike, axis: int = 0) -> Any:
    """Return the running sum along an axis."""
    return elementary.cumsum(x, axis)


def cumprod(x: TensorLike, axis: int = 0) -> Any:
    """Return the running product along an axis."""
    return elementary.cumprod(x, axis)


# --- arrangement ----------------------------------------------------------------------------------------------------------


def batch_flatten(x: TensorLike) -> Any:
    """Return each row of x as one axis."""
    x = convert(x)
    rest = [n for n in (x.sizes or ())[1:] if n is not None]
    return array.reshape(x, [-1, int(np.prod(rest))] if len(rest) == len(x.sizes) - 1 else [array.shape(x)[0], -1])


def eye(size: int | Sequence[int], dtype: DtypeLike | None = None, name: str | None = None) -> Any:
    """Return a variable of a unit matrix."""
    rows, columns = (size, size) if isinstance(size, int) else size
    return Variable(np.eye(rows, columns), dtype=dtype or floatx(), name=name)


def gather(reference: TensorLike, indices: TensorLike) -> Any:
    """Return the rows of these numbers."""
    return array.gather(reference, indices)


def one_hot(indices: TensorLike, num_classes: int) -> Any:
    """Return whole numbers as rows with a 1 in them."""
    return array.one_hot(indices, depth=num_classes, axis=-1)


def permute_dimensions(x: TensorLike, pattern: Sequence[int]) -> Any:
    """Return the axes in another order."""
    return array.transpose(x, pattern)


def repeat(x: TensorLike, n: int) -> Any:
    """Return each row of a matrix n times, along a new second axis."""
    return array.tile(array.expand_dims(x, 1), [1, n, 1])


def reverse(x: TensorLike, axes: AxisLike) -> Any:
    """Return x reversed along axes."""
    return array.reverse(x, [axes] if isinstance(axes, int) else axes)


def in_top_k(predictions: TensorLike, targets: TensorLike, k: int) -> Any:
    """Return for each row of predictions whether its target is among the k greatest."""
    return elementary.in_top_k(targets, predictions, k)


def is_sparse(tensor: TensorLike) -> bool:
    """Return whether a tensor has indices and values alone."""
    return hasattr(tensor, "dense_shape") and hasattr(tensor, "indices")


def to_dense(tensor: TensorLike) -> Any:
    """Return a tensor with all of its elements."""
    return convert(tensor)


def _padded(x: TensorLike, pairs: Sequence[Sequence[int]], data_format: str | None) -> Any:
    first = (data_format or image_data_format()) == "channels_first"
    none = [[0, 0]]
    return array.pad(x, [*none * (1 + first), *[list(p) for p in pairs], *none * (not first)])


def temporal_padding(x: TensorLike, padding: Sequence[int] = (1, 1)) -> Any:
    """Return x with zeros before and after its second axis."""
    return array.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(x: TensorLike, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Return images with zeros around them."""
    return _padded(x, padding, data_format)


def spatial_3d_padding(
    x: TensorLike, padding: Sequence[Sequence[int]] = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Return volumes with zeros around them."""
    return _padded(x, padding, data_format)


def _stretched(x: TensorLike, factors: Sequence[int], data_format: str) -> Any:
    for i, factor in enumerate(factors):
        x = array.repeat(x, factor, i + (2 if data_format == "channels_first" else 1))
    return x


def resize_images(x: TensorLike, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest") -> Any:
    """Return images larger by whole factors, each element repeated.

    Raises:
        NotImplementedError: for another interpolation; see `keras.ops.image.resize`.
    """
    if interpolation != "nearest":
        raise NotImplementedError("K.resize_images: the interpolation is 'nearest'; see keras.ops.image.resize for others.")
    return _stretched(x, (height_factor, width_factor), data_format)


def resize_volumes(x: TensorLike, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Return volumes larger by whole factors, each element repeated."""
    return _stretched(x, (depth_factor, height_factor, width_factor), data_format)


# --- variables ------------------------------------------------------------------------------------------------------------


def batch_get_value(tensors: Sequence[AnyVariable]) -> list[Any]:
    """Return the values of variables as NumPy arrays."""
    return [v.numpy() for v in tensors]


def batch_set_value(tuples: Sequence[tuple[AnyVariable, TensorLike]]) -> None:
    """Set the values of variables."""
    for variable, value in tuples:
        put(variable, value)


def count_params(x: Tensor | AnyVariable) -> int:
    """Return how many elements there are."""
    return math.prod(int(n) for n in x.shape)


def update(x: AnyVariable, new_x: TensorLike) -> Any:
    """Set a variable."""
    return x.assign(new_x)


def update_add(x: AnyVariable, increment: TensorLike) -> Any:
    """Add to a variable."""
    return x.assign_add(increment)


def update_sub(x: AnyVariable, decrement: TensorLike) -> Any:
    """Take from a variable."""
    return x.assign_sub(decrement)


def moving_average_update(x: AnyVariable, value: TensorLike, momentum: TensorLike) -> Any:
    """Set a variable to momentum x + (1 - momentum) value."""
    keep = array.cast(momentum, x.dtype)
    return x.assign(x * keep + array.cast(value, x.dtype) * (1.0 - keep))


def random_normal_variable(
    shape: ShapeLike, mean: float, scale: float, dtype: DtypeLike | None = None, name: str | None = None, seed: int | None = None
) -> Any:
    """Return a variable of numbers of a normal distribution."""
    return Variable(random.normal(shape, mean, scale, dtype or floatx(), seed), dtype=dtype or floatx(), name=name)


def random_uniform_variable(
    shape: ShapeLike, low: float, high: float, dtype: DtypeLike | None = None, name: str | None = None, seed: int | None = None
) -> Any:
    """Return a variable of numbers spread evenly."""
    return Variable(random.uniform(shape, low, high, dtype or floatx(), seed), dtype=dtype or floatx(), name=name)


def print_tensor(x: TensorLike, message: str = "", summarize: int = 3) -> Any:
    """Print a tensor when it is computed, and return it."""
    from wengert.functions.program import control_dependencies, print_tensors

    x = convert(x)
    done = print_tensors(message, x, summarize=summarize)
    with control_dependencies([] if done is None else [done]):
        return array.identity(x)


# --- networks -------------------------------------------------------------------------------------------------------------


def dropout(x: TensorLike, level: float, noise_shape: ShapeLike | None = None, seed: int | None = None) -> Any:
    """Return x with a share of its elements 0, and the others larger."""
    return nn.dropout(x, rate=level, noise_shape=noise_shape, seed=seed)


def l2_normalize(x: TensorLike, axis: AxisLike | None = None) -> Any:
    """Return x of length 1 along axes."""
    return matrices.l2_normalize(x, axis=axis)


def bias_add(x: TensorLike, bias: TensorLike, data_format: str | None = None) -> Any:
    """Return x with a number added for each channel; a bias of more axes is added as it stands."""
    x, bias = convert(x), convert(bias)
    rank, axes = len(x.sizes), len(bias.sizes)
    if axes not in (1, rank - 1):
        raise ValueError(f"Unexpected bias dimensions {axes}, expect to be 1 or {rank - 1} dimensions")
    if (data_format or image_data_format()) == "channels_first" and rank > 2:
        last = bias.sizes[-1]
        return x + array.reshape(bias, [1, last, *(bias.sizes[:-1] if axes > 1 else [1] * (rank - 2))])
    return x + bias


def batch_normalization(
    x: TensorLike, mean: TensorLike, var: TensorLike, beta: TensorLike | None, gamma: TensorLike | None, axis: int = -1,
    epsilon: float = 1e-3,
) -> Any:  # fmt: skip
    """Return (x - mean) / √(var + epsilon) gamma + beta."""
    return nn.batch_normalization(x, mean, var, beta, gamma, epsilon)


def _clipped(output: TensorLike) -> Any:
    return elementary.clip_by_value(output, epsilon(), 1.0 - epsilon())


def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """Return -(t log(y) + (1 - t) log(1 - y)), element by element."""
    t, y = convert(target), convert(output)
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(labels=t, logits=y)
    y = _clipped(y)
    return -(t * elementary.log(y + epsilon()) + (1.0 - t) * elementary.log(1.0 - y + epsilon()))


def binary_focal_crossentropy(
    target: TensorLike, output: TensorLike, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False,
) -> Any:  # fmt: skip
    """Return the binary cross entropy times (1 - p)^gamma, p what the true class was given: T.-Y. Lin and others (2017)."""
    t, y = convert(target), convert(output)
    p = elementary.sigmoid(y) if from_logits else y
    given = t * p + (1.0 - t) * (1.0 - p)
    found = elementary.pow(1.0 - given, gamma) * binary_crossentropy(t, p)
    return found * (t * alpha + (1.0 - t) * (1.0 - alpha)) if apply_class_balancing else found


def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Any:
    """Return the sum of -t log(y) along an axis, y scaled to sum 1 along it."""
    return ops.categorical_crossentropy(target, output, from_logits, axis)


def categorical_focal_crossentropy(
    target: TensorLike, output: TensorLike, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return the categorical cross entropy with each term times alpha (1 - y)^gamma."""
    t, y = convert(target), convert(output)
    y = elementary.softmax(y, axis) if from_logits else y / elementary.reduce_sum(y, axis, True)
    y = _clipped(y)
    return elementary.reduce_sum(-t * elementary.log(y) * elementary.pow(1.0 - y, gamma) * alpha, axis)


def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """Return the cross entropy of the classes that whole numbers name."""
    return losses.sparse_categorical_crossentropy(target, output, from_logits, ignore_class, axis)


def conv1d(
    x: TensorLike, kernel: TensorLike, strides: int = 1, padding: str = "valid", data_format: str | None = None,
    dilation_rate: int = 1,
) -> Any:  # fmt: skip
    """Return the correlation with a kernel over one axis; padding may be "causal"."""
    x, kernel = convert(x), convert(kernel)
    if padding == "causal":
        x, padding = temporal_padding(x, (dilation_rate * (kernel.sizes[0] - 1), 0)), "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d(
    x: TensorLike, kernel: TensorLike, strides: Sizes = (1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Sizes = (1, 1),
) -> Any:  # fmt: skip
    """Return the correlation of images with a kernel."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(
    x: TensorLike, kernel: TensorLike, strides: Sizes = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    dilation_rate: Sizes = (1, 1, 1),
) -> Any:  # fmt: skip
    """Return the correlation of volumes with a kernel."""
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(
    x: TensorLike, kernel: TensorLike, output_shape: ShapeLike, strides: Sizes = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Sizes = (1, 1),
) -> Any:  # fmt: skip
    """Return the transpose of a correlation that gives images of the shape of x from ones of ``output_shape``."""
    first = (data_format or image_data_format()) == "channels_first"
    dilated = dilation_rate if isinstance(dilation_rate, int) else tuple(dilation_rate)
    return nn.conv2d_transpose(
        convert(x), convert(kernel), output_shape, strides, padding.upper(), "NCHW" if first else "NHWC", dilated
    )


def depthwise_conv2d(
    x: TensorLike, depthwise_kernel: TensorLike, strides: Sizes = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Sizes = (1, 1),
) -> Any:  # fmt: skip
    """Return for each channel of images its correlation with kernels of its own."""
    return ops.depthwise_conv(x, depthwise_kernel, strides, padding, data_format, dilation_rate)


def separable_conv2d(
    x: TensorLike, depthwise_kernel: TensorLike, pointwise_kernel: TensorLike, strides: Sizes = (1, 1), padding: str = "valid",
    data_format: str | None = None, dilation_rate: Sizes = (1, 1),
) -> Any:  # fmt: skip
    """Return `depthwise_conv2d`, and its channels mixed by a second kernel."""
    return ops.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate)


def _pooled(x: TensorLike, pool_size: Sizes, strides: Sizes, padding: str, data_format: str | None, pool_mode: str) -> Any:
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"Invalid pooling mode: {pool_mode}")
    return (ops.max_pool if pool_mode == "max" else ops.average_pool)(x, pool_size, strides, padding, data_format)


def pool2d(
    x: TensorLike, pool_size: Sizes, strides: Sizes = (1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """Return the greatest elements ("max") or the means ("avg") of windows of images."""
    return _pooled(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: TensorLike, pool_size: Sizes, strides: Sizes = (1, 1, 1), padding: str = "valid", data_format: str | None = None,
    pool_mode: str = "max",
) -> Any:  # fmt: skip
    """Return the greatest elements ("max") or the means ("avg") of windows of volumes."""
    return _pooled(x, pool_size, strides, padding, data_format, pool_mode)


# --- control --------------------------------------------------------------------------------------------------------------


def switch(
    condition: TensorLike, then_expression: TensorLike | Callable[[], Any], else_expression: TensorLike | Callable[[], Any]
) -> Any:
    """Return one of two values, or of two functions' values: by one condition, or element by element."""
    chosen = array.cast(condition, "bool")
    then, otherwise = (e if callable(e) else partial(convert, e) for e in (then_expression, else_expression))
    if not chosen.sizes:
        return control.cond(chosen, then, otherwise)
    x, y = convert(then()), convert(otherwise())
    missing = [1] * (len(x.sizes) - len(chosen.sizes))
    sizes = array.concat([array.shape(chosen), missing], 0) if missing else array.shape(chosen)
    return array.where(array.reshape(chosen, sizes), x, y)


def foldl(fn: Callable[..., Any], elems: TensorLike, initializer: Nested | None = None, name: str | None = None) -> Any:
    """Return fn(... fn(fn(first, x0), x1) ...) over the rows."""
    return control.foldl(fn, elems, initializer=initializer)


def foldr(fn: Callable[..., Any], elems: TensorLike, initializer: Nested | None = None, name: str | None = None) -> Any:
    """Return `foldl` from the last row to the first."""
    return control.foldr(fn, elems, initializer=initializer)


def map_fn(fn: Callable[..., Any], elems: TensorLike, name: str | None = None, dtype: DtypeLike | None = None) -> Any:
    """Return a function's values for all rows."""
    return control.map_fn(fn, elems, dtype=dtype)


def rnn(
    step_function: Callable[..., Any], inputs: TensorLike, initial_states: Sequence[TensorLike], go_backwards: bool = False,
    mask: TensorLike | None = None, constants: Sequence[TensorLike] | None = None, unroll: bool = False,
    input_length: int | None = None, time_major: bool = False, zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> Any:  # fmt: skip
    """Return (the last output, all outputs, the last states) of (output, states) = step_function(x, states) over times.

    ``mask``: where False, states stay as they are and the output is the one before (or zeros).
    """
    x = convert(inputs)
    x = x if time_major else array.transpose(x, [1, 0, *range(2, len(x.sizes))])
    states = [convert(s) for s in initial_states]
    more = list(constants or ())
    seen = None if mask is None else array.cast(mask, "bool")
    if seen is not None:
        seen = seen if len(seen.sizes) < 3 else array.squeeze(seen, -1)
        seen = seen if time_major else array.transpose(seen)
    if go_backwards:
        x = array.reverse(x, [0])
        seen = None if seen is None else array.reverse(seen, [0])
    sample, _ = step_function(x[0], [*states, *more])

    def kept(at: Tensor | None, new: Tensor, old: Tensor) -> Any:
        return new if at is None else array.where(array.reshape(at, [-1, *[1] * (len(new.sizes) - 1)]), new, old)

    def step(carry: Sequence[Any], row: Any) -> Any:
        last, now = carry[0], list(carry[1:])
        value, at = (row, None) if seen is None else row
        output, found = step_function(value, [*now, *more])
        before = array.zeros_like(output) if zero_output_for_mask else last
        return (kept(at, output, before), *[kept(at, n, o) for n, o in zip(found, now, strict=True)])

    rows = x if seen is None else (x, seen)
    outputs, *ends = control.scan(step, rows, (array.zeros_like(convert(sample)), *states))
    last = outputs[-1]
    all_of_them = outputs if return_all_outputs else outputs[-1:]
    if not time_major:
        all_of_them = array.transpose(all_of_them, [1, 0, *range(2, len(all_of_them.sizes))])
    return last, all_of_them, [e[-1] for e in ends]
