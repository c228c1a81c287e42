"""What stands for a variable in graphs: its handle, and what it was read as there."""

from __future__ import annotations

from typing import Any

from wengert.graph.node import Node
from wengert.ground.context import state
from wengert.modes.assignment import Assignable
from wengert.ops.state import HANDLE, READ
from wengert.tensor.tensor import (
    EagerTensor,
    Graph,
    SymbolicTensor,
    append,
)

__all__ = ["Handled"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Handled(Assignable):
    """A variable as graphs see it."""

    def current(self) -> EagerTensor:
        """Return the value as an eager tensor."""
        raise NotImplementedError

    def handle_in(self, graph: Graph) -> SymbolicTensor:
        """Return the tensor of a graph that stands for the variable itself."""
        handle: SymbolicTensor | None = graph.handles.get(self.n)
        if handle is None:
            outer = getattr(graph, "handle_of", None)
            if outer is not None:
                handle = outer(self)
            else:
                spec = [(self.sizes, self.nptype)]
                name = self._name if graph is self._graph else graph.unique_name(self._name + "_handle")
                controls, graph.controls = graph.controls, ()
                scope, graph.scope = graph.scope, ""
                try:
                    node = graph.append(HANDLE, (), {"variable": self}, spec, name.removesuffix("/") + "/")
                finally:
                    graph.controls, graph.scope = controls, scope
                handle = node.outputs[0]
            assert handle is not None
            graph.handles[self.n] = handle
        return handle

    def _read_in(self, graph: Graph) -> Any:
        """Read in a graph: once, and anew after an assignment or where there is something to wait for."""
        handle = self.handle_in(graph)
        kept = graph.reads.get(handle.n)
        if kept is None or kept[1] != graph.controls:
            before, state.observers = state.observers, ()
            try:
                name = f"{self._name}/Read/ReadVariableOp/" if kept is None and graph is self._graph else None
                kept = graph.reads[handle.n] = (append(graph, READ, (handle,), {}, name), graph.controls)
            finally:
                state.observers = before
        for observer in state.observers:
            observer.read_in(self, handle, kept[0])
        return kept[0]

    def tell(self, graph: Graph, observer: Any) -> None:
        """Tell an observer what stands for the variable in a graph, and as what its present value was read there."""
        handle = self.handle_in(graph)
        kept = graph.reads.get(handle.n)
        observer.captured(self, handle)
        if kept is not None:
            observer.read_in(self, handle, kept[0])

    @property
    def op(self) -> Node:
        """The operation of its handle."""
        if self._graph is None:
            raise AttributeError("Tensor.op is undefined when eager execution is enabled.")
        return self.handle_in(self._graph).op

    @property
    def handle(self) -> Any:
        """The tensor that stands for the variable itself."""
        return self.handle_in(state.graph) if state.graph is not None else self.current()

    @property
    def graph(self) -> Any:
        """The graph that it was made in."""
        return self._graph if self._graph is not None else state.graph
