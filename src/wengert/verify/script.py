"""`wengert check SCRIPT.py`: every derivative that a script takes, at the values with which it ran.

While the script runs, each derivative that a session, a traced function or a tape is asked for is copied with its values, at the
first time that its line is reached. Afterwards each is judged. Of a derivative of a derivative the outer order is judged here and
the inner one as a question of its own: if both are right, so is the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tape as tapes
from wengert.context import Site, here, quietly
from wengert.derive.plan import needed
from wengert.derive.structure import split_gradient
from wengert.errors import OpError
from wengert.execute import numpy as executor
from wengert.execute.numpy import Program
from wengert.graph import Node
from wengert.ops.linear import IDENTITY
from wengert.options import options
from wengert.tensor import apply
from wengert.tracing import tracing
from wengert.verify import lists
from wengert.verify.judge import in_double, quiet
from wengert.verify.lists import Question, Unanswerable, rewrites
from wengert.verify.numeric import derivative
from wengert.verify.report import Fault, Report, Row
from wengert.verify.roads import LISTS, Probe
from wengert.verify.verdict import drawn, judged

__all__ = ["Watch", "check_script"]

SMALL = 20_000
"""Numbers that a list computes, up to which it is judged in many digits; a larger one is judged in double precision."""
MOST = 500
"""Derivatives that are kept."""


class Taken(NamedTuple):
    """A derivative that a script took."""

    where: str
    question: Question


class Watch:
    """Keeps the derivatives that are taken in a with block."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.taken: list[Taken] = []
        self.notes: list[str] = []
        self.calls = 0
        self._seen: set[Any] = set()
        self._programs: dict[int, tuple[Program, list[Node]]] = {}
        self._busy = False

    def __enter__(self) -> Watch:
        """Begin to look on."""
        executor.watchers.append(self._program)
        tapes.watchers.append(self._tape)
        return self

    def __exit__(self, *exception: Any) -> None:
        """Look on no more."""
        executor.watchers.remove(self._program)
        tapes.watchers.remove(self._tape)

    def _keep(self, key: Any, where: str, build: Callable[[], Question]) -> None:
        if key in self._seen or self._busy:
            return
        self._seen.add(key)
        if len(self.taken) >= MOST:
            self.notes.append(f"{where}: not checked, {MOST} derivatives are")
            return
        self._busy = True
        try:
            with quiet():
                self.taken.append(Taken(where, build()))
        except (Unanswerable, OpError, NotImplementedError) as error:
            self.notes.append(f"{where}: not checked: {error}")
        finally:
            self._busy = False

    def _program(self, program: Program, arrays: Sequence[Any]) -> None:
        if self._busy:
            return
        known = self._programs.get(id(program))
        if known is None:
            _, fetches, _, controls = program.request
            found = [node for node in needed(fetches, controls) if node.op.name == "gradient"]
            known = self._programs[id(program)] = program, found
        self.calls += len(known[1])
        if all((id(program), node.outputs[0].n) in self._seen for node in known[1]):
            return
        values = {t.n: np.array(a) for t, a in zip(program.request[2], arrays, strict=True)}
        for node in known[1]:
            self._keep((id(program), node.outputs[0].n), node.where, functools.partial(_of_node, node, values))

    def _tape(self, tape: Any, ys: Sequence[Any], xs: Sequence[Any], gs: Sequence[Any]) -> None:
        if self._busy or any(not hasattr(y, "array") for y in ys):
            return
        self.calls += 1
        site = Site(*here())
        key = (str(site), len(tape.entries), tuple(tuple(x.sizes or ()) for x in xs))
        self._keep(key, str(site), lambda: _of_tape(tape, ys, xs))


def _of_node(node: Node, values: dict[int, Any]) -> Question:
    """Return the question of a Gradient node of a graph."""
    ys, _, xs, stops = split_gradient(node)

    def value(one: Node) -> Any:
        if one.op.name == "variable_handle":
            return one.attrs["variable"].storage.read()
        return values.get(one.outputs[0].n)

    question = Question()
    question.copy(ys, xs, value, values, stops)
    question.names = [_name(x.node, k) for k, x in enumerate(xs)]
    return question


def _name(node: Node, k: int) -> str:
    if node.op.name == "variable_handle":
        return str(node.attrs["variable"]._name)
    return node.name if node.op.name == "placeholder" else f"x{k}"


def _of_tape(tape: Any, ys: Sequence[Any], xs: Sequence[Any]) -> Question:
    """Return the question of a tape's derivative: its entries as a list."""
    question = Question()
    mapped: dict[int, Any] = {}
    variables: dict[int, Any] = {}
    held: list[Any] = []
    with tracing(question.graph):

        def place(t: Any) -> Any:
            if t.n not in mapped:
                mapped[t.n] = question.place(np.array(t.array))
            return mapped[t.n]

        for op, inputs, output, attrs in tape.history(ys):
            if op.name == "read_variable":
                variable = inputs[0]
                if variable.n not in variables:
                    variables[variable.n] = question.place(np.array(output.array))
                mapped[output.n] = apply(IDENTITY, (variables[variable.n],))
                continue
            if op.kind == "custom" and op.name != "custom_gradient":
                raise Unanswerable(f"{op.name} is known by its derivative alone on a tape")
            result = apply(op, [place(t) for t in inputs], attrs)
            for t, r in zip(output if op.outputs != 1 else (output,), result if op.outputs != 1 else (result,), strict=True):
                if lists.is_held(op.name):
                    held.append((r, np.array(t.array)))
                mapped[t.n] = r
    question.ys = [mapped[y.n] for y in ys if y.n in mapped and y.nptype.kind in "fc"]
    question.xs = []
    question.names = []
    for k, x in enumerate(xs):
        found = variables.get(x.n, mapped.get(x.n))
        if found is not None and found.nptype.kind in "fc" and all(found is not o for o in question.xs):
            question.xs.append(found)
            question.names.append(getattr(x, "_name", None) or f"x{k}")
    if not question.ys or not question.xs:
        raise Unanswerable("there is no path from the target to a source (the derivative is None)")
    question.hold(held)
    return question


# --- judging ----------------------------------------------------------------------------------------------------------------


def check_taken(one: Taken, rng: np.random.Generator, label: str) -> tuple[list[Row], list[Fault]]:
    """Return what was found about one derivative."""
    if one.question.size() <= SMALL:
        return judged(one.question, 1, rng, only=("reverse", "taylor", "numpy"), label=label)
    return _in_double(one.question, rng, label), []


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
            found = quietly(listing.walk, arrays, _widened)
            return sum(float(np.sum(w * np.asarray(y, np.float64))) for y, w in zip(found, weights, strict=True))

        truth = derivative(value, [1], start=0.01)
        probe = Probe("direction", [[d.astype(question.arrays[k].dtype) for k, d in zip(at, directions, strict=True)]],
                      [w.astype(y.dtype) for y, w in zip(ys, weights, strict=True)], [(1,)])  # fmt: skip
        with quiet():
            found = build(question, probe)[(1,)]
        got = 0.0
        if found is not None:
            with options.set(**rewrites(on)):
                got = in_double(Program(question.graph, found.tensors, question.feeds)(*question.arrays), found.weights)
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


def _widened(node: Node, arrays: list[Any]) -> Any:
    """Compute a node in float64, whatever narrower type it is written for."""
    name = node.op.name
    if name == "cast" and np.dtype(node.attrs["dtype"]).kind == "f" and arrays[0].dtype.kind == "f":
        return arrays[0]
    if name == "constant" and node.attrs["value"].dtype.kind == "f":
        return node.attrs["value"].astype(np.float64)
    if name in ("read_variable", "fed"):
        return arrays[-1]
    found = node.op.eager(*arrays, **lists.wrapped(node.attrs, _widened))
    return found if node.op.outputs != 1 else np.asarray(found)


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
    labels: dict[str, int] = {}
    with options.set(executor="numpy"):
        for k, one in enumerate(watch.taken):
            if progress is not None:
                progress(one.where, k, len(watch.taken))
            labels[one.where] = labels.get(one.where, 0) + 1
            label = one.where + (f" ({labels[one.where]})" if labels[one.where] > 1 else "")
            try:
                found, blamed = check_taken(one, np.random.default_rng(seed), label)
            except (Unanswerable, OpError, NotImplementedError) as error:
                notes.append(f"{label}: not checked: {error}")
                continue
            rows += found
            faults += [b for b in blamed if b not in faults]
            if graph is None or any(r.status == "wrong" for r in found):
                graph = drawn(one.question)
    notes.append(f"{len(watch.taken)} derivatives were checked, each at the first of its calls; the script took {watch.calls}.")
    return status, Report(rows, faults, notes, graph)
