"""Images changed by chance while a model is trained: turned, moved, cut, lighter, in other colours.

Each layer draws for each image of a batch. ``seed`` starts a sequence of the layer's own; what is drawn moves on in each mode.
Outside of training, images stay as they are; a layer that is called by itself, not by a model, trains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.keras import random
from wengert.keras.configuration import image_data_format
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.keras.ops import image
from wengert.tensor.tensor import Tensor

__all__ = [
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomFlip",
    "RandomGrayscale",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
]

Factor = float | Sequence[float]
"""How much at most, to both sides; or from how much to how much."""


class _Random(Layer):
    """A layer that changes images by chance."""

    _arguments: ClassVar[tuple[str, ...] | None] = ("seed", "data_format")

    def __init__(self, seed: int | None = None, data_format: str | None = None, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the seed, and where the channels stand."""
        super().__init__(**keywords)
        self.seed, self.generator = seed, random.SeedGenerator(seed)
        self.data_format = image_data_format() if data_format is None else data_format
        self._built = True

    def call(self, inputs: Tensor, training: bool = True) -> Any:
        """Return the images changed, in training.

        Raises:
            ValueError: for other than images, one or a batch.
        """
        x = array.cast(inputs, self.compute_dtype)
        if len(x.sizes) not in (3, 4):
            raise ValueError(f"Expected the input image to be rank 3 or 4. Received inputs.shape={tuple(x.sizes)}")
        if isinstance(training, Tensor):
            raise NotImplementedError(f"{type(self).__name__}: `training` is a Python value here, not a tensor.")
        if not training:
            return x
        alone = len(x.sizes) == 3
        y = self._changed(array.expand_dims(x, 0) if alone else x)
        return array.squeeze(y, 0) if alone else y

    def _changed(self, x: Tensor) -> Any:
        """Return a batch of images changed."""
        raise NotImplementedError

    def _drawn(self, x: Tensor, low: float, high: float) -> Any:
        """Return a number for each image, evenly between two."""
        return random.uniform([array.shape(x)[0]], low, high, dtype=self.compute_dtype, seed=self.generator)

    @property
    def _axes(self) -> tuple[int, int]:
        """The axes of height and width, from the end."""
        return (-2, -1) if self.data_format == "channels_first" else (-3, -2)


def _range(name: str, factor: Factor, least: float, most: float, open_below: bool = False) -> tuple[float, float]:
    """Return from how much to how much.

    Raises:
        ValueError: for other than a number or two, within what is allowed.
    """
    two = sorted(factor) if isinstance(factor, Sequence) else [max(-abs(factor), least), abs(factor)]
    low, high = two if len(two) == 2 else (math.nan, math.nan)
    whole = isinstance(factor, Sequence) or least <= factor
    if not whole or not (least <= low <= high <= most) or (open_below and low <= least):
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range [{least}, {most}]. "
            f"Received: {name}={factor}"
        )
    return low, high


class RandomFlip(_Random):
    """Half of the images mirrored: their columns, their rows, or, by default, both.

    >>> x = array.constant([[[1.0], [2.0]]])
    >>> sorted({tuple(RandomFlip("horizontal", seed=s)(x).numpy().ravel().tolist()) for s in range(9)})
    [(1.0, 2.0), (2.0, 1.0)]
    """

    _arguments = ("mode", "seed", "data_format")

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take "horizontal", "vertical" or "horizontal_and_vertical".

        Raises:
            ValueError: for something else.
        """
        super().__init__(seed, data_format, **keywords)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(f"RandomFlip: the mode is 'horizontal', 'vertical' or 'horizontal_and_vertical', not {mode!r}.")
        self.mode = mode

    def _changed(self, x: Tensor) -> Any:
        axes = [axis for axis, name in zip(self._axes, ("vertical", "horizontal"), strict=True) if name in self.mode]
        turned = array.reshape(self._drawn(x, 0.0, 1.0) <= 0.5, [-1, 1, 1, 1])
        return array.where(turned, array.reverse(x, [4 + axis for axis in axes]), x)


_WARPED = ("fill_mode", "interpolation", "seed", "fill_value", "data_format")


class _Warped(_Random):
    """Images whose pixels come from other places; ``fill_mode`` says what lies around an image."""

    _arguments: ClassVar[tuple[str, ...] | None] = _WARPED

    def __init__(
        self, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0,
        data_format: str | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take what lies around ("reflect", "wrap", "constant" or "nearest"), and what between ("bilinear" or "nearest").

        Raises:
            NotImplementedError: for something else.
        """
        super().__init__(seed, data_format, **keywords)
        for name, value, known in (
            ("fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest")),
            ("interpolation", interpolation, ("nearest", "bilinear")),
        ):
            if value not in known:
                raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {known}.")
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def _changed(self, x: Tensor) -> Any:
        height, width = (x.sizes[axis] for axis in self._axes)
        if height is None or width is None:
            raise ValueError(f'Layer "{self.name}": the sizes of images must be known; the input has shape {x.shape}.')
        numbers = [n + array.zeros_like(x[:, 0, 0, 0]) for n in self._numbers(x, height, width)]
        return image.affine_transform(
            x, array.stack([*numbers, *[array.zeros_like(numbers[0])] * 2], -1), self.interpolation, self.fill_mode,
            self.fill_value, self.data_format,
        )  # fmt: skip

    def _numbers(self, x: Tensor, height: int, width: int) -> Sequence[Any]:
        """Return a to f: pixel (x, y) is that of the place (a x + b y + c, d x + e y + f)."""
        raise NotImplementedError


class RandomRotation(_Warped):
    """Images turned about their centres; the factor is in turns: 0.1 is up to 36 degrees to both sides."""

    _arguments = ("factor", *_WARPED)

    def __init__(
        self, factor: Factor, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None,
        fill_value: float = 0.0, data_format: str | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how far."""
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **keywords)
        self.factor = _range("factor", factor, -1.0, 1.0)

    def _numbers(self, x: Tensor, height: int, width: int) -> Sequence[Any]:
        angle = self._drawn(x, *self.factor) * (2.0 * math.pi)
        return _turned(elementary.cos(angle), -elementary.sin(angle), elementary.sin(angle), elementary.cos(angle), height, width)


def _turned(a: Tensor, b: Tensor, d: Tensor, e: Tensor, height: int, width: int) -> Sequence[Any]:
    """Return the six numbers of a map that leaves the centre where it is."""
    cx, cy = 0.5 * (width - 1), 0.5 * (height - 1)
    return a, b, cx - cx * a - cy * b, d, e, cy - cx * d - cy * e


class RandomShear(_Warped):
    """Images whose rows, and columns, slide over each other, by a share of a pixel for each row, and column: to either side."""

    _arguments = ("x_factor", "y_factor", *_WARPED)

    def __init__(
        self, x_factor: Factor = 0.0, y_factor: Factor = 0.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
        fill_value: float = 0.0, data_format: str | None = None, seed: int | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how far along both axes, in [0, 1]."""
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **keywords)
        self.x_factor, self.y_factor = _range("x_factor", x_factor, 0.0, 1.0), _range("y_factor", y_factor, 0.0, 1.0)

    def _numbers(self, x: Tensor, height: int, width: int) -> Sequence[Any]:
        one = array.ones_like(x[:, 0, 0, 0])
        side = array.where(self._drawn(x, 0.0, 1.0) > 0.5, -one, one)
        along, down = (self._drawn(x, *f) * side for f in (self.x_factor, self.y_factor))
        zero = array.zeros_like(one)
        return one, along, zero, down, one, zero


class RandomZoom(_Warped):
    """Images larger or smaller: of 1 + factor times their size, a factor below 0 making what they show larger."""

    _arguments = ("height_factor", "width_factor", *_WARPED)

    def __init__(
        self, height_factor: Factor, width_factor: Factor | None = None, fill_mode: str = "reflect",
        interpolation: str = "bilinear", seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how far along height and width, by default the same along both."""
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **keywords)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._high = _range("height_factor", height_factor, -1.0, 1.0, True)
        self._wide = None if width_factor is None else _range("width_factor", width_factor, -1.0, 1.0, True)

    def _numbers(self, x: Tensor, height: int, width: int) -> Sequence[Any]:
        high = 1.0 + self._drawn(x, *self._high)
        wide = high if self._wide is None else 1.0 + self._drawn(x, *self._wide)
        zero = array.zeros_like(high)
        return _turned(wide, zero, zero, high, height, width)


class RandomTranslation(_Warped):
    """Images moved, by a share of their height and of their width."""

    _arguments = ("height_factor", "width_factor", *_WARPED)

    def __init__(
        self, height_factor: Factor, width_factor: Factor, fill_mode: str = "reflect", interpolation: str = "bilinear",
        seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how far along height and width."""
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **keywords)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._high, self._wide = (
            _range("height_factor", height_factor, -1.0, 1.0),
            _range("width_factor", width_factor, -1.0, 1.0),
        )

    def _numbers(self, x: Tensor, height: int, width: int) -> Sequence[Any]:
        down, across = self._drawn(x, *self._high) * float(height), self._drawn(x, *self._wide) * float(width)
        one, zero = array.ones_like(down), array.zeros_like(down)
        return one, zero, -across, zero, one, -down


class RandomCrop(_Random):
    """A part of a given height and width, the same in all images of a batch; of images that are too small, resized ones."""

    _arguments = ("height", "width", "seed", "data_format")

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take the size."""
        super().__init__(seed, data_format, **keywords)
        self.height, self.width = int(height), int(width)

    def _changed(self, x: Tensor) -> Any:
        height, width = (x.sizes[axis] for axis in self._axes)
        if height is None or width is None:
            raise ValueError(
                f"RandomCrop requires the input to have a fully defined height and width. Received: images.shape={tuple(x.sizes)}"
            )
        if height > self.height and width > self.width:
            ends = (float(height - self.height + 1), float(width - self.width + 1))
            top, left = (array.cast(random.uniform((), 0.0, end, seed=self.generator), "int32") for end in ends)
        else:
            tall = max(min(height, int(width * self.height / self.width)), 1)
            wide = max(min(width, int(height * self.width / self.height)), 1)
            top, left = array.constant((height - tall) // 2), array.constant((width - wide) // 2)
        start, size = [array.constant(0)] * 4, [-1] * 4
        for axis, at, long in zip(self._axes, (top, left), (self.height, self.width), strict=True):
            start[axis], size[axis] = at, long
        if height > self.height and width > self.width:
            return array.slice(x, array.stack(start), size)
        index: list[Any] = [slice(None)] * 4
        for axis, at, long in zip(self._axes, (top, left), (self.height, self.width), strict=True):
            index[axis] = slice(int(at), int(at) + long)
        y = x[tuple(index)]
        if tuple(y.sizes[axis] for axis in self._axes) == (self.height, self.width):
            return y
        return image.resize(y, (self.height, self.width), data_format=self.data_format)


class _Coloured(_Random):
    """Other colours, within a range of values."""

    def __init__(
        self, value_range: Sequence[float] = (0, 255), seed: int | None = None, data_format: str | None = None,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the least and the largest value of a pixel.

        Raises:
            ValueError: for other than two numbers.
        """
        super().__init__(seed, data_format, **keywords)
        if not isinstance(value_range, list | tuple) or len(value_range) != 2:
            raise ValueError(f"The `value_range` argument should be a list of two numbers. Received: value_range={value_range}")
        self.value_range = sorted(value_range)

    def _each(self, x: Tensor, low: float, high: float) -> Any:
        """Return a number for each image, with the axes of images."""
        return array.reshape(self._drawn(x, low, high), [-1, 1, 1, 1])


class RandomBrightness(_Coloured):
    """Images lighter or darker, by a share of the range of values."""

    _arguments = ("factor", "value_range", "seed", "data_format")

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **keywords: Any) -> None:
        """Take how much, and the range."""
        super().__init__(value_range, seed, **keywords)
        self.factor = _range("factor", factor, -1.0, 1.0)

    def _changed(self, x: Tensor) -> Any:
        low, high = self.value_range
        return elementary.clip_by_value(x + self._each(x, *self.factor) * (high - low), low, high)


class RandomContrast(_Coloured):
    """(x - mean) f + mean of each channel of each image, f in [1 - factor, 1 + factor]."""

    _arguments = ("factor", "value_range", "seed", "data_format")

    def __init__(self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **keywords: Any) -> None:
        """Take how much: a number, or how much less and how much more; and the range."""
        super().__init__(value_range, seed, **keywords)
        low, high = (factor, factor) if isinstance(factor, int | float) else factor
        _range("factor", [min(low, high), max(low, high)], 0.0, 1.0)
        self.factor = low, high

    def _changed(self, x: Tensor) -> Any:
        mean = elementary.reduce_mean(x, list(self._axes), keepdims=True)
        y = (x - mean) * self._each(x, 1.0 - self.factor[0], 1.0 + self.factor[1]) + mean
        return elementary.clip_by_value(y, *self.value_range)


class RandomGrayscale(_Random):
    """A share of the images without their colours."""

    _arguments = ("factor", "data_format", "seed")

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **keywords: Unpack[LayerKeywords]
    ) -> None:
        """Take the share."""
        super().__init__(seed, data_format, **keywords)
        if not 0 <= factor <= 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.factor = factor

    def _changed(self, x: Tensor) -> Any:
        grey = image.rgb_to_grayscale(x, self.data_format) + array.zeros_like(x)
        return array.where(array.reshape(self._drawn(x, 0.0, 1.0) < self.factor, [-1, 1, 1, 1]), grey, x)
