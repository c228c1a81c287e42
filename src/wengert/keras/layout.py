"""Where Keras keeps which variable in an HDF5 file.

Keras 3 (``.weights.h5``, and the file within a ``.keras``) goes by what leads to a layer: ``layers/dense_1/vars/0`` is the first
variable of the second Dense among a model's layers, ``encoder/vars/1`` the second of the layer that is the attribute ``encoder``.
The older files list layers, and of each its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wengert.keras.hdf5 import Dataset, Tree
from wengert.keras.layers.layer import Layer
from wengert.keras.layers.tracking import Tracked
from wengert.keras.registry import snake_case
from wengert.modes.variable import Variable

__all__ = ["legacy", "own", "places", "resolved"]

UNSAVED = ("_layers", "_start", "_weights", "_losses", "_node", "optimizer")
"""Attributes that Keras' objects have not, or that go by another name."""


def own(layer: Tracked) -> list[Variable]:
    """Return a layer's own variables in Keras' order: the trainable ones first."""
    variables = list({id(v): v for _, v in layer._own()[0]}.values())
    return sorted(variables, key=lambda v: not getattr(v, "_declared", v.trainable))


def _within(owner: Tracked) -> Iterator[tuple[str, Tracked]]:
    """Iterate over (name, layer) for what an object holds, in Keras' order; a layer may come twice."""
    held = {name: item for name, item in vars(owner).items() if name not in (*UNSAVED, *owner._UNTRACKED)}
    if hasattr(owner, "layers"):
        held["layers"] = owner.layers
    ends = getattr(owner, "_path", None) is not None or hasattr(owner, "_start")  # not a subclass: its layers come first
    for name in sorted(held, key=lambda name: (not (ends and name == "layers"), name)):
        item = held[name]
        if isinstance(item, Tracked):
            yield name, item
        elif isinstance(item, list | tuple | set | Mapping):
            counts: dict[str, int] = {}
            for one in item.values() if isinstance(item, Mapping) else item:
                if isinstance(one, Tracked):
                    kind = snake_case(type(one).__name__)
                    counts[kind] = count = counts.get(kind, -1) + 1
                    yield f"{name}/{kind}_{count}" if count else f"{name}/{kind}", one


def _walk(model: Tracked, children: Callable[[str, Tracked], Iterator[tuple[str, Tracked]]]) -> Iterator[tuple[str, Tracked]]:
    """Iterate over (path, layer), each layer once."""
    seen: set[int] = set()
    pending: list[tuple[str, Tracked]] = [("", model)]
    while pending:
        path, item = pending.pop()
        if id(item) not in seen:
            seen.add(id(item))
            yield path, item
            pending.extend(reversed(list(children(path, item))))


def places(model: Tracked) -> Iterator[tuple[str, str, Sequence[Variable]]]:
    """Iterate over (path of the group, name, variables) as Keras 3 would write the model."""
    for path, item in _walk(model, lambda path, item: ((f"{path}{name}/", one) for name, one in _within(item))):
        yield f"{path}vars", getattr(item, "name", ""), own(item)


def resolved(model: Tracked, tree: Tree) -> Iterator[tuple[Variable, str]]:
    """Iterate over variables and the paths of their values in Keras 3's file, which may call a layer in several ways."""

    def children(path: str, item: Tracked) -> Iterator[tuple[str, Tracked]]:
        for name, one in _within(item):
            for called in (name, name.lstrip("_"), f"_{name}"):
                if f"{path}{called}/vars" in tree.groups:
                    yield f"{path}{called}/", one
                    break

    for path, item in _walk(model, children):
        for i, variable in enumerate(own(item)):
            if f"{path}vars/{i}" in tree.arrays:
                yield variable, f"{path}vars/{i}"


def legacy(model: Layer, tree: Tree, prefix: str, by_name: bool = False) -> Iterator[tuple[Variable, str]]:
    """Iterate over variables and the paths of their values in a file that lists layers; by their names, or in order.

    Raises:
        ValueError: if there are not as many layers, or weights of one, as the model has.
    """
    at = f"{prefix}/" if prefix else ""
    names = [name for name in tree.texts(prefix, "layer_names") if tree.texts(f"{at}{name}", "weight_names")]
    layers = [layer for layer in getattr(model, "layers", ()) if layer.weights]
    if by_name:
        there = {layer.name: layer for layer in layers}
        pairs = [(there[name], name) for name in names if name in there]
    elif len(names) != len(layers):
        raise ValueError(f"it has weights of {len(names)} layers, and the model has {len(layers)} with weights")
    else:
        pairs = list(zip(layers, names, strict=True))
    for layer, name in pairs:
        yield from _paired(layer.trainable_weights + layer.non_trainable_weights, tree, f"{at}{name}", layer.name)
    top = f"{at}top_level_model_weights"
    if top in tree.groups and tree.texts(top, "weight_names"):
        yield from _paired(own(model), tree, top, "model")


def _paired(variables: Sequence[Any], tree: Tree, group: str, what: str) -> Iterator[tuple[Variable, str]]:
    weights = tree.texts(group, "weight_names")
    if len(weights) != len(variables):
        raise ValueError(f'{group} has {len(weights)} weights, and the layer "{what}" has {len(variables)}')
    for variable, name in zip(variables, weights, strict=True):
        if f"{group}/{name}" not in tree.arrays:
            raise ValueError(f"{group} lists the weight {name}, which is not there")
        yield variable, f"{group}/{name}"


def optimizer(tree: Tree) -> list[Dataset]:
    """Return the values of an optimizer's variables in their order, none where a file has none."""
    if "optimizer_weights" in tree.groups:
        names = [f"optimizer_weights/{name}" for name in tree.texts("optimizer_weights", "weight_names")]
        return [tree.arrays[name] for name in names if name in tree.arrays]
    prefix = "optimizer/vars/"
    found = {
        int(path.removeprefix(prefix)): path
        for path in tree.arrays
        if path.startswith(prefix) and path[len(prefix) :].isdecimal()
    }
    return [tree.arrays[found[i]] for i in sorted(found)]
