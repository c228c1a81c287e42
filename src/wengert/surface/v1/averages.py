"""TensorFlow 1's ``tf.train.ExponentialMovingAverage``: averages of variables and tensors that forget."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from wengert.functions import array
from wengert.functions.math import minimum, pow
from wengert.functions.program import group, name_scope
from wengert.ground.context import state
from wengert.ground.errors import DTypeError, ShapeError
from wengert.ground.shapes import is_full
from wengert.modes.variable import Variable
from wengert.surface.v1.graphs import GraphKeys, add_to_collection
from wengert.surface.v1.variables import global_variables, moving_average_variables, trainable_variables
from wengert.tensor.tensor import TensorLike, convert


class ExponentialMovingAverage:
    """Keeps a shadow s of each of some variables, or tensors: s becomes decay · s + (1 - decay) · value at each update.

    With ``num_updates``, the number n of updates so far, the decay is at most (1 + n) / (10 + n).

    >>> import wengert as tf
    >>> v = tf.Variable(1.0)
    >>> average = ExponentialMovingAverage(0.75)
    >>> average.apply([v])
    >>> _ = v.assign(5.0)
    >>> average.apply([v])
    >>> average.average(v).numpy()
    np.float32(2.0)
    """

    def __init__(
        self, decay: float, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        self._decay, self._updates, self._debias, self._name = decay, num_updates, zero_debias, name
        self._averages: dict[Any, Variable] = {}
        self._biased: dict[Any, tuple[Variable, Variable]] = {}

    @property
    def name(self) -> str:
        """What the names of the shadows end in."""
        return self._name

    def apply(self, var_list: Sequence[Any] | None = None) -> Any:
        """Make the shadows that are missing; return an operation that updates all of the list, eagerly update them.

        Variables begin at their initial value, tensors at zero. By default: all trainable variables.

        Raises:
            TypeError: for what is not of a floating dtype.
            ValueError: for a tensor whose shape is not known.
        """
        values = trainable_variables() if var_list is None else list(var_list)
        for value in values:
            if not value.dtype.is_floating:
                raise DTypeError(f"The variables must be half, float, or double: {_title(value)} is {value.dtype.name}.")
            if value.ref() not in self._averages:
                self._averages[value.ref()] = self._shadow(value)
        with name_scope(self._name) as scope:
            decay: Any = self._decay
            if self._updates is not None:
                count = array.cast(convert(self._updates), "float32")
                decay = minimum(convert(float(self._decay)), (count + 1.0) / (count + 10.0))
            updates = [self._update(v, decay) for v in values]
            return group(*updates, name=scope) if state.graph is not None else None

    def _shadow(self, value: Any) -> Variable:
        with _top():
            if isinstance(value, Variable):
                start = value.initialized_value()
                add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, value)
                return Variable(start, trainable=False, name=f"{value._name}/{self._name}", dtype=value.dtype)
            if not is_full(value.sizes):
                raise ShapeError(f"ExponentialMovingAverage: the shape of {_title(value)} must be known, and is {value.shape}.")
            name = f"{_title(value).rpartition(':')[0]}/{self._name}"
            shadow = Variable(array.zeros(value.shape, value.dtype), trainable=False, name=name)
            if self._debias:
                biased = Variable(array.zeros(value.shape, value.dtype), trainable=False, name=f"{shadow._name}/biased")
                self._biased[value.ref()] = (
                    biased,
                    Variable(array.zeros([], value.dtype), trainable=False, name=f"{shadow._name}/local_step"),
                )
            return shadow

    def _update(self, value: Any, decay: Any) -> Any:
        shadow = self._averages[value.ref()]
        keep = array.cast(convert(decay), value.dtype)
        new = convert(value)
        pair = self._biased.get(value.ref())
        if pair is None:
            return shadow.assign_sub((convert(shadow) - new) * (1.0 - keep))
        biased, steps = pair
        total = biased.assign_sub((convert(biased) - new) * (1.0 - keep))
        count = steps.assign_add(array.ones([], value.dtype))
        return shadow.assign(convert(total) / (1.0 - pow(keep, convert(count))))

    def average(self, var: Any) -> Variable | None:
        """Return the shadow of a variable or tensor, None if there is none."""
        return self._averages.get(var.ref())

    def average_name(self, var: TensorLike) -> str:
        """Return the name of the shadow, or the one that it would get."""
        shadow = self.average(var)
        if shadow is not None:
            return str(shadow._name)
        wanted = f"{_title(var).rpartition(':')[0]}/{self._name}"
        return wanted if state.graph is None else str(state.graph.unique_name(wanted + "/", mark_as_used=False))

    def variables_to_restore(self, moving_avg_variables: Sequence[Any] | None = None) -> dict[str, Any]:
        """Return the variables under the names of their shadows, and all others under their own: for a `Saver`."""
        if moving_avg_variables is None:
            moving_avg_variables = [*trainable_variables(), *moving_average_variables()]
        averaged = {v.ref(): v for v in moving_avg_variables}
        names = {self.average_name(v): v for v in averaged.values()}
        for v in global_variables():
            if v.ref() not in averaged:
                names.setdefault(v._name, v)
        return names


def _title(value: Any) -> str:
    """Return the name of a variable or tensor."""
    return str(getattr(value, "name", None) or "tensor:0")


@contextlib.contextmanager
def _top() -> Iterator[None]:
    """Name variables in full."""
    graph = state.graph
    if graph is None:
        yield
        return
    before, graph.scope = graph.scope, ""
    try:
        yield
    finally:
        graph.scope = before
