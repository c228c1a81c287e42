"""Layers within layers, in configurations: `serialize` and `deserialize`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.keras import registry
from wengert.keras.layers.layer import Layer
from wengert.keras.registry import Identifier

__all__ = ["deserialize", "serialize"]

serialize = registry.serialize


def _known() -> dict[str, type[Layer]]:
    """Return the classes of layers, models among them, by name: the library's own, for others have to be registered."""
    found: dict[str, type[Layer]] = {}
    pending: list[type[Layer]] = [Layer]
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if cls.__module__.startswith(f"{__package__.rpartition('.')[0]}."):
            found.setdefault(cls.__name__, cls)
    return {**found, **({"Functional": found["Model"]} if "Model" in found else {})}


def deserialize(config: Identifier, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the layer that a configuration is of; a layer as it is.

    Raises:
        ValueError: for a class that is neither the library's nor registered.

    >>> from wengert.keras.layers import Dense
    >>> deserialize({"class_name": "Dense", "config": {"units": 2}}).units
    2
    """
    return config if isinstance(config, Layer) else registry.Registry("layer", _known()).deserialize(config, custom_objects)
