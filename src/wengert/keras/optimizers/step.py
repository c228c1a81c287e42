"""One step of an optimizer: from gradients to new values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.functions.program import control_dependencies, group
from wengert.ground.context import state
from wengert.keras.optimizers.state import State
from wengert.modes.control import cond
from wengert.modes.slices import IndexedSlices
from wengert.modes.tape import GradientTape
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Reference, Tensor, TensorLike, convert
from wengert.train.checkpoint import storage_of
from wengert.train.placing import place, ready

__all__ = ["Step"]

Variables = Variable | Sequence[Variable]
Gradient = TensorLike | IndexedSlices | None


class Step(State):
    """A step: gradients are scaled and clipped, variables shrink by the weight decay, move by the rule, and are averaged."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    rule: Callable[..., tuple[Any, ...]] | None = None
    """What gives the new value of a variable and of its slots: a rule of `wengert.train.rules`."""
    _decay: float
    _kept_whole: tuple[frozenset[Reference], tuple[str, ...]] = (frozenset(), ())
    """What the weight decay leaves out: variables, and patterns of names."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_settings"}  # which are those of one step

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave variables, or those whose names a pattern is found in, out of the weight decay.

        Raises:
            ValueError: once the optimizer is built.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        self._kept_whole = (frozenset(v.ref() for v in var_list or ()), tuple(var_names or ()))

    def minimize(
        self,
        loss: TensorLike | Callable[[], Any],
        var_list: Variables | Callable[[], Variables] | None = None,
        grad_loss: TensorLike | None = None,
        name: str | None = None,
        tape: GradientTape | None = None,
    ) -> Any:
        """Take one step: ``loss`` is a function without arguments, or a tensor together with the tape that recorded it.

        Raises:
            ValueError: for a tensor without a tape, and without variables.
        """
        target: Any = loss
        if callable(loss):
            with GradientTape() as tape:
                if var_list is not None and not callable(var_list):
                    tape.watch(list(_variables(var_list)))
                target = loss()
        elif tape is None:
            raise ValueError("`tape` is required when a `Tensor` loss is passed; or pass a function that returns the loss.")
        chosen = var_list() if callable(var_list) else var_list
        chosen = list(tape.watched_variables()) if chosen is None else list(_variables(chosen))
        gradients = tape.gradient(target, chosen, grad_loss)
        return self.apply_gradients(zip(gradients, chosen, strict=True))

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Gradient, Variable]], name: str | None = None, **ignored: Any
    ) -> Any:
        """Take one step, given pairs of a gradient and its variable; return the counter of steps.

        Raises:
            ValueError: where no variable has a gradient.
        """
        pairs = list(grads_and_vars)
        return self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, grads: Sequence[Gradient], trainable_variables: Sequence[Variable] | None = None) -> Any:
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
        if not self.built or any(v.ref() not in self._places for v in variables):
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
        sums = [self._sums[self._places[v.ref()]] for v in variables]
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
        whole, patterns = self._kept_whole
        for v in variables:
            decay = self._decay_of(v)
            if decay and v.ref() not in whole and not any(re.search(p, v.name) for p in patterns):
                done.append(v.assign(v - v * array.cast(rate, v.dtype) * decay))
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

    def _decay_of(self, variable: Variable) -> float | None:
        """Return the weight decay of a variable."""
        return self.weight_decay

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipnorm is not None:
            return [elementary.clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            return elementary.clip_by_global_norm(grads, self.global_clipnorm)[0]
        if self.clipvalue is not None:
            return [elementary.clip_by_value(g, -self.clipvalue, self.clipvalue) for g in grads]
        return grads

    def update_step(self, gradient: Tensor | IndexedSlices, variable: Variable, learning_rate: Tensor) -> Any:
        """Assign to a variable and its slots."""
        if self.rule is None:
            raise NotImplementedError(f"{type(self).__name__} must override update_step(gradient, variable, learning_rate).")
        kind = variable.dtype
        settings = self._settings.get(kind)
        if settings is None:
            step = array.cast(self._iterations + 1, kind)
            settings = self._settings[kind] = self.settings(array.cast(learning_rate, kind), step)
        slots = self._slots_of(variable)
        new = self.rule(convert(variable), gradient, *[convert(s) for s in slots], **settings)
        return [v.assign(value) for v, value in zip((variable, *slots), new, strict=True)]

    def _slots_of(self, variable: Variable) -> list[Any]:
        place = self._places[variable.ref()]
        return [found for name in self.slots if (found := self._slots[name][place]) is not None]

    def _after_step(self) -> list[Any]:
        """Assign to what is no slot."""
        return []

    def settings(self, rate: Tensor, step: Tensor) -> dict[str, Any]:
        """Return the keyword arguments of `rule` at a step, which counts from 1; both are scalars of the variable's dtype."""
        return {"rate": rate}

    def _average(self, variables: list[Any]) -> list[Any]:
        first = array.cast(elementary.not_equal(self._iterations, 0), "float32")
        done = []
        for v in variables:
            average = self._averages[self._places[v.ref()]]
            keep = self.ema_momentum * array.cast(first, v.dtype)
            done.append(average.assign(average * keep + v * (1.0 - keep)))
            if self.ema_overwrite_frequency:
                due = elementary.equal(elementary.floormod(self._iterations + 1, self.ema_overwrite_frequency), 0)
                done.append(v.assign(array.where(due, average, v)))
        return done

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Set variables to their averages, where those are kept and not set to them on the way."""
        if not self.use_ema:
            return
        averages = [self._averages[self._places[v.ref()]] for v in var_list]
        if state.graph is None:
            place([ready(storage_of(v), np.array(average)) for v, average in zip(var_list, averages, strict=True)])
        else:
            for v, average in zip(var_list, averages, strict=True):
                v.assign(average)

    def scale_loss(self, loss: Tensor) -> Any:
        """Return the loss times ``loss_scale_factor``, by which gradients are divided."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor


def _variables(given: Variables) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]
