"""Mutants: the rules of all operations are broken one at a time; who notices, and who names the operation?

    .venv/bin/python benchmarks/mutants.py [--operations tanh,matmul | --only bodies] [--json FILE] [--jobs 2]

Each mutant is planted in an operation's record, and a function that uses the operation among others is checked, by
`wengert.verify`, and by the algorithms of two well-known checkers, at their own steps and tolerances: PyTorch's `gradcheck` and
`gradgradcheck` (central differences with a step of 1e-6, the whole Jacobian, atol 1e-5, rtol 1e-3), and JAX's `check_grads` to
order 2 (a step of 1e-4, one random direction, atol and rtol 1e-5, both modes). All three see the same function at the same point.

Mutants of bodies, of what bodies take from the world, and of custom gradients stand in `broken_bodies.py`.
"""

import argparse
import contextlib
import json
import multiprocessing
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import broken_bodies
import numpy as np
from machine import describe

import wengert as tf
from wengert.autodiff import ForwardAccumulator
from wengert.derive import structure
from wengert.execute.numpy import NumPyProgram
from wengert.execute.replay import replay
from wengert.modes.tracing import tracing
from wengert.ops.op import Op, table, values
from wengert.tensor.tensor import EagerTensor, append, tensors
from wengert.verify.judge import check_question, oracle_of, probes, quiet
from wengert.verify.lists import Question
from wengert.verify.locate import wrong_rules
from wengert.verify.operations import CASES, question_of
from wengert.verify.samples.sample import moves

ORIGINAL = {name: (op.vjp, op.jvp) for name, op in table.items()}
"""What is stated rather than derived, before anything was."""
FIELDS = ("partials", "transpose", "tangent", "vjp", "jvp", "taylor", "series")
LINEAR = ("sign", "factor 2", "factor 1.001", "reversed")


class Mutant(NamedTuple):
    """A broken statement."""

    op: str
    kind: str
    field: str
    value: Any


# --- breaking ---------------------------------------------------------------------------------------------------------------


def changed(kind: str, xp: Any, g: Any) -> Any:
    """Return a number or array, broken."""
    if g is None:
        return None
    if isinstance(g, tuple | list):
        return type(g)(changed(kind, xp, one) for one in g)
    if kind == "sign":
        return -g
    if kind == "factor 2":
        return g + g
    if kind == "factor 1.001":
        return 1.001 * g
    if kind == "order 2 on":
        return xp.stop_gradient(g)
    if kind == "reversed":  # the last axis the wrong way round
        rank = len(g.shape)
        return g if rank == 0 else xp.reverse(g, axis=(rank - 1,))
    raise AssertionError(kind)


class Unfitted:
    """A rule's namespace whose sum over broadcast axes is a mean: it forgets how many there were."""

    def __init__(self, xp: Any) -> None:
        """Take the namespace."""
        self.xp = xp

    def __getattr__(self, name: str) -> Any:
        """Take the rest from it."""
        return getattr(self.xp, name)

    def fit(self, g: Any, x: Any) -> Any:
        """Return g as a mean over the axes along which x was broadcast."""
        found = self.xp.fit(g, x)
        before, after = np.prod([int(n) for n in g.shape]), np.prod([int(n) for n in x.shape])
        return found if before == after else float(after / before) * found


def _no_slope(xp: Any, *arrays: Any, **attrs: Any) -> Any:
    return xp.zeros_like(arrays[-1])


def mutants_of(name: str) -> Iterator[Mutant]:
    """Return the mutants of an operation."""
    op = table[name]
    if op.partials:
        for i, p in enumerate(op.partials):
            if p is None:
                continue
            which = f", input {i}" if len(op.partials) > 1 else ""
            kinds = ("sign", "factor 1.001", "order 2 on") if len(op.partials) == 1 else ("sign", "order 2 on")
            for kind in kinds:

                def broken(xp: Any, *a: Any, _p: Any = p, _kind: str = kind, **k: Any) -> Any:
                    return changed(_kind, xp, _p(xp, *a, **k))

                yield Mutant(name, kind + which, "partials", _with(op.partials, i, broken))
        if len(op.partials) > 1:
            yield Mutant(name, "missing input", "partials", _with(op.partials, len(op.partials) - 1, _no_slope))
            if all(op.partials):
                yield Mutant(name, "inputs swapped", "partials", tuple(reversed(op.partials)))
    if op.transpose is not None and ORIGINAL[name][0] is None:
        for kind in LINEAR:

            def back(xp: Any, g: Any, i: Any, *a: Any, _t: Any = op.transpose, _kind: str = kind) -> Any:
                return changed(_kind, xp, _t(xp, g, i, *a))

            yield Mutant(name, kind, "transpose", back)
        if differentiable(op)[-1] > 0:
            yield Mutant(name, "one input only", "transpose", _for_last(op, op.transpose))
        if op.name in ("add", "subtract", "multiply", "where", "multiply_no_nan", "matmul"):
            yield Mutant(name, "broadcast axes", "transpose",
                         lambda xp, g, *a, _t=op.transpose: _t(Unfitted(xp), g, *a))  # fmt: skip
    if op.tangent is not None:
        for kind in ("sign", "factor 1.001"):

            def along(xp: Any, *a: Any, _t: Any = op.tangent, _kind: str = kind) -> Any:
                return changed(_kind, xp, _t(xp, *a))

            yield Mutant(name, kind, "tangent", along)
    vjp = ORIGINAL[name][0]
    if vjp is not None:
        for kind in ("sign", "factor 1.001"):

            def pulled(xp: Any, *a: Any, _v: Any = vjp, _kind: str = kind) -> Any:
                return changed(_kind, xp, _v(xp, *a))

            yield Mutant(name, kind, "vjp", pulled)
    if op.taylor is not None:

        def series(xp: Any, *a: Any, _s: Any = op.taylor, **k: Any) -> Any:
            found = _s(xp, *a, **k)
            if isinstance(found, tuple):
                return found[0], found[1] + 0.001 * found[1] * found[1]  # a factor would cancel in the quotient
            return None if found is None else 1.001 * found

        yield Mutant(name, "factor 1.001", "taylor", series)
    if op.series is not None:

        def carried(*a: Any, _s: Any = op.series) -> Any:
            return {key: 1.001 * value for key, value in _s(*a).items()}

        yield Mutant(name, "factor 1.001", "series", carried)


def differentiable(op: Op) -> list[int]:
    """Return the positions of the inputs that have a derivative, in the first case."""
    inputs = CASES[op.name][0].draw(np.random.default_rng(0))
    return [k for k, a in enumerate(inputs) if np.asarray(a).dtype.kind in "fc" and moves(op, k)] or [0]


def _with(parts: Any, i: int, part: Any) -> Any:
    return (*parts[:i], part, *parts[i + 1 :])


def _for_last(op: Op, transpose: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(xp: Any, g: Any, i: int, inputs: Any, *a: Any) -> Any:
        found = transpose(xp, g, i, inputs, *a)
        return found + found if i > 0 and found is not None else found

    return wrong


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Plant a mutant for a block; what is derived from rules is forgotten before and after."""
    op = table[mutant.op]
    kept = getattr(op, mutant.field)
    _forget()
    setattr(op, mutant.field, mutant.value)
    try:
        yield
    finally:
        setattr(op, mutant.field, kept)
        _forget()
        if mutant.field in ("vjp", "jvp"):
            op.vjp, op.jvp = ORIGINAL[mutant.op]


def _forget() -> None:
    for name, op in table.items():
        op.vjp, op.jvp = ORIGINAL[name]
    structure.forget()


# --- the function -----------------------------------------------------------------------------------------------------------


MOVES = {(name, k): moves(op, k) for name, op in table.items() for k in range(8) if not op.partials or k < len(op.partials)}


def function_of(name: str, number: int, rng: np.random.Generator) -> Question:
    """Return the question of a function that uses an operation between others, at a random point."""
    one, op = CASES[name][number], table[name]
    question = Question()
    with tracing(question.graph):
        places = [question.place(a) for a in one.draw(rng)]
        moving = [
            k for k, t in enumerate(places) if t.nptype.kind in "fc" and (one.call is not None or MOVES.get((name, k), True))
        ]
        # Other functions before it would leave its domain.
        inner = [tf.negative(tf.negative(t)) if k in moving else t for k, t in enumerate(places)]
        inner = inner if one.enter is None else [one.enter(t) for t in inner]
        result = append(question.graph, op, inner, one.attrs) if one.call is None else one.call(tensors, *inner)
        ys = list(result) if isinstance(result, list | tuple) else [result]
        ys = ys if one.outputs is None else [ys[k] for k in one.outputs]
        question.ys = [y * (0.5 * y + 1.0) for y in ys if y.nptype.kind in "fc"]
    question.xs, question.names = [places[k] for k in moving], [f"input {k}" for k in moving]
    return question


# --- the three checkers -------------------------------------------------------------------------------------------------------


def by_wengert(question: Question, name: str) -> tuple[bool, bool]:
    """Return whether something is wrong, and whether the first fault names the operation."""
    rng = np.random.default_rng(0)
    order = 2 if table[name].kind == "control" else 3  # lists in lists grow fast with the order
    rows = check_question(question, order, rng, executors=False, only=("reverse", "forward", "series"))
    detected = any(r.status == "wrong" for r in rows)
    if not detected:
        return False, False
    faults = wrong_rules(question, rows, rng)
    return True, bool(faults) and faults[0].operation == name


class Function:
    """A question as a function of its real inputs, all in one vector, with derivatives by tapes and accumulators."""

    def __init__(self, question: Question) -> None:
        """Take it."""
        self.question = question
        self.program = NumPyProgram(question.graph, question.ys, question.feeds)
        self.at = [question.at(x) for x in question.xs]
        self.x = [np.asarray(question.arrays[k]) for k in self.at]

    def outputs(self, xs: list[Any]) -> list[Any]:
        """Return the outputs, as eager tensors that observers see."""
        values = [EagerTensor(np.asarray(a)) for a in self.question.arrays]
        for k, x in zip(self.at, xs, strict=True):
            values[k] = x
        return replay(self.program, values)

    def vjp(self, xs: list[Any], gs: list[Any]) -> list[Any]:
        """Return the cotangents of the inputs."""
        with tf.GradientTape() as tape:
            tape.watch(xs)
            ys = self.outputs(xs)
        return [tf.convert_to_tensor(g) for g in tape.gradient(ys, xs, output_gradients=gs, unconnected_gradients="zero")]

    def jvp(self, xs: list[Any], ds: list[Any]) -> list[Any]:
        """Return the tangents of the outputs."""
        with ForwardAccumulator(xs, ds) as accumulator:
            ys = self.outputs(xs)
        return [accumulator.jvp(y, unconnected_gradients="zero") for y in ys]


def differs(a: list[Any], b: list[Any], atol: float, rtol: float) -> bool:
    """Whether two lists of arrays are not alike."""
    return any(
        not np.allclose(np.asarray(p), np.asarray(q), rtol=rtol, atol=atol, equal_nan=True) for p, q in zip(a, b, strict=True)
    )


def drawn(like: list[Any], rng: Any) -> list[Any]:
    """Return random arrays of the shapes and types of others."""
    found = []
    for a in map(np.asarray, like):
        r = rng.standard_normal(a.shape)
        found.append(EagerTensor(np.asarray(r + 1j * rng.standard_normal(a.shape) if a.dtype.kind == "c" else r, a.dtype)))
    return found


def jacobian_wrong(f: Callable[[list[Any]], list[Any]], back: Callable[[list[Any], list[Any]], list[Any]], xs: list[Any]) -> bool:
    """PyTorch's gradcheck: the whole Jacobian by central differences with a step of 1e-6, against reverse mode's."""
    ys = f(xs)
    for k, x in enumerate(xs):
        numeric = []
        flat = np.asarray(x).reshape(-1)
        for j in range(flat.size):
            ends = []
            for step in (1e-6, -1e-6):
                moved = flat.copy()
                moved[j] += step
                ends.append(f([*xs[:k], EagerTensor(moved.reshape(np.shape(x))), *xs[k + 1 :]]))
            numeric.append(
                np.concatenate([((np.asarray(a) - np.asarray(b)) / 2e-6).reshape(-1) for a, b in zip(*ends, strict=True)])
            )
        rows = []
        for i, y in enumerate(ys):
            for e in np.eye(np.asarray(y).size):
                gs = [EagerTensor(np.zeros(np.shape(o), np.asarray(o).dtype)) for o in ys]
                gs[i] = EagerTensor(np.asarray(e.reshape(np.shape(y)), np.asarray(y).dtype))
                rows.append(np.asarray(back(xs, gs)[k]).reshape(-1))
        if not np.allclose(np.array(rows).T, np.array(numeric), rtol=1e-3, atol=1e-5):
            return True
    return False


def by_gradcheck(question: Question) -> bool:
    """Whether gradcheck or gradgradcheck fails."""
    f, rng = Function(question), np.random.default_rng(0)
    xs = [EagerTensor(a) for a in f.x]
    if jacobian_wrong(f.outputs, f.vjp, xs):
        return True
    gs = drawn([np.asarray(y) for y in f.outputs(xs)], rng)
    n = len(xs)

    def first(both: list[Any]) -> list[Any]:
        return f.vjp(both[:n], both[n:])

    def second(both: list[Any], hs: list[Any]) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(both)
            found = first(both)
        return [tf.convert_to_tensor(g) for g in tape.gradient(found, both, output_gradients=hs, unconnected_gradients="zero")]

    return jacobian_wrong(first, second, [*xs, *gs])


def by_check_grads(question: Question, order: int = 2) -> bool:
    """Whether JAX's check_grads to order 2 fails, in forward and reverse mode."""
    f = Function(question)

    class Level:
        def __init__(self, call: Any) -> None:
            self.call = call

        def vjp(self, xs: list[Any], gs: list[Any]) -> list[Any]:
            with tf.GradientTape() as tape:
                tape.watch(xs)
                ys = self.call(xs)
            return [tf.convert_to_tensor(g) for g in tape.gradient(ys, xs, output_gradients=gs, unconnected_gradients="zero")]

        def jvp(self, xs: list[Any], ds: list[Any]) -> list[Any]:
            with ForwardAccumulator(xs, ds) as accumulator:
                ys = self.call(xs)
            return [*ys, *[accumulator.jvp(y, unconnected_gradients="zero") for y in ys]]

    def wrong(level: Level, xs: list[Any], left: int) -> bool:
        rng = np.random.RandomState(0)

        class Normal:
            standard_normal = staticmethod(lambda shape: rng.randn(*shape))

        ys = level.call(xs)
        ds = drawn(xs, Normal)
        ends = [
            level.call([EagerTensor(np.asarray(x) + s * 1e-4 * np.asarray(d)) for x, d in zip(xs, ds, strict=True)])
            for s in (1, -1)
        ]
        numeric = [(np.asarray(a) - np.asarray(b)) * (0.5 / 1e-4) for a, b in zip(*ends, strict=True)]
        if differs(level.jvp(xs, ds)[len(ys) :], numeric, 1e-5, 1e-5):
            return True
        gs = drawn(ys, Normal)
        back = level.vjp(xs, gs)
        inner = sum(float(np.real(np.vdot(np.asarray(d), np.asarray(b)))) for d, b in zip(ds, back, strict=True))
        outer = sum(float(np.real(np.vdot(np.asarray(t), np.asarray(g)))) for t, g in zip(numeric, gs, strict=True))
        if not np.allclose(inner, outer, rtol=1e-5, atol=1e-5):
            return True
        if left > 1:
            n = len(xs)
            copies = [EagerTensor(np.array(x)) for x in xs]
            if wrong(Level(lambda both: level.jvp(both[:n], both[n:])), [*xs, *copies], left - 1):
                return True
            return wrong(Level(lambda ps: level.vjp(ps, level.call(ps))), xs, left - 1)
        return False

    return wrong(Level(f.outputs), [EagerTensor(a) for a in f.x], order)


# --- the run ------------------------------------------------------------------------------------------------------------------


def is_real(question: Question) -> bool:
    """Whether no number is complex: the other checkers' algorithms here are those for real ones."""
    return all(np.asarray(a).dtype.kind != "c" for a in (*question.arrays, *question.values(question.ys)))


def tried(check: Callable[..., Any], *a: Any) -> Any:
    """Return what a checker says; an error in a rule is noticed by anybody."""
    try:
        with quiet(), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return check(*a)
    except Exception:  # a broken rule raises whatever it likes
        return "error"


def trial(name: str) -> list[dict[str, Any]]:
    """Plant each mutant of an operation; return what each checker said."""
    found = []
    others = ("gradcheck", "check_grads")
    sound: dict[tuple[str, int], bool] = {}

    def function(number: int) -> Question:
        return function_of(name, number, np.random.default_rng(number))

    def other(checker: str, number: int) -> Any:
        return tried(by_gradcheck if checker == "gradcheck" else by_check_grads, function(number))

    for mutant in list(mutants_of(name)):
        row: dict[str, Any] = {"op": name, "family": family_of(name), "kind": mutant.kind, "field": mutant.field,
                               "detected": False, "equivalent": ""}  # fmt: skip
        cases = range(len(CASES[name]) if mutant.kind in ("broadcast axes", "reversed") else min(3, len(CASES[name])))
        for number in cases:
            with planted(mutant):
                said = tried(by_wengert, function(number), name)
            row["detected"], row["named"] = (True, False) if said == "error" else said
            row["raised"] = said == "error"
            if row["detected"]:
                break
        if table[name].kind != "control":  # the others' algorithms take minutes there
            for checker in others:
                for number in cases:
                    if (checker, number) not in sound:  # what fails on the intact rule says nothing of a broken one
                        intact = function(number)
                        sound[checker, number] = is_real(intact) and other(checker, number) is False
                    if sound[checker, number]:
                        with planted(mutant):
                            row[checker] = bool(other(checker, number))
                        if row[checker]:
                            break
        if not row["detected"]:
            row["equivalent"] = why_equivalent(mutant)
        found.append(row)
    return found


def trial_of(job: tuple[str, str]) -> list[dict[str, Any]]:
    """Carry out one job: of which sort, and the name of an operation or of a form."""
    sort, name = job
    if sort == "operations":
        return trial(name)
    with quiet(), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if sort == "bodies":
            return broken_bodies.bodies_trial(name)
        if sort == "worlds":
            return broken_bodies.worlds_trial(name)
        others = {"gradcheck": lambda q: tried(by_gradcheck, q), "check_grads": lambda q: tried(by_check_grads, q)}
        return broken_bodies.customs_trial(name, others)


JOBS = {
    "operations": list(CASES),
    "bodies": list(broken_bodies.FORMS),
    "worlds": list(broken_bodies.WORLDS),
    "customs": list(broken_bodies.CUSTOM),
}


def why_equivalent(mutant: Mutant) -> str:
    """Return why a mutant changes no derivative, by the oracle's numbers; nothing if it does change one."""
    table[mutant.op]
    if mutant.kind.startswith("order 2 on") and second_is_zero(mutant):
        return "second derivatives are zero"
    if vanishes(mutant, 1):
        return "first derivatives are zero"
    if mutant.field == "transpose" and same_numbers(mutant):
        return "the statement gives the same numbers in every case: one number along the axis, or all alike"
    return ""


def same_numbers(mutant: Mutant) -> bool:
    """Whether a broken transpose gives what the intact one gives, in all cases."""
    op = table[mutant.op]
    for number, one in enumerate(CASES[mutant.op]):
        if one.call is not None or one.enter is not None:
            return False
        rng = np.random.default_rng(number)
        inputs = [np.asarray(a) for a in one.draw(rng)]
        y = op.eager(*inputs, **one.attrs)
        if isinstance(y, tuple):
            return False
        g = np.asarray(rng.standard_normal(np.shape(y)), np.asarray(y).dtype)
        for i in range(len(inputs)):
            if inputs[i].dtype.kind in "fc" and moves(op, i):
                a, b = (t(values, g, i, inputs, y, one.attrs) for t in (op.transpose, mutant.value))
                if not np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True):
                    return False
    return True


def second_is_zero(mutant: Mutant) -> bool:
    """Whether derivatives of order 2 are zero."""
    return vanishes(mutant, 2)


def vanishes(mutant: Mutant, order: int) -> bool:
    """Whether the derivatives of an order, in which the mutant's input takes part, are zero in the oracle."""
    at = mutant.kind.rpartition(", input ")[2] if ", input " in mutant.kind else ""
    if mutant.kind == "missing input":
        at = str(len(table[mutant.op].partials) - 1)
    for number, one in enumerate(CASES[mutant.op]):
        question = question_of(one, np.random.default_rng(number))
        for probe in probes(question, order, np.random.default_rng(0))[: 1 if at else None]:
            oracle = oracle_of(question, probe, order)
            for counts in probe.counts:
                own = not at or counts[min(int(at), len(counts) - 1)]
                if sum(counts) == order and own and any(abs(v) > 1e-15 for y in oracle(counts).values for v in y.flat):
                    return False
    return True


def family_of(name: str) -> str:
    """Return the file of an operation's record."""
    op = table[name]
    return {"implicit": "linear algebra", "control": "control flow", "bilinear": "contraction"}.get(op.kind, op.kind)


def main() -> None:
    """Run all, in processes, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", help="names, separated by commas; all otherwise")
    parser.add_argument("--only", choices=JOBS, help="one sort of mutants; all otherwise")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", help="file for every row")
    given = parser.parse_args()
    jobs = (
        {"operations": given.operations.split(",")}
        if given.operations
        else {given.only: JOBS[given.only]}
        if given.only
        else JOBS
    )
    work = [(sort, name) for sort, names in jobs.items() for name in names]
    print(describe())
    start = time.perf_counter()
    rows: list[dict[str, Any]] = []
    if given.jobs > 1:
        with ProcessPoolExecutor(given.jobs, multiprocessing.get_context("spawn")) as pool:
            for found in pool.map(trial_of, work):
                rows += found
    else:
        for job in work:
            rows += trial_of(job)
    seconds = time.perf_counter() - start
    live = [r for r in rows if not r["equivalent"]]
    print(f"{len(rows)} mutants of {len(work)} operations and forms in {seconds:.0f} s; {len(rows) - len(live)} say nothing:")
    for reason, count in Counter(r["equivalent"] for r in rows if r["equivalent"]).items():
        print(f"  {count}: {reason}")
    show(live, "family")
    show(live, "field")
    for r in live:
        if not r["detected"] or not r.get("named"):
            print(("not detected: " if not r["detected"] else "not named: ") + f"{r['op']} {r['field']}: {r['kind']}")
    if given.json:
        Path(given.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def show(rows: list[dict[str, Any]], by: str) -> None:
    """Print the rates by family or by statement."""
    print(f"\n{by:30}{'mutants':>9}{'detected':>10}{'named':>8}{'gradcheck':>11}{'check_grads':>13}   (where they pass intact)")
    for group in [*sorted({r[by] for r in rows}), None]:
        part = [r for r in rows if group is None or r[by] == group]
        real = [r for r in part if "gradcheck" in r]

        def rate(key: str, of: list[dict[str, Any]]) -> str:
            return f"{100 * sum(bool(r.get(key)) for r in of) / len(of):.1f} %" if of else ""

        print(f"{group or 'all':30}{len(part):9}{rate('detected', part):>10}{rate('named', part):>8}{rate('gradcheck', real):>11}"
              f"{rate('check_grads', real):>13}")  # fmt: skip


if __name__ == "__main__":
    main()
