"""TensorFlow's ``tf.compat.v2``: the names of TensorFlow 2."""

from wengert import (
    version,
)
from wengert.surface import *  # noqa: F403

__version__ = version.VERSION


def enable_v2_behavior() -> None:
    """Run eagerly by default."""
    from wengert.compat.graphs import enable_v2_behavior as enable

    enable()
