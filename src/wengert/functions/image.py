"""TensorFlow's ``tf.image``: formulas over pixels, and other sizes of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as two
from wengert.functions.colours import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    convert_image_dtype,
    hsv_to_rgb,
    random_brightness,
    random_contrast,
    random_crop,
    random_flip_left_right,
    random_flip_up_down,
    random_hue,
    random_saturation,
    rgb_to_hsv,
    rgb_to_yiq,
    rgb_to_yuv,
    stateless_random_brightness,
    stateless_random_contrast,
    stateless_random_crop,
    stateless_random_flip_left_right,
    stateless_random_flip_up_down,
    stateless_random_hue,
    stateless_random_saturation,
    yiq_to_rgb,
    yuv_to_rgb,
)
from wengert.functions.likeness import sobel_edges, ssim, ssim_multiscale
from wengert.functions.nn import extract_patches
from wengert.ground.errors import InvalidArgumentError, ShapeError
from wengert.ground.shapes import text
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = [
    "ResizeMethod", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation", "central_crop",
    "convert_image_dtype", "crop_to_bounding_box", "extract_patches", "flip_left_right", "flip_up_down", "grayscale_to_rgb",
    "hsv_to_rgb", "image_gradients", "pad_to_bounding_box", "per_image_standardization", "psnr", "random_brightness",
    "random_contrast", "random_crop", "random_flip_left_right", "random_flip_up_down", "random_hue", "random_saturation",
    "resize", "resize_with_crop_or_pad", "rgb_to_grayscale", "rgb_to_hsv", "rgb_to_yiq", "rgb_to_yuv", "rot90", "sobel_edges",
    "ssim", "ssim_multiscale", "stateless_random_brightness", "stateless_random_contrast", "stateless_random_crop",
    "stateless_random_flip_left_right", "stateless_random_flip_up_down", "stateless_random_hue", "stateless_random_saturation",
    "total_variation", "transpose", "yiq_to_rgb", "yuv_to_rgb",
]  # fmt: skip

Weights = np.ndarray[Any, Any]


def _image(value: TensorLike, axes: int, what: str) -> Any:
    x = convert(value)
    if x.sizes is not None and len(x.sizes) < axes:
        raise ShapeError(f"{what} takes an image of shape (..., height, width, channels), not {text(x.sizes)}.")
    return x


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


# --- other sizes ------------------------------------------------------------------------------------------------------


class ResizeMethod:
    """The names of the ways to another size."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


def _keys(x: Weights, a: float = -0.5) -> Weights:
    """Return the cubic convolution kernel (R. G. Keys, 1981)."""
    x = np.abs(x)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _mitchell(x: Weights) -> Weights:
    """Return the cubic kernel with B = C = 1/3 (D. Mitchell and A. Netravali, 1988)."""
    x = np.abs(x)
    near, far = ((7 * x - 12) * x * x + 16 / 3) / 6, (((-7 / 3 * x + 12) * x - 20) * x + 32 / 3) / 6
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _lanczos(radius: float) -> Callable[[Weights], Weights]:
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


_KERNELS: dict[str, tuple[float, Callable[[Weights], Weights]]] = {
    "bilinear": (1.0, lambda x: np.maximum(0.0, 1.0 - np.abs(x))),
    "bicubic": (2.0, _keys),
    "lanczos3": (3.0, _lanczos(3.0)),
    "lanczos5": (5.0, _lanczos(5.0)),
    "gaussian": (1.5, lambda x: np.where(np.abs(x) < 1.5, np.exp(-2.0 * x * x), 0.0)),
    "mitchellcubic": (2.0, _mitchell),
}
"""The radius and the weight at a distance."""


def _centers(n: int, m: int) -> Weights:
    """Return where the centers of m pixels lie among n, whose own are at 0.5, 1.5, ..."""
    return (np.arange(m) + 0.5) * (n / m)


def _filtered(n: int, m: int, method: str, antialias: bool) -> Weights:
    """Return the weights (m, n) of pixels within the reach of a kernel, which is as wide as a new pixel where asked for."""
    radius, kernel = _KERNELS[method]
    scale = max(n / m, 1.0) if antialias else 1.0
    distance = (np.arange(n) + 0.5 - _centers(n, m)[:, None]) / scale
    weights = np.where(np.abs(distance) <= radius, kernel(distance), 0.0)
    found: Weights = weights / weights.sum(axis=1, keepdims=True)
    return found


_STEPS = 1024
"""TensorFlow reads the cubic kernel from a table of so many places between two pixels."""


def _cubic(n: int, m: int) -> Weights:
    at = _centers(n, m) - 0.5
    first = np.floor(at)
    shift = np.rint((at - first) * _STEPS) / _STEPS
    weights = _keys(np.arange(n) - (first + shift)[:, None])
    found: Weights = weights / weights.sum(axis=1, keepdims=True)
    return found


def _linear(n: int, m: int) -> Weights:
    at = np.clip(_centers(n, m) - 0.5, 0, n - 1)
    return np.maximum(0.0, 1.0 - np.abs(np.arange(n) - at[:, None]))


def _area(n: int, m: int) -> Weights:
    """Return the part of each of n pixels in each of m, which lie over them."""
    ends = np.arange(m + 1) * (n / m)
    left, right = np.maximum(ends[:-1, None], np.arange(n)), np.minimum(ends[1:, None], np.arange(n) + 1.0)
    found: Weights = np.maximum(right - left, 0.0) * (m / n)
    return found


def _weights(n: int, m: int, method: str, antialias: bool) -> Weights:
    if method == "area":
        return _area(n, m)
    if not antialias and method in ("bilinear", "bicubic"):
        return _linear(n, m) if method == "bilinear" else _cubic(n, m)
    return _filtered(n, m, method, antialias)


def _wanted(size: TensorLike, sizes: tuple[int, int], preserve: bool) -> tuple[int, int]:
    found = array.get_static_value(convert(size))
    if found is None or np.shape(found) != (2,) or np.asarray(found).dtype.kind not in "iu":
        raise ValueError("'size' must be a 1-D int32 Tensor of 2 elements: new_height, new_width")
    height, width = (int(s) for s in np.asarray(found))
    if height < 1 or width < 1:
        raise InvalidArgumentError(f"output dimensions must be positive, and are {height} and {width}.")
    if preserve:
        scale = min(height / sizes[0], width / sizes[1])
        height, width = (max(1, round(scale * s)) for s in sizes)
    return height, width


def resize(
    images: TensorLike, size: TensorLike, method: str = ResizeMethod.BILINEAR, preserve_aspect_ratio: bool = False,
    antialias: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return images of another height and width, as float32 (nearest: of their own dtype).

    Each new pixel is a weighted mean of old ones: A x Bᵀ with constant A and B, for each channel.

    Args:
        images: (height, width, channels), or a batch of them.
        size: the new height and width.
        method: "bilinear", "bicubic", "area", "nearest", "lanczos3", "lanczos5", "gaussian" or "mitchellcubic".
        preserve_aspect_ratio: take the largest size within the one given that has the ratio of the old one.
        antialias: let the kernel grow with the pixels where images become smaller.
        name: not used.

    Raises:
        ShapeError: (a ValueError) for other axes, and where height and width are not known.

    >>> resize([[[0.0], [4.0]]], [1, 4])[0, :, 0].numpy().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    x = convert(images)
    if x.sizes is None or len(x.sizes) not in (3, 4):
        raise ShapeError("'images' must have either 3 or 4 dimensions.")
    n, m = x.sizes[-3], x.sizes[-2]
    if n is None or m is None:
        raise ShapeError("resize needs to know the height and width of the images.")
    height, width = _wanted(size, (n, m), preserve_aspect_ratio)
    if method == "nearest":
        rows, columns = (np.minimum(np.floor(_centers(a, b)), a - 1).astype(np.int32) for a, b in ((n, height), (m, width)))
        return two.named(array.gather(array.gather(x, rows, axis=-3), columns, axis=-2), name)
    if method not in (*_KERNELS, "area"):
        raise ValueError(f"Resize method is not implemented: {method}")
    x = array.cast(x, "float32")
    found = two.einsum("...hwc,yh->...ywc", x, _weights(n, height, method, antialias).astype(np.float32))
    found = two.einsum("...ywc,xw->...yxc", found, _weights(m, width, method, antialias).astype(np.float32))
    return two.named(found, name)


def crop_to_bounding_box(image: TensorLike, offset_height: int, offset_width: int, target_height: int, target_width: int) -> Any:
    """Return the part of images of this size that begins here."""
    x = _image(image, 3, "crop_to_bounding_box")
    for axis, start, size in ((-3, offset_height, target_height), (-2, offset_width, target_width)):
        known = None if x.sizes is None else x.sizes[axis]
        if start < 0 or size < 1 or (known is not None and start + size > known):
            raise ShapeError(f"crop_to_bounding_box: {size} pixels from {start} on do not lie in images of shape {x.shape}.")
    return x[..., offset_height : offset_height + target_height, offset_width : offset_width + target_width, :]


def pad_to_bounding_box(image: TensorLike, offset_height: int, offset_width: int, target_height: int, target_width: int) -> Any:
    """Return images with zeros around them, in this size, beginning here."""
    x = _image(image, 3, "pad_to_bounding_box")
    n, m = x.sizes[-3:-1]
    pairs = [(offset_height, target_height - offset_height - n), (offset_width, target_width - offset_width - m)]
    if min(min(p) for p in pairs) < 0:
        raise ShapeError(f"pad_to_bounding_box: images of shape {x.shape} do not fit {target_height} by {target_width} pixels.")
    return array.pad(x, [*[(0, 0)] * (len(x.sizes) - 3), *pairs, (0, 0)])


def resize_with_crop_or_pad(image: TensorLike, target_height: int, target_width: int) -> Any:
    """Return the middle of images in this size, with zeros where they are smaller."""
    x = _image(image, 3, "resize_with_crop_or_pad")
    n, m = x.sizes[-3:-1]
    height, width = min(n, target_height), min(m, target_width)
    x = crop_to_bounding_box(x, (n - height) // 2, (m - width) // 2, height, width)
    return pad_to_bounding_box(x, (target_height - height) // 2, (target_width - width) // 2, target_height, target_width)


def central_crop(image: TensorLike, central_fraction: float) -> Any:
    """Return the middle of images, this part of their height and width."""
    x = _image(image, 3, "central_crop")
    if not 0.0 < central_fraction <= 1.0:
        raise ValueError("central_fraction must be within (0, 1]")
    n, m = x.sizes[-3:-1]
    above, left = (int((s - s * central_fraction) / 2) for s in (n, m))
    return crop_to_bounding_box(x, above, left, n - 2 * above, m - 2 * left)


# --- turned, mirrored, of other colours ---------------------------------------------------------------------------------


def flip_left_right(image: TensorLike) -> Any:
    """Return images mirrored left to right."""
    return array.reverse(_image(image, 3, "flip_left_right"), [-2])


def flip_up_down(image: TensorLike) -> Any:
    """Return images mirrored upside down."""
    return array.reverse(_image(image, 3, "flip_up_down"), [-3])


def transpose(image: TensorLike, name: str | None = None) -> Any:
    """Return images with height and width exchanged."""
    x = _image(image, 3, "transpose")
    rank = len(x.sizes)
    return array.transpose(x, [*range(rank - 3), rank - 2, rank - 3, rank - 1])


def rot90(image: TensorLike, k: int = 1, name: str | None = None) -> Any:
    """Return images turned counter-clockwise by k right angles."""
    x: Tensor = _image(image, 3, "rot90")
    turns = int(k) % 4
    if turns == 2:
        return flip_up_down(flip_left_right(x))
    return x if turns == 0 else flip_up_down(transpose(x)) if turns == 1 else transpose(flip_up_down(x))


def grayscale_to_rgb(images: TensorLike, name: str | None = None) -> Any:
    """Return images of one channel with three equal ones."""
    x = convert(images)
    if x.sizes is not None and x.sizes[-1] not in (1, None):
        raise ShapeError(f"grayscale_to_rgb takes images of one channel, not of shape {text(x.sizes)}.")
    return array.concat([x, x, x], -1)


def rgb_to_grayscale(images: TensorLike, name: str | None = None) -> Any:
    """Return the brightness of images: 0.2989 red + 0.587 green + 0.114 blue."""
    x = convert(images)
    weights = array.constant(np.array([[0.2989], [0.587], [0.114]]), x.dtype if x.nptype.kind == "f" else "float32")
    if x.nptype.kind == "f":
        return two.tensordot(x, weights, 1)
    return array.saturate_cast(two.tensordot(array.cast(x, "float32"), weights, 1) + 0.5, x.dtype)


def adjust_gamma(image: TensorLike, gamma: TensorLike = 1, gain: TensorLike = 1) -> Any:
    """Return gain * image ** gamma."""
    x = convert(image)
    return two.multiply(array.cast(gain, x.dtype), two.pow(x, array.cast(gamma, x.dtype)))


def psnr(a: TensorLike, b: TensorLike, max_val: float, name: str | None = None) -> Any:
    """Return the ratio of signal to noise of images: 20 log10(max) - 10 log10(mean squared difference)."""
    x, y = (array.cast(t, "float32") for t in (a, b))
    error = two.reduce_mean(two.squared_difference(x, y), [-3, -2, -1])
    return 20.0 * np.log10(float(max_val)).astype(np.float32) - two.log(error) * np.float32(10.0 / np.log(10.0))
