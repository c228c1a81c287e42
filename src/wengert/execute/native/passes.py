"""Lists that are cut, whose passes are machine code: each is read, ordered and written once, and compiled by its text."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from wengert.execute.native import engine, pool
from wengert.execute.native.code import NoForm
from wengert.execute.native.contracting import LEFT
from wengert.execute.native.job import job
from wengert.execute.native.module import ARGUMENTS, Module
from wengert.execute.native.reading import REFUSED, read
from wengert.execute.native.schedule import schedule
from wengert.execute.native.writing import unit, write
from wengert.execute.plan import Plan
from wengert.execute.tiles.cut import Cut, Item, Unfit
from wengert.execute.tiles.layout import Way
from wengert.execute.tiles.run import Tiling
from wengert.ground.options import options
from wengert.ground.types import NumPyArray

__all__ = ["NativeTiling", "Pass"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LEAST_STEPS, LEAST_BYTES = 4, 1 << 17
"""Row steps, and bytes that they write in all, under which it does not pay."""
ROOM = 320 << 10
"""Bytes that the values of a tile may take, for more rows than the least: the second level of a core's cache holds them."""
WIDEST = 8
"""Units of rows of a tile, at most."""
GROUPS = 16
"""Parts in which sums over the rows are kept until the end, at most; so many turns for threads."""


class Pass(Way):
    """One way through the tiles, as machine code."""

    def __init__(self, n: int, items: list[Item], tiling: Tiling, tile: int | None) -> None:
        """Read it, order it and write it."""
        super().__init__(n, items, tiling)
        found = read(self)
        plan = self.plan = schedule(found.works)
        target = engine.target()
        least = unit(found, target)
        units = max(1, min(WIDEST, int(ROOM / max(plan.peak, 1)) // least)) if tile is None else max(1, tile // least)
        self.rows = least * units
        module = Module(found, plan.peak, target, self.rows, self.specs)
        try:
            write(module, plan.groups)
        except (NoForm, *REFUSED) as error:
            if module.current is None:  # no operation's kernel, but the writer itself
                raise
            raise Unfit(module.current.step, f"{error}") from error
        self.text = module.text()
        self.memory, self.arguments, self.shared, self.totals = module.memory, module.arguments, found.shared, module.totals
        self.given = [slot for slot, _ in self.loads] + self.shared
        """The slots of the arrays that are read; a job has the stores between the two kinds."""
        self.divide(n)
        self.library: engine.Library | None = None

    def divide(self, n: int) -> None:
        """Divide the rows into tiles, and these into groups."""
        self.tiles = -(-n // self.rows)
        self.group = -(-self.tiles // GROUPS)
        self.groups = -(-self.tiles // self.group) if self.tiles else 0

    def compiled(self) -> int:
        """Return the address of the code."""
        if self.library is None:
            self.library = engine.compiled(self.text, ["pass"])
        return self.library.address("pass")


class Scratch:
    """The memory of a run's workers, by pass."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[NumPyArray, int]] = {}

    def of(self, number: int, size: int) -> int:
        """Return the address of so many bytes, at the beginning of a line of the cache."""
        found = self.held.get(number)
        if found is None or found[0].nbytes < size + 64:
            whole = np.empty(size + 64, np.uint8)
            found = self.held[number] = whole, whole.ctypes.data + -whole.ctypes.data % 64
        return found[1]


class NativeTiling(Tiling):
    """A list that is cut, and runs as machine code."""

    repeats = True

    def __init__(self, plan: Plan, walk: Cut, tile: int | None) -> None:
        """Order the steps by stages, and write the passes."""
        super().__init__(plan, walk, tile)
        self.waiting: list[Scratch] = []

    def least(self) -> tuple[int, int]:
        """Return of how many row steps, that write how many bytes, tiles are made."""
        return LEAST_STEPS, LEAST_BYTES

    def way(self, n: int, items: list[Item], tile: int | None) -> Way:
        """Return a pass through so many rows."""
        return Pass(n, items, self, tile)

    def compile(self) -> None:
        """Compile all passes."""
        for pass_ in self.passes:
            pass_.compiled()

    def left(self) -> str:
        """Return why NumPy's own tiles do better, or nothing: in them a product is a step like any other."""
        return LEFT if LEFT in self.unfit.values() else ""

    def begun(self) -> Scratch:
        """Return what a run works with."""
        pool.ready(int(options.threads))
        try:
            return self.waiting.pop()
        except IndexError:
            return Scratch()

    def ended(self, crew: Scratch) -> None:
        """Take it back."""
        if len(self.waiting) < 4:
            self.waiting.append(crew)

    def _pass(self, number: int, crew: Scratch, slots: list[Any]) -> None:
        pass_, specs = self.passes[number], self.specs
        given = [_ordered(self.array(slots, slot)) for slot in pass_.given]
        fresh = [np.empty(specs[s.slot].sizes, specs[s.slot].nptype) for s in pass_.stores]
        parts = pass_.totals.empty(pass_.groups)
        loads = len(pass_.loads)
        arrays = [*given[:loads], *fresh, *given[loads:], *parts]
        threads = max(1, min(int(options.threads), pass_.groups))
        stride = -(-pass_.memory // 64) * 64 + 64
        numbers = (0, pass_.groups, pass_.group, pass_.n, pass_.tiles, crew.of(number, threads * stride), stride)
        assert len(numbers) == len(ARGUMENTS) and len(numbers) + len(arrays) == pass_.arguments
        if pass_.n:
            told = job(numbers, arrays)
            pool.run(pass_.compiled(), ctypes.addressof(told), threads)
        for store, array in zip(pass_.stores, fresh, strict=True):
            slots[store.slot] = array
        for item, total in zip(pass_.sums, pass_.totals.joined(parts), strict=True):
            slots[item.step.output] = self.mean(pass_, item, total)


def _ordered(a: NumPyArray) -> NumPyArray:
    return a if a.flags.c_contiguous else np.ascontiguousarray(a)
