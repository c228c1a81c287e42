"""Tensors whose values stay where a device has them until somebody reads them.

What a function gives under XLA, and what is given to another one, need not come by the host: `value_there` is what a program of
XLA's takes for a tensor, and `tensor_of` what becomes of what it gives.
"""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from wengert.ground.types import Array
from wengert.tensor.tensor import EagerTensor, Tensor
from wengert.tensor.tensor import _number as next_number

__all__ = ["DeviceTensor", "brought", "tensor_of", "value_there"]

_ndarray, _new = np.ndarray, EagerTensor.__new__
_class = object.__dict__["__class__"]
"""The class that an object really has."""


class DeviceTensor(EagerTensor):
    """An eager tensor whose array is made of what a device has when it is first read; then its class is EagerTensor.

    It says that it is one before, too: who asks for the class, to take a short way, reads the array next.
    """

    __slots__ = ()

    def _get_class(self) -> type[EagerTensor]:
        return EagerTensor

    def _set_class(self, kind: type[EagerTensor]) -> None:
        _ = self.array
        self.__class__ = kind

    __class__ = property(_get_class, _set_class)

    def __getattr__(self, name: str) -> Any:
        if name != "array":
            raise AttributeError(f"'EagerTensor' object has no attribute {name!r}")
        array = np.asarray(self.there)
        self.array = array
        _class.__set__(self, EagerTensor)
        return array

    @property
    def sizes(self) -> Any:
        """The shape as a tuple."""
        return self.there.shape

    @property
    def nptype(self) -> np.dtype[Any]:  # type: ignore[override]
        """NumPy's dtype."""
        return self.there.dtype  # type: ignore[no-any-return]


DeviceTensor.__name__, DeviceTensor.__qualname__, DeviceTensor.__module__ = (
    EagerTensor.__name__,
    EagerTensor.__qualname__,
    EagerTensor.__module__,
)  # as it is shown


def tensor_of(value: Array, made: Any = None) -> EagerTensor:
    """Return the tensor of an array of NumPy's, or of one that a device has, and how it came about."""
    if value.__class__ is _ndarray:
        return EagerTensor(value, made)
    result: Any = _new(DeviceTensor)
    result.there, result.n, result.made = value, next_number(), made
    return result  # type: ignore[no-any-return]


def value_there(tensor: Tensor) -> Array:
    """Return a tensor's value: where a device has it, if one does, else as an array of NumPy's."""
    there: Array | None = getattr(tensor, "there", None)
    return tensor.array if there is None else there


def brought() -> None:
    """Read all tensors that a device has: it will not be there any more."""
    for one in gc.get_objects():
        if issubclass(type(one), EagerTensor) and getattr(one, "there", None) is not None:
            _ = one.array
            one.there = None
