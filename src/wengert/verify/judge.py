"""Whether derivatives are right: every road against the oracle, the fault located.

A rule is *right* or *wrong* whatever rounding does: the derivative's own list is walked in arithmetic of many digits and
compared with the oracle, so no tolerance has to guess what rounding explains. How many digits a run in double or single
precision keeps is a second question, and has its own answer: the difference between that run and the truth. What it may lose
is known too: a walk of the same list in which each result is changed at random by 1e-20 of itself (D. S. Parker's Monte Carlo
arithmetic) tells the condition of the computation.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.graph.node import Node
from wengert.ground import nest
from wengert.ground.errors import NoGradientWarning, OpError
from wengert.ground.options import options
from wengert.modes.tracing import FuncGraph, tracing
from wengert.ops.control import CALL
from wengert.ops.linear import CONSTANT
from wengert.ops.state import FED, HANDLE, READ, SNAPSHOT
from wengert.tensor.tensor import convert
from wengert.verify import roads
from wengert.verify.findings import Row
from wengert.verify.lists import Question, Unanswerable, rewrites, wrapped
from wengert.verify.oracle import SMOOTH, Answer, Oracle, indices
from wengert.verify.precise import Precise, precise, run
from wengert.verify.roads import LISTS, Found, Probe

__all__ = ["check_points", "check_question", "function_question", "oracle_of", "probes", "randoms", "with_precision"]

log = logging.getLogger("wengert")
AGREE = 1e-10
"""Relative difference up to which a rule agrees with the oracle: its constants are doubles, and lists cancel a little."""
FOLDED = 64.0
"""Units of rounding that constants computed beforehand, in a list's own arithmetic, may cost."""
NOISE = 20
"""Each result is changed by ten to minus this to learn the condition of a list."""
DIGITS = 60
"""The digits of a derivative's list."""
SLACK = {"tape": 64.0, "numpy": 64.0, "xla": 4096.0}
"""How many units of rounding an operation of an executor may err; XLA's special functions err by thousands."""


# --- arithmetic of many digits ---------------------------------------------------------------------------------------------


def with_precision(node: Node, arrays: list[Any]) -> Any:
    """Compute a node in the current precision."""
    op = node.op
    if op in (READ, SNAPSHOT, FED):
        return arrays[-1]
    if op is CALL:
        return wrapped(node.attrs, with_precision)["body"](*arrays)
    if op is CONSTANT:
        return precise(node.attrs["value"])
    return run(op, arrays, wrapped(node.attrs, with_precision))


def with_noise(rng: np.random.Generator, node: Node, arrays: list[Any]) -> Any:
    """Compute a node, and change each real result by some 1e-20 of itself."""
    found = with_precision(node, arrays)
    if node.op.kind == "control":
        return found
    up, down = 1 + mp.mpf(10) ** -NOISE, 1 - mp.mpf(10) ** -NOISE

    def shaken(y: Any) -> Any:
        if not isinstance(y, Precise) or not y.size:
            return y
        factors = np.where(rng.integers(0, 2, np.shape(y), bool), up, down)
        return y * factors

    return tuple(shaken(y) for y in found) if node.op.outputs != 1 else shaken(found)


def displaced(question: Question, probe: Probe) -> Callable[[Sequence[Any]], list[Any]]:
    """Return a function of one number for each seed that gives the values of the feeds, moved that far along the directions."""
    base = [precise(a) for a in question.arrays]
    places = [question.at(x) for x in question.xs]
    directions = [[None if d is None else precise(d) for d in seed] for seed in probe.seeds]

    def moved(numbers: Sequence[Any]) -> list[Any]:
        arrays = list(base)
        for number, seed in zip(numbers, directions, strict=True):
            if number:
                for k, d in zip(places, seed, strict=True):
                    if d is not None:
                        arrays[k] = arrays[k] + d * number
        return arrays

    return moved


def oracle_of(question: Question, probe: Probe, order: int) -> Oracle:
    """Return the oracle of Re(w̄ y), element by element, by the probe's seeds."""
    listing = question.listing(question.ys, False)
    moved = displaced(question, probe)
    weights = [precise(w) for w in probe.weights]

    def f(numbers: Sequence[Any]) -> list[Any]:
        found = listing.walk(moved(numbers), with_precision)
        return [_weighed(y, w) for y, w in zip(found, weights, strict=True)]

    return Oracle(f, len(probe.seeds), order)


def _weighed(y: Any, w: Any) -> Any:
    """Return Re(w̄ y) as a plain array of mpmath's real numbers."""
    y, w = (y if isinstance(y, Precise) else precise(np.asarray(y, np.float64))).view(np.ndarray), w.view(np.ndarray)
    product = np.frompyfunc(lambda a, b: mp.re(mp.conj(b) * a), 2, 1)(y, w)
    return np.asarray(product, dtype=object)


# --- questions ------------------------------------------------------------------------------------------------------------


def function_question(f: Callable[..., Any], arrays: Sequence[Any], names: Sequence[str]) -> Question:
    """Return the question of a function of tensors, traced for the arrays' shapes and dtypes."""
    graph = FuncGraph(None, "function")
    with tracing(graph):
        places = [graph.add_input(np.shape(a), a.dtype, n) for a, n in zip(arrays, names, strict=True)]
        ys: list[Any] = [convert(y) for y in nest.flatten(f(*places)) if y is not None]
    ys = [y for y in ys if y.nptype.kind in "fc"]
    if not ys:
        raise Unanswerable("the function returns no real or complex tensor")
    known = {p.node: a for p, a in zip(places, arrays, strict=True)}
    known.update({place.node: source.array for source, place in graph.captured.values() if hasattr(source, "array")})

    def value(node: Node) -> Any:
        if node.op is HANDLE:
            return node.attrs["variable"].storage.read()
        return known.get(node)

    question = Question()
    question.copy([y if y.graph is graph else graph.capture(y) for y in ys], places, value)
    question.names = list(names)
    return question


def probes(question: Question, order: int, rng: np.random.Generator) -> list[Probe]:
    """Return the probes: along each argument as a whole, mixed; and along one random direction of all of them together."""
    xs = [question.arrays[question.at(x)] for x in question.xs]
    ys = question.values(question.ys)
    weights = [randoms(np.shape(y), np.asarray(y).dtype, rng) for y in ys]
    count = len(xs)
    shown = count if count <= 3 else 3
    found = []
    own = [[np.ones(np.shape(x), x.dtype) if i == k else None for i, x in enumerate(xs)] for k in range(shown)]
    found.append(Probe("arguments", own, weights, indices(shown, order)))
    if count > 1 or xs[0].size > 1 or xs[0].dtype.kind == "c":
        direction = [randoms(np.shape(x), x.dtype, rng) for x in xs]
        found.append(Probe("direction", [direction], weights, indices(1, order)))
    return found


def randoms(shape: Any, dtype: Any, rng: np.random.Generator) -> Any:
    """Return numbers of size about 1, none near 0, with few digits, so that float32 holds them exactly."""
    numbers = rng.choice([-1.0, 1.0], shape) * (rng.integers(32, 96, shape) / 64.0)
    if np.dtype(dtype).kind == "c":
        numbers = numbers + 1j * rng.choice([-1.0, 1.0], shape) * (rng.integers(32, 96, shape) / 64.0)
    return np.asarray(numbers, dtype)


# --- the comparison -------------------------------------------------------------------------------------------------------


class _Truth(NamedTuple):
    """A derivative as the oracle gives it."""

    value: Any
    size: Any
    """The sum of the absolute values of its parts."""
    error: Any
    kind: str


def _truth(answer: Answer) -> _Truth:
    value = sum((v for y in answer.values for v in y.flat), mp.mpf(0))
    size = sum((abs(v) for y in answer.values for v in y.flat), mp.mpf(0))
    error = sum((v for y in answer.errors for v in y.flat), mp.mpf(0))
    return _Truth(value, size, error, answer.kind)


def check_question(
    question: Question, order: int, rng: np.random.Generator, *, executors: bool = True, only: Sequence[str] | None = None,
    locate: bool = True, label: str = "",
) -> list[Row]:  # fmt: skip
    """Return what was found for each derivative and road; `only` names the roads."""
    rows: list[Row] = []
    for probe in probes(question, order, rng):
        truths = _truths(question, probe, order)
        rows += _check_lists(question, probe, truths, list(_lists(question, probe, only)), label)
        if executors:
            rows += _check_runs(question, probe, truths, only, label, rng)
    return rows


def check_points(
    question: Question, probe: Probe, points: Sequence[Sequence[Any]], most: Mapping[str, int], label: str = ""
) -> list[Row]:
    """Return what was found along a probe at several points: values of the feeds, of the same shapes.

    Each list is built once and walked at every point. ``most``: the roads, and up to which order.
    """
    lists = [one for road, order in most.items() for one in _lists(question, probe.up_to(order), (road,))]
    order = max(map(sum, probe.counts))
    rows: list[Row] = []
    for arrays in points:
        question.arrays = list(arrays)
        rows += _check_lists(question, probe, _truths(question, probe, order), lists, label)
    return rows


def _truths(question: Question, probe: Probe, order: int) -> dict[Any, _Truth]:
    oracle = oracle_of(question, probe, order)
    return {counts: _truth(oracle(counts)) for counts in probe.counts}


def _name(question: Question, probe: Probe, counts: Sequence[int]) -> str:
    """Return the name of a derivative: `x x t`, or `d d` along the random direction."""
    if probe.name == "arguments":
        at = [next(i for i, d in enumerate(seed) if d is not None) for seed in probe.seeds]
        return " ".join(question.names[at[s]] for s, n in enumerate(counts) for _ in range(n))
    return " ".join(["d"] * sum(counts))


def _lists(
    question: Question, probe: Probe, only: Sequence[str] | None
) -> Iterator[tuple[str, bool, dict[Any, Any], str]]:  # fmt: skip
    """Build each road that is a list; yield its name, whether the rewrites are on, its tensors, and why there are none."""
    for road, (build, on) in LISTS.items():
        if only is not None and road not in only:
            continue
        try:
            with quiet():
                yield road, on, build(question, probe), ""
        except (NotImplementedError, OpError, LookupError) as error:
            yield road, on, {}, str(error)


def _check_lists(question: Question, probe: Probe, truths: dict[Any, _Truth], lists: Sequence[Any], label: str) -> list[Row]:
    """Compare each road that is a list, walked in many digits."""
    rows = []
    dtype = question.narrowest(question.ys)
    agree = max(AGREE, FOLDED * float(np.finfo(dtype).eps) if dtype.itemsize < 8 else 0.0)
    for road, on, tensors, reason in lists:
        wanted = [(c, t) for c, t in tensors.items() if t is not None]
        found: dict[Any, Any] = {}
        if wanted:
            try:
                with mp.workdps(DIGITS):
                    listing = question.listing(_tensors(wanted), on)
                    found = _summed(wanted, listing.walk([precise(a) for a in question.arrays], with_precision))
            except (NotImplementedError, OpError) as error:
                reason, tensors = str(error), {}
            except (ValueError, ZeroDivisionError, OverflowError):
                found = {c: mp.nan for c, _ in wanted}
        if reason:
            rows.append(Row(label, _name(question, probe, ()), 0, road, "exact", "skipped", None, None, None, reason))
        for counts in tensors:
            rows.append(_judged(question, probe, counts, road, found.get(counts), truths[counts], label,
                                absent=tensors[counts] is None, agree=agree))  # fmt: skip
    return rows


def _judged(question: Question, probe: Probe, counts: Any, road: str, value: Any, truth: _Truth, label: str,
            absent: bool, agree: float) -> Row:  # fmt: skip
    name, order = _name(question, probe, counts), sum(counts)

    def row(status: str, note: str = "") -> Row:
        shown = None if value is None else float(value)
        expected = None if truth.kind == "undefined" else float(truth.value)
        return Row(label, name, order, road, "exact", status, shown, expected, None, note)

    if truth.kind != SMOOTH:
        return row("undecided", truth.kind)
    if truth.error > 1e-9 and truth.error > truth.size / 100:
        return row("undecided", "the oracle's own error is as great as the derivative")
    with mp.workdps(DIGITS):
        if not absent and not mp.isfinite(value):
            return row("wrong", "not finite, where the derivative is")
        gap = abs((0 if absent else value) - truth.value)
        if gap <= 10 * truth.error + agree * truth.size:
            return row("right")
    return row("wrong", "None, where the derivative is not zero" if absent else "")


def _check_runs(question: Question, probe: Probe, truths: dict[Any, _Truth], only: Any, label: str, rng: Any) -> list[Row]:
    """Compare what the executors give, in the question's own arithmetic, and say how many digits it has."""
    rows: list[Row] = []
    dtype = question.narrowest(question.ys)
    conditions: dict[str, tuple[dict[Any, Any], float]] = {}
    for road, builder in (("tape", "reverse"), ("numpy", "taylor"), ("xla", "taylor")):
        if only is not None and road not in only:
            continue
        if road == "xla" and not _has_jax():
            continue
        build, on = LISTS[builder]
        try:
            with quiet():
                tensors = build(question, probe)
                if not tensors:  # users' nested gradients answer by argument; along a direction, the series
                    builder = "series"
                    tensors = LISTS["series"][0](question, probe)
                wanted = [(c, t) for c, t in tensors.items() if t is not None and truths[c].kind == SMOOTH]
                if not wanted:
                    continue
                if builder not in conditions:
                    conditions[builder] = _condition(question, wanted, on, rng)
                found = _run(question, probe, road, wanted)
        except (NotImplementedError, OpError, LookupError, Unanswerable) as error:
            rows.append(Row(label, "", 0, road, dtype.name, "skipped", None, None, None, str(error)))
            continue
        condition, greatest = conditions[builder]
        for counts, value in found.items():
            name = _name(question, probe, counts)
            rows.append(_measured(name, sum(counts), road, dtype, value, truths[counts], condition[counts], greatest, label))
    return rows


def _condition(question: Question, wanted: Any, on: bool, rng: np.random.Generator) -> tuple[dict[Any, Any], float]:
    """Return by how much a relative error of one in each operation changes the derivatives, and the greatest value on the way."""
    listing = question.listing(_tensors(wanted), on)
    arrays = [precise(a) for a in question.arrays]
    with mp.workdps(DIGITS):
        slots: list[Any] = [None] * listing.plan.size
        plain = _summed(wanted, listing.walk(arrays, with_precision, slots))
        sizes = (float(np.max(np.abs(v).view(np.ndarray))) for v in slots if isinstance(v, Precise) and v.size)
        greatest = max((s for s in sizes if np.isfinite(s)), default=1.0)
        worst = dict.fromkeys(plain, mp.mpf(0))
        for _ in range(2):
            shaken = _summed(wanted, listing.walk(arrays, functools.partial(with_noise, rng)))
            worst = {c: max(w, abs(plain[c] - shaken[c])) for c, w in worst.items()}
        return {c: w * mp.mpf(10) ** NOISE for c, w in worst.items()}, greatest


def _run(question: Question, probe: Probe, road: str, wanted: Any) -> dict[Any, float]:
    if road == "tape":
        found = roads.tape(question, probe)
        return {c: in_double(*found[c]) for c, _ in wanted}
    with options.set(**rewrites(True)):
        if road == "numpy":
            program: Any = NumPyProgram(question.graph, _tensors(wanted), question.feeds)
        else:
            from wengert.execute.xla.program import XlaProgram

            program = XlaProgram(question.graph, _tensors(wanted), question.feeds)
        values = iter(program(*[np.asarray(a) for a in question.arrays]))
    return {c: in_double([next(values) for _ in f.tensors], f.weights) for c, f in wanted}


def _tensors(wanted: Sequence[tuple[Any, Found]]) -> list[Any]:
    return [t for _, found in wanted for t in found.tensors]


def _summed(wanted: Sequence[tuple[Any, Found]], values: Sequence[Any]) -> dict[Any, Any]:
    """Return Σ Re(w̄ t) of each derivative, in many digits."""
    left = iter(values)
    return {
        c: sum((sum(_weighed(next(left), precise(w)).flat, mp.mpf(0)) for w in found.weights), mp.mpf(0)) for c, found in wanted
    }


def in_double(arrays: Sequence[Any], weights: Sequence[Any]) -> float:
    """Return Σ Re(w̄ t) in double precision."""
    total = 0.0
    for t, w in zip(arrays, weights, strict=True):
        # By parts: an infinite part times a zero one is no number.
        total += float(np.sum(np.real(w) * np.real(t)) + (np.sum(np.imag(w) * np.imag(t)) if np.iscomplexobj(t) else 0.0))
    return total


def _measured(name: str, order: int, road: str, dtype: Any, value: float, truth: _Truth, condition: Any, greatest: float,
              label: str) -> Row:  # fmt: skip
    """Judge a run: right to the digits that its arithmetic has, inaccurate where rounding took them, or wrong."""
    expected, eps = float(truth.value), float(np.finfo(dtype).eps)

    def row(status: str, digits: float | None, note: str = "") -> Row:
        return Row(label, name, order, road, dtype.name, status, value, expected, digits, note)

    if not np.isfinite(value):
        return row("inaccurate", 0.0, "not finite: a value on the way is out of range")
    with mp.workdps(DIGITS):
        gap, tiny = abs(mp.mpf(value) - truth.value), float(np.finfo(dtype).tiny)
        explained = SLACK[road] * eps * (condition + truth.size) + 10 * truth.error + tiny
        if truth.size <= 10 * truth.error:  # the derivative is zero: there are no digits to count
            digits = None
        else:
            digits = 17.0 if not gap else float(max(0, min(17, -mp.log10(gap / truth.size))))
        most = -float(mp.log10(eps))
        if gap <= explained:
            lost = digits is not None and digits < most / 2
            return row("inaccurate" if lost else "right", digits, "the computation is ill-conditioned here" if lost else "")
        if eps * condition > truth.size / 10:
            return row("inaccurate", digits, "the computation is ill-conditioned here")
        if gap <= SLACK[road] * eps * greatest:
            return row("inaccurate", digits, "values on the way are much greater than the derivative")
        if gap <= 1e4 * explained and (digits is None or digits >= 1):
            return row("inaccurate", digits, "more digits are lost than the rounding of its operations explains")
    return row("wrong", digits)


@functools.cache
def _has_jax() -> bool:
    import importlib.util

    return importlib.util.find_spec("jax") is not None


class quiet:
    """A block in which a gradient that is None is not warned of."""

    def __enter__(self) -> None:
        """Begin."""
        import warnings

        self._catch = warnings.catch_warnings()
        self._catch.__enter__()
        warnings.simplefilter("ignore", NoGradientWarning)

    def __exit__(self, *exception: Any) -> None:
        """End."""
        self._catch.__exit__(*exception)
