"""TensorFlow's ``tf.linalg``: matrices are the last two axes, all axes before them a batch."""

from __future__ import annotations

import builtins
import math
from typing import Any, NamedTuple

import numpy as np

from wengert.functions import array
from wengert.functions.array import eye
from wengert.functions.math import named
from wengert.ground import checks, dtypes, shapes
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.ground.shapes import ShapeLike, axis_of
from wengert.ground.types import Array
from wengert.modes.slices import IndexedSlices
from wengert.ops import contraction, elementwise, linear, reduction
from wengert.ops import linalg as ops
from wengert.ops.op import Op
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, apply, cast, coerce, convert, tensors


class Qr(NamedTuple):
    """The factors of `qr`."""

    q: Any
    r: Any


class LogMatrixDeterminant(NamedTuple):
    """The result of `slogdet`."""

    sign: Any
    log_abs_determinant: Any


class Lu(NamedTuple):
    """The result of `lu`."""

    lu: Any
    p: Any


def _apply(op: Op, inputs: Any, attrs: dict[str, Any] | None = None, name: str | None = None) -> Any:
    return array._checked(op, inputs, attrs or {}, name)


def _pair(op: Op, a: TensorLike, b: TensorLike) -> Any:
    """Return two matrices as tensors of one dtype."""
    pair = coerce(elementwise.MULTIPLY, a, b)
    if pair is None:
        raise DTypeError(f"{op.type} takes tensors, not {a!r} and {b!r}.")
    return pair


def _matmul(a: TensorLike, b: TensorLike, ta: bool = False, tb: bool = False) -> Any:
    return apply(contraction.MATMUL, (a, b), {"ta": ta, "tb": tb})


def _sum(x: TensorLike, axis: AxisLike | None, keepdims: bool = False) -> Any:
    return apply(reduction.SUM, (x,), {"axis": axis, "keepdims": keepdims})


def _max(x: TensorLike, axis: AxisLike | None, keepdims: bool = False) -> Any:
    return apply(reduction.MAX, (x,), {"axis": axis, "keepdims": keepdims})


def _abs(x: TensorLike) -> Any:
    return apply(elementwise.ABS, (x,))


def _sqrt(x: TensorLike) -> Any:
    return apply(elementwise.SQRT, (x,))


def _conj(x: Any) -> Any:
    return apply(elementwise.CONJ, (x,)) if x.nptype.kind == "c" else x


# --- transposes and diagonals ---------------------------------------------------------------------------------------


def matrix_transpose(a: TensorLike, name: str | None = "matrix_transpose", conjugate: bool = False) -> Any:
    """Return the matrices transposed; ``conjugate``: and conjugated.

    >>> import wengert as tf
    >>> tf.linalg.matrix_transpose([[1, 2], [3, 4]]).numpy().tolist()
    [[1, 3], [2, 4]]
    """
    result = apply(linear.MATRIX_TRANSPOSE, (convert(a),))
    return _conj(result) if checks.flag(conjugate, "matrix_transpose", "conjugate") else result


def adjoint(matrix: TensorLike, name: str | None = None) -> Any:
    """Return the conjugate transpose."""
    return matrix_transpose(matrix, conjugate=True)


def _band(k: TensorLike, align: str, what: str) -> tuple[int, int]:
    """Return the lowest and the highest of the diagonals that k names: one number, or two."""
    if align not in ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT"):
        raise InvalidArgumentError(f"{what}: align is RIGHT_LEFT, LEFT_RIGHT, LEFT_LEFT or RIGHT_RIGHT, not {align!r}.")
    numbers = array.integers_of(k, "k")
    if len(numbers) > 2 or not numbers:
        raise ShapeError(f"{what}: k is a diagonal's number, or the lowest and the highest, not {k!r}.")
    if numbers[0] > numbers[-1]:
        raise InvalidArgumentError(f"{what}: lower_diag_index must not be larger than upper_diag_index: {list(numbers)}.")
    return numbers[0], numbers[-1]


def _is_plain(**given: Any) -> bool:
    """Return whether all these are TensorFlow's defaults."""
    defaults = {"num_rows": -1, "num_cols": -1, "padding_value": 0}
    return all(isinstance(v, int | float) and v == defaults[name] for name, v in given.items())


def _places(rows: int, columns: int, band: tuple[int, int], align: str, what: str) -> Any:
    """Return where the diagonals of a band stand: their rows and columns, and which of them exist.

    Each is an array with a row for each diagonal, the highest first, as long as the longest; the shorter ones are filled up
    on the side that ``align`` says, of those above the main one and of those below it.
    """
    low, high = band
    if (rows or columns) and not (-rows < low and high < columns):
        raise InvalidArgumentError(f"{what}: there is no diagonal {low if low <= -rows else high} of ({rows}, {columns}).")
    above, below = (side == "LEFT" for side in align.split("_"))
    offsets = np.arange(high, low - 1, -1)[:, None]
    lengths = np.minimum(rows + np.minimum(offsets, 0), columns - np.maximum(offsets, 0))
    left = ((offsets >= 0) & above) | ((offsets <= 0) & below)
    place = np.arange(lengths.max(initial=0)) - np.where(left, 0, lengths.max(initial=0) - lengths)
    return place + np.maximum(-offsets, 0), place + np.maximum(offsets, 0), (place >= 0) & (place < lengths)


def _picked(x: Any, axes: int, index: Any, exists: Any, otherwise: Any) -> Any:
    """Return the elements of the last axes at indices, as if these were one, and others where there is none."""
    lead = x.ndim - axes
    head = [array.shape(x)[i] if s is None else s for i, s in enumerate(x.sizes[:lead])]
    count = -1 if None in x.sizes[:lead] else math.prod(x.sizes[:lead])
    flat = array.reshape(x, [count, math.prod(x.sizes[lead:])])
    found = array.gather(flat, np.where(exists, index, 0).ravel().astype(np.int32), axis=1)
    return array.where(exists, array.reshape(found, [*head, *index.shape]), otherwise)


def _known(x: Any, axes: int, what: str) -> Any:
    if x.sizes is None or len(x.sizes) < axes or None in x.sizes[len(x.sizes) - axes :]:
        raise ShapeError(f"{what}: the last {axes} axes must be there and of known sizes, and the shape is {x.shape}.")
    return x


def _from_diagonals(
    diagonal: Array, rows: int, columns: int, band: tuple[int, int], align: str, otherwise: Any, what: str
) -> Any:
    """Return matrices with the diagonals of a band, and others elsewhere."""
    axes = 1 if band[0] == band[1] else 2
    down, across, exists = _places(rows, columns, band, align, what)
    given = _known(diagonal, axes, what).sizes[diagonal.ndim - axes :]
    if given != exists.shape[2 - axes :]:
        raise InvalidArgumentError(f"{what}: the diagonals have shape {list(exists.shape[2 - axes :])}, not {list(given)}.")
    index, there = np.zeros((rows, columns), np.int64), np.zeros((rows, columns), bool)
    index[down[exists], across[exists]] = np.flatnonzero(exists)
    there[down[exists], across[exists]] = True
    return _picked(diagonal, axes, index, there, otherwise)


def diag(
    diagonal: TensorLike,
    name: str | None = "diag",
    k: TensorLike = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: int = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Return matrices with the last axis on the k-th diagonal, and ``padding_value`` elsewhere; square unless sizes are given.

    With k = (low, high) the last two axes hold several diagonals, the highest first. Shorter ones are filled up on the left
    ("RIGHT") or the right ("LEFT"), as ``align`` says of those above the main one and of those below it.

    Raises:
        InvalidArgumentError: (a ValueError) for sizes that do not fit the diagonals.

    >>> import wengert as tf
    >>> tf.linalg.diag([1, 2]).numpy().tolist()
    [[1, 0], [0, 2]]
    >>> tf.linalg.diag([[0, 1], [2, 3]], k=(0, 1)).numpy().tolist()
    [[2, 1], [0, 3]]
    """
    x, band = convert(diagonal), _band(k, align, "diag")
    if band[0] == band[1] and _is_plain(num_rows=num_rows, num_cols=num_cols, padding_value=padding_value):
        return _apply(linear.DIAG, (x,), {"k": band[0]})
    rows, columns = array.integer_of(num_rows, "num_rows"), array.integer_of(num_cols, "num_cols")
    longest = _known(x, 1, "diag").sizes[-1]
    least = longest - min(band[1], 0), longest + max(band[0], 0)
    if rows == columns == -1:
        rows = columns = max(least)
    rows, columns = least[0] if rows == -1 else rows, least[1] if columns == -1 else columns
    if rows < least[0] or columns < least[1] or (rows > least[0] and columns > least[1]):
        raise InvalidArgumentError(f"diag: matrices of ({rows}, {columns}) do not fit diagonals {band} of {longest} elements.")
    padding = convert(padding_value, like=x)
    return named(_from_diagonals(x, rows, columns, band, align, padding, "diag"), name)


def diag_part(
    input: TensorLike, name: str | None = "diag_part", k: TensorLike = 0, padding_value: int = 0, align: str = "RIGHT_LEFT"
) -> Any:
    """Return the k-th diagonal of the matrices, or with k = (low, high) several, as `diag` takes them.

    >>> import wengert as tf
    >>> tf.linalg.diag_part([[1, 2], [3, 4]]).numpy().tolist()
    [1, 4]
    >>> tf.linalg.diag_part([[1, 2], [3, 4]], k=(-1, 0)).numpy().tolist()
    [[1, 4], [3, 0]]
    """
    x, band = convert(input), _band(k, align, "diag_part")
    if band[0] == band[1]:
        return _apply(linear.DIAG_PART, (x,), {"k": band[0]})
    rows, columns = _known(x, 2, "diag_part").sizes[-2:]
    down, across, exists = _places(rows, columns, band, align, "diag_part")
    return named(_picked(x, 2, down * columns + across, exists, convert(padding_value, like=x)), name)


def set_diag(
    input: TensorLike, diagonal: TensorLike, name: str | None = "set_diag", k: TensorLike = 0, align: str = "RIGHT_LEFT"
) -> Any:
    """Return the matrices with another k-th diagonal, or with k = (low, high) several, as `diag` takes them."""
    x, d = _pair(linear.SET_DIAG, input, diagonal)
    band = _band(k, align, "set_diag")
    if band[0] == band[1]:
        return _apply(linear.SET_DIAG, (x, d), {"k": band[0]})
    rows, columns = _known(x, 2, "set_diag").sizes[-2:]
    return named(_from_diagonals(d, rows, columns, band, align, x, "set_diag"), name)


def _three(diagonals: Any, diagonals_format: str, what: str) -> Any:
    """Return three diagonals (..., 3, n), the one above first, of those given in one of TensorFlow's three ways."""
    if not isinstance(diagonals_format, str) or diagonals_format not in ("compact", "matrix", "sequence"):
        raise ValueError(f"{what}: Unrecognized diagonals_format: {diagonals_format}")
    if diagonals_format == "matrix":
        a = convert(diagonals)
        if a.sizes is not None and (len(a.sizes) < 2 or not shapes.fits(a.sizes[-1:], a.sizes[-2:-1])):
            raise ShapeError(f"{what}: Expected last two dimensions of diagonals to be same, and the shape is {a.shape}.")
        above, main, below = (diag_part(a, k=k) for k in (1, 0, -1))
    elif diagonals_format == "compact":
        d = convert(diagonals)
        if d.sizes is None or len(d.sizes) < 2 or d.sizes[-2] not in (None, 3):
            raise ShapeError(f"{what}: Expected 3 diagonals along the axis before the last, and the shape is {d.shape}.")
        return d if d.sizes[-2] == 3 else array.ensure_shape(d, [*d.sizes[:-2], 3, d.sizes[-1]])
    elif not isinstance(diagonals, list | tuple) or len(diagonals) != 3:
        raise ValueError(f"{what}: Expected diagonals to be a sequence of length 3.")
    else:
        above, main, below = (convert(d) for d in diagonals)
    # A diagonal without what stands outside of the matrix gets it.
    n = None if main.sizes is None or not main.sizes else main.sizes[-1]
    short = [
        diagonals_format == "matrix" or (n is not None and t.sizes is not None and t.sizes[-1:] == (n - 1,))
        for t in (above, below)
    ]
    still = array.zeros_like(main[..., :1])
    above = array.concat([above, still], -1) if short[0] else above
    return array.stack([above, main, array.concat([still, below], -1) if short[1] else below], -2)


def tridiagonal_solve(
    diagonals: Any, rhs: TensorLike, diagonals_format: str = "compact", transpose_rhs: bool = False, conjugate_rhs: bool = False,
    name: str | None = None, partial_pivoting: bool = True, perturb_singular: bool = False,
) -> Any:  # fmt: skip
    """Return x with A x = rhs, where A has three diagonals; rhs is one column (..., n) or several (..., n, k).

    It costs a multiple of n. A singular matrix gives NaN, or with `perturb_singular` the solution for a matrix near by.

    Args:
        diagonals: in "compact" format (..., 3, n), the diagonal above the main one first, whose last element and the first of
            the one below are not read; as a "sequence" of the three, each with these or without; as a "matrix" (..., n, n).
        rhs: the right-hand side, with the same axes before as the diagonals.
        diagonals_format: which of these.
        transpose_rhs: several columns are given as (..., k, n).
        conjugate_rhs: the right-hand side is conjugated first.
        name: of the operation.
        partial_pivoting: rows are exchanged where that is needed for a good solution; they are in any case.
        perturb_singular: pivots that would lead to an overflow are moved by ε max |U|, U being the elimination's upper factor,
            and a singular matrix has a large and finite solution, as inverse iteration needs it (LAPACK's xLAGTS).

    Raises:
        ValueError: for shapes that do not fit, and for perturb_singular without partial_pivoting.

    >>> import wengert as tf
    >>> tf.linalg.tridiagonal_solve([[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]], [3.0, 3.0]).numpy().round(6).tolist()
    [1.0, 1.0]
    """
    if perturb_singular and not partial_pivoting:
        raise ValueError("tridiagonal_solve: partial_pivoting must be True if perturb_singular is.")
    d = _three(diagonals, diagonals_format, "tridiagonal_solve")
    b = convert(rhs, like=d)
    rank = d.ndim
    if b.ndim not in (None, rank - 1, rank):
        raise ShapeError(f"tridiagonal_solve: Expected the rank of rhs to be {rank - 1} or {rank}, got {b.ndim}.")
    b = _conj(b) if conjugate_rhs else b
    one = b.ndim == rank - 1
    b = array.expand_dims(b, -1) if one else matrix_transpose(b) if transpose_rhs else b
    if b.sizes is not None and not shapes.fits(d.sizes[:-2], b.sizes[:-2]):
        raise ShapeError(f"tridiagonal_solve: Batch shapes {d.shape[:-2]} and {b.shape[:-2]} are incompatible.")
    x = _apply(ops.TRIDIAGONAL_SOLVE, (d, b), {"adjoint": False, "perturb": bool(perturb_singular)}, name)
    return array.squeeze(x, [-1]) if one else x


def tridiagonal_matmul(diagonals: Any, rhs: TensorLike, diagonals_format: str = "compact", name: str | None = None) -> Any:
    """Return A rhs, where A has three diagonals, given as `tridiagonal_solve` takes them; it costs a multiple of rhs's size.

    >>> import wengert as tf
    >>> tf.linalg.tridiagonal_matmul([[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]], [[1.0], [1.0]]).numpy().tolist()
    [[3.0], [3.0]]
    """
    d = _three(diagonals, diagonals_format, "tridiagonal_matmul")
    x = convert(rhs, like=d)
    if x.ndim is not None and x.ndim != d.ndim:
        raise InvalidArgumentError(f"tridiagonal_matmul: All input tensors must have the same rank, not {d.shape} and {x.shape}.")
    return named(ops.tridiagonal_product(tensors, d, x), name)


def band_part(input: TensorLike, num_lower: Any, num_upper: Any, name: str | None = None) -> Any:
    """Return the matrices with zeros outside of a band: so many diagonals below and above the main one, -1: all.

    >>> import wengert as tf
    >>> tf.linalg.band_part([[1, 2], [3, 4]], -1, 0).numpy().tolist()
    [[1, 0], [3, 4]]
    """
    attrs = {"lower": array.integer_of(num_lower, "num_lower"), "upper": array.integer_of(num_upper, "num_upper")}
    return _apply(linear.BAND_PART, (convert(input),), attrs, name)


def tensor_diag(diagonal: TensorLike, name: str | None = None) -> Any:
    """Return the tensor of shape s + s with result[i..., i...] = diagonal[i...]."""
    x = convert(diagonal)
    flat = apply(linear.DIAG, (array.reshape(x, [-1]),), {"k": 0})
    return array.reshape(flat, _doubled(x, x.sizes))


def _doubled(x: TensorLike, sizes: Any) -> Any:
    if sizes is not None and None not in sizes:
        return [*sizes, *sizes]
    whole = array.shape(x)
    return array.concat([whole, whole], 0)


def tensor_diag_part(input: TensorLike, name: str | None = None) -> Any:
    """Return the tensor of shape s with result[i...] = input[i..., i...], where input has shape s + s.

    Raises:
        ShapeError: (a ValueError) for another shape.
    """
    x = convert(input)
    rank = array._rank_of(x, "tensor_diag_part")
    half = rank // 2
    if rank % 2 or not rank or not shapes.fits(x.sizes[:half], x.sizes[half:]):
        raise ShapeError(f"tensor_diag_part takes a tensor of shape s + s, not {shapes.text(x.sizes)}.")
    whole = shapes.merge(x.sizes[:half], x.sizes[half:])
    sizes: Any = list(whole) if whole is not None and None not in whole else array.shape(x)[:half]
    count = math.prod(sizes) if isinstance(sizes, list) else apply(
        reduction.PROD, (sizes,), {"axis": (0,), "keepdims": False})  # fmt: skip
    flat = apply(linear.DIAG_PART, (array.reshape(x, [count, count]),), {"k": 0})
    return array.reshape(flat, sizes)


def trace(x: TensorLike, name: str | None = None) -> Any:
    """Return the sum of the main diagonal of the matrices."""
    return _sum(diag_part(x), (-1,))


# --- equations ------------------------------------------------------------------------------------------------------


def inv(input: TensorLike, adjoint: bool = False, name: str | None = None) -> Any:
    """Return the inverse of square matrices; ``adjoint``: of their conjugate transpose.

    Raises:
        InvalidArgumentError: (a ValueError) for a singular matrix.

    >>> import wengert as tf
    >>> tf.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy().tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    result = _apply(ops.INVERSE, (convert(input),), name=name)
    return matrix_transpose(result, conjugate=True) if checks.flag(adjoint, "inv", "adjoint") else result


def pinv(a: TensorLike, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Any:
    """Return the Moore-Penrose pseudo-inverse, shape (..., n, m).

    ``rcond``: singular values below this times the greatest count as zero; 10 max(m, n) eps if not given. The
    derivative holds the rank fixed.
    """
    return _apply(ops.PINV, (convert(a),), {"rcond": None if rcond is None else checks.real(rcond, "pinv", "rcond")}, name)


def solve(matrix: TensorLike, rhs: TensorLike, adjoint: bool = False, name: str | None = None) -> Any:
    """Return X with A X = B, or Aᴴ X = B; B has shape (..., n, k).

    Raises:
        InvalidArgumentError: (a ValueError) for a singular matrix.

    >>> import wengert as tf
    >>> tf.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[1.0], [2.0]]).numpy().tolist()
    [[0.5], [0.5]]
    """
    return _apply(ops.SOLVE, _pair(ops.SOLVE, matrix, rhs), {"adjoint": checks.flag(adjoint, "solve", "adjoint")}, name)


def triangular_solve(
    matrix: TensorLike, rhs: TensorLike, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Any:
    """Return X with A X = B, or Aᴴ X = B, where only one triangle of A is read."""
    attrs = {
        "adjoint": checks.flag(adjoint, "triangular_solve", "adjoint"),
        "lower": checks.flag(lower, "triangular_solve", "lower"),
    }
    return _apply(ops.TRIANGULAR_SOLVE, _pair(ops.TRIANGULAR_SOLVE, matrix, rhs), attrs, name)


def cholesky(input: TensorLike, name: str | None = None) -> Any:
    """Return the lower triangular L with A = L Lᴴ, for Hermitian positive definite A; its lower triangle is read.

    NaN stands for a matrix that is not positive definite, as in TensorFlow.
    """
    return _apply(ops.CHOLESKY, (convert(input),), name=name)


def cholesky_solve(chol: Any, rhs: TensorLike, name: str | None = None) -> Any:
    """Return X with L Lᴴ X = B."""
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


def lu(input: TensorLike, output_idx_type: DtypeLike = dtypes.int32, name: str | None = None) -> Lu:
    """Return the factors of square matrices, and the rows' places p: A with its rows in the order of p is L U.

    ``lu`` holds U, and below its diagonal L, whose own diagonal is of ones.

    Raises:
        InvalidArgumentError: (a ValueError) for a singular matrix.

    >>> import wengert as tf
    >>> factors = tf.linalg.lu([[1.0, 3.0], [2.0, 4.0]])
    >>> factors.lu.numpy().tolist(), factors.p.numpy().tolist()
    ([[2.0, 4.0], [0.5, 1.0]], [1, 0])
    """
    packed, place = _apply(ops.LU, (convert(input),), name=name)
    return Lu(packed, cast(place, as_dtype(output_idx_type).numpy))


def _factors(lower_upper: TensorLike) -> tuple[Any, Any, Any]:
    """Return both factors in one matrix, L and U."""
    packed = convert(lower_upper)
    low = set_diag(band_part(packed, -1, 0), array.ones_like(diag_part(packed)))
    return packed, low, band_part(packed, 0, -1)


def _ordered(x: Any, place: Any) -> Any:
    """Return matrices with their rows in another order."""
    n = array._rank_of(place, "perm")
    if n == 1:
        return array.gather(x, place, axis=-2)
    lead = max(n - 1, array._rank_of(x, "perm") - 2)
    batch = array.broadcast_dynamic_shape(array.shape(x)[:-2], array.shape(place)[:-1])
    x = array.broadcast_to(x, array.concat([batch, array.shape(x)[-2:]], 0))
    place = array.broadcast_to(place, array.concat([batch, array.shape(place)[-1:]], 0))
    return array.gather(x, place, axis=lead, batch_dims=lead)


def lu_solve(
    lower_upper: TensorLike, perm: TensorLike, rhs: TensorLike, validate_args: bool = False, name: str | None = None
) -> Any:
    """Return X with A X = B, for the factors that `lu` gives of A; B has shape (..., n, k).

    >>> import wengert as tf
    >>> tf.linalg.lu_solve(*tf.linalg.lu([[1.0, 3.0], [2.0, 4.0]]), [[4.0], [6.0]]).numpy().tolist()
    [[1.0], [1.0]]
    """
    packed, low, up = _factors(lower_upper)
    b = convert(rhs, like=packed)
    if b.ndim is not None and b.ndim < 2:
        raise ShapeError(f"lu_solve: Input `rhs` must have at least 2 dimensions, not shape {b.shape}.")
    return named(triangular_solve(up, triangular_solve(low, _ordered(b, convert(perm))), lower=False), name)


def lu_reconstruct(lower_upper: TensorLike, perm: TensorLike, validate_args: bool = False, name: str | None = None) -> Any:
    """Return A, for the factors that `lu` gives of it.

    >>> import wengert as tf
    >>> tf.linalg.lu_reconstruct(*tf.linalg.lu([[1.0, 3.0], [2.0, 4.0]])).numpy().tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    _, low, up = _factors(lower_upper)
    return named(_ordered(_matmul(low, up), array.argsort(perm, axis=-1)), name)


def lu_matrix_inverse(lower_upper: TensorLike, perm: TensorLike, validate_args: bool = False, name: str | None = None) -> Any:
    """Return A⁻¹, for the factors that `lu` gives of A."""
    packed = convert(lower_upper)
    return lu_solve(packed, perm, diag(array.ones_like(diag_part(packed))), validate_args, name)


def lstsq(matrix: TensorLike, rhs: TensorLike, l2_regularizer: float = 0.0, fast: bool = True, name: str | None = None) -> Any:
    """Return X of least ‖A X - B‖² + λ ‖X‖², or of least norm where A X = B has many solutions.

    ``fast``: by the normal equations, for A of full rank; otherwise by the pseudo-inverse, without λ.
    """
    a, b = _pair(ops.SOLVE, matrix, rhs)
    if not checks.flag(fast, "lstsq", "fast"):
        return _matmul(pinv(a), b)
    if a.sizes is None or None in a.sizes[-2:]:
        raise ShapeError(f"lstsq needs to know the sizes of its matrices, not {shapes.text(a.sizes)}.")
    if len(a.sizes) < 2:
        raise ShapeError(f"lstsq takes matrices, not shape {shapes.text(a.sizes)}.")
    rows, columns = a.sizes[-2:]
    back = matrix_transpose(a, conjugate=True)
    tall = rows >= columns
    square = _matmul(back, a) if tall else _matmul(a, back)
    if not isinstance(l2_regularizer, int | float) or l2_regularizer:
        square = square + convert(l2_regularizer, like=square) * eye(min(rows, columns), dtype=square.dtype)
    factor = cholesky(square)
    return cholesky_solve(factor, _matmul(back, b)) if tall else _matmul(back, cholesky_solve(factor, b))


def det(input: TensorLike, name: str | None = None) -> Any:
    """Return the determinant of square matrices, shape (...).

    >>> import wengert as tf
    >>> tf.linalg.det([[2.0, 0.0], [0.0, 4.0]]).numpy()
    np.float32(8.0)
    """
    return _apply(ops.DET, (convert(input),), name=name)


def slogdet(input: TensorLike, name: str | None = None) -> LogMatrixDeterminant:
    """Return the sign (or phase) of the determinant, and the logarithm of its absolute value."""
    return LogMatrixDeterminant(*_apply(ops.SLOGDET, (convert(input),), name=name))


def logdet(matrix: TensorLike, name: str | None = None) -> Any:
    """Return the logarithm of the determinant of Hermitian positive definite matrices."""
    factor = diag_part(cholesky(matrix))
    real = apply(elementwise.REAL_PART, (factor,)) if factor.nptype.kind == "c" else factor
    return 2.0 * _sum(apply(elementwise.LOG, (real,)), (-1,))


def matrix_rank(a: TensorLike, tol: TensorLike | None = None, validate_args: bool = False, name: str | None = None) -> Any:
    """Return the number of singular values above tol (max(m, n) eps times the greatest, if not given), int32."""
    x = convert(a)
    s = svd(x, compute_uv=False)
    if tol is None:
        if x.sizes is None or None in x.sizes[-2:]:
            raise ShapeError("matrix_rank needs to know the sizes of its matrices.")
        eps = float(np.finfo(s.nptype).eps)
        tol = _max(s, (-1,), True) * (eps * max(x.sizes[-2:]))
    above = apply(elementwise.GREATER, (s, convert(tol, like=s)))
    return _sum(cast(above, dtypes.int32.numpy), (-1,))


# --- decompositions -------------------------------------------------------------------------------------------------


def eigh(tensor: TensorLike, name: str | None = None) -> tuple[Any, Any]:
    """Return the eigenvalues, ascending, and eigenvectors (columns) of Hermitian matrices; the lower triangle is read.

    Derivatives of the vectors suppose that the eigenvalues differ.
    """
    e, v = _apply(ops.EIGH, (convert(tensor),), name=name)
    return e, v


def eigvalsh(tensor: TensorLike, name: str | None = None) -> Any:
    """Return the eigenvalues, ascending, of Hermitian matrices."""
    return eigh(tensor)[0]


def eig(tensor: TensorLike, name: str | None = None) -> tuple[Any, Any]:
    """Return the eigenvalues and eigenvectors (columns of length one) of square matrices; both are complex.

    The phase of a vector is arbitrary: a derivative is that of what does not depend on it.
    """
    e, v = _apply(ops.EIG, (convert(tensor),), name=name)
    return e, v


def eigvals(tensor: TensorLike, name: str | None = None) -> Any:
    """Return the eigenvalues of square matrices, complex; they have derivatives where they differ."""
    return eig(tensor)[0]


def svd(tensor: TensorLike, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Return s, u, v with A = u diag(s) vᴴ, s descending; or s alone.

    Derivatives of u and v are those of real matrices with ``full_matrices=False`` and suppose that the singular values
    differ.
    """
    x = convert(tensor)
    vectors = checks.flag(compute_uv, "svd", "compute_uv")
    whole = checks.flag(full_matrices, "svd", "full_matrices")
    s, u, v = _apply(ops.SVD, (x,), {"full_matrices": whole and vectors}, name)
    return (s, u, v) if vectors else s


def qr(input: TensorLike, full_matrices: bool = False, name: str | None = None) -> Qr:
    """Return q with orthonormal columns and upper triangular r with A = q r.

    Derivatives are those of real matrices, for ``full_matrices=True`` only where A has no more rows than columns.
    """
    x, whole = convert(input), checks.flag(full_matrices, "qr", "full_matrices")
    sizes = x.sizes
    if sizes is not None and len(sizes) > 1 and None not in sizes[-2:] and 0 < sizes[-2] < sizes[-1]:
        # The left square block decides q; the rest of r is qᴴ times the rest of A.
        left, right = array.split(x, [sizes[-2], sizes[-1] - sizes[-2]], axis=-1)
        q, r = _apply(ops.QR, (left,), {"full_matrices": False})
        return Qr(q, array.concat([r, _matmul(matrix_transpose(q, conjugate=True), right)], -1))
    square = sizes is not None and len(sizes) > 1 and None not in sizes[-2:] and sizes[-2] == sizes[-1]
    return Qr(*_apply(ops.QR, (x,), {"full_matrices": whole and not square}, name))


def expm(input: TensorLike, name: str | None = None) -> Any:
    """Return the exponential of square matrices.

    >>> import wengert as tf
    >>> tf.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).numpy().tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _apply(ops.EXPM, (convert(input),), name=name)


def logm(input: TensorLike, name: str | None = None) -> Any:
    """Return the principal logarithm of square matrices; NaN where a real matrix has no real one.

    >>> import wengert as tf
    >>> tf.linalg.logm([[1.0, 1.0], [0.0, 1.0]]).numpy().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    return _apply(ops.LOGM, (convert(input),), name=name)


def sqrtm(input: TensorLike, name: str | None = None) -> Any:
    """Return the principal square root of square matrices; NaN where a real matrix has no real one.

    >>> import wengert as tf
    >>> tf.linalg.sqrtm([[4.0, 0.0], [0.0, 9.0]]).numpy().tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    return _apply(ops.SQRTM, (convert(input),), name=name)


# --- norms ----------------------------------------------------------------------------------------------------------


def norm(
    tensor: TensorLike,
    ord: TensorLike = "euclidean",
    axis: AxisLike | None = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Any:
    """Return a norm of vectors (axis: one, or None for all elements as one vector) or of matrices (axis: a pair).

    ``ord``: "euclidean" or "fro" (the square root of the sum of squares), 1, 2, inf, and for vectors any p > 0; for
    matrices 1 (greatest column sum), inf (greatest row sum) and 2 (greatest singular value).

    Raises:
        ValueError: for another ord, or axes that repeat.

    >>> import wengert as tf
    >>> tf.norm([3.0, 4.0]).numpy()
    np.float32(5.0)
    """
    x = convert(tensor)
    if x.nptype.kind not in "fc":
        raise DTypeError(f"norm takes floats, not {x.dtype.name}. Convert it first with cast(x, dtype).")
    keep = checks.flag(keepdims, "norm", "keepdims")
    axes = None if axis is None else array.integers_of(axis)
    if axes is not None:
        n = None if x.sizes is None else len(x.sizes)
        axes = tuple(axis_of(a, n) for a in axes)
        if len(axes) not in (1, 2) or (len(axes) == 2 and axes[0] == axes[1]):
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis!r}")
    order = float(ord) if isinstance(ord, int | float | np.number) and not isinstance(ord, bool) else ord
    if not isinstance(order, str | float):
        raise ValueError(f"'ord' must be a supported norm, a number or a string, got {ord!r}")
    if order in ("euclidean", "fro") or (order == 2.0 and (axes is None or len(axes) == 1)):
        if order == "fro" and axes is not None and len(axes) == 1:
            raise ValueError(f"'ord' must be a supported vector norm in ['euclidean', 1, 2, inf] or positive, got {ord!r}")
        return _sqrt(_sum(squared(x), axes, keep))
    if not isinstance(order, float):
        raise ValueError(f"'ord' must be a supported norm in ['euclidean', 'fro', 1, 2, inf] or positive, got {ord!r}")
    if axes is not None and len(axes) == 2:
        return _matrix_norm(x, order, axes, keep)
    if not order > 0:
        raise ValueError(f"'ord' must be a supported norm in ['euclidean', 1, 2, inf] or positive, got {ord!r}")
    if order == 1.0:
        return _sum(_abs(x), axes, keep)
    if order == math.inf:
        return _max(_abs(x), axes, keep)
    # An even power is smooth at 0, as that of |x| is not to the rules.
    powers = squared(x) ** (order / 2.0) if order % 2.0 == 0.0 else _abs(x) ** order
    return _sum(powers, axes, keep) ** (1.0 / order)


def squared(x: Any) -> Any:
    """Return |x|²."""
    if x.nptype.kind != "c":
        return apply(elementwise.SQUARE, (x,))
    return apply(elementwise.REAL_PART, (x * apply(elementwise.CONJ, (x,)),))


def _matrix_norm(x: TensorLike, order: float, axes: tuple[int, ...], keep: bool) -> Any:
    if order == 2.0:
        n = array._rank_of(x, "norm")
        rest = [a for a in builtins.range(n) if a not in axes]
        s = svd(array.transpose(x, [*rest, *axes]), compute_uv=False)
        result = _max(s, (-1,))
        for a in sorted(axes) if keep else ():
            result = array.expand_dims(result, a)
        return result
    if order not in (1.0, math.inf):
        raise ValueError(f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, 2, inf], got {order!r}")
    added, compared = axes if order == 1.0 else axes[::-1]
    result = _max(_sum(_abs(x), (added,), True), (compared,), True)
    return result if keep else array.squeeze(result, list(axes))


def normalize(
    tensor: TensorLike, ord: TensorLike = "euclidean", axis: AxisLike | None = None, name: str | None = None
) -> tuple[Any, Any]:
    """Return the tensor divided by its norm, and the norm with its axes kept."""
    x = convert(tensor)
    n = norm(x, ord, axis, keepdims=True)
    return x / cast(n, x.nptype), n


def l2_normalize(x: TensorLike, axis: AxisLike | None = None, epsilon: TensorLike = 1e-12, name: str | None = None) -> Any:
    """Return x / √max(Σ x², ε), the sum being over the given axes."""
    t = convert(x)
    axes = None if axis is None else array.integers_of(axis)
    total = _sum(squared(t), axes, True)
    scale = apply(elementwise.RSQRT, (apply(elementwise.MAXIMUM, (total, convert(epsilon, like=total))),))
    return t * cast(scale, t.nptype)


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """Return the square root of the sum of the squares of all elements of several tensors; None among them is left out.

    >>> import wengert as tf
    >>> tf.linalg.global_norm([[3.0], None, [[4.0]]]).numpy()
    np.float32(5.0)
    """
    if isinstance(t_list, str) or not hasattr(t_list, "__iter__"):
        raise TypeError(f"`t_list` should be a sequence of tensors, not {t_list!r}.")
    total = None
    for t in checks.listed(t_list, "global_norm", "t_list"):
        if t is not None:
            x = convert(t.values if isinstance(t, IndexedSlices) else t)
            square = _sum(squared(x), None)
            total = square if total is None else total + square
    return convert(0.0) if total is None else _sqrt(total)


def cross(a: TensorLike, b: TensorLike, name: str | None = None) -> Any:
    """Return the cross product of vectors of three elements along the last axis.

    >>> import wengert as tf
    >>> tf.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy().tolist()
    [0.0, 0.0, 1.0]
    """
    x, y = _pair(elementwise.MULTIPLY, a, b)
    for t in (x, y):
        if t.sizes is not None and (not t.sizes or t.sizes[-1] not in (3, None)):
            raise ShapeError(f"cross takes vectors of 3 elements along the last axis, not shape {shapes.text(t.sizes)}.")

    def moved(t: TensorLike, by: int) -> Any:
        return apply(linear.ROLL, (t,), {"shift": (by,), "axis": (-1,)})

    return moved(x, -1) * moved(y, -2) - moved(x, -2) * moved(y, -1)


# --- linear operators -----------------------------------------------------------------------------------------------


class LinearOperator:
    """A linear map between vector spaces, known by what it does; the base of those below."""

    def __init__(self, dtype: DtypeLike) -> None:
        """Take the element type."""
        self.dtype = as_dtype(dtype)

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the map as a matrix."""
        raise NotImplementedError

    @property
    def shape(self) -> shapes.TensorShape:
        """The static shape of the matrix."""
        return self.to_dense().shape  # type: ignore[no-any-return]

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """Return A X, with either replaced by its conjugate transpose where said."""
        x = convert(x, self.dtype) if not isinstance(x, Tensor) else x
        return self._product(matrix_transpose(x, conjugate=True) if adjoint_arg else x, adjoint)

    def matvec(self, x: TensorLike, adjoint: bool = False, name: str = "matvec") -> Any:
        """Return A x, for vectors along the last axis."""
        return array.squeeze(self.matmul(array.expand_dims(convert(x), -1), adjoint), -1)

    def solve(self, rhs: TensorLike, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """Return X with A X = B."""
        b = convert(rhs, self.dtype) if not isinstance(rhs, Tensor) else rhs
        return self._solution(matrix_transpose(b, conjugate=True) if adjoint_arg else b, adjoint)

    def solvevec(self, rhs: TensorLike, adjoint: bool = False, name: str = "solve") -> Any:
        """Return x with A x = b, for vectors along the last axis."""
        return array.squeeze(self.solve(array.expand_dims(convert(rhs), -1), adjoint), -1)

    def determinant(self, name: str = "det") -> Any:
        """Return the determinant."""
        return det(self.to_dense())

    def log_abs_determinant(self, name: str = "log_abs_det") -> Any:
        """Return the logarithm of the determinant's absolute value."""
        return slogdet(self.to_dense()).log_abs_determinant

    def trace(self, name: str = "trace") -> Any:
        """Return the sum of the diagonal."""
        return trace(self.to_dense())

    def diag_part(self, name: str = "diag_part") -> Any:
        """Return the diagonal."""
        return diag_part(self.to_dense())

    def _product(self, x: TensorLike, adjoint: bool) -> Any:
        a = self.to_dense()
        return _matmul(*_pair(contraction.MATMUL, matrix_transpose(a, conjugate=True) if adjoint else a, x))

    def _solution(self, b: TensorLike, adjoint: bool) -> Any:
        return solve(self.to_dense(), b, adjoint)

    def __matmul__(self, other: TensorLike) -> Any:
        return self.matmul(other)


class LinearOperatorFullMatrix(LinearOperator):
    """A linear map given by its matrix."""

    def __init__(self, matrix: TensorLike, **hints: Any) -> None:
        """Take the matrix; hints such as ``is_square`` are not needed."""
        self._matrix = convert(matrix)
        super().__init__(self._matrix.dtype)

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the matrix."""
        return self._matrix


class LinearOperatorDiag(LinearOperator):
    """A linear map given by its diagonal."""

    def __init__(self, diag: Any, **hints: Any) -> None:
        """Take the diagonal; hints such as ``is_self_adjoint`` are not needed."""
        self.diag = convert(diag)
        super().__init__(self.diag.dtype)

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the matrix."""
        return diag(self.diag)

    def _column(self, adjoint: bool) -> Any:
        return array.expand_dims(_conj(self.diag) if adjoint else self.diag, -1)

    def _product(self, x: TensorLike, adjoint: bool) -> Any:
        return self._column(adjoint) * x

    def _solution(self, b: TensorLike, adjoint: bool) -> Any:
        return b / self._column(adjoint)


class LinearOperatorLowerTriangular(LinearOperator):
    """A linear map given by a matrix of which the lower triangle is read."""

    def __init__(self, tril: TensorLike, **hints: bool | str | None) -> None:
        """Take the matrix; hints such as ``is_non_singular`` are not needed."""
        self._tril = band_part(tril, -1, 0)
        super().__init__(self._tril.dtype)

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the matrix."""
        return self._tril

    def log_abs_determinant(self, name: str = "log_abs_det") -> Any:
        """Return the logarithm of the determinant's absolute value."""
        return _sum(apply(elementwise.LOG, (_abs(diag_part(self._tril)),)), -1)

    def _solution(self, b: TensorLike, adjoint: bool) -> Any:
        return triangular_solve(self._tril, b, adjoint=adjoint)


class LinearOperatorIdentity(LinearOperator):
    """The map that gives back its argument."""

    def __init__(self, num_rows: Any, batch_shape: ShapeLike | None = None, dtype: DtypeLike | None = None, **hints: Any) -> None:
        """Take the number of rows."""
        super().__init__(dtypes.float32 if dtype is None else dtype)
        self._rows, self._batch = num_rows, batch_shape

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the identity matrix."""
        return eye(self._rows, batch_shape=self._batch, dtype=self.dtype)


class LinearOperatorBlockDiag(LinearOperator):
    """A linear map given by square blocks along its diagonal, each an operator."""

    def __init__(self, operators: Any, **hints: Any) -> None:
        """Take the operators."""
        self.operators = list(operators)
        if not self.operators:
            raise InvalidArgumentError("LinearOperatorBlockDiag takes at least one operator.")
        super().__init__(self.operators[0].dtype)

    def to_dense(self, name: str = "to_dense") -> Any:
        """Return the matrix."""
        blocks = [o.to_dense() for o in self.operators]
        sizes = [b.shape[-1] for b in blocks]
        rows = []
        for i, b in enumerate(blocks):
            still = [[0, 0]] * (len(b.shape) - 1)
            rows.append(array.pad(b, [*still, [sum(sizes[:i]), sum(sizes[i + 1 :])]]))
        return array.concat(rows, -2)

    def _parts(self, x: TensorLike) -> Any:
        return array.split(x, [o.shape[-1] for o in self.operators], axis=-2)

    def _product(self, x: TensorLike, adjoint: bool) -> Any:
        return array.concat([o.matmul(p, adjoint) for o, p in zip(self.operators, self._parts(x), strict=True)], -2)

    def _solution(self, b: TensorLike, adjoint: bool) -> Any:
        return array.concat([o.solve(p, adjoint) for o, p in zip(self.operators, self._parts(b), strict=True)], -2)
