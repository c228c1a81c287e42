"""What the words, signs and numbers of a report are, as text that may stand in HTML."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from wengert.ground.display import escaped
from wengert.verify.findings import Row

__all__ = ["SEVERITY", "STATUSES", "escaped"]

STATUSES = {
    "wrong": ("✗", "the value disagrees with the oracle"),
    "undecided": ("?", "no verdict is possible here: a kink, a jump, or an oracle that cannot tell"),
    "inaccurate": ("≈", "the rule is right, and rounding leaves few digits"),
    "right": ("✓", "the value agrees with the oracle"),
    "skipped": ("·", "the road was not taken"),
}
"""Sign and meaning of each status, worst first."""

SEVERITY = {"kink": "undecided", "jump": "undecided", "undefined": "undecided",
            "saturation": "inaccurate", "cancellation": "inaccurate", "ill-conditioned": "inaccurate"}  # fmt: skip
"""The status that a kind of fault leads to, where it is not wrong: it lies in the function or in its rounding, not in a rule."""


def number(x: float | None) -> str:
    return "" if x is None else f"{x:.9g}"


def counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def chip(status: str, after: str = "", before: str = "") -> str:
    sign, meaning = STATUSES.get(status, ("", status))
    return f'<span class="chip {css(status)}" title="{escaped(meaning)}">{sign} {before}{escaped(status)}{after}</span>'


def css(status: str) -> str:
    return status if status in STATUSES else "skipped"


def tally(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many rows have each status, worst first."""
    found = [r.status for r in rows]
    known = [*STATUSES, *dict.fromkeys(s for s in found if s not in STATUSES)]
    return {s: found.count(s) for s in known if s in found}


def worst(rows: Iterable[Row]) -> str:
    return next(iter(tally(rows)))


def by(derivative: str) -> str:
    """Return a derivative as mathematics, in plain text.

    >>> by("x x t")
    '∂³ / ∂x² ∂t'
    """
    names = derivative.split()
    runs = [(name, len(list(same))) for name, same in itertools.groupby(names)]
    return f"∂{power(len(names))} / " + " ".join(f"∂{n}{power(k)}" for n, k in runs) if names else "no derivative"


def power(k: int) -> str:
    return str(k).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if k > 1 else ""


def roads_of(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(r.road for r in rows))


def in_words(rows: Sequence[Row]) -> str:
    return ", ".join(f"{n} {s}" for s, n in tally(rows).items())


def sign(kind: str) -> str:
    return STATUSES[SEVERITY.get(kind, "wrong")][0]
