"""TensorFlow's ``tf.math``."""

from wengert.functions.math import *  # noqa: F403
