"""TensorFlow's ``tf.nn``."""

from wengert.functions.nn import *  # noqa: F403
