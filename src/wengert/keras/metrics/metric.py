"""`Metric`, and what most are: a mean of numbers, gathered over batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.keras import initializers, losses, masks, registry
from wengert.keras.configuration import standardize_dtype
from wengert.keras.losses.loss import tensor_of
from wengert.keras.variable import Variable
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["FunctionMetric", "Mean", "MeanMetricWrapper", "Metric", "Sum"]


class Metric(registry.Stated):
    """Gathers numbers: subclasses make variables by `add_variable`, and state ``update_state`` and ``result``."""

    def __init__(self, dtype: DtypeLike | None = None, name: str | None = None) -> None:
        """Take a dtype and a name."""
        self.name = name or registry.auto_name(registry.snake_case(type(self).__name__))
        self._dtype = standardize_dtype(dtype)
        self._variables: list[Any] = []

    @property
    def dtype(self) -> str:
        """The dtype of the variables."""
        return self._dtype

    def add_variable(
        self,
        shape: ShapeLike = (),
        initializer: str = "zeros",
        dtype: DtypeLike | None = None,
        name: str | None = None,
        **keywords: Any,
    ) -> Any:
        """Make a variable that the metric gathers in."""
        if isinstance(shape, str):  # Keras 2 has the name first
            shape, name = (), shape
        kind = self._dtype if dtype is None else standardize_dtype(dtype)
        label = name or f"variable_{len(self._variables)}"
        variable = Variable(
            initializers.get(initializer or "zeros"), shape=shape, dtype=kind, trainable=False, name=label,
            path=f"{self.name}/{label}".replace(" ", "_"),
        )  # fmt: skip
        self._variables.append(variable)
        return variable

    add_weight = add_variable

    @property
    def variables(self) -> list[Any]:
        """The variables."""
        return list(self._variables)

    non_trainable_variables = weights = variables

    def _trackable_children(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for variable in self._variables:
            label = name = str(variable._label)
            while name in found:
                name = f"{label}_{len(found)}"
            found[name] = variable
        return found

    def reset_state(self) -> None:
        """Begin anew."""
        for variable in self._variables:
            variable.assign(np.zeros(variable.sizes, variable.nptype))

    def reset_states(self) -> None:
        """Begin anew: the old name."""
        self.reset_state()

    def update_state(self, *arguments: Any, **keywords: Any) -> Any:
        """Gather."""
        raise NotImplementedError(f"{type(self).__name__}: update_state() is not stated.")

    def result(self) -> Any:
        """Return the number gathered."""
        raise NotImplementedError(f"{type(self).__name__}: result() is not stated.")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Gather, and return the number gathered."""
        self.update_state(*arguments, **keywords)
        result = self.result()
        if isinstance(result, Tensor):
            result._metric_obj = self
        return result

    def get_config(self) -> dict[str, Any]:
        """Return name and dtype."""
        return {"name": self.name, "dtype": self._dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _weighted(values: TensorLike, weights: TensorLike | None, dtype: str) -> tuple[Any, Any]:
    """Return values times weights, and the weights: one of each for a row, which is the mean over its other axes."""
    x = array.cast(tensor_of(values), dtype)
    if weights is None:
        x = _by_row(x)
        return x, array.ones_like(x)
    w = array.cast(tensor_of(weights), dtype)
    if x.sizes is not None and w.sizes is not None:
        if len(w.sizes) == len(x.sizes) + 1 and w.sizes[-1] == 1:
            w = array.squeeze(w, -1)
        if len(x.sizes) > len(w.sizes) and w.sizes:  # a weight for each row
            x = elementary.reduce_mean(x, axis=tuple(range(len(w.sizes), len(x.sizes))))
    w = array.broadcast_to(w, array.shape(x))
    return _by_row(x * w), _by_row(w)


def _by_row(values: Tensor) -> Any:
    if values.sizes is None or len(values.sizes) < 2:
        return values
    return elementary.reduce_mean(values, axis=tuple(range(1, len(values.sizes))))


class Sum(Metric):
    """The sum of all values.

    >>> total = Sum()
    >>> total.update_state([1.0, 2.0])
    >>> float(total.result())
    3.0
    """

    def __init__(self, name: str = "sum", dtype: DtypeLike | None = None) -> None:
        """Take a name and a dtype."""
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Add values."""
        self.total.assign_add(elementary.reduce_sum(_weighted(values, sample_weight, self._dtype)[0]))

    def result(self) -> Any:
        """Return the sum."""
        return self.total.read_value()


class Mean(Metric):
    """The mean of all values, weighted.

    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> float(mean.result())
    2.0
    """

    def __init__(self, name: str = "mean", dtype: DtypeLike | None = None) -> None:
        """Take a name and a dtype."""
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Add values."""
        if state.graph is None and sample_weight is None and isinstance(values, float | int):
            self.total.assign_add(float(values))
            self.count.assign_add(1.0)
            return
        values, weights = _weighted(values, sample_weight, self._dtype)
        self.total.assign_add(elementary.reduce_sum(values))
        self.count.assign_add(elementary.reduce_sum(weights))

    def result(self) -> Any:
        """Return the mean, 0 of nothing."""
        return elementary.divide_no_nan(self.total.read_value(), self.count.read_value())


class MeanMetricWrapper(Mean):
    """The mean of a function of (y_true, y_pred)."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: DtypeLike | None = None, **keywords: Any) -> None:
        """Take the function, and keyword arguments for it."""
        super().__init__(str(name or getattr(fn, "__name__", "metric")), dtype)
        self._fn, self._fn_kwargs = fn, keywords

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:  # type: ignore[override]
        """Add the function's values, of the rows that count."""
        mask = masks.mask_of(y_pred)
        if mask is not None:
            sample_weight = losses.counted(mask, sample_weight)
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return name, dtype and what the function is given."""
        return {**super().get_config(), **self._fn_kwargs}


class FunctionMetric(MeanMetricWrapper):
    """The mean of one of the functions."""

    function: ClassVar[Callable[..., Any]]
    label: ClassVar[str | None] = None

    def __init__(self, name: str | None = None, dtype: DtypeLike | None = None, **keywords: Any) -> None:
        """Take a name (the function's by default), a dtype, and keyword arguments for the function."""
        super().__init__(self.function, name or self.label, dtype, **keywords)
