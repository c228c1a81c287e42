"""The two operations by which a graph asks for derivatives: a gradient, and coefficients of Taylor series.

They are nodes like others until the graph is compiled; then `wengert.derive.lower` puts what answers them in their place.
"""

from __future__ import annotations

from typing import Any

from wengert.graph.graph import Node
from wengert.ops.op import Op

__all__ = ["GRADIENT", "TAYLOR", "split_gradient"]


def _infer(inputs: Any, attrs: Any) -> Any:
    at = attrs["ys"] + sum(attrs["given"])
    return [(x.sizes, x.nptype) for x in inputs[at : at + attrs["xs"]]]


def _taylor_infer(inputs: Any, attrs: Any) -> Any:
    return [(inputs[k].sizes, inputs[k].nptype) for k, _ in attrs["wanted"]]


def _unlowered(xp: Any, *arrays: Any, **attrs: Any) -> Any:
    raise AssertionError("a Gradient node is lowered before it runs")


GRADIENT = Op("gradient", "control", _unlowered, _infer, outputs=None, type="Gradient", label="gradients/grad", rows=None)
"""Inputs: ys, the cotangents that are given, xs, stops. Attributes: how many ys and xs, which ys have a cotangent."""
TAYLOR = Op("taylor", "control", _unlowered, _taylor_infer, outputs=None, type="Taylor", label="taylor", rows=None)
"""Inputs: ys, xs, coefficients of xs. Attributes: how many ys and xs and seeds; for each coefficient given the number of its x
and its index, a sorted tuple of seeds; for each one wanted the number of its y and its index."""


def split_gradient(node: Node) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Return a Gradient node's ys, their cotangents (None: ones), xs, and stops."""
    given, ny, nx = node.attrs["given"], node.attrs["ys"], node.attrs["xs"]
    ys = list(node.inputs[:ny])
    count = sum(given)
    rest = iter(node.inputs[ny : ny + count])
    gs = [next(rest) if there else None for there in given]
    at = ny + count
    return ys, gs, list(node.inputs[at : at + nx]), list(node.inputs[at + nx :])
