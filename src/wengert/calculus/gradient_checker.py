"""Derivatives against finite differences: TensorFlow's ``compute_gradient``, of a function and of a graph's tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.calculus.gradients import gradients
from wengert.ground.context import here, state
from wengert.ground.types import Array
from wengert.modes.session import IndexedSlicesValue, default_session
from wengert.modes.slices import IndexedSlices
from wengert.modes.tape import GradientTape
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import EagerTensor, Nested, SymbolicTensor, TensorLike, convert

__all__ = ["compute_gradient", "graph_jacobians", "max_error"]

Run = Callable[[Any], Any]
"""A function of one array, the others being held."""


# --- elements as real numbers -------------------------------------------------------------------------------------------------


def _as_real(array: Any) -> Any:
    """Return a view of the elements as real numbers in a row, a complex one as the pair (real, imaginary).

    The array must lie in C's order: a view of another would be a copy, and what is written to it would be lost.
    """
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def _spread(array: TensorLike) -> Any:
    return _as_real(np.ascontiguousarray(array))


def _size(shape: Sequence[int], dtype: Any) -> int:
    return math.prod(shape) * (2 if dtype.kind == "c" else 1)


def _real(dtype: Any) -> Any:
    return np.empty(0, dtype).real.dtype


def _dense(g: Array | None, shape: Sequence[int]) -> Any:
    """Return a gradient as an array: the rows of a gathered one are added to those that they belong to."""
    if not isinstance(g, IndexedSlicesValue):
        return np.asarray(g)
    values = np.asarray(g.values)
    array = np.zeros(tuple(shape), values.dtype)
    np.add.at(array, np.asarray(g.indices), values)
    return array


def _require_differentiable(dtype: Any, what: str) -> None:
    if dtype.kind not in "fc":
        raise AssertionError(f"Cannot compute gradient for unsupported type {dtype.name} of {what}")


# --- the two Jacobians, a row for each element of y and a column for each of x ------------------------------------------------


def _numeric(run: Run, x: Array, y_shape: Sequence[int], y_dtype: Any, delta: float) -> Any:
    """Return the Jacobian of ``run``, which gives y, at x from central differences."""
    table = np.zeros((_size(y_shape, y_dtype), _size(x.shape, x.dtype)), _real(x.dtype))
    scale = np.asarray(2.0 * delta, _real(y_dtype))[()]
    for column in range(table.shape[1]):
        ends = []
        for step in (delta, -delta):
            moved = np.array(x, order="C")
            _as_real(moved)[column] += step
            ends.append(np.asarray(run(moved)))
        table[:, column] = _spread((ends[0] - ends[1]) / scale)
    return table


def _theory(back: Run, x: Array, y_shape: Sequence[int], y_dtype: Any) -> Any:
    """Return the Jacobian by ``back``, which gives the gradient by x for weights of y.

    Raises:
        ValueError: if y is empty, and the gradient is not zeros of the shape of x.
    """
    unit = np.zeros(tuple(y_shape), y_dtype)
    if not unit.size:
        g = _dense(back(unit), x.shape)
        if g.shape != x.shape:
            raise ValueError(f"Empty gradient has wrong shape: expected {x.shape}, got {g.shape}")
        if np.any(g):
            raise ValueError("Empty tensor with nonzero gradients")
    table = np.zeros((_size(y_shape, y_dtype), _size(x.shape, x.dtype)), _real(x.dtype))
    for row in range(table.shape[0]):
        _as_real(unit)[row] = 1.0
        table[row] = _spread(_dense(back(unit), x.shape))
        _as_real(unit)[row] = 0.0
    return table


# --- of a function ------------------------------------------------------------------------------------------------------------


def compute_gradient(f: Callable[..., Any], x: TensorLike, delta: float | None = None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the Jacobians of f by each of its arguments: (by the tape, by central differences).

    ``x`` is the list of arguments. Each Jacobian has a row for each element of f(*x) and a column for each of the
    argument's; a complex element counts as two. ``delta`` is the step (1/1024). Where a graph is the default, f is called
    with placeholders, and the default session runs what it gives.

    Raises:
        ValueError: if x is not a list; in a graph, if there is no default session.
        AssertionError: if an argument, or f's value, is neither real nor complex.

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
    xs = [np.array(_value(_tensor(one)), order="C") for one in x]
    run = _runnable(f, xs)
    y = np.asarray(run(*xs))
    pairs = [_jacobians(f, run, xs, i, y, step) for i in range(len(xs))]
    return tuple(theory for theory, _ in pairs), tuple(numeric for _, numeric in pairs)


def _jacobians(f: Callable[..., Any], run: Callable[..., Any], xs: Sequence[Any], i: int, y: Array, step: float) -> Any:
    """Return both Jacobians by argument i: of f, which takes tensors and gives y, and of ``run``, the same over arrays."""
    _require_differentiable(xs[i].dtype, f"argument {i}")
    _require_differentiable(y.dtype, "y")
    gradient = _runnable(_gradient_of(f, i), [y, *xs])

    def back(dy: Any) -> Any:
        return gradient(dy, *xs)

    def moved(x: TensorLike) -> Any:
        return run(*xs[:i], x, *xs[i + 1 :])

    return _theory(back, xs[i], y.shape, y.dtype), _numeric(moved, xs[i], y.shape, y.dtype, step)


def _gradient_of(f: Callable[..., Any], i: int) -> Callable[..., Any]:
    """Return the function of (weights of y, arguments of f) that gives the gradient by argument i."""

    def gradient(dy: Any, *inputs: Nested) -> Any:
        with GradientTape() as tape:
            tape.watch(inputs)
            y = _tensor(f(*inputs))
        return tape.gradient(y, inputs[i], output_gradients=dy, unconnected_gradients="zero")

    return gradient


def _runnable(f: Callable[..., Any], arrays: Sequence[Any]) -> Callable[..., Any]:
    """Return f, a function of tensors, as one of arrays of the shapes and dtypes given; a graph's part is built once."""
    if state.graph is None:
        return lambda *values: _value(_tensor(f(*[convert(v) for v in values])))
    places = [_placeholder(a.shape, a.dtype) for a in arrays]
    y = _tensor(f(*places))
    session = default_session()
    return lambda *values: session.run(y, dict(zip(places, values, strict=True)))


def _placeholder(sizes: TensorLike, nptype: np.dtype[Any]) -> Any:
    attrs = {"dtype": nptype, "shape": sizes}
    return state.graph.append(PLACEHOLDER, (), attrs, [(sizes, nptype)], "input", here()).outputs[0]


def _tensor(value: TensorLike) -> Any:
    if isinstance(value, IndexedSlices):
        return value
    return convert(value)


def _value(t: TensorLike) -> Any:
    """Return what a tensor holds; the default session computes one of a graph."""
    if isinstance(t, SymbolicTensor):
        return default_session().run(t)
    if isinstance(t, IndexedSlices):
        return IndexedSlicesValue(t.values.array, t.indices.array, None)
    assert isinstance(t, EagerTensor)
    return t.array


def max_error(grad1: Sequence[Any], grad2: Sequence[Any]) -> float:
    """Return the greatest difference between two lists of Jacobians, NaN where one has NaN.

    >>> max_error([np.array([[1.0, 2.0]])], [np.array([[1.0, 2.5]])])
    0.5
    """
    error = 0.0
    for a, b in zip(grad1, grad2, strict=True):
        if a.size or b.size:
            error = float(np.maximum(error, np.fabs(a - b).max()))
    return error


# --- of a graph's tensors -----------------------------------------------------------------------------------------------------


def graph_jacobians(
    xs: Sequence[Any],
    shapes: Sequence[Any],
    y: Any,
    y_shape: Any,
    values: Sequence[Any] | None,
    delta: float,
    feeds: dict[Any, Any],
    session: Any,
) -> list[tuple[Any, Any]]:
    """Return (by the graph, by central differences) for a graph's tensor y by each of xs, TensorFlow 1's way round.

    Each Jacobian has a row for each element of x and a column for each of y's. Where no value is given for an x, NumPy's own
    generator draws one between 0 and 1. While the derivative by one x is asked for, the others have the values that the graph
    gives them; placeholders, those that were given or drawn.

    Raises:
        AssertionError: if an x or y is neither real nor complex, if a value has not the shape that was said, and if y does not
            depend on an x.
    """
    shape, dtype = _sizes(y_shape), np.dtype(y.dtype.as_numpy_dtype)
    kinds = [np.dtype(x.dtype.as_numpy_dtype) for x in xs]
    for kind, name in (*((k, "x") for k in kinds), (dtype, "y")):
        if kind.kind not in "fc":
            raise AssertionError(f"Don't support type {kind.name} for {name}")
    with y.graph.as_default():
        weights = convert(np.ones(shape, dtype))
        found = [gradients(y, x, grad_ys=weights)[0] for x in xs]
    given = [None] * len(xs) if values is None else values
    points = [_point(v, _sizes(s), k) for v, s, k in zip(given, shapes, kinds, strict=True)]
    places = {_key(x): p for x, p in zip(xs, points, strict=True) if _key(x).node.op is PLACEHOLDER}
    pairs = []
    for x, dx, point in zip(xs, found, points, strict=True):
        if dx is None:
            raise AssertionError("dx = None")
        base = {**places, **feeds}

        def back(dy: Any, dx: Any = dx, base: Any = base, at: Any = (x, point)) -> Any:
            return session.run(dx, {**base, _key(at[0]): at[1], weights: dy})

        def run(moved: Any, base: Any = base, x: Any = x) -> Any:
            return session.run(y, {**base, _key(x): moved})

        pairs.append((_theory(back, point, shape, dtype).T, _numeric(run, point, shape, dtype, delta).T))
    return pairs


def _point(given: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return the value given, or random numbers of a shape."""
    if given is None:
        drawn = np.random.random_sample(shape)
        return np.asarray(drawn + 1j * np.random.random_sample(shape) if dtype.kind == "c" else drawn, dtype)
    if np.shape(given) != shape:
        raise AssertionError(f"x_shape = {list(shape)}, init_data shape = {list(np.shape(given))}")
    return np.array(given, dtype, order="C")


def _sizes(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)


def _key(x: Any) -> Any:
    element = x._as_graph_element() if hasattr(x, "_as_graph_element") else x
    return x if element is None else element
