"""The row proof: that row i of a value depends on row i of another alone.

A walk down the list carries, for each value that depends on the source, the axis along which its rows lie. Each
operation has a rule for that axis; one that mixes rows, or has no rule, ends the proof with a reason. The proof is one
of structure: it is never wrong, and may miss what only the numbers show.
"""

from __future__ import annotations

from collections.abc import Sequence

from wengert.graph.node import Node
from wengert.ops.rows import Refused, row_axes

__all__ = ["Rows"]


class Rows:
    """The proof for some sources: axes of the values that depend on them, reasons for those of which nothing is known."""

    def __init__(self, sources: dict[int, int], upto: int, stops: frozenset[int] = frozenset(), values: bool = False) -> None:
        """Take the sources' axes of rows by number, and the position in the list to begin at.

        ``values``: follow what has no derivative too (comparisons, stopped gradients): not only derivatives, the values
        themselves are to depend on their row alone.
        """
        self.stops, self.values = stops, values
        self.axes: dict[int, int] = dict(sources)
        self.mixed: dict[int, str] = {}
        """Values that depend on the source in another way, and why."""
        self.upto = upto

    def advance(self, nodes: Sequence[Node], upto: int) -> None:
        """Walk on to a position of the list."""
        axes, mixed = self.axes, self.mixed
        for at in range(self.upto, upto):
            node = nodes[at]
            if node.op.kind == "constant" and not self.values:
                continue
            skipped = () if self.values else node.op.constant_inputs
            found = [None if i in skipped else axes.get(t.n) for i, t in enumerate(node.inputs)]
            broken = next((mixed[t.n] for i, t in enumerate(node.inputs) if t.n in mixed and i not in skipped), None)
            if broken is None and not any(a is not None for a in found):
                continue
            if broken is None:
                try:
                    results = row_axes(node, found)
                    for t, axis in zip(node.outputs, results, strict=True):
                        if axis is not None and t.n not in self.stops:
                            axes[t.n] = axis
                    continue
                except Refused as refusal:
                    broken = f"{refusal} ({node.where})"
            for t in node.outputs:
                if t.n not in self.stops:
                    mixed[t.n] = broken
        self.upto = max(self.upto, upto)
