"""The colours of images: other spaces of them, hue, saturation, brightness and contrast, as given or by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, random
from wengert.functions import math as two
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import text
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = [
    "adjust_brightness", "adjust_contrast", "adjust_hue", "adjust_saturation", "convert_image_dtype", "hsv_to_rgb",
    "random_brightness", "random_contrast", "random_crop", "random_flip_left_right", "random_flip_up_down", "random_hue",
    "random_saturation", "rgb_to_hsv", "rgb_to_yiq", "rgb_to_yuv", "stateless_random_brightness", "stateless_random_contrast",
    "stateless_random_crop", "stateless_random_flip_left_right", "stateless_random_flip_up_down", "stateless_random_hue",
    "stateless_random_saturation", "yiq_to_rgb", "yuv_to_rgb",
]  # fmt: skip

Matrix = np.ndarray[Any, Any]
Seed = int | Sequence[int]
"""What decides what is drawn: two numbers."""

_YUV = np.array([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])
_FROM_YUV = np.array([[1.0, 1.0, 1.0], [0.0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0.0]])
_YIQ = np.array([[0.299, 0.59590059, 0.2115], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]])
_FROM_YIQ = np.array([[1.0, 1.0, 1.0], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]])
"""Red, green and blue as luminance and two differences of colours, by rows (PAL, NTSC), and back, as TensorFlow has them."""


def _pixels(images: TensorLike, what: str, channels: int | None = 3) -> Any:
    x = convert(images)
    wrong = x.sizes is not None and (not x.sizes or (channels is not None and x.sizes[-1] not in (channels, None)))
    if wrong:
        raise ShapeError(f"{what} takes images of {channels} channels, not of shape {text(x.sizes)}.")
    return x


def _mixed(images: TensorLike, matrix: Matrix, what: str) -> Any:
    x = _pixels(images, what)
    return two.tensordot(x, array.constant(matrix, x.dtype), 1)


def rgb_to_yuv(images: TensorLike) -> Any:
    """Return luminance and two differences of colours (PAL's) of red, green and blue between 0 and 1.

    >>> rgb_to_yuv([[[1.0, 0.0, 0.0]]]).numpy().round(3).ravel()
    array([ 0.299, -0.147,  0.615], dtype=float32)
    """
    return _mixed(images, _YUV, "rgb_to_yuv")


def yuv_to_rgb(images: TensorLike) -> Any:
    """Return red, green and blue of luminance and two differences of colours (PAL's)."""
    return _mixed(images, _FROM_YUV, "yuv_to_rgb")


def rgb_to_yiq(images: TensorLike) -> Any:
    """Return luminance and two differences of colours (NTSC's) of red, green and blue between 0 and 1."""
    return _mixed(images, _YIQ, "rgb_to_yiq")


def yiq_to_rgb(images: TensorLike) -> Any:
    """Return red, green and blue of luminance and two differences of colours (NTSC's)."""
    return _mixed(images, _FROM_YIQ, "yiq_to_rgb")


def rgb_to_hsv(images: TensorLike, name: str | None = None) -> Any:
    """Return hue, saturation and value, all between 0 and 1, of red, green and blue between 0 and 1. A grey has hue 0.

    >>> rgb_to_hsv([[[0.0, 0.5, 0.0]]]).numpy().round(3).ravel()
    array([0.333, 1.   , 0.5  ], dtype=float32)
    """
    x = _pixels(images, "rgb_to_hsv")
    r, g, b = array.unstack(x, 3, axis=-1)
    value = two.reduce_max(x, -1)
    span = value - two.reduce_min(x, -1)
    part = two.divide_no_nan(array.ones_like(span), span) / 6.0
    green = part * (b - r) + 2.0 / 6.0
    hue = array.where(two.equal(g, value), green, part * (r - g) + 4.0 / 6.0)
    hue = array.where(two.equal(r, value), part * (g - b), hue)
    hue = array.where(span > 0.0, array.where(hue < 0.0, hue + 1.0, hue), array.zeros_like(hue))
    return two.named(array.stack([hue, two.divide_no_nan(span, value), value], -1), name)


def hsv_to_rgb(images: TensorLike, name: str | None = None) -> Any:
    """Return red, green and blue of hue, saturation and value, all between 0 and 1."""
    hue, saturation, value = array.unstack(_pixels(images, "hsv_to_rgb"), 3, axis=-1)
    around = hue * 6.0
    parts = (two.abs(around - 3.0) - 1.0, 2.0 - two.abs(around - 2.0), 2.0 - two.abs(around - 4.0))
    made = [((two.clip_by_value(p, 0.0, 1.0) - 1.0) * saturation + 1.0) * value for p in parts]
    return two.named(array.stack(made, -1), name)


# --- of other dtypes ----------------------------------------------------------------------------------------------------------


def convert_image_dtype(image: TensorLike, dtype: DtypeLike, saturate: bool = False, name: str | None = None) -> Any:
    """Return images in another dtype, whose white is what it was: 1 for floats, the largest number for integers.

    ``saturate``: what is beyond the range of integers becomes its end, instead of wrapping around.

    >>> convert_image_dtype([0.0, 0.5, 1.0], "uint8").numpy()
    array([  0, 127, 255], dtype=uint8)
    """
    x, kind = convert(image), as_dtype(dtype)
    old, new = x.nptype, kind.numpy
    if old == new:
        return x
    if old.kind in "iu" and new.kind in "iu":
        before, after = int(np.iinfo(old).max), int(np.iinfo(new).max)
        if before > after:
            return two.named(array.cast(two.floordiv(x, (before + 1) // (after + 1)), kind), name)
        wide = array.saturate_cast(x, kind) if saturate else array.cast(x, kind)
        return two.named(wide * ((after + 1) // (before + 1)), name)
    if old.kind == new.kind:
        return array.cast(x, kind)
    if old.kind in "iu":
        return two.named(array.cast(x, kind) * (1.0 / np.iinfo(old).max), name)
    scaled = x * (float(np.iinfo(new).max) + 0.5)
    return two.named(array.saturate_cast(scaled, kind) if saturate else array.cast(scaled, kind), name)


def _as_floats(image: TensorLike, change: Callable[[Any], Any], what: str, channels: int | None = None) -> Any:
    """Return images changed, integers as floats between 0 and 1."""
    given = _pixels(image, what, channels)
    if given.nptype.kind == "f":
        return change(given)
    return convert_image_dtype(change(convert_image_dtype(given, "float32")), given.dtype, saturate=True)


def adjust_brightness(image: TensorLike, delta: TensorLike) -> Any:
    """Return images with a number added to each pixel; to integers, that share of their range.

    >>> adjust_brightness([[[1.0, 2.0]]], 0.5).numpy().ravel()
    array([1.5, 2.5], dtype=float32)
    """
    return _as_floats(image, lambda x: x + array.cast(delta, x.dtype), "adjust_brightness")


def adjust_contrast(images: TensorLike, contrast_factor: TensorLike) -> Any:
    """Return (x - mean) * factor + mean, the mean being that of each channel. TensorFlow gives it no derivative.

    >>> adjust_contrast([[[1.0], [3.0]]], 2.0).numpy().ravel().tolist()
    [0.0, 4.0]

    Raises:
        ShapeError: (a ValueError) for less than height, width and channels.
    """

    def change(x: Tensor) -> Any:
        mean = two.reduce_mean(x, [-3, -2], True)
        return (x - mean) * contrast_factor + mean

    found = convert(images)
    if found.sizes is not None and len(found.sizes) < 3:
        raise ShapeError(f"adjust_contrast takes an image of shape (..., height, width, channels), not {text(found.sizes)}.")
    return _as_floats(found, change, "adjust_contrast")


def adjust_hue(image: TensorLike, delta: TensorLike, name: str | None = None) -> Any:
    """Return images with their hues turned by a share of the circle.

    >>> adjust_hue([[[1.0, 0.0, 0.0]]], 1.0 / 3.0).numpy().round(3).ravel()
    array([0., 1., 0.], dtype=float32)
    """

    def change(x: Tensor) -> Any:
        hue, saturation, value = array.unstack(rgb_to_hsv(x), 3, axis=-1)
        turned = two.floormod(hue + array.cast(delta, x.dtype), 1.0)
        return hsv_to_rgb(array.stack([turned, saturation, value], -1))

    return two.named(_as_floats(image, change, "adjust_hue", 3), name)


def adjust_saturation(image: TensorLike, saturation_factor: TensorLike, name: str | None = None) -> Any:
    """Return images with their saturations times a factor, 1 at most.

    >>> adjust_saturation([[[1.0, 0.5, 0.5]]], 2.0).numpy().round(3).ravel()
    array([1., 0., 0.], dtype=float32)
    """

    def change(x: Tensor) -> Any:
        hue, saturation, value = array.unstack(rgb_to_hsv(x), 3, axis=-1)
        scaled = two.clip_by_value(saturation * array.cast(saturation_factor, x.dtype), 0.0, 1.0)
        return hsv_to_rgb(array.stack([hue, scaled, value], -1))

    return two.named(_as_floats(image, change, "adjust_saturation", 3), name)


# --- by chance ----------------------------------------------------------------------------------------------------------------


def _between(low: float, high: float, seed: int | None) -> Any:
    return random.uniform([], low, high, seed=seed)


def _checked(what: str, low: float, high: float) -> None:
    if low < 0 or high <= low:
        raise ValueError(f"{what}: 0 <= lower < upper does not hold for {low} and {high}.")


def _up_to(what: str, delta: float, most: float = np.inf) -> None:
    if not 0 <= delta <= most:
        raise ValueError(f"{what}: max_delta must not be negative, nor beyond {most}; it is {delta}.")


def random_brightness(image: TensorLike, max_delta: float, seed: int | None = None) -> Any:
    """Return images lighter or darker by a number within ``max_delta``: see `adjust_brightness`.

    >>> bool((random_brightness([[[0.5]]], 0.1).numpy() > 0.39).all())
    True
    """
    _up_to("random_brightness", max_delta)
    return adjust_brightness(image, _between(-max_delta, max_delta, seed))


def stateless_random_brightness(image: TensorLike, max_delta: float, seed: Seed) -> Any:
    """Return what `random_brightness` does, decided by a seed of two numbers."""
    _up_to("stateless_random_brightness", max_delta)
    return adjust_brightness(image, random.stateless_uniform([], seed, -max_delta, max_delta))


def random_contrast(image: TensorLike, lower: float, upper: float, seed: int | None = None) -> Any:
    """Return images with more or less contrast, by a factor in [lower, upper): see `adjust_contrast`."""
    _checked("random_contrast", lower, upper)
    return adjust_contrast(image, _between(lower, upper, seed))


def stateless_random_contrast(image: TensorLike, lower: float, upper: float, seed: Seed) -> Any:
    """Return what `random_contrast` does, decided by a seed of two numbers."""
    _checked("stateless_random_contrast", lower, upper)
    return adjust_contrast(image, random.stateless_uniform([], seed, lower, upper))


def random_hue(image: TensorLike, max_delta: float, seed: int | None = None) -> Any:
    """Return images with their hues turned by a number within ``max_delta``, 1/2 at most: see `adjust_hue`."""
    _up_to("random_hue", max_delta, 0.5)
    return adjust_hue(image, _between(-max_delta, max_delta, seed))


def stateless_random_hue(image: TensorLike, max_delta: float, seed: Seed) -> Any:
    """Return what `random_hue` does, decided by a seed of two numbers."""
    _up_to("stateless_random_hue", max_delta, 0.5)
    return adjust_hue(image, random.stateless_uniform([], seed, -max_delta, max_delta))


def random_saturation(image: TensorLike, lower: float, upper: float, seed: int | None = None) -> Any:
    """Return images with their saturations times a factor in [lower, upper): see `adjust_saturation`."""
    _checked("random_saturation", lower, upper)
    return adjust_saturation(image, _between(lower, upper, seed))


def stateless_random_saturation(image: TensorLike, lower: float = 0.5, upper: float = 2.0, seed: Seed = (0, 0)) -> Any:
    """Return what `random_saturation` does, decided by a seed of two numbers."""
    _checked("stateless_random_saturation", lower, upper)
    return adjust_saturation(image, random.stateless_uniform([], seed, lower, upper))


def _flipped(image: TensorLike, axis: int, draw: Callable[[Any], Any]) -> Any:
    x = convert(image)
    if x.sizes is None or len(x.sizes) not in (3, 4):
        raise ShapeError("Images must have either 3 or 4 dimensions.")
    lead = array.shape(x)[: len(x.sizes) - 3]
    turned = array.reshape(draw(lead) < 0.5, array.concat([lead, [1, 1, 1]], 0))
    return array.where(turned, array.reverse(x, [len(x.sizes) + axis]), x)


def random_flip_left_right(image: TensorLike, seed: int | None = None) -> Any:
    """Return images, half of them mirrored left to right.

    >>> sorted({tuple(random_flip_left_right([[[1.0], [2.0]]]).numpy().ravel().tolist()) for _ in range(30)})
    [(1.0, 2.0), (2.0, 1.0)]
    """
    return _flipped(image, -2, lambda lead: random.uniform(lead, seed=seed))


def stateless_random_flip_left_right(image: TensorLike, seed: Seed) -> Any:
    """Return what `random_flip_left_right` does, decided by a seed of two numbers."""
    return _flipped(image, -2, lambda lead: random.stateless_uniform(lead, seed))


def random_flip_up_down(image: TensorLike, seed: int | None = None) -> Any:
    """Return images, half of them mirrored upside down."""
    return _flipped(image, -3, lambda lead: random.uniform(lead, seed=seed))


def stateless_random_flip_up_down(image: TensorLike, seed: Seed) -> Any:
    """Return what `random_flip_up_down` does, decided by a seed of two numbers."""
    return _flipped(image, -3, lambda lead: random.stateless_uniform(lead, seed))


def _cropped(value: TensorLike, size: TensorLike, draw: Callable[[Any], Any]) -> Any:
    x = convert(value)
    wanted = array.cast(size, "int32")
    room = array.shape(x) - wanted + 1
    start = array.cast(two.floor(draw([len(x.sizes)]) * array.cast(room, "float32")), "int32")
    return array.slice(x, two.minimum(start, room - 1), wanted)


def random_crop(value: TensorLike, size: TensorLike, seed: int | None = None, name: str | None = None) -> Any:
    """Return a part of a size, of a tensor of any number of axes, at a place that is drawn.

    >>> random_crop([1.0, 2.0, 3.0], [2]).shape
    TensorShape([2])
    """
    return two.named(_cropped(value, size, lambda shape: random.uniform(shape, seed=seed)), name)


def stateless_random_crop(value: TensorLike, size: TensorLike, seed: Seed, name: str | None = None) -> Any:
    """Return what `random_crop` does, decided by a seed of two numbers."""
    return two.named(_cropped(value, size, lambda shape: random.stateless_uniform(shape, seed)), name)
