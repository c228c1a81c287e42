"""``keras.preprocessing.sequence``: sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

import numpy as np

from wengert.ground.dtypes import DtypeLike
from wengert.tensor.tensor import TensorLike

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Iterable[TensorLike],
    maxlen: int | None = None,
    dtype: DtypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> Any:
    """Return sequences as the rows of an array: shorter ones filled up, longer ones cut, at their beginning ("pre") or end.

    >>> pad_sequences([[1, 2, 3], [4]], maxlen=2).tolist()
    [[2, 3], [0, 4]]
    >>> pad_sequences([[1, 2, 3], [4]], padding="post").tolist()
    [[1, 2, 3], [4, 0, 0]]

    Raises:
        ValueError: for what is no list of sequences, for elements of different shapes, and for other words than "pre" and "post".
    """
    if not isinstance(sequences, Sized):
        raise ValueError("`sequences` must be iterable.")
    rows: list[Any] = list(sequences)
    for row in rows:
        if not isinstance(row, Sized):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {row!r}")
    for what, word in (("Truncating", truncating), ("Padding", padding)):
        if word not in ("pre", "post"):
            raise ValueError(f'{what} type "{word}" not understood')
    length = max((len(row) for row in rows), default=0) if maxlen is None else maxlen
    inner = next((np.asarray(row).shape[1:] for row in rows if len(row)), ())
    kind: Any = getattr(dtype, "name", dtype)
    textual = np.issubdtype(kind, np.str_) or np.issubdtype(kind, np.object_)
    if isinstance(value, str) and not textual:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\nYou should set `dtype=object` for variable "
            "length strings."
        )
    found = np.full((len(rows), length, *inner), value, dtype=kind)
    for i, row in enumerate(rows):
        if not len(row):
            continue
        kept = np.asarray(row[-length:] if truncating == "pre" and length else row[:length], dtype=kind)
        if kept.shape[1:] != inner:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {i} is different from expected shape {inner}"
            )
        if len(kept):
            found[i, slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return found
