"""What a step is in a tile of some number of rows: shapes, stand-ins, indices and axes. NumPy's tiles and XLA's chunks ask it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wengert.execute.tiles.cut import Item, Spec, lies_of, outputs_of, over_axes
from wengert.ground.types import Array, Attrs, NumPyArray
from wengert.ops.layout import Lies

if TYPE_CHECKING:
    from wengert.execute.tiles.layout import Way

__all__ = ["Tile"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Tile:
    """Some rows of a pass."""

    def __init__(self, pass_: Way, rows: int) -> None:
        """Take the pass, and how many rows."""
        self.pass_, self.rows = pass_, rows

    def outputs(self, item: Item) -> tuple[list[Spec], list[tuple[int, ...]]]:
        """Return what a step's outputs are as wholes, and their shapes in the tile."""
        specs = [self.pass_.specs[s] for s in outputs_of(item.step)]
        return specs, [spec.tile(axis, self.rows) for spec, axis in zip(specs, item.axes, strict=True)]

    def dummy(self, item: Item, p: int) -> NumPyArray:
        """Return something of the shape that an input has in a tile."""
        slot = item.step.inputs[p]
        spec = self.pass_.specs[slot]
        if lies_of(item.step.node.op) is Lies.SCATTERED:  # what the view was of has the rows of the result
            return np.broadcast_to(np.zeros((), spec.nptype), self.outputs(item)[1][0])
        n, axis = self.pass_.tiling.rows.get(slot, (0, None))
        return np.broadcast_to(np.zeros((), spec.nptype), spec.tile(axis if n == self.pass_.n else None, self.rows))

    def turned(self, item: Item, attrs: Attrs) -> Attrs:
        """Return the attributes with an index that takes all rows, however many there are."""
        if "index" not in attrs:
            return attrs
        back = lies_of(item.step.node.op) is Lies.SCATTERED
        axis = item.axes[0] if back else item.slices[0]
        rank = len(self.pass_.specs[item.step.output if back else item.step.inputs[0]].sizes)
        index = attrs["index"]
        used = sum(i is not None and i is not Ellipsis for i in index)
        items = list(index) if any(i is Ellipsis for i in index) else [*index, Ellipsis]
        at = next(k for k, i in enumerate(items) if i is Ellipsis)
        items[at : at + 1] = [slice(None)] * (rank - used)
        place = [k for k, i in enumerate(items) if i is not None][axis]
        items[place] = slice(None)
        return {"index": tuple(items)}

    def reduction(self, item: Item, x: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the axes that are summed over, and the shape that is left without them."""
        node = item.step.node
        if not node.op.layout.axes:
            spec = self.pass_.specs[item.step.output]
            out = spec.tile(item.axes[0], self.rows) if item.role == "row" else spec.sizes
            extra = x.ndim - len(out)
            over = (*range(extra), *[k + extra for k, s in enumerate(out) if s == 1 and x.shape[k + extra] != 1])
        else:
            over = over_axes(node.attrs["axis"], x.ndim)
        return over, tuple(s for k, s in enumerate(x.shape) if k not in over)

    def terms(self, item: Item) -> int:
        """Return how many terms a mean has, whichever way: what is summed, or what a value is spread to, is divided by it."""
        step = item.step
        slot = step.inputs[0] if item.step.node.op.layout.lies is Lies.REDUCED else step.output
        sizes = self.pass_.specs[slot].sizes
        return math.prod([sizes[a] for a in over_axes(step.node.attrs["axis"], len(sizes))])
