"""Batches of elements of like length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.functions.array import gather
from wengert.functions.math import greater_equal, reduce_sum
from wengert.ground import nest
from wengert.ground.dtypes import int64
from wengert.ground.errors import UnimplementedError
from wengert.modes.function import TensorSpec
from wengert.tensor.tensor import Nested, Tensor, cast, convert

if TYPE_CHECKING:
    from wengert.data.dataset import Dataset, Shapes

__all__ = ["bucketed"]


def bucketed(
    dataset: Dataset, length: Callable[..., Any], boundaries: Sequence[int], sizes: Sequence[int], shapes: Shapes,
    values: Nested | None, to_boundary: bool, unpadded: bool, whole: bool,
) -> Dataset:  # fmt: skip
    """Return the dataset of batches of a bucket's elements: those whose length lies between two of the boundaries.

    Raises:
        ValueError: unless there is one more size of batches than there are boundaries.
    """
    if len(sizes) != len(boundaries) + 1:
        raise ValueError("`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1`.")
    bounds = np.array(boundaries, np.int64)

    def key(*element: Tensor) -> Any:
        return reduce_sum(cast(greater_equal(cast(convert(length(*element)), int64.numpy), bounds), int64.numpy))

    def size(key: Tensor) -> Any:
        return gather(np.array(sizes, np.int64), key)

    def batch(key: Tensor, group: Dataset) -> Dataset:
        most = size(key)
        if unpadded:
            return group.batch(most, drop_remainder=whole)
        wanted = shapes
        if wanted is None:
            wanted = nest.map_structure(lambda s: s.shape if isinstance(s, TensorSpec) else None, group.element_spec)
        return group.padded_batch(most, wanted, values, drop_remainder=whole)

    if to_boundary:
        raise UnimplementedError("bucket_by_sequence_length: pad_to_bucket_boundary is not here; give padded_shapes.")
    return dataset.group_by_window(key, batch, window_size_func=size)
