"""``keras.saving``: models and weights in files that execute nothing, and the names that files may mention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.keras import activations, constraints, initializers, layers, losses, metrics, optimizers, registry, regularizers
from wengert.keras.models import Model, Sequential, load_model
from wengert.keras.registry import (
    CustomObjectScope,
    Identifier,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from wengert.keras.registry import serialize as serialize_keras_object
from wengert.keras.weights import LoadStatus, load_weights, save_model, save_weights

__all__ = [
    "CustomObjectScope",
    "LoadStatus",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]


def deserialize_keras_object(
    config: Identifier | float,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    module_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Return the object that `serialize_keras_object` described; only what is known by name is made.

    >>> from wengert.keras.layers import Dense
    >>> deserialize_keras_object(serialize_keras_object(Dense(3))).units
    3

    Raises:
        ValueError: for a name that is not known.
    """
    if config is None or isinstance(config, bool | int | float):
        return config
    if isinstance(config, list | tuple):
        return [deserialize_keras_object(c, custom_objects, safe_mode, module_objects) for c in config]
    if isinstance(config, Mapping) and "class_name" not in config:
        return {k: deserialize_keras_object(c, custom_objects, safe_mode, module_objects) for k, c in config.items()}
    rooms = (activations, constraints, initializers, losses, metrics, optimizers, regularizers, layers)
    known: dict[str, Any] = {name: thing for room in rooms for name, thing in vars(room).items() if name[0] != "_"}
    known |= {"Functional": Model, "Model": Model, "Sequential": Sequential, **(module_objects or {})}
    with registry.custom_object_scope(custom_objects or {}):
        if isinstance(config, str) and registry.get_registered_object(config, None, known) is None:
            return config  # a text that names nothing
        return registry.Registry(printable_module_name, known).deserialize(config)
