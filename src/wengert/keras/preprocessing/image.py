"""``keras.preprocessing.image``: images as arrays, and arrays as images."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ground.types import NumPyArray
from wengert.keras.configuration import floatx, image_data_format
from wengert.tensor.tensor import TensorLike

__all__ = ["array_to_img", "img_to_array"]


def img_to_array(img: TensorLike, data_format: str | None = None, dtype: str | None = None) -> NumPyArray:
    """Return an image (of Pillow, or an array of rows) as an array with an axis for the channels.

    >>> img_to_array(np.zeros((4, 3))).shape
    (4, 3, 1)

    Raises:
        ValueError: for what has neither two axes nor three.
    """
    array = np.asarray(img, dtype=dtype or floatx())
    first = (data_format or image_data_format()) == "channels_first"
    if array.ndim == 2:
        return array[None] if first else array[..., None]
    if array.ndim != 3:
        raise ValueError(f"Unsupported image shape: {array.shape}")
    return np.asarray(np.moveaxis(array, -1, 0)) if first else array


def array_to_img(x: TensorLike, data_format: str | None = None, scale: bool = True, dtype: str | None = None) -> Any:
    """Return an array of rows, columns and channels as an image of Pillow; `scale`: from its least to its greatest value.

    Raises:
        ImportError: without Pillow.
        ValueError: for what is no image.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("array_to_img needs Pillow: pip install pillow.") from None
    array = np.asarray(x, dtype=dtype or floatx())
    if array.ndim != 3:
        raise ValueError(f"Expected image array to have rank 3 (single image). Got array with shape: {array.shape}")
    if (data_format or image_data_format()) == "channels_first":
        array = np.moveaxis(array, 0, -1)
    if scale:
        array = array - array.min()
        array = array / (array.max() or 1.0) * 255
    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    if array.shape[-1] not in modes:
        raise ValueError(f"Unsupported channel number: {array.shape[-1]}")
    return Image.fromarray((array[..., 0] if array.shape[-1] == 1 else array).astype("uint8"), modes[array.shape[-1]])
