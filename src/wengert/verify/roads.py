"""The roads to a derivative: each way in which the library finds one, as tensors of a question's graph or as numbers.

A *probe* is a set of directions, one for each seed: what is asked for is the derivative of Σ Re(w̄ y) by these seeds, w being
fixed weights, so that reverse and forward modes answer the same question with one number.

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
from typing import Any

import numpy as np

from wengert.derive.request import request
from wengert.derive.request import series as series_request
from wengert.execute.numpy import Program
from wengert.execute.replay import replay
from wengert.functions.math import conj, real, reduce_sum
from wengert.gradients import ForwardAccumulator
from wengert.options import options
from wengert.tape import GradientTape
from wengert.tensor import EagerTensor, convert
from wengert.tracing import inline, tracing
from wengert.verify.lists import Question, rewrites

__all__ = ["LISTS", "Probe", "tape"]

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


def _dot(ys: Sequence[Any], ws: Sequence[Any]) -> Any:
    """Return Σ Re(w̄ y); None stands for zero."""
    total = None
    for y, w in zip(ys, ws, strict=True):
        if y is None or w is None:
            continue
        w = convert(w)
        term = reduce_sum(real(conj(w) * y) if y.nptype.kind == "c" else w * y)
        total = term if total is None else total + term
    return total


def _sequence(counts: Counts) -> list[int]:
    return [s for s, n in enumerate(counts) for _ in range(n)]


def reverse(question: Question, probe: Probe) -> dict[Counts, Any]:
    """Return the derivatives by nested reverse mode."""
    known: dict[tuple[int, ...], Any] = {}
    with tracing(question.graph):

        def found(path: tuple[int, ...]) -> Any:
            if path not in known:
                if not path:
                    known[path] = _dot(question.ys, probe.weights)
                else:
                    below = found(path[:-1])
                    known[path] = None if below is None else _dot(request([below], question.xs, [None]), probe.seeds[path[-1]])
            return known[path]

        return {counts: found(tuple(_sequence(counts))) for counts in probe.counts}


def forward(question: Question, probe: Probe) -> dict[Counts, Any]:
    """Return the derivatives by nested forward mode."""
    results = {}
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
            results[counts] = _dot(values, probe.weights)
    return results


def series(question: Question, probe: Probe) -> dict[Counts, Any]:
    """Return the derivatives as coefficients of one series."""
    with tracing(question.graph):
        given = {
            (i, (s,)): convert(d) for s, seed in enumerate(probe.seeds) for i, d in enumerate(seed) if d is not None
        }  # fmt: skip
        wanted = [(k, tuple(_sequence(c))) for c in probe.counts for k in range(len(question.ys))]
        found = iter(series_request(question.ys, question.xs, given, wanted, len(probe.seeds)))
        return {c: _dot([next(found) for _ in question.ys], probe.weights) for c in probe.counts}


def taylor(question: Question, probe: Probe) -> dict[Counts, Any]:
    """Return the derivatives by nested gradients by one argument after the other; the first has the weights."""
    if not probe.by_argument or any(t.nptype.kind == "c" for t in (*question.xs, *question.ys)):
        return {}
    at = [next(i for i, d in enumerate(seed) if d is not None) for seed in probe.seeds]
    known: dict[tuple[int, ...], Any] = {}
    with tracing(question.graph):

        def found(path: tuple[int, ...]) -> Any:
            if path not in known:
                x = question.xs[at[path[-1]]]
                if len(path) == 1:
                    known[path] = request(question.ys, [x], [convert(w) for w in probe.weights])[0]
                else:
                    below = found(path[:-1])
                    known[path] = None if below is None else request([below], [x], [None])[0]
            return known[path]

        results = {}
        for counts in probe.counts:
            g = found(tuple(_sequence(counts)))
            results[counts] = None if g is None else reduce_sum(g)
        return results


LISTS: dict[str, tuple[Callable[[Question, Probe], dict[Counts, Any]], bool]] = {
    "reverse": (reverse, False),
    "forward": (forward, False),
    "series": (series, True),
    "taylor": (taylor, True),
}
"""Roads that are lists: how each is built, and whether the rewrites are on."""


def tape(question: Question, probe: Probe) -> dict[Counts, float]:
    """Return the derivatives by nested eager tapes, in the question's own arithmetic."""
    with options.set(**rewrites(False)):
        program = Program(question.graph, question.ys, question.feeds)
        results = {}
        for counts in probe.counts:
            values = [EagerTensor(np.asarray(a)) for a in question.arrays]
            xs = [values[question.at(x)] for x in question.xs]
            path = _sequence(counts)
            tapes = [GradientTape() for _ in path]
            for one in tapes:
                one.__enter__()
                one.watch(xs)
            try:
                total = _dot(replay(program, values), probe.weights)
                for k in reversed(range(len(path))):
                    gs = tapes[k].gradient(total, xs, unconnected_gradients="zero")
                    tapes[k].__exit__()
                    total = _dot([convert(g) for g in gs], probe.seeds[path[k]])
            finally:
                for one in tapes:
                    one.__exit__()
            results[counts] = float(total.array)
    return results
