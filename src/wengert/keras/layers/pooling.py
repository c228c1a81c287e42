"""Pooling: the greatest or the mean of windows, or of all places, over one to three axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Unpack

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.spatial import Spatial
from wengert.keras.ops import patterns
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class _Pooling(Spatial):
    """One number of each window."""

    _arguments = ("pool_size", "padding", "strides", "data_format")
    _pool: ClassVar[Callable[..., Any]]

    def __init__(
        self, pool_size: int | Sequence[int] = 2, strides: int | Sequence[int] | None = None, padding: str = "valid",
        data_format: str | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the size of the windows, and how far apart they begin (by default one beside the other).

        Raises:
            ValueError: for numbers, a padding or a format that there is not.
        """
        super().__init__(**keywords)
        self.pool_size = self._each(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else self._each(strides, "strides")
        self.padding, self.data_format = str(padding).lower(), self._places(data_format)
        if self.padding not in ("valid", "same"):
            raise ValueError(f"The `padding` argument must be one of {{'valid', 'same'}}. Received: {padding}")
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return self._pool(inputs, self.pool_size, self.strides, self.padding.upper(), self._letters)


class _MaxPooling(_Pooling):
    """The greatest number of each window."""

    _pool = staticmethod(nn.max_pool)


class MaxPooling1D(_MaxPooling):
    """The greatest number of each window over one axis.

    >>> MaxPooling1D()([[[1.0], [3.0], [2.0], [0.0]]]).numpy().ravel()
    array([3., 2.], dtype=float32)
    """

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The greatest number of each window over two axes."""

    rank = 2


class MaxPooling3D(_MaxPooling):
    """The greatest number of each window over three axes."""

    rank = 3


class _AveragePooling(_Pooling):
    """The mean of each window; padding does not count."""

    _pool = staticmethod(nn.avg_pool)


class AveragePooling1D(_AveragePooling):
    """The mean of each window over one axis.

    >>> AveragePooling1D()([[[1.0], [3.0], [2.0], [0.0]]]).numpy().ravel()
    array([2., 1.], dtype=float32)
    """

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window over two axes."""

    rank = 2


class AveragePooling3D(_AveragePooling):
    """The mean of each window over three axes."""

    rank = 3


class _Global(Spatial):
    """One number of each channel."""

    _arguments = ("data_format", "keepdims")

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **keywords: Unpack[LayerKeywords]) -> None:
        """Take where the channels stand, and whether the axes stay, of size 1."""
        super().__init__(**keywords)
        self.data_format, self.keepdims = self._places(data_format), bool(keepdims)
        self._built = True


class _GlobalMax(_Global):
    """The greatest number of each channel."""

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return elementary.reduce_max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMax):
    """The greatest number of each channel, over one axis."""

    rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """The greatest number of each channel, over two axes."""

    rank = 2


class GlobalMaxPooling3D(_GlobalMax):
    """The greatest number of each channel, over three axes."""

    rank = 3


class _GlobalAverage(_Global):
    """The mean of each channel."""

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return elementary.reduce_mean(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAverage):
    """The mean of each channel, over the steps that count.

    >>> GlobalAveragePooling1D()([[[1.0], [3.0]]]).numpy()
    array([[2.]], dtype=float32)
    """

    rank = 1
    supports_masking = True

    def call(self, inputs: Tensor, mask: TensorLike | None = None) -> Any:
        """Return the layer's value."""
        if mask is None:
            return super().call(inputs)
        counted = array.expand_dims(array.cast(mask, inputs.dtype), -1 if self.data_format == "channels_last" else 1)
        total = elementary.reduce_sum(inputs * counted, axis=self._axes, keepdims=self.keepdims)
        return total / elementary.reduce_sum(counted, axis=self._axes, keepdims=self.keepdims)

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return None: the axis of time is gone."""
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """The mean of each channel, over two axes."""

    rank = 2


class GlobalAveragePooling3D(_GlobalAverage):
    """The mean of each channel, over three axes."""

    rank = 3


class _Adaptive(Spatial):
    """As many windows as are asked for, which share each axis evenly and may overlap by an element."""

    _arguments = ("output_size", "data_format")
    _pool: ClassVar[Callable[..., Any]]

    def __init__(
        self, output_size: int | Sequence[int], data_format: str | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take how many windows there are along each axis, and where the channels stand."""
        super().__init__(**keywords)
        self.output_size, self.data_format = self._each(output_size, "output_size"), self._places(data_format)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value.

        Raises:
            ValueError: for inputs of unknown sizes.
        """
        if None in [inputs.sizes[axis] for axis in self._axes]:
            raise ValueError(f'Layer "{self.name}": the sizes to pool must be known; the input has shape {inputs.shape}.')
        return self._pool(inputs, self.output_size, self.data_format)


class _AdaptiveAveragePooling(_Adaptive):
    """The mean of each window."""

    _pool = staticmethod(patterns.adaptive_average_pool)


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """The mean of each of a given number of windows over one axis.

    >>> AdaptiveAveragePooling1D(2)([[[1.0], [3.0], [2.0]]]).numpy().ravel()
    array([2. , 2.5], dtype=float32)
    """

    rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """The mean of each of a given number of windows over two axes."""

    rank = 2


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """The mean of each of a given number of windows over three axes."""

    rank = 3


class _AdaptiveMaxPooling(_Adaptive):
    """The greatest number of each window."""

    _pool = staticmethod(patterns.adaptive_max_pool)


class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """The greatest number of each of a given number of windows over one axis."""

    rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """The greatest number of each of a given number of windows over two axes."""

    rank = 2


class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """The greatest number of each of a given number of windows over three axes."""

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D
