"""Shape rules that several families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.errors import DTypeError
from wengert.ground.types import Attrs, Described, Dtype, NumPyArray

__all__ = ["check", "elementwise", "first", "like", "real_of", "to"]

BOOL = dtypes.bool_.numpy
OBJECT = dtypes.string.numpy
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


def first(inputs: Sequence[Described], attrs: Attrs) -> Any:
    """Say: shape and dtype of the first input."""
    return inputs[0].sizes, inputs[0].nptype


def elementwise(inputs: Sequence[Described], attrs: Attrs) -> Any:
    """Say: the broadcast shape, the common dtype."""
    sizes, nptype = inputs[0].sizes, inputs[0].nptype
    for other in inputs[1:]:
        if other.sizes != sizes:
            sizes = shapes.broadcast(sizes, other.sizes)
        if other.nptype is not nptype:
            nptype = dtypes.promote(nptype, other.nptype, "an elementwise operation")
    return sizes, nptype


def wide(inputs: Sequence[Any]) -> Any:
    """Return the input whose shape the broadcast result has for certain, as the tensor it got its shape from; or None."""
    first = inputs[0]
    for other in inputs[1:]:
        if other.root is first.root or _within(other.sizes, first.sizes):
            continue
        if not _within(first.sizes, other.sizes):
            return None
        first = other
    return first.root


def _within(a: NumPyArray, b: NumPyArray) -> bool:
    """Whether broadcasting an array of shape a with one of shape b gives the shape b, whatever the unknown sizes."""
    if a == ():
        return True
    if a is None or b is None or len(a) > len(b):
        return False
    return all(x == 1 or (x is not None and x == y) for x, y in zip(reversed(a), reversed(b), strict=False))


def boolean(inputs: Sequence[Described], attrs: Attrs) -> Any:
    """Say: the broadcast shape, Boolean."""
    return elementwise(inputs, attrs)[0], BOOL


def real_of(inputs: Sequence[Described], attrs: Attrs) -> Any:
    """Say: the shape of the input, the dtype of its real part."""
    return inputs[0].sizes, REAL.get(inputs[0].nptype.name, inputs[0].nptype)


def to(nptype: Dtype) -> Any:
    """Say: the shape of the first input, this dtype."""
    return lambda inputs, attrs: (inputs[0].sizes, nptype)


def like(position: int) -> Any:
    """Say: the shape of the input at a position, the dtype of the first."""

    def infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
        return inputs[position].sizes, inputs[0].nptype

    infer.root = lambda inputs: inputs[position].root  # type: ignore[attr-defined]
    infer.reference = position  # type: ignore[attr-defined]
    return infer


# Where a shape rule says "the shape of that input", it says so in ``root`` too: two tensors with one root have one shape,
# known or not.
first.root = real_of.root = lambda inputs: inputs[0].root  # type: ignore[attr-defined]
elementwise.root = boolean.root = wide  # type: ignore[attr-defined]
