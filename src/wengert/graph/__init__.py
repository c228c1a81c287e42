"""Nodes and graphs: the list of operations that a program is."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return ``Graph``, whose outputs are tensors and which stands with them: programs ask for it here."""
    if name == "Graph":
        from wengert.tensor.tensor import Graph

        return Graph
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
