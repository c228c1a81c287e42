"""TensorFlow's mathematics: arithmetic, elementary and special functions, comparisons, reductions, segments, products.

A function of one operation checks what it is given and applies it. The others are compositions, so that their
derivatives, of any order, follow from those of the operations.
"""

from __future__ import annotations

import builtins
import functools
import math
import string
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from wengert.functions import array
from wengert.functions.array import integer_of, integers_of
from wengert.ground import checks, dtypes, shapes
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError, UnimplementedError
from wengert.ground.shapes import ShapeLike
from wengert.modes.slices import IndexedSlices
from wengert.modes.sparse import SparseTensor
from wengert.ops import contraction, elementwise, linear, reduction
from wengert.ops.op import Op
from wengert.ops.signature import check
from wengert.tensor.behavior import BEHAVIOR
from wengert.tensor.tensor import (
    NONE,
    AxisLike,
    EagerTensor,
    Tensor,
    TensorLike,
    apply,
    cast,
    coerce,
    convert,
    power,
    together,
    value_of,
)

Function = Callable[..., Any]

# --- how functions are made of operations -----------------------------------------------------------------------------


def _finish(function: Function, name: str, doc: str) -> Function:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


_KEEP_ZERO = frozenset({"abs", "negative", "sign", "square", "sqrt", "erf", "tanh"})
"""The functions that TensorFlow applies to sparse tensors too."""


def unary(op: Op, name: str, doc: str) -> Function:
    """Return the function ``name(x, name=None)`` of an operation on one tensor."""
    kinds = op.kinds

    def function(x: TensorLike, name: str | None = None) -> Any:
        if x.__class__ is not EagerTensor:
            if isinstance(x, SparseTensor) and title in _KEEP_ZERO:
                return x.with_values(function(x.values, name))
            x = convert(x)
            if x.nptype.kind in kinds:
                return together(apply(op, (x,), NONE, name), (x,))
        if x.nptype.kind not in kinds:
            check(title, x, kinds)
        return apply(op, (x,), NONE, name)

    title = name
    return _finish(function, name, doc)


def binary(op: Op, name: str, doc: str, label: str | None = None) -> Function:
    """Return the function ``name(x, y, name=None)`` of an operation on two tensors that broadcast."""
    kinds, label = op.kinds, label or op.type

    def function(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
        if x.__class__ is EagerTensor and y.__class__ is EagerTensor:
            nptype = x.array.dtype
            if y.array.dtype is nptype and nptype.kind in kinds:
                return apply(op, (x, y), NONE, name)
        pair = operands(op, x, y)
        return together(apply(op, pair, NONE, name or label), pair)

    return _finish(function, name, doc)


def operands(op: Op, x: Any, y: Any) -> tuple[Any, Any]:
    """Return two operands as tensors of one dtype, which the operation takes.

    Raises:
        DTypeError: (a TypeError) where the dtypes do not mix, or a value is no tensor.
    """
    pair = coerce(op, x, y)
    if pair is None:
        raise DTypeError(f"{op.type} takes tensors and numbers, not {type(x).__name__} and {type(y).__name__}.")
    return pair


def number(x: TensorLike, name: str, kinds: str = "f") -> Any:
    """Return an argument as a tensor whose dtype is of one of NumPy's kinds."""
    t = x if x.__class__ is EagerTensor else convert(x)
    if t.nptype.kind not in kinds:
        check(name, t, kinds)
    return t


def named(x: TensorLike, name: str | None) -> Any:
    """Return the tensor, under the name where one is given and there are names."""
    return x if name is None or x.__class__ is EagerTensor else apply(linear.IDENTITY, (x,), NONE, name)


def axes_of(axis: AxisLike | None, x: Any) -> tuple[int, ...] | None:
    """Return the axes of a tensor that an argument names, counted from the front where the rank is known; None: all.

    Raises:
        ShapeError: for an axis out of range, or one named twice.
        DTypeError: (a TypeError) for a float.
        UnimplementedError: for a graph's tensor whose value is not known.
    """
    if axis is None:
        return None
    if axis.__class__ is int:
        found: tuple[int, ...] = (axis,)
    else:
        if isinstance(axis, float | np.floating | builtins.bool):
            raise DTypeError(f"axis must be an integer or a list of integers, not {axis!r}.")
        found = integers_of(axis)
    if x.sizes is None:
        return found
    rank = len(x.sizes)
    for a in found:
        if not -rank <= a < rank:
            raise ShapeError(f"Invalid reduction dimension: axis {a} is out of range for a tensor with {rank} dimension(s).")
    found = tuple([a % rank for a in found])
    if len(set(found)) != len(found):
        raise ShapeError(f"Invalid reduction arguments: axes contain duplicates: {axis!r}.")
    return found


def axis_in(axis: AxisLike, x: TensorLike) -> int:
    """Return the one axis of a tensor that an argument names."""
    (found,) = axes_of(integer_of(axis) if axis.__class__ is not float else axis, x) or (0,)
    return found


def along(axis: int, item: Any) -> tuple[Any, ...]:
    """Return the index that takes an item along one axis and everything along the others."""
    return linear.full_index(axis, axis + 1, item) if axis >= 0 else (Ellipsis, item, *[slice(None)] * (-axis - 1))


def getitem(x: Any, index: tuple[Any, ...]) -> Any:
    """Return x[index]."""
    return apply(linear.GETITEM, (x,), {"index": index})


def constant_of(x: TensorLike) -> Any:
    """Return the tensor as a constant: derivatives do not pass."""
    return apply(linear.STOP_GRADIENT, (x,))


# --- arithmetic -------------------------------------------------------------------------------------------------------

add = binary(
    elementwise.ADD, "add", """Return x + y.

    >>> import wengert as tf
    >>> tf.add([1, 2], 3).numpy().tolist()
    [4, 5]
    """, "Add",
)  # fmt: skip
subtract = binary(elementwise.SUBTRACT, "subtract", """Return x - y.""", "Sub")
multiply = binary(elementwise.MULTIPLY, "multiply", """Return x * y, element by element.""", "Mul")
negative = unary(elementwise.NEGATIVE, "negative", """Return -x.""")
floordiv = binary(
    elementwise.FLOOR_DIVIDE, "floordiv", """Return ⌊x / y⌋; it has no derivative.

    Raises:
        InvalidArgumentError: (a ValueError) for an integer divided by zero.

    >>> import wengert as tf
    >>> tf.math.floordiv([-7, 7], 2).numpy().tolist()
    [-4, 3]
    """, "floordiv",
)  # fmt: skip
floormod = binary(
    elementwise.REMAINDER, "floormod", """Return x - y ⌊x / y⌋: the remainder, which has the sign of y.

    >>> import wengert as tf
    >>> tf.math.floormod([-7, 7], 3).numpy().tolist()
    [2, 1]
    """,
)  # fmt: skip
mod = floormod
truncatemod = binary(
    elementwise.TRUNCATED_REMAINDER, "truncatemod",
    """Return the remainder of a division rounded towards zero: it has the sign of x.""",
)  # fmt: skip
divide_no_nan = binary(
    elementwise.DIVIDE_NO_NAN, "divide_no_nan", """Return x / y, and 0 where y is 0.

    >>> import wengert as tf
    >>> tf.math.divide_no_nan([1.0, 2.0], [0.0, 4.0]).numpy().tolist()
    [0.0, 0.5]
    """,
)  # fmt: skip
realdiv = binary(elementwise.DIVIDE, "realdiv", """Return x / y for floating and complex tensors.""")
reciprocal = unary(elementwise.RECIPROCAL, "reciprocal", """Return 1 / x.""")
squared_difference = binary(elementwise.SQUARED_DIFFERENCE, "squared_difference", """Return (x - y)².""")
maximum = binary(
    elementwise.MAXIMUM, "maximum", """Return the greater of x and y; where they are equal the derivative is that of x.""",
)  # fmt: skip
minimum = binary(
    elementwise.MINIMUM, "minimum", """Return the lesser of x and y; where they are equal the derivative is that of x.""",
)  # fmt: skip
nextafter = binary(elementwise.NEXTAFTER, "nextafter", """Return the number after x in the direction of y.""")

_DIVISION: Any = SimpleNamespace(type="RealDiv", kinds="iufc")


def truediv(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return x / y; integers of up to 16 bits give float32, wider ones float64.

    >>> import wengert as tf
    >>> tf.truediv(1, 2)
    <tf.Tensor: shape=(), dtype=float64, numpy=0.5>
    """
    if x.__class__ is EagerTensor and y.__class__ is EagerTensor:
        nptype = x.array.dtype
        if y.array.dtype is nptype and nptype.kind in "fc":
            return apply(elementwise.DIVIDE, (x, y), NONE, name)
    a, b = operands(_DIVISION, x, y)
    if a.nptype.kind in "iu":
        nptype = (dtypes.float64 if a.nptype.itemsize > 2 else dtypes.float32).numpy
        a, b = cast(a, nptype), cast(b, nptype)
    return apply(elementwise.DIVIDE, (a, b), NONE, name or "truediv")


divide = truediv


def truncatediv(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return x / y rounded towards zero; it has no derivative.

    >>> import wengert as tf
    >>> tf.truncatediv([-7, 7], 2).numpy().tolist()
    [-3, 3]
    """
    a, b = operands(elementwise.TRUNCATED_REMAINDER, x, y)
    if a.nptype.kind == "f":
        return apply(elementwise.TRUNC, (apply(elementwise.DIVIDE, (a, b)),), NONE, name)
    rest = apply(elementwise.TRUNCATED_REMAINDER, (a, b))
    return apply(elementwise.FLOOR_DIVIDE, (apply(elementwise.SUBTRACT, (a, rest)), b), NONE, name or "TruncateDiv")


def multiply_no_nan(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return x * y, and 0 where y is 0, even where x is infinite or not a number.

    >>> import wengert as tf
    >>> tf.math.multiply_no_nan(float("nan"), 0.0).numpy()
    np.float32(0.0)
    """
    return apply(elementwise.MULTIPLY_NO_NAN, operands(elementwise.MULTIPLY_NO_NAN, x, y), NONE, name or "MulNoNan")


def reciprocal_no_nan(x: TensorLike, name: str | None = None) -> Any:
    """Return 1 / x, and 0 where x is 0."""
    t = number(x, "reciprocal_no_nan", "fc")
    return apply(elementwise.DIVIDE_NO_NAN, (array.ones_like(t), t), NONE, name or "reciprocal_no_nan")


def scalar_mul(scalar: Any, x: TensorLike, name: str | None = None) -> Any:
    """Return the product of a scalar and a tensor.

    Raises:
        ShapeError: (a ValueError) if the scalar has axes.
    """
    if isinstance(x, IndexedSlices):
        return IndexedSlices(scalar_mul(scalar, x.values, name), x.indices, x.dense_shape)
    t = convert(x)
    factor = convert(scalar, like=t)
    if factor.sizes not in ((), None):
        raise ShapeError("Only scalar multiply works, got shape " + shapes.text(factor.sizes))
    return multiply(factor, t, name)


def add_n(inputs: TensorLike, name: str | None = None) -> Any:
    """Return the sum of tensors of one shape.

    Raises:
        InvalidArgumentError: (a ValueError) if there are none.
        ShapeError: (a ValueError) if the shapes differ.

    >>> import wengert as tf
    >>> tf.add_n([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).numpy().tolist()
    [9.0, 12.0]
    """
    if isinstance(inputs, Tensor):
        inputs = array.unstack(inputs)
    if not isinstance(inputs, list | tuple) or not inputs:
        raise InvalidArgumentError("Inputs must be a list or tuple of at least one tensor with the same dtype and shape.")
    terms = alike(inputs, elementwise.ADD_N)
    if len(terms) == 1:
        return terms[0]
    shapes_of = [t.sizes for t in terms]
    if any(s != shapes_of[0] for s in shapes_of):
        elementwise.ADD_N.infer(terms, NONE)
    return apply(elementwise.ADD_N, terms, NONE, name)


def accumulate_n(inputs: TensorLike, shape: ShapeLike | None = None, tensor_dtype: Any = None, name: str | None = None) -> Any:
    """Return the sum of tensors of one shape: `add_n`."""
    return add_n(inputs, name)


def alike(values: Sequence[Any], op: Op) -> list[Any]:
    """Return values as tensors of one dtype: that of the tensors among them, floating ones promoted."""
    like = next((v for v in values if isinstance(v, Tensor)), None)
    if like is None:
        like = next((convert(v) for v in values if hasattr(v, "_as_tensor")), None)
    tensors = []
    for v in values:
        t = convert(v, like=like)
        like = t if like is None else like
        tensors.append(t)
    nptype = tensors[0].nptype
    for t in tensors:
        if t.nptype != nptype:
            nptype = dtypes.promote(nptype, t.nptype, op.type)
    if nptype.kind not in op.kinds:
        check(op.type, tensors[0], op.kinds)
    return [cast(t, nptype) for t in tensors]


# --- powers -----------------------------------------------------------------------------------------------------------


def pow(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return x ** y; a constant whole exponent is an operation of its own, with derivatives at x = 0 too.

    Raises:
        InvalidArgumentError: (a ValueError) for an integer to a negative power.

    >>> import wengert as tf
    >>> tf.pow([2.0, 3.0], 2).numpy().tolist()
    [4.0, 9.0]
    """
    if not isinstance(x, Tensor):
        x = convert(x, like=y if isinstance(y, Tensor) else None)
    y = value_of(y)
    flexible = BEHAVIOR[0] is not None and BEHAVIOR[0].everywhere
    result = BEHAVIOR[0].power(x, y) if flexible else power(x, y)
    if result is NotImplemented:
        raise DTypeError(f"Pow takes tensors and numbers, not {type(y).__name__}.")
    return named(result, name)


square = unary(
    elementwise.SQUARE, "square", """Return x².

    >>> import wengert as tf
    >>> tf.square([-2, 3]).numpy().tolist()
    [4, 9]
    """,
)  # fmt: skip
sqrt = unary(
    elementwise.SQRT, "sqrt", """Return √x.

    >>> import wengert as tf
    >>> tf.sqrt(4.0)
    <tf.Tensor: shape=(), dtype=float32, numpy=2.0>
    """,
)  # fmt: skip
rsqrt = unary(elementwise.RSQRT, "rsqrt", """Return 1 / √x.""")
cbrt = unary(elementwise.CBRT, "cbrt", """Return the real cube root of x.""")

# --- exponential and logarithm ----------------------------------------------------------------------------------------

exp = unary(
    elementwise.EXP, "exp", """Return eˣ.

    Raises:
        DTypeError: (a TypeError) for integers.

    >>> import wengert as tf
    >>> tf.exp(0.0)
    <tf.Tensor: shape=(), dtype=float32, numpy=1.0>
    """,
)  # fmt: skip
expm1 = unary(elementwise.EXPM1, "expm1", """Return eˣ - 1, which keeps its digits where x is small.""")
log = unary(
    elementwise.LOG, "log", """Return the natural logarithm of x.

    >>> import wengert as tf
    >>> tf.math.log(1.0).numpy()
    np.float32(0.0)
    """,
)  # fmt: skip
log1p = unary(elementwise.LOG1P, "log1p", """Return log(1 + x), which keeps its digits where x is small.""")
xlogy = binary(elementwise.XLOGY, "xlogy", """Return x log(y), and 0 where x is 0.""")
xlog1py = binary(elementwise.XLOG1PY, "xlog1py", """Return x log(1 + y), and 0 where x is 0.""")
xdivy = binary(elementwise.XDIVY, "xdivy", """Return x / y, and 0 where x is 0.""")

# --- trigonometric and hyperbolic -------------------------------------------------------------------------------------

sin = unary(
    elementwise.SIN, "sin", """Return the sine of x.

    >>> import wengert as tf
    >>> tf.sin([0.0]).numpy().tolist()
    [0.0]
    """,
)  # fmt: skip
cos = unary(elementwise.COS, "cos", """Return the cosine of x.""")
tan = unary(elementwise.TAN, "tan", """Return the tangent of x.""")
asin = unary(elementwise.ASIN, "asin", """Return the inverse sine of x, in [-π/2, π/2].""")
acos = unary(elementwise.ACOS, "acos", """Return the inverse cosine of x, in [0, π].""")
atan = unary(elementwise.ATAN, "atan", """Return the inverse tangent of x, in (-π/2, π/2).""")
sinh = unary(elementwise.SINH, "sinh", """Return the hyperbolic sine of x.""")
cosh = unary(elementwise.COSH, "cosh", """Return the hyperbolic cosine of x.""")
tanh = unary(
    elementwise.TANH, "tanh", """Return the hyperbolic tangent of x.

    >>> import wengert as tf
    >>> tf.tanh(0.0).numpy()
    np.float32(0.0)
    """,
)  # fmt: skip
asinh = unary(elementwise.ASINH, "asinh", """Return the inverse hyperbolic sine of x.""")
acosh = unary(elementwise.ACOSH, "acosh", """Return the inverse hyperbolic cosine of x ≥ 1.""")
atanh = unary(elementwise.ATANH, "atanh", """Return the inverse hyperbolic tangent of x in [-1, 1].""")


def atan2(y: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the angle of the point (x, y), in (-π, π].

    >>> import wengert as tf
    >>> f"{tf.math.atan2(1.0, -1.0):.5f}"
    '2.35619'
    """
    return apply(elementwise.ATAN2, operands(elementwise.ATAN2, y, x), NONE, name)


# --- special functions ------------------------------------------------------------------------------------------------

sigmoid = unary(
    elementwise.SIGMOID, "sigmoid", """Return 1 / (1 + e⁻ˣ).

    >>> import wengert as tf
    >>> tf.sigmoid(0.0).numpy()
    np.float32(0.5)
    """,
)  # fmt: skip
log_sigmoid = unary(elementwise.LOG_SIGMOID, "log_sigmoid", """Return log(1 / (1 + e⁻ˣ)).""")
erf = unary(
    elementwise.ERF, "erf", """Return 2/√π ∫₀ˣ exp(-t²) dt.

    >>> import wengert as tf
    >>> f"{tf.math.erf(1.0):.5f}"
    '0.84270'
    """,
)  # fmt: skip
erfc = unary(elementwise.ERFC, "erfc", """Return 1 - erf(x), which keeps its digits where x is large.""")
erfinv = unary(elementwise.ERFINV, "erfinv", """Return the inverse of `erf` at x in (-1, 1).""")
erfcinv = unary(elementwise.ERFCINV, "erfcinv", """Return the inverse of `erfc` at x in (0, 2).""")
ndtri = unary(elementwise.NDTRI, "ndtri", """Return the quantile of the standard normal distribution at x in (0, 1).""")
lgamma = unary(
    elementwise.LGAMMA, "lgamma", """Return log |Γ(x)|.

    >>> import wengert as tf
    >>> f"{tf.math.lgamma(5.0):.5f}"
    '3.17805'
    """,
)  # fmt: skip
digamma = unary(elementwise.DIGAMMA, "digamma", """Return ψ(x) = Γ'(x) / Γ(x).""")
bessel_i0 = unary(elementwise.BESSEL_I0, "bessel_i0", """Return the modified Bessel function I₀(x).""")
bessel_i1 = unary(elementwise.BESSEL_I1, "bessel_i1", """Return the modified Bessel function I₁(x).""")
bessel_i0e = unary(elementwise.BESSEL_I0E, "bessel_i0e", """Return exp(-|x|) I₀(x).""")
bessel_i1e = unary(elementwise.BESSEL_I1E, "bessel_i1e", """Return exp(-|x|) I₁(x).""")
sinc = unary(elementwise.SINC, "sinc", """Return sin(x) / x, and 1 where x is 0.""")


class special:
    """TensorFlow's ``tf.math.special``."""

    bessel_i0, bessel_i1, bessel_i0e, bessel_i1e = map(staticmethod, (bessel_i0, bessel_i1, bessel_i0e, bessel_i1e))
    bessel_j0 = staticmethod(unary(elementwise.BESSEL_J0, "bessel_j0", """Return the Bessel function J₀(x)."""))
    bessel_j1 = staticmethod(unary(elementwise.BESSEL_J1, "bessel_j1", """Return the Bessel function J₁(x)."""))
    bessel_y0 = staticmethod(unary(elementwise.BESSEL_Y0, "bessel_y0", """Return the Bessel function Y₀(x), x > 0."""))
    bessel_y1 = staticmethod(unary(elementwise.BESSEL_Y1, "bessel_y1", """Return the Bessel function Y₁(x), x > 0."""))
    bessel_k0 = staticmethod(unary(elementwise.BESSEL_K0, "bessel_k0", """Return the modified Bessel function K₀(x)."""))
    bessel_k1 = staticmethod(unary(elementwise.BESSEL_K1, "bessel_k1", """Return the modified Bessel function K₁(x)."""))
    bessel_k0e = staticmethod(unary(elementwise.BESSEL_K0E, "bessel_k0e", """Return exp(x) K₀(x)."""))
    bessel_k1e = staticmethod(unary(elementwise.BESSEL_K1E, "bessel_k1e", """Return exp(x) K₁(x)."""))
    dawsn = staticmethod(unary(elementwise.DAWSN, "dawsn", """Return Dawson's integral exp(-x²) ∫₀ˣ exp(t²) dt."""))
    expint = staticmethod(unary(elementwise.EXPINT, "expint", """Return the exponential integral Ei(x)."""))
    fresnel_cos = staticmethod(unary(elementwise.FRESNEL_COS, "fresnel_cos", """Return ∫₀ˣ cos(π t² / 2) dt."""))
    fresnel_sin = staticmethod(unary(elementwise.FRESNEL_SIN, "fresnel_sin", """Return ∫₀ˣ sin(π t² / 2) dt."""))
    spence = staticmethod(unary(elementwise.SPENCE, "spence", """Return the dilogarithm Li₂(1 - x)."""))


def zeta(x: TensorLike, q: TensorLike, name: str | None = None) -> Any:
    """Return Hurwitz's zeta function Σₙ (q + n)⁻ˣ."""
    return apply(elementwise.ZETA, operands(elementwise.ZETA, x, q), NONE, name)


def polygamma(a: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the a-th derivative of `digamma` at x; the derivative by a is not stated.

    >>> import wengert as tf
    >>> f"{tf.math.polygamma(1.0, 1.0):.5f}"
    '1.64493'
    """
    order, t = operands(elementwise.POLYGAMMA, a, x)
    value = _constant(order)
    if value is not None and value.size and (value == value.flat[0]).all():
        n = float(value.flat[0])
        if n.is_integer() and n >= 0:
            result = apply(elementwise.POLYGAMMA if n else elementwise.DIGAMMA, (t,), {"n": int(n)} if n else NONE, name)
            whole = result if order.sizes == () else apply(linear.BROADCAST_LIKE, (result, constant_of(t + order)))
            # Who asks for a derivative by the order is told.
            return whole + 0.0 * apply(elementwise.POLYGAMMA_ORDER, (order,)) if isinstance(a, Tensor) else whole
    order = apply(elementwise.POLYGAMMA_ORDER, (order,))
    one = array.ones_like(order)
    # ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x), DLMF 25.11.12.
    proper = logical_and(order > 0.0, equal(floor(order), order))
    safe = array.where(proper, order, one)
    signs = 1.0 - 2.0 * apply(elementwise.REMAINDER, (safe + 1.0, 2.0 * one))
    value = signs * exp(lgamma(safe + 1.0)) * zeta(safe + 1.0, t)
    rest = array.where(equal(order, 0.0), digamma(t), array.zeros_like(t) * math.nan)
    return named(array.where(proper, value, rest), name)


def _constant(t: Any) -> Any:
    """Return the value of a tensor that has one now, else None."""
    if t.__class__ is EagerTensor:
        return t.array
    return t.node.attrs["value"] if t.node.op is linear.CONSTANT else None


def igamma(a: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the lower regularised incomplete Γ function P(a, x)."""
    return apply(elementwise.IGAMMA, operands(elementwise.IGAMMA, a, x), NONE, name)


def igammac(a: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the upper regularised incomplete Γ function Q(a, x) = 1 - P(a, x)."""
    return apply(elementwise.IGAMMAC, operands(elementwise.IGAMMAC, a, x), NONE, name)


def betainc(a: TensorLike, b: TensorLike, x: TensorLike, name: str | None = None) -> Any:
    """Return the regularised incomplete beta function Iₓ(a, b)."""
    return apply(elementwise.BETAINC, alike([a, b, x], elementwise.BETAINC), NONE, name)


def lbeta(x: TensorLike, name: str | None = None) -> Any:
    """Return log |B(x)| = Σ log Γ(xᵢ) - log Γ(Σ xᵢ) along the last axis."""
    t = number(x, "lbeta")
    if t.sizes == ():
        raise ShapeError("lbeta takes a tensor with at least one axis.")
    over = {"axis": (-1,), "keepdims": False}
    return apply(
        elementwise.SUBTRACT, (apply(reduction.SUM, (lgamma(t),), over), lgamma(apply(reduction.SUM, (t,), over))), NONE, name
    )


def polyval(coeffs: Any, x: TensorLike, name: str | None = None) -> Any:
    """Return the polynomial with the given coefficients, that of the highest power first, at x.

    >>> import wengert as tf
    >>> tf.math.polyval([2.0, 0.0, 1.0], 3.0).numpy()
    np.float32(19.0)
    """
    if not isinstance(coeffs, list):
        raise InvalidArgumentError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    t = convert(x)
    if not coeffs:
        return array.zeros_like(t)
    result = convert(coeffs[0], like=t)
    for c in coeffs[1:]:
        result = multiply(result, t)
        result = add(result, convert(c, like=t))
    return named(result, name)


# --- activations ------------------------------------------------------------------------------------------------------

_softplus = unary(elementwise.SOFTPLUS, "softplus", "")
_softsign = unary(elementwise.SOFTSIGN, "softsign", "")


def softplus(features: TensorLike, name: str | None = None) -> Any:
    """Return log(1 + eˣ).

    >>> import wengert as tf
    >>> f"{tf.math.softplus(0.0):.5f}"
    '0.69315'
    """
    return _softplus(features, name)


def softsign(features: TensorLike, name: str | None = None) -> Any:
    """Return x / (1 + |x|)."""
    return _softsign(features, name)


def _shifted(logits: TensorLike, axis: AxisLike | None, name: str) -> tuple[Any, Any]:
    x = number(logits, name)
    if x.sizes == ():
        raise ShapeError(f"{name} takes a tensor with at least one axis.")
    over = {"axis": (axis_in(-1 if axis is None else axis, x),), "keepdims": True}
    return x - constant_of(apply(reduction.MAX, (x,), over)), over


def softmax(logits: TensorLike, axis: AxisLike | None = None, name: str | None = None) -> Any:
    """Return eˣ / Σ eˣ, the sum being along an axis, the last unless told otherwise.

    >>> import wengert as tf
    >>> tf.nn.softmax([1.0, 1.0]).numpy().tolist()
    [0.5, 0.5]
    """
    x, over = _shifted(logits, axis, "softmax")
    e = apply(elementwise.EXP, (x,))
    return apply(elementwise.DIVIDE, (e, apply(reduction.SUM, (e,), over)), NONE, name or "Softmax")


def log_softmax(logits: TensorLike, axis: AxisLike | None = None, name: str | None = None) -> Any:
    """Return x - log Σ eˣ, the sum being along an axis, the last unless told otherwise."""
    x, over = _shifted(logits, axis, "log_softmax")
    total = apply(reduction.SUM, (apply(elementwise.EXP, (x,)),), over)
    return apply(elementwise.SUBTRACT, (x, apply(elementwise.LOG, (total,))), NONE, name or "LogSoftmax")


# --- piecewise --------------------------------------------------------------------------------------------------------

abs = unary(
    elementwise.ABS, "abs", """Return |x|; for complex x a real tensor. The derivative at 0 is 0.

    >>> import wengert as tf
    >>> tf.abs([-1, 2]).numpy().tolist()
    [1, 2]
    """,
)  # fmt: skip


def sign(x: TensorLike, name: str | None = None) -> Any:
    """Return -1, 0 or 1 with the sign of x; for complex x: x / |x|, and 0 at 0.

    Along the reals it is constant; a complex x / |x| turns with x, and its derivative is that of the quotient.

    >>> import wengert as tf
    >>> tf.sign([-2.0, 0.0, 5.0]).numpy().tolist()
    [-1.0, 0.0, 1.0]
    """
    t = number(x, "sign", "iufc")
    if t.nptype.kind != "c":
        return apply(elementwise.SIGN, (t,), NONE, name)
    size = abs(t)  # the parts are divided one by one: a complex division by tiny numbers overflows on its way
    parts = [apply(elementwise.DIVIDE_NO_NAN, (part(t), size)) for part in (real, imag)]
    return apply(elementwise.COMPLEX, parts, NONE, name or "Sign")


floor = unary(elementwise.FLOOR, "floor", """Return the greatest whole number not greater than x; it has no derivative.""")
ceil = unary(elementwise.CEIL, "ceil", """Return the least whole number not less than x; it has no derivative.""")
round = unary(
    elementwise.ROUND, "round", """Return the nearest whole number, halves going to the even one; it has no derivative.

    >>> import wengert as tf
    >>> tf.round([0.5, 1.5, 2.5]).numpy().tolist()
    [0.0, 2.0, 2.0]
    """,
)  # fmt: skip


def rint(x: TensorLike, name: str | None = None) -> Any:
    """Return the nearest whole number, halves going to the even one, of a floating tensor; it has no derivative."""
    return apply(elementwise.ROUND, (number(x, "rint"),), NONE, name or "Rint")


def clip_by_value(t: TensorLike, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """Return the tensor with values below the minimum and above the maximum replaced by these.

    The derivative is 1 where clip_value_min ≤ t ≤ clip_value_max; the bounds have theirs too.

    Raises:
        ShapeError: (a ValueError) if the bounds would broadcast the tensor.

    >>> import wengert as tf
    >>> tf.clip_by_value([-2.0, 0.5, 2.0], 0.0, 1.0).numpy().tolist()
    [0.0, 0.5, 1.0]
    """
    x = convert(t)
    if isinstance(x, IndexedSlices):
        x = x._as_tensor()
    x, low = operands(elementwise.CLIP, x, clip_value_min)
    x, high = operands(elementwise.CLIP, x, clip_value_max)
    low = cast(low, x.nptype)
    for bound in (low, high):
        if not shapes.fits(shapes.broadcast(x.sizes, bound.sizes), x.sizes):
            raise ShapeError(f"clip_by_value: bounds {shapes.text(bound.sizes)} do not fit shape {shapes.text(x.sizes)}.")
    return apply(elementwise.CLIP, (x, low, high), NONE, name)


def clip_by_norm(t: TensorLike, clip_norm: TensorLike, axes: AxisLike | None = None, name: str | None = None) -> Any:
    """Return t * clip_norm / max(‖t‖, clip_norm), ‖·‖ being the Euclidean norm over the axes.

    >>> import wengert as tf
    >>> print(tf.clip_by_norm([3.0, 4.0], 1.0).numpy().round(4))
    [0.6 0.8]
    """
    if isinstance(t, IndexedSlices):
        return IndexedSlices(clip_by_norm(t.values, clip_norm, axes, name), t.indices, t.dense_shape)
    x = number(t, "clip_by_norm")
    limit = convert(clip_norm, like=x)
    total = apply(reduction.SUM, (x * x,), {"axis": axes_of(axes, x), "keepdims": True})
    # Where the norm is 0 its derivative is taken as 0.
    some = total > 0.0
    norm = array.where(some, sqrt(array.where(some, total, array.ones_like(total))), total)
    clipped = (x * limit) / maximum(norm, limit)
    if not shapes.fits(clipped.sizes, x.sizes):
        raise ShapeError(f"clip_by_norm: clip_norm {shapes.text(limit.sizes)} does not fit shape {shapes.text(x.sizes)}.")
    return named(clipped, name)


def clip_by_average_norm(t: TensorLike, clip_norm: TensorLike, name: str | None = None) -> Any:
    """Return t * clip_norm / max(‖t‖ / n, clip_norm), n being the number of elements."""
    x = number(t, "clip_by_average_norm")
    n = cast(array.size(x), x.nptype)
    return clip_by_norm(x, convert(clip_norm, like=x) * n, None, name)


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """Return √(Σ ‖t‖²), the Euclidean norm of all elements of a list of tensors; None is left out.

    >>> import wengert as tf
    >>> tf.linalg.global_norm([[3.0], None, [4.0]]).numpy()
    np.float32(5.0)
    """
    if isinstance(t_list, Tensor | str) or not isinstance(t_list, list | tuple):
        raise DTypeError(f"t_list should be a sequence, not {t_list!r}.")
    parts = [convert(t.values if isinstance(t, IndexedSlices) else t) for t in t_list if t is not None]
    if not parts:
        raise InvalidArgumentError("global_norm: the list holds no tensor.")
    squares = [reduce_sum(_real(t * apply(elementwise.CONJ, (t,))) if t.nptype.kind == "c" else t * t) for t in parts]
    return apply(elementwise.SQRT, (add_n(squares),), NONE, name or "global_norm")


def clip_by_global_norm(
    t_list: Any, clip_norm: TensorLike, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """Return the tensors times clip_norm / max(global_norm, clip_norm), and the global norm. None stays None.

    >>> import wengert as tf
    >>> clipped, norm = tf.clip_by_global_norm([[3.0, 0.0], [4.0]], 2.5)
    >>> [t.numpy().tolist() for t in clipped], float(norm)
    ([[1.5, 0.0], [2.0]], 5.0)
    """
    parts = checks.listed(t_list, "clip_by_global_norm", "t_list")
    norm = global_norm(parts) if use_norm is None else convert(use_norm)
    limit = convert(clip_norm, like=norm)
    # Of an infinite norm it is NaN. Not by a selection: the branch not taken would make the derivative NaN.
    scale = limit * minimum(1.0 / norm, array.ones_like(norm) / limit) + (norm - norm)

    def clipped(t: TensorLike) -> Any:
        if t is None:
            return None
        if isinstance(t, IndexedSlices):
            return IndexedSlices(clipped(t.values), t.indices, t.dense_shape)
        x = convert(t)
        return named(x * cast(scale, x.nptype), name)

    return [clipped(t) for t in parts], norm


# --- comparisons and logic --------------------------------------------------------------------------------------------

equal = binary(
    elementwise.EQUAL, "equal", """Return where x == y.

    >>> import wengert as tf
    >>> tf.equal([1, 2], 2).numpy().tolist()
    [False, True]
    """,
)  # fmt: skip
not_equal = binary(elementwise.NOT_EQUAL, "not_equal", """Return where x != y.""")
less = binary(elementwise.LESS, "less", """Return where x < y.""")
less_equal = binary(elementwise.LESS_EQUAL, "less_equal", """Return where x <= y.""")
greater = binary(elementwise.GREATER, "greater", """Return where x > y.""")
greater_equal = binary(elementwise.GREATER_EQUAL, "greater_equal", """Return where x >= y.""")
logical_and = binary(elementwise.LOGICAL_AND, "logical_and", """Return where both are True.""")
logical_or = binary(elementwise.LOGICAL_OR, "logical_or", """Return where one or both are True.""")
logical_not = unary(elementwise.LOGICAL_NOT, "logical_not", """Return where x is False.""")
is_finite = unary(elementwise.IS_FINITE, "is_finite", """Return where x is neither infinite nor NaN.""")
is_inf = unary(elementwise.IS_INF, "is_inf", """Return where x is infinite.""")
is_nan = unary(elementwise.IS_NAN, "is_nan", """Return where x is NaN.""")


def logical_xor(x: TensorLike, y: TensorLike, name: str | None = "LogicalXor") -> Any:
    """Return where exactly one is True."""
    return apply(elementwise.LOGICAL_XOR, operands(elementwise.LOGICAL_XOR, x, y), NONE, name)


def approximate_equal(x: TensorLike, y: TensorLike, tolerance: float = 1e-5, name: str | None = None) -> Any:
    """Return where |x - y| < tolerance; the shapes are the same."""
    a, b = operands(elementwise.SUBTRACT, x, y)
    shapes.merge(a.sizes, b.sizes)
    return less(abs(a - b), checks.real(tolerance, "approximate_equal", "tolerance"), name or "ApproximateEqual")


# --- complex numbers --------------------------------------------------------------------------------------------------


def complex(real: Any, imag: Any, name: str | None = None) -> Any:
    """Return real + i imag, of dtype complex64 for float32 and complex128 for float64.

    >>> import wengert as tf
    >>> tf.complex(1.0, 2.0).numpy()
    np.complex64(1+2j)
    """
    pair = operands(elementwise.COMPLEX, real, imag)
    if pair[0].nptype.itemsize < 4:
        raise DTypeError("real and imag have incorrect types: float16 has no complex type; cast them to float32.")
    return apply(elementwise.COMPLEX, pair, NONE, name)


def _real(x: Any) -> Any:
    return apply(elementwise.REAL_PART, (x,)) if x.nptype.kind == "c" else x


def real(input: TensorLike, name: str | None = None) -> Any:
    """Return the real part; a real tensor is returned as it is."""
    x = number(input, "real", "iufc")
    return apply(elementwise.REAL_PART, (x,), NONE, name) if x.nptype.kind == "c" else x


def imag(input: TensorLike, name: str | None = None) -> Any:
    """Return the imaginary part; zeros for a real tensor."""
    x = number(input, "imag", "iufc")
    return apply(elementwise.IMAGINARY_PART, (x,), NONE, name) if x.nptype.kind == "c" else array.zeros_like(x)


def conj(x: TensorLike, name: str | None = None) -> Any:
    """Return the complex conjugate; a real tensor is returned as it is."""
    t = number(x, "conj", "iufc")
    return apply(elementwise.CONJ, (t,), NONE, name) if t.nptype.kind == "c" else t


def angle(input: TensorLike, name: str | None = None) -> Any:
    """Return the argument of a complex number, in (-π, π]; for a real tensor 0, or π where it is negative."""
    x = number(input, "angle", "fc")
    if x.nptype.kind == "c":
        parts = apply(elementwise.IMAGINARY_PART, (x,)), apply(elementwise.REAL_PART, (x,))
        return apply(elementwise.ATAN2, parts, NONE, name or "Angle")
    return apply(elementwise.ANGLE, (x,), NONE, name)


# --- reductions -------------------------------------------------------------------------------------------------------


def _reduction(op: Op, name: str, doc: str, kinds: str | None = None) -> Function:
    kinds = kinds or op.kinds

    def function(input_tensor: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, name: str | None = None) -> Any:
        x = input_tensor if input_tensor.__class__ is EagerTensor else convert(input_tensor)
        if x.nptype.kind not in kinds:
            check(title, x, kinds)
        over = None if axis is None else axes_of(axis, x)
        result = apply(op, (x,), {"axis": over, "keepdims": checks.flag(keepdims, title, "keepdims")}, name)
        return result if x.__class__ is EagerTensor else together(result, (x,))

    title = name
    return _finish(function, name, doc)


reduce_sum = _reduction(
    reduction.SUM, "reduce_sum", """Return the sum of the elements along axes (None: all); ``keepdims`` leaves them with size 1.

    Raises:
        ShapeError: (a ValueError) for an axis out of range.

    >>> import wengert as tf
    >>> tf.reduce_sum([[1, 2], [3, 4]], axis=0).numpy().tolist()
    [4, 6]
    """,
)  # fmt: skip
reduce_mean = _reduction(
    reduction.MEAN, "reduce_mean", """Return the mean of the elements along axes (None: all); integers give integers, cut.

    >>> import wengert as tf
    >>> tf.reduce_mean([1.0, 2.0, 6.0])
    <tf.Tensor: shape=(), dtype=float32, numpy=3.0>
    """,
)  # fmt: skip
reduce_max = _reduction(
    reduction.MAX, "reduce_max", """Return the greatest element along axes (None: all); equal ones share the derivative evenly.

    >>> import wengert as tf
    >>> tf.reduce_max([[1, 5], [3, 4]], axis=1).numpy().tolist()
    [5, 4]
    """,
)  # fmt: skip
reduce_min = _reduction(
    reduction.MIN, "reduce_min", """Return the least element along axes (None: all); equal ones share the derivative evenly.""",
)  # fmt: skip
reduce_any = _reduction(reduction.ANY, "reduce_any", """Return whether an element along axes (None: all) is True.""", "b")
reduce_all = _reduction(reduction.ALL, "reduce_all", """Return whether all elements along axes (None: all) are True.""", "b")


def reduce_prod(input_tensor: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Return the product of the elements along axes (None: all); its derivatives are right at zeros too.

    >>> import wengert as tf
    >>> tf.reduce_prod([[1.0, 2.0], [3.0, 4.0]]).numpy()
    np.float32(24.0)
    """
    x = number(input_tensor, "reduce_prod", reduction.PROD.kinds)
    axes, keep = axes_of(axis, x), checks.flag(keepdims, "reduce_prod", "keepdims")
    if axes is None and x.sizes is not None and len(x.sizes) == 1:
        axes = (0,)
    if axes is None:
        flat = apply(linear.RESHAPE, (x,), {"shape": (-1,)})
        y = apply(reduction.PROD, (flat,), {"axis": (0,), "keepdims": False}, None if keep else name)
        return _with_ones(y, x, name) if keep else y
    if len(axes) == 1:
        return apply(reduction.PROD, (x,), {"axis": axes, "keepdims": keep}, name)
    for a in axes:
        x = apply(reduction.PROD, (x,), {"axis": (a,), "keepdims": True})
    return named(x, name) if keep or not axes else apply(linear.SQUEEZE, (x,), {"axis": axes}, name)


def _with_ones(y: Any, x: Any, name: str | None) -> Any:
    """Return a scalar with as many axes of size 1 as x has axes."""
    if x.sizes is not None:
        return apply(linear.RESHAPE, (y,), {"shape": (1,) * len(x.sizes)}, name)
    return array.reshape(y, array.ones_like(array.shape(x)), name)


def reduce_logsumexp(
    input_tensor: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """Return log Σ eˣ along axes (None: all), without overflow.

    >>> import wengert as tf
    >>> f"{tf.reduce_logsumexp([1000.0, 1000.0]):.3f}"
    '1000.693'
    """
    x = number(input_tensor, "reduce_logsumexp")
    axes, keep = axes_of(axis, x), checks.flag(keepdims, "reduce_logsumexp", "keepdims")
    over = {"axis": axes, "keepdims": True}
    greatest = constant_of(apply(reduction.MAX, (x,), over))
    shift = array.where(is_finite(greatest), greatest, array.zeros_like(greatest))
    total = apply(reduction.SUM, (exp(x - shift),), {"axis": axes, "keepdims": keep})
    if not keep:
        shift = apply(reduction.SUM, (shift,), {"axis": axes, "keepdims": False})
    return apply(elementwise.ADD, (log(total), shift), NONE, name or "ReduceLogSumExp")


def reduce_variance(
    input_tensor: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """Return the mean of |x - mean|² along axes (None: all).

    Raises:
        DTypeError: (a TypeError) for integers.

    >>> import wengert as tf
    >>> tf.math.reduce_variance([1.0, 3.0]).numpy()
    np.float32(1.0)
    """
    x = number(input_tensor, "reduce_variance", "fc")
    axes = axes_of(axis, x)
    off = x - apply(reduction.MEAN, (x,), {"axis": axes, "keepdims": True})
    squares = _real(off * apply(elementwise.CONJ, (off,))) if x.nptype.kind == "c" else off * off
    keep = checks.flag(keepdims, "reduce_variance", "keepdims")
    return apply(reduction.MEAN, (squares,), {"axis": axes, "keepdims": keep}, name or "reduce_variance")


def reduce_std(input_tensor: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Return the square root of the variance along axes (None: all).

    >>> import wengert as tf
    >>> tf.math.reduce_std([1.0, 3.0]).numpy()
    np.float32(1.0)
    """
    return sqrt(reduce_variance(input_tensor, axis, keepdims), name or "reduce_std")


def reduce_euclidean_norm(
    input_tensor: TensorLike, axis: AxisLike | None = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """Return √(Σ |x|²) along axes (None: all); for integers it is cut to one.

    >>> import wengert as tf
    >>> tf.math.reduce_euclidean_norm([3.0, 4.0]).numpy()
    np.float32(5.0)
    """
    x = number(input_tensor, "reduce_euclidean_norm", "iufc")
    if x.nptype.kind in "iu":
        return array.cast(reduce_euclidean_norm(cast(x, dtypes.float64.numpy), axis, keepdims), x.nptype, name)
    squares = x * apply(elementwise.CONJ, (x,)) if x.nptype.kind == "c" else x * x
    return sqrt(reduce_sum(squares, axis, keepdims), name or "EuclideanNorm")


def count_nonzero(
    input: TensorLike,
    axis: AxisLike | None = None,
    keepdims: bool | None = None,
    dtype: DtypeLike = dtypes.int64,
    name: str | None = None,
) -> Any:
    """Return how many elements along axes (None: all) are not zero, not False, not empty.

    >>> import wengert as tf
    >>> tf.math.count_nonzero([[0, 1], [2, 3]], axis=0).numpy().tolist()
    [1, 2]
    """
    x = convert(input)
    if x.nptype.kind == "b":
        some = x
    else:
        some = not_equal(x, b"" if x.nptype.kind == "O" else array.zeros_like(x))
    counted = reduce_sum(apply(linear.CAST, (some,), {"dtype": "int64"}), axis, keepdims)
    return array.cast(counted, dtype, name)


def zero_fraction(value: TensorLike, name: str | None = None) -> Any:
    """Return the share of the elements that are zero, a float32 scalar.

    >>> import wengert as tf
    >>> tf.math.zero_fraction([0.0, 1.0, 0.0, 2.0]).numpy()
    np.float32(0.5)
    """
    x = convert(value)
    return reduce_mean(array.cast(equal(x, array.zeros_like(x)), dtypes.float32), name=name or "zero_fraction")


def is_non_decreasing(x: TensorLike, name: str | None = None) -> Any:
    """Return whether each element is at least the one before it, all axes read in order."""
    flat = array.reshape(x, [-1])
    return reduce_all(greater_equal(flat[1:], flat[:-1]), name=name)


def is_strictly_increasing(x: TensorLike, name: str | None = None) -> Any:
    """Return whether each element is greater than the one before it, all axes read in order."""
    flat = array.reshape(x, [-1])
    return reduce_all(greater(flat[1:], flat[:-1]), name=name)


def l2_normalize(
    x: TensorLike, axis: AxisLike | None = None, epsilon: TensorLike = 1e-12, name: str | None = None, dim: AxisLike | None = None
) -> Any:
    """Return x / √max(Σ |x|², ε), the sum being over the given axes.

    >>> import wengert as tf
    >>> print(tf.math.l2_normalize([3.0, 4.0]).numpy().round(4))
    [0.6 0.8]
    """
    t = number(x, "l2_normalize", "fc")
    squares = _real(t * apply(elementwise.CONJ, (t,))) if t.nptype.kind == "c" else square(t)
    total = apply(reduction.SUM, (squares,), {"axis": axes_of(dim if axis is None else axis, t), "keepdims": True})
    return multiply(t, cast(rsqrt(maximum(total, epsilon)), t.nptype), name or "l2_normalize")


# --- cumulative -------------------------------------------------------------------------------------------------------


def _cumulative(op: Op, x: TensorLike, axis: AxisLike, exclusive: Any, reverse: Any, name: str | None) -> Any:
    t = number(x, op.name, op.kinds)
    attrs = {"axis": axis_in(axis, t), "exclusive": checks.flag(exclusive, "cumulative", "exclusive")}
    attrs["reverse"] = checks.flag(reverse, "cumulative", "reverse")
    return apply(op, (t,), attrs, name)


def cumsum(x: TensorLike, axis: AxisLike = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Return the running sum along an axis; ``exclusive`` leaves out the element itself, ``reverse`` starts at the end.

    >>> import wengert as tf
    >>> tf.cumsum([1, 2, 3]).numpy().tolist(), tf.cumsum([1, 2, 3], exclusive=True).numpy().tolist()
    ([1, 3, 6], [0, 1, 3])
    """
    return _cumulative(reduction.CUMSUM, x, axis, exclusive, reverse, name)


def cumprod(x: TensorLike, axis: AxisLike = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Return the running product along an axis; ``exclusive`` leaves out the element itself, ``reverse`` starts at the end.

    >>> import wengert as tf
    >>> tf.math.cumprod([1, 2, 3]).numpy().tolist()
    [1, 2, 6]
    """
    return _cumulative(reduction.CUMPROD, x, axis, exclusive, reverse, name)


def cumulative_logsumexp(
    x: TensorLike, axis: AxisLike = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Any:
    """Return the running log Σ eˣ along an axis, without overflow or underflow.

    With ``exclusive`` the first element is the least finite number, as in TensorFlow, which stands for -∞.

    >>> import wengert as tf
    >>> print(tf.math.cumulative_logsumexp([0.0, 0.0]).numpy().round(4))
    [0.     0.6931]
    """
    t = number(x, "cumulative_logsumexp")
    along_axis, back = axis_in(axis, t), checks.flag(reverse, "cumulative_logsumexp", "reverse")
    exclusive = checks.flag(exclusive, "cumulative_logsumexp", "exclusive")
    limits = dtypes.of(t.nptype)
    # With m the running maximum, held fixed: sₖ = exp(mₖ₋₁ - mₖ) sₖ₋₁ + exp(xₖ - mₖ), and the answer is log s + m.
    m = apply(reduction.CUMMAX, (constant_of(t),), {"axis": along_axis, "reverse": back})
    m = apply(elementwise.CLIP, (m, convert(limits.min, like=t), convert(limits.max, like=t)))
    decay = exp(_moved(m, along_axis, back, None) - m)
    s = apply(reduction.RECURRENCE, (decay, exp(t - m)), {"axis": along_axis, "reverse": back})
    result = log(s) + m
    return named(_moved(result, along_axis, back, limits.min) if exclusive else result, name)


def _moved(x: Any, axis: int, back: bool, start: Any) -> Any:
    """Return x one place further along an axis, a number coming in, or the first element again."""
    first = getitem(x, along(axis, slice(-1, None) if back else slice(0, 1)))
    if start is not None:
        first = apply(linear.FILL, (convert(start, like=x), array.shape(first)), {"shape": None})
    rest = getitem(x, along(axis, slice(1, None) if back else slice(0, -1)))
    return apply(linear.CONCAT, (rest, first) if back else (first, rest), {"axis": axis})


# --- places -----------------------------------------------------------------------------------------------------------


def _place(op: Op, input: TensorLike, axis: AxisLike | None, output_type: DtypeLike, name: str | None) -> Any:
    x = number(input, op.name, op.kinds)
    attrs = {"axis": axis_in(0 if axis is None else axis, x), "dtype": as_dtype(output_type).numpy.name}
    if x.sizes is not None and x.sizes[attrs["axis"]] == 0:
        raise ShapeError(f"Reduction axis {attrs['axis']} is empty in shape {shapes.text(x.sizes)}")
    return apply(op, (x,), attrs, name)


def argmax(
    input: TensorLike, axis: AxisLike | None = None, output_type: DtypeLike = dtypes.int64, name: str | None = None
) -> Any:
    """Return where along an axis (0 unless told otherwise) the greatest element stands; the first of equals.

    >>> import wengert as tf
    >>> tf.argmax([1.0, 5.0, 5.0]).numpy()
    np.int64(1)
    """
    return _place(reduction.ARGMAX, input, axis, output_type, name)


def argmin(
    input: TensorLike, axis: AxisLike | None = None, output_type: DtypeLike = dtypes.int64, name: str | None = None
) -> Any:
    """Return where along an axis (0 unless told otherwise) the least element stands; the first of equals."""
    return _place(reduction.ARGMIN, input, axis, output_type, name)


class TopKV2(NamedTuple):
    """The answer of `top_k`."""

    values: Any
    indices: Any


def top_k(
    input: TensorLike, k: TensorLike = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None
) -> TopKV2:
    """Return the k greatest elements along the last axis, in falling order, and where they stand; lower places first.

    Raises:
        InvalidArgumentError: (a ValueError) if the axis holds fewer.

    >>> import wengert as tf
    >>> values, indices = tf.math.top_k([1.0, 4.0, 3.0], k=2)
    >>> values.numpy().tolist(), indices.numpy().tolist()
    ([4.0, 3.0], [1, 2])
    """
    x = number(input, "top_k", reduction.ARGSORT.kinds)
    if x.sizes == ():
        raise ShapeError("top_k: input must have at least 1 dimension, got shape ().")
    last = None if x.sizes is None else x.sizes[-1]
    count = array.numbers_of(k, "k")
    order = apply(reduction.ARGSORT, (x,), {"axis": -1, "descending": True}, (name or "TopKV2") + "/order")
    if isinstance(count, list) and last is not None:
        if len(count) != 1:
            raise ShapeError(f"top_k: k must be one number, not {k!r}.")
        (n,) = count
        if not 0 <= n <= last:
            raise InvalidArgumentError(f"top_k: input must have at least k columns. Had {last}, needed {n}.")
        at = getitem(order, (Ellipsis, slice(None, n)))
    else:
        at = apply(linear.TAKE, (order, array.range(count[0])), {"axis": -1, "batch_dims": 0})
    values = apply(linear.TAKE_ALONG_AXIS, (x, at), {"axis": -1}, name or "TopKV2")
    return TopKV2(values, array.cast(at, index_type))


def in_top_k(targets: TensorLike, predictions: TensorLike, k: TensorLike, name: str | None = None) -> Any:
    """Return for each row of predictions whether its target is among the k greatest; those equal to the k-th all are.

    A target out of range, and a row with an infinity or NaN, gives False.
    """
    rows, at = number(predictions, "in_top_k"), number(targets, "in_top_k", "iu")
    if not shapes.fits(rows.sizes, (None, None)) or not shapes.fits(at.sizes, None if rows.sizes is None else rows.sizes[:1]):
        raise ShapeError(
            f"in_top_k takes predictions (rows, classes) and targets (rows,), not shapes {shapes.text(rows.sizes)} and "
            f"{shapes.text(at.sizes)}."
        )
    classes = array.cast(array.shape(rows)[1], at.nptype)
    inside = logical_and(greater_equal(at, 0), less(at, classes))
    safe = array.where(inside, at, array.zeros_like(at))
    chosen = array.gather(rows, safe[:, None], axis=1, batch_dims=1)
    above = count_nonzero(greater(rows, chosen), axis=1)
    good = logical_and(inside, reduce_all(is_finite(rows), axis=1))
    return logical_and(good, less(above, array.cast(k, dtypes.int64)), name or "InTopKV2")


# --- segments ---------------------------------------------------------------------------------------------------------


def _segmented(data: TensorLike, segment_ids: TensorLike, name: str, kinds: str, sorted: bool) -> tuple[Any, Any]:
    x, ids = number(data, name, kinds), number(segment_ids, name, "iu")
    if sorted:
        if ids.sizes is not None and len(ids.sizes) != 1:
            raise ShapeError(f"{name}: segment_ids should be a vector, not of shape {shapes.text(ids.sizes)}.")
        ids = apply(reduction.CHECKED_IDS, (ids,), {"increasing": True})
    if x.sizes is not None and ids.sizes is not None and not shapes.fits(x.sizes[: len(ids.sizes)], ids.sizes):
        raise ShapeError(f"{name}: data of shape {shapes.text(x.sizes)} does not fit ids of shape {shapes.text(ids.sizes)}.")
    return x, ids


def _number_of_segments(ids: TensorLike) -> Any:
    """Return the last id and 1: an int, or a graph's scalar."""
    if ids.__class__ is EagerTensor:
        return int(ids.array.max()) + 1 if ids.array.size else 0
    last = apply(reduction.MAX, (ids,), {"axis": None, "keepdims": False})
    return maximum(cast(last, dtypes.int64.numpy), -1) + 1


def _given_number(num_segments: TensorLike) -> Any:
    """Return num_segments: an int where it is known, else a graph's scalar."""
    numbers = array.numbers_of(num_segments, "num_segments")
    if isinstance(numbers, list) and len(numbers) != 1:
        raise ShapeError(f"num_segments must be one number, not {num_segments!r}.")
    n = numbers[0]
    if isinstance(n, int) and n < 0:
        raise InvalidArgumentError(f"num_segments must not be negative: {n}.")
    return n


def _frame(x: Any, ids: Any, count: Any, value: Any) -> Any:
    """Return a tensor of one value that has the shape of a segment reduction with ``count`` rows."""
    if ids.sizes is None:
        raise ShapeError("A segment reduction needs segment_ids of known rank.")
    lead = len(ids.sizes)
    whole = array.shape(x)
    if x.sizes is None:
        first = array.reshape(array.cast(convert(count), dtypes.int32), [1])
        dims: Any = array.concat([first, whole[lead:]], 0)
    else:
        dims = [count, *[whole[lead + i] if s is None else s for i, s in enumerate(x.sizes[lead:])]]
    return array.fill(dims, convert(value, like=x))


def _segment_sums(x: TensorLike, ids: Any, count: Any, name: str | None = None) -> Any:
    if count is None or isinstance(count, int):
        return apply(linear.SEGMENT_SUM, (x, ids), {"num": count}, name)
    return apply(linear.SEGMENT_SUM_LIKE, (x, ids, _frame(x, ids, count, 0)), NONE, name)


def _segment_counts(x: Any, ids: Any, count: Any) -> Any:
    """Return how many members each segment has, in a shape that broadcasts with the reduction of x."""
    if x.sizes is None or ids.sizes is None:
        return _segment_sums(array.ones_like(x), ids, count)
    counts = _segment_sums(array.ones_like(ids, x.dtype), ids, count)
    return getitem(counts, (Ellipsis, *[None] * (len(x.sizes) - len(ids.sizes))))


def _segment_mean(x: TensorLike, ids: TensorLike, count: Any, root: bool, name: str | None) -> Any:
    n = maximum(_segment_counts(x, ids, count), 1.0)
    return truediv(_segment_sums(x, ids, count), sqrt(n) if root else n, name)


def _segment_extreme(op: Op, x: Any, ids: TensorLike, count: Any, name: str | None) -> Any:
    limits = dtypes.of(x.nptype)
    frame = _frame(x, ids, count + 1, limits.min if op is linear.SCATTER_MAX else limits.max)
    # What has a negative id goes to a last row, which is cut off.
    rows = apply(reduction.CHECKED_IDS, (ids, frame), {"increasing": False})
    found = apply(op, (frame, array.expand_dims(rows, -1), x))
    return apply(linear.GETITEM, (found,), {"index": (slice(0, -1),)}, name)


def _segment_product(x: Any, ids: Any, count: Any, name: str | None) -> Any:
    if x.sizes is None or ids.sizes is None:
        raise ShapeError("The product of segments needs tensors of known rank.")
    table = apply(reduction.SEGMENT_TABLE, (ids, array.zeros([count], dtypes.int32)))
    if len(ids.sizes) != 1:
        whole = array.shape(x)
        x = array.reshape(x, [-1, *[whole[i] if x.sizes[i] is None else x.sizes[i] for i in range(len(ids.sizes), len(x.sizes))]])
    # A row of ones stands for the places that are left in the table.
    more = array.pad(x, [[0, 1]] + [[0, 0]] * (len(x.sizes) - 1), constant_values=1)
    members = apply(linear.TAKE, (more, table), {"axis": 0, "batch_dims": 0})
    return apply(reduction.PROD, (members,), {"axis": (1,), "keepdims": False}, name)


def segment_sum(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Any:
    """Return the sum of the rows of each segment: those with one id. The ids do not decrease.

    Raises:
        InvalidArgumentError: (a ValueError) if the ids decrease or are negative.

    >>> import wengert as tf
    >>> tf.math.segment_sum([1.0, 2.0, 3.0], [0, 0, 1]).numpy().tolist()
    [3.0, 3.0]
    """
    x, ids = _segmented(data, segment_ids, "segment_sum", "iufc", True)
    return _segment_sums(x, ids, None, name)


def segment_mean(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Any:
    """Return the mean of the rows of each segment, 0 where there are none. The ids do not decrease."""
    x, ids = _segmented(data, segment_ids, "segment_mean", "fc", True)
    return _segment_mean(x, ids, _number_of_segments(ids), False, name)


def segment_prod(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Any:
    """Return the product of the rows of each segment, 1 where there are none. The ids do not decrease."""
    x, ids = _segmented(data, segment_ids, "segment_prod", "iufc", True)
    return _segment_product(x, ids, _number_of_segments(ids), name)


def _sorted_extreme(op: Op, data: TensorLike, segment_ids: TensorLike, title: str, name: str | None) -> Any:
    x, ids = _segmented(data, segment_ids, title, "iuf", True)
    count = _number_of_segments(ids)
    found = _segment_extreme(op, x, ids, count, None)
    return array.where(greater(_segment_counts(x, ids, count), 0), found, array.zeros_like(found), name)


def segment_max(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Any:
    """Return the greatest of the rows of each segment, 0 where there are none. The ids do not decrease."""
    return _sorted_extreme(linear.SCATTER_MAX, data, segment_ids, "segment_max", name)


def segment_min(data: TensorLike, segment_ids: TensorLike, name: str | None = None) -> Any:
    """Return the least of the rows of each segment, 0 where there are none. The ids do not decrease."""
    return _sorted_extreme(linear.SCATTER_MIN, data, segment_ids, "segment_min", name)


def unsorted_segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike, name: str | None = None) -> Any:
    """Return the sum of what has one id, for the ids from 0 to num_segments - 1; negative ids are left out.

    The shape is num_segments, then that of data without the leading axes that segment_ids has.

    Raises:
        InvalidArgumentError: (a ValueError) for an id that is not less than num_segments.

    >>> import wengert as tf
    >>> tf.math.unsorted_segment_sum([1.0, 2.0, 3.0], [1, 0, 1], 3).numpy().tolist()
    [2.0, 4.0, 0.0]
    """
    x, ids = _segmented(data, segment_ids, "unsorted_segment_sum", "iufc", False)
    return _segment_sums(x, ids, _given_number(num_segments), name)


def unsorted_segment_mean(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike, name: str | None = None) -> Any:
    """Return the mean of what has one id, 0 where there is none; negative ids are left out."""
    x, ids = _segmented(data, segment_ids, "unsorted_segment_mean", "fc", False)
    return _segment_mean(x, ids, _given_number(num_segments), False, name)


def unsorted_segment_sqrt_n(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike, name: str | None = None) -> Any:
    """Return the sum of what has one id, divided by the square root of its number; negative ids are left out."""
    x, ids = _segmented(data, segment_ids, "unsorted_segment_sqrt_n", "fc", False)
    return _segment_mean(x, ids, _given_number(num_segments), True, name)


def unsorted_segment_prod(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike, name: str | None = None) -> Any:
    """Return the product of what has one id, 1 where there is none; negative ids are left out."""
    x, ids = _segmented(data, segment_ids, "unsorted_segment_prod", "iufc", False)
    return _segment_product(x, ids, _given_number(num_segments), name)


def unsorted_segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike, name: str | None = None) -> Any:
    """Return the greatest of what has one id, the dtype's least number where there is none; negative ids are left out."""
    x, ids = _segmented(data, segment_ids, "unsorted_segment_max", "iuf", False)
    return _segment_extreme(linear.SCATTER_MAX, x, ids, _given_number(num_segments), name)


def unsorted_segment_min(data: TensorLike, segment_ids: TensorLike, num_segments: TensorLike, name: str | None = None) -> Any:
    """Return the least of what has one id, the dtype's greatest number where there is none; negative ids are left out."""
    x, ids = _segmented(data, segment_ids, "unsorted_segment_min", "iuf", False)
    return _segment_extreme(linear.SCATTER_MIN, x, ids, _given_number(num_segments), name)


def bincount(
    arr: Any,
    weights: TensorLike | None = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: DtypeLike = dtypes.int32,
    name: str | None = None,
    axis: AxisLike | None = None,
    binary_output: bool = False,
) -> Any:
    """Return how often each number from 0 on occurs, or the sum of its weights.

    ``axis=-1``: a count for each row of a matrix. ``binary_output``: 1 where it occurs.

    Raises:
        InvalidArgumentError: (a ValueError) for a negative number.

    >>> import wengert as tf
    >>> tf.math.bincount([0, 1, 1, 3]).numpy().tolist()
    [1, 2, 0, 1]
    """
    values = number(arr, "bincount", "iu")
    if weights is not None and binary_output:
        raise InvalidArgumentError("Arguments `binary_output` and `weights` are mutually exclusive.")
    values = cast(apply(reduction.CHECKED_IDS, (values,), {"increasing": False}), dtypes.int64.numpy)
    count = _number_of_segments(values)
    for limit, pick in ((minlength, maximum), (maxlength, minimum)):
        if limit is not None:
            bound = integer_of(limit, "minlength")
            if isinstance(count, int):
                count = max(count, bound) if pick is maximum else min(count, bound)
            else:
                count = pick(count, bound)
    w = array.ones_like(values, dtype) if weights is None else convert(weights)
    if weights is not None and not shapes.fits(w.sizes, values.sizes):
        raise ShapeError(f"bincount: weights of shape {shapes.text(w.sizes)} do not fit shape {shapes.text(values.sizes)}.")
    if maxlength is not None:
        values = array.where(less(values, count), values, array.zeros_like(values) - 1)
    if axis is None or integer_of(axis) == 0:
        result = _segment_sums(w, values, count, name)
    else:
        if integer_of(axis) != -1:
            raise InvalidArgumentError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
        if values.sizes is None or len(values.sizes) != 2:
            raise ShapeError("bincount along the last axis takes a matrix.")
        rows = array.shape(values)[0] if values.sizes[0] is None else values.sizes[0]
        start = array.cast(array.range(rows), dtypes.int64)[:, None] * count
        moved = array.where(less(values, 0), values, values + start)
        result = array.reshape(_segment_sums(w, moved, rows * array.cast(count, dtypes.int32)), [rows, count], name)
    return array.cast(greater(result, 0), dtype) if binary_output else result


def confusion_matrix(
    labels: TensorLike,
    predictions: TensorLike,
    num_classes: TensorLike | None = None,
    weights: TensorLike | None = None,
    dtype: DtypeLike = dtypes.int32,
    name: str | None = None,
) -> Any:
    """Return the matrix that counts (or sums the weights of) the pairs (label, prediction).

    >>> import wengert as tf
    >>> tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy().tolist()
    [[1, 0], [1, 1]]
    """
    rows = cast(number(array.squeeze(labels), "confusion_matrix", "iu"), dtypes.int64.numpy)
    columns = cast(number(array.squeeze(predictions), "confusion_matrix", "iu"), dtypes.int64.numpy)
    rows, columns = array.reshape(rows, [-1]), array.reshape(columns, [-1])
    if not shapes.fits(rows.sizes, columns.sizes):
        raise ShapeError("confusion_matrix: labels and predictions differ in number.")
    if num_classes is None:
        a, b = _number_of_segments(rows), _number_of_segments(columns)
        n: Any = max(a, b) if isinstance(a, int) and isinstance(b, int) else maximum(a, b)
    else:
        n = _given_number(num_classes)
    w = array.ones_like(rows, dtype) if weights is None else array.cast(weights, dtype)
    return array.scatter_nd(array.stack([rows, columns], axis=1), array.reshape(w, [-1]), [n, n], name)


# --- products ---------------------------------------------------------------------------------------------------------


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: DtypeLike | None = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    """Return the product of matrices, or of stacks of them that broadcast.

    Raises:
        ShapeError: (a ValueError) for vectors, and where the sizes do not fit.

    >>> import wengert as tf
    >>> tf.matmul([[1.0, 2.0]], [[3.0], [4.0]]).numpy().tolist()
    [[11.0]]
    >>> tf.matmul([[1.0, 2.0]], [[3.0, 4.0]], transpose_a=True).numpy().tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    if not (transpose_a is transpose_b is adjoint_a is adjoint_b is False):
        transpose_a = checks.flag(transpose_a, "matmul", "transpose_a")
        transpose_b = checks.flag(transpose_b, "matmul", "transpose_b")
        adjoint_a = checks.flag(adjoint_a, "matmul", "adjoint_a")
        adjoint_b = checks.flag(adjoint_b, "matmul", "adjoint_b")
    if not (transpose_a or transpose_b or adjoint_a or adjoint_b) and output_type is None:
        if a.__class__ is EagerTensor and b.__class__ is EagerTensor:
            x, y = a.array, b.array
            if x.ndim > 1 and y.ndim > 1 and x.dtype is y.dtype and x.dtype.kind in contraction.MATMUL.kinds:
                return apply(contraction.MATMUL, (a, b), NONE, name)
    if transpose_a and adjoint_a:
        raise ValueError("Only one of `transpose_a` and `adjoint_a` can be True.")
    if transpose_b and adjoint_b:
        raise ValueError("Only one of `transpose_b` and `adjoint_b` can be True.")
    x, y = operands(contraction.MATMUL, a, b)
    if x.__class__ is EagerTensor and y.__class__ is EagerTensor and (x.array.ndim < 2 or y.array.ndim < 2):
        contraction.MATMUL.infer((x, y), NONE)
    if x.nptype.kind == "c":
        x = apply(elementwise.CONJ, (x,)) if adjoint_a else x
        y = apply(elementwise.CONJ, (y,)) if adjoint_b else y
    ta, tb = transpose_a or adjoint_a, transpose_b or adjoint_b
    result = apply(contraction.MATMUL, (x, y), {"ta": ta, "tb": tb} if ta or tb else NONE, name)
    return result if output_type is None else array.cast(result, output_type)


def matvec(
    a: TensorLike,
    b: TensorLike,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Return the product of a matrix and a vector, or of stacks of them that broadcast.

    >>> import wengert as tf
    >>> tf.linalg.matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).numpy().tolist()
    [3.0, 7.0]
    """
    x, y = operands(contraction.MATMUL, a, b)
    if y.sizes == ():
        raise ShapeError("matvec takes a vector, and got a scalar.")
    column = apply(linear.EXPAND_DIMS, (y,), {"axis": -1})
    product = matmul(x, column, transpose_a=transpose_a, adjoint_a=adjoint_a)
    return apply(linear.SQUEEZE, (product,), {"axis": (-1,)}, name)


def _axes_to_sum(axes: AxisLike | Sequence[AxisLike], a: int, b: int) -> tuple[list[int], list[int]]:
    if isinstance(axes, np.ndarray | Tensor) or hasattr(axes, "_as_tensor"):
        known = array.get_static_value(convert(axes))
        if known is None:
            raise UnimplementedError(f"tensordot: axes must be known when the graph is built, and {axes!r} is not.")
        axes = known.tolist() if hasattr(known, "tolist") else known
    if isinstance(axes, int):
        if not 0 <= axes <= min(a, b):
            raise ShapeError(f"tensordot: `axes` must be between 0 and the ranks {a} and {b}. Received: axes={axes}.")
        return list(range(a - axes, a)), list(range(axes))
    if not isinstance(axes, list | tuple) or len(axes) != 2:
        raise InvalidArgumentError(f"tensordot: `axes` must be an integer or have length 2. Received: axes={axes!r}.")
    first, second = (list(integers_of(one)) for one in axes)
    if len(first) != len(second):
        raise InvalidArgumentError(f"tensordot: different numbers of contraction axes {first} and {second}.")
    for found, rank in ((first, a), (second, b)):
        found[:] = [shapes.axis_of(i, rank) for i in found]
        if len(set(found)) != len(found) or (found and not rank):
            raise ShapeError(f"tensordot: the axes {axes!r} do not fit the ranks {a} and {b}.")
    return first, second


def tensordot(a: TensorLike, b: TensorLike, axes: AxisLike | Sequence[AxisLike], name: str | None = None) -> Any:
    """Return the sum of products over axes of a and b: a number (the last of a, the first of b), or two lists.

    Raises:
        ShapeError: (a ValueError) where the sizes do not fit.

    >>> import wengert as tf
    >>> tf.tensordot([1.0, 2.0], [3.0, 4.0], 1).numpy()
    np.float32(11.0)
    """
    x, y = operands(contraction.EINSUM, a, b)
    if x.sizes is None or y.sizes is None:
        return _tensordot_of_any_rank(x, y, axes)
    first, second = _axes_to_sum(axes, len(x.sizes), len(y.sizes))
    name = name or "Tensordot"
    if len(x.sizes) == len(y.sizes) == 2 and len(first) == 1:
        ta, tb = first == [0], second == [1]
        return apply(contraction.MATMUL, (x, y), {"ta": ta, "tb": tb} if ta or tb else NONE, name)
    if len(x.sizes) + len(y.sizes) > len(string.ascii_letters):
        raise UnimplementedError("tensordot: more than 52 axes.")
    letters = iter(string.ascii_letters)
    left = [next(letters) for _ in x.sizes]
    right = [next(letters) for _ in y.sizes]
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    kept = [s for i, s in enumerate(left) if i not in first] + [s for j, s in enumerate(right) if j not in second]
    return apply(contraction.EINSUM, (x, y), {"equation": f"{''.join(left)},{''.join(right)}->{''.join(kept)}"}, name)


def _tensordot_of_any_rank(x: Tensor, y: Tensor, axes: AxisLike | Sequence[AxisLike]) -> Any:
    """Return `tensordot` as a product of matrices, of tensors whose ranks are known when the graph runs."""
    ranks = [array.shape(array.shape(v))[0] for v in (x, y)]
    if isinstance(axes, int) or not isinstance(axes, list | tuple):
        n = integer_of(axes)
        summed = [array.range(ranks[0] - n, ranks[0]), array.range(n)]
    else:
        summed = [convert(list(integers_of(one)), dtypes.int32) for one in axes]
        summed = [array.where(a < 0, a + r, a) for a, r in zip(summed, ranks, strict=True)]
    free = []
    for a, r in zip(summed, ranks, strict=True):
        every = array.range(r)
        free.append(array.boolean_mask(every, logical_not(reduce_any(equal(every[:, None], a[None]), 1))))
    left = array.transpose(x, array.concat([free[0], summed[0]], 0))
    right = array.transpose(y, array.concat([summed[1], free[1]], 0))
    outer = [array.gather(array.shape(v), f) for v, f in zip((x, y), free, strict=True)]
    count = reduce_prod(array.gather(array.shape(x), summed[0]))
    rows, columns = (reduce_prod(sizes) for sizes in outer)
    product = matmul(array.reshape(left, [rows, count]), array.reshape(right, [count, columns]))
    return array.reshape(product, array.concat(outer, 0))


def einsum(equation: Any, *inputs: TensorLike, **kwargs: Any) -> Any:
    """Return a sum of products of elements, in Einstein's notation.

    A label repeated in an operand takes the diagonal; without an arrow the result has the labels that stand once, in
    alphabetical order; ``...`` stands for axes that broadcast. More than two operands are multiplied two at a time.

    Raises:
        InvalidArgumentError: (a ValueError) for an equation that does not fit the operands.

    >>> import wengert as tf
    >>> tf.einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]).numpy().tolist()
    [[11.0]]
    >>> tf.einsum("ii", [[1.0, 2.0], [3.0, 4.0]]).numpy()
    np.float32(5.0)
    """
    name = kwargs.pop("name", None)
    kwargs.pop("optimize", None)
    if kwargs:
        raise TypeError(f"einsum: invalid keyword arguments {sorted(kwargs)}: only `name` and `optimize`.")
    if not isinstance(equation, str):
        raise InvalidArgumentError(f"einsum: the equation is a string, not {equation!r}.")
    if not inputs:
        raise InvalidArgumentError("einsum takes at least one tensor.")
    tensors = alike(inputs, contraction.EINSUM)
    labels, result, dots = _equation(equation, tuple([None if t.sizes is None else len(t.sizes) for t in tensors]))
    direct = None if dots or len(tensors) != 2 else _direct(*labels, result)
    if direct is not None:
        return apply(contraction.EINSUM, tensors, {"equation": direct}, name)
    terms = list(zip(tensors, labels, strict=True))
    if dots:
        terms = _without_ones(terms, dots)
    wanted = "".join(dict.fromkeys(result))
    terms = [_alone(t, s, set(wanted).union(*[o for j, (_, o) in enumerate(terms) if j != i])) for i, (t, s) in enumerate(terms)]
    for i, j in _order(terms, wanted):
        (b, right), (a, left) = terms.pop(j), terms.pop(i)
        rest = set(wanted).union(*[s for _, s in terms])
        kept = "".join(dict.fromkeys(s for s in left + right if s in rest)) if terms else wanted
        a, left = _alone(a, left, rest | set(right))
        b, right = _alone(b, right, rest | set(left))
        terms.append((apply(contraction.EINSUM, (a, b), {"equation": f"{left},{right}->{kept}"}), kept))
    ((x, left),) = terms
    if left != wanted:
        x = apply(linear.TRANSPOSE, (x,), {"axes": tuple([left.index(s) for s in wanted])})
    return named(_diagonals(x, wanted, result), name)


@functools.lru_cache(maxsize=1024)
def _equation(equation: str, ranks: tuple[int | None, ...]) -> tuple[tuple[str, ...], str, str]:
    """Return the labels of each operand and of the result, a letter for an axis, and which letters `...` stands for."""
    text = equation.replace(" ", "")
    source, arrow, target = text.partition("->")
    parts = source.split(",")
    for part in [*parts, target]:
        bare = part.replace("...", "", 1)
        if any(s not in string.ascii_letters for s in bare):
            raise InvalidArgumentError(f"Invalid equation: {equation!r}: labels are letters, once `...`, commas and one `->`.")
    if len(parts) != len(ranks):
        raise InvalidArgumentError(f"einsum: {equation!r} has {len(parts)} operands, and {len(ranks)} tensors are given.")
    lengths = []
    for part, rank in zip(parts, ranks, strict=True):
        named_axes = len(part.replace("...", ""))
        if "..." in part and rank is None:
            raise ShapeError(f"einsum {equation!r}: an operand with `...` needs a known rank.")
        lengths.append((rank or 0) - named_axes if "..." in part else 0)
        if rank is not None and (lengths[-1] < 0 or ("..." not in part and rank != named_axes)):
            raise ShapeError(f"einsum {equation!r}: the labels {part!r} do not fit a tensor of rank {rank}.")
    free = [s for s in string.ascii_letters if s not in text]
    most = max(lengths)
    if most > len(free):
        raise InvalidArgumentError(f"einsum {equation!r}: not enough letters for all axes.")
    dots = "".join(free[:most])
    labels = [p.replace("...", dots[most - n :]) for p, n in zip(parts, lengths, strict=True)]
    if arrow:
        result = target.replace("...", dots)
    else:
        once = sorted(s for s in set(source.replace(",", "").replace(".", "")) if source.count(s) == 1)
        result = ("" if "..." not in source else dots) + "".join(once)
    for s in result:
        if not any(s in one for one in labels):
            raise InvalidArgumentError(f"einsum {equation!r}: the label {s!r} of the result stands in no operand.")
    return tuple(labels), result, dots


@functools.lru_cache(maxsize=1024)
def _direct(a: str, b: str, result: str) -> str | None:
    """Return the equation if the operation takes it as it is: no repeats, each label in the other operand or the result."""
    repeats = any(len(set(s)) < len(s) for s in (a, b, result))
    return None if repeats or set(a) - set(b + result) or set(b) - set(a + result) else f"{a},{b}->{result}"


def _without_ones(terms: list[tuple[Any, str]], dots: str) -> list[tuple[Any, str]]:
    """Return the operands made to fit along the axes of `...`: an axis of size 1 that meets a longer one is dropped.

    Where a run decides the sizes that meet, the operands are broadcast.
    """
    sizes: dict[str, list[Any]] = {s: [] for s in dots}
    for t, labels in terms:
        for i, s in enumerate(labels):
            if s in sizes:
                sizes[s].append(t.sizes[i] if t.sizes[i] is not None else array.shape(t)[i])
    found = []
    for t, labels in terms:
        ones = [
            i for i, s in enumerate(labels)
            if s in sizes and t.sizes[i] == 1 and any(m.__class__ is not int or m != 1 for m in sizes[s])
        ]  # fmt: skip
        if ones:
            t = apply(linear.SQUEEZE, (t,), {"axis": tuple(ones)})
            labels = "".join(s for i, s in enumerate(labels) if i not in ones)
        meets = {s: [m for m in sizes[s] if m.__class__ is not int or m != 1] for s in labels if s in sizes}
        if any(len(m) > 1 and any(one.__class__ is not int for one in m) for m in meets.values()):
            whole = array.shape(t)
            wanted = [_longest(meets[s]) if s in meets and len(meets[s]) > 1 else whole[i] for i, s in enumerate(labels)]
            t = array.broadcast_to(t, wanted)
        found.append((t, labels))
    return found


def _longest(sizes: list[Any]) -> Any:
    """Return the size that axes of some sizes broadcast to."""
    known = [s for s in sizes if s.__class__ is int]
    if known:
        return known[0]
    result = sizes[0]
    for s in sizes[1:]:
        result = array.where(equal(result, 1), s, result)
    return result


def _alone(x: Any, labels: str, elsewhere: set[str]) -> tuple[Any, str]:
    """Return an operand with diagonals taken where labels repeat, and summed over labels that stand nowhere else."""
    while len(set(labels)) < len(labels):
        s = next(s for s in labels if labels.count(s) > 1)
        i = labels.index(s)
        j = labels.index(s, i + 1)
        if x.sizes is not None and None not in (x.sizes[i], x.sizes[j]) and x.sizes[i] != x.sizes[j]:
            raise ShapeError(f"einsum: the label {s!r} has sizes {x.sizes[i]} and {x.sizes[j]}.")
        others = [k for k in range(len(labels)) if k not in (i, j)]
        x = apply(linear.TRANSPOSE, (x,), {"axes": (*others, i, j)})
        x = apply(linear.DIAG_PART, (x,), {"k": 0})
        labels = "".join(labels[k] for k in others) + s
    lone = tuple([i for i, s in enumerate(labels) if s not in elsewhere])
    if lone:
        x = apply(reduction.SUM, (x,), {"axis": lone, "keepdims": False})
        labels = "".join(s for s in labels if s in elsewhere)
    return x, labels


def _order(terms: list[tuple[Any, str]], wanted: str) -> Sequence[tuple[int, int]]:
    """Return which two operands to multiply, and so on; the product goes to the end of the list."""
    n = len(terms)
    if n > 2 and all(shapes.is_full(t.sizes) for t, _ in terms):
        return _path(",".join(s for _, s in terms) + "->" + wanted, tuple([t.sizes for t, _ in terms]))
    return [(0, 1)] * (n - 1)


@functools.lru_cache(maxsize=1024)
def _path(equation: str, sizes: tuple[tuple[int, ...], ...]) -> Sequence[tuple[int, int]]:
    try:
        steps = np.einsum_path(equation, *[np.broadcast_to(0.0, s) for s in sizes], optimize="greedy")[0][1:]
    except ValueError as error:
        raise ShapeError(f"einsum {equation!r}: {error}") from None
    pairs: list[tuple[int, int]] = []
    left = len(sizes)
    for step in steps:
        places = sorted(step)
        while len(places) > 1:  # NumPy may propose to multiply more than two at once
            pairs.append((places[0], places[1]))
            places = [p - (p > pairs[-1][0]) - (p > pairs[-1][1]) for p in places[2:]] + [left - 2]
            left -= 1
    return pairs


def _diagonals(x: TensorLike, labels: str, result: str) -> Any:
    """Return x, whose labels are those of the result without repeats, put on the diagonals of repeated labels."""
    if labels == result:
        return x
    order = labels
    for s in labels:
        for _ in range(result.count(s) - 1):
            i = order.rindex(s)
            x = apply(linear.TRANSPOSE, (x,), {"axes": (*[k for k in range(len(order)) if k != i], i)})
            order = order[:i] + order[i + 1 :] + s
            x = apply(linear.DIAG, (x,), {"k": 0})
            order += s
    places, axes = list(order), []
    for s in result:
        i = places.index(s)
        axes.append(i)
        places[i] = ""
    return apply(linear.TRANSPOSE, (x,), {"axes": tuple(axes)})
