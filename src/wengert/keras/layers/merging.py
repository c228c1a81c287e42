"""Layers of several inputs: Concatenate, Add, Subtract, Multiply, Average, Maximum, Minimum, Dot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Unpack

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.keras import masks
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.tensor.tensor import Nested, Tensor

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


class _Merge(Layer):
    """A layer that is called with a list of tensors."""

    supports_masking = True

    def call(self, inputs: Nested) -> Any:
        """Return the tensors merged.

        Raises:
            ValueError: for what is no list of tensors.
        """
        if not isinstance(inputs, list | tuple) or not inputs:
            raise ValueError(f"A merge layer such as {type(self).__name__} should be called on a list of inputs, not {inputs!r}.")
        return self._merged(list(inputs))

    def _merged(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return where any of the inputs counts; None where one has no mask."""
        return masks.joined(nest.flatten(previous_mask), elementary.logical_or)

    def _folded(self, inputs: list[Any], two: Callable[[Any, Any], Any]) -> Any:
        total = inputs[0]
        for one in inputs[1:]:
            total = two(total, one)
        return total


def _known(x: Tensor) -> list[Any]:
    """Return the sizes of a tensor: numbers where they are known, else scalars."""
    whole = array.shape(x)
    return [whole[i] if size is None else size for i, size in enumerate(x.sizes)]


class Concatenate(_Merge):
    """The inputs beside each other along an axis.

    >>> Concatenate(axis=1)([array.ones([2, 1]), array.zeros([2, 2])]).shape
    TensorShape([2, 3])
    """

    _arguments = ("axis",)

    def __init__(self, axis: int = -1, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the axis."""
        super().__init__(**keywords)
        self.axis = axis

    def _merged(self, inputs: list[Any]) -> Any:
        return array.concat(inputs, self.axis)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the masks beside each other, all of an input without one counting; None where none has one."""
        given = nest.flatten(previous_mask)
        if all(mask is None for mask in given):
            return None
        spread = []
        for x, mask in zip(nest.flatten(inputs), given, strict=True):
            whole = array.ones_like(x, dtype="bool")
            if mask is not None:
                missing = len(x.sizes) - len(mask.sizes)
                whole = elementary.logical_and(whole, array.reshape(mask, [*_known(mask), *[1] * missing]))
            spread.append(whole)
        return elementary.reduce_any(array.concat(spread, self.axis), axis=-1)


class Add(_Merge):
    """The sum of the inputs."""

    def _merged(self, inputs: list[Any]) -> Any:
        return self._folded(inputs, lambda a, b: a + b)


class Subtract(_Merge):
    """The first of two inputs less the second."""

    def _merged(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs, not {len(inputs)}.")
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """The product of the inputs."""

    def _merged(self, inputs: list[Any]) -> Any:
        return self._folded(inputs, lambda a, b: a * b)


class Average(_Merge):
    """The mean of the inputs."""

    def _merged(self, inputs: list[Any]) -> Any:
        return self._folded(inputs, lambda a, b: a + b) / float(len(inputs))


class Maximum(_Merge):
    """The greatest of the inputs, elementwise."""

    def _merged(self, inputs: list[Any]) -> Any:
        return self._folded(inputs, elementary.maximum)


class Minimum(_Merge):
    """The least of the inputs, elementwise."""

    def _merged(self, inputs: list[Any]) -> Any:
        return self._folded(inputs, elementary.minimum)


class Dot(_Merge):
    """The product of two inputs, summed over an axis of each, row by row; scaled to norm 1 before if ``normalize``."""

    _arguments = ("axes", "normalize")

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the axis, or one for each input."""
        super().__init__(**keywords)
        self.axes, self.normalize = axes, normalize

    def _merged(self, inputs: list[Any]) -> Any:
        a, b = inputs
        one, other = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        one, other = one % len(a.sizes), other % len(b.sizes)
        if self.normalize:
            a, b = linalg.l2_normalize(a, axis=one), linalg.l2_normalize(b, axis=other)
        letters = "abcdefghijklm"
        left = letters[: len(a.sizes)]
        right = "a" + "".join("nopqrstuvw"[i] for i in range(len(b.sizes) - 1))
        right = right[:other] + left[one] + right[other + 1 :]
        kept = left.replace(left[one], "") + right[1:].replace(left[one], "")
        out = elementary.einsum(f"{left},{right}->{kept}", a, b)
        return out if len(kept) > 1 else array.expand_dims(out, 1)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return None: the axis of time may be gone."""
        return None


def concatenate(inputs: Nested, axis: int = -1, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the inputs beside each other along an axis."""
    return Concatenate(axis, **keywords)(inputs)


def add(inputs: Nested, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the sum of the inputs."""
    return Add(**keywords)(inputs)


def subtract(inputs: Nested, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the first input less the second."""
    return Subtract(**keywords)(inputs)


def multiply(inputs: Nested, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the product of the inputs."""
    return Multiply(**keywords)(inputs)


def average(inputs: Nested, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the mean of the inputs."""
    return Average(**keywords)(inputs)


def maximum(inputs: Nested, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the greatest of the inputs."""
    return Maximum(**keywords)(inputs)


def minimum(inputs: Nested, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the least of the inputs."""
    return Minimum(**keywords)(inputs)


def dot(inputs: Nested, axes: int | Sequence[int] = -1, **keywords: Unpack[LayerKeywords]) -> Any:
    """Return the product of two inputs, summed over an axis of each."""
    return Dot(axes, **keywords)(inputs)
