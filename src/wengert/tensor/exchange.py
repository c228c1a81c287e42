"""How tensors take part in the rest of the ecosystem: the array API standard, DLPack, and the functions of NumPy.

Python, NumPy and the standard ask an object by its methods. What they lead to is made of the functions over tensors, which stand
above this room: it is found when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol, TypeVar

import numpy as np

from wengert.ground.errors import DTypeError, FailedPreconditionError

__all__ = ["DEVICE", "VERSION", "Exchanged", "Exporting", "exported", "is_foreign", "recorded_functions", "valued"]

DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"
"""Where tensors are, as TensorFlow says it."""
VERSION = "2024.12"
"""The version of the array API standard."""
VERSIONS = ("2021.12", "2022.12", "2023.12", VERSION)


Given = TypeVar("Given")
Told = tuple[int, int] | bool | int | None
"""What a consumer of DLPack says beside what it asks."""


class Exporting(Protocol):
    """An array that another library can share, by DLPack."""

    def __dlpack__(self, **keywords: Told) -> object: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...


def exported(array: np.ndarray[Any, Any], *, max_version: tuple[int, int] | None, copy: bool | None, **keywords: Any) -> object:
    """Return the memory of a tensor as DLPack's capsule, marked as what may not be written.

    The protocol says so from version 1 on. A consumer of the old one gets a copy, which it may write.

    Raises:
        BufferError: for a copy that ``copy=False`` forbids.
    """
    if max_version is None or max_version[0] < 1:
        if copy is False:
            raise BufferError("A tensor may not be written, which DLPack says from version 1.0 on: ask for that, or for a copy.")
        copy = True
    if not copy:
        array = array.view()
        array.flags.writeable = False
    return array.__dlpack__(max_version=max_version, copy=copy, **keywords)


def is_foreign(value: Given) -> bool:
    """Whether a value is an array of another library's, which `valued` takes: one of JAX's, of PyTorch's, of pandas's."""
    return hasattr(value, "__array__") and not isinstance(value, _OWN) and not hasattr(value, "_as_tensor")


def valued(value: Given) -> np.ndarray[Any, Any]:
    """Return the value of another library's array as NumPy's, which may share its memory.

    Raises:
        FailedPreconditionError: (a RuntimeError) for a tensor of PyTorch's that requires a gradient: nothing would reach it.
        DTypeError: (a TypeError) for dtypes that NumPy has not, for tensors on other devices, and for what JAX is tracing.
    """
    if getattr(value, "requires_grad", False) is True:
        raise FailedPreconditionError(
            "A tensor of PyTorch's that requires a gradient is given where a value is asked for: no gradient would reach "
            "it. Take the value on purpose by x.detach(). Derivatives within PyTorch, of models and by parameters, are those of "
            "wengert.torch.field; by the value, a tape takes them that watches wengert.constant(x.detach())."
        )
    try:
        return np.asarray(value)
    except TypeError as error:
        kind, said = type(value), str(error).partition("\n")[0]
        raise DTypeError(
            f"A value of type {kind.__module__}.{kind.__name__} cannot become an array of NumPy's, in memory: {said}"
        ) from error


class Exchanged:
    """What other libraries ask of a tensor, and of what has one as its value."""

    __slots__ = ()

    def __array_namespace__(self, /, *, api_version: str | None = None) -> ModuleType:
        """Return the functions of the array API standard over tensors, `wengert.array_api`.

        Raises:
            ValueError: for a version of the standard that is not served.
        """
        if api_version is not None and api_version not in VERSIONS:
            raise ValueError(f"The array API standard {api_version!r} is not served; there are {', '.join(VERSIONS)}.")
        from wengert.surface import array_api

        return array_api

    def to_device(self, device: str, /, *, stream: int | None = None) -> Any:
        """Return the tensor: all are in the memory of the processor.

        Raises:
            ValueError: for another device, or for a stream, which the processor has not.
        """
        from wengert.surface.array_api.dtypes import device_in

        device_in(device)
        if stream is not None:
            raise ValueError("to_device: the processor has no streams.")
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        from wengert.surface.numpy_functions import universal

        return universal(ufunc, method, inputs, keywords)

    def __array_function__(
        self, function: Callable[..., Any], types: Sequence[type], arguments: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> Any:
        from wengert.surface.numpy_functions import function_of

        return function_of(function, arguments, keywords)


_OWN = (Exchanged, np.ndarray, np.generic, type)
_PROTOCOL = {name: vars(Exchanged)[name] for name in ("__array_ufunc__", "__array_function__")}


def recorded_functions(recorded: bool) -> None:
    """Have NumPy's functions of what a tape watches be recorded; or give arrays of NumPy's, as they do in TensorFlow.

    What a class does not have, NumPy does not ask for: it takes the value, and leaves operators to the tensor.
    """
    for name, method in _PROTOCOL.items():
        if recorded:
            setattr(Exchanged, name, method)
        elif name in vars(Exchanged):
            delattr(Exchanged, name)
