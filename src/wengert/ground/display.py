"""HTML of what a notebook shows: a heading with facts, tables, what is folded; all text escaped, no script, cut where long.

The style lies beside this module, display.css: colours are mixed from that of the text around, so that they are right on light
and dark ground. Where a front end takes the style away, as for notebooks that are not trusted, tables and text remain.
"""

from __future__ import annotations

import functools
import html
import linecache
import re
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from wengert.ground import still
from wengert.ground.context import Site
from wengert.ground.terminal import shown
from wengert.ground.types import NumPyArray

__all__ = [
    "cut",
    "escaped",
    "facts",
    "fold",
    "framed",
    "heading",
    "number",
    "paragraph",
    "place",
    "size",
    "source",
    "table",
    "values",
]

Said = str | int
"""What is shown as a text."""
Number = np.generic | bytes | str
"""A value of an array."""
LONG = 200
"""Characters of a name or another text, above which it is cut."""
ROWS, COLUMNS = 10, 8
"""Of a table of values: what has more is shown by its first and last ones."""
MOST = 40
"""Rows of any other table."""


# --- text ---------------------------------------------------------------------------------------------------------------------


def escaped(x: Said) -> str:
    r"""Return user text as HTML; what would colour, hide or reorder other text, or no file can hold, becomes an escape.

    >>> print(escaped("<b> \u202e"))
    &lt;b&gt; \u202e
    """
    return html.escape("\n".join(map(shown, str(x).split("\n"))))


def cut(x: Said, most: int = LONG) -> str:
    """Return user text as HTML, its end left out where it is long."""
    text = str(x)
    return escaped(text) if len(text) <= most else escaped(text[: most - 1]) + "…"


def short(where: str, most: int = 22) -> str:
    """Return a place without folders, cut at the left."""
    name = re.split(r"[/\\]", where)[-1]
    return name if len(name) <= most else "…" + name[1 - most :]


def framed(body: str) -> str:
    """Return what is shown, with the style that it needs."""
    needed = style("display.css")
    if "<svg" in body:
        pictures = style("pictures.css")
        body, needed = still.beside(body, needed, pictures), needed + pictures
    return f'<div class="wengert"><style>{needed}</style>\n{body}\n</div>'


@functools.cache
def style(name: str) -> str:
    """Return a style sheet that lies beside this module."""
    return files("wengert.ground").joinpath(name).read_text("utf-8")


# --- parts ------------------------------------------------------------------------------------------------------------------


def heading(kind: str, name: Said = "", **said: Said | None) -> str:
    """Return a heading: what it is, its name, and facts of it; those that are None are left out."""
    told = "".join(
        f' <span class="fact"><span class="soft">{escaped(key.replace("_", " "))}</span> {cut(value)}</span>'
        for key, value in said.items()
        if value is not None
    )
    called = f" <code>{cut(name)}</code>" if str(name) else ""
    return f'<p class="heading"><strong>{escaped(kind)}</strong>{called}{told}</p>'


def paragraph(text: str) -> str:
    """Return a sentence of ours, all of it escaped."""
    return f'<p class="soft">{escaped(text)}</p>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a table of two columns: what, and the HTML of what it is."""
    rows = "".join(f'<tr><th scope="row">{escaped(k)}</th><td>{v}</td></tr>' for k, v in pairs)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def fold(summary: str, body: str, unfolded: bool = False) -> str:
    """Return what is seen when it is unfolded."""
    return f"<details{' open' if unfolded else ''}><summary>{escaped(summary)}</summary>\n{body}\n</details>"


def table(columns: Sequence[str], rows: Iterable[Sequence[Said]], right: Sequence[str] = (), total: int | None = None,
          what: str = "rows", marked: Callable[[Sequence[Said]], str] = lambda row: "") -> str:  # fmt: skip
    """Return a table of texts, cut after many rows with a sentence that says so.

    ``right``: the columns of numbers, which stand on the right. ``total``: how many rows there are, where those given
    are the first ones. ``marked``: the class of a row.
    """
    kept: list[Sequence[Said]] = []
    count = 0
    for row in rows:
        count += 1
        if count <= MOST:
            kept.append(row)
    sides = ['class="number"' if name in right else "" for name in columns]
    head = "".join(f'<th scope="col" {side}>{escaped(name)}</th>' for name, side in zip(columns, sides, strict=True))
    body = "\n".join(
        f'<tr class="{marked(row)}">'
        + "".join(f"<td {side}>{cut(cell)}</td>" for cell, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in kept
    )
    count = count if total is None else total
    more = paragraph(f"The first {len(kept)} of {count:,} {what}.") if count > len(kept) else ""
    return f'<div class="scroll"><table class="rows"><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>{more}'


def place(where: str, site: tuple[Any, ...] | None = None) -> str:
    """Return a place as HTML, its folders in a tooltip, with its line where that can be read."""
    text = source(site)
    line = f" <code>{cut(text)}</code>" if text else ""
    return f'<span title="{escaped(where)}">{escaped(short(where, 60))}</span>{line}'


def source(site: tuple[Any, ...] | None) -> str:
    """Return the line of a place, or nothing."""
    if site is None:
        return ""
    at = Site(*site)
    return linecache.getline(at.code.co_filename, at.lineno).strip()


# --- values -----------------------------------------------------------------------------------------------------------------


def values(array: NumPyArray) -> str:
    """Return the values of an array as a table: of a large one a corner; of many axes, the first matrix.

    Nothing is copied but what is shown.
    """
    if not array.ndim:
        return f'<pre class="value">{cut(number(array.flat[0], 17), 1000)}</pre>'
    if not array.size:
        return paragraph("It has no elements.")
    before = (0,) * max(array.ndim - 2, 0)
    matrix = array[before] if array.ndim > 1 else array[np.newaxis]
    rows, columns = _picked(matrix.shape[0], ROWS), _picked(matrix.shape[1], COLUMNS)
    heads = "".join(f'<th scope="col">{_index(j)}</th>' for j in columns)
    lines = []
    for i in rows:
        cells = "".join("<td>…</td>" if i is None or j is None else _cell(matrix[i, j]) for j in columns)
        lines.append(f"<tr>{_row_head(i) if array.ndim > 1 else ''}{cells}</tr>")
    corner = "<th></th>" if array.ndim > 1 else ""
    shown = f'<div class="scroll"><table class="values"><thead><tr>{corner}{heads}</tr></thead>\n<tbody>{"".join(lines)}</tbody>'
    count = int(np.prod(array.shape[:-2])) if before else 1
    index = ", ".join([*map(str, before), ":, :"])
    more = paragraph(f"[{index}], the first of {count:,} matrices.") if count > 1 else ""
    return f"{shown}</table></div>{more}"


def _picked(count: int, most: int) -> list[int | None]:
    """Return which of so many are shown, None standing for those left out."""
    if count <= most:
        return list(range(count))
    return [*range(most - 4), None, *range(count - 3, count)]


def _index(i: int | None) -> str:
    return "…" if i is None else str(i)


def _row_head(i: int | None) -> str:
    return f'<th scope="row">{_index(i)}</th>'


def _cell(x: Number) -> str:
    odd = "" if not isinstance(x, np.inexact) or np.isfinite(x) else ' class="odd"'
    return f"<td{odd}>{cut(number(x), 60)}</td>"


def number(x: Number, digits: int = 6) -> str:
    """Return one value of an array as text: a number with so many digits at most, bytes and texts in quotes."""
    if isinstance(x, np.floating | np.complexfloating):
        return f"{x:.{digits}g}" if digits < 17 else str(x)
    return repr(x) if isinstance(x, bytes | str) else str(x)


def size(count: float) -> str:
    """Return a number of bytes in words.

    >>> size(400e6)
    '400 MB'
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
