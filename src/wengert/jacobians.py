"""Jacobians and Hessians, from one sweep for each element of the target."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert import nest
from wengert.errors import ShapeError
from wengert.ops import elementwise, linear
from wengert.shapes import is_full, text
from wengert.tensor import EagerTensor, SymbolicTensor, Tensor, apply, convert

__all__ = ["tape_batch_jacobian", "tape_jacobian"]


def _zero_choice(choice: Any) -> bool:
    return bool(choice == "zero")


def _sources(sources: Any) -> list[Any]:
    return nest.flatten(sources)


def _known(t: Any, what: str) -> tuple[int, ...]:
    if not is_full(t.sizes):
        raise ShapeError(f"jacobian: the shape of the {what} must be known, not {text(t.sizes)}.")
    return tuple(t.sizes)


def _unit(y: Any, i: int) -> Any:
    """Return the cotangent that picks element i of y."""
    sizes = tuple(y.sizes)
    unit = np.zeros(math.prod(sizes), y.nptype)
    unit[i] = 1
    return convert(unit.reshape(sizes)) if isinstance(y, SymbolicTensor) else EagerTensor(unit.reshape(sizes))


def tape_jacobian(tape: Any, target: Any, sources: Any, choice: Any) -> Any:
    """Return what `GradientTape.jacobian` returns."""
    if not isinstance(target, Tensor) and not hasattr(target, "_as_tensor"):
        raise AttributeError(f"'{type(target).__name__}' object has no attribute 'shape': the target of jacobian is one tensor")
    y = tape._target(target)
    xs = _sources(sources)
    sizes = _known(y, "target")
    n = math.prod(sizes)
    rows = [tape._gradient([y], xs, [_unit(y, i)]) for i in range(n)]
    results = []
    for k, x in enumerate(xs):
        parts = [_dense(row[k]) for row in rows]
        if n == 0 or all(p is None for p in parts):
            results.append(_zeros((*sizes, *x.sizes), x) if _zero_choice(choice) else None)
            continue
        whole = apply(linear.STACK, [_zeros(x.sizes, x) if p is None else p for p in parts], {"axis": 0})
        shape = (*sizes, *(_known(x, "source") if n != 1 or sizes else x.sizes))
        results.append(apply(linear.RESHAPE, (whole,), {"shape": tuple(-1 if s is None else s for s in shape)}))
    return nest.pack_sequence_as(sources, results)


def _dense(g: Any) -> Any:
    return g._as_tensor() if hasattr(g, "_as_tensor") else g


def _zeros(sizes: Any, like: Any) -> Any:
    return convert(np.zeros(tuple(sizes), like.nptype))


def tape_batch_jacobian(tape: Any, target: Any, source: Any, choice: Any) -> Any:
    """Return what `GradientTape.batch_jacobian` returns."""
    y = tape._target(target)
    x = source
    a, b = y.sizes, x.sizes
    if a is None or b is None or not a or not b:
        raise ValueError(f"batch_jacobian: target and source need a first axis, and have shapes {text(a)} and {text(b)}.")
    if a[0] is not None and b[0] is not None and a[0] != b[0]:
        raise ValueError(f"Need first dimension of target shape ({text(a)}) and source shape ({text(b)}) to match.")
    columns = _known_rest(a)
    n = math.prod(columns)
    parts = []
    for j in range(n):
        unit = np.zeros(n, y.nptype)
        unit[j] = 1
        ones = apply(linear.ONES_LIKE, (y,))
        parts.append(_dense(tape._gradient([y], [x], [apply(elementwise.MULTIPLY, (ones, convert(unit.reshape(columns))))])[0]))
    if all(p is None for p in parts):
        if not _zero_choice(choice):
            return None
        if a[0] is None:
            raise ShapeError("batch_jacobian: zeros of an unknown number of rows.")
        return _zeros((a[0], *columns, *b[1:]), x)
    parts = [apply(linear.ZEROS_LIKE, (convert(x),)) if p is None else p for p in parts]
    whole = apply(linear.STACK, parts, {"axis": 1})
    rest = _known_rest(b)
    return apply(linear.RESHAPE, (whole,), {"shape": (-1 if a[0] is None else a[0], *columns, *rest)})


def _known_rest(sizes: Any) -> tuple[int, ...]:
    if None in sizes[1:]:
        raise ShapeError(f"batch_jacobian: the shape of a row must be known, not {text(sizes)}.")
    return tuple(sizes[1:])
