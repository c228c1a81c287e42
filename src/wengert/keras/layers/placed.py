"""Where a layer stands in a functional model."""

from __future__ import annotations

from typing import Any

from wengert.keras.layers.calling import shape_of
from wengert.modes.module import Module

__all__ = ["Placed"]


class Placed(Module):
    """A layer that may have been called with what `Input` returns."""

    _node: Any

    def _called(self) -> Any:
        if self._node is None:
            raise AttributeError(f'The layer "{self.name}" has not been called with what Input() returns.')
        return self._node

    @property
    def input(self) -> Any:
        """What it was called with in a functional model, the last time."""
        inputs = self._called().inputs
        return inputs[0] if len(inputs) == 1 else list(inputs)

    @property
    def output(self) -> Any:
        """What it returned in a functional model, the last time."""
        outputs = self._called().outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    @property
    def input_shape(self) -> Any:
        """The shape of `input`."""
        return shape_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of `output`."""
        return shape_of(self.output)
