"""`VGG16` and `VGG19`: Simonyan and Zisserman (2015)."""

from __future__ import annotations

from typing import Any

from wengert.keras import layers
from wengert.keras.applications.building import Shape, Weights, begun, finished, scaled
from wengert.keras.models import Model
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["VGG16", "VGG19", "preprocess_input"]


def _vgg(
    name: str, counts: tuple[int, ...], include_top: bool, weights: Weights, input_tensor: Tensor | None, input_shape: Shape,
    pooling: str | None, classes: int, classifier_activation: str | None,
) -> Model:  # fmt: skip
    x = images = begun(input_tensor, input_shape, 224, include_top)
    for i, (count, filters) in enumerate(zip(counts, (64, 128, 256, 512, 512), strict=True), 1):
        for j in range(1, count + 1):
            x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=f"block{i}_conv{j}")(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{i}_pool")(x)
    head = [layers.Flatten(name="flatten"), *(layers.Dense(4096, activation="relu", name=n) for n in ("fc1", "fc2"))]
    return finished(images, x, name, include_top, weights, pooling, classes, classifier_activation, head)


def VGG16(
    include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax", name: str = "vgg16",
) -> Model:  # fmt: skip
    """Return the architecture of 16 layers with weights that are drawn, or of a file."""
    return _vgg(name, (2, 2, 3, 3, 3), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)


def VGG19(
    include_top: bool = True, weights: Weights = None, input_tensor: Tensor | None = None, input_shape: Shape = None,
    pooling: str | None = None, classes: int = 1000, classifier_activation: str | None = "softmax", name: str = "vgg19",
) -> Model:  # fmt: skip
    """Return the architecture of 19 layers with weights that are drawn, or of a file."""
    return _vgg(name, (2, 2, 4, 4, 4), include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)


def preprocess_input(x: TensorLike, data_format: str | None = None) -> Any:
    """Return images with values from 0 to 255 as these take them: blue, green, red, less their means over ImageNet."""
    return scaled(x, data_format, "caffe")
