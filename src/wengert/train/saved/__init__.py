"""TensorFlow's ``tf.saved_model``, in a format of our own: lists of operations as JSON, and arrays.

`lists` turns lists into JSON and back, `objects` the objects that hold functions and variables, `model` has what programs call.
"""

from wengert.train.saved.model import (
    DEFAULT_SERVING_SIGNATURE_DEF_KEY,
    SERVING,
    LoadOptions,
    SaveOptions,
    contains_saved_model,
    load,
    save,
)

__all__ = [
    "DEFAULT_SERVING_SIGNATURE_DEF_KEY",
    "SERVING",
    "LoadOptions",
    "SaveOptions",
    "contains_saved_model",
    "load",
    "save",
]
