"""TensorFlow's ``tf.linalg``."""

from wengert.functions.linalg import *  # noqa: F403
