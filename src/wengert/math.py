"""TensorFlow's ``tf.math``."""

from wengert.functions.array import argsort, sort
from wengert.functions.math import *  # noqa: F403
