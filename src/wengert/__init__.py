"""Wengert: partial derivatives of any order, of any variable, in static graphs and eagerly, with TensorFlow's names.

>>> import wengert as tf
>>> x = tf.constant(3.0)
>>> with tf.GradientTape() as tape:
...     tape.watch(x)
...     y = x**2
>>> tape.gradient(y, x)
<tf.Tensor: shape=(), dtype=float32, numpy=6.0>
"""

from typing import Any

from wengert import autodiff as autodiff
from wengert import autograph as autograph
from wengert import bitwise as bitwise
from wengert import compat as compat
from wengert import config as config
from wengert import debugging as debugging
from wengert import dtypes as dtypes
from wengert import errors as errors
from wengert import experimental as experimental
from wengert import fields as fields
from wengert import image as image
from wengert import io as io
from wengert import linalg as linalg
from wengert import math as math
from wengert import nest as nest
from wengert import nn as nn
from wengert import random as random
from wengert import raw_ops as raw_ops
from wengert import signal as signal
from wengert import sparse as sparse
from wengert import strings as strings
from wengert import summary as summary
from wengert import sysconfig as sysconfig
from wengert import train as train
from wengert import types as types
from wengert import version as version
from wengert.surface import *  # noqa: F403

__version__ = "0.1.0"

_KERAS = ("initializers", "losses", "metrics", "optimizers")
"""The parts of ``keras`` that TensorFlow 2 has at its top too."""


def __getattr__(name: str) -> Any:
    """Return ``test``, ``keras`` or a part of it, imported when it is first asked for: each takes long to import."""
    if name == "test":
        import importlib

        return importlib.import_module("wengert.test")
    if name in ("keras", *_KERAS):
        import importlib

        return importlib.import_module("wengert.keras" if name == "keras" else f"wengert.keras.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, those that are imported late among them."""
    return sorted({*globals(), "test", "keras", *_KERAS})
