"""TensorFlow 1's optimizers: ``tf.train``'s, and those of ``tf.contrib.opt``. Their formulas stand in `wengert.train.rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from wengert.calculus.gradients import gradients
from wengert.functions import array
from wengert.functions.program import control_dependencies, group
from wengert.graph.graph import WengertList
from wengert.ground import nest
from wengert.ground.context import state
from wengert.ground.types import Array
from wengert.modes.slices import IndexedSlices
from wengert.modes.tape import GradientTape
from wengert.modes.variable import Variable
from wengert.surface.v1.variables import trainable_variables
from wengert.tensor.tensor import Reference, Tensor, TensorLike, convert
from wengert.train import rules


class Optimizer:
    """What all of TensorFlow 1's optimizers have. One's own overrides `_apply_dense`, and what else it needs.

    The variables of an optimizer are made when the operation of its step is: before ``global_variables_initializer()``.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    slots: tuple[tuple[str, str], ...] = ()
    """What is kept for each variable: its name, and the name that the variables of it get."""

    whole = False
    """Whether a gradient that only some rows have changes what is kept for the others too."""

    def __init__(self, use_locking: bool = False, name: str | None = None) -> None:
        """Take a name; ``use_locking`` is accepted, as steps are whole anyway.

        Raises:
            ValueError: without a name.
        """
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking, self._name = use_locking, name
        self._slots: dict[str, dict[Reference, Any]] = {}
        self._non_slot: dict[str, Any] = {}
        self._kept: list[tuple[Any, str, Any]] = []
        """The slots in the order in which they were made: (whose, under what name, slot)."""

    def get_name(self) -> str:
        """Return the name."""
        return self._name

    # --- variables -------------------------------------------------------------------------------------------------

    def get_slot(self, var: TensorLike, name: str) -> Any:
        """Return what is kept for a variable under a name, None if nothing is."""
        return self._slots.get(name, {}).get(Reference(var))

    def get_slot_names(self) -> list[str]:
        """Return the names of what is kept for each variable."""
        return sorted(self._slots)

    def variables(self) -> list[Any]:
        """Return all variables of the optimizer."""
        slots = [v for by_variable in self._slots.values() for v in by_variable.values()]
        return sorted([*self._non_slot.values(), *slots], key=lambda v: str(v.name))

    def _trackable_children(self) -> dict[str, Any]:
        return dict(self._non_slot)

    def _trackable_slots(self) -> list[tuple[Any, str, Any]]:
        return self._kept

    def _get_non_slot_variable(self, name: str, graph: WengertList | None = None) -> Any:
        return self._non_slot.get(name)

    def _create_non_slot_variable(self, initial_value: TensorLike, name: str, colocate_with: Any = None) -> Any:
        if name not in self._non_slot:
            self._non_slot[name] = Variable(initial_value, trainable=False, name=name)
        return self._non_slot[name]

    def _slot(self, var: Any, name: str, value: TensorLike, label: str) -> Any:
        """Return a slot of a variable, made where there is none yet: named after the variable, wherever the step is built."""
        kept = self._slots.setdefault(name, {})
        if var.ref() not in kept:
            path = f"{str(var.name).removesuffix(':0')}/{label}"
            graph = state.graph
            scope = "" if graph is None else graph.scope
            try:
                if graph is not None:
                    graph.scope = ""
                kept[var.ref()] = Variable(value, trainable=False, name=path)
            finally:
                if graph is not None:
                    graph.scope = scope
            self._kept.append((var, name, kept[var.ref()]))
        return kept[var.ref()]

    def _zeros_slot(self, var: TensorLike, slot_name: str, op_name: str) -> Any:
        return self._slot(var, slot_name, _filled(var, 0.0), op_name)

    def _get_or_make_slot(self, var: TensorLike, val: Any, slot_name: str, op_name: str) -> Any:
        return self._slot(var, slot_name, val, op_name)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Make what is kept."""
        for var in var_list:
            for name, label in self.slots:
                self._slot(var, name, _filled(var, self._first(name)), label)

    def _first(self, name: str) -> float:
        """Return the number that a slot begins with."""
        return 0.0

    # --- a step ----------------------------------------------------------------------------------------------------

    def minimize(
        self,
        loss: TensorLike | None,
        global_step: TensorLike | None = None,
        var_list: Sequence[Any] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:
        """Return the operation of one step: gradients of the loss, and their application. Eagerly ``loss`` is a function.

        Raises:
            ValueError: where there are no variables, or none has a gradient.
        """
        pairs = self.compute_gradients(loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss)
        if not any(g is not None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, between "
                f"variables {[str(v.name) for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(
        self,
        loss: TensorLike | None,
        var_list: Sequence[Any] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """Return pairs of a gradient, or None, and its variable: of ``var_list``, or of all that are trained.

        Raises:
            ValueError: where there are no variables, and for another ``gate_gradients``.
            RuntimeError: eagerly, for a loss that is no function.
        """
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH. "
                f"Not {gate_gradients}"
            )
        chosen = None if var_list is None else _listed(var_list)
        if callable(loss):
            with GradientTape() as tape:
                if chosen is not None:
                    tape.watch(chosen)
                value = loss()
            chosen = list(tape.watched_variables()) if chosen is None else chosen
            return list(zip(tape.gradient(value, chosen, grad_loss), chosen, strict=True))
        if state.graph is None:
            raise RuntimeError(
                "`loss` passed to Optimizer.compute_gradients should be a function when eager execution is enabled."
            )
        if chosen is None:
            chosen = trainable_variables()
        if not chosen:
            raise ValueError("No variables to optimize.")
        found = gradients(
            loss,
            chosen,
            grad_loss,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        return list(zip(found, chosen, strict=True))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]], global_step: Any = None, name: str | None = None) -> Any:
        """Return the operation that applies gradients, and then counts the step in ``global_step``.

        Raises:
            ValueError: where there are no variables, or none has a gradient.
            TypeError: for a gradient that is no tensor.
        """
        pairs = tuple(grads_and_vars)
        if not pairs:
            raise ValueError("No variables provided.")
        for g, v in pairs:
            if not (g is None or isinstance(g, Tensor | IndexedSlices) or hasattr(g, "dtype") or hasattr(g, "_as_tensor")):
                raise TypeError(f"Gradient must be a Tensor, IndexedSlices, or None: {g}")
            if not hasattr(v, "assign"):
                raise NotImplementedError(f"Trying to update a Tensor {v}")
        given = [(g, v) for g, v in pairs if g is not None]
        if not given:
            raise ValueError(f"No gradients provided for any variable: {[str(v.name) for _, v in pairs]}.")
        label = name or self._name
        self._create_slots([v for _, v in given])
        self._prepare()
        self._scalars: dict[Any, dict[str, Any]] = {}
        done = []
        for g, v in given:
            if isinstance(g, IndexedSlices):
                done.append(self._apply_sparse(g, v))
            else:
                done.append(self._apply_dense(convert(g) if isinstance(g, Tensor) else convert(g, v.dtype), v))
        done.append(self._finish(done, label))
        flat = [d for one in done if one is not None for d in (one if isinstance(one, list | tuple) else [one])]
        if global_step is not None:
            with control_dependencies([d for d in flat if not _eager(d)]):
                flat.append(global_step.assign_add(array.cast(1, global_step.dtype)))
        if state.graph is None:
            return None
        step = group(*[d for d in flat if not _eager(d)], name=label)
        graph = state.graph
        if not graph.building_function:
            graph.add_to_collection("train_op", step)
        return step

    def _prepare(self) -> None:
        """Make what all variables need of a step."""

    def _apply_sparse(self, grad: IndexedSlices, var: Array) -> Any:
        """Apply a gradient that some rows have: what is kept for the other rows stays as it is, as in TensorFlow."""
        if self.whole or type(self)._apply_dense is not Optimizer._apply_dense:
            return self._apply_dense(convert(grad), var)
        ones = array.ones_like(grad.indices, dtype="float32")
        touched = convert(IndexedSlices(ones, grad.indices, [var.shape[0]])) > 0.0
        touched = array.reshape(touched, [-1] + [1] * (len(var.shape) - 1))
        return self._assign(convert(grad), var, lambda new, old: array.where(touched, new, old))

    def _apply_dense(self, grad: TensorLike, var: Array) -> Any:
        """Apply a gradient to a variable, and return what does it."""
        return self._assign(grad, var, lambda new, old: new)

    def _assign(self, grad: TensorLike, var: Any, chosen: Callable[[Any, Any], Any]) -> Any:
        scalars = self._scalars.get(var.dtype)
        if scalars is None:
            scalars = self._scalars[var.dtype] = self.settings(lambda value: array.cast(_value(value), var.dtype))
        kept = [var, *[self._slots[name][var.ref()] for name, _ in self.slots]]
        old = [convert(v) for v in kept]
        new = self.rule(old[0], grad, *old[1:], **scalars)
        return [v.assign(chosen(b, a)) for v, a, b in zip(kept, old, new, strict=True)]

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Any:
        """Do what comes after all variables, and return what does it."""
        return None

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the keyword arguments of `rule`, converted by ``cast`` to the dtype of a variable."""
        raise NotImplementedError(f"{type(self).__name__} must override _apply_dense(grad, var).")

    def rule(self, *values: TensorLike, **settings: Any) -> tuple[Any, ...]:
        """Return the new value of a variable and of its slots."""
        raise NotImplementedError(f"{type(self).__name__} must override _apply_dense(grad, var).")


def _filled(var: Any, value: float) -> Any:
    return array.fill(tuple(var.shape), array.cast(value, var.dtype))


def _listed(var_list: Sequence[Any]) -> list[Any]:
    return nest.flatten(var_list)


def _value(given: Any) -> Any:
    """Return a hyperparameter, which may be a function without arguments."""
    return given() if callable(given) and not isinstance(given, Tensor) and not hasattr(given, "assign") else given


def _eager(element: TensorLike) -> bool:
    return isinstance(element, Variable) and element._graph is None


class GradientDescentOptimizer(Optimizer):
    """Gradient descent.

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> GradientDescentOptimizer(0.25).minimize(lambda: x * x)
    >>> float(x)
    2.0
    """

    def __init__(self, learning_rate: TensorLike, use_locking: bool = False, name: str = "GradientDescent") -> None:
        """Take the learning rate: a number, a tensor, or a function."""
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": cast(self._learning_rate)}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value."""
        return rules.descent(*values, **settings)


class MomentumOptimizer(Optimizer):
    """Gradient descent with momentum, in Nesterov's manner with ``use_nesterov``."""

    slots = (("momentum", "Momentum"),)

    def __init__(
        self,
        learning_rate: TensorLike,
        momentum: TensorLike,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate, self._momentum, self._use_nesterov = learning_rate, momentum, use_nesterov
        self.slots = (("momentum", name),)

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": cast(self._learning_rate), "decay": cast(self._momentum), "nesterov": self._use_nesterov}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and momentum."""
        return rules.momentum(*values, **settings)


class AdamOptimizer(Optimizer):
    """Averages of the gradients and of their squares: D. P. Kingma, J. Ba (2014).

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> AdamOptimizer(0.1).minimize(lambda: x * x)
    >>> round(float(x), 4)
    3.9
    """

    whole = True
    _nesterov = False

    def __init__(
        self,
        learning_rate: TensorLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: TensorLike = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        """Take the learning rate and the factors of the two averages: numbers, tensors, or functions."""
        super().__init__(use_locking, name)
        self._lr, self._beta1, self._beta2, self._epsilon = learning_rate, beta1, beta2, epsilon
        self.slots = (("m", name), ("v", name))

    def _get_beta_accumulators(self) -> tuple[Any, Any]:
        return self._get_non_slot_variable("beta1_power"), self._get_non_slot_variable("beta2_power")

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        self._create_non_slot_variable(_value(self._beta1), "beta1_power")
        self._create_non_slot_variable(_value(self._beta2), "beta2_power")
        super()._create_slots(var_list)

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        power1, power2 = self._get_beta_accumulators()
        rate = rules.corrected(cast(self._lr), cast(power1), cast(power2))
        beta1, beta2, epsilon = cast(self._beta1), cast(self._beta2), cast(self._epsilon)
        return {"rate": rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon, "nesterov": self._nesterov}

    def rule(self, *values: TensorLike, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.adam(*values, **settings)

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Any:
        power1, power2 = self._get_beta_accumulators()
        return [power1.assign(power1 * _value(self._beta1)), power2.assign(power2 * _value(self._beta2))]


class NadamOptimizer(AdamOptimizer):
    """`AdamOptimizer` with the step that Nesterov's manner looks ahead: ``tf.contrib.opt``'s."""

    _nesterov = True

    def __init__(
        self,
        learning_rate: TensorLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: TensorLike = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)


class AdaMaxOptimizer(AdamOptimizer):
    """`AdamOptimizer` with the maximum norm: ``tf.contrib.opt``'s."""

    whole = False

    def __init__(
        self,
        learning_rate: TensorLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: TensorLike = 1e-8,
        use_locking: bool = False,
        name: str = "AdaMax",
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        rate = cast(self._lr) / (1.0 - cast(self._get_beta_accumulators()[0]))
        return {"rate": rate, "beta1": cast(self._beta1), "beta2": cast(self._beta2), "epsilon": cast(self._epsilon)}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value, average and norm."""
        return rules.adamax(*values, **settings)


class RMSPropOptimizer(Optimizer):
    """Steps over the root of an average of the squared gradients."""

    def __init__(
        self,
        learning_rate: TensorLike,
        decay: float = 0.9,
        momentum: TensorLike = 0.0,
        epsilon: TensorLike = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        super().__init__(use_locking, name)
        self._learning_rate, self._decay, self._momentum, self._epsilon = learning_rate, decay, momentum, epsilon
        self._centered = centered
        self.slots = (("rms", name), *([("mg", name)] if centered else []), ("momentum", name))

    def _first(self, name: str) -> float:
        return 1.0 if name == "rms" else 0.0

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {
            "rate": cast(self._learning_rate), "rho": cast(self._decay), "epsilon": cast(self._epsilon),
            "decay": cast(self._momentum),
        }  # fmt: skip

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.rmsprop_centered(*values, **settings) if self._centered else rules.rmsprop(*values, **settings)


class AdagradOptimizer(Optimizer):
    """Steps over the root of the sum of the squared gradients."""

    def __init__(
        self, learning_rate: TensorLike, initial_accumulator_value: float = 0.1, use_locking: bool = False, name: str = "Adagrad"
    ) -> None:
        """Take the learning rate, and what the sums begin with.

        Raises:
            ValueError: unless that is positive.
        """
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate, self._initial_accumulator_value = learning_rate, initial_accumulator_value
        self.slots = (("accumulator", name),)

    def _first(self, name: str) -> float:
        return self._initial_accumulator_value

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": cast(self._learning_rate)}

    def rule(self, *values: TensorLike, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and sum."""
        return rules.adagrad(*values, **settings)


class AdadeltaOptimizer(Optimizer):
    """Steps in the units of the variable: M. D. Zeiler (2012)."""

    def __init__(
        self,
        learning_rate: TensorLike = 0.001,
        rho: float = 0.95,
        epsilon: TensorLike = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ) -> None:
        super().__init__(use_locking, name)
        self._lr, self._rho, self._epsilon = learning_rate, rho, epsilon
        self.slots = (("accum", name), ("accum_update", name))

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": cast(self._lr), "rho": cast(self._rho), "epsilon": cast(self._epsilon)}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.adadelta(*values, **settings)


class FtrlOptimizer(Optimizer):
    """Follow the regularised leader: H. B. McMahan et al. (2013)."""

    def __init__(
        self, learning_rate: TensorLike, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0, use_locking: bool = False,
        name: str = "Ftrl", accum_name: str | None = None, linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0, beta: float | None = None,
    ) -> None:  # fmt: skip
        """Take the learning rate, its power, and the strengths of the regularisations.

        Raises:
            ValueError: for a negative number, and a positive power.
        """
        super().__init__(use_locking, name)
        for label, number in (("initial_accumulator_value", initial_accumulator_value),
                              ("l1_regularization_strength", l1_regularization_strength),
                              ("l2_regularization_strength", l2_regularization_strength),
                              ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength)):  # fmt: skip
            if number < 0.0:
                raise ValueError(f"{label} {number} needs to be positive or zero")
        if learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power} needs to be negative or zero")
        self._learning_rate, self._power, self._start = learning_rate, learning_rate_power, initial_accumulator_value
        self._l1, self._l2, self._shrinkage = (
            l1_regularization_strength, l2_regularization_strength, l2_shrinkage_regularization_strength,
        )  # fmt: skip
        self._beta = beta or 0.0
        self.slots = (("accum", accum_name or name), ("linear", linear_name or name))

    def _first(self, name: str) -> float:
        return self._start if name == "accum" else 0.0

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        rate = cast(self._learning_rate)
        l2 = self._l2 + self._beta / (2.0 * rate) if self._beta else self._l2
        return {"rate": rate, "power": self._power, "l1": self._l1, "l2": l2, "shrinkage": self._shrinkage}

    def rule(self, *values: TensorLike, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and sums."""
        return rules.ftrl(*values, **settings)


class ProximalGradientDescentOptimizer(Optimizer):
    """Gradient descent with an l1 and an l2 penalty taken exactly: J. Duchi, Y. Singer (2009)."""

    def __init__(
        self, learning_rate: TensorLike, l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
        use_locking: bool = False, name: str = "ProximalGradientDescent",
    ) -> None:  # fmt: skip
        super().__init__(use_locking, name)
        self._learning_rate, self._l1, self._l2 = learning_rate, l1_regularization_strength, l2_regularization_strength

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": cast(self._learning_rate), "l1": self._l1, "l2": self._l2}

    def rule(self, *values: TensorLike, **settings: Any) -> tuple[Any, ...]:
        """Return the new value."""
        return rules.proximal(*values, **settings)


class ProximalAdagradOptimizer(AdagradOptimizer):
    """`AdagradOptimizer` with an l1 and an l2 penalty taken exactly."""

    def __init__(
        self, learning_rate: TensorLike, initial_accumulator_value: float = 0.1, l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0, use_locking: bool = False, name: str = "ProximalAdagrad",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, initial_accumulator_value, use_locking, name)
        self._l1, self._l2 = l1_regularization_strength, l2_regularization_strength

    def settings(self, cast: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": cast(self._learning_rate), "l1": self._l1, "l2": self._l2}

    def rule(self, *values: TensorLike, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and sum."""
        return rules.proximal_adagrad(*values, **settings)


class _Decoupled(Optimizer):
    """Weight decay beside an optimizer: a variable is made smaller by its product with ``weight_decay`` before the step."""

    def __init__(self, weight_decay: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._weight_decay = weight_decay
        self._decayed: set[Reference] | None = None

    def minimize(self, *arguments: Any, decay_var_list: Any = None, **keywords: Any) -> Any:
        """Return the operation of one step; ``decay_var_list``: the variables that decay, all otherwise."""
        self._decayed = None if decay_var_list is None else {v.ref() for v in decay_var_list}
        return super().minimize(*arguments, **keywords)

    def _assign(self, grad: TensorLike, var: Any, chosen: Callable[[Any, Any], Any]) -> Any:
        if self._decayed is not None and var.ref() not in self._decayed:
            return super()._assign(grad, var, chosen)
        first = var.assign(chosen(var - var * array.cast(_value(self._weight_decay), var.dtype), convert(var)))
        return [first, *super()._assign(grad, var, chosen)]


class AdamWOptimizer(_Decoupled, AdamOptimizer):
    """`AdamOptimizer` with weight decay beside it: ``tf.contrib.opt``'s."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: TensorLike = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: TensorLike = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
    ) -> None:
        super().__init__(
            weight_decay, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, use_locking=use_locking,
            name=name,
        )  # fmt: skip


class MomentumWOptimizer(_Decoupled, MomentumOptimizer):
    """`MomentumOptimizer` with weight decay beside it: ``tf.contrib.opt``'s."""

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: TensorLike,
        momentum: TensorLike,
        use_locking: bool = False,
        name: str = "MomentumW",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(
            weight_decay, learning_rate=learning_rate, momentum=momentum, use_locking=use_locking, name=name,
            use_nesterov=use_nesterov,
        )  # fmt: skip
