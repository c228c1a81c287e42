"""The directions along which an x is moved: unit columns of its rows, or of a few elements."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.derive.rows import Rows
from wengert.tensor.tensor import Tensor

__all__ = ["BATCH", "Frame", "axes_of_rows", "column_index", "others_of"]

BATCH = 4
"""Directions from which a sum of pure derivatives carries them side by side in one array."""


class Frame(NamedTuple):
    """The directions of an x: unit columns of rows, or of a few elements."""

    x: Any
    axis: int | None
    rows: Rows | None
    width: int
    dear: str | None = None
    """Why the whole gradient goes by reverse mode, though sums of its columns are directions."""


def others_of(x: Any, axis: int | None) -> tuple[Any, ...]:
    """Return the sizes of the axes beside one."""
    return tuple(s for k, s in enumerate(x.sizes) if k != axis)


def column_index(x: Tensor, axis: int | None, j: int) -> tuple[Any, ...]:
    """Return the index of a column, that has as many axes as x; of an element where there are no rows."""
    if axis is None:
        return (j,)
    places = iter(np.unravel_index(j, others_of(x, axis)))
    return tuple(slice(None) if k == axis else slice(at := int(next(places)), at + 1) for k in range(len(x.sizes)))


def axes_of_rows(x: Any) -> list[int]:
    """Return the axes along which the rows of x may lie: the first, the last, or one beside which there is nothing."""
    rank = len(x.sizes)
    return sorted({0, rank - 1} | {k for k in range(rank) if others_of(x, k) == (1,) * (rank - 1)}) if rank else []
