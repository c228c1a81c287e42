"""One step of a recurrent layer: SimpleRNNCell, GRUCell and LSTMCell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Unpack

from wengert.functions import array, nn
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.ground.dtypes import DtypeLike
from wengert.keras import activations, constraints, initializers, regularizers
from wengert.keras.initializers import InitializerLike
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.keras.registry import Identifier
from wengert.tensor.tensor import Nested, Tensor

__all__ = ["ARGUMENTS", "Cell", "GRUCell", "LSTMCell", "SimpleRNNCell", "two_of"]

ARGUMENTS = ("units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer",
             "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "kernel_constraint", "recurrent_constraint",
             "bias_constraint", "dropout", "recurrent_dropout", "seed")  # fmt: skip
"""What all cells, and the layers of them, are made of."""


class Cell(Layer):
    """One step: ``call(inputs, states)`` returns the output and the next states."""

    _arguments: ClassVar[tuple[str, ...] | None] = ARGUMENTS
    _gates = 1
    """How many vectors of ``units`` numbers a step computes of input and state."""
    state_size: int | list[int]

    def __init__(
        self, units: int, activation: Identifier = "tanh", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None, bias_constraint: Identifier = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the number of outputs and the choices.

        Raises:
            ValueError: unless units is a positive whole number.
        """
        super().__init__(**keywords)
        if isinstance(units, bool) or int(units) != units or units < 1:
            raise ValueError(f"Received an invalid value for argument `units`, expected a positive integer, got {units}.")
        self.units = self.output_size = self.state_size = int(units)
        self.activation, self.use_bias, self.seed = activations.get(activation), bool(use_bias), seed
        self.kernel_initializer, self.bias_initializer = initializers.get(kernel_initializer), initializers.get(bias_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.kernel_regularizer, self.bias_regularizer = regularizers.get(kernel_regularizer), regularizers.get(bias_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.kernel_constraint, self.bias_constraint = constraints.get(kernel_constraint), constraints.get(bias_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, rate)) for rate in (dropout, recurrent_dropout))
        self.bias: Any = None
        self._kept: dict[str, Tensor] = {}

    def build(self, input_shape: Sizes) -> None:
        """Make the two kernels and the bias."""
        size, width = input_shape[-1], self._gates * self.units
        if size is None:
            raise ValueError(f'Layer "{self.name}": the size of the last axis must be known; the input has shape {input_shape}.')
        self.kernel = self.add_weight(
            name="kernel", shape=(size, width), initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, width), initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer, constraint=self.recurrent_constraint,
        )  # fmt: skip
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=self._bias_shape(), initializer=self._bias_initializer(), regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )  # fmt: skip
        self._built = True

    def _bias_shape(self) -> tuple[int, ...]:
        return (self._gates * self.units,)

    def _bias_initializer(self) -> Callable[..., Any]:
        found: Callable[..., Any] = self.bias_initializer
        return found

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """Return zeros for each state."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [array.zeros([batch_size, size], self.compute_dtype) for size in sizes]

    def get_dropout_mask(self, step_input: Tensor) -> Any:
        """Return factors for the input, the same ones for all steps until `reset_dropout_mask`; None for none."""
        return self._factors("input", step_input, self.dropout)

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Any:
        """Return factors for the state, the same ones for all steps until `reset_recurrent_dropout_mask`; None for none."""
        return self._factors("state", step_input, self.recurrent_dropout)

    def _factors(self, what: str, like: Tensor, rate: float) -> Any:
        if not 0 < rate < 1:
            return None
        if what not in self._kept:
            self._kept[what] = nn.dropout(array.ones_like(like), rate, seed=self.seed)
        return self._kept[what]

    def reset_dropout_mask(self) -> None:
        """Let the next step draw factors for the input anew."""
        self._kept.pop("input", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Let the next step draw factors for the state anew."""
        self._kept.pop("state", None)

    def _dropped(self, x: Tensor, h: Tensor, training: bool) -> tuple[Any, Any]:
        """Return input and state, in training times their factors."""
        if training:
            of_x, of_h = self.get_dropout_mask(x), self.get_recurrent_dropout_mask(h)
            x, h = x if of_x is None else x * of_x, h if of_h is None else h * of_h
        return x, h

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_kept": {}}


def two_of(states: Nested) -> tuple[Any, Any]:
    """Return the two states of a cell."""
    h, c = states if isinstance(states, list | tuple) else nest.flatten(states)
    return h, c


def _first(states: Nested) -> tuple[Any, bool]:
    """Return the only state, and whether it was in a list."""
    return (states[0], True) if isinstance(states, list | tuple) else (states, False)


class SimpleRNNCell(Cell):
    """h = activation(x kernel + h recurrent_kernel + bias)."""

    def call(self, sequence: Tensor, states: Nested, training: bool = False) -> Any:
        """Return the output and the next state."""
        h, listed = _first(states)
        x, h = self._dropped(sequence, h, training)
        total = elementary.matmul(x, self._computed(self.kernel))
        if self.bias is not None:
            total = total + self._computed(self.bias)
        h = self.activation(total + elementary.matmul(h, self._computed(self.recurrent_kernel)))
        return h, [h] if listed else h


class GRUCell(Cell):
    """h = z h + (1 - z) ĥ, with the gates z and r = recurrent_activation(x W + h U + b), and ĥ = activation(x W + r (h U) + b).

    With ``reset_after=False`` it is ĥ = activation(x W + (r h) U + b). Cho and others (2014).
    """

    _arguments = (*ARGUMENTS, "recurrent_activation", "reset_after")
    _gates = 3

    def __init__(
        self, units: int, activation: Identifier = "tanh", recurrent_activation: Identifier = "sigmoid", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None, bias_constraint: Identifier = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, reset_after: bool = True, seed: int | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the number of outputs and the choices."""
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, **keywords,
        )  # fmt: skip
        self.recurrent_activation, self.reset_after = activations.get(recurrent_activation), bool(reset_after)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def call(self, inputs: Tensor, states: Nested, training: bool = False) -> Any:
        """Return the output and the next state."""
        before, listed = _first(states)
        x, h = self._dropped(inputs, before, training)
        n, kernel = self.units, self._computed(self.recurrent_kernel)
        given, held = None, None
        if self.bias is not None:
            bias = self._computed(self.bias)
            given, held = (bias[0], bias[1]) if self.reset_after else (bias, None)
        a = elementary.matmul(x, self._computed(self.kernel))
        a = a if given is None else a + given
        b = elementary.matmul(h, kernel if self.reset_after else kernel[:, : 2 * n])
        b = b if held is None else b + held
        gates = self.recurrent_activation(a[..., : 2 * n] + b[..., : 2 * n])
        z, r = gates[..., :n], gates[..., n:]
        last = r * b[..., 2 * n :] if self.reset_after else elementary.matmul(r * h, kernel[:, 2 * n :])
        h = z * before + (1.0 - z) * self.activation(a[..., 2 * n :] + last)
        return h, [h] if listed else h


class LSTMCell(Cell):
    """c = f c + i activation(x W + h U + b) and h = o activation(c), with gates i, f, o = recurrent_activation(x W + h U + b).

    Hochreiter and Schmidhuber (1997). ``unit_forget_bias``: the bias of f begins with ones.
    """

    _arguments: ClassVar[tuple[str, ...] | None] = (*ARGUMENTS, "recurrent_activation", "unit_forget_bias")
    _gates = 4

    def __init__(
        self, units: int, activation: Identifier = "tanh", recurrent_activation: Identifier = "sigmoid", use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None, bias_regularizer: Identifier = None, kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None, bias_constraint: Identifier = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, seed: int | None = None, **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the number of outputs and the choices."""
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, **keywords,
        )  # fmt: skip
        self.recurrent_activation, self.unit_forget_bias = activations.get(recurrent_activation), bool(unit_forget_bias)
        self.state_size = [self.units, self.units]

    def _bias_initializer(self) -> Callable[..., Any]:
        if not self.unit_forget_bias:
            return super()._bias_initializer()

        def bias(shape: Sequence[int], dtype: DtypeLike = "float32") -> Any:
            n = self.units
            parts = (self.bias_initializer([n], dtype), array.ones([n], dtype), self.bias_initializer([2 * n], dtype))
            return array.concat([array.cast(part, dtype) for part in parts], 0)

        return bias

    def call(self, inputs: Tensor, states: Nested, training: bool = False) -> Any:
        """Return the output and the next states, h and c."""
        h, c = two_of(states)
        x, h = self._dropped(inputs, h, training)
        total = elementary.matmul(x, self._computed(self.kernel)) + elementary.matmul(h, self._computed(self.recurrent_kernel))
        if self.bias is not None:
            total = total + self._computed(self.bias)
        n = self.units
        i, f, o = (self.recurrent_activation(total[..., k * n : (k + 1) * n]) for k in (0, 1, 3))
        c = f * c + i * self.activation(total[..., 2 * n : 3 * n])
        h = o * self.activation(c)
        return h, [h, c]
