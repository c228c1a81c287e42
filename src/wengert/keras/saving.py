"""Models and weights in files that execute nothing: TensorFlow's ``tf.keras.saving``."""

from __future__ import annotations

from wengert.keras.models import load_model
from wengert.keras.weights import LoadStatus, load_weights, save_model, save_weights

__all__ = ["LoadStatus", "load_model", "load_weights", "save_model", "save_weights"]
