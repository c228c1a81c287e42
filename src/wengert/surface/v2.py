"""TensorFlow's ``tf.compat.v2``: the names of TensorFlow 2."""

from typing import TYPE_CHECKING, Any

from wengert import train as train
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

__version__ = version.VERSION


def enable_v2_behavior() -> None:
    """Run eagerly by default."""
    from wengert.surface.v1.graphs import enable_v2_behavior as enable

    enable()


if TYPE_CHECKING:
    from wengert import keras as keras
    from wengert.keras import initializers as initializers
    from wengert.keras import losses as losses
    from wengert.keras import metrics as metrics
    from wengert.keras import optimizers as optimizers
    from wengert.surface import compat as compat
    from wengert.surface import testing

    test = testing
else:

    def __getattr__(name: str) -> Any:
        """Return ``compat``, which this module is part of, or ``test`` or ``keras``, imported when they are first asked for."""
        if name == "compat":
            return _serve.module("compat")
        if name == "test":
            from wengert.surface import testing

            return testing
        if name in ("keras", "initializers", "losses", "metrics", "optimizers"):
            import importlib

            return importlib.import_module("wengert.keras" if name == "keras" else f"wengert.keras.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, those that are imported late among them."""
    return sorted({*globals(), "compat", "test", "keras", "initializers", "losses", "metrics", "optimizers"})
