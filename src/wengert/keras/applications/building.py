"""What published architectures of images have in common: their input, their head, their weights, and how pixels are scaled."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.keras import layers
from wengert.keras.configuration import image_data_format
from wengert.keras.models import Model
from wengert.keras.ops.promotion import tensor
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["Shape", "Weights", "begun", "channels", "finished", "scaled"]

Shape = tuple[int | None, ...] | None
"""(height, width, channels), None for the published one."""
Weights = str | os.PathLike[str] | None
"""None for weights that are drawn, or a file that `load_weights` reads."""


def channels() -> int:
    """Return the axis of the channels."""
    return 1 if image_data_format() == "channels_first" else -1


def begun(input_tensor: Tensor | None, input_shape: Shape, size: int, include_top: bool) -> Any:
    """Return the symbolic images that an architecture begins with."""
    if input_tensor is not None:
        return input_tensor
    if input_shape is None:
        side = size if include_top else None
        input_shape = (3, side, side) if channels() == 1 else (side, side, 3)
    return layers.Input(input_shape)


def finished(
    images: Tensor, x: Tensor, name: str, include_top: bool, weights: Weights, pooling: str | None, classes: int,
    classifier_activation: str | None, head: list[Any] | None = None,
) -> Model:  # fmt: skip
    """Return the model: with its head, or with the features pooled, or as they are; and with weights of a file.

    Raises:
        ValueError: for a pooling that there is not.
        FileNotFoundError: for weights by the name of what they were trained on: nothing is fetched here.
    """
    if include_top:
        for layer in head or [layers.GlobalAveragePooling2D(name="avg_pool")]:
            x = layer(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    elif pooling is not None:
        if pooling not in ("avg", "max"):
            raise ValueError(f"The pooling is None, 'avg' or 'max', not {pooling!r}.")
        x = (layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D)()(x)
    model = Model(images, x, name=name)
    if weights is not None:
        if not os.path.exists(weights):
            raise FileNotFoundError(
                f"{name}: there is no file of weights {os.fspath(weights)!r}. Weights are not fetched here: give the path of a "
                "file that was, or weights=None."
            )
        model.load_weights(weights)
    return model


def scaled(x: TensorLike, data_format: str | None, mode: str) -> Any:
    """Return pixels from 0 to 255 as an architecture takes them.

    Args:
        x: images.
        data_format: where the channels stand.
        mode: "tf": between -1 and 1; "caffe": blue, green, red, less their means over ImageNet.
    """
    given = tensor(x)
    pixels = given if given.nptype.kind == "f" else array.cast(given, "float32")
    if mode == "tf":
        return pixels / 127.5 - 1.0
    axis = len(pixels.sizes) - 3 if (data_format or image_data_format()) == "channels_first" else len(pixels.sizes) - 1
    means = np.array([103.939, 116.779, 123.68]).reshape([3 if i == axis else 1 for i in range(len(pixels.sizes))])
    return array.reverse(pixels, [axis]) - array.constant(means, pixels.dtype)
