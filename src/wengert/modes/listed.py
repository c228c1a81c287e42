"""Derivatives of high order on nested tapes: what a tape recorded, as a list for the planner.

Where further tapes watch, the derivative that a tape takes is recorded by them as one call: of the list that leads from the
leaves to the gradient, with a Gradient node at its end. What they take of it is then a Gradient of a Gradient, and Taylor mode
finds it. The value itself is found by one reverse sweep over the recorded arrays, which no one records.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.derive.request import request
from wengert.derive.reverse import reach_of, sweep
from wengert.derive.structure import freeze
from wengert.ground.context import here, quietly, recent, state
from wengert.ground.options import options
from wengert.modes.tracing import Body, FuncGraph, tracing
from wengert.ops.control import CALL
from wengert.ops.op import values
from wengert.ops.state import READ
from wengert.tensor.tensor import EagerTensor, apply, cast

if TYPE_CHECKING:
    from wengert.modes.tape import GradientTape

__all__ = ["taken"]

LEAST = 1 << 17
"""Elements that a list computes, from which a call of it costs less than its parts recorded one by one."""
KEPT = 64
"""Lists that are kept, by their structure."""

_lists: OrderedDict[Any, tuple[Body | None, tuple[bool, ...]]] = OrderedDict()


def taken(tape: GradientTape, ys: list[Any], xs: list[Any], gs: list[Any]) -> list[Any] | None:
    """Return what the tape's gradient is, recorded by the outer tapes as one call; None if it is to be found as ever."""
    if not options.taylor or tape._watch_all:
        return None
    if sum([e[2].array.size for e in tape.entries if e[2].__class__ is EagerTensor]) < LEAST:  # a bound, found at once
        return None
    entries, size = _needed(tape.entries, ys)
    if entries is None or size < LEAST:
        return None
    if any(x.__class__ is not EagerTensor for x in xs) or len({x.n for x in xs}) != len(xs):
        return None
    outer = state.observers
    if any(getattr(o, "_watch_all", True) for o in (*outer, tape)):  # a recording, or no tape
        return None
    if any(y.n not in tape.live or y.array.dtype.kind != "f" for y in ys) or any(x.array.dtype.kind != "f" for x in xs):
        return None
    made = {e[2].n for e in entries}
    sources = {x.n for x in xs}
    for o in outer:
        # What an outer tape watches inside of the list, the call would hide.
        if any(n in made for n in o._held):
            return None
    gs = [None if g is None else cast(g, y.array.dtype) for g, y in zip(gs, ys, strict=True)]
    leaves, key = _structure(entries, ys, xs, gs)
    known = _lists.get(key)
    if known is None:
        known = _lists[key] = _list(entries, leaves, ys, xs, gs)
        if len(_lists) > KEPT:
            _lists.popitem(last=False)
    body, there = known
    if body is None:
        return [None] * len(xs)
    seeds: dict[int, Any] = {}
    for y, g in zip(ys, gs, strict=True):
        one = np.ones(y.array.shape, y.array.dtype) if g is None else g.array
        seeds[y.n] = one if y.n not in seeds else seeds[y.n] + one
    found = quietly(sweep, values, entries, seeds, reach_of(entries, sources), sources, True)
    at = state.site or here()
    inputs = [*leaves, *(g for g in gs if g is not None)]
    how: Any = (CALL, [t.n for t in inputs], at, {})
    results: list[Any] = []
    for x, yes in zip(xs, there, strict=True):
        if yes:
            array = found.get(x.n)
            results.append(EagerTensor(np.zeros(x.array.shape, x.array.dtype) if array is None else np.asarray(array), how))
            recent.append((results[-1].n, how))
        else:
            results.append(None)
    outputs = tuple([r for r in results if r is not None])
    for o in outer:
        o.record(CALL, inputs, outputs, {"body": body})
    return results


def _needed(recorded: list[Any], ys: list[Any]) -> tuple[list[Any] | None, int]:
    """Return the entries that the ys depend on and how many elements they compute; None if a list cannot hold one."""
    wanted = {y.n for y in ys}
    found, size = [], 0
    for entry in reversed(recorded):
        op, inputs, output, _ = entry
        if op is READ or op.outputs != 1:
            if op is not READ and any(o.n in wanted for o in output):
                return None, 0
            continue
        if output.n in wanted:
            if op.stateful or op.kind in ("control", "custom"):
                return None, 0
            found.append(entry)
            size += output.array.size
            wanted.update([t.n for t in inputs])
    found.reverse()
    return found, size


def _structure(entries: list[Any], ys: list[Any], xs: list[Any], gs: list[Any]) -> tuple[list[Any], Any]:
    """Return the leaves of a list, and what two lists of one structure have in common."""
    numbers: dict[int, int] = {}
    leaves: list[Any] = []
    parts: list[Any] = []
    for op, inputs, output, attrs in entries:
        ids = []
        for t in inputs:
            if t.n not in numbers:
                numbers[t.n] = len(numbers)
                leaves.append(t)
                parts.append((t.array.shape, t.array.dtype))
            ids.append(numbers[t.n])
        numbers[output.n] = len(numbers)
        parts.append((op, *ids, freeze(attrs) if attrs else None))
    for x in xs:
        if x.n not in numbers:
            numbers[x.n] = len(numbers)
            leaves.append(x)
            parts.append((x.array.shape, x.array.dtype))
    ends = (tuple(numbers.get(y.n, -1) for y in ys), tuple(numbers[x.n] for x in xs), tuple(g is not None for g in gs))
    return leaves, (tuple(parts), ends)


def _list(entries: list[Any], leaves: list[Any], ys: list[Any], xs: list[Any], gs: list[Any]) -> Any:
    """Return the list as a body of the leaves and the weights, and which of the xs there is a gradient by."""
    graph = FuncGraph(None, "tape")
    with tracing(graph):
        mapped = {t.n: graph.add_input(t.sizes, t.nptype) for t in leaves}
        weights = [None if g is None else graph.add_input(g.sizes, g.nptype, "weight") for g in gs]
        for op, inputs, output, attrs in entries:
            mapped[output.n] = apply(op, [mapped[t.n] for t in inputs], attrs)
        ends = [mapped[y.n] for y in ys if y.n in mapped]
        found = request(ends, [mapped[x.n] for x in xs], [w for y, w in zip(ys, weights, strict=True) if y.n in mapped])
    there = tuple(f is not None for f in found)
    outputs = [f for f in found if f is not None]
    return (Body(graph, outputs, graph.inputs) if outputs else None), there
