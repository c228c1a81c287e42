"""What decides between Taylor mode and reverse mode: which operations have a series, what is asked for, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from wengert.derive.questions import GRADIENT, split_gradient
from wengert.derive.series import series_reason
from wengert.derive.structure import ancestors, traced
from wengert.graph.node import Node
from wengert.ops.contraction import MATMUL
from wengert.ops.control import COND, LOOP
from wengert.ops.elementwise import ADD, ADD_N, MULTIPLY, NEGATIVE, SUBTRACT
from wengert.ops.linear import (
    CAST,
    CONCAT,
    ENSURE_SHAPE,
    EXPAND_DIMS,
    GETITEM,
    IDENTITY,
    RESHAPE,
    SHAPED,
    SQUEEZE,
)
from wengert.ops.op import Op
from wengert.ops.reduction import MEAN, SUM
from wengert.ops.state import HANDLE
from wengert.tensor.tensor import Tensor

__all__ = ["REVERSE_FACTOR", "TAIL", "Asked", "Choice", "Path", "Refusal", "mentions_output", "reads_sum", "takes_directions"]

REVERSE_FACTOR = 3
"""By how much nested reverse mode's cost grows with an order; measured 2 to 4 in TensorFlow, PyTorch and JAX."""


class Choice(NamedTuple):
    """How one derivative is found, and why."""

    where: str
    what: str
    method: str
    order: int
    directions: int
    cost: float
    """In forward passes, of all orders up to this one."""
    reverse_cost: float
    reason: str


class Asked(NamedTuple):
    """What of a gradient by several columns is asked for."""

    directions: int
    """Slices, and the sum of all, if a further gradient reads that."""
    whole: bool
    summed: bool

    def of(self, count: int) -> int:
        """Return how many directions that takes, of so many columns."""
        return count if self.whole else min(self.directions, count)


class Refusal(Exception):
    """Why Taylor mode is not taken."""


TAIL = frozenset([SUM, MEAN, NEGATIVE, IDENTITY, ADD, SUBTRACT, ADD_N, RESHAPE, SQUEEZE, EXPAND_DIMS])


def takes_directions(node: Node, reach: set[int]) -> bool:
    """Whether an operation passes on coefficients that hold many directions along an axis of their own."""
    out, op = node.outputs[0], node.op
    moving = [t for t in node.inputs if t.n in reach]
    if any(t.sizes is None or len(t.sizes) != 2 or t.sizes[1] is None for t in (*moving, out)):
        return False
    if op in (ADD, SUBTRACT, ADD_N, MULTIPLY):
        return all(t.sizes is not None and len(t.sizes) <= 2 for t in node.inputs)
    if op in (NEGATIVE, IDENTITY, CAST, SHAPED, ENSURE_SHAPE) or (op.partials and len(node.inputs) == 1):
        return not op.stated and op.kind != "piecewise"
    if op is MATMUL:
        return node.inputs[0] in moving and len(moving) == 1 and not node.attrs.get("ta", False) and (
            node.inputs[1].sizes is not None and len(node.inputs[1].sizes) == 2)  # fmt: skip
    if op is CONCAT:
        return node.attrs["axis"] in (1, -1) and all(t.sizes is not None and t.sizes[1] is not None for t in node.inputs)
    if op in (SUM, MEAN):
        return node.attrs["keepdims"] and tuple(node.attrs["axis"] or ()) in ((1,), (-1,))
    if op is GETITEM:
        index = node.attrs["index"]
        return len(node.inputs) == 1 and len(index) == 2 and index[0] == slice(None) and isinstance(index[1], slice)
    return False


def mentions_output(node: Node) -> bool:
    """Whether a partial derivative of an operation, or its tangent, reads what the operation gives."""
    op = node.op
    if op.kind in ("constant", "linear", "bilinear") or op is HANDLE:
        return False
    if not op.partials or op.stated:
        return True
    return any(_reads_output(op, node, i) for i, p in enumerate(op.partials) if p is not None)


def _reads_output(op: Op, node: Node, i: int) -> bool:
    complexes = tuple([t.nptype.kind == "c" for t in (*node.inputs, node.outputs[0])])
    _, leaves, result = traced(op, node.attrs, complexes, i)
    return any(leaves[-1].node is a for a in ancestors([result]))


class Path:
    """What depends on a value, and the first operation on the way that has no series."""

    def __init__(self, x: Any, stops: frozenset[int]) -> None:
        self.reasons: dict[int, str | None] = {x.n: None}
        self.stops, self.upto = stops, x.node.index + 1

    def advance(self, nodes: Sequence[Node]) -> None:
        """Walk on to the end of the list."""
        reasons = self.reasons
        for at in range(self.upto, len(nodes)):
            node = nodes[at]
            if node.op.kind == "constant":
                continue
            touched = [t.n for t in node.inputs if t.n in reasons]
            if touched:
                reason = next((reasons[n] for n in touched if reasons[n]), None)
                if reason is None:
                    reason = _series_reason(node)
                for t in node.outputs:
                    if t.n not in self.stops:
                        reasons.setdefault(t.n, reason)
        self.upto = len(nodes)


def _series_reason(node: Node) -> str | None:
    """Return why an operation, or one that a body of it runs, has no series; None if all have one."""
    pending, seen = [node], set()
    while pending:
        node = pending.pop()
        own = series_reason(node.op)
        if own is not None:
            return f"{own} ({node.where})"
        if node.op is COND or node.op is LOOP:
            for body in (node.attrs.get(name) for name in ("yes", "no", "body")):
                if body is not None and body not in seen:
                    seen.add(body)
                    pending += [n for n in ancestors(body.outputs) if n.op.kind in ("custom", "control", "implicit")]
    return None


def reads_sum(user: Node, g: Tensor) -> bool:
    """Whether a node is a gradient that reads g only as what is differentiated, summed with equal weights."""
    if user.op is not GRADIENT:
        return False
    ys, gs, _, _ = split_gradient(user)
    return sum(t is g for t in user.inputs) == 1 and any(y is g and w is None for y, w in zip(ys, gs, strict=True))
