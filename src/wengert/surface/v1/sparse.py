"""Sparse tensors of TensorFlow 1: placeholders of them."""

from __future__ import annotations

from wengert.ground import shapes
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.modes.sparse import SparseTensor
from wengert.surface.v1.graphs import placeholder

__all__ = ["sparse_placeholder"]


def sparse_placeholder(dtype: DtypeLike, shape: ShapeLike | None = None, name: str | None = None) -> SparseTensor:
    """Return a sparse tensor whose value is fed in a run, as a `SparseTensorValue` or a tuple of its three arrays."""
    sizes = shapes.as_shape(shape)
    rank = None if sizes is None else len(sizes)
    named = (None, None, None) if name is None else (f"{name}/shape", f"{name}/values", f"{name}/indices")
    whole = placeholder("int64", [rank], named[0])
    values = placeholder(dtype, [None], named[1])
    made = SparseTensor(placeholder("int64", [None, rank], named[2]), values, whole)
    if shape is not None:
        made.set_shape(shape)
    return made
