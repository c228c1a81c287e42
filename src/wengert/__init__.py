"""Wengert: partial derivatives of any order, of any variable, in static graphs and eagerly, with TensorFlow's names.

>>> import wengert as tf
>>> x = tf.constant(3.0)
>>> with tf.GradientTape() as tape:
...     tape.watch(x)
...     y = x ** 2
>>> tape.gradient(y, x)
<tf.Tensor: shape=(), dtype=float32, numpy=6.0>
"""

from wengert import autodiff, debugging, dtypes, errors, linalg, math, nest, nn, random
from wengert.surface import *  # noqa: F403
from wengert import compat
from wengert.compat import v1, v2

__version__ = "0.1.0"
