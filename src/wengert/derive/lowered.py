"""The lowered list: no Gradient nodes in it, and the same computation once; constants are folded as they are appended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from wengert.derive.choice import Choice
from wengert.derive.structure import freeze
from wengert.graph.node import Node
from wengert.ground.context import quietly
from wengert.ground.errors import OpError
from wengert.ground.options import options
from wengert.ground.shapes import is_full, merge
from wengert.ops import elementwise, linear, reduction
from wengert.ops.control import Opened
from wengert.ops.linear import (
    BROADCAST_LIKE,
    BROADCAST_TO,
    CONSTANT,
    FILL,
    IDENTITY,
    ONES_LIKE,
    PLACEHOLDER,
    RESHAPE,
    RESHAPE_LIKE,
    SHAPED,
    SUM_LIKE,
    SUM_TO,
    ZEROS_LIKE,
)
from wengert.ops.op import Op
from wengert.ops.state import ASSIGN, HANDLE, PY_FUNCTION, READ
from wengert.tensor.tensor import Graph, SymbolicTensor, Tensor, apply

__all__ = ["PASSING", "SMALL", "UNIFORM", "Lowered", "blank", "needed", "number_in", "sharpened", "watchers"]

UNIFORM = frozenset([FILL, linear.BROADCAST_TO, linear.BROADCAST_LIKE, reduction.SPREAD_LIKE, ONES_LIKE, ZEROS_LIKE, CONSTANT])
"""Operations whose value may be one number in all places."""
PASSING = frozenset([IDENTITY, SUM_TO, RESHAPE, BROADCAST_TO, BROADCAST_LIKE, SUM_LIKE, SHAPED, RESHAPE_LIKE])
"""Operations that pass their input on where it has the shape already."""
SMALL = 4096
"""Elements up to which what can be computed from constants is computed at once."""


watchers: list[Callable[[Lowered], None]] = []
"""Called with each list that has been lowered: how `wengert explain` learns of them."""


class Lowered(Graph):
    """A list without Gradient nodes, in which the same computation stands once."""

    building_function = True

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__()
        self.known: dict[Any, Node] = {}
        self.fed: set[int] = set()
        self.singled: set[int] = set()
        """Values that are differentiated by: what they hold is not to be computed with beforehand."""
        self.opened: dict[Node, Opened] = {}
        """Operations that keep what their derivative needs."""
        self.opening = False
        """Whether derivatives will lead through what rules append now."""
        self.choices: list[Choice] = []
        """How each derivative was found."""
        self.notes: list[tuple[str, str]] = []
        """Rewrites of sums of derivatives: where, and what became of them."""

    def keep(self, outputs: Sequence[Any], found: Opened) -> Any:
        """Note that an operation keeps what its derivative needs; return its own outputs."""
        self.opened[outputs[0].node] = found
        return outputs[: found.own]

    def record_of(self, node: Node) -> list[Any]:
        """Return what an operation took from the world: the derivative takes it as it is."""
        _, record, _ = self.opened[node].parts(node.outputs)
        return [apply(linear.STOP_GRADIENT, (t,)) if t.nptype.kind in "fc" else t for t in record]

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
            if unique is None and inputs and options.simplify:
                simpler = _simpler(op, inputs, attrs, specs)
                if simpler is not None:
                    if isinstance(simpler, np.ndarray):
                        spec = [(simpler.shape, simpler.dtype)]
                        node = self.append(CONSTANT, (), {"value": simpler}, spec, None, site)
                    else:
                        node = simpler
                    self.known[key] = node
                    return node
        node = Node(self, op, inputs, attrs, name or op.label)
        node.outputs = tuple([SymbolicTensor(node, i, sizes, nptype) for i, (sizes, nptype) in enumerate(specs)])
        node.index, node.site, node.control_inputs = len(self.nodes), site, controls
        self.nodes.append(node)
        if key is not None:
            self.known[key] = node
        if unique is not None:
            self.singled.update([t.n for t in node.outputs])
        return node


def _simpler(op: Op, inputs: Sequence[Any], attrs: dict[str, Any], specs: Any) -> Any:
    """Return a node that gives the same, or an array if the value is known, or None."""
    if not specs:
        return None
    sizes, nptype = specs[0]
    if op is elementwise.MULTIPLY:
        for one, other in ((inputs[0], inputs[1]), (inputs[1], inputs[0])):
            if _is_number(one, 1) and _passes(other, sizes, nptype):
                return other.node
    elif op is elementwise.ADD:
        for zero, other in ((inputs[0], inputs[1]), (inputs[1], inputs[0])):
            if _is_number(zero, 0) and _passes(other, sizes, nptype):
                return other.node
    elif op in PASSING:
        if _passes(inputs[0], sizes, nptype):
            return inputs[0].node
    for t in inputs:
        if t.node.op is not CONSTANT:
            return None
    if op.outputs != 1 or op.kind in ("control", "custom") or nptype.kind == "O" or op is HANDLE:
        return None
    if op is CONSTANT or not is_full(sizes) or math.prod(sizes) > SMALL:
        return None
    arrays = [t.node.attrs["value"] for t in inputs]
    try:
        found = quietly(lambda: op.eager(*arrays, **attrs))
    except (ArithmeticError, ValueError, TypeError, IndexError, OpError):
        return None  # the run raises it, with the line
    found = np.asarray(found)
    return np.array(found) if found.shape == tuple(sizes) and found.dtype == nptype else None


def _passes(t: Any, sizes: Any, nptype: Any) -> bool:
    return bool(is_full(sizes) and t.sizes == sizes and t.nptype == nptype and t.index == 0 and t.node.op.outputs == 1)


def _spread_from(t: Any) -> Any:
    """Return the node whose one value a tensor holds in all places; that of a value that is differentiated by is itself."""
    while t.node.op in (FILL, linear.BROADCAST_TO, linear.BROADCAST_LIKE, reduction.SPREAD_LIKE) and t.n not in t.graph.singled:
        t = t.node.inputs[0]
    return None if t.n in t.graph.singled else t.node


def _is_number(t: Tensor, number: int) -> bool:
    node = _spread_from(t) if t.node.op in UNIFORM else None
    if node is None:
        return False
    if node.op is ONES_LIKE or node.op is ZEROS_LIKE:
        return number == (node.op is ONES_LIKE)
    if node.op is not CONSTANT or node.attrs["value"].dtype.kind not in "iufc":
        return False
    value = node.attrs["value"]
    return not value.size or bool(value.item(0) == number and (value.size == 1 or (value == number).all()))


def number_in(t: Tensor) -> float | None:
    """Return the number that a tensor holds in all places, if it is known and finite."""
    node = _spread_from(t)
    if node is None:
        return None
    if node.op is ONES_LIKE:
        return 1.0
    if node.op is CONSTANT and node.attrs["value"].dtype.kind in "iuf" and node.attrs["value"].size:
        value = node.attrs["value"]
        number = float(value.flat[0])
        return number if math.isfinite(number) and bool((value == value.flat[0]).all()) else None
    return None


def needed(
    fetches: Iterable[Any], controls: Iterable[Node], inputs: Callable[[Node], Iterable[Any]] = lambda node: node.inputs
) -> list[Node]:
    """Return the nodes that the tensors and nodes depend on, through inputs and control inputs, in order.

    ``inputs``: which inputs of a node count; all of them, if not given.
    """
    seen: set[Node] = set()
    pending = [t.node for t in fetches] + list(controls)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend([t.node for t in inputs(node)])
            pending.extend(node.control_inputs)
    return sorted(seen, key=lambda node: node.index)


def blank(fetches: Sequence[Any], controls: Sequence[Node], fed: set[int]) -> None:
    """Give zeros to placeholders that are not fed, where nothing but their shape, which is known, is read of them."""
    unfed = [node for node in needed(fetches, controls) if node.op is PLACEHOLDER and node.outputs[0].n not in fed]
    if not unfed:
        return

    def with_values(node: Node) -> list[Any]:
        shape_only = node.op.shapes_only(len(node.inputs))
        return [t for i, t in enumerate(node.inputs) if i not in shape_only or not is_full(t.sizes)]

    read = set(needed(fetches, controls, with_values))
    for node in unfed:
        t = node.outputs[0]
        if node not in read and is_full(t.sizes) and t.nptype.kind != "O":
            node.op, node.attrs = CONSTANT, {"value": np.broadcast_to(np.zeros((), t.nptype), t.sizes)}


def sharpened(node: Node, inputs: Sequence[Any], specs: Any) -> Any:
    """Return what is known of an operation's outputs from the sizes of its lowered inputs."""
    if node.op in (HANDLE, READ, ASSIGN, PY_FUNCTION):
        return specs
    try:
        found = node.op.infer(inputs, node.attrs)
        several = [found] if node.op.outputs == 1 else found
        return [(merge(sizes, new), nptype) for (sizes, nptype), (new, _) in zip(specs, several, strict=True)]
    except OpError:
        return specs  # the run raises it, with the line
