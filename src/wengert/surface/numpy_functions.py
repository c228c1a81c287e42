"""NumPy's functions of tensors: of those that a tape watches, and in a graph, they are recorded; of others they give arrays.

So ``np.sin(x)`` within a tape that watches x is a tensor, whose derivative the tape gives, and outside of it an array, as in
TensorFlow. What gives no floats (``np.argmax``, ``np.shape``, ``np.isnan``) is an array in both cases: there is no derivative
to lose. An operator with an array on its left (``array * x``), and the function that it stands for, gives a tensor always.

What has no counterpart among the functions over tensors, or is asked for what that does not do, takes the values; where that
loses a derivative a warning says so, and in a graph it is an error.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from wengert.functions import math as elementary
from wengert.functions import numpy as numpylike
from wengert.ground.context import state
from wengert.ground.errors import LostDerivativeWarning, hint
from wengert.surface.array_api import elementwise as standard
from wengert.surface.array_api import fft, linalg
from wengert.tensor.tensor import AxisLike, EagerTensor, SymbolicTensor, Tensor, TensorLike, is_tensor_like, value_of

__all__ = ["function_of", "universal"]

Function = Callable[..., Any]
Given = TensorLike | Mapping[str, Any] | Callable[..., Any] | np.dtype[Any] | tuple[Any, ...] | None
"""What NumPy's functions are given, and give."""


OPERATORS = {
    "add": "__radd__", "subtract": "__rsub__", "multiply": "__rmul__", "divide": "__rtruediv__", "floor_divide": "__rfloordiv__",
    "remainder": "__rmod__", "power": "__rpow__", "matmul": "__rmatmul__", "less": "__gt__", "less_equal": "__ge__",
    "greater": "__lt__", "greater_equal": "__le__", "equal": "__eq__", "not_equal": "__ne__", "bitwise_and": "__rand__",
    "bitwise_or": "__ror__", "bitwise_xor": "__rxor__",
}  # fmt: skip
"""The method of the right operand by which Python computes what a function of NumPy's stands for."""

SPECIAL: dict[str, Function] = {
    "erf": elementary.erf, "erfc": elementary.erfc, "erfinv": elementary.erfinv, "expit": elementary.sigmoid,
    "gammaln": elementary.lgamma, "psi": elementary.digamma, "digamma": elementary.digamma, "ndtri": elementary.ndtri,
    "log_expit": elementary.log_sigmoid, "i0": elementary.bessel_i0, "i0e": elementary.bessel_i0e, "i1": elementary.bessel_i1,
    "i1e": elementary.bessel_i1e, "xlogy": elementary.xlogy, "xlog1py": elementary.xlog1py,
}  # fmt: skip
"""SciPy's functions of the kind, whose names NumPy has not."""

REDUCED: dict[str, Function] = {
    "add": numpylike.sum, "multiply": numpylike.prod, "maximum": numpylike.amax, "minimum": numpylike.amin,
    "logical_and": numpylike.all, "logical_or": numpylike.any,
}  # fmt: skip
RUNNING: dict[str, Function] = {"add": numpylike.cumsum, "multiply": numpylike.cumprod}

LINALG = ("cholesky", "det", "inv", "matrix_power", "slogdet", "solve")
FFT = ("fft", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft", "rfftn")
PLAIN = ("concatenate", "dot", "inner", "vdot", "where")
"""Functions written in C, whose signature Python does not know: theirs are the same here."""


def _norm(x: Tensor, ord: Any = None, axis: AxisLike | None = None, keepdims: bool = False) -> Any:
    """Return NumPy's norm: of vectors along one axis, or of matrices."""
    if isinstance(axis, tuple) and len(axis) == 2:
        moved = numpylike.moveaxis(x, axis, (-2, -1))
        found = linalg.matrix_norm(moved, ord=ord, keepdims=keepdims)
        return numpylike.moveaxis(found, (-2, -1), axis) if keepdims else found
    if axis is None and ord is not None and len(x.sizes) == 2:
        return linalg.matrix_norm(x, ord=ord, keepdims=keepdims)
    return linalg.vector_norm(x, ord=2 if ord is None else ord, axis=axis, keepdims=keepdims)


def _eigvalsh(a: Tensor) -> Any:
    return linalg.eigvalsh(a)


@functools.cache
def _counterpart(function: Function) -> Function | None:
    """Return the function over tensors that means what one of NumPy's does."""
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "") or ""
    if module == "numpy.linalg":
        if name == "norm":
            return _norm
        if name == "eigvalsh":
            return _eigvalsh
        return getattr(linalg, name) if name in LINALG else None
    if module.startswith("numpy.fft"):
        return getattr(fft, name) if name in FFT else None
    if module != "numpy":
        return None
    found = getattr(numpylike, name, None) if name in numpylike.__all__ else None
    return found if callable(found) and not isinstance(found, type) else None


@functools.cache
def _universal(ufunc: np.ufunc) -> Function | None:
    name = ufunc.__name__
    if getattr(np, name, None) is not ufunc:
        return SPECIAL.get(name)
    if name in numpylike.__all__:
        return getattr(numpylike, name)  # type: ignore[no-any-return]
    return getattr(standard, {"invert": "bitwise_invert"}.get(name, name), None)


# --- which tensors count ----------------------------------------------------------------------------------------------


def _leaves(values: Given, depth: int = 3) -> Iterator[Any]:
    """Return the tensors among values, in lists, tuples and dicts too."""
    if isinstance(values, list | tuple | dict):
        if depth:
            for value in values.values() if isinstance(values, dict) else values:
                yield from _leaves(value, depth - 1)
    elif is_tensor_like(values):
        yield values


def _arrays(values: Given, depth: int = 3) -> Any:
    """Return values with arrays in the place of tensors."""
    if depth and isinstance(values, list | tuple) and type(values) in (list, tuple):
        return type(values)([_arrays(v, depth - 1) for v in values])
    if depth and type(values) is dict:
        return {k: _arrays(v, depth - 1) for k, v in values.items()}
    return np.asarray(values) if is_tensor_like(values) else values


def _followed(values: Given) -> bool:
    """Whether what is computed from values is recorded: in a graph always, else where a tape or an accumulator follows it."""
    if state.graph is not None:
        return True
    for value in _leaves(values):
        t = value_of(value)
        if isinstance(t, SymbolicTensor) or any(o.follows(t.n) for o in state.observers):
            return True
    return False


def _symbolic(values: Given) -> Tensor | None:
    return next((t for t in map(value_of, _leaves(values)) if isinstance(t, SymbolicTensor)), None)


def _floats(found: Given) -> bool:
    return any(t.nptype.kind in "fc" for t in _leaves(found) if isinstance(t, Tensor))


def _settled(found: Given, taken: Callable[[], Any]) -> Any:
    """Return what was recorded; or NumPy's own result where it has no floats, and so no derivative."""
    if _floats(found) or not any(isinstance(t, EagerTensor) for t in _leaves(found)):
        return found
    return taken()


def _lost(what: str, values: Given, taken: Callable[[], Any]) -> Any:
    """Return NumPy's own result of what cannot be recorded, and say so where that loses a derivative."""
    symbolic = _symbolic(values)
    if symbolic is not None:
        np.asarray(symbolic)  # which says why not
    found = taken()
    parts = found if isinstance(found, list | tuple) else [found]
    if any(isinstance(p, np.ndarray | np.generic) and p.dtype.kind in "fc" for p in parts):
        warnings.warn(
            LostDerivativeWarning(
                f"{what} is not recorded, and its result has no derivative: call tensor.numpy() first if that is meant, or use "
                f"the functions over tensors (wengert.array_api has NumPy's names). ({hint(LostDerivativeWarning)})"
            ),
            stacklevel=4,
        )
    return found


# --- the protocol -----------------------------------------------------------------------------------------------------


def universal(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Return what a universal function of NumPy gives where a tensor is among its inputs."""
    name = ufunc.__name__
    if method == "__call__" and len(inputs) == 2 and not is_tensor_like(inputs[0]) and name in OPERATORS:
        out = keywords.get("out", (inputs[0],))
        if set(keywords) <= {"out"} and out[0] is inputs[0] and is_tensor_like(inputs[1]):
            found = getattr(value_of(inputs[1]), OPERATORS[name])(inputs[0])
            if found is not NotImplemented:
                return found

    def taken() -> Any:
        return getattr(ufunc, method)(*_arrays(inputs), **keywords)

    if any(is_tensor_like(o) for o in keywords.get("out", ())):
        raise TypeError(f"np.{name} cannot write into a tensor, which does not change: take what it returns.")
    if not _followed(inputs):
        return taken()
    function: Function | None = None
    if method == "__call__" and not keywords:
        function = _universal(ufunc)
    elif method == "reduce" and set(keywords) <= {"axis", "keepdims"}:
        function = REDUCED.get(name)
        keywords = {"axis": 0} | dict(keywords)
    elif method == "accumulate" and set(keywords) <= {"axis"}:
        function = RUNNING.get(name)
        keywords = {"axis": 0} | dict(keywords)
    if function is None or len(inputs) > 2:
        return _lost(f"np.{name}" if method == "__call__" else f"np.{name}.{method}", inputs, taken)
    return _settled(function(*inputs, **keywords), taken)


@functools.cache
def _signature(function: Function) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def _bound(function: Function, counterpart: Function, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Return the arguments of NumPy's function as those of its counterpart; None where that does not take them all."""
    theirs, ours = _signature(function), _signature(counterpart)
    if theirs is None or function.__name__ in PLAIN:
        return (arguments, dict(keywords))
    assert ours is not None
    others = list(ours.parameters)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for name, value in theirs.bind(*arguments, **keywords).arguments.items():
        parameter, at = theirs.parameters[name], list(theirs.parameters).index(name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            named |= value
        elif at == 0:
            positional.append(value)
        elif name in others:
            named[name] = value
        elif parameter.kind is not parameter.KEYWORD_ONLY and at < len(others) and others[at] not in theirs.parameters:
            named[others[at]] = value
        elif value is not parameter.default and value is not None:
            return None
    try:
        ours.bind(*positional, **named)
    except TypeError:
        return None
    return positional, named


def function_of(function: Function, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Return what a function of NumPy's gives where a tensor is among its arguments."""

    def taken() -> Any:
        return function(*_arrays(arguments), **_arrays(dict(keywords)))

    if not _followed((arguments, dict(keywords))):
        return taken()
    counterpart = _counterpart(function)
    bound = None if counterpart is None else _bound(function, counterpart, arguments, keywords)
    if counterpart is None or bound is None:
        return _lost(f"np.{function.__name__}", (arguments, dict(keywords)), taken)
    positional, named = bound
    return _settled(counterpart(*positional, **named), taken)
