"""What a layer holds: weights, and layers within it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ground import shapes
from wengert.ground.context import default_session, state
from wengert.ground.types import NumPyArray
from wengert.modes.module import Module
from wengert.modes.variable import Variable
from wengert.tensor.tensor import Nested, Tensor, TensorLike
from wengert.train.checkpoint import storage_of
from wengert.train.placing import place, ready

__all__ = ["Tracked", "members", "put"]

_PLAIN = (str, int, float, bool, bytes, type(None), np.ndarray, Tensor)


def members(thing: Module, skip: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """Iterate over the variables and modules among an object's attributes, containers too, in the order they were set."""
    for key, value in vars(thing).items():
        if not isinstance(value, _PLAIN) and key not in skip:
            yield from _leaves(key, value)


def _leaves(path: str, value: Nested | Module) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Variable | Module):
        if not hasattr(value, "apply_gradients"):
            yield path, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            if not isinstance(item, _PLAIN):
                yield from _leaves(f"{path}.{i}", item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(item, _PLAIN):
                yield from _leaves(f"{path}.{key}", item)


def put(variable: Variable, value: TensorLike) -> None:
    """Set a variable's value: at once, in the session at work where it belongs to a TensorFlow 1 graph."""
    given: Any = value
    if variable._graph is not None:
        variable.load(given)
    else:
        before, state.graph = state.graph, None
        try:
            variable.assign(np.asarray(given).astype(variable.nptype))
        finally:
            state.graph = before


class Tracked(Module):
    """An object that knows the weights in its attributes, and in those of the layers among them."""

    _UNTRACKED: tuple[str, ...] = ()
    """Attributes whose variables are not its weights."""
    _OWN_LAST = False
    """Whether plain variables among its attributes are listed after the layers."""
    _weights: list[Any]
    _losses: list[Any]
    _built: bool
    _trainable: bool

    @property
    def trainable(self) -> bool:
        """Whether the weights are given to optimizers; may be set, for all layers within too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._weights:
            if getattr(variable, "_declared", False):
                variable._trainable = self._trainable
        for _, item in members(self, self._UNTRACKED):
            if isinstance(item, Tracked):
                item.trainable = value

    def _own(self) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
        """Return the variables and the modules among the attributes."""
        variables: list[tuple[str, Any]] = []
        modules: list[tuple[str, Any]] = []
        for path, item in members(self, self._UNTRACKED):
            (variables if isinstance(item, Variable) else modules).append((path, item))
        return variables, modules

    def _trackable_aliases(self) -> dict[str, Any]:
        """Return weights and layers by the names that Keras 2 and Keras 3 have for them in TensorFlow's checkpoints."""
        found: dict[str, Any] = {f"_{name}": item for name, item in vars(self).items() if isinstance(item, Variable)}
        layers, first = getattr(self, "_layers", None), getattr(self, "_start", None)
        if layers is not None:
            weighty = [layer for layer in layers if layer.weights]
            found |= {f"layer-{i}": layer for i, layer in enumerate(layers)}
            found |= {f"layer_with_weights-{i}": layer for i, layer in enumerate(weighty)}
            # Keras 3 counts the input of a Sequential, too, and has a functional model do its work.
            found |= {"_functional": self, "_operations": [*([] if first is None else [first]), *layers]}
        return found

    def _named_weights(self) -> Iterator[tuple[str, Any, bool]]:
        """Iterate over (path, variable, whether all layers around it are trainable), each once.

        Own ones are first, trainable ones before the others. A model's plain variables, which Keras 3 does not list, stand where
        Keras 2 has them: those in a list or dictionary at the place of that attribute, the others after all layers.
        """
        seen: set[int] = set()
        pending: list[tuple[str, Any, bool]] = [("", self, True)]
        while pending:
            prefix, thing, free = pending.pop()
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if isinstance(thing, Variable):
                yield prefix, thing, free
                continue
            if not isinstance(thing, Tracked):
                for i, v in enumerate(thing.variables):
                    if id(v) not in seen:
                        seen.add(id(v))
                        yield f"{prefix}{i}", v, free
                continue
            free = free and thing._trainable
            variables, within = thing._own()
            if thing._OWN_LAST:
                early = [(path, v) for path, v in variables if hasattr(v, "_declared")]
                late = [(path, v) for path, v in variables if not hasattr(v, "_declared") and "." not in path]
                settled = {path for path, _ in early + late}
                within = [(path, item) for path, item in members(thing, thing._UNTRACKED) if path not in settled]
                variables, within = early, within + sorted(late, key=lambda one: not one[1].trainable)
            labels = {id(v): path for path, v in reversed(variables) if not path.startswith("_weights.")}
            for trainable in (True, False):
                for path, v in variables:
                    if getattr(v, "_declared", v.trainable) is trainable and id(v) not in seen:
                        seen.add(id(v))
                        yield f"{prefix}{labels.get(id(v), path)}", v, free
            for path, item in reversed(within):
                name = path if isinstance(item, Variable) else f"{path.removeprefix('_')}."
                pending.append((prefix + name, item, free))

    @property
    def weights(self) -> list[Any]:
        """All variables: for each layer its own, the trainable ones first, then those of the layers within."""
        return [v for _, v, _ in self._named_weights()]

    @property
    def variables(self) -> Any:
        """All variables."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that optimizers are given."""
        return [v for _, v, free in self._named_weights() if free and v.trainable]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables."""
        return [v for _, v, free in self._named_weights() if not (free and v.trainable)]

    @property
    def trainable_variables(self) -> Any:
        """The variables that optimizers are given."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> Any:
        """The other variables."""
        return self.non_trainable_weights

    def get_weights(self) -> list[Any]:
        """Return the values of all variables as NumPy arrays."""
        if state.graph is not None and not state.graph.building_function:
            return list(default_session(None).run(self.weights))
        return [np.array(v.array) for v in self.weights]

    def set_weights(self, weights: Sequence[NumPyArray]) -> None:
        """Set the values of all variables, or of none.

        Raises:
            ValueError: where their number or a shape does not fit; nothing is changed then.
        """
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f'Layer "{self.name}": set_weights() was given {len(weights)} arrays, and there are {len(variables)} weights.'
            )
        values = [np.array(w) for w in weights]
        for variable, value in zip(variables, values, strict=True):
            if not shapes.fits(variable.sizes, value.shape):
                raise ValueError(
                    f'Layer "{self.name}": the weight {variable.name} has shape {shapes.text(variable.sizes)}, and the array '
                    f"given for it has shape {value.shape}."
                )
        place([ready(storage_of(variable), value) for variable, value in zip(variables, values, strict=True)])

    def count_params(self) -> int:
        """Return how many numbers all weights hold.

        Raises:
            ValueError: before they are made.
        """
        if not self._built and not self.weights:
            raise ValueError(f'Layer "{self.name}" has no weights yet: build it, or call it with something.')
        return sum(math.prod(v.sizes) for v in self.weights)

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Return the layers within, each once."""
        found: dict[int, Any] = {id(self): self}
        pending: list[Any] = [self]
        while pending:
            layer = pending.pop(0)
            for _, item in members(layer, getattr(layer, "_UNTRACKED", ())):
                if isinstance(item, Module) and id(item) not in found:
                    found[id(item)] = item
                    if recursive:
                        pending.append(item)
        return [m for m in found.values() if isinstance(m, Tracked) and (include_self or m is not self)]

    @property
    def submodules(self) -> Any:
        """All layers within."""
        return tuple(self._flatten_layers(include_self=False))

    def _walk(self) -> Iterator[Any]:
        yield from self.weights
        yield from self._flatten_layers(include_self=False)

    @property
    def losses(self) -> list[Any]:
        """What regularizers and `add_loss` add to the loss, of this layer and those within."""
        found: list[Any] = []
        for layer in self._flatten_layers():
            found.extend(one() if callable(one) else one for one in layer._losses)
        for variable in self.trainable_weights:
            if getattr(variable, "regularizer", None) is not None:
                found.append(variable.regularizer(variable))
        return found
