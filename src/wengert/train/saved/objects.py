"""Objects that hold functions and variables, as JSON, and what they are when they are read again."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from wengert.ground import nest, shapes
from wengert.ground.types import NumPyArray
from wengert.modes.function import ConcreteFunction, Function, TensorSpec
from wengert.modes.module import Module
from wengert.modes.variable import Variable
from wengert.tensor.tensor import EagerTensor, Tensor, convert
from wengert.train.checkpoint import storage_of
from wengert.train.objects import children, trackable
from wengert.train.saved.lists import Json, Reader, Unwritten, Writer, captured

__all__ = ["Loaded", "Reading", "RestoredFunction", "Signatures", "Writing", "functions"]


CALLED = "_called"
"""The attribute of a loaded object that is its call."""


class RestoredFunction:
    """A function that was read: the traces that it had, one of which fits a call."""

    def __init__(self, name: str, concrete: Sequence[ConcreteFunction], signature: inspect.Signature | None) -> None:
        """Take its name, its traces and its signature."""
        self.__name__ = self._name = name
        self.concrete_functions, self._signature = list(concrete), signature

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the trace that was made for such arguments.

        Raises:
            ValueError: if there is none.
        """
        found, leaves = self._fitting(arguments, keywords)
        return found.call([leaf if isinstance(leaf, Tensor) else convert(leaf) for leaf in leaves])

    def get_concrete_function(self, *arguments: Any, **keywords: Any) -> ConcreteFunction:
        """Return the trace that was made for such arguments, or for TensorSpecs in their place."""
        return self._fitting(arguments, keywords)[0]

    def _fitting(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[ConcreteFunction, list[Any]]:
        if self._signature is not None:
            bound = self._signature.bind(*arguments, **keywords)
            bound.apply_defaults()
            arguments, keywords = bound.args, bound.kwargs
        for one in self.concrete_functions:
            leaves = _leaves(one, arguments, keywords)
            if leaves is not None:
                return one, leaves
        options = "\n".join(f"  {one.structured_input_signature}" for one in self.concrete_functions)
        raise ValueError(
            f"Could not find matching concrete function to call loaded from the SavedModel. {self.__name__} was called with "
            f"{arguments} {keywords or ''}, and was saved for:\n{options or '  nothing: it had not been traced'}"
        )

    def __repr__(self) -> str:
        return f"<RestoredFunction {self.__name__}>"


Callables = Function | ConcreteFunction | RestoredFunction
"""What is saved as a function."""


# --- writing ----------------------------------------------------------------------------------------------------------------


def functions(item: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over (name, function) for what an object, or its class, has as functions."""
    names = [name for cls in type(item).__mro__ for name, held in vars(cls).items() if isinstance(held, Function)]
    own = [name for name, held in getattr(item, "__dict__", {}).items() if isinstance(held, Callables)]
    for name in dict.fromkeys([*names, *own]):
        yield "__call__" if name == CALLED else name, getattr(item, name)
    if isinstance(item, Called) and "__call__" not in names:
        call = item._traced_call()
        if call is not None:
            yield "__call__", call


@runtime_checkable
class Called(Protocol):
    """What is called with tensors of known kinds: a Keras model."""

    name: str

    def save_spec(self) -> Any:
        """Return the specs of what it is called with, None where that is not known."""

    def _traced_call(self) -> Function | None:
        """Return the call, traced, for such; None where they are not known."""


def traces(held: Any) -> list[ConcreteFunction]:
    """Return the traces of a function."""
    if isinstance(held, ConcreteFunction):
        return [held]
    if isinstance(held, RestoredFunction):
        return held.concrete_functions
    if held.input_signature is not None and not held._traces:
        held.get_concrete_function()
    return list(held._traces.values())


class Writing:
    """Objects on their way to a file: each is entered once, however many roads lead to it."""

    def __init__(self, root: Any, session: Any = None) -> None:
        """Enter an object and what it holds.

        Raises:
            Unwritten: for a function that cannot be written; it says why.
        """
        self.lists = Writer(self.enter)
        self.traces: list[Json] = []
        self.nodes: list[Json] = []
        self._session, self._items, self._numbers = session, [root], {id(root): 0}
        self._traced: dict[int, int] = {}
        self.grow()

    def array_of(self, variable: Variable) -> str | None:
        """Return the name of the array that is a variable's value, None for one that nothing leads to."""
        at = self._numbers.get(id(variable))
        return None if at is None else f"variable/{at}"

    def enter(self, item: Any) -> int:
        """Return the number of an object."""
        at = self._numbers.setdefault(id(item), len(self._items))
        if at == len(self._items):
            self._items.append(item)
        return at

    def grow(self) -> None:
        """Write the objects that are entered, and the lists of their functions."""
        while len(self.nodes) < len(self._items):
            self.nodes.append(self._node(self._items[len(self.nodes)]))
            if len(self.nodes) == len(self._items):
                self.lists.finish()  # which may enter variables that no object leads to

    def _node(self, item: Any) -> Json:
        if isinstance(item, Variable):
            name = f"variable/{self._numbers[id(item)]}"
            self.lists.arrays[name] = storage_of(item, self._session).read()
            shape = None if item.sizes is None else list(item.sizes)
            return {"kind": "variable", "array": name, "name": item._name, "trainable": item.trainable, "shape": shape}
        if isinstance(item, Callables):
            return self._function(item)
        if isinstance(item, Tensor):
            return {"kind": "tensor", "array": self.lists.array(np.asarray(item.array))}
        kind = "list" if isinstance(item, list | tuple) else "dict" if isinstance(item, Mapping) else "object"
        held = {n: v for n, v in children(item).items() if trackable(v) or isinstance(v, EagerTensor)}
        if kind == "object":
            held |= dict(functions(item))
        return {
            "kind": kind,
            "class": getattr(item, "_kind", type(item).__name__),
            "children": {n: self.enter(v) for n, v in held.items()},
        }

    def _function(self, held: Any) -> Json:
        numbers = [self.trace(one) for one in traces(held)]
        if isinstance(held, ConcreteFunction):
            return {"kind": "trace", "traces": numbers}
        return {"kind": "function", "name": held._name, "signature": _parameters(self.lists, held._signature), "traces": numbers}

    def trace(self, one: ConcreteFunction) -> int:
        """Return the number of a trace."""
        at = self._traced.setdefault(id(one), len(self.traces))
        if at < len(self.traces):
            return at
        pairs = list(one.graph.captured.values())
        if not all(isinstance(source, EagerTensor) for source, _ in pairs):
            raise Unwritten(f"{one.name} uses tensors of the graph around it")
        arguments, keywords = one.structured_input_signature
        number = self.lists.enter(one.graph, one.inputs, one.outputs)
        constants = [self.lists.array(np.asarray(source.array)) for source, _ in pairs]
        try:
            described = [self.lists.value(arguments), self.lists.value(keywords)]
        except Unwritten as error:
            raise Unwritten(f"{one.name} was traced with {error}") from None
        self.traces.append({
            "name": one.name, "list": number, "arguments": described, "labels": list(one._labels), "captured": constants,
            "returns": self.lists.value(nest.map_structure(lambda t: t is not None, one.structured_outputs)),
            "signature": _parameters(self.lists, one._signature),
        })  # fmt: skip
        return at


def _parameters(lists: Writer, signature: inspect.Signature | None) -> Json:
    """Return a signature: (name, kind, whether there is a default, the default) for each parameter; None if there is none."""
    if signature is None:
        return None
    found = []
    for p in signature.parameters.values():
        has = p.default is not inspect.Parameter.empty
        try:
            found.append([p.name, int(p.kind), has, lists.value(p.default) if has else None])
        except Unwritten:  # a call has to give it
            found.append([p.name, int(p.kind), False, None])
    return found


# --- reading ----------------------------------------------------------------------------------------------------------------


class Loaded(Module):
    """An object that was read: its variables, functions and other parts are its attributes."""

    root: Any
    """What was saved, where that is no module: a list, say."""
    signatures: Any

    def __init__(self, kind: str) -> None:
        """Take the name of the class that it had."""
        super().__init__()
        self._kind = kind

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call what was the object's call.

        Raises:
            TypeError: if it had none.
        """
        called = vars(self).get(CALLED)
        if called is None:
            raise TypeError(f"The {self._kind} that was loaded is not callable: no traced __call__ was saved with it.")
        return called(*arguments, **keywords)

    def __repr__(self) -> str:
        return f"<loaded {self._kind} with {', '.join(sorted(n for n in vars(self) if not n.startswith('_')))}>"


class Signatures(Mapping[str, ConcreteFunction]):
    """The signatures of a saved model, by name."""

    def __init__(self, found: Mapping[str, ConcreteFunction]) -> None:
        """Take them."""
        self._found = dict(found)

    def __getitem__(self, name: str) -> ConcreteFunction:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"_SignatureMap({self._found})"


def _leaves(one: ConcreteFunction, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> list[Any] | None:
    """Return the tensors of a call that a trace was made for, None if it was made for another."""
    given, specs = nest.flatten([list(arguments), keywords]), nest.flatten(list(one.structured_input_signature))
    leaves: list[Any]
    if any(isinstance(s, TensorSpec) for s in given):  # asked for by specs: any tensors of their kind will do
        if len(given) != len(specs) or any(
            isinstance(a, TensorSpec) != isinstance(b, TensorSpec) or not (isinstance(a, TensorSpec) or a == b)
            for a, b in zip(given, specs, strict=True)
        ):
            return None
        leaves = [s for s in given if isinstance(s, TensorSpec)]
        pairs = [(s._nptype, s._sizes) for s in leaves]
    else:
        try:
            leaves = one._matched(arguments, keywords)
        except (TypeError, ValueError):
            return None
        pairs = [(t.nptype, t.sizes) for t in leaves]
    places = zip(pairs, one._inputs, strict=True)
    return leaves if all(nptype == p.nptype and shapes.fits(p.sizes, sizes) for (nptype, sizes), p in places) else None


class Reading:
    """What a file tells, made again.

    Raises:
        ValueError, TypeError, LookupError: for what is none.
    """

    def __init__(self, told: Json, arrays: dict[str, NumPyArray]) -> None:
        """Make the variables, the lists, the functions, and the objects that hold them."""
        self._arrays, self._nodes = arrays, told["objects"]
        variables = {i: self._variable(node) for i, node in enumerate(self._nodes) if node["kind"] == "variable"}
        self._reader = Reader(told["lists"], arrays, variables)
        self._traces = [self._trace(one) for one in told["traces"]]
        self._made: dict[int, Any] = dict(variables)
        for i, node in enumerate(self._nodes):
            if i not in self._made:
                self._made[i] = self._empty(node)
        for i, node in enumerate(self._nodes):
            self._fill(self._made[i], node)
        for i, node in enumerate(self._nodes):
            if node.get("class") == "tuple" and isinstance(self._made[i], list):
                self._made[i] = tuple(self._made[i])
        self.root = self._made[0]
        self.signatures = Signatures({str(name): self._traces[at] for name, at in told["signatures"].items()})

    def _variable(self, node: Json) -> Variable:
        shape = node["shape"]
        return Variable(self._arrays[node["array"]], trainable=bool(node["trainable"]), name=str(node["name"]),
                        shape=None if shape is None else tuple(shape))  # fmt: skip

    def _trace(self, told: Json) -> ConcreteFunction:
        made = self._reader.lists[told["list"]]
        constants = told["captured"]
        count = len(made.places) - len(constants)
        labels = [str(label) for label in told["labels"]]
        arguments, keywords = (self._reader.value(one) for one in told["arguments"])
        specs = [s for s in nest.flatten([list(arguments), keywords]) if isinstance(s, TensorSpec)]
        if count != len(labels) or count != len(specs):
            raise ValueError(f"the function {told['name']!r:.40} has not the inputs that it says")
        for place, name in zip(made.places[count:], constants, strict=True):
            captured(made.graph, place, self._arrays[name])
        left = iter(made.outputs)
        returned = nest.map_structure(lambda there: next(left) if there else None, self._reader.value(told["returns"]))
        return ConcreteFunction(
            made.graph, str(told["name"]), made.places[:count], returned, (tuple(arguments), keywords), labels,
            self._signature(told["signature"]),
        )  # fmt: skip

    def _signature(self, told: Json) -> inspect.Signature | None:
        if told is None:
            return None
        return inspect.Signature([
            inspect.Parameter(str(name), inspect._ParameterKind(kind),
                              default=self._reader.value(default) if has else inspect.Parameter.empty)
            for name, kind, has, default in told
        ])  # fmt: skip

    def _empty(self, node: Json) -> Any:
        kind = node["kind"]
        if kind == "tensor":
            return EagerTensor(self._arrays[node["array"]])
        if kind == "trace":
            return self._traces[node["traces"][0]]
        if kind == "function":
            return RestoredFunction(
                str(node["name"]), [self._traces[i] for i in node["traces"]], self._signature(node["signature"])
            )
        if kind in ("list", "dict"):
            return [] if kind == "list" else {}
        if kind != "object":
            raise ValueError(f"there is no kind of object {kind!r:.40}")
        return Loaded(str(node["class"]))

    def _fill(self, made: Any, node: Json) -> None:
        held = {str(name): self._made[at] for name, at in node.get("children", {}).items()}
        if isinstance(made, list):
            made.extend(held.values())
        elif isinstance(made, dict):
            made.update(held)
        elif isinstance(made, Loaded):
            for name, item in held.items():
                name = CALLED if name == "__call__" else name
                # What an object has of itself, such as the list of its variables, stays so; a file changes no method.
                if not hasattr(type(made), name) and not name.startswith("__"):
                    setattr(made, name, item)


def dumps(told: Json) -> str:
    """Return JSON, such that it can be read again."""
    return json.dumps(told, separators=(",", ":"), allow_nan=False)
