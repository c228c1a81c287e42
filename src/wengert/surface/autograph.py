"""TensorFlow's ``tf.autograph``: Python's ``if``, ``while`` and ``for`` over symbolic tensors become control flow."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from wengert.modes.autograph import (
    AutographError,
    ControlFlowError,
    ConversionError,
    Hooks,
    UndefinedVariableError,
    convert,
    do_not_convert,
)
from wengert.modes.function import library_hooks

__all__ = [
    "AutographError",
    "ControlFlowError",
    "ConversionError",
    "Hooks",
    "UndefinedVariableError",
    "convert",
    "do_not_convert",
    "experimental",
    "set_verbosity",
    "to_code",
    "to_graph",
    "trace",
]


def to_graph(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> Any:
    """Returns a function whose control flow on symbolic tensors goes into the graph that is being built."""
    return convert(entity, library_hooks())


def to_code(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """Returns the source of a function, as its author wrote it."""
    return inspect.getsource(entity)


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Accepts a level: conversion writes no log."""


def trace(*args: Any) -> None:
    """Prints its arguments when the function is traced."""
    print(*args)


class experimental:
    """TensorFlow's ``tf.autograph.experimental``."""

    class Feature:
        """Parts of the conversion; all that there are here are always on."""

        ALL = AUTO_CONTROL_DEPS = ASSERT_STATEMENTS = BUILTIN_FUNCTIONS = EQUALITY_OPERATORS = LISTS = NAME_SCOPES = "all"

        @classmethod
        def all_but(cls, exclude: Any) -> tuple[str, ...]:
            """Returns nothing to choose from."""
            return ()

    @staticmethod
    def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
        """Marks a function so that it is called as it is; a decorator, with parentheses or without."""
        if func is None:
            return experimental.do_not_convert
        if isinstance(func, types.FunctionType):
            return do_not_convert(func)

        @functools.wraps(func)
        def call(*args: Any, **kwargs: Any) -> Any:
            return func(*args, **kwargs)

        return do_not_convert(call)

    @staticmethod
    def set_loop_options(
        parallel_iterations: int | None = None,
        swap_memory: bool | None = None,
        maximum_iterations: Any = None,
        shape_invariants: Any = None,
    ) -> None:
        """Accepts what it is told: shapes that change in a loop are found by themselves."""
