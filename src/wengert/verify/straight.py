"""What a run of a graph computed, as straight code: each choice taken, each loop unrolled, the world held as it was.

A derivative is a derivative of what a run *did*. So the graph is followed once more from what it was fed and from what its
variables held when it began: the branch that was taken, the turns that there were, the numbers that were drawn, the results of
Python functions. What is left is a list of pure operations without a body in it, and a derivative by that list depends neither on
how a loop keeps its states, nor on what a variable holds later, nor on what an executor does.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.derive.lowered import needed
from wengert.derive.questions import GRADIENT, TAYLOR, split_gradient
from wengert.graph.node import Node
from wengert.ground.context import quietly
from wengert.modes.storage import Storage
from wengert.modes.tracing import Body, tracing
from wengert.ops.linear import IDENTITY, PLACEHOLDER, STACK, STOP_GRADIENT
from wengert.ops.op import Op
from wengert.ops.state import FED, HANDLE, PASSED, PY_FUNCTION, READ, SNAPSHOT
from wengert.tensor.tensor import append, apply
from wengert.verify.lists import Listing, Question, Unanswerable, is_held, passed

__all__ = ["Asked", "Pair", "Straight", "is_drawn", "key_of"]

MOST = 200_000
"""Operations that are followed."""


def is_drawn(op: Op) -> bool:
    """Whether an operation gives something else whenever it runs: a random number, or what a Python function says."""
    return op.draws or op is PY_FUNCTION


def key_of(attrs: Mapping[str, Any]) -> Any:
    """Return what names an operation that draws: what it drew is kept under it."""
    return attrs["call"] if "call" in attrs else attrs.get("key")


class Pair:
    """A value of the user's graph: a tensor of the straight list, and the array that it holds."""

    __slots__ = ("above", "leaf", "straight", "symbol", "told")

    def __init__(self, straight: Straight, symbol: Any, array: Any = None) -> None:
        """Take both; the array of a derivative is found when it is asked for."""
        self.straight, self.symbol, self.told = straight, symbol, array
        self.leaf: Any = None
        """What is differentiated by, if this value is."""
        self.above: Any = None
        """The tensor without the leaf."""

    @property
    def array(self) -> Any:
        """The array."""
        if self.told is None:
            question = self.straight.question
            self.told = Listing(question, [self.symbol], False).run(question.arrays)[0]
        return self.told

    @property
    def shape(self) -> Any:
        """The array's shape."""
        return self.array.shape

    def __bool__(self) -> bool:
        return bool(self.array)

    def __len__(self) -> int:
        """How many rows there are, of a sequence that a loop goes over."""
        return len(self.array)

    def __getitem__(self, index: Any) -> Pair:
        return Pair(self.straight, self.symbol[index], None if self.told is None else np.asarray(self.told[index]))


class Cell(Storage):
    """A variable during the run that is followed: it begins with the array that the variable held then."""

    __slots__ = ("base", "leaf", "variable")

    def __init__(self, variable: Any, array: Any) -> None:
        """Take both; the array is None where there was no value yet."""
        super().__init__(variable._name, variable.sizes, variable.nptype)
        self.variable = variable
        self.array = array
        self.leaf: Any = None
        self.base: Any = None


class Asked:
    """A derivative that is asked for on the way: the node, and its parts in the straight list."""

    def __init__(self, node: Node, parts: Sequence[Any], handles: Sequence[Any]) -> None:
        """Take the node, the tensors of its inputs, and the cells of those that are variables (None for others)."""
        self.node = node
        self.ys, self.gs, self.xs, self.stops = parts
        self.handles = list(handles)


class _Arrays:
    """What the kernels of choices and loops ask of an array namespace."""

    def __init__(self, straight: Straight) -> None:
        self.straight = straight

    def stack(self, rows: Sequence[Pair]) -> Pair:
        array = None if any(r.told is None for r in rows) else np.stack([r.told for r in rows])
        return Pair(self.straight, apply(STACK, [r.symbol for r in rows], {"axis": 0}), array)

    def zeros(self, sizes: Any, dtype: Any) -> Pair:
        return self.straight.held(np.zeros(sizes, dtype))

    def empty(self, *sizes: Any, **keywords: Any) -> Any:
        raise Unanswerable("a loop stacks values of different shapes")


class Straight:
    """A graph's run as a list in a question's graph."""

    def __init__(
        self,
        fed: Mapping[int, Any],
        variables: Mapping[Any, Any],
        drawn: Mapping[Any, Sequence[Any]],
    ) -> None:
        """Take what the run began with, and what was drawn in it.

        Args:
            fed: the arrays of tensors that were fed, by the tensors' numbers.
            variables: the array that each variable held, by the variables' numbers.
            drawn: for each operation that draws (`key_of`), its results in order.
        """
        self.question = Question()
        self.fed, self.variables = fed, variables
        self.drawn = {key: iter(values) for key, values in drawn.items()}
        self.cells: dict[int, Cell] = {}
        self.asked: list[Asked] = []
        """The derivatives met on the way, each node's first."""
        self.controls: list[tuple[Node, list[Any]]] = []
        """The choices and loops met on the way, each node's first, with the arrays of their inputs."""
        self.left = MOST
        self.leaves: set[int] = set()
        self.moving: set[Node] = set()
        """What holds a value without saying so to the derivative: see `passed`."""

    def follow(self, fetches: Sequence[Any], effects: Sequence[Node]) -> list[Pair]:
        """Return what the fetches are; ``effects`` are the operations that act on variables meanwhile."""
        with tracing(self.question.graph):
            return self.walk(needed(fetches, effects), {}, fetches)

    def held(self, array: Any) -> Pair:
        """Return a value that nothing moves."""
        array = np.asarray(array)
        return Pair(self, self.question.place(array), array)

    def walk(self, nodes: Sequence[Node], known: dict[int, Any], outputs: Sequence[Any]) -> list[Any]:
        """Follow the nodes of a graph or of a body; ``known``: the values of its inputs."""
        leaves = {x.n for node in nodes if node.op is GRADIENT for x in split_gradient(node)[2]}
        self.moving |= passed(nodes)
        values = {n: self._leaf(v) if n in leaves else v for n, v in known.items()}
        for node in nodes:
            if node.outputs and all(t.n in values for t in node.outputs):
                continue
            self.left -= 1
            if self.left < 0:
                raise Unanswerable(f"it runs more than {MOST} operations")
            given = [values[t.n] for t in node.inputs]
            for t, v in zip(node.outputs, self._step(node, given), strict=True):
                found = self._fed(v, self.held(self.fed[t.n])) if t.n in self.fed and node.op is not PLACEHOLDER else v
                values[t.n] = self._leaf(found) if t.n in leaves else found
        return [values[t.n] for t in outputs]

    def _leaf(self, value: Any) -> Any:
        """Return a value that can be differentiated by."""
        if isinstance(value, Cell) or value.leaf is not None or value.array.dtype.kind not in "fc":
            return value
        found = Pair(self, None, value.array)
        found.above = value.symbol
        found.leaf, found.symbol = self.question.leaf(value.symbol, value.array)
        self.leaves.add(found.leaf.n)
        return found

    def _moves(self, symbol: Any) -> bool:
        """Whether a tensor depends on what is differentiated by."""
        return any(t.n in self.leaves for node in needed([symbol], ()) for t in node.outputs)

    def _step(self, node: Node, given: Sequence[Any]) -> Sequence[Any]:
        """Return the values of a node's outputs."""
        op = node.op
        if op is HANDLE:
            variable = node.attrs["variable"]
            if variable.n not in self.cells:
                self.cells[variable.n] = Cell(variable, self.variables.get(variable.n))
            return [self.cells[variable.n]]
        if op is READ:
            return [self._read(given[0])]
        if op is SNAPSHOT:
            cell = given[0]
            return [cell if not isinstance(cell, Cell) or cell.array is None else self.held(cell.array)]
        if op is STOP_GRADIENT and isinstance(given[0], Cell):
            return [given[0]]  # of a variable that has no value yet
        if op is FED:
            return [self._fed(*given)]
        if op is PLACEHOLDER:
            t = node.outputs[0]
            if t.n in self.fed:
                return [self.held(self.fed[t.n])]
            return [Pair(self, self.question.graph.placeholder(t.sizes, t.nptype, node.name))]  # what no value depends on
        if op.kind == "constant" and not node.outputs:
            return ()  # it prints, or asserts
        if node.outputs and (is_drawn(op) or op.writes) and all(t.n in self.fed for t in node.outputs):
            return [self.held(self.fed[t.n]) for t in node.outputs]  # it did not run
        if op is PASSED and any(self._moves(v.symbol) for v in given[node.attrs["results"] :]):
            raise _doubles(node)
        if is_drawn(op):
            return [self.held(array) for array in self._drawn(node, given)]
        if op is GRADIENT:
            return self._gradient(node, given)
        if op.kind == "control" and op is not TAYLOR:
            return self._control(node, given)
        if op.stateful or (is_held(op) and node not in self.moving):
            arrays = [v if isinstance(v, Cell) else v.array for v in given]
            found = quietly(partial(op.eager, *arrays, **node.attrs))
            return [self.held(a) for a in (found if op.outputs != 1 else (found,))]
        return self._ordinary(node, given)

    def _ordinary(self, node: Node, given: Sequence[Pair]) -> list[Pair]:
        op = node.op
        arrays = [v.told for v in given]
        found: Sequence[Any] = [None] * len(node.outputs)
        if all(a is not None for a in arrays) and op is not TAYLOR:
            result = quietly(partial(op.eager, *arrays, **node.attrs))
            found = result if op.outputs != 1 else (np.asarray(result),)
        symbols = self._append(node, [v.symbol for v in given])
        return [Pair(self, symbol, array) for symbol, array in zip(symbols, found, strict=True)]

    def _append(self, node: Node, symbols: Sequence[Any]) -> Sequence[Any]:
        result = append(self.question.graph, node.op, symbols, node.attrs)
        several: Sequence[Any] = result if node.op.outputs != 1 else (result,)
        for t in several:
            t.node.site = node.site
        return several

    def _fed(self, original: Any, value: Any) -> Pair:
        """Return a value in the place of another one, with which it moves."""
        array = value.read() if isinstance(value, Cell) else value.array
        if isinstance(original, Cell):
            return self._read(original, array)
        if array.dtype.kind not in "fc":
            return self.held(array)
        return Pair(self, self.question.beside(array, original.symbol, original.array), array)

    def _read(self, cell: Cell, array: Any = None) -> Pair:
        """Return what a variable holds now, or held when a body began; it moves with it, whatever was assigned meanwhile."""
        array = cell.read() if array is None else array
        if array.dtype.kind not in "fc":
            return self.held(array)
        self._begin(cell)
        if array is cell.base:
            return Pair(self, apply(IDENTITY, (cell.leaf,)), array)
        return Pair(self, self.question.beside(array, cell.leaf, cell.base), array)

    def _begin(self, cell: Cell) -> None:
        if cell.leaf is None:
            cell.base = cell.read()
            cell.leaf = self.question.place(cell.base)
            self.leaves.add(cell.leaf.n)

    def _drawn(self, node: Node, given: Sequence[Any]) -> Sequence[Any]:
        if node.op is PY_FUNCTION and any(self._moves(v.symbol) for v in given):
            raise _doubles(node)
        found = next(self.drawn.get(key_of(node.attrs), iter(())), None)
        if found is None:
            raise Unanswerable(f"what {node.op.name} gave in the run is not known ({node.where})")
        return found if node.op.outputs != 1 else [found]

    def _gradient(self, node: Node, given: Sequence[Any]) -> list[Pair]:
        by_number = {t.n: v for t, v in zip(node.inputs, given, strict=True)}
        ys, gs, xs, stops = split_gradient(node)
        cells = []
        parts: list[list[Any]] = [[by_number[y.n].symbol for y in ys],
                                  [None if g is None else by_number[g.n].symbol for g in gs], [], []]  # fmt: skip
        for x in xs:
            value = by_number[x.n]
            if isinstance(value, Cell):
                self._begin(value)
            cells.append(value if isinstance(value, Cell) else None)
            parts[2].append(value.symbol if value.leaf is None else value.leaf)
        for s in stops:
            value = by_number[s.n]
            if isinstance(value, Pair):
                parts[3].append(value.symbol if value.above is None else value.above)
        if all(asked.node is not node for asked in self.asked):
            self.asked.append(Asked(node, parts, cells))
        inputs = [*parts[0], *(g for g in parts[1] if g is not None), *parts[2], *parts[3]]
        return [Pair(self, symbol) for symbol in self._append(node, inputs)]

    def _control(self, node: Node, given: Sequence[Any]) -> Sequence[Any]:
        if all(known is not node for known, _ in self.controls):
            self.controls.append((node, [v.array for v in given]))
        bodies = {k: _Body(self, v) if isinstance(v, Body) else v for k, v in node.attrs.items()}
        return list(node.op.kernel(_Arrays(self), *given, **bodies))


def _doubles(node: Node) -> Unanswerable:
    return Unanswerable(f"a Python function is on the way, which takes doubles only ({node.where})")


class _Body:
    """A body that is followed."""

    def __init__(self, straight: Straight, body: Body) -> None:
        self.straight, self.body, self.specs, self.program = straight, body, body.specs, self

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        """Follow it, called as a body (with a namespace first) or as its program (without)."""
        body = self.body
        given = arguments[len(arguments) - len(body.places) :]
        known = {p.n: v for p, v in zip(body.places, given, strict=True)}
        return tuple(self.straight.walk(_nodes_of(body), known, body.outputs))


_nodes: weakref.WeakKeyDictionary[Body, list[Node]] = weakref.WeakKeyDictionary()


def _nodes_of(body: Body) -> list[Node]:
    if body not in _nodes:
        _nodes[body] = needed(body.outputs, body.graph.effects)
    return _nodes[body]
