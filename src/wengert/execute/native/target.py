"""What the processor at hand offers, as far as the text depends on it."""

from __future__ import annotations

from typing import NamedTuple

from wengert.ground.types import Dtype

__all__ = ["ATTRIBUTES", "Target"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

ATTRIBUTES = 'nounwind "prefer-vector-width"="512"'
"""Attributes of every function, ``attributes #0 = { ... }``: without the second, LLVM halves AVX-512's vectors where it may."""


class Target(NamedTuple):
    """Vectors of so many bytes, of which there are so many registers."""

    bytes: int
    registers: int

    def lanes(self, nptype: Dtype) -> int:
        """Return how many numbers a vector holds."""
        return self.bytes // max(nptype.itemsize, 1)

    def block(self) -> int:
        """Return how many columns of a product are computed at once, by three vectors of rows.

        Each has an accumulator; beside them stand the three vectors, and a number of the matrix in all lanes.
        """
        return (self.registers - 4) // 3
