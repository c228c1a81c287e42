"""The linalg extension of the array API standard, by the operations that `tf.linalg` has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import linalg
from wengert.functions import math as elementary
from wengert.functions.numpy import arrangement as shaping
from wengert.functions.numpy import products, reduction
from wengert.functions.numpy.promotion import asarray, dtype_of, floating, together
from wengert.ground.dtypes import DtypeLike
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot",
    "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """What `svd` returns: A = U diag(S) Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


# --- products ---------------------------------------------------------------------------------------------------------


def matmul(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the product of matrices, or stacks of them; a vector is a row on the left, a column on the right."""
    return products.matmul(x1, x2)  # type: ignore[no-any-return]


def matrix_transpose(x: TensorLike, /) -> Tensor:
    """Return matrices with rows and columns exchanged.

    Raises:
        ValueError: for less than two axes.
    """
    return linalg.matrix_transpose(asarray(x))  # type: ignore[no-any-return]


def tensordot(x1: TensorLike, x2: TensorLike, /, *, axes: int | Sequence[Sequence[int]] = 2) -> Tensor:
    """Return the sum of products over so many axes, the last of x1 and the first of x2, or over those named for each."""
    return products.tensordot(x1, x2, axes)  # type: ignore[no-any-return]


def vecdot(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return the sum of products along an axis, the elements of x1 conjugated.

    Raises:
        ValueError: where the sizes along the axis differ.

    >>> vecdot([1.0, 2.0], [3.0, 4.0]).numpy()
    np.float64(11.0)
    """
    a, b = together(x1, x2)
    if a.sizes[axis] != b.sizes[axis]:
        raise ValueError(f"vecdot: the vectors have {a.sizes[axis]} and {b.sizes[axis]} elements.")
    return elementary.reduce_sum(elementary.conj(a) * b, axis)  # type: ignore[no-any-return]


def outer(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the products of each element of a vector and each of another, as a matrix."""
    a, b = together(x1, x2)
    if len(a.sizes) != 1 or len(b.sizes) != 1:
        raise ValueError(f"outer takes two vectors, not shapes {a.shape} and {b.shape}.")
    return products.outer(a, b)  # type: ignore[no-any-return]


def cross(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return the vector product of vectors of three components.

    Raises:
        ValueError: for another number of components.
    """
    a, b = together(x1, x2)
    if a.sizes[axis] != 3 or b.sizes[axis] != 3:
        raise ValueError(f"cross takes vectors of 3 components, and these have {a.sizes[axis]} and {b.sizes[axis]}.")
    return products.cross(a, b, axis=axis)  # type: ignore[no-any-return]


def matrix_power(x: TensorLike, n: int, /) -> Tensor:
    """Return square matrices to the power of an integer: by squaring, of a negative one by the inverse.

    >>> matrix_power([[2.0, 0.0], [0.0, 3.0]], 3).numpy().tolist()
    [[8.0, 0.0], [0.0, 27.0]]
    """
    t: Tensor = asarray(x)
    base: Tensor = linalg.inv(t) if n < 0 else t
    found = None
    for bit in reversed(bin(abs(n))[2:]):
        if bit == "1":
            found = base if found is None else matmul(found, base)
        base = matmul(base, base)
    if found is not None:
        return found
    one = linalg.diag(arrangement.ones([t.sizes[-1]], t.dtype))
    return arrangement.broadcast_to(one, arrangement.shape(t))  # type: ignore[no-any-return]


# --- diagonals --------------------------------------------------------------------------------------------------------


def diagonal(x: TensorLike, /, *, offset: int = 0) -> Tensor:
    """Return the elements on a diagonal of matrices, as the last axis."""
    return shaping.diagonal(x, offset, -2, -1)  # type: ignore[no-any-return]


def trace(x: TensorLike, /, *, offset: int = 0, dtype: DtypeLike | None = None) -> Tensor:
    """Return the sum of a diagonal of matrices; integers are added as 64-bit ones."""
    return reduction.sum(diagonal(x, offset=offset), -1, None if dtype is None else dtype_of(dtype))  # type: ignore[no-any-return]


# --- equations and determinants ---------------------------------------------------------------------------------------


def inv(x: TensorLike, /) -> Tensor:
    """Return the inverses of square matrices.

    Raises:
        ValueError: for a singular one.
    """
    return linalg.inv(floating(x))  # type: ignore[no-any-return]


def pinv(x: TensorLike, /, *, rtol: TensorLike | None = None) -> Tensor:
    """Return the pseudo-inverses; singular values up to rtol times the greatest count as zero (default: max(m, n) eps)."""
    t = floating(x)
    if rtol is None or isinstance(rtol, int | float):
        return linalg.pinv(t, _tolerance(t) if rtol is None else rtol)  # type: ignore[no-any-return]
    u, s, vh = svd(t, full_matrices=False)
    bound = elementary.reduce_max(s, -1) * asarray(rtol, s.dtype)
    kept = elementary.greater(s, arrangement.expand_dims(bound, -1))
    inverse = arrangement.where(kept, 1.0 / arrangement.where(kept, s, arrangement.ones_like(s)), arrangement.zeros_like(s))
    scaled = linalg.adjoint(vh) * arrangement.cast(arrangement.expand_dims(inverse, -2), t.dtype)
    return elementary.matmul(scaled, linalg.adjoint(u))  # type: ignore[no-any-return]


def _tolerance(x: Tensor) -> float:
    eps: float = float(np.finfo(x.nptype).eps) * max(x.sizes[-2:])
    return eps


def solve(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return what square matrices x1 take to x2: a vector, if it has one axis, or stacks of matrices of columns.

    Raises:
        ValueError: for a singular matrix.

    >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).numpy().tolist()
    [1.0, 0.5]
    """
    a, b = floating(x1, x2)
    vector = len(b.sizes) == 1
    b = arrangement.expand_dims(b, -1) if vector else b
    batch = np.broadcast_shapes(a.sizes[:-2], b.sizes[:-2])
    a, b = (arrangement.broadcast_to(t, (*batch, *t.sizes[-2:])) for t in (a, b))
    found = linalg.solve(a, b)
    return arrangement.squeeze(found, -1) if vector else found  # type: ignore[no-any-return]


def det(x: TensorLike, /) -> Tensor:
    """Return the determinants of square matrices."""
    return linalg.det(floating(x))  # type: ignore[no-any-return]


def slogdet(x: TensorLike, /) -> SlogdetResult:
    """Return the signs (or phases) of determinants, and the logarithms of their absolute values."""
    return SlogdetResult(*linalg.slogdet(floating(x)))


# --- decompositions ---------------------------------------------------------------------------------------------------


def cholesky(x: TensorLike, /, *, upper: bool = False) -> Tensor:
    """Return lower triangular L with A = L Lᴴ of Hermitian positive definite matrices; or its adjoint.

    Raises:
        ValueError: for a matrix that is not positive definite.
    """
    t = floating(x)
    factor = linalg.cholesky(linalg.adjoint(t) if upper else t)
    return linalg.adjoint(factor) if upper else factor  # type: ignore[no-any-return]


def eigh(x: TensorLike, /) -> EighResult:
    """Return the eigenvalues, ascending, and eigenvectors (columns) of Hermitian matrices, of which the lower triangle is read.

    Derivatives of the vectors suppose that the eigenvalues differ.
    """
    return EighResult(*linalg.eigh(floating(x)))


def eigvalsh(x: TensorLike, /) -> Tensor:
    """Return the eigenvalues, ascending, of Hermitian matrices."""
    return eigh(x).eigenvalues


def qr(x: TensorLike, /, *, mode: str = "reduced") -> QRResult:
    """Return Q with orthonormal columns and upper triangular R with A = Q R; "complete": with a square Q.

    Raises:
        ValueError: for another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode is 'reduced' or 'complete', not {mode!r}.")
    return QRResult(*linalg.qr(floating(x), mode == "complete"))


def svd(x: TensorLike, /, *, full_matrices: bool = True) -> SVDResult:
    """Return U, S, Vh with A = U diag(S) Vh, S descending.

    Derivatives of U and Vh are those of real matrices with ``full_matrices=False``, and suppose that the values differ.
    """
    s, u, v = linalg.svd(floating(x), full_matrices)
    return SVDResult(u, s, linalg.adjoint(v))


def svdvals(x: TensorLike, /) -> Tensor:
    """Return the singular values, descending."""
    return linalg.svd(floating(x), compute_uv=False)  # type: ignore[no-any-return]


def matrix_rank(x: TensorLike, /, *, rtol: TensorLike | None = None) -> Tensor:
    """Return the numbers of singular values above rtol times the greatest (default: max(m, n) eps).

    >>> matrix_rank([[1.0, 1.0], [1.0, 1.0]]).numpy()
    np.int64(1)
    """
    t = floating(x)
    s = svdvals(t)
    bound = asarray(_tolerance(t) if rtol is None else rtol, s.dtype)
    greatest = elementary.reduce_max(s, -1) if s.sizes[-1] else arrangement.zeros(s.sizes[:-1], s.dtype)
    return elementary.count_nonzero(s > arrangement.expand_dims(greatest * bound, -1), -1)  # type: ignore[no-any-return]


# --- norms ------------------------------------------------------------------------------------------------------------


def matrix_norm(x: TensorLike, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """Return norms of matrices: "fro" (root of the sum of squares), "nuc" (sum of singular values), 1, 2, inf, and negative.

    Raises:
        ValueError: for another ord.
    """
    t = floating(x)
    if ord in ("fro", None):
        return linalg.norm(t, "fro", [-2, -1], keepdims)  # type: ignore[no-any-return]
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ValueError(f"matrix_norm: ord is 'fro', 'nuc', 1, 2, inf or one of these negative, not {ord!r}.")
    extreme = elementary.reduce_max if ord == "nuc" or float(ord) > 0 else elementary.reduce_min
    if ord in ("nuc", 2, -2):
        s = svdvals(t)
        found = elementary.reduce_sum(s, -1, True) if ord == "nuc" else extreme(s, -1, True)
        found = arrangement.expand_dims(found, -1)
    else:
        added, compared = (-2, -1) if ord in (1, -1) else (-1, -2)
        found = extreme(elementary.reduce_sum(elementary.abs(t), added, True), compared, True)
    return found if keepdims else arrangement.squeeze(found, [-2, -1])  # type: ignore[no-any-return]


def vector_norm(x: TensorLike, /, *, axis: AxisLike | None = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """Return norms of vectors along axes, by default of all elements: (Σ |x|^ord)^(1/ord).

    ``ord``: inf and -inf give the extremes of |x|, 0 how many elements are not 0.

    >>> vector_norm([3.0, 4.0]).numpy()
    np.float64(5.0)
    """
    t = floating(x)
    size = elementary.abs(t)
    if ord == 0:
        return arrangement.cast(elementary.count_nonzero(size, axis, keepdims), size.dtype)  # type: ignore[no-any-return]
    if math.isinf(ord):
        return (elementary.reduce_max if ord > 0 else elementary.reduce_min)(size, axis, keepdims)  # type: ignore[no-any-return]
    if ord == 1:
        return elementary.reduce_sum(size, axis, keepdims)  # type: ignore[no-any-return]
    if ord == 2:
        return elementary.sqrt(elementary.reduce_sum(linalg.squared(t), axis, keepdims))  # type: ignore[no-any-return]
    return elementary.reduce_sum(size ** float(ord), axis, keepdims) ** (1.0 / float(ord))  # type: ignore[no-any-return]
