"""Which variables a list names, and which of them it may assign to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wengert.derive.lowered import needed
from wengert.execute.protocol import Request
from wengert.graph.node import Node
from wengert.ops.control import bodies
from wengert.ops.state import ASSIGN, ASSIGN_SCATTER, HANDLE, READ

__all__ = ["trains", "variables_in", "variables_of"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def variables_in(nodes: Iterable[Node], places: dict[int, Any]) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return the variables that operations name, and those of them that they may assign to, by identity.

    ``places``: the variables that stand behind inputs, by the inputs' numbers.
    """
    at, found, written = dict(places), {}, {}
    for node in nodes:
        op = node.op
        if op is HANDLE:
            variable = at[node.outputs[0].n] = node.attrs["variable"]
            found[id(variable)] = variable
        elif op.writes == "first":
            variable = at.get(node.inputs[0].n)
            if variable is not None:
                written[id(variable)] = variable
        for body, inputs in bodies(node, node.inputs):
            inner = {p.n: at[t.n] for p, t in zip(body.places, inputs, strict=True) if t.n in at}
            named, assigned = variables_in(body.graph.nodes, inner)
            found |= named
            written |= assigned
    return found, written


def variables_of(request: Request) -> tuple[list[Any], int]:
    """Return the variables of a request, those that it may assign to first, and how many these are."""
    _, fetches, _, controls = request
    found, written = variables_in(needed(fetches, controls), {})
    return [*written.values(), *[v for n, v in found.items() if n not in written]], len(written)


def trains(request: Request) -> bool:
    """Return whether a request changes variables by what they were, as a step of training does and an initializer does not.

    That random numbers were drawn, which the state of a generator counts, makes no step of training.
    """
    _, fetches, _, controls = request
    nodes = needed(fetches, controls)
    written = {n for n, v in variables_in(nodes, {})[1].items() if not getattr(v, "counts_draws", False)}
    read = {id(n.inputs[0].node.attrs["variable"]) for n in nodes if n.op is READ and _is_handle(n.inputs[0])}
    adds = any(n.op is ASSIGN_SCATTER or (n.op is ASSIGN and n.attrs["how"] != "update") for n in nodes)
    return bool(written) and (adds or bool(written & read))


def _is_handle(t: Any) -> bool:
    return bool(t.node.op is HANDLE)
