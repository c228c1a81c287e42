"""The list behind functional models: inputs, calls of layers, and whatever operation stands between them.

What `Input` returns is a tensor of this list. A layer that is called with one is entered as one node; any operation of
TensorFlow's, as itself. A model of inputs and outputs runs the nodes that lead from one to the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.graph.node import Node
from wengert.ground import nest
from wengert.ground.context import here
from wengert.ground.errors import InaccessibleTensorError
from wengert.ground.shapes import Shape
from wengert.ground.types import Namespace
from wengert.keras import masks
from wengert.modes.module import Module
from wengert.modes.tracing import FuncGraph, tracing
from wengert.ops.derivative import Custom
from wengert.ops.linear import CONSTANT, PLACEHOLDER
from wengert.ops.op import Op
from wengert.ops.state import HANDLE, READ
from wengert.tensor.tensor import EagerTensor, Graph, Nested, SymbolicTensor, TensorLike, apply, convert, lift, read_as

__all__ = ["LAYER", "KerasGraph", "Path", "enter", "is_keras_tensor", "place"]


def _never(xp: Namespace, *arrays: TensorLike, **attributes: Any) -> Any:
    raise NotImplementedError("What Input() leads to has no value of its own: make a Model of inputs and outputs, and call it.")


LAYER = Op("keras_layer", Custom(vjp=_never), _never, lambda inputs, attrs: [], outputs=None, type="KerasLayer", register=False)


class KerasGraph(Graph):
    """A list that does not keep its nodes: they live as long as somebody holds what they lead to."""

    def __init__(self) -> None:
        """Make it empty."""
        super().__init__()
        self._indices = itertools.count()

    def append(
        self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], specs: Any, name: str | None = None,
        site: tuple[Any, int] | None = None,
    ) -> Node:  # fmt: skip
        """Append an operation whose outputs have the given (shape, dtype) specs."""
        node = Node(self, op, inputs, attrs, (name or op.label).rstrip("/"))
        node.index = next(self._indices)
        node.outputs = tuple([self.output_type(node, i, sizes, nptype) for i, (sizes, nptype) in enumerate(specs)])
        node.site = site
        return node

    def capture(self, tensor: Any) -> Any:
        """Return what stands for a tensor from outside: a constant, or the variable that it was read from.

        Raises:
            InaccessibleTensorError: for a tensor of another graph.
        """
        if tensor.__class__ is EagerTensor:
            variable = read_as.get(tensor.n)
            if variable is not None:
                handle = self.append(HANDLE, (), {"variable": variable}, [(tensor.sizes, tensor.nptype)]).outputs[0]
                return self.append(READ, (handle,), {}, [(tensor.sizes, tensor.nptype)]).outputs[0]
            return self.append(CONSTANT, (), {"value": tensor.array}, [(tensor.sizes, tensor.nptype)], None, here()).outputs[0]
        if tensor.graph is self:
            return tensor
        raise InaccessibleTensorError(
            f"The tensor {tensor.name} belongs to a graph or function, and cannot be mixed with what Input() returns. "
            "Make a Model of inputs and outputs, and call it with this tensor."
        )


graph = KerasGraph()


def is_keras_tensor(x: TensorLike) -> bool:
    """Return whether a value is what Input() returned, or was made of it."""
    return x.__class__ is SymbolicTensor and x.node.graph.__class__ is KerasGraph


def place(sizes: Shape, nptype: np.dtype[Any], layer: Module | None, name: str) -> Any:
    """Return a new input."""
    attrs = {"dtype": nptype, "shape": sizes, "layer": layer}
    return graph.append(PLACEHOLDER, (), attrs, [(sizes, nptype)], name, here()).outputs[0]


def _stand_in(scratch: FuncGraph, tensor: SymbolicTensor) -> Any:
    """Return an input of a graph for a symbolic tensor, which carries a mask where that one does."""
    place, mask = scratch.add_input(tensor.sizes, tensor.nptype), masks.mask_of(tensor)
    masks.attach(place, None if mask is None else scratch.add_input(mask.sizes, mask.nptype))
    return place


def enter(layer: Any, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Enter the call of a layer with symbolic tensors among its arguments; return what it returns, symbolically.

    The shapes and dtypes of the results are found by tracing the call once.
    """
    leaves = nest.flatten([list(arguments), keywords])
    scratch = FuncGraph(None, layer.name)
    with tracing(scratch):
        given = [_stand_in(scratch, v) if is_keras_tensor(v) else v for v in leaves]
        packed, named = nest.pack_sequence_as([list(arguments), keywords], given)
        call = type(layer).call
        result = layer.call(*packed, **(masks.filled(call, packed, named) if masks.takes_masks(call) else named))
        flat = [lift(scratch, convert(v)) for v in nest.flatten(result)]
    inputs = tuple([v for v in leaves if is_keras_tensor(v)])
    alone = len(arguments) == 1 and not keywords and len(leaves) == 1 and leaves[0] is arguments[0]
    attrs = {"layer": layer, "leaves": leaves, "structure": [list(arguments), keywords], "alone": alone, "result": result}
    node = graph.append(LAYER, inputs, attrs, [(t.sizes, t.nptype) for t in flat], layer.name, here())
    attrs["result"] = nest.pack_sequence_as(result, list(range(len(flat)))) if flat else result
    layer._node = node
    return nest.pack_sequence_as(result, list(node.outputs))


def nodes_between(inputs: Sequence[Any], outputs: Sequence[Any]) -> Iterator[Node]:
    """Return the nodes that lead from inputs to outputs, in order.

    Raises:
        ValueError: where an output depends on another input.
    """
    ends = {t.n for t in inputs}
    seen: set[Node] = set()
    pending = [t for t in outputs if t.n not in ends]
    while pending:
        node = pending.pop().node
        if node in seen:
            continue
        seen.add(node)
        if node.op is PLACEHOLDER:
            raise ValueError(
                f"The outputs depend on the input {node.name!r} (made at {node.where}), which is not among the model's inputs."
            )
        pending += [t for t in node.inputs if t.n not in ends]
    return iter(sorted(seen, key=lambda node: node.index))


class _Place:
    """What stands for a tensor in a `Path` that is copied or pickled."""

    def __init__(self, at: int) -> None:
        self.at = at


class _Stated(NamedTuple):
    """A node of a `Path` that is copied or pickled."""

    op: Op | None
    name: str
    inputs: list[int]
    attrs: dict[str, Any]
    specs: list[Any]


class _Met:
    """Nodes on the way back from the outputs: when each layer was met first, and where the model begins."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.leaves: set[Node] = set()


def _key(node: Node) -> int:
    """Return what tells layers, and operations, apart."""
    return id(node.attrs.get("layer") or node)


class Path:
    """What a functional model runs: the nodes between its inputs and its outputs."""

    def __init__(self, inputs: Nested, outputs: Nested | None, ends: Sequence[Any] = ()) -> None:
        """Take symbolic tensors in any structure; ``ends``: others that are computed, and not returned.

        Raises:
            ValueError: for anything else.
        """
        self.inputs, self.outputs = inputs, outputs
        self.sources: list[Any] = nest.flatten(inputs)
        self.targets: list[Any] = nest.flatten(outputs)
        for what, items in (("inputs", self.sources), ("outputs", self.targets)):
            for item in items:
                if not is_keras_tensor(item):
                    raise ValueError(f"Model: {what} must be what Input() returned, or made of it, not {item!r}.")
        self.ends = list(ends)
        self.nodes = list(nodes_between(self.sources, [*self.targets, *self.ends]))

    def __getstate__(self) -> dict[str, Any]:
        """Return the nodes one after another, with the places of the tensors that they read: no recursion over their number."""
        known = [*self.sources, *(t for node in self.nodes for t in node.outputs)]
        places = {t.n: _Place(i) for i, t in enumerate(known)}

        def named(value: Any) -> Any:
            return nest.map_structure(lambda v: places[v.n] if is_keras_tensor(v) else v, value)

        def stated(node: Node, inputs: Sequence[Any]) -> _Stated:
            attrs = {k: named(v) if k in ("leaves", "structure") else v for k, v in node.attrs.items()}
            op = None if node.op is LAYER else node.op
            return _Stated(op, node.name, [places[t.n].at for t in inputs], attrs, [(t.sizes, t.nptype) for t in node.outputs])

        def start(t: SymbolicTensor) -> _Stated:
            if t.node.op is PLACEHOLDER:
                return stated(t.node, ())
            attrs = {"dtype": t.nptype, "shape": t.sizes, "layer": None}  # a model may begin in the middle of another
            return _Stated(PLACEHOLDER, t.node.name, [], attrs, [(t.sizes, t.nptype)])

        return {
            "starts": [start(t) for t in self.sources], "nodes": [stated(node, node.inputs) for node in self.nodes],
            "inputs": named(self.inputs), "outputs": named(self.outputs), "ends": named(self.ends),
        }  # fmt: skip

    def __setstate__(self, kept: dict[str, Any]) -> None:
        known: list[Any] = []

        def real(value: Any) -> Any:
            return nest.map_structure(lambda v: known[v.at] if isinstance(v, _Place) else v, value)

        for one in (*kept["starts"], *kept["nodes"]):
            attrs = {k: real(v) if k in ("leaves", "structure") else v for k, v in one.attrs.items()}
            op = LAYER if one.op is None else one.op
            node = graph.append(op, tuple([known[i] for i in one.inputs]), attrs, one.specs, one.name)
            known += node.outputs
            layer: Any = attrs.get("layer")
            if op is LAYER:
                layer._node = node
            elif layer is not None:
                layer._tensor = node.outputs[0]
        self.__init__(real(kept["inputs"]), real(kept["outputs"]), real(kept.get("ends", [])))  # type: ignore[misc]

    @property
    def layers(self) -> list[Any]:
        """The layers, each once, in Keras's order, which is that of lists of weights.

        Those come first from which the longest way leads to an output; of those as far from it, the one that is met first on
        the way back from the outputs. A layer counts as far as its farthest call.
        """
        ends = {t.n for t in self.sources}
        met, finished = self._walked_back(ends)
        depths: dict[Node, int] = {}
        farthest: dict[int, int] = {}
        for node in reversed(finished):
            key = _key(node)
            farthest[key] = depths[node] = max(depths.get(node, 0), farthest.get(key, 0))
            for t in () if node in met.leaves else node.inputs:
                depths[t.node] = max(depths.get(t.node, 0), depths[node] + 1)
        found = {
            _key(node): node.attrs["layer"]
            for node in finished
            if node.attrs.get("layer") is not None and (node not in met.leaves or node.op is PLACEHOLDER)
        }
        for t in self.sources:
            if t.node.op is PLACEHOLDER and t.node.attrs.get("layer") is not None and _key(t.node) not in found:
                key = _key(t.node)
                found[key], farthest[key], met.places[key] = t.node.attrs["layer"], 0, -1
        ordered = [found[key] for key in sorted(found, key=lambda key: (-farthest[key], met.places[key]))]
        beside = [node.attrs["layer"] for node in self.nodes if node.op is LAYER and _key(node) not in found]
        return list(dict.fromkeys([*ordered, *beside]))

    def _walked_back(self, ends: set[int]) -> tuple[_Met, list[Node]]:
        """Return in which order nodes are met, and in which they are done with, on the way back from the outputs."""
        met, finished = _Met(), list[Node]()
        seen: set[Node] = set()
        for target in self.targets:
            pending: list[tuple[Node, Iterator[Any]]] = []

            def enter(t: Any, pending: list[tuple[Node, Iterator[Any]]] = pending) -> None:
                if t.node not in seen:
                    seen.add(t.node)
                    met.places.setdefault(_key(t.node), len(met.places))
                    if t.n in ends:
                        met.leaves.add(t.node)
                    pending.append((t.node, iter(() if t.n in ends else t.node.inputs)))

            enter(target)
            while pending:
                node, rest = pending[-1]
                following = next(rest, None)
                if following is None:
                    finished.append(node)
                    pending.pop()
                else:
                    enter(following)
        return met, finished

    @property
    def variables(self) -> list[Any]:
        """The variables that operations outside of layers read."""
        return [node.attrs["variable"] for node in self.nodes if node.op is HANDLE]

    def run(self, values: Sequence[Any]) -> Any:
        """Return the outputs for values of the inputs, in order."""
        known: dict[int, Any] = {t.n: v for t, v in zip(self.sources, values, strict=True)}
        for node in self.nodes:
            op, attrs = node.op, node.attrs
            if op is LAYER:
                layer = attrs["layer"]
                if attrs["alone"]:
                    result = layer(known[node.inputs[0].n])
                else:
                    leaves = [known[v.n] if is_keras_tensor(v) else v for v in attrs["leaves"]]
                    packed, named = nest.pack_sequence_as(attrs["structure"], leaves)
                    result = layer(*packed, **named)
                if len(node.outputs) == 1 and not nest.is_nested(result):
                    known[node.outputs[0].n] = result
                    continue
                for t, one in zip(node.outputs, nest.flatten(result), strict=True):
                    known[t.n] = one
            elif op is HANDLE:
                known[node.outputs[0].n] = attrs["variable"]
            elif op is READ:
                known[node.outputs[0].n] = known[node.inputs[0].n]._as_tensor()
            elif op is CONSTANT:
                known[node.outputs[0].n] = convert(attrs["value"])
            else:
                result = apply(op, [known[t.n] for t in node.inputs], attrs)
                for t, one in zip(node.outputs, result if op.outputs != 1 else (result,), strict=True):
                    known[t.n] = one
        only: Any = self.outputs
        if only is self.targets[0]:
            return known[self.targets[0].n]
        return nest.pack_sequence_as(self.outputs, [known[t.n] for t in self.targets])
