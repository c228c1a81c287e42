"""What a tape recorded, as the list of a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions.program import custom_gradient
from wengert.graph.node import Node
from wengert.ground import nest
from wengert.ground.context import state
from wengert.modes.tracing import Body, append_all, inline, tracing
from wengert.ops.control import CALL
from wengert.ops.linear import IDENTITY, STOP_GRADIENT
from wengert.ops.state import CUSTOM, READ
from wengert.tensor.tensor import EagerTensor, SymbolicTensor, apply
from wengert.verify import lists
from wengert.verify.lists import Question, Unanswerable, inside

__all__ = ["named", "tape_question"]


def named(x: Any, k: int) -> str:
    """Return the name of the k-th source."""
    return str(getattr(x, "_name", None) or f"x{k}")


def tape_question(
    question: Question, entries: Sequence[Any], ys: Sequence[Any], xs: Sequence[Any]
) -> tuple[dict[int, Any], list[Any]]:
    """Make a tape's entries the list of a question; return its tensors, and what stands for each x (None: nothing does)."""
    mapped: dict[int, Any] = {}
    variables: dict[int, tuple[Any, Any]] = {}
    leaves: dict[int, Any] = {}
    held: list[tuple[SymbolicTensor, None]] = []
    wanted, moving = {x.n for x in xs}, _passed(entries)
    with tracing(question.graph):

        def settled(t: Any, symbol: Any) -> None:
            if t.n in wanted and t.nptype.kind in "fc" and t.n not in leaves:
                leaves[t.n], symbol = question.leaf(symbol, np.array(t.array))
            mapped[t.n] = symbol

        def place(t: Any) -> Any:
            if t.n not in mapped:
                settled(t, question.place(np.array(t.array)))
            return mapped[t.n]

        for op, inputs, output, attrs in entries:
            made = None if op.outputs != 1 and not output else (output if op.outputs == 1 else output[0]).made
            state.site = None if made is None else made[2]
            if op is READ:
                variable, array = inputs[0], np.array(output.array)
                if variable.n not in variables:
                    variables[variable.n] = leaf, base = question.place(array), array
                leaf, base = variables[variable.n]
                same = np.array_equal(array, base)
                settled(output, apply(IDENTITY, (leaf,)) if same else question.beside(array, leaf, base))
                continue
            if op.kind == "custom" and op is not CUSTOM:
                if "function" not in attrs or any(not isinstance(t, EagerTensor) for t in inputs):
                    raise Unanswerable(f"{op.type} is known by its derivative alone on a tape")
                for t, r in zip(output, _called(question, attrs, [place(t) for t in inputs]), strict=True):
                    settled(t, r)
                continue
            several = output if op.outputs != 1 else (output,)
            if op is CUSTOM and any(t.n not in mapped for t in inputs[: attrs["results"]]):
                raise Unanswerable("a function with a custom gradient stops the derivative within, so that no tape recorded it")
            if lists.is_held(op) and output.n not in moving:
                for t in several:
                    settled(t, question.place(np.array(t.array)))
                continue
            if op is CALL:
                result = _inlined(attrs["body"], [place(t) for t in inputs], held)
            else:
                result = apply(op, [place(t) for t in inputs], attrs)
            for t, r in zip(several, result if op.outputs != 1 else (result,), strict=True):
                settled(t, r)
        state.site = None
    question.ys = [mapped[y.n] for y in ys if y.n in mapped and y.nptype.kind in "fc"]
    if held:
        question.hold(held)
    places = [variables[x.n][0] if x.n in variables else leaves.get(x.n) for x in xs]
    for k, (x, leaf) in enumerate(zip(xs, places, strict=True)):
        if leaf is not None and leaf.nptype.kind in "fc" and all(leaf is not o for o in question.xs):
            question.xs.append(leaf)
            question.names.append(named(x, k))
    if not question.ys or not question.xs:
        raise Unanswerable("there is no path from the target to a source (the derivative is None)")
    return mapped, places


def _inlined(body: Body, symbols: Sequence[Any], held: list[tuple[SymbolicTensor, None]]) -> Sequence[SymbolicTensor]:
    """Put the list of a call into the question; what it holds at its value is added to ``held``."""
    moving = lists.passed(body.graph.nodes)

    def make(node: Node, inputs: list[SymbolicTensor]) -> Sequence[SymbolicTensor]:
        made = append_all(state.graph, node.op, inputs, node.attrs)
        if lists.is_held(node.op) and node not in moving:
            held.extend((t, None) for t in made)
        return made

    found, _ = inline(body.graph, body.outputs, {p.n: t for p, t in zip(body.places, symbols, strict=True)}, (), make, True)
    return found  # type: ignore[no-any-return]


def _passed(entries: Sequence[Any]) -> set[int]:
    """Return what ``stop_gradient`` gave within functions with custom gradients, as `lists.passed` does, by number."""
    found: set[int] = set()
    inside: set[int] = set()
    for op, inputs, output, attrs in reversed(entries):
        several = output if op.outputs != 1 else (output,)
        if op is CUSTOM:
            arguments = {t.n for t in inputs[attrs["results"] : attrs["results"] + attrs["arguments"]]}
            inside |= {t.n for t in inputs[: attrs["results"]]} - arguments
        elif any(t.n in inside for t in several):
            inside |= {t.n for t in inputs}
            if op is STOP_GRADIENT:
                found |= {t.n for t in several}
    return found


def _called(question: Question, attrs: Any, symbols: Sequence[Any]) -> list[Any]:
    """Call a function with a custom gradient once more, on tensors of the question."""
    before = len(question.graph.nodes)
    arguments = nest.pack_sequence_as(attrs["arguments"], symbols)
    code = getattr(attrs["function"], "__code__", None)
    site, state.site = state.site, None if code is None else (code, 0)
    try:
        found = nest.flatten(custom_gradient(attrs["function"])(*arguments, **attrs["keywords"]))
    finally:
        state.site = site
    added = question.graph.nodes[before:]
    for node in [*added, *inside(added)]:
        if node.op.stateful:
            raise Unanswerable(f"a function with a custom gradient acts on the world by {node.op.name} ({node.where})")
    return found
