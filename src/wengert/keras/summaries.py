"""What a model is made of, in a table: its layers, the shapes of what they return, and how many weights they have."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wengert.keras.layers.calling import shape_of
from wengert.keras.layers.layer import InputLayer, Layer

if TYPE_CHECKING:
    from wengert.keras.models import Model

__all__ = ["COLUMNS", "layer_rows", "summarized", "totals"]

COLUMNS = ("Layer (type)", "Output Shape", "Param #")


def layer_rows(model: Model) -> Iterator[tuple[str, str, str]]:
    """Iterate over the rows of the table, one for each layer."""
    for layer in model.layers:
        count = sum(math.prod(v.sizes) for v in layer.weights)
        yield f"{layer.name} ({type(layer).__name__})", _shape_text(layer), f"{count:,}"


def totals(model: Model) -> Iterator[str]:
    """Iterate over the lines below the table: how many weights there are, and what they take."""
    for what, variables in (
        ("Total", model.weights), ("Trainable", model.trainable_weights), ("Non-trainable", model.non_trainable_weights)
    ):  # fmt: skip
        count = sum(math.prod(v.sizes) for v in variables)
        size = sum(math.prod(v.sizes) * v.nptype.itemsize for v in variables)
        yield f"{what} params: {count:,} ({_bytes(size)})"


def summarized(model: Model) -> str:
    """Return the HTML of a model: the table, and the totals."""
    from wengert.ground import display

    head = display.heading(type(model).__name__, model.name, built="yes" if model.built else "not yet")
    table = display.table(COLUMNS, layer_rows(model), COLUMNS[2:], what="layers")
    return head + table + display.paragraph(" · ".join(totals(model)))


def _bytes(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


def _shape_text(layer: Layer) -> str:
    if isinstance(layer, InputLayer):
        return str(tuple(layer.batch_shape))
    if layer._node is None:
        return "?"
    found = shape_of(layer.output)
    return ", ".join(map(str, found)) if isinstance(found, list) else str(found)
