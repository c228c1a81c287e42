"""The static plan of a lowered list: which nodes run, in which order, when a value dies, and what may be overwritten.

A value is *owned* when its kernel made its array, and nothing else can see that memory: not a constant, a feed or a
variable, nor a view of these. An owned value that dies where an operation of the same dtype reads it last may be
overwritten by it; one that dies elsewhere goes to a pool from which later results of its size are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.graph import Node
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.state import FED, HANDLE

__all__ = ["Plan", "Step", "plan"]


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
    """Whether the kernel takes ``out=``."""
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

    def resolve(t: Any) -> Any:
        # The value of a fed tensor is the feed: what computed it is not run.
        # A variable that a body reads may have no value, which the step tells.
        while t.node.op is FED and t.node.inputs[0].node.op not in (HANDLE, PLACEHOLDER):
            t = t.node.inputs[1]
        return t

    seen: set[Node] = set()
    pending = [resolve(t).node for t in fetches] + list(controls)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend([resolve(t).node for t in node.inputs])
            pending.extend(node.control_inputs)
    order = sorted(seen, key=lambda node: node.index)

    slots: dict[int, int] = {}
    for t in feeds:
        slots.setdefault(t.n, len(slots))
    fed = set(slots)
    unfed = tuple(node for node in order if node.op.name == "placeholder" and node.outputs[0].n not in fed)
    for node in unfed:
        slots[node.outputs[0].n] = len(slots)
    work = [node for node in order if node.op.name != "placeholder"]
    for node in work:
        for t in node.outputs:
            slots[t.n] = len(slots)

    # What memory a value may lie in: its own, or that of the inputs of operations that give views.
    roots: dict[int, frozenset[int]] = {}
    owned: set[int] = set()
    pinned: set[int] = set()
    for node in work:
        ins = [resolve(t).n for t in node.inputs]
        op = node.op
        foreign = op.stateful or op.kind in ("control", "custom")
        if foreign:
            for n in ins:
                pinned |= roots.get(n, frozenset([n]))
        for t in node.outputs:
            if foreign or (op.aliases and not ins):
                roots[t.n] = frozenset([t.n])
            elif op.aliases:
                roots[t.n] = frozenset().union(*(roots.get(n, frozenset([n])) for n in ins))
            else:
                roots[t.n] = frozenset([t.n])
                owned.add(t.n)
    outs = [resolve(t).n for t in fetches]
    for n in outs:
        pinned |= roots.get(n, frozenset([n]))

    # Last uses, of values and of the memory they lie in.
    last: dict[int, int] = {}
    last_root: dict[int, int] = {}
    for at, node in enumerate(work):
        for t in (*[resolve(t) for t in node.inputs], *node.outputs):
            last[t.n] = at
            for r in roots.get(t.n, ()):
                last_root[r] = at
    for n in outs:
        last[n] = len(work)
    dying: dict[int, list[int]] = {}
    for n, at in last.items():
        dying.setdefault(at, []).append(n)

    steps = []
    for at, node in enumerate(work):
        ins = [resolve(t) for t in node.inputs]
        dead = dying.get(at, [])
        free = {n for n in dead if n in owned and n not in pinned and last_root.get(n) == at}
        ufunc = isinstance(node.op.eager, np.ufunc) and len(node.outputs) == 1
        over = []
        if ufunc:
            out = node.outputs[0]
            over = [slots[t.n] for t in ins if t.n in free and t.nptype == out.nptype and _same(t.sizes, out.sizes)]
        made = {t.n for t in node.outputs}
        steps.append(
            Step(
                bind(node),
                tuple(slots[t.n] for t in ins),
                slots[node.outputs[0].n] if node.outputs else -1,
                node.op.outputs != 1,
                tuple(slots[n] for n in dead if n in slots),
                tuple(slots[n] for n in free if n not in made),
                ufunc,
                tuple(dict.fromkeys(over)),
                node,
            )
        )
    shared = tuple(not roots.get(n, frozenset([-1])) <= owned for n in outs)
    return Plan(len(slots), tuple(slots[t.n] for t in feeds), tuple(steps), tuple(slots.get(n, -1) for n in outs), shared, unfed)


def _same(a: Any, b: Any) -> bool:
    return a is not None and b is not None and len(a) == len(b)
