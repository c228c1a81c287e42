"""TensorFlow 1's ``tf.image``: other sizes are counted from the corners of pixels, not from their centers."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array, image
from wengert.functions import math as two
from wengert.functions.image import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    central_crop,
    crop_to_bounding_box,
    extract_patches,
    flip_left_right,
    flip_up_down,
    grayscale_to_rgb,
    image_gradients,
    pad_to_bounding_box,
    per_image_standardization,
    psnr,
    resize_with_crop_or_pad,
    rgb_to_grayscale,
    rot90,
    total_variation,
    transpose,
)
from wengert.ground.errors import ShapeError, UnimplementedError
from wengert.tensor.tensor import TensorLike, convert

__all__ = [
    "ResizeMethod", "adjust_brightness", "adjust_contrast", "adjust_gamma", "central_crop", "crop_to_bounding_box",
    "extract_patches", "flip_left_right", "flip_up_down", "grayscale_to_rgb", "image_gradients", "pad_to_bounding_box",
    "per_image_standardization", "psnr", "resize", "resize_area", "resize_bicubic", "resize_bilinear",
    "resize_image_with_crop_or_pad", "resize_images", "resize_nearest_neighbor", "resize_with_crop_or_pad", "rgb_to_grayscale",
    "rot90", "total_variation", "transpose",
]  # fmt: skip

resize_image_with_crop_or_pad = image.resize_with_crop_or_pad


class ResizeMethod:
    """The numbers of the ways to another size."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = 0, 1, 2, 3


_NAMES = {0: "bilinear", 1: "nearest", 2: "bicubic", 3: "area"}


def _places(n: int, m: int, corners: bool) -> image.Weights:
    """Return where m pixels lie among n; `corners`: the last on the last."""
    return np.arange(m) * ((n - 1) / (m - 1) if corners and m > 1 else n / m)


def _weights(n: int, m: int, method: str, corners: bool) -> image.Weights:
    if method == "area":
        return image._area(n, m)
    at = _places(n, m, corners)
    if method == "bilinear":
        return np.maximum(0.0, 1.0 - np.abs(np.arange(n) - np.minimum(at, n - 1)[:, None]))
    first = np.floor(at).astype(int)
    shift = np.rint((at - first) * image._STEPS) / image._STEPS
    found = np.zeros((m, n))
    for k in (-1, 0, 1, 2):  # beyond the edge stands the last pixel again
        np.add.at(found, (np.arange(m), np.clip(first + k, 0, n - 1)), image._keys(k - shift, -0.75))
    return found


def resize_images(
    images: TensorLike, size: TensorLike, method: int | str = 0, align_corners: bool = False,
    preserve_aspect_ratio: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return images of another height and width, as float32 (nearest, or of the same size: of their own dtype).

    Raises:
        UnimplementedError: for "area" with aligned corners.
    """
    way = _NAMES.get(method, str(method)) if isinstance(method, int) else method
    x = convert(images)
    if x.sizes is None or len(x.sizes) not in (3, 4) or None in x.sizes[-3:-1]:
        raise ShapeError("resize_images takes images of 3 or 4 axes, whose height and width are known.")
    n, m = x.sizes[-3:-1]
    height, width = image._wanted(size, (n, m), preserve_aspect_ratio)
    if way not in _NAMES.values():
        raise ValueError(f"Resize method is not implemented: {method}")
    if (height, width) == (n, m):
        return x
    if way == "nearest":
        half = 0.5 if align_corners else 0.0
        at = [np.minimum(np.floor(_places(a, b, align_corners) + half), a - 1).astype(np.int32)
              for a, b in ((n, height), (m, width))]  # fmt: skip
        return two.named(array.gather(array.gather(x, at[0], axis=-3), at[1], axis=-2), name)
    if way == "area" and align_corners:
        raise UnimplementedError("resize_area with align_corners is not served.")
    found = array.cast(x, "float32")
    rows, columns = (_weights(a, b, way, align_corners).astype(np.float32) for a, b in ((n, height), (m, width)))
    found = two.einsum("...hwc,yh->...ywc", found, rows)
    return two.named(two.einsum("...ywc,xw->...yxc", found, columns), name)


resize = resize_images


def _way(images: TensorLike, size: TensorLike, align: bool, name: str | None, half: bool, method: int) -> Any:
    if half:
        return image.resize(images, size, _NAMES[method], name=name)
    return resize_images(images, size, method, align, name=name)


def resize_bilinear(
    images: TensorLike, size: TensorLike, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Return images of another size by linear interpolation."""
    return _way(images, size, align_corners, name, half_pixel_centers, 0)


def resize_nearest_neighbor(
    images: TensorLike, size: TensorLike, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Return images of another size by the nearest pixels."""
    return _way(images, size, align_corners, name, half_pixel_centers, 1)


def resize_bicubic(
    images: TensorLike, size: TensorLike, align_corners: bool = False, name: str | None = None, half_pixel_centers: bool = False
) -> Any:
    """Return images of another size by cubic convolution."""
    return _way(images, size, align_corners, name, half_pixel_centers, 2)


def resize_area(images: TensorLike, size: TensorLike, align_corners: bool = False, name: str | None = None) -> Any:
    """Return images of another size by the means over the pixels' areas."""
    return resize_images(images, size, 3, align_corners, name=name)
