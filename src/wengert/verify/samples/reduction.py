"""Samples of `wengert.ops.contraction`, `wengert.ops.reduction` and `wengert.ops.spectral`."""

from __future__ import annotations

import itertools

import numpy as np

from wengert.verify.samples.elementwise import MASK
from wengert.verify.samples.sample import apart, away, normal, pairs, reals, sample, these

__all__: list[str] = []

# --- products -------------------------------------------------------------------------------------------------------

for _ta, _tb in itertools.product((False, True), repeat=2):
    for _one, _two in (((), ()), ((2,), (2,)), ((2,), ()), ((2, 1), (2,))):
        _a, _b = (*_one, *((2, 1) if _ta else (1, 2))), (*_two, *((3, 2) if _tb else (2, 3)))
        sample("matmul", normal(*_a), normal(*_b), ta=_ta, tb=_tb, note=f"{_ta}, {_tb}, {_one}, {_two}")
sample("matmul", pairs(2, 2), pairs(2, 1), ta=False, tb=False, note="complex")
sample("matmul", pairs(2, 1), pairs(2, 2), ta=True, tb=True, note="complex, both")
sample("matmul", pairs(2, 3), pairs(3, 2), note="complex, as it stands")
sample("matmul", normal(2, 0), normal(0, 3), note="empty")
sample("matmul", these([[1, 2]]), these([[3], [4]]), note="int32")
for _equation, _a, _b in (
    ("ij,jk->ik", (2, 3), (3, 2)), ("bij,bj->bi", (2, 2, 2), (2, 2)), ("i,j->ij", (2,), (3,)), ("ij,ij->", (2, 3), (2, 3)),
    ("ijk,lk->lji", (2, 1, 3), (2, 3)),
):  # fmt: skip
    sample("einsum", normal(*_a), normal(*_b), equation=_equation, note=_equation)
sample("einsum", pairs(2, 2), pairs(2, 1), equation="ij,jk->ik", note="complex")
for _n in (1, 3, 4):
    sample("fft", pairs(2, _n), note=f"{_n}")
    sample("ifft", pairs(2, _n), note=f"{_n}")

# --- reductions -----------------------------------------------------------------------------------------------------

AXES: tuple[tuple[tuple[int, ...] | None, bool], ...] = (
    (None, False), (None, True), ((0,), False), ((1,), True), ((-1,), False), ((0, 2), True), ((0, -1), False), ((), False),
)  # fmt: skip
for _name in ("sum", "mean", "max", "min"):
    for _axis, _keepdims in AXES:
        sample(_name, apart(2, 3, 2), axis=_axis, keepdims=_keepdims, note=f"{_axis}, {_keepdims}")
    sample(_name, normal(), axis=None, keepdims=False, note="scalar")
for _name in ("sum", "mean"):
    sample(_name, pairs(2, 2), axis=(0,), keepdims=False, note="complex")
sample("sum", normal(0, 2), axis=(0,), keepdims=False, note="empty")
sample("sum", these([[3, 4]]), axis=None, keepdims=False, note="int32")
sample("mean", these([[3, 4, -9], [-3, 4, 2]]), axis=(1,), keepdims=False, note="int32")
sample("mean", these([[3, 4, 9], [-3, -4, -2]]), axis=None, keepdims=True, note="int32, all")
sample("max", normal(0, 2), axis=(0,), keepdims=False, note="empty", smooth=False)
sample("min", these(np.zeros((0, 2))), axis=(0,), keepdims=False, note="empty int32")
for _axis, _keepdims in AXES[2:5]:
    sample("prod", away(2, 3, 2), axis=_axis, keepdims=_keepdims, note=f"{_axis}, {_keepdims}")
ZEROS = [[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]]
sample("prod", these(ZEROS, "float64"), axis=(1,), keepdims=False, note="zeros")
sample("prod", pairs(3), axis=(0,), keepdims=False, note="complex")
sample("prod", these([2, -3]), axis=(0,), keepdims=False, note="int32")
for _axis, _keepdims, _part in ((None, False, ()), ((1,), True, (2, 1)), ((-1,), False, (2,))):
    sample("spread_like", normal(*_part), normal(2, 3), axis=_axis, keepdims=_keepdims, note=f"{_axis}, {_keepdims}")
    sample("mean_transpose", normal(*_part), normal(2, 3), axis=_axis, keepdims=_keepdims, note=f"{_axis}, {_keepdims}")
for _name in ("any", "all"):
    for _axis, _keepdims in ((None, False), ((0,), True)):
        sample(_name, these(MASK, "bool"), axis=_axis, keepdims=_keepdims, note=f"{_axis}")
for _exclusive, _reverse in itertools.product((False, True), repeat=2):
    _ways = {"exclusive": _exclusive, "reverse": _reverse}
    for _along in (0, 1, -1):
        sample("cumsum", normal(2, 3), axis=_along, note=f"{_along}, {_exclusive}, {_reverse}", **_ways)
        sample("cumprod", normal(2, 3), axis=_along, note=f"{_along}, {_exclusive}, {_reverse}", **_ways)
    sample("cumprod", reals(2.0, 0.0, 3.0, 0.0, 5.0), axis=0, note=f"zeros, {_exclusive}, {_reverse}", **_ways)
for _name in ("cumsum", "cumprod"):
    sample(_name, pairs(3), axis=0, exclusive=False, reverse=False, note="complex")
sample("cumsum", these([1, 2, 3]), axis=0, exclusive=True, reverse=False, note="int32")
for _along, _reverse in ((0, False), (0, True), (1, False), (-1, True)):
    sample("recurrence", normal(2, 3), normal(2, 3), axis=_along, reverse=_reverse, note=f"{_along}, {_reverse}")
sample("recurrence", pairs(3), pairs(3), axis=0, reverse=False, note="complex")
for _reverse, _along in itertools.product((False, True), (0, -1)):
    sample("cummax", normal(2, 3), axis=_along, reverse=_reverse, note=f"{_along}, {_reverse}", smooth=False)

# --- places ---------------------------------------------------------------------------------------------------------

sample("checked_ids", these([2, 0, 1], "int64"))
sample("checked_ids", these([2, -1, 1]), normal(4, 2), note="with a frame")
sample("checked_ids", these([0, 0, 2], "int64"), increasing=True, note="increasing")
sample("segment_table", these([1, 0, 1, -1], "int64"), normal(3, 2), open=True)
for _power in (0.0, 1.0, 0.5):
    sample("segment_shares", these([4, 0, 0, 1], "int64"), these([1, 0, 1, 2], "int64"), normal(3, 2), count=5, power=_power,
           note=f"{_power}")  # fmt: skip
TIES = these([[2.0, 7.0, 7.0], [1.0, -1.0, -1.0]], "float64")
sample("argmax", TIES, axis=1, dtype="int64")
sample("argmax", TIES, axis=-2, dtype="int32", note="axis=-2")
sample("argmin", TIES, axis=1, dtype="int64")
sample("isotonic_blocks", these([[3.0, 1.0, 2.0, -1.0], [1.0, 2.0, 3.0, 4.0]], "float64"), increasing=False)
sample("isotonic_blocks", these([[3.0, 1.0, 2.0]], "float64"), increasing=True, note="increasing")
sample("argsort", TIES, axis=-1, descending=False)
sample("argsort", TIES, axis=-1, descending=True, note="descending, stable")
sample("argsort", TIES, axis=0, descending=False, note="axis=0")
sample("unique", these([3, 1, 3, 7, 1], "int64"), dtype="int32", open=True)
sample("bincount", these([1, 4, 1]), length=3, dtype="int32", open=True)
