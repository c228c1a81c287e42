"""ConvLSTM: an LSTM whose products are convolutions, over one to three axes of space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Unpack

from wengert.functions import array, nn
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.cells import ARGUMENTS, LSTMCell, two_of
from wengert.keras.layers.keywords import LayerKeywords, SharedKeywords
from wengert.keras.layers.layer import InputSpec
from wengert.keras.layers.recurrent import OfCell
from wengert.keras.layers.spatial import Spatial
from wengert.keras.registry import Identifier
from wengert.tensor.tensor import Nested, Tensor

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]

_ARGUMENTS = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "recurrent_activation",
              "unit_forget_bias", *(name for name in ARGUMENTS if name != "units"))  # fmt: skip


class _ConvLSTMCell(Spatial, LSTMCell):
    """A step of an LSTM whose products are convolutions."""

    _arguments: ClassVar[tuple[str, ...] | None] = _ARGUMENTS

    def __init__(
        self, rank: int, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int], padding: str,
        data_format: str | None, dilation_rate: int | Sequence[int], *choices: Any, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take how many axes of space there are, how the kernels slide, and what `LSTMCell` takes.

        Raises:
            ValueError: for numbers, a padding or a format that there is not.
        """
        super().__init__(filters, *choices, **keywords)
        self.rank = rank  # type: ignore[misc]
        self.filters, self.padding, self.data_format = self.units, str(padding).lower(), self._places(data_format)
        self.kernel_size, self.strides = self._each(kernel_size, "kernel_size"), self._each(strides, "strides")
        self.dilation_rate = self._each(dilation_rate, "dilation_rate")
        if self.padding not in ("valid", "same"):
            raise ValueError(f"The `padding` argument must be one of {{'valid', 'same'}}. Received: {padding}")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError("ConvLSTM: `strides > 1` does not go with `dilation_rate > 1`.")

    def build(self, input_shape: Sizes) -> None:
        """Make the two kernels and the bias.

        Raises:
            ValueError: for inputs of unknown sizes.
        """
        channels, space = input_shape[self._channels], [input_shape[axis] for axis in self._axes]
        if channels is None or None in space:
            raise ValueError(f'Layer "{self.name}": sizes and channels must be known; the input has shape {input_shape}.')
        width = 4 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, channels, width), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(*self.kernel_size, self.units, width), initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(width,), initializer=self._bias_initializer(), regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        ways = zip(space, self.kernel_size, self.strides, self.dilation_rate, strict=True)
        same = self.padding == "same"
        self._space = [-(-(n - (0 if same else d * (k - 1))) // s) for n, k, s, d in ways if n is not None]
        self._built = True

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """Return zeros for each state."""
        first = self.data_format == "channels_first"
        sizes = [batch_size, self.units, *self._space] if first else [batch_size, *self._space, self.units]
        return [array.zeros(sizes, self.compute_dtype) for _ in range(2)]

    def call(self, inputs: Tensor, states: Nested, training: bool = False) -> Any:
        """Return the output and the next states, h and c."""
        h, c = two_of(states)
        x, h = self._dropped(inputs, h, training)
        kernel, letters = self._computed(self.kernel), self._letters
        total = nn.convolution(x, kernel, self.strides, self.padding.upper(), letters, self.dilation_rate)
        total = total + nn.convolution(h, self._computed(self.recurrent_kernel), 1, "SAME", letters)
        if self.bias is not None:
            total = nn.bias_add(total, self._computed(self.bias), data_format=letters)
        gates = array.split(total, 4, axis=self._channels)
        i, f, o = (self.recurrent_activation(gates[k]) for k in (0, 1, 3))
        c = f * c + i * self.activation(gates[2])
        h = o * self.activation(c)
        return h, [h, c]


class _ConvLSTM(OfCell):
    """An LSTM over images, or other fields, whose products are convolutions: Shi and others (2015)."""

    rank: ClassVar[int]

    def __init__(
        self, filters: int, kernel_size: int | Sequence[int], strides: int | Sequence[int] = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: int | Sequence[int] = 1, activation: Identifier = "tanh",
        recurrent_activation: Identifier = "sigmoid", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None, recurrent_constraint: Identifier = None, bias_constraint: Identifier = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        zero_output_for_mask: bool = False, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of channels of the output, how the kernels slide, and the choices."""
        cell = _ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate, activation, recurrent_activation,
            use_bias, kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, name="conv_lstm_cell", dtype=keywords.get("dtype"),
            trainable=keywords.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask,
            activity_regularizer=activity_regularizer, **keywords,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over (batch, time, steps, channels), whose products are convolutions.

    >>> layer = ConvLSTM1D(2, 3, padding="same", return_sequences=True)
    >>> layer(array.ones([1, 4, 5, 3])).shape, [w.shape.as_list() for w in layer.weights]
    (TensorShape([1, 4, 5, 2]), [[3, 3, 8], [3, 2, 8], [8]])
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over sequences of images, (batch, time, rows, columns, channels), whose products are convolutions."""

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over sequences of volumes, whose products are convolutions."""

    rank = 3
