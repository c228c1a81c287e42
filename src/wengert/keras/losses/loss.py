"""What is minimised, as functions of (y_true, y_pred) for each row, and as objects that join the rows.

A loss is computed in the dtype of y_pred: float64 predictions keep their digits, where Keras 3 casts them to `floatx`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from wengert.functions import array, linalg, nn
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.keras import masks, registry
from wengert.keras.configuration import epsilon, floatx
from wengert.tensor.tensor import Tensor, TensorLike, cast, convert, value_of

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Reduction",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]


def tensor_of(value: TensorLike) -> Tensor:
    """Return a value as a tensor of floats: a tensor's own dtype, else `floatx`."""
    value = value_of(value)
    t: Tensor = value if isinstance(value, Tensor) else array.convert_to_tensor(value)
    return t if t.nptype.kind == "f" else cast(t, as_dtype(floatx()).numpy)


def pair_of(y_true: TensorLike, y_pred: TensorLike, squeeze: bool = True) -> tuple[Any, Any]:
    """Return both in y_pred's dtype; a last axis of size 1 that one of them alone has is dropped, or given to a vector."""
    y = tensor_of(y_pred)
    y_true = value_of(y_true)
    t = y_true if isinstance(y_true, Tensor) else convert(y_true)
    t = cast(t, y.nptype)
    if squeeze and t.sizes is not None and y.sizes is not None and abs(len(t.sizes) - len(y.sizes)) == 1:
        if len(t.sizes) > len(y.sizes) and t.sizes[-1] == 1:
            return (t, array.expand_dims(y, -1)) if len(y.sizes) == 1 else (array.squeeze(t, -1), y)
        if len(y.sizes) > len(t.sizes) and y.sizes[-1] == 1:
            return (array.expand_dims(t, -1), y) if len(t.sizes) == 1 else (t, array.squeeze(y, -1))
    return t, y


def _mean(x: Tensor) -> Any:
    return elementary.reduce_mean(x, axis=-1) if x.sizes is None or x.sizes else x


# --- functions: one number for each row --------------------------------------------------------------------------------


def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of (y_true - y_pred)² over the last axis.

    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]]).numpy()
    array([2.], dtype=float32)
    """
    t, y = pair_of(y_true, y_pred)
    return _mean(elementary.square(t - y))


def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of |y_true - y_pred| over the last axis."""
    t, y = pair_of(y_true, y_pred)
    return _mean(elementary.abs(t - y))


def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return 100 times the mean of |y_true - y_pred| / max(|y_true|, epsilon) over the last axis."""
    t, y = pair_of(y_true, y_pred)
    return 100.0 * _mean(elementary.abs((t - y) / elementary.maximum(elementary.abs(t), epsilon())))


def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of (log(1 + y_true) - log(1 + y_pred))² over the last axis; negative numbers count as epsilon."""
    t, y = pair_of(y_true, y_pred)
    one, other = (elementary.log1p(elementary.maximum(v, epsilon())) for v in (t, y))
    return _mean(elementary.square(one - other))


def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Any:
    """Return the mean over the last axis of e² / 2 where |e| <= delta, else delta |e| - delta² / 2: Huber (1964)."""
    t, y = pair_of(y_true, y_pred)
    e = y - t
    size = elementary.abs(e)
    # The square is that of e itself: |e|² has no second derivative where e is 0.
    return _mean(array.where(size <= delta, 0.5 * elementary.square(e), delta * size - 0.5 * delta * delta))


def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of log(cosh(y_pred - y_true)) over the last axis, as e + log(1 + exp(-2 e)) - log 2."""
    t, y = pair_of(y_true, y_pred)
    e = y - t
    return _mean(e + elementary.softplus(-2.0 * e) - math.log(2.0))


def hinge(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of max(1 - y_true y_pred, 0); labels 0 and 1 count as -1 and 1."""
    t, y = pair_of(y_true, y_pred)
    return _mean(nn.relu(1.0 - _signed(t) * y))


def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of max(1 - y_true y_pred, 0)²; labels 0 and 1 count as -1 and 1."""
    t, y = pair_of(y_true, y_pred)
    return _mean(elementary.square(nn.relu(1.0 - _signed(t) * y)))


def _signed(t: Tensor) -> Any:
    binary = elementary.reduce_all(elementary.logical_or(elementary.equal(t, 0.0), elementary.equal(t, 1.0)))
    return array.where(binary, 2.0 * t - 1.0, t)


def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return max(1 + greatest y_pred of the wrong classes - y_pred of the right one, 0)."""
    t, y = pair_of(y_true, y_pred)
    right = elementary.reduce_sum(t * y, axis=-1)
    wrong = elementary.reduce_max((1.0 - t) * y, axis=-1)
    return elementary.maximum(wrong - right + 1.0, 0.0)


def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the sum of y_true log(y_true / y_pred) over the last axis, both kept within [epsilon, 1]."""
    t, y = (elementary.clip_by_value(v, epsilon(), 1.0) for v in pair_of(y_true, y_pred))
    return elementary.reduce_sum(t * elementary.log(t / y), axis=-1)


def poisson(y_true: TensorLike, y_pred: TensorLike) -> Any:
    """Return the mean of y_pred - y_true log(y_pred + epsilon)."""
    t, y = pair_of(y_true, y_pred)
    return _mean(y - t * elementary.log(y + epsilon()))


def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: int = -1) -> Any:
    """Return minus the sum of y_true y_pred along an axis, both scaled to norm 1 along it: least where they agree."""
    t, y = (linalg.l2_normalize(v, axis=axis) for v in pair_of(y_true, y_pred))
    return -elementary.reduce_sum(t * y, axis=axis)


def binary_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Return the mean of -(y_true log(y_pred) + (1 - y_true) log(1 - y_pred)) along an axis."""
    t, y = pair_of(y_true, y_pred)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        return elementary.reduce_mean(nn.sigmoid_cross_entropy_with_logits(labels=t, logits=y), axis=axis)
    y = elementary.clip_by_value(y, epsilon(), 1.0 - epsilon())
    return elementary.reduce_mean(-(t * elementary.log(y) + (1.0 - t) * elementary.log(1.0 - y)), axis=axis)


def categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Return the sum of -y_true log(y_pred) along an axis, y_pred scaled to sum 1 along it."""
    t, y = pair_of(y_true, y_pred, False)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.sizes[axis]
    if from_logits:
        return -elementary.reduce_sum(t * elementary.log_softmax(y, axis), axis=axis)
    y = y / elementary.reduce_sum(y, axis=axis, keepdims=True)
    return -elementary.reduce_sum(t * elementary.log(elementary.clip_by_value(y, epsilon(), 1.0 - epsilon())), axis=axis)


def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """Return the cross entropy of the classes that whole numbers name, 0 for ``ignore_class``, which does not count."""
    y = tensor_of(y_pred)
    t = array.cast(y_true, "int64")
    if t.sizes is not None and y.sizes is not None and len(t.sizes) == len(y.sizes) and t.sizes[axis] == 1:
        t = array.squeeze(t, axis)
    counts = None if ignore_class is None else elementary.not_equal(t, ignore_class)
    if counts is not None:
        t = array.where(counts, t, array.zeros_like(t))
    found = categorical_crossentropy(array.one_hot(t, y.sizes[axis], axis=axis, dtype=y.dtype), y, from_logits, axis=axis)
    if counts is None:
        return found
    return masks.attach(array.where(counts, found, array.zeros_like(found)), counts)


# --- objects: one number for all rows --------------------------------------------------------------------------------


class Reduction:
    """The names of how rows are joined, as Keras 2 had them."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")


def reduce(values: Tensor, weights: TensorLike | None, reduction: str) -> Any:
    """Return the losses of rows, times their weights, joined."""
    given: Any = None
    if weights is not None:
        given = cast(tensor_of(weights), values.nptype)
        rank = len(values.sizes) if values.sizes is not None else None
        wide = len(given.sizes) if given.sizes is not None else None
        if rank is not None and wide is not None:
            if wide == rank + 1 and given.sizes[-1] == 1:
                given = array.squeeze(given, -1)
            for _ in range(rank - wide if wide else 0):
                given = array.expand_dims(given, -1)
        values = values * given
    if reduction == "none":
        return values
    total = elementary.reduce_sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and given is not None:
        return elementary.divide_no_nan(total, elementary.reduce_sum(array.broadcast_to(given, array.shape(values))))
    return elementary.reduce_mean(values)


def counted(mask: Tensor, sample_weight: TensorLike | None) -> Any:
    """Return the weights of rows that a mask leaves: 0 for those that do not count."""
    weights = None if sample_weight is None else tensor_of(sample_weight)
    counts = array.cast(mask, floatx() if weights is None else weights.dtype)
    return counts if weights is None else weights * counts


class Loss(registry.Stated):
    """A function of (y_true, y_pred, sample_weight). Subclasses state ``call(y_true, y_pred)``, a number for each row.

    ``reduction``: "sum_over_batch_size" (the mean of all rows), "sum", "mean", "mean_with_sample_weight" or "none".
    """

    _arguments = ("name", "reduction")

    def __init__(self, name: str | None = None, reduction: str = "sum_over_batch_size", dtype: DtypeLike | None = None) -> None:
        """Take a name, the reduction, and a dtype to compute in.

        Raises:
            ValueError: for a reduction that there is not.
        """
        reduction = "sum_over_batch_size" if reduction == "auto" else "none" if reduction is None else reduction
        if reduction not in _REDUCTIONS:
            raise ValueError(f"Invalid `reduction`: {reduction!r}; there are {', '.join(_REDUCTIONS)}.")
        self.name = name or registry.snake_case(type(self).__name__)
        self.reduction, self._dtype = reduction, dtype

    @property
    def dtype(self) -> Any:
        """The dtype that it computes in; None: that of y_pred."""
        return self._dtype

    def __call__(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> Any:
        """Return the loss of all rows."""
        given = y_pred if self._dtype is None else array.cast(y_pred, self._dtype)
        values = self.call(y_true, given)
        values = values if isinstance(values, Tensor) else tensor_of(values)
        own, mask = masks.mask_of(values), masks.mask_of(y_pred)
        if own is not None:
            mask = own if mask is None else elementary.logical_and(mask, own)
        if mask is not None:
            sample_weight = counted(mask, sample_weight)
            if self.reduction in ("mean", "sum_over_batch_size"):  # of what counts
                ones = array.cast(mask, values.dtype)
                sample_weight = sample_weight * (
                    elementary.reduce_sum(array.ones_like(ones)) / (elementary.reduce_sum(ones) + epsilon())
                )
        return reduce(values, sample_weight, self.reduction)

    def call(self, y_true: TensorLike, y_pred: TensorLike) -> Any:
        """Return a loss for each row."""
        raise NotImplementedError("Must be implemented by subclasses.")


class LossFunctionWrapper(Loss):
    """A function of (y_true, y_pred) as a loss."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str = "sum_over_batch_size",
        name: str | None = None,
        dtype: DtypeLike | None = None,
        **keywords: Any,
    ) -> None:
        """Take the function, and keyword arguments for it."""
        super().__init__(name or getattr(fn, "__name__", "loss"), reduction, dtype)
        self.fn, self._fn_kwargs = fn, keywords

    def call(self, y_true: TensorLike, y_pred: TensorLike) -> Any:
        """Return the function's value."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return name, reduction and what the function is given."""
        return {**super().get_config(), **self._fn_kwargs}


class _FunctionLoss(LossFunctionWrapper):
    """One of the functions above as a loss."""

    function: ClassVar[Callable[..., Any]]

    def __init__(self, reduction: str = "sum_over_batch_size", name: str | None = None, dtype: DtypeLike | None = None) -> None:
        """Take reduction, name (the function's by default) and dtype."""
        super().__init__(self.function, reduction, name, dtype)


class MeanSquaredError(_FunctionLoss):
    """The mean of (y_true - y_pred)².

    >>> float(MeanSquaredError()([[0.0], [1.0]], [[1.0], [3.0]]))
    2.5
    """

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_FunctionLoss):
    """The mean of |y_true - y_pred|."""

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_FunctionLoss):
    """100 times the mean of |y_true - y_pred| / |y_true|."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_FunctionLoss):
    """The mean of (log(1 + y_true) - log(1 + y_pred))²."""

    function = staticmethod(mean_squared_logarithmic_error)


class LogCosh(_FunctionLoss):
    """The mean of log(cosh(y_pred - y_true))."""

    function = staticmethod(log_cosh)


class Hinge(_FunctionLoss):
    """The mean of max(1 - y_true y_pred, 0)."""

    function = staticmethod(hinge)


class SquaredHinge(_FunctionLoss):
    """The mean of max(1 - y_true y_pred, 0)²."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(_FunctionLoss):
    """max(1 + greatest y_pred of the wrong classes - y_pred of the right one, 0)."""

    function = staticmethod(categorical_hinge)


class KLDivergence(_FunctionLoss):
    """The sum of y_true log(y_true / y_pred)."""

    function = staticmethod(kl_divergence)


class Poisson(_FunctionLoss):
    """The mean of y_pred - y_true log(y_pred)."""

    function = staticmethod(poisson)


class Huber(LossFunctionWrapper):
    """e² / 2 where |e| <= delta, else delta |e| - delta² / 2."""

    def __init__(
        self, delta: float = 1.0, reduction: str = "sum_over_batch_size", name: str = "huber_loss", dtype: DtypeLike | None = None
    ) -> None:
        """Take delta, reduction, name and dtype."""
        super().__init__(huber, reduction, name, dtype, delta=delta)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine between y_true and y_pred along an axis."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: DtypeLike | None = None,
    ) -> None:
        """Take the axis, reduction, name and dtype."""
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """The cross entropy of labels 0 and 1."""

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, reduction: str = "sum_over_batch_size",
        name: str = "binary_crossentropy", dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the choices."""
        super().__init__(
            binary_crossentropy, reduction, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross entropy of classes given as rows with a 1 in them."""

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, reduction: str = "sum_over_batch_size",
        name: str = "categorical_crossentropy", dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the choices."""
        super().__init__(
            categorical_crossentropy, reduction, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross entropy of classes given as whole numbers."""

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, reduction: str = "sum_over_batch_size",
        axis: int = -1, name: str = "sparse_categorical_crossentropy", dtype: DtypeLike | None = None,
    ) -> None:  # fmt: skip
        """Take the choices."""
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis
        )
