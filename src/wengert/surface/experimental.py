"""TensorFlow's ``tf.experimental``: a few of NumPy's functions over tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from wengert.functions import numpy as numpy

__all__ = [
    "async_clear_error",
    "async_scope",
    "dispatch_for_api",
    "function_executor_type",
    "numpy",
    "register_filesystem_plugin",
]


@contextlib.contextmanager
def async_scope() -> Iterator[None]:
    """Do nothing: each operation is done when its call returns."""
    yield


def async_clear_error() -> None:
    """Do nothing."""


@contextlib.contextmanager
def function_executor_type(executor_type: str) -> Iterator[None]:
    """Do nothing: there is one executor of functions."""
    yield


def dispatch_for_api(api: Any, *signatures: Any) -> Callable[[Any], Any]:
    """Refuse: other types do not take the place of tensors."""
    raise NotImplementedError("experimental.dispatch_for_api: give your type a method __tf_tensor__(dtype, name) instead.")


def register_filesystem_plugin(plugin_location: str) -> None:
    """Refuse: there are no plugins."""
    raise NotImplementedError("experimental.register_filesystem_plugin: there are no plugins here.")
