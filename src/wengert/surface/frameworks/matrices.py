"""What JAX's primitives of linear algebra become."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import linalg, signal
from wengert.functions import math as maths
from wengert.functions.program import custom_gradient
from wengert.ground.errors import NoGradientError, UnimplementedError
from wengert.ops import elementwise as E
from wengert.surface.frameworks.jaxpr import Aval, Closed, deeper, extend, read_closed
from wengert.surface.frameworks.primitives import transpose
from wengert.surface.frameworks.rules import RULES, Sizes, rule, sizes_of
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__: list[str] = []

MOST_EXCHANGES = 64
"""Rows of a matrix for which the exchanges of its factorisation are told."""


@rule("cholesky")
def cholesky(a: Tensor, *, symmetrize_input: bool = True, **params: Hashable) -> Any:
    """The lower triangular factor; the input is made Hermitian before, as JAX does."""
    if symmetrize_input:
        a = np.asarray(0.5, a.nptype) * (a + linalg.adjoint(a))
    return linalg.cholesky(a)


@rule("triangular_solve")
def triangular_solve(
    a: Tensor,
    b: Tensor,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
    **params: Hashable,
) -> Any:
    """The solution of a triangular system from the left or from the right."""
    if unit_diagonal:
        a = linalg.set_diag(a, arrays.ones_like(linalg.diag_part(a)))
    if not left_side:  # X A = B is Aᵀ Xᵀ = Bᵀ
        found = triangular_solve(
            a, linalg.matrix_transpose(b), left_side=True, lower=lower, transpose_a=not transpose_a, conjugate_a=conjugate_a,
            unit_diagonal=False,
        )  # fmt: skip
        return linalg.matrix_transpose(found)
    if conjugate_a:
        a = maths.conj(a)
    if transpose_a:
        a, lower = linalg.matrix_transpose(a), not lower
    return linalg.triangular_solve(a, b, lower=bool(lower))


@rule("lu")
def lu(a: Tensor, **params: Hashable) -> Any:
    """Both factors in one matrix, the exchanges of rows, and the order of rows."""
    packed, order = linalg.lu(a)
    return [packed, _exchanges(order), order]


def _exchanges(order: Tensor) -> Any:
    """Return with which row each row was exchanged in its turn, from the order that all of it led to."""
    sizes = sizes_of(order)
    n = sizes[-1]
    if n > MOST_EXCHANGES:
        return None
    rows = convert(np.array(np.broadcast_to(np.arange(n, dtype=np.int32), sizes)))
    found = []
    for k in range(n):
        here = cast(maths.argmax(cast(apply(E.EQUAL, (rows, order[..., k : k + 1])), np.dtype("int32")), axis=-1), rows.nptype)
        there = arrays.expand_dims(here, -1)
        found.append(here)
        rows = arrays.where(apply(E.EQUAL, (convert(np.arange(n, dtype=np.int32)), there)), rows[..., k : k + 1], rows)
        rows = arrays.where(convert(np.arange(n) == k), order[..., k : k + 1], rows)
    return arrays.stack(found, -1)


@rule("eigh")
def eigh(a: Tensor, **params: Hashable) -> Any:
    """Vectors, then values, ascending."""
    values, vectors = linalg.eigh(a)
    return [vectors, values]


@rule("qr")
def qr(a: Tensor, *, full_matrices: bool, pivoting: bool = False, **params: Hashable) -> Any:
    """An orthogonal and a triangular factor."""
    if pivoting:
        raise UnimplementedError("wengert.jax: qr with pivoting is not there.")
    return list(linalg.qr(a, full_matrices=bool(full_matrices)))


@rule("svd")
def svd(a: Tensor, *, full_matrices: bool, compute_uv: bool, **params: Hashable) -> Any:
    """Singular values, and vectors."""
    if not compute_uv:
        return [linalg.svd(a, compute_uv=False)]
    s, u, v = linalg.svd(a, full_matrices=bool(full_matrices))
    return [s, u, linalg.adjoint(v)]


class Solvers(Protocol):
    """What JAX says of a linear system, for each part: its lines, or how many consts they have."""

    matvec: Any
    vecmat: Any
    solve: Any
    transpose_solve: Any

    def _replace(self, **parts: Closed | int) -> Solvers:
        """Return it with other parts."""


@rule("custom_linear_solve")
def linear_solve(*inputs: Tensor, const_lengths: Solvers, jaxprs: Solvers, **params: Hashable) -> Any:
    """The solution x of A x = b: what the solver gives, with the derivative that A x = b says, whatever the solver is.

    Both A and its solver are given as lines; what a solver is made of passes no derivative on.
    """
    parts, at = {}, 0
    for name in ("matvec", "vecmat", "solve", "transpose_solve"):
        count = int(getattr(const_lengths, name))
        parts[name] = list(inputs[at : at + count])
        at += count
    b = list(inputs[at:])
    held = parts["matvec"]

    def solved(*given: Tensor) -> Any:
        matrix, right = given[: len(held)], given[len(held) :]

        def pulled(*cotangents: Tensor) -> Any:
            if jaxprs.transpose_solve is None:
                raise NoGradientError("A solver of JAX's was given without one for the transposed matrix.")
            with deeper(linear_solve):
                back = [*parts["vecmat"], *matrix, *parts["transpose_solve"], *parts["solve"], *cotangents]
                swapped = {
                    "const_lengths": _swapped(const_lengths), "jaxprs": _swapped(jaxprs),
                }  # fmt: skip
                duals = linear_solve(*back, **swapped)
                again = [*matrix, *parts["vecmat"], *parts["solve"], *parts["transpose_solve"], *right]
                x = linear_solve(*again, const_lengths=const_lengths, jaxprs=jaxprs)
                found = iter(read_closed(_by_matrix(jaxprs.matvec, matrix, x), [*matrix, *x, *duals], RULES))
            return [-next(found) if m.nptype.kind in "fc" else None for m in matrix] + duals

        return tuple(read_closed(jaxprs.solve, [*parts["solve"], *right], RULES)), pulled

    return list(custom_gradient(solved)(*held, *b))


def _by_matrix(matvec: Closed, matrix: Sequence[Tensor], x: Sequence[Tensor]) -> Any:
    """Return the jaxpr of (what A is made of, x, y) -> the derivatives of y · A x by what A is made of."""
    jax = importlib.import_module("jax")
    product = extend().jaxpr_as_fun(matvec)
    count = len(matrix)
    live = [k for k, m in enumerate(matrix) if m.nptype.kind in "fc"]

    def pulled(*given: Aval) -> Any:
        def of_live(*parts: Aval) -> Any:
            full = list(given[: count + len(x)])
            for k, part in zip(live, parts, strict=True):
                full[k] = part
            return tuple(product(*full))

        return jax.vjp(of_live, *[given[k] for k in live])[1](given[count + len(x) :])

    specs = [jax.ShapeDtypeStruct(t.sizes, t.nptype) for t in (*matrix, *x, *x)]
    return jax.make_jaxpr(pulled)(*specs)


def _swapped(parts: Solvers) -> Any:
    """Return what is said of the transposed system."""
    return parts._replace(matvec=parts.vecmat, vecmat=parts.matvec, solve=parts.transpose_solve, transpose_solve=parts.solve)


@rule("tridiagonal_solve")
def tridiagonal_solve(below: Tensor, main: Tensor, above: Tensor, b: Tensor, **params: Hashable) -> Any:
    """The solution of a tridiagonal system."""
    return linalg.tridiagonal_solve([above, main, below], b, diagonals_format="sequence")


@rule("fft")
def fft(x: Tensor, *, fft_type: Hashable, fft_lengths: Sizes, **params: Hashable) -> Any:
    """Fourier's transform over the last axes."""
    kind = str(getattr(fft_type, "name", fft_type)).upper()
    kind = {"0": "FFT", "1": "IFFT", "2": "RFFT", "3": "IRFFT"}.get(kind, kind)
    length, others = int(fft_lengths[-1]), range(-len(fft_lengths), -1)
    if kind == "RFFT":
        return _transformed(signal.rfft(x, [length]), others, signal.fft)
    if kind == "IRFFT":
        return signal.irfft(_transformed(x, others, signal.ifft), [length])
    return _transformed(x, [*others, -1], signal.fft if kind == "FFT" else signal.ifft)


def _transformed(x: Tensor, axes: Iterable[int], transform: Callable[[Tensor], Any]) -> Any:
    """Transform along some axes, one after the other."""
    rank = len(sizes_of(x))
    for axis in axes:
        order = list(range(rank))
        order[axis], order[-1] = order[-1], order[axis]
        x = transpose(transform(transpose(x, permutation=order)), permutation=order)
    return x
