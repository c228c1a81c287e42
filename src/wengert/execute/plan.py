"""The static plan of a lowered list: which nodes run, in which order, when a value dies, and what may be overwritten.

A value is *owned* when its kernel made its array, and nothing else can see that memory: not a constant, a feed or a
variable, nor a view of these. An owned value that dies where an operation of the same dtype reads it last may be
overwritten by it; one that dies elsewhere goes to a pool from which later results of its size are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from wengert.graph.node import Node
from wengert.ground.shapes import is_full
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.state import FED, HANDLE

__all__ = ["POOLED", "Plan", "Step", "plan"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


POOLED = 1 << 15
"""Bytes from which an array is worth keeping for reuse: smaller ones come cheap from the allocator."""


class Step(NamedTuple):
    """One kernel call."""

    kernel: Callable[..., Any]
    inputs: tuple[int, ...]
    output: int
    """The slot of the output; of several outputs, the first of consecutive ones."""
    several: bool
    dead: tuple[int, ...]
    """Slots whose value nobody reads any more."""
    freed: tuple[int, ...]
    """Those of them whose memory may be used again."""
    ufunc: bool
    """Whether the kernel takes ``out=``, for a result that may be large."""
    overwrites: tuple[int, ...]
    """Slots that it may write its result over, if the shape is the same."""
    node: Node


class Plan(NamedTuple):
    """What an executor runs."""

    size: int
    feeds: tuple[int, ...]
    steps: tuple[Step, ...]
    fetches: tuple[int, ...]
    shared: tuple[bool, ...]
    """For each fetch, whether its memory may belong to somebody else, so that it is to be copied."""
    unfed: tuple[Node, ...]


def plan(fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node], bind: Callable[[Node], Any]) -> Plan:
    """Plan the run of what the fetches and controls need; ``bind`` gives a node's kernel as a function of arrays."""
    seen: set[Node] = set()
    pending = [_resolved(t).node for t in fetches] + list(controls)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            for t in node.inputs:
                before = t.node if t.node.op is not FED else _resolved(t).node
                if before not in seen:
                    pending.append(before)
            if node.control_inputs:
                pending.extend(node.control_inputs)
    order = sorted(seen, key=_index)

    slots: dict[int, int] = {}
    for t in feeds:
        slots.setdefault(t.n, len(slots))
    unfed = tuple(node for node in order if node.op is PLACEHOLDER and node.outputs[0].n not in slots)
    for node in unfed:
        slots[node.outputs[0].n] = len(slots)
    work = [node for node in order if node.op is not PLACEHOLDER]
    read = [[t if t.node.op is not FED else _resolved(t) for t in node.inputs] for node in work]

    # What memory a value may lie in: its own, but for the outputs of operations that give views of their inputs.
    roots: dict[int, frozenset[int]] = {}
    owned: set[int] = set()
    pinned: set[int] = set()
    # Last uses, of values, and of memory through views of it.
    last: dict[int, int] = {}
    last_view: dict[int, int] = {}
    for at, (node, ins) in enumerate(zip(work, read, strict=True)):
        op, outputs = node.op, node.outputs
        for t in outputs:
            slots[t.n] = len(slots)
        for t in ins:
            last[t.n] = at
            for r in roots.get(t.n, ()):
                last_view[r] = at
        for t in outputs:
            last[t.n] = at
        if op.stateful or op.kind == "control" or op.kind == "custom":
            for t in ins:
                pinned |= roots.get(t.n, frozenset([t.n]))
        elif not op.aliases:
            owned.update([t.n for t in outputs])
        elif ins:
            lies_in = frozenset().union(*[roots.get(t.n, frozenset([t.n])) for t in ins])
            for t in outputs:
                roots[t.n] = lies_in
            last_view.update(dict.fromkeys(lies_in, at))
    outs = [_resolved(t).n for t in fetches]
    for n in outs:
        pinned |= roots.get(n, frozenset([n]))
        last[n] = len(work)
    dying: list[list[int]] = [[] for _ in range(len(work) + 1)]
    for n, at in last.items():
        dying[at].append(n)

    steps = []
    for at, (node, ins) in enumerate(zip(work, read, strict=True)):
        op, outputs = node.op, node.outputs
        dead, freed, over = [], [], []
        free: list[int] = []
        for n in dying[at]:
            if n in slots:
                dead.append(slots[n])
                if n in owned and n not in pinned and last_view.get(n, at) <= at:
                    free.append(n)
        ufunc = op.eager.__class__ is np.ufunc and len(outputs) == 1 and not _small(outputs[0])
        if free:
            made = [t.n for t in outputs]
            freed = [slots[n] for n in free if n not in made]
            if ufunc:
                out = outputs[0]
                for t in ins:
                    if t.n in free and t.nptype == out.nptype and _same(t.sizes, out.sizes) and slots[t.n] not in over:
                        over.append(slots[t.n])
        inputs = tuple([slots[t.n] for t in ins])
        first = slots[outputs[0].n] if outputs else -1
        steps.append(Step(bind(node), inputs, first, op.outputs != 1, tuple(dead), tuple(freed), ufunc, tuple(over), node))
    shared = tuple(not roots.get(n, frozenset([n])) <= owned for n in outs)
    return Plan(len(slots), tuple(slots[t.n] for t in feeds), tuple(steps), tuple(slots.get(n, -1) for n in outs), shared, unfed)


_index = attrgetter("index")


def _resolved(t: Any) -> Any:
    """Return where a value comes from: that of a fed tensor is the feed, and what computed it is not run.

    A variable that a body reads may have no value: the step tells.
    """
    while t.node.op is FED and t.node.inputs[0].node.op not in (HANDLE, PLACEHOLDER):
        t = t.node.inputs[1]
    return t


def _small(t: Any) -> bool:
    """Return whether a value is known to be too small for its memory to be worth using again."""
    return is_full(t.sizes) and math.prod(t.sizes) * t.nptype.itemsize < POOLED


def _same(a: Any, b: Any) -> bool:
    return a is not None and b is not None and len(a) == len(b)
