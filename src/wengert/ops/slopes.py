"""Where an operation's derivatives are finite, between which bounds its values lie, and which columns it moves.

What `wengert.derive.moves` needs to know of an operation before a Taylor series may stand for reverse mode; an operation states
it in its record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from wengert.graph.node import Node

__all__ = ["FINITE", "INFINITE", "Bounds", "Columns", "Slope", "branch", "pole"]

Interval = tuple[float, float]
INFINITE: Interval = (-math.inf, math.inf)
Bounds = Interval | Callable[[Node, Sequence[Interval]], Interval]
"""The bounds of an operation's values, or a rule for them by those of its inputs."""


class Slope(NamedTuple):
    """Where an operation's derivatives, of any order, are finite."""

    at: int | None = None
    """The input that decides; None where it is not known what does."""
    low: float = -math.inf
    high: float = math.inf
    """Between these they are finite."""
    value: bool = True
    """Whether the operation itself is finite where they are not."""
    below: bool = False
    """Whether they are finite below zero as well."""
    everywhere: bool = False


FINITE = Slope(everywhere=True)
"""At all finite arguments."""


def branch(at: int, low: float = 0.0, high: float = math.inf, below: bool = False) -> Slope:
    """State a slope that is infinite where the operation is finite: a root's at zero."""
    return Slope(at, low, high, below=below)


def pole(at: int | None = None, low: float = 0.0, high: float = math.inf, below: bool = False) -> Slope:
    """State a slope that is infinite, or undefined, where the operation is so too; without a place: it is not known where."""
    return Slope(at, low, high, False, below)


class Columns(Enum):
    """Which columns of an operation's outputs move, by those of its inputs that do."""

    SAME = auto()
    """Those of the first input."""
    ANY = auto()
    """Each that moves in one of the inputs, which are broadcast."""
    PLACED = auto()
    """Where the kernel takes them."""
    JOINED = auto()
    """Where the kernel takes them; where an input stands still, so does its part of the result."""
    FILLED = auto()
    """Where the kernel takes them; some stand still in any case."""
    SUMMED = auto()
    """Where the kernel takes them; all may, if one of the input's does."""
    MIXED = auto()
    """All, if one of the inputs' does."""


# --- bounds -------------------------------------------------------------------------------------------------------


def times(a: float, b: float) -> float:
    """Multiply; zero times infinity is zero."""
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def added(node: Node, given: Sequence[Interval]) -> Interval:
    """Of a sum."""
    return sum(low for low, _ in given), sum(high for _, high in given)


def subtracted(node: Node, given: Sequence[Interval]) -> Interval:
    """Of a difference."""
    return given[0][0] - given[1][1], given[0][1] - given[1][0]


def negated(node: Node, given: Sequence[Interval]) -> Interval:
    """Of the negative."""
    return -given[0][1], -given[0][0]


def product(node: Node, given: Sequence[Interval]) -> Interval:
    """Of a product; a square is not negative."""
    (a, b), (c, d) = given
    ends = [times(p, q) for p in (a, b) for q in (c, d)]
    low = min(ends)
    return (max(low, 0.0) if node.inputs[0] is node.inputs[1] else low), max(ends)


def power(node: Node, given: Sequence[Interval]) -> Interval:
    """Of a whole power, which attribute n says; without one, of a square."""
    n, (low, _) = node.attrs.get("n", 2), given[0]
    if n <= 0:
        return (0.0, math.inf) if n % 2 == 0 or low > 0.0 else INFINITE
    if low >= 0.0:
        return min(low, 1.0) ** n, math.inf
    return (0.0, math.inf) if n % 2 == 0 else INFINITE


def quotient(node: Node, given: Sequence[Interval]) -> Interval:
    """Of a quotient, or of the reciprocal."""
    numerator, (c, d) = given if len(given) == 2 else ((1.0, 1.0), given[0])
    if c <= 0.0 <= d:
        return INFINITE
    ends = [times(p, 1.0 / q) for p in numerator for q in (c, d)]
    return min(ends), max(ends)


def exponential(node: Node, given: Sequence[Interval]) -> Interval:
    """Positive: that it underflows beyond all bounds is not counted."""
    low, high = given[0]
    return max(math.exp(min(low, 700.0)), math.ulp(0.0)), math.exp(high) if high < 700.0 else math.inf


def root(node: Node, given: Sequence[Interval]) -> Interval:
    """Of the square root."""
    return math.sqrt(max(given[0][0], 0.0)), math.sqrt(max(given[0][1], 0.0))


def total(node: Node, given: Sequence[Interval]) -> Interval:
    """Of a sum of unknown many."""
    low, high = given[0]
    return (low if low >= 0.0 else -math.inf), (high if high <= 0.0 else math.inf)


def greater(node: Node, given: Sequence[Interval]) -> Interval:
    """Of the greater one."""
    return max(given[0][0], given[1][0]), max(given[0][1], given[1][1])


def less(node: Node, given: Sequence[Interval]) -> Interval:
    """Of the lesser one."""
    return min(given[0][0], given[1][0]), min(given[0][1], given[1][1])


def hull(node: Node, given: Sequence[Interval]) -> Interval:
    """Of what is one of the inputs, or between them."""
    kept = [g for i, g in enumerate(given) if i not in node.op.constant_inputs]
    return min(low for low, _ in kept), max(high for _, high in kept)


def taken(node: Node) -> bool:
    """Whether an index leaves something out."""
    index: Any = node.attrs["index"]
    return any(not (i is None or i is Ellipsis or i == slice(None)) for i in index)
