"""The list of operations as a graph: boxes in layers, as SVG."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wengert.ground.display import cut, escaped, short

__all__ = ["Box", "Mark", "layout", "picture"]

BOX, GAP, LOW, TALL = 148, 22, 36, 52  # width and distance of boxes, height of a plain one and of one with a fault
Point = tuple[float, float]
Edge = tuple[float, float, float, float, float]
"""From x, y to x, y, and then down to y: farther only where it passes through a layer."""


class Box(NamedTuple):
    """An operation to be drawn."""

    number: int
    operation: str
    where: str
    """The user's line."""
    reads: Sequence[int]
    """The numbers of those that it reads."""


class Mark(NamedTuple):
    """What is said in a box beside the operation: of which style, in a line, and all of it."""

    style: str
    label: str
    told: Sequence[str]


def picture(boxes: Sequence[Box], marks: Mapping[int, Mark] | None = None, identified: bool = False) -> str:
    """Return the list as SVG, with marks in the boxes that have one. ``identified``: a link can lead to a box."""
    marks = marks or {}
    places = {box.number: k for k, box in enumerate(boxes)}
    reads = [sorted({places[n] for n in box.reads if places.get(n, k) < k}) for k, box in enumerate(boxes)]
    at, edges, width, height = layout(reads, [TALL if k in marks else LOW for k in range(len(boxes))])
    long = " long" if height > 2000 else ""  # on paper: more than one page
    parts = [f'<svg class="drawn list{long}" role="group" width="{width:.0f}" height="{height:.0f}" '
             f'viewBox="0 0 {width:.0f} {height:.0f}" '
             f'aria-label="The list of operations as a graph, {len(boxes)} operations">', '<g class="edges">']  # fmt: skip
    parts += [_curve(edge) for edge in edges]
    parts.append("</g>")
    parts += [_box(k, box, at[k], marks.get(k), identified) for k, box in enumerate(boxes)]
    return "\n".join([*parts, "</svg>"])


def _box(k: int, box: Box, at: Point, mark: Mark | None, identified: bool) -> str:
    x, y = at
    told = [f"{box.number}: {box.operation}", box.where, *(() if mark is None else mark.told)]
    identity = f'id="node-{k}" ' if identified else ""
    label = "" if mark is None else f'<text class="kind" x="{x:.1f}" y="{y + 45:.1f}">{cut(mark.label, 23)}</text>'
    return (
        f'<g {identity}class="node {mark.style if mark else ""}"><title>{escaped(chr(10).join(t for t in told if t))}</title>'
        f'<rect x="{x - BOX / 2:.1f}" y="{y:.1f}" width="{BOX}" height="{TALL if mark else LOW}" rx="4"/>'
        f'<text class="operation" x="{x:.1f}" y="{y + 15:.1f}">{cut(box.operation, 19)}</text>'
        f'<text class="place" x="{x:.1f}" y="{y + 29:.1f}">{escaped(short(box.where))}</text>{label}</g>'
    )


def _curve(edge: Edge) -> str:
    x, y, a, upper, lower = edge
    at = upper if lower > upper else upper - 4  # a line ends within its arrow's tip
    middle = (y + at) / 2
    curve = f"M{x:.1f} {y:.1f}C{x:.1f} {middle:.1f} {a:.1f} {middle:.1f} {a:.1f} {at:.1f}"
    if lower > upper:
        return f'<path d="{curve}V{lower:.1f}"/>'
    return f'<path d="{curve}"/><path class="tip" d="M{a - 3:.1f} {upper - 7:.1f}h6l-3 7z"/>'


def layout(reads: list[list[int]], heights: list[int]) -> tuple[list[Point], list[Edge], float, float]:
    """Return where the boxes lie (centre, top), the edges, and the size: layers, as Sugiyama and others draw them.

    An edge over several layers passes through one thin place in each, which all edges from the same box share.
    """
    level, readers = _levels(reads)
    count = len(reads)
    above: list[list[int]] = [[] for _ in reads]
    below: list[list[int]] = [[] for _ in reads]
    for k in range(count):
        chain = [k]
        for depth in range(level[k] + 1, max((level[r] for r in readers[k]), default=0)):
            level.append(depth)
            above.append([chain[-1]])
            below[chain[-1]].append(len(above) - 1)
            below.append([])
            chain.append(len(above) - 1)
        for r in readers[k]:
            last = chain[level[r] - level[k] - 1]
            below[last].append(r)
            above[r].append(last)
    layers = _ordered(level, above, below)
    wide = [BOX + GAP if v < count else 2 * GAP for v in range(len(level))]
    x = _columns(layers, above, below, wide)
    top, bottom, y = [], [], 4.0
    for layer in layers:
        tall = max((heights[v] for v in layer if v < count), default=LOW)
        top.append(y)
        bottom.append(y + tall)
        y += tall + 30
    at = [(x[v], top[level[v]] + (bottom[level[v]] - top[level[v]] - heights[v]) / 2) for v in range(count)]

    edges = []
    for v, lower in enumerate(below):
        start = at[v][1] + heights[v] if v < count else bottom[level[v]]
        for w in lower:
            edges.append((x[v], start, x[w], *((at[w][1],) * 2 if w < count else (top[level[w]], bottom[level[w]]))))
    return at, edges, max(a + w / 2 for a, w in zip(x, wide, strict=True)), y - 26


def _levels(reads: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """Return the layer of each box, by the longest path to it, and who reads it."""
    level: list[int] = []
    readers: list[list[int]] = [[] for _ in reads]
    for k, sources in enumerate(reads):
        level.append(1 + max((level[s] for s in sources), default=-1))
        for s in sources:
            readers[s].append(k)
    for k in reversed(range(len(reads))):  # down to its readers, where that makes no edge longer than it makes others shorter
        if readers[k] and len(reads[k]) <= len(readers[k]):
            level[k] = min(level[r] for r in readers[k]) - 1
    return level, readers


def _ordered(level: list[int], above: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    """Return the layers, each in the order of the barycentres of the neighbours, swept down and up."""
    layers: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for v, depth in enumerate(level):
        layers[depth].append(v)
    rank = {v: float(k) for layer in layers for k, v in enumerate(layer)}
    for sweep in range(12):
        beside = above if sweep % 2 == 0 else below
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda v: sum(rank[n] for n in beside[v]) / len(beside[v]) if beside[v] else rank[v])
            rank.update({v: float(k) for k, v in enumerate(layer)})
    return layers


def _columns(layers: list[list[int]], above: list[list[int]], below: list[list[int]], wide: list[int]) -> list[float]:
    """Return the centres: each near the mean of its neighbours', as far as the order and the widths in its layer allow.

    The last sweep goes up, so that a chain stands straight above what reads it.
    """
    x = [0.0] * len(wide)
    for sweep in range(24):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            offsets, blocks = [0.0], []
            for a, b in itertools.pairwise(layer):
                offsets.append(offsets[-1] + (wide[a] + wide[b]) / 2)
            for v, offset in zip(layer, offsets, strict=True):
                beside = above[v] if sweep % 2 == 0 else below[v]
                wish = sum(x[n] for n in beside) / len(beside) if beside else x[v]
                blocks.append((wish - offset, 1))
                while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:  # isotonic least squares: pool what would overlap
                    (p, m), (q, n) = blocks[-2:]
                    blocks[-2:] = [((p * m + q * n) / (m + n), m + n)]
            fitted = [value for value, n in blocks for _ in range(n)]
            for v, value, offset in zip(layer, fitted, offsets, strict=True):
                x[v] = value + offset
    left = min(a - w / 2 for a, w in zip(x, wide, strict=True))
    return [a - left for a in x]
