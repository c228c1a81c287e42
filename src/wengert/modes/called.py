"""A traced function under tapes: one entry of theirs, whose derivative is a program as the function itself is.

The entry is a call of the function's *pure* list, whose inputs are the arguments, what was captured, and the values that the
variables have when it is called: so whatever is assigned later, the derivative is that of the call. It is found by the rule of
`wengert.ops.control.CALL`: the list of the gradient, which computes what it needs of the forward pass again, runs on the
executor that is chosen, and is itself such an entry where an outer tape watches. So the intermediate values of a function are
kept by nobody. Where the derivative can be foreseen, it is found in the same run as the values.

A function whose steps may not be made again, or are to be seen one by one, is replayed: `wengert.execute.replay`.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.derive.reverse import Entry
from wengert.derive.structure import ancestors
from wengert.execute.replay import replay
from wengert.execute.resident import on_tensors
from wengert.graph.node import Node
from wengert.ground.context import Observer, current, recent, state
from wengert.ground.errors import NoGradientError
from wengert.ground.types import Array, Namespace, NumPyArray
from wengert.modes.record import Record
from wengert.modes.tracing import Body, FuncGraph, append_all, inline, tracing
from wengert.ops.control import CALL
from wengert.ops.linear import IDENTITY, PLACEHOLDER, STOP_GRADIENT, TAKE
from wengert.ops.op import Op, values
from wengert.ops.state import CUSTOM, HANDLE, READ, SNAPSHOT
from wengert.tensor.resident import tensor_of
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, Tensor, apply, lift

__all__ = ["Call", "Called", "called", "unfold"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")


class Call(NamedTuple):
    """What the results of a call remember of it."""

    body: weakref.ref[Body]
    results: list[int]
    """Their numbers."""


class Wish(NamedTuple):
    """A derivative of a list: by which inputs, and of which output with which weight, a number."""

    wanted: tuple[int, ...]
    output: int
    weight: NumPyArray

    def is_of(self, other: Wish | None) -> bool:
        """Whether another wish is the same."""
        return other is not None and self[:2] == other[:2] and bool(self.weight == other.weight)


class Ahead:
    """The derivative of a call that was found together with its values, for whoever asks for it."""

    def __init__(self, owner: Called, wish: Wish | None = None, found: list[Array | None] | None = None) -> None:
        """Take what was called, the derivative, and what it is by each of the inputs that are wanted."""
        self._owner, self._wish, self._found = owner, wish, found

    def taken(
        self, xp: Namespace, g: Sequence[NumPyArray | None], wanted: tuple[int, ...], given: tuple[int, ...]
    ) -> list[NumPyArray | None] | None:
        """Return the cotangents of the wanted inputs, once, if it is these that were found; and note what is asked for."""
        weight = g[given[0]] if len(given) == 1 else None
        if xp is not values or weight is None or weight.ndim or weight.dtype.kind != "f":
            return None
        wish = self._owner.wish = Wish(wanted, given[0], weight)
        found, self._found = self._found, None
        return [None if x is None else np.asarray(x) for x in found] if found and wish.is_of(self._wish) else None


class Called:
    """The pure list of a trace, and how what it gives becomes the outputs of the trace.

    As a rule a call is differentiated as the call before was: so where that was the derivative of one number, values and
    derivative are found by one program, which makes the forward pass once. The first call of a function that gives one number
    alone, under one tape, is expected to be differentiated by all that the tape watches.
    """

    def __init__(self, name: str, body: Body, variables: Sequence[Any], ways: Sequence[tuple[bool, int]]) -> None:
        """Take a name, the list, and the variables whose values are its last inputs.

        ``ways``: for each output of the trace, whether it is one of the inputs or one of the list's outputs, and which.
        """
        self.name, self.body, self.variables, self.ways = name, body, list(variables), list(ways)
        read = {t.n for node in ancestors(body.outputs) for t in node.inputs}
        self.inner = [t.n in read for t in body.outputs]
        """Of each of the list's outputs, whether others are computed from it."""
        self.sites = [t.node.site for t in body.outputs]
        self.wish: Wish | None = None
        """The derivative that was asked of the latest call."""
        self._first = True

    def run(self, arguments: Sequence[Tensor]) -> list[Any] | None:
        """Return the outputs for eager tensors, and tell the tapes; None where a variable has no value yet."""
        if any([v.storage.held is None for v in self.variables]):
            return None
        inputs = [*arguments, *[v._as_tensor() for v in self.variables]]
        arrays, ahead = self._values(inputs)
        numbers, call = [t.n for t in inputs], Call(weakref.ref(self.body), [])
        outputs = []
        for array, inner, site in zip(arrays, self.inner, self.sites, strict=True):
            t = tensor_of(array, (CALL, numbers, site, {"call": call, "inner": inner}))
            outputs.append(t)
            call.results.append(t.n)
            recent.append((t.n, t.made))
        if outputs:
            for observer in state.observers:
                observer.record(CALL, inputs, tuple(outputs), {"body": self.body, "ahead": ahead})
        return [inputs[k] if given else outputs[k] for given, k in self.ways]

    def _values(self, inputs: Sequence[Tensor]) -> tuple[Sequence[Array], Ahead]:
        """Return the values of the list's outputs, and the derivative that was found with them."""
        body = self.body
        if not body.outputs:
            return [], Ahead(self)
        wish, self.wish = self._expected(inputs) if self._first else self.wish, None
        self._first = False
        if wish is not None:
            try:
                joint, there = body.joined(wish.wanted, wish.output)
                found = on_tensors(joint.compiled, inputs, wish.weight)
            except Exception as error:  # if it is of the derivative, it is for whoever asks for that
                log.debug("%s is run without its derivative: %s", self.name, error)
            else:
                count = len(body.outputs)
                rest = iter(found[count:])
                return found[:count], Ahead(self, wish, [next(rest) if yes else None for yes in there])
        return on_tensors(body.compiled, inputs), Ahead(self)

    def _expected(self, inputs: Sequence[Any]) -> Wish | None:
        y = self.body.outputs[0]
        if len(self.body.outputs) > 1 or len(state.observers) > 1 or y.sizes != () or y.nptype.kind != "f":
            return None
        live = state.observers[0].live
        wanted = tuple([i for i, t in enumerate(inputs) if t.n in live])
        return Wish(wanted, 0, np.ones((), y.nptype)) if wanted else None


def called(graph: FuncGraph, inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> Called | None:
    """Return a trace as one entry of a tape; None where it is to be replayed."""
    nodes = ancestors(outputs)
    numbers = {t.n for t in inputs}
    if graph.effects or graph.failing or not all(map(_is_plain, [*inputs, *outputs])) or not _is_pure(nodes):
        return None
    if any(node.op is PLACEHOLDER and node.outputs[0].n not in numbers for node in nodes):
        return None
    pure = FuncGraph(None, graph.function_name)
    places = [pure.add_input(t.sizes, t.nptype, t.node.name) for t in inputs]
    given = {t.n: place for t, place in zip(inputs, places, strict=True)}
    variables = {}
    for node in nodes:
        if node.op is HANDLE:
            variable = node.attrs["variable"]
            if variable.n not in variables:
                variables[variable.n] = variable, pure.add_input(variable.sizes, variable.nptype, variable._name)
            given[node.outputs[0].n] = variables[variable.n][1]
    computed, ways = _ways(outputs, given, pure.inputs)

    def make(node: Node, tensors: list[Any]) -> Sequence[Any]:
        if node.op is READ:
            return (apply(IDENTITY, tensors),)
        if node.op is SNAPSHOT:
            return (apply(STOP_GRADIENT, tensors),)
        return append_all(pure, node.op, tensors, node.attrs)

    with tracing(pure):
        results, _ = inline(graph, computed, given, (), make, True)
        body = Body(pure, [lift(pure, t) for t in results], pure.inputs)
    try:
        _ = body.touched
    except NoGradientError:  # it is an error for whoever asks for that derivative, and not for others
        return None
    return Called(graph.function_name, body, [v for v, _ in variables.values()], [ways[t.n] for t in outputs])


def _ways(
    outputs: Sequence[SymbolicTensor], given: dict[int, SymbolicTensor], places: Sequence[SymbolicTensor]
) -> tuple[list[SymbolicTensor], dict[int, tuple[bool, int]]]:
    """Return the outputs that are computed, and for each by its number whether it is an input or one of those, and which."""
    positions = {p.n: k for k, p in enumerate(places)}
    ways: dict[int, tuple[bool, int]] = {}
    computed: list[SymbolicTensor] = []
    for t in sorted(outputs, key=lambda t: t.node.index):  # what depends on another output comes after it
        source = t.node.inputs[0] if t.node.op is READ else t
        if source.n in given:
            ways[t.n] = True, positions[given[source.n].n]
        elif t.n not in ways:
            ways[t.n] = False, len(computed)
            computed.append(t)
    return computed, ways


def _is_plain(t: SymbolicTensor) -> bool:
    return t.nptype.kind in "biufc"


def _is_pure(nodes: Iterable[Node], within: bool = False) -> bool:
    """Whether the operations give the same whenever they run, and no derivative of theirs is rows of a tensor alone.

    ``within``: they stand in a body, in which a variable that is read is one that is assigned to.
    """
    for node in nodes:
        op = node.op
        if op.draws or op.acts or (op.stateful and (within or op not in (HANDLE, READ, SNAPSHOT))):
            return False
        if op is TAKE and node.attrs["axis"] == 0 and node.inputs[0].node.op in (READ, PLACEHOLDER):
            return False
        if op is CUSTOM and not all(node.attrs["there"]):  # a graph has zeros where the user says that there is no derivative
            return False
        for body in node.attrs.values():
            if isinstance(body, Body) and not _is_pure(body.graph.nodes, True):
                return False
    return True


# --- a call and its steps --------------------------------------------------------------------------------------------------


class _Steps(Observer):
    """What is computed, as the entries of a tape."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, op: Op, inputs: Sequence[Tensor], output: Tensor | Sequence[Tensor], attrs: dict[str, Any]) -> None:
        self.entries.append((op, inputs, output, attrs))


def unfold(tape: Record, xs: Iterable[Tensor]) -> None:
    """Put its steps in the place of the call that gave an x, on the tape and on those around it, where the call would hide it.

    It hides a result that others of its results are computed from, and one that a tape around watches while the derivative that
    is taken goes through the call: so these derivatives are what they are without the function.
    """
    hidden = [x for x in xs if _is_result(x, True)]
    around = [o for o in state.observers if isinstance(o, Record)]
    for outer in around:
        hidden += [t for t in outer._held.values() if _is_result(t)]
    for t in hidden:
        found = [(r, k) for r in (tape, *around) for k, e in enumerate(r.entries) if e[0] is CALL and any(o is t for o in e[2])]
        steps = _steps(found[0][0].entries[found[0][1]]) if found else []
        for record, at in found:
            rest = record.entries[at + 1 :]
            del record.entries[at:]
            for step in steps:
                record.record(*step)
            record.entries.extend(rest)


def _is_result(t: Tensor, inner: bool = False) -> bool:
    """Whether a tensor is what a function gave under tapes; ``inner``: and others of its results are computed from it."""
    if not isinstance(t, EagerTensor) or t.made is None or t.made[0] is not CALL or "call" not in t.made[3]:
        return False
    return not inner or bool(t.made[3]["inner"])


def _steps(entry: Entry) -> list[Entry]:
    """Return the steps of a call as entries that end in its very outputs."""
    _, inputs, outputs, attrs = entry
    seen = _Steps()
    with current(observers=(seen,)):
        results = replay(attrs["body"].program, inputs)
    stands = {t.n: t for t in inputs}
    steps = [(op, taken, (given,) if op.outputs == 1 else given, more) for op, taken, given, more in seen.entries]
    for result, output in zip(results, outputs, strict=True):
        if result.n in stands:
            steps.append((IDENTITY, (result,), (output,), {}))
        else:
            stands[result.n] = output
    steps = [(op, _in(stands, taken), _in(stands, given), more) for op, taken, given, more in steps]
    _number(steps, outputs)
    return [(op, taken, given[0] if op.outputs == 1 else given, more) for op, taken, given, more in steps]


def _in(stands: dict[int, Tensor], tensors: Iterable[Tensor]) -> tuple[Tensor, ...]:
    return tuple([stands.get(t.n, t) for t in tensors])


def _number(steps: Sequence[Any], outputs: Sequence[EagerTensor]) -> None:
    """Number what was computed on the way to the outputs: numbers tell the time, so it was just before the first that uses it."""
    before = {t.n: t.n for t in outputs}
    for k, (_, taken, given, _) in reversed(list(enumerate(steps, 1))):
        end = min([before.get(t.n, outputs[-1].n) for t in given], default=outputs[-1].n)
        for t in taken:
            before[t.n] = min(before.get(t.n, end), end)
        for t in given:
            if all(t is not output for output in outputs):
                t.n = end - 1 + k / (len(steps) + 1)
