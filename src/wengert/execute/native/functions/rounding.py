"""Rounding to integers, each by one instruction of the processor. Integers are as they are."""

from __future__ import annotations

from wengert.execute.native.code import Vector
from wengert.execute.native.functions.forms import format_of, within

__all__ = ["ceil", "floor", "round", "trunc"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def _rounded(x: Vector, intrinsic: str) -> Vector:
    if x.dtype.kind in "iu":
        return x
    return x.code.call(intrinsic, format_of(x).dtype, x)


@within(0.0, 0.0)
def ceil(x: Vector) -> Vector:
    """Return the least integer that is not below x."""
    return _rounded(x, "llvm.ceil")


@within(0.0, 0.0)
def floor(x: Vector) -> Vector:
    """Return the greatest integer that is not above x."""
    return _rounded(x, "llvm.floor")


@within(0.0, 0.0)
def round(x: Vector) -> Vector:
    """Return the integer next to x; of two, the even one."""
    return _rounded(x, "llvm.roundeven")


@within(0.0, 0.0)
def trunc(x: Vector) -> Vector:
    """Return x without its fraction."""
    return _rounded(x, "llvm.trunc")
