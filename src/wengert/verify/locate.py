"""Whose fault it is: the operation with the wrong rule, the kink, the place where digits are lost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np

from wengert.derive.lowered import needed
from wengert.derive.questions import GRADIENT
from wengert.derive.structure import freeze
from wengert.graph.node import Node
from wengert.ground.context import ROOT, quietly
from wengert.ground.errors import OpError
from wengert.modes.tracing import Body, tracing
from wengert.ops.linear import CONSTANT, PLACEHOLDER
from wengert.ops.state import CUSTOM, HANDLE, READ, SNAPSHOT
from wengert.tensor.tensor import append
from wengert.verify import lists
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import DIGITS, check_question, displaced, with_precision
from wengert.verify.lists import Question, Unanswerable
from wengert.verify.oracle import JUMP, KINK, SMOOTH, UNDEFINED, Oracle
from wengert.verify.precise import Precise, precise
from wengert.verify.roads import LISTS, Probe

__all__ = ["customs", "kinked", "lossy", "wrong_controls", "wrong_rules"]

MOST = 400
"""Calls of operations that are looked at."""
ALIKE = 3
"""Calls of one operation with the same attributes and shapes that are looked at."""
NEAR = 1e-3
"""How close to its limit a function is saturated."""
EQUAL = 1e-7
"""Relative difference of values that are equal, as far as their vectors go."""


def operation_question(node: Node, arrays: Sequence[Any]) -> Question | None:
    """Return the question of one call of an operation, by its inputs that have a derivative; None if there is none."""
    op = node.op
    question = Question()
    places: list[Any] = []
    with tracing(question.graph):
        known: dict[int, Any] = {}
        for a in arrays:
            if op.kind != "control" or id(a) not in known:
                known[id(a)] = question.place(a)
            places.append(known[id(a)])  # a body takes in a variable and its value, which are one
        try:
            result = append(question.graph, op, places, node.attrs)
        except OpError:
            return None
    ys = [y for y in (result if op.outputs != 1 else (result,)) if y.nptype.kind in "fc"]
    own = [k for k, t in enumerate(places) if all(t is not other for other in places[:k])]
    moving = [k for k in op.passes(places, ys) if k in own]
    if not ys or not moving:
        return None
    question.ys, question.xs = ys, [places[k] for k in moving]
    question.names = [f"input {k}" for k in moving]
    return question


def custom_question(question: Question | None, node: Node, arrays: Sequence[Any]) -> Question | None:
    """Return the question of a custom gradient: its results by its arguments, as the user's function computes them."""
    if node.op is not CUSTOM:
        return None  # a Python function
    known = {t.node: a for t, a in zip(node.inputs, arrays, strict=True)}
    if question is not None:
        known |= {t.node: a for t, a in zip(question.listing(question.ys, False).places, question.arrays, strict=True)}
    results, arguments = node.attrs["results"], node.attrs["arguments"]
    given = dict(zip([t.n for t in node.inputs], arrays, strict=True))
    taken = node.inputs[results : results + arguments]
    xs = [t for t in taken if t.nptype.kind in "fc"]
    one = Question()
    one.copy(list(node.outputs), xs, known.get, cut={t.n: given[t.n] for t in taken})
    one.names = [f"argument_{k}" for k in range(len(xs))]
    return one


def calls(question: Question) -> list[tuple[Node, list[Any]]]:
    """Return the calls of operations between xs and ys, bodies of choices and loops included, with their live inputs."""
    found: list[tuple[Node, list[Any]]] = []
    seen: dict[Any, int] = {}

    def run(node: Node, arrays: list[Any]) -> Any:
        if node.op.kind != "constant" and len(found) < MOST:
            key = (node.op, freeze(node.attrs) if node.op.kind not in ("control", "custom") else id(node),
                   tuple(np.shape(a) for a in arrays))  # fmt: skip
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= ALIKE:
                found.append((node, [np.asarray(a) for a in arrays]))
        if node.op in (READ, SNAPSHOT):
            return arrays[0]
        result = node.op.eager(*arrays, **lists.wrapped(node.attrs, run))
        return result if node.op.outputs != 1 else np.asarray(result)

    quietly(question.listing(question.ys, False).walk, question.arrays, run)
    return found


def wrong_rules(question: Question, rows: Sequence[Row], rng: np.random.Generator) -> list[Fault]:
    """Return whose fault it is that something is wrong.

    The operations whose own rules are wrong, in the order of the list; else the first operation that has no derivative of its own
    here; else that the lowering is.
    """
    wrong = [r for r in rows if r.status == "wrong"]
    if not wrong:
        return []
    order = max((r.order for r in wrong), default=1)
    behind = within(question)
    looked = [*calls(question), *((node, arrays) for node, arrays, _ in behind)]
    deeper = {node: depth for node, _, depth in behind}
    found: list[tuple[int, Fault]] = []
    rough: list[Fault] = []
    # The operations of choices and loops are looked at themselves; these as wholes where nothing else is at fault.
    for control in (False, True):
        for node, arrays in looked:
            if (node.op.kind == "control") is control and not any(f[1:3] == (node.op.name, node.where) for _, f in found):
                inner = node.op.kind == "custom" and node in deeper
                own = _rows_of(question, node, arrays, order + (deeper[node] if inner else 0), rng)
                bad = _least(own, "wrong")
                if bad is not None:
                    kind, text = "wrong rule", _told(bad)
                    if node.op.kind == "custom":
                        kind, text = "custom gradient", _custom(node, bad)
                    found.append((bad.order, Fault(kind, node.op.name, node.where, described(arrays), text)))
                elif not rough and node.op.kind != "custom":
                    rough += _roughness(node, arrays, _least(own, "undecided"))
        if found:
            break
    # Rules are made of operations: one that is wrong from a higher order on may be so by another that is wrong from a lower one.
    least = min((o for o, _ in found), default=0)
    faults = _innermost([f for o, f in found if o == least], [node for node, _ in looked]) or rough
    if faults:
        return faults
    exact = sorted({r.road for r in wrong if r.arithmetic == "exact"})
    if exact:
        return [Fault("lowering", "", "", "", f"each operation's own rules are right; what is wrong is how {_and(exact)} "
                      "puts them together")]  # fmt: skip
    runs = sorted({r.road for r in wrong})
    return [Fault("executor", "", "", "", f"the lists are right, and {_and(runs)} computes something else")]


def within(question: Question) -> list[tuple[Node, list[Any], int]]:
    """Return the custom gradients behind derivatives that a question's own values are made of.

    With their inputs, and of which order these derivatives are.
    """
    depth: dict[Node, int] = {}
    nodes = needed(question.ys, ())
    for node in reversed(nodes):
        below = depth.setdefault(node, 0) + (node.op is GRADIENT)
        for t in node.inputs:
            depth[t.node] = max(depth.get(t.node, 0), below)
    found = [node for node in nodes if node.op is CUSTOM and depth[node]]
    return [(node, question.values(node.inputs), depth[node]) for node in found]


def customs(question: Question, order: int, rng: np.random.Generator, label: str) -> tuple[list[Row], list[Fault]]:
    """Return what is wrong with the custom gradients of a question, to an order to which they are going to be differentiated."""
    rows: list[Row] = []
    faults: list[Fault] = []
    for node in needed(question.ys, ()):
        if node.op is CUSTOM:
            arrays = question.values(node.inputs)
            bad = _least(_rows_of(question, node, arrays, order, rng), "wrong")
            if bad is not None and bad.order > 1:
                rows.append(bad._replace(function=label))
                faults.append(Fault("custom gradient", node.op.name, node.where, described(arrays), _custom(node, bad)))
    return rows, faults


def wrong_controls(looked: Sequence[tuple[Node, Sequence[Any]]], rng: np.random.Generator) -> list[Fault]:
    """Return the choices and loops whose own derivatives are wrong, of calls with their inputs."""
    found = []
    for node, arrays in looked:
        bad = None if any(a is None for a in arrays) else _least(_rows_of(None, node, arrays, 1, rng), "wrong")
        if bad is not None:
            found.append(Fault("wrong rule", node.op.name, node.where, described(arrays), _told(bad)))
    return _innermost(found, [node for node, _ in looked])


def _innermost(faults: Sequence[Fault], nodes: Sequence[Node]) -> list[Fault]:
    """Return the faults without those of choices and loops that another one of them stands within."""
    places = {(f.operation, f.where) for f in faults}
    around = {(n.op.name, n.where) for n in nodes if n.op.kind == "control" and places & _held(n) - {(n.op.name, n.where)}}
    return [f for f in faults if (f.operation, f.where) not in around]


def _held(node: Node) -> set[tuple[str, str]]:
    """Return the choices and loops within one: their names and lines."""
    found: set[tuple[str, str]] = set()
    pending = [node]
    while pending:
        for body in (v for v in pending.pop().attrs.values() if isinstance(v, Body)):
            inner = [n for n in body.graph.nodes if n.op.kind == "control"]
            found |= {(n.op.name, n.where) for n in inner}
            pending += inner
    return found


def _rows_of(question: Question | None, node: Node, arrays: Sequence[Any], order: int, rng: np.random.Generator) -> list[Row]:
    """Return what is found of an operation alone."""
    custom = node.op.kind == "custom"
    try:
        one = custom_question(question, node, arrays) if custom else operation_question(node, arrays)
        if one is None:
            return []
        rows = check_question(one, order, rng, executors=False, only=("reverse",) if custom else None)
        if custom and order > 1 and _least(rows, "wrong") is None:
            # A user's rule is differentiated by the cotangent, too, where that moves: it does behind something that bends.
            with tracing(one.graph):
                one.ys = [y * (y + 2.0) for y in one.ys]
            rows = check_question(one, order, rng, executors=False, only=("reverse",))
        return rows
    except (Unanswerable, OpError, NotImplementedError):
        return []


def _least(rows: Sequence[Row], status: str) -> Row | None:
    """Return the row of least order with a status."""
    return min((r for r in rows if r.status == status), key=lambda r: r.order, default=None)


def _roughness(node: Node, arrays: Sequence[Any], row: Row | None) -> list[Fault]:
    """Return that an operation has no derivative of its own, where there is one of what it is used for."""
    if row is None or row.note not in (KINK, JUMP, UNDEFINED):
        return []
    equal = repeated(node, arrays)
    why = (
        equal or f"{node.op.name} alone has a {row.note} at its input"
        if row.note != UNDEFINED
        else f"{node.op.name} is not finite"
    )
    text = (
        f"{why}: it has no derivative of order {row.order} of its own here, and what its rule gives instead is not that of the "
        "whole, which has one"
    )
    return [Fault(UNDEFINED if equal else row.note, node.op.name, node.where, described(arrays), text)]


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


def _custom(node: Node, bad: Row) -> str:
    """Return what is wrong with a custom gradient: whose it is, and from which order on."""
    code: Any = getattr(node.attrs["body"].graph.function, "__code__", None)
    own = code is not None and not code.co_filename.startswith(ROOT)
    whose = f"that of {code.co_name} ({code.co_filename}:{code.co_firstlineno}): " if own else ""
    if bad.order == 1:
        return whose + _told(bad)
    before = "first derivative" if bad.order == 2 else f"derivative of order {bad.order - 1}"
    return f"{whose}its {before} is right, and differentiates to something else: {_told(bad)}"


def _told(bad: Row) -> str:
    text = f"{bad.road} mode, order {bad.order}" + (f" by {bad.derivative}" if bad.derivative else "")
    if bad.value is not None and bad.expected is not None:
        text += f": {bad.value:.9g}, and the derivative is {bad.expected:.9g}"
    return text + (f" ({bad.note})" if bad.note else "")


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)


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
    quietly(listing.walk, question.arrays, lists._with_numpy, slots)
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
    quietly(listing.walk, question.arrays, lists._with_numpy, rough)
    eps = float(np.finfo(question.ys[0].nptype).eps)
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
