"""What choices and loops become under XLA.

A choice becomes `lax.cond`, both branches being walked; one whose predicate is known becomes the branch. A loop whose number
of turns is known becomes `lax.scan`: over rows, or where its end can be counted beforehand. Any other becomes
`lax.while_loop`. One of known length whose carry changes its shape is written out, turn by turn.

What a choice and a loop are is said by `wengert.ops.control`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.execute.plan import Plan, Step
from wengert.execute.variables import variables_in
from wengert.execute.xla.arrays import Unsupported
from wengert.execute.xla.values import Env, Ref, variant
from wengert.graph.node import Node
from wengert.ground.context import quietly
from wengert.ground.types import Array
from wengert.ops.control import Body, Loop, bodies, branches

if TYPE_CHECKING:
    from wengert.execute.xla.walk import Walk

__all__ = ["cond", "loop"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

STEPS = 2048
"""How many steps a loop may become where it is written out."""
TRIPS = 100_000
"""How many turns of a loop are counted beforehand."""

State = tuple[list[Array], list[Array | None]]
"""What a turn hands to the next: the carry, and the values of the variables that may be assigned to."""


def cond(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> list[Any]:
    """Put a choice into the walk."""
    predicate, rest = values[0], values[1:]
    if predicate.__class__ is np.ndarray:
        taken, _ = branches(node.attrs, predicate)
        return walk(variant(taken.program, rest).plan, rest, env, inner)
    yes, no = branches(node.attrs, True)
    ids = _changed(walk, node, values)

    def branch(body: Body) -> Callable[[], State]:
        def run() -> State:
            own = list(env)
            found = _ready(walk, walk(variant(body.program, rest).plan, rest, own, True), body.specs)
            return found, [own[i] for i in ids]

        return run

    try:
        found, after = walk.jax.lax.cond(walk.xp.reshape(predicate, ()) != 0, branch(yes), branch(no))
    except (TypeError, ValueError) as error:
        raise Unsupported("the two branches give different shapes") from error
    for i, value in zip(ids, after, strict=True):
        env[i] = value
    return list(found)


def loop(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> list[Any]:
    """Put a loop into the walk."""
    found = Loop(**node.attrs)
    carry, over, _ = found.parts(values)
    length = found.length(over)
    known = True
    if found.test is not None:
        trips = _count(found, found.test, values, length)
        known, length = trips is not None, length if trips is None else trips
    elif length is None:
        raise Unsupported("it has no end")
    if not known and len(found.body.specs) > len(carry):
        raise Unsupported("how many rows it gives depends on values")
    turning = _Turning(walk, found, values, env, _changed(walk, node, values), length)
    try:
        return turning.scan() if known else turning.until()
    except (TypeError, ValueError) as error:
        # What it carries changes its shape: written out, each turn has its own.
        if length is None or not known or length * max(1, len(found.body.program.plan.steps)) > STEPS:
            raise Unsupported("what it carries changes its shape") from error
        return turning.written_out(inner)


class _Turning:
    """A loop on its way to XLA."""

    def __init__(self, walk: Walk, loop: Loop, values: Sequence[Any], env: Env, ids: Sequence[int], length: int | None) -> None:
        """Take the loop's inputs, the variables that it may assign to, and how many turns there are, or are at most."""
        self.walk, self.loop, self.env, self.ids, self.length = walk, loop, env, ids, length
        self.start, over, self.held = loop.parts(values)
        if length is not None and over and length < len(over[0]):
            over = [s[len(s) - length :] if loop.reverse else s[:length] for s in over]
        self.over = over

    def first(self) -> State:
        """Return what the first turn begins with."""
        return _ready(self.walk, self.start, self.loop.body.specs[: len(self.start)]), [self.env[i] for i in self.ids]

    def call(self, body: Body, given: Sequence[Any], held: Sequence[Any]) -> tuple[list[Any], Env]:
        """Return what a body gives for these values, and the environment after it."""
        own = list(self.env)
        for i, value in zip(self.ids, held, strict=True):
            own[i] = value
        return self.walk(variant(body.program, given).plan, given, own, True), own

    def turn(self, now: State, rows: Sequence[Any]) -> tuple[State, list[Array]]:
        """Return what one turn hands on, and the rows that it gives."""
        body, carries = self.loop.body, len(self.start)
        results, own = self.call(body, [*now[0], *rows, *self.held], now[1])
        found = _ready(self.walk, results, body.specs)
        return (found[:carries], [own[i] for i in self.ids]), found[carries:]

    def scan(self) -> list[Any]:
        """Run as many turns as are known."""
        end, rows = self.walk.jax.lax.scan(
            self.turn, self.first(), list(self.over), length=self.length, reverse=self.loop.reverse
        )
        return self.ended(end, rows)

    def until(self) -> list[Any]:
        """Run while the test, which depends on values, says so."""
        jnp, length, test = self.walk.xp, self.length, self.loop.test
        assert test is not None

        def go(now: tuple[Array, State]) -> Any:
            step, (carry, held) = now
            more = self.call(test, [*carry, *self.held], held)[0][0]
            more = jnp.reshape(jnp.asarray(more), ()) != 0
            return more if length is None else jnp.logical_and(more, step < length)

        def once(now: tuple[Array, State]) -> Any:
            at = length - 1 - now[0] if self.loop.reverse and length is not None else now[0]
            return now[0] + 1, self.turn(now[1], [jnp.asarray(s)[at] for s in self.over])[0]

        return self.ended(self.walk.jax.lax.while_loop(go, once, (jnp.zeros((), np.int64), self.first()))[1], [])

    def ended(self, end: State, rows: Sequence[Array]) -> list[Any]:
        """Keep what was assigned; return the outputs."""
        for i, value in zip(self.ids, end[1], strict=True):
            self.env[i] = value
        return [*end[0], *rows]

    def written_out(self, inner: bool) -> list[Any]:
        """Run turn by turn."""
        walk, loop = self.walk, self.loop

        def run(body: Body, given: Sequence[Any]) -> list[Any]:
            return walk(variant(body.program, given).plan, given, self.env, inner)

        counted = loop._replace(test=None, limit=self.length)
        values = [*self.start, *self.over, *self.held]
        carry, rows = counted.run(values, run)
        if not rows:
            sizes = (walk.variables[v.at].sizes if v.__class__ is Ref else v.shape for v in values)
            return [*carry, *[walk.xp.zeros((0, *s), nptype) for s, nptype in loop.row_specs(sizes)]]
        stacked = []
        specs = loop.body.specs[len(carry) :]
        for column in zip(*[_ready(walk, row, specs) for row in rows], strict=True):
            if len({row.shape for row in column}) > 1:
                raise Unsupported("the rows that it gives have different shapes")
            stacked.append(walk.xp.stack(column))
        return [*carry, *stacked]


def _ready(walk: Walk, found: Sequence[Any], specs: Sequence[Any]) -> list[Array]:
    """Return what a body gave as arrays of JAX."""
    if any([nptype.kind == "O" for _, nptype in specs]):
        raise Unsupported("XLA has no strings")
    return [walk.typed(v, nptype) for v, (_, nptype) in zip(found, specs, strict=True)]


def _changed(walk: Walk, node: Node, values: Sequence[Any]) -> list[int]:
    """Return the places of the variables that the bodies may assign to."""
    found: set[int] = set()
    for body, given in bodies(node, values):
        pairs = zip(body.places, given, strict=True)
        places = {p.n: walk.variables[v.at] for p, v in pairs if v.__class__ is Ref}
        found.update([walk.places[n] for n in variables_in(body.graph.nodes, places)[1]])
    return sorted(found)


def _count(loop: Loop, test: Body, values: Sequence[Any], length: int | None) -> int | None:
    """Return how often a loop turns, where that is known beforehand, else None.

    It is where the test depends on carries that start with known values and change by what is known.
    """
    main, check = loop.body.program.plan, test.program.plan
    carry, over, held = loop.parts(range(len(values)))
    wanted = _needed(check, [0])
    if -1 in wanted:
        return None
    asked = [*carry, *held]
    need = {asked[i] for i in wanted}
    while True:
        more = set(need)
        for i in need & set(carry):
            more |= _needed(main, [i])
        if more == need:
            break
        need = more
    if any(i < 0 or i in over or values[i].__class__ is not np.ndarray for i in need):
        return None
    moving = sorted(need & set(carry))
    current: list[Any] = [v if i in need else None for i, v in enumerate(values)]
    ask, turn = _chain(check, [0])[0], _chain(main, moving)[0]
    count = 0
    try:
        while length is None or count < length:
            if not bool(quietly(_run, check, ask, [current[i] for i in asked], [0])[0]):
                return count
            found = quietly(_run, main, turn, current, moving)
            for i, value in zip(moving, found, strict=True):
                current[i] = value
            count += 1
            if count > TRIPS:
                return None
    except Exception:  # NumPy tells it when the loop is run
        return None
    return count


def _chain(plan: Plan, wanted: Sequence[int]) -> tuple[list[Step], set[int]]:
    """Return the steps that the fetches with these numbers need, and the slots that these read."""
    slots = {plan.fetches[k] for k in wanted}
    steps: list[Step] = []
    for step in reversed(plan.steps):
        if any(step.output + k in slots for k in range(max(1, len(step.node.outputs)))) and step.node.outputs:
            steps.append(step)
            slots |= set(step.inputs)
    return steps[::-1], slots


def _needed(plan: Plan, wanted: Sequence[int]) -> set[int]:
    """Return the numbers of the feeds that some fetches depend on, and -1 if on anything that is not a plain operation."""
    steps, slots = _chain(plan, wanted)
    found = {k for k, slot in enumerate(plan.feeds) if slot in slots}
    odd = any(step.node.op.stateful or step.node.op.kind in ("control", "custom") for step in steps)
    return found | {-1} if odd else found


def _run(plan: Plan, steps: Sequence[Step], given: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Run on NumPy the steps that some fetches need."""
    slots = dict(zip(plan.feeds, given, strict=True))
    for step in steps:
        node = step.node
        result = node.op.eager(*[slots[i] for i in step.inputs], **node.attrs)
        for k, one in enumerate(result if step.several else (result,)):
            slots[step.output + k] = np.asarray(one)
    return [slots[plan.fetches[k]] for k in wanted]
