"""TensorFlow's ``tf.random``."""

from wengert.functions.random import *  # noqa: F403
