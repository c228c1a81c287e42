"""``tfp.optimizer``: Nelder and Mead's search, which asks for no derivatives.

J. Nelder and R. Mead, "A simplex method for function minimization" (1965), with the parameters of F. Gao and L. Han,
"Implementing the Nelder-Mead simplex algorithm with adaptive parameters" (2012), which for two variables are theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from wengert.functions import array, linalg
from wengert.functions import math as functions
from wengert.functions.array import convert_to_tensor, where
from wengert.ground.dtypes import int32
from wengert.modes.control import cond, map_fn, while_loop
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["NelderMeadOptimizerResults", "nelder_mead_minimize", "nelder_mead_one_step"]

Objective = Callable[..., TensorLike]
Step = tuple[Any, Any, Any]
"""A simplex, the values at its vertices, and how many evaluations it took to find them."""


class NelderMeadOptimizerResults(NamedTuple):
    """What `nelder_mead_minimize` returns."""

    converged: Any
    num_objective_evaluations: Any
    position: Any
    objective_value: Any
    final_simplex: Any
    final_objective_values: Any
    initial_simplex: Any
    initial_objective_values: Any
    num_iterations: Any


def _values(objective: Objective, points: Tensor, batch: bool) -> Any:
    return objective(points) if batch else map_fn(objective, points, fn_output_signature=points.dtype)


class _Simplex:
    """One step from a simplex: its best and worst vertices, and the moves."""

    def __init__(self, simplex: Tensor, values: Tensor, objective: Objective, batch: bool) -> None:
        self.simplex, self.values, self.batch = simplex, values, batch
        self.objective: Callable[[Tensor], Any] = (lambda x: convert_to_tensor(objective(x[None]))[0]) if batch else objective
        self.many = objective
        order = array.argsort(values, stable=True)
        self.best, self.worst = order[0], order[-1]
        self.low, self.high, self.second = values[self.best], values[self.worst], values[order[-2]]
        self.centroid = (functions.reduce_sum(simplex, 0) - simplex[self.worst]) / array.cast(_size(simplex) - 1, simplex.dtype)

    def converged(self, func_tolerance: TensorLike, position_tolerance: TensorLike) -> Any:
        spread = functions.reduce_max(functions.abs(self.values - self.low))
        extent = functions.reduce_max(functions.abs(self.simplex - self.simplex[self.best]))
        return (spread <= func_tolerance) | (extent <= position_tolerance)

    def along(self, scale: TensorLike, x: Tensor) -> tuple[Any, Any]:
        """Return the point that lies from the centroid towards x, and the value there."""
        point = self.centroid + scale * (x - self.centroid)
        return point, self.objective(point)

    def replaced(self, point: Tensor, value: Tensor, evaluations: int) -> Step:
        """Return what it is with another vertex in place of the worst."""
        return self.put(self.simplex, point), self.put(self.values, value), array.constant(evaluations, int32)

    def put(self, rows: Tensor, row: Tensor) -> Any:
        return array.tensor_scatter_nd_update(rows, [[self.worst]], array.expand_dims(row, 0))

    def shrunk(self, scale: TensorLike) -> Step:
        """Return what it is with every vertex moved towards the best."""
        x = self.simplex[self.best]
        simplex = x + scale * (self.simplex - x)
        values = _values(self.many, simplex, self.batch)
        return simplex, values, _size(simplex) + 1

    def step(self, reflection: TensorLike, expansion: TensorLike, contraction: TensorLike, shrinkage: TensorLike) -> Step:
        x, f = self.along(-reflection, self.simplex[self.worst])  # type: ignore[operator]

        def expanded() -> Step:
            y, g = self.along(expansion, x)
            return self.replaced(where(g < f, y, x), where(g < f, g, f), 2)

        def contracted() -> Step:
            outside = f < self.high
            y, g = self.along(contraction, where(outside, x, self.simplex[self.worst]))
            good = where(outside, g <= f, g < self.high)
            return cond(good, lambda: self.replaced(y, g, 2), lambda: self.shrunk(shrinkage))  # type: ignore[no-any-return]

        def other() -> Step:
            return cond(f < self.second, lambda: self.replaced(x, f, 1), contracted)  # type: ignore[no-any-return]

        return cond(f < self.low, expanded, other)  # type: ignore[no-any-return]


def _size(x: Tensor) -> Any:
    return array.shape(x)[0]


def nelder_mead_one_step(
    current_simplex: TensorLike, current_objective_values: TensorLike, objective_function: Objective,
    dim: TensorLike | None = None, func_tolerance: TensorLike = 1e-8, position_tolerance: TensorLike = 1e-8,
    batch_evaluate_objective: bool = False, reflection: TensorLike | None = None, expansion: TensorLike | None = None,
    contraction: TensorLike | None = None, shrinkage: TensorLike | None = None, name: str | None = None,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """Return whether a simplex has converged, what one step makes of it, the values there, and the count of evaluations.

    The arguments are those of `nelder_mead_minimize`; ``dim`` is the number of variables, if not that of the simplex.

    >>> ended, simplex, values, count = nelder_mead_one_step(
    ...     [[0.0], [1.0]], [4.0, 1.0], lambda x: (x[0] - 2.0) ** 2, shrinkage=0.5
    ... )
    >>> bool(ended), simplex.numpy().tolist(), values.numpy().tolist(), int(count)
    (False, [[2.0], [1.0]], [0.0, 1.0], 2)
    """
    simplex, values = convert_to_tensor(current_simplex), convert_to_tensor(current_objective_values)
    s = _Simplex(simplex, values, objective_function, batch_evaluate_objective)
    n = array.cast(_size(simplex) - 1 if dim is None else dim, simplex.dtype)
    steps = (
        1.0 if reflection is None else reflection, 1.0 + 2.0 / n if expansion is None else expansion,
        0.75 - 0.5 / n if contraction is None else contraction, 1.0 - 1.0 / n if shrinkage is None else shrinkage,
    )  # fmt: skip
    ended = s.converged(func_tolerance, position_tolerance)
    # As in TensorFlow Probability, whose counts these are, a converged step counts its reflection.
    found = cond(ended, lambda: (simplex, values, array.constant(1, int32)), lambda: s.step(*steps))
    return ended, *found


def _start(vertex: TensorLike | None, simplex: TensorLike | None, steps: TensorLike | None) -> Any:
    """Return the first simplex."""
    if (vertex is None) == (simplex is None):
        raise ValueError("nelder_mead_minimize: exactly one of initial_simplex and initial_vertex must be given.")
    if vertex is None:
        if steps is not None:
            raise ValueError("nelder_mead_minimize: step_sizes belongs to an initial_vertex; an initial_simplex has its own.")
        return convert_to_tensor(simplex)  # type: ignore[arg-type]
    x = convert_to_tensor(vertex)
    sizes = where(functions.equal(x, 0), array.constant(0.00025, x.dtype), 0.05 * x) if steps is None else steps
    sizes = array.reshape(array.zeros_like(x) + sizes, [-1])
    more = array.reshape(linalg.diag(sizes), array.concat([[-1], array.shape(x)], 0))
    return array.concat([x[None], x + more], 0)


def nelder_mead_minimize(
    objective_function: Objective, initial_simplex: TensorLike | None = None, initial_vertex: TensorLike | None = None,
    step_sizes: TensorLike | None = None, objective_at_initial_simplex: TensorLike | None = None,
    objective_at_initial_vertex: TensorLike | None = None, batch_evaluate_objective: bool = False,
    func_tolerance: TensorLike = 1e-8, position_tolerance: TensorLike = 1e-8, parallel_iterations: int = 1,
    max_iterations: TensorLike | None = None, reflection: TensorLike | None = None, expansion: TensorLike | None = None,
    contraction: TensorLike | None = None, shrinkage: TensorLike | None = None, name: str | None = None,
) -> NelderMeadOptimizerResults:  # fmt: skip
    """Minimize a function by moving the vertices of a simplex, without derivatives.

    Args:
        objective_function: from a point to a value; with ``batch_evaluate_objective``, from points, a row each, to their values.
        initial_simplex: the first n + 1 points, a row each.
        initial_vertex: one point in place of them; the others lie ``step_sizes`` from it along the axes.
        step_sizes: a number, or one for each variable; a twentieth of the coordinate, 0.00025 where it is 0, if not given.
        objective_at_initial_simplex: the values there, where they are known.
        objective_at_initial_vertex: the value there, where it is known.
        batch_evaluate_objective: whether the function takes many points at once.
        func_tolerance: converged where no value is farther from the smallest.
        position_tolerance: converged where no coordinate of a vertex is farther from the best vertex.
        parallel_iterations: not used.
        max_iterations: at most so many steps; no limit if not given.
        reflection: how far beyond the centroid the worst vertex is reflected: 1.
        expansion: how much farther, where that was good: 1 + 2/n.
        contraction: how far from the centroid, where it was not: 3/4 - 1/(2n).
        shrinkage: what is left of the distances from the best vertex, where nothing helped: 1 - 1/n.
        name: not used.

    Raises:
        ValueError: unless one of the two starts is given.

    >>> found = nelder_mead_minimize(lambda x: (x[0] - 1.0) ** 2 + (x[1] + 2.0) ** 2, initial_vertex=[0.5, 0.5])
    >>> bool(found.converged), [round(float(v), 2) for v in found.position]
    (True, [1.0, -2.0])
    """
    start, batch = _start(initial_vertex, initial_simplex, step_sizes), batch_evaluate_objective
    if objective_at_initial_simplex is not None:
        values, count = convert_to_tensor(objective_at_initial_simplex), 0
    elif objective_at_initial_vertex is not None:
        known = array.reshape(objective_at_initial_vertex, [1])
        values, count = array.concat([known, _values(objective_function, start[1:], batch)], 0), _size(start) - 1
    else:
        values, count = _values(objective_function, start, batch), _size(start)

    def body(ended: Tensor, simplex: Tensor, values: Tensor, evaluations: Tensor, steps: Tensor) -> tuple[Any, ...]:
        ended, simplex, values, more = nelder_mead_one_step(
            simplex, values, objective_function, None, func_tolerance, position_tolerance, batch, reflection, expansion,
            contraction, shrinkage,
        )  # fmt: skip
        return ended, simplex, values, evaluations + more, steps + 1

    zero = array.constant(0, int32)
    ended, simplex, final, evaluations, steps = while_loop(
        lambda ended, *_: ~ended, body, (array.constant(False), start, values, zero + count, zero),
        maximum_iterations=max_iterations,
    )  # fmt: skip
    best = functions.argmin(final)
    return NelderMeadOptimizerResults(ended, evaluations, simplex[best], final[best], simplex, final, start, values, steps)
