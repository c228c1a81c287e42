"""Indexing in NumPy's manner: with arrays of places and of Booleans among slices."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.ops.linear import GATHER_ND
from wengert.tensor.tensor import Tensor, TensorLike, apply, convert, getitem, is_tensor_like, value_of

__all__ = ["item"]

Index = int | slice | EllipsisType | None | TensorLike
WHOLE = slice(None)


def _places(entry: Index) -> Any:
    """Return the entry of an index as a tensor of places or Booleans, None for what is no such."""
    if isinstance(entry, list | tuple | np.ndarray) or is_tensor_like(entry):
        found = value_of(entry)
        found = found if isinstance(found, Tensor) else convert(np.asarray(found) if len(entry) else np.zeros(0, np.int32))  # type: ignore[arg-type]
        return found if found.nptype.kind == "b" or found.ndim != 0 else None
    return convert(np.asarray(entry)) if isinstance(entry, bool | np.bool_) else None


def item(x: Tensor, key: Index | Sequence[Index]) -> Any:
    """Return x[key] as NumPy would.

    Arrays of places are broadcast together and stand for the axes that they index: where those axes were, if they are
    neighbours, and in front otherwise. A mask is the places where it is true.
    """
    entries: list[Any] = list(key) if isinstance(key, tuple) else [key]
    arrays = [_places(entry) for entry in entries]
    if all(a is None for a in arrays):
        return getitem(x, key)
    items: list[Any] = []
    for entry, array in zip(entries, arrays, strict=True):
        if array is None:
            items.append(entry)
        elif array.nptype.kind == "b":
            items += arrangement.unstack(arrangement.where(array), array.ndim, axis=1)
        else:
            items.append(array)
    return _gathered(x, _filled(items, len(x.sizes)))


def _filled(items: list[Any], rank: int) -> list[Any]:
    """Return the entries with slices for ``...`` and for the axes that are not named."""
    missing = rank - sum(i is not None and i is not Ellipsis for i in items)
    at = next((k for k, i in enumerate(items) if i is Ellipsis), len(items))
    return [*items[:at], *[WHOLE] * missing, *items[at + 1 :]]


def _gathered(x: Tensor, items: list[Any]) -> Any:
    advanced = [i is not None and not isinstance(i, slice) for i in items]
    plain = getitem(x, tuple(WHOLE if a else i for i, a in zip(items, advanced, strict=True)))
    axes = [k for k, a in enumerate(advanced) if a]
    places = []
    for k in axes:
        i = arrangement.cast(items[k] if isinstance(items[k], Tensor) else convert(items[k]), "int64")
        places.append(arrangement.where(i < 0, i + arrangement.shape(plain, "int64")[k], i))
    zero = sum(arrangement.zeros_like(i) for i in places)
    index = arrangement.stack([i + zero for i in places], -1)
    rest = [k for k in range(len(items)) if k not in axes]
    found = apply(GATHER_ND, (arrangement.transpose(plain, axes + rest), index), {"batch_dims": 0})
    first, count = axes[0], index.ndim - 1
    if axes != list(range(first, first + len(axes))) or first == 0:
        return found
    order = [*range(count, count + first), *range(count), *range(count + first, found.ndim)]
    return arrangement.transpose(found, order)
