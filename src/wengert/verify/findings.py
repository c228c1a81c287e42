"""What a check finds: rows, one for each derivative on each road, and faults."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ROADS", "Fault", "Row"]

ROADS = dict(
    reverse="nested reverse mode",
    forward="nested forward mode",
    series="Taylor series",
    taylor="nested gradients, as the planner lowers them",
    tape="nested eager tapes",
    numpy="NumPy executor",
    xla="XLA executor",
    received="what the script received",
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
    """wrong rule, custom gradient, lowering, executor, received; kink, jump, undefined; saturation, cancellation,
    ill-conditioned."""
    operation: str
    where: str
    """The user's line."""
    inputs: str
    text: str
