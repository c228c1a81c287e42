"""``tf.contrib.opt``'s interface to optimizers outside of the graph: SciPy's, over the trainable variables as one vector.

The loss and its gradient are one program of the session, compiled once. The variables hold the point that was looked at
last, so Ctrl-C, or an error, leaves the session as usable as before: they then get the best point so far.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.calculus.gradients import gradients
from wengert.functions import array
from wengert.ground import progress, searches
from wengert.ground.types import NumPyArray
from wengert.modes.session import default_session
from wengert.surface.v1 import logging
from wengert.surface.v1.variables import trainable_variables
from wengert.tensor.tensor import SymbolicTensor, TensorLike

__all__ = ["ExternalOptimizerInterface", "ScipyOptimizerInterface"]


class ExternalOptimizerInterface:
    """What interfaces to optimizers share. One's own overrides `_minimize`."""

    def __init__(
        self,
        loss: TensorLike,
        var_list: Sequence[Any] | None = None,
        equalities: Any = None,
        inequalities: Any = None,
        var_to_bounds: Any = None,
        **optimizer_kwargs: Any,
    ) -> None:
        """Take a loss, variables (all that are trained otherwise), tensors that are to be zero or not negative, and bounds.

        ``var_to_bounds``: variables, each with a pair of numbers or arrays: the least and the greatest value.

        Raises:
            TypeError: for a loss that is no tensor of a graph.
            ValueError: where there are no variables, or the loss is no scalar.
        """
        if not isinstance(loss, SymbolicTensor):
            raise TypeError(f"{type(self).__name__}: the loss must be a tensor of a graph, not {loss!r}.")
        if loss.sizes not in ((), (1,), None):
            raise ValueError(f"{type(self).__name__}: the loss must be a scalar, and has shape {loss.shape}.")
        self._loss, self._graph = loss, loss.graph
        self._equalities, self._inequalities = list(equalities or ()), list(inequalities or ())
        with self._graph.as_default():
            self._vars = trainable_variables() if var_list is None else list(var_list)
        if not self._vars:
            raise ValueError(f"{type(self).__name__}: there are no variables to optimize.")
        for v in self._vars:
            if v.sizes is None or None in v.sizes:
                raise ValueError(f"{type(self).__name__}: the shape of {v.name} must be known, and is {v.shape}.")
        self._shapes = [tuple(v.sizes) for v in self._vars]
        ends = np.cumsum([0, *[math.prod(s) for s in self._shapes]]).tolist()
        self._packing_slices = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self._size = ends[-1]
        self._packed_bounds = self._bounds(var_to_bounds)
        self.optimizer_kwargs = optimizer_kwargs
        with self._graph.as_default(), self._graph.control_dependencies(None):
            self._packed_loss_grad = self._gradient(loss)
            self._packed_equality_grads = [self._gradient(e) for e in self._equalities]
            self._packed_inequality_grads = [self._gradient(i) for i in self._inequalities]

    def _gradient(self, target: Any) -> Any:
        """Return the gradient of a target by all variables, as one vector (or matrix, for a target that is a vector)."""
        if target.sizes:
            rows = [self._gradient(target[i]) for i in range(math.prod(target.sizes))]
            return rows[0] if len(rows) == 1 else array.stack(rows)
        found = gradients(target, self._vars, unconnected_gradients="zero")
        return array.concat([array.cast(array.reshape(g, [-1]), target.dtype) for g in found], 0)

    def _bounds(self, var_to_bounds: Mapping[Any, Any] | None) -> list[tuple[float, float]] | None:
        if var_to_bounds is None:
            return None
        unknown = [v.name for v in var_to_bounds if not any(v is w for w in self._vars)]
        if unknown:
            raise ValueError(f"{type(self).__name__}: bounds are given of {unknown}, which are not optimized.")
        low, high = np.full(self._size, -np.inf), np.full(self._size, np.inf)
        for v, sizes, where in zip(self._vars, self._shapes, self._packing_slices, strict=True):
            if v in var_to_bounds:
                least, most = var_to_bounds[v]
                low[where] = np.broadcast_to(np.asarray(least, float), sizes).ravel()
                high[where] = np.broadcast_to(np.asarray(most, float), sizes).ravel()
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def minimize(
        self, session: Any = None, feed_dict: Mapping[str, Any] | None = None, fetches: Any = None, step_callback: Any = None,
        loss_callback: Any = None, **run_kwargs: Any,
    ) -> None:  # fmt: skip
        """Minimise, and leave the variables of the session at the minimum.

        ``loss_callback`` is called at each evaluation with the values of ``fetches``; ``step_callback`` after each iteration
        with the vector of all variables.

        Raises:
            ValueError: without a session.
            FailedPreconditionError: for a variable that is not initialised.
        """
        session = default_session(session)
        fetches = list(fetches or ())
        storages = [_storage(session, v) for v in self._vars]
        start = np.concatenate([np.asarray(s.read(), np.float64).ravel() for s in storages])
        point = _Point(storages, self._shapes, self._packing_slices, start)

        def evaluator(
            tensors: Sequence[Any], extra: Sequence[Any] = (), callback: Callable[..., Any] | None = None
        ) -> Callable[[Any], list[Any]]:
            wanted = [*tensors, *extra]

            def evaluate(x: Any) -> list[Any]:
                point.set(x)
                found = session.run(wanted, feed_dict, **run_kwargs)
                if callback is not None:
                    callback(*found[len(tensors) :])
                return found[: len(tensors)]  # type: ignore[no-any-return]

            return evaluate

        if loss_callback is not None and not callable(loss_callback):
            raise TypeError(f"loss_callback must be a function, not {loss_callback!r}")
        both = evaluator([self._loss, self._packed_loss_grad], fetches, loss_callback)

        def asked(x: NumPyArray) -> tuple[float, NumPyArray]:
            loss, gradient = both(x)
            return float(np.reshape(loss, ())), np.asarray(gradient)

        def loss_and_gradient(x: NumPyArray) -> tuple[float, NumPyArray]:
            loss, gradient = search.answer(x, asked)
            point.remember(loss, x)
            return loss, gradient

        def each_step(x: TensorLike, *ignored: Any) -> None:
            progress.step()
            shown(point.least)
            if step_callback is not None:
                step_callback(x)

        def with_gradient(targets: Sequence[Any], slopes: Sequence[Any]) -> list[Any]:
            return [evaluator([t, g]) for t, g in zip(targets, slopes, strict=True)]

        search = searches.begun()
        if search.finished:  # the variables have what came of it, or of what came after it
            return
        start = search.start(start, asked)
        try:
            with progress.line(str(self.optimizer_kwargs.get("method", type(self).__name__))) as shown:
                best = self._minimize(
                    initial_val=start, loss_grad_func=loss_and_gradient,
                    equality_funcs=with_gradient(self._equalities, self._packed_equality_grads),
                    inequality_funcs=with_gradient(self._inequalities, self._packed_inequality_grads),
                    packed_bounds=self._packed_bounds, step_callback=each_step, optimizer_kwargs=self.optimizer_kwargs,
                )  # fmt: skip
        except BaseException:
            point.set(point.best)
            raise
        point.set(best)
        search.end()

    def _minimize(
        self, initial_val: Any, loss_grad_func: Any, equality_funcs: Any, inequality_funcs: Any, packed_bounds: Any,
        step_callback: Any, optimizer_kwargs: Any,
    ) -> Any:  # fmt: skip
        """Return the vector at which the loss is least."""
        raise NotImplementedError("To use ExternalOptimizerInterface, subclass from it and implement the _minimize() method.")


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """`scipy.optimize.minimize` over the variables of a graph, by the method L-BFGS-B unless ``method`` says otherwise.

    >>> import wengert.compat.v1 as tf
    >>> with tf.Graph().as_default():
    ...     v = tf.Variable([7.0, 7.0])
    ...     loss = tf.reduce_sum(tf.square(v - [1.0, 2.0]))
    ...     optimizer = ScipyOptimizerInterface(loss, options={"maxiter": 100})
    ...     with tf.Session() as sess:
    ...         sess.run(tf.global_variables_initializer())
    ...         optimizer.minimize(sess)
    ...         print(sess.run(v).round(3))
    [1. 2.]
    """

    _DEFAULT_METHOD = "L-BFGS-B"

    def _minimize(
        self, initial_val: Any, loss_grad_func: Any, equality_funcs: Any, inequality_funcs: Any, packed_bounds: Any,
        step_callback: Any, optimizer_kwargs: Any,
    ) -> Any:  # fmt: skip
        from scipy import optimize
        from threadpoolctl import threadpool_limits

        keywords = dict(optimizer_kwargs)
        method = keywords.pop("method", self._DEFAULT_METHOD)
        constraints = [_constraint("eq", f) for f in equality_funcs] + [_constraint("ineq", f) for f in inequality_funcs]
        settings: dict[str, Any] = {"jac": True, "callback": step_callback, "method": method, "constraints": constraints}
        settings["bounds"] = packed_bounds
        for name in settings:
            if name in keywords:
                if name == "bounds":
                    raise ValueError("Bounds must be set using the var_to_bounds argument")
                raise ValueError(f"Optimizer keyword arg '{name}' is set automatically and cannot be injected manually")
        if str(method).lower() in _WITHOUT_GRADIENT:
            settings["jac"] = None
            target = loss_grad_func

            def loss_grad_func(x: TensorLike) -> Any:
                return target(x)[0]

        with threadpool_limits(1, "blas"):  # threads of SciPy's BLAS that wait for work would take the graph's cores
            result = optimize.minimize(loss_grad_func, initial_val, **settings, **keywords)
        logging.info(
            "Optimization terminated with:\n  Message: %s\n  Objective function value: %f\n  Number of iterations: %s\n"
            "  Number of functions evaluations: %s",
            result.message, float(result.fun), getattr(result, "nit", "?"), result.nfev,
        )  # fmt: skip
        return result.x


_WITHOUT_GRADIENT = {"nelder-mead", "powell", "cobyla", "cobyqa"}


def _constraint(kind: str, evaluate: Callable[[Any], list[Any]]) -> dict[str, Any]:
    """Return a constraint as SciPy takes it; the value and the slope at one point are one evaluation."""
    kept: list[Any] = [None, None]

    def at(x: Any) -> Any:
        if kept[0] is None or not np.array_equal(kept[0], x):
            kept[:] = [np.array(x), evaluate(x)]
        return kept[1]

    return {
        "type": kind, "fun": lambda x: np.asarray(at(x)[0], np.float64).ravel(),
        "jac": lambda x: np.atleast_2d(np.asarray(at(x)[1], np.float64)),
    }  # fmt: skip


def _storage(session: Any, variable: Any) -> Any:
    return variable.storage if variable._graph is None else session.storage_of(variable)


class _Point:
    """The vector of all variables: where it is, and the best one so far."""

    def __init__(self, storages: Any, shapes: Any, slices: Any, start: TensorLike) -> None:
        self.storages, self.shapes, self.slices = storages, shapes, slices
        self.best, self.least = np.array(start), math.inf

    def set(self, x: Any) -> None:
        """Set the variables."""
        for storage, sizes, where in zip(self.storages, self.shapes, self.slices, strict=True):
            storage.write(np.asarray(x[where]).reshape(sizes))

    def remember(self, loss: float, x: TensorLike) -> None:
        """Keep a point if it is the best."""
        if loss < self.least:
            self.least, self.best = loss, np.array(x)
