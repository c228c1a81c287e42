"""How the elements of an operation's result lie, by those of its inputs.

What an executor needs to know that works on a part of the rows at a time, or in buffers of its own: which operations only look
at memory in another way, which repeat it, and how the parts of a reduction are joined. An operation states it in its record; what
is elementwise in its rows is pointwise if it states nothing; of anything else the kernel is run.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from wengert.ground.types import Dtype

__all__ = ["REDUCES", "Layout", "Lies", "moves", "nothing"]


class Lies(Enum):
    """The ways in which a result lies."""

    POINTWISE = auto()
    """Each element is computed from those at its place in the inputs, which are broadcast."""
    SAME = auto()
    """It has the elements of the first input, in order."""
    VIEW = auto()
    """It has elements of the first input: NumPy looks at the same memory."""
    SCATTERED = auto()
    """The adjoint of a view: the first input's elements, where the view would have found them, and zeros elsewhere."""
    SPREAD = auto()
    """It repeats the first input."""
    FILLED = auto()
    """It has one number everywhere."""
    JOINED = auto()
    """The inputs lie in it one after another."""
    TAKEN = auto()
    """It has elements of the first input, at the places that the second says."""
    REDUCED = auto()
    """A reduction of the first input."""
    MATRICES = auto()
    """A product of matrices."""
    LETTERS = auto()
    """A sum of products, as an equation says."""


class Layout(NamedTuple):
    """How a result lies."""

    lies: Lies
    axes: bool = False
    """Of a reduction, or of what repeats: whether the attributes say along which axes, as for `sum`; else the shape does."""
    mean: bool = False
    """Whether the sum is divided by how many elements it has, or what is repeated by how many times it is."""
    join: str = "add"
    """The function of two arrays that puts parts of a reduction together."""
    value: int = 0
    """The number that is everywhere."""


_MOVED = frozenset([Lies.SAME, Lies.VIEW, Lies.SPREAD, Lies.FILLED, Lies.JOINED, Lies.TAKEN])


def moves(layout: Layout | None) -> bool:
    """Return whether an operation whose result lies so only moves elements: nothing in it overflows, or is no number."""
    return layout is not None and layout.lies in _MOVED and not layout.mean


POINTWISE, SAME, VIEW, SCATTERED = Layout(Lies.POINTWISE), Layout(Lies.SAME), Layout(Lies.VIEW), Layout(Lies.SCATTERED)
JOINED, TAKEN = Layout(Lies.JOINED), Layout(Lies.TAKEN)
ZEROS, ONES = Layout(Lies.FILLED), Layout(Lies.FILLED, value=1)
SPREAD = Layout(Lies.SPREAD)
SPREAD_BACK, MEAN_BACK = Layout(Lies.SPREAD, axes=True), Layout(Lies.SPREAD, axes=True, mean=True)
"""The adjoints of a sum and of a mean along axes."""
MATRICES, LETTERS = Layout(Lies.MATRICES), Layout(Lies.LETTERS)
SUMMED, MEAN = Layout(Lies.REDUCED, axes=True), Layout(Lies.REDUCED, axes=True, mean=True)
SUMMED_TO = Layout(Lies.REDUCED)


def reduced(join: str) -> Layout:
    """Return the layout of a reduction along axes whose parts a function of two arrays joins."""
    return Layout(Lies.REDUCED, axes=True, join=join)


REDUCES = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_or": "any", "logical_and": "all"}
"""The function that reduces an array, by the function that joins two parts."""


def nothing(join: str, dtype: Dtype) -> float:
    """Return the number that changes nothing which it is joined to."""
    if join in ("maximum", "minimum"):
        least = join == "minimum"
        if dtype.kind == "f":
            return float("inf") if least else float("-inf")
        bits = 8 * dtype.itemsize - (dtype.kind == "i")
        return (1 << bits) - 1 if least else -(1 << bits) if dtype.kind == "i" else 0
    return float(join in ("multiply", "logical_and"))
