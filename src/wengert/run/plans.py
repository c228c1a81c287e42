"""How derivatives were found, as a notebook shows it: a plan of each, and the tables."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.derive.choice import Choice
from wengert.ground import display
from wengert.ground.terminal import without_folders

__all__ = ["NOTHING", "PASSES", "planned"]

NOTHING = "No derivative was taken in a graph or in a traced function: eager tapes go by reverse mode."
PASSES = "Passes: the cost in forward passes of all orders up to this one, by the cost model."
LABEL, ORDERS, BARS, RIGHT, ROW, TOP = 190, 200, 330, 560, 24, 34
"""Of the plan: where labels end, where orders, bars and numbers stand, the height of a row, and of what is above the first."""
MOST = 10
"""Orders for which there is a box."""


def planned(choices: Sequence[Choice], notes: Sequence[tuple[str, str]], operations: Sequence[int]) -> str:
    """Return the HTML of an explanation."""
    taylor = sum(c.method == "taylor" for c in choices)
    head = display.heading("Derivatives", found=len(choices), by_Taylor_mode=taylor, by_reverse_mode=len(choices) - taylor)
    if not choices:
        return head + display.paragraph(NOTHING)
    columns = ("line", "by", "order", "method", "passes", "nested reverse", "why")
    rows = [
        (without_folders(c.where), c.what, c.order, c.method, f"{c.cost:.0f}" if c.method == "taylor" else "",
         f"{c.reverse_cost:.0f}", without_folders(c.reason))
        for c in choices
    ]  # fmt: skip
    body = f'<div class="scroll">{_plan(choices[: display.MOST])}</div>'
    body += display.fold("Each derivative, and why", display.table(columns, rows, ("order", "passes", "nested reverse")), True)
    if notes:
        sums = display.table(("line", "what became of them"), [(without_folders(where), text) for where, text in notes])
        body += display.fold("Sums of derivatives", sums)
    lists = f"Lists that were lowered: {len(operations)}, of {', '.join(map(str, operations[:20]))} operations."
    return head + body + display.paragraph(f"{lists} {PASSES}")


def _plan(choices: Sequence[Choice]) -> str:
    """Return the plan as SVG: a row for each derivative, with a box for each order and its passes as a bar."""
    most = max(max(c.reverse_cost, _cost(c)) for c in choices) or 1.0
    high = TOP + ROW * len(choices) + 4
    parts = [
        f'<svg class="drawn plan" role="img" width="{RIGHT + 70}" height="{high}" viewBox="0 0 {RIGHT + 70} {high}" '
        f'aria-label="The plan of {len(choices)} derivatives">'
        f'<text class="tick" x="{LABEL}" y="14" text-anchor="end">derivative by</text>'
        f'<text class="tick" x="{ORDERS}" y="14">orders</text>'
        f'<text class="tick" x="{BARS}" y="14">passes (dashed: nested reverse)</text>'
    ]
    parts += [_row(c, TOP + ROW * k, (RIGHT - BARS) / most) for k, c in enumerate(choices)]
    return "\n".join([*parts, "</svg>"])


def _row(c: Choice, y: float, scale: float) -> str:
    told = f"{c.what}, order {c.order}, by {c.method}\n{c.where}\n{c.reason}"
    style = "r0" if c.method == "taylor" else "r2"
    boxes = "".join(
        f'<rect class="bar" x="{ORDERS + 12 * k}" y="{y - 11}" width="10" height="14" rx="2"/>' for k in range(min(c.order, MOST))
    )
    end = BARS + max(_cost(c), c.reverse_cost) * scale
    return (
        f'<g class="road {style}"><title>{display.escaped(told)}</title>'
        f'<text x="{LABEL}" y="{y}" text-anchor="end">{display.cut(c.what, 26)}</text>{boxes}'
        f'<rect class="bar" x="{BARS}" y="{y - 10}" width="{max(_cost(c) * scale, 1):.1f}" height="12"/>'
        f'<rect class="instead" x="{BARS}" y="{y - 10}" width="{max(c.reverse_cost * scale, 1):.1f}" height="12"/>'
        f'<text class="tick" x="{end + 6:.1f}" y="{y}">{_cost(c):.0f} {display.escaped(c.method)}</text></g>'
    )


def _cost(c: Choice) -> float:
    return c.cost if c.method == "taylor" else c.reverse_cost
