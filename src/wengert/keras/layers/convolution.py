"""Convolutions over one to three axes, their transposes, and convolutions of each channel by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from wengert.functions import array, nn
from wengert.keras import activations, constraints, initializers, regularizers
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.keywords import SharedKeywords
from wengert.keras.layers.layer import InputSpec
from wengert.keras.layers.spatial import Spatial
from wengert.keras.ops.windows import conv_transpose
from wengert.keras.registry import Identifier
from wengert.tensor.tensor import Tensor

__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
]

_SHARED = ("kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation", "use_bias", "bias_initializer",
           "bias_regularizer", "activity_regularizer", "bias_constraint")  # fmt: skip
_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_DEPTHWISE = ("depth_multiplier", "depthwise_initializer", "depthwise_regularizer", "depthwise_constraint")
_POINTWISE = ("filters", "pointwise_initializer", "pointwise_regularizer", "pointwise_constraint")


class _Convolution(Spatial):
    """activation(kernels that slide over x + bias)."""

    _paddings: tuple[str, ...] = ("valid", "same")

    def _slide(
        self, kernel_size: int | Sequence[int], strides: int | Sequence[int], padding: str, data_format: str | None,
        dilation_rate: int | Sequence[int],
    ) -> None:  # fmt: skip
        """Take how the kernels slide.

        Raises:
            ValueError: for numbers, a padding or a format that there is not.
        """
        self.kernel_size, self.strides = self._each(kernel_size, "kernel_size"), self._each(strides, "strides")
        self.dilation_rate, self.padding = self._each(dilation_rate, "dilation_rate"), str(padding).lower()
        if self.padding not in self._paddings:
            raise ValueError(f"The `padding` argument must be a list/tuple or one of {set(self._paddings)}. Received: {padding}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.data_format = self._places(data_format)

    def _finish(
        self, activation: Identifier, use_bias: bool, initializer: InitializerLike, regularizer: Identifier,
        constraint: Identifier,
    ) -> None:  # fmt: skip
        """Take what follows the kernels: bias and activation."""
        self.activation, self.use_bias = activations.get(activation), bool(use_bias)
        self.bias_initializer = initializers.get(initializer)
        self.bias_regularizer, self.bias_constraint = regularizers.get(regularizer), constraints.get(constraint)
        self.bias: Any = None

    def _choose(self, name: str, initializer: InitializerLike, regularizer: Identifier, constraint: Identifier) -> None:
        """Take how a kernel is made."""
        for what, module, choice in (
            ("initializer", initializers, initializer), ("regularizer", regularizers, regularizer),
            ("constraint", constraints, constraint),
        ):  # fmt: skip
            setattr(self, f"{name}_{what}", module.get(choice))

    def _add(self, name: str, shape: Sequence[int], choices: str) -> Any:
        """Return a new weight, made as was chosen."""
        kinds = ("initializer", "regularizer", "constraint")
        return self.add_weight(name=name, shape=shape, **{kind: getattr(self, f"{choices}_{kind}") for kind in kinds})

    def _known_channels(self, input_shape: Sizes) -> int:
        """Return how many channels come in, and take no other number from now on.

        Raises:
            ValueError: where it is not known.
        """
        size = input_shape[self._channels]
        if size is None:
            raise ValueError(
                f'Layer "{self.name}": the channel dimension of the inputs should be defined. The input has shape {input_shape}.'
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._channels: size})
        return size

    def _finished(self, y: Tensor) -> Any:
        """Return what bias and activation make of what the kernels gave."""
        if self.bias is not None:
            y = nn.bias_add(y, self._computed(self.bias), data_format=self._letters)
        return self.activation(y)


class _Conv(_Convolution):
    """A convolution with a kernel of shape (..., channels / groups, filters)."""

    _arguments = ("filters", "groups", *_SHARED, *_KERNEL)

    def __init__(
        self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: int | Sequence[int] = 1, groups: int = 1, activation: Identifier = None,
        use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None, kernel_constraint: Identifier = None, bias_constraint: Identifier = None,
        **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of filters, how they slide, and how the weights are made.

        Raises:
            ValueError: for numbers that do not fit.
        """
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        self.filters, self.groups = filters, groups
        for name, number in (("filters", filters), ("groups", groups)):
            if number is None or number <= 0:
                raise ValueError(
                    f"Invalid value for argument `{name}`. Expected a strictly positive value. Received {name}={number}."
                )
        if filters % groups:
            raise ValueError(
                f"The number of filters must be evenly divisible by the number of groups. Received: groups={groups}, "
                f"filters={filters}."
            )
        self._slide(kernel_size, strides, padding, data_format, dilation_rate)
        self._choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._finish(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Sizes) -> None:
        """Make kernel and bias."""
        channels = self._known_channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. Received "
                f"groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self.kernel = self._add("kernel", (*self.kernel_size, channels // self.groups, self.filters), "kernel")
        if self.use_bias:
            self.bias = self._add("bias", (self.filters,), "bias")
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        padding = self.padding.upper()
        if padding == "CAUSAL":
            inputs, padding = self._led(inputs), "VALID"
        y = nn.convolution(inputs, self._computed(self.kernel), self.strides, padding, self._letters, self.dilation_rate)
        return self._finished(y)

    def _led(self, x: Tensor) -> Any:
        """Return x after as many zeros as let no result depend on a later element."""
        pairs = [[0, 0], [0, 0], [0, 0]]
        pairs[self._axes[0]][0] = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        return array.pad(x, pairs)


class Conv1D(_Conv):
    """activation(convolution of (batch, steps, channels) by the kernel + bias); ``padding`` may be "causal", too.

    >>> layer = Conv1D(1, 2, padding="causal", kernel_initializer="ones")
    >>> layer([[[1.0], [2.0], [4.0]]]).numpy().ravel()
    array([1., 3., 6.], dtype=float32)
    """

    rank = 1
    _paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """activation(convolution of (batch, height, width, channels) by the kernel + bias)."""

    rank = 2


class Conv3D(_Conv):
    """activation(convolution of (batch, depth, height, width, channels) by the kernel + bias)."""

    rank = 3


class _Transpose(_Convolution):
    """What the gradient of a convolution by its input is: a kernel of shape (..., filters, channels)."""

    _arguments = ("filters", "output_padding", *_SHARED, *_KERNEL)

    def __init__(
        self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
        output_padding: int | Sequence[int] | None = None, data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1, activation: Identifier = None, use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: Identifier = None, bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None, bias_constraint: Identifier = None, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of filters, how they slide, and how the weights are made.

        Raises:
            ValueError: for numbers that do not fit.
        """
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        if filters is None or filters <= 0:
            raise ValueError(
                f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters}."
            )
        self.filters = filters
        self._slide(kernel_size, strides, padding, data_format, dilation_rate)
        self.output_padding = None if output_padding is None else self._each(output_padding, "output_padding", 0)
        if self.output_padding is not None and any(p >= s for p, s in zip(self.output_padding, self.strides, strict=True)):
            raise ValueError(
                f"The output padding must be less than the strides. Received: output_padding={self.output_padding} and "
                f"strides={self.strides}"
            )
        self._choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._finish(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Sizes) -> None:
        """Make kernel and bias."""
        channels = self._known_channels(input_shape)
        self.kernel = self._add("kernel", (*self.kernel_size, self.filters, channels), "kernel")
        if self.use_bias:
            self.bias = self._add("bias", (self.filters,), "bias")
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        kernel, order = self._computed(self.kernel), "channels_first" if self._channels == 1 else "channels_last"
        y = conv_transpose(inputs, kernel, self.strides, self.padding, self.output_padding, order, self.dilation_rate)
        return self._finished(y)


class Conv1DTranspose(_Transpose):
    """The transpose of `Conv1D`.

    >>> layer = Conv1DTranspose(1, 2, strides=2, kernel_initializer="ones")
    >>> layer([[[1.0], [2.0]]]).numpy().ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """

    rank = 1


class Conv2DTranspose(_Transpose):
    """The transpose of `Conv2D`."""

    rank = 2


class Conv3DTranspose(_Transpose):
    """The transpose of `Conv3D`."""

    rank = 3


class _Depthwise(_Convolution):
    """A convolution of each channel by itself, with a kernel of shape (..., channels, depth_multiplier)."""

    _arguments = (*_SHARED, *_DEPTHWISE)

    def __init__(
        self, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
        depth_multiplier: int = 1, data_format: str | None = None, dilation_rate: int | Sequence[int] = 1,
        activation: Identifier = None, use_bias: bool = True, depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros", depthwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None, activity_regularizer: Identifier = None, depthwise_constraint: Identifier = None,
        bias_constraint: Identifier = None, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take how the kernel slides, how many results a channel has, and how the weights are made."""
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        self._slide(kernel_size, strides, padding, data_format, dilation_rate)
        self.depth_multiplier = _positive(depth_multiplier, "depth_multiplier")
        self._choose("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._finish(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Sizes) -> None:
        """Make kernel and bias."""
        channels = self._known_channels(input_shape)
        self.kernel = self._add("kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise")
        if self.use_bias:
            self.bias = self._add("bias", (channels * self.depth_multiplier,), "bias")
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        return self._finished(_each_channel(self, inputs, self._computed(self.kernel)))


def _positive(number: int, what: str) -> int:
    if number is None or number <= 0:
        raise ValueError(f"Invalid value for argument `{what}`. Expected a strictly positive value. Received {what}={number}.")
    return number


def _each_channel(layer: _Convolution, x: Tensor, kernel: Tensor) -> Any:
    return nn.depthwise_convolution(
        layer.rank, x, kernel, layer.strides, layer.padding.upper(), layer._letters, layer.dilation_rate
    )


class DepthwiseConv1D(_Depthwise):
    """A convolution over one axis of each channel by itself."""

    rank = 1


class DepthwiseConv2D(_Depthwise):
    """A convolution over two axes of each channel by itself."""

    rank = 2


class _Separable(_Convolution):
    """A convolution of each channel by itself, then one of size 1 that mixes the channels."""

    _arguments = (*_SHARED, *_DEPTHWISE, *_POINTWISE)

    def __init__(
        self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: int | Sequence[int] = 1, depth_multiplier: int = 1,
        activation: Identifier = None, use_bias: bool = True, depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform", bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: Identifier = None, pointwise_regularizer: Identifier = None, bias_regularizer: Identifier = None,
        activity_regularizer: Identifier = None, depthwise_constraint: Identifier = None,
        pointwise_constraint: Identifier = None, bias_constraint: Identifier = None, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of filters, how the kernel slides, and how the weights are made."""
        super().__init__(activity_regularizer=activity_regularizer, **keywords)
        self.filters, self.depth_multiplier = _positive(filters, "filters"), _positive(depth_multiplier, "depth_multiplier")
        self._slide(kernel_size, strides, padding, data_format, dilation_rate)
        self._choose("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._choose("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self._finish(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Sizes) -> None:
        """Make both kernels and the bias."""
        channels = self._known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add("depthwise_kernel", shape, "depthwise")
        shape = (*[1] * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._add("pointwise_kernel", shape, "pointwise")
        if self.use_bias:
            self.bias = self._add("bias", (self.filters,), "bias")
        self._built = True

    def call(self, inputs: Tensor) -> Any:
        """Return the layer's value."""
        y = _each_channel(self, inputs, self._computed(self.depthwise_kernel))
        return self._finished(nn.convolution(y, self._computed(self.pointwise_kernel), 1, "VALID", self._letters))


class SeparableConv1D(_Separable):
    """A convolution over one axis of each channel by itself, and one of size 1 that mixes them."""

    rank = 1


class SeparableConv2D(_Separable):
    """A convolution over two axes of each channel by itself, and one of size 1 that mixes them."""

    rank = 2
