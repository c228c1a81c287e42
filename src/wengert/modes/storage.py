"""The memory of a variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ground import shapes
from wengert.ground.errors import FailedPreconditionError, ShapeError
from wengert.ground.locks import lock
from wengert.ground.types import NumPyArray

__all__ = ["Storage"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Storage:
    """The memory of a variable: an array that is replaced, never changed in place.

    An executor may keep the value on its device: ``device`` is then what it keeps, and the array is made of it when
    somebody reads it.
    """

    __slots__ = ("_array", "constraint", "device", "lock", "name", "nptype", "sizes")

    def __init__(self, name: str, sizes: shapes.Shape, nptype: np.dtype[Any]) -> None:
        """Make it empty."""
        self._array: Any = None
        self.device: Any = None
        self.name, self.sizes, self.nptype = name, sizes, nptype
        self.lock = lock()

    @property
    def array(self) -> Any:
        """The array, or None if there is none yet."""
        array = self._array
        if array is None and self.device is not None:
            with self.lock:
                if self._array is None and self.device is not None:
                    self._array = np.array(self.device)
                array = self._array
        return array

    @array.setter
    def array(self, value: NumPyArray) -> None:
        with self.lock:
            self._array, self.device = value, None

    @property
    def values(self) -> tuple[Any, Any]:
        """The array and what a device holds, as they are; to set them back is to undo what was written since."""
        return self._array, self.device

    @values.setter
    def values(self, values: tuple[Any, Any]) -> None:
        with self.lock:
            self._array, self.device = values

    @property
    def held(self) -> Any:
        """The value where it is, the device's or the array, of which shape and dtype may be read; None if there is none."""
        return self._array if self.device is None else self.device

    def settle(self, device: str) -> None:
        """Take the value that a device holds."""
        with self.lock:
            self.device, self._array = device, None

    def restore(self) -> bool:
        """Forget what a device held; return whether there is an array of the same value."""
        with self.lock:
            self.device = None
            return self._array is not None

    @property
    def shape(self) -> Any:
        """The array's shape: a handle may stand where only the shape of a value is read."""
        return self._there().shape

    @property
    def ndim(self) -> int:
        """The array's number of axes."""
        return int(self._there().ndim)

    @property
    def size(self) -> int:
        """The array's number of elements."""
        return int(self._there().size)

    @property
    def dtype(self) -> Any:
        """The array's dtype."""
        return self.nptype

    def missing(self) -> FailedPreconditionError:
        """Return the error of reading what has no value yet."""
        return FailedPreconditionError(
            f"Attempting to use uninitialized value {self.name}: run its initializer first (global_variables_initializer())."
        )

    def _there(self) -> Any:
        held = self.held
        if held is None:
            raise self.missing()
        return held

    def read(self) -> Any:
        """Return the array.

        Raises:
            FailedPreconditionError: if there is none yet.
        """
        array = self.array
        if array is None:
            raise self.missing()
        return array

    def check(self, sizes: Any) -> None:
        """Check the shape of a new value.

        Raises:
            ShapeError: if it does not fit.
        """
        if not shapes.fits(self.sizes, sizes):
            raise ShapeError(
                f"Cannot assign value to variable '{self.name}': Shape mismatch. The variable shape "
                f"{shapes.text(self.sizes)}, and the assigned value shape {shapes.text(sizes)} are incompatible."
            )

    def write(self, value: Any, how: str = "update") -> Any:
        """Replace the array by a value, or by its sum or difference with one; return the new array."""
        with self.lock:
            if how == "update":
                value = np.array(value, self.nptype)
            else:
                value = np.asarray(self.read() + value if how == "add" else self.read() - value)
            if value.shape != self.sizes:
                self.check(value.shape)
            self._array, self.device = value, None
            return value
