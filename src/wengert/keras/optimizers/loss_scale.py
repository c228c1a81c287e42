"""Losses that are scaled so that the gradients of short floats are not lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.functions.program import group
from wengert.ground.context import state
from wengert.keras import registry
from wengert.keras.optimizers.optimizer import Optimizer
from wengert.keras.optimizers.state import Rate
from wengert.keras.optimizers.step import Gradient
from wengert.modes.control import cond
from wengert.modes.slices import IndexedSlices
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["LossScaleOptimizer"]


class LossScaleOptimizer(Optimizer):
    """Another optimizer, given gradients of a loss that `scale_loss` has scaled.

    Where a gradient is not finite, nothing moves and the scale is halved; after ``dynamic_growth_steps`` steps without that it is
    doubled: P. Micikevicius and others (2018), Mixed precision training.

    >>> import wengert as tf
    >>> from wengert.keras.optimizers import SGD
    >>> x, optimizer = tf.Variable(4.0), LossScaleOptimizer(SGD(0.25), initial_scale=8.0)
    >>> with tf.GradientTape() as tape:
    ...     loss = optimizer.scale_loss(x * x)
    >>> _ = optimizer.apply_gradients([(tape.gradient(loss, x), x)])
    >>> float(x)
    2.0
    """

    _label = None
    _arguments = ("initial_scale", "dynamic_growth_steps")

    def __init__(
        self, inner_optimizer: Optimizer, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000,
        name: str | None = None, **keywords: float | None,
    ) -> None:  # fmt: skip
        """Take the optimizer, the scale to begin with, and after how many steps it grows.

        Raises:
            ValueError: for clipping, weight decay and the like: they are the inner optimizer's.
        """
        for key, value in keywords.items():
            if value:
                raise ValueError(f"LossScaleOptimizer does not support `{key}`: give it to the `inner_optimizer` instead.")
        self.inner_optimizer = inner_optimizer
        super().__init__(0.0, name=name)
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        self._counter: Any = None
        self._scale: Any = None

    def _make_scale(self) -> None:
        if self._scale is None:
            self._counter = self.add_variable((), "zeros", "int64", name="step_counter")
            self._scale = self.add_variable((), float(self.initial_scale), "float32", name="dynamic_scale")

    @property
    def step_counter(self) -> Any:
        """How many steps were taken since the scale has changed."""
        self._make_scale()
        return self._counter

    @property
    def dynamic_scale(self) -> Any:
        """The scale."""
        self._make_scale()
        return self._scale

    loss_scale = dynamic_scale

    @property
    def iterations(self) -> Any:
        """How many steps the inner optimizer took."""
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        self.inner_optimizer.iterations = variable

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate; may be set."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Rate) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def variables(self) -> list[Any]:
        """Its own variables, and the inner optimizer's."""
        self._make_scale()
        return [*self._variables, *self.inner_optimizer.variables]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make what both keep."""
        given = list(variables)
        self._make_scale()
        self.inner_optimizer.build(given)
        super().build(given)

    def _trackable_children(self) -> dict[str, Any]:
        self._make_scale()
        return {**super()._trackable_children(), "inner_optimizer": self.inner_optimizer}

    def apply(self, grads: Sequence[Gradient], trainable_variables: Sequence[Variable] | None = None) -> Any:
        """Take one step, given the gradients of the scaled loss; return the counter of steps."""
        chosen = list(self.inner_optimizer._trainable if trainable_variables is None else trainable_variables)
        given: list[Any] = list(grads)
        if not self.built or any(v.ref() not in self._places for v in chosen):
            self.build(chosen)
        some = [array.cast(elementary.reduce_all(elementary.is_finite(_values(g))), "bool") for g in given if g is not None]
        finite = elementary.reduce_all(array.stack(some)) if some else convert(True)

        def step() -> Any:
            factor = 1.0 / self._scale
            self.inner_optimizer.apply([None if g is None else g * array.cast(factor, g.dtype) for g in given], chosen)
            grown = elementary.equal(self._counter, self.dynamic_growth_steps - 1)
            self._scale.assign(array.where(grown, self._scale * 2.0, self._scale))
            self._counter.assign(array.where(grown, array.zeros_like(self._counter), self._counter + 1))
            return convert(0)

        def skip() -> Any:
            self._counter.assign(array.zeros_like(self._counter))
            self._scale.assign(self._scale * 0.5)
            return convert(0)

        done = cond(finite, step, skip)
        graph = state.graph
        return self.iterations if graph is None or graph.building_function else group(done)

    def scale_loss(self, loss: Tensor) -> Any:
        """Return the loss times the scale; of a function, one that returns its values so."""
        if callable(loss):
            return _scaled(self, loss)
        loss = convert(loss)
        return loss * array.cast(self.dynamic_scale, loss.dtype)

    get_scaled_loss = scale_loss

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Let the inner optimizer set variables to their averages."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        return {
            "name": self.name, "inner_optimizer": registry.serialize(self.inner_optimizer), "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one from its arguments."""
        given, kinds = dict(config), {kind.__name__: kind for kind in _kinds(Optimizer)}
        inner = registry.Registry("optimizer", kinds).deserialize(given.pop("inner_optimizer"), custom_objects)
        return cls(inner, **given)


def _kinds(base: type[Optimizer]) -> Iterator[type[Optimizer]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _values(gradient: Gradient) -> TensorLike:
    return gradient.values if isinstance(gradient, IndexedSlices) else convert(gradient)


def _scaled(optimizer: LossScaleOptimizer, loss: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: optimizer.scale_loss(loss())
