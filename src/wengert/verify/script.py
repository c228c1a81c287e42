"""`wengert check SCRIPT.py`: every derivative that a script takes, at the values with which it ran.

While the script runs, what each derivative began with and what came of it is kept: of a session, a traced function or a tape,
at the first, second, fourth, ... call of its line. Afterwards the list of each derivative is judged at its first call, by the
oracle, and the numbers that the script received at each call that was kept, by the list. Of a derivative of a derivative the
outer order is judged here and the inner one as a question of its own: if both are right, so is the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.derive.lowered import needed
from wengert.derive.questions import GRADIENT, split_gradient
from wengert.derive.request import request
from wengert.execute import program as choose
from wengert.execute.numpy import NumPyProgram
from wengert.execute.variables import variables_of
from wengert.functions.program import custom_gradient
from wengert.graph.node import Node
from wengert.ground import nest
from wengert.ground.context import Site, here, quietly, state
from wengert.ground.errors import OpError
from wengert.ground.options import options
from wengert.modes import tape as tapes
from wengert.modes.slices import IndexedSlices
from wengert.modes.tracing import Body, tracing
from wengert.ops.linear import IDENTITY, PLACEHOLDER, STOP_GRADIENT
from wengert.ops.op import Op, operations
from wengert.ops.state import CUSTOM, FED, HANDLE, READ
from wengert.tensor.tensor import EagerTensor, apply
from wengert.verify import lists, locate
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import in_double, quiet
from wengert.verify.lists import Listing, Question, Unanswerable, rewrites
from wengert.verify.numeric import derivative
from wengert.verify.received import Delivered, compared, widened
from wengert.verify.report import Report
from wengert.verify.roads import LISTS, Probe
from wengert.verify.straight import Straight, is_drawn, key_of
from wengert.verify.verdict import drawn, judged

__all__ = ["Watch", "check_script"]

SMALL = 20_000
"""Numbers that a list computes, up to which it is judged in many digits; a larger one is judged in double precision."""
MOST = 500
"""Calls that are kept."""


class Posed(NamedTuple):
    """What a call has to answer for."""

    questions: list[tuple[str, str, Question]]
    """For each derivative a name of its own, where it was asked for, and its question."""
    question: Question | None
    """That in which the values received are tensors."""
    delivered: list[Delivered]


class TapeCall:
    """A derivative that a tape gave."""

    def __init__(self, where: str, tape: Any, asked: Sequence[Any], number: int) -> None:
        """Take what the tape recorded, the ys, xs and weights, and what came of them."""
        self.where, self.number, self.road = where, number, "tape"
        self.outer = sum(isinstance(o, tapes.GradientTape) for o in state.observers)
        """Tapes that go on recording, so that the derivative may be differentiated further."""
        self.entries = list(tape.history(asked[0]))
        self.ys, self.xs, self.gs, self.results = asked

    def posed(self) -> Posed:
        """Return the question: the tape's entries as a list."""
        question = Question()
        at, places = _of_tape(question, self.entries, self.ys, self.xs)
        delivered = []
        gs = [g for y, g in zip(self.ys, self.gs, strict=True) if y.n in at and y.nptype.kind in "fc"]
        with tracing(question.graph), quiet():
            weights = [None if g is None else question.place(np.array(g.array)) for g in gs]
            found = request(question.ys, [p for p in places if p is not None], weights)
        left = iter(found)
        for k, (place, result) in enumerate(zip(places, self.results, strict=True)):
            symbol = None if place is None else next(left)
            array = _dense(result)
            if symbol is not None or array is not None:
                delivered.append(Delivered(self.where, _named(self.xs[k], k), symbol, array))
        return Posed([(self.where, self.where, question)], question, delivered)

    def worldly(self) -> list[str]:
        """Return what in it acts on the world: nothing, since a tape records what was computed."""
        return []

    def blamed(self) -> list[tuple[Node, list[Any]]]:
        """Return the choices and loops on the way."""
        return []


class Run:
    """A run of a graph: what it began with, and what came of it."""

    def __init__(self, request: Any, arrays: Sequence[Any], number: int) -> None:
        """Take the request and the arrays of its feeds, before it runs."""
        self.graph, self.fetches, self.feeds, self.controls = request
        self.number, self.road = number, options.executor if options.executor == "numpy" else "xla"
        self.fed = {t.n: np.array(a) for t, a in zip(self.feeds, arrays, strict=True)}
        self.variables = {v.n: v.storage.array for v in variables_of(request)[0]}
        self.drawn: dict[Any, list[Any]] = {}
        self.results: list[Any] = []
        self.outer = 0
        self.straight: Straight | None = None

    def posed(self) -> Posed:
        """Return the questions of the derivatives in it, and the fetches that are, or are made of, derivatives."""
        straight = self.straight = Straight(self.fed, self.variables, self.drawn)
        pairs = straight.follow(self.fetches, self.controls)
        questions = [(_own(asked.node), asked.node.where, _of_asked(straight, asked)) for asked in straight.asked]
        delivered = []
        for t, pair, array in zip(self.fetches, pairs, self.results, strict=True):
            if t.nptype.kind in "fc" and any(_differentiates(node) for node in needed([t], ())):
                label, by = t.node.where, ""
                if t.node.op is GRADIENT:
                    label, by = _own(t.node), _name(split_gradient(t.node)[2][t.index].node, t.index)
                delivered.append(Delivered(label, by, pair.symbol, np.asarray(array)))
        return Posed(questions, straight.question, delivered)

    def worldly(self) -> list[str]:
        """Return what its choices and loops do that depends on the world, or acts on it."""
        found: dict[str, None] = {}
        for node in _inside(needed(self.fetches, self.controls)):
            op = READ if node.op is FED else node.op  # a body is given what variables hold
            if is_drawn(op) or op.writes or op is READ:
                found[f"{op.name} at {node.where}"] = None
        return list(found)

    def blamed(self) -> list[tuple[Node, list[Any]]]:
        """Return the choices and loops on the way, with the arrays of their inputs."""
        return [] if self.straight is None else self.straight.controls


def _own(node: Node) -> str:
    return f"{node.where} {node.outputs[0].n}"


def _inside(nodes: Sequence[Node], deep: bool = False) -> Iterator[Node]:
    """Return the nodes of bodies."""
    for node in nodes:
        if deep:
            yield node
        for body in (v for v in node.attrs.values() if isinstance(v, Body)):
            yield from _inside(needed(body.outputs, body.graph.effects), True)


def _differentiates(node: Node) -> bool:
    return node.op is GRADIENT or any(inner.op is GRADIENT for inner in _inside([node]))


class Watch:
    """Keeps the derivatives that are taken in a with block."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kept: list[tuple[Any, TapeCall | Run]] = []
        self.notes: list[str] = []
        self.calls = 0
        self._counts: dict[Any, int] = {}
        self._programs: dict[int, tuple[Any, int]] = {}
        self._runs: list[Run] = []
        self._originals: dict[Op, Any] = {}

    def __enter__(self) -> Watch:
        """Begin to look on."""
        choose.watchers.append(self._program)
        tapes.watchers.append(self._tape)
        for op in operations():
            if is_drawn(op):
                self._originals[op] = op.eager
                op.eager = self._listening(op.eager)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Look on no more."""
        choose.watchers.remove(self._program)
        tapes.watchers.remove(self._tape)
        for op, eager in self._originals.items():
            op.eager = eager

    def _listening(self, eager: Callable[..., Any]) -> Callable[..., Any]:
        """Return a kernel that also keeps what it gives, while a run is kept."""

        def kernel(*arrays: Any, **attrs: Any) -> Any:
            found = eager(*arrays, **attrs)
            # XLA draws by itself what its programs need: what passes here then belongs to their tracing.
            for run in [r for r in self._runs if r.road == "numpy"]:
                run.drawn.setdefault(key_of(attrs), []).append(found)
            return found

        return kernel

    def _number(self, key: Any) -> int:
        """Count a call; return its number if it is to be kept: the first, second, fourth, eighth, ...; else 0."""
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count & (count - 1):
            return 0
        if len(self.kept) >= MOST:
            self.notes.append(f"more than {MOST} calls were to be checked; the others were not")
            self._counts[key] = count = 1 << 62  # say it once
            return 0
        return count

    def _program(self, request: Any, arrays: Sequence[Any]) -> Callable[[Sequence[Any] | None], None] | None:
        known = self._programs.get(id(request))
        if known is None:
            _, fetches, _, controls = request
            nodes = needed(fetches, controls)
            count = sum(node.op is GRADIENT for node in [*nodes, *_inside(nodes)])
            known = self._programs[id(request)] = request, count
        self.calls += known[1]
        number = self._number(id(request)) if known[1] else 0
        if not number:
            return None
        run = Run(request, arrays, number)
        self._runs.append(run)

        def after(results: Sequence[Any] | None) -> None:
            self._runs.remove(run)
            if results is not None:
                run.results = [np.array(a) if isinstance(a, np.ndarray) else a for a in results]
                self.kept.append((id(request), run))

        return after

    def _tape(self, tape: Any, ys: Sequence[Any], xs: Sequence[Any], gs: Sequence[Any], results: Sequence[Any]) -> None:
        if any(not hasattr(y, "array") for y in ys):
            return
        self.calls += 1
        site = Site(*here())
        key = (str(site), len(tape.entries), tuple(tuple(x.sizes or ()) for x in xs))
        number = self._number(key)
        if number:
            self.kept.append((key, TapeCall(str(site), tape, (list(ys), list(xs), list(gs), list(results)), number)))


def _dense(result: Any) -> Any:
    if result is None:
        return None
    return np.asarray((result._as_tensor() if isinstance(result, IndexedSlices) else result).array)


def _of_asked(straight: Straight, asked: Any) -> Question:
    """Return the question of a derivative that was met on the way."""
    source, question = straight.question, Question()
    stops = [s for s in asked.stops if s.nptype.kind in "fc"]
    if stops:
        feeds = {t.node: a for t, a in zip(source.feeds, source.arrays, strict=True) if t.node.op is PLACEHOLDER}
        fed = {t.n: a for t, a in zip(source.feeds, source.arrays, strict=True) if t.node.op is not PLACEHOLDER}
        held = Listing(source, stops, False).run(source.arrays)
        question.copy(asked.ys, asked.xs, feeds.get, fed, {t.n: a for t, a in zip(stops, held, strict=True)})
    else:
        question.graph, question.feeds, question.arrays = source.graph, source.feeds, source.arrays
        question.ys, question.xs = list(asked.ys), list(asked.xs)
    question.names = [_name(x.node, k) for k, x in enumerate(split_gradient(asked.node)[2])]
    return question


def _name(node: Node, k: int) -> str:
    if node.op is HANDLE:
        return str(node.attrs["variable"]._name)
    return node.name if node.op is PLACEHOLDER else f"x{k}"


def _named(x: Any, k: int) -> str:
    return str(getattr(x, "_name", None) or f"x{k}")


def _of_tape(
    question: Question, entries: Sequence[Any], ys: Sequence[Any], xs: Sequence[Any]
) -> tuple[dict[int, Any], list[Any]]:
    """Make a tape's entries the list of a question; return its tensors, and what stands for each x (None: nothing does)."""
    mapped: dict[int, Any] = {}
    variables: dict[int, tuple[Any, Any]] = {}
    leaves: dict[int, Any] = {}
    wanted, moving = {x.n for x in xs}, _passed(entries)
    with tracing(question.graph):

        def settled(t: Any, symbol: Any) -> None:
            if t.n in wanted and t.nptype.kind in "fc" and t.n not in leaves:
                leaves[t.n], symbol = question.leaf(symbol, np.array(t.array))
            mapped[t.n] = symbol

        def place(t: Any) -> Any:
            if t.n not in mapped:
                settled(t, question.place(np.array(t.array)))
            return mapped[t.n]

        for op, inputs, output, attrs in entries:
            made = None if op.outputs != 1 and not output else (output if op.outputs == 1 else output[0]).made
            state.site = None if made is None else made[2]
            if op is READ:
                variable, array = inputs[0], np.array(output.array)
                if variable.n not in variables:
                    variables[variable.n] = leaf, base = question.place(array), array
                leaf, base = variables[variable.n]
                same = np.array_equal(array, base)
                settled(output, apply(IDENTITY, (leaf,)) if same else question.beside(array, leaf, base))
                continue
            if op.kind == "custom" and op is not CUSTOM:
                if "function" not in attrs or any(not isinstance(t, EagerTensor) for t in inputs):
                    raise Unanswerable(f"{op.type} is known by its derivative alone on a tape")
                for t, r in zip(output, _called(question, attrs, [place(t) for t in inputs]), strict=True):
                    settled(t, r)
                continue
            several = output if op.outputs != 1 else (output,)
            if op is CUSTOM and any(t.n not in mapped for t in inputs[: attrs["results"]]):
                raise Unanswerable("a function with a custom gradient stops the derivative within, so that no tape recorded it")
            if lists.is_held(op) and output.n not in moving:
                for t in several:
                    settled(t, question.place(np.array(t.array)))
                continue
            result = apply(op, [place(t) for t in inputs], attrs)
            for t, r in zip(several, result if op.outputs != 1 else (result,), strict=True):
                settled(t, r)
        state.site = None
    question.ys = [mapped[y.n] for y in ys if y.n in mapped and y.nptype.kind in "fc"]
    places = [variables[x.n][0] if x.n in variables else leaves.get(x.n) for x in xs]
    for k, (x, leaf) in enumerate(zip(xs, places, strict=True)):
        if leaf is not None and leaf.nptype.kind in "fc" and all(leaf is not o for o in question.xs):
            question.xs.append(leaf)
            question.names.append(_named(x, k))
    if not question.ys or not question.xs:
        raise Unanswerable("there is no path from the target to a source (the derivative is None)")
    return mapped, places


def _passed(entries: Sequence[Any]) -> set[int]:
    """Return what ``stop_gradient`` gave within functions with custom gradients, as `lists.passed` does, by number."""
    found: set[int] = set()
    inside: set[int] = set()
    for op, inputs, output, attrs in reversed(entries):
        several = output if op.outputs != 1 else (output,)
        if op is CUSTOM:
            arguments = {t.n for t in inputs[attrs["results"] : attrs["results"] + attrs["arguments"]]}
            inside |= {t.n for t in inputs[: attrs["results"]]} - arguments
        elif any(t.n in inside for t in several):
            inside |= {t.n for t in inputs}
            if op is STOP_GRADIENT:
                found |= {t.n for t in several}
    return found


def _called(question: Question, attrs: Any, symbols: Sequence[Any]) -> list[Any]:
    """Call a function with a custom gradient once more, on tensors of the question."""
    before = len(question.graph.nodes)
    arguments = nest.pack_sequence_as(attrs["arguments"], symbols)
    code = getattr(attrs["function"], "__code__", None)
    site, state.site = state.site, None if code is None else (code, 0)
    try:
        found = nest.flatten(custom_gradient(attrs["function"])(*arguments, **attrs["keywords"]))
    finally:
        state.site = site
    added = question.graph.nodes[before:]
    for node in [*added, *_inside(added)]:
        if node.op.stateful:
            raise Unanswerable(f"a function with a custom gradient acts on the world by {node.op.name} ({node.where})")
    return found


# --- judging ----------------------------------------------------------------------------------------------------------------


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
    if not wrong or not sound:
        return rows, []
    faults = locate.wrong_controls(call.blamed(), rng)
    if not faults:
        worldly = ", ".join(call.worldly())
        end = f"; in the bodies of its choices and loops there is {worldly}" if worldly else ""
        for r in wrong:
            value, expected = ("None" if x is None or x != x else f"{x:.9g}" for x in (r.value, r.expected))
            text = f"the script received {value}, and the derivative's list, which is right, gives {expected}{end}"
            if all(f.where != r.function for f in faults):
                faults.append(Fault("received", "", r.function, "", text))
    return rows, faults


def _in_double(question: Question, rng: np.random.Generator, label: str) -> list[Row]:
    """Judge a large list: its values in float64 along random directions, against its gradient as it is run."""
    listing = question.listing(question.ys, False)
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in question.arrays]
    ys = question.values(question.ys)
    if any(np.asarray(y).dtype.kind == "c" for y in ys):
        return [Row(label, "", 1, "numpy", "", "skipped", None, None, None, "a large list of complex numbers")]
    weights = [_signs(np.shape(y), rng) for y in ys]
    places = [question.at(x) for x in question.xs]
    rows = []
    dtype = question.ys[0].nptype
    eps = float(np.finfo(dtype).eps)
    build, on = LISTS["reverse"]
    for name, at in [("d", places)]:
        directions = [_signs(np.shape(question.arrays[k]), rng) for k in at]

        def value(numbers: Sequence[Any], directions: Any = directions, at: Any = at) -> Any:
            arrays = list(wide)
            for k, d in zip(at, directions, strict=True):
                arrays[k] = wide[k] + numbers[0] * d
            found = quietly(listing.walk, arrays, widened)
            return sum(float(np.sum(w * np.asarray(y, np.float64))) for y, w in zip(found, weights, strict=True))

        truth = derivative(value, [1], start=0.01)
        probe = Probe("direction", [[d.astype(question.arrays[k].dtype) for k, d in zip(at, directions, strict=True)]],
                      [w.astype(y.dtype) for y, w in zip(ys, weights, strict=True)], [(1,)])  # fmt: skip
        with quiet():
            found = build(question, probe)[(1,)]
        got = 0.0
        if found is not None:
            with options.set(**rewrites(on)):
                got = in_double(NumPyProgram(question.graph, found.tensors, question.feeds)(*question.arrays), found.weights)
        gap, size = abs(got - truth.value), abs(truth.value)
        digits = 17.0 if not gap else max(0.0, -float(np.log10(gap / size))) if size else 0.0
        if not np.isfinite(truth.value) or truth.kind != "smooth":
            status = "undecided"
        else:
            # What the list's own arithmetic loses is not known here: half of its digits are left to it.
            scale = size + 1e-3 * float(sum(np.abs(w).sum() for w in weights))
            near, far = 8 * truth.error + eps**0.5 * size, 100 * truth.error + 10 * eps**0.5 * scale
            status = "right" if gap <= near and truth.error <= 0.1 * scale else "wrong" if gap > far else "undecided"
        rows.append(Row(label, name, 1, "reverse", dtype.name, status, got, truth.value, digits,
                        f"{truth.how} in double precision, ± {truth.error:.1g}"))  # fmt: skip
    return rows


def _signs(shape: Any, rng: np.random.Generator) -> Any:
    return rng.choice([-1.0, 1.0], shape) * (rng.integers(32, 96, shape) / 64.0)


def check_script(
    run: Callable[[], int], progress: Callable[[str, int, int], None] | None = None, seed: int = 0
) -> tuple[int, Report]:
    """Run a script and judge each derivative that it took; return its exit status and what was found."""
    with Watch() as watch:
        status = run()
    rows: list[Row] = []
    faults: list[Fault] = []
    notes = list(watch.notes)
    graph = None
    counts: dict[str, int] = {}
    labels: dict[Any, dict[str, str]] = {}
    unsound: set[Any] = set()
    lists_judged = calls_judged = 0
    with options.set(executor="numpy"):
        for k, (key, call) in enumerate(watch.kept):
            where = call.where if isinstance(call, TapeCall) else ""
            try:
                posed = call.posed()
            except (Unanswerable, OpError, NotImplementedError) as error:
                notes.append(f"{where + ': ' if where else ''}not checked: {error}")
                continue
            first = key not in labels
            own = labels.setdefault(key, {})
            for name, where, question in posed.questions:
                if progress is not None:
                    progress(where, k, len(watch.kept))
                if not first:
                    continue
                counts[where] = counts.get(where, 0) + 1
                label = own[name] = where + (f" ({counts[where]})" if counts[where] > 1 else "")
                lists_judged += 1
                try:
                    found, blamed = _of_list(question, np.random.default_rng(seed), label, call.outer)
                except (Unanswerable, OpError, NotImplementedError) as error:
                    notes.append(f"{label}: not checked: {error}")
                    continue
                rows += found
                faults += [b for b in blamed if b not in faults]
                if any(r.status == "wrong" for r in found):
                    unsound.add(key)
                if graph is None or any(r.status == "wrong" for r in found):
                    graph = drawn(question)
            try:
                found, blamed = _of_call(call, posed, np.random.default_rng(seed), own, key not in unsound)
            except (Unanswerable, OpError, NotImplementedError) as error:
                notes.append(f"what was received is not checked: {error}")
                continue
            rows += found
            calls_judged += bool(found)
            faults += [b for b in blamed if b not in faults]
    notes.append(f"{lists_judged} derivatives were checked, and the numbers received at {calls_judged} calls; the script took "
                 f"{watch.calls}.")  # fmt: skip
    return status, Report(rows, faults, dict.fromkeys(notes), graph)
