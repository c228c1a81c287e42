"""Images whose pixels come from other places: between the elements of an array, along straight lines that stay straight."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.keras.configuration import image_data_format
from wengert.keras.ops.promotion import floating, tensor
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["affine_transform", "between", "perspective_transform"]


def _within(at: Tensor, n: int, mode: str) -> Any:
    """Return whole numbers within an axis of n elements, as it is continued beyond its ends."""
    if mode == "wrap":
        return elementary.floormod(at, n)
    if mode == "mirror":
        period = max(2 * (n - 1), 1)
        at = elementary.floormod(elementary.abs(at), period)
        return elementary.minimum(at, period - at) if n > 1 else array.zeros_like(at)
    if mode == "reflect":
        at = elementary.floormod(at, 2 * n)
        return elementary.minimum(at, 2 * n - 1 - at)
    return elementary.clip_by_value(at, 0, n - 1)


def between(
    elements: Callable[[list[Any]], Any], places: Sequence[Tensor], sizes: Sequence[int], order: int, fill_mode: str,
    fill_value: TensorLike,
) -> Any:  # fmt: skip
    """Return the values at places: those of the nearest elements (order 0), or linearly between elements (order 1).

    Args:
        elements: gives the elements at whole numbers, one tensor of them an axis; it may give further axes after those.
        places: one tensor an axis.
        sizes: of the axes.
        order: 0 or 1.
        fill_mode: what lies beyond the ends: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: what lies there for "constant".
    """
    choices: list[list[tuple[Any, Any]]] = []
    for place in places:
        if order == 0:
            choices.append([(array.cast(elementary.floor(place + 0.5), "int32"), None)])
        else:
            low = elementary.floor(place)
            at = array.cast(low, "int32")
            choices.append([(at, 1.0 - (place - low)), (at + 1, place - low)])
    total: Any = None
    for corner in itertools.product(*choices):
        inside = [_within(at, n, fill_mode) for (at, _), n in zip(corner, sizes, strict=True)]
        value = elements(inside)
        further = len(value.sizes) - len(places[0].sizes)
        if fill_mode == "constant":
            same = [elementary.equal(at, kept) for (at, _), kept in zip(corner, inside, strict=True)]
            good = _deep(elementary.reduce_all(array.stack(same), 0), further)
            value = array.where(good, value, tensor(fill_value, value.dtype))
        for _, share in corner:
            value = value if share is None else value * _deep(array.cast(share, value.dtype), further)
        total = value if total is None else total + value
    return total


def _deep(x: Tensor, further: int) -> Any:
    """Return x with further axes of one element at the end."""
    for _ in range(further):
        x = array.expand_dims(x, -1)
    return x


def affine_transform(
    images: TensorLike, transform: TensorLike, interpolation: str = "bilinear", fill_mode: str = "constant",
    fill_value: float = 0, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return images whose pixel (x, y) is that of the place ((a x + b y + c) / k, (d x + e y + f) / k), k = g x + h y + 1.

    transform: the eight numbers a to h, for each image. Beyond the ends: "constant" (``fill_value``), "nearest", "wrap",
    "mirror" or "reflect".

    Raises:
        ValueError: for another interpolation, and for images of unknown height or width.
    """
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"Invalid `interpolation` argument: {interpolation!r}; it is 'nearest' or 'bilinear'.")
    given, numbers = tensor(images), floating(transform)
    first = (data_format or image_data_format()) == "channels_first"
    x = given if given.nptype.kind == "f" else array.cast(given, "float32")
    alone = len(x.sizes) == 3
    x = array.expand_dims(x, 0) if alone else x
    x = array.transpose(x, [0, 2, 3, 1]) if first else x
    numbers = array.expand_dims(numbers, 0) if len(numbers.sizes) == 1 else numbers
    height, width = x.sizes[1:3]
    if height is None or width is None:
        raise ValueError("affine_transform: the height and width of the images must be known.")
    kind = "float64" if x.nptype.itemsize == 8 else "float32"  # half a precision does not tell pixels apart
    down, across = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    v, u = array.constant(down[None], kind), array.constant(across[None], kind)
    a, b, c, d, e, f, g, h = (_deep(n, 2) for n in array.unstack(array.cast(numbers, kind), 8, axis=-1))
    k = u * g + v * h + 1.0
    places = [(u * d + v * e + f) / k, (u * a + v * b + c) / k]
    rows = array.reshape(array.range(array.shape(x)[0]), [-1, 1, 1])
    each = rows + array.zeros([1, height, width], "int32")
    whole = array.zeros_like(array.cast(each, kind))
    places = [place + whole for place in places]

    def pixels(at: list[Any]) -> Any:
        return array.gather_nd(x, array.stack([each, *at], -1))

    found = between(pixels, places, [height, width], int(interpolation == "bilinear"), fill_mode, fill_value)
    found = array.transpose(found, [0, 3, 1, 2]) if first else found
    return array.cast(found[0] if alone else found, given.dtype)


def perspective_transform(
    images: TensorLike, start_points: TensorLike, end_points: TensorLike, interpolation: str = "bilinear",
    fill_value: float = 0, data_format: str | None = None,
) -> Any:  # fmt: skip
    """Return images seen from elsewhere: what lies at four points moves to four others, and straight lines stay straight.

    start_points, end_points: (x, y) of the four, of shape (4, 2), or (images, 4, 2).

    Raises:
        ValueError: for points of another shape, and for another interpolation.
    """
    start, end = floating(start_points), floating(end_points)
    if tuple(start.sizes[-2:]) != (4, 2) or tuple(end.sizes[-2:]) != (4, 2) or len(start.sizes) != len(end.sizes):
        raise ValueError(f"perspective_transform: four points are given by shapes (..., 4, 2), not {start.shape}, {end.shape}.")
    x, y = end[..., 0], end[..., 1]
    one, zero = array.ones_like(x), array.zeros_like(x)
    rows = [
        array.stack([*((x, y, one, zero, zero, zero) if i == 0 else (zero, zero, zero, x, y, one)), -x * to, -y * to], -1)
        for i, to in enumerate((start[..., 0], start[..., 1]))
    ]
    wanted = array.concat([start[..., 0], start[..., 1]], -1)
    numbers = linalg.solve(array.concat(rows, -2), array.expand_dims(wanted, -1))
    return affine_transform(images, array.squeeze(numbers, -1), interpolation, "constant", fill_value, data_format)
