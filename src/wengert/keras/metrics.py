"""``keras.metrics``: numbers that are gathered over batches.

A metric has variables, which a traced function may change. ``update_state`` gathers, ``result`` tells, ``reset_state`` begins
anew; a call gathers and tells.
"""

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
from wengert.keras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tensor_of,
)
from wengert.keras.variable import Variable
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CosineSimilarity",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "R2Score",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "Sum",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "serialize",
    "sparse_categorical_accuracy",
]


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
        return self.result()

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


class RootMeanSquaredError(Mean):
    """The root of the mean of (y_true - y_pred)²."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: DtypeLike | None = None) -> None:
        """Take a name and a dtype."""
        super().__init__(name, dtype)

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:  # type: ignore[override]
        """Add squared errors."""
        t, y = losses._pair(y_true, y_pred)
        super().update_state(elementary.square(y - t), sample_weight)

    def result(self) -> Any:
        """Return the root of the mean."""
        return elementary.sqrt(super().result())


class R2Score(Metric):
    """1 - sum((y_true - y_pred)²) / sum((y_true - mean)²), over all elements."""

    def __init__(self, name: str = "r2_score", dtype: DtypeLike | None = None, **keywords: Any) -> None:
        """Take a name and a dtype."""
        if keywords.get("class_aggregation", "uniform_average") != "uniform_average" or keywords.get("num_regressors"):
            raise NotImplementedError("R2Score: class_aggregation and num_regressors are not served.")
        super().__init__(dtype, name)
        self._sums = [self.add_variable((), "zeros", name=n) for n in ("squares", "sum", "residual", "count")]

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Add rows of one column."""
        t, y = losses._pair(y_true, y_pred)
        if t.sizes is not None and len(t.sizes) > 1 and t.sizes[-1] != 1:
            raise ValueError(f"R2Score: the rows must have one column, not shape {t.shape}.")
        ones = array.ones_like(t) if sample_weight is None else array.reshape(array.cast(sample_weight, t.dtype), array.shape(t))
        for variable, part in zip(self._sums, (t * t, t, elementary.square(t - y), array.ones_like(t)), strict=True):
            variable.assign_add(array.cast(elementary.reduce_sum(part * ones), variable.dtype))

    def result(self) -> Any:
        """Return the score."""
        squares, total, residual, count = (v.read_value() for v in self._sums)
        return 1.0 - elementary.divide_no_nan(residual, squares - elementary.divide_no_nan(total * total, count))


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 1 where both are equal."""
    t, y = losses._pair(y_true, y_pred)
    return array.cast(elementary.equal(t, y), standardize_dtype(None))


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Any:
    """Return 1 where y_pred is above the threshold just where y_true is 1."""
    t, y = losses._pair(y_true, y_pred)
    return array.cast(elementary.equal(t, array.cast(y > threshold, t.dtype)), standardize_dtype(None))


def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 1 where the greatest numbers of both stand in the same place."""
    t, y = tensor_of(y_true), tensor_of(y_pred)
    return array.cast(elementary.equal(elementary.argmax(t, -1), elementary.argmax(y, -1)), standardize_dtype(None))


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 1 where y_true is the place of y_pred's greatest number."""
    y = tensor_of(y_pred)
    t = array.cast(y_true, "int64")
    if t.sizes is not None and y.sizes is not None and len(t.sizes) == len(y.sizes):
        t = array.squeeze(t, -1)
    return array.cast(elementary.equal(t, elementary.argmax(y, -1)), standardize_dtype(None))


def _cosine(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """Return the cosine between y_true and y_pred: minus the loss."""
    return -cosine_similarity(y_true, y_pred, axis)


class _FunctionMetric(MeanMetricWrapper):
    """The mean of one of the functions."""

    function: ClassVar[Callable[..., Any]]
    label: ClassVar[str | None] = None

    def __init__(self, name: str | None = None, dtype: DtypeLike | None = None, **keywords: Any) -> None:
        """Take a name (the function's by default), a dtype, and keyword arguments for the function."""
        super().__init__(self.function, name or self.label, dtype, **keywords)


class MeanSquaredError(_FunctionMetric):
    """The mean of (y_true - y_pred)²."""

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_FunctionMetric):
    """The mean of |y_true - y_pred|."""

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_FunctionMetric):
    """100 times the mean of |y_true - y_pred| / |y_true|."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_FunctionMetric):
    """The mean of (log(1 + y_true) - log(1 + y_pred))²."""

    function = staticmethod(mean_squared_logarithmic_error)


class LogCoshError(_FunctionMetric):
    """The mean of log(cosh(y_pred - y_true))."""

    function, label = staticmethod(log_cosh), "logcosh"


class KLDivergence(_FunctionMetric):
    """The mean of the Kullback-Leibler divergence."""

    function = staticmethod(kl_divergence)


class Poisson(_FunctionMetric):
    """The mean of y_pred - y_true log(y_pred)."""

    function = staticmethod(poisson)


class Hinge(_FunctionMetric):
    """The mean of max(1 - y_true y_pred, 0)."""

    function = staticmethod(hinge)


class SquaredHinge(_FunctionMetric):
    """The mean of max(1 - y_true y_pred, 0)²."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(_FunctionMetric):
    """The mean of the categorical hinge loss."""

    function = staticmethod(categorical_hinge)


class CosineSimilarity(_FunctionMetric):
    """The mean cosine between y_true and y_pred."""

    function, label = staticmethod(_cosine), "cosine_similarity"


class BinaryCrossentropy(_FunctionMetric):
    """The mean binary cross entropy."""

    function = staticmethod(binary_crossentropy)


class CategoricalCrossentropy(_FunctionMetric):
    """The mean categorical cross entropy."""

    function = staticmethod(categorical_crossentropy)


class SparseCategoricalCrossentropy(_FunctionMetric):
    """The mean cross entropy of classes that are whole numbers."""

    function = staticmethod(sparse_categorical_crossentropy)


class Accuracy(_FunctionMetric):
    """How often both are equal."""

    function = staticmethod(accuracy)


class BinaryAccuracy(_FunctionMetric):
    """How often a threshold gives the label."""

    function = staticmethod(binary_accuracy)


class CategoricalAccuracy(_FunctionMetric):
    """How often the greatest numbers stand in one place."""

    function = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(_FunctionMetric):
    """How often the greatest number stands where the label says."""

    function = staticmethod(sparse_categorical_accuracy)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh, kld, KLD = log_cosh, kl_divergence, kl_divergence

_TABLE = {n: f for n, f in losses._TABLE.items() if not isinstance(f, type)}
_TABLE |= {n: globals()[n] for n in __all__ if n not in ("Metric", "get", "serialize", "deserialize")}
_TABLE |= {"Hinge": Hinge, "SquaredHinge": SquaredHinge, "CategoricalHinge": CategoricalHinge,
           "rmse": RootMeanSquaredError, "r2": R2Score}  # fmt: skip
_REGISTRY = registry.Registry("metric", _TABLE)
get, serialize, deserialize = _REGISTRY.get, _REGISTRY.serialize, _REGISTRY.deserialize
