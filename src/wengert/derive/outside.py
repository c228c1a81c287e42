"""Derivatives by tensors from outside of the graph that is being built: of a loop's body, a branch, a function.

What such a graph takes in from outside (captures) is an input to it, so that nothing leads on from there. Where a captured tensor
depends on an x outside, the way from x to it is appended to the inner graph, beginning at x. The derivative by x is then that by
the captured tensor, carried on along the way. What does not depend on any x is captured as before, and not computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.derive.questions import GRADIENT, TAYLOR
from wengert.derive.structure import ancestors
from wengert.graph.node import Node
from wengert.ground.errors import UnimplementedError
from wengert.ops.control import opened
from wengert.ops.state import FED, HANDLE, READ
from wengert.tensor.tensor import EagerTensor, Graph, append, lift

__all__ = ["ways"]


def ways(
    graph: Graph, ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int], passes: Callable[[int], bool]
) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Return what stands for the xs in the graph, and pairs: a captured tensor that ys depend on, the end of a way to it.

    ``ys``: tensors of the graph; ``xs``: tensors of it or of a graph around it, and variables; ``stops``: tensors of the
    graph through which no way leads; ``passes``: whether one leads through a tensor outside, by its number.

    Raises:
        UnimplementedError: where a way leads through what must not run twice.
    """
    places = [x.handle_in(graph) if hasattr(x, "handle_in") else lift(graph, x) for x in xs]
    outer = graph.outer
    if outer is None or all(x is p for x, p in zip(xs, places, strict=True)):
        return places, []
    reached = {t.n for node in ancestors(ys, stops) for t in node.outputs}
    taken = [(s, p) for s, p in graph.captured.values() if p.n in reached and getattr(s, "node", None)]
    links: dict[int, Any] = {}
    nodes = _around(outer, [s for s, _ in taken], links)
    # By the number of a tensor around: what stands for it here, an x or at the end of a way from one.
    mapped: dict[int, Any] = {}
    begins = {x.n for x in xs}
    begun: set[int] = set()
    variables = {x.n: p for x, p in zip(xs, places, strict=True) if hasattr(x, "handle_in")}
    for x, p in zip(xs, places, strict=True):
        around = outer if x.__class__ is EagerTensor else None
        while around is not None:
            mapped[lift(around, x).n] = p
            around = around.outer
    begun.update(mapped)
    for node in nodes:  # of a gradient, the way from its xs is a part of what it means
        if node.op is GRADIENT:
            begins.update([t.n for t in node.inputs[node.attrs["ys"] + sum(node.attrs["given"]) :]])
        elif node.op is TAYLOR:
            begins.update([t.n for t in node.inputs[node.attrs["ys"] :][: node.attrs["xs"]]])
    for node in nodes:
        source = links.get(node.outputs[0].n) if node.outputs else None
        if node.op is HANDLE:
            place = variables.get(node.attrs["variable"].n)
            if place is not None or node.outputs[0].n in begins:
                mapped[node.outputs[0].n] = node.attrs["variable"].handle_in(graph) if place is None else place
                begun.add(node.outputs[0].n)
            continue
        if source is not None:
            if source.n in mapped:
                mapped.setdefault(node.outputs[0].n, mapped[source.n])
                if source.n in begun:
                    begun.add(node.outputs[0].n)
        elif any(t.n in mapped for t in node.inputs) and any(passes(t.n) for t in node.outputs):
            if node.op is READ:
                # Its value is what was read around; the derivative passes to the variable.
                mapped[node.outputs[0].n] = append(graph, FED, (mapped[node.inputs[0].n], lift(graph, node.outputs[0])))
            elif _runs_again(node):
                inputs = [mapped[t.n] if t.n in mapped else lift(graph, t) for t in node.inputs]
                copy = append(graph, node.op, inputs, node.attrs)
                mapped.update(zip([t.n for t in node.outputs], copy if node.op.outputs != 1 else (copy,), strict=True))
        for t in node.outputs:
            if t.n in begins and t.n not in mapped:
                mapped[t.n] = lift(graph, t)
                begun.add(t.n)
    places = [p if hasattr(x, "handle_in") else mapped.get(x.n, p) for x, p in zip(xs, places, strict=True)]
    return places, [(p, mapped[s.n]) for s, p in taken if s.n in mapped and s.n not in begun]


def _runs_again(node: Node) -> bool:
    """Return whether an operation stands once more in the graph: not what has no derivative.

    Raises:
        UnimplementedError: for one that has, and that must not run twice.
    """
    if node.op.kind == "constant":
        return False
    if node.op.stateful or opened(node.op, node.attrs, False) is not None:
        raise UnimplementedError(
            f"A gradient within a function, a branch or a loop's body by a tensor outside of it leads through {node.type} "
            f"(made at {node.where}), which must not run twice. Take the gradient outside, or compute this inside."
        )
    return True


def _around(graph: Graph, ends: Sequence[Any], links: dict[int, Any]) -> list[Node]:
    """Return the nodes that tensors of a graph depend on, those of the graphs around it first.

    ``links`` gets, for each place of a captured tensor, that tensor in the graph around.
    """
    nodes = ancestors(ends)
    captured = {place.n: source for source, place in getattr(graph, "captured", {}).values()}
    sources = []
    for node in nodes:
        source = captured.get(node.outputs[0].n) if node.outputs else None
        if source is not None and getattr(source, "node", None) is not None:
            links[node.outputs[0].n] = source
            sources.append(source)
    outer = graph.outer
    return ([] if outer is None or not sources else _around(outer, sources, links)) + nodes
