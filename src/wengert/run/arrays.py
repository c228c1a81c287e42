"""Functions of NumPy that refuse now what they took once: `cross` of vectors in the plane, and `load` of pickled objects."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from wengert.ground.types import Array
from wengert.run.notice import Program, note, place

__all__ = ["crossing", "pickled", "unpickling"]


def crossing(numpy: ModuleType, program: Program) -> Callable[[], None]:
    """Let the program have `cross` of vectors in the plane, where NumPy has it no more; return what undoes it."""
    before = numpy.cross

    def cross(a: Array, b: Array, *given: Any, **keywords: Any) -> Any:
        try:
            return before(a, b, *given, **keywords)
        except ValueError:
            frame = sys._getframe(1)
            left, right = np.asarray(a), np.asarray(b)
            plain = not given and not keywords and left.ndim and right.ndim
            if not plain or left.shape[-1] != 2 or right.shape[-1] != 2 or not program.calls(frame):
                raise
            note(
                "numpy.cross", f"np.cross takes vectors of three elements now: of two, x0 y1 - x1 y0 is returned ({place(frame)})"
            )
            return left[..., 0] * right[..., 1] - left[..., 1] * right[..., 0]

    return _replaced(numpy, "cross", cross)


def unpickling(numpy: ModuleType, files: Sequence[str]) -> Callable[[], None]:
    """Let `load` unpickle what is pickled in these files, and in no others; return what undoes it."""
    before = numpy.load
    allowed = {os.path.realpath(file) for file in files}

    def load(file: Any, mmap_mode: Any = None, allow_pickle: bool | None = None, *given: Any, **keywords: Any) -> Any:
        if allow_pickle is None:
            path = getattr(file, "name", file)
            allow_pickle = isinstance(path, str | os.PathLike) and os.path.realpath(path) in allowed
        return before(file, mmap_mode, allow_pickle, *given, **keywords)

    return _replaced(numpy, "load", load)


def _replaced(module: ModuleType, name: str, function: Callable[..., Any]) -> Callable[[], None]:
    before = getattr(module, name)
    setattr(module, name, functools.update_wrapper(function, before, assigned=("__doc__",), updated=()))
    return lambda: setattr(module, name, before)


def pickled(error: BaseException) -> str | None:
    """Return what to do about an array of pickled objects that was not loaded, None for any other error."""
    if not isinstance(error, ValueError) or "allow_pickle=False" not in str(error):
        return None
    return (
        "this file holds pickled objects, and NumPy loads none unless told to: to unpickle a file is to run whatever code is in "
        "it. If you know where yours is from, name it: wengert run --unpickle FILE SCRIPT.py"
    )
