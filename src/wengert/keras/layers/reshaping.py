"""Flatten, Reshape, RepeatVector, Permute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

from wengert.functions import array
from wengert.keras.layers.calling import as_sizes
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.tensor.tensor import Tensor

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """Each row as one axis."""

    def __init__(self, data_format: str | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take where channels stand."""
        super().__init__(**keywords)
        self.data_format = data_format

    def call(self, inputs: Tensor) -> Any:
        """Return the rows flat."""
        sizes = inputs.sizes
        if sizes is not None and all(s is not None for s in sizes[1:]):
            return array.reshape(inputs, [-1, math.prod(sizes[1:])])
        return array.reshape(inputs, [array.shape(inputs)[0], -1])


class Reshape(Layer):
    """Each row in another shape; one size may be -1.

    >>> Reshape((2, 1))([[1.0, 2.0]]).shape
    TensorShape([1, 2, 1])
    """

    def __init__(self, target_shape: Sequence[int], **keywords: Unpack[LayerKeywords]) -> None:
        """Take the shape of a row."""
        super().__init__(**keywords)
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Tensor) -> Any:
        """Return the rows reshaped."""
        target = list(self.target_shape)
        sizes = inputs.sizes
        if -1 in target and sizes is not None and all(s is not None for s in sizes[1:]):
            target[target.index(-1)] = math.prod(sizes[1:]) // max(1, -math.prod(target))
        if -1 in target:
            return array.reshape(inputs, [array.shape(inputs)[0], *target])
        return array.reshape(inputs, [-1, *target])

    def get_config(self) -> dict[str, Any]:
        """Return the shape."""
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class RepeatVector(Layer):
    """Each row n times, along a new second axis."""

    _arguments = ("n",)

    def __init__(self, n: int, **keywords: Unpack[LayerKeywords]) -> None:
        """Take how often."""
        super().__init__(**keywords)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = n

    def call(self, inputs: Tensor) -> Any:
        """Return the rows repeated."""
        return array.tile(array.expand_dims(inputs, 1), [1, self.n, 1])


class Permute(Layer):
    """The axes of each row in another order, counted from 1."""

    def __init__(self, dims: Sequence[int], **keywords: Unpack[LayerKeywords]) -> None:
        """Take the order.

        Raises:
            ValueError: unless it has every axis once.
        """
        super().__init__(**keywords)
        self.dims: Any = as_sizes(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):  # type: ignore[type-var]
            raise ValueError(f"Permute: dims must have each of 1 to {len(self.dims)} once, not {dims!r}.")

    def call(self, inputs: Tensor) -> Any:
        """Return the axes permuted."""
        return array.transpose(inputs, [0, *self.dims])

    def get_config(self) -> dict[str, Any]:
        """Return the order."""
        return {**super().get_config(), "dims": list(self.dims)}
