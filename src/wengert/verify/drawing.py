"""The list of operations as a graph, with those marked that are at fault."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.ground.drawing import Box, Mark, picture
from wengert.verify import words
from wengert.verify.findings import Fault, Findings

__all__ = ["drawn", "section"]


def section(report: Findings) -> str:
    """Return the section: what the report has of the list, with the operations marked that are at fault."""
    svg, legend = drawn(report, identified=True)
    if not svg:
        return ""
    return (
        '<section id="graph">\n<h2>The list of operations</h2>\n<figure>\n<div class="scroll" tabindex="0" role="region" '
        f'aria-label="Graph, scrollable">\n{svg}</div>\n<figcaption>{legend}</figcaption>\n</figure>\n</section>'
    )


def drawn(report: Findings, identified: bool = False) -> tuple[str, str]:
    """Return the picture of what the report has of the list, and the sentence below it; nothing where it has none."""
    nodes = list(report.graph or ())
    if not nodes:
        return "", ""
    faults: dict[int, list[Fault]] = {}
    for f in report.faults:
        for k, node in enumerate(nodes):
            if f.operation and (node[1], node[2]) == (f.operation, f.where):
                faults.setdefault(k, []).append(f)
    legend = "Top to bottom: an arrow leads from an operation to those that read it. Inputs and constants are left out."
    if len(faults) > len({(nodes[k][1], nodes[k][2]) for k in faults}):
        legend += " Where a line applies an operation more than once, each is marked."
    if len(nodes) >= 200:
        legend += f" The first {len(nodes)} operations are shown."
    boxes = [Box(*node) for node in nodes]
    return picture(boxes, {k: _mark(found) for k, found in faults.items()}, identified), legend


def _mark(faults: Sequence[Fault]) -> Mark:
    kinds = sorted(dict.fromkeys(f.kind for f in faults), key=lambda kind: kind in words.SEVERITY)
    kind = kinds[0] + (f" and {len(kinds) - 1} more" if len(kinds) > 1 else "")
    return Mark(
        f"fault {words.SEVERITY.get(kinds[0], 'wrong')}",
        f"{words.sign(kinds[0])} {kind}",
        [f"{f.kind}: {f.text}" for f in faults],
    )
