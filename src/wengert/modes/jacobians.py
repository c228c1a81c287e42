"""Jacobians: one reverse sweep for each element of the target.

In a graph that does not tell how many elements there are, a loop makes the sweeps, one in its body.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ground import nest
from wengert.ground.context import state
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import is_full, text
from wengert.modes.control import map_fn
from wengert.ops import elementwise, linear, reduction
from wengert.tensor.tensor import (
    EagerTensor,
    SymbolicTensor,
    Tensor,
    TensorLike,
    apply,
    cast,
    convert,
    is_tensor_like,
    lift,
    value_of,
)

__all__ = ["batch_jacobian_of", "jacobian_of", "tape_batch_jacobian", "tape_jacobian"]

Sweep = Callable[[Any], list[Any]]
"""Takes a cotangent of the target; returns the gradient by each source, None where there is none."""

# --- of any target, by a sweep ------------------------------------------------------------------------------------------


def jacobian_of(y: Tensor, xs: Sequence[Any], sweep: Sweep, element: Callable[[int], list[Any]] | None = None) -> list[Any]:
    """Return the derivative of each element of y by each x: the shape of y, and that of x; None where there is none.

    ``element``: the gradients of the element of a number, where they come cheaper than by its cotangent.
    """
    if is_full(y.sizes):
        count = math.prod(y.sizes)
        rows = _unrolled(xs, count, element or (lambda i: sweep(_unit(y, i))), sweep, y, 0)
    else:
        rows = _looped(apply(linear.SIZE, (y,), {"dtype": "int32"}), sweep, y, lambda places, i: places)
    return [None if r is None else _reshaped(r, y, x, 0) for r, x in zip(rows, xs, strict=True)]


def batch_jacobian_of(y: Tensor, x: Tensor, sweep: Sweep) -> Any:
    """Return, for each row, the derivative of y's row by x's: the shape of y, and that of x's rows; None if there is none.

    Raises:
        ValueError: if they have not two axes at least and the same number of rows.
    """
    for t in (y, x):
        if t.sizes is not None and len(t.sizes) < 2:
            raise ShapeError(f"batch_jacobian: Shape {text(t.sizes)} must have rank at least 2, rows and what stands in a row.")
    if y.sizes is not None and x.sizes is not None and None not in (y.sizes[0], x.sizes[0]) and y.sizes[0] != x.sizes[0]:
        raise ShapeError(f"Need first dimension of target shape ({text(y.sizes)}) and source shape ({text(x.sizes)}) to match.")
    if x.sizes is None:
        raise ShapeError("batch_jacobian: the number of axes of the source must be known.")
    if y.sizes is not None and is_full(y.sizes[1:]):
        columns = tuple(y.sizes[1:])

        def column(j: int) -> list[Any]:
            return sweep(apply(elementwise.MULTIPLY, (apply(linear.ONES_LIKE, (y,)), _constant(_one(columns, j, y.nptype)))))

        whole = _unrolled([x], math.prod(columns), column, sweep, y, 1)[0]
    else:
        shape = apply(linear.GETITEM, (apply(linear.SHAPE, (y,), {"dtype": "int32"}),), {"index": (slice(1, None),)})
        count = apply(reduction.PROD, (shape,), {"axis": (0,), "keepdims": False})
        whole = _looped(count, sweep, y, lambda places, j: apply(elementwise.REMAINDER, (places, lift(state.graph, count))))[0]
        if whole is not None:
            axes = (1, 0, *range(2, len(x.sizes) + 1))
            whole = apply(linear.TRANSPOSE, (whole,), {"axes": axes})
    return None if whole is None else _reshaped(whole, y, x, 1)


def _unrolled(xs: Sequence[Any], count: int, one: Callable[[int], list[Any]], sweep: Sweep, y: Tensor, axis: int) -> list[Any]:
    """Return for each x the gradients of numbers 0 to count - 1, stacked along an axis; None where all of them are."""
    # Of nothing, one sweep tells what there would be.
    rows = [one(i) for i in range(count)] if count else [sweep(apply(linear.ZEROS_LIKE, (y,)))]
    results: list[Any] = []
    for k, x in enumerate(xs):
        parts = [value_of(row[k]) for row in rows]
        if all(p is None for p in parts):
            results.append(None)
            continue
        parts = [apply(linear.ZEROS_LIKE, (convert(x),)) if p is None else p for p in parts]
        whole = apply(linear.STACK, parts, {"axis": axis})
        if not count:
            whole = apply(linear.GETITEM, (whole,), {"index": (*[slice(None)] * axis, slice(0, 0))})
        results.append(whole)
    return results


def _looped(count: Any, sweep: Sweep, y: Tensor, number: Callable[[Any, Any], Any]) -> list[Any]:
    """Return what `_unrolled` does, along axis 0, for a count that a run tells.

    ``number``: takes the numbers of y's elements in order, and a turn's; returns what equals the latter where the turn's
    cotangent is one.
    """
    found = [value_of(g) for g in sweep(apply(linear.ZEROS_LIKE, (y,)))]
    if all(g is None for g in found):
        return found

    def turn(i: TensorLike) -> list[Any]:
        here = lift(state.graph, y)
        size = apply(linear.SIZE, (here,), {"dtype": "int32"})
        places = apply(linear.RANGE, (convert(np.int32(0)), size, convert(np.int32(1))))
        chosen = cast(apply(elementwise.EQUAL, (number(places, i), i)), y.nptype)
        return [value_of(g) for g in sweep(apply(linear.RESHAPE_LIKE, (chosen, here))) if g is not None]

    turns = apply(linear.RANGE, (convert(np.int32(0)), count, convert(np.int32(1))))
    rows = iter(map_fn(turn, turns))
    return [None if g is None else next(rows) for g in found]


def _reshaped(whole: Any, y: Tensor, x: Tensor, rows: int) -> Any:
    """Return a Jacobian in the shape of y, and of x but for its first axes."""
    if is_full(y.sizes) and is_full(x.sizes):
        return apply(linear.RESHAPE, (whole,), {"shape": (*y.sizes, *x.sizes[rows:])})
    return apply(linear.RESHAPE, (whole, _joint_shape(y, x, rows)), {"shape": None})


def _zeros(y: Tensor, x: Tensor, rows: int, nptype: np.dtype[Any]) -> Any:
    """Return a Jacobian of zeros."""
    if is_full(y.sizes) and is_full(x.sizes):
        return _constant(np.zeros((*y.sizes, *x.sizes[rows:]), nptype))
    return apply(linear.FILL, (convert(np.zeros((), nptype)), _joint_shape(y, x, rows)), {"shape": None})


def _joint_shape(y: Tensor, x: Tensor, rows: int) -> Any:
    parts = [apply(linear.SHAPE, (convert(t),), {"dtype": "int32"}) for t in (y, x)]
    parts[1] = apply(linear.GETITEM, (parts[1],), {"index": (slice(rows, None),)})
    return apply(linear.CONCAT, parts, {"axis": 0})


def _one(sizes: tuple[int, ...], i: int, nptype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    unit = np.zeros(math.prod(sizes), nptype)
    unit[i] = 1
    return unit.reshape(sizes)


def _constant(array: TensorLike) -> Any:
    return convert(array) if state.graph is not None else EagerTensor(array)


def _unit(y: Tensor, i: int) -> Any:
    """Return the cotangent that picks element i of y."""
    unit = _one(tuple(y.sizes), i, y.nptype)
    return convert(unit) if isinstance(y, SymbolicTensor) else EagerTensor(unit)


# --- of tapes -----------------------------------------------------------------------------------------------------------


def tape_jacobian(tape: Any, target: Tensor, sources: Sequence[Any], choice: Any) -> Any:
    """Return what `GradientTape.jacobian` returns."""
    if not is_tensor_like(target):
        raise AttributeError(f"'{type(target).__name__}' object has no attribute 'shape': the target of jacobian is one tensor")
    y = tape._target(target)
    xs = nest.flatten(sources)
    found = jacobian_of(y, xs, lambda g: tape._gradient([y], xs, [g]))
    if choice == "zero":
        found = [_zeros(y, x, 0, x.nptype) if r is None else r for r, x in zip(found, xs, strict=True)]
    return nest.pack_sequence_as(sources, found)


def tape_batch_jacobian(tape: Any, target: Tensor, source: Tensor) -> Any:
    """Return what `GradientTape.batch_jacobian` returns: zeros where there is no derivative."""
    y = tape._target(target)
    found = batch_jacobian_of(y, source, lambda g: tape._gradient([y], [source], [g]))
    return _zeros(y, source, 1, y.nptype) if found is None else found
