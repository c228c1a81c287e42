"""The calls of a pass, bound to buffers: nothing is allocated in a run, and a call costs little more than NumPy's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.execute.tiles.cut import Item, Load, Mismatch, Spec, Store, kept_dims, lies_of, outputs_of
from wengert.execute.tiles.tile import Tile
from wengert.ground.types import Dtype, NumPyArray
from wengert.ops.layout import Lies

if TYPE_CHECKING:
    from wengert.execute.tiles.layout import Pass

__all__ = ["COPIED", "INNER", "NAMED", "OUT", "Binder", "Forms", "Into", "Late", "X", "ndarray"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

INNER = 512
"""Elements of a row up to which a shared row is spread over a tile beforehand: NumPy's inner loop runs along one row only."""
COPIED = 1 << 22
"""Bytes up to which a shared value is copied for a run; a larger one is handed over in each call."""


ndarray = np.ndarray
Sizes = tuple[int, ...]


class Late:
    """A shared value that is too large to copy, and is put in when it is known."""

    __slots__ = ("flipped", "value")

    def __init__(self, flipped: bool) -> None:
        self.flipped = flipped
        self.value: NumPyArray | None = None


Operand = NumPyArray | Late


class Forms:
    """The shared values in the forms in which calls read them: as they are, transposed, or spread over a tile."""

    def __init__(self) -> None:
        self.held: dict[Any, Any] = {}
        self.slots: dict[int, list[Any]] = {}

    def get(self, slot: int, spec: Spec, form: str, shape: Sizes | None = None) -> Any:
        """Return the array that a form is kept in."""
        key = (slot, form, shape)
        found = self.held.get(key)
        if found is None:
            sizes = spec.sizes if shape is None else shape
            if shape is None and math.prod(sizes) * spec.nptype.itemsize > COPIED:
                found = Late(form == "flipped")
            else:
                found = np.empty(sizes[::-1] if form == "flipped" else sizes, spec.nptype)
            self.held[key] = found
            self.slots.setdefault(slot, []).append((spec, form, found))
        return found

    def fill(self, slots: Sequence[Any]) -> None:
        """Take the values of a run, as far as they are there."""
        for slot, forms in self.slots.items():
            value = slots[slot]
            for spec, form, array in forms:
                if value.__class__ is not ndarray or value.shape != spec.sizes or value.dtype != spec.nptype:
                    raise Mismatch
                turned = value.T if form == "flipped" else value
                if array.__class__ is Late:
                    array.value = turned
                else:
                    np.copyto(array, turned)

    def release(self) -> None:
        """Hold on to no array of a run."""
        for found in self.held.values():
            if found.__class__ is Late:
                found.value = None


def _late(function: Callable[..., object], arguments: Sequence[Any]) -> None:
    function(*[a.value if a.__class__ is Late else a for a in arguments])


def _generic(kernel: Callable[..., Any], out: NumPyArray, *values: NumPyArray) -> None:
    found = kernel(*values)
    if found.shape != out.shape:
        raise Mismatch
    np.copyto(out, found)


def _several(kernel: Callable[..., Any], outs: Sequence[NumPyArray], *values: NumPyArray) -> None:
    for out, found in zip(outs, kernel(*values), strict=True):
        if found.shape != out.shape:
            raise Mismatch
        np.copyto(out, found)


def _load(out: NumPyArray, views: Sequence[Any], k: int) -> None:
    np.copyto(out, views[k])


def _store(value: NumPyArray, views: Sequence[Any], k: int) -> None:
    np.copyto(views[k], value)


def _choose(out: NumPyArray, test: NumPyArray, yes: NumPyArray, no: NumPyArray) -> None:
    np.copyto(out, no)
    np.copyto(out, yes, where=test)


def _cast(out: NumPyArray, x: NumPyArray) -> None:
    np.copyto(out, x, casting="unsafe")


def _maximum(x: NumPyArray, y: NumPyArray, out: NumPyArray) -> None:
    np.maximum(x, y, out=out)


def _minimum(x: NumPyArray, y: NumPyArray, out: NumPyArray) -> None:
    np.minimum(x, y, out=out)


NAMED: dict[Any, Any] = {np.maximum: _maximum, np.minimum: _minimum}
"""Those that take the place of their result by name alone."""


Allocate = Callable[[Sizes, Dtype, Sequence[Operand]], NumPyArray]
"""What gives a buffer for a result, which may be written over one of some operands."""


class Binder(Tile):
    """Makes the calls of a pass for tiles of some number of rows."""

    def __init__(
        self, pass_: Pass, rows: int, allocate: Allocate, forms: Forms, read: Callable[[NumPyArray], None] | None = None,
        parts: Sequence[NumPyArray] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(pass_, rows)
        self.allocate, self.forms = allocate, forms
        self.noted = read
        self.values: dict[Any, Any] = {}
        self.first: list[Any] = []
        """The calls for a tile that begins a group."""
        self.later: list[Any] = []
        """Those for one that adds to it."""
        self.views: list[Any] = [None] * (len(pass_.loads) + len(pass_.stores))
        """The rows of the tile in the whole arrays that are read and written."""
        self.parts = parts
        self.scratch: dict[Any, Any] = {}
        self.loaded = self.stored = self.summed = 0

    def do(self, work: Item | Load | Store) -> None:
        """Make the calls for one thing to do."""
        if isinstance(work, Load):
            spec = self.pass_.specs[work.slot]
            out = self.allocate(spec.tile(work.axis, self.rows), spec.nptype, ())
            self.values[work] = out
            self.call(_load, out, self.views, self.loaded)
            self.loaded += 1
        elif isinstance(work, Store):
            value = self.values[work.slot]
            self.note(value)
            self.call(_store, value, self.views, len(self.pass_.loads) + self.stored)
            self.stored += 1
        elif work.role == "sum":
            self.sum(work)
        else:
            self.step(work)

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call this for every tile."""
        made = self.bound(function, arguments)
        self.first.append(made)
        self.later.append(made)

    def bound(self, function: Callable[..., object], arguments: Sequence[Any]) -> Any:
        """Return a call of a function with these arguments, some of which may be known late."""
        if isinstance(function, np.ufunc):
            function = NAMED.get(function, function)
        if any(a.__class__ is Late for a in arguments):
            return partial(_late, function, tuple(arguments))
        return partial(function, *arguments)

    def note(self, *arrays: Operand) -> None:
        """Tell whoever plans the buffers that arrays are read."""
        if self.noted is not None:
            for a in arrays:
                if a.__class__ is ndarray:
                    self.noted(a)

    def value(self, item: Item, p: int, form: str = "plain", shape: Sizes | None = None) -> Any:
        """Return what an input is in a tile: rows, or a shared value in a form."""
        slot = item.step.inputs[p]
        if p in item.slices:
            found = self.values[slot if slot in self.pass_.made else Load(slot, item.slices[p])]
            self.note(found)
            return found
        return self.forms.get(slot, self.pass_.specs[slot], form, shape)

    # --- row steps ----------------------------------------------------------------------------------------------------

    def step(self, item: Item) -> None:
        """Make the calls of a row step."""
        node = item.step.node
        op, lies, attrs = node.op, lies_of(node.op), node.attrs
        specs, shapes = self.outputs(item)
        if lies is Lies.SAME:
            x = self.value(item, 0)
            return self.view(item, [x.reshape(shapes[0])], x, shapes, specs)
        if lies is Lies.FILLED:
            self.values[item.step.output] = np.broadcast_to(np.asarray(op.layout.value, specs[0].nptype), shapes[0])
            return None
        if lies is Lies.SPREAD and not op.layout.mean:
            return self.spread(item, self.value(item, 0), shapes[0])
        if lies is Lies.SPREAD:
            x, spec = self.value(item, 0), self.pass_.specs[item.step.inputs[0]]
            small = self.allocate(x.shape, spec.nptype, ())
            self.call(np.divide, x, np.asarray(self.terms(item), spec.nptype), small)
            return self.spread(item, small, shapes[0])
        if lies is Lies.VIEW:
            x = self.value(item, 0)
            found = op.eager(x, *[self.dummy(item, p) for p in range(1, len(item.step.inputs))], **self.turned(item, attrs))
            return self.view(item, found if item.step.several else [found], x, shapes, specs)
        if item.step.several:
            outs = [self.allocate(shape, spec.nptype, ()) for shape, spec in zip(shapes, specs, strict=True)]
            self.call(_several, item.step.kernel, outs, *self.all(item))
            for slot, out in zip(outputs_of(item.step), outs, strict=True):
                self.values[slot] = out
            return None
        self.values[item.step.output] = self.one(item, shapes[0], specs[0])
        return None

    def all(self, item: Item) -> list[Any]:
        """Return all inputs of a step, stand-ins for those of which the shape alone is read."""
        references = item.references
        return [self.dummy(item, p) if p in references else self.value(item, p) for p in range(len(item.step.inputs))]

    def view(self, item: Item, found: Sequence[Any], x: NumPyArray, shapes: Sequence[Sizes], specs: Sequence[Spec]) -> None:
        """Keep views of a tile; where NumPy had to copy, copy in every tile."""
        outs = []
        for one, shape, spec in zip(found, shapes, specs, strict=True):
            if one.shape != shape or one.dtype != spec.nptype:
                raise Mismatch
            outs.append(one if one is x or np.may_share_memory(one, x) else None)
        if None in [o if o is None else 0 for o in outs]:
            node = item.step.node
            if item.step.several:
                raise Mismatch
            outs = [self.allocate(shapes[0], specs[0].nptype, ())]
            if lies_of(node.op) is Lies.SAME:
                self.call(_generic, partial(np.reshape, shape=shapes[0]), outs[0], x)
            else:
                self.call(_generic, partial(node.op.eager, **self.turned(item, node.attrs)), outs[0], x)
        for slot, out in zip(outputs_of(item.step), outs, strict=True):
            self.values[slot] = out

    def spread(self, item: Item, x: Operand, shape: Sizes) -> None:
        """Repeat a value over a tile, as a view."""
        if isinstance(x, Late):
            raise Mismatch
        layout, attrs = item.step.node.op.layout, item.step.node.attrs
        if layout.axes:
            x = x.reshape(kept_dims(x.shape, shape, attrs))
        self.values[item.step.output] = np.broadcast_to(x, shape)

    def one(self, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Make the calls of a step that computes one array, and return the array."""
        node, count = item.step.node, len(item.step.inputs)
        op, nptype = node.op, spec.nptype
        if isinstance(op.eager, np.ufunc) and count == op.eager.nin:
            values = [self.operand(item, p, shape) for p in range(count)]
            out = self.allocate(shape, nptype, [v for v in values if _same(v, shape, nptype)])
            self.call(op.eager, *values, out)
            return out
        layout = op.layout
        if layout is not None and layout.lies is Lies.MATRICES:
            return self.matmul(item, shape, nptype)
        if layout is not None and layout.lies is Lies.REDUCED and layout.join == "add" and not layout.mean:
            return self.narrow(item, shape, nptype)
        into = getattr(Into, op.name, None)  # the kernels that are known to write to a buffer
        found = None if into is None else into(self, item, shape, spec)
        if found is None:
            values = self.all(item)
            found = self.allocate(shape, nptype, ())
            self.call(_generic, item.step.kernel, found, *values)
        return found

    def fused(self, item: Item, shape: Sizes, spec: Spec, calls: Sequence[tuple[Any, ...]]) -> Any:
        """Make calls that write to one array what they make of one input."""
        x = self.value(item, 0)
        if x.shape != shape or x.dtype != spec.nptype:
            return None
        out = self.allocate(shape, spec.nptype, [x] if _same(x, shape, spec.nptype) else [])
        for function, *places in calls:
            self.call(function, *[x if a is X else out if a is OUT else a for a in places])
        return out

    def operand(self, item: Item, p: int, shape: Sizes) -> Any:
        """Return an operand of an elementwise step; a shared row is spread over the tile once in a run."""
        if p not in item.slices and item.axes[0] == 0:
            sizes = self.pass_.specs[item.step.inputs[p]].sizes
            if 1 < math.prod(sizes) and math.prod(shape[1:]) <= INNER:
                whole = self.value(item, p, "spread", (self.pass_.rows, *shape[1:]))
                return whole if self.rows == self.pass_.rows else whole[: self.rows]
        return self.value(item, p)

    def matmul(self, item: Item, shape: Sizes, nptype: Dtype) -> Any:
        """Make the calls of a product whose rows are those of its result."""
        attrs = item.step.node.attrs
        pair = []
        for p, flag in ((0, "ta"), (1, "tb")):
            flipped = attrs.get(flag, False)
            rank = len(self.pass_.specs[item.step.inputs[p]].sizes)
            if p in item.slices or rank != 2:
                v = self.value(item, p)
                if flipped and v.__class__ is Late:
                    raise Mismatch
                pair.append(np.swapaxes(v, -1, -2) if flipped else v)
            else:
                pair.append(self.value(item, p, "flipped" if flipped else "plain"))
        out = self.allocate(shape, nptype, ())
        flat = len(shape) == 2 and all(len(self.pass_.specs[s].sizes) == 2 for s in item.step.inputs)
        self.call(np.dot if flat else np.matmul, *pair, out)
        return out

    def narrow(self, item: Item, shape: Sizes, nptype: Dtype) -> Any:
        """Sum within the rows."""
        x = self.value(item, 0)
        over, kept = self.reduction(item, x)
        out = self.allocate(shape, nptype, ())
        if not over:
            self.call(np.copyto, out, x.reshape(shape))
            return out
        self.call(np.add.reduce, x, over, None, out.reshape(kept))
        return out

    # --- sums ---------------------------------------------------------------------------------------------------------

    def sum(self, item: Item) -> None:
        """Make the calls of a part of a sum: the first tile of a group writes it, the others add theirs."""
        node, spec = item.step.node, self.pass_.specs[item.step.output]
        layout, nptype = node.op.layout, spec.nptype
        ufunc = getattr(np, layout.join)
        total = np.empty(spec.sizes, nptype) if self.parts is None else self.parts[self.summed]
        self.summed += 1
        key = (spec.sizes, nptype)
        part = self.scratch.get(key)
        if part is None:
            part = self.scratch[key] = np.empty(*key)
        values = [self.value(item, p) for p in range(len(item.step.inputs)) if p not in item.references]

        def into(out: NumPyArray) -> Any:
            if layout.lies is Lies.MATRICES:
                a, b = values
                a = a.T if node.attrs.get("ta", False) else a
                return self.bound(np.dot, (a, b.T if node.attrs.get("tb", False) else b, out))
            if layout.lies is Lies.LETTERS:
                return self.bound(_generic, (item.step.kernel, out, *values))
            x = values[0]
            over, kept = self.reduction(item, x)
            if ufunc is np.add and nptype.kind in "fc" and over == (0,) and x.ndim == 2 and x.shape[1] > 1:
                # As a product with ones it is three times as fast.
                return self.bound(np.dot, (self.ones(nptype), x, out.reshape(1, x.shape[1])))
            return self.bound(ufunc.reduce, (x, over, None, out.reshape(kept)))

        self.first.append(into(total))
        self.later.append(into(part))
        self.later.append(self.bound(ufunc, (total, part, total)))

    def ones(self, nptype: Dtype) -> Any:
        """Return a row of ones, as long as a tile."""
        key = ("ones", nptype)
        if key not in self.scratch:
            self.scratch[key] = np.ones((1, self.rows), nptype)
        return self.scratch[key]


def _same(v: Operand, shape: Sizes, nptype: Dtype) -> bool:
    """Whether a result may be written over an operand: it is an array of the same shape, and not a view of another."""
    return v.__class__ is ndarray and v.shape == shape and v.dtype == nptype and v.base is None


X, OUT = object(), object()


class Into:
    """Kernels that write to a buffer, by the name of the operation: what NumPy's own functions with ``out`` do not cover.

    Each makes the calls of a step and returns the array that they write to, or None where the kernel as it is must do.
    """

    @staticmethod
    def concat(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Join where all that is joined has rows."""
        if not all(p in item.slices for p in range(len(item.step.inputs))):
            return None
        values = binder.all(item)
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(np.concatenate, tuple(values), item.step.node.attrs["axis"], out)
        return out

    @staticmethod
    def add_n(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Add one after the other."""
        values = [binder.operand(item, p, shape) for p in range(len(item.step.inputs))]
        if len(values) < 2:
            return None
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(np.add, values[0], values[1], out)
        for v in values[2:]:
            binder.call(np.add, out, v, out)
        return out

    @staticmethod
    def where(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Choose by truth values."""
        if binder.pass_.specs[item.step.inputs[0]].nptype.kind != "b":
            return None
        values = [binder.value(item, p) for p in range(len(item.step.inputs))]
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(_choose, out, *values)
        return out

    @staticmethod
    def cast(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Copy, where no number is complex."""
        if "c" in (spec.nptype.kind, binder.pass_.specs[item.step.inputs[0]].nptype.kind):
            return None
        x = binder.value(item, 0)
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(_cast, out, x)
        return out

    @staticmethod
    def getitem_transpose(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Fill with zeros, and copy to where the index looks."""
        g, index = binder.value(item, 0), binder.turned(item, item.step.node.attrs)["index"]
        out = binder.allocate(shape, spec.nptype, ())
        binder.call(out.fill, 0)
        binder.call(np.copyto, out[index], g)
        return out

    @staticmethod
    def sech_squared(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """1/cosh², from left to right."""
        if spec.nptype.kind != "f":
            return None
        one = spec.nptype.type(1)
        calls = [(np.cosh, X, OUT), (np.divide, one, OUT, OUT), (np.multiply, OUT, OUT, OUT)]
        return binder.fused(item, shape, spec, calls)

    @staticmethod
    def relu(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """The greater one of x and 0."""
        return binder.fused(item, shape, spec, [(np.maximum, X, spec.nptype.type(0), OUT)])

    @staticmethod
    def reciprocal(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """1/x."""
        return binder.fused(item, shape, spec, [(np.divide, spec.nptype.type(1), X, OUT)])

    @staticmethod
    def rsqrt(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """1/√x."""
        return binder.fused(item, shape, spec, [(np.sqrt, X, OUT), (np.divide, spec.nptype.type(1), OUT, OUT)])

    @staticmethod
    def integer_power(binder: Binder, item: Item, shape: Sizes, spec: Spec) -> Any:
        """Squares, and x itself."""
        known: dict[int, list[tuple[Any, ...]]] = {2: [(np.multiply, X, X, OUT)], 1: [(np.positive, X, OUT)]}
        calls = known.get(item.step.node.attrs["n"])
        return None if calls is None else binder.fused(item, shape, spec, calls)
