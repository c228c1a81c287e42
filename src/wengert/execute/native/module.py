"""The text of a pass under construction: its functions, where its values lie in memory, and what a job says of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wengert.execute.native.code import literal, scalar
from wengert.execute.native.function import Function
from wengert.execute.native.indices import Table
from wengert.execute.native.target import ATTRIBUTES, Target
from wengert.execute.native.totals import Totals
from wengert.execute.native.work import Buffer, Place, Read
from wengert.execute.tiles.cut import Item, Spec
from wengert.ground.types import Dtype

__all__ = ["ARGUMENTS", "PANEL", "ZEROS", "Module"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

PANEL = 3
"""Vectors of rows for which a product is computed at once."""
ARGUMENTS = ("counter", "groups", "per", "n", "tiles", "scratch", "stride")
"""The whole numbers at the beginning of a job; addresses follow: of what is loaded, stored and shared, and of sums."""
SIGNATURE = "(ptr noalias %t, ptr %job, i64 %row, i64 %valid, i64 %n, i64 %group)"
"""Of the functions for a tile: its memory, the job, the tile's first row, how many rows it has, all rows, the tile's group."""
ZEROS = 8
"""Bytes for each row at the beginning of a tile's memory, which are always zero."""


class Module:
    """What the functions of a pass share."""

    def __init__(self, read: Read, peak: int, target: Target, rows: int, specs: dict[int, Spec]) -> None:
        """Take what the pass is, how many bytes a row takes, for which processor, and how many rows a tile has."""
        self.read, self.target, self.rows, self.specs = read, target, rows, specs
        self.narrowest = read.narrowest()
        self.pieces: list[str] = []
        self.declared: dict[str, None] = {}
        self.helpers: dict[str, str] = {}
        self.kernels: dict[object, str] = {}
        """Functions that several works share, by what they do."""
        self.current: Item | None = None
        """The item that is being written."""
        at = len(ARGUMENTS)
        self.loads = {load: at + k for k, load in enumerate(read.loads)}
        at += len(read.loads)
        self.stores = {store: at + k for k, store in enumerate(read.stores)}
        at += len(read.stores)
        self.shared = {slot: at + k for k, slot in enumerate(read.shared)}
        self.sums = at + len(read.shared)
        self.totals = Totals(read.sums, specs)
        self.strides = list(self.totals.strides())
        self.arguments = self.sums + len(self.totals.widths)
        """How many whole numbers a job is."""
        self.memory = -(-(ZEROS + peak) * rows // 64) * 64
        """Bytes that a worker needs; the vectors in which lanes are summed come last."""

    def text(self) -> str:
        """Return the module's text."""
        attributes = f"attributes #0 = {{ {ATTRIBUTES} }}"
        rarely = '!0 = !{!"branch_weights", i32 1, i32 100000}'
        return "\n".join([*self.declared, *self.helpers.values(), *self.pieces, attributes, rarely, ""])

    def function(self, name: str, nptypes: Sequence[Dtype]) -> Function:
        """Begin a function whose vectors have the lanes of its narrowest floats, without any those of the pass's."""
        sizes = [t.itemsize for t in nptypes if t.kind == "f"]
        return Function(name, self.target.bytes // min(sizes, default=self.narrowest))

    def finish(self, function: Function, signature: str = SIGNATURE, kind: str = "internal ") -> None:
        """Keep a function's text."""
        self.declared.update(function.code.declared)
        self.helpers.update(function.code.helpers)
        self.pieces.extend(f"{name} = internal constant {body}" for name, body in function.tables.items())
        self.pieces.append(function.text(f"define {kind}void @{function.name}{signature} #0"))

    def begins(self, buffer: Buffer) -> int:
        """Return where a buffer begins in the memory of a tile, in bytes."""
        return (ZEROS + buffer.offset) * self.rows

    def pointer(self, f: Function, slot: int) -> str:
        """Return an address that the job holds."""
        where = f.address("%job", (), 8 * slot)
        return f.once(("pointer", slot), f"load ptr, ptr {where}, align 8")

    def given(self, f: Function, place: Place) -> str:
        """Return the address at which the source of a place begins."""
        source = place.source
        assert source is not None
        return (
            f.address("%t", (), self.begins(source)) if isinstance(source, Buffer) else self.pointer(f, self.shared[source.slot])
        )

    def part(self, f: Function, number: int) -> str:
        """Return the address of a group's part of a sum."""
        block, begin, stride = self.strides[number]
        return f.address(self.pointer(f, self.sums + block), [("%group", stride)], begin)

    def moved(self, f: Function, target: str, source: str, count: int | str) -> None:
        """Copy bytes."""
        f.code.declared["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"] = None
        f.code.write(f"  call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {count}, i1 false)")

    def zeroed(self, f: Function, target: str, count: int) -> None:
        """Write so many bytes of zeros."""
        f.code.declared["declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"] = None
        f.code.write(f"  call void @llvm.memset.p0.i64(ptr {target}, i8 0, i64 {count}, i1 false)")

    def cleared(self, f: Function, base: str, place: Place) -> None:
        """Write zeros where a tile has no rows."""
        nptype = place.nptype
        table = Table(f, np.unique(place.at))
        rest = f.once("rest", f"sub i64 {self.rows}, %valid")
        with f.loop(table.at.size) as e, f.loop(rest) as r:
            begin, terms = table.terms([e], [0], [1], nptype.itemsize * self.rows)
            where = f.address(base, [*terms, (r, nptype.itemsize), ("%valid", nptype.itemsize)], begin)
            f.code.write(f"  store {scalar(nptype)} {literal(0, nptype)}, ptr {where}, align {nptype.itemsize}")
