"""TensorFlow 1's ``tf.layers``: layers that make their variables by `get_variable`, so that scopes name and share them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array, math, nn
from wengert.functions.program import group
from wengert.ground.context import state
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import ShapeLike
from wengert.ground.types import Array
from wengert.modes.variable import Variable
from wengert.surface.v1.graphs import GraphKeys, add_to_collection, add_to_collections
from wengert.surface.v1.initializers import ones_initializer, zeros_initializer
from wengert.surface.v1.variables import get_variable, variable_scope
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = [
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "batch_normalization",
    "conv1d",
    "conv2d",
    "conv3d",
    "dense",
    "dropout",
    "flatten",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
]


class Layer:
    """A function with variables, which are made in its first call, in a variable scope of its name.

    Without a name it is that of the class, numbered where it is taken: "dense", "dense_1".
    """

    base_name = ""

    def __init__(
        self, trainable: bool = True, name: str | None = None, dtype: DtypeLike | None = None, reuse: bool | None = None,
        activity_regularizer: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.trainable, self.dtype, self.built = trainable, None if dtype is None else as_dtype(dtype), False
        self.variables: list[Variable] = []
        self.losses: list[Any] = []
        self.updates: list[Any] = []
        self._given, self._reuse, self._activity = name, reuse, activity_regularizer
        self._scope: Any = None

    @property
    def name(self) -> str:
        """The name: the last part of its scope's, once it is called."""
        if self._scope is not None:
            return str(self._scope.name.rpartition("/")[2])
        return self._given or _base_name(self)

    @property
    def scope_name(self) -> str:
        """The name of the scope of its variables."""
        if self._scope is None:
            raise ValueError(f"{self.name}: a layer has no scope before its first call.")
        return str(self._scope.name)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that are trained."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The others."""
        return [v for v in self.variables if v not in self.trainable_variables]

    weights = property(lambda self: self.trainable_variables + self.non_trainable_variables)
    trainable_weights = trainable_variables
    non_trainable_weights = non_trainable_variables

    def add_variable(
        self, name: str, shape: ShapeLike, dtype: DtypeLike | None = None, initializer: Any = None, regularizer: Any = None,
        trainable: bool = True, constraint: Any = None,
    ) -> Any:  # fmt: skip
        """Return the variable of this name in the layer's scope."""
        made = get_variable(name, shape=shape, dtype=dtype or self.dtype, initializer=initializer, regularizer=regularizer,
                            trainable=trainable and self.trainable, constraint=constraint,
                            collections=self.collections_of(name))  # fmt: skip
        self.variables.append(made)
        return made

    add_weight = add_variable

    def collections_of(self, name: str) -> list[Any] | None:
        """Return the collections of a variable; None: those of all."""
        return None

    def build(self, input_shape: ShapeLike) -> None:
        """Make the variables."""

    def call(self, inputs: TensorLike, **keywords: Any) -> Any:
        """Return the outputs."""
        raise NotImplementedError(f"{type(self).__name__}.call")

    def __call__(self, inputs: Any, **keywords: Any) -> Any:
        """Return the outputs; make the variables in the first call."""
        x = _floats(inputs)
        if self.dtype is None:
            self.dtype = x.dtype
        with self._entered() as scope:
            if not self.built:
                self._scope = scope
                self.build(x.shape)
                self.built = True
            y = self.call(x, **keywords)
            if self._activity is not None:
                loss = self._activity(y)
                self.losses.append(loss)
                if state.graph is not None:
                    add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
        return y

    apply = __call__

    def _entered(self) -> variable_scope:
        if self._scope is not None:
            return variable_scope(self._scope, reuse=True if state.graph is not None else None)
        if self._given is None:
            return variable_scope(None, _base_name(self))
        return variable_scope(self._given, reuse=self._reuse)


def _base_name(layer: Layer) -> str:
    """Return the name that a class states, or its own in small letters, words joined by "_"."""
    return layer.base_name or re.sub(r"([a-z])([A-Z])", r"\1_\2", type(layer).__name__).lower()


def _floats(inputs: Any) -> Any:
    """Return inputs as a tensor; a list or an array that is no tensor yet."""
    return inputs if isinstance(inputs, Tensor) else convert(inputs)


def _known(layer: Layer, input_shape: Any, axis: int, least: int) -> int:
    """Return the size of an axis, which has to be known."""
    sizes = None if input_shape.rank is None else input_shape.as_list()
    if sizes is None or len(sizes) < least:
        raise ShapeError(f"Layer {layer.name} takes inputs of {least} axes at least, and their shape is {input_shape}.")
    if sizes[axis] is None:
        raise ShapeError(
            f"The last dimension of the inputs to {type(layer).__name__} should be defined. Found {input_shape}: give the "
            "placeholder its number of columns."
        )
    return int(sizes[axis])


class Dense(Layer):
    """activation(x kernel + bias), over the last axis.

    >>> import wengert as tf
    >>> with tf.Graph().as_default():
    ...     x = tf.compat.v1.placeholder(tf.float32, [None, 3])
    ...     y = tf.compat.v1.layers.Dense(2, activation=tf.tanh)(x)
    ...     print(y.shape.as_list(), [v.name for v in tf.compat.v1.trainable_variables()])
    [None, 2] ['dense/kernel:0', 'dense/bias:0']
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = zeros_initializer,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DtypeLike | None = None,
        reuse: bool | None = None,
        _reuse: Any = None,
        _scope: Any = None,
    ) -> None:
        super().__init__(trainable, name or _scope, dtype, reuse or _reuse, activity_regularizer)
        self.units, self.activation, self.use_bias = int(units), activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: ShapeLike) -> None:
        """Make kernel and bias."""
        columns = _known(self, input_shape, -1, 2)
        self.kernel = self.add_variable("kernel", [columns, self.units], None, self.kernel_initializer,
                                        self.kernel_regularizer, constraint=self.kernel_constraint)  # fmt: skip
        if self.use_bias:
            self.bias = self.add_variable("bias", [self.units], None, self.bias_initializer, self.bias_regularizer,
                                          constraint=self.bias_constraint)  # fmt: skip

    def call(self, inputs: Any, **keywords: Any) -> Any:
        """Return the outputs."""
        if len(inputs.shape) > 2:
            y = math.tensordot(inputs, self.kernel, [[len(inputs.shape) - 1], [0]])
        else:
            y = math.matmul(inputs, self.kernel)
        if self.bias is not None:
            y = nn.bias_add(y, self.bias)
        return y if self.activation is None else self.activation(y)


class _Convolution(Layer):
    """activation(convolution of x by the kernel + bias)."""

    rank = 0

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = zeros_initializer,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DtypeLike | None = None,
        reuse: bool | None = None,
    ) -> None:
        """Take the number of filters, their size, and how they are moved; how kernel and bias begin and are kept."""
        super().__init__(trainable, name, dtype, reuse, activity_regularizer)
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(f"{type(self).__name__}: data_format is channels_last or channels_first, not {data_format!r}.")
        self.filters, self.padding, self.data_format = int(filters), padding.upper(), data_format
        self.kernel_size, self.strides, self.dilation_rate = (self._each(n) for n in (kernel_size, strides, dilation_rate))
        self.activation, self.use_bias = activation, use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.kernel: Any = None
        self.bias: Any = None

    def _each(self, value: Any) -> list[int]:
        return [int(value)] * self.rank if np.ndim(value) == 0 else [int(v) for v in value]

    def build(self, input_shape: ShapeLike) -> None:
        """Make kernel and bias."""
        channels = _known(self, input_shape, -1 if self.data_format == "channels_last" else 1, self.rank + 2)
        self.kernel = self.add_variable("kernel", [*self.kernel_size, channels, self.filters], None, self.kernel_initializer,
                                        self.kernel_regularizer, constraint=self.kernel_constraint)  # fmt: skip
        if self.use_bias:
            self.bias = self.add_variable("bias", [self.filters], None, self.bias_initializer, self.bias_regularizer,
                                          constraint=self.bias_constraint)  # fmt: skip

    def call(self, inputs: TensorLike, **keywords: Any) -> Any:
        """Return the outputs."""
        letters = "DHW"[3 - self.rank :]
        layout = f"N{letters}C" if self.data_format == "channels_last" else f"NC{letters}"
        y = nn.convolution(inputs, self.kernel, self.strides, self.padding, layout, self.dilation_rate)
        if self.bias is not None:
            y = nn.bias_add(y, self.bias, data_format=layout)
        return y if self.activation is None else self.activation(y)


class Conv1D(_Convolution):
    """A convolution over one axis."""

    rank = 1


class Conv2D(_Convolution):
    """A convolution over two axes."""

    rank = 2


class Conv3D(_Convolution):
    """A convolution over three axes."""

    rank = 3


class Flatten(Layer):
    """Each row as a vector."""

    def call(self, inputs: Any, **keywords: Any) -> Any:
        """Return the outputs."""
        sizes = inputs.shape.as_list()
        if None in sizes[1:]:
            return array.reshape(inputs, [array.shape(inputs)[0], -1])
        return array.reshape(inputs, [-1 if sizes[0] is None else sizes[0], int(np.prod(sizes[1:]))])


class Dropout(Layer):
    """In training, elements are dropped at a rate and the others scaled up."""

    def __init__(
        self,
        rate: TensorLike = 0.5,
        noise_shape: Any = None,
        seed: int | Sequence[int] | None = None,
        name: str | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(name=name, **keywords)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs: TensorLike, training: bool = False, **keywords: Any) -> Any:
        """Return the outputs."""
        if isinstance(training, Tensor | Variable):
            chosen = array.reshape(training, [])  # of a placeholder that says no shape, and leaves the result's as it is
            return array.where(chosen, nn.dropout(inputs, self.rate, self.noise_shape, self.seed), inputs)
        return nn.dropout(inputs, self.rate, self.noise_shape, self.seed) if training else array.identity(inputs)


class BatchNormalization(Layer):
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, of the batch in training, else of what was seen in training.

    In a graph the operations that note mean and variance are in the collection UPDATE_OPS: run them with each step.
    S. Ioffe, C. Szegedy (2015), Batch normalization.
    """

    order: tuple[str, ...] = ("gamma", "beta", "moving_mean", "moving_variance")
    fused_ranks: tuple[int, ...] = (4,)
    update_keys: tuple[str, ...] = (GraphKeys.UPDATE_OPS,)

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = zeros_initializer,
        gamma_initializer: Any = ones_initializer,
        moving_mean_initializer: Any = zeros_initializer,
        moving_variance_initializer: Any = ones_initializer,
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        fused: bool | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DtypeLike | None = None,
        reuse: bool | None = None,
    ) -> None:
        """Take the axis of the features, how much of the moving mean and variance is kept at a step, and epsilon.

        Raises:
            NotImplementedError: with ``renorm``.
        """
        if renorm:
            raise NotImplementedError("batch_normalization: renorm is not here; leave it out.")
        super().__init__(trainable, name, dtype, reuse)
        self.axis, self.momentum, self.epsilon, self.center, self.scale, self.fused = (
            axis,
            momentum,
            epsilon,
            center,
            scale,
            fused,
        )
        self._begin = {"gamma": gamma_initializer, "beta": beta_initializer, "moving_mean": moving_mean_initializer,
                       "moving_variance": moving_variance_initializer}  # fmt: skip
        self._regular = {"gamma": gamma_regularizer, "beta": beta_regularizer}
        self._bound = {"gamma": gamma_constraint, "beta": beta_constraint}
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: ShapeLike) -> None:
        """Make gamma, beta, and the moving mean and variance."""
        size = _known(self, input_shape, self.axis, 2)
        for name in self.order:
            if (name == "gamma" and not self.scale) or (name == "beta" and not self.center):
                continue
            trained = name in ("gamma", "beta")
            made = self.add_variable(name, [size], None, self._begin[name], self._regular.get(name), trained,
                                     self._bound.get(name))  # fmt: skip
            setattr(self, name, made)

    def call(self, inputs: Any, training: Any = False, **keywords: Any) -> Any:
        """Return the outputs."""
        axis = self.axis % len(inputs.shape)
        others = [i for i in range(len(inputs.shape)) if i != axis]
        sizes = [1] * len(inputs.shape)
        sizes[axis] = -1
        mean, variance = convert(self.moving_mean), convert(self.moving_variance)
        chosen = isinstance(training, Tensor | Variable)
        if chosen or training:
            now, spread = nn.moments(inputs, others)
            self._note(training if chosen else None, now, self._unbiased(inputs, spread, others))
            mean = array.where(training, now, mean) if chosen else now
            variance = array.where(training, spread, variance) if chosen else spread
        gamma = None if self.gamma is None else array.reshape(self.gamma, sizes)
        beta = None if self.beta is None else array.reshape(self.beta, sizes)
        return nn.batch_normalization(
            inputs, array.reshape(mean, sizes), array.reshape(variance, sizes), beta, gamma, self.epsilon
        )

    def _unbiased(self, inputs: Any, variance: TensorLike, axes: Sequence[int]) -> Any:
        """Return the variance times n / (n - 1) where TensorFlow has a fused kernel, which notes that one."""
        if self.fused is False or len(inputs.shape) not in self.fused_ranks:
            return variance
        count = array.cast(math.reduce_prod(array.gather(array.shape(inputs), list(axes))), inputs.dtype)
        return variance * (count / math.maximum(count - 1.0, 1.0))

    def _note(self, training: Any, mean: Any, variance: Any) -> None:
        keep: Any = self.momentum
        if training is not None:
            keep = array.where(training, convert(float(keep), mean.dtype), array.ones([], mean.dtype))
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            update = moving.assign_sub((convert(moving) - array.stop_gradient(new)) * (1.0 - keep))
            if state.graph is not None:
                update = group(update)
                add_to_collections(self.update_keys, update)
                self.updates.append(update)


# --- layers as functions ------------------------------------------------------------------------------------------------


def dense(
    inputs: TensorLike, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = None,
    bias_initializer: Any = zeros_initializer, kernel_regularizer: Any = None, bias_regularizer: Any = None,
    activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True,
    name: str | None = None, reuse: bool | None = None,
) -> Any:  # fmt: skip
    """Return activation(inputs kernel + bias), with variables ``NAME/kernel`` and ``NAME/bias`` of the current scope.

    >>> import wengert as tf
    >>> with tf.Graph().as_default(), tf.compat.v1.variable_scope("net"):
    ...     y = dense(tf.ones([1, 3]), 4, tf.nn.relu)
    ...     y = dense(y, 1)
    ...     print([v.name for v in tf.compat.v1.global_variables()])
    ['net/dense/kernel:0', 'net/dense/bias:0', 'net/dense_1/kernel:0', 'net/dense_1/bias:0']

    Raises:
        ValueError: if the number of columns of the inputs is not known, or a variable of the name is there and not reused.
    """
    return Dense(
        units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
        activity_regularizer, kernel_constraint, bias_constraint, trainable, name, reuse=reuse,
    )(inputs)  # fmt: skip


def conv1d(
    inputs: TensorLike,
    filters: int,
    kernel_size: int | Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    **keywords: Any,
) -> Any:
    """Return a convolution over one axis; further keywords are those of `Conv1D`."""
    return Conv1D(filters, kernel_size, strides, padding, **keywords)(inputs)


def conv2d(
    inputs: TensorLike,
    filters: int,
    kernel_size: int | Sequence[int],
    strides: int | Sequence[int] = (1, 1),
    padding: str = "valid",
    **keywords: Any,
) -> Any:
    """Return a convolution over two axes; further keywords are those of `Conv2D`."""
    return Conv2D(filters, kernel_size, strides, padding, **keywords)(inputs)


def conv3d(
    inputs: TensorLike,
    filters: int,
    kernel_size: int | Sequence[int],
    strides: int | Sequence[int] = (1, 1, 1),
    padding: str = "valid",
    **keywords: Any,
) -> Any:
    """Return a convolution over three axes; further keywords are those of `Conv3D`."""
    return Conv3D(filters, kernel_size, strides, padding, **keywords)(inputs)


def _pooling(rank: int, kind: str) -> Callable[..., Any]:
    def function(
        inputs: TensorLike,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: str = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
    ) -> Any:
        x = _floats(inputs)
        if len(x.shape) != rank + 2:
            raise ShapeError(f"{function.__name__} takes inputs of {rank + 2} axes, and their shape is {x.shape}.")
        letters = "DHW"[3 - rank :]
        layout = f"N{letters}C" if data_format == "channels_last" else f"NC{letters}"
        return nn.pool(x, pool_size, kind, strides, padding.upper(), layout, name=name)

    what, title = ("greatest numbers", "max") if kind == "MAX" else ("means", "average")
    function.__name__ = function.__qualname__ = f"{title}_pooling{rank}d"
    function.__doc__ = f"Return the {what} of windows over {('one axis', 'two axes', 'three axes')[rank - 1]}."
    return function


max_pooling1d, max_pooling2d, max_pooling3d = (_pooling(rank, "MAX") for rank in (1, 2, 3))
average_pooling1d, average_pooling2d, average_pooling3d = (_pooling(rank, "AVG") for rank in (1, 2, 3))


def flatten(inputs: Array, name: str | None = None, data_format: str = "channels_last") -> Any:
    """Return each row as a vector."""
    if data_format == "channels_first" and len(inputs.shape) > 2:
        inputs = array.transpose(inputs, [0, *range(2, len(inputs.shape)), 1])
    return Flatten(name=name)(inputs)


def dropout(
    inputs: TensorLike,
    rate: TensorLike = 0.5,
    noise_shape: Any = None,
    seed: int | Sequence[int] | None = None,
    training: bool = False,
    name: str | None = None,
) -> Any:
    """Return inputs, in training with elements dropped at a rate and the others scaled up."""
    return Dropout(rate, noise_shape, seed, name)(inputs, training=training)


def batch_normalization(
    inputs: Array | None, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
    beta_initializer: Any = zeros_initializer, gamma_initializer: Any = ones_initializer,
    moving_mean_initializer: Any = zeros_initializer, moving_variance_initializer: Any = ones_initializer,
    beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None,
    training: bool = False, trainable: bool = True, name: str | None = None, reuse: bool | None = None, renorm: bool = False,
    renorm_clipping: Any = None, renorm_momentum: float = 0.99, fused: bool | None = None,
) -> Any:  # fmt: skip
    """Return inputs normalised: see `BatchNormalization`. ``training`` may be a tensor that is fed."""
    layer = BatchNormalization(
        axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer, moving_mean_initializer,
        moving_variance_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, renorm, fused,
        trainable, name, reuse=reuse,
    )  # fmt: skip
    return layer(inputs, training=training)
