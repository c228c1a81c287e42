"""What a check found, and how it is shown in a terminal, as JSON, and as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from wengert.ground import terminal
from wengert.ground.displayed import displayed
from wengert.verify import words
from wengert.verify.findings import Fault, Findings, Row
from wengert.verify.page import page

__all__ = ["Report"]

INSTALLED = re.compile(r"^.*[/\\](site|dist)-packages[/\\]")
"""What a place in an installed library begins with, which tells no more than the library's name does."""


class Report(Findings):
    """All that a check found, and how it is shown."""

    def summary(self) -> str:
        """Return the verdict in a line or a few: what is wrong, on which road, and whose fault it is."""
        counts = {s: sum(r.status == s for r in self.rows) for s in ("right", "wrong", "inaccurate", "undecided", "skipped")}
        shown = ", ".join(f"{n} {s}" for s, n in counts.items() if n)
        lines = [f"{self.verdict}: {shown or 'nothing was compared'}{self.tally and '; ' + self.tally}"]
        for r in [r for r in self.rows if r.status == "wrong"][:6]:
            value, expected = words.number(r.value), words.number(r.expected)
            lines.append(f"  wrong: {_title(r)} by {r.road} ({r.arithmetic}): {value}, oracle {expected}"
                         + (f"; {r.note}" if r.note else ""))  # fmt: skip
        for f in self.faults:
            lines.append(f"  {_fault(f)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    @displayed
    def _repr_html_(self) -> str:
        from wengert.verify.shown import found

        return found(self)

    def show(self, console: Any = None, every: bool = False) -> None:
        """Print a table to the terminal (or to a `rich.console.Console`): the orders of each derivative; then the faults.

        ``every``: all rows; else one line for each derivative, and the rows that are not right.
        """
        from rich import box
        from rich.table import Table

        console = console or terminal.console()
        table = Table(box=box.SIMPLE_HEAD)
        names = ("function", "derivative", "order", "verdict", "value", "digits", "roads")
        for name in names:
            side = "right" if name in ("order", "value", "digits") else "left"
            table.add_column(name, justify=side, overflow="fold", no_wrap=name == "digits")  # type: ignore[arg-type]
        lines = self.lines(every)
        used = [k for k in range(7) if any(line[k] for line in lines) or not lines]
        table.columns = [column for k, column in enumerate(table.columns) if k in used]
        for line in lines:
            style = {"wrong": "bold red", "undecided": "yellow", "inaccurate": "yellow"}.get(line[3], "")
            table.add_row(*[_escaped(line[k]) for k in used], style=style)
        console.print(table)
        for f in self.faults:
            console.print(f"[bold]{_escaped(f.kind)}[/bold] {_escaped(_fault(f).partition(': ')[2])}", highlight=False)
        for note in self.notes:
            console.print(_escaped(note), highlight=False)
        style = {"wrong": "bold red", "right": "green"}.get(self.verdict, "yellow")
        console.print(f"[{style}]{self.summary().partition(chr(10))[0]}[/{style}]", highlight=False)

    def lines(self, every: bool = False) -> list[tuple[str, ...]]:
        """Return the lines of the table: function, by, order, verdict, value, digits, roads."""
        found: list[tuple[str, ...]] = []
        groups: dict[tuple[str, str, int], list[Row]] = {}
        for r in self.rows:
            if r.order:
                groups.setdefault((r.function, r.derivative, r.order), []).append(r)
        for (function, by, order), rows in groups.items():
            parts = [[r] for r in rows] if every else [[r for r in rows if r.status == s] for s in words.STATUSES]
            for part in parts:
                if part:
                    value = next((r.expected for r in part if r.expected is not None), part[0].value)
                    names = list(dict.fromkeys(_road(r) for r in part))
                    short = not every and part[0].status in ("right", "inaccurate") and len(names) > 3
                    roads = f"{len(names)} roads" if short else ", ".join(names)
                    told = dict.fromkeys(r.note for r in part if r.note and r.status != "right")
                    notes = "" if short else "; ".join(told)
                    found.append((INSTALLED.sub("", function), symbol(by), str(order), part[0].status, words.number(value),
                                  _digits(part), roads + (f" ({notes})" if notes else "")))  # fmt: skip
        return found

    def json(self) -> str:
        """Return everything as JSON; numbers that are not finite are null."""
        return json.dumps(_finite(self.data()), indent=1, allow_nan=False)

    def html(self, title: str = "wengert check") -> str:
        """Return a page of one file that needs nothing else: verdict, faults, pictures, all rows."""
        return page(self, title)


def symbol(by: str) -> str:
    """Return how a derivative is written.

    >>> symbol("x x t"), symbol("w")
    ('∂³/∂x²∂t', '∂/∂w')
    """
    names = by.split(" ") if by else []
    if not names:
        return ""
    parts = [f"∂{n}{words.power(names.count(n))}" for n in dict.fromkeys(names)]
    return f"∂{words.power(len(names))}/{''.join(parts)}"


def _road(r: Row) -> str:
    return r.road if r.arithmetic == "exact" else f"{r.road} {r.arithmetic}"


def _digits(rows: Sequence[Row]) -> str:
    by: dict[str, float] = {}
    for r in rows:
        if r.digits is not None:
            by[r.arithmetic] = min(by.get(r.arithmetic, 99.0), r.digits)
    return ", ".join(f"{name} {d:.1f}" for name, d in by.items())


def _title(r: Row) -> str:
    return (symbol(r.derivative) or f"order {r.order}") + (f" of {r.function}" if r.function else "")


def _fault(f: Fault) -> str:
    """Return a fault in one line, beginning with its kind and a colon."""
    place = f" at {f.where}" if f.where else ""
    given = f" (inputs {f.inputs})" if f.inputs else ""
    who = f"{f.operation}{place}{given}, " if f.operation else f"{f.where}: " if f.where else ""
    return f"{f.kind}: {who}{f.text}"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _finite(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: _finite(v) for k, v in x.items()}
    if isinstance(x, list):
        return [_finite(v) for v in x]
    return None if isinstance(x, float) and x - x != 0.0 else x
