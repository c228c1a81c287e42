"""Wengert: partial derivatives of any order, of any variable, in static graphs and eagerly, with TensorFlow's names.

>>> import wengert as tf
>>> x = tf.constant(3.0)
>>> with tf.GradientTape() as tape:
...     tape.watch(x)
...     y = x ** 2
>>> tape.gradient(y, x)
<tf.Tensor: shape=(), dtype=float32, numpy=6.0>
"""

from wengert import (
    autodiff,
    autograph,
    bitwise,
    compat,
    config,
    debugging,
    dtypes,
    errors,
    experimental,
    image,
    io,
    linalg,
    math,
    nest,
    nn,
    random,
    raw_ops,
    signal,
    sparse,
    strings,
    sysconfig,
    test,
    types,
    version,
)
from wengert.surface import *  # noqa: F403

__version__ = "0.1.0"
