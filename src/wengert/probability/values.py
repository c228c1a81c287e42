"""Parameters of distributions and bijectors: their dtype, what they are kept as, and the shapes of batches of them.

A parameter that is a variable, or is computed from one, is kept as it is and read at each use, so that tapes see the reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground import nest, shapes
from wengert.ground.dtypes import DType, DtypeLike, as_dtype, float32
from wengert.ground.shapes import TensorShape
from wengert.tensor.tensor import Tensor, TensorLike, convert, is_tensor_like

__all__ = [
    "Size",
    "batch_of",
    "batch_tensor_of",
    "common_dtype",
    "events_of",
    "followed",
    "known",
    "parameter",
    "reduced",
    "static",
]

Size = int | Tensor
"""A number of draws: a tensor where a graph decides it."""


def common_dtype(values: Iterable[TensorLike | None], hint: DtypeLike = float32) -> DType:
    """Return the dtype that values have which have one, or else the hint.

    Raises:
        TypeError: if they have several.
    """
    found: list[DType] = []
    for leaf in nest.flatten(list(values)):
        dtype = getattr(leaf, "dtype", None)
        if dtype is not None and as_dtype(dtype) not in found:
            found.append(as_dtype(dtype))
    if len(found) > 1:
        raise TypeError(f"Found incompatible dtypes, {' and '.join(d.name for d in found)}: give all parameters one dtype.")
    return found[0] if found else as_dtype(hint)


def parameter(value: TensorLike | None, dtype: DtypeLike) -> Any:
    """Return a parameter as it is kept: a variable (or what is computed of one) as it is, else a tensor; None for None."""
    if value is None or (is_tensor_like(value) and not isinstance(value, Tensor)):
        return value
    return convert(value, dtype)


def static(value: TensorLike) -> TensorShape:
    """Return the static shape of a parameter."""
    return TensorShape(value.shape) if hasattr(value, "shape") else convert(value).shape


def batch_of(owner: str, given: Mapping[str, TensorLike], events: Mapping[str, int]) -> TensorShape:
    """Return the static shape of a batch: that of the parameters together, each without the axes of one event.

    Raises:
        ValueError: if the shapes do not fit.
    """
    whole: shapes.Shape = ()
    for name, value in given.items():
        shape, rank = static(value), events[name]
        if shape.rank is None:
            return TensorShape(None)
        try:
            whole = shapes.broadcast(whole, shapes.as_shape(shape[: len(shape) - rank]))
        except ValueError:
            every = ", ".join(f"{n}.shape={static(v)}" for n, v in given.items())
            raise ValueError(f"{owner}: arguments {' and '.join(given)} must have compatible shapes; {every}.") from None
    return TensorShape(whole)


def batch_tensor_of(given: Mapping[str, TensorLike], events: Mapping[str, int]) -> Any:
    """Return the shape of a batch as an integer tensor."""
    whole = convert([], "int32")
    for name, value in given.items():
        shape = array.shape(value)
        whole = array.broadcast_dynamic_shape(whole, shape[: shape.shape[0] - events[name]] if events[name] else shape)
    return whole


def events_of(x: Tensor, rank: int) -> Any:
    """Return the last sizes of a tensor: a tuple where they are known, else an integer tensor."""
    known = x.shape[len(x.shape) - rank :]
    return tuple(known) if known.is_fully_defined() else array.shape(x)[len(x.shape) - rank :]


def known(shape: TensorShape) -> Any:
    """Return a shape that is wholly known as an integer tensor."""
    return convert(np.asarray(shape.as_list(), np.int32))


def followed(*parts: TensorShape | Tensor | Size | tuple[int, ...]) -> Any:
    """Return shapes one after another, as one: a tuple where all sizes are known, else an integer tensor."""
    rows = [(p,) if isinstance(p, int) else p for p in parts]
    if not any(isinstance(r, Tensor) for r in rows):
        return tuple(size for row in rows if not isinstance(row, Tensor) for size in row)
    tensors = [array.cast(array.reshape(r, [-1]), "int32") for r in rows if isinstance(r, Tensor) or len(r)]
    return array.concat(tensors, 0)


def reduced(x: TensorLike, rank: int) -> Any:
    """Return the sum over the last axes, so many."""
    return elementary.reduce_sum(x, axis=list(range(-rank, 0))) if rank else x
