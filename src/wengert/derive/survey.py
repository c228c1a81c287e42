"""What a lowering reads of a list first: how deep its gradients are nested, and what of each is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.derive.choice import REVERSE_FACTOR, Asked, mentions_output, reads_sum
from wengert.derive.lowered import needed
from wengert.derive.questions import GRADIENT, TAYLOR, split_gradient
from wengert.derive.structure import ancestors
from wengert.graph.node import Node
from wengert.ground.shapes import text
from wengert.ground.types import Array
from wengert.ops.control import OPENED
from wengert.ops.elementwise import NEGATIVE
from wengert.ops.linear import (
    GETITEM,
    IDENTITY,
    RESHAPE,
    SQUEEZE,
)
from wengert.ops.reduction import SUM
from wengert.ops.state import HANDLE, READ

__all__ = ["Survey", "name_of"]


class Survey:
    """What is read of a list before it is lowered."""

    def __init__(self, fetches: Sequence[Any], controls: Sequence[Node]) -> None:
        """Read what the fetches and the controls need."""
        self.nodes = needed(fetches, controls)
        self.singled: set[int] = set()
        """The numbers of what is differentiated by, or held fixed: each stands for itself."""
        self.uses: dict[int, int] = {}
        """How often a tensor is read, beside as what is differentiated; twice more where it is fetched."""
        self.orders: dict[int, int] = {}
        """By the index of a Gradient node: how deep it is nested in derivatives by coordinates, itself included."""
        for t in fetches:
            self.uses[t.n] = 2
        for node in self.nodes:
            ys: list[Any] = []
            if node.op is GRADIENT:
                ys, _, xs, stops = split_gradient(node)
                self.singled |= {x.n for x in (*xs, *stops)}
            elif node.op is TAYLOR:
                self.singled |= {x.n for x in node.inputs[node.attrs["ys"] : node.attrs["ys"] + node.attrs["xs"]]}
            for t in node.inputs[len(ys) :]:
                self.uses[t.n] = self.uses.get(t.n, 0) + 1
        self.awkward = self._awkward()
        self.height = self._heights()
        self.asked: dict[int, Asked] = {}
        """By the number of a gradient: which columns of it are used."""
        self.outer: dict[int, int] = {}
        """By the number of a gradient: how many further gradients are taken of it."""
        self.through = self._through_control()
        self.nested = self._nested()
        self._survey({t.n for t in fetches})

    def _through_control(self) -> set[Node]:
        """Return the choices, loops and Python functions that derivatives may lead through."""
        if not any(node.op in OPENED for node in self.nodes):
            return set()
        sources: set[int] = set()
        targets: list[Any] = []
        for node in self.nodes:
            if node.op is GRADIENT:
                ys, _, xs, _ = split_gradient(node)
            elif node.op is TAYLOR:
                ys, xs = list(node.inputs[: node.attrs["ys"]]), list(node.inputs[node.attrs["ys"] :][: node.attrs["xs"]])
            else:
                continue
            targets += ys
            sources.update(x.n for x in xs)
        behind = set(ancestors(targets))
        found = set()
        for node in self.nodes:
            if any(t.n in sources for t in node.inputs):
                sources.update(t.n for t in node.outputs)
                if node in behind and node.op in OPENED:
                    found.add(node)
        return found

    def _nested(self) -> set[Node]:
        """Return the Gradient nodes of which further derivatives are taken."""
        inside: set[int] = set()
        found = set()
        for node in reversed(self.nodes):
            gradient = node.op in (GRADIENT, TAYLOR)
            if any(t.n in inside for t in node.outputs):
                inside.update(t.n for t in node.inputs)
                if gradient:
                    found.add(node)
            elif gradient:
                inside.update(t.n for t in node.inputs)
        return found

    def _awkward(self) -> list[tuple[Node, Any, set[int]]]:
        """Return the Gradient nodes by a value that is computed by an operation whose derivative reads its output.

        With each: that value, and the numbers of all that it is computed from. Of a derivative by one of these, the
        derivative by the value depends on the very form of the first; see `_check_related`.
        """
        found = []
        for node in self.nodes:
            if node.op is GRADIENT:
                for x in split_gradient(node)[2]:
                    if x.node.op.kind not in ("constant", "linear", "bilinear") and mentions_output(x.node):
                        found.append((node, x, {t.n for a in ancestors(x.node.inputs) for t in a.outputs}))
        return found

    def _heights(self) -> dict[Node, int]:
        """Return for each Gradient node the greatest order of derivatives by coordinates that it is a part of."""
        depth: dict[int, int] = {}
        for node in self.nodes:
            deep = max([depth.get(t.n, 0) for t in node.inputs], default=0)
            if node.op is GRADIENT:
                if any(x.node.op not in (HANDLE, READ) for x in split_gradient(node)[2]):
                    deep += 1
                self.orders[node.index] = deep
            for t in node.outputs:
                depth[t.n] = deep
        above: dict[int, int] = {}
        found: dict[Node, int] = {}
        for node in reversed(self.nodes):
            high = max([above.get(t.n, 0) for t in node.outputs], default=0)
            if node.op is GRADIENT:
                high = max(high, self.orders[node.index])
                found[node] = high
                inner = split_gradient(node)
                if all(x.node.op in (HANDLE, READ) for x in inner[2]):
                    high = 0
            for t in node.inputs:
                above[t.n] = max(above.get(t.n, 0), high)
        return found

    def _survey(self, fetched: set[int]) -> None:
        """Note which columns of a gradient are used, and how many further gradients are taken of it."""
        users_of: dict[int, list[Node]] = {}
        for node in self.nodes:
            for t in node.inputs:
                if t.node.op is GRADIENT:
                    users_of.setdefault(t.n, []).append(node)
        users: dict[int, int] = {}
        for node in self.nodes:
            if node.op is GRADIENT:
                for y in split_gradient(node)[0]:
                    at = y
                    while at.node.op in (GETITEM, SQUEEZE, RESHAPE, SUM, IDENTITY, NEGATIVE):
                        at = at.node.inputs[0]
                    users[at.n] = users.get(at.n, 0) + 1
        for node in self.nodes:
            if node.op is not GRADIENT:
                continue
            for t in node.outputs:
                self.outer[t.n] = users.get(t.n, 0)
                slices, whole, summed = set(), t.n in fetched, False
                for user in users_of.get(t.n, ()):
                    if user.op is GETITEM and len(user.inputs) == 1:
                        slices.add(repr(user.attrs["index"]))
                    elif reads_sum(user, t):
                        summed = True
                    else:
                        whole = True
                self.asked[t.n] = Asked(len(slices) + summed, whole, summed)

    def order_in(self, node: Node, t: Any) -> tuple[int, int]:
        """Return the greatest orders of derivatives within the node (its own counts) and around it.

        In x, or what x depends on or x decides.
        """
        before = {t.n} | {o.n for a in ancestors([t]) for o in a.outputs}
        related = set(before)
        for other in self.nodes:
            if any(i.n == t.n or (i.n in related and i.n not in before) for i in other.inputs):
                related.update([o.n for o in other.outputs])
        inner: dict[int, int] = {}
        outer: dict[int, int] = {}
        own = 0
        for other in self.nodes:
            step = int(other.op is GRADIENT and any(x.n in related for x in split_gradient(other)[2]))
            deep = max([inner.get(i.n, 0) for i in other.inputs], default=0) + step
            high = max([outer[i.n] for i in other.inputs if i.n in outer], default=-1)
            if other is node:
                own, high = deep, 0
            elif high >= 0:
                high += step
            for o in other.outputs:
                inner[o.n] = deep
                if high >= 0:
                    outer[o.n] = high
        return own, max(outer.values(), default=0)

    def nested_by(self, node: Node, t: Any) -> bool:
        """Whether a derivative by the same variable stands within, or around."""
        return any(other is not node and other.op is GRADIENT and any(x is t for x in split_gradient(other)[2])
                   for other in self.nodes) if t.sizes is not None and self.height[node] > 1 else False  # fmt: skip

    def dear(self, node: Node, t: Array | None, out: Any, count: int) -> str | None:
        """Return why reverse mode finds the columns that are asked for at less cost; None if it does not.

        Reverse mode is blind to columns. Once more over what stands inside, it costs three times that, so the last order by
        more than three columns goes by it. Where further derivatives are taken of the columns, it multiplies their cost too:
        by three with each order, where a series needs one coefficient for each multi-index.
        """
        asked = self.asked[out.n]
        used = asked.of(count)
        if used <= 2:
            return None
        own, above = self.order_in(node, t)
        order = own + above
        if not above:
            dear = used > (REVERSE_FACTOR if order > 1 else 2)
        elif asked.whole:
            dear = min(used**order, math.comb(used + order - 1, order)) > REVERSE_FACTOR**order
        else:
            dear = used > REVERSE_FACTOR**order * max(1, self.outer.get(out.n, 0))
        return f"reverse mode costs less: {used} columns, order {order} in {name_of(t)}" if dear else None


def name_of(x: Any) -> str:
    """Return how a tensor is named to users: its node and its shape."""
    return f"{x.node.name} {text(x.sizes)}"
