"""TensorFlow's ``tf.types``: names for annotations."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.modes.described import FunctionType
from wengert.modes.function import ConcreteFunction, Function
from wengert.modes.traces import SupportsTracingProtocol, TraceType
from wengert.tensor.tensor import Tensor

__all__ = ["experimental"]


_TensorLike = (
    Tensor | np.ndarray[Any, Any] | np.generic | int | float | bool | complex | str | bytes | list[Any] | tuple[Any, ...]
)


class experimental:
    """TensorFlow's ``tf.types.experimental``."""

    TraceType, SupportsTracingProtocol, FunctionType = TraceType, SupportsTracingProtocol, FunctionType
    AtomicFunction = ConcreteFunction

    Tensor = Tensor
    TensorLike = _TensorLike
    Callable = Function
    GenericFunction = PolymorphicFunction = Function
    ConcreteFunction = ConcreteFunction
