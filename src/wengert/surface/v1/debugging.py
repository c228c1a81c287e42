"""TensorFlow 1's ``tf.debugging``: assertions take the data to print, and the message after it."""

from __future__ import annotations

from typing import Any

from wengert.functions import debugging as two
from wengert.surface.keywords import renamed
from wengert.tensor.tensor import TensorLike


def verify_tensor_all_finite(
    t: TensorLike | None = None,
    msg: str | None = None,
    name: str | None = None,
    x: TensorLike | None = None,
    message: str | None = None,
) -> Any:
    """Return the tensor, checked to be finite."""
    value = renamed("x", x, "t", t)
    return two.assert_all_finite(value, renamed("message", message, "msg", msg, ""), name)
