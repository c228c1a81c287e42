"""``keras.optimizers``: first-order optimizers, and learning rates that change with the step."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from wengert.keras import registry
from wengert.keras.optimizers import schedules
from wengert.keras.optimizers.loss_scale import LossScaleOptimizer
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
from wengert.keras.optimizers.whole import Adafactor, Lamb, Muon

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_CLASSES = {
    c.__name__: c
    for c in (SGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer, Muon, Nadam, RMSprop)
}

legacy = types.SimpleNamespace(**_CLASSES, Optimizer=Optimizer)
"""The names of Keras 2, which stand for the same optimizers here."""


class _Optimizers(registry.Registry):
    """Optimizers go by their classes' names, in capitals or not."""

    def named(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        own = next((known for known in self.table if known.lower() == name.lower()), name)
        return super().named(own, custom_objects)


_REGISTRY = _Optimizers("optimizer", _CLASSES, fits=lambda found: hasattr(found, "apply_gradients"))
get, serialize, deserialize = _REGISTRY.get, _REGISTRY.serialize, _REGISTRY.deserialize
