"""TensorFlow's ``tf.sparse``: sums over segments of chosen rows. There are no sparse tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions import array
from wengert.functions import math as two
from wengert.tensor.tensor import EagerTensor, TensorLike

__all__ = ["segment_mean", "segment_sqrt_n", "segment_sum"]


def _over(which: str, doc: str) -> Callable[..., Any]:
    def segments(
        data: TensorLike,
        indices: TensorLike,
        segment_ids: TensorLike,
        num_segments: TensorLike | None = None,
        name: str | None = None,
        sparse_gradient: bool = False,
    ) -> Any:
        rows, ids = array.gather(data, indices), array._indices(segment_ids, "segment_ids")
        if num_segments is not None:
            return getattr(two, f"unsorted_{which}")(rows, ids, num_segments, name)
        if which != "segment_sqrt_n":
            return getattr(two, which)(rows, ids, name)
        known = array.get_static_value(ids)
        count = two._number_of_segments(ids if known is None else EagerTensor(known))
        return two.unsorted_segment_sqrt_n(rows, ids, count, name)

    segments.__name__ = segments.__qualname__ = which
    segments.__doc__ = doc
    return segments


segment_sum = _over("segment_sum", "Return the sums of chosen rows of data over segments.")
segment_mean = _over("segment_mean", "Return the means of chosen rows of data over segments.")
segment_sqrt_n = _over("segment_sqrt_n", "Return the sums of chosen rows over segments, over the root of their number.")
