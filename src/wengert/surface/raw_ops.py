"""The raw operations of TensorFlow's ``tf.raw_ops`` that are no function of another name: derivatives above all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.calculus.gradients import jvp, vjp
from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.functions.program import custom_gradient
from wengert.ground.dtypes import DtypeLike
from wengert.ground.errors import InvalidArgumentError, NoGradientError, ShapeError
from wengert.ground.shapes import fits, is_full
from wengert.ops import linear, reduction
from wengert.tensor.tensor import TensorLike, apply, convert


def Einsum(*, inputs: Any, equation: str, name: str | None = None) -> Any:
    """Return the sum of products that an equation names."""
    return elementary.einsum(equation, *inputs)


def Const(*, value: TensorLike, dtype: DtypeLike, name: str | None = None) -> Any:
    """Return a constant."""
    return array.constant(value, dtype, None, name)


def PreventGradient(*, input: TensorLike, message: str = "", name: str | None = None) -> Any:
    """Return the tensor; whoever asks for a derivative through it gets a LookupError with the message."""

    @custom_gradient
    def prevented(x: TensorLike) -> Any:
        def grad(dy: Any) -> Any:
            raise NoGradientError(f"Gradient explicitly disabled. Reason: {message!r}")

        return array.identity(x, name), grad

    return prevented(input)


def BroadcastArgs(*, s0: Any, s1: Any, name: str | None = None) -> Any:
    """Return the shape that two shapes are broadcast to, as an integer tensor."""
    return elementary.named(array.broadcast_dynamic_shape(s0, s1), name)


def BroadcastGradientArgs(*, s0: Any, s1: Any, name: str | None = None) -> Any:
    """Return for each of two shapes the axes of the broadcast shape over which its gradient is summed; none where they are equal.

    >>> [axes.numpy().tolist() for axes in BroadcastGradientArgs(s0=[2, 1, 5], s1=[3, 1])]
    [[1], [0, 2]]
    """
    a, b = convert(s0), convert(s1)
    if not is_full(a.sizes) or not is_full(b.sizes):
        raise ShapeError("BroadcastGradientArgs: the numbers of axes must be known.")
    array.broadcast_dynamic_shape(a, b)  # raises where they do not fit
    rank = max(a.sizes[0], b.sizes[0])
    x, y = (array.concat([array.ones([rank - t.sizes[0]], t.dtype), t], 0) for t in (a, b))
    differ = elementary.reduce_any(elementary.not_equal(x, y)) if a.sizes == b.sizes else convert(True)
    over = [array.where(elementary.logical_and(elementary.equal(t, 1), differ)) for t in (x, y)]
    return [array.cast(array.reshape(axes, [-1]), a.dtype) for axes in over]


# --- derivatives, by the names that TensorFlow's own derivatives have -----------------------------------------------------
# ``y`` is what the function gave, ``dy`` the cotangent. Where they are complex TensorFlow leaves it to the caller of
# SigmoidGrad and TanhGrad to conjugate the derivative.


def _slope(name: str, slope: Callable[[Any], Any], conjugate: bool = True) -> Callable[..., Any]:
    def call(*, y: TensorLike, dy: Any, name: str | None = None) -> Any:
        factor = slope(convert(y))
        return elementary.multiply(dy, elementary.conj(factor) if conjugate else factor, name)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Return dy times the derivative that {name.removesuffix('Grad')} has where it gives y."
    return call


InvGrad = _slope("InvGrad", lambda y: -y * y)
ReciprocalGrad = _slope("ReciprocalGrad", lambda y: -y * y)
RsqrtGrad = _slope("RsqrtGrad", lambda y: -0.5 * y * y * y)
SigmoidGrad = _slope("SigmoidGrad", lambda y: y * (1.0 - y), conjugate=False)
SqrtGrad = _slope("SqrtGrad", lambda y: 0.5 / y)
TanhGrad = _slope("TanhGrad", lambda y: 1.0 - y * y, conjugate=False)


def MirrorPadGrad(*, input: TensorLike, paddings: TensorLike, mode: str, name: str | None = None) -> Any:
    """Return for each place of what was padded the sum over the places that show it; ``input`` has the padded shape."""
    g, (pairs, symbolic) = convert(input), array._pairs(paddings)
    if symbolic or not is_full(g.sizes):
        raise ShapeError("MirrorPadGrad: the shape and the paddings must be known.")
    sizes = [s - before - after for s, (before, after) in zip(g.sizes, pairs, strict=True)]
    attrs = {"paddings": pairs, "mode": mode.lower(), "value": 0}
    return apply(linear.PAD_TRANSPOSE, (g, array.zeros(sizes, g.dtype)), attrs, name)


def TensorStridedSliceUpdate(
    *,
    input: TensorLike,
    begin: TensorLike,
    end: TensorLike,
    strides: int | Sequence[int],
    value: TensorLike,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    name: str | None = None,
) -> Any:
    """Return the tensor with another value in a slice, which `strided_slice` would take."""
    x = convert(input)
    if not is_full(x.sizes):
        raise ShapeError(f"TensorStridedSliceUpdate: the shape must be known, and is {x.shape}.")
    starts, ends, steps = (array.integers_of(v, what) for v, what in ((begin, "begin"), (end, "end"), (strides, "strides")))
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    numbers = np.arange(np.prod(x.sizes, dtype=np.int64)).reshape(x.sizes)
    places = np.asarray(numbers[tuple(array.strided_index(starts, ends, steps, *masks))])
    rows = array.reshape(array.broadcast_to(convert(value, like=x), places.shape), [-1])
    flat = array.tensor_scatter_nd_update(array.reshape(x, [-1]), places.reshape(-1, 1), rows)
    return array.reshape(flat, x.sizes, name)


def _sparse_segments(name: str, power: float) -> Callable[..., Any]:
    """Return the derivative of a sum of chosen rows over segments, divided by the power of their number."""

    def call(*, grad: TensorLike, indices: TensorLike, segment_ids: TensorLike, output_dim0: Any, name: str | None = None) -> Any:
        g, places, ids = convert(grad), convert(indices), convert(segment_ids)
        count = array.integer_of(output_dim0, "output_dim0")
        shares = apply(reduction.SEGMENT_SHARES, (places, ids, g), {"count": count, "power": power})
        rows = array.gather(g, ids) * array.reshape(shares, [-1, *[1] * (g.ndim - 1)])
        return elementary.unsorted_segment_sum(rows, places, count, name)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Return the cotangent of the rows of which {name.removesuffix('Grad')} chose some; it has output_dim0 rows."
    return call


SparseSegmentSumGrad = _sparse_segments("SparseSegmentSumGrad", 0.0)
SparseSegmentMeanGrad = _sparse_segments("SparseSegmentMeanGrad", 1.0)
SparseSegmentSqrtNGrad = _sparse_segments("SparseSegmentSqrtNGrad", 0.5)


def _pooled(ksize: Any, strides: Any, padding: Any, data_format: str, explicit_paddings: Any) -> Callable[[Any], Any]:
    if padding == "EXPLICIT":
        padding = np.reshape(explicit_paddings, (-1, 2)).tolist()
    return lambda x: nn.max_pool(x, ksize, strides, padding, data_format)


def _require_shape(what: str, value: TensorLike, like: Any) -> Any:
    t = convert(value)
    if not fits(t.sizes, like):
        shown = [str(list(s)).replace(" ", "") for s in (like, t.sizes)]
        raise InvalidArgumentError(f"Expected {what} shape to be {shown[0]}, but got {shown[1]}")
    return t


def MaxPool(
    *,
    input: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    explicit_paddings: Any = (),
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """Return the greatest elements of windows; see `max_pool`."""
    return elementary.named(_pooled(ksize, strides, padding, data_format, explicit_paddings)(input), name)


def MaxPoolGrad(
    *,
    orig_input: Any,
    orig_output: Any,
    grad: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    explicit_paddings: Any = (),
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """Return the cotangent of what `MaxPool` took: that of each window at its first greatest element."""
    x, f = convert(orig_input), _pooled(ksize, strides, padding, data_format, explicit_paddings)
    like = f(x).sizes
    _require_shape("orig_output", orig_output, like)
    return elementary.named(vjp(f, x)[1](_require_shape("grad", grad, like)), name)


def MaxPoolGradV2(
    *,
    orig_input: Any,
    orig_output: Any,
    grad: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """Return the cotangent of what `MaxPoolV2` took; see `MaxPoolGrad`."""
    return MaxPoolGrad(
        orig_input=orig_input, orig_output=orig_output, grad=grad, ksize=ksize, strides=strides, padding=padding,
        data_format=data_format, name=name,
    )  # fmt: skip


def MaxPoolGradGrad(
    *,
    orig_input: Any,
    orig_output: Any,
    grad: TensorLike,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    data_format: str = "NHWC",
    name: str | None = None,
) -> Any:
    """Return the cotangent of what `MaxPoolGrad` took: in each window the element where the first greatest stands."""
    x, f = convert(orig_input), _pooled(ksize, strides, padding, data_format, ())
    _require_shape("orig_output", orig_output, f(x).sizes)
    return elementary.named(jvp(f, x, _require_shape("grad", grad, x.sizes))[1], name)


def MaxPoolGradWithArgmax(
    *,
    input: TensorLike,
    grad: TensorLike,
    argmax: Any,
    ksize: int | Sequence[int],
    strides: int | Sequence[int],
    padding: str | int | Sequence[Any],
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> Any:
    """Return zeros like the input with ``grad`` added at the places that ``argmax`` counts, in each image or in all."""
    x = convert(input)
    if not is_full(x.sizes):
        raise ShapeError(f"MaxPoolGradWithArgmax: the shape must be known, and is {x.shape}.")
    like = _pooled(ksize, strides, padding, "NHWC", ())(x).sizes
    g, at = _require_shape("grad", grad, like), _require_shape("argmax", argmax, like)
    if not include_batch_in_index:
        first = np.arange(x.sizes[0], dtype=at.nptype) * np.prod(x.sizes[1:], dtype=at.nptype)
        at = at + convert(first.reshape(-1, 1, 1, 1))
    flat = array.scatter_nd(array.reshape(at, [-1, 1]), array.reshape(g, [-1]), [int(np.prod(x.sizes))])
    return array.reshape(flat, x.sizes, name)
