"""TensorFlow 1's ``tf.random``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions import array
from wengert.functions import random as two
from wengert.ground import dtypes
from wengert.tensor.tensor import TensorLike, convert


def random_crop(value: TensorLike, size: TensorLike, seed: int | Sequence[int] | None = None, name: str | None = None) -> Any:
    """Return a part of the given size, from a random place."""
    x = convert(value)
    limits = array.shape(x) - convert(size) + 1
    offset = two.uniform(array.shape(limits), 0, 2**31 - 1, dtypes.int32, seed) % limits
    return array.slice(x, offset, size)
