"""Names that NumPy, SciPy and Python have dropped, for the script's own code alone.

A module that lacks a name asks its ``__getattr__``; ours answers where the script asks, and says so once.
"""

from __future__ import annotations

import collections.abc
import importlib
import math
import sys
import time
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from wengert.ground.types import Array
from wengert.run.notice import Program, note, place
from wengert.tensor.tensor import TensorLike

__all__ = ["MODULES", "serve"]


def _asfarray(a: Array, dtype: Any = np.float64) -> Any:
    """Return an array of floating point, float64 unless the dtype is one."""
    return np.asarray(a, dtype if np.issubdtype(dtype, np.inexact) else np.float64)


def _in1d(ar1: Any, ar2: Any, assume_unique: bool = False, invert: bool = False, **keywords: Any) -> Any:
    """Return for each element of the first, flattened, whether the second has it."""
    return np.isin(np.asarray(ar1).ravel(), ar2, assume_unique=assume_unique, invert=invert, **keywords)


def _simps(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1, even: str | None = None) -> Any:
    """Return an integral by Simpson's rule."""
    if even is not None:
        raise TypeError("simps: SciPy's simpson, which serves it, has no argument `even`; leave it out")
    return importlib.import_module("scipy.integrate").simpson(y, x=x, dx=dx, axis=axis)


def _from(module: str, name: str) -> tuple[str, Callable[[], Any]]:
    return f"{module}.{name}", lambda: getattr(importlib.import_module(module), name)


def _is(text: str, value: Any) -> tuple[str, Callable[[], Any]]:
    return text, lambda: value


_WINDOWS = """
barthann bartlett blackman blackmanharris bohman boxcar chebwin cosine exponential flattop gaussian general_gaussian hamming
hann kaiser nuttall parzen triang tukey
""".split()

_EXCEPTIONS = ("AxisError", "ComplexWarning", "ModuleDeprecationWarning", "RankWarning", "VisibleDeprecationWarning")

MODULES: dict[str, dict[str, tuple[str, Callable[[], Any]]]] = {
    "numpy": {
        "asscalar": _is("np.asarray(a).item()", lambda a: np.asarray(a).item()),
        "float": _is("float", float),
        "int": _is("int", int),
        "object": _is("object", object),
        "str": _is("str", str),
        "unicode": _is("str", str),
        "complex": _is("complex", complex),
        "bool": _is("bool", bool),
        "bool8": _is("np.bool_", np.bool_),
        "float_": _is("np.float64", np.float64),
        "complex_": _is("np.complex128", np.complex128),
        "cfloat": _is("np.complex128", np.complex128),
        "singlecomplex": _is("np.complex64", np.complex64),
        "longfloat": _is("np.longdouble", np.longdouble),
        "longcomplex": _is("np.clongdouble", np.clongdouble),
        "clongfloat": _is("np.clongdouble", np.clongdouble),
        "unicode_": _is("np.str_", np.str_),
        "string_": _is("np.bytes_", np.bytes_),
        "product": _is("np.prod", np.prod),
        "cumproduct": _is("np.cumprod", np.cumprod),
        "alltrue": _is("np.all", np.all),
        "sometrue": _is("np.any", np.any),
        "trapz": _from("numpy", "trapezoid"),
        "in1d": _is("np.isin of the flattened array", _in1d),
        "row_stack": _is("np.vstack", np.vstack),
        "round_": _is("np.round", np.round),
        "msort": _is("np.sort(a, axis=0)", lambda a: np.sort(a, axis=0)),
        "mat": _is("np.asmatrix", np.asmatrix),
        "asfarray": _is("np.asarray of a floating dtype", _asfarray),
        "math": _is("math", math),
        "Inf": _is("np.inf", np.inf),
        "infty": _is("np.inf", np.inf),
        "Infinity": _is("np.inf", np.inf),
        "PINF": _is("np.inf", np.inf),
        "NINF": _is("-np.inf", -np.inf),
        "NaN": _is("np.nan", np.nan),
        "NAN": _is("np.nan", np.nan),
        "PZERO": _is("0.0", 0.0),
        "NZERO": _is("-0.0", -0.0),
        "warnings": _is("warnings", warnings),
    }
    | {name: _from("numpy.exceptions", name) for name in _EXCEPTIONS},
    "scipy.integrate": {
        "trapz": _from("scipy.integrate", "trapezoid"),
        "cumtrapz": _from("scipy.integrate", "cumulative_trapezoid"),
        "simps": _is("scipy.integrate.simpson (another rule for the last interval of an even number of points)", _simps),
    },
    "scipy.misc": {name: _from("scipy.special", name) for name in ("comb", "factorial", "factorial2", "logsumexp")},
    "scipy.signal": {name: _from("scipy.signal.windows", name) for name in _WINDOWS},
    "collections": {name: _from("collections.abc", name) for name in collections.abc.__all__ if not hasattr(collections, name)},
    "time": {"clock": _is("time.perf_counter", time.perf_counter)},
    "matplotlib.cm": {"get_cmap": _from("matplotlib.pyplot", "get_cmap")},
}
"""By module: what is served for a name that it has no more."""

_SHORT = {"numpy": "np"}


def serve(module: ModuleType, program: Program) -> Callable[[], None]:
    """Let a module answer for its former names where the program asks; return what undoes it."""
    name, table = module.__name__, MODULES[module.__name__]
    shown = _SHORT.get(name, name)
    before = vars(module).get("__getattr__")

    def answer(key: str) -> Any:
        found = table.get(key)
        frame = sys._getframe(1)
        if found is not None and program.calls(frame):
            note(f"{name}.{key}", f"{shown}.{key} is gone, {found[0]} serves it ({place(frame)})")
            return found[1]()
        if before is not None:
            return before(key)
        raise AttributeError(f"module {name!r} has no attribute {key!r}", name=key, obj=module)

    module.__getattr__ = answer  # type: ignore[method-assign]

    def undo() -> None:
        if before is None:
            del module.__getattr__
        else:
            module.__getattr__ = before  # type: ignore[method-assign]

    return undo
