"""Whether the numbers that a script received, and those of a model that was read, are those that lists give.

A list is judged by the oracle; what an executor, a tape or a loop made of it in the run is judged here, number by number, against
the list walked in many digits.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from wengert.ground.context import quietly
from wengert.ops.linear import CAST, CONSTANT
from wengert.ops.state import FED, READ, SNAPSHOT
from wengert.verify import lists
from wengert.verify.findings import Row
from wengert.verify.judge import DIGITS, NOISE, SLACK, with_noise, with_precision
from wengert.verify.lists import Question
from wengert.verify.precise import Precise, precise

__all__ = ["Delivered", "compared", "widened"]

WALKED = 60_000
"""Numbers that a list computes, up to which it is walked in many digits."""
BEYOND = 6400.0
"""Units of rounding of each operation, up to which a number that is off is called inaccurate rather than wrong."""


class Delivered(NamedTuple):
    """A number, or an array of them, that a script received."""

    label: str
    by: str
    """The name of what it is the derivative by; empty for a value that derivatives are part of."""
    symbol: Any
    """The tensor of the list that has the value; None where the list has no derivative."""
    array: Any
    """What was received; None where that was None."""
    road: str = "received"
    """What it is: "received", or "model", what a model of another framework gives where the list was read of it."""


class _Gap(NamedTuple):
    """The number that is furthest off, by what rounding explains."""

    value: float
    expected: float
    gap: float
    explained: float
    beyond: float
    size: float


def compared(question: Question, many: Sequence[Delivered], rng: np.random.Generator, road: str, note: str = "") -> list[Row]:
    """Return what was found of each; ``road`` is that whose arithmetic the numbers came from: tape, numpy, xla."""
    symbols = [one.symbol for one in many if one.symbol is not None]
    truths = _truths(question, symbols) if symbols else []
    rows = _rows(question, many, truths, road, note)
    if truths and truths[0].condition is not None and any(r.status != "right" for r in rows):
        # Only now is it of interest what rounding explains: to learn it takes six walks more.
        conditions = _conditions(question, symbols, rng)
        rows = _rows(question, many, [t._replace(condition=c) for t, c in zip(truths, conditions, strict=True)], road, note)
    return rows


def _rows(question: Question, many: Sequence[Delivered], truths: Sequence[_Truth], road: str, note: str) -> list[Row]:
    rows, left = [], iter(truths)
    for one in many:
        truth = None if one.symbol is None else next(left)
        dtype = np.asarray(one.array).dtype if one.array is not None else one.symbol.nptype
        if dtype.kind not in "fc":
            continue
        if one.symbol is not None:
            dtype = question.narrowest([one.symbol])
        status, gap, digits, told = _judged(one, truth, np.finfo(dtype), road)
        value, expected = (None, None) if gap is None else (gap.value, gap.expected)
        rows.append(Row(one.label, one.by, 1, one.road, dtype.name, status, value, expected, digits,
                        "; ".join(filter(None, (told, note)))))  # fmt: skip
    return rows


class _Truth(NamedTuple):
    """What the list gives, as real numbers in a row."""

    numbers: list[Any]
    condition: list[Any] | None
    """By how much each is changed where every operation errs by one; None in double precision, where it is not known."""
    finite: bool
    """Whether the list's own arithmetic gives finite numbers."""
    scale: float
    """The greatest number of all that were received together: in double precision what is lost of the others is not known."""


def _truths(question: Question, symbols: Sequence[Any]) -> list[_Truth]:
    listing = question.listing(symbols, False)
    own = [bool(np.isfinite(np.asarray(a)).all()) for a in listing.run(question.arrays)]
    if listing.size() <= WALKED:
        try:
            with mp.workdps(DIGITS):
                found = [_reals(y) for y in listing.walk([precise(a) for a in question.arrays], with_precision)]
                return [_Truth(y, [0.0] * len(y), ok, 0.0) for y, ok in zip(found, own, strict=True)]
        except (NotImplementedError, ValueError, ZeroDivisionError, OverflowError):
            pass  # what many digits cannot say, double precision may
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in question.arrays]
    arrays = [np.asarray(y) for y in quietly(listing.walk, wide, widened)]
    scale = max((float(np.abs(y[np.isfinite(y)]).max(initial=0.0)) for y in arrays), default=0.0)
    return [_Truth(_reals(y), None, ok, scale) for y, ok in zip(arrays, own, strict=True)]


def _conditions(question: Question, symbols: Sequence[Any], rng: np.random.Generator) -> list[Any]:
    """Return the condition of each number of each tensor: of the plain list or of the rewritten one, the worse of the two."""
    arrays = [precise(a) for a in question.arrays]
    worst: list[Any] = []
    with mp.workdps(DIGITS):
        for on in (False, True):
            listing = question.listing(symbols, on)
            plain = [_reals(y) for y in listing.walk(arrays, with_precision)]
            worst = worst or [[mp.mpf(0)] * len(y) for y in plain]
            for _ in range(2):
                shaken = listing.walk(arrays, functools.partial(with_noise, rng))
                for k, y in enumerate(shaken):
                    worst[k] = [max(w, abs(a - b)) for w, a, b in zip(worst[k], plain[k], _reals(y), strict=True)]
        return [[w * mp.mpf(10) ** NOISE for w in one] for one in worst]


def _reals(y: Any) -> list[Any]:
    """Return the numbers of an array, a complex one as two."""
    flat = y.view(np.ndarray).reshape(-1) if isinstance(y, Precise) else np.asarray(y).reshape(-1)
    if (y.nominal if isinstance(y, Precise) else flat.dtype).kind == "c":
        return [part for v in flat for part in (v.real, v.imag)]
    return list(flat)


def _judged(one: Delivered, truth: _Truth | None, about: Any, road: str) -> tuple[str, _Gap | None, float | None, str]:
    """Return the status, the number that is furthest off, how many digits it has, and a remark."""
    if one.array is None:
        assert truth is not None
        worst = max(truth.numbers, key=abs, default=0.0)
        if not worst:
            return "right", None, None, ""
        return "wrong", _Gap(np.nan, float(worst), np.inf, 0.0, 0.0, 1.0), None, "None, where the derivative is not zero"
    received = [float(v) for v in _reals(np.asarray(one.array))]
    numbers = [0.0] * len(received) if truth is None else truth.numbers
    if len(numbers) != len(received):
        return "wrong", None, None, f"{len(received)} numbers, where the derivative has {len(numbers)}"
    with mp.workdps(DIGITS):
        gap = _furthest(received, numbers, truth, about, SLACK[road])
    if gap is None:
        return "undecided", None, None, "the list gives no finite number"
    digits = None if not gap.size else 17.0 if not gap.gap else float(max(0.0, min(17.0, -np.log10(gap.gap / gap.size))))
    if not np.isfinite(gap.value):
        if truth is not None and not truth.finite:
            return "inaccurate", gap, 0.0, "not finite: a value on the way is out of range"
        return "wrong", gap, 0.0, "not finite, where the derivative is"
    if gap.gap <= gap.explained:
        return "right", gap, digits, ""
    if gap.gap <= gap.beyond:
        return "inaccurate", gap, digits, "more digits are lost than the rounding of its operations explains"
    return "wrong", gap, digits, ""


def _furthest(received: Sequence[float], numbers: Sequence[Any], truth: _Truth | None, about: Any, slack: float) -> Any:
    """Return the number that is furthest off; a zero that is right if there is no number, None if no truth is finite."""
    eps, tiny = float(about.eps), float(about.tiny)
    known = truth.condition if truth is not None else [0.0] * len(numbers)
    worst, ratio = None if numbers else _Gap(0.0, 0.0, 0.0, tiny, tiny, 0.0), -1.0
    for k, (value, t) in enumerate(zip(received, numbers, strict=True)):
        if not mp.isfinite(t):
            continue
        if known is not None:
            unit = eps * (known[k] + abs(t))
        else:  # half of the digits are left to rounding
            assert truth is not None
            unit = eps**0.5 / BEYOND * truth.scale
        explained, beyond = slack * unit + tiny, BEYOND * unit + tiny
        gap = abs(mp.mpf(value) - t) if np.isfinite(value) else mp.inf
        if gap / explained > ratio:
            worst = _Gap(value, float(t), float(gap), float(explained), float(beyond), float(abs(t)))
            ratio = gap / explained
    return worst


def widened(node: Any, arrays: list[Any]) -> Any:
    """Compute a node in float64, whatever narrower type it is written for."""
    op = node.op
    if op is CAST and np.dtype(node.attrs["dtype"]).kind == "f" and arrays[0].dtype.kind == "f":
        return arrays[0]
    if op is CONSTANT and node.attrs["value"].dtype.kind == "f":
        return node.attrs["value"].astype(np.float64)
    if op in (READ, SNAPSHOT, FED):
        return arrays[-1]
    found = op.eager(*arrays, **lists.wrapped(node.attrs, widened))
    return found if op.outputs != 1 else np.asarray(found)
