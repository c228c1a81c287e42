"""What an optimizer keeps: the counter of steps, the learning rate, and numbers for each variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.keras.configuration import floatx
from wengert.keras.optimizers.schedules import LearningRateSchedule
from wengert.keras.variable import Variable
from wengert.modes import variable as states
from wengert.tensor.tensor import Reference, Tensor, TensorLike
from wengert.train.checkpoint import storage_of
from wengert.train.placing import place, ready

__all__ = ["Rate", "State"]

Rate = TensorLike | LearningRateSchedule | Callable[[], Any]
"""A learning rate: a number, a schedule, or a function without arguments."""


class State:
    """The variables of an optimizer, by name and by what they are kept for."""

    slots: tuple[str, ...] = ()
    """The names of what is kept for each variable."""
    name: str
    use_ema: bool
    gradient_accumulation_steps: int | None

    def _keep(self, learning_rate: Rate) -> None:
        """Begin with nothing but a learning rate."""
        self.built = False
        self._variables: list[Any] = []
        self._trainable: list[Any] = []
        self._places: dict[Reference, int] = {}
        self._slots: dict[str, list[Any]] = {}
        self._averages: list[Any] = []
        self._sums: list[Any] = []
        self._named: dict[str, Any] = {}
        """The variables that belong to no other one, by name."""
        self._kept: list[tuple[Any, str, Any]] = []
        """The variables that are kept for others, in the order in which they were made: (which, under what name, variable)."""
        self._iterations: Any = None
        self._rate: Any = _given_rate(learning_rate)

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

    def _track(self, variable: states.Variable, name: str) -> None:
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
    def iterations(self, variable: states.Variable) -> None:
        if self._iterations is not None:
            raise RuntimeError("Cannot set `iterations` to a new Variable after the Optimizer weights have been created.")
        self._iterations = variable
        self._track(variable, "iteration")
        self._make_rate()

    @property
    def learning_rate(self) -> Any:
        """The learning rate: the variable, or what the schedule or the function gives now; may be set."""
        self._begin()
        if isinstance(self._rate, LearningRateSchedule):
            return self._rate(self._iterations)
        return self._rate() if callable(self._rate) else self._rate

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        given = _given_rate(value)
        if isinstance(self._rate, Variable):
            if isinstance(given, float):
                self._rate.assign(given)
                return
            self._variables = [v for v in self._variables if v is not self._rate]
            del self._named["learning_rate"]
        elif isinstance(self._rate, LearningRateSchedule) and isinstance(given, float):
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor argument, "
                "hence its learning rate is not settable. If you need the learning rate to be settable, you should instantiate "
                "the optimizer with a float `learning_rate` argument."
            )
        self._rate = given

    @property
    def lr(self) -> Any:
        """Keras 2's name for the learning rate; where that is a schedule, the schedule itself, a function of the step."""
        return self._rate if isinstance(self._rate, LearningRateSchedule) else self.learning_rate

    @lr.setter
    def lr(self, value: Rate) -> None:
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

    def set_weights(self, weights: Sequence[TensorLike]) -> None:
        """Set the variables, or none of them.

        Raises:
            ValueError: unless there is one value of the right shape for each.
        """
        if len(weights) != len(self.variables):
            raise ValueError(
                f"{self.name} has {len(self.variables)} variables and {len(weights)} values were given; call build(variables) "
                "before, so that the slots are there."
            )
        place([ready(storage_of(v), np.array(value)) for v, value in zip(self._variables, weights, strict=True)])

    def _trackable_children(self) -> dict[str, Any]:
        self._begin()
        return dict(self._named)

    def _trackable_aliases(self) -> dict[str, Any]:
        """Return what TensorFlow's checkpoints have an optimizer hold besides."""
        return {"_variables": self._variables}

    def _trackable_slots(self) -> list[tuple[Any, str, Any]]:
        return self._kept

    def _by_place(self, sizes: Mapping[int, Sequence[int]]) -> dict[int, Any]:
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

    def build(self, variables: Iterable[states.Variable]) -> None:
        """Make the slots of variables that have none yet."""
        self._begin()
        for variable in variables:
            if variable.ref() in self._places:
                continue
            self._places[variable.ref()] = len(self._trainable)
            self._trainable.append(variable)
            for name in self.slots:
                self._slots.setdefault(name, []).append(self._slot(variable, name))
            if self.use_ema:
                self._averages.append(self.add_variable_from_reference(variable, "average"))
            if self.gradient_accumulation_steps:
                self._sums.append(self.add_variable_from_reference(variable, "gradient_accumulator"))
        self.built = True

    def _get_variable_index(self, variable: states.Variable) -> int:
        """Return the place of a variable among those that the optimizer was built with."""
        return self._places[variable.ref()]

    def _slot(self, variable: states.Variable, name: str) -> Any:
        """Return a new slot of a variable, None where it needs none of this name."""
        return self.add_variable_from_reference(variable, name, self._first(name))

    def _first(self, slot: str) -> Any:
        """Return the number that a slot begins with."""
        return 0.0

    def add_variable(
        self,
        shape: ShapeLike,
        initializer: str | Callable[..., Any] | TensorLike = "zeros",
        dtype: DtypeLike | None = None,
        aggregation: str | None = None,
        layout: str | None = None,
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
        self,
        reference_variable: states.Variable,
        name: str | None = None,
        initializer: str | Callable[..., Any] | TensorLike = "zeros",
        shape: Sequence[int] | None = None,
        **ignored: Any,
    ) -> Any:
        """Make a variable of the optimizer with the dtype and shape of another, unless one is given.

        ``initializer`` may be a number.
        """
        self._begin()
        label = re.sub(r"[/:]", "_", str(getattr(reference_variable, "path", reference_variable.name)).removesuffix(":0"))
        label = f"{label}_{name or 'slot'}"
        sizes, kind = tuple(reference_variable.shape if shape is None else shape), reference_variable.dtype
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


def _itself(value: TensorLike) -> TensorLike:
    return value


def _given_rate(value: Rate) -> Any:
    """Return a learning rate: a float, a variable, a schedule or a function."""
    if isinstance(value, LearningRateSchedule) or callable(value):
        return value
    if isinstance(value, Tensor) and not hasattr(value, "array"):
        return partial(_itself, value)  # a tensor of a graph
    if hasattr(value, "assign"):
        return partial(_itself, value)  # a variable of the program's own
    number: Any = value
    try:
        return float(number)
    except (TypeError, ValueError):
        raise ValueError(
            "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable (that takes in "
            f"the current iteration value and returns the corresponding learning rate value). Received instead: {value!r}"
        ) from None
