"""Python control flow on symbolic values.

`convert` rewrites the source of a function so that its `if`, `while`, `for`, `and`, `or`, `not`, conditional
expressions and `assert` become calls of operators. An operator does what Python does as long as the value that it
decides on is an ordinary one, and calls a hook of `Hooks` when that value is symbolic. The rewriting itself (break,
continue and return as flags, liveness of variables) is that of Diastatic Malt, TensorFlow's AutoGraph as a library; the
operators and the loading of the result are here. The result is compiled at the lines of the original, so that
tracebacks and `inspect.getsource` show the user's file.

The state of a branch or loop is the tuple of variables that it assigns and that are used outside of it. A variable is
split into leaves (through tuples, lists and dicts). Leaves that are symbolic, or that `Hooks.is_value` accepts, go
through the hooks; any other leaf is static and must be the same object, or equal, on all paths.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from wengert.modes.autograph.leaves import AutographError, ControlFlowError, ConversionError, Hooks, UndefinedVariableError
from wengert.modes.autograph.operators import Operators
from wengert.modes.autograph.rewriting import calls, do_not_convert, function_of, instantiate, is_users

__all__ = [
    "AutographError",
    "ControlFlowError",
    "ConversionError",
    "Hooks",
    "UndefinedVariableError",
    "calls",
    "convert",
    "do_not_convert",
]

_operators = functools.cache(Operators)


def convert(fn: Callable[..., Any], hooks: Hooks) -> Callable[..., Any]:
    """Returns `fn` with its control flow, and that of the functions it calls, handed to `hooks`.

    Functions of this library, NumPy, SciPy and the standard library, builtins, and functions marked by
    `do_not_convert` stay as they are, here and where converted code calls them. Classes are called unconverted. A
    called function that cannot be converted runs as plain Python; an error in it says so in a note.

    The source is rewritten once per code object; each call makes a new function with the closure of `fn`.

    Args:
        fn: a function, lambda, method, partial, or object with `__call__`.
        hooks: what to do at symbolic values.

    Raises:
        ConversionError: the source is not available, or holds what cannot be rewritten: `:=`, `match`, `except*`,
            `yield`, `await`, a class; or lambdas with the same parameters on one line.
    """
    if isinstance(fn, functools.partial):
        return functools.partial(convert(fn.func, hooks), *fn.args, **fn.keywords)
    function, bound = function_of(fn)
    if function is None:
        if callable(fn):
            return fn  # a class, or native code: no Python statements to rewrite
        raise ConversionError(f"cannot convert {fn!r}: it is not a function")
    if not is_users(function):
        return fn
    converted = instantiate(function, _operators(hooks))
    return converted if bound is None else types.MethodType(converted, bound)
