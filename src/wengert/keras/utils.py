"""``keras.utils``: seeds, progress, labels as rows, names of a program's own classes."""

from __future__ import annotations

import random as plain
from typing import Any

import numpy as np

from wengert.functions import random
from wengert.keras.backend import clear_session, is_keras_tensor, standardize_dtype
from wengert.keras.configuration import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from wengert.keras.data import PyDataset
from wengert.keras.fetching import get_file
from wengert.keras.pictures import model_to_dot, plot_model
from wengert.keras.preprocessing.image import array_to_img, img_to_array
from wengert.keras.progress import Progbar
from wengert.keras.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from wengert.keras.registry import serialize as serialize_keras_object
from wengert.keras.saving import deserialize_keras_object
from wengert.keras.sequences import pad_sequences
from wengert.keras.training import pack_x_y_sample_weight, unpack_x_y_sample_weight
from wengert.tensor.tensor import TensorLike

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

Sequence = PyDataset
"""Keras 2's name."""


def set_random_seed(seed: int) -> None:
    """Start the random numbers of Python, NumPy and tensors anew, by a seed.

    Raises:
        ValueError: unless it is a whole number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})")
    plain.seed(int(seed))
    np.random.seed(int(seed))
    random.set_seed(int(seed))


def to_categorical(x: TensorLike, num_classes: int | None = None) -> Any:
    """Return whole numbers as rows with a 1 in them.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = np.asarray(x, dtype=np.int64)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    count = int(labels.max()) + 1 if num_classes is None else int(num_classes)
    return np.eye(count)[labels.reshape(-1)].reshape(*shape, count)


def normalize(x: TensorLike, axis: int = -1, order: int = 2) -> Any:
    """Return an array scaled to norm 1 along an axis."""
    values = np.asarray(x, dtype=np.float64)
    norms = np.atleast_1d(np.linalg.norm(values, order, axis))
    norms[norms == 0] = 1
    return values / np.expand_dims(norms, axis)
