"""The Wengert list: operations in order, each value assigned once.

A graph knows no array library and no derivative. What a user holds of an output is of the class
``output_type``, which the room of tensors states for its `Graph`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from wengert.graph.node import Node
from wengert.graph.picture import GraphPicture
from wengert.graph.static import written_by
from wengert.ground import checks
from wengert.ground.blocks import changed
from wengert.ground.context import current, state
from wengert.ground.copies import Uncopied
from wengert.ground.errors import InaccessibleTensorError
from wengert.ground.locks import lock

__all__ = ["WengertList", "gradient_functions", "outside_functions", "overridden"]

NODE_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.\\/>-]*\Z")
VALID_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*\Z")
VALID_INNER_NAME = re.compile(r"[A-Za-z0-9_.\\/>-]*\Z")
"""Of a scope inside of another."""


gradient_functions: dict[str, Callable[[Node, Any], Any]] = {}
"""By the names of `RegisterGradient`: what gives an operation's result another derivative."""


class WengertList(Uncopied):
    """Operations in order, each value assigned once, and the names in it."""

    output_type: ClassVar[type[Any]]
    building_function = False
    outer: WengertList | None = None
    """The graph that it is within, where it is that of a function, a branch or a loop's body."""

    def __init__(self) -> None:
        """Make an empty list."""
        self.nodes: list[Node] = []
        self.seed: int | None = None
        self.collections: dict[Any, list[Any]] = {}
        self.names: dict[str, int] = {}
        self.by_name: dict[str, Node] = {}
        self.scope = ""
        self.controls: tuple[Node, ...] = ()
        self.device_name = ""
        self.finalized = False
        self.traces: dict[int, Any] = {}
        """The traces that are of use in this graph alone, since they capture what is in it, by the numbers of their functions."""
        self.variable_scope: Any = None
        self.overrides: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self.handles: dict[int, Any] = {}
        """The tensors that stand for variables, by the variables' numbers: a variable may outlive the graph."""
        self.reads: dict[int, Any] = {}
        """The latest reading of variables, by the numbers of their handles, with what it waited for; none once it is written."""
        self.failing: list[Node] = []
        """Operations whose derivative is the user's, and fails."""
        self.constants: dict[int, Any] = {}
        """What stands for eager tensors, by their numbers."""
        self.captured: dict[int, tuple[Any, Any]] = {}
        """Of a graph within another: by their numbers, the tensors around that it reads, and what stands for them here."""
        self.lock = lock()

    def _instead(self) -> str:
        return (
            "A graph is neither copied nor pickled: build it again by the program that built it, where it is needed, and give "
            "its variables their values by a Saver."
        )

    # --- building ---------------------------------------------------------------------------------------------

    def append(self, op: Any, inputs: tuple[Any, ...], attrs: dict[str, Any], specs: Any, name: str | None = None,
               site: tuple[Any, int] | None = None) -> Node:  # fmt: skip
        """Append an operation whose outputs have the given (shape, dtype) specs."""
        if self.finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        if name is not None and not NODE_NAME.match(name):
            raise ValueError(f"'{name}' is not a valid node name")
        with self.lock:
            node = Node(self, op, inputs, attrs, self.unique_name(name or op.label))
            make = self.output_type
            node.outputs = tuple([make(node, i, sizes, nptype) for i, (sizes, nptype) in enumerate(specs)])
            node.site = site
            node.index = len(self.nodes)
            if self.controls:
                node.control_inputs = tuple([c for c in self.controls if c.graph is self])
            node.device = self.device_name
            self.nodes.append(node)
            self.by_name[node.name] = node
            if self.reads and (op.writes or op.kind == "control"):
                written = written_by(node)
                for n in list(self.reads) if written is None else written:
                    self.reads.pop(n, None)
        return node

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """Return the name within the scope, with a number where it is taken."""
        if name.endswith("/"):
            full = name[:-1]
            if mark_as_used:
                self.names.setdefault(full.lower(), 1)
            return full
        full = self.scope + name
        key = full.lower()
        taken = self.names.get(key)
        if taken is None:
            if mark_as_used:
                self.names[key] = 1
            return full
        number = taken
        while f"{key}_{number}" in self.names:
            number += 1
        if mark_as_used:
            self.names[key] = number + 1
            self.names[f"{key}_{number}"] = 1
        return f"{full}_{number}"

    def lift(self, tensor: Any) -> Any:
        """Return the tensor as one of this list, or raise InaccessibleTensorError."""
        if tensor.graph is self:
            return tensor
        raise InaccessibleTensorError(
            f"{tensor!r} belongs to another graph (made at {tensor.op.where}); an operation, and a session, takes tensors "
            "of one graph only. Feed its value in, or build both in one graph."
        )

    # --- what users call --------------------------------------------------------------------------------------

    def as_default(self, sessions: Sequence[Uncopied] = ()) -> current[WengertList]:
        """Append the operations of the with block to this graph; ``sessions``: those that are entered with it."""
        return _Default(self, sessions)

    def name_scope(self, name: str | None) -> changed[str]:
        """Put a prefix before the names of the operations made in the with block; None or "" resets it."""
        if not name:
            path = ""
        elif name.endswith("/"):
            path = name
        else:
            if not (VALID_NAME if not self.scope else VALID_INNER_NAME).match(name):
                raise ValueError(f"'{name}' is not a valid scope name")
            path = self.unique_name(name) + "/"
        return changed(self, path, scope=path)

    def control_dependencies(self, control_inputs: Sequence[Any] | None) -> changed[None]:
        """Run the given operations before those made in the with block; None clears what is in force."""
        more = () if control_inputs is None else tuple(self._as_node(c) for c in control_inputs)
        return changed(self, controls=() if control_inputs is None else self.controls + more)

    def _as_node(self, element: Any) -> Node:
        if isinstance(element, Node):
            return element
        if hasattr(element, "_as_graph_element"):
            element = element._as_graph_element()
        if isinstance(element, self.output_type):
            return self.lift(element).op  # type: ignore[no-any-return]
        if isinstance(element, Node):
            return element
        if isinstance(getattr(element, "op", None), Node):
            return element.op  # type: ignore[no-any-return]
        if hasattr(element, "nptype"):
            return self.lift(element).op  # type: ignore[no-any-return]
        raise TypeError(f"Control input must be an operation, a tensor or a variable, not {element!r}.")

    def device(self, name: Any) -> changed[None]:
        """Note a device for the operations made in the with block; the executor decides where they run."""
        return changed(self, device_name="" if name is None or callable(name) else device_within(self.device_name, name))

    def colocate_with(self, op: Any, ignore_existing: bool = False) -> contextlib.nullcontext[None]:
        """Do nothing: everything is on one device."""
        return contextlib.nullcontext()

    def gradient_override_map(self, op_type_map: dict[str, str]) -> changed[None]:
        """Give the operations of these types that are made in the with block derivatives registered by name.

        The names are those of `RegisterGradient`.
        """
        return changed(self, overrides={**self.overrides, **op_type_map})

    def finalize(self) -> None:
        """Allow no more operations."""
        self.finalized = True

    def get_operations(self) -> list[Node]:
        """Return all operations in order."""
        return list(self.nodes)

    def get_operation_by_name(self, name: str) -> Node:
        """Return the operation of a name.

        Raises:
            KeyError: if there is none.
        """
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings, not {name!r}.")
        if name not in self.by_name:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
        return self.by_name[name]

    def get_tensor_by_name(self, name: str) -> Any:
        """Return the tensor of a name such as ``"add:0"``.

        Raises:
            ValueError: if the name has no output number.
            KeyError: if there is no such tensor.
        """
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings, not {name!r}.")
        op, _, number = name.partition(":")
        if not number.isdigit():
            raise ValueError(f'The name {name!r} is not that of a tensor: tensor names have the form "<op_name>:<output_index>".')
        if op not in self.by_name or int(number) >= len(self.by_name[op].outputs):
            raise KeyError(f"The name {name!r} refers to a Tensor which does not exist.")
        return self.by_name[op].outputs[int(number)]

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """Return the tensor or operation that an object or a name means."""
        if isinstance(obj, str):
            if ":" in obj and allow_tensor:
                return self.get_tensor_by_name(obj)
            if allow_operation:
                return self.get_operation_by_name(obj)
            raise ValueError(f'{obj!r} names an operation; its outputs are named "{obj}:0" and so on.')
        if hasattr(obj, "_as_graph_element"):
            obj = obj._as_graph_element()
        if isinstance(obj, Node):
            if obj.graph is not self:
                raise ValueError(f"Operation {obj!r} is not an element of this graph.")
            return obj
        if isinstance(obj, self.output_type):
            if obj.graph is not self:
                raise ValueError(f"Tensor {obj!r} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a Tensor or Operation.")

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Append a value to a named collection."""
        self.collections.setdefault(_key(name), []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Append a value to several collections."""
        several = (names,) if isinstance(names, str) else checks.listed(names, "add_to_collections", "names")
        for name in dict.fromkeys(_key(n) for n in several):
            self.add_to_collection(name, value)

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """Return a copy of a collection, of those whose name matches the scope where one is given."""
        items = list(self.collections.get(_key(name), ()))
        if scope is None:
            return items
        if not isinstance(scope, str):
            raise TypeError(f"get_collection: scope must be a string, a pattern of names, not {scope!r}.")
        try:
            pattern = re.compile(scope)
        except re.error as error:
            raise ValueError(f"get_collection: scope {scope!r} is no pattern of names: {error}.") from error
        return [item for item in items if pattern.match(getattr(item, "name", "") or "")]

    def get_collection_ref(self, name: Any) -> list[Any]:
        """Return the collection itself."""
        return self.collections.setdefault(_key(name), [])

    def clear_collection(self, name: Any) -> None:
        """Empty a collection."""
        self.collections.pop(_key(name), None)

    def get_all_collection_keys(self) -> list[Any]:
        """Return the names of all collections."""
        return list(self.collections)

    def get_name_scope(self) -> str:
        """Return the current scope without its last slash."""
        return self.scope.rstrip("/")

    def is_feedable(self, tensor: Any) -> bool:
        """Always True: every tensor can be fed."""
        return True

    def is_fetchable(self, tensor: Any) -> bool:
        """Always True."""
        return True

    def prevent_feeding(self, tensor: Any) -> None:
        """Accept, and do nothing."""

    def switch_to_thread_local(self) -> None:
        """Accept, and do nothing."""

    @property
    def version(self) -> int:
        """The number of operations made so far."""
        return len(self.nodes)

    def as_graph_def(self, *arguments: Any, **keywords: Any) -> GraphPicture:
        """Return the nodes, each with its name, type and inputs, to be looked at."""
        return GraphPicture(self.nodes)


_DEVICE = re.compile(r"(?:device:)?(cpu|gpu|tpu|xla_cpu|xla_gpu)(?::(\d+|\*))?\Z", re.IGNORECASE)


def outside_functions(graph: WengertList | None) -> WengertList | None:
    """Return the static graph that a graph is in, or is; None where what is around all functions is eager code."""
    while graph is not None and graph.building_function:
        graph = graph.outer
    return graph


def device_within(outer: str, name: Any) -> str:
    """Return a device's name in full, completed by that of the device around it.

    >>> device_within("/job:w", "/gpu:1"), device_within("", "cpu")
    ('/job:w/device:GPU:1', '/device:CPU:*')

    Raises:
        ValueError: if it is no name of a device.
    """
    parts = {**_device_parts(outer), **_device_parts(name)}
    return "".join(f"/{k}:{parts[k]}" for k in ("job", "replica", "task", "device") if k in parts)


def _device_parts(name: Any) -> dict[str, str]:
    """Return job, replica, task and device of a name, those that it has."""
    if not isinstance(name, str):
        raise ValueError(f"Expecting a string device name. Got {type(name).__name__} ({name!r}).")
    found: dict[str, str] = {}
    for part in filter(None, name.split("/")):
        key, _, value = part.partition(":")
        if key in ("job", "replica", "task") and value:
            found[key] = value
            continue
        given = _DEVICE.match(part)
        if given is None:
            raise ValueError(f"Unknown attribute {part!r} is encountered while parsing the device spec: {name!r}.")
        if "device" in found:
            raise ValueError(f"Multiple device types are not allowed while parsing the device spec: {name}.")
        found["device"] = f"{given[1].upper()}:{given[2] or '*'}"
    return found


class _Default(current[WengertList]):
    """A with block whose operations are appended to a graph."""

    def __init__(self, graph: WengertList, sessions: Sequence[Uncopied]) -> None:
        super().__init__(graph)
        self._graph, self._sessions = graph, tuple(sessions)

    def __enter__(self) -> WengertList:
        before = state.graph
        observers = () if before is None else state.observers
        self._values.update(graph=self._graph, graphs=(*state.graphs, before), observers=observers)
        if self._sessions:
            self._values["sessions"] = (*state.sessions, *self._sessions)
        return super().__enter__()


def overridden(node: Node, result: Any) -> Any:
    """Return an operation's result with the derivative that is registered under the name in force in its graph.

    Raises:
        LookupError: if none is.
    """
    graph = node.graph
    name, before = graph.overrides[node.type], graph.overrides
    if name not in gradient_functions:
        raise LookupError(f"gradient registry has no entry for: {name}")
    graph.overrides = {}
    try:
        return gradient_functions[name](node, result)
    finally:
        graph.overrides = before


def _key(name: Any) -> Any:
    """Return the name of a collection.

    Raises:
        TypeError: for a list, an array and whatever else cannot name anything.
    """
    try:
        hash(name)
    except TypeError as error:
        raise TypeError(f"A collection is named by a string, not {name!r}.") from error
    return name
