"""Programs from seeds.

`draw(seed, number)` gives the same program in every process. A program has a few *features* (structures that it may use), drawn
first, so that most programs hold two or three of them and every pair meets. Bodies are drawn by one rule wherever they stand:
statements over the values in sight, the recent ones preferred, those that a tape watches preferred inside of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from .operations import MOST, OPERATIONS, SINGULAR, Operation
from .program import (
    Accumulate,
    Ask,
    Assign,
    Body,
    Call,
    Choice,
    Custom,
    Draw,
    Gradients,
    Input,
    Jvp,
    Loop,
    Map,
    Op,
    Program,
    Reset,
    Scan,
    Some,
    Statement,
    Stop,
    Tape,
    Variable,
    Watch,
)

__all__ = ["FEATURES", "draw"]

FEATURES = {
    "variables": 0.35,
    "assign": 0.12,
    "choice": 0.16,
    "loop": 0.16,
    "scan": 0.08,
    "map": 0.08,
    "call": 0.12,
    "recompute": 0.06,
    "custom": 0.08,
    "draws": 0.10,
    "forward": 0.10,
    "stop": 0.06,
    "reset": 0.04,
    "persistent": 0.15,
    "by hand": 0.12,
    "intermediate": 0.25,
    "several": 0.25,
    "weights": 0.10,
    "jacobian": 0.05,
    "grid": 0.20,
    "singular": 0.12,
    "unknown": 0.30,
    "gradients": 0.30,
    "tapes in bodies": 0.35,
    "misuse": 0.02,
}
"""The features, and in how many programs they are."""

ROWS = {0: 0.05, 1: 0.15, 2: 0.25, 3: 0.35, 5: 0.20}
CUSTOM = [
    ("x**3", "3.0 * x * x", "x**3", "3.0 * x * x", 2.0),
    ("tf.sin(x)", "tf.cos(x)", "jnp.sin(x)", "jnp.cos(x)", math.inf),
    ("tf.identity(x)", "0.5 * tf.ones_like(x)", "x", "0.5 * jnp.ones_like(x)", math.inf),  # not its derivative
    ("tf.tanh(x) * 2.0", "(1.0 + x)", "jnp.tanh(x) * 2.0", "(1.0 + x)", math.inf),  # nor this
]
DRAWS = [
    "tf.random.uniform({shape}, 0.5, 1.5, F)",
    "tf.random.normal({shape}, dtype=F)",
    "tf.random.uniform({shape}, 0.5, 1.5, F, seed=3)",
    "tf.reshape(tf.numpy_function(lambda: np.random.uniform(0.5, 1.5, {shape}).astype(N), [], F), {shape})",
    "tf.nn.dropout(tf.ones({shape}, F), 0.5)",
]


@dataclass
class Value:
    """A tensor in sight."""

    name: str
    shape: tuple[int, ...]
    bound: float
    order: int = 0
    variable: bool = False


@dataclass
class Scope:
    """What is in sight where a statement is drawn."""

    values: list[Value]
    depth: int = 0
    """Bodies around."""
    tapes: int = 0
    """Tapes around, in all bodies."""
    draws: bool = True
    """Whether random numbers may be drawn here."""
    preferred: list[str] = field(default_factory=list)
    python: bool = True
    """Whether Python's own if and for may stand here: not within functions that AutoGraph does not read."""

    def inside(self, **changes: Any) -> Scope:
        """Return the scope of a body."""
        kept = {**self.__dict__, "values": list(self.values), "depth": self.depth + 1, "preferred": list(self.preferred)}
        return Scope(**{**kept, **changes})


class Generator:
    """Draws one program."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.counts: dict[str, int] = {}
        self.draws: list[tuple[str, str]] = []
        self.roots: dict[str, frozenset[str]] = {}
        """For each value the values that it is computed from, and itself."""
        self.loops: set[str] = set()
        self.budget = rng.choice([3, 4, 6, 8])
        self.on = {name for name, p in FEATURES.items() if rng.random() < p}
        if rng.random() < 0.25:  # straight code
            self.on -= {"choice", "loop", "scan", "map", "call", "recompute", "draws", "tapes in bodies"}
        self.max_tapes = rng.choice([1, 2, 2, 3, 3, 4])
        self.by_gradients = "gradients" in self.on and not self.on & {"forward", "stop", "reset", "by hand"}
        self.rows = rng.choices(list(ROWS), list(ROWS.values()))[0]

    def name(self, stem: str) -> str:
        """Return a name that was not there."""
        self.counts[stem] = self.counts.get(stem, -1) + 1
        return f"{stem}{self.counts[stem]}"

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    # --- inputs

    def numbers(self, shape: tuple[int, ...]) -> Any:
        if "singular" in self.on:
            flat = [self.rng.choice([0.0, 0.0, 1.0, -1.0, 0.5, 2.0]) for _ in range(math.prod(shape))]
        else:
            flat = [round(self.rng.uniform(-1.5, 1.5) * 256) / 256 for _ in range(math.prod(shape))]
        return np.array(flat).reshape(shape)

    def program(self) -> Program:
        rng, n = self.rng, self.rows
        if "grid" in self.on:
            shapes = [(n, 1), (1, rng.choice([1, 2, 3]))] + ([(n, 1)] if self.chance(0.2) else [])
        else:
            shapes = rng.choice([[(n, 1)], [(n, 2)], [(n, 1), (n, 1)], [(n, 3)], [()], [(3,)], [(n, 2), (2, 2)], [(n, 1), ()]])
        inputs = [Input(self.name("x"), self.numbers(s)) for s in shapes]
        variables = []
        if self.on & {"variables", "assign"}:
            width = shapes[0][-1] if shapes[0] else 1
            for _ in range(rng.choice([1, 1, 2])):
                shape = rng.choice([(), (width, 2), (width,), (2, 2), (1, 1)])
                variables.append(Variable(self.name("v"), self.numbers(shape), self.chance(0.85)))
        values = [Value(x.name, x.value.shape, 2.0) for x in inputs]
        values += [Value(v.name, v.value.shape, 2.0, variable=True) for v in variables]
        self.variables = variables
        scope = Scope(values, preferred=[v.name for v in values])
        statements: list[Statement] = []
        self.results: list[Value] = []
        if self.chance(0.6):
            self.nest(statements, scope, self.max_tapes)
        while self.budget > 0:
            self.statement(statements, scope)
        if not self.results:
            self.derivative(statements, scope)
        tail = [v for v in scope.values if not v.variable and v.name not in {x.name for x in inputs}][-3:]
        results = list(dict.fromkeys([v.name for v in self.results][-8:] + [v.name for v in tail]))
        program = Program(inputs, variables, statements, results, self.draws, dtype=rng.choice(["float64", "float64", "float32"]),
                          unknown="unknown" in self.on, singular="singular" in self.on)  # fmt: skip
        program.order = max([v.order for v in [*self.results, *tail]], default=0)
        return program

    # --- values

    def pick(self, scope: Scope, prefer: bool = True, among: Any = None) -> Value:
        values = among if among is not None else scope.values
        preferred = [v for v in values if v.name in scope.preferred]
        if prefer and preferred and self.chance(0.7):
            return self.rng.choice(preferred[-6:])
        return self.rng.choice(values[-5:] if self.chance(0.7) else values)

    def add(self, scope: Scope, value: Value, of: Iterable[str] = ()) -> Value:
        """Take a value into sight; ``of``: what it is computed from."""
        if value.name not in self.roots:
            self.roots[value.name] = frozenset([value.name]).union(*[self.roots.get(n, frozenset([n])) for n in of])
        scope.values.append(value)
        scope.preferred.append(value.name)
        return value

    def op(self, out: list[Statement], scope: Scope, first: Value | None = None, near: Value | None = None) -> Value:
        """Draw an operation, of ``first`` if it is given."""
        for _ in range(200):
            table = SINGULAR if "singular" in self.on and self.chance(0.35) else OPERATIONS
            op = self.rng.choices(table, weights_of(table))[0]
            args = [first if first is not None and k == 0 else self.pick(scope) for k in range(op.arity)]
            if op.arity == 2 and first is not None and self.chance(0.5):
                args.reverse()
            made = self.apply(op, out, scope, args)
            if made is not None:
                return made
        raise AssertionError("no operation fits")

    def apply(self, op: Operation, out: list[Statement], scope: Scope, args: list[Value]) -> Value | None:
        fit = op.fit(self.rng, [a.shape for a in args], [a.bound for a in args])
        if fit is None or not math.isfinite(fit.bound) or fit.bound > MOST:
            return None
        holes = [f"{{{k}}}" for k in range(op.arity)]
        text, jax = (None if t is None else t.format(*holes, **fit.attrs) for t in (op.text, op.jax))
        name = self.name("a")
        assert text is not None
        out.append(Op(name, op.name, [a.name for a in args], text, jax, fit.shape))
        order = max(a.order for a in args)
        return self.add(scope, Value(name, fit.shape, fit.bound, order), [a.name for a in args])

    def plain(
        self, out: list[Statement], scope: Scope, text: str, jax: str, args: list[Value], shape: Any, bound: float
    ) -> Value:
        """Append a given operation."""
        name = self.name("a")
        out.append(Op(name, "plain", [a.name for a in args], text, jax, shape))
        return self.add(scope, Value(name, shape, bound, max([a.order for a in args], default=0)), [a.name for a in args])

    def tensor(self, out: list[Statement], scope: Scope, value: Value) -> Value:
        """Return a value that is not a variable."""
        if not value.variable:
            return value
        return self.plain(out, scope, "1.0 * {0}", "1.0 * {0}", [value], value.shape, value.bound)

    def fitted(self, out: list[Statement], scope: Scope, value: Value, shape: tuple[int, ...], most: float = 2.0) -> Value:
        """Return a value of a shape and a size, made of one."""
        if value.shape != shape or value.variable:
            text = "tf.broadcast_to(tf.reduce_sum(tf.tanh({0})), SHAPE)" if shape else "tf.reduce_sum(tf.tanh({0}))"
            text = text.replace("SHAPE", repr(list(shape)))
            jax = text.replace("tf.reduce_sum", "jnp.sum").replace("tf.", "jnp.")
            value = self.plain(out, scope, text, jax, [value], shape, math.prod(value.shape) + 1)
        if value.bound > most:
            value = self.plain(out, scope, "1.5 * tf.sin({0})", "1.5 * jnp.sin({0})", [value], shape, 1.5)
        return value

    def chain(self, out: list[Statement], scope: Scope, start: Value, length: int) -> Value:
        """Draw operations, the first of a given value and each next of the one before."""
        value = start
        for _ in range(length):
            value = self.op(out, scope, value)
        return value

    # --- statements

    def statement(self, out: list[Statement], scope: Scope) -> None:
        """Draw a statement, or a few that belong together."""
        self.budget -= 1
        room = scope.depth < 2 and self.budget > 0
        kinds = {"op": 5.0}
        if scope.tapes < self.max_tapes and (scope.depth == 0 or "tapes in bodies" in self.on):
            kinds["derivative"] = 3.0
        if room:
            for kind in ("choice", "loop", "scan", "map", "call", "recompute"):
                if kind in self.on:
                    kinds[kind] = 2.0
        if "custom" in self.on:
            kinds["custom"] = 1.5
        if "draws" in self.on and scope.draws:
            kinds["draw"] = 1.5
        if "assign" in self.on and self.variables:
            kinds["assign"] = 1.5
        if "forward" in self.on and scope.tapes < 4 and scope.depth == 0:
            kinds["forward"] = 2.0
        kind = self.rng.choices(list(kinds), list(kinds.values()))[0]
        getattr(self, f"_{kind}")(out, scope)

    def _op(self, out: list[Statement], scope: Scope) -> None:
        self.op(out, scope)

    def block(self, out: list[Statement], scope: Scope, least: int = 1) -> None:
        for _ in range(self.rng.choice([least, least, least + 1, least + 2])):
            if self.budget > -6:
                self.statement(out, scope)

    def _derivative(self, out: list[Statement], scope: Scope) -> None:
        self.derivative(out, scope)

    def nest(self, out: list[Statement], scope: Scope, levels: int) -> Value:
        """Draw nested derivatives of a field, each level of a column or a part of the one before."""
        return self.derivative(out, scope, levels)

    def watchable(self, scope: Scope) -> list[Value]:
        found = [v for v in scope.values if not v.variable]
        inputs = found[:2]
        recent = found[-4:] if "intermediate" in self.on else []
        return list({v.name: v for v in [*inputs, *recent]}.values())

    def sources(self, target: Value, watched: list[Value], made: list[Value], scope: Scope, read: bool) -> list[Value]:
        pool = list(watched)
        if read:
            pool += [v for v in scope.values if v.variable]
        if "intermediate" in self.on and self.chance(0.5):
            pool += [v for v in made if v.name not in self.loops and v.name in self.roots[target.name]][:3]
        if "misuse" in self.on:
            pool += scope.values[:2]
        pool = list({v.name: v for v in pool}.values())
        linked = [v for v in pool if v.name in self.roots[target.name]]
        if linked and self.chance(0.9):
            pool = linked
        if not pool:
            pool = scope.values[:1]
        if "several" in self.on and len(pool) > 1 and self.chance(0.6):
            return self.rng.sample(pool, 2)
        return [self.rng.choice(pool)]

    def derivative(self, out: list[Statement], scope: Scope, levels: int = 1) -> Value:
        """Draw a tape, or a call of gradients, around a few statements; return the last derivative."""
        if self.by_gradients and scope.depth == 0:
            return self.symbolic(out, scope, levels)
        rng = self.rng
        persistent = "persistent" in self.on and self.chance(0.6)
        by_hand = "by hand" in self.on and self.chance(0.5)
        tape = Tape(self.name("t"), [], persistent, not by_hand)
        inner = Scope(list(scope.values), scope.depth, scope.tapes + 1, scope.draws, list(scope.preferred), scope.python)
        watched: list[Value] = []
        for v in rng.sample(pool := self.watchable(scope), min(len(pool), rng.choice([1, 1, 2]))):
            tape.body.append(Watch(tape.name, v.name))
            watched.append(v)
        if by_hand and self.variables:
            v = next(v for v in scope.values if v.variable)
            tape.body.append(Watch(tape.name, v.name))
            watched.append(v)
        inner.preferred = [v.name for v in watched]
        known = {v.name for v in inner.values}
        start = rng.choice(watched) if watched else inner.values[0]
        if levels > 1:
            start = self.derivative(tape.body, inner, levels - 1)
            value = self.chain(tape.body, inner, start, rng.choice([0, 0, 1]))
        else:
            value = self.chain(tape.body, inner, start, rng.choice([1, 2]))
            for _ in range(rng.choice([0, 1, 2])):
                if self.budget > -4:
                    self.statement(tape.body, inner)
        if "stop" in self.on and self.chance(0.5):
            stop = Stop(tape.name, [])
            self.op(stop.body, inner, value)
            tape.body.append(stop)
            value = self.op(tape.body, inner)
        if "reset" in self.on and self.chance(0.4):
            tape.body.append(Reset(tape.name))
            for v in watched:
                if self.chance(0.7):
                    tape.body.append(Watch(tape.name, v.name))
            value = self.op(tape.body, inner, rng.choice(watched) if watched else None)
        made = [v for v in inner.values if v.name not in known and not v.variable and v.name[0] in "azbcr"]
        target = value if value.name not in known else made[-1] if made else self.op(tape.body, inner)
        if self.chance(0.15) and made:
            target = rng.choice(made)
        out.append(tape)
        for v in inner.values:
            if v.name not in known:
                self.add(scope, v)
        within = persistent and self.chance(0.3)
        asks = rng.choice([1, 2]) if persistent else 1
        result = value
        for k in range(asks):
            place, seen = (tape.body, inner) if within and k == 0 else (out, scope)
            sources = self.sources(target, watched, made, scope, not by_hand)
            result = self.ask(place, seen, tape.name, target, sources, made)
            if place is not out:
                self.add(scope, result)
                target = self.op(tape.body, inner, result)
                self.add(scope, target)
        if "misuse" in self.on and self.chance(0.3):
            self.ask(out, scope, tape.name, target, self.sources(target, watched, made, scope, True), made)
        return result

    def ask(self, out: list[Statement], scope: Scope, tape: str, target: Value, sources: list[Value], made: list[Value]) -> Value:
        targets = [target]
        if "several" in self.on and made and self.chance(0.2):
            targets.append(self.rng.choice(made))
        weight = None
        if "weights" in self.on and self.chance(0.6):
            ready = [v for v in scope.values if v.shape == target.shape and not v.variable and v.name != target.name]
            weight = self.rng.choice(ready).name if ready else None
        kind = "gradient"
        if "jacobian" in self.on and self.chance(0.7) and math.prod(target.shape) <= 6 and target.shape:
            kind, targets, sources, weight = "jacobian", [target], sources[:1], None
        outs = [self.name("g") for _ in sources]
        zero = self.chance(0.08)
        out.append(Ask(outs, tape, [t.name for t in targets], [s.name for s in sources], weight, zero, kind))
        return self.found(out, scope, outs, sources, target, kind)

    def found(self, out: list[Statement], scope: Scope, outs: list[str], sources: list[Value], target: Value, kind: str) -> Value:
        """Take gradients into sight; return the last."""
        result = None
        for g, s in zip(outs, sources, strict=True):
            order = target.order + 1
            if scope.depth == 0:
                self.results.append(Value(g, s.shape, 8.0, order))
            shape = s.shape if kind == "gradient" else target.shape + s.shape
            name = self.name("d")
            like = s.name
            if kind == "jacobian":
                out.append(Some(name, g, like))
                result = Value(name, shape, 8.0, order)
                if len(shape) > 3:
                    result = None
                continue
            out.append(Some(name, g, like))
            result = self.add(scope, Value(name, shape, 8.0, order), [target.name, s.name])
        if result is None or kind == "jacobian":
            return self.op(out, scope, sources[0])
        if len(result.shape) == 2 and result.shape[1] > 1 and self.chance(0.7):
            k = self.rng.randrange(result.shape[1])
            text = f"{{0}}[:, {k}:{k + 1}]"
            result = self.plain(out, scope, text, text, [result], (result.shape[0], 1), 8.0)
        return result

    def symbolic(self, out: list[Statement], scope: Scope, levels: int) -> Value:
        """Draw nested calls of gradients."""
        pool = [v for v in scope.values[:4] if v.name[0] in "xv"]
        known = {v.name for v in scope.values}
        start = self.rng.choice(pool)
        value = self.chain(out, scope, start, self.rng.choice([2, 3]))
        made: list[Value] = []
        for _ in range(levels):
            if self.chance(0.4) and self.budget > -4:
                self.statement(out, scope)
            made = [v for v in scope.values if v.name not in known and v.name[0] == "a"]
            sources = self.sources(value, pool, made[:-1], scope, True)
            targets = [value.name] + ([self.rng.choice(made).name] if "several" in self.on and self.chance(0.2) else [])
            outs = [self.name("g") for _ in sources]
            weight = None
            if "weights" in self.on and self.chance(0.6):
                ready = [v for v in scope.values if v.shape == value.shape and not v.variable and v.name != value.name]
                weight = self.rng.choice(ready).name if ready else None
            value = self.tensor(out, scope, value)
            targets[0] = value.name
            out.append(Gradients(outs, targets, [s.name for s in sources], weight, self.chance(0.08)))
            value = self.found(out, scope, outs, sources, value, "gradient")
            if self.chance(0.4):
                value = self.op(out, scope, value)
        return value

    def _forward(self, out: list[Statement], scope: Scope) -> None:
        primal = self.rng.choice([v for v in scope.values if not v.variable][:3] + [v for v in scope.values if v.variable][:1])
        tangent = Value("", primal.shape, 1.0)
        ready = [v for v in scope.values if v.shape == primal.shape and not v.variable]
        if ready and self.chance(0.6):
            tangent = self.rng.choice(ready)
        else:
            numbers, shape = self.numbers(primal.shape).tolist(), list(primal.shape)
            text, jax = f"tf.constant({numbers!r}, F, {shape!r})", f"jnp.array({numbers!r}).reshape({shape!r})"
            tangent = self.plain(out, scope, text, jax, [], primal.shape, 2.0)
        accumulate = Accumulate(self.name("f"), [primal.name], [tangent.name], [])
        inner = Scope(list(scope.values), scope.depth, scope.tapes + 1, scope.draws, [primal.name], scope.python)
        known = {v.name for v in inner.values}
        value = self.chain(accumulate.body, inner, primal, self.rng.choice([1, 2]))
        for _ in range(self.rng.choice([0, 1])):
            if self.budget > -4:
                self.statement(accumulate.body, inner)
        made_values = [v for v in inner.values if v.name not in known and v.name[0] in "ad"]
        value = made_values[-1] if made_values and self.chance(0.5) else value
        out.append(accumulate)
        for v in inner.values:
            if v.name not in known:
                self.add(scope, v)
        name = self.name("g")
        out.append(Jvp(name, accumulate.name, value.name))
        if scope.depth == 0:
            self.results.append(Value(name, value.shape, 8.0, value.order + 1))
        some = self.name("d")
        out.append(Some(some, name, value.name))
        self.add(scope, Value(some, value.shape, 8.0, value.order + 1), [value.name, primal.name, tangent.name])

    # --- bodies

    def body(
        self, scope: Scope, params: list[Value], shapes: list[tuple[int, ...]], params_of: dict[str, list[str]], **changes: Any
    ) -> tuple[Body, Scope]:
        """Draw a body that gives values of given shapes."""
        inner = scope.inside(**changes)
        for p in params:
            self.add(inner, p, params_of.get(p.name, ()))
        inner.preferred = [p.name for p in params] or inner.preferred
        known = {v.name for v in inner.values}
        statements: list[Statement] = []
        if params:
            self.op(statements, inner, self.rng.choice(params))
        self.block(statements, inner)
        results: list[str] = []
        for shape in shapes:
            made = [v for v in inner.values if v.name not in known and not v.variable]
            same = [v for v in made if v.shape == shape]
            value = self.rng.choice(same[-2:]) if same else made[-1] if made else self.pick(inner)
            value = self.fitted(statements, inner, value, shape)
            if value.name in known:  # a body gives what it made: what it hands through is a tensor of its own in a graph alone
                value = self.plain(statements, inner, "tf.identity({0})", "{0}", [value], shape, value.bound)
            results.append(value.name)
        return Body([p.name for p in params], statements, results), inner

    def _choice(self, out: list[Statement], scope: Scope) -> None:
        on = self.pick(scope)
        first = self.tensor(out, scope, self.pick(scope))
        shapes = [first.shape]
        free = scope.depth == 0 and scope.draws
        then, _ = self.body(scope, [], shapes, {}, draws=False)
        other, _ = self.body(scope, [], shapes, {}, draws=False)
        if self.chance(0.5):
            text = self.rng.choice(["{0} * {1}", "tf.sin({0}) + {1}"])
            result = Value(then.results[0], shapes[0], 2.0)
            jax = text.replace("tf.", "jnp.")
            then.results[0] = self.plain(then.statements, scope.inside(), text, jax, [first, result], shapes[0], 4.0).name
        outs = [Value(self.name("b"), shapes[0], 4.0, first.order)]
        if "draws" in self.on and free and self.chance(0.7):
            outs.append(self.drawn(then.statements, then, shapes[0], other))
        style = self.rng.choice(["cond", "cond", "if", "case", "switch_case"] if scope.python else ["cond", "cond", "case"])
        above = round(self.rng.uniform(-1, 1) * 8) / 8 + 0.03125
        out.append(Choice([v.name for v in outs], on.name, above, then, other, style))
        self.add(scope, outs[0], [then.results[0], other.results[0], first.name])

    def drawn(self, statements: list[Statement], body: Body, shape: tuple[int, ...], other: Body | None) -> Value:
        """Let a body draw numbers that its first result is multiplied by, and return them, as one row, as one more result."""
        site, r, record, product = self.name("s"), self.name("r"), self.name("h"), self.name("a")
        statements.append(self.draw_of(r, site, shape))
        statements.append(Op(product, "plain", [body.results[0], r], "{0} * {1}", "{0} * {1}", shape))
        statements.append(Op(record, "record", [r], "{0}[tf.newaxis]", "{0}[None]", (1, *shape)))
        self.roots[product] = self.roots.get(body.results[0], frozenset()) | {product}
        body.results[0] = product
        body.results.append(record)
        if other is not None:
            empty = self.name("h")
            text = f"tf.fill({[1, *shape]!r}, tf.constant(np.nan, F))"
            other.statements.append(Op(empty, "record", [], text, f"jnp.full({(1, *shape)!r}, jnp.nan)", (1, *shape)))
            other.results.append(empty)
        out = Value(self.name("h"), (1, *shape), 2.0)
        self.draws.append((site, out.name))
        return out

    def draw_of(self, out: str, site: str, shape: tuple[int, ...]) -> Draw:
        return Draw(out, site, shape, self.rng.choice(DRAWS).replace("{shape}", repr(list(shape))))

    def _draw(self, out: list[Statement], scope: Scope) -> None:
        if scope.depth:
            return self._op(out, scope)
        shape = self.pick(scope).shape
        site, r, record = self.name("s"), self.name("r"), self.name("h")
        out.append(self.draw_of(r, site, shape))
        out.append(Op(record, "record", [r], "{0}[tf.newaxis]", "{0}[None]", (1, *shape)))
        self.draws.append((site, record))
        value = self.add(scope, Value(r, shape, 4.0))
        fitting = [v for v in scope.values if v.shape == shape and v.name in scope.preferred and v is not value]
        if fitting:
            self.plain(out, scope, "{0} * {1}", "{0} * {1}", [self.rng.choice(fitting), value], shape, 4.0)
        return None

    def _loop(self, out: list[Statement], scope: Scope) -> None:
        style = self.rng.choice(
            ["while_loop", "while_loop", "for", "while", "foldl"] if scope.python else ["while_loop", "foldl"]
        )
        turns = self.rng.choice([0, 1, 2, 2, 3])
        count = self.rng.choice([1, 1, 2])
        starts = [self.fitted(out, scope, v, v.shape) for v in [self.tensor(out, scope, self.pick(scope)) for _ in range(count)]]
        shapes = [v.shape for v in starts]
        turn = Value(self.name("i"), (), 3.0)
        self.counts["i"] += 100
        params = [Value(self.name("c"), v.shape, 2.0, v.order) for v in starts]
        free = scope.depth == 0 and scope.draws
        body, _ = self.body(scope, params, shapes, {p.name: [s.name] for p, s in zip(params, starts, strict=True)}, draws=False)
        body.params.insert(0, turn.name)
        if self.chance(0.3) and shapes[0] == ():
            name = self.name("a")
            body.statements.append(Op(name, "plain", [body.results[0], turn.name], "{0} * (1.0 + {1})", "{0} * (1.0 + {1})", ()))
            body.results[0] = name
        outs = [Value(self.name("b"), v.shape, 2.0, v.order) for v in starts]
        made = body.results[:]
        if "draws" in self.on and free and turns and self.chance(0.7):
            record = self.drawn(body.statements, body, shapes[0], None)
            carried, start, rolled = self.name("h"), self.name("h"), self.name("h")
            shape = (turns, *shapes[0])
            out.append(
                Op(
                    start,
                    "record",
                    [],
                    f"tf.fill({list(shape)!r}, tf.constant(np.nan, F))",
                    f"jnp.full({shape!r}, jnp.nan)",
                    shape,
                )
            )
            row = body.results.pop()
            body.statements.append(Op(rolled, "record", [carried, row], "tf.concat([{0}[1:], {1}], 0)",
                                      "jnp.concatenate([{0}[1:], {1}], 0)", shape))  # fmt: skip
            body.results.append(rolled)
            body.params.append(carried)
            starts.append(Value(start, shape, 2.0))
            outs.append(record)
        until = round(self.rng.uniform(1, 4) * 8) / 8 if style in ("while_loop", "while") and self.chance(0.3) else None
        out.append(Loop([v.name for v in outs], turns, [v.name for v in starts], body, style, until))
        self.loops |= {v.name for v in outs}
        for v in outs[:count]:
            self.add(scope, v, [*made, *[x.name for x in starts[:count]]])

    def _scan(self, out: list[Statement], scope: Scope) -> None:
        rows = [v for v in scope.values if v.shape and v.shape[0] and math.prod(v.shape) <= 12]
        if not rows:
            return self._op(out, scope)
        elements = self.tensor(out, scope, self.rng.choice(rows))
        start = self.tensor(out, scope, self.pick(scope, among=[v for v in scope.values if len(v.shape) < 3]))
        start = self.fitted(out, scope, start, start.shape)
        params = [Value(self.name("c"), start.shape, 2.0, start.order), Value(self.name("e"), elements.shape[1:], elements.bound)]
        free = scope.depth == 0 and scope.draws
        body, _ = self.body(
            scope,
            params,
            [start.shape],
            {params[0].name: [start.name], params[1].name: [elements.name]},
            draws=False,
            python=False,
        )
        outs = [Value(self.name("b"), (elements.shape[0], *start.shape), 2.0, start.order)]
        starts = [start.name]
        if "draws" in self.on and free and self.chance(0.7):
            outs.append(self.recorded(out, body, start.shape, elements.shape[0]))
            first = self.name("h")
            out.append(Op(first, "record", [], f"tf.zeros({list(start.shape)!r}, F)", f"jnp.zeros({start.shape!r})", start.shape))
            starts.append(first)
            body.params.insert(1, self.name("h"))
        out.append(Scan([v.name for v in outs], elements.name, starts, body))
        self.add(scope, outs[0], [body.results[0], start.name, elements.name])
        return None

    def recorded(self, out: list[Statement], body: Body, shape: tuple[int, ...], rows: int) -> Value:
        """Let a body draw what its first result is multiplied by; its second result is what was drawn, a row a turn."""
        site, r, product, record = self.name("s"), self.name("r"), self.name("a"), self.name("h")
        body.statements.append(self.draw_of(r, site, shape))
        body.statements.append(Op(product, "plain", [body.results[0], r], "{0} * {1}", "{0} * {1}", shape))
        self.roots[product] = self.roots.get(body.results[0], frozenset()) | {product}
        body.results[0] = product
        body.results.append(r)
        self.draws.append((site, record))
        return Value(record, (rows, *shape), 2.0)

    def _map(self, out: list[Statement], scope: Scope) -> None:
        rows = [v for v in scope.values if v.shape and v.shape[0] and math.prod(v.shape) <= 12]
        if not rows:
            return self._op(out, scope)
        elements = self.tensor(out, scope, self.rng.choice(rows))
        style = self.rng.choice(["map_fn", "map_fn", "vectorized_map"])
        element = Value(self.name("e"), elements.shape[1:], elements.bound, elements.order)
        free = scope.depth == 0 and scope.draws
        shape = element.shape if self.chance(0.7) else ()
        body, _ = self.body(scope, [element], [shape], {element.name: [elements.name]}, draws=False, python=False)
        outs = [Value(self.name("b"), (elements.shape[0], *shape), 2.0, elements.order)]
        if "draws" in self.on and free and style == "map_fn" and self.chance(0.7):
            outs.append(self.recorded(out, body, shape, elements.shape[0]))
        out.append(Map([v.name for v in outs], elements.name, body, style))
        self.add(scope, outs[0], [body.results[0], elements.name])
        return None

    def _call(self, out: list[Statement], scope: Scope) -> None:
        self.called(out, scope, self.rng.choice(["function", "function", "plain"]))

    def _recompute(self, out: list[Statement], scope: Scope) -> None:
        self.called(out, scope, "recompute")

    def called(self, out: list[Statement], scope: Scope, style: str) -> None:
        args = [self.tensor(out, scope, self.pick(scope)) for _ in range(self.rng.choice([1, 1, 2]))]
        params = [Value(self.name("p"), v.shape, v.bound, v.order) for v in args]
        free = scope.depth == 0 and scope.draws
        shape = self.rng.choice([*[v.shape for v in args], ()])
        body, _ = self.body(
            scope,
            params,
            [shape],
            {p.name: [a.name] for p, a in zip(params, args, strict=True)},
            draws=False,
            python=scope.python and style == "function",
        )
        order = max(v.order for v in args)
        outs = [Value(self.name("b"), shape, 2.0, order)]
        if "draws" in self.on and free and self.chance(0.7):
            outs.append(self.drawn(body.statements, body, shape, None))
        out.append(Call([v.name for v in outs], [v.name for v in args], body, style))
        self.add(scope, outs[0], [body.results[0], *[a.name for a in args]])

    def _custom(self, out: list[Statement], scope: Scope) -> None:
        value, slope, jax_value, jax_slope, most = self.rng.choice(CUSTOM)
        arg = self.tensor(out, scope, self.pick(scope))
        arg = self.fitted(out, scope, arg, arg.shape, min(most, 8.0))
        name = self.name("a")
        out.append(Custom(name, arg.name, value, slope, jax_value, jax_slope))
        self.add(scope, Value(name, arg.shape, 8.0, arg.order), [arg.name])

    def _assign(self, out: list[Statement], scope: Scope) -> None:
        variable = self.rng.choice([v for v in scope.values if v.variable])
        how = self.rng.choice(["assign", "assign_add", "assign_sub"])
        same = [v for v in scope.values if v.shape == variable.shape and not v.variable and v.bound < 8]
        if same and self.chance(0.7):
            arg = self.rng.choice(same)
        else:
            arg = self.plain(out, scope, "0.5 * {0}", "0.5 * {0}", [variable], variable.shape, variable.bound)
        arg = self.fitted(out, scope, arg, variable.shape)
        out.append(Assign(variable.name, how, arg.name))
        if self.chance(0.6):
            self.op(out, scope, variable)


_WEIGHTS: dict[int, list[float]] = {}


def weights_of(table: list[Operation]) -> list[float]:
    """Return the weights of a table's operations."""
    return _WEIGHTS.setdefault(id(table), [o.weight for o in table])


def draw(seed: int, number: int) -> Program:
    """Return a program, the same in every process."""
    return Generator(Random(f"{seed}/{number}")).program()
