"""Lowering: from a list with Gradient nodes to one without. This is the one place that chooses how to differentiate.

Today there is one way, the reverse sweep.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wengert.context import state
from wengert.derive.reverse import reach_of, sweep
from wengert.derive.structure import ancestors, freeze, split_gradient
from wengert.graph import Graph, Node
from wengert.op import Op
from wengert.ops.linear import EXPAND_DIMS, FILL, GETITEM, ONES_LIKE, PLACEHOLDER, SQUEEZE, TRANSPOSE, ZEROS_LIKE
from wengert.shapes import is_full
from wengert.tensor import SymbolicTensor, apply, convert, tensors

__all__ = ["FED", "Lowered", "lower"]


def _fed_infer(inputs: Any, attrs: Any) -> Any:
    return inputs[1].sizes, inputs[0].nptype


_fed_infer.root = lambda inputs: inputs[0].root  # type: ignore[attr-defined]
FED = Op(
    "fed", "linear", lambda xp, original, value: value, _fed_infer, constant_inputs=(1,), type="Fed", aliases=True,
    transpose=lambda xp, g, i, inputs, output, attrs: g,
)  # fmt: skip
"""A tensor that a run feeds: the value is the fed one, and the derivative passes on as if it were computed."""


ARRANGED = frozenset([GETITEM, TRANSPOSE, EXPAND_DIMS, SQUEEZE])


class Lowered(Graph):
    """A list without Gradient nodes, in which the same computation stands once."""

    building_function = True

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__()
        self.known: dict[Any, Node] = {}
        self.fed: set[int] = set()

    def append(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], specs: Any, name: str | None = None,
               site: Any = None, unique: Any = None, controls: tuple[Node, ...] = ()) -> Node:  # fmt: skip
        """Append an operation, or return the node that computes the same already.

        What acts on the world, is waited for, or is differentiated by (``unique``) stands for itself.
        """
        alone = op.stateful or controls
        key = None
        if not alone:
            key = (op, tuple([t.n for t in inputs]), freeze(attrs) if attrs else None, unique)
            node = self.known.get(key)
            if node is not None:
                return node
        node = Node(self, op, inputs, attrs, name or op.label)
        node.outputs = tuple([SymbolicTensor(node, i, sizes, nptype) for i, (sizes, nptype) in enumerate(specs)])
        node.index, node.site, node.control_inputs = len(self.nodes), site, controls
        self.nodes.append(node)
        if key is not None:
            self.known[key] = node
        return node


def lower(graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Iterable[Node]) -> Any:
    """Lower what the fetches and the controls need.

    Returns:
        (lowered list, the fetched tensors in it, the placeholders of the feeds in it, the control nodes in it).
    """
    lowered = Lowered()
    mapped: dict[int, Any] = {}
    twins: dict[Node, Node] = {}
    fed: dict[int, Any] = {}
    places = []
    for t in feeds:
        spec = {"dtype": t.nptype, "shape": t.sizes}
        place = lowered.append(PLACEHOLDER, (), spec, [(t.sizes, t.nptype)], t.name, None, ("feed", t.n)).outputs[0]
        places.append(place)
        lowered.fed.add(place.n)
        if t.node.op is PLACEHOLDER:
            mapped[t.n] = place
        else:
            fed[t.n] = place
    nodes = needed(fetches, controls)
    singled = {x.n for node in nodes if node.op.name == "gradient" for group in split_gradient(node)[2:] for x in group}
    before = state.graph, state.observers, state.site
    state.graph, state.observers = lowered, ()
    try:
        for node in nodes:
            state.site = node.site
            if node.op.name == "gradient":
                results = _reverse(lowered, node, mapped)
            else:
                results = _copy(lowered, node, mapped, twins, singled)
            for t, r in zip(node.outputs, results, strict=True):
                if t.n in fed:
                    fed_spec = [(fed[t.n].sizes, t.nptype)]
                    r = lowered.append(FED, (r, fed[t.n]), {}, fed_spec, None, node.site, t.n).outputs[0]
                mapped.setdefault(t.n, r)
    finally:
        state.graph, state.observers, state.site = before
    return lowered, [mapped[t.n] for t in fetches], places, [twins[c] for c in controls if c in twins]


def needed(fetches: Iterable[Any], controls: Iterable[Node]) -> list[Node]:
    """Return the nodes that the tensors and nodes depend on, through inputs and control inputs, in order."""
    seen: set[Node] = set()
    pending = [t.node for t in fetches] + list(controls)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend([t.node for t in node.inputs])
            pending.extend(node.control_inputs)
    return sorted(seen, key=lambda node: node.index)


def _copy(lowered: Lowered, node: Node, mapped: dict[int, Any], twins: dict[Node, Node], singled: set[int]) -> Any:
    own = [t.n for t in node.outputs if t.n in singled]
    # An operation that waits for others waits for what has been lowered of them.
    waits = tuple([twins[c] for c in node.control_inputs if c in twins])
    inputs = tuple([mapped[t.n] for t in node.inputs])
    specs = [(t.sizes, t.nptype) for t in node.outputs]
    unique: Any = tuple(own) if own else None
    if node.op is PLACEHOLDER:
        unique = node.outputs[0].n
    twin = lowered.append(node.op, inputs, node.attrs, specs, node.name, node.site, unique, waits)
    twins[node] = twin
    return twin.outputs


def _ones(y: Any) -> Any:
    """Return ones of the shape of y: where y is a slice or another arrangement of a value, that arrangement of ones.

    So the value itself is not asked for: the gradient of a gradient's column does not depend on what it is.
    """
    node = y.node
    if is_full(y.sizes):
        return _filled(1, y)
    if node.op in ARRANGED and len(node.inputs) == 1:
        return apply(node.op, (_ones(node.inputs[0]),), node.attrs)
    return apply(ONES_LIKE, (y,))


def _filled(number: int, y: Any) -> Any:
    """Return a number in the shape and dtype of y: where the shape is known, y itself is not asked for."""
    if not is_full(y.sizes):
        return apply(ONES_LIKE if number else ZEROS_LIKE, (y,))
    one = convert(y.nptype.type(number))
    return one if y.sizes == () else apply(FILL, (one,), {"shape": tuple(y.sizes)})


def _reverse(lowered: Lowered, node: Node, mapped: dict[int, Any]) -> list[Any]:
    parts: list[list[Any]] = [[None if t is None else mapped[t.n] for t in part] for part in split_gradient(node)]
    ys, gs, xs, stops = parts
    blocked = frozenset(t.n for t in stops)
    cotangents: dict[int, Any] = {}
    for y, g in zip(ys, gs, strict=True):
        if g is None:
            g = _ones(y)
        cotangents[y.n] = g if y.n not in cotangents else cotangents[y.n] + g
    sources = {x.n for x in xs}
    entries = []
    for one in ancestors(ys):
        outputs = one.outputs
        if any(o.n in blocked for o in outputs):
            continue
        entries.append((one.op, one.inputs, outputs[0] if one.op.outputs == 1 else outputs, one.attrs))
    reach = reach_of(entries, sources)
    found = sweep(tensors, entries, cotangents, reach, sources, raw=False)
    return [found[x.n] if x.n in found else _filled(0, x) for x in xs]
