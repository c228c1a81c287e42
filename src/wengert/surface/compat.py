"""What TensorFlow's ``tf.compat`` has beside TensorFlow 1's and 2's names: strings of both kinds, and kinds of numbers."""

from __future__ import annotations

import datetime
import numbers
import os
from typing import Any

import numpy as np

from wengert.tensor.tensor import TensorLike

integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)
bytes_or_text_types = (bytes, str)


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Return a string as bytes.

    >>> as_bytes("x")
    b'x'
    """
    if isinstance(bytes_or_text, bytearray):
        return bytes(bytes_or_text)
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Return bytes as a string."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


def as_str_any(value: TensorLike, encoding: str = "utf-8") -> str:
    """Return anything as a string, bytes as the text that they are."""
    return as_text(value, encoding) if isinstance(value, bytes) else str(value)


def path_to_str(path: str | os.PathLike[str]) -> Any:
    """Return a path as a string."""
    return os.fspath(path) if hasattr(path, "__fspath__") else path


def forward_compatible(year: int, month: int, day: int) -> bool:
    """Return whether a day is past."""
    return datetime.date.today() > datetime.date(year, month, day)


class forward_compatibility_horizon:
    """Do nothing for a with block."""

    def __init__(self, year: int, month: int, day: int) -> None:
        """Take a day."""

    def __enter__(self) -> None:
        """Enter."""

    def __exit__(self, *exception: Any) -> None:
        """Leave."""
