"""TensorFlow's ``tf.image``: the few functions that are formulas over pixels."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import math as two
from wengert.functions.nn import extract_patches
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import text
from wengert.tensor.tensor import TensorLike, convert

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "extract_patches",
    "image_gradients",
    "per_image_standardization",
    "total_variation",
]


def _image(value: TensorLike, axes: int, what: str) -> Any:
    x = convert(value)
    if x.sizes is not None and len(x.sizes) < axes:
        raise ShapeError(f"{what} takes an image of shape (..., height, width, channels), not {text(x.sizes)}.")
    return x


def adjust_brightness(image: TensorLike, delta: TensorLike) -> Any:
    """Return the image with a number added to each pixel."""
    return _image(image, 3, "adjust_brightness") + delta


def adjust_contrast(images: TensorLike, contrast_factor: Any) -> Any:
    """Return (x - mean) * factor + mean, the mean being that of each channel. TensorFlow gives it no derivative.

    >>> adjust_contrast([[[1.0], [3.0]]], 2.0).numpy().ravel().tolist()
    [0.0, 4.0]
    """
    x = _image(images, 3, "adjust_contrast")
    mean = two.reduce_mean(x, [-3, -2], True)
    return (x - mean) * contrast_factor + mean


def per_image_standardization(image: TensorLike) -> Any:
    """Return (x - mean) / max(standard deviation, 1/sqrt(n)), over all pixels and channels of each image."""
    x = _image(image, 3, "per_image_standardization")
    n = two.reduce_prod(array.cast(array.shape(x)[-3:], x.dtype))
    deviation = two.maximum(two.reduce_std(x, [-3, -2, -1], True), two.rsqrt(n))
    return (x - two.reduce_mean(x, [-3, -2, -1], True)) / deviation


def image_gradients(image: TensorLike) -> tuple[Any, Any]:
    """Return the differences of neighbours along height and width; zeros in the last row and column."""
    x = _image(image, 4, "image_gradients")
    dy, dx = x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]
    return (
        array.pad(dy, [[0, 0], [0, 1], [0, 0], [0, 0]]),
        array.pad(dx, [[0, 0], [0, 0], [0, 1], [0, 0]]),
    )


def total_variation(images: TensorLike, name: str | None = None) -> Any:
    """Return the sum of the absolute differences of neighbouring pixels, of each image."""
    x = _image(images, 3, "total_variation")
    down, across = x[..., 1:, :, :] - x[..., :-1, :, :], x[..., :, 1:, :] - x[..., :, :-1, :]
    return two.reduce_sum(two.abs(down), [-3, -2, -1]) + two.reduce_sum(two.abs(across), [-3, -2, -1])
