"""What all of `wengert.keras` goes by: the default dtype, the smallest number, the order of an image's axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ground.dtypes import DtypeLike, as_dtype

__all__ = [
    "backend",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]

_settings: dict[str, Any] = {
    "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last", "interactive_logging": True
}  # fmt: skip


_PYTHON: dict[Any, str] = {int: "int64", "int": "int64", float: "", "float": "", bool: "bool", "bool": "bool", str: "string"}


def floatx() -> str:
    """Return the dtype of layers, weights and inputs that are given none.

    >>> floatx()
    'float32'
    """
    return str(_settings["floatx"])


def set_floatx(value: DtypeLike) -> None:
    """Set the dtype of layers, weights and inputs that are given none.

    Raises:
        ValueError: unless it is float16, bfloat16, float32 or float64.
    """
    name = value if isinstance(value, str) else as_dtype(value).name
    if name not in ("bfloat16", "float16", "float32", "float64"):
        raise ValueError(f"set_floatx: the dtype must be bfloat16, float16, float32 or float64, not {value!r}.")
    _settings["floatx"] = name


def epsilon() -> float:
    """Return the small number that is added where a division by zero or a logarithm of it threatens."""
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Set the small number."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Return where an image's channels stand: "channels_last" or "channels_first"."""
    return str(_settings["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Set where an image's channels stand.

    Raises:
        ValueError: for something else.
    """
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"The data format is 'channels_last' or 'channels_first', not {data_format!r}.")
    _settings["image_data_format"] = data_format


def backend() -> str:
    """Return "tensorflow", whose names these are."""
    return "tensorflow"


def enable_interactive_logging() -> None:
    """Let the progress of training be told in one line that changes."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Let the progress of training be told in a line for an epoch."""
    _settings["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Return whether the progress of training is told in one line that changes."""
    return bool(_settings["interactive_logging"])


def standardize_dtype(dtype: Any) -> str:
    """Return a dtype's name; the default float dtype's for None.

    >>> standardize_dtype(None), standardize_dtype("int")
    ('float32', 'int64')
    """
    if dtype is None:
        return floatx()
    # Python's own types, by identity: tf.float32 equals the type float, and is not to become `floatx`.
    if isinstance(dtype, type | str) and dtype in _PYTHON:
        return _PYTHON[dtype] or floatx()
    if hasattr(dtype, "compute_dtype"):
        return str(dtype.compute_dtype)
    try:
        return str(as_dtype(dtype).name)
    except (TypeError, ValueError):
        return str(as_dtype(np.dtype(dtype)).name)
