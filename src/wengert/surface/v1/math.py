"""TensorFlow 1's ``tf.math``, and the functions at its top that have other arguments than TensorFlow 2's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions import array, linalg
from wengert.functions import math as two
from wengert.ground import dtypes
from wengert.surface.math import (
    abs,
    accumulate_n,
    acos,
    acosh,
    add,
    add_n,
    angle,
    approximate_equal,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bessel_i0,
    bessel_i0e,
    bessel_i1,
    bessel_i1e,
    betainc,
    bincount,
    ceil,
    clip_by_average_norm,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    complex,
    confusion_matrix,
    conj,
    cos,
    cosh,
    cumprod,
    cumsum,
    cumulative_logsumexp,
    digamma,
    divide,
    divide_no_nan,
    einsum,
    equal,
    erf,
    erfc,
    erfcinv,
    erfinv,
    exp,
    expm1,
    floor,
    floordiv,
    floormod,
    global_norm,
    greater,
    greater_equal,
    igamma,
    igammac,
    imag,
    in_top_k,
    is_finite,
    is_inf,
    is_nan,
    is_non_decreasing,
    is_strictly_increasing,
    l2_normalize,
    lbeta,
    less,
    less_equal,
    lgamma,
    log,
    log1p,
    log_sigmoid,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    matmul,
    matvec,
    maximum,
    minimum,
    mod,
    multiply,
    multiply_no_nan,
    ndtri,
    negative,
    nextafter,
    not_equal,
    polygamma,
    polyval,
    pow,
    real,
    realdiv,
    reciprocal,
    reciprocal_no_nan,
    reduce_euclidean_norm,
    reduce_std,
    reduce_variance,
    rint,
    round,
    rsqrt,
    scalar_mul,
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
    sigmoid,
    sign,
    sin,
    sinh,
    softplus,
    softsign,
    special,
    sqrt,
    square,
    squared_difference,
    subtract,
    tan,
    tanh,
    tensordot,
    top_k,
    truediv,
    truncatediv,
    truncatemod,
    unsorted_segment_max,
    unsorted_segment_mean,
    unsorted_segment_min,
    unsorted_segment_prod,
    unsorted_segment_sqrt_n,
    unsorted_segment_sum,
    xdivy,
    xlog1py,
    xlogy,
    zero_fraction,
    zeta,
)
from wengert.surface.v1.keywords import renamed
from wengert.tensor.tensor import EagerTensor, Tensor, convert

__all__ = [
    "abs",
    "accumulate_n",
    "acos",
    "acosh",
    "add",
    "add_n",
    "angle",
    "approximate_equal",
    "arg_max",
    "arg_min",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "betainc",
    "bincount",
    "ceil",
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "confusion_matrix",
    "conj",
    "cos",
    "cosh",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_logsumexp",
    "digamma",
    "div",
    "divide",
    "divide_no_nan",
    "einsum",
    "equal",
    "erf",
    "erfc",
    "erfcinv",
    "erfinv",
    "exp",
    "expm1",
    "floor",
    "floordiv",
    "floormod",
    "global_norm",
    "greater",
    "greater_equal",
    "igamma",
    "igammac",
    "imag",
    "in_top_k",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_non_decreasing",
    "is_strictly_increasing",
    "l2_normalize",
    "lbeta",
    "less",
    "less_equal",
    "lgamma",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "matvec",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "multiply_no_nan",
    "ndtri",
    "negative",
    "nextafter",
    "norm",
    "not_equal",
    "polygamma",
    "polyval",
    "pow",
    "real",
    "realdiv",
    "reciprocal",
    "reciprocal_no_nan",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "rint",
    "round",
    "rsqrt",
    "scalar_mul",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "softsign",
    "sparse_segment_mean",
    "sparse_segment_sqrt_n",
    "sparse_segment_sum",
    "special",
    "sqrt",
    "square",
    "squared_difference",
    "subtract",
    "tan",
    "tanh",
    "tensordot",
    "to_bfloat16",
    "to_complex64",
    "to_complex128",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
    "top_k",
    "truediv",
    "truncatediv",
    "truncatemod",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
    "xdivy",
    "xlog1py",
    "xlogy",
    "zero_fraction",
    "zeta",
]


def _reduction(name: str) -> Callable[..., Any]:
    def reduce(
        input_tensor: Any,
        axis: Any = None,
        keepdims: Any = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Any:
        """Reduce over axes; ``reduction_indices`` and ``keep_dims`` are older names of ``axis`` and ``keepdims``."""
        over = renamed("axis", axis, "reduction_indices", reduction_indices)
        keep = renamed("keepdims", keepdims, "keep_dims", keep_dims, False)
        return getattr(two, which)(input_tensor, over, keep, name)

    which = name
    reduce.__name__ = reduce.__qualname__ = name
    return reduce


reduce_sum = _reduction("reduce_sum")
reduce_mean = _reduction("reduce_mean")
reduce_max = _reduction("reduce_max")
reduce_min = _reduction("reduce_min")
reduce_prod = _reduction("reduce_prod")
reduce_all = _reduction("reduce_all")
reduce_any = _reduction("reduce_any")
reduce_logsumexp = _reduction("reduce_logsumexp")


def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: Any = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: Any = None,
    input: Any = None,
) -> Any:
    """Return how many elements are not zero, over axes."""
    x = renamed("input", input, "input_tensor", input_tensor)
    over = renamed("axis", axis, "reduction_indices", reduction_indices)
    return two.count_nonzero(x, over, renamed("keepdims", keepdims, "keep_dims", keep_dims, False), dtype, name)


def argmax(input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64) -> Any:
    """Return the index of the greatest element along an axis (the first)."""
    return two.argmax(input, renamed("axis", axis, "dimension", dimension, 0), output_type, name)


def argmin(input: Any, axis: Any = None, name: str | None = None, dimension: Any = None, output_type: Any = dtypes.int64) -> Any:
    """Return the index of the least element along an axis (the first)."""
    return two.argmin(input, renamed("axis", axis, "dimension", dimension, 0), output_type, name)


def arg_max(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Any:
    """Return the index of the greatest element along an axis."""
    return two.argmax(input, dimension, output_type, name)


def arg_min(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Any:
    """Return the index of the least element along an axis."""
    return two.argmin(input, dimension, output_type, name)


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: str | None = None, keep_dims: Any = None
) -> Any:
    """Return a norm of vectors or matrices."""
    return linalg.norm(tensor, ord, axis, renamed("keepdims", keepdims, "keep_dims", keep_dims, False), name)


def div(x: Any, y: Any, name: str | None = None) -> Any:
    """Divide as Python 2 did: integers are rounded down."""
    x = x._as_tensor() if hasattr(x, "_as_tensor") else x
    y = y._as_tensor() if hasattr(y, "_as_tensor") else y
    a = x if isinstance(x, Tensor) else convert(x, like=y if isinstance(y, Tensor) else None)
    return two.floordiv(a, y, name) if a.dtype.is_integer else two.divide(a, y, name)


def _to(dtype: Any) -> Callable[..., Any]:
    def to(x: Any, name: str = "Cast") -> Any:
        """Convert to the dtype of the function's name."""
        return array.cast(x, dtype, name)

    to.__name__ = to.__qualname__ = f"to_{dtype.name}"
    return to


to_float, to_double = _to(dtypes.float32), _to(dtypes.float64)
to_int32, to_int64 = _to(dtypes.int32), _to(dtypes.int64)
to_complex64, to_complex128 = _to(dtypes.complex64), _to(dtypes.complex128)


def to_bfloat16(x: Any, name: str = "ToBFloat16") -> Any:
    """Refuse: NumPy has no bfloat16."""
    raise NotImplementedError("to_bfloat16: there is no bfloat16 here; float16 is the nearest.")


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """Return exp(x) over its sum along an axis (the last)."""
    from wengert.functions import nn

    return nn.softmax(logits, renamed("axis", axis, "dim", dim, -1), name)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """Return the logarithm of softmax."""
    from wengert.functions import nn

    return nn.log_softmax(logits, renamed("axis", axis, "dim", dim, -1), name)


def _sparse(name: str) -> Callable[..., Any]:
    def segments(data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None) -> Any:
        """Reduce chosen rows of data over segments."""
        rows = array.gather(data, indices)
        if num_segments is None:
            return getattr(two, sorted_one)(rows, segment_ids)
        return getattr(two, f"unsorted_{sorted_one}")(rows, segment_ids, num_segments)

    sorted_one = name.removeprefix("sparse_")
    segments.__name__ = segments.__qualname__ = name
    return segments


sparse_segment_sum = _sparse("sparse_segment_sum")
sparse_segment_mean = _sparse("sparse_segment_mean")


def sparse_segment_sqrt_n(data: Any, indices: Any, segment_ids: Any, name: str | None = None, num_segments: Any = None) -> Any:
    """Return sums of chosen rows of data over segments, over the square root of the number of rows."""
    rows = array.gather(data, indices)
    n = num_segments
    if n is None:
        ids = array._indices(segment_ids, "segment_ids")
        value = array.get_static_value(ids)
        n = two._number_of_segments(ids if value is None else EagerTensor(value))
    return two.unsorted_segment_sqrt_n(rows, segment_ids, n)
