"""Where the parts of a pass's sums lie: those that are joined alike side by side, in a row for each group of tiles.

So one call joins the rows of all of them, and a job holds one address for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from wengert.execute.tiles.cut import Item, Spec
from wengert.ground.types import Dtype, NumPyArray

__all__ = ["Totals"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Part(NamedTuple):
    """A sum among those of its block."""

    block: int
    begin: int
    """The elements before it in a row."""
    size: int
    sizes: tuple[int, ...]


class Totals:
    """The layout of the parts of some sums."""

    def __init__(self, sums: Sequence[Item], specs: Mapping[int, Spec]) -> None:
        """Lay them side by side, in their order."""
        self.parts: list[Part] = []
        self.widths: list[int] = []
        self._kinds: dict[tuple[str, Dtype], int] = {}
        for item in sums:
            spec, join = specs[item.step.output], item.step.node.op.layout.join
            block = self._kinds.setdefault((join, spec.nptype), len(self._kinds))
            if block == len(self.widths):
                self.widths.append(0)
            size = math.prod(spec.sizes)
            self.parts.append(Part(block, self.widths[block], size, spec.sizes))
            self.widths[block] += size

    def strides(self) -> Iterator[tuple[int, int, int]]:
        """Give for each sum its block, the bytes before it in a row, and the bytes of a row."""
        nptypes = [nptype for _, nptype in self._kinds]
        for part in self.parts:
            each = nptypes[part.block].itemsize
            yield part.block, part.begin * each, self.widths[part.block] * each

    def empty(self, groups: int) -> list[NumPyArray]:
        """Return arrays for the parts of so many groups."""
        return [np.empty((groups, width), nptype) for width, (_, nptype) in zip(self.widths, self._kinds, strict=True)]

    def joined(self, arrays: Iterable[NumPyArray]) -> list[NumPyArray]:
        """Return the sums: the parts of the groups are put together in their order."""
        rows = [getattr(np, join).reduce(a, 0, nptype) for a, (join, nptype) in zip(arrays, self._kinds, strict=True)]
        return [rows[p.block][p.begin : p.begin + p.size].reshape(p.sizes) for p in self.parts]
