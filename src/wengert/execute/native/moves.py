"""Work that moves elements: to and from whole arrays, and to new places; and reductions within the rows."""

from __future__ import annotations

import numpy as np

from wengert.execute.native.arrays import VECTORS
from wengert.execute.native.code import Vector, scalar
from wengert.execute.native.function import Function
from wengert.execute.native.indices import Table
from wengert.execute.native.module import PANEL, Module
from wengert.execute.native.work import Buffer, Copy, Fetch, Keep, Narrow, Shared
from wengert.ground.types import Dtype, NumPyArray

__all__ = ["copied", "fetched", "kept", "narrowed"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def narrowed(module: Module, name: str, work: Narrow) -> None:
    """Write a reduction within the rows."""
    place, out = work.reads[0], work.makes[0]
    nptype, size, source = place.nptype, place.nptype.itemsize, place.source
    f = module.function(name, [nptype])
    vector = f.code.lanes * size
    elements, inner = place.at.shape
    table = Table(f, place.at)

    def term(e: str, k: str, k0: int, v: str, p: int) -> Vector:
        if source is None:
            return f.code.constant(place.number, nptype)
        begin, terms = table.terms((e, k), (0, k0), (1, 1), size if isinstance(source, Shared) else size * module.rows)
        if isinstance(source, Shared):
            return f.splat(f.address(module.given(f, place), terms, begin), nptype)
        return f.vector(f.address("%t", [*terms, (v, PANEL * vector)], begin + module.begins(source) + p * vector), nptype)

    join = getattr(VECTORS, work.join)
    with f.loop(elements) as e, f.loop(module.rows // f.code.lanes // PANEL) as v:
        totals = [term(e, "0", 0, v, p) for p in range(PANEL)]
        if inner > 1:
            with f.carried(inner - 1, [x.name for x in totals], f.code.type(nptype)) as loop:
                parts = [Vector(f.code, x, nptype) for x in loop.values]
                loop.values = [join(x, term(e, loop.index, 1, v, p)).name for p, x in enumerate(parts)]
            totals = [Vector(f.code, x, nptype) for x in loop.values]
        for p, total in enumerate(totals):
            found = total / work.terms if work.terms != 1 else total
            moving = [(e, size * module.rows), (v, PANEL * vector)]
            f.put(found, f.address("%t", moving, module.begins(out) + p * vector))
    module.finish(f)


def copied(module: Module, name: str, work: Copy) -> None:
    """Write elements put together."""
    out = work.makes[0]
    row = out.nptype.itemsize * module.rows
    places: list[int] = []
    for place in work.reads:
        assert isinstance(place.source, Buffer)
        places.extend(module.begins(place.source) + int(k) * row for k in place.at.ravel())
    picks = [0 if k < 0 else places[k] for k in work.picks.ravel()]  # the memory of a tile begins with zeros
    f = Function(name, 1)
    table = Table(f, np.asarray(picks))
    with f.loop(len(picks)) as e:
        begin, terms = table.terms([e], [0], [1], 1)
        module.moved(f, f.address("%t", [(e, row)], module.begins(out)), f.address("%t", terms, begin), row)
    module.finish(f)


def fetched(module: Module, name: str, work: Fetch) -> None:
    """Write how rows are taken from a whole array."""
    out, f = work.makes[0], Function(name, 1)
    if out.offset >= 0:
        at = np.arange(out.elements).reshape(work.before, work.after)
        _between(module, f, module.loads[work.load], out.nptype, at, out, True)
    module.finish(f)


def kept(module: Module, name: str, work: Keep) -> None:
    """Write how rows are put into a whole array."""
    place, f = work.reads[0], Function(name, 1)
    assert isinstance(place.source, Buffer)
    at = place.at.reshape(work.before, work.after)
    _between(module, f, module.stores[work.store], place.nptype, at, place.source, False)
    module.finish(f)


def _between(module: Module, f: Function, slot: int, nptype: Dtype, at: NumPyArray, buffer: Buffer, taken: bool) -> None:
    """Move rows between a whole array, of shape (before, n, after), and the elements of a buffer that ``at`` names."""
    size = nptype.itemsize
    kind = "i8" if nptype.kind == "b" else scalar(nptype)
    array = module.pointer(f, slot)
    table = Table(f, at)
    before, after = at.shape
    line = f.once("line", f"mul i64 %n, {after * size}")
    with f.loop(before) as a, f.loop(after) as b:
        begin, terms = table.terms((a, b), (0, 0), (1, 1), size * module.rows)
        inside = f.address("%t", terms, begin + module.begins(buffer))
        far = f.once(("far", a), f"mul i64 {a}, {line}")
        outside = f.address(array, [(far, 1), (b, size), ("%row", after * size)])
        if after == 1:  # the rows lie side by side there too
            target, source = (inside, outside) if taken else (outside, inside)
            module.moved(f, target, source, f.once("count", f"mul i64 %valid, {size}"))
        else:
            with f.loop("%valid") as r:
                here, there = f.address(inside, [(r, size)]), f.address(outside, [(r, after * size)])
                x = f.code.let(f"load {kind}, ptr {there if taken else here}, align {size}")
                f.code.write(f"  store {kind} {x}, ptr {here if taken else there}, align {size}")
