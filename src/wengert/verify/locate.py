"""Whose fault it is that something is wrong: the operation whose rule is, a custom gradient, the lowering, an executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.derive.lowered import needed
from wengert.derive.questions import GRADIENT
from wengert.derive.structure import freeze
from wengert.graph.node import Node
from wengert.ground.context import ROOT, place, quietly
from wengert.ground.errors import OpError
from wengert.modes.tracing import Body, tracing
from wengert.ops.state import CUSTOM, READ, SNAPSHOT
from wengert.tensor.tensor import append
from wengert.verify import lists
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import check_question
from wengert.verify.lists import Question, Unanswerable
from wengert.verify.oracle import JUMP, KINK, UNDEFINED
from wengert.verify.roughness import MOST, described, repeated

__all__ = ["customs", "wrong_controls", "wrong_rules"]

ALIKE = 3
"""Calls of one operation with the same attributes and shapes that are looked at."""


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


def _custom(node: Node, bad: Row) -> str:
    """Return what is wrong with a custom gradient: whose it is, and from which order on."""
    code: Any = getattr(node.attrs["body"].graph.function, "__code__", None)
    own = code is not None and not code.co_filename.startswith(ROOT)
    whose = f"that of {code.co_name} ({place(code.co_filename, code.co_firstlineno)}): " if own else ""
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
