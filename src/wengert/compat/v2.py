"""TensorFlow 2's names."""
from wengert.surface import *  # noqa
