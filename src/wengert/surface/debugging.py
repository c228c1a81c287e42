"""TensorFlow's ``tf.debugging``."""

from wengert.functions.debugging import *  # noqa: F403
