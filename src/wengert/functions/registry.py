"""TensorFlow's registries, and small questions about where one is."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions.program import custom_gradient
from wengert.graph.graph import gradient_functions
from wengert.ground import checks
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import ShapeLike
from wengert.modes.function import TensorSpec
from wengert.modes.sparse import SparseTensor, SparseTensorSpec
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, as_array, convert


class RegisterGradient:
    """Decorate a function ``(op, *cotangents) -> cotangents of op.inputs``; a graph may put it in a derivative's place.

    It is used by name in ``Graph.gradient_override_map``. The operations' own derivatives are stated with them, and
    cannot be replaced here: use custom_gradient.
    """

    def __init__(self, op_type: str) -> None:
        """Take a name.

        Raises:
            TypeError: unless it is a string.
        """
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._name = op_type

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Register the function.

        Raises:
            KeyError: if the name is taken.
        """
        if self._name in gradient_functions:
            raise KeyError(f"Registering two gradient with name '{self._name}'!")
        gradient_functions[self._name] = lambda node, result: custom_gradient(lambda *inputs: (result, lambda *gs: f(node, *gs)))(
            *node.inputs
        )
        return f


def no_gradient(op_type: str) -> None:
    """Accept: which operations have no derivative is stated with them."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")


NoGradient = NotDifferentiable = no_gradient


def get_logger() -> logging.Logger:
    """Return the logger named "tensorflow", which programs set to be quiet."""
    return logging.getLogger("tensorflow")


def get_current_name_scope() -> str:
    """Return the name scope that operations are made in."""
    return state.scope.rstrip("/") if state.graph is None else str(state.graph.get_name_scope())


def inside_function() -> bool:
    """Return whether a function is being traced."""
    return state.graph is not None and bool(state.graph.building_function)


def is_symbolic_tensor(tensor: TensorLike) -> bool:
    """Return whether the value is a graph's tensor, which has no value yet."""
    return isinstance(tensor, SymbolicTensor)


def timestamp(name: str | None = None) -> Any:
    """Return the seconds since 1970 as a float64 tensor."""
    return convert(np.float64(time.time()))


def load_library(library_location: str) -> Any:
    """Refuse: there are no compiled operations to load."""
    raise NotImplementedError("load_library: operations compiled for TensorFlow cannot be loaded here.")


load_op_library = load_library


class TensorProto:
    """A tensor's value beside its dtype and shape: what TensorFlow writes as a protocol buffer."""

    def __init__(self, value: np.ndarray[Any, Any]) -> None:
        """Take an array."""
        self._array = value

    @property
    def dtype(self) -> int:
        """TensorFlow's number for the dtype."""
        return as_dtype(self._array.dtype).as_datatype_enum

    @property
    def tensor_content(self) -> bytes:
        """The elements' memory."""
        return bytes(self._array.tobytes())

    def __repr__(self) -> str:
        return f"<TensorProto dtype={as_dtype(self._array.dtype).name} shape={self._array.shape}>"


def make_tensor_proto(
    values: TensorLike,
    dtype: DtypeLike | None = None,
    shape: ShapeLike | None = None,
    verify_shape: bool = False,
    allow_broadcast: bool = False,
) -> TensorProto:
    """Return values with their dtype and shape, as `make_ndarray` takes them."""
    value = as_array(values, None if dtype is None else as_dtype(dtype).numpy)
    if shape is None:
        return TensorProto(value)
    sizes, symbolic = array.sizes_of(shape)
    if symbolic:
        raise ShapeError(f"make_tensor_proto: the shape must be known, not {shape!r}.")
    if value.size not in (1, math.prod(sizes)):
        raise ShapeError(f"make_tensor_proto: {value.size} values do not fill shape {list(sizes)}.")
    return TensorProto(np.broadcast_to(value, sizes) if value.size == 1 else value.reshape(sizes))


def make_ndarray(tensor: TensorProto) -> Any:
    """Return the array that `make_tensor_proto` was given.

    >>> make_ndarray(make_tensor_proto([1, 2])).tolist()
    [1, 2]
    """
    if not isinstance(tensor, TensorProto):
        raise TypeError(f"make_ndarray: tensor must be what make_tensor_proto gave, not {tensor!r}.")
    return np.array(tensor._array)


def register_tensor_conversion_function(base_type: Any, conversion_func: Callable[..., Any], priority: int = 100) -> None:
    """Convert values of a type where a tensor is needed: the type gets TensorFlow's method for it, ``__tf_tensor__``."""
    checks.function(conversion_func, "register_tensor_conversion_function", "conversion_func")
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    for one in types:
        if not isinstance(one, type) or one.__module__ == "builtins":
            raise TypeError(
                f"register_tensor_conversion_function: base_type must be a class written in Python, or "
                f"a tuple of them, not {one!r}."
            )
    for one in types:
        one.__tf_tensor__ = lambda self, dtype=None, name=None: conversion_func(self, dtype, name, False)


def type_spec_from_value(value: TensorLike | SparseTensor) -> TensorSpec | SparseTensorSpec:
    """Return the dtype and shape of a value."""
    if isinstance(value, SparseTensor):
        return SparseTensorSpec(value.shape, value.dtype)
    return TensorSpec.from_tensor(value if isinstance(value, Tensor) else array.convert_to_tensor(value))


@contextlib.contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Iterator[None]:
    """Refuse: variables are made by their class alone."""
    raise NotImplementedError("variable_creator_scope: variables are made by their class alone here.")
    yield
