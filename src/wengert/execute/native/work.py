"""What a pass is made of: loops over elements, products, sums, moves, and where the values lie that these read and make.

In a tile the rows are innermost: a value of shape (rows, 64) is 64 *elements*, each of which is a short run of rows that vectors
hold. Where the elements of a value lie is an array of whole numbers, of the value's shape without the rows: `Place.at`. So
slices, transposes, reshapes and repetitions are arithmetic on these numbers, and move nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from wengert.execute.tiles.cut import Item, Load, Store
from wengert.ground.types import Dtype, NumPyArray

__all__ = ["Buffer", "Copy", "Fetch", "Keep", "Loop", "Narrow", "Outer", "Place", "Product", "Read", "Shared", "Work"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Buffer:
    """Memory of a tile for the elements of one value."""

    __slots__ = ("elements", "last", "maker", "nptype", "offset")

    def __init__(self, elements: int, nptype: Dtype) -> None:
        """Take how many elements there are, each of as many rows as a tile has."""
        self.elements, self.nptype = elements, nptype
        self.maker: Work | None = None
        self.last = -1
        """The number of the last step that reads it; -1 where only the step that makes it does."""
        self.offset = -1
        """Where it begins in the memory of a tile, in bytes for each row; -1 where it stays in registers."""

    @property
    def width(self) -> int:
        """Bytes for each row."""
        return self.elements * self.nptype.itemsize


class Shared(NamedTuple):
    """A value without rows, which a run gives as a whole array in C's order."""

    slot: int
    nptype: Dtype


class Place(NamedTuple):
    """Where the elements of a value lie: in the memory of a tile, in a shared array, or nowhere, as they are all one number."""

    source: Buffer | Shared | None
    at: NumPyArray
    nptype: Dtype
    number: float = 0

    def spread(self, shape: Sequence[int]) -> Place:
        """Return it repeated to a shape."""
        return self._replace(at=np.broadcast_to(self.at, tuple(shape)))

    def whole(self) -> bool:
        """Whether it is all of a buffer, in order."""
        source = self.source
        return isinstance(source, Buffer) and self.at.size == source.elements and bool((self.at.ravel() == _count(source)).all())


def _count(buffer: Buffer) -> NumPyArray:
    return np.arange(buffer.elements)


class Work:
    """A thing to do for a tile: what is read, and what is made."""

    __slots__ = ("depth", "makes", "order", "reads")

    def __init__(self, reads: Sequence[Place], makes: Sequence[Buffer]) -> None:
        self.reads, self.makes = list(reads), list(makes)
        self.depth = self.order = 0
        for b in makes:
            b.maker = self

    def joins(self, read: Place) -> bool:
        """Whether it may stand in one loop with what makes this input."""
        return False


class Loop(Work):
    """An operation that works on each element for itself; of a sum over the rows, what is summed.

    ``shape``: of the elements. ``makes`` has no buffer for a sum, whose place in the result ``at`` says.
    """

    __slots__ = ("at", "item", "shape", "sum")

    def __init__(self, item: Item | None, shape: tuple[int, ...], reads: Sequence[Place], makes: Sequence[Buffer]) -> None:
        super().__init__(reads, makes)
        self.item, self.shape = item, shape
        """The operation; without one, what is read is put into the memory of the tile."""
        self.sum = -1
        """Which sum of the pass it is, if it is one."""
        self.at: NumPyArray | None = None

    def joins(self, read: Place) -> bool:
        """Whether it may stand in one loop with what makes this input."""
        source = read.source
        assert isinstance(source, Buffer)
        maker = source.maker
        return isinstance(maker, Loop) and maker.shape == self.shape and read.at.shape == self.shape and read.whole()


class Copy(Work):
    """Elements put together in an order that no address says: for each of the result, where it comes from."""

    __slots__ = ("picks",)

    def __init__(self, reads: Sequence[Place], out: Buffer, picks: NumPyArray) -> None:
        super().__init__(reads, [out])
        self.picks = picks
        """-1 for zero; else the elements of the inputs are counted one input after another."""


class Narrow(Work):
    """A reduction within the rows: element i of the result joins those in row i of ``reads[0].at``, of two axes."""

    __slots__ = ("join", "terms")

    def __init__(self, read: Place, out: Buffer, join: str, terms: int) -> None:
        super().__init__([read], [out])
        self.join, self.terms = join, terms


class Product(Work):
    """out[o, j] = sum over k of x[o, k] w[o, k, j], where w is shared or has rows too.

    ``reads``: x, of which ``at`` has the axes (o, k), and w, of which it has (o, k, j).
    """


class Outer(Work):
    """out[i, j] += sum over k and the rows of y[k, i] g[k, j]: a sum over the rows of a pass, whose number it has.

    ``reads``: y and g, and more such pairs where several of these are added up.
    """

    __slots__ = ("at", "sum")

    def __init__(self, pairs: Sequence[Place], number: int, at: NumPyArray) -> None:
        super().__init__(pairs, [])
        self.sum, self.at = number, at


class Fetch(Work):
    """The rows of the tile taken from a whole array; ``before`` and ``after``: the elements on either side of the rows' axis."""

    __slots__ = ("after", "before", "load")

    def __init__(self, load: Load, out: Buffer, before: int, after: int) -> None:
        super().__init__([], [out])
        self.load, self.before, self.after = load, before, after


class Keep(Work):
    """The rows of the tile put into a whole array."""

    __slots__ = ("after", "before", "store")

    def __init__(self, store: Store, read: Place, before: int, after: int) -> None:
        super().__init__([read], [])
        self.store, self.before, self.after = store, before, after


class Read(NamedTuple):
    """A pass as it was read."""

    works: list[Work]
    loads: list[Load]
    stores: list[Store]
    sums: list[Item]
    shared: list[int]
    """The slots of shared values, each once."""

    def narrowest(self) -> int:
        """Return the bytes of the narrowest floats that there are."""
        nptypes = [p.nptype for w in self.works for p in w.reads] + [b.nptype for w in self.works for b in w.makes]
        return min([t.itemsize for t in nptypes if t.kind == "f"], default=4)
