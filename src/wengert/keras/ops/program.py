"""Control flow and derivatives by hand, as Keras writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.calculus.gradients import ForwardAccumulator
from wengert.functions import array, program
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.keras.ops.promotion import tensor
from wengert.modes import control
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = ["cond", "custom_gradient", "fori_loop", "jvp", "map", "scan", "switch", "vectorized_map", "while_loop"]


def cond(pred: TensorLike, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return the value of one of two functions."""
    return control.cond(pred, true_fn, false_fn)


def switch(index: TensorLike, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return the value of one of several functions, the nearest for an index beyond them."""
    last = len(branches) - 1
    at = array.saturate_cast(tensor(index), "int32")
    return control.switch_case(elementary.clip_by_value(at, 0, last), [lambda f=f: f(*operands) for f in branches])


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Nested, maximum_iterations: int | Tensor | None = None
) -> Any:
    """Repeat a function while a condition holds."""
    single = not isinstance(loop_vars, list | tuple)
    start = tuple(loop_vars) if isinstance(loop_vars, list | tuple) else (loop_vars,)

    def step(*values: TensorLike) -> Any:
        found = body(*values)
        return tuple(found) if isinstance(found, list | tuple) else (found,)

    found = control.while_loop(cond, step, start, maximum_iterations=maximum_iterations)
    return found[0] if single else tuple(found)


def fori_loop(lower: TensorLike, upper: TensorLike, body_fun: Callable[[Any, Any], Any], init_val: Nested) -> Any:
    """Return the value after body_fun(i, value) for i from lower up to but without upper."""
    found = control.while_loop(
        lambda i, value: i < upper, lambda i, value: (i + 1, body_fun(i, value)), (tensor(lower), init_val)
    )
    return found[1]


def vectorized_map(function: Callable[..., Any], elements: Nested) -> Any:
    """Return a function's values for all rows."""
    rows: Any = elements
    return control.vectorized_map(function, rows)


def map(f: Callable[[Any], Any], xs: Nested) -> Any:
    """Return a function's values for all rows, one after the other."""
    rows = nest.map_structure(tensor, xs)
    sample = f(nest.map_structure(lambda x: x[0], rows))
    return control.map_fn(f, rows, fn_output_signature=nest.map_structure(lambda y: tensor(y).dtype, sample))


def scan(
    f: Callable[[Any, Any], Any],
    init: Nested,
    xs: Nested | None = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """Return the last carry of (carry, y) = f(carry, x) over the rows x of xs, and all y, one below the other.

    Raises:
        ValueError: where neither xs nor a length is given.
    """
    if xs is None and length is None:
        raise ValueError("scan: give xs or a length.")
    rows = None if xs is None else nest.map_structure(tensor, xs)
    n = length if rows is None else array.shape(nest.flatten(rows)[0])[0]
    places = array.range(n)
    init = nest.map_structure(tensor, init)
    first = None if rows is None else nest.map_structure(lambda x: x[0], rows)
    sample = nest.map_structure(lambda y: array.zeros_like(tensor(y)), f(init, first)[1])

    def step(state: Sequence[Any], i: Tensor) -> Any:
        row = None if rows is None else nest.map_structure(lambda x: array.gather(x, i), rows)
        carry, y = f(state[0], row)
        return carry, nest.map_structure(tensor, y)

    carries, ys = control.scan(step, places, (init, sample), reverse=reverse)
    return nest.map_structure(lambda c: c[0 if reverse else -1], carries), ys


custom_gradient = program.custom_gradient


def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """Return a function's values and its derivative along tangents."""
    points = [tensor(p) for p in nest.flatten(primals)]
    directions = [array.cast(tensor(t), p.dtype) for t, p in zip(nest.flatten(tangents), points, strict=True)]
    with ForwardAccumulator(points, directions) as accumulator:
        found = fun(*nest.pack_sequence_as(primals, points))
        values, rest = (found[0], found[1:]) if has_aux else (found, ())
        along = nest.map_structure(accumulator.jvp, values)
    return (values, along, *rest)
