"""The error by order: a panel for each arithmetic, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.verify import words
from wengert.verify.findings import Findings, Row

__all__ = ["panels", "section"]

ROUNDOFF = {"float64": 15.95, "complex128": 15.95, "float32": 7.22, "complex64": 7.22, "float16": 3.31, "bfloat16": 2.41}
"""Digits of each arithmetic: minus the decimal logarithm of half the distance from 1 to the next number."""


WIDE, HIGH = 360, 250  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 62, 352, 40, 212  # of the area in it that holds data


def section(report: Findings) -> str:
    """Return the section: for each arithmetic a panel, of marks if it is exact, else of errors on a logarithmic axis."""
    rows = [r for r in report.rows if r.order and r.status != "skipped"]
    if not rows:
        return ""
    kinds = list(dict.fromkeys(r.arithmetic for r in rows))
    runs = [k for k in kinds if k != "exact"]
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
        + "\n".join(panels(report))
        + f"\n</div>\n<figcaption>{' '.join(said)}</figcaption>\n</figure>\n</section>"
    )


def panels(report: Findings) -> list[str]:
    """Return the panels, each an SVG."""
    rows = [r for r in report.rows if r.order and r.status != "skipped"]
    if not rows:
        return []
    orders = sorted({r.order for r in rows})
    kinds = list(dict.fromkeys(r.arithmetic for r in rows))
    runs = [k for k in kinds if k != "exact"]
    top = max([8.0, *(min(r.digits, 17.0) for r in rows if r.digits is not None), *(ROUNDOFF.get(k, 0.0) for k in runs)])
    top = 17.0 if top > 15.0 else top
    found = [_exact(orders, [r for r in rows if r.arithmetic == "exact"])] if "exact" in kinds else []
    found += [_errors(orders, kind, [r for r in rows if r.arithmetic == kind], top) for kind in runs]
    return found


def _frame(name: str, orders: Sequence[int], described: str) -> tuple[list[str], float]:
    """Return the parts that every panel has, and the width of a column."""
    step = (RIGHT - LEFT) / len(orders)
    parts = [f'<svg class="drawn panel" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{words.escaped(described)}">',
             f'<text class="name" x="{LEFT}" y="14">{words.escaped(name)}</text>']  # fmt: skip
    parts += [f'<text class="tick" x="{LEFT + step * (k + 0.5):.1f}" y="{BOTTOM + 16}" text-anchor="middle">{order}</text>'
              for k, order in enumerate(orders)]  # fmt: skip
    parts.append(f'<text class="axis" x="{(LEFT + RIGHT) / 2:.1f}" y="{BOTTOM + 32}" text-anchor="middle">order</text>')
    return parts, step


def _exact(orders: Sequence[int], rows: Sequence[Row]) -> str:
    parts, step = _frame("exact arithmetic", orders, f"Exact arithmetic, by road and order: {words.in_words(rows)}")
    roads = words.roads_of(rows)
    tall = min(60.0, (BOTTOM - TOP) / len(roads))
    first = BOTTOM - tall * len(roads)
    for j, road in enumerate(roads):
        y = first + tall * j
        parts.append(
            f'<text class="tick" x="{LEFT - 8}" y="{y + tall / 2 + 4:.1f}" text-anchor="end">{words.escaped(road)}</text>'
        )
        for k, order in enumerate(orders):
            cell = [r for r in rows if (r.road, r.order) == (road, order)]
            if not cell:
                continue
            worst = words.worst(cell)
            bad = sum(r.status == worst for r in cell)
            count = str(bad) if bad == len(cell) else f"{bad}/{len(cell)}"
            x = LEFT + step * k
            told = f"{road}, order {order}: {words.in_words(cell)}" + "".join(
                f"\n{r.status}: {words.by(r.derivative)}" for r in cell if r.status != "right"
            )
            parts.append(
                f'<g class="cell {words.css(worst)}"><title>{words.escaped(told)}</title><rect x="{x + 1:.1f}" y="{y + 1:.1f}" '
                f'width="{step - 2:.1f}" height="{tall - 2:.1f}" rx="2"/><text x="{x + step / 2:.1f}" y="{y + tall / 2 + 4:.1f}" '
                f'text-anchor="middle">{words.STATUSES.get(worst, ("",))[0]} {count}</text></g>'
            )
    return "\n".join([*parts, "</svg>"])


def _errors(orders: Sequence[int], kind: str, rows: Sequence[Row], top: float) -> str:
    parts, step = _frame(kind, orders, f"Error by order in {kind}: {words.in_words(rows)}")

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
    roads = words.roads_of(rows)
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
                told = f"{words.by(r.derivative)} by {road} {kind}: {r.status}"
                told += f", {r.digits:.1f} digits" if r.digits is not None else ""
                marks.append((r.status == "wrong", f'<g class="mark {words.css(r.status)}"><title>{words.escaped(told)}</title>'
                              f"{_mark(r.status, j, at, y)}</g>"))  # fmt: skip
        parts.append(f'<g class="road r{j % 4}">')
        parts += [f'<path class="line" d="M{"L".join(line)}"/>'] if len(line) > 1 else []
        parts += [m for _, m in sorted(marks)]
        parts.append("</g>")
    x = LEFT + 76.0
    for j, road in enumerate(roads):
        parts.append(f'<g class="road r{j % 4}"><g class="mark right">{_mark("right", j, x, 10.0)}</g>'
                     f'<text class="tick" x="{x + 7:.1f}" y="14">{words.escaped(road)}</text></g>')  # fmt: skip
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
