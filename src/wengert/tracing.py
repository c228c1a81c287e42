"""Tracing: graphs with inputs and captures, bodies that run them, and putting one graph into another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from wengert.context import here, state
from wengert.derive.plan import needed
from wengert.derive.request import request, series
from wengert.errors import InaccessibleTensorError
from wengert.execute.numpy import Program
from wengert.execute.replay import replay
from wengert.graph import Graph, Node
from wengert.ops import linear
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.state import HANDLE, READ
from wengert.options import options
from wengert.tensor import EagerTensor, append, apply, lift, tensors

__all__ = ["Body", "FuncGraph", "effects_of", "inline", "tracing"]

EFFECTS = ("assign", "assign_scatter", "print", "assert", "py_function")


class FuncGraph(Graph):
    """A graph with inputs, which takes in (captures) what its operations use from outside."""

    building_function = True

    def __init__(self, outer: Graph | None, name: str = "function", share_variables: bool = True) -> None:
        """Make an empty graph inside of another, or of eager code.

        ``share_variables``: variables are reached by their own handles (a function); if not, handles are captured from
        the outer graph (a branch or a loop's body), so that derivatives pass through.
        """
        super().__init__()
        self.outer, self.function_name, self.share_variables = outer, name, share_variables
        self.inputs: list[Any] = []
        self.captured: dict[int, tuple[Any, Any]] = {}
        self.created: list[Any] = []
        self.function: Any = None
        """The user's function whose derivative it is, if it is a custom one."""
        self.seed = outer.seed if outer is not None else None
        self.collections = outer.collections if outer is not None else {}

    def placeholder(self, sizes: Any, nptype: Any, name: str = "input") -> Any:
        """Append an input."""
        spec = {"dtype": nptype, "shape": sizes}
        controls, self.controls = self.controls, ()
        try:
            node = self.append(PLACEHOLDER, (), spec, [(sizes, nptype)], name, here())
        finally:
            self.controls = controls
        return node.outputs[0]

    def add_input(self, sizes: Any, nptype: Any, name: str = "input") -> Any:
        """Append an input and count it among the inputs."""
        place = self.placeholder(sizes, nptype, name)
        self.inputs.append(place)
        return place

    def capture(self, tensor: Any) -> Any:
        """Return the input that stands for a tensor from outside.

        Raises:
            InaccessibleTensorError: for a tensor of a graph that this one is not inside of.
        """
        if tensor.n in self.captured:
            return self.captured[tensor.n][1]
        source = tensor
        if not isinstance(tensor, EagerTensor):
            if self.outer is None or not _inside(self.outer, tensor.graph):
                raise InaccessibleTensorError(
                    f"The tensor {tensor.name} (made at {tensor.node.where}) belongs to another graph or function and cannot be "
                    "used here. Pass it as an argument, or return it from where it was made."
                )
            source = lift(self.outer, tensor)
        elif self.outer is not None:
            source = lift(self.outer, tensor)
        place = self.placeholder(tensor.sizes, tensor.nptype, "captured")
        self.captured[tensor.n] = (source, place)
        return place

    def handle_of(self, variable: Any) -> Any:
        """Return the tensor that stands for a variable."""
        if self.share_variables or self.outer is None:
            spec = [(variable.sizes, variable.nptype)]
            controls, self.controls = self.controls, ()
            try:
                return self.append(HANDLE, (), {"variable": variable}, spec, variable._name + "/").outputs[0]
            finally:
                self.controls = controls
        return self.capture(variable.handle_in(self.outer))

    def value_for_variable(self, tensor: Any) -> Any:
        """Return a traced initial value as an eager one: it may depend on nothing that is traced.

        Raises:
            InaccessibleTensorError: if it depends on an argument.
        """
        try:
            return EagerTensor(Program(self, [tensor], [])()[0])
        except Exception as error:
            raise InaccessibleTensorError(
                f"The initial value of a variable, {tensor!r}, depends on a traced tensor. Give a value, or a function that "
                "returns one."
            ) from error

    @property
    def effects(self) -> list[Node]:
        """The operations that act on the world, in the order of the program."""
        return effects_of(self)


def effects_of(graph: Graph) -> list[Node]:
    """Return a graph's operations that act on the world, in order."""
    found = []
    for node in graph.nodes:
        if node.op.name in EFFECTS:
            found.append(node)
        elif node.op.kind == "control":
            bodies = [v for v in node.attrs.values() if isinstance(v, Body)]
            if any(b.graph.effects for b in bodies):
                found.append(node)
    return found


def _inside(graph: Graph | None, other: Graph) -> bool:
    while graph is not None:
        if graph is other:
            return True
        graph = getattr(graph, "outer", None)
    return False


@contextlib.contextmanager
def tracing(graph: Graph) -> Iterator[None]:
    """Append the operations of a with block to a graph; observers outside of it do not see them."""
    before = state.graph, state.observers, state.graphs, state.site
    state.graphs = (*state.graphs, state.graph)
    state.graph, state.observers, state.site = graph, (), None
    try:
        yield
    finally:
        state.graph, state.observers, state.graphs, state.site = before


def inline(graph: Graph, outputs: Sequence[Any], given: dict[int, Any], controls: Sequence[Node] = ()) -> Any:
    """Append to the current graph what the outputs and controls of another graph need.

    ``given``: the current graph's tensors for the other's inputs, by number. Observers see the operations.

    Returns:
        (the outputs, the control nodes) in the current graph.
    """
    target = state.graph
    mapped = dict(given)
    twins: dict[Node, Node] = {}
    for node in needed(outputs, controls):
        if all(t.n in mapped for t in node.outputs) and node.outputs:
            continue
        if node.op is HANDLE:
            mapped[node.outputs[0].n] = node.attrs["variable"].handle_in(target)
            continue
        before, site = target.controls, state.site
        target.controls = before + tuple(twins[c] for c in node.control_inputs if c in twins)
        state.site = node.site
        try:
            if node.op is READ and state.observers:
                _watched(mapped[node.inputs[0].n], node.inputs[0].node)
            result = append(target, node.op, [mapped[t.n] for t in node.inputs], node.attrs)
        finally:
            target.controls, state.site = before, site
        several = result if node.op.outputs != 1 else (result,)
        for t, r in zip(node.outputs, several, strict=True):
            mapped[t.n] = r
        twins[node] = several[0].node if several else target.nodes[-1]
    return [mapped[t.n] for t in outputs], [twins[c] for c in controls if c in twins]


def _watched(handle: Any, node: Node) -> None:
    """Tell the tapes that a variable is read through a handle, as reading it directly would."""
    if node.op is HANDLE and node.attrs["variable"].trainable:
        for observer in state.observers:
            if getattr(observer, "_watch_accessed", False):
                observer._watch_variable(node.attrs["variable"])
                observer.live.add(handle.n)


class Adjoint(NamedTuple):
    """The body of the loop that is a loop's derivative, and how to read its results."""

    body: Body
    carried: tuple[bool, ...]
    captured: tuple[int, ...]
    rows: tuple[int, ...]
    carry_specs: tuple[Any, ...]
    carries: int
    sequences: int

    def pick(self, results: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
        """Return the cotangents of the loop's inputs at the positions wanted."""
        start = sum(self.carried)
        found: dict[int, Any] = {}
        at = 0
        for k, yes in enumerate(self.carried):
            if yes:
                found[k] = results[at]
                at += 1
        for k in self.captured:
            found[self.carries + self.sequences + k] = results[at]
            at += 1
        for k, row in zip(self.rows, results[start + len(self.captured) :], strict=True):
            found[self.carries + k] = row
        return [found.get(i) for i in wanted]


class Body:
    """A graph that a choice or a loop runs: inputs first, then captures. See `wengert.ops.control`."""

    def __init__(self, graph: FuncGraph, outputs: Sequence[Any], places: Sequence[Any]) -> None:
        """Take a graph, its outputs, and the places of all its inputs in order."""
        self.graph, self.outputs, self.places = graph, list(outputs), list(places)
        self._programs: dict[Any, Program] = {}
        self._adjoints: dict[Any, Any] = {}

    @property
    def specs(self) -> list[Any]:
        """(shape, dtype) of the outputs."""
        return [(t.sizes, t.nptype) for t in self.outputs]

    @property
    def program(self) -> Program:
        """The compiled body."""
        key = options.key()
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = Program(self.graph, self.outputs, self.places, self.graph.effects)
        return program

    def __call__(self, xp: Any, *arrays: Any) -> tuple[Any, ...]:
        """Run."""
        return tuple(self.program.inside(*arrays))

    def open(self, xp: Any, values: Sequence[Any]) -> list[Any]:
        """Run in the manner of a rule: on arrays, or on tensors so that it is seen or appended."""
        if xp is not tensors:
            return list(self(xp, *values))
        if state.graph is None:
            return replay(self.program, values)
        return list(inline(self.graph, self.outputs, _given(self.places, values))[0])

    def _copy(self) -> tuple[FuncGraph, list[Any]]:
        graph = FuncGraph(self.graph.outer, self.graph.function_name, self.graph.share_variables)
        return graph, [graph.add_input(t.sizes, t.nptype) for t in self.places]

    def adjoint(self, wanted: tuple[int, ...], given: tuple[int, ...]) -> tuple[Body, tuple[bool, ...]]:
        """Return the body of the wanted inputs' cotangents, and which of them there are."""
        key = ("adjoint", wanted, given)
        if key not in self._adjoints:
            graph, places = self._copy()
            gs = [graph.add_input(self.outputs[k].sizes, self.outputs[k].nptype, "g") for k in given]
            with tracing(graph):
                outputs, _ = inline(self.graph, self.outputs, _given(self.places, places))
                ys = [lift(graph, outputs[k]) for k in given]
                found = request(ys, [places[i] for i in wanted], gs) if ys else [None] * len(wanted)
                whole = [apply(linear.ZEROS_LIKE, (places[i],)) if f is None else f for f, i in zip(found, wanted, strict=True)]
            self._adjoints[key] = (Body(graph, whole, graph.inputs), tuple(f is not None for f in found))
        return self._adjoints[key]  # type: ignore[no-any-return]

    def series(self, given: Any, indices: Any, seeds: int) -> tuple[list[Any], list[Any], list[Any], dict[Any, Any]]:
        """Trace the body with coefficients of its inputs beside them.

        ``given``: (number of the input, index) of the coefficients that there are; ``indices``: those wanted of every
        output that has a derivative.

        Returns:
            (the inputs, their coefficients, the outputs, the outputs' coefficients by (number, index)).
        """
        graph, places = self._copy()
        moved = {(i, a): graph.add_input(places[i].sizes, places[i].nptype, "coefficient") for i, a in given}
        with tracing(graph):
            outputs, _ = inline(self.graph, self.outputs, _given(self.places, places))
            outputs = [lift(graph, o) for o in outputs]
            wanted = [(k, a) for k, o in enumerate(outputs) if o.nptype.kind in "fc" for a in indices]
            found = series(outputs, places, moved, wanted, seeds) if wanted else []
        return places, list(moved.values()), outputs, dict(zip(wanted, found, strict=True))

    def of(self, outputs: Sequence[Any], places: Sequence[Any]) -> Body:
        """Return the body of other outputs and inputs, which are of one graph."""
        return Body(places[0].graph, outputs, places)

    def widened(self, spots: Sequence[Any]) -> Body:
        """Return the body with more inputs, which it does not read; ``spots``: for each input a position or a new spec."""
        graph, places = self._copy()
        wide = [places[spot] if isinstance(spot, int) else graph.add_input(*spot) for spot in spots]
        with tracing(graph):
            outputs, _ = inline(self.graph, self.outputs, _given(self.places, places))
        return Body(graph, [lift(graph, o) for o in outputs], wide)

    def remember(self, carries: int) -> Body:
        """Return a loop's body that also gives each step's carry as rows."""
        if "remember" not in self._adjoints:
            graph, places = self._copy()
            with tracing(graph):
                outputs, _ = inline(self.graph, self.outputs, _given(self.places, places))
                kept = [apply(linear.IDENTITY, (p,)) for p in places[:carries]]
            self._adjoints["remember"] = Body(graph, [*outputs, *kept], graph.inputs)
        return self._adjoints["remember"]  # type: ignore[no-any-return]

    def loop_adjoint(self, counts: tuple[int, int, int], row_given: tuple[bool, ...], wanted: tuple[int, ...]) -> Adjoint:
        """Return the body of the loop that carries cotangents back; see `Adjoint`."""
        key = ("loop", row_given, wanted)
        if key in self._adjoints:
            return self._adjoints[key]  # type: ignore[no-any-return]
        carries, sequences, captures = counts
        floats = [t.nptype.kind in "fc" for t in self.places]
        carried = tuple(floats[:carries])
        captured = tuple(k for k in range(captures) if carries + sequences + k in wanted and floats[carries + sequences + k])
        rows = tuple(k for k in range(sequences) if carries + k in wanted and floats[carries + k])
        graph = FuncGraph(self.graph.outer, self.graph.function_name, self.graph.share_variables)
        spots = [(p.sizes, p.nptype) for p in self.places]
        gs = [graph.add_input(*spots[k], "g") for k in range(carries) if carried[k]]
        sums = [graph.add_input(*spots[carries + sequences + k], "sum") for k in captured]
        states = [graph.add_input(*s) for s in spots[:carries]]
        slices = [graph.add_input(*s) for s in spots[carries : carries + sequences]]
        row_gs = [
            graph.add_input(o.sizes, o.nptype, "g") for o, there in zip(self.outputs[carries:], row_given, strict=True) if there
        ]
        held = [graph.add_input(*s) for s in spots[carries + sequences :]]
        with tracing(graph):
            places = [*states, *slices, *held]
            outputs, _ = inline(self.graph, self.outputs, _given(self.places, places))
            ys = [o for o, yes in zip(outputs[:carries], carried, strict=True) if yes]
            ys += [o for o, there in zip(outputs[carries:], row_given, strict=True) if there]
            xs = [s for s, yes in zip(states, carried, strict=True) if yes]
            xs += [held[k] for k in captured] + [slices[k] for k in rows]
            found = request([lift(graph, y) for y in ys], xs, [*gs, *row_gs]) if ys else [None] * len(xs)
            whole = [apply(linear.ZEROS_LIKE, (x,)) if f is None else f for f, x in zip(found, xs, strict=True)]
            n = len(gs)
            whole[n : n + len(sums)] = [s + w for s, w in zip(sums, whole[n : n + len(sums)], strict=True)]
        specs = tuple((t.sizes, t.nptype) for t in [*gs, *sums])
        result = Adjoint(Body(graph, whole, graph.inputs), carried, captured, rows, specs, carries, sequences)
        self._adjoints[key] = result
        return result


def _given(places: Sequence[Any], others: Sequence[Any]) -> dict[int, Any]:
    return {p.n: o for p, o in zip(places, others, strict=True)}


def trace_body(
    outer: Graph | None, specs: Sequence[Any], call: Callable[..., Any], name: str
) -> tuple[FuncGraph, list[Any], Any]:
    """Trace a function of symbolic inputs of the given specs; return the graph, its inputs, and what it returned."""
    graph = FuncGraph(outer, name, share_variables=False)
    inputs = [graph.add_input(sizes, nptype) for sizes, nptype in specs]
    with tracing(graph):
        result = call(*inputs)
    return graph, inputs, result


def unify(graphs: Sequence[FuncGraph]) -> tuple[list[Any], list[list[Any]]]:
    """Return what several graphs capture together, and for each graph the places for all of it, in that order."""
    sources: dict[int, Any] = {}
    for graph in graphs:
        for n, (source, _) in graph.captured.items():
            sources.setdefault(n, source)
    rows = []
    for graph in graphs:
        row = []
        for n, source in sources.items():
            if n in graph.captured:
                row.append(graph.captured[n][1])
            else:
                row.append(graph.placeholder(source.sizes, source.nptype, "unused"))
        rows.append(row)
    return list(sources.values()), rows
