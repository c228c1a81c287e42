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
from wengert.graph.node import Node
from wengert.ground.context import Site, assigned, recent, slopes
from wengert.ground.dtypes import as_dtype
from wengert.modes.called import Call
from wengert.modes.tracing import Body
from wengert.ops.control import CALL
from wengert.ops.linear import CAST, CONSTANT
from wengert.ops.state import ASSIGN, HANDLE, READ
from wengert.tensor.tensor import EagerTensor, Graph, SymbolicTensor

__all__ = ["Flaw", "Past", "Step"]


class Step(NamedTuple):
    """How a tensor came about."""

    op: Any
    inputs: Sequence[float]
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


class Inside(NamedTuple):
    """A call of a function under tapes, whose steps are those of the list that was called."""

    call: Call
    body: Body
    inputs: Sequence[float]


class Edge(NamedTuple):
    """A step back: from a tensor to what it came from."""

    above: float
    below: float
    flaw: Flaw | None


COST = {"nature": 100, "memory": 100, "outer": 30, "slope": 10, "hidden": 1}


class Past:
    """What is known of how some tensors came about."""

    def __init__(self, tape: Any, entries: Sequence[Any], ys: Sequence[Any], x: Any) -> None:
        """Take the tape that was asked, or None, what it recorded, the targets and the source."""
        self.tape, self.x = tape, x
        self.steps: dict[float, Step] = {}
        self.symbols: dict[float, Any] = {}
        self._graphs: dict[Any, tuple[dict[float, Any], dict[float, list[Any]]]] = {}
        self.oldest = recent[0][0] if len(recent) == recent.maxlen else 0
        self.made: dict[float, Any] = dict(recent.copy())
        self._called: set[int] = set()
        for op, inputs, output, _ in entries:
            if op is CALL:
                self._called.update([t.n for t in output])
            self.add(output if isinstance(output, tuple | list) else (output,))
            self.add(inputs)
        self.held: dict[float, Any] = getattr(tape, "_held", {})
        self.add(self.held.values())
        self.add(x.readings() if hasattr(x, "readings") else ())
        self.add([*ys, x])
        self._places: dict[int, dict[int, int]] = {}
        self._within: dict[float, tuple[Inside, SymbolicTensor]] = {}
        """Tensors of lists that were called, by numbers that they have here alone."""
        self.slopes: dict[float, Any] = dict(slopes.copy())
        self.writes: dict[float, list[Any]] = {}
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

    def step(self, n: float) -> Step | None:
        """Return how a tensor came about, None if that is not known or it came from nothing."""
        found = self.steps.get(n)
        if found is None:
            if n in self._within:
                found = self.steps[n] = self._of_within(*self._within[n])
            elif n in self.made:
                found = self.steps[n] = self._of_call(n, self.made[n]) or _step(self.made[n])
            elif n in self.symbols:
                found = self.steps[n] = self._of_symbol(self.symbols[n])
        return found

    # What a traced function computed under tapes is a call: its steps are those of the list that was called. A tensor of the list
    # has, for that call, a number just before that of what the call gave: numbers tell the time.

    def _of_call(self, n: float, made: tuple[Any, ...]) -> Step | None:
        call: Call | None = made[3].get("call") if made[0] is CALL else None
        body = None if call is None else call.body()
        if call is None or body is None:
            return None
        result = body.outputs[[float(m) for m in call.results].index(n)]
        return Step(result.op.op, [self._number(Inside(call, body, made[1]), result)], result.op.site, {"captured": True})

    def _number(self, inside: Inside, t: SymbolicTensor) -> float:
        """Return the number of a tensor of a list that was called."""
        body = inside.body
        places = self._places.get(id(body))
        if places is None:
            tensors = [o for node in body.graph.nodes for o in node.outputs]
            places = self._places[id(body)] = {o.n: k for k, o in enumerate(tensors, 1)}
        n = inside.call.results[0] - 1 + places[t.n] / (len(places) + 1)
        self._within[n] = inside, t
        return n

    def _of_within(self, inside: Inside, t: SymbolicTensor) -> Step:
        node = t.op
        for place, n in zip(inside.body.places, inside.inputs, strict=True):
            if place is t:
                return Step(node.op, [n], node.site, {"captured": True})
        return Step(node.op, [self._number(inside, u) for u in _values(node)], node.site, node.attrs)

    def is_inside(self, n: float) -> bool:
        """Return whether a number is that of a tensor of a list that was called."""
        return n in self._within

    def is_live(self, n: float) -> bool:
        """Return whether the tape saw that a tensor depends on what it watches; within a call, that this does."""
        if n in self._within:
            return any(m in self._called for m in self._within[n][0].call.results)
        return n in self.tape.live

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
        inputs = _values(node)
        self.add(inputs)
        return Step(node.op, [u.n for u in inputs], node.site, node.attrs)

    def _graph(self, graph: Graph) -> tuple[dict[float, Any], dict[float, list[Any]]]:
        """Return what a graph captures, by the place, and what is assigned to variables in it, by the handle."""
        if graph not in self._graphs:
            captured: dict[float, Any] = {place.n: source for source, place in getattr(graph, "captured", {}).values()}
            writes: dict[float, list[Any]] = {}
            for node in graph.nodes:
                if node.op is ASSIGN:
                    writes.setdefault(node.inputs[0].n, []).append(node)
            self._graphs[graph] = captured, writes
        return self._graphs[graph]

    def edges(self, n: float) -> Iterator[Edge]:
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

    def _written(self, n: float, step: Step) -> Iterator[Edge]:
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

    def _flaw(self, n: float, step: Step, i: int) -> Flaw | None:
        op, attrs = step.op, step.attrs
        if op is READ or op is HANDLE or attrs.get("captured"):
            return None
        if op.kind == "constant":
            return Flaw("nature", step, i)
        if op is CAST and as_dtype(attrs["dtype"]).kind not in "fc":
            return Flaw("nature", step, i)
        if i in op.constant_inputs or (i < len(op.partials) and op.partials[i] is None):
            return Flaw("nature", step, i)
        eager = n not in self.symbols and n not in self._within
        if eager and self.in_graph:
            return Flaw("outer", step, i)
        if eager and op is GRADIENT:
            return Flaw("slope" if self.is_straight(n, step) else "hidden", step, i)
        if self.hidden(n):
            return Flaw("hidden", step, i)
        return None

    # --- what the tape saw -----------------------------------------------------------------------------------------------

    def hidden(self, n: float) -> bool:
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

    def way(self, starts: Iterable[float], goal: float) -> list[Edge] | None:
        """Return the way from one of the starts back to the goal with the least flaws, in order from the goal on."""
        cost = dict.fromkeys(starts, 0)
        came: dict[float, Edge] = {}
        pending = [(0, -n) for n in cost]
        heapq.heapify(pending)
        done: set[float] = set()
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

    def all(self, starts: Iterable[float]) -> set[float]:
        """Return the numbers of everything that is known to have led to the starts, with them."""
        found = set(starts)
        pending = list(found)
        while pending:
            for edge in self.edges(pending.pop()):
                if edge.below not in found:
                    found.add(edge.below)
                    pending.append(edge.below)
        return found

    def led_to(self, starts: Iterable[float], goal: float) -> set[float]:
        """Return the numbers of what the goal is known to have led to, among all that led to the starts."""
        users: dict[float, list[float]] = {n: [] for n in starts}
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

    def is_straight(self, n: float, step: Step) -> bool:
        """Return whether a gradient is surely the same for all values of the source: its ys are linear in all that moves."""
        moving = {self.x.n, *step.attrs.get("xs", ())}
        before = sorted(self.all(step.inputs))
        degree: dict[float, int] = {}
        for m in before:
            made = None if m in moving else self.step(m)
            degree[m] = 1 if m in moving else 0 if made is None else _degree(made, [degree.get(k, 2) for k in made.inputs])
        return all(degree[m] < 2 for m in step.inputs)


def _values(node: Node) -> Sequence[SymbolicTensor]:
    """Return what an operation reads; the xs and stops of a gradient are places in the list, not values that it reads."""
    return node.inputs[: node.attrs["ys"] + sum(node.attrs["given"])] if node.op is GRADIENT else node.inputs


def _degree(step: Step, inputs: list[int]) -> int:
    """Return 0 for what does not change with the inputs, 1 for what is linear in them, 2 for anything else."""
    op = step.op
    if step.attrs.get("captured"):
        return max(inputs)
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
