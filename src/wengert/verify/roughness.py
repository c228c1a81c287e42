"""What is rough about a point: kinks and jumps, vectors that are not defined, digits that are lost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np

from wengert.graph.node import Node
from wengert.ground.context import quietly
from wengert.ops.linear import CONSTANT, PLACEHOLDER
from wengert.ops.state import HANDLE
from wengert.verify.findings import Fault
from wengert.verify.judge import DIGITS, displaced, with_precision
from wengert.verify.lists import Question, with_numpy
from wengert.verify.oracle import SMOOTH, UNDEFINED, Oracle
from wengert.verify.precise import Precise, precise
from wengert.verify.roads import LISTS, Probe

__all__ = ["MOST", "described", "kinked", "lossy", "repeated"]

MOST = 400
"""Calls of operations, and operations, that are looked at."""
NEAR = 1e-3
"""How close to its limit a function is saturated."""
EQUAL = 1e-7
"""Relative difference of values that are equal, as far as their vectors go."""


def repeated(node: Node, arrays: Sequence[Any]) -> str:
    """Return that a decomposition meets two equal eigenvalues or singular values; nothing if it does not."""
    kind = node.op.spectrum
    if not kind or not arrays or not np.size(arrays[0]):
        return ""
    values = np.asarray(quietly(partial(node.op.eager, *arrays, **node.attrs))[0])
    found = np.sort(values.reshape(-1, values.shape[-1]), axis=-1)
    near = np.abs(np.diff(found, axis=-1)) <= EQUAL * np.abs(found).max(axis=-1, keepdims=True)
    if not near.any():
        return ""
    row, k = np.argwhere(near)[0]
    pair = " and ".join(f"{v:.6g}" for v in found[row, k : k + 2])
    return f"the {kind} {pair} are equal, and the vectors that belong to them are not defined by themselves"


def described(arrays: Sequence[Any]) -> str:
    """Return inputs in a few words.

    >>> described([np.array([1.0, 2.0]), np.float32(3)])
    'float64[2] 1 … 2, float32[] 3'
    """
    parts = []
    for a in map(np.asarray, arrays):
        shape = ",".join(map(str, a.shape))
        text = f"{a.dtype.name}[{shape}]"
        if a.size and a.dtype.kind in "biufc":
            low, high = (a.min(), a.max()) if a.dtype.kind != "c" else (a.flat[0], a.flat[-1])
            text += f" {low:.6g}" if a.size == 1 else f" {low:.6g} … {high:.6g}"
        parts.append(text)
    return ", ".join(parts)


# --- kinks and jumps --------------------------------------------------------------------------------------------------------


def kinked(question: Question, probe: Probe, counts: Sequence[int]) -> Fault | None:
    """Return the first operation that is not smooth along the probe, as the oracle sees it, for derivatives of these orders."""
    listing = question.listing(question.ys, False)
    nodes = [step for step in listing.plan.steps if step.node.op not in (CONSTANT, PLACEHOLDER, HANDLE)]
    shown = nodes[:MOST]
    moved = displaced(question, probe)

    def all_values(numbers: Sequence[Any]) -> list[Any]:
        slots: list[Any] = [None] * listing.plan.size
        listing.walk(moved(numbers), with_precision, slots)
        found = []
        for step in shown:
            parts = [_plain(slots[step.output + k]) for k in range(len(step.node.outputs))]
            found.append(np.concatenate([p.reshape(-1) for p in parts]) if parts else np.zeros(0, dtype=object))
        return found

    oracle = Oracle(all_values, len(probe.seeds), sum(counts))
    for total in range(1, sum(counts) + 1):
        for seed, n in enumerate(counts):
            if not n or total > n:
                continue
            answer = oracle(tuple(total if s == seed else 0 for s in range(len(counts))))
            for step, kind in zip(shown, answer.kinds, strict=False):
                if kind != SMOOTH:
                    given = _double_inputs(question, step.node)
                    equal = repeated(step.node, given)
                    why = equal or f"{step.node.op.name} has a {kind} at its input"
                    text = f"{why}: there is no derivative of order {total}, and what is given is a convention"
                    return Fault(UNDEFINED if equal else kind, step.node.op.name, step.node.where, described(given), text)
            if answer.kind == "undefined":
                return Fault("undefined", "", "", "", f"the function has no finite value beside the point (order {total})")
    return None


def _plain(y: Any) -> Any:
    """Return the real numbers of a value, as objects; a value that is no number gives none."""
    if isinstance(y, Precise):
        flat = y.view(np.ndarray).reshape(-1)
        return np.array([part for v in flat for part in (mp.re(v), mp.im(v))], dtype=object)
    y = np.asarray(y)
    if y.dtype.kind in "biuf":
        return np.array([mp.mpf(float(v)) for v in y.reshape(-1)], dtype=object)
    return np.zeros(0, dtype=object)


def _double_inputs(question: Question, node: Node) -> list[Any]:
    listing = question.listing(question.ys, False)
    slots: list[Any] = [None] * listing.plan.size
    quietly(listing.walk, question.arrays, with_numpy, slots)
    for step in listing.plan.steps:
        if step.node is node:
            return [slots[k] for k in step.inputs if isinstance(slots[k], np.ndarray)]
    return []


# --- digits that are lost ---------------------------------------------------------------------------------------------------


def lossy(question: Question, probe: Probe, counts: Sequence[int], road: str) -> Fault | None:
    """Return the operation at which a derivative's list loses most digits, in the question's own arithmetic."""
    build, on = LISTS[road]
    found = build(question, probe).get(tuple(counts))
    if found is None:
        return None
    listing = question.listing(found.tensors, on)
    exact: list[Any] = [None] * listing.plan.size
    rough: list[Any] = [None] * listing.plan.size
    with mp.workdps(DIGITS):
        listing.walk([precise(a) for a in question.arrays], with_precision, exact)
    quietly(listing.walk, question.arrays, with_numpy, rough)
    eps = float(np.finfo(question.narrowest(found.tensors)).eps)
    errors = {k: _relative(exact[k], rough[k]) for k in range(listing.plan.size)}
    worst, growth = None, 1e3
    for step in listing.plan.steps:
        if step.several or step.node.op is CONSTANT:
            continue
        before = max([errors[k] for k in step.inputs], default=0.0)
        factor = errors[step.output] / max(before, eps)
        if factor > growth and errors[step.output] > 1e3 * eps:
            worst, growth = step, factor
    if worst is None:
        return None
    node = worst.node
    given = [rough[k] for k in worst.inputs if isinstance(rough[k], np.ndarray)]
    kept = max(0.0, -float(np.log10(max(errors[worst.output], 1e-17))))
    dtype = question.ys[0].nptype.name
    saturated = _saturated(node, listing, rough)
    if saturated is not None:
        text = f"{saturated} is saturated here: {dtype} keeps {kept:.0f} digits of this derivative"
        return Fault("saturation", node.op.name, node.where, described(given), text)
    if node.op.kind in ("linear", "bilinear"):  # copies and products lose no digits, so it is a sum
        text = f"{node.op.name} cancels here: {dtype} keeps {kept:.0f} digits of this derivative"
        return Fault("cancellation", node.op.name, node.where, described(given), text)
    text = f"{node.op.name} is ill-conditioned here: {dtype} keeps {kept:.0f} digits of this derivative"
    return Fault("ill-conditioned", node.op.name, node.where, described(given), text)


def _relative(exact: Any, rough: Any) -> float:
    """Return the relative error of a value, by its greatest number."""
    if not isinstance(exact, Precise) or not isinstance(rough, np.ndarray) or not rough.size:
        return 0.0
    a, b = exact.view(np.ndarray).reshape(-1), rough.reshape(-1)
    worst = 0.0
    for x, y in zip(a, b, strict=True):
        if not mp.isfinite(x) or not np.isfinite(y):
            worst = max(worst, 1.0 if mp.isfinite(x) != bool(np.isfinite(y)) else 0.0)
        elif x:
            worst = max(worst, float(min(abs(mp.mpmathify(complex(y) if rough.dtype.kind == "c" else float(y)) - x) / abs(x), 1)))
    return worst


def _saturated(node: Node, listing: Any, slots: Sequence[Any]) -> str | None:
    """Return the name of a function near its limit among what a node was computed from."""
    pending, seen, depth = [node], {node}, 0
    by_node = {step.node: step for step in listing.plan.steps}
    while pending and depth < 4:
        depth += 1
        following = []
        for one in pending:
            for t in one.inputs:
                other = t.node
                if other in seen or other not in by_node:
                    continue
                seen.add(other)
                value = slots[by_node[other].output]
                near = [np.abs(value - limit) < NEAR for limit in other.op.saturates if isinstance(value, np.ndarray)]
                if any(one.any() for one in near):
                    return str(other.op.name)
                following.append(other)
        pending = following
    return None
