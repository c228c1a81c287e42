"""Variables and tapes as a notebook shows them. To look at one changes nothing: no tape is told, and nothing is read anew."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from wengert.ground import display, shapes
from wengert.ops.state import READ

if TYPE_CHECKING:
    from wengert.modes.record import Record
    from wengert.modes.variable import Variable

__all__ = ["taped", "valued"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

COUNTED = 100_000
"""Entries of which the kinds are counted."""


def valued(variable: Variable) -> str:
    """Return the HTML of a variable, with its value as it is: what waits to be restored waits on."""
    held = variable._storage.held
    trainable = None if variable.trainable else "no"
    head = display.heading(
        "tf.Variable", variable.name, shape=shapes.text(variable.sizes), dtype=variable.dtype.name, trainable=trainable
    )
    if variable._graph is not None:
        return head + display.paragraph("Its values are those of sessions: sess.run(variable) gives one.")
    return head + (display.paragraph("It has no value yet.") if held is None else display.values(np.asarray(held)))


def taped(tape: Record) -> str:
    """Return the HTML of a tape."""
    entries = tape.entries
    kinds = Counter(entry[0].type for entry in islice(entries, COUNTED) if entry[0] is not READ)
    persistent = getattr(tape, "_persistent", False)
    doing = "recording" if tape.recording else "used up" if getattr(tape, "_used", False) and not persistent else "ready"
    head = display.heading(
        type(tape).__name__, state=doing if tape.times else "not begun", persistent="yes" if persistent else "no",
        operations=f"{kinds.total() if len(entries) <= COUNTED else len(entries):,}",
    )  # fmt: skip
    variables = [("variable", v.name, shapes.text(v.sizes), v.dtype.name) for v in tape.watched_variables()]
    held = [("tensor", getattr(t, "name", "") if hasattr(t, "node") else "", shapes.text(t.sizes), t.dtype.name)
            for t in list(tape._held.values())]  # fmt: skip
    watched = [*variables, *held]
    body = (
        display.table(("watches", "name", "shape", "dtype"), watched, what="watched ones")
        if watched
        else display.paragraph("It watches nothing.")
    )
    if not kinds:
        return head + body
    counted = [(kind, f"{n:,}") for kind, n in kinds.most_common()]
    some = "" if len(entries) <= COUNTED else f", of the first {COUNTED:,}"
    return (
        head
        + body
        + display.fold(f"Operations by kind{some}", display.table(("operation", "times"), counted, ("times",), what="kinds"))
    )
