"""Products with matrices: for three vectors of rows at a time, some columns at once, sums over the inner axis in registers."""

from __future__ import annotations

from wengert.execute.native.code import Vector
from wengert.execute.native.function import Function
from wengert.execute.native.indices import Table, same
from wengert.execute.native.module import PANEL, Module
from wengert.execute.native.work import Place, Product, Shared

__all__ = ["blocks", "multiplied"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

BUSY = 12
"""Sums that are to be under way at the same time, for the units not to wait for their own results."""


def multiplied(module: Module, f: Function, work: Product) -> None:
    """Write a call of the function for a product of this shape, which is written if there is none yet."""
    x, w = work.reads
    key = same(x.at), same(w.at), x.nptype, isinstance(w.source, Shared)
    kernel = module.kernels.get(key)
    if kernel is None:
        kernel = module.kernels[key] = f"p{len(module.kernels)}"
        _Kernel(module, kernel, x, w).write()
    out = f.address("%t", (), module.begins(work.makes[0]))
    f.code.write(f"  call void @{kernel}(ptr {module.given(f, x)}, ptr {module.given(f, w)}, ptr {out})")


def blocks(count: int, most: int) -> list[tuple[int, int, int]]:
    """Return blocks of columns: where they begin, how wide they are, how many of them there are."""
    whole, rest = divmod(count, most)
    if not whole:
        return [(0, count, 1)]
    return [(0, most, whole), *([(whole * most, rest, 1)] if rest else [])]


class _Kernel:
    """The function for a product of one shape."""

    def __init__(self, module: Module, name: str, x: Place, w: Place) -> None:
        self.module, self.nptype = module, x.nptype
        self.f = module.function(name, [x.nptype])
        self.shared = isinstance(w.source, Shared)
        self.others, self.inner = x.at.shape
        self.batch, self.columns = w.at.shape[0] > 1, w.at.shape[2]
        self.x, self.w = Table(self.f, x.at), Table(self.f, w.at)
        self.size = x.nptype.itemsize
        self.vector = self.f.code.lanes * self.size
        """The bytes of a vector."""
        self.o = self.v = self.j = "0"
        """The numbers of the loops: over what the matrix is the same for, or has a part for; over panels of rows; over blocks."""

    def write(self) -> None:
        f = self.f
        kind = f.code.type(self.nptype)
        with f.loop(self.others) as self.o, f.loop(self.module.rows // f.code.lanes // PANEL) as self.v:
            for j0, width, count in blocks(self.columns, self.module.target.block()):
                turns = max(1, min(4, BUSY // (width * PANEL), self.inner))
                with f.loop(count) as self.j:
                    loop = f.carried(self.inner // turns, ["zeroinitializer"] * (turns * width * PANEL), kind)
                    with loop:
                        loop.values = self.turn(loop.values, loop.index, 0, turns, turns, j0, width)
                    values, rest = loop.values, self.inner % turns
                    if rest:
                        values = self.turn(values, "0", self.inner - rest, rest, turns, j0, width)
                    self.stored(values, turns, j0, width)
        self.module.finish(f, "(ptr noalias %x, ptr noalias %w, ptr noalias %o)")

    def turn(self, values: list[str], k: str, k0: int, count: int, turns: int, j0: int, width: int) -> list[str]:
        """Write one turn of the sum: so many terms of k, each added to accumulators of its own."""
        found = list(values)
        for s in range(count):
            xs = [self.rows(self.x, "%x", (self.o, k), (0, k0 + s), (1, turns), p) for p in range(PANEL)]
            for b in range(width):
                index, first, steps = (self.o if self.batch else "0", k, self.j), (0, k0 + s, j0 + b), (1, turns, width)
                if self.shared:
                    begin, terms = self.w.terms(index, first, steps, self.size)
                    ws = [self.f.splat(self.f.address("%w", terms, begin), self.nptype)] * PANEL
                else:
                    ws = [self.rows(self.w, "%w", index, first, steps, p) for p in range(PANEL)]
                for p in range(PANEL):
                    at = (s * width + b) * PANEL + p
                    found[at] = xs[p].fma(ws[p], Vector(self.f.code, found[at], self.nptype)).name
        return found

    def rows(
        self, table: Table, base: str, index: tuple[str, ...], first: tuple[int, ...], steps: tuple[int, ...], p: int
    ) -> Vector:
        """Return a vector of rows of an element."""
        begin, terms = table.terms(index, first, steps, self.size * self.module.rows)
        where = self.f.address(base, [*terms, (self.v, PANEL * self.vector)], begin + p * self.vector)
        return self.f.vector(where, self.nptype)

    def stored(self, values: list[str], turns: int, j0: int, width: int) -> None:
        """Add up what different accumulators have of the same sum, and store it."""
        row = self.size * self.module.rows
        moving = [(self.o, self.columns * row), (self.j, width * row), (self.v, PANEL * self.vector)]
        for b in range(width):
            for p in range(PANEL):
                total = Vector(self.f.code, values[b * PANEL + p], self.nptype)
                for s in range(1, turns):
                    total = total + Vector(self.f.code, values[(s * width + b) * PANEL + p], self.nptype)
                self.f.put(total, self.f.address("%o", moving, (j0 + b) * row + p * self.vector))
