"""`ResNet50`, `ResNet101` and `ResNet152`: He and others (2016)."""

from __future__ import annotations

from typing import Any

from wengert.keras import layers
from wengert.keras.applications.building import Shape, Weights, begun, channels, finished, scaled
from wengert.keras.models import Model
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["ResNet50", "ResNet101", "ResNet152", "preprocess_input"]


def _normal(x: Tensor, name: str) -> Any:
    return layers.BatchNormalization(axis=channels(), epsilon=1.001e-5, name=f"{name}_bn")(x)


def _block(x: Tensor, filters: int, stride: int, shortcut: bool, name: str) -> Any:
    """Return three convolutions and what goes round them, added."""
    kept: Any = _normal(layers.Conv2D(4 * filters, 1, stride, name=f"{name}_0_conv")(x), f"{name}_0") if shortcut else x
    y: Any = _normal(layers.Conv2D(filters, 1, stride, name=f"{name}_1_conv")(x), f"{name}_1")
    y = layers.Activation("relu", name=f"{name}_1_relu")(y)
    y = _normal(layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(y), f"{name}_2")
    y = layers.Activation("relu", name=f"{name}_2_relu")(y)
    y = _normal(layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(y), f"{name}_3")
    return layers.Activation("relu", name=f"{name}_out")(layers.Add(name=f"{name}_add")([kept, y]))


def _resnet(
    name: str, counts: tuple[int, ...], include_top: bool, weights: Weights, input_tensor: Tensor | None, input_shape: Shape,
    pooling: str | None, classes: int, classifier_activation: str | None,
) -> Model:  # fmt: skip
    images = begun(input_tensor, input_shape, 224, include_top)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = _normal(layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x), "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(layers.Activation("relu", name="conv1_relu")(x))
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, (count, filters) in enumerate(zip(counts, (64, 128, 256, 512), strict=True), 2):
        for j in range(1, count + 1):
            x = _block(x, filters, 2 if j == 1 and i > 2 else 1, j == 1, f"conv{i}_block{j}")
    return finished(images, x, name, include_top, weights, pooling, classes, classifier_activation)


def ResNet50(
    include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax", name: str = "resnet50",
) -> Model:  # fmt: skip
    """Return the architecture of 50 layers with weights that are drawn, or of a file."""
    return _resnet(name, (3, 4, 6, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)


def ResNet101(
    include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax", name: str = "resnet101",
) -> Model:  # fmt: skip
    """Return the architecture of 101 layers with weights that are drawn, or of a file."""
    return _resnet(name, (3, 4, 23, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)


def ResNet152(
    include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax", name: str = "resnet152",
) -> Model:  # fmt: skip
    """Return the architecture of 152 layers with weights that are drawn, or of a file."""
    return _resnet(name, (3, 8, 36, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)


def preprocess_input(x: TensorLike, data_format: str | None = None) -> Any:
    """Return images with values from 0 to 255 as these take them: blue, green, red, less their means over ImageNet."""
    return scaled(x, data_format, "caffe")
