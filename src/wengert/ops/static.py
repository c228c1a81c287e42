"""What is known of small integer tensors without running anything: nested lists of int | None, or None.

This is how a shape computed from other shapes stays known in part. An operation states its rule in its record.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from wengert.graph.node import Node
from wengert.graph.static import static_value

__all__: list[str] = []

MOST = 64
"""Of how many numbers a value is known: no shape has more."""


def constant(node: Node) -> Any:
    """A small constant."""
    value = node.attrs["value"]
    return value.tolist() if value.dtype.kind in "iub" and value.size <= MOST else None


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


def numbers(node: Node) -> Any:
    """The numbers of a range, where they are few."""
    ends = [static_value(t) for t in node.inputs]
    if not all(isinstance(k, int) for k in ends) or not ends[2]:
        return None
    found = range(*ends)
    return list(found) if len(found) <= MOST else None


def _of_two(node: Node, function: Callable[[int, int], int]) -> Any:
    """Return what a function gives of two numbers, or of a list and a number, or of two lists, element by element."""
    a, b = (static_value(t) for t in node.inputs)
    if a is None or b is None or not (isinstance(a, list) or isinstance(b, list)):
        return function(a, b) if isinstance(a, int) and isinstance(b, int) else None
    left, right = (v if isinstance(v, list) else [v] for v in (a, b))
    if any(isinstance(v, list) for v in (*left, *right)) or (len(left) != len(right) and 1 not in (len(left), len(right))):
        return None
    count = len(right) if len(left) == 1 else len(left)
    pairs = zip(left * (count if len(left) == 1 else 1), right * (count if len(right) == 1 else 1), strict=True)
    return [None if v is None or w is None else function(v, w) for v, w in pairs]


def product(node: Node) -> Any:
    """The product of two numbers, or of lists of them."""
    return _of_two(node, operator.mul)


def total(node: Node) -> Any:
    """The sum of two numbers, or of lists of them."""
    return _of_two(node, operator.add)


def difference(node: Node) -> Any:
    """The difference of two numbers, or of lists of them."""
    return _of_two(node, operator.sub)
