"""Tracing: graphs with inputs and captures, bodies that run them, and putting one graph into another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from wengert.derive.lower import lower
from wengert.derive.lowered import Lowered, needed
from wengert.derive.questions import GRADIENT, TAYLOR, split_gradient
from wengert.derive.request import request, series
from wengert.derive.structure import ancestors, connected
from wengert.execute.numpy import NumPyProgram
from wengert.execute.program import compile
from wengert.execute.protocol import Program
from wengert.execute.replay import replay
from wengert.graph.node import Node
from wengert.graph.static import written_in
from wengert.ground.blocks import Leaving, Raised
from wengert.ground.context import current, here, state
from wengert.ground.errors import InaccessibleTensorError
from wengert.ground.options import options
from wengert.ground.shapes import Shape
from wengert.ground.types import Array, Namespace
from wengert.ops import linear
from wengert.ops.control import ABSENT, OPENED, bodies, made, opened, with_record
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.op import Op
from wengert.ops.state import FED, HANDLE, PASSED, PY_FUNCTION, READ, SNAPSHOT
from wengert.tensor.tensor import EagerTensor, Graph, Tensor, append, apply, convert, lift, tensors, within

__all__ = ["Body", "FuncGraph", "close", "draws_of", "effects_of", "inline", "tracing"]


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

    def placeholder(self, sizes: Shape, nptype: np.dtype[Any], name: str = "input") -> Any:
        """Append an input."""
        spec = {"dtype": nptype, "shape": sizes}
        controls, self.controls = self.controls, ()
        try:
            node = self.append(PLACEHOLDER, (), spec, [(sizes, nptype)], name, here())
        finally:
            self.controls = controls
        return node.outputs[0]

    def add_input(self, sizes: Shape, nptype: np.dtype[Any], name: str = "input") -> Any:
        """Append an input and count it among the inputs."""
        place = self.placeholder(sizes, nptype, name)
        self.inputs.append(place)
        return place

    def capture(self, tensor: Any) -> Any:
        """Return the input that stands for a tensor from outside.

        Raises:
            InaccessibleTensorError: for a tensor of a graph that this one is not inside of.
        """
        if not isinstance(tensor, EagerTensor) and (self.outer is None or not within(self.outer, tensor)):
            raise InaccessibleTensorError(
                f"The tensor {tensor.name} (made at {tensor.node.where}) belongs to another graph or function and cannot be "
                "used here. Pass it as an argument, or return it from where it was made."
            )
        source = tensor if self.outer is None else lift(self.outer, tensor)
        if source.n in self.captured:
            return self.captured[source.n][1]
        place = self.placeholder(tensor.sizes, tensor.nptype, "captured")
        self.captured[source.n] = (source, place)
        for observer in state.observers:
            observer.captured(tensor, place)
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

    def value_for_variable(self, tensor: Tensor) -> Any:
        """Return a traced initial value as an eager one: it may depend on nothing that is traced.

        Raises:
            InaccessibleTensorError: if it depends on an argument.
        """
        try:
            return EagerTensor(NumPyProgram(self, [tensor], [])()[0])
        except Exception as error:
            raise InaccessibleTensorError(
                f"The initial value of a variable, {tensor!r}, depends on a traced tensor. Give a value, or a function that "
                "returns one."
            ) from error

    def part(self) -> None:
        """Let go of the graph around, of which nothing is captured."""
        self.outer, self.collections = None, {}

    @property
    def effects(self) -> list[Node]:
        """The operations that act on the world, in the order of the program."""
        return effects_of(self)


def effects_of(graph: Graph) -> list[Node]:
    """Return a graph's operations that act on the world, in order."""
    found = []
    for node in graph.nodes:
        if node.op.acts:
            found.append(node)
        elif node.op.kind == "control":
            bodies = [v for v in node.attrs.values() if isinstance(v, Body)]
            if any(b.graph.effects for b in bodies):
                found.append(node)
    return found


def draws_of(graph: Graph) -> list[Any]:
    """Return by what the runs of a graph's random operations are counted, in order."""
    found = []
    for node in graph.nodes:
        if node.attrs.get("key") is not None:
            found.append(node.attrs["key"])
        for body in node.attrs.values():
            if isinstance(body, Body):
                found += draws_of(body.graph)
    return found


class tracing(current[None]):
    """Append the operations of a with block to a graph.

    Observers outside of it see those of a ``body``, which are a part of their own program, and not those of a function.
    """

    def __init__(self, graph: Graph, body: bool = False) -> None:
        """Take the graph."""
        observers = state.observers if body else ()
        super().__init__(graph=graph, graphs=(*state.graphs, state.graph), site=None, observers=observers)
        self._body = body

    def _leave(self, *exception: Raised) -> None:
        super()._leave(*exception)
        if self._body:  # a tape may have been stopped for good within
            state.observers = tuple([o for o in state.observers if o.recording])

    __exit__ = Leaving(_leave)


def inline(
    graph: Graph,
    outputs: Sequence[Any],
    given: dict[int, Any],
    controls: Sequence[Node] = (),
    make: Callable[[Node, list[Any]], Sequence[Any]] | None = None,
    values: bool = False,
) -> Any:
    """Append to the current graph what the outputs and controls of another graph need.

    ``given``: the current graph's tensors for the other's inputs, by number. Observers see the operations. ``make(node,
    inputs)``: returns the outputs that stand for a node's, in place of the same operation's. ``values``: only what the
    outputs are computed from, in no order that the program asks for. A derivative that was taken in the other graph ends at
    its inputs, however those that are given depend on each other.

    Returns:
        (the outputs, the control nodes) in the current graph.
    """
    target = state.graph
    nodes = ancestors(outputs) if values else needed(outputs, controls)
    mapped, ends = _apart(nodes, given) if any(node.op in (GRADIENT, TAYLOR) for node in nodes) else (dict(given), {})
    twins: dict[Node, Node] = {}
    for node in nodes:
        if all(t.n in mapped for t in node.outputs) and node.outputs:
            continue
        if node.op is HANDLE:
            mapped[node.outputs[0].n] = node.attrs["variable"].handle_in(target)
            continue
        before, site = target.controls, state.site
        target.controls = () if values else before + tuple(twins[c] for c in node.control_inputs if c in twins)
        state.site = node.site
        try:
            inputs = [mapped[t.n] for t in node.inputs]
            if state.observers:
                for t, variable in _read_within(node):
                    _read_observed(target, mapped[t.n], variable)
            if ends and node.op is GRADIENT:
                inputs += [end for x in split_gradient(node)[2] for end in ends.get(mapped[x.n].n, ())]
            if make is not None:
                several = make(node, inputs)
            elif node.op is READ and node.inputs[0].node.op is HANDLE and state.observers:
                several = (_read_observed(target, inputs[0], node.inputs[0].node.attrs["variable"]),)
            else:
                several = append_all(target, node.op, inputs, node.attrs)
        finally:
            target.controls, state.site = before, site
        for t, r in zip(node.outputs, several, strict=True):
            mapped[t.n] = r
        twins[node] = several[0].node if several else target.nodes[-1]
    return [mapped[t.n] for t in outputs], [twins[c] for c in controls if c in twins]


def _apart(nodes: Sequence[Node], given: dict[int, Any]) -> tuple[dict[int, Any], dict[int, list[Any]]]:
    """Tell apart, for the derivatives among nodes, the tensors that are given for their graph's inputs.

    Eagerly a derivative by one argument is not by another that was computed from it, or that is the same tensor.

    Returns:
        (what stands for the inputs: a tensor that others are computed from, or that stands for several, is a tensor of its
        own; by the number of a variable's handle, what was computed from the variable, where derivatives by it are to end)
    """
    target, mapped = state.graph, dict(given)
    count = Counter(t.n for t in given.values())
    handles = {x.n: x.node.attrs["variable"].handle_in(target).n for node in nodes if node.op is GRADIENT
               for x in split_gradient(node)[2] if x.node.op is HANDLE}  # fmt: skip
    marks = {*count, *handles.values()}
    behind: dict[int, frozenset[int]] = {}
    for node in ancestors(t for t in given.values() if t.node.inputs):
        found = frozenset().union(*(behind.get(t.n, frozenset()) | ({t.n} & marks) for t in node.inputs))
        behind.update((t.n, found) for t in node.outputs)
    below = frozenset().union(*(behind.get(n, frozenset()) for n in count))
    read = {t.n for node in nodes if node.op in (READ, SNAPSHOT, FED) or node.op.stateful for t in node.inputs}
    for n, t in given.items():
        count[t.n] -= 1
        if (t.n in below or count[t.n]) and t.nptype.kind in "fc" and n not in read:
            mapped[n] = append(target, linear.IDENTITY, (t,))
    ends = {h: [mapped[n] for n, t in given.items() if h in behind.get(t.n, ())] for h in handles.values()}
    return mapped, {h: stops for h, stops in ends.items() if stops}


def _read_observed(graph: Graph, handle: Tensor, variable: Any) -> Any:
    """Read a variable and tell the observers, as reading it directly would."""
    before, state.observers = state.observers, ()
    try:
        tensor = append(graph, READ, (handle,))
    finally:
        state.observers = before
    for observer in state.observers:
        observer.read_in(variable, handle, tensor)
    return tensor


def _read_within(node: Node) -> list[tuple[Tensor, Any]]:
    """Return the handles among an operation's inputs whose variables its bodies read, and the variables."""
    taken = [(body, p, t) for body, inputs in bodies(node, node.inputs) for p, t in zip(body.places, inputs, strict=True)]
    found = {t.n: t for body, p, t in taken if t.node.op is HANDLE and _is_read(body, p)}
    return [(t, t.node.attrs["variable"]) for t in found.values()]


def _is_read(body: Any, place: Tensor) -> bool:
    for node in body.graph.nodes:
        if node.op in (READ, SNAPSHOT, FED) and node.inputs[0] is place:
            return True
        if any(t is place and _is_read(inner, p) for inner, inputs in bodies(node, node.inputs)
               for p, t in zip(inner.places, inputs, strict=True)):  # fmt: skip
            return True
    return False


def append_all(graph: Graph, op: Any, inputs: Sequence[Any], attrs: Any) -> Sequence[Any]:
    """Append an operation and return its outputs, however many there are."""
    result = append(graph, op, inputs, attrs)
    return (result,) if op.outputs == 1 else result


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


class Split(NamedTuple):
    """A body that also gives its record, the pure body that takes it, and the record's (shape, dtype)s."""

    kept: Body
    pure: Body
    record: list[Any]


class _Shaped(NamedTuple):
    shape: Any


class Body:
    """A graph that a choice or a loop runs: inputs first, then captures. See `wengert.ops.control`."""

    def __init__(self, graph: FuncGraph, outputs: Sequence[Any], places: Sequence[Any]) -> None:
        """Take a graph, its outputs, and the places of all its inputs in order."""
        self.graph, self.outputs, self.places = graph, list(outputs), list(places)
        self._storages: dict[int, Any] = {}
        self._programs: dict[Any, NumPyProgram] = {}
        self._compiled: dict[Any, Program] = {}
        self._adjoints: dict[Any, Any] = {}
        self._made: dict[Any, Any] = {}

    @property
    def specs(self) -> list[Any]:
        """(shape, dtype) of the outputs."""
        return [(t.sizes, t.nptype) for t in self.outputs]

    @property
    def program(self) -> NumPyProgram:
        """The compiled body."""
        key = options.key()
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = NumPyProgram(self.graph, self.outputs, self.places, self.graph.effects)
        return program

    @property
    def compiled(self) -> Program:
        """The body as the executor that is chosen runs it, where it is a program of its own."""
        key = options.key()
        program = self._compiled.get(key)
        if program is None:
            made = compile(self.graph, self.outputs, self.places, self.graph.effects, tell=False)
            program = self._compiled.setdefault(key, made)
        return program

    def __call__(self, xp: Namespace, *arrays: np.ndarray[Any, Any]) -> tuple[Any, ...]:
        """Run."""
        return tuple(self.program.inside(*arrays))

    def open(self, xp: Namespace, values: Sequence[Any]) -> list[Any]:
        """Run in the manner of a rule: on arrays, or on tensors so that it is seen or appended."""
        if xp is not tensors:
            return list(self(xp, *[self._storages.get(k, v) for k, v in enumerate(values)]))
        if state.graph is None:
            return replay(self.program, values)
        if state.graph.__class__ is not Lowered:
            return list(inline(self.graph, self.outputs, _given(self.places, values))[0])
        return _opened(*self._lowered(), values)

    def holding(self, storages: dict[int, Any]) -> Body:
        """Return the body with the storages of variables for some of its inputs, where it is opened on arrays."""
        body = copy(self)
        body._storages = storages
        return body

    def _lowered(self) -> tuple[Any, list[Any], list[Any]]:
        """Return the list, its outputs and its inputs, as they can stand in a lowered list: no derivative is left to be found."""
        if not any(node.op in (GRADIENT, TAYLOR) for node in ancestors(self.outputs)):
            return self.graph, self.outputs, self.places
        key = ("lowered", options.key())
        if key not in self._made:
            self._made[key] = lower(self.graph, self.outputs, self.places, ())[:3]
        return self._made[key]  # type: ignore[no-any-return]

    def _copy(self) -> tuple[FuncGraph, list[Any]]:
        graph = FuncGraph(self.graph.outer, self.graph.function_name, self.graph.share_variables)
        return graph, [graph.add_input(t.sizes, t.nptype, t.node.name) for t in self.places]

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

    def joined(self, wanted: tuple[int, ...], at: int) -> tuple[Body, tuple[bool, ...]]:
        """Return the body of the inputs and a cotangent of the output at a position, and which cotangents there are.

        It gives the outputs, and the cotangents of the wanted inputs.
        """
        key = ("joined", wanted, at)
        if key not in self._adjoints:
            graph, places = self._copy()
            g = graph.add_input(self.outputs[at].sizes, self.outputs[at].nptype, "g")
            with tracing(graph):
                outputs, _ = inline(self.graph, self.outputs, _given(self.places, places))
                ys = [lift(graph, y) for y in outputs]
                found = request([ys[at]], [places[i] for i in wanted], [g])
            whole = Body(graph, [*ys, *[f for f in found if f is not None]], graph.inputs)
            self._adjoints[key] = whole, tuple(f is not None for f in found)
        return self._adjoints[key]  # type: ignore[no-any-return]

    def series(self, given: Sequence[Any], indices: Any, seeds: int) -> tuple[list[Any], list[Any], list[Any], dict[Any, Any]]:
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

    @property
    def touched(self) -> list[list[int]]:
        """For each output the numbers of the inputs that it has a derivative by, a loop's carry apart."""
        if "touched" not in self._made:
            at = [i for i, p in enumerate(self.places) if p.nptype.kind in "fc"]
            real = [self.places[i] for i in at]
            self._made["touched"] = [
                [i for i, yes in zip(at, connected([t], real, frozenset()), strict=True) if yes] if t.nptype.kind in "fc" else []
                for t in self.outputs
            ]
        return self._made["touched"]  # type: ignore[no-any-return]

    # --- what it takes from the world; see `wengert.ops.control` ---------------------------------------------------

    def split(self) -> Split:
        """Return the body with its record, and the pure one."""
        if "split" not in self._made:
            self._made["split"] = self._split()
        return self._made["split"]  # type: ignore[no-any-return]

    def _split(self) -> Split:
        nodes = ancestors(self.outputs)
        inner = {node: opened(node.op, node.attrs, False) for node in nodes if node.op in OPENED}
        keeping = [node for node in nodes if inner.get(node) is not None or _acts(node)]
        if not keeping:
            return Split(self, self, [])
        found: dict[Node, Sequence[Any]] = {}
        kept, kept_places = self._copy()

        def keep(node: Node, inputs: list[Any]) -> Sequence[Any]:
            more = inner.get(node)
            if more is None:
                outputs = append_all(kept, node.op, inputs, node.attrs)
                if _acts(node):
                    found[node] = outputs
                return outputs
            outputs = append_all(kept, node.op, inputs, more.attrs)
            own, record, _ = more.parts(outputs)
            found[node] = outputs if node.op is PY_FUNCTION else record
            return list(own)

        with tracing(kept):
            kept_outputs, _ = inline(self.graph, self.outputs, _given(self.places, kept_places), self.graph.effects, keep)
        pure, pure_places = self._copy()
        taken = {node: [pure.add_input(t.sizes, t.nptype, "record") for t in found[node]] for node in keeping}

        def again(node: Node, inputs: list[Any]) -> Sequence[Any]:
            record = taken.get(node)
            if record is None:
                return append_all(pure, node.op, inputs, node.attrs)
            more = inner.get(node)
            if node.op is PY_FUNCTION and more is not None:
                held = [apply(linear.STOP_GRADIENT, (t,)) for t in record[: more.own]]
                attrs = {"results": more.own, "gradient": node.attrs["gradient"]}
                return append_all(pure, PASSED, [*held, *inputs, *record[more.own :]], attrs)
            if more is not None:
                return append_all(pure, node.op, with_record(node.op, node.attrs, inputs, record), more.pure)
            if node.op is READ:
                return [append(pure, FED, (inputs[0], record[0]))]
            if node.op.kind != "unstated":
                return record
            held = [apply(linear.STOP_GRADIENT, (t,)) for t in record]
            return append_all(pure, PASSED, [*held, *inputs], {"results": len(record), "gradient": _unstated(node.op)})

        with tracing(pure):
            outputs, _ = inline(self.graph, self.outputs, _given(self.places, pure_places), (), again, True)
        record = [t for node in keeping for t in found[node]]
        return Split(
            Body(kept, [*(lift(kept, t) for t in kept_outputs), *record], kept_places),
            Body(pure, [lift(pure, t) for t in outputs], [*pure_places, *(t for node in keeping for t in taken[node])]),
            [(t.sizes, t.nptype) for t in record],
        )

    def padded(self, own: int, before: Sequence[Any], after: Sequence[Any]) -> Body:
        """Return the body that gives zeros, (shape, dtype), before and after the outputs that follow the own ones."""
        key = ("padded", own, tuple(before), tuple(after))
        if key not in self._made:
            with tracing(self.graph):
                first, last = (
                    [append(self.graph, ABSENT, (), {"shape": s, "dtype": nptype}) for s, nptype in specs]
                    for specs in (before, after)
                )
            self._made[key] = Body(self.graph, [*self.outputs[:own], *first, *self.outputs[own:], *last], self.places)
        return self._made[key]  # type: ignore[no-any-return]

    def taking(self, count: int, before: Sequence[Any], after: Sequence[Any]) -> Body:
        """Return the body with more inputs, (shape, dtype), before and after its last ``count``: it does not read them."""
        key = ("taking", count, tuple(before), tuple(after))
        if key not in self._made:
            at = len(self.places) - count
            first, last = ([self.graph.placeholder(s, nptype, "unused") for s, nptype in specs] for specs in (before, after))
            self._made[key] = Body(self.graph, self.outputs, [*self.places[:at], *first, *self.places[at:], *last])
        return self._made[key]  # type: ignore[no-any-return]

    def counted(self, own: int) -> Body:
        """Return the body that gives one more output after the own ones, so that its rows tell the turns."""
        if "counted" not in self._made:
            with tracing(self.graph):
                one = convert(True)
            self._made["counted"] = Body(self.graph, [*self.outputs[:own], one, *self.outputs[own:]], self.places)
        return self._made["counted"]  # type: ignore[no-any-return]

    def in_order(self, order: Sequence[int]) -> Body:
        """Return the body with its inputs in another order."""
        key = ("order", *order)
        if key not in self._made:
            same = list(order) == list(range(len(self.places)))
            self._made[key] = self if same else Body(self.graph, self.outputs, [self.places[k] for k in order])
        return self._made[key]  # type: ignore[no-any-return]

    def remembering(self, carries: int) -> Body:
        """Return a loop's body that also gives each turn's carry, as rows."""
        key = ("remembering", carries)
        if key not in self._made:
            with tracing(self.graph):
                kept = [apply(linear.IDENTITY, (p,)) for p in self.places[:carries]]
            self._made[key] = Body(self.graph, [*self.outputs, *kept], self.places)
        return self._made[key]  # type: ignore[no-any-return]

    def shapes(self, sizes: Sequence[Any]) -> list[Any]:
        """Return the shapes of the outputs for inputs of these shapes, as far as they are known without a run."""
        program = self.program
        return [t.sizes for t in program.variant(tuple([sizes[k] for k in program.open]), [_Shaped(s) for s in sizes]).outputs]

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


def _acts(node: Node) -> bool:
    """Whether an operation gives something that another run of it might not give."""
    return bool(node.op.stateful and node.op is not HANDLE and node.outputs)


def _unstated(op: Op) -> Any:
    def gradient(xp: Any, g: Any, inputs: Sequence[Array], outputs: Sequence[Array], wanted: Sequence[int]) -> Any:
        raise op.unstated(wanted[0])

    return gradient


def _opened(graph: Graph, outputs: Sequence[Any], places: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Append what outputs need to a lowered list, which keeps of choices and loops what their derivatives need."""
    target: Any = state.graph
    there = graph.opened if isinstance(graph, Lowered) else {}

    def make(node: Node, inputs: list[Any]) -> Sequence[Any]:
        if node.op in OPENED and node not in there:
            return made(node.op, inputs, node.attrs, tensors, target)  # type: ignore[no-any-return]
        several = append_all(target, node.op, inputs, node.attrs)
        if node in there:
            target.keep(several, there[node])
        return several

    return list(inline(graph, outputs, _given(places, values), make=make)[0])


def _given(places: Sequence[Any], others: Sequence[Any]) -> dict[int, Any]:
    return {p.n: o for p, o in zip(places, others, strict=True)}


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


# --- variables that bodies read ---------------------------------------------------------------------------------------


def close(graphs: Sequence[FuncGraph]) -> None:
    """End the tracing of an operation's bodies: what they took in is known to the observers around, and enters once."""
    captures = [pair for graph in graphs for pair in graph.captured.values()]
    for observer in state.observers:
        observer.closed(captures)
    _enter_reads(graphs)


def _enter_reads(graphs: Sequence[FuncGraph]) -> None:
    """Let the variables that bodies read, and do not assign to, enter them once, as they are before the operation runs.

    A read becomes the value that the graph around reads, by which the derivative passes to the variable as before.
    """
    written: set[int] = set()
    for graph in graphs:
        found = written_in(graph)
        if found is None:
            return
        written |= found
    for graph in graphs:
        handles = {place.n: source for source, place in graph.captured.values() if source.__class__ is not EagerTensor}
        for node in list(graph.nodes):
            if node.op is not READ and node.op is not SNAPSHOT:
                continue
            handle = handles.get(node.inputs[0].n)
            if handle is None or handle.n in written:
                continue
            value = graph.capture(_snapshot(handle))
            if node.op is READ:
                node.op, node.inputs = FED, (node.inputs[0], value)
            else:
                node.op, node.inputs = linear.STOP_GRADIENT, (value,)


def _snapshot(handle: Any) -> Any:
    """Return a variable's value, read at the end of the handle's graph."""
    graph = handle.graph
    last = graph.nodes[-1]
    if last.op is SNAPSHOT and last.inputs[0] is handle:
        return last.outputs[0]
    before, state.observers = state.observers, ()
    try:
        return append(graph, SNAPSHOT, (handle,))
    finally:
        state.observers = before
