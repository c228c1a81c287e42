"""What layers are called with: shapes, arrays as tensors, and whether training goes on."""

from __future__ import annotations

import functools
import inspect
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.ground import shapes
from wengert.ground.shapes import ShapeLike
from wengert.ground.terminal import shown
from wengert.ground.types import Dtype
from wengert.keras import masks
from wengert.modes.variable import Variable
from wengert.tensor.exchange import is_foreign, valued
from wengert.tensor.tensor import Nested, Tensor, cast, convert

__all__ = ["Sizes", "as_sizes", "calls", "converted", "shape_of", "told", "training_parameter"]


Sizes = tuple[int | None, ...]
"""A shape of a known number of axes, None for a size that is not known."""


class _Calls(threading.local):
    """The calls of layers that are going on in a thread."""

    training: Any = None
    outermost: Any = None
    path: str = ""
    """Names of the layers that are being built, each within the one before, with a slash after each."""
    room: int | None = None
    """How many numbers the weights may yet hold that are made for a file's architecture: those that the file has."""

    def take(self, sizes: Sizes) -> None:
        """Take as much of the room as a weight of this shape needs.

        Raises:
            ValueError: if there is not as much.
        """
        if self.room is not None:
            self.room -= math.prod(size or 1 for size in sizes)
            if self.room < 0:
                raise ValueError(f"a weight of shape {sizes} is larger than what there is of all weights")


calls = _Calls()


def shape_of(value: Nested | None) -> Any:
    """Return the shape of a tensor as a tuple, and of tensors in a structure, a structure of them."""
    if isinstance(value, Tensor | Variable):
        return value.sizes
    if isinstance(value, list | tuple):
        return [shape_of(v) for v in value]
    if isinstance(value, Mapping):
        return {k: shape_of(v) for k, v in value.items()}
    return None


def told(name: str, kind: str, arguments: tuple[Nested, ...], keywords: Mapping[str, Nested]) -> str:
    """Return what an error that leaves a layer is told with: which layer it is, and the shapes that it was called with."""
    given = [*map(_shape_text, arguments), *(f"{key}: {_shape_text(value)}" for key, value in keywords.items())]
    return f"in layer {shown(name)} ({kind}), called with {', '.join(given) or 'nothing'}"


def _shape_text(value: Nested) -> str:
    shape = value.shape if isinstance(value, np.ndarray) else shape_of(value)
    if shape is None:
        return f"a value of type {type(value).__name__}"
    return f"shape {shapes.text(shape)}" if isinstance(shape, tuple) else f"shapes {shape}"


def as_sizes(shape: ShapeLike | None) -> Sizes:
    """Return a shape given as an integer, a sequence or a TensorShape as a tuple."""
    if isinstance(shape, int | np.integer):
        return (int(shape),)
    sizes = shapes.as_shape(shape)
    if sizes is None:
        raise ValueError(f"The number of axes must be known; the shape given is {shape!r}.")
    return tuple(sizes)


@functools.cache
def training_parameter(call: Callable[..., Any]) -> tuple[int | None, Any]:
    """Return the position of ``training`` in a layer's call (-1: by keyword alone, None: it has none) and its default."""
    parameters = list(inspect.signature(call).parameters.values())[1:]
    for i, parameter in enumerate(parameters):
        if parameter.name == "training":
            default = None if parameter.default is parameter.empty else parameter.default
            return -1 if parameter.kind is parameter.KEYWORD_ONLY else i, default
    return None, None


def converted(value: Nested, nptype: Dtype | None, first: bool = False) -> Any:
    """Return arrays (and, as the first argument, lists of numbers) as tensors, and floats in a dtype, if there is one."""
    if isinstance(value, Tensor):
        if nptype is None or value.nptype is nptype or value.nptype.kind != "f":
            return value
        changed = cast(value, nptype)
        masks.attach(changed, masks.mask_of(value))
        return changed
    if isinstance(value, Variable):
        return converted(value._as_tensor(), nptype)
    if isinstance(value, np.ndarray | np.generic) or is_foreign(value):
        value = valued(value)
        return value if value.dtype.kind == "O" else converted(convert(value), nptype)
    if isinstance(value, list | tuple) and first and value and _numbers(value):
        return converted(np.asarray(value), nptype)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)([converted(v, nptype) for v in value])
    if isinstance(value, dict):
        return {k: converted(v, nptype) for k, v in value.items()}
    return value


def _numbers(value: Nested) -> bool:
    """Whether a nested list holds plain numbers: its first leaf tells."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, int | float | np.generic) and not isinstance(value, bool)
