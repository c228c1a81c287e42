"""Samples of `wengert.ops.linear` and `wengert.ops.tensor_array`: what makes arrays, and moves and picks elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.linear import Dynamic
from wengert.verify.samples.sample import between, normal, pairs, reals, sample, texts, these

__all__: list[str] = []

# --- sources, copies, shapes ----------------------------------------------------------------------------------------

sample("constant", value=np.array([1.0, 2.0]))
sample("ensure_shape", normal(2, 3), shape=(None, 3))
sample("cast", normal(2, 3), dtype="complex128", note="to complex")
sample("cast", pairs(2, 3), dtype="float64", note="to real")
sample("cast", these([[9.7, -3.2, 0.4], [-0.9, 7.0, 12.5]], "float64"), dtype="int32", note="to int32", smooth=False)
sample("cast", these([1, 0, -2], "int64"), dtype="float64", note="from int64")
sample("cast", reals(1.5, 0.0), dtype="bool", note="to bool", smooth=False)
sample("cast", reals(1.5, 2.25, -3.0), dtype="float32", note="to float32", smooth=False)
sample("bitcast", reals(1.0, -2.0), dtype="int64", smooth=False)
sample("bitcast", these([1, 256]), dtype="uint8", note="smaller", smooth=False)
sample("bitcast", these([[1, 0], [0, 1]], "uint8"), dtype="uint16", note="larger", smooth=False)
sample("zeros_like", normal(2, 3))
sample("ones_like", normal(2, 3))
sample("shape", normal(2, 3), dtype="int32")
sample("size", normal(2, 3), dtype="int64")
sample("shaped", normal(2, 3), normal(2, 3))
sample("fill", normal(), shape=(2, 3))
sample("fill", normal(), these([2, 3]), shape=None, note="tensor", open=True)
sample("range", between(0.1, 0.4), these(3.0, "float64"), between(0.7, 0.9), open=True)
sample("range", these(2, "int64"), these(9, "int64"), these(3, "int64"), note="int64", open=True)
sample("range", these(1.0, "float64"), these(0.0, "float64"), these(-0.3, "float64"), note="down", open=True, smooth=False)
sample("range", these(3, "int64"), these(3, "int64"), these(1, "int64"), note="empty", open=True)
for _axis in (0, -1):
    sample("linspace", normal(2), normal(2), num=5, axis=_axis, note=f"axis={_axis}")
sample("linspace", normal(), normal(), num=1, axis=0, note="one")
sample("sum_like", normal(2, 3), normal(3))
sample("sum_like", normal(2, 2, 3), normal(2, 1), note="axes of one")
sample("sum_to", normal(2, 3), shape=(3,))
sample("sum_to", normal(2, 2, 3), shape=(2, 1), note="axes of one")
sample("broadcast_like", normal(3), normal(2, 3))
sample("broadcast_like", normal(2, 1), normal(2, 2, 3), note="axes of one")
sample("broadcast_to", normal(2, 1), shape=(2, 3))
sample("broadcast_to", normal(2, 1), these([2, 2, 3]), shape=None, note="tensor", open=True)
sample("reshape", normal(2, 3), shape=(3, -1))
sample("reshape", normal(2, 3), these([3, -1]), shape=None, note="tensor", open=True)
sample("reshape", normal(0, 3), shape=(3, 0), note="empty")
sample("reshape", normal(1), shape=(), note="scalar")
sample("reshape_like", normal(2, 3), normal(3, 2))
sample("transpose", normal(2, 3, 2), axes=(2, 0, 1))
sample("transpose", normal(2, 3, 2), axes=(-1, 0, -2), note="negative")
sample("transpose", normal(2, 3), axes=None, note="reversed")
sample("transpose_by", normal(2, 3, 2), these([2, 0, 1]), back=False, open=True)
sample("transpose_by", normal(3, 2, 2), these([1, 2, 0]), back=True, note="back", open=True)
sample("transpose_by", normal(2, 3, 2), these([-1, 0, -2]), back=False, note="negative", open=True)
sample("matrix_transpose", normal(2, 3, 2))
for _axis in (0, 1, -1, -2):
    sample("expand_dims", normal(2, 3), axis=_axis, note=f"axis={_axis}")
sample("squeeze", normal(1, 2, 1), axis=None)
sample("squeeze", normal(1, 2, 1), axis=(-1,), note="axis=-1")
sample("tile", normal(2, 3), multiples=(2, 1))
sample("tile", normal(2, 3), these([1, 2]), multiples=None, note="tensor", open=True)
sample("tile_transpose", normal(4, 3), normal(2, 3), multiples=(2, 1))
sample("tile_transpose", normal(2, 6), normal(2, 3), these([1, 2]), multiples=None, note="tensor")
PADS = ((1, 0), (2, 1))
for _mode in ("constant", "reflect", "symmetric"):
    sample("pad", normal(2, 3), paddings=PADS, mode=_mode, value=0, note=_mode)
    sample("pad", normal(2, 3), these(PADS), paddings=None, mode=_mode, value=0, note=f"{_mode}, tensor", open=True)
    sample("pad_transpose", normal(3, 6), normal(2, 3), paddings=PADS, mode=_mode, value=0, note=_mode)
    sample("pad_transpose", normal(3, 6), normal(2, 3), these(PADS), paddings=None, mode=_mode, value=0, note=f"{_mode}, tensor")
sample("reverse", normal(2, 3), axis=(1,))
sample("reverse", normal(2, 3), axis=(0, -1), note="two axes")
sample("roll", normal(4), shift=(1,), axis=(0,))
sample("roll", normal(2, 3), shift=(1, -1), axis=(0, -1), note="two axes")
sample("broadcast_shape", these([2, 1, 3], "int64"), these([4, 1], "int64"))

# --- joining and parting --------------------------------------------------------------------------------------------

sample("concat", normal(2, 3), normal(1, 3), axis=0)
sample("concat", normal(2, 3), normal(2, 1), normal(2, 2), axis=-1, note="axis=-1")
sample("concat", normal(2, 3), normal(2, 1), normal(2, 0), axis=-1, note="one of them empty")
sample("concat", pairs(2), pairs(3), axis=0, note="complex")
sample("concat", texts(b"a"), texts(b"bc"), axis=0, note="strings")
sample("concat_part", normal(5, 2), normal(2, 2), normal(3, 2), axis=0, i=1)
sample("stack", normal(2), normal(2), axis=0)
sample("stack", normal(2, 3), normal(2, 3), axis=-1, note="axis=-1")
sample("unstack", normal(3, 2), axis=0, num=3)
sample("unstack", normal(3, 2), axis=-1, num=2, note="axis=-1")
sample("split", normal(4, 3), axis=0, parts=2)
sample("split", normal(2, 5), axis=-1, parts=(1, -1, 2), note="sizes")
ALL = slice(None)
INDICES: tuple[tuple[Any, tuple[int, ...]], ...] = (
    ((ALL, 1), (4,)), ((slice(None, None, 2), slice(None, None, -1)), (2, 3)), ((Ellipsis, None, slice(-2, None)), (4, 1, 2)),
    ((-1, slice(1, 9)), (2,)), ((slice(3, 0, -2),), (2, 3)), ((slice(2, 2),), (0, 3)),
)  # fmt: skip
for _k, (_index, _part) in enumerate(INDICES):
    sample("getitem", normal(4, 3), index=_index, note=f"{_k}")
    sample("getitem_transpose", normal(*_part), normal(4, 3), index=_index, note=f"{_k}")
RUNNING = (slice(Dynamic(0), Dynamic(1)), 0)
sample("getitem", normal(4, 3), these(1), these(3), index=RUNNING, note="dynamic", open=True)
sample("getitem", normal(4, 3), these(2), index=(Dynamic(0),), note="dynamic integer")
sample("getitem_transpose", normal(2), normal(4, 3), these(1), these(3), index=RUNNING, note="dynamic")

# --- gather and scatter ---------------------------------------------------------------------------------------------

TAKES: tuple[tuple[int, int, tuple[int, ...], Any, tuple[int, ...]], ...] = (
    (0, 0, (4, 3), [2, 0, 2], (3, 3)), (1, 0, (2, 3), [[2, 0], [1, 1]], (2, 2, 2)), (-1, 0, (2, 3), [1], (2, 1)),
    (1, 1, (2, 3, 2), [[2, 0], [1, 1]], (2, 2, 2)), (2, 1, (2, 2, 3), [[2, 0], [1, 1]], (2, 2, 2)), (0, 0, (3,), 1, ()),
    (0, 0, (3,), [], (0,)),
)  # fmt: skip
for _axis, _batch, _shape, _at, _part in TAKES:
    _note = f"axis={_axis}, batch={_batch}, {_shape}, {np.shape(_at)}"
    sample("take", normal(*_shape), these(_at), axis=_axis, batch_dims=_batch, note=_note)
    sample("take_transpose", normal(*_part), normal(*_shape), these(_at), axis=_axis, batch_dims=_batch, note=_note)
for _axis, _at in ((1, [[2, 0, 2], [1, 1, 0]]), (0, [[1, 0, 1]]), (-1, [[0], [2]])):
    sample("take_along_axis", normal(2, 3), these(_at), axis=_axis, note=f"axis={_axis}")
    sample("take_along_axis_transpose", normal(*np.shape(_at)), normal(2, 3), these(_at), axis=_axis, note=f"axis={_axis}")
NDS: tuple[tuple[int, tuple[int, ...], Any, tuple[int, ...]], ...] = (
    (0, (3, 2), [[2, 1], [0, 0], [2, 1]], (3,)), (0, (3, 2), [[2], [0]], (2, 2)),
    (1, (2, 3, 2), [[[2], [0]], [[1], [1]]], (2, 2, 2)), (0, (3,), [[[2]], [[1]]], (2, 1)),
)  # fmt: skip
for _batch, _shape, _at, _part in NDS:
    _note = f"batch={_batch}, {np.shape(_at)}"
    sample("gather_nd", normal(*_shape), these(_at), batch_dims=_batch, note=_note)
    sample("gather_nd_transpose", normal(*_part), normal(*_shape), these(_at), batch_dims=_batch, note=_note)
sample("gather_nd", normal(3, 2), these(np.zeros((2, 0))), batch_dims=0, note="no coordinates")
AT, ONCE, SEGMENTS = [[0], [3], [3]], [[0, 1], [2, 0]], [1, 0, 1, -1]
sample("scatter_nd", normal(3, 2), these(AT), shape=(4, 2))
sample("scatter_nd", normal(3, 2), these(AT), these([4, 2]), shape=None, note="tensor", open=True)
for _name in ("tensor_scatter_update", "tensor_scatter_add", "tensor_scatter_min", "tensor_scatter_max"):
    sample(_name, normal(3, 2), these(ONCE), normal(2))
    sample(_name, normal(4, 2), these(AT), normal(3, 2), note="rows, repeated")
sample("scatter_winner", normal(4, 2), these(AT), normal(3, 2))
sample("segment_sum", normal(4, 2), these(SEGMENTS), num=3)
sample("segment_sum", normal(4, 2), these(SEGMENTS), num=None, note="open", open=True)
sample("segment_sum", normal(2, 2), these([[0, 1], [1, 1]]), num=2, note="matrix")
sample("segment_take", normal(3, 2), these(SEGMENTS))
sample("segment_sum_like", normal(4, 2), these(SEGMENTS), normal(3, 2))
sample("nonzero", these([[0, 2], [3, 0]], "int64"), open=True)
sample("nonzero", these(True, "bool"), note="scalar", open=True)
sample("nonzero", these([False, False], "bool"), note="none", open=True)
HOT = [1, -1, 2, 3]
sample("one_hot", these(HOT), depth=3, on=1.0, off=0.0, axis=-1, dtype="float64")
sample("one_hot", these(HOT), depth=3, on=5, off=-1, axis=0, dtype="int32", note="axis=0")
sample("one_hot", these(HOT), these([3]), depth=None, on=1.0, off=0.0, axis=-1, dtype="float32", note="tensor", open=True)
for _side, _dtype in (("left", "int32"), ("right", "int64")):
    sample("searchsorted", reals(1.0, 3.0, 3.0, 7.0), reals(3.0, 0.0, 8.0), side=_side, dtype=_dtype, note=_side)
sample("searchsorted", these([[1, 3], [5, 9]], "int64"), these([[2, 4, 0], [9, 4, 6]], "int64"), side="left", dtype="int32",
       note="rows")  # fmt: skip
sample("invert_permutation", these([2, 0, 1]))
sample("repeat_index", these([2, 0, 1], "int64"), these(3, "int64"), open=True)
sample("repeat_index", these(2, "int64"), these(3, "int64"), note="each", open=True)
sample("partition", these([1, 0, 1, 2], "int64"), num=3, open=True)
sample("reverse_sequence", normal(2, 4), these([3, 0]), axis=1, batch_axis=0)
sample("reverse_sequence", normal(3, 2), these([3, 2]), axis=0, batch_axis=1, note="axis=0")
for _lower, _upper in ((0, -1), (-1, 0), (1, 0), (0, 0), (-1, -1)):
    sample("band_part", normal(2, 3, 4), lower=_lower, upper=_upper, note=f"{_lower}, {_upper}", order=2)
    sample("band_part", normal(3, 4), lower=_lower, upper=_upper, note=f"{_lower}, {_upper}, one")
for _k, _n in ((0, 3), (1, 3), (-2, 1)):
    sample("diag", normal(2, 2), k=_k, note=f"k={_k}")
    sample("diag_part", normal(3, 4), k=_k, note=f"k={_k}")
    sample("diag_part", normal(2, 3, 4), k=_k, note=f"k={_k}, two", order=2)
    sample("diag_part_transpose", normal(_n), normal(3, 4), k=_k, note=f"k={_k}")
    sample("diag_part_transpose", normal(2, _n), normal(2, 3, 4), k=_k, note=f"k={_k}, two", order=2)
    sample("set_diag", normal(3, 4), normal(_n), k=_k, note=f"k={_k}")

# --- rows written one by one ----------------------------------------------------------------------------------------

sample("write_row", normal(3, 2), these(1), normal(2), grows=False)
sample("write_row", normal(2, 2), these(3), normal(2), grows=True, note="grows", open=True)
sample("erase_row", normal(3, 2), normal(3, 2), these(1))
sample("erase_row", normal(4, 2), normal(2, 2), these(3), note="cut")
sample("checked_places", these([[0, 1], [1, 0], [1, 2]], "int64"), these([2, 3], "int64"))
