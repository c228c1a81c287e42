"""What is known of a list without running it: a small integer tensor's value, and which variables may be assigned to."""

from __future__ import annotations

from typing import Any

from wengert.graph.node import Node

__all__ = ["static_value", "written_by", "written_in"]


def static_value(tensor: Any) -> Any:
    """Return what is known of a small integer tensor without running it: nested lists of int | None, or None.

    This is how a shape computed from other shapes stays known in part.
    """
    node = getattr(tensor, "node", None)
    if node is None:
        array = getattr(tensor, "array", None)
        return None if array is None or array.dtype.kind not in "iub" else array.tolist()
    rule = node.op.static
    return None if rule is None else rule(node)


def written_by(node: Node) -> set[int] | None:
    """Return the numbers of the handles that an operation, or its bodies, may assign to; None where that may be any."""
    if node.op.writes:
        return None if node.op.writes == "any" else {node.inputs[0].n}
    found: set[int] = set()
    for body in node.attrs.values() if node.op.kind == "control" else ():
        graph = getattr(body, "graph", None)
        inner = set() if graph is None else written_in(graph)
        if inner is None:
            return None
        found |= inner
    return found


def written_in(graph: Any) -> set[int] | None:
    """Return the numbers of the handles around a body that it may assign to; None where that may be any."""
    outside = {place.n: source.n for source, place in graph.captured.values()}
    found: set[int] = set()
    for node in graph.nodes:
        written = written_by(node)
        if written is None:
            return None
        found |= {outside[n] for n in written if n in outside}
    return found
