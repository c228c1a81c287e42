"""Rows that are written one by one: what a tensor array is while a graph is built.

The rows stand in one tensor. Before the first write their shape may not be known: the tensor then has rows without
elements, and the first write makes it zeros of the right shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ground import shapes
from wengert.ground.errors import OutOfRangeError, ShapeError
from wengert.ground.types import Array, Attrs, Described, Namespace, NumPyArray
from wengert.ops.derivative import Linear
from wengert.ops.op import Op
from wengert.ops.signature import like

__all__ = ["ERASE_ROW", "WRITE_ROW"]


def _fitted(xp: Any, x: Any, shape: Any) -> Any:
    """Return a copy of x cut to a shape, or filled up with zeros."""
    out = xp.zeros(shape, x.dtype)
    if x.shape[1:] != tuple(shape[1:]) and (x.size == 0 or out.size == 0):
        return out
    n = min(len(x), len(out))
    return xp.index_set(out, slice(0, n), x[:n])


def _write(xp: Any, data: Any, index: int, value: NumPyArray, *, grows: bool) -> Any:
    n = len(data)
    if xp.name == "xla" and not grows:  # the row may be named by a number that is not known yet
        return xp.index_set(_fitted(xp, data, (n, *value.shape)), index, value)
    at = int(index)
    if at < 0 or (at >= n and not grows):
        raise OutOfRangeError(f"Tried to write to index {at} but array is not resizeable and size is: {n}")
    if data.size and data.shape[1:] != value.shape:
        raise ShapeError(
            f"TensorArray: an element has shape {shapes.text(value.shape)}, and the others {shapes.text(data.shape[1:])}."
        )
    return xp.index_set(_fitted(xp, data, (max(n, at + 1), *value.shape)), at, value)


def _write_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    data, _, value = inputs
    rows = data.sizes[0] if data.sizes and not attrs["grows"] else None
    element = shapes.merge(data.sizes[1:] if data.sizes else None, value.sizes)
    return None if element is None else (rows, *element), data.nptype


def _write_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    if i == 0:
        return xp.erase_row(g, inputs[0], inputs[1])
    return xp.take(g, inputs[1], axis=0, batch_dims=0)


def _erase(xp: Any, x: NumPyArray, reference: Any, index: int) -> Any:
    out = _fitted(xp, x, reference.shape)
    if xp.name == "xla":  # what is written outside is left out
        return xp.index_set(out, index, xp.zeros((), x.dtype)) if out.size else out
    at = int(index)
    return xp.index_set(out, at, xp.zeros((), x.dtype)) if at < len(out) and out.size else out


WRITE_ROW = Op(
    "write_row", Linear(transpose=_write_transpose, constant_inputs=(1,)), _write, _write_infer, type="TensorListSetItem",
    rows=None,
)
ERASE_ROW = Op(
    "erase_row", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.erase_row(g, inputs[0], inputs[2]), constant_inputs=(1, 2),
        selects=True,
    ),
    _erase, like(1), type="TensorListSetItem", rows=None,
)
"""Cut or filled up to the rows of a reference, with the row at the index set to zero: its own transpose."""
