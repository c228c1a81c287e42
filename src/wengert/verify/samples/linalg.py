"""Samples of `wengert.ops.linalg`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.tensor.tensor import tensors
from wengert.verify.samples.sample import Draw, definite, normal, pairs, sample, these, well

__all__: list[str] = []


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + tensors.conj(tensors.matrix_transpose(x)))


def main_of_three(*shape: int, kind: Any) -> Draw:
    """Return a draw of three diagonals, the main one, in the middle, far from zero."""
    return lambda rng: 0.3 * kind(*shape)(rng) + np.array([0.0, 2.0, 0.0])[:, None]


sample("adjugate", well(3, 3))
sample("adjugate_change", well(3, 3), normal(3, 3), most=4, order=3)
for _name in ("inverse", "det", "slogdet"):
    sample(_name, well(3, 3))
    sample(_name, well(2, 2, 2), note="two")
    sample(_name, well(2, 2, kind=pairs), note="complex")
for _name in ("adjugate", "adjugate_change"):
    _changes = _name == "adjugate_change"
    sample(_name, well(2, 2, 2), *([normal(2, 2, 2)] if _changes else []), note="two", most=1, order=2)
    sample(_name, well(2, 2, kind=pairs), *([pairs(2, 2)] if _changes else []), note="complex", most=1, order=2)
for _name in ("det", "slogdet"):
    sample(_name, these([[-1.0, 2.0], [0.5, 3.0]], "float64"), note="negative")
for _adjoint in (False, True):
    sample("solve", well(2, 2), normal(2, 2), adjoint=_adjoint, note=f"{_adjoint}")
    sample("solve", well(2, 2), normal(2, 2, 1), adjoint=_adjoint, note=f"{_adjoint}, two sides")
    sample("solve", well(2, 2, 2), normal(2, 1), adjoint=_adjoint, note=f"{_adjoint}, two matrices", most=1)
    sample("solve", well(2, 2, kind=pairs), pairs(2, 1), adjoint=_adjoint, note=f"{_adjoint}, complex")
    sample("solve", well(2, 2, kind=pairs), pairs(2, 2, 1), adjoint=_adjoint, note=f"{_adjoint}, complex, two sides", most=1)
    sample("solve", well(2, 2, 2), normal(2, 2, 1), adjoint=_adjoint, note=f"{_adjoint}, two of both", most=1)
    for _low in (False, True):
        _ways = {"adjoint": _adjoint, "lower": _low}
        sample("triangular_solve", well(2, 2), normal(2, 2), note=f"{_adjoint} {_low}", **_ways)
        sample("triangular_solve", well(2, 2, 2), normal(2, 1), note=f"{_adjoint} {_low}, two matrices", **_ways)
        sample("triangular_solve", well(2, 2), normal(2, 2, 1), note=f"{_adjoint} {_low}, two sides", most=1, **_ways)
        sample("triangular_solve", well(2, 2, 2), normal(2, 2, 1), note=f"{_adjoint} {_low}, two of both", most=1, **_ways)
        _many = f"{_adjoint} {_low}, complex, two sides"
        sample("triangular_solve", well(2, 2, kind=pairs), pairs(2, 2, 1), note=_many, most=1, **_ways)
        sample("triangular_solve", well(2, 2, kind=pairs), pairs(2, 1), note=f"{_adjoint} {_low}, complex", **_ways)
    for _note, _lead, _kind, _most in (("", (), normal, 99), ("two", (2,), normal, 1), ("complex", (), pairs, 1)):
        # Each element of the main diagonal is greater than those beside it.
        sample("tridiagonal_solve", main_of_three(*_lead, 3, 3, kind=_kind), _kind(*_lead, 3, 2), adjoint=_adjoint,
               note=f"{_adjoint} {_note}", most=_most)  # fmt: skip
    sample("tridiagonal_solve", main_of_three(2, 3, 3, kind=normal), normal(2, 3, 2), adjoint=_adjoint, perturb=True,
           note=f"{_adjoint} perturbed")  # fmt: skip
sample("lu", well(3, 3), outputs=(0,))
sample("lu", these([[0.1, 2.0], [3.0, 0.5]], "float64"), outputs=(0,), note="exchanged")
sample("lu", well(2, 2, 2), outputs=(0,), note="two", most=1)
sample("lu", well(2, 2, kind=pairs), outputs=(0,), note="complex", most=1)
# The derivative of the Cholesky factor is that by a symmetric matrix.
sample("cholesky", definite(3, 3), enter=_symmetric)
sample("cholesky", definite(2, 2, 2), enter=_symmetric, note="two", most=1)
sample("cholesky", definite(2, 2, kind=pairs), enter=_symmetric, note="complex")
sample("eigh", definite(3, 3))
sample("eigh", definite(2, 2, 2), note="two")
sample("eigh", definite(2, 2, kind=pairs), enter=_symmetric, outputs=(0,), note="complex")
for _note, _x in (("square", well(2, 2)), ("tall", normal(3, 2)), ("wide", normal(2, 3)), ("complex", pairs(3, 2)),
                  ("two", well(2, 3, 3))):  # fmt: skip
    _complex, _most = _note == "complex", 1 if _note == "two" else 99
    sample("svd", _x, full_matrices=False, note=_note, outputs=(0,) if _complex else None, first=_complex, most=_most)
    sample("svd", _x, full_matrices=True, note=f"{_note}, full", outputs=(0,), first=True)
    sample("qr", _x, full_matrices=False, note=_note, outputs=() if _complex or _note == "wide" else None, most=_most)
    sample("qr", _x, full_matrices=True, note=f"{_note}, full", outputs=())
for _note, _x in (("square", well(2, 2)), ("tall", normal(3, 2)), ("wide", normal(2, 3)), ("complex", pairs(3, 2)),
                  ("two", normal(2, 3, 2))):  # fmt: skip
    sample("pinv", _x, rcond=None, note=_note, most=1 if _note == "two" else 99)
sample("eig", well(2, 2), outputs=(0,))
sample("eig", well(2, 3, 3), outputs=(0,), note="two", most=1)
sample("eig", well(2, 2, kind=pairs), outputs=(0,), note="complex")
# A derivative of these is one of a matrix twice as wide.
for _name in ("expm", "logm", "sqrtm"):
    sample(_name, well(1, 1), most=1 if _name == "logm" else 99, note="number")
    sample(_name, well(2, 2), most=1, order=2)
    sample(_name, well(2, 2, kind=pairs), most=1, order=1, note="complex")
    sample(_name, well(2, 2, 2), most=1, order=1, note="two")
