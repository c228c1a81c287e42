"""Activations that have numbers of their own: LeakyReLU, ReLU, ELU, PReLU, Softmax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.keras import activations, initializers
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class LeakyReLU(Layer):
    """x where it is positive, and negative_slope x where it is not; ``alpha`` is its old name.

    >>> LeakyReLU(alpha=0.1)([[-1.0, 1.0]]).numpy()
    array([[-0.1,  1. ]], dtype=float32)
    """

    supports_masking = True
    _arguments = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.3, alpha: float | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the slope.

        Raises:
            ValueError: for none, and for a negative one.
        """
        super().__init__(**keywords)
        slope = negative_slope if alpha is None else alpha
        if slope is None or slope < 0:
            raise ValueError(f"LeakyReLU: negative_slope must be at least 0, not {slope!r}.")
        self.negative_slope = slope
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return activations.leaky_relu(inputs, self.negative_slope)


class ReLU(Layer):
    """The rectified linear unit, with the numbers of `keras.activations.relu`."""

    supports_masking = True
    _arguments = ("max_value", "negative_slope", "threshold")

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **keywords: Unpack[LayerKeywords],
    ) -> None:
        """Take the greatest value, the slope below the threshold, and the threshold."""
        super().__init__(**keywords)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class ELU(Layer):
    """x where it is positive, and alpha (exp(x) - 1) where it is not."""

    supports_masking = True
    _arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the factor."""
        super().__init__(**keywords)
        self.alpha = alpha
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return activations.elu(inputs, self.alpha)


class PReLU(Layer):
    """x where it is positive, and a weight times x where it is not."""

    supports_masking = True
    _arguments = ("alpha_initializer", "shared_axes")

    def __init__(
        self,
        alpha_initializer: InitializerLike = "zeros",
        shared_axes: int | Sequence[int] | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:
        """Take the weight's initializer, and the axes along which the weight is one number."""
        super().__init__(**keywords)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes or [])

    def build(self, input_shape: Sizes) -> None:
        """Make the weight."""
        shape = [1 if i + 1 in self.shared_axes else s for i, s in enumerate(input_shape[1:])]
        self.alpha = self.add_weight(name="alpha", shape=shape, initializer=self.alpha_initializer)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return nn.relu(inputs) - self.alpha * nn.relu(-inputs)


class Softmax(Layer):
    """exp(x) / sum(exp(x)) along an axis."""

    supports_masking = True
    _arguments = ("axis",)

    def __init__(self, axis: int = -1, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the axis."""
        super().__init__(**keywords)
        self.axis = axis
        self._built = True

    def call(self, inputs: Tensor, mask: TensorLike | None = None) -> Any:
        """Return the layer's value; with a mask, over the elements that count, and 0 for the others."""
        if mask is None:
            return elementary.softmax(inputs, self.axis)
        counted = array.cast(mask, "bool")
        least = array.constant(-0.7 * float(np.finfo(inputs.nptype).max), inputs.dtype)
        return array.where(counted, elementary.softmax(array.where(counted, inputs, least), self.axis), array.zeros_like(inputs))
