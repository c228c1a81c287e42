"""Lists of operations as JSON, and back.

An operation is its name in the table of operations, its inputs by number, and its attributes. What an attribute can be is told
here: numbers, texts, shapes, dtypes, slices, arrays, variables, and bodies, which are lists of their own; of anything else, a
Python function above all, nothing is written. So what is read can only be operations of the table, and nothing is run while it
is read. Shapes and dtypes of results are not believed but inferred anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np

from wengert.graph.node import Node
from wengert.ground import shapes
from wengert.ground.dtypes import as_dtype, of
from wengert.ground.types import NumPyArray
from wengert.modes.function import TensorSpec
from wengert.modes.tracing import Body, FuncGraph
from wengert.modes.variable import Variable
from wengert.ops.control import bodies
from wengert.ops.linear import PLACEHOLDER, Dynamic
from wengert.ops.op import Op, table
from wengert.ops.signature import check
from wengert.ops.state import HANDLE
from wengert.tensor.tensor import EagerTensor, SymbolicTensor

__all__ = ["Reader", "Unwritten", "Writer"]

Json = Any
"""What JSON holds."""


class Unwritten(ValueError):
    """What cannot be written: it is a Python object, which only its program can make."""


class Entry(NamedTuple):
    """A list that is to be written: its nodes, the tensors that it takes, and those that it gives."""

    graph: FuncGraph
    places: Sequence[SymbolicTensor]
    outputs: Sequence[SymbolicTensor]


class Writer:
    """Lists, and the arrays and variables that they are of, on their way to a file."""

    def __init__(self, variable: Callable[[Variable], int]) -> None:
        """Take what gives the number of a variable."""
        self.arrays: dict[str, NumPyArray] = {}
        self.lists: list[Json] = []
        self._variable = variable
        self._pending: list[Entry] = []
        self._keys: dict[int, int] = {}
        self._kept: list[object] = []

    def array(self, value: NumPyArray) -> str:
        """Enter an array; return its name."""
        name = f"constant/{len(self.arrays)}"
        self.arrays[name] = value
        return name

    def enter(self, graph: FuncGraph, places: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor]) -> int:
        """Enter a list; return its number. It is written by `finish`, and a list within it has a greater number."""
        self._pending.append(Entry(graph, places, outputs))
        return len(self._pending) - 1

    def finish(self) -> None:
        """Write the lists that are entered, and those within them."""
        while len(self.lists) < len(self._pending):
            self.lists.append(self._list(self._pending[len(self.lists)]))

    def _list(self, entry: Entry) -> Json:
        numbers: dict[int, int] = {}
        # An input that was found to be needed when a list had ended stands behind those that read it.
        order = sorted(entry.graph.nodes, key=lambda node: node.op is not PLACEHOLDER)
        at = {id(node): i for i, node in enumerate(order)}
        nodes = []
        for node in order:
            op: Op = node.op
            if table.get(op.name) is not op:
                raise Unwritten(f"the operation {node.name} (made at {node.where}) is one of this program alone")
            for t in node.outputs:
                numbers[t.n] = len(numbers)
            try:
                attributes = {name: self.value(v) for name, v in node.attrs.items()}
            except Unwritten as error:
                raise Unwritten(f"the operation {node.name} (made at {node.where}) holds {error}") from None
            nodes.append([
                op.name, node.name, [numbers[t.n] for t in node.inputs], attributes, [at[id(c)] for c in node.control_inputs]
            ])  # fmt: skip
        return {
            "name": entry.graph.function_name, "nodes": nodes, "places": [numbers[t.n] for t in entry.places],
            "outputs": [numbers[t.n] for t in entry.outputs],
        }  # fmt: skip

    def value(self, v: Any) -> Json:
        """Return a value as JSON holds it.

        Raises:
            Unwritten: for a Python object.
        """
        if v is None or isinstance(v, bool | str) or type(v) is int:
            return v
        if isinstance(v, float):
            return {"float": float(v).hex()} if type(v) is float else {"array": self.array(np.asarray(v))}
        if isinstance(v, complex | np.generic | np.ndarray):
            return {"array": self.array(np.asarray(v)), "scalar": not isinstance(v, np.ndarray)}
        if isinstance(v, tuple | list):
            return {"tuple" if isinstance(v, tuple) else "list": [self.value(one) for one in v]}
        if isinstance(v, dict) and all(isinstance(name, str) for name in v):
            return {"dict": {name: self.value(one) for name, one in v.items()}}
        if isinstance(v, slice):
            return {"slice": [self.value(one) for one in (v.start, v.stop, v.step)]}
        if isinstance(v, EllipsisType):
            return {"ellipsis": True}
        if isinstance(v, np.dtype):
            return {"dtype": of(v).name}
        if isinstance(v, TensorSpec):
            return {"spec": [self.value(v._sizes), of(v._nptype).name, v.name]}
        if isinstance(v, Dynamic):
            return {"dynamic": v.position}
        if isinstance(v, Body):
            return {"body": self.enter(v.graph, v.places, v.outputs)}
        if isinstance(v, Variable):
            return {"variable": self._variable(v)}
        if type(v) is object:  # by which the runs of a random operation are counted
            self._kept.append(v)
            return {"key": self._keys.setdefault(id(v), len(self._keys))}
        raise Unwritten(f"{v!r}, which only its program can make")


class Made(NamedTuple):
    """A list that was read."""

    graph: FuncGraph
    places: list[SymbolicTensor]
    outputs: list[SymbolicTensor]


class Reader:
    """Lists, as they are read: those within others first, which have greater numbers."""

    def __init__(self, lists: Sequence[Json], arrays: dict[str, NumPyArray], variables: dict[int, Variable]) -> None:
        """Read all lists.

        Raises:
            ValueError, TypeError, LookupError: for what is none.
        """
        self._arrays, self._variables = arrays, variables
        self._keys: dict[int, object] = {}
        self.lists: dict[int, Made] = {}
        for number in reversed(range(len(lists))):
            self.lists[number] = self._list(lists[number], number)

    def _list(self, told: Json, number: int) -> Made:
        graph = FuncGraph(None, _text(told["name"]), share_variables=True)
        known: list[Any] = []
        for name, label, inputs, attributes, controls in told["nodes"]:
            op = table.get(_text(name))
            if op is None:
                raise ValueError(f"there is no operation {name!r:.60}")
            given = [known[_index(i, known)] for i in inputs]
            attrs = {_text(key): self.value(v, number) for key, v in attributes.items()}
            node = self._node(graph, op, given, attrs, _text(label))
            node.control_inputs = tuple(graph.nodes[_index(i, graph.nodes[:-1])] for i in controls)
            known += node.outputs
        places = [known[_index(i, known)] for i in told["places"]]
        if any(t.node.op is not PLACEHOLDER for t in places):
            raise ValueError("an input of a list is none")
        return Made(graph, places, [known[_index(i, known)] for i in told["outputs"]])

    def _node(self, graph: FuncGraph, op: Op, inputs: Sequence[Any], attrs: dict[str, Any], name: str) -> Node:
        """Append an operation, its results inferred."""
        if op is HANDLE:
            variable = attrs["variable"]
            return graph.append(op, (), {"variable": variable}, [(variable.sizes, variable.nptype)], name + "/")
        if inputs:
            check(op.type, inputs[0], op.kinds)
        specs = op.infer(inputs, attrs)
        specs = [specs] if op.outputs == 1 else specs
        node = graph.append(op, tuple(inputs), attrs, [(shapes.as_shape(sizes), nptype) for sizes, nptype in specs], name + "/")
        for body, given in bodies(node, list(inputs)):
            _taken(node, body, given)
        return node

    def value(self, v: Json, number: int = -1) -> Any:
        """Return a value; ``number``: that of the list it stands in, which the lists within it come after."""
        if v is None or isinstance(v, bool | str | int):
            return v
        ((kind, told),) = [(k, t) for k, t in v.items() if k != "scalar"]
        if kind == "float":
            return float.fromhex(told)
        if kind == "array":
            found = self._arrays[told]
            return found[()] if v.get("scalar") else found
        if kind in ("tuple", "list"):
            several = [self.value(one, number) for one in told]
            return tuple(several) if kind == "tuple" else several
        if kind == "dict":
            return {_text(name): self.value(one, number) for name, one in told.items()}
        if kind == "slice":
            return slice(*[self.value(one, number) for one in told])
        if kind == "ellipsis":
            return Ellipsis
        if kind == "dtype":
            return as_dtype(_text(told)).numpy
        if kind == "spec":
            return TensorSpec(self.value(told[0], number), _text(told[1]), told[2] if told[2] is None else _text(told[2]))
        if kind == "dynamic":
            return Dynamic(_index(told, range(1 << 20)))
        if kind == "body":
            if _index(told, range(1 << 62)) <= number:
                raise ValueError("a list is within itself")
            made = self.lists[told]
            return Body(made.graph, made.outputs, made.places)
        if kind == "variable":
            return self._variables[_index(told, range(1 << 62))]
        if kind == "key":
            return self._keys.setdefault(_index(told, range(1 << 62)), object())
        raise ValueError(f"there is no kind of value {kind!r:.40}")


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a text was expected where {value!r:.40} stands")
    return value


def _index(value: Json, of: Sequence[Any]) -> int:
    if type(value) is not int or not 0 <= value < len(of):
        raise ValueError(f"there is no number {value!r:.40} here")
    return value


def _taken(node: Node, body: Any, given: Sequence[Any]) -> None:
    """Check that a body takes what its operation gives it.

    Raises:
        ValueError: if not.
    """
    if len(body.places) != len(given):
        raise ValueError(f"{node.name} gives {len(given)} values to a list that takes {len(body.places)}")
    for place, value in zip(body.places, given, strict=True):
        if place.nptype != value.nptype:
            raise ValueError(f"{node.name} gives {value!r} to a list that takes {place!r}")


def captured(graph: FuncGraph, place: SymbolicTensor, value: NumPyArray) -> None:
    """Let an array stand for what a list took from outside.

    Raises:
        ValueError: if it is not of the dtype and the shape that are told.
    """
    if value.dtype != place.nptype or not shapes.fits(place.sizes, value.shape):
        raise ValueError(f"{place.name} is no array of dtype {place.nptype} and shape {shapes.text(place.sizes)}")
    source = EagerTensor(value)
    graph.captured[source.n] = (source, place)
