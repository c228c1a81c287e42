"""A pass, how many rows a tile of it has, and which of its values share a buffer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.execute.tiles.bind import Binder, Forms
from wengert.execute.tiles.cut import Item, Load, Store, Unfit, lies_of, outputs_of
from wengert.ops.layout import Lies

if TYPE_CHECKING:
    from wengert.execute.tiles.run import Tiling

__all__ = ["CACHE", "CALL", "FEWEST", "FLOPS", "GROUP", "GROUPS", "HELD", "MOVED", "SHARES", "Buffers", "Pass", "Way"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

CACHE = 4 << 20
"""Bytes that the buffers of a tile may take: more than the second level of a core's cache holds, which does little harm where
neighbouring steps share operands, and less than its part of the third. Smaller tiles mean shorter calls, and for threads that
take turns in holding Python's lock, those cost more than a farther cache does."""
CALL = 1 << 15
"""Bytes that a call writes, on average, at least: under that, calls cost more than the work."""
HELD = 2e-6
"""Seconds of a call's work for which one more thread is worth it. A call holds Python's lock for a quarter of a microsecond, and
waiting for the lock costs several times that: where calls of 3 us took turns, two threads were no faster than one."""
FLOPS, MOVED = 4e11, 1e11
"""A rough guess of a core's rates, to tell long calls from short ones: flops times the bytes of a number, bytes moved."""
FEWEST = 128
"""Rows of a tile, at least."""
SHARES, GROUP, GROUPS = 8, 4, 64
"""The number of tiles is a multiple of the first. A few tiles make so many groups; of more, at least the second make a group, up
to the third number of groups."""


class Way:
    """One way through the tiles, for whoever goes it."""

    rows: int
    """The rows of a tile."""
    tiles: int
    group: int
    """How many tiles make a group."""
    groups: int

    def __init__(self, n: int, items: list[Item], tiling: Tiling) -> None:
        """Order what is done for a tile."""
        self.n, self.items, self.tiling = n, items, tiling
        self.specs = tiling.specs
        made = {s for item in items for s in outputs_of(item.step)}
        self.work: list[Any] = []
        self.loads: list[Load] = []
        self.stores: list[Store] = []
        self.sums: list[Item] = []
        loaded: set[Load] = set()
        for item in items:
            for p, slot in enumerate(item.step.inputs):
                if p in item.slices and slot not in made:
                    load = Load(slot, item.slices[p])
                    if load not in loaded:
                        loaded.add(load)
                        self.loads.append(load)
                        self.work.append(load)
            self.work.append(item)
            if item.role == "sum":
                self.sums.append(item)
                continue
            for slot, axis in zip(outputs_of(item.step), item.axes, strict=True):
                if slot in tiling.stored and not item.again:
                    self.stores.append(Store(slot, axis))
                    self.work.append(self.stores[-1])
        self.made = made

    def written(self) -> int:
        """Return how many bytes the row steps write in all."""
        total = 0
        for item in self.items:
            if item.role == "row" and lies_of(item.step.node.op) not in (Lies.SAME, Lies.VIEW, Lies.SPREAD):
                total += sum(math.prod(self.specs[s].sizes) * self.specs[s].nptype.itemsize for s in outputs_of(item.step))
        return total


class Pass(Way):
    """One way through the tiles for NumPy's calls."""

    def __init__(self, n: int, items: list[Item], tiling: Tiling, tile: int | None) -> None:
        """Order what is done for a tile, and find how many rows it is to have."""
        super().__init__(n, items, tiling)
        self._plan(tile)

    def _plan(self, tile: int | None) -> None:
        m = tile or 64
        self.rows = m
        self.places, self.buffers = Buffers(self, m).places()
        self.per_row = sum(self.buffers) / m
        """Bytes that the buffers take for each row."""
        if tile is None:
            least = max(FEWEST, min(self.n, int(CALL * len(self.items) * self.n / max(self.written(), 1))))
            tiles = -(-self.n // max(least, int(CACHE / max(self.per_row, 1))))
            even = -(-tiles // SHARES) * SHARES
            tiles = even if self.n >= even * least else tiles
            m = min(self.n, -(-self.n // (tiles * 8)) * 8)
            self.places, self.buffers = Buffers(self, m).places()
        self.rows, self.tiles = m, -(-self.n // m)
        per = -(-self.tiles // SHARES) if self.tiles <= SHARES * GROUP else GROUP
        self.group = max(per, -(-self.tiles // GROUPS))
        self.groups = -(-self.tiles // self.group)
        self.threads = max(1, int(self._seconds() / HELD))
        """How many threads are of use."""

    def _seconds(self) -> float:
        """Return about how long a call works."""
        total = 0.0
        for item in self.items:
            sizes = [self.specs[s].sizes for s in item.step.inputs]
            each = self.specs[item.step.output].nptype.itemsize
            if lies_of(item.step.node.op) is Lies.MATRICES:
                inner = sizes[0][-2 if item.step.node.attrs.get("ta", False) else -1]
                total += 2 * math.prod(self.specs[item.step.output].sizes) * inner * each / FLOPS
            else:
                total += (sum(map(math.prod, sizes)) + math.prod(self.specs[item.step.output].sizes)) * each / MOVED
        return total / (self.tiles * len(self.items))

    @property
    def last(self) -> int:
        """The rows of the last tile."""
        return self.n - (self.tiles - 1) * self.rows


class Buffers:
    """Which values of a pass share a buffer: a value's buffer is free after its last reading."""

    def __init__(self, pass_: Pass, rows: int) -> None:
        self.made: list[tuple[int, int, tuple[Any, ...]]] = []
        """Of each array asked for: when, its bytes, and the arrays that it may be written over."""
        self.owners: dict[int, int] = {}
        """The address of an array's memory: which array it is."""
        self.kept: list[Any] = []
        self.at = 0
        self.last: dict[int, int] = {}
        binder = Binder(pass_, rows, self.allocate, Forms(), self.read)
        for at, work in enumerate(pass_.work):
            self.at = at
            try:
                binder.do(work)
            except Exception as error:
                if isinstance(work, Item):
                    raise Unfit(work.step) from error
                raise

    def allocate(self, shape: Any, nptype: Any, over: Sequence[Any]) -> Any:
        """Make an array, and note that it was asked for."""
        array = np.empty(shape, nptype)
        number = len(self.made)
        self.made.append((self.at, array.nbytes, tuple(self.owners[id(a)] for a in over if id(a) in self.owners)))
        self.owners[id(array)] = number
        self.kept.append(array)
        self.last[number] = self.at
        return array

    def read(self, array: Any) -> None:
        """Note that an array is read now."""
        while array is not None:
            number = self.owners.get(id(array))
            if number is not None:
                self.last[number] = self.at
                return
            array = array.base

    def places(self) -> tuple[list[int], list[int]]:
        """Return for each array, in the order of asking, its buffer; and the sizes of the buffers."""
        sizes: list[int] = []
        free: dict[int, list[int]] = {}
        places: list[int] = []
        dying: dict[int, list[int]] = {}
        for number, at in self.last.items():
            dying.setdefault(at, []).append(number)
        taken: set[int] = set()
        swept = 0
        for at, size, over in self.made:
            while swept < at:
                for number in dying.get(swept, ()):
                    if number not in taken and number < len(places):
                        free.setdefault(self.made[number][1], []).append(places[number])
                swept += 1
            chosen = next((o for o in over if self.last[o] == at and o not in taken and self.made[o][1] == size), None)
            if chosen is not None:
                taken.add(chosen)
                places.append(places[chosen])
            elif free.get(size):
                places.append(free[size].pop())
            else:
                places.append(len(sizes))
                sizes.append(size)
        return places, sizes
