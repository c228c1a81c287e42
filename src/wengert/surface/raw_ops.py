"""TensorFlow's ``tf.raw_ops``: operations by the names of their kernels, called with keywords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.calculus.gradients import jvp, vjp
from wengert.functions import array, linalg, nn, sparse
from wengert.functions import math as elementary
from wengert.functions.program import custom_gradient
from wengert.ground.errors import InvalidArgumentError, NoGradientError, ShapeError
from wengert.ground.shapes import fits, is_full
from wengert.ops import linear, reduction
from wengert.tensor.tensor import apply, convert

__all__: list[str] = []


def _named(name: str, function: Callable[..., Any], names: dict[str, str], fixed: dict[str, Any]) -> Callable[..., Any]:
    def call(**keywords: Any) -> Any:
        given = {names.get(k, k): v for k, v in keywords.items() if v is not None and names.get(k, k) != ""}
        return function(**{**fixed, **given})

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Apply {name}; see `{function.__name__}`. Arguments by keyword only."
    return call


def _enter(name: str, function: Callable[..., Any], names: dict[str, str] | None = None, **fixed: Any) -> None:
    globals()[name] = _named(name, function, {"T": "", **(names or {})}, fixed)
    __all__.append(name)


_TABLE: dict[str, Callable[..., Any]] = {
    "Acos": elementary.acos, "Acosh": elementary.acosh, "Asin": elementary.asin, "Asinh": elementary.asinh,
    "Atan": elementary.atan, "Atanh": elementary.atanh, "Ceil": elementary.ceil, "Cos": elementary.cos,
    "Cosh": elementary.cosh, "Digamma": elementary.digamma, "Erf": elementary.erf, "Erfc": elementary.erfc,
    "Exp": elementary.exp, "Expm1": elementary.expm1, "Floor": elementary.floor, "IsFinite": elementary.is_finite,
    "IsInf": elementary.is_inf, "IsNan": elementary.is_nan, "Lgamma": elementary.lgamma, "Log": elementary.log,
    "Log1p": elementary.log1p, "LogicalNot": elementary.logical_not, "Neg": elementary.negative,
    "Reciprocal": elementary.reciprocal, "Inv": elementary.reciprocal, "Rint": elementary.rint, "Round": elementary.round,
    "Rsqrt": elementary.rsqrt, "Sigmoid": elementary.sigmoid, "Sign": elementary.sign, "Sin": elementary.sin,
    "Sinh": elementary.sinh, "Sqrt": elementary.sqrt, "Square": elementary.square, "Tan": elementary.tan,
    "Tanh": elementary.tanh, "Abs": elementary.abs,
    "Add": elementary.add, "AddV2": elementary.add, "Sub": elementary.subtract, "Mul": elementary.multiply,
    "Div": elementary.divide, "RealDiv": elementary.divide, "DivNoNan": elementary.divide_no_nan,
    "FloorDiv": elementary.floordiv, "FloorMod": elementary.floormod, "Pow": elementary.pow,
    "Maximum": elementary.maximum, "Minimum": elementary.minimum, "Equal": elementary.equal,
    "NotEqual": elementary.not_equal, "Less": elementary.less, "LessEqual": elementary.less_equal,
    "Greater": elementary.greater, "GreaterEqual": elementary.greater_equal, "LogicalAnd": elementary.logical_and,
    "LogicalOr": elementary.logical_or, "SquaredDifference": elementary.squared_difference, "Xdivy": elementary.xdivy,
    "Xlogy": elementary.xlogy, "Atan2": elementary.atan2, "Softplus": elementary.softplus, "Softsign": elementary.softsign,
    "Relu": nn.relu, "Relu6": nn.relu6, "Elu": nn.elu, "Selu": nn.selu, "L2Loss": nn.l2_loss, "LeakyRelu": nn.leaky_relu,
    "Softmax": nn.softmax, "LogSoftmax": nn.log_softmax, "BiasAdd": nn.bias_add,
    "Identity": array.identity, "IdentityN": array.identity_n, "StopGradient": array.stop_gradient,
    "ZerosLike": array.zeros_like, "OnesLike": array.ones_like, "ExpandDims": array.expand_dims,
    "Slice": array.slice, "GatherNd": array.gather_nd, "ScatterNd": array.scatter_nd, "Fill": array.fill,
    "InvertPermutation": array.invert_permutation, "BroadcastTo": array.broadcast_to, "Where": array.where,
    "MatrixInverse": linalg.inv, "MatrixSolve": linalg.solve, "MatrixDeterminant": linalg.det, "Cholesky": linalg.cholesky,
    "MatrixTriangularSolve": linalg.triangular_solve, "Cumsum": elementary.cumsum, "Cumprod": elementary.cumprod,
    "AddN": elementary.add_n, "MatMul": elementary.matmul, "Conj": elementary.conj, "Real": elementary.real,
    "Imag": elementary.imag, "Complex": elementary.complex, "Range": array.range, "Roll": array.roll, "OneHot": array.one_hot,
    "ClipByValue": elementary.clip_by_value, "SegmentSum": elementary.segment_sum,
    "UnsortedSegmentSum": elementary.unsorted_segment_sum, "Bincount": elementary.bincount, "Shape": array.shape,
    "Size": array.size, "Rank": array.rank, "LRN": nn.local_response_normalization,
    "TensorScatterAdd": array.tensor_scatter_nd_add,
    "TensorScatterUpdate": array.tensor_scatter_nd_update, "MaxPoolV2": nn.max_pool,
}  # fmt: skip
for _name, _function in _TABLE.items():
    _enter(_name, _function)

_enter("ScatterNdNonAliasingAdd", array.tensor_scatter_nd_add, {"input": "tensor"})
_enter("AvgPool", nn.avg_pool, {"value": "input"})
_enter("BatchMatMul", elementary.matmul, {"x": "a", "y": "b", "adj_x": "adjoint_a", "adj_y": "adjoint_b"})
_enter("BatchMatMulV2", elementary.matmul, {"x": "a", "y": "b", "adj_x": "adjoint_a", "adj_y": "adjoint_b"})
_enter("Transpose", array.transpose, {"x": "a", "Tperm": ""})
_enter("Reshape", array.reshape, {"Tshape": ""})
_enter("Cast", array.cast, {"DstT": "dtype", "SrcT": "", "Truncate": ""})
_enter("ConcatV2", array.concat)
_enter("Concat", array.concat, {"concat_dim": "axis"})
_enter("Pack", array.stack)
_enter("Unpack", array.unstack)
_enter("Split", array.split, {"num_split": "num_or_size_splits"})
_enter("Tile", array.tile)
_enter("Pad", array.pad, {"input": "tensor"})
_enter("PadV2", array.pad, {"input": "tensor"})
_enter("Squeeze", array.squeeze, {"axis": "axis", "squeeze_dims": "axis"})
_enter("GatherV2", array.gather)
_enter("Gather", array.gather)
_enter("SelectV2", array.where, {"t": "x", "e": "y"})
_enter("Select", array.where, {"t": "x", "e": "y"})
_enter("ReverseV2", array.reverse)
_enter("ArgMax", elementary.argmax, {"dimension": "axis"})
_enter("ArgMin", elementary.argmin, {"dimension": "axis"})
_enter("TopKV2", elementary.top_k)
for _name, _function in {
    "Sum": elementary.reduce_sum, "Mean": elementary.reduce_mean, "Max": elementary.reduce_max,
    "Min": elementary.reduce_min, "Prod": elementary.reduce_prod, "All": elementary.reduce_all, "Any": elementary.reduce_any,
}.items():  # fmt: skip
    _enter(_name, _function, {"input": "input_tensor", "keep_dims": "keepdims"})


def Einsum(*, inputs: Any, equation: str, name: str | None = None) -> Any:
    """Return the sum of products that an equation names."""
    return elementary.einsum(equation, *inputs)


def Const(*, value: Any, dtype: Any, name: str | None = None) -> Any:
    """Return a constant."""
    return array.constant(value, dtype, None, name)


def PreventGradient(*, input: Any, message: str = "", name: str | None = None) -> Any:
    """Return the tensor; whoever asks for a derivative through it gets a LookupError with the message."""

    @custom_gradient
    def prevented(x: Any) -> Any:
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


def _slope(name: str, slope: Callable[[Any], Any], conjugate: bool = True) -> None:
    def call(*, y: Any, dy: Any, name: str | None = None) -> Any:
        factor = slope(convert(y))
        return elementary.multiply(dy, elementary.conj(factor) if conjugate else factor, name)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Return dy times the derivative that {name.removesuffix('Grad')} has where it gives y."
    globals()[name] = call
    __all__.append(name)


_slope("InvGrad", lambda y: -y * y)
_slope("ReciprocalGrad", lambda y: -y * y)
_slope("RsqrtGrad", lambda y: -0.5 * y * y * y)
_slope("SigmoidGrad", lambda y: y * (1.0 - y), conjugate=False)
_slope("SqrtGrad", lambda y: 0.5 / y)
_slope("TanhGrad", lambda y: 1.0 - y * y, conjugate=False)


def MirrorPadGrad(*, input: Any, paddings: Any, mode: str, name: str | None = None) -> Any:
    """Return for each place of what was padded the sum over the places that show it; ``input`` has the padded shape."""
    g, (pairs, symbolic) = convert(input), array._pairs(paddings)
    if symbolic or not is_full(g.sizes):
        raise ShapeError("MirrorPadGrad: the shape and the paddings must be known.")
    sizes = [s - before - after for s, (before, after) in zip(g.sizes, pairs, strict=True)]
    attrs = {"paddings": pairs, "mode": mode.lower(), "value": 0}
    return apply(linear.PAD_TRANSPOSE, (g, array.zeros(sizes, g.dtype)), attrs, name)


def TensorStridedSliceUpdate(
    *, input: Any, begin: Any, end: Any, strides: Any, value: Any, begin_mask: int = 0, end_mask: int = 0,
    ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, name: str | None = None,
) -> Any:  # fmt: skip
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


def _sparse_segments(name: str, power: float) -> None:
    """Enter the derivative of a sum of chosen rows over segments, divided by the power of their number."""

    def call(*, grad: Any, indices: Any, segment_ids: Any, output_dim0: Any, name: str | None = None) -> Any:
        g, places, ids = convert(grad), convert(indices), convert(segment_ids)
        count = array.integer_of(output_dim0, "output_dim0")
        shares = apply(reduction.SEGMENT_SHARES, (places, ids, g), {"count": count, "power": power})
        rows = array.gather(g, ids) * array.reshape(shares, [-1, *[1] * (g.ndim - 1)])
        return elementary.unsorted_segment_sum(rows, places, count, name)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Return the cotangent of the rows of which {name.removesuffix('Grad')} chose some; it has output_dim0 rows."
    globals()[name] = call
    __all__.append(name)


_sparse_segments("SparseSegmentSumGrad", 0.0)
_sparse_segments("SparseSegmentMeanGrad", 1.0)
_sparse_segments("SparseSegmentSqrtNGrad", 0.5)
for _part, _function in {"Sum": sparse.segment_sum, "Mean": sparse.segment_mean, "SqrtN": sparse.segment_sqrt_n}.items():
    _enter(f"SparseSegment{_part}", _function)
    _enter(f"SparseSegment{_part}WithNumSegments", _function)


def _pooled(ksize: Any, strides: Any, padding: Any, data_format: str, explicit_paddings: Any) -> Callable[[Any], Any]:
    if padding == "EXPLICIT":
        padding = np.reshape(explicit_paddings, (-1, 2)).tolist()
    return lambda x: nn.max_pool(x, ksize, strides, padding, data_format)


def _require_shape(what: str, value: Any, like: Any) -> Any:
    t = convert(value)
    if not fits(t.sizes, like):
        shown = [str(list(s)).replace(" ", "") for s in (like, t.sizes)]
        raise InvalidArgumentError(f"Expected {what} shape to be {shown[0]}, but got {shown[1]}")
    return t


def MaxPool(
    *, input: Any, ksize: Any, strides: Any, padding: Any, explicit_paddings: Any = (), data_format: str = "NHWC",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return the greatest elements of windows; see `max_pool`."""
    return elementary.named(_pooled(ksize, strides, padding, data_format, explicit_paddings)(input), name)


def MaxPoolGrad(
    *, orig_input: Any, orig_output: Any, grad: Any, ksize: Any, strides: Any, padding: Any, explicit_paddings: Any = (),
    data_format: str = "NHWC", name: str | None = None,
) -> Any:  # fmt: skip
    """Return the cotangent of what `MaxPool` took: that of each window at its first greatest element."""
    x, f = convert(orig_input), _pooled(ksize, strides, padding, data_format, explicit_paddings)
    like = f(x).sizes
    _require_shape("orig_output", orig_output, like)
    return elementary.named(vjp(f, x)[1](_require_shape("grad", grad, like)), name)


def MaxPoolGradV2(
    *, orig_input: Any, orig_output: Any, grad: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return the cotangent of what `MaxPoolV2` took; see `MaxPoolGrad`."""
    return MaxPoolGrad(
        orig_input=orig_input, orig_output=orig_output, grad=grad, ksize=ksize, strides=strides, padding=padding,
        data_format=data_format, name=name,
    )  # fmt: skip


def MaxPoolGradGrad(
    *, orig_input: Any, orig_output: Any, grad: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC",
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return the cotangent of what `MaxPoolGrad` took: in each window the element where the first greatest stands."""
    x, f = convert(orig_input), _pooled(ksize, strides, padding, data_format, ())
    _require_shape("orig_output", orig_output, f(x).sizes)
    return elementary.named(jvp(f, x, _require_shape("grad", grad, x.sizes))[1], name)


def MaxPoolGradWithArgmax(
    *, input: Any, grad: Any, argmax: Any, ksize: Any, strides: Any, padding: Any, include_batch_in_index: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
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


__all__ += [
    "BroadcastArgs",
    "BroadcastGradientArgs",
    "Const",
    "Einsum",
    "MaxPool",
    "MaxPoolGrad",
    "MaxPoolGradGrad",
    "MaxPoolGradV2",
    "MaxPoolGradWithArgmax",
]
__all__ += ["MirrorPadGrad", "PreventGradient", "TensorStridedSliceUpdate"]
