"""The course of training as a notebook shows it: a table of epochs, and a line for each of what was logged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from wengert.ground import display

__all__ = ["course"]

WIDE, HIGH = 180, 36  # of a line's picture
POINTS = 180
"""Of a line: of more epochs, as many, evenly spread."""
ENDS = 5
"""Epochs that are shown from the beginning, and from the end."""


def course(epochs: Sequence[int], history: Mapping[str, Sequence[float]]) -> str:
    """Return the HTML of a history."""
    head = display.heading("History", epochs=f"{len(epochs):,}")
    if not epochs or not history:
        return head + display.paragraph("Nothing was logged yet.")
    lines = display.facts([(name, _line(name, np.asarray(values, np.float64))) for name, values in history.items()])
    whole = len(epochs) <= 2 * ENDS + 1
    shown = list(range(len(epochs))) if whole else [*range(ENDS), -1, *range(len(epochs) - ENDS, len(epochs))]
    each = {name: values for name, values in history.items() if len(values) == len(epochs)}  # validation may be due in some alone
    columns = ("epoch", *each)
    rows = [
        ["…"] * len(columns) if k < 0 else [f"{epochs[k] + 1}", *(f"{values[k]:.5g}" for values in each.values())] for k in shown
    ]
    return head + lines + display.fold("Epochs", display.table(columns, rows, right=columns), whole)


def _line(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    """Return a small picture of what became of a value, and its last one; on a logarithmic axis where it spans decades."""
    picked = values[np.unique(np.linspace(0, len(values) - 1, min(len(values), POINTS)).astype(int))]
    finite = picked[np.isfinite(picked)]
    last = f" <code>{values[-1]:.5g}</code>"
    if len(finite) < 2:
        return last
    logarithmic = finite.min() > 0 and finite.max() > 100 * finite.min()
    heights = np.log(np.where(picked > 0, picked, np.nan)) if logarithmic else picked
    low, high = np.nanmin(heights[np.isfinite(heights)]), np.nanmax(heights[np.isfinite(heights)])
    span = high - low or 1.0
    points = [(4 + (WIDE - 8) * k / (len(picked) - 1), HIGH - 4 - (HIGH - 8) * (h - low) / span) for k, h in enumerate(heights)
              if math.isfinite(h)]  # fmt: skip
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    told = f"{name}: from {values[0]:.5g} to {values[-1]:.5g}" + (", logarithmic axis" if logarithmic else "")
    return (
        f'<svg class="drawn course" role="img" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}" '
        f'aria-label="{display.escaped(told)}"><title>{display.escaped(told)}</title>'
        f'<g class="road r0"><path class="line" d="M{path}"/></g></svg>{last}'
    )
