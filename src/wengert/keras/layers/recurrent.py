"""SimpleRNN, GRU and LSTM: layers of the cells of these names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.cells import Cell, GRUCell, LSTMCell, SimpleRNNCell
from wengert.keras.layers.keywords import SharedKeywords
from wengert.keras.layers.layer import InputSpec
from wengert.keras.layers.recurrence import RNN
from wengert.keras.registry import Identifier

__all__ = ["GRU", "LSTM", "OfCell", "SimpleRNN"]


class OfCell(RNN):
    """An `RNN` that makes its cell."""

    cell: Cell
    input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        """Return what the cell is made of."""
        cell = vars(self).get("cell")
        if cell is not None and name in cell._arguments:
            return getattr(cell, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        own = super().get_config()
        del own["cell"]
        of_cell = {k: v for k, v in self.cell.get_config().items() if k not in own}
        return {**own, **of_cell, "activity_regularizer": self.activity_regularizer}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one of what `get_config` returned."""
        return cls(**config)


class SimpleRNN(OfCell):
    """h = activation(x kernel + h recurrent_kernel + bias), step after step.

    >>> layer = SimpleRNN(2, return_sequences=True, return_state=True)
    >>> outputs, state = layer([[[1.0], [2.0], [3.0]]])
    >>> outputs.shape, state.shape
    (TensorShape([1, 3, 2]), TensorShape([1, 2]))
    """

    def __init__(
        self, units: int, activation: Identifier = "tanh", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None, recurrent_constraint: Identifier = None, bias_constraint: Identifier = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False, seed: int | None = None,
        zero_output_for_mask: bool = False, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of outputs and the choices."""
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, name="simple_rnn_cell", dtype=keywords.get("dtype"),
            trainable=keywords.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask,
            activity_regularizer=activity_regularizer, **keywords,
        )  # fmt: skip


class GRU(OfCell):
    """The gated recurrent unit, step after step: see `GRUCell`.

    >>> layer = GRU(2)
    >>> layer([[[1.0], [2.0], [3.0]]]).shape, [w.shape.as_list() for w in layer.weights]
    (TensorShape([1, 2]), [[1, 6], [2, 6], [2, 6]])
    """

    def __init__(
        self, units: int, activation: Identifier = "tanh", recurrent_activation: Identifier = "sigmoid", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None, recurrent_constraint: Identifier = None, bias_constraint: Identifier = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        reset_after: bool = True, use_cudnn: str | bool = "auto", zero_output_for_mask: bool = False,
        **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of outputs and the choices; ``use_cudnn`` changes nothing."""
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, reset_after, seed, name="gru_cell", dtype=keywords.get("dtype"),
            trainable=keywords.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask,
            activity_regularizer=activity_regularizer, **keywords,
        )  # fmt: skip


class LSTM(OfCell):
    """Long short-term memory, step after step: see `LSTMCell`.

    >>> layer = LSTM(2, return_state=True)
    >>> output, h, c = layer([[[1.0], [2.0], [3.0]]])
    >>> bool((output == h).numpy().all()), c.shape
    (True, TensorShape([1, 2]))
    """

    def __init__(
        self, units: int, activation: Identifier = "tanh", recurrent_activation: Identifier = "sigmoid", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, activity_regularizer: Identifier = None,
        kernel_constraint: Identifier = None, recurrent_constraint: Identifier = None, bias_constraint: Identifier = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, unroll: bool = False,
        use_cudnn: str | bool = "auto", zero_output_for_mask: bool = False, **keywords: Unpack[SharedKeywords],
    ) -> None:  # fmt: skip
        """Take the number of outputs and the choices; ``use_cudnn`` changes nothing."""
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, name="lstm_cell",
            dtype=keywords.get("dtype"), trainable=keywords.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask,
            activity_regularizer=activity_regularizer, **keywords,
        )  # fmt: skip
