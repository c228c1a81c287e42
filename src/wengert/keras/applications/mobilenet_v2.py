"""`MobileNetV2`: Sandler and others (2018)."""

from __future__ import annotations

from typing import Any

from wengert.keras import layers
from wengert.keras.applications.building import Shape, Weights, begun, channels, finished, scaled
from wengert.keras.models import Model
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["MobileNetV2", "preprocess_input"]

_STAGES = ((16, 1, 1, 1), (24, 2, 2, 6), (32, 3, 2, 6), (64, 4, 2, 6), (96, 3, 1, 6), (160, 3, 2, 6), (320, 1, 1, 6))
"""Filters, how many blocks there are, the stride of the first, and how much each expands."""


def _even(number: float) -> int:
    """Return the nearest multiple of 8, no more than a tenth below."""
    found = max(8, int(number + 4) // 8 * 8)
    return found + 8 if found < 0.9 * number else found


def _normal(x: Tensor, name: str) -> Any:
    return layers.BatchNormalization(axis=channels(), epsilon=1e-3, momentum=0.999, name=name)(x)


def _block(x: Any, filters: int, stride: int, expansion: int, number: int) -> Any:
    """Return a bottleneck: expanded, filtered by each channel alone, projected; and, where it fits, what came in added."""
    lead, came, axis = f"block_{number}_" if number else "expanded_conv_", x.shape[channels()], channels()
    y = x
    if number:
        y = layers.Conv2D(expansion * came, 1, padding="same", use_bias=False, name=f"{lead}expand")(y)
        y = layers.ReLU(6.0, name=f"{lead}expand_relu")(_normal(y, f"{lead}expand_BN"))
    if stride == 2:
        sizes = [y.shape[i] for i in ((2, 3) if axis == 1 else (1, 2))]
        pairs = tuple((0 if size is not None and size % 2 == 0 else 1, 1) for size in sizes)
        y = layers.ZeroPadding2D(pairs, name=f"{lead}pad")(y)
    padding = "same" if stride == 1 else "valid"
    y = layers.DepthwiseConv2D(3, strides=stride, use_bias=False, padding=padding, name=f"{lead}depthwise")(y)
    y = layers.ReLU(6.0, name=f"{lead}depthwise_relu")(_normal(y, f"{lead}depthwise_BN"))
    y = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{lead}project")(y)
    y = _normal(y, f"{lead}project_BN")
    return layers.Add(name=f"{lead}add")([x, y]) if came == filters and stride == 1 else y


def MobileNetV2(
    input_shape: Shape = None, alpha: float = 1.0, include_top: bool = True, weights: Weights = None,
    input_tensor: Tensor | None = None, pooling: str | None = None, classes: int = 1000,
    classifier_activation: str | None = "softmax", name: str | None = None,
) -> Model:  # fmt: skip
    """Return the architecture, ``alpha`` times as wide, with weights that are drawn, or of a file."""
    images = begun(input_tensor, input_shape, 224, include_top)
    x = layers.Conv2D(_even(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(images)
    x = layers.ReLU(6.0, name="Conv1_relu")(_normal(x, "bn_Conv1"))
    number = 0
    for filters, count, stride, expansion in _STAGES:
        for i in range(count):
            x = _block(x, _even(int(filters * alpha)), stride if i == 0 else 1, expansion, number)
            number += 1
    x = layers.Conv2D(_even(1280 * alpha) if alpha > 1.0 else 1280, 1, use_bias=False, name="Conv_1")(x)
    x = layers.ReLU(6.0, name="out_relu")(_normal(x, "Conv_1_bn"))
    size = images.shape[2 if channels() == 1 else 1]
    title = name or f"mobilenetv2_{alpha:0.2f}_{size}"
    head = [layers.GlobalAveragePooling2D()]
    return finished(images, x, title, include_top, weights, pooling, classes, classifier_activation, head)


def preprocess_input(x: TensorLike, data_format: str | None = None) -> Any:
    """Return images with values from 0 to 255 as this takes them: between -1 and 1."""
    return scaled(x, data_format, "tf")
