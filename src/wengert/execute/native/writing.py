"""The text of a pass: a function for each group of work, and the one that takes tiles through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.execute.native.arrays import VECTORS
from wengert.execute.native.code import Vector, literal, scalar
from wengert.execute.native.function import Affine, Function, Term, affine
from wengert.execute.native.reading import Buffer, Copy, Fetch, Keep, Loop, Narrow, Outer, Place, Product, Read, Shared
from wengert.execute.native.schedule import Group, Schedule
from wengert.execute.native.target import ATTRIBUTES, Target
from wengert.execute.tiles.cut import Item
from wengert.ground.types import Dtype, NumPyArray

__all__ = ["ARGUMENTS", "PANEL", "Writer", "unit"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

PANEL = 3
"""Vectors of rows for which a product is computed at once."""
ARGUMENTS = ("counter", "groups", "per", "n", "tiles", "scratch", "stride")
"""The whole numbers at the beginning of a job; the addresses of arrays follow: what is loaded, stored, shared, and the sums'."""
SIGNATURE = "(ptr noalias %t, ptr %job, i64 %row, i64 %valid, i64 %n, i64 %group)"
CALLED = "(ptr %t, ptr %job, i64 %row, i64 %valid, i64 %n, i64 %group)"
ZEROS = 8
"""Bytes for each row at the beginning of a tile's memory, which are always zero."""

IDENTITY = {"add": 0, "multiply": 1, "maximum": -math.inf, "minimum": math.inf, "logical_and": 1, "logical_or": 0}


def unit(read: Read, target: Target) -> int:
    """Return of what the rows of a tile are a multiple: three vectors of the smallest floats that there are."""
    sizes = [p.nptype.itemsize for w in read.works for p in w.reads if p.nptype.kind == "f"]
    return PANEL * (target.bytes // (min(sizes, default=4)))


class Writer:
    """Writes a pass for tiles of some number of rows."""

    def __init__(self, read: Read, plan: Schedule, target: Target, rows: int, specs: Any) -> None:
        """Take what the pass is, when it does what, for which processor, and how many rows a tile has."""
        self.read, self.plan, self.target, self.rows, self.specs = read, plan, target, rows, specs
        self.pieces: list[str] = []
        self.declared: dict[str, None] = {}
        self.helpers: dict[str, str] = {}
        self.kernels: dict[Any, str] = {}
        self.calls: list[str] = []
        self.loads = {load: len(ARGUMENTS) + k for k, load in enumerate(read.loads)}
        at = len(ARGUMENTS) + len(read.loads)
        self.stores = {store: at + k for k, store in enumerate(read.stores)}
        at += len(read.stores)
        self.shared = {slot: at + k for k, slot in enumerate(read.shared)}
        self.sums = at + len(read.shared)
        self.arguments = self.sums + len(read.sums)
        """How many whole numbers a job is."""
        self.accumulators: list[tuple[int, int]] = []
        """For each sum that lanes add up: where its vectors begin in a worker's memory, and which sum it is."""
        self.memory = -(-(ZEROS + plan.peak) * rows // 64) * 64
        """Bytes that a worker needs."""
        self.lanes_of: dict[int, int] = {}
        self.current: Item | None = None
        """The item that is being written."""

    def text(self) -> str:
        """Return the module's text, with a function ``pass``."""
        for number, group in enumerate(self.plan.groups):
            self.group(number, group)
        begin, end = self.ends()
        self.entry(begin, end)
        rarely = '!0 = !{!"branch_weights", i32 1, i32 100000}'
        attributes = f"attributes #0 = {{ {ATTRIBUTES} }}"
        return "\n".join([*self.declared, *self.helpers.values(), *self.pieces, attributes, rarely, ""])

    # --- parts ---

    def function(self, name: str, nptypes: Sequence[Dtype]) -> Function:
        """Begin a function whose vectors have the lanes of the narrowest floats."""
        sizes = [t.itemsize for t in nptypes if t.kind == "f"]
        return Function(name, self.target.bytes // min(sizes, default=4))

    def finish(self, function: Function, signature: str = SIGNATURE) -> None:
        """Keep a function's text."""
        self.declared.update(function.code.declared)
        self.helpers.update(function.code.helpers)
        for name, body in function.tables.items():
            kind, _, _ = body.partition("] [")
            self.pieces.append(f"{name} = internal constant {kind}] [{body.partition('] [')[2]}")
        self.pieces.append(function.text(f"define internal void @{function.name}{signature} #0"))

    def group(self, number: int, group: Group) -> None:
        work = group.works[0]
        name = f"s{number}"
        if isinstance(work, Loop):
            self.loop(name, group)
        elif isinstance(work, Product):
            self.product(name, work)
        elif isinstance(work, Outer):
            self.outer(name, work)
        elif isinstance(work, Copy):
            self.copy(name, work)
        elif isinstance(work, Narrow):
            self.narrow(name, work)
        elif isinstance(work, Fetch):
            self.fetch(name, work)
        else:
            assert isinstance(work, Keep)
            self.keep(name, work)
        self.calls.append(name)

    def begins(self, buffer: Buffer) -> int:
        """Return where a buffer begins in the memory of a tile, in bytes."""
        return (ZEROS + buffer.offset) * self.rows

    def pointer(self, f: Function, slot: int) -> str:
        """Return an address that the job holds."""
        where = f.address("%job", (), 8 * slot)
        return f.once(("pointer", slot), f"load ptr, ptr {where}")

    # --- elementwise ---

    def loop(self, name: str, group: Group) -> None:
        """Write one loop for all operations of a group."""
        works: list[Any] = list(group.works)
        f = self.function(name, [p.nptype for w in works for p in w.reads] + [b.nptype for w in works for b in w.makes])
        axes = _Axes(works[0].shape, [p.at for w in works for p in w.reads] + [w.at for w in works if w.at is not None])
        lanes = f.code.lanes
        inside = {id(b) for w in works for b in w.makes}
        with axes.loops(f) as index:
            numbers: dict[Any, Vector] = {}
            for w in works:
                for place in w.reads:
                    if isinstance(place.source, Shared):
                        key = self.key(place)
                        if key not in numbers:
                            numbers[key] = f.splat(self.element(f, place, axes, index), place.nptype)
            with f.loop(self.rows // lanes) as v:
                values: dict[int, Vector] = {}
                loaded: dict[Any, Vector] = dict(numbers)
                for w in works:
                    operands = []
                    for place in w.reads:
                        if isinstance(place.source, Buffer) and id(place.source) in inside:
                            operands.append(values[id(place.source)])
                            continue
                        key = self.key(place)
                        if key not in loaded:
                            loaded[key] = self.value(f, place, axes, index, v)
                        operands.append(loaded[key])
                    self.operation(f, w, operands, values, axes, index, v)
        self.finish(f)

    def key(self, place: Place) -> Any:
        return (id(place.source), place.at.tobytes(), place.number, place.nptype)

    def element(self, f: Function, place: Place, axes: _Axes, index: Sequence[str]) -> str:
        """Return the address of an element of a shared value."""
        assert isinstance(place.source, Shared)
        base = self.pointer(f, self.shared[place.source.slot])
        begin, terms = axes.terms(f, place.at, index, place.nptype.itemsize)
        return f.address(base, terms, begin)

    def value(self, f: Function, place: Place, axes: _Axes, index: Sequence[str], v: str) -> Vector:
        """Return a vector of an element's rows."""
        if place.source is None:
            return f.code.constant(place.number, place.nptype)
        assert isinstance(place.source, Buffer)
        return f.vector(self.rows_at(f, place.source, place.at, axes, index, v), place.nptype)

    def rows_at(self, f: Function, buffer: Buffer, at: NumPyArray, axes: _Axes, index: Sequence[str], v: str) -> str:
        """Return the address of a vector of an element's rows."""
        size = buffer.nptype.itemsize
        begin, terms = axes.terms(f, at, index, size * self.rows)
        return f.address("%t", [*terms, (v, size * f.code.lanes)], begin + self.begins(buffer))

    def operation(
        self, f: Function, w: Loop, operands: list[Vector], values: dict[int, Vector], axes: _Axes, index: Sequence[str], v: str
    ) -> None:
        """Write one operation, and store what others read."""
        self.current = w.item
        if w.sum >= 0:
            assert w.at is not None
            return self.summed(f, w, operands[0], axes, index, v)
        if w.item is None:
            found: Any = operands[0]
        else:
            node = w.item.step.node
            if node.op.layout is not None and node.op.layout.mean:
                found = operands[0] / self.read_terms(w)
            else:
                found = node.op.bind(VECTORS)(*operands, **node.attrs)
        several = found if isinstance(found, tuple | list) else [found]
        for b, one in zip(w.makes, several, strict=True):
            value = one.to(b.nptype) if isinstance(one, Vector) else f.code.constant(one, b.nptype)
            values[id(b)] = value
            if b.offset >= 0:
                at = np.arange(b.elements).reshape(w.shape)
                f.put(value, self.rows_at(f, b, at, axes, index, v))
        return None

    def read_terms(self, w: Loop) -> int:
        from wengert.execute.tiles.cut import over_axes

        assert w.item is not None
        step = w.item.step
        sizes = self.specs[step.output].sizes
        return math.prod([sizes[a] for a in over_axes(step.node.attrs["axis"], len(sizes))])

    # --- sums over the rows ---

    def mask(self, f: Function, v: str) -> str:
        """Return which lanes hold rows that there are."""
        lanes = f.code.lanes

        def vector(number: str) -> str:
            x = f.once(("insert", number), f"insertelement <{lanes} x i64> poison, i64 {number}, i64 0")
            return f.once(("splat", x), f"shufflevector <{lanes} x i64> {x}, <{lanes} x i64> poison, <{lanes} x i32> zeroinitializer")

        begin = f.total([(v, lanes)])
        lane = ", ".join(f"i64 {k}" for k in range(lanes))
        at = f.once(("rows", begin), f"add <{lanes} x i64> {vector(begin)}, <{lane}>")
        return f.once(("mask", at), f"icmp ult <{lanes} x i64> {at}, {vector('%valid')}")

    def summed(self, f: Function, w: Loop, x: Vector, axes: _Axes, index: Sequence[str], v: str) -> None:
        """Join an element's rows to the vector that they are summed in."""
        assert w.at is not None
        item = self.read.sums[w.sum]
        join = item.step.node.op.layout.join
        lanes, size = f.code.lanes, x.dtype.itemsize
        begin = self.accumulator(w, lanes, size)
        first, terms = axes.terms(f, w.at, index, lanes * size)
        where = f.address("%t", terms, begin + first)
        total = f.vector(where, x.dtype)
        mask = self.mask(f, v)
        none = f.code.constant(neutral(join, x.dtype), x.dtype)
        kind = f.code.type(x.dtype)
        x = Vector(f.code, f.code.let(f"select <{lanes} x i1> {mask}, {kind} {x.name}, {kind} {none.name}"), x.dtype)
        f.put(getattr(VECTORS, join)(total, x), where)

    def accumulator(self, w: Loop, lanes: int, size: int) -> int:
        """Return where the vectors of a sum begin in a worker's memory."""
        assert w.at is not None
        begin = self.memory
        elements = max(1, math.prod(self.specs[self.read.sums[w.sum].step.output].sizes))
        self.memory += -(-elements * lanes * size // 64) * 64
        self.accumulators.append((begin, w.sum))
        self.lanes_of[w.sum] = lanes
        return begin

    def ends(self) -> tuple[str, str]:
        """Write what is done before and after a group of tiles: vectors of sums begin, and their lanes are joined."""
        begin, end = Function("begin", 1), Function("end", 1)
        done = set()
        for at, number in self.accumulators:
            step = self.read.sums[number].step
            spec, join = self.specs[step.output], step.node.op.layout.join
            lanes = self.lanes_of[number]
            elements, kind, size = math.prod(spec.sizes), scalar(spec.nptype), spec.nptype.itemsize
            done.add(number)
            for f, last in ((begin, False), (end, True)):
                f.code.lanes = lanes
                with f.loop(elements) as i:
                    where = f.address("%t", [(i, lanes * size)], at)
                    if not last:
                        f.put(f.code.constant(neutral(join, spec.nptype), spec.nptype), where)
                        continue
                    total = f.vector(where, spec.nptype)
                    part = self.part(f, number, elements * size)
                    out = f.address(part, [(i, size)])
                    joined = lanes_joined(f, total, join)
                    if kind == "i1":
                        joined, kind = f.code.let(f"zext i1 {joined} to i8"), "i8"
                    f.code.write(f"  store {kind} {joined}, ptr {out}, align {size}")
        for number, item in enumerate(self.read.sums):
            if number in done:
                continue
            spec = self.specs[item.step.output]
            size = spec.nptype.itemsize
            with begin.loop(max(1, math.prod(spec.sizes))) as i:
                part = self.part(begin, number, math.prod(spec.sizes) * size)
                where = begin.address(part, [(i, size)])
                begin.code.write(f"  store {scalar(spec.nptype)} {literal(0, spec.nptype)}, ptr {where}, align {size}")
        for f in (begin, end):
            self.finish(f)
        return "begin", "end"

    def part(self, f: Function, number: int, size: int) -> str:
        """Return the address of a group's part of a sum."""
        return f.address(self.pointer(f, self.sums + number), [("%group", size)])

    def outer(self, name: str, work: Outer) -> None:
        """Write sums of products over the rows: a function for their shape, and a call of it."""
        pairs = work.pairs()
        y, g = pairs[0]
        spec = self.specs[self.read.sums[work.sum].step.output]
        key = (tuple((_same(a.at), _same(b.at)) for a, b in pairs), _same(work.at), y.nptype)
        kernel = self.kernels.get(key)
        if kernel is None:
            kernel = self.kernels[key] = f"o{len(self.kernels)}"
            self.outer_kernel(kernel, pairs, work.at)
        f = Function(name, 1)
        given = []
        for place in work.reads:
            assert isinstance(place.source, Buffer)
            given.append(f"ptr {f.address('%t', (), self.begins(place.source))}")
        part = self.part(f, work.sum, math.prod(spec.sizes) * y.nptype.itemsize)
        f.code.write(f"  call void @{kernel}({', '.join(given)}, ptr {part}, i64 %valid)")
        self.finish(f)

    def outer_kernel(self, name: str, pairs: Sequence[tuple[Place, Place]], at: NumPyArray) -> None:
        """Write the sums of products of a shape: some rows and columns of the result at once, over the rows of the tile."""
        first, second = pairs[0]
        f = self.function(name, [first.nptype])
        tables = [(_Table(f, y.at), _Table(f, g.at)) for y, g in pairs]
        oa = _Table(f, at)
        short = f.code.let(f"icmp ult i64 %valid, {self.rows}")
        with f.when(short):
            for k, (y, g) in enumerate(pairs):
                self.cleared(f, f"%y{k}", y)
                self.cleared(f, f"%g{k}", g)
        lanes, size, nptype = f.code.lanes, first.nptype.itemsize, first.nptype
        kind = f.code.type(nptype)
        inner, left = first.at.shape
        right = second.at.shape[1]
        down, across = (3, 4) if self.target.registers < 32 else (3, 8)
        if left > 1 and right == 1:
            down, across = across, 1

        def vectors(base: str, table: _Table, k: str, i: str, i0: int, count: int, v: str) -> list[Vector]:
            found = []
            for a in range(count):
                begin, terms = table.terms((k, i), (0, i0 + a), (1, count), size * self.rows)
                found.append(f.vector(f.address(base, [*terms, (v, lanes * size)], begin), nptype))
            return found

        with f.code.exactly():
            for i0, height, i_count in _blocks(left, down):
                for j0, width, j_count in _blocks(right, across):
                    with f.loop(i_count) as i, f.loop(j_count) as j:
                        values = ["zeroinitializer"] * (height * width)
                        for k, (ya, ga) in enumerate(tables):
                            loop = f.carried(inner, values, kind)
                            with loop:
                                rows = f.carried(self.rows // lanes, loop.values, kind)
                                with rows:
                                    ys = vectors(f"%y{k}", ya, loop.index, i, i0, height, rows.index)
                                    gs = vectors(f"%g{k}", ga, loop.index, j, j0, width, rows.index)
                                    rows.values = [
                                        ys[a].fma(gs[b], Vector(f.code, rows.values[a * width + b], nptype)).name
                                        for a in range(height) for b in range(width)
                                    ]  # fmt: skip
                                loop.values = rows.values
                            values = loop.values
                        for a in range(height):
                            totals = [Vector(f.code, x, nptype) for x in values[a * width : (a + 1) * width]]
                            self.added(f, totals, "%part", oa, (i, j), (i0 + a, j0), (height, width))
        given = ", ".join(f"ptr %y{k}, ptr %g{k}" for k in range(len(pairs)))
        self.finish(f, f"({given}, ptr noalias %part, i64 %valid)")

    def cleared(self, f: Function, base: str, place: Place) -> None:
        """Write zeros where there are no rows."""
        nptype = place.nptype
        table = _Table(f, np.unique(place.at))
        rest = f.once("rest", f"sub i64 {self.rows}, %valid")
        with f.loop(table.at.size) as e, f.loop(rest) as r:
            begin, terms = table.terms([e], [0], [1], nptype.itemsize * self.rows)
            where = f.address(base, [*terms, (r, nptype.itemsize), ("%valid", nptype.itemsize)], begin)
            f.code.write(f"  store {scalar(nptype)} {literal(0, nptype)}, ptr {where}, align {nptype.itemsize}")

    def added(
        self, f: Function, totals: list[Vector], part: str, table: _Table, index: Sequence[str], first: Sequence[int],
        steps: Sequence[int],
    ) -> None:  # fmt: skip
        """Add the sums over the lanes of some vectors to numbers of the part, one after another or wherever a table says."""
        nptype, size = totals[0].dtype, totals[0].dtype.itemsize
        kind = scalar(nptype)
        for k in range(0, len(totals), f.code.lanes):
            some = totals[k : k + f.code.lanes]
            count = len(some)
            padded = some + [f.code.constant(0, nptype)] * ((1 << (count - 1).bit_length()) - count)
            vector, held = lanes_added(f, padded)
            beside = table.found is not None and table.found.strides[1] == 1 and held == count
            for b in range(1 if beside else count):
                begin, terms = table.terms(index, (first[0], first[1] + k + b), steps, size)
                where = f.address(part, terms, begin)
                one, name = (f"<{held} x {kind}>", vector) if beside else (kind, "")
                old = f.code.let(f"load {one}, ptr {where}, align {size}")
                name = name or f.code.let(f"extractelement <{held} x {kind}> {vector}, i64 {b}")
                new = f.code.let(f"fadd {one} {old}, {name}")
                f.code.write(f"  store {one} {new}, ptr {where}, align {size}")

    # --- products ---

    def product(self, name: str, work: Product) -> None:
        """Write a product: a function for its shape, and calls of it."""
        x, w = work.reads
        out = work.makes[0]
        key = (_same(x.at), _same(w.at), x.nptype, isinstance(w.source, Shared))
        kernel = self.kernels.get(key)
        if kernel is None:
            kernel = self.kernels[key] = f"p{len(self.kernels)}"
            self.kernel(kernel, x, w)
        f = Function(name, 1)
        assert isinstance(x.source, Buffer)
        if isinstance(w.source, Shared):
            matrix = self.pointer(f, self.shared[w.source.slot])
        else:
            assert isinstance(w.source, Buffer)
            matrix = f.address("%t", (), self.begins(w.source))
        given = f.address("%t", (), self.begins(x.source))
        made = f.address("%t", (), self.begins(out))
        f.code.write(f"  call void @{kernel}(ptr {given}, ptr {matrix}, ptr {made})")
        self.finish(f)

    def kernel(self, name: str, x: Place, w: Place) -> None:
        """Write the product of a shape: for three vectors of rows at a time, for some columns at once, sums over k."""
        f = self.function(name, [x.nptype])
        lanes, size, nptype = f.code.lanes, x.nptype.itemsize, x.nptype
        shared = isinstance(w.source, Shared)
        others, inner = x.at.shape
        columns = w.at.shape[2]
        batch = w.at.shape[0] > 1
        xa, wa = _Table(f, x.at), _Table(f, w.at)
        kind = f.code.type(nptype)
        panels = self.rows // lanes // PANEL

        def term(o: str, k: str, k0: int, k_step: int, v: str, p: int) -> Vector:
            begin, terms = xa.terms((o, k), (0, k0), (1, k_step), size * self.rows)
            return f.vector(f.address("%x", [*terms, (v, PANEL * lanes * size)], begin + p * lanes * size), nptype)

        def factor(o: str, k: str, k0: int, k_step: int, j: str, j0: int, j_step: int, v: str, p: int) -> Vector:
            each = size if shared else size * self.rows
            begin, terms = wa.terms((o if batch else "0", k, j), (0, k0, j0), (1, k_step, j_step), each)
            if shared:
                return f.splat(f.address("%w", terms, begin), nptype)
            return f.vector(f.address("%w", [*terms, (v, PANEL * lanes * size)], begin + p * lanes * size), nptype)

        with f.loop(others) as o, f.loop(panels) as v:
            for j0, width, count in _blocks(columns, self.target.block()):
                # Few columns are too few accumulators to keep the units busy: several sums over k are then added.
                turns = max(1, min(4, 12 // (width * PANEL), inner))
                with f.loop(count) as j:
                    loop = f.carried(inner // turns, ["zeroinitializer"] * (turns * width * PANEL), kind)
                    with loop:
                        loop.values = self.multiplied(f, loop.values, loop.index, 0, turns, turns, width, (o, j, j0, v), term, factor, shared, nptype)
                    values = loop.values
                    rest = inner % turns
                    if rest:
                        values = self.multiplied(f, values, "0", inner - rest, rest, turns, width, (o, j, j0, v), term, factor, shared, nptype)
                    for b in range(width):
                        for p in range(PANEL):
                            parts = [Vector(f.code, values[(s * width + b) * PANEL + p], nptype) for s in range(turns)]
                            total = parts[0]
                            for more in parts[1:]:
                                total = total + more
                            row = f.address(
                                "%o",
                                [(o, columns * size * self.rows), (j, width * size * self.rows), (v, PANEL * lanes * size)],
                                (j0 + b) * size * self.rows + p * lanes * size,
                            )
                            f.put(total, row)
        self.finish(f, "(ptr noalias %x, ptr noalias %w, ptr noalias %o)")

    def multiplied(
        self, f: Function, values: list[str], k: str, k0: int, count: int, turns: int, width: int, where: Any, term: Any,
        factor: Any, shared: bool, nptype: Dtype,
    ) -> list[str]:  # fmt: skip
        """Write one turn of the sum: so many terms of k, each added to its accumulators."""
        o, j, j0, v = where
        found = list(values)
        for s in range(count):
            xs = [term(o, k, k0 + s, turns, v, p) for p in range(PANEL)]
            for b in range(width):
                ws = [factor(o, k, k0 + s, turns, j, j0 + b, width, v, p) for p in range(1 if shared else PANEL)]
                for p in range(PANEL):
                    at = (s * width + b) * PANEL + p
                    found[at] = xs[p].fma(ws[p if not shared else 0], Vector(f.code, found[at], nptype)).name
        return found

    def narrow(self, name: str, work: Narrow) -> None:
        """Write a reduction within the rows."""
        place, out = work.reads[0], work.makes[0]
        f = self.function(name, [place.nptype])
        lanes, size, nptype = f.code.lanes, place.nptype.itemsize, place.nptype
        elements, inner = place.at.shape
        kind = f.code.type(nptype)
        table = _Table(f, place.at)
        source = place.source

        def term(e: str, k: str, k0: int, v: str, p: int) -> Vector:
            if source is None:
                return f.code.constant(place.number, nptype)
            each = size * self.rows if isinstance(source, Buffer) else size
            begin, terms = table.terms((e, k), (0, k0), (1, 1), each)
            if isinstance(source, Shared):
                return f.splat(f.address(self.pointer(f, self.shared[source.slot]), terms, begin), nptype)
            moving = [*terms, (v, PANEL * lanes * size)]
            return f.vector(f.address("%t", moving, begin + self.begins(source) + p * lanes * size), nptype)

        with f.loop(elements) as e, f.loop(self.rows // lanes // PANEL) as v:
            first = [term(e, "0", 0, v, p) for p in range(PANEL)]
            totals = first
            if inner > 1:
                loop = f.carried(inner - 1, [x.name for x in first], kind)
                with loop:
                    join = getattr(VECTORS, work.join)
                    loop.values = [
                        join(Vector(f.code, loop.values[p], nptype), term(e, loop.index, 1, v, p)).name for p in range(PANEL)
                    ]
                totals = [Vector(f.code, x, nptype) for x in loop.values]
            for p, total in enumerate(totals):
                if work.terms != 1:
                    total = total / work.terms
                moving = [(e, size * self.rows), (v, PANEL * lanes * size)]
                f.put(total, f.address("%t", moving, self.begins(out) + p * lanes * size))
        self.finish(f)

    # --- moves ---

    def copy(self, name: str, work: Copy) -> None:
        """Write elements put together."""
        out = work.makes[0]
        size = out.nptype.itemsize
        places: list[int] = []
        for place in work.reads:
            assert isinstance(place.source, Buffer)
            places.extend(self.begins(place.source) + int(k) * size * self.rows for k in place.at.ravel())
        picks = [0 if k < 0 else places[k] for k in work.picks.ravel()]  # memory begins with zeros
        f = Function(name, 1)
        table = _Table(f, np.asarray(picks))
        with f.loop(len(picks)) as e:
            begin, terms = table.terms([e], [0], [1], 1)
            source = f.address("%t", terms, begin)
            target = f.address("%t", [(e, size * self.rows)], self.begins(out))
            self.moved(f, target, source, str(size * self.rows))
        self.finish(f)

    def moved(self, f: Function, target: str, source: str, count: str) -> None:
        """Copy bytes."""
        f.code.declared["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"] = None
        f.code.write(f"  call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {count}, i1 false)")

    def fetch(self, name: str, work: Fetch) -> None:
        """Write how rows are taken from a whole array."""
        out = work.makes[0]
        f = Function(name, 1)
        if out.offset >= 0:
            self.between(f, self.loads[work.load], work.before, work.after, out.nptype, np.arange(out.elements), out, True)
        self.finish(f)

    def keep(self, name: str, work: Keep) -> None:
        """Write how rows are put into a whole array."""
        place = work.reads[0]
        f = Function(name, 1)
        assert isinstance(place.source, Buffer)
        slot = self.stores[work.store]
        self.between(f, slot, work.before, work.after, place.nptype, place.at.ravel(), place.source, False)
        self.finish(f)

    def between(
        self, f: Function, slot: int, before: int, after: int, nptype: Dtype, at: NumPyArray, buffer: Buffer, taken: bool
    ) -> None:
        """Move rows between a whole array, of shape (before, n, after), and elements of a buffer."""
        size = nptype.itemsize
        kind = "i8" if nptype.kind == "b" else scalar(nptype)
        array = self.pointer(f, slot)
        table = _Table(f, at.reshape(before, after))
        line = f.once("line", f"mul i64 %n, {after * size}")
        with f.loop(before) as a, f.loop(after) as b:
            begin, terms = table.terms((a, b), (0, 0), (1, 1), size * self.rows)
            rows = f.address("%t", terms, begin + self.begins(buffer))
            far = f.once(("far", a), f"mul i64 {a}, {line}")
            outside = f.address(array, [(far, 1), (b, size), ("%row", after * size)])
            if after == 1:
                count = f.once("count", f"mul i64 %valid, {size}")
                self.moved(f, rows if taken else outside, outside if taken else rows, count)
            else:
                with f.loop("%valid") as r:
                    inner = f.address(rows, [(r, size)])
                    outer = f.address(outside, [(r, after * size)])
                    x = f.code.let(f"load {kind}, ptr {outer if taken else inner}, align {size}")
                    f.code.write(f"  store {kind} {x}, ptr {inner if taken else outer}, align {size}")

    # --- the whole ---

    def entry(self, begin: str, end: str) -> None:
        """Write the function that takes groups of tiles as long as there are any."""
        f = Function("pass", 1)
        numbers = {name: f.code.let(f"load i64, ptr {f.address('%job', (), 8 * k)}") for k, name in enumerate(ARGUMENTS) if k}
        far = f.code.let(f"mul i64 %worker, {numbers['stride']}")
        at = f.code.let(f"add i64 {numbers['scratch']}, {far}")
        t = f.code.let(f"inttoptr i64 {at} to ptr")
        f.code.declared["declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"] = None
        f.code.write(f"  call void @llvm.memset.p0.i64(ptr {t}, i8 0, i64 {ZEROS * self.rows}, i1 false)")
        head, work, done = f.label(), f.label(), f.label()
        f.code.write(f"  br label %{head}")
        f.begin(head)
        group = f.code.let("atomicrmw add ptr %job, i64 1 monotonic")
        more = f.code.let(f"icmp ult i64 {group}, {numbers['groups']}")
        f.code.write(f"  br i1 {more}, label %{work}, label %{done}")
        f.begin(work)
        first = f.code.let(f"mul i64 {group}, {numbers['per']}")
        last = f.code.let(f"add i64 {first}, {numbers['per']}")
        f.code.declared["declare i64 @llvm.umin.i64(i64, i64)"] = None
        last = f.code.let(f"call i64 @llvm.umin.i64(i64 {last}, i64 {numbers['tiles']})")
        count = f.code.let(f"sub i64 {last}, {first}")
        n = numbers["n"]
        f.code.write(f"  call void @{begin}(ptr {t}, ptr %job, i64 0, i64 0, i64 {n}, i64 {group})")
        with f.loop(count) as k:
            tile = f.code.let(f"add i64 {first}, {k}")
            row = f.code.let(f"mul i64 {tile}, {self.rows}")
            left = f.code.let(f"sub i64 {n}, {row}")
            valid = f.code.let(f"call i64 @llvm.umin.i64(i64 {left}, i64 {self.rows})")
            for name in self.calls:
                f.code.write(f"  call void @{name}(ptr {t}, ptr %job, i64 {row}, i64 {valid}, i64 {n}, i64 {group})")
        f.code.write(f"  call void @{end}(ptr {t}, ptr %job, i64 0, i64 0, i64 {n}, i64 {group})")
        f.code.write(f"  br label %{head}")
        f.begin(done)
        self.declared.update(f.code.declared)
        self.pieces.append(f.text("define void @pass(ptr %job, i64 %worker) #0"))


class _Table:
    """Whole numbers at indices: computed where they are sums of multiples, else looked up."""

    def __init__(self, f: Function, at: NumPyArray) -> None:
        self.f, self.at = f, at
        self.found = affine(at)

    def terms(
        self, index: Sequence[str], first: Sequence[int], steps: Sequence[int], size: int
    ) -> tuple[int, list[Term]]:
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


class _Axes:
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

    def loops(self, f: Function) -> Any:
        """Return a with block in which the loops' numbers are known."""
        from contextlib import ExitStack, contextmanager

        @contextmanager
        def opened() -> Any:
            with ExitStack() as stack:
                yield [stack.enter_context(f.loop(math.prod(self.shape[k] for k in run))) for run in self.runs]

        return opened()

    def terms(self, f: Function, at: NumPyArray, index: Sequence[str], size: int) -> tuple[int, list[Term]]:
        """Return a constant and terms for the number of the current element, times a size."""
        found: Affine | None = affine(at)
        if found is not None:
            return found.begin * size, [(i, found.strides[run[-1]] * size) for i, run in zip(index, self.runs, strict=True)]
        flat = [math.prod(self.shape[run[-1] + 1 :]) for run in self.runs]
        return 0, [(f.looked_up(at, list(zip(index, flat, strict=True))), size)]


def _same(at: NumPyArray) -> tuple[object, ...]:
    """Return what is equal for equal arrays of numbers."""
    return at.shape, affine(at) or at.tobytes()


def neutral(join: str, nptype: Dtype) -> float:
    """Return what changes nothing where it is joined."""
    value = IDENTITY[join]
    if nptype.kind in "iu" and math.isinf(value):
        info = np.iinfo(nptype)
        return int(info.max if value > 0 else info.min)
    return value


def _blocks(count: int, most: int) -> list[tuple[int, int, int]]:
    """Return blocks as (where they begin, how wide they are, how many of them): as even as they can be."""
    whole, rest = divmod(count, most)
    if not whole:
        return [(0, count, 1)]
    return [(0, most, whole)] + ([(whole * most, rest, 1)] if rest else [])


def lanes_joined(f: Function, x: Vector, join: str) -> str:
    """Return the name of what all lanes of a vector give together: halves are joined to halves."""
    code, lanes = f.code, f.code.lanes
    kind = scalar(x.dtype)
    ones = [code.let(f"extractelement <{lanes} x {kind}> {x.name}, i64 {k}") for k in range(lanes)]
    before, code.lanes = code.lanes, 1
    vectors = [Vector(code, code.let(f"insertelement <1 x {kind}> poison, {kind} {one}, i64 0"), x.dtype) for one in ones]
    while len(vectors) > 1:
        half = len(vectors) // 2
        vectors = [getattr(VECTORS, join)(a, b) for a, b in zip(vectors[:half], vectors[half:], strict=True)]
    found = code.let(f"extractelement <1 x {kind}> {vectors[0].name}, i64 0")
    code.lanes = before
    return found


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
