"""A graph as its nodes and what each is of, to be looked at: what TensorFlow calls a graph definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wengert.graph.node import Node

__all__ = ["GraphPicture", "NodePicture"]


class NodePicture(NamedTuple):
    """An operation: its name, its type, the names of its inputs, and its device."""

    name: str
    op: str
    input: list[str]
    device: str

    def __str__(self) -> str:
        inputs = "".join(f'  input: "{name}"\n' for name in self.input)
        device = f'  device: "{self.device}"\n' if self.device else ""
        return f'  name: "{self.name}"\n  op: "{self.op}"\n{inputs}{device}'


class GraphPicture:
    """The nodes of a graph, in the order in which they were made."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Look at nodes."""
        self.node = [NodePicture(n.name, n.type, _inputs(n), n.device or "") for n in nodes]

    def SerializeToString(self) -> bytes:
        """Refuse: graphs are not written as protocol buffers.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("GraphDef.SerializeToString: graphs are not written as protocol buffers here.")

    def __str__(self) -> str:
        return "".join(f"node {{\n{node}}}\n" for node in self.node)


def _inputs(node: Node) -> list[str]:
    """Return the names of a node's inputs: the first output of an operation is called after it, a control input has a mark."""
    controls = [c for c in node.control_inputs if all(t.node is not c for t in node.inputs)]
    return [t.name.removesuffix(":0") for t in node.inputs] + [f"^{c.name}" for c in controls]
