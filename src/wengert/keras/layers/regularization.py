"""Dropouts and noise, at work in training alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from wengert.functions import array, nn, random
from wengert.ground.shapes import ShapeLike
from wengert.keras.configuration import image_data_format
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.tensor.tensor import SymbolicTensor, Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class Dropout(Layer):
    """In training a share ``rate`` of the elements is 0, the others are divided by 1 - rate: Srivastava and others (2014).

    With a seed the layer has a sequence of its own.
    """

    supports_masking = True
    _arguments: ClassVar[tuple[str, ...] | None] = ("rate", "noise_shape", "seed")

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


class _SpatialDropout(Dropout):
    """In training, whole channels are dropped."""

    _arguments: ClassVar[tuple[str, ...] | None] = ("rate", "seed")

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take the share, in [0, 1], and where the channels stand."""
        super().__init__(rate, None, seed, **keywords)
        self.data_format = image_data_format() if data_format is None else data_format

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Return the layer's value."""
        rank, at = len(inputs.sizes), 1 if self.data_format == "channels_first" else len(inputs.sizes) - 1
        self.noise_shape = [None if i in (0, at) else 1 for i in range(rank)]
        return super().call(inputs, training)


class SpatialDropout1D(_SpatialDropout):
    """In training, whole channels of (batch, steps, channels) are dropped: Tompson and others (2015)."""

    def __init__(self, rate: float, seed: int | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the share, in [0, 1]."""
        super().__init__(rate, "channels_last", seed, **keywords)


class SpatialDropout2D(_SpatialDropout):
    """In training, whole channels of images are dropped."""

    _arguments = ("rate", "seed", "data_format")


class SpatialDropout3D(_SpatialDropout):
    """In training, whole channels of (batch, depth, height, width, channels) are dropped."""

    _arguments = ("rate", "seed", "data_format")


class AlphaDropout(Dropout):
    """In training a share of the elements becomes selu's limit, and all are scaled so that mean and variance stay.

    Klambauer and others (2017).
    """

    def call(self, inputs: Tensor, training: bool = False) -> Any:
        """Return the layer's value."""
        if not training or self.rate == 0:
            return inputs
        limit = -nn.SELU["alpha"] * nn.SELU["scale"]
        a = ((1.0 - self.rate) * (1.0 + self.rate * limit**2)) ** -0.5 if self.rate < 1 else 0.0
        ones = array.ones_like(inputs)
        kept = nn.dropout(ones, self.rate, noise_shape=self.noise_shape, seed=self.seed) > 0 if self.rate < 1 else ones < 0
        return a * array.where(kept, inputs, limit * ones) - a * limit * self.rate


class GaussianNoise(Layer):
    """In training, numbers of a normal distribution of mean 0 are added."""

    supports_masking = True
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

    supports_masking = True
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
