"""Values that are not computed where they are asked for but where they are needed: sums of coefficients, columns of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.ground.shapes import Shape, is_full
from wengert.ops.linear import (
    EXPAND_DIMS,
    FILL,
    GETITEM,
    ONES_LIKE,
    SQUEEZE,
    TRANSPOSE,
    ZEROS_LIKE,
)
from wengert.tensor.tensor import Tensor, apply, convert

__all__ = ["ARRANGED", "Columns", "Deferred", "alone", "filled", "is_below", "mapped_by", "ones_like", "scaled", "total_of"]

ARRANGED = frozenset([GETITEM, TRANSPOSE, EXPAND_DIMS, SQUEEZE])


class Deferred:
    """A sum of coefficients that is computed where its value is needed."""

    __slots__ = ("nptype", "sizes", "tensors", "terms")

    def __init__(self, terms: dict[Any, float], tensors: dict[int, Any], sizes: Shape, nptype: np.dtype[Any]) -> None:
        self.terms, self.tensors, self.sizes, self.nptype = terms, tensors, sizes, nptype


class Columns:
    """The gradient by all columns of x, of which only those that are asked for are found."""

    def __init__(self, x: Tensor, axis: int | None, numbers: Sequence[int], part: Any, whole: Any = None) -> None:
        """Take x, its axis of rows, and which columns these are.

        ``part``: gives the sum of some of them, deferred. ``whole``: gives all by reverse mode, where that costs less.
        """
        self.x, self.axis, self.numbers, self.part, self.whole = x, axis, numbers, part, whole

    def pick(self, index: tuple[Any, ...]) -> Any:
        """Return what a static index takes: (a part, the index that is left for it), `Columns`, or None."""
        if self.whole is not None:
            return None
        rank = len(self.x.sizes)
        used = sum(i is not None and i is not Ellipsis for i in index)
        if any(i is None for i in index) or used > rank:
            return None
        items = list(index) if Ellipsis in index else [*index, Ellipsis]
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (rank - used)
        if self.axis is None:
            if rank != 1:
                return None
            item = items[0]
            rest: tuple[Any, ...] = ()
        else:
            if rank != 2 or items[self.axis] != slice(None):
                return None
            item = items[1 - self.axis]
            rest = (slice(None), 0) if self.axis == 0 else (0, slice(None))
        count = len(self.numbers)
        if isinstance(item, slice):
            if not all(b is None or isinstance(b, int) for b in (item.start, item.stop, item.step)):
                return None
            chosen = list(self.numbers[item])
            if len(chosen) == 1 and self.axis is not None:
                return chosen[0], ()
            return Columns(self.x, self.axis, chosen, self.part) if chosen else None
        return (self.numbers[item], rest) if isinstance(item, int) and -count <= item < count else None

    def total(self) -> Deferred:
        """Return the sum of the columns, which is one direction: all that a gradient of these reads."""
        return self.part(tuple(self.numbers))  # type: ignore[no-any-return]


def is_below(a: Any, b: Any) -> bool:
    """Whether an index has no more of any seed than another."""
    return all(a.count(s) <= b.count(s) for s in set(a))


def scaled(d: Deferred, c: float) -> Deferred:
    """Multiply by a number."""
    return d if c == 1.0 else Deferred({key: c * old for key, old in d.terms.items()}, d.tensors, d.sizes, d.nptype)


def total_of(parts: Sequence[Deferred], signs: Sequence[float]) -> Deferred:
    """Add up, with signs."""
    terms: dict[Any, float] = {}
    known: dict[int, Any] = {}
    for d, sign in zip(parts, signs, strict=True):
        known.update(d.tensors)
        for key, c in d.terms.items():
            terms[key] = terms.get(key, 0.0) + sign * c
    return Deferred(terms, known, parts[0].sizes, parts[0].nptype)


def ones_like(y: Tensor) -> Any:
    """Return ones of the shape of y: where y is a slice or another arrangement of a value, that arrangement of ones.

    So the value itself is not asked for: the gradient of a gradient's column does not depend on what it is.
    """
    node = y.node
    if is_full(y.sizes):
        return filled(1, y)
    if node.op in ARRANGED and len(node.inputs) == 1:
        return apply(node.op, (ones_like(node.inputs[0]),), node.attrs)
    return apply(ONES_LIKE, (y,))


def filled(number: int, y: Tensor) -> Any:
    """Return a number in the shape and dtype of y: where the shape is known, y itself is not asked for."""
    if not is_full(y.sizes):
        return apply(ONES_LIKE if number else ZEROS_LIKE, (y,))
    one = convert(y.nptype.type(number))
    return one if y.sizes == () else apply(FILL, (one,), {"shape": tuple(y.sizes)})


def alone(t: Tensor) -> Deferred:
    """Return a tensor as a sum of one."""
    return Deferred({(t.n, ()): 1.0}, {t.n: t}, t.sizes, t.nptype)


def mapped_by(d: Deferred, move: Any) -> Deferred:
    """Apply a linear operation: the coefficients of its value are its values of the coefficients."""
    moved = {n: move(t) for n, t in d.tensors.items()}
    terms: dict[Any, float] = {}
    for (n, a), c in d.terms.items():
        key = (moved[n].n, a)
        terms[key] = terms.get(key, 0.0) + c
    one = next(iter(moved.values()))
    return Deferred(terms, {t.n: t for t in moved.values()}, one.sizes, one.nptype)
