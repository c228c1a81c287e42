"""Functions of Keras 2's engine that libraries import from ``tensorflow.python.keras.engine``: data_adapter and compile_utils."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.keras.training import pack_x_y_sample_weight, unpack_x_y_sample_weight
from wengert.tensor.tensor import Tensor

__all__ = ["match_dtype_and_rank", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def match_dtype_and_rank(y_t: Tensor, y_p: Tensor, sw: Any) -> tuple[Any, Any, Any]:
    """Return targets, predictions and weights: a vector of targets beside a matrix of predictions as a column, in their dtype."""
    if y_t.shape.rank == 1 and y_p.shape.rank == 2:
        y_t = array.expand_dims(y_t, -1)
    if sw is not None and sw.shape.rank == 1 and y_p.shape.rank == 2:
        sw = array.expand_dims(sw, -1)
    if (y_t.dtype.is_floating and y_p.dtype.is_floating) or (y_t.dtype.is_integer and y_p.dtype.is_integer):
        y_t = array.cast(y_t, y_p.dtype)
    return y_t, y_p, None if sw is None else array.cast(sw, y_p.dtype)
