"""The text of a pass: a function for each group of work, and the one that takes tiles through them."""

from __future__ import annotations

from wengert.execute.native.elementwise import Lanes, looped
from wengert.execute.native.function import Function
from wengert.execute.native.module import ARGUMENTS, PANEL, ZEROS, Module
from wengert.execute.native.moves import copied, fetched, kept, narrowed
from wengert.execute.native.outers import summed_products
from wengert.execute.native.products import multiplied
from wengert.execute.native.schedule import Group
from wengert.execute.native.target import Target
from wengert.execute.native.work import Copy, Fetch, Keep, Loop, Narrow, Outer, Product, Read

__all__ = ["unit", "write"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def unit(read: Read, target: Target) -> int:
    """Return of what the rows of a tile are a multiple: three vectors of the narrowest floats that there are."""
    return PANEL * (target.bytes // read.narrowest())


def write(module: Module, groups: list[Group]) -> None:
    """Write the functions of a pass, of which ``pass`` is the one to call: with a job, and a worker's number."""
    lanes = Lanes(module)
    tile = Function("tile", 1)
    for number, group in enumerate(groups):
        work, name = group.works[0], f"s{number}"
        if isinstance(work, Product):
            multiplied(module, tile, work)
        elif isinstance(work, Outer):
            summed_products(module, tile, work)
        else:
            if isinstance(work, Loop):
                looped(module, lanes, name, [w for w in group.works if isinstance(w, Loop)])
            elif isinstance(work, Copy):
                copied(module, name, work)
            elif isinstance(work, Narrow):
                narrowed(module, name, work)
            elif isinstance(work, Fetch):
                fetched(module, name, work)
            elif isinstance(work, Keep):
                kept(module, name, work)
            called(tile, name)
        module.current = None
    module.finish(tile)
    lanes.begun()
    lanes.ended()
    _entry(module)


def called(
    f: Function, name: str, tile: str = "%t", group: str = "%group", row: str = "%row", valid: str = "%valid", n: str = "%n"
) -> None:
    """Write a call of a function for a tile."""
    f.code.write(f"  call void @{name}(ptr {tile}, ptr %job, i64 {row}, i64 {valid}, i64 {n}, i64 {group})")


def _entry(module: Module) -> None:
    """Write the function that takes groups of tiles as long as there are any."""
    f = Function("pass", 1)
    numbers = {name: f.code.let(f"load i64, ptr {f.address('%job', (), 8 * k)}") for k, name in enumerate(ARGUMENTS) if k}
    far = f.code.let(f"mul i64 %worker, {numbers['stride']}")
    at = f.code.let(f"add i64 {numbers['scratch']}, {far}")
    t = f.code.let(f"inttoptr i64 {at} to ptr")
    module.zeroed(f, t, ZEROS * module.rows)
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
    called(f, "begin", t, group, "0", "0", n)
    with f.loop(count) as k:
        tile = f.code.let(f"add i64 {first}, {k}")
        row = f.code.let(f"mul i64 {tile}, {module.rows}")
        left = f.code.let(f"sub i64 {n}, {row}")
        valid = f.code.let(f"call i64 @llvm.umin.i64(i64 {left}, i64 {module.rows})")
        called(f, "tile", t, group, row, valid, n)
    called(f, "end", t, group, "0", "0", n)
    f.code.write(f"  br label %{head}")
    f.begin(done)
    module.finish(f, "(ptr %job, i64 %worker)", "")
