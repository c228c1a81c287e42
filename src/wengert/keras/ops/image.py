"""``keras.ops.image``: images resized, moved, padded, cut into patches, in other colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, colours, likeness, nn
from wengert.functions import math as elementary
from wengert.ground.types import NumPyArray
from wengert.keras.configuration import image_data_format
from wengert.keras.ops.promotion import floating, tensor
from wengert.keras.ops.warping import affine_transform, between, perspective_transform
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = [
    "affine_transform",
    "crop_images",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]

Size = int | Sequence[int]


def _first(data_format: str | None) -> bool:
    """Return whether channels stand before the rows."""
    return (data_format or image_data_format()) == "channels_first"


def _last(x: Tensor, data_format: str | None) -> Any:
    """Return images with their channels last."""
    return _moved(x, -3, -1) if _first(data_format) else x


def _back(x: Tensor, data_format: str | None) -> Any:
    return _moved(x, -1, -3) if _first(data_format) else x


def _moved(x: Tensor, start: int, end: int) -> Any:
    """Return x with an axis moved to another place, both counted from the end."""
    order = list(range(len(x.sizes)))
    axis = order.pop(start)
    order.insert(len(x.sizes) + end, axis)
    return array.transpose(x, order)


def _triangle(x: NumPyArray) -> NumPyArray:
    return np.maximum(0.0, 1.0 - np.abs(x))


def _cubic(x: NumPyArray) -> NumPyArray:
    """Return R. Keys' cubic (1981), with a = -1/2."""
    x = np.abs(x)
    near, far = (1.5 * x - 2.5) * x * x + 1.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(radius: int) -> Callable[[NumPyArray], NumPyArray]:
    return lambda x: np.asarray(np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0.0))


_KERNELS: dict[str, Callable[[NumPyArray], NumPyArray]] = {
    "linear": _triangle, "bilinear": _triangle, "trilinear": _triangle, "triangle": _triangle, "cubic": _cubic,
    "bicubic": _cubic, "tricubic": _cubic, "lanczos3": _lanczos(3), "lanczos5": _lanczos(5),
}  # fmt: skip


def _weights(method: str, before: int, after: int, scale: float, shift: float, antialias: bool) -> NumPyArray:
    """Return what each old element counts in each new one along an axis, whose centre lies at (i + ½ - shift) / scale."""
    places = (np.arange(after) + 0.5 - shift) / scale - 0.5
    if method == "nearest":
        return np.asarray(np.eye(before)[np.clip(np.floor(places + 0.5).astype(int), 0, before - 1)])
    wide = max(1.0 / scale, 1.0) if antialias else 1.0
    found = _KERNELS[method]((np.arange(before) - places[:, None]) / wide)
    total = found.sum(1, keepdims=True)
    found = np.divide(found, total, out=np.zeros_like(found), where=np.abs(total) > 1e-6)
    inside = (places >= -0.5) & (places <= before - 0.5)
    return np.where(inside[:, None], found, 0.0)


def _along(x: Tensor, weights: NumPyArray, axis: int) -> Any:
    found = elementary.tensordot(x, tensor(weights, x.dtype), [[axis], [1]])
    return _moved(found, -1, axis - len(x.sizes))


def resize(
    images: TensorLike, size: Size, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return images of another size: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    ``crop_to_aspect_ratio``: cut what sticks out, instead of stretching; ``pad_to_aspect_ratio``: fill what is missing.

    Raises:
        ValueError: for another interpolation, for both at once, and for images of unknown sizes.
    """
    if interpolation not in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        raise ValueError(f"Invalid `interpolation` argument: {interpolation!r}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`.")
    given = tensor(images)
    x = _last(given if given.nptype.kind == "f" else array.cast(given, "float32"), data_format)
    rows, columns = size if isinstance(size, list | tuple) else (size, size)
    height, width = x.sizes[-3:-1]
    if height is None or width is None:
        raise ValueError("keras.ops.image.resize: the sizes of the images must be known.")
    if crop_to_aspect_ratio:
        tall, wide = min(height, int(width * rows / columns)), min(width, int(height * columns / rows))
        top, left = (height - tall) // 2, (width - wide) // 2
        x = x[..., top : top + tall, left : left + wide, :]
    elif pad_to_aspect_ratio:
        tall, wide = max(height, int(width * rows / columns)), max(width, int(height * columns / rows))
        top, left = (tall - height) // 2, (wide - width) // 2
        pairs = [[top, top], [left, left], [0, 0]]  # as Keras does: as much at both ends
        x = array.pad(x, [[0, 0]] * (len(x.sizes) - 3) + pairs, "constant", fill_value)
    for axis, after in ((-3, rows), (-2, columns)):
        before = x.sizes[axis]
        x = _along(x, _weights(interpolation, before, after, after / before, 0.0, antialias), len(x.sizes) + axis)
    if interpolation == "nearest" or given.nptype.kind == "f":
        x = array.cast(x, given.dtype)
    elif given.nptype.kind in "iu":
        x = array.saturate_cast(elementary.round(x), given.dtype)
    return _back(x, data_format)


def scale_and_translate(
    images: TensorLike, output_shape: Sequence[int], scale: TensorLike, translation: TensorLike, spatial_dims: Sequence[int],
    method: str, antialias: bool = True,
) -> Any:  # fmt: skip
    """Return images of another shape, scaled and then moved along some axes; scale and translation are numbers.

    Raises:
        ValueError: for another method.
    """
    if method not in _KERNELS:
        raise ValueError(f"Invalid `method` argument: {method!r}; there are {', '.join(_KERNELS)}.")
    x = floating(images)
    factors, shifts = np.asarray(scale, float), np.asarray(translation, float)
    for axis, factor, shift in zip(spatial_dims, factors, shifts, strict=True):
        weights = _weights(method, x.sizes[axis], output_shape[axis], float(factor), float(shift), antialias)
        x = _along(x, weights, axis % len(x.sizes))
    return x


# --- colours --------------------------------------------------------------------------------------------------------------


def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Any:
    """Return 0.2989 red + 0.587 green + 0.114 blue."""
    given = tensor(images)
    x = _last(given if given.nptype.kind == "f" else array.cast(given, "float32"), data_format)
    grey = elementary.reduce_sum(x * tensor([0.2989, 0.587, 0.114], x.dtype), -1, True)
    return _back(array.cast(grey, given.dtype), data_format)


def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Any:
    """Return hue, saturation and value of red, green and blue between 0 and 1."""
    return _back(colours.rgb_to_hsv(_last(tensor(images), data_format)), data_format)


def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Any:
    """Return red, green and blue of hue, saturation and value between 0 and 1."""
    return _back(colours.hsv_to_rgb(_last(tensor(images), data_format)), data_format)


def sobel_edges(images: TensorLike, data_format: str | None = None) -> Any:
    """Return the slopes of images along height and width, along a last axis of two."""
    found = likeness.sobel_edges(_last(floating(images), data_format))
    return array.transpose(found, [0, 3, 1, 2, 4]) if _first(data_format) else found


def ssim(
    image1: TensorLike, image2: TensorLike, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return the structural similarity of images, 1 for equal ones: see `tf.image.ssim`."""
    x, y = (_last(floating(one), data_format) for one in (image1, image2))
    return likeness.ssim(x, y, max_val, filter_size, filter_sigma, k1, k2)


# --- pieces ---------------------------------------------------------------------------------------------------------------


def _pairs(before: int | None, after: int | None, size: int, target: int | None, what: str, sign: int) -> tuple[int, int]:
    """Return how much is added (sign 1) or cut (-1) on both sides of an axis, of which two of three numbers are given."""
    if sum(n is None for n in (before, after, target)) != 1:
        raise ValueError(f"{what}: give exactly two of the two sides and the target size.")
    change = 0 if target is None else sign * (target - size)
    low = change - after if before is None and after is not None else before or 0
    high = change - low if after is None else after
    if low < 0 or high < 0 or (sign < 0 and low + high >= size):
        raise ValueError(f"{what}: {low} and {high} do not go with the size {size}.")
    return low, high


def pad_images(
    images: TensorLike, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return images with zeros around them: of each axis two of before, after and the new size are given.

    Raises:
        ValueError: unless it is two.
    """
    x = _last(tensor(images), data_format)
    rows = _pairs(top_padding, bottom_padding, x.sizes[-3], target_height, "pad_images: rows", 1)
    columns = _pairs(left_padding, right_padding, x.sizes[-2], target_width, "pad_images: columns", 1)
    return _back(array.pad(x, [*[(0, 0)] * (len(x.sizes) - 3), rows, columns, (0, 0)]), data_format)


def crop_images(
    images: TensorLike, top_cropping: int | None = None, left_cropping: int | None = None, bottom_cropping: int | None = None,
    right_cropping: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return images without what lies around: of each axis two of before, after and the new size are given.

    Raises:
        ValueError: unless it is two.
    """
    x = _last(tensor(images), data_format)
    top, bottom = _pairs(top_cropping, bottom_cropping, x.sizes[-3], target_height, "crop_images: rows", -1)
    left, right = _pairs(left_cropping, right_cropping, x.sizes[-2], target_width, "crop_images: columns", -1)
    return _back(x[..., top : x.sizes[-3] - bottom, left : x.sizes[-2] - right, :], data_format)


def _patches(
    x: TensorLike, size: Size, strides: Size | None, dilation: Size, padding: str, data_format: str | None, n: int
) -> Any:
    """Return the patches of n axes as channels: by a correlation with the kernels that pick one element each."""
    given = floating(x)
    alone = len(given.sizes) == n + 1
    given = array.expand_dims(given, 0) if alone else given
    first = _first(data_format)
    if first:
        given = array.transpose(given, [0, *range(2, n + 2), 1])
    sizes = [size] * n if isinstance(size, int) else list(size)
    channels = given.sizes[-1]
    count = math.prod(sizes) * channels
    kernel = tensor(np.eye(count).reshape(*sizes, channels, count), given.dtype)
    found = nn.convolution(given, kernel, sizes if strides is None else strides, padding.upper(), None, dilation)
    if first:
        found = array.transpose(found, [0, n + 1, *range(1, n + 1)])
    return array.squeeze(found, 0) if alone else found


def extract_patches(
    images: TensorLike, size: Size, strides: Size | None = None, dilation_rate: Size = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return the patches of images, one beside the other unless strides are given, each as the channels of a pixel."""
    return _patches(images, size, strides, dilation_rate, padding, data_format, 2)


def extract_patches_3d(
    volumes: TensorLike, size: Size, strides: Size | None = None, dilation_rate: Size = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return the patches of volumes, one beside the other unless strides are given, each as channels."""
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)


def gaussian_blur(
    images: TensorLike, kernel_size: Sequence[int] = (3, 3), sigma: Sequence[float] = (1.0, 1.0), data_format: str | None = None
) -> Any:
    """Return images smoothed by a normal distribution over a window; around them there are zeros."""
    given = floating(images)
    x = _last(given, data_format)
    alone = len(x.sizes) == 3
    x = array.expand_dims(x, 0) if alone else x
    bells = []
    for size, width in zip(kernel_size, sigma, strict=True):
        bell = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2.0) / width) ** 2)
        bells.append(bell / bell.sum())
    kernel = np.broadcast_to(np.outer(*bells)[:, :, None, None], (*kernel_size, x.sizes[-1], 1))
    found = nn.depthwise_conv2d(x, tensor(kernel.copy(), x.dtype), [1, 1, 1, 1], "SAME")
    return _back(array.squeeze(found, 0) if alone else found, data_format)


# --- places ---------------------------------------------------------------------------------------------------------------


def map_coordinates(
    inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """Return the values at places: at the nearest elements (order 0), or linearly between them (order 1).

    coordinates: of shape (axes, ...). Beyond the ends: "constant" (``fill_value``), "nearest", "wrap", "mirror" or "reflect".

    Raises:
        ValueError: for another mode, and for coordinates of another number of axes.
        NotImplementedError: for another order.
    """
    if fill_mode not in ("constant", "nearest", "wrap", "mirror", "reflect"):
        raise ValueError(f"Invalid value for argument `fill_mode`: {fill_mode!r}.")
    if order not in (0, 1):
        raise NotImplementedError("map_coordinates: the order is 0 or 1.")
    x, places = tensor(inputs), floating(coordinates)
    kind = x.dtype
    x = x if x.nptype.kind == "f" else array.cast(x, places.dtype)
    sizes = list(x.sizes)
    if places.sizes[0] != len(sizes):
        raise ValueError(f"map_coordinates: {places.sizes[0]} coordinates are given for {len(sizes)} axes.")
    total = between(
        lambda at: array.gather_nd(x, array.stack(at, -1)), array.unstack(places), sizes, order, fill_mode, fill_value
    )
    if kind.numpy.kind in "iu":
        total = elementary.round(total)
    return array.cast(total, kind)
