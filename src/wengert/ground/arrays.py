"""The array namespace that kernels are written against, over NumPy.

The array API standard's names come from NumPy itself. What the standard lacks sits here: special functions from
SciPy (imported when first used) and writing at an index. An adapter for another library offers the same names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import numpy as np

from wengert.ground import parameters, tridiagonal
from wengert.ground.blas import blas
from wengert.ground.types import AxisLike, Dtype, Index, NumPyArray

__all__ = ["NP", "NumPyArrays"]


WRITTEN_OUT = 4096
"""Elements up to which a value that is repeated is written out."""


def _special(name: str) -> Any:
    def function(*arrays: Any) -> Any:
        import scipy.special

        result = getattr(scipy.special, name)(*arrays)
        dtype = np.result_type(*arrays)
        return result if result.dtype == dtype else np.asarray(result, dtype)

    function.__name__ = name
    return function


def _wide(function: Any) -> Any:
    """Return a function of float64 arrays as one of arrays of any floating dtype."""

    def wide(*arrays: Any, **orders: int) -> Any:
        dtype = np.result_type(*arrays)
        found = function(NP, *[np.asarray(a, np.float64) for a in arrays], **orders)
        return np.asarray(found, dtype)

    return wide


def _of_matrices(name: str, x: Any) -> Any:
    import scipy.linalg

    function = getattr(scipy.linalg, name)
    result = np.empty(x.shape, x.dtype)
    wide = np.complex128 if x.dtype.kind == "c" else np.float64
    for i in np.ndindex(*x.shape[:-2]):
        value = function(x[i].astype(wide))
        # A real matrix without a real result has none here.
        complex_ = value.dtype.kind == "c" and x.dtype.kind != "c"
        result[i] = np.where(np.abs(value.imag) > 1e-9 * np.abs(value), np.nan, value.real) if complex_ else value
    return result


def _at(function: np.ufunc, x: NumPyArray, index: Index, value: NumPyArray) -> Any:
    result, places = np.array(x), cast(Any, index)
    function.at(result, places, value)
    return result


class NumPyArrays:
    """NumPy as an array namespace."""

    name = "numpy"
    erf = staticmethod(_special("erf"))
    erfc = staticmethod(_special("erfc"))
    erfinv = staticmethod(_special("erfinv"))
    erfcinv = staticmethod(_special("erfcinv"))
    ndtri = staticmethod(_special("ndtri"))
    log_ndtr = staticmethod(_special("log_ndtr"))
    lgamma = staticmethod(_special("gammaln"))
    digamma = staticmethod(_special("psi"))
    zeta = staticmethod(_special("zeta"))
    gammainc = staticmethod(_special("gammainc"))
    gammaincc = staticmethod(_special("gammaincc"))
    betainc = staticmethod(_special("betainc"))
    gammaincinv = staticmethod(_special("gammaincinv"))
    gammainccinv = staticmethod(_special("gammainccinv"))
    betaincinv = staticmethod(_special("betaincinv"))
    gammainc_by = staticmethod(_wide(parameters.gammainc_by))
    betainc_by = staticmethod(_wide(parameters.betainc_by))
    zeta_by = staticmethod(_wide(parameters.zeta_by))
    i0 = staticmethod(_special("i0"))
    i1 = staticmethod(_special("i1"))
    i0e = staticmethod(_special("i0e"))
    i1e = staticmethod(_special("i1e"))
    dawsn = staticmethod(_special("dawsn"))
    expit = staticmethod(_special("expit"))
    ndtr = staticmethod(_special("ndtr"))
    spence = staticmethod(_special("spence"))
    expi = staticmethod(_special("expi"))

    def __getattr__(self, name: str) -> Any:
        """Take the rest from NumPy."""
        value = getattr(np, name)
        setattr(self, name, value)
        return value

    @staticmethod
    def astype(x: Any, dtype: Any) -> Any:
        """Convert; complex to real keeps the real part, floats to integers are cut."""
        x = np.asarray(x)
        if x.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
            x = x.real
        return x.astype(dtype)

    @staticmethod
    def complex_of(x: Any, y: Any) -> Any:
        """Return x + iy, with the sign of a zero y, by which functions choose the side of a branch cut: x + 1j * y loses it."""
        result = np.empty(np.broadcast_shapes(x.shape, y.shape), f"c{2 * x.dtype.itemsize}")
        result.real, result.imag = x, y
        return result

    @staticmethod
    def sech_squared(x: Any) -> Any:
        """Return 1 / cosh², which keeps its digits where 1 - tanh² has none left; cosh overflows to inf, and 1 / inf is 0."""
        reciprocal = 1.0 / np.cosh(x)
        return reciprocal * reciprocal

    dot = staticmethod(partial(blas.product, np.ndarray.dot))
    """Return the product of two matrices."""
    matmul = staticmethod(partial(blas.product, np.matmul))
    """Return the products of stacks of matrices."""

    @staticmethod
    def dot_over_rows(a: NumPyArray, b: NumPyArray) -> Any:
        """Return aᵀ b for two matrices: a gradient by weights, a sum over many rows."""
        return blas.product(np.ndarray.dot, a.T, b)

    @staticmethod
    def polygamma(x: Any, n: int) -> Any:
        """Return the n-th derivative of digamma."""
        import scipy.special

        return np.asarray(scipy.special.polygamma(n, x), x.dtype)

    @staticmethod
    def bessel(x: Any, family: str, n: int) -> Any:
        """Return a Bessel function of order n: family j, y, i, k, or ie and ke, which are scaled by exp(-|x|), exp(x)."""
        import scipy.special

        direct = getattr(scipy.special, f"{family[0]}{n}{family[1:]}", None) if n < 2 else None
        value = direct(x) if direct is not None else getattr(scipy.special, f"{family[0]}v{family[1:]}")(n, x)
        return np.asarray(value, x.dtype)

    @staticmethod
    def spherical_bessel(x: Any, n: int) -> Any:
        """Return the spherical Bessel function of the first kind of order n, j₀ being sin(x)/x."""
        import scipy.special

        size = np.abs(np.asarray(x, np.float64))
        value = scipy.special.spherical_jn(n, size)
        # Of tiny arguments SciPy's is zero: there the series has one term, xⁿ / (1 · 3 ⋯ (2n + 1)).
        value = np.where(size < 1e-30, size**n / scipy.special.factorial2(2 * n + 1), value)
        return np.asarray(np.where(x < 0, (-1) ** n, 1) * value, x.dtype)

    @staticmethod
    def fresnel(x: Any) -> Any:
        """Return Fresnel's integrals (S, C)."""
        import scipy.special

        s, c = scipy.special.fresnel(x)
        return np.asarray(s, x.dtype), np.asarray(c, x.dtype)

    @staticmethod
    def sum(x: NumPyArray, axis: AxisLike = None, dtype: Dtype | None = None, keepdims: bool = False) -> Any:
        """Return the sum over axes, without what NumPy does for arguments of other kinds before it comes to this."""
        reduce: Any = np.add.reduce
        return reduce(x, axis, dtype, None, keepdims)

    @staticmethod
    def broadcast_to(x: NumPyArray, shape: tuple[int, ...]) -> Any:
        """Return x repeated to a shape: written out where that takes less than to make a view of it."""
        if 0 < math.prod(shape) <= WRITTEN_OUT and len(shape) >= x.ndim:
            result = np.empty(shape, x.dtype)
            result[...] = x
            return result
        return np.broadcast_to(x, shape)

    @staticmethod
    def stack(arrays: Sequence[NumPyArray], axis: int = 0) -> Any:
        """Return arrays along a new axis."""
        if arrays[0].ndim == 0 and axis in (0, -1):
            return np.array(arrays)
        return np.stack(arrays, axis)

    @staticmethod
    def filled(shape: tuple[int, ...], dtype: Dtype, index: Index, value: NumPyArray) -> Any:
        """Return zeros but for the value at an index."""
        result: Any = np.zeros(shape, dtype)
        result[index] = value
        return result

    @staticmethod
    def index_set(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with x[index] = value."""
        result: Any = np.array(x)
        result[index] = value
        return result

    @staticmethod
    def index_add(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with value added at index, repeated indices adding up."""
        return _at(np.add, x, index, value)

    @staticmethod
    def index_min(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with the minimum taken at index."""
        return _at(np.minimum, x, index, value)

    @staticmethod
    def index_max(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with the maximum taken at index."""
        return _at(np.maximum, x, index, value)

    @staticmethod
    def index_multiply(x: NumPyArray, index: Index, value: NumPyArray) -> Any:
        """Return a copy of x with values multiplied in at index."""
        return _at(np.multiply, x, index, value)

    @staticmethod
    def isotonic_blocks(x: Any, increasing: bool) -> Any:
        """Return for each row of a matrix the number of the block, from 0, that each element's monotone fit is constant in."""
        import scipy.optimize

        result = np.zeros(x.shape, np.int32)
        if x.size:
            for row, found in zip(x, result, strict=True):
                blocks = scipy.optimize.isotonic_regression(row, increasing=increasing).blocks
                found[:] = np.repeat(np.arange(len(blocks) - 1), np.diff(blocks))
        return result

    @staticmethod
    def expm(x: Any) -> Any:
        """Return the exponential of matrices."""
        import scipy.linalg

        return np.asarray(scipy.linalg.expm(x), x.dtype)

    @staticmethod
    def logm(x: Any) -> Any:
        """Return the principal logarithm of matrices."""
        return _of_matrices("logm", x)

    @staticmethod
    def sqrtm(x: Any) -> Any:
        """Return the principal square root of matrices."""
        return _of_matrices("sqrtm", x)

    @staticmethod
    def solve_triangular(a: Any, b: Any, lower: bool) -> Any:
        """Solve a x = b for stacks of triangular matrices, reading one triangle of a."""
        import scipy.linalg

        if a.ndim == 2 and b.ndim == 2:
            if a.shape[0] == 0 or b.shape[1] == 0:
                return np.zeros(b.shape, b.dtype)
            return scipy.linalg.solve_triangular(a, b, lower=lower, check_finite=False)
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a = np.broadcast_to(a, batch + a.shape[-2:])
        b = np.broadcast_to(b, batch + b.shape[-2:])
        result = np.empty(b.shape, np.result_type(a, b))
        for i in np.ndindex(*batch):
            result[i] = NumPyArrays.solve_triangular(a[i], b[i], lower)
        return result

    @staticmethod
    def lu(x: Any) -> Any:
        """Return L and U in one matrix, and where in it each row of L U stands in x.

        Raises:
            LinAlgError: for a singular matrix.
        """
        import scipy.linalg

        if not x.size:
            return x, np.zeros(x.shape[:-1], np.int32)
        place, low, up = scipy.linalg.lu(x, p_indices=True, check_finite=False)
        if not np.diagonal(up, axis1=-2, axis2=-1).all():
            raise np.linalg.LinAlgError("Singular matrix")
        return np.tril(low, -1) + up, np.argsort(place, axis=-1).astype(np.int32)

    @staticmethod
    def solve_tridiagonal(d: Any, b: Any, perturb: bool = False) -> Any:
        """Solve A x = b for stacks of matrices given by three diagonals (..., 3, n).

        A singular one gives NaN, or large numbers with perturb: see `wengert.ground.tridiagonal`.
        """
        from scipy.linalg import get_lapack_funcs

        batch = np.broadcast_shapes(d.shape[:-2], b.shape[:-2])
        d = np.broadcast_to(d, batch + d.shape[-2:])
        b = np.broadcast_to(b, batch + b.shape[-2:])
        if not b.size:
            return np.zeros(b.shape, b.dtype)
        d = d.copy()
        d[..., 0, -1] = d[..., 2, 0] = 0
        if perturb:
            return np.asarray(tridiagonal.solve_perturbed(np, d, b), b.dtype)
        # All at once: the matrices one after another along one diagonal, with nothing between them.
        above, main, below = np.moveaxis(d, -2, 0).reshape(3, -1, d.shape[-1])
        if d.shape[-1] == 1:
            return b / np.where(d[..., 1, :, None] == 0, np.nan, d[..., 1, :, None])
        gtsv: Any = get_lapack_funcs("gtsv", (d, b))
        sides = np.reshape(b, (-1, b.shape[-1]))
        *_, x, info = gtsv(below.ravel()[1:], main.ravel(), above.ravel()[:-1], sides)
        if not info and (len(main) == 1 or np.isfinite(x).all()):
            return np.asarray(x, b.dtype).reshape(b.shape)
        if len(main) == 1:
            return np.full(b.shape, np.nan, b.dtype)
        parts = zip(d.reshape(-1, *d.shape[-2:]), b.reshape(-1, *b.shape[-2:]), strict=True)
        return np.stack([NumPyArrays.solve_tridiagonal(*p) for p in parts]).reshape(b.shape)


NP = NumPyArrays()
"""The one instance."""
