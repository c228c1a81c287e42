"""TensorFlow's ``tf.math``."""

from wengert.functions.array import argsort as argsort
from wengert.functions.array import sort as sort
from wengert.functions.math import *  # noqa: F403
