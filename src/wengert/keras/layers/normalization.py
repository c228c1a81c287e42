"""Layers that scale features to mean 0 and variance 1, to norm 1, or by given numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from wengert.functions import array, linalg, nn
from wengert.functions import math as elementary
from wengert.keras import constraints, initializers, regularizers
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes, as_sizes
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import InputSpec, Layer
from wengert.keras.registry import Identifier
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, convert
from wengert.train.checkpoint import storage_of
from wengert.train.placing import place, ready

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "Normalization",
    "RMSNormalization",
    "Rescaling",
    "UnitNormalization",
]


_CHOICES = ("initializer", "regularizer", "constraint")


class _Scaled(Layer):
    """A layer of features that are scaled and shifted in the end; for each weight it is told by what choices to make it."""

    _made: dict[str, tuple[Any, ...]]
    """For each weight: its initializer, and where one can be chosen its regularizer and its constraint."""

    def _make(self, names: Sequence[str], shape: Sequence[int | None]) -> None:
        for name in names:
            given = dict(zip(_CHOICES, self._made[name], strict=False))
            setattr(self, name, self.add_weight(name=name, shape=shape, trainable=len(given) > 1, **given))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        config = super().get_config()
        for name, choices in self._made.items():
            for what, module, choice in zip(_CHOICES, (initializers, regularizers, constraints), choices, strict=False):
                config[f"{name}_{what}"] = module.serialize(module.get(choice))
        return config


class BatchNormalization(_Scaled):
    """(x - mean) / sqrt(variance + epsilon) gamma + beta: in training of the batch, else of the moving averages.

    Ioffe and Szegedy (2015). In training each moving average m becomes momentum m + (1 - momentum) times the batch's.
    """

    supports_masking = True
    _arguments = ("axis", "momentum", "epsilon", "center", "scale")

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros", moving_variance_initializer: InitializerLike = "ones",
        beta_regularizer: Identifier = None, gamma_regularizer: Identifier = None, beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None, synchronized: bool = False, renorm: bool = False, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the axis of the features, and the choices."""
        super().__init__(**keywords)
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self._made = {
            "beta": (beta_initializer, beta_regularizer, beta_constraint),
            "gamma": (gamma_initializer, gamma_regularizer, gamma_constraint),
            "moving_mean": (moving_mean_initializer,),
            "moving_variance": (moving_variance_initializer,),
        }
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Sizes) -> None:
        """Make gamma, beta and the moving averages."""
        axis = self.axis % len(input_shape)
        size = input_shape[axis]
        if size is None:
            raise ValueError(f'Layer "{self.name}": the size of axis {self.axis} must be known; the shape is {input_shape}.')
        names = [*(["gamma"] if self.scale else []), *(["beta"] if self.center else []), "moving_mean", "moving_variance"]
        self._make(names, (size,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: size})
        self._axes = [i for i in range(len(input_shape)) if i != axis]
        self._shape = [size if i == axis else 1 for i in range(len(input_shape))]
        self._built = True

    def call(self, inputs: Tensor, training: bool | None = None, mask: TensorLike | None = None) -> Any:
        """Return the layer's value; with a mask, mean and variance are of the steps that count."""

        def spread(v: Any) -> Any:
            return array.reshape(array.cast(v, inputs.dtype), self._shape)

        if training and self._trainable:
            if mask is None:
                mean, variance = nn.moments(inputs, self._axes)
            else:
                counted = array.cast(array.expand_dims(mask, -1), inputs.dtype)
                mean, variance = nn.weighted_moments(inputs, self._axes, counted)
            for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                batch = array.cast(array.stop_gradient(batch), moving.dtype)
                moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        else:
            mean, variance = self.moving_mean, self.moving_variance
        factor = elementary.rsqrt(spread(variance) + self.epsilon)
        if self.gamma is not None:
            factor = factor * spread(self.gamma)
        shift = -spread(mean) * factor
        if self.beta is not None:
            shift = shift + spread(self.beta)
        return inputs * factor + shift


class LayerNormalization(_Scaled):
    """(x - mean) / sqrt(variance + epsilon) gamma + beta, mean and variance of each row along the axes: Ba and others (2016)."""

    supports_masking = True
    _arguments = ("axis", "epsilon", "center", "scale")

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
        beta_regularizer: Identifier = None, gamma_regularizer: Identifier = None, beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the axis or axes, and the choices."""
        super().__init__(**keywords)
        self.axis = [int(a) for a in axis] if isinstance(axis, Sequence) else int(axis)
        self.epsilon, self.center, self.scale = float(epsilon), bool(center), bool(scale)
        self._made = {
            "gamma": (gamma_initializer, gamma_regularizer, gamma_constraint),
            "beta": (beta_initializer, beta_regularizer, beta_constraint),
        }
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Sizes) -> None:
        """Make gamma and beta."""
        axes = [a % len(input_shape) for a in (self.axis if isinstance(self.axis, list) else [self.axis])]
        shape = [input_shape[a] for a in sorted(axes)]
        self._axes = sorted(axes)
        self._shape = [s if i in axes else 1 for i, s in enumerate(input_shape)]
        self._make([*(["gamma"] if self.scale else []), *(["beta"] if self.center else [])], shape)
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        mean, variance = nn.moments(inputs, self._axes, keepdims=True)
        factor = elementary.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * array.reshape(array.cast(self.gamma, inputs.dtype), self._shape)
        shift = -mean * factor
        if self.beta is not None:
            shift = shift + array.reshape(array.cast(self.beta, inputs.dtype), self._shape)
        return inputs * factor + shift


class GroupNormalization(_Scaled):
    """(x - mean) / sqrt(variance + epsilon) gamma + beta, mean and variance of each group of channels: Wu and He (2018).

    ``groups=-1``: each channel is one.

    >>> GroupNormalization(groups=1)(array.constant([[1.0, 3.0]])).numpy().round(2)
    array([[-1.,  1.]], dtype=float32)
    """

    supports_masking = True
    _arguments = ("groups", "axis", "epsilon", "center", "scale")

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
        beta_regularizer: Identifier = None, gamma_regularizer: Identifier = None, beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the number of groups, the axis of the channels, and the choices."""
        super().__init__(**keywords)
        self.groups, self.axis, self.epsilon = int(groups), int(axis), float(epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self._made = {
            "gamma": (gamma_initializer, gamma_regularizer, gamma_constraint),
            "beta": (beta_initializer, beta_regularizer, beta_constraint),
        }
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Sizes) -> None:
        """Make gamma and beta.

        Raises:
            ValueError: where the channels are unknown, or cannot be divided into the groups.
        """
        self._at = self.axis % len(input_shape)
        channels = input_shape[self._at]
        if channels is None:
            raise ValueError(f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an input "
                             f"with shape {input_shape}.")  # fmt: skip
        self.groups = channels if self.groups == -1 else self.groups
        if channels % self.groups:
            raise ValueError(f"Number of groups ({self.groups}) must be a multiple of the number of channels ({channels}).")
        self._shape = [channels if i == self._at else 1 for i in range(len(input_shape))]
        self._make([*(["gamma"] if self.scale else []), *(["beta"] if self.center else [])], (channels,))
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        whole = array.shape(inputs)
        sizes = [whole[i] if size is None else size for i, size in enumerate(inputs.sizes)]
        at, channels = self._at, self._shape[self._at]
        x = array.reshape(inputs, [*sizes[:at], self.groups, channels // self.groups, *sizes[at + 1 :]])
        mean, variance = nn.moments(x, [i for i in range(1, len(sizes) + 1) if i != at], keepdims=True)
        y = array.reshape((x - mean) * elementary.rsqrt(variance + self.epsilon), sizes)
        if self.gamma is not None:
            y = y * array.reshape(self._computed(self.gamma), self._shape)
        return y if self.beta is None else y + array.reshape(self._computed(self.beta), self._shape)


class RMSNormalization(Layer):
    """x / sqrt(mean of x² + epsilon) scale, the mean along an axis or axes: Zhang and Sennrich (2019).

    >>> RMSNormalization()(array.constant([[3.0, 4.0]])).numpy().round(3)
    array([[0.849, 1.131]], dtype=float32)
    """

    _arguments = ("axis", "epsilon")

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the axis or axes, and epsilon."""
        super().__init__(**keywords)
        self.axis = [int(a) for a in axis] if isinstance(axis, Sequence) else int(axis)
        self.epsilon = float(epsilon)

    def build(self, input_shape: Sizes) -> None:
        """Make the scale."""
        axes = {a % len(input_shape) for a in (self.axis if isinstance(self.axis, list) else [self.axis])}
        self._shape = [size if i in axes else 1 for i, size in enumerate(input_shape)]
        self.scale = self.add_weight(name="scale", shape=[input_shape[a] for a in sorted(axes)], initializer="ones")
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        mean = elementary.reduce_mean(elementary.square(inputs), self.axis, keepdims=True)
        return inputs * elementary.rsqrt(mean + self.epsilon) * array.reshape(self._computed(self.scale), self._shape)


class UnitNormalization(Layer):
    """x / |x| along an axis."""

    supports_masking = True
    _arguments = ("axis",)

    def __init__(self, axis: AxisLike = -1, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the axis."""
        super().__init__(**keywords)
        self.axis = axis

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return linalg.l2_normalize(inputs, axis=self.axis)


class Normalization(Layer):
    """(x - mean) / sqrt(variance) for each feature, both given or found by `adapt`; the other way round if ``invert``.

    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0.0], [2.0]]))
    >>> layer([[2.0]]).numpy()
    array([[1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: TensorLike | None = None,
        variance: TensorLike | None = None,
        invert: bool = False,
        **keywords: Unpack[LayerKeywords],
    ) -> None:
        """Take the axes of the features (None: all as one), and mean and variance."""
        super().__init__(**keywords)
        if (mean is None) != (variance is None):
            raise ValueError("Normalization: give both mean and variance, or neither and call adapt().")
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.invert, self._given = bool(invert), None if mean is None else (np.asarray(mean), np.asarray(variance))

    def _places(self, rank: int) -> tuple[int, ...]:
        return tuple(sorted(a % rank for a in self.axis))

    def build(self, input_shape: Sizes) -> None:
        """Make the weights that hold mean and variance, unless these are given."""
        kept = self._places(len(input_shape))
        self._shape = [s if i in kept else 1 for i, s in enumerate(input_shape)]
        if self._given is None:
            sizes = as_sizes([input_shape[a] for a in kept])
            self._mean = self.add_weight(name="mean", shape=sizes, initializer="zeros", trainable=False)
            self._variance = self.add_weight(name="variance", shape=sizes, initializer="ones", trainable=False)
        self._built = True

    @property
    def mean(self) -> Any:
        """The mean, with an axis for each of the input's."""
        return self._spread(0)

    @property
    def variance(self) -> Any:
        """The variance, with an axis for each of the input's."""
        return self._spread(1)

    def _spread(self, which: int) -> Any:
        part = (self._mean, self._variance)[which] if self._given is None else convert(self._given[which])
        size = 1 if part.sizes is None else math.prod(s or 1 for s in part.sizes)
        return array.reshape(part, self._shape) if size == math.prod(s or 1 for s in self._shape) else part

    def adapt(self, data: TensorLike) -> None:
        """Find mean and variance of data."""
        rows = np.asarray(data)
        if rows.ndim == 1:
            rows = rows[:, None]
        if not self._built:
            self._build_once(rows.shape)
        away = tuple(i for i in range(rows.ndim) if i not in self._places(rows.ndim))
        mean, variance = rows.mean(away, dtype=np.float64), rows.var(away, dtype=np.float64)
        place([ready(storage_of(self._mean), mean), ready(storage_of(self._variance), variance)])

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        mean, variance = (array.cast(self._spread(i), inputs.dtype) for i in (0, 1))
        scale = elementary.maximum(elementary.sqrt(variance), 1e-7)
        return inputs * scale + mean if self.invert else (inputs - mean) / scale

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        given = self._given or (None, None)
        return {
            **super().get_config(), "axis": list(self.axis) or None, "invert": self.invert,
            "mean": None if given[0] is None else given[0].tolist(),
            "variance": None if given[1] is None else given[1].tolist(),
        }  # fmt: skip


class Rescaling(Layer):
    """scale x + offset."""

    supports_masking = True
    _arguments = ("scale", "offset")

    def __init__(self, scale: TensorLike, offset: TensorLike = 0.0, **keywords: Unpack[LayerKeywords]) -> None:
        """Take the two."""
        super().__init__(**keywords)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        x = array.cast(inputs, self.compute_dtype)
        return x * array.cast(self.scale, x.dtype) + array.cast(self.offset, x.dtype)
