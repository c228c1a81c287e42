"""Fields whose leaves are models of another framework, and arrays of it.

Such a field is an expression like any other (`wengert.calculus.fields`). What differs is its evaluation: each leaf is *read*
when the field is called, which gives a key of its structure, the arrays that it needs beside the coordinates (its parameters,
as they are now), and what appends it to a list. Expressions of one structure share one list, whatever their parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from wengert.calculus.evaluation import Home, Point, ordered
from wengert.calculus.fields import Field
from wengert.derive import lowered
from wengert.ground.context import asked
from wengert.ground.errors import ShapeError
from wengert.ground.locks import lock
from wengert.ground.types import NumPyArray
from wengert.modes.tracing import FuncGraph, tracing
from wengert.ops import linear
from wengert.tensor.tensor import SymbolicTensor, apply, lift

__all__ = ["Arrayed", "FrameworkHome", "Held", "Leaf", "Listed", "Net", "Reading", "Spec", "watchers"]

MOST_LISTS = 64
"""Structures whose lists are kept, the latest."""

_reading = lock()
"""Held where lists that are kept are looked at."""

Spec = tuple[tuple[int, ...], Any]
"""The shape of an array, and its dtype, NumPy's."""


class Arrayed(Protocol):
    """An array of a framework's."""

    shape: tuple[int, ...]
    dtype: Any


Watcher = Callable[["Listed", Sequence[NumPyArray], Sequence[NumPyArray]], None]

watchers: list[Watcher] = []
"""Called with each list that was run for fields, the arrays of its inputs, and those of its outputs and then of its models: how
`wengert check` learns of them."""


Operand = Field | Arrayed | Callable[..., Any] | int | float | complex


class Reading(NamedTuple):
    """A leaf as it was read at a call."""

    key: Hashable
    """What its part of the list depends on. Without a hash, the list is made anew."""
    arrays: Sequence[Any]
    """The arrays of the framework that it needs, as they are now."""
    specs: Sequence[Spec]
    """What becomes of the arrays in the list."""
    prepared: Callable[..., Sequence[Any]]
    """What makes these of the arrays, in the framework."""
    build: Callable[[Sequence[SymbolicTensor], Sequence[SymbolicTensor]], Any]
    """What appends the leaf's value, given the columns and these."""
    itself: Callable[[Sequence[Any]], Any] | None = None
    """The model, as the framework computes it: a function of the columns. None for what is no model."""


class Listed:
    """A list for expressions of one structure: inputs are the columns, then what the readings' arrays become."""

    def __init__(
        self, graph: FuncGraph, outputs: Sequence[Any], models: Sequence[Any], readings: Sequence[Reading]
    ) -> None:  # fmt: skip
        """Take the list, its outputs, what the models in it give, and how the arrays of each leaf are prepared."""
        self.graph, self.outputs, self.models = graph, list(outputs), list(models)
        self.counts = [len(one.arrays) for one in readings]
        self.prepared = [one.prepared for one in readings]
        self.runs: dict[str, Any] = {}
        """How the framework runs it, by what the framework calls the ways."""

    def known(self, arrays: Sequence[Any]) -> list[Any]:
        """Return what the arrays of the readings become, in the framework."""
        found: list[Any] = []
        at = 0
        for count, prepared in zip(self.counts, self.prepared, strict=True):
            found += prepared(*arrays[at : at + count])
            at += count
        return found


class FrameworkHome(Home, ABC):
    """What fields of a framework's models share."""

    lists: ClassVar[OrderedDict[Hashable, Listed]]
    """By structure: the framework's, for all of its fields."""
    noun: ClassVar[str]
    """What the framework calls an array."""

    @abstractmethod
    def array(self, other: object) -> Any:
        """Return something as an array of the framework's; None for what is none."""

    @abstractmethod
    def run(self, listed: Listed, columns: Sequence[Any], arrays: Sequence[Any]) -> list[Any]:
        """Return the values of a list's outputs, as arrays of the framework's."""

    @abstractmethod
    def spec(self, array: Arrayed) -> Spec:
        """Return the shape and the dtype, NumPy's, of an array of the framework's."""

    @abstractmethod
    def tell(self, told: Callable[..., None], values: Sequence[Any]) -> None:
        """Call a function with arrays of the framework's as NumPy's, once they have values."""

    @abstractmethod
    def converted(self, given: Sequence[Any]) -> list[Any]:
        """Return the coordinates of a call as arrays of one real dtype."""

    @abstractmethod
    def spread(self, column: Arrayed, rows: int) -> Any:
        """Return a column of so many rows, of one that has these or one."""

    def columns(self, coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Return the coordinates of a call as columns of shape (n, 1) and one dtype.

        Raises:
            ShapeError: for shapes that are no columns, or differ.
        """
        names, shown = self.names, ", ".join(self.names)
        found = self.converted(self.given(coordinates, named))
        if len(found) == 1 and len(names) > 1:
            (x,) = found
            if x.ndim != 2 or x.shape[1] != len(names):
                whole = f"one {self.noun} (n, {len(names)}), not {tuple(x.shape)}"
                raise ShapeError(f"A field of ({shown}) takes {len(names)} columns, or {whole}.")
            return [x[:, k : k + 1] for k in range(len(names))]
        full = [v for v in found if v.ndim]
        for v in full:
            if v.ndim > 2 or (v.ndim == 2 and v.shape[1] != 1) or v.shape != full[0].shape:
                shapes = ", ".join(str(tuple(u.shape)) for u in found)
                raise ShapeError(f"The coordinates ({shown}) are columns of one shape, (n, 1) or (n,), not {shapes}.")
        rows = full[0].shape[0] if full else 1
        return [self.spread(v.reshape(-1, 1), rows) for v in found]

    def takes(self, other: object) -> bool:
        """Whether something that is no field may be an operand."""
        return isinstance(other, int | float | complex | np.ndarray | np.generic) or self.array(other) is not None

    def operand(self, other: Operand) -> Any:
        """Return numbers and functions as they are; arrays become leaves, so that the list is that of any such array."""
        if isinstance(other, Field | int | float | complex) or callable(other):
            return other
        found = self.array(other)
        return other if found is None else Held(self, found)

    def evaluate(self, fields: Sequence[Field], coordinates: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Return the values of fields at columns."""
        columns = self.columns(coordinates, named)
        order = ordered(fields)
        places = {one: k for k, one in enumerate(order)}
        leaves = [one for one in order if isinstance(one, Leaf)]
        readings = [leaf.read(columns) for leaf in leaves]
        keys: dict[Field, Hashable] = {leaf: reading.key for leaf, reading in zip(leaves, readings, strict=True)}
        specs = [self.spec(c) for c in columns]
        structure = (
            tuple(specs), self.names,
            tuple([(keys.get(one, one._key), *[places[p] for p in one._parts]) for one in order]),
            tuple([places[one] for one in fields]),
            (asked(), *lowered.watchers) if watchers or lowered.watchers else None,  # who looks on is told of each line
        )  # fmt: skip
        listed = self._kept(structure, lambda: self._listed(fields, specs, leaves, readings))
        arrays = [array for one in readings for array in one.arrays]
        found = self.run(listed, columns, arrays)
        if watchers:
            itself = [one.itself(columns).reshape(columns[0].shape[0], -1) for one in readings if one.itself is not None]
            self.tell(partial(_told, listed), [*columns, *listed.known(arrays), *found, *itself])
        return found

    def _kept(self, structure: Hashable, make: Callable[[], Listed]) -> Listed:
        """Return the list of a structure, the one that is there if there is one."""
        try:
            hash(structure)
        except TypeError:  # something in it has no hash
            return make()
        with _reading:
            found = self.lists.get(structure)
            if found is not None:
                self.lists.move_to_end(structure)
                return found
        made = make()
        with _reading:
            self.lists[structure] = made
            if len(self.lists) > MOST_LISTS:
                self.lists.popitem(last=False)
        return made

    def _listed(
        self, fields: Sequence[Field], columns: Sequence[Spec], leaves: Sequence[Leaf], readings: Sequence[Reading]
    ) -> Listed:
        graph = FuncGraph(None, "field")
        with tracing(graph):
            at = Point(self.points([graph.add_input(*spec) for spec in columns]))
            for leaf, reading in zip(leaves, readings, strict=True):
                places = [graph.add_input(*spec) for spec in reading.specs]
                at.known[leaf] = leaf.value(at, reading.build(at.columns, places))
            outputs = [lift(graph, y) for y in at.values(fields)]
            models = [at.known[leaf] for leaf, reading in zip(leaves, readings, strict=True) if reading.itself is not None]
        return Listed(graph, outputs, models, readings)


class Leaf(Field):
    """A field that is read when it is called."""

    def __init__(self, home: FrameworkHome) -> None:
        """Take the home."""
        super().__init__(home, (), _unread)

    def read(self, columns: Sequence[Any]) -> Reading:
        """Read it for columns of these shapes and dtypes."""
        raise NotImplementedError

    def value(self, at: Point, y: SymbolicTensor) -> Any:
        """Return what was built as the leaf's value."""
        return at.column(y)


class Net(Leaf):
    """A model: ``reader(columns)`` reads it."""

    def __init__(self, home: FrameworkHome, reader: Callable[[Sequence[Any]], Reading]) -> None:
        """Take the home and the reader."""
        super().__init__(home)
        self._reader = reader

    def read(self, columns: Sequence[Any]) -> Reading:
        """Read it."""
        return self._reader(columns)


class Held(Leaf):
    """An array in an expression, such as a coefficient that is sought."""

    def __init__(self, home: FrameworkHome, array: Arrayed) -> None:
        """Take the home and the array."""
        super().__init__(home)
        self._array = array

    def read(self, columns: Sequence[Any]) -> Reading:
        """Read it."""
        home: Any = self._home
        spec = home.spec(self._array)
        return Reading(("held", spec), [self._array], [spec], _as_they_are, _first)

    def value(self, at: Point, y: SymbolicTensor) -> Any:
        """Return it as it is: it broadcasts."""
        return apply(linear.IDENTITY, (y,))


def _told(listed: Listed, *arrays: NumPyArray) -> None:
    """Tell the watchers of a run: the arrays of a list's inputs, of its outputs, and of its models."""
    count = len(listed.graph.inputs)
    for watcher in list(watchers):
        watcher(listed, arrays[:count], arrays[count:])


def _unread(at: Point) -> Any:
    raise AssertionError("a leaf is read")


def _as_they_are(*arrays: Arrayed) -> Sequence[Any]:
    return arrays


def _first(columns: Sequence[SymbolicTensor], places: Sequence[SymbolicTensor]) -> Any:
    return places[0]
