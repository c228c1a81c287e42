"""The two operations by which a graph asks for derivatives, and what a Gradient node asks for.

They are nodes like others until the graph is compiled; then `wengert.derive.lower` puts what answers them in their place.
"""

from __future__ import annotations

from typing import Any

from wengert.graph.node import Node
from wengert.ops.control import GRADIENT, TAYLOR

__all__ = ["GRADIENT", "TAYLOR", "split_gradient"]


def split_gradient(node: Node) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return a Gradient node's ys, their cotangents (None: ones), xs, and stops."""
    given, ny, nx = node.attrs["given"], node.attrs["ys"], node.attrs["xs"]
    ys = list(node.inputs[:ny])
    count = sum(given)
    rest = iter(node.inputs[ny : ny + count])
    gs = [next(rest) if there else None for there in given]
    at = ny + count
    return ys, gs, list(node.inputs[at : at + nx]), list(node.inputs[at + nx :])
