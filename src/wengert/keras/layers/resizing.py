"""UpSampling, ZeroPadding and Cropping, over one to three axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

import numpy as np

from wengert.functions import array
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.spatial import Spatial
from wengert.tensor.tensor import Tensor

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]

Amounts = int | Sequence[int | Sequence[int]]
"""How much at both ends of all axes, at both ends of each axis, or at each end of each."""


class _UpSampling(Spatial):
    """Each element several times."""

    _arguments: ClassVar[tuple[str, ...] | None] = ("size", "data_format")

    def __init__(self, size: int | Sequence[int] = 2, data_format: str | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take how many times, and where the channels stand."""
        super().__init__(**keywords)
        self.size, self.data_format = self._each(size, "size"), self._places(data_format)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        for axis, times in zip(self._axes, self.size, strict=True):
            inputs = array.repeat(inputs, times, axis)
        return inputs


class UpSampling1D(_UpSampling):
    """Each step several times.

    >>> UpSampling1D(2)([[[1.0], [2.0]]]).numpy().ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """

    rank = 1
    _arguments = ("size",)

    def __init__(self, size: int = 2, **keywords: Unpack[LayerKeywords]) -> None:
        """Take how many times."""
        super().__init__(size, "channels_last", **keywords)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        return {**super().get_config(), "size": self.size[0]}


class UpSampling2D(_UpSampling):
    """Each pixel several times; or, with ``interpolation="bilinear"``, pixels between those that there are."""

    rank = 2
    _arguments = ("size", "data_format", "interpolation")

    def __init__(
        self, size: int | Sequence[int] = 2, data_format: str | None = None, interpolation: str = "nearest",
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how many times, where the channels stand, and "nearest" or "bilinear".

        Raises:
            NotImplementedError: for another interpolation.
        """
        super().__init__(size, data_format, **keywords)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in ("nearest", "bilinear"):
            raise NotImplementedError(f"UpSampling2D: the interpolation is nearest or bilinear here, not {interpolation!r}.")

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        for axis, times in zip(self._axes, self.size, strict=True):
            inputs = self._between(inputs, axis, times)
        return inputs

    def _between(self, x: Tensor, axis: int, times: int) -> Any:
        """Return x interpolated along an axis: the centres of new pixels, outside of all old centres the nearest of these."""
        old = x.sizes[axis]
        if old is None:
            raise ValueError(f'Layer "{self.name}": the sizes of images must be known; the input has shape {x.shape}.')
        places = np.clip((np.arange(old * times) + 0.5) / times - 0.5, 0, old - 1)
        low = np.floor(places).astype(np.int32)
        sizes = [1] * len(x.sizes)
        sizes[axis] = -1
        share = array.constant((places - low).reshape(sizes), x.dtype)
        below, above = (array.gather(x, at, axis=axis) for at in (low, np.minimum(low + 1, old - 1)))
        return below + (above - below) * share


class UpSampling3D(_UpSampling):
    """Each element several times, along three axes."""

    rank = 3


class _ZeroPadding(Spatial):
    """The input with zeros around it."""

    _arguments = ("padding", "data_format")

    def __init__(self, padding: Amounts = 1, data_format: str | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take how many, and where the channels stand.

        Raises:
            ValueError: for other than a number, or one or two for each axis.
        """
        super().__init__(**keywords)
        self._margins = self._pairs(padding, "padding")
        self.padding = self._margins[0] if self.rank == 1 else self._margins
        self.data_format = self._places(data_format)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        pairs = [[0, 0] for _ in inputs.sizes]
        for axis, pair in zip(self._axes, self._margins, strict=True):
            pairs[axis] = list(pair)
        return array.pad(inputs, pairs)


class ZeroPadding1D(_ZeroPadding):
    """The input with zeros before and after it.

    >>> ZeroPadding1D((0, 2))([[[1.0]]]).numpy().ravel()
    array([1., 0., 0.], dtype=float32)
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Images with zeros around them."""

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """The input with zeros around it, along three axes."""

    rank = 3


class _Cropping(Spatial):
    """The input without what is near its ends."""

    _arguments: ClassVar[tuple[str, ...] | None] = ("cropping", "data_format")
    _default: Amounts

    def __init__(
        self, cropping: Amounts | None = None, data_format: str | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take how much, and where the channels stand.

        Raises:
            ValueError: for other than a number, or one or two for each axis.
        """
        super().__init__(**keywords)
        self._off = self._pairs(self._default if cropping is None else cropping, "cropping")
        self.cropping = self._off[0] if self.rank == 1 else self._off
        self.data_format = self._places(data_format)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value.

        Raises:
            ValueError: where nothing is left.
        """
        index: list[Any] = [slice(None)] * len(inputs.sizes)
        for axis, (first, last) in zip(self._axes, self._off, strict=True):
            size = inputs.sizes[axis]
            if size is not None and first + last >= size:
                raise ValueError(
                    f"`cropping` parameter of `{type(self).__name__}` layer must be smaller than the input length. Received: "
                    f"inputs.shape={tuple(inputs.sizes)}, cropping={self.cropping}"
                )
            index[axis] = slice(first, -last if last else None)
        return inputs[tuple(index)]


class Cropping1D(_Cropping):
    """The input without its first and last steps.

    >>> Cropping1D((1, 0))([[[1.0], [2.0]]]).numpy().ravel()
    array([2.], dtype=float32)
    """

    rank = 1
    _arguments = ("cropping",)
    _default = (1, 1)


class Cropping2D(_Cropping):
    """Images without what is near their edges."""

    rank = 2
    _default = ((0, 0), (0, 0))


class Cropping3D(_Cropping):
    """The input without what is near its ends, along three axes."""

    rank = 3
    _default = ((1, 1), (1, 1), (1, 1))
