"""Weights and models in files: safetensors inside, whatever the file's name ends with.

A file of weights holds each variable under the attributes that lead to it, as ``layers.0.kernel`` or ``hidden.1.bias``. A
file of a model has the architecture beside them, as JSON of layers by name: nothing in a file is ever executed.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from wengert.ground import shapes
from wengert.ground.context import state
from wengert.ground.errors import DataLossError
from wengert.keras import registry
from wengert.keras.layers.layer import Layer
from wengert.keras.steps import Steps
from wengert.train import archive
from wengert.train.checkpoint import storage_of
from wengert.train.objects import children, slot_names, slots, trackable
from wengert.train.placing import Placement, ready
from wengert.train.placing import place as set_all
from wengert.train.restoration import Restoration

__all__ = ["LoadStatus", "load_weights", "save_model", "save_weights"]

FORMAT = "wengert.keras 1"


class LoadStatus:
    """What ``load_weights`` returns: the model's weights were loaded, or an error said why not; an optimizer's may wait."""

    def __init__(self, waiting: Restoration | None = None) -> None:
        """Take what gives the optimizer's variables their values."""
        self._waiting = waiting

    def expect_partial(self) -> LoadStatus:
        """Return itself: what is left over of the optimizer's values in the end is not spoken of."""
        if self._waiting is not None:
            self._waiting.left.silent = True
        return self

    def assert_consumed(self) -> LoadStatus:
        """Return itself if all values have gone to variables.

        Raises:
            AssertionError: if the optimizer lacks variables for some.
        """
        if self._waiting is not None:
            self._waiting.look()
            if self._waiting.left.values:
                raise AssertionError(f"Unresolved values in {self._waiting.source}: {_few(self._waiting.left.values)}")
        return self

    def assert_existing_objects_matched(self) -> LoadStatus:
        """Return itself."""
        return self

    assert_nontrivial_match = assert_existing_objects_matched


OPTIMIZER = "optimizer."
"""What the names of an optimizer's variables begin with in a file."""


class _Named:
    """A model as a file of weights knows it: its variables by their names there, and its optimizer."""

    def __init__(self, model: Layer) -> None:
        self.model = model
        self.left: Any = None

    def _trackable_children(self) -> dict[str, Any]:
        found = dict(_weights(self.model))
        optimizer = getattr(self.model, "optimizer", None)
        return found if not trackable(optimizer) else {**found, OPTIMIZER: optimizer}


def _weights(model: Layer) -> Iterator[tuple[str, Any]]:
    """Iterate over the model's variables with the names that a file has them under."""
    seen: set[str] = set()
    for path, variable, _ in model._named_weights():
        label, count = path, 1
        while label in seen:
            label, count = f"{path}#{count}", count + 1
        seen.add(label)
        yield label, variable


def _numbered(model: Layer) -> Iterator[tuple[str, Any]]:
    """Iterate over the model's variables and its optimizer's with the names that a file has them under.

    A slot is named after its variable, ``optimizer.hidden.0.kernel:momentum``, what belongs to none as ``optimizer.iteration``.
    """
    labels = {}
    for label, variable in _weights(model):
        labels[id(variable)] = label
        yield label, variable
    optimizer: Any = getattr(model, "optimizer", None)
    if trackable(optimizer) and getattr(optimizer, "built", True):
        others = {id(kept): name for name, kept in slot_names(optimizer).items()}
        for name, variable in children(optimizer).items():
            yield OPTIMIZER + name, variable
        for variable, slot, kept in slots(optimizer):
            known = labels.get(id(variable))
            yield OPTIMIZER + (others[id(kept)] if known is None else f"{known}:{slot}"), kept


def _picture(labels: list[str], keys: Any) -> list[dict[str, Any]]:
    """Return the nodes that the optimizer's keys in a file tell of: the model, its optimizer, variables, what is kept."""
    nodes: list[dict[str, Any]] = [{"children": {OPTIMIZER: 1}}, {"children": {}, "slots": []}]
    for label in labels:
        nodes[0]["children"][label] = len(nodes)
        nodes.append({"children": {}})
    for key in sorted(keys):
        name = key.removeprefix(OPTIMIZER)
        label, _, slot = name.rpartition(":")
        if label in nodes[0]["children"]:
            nodes[1]["slots"].append([nodes[0]["children"][label], slot, len(nodes)])
        elif name.isdecimal():  # a file that tells the places of an optimizer's variables, and no more
            if "variables" not in nodes[1]["children"]:
                nodes[1]["children"]["variables"] = len(nodes)
                nodes.append({"children": {}})
            nodes[nodes[1]["children"]["variables"]]["children"][name] = len(nodes)
        else:
            nodes[1]["children"][name] = len(nodes)
        nodes.append({"children": {}, "value": key})
    return nodes


def _write(path: str, arrays: dict[str, Any], metadata: dict[str, str]) -> None:
    archive.dump(path, arrays, metadata)


def path_of(filepath: str | os.PathLike[str], who: str) -> str:
    path = os.fspath(filepath)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{who}: {path} is a folder; name a file, for instance {os.path.join(path, 'model.weights.h5')}.")
    return str(path)


def save_weights(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights, and the optimizer's variables where there are some.

    Raises:
        ValueError: where there are no weights yet.
        FileExistsError: where the file is there and may not be overwritten.
    """
    path = path_of(filepath, "save_weights")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path} is there already; pass overwrite=True to replace it.")
    arrays = {label: np.asarray(v.array, order="C") for label, v in _numbered(model)}
    if not arrays and not model._built:
        raise ValueError(f'save_weights: the model "{model.name}" has no weights yet: build it, or call it with something.')
    _write(path, arrays, {"format": FORMAT, "class": type(model).__name__})


def read(path: str, who: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arrays and the texts of a file.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is no whole file of this kind; it names the file.
        PermissionDeniedError, ResourceExhaustedError: if it may not be read, or without the memory for it.
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
    try:
        return archive.load(path)
    except DataLossError as error:
        raise ValueError(f"{who}: {path} is no file of weights: {error}") from None


def load_weights(model: Steps, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> LoadStatus:
    """Set the weights from a file; where one does not fit nothing is changed.

    Raises:
        ValueError: where the file is damaged, or names and shapes are not those of the model.
    """
    path = path_of(filepath, "load_weights")
    arrays, _ = read(path, "load_weights")
    if not model._built and not model.weights:
        raise ValueError(f'load_weights: the model "{model.name}" has no weights yet: build it, or call it with something.')
    return LoadStatus(place(model, arrays, path, skip_mismatch))


def place(model: Steps, arrays: Mapping[str, Any], path: str, skip_mismatch: bool = False) -> Restoration | None:
    """Set the weights, and the optimizer's variables as soon as they are there; return what does that, None if nothing is to be.

    Raises:
        ValueError: where names or shapes are not those of the model; nothing is changed then.
    """
    wanted = dict(_weights(model))
    given = {k: v for k, v in arrays.items() if not k.startswith(OPTIMIZER)}
    wrong = [f"{k} is not in the file" for k in sorted(wanted.keys() - given.keys())]
    wrong += [f"{k} is not in the model" for k in sorted(given.keys() - wanted.keys())]
    for key in sorted(wanted.keys() & given.keys()):
        if not shapes.fits(wanted[key].sizes, given[key].shape):
            wrong.append(f"{key} has shape {shapes.text(wanted[key].sizes)}, and in the file {given[key].shape}")
    if wrong and not skip_mismatch:
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        raise ValueError(f'The weights in {path} are not those of the model "{model.name}": {"; ".join(wrong[:3])}{more}.')
    weights = [
        ready(storage_of(variable), given[key])
        for key, variable in wanted.items()
        if key in given and shapes.fits(variable.sizes, given[key].shape)
    ]
    kept = {k: v for k, v in arrays.items() if k.startswith(OPTIMIZER)}
    if kept:
        return _keep(model, weights, kept, list(wanted), path)
    set_all(weights)
    return None


def _keep(model: Steps, weights: list[Placement], kept: Mapping[str, Any], labels: list[str], path: str) -> Restoration:
    """Set the weights, and with them the optimizer's variables, or these when they are made; say where that cannot be."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not getattr(optimizer, "built", True):
        optimizer.build(model.trainable_variables)
    names = model._named = _Named(model)  # lives as long as the model
    waiting = Restoration(path, kept, _picture(labels, kept), names, state.session, weights)
    names.left = waiting.left
    names.left.silent = optimizer is None  # as long as there is none
    if optimizer is not None:
        own = [name for name, variable in _numbered(model) if name.startswith(OPTIMIZER) and not waiting.took(variable)]
        left = waiting.left.values
        about = [f"the optimizer has {_few(own)}, which the file has not"] if own else []
        about += [f"the file has {_few(left)}, which go to no variable so far"] if left else []
        if about:
            text = f"{path}: not all of the optimizer's state was restored: {'; '.join(about)}. The model's weights were."
            warnings.warn(text, stacklevel=5)
    return waiting


def _few(keys: Iterable[str]) -> str:
    """Return some keys as a text."""
    names = sorted(keys)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def save_model(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, **keywords: Any) -> None:
    """Write a Sequential or functional model of layers: its architecture as JSON, and its weights.

    Raises:
        NotImplementedError: for a model that only its program can make again.
    """
    path = path_of(filepath, "save_model")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_model: {path} is there already; pass overwrite=True to replace it.")
    try:
        text = json.dumps(registry.serialize(model))
    except TypeError as error:
        raise NotImplementedError(f"save_model: {error} Or save_weights(), and make the model by its program.") from None
    arrays = {label: np.asarray(v.array, order="C") for label, v in _numbered(model)}
    _write(path, arrays, {"format": FORMAT, "architecture": text})
