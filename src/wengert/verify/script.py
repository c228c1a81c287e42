"""`wengert check SCRIPT.py`: every derivative that a script takes, at the values with which it ran.

While the script runs, what each derivative began with and what came of it is kept: of a session, a traced function or a tape,
at the first, second, fourth, ... call of its line. Afterwards the list of each derivative is judged at its first call, by the
oracle, and the numbers that the script received at each call that was kept, by the list. Of a derivative of a derivative the
outer order is judged here and the inner one as a question of its own: if both are right, so is the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.ground.context import quietly
from wengert.ground.errors import OpError
from wengert.ground.options import options
from wengert.ground.types import NumPyArray
from wengert.verify import locate
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import in_double, quiet
from wengert.verify.lists import Question, Unanswerable, rewrites
from wengert.verify.numeric import derivative
from wengert.verify.received import compared, widened
from wengert.verify.report import Report
from wengert.verify.roads import LISTS, Probe
from wengert.verify.verdict import drawn, judged
from wengert.verify.watch import Posed, Run, TapeCall, Watch

__all__ = ["check_script"]

DRAWN = 8
"""Directions that are drawn until one is found along which the derivative is no small difference of large numbers."""
SMALL = 20_000
"""Numbers that a list computes, up to which it is judged in many digits; a larger one is judged in double precision."""


def _of_list(question: Question, rng: np.random.Generator, label: str, outer: int) -> tuple[list[Row], list[Fault]]:
    """Return what was found about the list of one derivative, which ``outer`` further tapes may differentiate."""
    if question.size() > SMALL:
        return _in_double(question, rng, label), []
    rows, faults = judged(question, 1, rng, only=("reverse", "taylor", "numpy"), label=label)
    if outer and not faults:
        more, blamed = locate.customs(question, 1 + outer, rng, label)
        rows, faults = rows + more, blamed
    return rows, faults


def _of_call(
    call: TapeCall | Run, posed: Posed, rng: np.random.Generator, labels: dict[str, str], sound: bool
) -> tuple[list[Row], list[Fault]]:
    """Return what was found about the numbers that a call gave, and who is to blame where they are not those of the list.

    ``sound``: whether the list is right, so that it does not bear the blame.
    """
    if posed.question is None or not posed.delivered:
        return [], []
    many = [one._replace(label=labels.get(one.label, one.label)) for one in posed.delivered]
    rows = compared(posed.question, many, rng, call.road, f"call {call.number}" if call.number > 1 else "")
    wrong = [r for r in rows if r.status == "wrong"]
    misread = [r for r in wrong if r.road == "model"]
    if misread:
        return rows, [Fault("reading", "", r.function, "", _differ("the model gives", r, "the list that was read of it"))
                      for r in misread]  # fmt: skip
    if not wrong or not sound:
        return rows, []
    faults = locate.wrong_controls(call.blamed(), rng)
    if not faults:
        worldly = ", ".join(call.worldly())
        end = f"; in the bodies of its choices and loops there is {worldly}" if worldly else ""
        for r in wrong:
            text = _differ("the script received", r, "the derivative's list, which is right,") + end
            if all(f.where != r.function for f in faults):
                faults.append(Fault("received", "", r.function, "", text))
    return rows, faults


def _differ(received: str, row: Row, listed: str) -> str:
    value, expected = ("None" if x is None or x != x else f"{x:.9g}" for x in (row.value, row.expected))
    return f"{received} {value}, and {listed} gives {expected}"


def _in_double(question: Question, rng: np.random.Generator, label: str) -> list[Row]:
    """Judge a large list: its values in float64 along random directions, against its gradient as it is run."""
    listing = question.listing(question.ys, False)
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in question.arrays]
    ys = question.values(question.ys)
    if any(np.asarray(y).dtype.kind == "c" for y in ys):
        return [Row(label, "", 1, "numpy", "", "skipped", None, None, None, "a large list of complex numbers")]
    places = [question.at(x) for x in question.xs]
    dtype = question.narrowest(question.ys)
    eps = float(np.finfo(dtype).eps)
    for _ in range(DRAWN):
        weights = [_signs(np.shape(y), rng) for y in ys]
        directions = [_signs(np.shape(question.arrays[k]), rng) for k in places]
        got, typical = _reversed(question, places, directions, [w.astype(y.dtype) for y, w in zip(ys, weights, strict=True)])
        if abs(got) >= 0.1 * typical:
            break

    def value(numbers: Sequence[Any]) -> Any:
        arrays = list(wide)
        for k, d in zip(places, directions, strict=True):
            arrays[k] = wide[k] + numbers[0] * d
        found = quietly(listing.walk, arrays, widened)
        return sum(float(np.sum(w * np.asarray(y, np.float64))) for y, w in zip(found, weights, strict=True))

    truth = derivative(value, [1], start=0.01, enough=1e-3 * eps**0.5)
    gap, size = abs(got - truth.value), abs(truth.value)
    digits = 17.0 if not gap else max(0.0, -float(np.log10(gap / size))) if size else 0.0
    if not np.isfinite(truth.value) or truth.kind != "smooth":
        status = "undecided"
    else:
        # What the list's own arithmetic loses is not known here: half of its digits are left to it.
        scale = size + 1e-3 * float(sum(np.abs(w).sum() for w in weights))
        near, far = 8 * truth.error + eps**0.5 * size, 100 * truth.error + 10 * eps**0.5 * scale
        status = "right" if gap <= near and truth.error <= 0.1 * scale else "wrong" if gap > far else "undecided"
    return [Row(label, "d", 1, "reverse", dtype.name, status, got, truth.value, digits,
                f"{truth.how} in double precision, ± {truth.error:.1g}")]  # fmt: skip


def _reversed(
    question: Question, places: Sequence[int], directions: Sequence[NumPyArray], weights: Sequence[NumPyArray]
) -> tuple[float, float]:
    """Return the derivative along the directions as reverse mode has it: a sum of products, and the root of their squares' sum.

    The second is the size of such a sum of products whose signs are drawn; where the first is far smaller, they cancel.
    """
    build, on = LISTS["reverse"]
    seeds = [d.astype(question.arrays[k].dtype) for k, d in zip(places, directions, strict=True)]
    with quiet():
        found = build(question, Probe("direction", [seeds], weights, [(1,)]))[(1,)]
    if found is None:
        return 0.0, 0.0
    with options.set(**rewrites(on)):
        arrays = NumPyProgram(question.graph, found.tensors, question.feeds)(*question.arrays)
    squares = (np.sum(np.square(np.asarray(t, np.float64) * w)) for t, w in zip(arrays, found.weights, strict=True))
    return in_double(arrays, found.weights), float(sum(squares)) ** 0.5


def _signs(shape: Any, rng: np.random.Generator) -> Any:
    return rng.choice([-1.0, 1.0], shape) * (rng.integers(32, 96, shape) / 64.0)


class _Judge:
    """Judges the calls that were kept of a script, one after the other."""

    def __init__(self, seed: int, notes: Sequence[str]) -> None:
        """Begin with nothing but remarks; ``seed``: of random directions and weights."""
        self.seed = seed
        self.rows: list[Row] = []
        self.faults: list[Fault] = []
        self.notes = list(notes)
        self.graph: Any = None
        self.verdicts: dict[str, str] = {}
        """Of each derivative that was met: right, wrong, undecided, or not checked."""
        self.calls = 0
        """Calls of which numbers were compared."""
        self._counts: dict[str, int] = {}
        self._labels: dict[Hashable, dict[str, str]] = {}
        self._unsound: set[Hashable] = set()

    def take(self, key: Hashable, call: TapeCall | Run, progress: Callable[[str], None] | None) -> None:
        """Judge a call; of calls with the same key the first one's list stands for all."""
        try:
            posed = call.posed()
        except (Unanswerable, OpError, NotImplementedError) as error:
            where = call.where if isinstance(call, TapeCall) else ""
            if key not in self._labels:
                self._labels[key] = {}
                self.verdicts[self._label(where)] = "not checked"
            self.notes.append(f"{where + ': ' if where else ''}not checked: {error}")
            return
        first = key not in self._labels
        own = self._labels.setdefault(key, {})
        for name, where, question in posed.questions:
            if progress is not None:
                progress(where)
            if first:
                own[name] = self._label(where)
                self._list(key, own[name], question, call.outer)
        try:
            found, blamed = _of_call(call, posed, np.random.default_rng(self.seed), own, key not in self._unsound)
        except (Unanswerable, OpError, NotImplementedError) as error:
            self.notes.append(f"what was received is not checked: {error}")
            return
        self._keep(found, blamed)
        self.calls += bool(found)
        self.verdicts.update((r.function, "wrong") for r in found if r.status == "wrong")

    def _label(self, where: str) -> str:
        count = self._counts[where] = self._counts.get(where, 0) + 1
        return where + (f" ({count})" if count > 1 else "")

    def _list(self, key: Hashable, label: str, question: Question, outer: int) -> None:
        self.verdicts[label] = "not checked"
        try:
            found, blamed = _of_list(question, np.random.default_rng(self.seed), label, outer)
        except (Unanswerable, OpError, NotImplementedError) as error:
            self.notes.append(f"{label}: not checked: {error}")
            return
        self._keep(found, blamed)
        report = Report(found)
        if any(r.status != "skipped" for r in found):
            self.verdicts[label] = report.verdict
        if not report.ok:
            self._unsound.add(key)
        if self.graph is None or not report.ok:
            self.graph = drawn(question)

    def _keep(self, rows: Sequence[Row], faults: Sequence[Fault]) -> None:
        self.rows += rows
        self.faults += [f for f in faults if f not in self.faults]

    def tally(self) -> str:
        """Return how many derivatives are right, wrong, undecided or unchecked."""
        count = len(self.verdicts)
        many = "1 derivative" if count == 1 else f"{count} derivatives"
        of = {v: sum(x == v for x in self.verdicts.values()) for v in ("right", "wrong", "undecided", "not checked")}
        if count and of["right"] == count:
            return f"{many}: {'right' if count == 1 else 'all right'}"
        return f"{many}: {', '.join(f'{n} {v}' for v, n in of.items() if n)}" if count else ""


def check_script(run: Callable[[], int], progress: Callable[..., None] | None = None, seed: int = 0) -> tuple[int, Report]:
    """Run a script and judge each derivative that it took; return its exit status and what was found."""
    with Watch() as watch:
        status = run()
    judge = _Judge(seed, watch.notes)
    with options.set(executor="numpy"):
        for k, (key, call) in enumerate(watch.kept):
            show = None if progress is None else functools.partial(progress, done=k, count=len(watch.kept))
            judge.take(key, call, show)
    judge.notes.append(f"Numbers received were compared at {judge.calls} calls; the script took {watch.calls} derivatives.")
    return status, Report(judge.rows, judge.faults, dict.fromkeys(judge.notes), judge.graph, judge.tally())
