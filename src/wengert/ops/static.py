"""What is known of small integer tensors without running anything: nested lists of int | None, or None.

This is how a shape computed from other shapes stays known in part. An operation states its rule in its record.
"""

from __future__ import annotations

from typing import Any

from wengert.graph.node import Node
from wengert.graph.static import static_value

__all__: list[str] = []


def constant(node: Node) -> Any:
    """A small constant."""
    value = node.attrs["value"]
    return value.tolist() if value.dtype.kind in "iub" and value.size <= 64 else None


def shape(node: Node) -> Any:
    """The sizes that are known."""
    sizes = node.inputs[0].sizes
    return None if sizes is None else list(sizes)


def stack(node: Node) -> Any:
    """Numbers, one after another."""
    if node.attrs["axis"] != 0:
        return None
    parts = [static_value(t) for t in node.inputs]
    return None if any(isinstance(p, list) for p in parts) or any(t.sizes != () for t in node.inputs) else parts


def concat(node: Node) -> Any:
    """Lists, one after another; of what is not known, as many unknown as there are."""
    parts = []
    for t in node.inputs:
        value = static_value(t)
        if value is None:
            if t.sizes is None or len(t.sizes) != 1 or t.sizes[0] is None:
                return None
            value = [None] * t.sizes[0]
        parts.extend(value)
    return parts


def getitem(node: Node) -> Any:
    """A part of a list."""
    value = static_value(node.inputs[0])
    if not isinstance(value, list) or len(node.inputs) > 1:
        return None
    index = node.attrs["index"]
    if len(index) != 1 or not isinstance(index[0], int | slice):
        return None
    return value[index[0]]


def same(node: Node) -> Any:
    """What the input is."""
    return static_value(node.inputs[0])


def _numbers(node: Node) -> tuple[int, int] | None:
    a, b = (static_value(t) for t in node.inputs)
    return (a, b) if isinstance(a, int) and isinstance(b, int) else None


def product(node: Node) -> Any:
    """The product of two numbers."""
    pair = _numbers(node)
    return None if pair is None else pair[0] * pair[1]


def total(node: Node) -> Any:
    """The sum of two numbers."""
    pair = _numbers(node)
    return None if pair is None else pair[0] + pair[1]


def difference(node: Node) -> Any:
    """The difference of two numbers."""
    pair = _numbers(node)
    return None if pair is None else pair[0] - pair[1]
