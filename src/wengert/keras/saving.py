"""Weights and models in files: safetensors inside, whatever the file's name ends with.

A file of weights holds each variable under the attributes that lead to it, as ``layers.0.kernel`` or ``hidden.1.bias``. A
file of a model has the architecture beside them, as JSON of layers by name: nothing in a file is ever executed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from wengert import shapes
from wengert.keras import registry
from wengert.keras.layers.layer import put
from wengert.train import files

__all__ = ["LoadStatus", "load_model", "load_weights", "save_model", "save_weights"]

FORMAT = "wengert.keras 1"


class LoadStatus:
    """What ``load_weights`` returns: everything was loaded, or an error said why not."""

    def expect_partial(self) -> LoadStatus:
        """Return itself."""
        return self

    def assert_consumed(self) -> LoadStatus:
        """Return itself."""
        return self

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed


def _numbered(model: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over the variables with the names that a file has them under."""
    seen: set[str] = set()
    for path, variable, _ in model._named_weights():
        label, count = path, 1
        while label in seen:
            label, count = f"{path}#{count}", count + 1
        seen.add(label)
        yield label, variable
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and getattr(optimizer, "built", False):
        for i, variable in enumerate(optimizer.variables):
            yield f"optimizer.{i}", variable


def _write(path: str, arrays: dict[str, Any], metadata: dict[str, str]) -> None:
    from safetensors.numpy import save

    files.replace(path, save(arrays, metadata))


def _path(filepath: Any, who: str) -> str:
    path = os.fspath(filepath)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{who}: {path} is a folder; name a file, for instance {os.path.join(path, 'model.weights.h5')}.")
    return str(path)


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights, and the optimizer's variables where there are some.

    Raises:
        ValueError: where there are no weights yet.
        FileExistsError: where the file is there and may not be overwritten.
    """
    path = _path(filepath, "save_weights")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path} is there already; pass overwrite=True to replace it.")
    arrays = {label: np.asarray(v.array, order="C") for label, v in _numbered(model)}
    if not arrays and not model._built:
        raise ValueError(f'save_weights: the model "{model.name}" has no weights yet: build it, or call it with something.')
    _write(path, arrays, {"format": FORMAT, "class": type(model).__name__})


def _read(path: str, who: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arrays and the texts of a file.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is no file of safetensors.
    """
    if not os.path.isfile(path):
        if os.path.isfile(path + ".index"):
            raise ValueError(f"{who}: {path} is a checkpoint that TensorFlow wrote; only what Wengert wrote is read here.")
        raise FileNotFoundError(f"{who}: there is no file {path}")
    with open(path, "rb") as file:
        start = file.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        raise ValueError(
            f"{who}: {path} is an HDF5 file, which Keras wrote; only what Wengert wrote (safetensors) is read here. Read its "
            "arrays with h5py, and pass them to set_weights()."
        )
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{who}: {path} is no file of weights, or is damaged: {error}") from None


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> LoadStatus:
    """Set the weights from a file; where one does not fit nothing is changed.

    Raises:
        ValueError: where the file is damaged, or names and shapes are not those of the model.
    """
    path = _path(filepath, "load_weights")
    arrays, _ = _read(path, "load_weights")
    if not model._built and not model.weights:
        raise ValueError(f'load_weights: the model "{model.name}" has no weights yet: build it, or call it with something.')
    _place(model, arrays, path, skip_mismatch)
    return LoadStatus()


def _place(model: Any, arrays: Mapping[str, Any], path: str, skip_mismatch: bool = False) -> None:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and any(k.startswith("optimizer.") for k in arrays) and not getattr(optimizer, "built", True):
        optimizer.build(model.trainable_variables)
    wanted = dict(_numbered(model))
    own = {k for k in wanted if not k.startswith("optimizer.")}
    given = {k for k in arrays if not k.startswith("optimizer.")}
    wrong = [f"{k} is not in the file" for k in sorted(own - given)] + [f"{k} is not in the model" for k in sorted(given - own)]
    for key in sorted(wanted.keys() & arrays.keys()):
        if not shapes.fits(wanted[key].sizes, arrays[key].shape):
            wrong.append(f"{key} has shape {shapes.text(wanted[key].sizes)}, and in the file {arrays[key].shape}")
    if wrong and not skip_mismatch:
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        raise ValueError(f'The weights in {path} are not those of the model "{model.name}": {"; ".join(wrong[:3])}{more}.')
    for key, variable in wanted.items():
        if key in arrays and shapes.fits(variable.sizes, arrays[key].shape):
            put(variable, arrays[key])


def save_model(model: Any, filepath: Any, overwrite: bool = True, **keywords: Any) -> None:
    """Write a Sequential or functional model of layers: its architecture as JSON, and its weights.

    Raises:
        NotImplementedError: for a model that only its program can make again.
    """
    path = _path(filepath, "save_model")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_model: {path} is there already; pass overwrite=True to replace it.")
    try:
        text = json.dumps(registry.serialize(model))
    except TypeError as error:
        raise NotImplementedError(f"save_model: {error} Or save_weights(), and make the model by its program.") from None
    arrays = {label: np.asarray(v.array, order="C") for label, v in _numbered(model)}
    _write(path, arrays, {"format": FORMAT, "architecture": text})


def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """Make the model that `save_model` wrote, of layers that are known by name; it is not compiled.

    Raises:
        ValueError: where the file is damaged, holds no architecture, or names a class that is not registered.
    """
    from wengert.keras import layers, models

    path = _path(filepath, "load_model")
    arrays, texts = _read(path, "load_model")
    if "architecture" not in texts:
        raise ValueError(f"load_model: {path} holds weights alone: make the model by its program, then load_weights().")
    table = {**vars(layers), "Sequential": models.Sequential, "Functional": models.Model, "Model": models.Model}
    with registry.custom_object_scope(custom_objects or {}):
        try:
            config = json.loads(texts["architecture"])
            model = registry.deserialize(config, table, "model")
        except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"load_model: the architecture in {path} is damaged: {error!r}") from None
    _place(model, {k: v for k, v in arrays.items() if not k.startswith("optimizer.")}, path)
    return model
