"""Dropout, GaussianNoise and GaussianDropout: at work in training alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Unpack

from wengert.functions import array, nn, random
from wengert.ground.shapes import ShapeLike
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.tensor.tensor import SymbolicTensor, Tensor

__all__ = ["Dropout", "GaussianDropout", "GaussianNoise"]


class Dropout(Layer):
    """In training a share ``rate`` of the elements is 0, the others are divided by 1 - rate: Srivastava and others (2014).

    With a seed the layer has a sequence of its own.
    """

    _arguments = ("rate", "noise_shape", "seed")

    def __init__(
        self, rate: float, noise_shape: ShapeLike | None = None, seed: int | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take the share, in [0, 1]."""
        super().__init__(**keywords)
        if not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError(f"Invalid value received for argument `rate`. Expected a float value between 0 and 1: {rate!r}.")
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed
        self._built = True

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Return the layer's value."""
        if self.rate == 0:
            return inputs
        return _where(training, inputs, lambda: self._dropped(inputs))

    def _dropped(self, inputs: Tensor) -> Any:
        if self.rate == 1:
            return array.zeros_like(inputs)
        return nn.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed)


class GaussianNoise(Layer):
    """In training, numbers of a normal distribution of mean 0 are added."""

    _arguments = ("stddev", "seed")

    def __init__(self, stddev: float, seed: int | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the standard deviation and a seed."""
        super().__init__(**keywords)
        self.stddev, self.seed = float(stddev), seed
        self._built = True

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Return the layer's value."""
        if self.stddev == 0:
            return inputs
        return _where(
            training, inputs, lambda: inputs + random.normal(array.shape(inputs), 0.0, self.stddev, inputs.dtype, seed=self.seed)
        )


class GaussianDropout(Layer):
    """In training, the elements are multiplied by numbers of mean 1 and variance rate / (1 - rate)."""

    _arguments = ("rate", "seed")

    def __init__(self, rate: float, seed: int | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the rate and a seed."""
        super().__init__(**keywords)
        if not 0 <= rate < 1:
            raise ValueError(f"GaussianDropout: rate must be in [0, 1), not {rate!r}.")
        self.rate, self.seed = float(rate), seed
        self._built = True

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Return the layer's value."""
        if self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return _where(
            training, inputs, lambda: inputs * random.normal(array.shape(inputs), 1.0, stddev, inputs.dtype, seed=self.seed)
        )


def _where(training: Any, inputs: Tensor, changed: Callable[[], Tensor]) -> Any:
    """Return what training changes, or the inputs as they are; ``training`` may be a tensor that is fed, of one element."""
    if isinstance(training, SymbolicTensor):
        return array.where(array.reshape(training, []), changed(), inputs)
    return changed() if training else inputs
