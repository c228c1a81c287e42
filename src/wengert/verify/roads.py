"""The roads to a derivative: each way in which the library finds one, as tensors of a question's graph or as numbers.

A *probe* is a set of directions, one for each seed: what is asked for is the derivative of Σ Re(w̄ y) by these seeds, w being
fixed weights, so that reverse and forward modes answer the same question with one number. No road adds an operation of its own
to those of the library's modes: the sums with weights are left to whoever reads the tensors, so that a broken product or sum
does not stand on every road.

==========  =====================================================================================================
reverse     nested reverse mode, no rewrite
forward     nested forward mode, no rewrite
series      one Taylor series with a seed for each direction
taylor      nested `gradients`, as users write them, lowered by the planner
tape        nested eager tapes
==========  =====================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.calculus.gradients import ForwardAccumulator
from wengert.derive.request import request
from wengert.derive.request import series as series_request
from wengert.execute.numpy import NumPyProgram
from wengert.execute.replay import replay
from wengert.ground.options import options
from wengert.modes.tape import GradientTape
from wengert.modes.tracing import inline, tracing
from wengert.tensor.tensor import EagerTensor, convert
from wengert.verify.lists import Question, rewrites

__all__ = ["LISTS", "Found", "Probe", "tape"]

Counts = tuple[int, ...]


class Probe:
    """Directions, weights of the outputs, and which derivatives are asked for."""

    def __init__(self, name: str, seeds: Sequence[Sequence[Any]], weights: Sequence[Any], counts: Sequence[Counts]) -> None:
        """Take for each seed the direction of each input (an array, or None), and an array of weights for each output."""
        self.name, self.seeds, self.weights, self.counts = name, [list(s) for s in seeds], list(weights), list(counts)
        self.by_argument = all(sum(d is not None for d in s) == 1 for s in self.seeds) and all(
            d is None or bool((d == 1).all()) for s in self.seeds for d in s
        )

    def up_to(self, order: int) -> Probe:
        """Return the same with no derivative of a greater order."""
        return Probe(self.name, self.seeds, self.weights, [c for c in self.counts if sum(c) <= order])


class Found(NamedTuple):
    """A derivative as a road has it: tensors, and the weights whose products with them are to be summed."""

    tensors: list[Any]
    weights: list[Any]


def _found(tensors: Sequence[Any], weights: Sequence[Any]) -> Found | None:
    pairs = [(t, w) for t, w in zip(tensors, weights, strict=True) if t is not None and w is not None]
    return Found([t for t, _ in pairs], [w for _, w in pairs]) if pairs else None


def _sequence(counts: Counts) -> list[int]:
    return [s for s, n in enumerate(counts) for _ in range(n)]


def reverse(question: Question, probe: Probe) -> dict[Counts, Found | None]:
    """Return the derivatives by nested reverse mode: each gradient is weighted by a direction as the first is by w."""
    known: dict[tuple[int, ...], list[Any] | None] = {}
    with tracing(question.graph):

        def gradient(path: tuple[int, ...]) -> list[Any] | None:
            if path not in known:
                ys, ws = question.ys, probe.weights
                if len(path) > 1:
                    below = gradient(path[:-1])
                    found = None if below is None else _found(below, probe.seeds[path[-2]])
                    if found is None:
                        known[path] = None
                        return None
                    ys, ws = found.tensors, found.weights
                gs = request(ys, question.xs, [convert(w) for w in ws])
                known[path] = None if all(g is None for g in gs) else gs
            return known[path]

        results: dict[Counts, Found | None] = {}
        for counts in probe.counts:
            path = tuple(_sequence(counts))
            gs = gradient(path)
            results[counts] = None if gs is None else _found(gs, probe.seeds[path[-1]])
        return results


def forward(question: Question, probe: Probe) -> dict[Counts, Found | None]:
    """Return the derivatives by nested forward mode."""
    results: dict[Counts, Found | None] = {}
    for counts in probe.counts:
        with tracing(question.graph):
            towers = []
            for s in _sequence(counts):
                pairs = [(x, convert(d)) for x, d in zip(question.xs, probe.seeds[s], strict=True) if d is not None]
                towers.append(ForwardAccumulator([x for x, _ in pairs], [d for _, d in pairs]))
            for tower in towers:
                tower.__enter__()
            try:
                values = inline(question.graph, question.ys, {t.n: t for t in question.feeds})[0]
                for k in reversed(range(len(towers))):
                    values = [None if v is None else towers[k].jvp(v) for v in values]
                    towers[k].__exit__()
            finally:
                for tower in towers:
                    tower.__exit__()
            results[counts] = _found(values, probe.weights)
    return results


def series(question: Question, probe: Probe) -> dict[Counts, Found | None]:
    """Return the derivatives as coefficients of one series."""
    with tracing(question.graph):
        given = {(i, (s,)): convert(d) for s, seed in enumerate(probe.seeds) for i, d in enumerate(seed) if d is not None}
        wanted = [(k, tuple(_sequence(c))) for c in probe.counts for k in range(len(question.ys))]
        found = iter(series_request(question.ys, question.xs, given, wanted, len(probe.seeds)))
        return {c: _found([next(found) for _ in question.ys], probe.weights) for c in probe.counts}


def taylor(question: Question, probe: Probe) -> dict[Counts, Found | None]:
    """Return the derivatives by nested gradients by one argument after the other; the first has the weights."""
    if not probe.by_argument or any(t.nptype.kind == "c" for t in (*question.xs, *question.ys)):
        return {}
    at = [next(i for i, d in enumerate(seed) if d is not None) for seed in probe.seeds]
    known: dict[tuple[int, ...], Any] = {}
    with tracing(question.graph):

        def gradient(path: tuple[int, ...]) -> Any:
            if path not in known:
                x = question.xs[at[path[-1]]]
                if len(path) == 1:
                    known[path] = request(question.ys, [x], [convert(w) for w in probe.weights])[0]
                else:
                    below = gradient(path[:-1])
                    known[path] = None if below is None else request([below], [x], [None])[0]
            return known[path]

        results: dict[Counts, Found | None] = {}
        for counts in probe.counts:
            path = tuple(_sequence(counts))
            results[counts] = _found([gradient(path)], [probe.seeds[path[-1]][at[path[-1]]]])
        return results


LISTS: dict[str, tuple[Callable[[Question, Probe], dict[Counts, Found | None]], bool]] = {
    road.__name__: (road, on) for road, on in ((reverse, False), (forward, False), (series, True), (taylor, True))
}
"""Roads that are lists: how each is built, and whether the rewrites are on."""


def tape(question: Question, probe: Probe) -> dict[Counts, tuple[list[Any], list[Any]]]:
    """Return the derivatives by nested eager tapes, in the question's own arithmetic: arrays, and their weights."""
    results = {}
    with options.set(**rewrites(False)):
        program = NumPyProgram(question.graph, question.ys, question.feeds)
        for counts in probe.counts:
            values = [EagerTensor(np.asarray(a)) for a in question.arrays]
            xs = [values[question.at(x)] for x in question.xs]
            path = _sequence(counts)
            tapes = [GradientTape() for _ in path]
            for one in tapes:
                one.__enter__()
                one.watch(xs)
            try:
                ys, ws = replay(program, values), probe.weights
                for k, s in zip(reversed(range(len(path))), path, strict=True):
                    gs = tapes[k].gradient(ys, xs, [convert(w) for w in ws], unconnected_gradients="zero")
                    tapes[k].__exit__()
                    pairs = [(convert(g), d) for g, d in zip(gs, probe.seeds[s], strict=True) if d is not None]
                    ys, ws = [g for g, _ in pairs], [d for _, d in pairs]
            finally:
                for one in tapes:
                    one.__exit__()
            results[counts] = ([y.array for y in ys], ws)
    return results
