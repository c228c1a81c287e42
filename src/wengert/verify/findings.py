"""What a check finds: rows, one for each derivative on each road, faults, and all of it together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

__all__ = ["ROADS", "Fault", "Findings", "Row"]

ROADS = dict(
    reverse="nested reverse mode",
    forward="nested forward mode",
    series="Taylor series",
    taylor="nested gradients, as the planner lowers them",
    tape="nested eager tapes",
    numpy="NumPy executor",
    xla="XLA executor",
    received="what the script received",
    model="what the model itself gives, of which the list was read",
    grad="the framework's reverse mode",
    jvp="the framework's forward mode",
    gradient="the gradient that was given",
    hessian="the Hessian that was given",
)
"""What a road is."""


class Row(NamedTuple):
    """One derivative on one road."""

    function: str
    derivative: str
    """By what, one name for each order: `x x t`; `d` is a random direction of all arguments together."""
    order: int
    road: str
    arithmetic: str
    """exact (the rule in 60 digits), or the dtype in which it was run."""
    status: str
    """right, wrong, inaccurate (right, and rounding leaves few digits), undecided, skipped."""
    value: float | None
    """What the road gives: the sum over the outputs, with weights, of the derivative along the direction."""
    expected: float | None
    """What the oracle gives."""
    digits: float | None
    """How many decimal digits the run keeps; None for exact arithmetic, where the rule is right or wrong."""
    note: str


class Fault(NamedTuple):
    """Whose fault it is where something is not right."""

    kind: str
    """wrong rule, custom gradient, lowering, executor, received, reading; kink, jump, undefined; saturation, cancellation,
    ill-conditioned."""
    operation: str
    where: str
    """The user's line."""
    inputs: str
    text: str


Graph = Sequence[tuple[int, str, str, list[int]]]
"""A list of operations: of each its number, its name, the user's line, and the numbers of those that it reads."""


class Findings:
    """All that a check found.

    Attributes:
        rows: What was compared, a `Row` for each derivative on each road.
        faults: Whose fault it is, a `Fault` each.
        ok: Whether nothing is wrong. What cannot be decided (a kink) or has lost its digits by rounding is not wrong.
        tally: Of a script's derivatives, how many are right, wrong, undecided or unchecked; else "".
        verdict: "wrong" if something is, else "undecided" if something could not be decided, else "right".
    """

    def __init__(
        self, rows: Iterable[Row], faults: Iterable[Fault] = (), notes: Iterable[str] = (), graph: Graph | None = None,
        tally: str = "",
    ) -> None:  # fmt: skip
        """Take rows, faults, remarks, the list as (number, name, where, numbers of inputs) for a picture of it, and the tally."""
        self.tally = tally
        self.rows, self.faults, self.notes, self.graph = list(rows), list(faults), list(notes), graph

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not any(r.status == "wrong" for r in self.rows)

    @property
    def verdict(self) -> str:
        """right, wrong or undecided."""
        if not self.ok:
            return "wrong"
        found = {r.status for r in self.rows}
        return "right" if found & {"right", "inaccurate"} and "undecided" not in found else "undecided"

    def __bool__(self) -> bool:
        return self.ok

    def digits(self, arithmetic: str, order: int | None = None) -> float | None:
        """Return the fewest digits that a run in a dtype keeps, of all orders or of one; None if none was run."""
        found = [r.digits for r in self.rows if r.arithmetic == arithmetic and r.digits is not None
                 and (order is None or r.order == order)]  # fmt: skip
        return min(found) if found else None

    def data(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "verdict": self.verdict,
            "tally": self.tally,
            "rows": [r._asdict() for r in self.rows],
            "faults": [f._asdict() for f in self.faults],
            "notes": self.notes,
        }
