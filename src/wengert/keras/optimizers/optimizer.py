"""``keras.optimizers``: first-order optimizers. Their formulas stand in `wengert.train.rules`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.functions.program import control_dependencies, group
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.ground.types import Array
from wengert.keras import registry
from wengert.keras.configuration import floatx
from wengert.keras.optimizers import schedules
from wengert.keras.variable import Variable
from wengert.modes.control import cond
from wengert.modes.slices import IndexedSlices
from wengert.modes.tape import GradientTape
from wengert.tensor.tensor import Tensor, TensorLike, convert
from wengert.train import rules

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "Optimizer", "RMSprop"]


class Optimizer:
    """What all optimizers have: a learning rate, clipping, weight decay, averages of the variables, and slots.

    One's own overrides `update_step`, which assigns to a variable, and `build`, which makes what that needs with
    `add_variable_from_reference`.

    Learning rates are a number, a schedule, or a function without arguments.
    """

    slots: tuple[str, ...] = ()
    """The names of what is kept for each variable."""

    def __init__(
        self, learning_rate: TensorLike = 0.001, weight_decay: float | None = None, clipnorm: float | None = None,
        clipvalue: float | None = None, global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and what is done to gradients and variables; also ``lr`` and ``decay``, of Keras 2.

        Raises:
            ValueError: for more than one kind of clipping, and for numbers out of range.
            TypeError: for an unknown argument.
        """
        self._decay = float(keywords.pop("decay", None) or 0.0)
        learning_rate = keywords.pop("lr", learning_rate)
        keywords.pop("is_legacy_optimizer", None)
        keywords.pop("jit_compile", None)
        if keywords:
            raise TypeError(f"{type(self).__name__}: unrecognized arguments: {', '.join(keywords)}.")
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        for label, value in (("clipnorm", clipnorm), ("clipvalue", clipvalue), ("global_clipnorm", global_clipnorm)):
            if value is not None and not value > 0:
                raise ValueError(f"{type(self).__name__}: {label} must be positive, not {value}.")
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}")
        for label, count in (("ema_overwrite_frequency", ema_overwrite_frequency),
                             ("gradient_accumulation_steps", gradient_accumulation_steps)):  # fmt: skip
            least = 1 if label[0] == "e" else 2
            if count is not None and not (isinstance(count, int) and count >= least):
                raise ValueError(f"`{label}` must be an integer >= {least} or None. Received: {count}")
        self.weight_decay, self.clipnorm, self.clipvalue, self.global_clipnorm = (
            weight_decay, clipnorm, clipvalue, global_clipnorm,
        )  # fmt: skip
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.loss_scale_factor, self.gradient_accumulation_steps = loss_scale_factor, gradient_accumulation_steps
        self.name = name or registry.auto_name(registry.snake_case(type(self).__name__))
        self.built = False
        self._variables: list[Any] = []
        self._trainable: list[Any] = []
        self._places: dict[int, int] = {}
        self._slots: dict[str, list[Any]] = {}
        self._averages: list[Any] = []
        self._sums: list[Any] = []
        self._kept_whole: tuple[set[int], list[str]] = (set(), [])
        self._named: dict[str, Any] = {}
        """The variables that belong to no other one, by name."""
        self._kept: list[tuple[Any, str, Any]] = []
        """The variables that are kept for others, in the order in which they were made: (which, under what name, variable)."""
        self._iterations: Any = None
        self._rate: Any = _given_rate(learning_rate)

    # --- state ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Make the counter of steps and the learning rate, when they are first needed: a graph may be built by then."""
        if self._iterations is not None:
            return
        self._iterations = Variable(np.int64(0), trainable=False, name="iteration", path=f"{self.name}/iteration")
        self._track(self._iterations, "iteration")
        self._make_rate()

    def _make_rate(self) -> None:
        if isinstance(self._rate, float):
            self._rate = Variable(
                self._rate, dtype=floatx(), trainable=False, name="learning_rate", path=f"{self.name}/learning_rate"
            )
            self._track(self._rate, "learning_rate")

    def _track(self, variable: Any, name: str) -> None:
        label, count = name, 1
        while name in self._named:
            name, count = f"{label}_{count}", count + 1
        self._named[name] = variable
        self._variables.append(variable)

    @property
    def iterations(self) -> Any:
        """How many steps were taken."""
        self._begin()
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Any) -> None:
        if self._iterations is not None:
            raise RuntimeError("Cannot set `iterations` to a new Variable after the Optimizer weights have been created.")
        self._iterations = variable
        self._track(variable, "iteration")
        self._make_rate()

    @property
    def learning_rate(self) -> Any:
        """The learning rate: the variable, or what the schedule or the function gives now; may be set."""
        self._begin()
        if isinstance(self._rate, schedules.LearningRateSchedule):
            return self._rate(self._iterations)
        return self._rate() if callable(self._rate) else self._rate

    @learning_rate.setter
    def learning_rate(self, value: TensorLike) -> None:
        given = _given_rate(value)
        if isinstance(self._rate, Variable):
            if isinstance(given, float):
                self._rate.assign(given)
                return
            self._variables = [v for v in self._variables if v is not self._rate]
            del self._named["learning_rate"]
        elif isinstance(self._rate, schedules.LearningRateSchedule) and isinstance(given, float):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor argument, "
                "hence its learning rate is not settable. If you need the learning rate to be settable, you should instantiate "
                "the optimizer with a float `learning_rate` argument."
            )
        self._rate = given

    @property
    def lr(self) -> Any:
        """Keras 2's name for the learning rate; where that is a schedule, the schedule itself, a function of the step."""
        return self._rate if isinstance(self._rate, schedules.LearningRateSchedule) else self.learning_rate

    @lr.setter
    def lr(self, value: TensorLike) -> None:
        self.learning_rate = value

    @property
    def variables(self) -> list[Any]:
        """The counter, the learning rate, and the slots."""
        self._begin()
        return list(self._variables)

    weights = variables

    def get_weights(self) -> list[Any]:
        """Return the values of the variables."""
        return [v.numpy() for v in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the variables.

        Raises:
            ValueError: unless there is one value of the right shape for each.
        """
        if len(weights) != len(self.variables):
            raise ValueError(
                f"{self.name} has {len(self.variables)} variables and {len(weights)} values were given; call build(variables) "
                "before, so that the slots are there."
            )
        for variable, value in zip(self._variables, weights, strict=True):
            variable.assign(value)

    def _trackable_children(self) -> dict[str, Any]:
        self._begin()
        return dict(self._named)

    def _trackable_slots(self) -> list[tuple[Any, str, Any]]:
        return self._kept

    def _by_place(self, sizes: Mapping[int, Any]) -> dict[int, Any]:
        """Return variables by the places that they had in a file which tells no more, with the shapes that it has for them.

        Only those that there is no doubt of: the counter and the learning rate, and the rest if there are as many, of these
        shapes, and no two variables that have slots are of one shape, which might stand in another order.
        """
        own = self.variables
        found = {i: v for i, v in enumerate(own[:2]) if v is self._iterations or v is self._rate}
        shapes = [tuple(v.shape) for v in self._trainable]
        if self.built and sorted(sizes) == list(range(len(own))) and len(set(shapes)) == len(shapes):
            if all(tuple(v.shape) == tuple(sizes[i]) for i, v in enumerate(own)):
                found = dict(enumerate(own))
        return {i: v for i, v in found.items() if i in sizes and tuple(v.shape) == tuple(sizes[i])}

    def build(self, variables: Iterable[Any]) -> None:
        """Make the slots of variables that have none yet."""
        self._begin()
        for variable in variables:
            if id(variable) in self._places:
                continue
            self._places[id(variable)] = len(self._trainable)
            self._trainable.append(variable)
            for name in self.slots:
                made = self.add_variable_from_reference(variable, name, self._first(name))
                self._slots.setdefault(name, []).append(made)
            if self.use_ema:
                self._averages.append(self.add_variable_from_reference(variable, "average"))
            if self.gradient_accumulation_steps:
                self._sums.append(self.add_variable_from_reference(variable, "gradient_accumulator"))
        self.built = True

    def _get_variable_index(self, variable: Any) -> int:
        """Return the place of a variable among those that the optimizer was built with."""
        return self._places[id(variable)]

    def _first(self, slot: str) -> Any:
        """Return the number that a slot begins with."""
        return 0.0

    def add_variable(
        self,
        shape: ShapeLike,
        initializer: str = "zeros",
        dtype: DtypeLike | None = None,
        aggregation: Any = None,
        layout: Any = None,
        name: str | None = None,
    ) -> Any:
        """Make a variable of the optimizer."""
        self._begin()
        variable = Variable(
            initializer, shape=shape, dtype=dtype, trainable=False, name=name, path=f"{self.name}/{name or 'variable'}"
        )
        self._track(variable, name or "variable")
        return variable

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: str = "zeros", **ignored: Any
    ) -> Any:
        """Make a variable of the optimizer with the shape and dtype of another; ``initializer`` may be a number."""
        self._begin()
        label = re.sub(r"[/:]", "_", str(getattr(reference_variable, "path", reference_variable.name)).removesuffix(":0"))
        label = f"{label}_{name or 'slot'}"
        sizes, kind = tuple(reference_variable.shape), reference_variable.dtype
        if isinstance(initializer, int | float):
            value: Any = array.fill(sizes, array.cast(initializer, kind))
            variable = Variable(value, trainable=False, name=label, path=f"{self.name}/{label}")
        else:
            variable = Variable(
                initializer, shape=sizes, dtype=kind.name, trainable=False, name=label, path=f"{self.name}/{label}"
            )
        self._variables.append(variable)
        slot, count = name or "slot", 1
        while any(v is reference_variable and kept == slot for v, kept, _ in self._kept[-8:]):
            slot, count = f"{name or 'slot'}_{count}", count + 1
        self._kept.append((reference_variable, slot, variable))
        return variable

    def exclude_from_weight_decay(self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None) -> None:
        """Leave variables, or those whose names a pattern is found in, out of the weight decay.

        Raises:
            ValueError: once the optimizer is built.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        self._kept_whole = ({id(v) for v in var_list or ()}, list(var_names or ()))

    # --- a step --------------------------------------------------------------------------------------------------

    def minimize(
        self,
        loss: TensorLike,
        var_list: Sequence[Any] | None = None,
        grad_loss: Any = None,
        name: str | None = None,
        tape: Any = None,
    ) -> Any:
        """Take one step: ``loss`` is a function without arguments, or a tensor together with the tape that recorded it.

        Raises:
            ValueError: for a tensor without a tape, and without variables.
        """
        if callable(loss):
            with GradientTape() as tape:
                if var_list is not None and not callable(var_list):
                    tape.watch(list(_variables(var_list)))
                loss = loss()
        elif tape is None:
            raise ValueError("`tape` is required when a `Tensor` loss is passed; or pass a function that returns the loss.")
        chosen = var_list() if callable(var_list) else var_list
        chosen = list(tape.watched_variables()) if chosen is None else list(_variables(chosen))
        gradients = tape.gradient(loss, chosen, grad_loss)
        return self.apply_gradients(zip(gradients, chosen, strict=True))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]], name: str | None = None, **ignored: Any) -> Any:
        """Take one step, given pairs of a gradient and its variable; return the counter of steps.

        Raises:
            ValueError: where no variable has a gradient.
        """
        pairs = list(grads_and_vars)
        return self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> Any:
        """Take one step, given the gradients of variables, those that the optimizer was built with otherwise.

        Raises:
            ValueError: where no variable has a gradient, or their numbers differ.
        """
        grads = list(grads)
        if trainable_variables is None:
            if not self.built:
                raise ValueError("When passing `grads` without `variables`, the optimizer must already be built.")
            trainable_variables = self._trainable
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"{len(grads)} gradients are given for {len(variables)} variables.")
        if not self.built or any(id(v) not in self._places for v in variables):
            self.build(variables)
        pairs = self._with_gradient(grads, variables)
        done: list[Any] = []
        given = [g / self.loss_scale_factor if self.loss_scale_factor else g for g, _ in pairs]
        chosen = [v for _, v in pairs]
        if self.gradient_accumulation_steps:
            done.append(self._accumulate(given, chosen, self.gradient_accumulation_steps))
        else:
            done += self._step(given, chosen)
        return self._count(done)

    def _count(self, done: list[Any]) -> Any:
        """Count a step; in a graph of TensorFlow 1 return the operation that waits for all of it."""
        graph = state.graph
        if graph is None or graph.building_function:
            self._iterations.assign_add(1)
            return self._iterations
        done = [d for d in done if d is not None]
        with control_dependencies(done):
            counted = self._iterations.assign_add(1)
        return group(counted, *done)

    def _with_gradient(self, grads: list[Any], variables: list[Any]) -> list[tuple[Any, Any]]:
        pairs, without = [], []
        for g, v in zip(grads, variables, strict=True):
            if g is None:
                without.append(v.name)
            else:
                g = convert(g) if isinstance(g, IndexedSlices | Tensor) else convert(g, v.dtype)
                pairs.append((g if g.dtype == v.dtype else array.cast(g, v.dtype), v))
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {', '.join(without) or 'no variables were given'}.")
        if without:
            warnings.warn(
                f"Gradients do not exist for variables {without} when minimizing the loss. If you're using `model.compile()`, "
                "did you forget to provide a `loss` argument?",
                stacklevel=4,
            )
        return pairs

    def _accumulate(self, grads: list[Any], variables: list[Any], steps: int) -> Any:
        sums = [self._sums[self._places[id(v)]] for v in variables]
        due = elementary.equal(elementary.floormod(self._iterations + 1, steps), 0)

        def update() -> Any:
            self._step([(g + s) / float(steps) for g, s in zip(grads, sums, strict=True)], variables)
            for s in sums:
                s.assign(array.zeros_like(s))
            return convert(0)

        def add() -> Any:
            for g, s in zip(grads, sums, strict=True):
                s.assign_add(g)
            return convert(0)

        return cond(due, update, add)

    def _step(self, grads: list[Any], variables: list[Any]) -> list[Any]:
        rate = self.learning_rate
        if self._decay:
            rate = rate / (1.0 + self._decay * array.cast(self._iterations, rate.dtype))
        grads = self._clipped(grads)
        done: list[Any] = []
        if self.weight_decay:
            whole, patterns = self._kept_whole
            for v in variables:
                if id(v) not in whole and not any(re.search(p, v.name) for p in patterns):
                    done.append(v.assign(v - v * array.cast(rate, v.dtype) * self.weight_decay))
        self._settings: dict[Any, dict[str, Any]] = {}
        for g, v in zip(grads, variables, strict=True):
            done += self.update_step(g, v, rate) or []
        done += self._after_step()
        if self.use_ema:
            done += self._average(variables)
        for v in variables:
            if v.constraint is not None:
                done.append(v.assign(v.constraint(v)))
        return done

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm is not None:
            return [elementary.clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            return elementary.clip_by_global_norm(grads, self.global_clipnorm)[0]
        if self.clipvalue is not None:
            return [elementary.clip_by_value(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def update_step(self, gradient: TensorLike, variable: Any, learning_rate: TensorLike) -> Any:
        """Assign to a variable and its slots."""
        kind = variable.dtype
        settings = self._settings.get(kind)
        if settings is None:
            step = array.cast(self._iterations + 1, kind)
            settings = self._settings[kind] = self.settings(array.cast(learning_rate, kind), step)
        place = self._places[id(variable)]
        slots = [self._slots[name][place] for name in self.slots]
        new = self.rule(convert(variable), gradient, *[convert(s) for s in slots], **settings)
        return [v.assign(value) for v, value in zip((variable, *slots), new, strict=True)]

    def _after_step(self) -> list[Any]:
        """Assign to what is no slot."""
        return []

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the keyword arguments of `rule` at a step, which counts from 1; both are scalars of the variable's dtype."""
        return {"rate": rate}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value of a variable and of its slots."""
        raise NotImplementedError(f"{type(self).__name__} must override update_step(gradient, variable, learning_rate).")

    def _average(self, variables: list[Any]) -> list[Any]:
        first = array.cast(elementary.not_equal(self._iterations, 0), "float32")
        done = []
        for v in variables:
            average = self._averages[self._places[id(v)]]
            keep = self.ema_momentum * array.cast(first, v.dtype)
            done.append(average.assign(average * keep + v * (1.0 - keep)))
            if self.ema_overwrite_frequency:
                due = elementary.equal(elementary.floormod(self._iterations + 1, self.ema_overwrite_frequency), 0)
                done.append(v.assign(array.where(due, average, v)))
        return done

    def finalize_variable_values(self, var_list: Sequence[Any]) -> None:
        """Set variables to their averages, where those are kept and not set to them on the way."""
        if self.use_ema:
            for v in var_list:
                v.assign(self._averages[self._places[id(v)]])

    def scale_loss(self, loss: Array) -> Any:
        """Return the loss times ``loss_scale_factor``, by which gradients are divided."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # --- configuration -------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        rate = self._rate
        if isinstance(rate, Variable):
            rate = float(np.asarray(rate.array))
        elif isinstance(rate, schedules.LearningRateSchedule):
            rate = schedules.serialize(rate)
        common = ("name weight_decay clipnorm global_clipnorm clipvalue use_ema ema_momentum ema_overwrite_frequency "
                  "loss_scale_factor gradient_accumulation_steps").split()  # fmt: skip
        return {"learning_rate": rate, **{n: getattr(self, n) for n in common}, **{n: getattr(self, n) for n in self.own}}

    own: tuple[str, ...] = ()
    """The names of an optimizer's own arguments."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one from its arguments."""
        given = dict(config)
        if isinstance(given.get("learning_rate"), Mapping):
            given["learning_rate"] = schedules.deserialize(given["learning_rate"], custom_objects)
        return cls(**given)


def _given_rate(value: Any) -> Any:
    """Return a learning rate: a float, a variable, a schedule or a function."""
    if isinstance(value, schedules.LearningRateSchedule) or callable(value):
        return value
    if isinstance(value, Tensor) and not hasattr(value, "array"):
        return lambda: value  # a tensor of a graph
    if hasattr(value, "assign"):
        return lambda: value  # a variable of the program's own
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(
            "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable (that takes in "
            f"the current iteration value and returns the corresponding learning rate value). Received instead: {value!r}"
        ) from None


def _variables(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


class SGD(Optimizer):
    """Gradient descent, with ``momentum`` and ``nesterov`` if asked for.

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = SGD(0.25).minimize(lambda: x * x, [x])
    >>> float(x)
    2.0
    """

    own = ("momentum", "nesterov")

    def __init__(
        self, learning_rate: TensorLike = 0.01, momentum: float = 0.0, nesterov: bool = False, weight_decay: float | None = None,
        clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None, name: str | None = "SGD",
        **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the momentum.

        Raises:
            ValueError: unless the momentum is in [0, 1].
        """
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        if not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum}")
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = ("momentum",) if momentum else ()

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "decay": self.momentum, "nesterov": self.nesterov} if self.momentum else {"rate": rate}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and momentum."""
        return rules.velocity(*values, **settings) if self.momentum else rules.descent(*values, **settings)


class RMSprop(Optimizer):
    """Steps over the root of an average of the squared gradients.

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = RMSprop(0.1).minimize(lambda: x * x, [x])
    >>> round(float(x), 3)
    3.684
    """

    own = ("rho", "momentum", "epsilon", "centered")

    def __init__(
        self, learning_rate: TensorLike = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
        centered: bool = False, weight_decay: float | None = None, clipnorm: float | None = None,
        clipvalue: float | None = None, global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = "rmsprop", **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate, the factor of the average, and the momentum."""
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self.slots = ("velocity", *(["average"] if centered else []), *(["momentum"] if momentum else []))

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "rho": self.rho, "epsilon": self.epsilon, "decay": self.momentum}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.rmsprop_centered(*values, **settings) if self.centered else rules.rmsprop(*values, **settings)


class Adam(Optimizer):
    """Averages of the gradients and of their squares: D. P. Kingma, J. Ba (2014).

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = Adam(0.1).minimize(lambda: x * x, [x])
    >>> round(float(x), 4)
    3.9
    """

    own = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self, learning_rate: TensorLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        amsgrad: bool = False, weight_decay: float | None = None, clipnorm: float | None = None, clipvalue: float | None = None,
        global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = "adam", **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the factors of the two averages."""
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, 1e-7 if epsilon is None else epsilon, amsgrad
        self.slots = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        rate = rules.corrected(rate, _power(self.beta_1, step), _power(self.beta_2, step))
        return {"rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.amsgrad(*values, **settings) if self.amsgrad else rules.adam(*values, **settings)


class AdamW(Adam):
    """`Adam` with weight decay beside it: I. Loshchilov, F. Hutter (2017).

    >>> import wengert as tf
    >>> x = tf.Variable(4.0)
    >>> _ = AdamW(0.1, weight_decay=0.5).minimize(lambda: x * x, [x])
    >>> round(float(x), 4)
    3.7
    """

    def __init__(
        self, learning_rate: TensorLike = 0.001, weight_decay: float | None = 0.004, beta_1: float = 0.9, beta_2: float = 0.999,
        epsilon: float = 1e-7, amsgrad: bool = False, clipnorm: float | None = None, clipvalue: float | None = None,
        global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = "adamw", **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the weight decay.

        Raises:
            ValueError: without a weight decay.
        """
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        if self.weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")


class Adadelta(Optimizer):
    """Steps in the units of the variable: M. D. Zeiler (2012)."""

    own = ("rho", "epsilon")
    slots = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self, learning_rate: TensorLike = 0.001, rho: float = 0.95, epsilon: float = 1e-7, weight_decay: float | None = None,
        clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None, name: str | None = "adadelta",
        **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the factor of the averages."""
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.rho, self.epsilon = rho, epsilon

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "rho": self.rho, "epsilon": self.epsilon}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.adadelta(*values, **settings)


class Adagrad(Optimizer):
    """Steps over the root of the sum of the squared gradients: J. Duchi, E. Hazan, Y. Singer (2011)."""

    own = ("initial_accumulator_value", "epsilon")
    slots = ("accumulator",)

    def __init__(
        self, learning_rate: TensorLike = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7,
        weight_decay: float | None = None, clipnorm: float | None = None, clipvalue: float | None = None,
        global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = "adagrad", **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and what the sums begin with."""
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def _first(self, slot: str) -> Any:
        return self.initial_accumulator_value

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "epsilon": self.epsilon}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and sum."""
        return rules.adagrad(*values, **settings)


class Adamax(Optimizer):
    """`Adam` with the maximum norm."""

    own = ("beta_1", "beta_2", "epsilon")
    slots = ("momentum", "norm")

    def __init__(
        self, learning_rate: TensorLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        weight_decay: float | None = None, clipnorm: float | None = None, clipvalue: float | None = None,
        global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = "adamax", **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the factors of the average and of the norm."""
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        rate = rate / (1.0 - _power(self.beta_1, step))
        return {"rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value, average and norm."""
        return rules.adamax(*values, **settings)


class Nadam(Optimizer):
    """`Adam` with Nesterov's momentum: T. Dozat (2016)."""

    own = ("beta_1", "beta_2", "epsilon")
    slots = ("momentum", "velocity")

    def __init__(
        self, learning_rate: TensorLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
        weight_decay: float | None = None, clipnorm: float | None = None, clipvalue: float | None = None,
        global_clipnorm: float | None = None, use_ema: bool = False, ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None, name: str | None = "nadam", **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the factors of the two averages."""
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._product: Any = None

    def build(self, variables: Iterable[Any]) -> None:
        """Make the slots, and the product of all momenta so far."""
        if self._product is None:
            self._product = self.add_variable((), "ones", floatx(), name="momentum_product")
        super().build(variables)

    def _momentum(self, step: Array | None) -> Any:
        return self.beta_1 * (1.0 - 0.5 * _power(0.96, step))

    def settings(self, rate: Any, step: Any) -> dict[str, Any]:
        """Return the arguments of the rule."""
        now, ahead = self._momentum(step), self._momentum(step + 1.0)
        return {
            "rate": rate, "beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon, "now": now, "ahead": ahead,
            "product": array.cast(self._product, step.dtype) * now, "power2": _power(self.beta_2, step),
        }  # fmt: skip

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and averages."""
        return rules.nadam(*values, **settings)

    def _after_step(self) -> list[Any]:
        step = array.cast(self._iterations + 1, self._product.dtype)
        return [self._product.assign(self._product * self._momentum(step))]


class Ftrl(Optimizer):
    """Follow the regularised leader: H. B. McMahan et al. (2013)."""

    own = ("learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
           "l2_shrinkage_regularization_strength", "beta")  # fmt: skip
    slots = ("accumulator", "linear")

    def __init__(
        self, learning_rate: TensorLike = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0, beta: float = 0.0, weight_decay: float | None = None,
        clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None, name: str | None = "ftrl",
        **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate, its power, and the strengths of the regularisations.

        Raises:
            ValueError: for a negative number, and a positive power.
        """
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength, self.l2_regularization_strength = l1_regularization_strength, l2_regularization_strength
        self.l2_shrinkage_regularization_strength, self.beta = l2_shrinkage_regularization_strength, beta
        for label in self.own[1:5]:
            if getattr(self, label) < 0:
                raise ValueError(f"`{label}` needs to be positive or zero. Received: {label}={getattr(self, label)}.")
        if learning_rate_power > 0:
            raise ValueError(f"`learning_rate_power` needs to be negative or zero. Received: {learning_rate_power}.")

    def _first(self, slot: str) -> Any:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def settings(self, rate: Any, step: Any) -> dict[str, Any]:
        """Return the arguments of the rule."""
        l2 = self.l2_regularization_strength + self.beta / (2.0 * rate) if self.beta else self.l2_regularization_strength
        return {
            "rate": rate, "power": self.learning_rate_power, "l1": self.l1_regularization_strength, "l2": l2,
            "shrinkage": self.l2_shrinkage_regularization_strength,
        }  # fmt: skip

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and sums."""
        return rules.ftrl(*values, **settings)


class Lion(Optimizer):
    """Steps of one size, in the direction of an average's signs: X. Chen et al. (2023)."""

    own = ("beta_1", "beta_2")
    slots = ("momentum",)

    def __init__(
        self, learning_rate: TensorLike = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, weight_decay: float | None = None,
        clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
        use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None, name: str | None = "lion",
        **keywords: Any,
    ) -> None:  # fmt: skip
        """Take the learning rate and the factors of the averages.

        Raises:
            ValueError: for a beta_1 outside of (0, 1].
        """
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps, name, **keywords,
        )  # fmt: skip
        if not 0 < beta_1 <= 1:
            raise ValueError(
                f"Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates. Received: {beta_1}."
            )
        self.beta_1, self.beta_2 = beta_1, beta_2

    def settings(self, rate: TensorLike, step: TensorLike) -> dict[str, Any]:
        """Return the arguments of the rule."""
        return {"rate": rate, "beta1": self.beta_1, "beta2": self.beta_2}

    def rule(self, *values: Any, **settings: Any) -> tuple[Any, ...]:
        """Return the new value and average."""
        return rules.lion(*values, **settings)


def _power(base: float, step: Any) -> Any:
    return elementary.pow(array.cast(base, step.dtype), step)
