"""TensorFlow's ``tf.raw_ops``: operations by the names of their kernels, called with keywords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.errors import NoGradientError
from wengert.functions import array, linalg, nn
from wengert.functions import math as elementary
from wengert.functions.program import custom_gradient

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
    "Size": array.size, "Rank": array.rank,
}  # fmt: skip
for _name, _function in _TABLE.items():
    _enter(_name, _function)

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


__all__ += ["Const", "Einsum", "PreventGradient"]
