"""A page of one file for what a check found: verdict, faults, pictures, all rows; it loads nothing and reads without script.

What does not depend on the report lies beside this module: page.html, page.css, page.js.
"""

from __future__ import annotations

import linecache
from importlib.resources import files
from string import Template

from wengert.ground import display
from wengert.verify import chart, drawing, words
from wengert.verify.findings import ROADS, Fault, Findings, Row

__all__ = ["page"]


def page(report: Findings, title: str) -> str:
    """Return the page: HTML of one file that needs nothing else, all user text escaped.

    >>> row = Row("f", "x x", 2, "tape", "float64", "right", 4.0, 4.0, 15.9, "")
    >>> text = page(Findings([row]), "f(x) at x < 1")
    >>> text.startswith("<!doctype html>"), "f(x) at x &lt; 1" in text, "http" in text.replace("http-equiv", "")
    (True, True, False)
    """
    parts = [_verdict(report), _faults(report), _notes(report), chart.section(report), drawing.section(report), _table(report),
             _legend(report)]  # fmt: skip
    return Template(_file("page.html")).substitute(
        title=words.escaped(title), verdict=report.verdict, 
        style=_file("page.css") + display.style("pictures.css"), script=_file("page.js"),
        sections="\n".join(p for p in parts if p),
    )  # fmt: skip


def _file(name: str) -> str:
    return files("wengert.verify").joinpath(name).read_text("utf-8")


# --- verdict, faults, notes -------------------------------------------------------------------------------------------------


def _verdict(report: Findings) -> str:
    tally = words.tally(report.rows)
    judged = [r for r in report.rows if r.status not in ("skipped", "undecided")]
    dull = tally.get("inaccurate", 0)
    n = len(judged)
    compared = words.counted(n, "comparison", "comparisons")
    if report.verdict == "wrong":
        wrong = tally["wrong"]
        said = f"{wrong} of {compared} with the oracle {'disagrees' if wrong == 1 else 'disagree'}."
    elif report.verdict == "right":
        said = f"Each of {compared} with the oracle agrees." if n > 1 else "The one comparison with the oracle agrees."
    else:
        said = "No derivative could be judged." if report.rows else "Nothing was compared."
    if dull:
        said += f" {words.counted(dull, 'keeps', 'keep')} few digits, by rounding; no rule is at fault there."
    facts = []
    orders = sorted({r.order for r in report.rows if r.order})
    if orders:
        facts.append(("Orders", f"{orders[0]} to {orders[-1]}" if len(orders) > 1 else str(orders[0])))
        facts.append(("Derivatives", str(len({(r.function, r.derivative) for r in report.rows if r.order}))))
    for kind in dict.fromkeys(r.arithmetic for r in report.rows):
        rows = [r for r in judged if r.arithmetic == kind]
        kept = [r.digits for r in rows if r.digits is not None and r.status != "wrong"]
        if kept:
            facts.append((f"Fewest digits, {words.escaped(kind)}", f"{min(kept):.1f}"))
    shown = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts)
    return (
        f'<section id="verdict" class="{words.css(report.verdict)}">\n<p class="verdict"><strong>'
        f"{words.STATUSES[report.verdict][0]} {report.verdict.capitalize()}.</strong> {said}</p>\n"
        f'<p class="chips">{" ".join(words.chip(s, before=f"{c} ") for s, c in tally.items())}</p>\n'
        + (f'<dl class="facts">{shown}</dl>\n' if facts else "") + "</section>"
    )  # fmt: skip


def _faults(report: Findings) -> str:
    groups: dict[tuple[str, str, str], list[tuple[int, Fault]]] = {}
    for k, f in enumerate(report.faults):
        groups.setdefault((f.kind, f.operation, f.where), []).append((k, f))
    if not groups:
        return ""
    items = []
    graph = report.graph or ()
    for (kind, operation, where), found in groups.items():
        nodes = [k for k, node in enumerate(graph) if (node[1], node[2]) == (operation, where)]
        source = _source(where)
        links = ", ".join(f'<a href="#node-{k}">operation {graph[k][0]}</a>' for k in nodes)
        items.append(
            f'<li class="{words.SEVERITY.get(kind, "wrong")}"><h3>{words.sign(kind)} {words.escaped(kind)}'
            + (f": <code>{words.escaped(operation)}</code>" if operation else "") + "</h3>\n"
            + (f'<p class="where">at <code>{words.escaped(where)}</code></p>\n' if where else "")
            + (f"<pre><code>{words.escaped(source)}</code></pre>\n" if source else "")
            + "".join(f'<div class="finding" id="fault-{k}"><p>{words.escaped(f.text)}</p>'
                      + (f'<p class="inputs">inputs <code>{words.escaped(f.inputs)}</code></p>' if f.inputs else "") + "</div>\n"
                      for k, f in found)
            + (f"<p class='where'>in the graph: {links}</p>\n" if nodes else "") + "</li>"
        )  # fmt: skip
    return '<section id="faults">\n<h2>Whose fault it is</h2>\n<ol class="faults">\n' + "\n".join(items) + "\n</ol>\n</section>"


def _source(where: str) -> str:
    """Return the user's line itself, where its file can be read."""
    path, _, line = where.rpartition(":")
    return linecache.getline(path, int(line)).strip() if path and line.isdecimal() else ""


def _notes(report: Findings) -> str:
    if not report.notes:
        return ""
    return (
        '<section id="notes">\n<h2>Notes</h2>\n<ul>'
        + "".join(f"<li>{words.escaped(n)}</li>" for n in report.notes)
        + "</ul>\n</section>"
    )


# --- the table --------------------------------------------------------------------------------------------------------------

COLUMNS = ("derivative", "order", "road", "arithmetic", "status", "value", "oracle", "digits", "note")
NUMBERS = {"order", "value", "oracle", "digits"}


def _table(report: Findings) -> str:
    if not report.rows:
        return ""
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for r in report.rows:
        groups.setdefault((r.function, r.derivative, r.order), []).append(r)
    columns = "".join(f'<th scope="col" class="{c}{" number" if c in NUMBERS else ""}" data-key="{c}">{c}</th>' for c in COLUMNS)
    bodies = []
    for (function, derivative, order), rows in groups.items():
        name = (
            words.escaped(words.by(derivative))
            if order
            else "Roads not taken"
            if words.worst(rows) == "skipped"
            else "The function itself"
        )
        name += f" of {words.escaped(function)}" if function else ""
        bodies.append(
            f'<tbody class="group"><tr><th scope="rowgroup" colspan="{len(COLUMNS)}"><span class="stay">{name} '
            f'<span class="few">{words.escaped(words.in_words(rows))}</span></span></th></tr>\n'
            + "\n".join(map(_row, rows))
            + "</tbody>"
        )
    buttons = "".join(
        f'<button type="button" value="{words.escaped(s)}">{words.escaped(s)}</button>' for s in words.tally(report.rows)
    )
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
    numbers = (("value", r.value, words.number(r.value)), ("oracle", r.expected, words.number(r.expected)),
               ("digits", r.digits, "" if r.digits is None else f"{r.digits:.1f}"))  # fmt: skip
    name = words.escaped(words.by(r.derivative)) + (f" of {words.escaped(r.function)}" if r.function else "")
    return (
        f'<tr data-status="{words.escaped(r.status)}" class="{words.css(r.status)}">'
        f'<td class="derivative" data-v="{words.escaped(r.derivative)}">{name}</td>'
        f'<td class="order number" data-v="{r.order}">{r.order}</td><th scope="row" class="road">{words.escaped(r.road)}</th>'
        f'<td class="arithmetic">{words.escaped(r.arithmetic)}</td><td class="status">{words.chip(r.status)}</td>'
        + "".join(f'<td class="{c} number" data-v="{"" if v is None else repr(float(v))}">{s}</td>' for c, v, s in numbers)
        + f'<td class="note">{words.escaped(r.note)}</td></tr>'
    )


def _legend(report: Findings) -> str:
    roads = [(r, ROADS[r]) for r in words.roads_of(report.rows) if r in ROADS]
    states = [(s, words.STATUSES[s][1]) for s in words.tally(report.rows) if s in words.STATUSES]
    if not roads and not states:
        return ""
    terms = "".join(f"<div><dt>{words.chip(s)}</dt><dd>{words.escaped(m)}</dd></div>" for s, m in states)
    terms += "".join(f"<div><dt>{words.escaped(r)}</dt><dd>{words.escaped(m)}</dd></div>" for r, m in roads)
    return (
        f'<section id="legend">\n<h2>Terms</h2>\n<dl class="terms">{terms}</dl>\n'
        "<p class='few'>A value is the sum over the outputs, with fixed random weights, of the derivative. The oracle computes "
        "it with many digits, or by differences with an error estimate.</p>\n</section>"
    )
