"""What a program gives, by JAX in float64: the oracle from outside.

The tree is executed once with concrete values, which decide every branch and turn, and what was executed is kept as a list of
*steps*, each a function of the values of earlier ones. What tapes mean is said in one sentence: **to watch a value is to
replace it, from there on, by itself plus a shift that is zero, and a gradient is the derivative by the shift of what the tape
recorded.** So a gradient runs the steps that its tape recorded once more, as a function of the shifts of its sources, under
`jax.grad`; what the tape did not record keeps the value that it has. Derivatives of derivatives need nothing else: a gradient
is a step like any other, and a tape around it runs it again within its own `jax.grad`. Forward mode is `jax.jvp` of the same
function.

- A source that was computed while the tape recorded, unwatched, is shifted where it was made.
- A variable is shifted at each of its reads while it was watched. A read is a constant but for that: assigning cuts.
- A tape that stops recording, or is reset, has recorded what it has.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
from jax import lax

from .evaluation import Traced
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
    Watch,
)

__all__ = ["Cannot", "evaluate"]

wide = jax.enable_x64 if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental").enable_x64
"""A context in which JAX has float64: the rest of the process keeps what it has."""

NOISE = 1e-9
MOST = 3000
"""Steps that are run in all, at most: nested derivatives run steps again and again."""


class Cannot(Exception):
    """The oracle does not know."""


def cumulative(f: Any, first: float, x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    """Return TensorFlow's cumulative sum or product."""
    x = jnp.flip(x, axis) if reverse else x
    y = f(x, axis=axis)
    if exclusive:
        one = jnp.full_like(lax.slice_in_dim(y, 0, 1, axis=axis), first)
        y = jnp.concatenate([one, lax.slice_in_dim(y, 0, y.shape[axis] - 1, axis=axis)], axis)
    return jnp.flip(y, axis) if reverse else y


def unit(x: Any, axis: int) -> Any:
    """Return x over its norm."""
    return x / jnp.sqrt(jnp.sum(x * x, axis, keepdims=True))


@jax.custom_jvp
def spence(x: Any) -> Any:
    """Return Spence's function, whose derivative is log x / (1 - x): JAX has that of its approximation."""
    return jsp.spence(x)


spence.defjvp(lambda xs, ts: (spence(*xs), jnp.log(xs[0]) / (1.0 - xs[0]) * ts[0]))

_compiled: dict[str, Callable[..., Any]] = {}
_names = {"jax": jax, "jnp": jnp, "np": np, "jsp": jsp, "lax": lax, "cumulative": cumulative, "spence": spence, "unit": unit}


def function_of(text: str, count: int) -> Callable[..., Any]:
    """Return an operation's text as a function."""
    key = f"{count} {text}"
    if key not in _compiled:
        args = [f"x{k}" for k in range(count)]
        _compiled[key] = eval(f"lambda {', '.join(args)}: jnp.asarray({text.format(*args)}, jnp.float64)", _names)
    return _compiled[key]


class Recorder:
    """A tape or an accumulator: what it watches, and since when."""

    def __init__(self, start: int, accessed: bool = True, persistent: bool = True, everything: bool = False) -> None:
        self.start, self.accessed, self.persistent, self.everything = start, accessed, persistent, everything
        self.recording = True
        self.used = False
        self.live: set[int] = set()
        """The values that were watched, or computed from such while the tape recorded: the steps that it recorded."""
        self.variables: dict[str, list[int]] = {}
        """For each variable that is watched: its reads since."""
        self.watched: dict[Box, int] = {}
        """For each tensor that is watched: the value that stands for it from there on."""
        self.leaves: list[Any] = []
        self.tangents: list[int] = []

    def all_leaves(self) -> set[int]:
        """Return what it takes for not computed from anything."""
        return {*self.watched.values(), *[k for reads in self.variables.values() for k in reads]}


class Box:
    """A tensor: the number of the value that stands for it at the moment. Names of one tensor share a box."""

    def __init__(self, k: int) -> None:
        self.k = self.made = k


class Oracle:
    """Executes one program."""

    def __init__(self, program: Program, draws: dict[str, Any]) -> None:
        self.program, self.draws = program, {site: list(rows) for site, rows in draws.items()}
        self.steps: list[Callable[[Any], Any]] = []
        """What gives each value, from a function that looks up values."""
        self.args: list[frozenset[int]] = []
        """The values that each step depends on."""
        self.looked: list[list[int]] = []
        """The values that each step looks up."""
        self.values: list[Any] = []
        self.moved: list[Any] = []
        """The values where the result of each primitive is moved by a little."""
        self.rng = np.random.default_rng(0)
        self.within: dict[int, set[int]] = {}
        """For each derivative, the steps that it runs again, and those within them."""
        self.unclear: set[int] = set()
        self.shifts: dict[int, list[Any]] = {}
        """The shifts in force, by the value that they belong to."""
        self.active: list[Recorder] = []
        self.tapes: dict[str, Recorder] = {}
        self.memory = {v.name: (jnp.asarray(v.value, jnp.float64), v.trainable) for v in program.variables}
        self.count = 0

    # --- steps

    def step(self, run: Callable[[Any], Any], args: Iterable[int] = (), reads: str | None = None) -> int:
        """Append a step of the values ``args`` and run it; return its number."""
        k, known = len(self.steps), sorted(set(args))

        def f(*xs: Any) -> Any:
            return run(dict(zip(known, xs, strict=True)).__getitem__)

        traced = Traced(f, [self.values[a] for a in known])
        self.values.append(traced.run([self.values[a] for a in known]))
        self.moved.append(traced.run([self.moved[a] for a in known], self.move))
        used = frozenset(a for a, u in zip(known, traced.used(), strict=True) if u)
        self.steps.append(run)
        self.args.append(used)
        self.looked.append(known)
        if self.unclear & used:
            self.unclear.add(k)
        for r in self.active:
            if r.recording and (r.everything or reads in r.variables or any(a in r.live for a in used)):
                r.live.add(k)
        return k

    def move(self, value: Any) -> Any:
        return value * (1.0 + NOISE * self.rng.uniform(-1, 1, value.shape))

    def function(self, f: Callable[..., Any], args: list[int]) -> int:
        return self.step(lambda at: f(*[jnp.asarray(at(k)) for k in args]), args)

    def constant(self, value: Any) -> int:
        return self.step(lambda at: value)

    def needed(self, recorder: Recorder, targets: list[int]) -> list[int]:
        """Return what a recorder recorded on the way to targets."""
        found: set[int] = set()
        rest = [t for t in targets if t in recorder.live and t >= recorder.start]
        while rest:
            k = rest.pop()
            if k not in found:
                found.add(k)
                rest += [a for a in self.args[k] if a in recorder.live and a >= recorder.start]
        return sorted(found)

    def again(self, steps: list[int], leaves: set[int], at: Callable[[int], Any], own: dict[int, Any]) -> Callable[[int], Any]:
        """Run recorded steps once more, with shifts of one's own; return how to look up values then."""
        found: dict[int, Any] = {}

        def look(k: int) -> Any:
            return found[k] if k in found else at(k)

        self.count += len(steps)
        if self.count > MOST:
            raise Cannot("too long")
        before = self.shifts
        self.shifts = {**before, **{k: [*before.get(k, ()), shift] for k, shift in own.items()}}
        try:
            for k in steps:
                if k in leaves:  # what it is worth now holds the shifts that are in force around
                    found[k] = at(k) + own[k] if k in own else at(k)
                else:
                    found[k] = sum(self.shifts.get(k, ()), start=self.steps[k](look))
        finally:
            self.shifts = before
        return look

    # --- statements

    def run(self) -> tuple[dict[str, Any], dict[str, float]]:
        self.everything = Recorder(0, everything=True)
        self.active.append(self.everything)
        env: dict[str, Any] = {x.name: Box(self.constant(jnp.asarray(x.value, jnp.float64))) for x in self.program.inputs}
        self.block(self.program.statements, env)
        found: dict[str, Any] = {}
        sensitivity = {}
        for name in self.program.results:
            box = env[name]
            if box is None:
                found[name] = None
            elif box.k not in self.unclear:
                found[name] = value = np.asarray(self.values[box.k])
                change = np.abs(self.moved[box.k] - value)
                size = np.max(np.abs(value), initial=0.0)
                sensitivity[name] = float(np.max(change, initial=0.0)) / NOISE + float(size)
        return found, sensitivity

    def find(self, env: dict[str, Any], name: str) -> int:
        """Return the number of a name's value; a variable is read."""
        if name not in self.memory:
            return env[name].k  # type: ignore[no-any-return]
        value, trainable = self.memory[name]
        for r in self.active:
            if r.recording and (r.everything or (r.accessed and trainable)):
                r.variables.setdefault(name, [])
        k = self.step(lambda at: value, reads=name)
        for r in self.active:
            if r.recording and name in r.variables:
                r.variables[name].append(k)
        return k

    def block(self, statements: list[Statement], env: dict[str, Any]) -> None:
        for s in statements:
            getattr(self, f"_{type(s).__name__.lower()}")(s, env)

    def body(self, body: Body, args: list[Box], env: dict[str, Any]) -> list[Box]:
        inner = {**env, **dict(zip(body.params, args, strict=True))}
        self.block(body.statements, inner)
        return [inner[r] for r in body.results]

    def _op(self, s: Op, env: dict[str, Any]) -> None:
        if s.jax is None:
            raise Cannot(s.op)
        env[s.out] = Box(self.function(function_of(s.jax, len(s.args)), [self.find(env, a) for a in s.args]))

    def _draw(self, s: Draw, env: dict[str, Any]) -> None:
        env[s.out] = Box(self.constant(jnp.asarray(self.draws[s.site].pop(0), jnp.float64)))

    def _assign(self, s: Assign, env: dict[str, Any]) -> None:
        value = self.values[self.find(env, s.arg)]
        before, trainable = self.memory[s.variable]
        after = {"assign": value, "assign_add": before + value, "assign_sub": before - value}[s.how]
        self.memory[s.variable] = (after, trainable)

    def _some(self, s: Some, env: dict[str, Any]) -> None:
        if env[s.g] is None:
            env[s.out] = Box(self.constant(jnp.zeros_like(self.values[self.find(env, s.like)])))
        else:
            env[s.out] = env[s.g]

    def _tape(self, s: Tape, env: dict[str, Any]) -> None:
        recorder = Recorder(len(self.steps), s.accessed, s.persistent)
        self.tapes[s.name] = recorder
        self.active.append(recorder)
        self.block(s.body, env)
        self.active.remove(recorder)
        recorder.recording = False

    def _watch(self, s: Watch, env: dict[str, Any]) -> None:
        recorder = self.tapes[s.tape]
        if s.what in self.memory:
            recorder.variables.setdefault(s.what, [])
        elif env[s.what].k not in recorder.live:
            self.watch(recorder, env[s.what])

    def watch(self, recorder: Recorder, box: Box) -> None:
        box.k = self.function(lambda x: x, [box.k])
        recorder.live.add(box.k)
        recorder.watched[box] = box.k

    def _stop(self, s: Stop, env: dict[str, Any]) -> None:
        recorder = self.tapes[s.tape]
        recorder.recording = False
        self.block(s.body, env)
        recorder.recording = True

    def _reset(self, s: Reset, env: dict[str, Any]) -> None:
        recorder = self.tapes[s.tape]
        recorder.start = len(self.steps)
        recorder.live, recorder.variables, recorder.watched = set(), {}, {}

    def points(self, recorder: Recorder, name: str, env: dict[str, Any]) -> list[int]:
        """Return the values that a source's shift belongs to; none if the tape does not know it."""
        if name in self.memory:
            return list(recorder.variables.get(name, ()))
        k = recorder.watched.get(env[name], env[name].made)
        return [k] if k in recorder.live else []

    def _ask(self, s: Ask, env: dict[str, Any]) -> None:
        recorder = self.tapes[s.tape]
        if recorder.used and not recorder.persistent:
            raise Cannot("used twice")
        recorder.used = True
        targets = [self.find(env, t) for t in s.targets]
        weight = None if s.weight is None else self.find(env, s.weight)
        if recorder.recording and not recorder.persistent:
            recorder.recording = False
        self.asked(recorder, s.outs, targets, weight, s.sources, s.zero, s.kind, env)

    def _gradients(self, s: Gradients, env: dict[str, Any]) -> None:
        targets = [self.find(env, t) for t in s.targets]
        weight = None if s.weight is None else self.find(env, s.weight)
        self.asked(self.everything, s.outs, targets, weight, s.sources, s.zero, "gradient", env)

    def asked(self, recorder: Recorder, outs: list[str], targets: list[int], weight: int | None, sources: list[str], zero: bool,
              kind: str, env: dict[str, Any]) -> None:  # fmt: skip
        points = [self.points(recorder, x, env) for x in sources]
        steps, leaves = self.needed(recorder, targets), recorder.all_leaves()

        def run(at: Callable[[int], Any]) -> Any:
            def f(*shifts: Any) -> Any:
                own = _added(points, shifts)
                look = self.again(steps, leaves, at, own)
                ys = [look(t) for t in targets]
                if kind == "jacobian":
                    return ys[0]
                ws = [at(weight) if weight is not None and j == 0 else 1.0 for j in range(len(ys))]
                return sum(jnp.sum(w * y) for w, y in zip(ws, ys, strict=True))

            zeros = [jnp.zeros_like(at(p[0])) if p else jnp.zeros(()) for p in points]
            how = jax.jacrev if kind == "jacobian" else jax.grad
            return how(f, argnums=tuple(range(len(points))))(*zeros)

        answers = self.derived(recorder, run, steps, [*targets, *[p for ps in points for p in ps], *([] if weight is None else [weight])],
                               points) if any(points) else -1  # fmt: skip
        for j, (out, x, p) in enumerate(zip(outs, sources, points, strict=True)):
            env[out] = None
            if p:
                env[out] = Box(self.step(lambda at, j=j: at(answers)[j], [answers]))  # type: ignore[misc]
            elif kind == "gradient" and self.find(env, x) in targets:  # a tensor by itself, whatever the tape knows of it
                same = [j for j, t in enumerate(targets) if t == self.find(env, x)]
                env[out] = Box(self.weighed(self.find(env, x), [weight if j == 0 else None for j in same]))
            elif zero and kind == "gradient":
                env[out] = Box(self.constant(jnp.zeros_like(self.values[self.find(env, x)])))

    def weighed(self, x: int, weights: list[int | None]) -> int:
        """Return the sum of weights, or ones, in the shape of a value."""
        given = [w for w in weights if w is not None]
        ones = float(len(weights) - len(given))
        return self.function(lambda like, *ws: jnp.full_like(like, ones) + sum(ws), [x, *given])

    def derived(self, recorder: Recorder, run: Any, steps: list[int], around: list[int], points: list[list[int]]) -> int:
        """Append a derivative, which runs steps again.

        Where a source was computed within a derivative that is derived, the answer depends on how that derivative is
        written: 1 - v v names the value v of tanh, and sech² u does not. Only the modes can be compared then.
        """
        looked = {a for k in steps for a in self.looked[k]}
        answer = self.step(run, {*steps, *looked, *around})
        inner = set().union(*[self.within[k] for k in steps if k in self.within])
        self.within[answer] = inner | set(steps)
        if any(p in inner and p not in recorder.watched.values() and self.args[p] for ps in points for p in ps):
            self.unclear.add(answer)
        return answer

    def _accumulate(self, s: Accumulate, env: dict[str, Any]) -> None:
        recorder = Recorder(len(self.steps), accessed=False)
        recorder.tangents = [self.find(env, t) for t in s.tangents]
        self.tapes[s.name] = recorder
        self.active.append(recorder)
        for p in s.primals:
            if p in self.memory:
                recorder.variables[p] = []
                recorder.leaves.append(p)
            else:
                self.watch(recorder, env[p])
                recorder.leaves.append(env[p].k)
        self.block(s.body, env)
        self.active.remove(recorder)
        recorder.recording = False

    def _jvp(self, s: Jvp, env: dict[str, Any]) -> None:
        recorder = self.tapes[s.accumulator]
        target = self.find(env, s.target)
        points = [list(recorder.variables[x]) if isinstance(x, str) else [x] for x in recorder.leaves]
        steps, leaves = self.needed(recorder, [target]), recorder.all_leaves()

        def run(at: Callable[[int], Any]) -> Any:
            def f(*shifts: Any) -> Any:
                own = _added(points, shifts)
                return self.again(steps, leaves, at, own)(target)

            tangents = tuple(at(t) for t in recorder.tangents)
            return jax.jvp(f, tuple(jnp.zeros_like(t) for t in tangents), tangents)[1]

        around = [target, *[p for ps in points for p in ps], *recorder.tangents]
        env[s.out] = Box(self.derived(recorder, run, steps, around, points))

    def _choice(self, s: Choice, env: dict[str, Any]) -> None:
        test = float(jnp.sum(self.values[self.find(env, s.on)])) > s.above
        env.update(zip(s.outs, self.body(s.then if test else s.other, [], env), strict=True))

    def _loop(self, s: Loop, env: dict[str, Any]) -> None:
        carried = [env[x] if x in env else Box(self.find(env, x)) for x in s.starts]
        for i in range(s.turns):
            if s.until is not None and not float(jnp.sum(jnp.abs(self.values[carried[0].k]))) < s.until:
                break
            carried = self.body(s.body, [Box(self.constant(jnp.asarray(float(i)))), *carried], env)
        env.update(zip(s.outs, carried, strict=True))

    def rows(self, name: str, env: dict[str, Any]) -> list[Box]:
        elements = self.find(env, name)
        return [Box(self.function(lambda x, i=i: x[i], [elements])) for i in range(self.values[elements].shape[0])]  # type: ignore[misc]

    def stacked(self, outs: list[str], rows: list[list[Box]], env: dict[str, Any]) -> None:
        for out, parts in zip(outs, zip(*rows, strict=True), strict=True):
            env[out] = Box(self.function(lambda *xs: jnp.stack(xs), [b.k for b in parts]))

    def _scan(self, s: Scan, env: dict[str, Any]) -> None:
        carried, rows = [env[x] if x in env else Box(self.find(env, x)) for x in s.starts], []
        for e in self.rows(s.elements, env):
            carried = self.body(s.body, [*carried, e], env)
            rows.append(carried)
        self.stacked(s.outs, rows, env)

    def _map(self, s: Map, env: dict[str, Any]) -> None:
        self.stacked(s.outs, [self.body(s.body, [e], env) for e in self.rows(s.elements, env)], env)

    def _call(self, s: Call, env: dict[str, Any]) -> None:
        args = [Box(self.find(env, a)) if s.style == "function" else env[a] for a in s.args]
        env.update(zip(s.outs, self.body(s.body, args, env), strict=True))

    def _custom(self, s: Custom, env: dict[str, Any]) -> None:
        value, slope = (eval(f"lambda x: {text}", _names) for text in (s.jax_value, s.jax_slope))
        f = jax.custom_jvp(lambda x: value(x))
        f.defjvp(lambda xs, ts: (f(*xs), slope(xs[0]) * ts[0]))
        env[s.out] = Box(self.function(f, [self.find(env, s.arg)]))


def evaluate(program: Program, draws: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the results of a program, and to how many roundings each is sensitive.

    None stands only where a tape does not know a source; what depends on how derivatives are written is left out.

    ``draws``: for each site, what was drawn there, in order.

    Raises:
        Cannot: for what JAX does not have, what it refuses, and what takes too long.
    """
    try:
        with wide(True), jax.default_device(jax.devices("cpu")[0]):
            return Oracle(program, draws).run()
    except Cannot:
        raise
    except NotImplementedError as error:
        raise Cannot(str(error)) from error


def _added(points: list[list[int]], shifts: tuple[Any, ...]) -> dict[int, Any]:
    """Return the shift of each value: the sum of those of the sources that it stands behind, which may be one twice."""
    own: dict[int, Any] = {}
    for places, shift in zip(points, shifts, strict=True):
        for p in places:
            own[p] = own[p] + shift if p in own else shift
    return own
