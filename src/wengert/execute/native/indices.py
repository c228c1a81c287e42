"""Whole numbers at indices: computed, where they are sums of multiples of the indices, else looked up in a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np

from wengert.execute.native.function import Function, Term
from wengert.ground.types import NumPyArray

__all__ = ["Affine", "Axes", "Table", "affine", "same"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Affine(NamedTuple):
    """Whole numbers that are ``begin`` and, for each axis, an index times a stride."""

    begin: int
    strides: tuple[int, ...]


def affine(at: NumPyArray) -> Affine | None:
    """Return whole numbers as such a sum, if they are one."""
    if not at.size:
        return None
    begin = int(at.flat[0])
    strides = []
    expected: NumPyArray = np.full((1,) * at.ndim, begin)
    for k, n in enumerate(at.shape):
        index = [0] * at.ndim
        stride = 0
        if n > 1:
            index[k] = 1
            stride = int(at[tuple(index)]) - begin
        strides.append(stride)
        expected = expected + (stride * np.arange(n)).reshape([n if j == k else 1 for j in range(at.ndim)])
    return Affine(begin, tuple(strides)) if bool((expected == at).all()) else None


def same(at: NumPyArray) -> tuple[object, ...]:
    """Return what is equal for equal arrays of numbers."""
    return at.shape, affine(at) or at.tobytes()


class Table:
    """Whole numbers at indices: computed where they are sums of multiples, else looked up."""

    def __init__(self, f: Function, at: NumPyArray) -> None:
        self.f, self.at = f, at
        self.found = affine(at)

    def terms(self, index: Sequence[str], first: Sequence[int], steps: Sequence[int], size: int) -> tuple[int, list[Term]]:
        """Return a constant and terms for the number at first + index * steps, times a size."""
        if self.found is not None:
            begin = self.found.begin + sum(k * s for k, s in zip(first, self.found.strides, strict=True))
            moving = zip(index, steps, self.found.strides, strict=True)
            return begin * size, [(name, step * stride * size) for name, step, stride in moving]
        flat = [math.prod(self.at.shape[k + 1 :]) for k in range(self.at.ndim)]
        where = [(name, step * w) for name, step, w in zip(index, steps, flat, strict=True)]
        begin = sum(k * w for k, w in zip(first, flat, strict=True))
        total = self.f.total(where)
        moved = total if not begin else self.f.once(("plus", total, begin), f"add i64 {total}, {begin}")
        return 0, [(self.f.looked_up(self.at, [(moved, 1)] if moved != "0" else []), size)]


class Axes:
    """The loops over the elements of a group: axes along which all operands go on evenly are one loop."""

    def __init__(self, shape: tuple[int, ...], ats: Sequence[NumPyArray]) -> None:
        self.shape = shape
        kept = [k for k, n in enumerate(shape) if n > 1]
        known = [a for a in (affine(at) for at in ats) if a is not None]
        order = affine(np.arange(math.prod(shape)).reshape(shape))
        assert order is not None
        known.append(order)
        self.runs: list[list[int]] = []
        for k in kept:
            if self.runs:
                before = self.runs[-1][-1]
                if all(a.strides[before] == a.strides[k] * shape[k] for a in known):
                    self.runs[-1].append(k)
                    continue
            self.runs.append([k])

    @contextmanager
    def loops(self, f: Function) -> Iterator[list[str]]:
        """Do what the with block writes for each element; it is given the loops' numbers."""
        with ExitStack() as stack:
            yield [stack.enter_context(f.loop(math.prod(self.shape[k] for k in run))) for run in self.runs]

    def terms(self, f: Function, at: NumPyArray, index: Sequence[str], size: int) -> tuple[int, list[Term]]:
        """Return a constant and terms for the number of the current element, times a size."""
        found: Affine | None = affine(at)
        if found is not None:
            return found.begin * size, [(i, found.strides[run[-1]] * size) for i, run in zip(index, self.runs, strict=True)]
        flat = [math.prod(self.shape[run[-1] + 1 :]) for run in self.runs]
        return 0, [(f.looked_up(at, list(zip(index, flat, strict=True))), size)]
