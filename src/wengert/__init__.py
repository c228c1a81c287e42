"""Wengert: partial derivatives of any order, of any variable, in static graphs and eagerly, with TensorFlow's names.

>>> import wengert as tf
>>> x = tf.constant(3.0)
>>> with tf.GradientTape() as tape:
...     tape.watch(x)
...     y = x**2
>>> tape.gradient(y, x)
<tf.Tensor: shape=(), dtype=float32, numpy=6.0>
"""

from typing import TYPE_CHECKING, Any

from wengert import train as train
from wengert.calculus import fields as fields
from wengert.functions import bitwise as bitwise
from wengert.functions import image as image
from wengert.functions import io as io
from wengert.functions import signal as signal
from wengert.functions import sparse as sparse
from wengert.functions import strings as strings
from wengert.ground import dtypes as dtypes
from wengert.ground import errors as errors
from wengert.ground import nest as nest
from wengert.ground import version as version
from wengert.surface import autodiff as autodiff
from wengert.surface import autograph as autograph
from wengert.surface import compat as compat
from wengert.surface import config as config
from wengert.surface import debugging as debugging
from wengert.surface import experimental as experimental
from wengert.surface import linalg as linalg
from wengert.surface import math as math
from wengert.surface import nn as nn
from wengert.surface import random as random
from wengert.surface import raw_ops as raw_ops
from wengert.surface import serve as _serve
from wengert.surface import sysconfig as sysconfig
from wengert.surface import types as types
from wengert.surface.top import *  # noqa: F403
from wengert.train import summary as summary

__version__ = "0.1.0"

_serve.lay()

_KERAS = ("initializers", "losses", "metrics", "optimizers")
"""The parts of ``keras`` that TensorFlow 2 has at its top too."""


if TYPE_CHECKING:
    from wengert import keras as keras
    from wengert.keras import initializers as initializers
    from wengert.keras import losses as losses
    from wengert.keras import metrics as metrics
    from wengert.keras import optimizers as optimizers
    from wengert.surface import testing

    test = testing
else:

    def __getattr__(name: str) -> Any:
        """Return ``test``, ``keras`` or a part of it, imported when it is first asked for: each takes long to import."""
        if name == "test":
            return _serve.module("test")
        if name in ("keras", *_KERAS):
            import importlib

            return importlib.import_module("wengert.keras" if name == "keras" else f"wengert.keras.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, those that are imported late among them."""
    return sorted({*globals(), "test", "keras", *_KERAS})
