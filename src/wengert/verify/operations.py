"""The check of the library itself: every operation that states a derivative, at random points of its domain.

For each operation there are cases: those of its samples (`wengert.verify.samples`) that show derivatives. The lists of the
derivatives are built once for a case and walked at all of its points, in arithmetic of many digits.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np

from wengert.modes.tracing import tracing
from wengert.ops.op import Op, table
from wengert.tensor.tensor import append, tensors
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import check_points, probes
from wengert.verify.lists import Question
from wengert.verify.report import Report
from wengert.verify.samples import SAMPLES, Sample

__all__ = ["CASES", "check_operations", "excluded", "questions"]


def excluded(op: Op) -> str:
    """Return why an operation is not looked at; nothing if it is, and has to have a sample that is smooth."""
    if op.kind == "constant":
        return "has no derivative"
    if op.kind == "custom":
        return "is what the user's function says"
    if op.kind == "unstated" or (op.partials and not any(op.partials)):
        return "states no derivative"
    return op.no_digits


def _seen(one: Sample) -> bool:
    """Whether a sample shows derivatives of every order: of its inputs, one moves, and none is without elements."""
    if excluded(one.record) or not one.smooth or one.first or one.outputs == ():
        return False
    arrays = one.draw(np.random.default_rng(0))
    moving = [a for k, a in enumerate(arrays) if a.dtype.kind in "fc" and one.moves(k)]
    return bool(moving) and all(a.size for a in moving)


CASES: dict[str, list[Sample]] = {name: seen for name, many in SAMPLES.items() if (seen := [one for one in many if _seen(one)])}
"""The samples of each operation that states a derivative."""


# --- the check --------------------------------------------------------------------------------------------------------------


def question_of(one: Sample, rng: np.random.Generator) -> Question:
    """Return the question of a case at a random point."""
    question = Question()
    with tracing(question.graph):
        places = [question.place(a) for a in one.draw(rng)]
        given = places if one.enter is None else [one.enter(x) for x in places]
        result = append(question.graph, one.record, given, one.attrs) if one.call is None else one.call(tensors, *given)
    ys = list(result) if isinstance(result, list | tuple) else [result]
    ys = ys if one.outputs is None else [ys[k] for k in one.outputs]
    moving = [k for k, t in enumerate(places) if t.nptype.kind in "fc" and one.moves(k)]
    question.ys = [y for y in ys if y.nptype.kind in "fc"]
    question.xs, question.names = [places[k] for k in moving], [f"input {k}" for k in moving]
    return question


def questions(name: str, rng: np.random.Generator) -> Iterator[Question]:
    """Return a question for each case of an operation, at a random point."""
    for one in CASES[name]:
        yield question_of(one, rng)


def check_operation(name: str, order: int = 4, points: int = 20, seed: int = 0) -> list[Row]:
    """Check one operation at that many random points, which its cases share.

    Each case is looked at along a random direction of all its inputs at once: reverse mode and the series at all orders, forward
    mode at orders 1 and 2; at its first point also along each input, to order 2. Forward mode, whose lists double with each
    order, is looked at to the full order at the first point of the first case; of choices and loops, whose lists hold lists, to
    order 2 alone.
    """
    rng = np.random.default_rng([seed, *name.encode()])
    cases = CASES[name]
    shares = shared([one.most for one in cases], points)
    rows: list[Row] = []
    wanted = order
    for number, (one, count) in enumerate(zip(cases, shares, strict=True)):
        order = min(wanted, one.order)
        question = question_of(one, rng)
        arrays = [question.arrays, *(one.draw(rng) for _ in range(count - 1))]
        by_input, *along = probes(question, order, rng)
        probe = along[0] if along else by_input
        if along:
            rows += check_points(question, by_input.up_to(2), arrays[:1], {"reverse": 2, "forward": 2, "series": 2}, name)
        if number == 0 and table[name].kind != "control":
            rows += check_points(question, probe, arrays[:1], {"forward": order}, name)
        rows += check_points(question, probe, arrays, {"reverse": order, "forward": 2, "series": order}, name)
    return rows


def shared(most: Sequence[int], points: int) -> list[int]:
    """Share points among cases, at least one each.

    >>> shared([99, 99, 1], 8)
    [4, 3, 1]
    """
    found = [1] * len(most)
    while sum(found) < points and any(n < m for n, m in zip(found, most, strict=True)):
        at = min((n, k) for k, (n, m) in enumerate(zip(found, most, strict=True)) if n < m)[1]
        found[at] += 1
    return found


def check_operations(
    order: int = 4, points: int = 20, names: Sequence[str] | None = None, progress: Callable[[str, int, int], None] | None = None,
    jobs: int = 2, seed: int = 0,
) -> Report:  # fmt: skip
    """Check all operations that state a derivative, or those named, at random points; see `check_operation`.

    Args:
        order: The greatest order.
        points: How many points for each operation, shared among its cases, one for each at least.
        names: The operations, by the names of `wengert.ops.op.table`.
        progress: Called with an operation, and how many of how many are done.
        jobs: Processes that work at once.
        seed: Of the points.

    Raises:
        KeyError: for a name that is no operation's, or of one that is excluded.
    """
    chosen = list(CASES) if names is None else list(names)
    for name in chosen:
        if name not in CASES:
            raise KeyError(name)
    found: dict[str, list[Row]] = {}
    if jobs > 1 and len(chosen) > 1:
        # A fork would carry this process's threads and locks along.
        with ProcessPoolExecutor(min(jobs, len(chosen)), multiprocessing.get_context("spawn")) as pool:
            waiting = {pool.submit(check_operation, name, order, points, seed): name for name in chosen}
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                if progress is not None:
                    progress(waiting[done], len(found), len(chosen))
    else:
        for name in chosen:
            found[name] = check_operation(name, order, points, seed)
            if progress is not None:
                progress(name, len(found), len(chosen))
    rows = [row for name in chosen for row in found[name]]
    wrong = list(dict.fromkeys(row.function for row in rows if row.status == "wrong"))
    faults = [Fault("wrong rule", name, "", "", "the operation's own derivative is wrong") for name in wrong]
    return Report(rows, faults, [f"{len(chosen)} operations at {points} random points each, orders 1 to {order}."])
