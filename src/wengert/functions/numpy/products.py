"""Products of `tf.experimental.numpy`: of matrices, vectors and all that is like them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions import array as arrangement
from wengert.functions import math as elementary
from wengert.functions.numpy.promotion import Binary, together
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["cross", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "vdot"]

# --- products ---------------------------------------------------------------------------------------------------------


def _product(function: Binary, a: TensorLike, b: TensorLike) -> Any:
    """Return a bilinear function of two values; of Booleans, whether a product is not 0."""
    x, y = together(a, b)
    if x.nptype.kind == "b":
        return arrangement.cast(function(arrangement.cast(x, "int32"), arrangement.cast(y, "int32")), "bool")
    return function(x, y)


def _matmul(a: Tensor, b: Tensor) -> Any:
    if not a.sizes or not b.sizes:
        raise ValueError("matmul takes vectors and matrices, not scalars: use multiply.")
    left, right = len(a.sizes) == 1, len(b.sizes) == 1
    found = elementary.matmul(arrangement.expand_dims(a, 0) if left else a, arrangement.expand_dims(b, 1) if right else b)
    found = arrangement.squeeze(found, -1) if right else found
    return arrangement.squeeze(found, -1 if right else -2) if left else found


def matmul(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the product of matrices, or stacks of them; a vector is a row on the left, a column on the right."""
    return _product(_matmul, x1, x2)


def tensordot(a: TensorLike, b: TensorLike, axes: int | Sequence[int | Sequence[int]] = 2) -> Any:
    """Return the sum of products over so many axes, the last of a and the first of b, or over those named for each."""
    if not isinstance(axes, int):
        axes = [[i] if isinstance(i, int) else list(i) for i in axes]
    return _product(lambda x, y: elementary.tensordot(x, y, axes), a, b)


def einsum(subscripts: str, *operands: TensorLike, casting: str = "safe", optimize: bool = False) -> Any:
    """Return the sum of products that Einstein's notation says."""
    return elementary.einsum(subscripts, *together(*operands))


def dot(a: TensorLike, b: TensorLike) -> Any:
    """Return the sum of products over the last axis of a and the last but one of b; with a scalar, the product."""
    x, y = together(a, b)
    if not x.sizes or not y.sizes:
        return _product(elementary.multiply, x, y)
    return tensordot(x, y, [[-1], [-2 if len(y.sizes) > 1 else -1]])


def inner(a: TensorLike, b: TensorLike) -> Any:
    """Return the sum of products over the last axes; with a scalar, the product."""
    x, y = together(a, b)
    if not x.sizes or not y.sizes:
        return _product(elementary.multiply, x, y)
    return tensordot(x, y, [[-1], [-1]])


def outer(a: TensorLike, b: TensorLike) -> Any:
    """Return the products of each element of a and each of b, as a matrix."""
    x, y = (arrangement.reshape(t, [-1]) for t in together(a, b))
    return _product(elementary.multiply, arrangement.expand_dims(x, 1), arrangement.expand_dims(y, 0))


def vdot(a: TensorLike, b: TensorLike) -> Any:
    """Return the sum of products of all elements, those of a conjugated."""
    x, y = (arrangement.reshape(t, [-1]) for t in together(a, b))
    return dot(elementary.conj(x) if x.nptype.kind == "c" else x, y)


def kron(a: TensorLike, b: TensorLike) -> Any:
    """Return the Kronecker product: b in place of each element of a, times that element.

    >>> kron([1, 2], [3, 4]).numpy().tolist()
    [3, 4, 6, 8]
    """
    x, y = together(a, b)
    rank = max(len(x.sizes), len(y.sizes))
    one, other = ([*[1] * (rank - len(t.sizes)), *t.sizes] for t in (x, y))
    left = arrangement.reshape(x, [size for s in one for size in (s, 1)])
    right = arrangement.reshape(y, [size for s in other for size in (1, s)])
    whole = [s * t for s, t in zip(one, other, strict=True)]
    return arrangement.reshape(_product(elementary.multiply, left, right), whole)


def cross(a: TensorLike, b: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Return the vector product of vectors of two or three components, a scalar where both are of two.

    >>> cross([1, 2, 3], [4, 5, 6]).numpy().tolist()
    [-3, 6, -3]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = together(a, b)
    n, m = x.sizes[axisa], y.sizes[axisb]
    if n not in (2, 3) or m not in (2, 3):
        raise ValueError(f"cross takes vectors of 2 or 3 components, and these have {n} and {m}.")
    u, v = arrangement.unstack(x, axis=axisa), arrangement.unstack(y, axis=axisb)
    last = u[0] * v[1] - u[1] * v[0]
    if n == m == 2:
        return last
    zero = arrangement.zeros_like(last)
    third, fourth = u[2] if n == 3 else zero, v[2] if m == 3 else zero
    return arrangement.stack([u[1] * fourth - third * v[1], third * v[0] - u[0] * fourth, last], axisc)
