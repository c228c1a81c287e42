"""Derivatives against finite differences: TensorFlow's ``compute_gradient``, of a function and of a graph's tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.gradients import gradients
from wengert.tape import GradientTape
from wengert.tensor import Tensor, convert

__all__ = ["compute_gradient", "graph_jacobians", "max_error"]

Arrays = list[Any]


def _real_size(array: Any) -> int:
    return 2 * int(array.size) if array.dtype.kind == "c" else int(array.size)


def _as_real(array: Any) -> Any:
    """Return the elements as real numbers, a complex one as the pair (real, imaginary)."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def _numeric(f: Callable[..., Any], xs: Arrays, i: int, y_size: int, delta: float) -> Any:
    """Return the Jacobian of f by its argument i from central differences, shape (y_size, x_size)."""
    x = xs[i]
    table = np.zeros((y_size, _real_size(x)), _as_real(x).dtype)
    for k in range(table.shape[1]):
        ends = []
        for sign in (1.0, -1.0):
            moved = np.array(x)
            _as_real(moved)[k] += sign * delta
            ends.append(_as_real(np.asarray(f(*xs[:i], moved, *xs[i + 1 :]))))
        table[:, k] = (ends[0].astype(table.dtype) - ends[1].astype(table.dtype)) / (2.0 * delta)
    return table


def compute_gradient(f: Callable[..., Any], x: Any, delta: float | None = None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the Jacobians of f by each of its arguments: (by the tape, by central differences).

    ``x`` is the list of arguments. Each Jacobian has a row for each element of f(*x) and a column for each of the
    argument's; a complex element counts as two. ``delta`` is the step (1/1024).

    Raises:
        ValueError: if x is not a list, or f does not return one tensor of floats.

    >>> import wengert as tf
    >>> theory, numeric = compute_gradient(tf.square, [tf.constant([1.0, 2.0], tf.float64)])
    >>> theory[0].tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    >>> max_error(theory, numeric) < 1e-9
    True
    """
    if not isinstance(x, list | tuple):
        raise ValueError(f"`x` must be a list or tuple of values convertible to a Tensor (arguments to `f`), not {type(x)}")
    step = 1.0 / 1024 if delta is None else float(delta)
    xs = [np.array(convert(one).array) for one in x]

    def run(*arrays: Any) -> Any:
        y = f(*[convert(a) for a in arrays])
        if not isinstance(y, Tensor):
            y = convert(y)
        return y.array

    y = np.asarray(run(*xs))
    if y.dtype.kind not in "fc":
        raise ValueError(f"Cannot compute the gradient of {f}: its value has dtype {y.dtype}, which is no floating type.")
    theory = tuple(_theory(f, xs, i, y) for i in range(len(xs)))
    numeric = tuple(_numeric(run, xs, i, _real_size(y), step) for i in range(len(xs)))
    return theory, numeric


def _theory(f: Callable[..., Any], xs: Arrays, i: int, y: Any) -> Any:
    """Return the Jacobian of f by its argument i from reverse mode, a row for each element of y."""
    table = np.zeros((_real_size(y), _real_size(xs[i])), _as_real(xs[i]).dtype)
    inputs = [convert(a) for a in xs]
    with GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        out = f(*inputs)
    for row in range(table.shape[0]):
        unit = np.zeros_like(y)
        _as_real(unit)[row] = 1.0
        g = tape.gradient(out, inputs[i], output_gradients=convert(unit), unconnected_gradients="zero")
        table[row] = _as_real(np.asarray(g))
    return table


def max_error(grad1: Sequence[Any], grad2: Sequence[Any]) -> float:
    """Return the greatest difference between two lists of Jacobians."""
    error = 0.0
    for a, b in zip(grad1, grad2, strict=True):
        if a.size or b.size:
            error = max(error, float(np.fabs(a - b).max()))
    return error


def graph_jacobians(
    xs: Sequence[Any],
    shapes: Sequence[Sequence[int]],
    y: Any,
    y_shape: Sequence[int],
    values: Sequence[Any] | None,
    delta: float,
    feeds: dict[Any, Any],
    session: Any,
) -> list[tuple[Any, Any]]:
    """Return (by the graph, by central differences) for a graph's tensor y by each of xs, TensorFlow 1's way round.

    Each Jacobian has a row for each element of x and a column for each of y's.
    """
    points = []
    for k, (x, shape) in enumerate(zip(xs, shapes, strict=True)):
        given = None if values is None else values[k]
        if given is None:
            given = np.random.default_rng(0).uniform(-1.0, 1.0, tuple(shape))
        points.append(np.array(given, x.dtype.as_numpy_dtype))
    pairs = []
    with y.graph.as_default():
        weights = convert(np.ones(tuple(y_shape), y.dtype.as_numpy_dtype))
        found = gradients(y, list(xs), grad_ys=weights, unconnected_gradients="zero")
    base = {**feeds, **{_key(x): p for x, p in zip(xs, points, strict=True)}}

    def run(*arrays: Any) -> Any:
        return session.run(y, {**base, **{_key(x): a for x, a in zip(xs, arrays, strict=True)}})

    size = math.prod(tuple(y_shape)) * (2 if y.dtype.is_complex else 1)
    for k in range(len(xs)):
        numeric = _numeric(run, points, k, size, delta).T
        rows = []
        for j in range(size):
            unit = np.zeros(tuple(y_shape), y.dtype.as_numpy_dtype)
            _as_real(unit)[j] = 1.0
            rows.append(_as_real(np.asarray(session.run(found[k], {**base, weights: unit}))))
        theory = np.array(rows, numeric.dtype).reshape(size, -1).T
        pairs.append((theory, numeric))
    return pairs


def _key(x: Any) -> Any:
    element = x._as_graph_element() if hasattr(x, "_as_graph_element") else x
    return x if element is None else element
