"""Linear algebra over arrays of mpmath's numbers: stacks of matrices as NumPy arrays of objects.

The conventions are LAPACK's (signs, phases, order, which triangle is read), so that the result is the one of double
precision with further digits. The decompositions that LAPACK finds by iterations start from its answer in double
precision and are refined, each step doubling the digits; so their branch is its branch.

Sources: N. J. Higham, "Functions of Matrices" (2008), for the matrix functions; G. H. Golub and C. F. Van Loan, "Matrix
Computations" (2013), for Householder's and Jacobi's methods. Xᴴ below is the conjugate transpose.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import libmp

from wengert.ground.types import NumPyArray
from wengert.verify.numbers import complex_number, number, real_number

__all__ = [
    "cholesky",
    "det",
    "eig",
    "eigh",
    "expm",
    "fft",
    "ifft",
    "inv",
    "logm",
    "lu",
    "product",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "solve_tridiagonal",
    "sqrtm",
    "svd",
]

mp = mpmath.mp
mpf, mpc = mp.mpf, mp.mpc
GUARD = 30
"""Bits carried beyond the precision asked for."""

_to_complex = np.frompyfunc(complex_number, 1, 1)
_conjugate = np.frompyfunc(lambda v: v.conjugate(), 1, 1)
_round = np.frompyfunc(lambda v: +v, 1, 1)


def is_complex(x: Any) -> bool:
    """Whether the numbers are complex."""
    return bool(x.size) and type(x.flat[0]) is mpc


def adjoint(x: Any) -> Any:
    """Return Xᴴ."""
    x = np.swapaxes(x, -1, -2)
    return _conjugate(x) if is_complex(x) else x


def identity(rows: int, columns: int | None = None, complex_: bool = False) -> Any:
    """Return the identity matrix."""
    columns = rows if columns is None else columns
    result = zeros((rows, columns), complex_)
    for i in range(min(rows, columns)):
        result[i, i] = mpc(1) if complex_ else mpf(1)
    return result


def zeros(shape: Any, complex_: bool = False) -> Any:
    """Return an array of zeros."""
    result = np.empty(shape, object)
    result[...] = mpc(0) if complex_ else mpf(0)
    return result


def _size(x: Any) -> Any:
    """Return the length of a vector."""
    return mp.sqrt(mp.fsum(x, absolute=True, squared=True))


def double(x: Any) -> Any:
    """Return the nearest doubles."""
    return x.astype("complex128" if is_complex(x) else "float64")


def lifted(x: Any, complex_: bool) -> Any:
    """Return doubles as numbers of mpmath."""
    return np.frompyfunc(complex_number if complex_ else real_number, 1, 1)(x).reshape(np.shape(x))


# --- products: exact in integers, then rounded once ----------------------------------------------------------------


def product(a: NumPyArray, b: NumPyArray) -> Any:
    """Return the products of stacks of matrices.

    A matrix of numbers is a matrix of integers times a power of two; the product of those is exact, and Python multiplies
    integers several times faster than mpmath multiplies numbers. Where the numbers differ too much in size for that, or
    are not finite, numbers are multiplied.
    """
    if a.ndim == 1 or b.ndim == 1:
        value = product(a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)
        value = value[..., 0, :] if a.ndim == 1 else value
        return value[..., 0] if b.ndim == 1 else value
    complex_ = is_complex(a) or is_complex(b)
    if 0 in (a.size, b.size):
        return zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), complex_)
    one, two = _integers(a), _integers(b)
    if one is None or two is None:
        return np.matmul(a, b)
    (a_real, a_imag, a_low), (b_real, b_imag, b_low) = one, two
    real, imag = np.matmul(a_real, b_real), None
    if a_imag is not None and b_imag is not None:
        real = real - np.matmul(a_imag, b_imag)
        imag = np.matmul(a_real, b_imag) + np.matmul(a_imag, b_real)
    elif complex_:
        imag = np.matmul(a_real, b_imag) if a_imag is None else np.matmul(a_imag, b_real)
    low, (precision, rounding), raw = a_low + b_low, mp._prec_rounding, libmp.from_man_exp
    result = np.empty(real.shape, object)
    if imag is None:
        result.ravel()[:] = [mp.make_mpf(raw(r, low, precision, rounding)) for r in real.ravel().tolist()]
    else:
        pairs = zip(real.ravel().tolist(), imag.ravel().tolist(), strict=True)
        result.ravel()[:] = [mp.make_mpc((raw(r, low, precision, rounding), raw(i, low, precision, rounding))) for r, i in pairs]
    return result


def _integers(x: Any) -> Any:
    """Return (R, I, e) with x = (R + i I) 2^e; I is None for real x. None if some number is not finite, or tiny beside others."""
    flat = x.ravel().tolist()
    if is_complex(x):
        parts = [v._mpc_[0] for v in flat] + [v._mpc_[1] for v in flat]
    else:
        parts = [v._mpf_ for v in flat]
    low, high = None, 0
    for _, mantissa, exponent, bits in parts:
        if mantissa:
            if low is None:
                low, high = exponent, exponent + bits
            else:
                low, high = min(low, exponent), max(high, exponent + bits)
        elif exponent:
            return None
    if low is None:
        low = 0
    if high - low > 4 * mp.prec + 200:
        return None
    whole = np.empty(len(parts), object)
    whole[:] = [(-m if s else m) << (e - low) if m else 0 for s, m, e, _ in parts]
    if len(parts) == len(flat):
        return whole.reshape(x.shape), None, low
    return whole[: len(flat)].reshape(x.shape), whole[len(flat) :].reshape(x.shape), low


# --- stacks -------------------------------------------------------------------------------------------------------


def stacked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function for stacks of one for single matrices, which computes with some bits more."""

    @functools.wraps(function)
    def over(x: Any, *rest: Any, **keywords: Any) -> Any:
        others = [r for r in rest if isinstance(r, np.ndarray)]
        batch = np.broadcast_shapes(x.shape[:-2], *[r.shape[:-2] for r in others])
        with mp.extraprec(GUARD):
            if not batch:
                found = [function(x, *rest, **keywords)]
            else:
                stacks = [np.broadcast_to(r, batch + r.shape[-2:]) if isinstance(r, np.ndarray) else None for r in (x, *rest)]
                found = [
                    function(*[r if s is None else s[i] for r, s in zip((x, *rest), stacks, strict=True)], **keywords)
                    for i in np.ndindex(*batch)
                ]
        several = bool(found) and isinstance(found[0], tuple)
        if not found:
            empty = function(
                *[np.zeros(r.shape[-2:], object) if isinstance(r, np.ndarray) else r for r in (x, *rest)], **keywords
            )
            parts = empty if isinstance(empty, tuple) else (empty,)
            shaped = tuple([np.empty((*batch, *np.shape(p)), object) for p in parts])
            return shaped if isinstance(empty, tuple) else shaped[0]
        columns = list(zip(*found, strict=True)) if several else [found]
        result = []
        for column in columns:
            whole = np.empty((len(column), *np.shape(column[0])), object)
            for k, one in enumerate(column):
                whole[k] = one
            result.append(_round(whole).reshape(batch + whole.shape[1:]))
        return tuple(result) if several else result[0]

    return over


# --- elimination --------------------------------------------------------------------------------------------------


def _lu(a: NumPyArray, b: NumPyArray) -> tuple[Any, Any, int]:
    """Return U, the right-hand side carried along, and the sign of the row exchanges: Gauss with the greatest pivot."""
    a, b, sign = a.copy(), b.copy(), 1
    n = len(a)
    for k in range(n):
        pivot = k + max(range(n - k), key=lambda i: abs(a[k + i, k]))
        if not a[pivot, k]:
            continue
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]], sign = a[[pivot, k]], b[[pivot, k]], -sign
        factors = a[k + 1 :, k] / a[k, k]
        a[k + 1 :, k + 1 :] -= factors[:, None] * a[k, k + 1 :]
        b[k + 1 :] -= factors[:, None] * b[k]
    return a, b, sign


def _triangular(a: NumPyArray, b: NumPyArray, lower: bool) -> Any:
    n = len(a)
    x = np.empty(b.shape, object)
    for i in range(n) if lower else reversed(range(n)):
        known = slice(0, i) if lower else slice(i + 1, n)
        rest = b[i]
        if known.start < known.stop:
            rest = rest - (a[i, known, None] * x[known]).sum(0)
        if not a[i, i]:
            raise np.linalg.LinAlgError("Singular matrix")
        x[i] = rest / a[i, i]
    return x


@stacked
def solve_triangular(a: NumPyArray, b: NumPyArray, lower: bool) -> Any:
    """Solve A X = B, reading one triangle of A."""
    return _triangular(a, b, lower)


def _solve(a: NumPyArray, b: NumPyArray) -> Any:
    upper, moved, _ = _lu(a, b)
    return _triangular(upper, moved, False)


@stacked
def solve(a: NumPyArray, b: NumPyArray) -> Any:
    """Solve A X = B."""
    return _solve(a, b)


@stacked
def lu(a: NumPyArray) -> Any:
    """Return L and U in one matrix, and where each row of L U stands in A."""
    a, place = a.copy(), np.arange(len(a), dtype=object)
    for k in range(len(a)):
        pivot = k + max(range(len(a) - k), key=lambda i, k=k: abs(a[k + i, k]))  # type: ignore[misc]
        a[[k, pivot]], place[[k, pivot]] = a[[pivot, k]], place[[pivot, k]]
        a[k + 1 :, k] = a[k + 1 :, k] / a[k, k]
        a[k + 1 :, k + 1 :] -= a[k + 1 :, k, None] * a[k, k + 1 :]
    return a, place


@stacked
def solve_tridiagonal(d: NumPyArray, b: NumPyArray, perturb: bool = False) -> Any:
    """Solve A X = B, A given by its three diagonals, and not singular: then there is no pivot to move."""
    n = d.shape[-1]
    a = zeros((n, n), is_complex(d))
    for i in range(n):
        for j in range(max(i - 1, 0), min(i + 2, n)):
            a[i, j] = d[1 + i - j, i]
    return _solve(a, b)


def _inverse(a: NumPyArray) -> Any:
    return _solve(a, identity(len(a), complex_=is_complex(a)))


@stacked
def inv(a: NumPyArray) -> Any:
    """Return the inverse."""
    return _inverse(a)


def _diagonal_and_sign(a: NumPyArray) -> tuple[list[Any], int]:
    upper, _, sign = _lu(a, np.empty((len(a), 0), object))
    return list(np.diagonal(upper)), sign


@stacked
def det(a: NumPyArray) -> Any:
    """Return the determinant."""
    pivots, sign = _diagonal_and_sign(a)
    value = mpc(sign) if is_complex(a) else mpf(sign)
    for p in pivots:
        value *= p
    return value


@stacked
def slogdet(a: Any) -> Any:
    """Return the sign or phase of the determinant, and the logarithm of its size."""
    pivots, sign = _diagonal_and_sign(a)
    phase, size = mpc(sign) if is_complex(a) else mpf(sign), mpf(0)
    for p in pivots:
        if not p:
            return p, -mp.inf
        phase, size = phase * (p / abs(p)), size + mp.log(abs(p))
    return phase, size


@stacked
def cholesky(a: Any) -> Any:
    """Return L with A = L Lᴴ, reading the lower triangle.

    Raises:
        LinAlgError: if A is not positive definite.
    """
    n, complex_ = len(a), is_complex(a)
    low = zeros((n, n), complex_)
    for j in range(n):
        row = _conjugate(low[j, :j]) if complex_ else low[j, :j]
        square = mp.re(a[j, j]) - mp.re((low[j, :j] * row).sum()) if j else mp.re(a[j, j])
        if not square > 0:
            raise np.linalg.LinAlgError("Matrix is not positive definite")
        root = mp.sqrt(square)
        low[j, j] = complex_number(root) if complex_ else root
        if j + 1 < n:
            rest = a[j + 1 :, j]
            low[j + 1 :, j] = (rest - (low[j + 1 :, :j] * row).sum(1) if j else rest) / root
    return low


# --- QR -----------------------------------------------------------------------------------------------------------


@stacked
def qr(a: Any, mode: str = "reduced") -> Any:
    """Return Q and R by Householder's reflections, with LAPACK's signs."""
    rows, columns = a.shape
    complex_ = is_complex(a)
    r, q = a.copy(), identity(rows, complex_=complex_)
    for k in range(min(rows, columns)):
        x = r[k:, k]
        lead, rest = x[0], x[1:]
        # LAPACK leaves a column alone whose rest is zero, and whose leading number is real.
        if not any(rest) and not (complex_ and lead.imag):
            continue
        size = _size(x)
        target = -size if mp.re(lead) >= 0 else size
        # H = 1 - τ v vᴴ with v = (1, rest / (lead - target)); Hᴴ x = target e₁.
        v = np.concatenate([identity(1, complex_=complex_)[0], rest / (lead - target)])
        tau = (target - lead) / target
        bar = _conjugate(v) if complex_ else v
        r[k:] -= (mp.conj(tau) * v)[:, None] * product(bar[None, :], r[k:])
        r[k + 1 :, k] = mpc(0) if complex_ else mpf(0)
        q[:, k:] -= (tau * product(q[:, k:], v[:, None])) * bar[None, :]
    if mode == "reduced":
        kept = min(rows, columns)
        q, r = q[:, :kept], r[:kept]
    return q, r


# --- eigenvalues, singular values: LAPACK's answer, refined -------------------------------------------------------


def _orthonormal(v: Any) -> Any:
    """Return columns that are orthonormal to all digits, near those that are so in double precision."""
    for _ in range(_doublings()):
        v = product(v, 3 * identity(v.shape[1], complex_=is_complex(v)) - product(adjoint(v), v)) / 2
    return v


def _doublings(start: int = 40) -> int:
    """Return how often some correct bits must be doubled to reach all."""
    steps = 0
    while start < mp.prec + 20:
        start, steps = 2 * start, steps + 1
    return steps


def _rotation(p: Any, q: Any, pq: Any) -> tuple[Any, Any]:
    """Return (c, s) of the small Jacobi rotation that makes [[p, pq], [conj(pq), q]] diagonal."""
    size = abs(pq)
    theta = (q - p) / (2 * size)
    t = 1 / (abs(theta) + mp.sqrt(theta * theta + 1))
    t = t if theta >= 0 else -t
    c = 1 / mp.sqrt(t * t + 1)
    return c, t * c * (pq / size)


def _negligible(x: Any, scale: Any) -> bool:
    """Whether x is rounding beside the scale; of the guard's bits some are left to it."""
    return not x or mp.mag(x) < mp.mag(scale) - mp.prec + GUARD // 3


SWEEPS = 60
"""Far more than convergence takes; beyond them there is none."""


@stacked
def eigh(a: Any) -> Any:
    """Return the eigenvalues, increasing, and orthonormal eigenvectors of Hermitian matrices; the lower triangle is read.

    The signs are LAPACK's; of complex vectors the first number is real, as LAPACK's tridiagonal form makes it.
    """
    n, complex_ = len(a), is_complex(a)
    if not n:
        return np.empty(0, object), a
    full = a.copy()
    for i in range(n):
        full[i, i] = complex_number(a[i, i].real) if complex_ else a[i, i]
        for j in range(i):
            full[j, i] = mp.conj(a[i, j]) if complex_ else a[i, j]
    start = np.linalg.eigh(double(full))[1]
    v = _orthonormal(lifted(start, complex_))
    near = product(adjoint(v), product(full, v))
    scale = max([abs(x) for x in near.ravel()] or [mpf(0)])
    for _ in range(SWEEPS):
        quiet = True
        for i in range(n):
            for j in range(i + 1, n):
                if _negligible(near[i, j], scale):
                    continue
                quiet = False
                _rotate(near, v, i, j)
        if quiet:
            break
    else:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")
    e = np.array([mp.re(near[i, i]) for i in range(n)], object)
    order = sorted(range(n), key=lambda k: e[k])
    return e[order], _phased(v[:, order], start[:, order])


def _rotate(near: Any, v: Any, i: int, j: int) -> None:
    """Rotate columns and rows i and j so that the number at (i, j) becomes zero."""
    c, s = _rotation(mp.re(near[i, i]), mp.re(near[j, j]), near[i, j])
    for x in (near, v):
        left, right = x[:, i].copy(), x[:, j].copy()
        x[:, i], x[:, j] = c * left - mp.conj(s) * right, s * left + c * right
    top, low = near[i].copy(), near[j].copy()
    near[i], near[j] = c * top - s * low, mp.conj(s) * top + c * low


def _phases(v: Any, start: Any) -> list[Any]:
    """Return for each column the factor that gives it LAPACK's sign; a complex one whose first number LAPACK makes real, that."""
    found = []
    for k in range(v.shape[1]):
        if not is_complex(v):
            at = int(np.argmax(np.abs(start[:, k])))
            found.append(mpf(-1) if v[at, k] * number(float(start[at, k])) < 0 else mpf(1))
            continue
        first = start[0, k]
        at = 0 if abs(first) > 1e-8 and abs(first.imag) < 1e-12 else int(np.argmax(np.abs(start[:, k])))
        wanted = complex_number(complex(start[at, k].real if at == 0 else start[at, k]))
        found.append(wanted / abs(wanted) * mp.conj(v[at, k]) / abs(v[at, k]))
    return found


def _phased(v: Any, start: Any) -> Any:
    return v * np.array(_phases(v, start), object)[None, :] if v.size else v


@stacked
def svd(a: Any, full_matrices: bool = True) -> Any:
    """Return U, the singular values, decreasing, and Vᴴ, by one-sided Jacobi rotations from LAPACK's answer."""
    u, _, vh = np.linalg.svd(double(a), full_matrices=full_matrices)
    if a.shape[0] >= a.shape[1]:
        u, s, v = _svd(a, u, vh.conj().T)
    else:
        v, s, u = _svd(adjoint(a), vh.conj().T, u)
    return u, s, adjoint(v)


def _svd(a: Any, u0: Any, v0: Any) -> Any:
    """Return U, s and V of a tall matrix from those in double precision."""
    columns, complex_ = a.shape[1], is_complex(a)
    v = _orthonormal(lifted(v0, complex_))
    b = product(a, v)
    noise = _size(b.ravel()) ** 2 * mpf(2) ** (16 - 2 * mp.prec)
    for _ in range(SWEEPS):
        quiet = True
        for i in range(columns):
            for j in range(i + 1, columns):
                pair = b[:, [i, j]]
                gram = product(adjoint(pair), pair)
                p, q, pq = mp.re(gram[0, 0]), mp.re(gram[1, 1]), gram[0, 1]
                if min(p, q) <= noise or _negligible(pq, mp.sqrt(p * q)):
                    continue
                quiet = False
                c, s = _rotation(p, q, pq)
                for x in (b, v):
                    left, right = x[:, i].copy(), x[:, j].copy()
                    x[:, i], x[:, j] = c * left - mp.conj(s) * right, s * left + c * right
        if quiet:
            break
    else:
        raise np.linalg.LinAlgError("SVD did not converge")
    if columns:
        phases = np.array(_phases(v, v0), object)[None, :]
        b, v = b * phases, v * phases
    sizes = [_size(b[:, k]) for k in range(columns)]
    order = sorted(range(columns), key=lambda k: -sizes[k])
    u = lifted(u0, complex_)
    tiny = max(sizes, default=mpf(0)) * mpf(2) ** (8 - mp.prec)
    whole = [k for k in order if sizes[k] > tiny]
    for place, k in enumerate(whole):
        u[:, place] = b[:, k] / sizes[k]
    for k in range(len(whole), u.shape[1]):  # what A does not reach
        for _ in range(2):
            u[:, k] = u[:, k] - product(u[:, :k], product(adjoint(u[:, :k]), u[:, k]))
        u[:, k] = u[:, k] / _size(u[:, k])
    s = np.empty(columns, object)
    s[:] = [sizes[k] for k in order]
    return u, s, v[:, order]


@stacked
def eig(a: Any) -> Any:
    """Return the eigenvalues, in LAPACK's order, and eigenvectors of length one, whose greatest number is real.

    From LAPACK's vectors V the correction V (F ∘ V⁻¹AV), F_ij = 1 / (e_j - e_i), doubles the digits in each step. Where
    eigenvalues are so near each other that it does not, they are found anew, by mpmath.
    """
    n = len(a)
    e0, v0 = np.linalg.eig(double(a))
    a = _to_complex(a).reshape(a.shape)
    if not n:
        return np.empty(0, object), a
    e, v = _corrected(a, v0) or _anew(a, e0)
    for k in range(n):
        at = int(np.argmax(np.round(np.abs(v0[:, k]), 12)))
        if not v[at, k]:  # a vector of another basis than LAPACK's, of the vectors of one eigenvalue
            at = max(range(n), key=lambda i: abs(v[i, k]))
        v[:, k] *= mp.conj(v[at, k]) / abs(v[at, k]) / _size(v[:, k]) * (-1 if v0[at, k].real < 0 else 1)
    return e, v


def _corrected(a: Any, start: Any) -> Any:
    """Return eigenvalues and vectors from vectors in double precision; None if these do not lead there."""
    n, v = len(a), lifted(start, True)
    for _ in range(_doublings(10) + 2):
        try:
            w = _solve(v, product(a, v))
        except np.linalg.LinAlgError:
            return None
        e = np.diagonal(w).copy()
        change = identity(n, complex_=True)
        done = True
        for i in range(n):
            for j in range(n):
                if i == j or _negligible(w[i, j], max(abs(x) for x in e)):
                    continue
                done, gap = False, e[j] - e[i]
                if not abs(gap) > 4 * abs(w[i, j]):
                    return None
                change[i, j] = w[i, j] / gap
        if done:
            return e, v
        v = product(v, change)
    return None


def _anew(a: Any, order: Any) -> tuple[Any, Any]:
    """Return eigenvalues and vectors by mpmath's QR algorithm, each eigenvalue in the place of the double nearest to it."""
    with mp.extraprec(mp.prec):  # of a defective matrix half of the digits are lost
        values, vectors = mp.eig(mp.matrix(a.tolist()))
    left, e, v = list(range(len(a))), np.empty(len(a), object), np.empty(a.shape, object)
    for k, near in enumerate(order):
        found = min(left, key=lambda i: abs(values[i] - complex_number(complex(near))))
        left.remove(found)
        e[k], v[:, k] = complex_number(values[found]), [complex_number(vectors[i, found]) for i in range(len(a))]
    return e, v


# --- functions of matrices ----------------------------------------------------------------------------------------


def _norm(a: Any) -> Any:
    return max([mp.fsum([abs(x) for x in row]) for row in a] or [mpf(0)])


@stacked
def expm(a: Any) -> Any:
    """Return the exponential: Taylor's polynomial of A / 2^k, squared k times."""
    size = _norm(a)
    halvings = max(0, mp.mag(size) + 8) if size else 0
    with mp.extraprec(2 * halvings):
        small = a / mpf(2) ** halvings
        term = total = identity(len(a), complex_=is_complex(a))
        for k in range(1, 10 * mp.prec):
            term = product(term, small) / k
            total = total + term
            if _negligible(_norm(term), 1):
                break
        for _ in range(halvings):
            total = product(total, total)
    return total


def _root(a: Any) -> Any:
    """Return the principal square root by Denman and Beavers' iteration; NaN where it does not converge."""
    y, z = a, identity(len(a), complex_=is_complex(a))
    for _ in range(100):
        try:
            new_y, z = (y + _inverse(z)) / 2, (z + _inverse(y)) / 2
        except np.linalg.LinAlgError:
            break
        change, y = _norm(new_y - y), new_y
        if not mp.isfinite(change):
            break
        if _negligible(change, _norm(y) * mpf(2) ** (GUARD // 2)):
            return y
    nothing = np.empty(a.shape, object)
    nothing[...] = mpc(mp.nan, mp.nan) if is_complex(a) else mp.nan
    return nothing


@stacked
def sqrtm(a: Any) -> Any:
    """Return the principal square root; NaN for a real matrix without a real one."""
    return _root(a)


@stacked
def logm(a: Any) -> Any:
    """Return the principal logarithm: 2^k times that of the 2^k-th root, by the series of 2 artanh((X - 1) / (X + 1))."""
    one = identity(len(a), complex_=is_complex(a))
    roots = 0
    with mp.extraprec(40):
        while not _norm(a - one) < mpf(2) ** -8:
            a, roots = _root(a), roots + 1
            if roots > 60 or not mp.isfinite(_norm(a)):
                a[...] = mp.nan
                return a
        z = _solve(a + one, a - one)
        square, power, total = product(z, z), z, z
        for k in range(3, 10 * mp.prec, 2):
            power = product(power, square)
            total = total + power / k
            if _negligible(_norm(power), mpf(2) ** -roots * mp.eps):
                break
        return total * mpf(2) ** (roots + 1)


# --- Fourier transforms -------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def _roots_of_unity(n: int, sign: int, precision: int) -> Any:
    with mp.workprec(precision):
        roots = [mpc(mp.cospi(mpf(2 * k) / n), sign * mp.sinpi(mpf(2 * k) / n)) for k in range(n)]
    matrix = np.empty((n, n), object)
    for j in range(n):
        matrix[j] = [roots[j * k % n] for k in range(n)]
    return matrix


def fft(x: Any) -> Any:
    """Return the discrete Fourier transform along the last axis, as a product with its matrix."""
    return product(x[..., None, :], _roots_of_unity(x.shape[-1], -1, mp.prec + GUARD))[..., 0, :]


def ifft(x: Any) -> Any:
    """Return the inverse transform."""
    return product(x[..., None, :], _roots_of_unity(x.shape[-1], 1, mp.prec + GUARD))[..., 0, :] / x.shape[-1]
