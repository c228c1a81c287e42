"""A node: one operation of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wengert.ground.context import Site, default_session
from wengert.ground.copies import Uncopied

if TYPE_CHECKING:
    from wengert.graph.graph import WengertList

__all__ = ["Node"]


class Node(Uncopied):
    """One operation of a list: what it is, what it reads, and where the user asked for it."""

    __slots__ = ("__weakref__", "attrs", "control_inputs", "device", "graph", "index", "inputs", "name", "op", "outputs",
                 "site")  # fmt: skip

    def __init__(self, graph: WengertList, op: Any, inputs: tuple[Any, ...], attrs: dict[str, Any], name: str) -> None:
        """Make the node; the list's `append` gives it its outputs and its place."""
        self.graph, self.op, self.inputs, self.attrs, self.name = graph, op, inputs, attrs, name
        self.index = -1
        self.outputs: tuple[Any, ...] = ()
        self.control_inputs: tuple[Node, ...] = ()
        self.site: tuple[Any, ...] | None = None
        self.device = ""

    def _instead(self) -> str:
        return f"The operation {self.name} is part of a graph, and neither copied nor pickled: pickle what sess.run() returns."

    @property
    def type(self) -> str:
        """TensorFlow's name for the kind of operation, as ``MatMul``."""
        return str(self.op.type)

    @property
    def where(self) -> str:
        """The user's file and line."""
        return str(Site(*self.site)) if self.site is not None else "an unknown place"

    @property
    def values(self) -> Callable[[], tuple[Any, ...]]:
        """TensorFlow's method that returns the outputs."""
        return lambda: self.outputs

    @property
    def node_def(self) -> Node:
        """The node itself: there are no protocol buffers here."""
        return self

    @property
    def op_def(self) -> Any:
        """The operation's record."""
        return self.op

    @property
    def traceback(self) -> list[str]:
        """The user's line."""
        return [self.where]

    def get_attr(self, name: str) -> Any:
        """Return an attribute.

        Raises:
            ValueError: if the operation has none of this name.
        """
        if name in ("T", "dtype") and name not in self.attrs and self.outputs:
            return self.outputs[0].dtype
        if name == "N":
            return len(self.inputs)
        name = {"transpose_a": "ta", "transpose_b": "tb"}.get(name, name)
        if name in ("ta", "tb") and name not in self.attrs:
            return False
        if name not in self.attrs:
            raise ValueError(f"Operation '{self.name}' has no attr named '{name}'.")
        return self.attrs[name]

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run this operation in the given or the default session."""
        default_session(session).run(self, feed_dict)

    def colocation_groups(self) -> list[bytes]:
        """Return the group of the node alone: everything is on one device."""
        return [b"loc:@" + self.name.encode()]

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"
