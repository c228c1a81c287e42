"""`Xception`: Chollet (2017)."""

from __future__ import annotations

from typing import Any

from wengert.keras import layers
from wengert.keras.applications.building import Shape, Weights, begun, channels, finished, scaled
from wengert.keras.models import Model
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["Xception", "preprocess_input"]


def _normal(x: Tensor, name: str | None = None) -> Any:
    return layers.BatchNormalization(axis=channels(), name=name)(x)


def _separable(x: Tensor, filters: int, name: str, before: bool = True) -> Any:
    """Return a separable convolution, with an activation before or after it."""
    if before:
        x = layers.Activation("relu", name=f"{name}_act")(x)
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    x = _normal(x, f"{name}_bn")
    return x if before else layers.Activation("relu", name=f"{name}_act")(x)


def _smaller(x: Tensor, first: int, filters: int, number: int, begins: bool) -> Any:
    """Return two separable convolutions over half the height and width, and what goes round them, added."""
    kept = _normal(layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(x))
    y = x
    if begins:  # the first has its activation before the block
        y = layers.SeparableConv2D(first, 3, padding="same", use_bias=False, name=f"block{number}_sepconv1")(y)
        y = _normal(y, f"block{number}_sepconv1_bn")
    else:
        y = _separable(y, first, f"block{number}_sepconv1")
    y = _separable(y, filters, f"block{number}_sepconv2")
    return layers.Add()([layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{number}_pool")(y), kept])


def Xception(
    include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax", name: str = "xception",
) -> Model:  # fmt: skip
    """Return the architecture with weights that are drawn, or of a file.

    >>> Xception(include_top=False, input_shape=(71, 71, 3)).output_shape
    (None, 3, 3, 2048)
    """
    images = begun(input_tensor, input_shape, 299, include_top)
    x = layers.Conv2D(32, 3, strides=2, use_bias=False, name="block1_conv1")(images)
    x = layers.Activation("relu", name="block1_conv1_act")(_normal(x, "block1_conv1_bn"))
    x = layers.Conv2D(64, 3, use_bias=False, name="block1_conv2")(x)
    x = layers.Activation("relu", name="block1_conv2_act")(_normal(x, "block1_conv2_bn"))
    for number, filters in ((2, 128), (3, 256), (4, 728)):
        x = _smaller(x, filters, filters, number, number == 2)
    for number in range(5, 13):
        kept = x
        for i in (1, 2, 3):
            x = _separable(x, 728, f"block{number}_sepconv{i}")
        x = layers.Add()([x, kept])
    x = _smaller(x, 728, 1024, 13, False)
    x = _separable(x, 1536, "block14_sepconv1", before=False)
    x = _separable(x, 2048, "block14_sepconv2", before=False)
    return finished(images, x, name, include_top, weights, pooling, classes, classifier_activation)


def preprocess_input(x: TensorLike, data_format: str | None = None) -> Any:
    """Return images with values from 0 to 255 as this takes them: between -1 and 1."""
    return scaled(x, data_format, "tf")
