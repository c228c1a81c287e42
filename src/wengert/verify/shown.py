"""What a check found, as a notebook shows it: the verdict, whose fault it is, each derivative; pictures and rules folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wengert.ground import display
from wengert.verify import chart, drawing, words
from wengert.verify.findings import ROADS, Fault

if TYPE_CHECKING:
    from wengert.verify.report import Report

__all__ = ["found"]


def found(report: Report) -> str:
    """Return the HTML of a report."""
    tally = words.tally(report.rows)
    sign, verdict = words.STATUSES[report.verdict][0], report.verdict
    chips = " ".join(words.chip(s, before=f"{n} ") for s, n in tally.items())
    parts = [f'<p class="heading"><span class="verdict {verdict}">{sign} {verdict.capitalize()}.</span> {chips}</p>']
    parts += [_fault(f) for f in report.faults[: display.MOST]]
    lines = report.lines()
    names = ("function", "derivative", "order", "verdict", "value", "digits", "roads")
    used = [k for k in range(len(names)) if any(line[k] for line in lines)]
    if lines:
        columns = tuple(names[k] for k in used)
        status = columns.index("verdict")
        rows = [[line[k] for k in used] for line in lines]
        parts.append(
            display.table(columns, rows, ("order", "value"), what="derivatives", marked=lambda row: words.css(str(row[status])))
        )
    parts += [display.paragraph(note) for note in report.notes]
    panels = chart.panels(report)
    if panels:
        parts.append(display.fold("Error by order", f'<div class="panels">{"".join(panels)}</div>'))
    svg, legend = drawing.drawn(report)
    if svg:
        parts.append(display.fold("The list of operations", f'<div class="scroll tall">{svg}</div>{display.paragraph(legend)}'))
    roads = [(road, display.escaped(ROADS[road])) for road in words.roads_of(report.rows) if road in ROADS]
    if roads:
        states = [(s, display.escaped(words.STATUSES[s][1])) for s in tally if s in words.STATUSES]
        parts.append(display.fold("Terms", display.facts([*states, *roads])))
    return "\n".join(parts)


def _fault(fault: Fault) -> str:
    severity = words.SEVERITY.get(fault.kind, "wrong")
    who = f" <code>{display.cut(fault.operation)}</code>" if fault.operation else ""
    at = f" at {display.cut(fault.where)}" if fault.where else ""
    given = f" <span class='soft'>(inputs {display.cut(fault.inputs)})</span>" if fault.inputs else ""
    return (
        f'<p><span class="verdict {severity}">{words.sign(fault.kind)} {display.escaped(fault.kind)}</span>{who}{at}{given}: '
        f"{display.cut(fault.text, 1000)}</p>"
    )
