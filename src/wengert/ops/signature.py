"""Shape rules that several families share."""

from __future__ import annotations

from typing import Any

from wengert import dtypes, shapes
from wengert.errors import DTypeError

__all__ = ["check", "elementwise", "first", "like", "real_of", "to"]

BOOL = dtypes.bool_.numpy
REAL = {"complex64": dtypes.float32.numpy, "complex128": dtypes.float64.numpy}
COMPLEX = {"float32": dtypes.complex64.numpy, "float64": dtypes.complex128.numpy}


def check(name: str, tensor: Any, kinds: str) -> None:
    """Raise DTypeError unless the tensor's dtype is of one of NumPy's kinds."""
    if tensor.nptype.kind not in kinds:
        words = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex", "O": "string"}
        allowed = ", ".join(words[k] for k in kinds)
        raise DTypeError(
            f"{name} does not take a tensor of dtype {dtypes.of(tensor.nptype).name}; it takes {allowed}. "
            "Convert it first with cast(x, dtype)."
        )


def first(inputs: Any, attrs: Any) -> Any:
    """Say: shape and dtype of the first input."""
    return inputs[0].sizes, inputs[0].nptype


def elementwise(inputs: Any, attrs: Any) -> Any:
    """Say: the broadcast shape, the common dtype."""
    sizes, nptype = inputs[0].sizes, inputs[0].nptype
    for other in inputs[1:]:
        sizes = shapes.broadcast(sizes, other.sizes)
        nptype = dtypes.promote(nptype, other.nptype, "an elementwise operation")
    return sizes, nptype


def boolean(inputs: Any, attrs: Any) -> Any:
    """Say: the broadcast shape, Boolean."""
    return elementwise(inputs, attrs)[0], BOOL


def real_of(inputs: Any, attrs: Any) -> Any:
    """Say: the shape of the input, the dtype of its real part."""
    return inputs[0].sizes, REAL.get(inputs[0].nptype.name, inputs[0].nptype)


def to(nptype: Any) -> Any:
    """Say: the shape of the first input, this dtype."""
    return lambda inputs, attrs: (inputs[0].sizes, nptype)


def like(position: int) -> Any:
    """Say: the shape of the input at a position, the dtype of the first."""
    return lambda inputs, attrs: (inputs[position].sizes, inputs[0].nptype)
