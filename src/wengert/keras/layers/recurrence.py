"""`RNN`: a cell applied to one step of time after another. `StackedRNNCells`: several cells as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Unpack

from wengert.functions import array
from wengert.ground import nest
from wengert.ground.context import state
from wengert.keras import masks, registry
from wengert.keras.layers import restoring
from wengert.keras.layers.calling import Sizes
from wengert.keras.layers.keywords import LayerKeywords
from wengert.keras.layers.layer import Layer
from wengert.keras.variable import Variable
from wengert.modes.control import graph_loop
from wengert.tensor.tensor import Nested, SymbolicTensor, Tensor, TensorLike

__all__ = ["RNN", "StackedRNNCells"]


class CellLike(Protocol):
    """What an `RNN` is made of: the sizes of its states, and ``call(inputs, states)``."""

    state_size: Any

    def call(self, inputs: Tensor, states: Nested) -> Any:
        """Return the output and the next states."""

    def __call__(self, *arguments: Nested, **keywords: bool) -> Any:
        """Return the same, of a layer whose weights are made."""


def _checked(cell: CellLike) -> CellLike:
    if not hasattr(cell, "call"):
        raise ValueError(f"Argument `cell` should have a `call` method. Received: cell={cell}")
    if not hasattr(cell, "state_size"):
        raise ValueError(
            "The RNN cell should have a `state_size` attribute (single integer or list of integers, one integer per RNN state). "
            f"Received: cell={cell}"
        )
    return cell


def _states_of(cell: CellLike, batch_size: int | None, dtype: str) -> list[Any]:
    """Return the states that a cell begins with, in a list."""
    begin = getattr(cell, "get_initial_state", None)
    if begin is not None:
        found = begin(batch_size=batch_size)
    else:
        sizes = cell.state_size if isinstance(cell.state_size, list | tuple) else [cell.state_size]
        found = [array.zeros([batch_size, *(size if isinstance(size, Sequence) else [size])], dtype) for size in sizes]
    return list(found) if isinstance(found, list | tuple) else [found]


def _renewed(cell: CellLike) -> None:
    """Let a cell, and those that it is made of, draw its dropout anew."""
    for one in (cell, *getattr(cell, "cells", ())):
        for name in ("reset_dropout_mask", "reset_recurrent_dropout_mask"):
            if hasattr(one, name):
                getattr(one, name)()


def _step(cell: CellLike, x: Tensor, states: Nested, training: bool) -> Any:
    """Return the output and the next states of a cell, which may not know of training."""
    takes = masks.parameters(type(cell).call)
    return cell(x, states, training=training) if "training" in takes else cell(x, states)


def _where(rows: Tensor, new: Tensor, old: Tensor) -> Any:
    """Return the new value in some rows, and the old one in the others."""
    return array.where(array.reshape(rows, [-1, *[1] * (len(new.sizes) - 1)]), new, old)


class StackedRNNCells(Layer):
    """Cells one after the other: the output of each is the input of the next. Its states are the list of theirs."""

    def __init__(self, cells: Sequence[CellLike], **keywords: Unpack[LayerKeywords]) -> None:
        """Take the cells.

        Raises:
            ValueError: for what is no cell.
        """
        super().__init__(**keywords)
        for cell in cells:
            if not hasattr(cell, "call"):
                raise ValueError(f"All cells must have a `call` method. Received cell without a `call` method: {cell}")
            _checked(cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the output: of the last cell's."""
        last = self.cells[-1]
        first = last.state_size[0] if isinstance(last.state_size, list | tuple) else last.state_size
        return getattr(last, "output_size", first)

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """Return the states that the cells begin with."""
        return [_states_of(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def build(self, input_shape: Sizes) -> None:
        """Make the cells' weights."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell._build_once(input_shape)
            size = getattr(cell, "output_size", None)
            size = size if size is not None else cell.state_size
            input_shape = (input_shape[0], size[0] if isinstance(size, list | tuple) else size)
        self._built = True

    def call(self, inputs: Tensor, states: Sequence[Nested], training: bool = False, **keywords: TensorLike) -> Any:
        """Return the output of the last cell, and the next states of all."""
        following = []
        for cell, held in zip(self.cells, states, strict=True):
            inputs, held = _step(cell, inputs, held, training)
            following.append(held if isinstance(held, list | tuple) else [held])
        return inputs, following

    def get_config(self) -> dict[str, Any]:
        """Return the cells."""
        return {**super().get_config(), "cells": [registry.serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one of what `get_config` returned."""
        cells = [restoring.deserialize(cell, custom_objects) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


class RNN(Layer):
    """A cell applied to each step of (batch, time, ...), with the states that it returned for the step before.

    It returns the last output, or with ``return_sequences`` all of them, and with ``return_state`` the last states after it.
    Where a mask leaves a step out, states and output stay what they were. ``go_backwards`` takes the steps from the last to the
    first. ``stateful``: a batch begins with the states in which the batch before has ended. Eagerly, and with ``unroll``, the
    steps are taken one by one; in a graph they are otherwise a loop.

    >>> from wengert.keras.layers.cells import SimpleRNNCell
    >>> layer = RNN(SimpleRNNCell(1, "linear", kernel_initializer="ones", recurrent_initializer="ones"), return_sequences=True)
    >>> layer([[[1.0], [2.0], [4.0]]]).numpy().ravel()
    array([1., 3., 7.], dtype=float32)
    """

    supports_masking = True
    _arguments = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "zero_output_for_mask")

    def __init__(
        self, cell: CellLike | Sequence[CellLike], return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False, zero_output_for_mask: bool = False,
        **keywords: Unpack[LayerKeywords],
    ) -> None:  # fmt: skip
        """Take the cell, or several that become `StackedRNNCells`, and the choices.

        Raises:
            ValueError: for what is no cell.
        """
        super().__init__(**keywords)
        self.cell: Any = StackedRNNCells(cell) if isinstance(cell, Sequence) else _checked(cell)
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful, self.unroll = bool(go_backwards), bool(stateful), bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self._held: list[Any] = []

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's states, in a list."""
        size = self.cell.state_size
        return list(size) if isinstance(size, list | tuple) else [size]

    @property
    def states(self) -> Any:
        """The states in which the last batch has ended, if ``stateful``."""
        return nest.pack_sequence_as(self._begin(1), self._held) if self._held else None

    def _begin(self, batch_size: int | None) -> list[Any]:
        return _states_of(self.cell, batch_size, self.compute_dtype)

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Return the states that a batch of a size begins with."""
        return self._begin(batch_size)

    def build(self, sequences_shape: Sizes, initial_state_shape: Sizes | None = None) -> None:
        """Make the cell's weights, and if ``stateful`` the variables of its states.

        Raises:
            ValueError: where the size of a batch must be known and is not.
        """
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._build_once((sequences_shape[0], *sequences_shape[2:]))
        if self.stateful:
            if sequences_shape[0] is None:
                raise ValueError(
                    "When using `stateful=True` in a RNN, the batch size must be static. Found dynamic batch size: "
                    f"sequence.shape={tuple(sequences_shape)}"
                )
            begin = nest.flatten(self._begin(sequences_shape[0]))
            self._held = [Variable(v, trainable=False, name="rnn_state", path=f"{self.name}/rnn_state") for v in begin]
        self._built = True

    _UNTRACKED = ("_held",)

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for variable in self._held:
            variable.assign(array.zeros_like(variable))

    reset_states = reset_state

    def compute_mask(self, inputs: Nested | None, previous_mask: Nested | None = None) -> Any:
        """Return the mask for all outputs, if these are returned; states have none."""
        given = nest.flatten(previous_mask)[0] if self.return_sequences else None
        return [given, *[None for _ in nest.flatten(self.state_size)]] if self.return_state else given

    def call(
        self,
        sequences: Tensor,
        initial_state: Nested | None = None,
        mask: TensorLike | None = None,
        training: bool = False,
    ) -> Any:
        """Return the last output or all of them, and the last states if they are asked for.

        Raises:
            ValueError: where the steps are to be taken one by one and their number is not known.
        """
        if self.unroll and sequences.sizes[1] is None:
            raise ValueError(f"Cannot unroll a RNN if the time dimension is undefined; the input has shape {sequences.shape}.")
        begin = self._begin(sequences.sizes[0] if sequences.sizes[0] is not None else array.shape(sequences)[0])
        if initial_state is not None:
            begin = nest.pack_sequence_as(begin, nest.flatten(initial_state))
        elif self._held:
            begin = nest.pack_sequence_as(begin, [v._as_tensor() for v in self._held])
        begin = nest.map_structure(lambda v: array.cast(v, self.compute_dtype), begin)
        counted = None if mask is None else array.cast(nest.flatten(mask)[0], "bool")
        if self.go_backwards:
            sequences = array.reverse(sequences, [1])
            counted = None if counted is None else array.reverse(counted, [1])
        last, outputs, ends = self._all_steps(sequences, counted, begin, bool(training))
        for variable, end in zip(self._held, nest.flatten(ends), strict=True) if self.stateful else ():
            variable.assign(array.cast(end, variable.dtype))
        result = outputs if self.return_sequences else last
        return (result, *ends) if self.return_state else result

    def _all_steps(self, x: Tensor, mask: Tensor | None, begin: list[Any], training: bool) -> tuple[Any, Any, Any]:
        """Return the last output, all outputs (None unless asked for), and the last states."""
        _renewed(self.cell)

        def step(at: Tensor, states: list[Any]) -> tuple[Any, list[Any]]:
            output, following = _step(self.cell, at, states, training)
            return output, list(following) if isinstance(following, list | tuple) else [following]

        try:
            symbolic = state.graph is not None or isinstance(x, SymbolicTensor)
            if self.unroll or not symbolic or x.sizes[1] == 1:
                return self._one_by_one(step, x, mask, begin)
            return self._looped(step, x, mask, begin)
        finally:
            _renewed(self.cell)

    def _next(
        self,
        step: Callable[[Tensor, list[Any]], tuple[Any, list[Any]]],
        at: Tensor,
        counts: Tensor | None,
        before: Tensor | None,
        states: list[Any],
    ) -> tuple[Any, Any, list[Any]]:
        """Take a step: return the output to carry on, the output to show, and the states."""
        output, following = step(at, states)
        if counts is None:
            return output, output, following

        zero = array.zeros_like(output)
        kept = _where(counts, output, zero if before is None else before)
        shown = _where(counts, output, zero) if self.zero_output_for_mask else kept
        pairs = zip(nest.flatten(following), nest.flatten(states), strict=True)
        return kept, shown, nest.pack_sequence_as(states, [_where(counts, new, old) for new, old in pairs])

    def _one_by_one(self, step: Callable[..., Any], x: Tensor, mask: Tensor | None, states: list[Any]) -> tuple[Any, Any, Any]:
        if x.sizes[1] == 0:
            raise ValueError(f'Layer "{self.name}": there is no step of time in an input of shape {x.shape}.')
        rows = array.unstack(x, axis=1)
        counts = [None] * len(rows) if mask is None else array.unstack(mask, axis=1)
        kept, shown = None, []
        for at, one in zip(rows, counts, strict=True):
            kept, output, states = self._next(step, at, one, kept, states)
            shown.append(output)
        return shown[-1], array.stack(shown, axis=1) if self.return_sequences else None, states

    def _looped(self, step: Callable[..., Any], x: Tensor, mask: Tensor | None, begin: list[Any]) -> tuple[Any, Any, Any]:
        def steps_first(t: Tensor) -> Any:
            return array.transpose(t, [1, 0, *range(2, len(t.sizes))])

        # What is random must be drawn before the loop, and how an output looks is known after a step.
        carry = [array.zeros_like(step(x[:, 0], begin)[0]), *nest.flatten(begin)]
        n = len(carry)

        def body(kept: Tensor, *leaves: Tensor) -> Any:
            states, counts = nest.pack_sequence_as(begin, list(leaves[: n - 1])), leaves[n] if mask is not None else None
            kept, shown, states = self._next(step, leaves[n - 1], counts, kept, states)
            return [kept, *nest.flatten(states)], [shown] if self.return_sequences else []

        given = [steps_first(x)] if mask is None else [steps_first(x), steps_first(mask)]
        found = graph_loop(None, body, carry, sequences=given, rows=True)
        last = found[0]
        if mask is not None and self.zero_output_for_mask:
            last = _where(mask[:, -1], last, array.zeros_like(last))
        return last, steps_first(found[n]) if self.return_sequences else None, nest.pack_sequence_as(begin, found[1:n])

    def get_config(self) -> dict[str, Any]:
        """Return the choices and the cell."""
        return {**super().get_config(), "cell": registry.serialize(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Make one of what `get_config` returned."""
        return cls(**{**config, "cell": restoring.deserialize(config["cell"], custom_objects)})
