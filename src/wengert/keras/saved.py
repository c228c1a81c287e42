"""What of a model goes into files: its weights, itself, and its call."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from wengert.ground import nest
from wengert.keras import weights
from wengert.keras.training import Trainer
from wengert.modes.function import Function, TensorSpec, function
from wengert.modes.module import Module
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Tensor
from wengert.train.saved import model as saved_model
from wengert.train.saved.model import Signatures

__all__ = ["Saved", "Served"]


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

    def export(
        self, filepath: str | os.PathLike[str], format: str = "tf_saved_model", verbose: bool | None = None,
        input_signature: Sequence[TensorSpec] | None = None, **keywords: Any,
    ) -> None:  # fmt: skip
        """Write a saved model of the call alone, as without training: ``serve``, and signatures "serve" and "serving_default".

        ``input_signature``: what it is called with, in place of `save_spec`. `wengert.saved_model.load` reads it.

        Raises:
            ValueError: where it is not known what the model is called with.
            NotImplementedError: for another format than "tf_saved_model".
        """
        if format != "tf_saved_model":
            raise NotImplementedError(f"export: there is the format 'tf_saved_model', and {format!r} is not written here.")
        told = self.save_spec() if input_signature is None else (list(input_signature), {})
        if told is None:
            raise ValueError("The model provided has not yet been built. It must be built before export.")

        def args(*inputs: Tensor) -> Any:
            return self(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

        served = Served(function(args, input_signature=told[0]), self.variables)
        saved_model.save(served, filepath, {"serve": served.serve, "serving_default": served.serve})
        if verbose is None or verbose:
            print(f"Saved artifact at '{os.fspath(filepath)}'.")


class Served(Module):
    """What `Saved.export` writes."""

    def __init__(self, serve: Function, kept: Sequence[Variable]) -> None:
        """Take the function and the variables."""
        super().__init__()
        self.serve, self.kept = serve, list(kept)
