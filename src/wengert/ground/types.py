"""The words of annotations that every room uses.

They say what is read of a value, not of which class it is: the rules of operations get NumPy's arrays, JAX's and tensors
alike, from a namespace of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Protocol

import numpy as np

__all__ = ["Array", "Attrs", "AxisLike", "Described", "Dtype", "Index", "Namespace", "NumPyArray"]

Dtype = np.dtype[Any]
"""An element type as NumPy has it."""
NumPyArray = np.ndarray[Any, Any]

Attrs = Mapping[str, Any]
"""An operation's attributes by name."""


class Described(Protocol):
    """What a shape rule reads of an input."""

    @property
    def sizes(self) -> Any:
        """The static shape: a tuple of sizes, None for an unknown one; None for an unknown rank."""

    @property
    def nptype(self) -> Any:
        """NumPy's element type."""

    @property
    def root(self) -> Any:
        """The tensor that its shape is from: two with one root have one shape, known or not."""


class Array(Protocol):
    """An array of any library, or a tensor: what a rule computes with."""

    @property
    def shape(self) -> Any:
        """Its sizes."""

    @property
    def dtype(self) -> Any:
        """Its element type."""

    @property
    def ndim(self) -> Any:
        """The number of its axes."""

    @property
    def T(self) -> Any:
        """With its axes reversed."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __floordiv__(self, other: Any, /) -> Any: ...
    def __mod__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...
    def __matmul__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __lt__(self, other: Any, /) -> Any: ...
    def __le__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...
    def __ge__(self, other: Any, /) -> Any: ...


_Place = Array | NumPyArray | int | slice | EllipsisType | None
Index = _Place | tuple[_Place, ...]
"""What stands between the brackets of an array."""
AxisLike = int | Sequence[int] | None
"""One axis, several, or all."""


class Namespace(Protocol):
    """The operations as functions of one kind of array: a rule's ``xp``."""

    def __getattr__(self, name: str, /) -> Callable[..., Any]: ...
