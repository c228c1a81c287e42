"""TensorFlow's ``tf.experimental``: a few of NumPy's functions over tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import linalg as algebra
from wengert.functions import math as elementary
from wengert.functions import random as draws
from wengert.tensor import Tensor, convert

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
    raise NotImplementedError("experimental.dispatch_for_api: give your type a method _as_tensor() instead.")


def register_filesystem_plugin(plugin_location: str) -> None:
    """Refuse: there are no plugins."""
    raise NotImplementedError("experimental.register_filesystem_plugin: there are no plugins here.")


def _heaviside(x1: Any, x2: Any) -> Any:
    """Return 0 for x1 < 0, 1 for x1 > 0, and x2 where x1 is 0; its derivative by x1 is zero."""
    x = convert(x1, like=x2 if isinstance(x2, Tensor) else None)
    at_zero = convert(x2, like=x)
    step = arrays.cast(x > 0, x.dtype)
    return arrays.where(elementary.equal(x, arrays.zeros_like(x)), at_zero + arrays.zeros_like(x), step)


class numpy:
    """TensorFlow's ``tf.experimental.numpy``: functions of NumPy's names over tensors. Python floats become float32."""

    pi, e, inf, nan, newaxis = np.pi, np.e, np.inf, np.nan, None
    float32, float64, int32, int64, bool_ = np.float32, np.float64, np.int32, np.int64, np.bool_
    ndarray = Tensor
    array = asarray = staticmethod(arrays.convert_to_tensor)
    heaviside = staticmethod(_heaviside)
    sin, cos, tan = staticmethod(elementary.sin), staticmethod(elementary.cos), staticmethod(elementary.tan)
    sinh, cosh, tanh = staticmethod(elementary.sinh), staticmethod(elementary.cosh), staticmethod(elementary.tanh)
    exp, log, log1p = staticmethod(elementary.exp), staticmethod(elementary.log), staticmethod(elementary.log1p)
    expm1, sqrt, square = staticmethod(elementary.expm1), staticmethod(elementary.sqrt), staticmethod(elementary.square)
    abs = absolute = staticmethod(elementary.abs)
    sign, floor, ceil = staticmethod(elementary.sign), staticmethod(elementary.floor), staticmethod(elementary.ceil)
    add, subtract = staticmethod(elementary.add), staticmethod(elementary.subtract)
    multiply, divide, power = staticmethod(elementary.multiply), staticmethod(elementary.divide), staticmethod(elementary.pow)
    maximum, minimum = staticmethod(elementary.maximum), staticmethod(elementary.minimum)
    matmul, tensordot = staticmethod(elementary.matmul), staticmethod(elementary.tensordot)
    einsum = staticmethod(elementary.einsum)
    sum, mean = staticmethod(elementary.reduce_sum), staticmethod(elementary.reduce_mean)
    max, min = staticmethod(elementary.reduce_max), staticmethod(elementary.reduce_min)
    prod, std = staticmethod(elementary.reduce_prod), staticmethod(elementary.reduce_std)
    var = staticmethod(elementary.reduce_variance)
    zeros, ones = staticmethod(arrays.zeros), staticmethod(arrays.ones)
    zeros_like, ones_like = staticmethod(arrays.zeros_like), staticmethod(arrays.ones_like)
    reshape, transpose, concatenate = staticmethod(arrays.reshape), staticmethod(arrays.transpose), staticmethod(arrays.concat)
    stack, where, linspace = staticmethod(arrays.stack), staticmethod(arrays.where), staticmethod(arrays.linspace)
    arange, meshgrid, eye = staticmethod(arrays.range), staticmethod(arrays.meshgrid), staticmethod(arrays.eye)
    expand_dims, squeeze, tile = staticmethod(arrays.expand_dims), staticmethod(arrays.squeeze), staticmethod(arrays.tile)
    cumsum, argmax, argmin = staticmethod(elementary.cumsum), staticmethod(elementary.argmax), staticmethod(elementary.argmin)

    @staticmethod
    def experimental_enable_numpy_behavior(*arguments: Any, **keywords: Any) -> None:
        """Accept: floating dtypes promote anyway."""

    class linalg:
        """Functions of ``numpy.linalg``."""

        norm, inv, det = staticmethod(algebra.norm), staticmethod(algebra.inv), staticmethod(algebra.det)
        solve = staticmethod(algebra.solve)

    class random:
        """Functions of ``numpy.random``."""

        @staticmethod
        def randn(*shape: int) -> Any:
            """Return normal values."""
            return draws.normal(shape)

        @staticmethod
        def rand(*shape: int) -> Any:
            """Return uniform values."""
            return draws.uniform(shape)

        @staticmethod
        def seed(s: int) -> None:
            """Set the seed."""
            draws.set_seed(s)
