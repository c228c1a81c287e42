"""TensorFlow's ``tf.compat.v2``: the names of TensorFlow 2."""

from wengert import (
    autodiff,
    autograph,
    bitwise,
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

__version__ = version.VERSION


def enable_v2_behavior() -> None:
    """Run eagerly by default."""
    from wengert.compat.graphs import enable_v2_behavior as enable

    enable()
