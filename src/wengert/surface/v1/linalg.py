"""TensorFlow 1's ``tf.linalg``, and its older names."""

from __future__ import annotations

from typing import Any

from wengert.functions import linalg as two
from wengert.surface.linalg import (
    LinearOperator,
    LinearOperatorBlockDiag,
    LinearOperatorDiag,
    LinearOperatorFullMatrix,
    LinearOperatorIdentity,
    adjoint,
    band_part,
    cholesky,
    cholesky_solve,
    cross,
    det,
    diag,
    diag_part,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    expm,
    eye,
    global_norm,
    inv,
    logdet,
    logm,
    lstsq,
    matrix_rank,
    matrix_transpose,
    normalize,
    pinv,
    qr,
    set_diag,
    slogdet,
    solve,
    sqrtm,
    svd,
    tensor_diag,
    tensor_diag_part,
    trace,
    triangular_solve,
    tridiagonal_matmul,
    tridiagonal_solve,
)
from wengert.surface.v1.keywords import renamed

__all__ = [
    "LinearOperator",
    "LinearOperatorBlockDiag",
    "LinearOperatorDiag",
    "LinearOperatorFullMatrix",
    "LinearOperatorIdentity",
    "adjoint",
    "band_part",
    "cholesky",
    "cholesky_solve",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "logm",
    "lstsq",
    "matrix_rank",
    "matrix_solve_ls",
    "matrix_transpose",
    "norm",
    "normalize",
    "pinv",
    "qr",
    "self_adjoint_eig",
    "self_adjoint_eigvals",
    "set_diag",
    "slogdet",
    "solve",
    "sqrtm",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "trace",
    "triangular_solve",
    "tridiagonal_matmul",
    "tridiagonal_solve",
]


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: str | None = None, keep_dims: Any = None
) -> Any:
    """Return a norm of vectors or matrices."""
    return two.norm(tensor, ord, axis, renamed("keepdims", keepdims, "keep_dims", keep_dims, False), name)


def l2_normalize(x: Any, axis: Any = None, epsilon: Any = 1e-12, name: str | None = None, dim: Any = None) -> Any:
    """Return x over its Euclidean norm."""
    return two.l2_normalize(x, renamed("axis", axis, "dim", dim), epsilon, name)


def matrix_solve_ls(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None) -> Any:
    """Solve a least-squares problem."""
    return two.lstsq(matrix, rhs, l2_regularizer, fast, name)


self_adjoint_eig, self_adjoint_eigvals = two.eigh, two.eigvalsh
