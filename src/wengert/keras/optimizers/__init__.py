"""``keras.optimizers``: first-order optimizers, and learning rates that change with the step."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from wengert.keras import registry
from wengert.keras.optimizers import schedules
from wengert.keras.optimizers.optimizer import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lion,
    Nadam,
    Optimizer,
    RMSprop,
)

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_CLASSES = {c.__name__: c for c in (SGD, Adadelta, Adagrad, Adam, AdamW, Adamax, Ftrl, Lion, Nadam, RMSprop)}
_BY_NAME = {name.lower(): c for name, c in _CLASSES.items()}

legacy = types.SimpleNamespace(**_CLASSES, Optimizer=Optimizer)
"""The names of Keras 2, which stand for the same optimizers here."""


def serialize(optimizer: Any) -> Any:
    """Return an optimizer's class and configuration, as JSON can hold them."""
    return registry.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None, **ignored: Any) -> Any:
    """Return the optimizer that `serialize` described, or that has a name.

    Raises:
        ValueError: for an unknown name.
    """
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    if isinstance(config, Mapping) and str(config.get("class_name", "")).lower() in _BY_NAME:
        config = {**config, "class_name": _BY_NAME[str(config["class_name"]).lower()].__name__}
    return registry.deserialize(config, _CLASSES, "optimizer", custom_objects)


def get(identifier: Any) -> Any:
    """Return the optimizer of a name (``"adam"``) or a configuration; an optimizer itself as it is.

    >>> get("adam").name
    'adam'

    Raises:
        ValueError: for what is none of them.
    """
    if isinstance(identifier, str | Mapping):
        return deserialize(identifier)
    if hasattr(identifier, "apply_gradients"):
        return identifier
    raise ValueError(f"Could not interpret optimizer identifier: {identifier!r}")
