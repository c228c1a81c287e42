"""TensorFlow's ``tf.compat.v2``: the names of TensorFlow 2."""

from typing import Any

from wengert import autodiff as autodiff
from wengert import autograph as autograph
from wengert import bitwise as bitwise
from wengert import config as config
from wengert import debugging as debugging
from wengert import dtypes as dtypes
from wengert import errors as errors
from wengert import experimental as experimental
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

__version__ = version.VERSION


def enable_v2_behavior() -> None:
    """Run eagerly by default."""
    from wengert.compat.graphs import enable_v2_behavior as enable

    enable()


def __getattr__(name: str) -> Any:
    """Return ``compat``, which this module is part of, or ``test`` or ``keras``, imported when they are first asked for."""
    if name == "compat":
        import wengert.compat

        return wengert.compat
    if name == "test":
        import wengert.test

        return wengert.test
    if name in ("keras", "initializers", "losses", "metrics", "optimizers"):
        import importlib

        return importlib.import_module("wengert.keras" if name == "keras" else f"wengert.keras.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, those that are imported late among them."""
    return sorted({*globals(), "compat", "test", "keras", "initializers", "losses", "metrics", "optimizers"})
