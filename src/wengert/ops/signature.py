"""Shape rules that several families share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.errors import DTypeError
from wengert.ground.types import Attrs, Described, Dtype, NumPyArray

__all__ = ["ShapeRule", "check", "elementwise", "first", "like", "real_of", "to"]

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


class ShapeRule:
    """A rule for shape and dtype that also says of which input the shape is.

    ``root``: of the inputs, the tensor that has the shape of the result, whether it is known or not; None where none has.
    ``reference``: the position of an input of which the shape alone is read.
    """

    __slots__ = ("infer", "reference", "root")

    def __init__(
        self,
        infer: Callable[[Sequence[Described], Attrs], Any],
        root: Callable[[Sequence[Described]], Any],
        reference: int | None = None,
    ) -> None:
        """Take the rule and what it says beside."""
        self.infer, self.root, self.reference = infer, root, reference

    def __call__(self, inputs: Sequence[Described], attrs: Attrs) -> Any:
        """Return (shape, dtype)."""
        return self.infer(inputs, attrs)


first = ShapeRule(lambda inputs, attrs: (inputs[0].sizes, inputs[0].nptype), lambda inputs: inputs[0].root)
"""Say: shape and dtype of the first input."""


def _elementwise(inputs: Sequence[Described], attrs: Attrs) -> Any:
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


def _boolean(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return _elementwise(inputs, attrs)[0], BOOL


def _real_of(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return inputs[0].sizes, REAL.get(inputs[0].nptype.name, inputs[0].nptype)


def to(nptype: Dtype) -> Any:
    """Say: the shape of the first input, this dtype."""
    return lambda inputs, attrs: (inputs[0].sizes, nptype)


def like(position: int) -> ShapeRule:
    """Say: the shape of the input at a position, the dtype of the first."""
    return ShapeRule(
        lambda inputs, attrs: (inputs[position].sizes, inputs[0].nptype), lambda inputs: inputs[position].root, position
    )


elementwise = ShapeRule(_elementwise, wide)
"""Say: the broadcast shape, the common dtype."""
boolean = ShapeRule(_boolean, wide)
"""Say: the broadcast shape, Boolean."""
real_of = ShapeRule(_real_of, lambda inputs: inputs[0].root)
"""Say: the shape of the input, the dtype of its real part."""
