"""`ResNet50`: see `resnet`."""

from wengert.keras.applications.resnet import ResNet50, preprocess_input

__all__ = ["ResNet50", "preprocess_input"]
