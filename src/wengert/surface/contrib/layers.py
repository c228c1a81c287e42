"""``tf.contrib.layers``: initializers, regularizers, and layers as functions."""

from __future__ import annotations

import math as numbers
from collections.abc import Callable, Sequence
from typing import Any

from wengert.functions import array, math, nn
from wengert.functions.program import control_dependencies, name_scope
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype, float32
from wengert.surface.contrib.framework import add_arg_scope
from wengert.surface.v1 import layers as one
from wengert.surface.v1.graphs import GraphKeys, add_to_collection, add_to_collections, get_collection
from wengert.surface.v1.initializers import ones_initializer, zeros_initializer
from wengert.surface.v1.initializers import variance_scaling_initializer as scaled
from wengert.surface.v1.variables import get_variable, variable_scope
from wengert.tensor.tensor import TensorLike, convert

__all__ = [
    "apply_regularization",
    "batch_norm",
    "dropout",
    "flatten",
    "fully_connected",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "linear",
    "relu",
    "sum_regularizer",
    "variance_scaling_initializer",
    "xavier_initializer",
    "xavier_initializer_conv2d",
]


CUT = 0.87962566103423978
"""The standard deviation of a normal distribution of variance 1 that is cut at 2 and -2."""


# --- initializers ---------------------------------------------------------------------------------------------------------


class variance_scaling_initializer(scaled):
    """Values whose variance is factor over the number of inputs, of outputs, or their mean.

    Uniform ones, or normal ones that are cut at two standard deviations, of 1.3 times the variance to make up for the cut.
    """

    def __init__(
        self,
        factor: float = 2.0,
        mode: str = "FAN_IN",
        uniform: bool = False,
        seed: int | Sequence[int] | None = None,
        dtype: DtypeLike = float32,
    ) -> None:
        """Take the factor, FAN_IN, FAN_OUT or FAN_AVG, the distribution, a seed and a dtype.

        Raises:
            TypeError: for a dtype that is not floating.
            ValueError: for another mode.
        """
        if not as_dtype(dtype).is_floating:
            raise TypeError("Cannot create initializer for non-floating point type.")
        if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
            raise ValueError(f"variance_scaling_initializer: mode is FAN_IN, FAN_OUT or FAN_AVG, not {mode!r}.")
        # The other class divides by the standard deviation of the cut distribution rather than by 1 / sqrt(1.3).
        scale = factor if uniform else 1.3 * factor * CUT**2
        super().__init__(scale, mode.lower(), "uniform" if uniform else "truncated_normal", seed, dtype)


def xavier_initializer(
    uniform: bool = True, seed: int | Sequence[int] | None = None, dtype: DtypeLike = float32
) -> variance_scaling_initializer:
    """Return values with variance 2 / (inputs + outputs): X. Glorot and Y. Bengio (2010).

    >>> w = xavier_initializer(seed=1)([400, 200])
    >>> bool(abs(w.numpy().std() - (2 / 600) ** 0.5) < 1e-3)
    True
    """
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer


# --- regularizers ---------------------------------------------------------------------------------------------------------


def _checked(scale: Any, who: str) -> float:
    if isinstance(scale, int) and not isinstance(scale, bool) and scale != 0:
        raise ValueError(f"scale cannot be an integer: {scale}")
    if scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale} ({who})")
    return float(scale)


def _regularizer(scale: TensorLike, who: str, scope: str | None, loss: Callable[[Any], Any]) -> Callable[[Any], Any]:
    factor = _checked(scale, who)
    if factor == 0.0:
        return lambda weights: None

    def regularizer(weights: TensorLike) -> Any:
        with name_scope(scope or who):
            x = convert(weights)
            return convert(factor, x.dtype) * loss(x)

    return regularizer


def l1_regularizer(scale: float, scope: str | None = None) -> Callable[[Any], Any]:
    """Return the function scale · sum(|w|); for a scale of 0.0 one that returns None.

    Raises:
        ValueError: for a scale below 0, or a whole number.
    """
    return _regularizer(scale, "l1_regularizer", scope, lambda x: math.reduce_sum(math.abs(x)))


def l2_regularizer(scale: float, scope: str | None = None) -> Callable[[Any], Any]:
    """Return the function scale · sum(w²) / 2; for a scale of 0.0 one that returns None.

    >>> l2_regularizer(0.5)([1.0, 2.0]).numpy()
    np.float32(1.25)

    Raises:
        ValueError: for a scale below 0, or a whole number.
    """
    return _regularizer(scale, "l2_regularizer", scope, nn.l2_loss)


def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None) -> Callable[[Any], Any]:
    """Return the sum of `l1_regularizer` and `l2_regularizer`."""
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope or "l1_l2_regularizer")


def sum_regularizer(regularizer_list: Sequence[Any], scope: str | None = None) -> Callable[[Any], Any]:
    """Return the sum of regularizers, those that are None left out."""
    kept = [r for r in regularizer_list if r is not None]

    def regularizer(weights: TensorLike) -> Any:
        with name_scope(scope or "sum_regularizer"):
            losses = [loss for loss in (r(weights) for r in kept) if loss is not None]
            return math.add_n(losses) if losses else None

    return regularizer


def apply_regularization(regularizer: Callable[[Any], Any], weights_list: Sequence[Any] | None = None) -> Any:
    """Return the sum of a regularizer over weights (by default the collection WEIGHTS); note it among the losses.

    Raises:
        ValueError: if there are no weights.
    """
    weights = get_collection(GraphKeys.WEIGHTS) if weights_list is None else list(weights_list)
    if not weights:
        raise ValueError("No weights to regularize.")
    with name_scope("get_regularization_penalty"):
        losses = [loss for loss in (regularizer(w) for w in weights) if loss is not None]
        total = math.add_n(losses) if losses else convert(0.0)
    if state.graph is not None:
        add_to_collection(GraphKeys.REGULARIZATION_LOSSES, total)
    return total


# --- layers ---------------------------------------------------------------------------------------------------------------


def _collections(given: Any, name: str) -> list[Any] | None:
    """Return the collections of a variable: its own, those of all, and always the global variables."""
    extra = given.get(name, []) if isinstance(given, dict) else given or []
    return [GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES, *extra]


@add_arg_scope
def fully_connected(
    inputs: TensorLike, num_outputs: int, activation_fn: Any = nn.relu, normalizer_fn: Any = None, normalizer_params: Any = None,
    weights_initializer: Any = None, weights_regularizer: Any = None, biases_initializer: Any = zeros_initializer,
    biases_regularizer: Any = None, reuse: bool | None = None, variables_collections: Any = None, outputs_collections: Any = None,
    trainable: bool = True, scope: str | None = None,
) -> Any:  # fmt: skip
    """Return activation_fn(inputs weights + biases), with variables ``fully_connected/weights`` and ``.../biases``.

    With ``normalizer_fn`` (such as `batch_norm`) there are no biases.

    >>> import wengert as tf
    >>> with tf.Graph().as_default():
    ...     y = fully_connected(tf.ones([1, 3]), 2)
    ...     print([v.name for v in tf.compat.v1.global_variables()])
    ['fully_connected/weights:0', 'fully_connected/biases:0']
    """
    x = convert(inputs)
    columns = None if x.shape.rank is None else x.shape.as_list()[-1]
    if columns is None:
        raise ValueError(f"fully_connected: the last dimension of the inputs should be defined, and their shape is {x.shape}.")
    with variable_scope(scope, "fully_connected", [inputs], reuse=reuse):
        begin = xavier_initializer(dtype=x.dtype) if weights_initializer is None else weights_initializer
        weights = get_variable("weights", [columns, num_outputs], x.dtype, begin, weights_regularizer, trainable,
                               _collections(variables_collections, "weights"))  # fmt: skip
        y = math.tensordot(x, weights, [[len(x.shape) - 1], [0]]) if len(x.shape) > 2 else math.matmul(x, weights)
        if normalizer_fn is not None:
            y = normalizer_fn(y, **(normalizer_params or {}))
        elif biases_initializer is not None:
            biases = get_variable("biases", [num_outputs], x.dtype, biases_initializer, biases_regularizer, trainable,
                                  _collections(variables_collections, "biases"))  # fmt: skip
            y = nn.bias_add(y, biases)
        if activation_fn is not None:
            y = activation_fn(y)
        if outputs_collections is not None:
            add_to_collections(outputs_collections, y)
    return y


def linear(*arguments: Any, **keywords: Any) -> Any:
    """Return `fully_connected` without activation."""
    return fully_connected(*arguments, **{"activation_fn": None, **keywords})


def relu(*arguments: Any, **keywords: Any) -> Any:
    """Return `fully_connected` with relu."""
    return fully_connected(*arguments, **{"activation_fn": nn.relu, **keywords})


@add_arg_scope
def batch_norm(
    inputs: TensorLike, decay: float = 0.999, center: bool = True, scale: bool = False, epsilon: float = 0.001,
    activation_fn: Any = None, param_initializers: Any = None, param_regularizers: Any = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS, is_training: bool = True, reuse: bool | None = None,
    variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True, batch_weights: Any = None,
    fused: bool | None = None, data_format: str = "NHWC", zero_debias_moving_mean: bool = False, scope: str | None = None,
    renorm: bool = False,
) -> Any:  # fmt: skip
    """Return inputs normalised, with variables ``BatchNorm/beta`` (and gamma), ``moving_mean`` and ``moving_variance``.

    The operations that note mean and variance are in the collection UPDATE_OPS; with ``updates_collections=None`` they run
    with the output.

    Raises:
        NotImplementedError: with ``renorm``, ``batch_weights`` or ``zero_debias_moving_mean``.
        ValueError: for another ``data_format``.
    """
    if renorm or batch_weights is not None or zero_debias_moving_mean:
        raise NotImplementedError("batch_norm: renorm, batch_weights and zero_debias_moving_mean are not here; leave them out.")
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError(f"batch_norm: data_format is NHWC or NCHW, not {data_format!r}.")
    begin, regular = param_initializers or {}, param_regularizers or {}
    layer = _BatchNorm(
        variables_collections, updates_collections,
        axis=-1 if data_format == "NHWC" else 1, momentum=decay, epsilon=epsilon, center=center, scale=scale,
        beta_initializer=begin.get("beta", zeros_initializer), gamma_initializer=begin.get("gamma", ones_initializer),
        moving_mean_initializer=begin.get("moving_mean", zeros_initializer),
        moving_variance_initializer=begin.get("moving_variance", ones_initializer),
        beta_regularizer=regular.get("beta"), gamma_regularizer=regular.get("gamma"), fused=fused, trainable=trainable,
        name=scope, reuse=reuse,
    )  # fmt: skip
    y = layer(inputs, training=is_training)
    if updates_collections is None and layer.updates:
        with control_dependencies(layer.updates):
            y = array.identity(y)
    if activation_fn is not None:
        y = activation_fn(y)
    if outputs_collections is not None:
        add_to_collections(outputs_collections, y)
    return y


class _BatchNorm(one.BatchNormalization):
    """The layer with the names and collections of `batch_norm`."""

    base_name, order, fused_ranks = "BatchNorm", ("beta", "gamma", "moving_mean", "moving_variance"), (2, 4)

    def __init__(self, collections: Any, update_keys: Any, **settings: Any) -> None:
        super().__init__(**settings)
        self.collections = collections
        self.update_keys = (update_keys,) if isinstance(update_keys, str) else tuple(update_keys or ())

    def collections_of(self, name: str) -> list[Any] | None:
        """Return the collections of a variable."""
        return _collections(self.collections, name)


@add_arg_scope
def dropout(
    inputs: TensorLike,
    keep_prob: float = 0.5,
    noise_shape: Any = None,
    is_training: bool = True,
    outputs_collections: Any = None,
    scope: str | None = None,
    seed: int | Sequence[int] | None = None,
) -> Any:
    """Return inputs, in training with elements kept with a probability and scaled up, the others 0."""
    y = one.dropout(inputs, 1.0 - keep_prob, noise_shape, seed, is_training, scope or "Dropout")
    if outputs_collections is not None:
        add_to_collections(outputs_collections, y)
    return y


@add_arg_scope
def flatten(inputs: TensorLike, outputs_collections: Any = None, scope: str | None = None) -> Any:
    """Return each row as a vector."""
    with name_scope(scope or "Flatten"):
        x = convert(inputs)
        sizes: list[Any] = x.shape.as_list()
        if None in sizes[1:]:
            y = array.reshape(x, [array.shape(x)[0], -1])
        else:
            y = array.reshape(x, [-1 if sizes[0] is None else sizes[0], numbers.prod(sizes[1:])])
    if outputs_collections is not None:
        add_to_collections(outputs_collections, y)
    return y
