"""How tensors came about: a walk from targets back to a source, and what is wrong with the ways between them.

In a graph each tensor knows the node that gives it. Eagerly each knows the operation that made it, and the numbers of what that
read; the latest operations of the process, and what a tape recorded, tell of tensors that are gone. Numbers are given out in
order, so they tell the time too: whether something was computed while a tape recorded.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from wengert.derive.questions import GRADIENT
from wengert.derive.structure import traced
from wengert.ground.context import Site, assigned, recent, slopes
from wengert.ground.dtypes import as_dtype
from wengert.ops.linear import CAST, CONSTANT
from wengert.ops.state import ASSIGN, HANDLE, READ
from wengert.tensor.tensor import EagerTensor, Graph, SymbolicTensor

__all__ = ["Flaw", "Past", "Step"]


class Step(NamedTuple):
    """How a tensor came about."""

    op: Any
    inputs: Sequence[int]
    site: Any
    attrs: Any

    @property
    def where(self) -> str:
        """The user's line."""
        return "an unknown place" if self.site is None else str(Site(*self.site))


def _step(made: Any) -> Step:
    """Return what a tensor remembers as a step; a gradient remembers what it is by in the place of attributes."""
    op, inputs, site, attrs = made[:4]
    return Step(op, inputs, site, {"xs": attrs} if op is GRADIENT else attrs)


class Flaw(NamedTuple):
    """What is wrong with a step from a tensor back to one of those that it came from.

    ``kind``: "nature" (no derivative passes), "memory" (through a variable's memory), "outer" (computed outside of the graph),
    "slope" (a gradient that it has no part in), "hidden" (the tape did not record then).
    """

    kind: str
    step: Step
    position: int = 0
    note: Any = None


class Edge(NamedTuple):
    """A step back: from a tensor to what it came from."""

    above: int
    below: int
    flaw: Flaw | None


COST = {"nature": 100, "memory": 100, "outer": 30, "slope": 10, "hidden": 1}


class Past:
    """What is known of how some tensors came about."""

    def __init__(self, tape: Any, entries: Sequence[Any], ys: Sequence[Any], x: Any) -> None:
        """Take the tape that was asked, or None, what it recorded, the targets and the source."""
        self.tape, self.x = tape, x
        self.steps: dict[int, Step] = {}
        self.symbols: dict[int, Any] = {}
        self._graphs: dict[Any, tuple[dict[int, Any], dict[int, list[Any]]]] = {}
        self.oldest = recent[0][0] if len(recent) == recent.maxlen else 0
        self.made: dict[int, Any] = dict(recent.copy())
        for _, inputs, output, _ in entries:
            self.add(output if isinstance(output, tuple | list) else (output,))
            self.add(inputs)
        self.held: dict[int, Any] = getattr(tape, "_held", {})
        self.add(self.held.values())
        self.add(x.readings() if hasattr(x, "readings") else ())
        self.add([*ys, x])
        self.slopes = dict(slopes.copy())
        self.writes: dict[int, list[Any]] = {}
        for variable, value, how, site, name in assigned.copy():
            self.writes.setdefault(variable, []).append((value, how, site, name))
        times = getattr(tape, "times", ())
        self.spans = list(zip(times[::2], [*times[1::2], float("inf")], strict=False))
        self.in_graph = any(y.n in self.symbols for y in ys)

    def add(self, tensors: Iterable[Any]) -> None:
        """Take note of tensors at hand."""
        for t in tensors:
            if t.__class__ is SymbolicTensor:
                self.symbols[t.n] = t
            elif t.__class__ is EagerTensor and t.made is not None:
                self.made[t.n] = t.made

    # --- steps back -----------------------------------------------------------------------------------------------------

    def step(self, n: int) -> Step | None:
        """Return how a tensor came about, None if that is not known or it came from nothing."""
        found = self.steps.get(n)
        if found is None:
            if n in self.made:
                found = self.steps[n] = _step(self.made[n])
            elif n in self.symbols:
                found = self.steps[n] = self._of_symbol(self.symbols[n])
        return found

    def _of_symbol(self, t: Any) -> Step:
        node = t.op
        captured, _ = self._graph(t.graph)
        source = captured.get(t.n)
        if source is not None:
            self.add([source])
            return Step(node.op, [source.n], node.site, {"captured": True})
        if node.op is HANDLE:
            return Step(HANDLE, [node.attrs["variable"].n], node.site, node.attrs)
        if node.op is CONSTANT and self.x.__class__ is EagerTensor and self.x.array is node.attrs["value"]:
            return Step(CONSTANT, [self.x.n], node.site, {"captured": True})
        inputs = node.inputs
        if node.op is GRADIENT:  # its xs and stops are places in the list, not values that it reads
            inputs = inputs[: node.attrs["ys"] + sum(node.attrs["given"])]
        self.add(inputs)
        return Step(node.op, [u.n for u in inputs], node.site, node.attrs)

    def _graph(self, graph: Graph) -> tuple[dict[int, Any], dict[int, list[Any]]]:
        """Return what a graph captures, by the place, and what is assigned to variables in it, by the handle."""
        if graph not in self._graphs:
            captured = {place.n: source for source, place in getattr(graph, "captured", {}).values()}
            writes: dict[int, list[Any]] = {}
            for node in graph.nodes:
                if node.op is ASSIGN:
                    writes.setdefault(node.inputs[0].n, []).append(node)
            self._graphs[graph] = captured, writes
        return self._graphs[graph]

    def edges(self, n: int) -> Iterator[Edge]:
        """Iterate over the steps back from a tensor."""
        step = self.step(n)
        if step is not None:
            for position, m in enumerate(step.inputs):
                yield Edge(n, m, self._flaw(n, step, position))
            if step.op is READ:
                yield from self._written(n, step)
        taken = self.slopes.get(n)
        if taken is not None:
            way = _step(taken)
            for m in way.inputs:
                yield Edge(n, m, Flaw("slope", way))

    def _written(self, n: int, step: Step) -> Iterator[Edge]:
        """Iterate over what was assigned to a variable before it was read."""
        handle = step.inputs[0]
        for value, how, site, name in self.writes.get(handle, ()):
            if value < n:
                yield Edge(n, value, Flaw("memory", Step(ASSIGN, [value], site, {"how": how}), 0, name))
        if handle in self.symbols:
            read = self.symbols[n].op
            for node in self._graph(read.graph)[1].get(handle, ()):
                if node.index < read.index:
                    self.add(node.inputs)
                    value = node.inputs[1].n
                    how = "assign" if node.attrs["how"] == "update" else f"assign_{node.attrs['how']}"
                    name = self.symbols[handle].op.attrs.get("variable")
                    told = Step(ASSIGN, [value], node.site, {"how": how})
                    yield Edge(n, value, Flaw("memory", told, 0, getattr(name, "_name", None)))

    def _flaw(self, n: int, step: Step, i: int) -> Flaw | None:
        op, attrs = step.op, step.attrs
        if op is READ or op is HANDLE or attrs.get("captured"):
            return None
        if op.kind == "constant":
            return Flaw("nature", step, i)
        if op is CAST and as_dtype(attrs["dtype"]).kind not in "fc":
            return Flaw("nature", step, i)
        if i in op.constant_inputs or (i < len(op.partials) and op.partials[i] is None):
            return Flaw("nature", step, i)
        eager = n not in self.symbols
        if eager and self.in_graph:
            return Flaw("outer", step, i)
        if eager and op is GRADIENT:
            return Flaw("slope" if self.is_straight(n, step) else "hidden", step, i)
        if self.hidden(n):
            return Flaw("hidden", step, i)
        return None

    # --- what the tape saw -----------------------------------------------------------------------------------------------

    def hidden(self, n: int) -> bool:
        """Return whether something was computed while the tape did not record, or forgotten by it since."""
        if self.tape is None or (n in self.tape.live and n not in self.held):  # what is watched by hand may be older
            return False
        return n < self.tape.forgot or not any(begin < n < end for begin, end in self.spans)

    def is_watched(self) -> bool:
        """Return whether the tape watched the source."""
        if self.tape is None or self.tape._watch_all or self.x.n in self.tape.live:
            return True
        standing = [n for n in list(self.symbols) if (s := self.step(n)) and self.x.n in s.inputs and self._stands(s)]
        return any(n in self.tape.live for n in standing)

    def _stands(self, step: Step) -> bool:
        return step.op is HANDLE or bool(step.attrs.get("captured"))

    # --- ways ------------------------------------------------------------------------------------------------------------

    def way(self, starts: Iterable[int], goal: int) -> list[Edge] | None:
        """Return the way from one of the starts back to the goal with the least flaws, in order from the goal on."""
        cost = dict.fromkeys(starts, 0)
        came: dict[int, Edge] = {}
        pending = [(0, -n) for n in cost]
        heapq.heapify(pending)
        done: set[int] = set()
        while pending:
            c, minus = heapq.heappop(pending)
            n = -minus
            if n in done:
                continue
            done.add(n)
            if n == goal:
                break
            for edge in self.edges(n):
                total = c + (0 if edge.flaw is None else COST[edge.flaw.kind])
                if total < cost.get(edge.below, float("inf")):
                    cost[edge.below], came[edge.below] = total, edge
                    heapq.heappush(pending, (total, -edge.below))
        if goal not in done:
            return None
        found = []
        n = goal
        while n in came:
            found.append(came[n])
            n = came[n].above
        return found

    def all(self, starts: Iterable[int]) -> set[int]:
        """Return the numbers of everything that is known to have led to the starts, with them."""
        found = set(starts)
        pending = list(found)
        while pending:
            for edge in self.edges(pending.pop()):
                if edge.below not in found:
                    found.add(edge.below)
                    pending.append(edge.below)
        return found

    def led_to(self, starts: Iterable[int], goal: int) -> set[int]:
        """Return the numbers of what the goal is known to have led to, among all that led to the starts."""
        users: dict[int, list[int]] = {n: [] for n in starts}
        pending = list(users)
        while pending:
            n = pending.pop()
            for edge in self.edges(n):
                if edge.below not in users:
                    users[edge.below] = []
                    pending.append(edge.below)
                users[edge.below].append(n)
        found = {goal} & users.keys()
        pending = list(found)
        while pending:
            more = [n for n in users[pending.pop()] if n not in found]
            found.update(more)
            pending.extend(more)
        return found

    def is_straight(self, n: int, step: Step) -> bool:
        """Return whether a gradient is surely the same for all values of the source: its ys are linear in all that moves."""
        moving = {self.x.n, *step.attrs.get("xs", ())}
        before = sorted(self.all(step.inputs))
        degree: dict[int, int] = {}
        for m in before:
            made = None if m in moving else self.step(m)
            degree[m] = 1 if m in moving else 0 if made is None else _degree(made, [degree.get(k, 2) for k in made.inputs])
        return all(degree[m] < 2 for m in step.inputs)


def _degree(step: Step, inputs: list[int]) -> int:
    """Return 0 for what does not change with the inputs, 1 for what is linear in them, 2 for anything else."""
    op = step.op
    if not any(inputs) or op.kind == "constant":
        return 0
    if op.kind == "linear":
        return max(inputs)
    if op.kind == "bilinear":
        return min(sum(inputs), 2)
    if op.kind != "elementwise" or len(inputs) < 2 or any(d > 1 for d in inputs):
        return 2
    moving = {i for i, d in enumerate(inputs) if d}
    for i in moving:
        if op.partials[i] is None:
            continue
        nodes, leaves, result = traced(op, step.attrs, (False,) * (len(inputs) + 1), i)
        below = {result.n}
        for node in reversed(nodes):
            if any(t.n in below for t in node.outputs):
                below.update([t.n for t in node.inputs])
        if any(leaves[k].n in below for k in (*moving, len(inputs))):
            return 2
    return 1
