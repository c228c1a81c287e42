"""Derivatives by tensors from outside of the graph that is being built: of a loop's body, a branch, a function.

What such a graph takes in from outside (captures) is an input to it, so that nothing leads on from there. Where a captured tensor
depends on an x outside, the way from x to it is appended to the inner graph, and the ys are taken anew from its end: then
reverse mode finds the derivative as ever. What does not depend on any x is captured as before, and not computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.derive.plan import needed
from wengert.graph import Graph, Node
from wengert.ops.state import HANDLE, READ
from wengert.tensor import append, lift

__all__ = ["brought_in"]


def brought_in(graph: Graph, ys: Sequence[Any], xs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return ys and xs as tensors of the graph, between which all ways lead through the graph.

    ``ys``: tensors of the graph; ``xs``: tensors of it or of a graph around it, and variables.
    """
    places = [x.handle_in(graph) if hasattr(x, "handle_in") else lift(graph, x) for x in xs]
    if not getattr(graph, "captured", None) or all(x is p for x, p in zip(xs, places, strict=True)):
        return list(ys), places
    links: dict[int, Any] = {}
    nodes = _around(graph, ys, links)
    roots = {x.n for x in xs if not hasattr(x, "handle_in")}
    variables = {x.n: x for x in xs if hasattr(x, "handle_in")}
    for node in nodes:
        if node.op.name == "gradient":  # the way to its xs is part of what it means
            first = node.attrs["ys"] + sum(node.attrs["given"])
            roots.update(t.n for t in node.inputs[first:])
        elif node.op.name == "taylor":
            roots.update(t.n for t in node.inputs[node.attrs["ys"] :][: node.attrs["xs"]])
    mapped: dict[int, Any] = {}
    changed = False
    for node in nodes:
        if node.op is HANDLE:
            variable = node.attrs["variable"]
            if variable.n in variables or node.outputs[0].n in roots:
                mapped[node.outputs[0].n] = variable.handle_in(graph)
            continue
        source = links.get(node.outputs[0].n) if node.outputs else None
        if source is not None:
            if source.n in mapped:
                mapped[node.outputs[0].n] = mapped[source.n]
        elif any(t.n in mapped for t in node.inputs) and (not node.op.stateful or node.op is READ):
            if node.graph is graph and all(mapped.get(t.n, t) is t for t in node.inputs):
                continue  # it begins at the places themselves
            inputs = [mapped[t.n] if t.n in mapped else lift(graph, t) for t in node.inputs]
            made = append(graph, node.op, inputs, node.attrs)
            for t, new in zip(node.outputs, made if node.op.outputs != 1 else (made,), strict=True):
                mapped[t.n] = new
            changed = True
        for t in node.outputs:
            if t.n in roots and t.n not in mapped:
                mapped[t.n] = lift(graph, t)
    if not changed:
        return list(ys), places
    return (
        [mapped.get(y.n, y) for y in ys],
        [p if hasattr(x, "handle_in") else mapped.get(x.n, p) for x, p in zip(xs, places, strict=True)],
    )


def _around(graph: Graph, ends: Sequence[Any], links: dict[int, Any]) -> list[Node]:
    """Return the nodes that tensors of a graph depend on, those of the graphs around it first.

    ``links`` gets, for each place of a captured tensor, that tensor in the graph around.
    """
    nodes = needed(ends, ())
    captured = {place.n: source for source, place in getattr(graph, "captured", {}).values()}
    sources = []
    for node in nodes:
        source = captured.get(node.outputs[0].n) if node.outputs else None
        if source is not None and getattr(source, "node", None) is not None:
            links[node.outputs[0].n] = source
            sources.append(source)
    outer = getattr(graph, "outer", None)
    return ([] if outer is None or not sources else _around(outer, sources, links)) + nodes
