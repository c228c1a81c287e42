"""How alike two images are, and where their edges are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions import array, nn
from wengert.functions import math as two
from wengert.functions.colours import convert_image_dtype
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import text
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["sobel_edges", "ssim", "ssim_multiscale"]


def sobel_edges(image: TensorLike) -> Any:
    """Return the slopes of images along height and width, by Sobel's two kernels: of shape (..., height, width, channels, 2).

    >>> sobel_edges([[[[0.0], [1.0], [2.0]]] * 3])[0, 1, 1, 0].numpy()
    array([0., 8.], dtype=float32)
    """
    x = convert(image)
    if x.sizes is None or len(x.sizes) != 4 or None in x.sizes[1:]:
        raise ShapeError(f"sobel_edges takes images of shape (images, height, width, channels), not {text(x.sizes)}.")
    n, m = x.sizes[1:3]
    wide = array.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    parts = {(i, j): wide[:, i : i + n, j : j + m] for i in range(3) for j in range(3) if (i, j) != (1, 1)}
    down = [parts[2, j] - parts[0, j] for j in range(3)]
    across = [parts[i, 2] - parts[i, 0] for i in range(3)]
    return array.stack([one[0] + 2.0 * one[1] + one[2] for one in (down, across)], -1)


def _pair(one: TensorLike, other: TensorLike, max_val: float, what: str) -> tuple[Any, Any, float]:
    """Return two images as floats, and their white."""
    given = convert(one)
    second = convert(other)
    x, y = (convert_image_dtype(t, "float32") if t.nptype.kind in "iu" else t for t in (given, second))
    if x.sizes is None or y.sizes is None or len(x.sizes) < 3 or tuple(x.sizes[-3:]) != tuple(y.sizes[-3:]):
        raise ShapeError(f"{what} takes two images of one shape (..., height, width, channels), not {x.shape} and {y.shape}.")
    white = float(max_val) if given.nptype.kind == "f" else float(max_val) / float(np.iinfo(given.nptype).max)
    return x, y, white


def _compared(x: Tensor, y: Tensor, white: float, filter_size: int, filter_sigma: float, k1: float, k2: float) -> tuple[Any, Any]:
    """Return the likeness of each window, and the part of it that is contrast and structure."""
    if None in x.sizes[-3:] or min(x.sizes[-3:-1]) < filter_size:
        raise ShapeError(f"ssim: images of shape {x.shape} are smaller than the window, {filter_size}, or of unknown size.")
    at = np.arange(filter_size) - (filter_size - 1) / 2.0
    bell = np.exp(-0.5 * (at / filter_sigma) ** 2)
    kernel = np.outer(bell, bell) / bell.sum() ** 2
    channels = x.sizes[-1]
    weights = array.constant(np.repeat(kernel[:, :, None, None], channels, 2), x.dtype)

    def mean(t: Tensor) -> Any:
        lead = array.shape(t)[:-3]
        found = nn.depthwise_conv2d(array.reshape(t, [-1, *t.sizes[-3:]]), weights, [1, 1, 1, 1], "VALID")
        return array.reshape(found, array.concat([lead, list(found.sizes[1:])], 0))

    c1, c2 = (k1 * white) ** 2, (k2 * white) ** 2
    a, b = mean(x), mean(y)
    both, each = 2.0 * a * b, a * a + b * b
    structure = (2.0 * mean(x * y) - both + c2) / (mean(x * x + y * y) - each + c2)
    return (both + c1) / (each + c1) * structure, structure


def ssim(
    img1: TensorLike, img2: TensorLike, max_val: float, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, return_index_map: bool = False,
) -> Any:  # fmt: skip
    """Return the structural similarity of images, 1 for equal ones: Wang and others (2004).

    Args:
        img1: images (..., height, width, channels).
        img2: images of the same shape.
        max_val: the largest value that a pixel may have.
        filter_size: the width of the windows.
        filter_sigma: the standard deviation of the bell that weighs the pixels of a window.
        k1: how much the means count that are near 0.
        k2: how much the contrasts count that are near 0.
        return_index_map: the similarity of each window, instead of their mean.

    Raises:
        ShapeError: (a ValueError) for images of different shapes, and for those that no window fits in.

    >>> x = np.linspace(0, 1, 256).reshape(1, 16, 16, 1)
    >>> ssim(x, x, 1.0).numpy().round(6)
    array([1.])
    """
    x, y, white = _pair(img1, img2, max_val, "ssim")
    found, _ = _compared(x, y, white, filter_size, filter_sigma, k1, k2)
    return two.reduce_mean(found if return_index_map else two.reduce_mean(found, [-3, -2]), -1)


_POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_multiscale(
    img1: TensorLike, img2: TensorLike, max_val: float, power_factors: Sequence[float] = _POWERS, filter_size: int = 11,
    filter_sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03,
) -> Any:  # fmt: skip
    """Return the structural similarity of images over several scales, each half of the one before: Wang and others (2003).

    ``power_factors`` says how much each scale counts. For the other arguments and errors see `ssim`.
    """
    x, y, white = _pair(img1, img2, max_val, "ssim_multiscale")
    total: Any = None
    for i, power in enumerate(power_factors):
        if i:
            x, y = _halved(x), _halved(y)
        whole, structure = _compared(x, y, white, filter_size, filter_sigma, k1, k2)
        last = i == len(power_factors) - 1
        part = two.pow(nn.relu(two.reduce_mean(whole if last else structure, [-3, -2])), power)
        total = part if total is None else total * part
    return two.reduce_mean(total, -1)


def _halved(x: Tensor) -> Any:
    lead = array.shape(x)[:-3]
    flat = array.reshape(x, [-1, *x.sizes[-3:]])
    odd = [size % 2 for size in x.sizes[-3:-1]]
    if any(odd):
        flat = array.pad(flat, [[0, 0], [0, odd[0]], [0, odd[1]], [0, 0]], "SYMMETRIC")
    found = nn.avg_pool(flat, 2, 2, "VALID")
    return array.reshape(found, array.concat([lead, list(found.sizes[1:])], 0))
