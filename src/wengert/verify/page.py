"""A page of one file for what a check found: verdict, faults, pictures, all rows; it loads nothing and reads without script."""

from __future__ import annotations

import html
import itertools
import linecache
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from wengert.verify.findings import ROADS, Fault, Row

if TYPE_CHECKING:
    from wengert.verify.report import Report

__all__ = ["page"]

STATUSES = {
    "wrong": ("✗", "the value disagrees with the oracle"),
    "undecided": ("?", "no verdict is possible here: a kink, a jump, or an oracle that cannot tell"),
    "inaccurate": ("≈", "the rule is right, and rounding leaves few digits"),
    "right": ("✓", "the value agrees with the oracle"),
    "skipped": ("·", "the road was not taken"),
}
"""Sign and meaning of each status, worst first."""

SEVERITY = {"kink": "undecided", "jump": "undecided", "undefined": "undecided",
            "saturation": "inaccurate", "cancellation": "inaccurate", "ill-conditioned": "inaccurate"}  # fmt: skip
"""The status that a kind of fault leads to, where it is not wrong: it lies in the function or in its rounding, not in a rule."""

ROUNDOFF = {"float64": 15.95, "complex128": 15.95, "float32": 7.22, "complex64": 7.22, "float16": 3.31, "bfloat16": 2.41}
"""Digits of each arithmetic: minus the decimal logarithm of half the distance from 1 to the next number."""


def page(report: Report, title: str) -> str:
    """Return the page: HTML of one file that needs nothing else, all user text escaped.

    >>> from wengert.verify.findings import Row
    >>> from wengert.verify.report import Report
    >>> row = Row("f", "x x", 2, "tape", "float64", "right", 4.0, 4.0, 15.9, "")
    >>> text = page(Report([row]), "f(x) at x < 1")
    >>> text.startswith("<!doctype html>"), "f(x) at x &lt; 1" in text, "http" in text.replace("http-equiv", "")
    (True, True, False)
    """
    parts = [_verdict(report), _faults(report), _notes(report), _orders(report), _graph(report), _table(report), _legend(report)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        # Nothing can be loaded, whatever stands in the page.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">\n"
        f"<title>{_text(title)}: {report.verdict}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><p class='maker'>wengert check</p><h1>{_text(title)}</h1></header>\n<main>\n"
        + "\n".join(p for p in parts if p)
        + f"\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


# --- words ------------------------------------------------------------------------------------------------------------------


def _text(x: object) -> str:
    """Return user text escaped; what no HTML file can hold (control characters, lone surrogates) becomes U+FFFD."""
    return html.escape(re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", str(x)))


def _number(x: float | None) -> str:
    return "" if x is None else f"{x:.9g}"


def _counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _chip(status: str, after: str = "", before: str = "") -> str:
    sign, meaning = STATUSES.get(status, ("", status))
    return f'<span class="chip {_class(status)}" title="{_text(meaning)}">{sign} {before}{_text(status)}{after}</span>'


def _class(status: str) -> str:
    return status if status in STATUSES else "skipped"


def _tally(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many rows have each status, worst first."""
    found = [r.status for r in rows]
    known = [*STATUSES, *dict.fromkeys(s for s in found if s not in STATUSES)]
    return {s: found.count(s) for s in known if s in found}


def _worst(rows: Iterable[Row]) -> str:
    return next(iter(_tally(rows)))


def _short(where: str, most: int = 22) -> str:
    """Return the file's name and the line, without folders, cut at the left."""
    name = re.split(r"[/\\]", where)[-1]
    return name if len(name) <= most else "…" + name[1 - most :]


def _by(derivative: str) -> str:
    """Return a derivative as mathematics, in plain text.

    >>> _by("x x t")
    '∂³ / ∂x² ∂t'
    """
    names = derivative.split()
    runs = [(name, len(list(same))) for name, same in itertools.groupby(names)]
    return f"∂{_power(len(names))} / " + " ".join(f"∂{n}{_power(k)}" for n, k in runs) if names else "no derivative"


def _power(k: int) -> str:
    return str(k).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if k > 1 else ""


def _roads(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(r.road for r in rows))


# --- verdict, faults, notes -------------------------------------------------------------------------------------------------


def _verdict(report: Report) -> str:
    tally = _tally(report.rows)
    judged = [r for r in report.rows if r.status not in ("skipped", "undecided")]
    dull = tally.get("inaccurate", 0)
    n = len(judged)
    compared = _counted(n, "comparison", "comparisons")
    if report.verdict == "wrong":
        wrong = tally["wrong"]
        said = f"{wrong} of {compared} with the oracle {'disagrees' if wrong == 1 else 'disagree'}."
    elif report.verdict == "right":
        said = f"Each of {compared} with the oracle agrees." if n > 1 else "The one comparison with the oracle agrees."
    else:
        said = "No derivative could be judged." if report.rows else "Nothing was compared."
    if dull:
        said += f" {_counted(dull, 'keeps', 'keep')} few digits, by rounding; no rule is at fault there."
    facts = []
    orders = sorted({r.order for r in report.rows if r.order})
    if orders:
        facts.append(("Orders", f"{orders[0]} to {orders[-1]}" if len(orders) > 1 else str(orders[0])))
        facts.append(("Derivatives", str(len({(r.function, r.derivative) for r in report.rows if r.order}))))
    for kind in dict.fromkeys(r.arithmetic for r in report.rows):
        rows = [r for r in judged if r.arithmetic == kind]
        kept = [r.digits for r in rows if r.digits is not None and r.status != "wrong"]
        if kept:
            facts.append((f"Fewest digits, {_text(kind)}", f"{min(kept):.1f}"))
    shown = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts)
    return (
        f'<section id="verdict" class="{_class(report.verdict)}">\n<p class="verdict"><strong>{STATUSES[report.verdict][0]} '
        f"{report.verdict.capitalize()}.</strong> {said}</p>\n"
        f'<p class="chips">{" ".join(_chip(s, before=f"{c} ") for s, c in tally.items())}</p>\n'
        + (f'<dl class="facts">{shown}</dl>\n' if facts else "") + "</section>"
    )  # fmt: skip


def _faults(report: Report) -> str:
    groups: dict[tuple[str, str, str], list[tuple[int, Fault]]] = {}
    for k, f in enumerate(report.faults):
        groups.setdefault((f.kind, f.operation, f.where), []).append((k, f))
    if not groups:
        return ""
    items = []
    for (kind, operation, where), found in groups.items():
        nodes = [k for k, node in enumerate(report.graph or ()) if (node[1], node[2]) == (operation, where)]
        source = _source(where)
        links = ", ".join(f'<a href="#node-{k}">operation {report.graph[k][0]}</a>' for k in nodes)
        items.append(
            f'<li class="{SEVERITY.get(kind, "wrong")}"><h3>{_sign(kind)} {_text(kind)}'
            + (f": <code>{_text(operation)}</code>" if operation else "") + "</h3>\n"
            + (f'<p class="where">at <code>{_text(where)}</code></p>\n' if where else "")
            + (f"<pre><code>{_text(source)}</code></pre>\n" if source else "")
            + "".join(f'<div class="finding" id="fault-{k}"><p>{_text(f.text)}</p>'
                      + (f'<p class="inputs">inputs <code>{_text(f.inputs)}</code></p>' if f.inputs else "") + "</div>\n"
                      for k, f in found)
            + (f"<p class='where'>in the graph: {links}</p>\n" if nodes else "") + "</li>"
        )  # fmt: skip
    return '<section id="faults">\n<h2>Whose fault it is</h2>\n<ol class="faults">\n' + "\n".join(items) + "\n</ol>\n</section>"


def _sign(kind: str) -> str:
    return STATUSES[SEVERITY.get(kind, "wrong")][0]


def _source(where: str) -> str:
    """Return the user's line itself, where its file can be read."""
    path, _, line = where.rpartition(":")
    return linecache.getline(path, int(line)).strip() if path and line.isdecimal() else ""


def _notes(report: Report) -> str:
    if not report.notes:
        return ""
    return (
        '<section id="notes">\n<h2>Notes</h2>\n<ul>' + "".join(f"<li>{_text(n)}</li>" for n in report.notes) + "</ul>\n</section>"
    )


# --- the error by order -----------------------------------------------------------------------------------------------------

WIDE, HIGH = 360, 250  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 62, 352, 40, 212  # of the area in it that holds data


def _orders(report: Report) -> str:
    """Return a panel for each arithmetic: marks for the exact one, else the error of each row on a logarithmic axis."""
    rows = [r for r in report.rows if r.order and r.status != "skipped"]
    if not rows:
        return ""
    orders = sorted({r.order for r in rows})
    kinds = list(dict.fromkeys(r.arithmetic for r in rows))
    runs = [k for k in kinds if k != "exact"]
    top = max([8.0, *(min(r.digits, 17.0) for r in rows if r.digits is not None), *(ROUNDOFF.get(k, 0.0) for k in runs)])
    top = 17.0 if top > 15.0 else top
    panels = [_exact(orders, [r for r in rows if r.arithmetic == "exact"])] if "exact" in kinds else []
    panels += [_errors(orders, kind, [r for r in rows if r.arithmetic == kind], top) for kind in runs]
    said = []
    if "exact" in kinds:
        said.append("Exact: each road's rules in arithmetic of many digits, where a value is right or wrong; the number counts "
                    "derivatives.")  # fmt: skip
    if runs:
        said.append("Error: 10 to the power of minus the digits kept, a mark for each derivative; the line joins the worst of "
                    "each order that is not wrong. Lower is better; the dashed line is the unit roundoff.")  # fmt: skip
    if any(r.digits is None and r.status == "undecided" for r in rows if r.arithmetic != "exact"):
        said.append("A question mark above the axis is a derivative that cannot be decided.")
    return (
        '<section id="orders">\n<h2>Error by order</h2>\n<figure>\n<div class="panels">\n'
        + "\n".join(panels)
        + f"\n</div>\n<figcaption>{' '.join(said)}</figcaption>\n</figure>\n</section>"
    )


def _frame(name: str, orders: Sequence[int], described: str) -> tuple[list[str], float]:
    """Return the parts that every panel has, and the width of a column."""
    step = (RIGHT - LEFT) / len(orders)
    parts = [f'<svg class="panel" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{_text(described)}">',
             f'<text class="name" x="{LEFT}" y="14">{_text(name)}</text>']  # fmt: skip
    parts += [f'<text class="tick" x="{LEFT + step * (k + 0.5):.1f}" y="{BOTTOM + 16}" text-anchor="middle">{order}</text>'
              for k, order in enumerate(orders)]  # fmt: skip
    parts.append(f'<text class="axis" x="{(LEFT + RIGHT) / 2:.1f}" y="{BOTTOM + 32}" text-anchor="middle">order</text>')
    return parts, step


def _exact(orders: Sequence[int], rows: Sequence[Row]) -> str:
    parts, step = _frame("exact arithmetic", orders, f"Exact arithmetic, by road and order: {_in_words(rows)}")
    roads = _roads(rows)
    tall = min(60.0, (BOTTOM - TOP) / len(roads))
    first = BOTTOM - tall * len(roads)
    for j, road in enumerate(roads):
        y = first + tall * j
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + tall / 2 + 4:.1f}" text-anchor="end">{_text(road)}</text>')
        for k, order in enumerate(orders):
            cell = [r for r in rows if (r.road, r.order) == (road, order)]
            if not cell:
                continue
            worst = _worst(cell)
            bad = sum(r.status == worst for r in cell)
            count = str(bad) if bad == len(cell) else f"{bad}/{len(cell)}"
            x = LEFT + step * k
            told = f"{road}, order {order}: {_in_words(cell)}" + "".join(
                f"\n{r.status}: {_by(r.derivative)}" for r in cell if r.status != "right"
            )
            parts.append(
                f'<g class="cell {_class(worst)}"><title>{_text(told)}</title><rect x="{x + 1:.1f}" y="{y + 1:.1f}" '
                f'width="{step - 2:.1f}" height="{tall - 2:.1f}" rx="2"/><text x="{x + step / 2:.1f}" y="{y + tall / 2 + 4:.1f}" '
                f'text-anchor="middle">{STATUSES.get(worst, ("",))[0]} {count}</text></g>'
            )
    return "\n".join([*parts, "</svg>"])


def _errors(orders: Sequence[int], kind: str, rows: Sequence[Row], top: float) -> str:
    parts, step = _frame(kind, orders, f"Error by order in {kind}: {_in_words(rows)}")

    def height(digits: float) -> float:
        return TOP + (BOTTOM - TOP) * min(max(digits, 0.0), top) / top

    for digits in range(0, int(top) + 1, 4):
        y = height(digits)
        power = f'10<tspan dy="-4" class="power">&minus;{digits}</tspan>' if digits else "1"
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
                     f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{power}</text>')  # fmt: skip
    middle = (TOP + BOTTOM) / 2
    parts.append(f'<text class="axis" transform="translate(14 {middle})rotate(-90)" text-anchor="middle">error</text>')
    if kind in ROUNDOFF:
        parts.append(f'<path class="roundoff" d="M{LEFT} {height(ROUNDOFF[kind]):.1f}H{RIGHT}"/>')
    roads = _roads(rows)
    slot = step / (len(roads) + 0.6)
    for j, road in enumerate(roads):
        line, marks = [], []
        for k, order in enumerate(orders):
            here = [r for r in rows if (r.road, r.order) == (road, order)]
            x = LEFT + step * k + slot * (j + 0.8)
            kept = [r.digits for r in here if r.digits is not None and r.status != "wrong"]
            if kept:
                line.append(f"{x:.1f} {height(min(kept)):.1f}")
            for i, r in enumerate(here):
                # A row without digits stands above the axis: nothing is kept, or nothing is known.
                y = height(r.digits) if r.digits is not None else height(0.0) - (8 if r.status != "wrong" else 0)
                at = x + slot * 0.6 * ((i + 0.5) / len(here) - 0.5)
                told = f"{_by(r.derivative)} by {road} {kind}: {r.status}"
                told += f", {r.digits:.1f} digits" if r.digits is not None else ""
                marks.append((r.status == "wrong", f'<g class="mark {_class(r.status)}"><title>{_text(told)}</title>'
                              f"{_mark(r.status, j, at, y)}</g>"))  # fmt: skip
        parts.append(f'<g class="road r{j % 4}">')
        parts += [f'<path class="line" d="M{"L".join(line)}"/>'] if len(line) > 1 else []
        parts += [m for _, m in sorted(marks)]
        parts.append("</g>")
    x = LEFT + 76.0
    for j, road in enumerate(roads):
        parts.append(f'<g class="road r{j % 4}"><g class="mark right">{_mark("right", j, x, 10.0)}</g>'
                     f'<text class="tick" x="{x + 7:.1f}" y="14">{_text(road)}</text></g>')  # fmt: skip
        x += 24 + 6.2 * len(road)
    if any(r.status == "wrong" for r in rows):
        parts.append(
            f'<g class="mark wrong">{_mark("wrong", 0, x, 10.0)}<text class="tick" x="{x + 8:.1f}" y="14">wrong</text></g>'
        )
    return "\n".join([*parts, "</svg>"])


def _mark(status: str, shape: int, x: float, y: float) -> str:
    """Return a mark: a cross for what is wrong, a question mark for what is undecided, else the shape of the road."""
    if status == "wrong":
        return f'<path d="M{x - 3.6:.1f} {y - 3.6:.1f}l7.2 7.2m0 -7.2l-7.2 7.2"/>'
    if status == "undecided":
        return f'<text x="{x:.1f}" y="{y + 3:.1f}" text-anchor="middle">?</text>'
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.9"/>',
        f'<path d="M{x - 2.7:.1f} {y - 2.7:.1f}h5.4v5.4h-5.4z"/>',
        f'<path d="M{x:.1f} {y - 3.5:.1f}l3.6 6.2h-7.2z"/>',
        f'<path d="M{x:.1f} {y - 3.8:.1f}l3.8 3.8l-3.8 3.8l-3.8 -3.8z"/>',
    )[shape % 4]


def _in_words(rows: Sequence[Row]) -> str:
    return ", ".join(f"{n} {s}" for s, n in _tally(rows).items())


# --- the graph --------------------------------------------------------------------------------------------------------------

BOX, GAP, LOW, TALL = 148, 22, 36, 52  # width and distance of boxes, height of a plain one and of one with a fault
Point = tuple[float, float]
Edge = tuple[float, float, float, float, float]
"""From x, y to x, y, and then down to y: farther only where it passes through a layer."""


def _graph(report: Report) -> str:
    nodes = list(report.graph or ())
    if not nodes:
        return ""
    marked: dict[int, list[Fault]] = {}
    for f in report.faults:
        for k, node in enumerate(nodes):
            if f.operation and (node[1], node[2]) == (f.operation, f.where):
                marked.setdefault(k, []).append(f)
    places = {node[0]: k for k, node in enumerate(nodes)}
    reads = [sorted({places[n] for n in node[3] if places.get(n, k) < k}) for k, node in enumerate(nodes)]
    at, edges, width, height = _layout(reads, [TALL if k in marked else LOW for k in range(len(nodes))])
    long = " long" if height > 2000 else ""  # on paper: more than one page
    parts = [f'<svg class="list{long}" role="group" width="{width:.0f}" height="{height:.0f}" '
             f'viewBox="0 0 {width:.0f} {height:.0f}" '
             f'aria-label="The list of operations as a graph, {len(nodes)} operations">',
             '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
             '<path d="M0 0.8L8 4L0 7.2z"/></marker></defs>', '<g class="edges">']  # fmt: skip
    parts += [_curve(edge) for edge in edges]
    parts.append("</g>")
    parts += [_box(k, node, at[k], marked.get(k, [])) for k, node in enumerate(nodes)]
    legend = "Top to bottom: an arrow leads from an operation to those that read it. Inputs and constants are left out."
    if len(marked) > len({(nodes[k][1], nodes[k][2]) for k in marked}):
        legend += " Where a line applies an operation more than once, each is marked."
    if len(nodes) >= 200:
        legend += f" The first {len(nodes)} operations are shown."
    return (
        '<section id="graph">\n<h2>The list of operations</h2>\n<figure>\n<div class="scroll" tabindex="0" role="region" '
        'aria-label="Graph, scrollable">\n'
        + "\n".join(parts)
        + f"\n</svg></div>\n<figcaption>{legend}</figcaption>\n</figure>\n</section>"
    )


def _box(k: int, node: Sequence[Any], at: Point, faults: Sequence[Fault]) -> str:
    number, operation, where, _ = node
    x, y = at
    name = operation if len(operation) <= 19 else operation[:18] + "…"
    told = [f"{number}: {operation}", where, *(f"{f.kind}: {f.text}" for f in faults)]
    kinds = sorted(dict.fromkeys(f.kind for f in faults), key=lambda kind: kind in SEVERITY)
    style = f"fault {SEVERITY.get(kinds[0], 'wrong')}" if kinds else ""
    kind = kinds[0] + (f" and {len(kinds) - 1} more" if len(kinds) > 1 else "") if kinds else ""
    kind = kind if len(kind) <= 21 else kind[:20] + "…"
    label = f'<text class="kind" x="{x:.1f}" y="{y + 45:.1f}">{_sign(kinds[0])} {_text(kind)}</text>' if kinds else ""
    return (
        f'<g id="node-{k}" class="node {style}"><title>{_text(chr(10).join(t for t in told if t))}</title>'
        f'<rect x="{x - BOX / 2:.1f}" y="{y:.1f}" width="{BOX}" height="{TALL if faults else LOW}" rx="4"/>'
        f'<text class="operation" x="{x:.1f}" y="{y + 15:.1f}">{_text(name)}</text>'
        f'<text class="place" x="{x:.1f}" y="{y + 29:.1f}">{_text(_short(where))}</text>{label}</g>'
    )


def _curve(edge: Edge) -> str:
    x, y, a, upper, lower = edge
    middle = (y + upper) / 2
    end = f'V{lower:.1f}"' if lower > upper else '" marker-end="url(#arrow)"'
    return f'<path d="M{x:.1f} {y:.1f}C{x:.1f} {middle:.1f} {a:.1f} {middle:.1f} {a:.1f} {upper:.1f}{end}/>'


def _layout(reads: list[list[int]], heights: list[int]) -> tuple[list[Point], list[Edge], float, float]:
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


# --- the table --------------------------------------------------------------------------------------------------------------

COLUMNS = ("derivative", "order", "road", "arithmetic", "status", "value", "oracle", "digits", "note")
NUMBERS = {"order", "value", "oracle", "digits"}


def _table(report: Report) -> str:
    if not report.rows:
        return ""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for r in report.rows:
        groups.setdefault((r.function, r.derivative, r.order), []).append(r)
    columns = "".join(f'<th scope="col" class="{c}{" number" if c in NUMBERS else ""}" data-key="{c}">{c}</th>' for c in COLUMNS)
    bodies = []
    for (function, derivative, order), rows in groups.items():
        name = _text(_by(derivative)) if order else "Roads not taken" if _worst(rows) == "skipped" else "The function itself"
        name += f" of {_text(function)}" if function else ""
        bodies.append(
            f'<tbody class="group"><tr><th scope="rowgroup" colspan="{len(COLUMNS)}"><span class="stay">{name} '
            f'<span class="few">{_text(_in_words(rows))}</span></span></th></tr>\n' + "\n".join(map(_row, rows)) + "</tbody>"
        )
    buttons = "".join(f'<button type="button" value="{_text(s)}">{_text(s)}</button>' for s in _tally(report.rows))
    return (
        '<section id="rows">\n<h2>Every comparison</h2>\n<form id="filter" hidden>'
        f'<span id="choose" role="group" aria-label="Show rows of one status">'
        f'<button type="button" value="">all</button>{buttons}</span> '
        '<label>find <input type="search" id="find" autocomplete="off"></label> '
        '<button type="button" id="regroup" hidden>group by derivative</button> '
        '<output id="shown"></output></form>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="Table, scrollable">\n<table id="table" class="grouped">\n'
        f"<thead><tr>{columns}</tr></thead>\n" + "\n".join(bodies) + "\n</table></div>\n</section>"
    )  # fmt: skip


def _row(r: Row) -> str:
    """Return a row; `data-v` is what it is sorted by."""
    numbers = (("value", r.value, _number(r.value)), ("oracle", r.expected, _number(r.expected)),
               ("digits", r.digits, "" if r.digits is None else f"{r.digits:.1f}"))  # fmt: skip
    name = _text(_by(r.derivative)) + (f" of {_text(r.function)}" if r.function else "")
    return (
        f'<tr data-status="{_text(r.status)}" class="{_class(r.status)}">'
        f'<td class="derivative" data-v="{_text(r.derivative)}">{name}</td>'
        f'<td class="order number" data-v="{r.order}">{r.order}</td><th scope="row" class="road">{_text(r.road)}</th>'
        f'<td class="arithmetic">{_text(r.arithmetic)}</td><td class="status">{_chip(r.status)}</td>'
        + "".join(f'<td class="{c} number" data-v="{"" if v is None else repr(float(v))}">{s}</td>' for c, v, s in numbers)
        + f'<td class="note">{_text(r.note)}</td></tr>'
    )


def _legend(report: Report) -> str:
    roads = [(r, ROADS[r]) for r in _roads(report.rows) if r in ROADS]
    states = [(s, STATUSES[s][1]) for s in _tally(report.rows) if s in STATUSES]
    if not roads and not states:
        return ""
    terms = "".join(f"<div><dt>{_chip(s)}</dt><dd>{_text(m)}</dd></div>" for s, m in states)
    terms += "".join(f"<div><dt>{_text(r)}</dt><dd>{_text(m)}</dd></div>" for r, m in roads)
    return (
        f'<section id="legend">\n<h2>Terms</h2>\n<dl class="terms">{terms}</dl>\n'
        "<p class='few'>A value is the sum over the outputs, with fixed random weights, of the derivative. The oracle computes "
        "it with many digits, or by differences with an error estimate.</p>\n</section>"
    )


STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2126;--soft:#55606b;--rule:#d9dee3;--faint:#f4f6f8;--link:#0b5cad;
--wrong:#b3121d;--wrong-wash:#fdecec;--inaccurate:#7d5000;--inaccurate-wash:#fdf3dc;--right:#17692f;--right-wash:#e9f5ec;
--undecided:#5d3fa3;--undecided-wash:#f1edfb;--skipped:#55606b;--skipped-wash:#f1f3f5;
--r0:#0b5cad;--r1:#00796b;--r2:#7b4bb0;--r3:#4a5661}
@media (prefers-color-scheme:dark){
:root{--paper:#14181c;--ink:#e4e8ec;--soft:#a3adb8;--rule:#343b43;--faint:#1d2228;--link:#7db8f7;
--wrong:#ff8f88;--wrong-wash:#3a1d1e;--inaccurate:#f0bb5a;--inaccurate-wash:#352a14;--right:#84d196;--right-wash:#1a2f20;
--undecided:#c3aef5;--undecided-wash:#2a2440;--skipped:#a3adb8;--skipped-wash:#262c33;
--r0:#7db8f7;--r1:#5cc9b8;--r2:#c9a6f2;--r3:#b4bec8}}
*{box-sizing:border-box}
html{scroll-padding:1rem}
body{margin:0 auto;max-width:72rem;padding:2rem 1.25rem 4rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;overflow-wrap:break-word}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1.25rem;font-weight:650}
h2{font-size:1.15rem;margin:2.75rem 0 .75rem;font-weight:650}
h3{font-size:1rem;margin:0;font-weight:650}
.maker{margin:0;color:var(--soft);font-size:.85rem}
a{color:var(--link)}
code,pre,.number,.place{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.92em}
pre{margin:.5rem 0;padding:.5rem .75rem;background:var(--faint);border-radius:4px;overflow-x:auto}
#verdict{border-left:4px solid var(--soft);padding:.1rem 0 .1rem 1rem}
#verdict.wrong{border-color:var(--wrong)}#verdict.right{border-color:var(--right)}
#verdict.undecided{border-color:var(--undecided)}
.verdict{font-size:1.2rem;line-height:1.4;margin:0 0 .6rem}
.wrong .verdict strong{color:var(--wrong)}.right .verdict strong{color:var(--right)}
.undecided .verdict strong{color:var(--undecided)}
.chips{margin:0 0 .75rem;display:flex;flex-wrap:wrap;gap:.4rem}
.chip{display:inline-block;padding:0 .5em;border-radius:1em;font-size:.85rem;white-space:nowrap;color:var(--skipped);
background:var(--skipped-wash)}
.chip.wrong{color:var(--wrong);background:var(--wrong-wash);font-weight:650}
.chip.inaccurate{color:var(--inaccurate);background:var(--inaccurate-wash)}
.chip.right{color:var(--right);background:var(--right-wash)}
.chip.undecided{color:var(--undecided);background:var(--undecided-wash)}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 2rem;margin:0}
.facts dt{color:var(--soft);font-size:.85rem}.facts dd{margin:0;font-weight:650;font-variant-numeric:tabular-nums}
.faults{list-style:none;margin:0;padding:0;display:grid;gap:.75rem}
.faults>li{border:1px solid var(--rule);border-left:4px solid var(--wrong);border-radius:4px;padding:.75rem 1rem;min-width:0}
.faults>li.inaccurate{border-left-color:var(--inaccurate)}.faults>li.undecided{border-left-color:var(--undecided)}
.faults>.wrong h3{color:var(--wrong)}.faults>.inaccurate h3{color:var(--inaccurate)}.faults>.undecided h3{color:var(--undecided)}
.faults p{margin:.35rem 0}.where,.inputs,.few,figcaption{color:var(--soft);font-size:.875rem}
.finding+.finding{border-top:1px solid var(--rule);margin-top:.5rem;padding-top:.25rem}
figure{margin:0}figcaption{margin-top:.5rem;max-width:46rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:1rem 1.25rem}
svg{display:block;font-family:inherit}
.panel{width:100%;max-width:30rem;height:auto}
svg text{fill:var(--ink);font-size:11.5px}
svg .name{font-size:12.5px;font-weight:650}svg .tick,svg .axis{fill:var(--soft);font-size:11px}svg .power{font-size:8.5px}
.grid{stroke:var(--rule);fill:none}.roundoff{stroke:var(--soft);stroke-dasharray:4 3;fill:none}
.cell rect{fill:var(--skipped-wash)}.cell text{font-weight:600}
.cell.right rect{fill:var(--right-wash)}.cell.right text{fill:var(--right)}
.cell.wrong rect{fill:var(--wrong-wash);stroke:var(--wrong)}.cell.wrong text{fill:var(--wrong)}
.cell.inaccurate rect{fill:var(--inaccurate-wash)}.cell.inaccurate text{fill:var(--inaccurate)}
.cell.undecided rect{fill:var(--undecided-wash)}.cell.undecided text{fill:var(--undecided)}
.r0{--road:var(--r0)}.r1{--road:var(--r1)}.r2{--road:var(--r2)}.r3{--road:var(--r3)}
.line{stroke:var(--road);stroke-width:1.4;fill:none;opacity:.75}
.mark{fill:var(--road);fill-opacity:.85}
.mark.inaccurate{fill:var(--paper);fill-opacity:1;stroke:var(--inaccurate);stroke-width:1.8}
.mark.wrong{stroke:var(--wrong);stroke-width:2.2;fill:none;stroke-linecap:round}
.mark.wrong text{stroke:none;fill:var(--wrong)}
.mark.undecided text{fill:var(--undecided);font-weight:700}
.scroll{overflow:auto;max-height:80vh;border:1px solid var(--rule);border-radius:4px}
.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
#graph .scroll{padding:1rem}
.list{margin:0 auto}
.edges path{fill:none;stroke:var(--soft);stroke-width:1.1}#arrow path{fill:var(--soft);stroke:none}
.node rect{fill:var(--faint);stroke:var(--soft)}
.node text{text-anchor:middle}.node .operation{font-weight:600;font-size:12.5px}.node .place{fill:var(--soft);font-size:10.5px}
.node.fault rect{stroke-width:2.5}.node .kind{font-size:11px;font-weight:700}
.node.wrong rect{fill:var(--wrong-wash);stroke:var(--wrong)}.node.wrong .kind{fill:var(--wrong)}
.node.inaccurate rect{fill:var(--inaccurate-wash);stroke:var(--inaccurate)}.node.inaccurate .kind{fill:var(--inaccurate)}
.node.undecided rect{fill:var(--undecided-wash);stroke:var(--undecided)}.node.undecided .kind{fill:var(--undecided)}
.node:hover rect,.node:target rect{stroke-width:3.5}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .7rem;text-align:left;white-space:nowrap;font-weight:400}
thead th{position:sticky;top:0;z-index:1;background:var(--paper);box-shadow:inset 0 -2px var(--rule);font-weight:650}
.number{text-align:right}thead .number{font-family:inherit;font-size:inherit}
tbody tr+tr td,tbody tr+tr th{border-top:1px solid var(--rule)}
th[scope=rowgroup]{background:var(--faint);font-weight:650;padding-top:.5rem;padding-bottom:.5rem}
.stay{position:sticky;left:.7rem}.few{font-weight:400;margin-left:.5rem}p.few{margin-left:0;max-width:46rem}
.note{white-space:normal;min-width:14rem}
tr.wrong>*{background:var(--wrong-wash)}
.grouped .derivative,.grouped .order{display:none}
thead button{all:unset;cursor:pointer}
thead button:hover{text-decoration:underline}thead button:focus-visible{outline:2px solid var(--link)}
[aria-sort=ascending] button::after{content:" ▲"}[aria-sort=descending] button::after{content:" ▼"}
form{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:0 0 .75rem;font-size:.875rem}
form[hidden],form [hidden]{display:none}
#choose{display:flex;flex-wrap:wrap;gap:.3rem}
form button,form input{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--soft);border-radius:4px;
padding:.2rem .6rem}
form button{cursor:pointer}form button[aria-pressed=true]{background:var(--ink);color:var(--paper);border-color:var(--ink)}
output{color:var(--soft)}
.terms{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:.35rem 1.5rem;margin:0;
font-size:.875rem}
.terms div{display:flex;gap:.75rem}.terms dt{flex:0 0 6.5rem;font-weight:650}.terms dd{margin:0;color:var(--soft)}
@media (max-width:40rem){body{padding:1.25rem 1rem 3rem}h1{font-size:1.35rem}.verdict{font-size:1.1rem}}
@media print{
:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--rule:#bbb;--faint:#f4f4f4;--link:#000;--wrong:#b3121d;
--wrong-wash:#fdecec;--inaccurate:#7d5000;--inaccurate-wash:#fdf3dc;--right:#17692f;--right-wash:#e9f5ec;--undecided:#5d3fa3;
--undecided-wash:#f1edfb;--skipped:#555;--skipped-wash:#f1f3f5;--r0:#0b5cad;--r1:#00796b;--r2:#7b4bb0;--r3:#4a5661}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
html{font-size:12px}body{max-width:none;padding:0}form{display:none}h2{margin-top:1.75rem}
.scroll{overflow:visible;max-height:none;border:0}#graph .scroll{padding:0}
.list{max-width:100%;height:auto;max-height:23cm}.list.long{max-height:none}
thead th{position:static}thead button{display:contents}
h2,h3{break-after:avoid}.faults>li,.panel,tr{break-inside:avoid}tr:has(th[scope=rowgroup]){break-after:avoid}
.panels{grid-template-columns:repeat(3,1fr)}table{font-size:.8rem}th,td{padding:.12rem .35rem}.note{min-width:0}
}
"""

SCRIPT = """
(() => {
  // Rows of one status, rows that hold a text, rows in the order of a column.
  // The address may ask for it: #status=wrong&find=float64&sort=digits&down
  const table = document.getElementById("table");
  if (!table) return;
  const rows = [...table.querySelectorAll("tr[data-status]")], homes = rows.map(row => row.parentNode);
  const groups = [...table.tBodies], heads = [...table.tHead.rows[0].cells];
  const flat = table.appendChild(document.createElement("tbody"));
  const find = document.getElementById("find"), regroup = document.getElementById("regroup");
  const choices = [...document.querySelectorAll("#choose button")];
  const state = {status: "", find: "", sort: "", down: false};
  const key = (row, column) => {
    const cell = row.cells[column], text = cell.dataset.v ?? cell.textContent;
    return heads[column].classList.contains("number") ? (text === "" ? NaN : Number(text)) : text;
  };
  const compare = (a, b) => {
    if (typeof a === "string") return a.localeCompare(b) * (state.down ? -1 : 1);
    if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);  // what has no number comes last, both ways
    return (a - b) * (state.down ? -1 : 1);
  };
  const draw = () => {
    const column = heads.findIndex(head => head.dataset.key === state.sort), wanted = state.find.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const other = state.status !== "" && row.dataset.status !== state.status;
      row.hidden = other || !row.textContent.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    if (column < 0) rows.forEach((row, k) => homes[k].append(row));
    else flat.append(...rows.map((row, k) => [key(row, column), k, row]).sort((a, b) => compare(a[0], b[0]) || a[1] - b[1])
      .map(item => item[2]));
    for (const group of groups) group.hidden = ![...group.rows].some(row => row.dataset.status && !row.hidden);
    table.classList.toggle("grouped", column < 0);
    regroup.hidden = column < 0;
    for (const head of heads) head.removeAttribute("aria-sort");
    if (column >= 0) heads[column].setAttribute("aria-sort", state.down ? "descending" : "ascending");
    for (const choice of choices) choice.setAttribute("aria-pressed", choice.value === state.status);
    document.getElementById("shown").textContent = `${shown} of ${rows.length} rows`;
  };
  const asked = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const name of ["status", "find", "sort"]) if (wanted.has(name)) state[name] = wanted.get(name);
    state.down = wanted.has("down");
    find.value = state.find;
    draw();
  };
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.onclick = () => {
      state.down = state.sort === head.dataset.key && !state.down;
      state.sort = head.dataset.key;
      draw();
    };
    head.replaceChildren(button);
  }
  for (const choice of choices) choice.onclick = () => { state.status = choice.value; draw(); };
  find.oninput = () => { state.find = find.value; draw(); };
  regroup.onclick = () => { state.sort = ""; draw(); };
  const form = document.getElementById("filter");
  form.onsubmit = event => event.preventDefault();
  form.hidden = false;
  addEventListener("hashchange", () => { if (location.hash.includes("=")) asked(); });
  asked();
})();
"""
