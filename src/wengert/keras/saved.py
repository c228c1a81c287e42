"""What of a model goes into files: its weights, itself, and its call."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from wengert.ground import nest
from wengert.keras import weights
from wengert.keras.training import Trainer
from wengert.modes.function import Function, TensorSpec, function
from wengert.tensor.tensor import Tensor
from wengert.train.saved.model import Signatures

__all__ = ["Saved"]


class Saved(Trainer):
    """A model that is written to files, and read from them."""

    _called_as: Any = None
    """The specs of what a subclass was called with first, where nothing else has to be given."""
    _path: Any

    def save_spec(self, dynamic_batch: bool = True) -> Any:
        """Return what the model is called with, as specs: arguments by position and by name; None where that is not known yet.

        ``dynamic_batch``: with any number of rows; else with as many as it was called with first.

        >>> from wengert.keras import Sequential
        >>> from wengert.keras.layers import Dense
        >>> Sequential([Dense(1, input_shape=(3,))]).save_spec()[0][0].shape
        TensorShape([None, 3])
        """
        if self._path is not None:
            specs = nest.map_structure(lambda t: TensorSpec(t.sizes, t.nptype, t.node.attrs["layer"].name), self._path.inputs)
        elif self._called_as is not None:
            specs = self._called_as
        else:
            return None
        if dynamic_batch:
            specs = nest.map_structure(lambda s: TensorSpec((None, *s.shape[1:]), s.dtype, s.name) if s.shape.rank else s, specs)
        return [specs], {}

    def _traced_call(self) -> Function | None:
        """Return the call, traced for training and without, for the kinds of tensors that the model is called with."""
        told = self.save_spec()
        if told is None:
            return None

        def call(inputs: Tensor, training: bool = False) -> Any:
            return self(inputs, training=training)

        call.__name__ = "inputs"
        traced: Function = function(call)
        specs = nest.map_structure(lambda s: TensorSpec(s.shape, s.dtype, None), told[0][0])
        for training in (False, True):
            traced.get_concrete_function(specs, training)
        return traced

    def save_weights(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        save_format: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the weights to a file of this very name: HDF5 if it ends with ``.h5``, else safetensors."""
        weights.save_weights(self, filepath, overwrite)

    def load_weights(
        self,
        filepath: str | os.PathLike[str],
        skip_mismatch: bool = False,
        by_name: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Set the weights from a file; where one does not fit nothing is changed.

        Raises:
            ValueError: where the file is damaged or its weights are not those of the model.
            NotImplementedError: for ``by_name``, unless the file lists layers by their names.
        """
        return weights.load_weights(self, filepath, skip_mismatch, by_name)

    def save(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, save_format: str | None = None,
        include_optimizer: bool = True, signatures: Signatures = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Write architecture, weights and what it was compiled with to a file, or with its call to a folder: see `save_model`."""
        weights.save_model(self, filepath, overwrite, save_format, include_optimizer, signatures)

    def export(self, filepath: str | os.PathLike[str], *arguments: Any, **keywords: Any) -> None:
        """Refuse: there is no format for programs."""
        raise NotImplementedError("export: TensorFlow's SavedModel is not written here. Use save_weights() or save().")
