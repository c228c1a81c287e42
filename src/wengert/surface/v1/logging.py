"""TensorFlow 1's ``tf.logging``: functions over one of Python's loggers, named "tensorflow"."""

from __future__ import annotations

import logging as _logging
from typing import Any

from wengert.tensor.tensor import TensorLike

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "TaskLevelStatusMessage",
    "debug",
    "error",
    "error_log",
    "fatal",
    "flush",
    "get_logger",
    "get_verbosity",
    "info",
    "log",
    "log_every_n",
    "log_first_n",
    "log_if",
    "set_verbosity",
    "vlog",
    "warn",
    "warning",
]

DEBUG, ERROR, FATAL, INFO, WARN = 10, 40, 50, 20, 30
WARNING = WARN

_log = _logging.getLogger("tensorflow")
_counts: dict[Any, int] = {}


def get_logger() -> _logging.Logger:
    """Return the logger.

    >>> get_logger().name
    'tensorflow'
    """
    return _log


def log(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at a level."""
    _log.log(level, msg, *args, **kwargs)


def debug(msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at level DEBUG."""
    _log.debug(msg, *args, **kwargs)


def info(msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at level INFO."""
    _log.info(msg, *args, **kwargs)


def warning(msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at level WARN."""
    _log.warning(msg, *args, **kwargs)


warn = warning


def error(msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at level ERROR."""
    _log.error(msg, *args, **kwargs)


def fatal(msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at level FATAL."""
    _log.fatal(msg, *args, **kwargs)


def error_log(error_msg: Any, level: int = ERROR) -> None:
    """Log an error."""
    _log.log(level, error_msg)


def vlog(level: int, msg: str, *args: Any, **kwargs: Any) -> None:
    """Log at a level."""
    _log.log(level, msg, *args, **kwargs)


def log_every_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Log each n-th call of this message."""
    count = _counts[msg] = _counts.get(msg, -1) + 1
    if count % n == 0:
        _log.log(level, msg, *args)


def log_first_n(level: int, msg: str, n: int, *args: Any) -> None:
    """Log the first n calls of this message."""
    count = _counts[msg] = _counts.get(msg, -1) + 1
    if count < n:
        _log.log(level, msg, *args)


def log_if(level: int, msg: str, condition: TensorLike, *args: Any) -> None:
    """Log where a condition holds."""
    if condition:
        _log.log(level, msg, *args)


def TaskLevelStatusMessage(msg: str) -> None:
    """Log an error."""
    _log.error(msg)


def flush() -> None:
    """Do nothing: nothing is held back."""


def get_verbosity() -> int:
    """Return the least level that is logged."""
    return _log.getEffectiveLevel()


def set_verbosity(v: Any) -> None:
    """Set the least level that is logged."""
    _log.setLevel(v)
