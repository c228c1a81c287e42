"""One program along its roads."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import numpy as np

from . import roads
from .differences import known
from .program import Ask, Gradients, Jvp, Op, Program, Some, Watch, array, script, walk
from .roads import Difference, Outcome, Reference, Run, TimeLimit, attempt, compare, drawn, kind_of, reference, shown

__all__ = ["Checked", "check", "judged", "time_limit"]

DEEP = 20
"""One program in so many also goes to XLA and to the oracle."""
TOTAL = 6
"""One in so many is derived as a whole, forward and reverse."""
OFF = 3
"""In so many ways, drawn at random, rewrites are off, one or all of them."""


class Checked(NamedTuple):
    """What came of a program."""

    roads: list[str]
    differences: list[Difference]
    listed: list[tuple[str, Difference]]
    """Differences that are meant, with their reasons."""
    notes: list[str]
    """What could not be compared, and why."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimit after a while."""

    def late(*_: Any) -> None:
        raise TimeLimit(f"{seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Checker:
    """Compares roads of one program with its eager outcome."""

    def __init__(self, program: Program) -> None:
        if any(isinstance(s, Gradients) for s in walk(program.statements)):
            program.tags.add("gradients")
        self.program, self.run = program, Run(program)
        self.eager = attempt(self.run.eager)
        self.base: dict[bool, Reference] = {}

    def reference(self, total: bool, found: Outcome, times: int = 1) -> Reference:
        """Return what an outcome is compared with: where the program draws, with the outcome's draws."""
        drew = self.program.draws and not found.error and not self.eager.error
        if total not in self.base or times > 1:
            self.base[total] = reference(
                self.run, self.eager if self.program.draws and not self.eager.error else None, total, times,
                self.eager if not total and not self.program.draws and self.program.dtype == self.reference_dtype else None,
            )  # fmt: skip
        base = self.base[total]
        if not drew or found is self.eager:
            return base
        if times > 1:  # what roundings do depends on the draws too
            return reference(self.run, found, total, times)
        again = attempt(lambda: self.run.eager(self.reference_dtype, roads.given_by(self.program, found)))
        return Reference(again, base.sensitivity)

    @property
    def reference_dtype(self) -> str:
        return self.program.dtype if self.program.singular else "float64"

    def compare(self, road: str, found: Outcome) -> list[Difference]:
        total = road in roads.TOTALS
        for times in (1, 6):  # a difference is looked at again with a better measure of what roundings do
            found_differences = compare(self.program, road, self.reference(total, found, times), found)
            if not found_differences:
                return []
        return found_differences

    def road(self, road: str) -> list[Difference]:
        return self.compare(road, self.eager if road == "eager" else roads.run(self.run, road))

    def oracle(self) -> tuple[list[Difference], str]:
        """Compare the eager outcome with the oracle; say why, if it cannot be."""
        from . import oracle

        if self.eager.error or self.program.singular:
            return [], "singular" if self.program.singular else "error"
        want = self.reference(False, self.eager, 6)
        draws = {site: drawn(self.eager.values[record]) for site, record in self.program.draws}
        try:
            values, sensitivity = oracle.evaluate(self.program, draws)
        except oracle.Cannot as reason:
            return [], str(reason)[:60]
        found = []
        for name, exact in values.items():
            if any(name == record for _, record in self.program.draws):
                continue  # what was drawn, which the oracle was given
            ours = want.outcome.values[name]
            if ours is None or exact is None:  # JAX tells no None from zero: where the tape knows the source, zero will do
                kind = (
                    ""
                    if not np.size(ours) or (ours is None and (exact is None or not np.any(exact)))
                    else "none"
                    if ours is None
                    else "not none"
                )
            else:
                sense = want.sensitivity.get(name, 0.0) + sensitivity.get(name, 0.0)
                kind = kind_of("float64", exact, ours, sense)
            if kind:
                found.append(Difference("eager", kind, name, shown(ours), shown(exact), "oracle"))
        return found, ""


def looked(program: Program, road: str) -> list[Difference]:
    """Return the differences of a program on a road."""
    checker = Checker(program)
    try:
        return checker.road(road)
    finally:
        checker.run.close()


def judged(program: Program, differences: list[Difference]) -> tuple[list[Difference], list[tuple[str, Difference]]]:
    """Part differences into those that are defects and those that are listed."""
    reasons = [known(program, d, looked) for d in differences]
    return ([d for d, r in zip(differences, reasons, strict=True) if not r],
            [(r, d) for d, r in zip(differences, reasons, strict=True) if r])  # fmt: skip


def plan(program: Program, rng: Random) -> list[str]:
    """Return the roads of a program."""
    ways = ["eager", rng.choice(["function", "function, captured", "function, small tiles"]), "graph"]
    ways += rng.sample([*[f"without {name}" for name in roads.REWRITES], "without rewrites"], OFF)
    if not program.draws and rng.randrange(TOTAL) == 0:
        ways += roads.TOTALS
    return ways


def check(program: Program, rng: Random, ways: list[str] | None = None, thorough: bool = True) -> Checked:
    """Run a program along its roads, or along ``ways``, and to the oracle.

    ``thorough``: a program that disagrees goes to XLA and to the oracle too.
    """
    checker = Checker(program)
    try:
        deep = rng.randrange(DEEP) == 0 or ways is not None
        ways = ["eager", *ways] if ways is not None else plan(program, rng)
        found = [d for road in ways for d in checker.road(road)]
        notes = []
        if deep or (found and thorough):
            if "xla" not in ways:
                ways.append("xla")
                found += checker.road("xla")
            more, why = checker.oracle()
            found += more
            notes.append(why or "oracle")
        differences, listed = judged(program, found)
        return Checked(ways, differences, listed, notes)
    finally:
        checker.run.close()


def still(program: Program, d: Difference) -> Difference | None:
    """Return the difference of the same kind that a program has on the same road."""
    program.tags.discard("gradients")
    try:
        checker = Checker(program)
    except SyntaxError:
        return None
    try:
        with time_limit(10.0):
            found = checker.oracle()[0] if d.against == "oracle" else checker.road(d.road)
    except TimeLimit:
        return None
    finally:
        checker.run.close()
    found, _ = judged(program, found)
    same = [f for f in found if f.kind == d.kind and (f.name == d.name or not d.name)]
    if d.kind in ("error", "other error"):
        same = [f for f in same if f.got.split(":")[0] == d.got.split(":")[0]]
    return same[0] if same else None


def smaller(program: Program, d: Difference, seconds: float = 20.0) -> Program:
    """Return a small program with the same difference."""
    from .reducer import reduced

    return reduced(program.copy(), d.name, lambda p: still(p, d) is not None, seconds)


TOTAL_SCRIPT = """\
inputs = [{x}]
ds = [{ds}]


def summed(results):
    return tf.add_n([(0.5 + k % 3 / 4) * tf.reduce_sum(r) for k, r in enumerate(results.values()) if r is not None])


def reverse(f, *xs):
    with tf.GradientTape() as tape:
        tape.watch(xs)
        y = summed(f(*xs))
    gs = tape.gradient(y, xs, unconnected_gradients="zero")
    return tf.add_n([tf.reduce_sum(g * d) for g, d in zip(gs, ds)])


def forward(f, *xs):
    with tf.autodiff.ForwardAccumulator(list(xs), ds) as acc:
        y = summed(f(*xs))
    return acc.jvp(y)


print("eager, reverse", reverse(program, *inputs))
"""
TOTAL_WAYS = {
    "forward": "forward(program, *inputs)",
    "forward in function": "tf.function(lambda *xs: forward(program, *xs))(*inputs)",
    "tape in function": "tf.function(lambda *xs: reverse(program, *xs))(*inputs)",
    "tape around function": "reverse(tf.function(program), *inputs)",
    "forward around function": "forward(tf.function(program), *inputs)",
}
GRAPH_SCRIPT = """\
with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
{variables}    holders = [{holders}]
    results = {call}(*holders)
    session.run(tf.compat.v1.global_variables_initializer())
    effects = [o for o in graph.get_operations() if "/" not in o.name and (o.type.startswith("Assign") or o.op.kind == "control")]
    kept = {{k: v for k, v in results.items() if v is not None}}
    print("graph", session.run([kept, effects], dict(zip(holders, [{x}])))[0], "None:", sorted(set(results) - set(kept)))
"""


def told(program: Program, d: Difference) -> str:
    """Return a script that shows a difference."""
    now = still(program, d) or d
    names = ", ".join(x.name for x in program.inputs)
    by_gradients = "gradients" in program.tags

    def call(text: str, label: str, recorded: bool = False) -> list[str]:
        if recorded and by_gradients:
            return ["with tf.recording():", f'    print("{label}", {text})']
        return [f'print("{label}", {text})']

    def lines(_: Program) -> str:
        text = [f"# {d.road}: {now.kind} of {now.name or 'the whole'}, against {now.against}", f"# got  {flat(now.got)}",
                f"# want {flat(now.want)}"]  # fmt: skip
        text += [f"{x.name} = tf.constant({array(x.value)})" for x in program.inputs]
        shapes = [[None, *x.value.shape[1:]] if x.value.ndim and program.unknown else list(x.value.shape) for x in program.inputs]
        if d.road in TOTAL_WAYS:
            ds = ", ".join(f"tf.constant({array(v)})" for v in Run(program).directions())
            text += [TOTAL_SCRIPT.format(x=names, ds=ds), *call(TOTAL_WAYS[d.road], d.road, d.road == "forward")]
            return "\n".join(text) + "\n"
        text += call(f"program({names})", "eager", True)
        text += [f"{v.name}.assign({array(v.value)})" for v in program.variables]
        signature = ""
        if program.unknown:
            signature = f", input_signature=[{', '.join(f'tf.TensorSpec({s!r}, F)' for s in shapes)}]"
        way = f"tf.function(program{signature})({names})"
        if d.road == "graph":
            variables = "".join(
                f"    {v.name} = tf.Variable({array(v.value)}, trainable={v.trainable})\n" for v in program.variables
            )
            holders = ", ".join(f"tf.compat.v1.placeholder(F, {s!r})" for s in shapes)
            given = ", ".join(array(x.value) for x in program.inputs)
            python = roads.needs_autograph(program)
            text.append(GRAPH_SCRIPT.format(variables=variables, holders=holders, x=given,
                                            call="tf.function(program)" if python else "program"))  # fmt: skip
        elif d.road == "function, captured":
            text += call(f"tf.function(lambda: program({names}))()", d.road)
        elif d.road.startswith("without"):
            off = roads.REWRITES if d.road == "without rewrites" else [d.road.removeprefix("without ")]
            text += [f"with tf.config.rewrites({', '.join(f'{n}=False' for n in off)}):", f'    print("{d.road}", {way})']
        elif d.road == "xla":
            text += ['tf.config.set_executor("xla")', *call(way, "xla")]
        elif d.road != "eager":
            text += call(way, d.road)
        return "\n".join(text) + "\n"

    return script(program, lines)


def flat(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())


def kinds(program: Program, d: Difference) -> str:
    """Return a short name of a difference of a reduced program: its kind, and what the program is made of."""
    steps = list(walk(program.statements))
    made = {str(getattr(s, "style", "") or type(s).__name__.lower()) for s in steps if not isinstance(s, Op | Some | Watch)}
    depth = sum(isinstance(s, Ask | Gradients | Jvp) for s in steps)
    ops = sorted({s.op for s in steps if isinstance(s, Op) and s.op not in ("plain", "record")})
    error = f" {d.got.split(':')[0]}" if "error" in d.kind else ""
    road = d.road if d.against == "eager" else "oracle"
    road = "function" if road.startswith("function") else "without" if road.startswith("without") else road
    return f"{d.kind}{error} ({road}): {', '.join(sorted(made))}{f' x{depth}' if depth > 1 else ''}; {', '.join(ops[:3])}"
