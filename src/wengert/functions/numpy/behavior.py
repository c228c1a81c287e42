"""`experimental_enable_numpy_behavior`: tensors get NumPy's methods, its indexing, and rules for operands of several dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions.numpy import arrangement as shaping
from wengert.functions.numpy import elementwise, reduction
from wengert.functions.numpy.indexing import item
from wengert.functions.numpy.promotion import FLOATS, common_type, is_number, made, weak_numbers
from wengert.ground import dtypes
from wengert.ground.dtypes import DtypeLike
from wengert.ground.errors import DTypeError
from wengert.ground.shapes import ShapeLike
from wengert.ops import elementwise as ops
from wengert.ops.op import Op
from wengert.tensor.behavior import BEHAVIOR, Kind, promoted
from wengert.tensor.tensor import Tensor, TensorLike, alike, apply, cast, convert, is_weak, of_array, power, together, weakened

__all__ = ["experimental_enable_numpy_behavior"]

MODES = ("legacy", "all", "safe", "off")


class NumPyBehavior:
    """NumPy's rules of dtypes, for operators alone: Python's numbers take the dtype of what they meet."""

    everywhere = False
    """Whether functions of TensorFlow's own follow the rules too."""
    item = staticmethod(item)

    def _pair(self, op: Op, a: TensorLike, b: TensorLike) -> tuple[Any, Any]:
        ready = [v if is_number(v) else made(v) for v in (a, b)]
        nptype = common_type(*ready)
        x, y = (cast(v, nptype) if isinstance(v, Tensor) else convert(np.asarray(v).astype(nptype)) for v in ready)
        return x, y

    def operands(self, op: Op, a: TensorLike, b: TensorLike) -> tuple[Any, Any]:
        """Return two operands as tensors of one dtype, which the operation takes."""
        return alike(op, *self._pair(op, a, b))

    def divided(self, a: TensorLike, b: TensorLike) -> Any:
        """Return a / b; of integers it is a float."""
        pair = self._pair(ops.DIVIDE, a, b)
        if pair[0].nptype.kind not in "fc":
            wide = pair[0].nptype.itemsize > 2
            floats = [cast(t, (dtypes.float64 if wide else dtypes.float32).numpy) for t in pair]
        else:
            floats = list(pair)
        return together(apply(ops.DIVIDE, floats, name="truediv"), pair)

    def power(self, a: TensorLike, b: TensorLike) -> Any:
        """Return a ** b."""
        if isinstance(a, Tensor) and (b.__class__ is int or (b.__class__ is float and a.nptype.kind in "fc")):
            return together(power(a, b), (a,))
        pair = self.operands(ops.POWER, a, b)
        return together(apply(ops.POWER, pair), pair)


class FlexibleBehavior(NumPyBehavior):
    """TensorFlow's modes "all" and "safe": a lattice of dtypes, in which those that Python's numbers were given give way."""

    everywhere = True

    def __init__(self, safe: bool) -> None:
        """Take whether what may lose digits is refused."""
        self.safe = safe

    def cast(self, x: Tensor, nptype: np.dtype[Any]) -> Any:
        """Return a tensor that a dtype is asked for as one of it, if it may become so."""
        found = promoted(Kind(x.nptype), Kind(nptype), self.safe)
        if found is None or found.nptype != nptype:
            raise DTypeError(f"Expected tensor {x!r} with dtype {dtypes.of(nptype)}, but got dtype {x.dtype}.")
        return cast(x, nptype)

    def constant(self, value: TensorLike, array: np.ndarray[Any, Any], name: str | None) -> Any:
        """Return the constant of a value: its dtype gives way if it was Python's numbers that it was inferred from."""
        found = of_array(value, array, True, name)
        return weakened(found) if weak_numbers(value) else found

    def _pair(self, op: Op, a: TensorLike, b: TensorLike) -> tuple[Any, Any]:
        x, y = (v if isinstance(v, Tensor) else convert(v) for v in (a, b))
        one, other = Kind(x.nptype, is_weak(x)), Kind(y.nptype, is_weak(y))
        found = promoted(one, other, self.safe)
        if found is None:
            raise DTypeError(
                f"In promotion mode SAFE, implicit dtype promotion between ({x.dtype}, weak={one.weak}) and ({y.dtype}, "
                f'weak={other.weak}) is disallowed: convert one with cast(x, dtype), or take dtype_conversion_mode="all".'
            )
        weak = found.weak
        pair = tuple(cast(t, found.nptype) for t in (x, y))
        return tuple(weakened(t) if weak else t for t in pair)


def _reshape(a: Tensor, *newshape: int | ShapeLike, order: str = "C") -> Any:
    """Return the tensor with another shape."""
    sizes: Any = newshape[0] if len(newshape) == 1 else newshape
    return shaping.reshape(a, sizes, order)


def _astype(x: Tensor, dtype: DtypeLike, name: str | None = None) -> Any:
    """Return the tensor with another dtype."""
    return arrangement.cast(x, dtype, name)


def _methods() -> dict[str, Any]:
    return {
        "astype": _astype, "clip": elementwise.clip, "data": property(lambda self: self), "flatten": shaping.flatten,
        "max": reduction.amax, "mean": reduction.mean, "min": reduction.amin, "ravel": shaping.ravel, "reshape": _reshape,
        "size": property(shaping.size), "transpose": shaping.transpose,
    }  # fmt: skip


def experimental_enable_numpy_behavior(prefer_float32: bool = False, dtype_conversion_mode: str = "legacy") -> None:
    """Give tensors NumPy's methods (`reshape`, `astype`, `ravel`, ...), its indexing and its rules of dtypes, from now on.

    Args:
        prefer_float32: whether Python's floats become float32 in `tf.experimental.numpy`.
        dtype_conversion_mode: "legacy": operators promote as NumPy does, int32 and float32 to float64. "all" and "safe": so do
            functions, int32 and float32 to float32, and constants that are given no dtype take that of what they meet; "safe"
            refuses what may lose digits. "off": TensorFlow's own rules, with NumPy's methods.

    Raises:
        ValueError: for another mode.
    """
    if dtype_conversion_mode not in MODES:
        raise ValueError(f"dtype_conversion_mode is one of {', '.join(MODES)}, not {dtype_conversion_mode!r}.")
    FLOATS[0] = bool(prefer_float32) or dtype_conversion_mode in ("all", "safe")
    for name, method in _methods().items():
        setattr(Tensor, name, method)
    flexible = FlexibleBehavior(dtype_conversion_mode == "safe") if dtype_conversion_mode in ("all", "safe") else None
    BEHAVIOR[0] = None if dtype_conversion_mode == "off" else flexible or NumPyBehavior()
