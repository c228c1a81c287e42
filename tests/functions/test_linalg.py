"""Linear algebra against NumPy and SciPy: values eagerly and in graphs, first and second derivatives, refusals."""

import numpy as np
import pytest
import scipy.linalg

from wengert import config, errors, function
from wengert.functions import array as A
from wengert.functions import linalg as L
from wengert.modes.slices import IndexedSlices
from wengert.modes.tape import GradientTape
from wengert.ops import contraction
from wengert.tensor.tensor import Graph, apply, convert, tensors

rng = np.random.default_rng(3)
M = rng.normal(size=(3, 3)) + 2 * np.eye(3)
B = rng.normal(size=(2, 3, 3)) + 2 * np.eye(3)
TALL, WIDE = rng.normal(size=(4, 2)), rng.normal(size=(2, 4))
TALLS = rng.normal(size=(2, 4, 3))
R = rng.normal(size=(3, 2))
V = rng.normal(size=3)


def mm(a, b):
    return apply(contraction.MATMUL, (a, b), {"ta": False, "tb": False})


def spd(m):
    """A symmetric positive definite matrix made of any one."""
    return mm(m, L.matrix_transpose(m)) + L.eye(3, dtype="float64")


def np_spd(m):
    return m @ np.swapaxes(m, -1, -2) + np.eye(3)


def sym(m):
    return m + L.matrix_transpose(m)


def np_sym(m):
    return m + np.swapaxes(m, -1, -2)


def np_svd(m):
    u, s, vh = np.linalg.svd(m, full_matrices=False)
    return s, abs(u), abs(np.swapaxes(vh, -1, -2))


def svd_up_to_sign(m):
    s, u, v = L.svd(m)
    return s, A.identity(abs(u)), abs(v)


def np_product(m):
    u, s, vh = np.linalg.svd(m, full_matrices=False)
    return (u * s[..., None, :] ** 2) @ vh


def svd_product(m):
    s, u, v = L.svd(m)
    return mm(u * (s * s)[..., None, :], L.matrix_transpose(v))


def np_eig_parts(m):
    e = np.linalg.eigvals(m)
    return e.real, e.imag


def eig_parts(m):
    e, v = L.eig(m)
    return tensors.real(e), tensors.imag(e), tensors.abs(v)


def eig_reference(m):
    e, v = np.linalg.eig(m)
    return e.real, e.imag, abs(v)


def stacked(f):
    return lambda b, *rest: np.stack([f(x, *[r[i] for r in rest]) for i, x in enumerate(b)])


def upper(x):
    return np.triu(x)


# (label, function, NumPy's answer, inputs)
def dense(d):
    """The matrices of which these are the diagonals above, in the middle and below, as the compact format has them."""
    return np.stack([np.diag(b) + np.diag(a[:-1], 1) + np.diag(c[1:], -1) for a, b, c in d])


TRI = rng.normal(size=(2, 3, 4)) + np.array([[0.0], [4.0], [0.0]])
RIGHT = rng.normal(size=(2, 4, 2))


def packed(m):
    """L and U by SciPy, in one matrix."""
    _, low, up = scipy.linalg.lu(m)
    return np.tril(low, -1) + up


TABLE = [
    ("tridiagonal_matmul", L.tridiagonal_matmul, lambda d, b: dense(d) @ b, [TRI, RIGHT]),
    ("tridiagonal_solve", L.tridiagonal_solve, lambda d, b: np.linalg.solve(dense(d), b), [TRI, RIGHT]),
    ("tridiagonal_solve vector", L.tridiagonal_solve, lambda d, b: np.linalg.solve(dense(d), b[..., None])[..., 0],
     [TRI, RIGHT[..., 0]]),
    ("tridiagonal_solve transposed", lambda d, b: L.tridiagonal_solve(d, b, transpose_rhs=True),
     lambda d, b: np.linalg.solve(dense(d), b.swapaxes(1, 2)), [TRI, RIGHT.swapaxes(1, 2)]),
    ("tridiagonal_solve matrix", lambda m, r: L.tridiagonal_solve(m, r, "matrix"),
     lambda m, r: np.linalg.solve(np.tril(np.triu(m, -1), 1), r), [B + 2 * np.eye(3), RIGHT[:, :3]]),
    ("tridiagonal_solve of one row", L.tridiagonal_solve, lambda d, b: b / d[1, :, None], [TRI[0, :, :1], RIGHT[0, :1]]),
    ("lu_solve", lambda m, r: L.lu_solve(*L.lu(m), r), np.linalg.solve, [M, R]),
    ("lu_solve batch, one rhs", lambda b, r: L.lu_solve(*L.lu(b), r), lambda b, r: np.linalg.solve(b, np.stack([r, r])), [B, R]),
    ("lu_solve one matrix", lambda m, r: L.lu_solve(*L.lu(m), r), lambda m, r: np.linalg.solve(np.stack([m, m]), r),
     [M, np.stack([R, R + 1])]),
    ("lu_reconstruct", lambda m: L.lu_reconstruct(*L.lu(m)), lambda m: m, [M[::-1]]),
    ("lu_reconstruct batch", lambda b: L.lu_reconstruct(*L.lu(b)), lambda b: b, [B[:, ::-1]]),
    ("lu_matrix_inverse", lambda b: L.lu_matrix_inverse(*L.lu(b)), np.linalg.inv, [B]),
    ("lu", lambda m: L.lu(m).lu, packed, [B[0][[1, 2, 0]]]),
    ("inv", L.inv, np.linalg.inv, [M]),
    ("inv batch", L.inv, np.linalg.inv, [B]),
    ("inv adjoint", lambda m: L.inv(m, adjoint=True), lambda m: np.linalg.inv(m).T, [M]),
    ("pinv square", L.pinv, np.linalg.pinv, [M]),
    ("pinv tall", L.pinv, np.linalg.pinv, [TALL]),
    ("pinv wide", L.pinv, np.linalg.pinv, [WIDE]),
    ("pinv batch", L.pinv, np.linalg.pinv, [TALLS]),
    ("pinv of equal singular values", L.pinv, np.linalg.pinv, [np.eye(3)]),
    ("solve", L.solve, np.linalg.solve, [M, R]),
    ("solve adjoint", lambda m, r: L.solve(m, r, adjoint=True), lambda m, r: np.linalg.solve(m.T, r), [M, R]),
    ("solve batch", L.solve, np.linalg.solve, [B, np.stack([R, R + 1])]),
    ("solve one rhs", L.solve, lambda b, r: np.linalg.solve(b, np.stack([r, r])), [B, R]),
    ("triangular_solve", L.triangular_solve, lambda m, r: np.linalg.solve(np.tril(m), r), [M, R]),
    ("triangular_solve upper", lambda m, r: L.triangular_solve(m, r, lower=False),
     lambda m, r: np.linalg.solve(np.triu(m), r), [M, R]),
    ("triangular_solve adjoint", lambda m, r: L.triangular_solve(m, r, adjoint=True),
     lambda m, r: np.linalg.solve(np.tril(m).T, r), [M, R]),
    ("triangular_solve batch", L.triangular_solve, lambda b, r: np.linalg.solve(np.tril(b), r),
     [B, np.stack([R, R + 1])]),
    ("cholesky", lambda m: L.cholesky(spd(m)), lambda m: np.linalg.cholesky(np_spd(m)), [M]),
    ("cholesky batch", lambda m: L.cholesky(spd(m)), lambda m: np.linalg.cholesky(np_spd(m)), [B]),
    ("cholesky_solve", lambda m, r: L.cholesky_solve(L.cholesky(spd(m)), r),
     lambda m, r: np.linalg.solve(np_spd(m), r), [M, R]),
    ("lstsq", L.lstsq, lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], [TALL, rng.normal(size=(4, 3))]),
    ("lstsq wide", L.lstsq, lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], [WIDE, rng.normal(size=(2, 3))]),
    ("lstsq regularized", lambda a, b: L.lstsq(a, b, l2_regularizer=0.5),
     lambda a, b: np.linalg.solve(a.T @ a + 0.5 * np.eye(2), a.T @ b), [TALL, rng.normal(size=(4, 3))]),
    ("lstsq slow", lambda a, b: L.lstsq(a, b, fast=False), lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0],
     [TALL, rng.normal(size=(4, 3))]),
    ("det", L.det, np.linalg.det, [M]),
    ("det batch", L.det, np.linalg.det, [B]),
    ("logdet", lambda m: L.logdet(spd(m)), lambda m: np.linalg.slogdet(np_spd(m))[1], [B]),
    ("slogdet", L.slogdet, lambda m: list(np.linalg.slogdet(m)), [-M]),
    ("eigh", lambda m: (L.eigh(sym(m))[0], abs(L.eigh(sym(m))[1])),
     lambda m: [np.linalg.eigh(np_sym(m))[0], abs(np.linalg.eigh(np_sym(m))[1])], [B]),
    ("eigvalsh", L.eigvalsh, np.linalg.eigvalsh, [np_sym(M)]),
    ("eigvals of a real spectrum", lambda m: tensors.real(L.eigvals(m)), lambda m: np.linalg.eigvals(m).real,
     [np.diag([1.0, 2.0, 4.0]) + 0.1 * M]),
    ("eig", eig_parts, eig_reference, [np.array([[0.0, 2.0, 0.3], [-1.0, 0.5, 0.1], [0.2, 0.4, 3.0]])]),
    ("svd values", lambda m: L.svd(m, compute_uv=False), lambda m: np.linalg.svd(m)[1], [TALLS]),
    ("svd tall", svd_up_to_sign, np_svd, [TALL]),
    ("svd wide", svd_up_to_sign, np_svd, [WIDE]),
    ("svd product", svd_product, np_product, [TALLS]),
    ("qr", L.qr, lambda m: list(np.linalg.qr(m)), [TALLS]),
    ("qr square", lambda m: L.qr(m, full_matrices=True), lambda m: list(np.linalg.qr(m)), [M]),
    ("expm", L.expm, scipy.linalg.expm, [M]),
    ("expm batch", L.expm, scipy.linalg.expm, [B]),
    ("trace", L.trace, lambda m: np.trace(m, axis1=-2, axis2=-1), [B]),
    ("diag", L.diag, stacked(np.diag), [R]),
    ("diag k", lambda v: L.diag(v, k=-2), lambda v: np.diag(v, -2), [V]),
    ("diag_part", L.diag_part, stacked(np.diag), [TALLS]),
    ("diag_part k", lambda m: L.diag_part(m, k=1), lambda m: np.diag(m, 1), [WIDE]),
    ("diag_part -k", lambda m: L.diag_part(m, k=-1), lambda m: np.diag(m, -1), [TALL]),
    ("set_diag", L.set_diag, lambda m, d: m - np.diag(np.diag(m)) + np.diag(d), [M, V]),
    ("set_diag k", lambda m, d: L.set_diag(m, d, k=1), lambda m, d: m - np.diag(np.diag(m, 1), 1) + np.diag(d, 1),
     [M, V[:2]]),
    ("band_part", lambda m: L.band_part(m, 1, 0), lambda m: np.tril(np.triu(m, -1)), [TALLS]),
    ("band_part all", lambda m: L.band_part(m, -1, 1), lambda m: np.tril(m, 1), [TALLS]),
    ("tensor_diag", L.tensor_diag, lambda m: np.diag(m.ravel()).reshape(m.shape * 2), [R]),
    ("tensor_diag_part", L.tensor_diag_part, lambda t: np.einsum("ijij->ij", t), [rng.normal(size=(2, 3, 2, 3))]),
    ("adjoint", L.adjoint, lambda m: np.swapaxes(m, -1, -2), [TALLS]),
    ("matrix_transpose", L.matrix_transpose, lambda m: np.swapaxes(m, -1, -2), [TALLS]),
    ("norm", L.norm, np.linalg.norm, [M]),
    ("norm axis", lambda m: L.norm(m, axis=-1), lambda m: np.linalg.norm(m, axis=-1), [TALLS]),
    ("norm keepdims", lambda m: L.norm(m, axis=1, keepdims=True), lambda m: np.linalg.norm(m, axis=1, keepdims=True),
     [TALLS]),
    ("norm all 1", lambda m: L.norm(m, ord=1), lambda m: abs(m).sum(), [M]),
    ("norm 1", lambda m: L.norm(m, ord=1, axis=1), lambda m: np.linalg.norm(m, 1, axis=1), [M]),
    ("norm inf", lambda m: L.norm(m, ord=np.inf), lambda m: abs(m).max(), [M]),
    ("norm 3", lambda m: L.norm(m, ord=3, axis=0), lambda m: np.linalg.norm(m, 3, axis=0), [M]),
    ("norm 2.5", lambda m: L.norm(m, ord=2.5, axis=[0]), lambda m: np.linalg.norm(m, 2.5, axis=0), [M]),
    ("norm fro", lambda m: L.norm(m, "fro", axis=[-2, -1]), lambda m: np.linalg.norm(m, "fro", axis=(-2, -1)), [TALLS]),
    ("norm matrix 1", lambda m: L.norm(m, 1, axis=[0, 1]), lambda m: np.linalg.norm(m, 1), [M]),
    ("norm matrix inf", lambda m: L.norm(m, np.inf, axis=(0, 1), keepdims=True),
     lambda m: np.linalg.norm(m, np.inf, keepdims=True), [M]),
    ("norm matrix 2", lambda m: L.norm(m, 2, axis=[1, 2], keepdims=True),
     lambda m: np.linalg.norm(m, 2, axis=(1, 2), keepdims=True), [TALLS]),
    ("normalize", lambda m: L.normalize(m, axis=0),
     lambda m: [m / np.linalg.norm(m, axis=0), np.linalg.norm(m, axis=0, keepdims=True)], [M]),
    ("l2_normalize", lambda m: L.l2_normalize(m, 1), lambda m: m / np.linalg.norm(m, axis=1, keepdims=True), [M]),
    ("cross", L.cross, np.cross, [M, B[0]]),
    ("operator full", lambda m, r: L.LinearOperatorFullMatrix(m).solve(L.LinearOperatorFullMatrix(m).matmul(r)),
     lambda m, r: r, [M, R]),
    ("operator diag", lambda d, r: L.LinearOperatorDiag(d) @ r, lambda d, r: np.diag(d) @ r, [V, R]),
    ("operator diag solve", lambda d, r: L.LinearOperatorDiag(d).solve(r), lambda d, r: r / d[:, None], [V, R]),
    ("operator matvec", lambda m, v: L.LinearOperatorFullMatrix(m).matvec(v, adjoint=True), lambda m, v: m.T @ v,
     [M, V]),
    ("operator solvevec", lambda m, v: L.LinearOperatorFullMatrix(m).solvevec(v), np.linalg.solve, [M, V]),
]  # fmt: skip


def bands(m, low, high, align="RIGHT_LEFT", padding=0.0):
    """The diagonals of a band, the highest first, filled up to one length."""
    rows = [np.diagonal(m, k, -2, -1) for k in range(high, low - 1, -1)]
    n = max(r.shape[-1] for r in rows)
    for i, k in enumerate(range(high, low - 1, -1)):
        fill = np.full((*rows[i].shape[:-1], n - rows[i].shape[-1]), padding)
        left = align.split("_")[0 if k >= 0 else 1] == "LEFT"
        rows[i] = np.concatenate([rows[i], fill] if left else [fill, rows[i]], -1)
    return np.stack(rows, -2)


def np_set_diag(m, d, low, high, align="RIGHT_LEFT"):
    """The matrices with a band from d: element by element, each diagonal where `bands` would find it."""
    out, n = m.copy(), d.shape[-1]
    for at in np.ndindex(*m.shape):
        i, j = at[-2:]
        k = j - i
        if low <= k <= high:
            short = n - np.diagonal(m, k, -2, -1).shape[-1]
            left = align.split("_")[0 if k >= 0 else 1] == "LEFT"
            out[at] = d[(*at[:-2], high - k, min(i, j) + (0 if left else short))]
    return out


BANDS = rng.normal(size=(2, 3, 3))
KNOWN = [
    ("tridiagonal_solve sequence", lambda a, b, c, r: L.tridiagonal_solve([a, b, c], r, "sequence"),
     lambda a, b, c, r: np.linalg.solve(np.diag(b) + np.diag(a, 1) + np.diag(c, -1), r),
     [TRI[0, 0, :3], TRI[0, 1], TRI[0, 2, 1:], RIGHT[0]]),
    *(
        (f"{name} band {align}", f, reference, arrays)
        for align in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")
        for name, f, reference, arrays in [
            ("diag_part", lambda m, align=align: L.diag_part(m, k=(-2, 1), padding_value=7, align=align),
             lambda m, align=align: bands(m, -2, 1, align, 7.0), [TALLS]),
            ("set_diag", lambda m, d, align=align: L.set_diag(m, d, k=(-1, 1), align=align),
             lambda m, d, align=align: np_set_diag(m, d, -1, 1, align), [TALLS, BANDS]),
            ("diag", lambda d, align=align: L.diag(d, k=(-1, 1), padding_value=2, align=align),
             lambda d, align=align: np_set_diag(np.full((2, 3, 3), 2.0), d, -1, 1, align), [BANDS]),
        ]
    ),
    ("diag band above", lambda d: L.diag(d, k=(1, 2)),
     lambda d: np.diag(d[1], 1) + np.diag(d[0, 1:], 2), [BANDS[0, :2]]),
    ("diag rows", lambda v: L.diag(v, k=1, num_rows=3), lambda v: np.diag(v, 1)[:3], [V]),
    ("diag columns", lambda v: L.diag(v, k=1, num_cols=6, padding_value=5.0),
     lambda v: np_set_diag(np.full((3, 6), 5.0), v[None], 1, 1), [V]),
    ("qr wide", L.qr, lambda m: list(np.linalg.qr(m)), [WIDE]),
    ("operator blocks",
     lambda m, d, r: L.LinearOperatorBlockDiag([L.LinearOperatorFullMatrix(m), L.LinearOperatorDiag(d)]).matmul(r),
     lambda m, d, r: scipy.linalg.block_diag(m, np.diag(d)) @ r, [M, V[:2], rng.normal(size=(5, 2))]),
    ("operator blocks dense",
     lambda m, d: L.LinearOperatorBlockDiag([L.LinearOperatorFullMatrix(m), L.LinearOperatorDiag(d)]).to_dense(),
     lambda m, d: scipy.linalg.block_diag(m, np.diag(d)), [M, V[:2]]),
    ("operator blocks solve",
     lambda m, d, r: L.LinearOperatorBlockDiag([L.LinearOperatorFullMatrix(m), L.LinearOperatorDiag(d)]).solve(r),
     lambda m, d, r: np.linalg.solve(scipy.linalg.block_diag(m, np.diag(d)), r), [M, V[:2], rng.normal(size=(5, 2))]),
]  # fmt: skip


def names(table):
    return [row[0] for row in table]


def same(found, expected):
    found, expected = (list(v) if isinstance(v, list | tuple) else [v] for v in (found, expected))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("label", "f", "reference", "arrays"), TABLE + KNOWN, ids=names(TABLE + KNOWN))
def test_value(label, f, reference, arrays):
    same(f(*map(convert, arrays)), reference(*arrays))


@pytest.mark.parametrize("sizes", ["known", "unknown"])
@pytest.mark.parametrize(("label", "f", "reference", "arrays"), TABLE, ids=names(TABLE))
def test_value_in_graph(label, f, reference, arrays, sizes, static):
    if sizes == "unknown" and label.startswith("lstsq") and "slow" not in label:
        pytest.skip("which normal equations to take depends on the sizes")
    same(static(f, arrays, sizes), reference(*arrays))


@pytest.mark.parametrize(("label", "f", "reference", "arrays"), KNOWN, ids=names(KNOWN))
def test_value_in_graph_of_known_sizes(label, f, reference, arrays, static):
    same(static(f, arrays, "known"), reference(*arrays))


@pytest.mark.parametrize(("label", "f", "reference", "arrays"), TABLE + KNOWN, ids=names(TABLE + KNOWN))
def test_derivatives(label, f, reference, arrays, derivatives):
    derivatives((lambda m: L.eigvalsh(sym(m))) if label == "eigvalsh" else f, arrays)


@pytest.mark.parametrize(
    "f",
    [L.inv, L.pinv, L.det, L.expm, lambda m: L.cholesky(spd(m)), lambda m: L.svd(m, compute_uv=False), L.qr],
    ids=["inv", "pinv", "det", "expm", "cholesky", "svd", "qr"],
)
def test_gradient_in_a_graph_of_unknown_sizes(f, static):
    def g(m):
        y = f(m)
        return tensors_gradient(y[1] if isinstance(y, tuple) else y, m)

    def tensors_gradient(y, m):
        from wengert.derive.request import request

        return request([tensors.sum(y * y, axis=None, keepdims=False)], [m], [None])[0]

    def eager(m):
        m = convert(m)
        with GradientTape() as tape:
            tape.watch(m)
            y = f(m)
            y = y[1] if isinstance(y, tuple) else y
            s = tensors.sum(y * y, axis=None, keepdims=False)
        return tape.gradient(s, m)

    same(static(g, [M], "unknown"), [eager(M)])


Z = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)) + 2 * np.eye(3)
ZR = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))


def herm(z):
    return mm(z, L.adjoint(z)) + L.eye(3, dtype="complex128")


COMPLEX = [
    ("inv", L.inv, np.linalg.inv, [Z]),
    ("inv adjoint", lambda z: L.inv(z, True), lambda z: np.linalg.inv(z).conj().T, [Z]),
    ("pinv", L.pinv, np.linalg.pinv, [ZR]),
    ("solve", L.solve, np.linalg.solve, [Z, ZR]),
    ("solve adjoint", lambda a, b: L.solve(a, b, adjoint=True), lambda a, b: np.linalg.solve(a.conj().T, b), [Z, ZR]),
    ("triangular", lambda a, b: L.triangular_solve(a, b, adjoint=True),
     lambda a, b: np.linalg.solve(np.tril(a).conj().T, b), [Z, ZR]),
    ("cholesky", lambda z: L.cholesky(herm(z)), lambda z: np.linalg.cholesky(z @ z.conj().T + np.eye(3)), [Z]),
    ("det", L.det, np.linalg.det, [Z]),
    ("slogdet", lambda z: L.slogdet(z)[0], lambda z: np.linalg.slogdet(z)[0], [Z]),
    ("logabsdet", lambda z: A.cast(L.slogdet(z)[1], "complex128"), lambda z: np.linalg.slogdet(z)[1] + 0j, [Z]),
    ("eigvals", L.eigvals, np.linalg.eigvals, [Z]),
    ("eigvectors", lambda z: A.cast(abs(L.eig(z)[1]), "complex128"), lambda z: abs(np.linalg.eig(z)[1]) + 0j, [Z]),
    ("eigvalsh", lambda z: A.cast(L.eigvalsh(herm(z)), "complex128"),
     lambda z: np.linalg.eigvalsh(z @ z.conj().T + np.eye(3)) + 0j, [Z]),
    ("svd values", lambda z: A.cast(L.svd(z, compute_uv=False), "complex128"), lambda z: np.linalg.svd(z)[1] + 0j, [Z]),
    ("norm", lambda z: A.cast(L.norm(z), "complex128"), lambda z: np.linalg.norm(z) + 0j, [Z]),
    ("expm", L.expm, scipy.linalg.expm, [Z]),
]  # fmt: skip


@pytest.mark.parametrize(("label", "f", "reference", "arrays"), COMPLEX, ids=names(COMPLEX))
def test_complex(label, f, reference, arrays):
    """The gradient of a real function s of complex z is conj-wise: ds = Re Σ conj(g) dz."""
    same(f(*map(convert, arrays)), reference(*arrays))
    weight = np.random.default_rng(1).normal(size=np.shape(reference(*arrays))) * (1 + 2j)

    def s(*xs):
        return tensors.sum(tensors.real(f(*xs) * convert(weight)), axis=None, keepdims=False)

    xs = [convert(a) for a in arrays]
    with GradientTape() as tape:
        tape.watch(xs)
        y = s(*xs)
    gs = tape.gradient(y, xs)
    direction = [rng.normal(size=a.shape) + 1j * rng.normal(size=a.shape) for a in arrays]
    up, down = (float(s(*[convert(a + h * d) for a, d in zip(arrays, direction, strict=True)])) for h in (1e-6, -1e-6))
    found = sum(np.sum(np.conj(np.asarray(g)) * d).real for g, d in zip(gs, direction, strict=True))
    assert found == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-6)


def test_float32_stays_float32():
    m = convert(M.astype(np.float32))
    for f in (L.inv, L.pinv, L.det, L.logdet, L.cholesky, L.expm, L.norm, L.trace, L.eigvalsh):
        assert f(L.eye(3) + 0.0 * m).dtype == "float32"
    for t in (*L.svd(m), *L.qr(m), *L.slogdet(m), L.lstsq(m, m), L.solve(m, convert(R.astype(np.float32)))):
        assert t.dtype == "float32"
    assert L.eigvals(m).dtype == "complex64"
    assert L.solve(m, R).dtype == "float32" and L.solve(m, convert(R)).dtype == "float64"


def test_full_matrices():
    s, u, v = L.svd(convert(TALL), full_matrices=True)
    assert (s.shape, u.shape, v.shape) == ((2,), (4, 4), (2, 2))
    q, r = L.qr(convert(TALL), full_matrices=True)
    assert (q.shape, r.shape) == ((4, 4), (4, 2))
    same(mm(q, r), TALL)


def test_derivatives_that_are_not_stated_are_refused():
    for f in (lambda m: L.svd(m, full_matrices=True)[1], lambda m: L.qr(m, full_matrices=True)[0]):
        m = convert(TALL)
        with GradientTape() as tape:
            tape.watch(m)
            y = f(m)
        with pytest.raises(NotImplementedError):
            tape.gradient(y, m)
    z = convert(Z)
    for f in (lambda m: L.svd(m)[1], lambda m: L.qr(m)[0]):
        with GradientTape() as tape:
            tape.watch(z)
            y = f(z)
        with pytest.raises(NotImplementedError):
            tape.gradient(y, z)


def test_cholesky_of_what_is_not_positive_definite_is_nan():
    both = np.stack([np.eye(2), -np.eye(2)])
    found = np.asarray(L.cholesky(both))
    np.testing.assert_array_equal(found[0], np.eye(2))
    assert np.isnan(found[1]).all() and np.isnan(np.asarray(L.cholesky(-L.eye(2)))).all()


def test_global_norm_counts_the_rows_of_slices_and_is_smooth_beside_zeros():
    rows = IndexedSlices(A.constant([[3.0]]), A.constant([1]), A.constant([2, 1]))
    x = A.constant([0.0, 4.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = L.global_norm([rows, None, x, A.zeros([2])])
    assert float(y) == 5.0
    np.testing.assert_allclose(tape.gradient(y, x), [0.0, 0.8])


def test_rank_and_operators():
    assert int(L.matrix_rank(convert(TALL @ WIDE))) == 2
    operator = L.LinearOperatorIdentity(2)
    same(operator.to_dense(), np.eye(2))
    same(operator.matvec([1.0, 2.0]), np.array([1.0, 2.0]))
    same(L.LinearOperatorDiag([2.0, 3.0]).determinant(), 6.0)
    assert L.LinearOperatorDiag([2.0, 3.0]).shape == (2, 2)


@pytest.mark.parametrize(
    ("label", "f", "kind"),
    [
        ("inv singular", lambda: L.inv(A.zeros([2, 2])), errors.InvalidArgumentError),
        ("inv ints", lambda: L.inv([[1, 2], [3, 4]]), TypeError),
        ("inv wide", lambda: L.inv(A.ones([2, 3])), errors.InvalidArgumentError),
        ("inv vector", lambda: L.inv([1.0]), errors.InvalidArgumentError),
        ("inv None", lambda: L.inv(None), errors.InvalidArgumentError),
        ("inv string", lambda: L.inv("a"), TypeError),
        ("det", lambda: L.det(A.ones([3, 1])), errors.InvalidArgumentError),
        ("det int", lambda: L.det([[1]]), TypeError),
        ("solve vector", lambda: L.solve(L.eye(2), [1.0, 2.0]), errors.InvalidArgumentError),
        ("solve sizes", lambda: L.solve(L.eye(2), A.ones([3, 1])), errors.InvalidArgumentError),
        ("solve singular", lambda: L.solve(A.zeros([2, 2]), A.ones([2, 1])), errors.InvalidArgumentError),
        ("triangular vector", lambda: L.triangular_solve(L.eye(2), [1.0, 2.0]), errors.InvalidArgumentError),
        ("eigh wide", lambda: L.eigh(A.ones([2, 3])), errors.InvalidArgumentError),
        ("eigh ints", lambda: L.eigvalsh([[1]]), TypeError),
        ("eig wide", lambda: L.eigvals(A.ones([2, 3])), errors.InvalidArgumentError),
        ("svd vector", lambda: L.svd([1.0]), errors.InvalidArgumentError),
        ("svd ints", lambda: L.svd([[1]]), TypeError),
        ("qr vector", lambda: L.qr([1.0]), errors.InvalidArgumentError),
        ("pinv vector", lambda: L.pinv([1.0]), errors.InvalidArgumentError),
        ("expm wide", lambda: L.expm(A.ones([2, 3])), errors.InvalidArgumentError),
        ("trace vector", lambda: L.trace([1.0]), errors.InvalidArgumentError),
        ("diag scalar", lambda: L.diag(1.0), errors.InvalidArgumentError),
        ("diag band", lambda: L.diag([[1.0], [2.0]], k=(0, 2)), errors.InvalidArgumentError),
        ("diag band down", lambda: L.diag_part(L.eye(3), k=(1, 0)), errors.InvalidArgumentError),
        ("diag band outside", lambda: L.diag_part(L.eye(3), k=(0, 3)), errors.InvalidArgumentError),
        ("tridiagonal format", lambda: L.tridiagonal_solve(A.ones([3, 4]), A.ones([4]), "other"), ValueError),
        ("tridiagonal sequence", lambda: L.tridiagonal_solve(A.ones([3, 4]), A.ones([4]), "sequence"), ValueError),
        (
            "tridiagonal perturbed",
            lambda: L.tridiagonal_solve(A.ones([3, 4]), A.ones([4]), partial_pivoting=False, perturb_singular=True),
            ValueError,
        ),
        ("diag align", lambda: L.diag([1.0], align="LEFT"), errors.InvalidArgumentError),
        ("diag rows", lambda: L.diag([1.0, 2.0], num_rows=1), errors.InvalidArgumentError),
        ("diag rows and columns", lambda: L.diag([1.0], num_rows=2, num_cols=2), errors.InvalidArgumentError),
        ("set_diag", lambda: L.set_diag(L.eye(3), [1.0]), errors.InvalidArgumentError),
        ("tensor_diag_part", lambda: L.tensor_diag_part(A.ones([2, 3])), errors.InvalidArgumentError),
        ("norm ord", lambda: L.norm([1.0], ord=-1), ValueError),
        ("norm word", lambda: L.norm([1.0], ord="nuc"), ValueError),
        ("norm matrix ord", lambda: L.norm(L.eye(2), ord=3, axis=[0, 1]), ValueError),
        ("norm axis", lambda: L.norm([1.0], axis=3), ValueError),
        ("norm axes", lambda: L.norm(L.eye(2), axis=[0, 0]), ValueError),
        ("norm ints", lambda: L.norm([1, 2]), TypeError),
        ("cross", lambda: L.cross([1.0, 2.0], [1.0, 2.0]), errors.InvalidArgumentError),
        ("lstsq", lambda: L.lstsq(L.eye(2), A.ones([3, 1])), errors.InvalidArgumentError),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_refuses(label, f, kind):
    with pytest.raises(kind):
        f()
    if label not in ("inv singular", "solve singular"):
        with pytest.raises(kind), Graph().as_default():
            f()


def test_a_lower_triangular_operator():
    a = np.array([[2.0, 9.0], [1.0, -3.0]])
    lower, b = np.tril(a), np.array([[1.0], [4.0]])
    op = L.LinearOperatorLowerTriangular(a, is_non_singular=True)
    np.testing.assert_allclose(op.to_dense(), lower)
    np.testing.assert_allclose(op.solve(b), np.linalg.solve(lower, b))
    np.testing.assert_allclose(op.solve(b, adjoint=True), np.linalg.solve(lower.T, b))
    np.testing.assert_allclose(op.matvec(b[:, 0], adjoint=True), lower.T @ b[:, 0])
    np.testing.assert_allclose([float(op.log_abs_determinant()), float(op.determinant())], [np.log(6.0), -6.0])


# What TensorFlow 2.21 gives.
BAND = np.array([[1.0, 2.0, 9.0], [4.0, 5.0, 6.0], [9.0, 1.0, 2.0]])


def test_tridiagonal_solve_takes_three_formats_and_conjugates():
    expected = [0.20408163265306123, 0.1836734693877551, 0.4387755102040816]
    whole = np.diag(BAND[1]) + np.diag(BAND[0, :-1], 1) + np.diag(BAND[2, 1:], -1)
    rhs = np.array([1.0, 2.0, 3.0])
    for diagonals, kind in (
        (BAND, "compact"),
        (np.where([[0, 0, 1], [0, 0, 0], [1, 0, 0]], np.nan, BAND), "compact"),  # what is outside is not read
        (tuple(BAND), "sequence"),
        ((BAND[0, :-1], BAND[1], BAND[2, 1:]), "sequence"),
        (whole, "matrix"),
    ):
        for pivoting in (True, False):
            found = L.tridiagonal_solve(diagonals, rhs, kind, partial_pivoting=pivoting)
            np.testing.assert_allclose(found, expected, rtol=1e-14)
    found = L.tridiagonal_solve(
        BAND * (1 + 1j), np.array([[1.0, 2.0, 3.0], [2.0, 5.0, 1.0]]) + 1j, transpose_rhs=True, conjugate_rhs=True
    )
    np.testing.assert_allclose(found[:, 1], [-0.23469387755102042j + 0.01020408163265304, 0.459183673469388 - 0.561224489795918j,
                                             -0.153061224489796 + 0.0204081632653061j], rtol=1e-13)  # fmt: skip


def test_tridiagonal_solve_of_singular_matrices_is_nan_and_of_their_neighbours_is_not():
    singular = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    zero_first = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]  # a pivot of zero, and rows to exchange with
    found = L.tridiagonal_solve([singular, BAND.tolist(), zero_first], [[1.0, 2.0, 3.0]] * 3).numpy()
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], [0.20408163, 0.18367347, 0.43877551], rtol=1e-6)
    assert np.isfinite(found[2]).all() or np.isnan(found[2]).all()
    assert np.isnan(L.tridiagonal_solve([[0.0], [0.0], [0.0]], [1.0])).all()
    assert L.tridiagonal_solve(np.zeros((3, 0)), np.zeros(0)).shape == (0,)


def test_many_equations_are_solved_in_the_room_of_their_diagonals():
    n = 200_000  # as a dense matrix: 320 GB
    d = np.stack([np.ones(n), np.full(n, -2.5), np.ones(n)])
    x = np.sin(np.arange(n) / 1000.0)[:, None]
    np.testing.assert_allclose(L.tridiagonal_solve(d, L.tridiagonal_matmul(d, x)), x, atol=1e-12)
    with GradientTape() as tape:
        t = convert(d)
        tape.watch(t)
        total = tensors.sum(L.tridiagonal_solve(t, x), axis=None, keepdims=False)
    assert tape.gradient(total, t).shape == (3, n)


def test_lu_orders_rows_as_tensorflow_does():
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]])
    found = L.lu(np.stack([a, a[::-1]]))
    assert found.p.numpy().tolist() == [[2, 0, 1], [0, 2, 1]]
    assert found.p.dtype.name == "int32"
    assert L.lu(a, output_idx_type="int64").p.dtype.name == "int64"
    expected = [[7.0, 8.0, 10.0], [0.14285714285714285, 0.8571428571428572, 1.5714285714285716], [0.5714285714285714, 0.5, -0.5]]
    np.testing.assert_allclose(found.lu[0], expected, rtol=1e-14)
    with pytest.raises(errors.InvalidArgumentError, match="not invertible"):
        L.lu(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="square"):
        L.lu(a[:2])
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        L.lu_solve(*L.lu(a), [1.0, 2.0, 3.0])


# What TensorFlow 2.21 gives for two singular matrices, one that is not, and zeros.
SINGULAR = np.array([
    [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[-1.0, -1.0, 0.0], [1.0, 2.0, 1.0], [0.0, -1.0, -1.0]],
    [[1.0, 2.0, 9.0], [4.0, 5.0, 6.0], [9.0, 1.0, 2.0]], np.zeros((3, 3)),
])  # fmt: skip
SIDES = np.array([[1.0, 2.0, 3.0], [1.0, -2.0, 0.5], [1.0, 2.0, 3.0], [0.0, -1.0, 2.0]])
PERTURBED = [
    [-9007199254740992.0, 3.0, -1.0], [-2251799813685247.5, -2251799813685248.5, -2251799813685248.0],
    [0.20408163265306123, 0.18367346938775508, 0.4387755102040816], [0.0, -4.49423283715579e307, 2.9961552247705263e307],
]  # fmt: skip
PERTURBED_BY_SIDES = [
    [4503599627370498.0, -1.0, -4503599627370496.0], [2251799813685250.0, 2251799813685249.0, 2251799813685248.0],
    [0.2142857142857143, 0.14285714285714282, -0.21428571428571425],
    [4.49423283715579e307, 2.247116418577895e307, -4.49423283715579e307],
]  # fmt: skip
PERTURBED_BY_DIAGONALS = [
    [[-1.3510798882111494e16, -1.0, 0.0], [4.056481920730336e31, 3.0, -4503599627370496.0],
     [0.0, -9007199254740992.0, 1.3510798882111488e16]],
    [[5.070602400912923e30, 5.07060240091292e30, 0.0], [5.070602400912921e30, 5.070602400912921e30, 5.070602400912918e30],
     [0.0, 5.070602400912919e30, 5.070602400912919e30]],
    [[-0.039358600583090375, -0.06268221574344021, 0.0],
     [-0.04373177842565598, -0.026239067055393576, 0.09402332361516033], [0.0, -0.02915451895043731, 0.03935860058309037]],
]  # fmt: skip


@pytest.mark.parametrize("executor", ["eager", "numpy", "xla", "auto"])
def test_tridiagonal_solve_moves_the_pivots_of_singular_matrices(executor):
    def f(d, b):
        return L.tridiagonal_solve(d, b, perturb_singular=True)

    if executor in ("xla", "auto"):
        pytest.importorskip("jax")
    before = config.get_executor()
    try:
        if executor != "eager":
            config.set_executor(executor)
            f = function(f)
        for _ in range(3):
            with GradientTape() as tape:
                d, b = convert(SINGULAR), convert(SIDES)
                tape.watch([d, b])
                x = f(d, b)
                y = tensors.sum(x * convert([1.0, 0.5, -1.0], like=x), axis=None, keepdims=False)
            by_diagonals, by_sides = tape.gradient(y, [d, b])
            np.testing.assert_allclose(x, PERTURBED, rtol=1e-14)
            np.testing.assert_allclose(by_sides, PERTURBED_BY_SIDES, rtol=1e-14)
            np.testing.assert_allclose(by_diagonals[:3], PERTURBED_BY_DIAGONALS, rtol=1e-13)  # of the fourth it overflows
    finally:
        config.set_executor(before)


def test_a_perturbed_solution_is_an_eigenvector():
    """By inverse iteration, at a distance from the eigenvalue that rounding makes; several at once, complex ones too."""
    n = 40
    k = np.arange(1.0, 4.0)[:, None]
    exact = np.sin(k * np.pi * np.arange(1, n + 1) / (n + 1))
    values = 2.0 - 2.0 * np.cos(k * np.pi / (n + 1))
    d = np.stack([-np.ones((3, n)), np.full((3, n), 2.0) - values, -np.ones((3, n))], axis=1)
    for turn in (1.0, 1j):
        x = np.ones((3, n)) + np.arange(n)
        for _ in range(2):
            x = L.tridiagonal_solve(turn * d, turn * x, perturb_singular=True).numpy()
            x = (x / np.linalg.norm(x, axis=-1, keepdims=True)).real
        along = np.abs(np.sum(x * exact, axis=-1)) / np.linalg.norm(exact, axis=-1)
        np.testing.assert_allclose(along, 1.0, rtol=1e-12)


def test_complex_pivots_are_moved_along_the_real_axis():
    found = L.tridiagonal_solve(SINGULAR[:3] * (1 + 1j), SIDES[:3] + 0.5j, conjugate_rhs=True, perturb_singular=True)
    expected = [
        [-6369051672525772.0, 1.25 - 1.75j, -0.5 + 0.5j],
        [-1592262918131442.5 - 4776788754394330j, -1592262918131443.2 - 4776788754394329j, -1592262918131443 - 4776788754394329j],
        [0.04591836734693878 - 0.15816326530612246j, 0.0663265306122449 - 0.11734693877551021j,
         0.18622448979591835 - 0.25255102040816324j],
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_one_equation_whose_factor_is_zero():
    none = np.zeros((3, 1))
    # TensorFlow's: the pivot is moved by the least normal number, and on until nothing overflows.
    found = L.tridiagonal_solve(np.stack([none, none]), np.array([[0.0], [2.0]]), perturb_singular=True)
    np.testing.assert_allclose(found, [[0.0], [2.9961552247705263e307]], rtol=1e-15)
    assert L.tridiagonal_solve(np.zeros((3, 0)), np.zeros(0), perturb_singular=True).shape == (0,)
