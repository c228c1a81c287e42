"""What a model is made of, in a table: its layers, the shapes of what they return, and how many weights they have."""

from __future__ import annotations

import math
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wengert.graph.node import Node
from wengert.ground import terminal
from wengert.keras.layers.calling import shape_of
from wengert.keras.layers.layer import InputLayer, Layer
from wengert.keras.symbolic import Path
from wengert.tensor.tensor import Tensor

if TYPE_CHECKING:
    from wengert.keras.models import Model

__all__ = ["columns", "layer_rows", "show", "summarized", "totals"]


def columns(model: Model, show_trainable: bool = False) -> tuple[str, ...]:
    """Return the heads of the columns: what a layer is called with is told where layers do not just follow each other."""
    last = ("Connected to",) if _branches(model) else ()
    return ("Layer (type)", "Output Shape", "Param #", *last, *(("Trainable",) if show_trainable else ()))


def _branches(model: Model) -> bool:
    """Return whether a layer of a functional model is called twice, or with several tensors, or a tensor goes to several."""
    if model._path is None or hasattr(model, "_start"):
        return False
    steps = _steps(model._path)
    read = Counter(t.n for _, given in steps for t in given)
    called = Counter(id(node.attrs.get("layer", node)) for node, _ in steps)
    alone = all(len(given) == 1 for _, given in steps) and len(model._path.sources) == 1
    return not alone or any(count > 1 for count in (*read.values(), *called.values()))


def _steps(path: Path) -> list[tuple[Node, list[Tensor]]]:
    """Return the calls of layers and operations, without constants, and the tensors that each is called with."""
    known = {t.n for t in path.sources} | {t.n for node in path.nodes if node.inputs for t in node.outputs}
    return [(node, [t for t in node.inputs if t.n in known]) for node in path.nodes if node.inputs]


def layer_rows(
    model: Model, expand_nested: bool = False, show_trainable: bool = False, layer_range: Sequence[str] | None = None
) -> Iterator[tuple[str, ...]]:
    """Iterate over the rows of the table, one for each layer, and for each operation between the layers.

    Args:
        model: the model.
        expand_nested: whether the layers of a model that is a layer have rows of their own.
        show_trainable: whether there is a column for that.
        layer_range: names of the first and the last layer, or patterns of them.

    Raises:
        ValueError: for a range that names no layers.
    """
    connected = _connections(model) if _branches(model) else None
    items = _between(_items(model), layer_range)
    for item in items:
        yield from _rows(item, "", connected, expand_nested, show_trainable)


def _items(model: Model) -> list[Layer | Node]:
    """Return the layers in their order, and operations where they stand."""
    if model._path is None or all("layer" in node.attrs for node in model._path.nodes):
        return list(model.layers)
    found: dict[int, Layer | Node] = {}
    for node in [*(t.node for t in model._path.sources), *(node for node, _ in _steps(model._path))]:
        item = node.attrs.get("layer") or node
        found.setdefault(id(item), item)
    return list(found.values())


def _between(items: Sequence[Layer | Node], layer_range: Sequence[str] | None) -> Sequence[Layer | Node]:
    if layer_range is None:
        return items
    first, last = layer_range
    starts = [i for i, item in enumerate(items) if re.match(first, item.name)]
    ends = [i for i, item in enumerate(items) if re.match(last, item.name)]
    if not starts or not ends:
        raise ValueError(f"Passed layer_names do not match the layer names in the model. Received: {list(layer_range)}")
    low, high = min(starts[0], ends[-1]), max(starts[0], ends[-1])
    return items[low : high + 1]


def _connections(model: Model) -> dict[int, str]:
    """Return which tensors each layer and operation is called with: a layer, which of its calls, which of the results."""
    found: dict[int, list[str]] = {}
    names: dict[int, str] = {}
    path = model._path
    if path is not None:
        calls: Counter[int] = Counter()
        names |= {t.n: f"{t.node.attrs['layer'].name}[0][0]" for t in path.sources if t.node.attrs.get("layer")}
        for node, given in _steps(path):
            item = node.attrs.get("layer", node)
            found.setdefault(id(item), []).extend(names[t.n] for t in given if t.n in names)
            names |= {t.n: f"{item.name}[{calls[id(item)]}][{i}]" for i, t in enumerate(node.outputs)}
            calls[id(item)] += 1
    return {key: ", ".join(told) for key, told in found.items()}


def _rows(
    item: Layer | Node, lead: str, connected: dict[int, str] | None, expand_nested: bool, show_trainable: bool
) -> Iterator[tuple[str, ...]]:
    end = () if connected is None else ((connected.get(id(item)) or "-") if not lead else "-",)
    if not isinstance(item, Layer):
        shape = ", ".join(str(tuple(t.sizes)) for t in item.outputs)
        yield (f"{lead}{item.name} ({item.type})", shape, "0", *end, *(("-",) if show_trainable else ()))
        return
    count = sum(math.prod(v.sizes) for v in item.weights)
    # A layer without weights is built by being called; until then it may yet make some.
    text = f"{count:,}" if item.built or count else "0 (unbuilt)"
    chosen = ("Y" if item.trainable else "N") if item.weights else "-"
    yield (f"{lead}{item.name} ({type(item).__name__})", _shape_text(item), text, *end, *((chosen,) if show_trainable else ()))
    for inner in getattr(item, "layers", ()) if expand_nested else ():
        lower = "   └ " if not lead else "   " + lead
        yield from _rows(inner, lower, connected, expand_nested, show_trainable)


def totals(model: Model) -> Iterator[str]:
    """Iterate over the lines below the table: how many weights there are, and what they take."""
    groups = [("Trainable", model.trainable_weights), ("Non-trainable", model.non_trainable_weights)]
    kept = [] if model.optimizer is None else [v for v in model.optimizer.variables]
    if kept:
        groups.append(("Optimizer", kept))
    for what, variables in (("Total", [v for _, part in groups for v in part]), *groups):
        count = sum(math.prod(v.sizes) for v in variables)
        size = sum(math.prod(v.sizes) * v.nptype.itemsize for v in variables)
        yield f"{what} params: {count:,} ({_bytes(size)})"


def show(
    model: Model, rows: Iterable[Sequence[str]], show_trainable: bool, width: int | None, print_fn: Callable[[str], object] | None
) -> None:
    """Print the table and the totals, or give their lines to a function."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    console = terminal.console(None if print_fn is None else _Lines(print_fn), width=width or shutil.get_terminal_size().columns)
    table = Table(title=escape(f'Model: "{model.name}"'), title_justify="left", box=box.HEAVY_HEAD, show_lines=True)
    for head in columns(model, show_trainable):
        table.add_column(head, justify="right" if head == "Param #" else "center" if head == "Trainable" else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
    for line in totals(model):
        console.print(f" {line}", highlight=False)


class _Lines:
    """A file whose lines a function is given."""

    def __init__(self, print_fn: Callable[[str], object]) -> None:
        self._print, self._rest = print_fn, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._print(line)
        return len(text)

    def flush(self) -> None:
        sys.stdout.flush()


def summarized(model: Model) -> str:
    """Return the HTML of a model: the table, and the totals."""
    from wengert.ground import display

    head = display.heading(type(model).__name__, model.name, built="yes" if model.built else "not yet")
    heads = columns(model)
    table = display.table(heads, layer_rows(model), heads[2:3], what="layers")
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
