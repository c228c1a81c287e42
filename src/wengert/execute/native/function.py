"""A function under construction: loops, and addresses that are sums of a loop's numbers times constants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wengert.execute.native.code import Code, Vector, scalar
from wengert.ground.blocks import Raised
from wengert.ground.types import Dtype, NumPyArray

__all__ = ["Carried", "Function", "Term"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


Term = tuple[str, int]
"""The name of a loop's number, and what it is multiplied by."""


class Function:
    """The text of one function: its code, its loops, and tables of whole numbers that it looks into."""

    def __init__(self, name: str, lanes: int) -> None:
        """Begin with nothing; ``name``: of the function, by which its tables are named too."""
        self.name = name
        self.code = Code(lanes)
        self.tables: dict[str, str] = {}
        self.once, self.label, self.begin, self.scopes = self.code.once, self.code.label, self.code.begin, self.code.scopes

    @contextmanager
    def loop(self, count: int | str) -> Iterator[str]:
        """Do what the with block writes for each number from 0; ``count``: how many, at least one."""
        with self.carried(count, (), "") as carried:
            yield carried.index

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """Do what the with block writes where a condition holds."""
        yes, done = self.label(), self.label()
        self.code.write(f"  br i1 {condition}, label %{yes}, label %{done}")
        self.begin(yes)
        self.scopes.append({})
        yield
        self.scopes.pop()
        self.code.write(f"  br label %{done}")
        self.begin(done)

    def carried(self, count: int | str, first: Sequence[str], kind: str) -> Carried:
        """Return a loop that carries values of a type from turn to turn."""
        return Carried(self, count, first, kind)

    def total(self, terms: Sequence[Term]) -> str:
        """Return the sum of numbers times constants."""
        kept = tuple(sorted((name, k) for name, k in terms if k and name != "0"))
        if not kept:
            return "0"
        parts = [name if k == 1 else self.once(("mul", name, k), f"mul nsw i64 {name}, {k}") for name, k in kept]
        total = parts[0]
        for j in range(1, len(parts)):
            total = self.once(("sum", kept[: j + 1]), f"add nsw i64 {total}, {parts[j]}")
        return total

    def address(self, base: str, terms: Sequence[Term], constant: int = 0) -> str:
        """Return the address so many bytes after a base."""
        moving = self.total(terms)
        if moving != "0":
            base = self.once(("at", base, moving), f"getelementptr i8, ptr {base}, i64 {moving}")
        return base if constant == 0 else self.once(("at", base, constant), f"getelementptr i8, ptr {base}, i64 {constant}")

    def looked_up(self, numbers: NumPyArray, terms: Sequence[Term]) -> str:
        """Return the number at an index of a table, a constant of the module."""
        name = f"@{self.name}.t{len(self.tables)}"
        text = ", ".join(f"i64 {int(k)}" for k in numbers.ravel())
        for known, body in self.tables.items():
            if body == f"[{numbers.size} x i64] [{text}]":
                name = known
        self.tables[name] = f"[{numbers.size} x i64] [{text}]"
        where = self.once(("at", name, self.total(terms)), f"getelementptr i64, ptr {name}, i64 {self.total(terms)}")
        return self.once(("load", where), f"load i64, ptr {where}")

    # --- memory ---

    def vector(self, pointer: str, nptype: Dtype) -> Vector:
        """Load a vector; a truth value is a byte."""
        code = self.code
        if nptype.kind == "b":
            raw = code.let(f"load <{code.lanes} x i8>, ptr {pointer}, align 1")
            return Vector(code, code.let(f"icmp ne <{code.lanes} x i8> {raw}, zeroinitializer"), nptype)
        return Vector(code, code.let(f"load {code.type(nptype)}, ptr {pointer}, align {nptype.itemsize}"), nptype)

    def put(self, value: Vector, pointer: str) -> None:
        """Store a vector."""
        code, nptype = self.code, value.dtype
        kind, name = code.type(nptype), value.name
        if nptype.kind == "b":
            kind, name = f"<{code.lanes} x i8>", code.let(f"zext {kind} {name} to <{code.lanes} x i8>")
        code.write(f"  store {kind} {name}, ptr {pointer}, align {nptype.itemsize}")

    def splat(self, pointer: str, nptype: Dtype) -> Vector:
        """Load one number into all lanes."""
        code, one = self.code, scalar(nptype)
        if nptype.kind == "b":
            one = "i8"
        x = code.let(f"load {one}, ptr {pointer}, align {nptype.itemsize}")
        x = code.spread(x, one)
        if nptype.kind == "b":
            x = code.let(f"icmp ne <{code.lanes} x {one}> {x}, zeroinitializer")
        return Vector(code, x, nptype)

    def text(self, head: str) -> str:
        """Return the whole text; ``head``: all before the brace."""
        return "\n".join([f"{head} {{", "entry:", *self.code.lines, "  ret void", "}", ""])


class Carried:
    """A loop that carries values: ``values`` at the beginning of a turn, in the with block; after it, those of the last turn."""

    def __init__(self, function: Function, count: int | str, first: Sequence[str], kind: str) -> None:
        self.function, self.count, self.first, self.kind = function, count, list(first), kind
        self.values = list(first)
        self.index = "0"

    def __enter__(self) -> Carried:
        f = self.function
        f.scopes.append({})
        if self.count == 1:
            return self
        self.head, self.latch, self.done = f.label(), f.label(), f.label()
        before = f.code.block
        f.code.write(f"  br label %{self.head}")
        f.begin(self.head)
        self.index = f"%i.{self.head}"
        f.code.write(f"  {self.index} = phi i64 [ 0, %{before} ], [ %n.{self.head}, %{self.latch} ]")
        self.values = []
        for k, first in enumerate(self.first):
            f.code.write(f"  %c{k}.{self.head} = phi {self.kind} [ {first}, %{before} ], [ %d{k}.{self.head}, %{self.latch} ]")
            self.values.append(f"%c{k}.{self.head}")
        return self

    def __exit__(self, *error: Raised) -> None:
        f = self.function
        f.scopes.pop()
        if self.count == 1:
            return
        f.code.write(f"  br label %{self.latch}")
        f.begin(self.latch)
        for k, value in enumerate(self.values):  # a name that the beginning of the loop knows
            f.code.write(f"  %d{k}.{self.head} = select i1 true, {self.kind} {value}, {self.kind} {value}")
        f.code.write(f"  %n.{self.head} = add nuw nsw i64 {self.index}, 1")
        more = f.code.let(f"icmp ult i64 %n.{self.head}, {self.count}")
        f.code.write(f"  br i1 {more}, label %{self.head}, label %{self.done}")
        f.begin(self.done)
        self.values = [f"%d{k}.{self.head}" for k in range(len(self.values))]
