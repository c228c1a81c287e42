"""``keras.ops``: functions of tensors by NumPy's names, each of them one of TensorFlow's."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import control
from wengert.functions import array, linalg, nn
from wengert.functions import math as elementary
from wengert.functions.math import floordiv
from wengert.keras.configuration import standardize_dtype
from wengert.ops.elementwise import LOGADDEXP
from wengert.tensor import apply

arccos, arcsin, arctan, arctan2 = elementary.acos, elementary.asin, elementary.atan, elementary.atan2
arccosh, arcsinh, arctanh = elementary.acosh, elementary.asinh, elementary.atanh
absolute, power, mod, true_divide, floor_divide = elementary.abs, elementary.pow, elementary.mod, elementary.truediv, floordiv
isnan, isfinite, isinf = elementary.is_nan, elementary.is_finite, elementary.is_inf
divide_no_nan, conj, real, imag, angle = (
    elementary.divide_no_nan, elementary.conj, elementary.real, elementary.imag, elementary.angle)  # fmt: skip
digamma, cumsum, cumprod = elementary.digamma, elementary.cumsum, elementary.cumprod


# The names that NumPy and TensorFlow share.
_SHARED = {
    elementary: (
        "abs add cast cbrt ceil cos cosh count_nonzero divide einsum equal erf erfc erfinv exp expm1 floor greater "
        "greater_equal less less_equal log  log1p log_sigmoid log_softmax logical_and logical_not logical_or "
        "logical_xor matmul maximum minimum multiply negative not_equal reciprocal round rsqrt segment_max segment_sum "
        "sigmoid sign sin sinh softmax softplus softsign sqrt square subtract tan tanh tensordot top_k"
    ),
    array: (
        "argsort broadcast_to convert_to_tensor expand_dims is_tensor linspace meshgrid ones_like repeat reshape roll "
        "searchsorted slice sort  squeeze stack stop_gradient tile unstack where zeros_like"
    ),
    nn: ("elu gelu leaky_relu relu relu6 selu silu"),
    linalg: ("cholesky cross det eig eigh inv logdet lstsq pinv qr slogdet solve svd trace"),
}
globals().update({name: getattr(module, name) for module, names in _SHARED.items() for name in names.split()})


def _reduction(function: Callable[..., Any], name: str, what: str) -> Callable[..., Any]:
    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return function(x, axis=axis, keepdims=keepdims)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"Return the {what} along axes."
    return reduce


sum = _reduction(elementary.reduce_sum, "sum", "sum")
mean = _reduction(elementary.reduce_mean, "mean", "mean")
max = _reduction(elementary.reduce_max, "max", "greatest element")
min = _reduction(elementary.reduce_min, "min", "least element")
prod = _reduction(elementary.reduce_prod, "prod", "product")
var = _reduction(elementary.reduce_variance, "var", "variance")
std = _reduction(elementary.reduce_std, "std", "standard deviation")
all = _reduction(elementary.reduce_all, "all", "logical and")
any = _reduction(elementary.reduce_any, "any", "logical or")
logsumexp = _reduction(elementary.reduce_logsumexp, "logsumexp", "logarithm of the sum of exponentials")
amax, amin = max, min


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return zeros, of `floatx` by default.

    >>> zeros((2,)).numpy()
    array([0., 0.], dtype=float32)
    """
    return array.zeros(shape, standardize_dtype(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return ones, of `floatx` by default."""
    return array.ones(shape, standardize_dtype(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return one value throughout."""
    return array.cast(array.fill(shape, fill_value), standardize_dtype(dtype))


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return one value throughout, in the shape of x."""
    ones = array.ones_like(x, dtype=dtype)
    return ones * array.cast(fill_value, ones.dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones on its k-th diagonal."""
    return array.convert_to_tensor(np.eye(N, M, k), dtype=standardize_dtype(dtype))


def identity(n: int, dtype: Any = None) -> Any:
    """Return the identity matrix."""
    return eye(n, dtype=dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Return numbers at equal distances."""
    start, stop = (0, start) if stop is None else (start, stop)
    found = array.range(start, stop, step)
    return found if dtype is None else array.cast(found, dtype)


def shape(x: Any) -> Any:
    """Return the shape as a tuple, with a tensor for each size that is not known."""
    t = array.convert_to_tensor(x)
    sizes = t.sizes
    if sizes is None:
        raise ValueError("keras.ops.shape: the number of axes is not known.")
    return tuple(array.shape(t)[i] if s is None else s for i, s in enumerate(sizes))


def ndim(x: Any) -> Any:
    """Return the number of axes."""
    return array.convert_to_tensor(x).ndim


def size(x: Any) -> Any:
    """Return the number of elements."""
    return array.size(x)


def dtype(x: Any) -> str:
    """Return the dtype's name."""
    return str(array.convert_to_tensor(x).dtype.name)


def convert_to_numpy(x: Any) -> Any:
    """Return a NumPy array."""
    return np.asarray(x)


def concatenate(xs: Any, axis: int = 0) -> Any:
    """Return tensors beside each other along an axis."""
    return array.concat(xs, axis)


def hstack(xs: Any) -> Any:
    """Return tensors beside each other along the second axis, vectors along the first."""
    return array.concat(xs, 0 if len(array.convert_to_tensor(xs[0]).shape) == 1 else 1)


def vstack(xs: Any) -> Any:
    """Return tensors below each other, vectors as rows."""
    rows = [array.convert_to_tensor(x) for x in xs]
    return array.concat([array.expand_dims(r, 0) if len(r.shape) == 1 else r for r in rows], 0)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Return x in equal parts, or cut at places."""
    if isinstance(indices_or_sections, int):
        return array.split(x, indices_or_sections, axis)
    t = array.convert_to_tensor(x)
    places = [0, *(int(i) for i in indices_or_sections), t.shape[axis]]
    return array.split(t, [b - a for a, b in itertools.pairwise(places)], axis)


def transpose(x: Any, axes: Any = None) -> Any:
    """Return the axes in another order, reversed by default."""
    return array.transpose(x, axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return x with two axes swapped."""
    t = array.convert_to_tensor(x)
    order = list(range(len(t.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return array.transpose(t, order)


def moveaxis(x: Any, source: int, destination: int) -> Any:
    """Return x with an axis moved."""
    t = array.convert_to_tensor(x)
    order = list(range(len(t.shape)))
    order.insert(destination % len(order), order.pop(source))
    return array.transpose(t, order)


def ravel(x: Any) -> Any:
    """Return x as one axis."""
    return array.reshape(x, [-1])


def flip(x: Any, axis: Any = None) -> Any:
    """Return x reversed along an axis, along all by default."""
    t = array.convert_to_tensor(x)
    return array.reverse(t, list(range(len(t.shape))) if axis is None else [axis] if isinstance(axis, int) else axis)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return elements by their places along an axis, of all elements in a row by default."""
    return array.gather(ravel(x), indices) if axis is None else array.gather(x, indices, axis=axis)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return x kept within limits."""
    return elementary.clip_by_value(x, x_min, x_max)


def dot(x1: Any, x2: Any) -> Any:
    """Return the product over the last axis of x1 and the last but one of x2."""
    a, b = array.convert_to_tensor(x1), array.convert_to_tensor(x2)
    if not a.shape.rank or not b.shape.rank:
        return a * b
    return elementary.tensordot(a, b, [[len(a.shape) - 1], [len(b.shape) - 2 if len(b.shape) > 1 else 0]])


def outer(x1: Any, x2: Any) -> Any:
    """Return all products of an element of x1 with one of x2."""
    return array.reshape(x1, [-1, 1]) * array.reshape(x2, [1, -1])


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return a norm along axes, the Euclidean one by default."""
    return linalg.norm(x, "euclidean" if ord is None else ord, axis, keepdims)


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return where the greatest element stands."""
    return _place(elementary.argmax, x, axis, keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return where the least element stands."""
    return _place(elementary.argmin, x, axis, keepdims)


def _place(function: Callable[..., Any], x: Any, axis: Any, keepdims: bool) -> Any:
    if axis is None:
        return function(ravel(x), 0)
    found = array.cast(function(x, axis), "int32")
    return array.expand_dims(found, axis) if keepdims else found


def log2(x: Any) -> Any:
    """Return the logarithm to base 2."""
    return elementary.log(x) / float(np.log(2.0))


def log10(x: Any) -> Any:
    """Return the logarithm to base 10."""
    return elementary.log(x) / float(np.log(10.0))


def logaddexp(x1: Any, x2: Any) -> Any:
    """Return log(exp(x1) + exp(x2))."""
    return apply(LOGADDEXP, elementary.operands(LOGADDEXP, x1, x2))


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Return whole numbers as rows with a 1 in them."""
    return array.one_hot(x, num_classes, axis=axis, dtype=standardize_dtype(dtype))


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """Return x with more elements before and after along each axis."""
    return array.pad(x, pad_width, mode, constant_values)


def diag(x: Any, k: int = 0) -> Any:
    """Return a matrix with a vector on its diagonal, or the diagonal of a matrix."""
    t = array.convert_to_tensor(x)
    return linalg.diag(t, k=k) if len(t.shape) == 1 else linalg.diag_part(t, k=k)


def tril(x: Any, k: int = 0) -> Any:
    """Return a matrix with zeros above its k-th diagonal."""
    t = array.convert_to_tensor(x)
    return t * array.cast(np.tri(t.shape[-2], t.shape[-1], k), t.dtype)


def triu(x: Any, k: int = 0) -> Any:
    """Return a matrix with zeros below its k-th diagonal."""
    t = array.convert_to_tensor(x)
    return t * array.cast(1.0 - np.tri(t.shape[-2], t.shape[-1], k - 1), t.dtype)


def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Return mean and variance along axes."""
    return nn.moments(x, axes, keepdims=keepdims)


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return the value of one of two functions."""
    return control.cond(pred, true_fn, false_fn)


def while_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """Repeat a function while a condition holds."""
    return control.while_loop(cond, body, loop_vars, maximum_iterations=maximum_iterations)


def vectorized_map(function: Callable[..., Any], elements: Any) -> Any:
    """Return a function's values for all rows."""
    return control.vectorized_map(function, elements)


__all__ = sorted(
    name
    for name, value in list(globals().items())
    if not name.startswith("_") and callable(value) and name not in ("Any", "Callable", "annotations", "standardize_dtype")
)
