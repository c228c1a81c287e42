"""Linear algebra: outputs that solve an equation, with their linearisation.

Sources of the rules: M. Giles, "Collected matrix derivative results for forward and reverse mode" (2008), for inverse,
solve, determinant and eigenvalues; I. Murray, "Differentiation of the Cholesky decomposition" (2016); G. H. Golub and
V. Pereyra, "The differentiation of pseudo-inverses" (1973). Xᴴ below is the conjugate transpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.errors import ShapeError
from wengert.ground.types import Array, Attrs, Described, Dtype, Namespace, NumPyArray
from wengert.ops import rows, signature, slopes
from wengert.ops.derivative import Implicit
from wengert.ops.op import Op
from wengert.ops.slopes import FINITE, Slope

__all__ = ["CHOLESKY", "EIG", "EIGH", "INVERSE", "LU", "PINV", "QR", "SOLVE", "SVD", "TRIDIAGONAL_SOLVE"]


def adjoint(xp: Any, x: Any) -> Any:
    """Return the conjugate transpose of matrices."""
    return xp.dual(xp.matrix_transpose(x))


def _square(name: str) -> Any:
    def infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
        sizes = inputs[0].sizes
        signature.check(name, inputs[0], "fc")
        if sizes is not None and (len(sizes) < 2 or (sizes[-1] != sizes[-2] and None not in sizes[-2:])):
            raise ShapeError(f"{name} takes square matrices, not shape {shapes.text(sizes)}.")
        return sizes, inputs[0].nptype

    return infer


def _mask(xp: Namespace, x: Array, lower: bool) -> Any:
    return xp.band_part(x, lower=-1, upper=0) if lower else xp.band_part(x, lower=0, upper=-1)


# Y = X⁻¹: dY = -Y dX Y.
INVERSE = Op(
    "inverse", Implicit(
        tangent=lambda xp, tangents, inputs, y, attrs: -xp.matmul(xp.matmul(y, tangents[0]), y),
        transpose=lambda xp, g, i, inputs, y, attrs: -xp.matmul(
        adjoint(xp, y), xp.matmul(g, adjoint(xp, y))),
        slope=slopes.pole(),
    ),
    lambda xp, x: xp.linalg.inv(x), _square("inv"), type="MatrixInverse", label="MatrixInverse", rows=rows.matrices,
)


def _solve_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    a, nptype = _square("solve")(inputs, attrs)
    b = inputs[1].sizes
    nptype = dtypes.promote(nptype, inputs[1].nptype, "solve")
    if a is None or b is None:
        return None, nptype
    if len(b) < 2:
        raise ShapeError(f"solve: the right-hand side is a matrix, not shape {shapes.text(b)} (use rhs[..., None]).")
    if a[-1] is not None and b[-2] is not None and a[-1] != b[-2]:
        raise ShapeError(f"solve: {shapes.text(a)} and {shapes.text(b)} have different numbers of rows.")
    batch = shapes.broadcast(a[:-2], b[:-2])
    return (None if batch is None else (*batch, *b[-2:])), nptype


# A X = B: A dX = dB - dA X. With ``adjoint`` it is Aᴴ X = B.


def _solve_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], x: Array, attrs: Attrs, solve: Any) -> Any:
    right = tangents[1]
    if tangents[0] is not None:
        change = adjoint(xp, tangents[0]) if attrs["adjoint"] else tangents[0]
        moved = xp.matmul(change, x)
        right = -moved if right is None else right - moved
    return solve(inputs[0], right, **attrs)


def _solve_transpose(xp: Any, g: Any, i: int, inputs: Any, x: Any, attrs: Any, solve: Any) -> Any:
    w = solve(inputs[0], g, **(attrs | {"adjoint": not attrs["adjoint"]}))
    if i == 1:
        return xp.fit(w, inputs[1])
    if attrs["adjoint"]:
        return xp.fit(-xp.matmul(x, adjoint(xp, w)), inputs[0])
    return xp.fit(-xp.matmul(w, adjoint(xp, x)), inputs[0])


def _solve(xp: Any, a: NumPyArray, b: NumPyArray, *, adjoint: bool) -> Any:
    return xp.linalg.solve(xp.conj(xp.swapaxes(a, -1, -2)) if adjoint else a, b)


SOLVE = Op(
    "solve", Implicit(
        tangent=lambda xp, t, inputs, x, attrs: _solve_tangent(xp, t, inputs, x, attrs, xp.solve),
        transpose=lambda xp, g, i, inputs, x, attrs: _solve_transpose(xp, g, i, inputs, x, attrs, xp.solve), linear_inputs=(1,),
        slope=slopes.pole(),
    ),
    _solve, _solve_infer, type="MatrixSolve", label="MatrixSolve", rows=rows.matrices,
)


def _triangular(xp: Namespace, a: Array, b: Array, *, adjoint: bool, lower: bool) -> Any:
    if adjoint:
        return xp.solve_triangular(xp.conj(xp.swapaxes(a, -1, -2)), b, lower=not lower)
    return xp.solve_triangular(a, b, lower=lower)


def _triangular_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], x: Array, attrs: Attrs) -> Any:
    change = None if tangents[0] is None else _mask(xp, tangents[0], attrs["lower"])
    return _solve_tangent(xp, (change, tangents[1]), inputs, x, attrs, xp.triangular_solve)


def _triangular_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], x: Array, attrs: Attrs) -> Any:
    result = _solve_transpose(xp, g, i, inputs, x, attrs, xp.triangular_solve)
    return _mask(xp, result, attrs["lower"]) if i == 0 else result


TRIANGULAR_SOLVE = Op(
    "triangular_solve", Implicit(
        tangent=_triangular_tangent, transpose=_triangular_transpose, linear_inputs=(1,), slope=slopes.pole(),
    ),
    _triangular, _solve_infer, type="MatrixTriangularSolve", label="MatrixTriangularSolve", rows=rows.matrices,
)


def tridiagonal_product(xp: Namespace, d: Array, x: Array, *, adjoint: bool = False) -> Any:
    """Return A X, or Aᴴ X, for A given by three diagonals (..., 3, n), the one above the main one first."""
    parts = (slice(0, -1), slice(None), slice(1, None))
    above, main, below = (xp.getitem(d, index=(Ellipsis, i, of, None)) for i, of in enumerate(parts))
    if adjoint:
        above, main, below = xp.dual(below), xp.dual(main), xp.dual(above)
    middle = main * x
    row = xp.zeros_like(xp.getitem(middle, index=(Ellipsis, slice(0, 1), slice(None))))
    up = above * xp.getitem(x, index=(Ellipsis, slice(1, None), slice(None)))
    down = below * xp.getitem(x, index=(Ellipsis, slice(0, -1), slice(None)))
    return middle + xp.concat(up, row, axis=-2) + xp.concat(row, down, axis=-2)


def _diagonals(xp: Namespace, u: Array, v: Array) -> Any:
    """Return the three diagonals of U Vᴴ."""
    products = u * xp.dual(v)
    lead, rest = (Ellipsis, slice(0, -1), slice(None)), (Ellipsis, slice(1, None), slice(None))
    up = xp.getitem(u, index=lead) * xp.dual(xp.getitem(v, index=rest))
    down = xp.getitem(u, index=rest) * xp.dual(xp.getitem(v, index=lead))
    row = xp.zeros_like(xp.getitem(products, index=(Ellipsis, slice(0, 1), slice(None))))
    three = (xp.concat(up, row, axis=-2), products, xp.concat(row, down, axis=-2))
    return xp.stack(*(xp.sum(p, axis=(-1,), keepdims=False) for p in three), axis=-2)


def _tridiagonal_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    d, b = (t.sizes for t in inputs)
    signature.check("tridiagonal_solve", inputs[0], "fc")
    nptype = dtypes.promote(inputs[0].nptype, inputs[1].nptype, "tridiagonal_solve")
    if d is None or b is None:
        return None, nptype
    if len(d) < 2 or d[-2] not in (3, None):
        raise ShapeError(f"tridiagonal_solve: Expected 3 diagonals along the axis before the last, not shape {shapes.text(d)}.")
    if len(b) < 2 or (None not in (d[-1], b[-2]) and d[-1] != b[-2]):
        raise ShapeError(
            "tridiagonal_solve: Expected number of left-hand sided and right-hand sides to be equal, and the shapes are "
            f"{shapes.text(d)} and {shapes.text(b)}."
        )
    batch = shapes.broadcast(d[:-2], b[:-2])
    return (None if batch is None else (*batch, *b[-2:])), nptype


def _tridiagonal(xp: Any, d: NumPyArray, b: NumPyArray, *, adjoint: bool, perturb: bool = False) -> Any:
    if adjoint:  # each element in its row: those above the main diagonal are now those below it
        above, main, below = (d[..., i, :] for i in range(3))
        d = xp.conj(xp.stack((xp.roll(below, -1, axis=-1), main, xp.roll(above, 1, axis=-1)), axis=-2))
    return xp.solve_tridiagonal(d, b, perturb)


def _tridiagonal_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], x: Array, attrs: Attrs) -> Any:
    right = tangents[1]
    if tangents[0] is not None:
        moved = tridiagonal_product(xp, tangents[0], x, adjoint=attrs["adjoint"])
        right = -moved if right is None else right - moved
    return xp.tridiagonal_solve(inputs[0], right, **attrs)


def _tridiagonal_transpose(xp: Any, g: Array, i: int, inputs: Sequence[Array], x: Array, attrs: Attrs) -> Any:
    w = xp.tridiagonal_solve(inputs[0], g, **{**attrs, "adjoint": not attrs["adjoint"]})
    if i == 1:
        return xp.fit(w, inputs[1])
    return xp.fit(-(_diagonals(xp, x, w) if attrs["adjoint"] else _diagonals(xp, w, x)), inputs[0])


# A X = B, or Aᴴ X = B, for A given by three diagonals: as SOLVE, of whose cotangent Ā = -W Xᴴ these three are kept. With
# perturb a singular A is taken for one near by, here and in the derivatives.
TRIDIAGONAL_SOLVE = Op(
    "tridiagonal_solve", Implicit(
        tangent=_tridiagonal_tangent, transpose=_tridiagonal_transpose, linear_inputs=(1,), slope=slopes.pole(),
    ),
    _tridiagonal, _tridiagonal_infer, type="TridiagonalSolve", label="TridiagonalSolve", rows=rows.matrices,
)


def _lu_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = _square("lu")(inputs, attrs)
    return [(sizes, nptype), (None if sizes is None else sizes[:-1], dtypes.int32.numpy)]


def _turned(xp: Namespace, place: Array, like: Array) -> Any:
    """Return the matrix P that takes the rows to where they stand in the factors: (P A)ᵢ = A at place i."""
    return xp.one_hot(place, depth=like.shape[-1], on=1, off=0, axis=-1, dtype=like.dtype.name)


def _strict(xp: Namespace, x: Array) -> Any:
    """Return the triangle below the main diagonal."""
    return x - _mask(xp, x, False)


def _unit(xp: Namespace, packed: Array) -> Any:
    """Return L: what stands below the main diagonal, ones on it."""
    return xp.set_diag(_strict(xp, packed), xp.ones_like(xp.diag_part(packed, k=0)), k=0)


# P A = L U, L with ones on its diagonal, both in one matrix: with F = L⁻¹ P dA U⁻¹, dL is L times what of F stands below the
# diagonal, and dU the rest times U (S. de Hoog, R. Anderssen, M. Lukas, "Differentiation of matrix functionals using
# triangular factorization", 2011). The permutation is constant.


def _lu_tangent(xp: Namespace, t: Sequence[Array], inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    packed, place = outputs
    low, up = _unit(xp, packed), _mask(xp, packed, False)
    left = xp.triangular_solve(low, xp.matmul(_turned(xp, place, packed), t[0]), adjoint=False, lower=True)
    f = adjoint(xp, xp.triangular_solve(up, adjoint(xp, left), adjoint=True, lower=False))
    change = xp.matmul(low, _strict(xp, f)) + xp.matmul(_mask(xp, f, False), up)
    return change, xp.zeros_like(place)


def _lu_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    packed, place = outputs
    low, up = _unit(xp, packed), _mask(xp, packed, False)
    f = _strict(xp, xp.matmul(adjoint(xp, low), _strict(xp, g[0])))
    f = f + _mask(xp, xp.matmul(_mask(xp, g[0], False), adjoint(xp, up)), False)
    right = adjoint(xp, xp.triangular_solve(up, adjoint(xp, f), adjoint=False, lower=False))
    both = xp.triangular_solve(low, right, adjoint=True, lower=True)
    return xp.matmul(xp.matrix_transpose(_turned(xp, place, packed)), both)


LU = Op(
    "lu", Implicit(tangent=_lu_tangent, transpose=_lu_transpose, slope=slopes.pole()), lambda xp, x: xp.lu(x), _lu_infer,
    outputs=2, type="Lu", label="Lu", rows=rows.matrices,
)


def _half_lower(xp: Namespace, x: Array) -> Any:
    """Murray's Φ: the lower triangle with half the diagonal."""
    return xp.band_part(x, lower=-1, upper=0) - 0.5 * xp.band_part(x, lower=0, upper=0)


# A = L Lᴴ: dL = L Φ(L⁻¹ dA L⁻ᴴ). NumPy and TensorFlow read the lower triangle; tangent and cotangent are made symmetric.


def _cholesky_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], low: Any, attrs: Attrs) -> Any:
    change = 0.5 * (tangents[0] + adjoint(xp, tangents[0]))
    left = xp.triangular_solve(low, change, adjoint=False, lower=True)
    both = adjoint(xp, xp.triangular_solve(low, adjoint(xp, left), adjoint=False, lower=True))
    return xp.matmul(low, _half_lower(xp, both))


def _cholesky_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], low: Any, attrs: Attrs) -> Any:
    middle = _half_lower(xp, xp.matmul(adjoint(xp, low), g))
    left = xp.triangular_solve(low, middle, adjoint=True, lower=True)
    both = adjoint(xp, xp.triangular_solve(low, adjoint(xp, left), adjoint=True, lower=True))
    return 0.5 * (both + adjoint(xp, both))


def _cholesky(xp: Any, x: NumPyArray) -> Any:
    try:
        return xp.linalg.cholesky(x)
    except ValueError:  # NumPy's LinAlgError: NaN for the matrices that are not positive definite, as XLA and TensorFlow say
        if x.ndim == 2:
            return xp.full(x.shape, xp.nan, x.dtype)
        return xp.reshape(xp.stack([_cholesky(xp, m) for m in xp.reshape(x, (-1, *x.shape[-2:]))]), x.shape)


CHOLESKY = Op(
    "cholesky", Implicit(tangent=_cholesky_tangent, transpose=_cholesky_transpose, slope=slopes.pole()), _cholesky,
    _square("cholesky"), type="Cholesky", rows=rows.matrices,
)


def _scalars(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = _square("det")(inputs, attrs)
    return (None if sizes is None else sizes[:-2]), nptype


def _column(xp: Namespace, g: Array) -> Any:
    return xp.expand_dims(xp.expand_dims(g, axis=-1), axis=-1)


def _trace_of_product(xp: Namespace, a: Array, b: Array) -> Any:
    return xp.sum(a * xp.matrix_transpose(b), axis=(-2, -1), keepdims=False)


# d det A = tr(adj(A) dA) holds for singular matrices too, where det A · A⁻¹ does not. With A = U S Vᴴ and δ = det U det Vᴴ,
# adj(A) = δ V adj(S) Uᴴ, adj(S)ᵢᵢ being the product of the other singular values; its change with dA, P = Uᴴ dA V, is
# δ V M Uᴴ, Mᵢⱼ = -Pᵢⱼ Πₖ sₖ over the k other than i and j, and Mᵢᵢ = Σⱼ Pⱼⱼ Πₖ sₖ. What follows from these two goes through
# A⁻¹: adj(A) = det A · Y and its change is det A (tr(Y dA) Y - Y dA Y), Y = A⁻¹.


def _frame(xp: Any, a: Any) -> tuple[Any, Any, Any, Any]:
    """Return U, s, V and δ of square matrices."""
    u, s, vh = xp.linalg.svd(a)
    return u, s, xp.conj(xp.swapaxes(vh, -1, -2)), (xp.linalg.det(u) * xp.linalg.det(vh))[..., None, None]


def _products(xp: Namespace, s: Array, left_out: Any, dtype: Dtype) -> Any:
    """Return the products of numbers along the last axis but for those left out."""
    return xp.astype(xp.prod(xp.where(left_out, xp.ones((), s.dtype), s), axis=-1), dtype)


def _adjugate(xp: Namespace, a: Array) -> Any:
    if 0 in a.shape:
        return xp.zeros(a.shape, a.dtype)
    u, s, v, turn = _frame(xp, a)
    same = xp.arange(s.shape[-1])[:, None] == xp.arange(s.shape[-1])
    others = _products(xp, s[..., None, :], same, a.dtype)
    return turn * xp.matmul(v * others[..., None, :], xp.conj(xp.swapaxes(u, -1, -2)))


def _adjugate_change(xp: Namespace, a: Array, change: Any) -> Any:
    if 0 in a.shape:
        return xp.zeros(a.shape, a.dtype)
    u, s, v, turn = _frame(xp, a)
    same = xp.arange(s.shape[-1])[:, None] == xp.arange(s.shape[-1])
    others = _products(xp, s[..., None, None, :], same[:, None, :] | same[None, :, :], a.dtype)
    others = xp.where(same, xp.zeros((), a.dtype), others)
    uh = xp.conj(xp.swapaxes(u, -1, -2))
    p = xp.matmul(uh, xp.matmul(change, v))
    diagonal = xp.matmul(others, xp.diagonal(p, axis1=-2, axis2=-1)[..., None])
    return turn * xp.matmul(v, xp.matmul(xp.where(same, diagonal, -p * others), uh))


def _second_change(xp: Namespace, a: Array, e: Array, f: Any) -> Any:
    """Return the change with f of the change of the adjugate with e."""
    y = xp.inverse(a)
    ye, yf = xp.matmul(y, e), xp.matmul(y, f)
    trace = [_column(xp, xp.sum(xp.diag_part(t, k=0), axis=(-1,), keepdims=False)) for t in (ye, yf, xp.matmul(ye, yf))]
    inner = (trace[0] * trace[1] - trace[2]) * y - trace[1] * xp.matmul(ye, y) - trace[0] * xp.matmul(yf, y)
    both = xp.matmul(xp.matmul(ye, yf) + xp.matmul(yf, ye), y)
    return _column(xp, xp.det(a)) * (inner + both)


# Both changes are symmetric: tr(G D[E]) = tr(E D[G]).
ADJUGATE = Op(
    "adjugate", Implicit(
        tangent=lambda xp, t, inputs, output, attrs: xp.adjugate_change(inputs[0], t[0]),
        transpose=lambda xp, g, i, inputs, output, attrs: adjoint(
        xp, xp.adjugate_change(inputs[0], adjoint(xp, g))),
        slope=FINITE,
    ),
    _adjugate, _square("adjugate"), type="MatrixAdjugate", rows=rows.matrices,
)
ADJUGATE_CHANGE = Op(
    "adjugate_change", Implicit(
        tangent=lambda xp, t, inputs, output, attrs: _adjugate_tangent(xp, t, inputs),
        transpose=lambda xp, g, i, inputs, output, attrs: adjoint(xp, (
        xp.adjugate_change(inputs[0], adjoint(xp, g)) if i == 1
        else _second_change(xp, inputs[0], inputs[1], adjoint(xp, g)))),
        linear_inputs=(1,), slope=FINITE,
    ),
    _adjugate_change, _square("adjugate_change"), type="MatrixAdjugateGrad", rows=rows.matrices,
)


def _adjugate_tangent(xp: Namespace, t: Array, inputs: Sequence[Array]) -> Any:
    total = None if t[1] is None else xp.adjugate_change(inputs[0], t[1])
    if t[0] is None:
        return total
    bent = _second_change(xp, inputs[0], inputs[1], t[0])
    return bent if total is None else total + bent


DET = Op(
    "det", Implicit(
        tangent=lambda xp, t, inputs, d, attrs: _trace_of_product(xp, xp.adjugate(inputs[0]), t[0]),
        transpose=lambda xp, g, i, inputs, d, attrs: _column(xp, g) * adjoint(xp, xp.adjugate(inputs[0])), slope=slopes.pole(),
    ),
    lambda xp, x: xp.linalg.det(x), _scalars, type="MatrixDeterminant", label="MatrixDeterminant", rows=rows.matrices,
)


def _slogdet_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = _scalars(inputs, attrs)
    return [(sizes, nptype), (sizes, signature.REAL.get(nptype.name, nptype))]


def _slogdet_tangent(
    xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs
) -> Any:
    change = _trace_of_product(xp, xp.inverse(inputs[0]), tangents[0])
    if inputs[0].dtype.kind == "c":
        imaginary = xp.imag(change)
        return outputs[0] * xp.complex(xp.zeros_like(imaginary), imaginary), xp.real(change)
    return xp.zeros_like(outputs[0]), change


def _slogdet_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    # The sign of a real determinant is constant. The phase s of a complex one turns with Im t, t = tr(A⁻¹ dA):
    # ds = i s Im t.
    inverse = adjoint(xp, xp.inverse(inputs[0]))
    weight = xp.zeros_like(outputs[1]) if g[1] is None else g[1]
    if inputs[0].dtype.kind == "c" and g[0] is not None:
        weight = xp.complex(weight, xp.imag(g[0] * xp.dual(outputs[0])))
    return _column(xp, xp.cast(weight, dtype=inverse.dtype.name)) * inverse


SLOGDET = Op(
    "slogdet", Implicit(tangent=_slogdet_tangent, transpose=_slogdet_transpose, slope=slopes.pole()),
    lambda xp, x: tuple(xp.linalg.slogdet(x)), _slogdet_infer, outputs=2, type="LogMatrixDeterminant", rows=rows.matrices,
)


def _eigh_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = _square("eigh")(inputs, attrs)
    return [(None if sizes is None else sizes[:-1], signature.REAL.get(nptype.name, nptype)), (sizes, nptype)]


def _gaps(xp: Namespace, e: Array) -> Any:
    """Return 1 / (e_j - e_i), zero where they are equal."""
    gap = xp.expand_dims(e, axis=-2) - xp.expand_dims(e, axis=-1)
    return xp.divide_no_nan(xp.ones_like(gap), gap)


# A V = V diag(e), Vᴴ V = 1: with P = Vᴴ dA V, de = diag(P) and dV = V (F ∘ P), F_ij = 1 / (e_j - e_i).
# Only the lower triangle of A is read, so its cotangent stands there, as in TensorFlow.


def _eigh_tangent(
    xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs
) -> Any:
    e, v = outputs
    low = xp.band_part(tangents[0], lower=-1, upper=0)
    full = low + adjoint(xp, low) - xp.band_part(tangents[0], lower=0, upper=0)
    p = xp.matmul(adjoint(xp, v), xp.matmul(full, v))
    f = xp.cast(_gaps(xp, e), dtype=v.dtype.name)
    return xp.cast(xp.diag_part(p, k=0), dtype=e.dtype.name), xp.matmul(v, f * p)


def _eigh_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    e, v = outputs
    middle = None
    if g[0] is not None:
        middle = xp.diag(xp.cast(g[0], dtype=v.dtype.name), k=0)
    if g[1] is not None:
        term = xp.cast(_gaps(xp, e), dtype=v.dtype.name) * xp.matmul(adjoint(xp, v), g[1])
        middle = term if middle is None else middle + term
    full = xp.matmul(v, xp.matmul(middle, adjoint(xp, v)))
    both = full + adjoint(xp, full)
    return xp.band_part(both, lower=-1, upper=0) - 0.5 * xp.band_part(both, lower=0, upper=0)


EIGH = Op(
    "eigh", Implicit(tangent=_eigh_tangent, transpose=_eigh_transpose, slope=slopes.pole()),
    lambda xp, x: tuple(xp.linalg.eigh(x)), _eigh_infer, outputs=2, type="SelfAdjointEigV2", rows=rows.matrices,
    spectrum="eigenvalues",
)


def _svd_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = inputs[0].sizes, inputs[0].nptype
    real = signature.REAL.get(nptype.name, nptype)
    signature.check("svd", inputs[0], "fc")
    if sizes is None:
        return [(None, real), (None, nptype), (None, nptype)]
    if len(sizes) < 2:
        raise ShapeError(f"svd takes matrices, not shape {shapes.text(sizes)}.")
    m, n = sizes[-2:]
    k = None if m is None or n is None else min(m, n)
    full = attrs["full_matrices"]
    batch = sizes[:-2]
    return [((*batch, k), real), ((*batch, m, m if full else k), nptype), ((*batch, n, n if full else k), nptype)]


def _svd(xp: Any, x: NumPyArray, *, full_matrices: bool) -> Any:
    u, s, vh = xp.linalg.svd(x, full_matrices=full_matrices)
    return s, u, xp.conj(xp.swapaxes(vh, -1, -2))


def _real_only(x: Array, what: str) -> None:
    if x.dtype.kind == "c":
        raise NotImplementedError(f"{what} states no derivative for complex matrices.")


# A = U diag(s) Vᵀ with k = min(m, n) columns kept (J. Townsend, "Differentiating the SVD", 2016), real matrices. With
# P = Uᵀ dA V and F_ij = 1 / (s_j² - s_i²): ds = diag(P), dU = U (F ∘ (P S + S Pᵀ)) + (1 - U Uᵀ) dA V S⁻¹, and dV alike.


def _svd_gaps(xp: Namespace, s: Array) -> tuple[Any, Any, Any]:
    """Return F, and s as a row and as a column."""
    return _gaps(xp, s * s), xp.expand_dims(s, axis=-2), xp.expand_dims(s, axis=-1)


def _off(xp: Namespace, u: Array, x: Array) -> Any:
    """Return (1 - U Uᵀ) X: what of X the columns of U do not reach."""
    return x - xp.matmul(u, xp.matmul(xp.matrix_transpose(u), x))


def _svd_tangent(
    xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs
) -> Any:
    s, u, v = outputs
    _real_only(u, "svd in forward mode")
    if attrs["full_matrices"]:
        raise NotImplementedError("svd: the derivative of full_matrices=True is not unique; take full_matrices=False.")
    f, row, column = _svd_gaps(xp, s)
    right, left = xp.matmul(tangents[0], v), xp.matmul(xp.matrix_transpose(tangents[0]), u)
    p = xp.matmul(xp.matrix_transpose(u), right)
    q = xp.matrix_transpose(p)
    du = xp.matmul(u, f * (p * row + column * q)) + _off(xp, u, right) / row
    dv = xp.matmul(v, f * (column * p + q * row)) + _off(xp, v, left) / row
    return xp.diag_part(p, k=0), du, dv


def _svd_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    s, u, v = outputs
    if attrs["full_matrices"] and (g[1] is not None or g[2] is not None):
        raise NotImplementedError("svd: the derivative of full_matrices=True is not unique; take full_matrices=False.")
    if g[1] is None and g[2] is None:
        k = s.shape[-1]
        index = (Ellipsis, slice(None), slice(0, k))
        return xp.matmul(xp.getitem(u, index=index) * xp.expand_dims(xp.cast(g[0], dtype=u.dtype.name), axis=-2),
                         adjoint(xp, xp.getitem(v, index=index)))
    _real_only(u, "svd, by its vectors,")
    f, row, column = _svd_gaps(xp, s)
    middle = xp.diag(xp.zeros_like(s) if g[0] is None else g[0], k=0)
    extra = None
    if g[1] is not None:
        p = f * xp.matmul(xp.matrix_transpose(u), g[1])
        middle = middle + (p + xp.matrix_transpose(p)) * row
        extra = xp.matmul(_off(xp, u, g[1]) / row, xp.matrix_transpose(v))
    if g[2] is not None:
        q = f * xp.matmul(xp.matrix_transpose(v), g[2])
        middle = middle + column * (q + xp.matrix_transpose(q))
        term = xp.matmul(u, xp.matrix_transpose(_off(xp, v, g[2]) / row))
        extra = term if extra is None else extra + term
    result = xp.matmul(u, xp.matmul(middle, xp.matrix_transpose(v)))
    return result if extra is None else result + extra


SVD = Op(
    "svd", Implicit(tangent=_svd_tangent, transpose=_svd_transpose, slope=slopes.pole()), _svd, _svd_infer, outputs=3,
    type="Svd", rows=rows.matrices, spectrum="singular values",
)


def _qr_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = inputs[0].sizes, inputs[0].nptype
    signature.check("qr", inputs[0], "fc")
    if sizes is None:
        return [(None, nptype), (None, nptype)]
    if len(sizes) < 2:
        raise ShapeError(f"qr takes matrices, not shape {shapes.text(sizes)}.")
    m, n = sizes[-2:]
    k = m if attrs["full_matrices"] else (None if m is None or n is None else min(m, n))
    return [((*sizes[:-2], m, k), nptype), ((*sizes[:-2], k, n), nptype)]


# A = Q R with m >= n, real matrices. With C = Qᵀ dA R⁻¹ and Ω skew with C's strict lower triangle:
# dQ = Q Ω + (1 - Q Qᵀ) dA R⁻¹ and dR = (C - Ω) R.


def _qr_check(q: Array, r: Array) -> None:
    _real_only(q, "qr")
    rows, columns = r.shape[-2], r.shape[-1]
    if rows is not None and columns is not None and rows != columns:
        raise NotImplementedError("qr: a derivative needs at least as many rows as columns, and full_matrices=False.")


def _qr_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    q, r = outputs
    _qr_check(q, r)
    right = xp.matrix_transpose(xp.triangular_solve(r, xp.matrix_transpose(tangents[0]), adjoint=True, lower=False))
    c = xp.matmul(xp.matrix_transpose(q), right)
    low = xp.band_part(c, lower=-1, upper=0) - xp.band_part(c, lower=0, upper=0)
    skew = low - xp.matrix_transpose(low)
    return xp.matmul(q, skew) + _off(xp, q, right), xp.band_part(xp.matmul(c - skew, r), lower=0, upper=-1)


def _qr_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    # Ā = (Q̄ + Q sym(M)) R⁻ᵀ with M = R R̄ᵀ - Q̄ᵀ Q, sym = the lower triangle mirrored.
    q, r = outputs
    _qr_check(q, r)
    m = None
    if g[1] is not None:
        m = xp.matmul(r, xp.matrix_transpose(xp.band_part(g[1], lower=0, upper=-1)))
    if g[0] is not None:
        term = xp.matmul(xp.matrix_transpose(g[0]), q)
        m = -term if m is None else m - term
    low = xp.band_part(m, lower=-1, upper=0)
    mirrored = low + xp.matrix_transpose(low) - xp.band_part(m, lower=0, upper=0)
    right = xp.matmul(q, mirrored)
    if g[0] is not None:
        right = right + g[0]
    return xp.matrix_transpose(xp.triangular_solve(r, xp.matrix_transpose(right), adjoint=False, lower=False))


QR = Op(
    "qr", Implicit(tangent=_qr_tangent, transpose=_qr_transpose, slope=slopes.pole()),
    lambda xp, x, *, full_matrices: tuple(xp.linalg.qr(x, mode="complete" if full_matrices else "reduced")), _qr_infer,
    outputs=2, type="Qr", rows=rows.matrices,
)


def _eig_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = _square("eig")(inputs, attrs)
    nptype = signature.COMPLEX.get(nptype.name, nptype)
    return [(None if sizes is None else sizes[:-1], nptype), (sizes, nptype)]


def _eig(xp: Any, x: NumPyArray) -> Any:
    dtype = signature.COMPLEX.get(x.dtype.name, x.dtype)
    e, v = xp.linalg.eig(x)
    return xp.astype(e, dtype), xp.astype(v, dtype)


# A V = V diag(e), the columns of V of length one: with P = V⁻¹ dA V, de = diag(P), and dV = V (F ∘ P) less what would
# change the lengths. The phase of a vector is the library's choice: what depends on it has no derivative to speak of.


def _same_length(xp: Namespace, v: Array, x: Array) -> Any:
    """Return X without the part of each column along that of V with a real factor."""
    along = xp.sum(xp.real(xp.dual(v) * x), axis=(-2,), keepdims=True)
    return x - v * xp.cast(along, dtype=v.dtype.name)


def _eig_tangent(
    xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs
) -> Any:
    e, v = outputs
    p = xp.matmul(xp.inverse(v), xp.matmul(xp.cast(tangents[0], dtype=v.dtype.name), v))
    return xp.diag_part(p, k=0), _same_length(xp, v, xp.matmul(v, _gaps(xp, e) * p))


def _eig_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs) -> Any:
    e, v = outputs
    middle = None if g[0] is None else xp.diag(g[0], k=0)
    if g[1] is not None:
        term = xp.dual(_gaps(xp, e)) * xp.matmul(adjoint(xp, v), _same_length(xp, v, g[1]))
        middle = term if middle is None else middle + term
    full = xp.matmul(adjoint(xp, xp.inverse(v)), xp.matmul(middle, adjoint(xp, v)))
    return full if inputs[0].dtype.kind == "c" else xp.real(full)


EIG = Op(
    "eig", Implicit(tangent=_eig_tangent, transpose=_eig_transpose, slope=slopes.pole()), _eig, _eig_infer, outputs=2,
    type="Eig", rows=rows.matrices, spectrum="eigenvalues",
)


def _pinv_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = inputs[0].sizes, inputs[0].nptype
    signature.check("pinv", inputs[0], "fc")
    if sizes is None:
        return None, nptype
    if len(sizes) < 2:
        raise ShapeError(f"pinv takes matrices, not shape {shapes.text(sizes)}.")
    return (*sizes[:-2], sizes[-1], sizes[-2]), nptype


def _pinv(xp: Any, x: NumPyArray, *, rcond: float | None) -> Any:
    if 0 in x.shape[-2:]:
        return xp.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    least = 10.0 * max(x.shape[-2:]) * float(xp.finfo(x.dtype).eps) if rcond is None else rcond
    kept = s > least * xp.max(s, axis=-1, keepdims=True)
    inverse = xp.where(kept, 1 / xp.where(kept, s, xp.ones_like(s)), xp.zeros_like(s))
    return xp.matmul(xp.conj(xp.swapaxes(vh, -1, -2)) * inverse[..., None, :], xp.conj(xp.swapaxes(u, -1, -2)))


# Y = A⁺, of constant rank: dY = -Y dA Y + Y Yᴴ dAᴴ (1 - A Y) + (1 - Y A) dAᴴ Yᴴ Y (Golub and Pereyra). Through the
# singular vectors it would be lost where singular values are equal.


def _pinv_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], y: Array, attrs: Attrs) -> Any:
    a, change, yh = inputs[0], tangents[0], adjoint(xp, y)
    back = adjoint(xp, change)
    left = xp.matmul(y, xp.matmul(yh, back))
    right = xp.matmul(back, xp.matmul(yh, y))
    return (left - xp.matmul(xp.matmul(left, a), y)) + (right - xp.matmul(y, xp.matmul(a, right))) - xp.matmul(
        xp.matmul(y, change), y)


def _pinv_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], y: Array, attrs: Attrs) -> Any:
    a, yh, gh = inputs[0], adjoint(xp, y), adjoint(xp, g)
    left = xp.matmul(gh, xp.matmul(y, yh))
    right = xp.matmul(xp.matmul(yh, y), gh)
    return (left - xp.matmul(a, xp.matmul(y, left))) + (right - xp.matmul(xp.matmul(right, y), a)) - xp.matmul(
        xp.matmul(yh, g), yh)


PINV = Op(
    "pinv", Implicit(tangent=_pinv_tangent, transpose=_pinv_transpose, slope=slopes.pole()), _pinv, _pinv_infer,
    type="MatrixPseudoInverse", label="pinv", rows=rows.matrices,
)


def _function_block(xp: Namespace, function: str, a: Array, e: Array) -> Any:
    # f([[A, E], [0, A]]) holds the derivative of f at A along E in its upper right corner (Higham, 2008, (3.16)).
    top = xp.concat(a, e, axis=-1)
    bottom = xp.concat(xp.zeros_like(a), a, axis=-1)
    whole = getattr(xp, function)(xp.concat(top, bottom, axis=-2))
    return xp.concat_part(xp.concat_part(whole, top, bottom, axis=-2, i=0), a, e, axis=-1, i=1)


def _matrix_function(name: str, type_: str, slope: Slope) -> Op:
    return Op(
        name, Implicit(
            tangent=lambda xp, t, inputs, y, attrs: _function_block(xp, name, inputs[0], t[0]),
            transpose=lambda xp, g, i, inputs, y, attrs: _function_block(xp, name, adjoint(xp, inputs[0]), g), slope=slope,
        ),
        name, _square(name), type=type_, rows=rows.matrices,
    )


EXPM = _matrix_function("expm", "MatrixExponential", FINITE)
LOGM = _matrix_function("logm", "MatrixLogarithm", slopes.pole())
SQRTM = _matrix_function("sqrtm", "MatrixSquareRoot", slopes.pole())
