"""Sums of products over the rows, gradients by weights: some rows and columns of the result at once, lanes joined at the end."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.execute.native.code import Vector, scalar
from wengert.execute.native.function import Function
from wengert.execute.native.indices import Table, same
from wengert.execute.native.module import PANEL, Module
from wengert.execute.native.products import blocks
from wengert.execute.native.work import Outer, Place
from wengert.ground.types import NumPyArray

__all__ = ["summed_products"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def summed_products(module: Module, f: Function, work: Outer) -> None:
    """Write a call of the function for sums of products over the rows of this shape, which is written if there is none yet."""
    y, g = work.reads[:2]
    key = same(y.at), same(g.at), same(work.at), y.nptype
    kernel = module.kernels.get(key)
    if kernel is None:
        kernel = module.kernels[key] = f"o{len(module.kernels)}"
        _Kernel(module, kernel, y, g, work.at).write()
    factors = f.code.let(f"alloca [{len(work.reads)} x ptr]")
    for k, place in enumerate(work.reads):
        f.code.write(f"  store ptr {module.given(f, place)}, ptr {f.address(factors, (), 8 * k)}")
    part = module.part(f, work.sum)
    f.code.write(f"  call void @{kernel}(ptr {factors}, i64 {len(work.reads) // 2}, ptr {part}, i64 %valid)")


class _Kernel:
    """The function for sums of products of one shape."""

    def __init__(self, module: Module, name: str, y: Place, g: Place, at: NumPyArray) -> None:
        self.module, self.y, self.g, self.at = module, y, g, at
        self.nptype, self.size = y.nptype, y.nptype.itemsize
        self.inner, self.left = y.at.shape
        self.right = g.at.shape[1]
        self.f = module.function(name, [y.nptype])
        self.tables = Table(self.f, y.at), Table(self.f, g.at)

    def write(self) -> None:
        f, module = self.f, self.module
        short = f.code.let(f"icmp ult i64 %valid, {module.rows}")
        with f.when(short), f.loop("%pairs") as k:
            y, g = self.pair(k)
            module.cleared(f, y, self.y)
            module.cleared(f, g, self.g)
        down, across = 3, 4 if module.target.registers < 32 else 8
        if self.left > 1 and self.right == 1:
            down, across = across, 1
        out = Table(f, self.at)
        with f.code.exactly():
            for i0, height, i_count in blocks(self.left, down):
                for j0, width, j_count in blocks(self.right, across):
                    with f.loop(i_count) as i, f.loop(j_count) as j:
                        values = self.sums(i, i0, height, j, j0, width)
                        for a in range(height):
                            totals = [Vector(f.code, x, self.nptype) for x in values[a * width : (a + 1) * width]]
                            self.added(totals, out, (i, j), (i0 + a, j0), (height, width))
        module.finish(f, "(ptr %factors, i64 %pairs, ptr noalias %part, i64 %valid)")

    def pair(self, k: str) -> tuple[str, str]:
        """Return the addresses of two factors."""
        f = self.f
        found = [f.code.let(f"load ptr, ptr {f.address('%factors', [(k, 16)], 8 * side)}, align 8") for side in range(2)]
        return found[0], found[1]

    def sums(self, i: str, i0: int, height: int, j: str, j0: int, width: int) -> list[str]:
        """Write the sums of a block over all pairs, the inner axis and the rows of the tile; return their vectors."""
        f, kind = self.f, self.f.code.type(self.nptype)
        ya, ga = self.tables
        with f.carried("%pairs", ["zeroinitializer"] * (height * width), kind) as pairs:
            left, right = self.pair(pairs.index)
            with f.carried(self.inner, pairs.values, kind) as loop:
                with f.carried(self.module.rows // f.code.lanes // PANEL, loop.values, kind) as rows:
                    for p in range(PANEL):
                        ys = [self.vector(left, ya, loop.index, i, (i0 + a, height), rows.index, p) for a in range(height)]
                        for b in range(width):  # each vector of g is loaded where it is used: there is one register for it
                            g = self.vector(right, ga, loop.index, j, (j0 + b, width), rows.index, p)
                            for a in range(height):
                                total = Vector(f.code, rows.values[a * width + b], self.nptype)
                                rows.values[a * width + b] = ys[a].fma(g, total).name
                loop.values = rows.values
            pairs.values = loop.values
        return pairs.values

    def vector(self, base: str, table: Table, k: str, i: str, place: tuple[int, int], v: str, p: int) -> Vector:
        """Load a vector of rows of an element: ``place`` is where its index begins, and its step."""
        f, (first, step) = self.f, place
        begin, terms = table.terms((k, i), (0, first), (1, step), self.size * self.module.rows)
        vector = f.code.lanes * self.size
        return f.vector(f.address(base, [*terms, (v, PANEL * vector)], begin + p * vector), self.nptype)

    def added(
        self, totals: list[Vector], table: Table, index: Sequence[str], first: tuple[int, int], steps: tuple[int, int]
    ) -> None:
        """Add the sums over the lanes of some vectors to numbers of the part, one after another or wherever a table says."""
        f, kind = self.f, scalar(self.nptype)
        lanes, size = f.code.lanes, self.size
        for k in range(0, len(totals), lanes):
            some = totals[k : k + lanes]
            count = len(some)
            padded = some + [f.code.constant(0, self.nptype)] * ((1 << (count - 1).bit_length()) - count)
            vector, held = lanes_added(f, padded)
            beside = table.found is not None and table.found.strides[1] == 1 and held == count
            for b in range(1 if beside else count):
                begin, terms = table.terms(index, (first[0], first[1] + k + b), steps, size)
                where = f.address("%part", terms, begin)
                one, name = (f"<{held} x {kind}>", vector) if beside else (kind, "")
                old = f.code.let(f"load {one}, ptr {where}, align {size}")
                name = name or f.code.let(f"extractelement <{held} x {kind}> {vector}, i64 {b}")
                new = f.code.let(f"fadd {one} {old}, {name}")
                f.code.write(f"  store {one} {new}, ptr {where}, align {size}")


def lanes_added(f: Function, totals: Sequence[Vector]) -> tuple[str, int]:
    """Return a vector of the sums over the lanes of some vectors, whose number is a power of two, and how many lanes it has.

    Halves of two vectors are added and stand side by side, then quarters of two such, until one vector is left; its runs of lanes
    are then halved.
    """
    code, lanes = f.code, f.code.lanes
    kind = scalar(totals[0].dtype)
    names, width = [t.name for t in totals], lanes

    def picked(a: str, b: str, held: int, order: Sequence[int]) -> str:
        numbers = ", ".join(f"i32 {k}" for k in order)
        return code.let(f"shufflevector <{held} x {kind}> {a}, <{held} x {kind}> {b}, <{len(order)} x i32> <{numbers}>")

    def halved(a: str, b: str, held: int, several: int) -> str:
        """Add the halves of the runs of several vectors."""
        runs = range(0, several * held, width)
        low = [k + i for k in runs for i in range(width // 2)]
        high = [k + i for k in runs for i in range(width // 2, width)]
        return code.let(f"fadd <{len(low)} x {kind}> {picked(a, b, held, low)}, {picked(a, b, held, high)}")

    while len(names) > 1 and width > 1:
        names = [halved(a, b, lanes, 2) for a, b in zip(names[::2], names[1::2], strict=True)]
        width //= 2
    if len(names) > 1:
        raise ValueError("more sums than lanes")
    held = lanes
    while width > 1:
        names = [halved(names[0], "poison", held, 1)]
        held, width = held // 2, width // 2
    return names[0], held
