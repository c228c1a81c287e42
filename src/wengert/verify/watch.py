"""What is kept of the derivatives that a script takes, while it runs: what each began with, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.derive.lowered import needed
from wengert.derive.questions import GRADIENT, split_gradient
from wengert.derive.request import request
from wengert.execute import program as choose
from wengert.execute.protocol import Request
from wengert.execute.variables import variables_of
from wengert.graph.node import Node
from wengert.ground.context import Site, asked, state
from wengert.ground.options import options
from wengert.modes import tape as tapes
from wengert.modes.slices import IndexedSlices
from wengert.modes.tracing import tracing
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.op import Op, operations
from wengert.ops.state import FED, HANDLE, READ
from wengert.surface.frameworks import expression
from wengert.surface.frameworks.expression import Listed
from wengert.verify.judge import quiet
from wengert.verify.lists import Listing, Question, inside
from wengert.verify.received import Delivered
from wengert.verify.straight import Pair, Straight, is_drawn, key_of
from wengert.verify.taped import named, tape_question

__all__ = ["Posed", "Run", "TapeCall", "Watch"]

MOST = 500
"""Calls that are kept."""


class Posed(NamedTuple):
    """What a call has to answer for."""

    questions: list[tuple[str, str, Question]]
    """For each derivative a name of its own, where it was asked for, and its question."""
    question: Question | None
    """That in which the values received are tensors."""
    delivered: list[Delivered]


class TapeCall:
    """A derivative that a tape gave."""

    def __init__(self, where: str, tape: Any, asked: Sequence[Any], number: int) -> None:
        """Take what the tape recorded, the ys, xs and weights, and what came of them."""
        self.where, self.number, self.road = where, number, "tape"
        self.outer = sum(isinstance(o, tapes.GradientTape) for o in state.observers)
        """Tapes that go on recording, so that the derivative may be differentiated further."""
        self.entries = list(tape.history(asked[0]))
        self.ys, self.xs, self.gs, self.results = asked

    def posed(self) -> Posed:
        """Return the question: the tape's entries as a list."""
        question = Question()
        at, places = tape_question(question, self.entries, self.ys, self.xs)
        delivered = []
        gs = [g for y, g in zip(self.ys, self.gs, strict=True) if y.n in at and y.nptype.kind in "fc"]
        with tracing(question.graph), quiet():
            weights = [None if g is None else question.place(np.array(g.array)) for g in gs]
            found = request(question.ys, [p for p in places if p is not None], weights)
        left = iter(found)
        for k, (place, result) in enumerate(zip(places, self.results, strict=True)):
            symbol = None if place is None else next(left)
            array = _dense(result)
            if symbol is not None or array is not None:
                delivered.append(Delivered(self.where, named(self.xs[k], k), symbol, array))
        return Posed([(self.where, self.where, question)], question, delivered)

    def worldly(self) -> list[str]:
        """Return what in it acts on the world: nothing, since a tape records what was computed."""
        return []

    def blamed(self) -> list[tuple[Node, list[Any]]]:
        """Return the choices and loops on the way."""
        return []


class Run:
    """A run of a graph: what it began with, and what came of it."""

    def __init__(self, request: Any, arrays: Sequence[Any], number: int) -> None:
        """Take the request and the arrays of its feeds, before it runs."""
        self.graph, self.fetches, self.feeds, self.controls = request
        self.number, self.road = number, "numpy" if options.executor in ("numpy", "native") else "xla"
        self.fed = {t.n: np.array(a) for t, a in zip(self.feeds, arrays, strict=True)}
        self.variables = {v.n: v.storage.array for v in variables_of(request)[0]}
        self.drawn: dict[Any, list[Any]] = {}
        self.results: list[Any] = []
        self.outer = 0
        self.straight: Straight | None = None

    def posed(self) -> Posed:
        """Return the questions of the derivatives in it, and the fetches that are, or are made of, derivatives."""
        straight = self.straight = Straight(self.fed, self.variables, self.drawn)
        pairs = straight.follow(self.fetches, self.controls)
        questions = [(_own(asked.node), asked.node.where, _of_asked(straight, asked)) for asked in straight.asked]
        delivered = []
        for t, pair, array in zip(self.fetches, pairs, self.results, strict=True):
            if t.nptype.kind in "fc" and any(_differentiates(node) for node in needed([t], ())):
                label, by = t.node.where, ""
                if t.node.op is GRADIENT:
                    label, by = _own(t.node), _name(split_gradient(t.node)[2][t.index].node, t.index)
                delivered.append(Delivered(label, by, pair.symbol, np.asarray(array)))
        return Posed(questions, straight.question, delivered + self.further(pairs))

    def further(self, pairs: Sequence[Pair]) -> list[Delivered]:
        """Return what else was received, of the fetches."""
        return []

    def worldly(self) -> list[str]:
        """Return what its choices and loops do that depends on the world, or acts on it."""
        found: dict[str, None] = {}
        for node in inside(needed(self.fetches, self.controls)):
            op = READ if node.op is FED else node.op  # a body is given what variables hold
            if is_drawn(op) or op.writes or op is READ:
                found[f"{op.name} at {node.where}"] = None
        return list(found)

    def blamed(self) -> list[tuple[Node, list[Any]]]:
        """Return the choices and loops on the way, with the arrays of their inputs."""
        return [] if self.straight is None else self.straight.controls


class FieldRun(Run):
    """A run of the list of fields over models of another framework: it is to have the derivatives, and the models' own values."""

    def __init__(self, listed: Listed, arrays: Sequence[Any], results: Sequence[Any], number: int) -> None:
        """Take the list, the arrays of its inputs, and those of its outputs and then of its models."""
        super().__init__(Request(listed.graph, [*listed.outputs, *listed.models], listed.graph.inputs), arrays, number)
        self.road, self.results, self.models = "xla", list(results), len(listed.models)

    def further(self, pairs: Sequence[Pair]) -> list[Delivered]:
        """Return what the models gave, as values of the list."""
        count = len(pairs) - self.models
        of_models = zip(self.fetches[count:], pairs[count:], self.results[count:], strict=True)
        return [Delivered(t.node.where, "", pair.symbol, array, "model") for t, pair, array in of_models]


def _own(node: Node) -> str:
    return f"{node.where} {node.outputs[0].n}"


def _differentiates(node: Node) -> bool:
    return node.op is GRADIENT or any(inner.op is GRADIENT for inner in inside([node]))


class Watch:
    """Keeps the derivatives that are taken in a with block."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kept: list[tuple[Any, TapeCall | Run]] = []
        self.notes: list[str] = []
        self.calls = 0
        self._counts: dict[Any, int] = {}
        self._programs: dict[int, tuple[Any, int]] = {}
        self._runs: list[Run] = []
        self._originals: dict[Op, Any] = {}

    def __enter__(self) -> Watch:
        """Begin to look on."""
        choose.watchers.append(self._program)
        tapes.watchers.append(self._tape)
        expression.watchers.append(self._field)
        for op in operations():
            if is_drawn(op):
                self._originals[op] = op.eager
                op.eager = self._listening(op.eager)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Look on no more."""
        jax = sys.modules.get("jax")
        if jax is not None:
            jax.effects_barrier()  # what it compiled tells of its fields now
        expression.watchers.remove(self._field)
        choose.watchers.remove(self._program)
        tapes.watchers.remove(self._tape)
        for op, eager in self._originals.items():
            op.eager = eager

    def _listening(self, eager: Callable[..., Any]) -> Callable[..., Any]:
        """Return a kernel that also keeps what it gives, while a run is kept."""

        def kernel(*arrays: Any, **attrs: Any) -> Any:
            found = eager(*arrays, **attrs)
            # XLA draws by itself what its programs need: what passes here then belongs to their tracing.
            for run in [r for r in self._runs if r.road == "numpy"]:
                run.drawn.setdefault(key_of(attrs), []).append(found)
            return found

        return kernel

    def _number(self, key: Any) -> int:
        """Count a call; return its number if it is to be kept: the first, second, fourth, eighth, ...; else 0."""
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count & (count - 1):
            return 0
        if len(self.kept) >= MOST:
            self.notes.append(f"more than {MOST} calls were to be checked; the others were not")
            self._counts[key] = count = 1 << 62  # say it once
            return 0
        return count

    def _program(self, request: Any, arrays: Sequence[Any]) -> Callable[[Sequence[Any] | None], None] | None:
        known = self._programs.get(id(request))
        if known is None:
            _, fetches, _, controls = request
            nodes = needed(fetches, controls)
            count = sum(node.op is GRADIENT for node in [*nodes, *inside(nodes)])
            known = self._programs[id(request)] = request, count
        self.calls += known[1]
        number = self._number(id(request)) if known[1] else 0
        if not number:
            return None
        run = Run(request, arrays, number)
        self._runs.append(run)

        def after(results: Sequence[Any] | None) -> None:
            self._runs.remove(run)
            if results is not None:
                run.results = [np.array(a) if isinstance(a, np.ndarray) else a for a in results]
                self.kept.append((id(request), run))

        return after

    def _field(self, listed: Listed, arrays: Sequence[Any], results: Sequence[Any]) -> None:
        count = sum(node.op is GRADIENT for node in needed(listed.outputs, ()))
        self.calls += count
        number = self._number(listed) if count else 0
        if number:
            self.kept.append((listed, FieldRun(listed, arrays, results, number)))

    def _tape(self, tape: Any, ys: Sequence[Any], xs: Sequence[Any], gs: Sequence[Any], results: Sequence[Any]) -> None:
        if any(not hasattr(y, "array") for y in ys):
            return
        self.calls += 1
        site = Site(*asked())
        key = (str(site), len(tape.entries), tuple(tuple(x.sizes or ()) for x in xs))
        number = self._number(key)
        if number:
            self.kept.append((key, TapeCall(str(site), tape, (list(ys), list(xs), list(gs), list(results)), number)))


def _dense(result: Any) -> Any:
    if result is None:
        return None
    return np.asarray((result._as_tensor() if isinstance(result, IndexedSlices) else result).array)


def _of_asked(straight: Straight, asked: Any) -> Question:
    """Return the question of a derivative that was met on the way."""
    source, question = straight.question, Question()
    stops = [s for s in asked.stops if s.nptype.kind in "fc"]
    if stops:
        feeds = {t.node: a for t, a in zip(source.feeds, source.arrays, strict=True)}
        held = Listing(source, stops, False).run(source.arrays)
        question.copy(asked.ys, asked.xs, feeds.get, {t.n: a for t, a in zip(stops, held, strict=True)})
    else:
        question.graph, question.feeds, question.arrays = source.graph, source.feeds, source.arrays
        question.ys, question.xs = list(asked.ys), list(asked.xs)
    question.names = [_name(x.node, k) for k, x in enumerate(split_gradient(asked.node)[2])]
    return question


def _name(node: Node, k: int) -> str:
    if node.op is HANDLE:
        return str(node.attrs["variable"]._name)
    return node.name if node.op is PLACEHOLDER else f"x{k}"
