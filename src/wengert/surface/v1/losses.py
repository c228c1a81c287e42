"""TensorFlow 1's ``tf.losses``: weighted means over all elements, each noted in the collection of losses."""

from __future__ import annotations

from typing import Any

from wengert.functions import array, math, nn
from wengert.functions.program import name_scope
from wengert.ground.context import state
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import fits, text
from wengert.surface.v1.graphs import GraphKeys, add_to_collection, get_collection
from wengert.tensor.tensor import TensorLike, convert

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "get_losses",
    "get_regularization_loss",
    "get_regularization_losses",
    "get_total_loss",
    "huber_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


class Reduction:
    """How the losses of elements become one."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = SUM_OVER_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Return all of them."""
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_OVER_NONZERO_WEIGHTS, cls.SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key: str) -> None:
        """Accept one of them.

        Raises:
            ValueError: for anything else.
        """
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}; there are {', '.join(dict.fromkeys(cls.all()))}.")


_MEAN = Reduction.SUM_BY_NONZERO_WEIGHTS


def add_loss(loss: TensorLike, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Note a loss in a collection; eagerly nothing is noted."""
    if loss_collection and state.graph is not None:
        add_to_collection(loss_collection, loss)


def compute_weighted_loss(
    losses: Any,
    weights: TensorLike = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _MEAN,
) -> Any:
    """Return losses times weights, added up and divided as the reduction says: by default by the number of weights not 0.

    Raises:
        ValueError: for another reduction.
    """
    Reduction.validate(reduction)
    with name_scope(scope or "weighted_loss"):
        each = convert(losses)
        heavy = convert(weights, each.dtype) if not hasattr(weights, "dtype") else array.cast(convert(weights), each.dtype)
        total = each * heavy
        if reduction != Reduction.NONE:
            total = math.reduce_sum(total)
            share = _share(each, heavy, reduction)
            if share is not None:
                total = math.divide_no_nan(total, share)
    add_loss(total, loss_collection)
    return total


def _share(losses: Any, weights: TensorLike, reduction: str) -> Any:
    """Return what a sum is divided by."""
    if reduction == Reduction.SUM:
        return None
    ones = array.ones_like(losses)
    if reduction == Reduction.MEAN:
        return math.reduce_sum(ones * weights)
    if reduction == Reduction.SUM_OVER_BATCH_SIZE:
        return math.reduce_sum(ones)
    return math.reduce_sum(array.cast(math.not_equal(weights, 0.0), losses.dtype) * ones)


def _pair(who: str, labels: TensorLike, predictions: TensorLike) -> tuple[Any, Any]:
    """Return labels and predictions as tensors of one dtype and shape."""
    for name, value in (("labels", labels), ("predictions", predictions)):
        if value is None:
            raise ValueError(f"{who}: {name} must not be None.")
    guess = convert(predictions)
    truth = array.cast(convert(labels), guess.dtype)
    if not fits(guess.sizes, truth.sizes):
        raise ShapeError(f"{who}: Shapes {text(guess.sizes)} of predictions and {text(truth.sizes)} of labels are incompatible.")
    return truth, guess


def mean_pairwise_squared_error(
    labels: TensorLike,
    predictions: TensorLike,
    weights: TensorLike = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
) -> Any:
    """Return for each example the mean of ((pᵢ - pⱼ) - (lᵢ - lⱼ))² over pairs of its elements, times weights, added up.

    With d = p - l and n elements: (2 / (n - 1)) Σ d² - (2 / (n (n - 1))) (Σ d)². Elements of weight 0 are not counted.
    """
    truth, guess = _pair("mean_pairwise_squared_error", labels, predictions)
    with name_scope(scope or "mean_pairwise_squared_error"):
        d = guess - truth
        heavy = array.cast(convert(weights), d.dtype)
        axes = list(range(1, d.ndim))
        n = math.reduce_sum(array.cast(math.not_equal(heavy, 0.0), d.dtype) * array.ones_like(d), axes, True)
        squares, total = math.reduce_sum(d * d, axes, True), math.reduce_sum(d, axes, True)
        pairs = math.divide_no_nan(squares, math.maximum(n - 1.0, 0.0))
        pairs = pairs - math.divide_no_nan(total * total, math.maximum(n * (n - 1.0), 0.0))
        loss = math.reduce_sum(2.0 * pairs * heavy)
    add_loss(loss, loss_collection)
    return loss


def mean_squared_error(
    labels: TensorLike,
    predictions: TensorLike,
    weights: TensorLike = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _MEAN,
) -> Any:
    """Return the mean of (predictions - labels)².

    >>> mean_squared_error([1.0, 2.0], [3.0, 2.0]).numpy()
    np.float32(2.0)

    Raises:
        ValueError: if the shapes differ.
    """
    truth, guess = _pair("mean_squared_error", labels, predictions)
    with name_scope(scope or "mean_squared_error"):
        return compute_weighted_loss(math.squared_difference(guess, truth), weights, None, loss_collection, reduction)


def absolute_difference(
    labels: TensorLike,
    predictions: TensorLike,
    weights: TensorLike = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _MEAN,
) -> Any:
    """Return the mean of |predictions - labels|."""
    truth, guess = _pair("absolute_difference", labels, predictions)
    with name_scope(scope or "absolute_difference"):
        return compute_weighted_loss(math.abs(guess - truth), weights, None, loss_collection, reduction)


def huber_loss(
    labels: TensorLike, predictions: TensorLike, weights: TensorLike = 1.0, delta: float = 1.0, scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES, reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """Return the mean of e² / 2 where e = |predictions - labels| ≤ delta, of delta e - delta² / 2 beyond."""
    truth, guess = _pair("huber_loss", labels, predictions)
    with name_scope(scope or "huber_loss"):
        off = guess - truth
        error = math.abs(off)
        each = array.where(error <= delta, 0.5 * math.square(off), delta * error - 0.5 * delta * delta)
        return compute_weighted_loss(each, weights, None, loss_collection, reduction)


def log_loss(
    labels: TensorLike, predictions: TensorLike, weights: TensorLike = 1.0, epsilon: float = 1e-7, scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES, reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """Return the mean of -labels log(p + epsilon) - (1 - labels) log(1 - p + epsilon)."""
    truth, guess = _pair("log_loss", labels, predictions)
    with name_scope(scope or "log_loss"):
        each = -truth * math.log(guess + epsilon) - (1.0 - truth) * math.log(1.0 - guess + epsilon)
        return compute_weighted_loss(each, weights, None, loss_collection, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any, logits: TensorLike, weights: TensorLike = 1.0, label_smoothing: float = 0, scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES, reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """Return the mean of the cross entropy of probabilities sigmoid(logits); smoothing moves labels toward 1/2."""
    truth, guess = _pair("sigmoid_cross_entropy", multi_class_labels, logits)
    with name_scope(scope or "sigmoid_cross_entropy_loss"):
        if label_smoothing > 0:
            truth = truth * (1.0 - label_smoothing) + 0.5 * label_smoothing
        each = nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=guess)
        return compute_weighted_loss(each, weights, None, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any, logits: TensorLike, weights: TensorLike = 1.0, label_smoothing: float = 0, scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES, reduction: str = _MEAN,
) -> Any:  # fmt: skip
    """Return the mean of the cross entropy of probabilities softmax(logits); smoothing moves labels toward equal ones."""
    truth, guess = _pair("softmax_cross_entropy", onehot_labels, logits)
    with name_scope(scope or "softmax_cross_entropy_loss"):
        if label_smoothing > 0:
            classes = array.cast(array.shape(truth)[-1], guess.dtype)
            truth = truth * (1.0 - label_smoothing) + label_smoothing / classes
        each = nn.softmax_cross_entropy_with_logits(labels=array.stop_gradient(truth), logits=guess)
        return compute_weighted_loss(each, weights, None, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: TensorLike,
    logits: TensorLike,
    weights: TensorLike = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = _MEAN,
) -> Any:
    """Return the mean of the cross entropy of probabilities softmax(logits) at the classes that labels number."""
    with name_scope(scope or "sparse_softmax_cross_entropy_loss"):
        each = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return compute_weighted_loss(each, weights, None, loss_collection, reduction)


def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """Return the losses that were noted."""
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """Return what weights add to the loss."""
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Any:
    """Return the sum of what weights add to the loss."""
    found = get_regularization_losses(scope)
    return math.add_n(found, name=name) if found else convert(0.0)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss", scope: str | None = None) -> Any:
    """Return the sum of all losses that were noted, by default with what weights add.

    Raises:
        ValueError: if there are none.
    """
    found = get_losses(scope) + (get_regularization_losses(scope) if add_regularization_losses else [])
    if not found:
        raise ValueError("get_total_loss: no losses were noted, by tf.losses or by regularizers.")
    return math.add_n(found, name=name)
