"""Loops over elements: all that a group does to them, with values in registers, and sums over the rows, in lanes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wengert.execute.native.arrays import VECTORS
from wengert.execute.native.code import Vector, scalar
from wengert.execute.native.function import Function
from wengert.execute.native.indices import Axes
from wengert.execute.native.module import PANEL, Module
from wengert.execute.native.work import Buffer, Loop, Place, Shared
from wengert.execute.tiles.cut import over_axes
from wengert.ground.types import Dtype, NumPyArray

__all__ = ["Lanes", "looped"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Lanes:
    """The sums of a pass that are kept in vectors until a group of tiles has been gone through: lane by lane."""

    def __init__(self, module: Module) -> None:
        """Begin with none."""
        self.module = module
        self.kept: dict[int, tuple[int, int]] = {}
        """For each sum: where its vectors begin in a worker's memory, and how many lanes they have."""

    def place(self, number: int, lanes: int) -> int:
        """Return where the vectors of a sum begin."""
        if number in self.kept:
            return self.kept[number][0]
        module = self.module
        spec = module.specs[module.read.sums[number].step.output]
        begin = module.memory
        module.memory += -(-math.prod(spec.sizes) * lanes * spec.nptype.itemsize // 64) * 64
        self.kept[number] = begin, lanes
        return begin

    def begun(self) -> None:
        """Write what is done before a group of tiles: sums begin with what changes nothing, which is zero for most."""
        module, f = self.module, Function("begin", 1)
        for number, item in enumerate(module.read.sums):
            spec, join = module.specs[item.step.output], item.step.node.op.layout.join
            elements, size = math.prod(spec.sizes), spec.nptype.itemsize
            at, lanes = self.kept.get(number, (0, 1))
            whole = elements * lanes * size
            # Sums of products are added to their part at once.
            where = f.address("%t", (), at) if number in self.kept else module.part(f, number)
            first = neutral(join, spec.nptype)
            if first == 0:
                module.zeroed(f, where, whole)
                continue
            f.code.lanes = lanes
            with f.loop(elements) as i:
                f.put(f.code.constant(first, spec.nptype), f.address(where, [(i, lanes * size)]))
        module.finish(f)

    def ended(self) -> None:
        """Write what is done after it: lanes are joined, by a function for each kind of sum."""
        module, f = self.module, Function("end", 1)
        for number, (at, lanes) in self.kept.items():
            step = module.read.sums[number].step
            spec, join = module.specs[step.output], step.node.op.layout.join
            elements = math.prod(spec.sizes)
            key = "join", join, lanes, spec.nptype
            joiner = module.kernels.get(key)
            if joiner is None:
                joiner = module.kernels[key] = f"j{len(module.kernels)}"
                self.joiner(joiner, join, lanes, spec.nptype)
            part = module.part(f, number)
            f.code.write(f"  call void @{joiner}(ptr {f.address('%t', (), at)}, ptr {part}, i64 {elements})")
        module.finish(f)

    def joiner(self, name: str, join: str, lanes: int, nptype: Dtype) -> None:
        """Write the function that joins the lanes of some vectors to as many numbers."""
        f, size, kind = Function(name, lanes), nptype.itemsize, scalar(nptype)
        with f.loop("%count") as i:
            joined = lanes_joined(f, f.vector(f.address("%vectors", [(i, lanes * size)]), nptype), join)
            if kind == "i1":
                joined, kind = f.code.let(f"zext i1 {joined} to i8"), "i8"
            f.code.write(f"  store {kind} {joined}, ptr {f.address('%out', [(i, size)])}, align {size}")
        self.module.finish(f, "(ptr %vectors, ptr %out, i64 %count)")


def neutral(join: str, nptype: Dtype) -> float:
    """Return what changes nothing where it is joined."""
    function = getattr(np, join)
    if function.identity is not None:
        return float(function.identity)
    if nptype.kind == "f":
        return -math.inf if function is np.maximum else math.inf
    info = np.iinfo(nptype)
    return int(info.min if function is np.maximum else info.max)


def lanes_joined(f: Function, x: Vector, join: str) -> str:
    """Return the name of what all lanes of a vector give together: halves are joined to halves."""
    code, lanes = f.code, f.code.lanes
    kind = scalar(x.dtype)
    ones = [code.let(f"extractelement <{lanes} x {kind}> {x.name}, i64 {k}") for k in range(lanes)]
    code.lanes = 1
    vectors = [Vector(code, code.let(f"insertelement <1 x {kind}> poison, {kind} {one}, i64 0"), x.dtype) for one in ones]
    while len(vectors) > 1:
        half = len(vectors) // 2
        vectors = [getattr(VECTORS, join)(a, b) for a, b in zip(vectors[:half], vectors[half:], strict=True)]
    found = code.let(f"extractelement <1 x {kind}> {vectors[0].name}, i64 0")
    code.lanes = lanes
    return found


def looped(module: Module, lanes: Lanes, name: str, works: Sequence[Loop]) -> None:
    """Write one loop for all operations of a group."""
    _Body(module, lanes, name, works).write()


class _Body:
    """What is done to each element."""

    def __init__(self, module: Module, lanes: Lanes, name: str, works: Sequence[Loop]) -> None:
        self.module, self.lanes, self.works = module, lanes, works
        places = [p for w in works for p in w.reads]
        self.f = module.function(name, [p.nptype for p in places] + [b.nptype for w in works for b in w.makes])
        self.axes = Axes(works[0].shape, [p.at for p in places] + [w.at for w in works if w.at is not None])
        self.index: list[str] = []
        self.v = "0", 1, 0
        """The vector within the tile's rows: the loop's number, how many are side by side, and which of these it is."""
        self.values: dict[int, Vector] = {}
        """Of the group's own values, by buffer."""

    def write(self) -> None:
        f = self.f
        with self.axes.loops(f) as self.index:
            numbers = {_key(p): self.number(p) for w in self.works for p in w.reads if isinstance(p.source, Shared)}
            vectors = self.module.rows // f.code.lanes
            # Several vectors side by side: an operation waits for the one before it, but not for another vector's.
            beside = PANEL if vectors % PANEL == 0 else 1
            with f.loop(vectors // beside) as index:
                loaded = [dict(numbers) for _ in range(beside)]
                values: list[dict[int, Vector]] = [{} for _ in range(beside)]
                for w in self.works:
                    for k in range(beside):
                        self.v, self.values = (index, beside, k), values[k]
                        self.operation(w, [self.operand(p, loaded[k]) for p in w.reads])
        self.module.finish(f)

    def number(self, place: Place) -> Vector:
        """Return an element of a shared value, in all lanes."""
        begin, terms = self.axes.terms(self.f, place.at, self.index, place.nptype.itemsize)
        return self.f.splat(self.f.address(self.module.given(self.f, place), terms, begin), place.nptype)

    def operand(self, place: Place, loaded: dict[object, Vector]) -> Vector:
        """Return an input: what the group has made, or what is loaded once."""
        source = place.source
        if isinstance(source, Buffer) and id(source) in self.values:
            return self.values[id(source)]
        key = _key(place)
        if key not in loaded:
            if isinstance(source, Buffer):
                loaded[key] = self.f.vector(self.rows_at(source, place.at), place.nptype)
            else:
                loaded[key] = self.f.code.constant(place.number, place.nptype)
        return loaded[key]

    def rows_at(self, buffer: Buffer, at: NumPyArray) -> str:
        """Return the address of a vector of an element's rows."""
        size = buffer.nptype.itemsize
        begin, terms = self.axes.terms(self.f, at, self.index, size * self.module.rows)
        index, beside, k = self.v
        vector = size * self.f.code.lanes
        return self.f.address("%t", [*terms, (index, beside * vector)], begin + k * vector + self.module.begins(buffer))

    def operation(self, w: Loop, operands: list[Vector]) -> None:
        """Write one operation, and store what others read."""
        self.module.current = w.item
        if w.sum >= 0:
            return self.summed(w, operands[0])
        if w.item is None:
            several: Sequence[Vector | float] = operands
        else:
            node = w.item.step.node
            if node.op.layout.mean:
                found = operands[0] / self.terms(w, operands[0].dtype)
            else:
                found = node.op.bind(VECTORS)(*operands, **node.attrs)
            several = found if isinstance(found, tuple | list) else [found]
        for b, one in zip(w.makes, several, strict=True):
            value = one.to(b.nptype) if isinstance(one, Vector) else self.f.code.constant(one, b.nptype)
            self.values[id(b)] = value
            if b.offset >= 0:
                self.f.put(value, self.rows_at(b, np.arange(b.elements).reshape(w.shape)))
        return None

    def terms(self, w: Loop, nptype: Dtype) -> Vector:
        """Return over how many elements a mean spreads what comes back to it; how many rows there are, the run says."""
        assert w.item is not None
        step, code = w.item.step, self.f.code
        sizes, rows = self.module.specs[step.output].sizes, w.item.axes[0]
        over = over_axes(step.node.attrs["axis"], len(sizes))
        count = math.prod([sizes[a] for a in over if a != rows])
        if rows not in over:
            return code.constant(count, nptype)
        one = scalar(nptype)
        total = code.pure(f"mul i64 %n, {count}")
        return Vector(code, code.spread(code.pure(f"sitofp i64 {total} to {one}"), one), nptype)

    # --- sums over the rows ---

    def mask(self) -> str:
        """Return which lanes hold rows that there are."""
        f, lanes = self.f, self.f.code.lanes
        kind = f"<{lanes} x i64>"
        index, beside, k = self.v
        begin = f.total([(index, beside * lanes)])
        if k:
            begin = f.code.pure(f"add i64 {begin}, {k * lanes}")
        lane = ", ".join(f"i64 {k}" for k in range(lanes))
        at = f.once(("rows", begin), f"add {kind} {f.code.spread(begin, 'i64')}, <{lane}>")
        return f.once(("mask", at), f"icmp ult {kind} {at}, {f.code.spread('%valid', 'i64')}")

    def summed(self, w: Loop, x: Vector) -> None:
        """Join an element's rows to the vector that they are summed in."""
        assert w.at is not None
        f, join = self.f, self.module.read.sums[w.sum].step.node.op.layout.join
        lanes, size = f.code.lanes, x.dtype.itemsize
        first, terms = self.axes.terms(f, w.at, self.index, lanes * size)
        where = f.address("%t", terms, self.lanes.place(w.sum, lanes) + first)
        total = f.vector(where, x.dtype)
        none, kind = f.code.constant(neutral(join, x.dtype), x.dtype), f.code.type(x.dtype)
        there = f.code.let(f"select <{lanes} x i1> {self.mask()}, {kind} {x.name}, {kind} {none.name}")
        f.put(getattr(VECTORS, join)(total, Vector(f.code, there, x.dtype)), where)


def _key(place: Place) -> object:
    return id(place.source), place.at.tobytes(), place.number, place.nptype
