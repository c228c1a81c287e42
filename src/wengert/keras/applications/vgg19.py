"""`VGG19`: see `vgg16`."""

from wengert.keras.applications.vgg16 import VGG19, preprocess_input

__all__ = ["VGG19", "preprocess_input"]
