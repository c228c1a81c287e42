"""Lists of operations as a notebook shows them: drawn, folded, cut where they are long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from wengert.graph.graph import WengertList
from wengert.graph.node import Node
from wengert.ground import display
from wengert.ground.drawing import Box, picture
from wengert.ops.linear import CONSTANT, PLACEHOLDER
from wengert.ops.state import HANDLE

__all__ = ["MOST", "boxes", "drawn"]

MOST = 120
"""Operations of a picture; no more are looked at."""
UNFOLDED = 12
"""Up to which a picture is seen at once."""


def boxes(nodes: Iterable[Node]) -> Iterator[Box]:
    """Iterate over the operations of a list as they are drawn: without constants, which tell nothing of how it hangs together."""
    numbers: dict[Node, int] = {}
    for node in nodes:
        if node.op is not CONSTANT:
            numbers[node] = len(numbers)
            reads = sorted({numbers[t.node] for t in node.inputs if t.node in numbers})
            yield Box(numbers[node], node.op.name, "" if node.site is None else node.where, reads)


def drawn(graph: WengertList) -> str:
    """Return the HTML of a graph: what is in it, and its picture."""
    found = list(islice(boxes(graph.nodes), MOST + 1))
    count = len(graph.nodes)
    first = graph.nodes[:10000]
    places = sum(node.op is PLACEHOLDER for node in first)
    handles = sum(node.op is HANDLE for node in first)
    more = "" if count == len(first) else " or more"
    head = display.heading(
        type(graph).__name__, getattr(graph, "name", ""), operations=f"{count:,}", placeholders=f"{places}{more}",
        variables=f"{handles}{more}",
    )  # fmt: skip
    if not found:
        return head
    said = "An arrow leads from an operation to those that read it; constants are left out."
    if len(found) > MOST:
        found.pop()
        said += f" The first {MOST} of {count:,} operations are shown."
    svg = f'<div class="scroll tall">{picture(found)}</div>{display.paragraph(said)}'
    return head + display.fold("The list of operations", svg, len(found) <= UNFOLDED)
