"""What the fields of one net have in common, and where they are evaluated: `wengert.calculus.fields` is what users see."""

from __future__ import annotations

import re
import weakref
from collections import OrderedDict
from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.calculus.gradients import graph_of
from wengert.calculus.partials import Traced, call, point
from wengert.derive.request import request
from wengert.functions.math import complex as complex_of
from wengert.functions.math import imag, real
from wengert.ground import nest
from wengert.ground.context import state
from wengert.ground.errors import DTypeError, InvalidArgumentError, ShapeError
from wengert.ground.locks import lock
from wengert.ground.shapes import fits, text
from wengert.ground.types import Array
from wengert.ops import linear
from wengert.tensor.tensor import SymbolicTensor, Tensor, TensorLike, apply, convert, lift

if TYPE_CHECKING:
    from wengert.calculus.fields import Field

__all__ = ["Counts", "Home", "Point", "Terms", "ordered"]

Counts = tuple[int, ...]
"""An order for each coordinate."""
Terms = tuple[tuple[Counts, float], ...]
"""A differential operator with constant coefficients: their numbers by orders."""

MOST_TRACES = 64
"""Expressions whose traces are kept for one net, the latest."""


OPERANDS = (Tensor, np.ndarray, np.generic, int, float, complex)


class Home:
    """What the fields made from one net share: the coordinates, the fields there are, and the latest traces."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.made: weakref.WeakValueDictionary[Any, Field] = weakref.WeakValueDictionary()
        self.traces: OrderedDict[tuple[Field, ...], Traced] = OrderedDict()
        self.lock = lock()

    def zero(self) -> Counts:
        """Return order 0 in each coordinate."""
        return (0,) * len(self.names)

    def unit(self, at: int, order: int = 1) -> Counts:
        """Return an order in one coordinate."""
        return tuple([order if k == at else 0 for k in range(len(self.names))])

    def index(self, name: Hashable) -> int:
        """Return the number of a coordinate.

        Raises:
            InvalidArgumentError: if there is none of this name.
        """
        if name not in self.names:
            raise InvalidArgumentError(f"A field of ({', '.join(self.names)}) has no coordinate {name!r}.")
        return self.names.index(name)

    def split(self, word: str) -> list[str] | None:
        """Return the names that a word is made of, the longest first wherever it can be; None if it is not."""
        if not word:
            return []
        for name in sorted(self.names, key=len, reverse=True):
            if word.startswith(name):
                rest = self.split(word[len(name) :])
                if rest is not None:
                    return [name, *rest]
        return None

    def chosen(self, names: Sequence[Any] | None) -> list[int]:
        """Return the numbers of some coordinates: of all if None is given, of "x y", "xy" or ["x", "y"]."""
        if names is None:
            return list(range(len(self.names)))
        words = [w for w in re.split(r"[\s,]+", names) if w] if isinstance(names, str) else list(names)
        found: list[int] = []
        for word in words:
            parts = self.split(word) if isinstance(word, str) and word else None
            found += [self.index(name) for name in (parts or [word])]
        if len(set(found)) != len(found) or not found:
            raise InvalidArgumentError(f"Name coordinates of ({', '.join(self.names)}), each once, not {names!r}.")
        return found

    def points(self, columns: Sequence[Any]) -> list[Any]:
        """Return what fields are evaluated at and differentiated by."""
        called = [f"coordinate_{name}" if name.isascii() else "coordinate" for name in self.names]
        return [point(lift(state.graph, c), name) for c, name in zip(columns, called, strict=True)]

    def takes(self, other: object) -> bool:
        """Whether something that is no field may be an operand of arithmetic with fields."""
        return isinstance(other, OPERANDS) or hasattr(other, "_as_tensor")

    def operand(self, other: Any) -> Any:
        """Return what stands for an operand in an expression: itself, or a field."""
        return other

    def call(self, fn: Callable[..., Any], *values: SymbolicTensor) -> Any:
        """Return what a function of the user's gives for values, symbolic tensors."""
        return call(fn, *values)

    def given(self, coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Return the coordinates of a call in order: one for each, or one array of all.

        Raises:
            TypeError: for another number of them, and for names that there are not.
        """
        names, given = self.names, list(coordinates)
        shown = ", ".join(names)
        if named:
            missing = [n for n in names[len(given) :] if n not in named]
            wrong = [n for n in named if n not in names[len(given) :]]
            if missing or wrong:
                raise TypeError(f"A field of ({shown}) was called without {missing}, and with {wrong}.")
            given += [named[n] for n in names[len(given) :]]
        if len(given) not in (1, len(names)):
            count = len(names)
            raise TypeError(f"A field of ({shown}) takes {count} columns, or one tensor of all, not {len(given)} arguments.")
        return given

    def columns(self, coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Return the coordinates of a call as columns of shape (n, 1) and one dtype."""
        return _columns(self, coordinates, named)

    def evaluate(self, fields: Sequence[Field], coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Return the values of fields of these coordinates: in a graph appended, eagerly from one trace."""
        graph = graph_of(nest.flatten([*coordinates, *named.values()]))
        if graph is None:
            return list(self.traced(tuple(fields))(self.columns(coordinates, named)))
        if graph is not state.graph:
            with graph.as_default():
                return self.evaluate(fields, coordinates, named)
        return Point(_points(self, coordinates, named)).values(fields)

    def traced(self, fields: tuple[Field, ...]) -> Traced:
        """Return what computes some fields from columns; the same for the same fields."""

        def build(columns: list[Any]) -> list[Any]:
            return Point(self.points(columns)).values(fields)

        with self.lock:
            found = self.traces.get(fields)
            if found is None:
                found = self.traces[fields] = Traced(build, "field")
                if len(self.traces) > MOST_TRACES:
                    self.traces.popitem(last=False)
            else:
                self.traces.move_to_end(fields)
        return found


class Point:
    """Where fields are evaluated: symbolic columns, and what has been appended for them."""

    def __init__(self, columns: Sequence[Any]) -> None:
        self.columns = list(columns)
        self.known: dict[Field, Any] = {}
        self.derivatives: dict[tuple[int, Counts], Any] = {}

    def values(self, fields: Sequence[Field]) -> list[Any]:
        """Return the values of fields, each part of them appended once."""
        known = self.known
        for one in ordered(fields, known):
            known[one] = one._build(self, *[known[p] for p in one._parts])
        return [known[f] for f in fields]

    def column(self, y: TensorLike) -> Any:
        """Return what a function gave as a tensor of rows × components."""
        y = lift(state.graph, y if isinstance(y, Tensor) else convert(y, like=self.columns[0]))
        if y.sizes is None or len(y.sizes) == 2:
            return y
        if len(y.sizes) > 2:
            raise ShapeError(f"A field has one row for each point, shape (n, m), and the function's value has {text(y.sizes)}.")
        if not y.sizes:
            return apply(linear.BROADCAST_LIKE, (apply(linear.RESHAPE, (y,), {"shape": (1, 1)}), self.columns[0]))
        return apply(linear.RESHAPE, (y,), {"shape": (-1, 1)})

    def operator(self, y: Tensor, terms: Terms) -> Any:
        """Return a differential operator of a value, component by component."""
        if y.sizes is None or len(y.sizes) != 2 or y.sizes[1] is None:
            raise ShapeError(
                f"The derivative of a field needs to know its number of components, and its shape is {text(y.sizes)}. Give the "
                "net's value its shape by ensure_shape(value, [None, m])."
            )
        if y.nptype.kind == "c":
            return complex_of(self.operator(real(y), terms), self.operator(imag(y), terms))
        count = y.sizes[1]
        parts = [self.sum(y[:, k : k + 1] if count != 1 else y, terms) for k in range(count)]
        return parts[0] if count == 1 else apply(linear.CONCAT, parts, {"axis": 1}) if parts else y

    def sum(self, y: Array | None, terms: Terms) -> Any:
        """Return an operator of one component."""
        total = None
        for counts, c in terms:
            found = self.derivative(y, counts)
            if found is not None:
                found = found if c == 1.0 else c * found
                total = found if total is None else total + found
        return apply(linear.ZEROS_LIKE, (self.columns[0],)) if total is None else total

    def derivative(self, y: Any, counts: Counts) -> Any:
        """Return one partial derivative of one component, by nested gradients; None if it is zero."""
        if not any(counts):
            return y
        key = (y.n, counts)
        if key not in self.derivatives:
            at = max(k for k, order in enumerate(counts) if order)
            below = self.derivative(y, tuple([order - (k == at) for k, order in enumerate(counts)]))
            found = None if below is None else request([below], [self.columns[at]], [None])[0]
            self.derivatives[key] = found
        return self.derivatives[key]


def ordered(fields: Sequence[Field], known: Container[Field] = ()) -> list[Field]:
    """Return fields and their parts, each once and after its own parts, but for those that are known."""
    found: dict[Field, None] = {}
    pending = [f for f in fields if f not in known]
    while pending:
        one = pending[-1]
        left = [p for p in one._parts if p not in found and p not in known] if one not in found else []
        if left:
            pending += left
            continue
        found[pending.pop()] = None
    return list(found)


def _points(home: Home, coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    """Return what is differentiated by, in a graph: for the same tensors the same, so that two calls share a series.

    Not where a tape watches them: it would not see how points made before come from what it watches.
    """
    given = [*coordinates, *[named[k] for k in sorted(named)]]
    shared = all(isinstance(t, SymbolicTensor) and not _observed(t) for t in given)
    table = vars(state.graph).setdefault("points_of_fields", {})
    key = (home.names, len(coordinates), tuple(sorted(named)), tuple([getattr(t, "n", None) for t in given]))
    if shared and key in table:
        return list(table[key])
    found = home.points(_columns(home, coordinates, named))
    if shared:
        table[key] = found
    return found


def _observed(t: Tensor) -> bool:
    """Whether a tape or an accumulator watches a tensor."""
    for observer in state.observers:
        if getattr(observer, "_watch_all", False) or t.n in getattr(observer, "live", ()):
            return True
        if t.n in getattr(observer, "_tangents", ()):
            return True
    return False


def _columns(home: Home, coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
    """Return the coordinates as columns of shape (n, 1) and one dtype."""
    names = home.names
    shown = ", ".join(names)
    given = home.given(coordinates, named)
    if len(given) == 1 and len(names) > 1:
        X = _converted(given, shown)[0]
        if X.sizes is not None and (len(X.sizes) != 2 or X.sizes[1] not in (None, len(names))):
            raise ShapeError(
                f"A field of ({shown}) takes {len(names)} columns, or one tensor of shape (n, {len(names)}), not one of shape "
                f"{text(X.sizes)}."
            )
        return [X[:, k : k + 1] for k in range(len(names))]
    tensors = _converted(given, shown)
    full = [t for t in tensors if t.sizes != ()]
    for t in full:
        if t.sizes is not None and (len(t.sizes) > 2 or (len(t.sizes) == 2 and t.sizes[1] not in (1, None))):
            raise ShapeError(f"A coordinate is a column, of shape (n, 1) or (n,), not {text(t.sizes)}; a field of ({shown}).")
        if not fits(t.sizes, full[0].sizes):
            raise ShapeError(f"The coordinates ({shown}) must have one shape, not {', '.join(text(u.sizes) for u in tensors)}.")
    columns = [
        t if t.sizes is not None and len(t.sizes) == 2 else apply(linear.RESHAPE, (t,), {"shape": (-1, 1)}) for t in tensors
    ]
    if full and len(full) < len(tensors):
        like = next(c for c, t in zip(columns, tensors, strict=True) if t.sizes != ())
        columns = [apply(linear.BROADCAST_LIKE, (c, like)) if t.sizes == () else c for c, t in zip(columns, tensors, strict=True)]
    return columns


def _converted(given: Sequence[Any], shown: str) -> list[Any]:
    """Return coordinates as tensors of one dtype, which those decide that are no numbers and no lists."""
    free = [isinstance(v, int | float | np.floating | list | tuple) and not isinstance(v, bool) for v in given]
    found = [convert(v) for v in given]
    typed = [t for t, yes in zip(found, free, strict=True) if not yes]
    typed += [t for t, v in zip(found, given, strict=True) if isinstance(v, np.floating | list | tuple) and t.nptype.kind == "f"]
    like = typed[0] if typed else convert(0.0)
    found = [convert(v, like=like) if yes else t for v, t, yes in zip(given, found, free, strict=True)]
    for t in found:
        if t.nptype.kind != "f" or t.nptype != found[0].nptype:
            dtypes = ", ".join(u.dtype.name for u in found)
            raise DTypeError(f"The coordinates ({shown}) must have one real dtype, not {dtypes}. Use cast() first.")
    return found
