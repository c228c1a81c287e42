"""Weights and models in files: as Keras has them where the name ends with ``.h5`` or ``.keras``, safetensors inside all others.

A file of weights holds each variable under the attributes that lead to it, as ``layers.0.kernel`` or ``hidden.1.bias``. A
file of a model has the architecture beside them, as JSON of layers by name: nothing in a file is ever executed. Files that
Keras wrote are read, by where it keeps each variable (`wengert.keras.layout`).
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from wengert.execute.processes import file_of_first, of_first
from wengert.ground import shapes
from wengert.ground.context import state
from wengert.ground.errors import DataLossError
from wengert.ground.interrupt import undivided
from wengert.ground.replacing import replace
from wengert.ground.types import NumPyArray
from wengert.keras import architecture, hdf5, layout, registry, zipped
from wengert.keras.layers.layer import Layer
from wengert.keras.steps import Steps
from wengert.modes.variable import Variable
from wengert.train import archive, files
from wengert.train.checkpoint import nodes_of, storage_of
from wengert.train.objects import children, slot_names, slots, trackable
from wengert.train.placing import Placement, ready
from wengert.train.placing import place as set_all
from wengert.train.restoration import Restoration
from wengert.train.saved import model as saved
from wengert.train.saved.objects import Called

__all__ = ["LoadStatus", "load_weights", "save_model", "save_weights"]

FORMAT = "wengert.keras 1"
FILES = (".keras", ".h5", ".hdf5", ".safetensors")
"""How the name of a model's file ends; another is that of a folder."""
KERAS = "wengert.keras"
"""The entry of a saved model's texts that tells what a Keras model is made of: its arrays, and what it was compiled with."""
SOME, MOST = 1 << 10, 8
"""How many numbers there may be besides a model's weights, and how many for each of them in an optimizer."""
log = logging.getLogger("wengert")


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
    """Return the path of a file.

    Raises:
        IsADirectoryError: for a folder.
    """
    path = os.fspath(filepath)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{who}: {path} is a folder; name a file, for instance {os.path.join(path, 'model.weights.h5')}.")
    return str(path)


def save_weights(model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights, and the optimizer's variables where there are some: as HDF5 if the name ends with ``.h5``.

    Raises:
        ValueError: where there are no weights yet.
        FileExistsError: where the file is there and may not be overwritten.
    """
    path = path_of(filepath, "save_weights")
    if not overwrite and of_first(os.path.exists(path)):
        raise FileExistsError(f"save_weights: {path} is there already; pass overwrite=True to replace it.")
    arrays = {label: np.asarray(v.array, order="C") for label, v in _numbered(model)}
    if not arrays and not model._built:
        raise ValueError(f'save_weights: the model "{model.name}" has no weights yet: build it, or call it with something.')
    if path.endswith((".h5", ".hdf5")) and _keras_reads(path):
        replace(path, hdf5.sealed(_hdf5(model, arrays)))
    else:
        _write(path, arrays, {"format": FORMAT, "class": type(model).__name__})


def _keras_reads(path: str) -> bool:
    """Return whether a file can be written that Keras reads; say once where not."""
    if not hdf5.available():
        _say_once(f"{path} and files like it are written as safetensors, which Keras does not read: {hdf5.INSTALL} for HDF5.")
    return hdf5.available()


@functools.lru_cache(maxsize=1)
def _said() -> list[str]:
    return []


def _say_once(text: str) -> None:
    if not _said():
        _said().append(text)
        log.warning(text)


def _hdf5(model: Layer, arrays: Mapping[str, NumPyArray], **texts: str) -> bytes:
    """Return an HDF5 file as Keras 3 writes it; each array says, too, what it is called here."""
    labels = {id(variable): label for label, variable in _numbered(model) if label in arrays}
    groups: dict[str, str] = {}
    paths: dict[str, str] = {}
    for group, name, variables in layout.places(model):
        groups[group] = name
        paths |= {f"{group}/{i}": labels.pop(id(v)) for i, v in enumerate(variables) if id(v) in labels}
    optimizer: Any = getattr(model, "optimizer", None)
    if trackable(optimizer) and getattr(optimizer, "built", True):
        groups["optimizer/vars"] = getattr(optimizer, "name", "")
        kept = optimizer.variables
        paths |= {f"optimizer/vars/{i}": labels.pop(id(v)) for i, v in enumerate(kept) if id(v) in labels}
    paths |= {f"wengert/{label}": label for label in labels.values()}  # of tf.Variables, which Keras does not save
    return hdf5.dumped({path: arrays[label] for path, label in paths.items()}, paths, groups, {"format": FORMAT, **texts})


# --- reading ----------------------------------------------------------------------------------------------------------------


class Stored(NamedTuple):
    """What a file holds: the texts of one of ours, Keras' architecture, and the arrays, or what stands for them."""

    path: str
    texts: Mapping[str, str]
    architecture: Mapping[str, Any] | None
    compile: Mapping[str, Any] | None
    arrays: Mapping[str, Any] | None
    tree: hdf5.Tree | None

    def elements(self) -> int:
        """Return how many numbers all arrays hold, and some: more than weights that are not saved have."""
        arrays = (self.arrays or {}) if self.tree is None else self.tree.arrays
        return sum(math.prod(array.shape) for array in arrays.values()) + SOME

    def given(self, model: Layer, by_name: bool = False) -> Mapping[str, Any]:
        """Return the arrays by the names that the model's variables have in our files.

        Raises:
            ValueError: where it tells of other layers than the model's.
        """
        tree = self.tree
        if tree is None:
            return self.arrays or {}
        if self.texts.get("format") == FORMAT:
            return {array.label or path: array for path, array in tree.arrays.items()}
        labels = {id(variable): label for label, variable in _weights(model)}
        prefix = "model_weights" if "model_weights" in tree.groups else ""
        old = "layer_names" in tree.groups[prefix].attrs or "layer_names0" in tree.groups[prefix].attrs
        pairs = layout.legacy(model, tree, prefix, by_name) if old else layout.resolved(model, tree)
        try:
            found = {labels[id(variable)]: tree.arrays[path] for variable, path in pairs if id(variable) in labels}
        except ValueError as error:
            raise ValueError(f'The weights in {self.path} are not those of the model "{model.name}": {error}.') from None
        if not old:
            passed = ("optimizer/", "metrics/", "compile_metrics/")
            used = {id(array) for array in found.values()}
            found |= {path: one for path, one in tree.arrays.items() if id(one) not in used and not path.startswith(passed)}
        return {**found, **_of_optimizer(model, layout.optimizer(tree))}


def _of_optimizer(model: Any, values: Sequence[hdf5.Dataset]) -> dict[str, Any]:
    """Return an optimizer's values by the names of its variables, or by their places where there may be doubt.

    Keras 3 keeps its variables in the order of ours. Keras 2 has no variable of the learning rate, and another order
    of the weights of subclasses.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and trackable(optimizer) and values:
        optimizer.build(model.trainable_variables)
        own = list(optimizer.variables)
        if len(own) == len(values) + 1 and getattr(model, "_path", None) is not None:
            own = [v for v in own if v is not optimizer.learning_rate]
        if [tuple(v.shape) for v in own] == [v.shape for v in values]:
            names = {id(v): label for label, v in _numbered(model)}
            kept = {names[id(v)]: np.asarray(v.array) for v in optimizer.variables if not any(v is one for one in own)}
            return {**kept, **{names[id(v)]: value for v, value in zip(own, values, strict=True)}}
    return {f"{OPTIMIZER}{i}": value for i, value in enumerate(values)}


@contextlib.contextmanager
def opened(path: str, who: str) -> Iterator[Stored]:
    """Open a file of weights, or of a model: ours, or one that Keras wrote.

    Raises:
        FileNotFoundError: if it is not there.
        ImportError: for an HDF5 file without what reads them; it says what to install.
        ValueError: if it is no whole file of these kinds; it names the file.
        PermissionDeniedError, ResourceExhaustedError: if it may not be read, or without the memory for it.
    """
    if of_first(os.path.isdir(path)):
        path = os.path.join(path, saved.FILE)
    with file_of_first(path) as here:
        if not os.path.isfile(here):
            raise FileNotFoundError(f"{who}: there is no file {path}")
        with _opened(here, who) as stored:
            yield stored._replace(path=path)


@contextlib.contextmanager
def _opened(path: str, who: str) -> Iterator[Stored]:
    with open(path, "rb") as file:
        start = file.read(8)
    if start == hdf5.SIGNATURE:
        with hdf5.opened(path, who) as tree:
            yield _stored(path, who, tree)
    elif start.startswith(b"PK\3\4"):
        members = zipped.read(path, who)
        with hdf5.opened(path, who, members.weights) as tree:
            config = members.config
            text = tree.text("", "architecture")
            texts = {} if text is None else {"architecture": text}
            yield Stored(path, {**_format(tree), **texts}, config, config.get("compile_config"), None, tree)
    else:
        try:
            arrays, texts = archive.load(path)
        except DataLossError as error:
            raise ValueError(f"{who}: {path} is no file of weights: {error}") from None
        if KERAS in texts:
            try:
                arrays = {label: arrays[name] for label, name in json.loads(texts[KERAS])["labels"].items()}
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise ValueError(f"{who}: {path} cannot be read, what it tells of a Keras model is damaged: {error}") from None
        yield Stored(path, texts, None, None, arrays, None)


def _format(tree: hdf5.Tree) -> dict[str, str]:
    text = tree.text("", "format")
    return {} if text is None else {"format": text}


def _stored(path: str, who: str, tree: hdf5.Tree) -> Stored:
    """Return what an HDF5 file holds: weights, or a model of Keras 2."""
    told: list[Any] = []
    for name in ("model_config", "training_config"):
        text = tree.text("", name)
        try:
            told.append(None if text is None else json.loads(text))
        except (ValueError, RecursionError) as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise ValueError(f"{who}: {path} cannot be read, its {name} is damaged: {what}") from None
        if not isinstance(told[-1], dict | None):
            raise ValueError(f"{who}: {path} cannot be read, its {name} is none")
    return Stored(path, _format(tree), told[0], told[1], None, tree)


def load_weights(
    model: Steps, filepath: str | os.PathLike[str], skip_mismatch: bool = False, by_name: bool = False
) -> LoadStatus:
    """Set the weights from a file, a checkpoint or a model's folder, ours or Keras'; where one does not fit nothing is changed.

    Raises:
        ValueError: where the file is damaged, or names and shapes are not those of the model.
        NotImplementedError: for ``by_name``, unless the file lists layers by their names.
    """
    path = os.fspath(filepath)
    if not of_first(saved.contains_saved_model(path)):
        path = path_of(path, "load_weights")
    if not of_first(os.path.isfile(path)) and files.checkpoint_exists(path):
        return _restored(model, path)
    return cast(LoadStatus, undivided(_loaded, model, path, skip_mismatch, by_name))  # h5py loses signals: see `hdf5.dumped`


def _loaded(model: Steps, path: str, skip_mismatch: bool, by_name: bool) -> LoadStatus:
    with opened(path, "load_weights") as stored:
        if by_name and (stored.tree is None or stored.texts.get("format") == FORMAT):
            raise NotImplementedError("load_weights: by_name is for files that list layers by name, as Keras 2 wrote them.")
        if not model._built and not model.weights:
            raise ValueError(f'load_weights: the model "{model.name}" has no weights yet: build it, or call it with something.')
        return LoadStatus(place(model, stored.given(model, by_name), path, skip_mismatch, by_name))


def _restored(model: Steps, prefix: str) -> LoadStatus:
    """Set the weights from a checkpoint, by the graph of objects; what is not made yet gets its value when it is."""
    values, texts = files.load(prefix)
    nodes = nodes_of(prefix, values, texts)
    if nodes is None:
        raise ValueError(
            f"load_weights: {prefix} is a checkpoint by the names of variables: read it with tf.compat.v1.train.Saver."
        )
    found = Restoration(prefix, values, nodes, model, state.session)
    if model.weights and not found.taken and not found.postponed:
        found.left.silent = True
        raise ValueError(
            f'load_weights: {prefix} holds nothing that belongs to the model "{model.name}": if it is of several objects, read '
            "it with tf.train.Checkpoint(model=model).restore."
        )
    return LoadStatus(found)


def place(
    model: Steps, arrays: Mapping[str, Any], path: str, skip_mismatch: bool = False, some: bool = False
) -> Restoration | None:  # fmt: skip
    """Set the weights, and the optimizer's variables as soon as they are there; return what does that, None if nothing is to be.

    ``some``: the file need not have all.

    Raises:
        ValueError: where names or shapes are not those of the model; nothing is changed then.
    """
    wanted = dict(_weights(model))
    given = {k: v for k, v in arrays.items() if not k.startswith(OPTIMIZER)}
    wrong = [] if some else [f"{k} is not in the file" for k in sorted(wanted.keys() - given.keys())]
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
    state_of = {k: v for k, v in arrays.items() if k.startswith(OPTIMIZER)}
    if sum(math.prod(v.shape) for v in state_of.values()) > SOME + MOST * sum(math.prod(v.shape) for v in given.values()):
        raise ValueError(f"{path} holds more of an optimizer's state than any optimizer keeps of these weights.")
    kept = {k: np.asarray(v) for k, v in state_of.items()}  # read now: it may wait for its optimizer, and the file is closed then
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


def save_model(
    model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, save_format: str | None = None,
    include_optimizer: bool = True, signatures: saved.Signatures = None, **keywords: Any,
) -> None:  # fmt: skip
    """Write a model: what makes it again as JSON, what it was compiled with, and its weights.

    A Sequential or functional model is made of its layers; a subclass, which the reading program must know, of the arguments that
    it was made with, or of what its own ``get_config`` says.

    A name that ends with none of ``.keras``, ``.h5``, ``.hdf5`` and ``.safetensors`` is that of a folder, as Keras 2 has it: a
    saved model, in which the call of the model lies as well, traced, so that programs read it that do not know its class.

    Raises:
        NotImplementedError: for a file of a model that only its program can make again, and where a functional model counts
            symbolic tensors.
        ValueError: for a folder, where it is not known what the model is called with.
    """
    path = os.fspath(filepath)
    if not overwrite and of_first(os.path.exists(path)):
        raise FileExistsError(f"save_model: {path} is there already; pass overwrite=True to replace it.")
    for layer in model._flatten_layers():
        if hasattr(layer, "counts_beside"):
            raise NotImplementedError(
                f"save_model: no file says what {layer.counts_beside} of a functional model was given: put it into the call() of "
                "a layer. Or save_weights(), and make the model by its program."
            )
    folder = not path.endswith(FILES) and save_format in (None, "tf")
    compiled = architecture.compiled(model) if include_optimizer else None
    own = {"called_with": getattr(model, "_called_with", None), "compile": compiled}
    kept = {label: v for label, v in _numbered(model) if include_optimizer or not label.startswith(OPTIMIZER)}
    told = None
    try:
        text = json.dumps({**registry.serialize(model), **own})
        told = architecture.described(model) if path.endswith(".keras") else None
    except TypeError as error:
        if not folder:
            raise NotImplementedError(f"save_model: {error} Or save_weights(), and make the model by its program.") from None
        text = None
    if folder or text is None:
        _write_folder(model, path, text, compiled, kept, signatures)
        return
    arrays = {label: np.asarray(v.array, order="C") for label, v in kept.items()}
    path = path_of(path, "save_model")
    if told is not None and _keras_reads(path):
        told["compile_config"] = compiled
        replace(path, zipped.written(told, _hdf5(model, arrays, architecture=text)))
    else:
        _write(path, arrays, {"format": FORMAT, "architecture": text})


def _write_folder(
    model: Layer,
    folder: str,
    text: str | None,
    compiled: Mapping[str, Any] | None,
    kept: Mapping[str, Variable],
    signatures: saved.Signatures,
) -> None:
    """Write a saved model, with what makes a Keras model of it again, where that is known; each array once."""
    if not isinstance(model, Called) or model.save_spec() is None:
        raise ValueError(
            f"Model {model!r} cannot be saved either because the input shape is not available or because the forward pass of the "
            "model is not defined. To define a forward pass, please override `Model.call()`. To specify an input shape, either "
            "call `build(input_shape)` directly, or call the model on actual data using `Model()`, `Model.fit()`, or "
            "`Model.predict()`."
        )
    arrays, texts, name_of = saved.prepared(model, folder, signatures)
    labels = {label: name_of(v) or f"keras/{label}" for label, v in kept.items()}
    arrays |= {name: np.asarray(kept[label].array, order="C") for label, name in labels.items() if name not in arrays}
    told = {"labels": labels, "compile": compiled, "class": type(model).__name__, "name": model.name}
    texts |= {KERAS: json.dumps(told)} | ({} if text is None else {"architecture": text})
    _write(os.path.join(folder, saved.FILE), arrays, texts)
