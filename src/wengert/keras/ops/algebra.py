"""Products of vectors, matrices and tensors, and linear algebra; results in NumPy's order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, debugging, linalg, signal
from wengert.functions import math as elementary
from wengert.ground.shapes import axis_of
from wengert.keras.ops.arrangement import moveaxis, ravel, shape
from wengert.keras.ops.promotion import axes_of, floating, tensor, together
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike

__all__ = """
    cdist cholesky cholesky_inverse cross det dot eig eigh einsum fft fft2 ifft2 inner inv irfft kron logdet lstsq matmul
    matrix_rank norm outer pinv qr rfft slogdet solve solve_triangular svd tensordot vdot
""".split()


def _product(function: Callable[[Any, Any], Any], x1: TensorLike, x2: TensorLike) -> Any:
    """Return a bilinear function of two tensors in their one dtype; of Booleans, whether a product is not 0."""
    a, b = together(x1, x2)
    if a.nptype.kind == "b":
        return array.cast(function(array.cast(a, "int32"), array.cast(b, "int32")), "bool")
    return function(a, b)


def _matmul(a: Tensor, b: Tensor) -> Any:
    if not a.sizes or not b.sizes:
        raise ValueError("matmul takes vectors and matrices, not scalars: use multiply.")
    if len(a.sizes) > 1 and len(b.sizes) > 1:
        return elementary.matmul(a, b)
    if len(b.sizes) == 1:
        row = len(a.sizes) == 1
        found = array.squeeze(elementary.matmul(array.expand_dims(a, 0) if row else a, array.expand_dims(b, 1)), -1)
        return array.squeeze(found, 0) if row else found
    return array.squeeze(elementary.matmul(array.expand_dims(a, 0), b), -2)


def matmul(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the product of matrices, or stacks of them; a vector is a row on the left, a column on the right.

    >>> matmul(np.ones((2, 3), "float32"), np.ones(3, "float32")).numpy()
    array([3., 3.], dtype=float32)
    """
    a, b = tensor(x1), tensor(x2)
    if a.nptype == b.nptype == np.int8:
        a, b = array.cast(a, "int32"), array.cast(b, "int32")
    return _product(_matmul, a, b)


def _dot(a: Tensor, b: Tensor) -> Any:
    if not a.sizes or not b.sizes:
        return a * b
    return elementary.tensordot(a, b, [[len(a.sizes) - 1], [max(len(b.sizes) - 2, 0)]])


def dot(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the product over the last axis of x1 and the last but one of x2."""
    return _product(_dot, x1, x2)


def _inner(a: Tensor, b: Tensor) -> Any:
    if not a.sizes or not b.sizes:
        return a * b
    return elementary.tensordot(a, b, [[len(a.sizes) - 1], [len(b.sizes) - 1]])


def inner(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the product over the last axes of both."""
    return _product(_inner, x1, x2)


def vdot(x1: TensorLike, x2: TensorLike) -> Any:
    """Return the sum of the products of all elements, the first ones conjugated."""
    return _product(lambda a, b: _inner(elementary.conj(ravel(a)), ravel(b)), x1, x2)


def outer(x1: TensorLike, x2: TensorLike) -> Any:
    """Return all products of an element of x1 with one of x2."""
    return _product(lambda a, b: array.reshape(a, [-1, 1]) * array.reshape(b, [1, -1]), x1, x2)


def kron(x1: TensorLike, x2: TensorLike) -> Any:
    """Return Kronecker's product: x2 in the place of each element of x1, times it."""

    def blocks(a: Tensor, b: Tensor) -> Any:
        rank = max(len(a.sizes), len(b.sizes))
        a, b = (array.reshape(t, [*[1] * (rank - len(t.sizes)), *shape(t)]) for t in (a, b))
        sizes = [m * n for m, n in zip(shape(a), shape(b), strict=True)]
        for axis in range(rank):
            a, b = array.expand_dims(a, 2 * axis + 1), array.expand_dims(b, 2 * axis)
        return array.reshape(a * b, sizes)

    return _product(blocks, x1, x2)


def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[int | Sequence[int]] = 2) -> Any:
    """Return the sum of products over so many axes, the last of x1 and the first of x2, or over those named for each."""
    if not isinstance(axes, int):
        axes = [[a] if isinstance(a, int) else list(a) for a in axes]
    return _product(lambda a, b: elementary.tensordot(a, b, axes), x1, x2)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Return the sum of products that Einstein's notation says.

    >>> einsum("ij,j->i", [[1, 2], [3, 4]], [1, 1]).numpy().tolist()
    [3, 7]
    """
    made = [tensor(x) for x in operands]
    if all(t.nptype == np.int8 for t in made):
        made = [array.cast(t, "int32") for t in made]
    return elementary.einsum(subscripts, *together(*made))


def cross(x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Return the cross product of vectors of two or three elements along axes; of two vectors of two, its third element."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = together(x1, x2)
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    flat = a.sizes[-1] == b.sizes[-1] == 2
    a, b = (array.pad(t, [*[[0, 0]] * (len(t.sizes) - 1), [0, 1]]) if t.sizes[-1] == 2 else t for t in (a, b))
    if any(t.sizes[-1] != 3 for t in (a, b)):
        raise ValueError(
            f"cross takes vectors of two or three elements, a number known at once, not {a.sizes[-1]} and {b.sizes[-1]}."
        )
    found = linalg.cross(a, b)
    return found[..., 2] if flat else moveaxis(found, -1, axisc)


# --- equations and factors --------------------------------------------------------------------------------------------


def det(x: TensorLike) -> Any:
    """Return the determinant of matrices."""
    return linalg.det(floating(x))


def slogdet(x: TensorLike) -> tuple[Any, Any]:
    """Return the determinant's sign, and the logarithm of its absolute value."""
    sign, logarithm = linalg.slogdet(floating(x))
    return sign, logarithm


def logdet(x: TensorLike) -> Any:
    """Return the logarithm of the determinant of positive definite matrices."""
    return linalg.logdet(floating(x))


def inv(x: TensorLike) -> Any:
    """Return the inverse of matrices."""
    return linalg.inv(floating(x))


def pinv(x: TensorLike, rcond: Any = None) -> Any:
    """Return the pseudo-inverse of matrices."""
    return linalg.pinv(floating(x), rcond)


def matrix_rank(x: TensorLike, tol: TensorLike | None = None) -> Any:
    """Return the number of singular values above a limit."""
    return linalg.matrix_rank(floating(x), tol)


def _with_columns(function: Callable[[Any, Any], Any], a: TensorLike, b: TensorLike) -> Any:
    """Return a function of matrices, or of matrices and vectors, which become columns."""
    a, b = (floating(t) for t in together(a, b))
    if len(b.sizes) == len(a.sizes) - 1:
        return array.squeeze(function(a, array.expand_dims(b, -1)), -1)
    return function(a, b)


def solve(a: TensorLike, b: TensorLike) -> Any:
    """Return x with a x = b."""
    return _with_columns(linalg.solve, a, b)


def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Any:
    """Return x with a x = b, for triangular matrices: upper ones by default."""
    return _with_columns(lambda a, b: linalg.triangular_solve(a, b, lower=lower), a, b)


def lstsq(a: TensorLike, b: TensorLike, rcond: Any = None) -> Any:
    """Return x with the least sum of |b - a x|², of these the shortest; singular values below rcond times the greatest are 0."""
    made = tensor(a)
    limit = float(np.finfo(floating(made).nptype).eps) * max(made.sizes) if rcond is None else rcond
    return _with_columns(lambda a, b: elementary.matmul(linalg.pinv(a, limit), b), a, b)


def cholesky(x: TensorLike, upper: bool = False) -> Any:
    """Return the lower triangular L with x = L Lᴴ, or Lᴴ.

    Raises:
        InvalidArgumentError: (a ValueError) for a matrix that is not positive definite.
    """
    factor = debugging.check_numerics(linalg.cholesky(floating(x)), "Cholesky")
    return linalg.adjoint(factor) if upper else factor


def cholesky_inverse(x: TensorLike, upper: bool = False) -> Any:
    """Return the inverse of the matrix that has this factor of Cholesky's."""
    factor = floating(x)
    one = array.eye(array.shape(factor)[-1], dtype=factor.dtype)
    half = linalg.triangular_solve(factor, one, lower=not upper)
    return elementary.matmul(half, half, transpose_b=True) if upper else elementary.matmul(half, half, transpose_a=True)


def qr(x: TensorLike, mode: str = "reduced") -> tuple[Any, Any]:
    """Return q with orthonormal columns and upper triangular r with x = q r; `mode`: "reduced" or "complete".

    Raises:
        ValueError: for another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: the mode is 'reduced' or 'complete', not {mode!r}.")
    q, r = linalg.qr(floating(x), full_matrices=mode == "complete")
    return q, r


def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return u, s, vh with x = u diag(s) vh, s descending; or s alone.

    >>> u, s, vh = svd([[0.0, 2.0], [1.0, 0.0]])
    >>> s.numpy().tolist()
    [2.0, 1.0]
    """
    x = floating(x)
    if not compute_uv:
        return linalg.svd(x, compute_uv=False)
    # Of a square matrix the full and the reduced factors are one, and the reduced ones have derivatives.
    square = x.sizes[-1] is not None and x.sizes[-1] == x.sizes[-2]
    s, u, v = linalg.svd(x, full_matrices and not square)
    return u, s, linalg.adjoint(v)


def eigh(x: TensorLike) -> tuple[Any, Any]:
    """Return the eigenvalues, rising, and eigenvectors (columns) of Hermitian matrices."""
    return linalg.eigh(floating(x))


def eig(x: TensorLike) -> tuple[Any, Any]:
    """Return the eigenvalues and eigenvectors (columns) of square matrices, both complex."""
    return linalg.eig(floating(x))


def norm(x: TensorLike, ord: TensorLike | None = None, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return a norm of vectors (one axis) or of matrices (two): the Euclidean one, of all elements for axis None.

    `ord`, of vectors: a number p for (Σ |x|ᵖ)^(1/p), ∞ and -∞ for the greatest and least |x|, 0 for how many are not 0;
    of matrices: "fro", "nuc", and 1, 2, ∞ and their negatives.

    Raises:
        ValueError: for another norm, or number of axes.
    """
    x = floating(x)
    rank = len(x.sizes)
    axes = list(range(rank)) if axis is None else [axis_of(a, rank) for a in axes_of(axis)]
    if ord is None and axis is None:
        return _euclidean(x, axes, keepdims)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError(f"norm: a norm is one of vectors or of matrices, along one axis or two, not {len(axes)}.")
    return _matrix_norm(x, ord, axes, keepdims)


def _euclidean(x: TensorLike, axes: list[int], keepdims: bool) -> Any:
    return linalg.norm(x, "euclidean", axes, keepdims) if 0 < len(axes) < 3 else elementary.sqrt(
        elementary.reduce_sum(elementary.square(elementary.abs(x)), axes, keepdims))  # fmt: skip


def _vector_norm(x: TensorLike, ord: Any, axes: list[int], keepdims: bool) -> Any:
    if ord is None or ord == 2:
        return _euclidean(x, axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm: {ord!r} is no norm of vectors.")
    size = elementary.abs(x)
    if ord in (math.inf, -math.inf):
        return (elementary.reduce_max if ord > 0 else elementary.reduce_min)(size, axes, keepdims)
    if ord == 0:
        return array.cast(elementary.count_nonzero(x, axes, keepdims), size.dtype)
    if ord == 1:
        return elementary.reduce_sum(size, axes, keepdims)
    return elementary.pow(elementary.reduce_sum(elementary.pow(size, ord), axes, keepdims), 1.0 / ord)


def _matrix_norm(x: TensorLike, ord: Any, axes: list[int], keepdims: bool) -> Any:
    if ord in (None, "fro"):
        return _euclidean(x, axes, keepdims)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ValueError(f"norm: {ord!r} is no norm of matrices.")
    y = moveaxis(x, axes, (-2, -1))
    if ord in ("nuc", 2, -2):
        parts = linalg.svd(y, compute_uv=False)
        join = {"nuc": elementary.reduce_sum, 2: elementary.reduce_max, -2: elementary.reduce_min}[ord]
    else:
        parts = elementary.reduce_sum(elementary.abs(y), -2 if ord in (1, -1) else -1)
        join = elementary.reduce_max if ord > 0 else elementary.reduce_min
    found = join(parts, -1)
    for a in sorted(axes) if keepdims else ():
        found = array.expand_dims(found, a)
    return found


def cdist(x: TensorLike, y: TensorLike) -> Any:
    """Return the distances of all rows of x from all rows of y."""
    a, b = (floating(t) for t in together(x, y))
    return linalg.norm(array.expand_dims(a, -2) - array.expand_dims(b, -3), axis=-1)


# --- Fourier ----------------------------------------------------------------------------------------------------------


def _complex(x: Sequence[TensorLike]) -> Any:
    parts = list(x)
    if len(parts) != 2:
        raise ValueError("Input `x` should be a tuple of two tensors: real and imaginary part.")
    real, imag = (floating(p) for p in together(*parts))
    return elementary.complex(real, imag)


def _parts(z: TensorLike) -> tuple[Any, Any]:
    return elementary.real(z), elementary.imag(z)


def fft(x: Sequence[TensorLike]) -> tuple[Any, Any]:
    """Return the discrete Fourier transform along the last axis, of complex numbers given as two tensors, as two tensors."""
    return _parts(signal.fft(_complex(x)))


def fft2(x: Sequence[TensorLike]) -> tuple[Any, Any]:
    """Return the discrete Fourier transform along the last two axes, of two tensors, as two."""
    return _parts(signal.fft2d(_complex(x)))


def ifft2(x: Sequence[TensorLike]) -> tuple[Any, Any]:
    """Return the inverse of `fft2`."""
    return _parts(signal.ifft2d(_complex(x)))


def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Any, Any]:
    """Return the half of the discrete Fourier transform of real numbers that says all, as two tensors."""
    return _parts(signal.rfft(floating(x), None if fft_length is None else [fft_length]))


def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Any:
    """Return the inverse of `rfft`."""
    return signal.irfft(_complex(x), None if fft_length is None else [fft_length])
