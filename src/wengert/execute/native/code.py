"""LLVM's text of a function: lines that are written one after another, and vectors as values of Python.

A `Vector` holds the rows of one element of a value, one row in each lane. Its operators write instructions, so that whatever is
written for arrays, an operation's own kernel included, writes the code for the rows of a tile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.ground.types import Dtype

__all__ = ["Code", "NoForm", "Vector"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


Key = str | tuple[str | int | tuple[tuple[str, int], ...], ...]
"""By what a value is found that has been computed already."""


class NoForm(Exception):
    """Something has no form in machine code; the text says what."""


INTEGERS = {1: "i8", 2: "i16", 4: "i32", 8: "i64"}
FLOATS = {4: "float", 8: "double"}


def scalar(nptype: Dtype) -> str:
    """Return LLVM's name of a type of numbers, as a lane holds it: a truth value is one bit."""
    kind, size = nptype.kind, nptype.itemsize
    if kind == "b":
        return "i1"
    names = FLOATS if kind == "f" else INTEGERS if kind in "iu" else {}
    if size not in names:
        raise NoForm(f"numbers of dtype {nptype.name}")
    return names[size]


def literal(value: float, nptype: Dtype) -> str:
    """Return a number as LLVM writes it: floats by their bits (those of a float32 as the bits of the equal double)."""
    exact: Any = nptype.type(value)
    if nptype.kind == "f":
        return "0x" + struct.pack(">d", float(exact)).hex().upper()
    return str(int(exact))


class Code:
    """The text of one function, for vectors of some number of lanes."""

    def __init__(self, lanes: int) -> None:
        """Begin with nothing; ``lanes``: of every vector, whatever its numbers (LLVM splits those that are too wide)."""
        self.lanes = lanes
        self.lines: list[str] = []
        self.declared: dict[str, None] = {}
        """Declarations that the text needs, in the order of their first use."""
        self.helpers: dict[str, str] = {}
        """Functions that the text calls, by name."""
        self.block = "entry"
        """The label of the block that is being written."""
        self.scopes: list[dict[Key, str]] = [{}]
        """What has been computed already, by what it is: of the function, and of each block within a block."""
        self.flags = "contract "
        """Of additions and multiplications: whether a product and a sum may be rounded once, as one."""
        self._count = 0

    def write(self, line: str) -> None:
        """Write a line."""
        self.lines.append(line)

    def let(self, right: str) -> str:
        """Write an instruction that has a result, and return the result's name."""
        self._count += 1
        name = f"%v{self._count}"
        self.lines.append(f"  {name} = {right}")
        return name

    def once(self, key: Key, right: str) -> str:
        """Return an instruction's result, which is written if it is not to be seen from here yet."""
        for scope in reversed(self.scopes):
            if key in scope:
                return scope[key]
        found = self.scopes[-1][key] = self.let(right)
        return found

    def pure(self, right: str) -> str:
        """Return the result of an instruction that reads no memory."""
        return self.once(right, right)

    def label(self) -> str:
        """Return a new label."""
        self._count += 1
        return f"b{self._count}"

    def begin(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.block = label

    def rarely(self, rare: Vector, found: Vector, instead: str) -> Vector:
        """Return a value, or what an instruction gives instead if any lane of a truth value holds."""
        kind = self.type(found.dtype)
        bits = self.let(f"bitcast {self.type(rare.dtype)} {rare.name} to i{self.lanes}")
        some = self.let(f"icmp ne i{self.lanes} {bits}, 0")
        before, taken, done = self.block, self.label(), self.label()
        self.write(f"  br i1 {some}, label %{taken}, label %{done}, !prof !0")
        self.begin(taken)
        other = self.let(instead)
        self.write(f"  br label %{done}")
        self.begin(done)
        return Vector(self, self.let(f"phi {kind} [ {found.name}, %{before} ], [ {other}, %{taken} ]"), found.dtype)

    def type(self, nptype: Dtype) -> str:
        """Return the type of a vector of numbers."""
        return f"<{self.lanes} x {scalar(nptype)}>"

    def constant(self, value: float, nptype: Dtype) -> Vector:
        """Return a vector that has one number in all lanes."""
        return Vector(self, f"splat ({scalar(nptype)} {literal(value, nptype)})", nptype)

    def spread(self, number: str, kind: str) -> str:
        """Return a vector, by its name, that has a number of a type in all lanes."""
        vector = f"<{self.lanes} x {kind}>"
        first = self.pure(f"insertelement {vector} poison, {kind} {number}, i64 0")
        return self.pure(f"shufflevector {vector} {first}, {vector} poison, <{self.lanes} x i32> zeroinitializer")

    def call(self, name: str, nptype: Dtype, *values: Vector) -> Vector:
        """Call an intrinsic that is overloaded by the type of its first operand (``llvm.fma``), and return the result."""
        result = self.type(nptype)
        suffix = f"v{self.lanes}{_mangled(values[0].dtype)}"
        types = ", ".join(self.type(v.dtype) for v in values)
        self.declared[f"declare {result} @{name}.{suffix}({types})"] = None
        operands = ", ".join(f"{self.type(v.dtype)} {v.name}" for v in values)
        return Vector(self, self.pure(f"call {result} @{name}.{suffix}({operands})"), nptype)

    @contextmanager
    def exactly(self) -> Iterator[None]:
        """Round each addition and each multiplication for itself in the with block, but for those written as `Vector.fma`."""
        before, self.flags = self.flags, ""
        try:
            yield
        finally:
            self.flags = before


def _mangled(nptype: Dtype) -> str:
    name = scalar(nptype)
    return {"float": "f32", "double": "f64"}.get(name, name)


COMPARED = {"eq": "oeq", "ne": "une", "lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge"}
WEAK = (bool, int, float, np.bool_)


class Vector:
    """A vector of a function's code: a dtype, and LLVM's name of the value. Python's operators write instructions.

    Numbers of Python take the vector's dtype, as they do in NumPy.
    """

    __slots__ = ("code", "dtype", "name")
    __array_ufunc__ = None  # a scalar of NumPy's on the left leaves the operation to the vector

    def __init__(self, code: Code, name: str, dtype: Dtype) -> None:
        """Take a value of the code."""
        self.code, self.name, self.dtype = code, name, dtype

    def like(self, value: Vector | float) -> Vector:
        """Return a number as a vector of this dtype; a vector as it is."""
        return value if isinstance(value, Vector) else self.code.constant(value, self.dtype)

    def pair(self, other: Vector | float) -> tuple[Vector, Vector]:
        """Return this and another operand as vectors of one dtype."""
        if not isinstance(other, Vector):
            kind = np.result_type(other).kind
            rank = "biuf"
            if kind not in rank or rank.index(kind) > rank.index(self.dtype.kind) + (self.dtype.kind == "i"):
                raise NoForm(f"a number of kind {kind} with {self.dtype.name}")
            return self, self.like(other)
        wide = np.result_type(self.dtype, other.dtype)
        return self.to(wide), other.to(wide)

    def _binary(self, floating: str, integer: str, other: Vector | float, flipped: bool = False) -> Vector:
        x, y = self.pair(other)
        if flipped:
            x, y = y, x
        if floating in ("fadd", "fmul") and x.name > y.name:  # the same text for the same value
            x, y = y, x
        if x.dtype.kind == "f":
            flags = x.code.flags if integer else ""
            return Vector(x.code, x.code.pure(f"{floating} {flags}{x.code.type(x.dtype)} {x.name}, {y.name}"), x.dtype)
        if not integer or x.dtype.kind == "b":
            raise NoForm(f"{floating} of {x.dtype.name}")
        return Vector(x.code, x.code.pure(f"{integer} {x.code.type(x.dtype)} {x.name}, {y.name}"), x.dtype)

    def __add__(self, other: Vector | float) -> Vector:
        return self._binary("fadd", "add", other)

    def __radd__(self, other: Vector | float) -> Vector:
        return self._binary("fadd", "add", other, True)

    def __sub__(self, other: Vector | float) -> Vector:
        return self._binary("fsub", "sub", other)

    def __rsub__(self, other: Vector | float) -> Vector:
        return self._binary("fsub", "sub", other, True)

    def __mul__(self, other: Vector | float) -> Vector:
        return self._binary("fmul", "mul", other)

    def __rmul__(self, other: Vector | float) -> Vector:
        return self._binary("fmul", "mul", other, True)

    def __truediv__(self, other: Vector | float) -> Vector:
        return self._binary("fdiv", "", other)

    def __rtruediv__(self, other: Vector | float) -> Vector:
        return self._binary("fdiv", "", other, True)

    def __pos__(self) -> Vector:
        return self

    def __neg__(self) -> Vector:
        code, kind = self.code, self.dtype.kind
        if kind == "f":
            return Vector(code, code.pure(f"fneg {code.type(self.dtype)} {self.name}"), self.dtype)
        return code.constant(0, self.dtype) - self

    def _compare(self, word: str, other: Vector | float) -> Vector:
        x, y = self.pair(other)
        code = x.code
        if x.dtype.kind == "f":
            right = f"fcmp {COMPARED[word]} {code.type(x.dtype)} {x.name}, {y.name}"
        else:
            sign = "" if word in ("eq", "ne") else "s" if x.dtype.kind == "i" else "u"
            right = f"icmp {sign}{word} {code.type(x.dtype)} {x.name}, {y.name}"
        return Vector(code, code.pure(right), np.dtype(bool))

    def __eq__(self, other: Vector | float) -> Vector:  # type: ignore[override]
        return self._compare("eq", other)

    def __ne__(self, other: Vector | float) -> Vector:  # type: ignore[override]
        return self._compare("ne", other)

    def __lt__(self, other: Vector | float) -> Vector:
        return self._compare("lt", other)

    def __le__(self, other: Vector | float) -> Vector:
        return self._compare("le", other)

    def __gt__(self, other: Vector | float) -> Vector:
        return self._compare("gt", other)

    def __ge__(self, other: Vector | float) -> Vector:
        return self._compare("ge", other)

    __hash__ = None  # type: ignore[assignment]

    def _bits(self, word: str, other: Vector | float) -> Vector:
        x, y = self.pair(other)
        if x.dtype.kind == "f":
            raise NoForm(f"bits of {x.dtype.name}")
        return Vector(x.code, x.code.pure(f"{word} {x.code.type(x.dtype)} {x.name}, {y.name}"), x.dtype)

    def __and__(self, other: Vector | float) -> Vector:
        return self._bits("and", other)

    def __or__(self, other: Vector | float) -> Vector:
        return self._bits("or", other)

    def __xor__(self, other: Vector | float) -> Vector:
        return self._bits("xor", other)

    def __invert__(self) -> Vector:
        return self._bits("xor", True if self.dtype.kind == "b" else -1)

    def shifted(self, bits: int) -> Vector:
        """Return integers shifted to the left; a negative number of bits shifts to the right, with the sign if there is one."""
        word = "shl" if bits >= 0 else "ashr" if self.dtype.kind == "i" else "lshr"
        code = self.code
        return Vector(code, code.pure(f"{word} {code.type(self.dtype)} {self.name}, {self.like(abs(bits)).name}"), self.dtype)

    def __bool__(self) -> bool:
        raise NoForm("a choice in Python by values")

    def __index__(self) -> int:
        raise NoForm("an index in Python by values")

    def fma(self, y: Vector | float, z: Vector | float) -> Vector:
        """Return x y + z, rounded once."""
        return self.code.call("llvm.fma", self.dtype, self, self.like(y), self.like(z))

    def choose(self, yes: Vector, no: Vector) -> Vector:
        """Return, where this truth value holds, the first, else the second."""
        code = self.code
        kind = code.type(yes.dtype)
        return Vector(
            code, code.pure(f"select {code.type(self.dtype)} {self.name}, {kind} {yes.name}, {kind} {no.name}"), yes.dtype
        )

    def as_bits(self, dtype: Dtype) -> Vector:
        """Return the same bits as numbers of another dtype of the same size."""
        code = self.code
        return Vector(code, code.pure(f"bitcast {code.type(self.dtype)} {self.name} to {code.type(dtype)}"), dtype)

    def to(self, dtype: Dtype) -> Vector:
        """Convert: floats to integers are cut."""
        if dtype == self.dtype:
            return self
        source, target = self.dtype, dtype
        code = self.code
        if target.kind == "b":
            return self != 0
        if source.kind == "b":
            word = "uitofp" if target.kind == "f" else "zext"
        elif source.kind == "f":
            if target.kind == "f":
                word = "fpext" if target.itemsize > source.itemsize else "fptrunc"
            elif target.kind == "i":
                word = "fptosi"
            else:
                raise NoForm(f"a cast from {source.name} to {target.name}")
        elif target.kind == "f":
            word = "sitofp" if source.kind == "i" else "uitofp"
        elif target.itemsize == source.itemsize:
            return Vector(code, self.name, target)
        elif target.itemsize < source.itemsize:
            word = "trunc"
        else:
            word = "sext" if source.kind == "i" else "zext"
        return Vector(code, code.pure(f"{word} {code.type(source)} {self.name} to {code.type(target)}"), target)
