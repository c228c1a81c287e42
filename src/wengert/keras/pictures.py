"""Models as pictures: by pydot and graphviz, where they are installed."""

from __future__ import annotations

import importlib
import os
from typing import Any

from wengert.ground import nest
from wengert.keras.layers.layer import InputLayer, Layer
from wengert.keras.models import Model
from wengert.keras.symbolic import LAYER

__all__ = ["model_to_dot", "plot_model"]


def _text(layer: Layer, names: bool, shapes: bool, dtypes: bool) -> str:
    rows = [f"{layer.name} ({type(layer).__name__})" if names else type(layer).__name__]
    node = layer._node
    if node is not None and shapes:
        rows.append("Output shape: " + ", ".join(str(tuple(t.sizes)) for t in node.outputs))
    elif isinstance(layer, InputLayer) and shapes:
        rows.append(f"Output shape: {tuple(layer.batch_shape)}")
    if dtypes:
        rows.append(f"dtype: {layer.compute_dtype}")
    return "\n".join(rows)


def model_to_dot(
    model: Model, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = True, rankdir: str = "TB",
    expand_nested: bool = False, dpi: int = 200, subgraph: bool = False,
) -> Any:  # fmt: skip
    """Return a model of inputs and outputs as a graph of pydot: a box for each layer, an arrow for what it is given.

    Raises:
        ImportError: without pydot.
        ValueError: for a model that was not built.
    """
    try:
        pydot = importlib.import_module("pydot")
    except ImportError:
        raise ImportError("You must install pydot (`pip install pydot`) for `plot_model` to work.") from None
    if model._path is None:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling it on data."
        )
    dot = pydot.Dot(rankdir=rankdir, dpi=dpi)
    dot.set_node_defaults(shape="record")
    for layer in model._layers:
        dot.add_node(pydot.Node(str(id(layer)), label=_text(layer, show_layer_names, show_shapes, show_dtype)))
    makers: dict[int, Any] = {t.n: t.node.attrs.get("layer") for t in model._path.sources}
    for node in model._path.nodes:
        layer = node.attrs.get("layer") if node.op is LAYER else None
        before = {id(makers.get(t.n)): makers.get(t.n) for t in node.inputs}
        for maker in before.values():
            if layer is not None and maker is not None:
                dot.add_edge(pydot.Edge(str(id(maker)), str(id(layer))))
        for t in nest.flatten(list(node.outputs)):  # what an operation between layers makes is its input's layer's
            makers[t.n] = layer if layer is not None else next(iter(before.values()), None)
    return dot


def plot_model(
    model: Model, to_file: str | os.PathLike[str] = "model.png", show_shapes: bool = False, show_dtype: bool = False,
    show_layer_names: bool = False, rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200,
    show_layer_activations: bool = False, show_trainable: bool = False,
) -> None:  # fmt: skip
    """Draw a model of inputs and outputs into a file, in the format that its name ends with.

    Raises:
        ImportError: without pydot.
    """
    dot = model_to_dot(model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi)
    path = os.fspath(to_file)
    dot.write(path, format=os.path.splitext(path)[1][1:] or "png")
