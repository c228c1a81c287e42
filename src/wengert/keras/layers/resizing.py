"""UpSampling, ZeroPadding and Cropping, over one to three axes; images of a given size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

from wengert.functions import array
from wengert.keras.configuration import image_data_format
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.keras.layers.spatial import Spatial
from wengert.keras.ops import image
from wengert.tensor.tensor import Tensor

__all__ = [
    "CenterCrop",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "Resizing",
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
    """Each pixel several times; or, with another interpolation than "nearest", pixels between those that there are."""

    rank = 2
    _arguments = ("size", "data_format", "interpolation")

    def __init__(
        self, size: int | Sequence[int] = 2, data_format: str | None = None, interpolation: str = "nearest",
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how many times, where the channels stand, and "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

        Raises:
            ValueError: for another interpolation.
        """
        super().__init__(size, data_format, **keywords)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
            raise ValueError(f"UpSampling2D: the interpolation {interpolation!r} is not known.")

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        sizes = [inputs.sizes[axis] for axis in self._axes]
        if None in sizes:
            raise ValueError(f'Layer "{self.name}": the sizes of images must be known; the input has shape {inputs.shape}.')
        size = [n * times for n, times in zip(sizes, self.size, strict=True)]
        return image.resize(inputs, size, self.interpolation, data_format=self.data_format)


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


class _Sized(Layer):
    """Images of a given height and width: one, or a batch."""

    def __init__(self, height: int, width: int, data_format: str | None, **keywords: Unpack[LayerKeywords]) -> None:
        super().__init__(**keywords)
        self.height, self.width = int(height), int(width)
        self.data_format = image_data_format() if data_format is None else data_format
        self._built = True

    @property
    def _axes(self) -> tuple[int, int]:
        """The axes of height and width, from the end."""
        return (-2, -1) if self.data_format == "channels_first" else (-3, -2)


class Resizing(_Sized):
    """Images of another height and width: see `keras.ops.image.resize`.

    >>> Resizing(1, 2)([[[1.0], [3.0]], [[5.0], [7.0]]]).numpy().ravel()
    array([3., 5.], dtype=float32)
    """

    _arguments = ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value",
                  "antialias", "data_format")  # fmt: skip

    def __init__(
        self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0, antialias: bool = False,
        data_format: str | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the size; the interpolation; whether what sticks out is cut, or what is missing is filled."""
        super().__init__(height, width, data_format, **keywords)
        self.interpolation, self.antialias = interpolation, bool(antialias)
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = bool(crop_to_aspect_ratio), bool(pad_to_aspect_ratio)
        self.fill_mode, self.fill_value = fill_mode, fill_value

    def call(self, inputs: Tensor) -> Any:
        """Return the images resized, in the dtype that the layer computes in."""
        return image.resize(
            array.cast(inputs, self.compute_dtype), (self.height, self.width), self.interpolation, self.antialias,
            self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, self.data_format,
        )  # fmt: skip


class CenterCrop(_Sized):
    """The middle of images; of images that are too small, a part of the same proportions, resized.

    >>> CenterCrop(1, 1)(array.reshape(array.range(9.0), [3, 3, 1])).numpy().ravel()
    array([4.], dtype=float32)
    """

    _arguments = ("height", "width", "data_format")

    def __init__(self, height: int, width: int, data_format: str | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the size."""
        super().__init__(height, width, data_format, **keywords)

    def call(self, inputs: Tensor) -> Any:
        """Return the middle, in the dtype that the layer computes in.

        Raises:
            ValueError: for images of unknown sizes.
        """
        x, wanted = array.cast(inputs, self.compute_dtype), (self.height, self.width)
        sizes = [x.sizes[axis] for axis in self._axes]
        if None in sizes:
            raise ValueError(f'Layer "{self.name}": the sizes of images must be known; the input has shape {x.shape}.')
        off = [size - want for size, want in zip(sizes, wanted, strict=True)]
        if min(off) < 0:
            return image.resize(x, wanted, crop_to_aspect_ratio=True, data_format=self.data_format)
        index: list[Any] = [slice(None)] * len(x.sizes)
        for axis, cut, want in zip(self._axes, off, wanted, strict=True):
            index[axis] = slice(cut // 2, cut // 2 + want)
        return x[tuple(index)]
