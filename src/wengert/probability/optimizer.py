"""``tfp.optimizer``: BFGS and its form with little memory, by SciPy, with TensorFlow Probability's signatures."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from wengert.functions import math as functions
from wengert.functions.array import convert_to_tensor
from wengert.functions.program import py_function
from wengert.ground import progress
from wengert.ground.errors import ShapeError
from wengert.ground.types import Array
from wengert.probability import linesearch
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, TensorLike

__all__ = [
    "BfgsOptimizerResults",
    "LBfgsOptimizerResults",
    "bfgs_minimize",
    "converged_all",
    "converged_any",
    "lbfgs_minimize",
    "linesearch",
]


class LBfgsOptimizerResults(NamedTuple):
    """What `lbfgs_minimize` returns."""

    converged: Any
    failed: Any
    num_iterations: Any
    num_objective_evaluations: Any
    position: Any
    objective_value: Any
    objective_gradient: Any
    position_deltas: Any
    gradient_deltas: Any


class BfgsOptimizerResults(NamedTuple):
    """What `bfgs_minimize` returns."""

    converged: Any
    failed: Any
    num_iterations: Any
    num_objective_evaluations: Any
    position: Any
    objective_value: Any
    objective_gradient: Any
    inverse_hessian_estimate: Any


def converged_any(converged: Any, failed: Any) -> Any:
    """Stop where one start has converged, or all have failed.

    >>> bool(converged_any(True, False))
    True
    """
    return functions.reduce_any(converged) | functions.reduce_all(failed)


def converged_all(converged: Any, failed: Any) -> Any:
    """Stop where every start has converged or failed.

    >>> bool(converged_all([True, False], [False, False]))
    False
    """
    return functions.reduce_all(convert_to_tensor(converged) | convert_to_tensor(failed))


class _Search:
    """One minimisation: what is minimised, in scaled coordinates, and the tests after each iteration."""

    def __init__(
        self, function: Callable[..., Any], start: Any, tolerances: tuple[float, ...], condition: Any, kept: int, factor: Any
    ) -> None:
        self.function, self.start, self.factor = function, start, factor
        self.gradient_tolerance, self.x_tolerance, self.relative, self.absolute = tolerances
        self.condition = condition or converged_any
        self.evaluations = 0
        self.shown: Callable[[float], None]
        self.converged = False
        self.seen: dict[bytes, tuple[float, Any]] = {}  # of the iteration under way: x -> value, gradient
        self.pairs: collections.deque[tuple[Any, Any]] = collections.deque(maxlen=kept)
        self.x = np.asarray(start.numpy(), np.float64)
        self.value, self.gradient = self.evaluate(self.x)
        self.test(None)

    def evaluate(self, x: Any) -> tuple[float, Any]:
        """Return the value and the gradient at x, in float64."""
        if x.tobytes() not in self.seen:
            value, gradient = self.function(EagerTensor(x.astype(self.start.nptype)))
            value, gradient = np.asarray(value, np.float64), np.asarray(gradient, np.float64)
            if value.size != 1 or gradient.shape != x.shape:
                raise ShapeError(
                    f"value_and_gradients_function returned a value of shape {value.shape} and a gradient of shape "
                    f"{gradient.shape} at a position of shape {x.shape}; the value is one number, the gradient like the position."
                )
            self.evaluations += 1
            self.seen[x.tobytes()] = float(value.reshape(())), gradient
        return self.seen[x.tobytes()]

    def scaled(self, z: TensorLike) -> tuple[float, Any]:
        value, gradient = self.evaluate(self.position(z))
        return value, gradient if self.factor is None else self.factor.T @ gradient

    def position(self, z: TensorLike) -> Any:
        return np.array(z) if self.factor is None else self.factor @ z

    def test(self, before: tuple[Any, float] | None) -> None:
        """Set whether it has converged, with TensorFlow Probability's tests."""
        self.converged = bool(np.max(np.abs(self.gradient), initial=0.0) <= self.gradient_tolerance)
        if before is not None:
            x, value = before
            step, fall = np.max(np.abs(self.x - x), initial=0.0), abs(self.value - value)
            self.converged |= bool(step <= self.x_tolerance or fall <= self.relative * abs(value) or fall <= self.absolute)

    def after(self, intermediate_result: Any) -> None:
        """Take what an iteration came to; end the search where it has converged."""
        x, before = self.position(intermediate_result.x), (self.x, self.value, self.gradient)
        self.value, self.gradient = self.evaluate(x)
        self.x = x
        self.pairs.append((x - before[0], self.gradient - before[2]))
        self.seen = {x.tobytes(): (self.value, self.gradient)}
        self.shown(self.value)
        self.test(before[:2])
        if self.condition(self.converged, False):
            raise StopIteration

    def run(self, method: str, options: dict[str, Any], iterations: int) -> Any:
        """Return SciPy's result, None where there is nothing to do."""
        from scipy.optimize import minimize

        if iterations <= 0 or self.condition(self.converged, False):
            return None
        z = self.x if self.factor is None else np.linalg.solve(self.factor, self.x)
        search: Any = minimize
        options = {"maxiter": iterations, "gtol": 0.0, **options}
        with progress.line(method) as self.shown:
            return search(self.scaled, z, jac=True, method=method, callback=self.after, options=options)


def _start(initial_position: Any, previous: Any, who: str) -> Any:
    if (initial_position is None) == (previous is None):
        raise ValueError(f"{who}: exactly one of initial_position and previous_optimizer_results must be given.")
    start = convert_to_tensor(previous.position if initial_position is None else initial_position)
    if start.nptype.kind != "f":
        raise TypeError(f"{who}: initial_position must be of a floating dtype, not {start.dtype.name}.")
    if start.sizes is None or len(start.sizes) != 1:
        raise ShapeError(f"{who}: initial_position must be one vector, not of shape {start.shape}: minimize batches one by one.")
    return start


def _factor(estimate: Any, who: str) -> Any:
    """Return L of the inverse Hessian L Lᵀ: in z = L⁻¹x the search starts from the identity."""
    if estimate is None:
        return None
    try:
        return np.linalg.cholesky(np.asarray(convert_to_tensor(estimate).numpy(), np.float64))
    except np.linalg.LinAlgError:
        raise ValueError(f"{who}: initial_inverse_hessian_estimate must be positive definite.") from None


def _in_graph(run: Callable[..., Any], kind: Any, start: Array, shapes: dict[str, Any]) -> Any:
    """Return the results as tensors of a graph, which call Python when they run."""
    number = start.dtype
    types = [{"converged": "bool", "failed": "bool"}.get(f, "int32" if f.startswith("num_") else number) for f in kind._fields]
    found = kind(*py_function(lambda x: list(run(x)), [start], types))
    for field, t in zip(kind._fields, found, strict=True):
        t.set_shape(shapes.get(field, ()))
    return found


def lbfgs_minimize(
    value_and_gradients_function: Callable[..., Any], initial_position: Any = None, previous_optimizer_results: Any = None,
    num_correction_pairs: int = 10, tolerance: float = 1e-8, x_tolerance: float = 0, f_relative_tolerance: float = 0,
    initial_inverse_hessian_estimate: Any = None, max_iterations: int = 50, parallel_iterations: int = 1,
    stopping_condition: Any = None, max_line_search_iterations: int = 50, f_absolute_tolerance: float = 0,
    name: str | None = None,
) -> LBfgsOptimizerResults:  # fmt: skip
    """Minimize a function of one vector by L-BFGS: SciPy's search, with TensorFlow Probability's arguments and tests.

    Args:
        value_and_gradients_function: from a vector to the pair of the value and the gradient.
        initial_position: where to start, one vector.
        previous_optimizer_results: to go on where an earlier search ended, in place of ``initial_position``; its iterations
            count, its correction pairs are not used.
        num_correction_pairs: how many steps the estimate of the Hessian remembers.
        tolerance: converged where no element of the gradient is larger.
        x_tolerance: converged where an iteration moves no element farther.
        f_relative_tolerance: converged where an iteration changes the value by no more, relatively.
        initial_inverse_hessian_estimate: a matrix that scales the first step.
        max_iterations: at most so many iterations.
        parallel_iterations: not used.
        stopping_condition: ``converged_any`` or ``converged_all``; or a function of (converged, failed).
        max_line_search_iterations: at most so many evaluations along one direction.
        f_absolute_tolerance: converged where an iteration changes the value by no more.
        name: not used.

    Raises:
        ValueError: unless one of the two starts is given, for an estimate that is not positive definite, and for a position,
            value or gradient of another shape.

    >>> found = lbfgs_minimize(lambda x: ((x[0] - 1.0) ** 2 + x[1] ** 2, [2.0 * (x[0] - 1.0), 2.0 * x[1]]), [3.0, 4.0])
    >>> bool(found.converged), [round(float(v), 5) + 0.0 for v in found.position]
    (True, [1.0, 0.0])
    """
    start = _start(initial_position, previous_optimizer_results, "lbfgs_minimize")
    count, m = start.sizes[0], num_correction_pairs

    def run(start: Any) -> LBfgsOptimizerResults:
        tolerances = (tolerance, x_tolerance, f_relative_tolerance, f_absolute_tolerance)
        factor = _factor(initial_inverse_hessian_estimate, "lbfgs_minimize")
        search = _Search(value_and_gradients_function, start, tolerances, stopping_condition, m, factor)
        done = (0, 0) if previous_optimizer_results is None else tuple(int(n) for n in previous_optimizer_results[2:4])
        options = {"maxcor": m, "maxls": max_line_search_iterations, "ftol": 0.0, "maxfun": 10**9}
        found = search.run("L-BFGS-B", options, max_iterations - done[0])
        deltas = np.zeros((2, m, search.x.size))
        for k, pair in enumerate(reversed(search.pairs)):
            deltas[:, m - 1 - k] = pair
        return LBfgsOptimizerResults(*_ended(search, found, done), *(EagerTensor(d.astype(start.nptype)) for d in deltas))

    if isinstance(start, SymbolicTensor):
        shapes: dict[str, tuple[Any, ...]] = {"position": (count,), "objective_gradient": (count,)}
        shapes |= {"position_deltas": (m, count), "gradient_deltas": (m, count)}
        return _in_graph(run, LBfgsOptimizerResults, start, shapes)  # type: ignore[no-any-return]
    return run(start)


def bfgs_minimize(
    value_and_gradients_function: Callable[..., Any], initial_position: Any, tolerance: float = 1e-8, x_tolerance: float = 0,
    f_relative_tolerance: float = 0, initial_inverse_hessian_estimate: Any = None, max_iterations: int = 50,
    parallel_iterations: int = 1, stopping_condition: Any = None, validate_args: bool = True,
    max_line_search_iterations: int = 50, f_absolute_tolerance: float = 0, name: str | None = None,
) -> BfgsOptimizerResults:  # fmt: skip
    """Minimize a function of one vector by BFGS: SciPy's search, with TensorFlow Probability's arguments and tests.

    The arguments are those of `lbfgs_minimize`; ``validate_args`` and ``max_line_search_iterations`` are not used.

    >>> found = bfgs_minimize(lambda x: ((x[0] - 1.0) ** 2 + x[1] ** 2, [2.0 * (x[0] - 1.0), 2.0 * x[1]]), [3.0, 4.0])
    >>> bool(found.converged), found.inverse_hessian_estimate.shape
    (True, TensorShape([2, 2]))
    """
    start = _start(initial_position, None, "bfgs_minimize")
    count = start.sizes[0]

    def run(start: Any) -> BfgsOptimizerResults:
        tolerances = (tolerance, x_tolerance, f_relative_tolerance, f_absolute_tolerance)
        factor = _factor(initial_inverse_hessian_estimate, "bfgs_minimize")
        search = _Search(value_and_gradients_function, start, tolerances, stopping_condition, 1, factor)
        found = search.run("BFGS", {}, max_iterations)
        inverse = np.eye(search.x.size) if found is None else np.asarray(found.hess_inv)
        if factor is not None:
            inverse = factor @ inverse @ factor.T
        return BfgsOptimizerResults._make([*_ended(search, found, (0, 0)), EagerTensor(inverse.astype(start.nptype))])

    if isinstance(start, SymbolicTensor):
        shapes = {"position": (count,), "objective_gradient": (count,), "inverse_hessian_estimate": (count, count)}
        return _in_graph(run, BfgsOptimizerResults, start, shapes)  # type: ignore[no-any-return]
    return run(start)


def _ended(search: _Search, found: Any, done: tuple[int, ...]) -> list[Any]:
    """Return the seven results that both have, as tensors."""
    # SciPy's status: 0 where the value cannot fall any more, 1 at the limit of iterations, 2 where the line search failed
    status = 0 if found is None else found.status
    converged = search.converged or (found is not None and status == 0)
    dtype = search.start.nptype
    return [
        EagerTensor(np.asarray(converged)), EagerTensor(np.asarray(status == 2 and not converged)),
        EagerTensor(np.asarray(done[0] + (0 if found is None else found.nit), np.int32)),
        EagerTensor(np.asarray(done[1] + search.evaluations, np.int32)), EagerTensor(search.x.astype(dtype)),
        EagerTensor(np.asarray(search.value, dtype)), EagerTensor(search.gradient.astype(dtype)),
    ]  # fmt: skip
