"""Walking a list with arrays of JAX.

While a list is walked a value is one of

- a NumPy array: known now. What is computed from such values alone is computed now, by the NumPy kernels, so shapes that
  are computed from shapes stay known;
- an array of JAX: known when it runs;
- a `Ref`: a variable. The values of all variables stand in an environment, which reading and assigning look into, in the
  order of the program. What was assigned comes back as a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from wengert.execute.numpy import Program, Variant, _failure, _located, _unfed
from wengert.execute.plan import Plan
from wengert.execute.variables import bodies, variables_in
from wengert.execute.xla.arrays import Unsupported, XlaArrays, brief
from wengert.graph.graph import Node
from wengert.ground.context import quietly, state
from wengert.ground.errors import OpError
from wengert.ops.linear import SHAPE, SIZE
from wengert.ops.state import ASSERT, NO_OP

__all__ = ["SMALL", "Ref", "Walk", "sample", "variant"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SMALL = 1 << 16
"""Bytes up to which a constant stands in the executable; a larger one is an argument."""
STEPS = 2048
"""How many steps a loop may become where it is written out."""
TRIPS = 100_000
"""How many turns of a loop are counted beforehand."""


class Ref:
    """A variable while a list is walked: its place in the environment."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        """Take the place."""
        self.at = at


class _Shaped(NamedTuple):
    """What the shape of a variable is known by."""

    shape: Any


def variant(program: Program, given: Sequence[Any]) -> Variant:
    """Return a program's list for values of these shapes."""
    if any(given[k].__class__ is Ref for k in program.open):
        return program.variant()
    key = tuple([given[k].shape for k in program.open]) if program.open else None
    found = program.variants.get(key)
    if found is None:
        places = program.request[2]
        found = program.variant(key, [_Shaped(t.sizes) if v.__class__ is Ref else v for v, t in zip(given, places, strict=True)])
    return found


class Walk:
    """One reading of a list with arrays of JAX."""

    def __init__(self, xp: XlaArrays, variables: Sequence[Any], large: Sequence[Any] | None, drawn: Sequence[Any] | None) -> None:
        """Take the variables in the order of the environment, the large constants, and the random numbers.

        ``large`` and ``drawn``: arrays in the order in which they are first used; None: only note which there are.
        """
        self.xp, self.jax, self.variables, self.large = xp, xp.jax, variables, large
        self.places = {id(v): i for i, v in enumerate(variables)}
        self.drawn = drawn
        self.constants: dict[int, tuple[int, Any]] = {}
        """By identity: the large constants, numbered as they are first used."""
        self.draws: list[tuple[Any, list[Any], dict[str, Any]]] = []
        self.kernels: dict[Any, Callable[..., Any]] = {}

    def __call__(self, plan: Plan, given: Sequence[Any], env: list[Any], inner: bool = False) -> list[Any]:
        """Walk a plan; ``env`` is changed. ``inner``: what stands here may run any number of times, or not at all."""
        if plan.unfed:
            raise _unfed(plan.unfed[0])
        slots: list[Any] = [None] * plan.size
        for i, a in zip(plan.feeds, given, strict=True):
            slots[i] = a
        for step in plan.steps:
            node = step.node
            values = [slots[i] for i in step.inputs]
            try:
                result = self.step(node, values, env, inner)
            except Unsupported as error:
                if error.op is not None:
                    raise
                raise _refusal(node, error.message) from error
            except OpError as error:
                if inner:  # what NumPy might never come to
                    raise _refusal(node, error.message) from error
                raise error if " at " in error.message else _located(error, node) from None
            if not step.several:
                slots[step.output] = result
            else:
                for k, one in enumerate(result):
                    slots[step.output + k] = one
            for i in step.dead:
                slots[i] = None
        return [slots[i] for i in plan.fetches]

    def step(self, node: Node, values: list[Any], env: list[Any], inner: bool) -> Any:
        """Return the result of one operation."""
        op, name = node.op, node.op.name
        rule = getattr(self, "_" + name, None)
        if rule is not None:
            return rule(node, values, env, inner)
        known = all([v.__class__ is np.ndarray for v in values])
        if op.draws:
            return self.draw(node, values, known, inner)
        if op is ASSERT and known and bool(np.all(values[0])):
            return ()
        if op.stateful and op is not NO_OP:
            raise Unsupported(op.eager_only or "it acts on the world")
        if op is NO_OP:
            return ()
        values = [self.read(v.at, env) if v.__class__ is Ref else v for v in values]
        if op in (SHAPE, SIZE) or (known and op.kind != "control" and _modest(node)):
            return self.now(node, values)
        if op.eager_only:
            raise Unsupported(op.eager_only)
        if any([t.nptype.kind == "O" for t in (*node.inputs, *node.outputs)]):
            raise Unsupported("XLA has no strings")
        return self.later(node, values)

    def now(self, node: Node, values: list[Any]) -> Any:
        """Run the NumPy kernel."""
        try:
            result = quietly(partial(node.op.eager, *values, **node.attrs))
        except OpError:
            raise
        except Exception as error:
            raise _failure(node, values, error) from error
        return tuple([np.asarray(r) for r in result]) if node.op.outputs != 1 else np.asarray(result)

    def later(self, node: Node, values: list[Any]) -> Any:
        """Run the kernel on arrays of JAX."""
        kernel = self.kernels.get(node.op)
        if kernel is None:
            kernel = self.kernels[node.op] = node.op.bind(self.xp)
        try:
            try:
                result = kernel(*values, **node.attrs)
            except self.xp.value_needed:
                # An array that is known was asked at a place that is not.
                result = kernel(*[self.xp.asarray(v) for v in values], **node.attrs)
        except self.xp.value_needed as error:
            raise Unsupported("its work depends on values that are not known beforehand") from error
        except OpError:
            raise
        except Exception as error:
            raise Unsupported(f"JAX says {brief(error)}") from error
        if node.op.outputs == 1:
            return self.typed(result, node.outputs[0].nptype)
        return [self.typed(r, t.nptype) for r, t in zip(result, node.outputs, strict=True)]

    def typed(self, x: Any, nptype: Any) -> Any:
        """Return an array of JAX with this very dtype, not a weak one."""
        if getattr(x, "dtype", None) != nptype or getattr(x, "weak_type", False) or isinstance(x, np.ndarray | np.generic):
            return self.xp.astype(x, nptype)
        return x

    def read(self, at: int, env: list[Any]) -> Any:
        """Return a variable's value.

        Raises:
            FailedPreconditionError: if it has none.
        """
        if env[at] is None:
            raise self.variables[at].storage.missing()
        return env[at]

    # --- random numbers: NumPy's, drawn before the run ---------------------------------------------------------------

    def draw(self, node: Node, values: list[Any], known: bool, inner: bool) -> Any:
        """Return numbers that are drawn on the host before the run, so that they are the same as without XLA."""
        if inner:
            raise Unsupported("how often it draws numbers depends on values")
        if not known:
            raise Unsupported("how it draws numbers depends on values that are not known beforehand")
        self.draws.append((node.op.eager, values, node.attrs))
        if self.drawn is not None:
            return self.drawn[len(self.draws) - 1]
        x = sample(self.draws[-1])
        return self.xp.zeros(x.shape, x.dtype)

    # --- sources and variables ---------------------------------------------------------------------------------------

    def _constant(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        value = node.attrs["value"]
        if value.dtype.kind == "O" or value.nbytes <= SMALL:
            return value
        at, _ = self.constants.setdefault(id(value), (len(self.constants), value))
        return self.xp.zeros(value.shape, value.dtype) if self.large is None else self.large[at]

    def _variable_handle(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return Ref(self.places[id(node.attrs["variable"])])

    def _read_variable(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return self.read(values[0].at, env)

    def _snapshot(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return values[0] if env[values[0].at] is None else env[values[0].at]

    def _fed(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return self.read(values[1].at, env) if values[1].__class__ is Ref else values[1]

    def _is_initialized(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        return np.asarray(env[values[0].at] is not None)

    def _assign(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        at, value, how = values[0].at, values[1], node.attrs["how"]
        if how == "add":
            value = self.xp.add(self.read(at, env), value)
        elif how == "sub":
            value = self.xp.subtract(self.read(at, env), value)
        return self.store(at, value, env)

    def _assign_scatter(self, node: Node, values: Any, env: Any, inner: bool) -> Any:
        ref, indices, updates = values
        x, how = self.read(ref.at, env), node.attrs["how"]
        if how == "update":
            return self.store(ref.at, self.xp.index_set(x, indices, updates), env)
        return self.store(ref.at, self.xp.index_add(x, indices, -updates if how == "sub" else updates), env)

    def store(self, at: int, value: Any, env: list[Any]) -> Any:
        """Put a value into the environment."""
        variable = self.variables[at]
        value = self.typed(value, variable.nptype)
        variable.storage.check(value.shape)
        env[at] = value
        return value

    # --- choices and loops -------------------------------------------------------------------------------------------

    def ready(self, found: Sequence[Any], specs: Sequence[Any]) -> list[Any]:
        """Return what a body gave as arrays of JAX."""
        if any([nptype.kind == "O" for _, nptype in specs]):
            raise Unsupported("XLA has no strings")
        return [self.typed(v, nptype) for v, (_, nptype) in zip(found, specs, strict=True)]

    def changed(self, node: Node, values: Sequence[Any]) -> list[int]:
        """Return the places of the variables that the bodies may assign to."""
        found: set[int] = set()
        for body, given in bodies(node, values):
            pairs = zip(body.places, given, strict=True)
            places = {p.n: self.variables[v.at] for p, v in pairs if v.__class__ is Ref}
            found.update([self.places[n] for n in variables_in(body.graph.nodes, places)[1]])
        return sorted(found)

    def _cond(self, node: Node, values: Any, env: list[Any], inner: bool) -> Any:
        yes, no = node.attrs["yes"], node.attrs["no"]
        predicate, rest = values[0], values[1:]
        if predicate.__class__ is np.ndarray:
            return self(variant((yes if predicate else no).program, rest).plan, rest, env, inner)
        ids = self.changed(node, values)

        def branch(body: Any) -> Any:
            def run() -> Any:
                own = list(env)
                found = self.ready(self(variant(body.program, rest).plan, rest, own, True), body.specs)
                return found, [own[i] for i in ids]

            return run

        try:
            found, after = self.jax.lax.cond(self.xp.reshape(predicate, ()) != 0, branch(yes), branch(no))
        except (TypeError, ValueError) as error:
            raise Unsupported("the two branches give different shapes") from error
        for i, value in zip(ids, after, strict=True):
            env[i] = value
        return found

    def _loop(self, node: Node, values: Any, env: list[Any], inner: bool) -> Any:
        body, test, reverse, limit = (node.attrs[k] for k in ("body", "test", "reverse", "limit"))
        carries, sequences, _ = node.attrs["counts"]
        start, over, held = values[:carries], values[carries : carries + sequences], values[carries + sequences :]
        length = over[0].shape[0] if over else limit
        known = True
        if test is not None:
            trips = _count(body, test, carries, sequences, values, length)
            known, length = trips is not None, length if trips is None else trips
        elif length is None:
            raise Unsupported("it has no end")
        if known and over and length < over[0].shape[0]:
            over = [s[over[0].shape[0] - length :] if reverse else s[:length] for s in over]
        if not known and len(body.specs) > carries:
            raise Unsupported("how many rows it gives depends on values")
        specs = [body.specs[k] for k in range(carries)]
        ids = self.changed(node, values)

        def turn(carry: Any, rows: Any) -> Any:
            own = list(env)
            for i, value in zip(ids, carry[1], strict=True):
                own[i] = value
            given = [*carry[0], *rows, *held]
            found = self.ready(self(variant(body.program, given).plan, given, own, True), body.specs)
            return (found[:carries], [own[i] for i in ids]), found[carries:]

        def first() -> Any:
            return self.ready(start, specs), [env[i] for i in ids]

        try:
            if known:
                (found, after), rows = self.jax.lax.scan(turn, first(), list(over), length=length, reverse=reverse)
            else:
                found, after = self.while_loop(test, turn, first(), over, held, length, reverse, env, ids)
                rows = []
        except (TypeError, ValueError) as error:
            # What it carries changes its shape: written out, each turn has its own.
            if not known or length * max(1, len(body.program.plan.steps)) > STEPS:
                raise Unsupported("what it carries changes its shape") from error
            return self.written_out(body, carries, start, over, held, length, reverse, env, inner)
        for i, value in zip(ids, after, strict=True):
            env[i] = value
        return [*found, *rows]

    def while_loop(
        self, test: Any, turn: Any, first: Any, over: Any, held: Any, length: Any, reverse: bool, env: Any, ids: Any
    ) -> Any:
        """Run a loop whose end depends on values."""
        jnp = self.xp

        def go(carry: Any) -> Any:
            own = list(env)
            for i, value in zip(ids, carry[1][1], strict=True):
                own[i] = value
            given = [*carry[1][0], *held]
            more = self(variant(test.program, given).plan, given, own, True)[0]
            more = jnp.reshape(jnp.asarray(more), ()) != 0
            return more if length is None else jnp.logical_and(more, carry[0] < length)

        def once(carry: Any) -> Any:
            at = length - 1 - carry[0] if reverse else carry[0]
            return carry[0] + 1, turn(carry[1], [jnp.asarray(s)[at] for s in over])[0]

        return self.jax.lax.while_loop(go, once, (jnp.zeros((), np.int64), first))[1]

    def written_out(
        self, body: Any, carries: int, start: Any, over: Any, held: Any, length: int, reverse: bool,
        env: Any, inner: bool,
    ) -> Any:  # fmt: skip
        """Run a loop turn by turn."""
        carry: list[Any] = list(start)
        rows: list[Any] = []
        for k in range(length):
            at = length - 1 - k if reverse else k
            given = [*carry, *[s[at] for s in over], *held]
            found = self(variant(body.program, given).plan, given, env, inner)
            carry = found[:carries]
            rows.append(self.ready(found[carries:], body.specs[carries:]))
        if reverse:
            rows.reverse()
        stacked = []
        for k, (sizes, nptype) in enumerate(body.specs[carries:]):
            if len({row[k].shape for row in rows}) > 1:
                raise Unsupported("the rows that it gives have different shapes")
            if rows:
                stacked.append(self.xp.stack([row[k] for row in rows]))
            else:
                stacked.append(self.xp.zeros((0, *(s or 0 for s in sizes or ())), nptype))
        return [*carry, *stacked]


def _refusal(node: Node, why: str) -> Unsupported:
    return Unsupported(node, node, f"xla cannot run {node.op.name} at {node.where}: {why}")


def _modest(node: Node) -> bool:
    """Whether a result that can be computed beforehand may stand in the executable."""
    for t in node.outputs:
        if t.sizes is not None and None not in t.sizes and t.nptype.kind != "O":
            if int(np.prod(t.sizes, dtype=object)) * t.nptype.itemsize > SMALL:
                return False
    return True


def sample(draw: tuple[Any, list[Any], dict[str, Any]]) -> Any:
    """Return numbers like those of a random operation, without counting it as a run."""
    before = state.counters
    state.counters = {}
    try:
        return np.asarray(quietly(partial(draw[0], *draw[1], **draw[2])))
    finally:
        state.counters = before


def _count(body: Any, test: Any, carries: int, sequences: int, values: Sequence[Any], length: Any) -> int | None:
    """Return how often a loop turns, where that is known beforehand, else None.

    It is where the test depends on carries that start with known values and change by what is known.
    """
    main, check = body.program.plan, test.program.plan
    held = list(range(carries + sequences, len(values)))
    wanted = _needed(check, [0])
    if -1 in wanted:
        return None
    # The test takes (carry..., captures...), the body (carry..., slices..., captures...).
    need = {i if i < carries else i + sequences for i in wanted}
    while True:
        more = set(need)
        for i in need:
            if i < carries:
                more |= _needed(main, [i])
        if more == need:
            break
        need = more
    if any(i < 0 or carries <= i < carries + sequences or values[i].__class__ is not np.ndarray for i in need):
        return None
    moving = sorted(i for i in need if i < carries)
    current: list[Any] = [v if i in need else None for i, v in enumerate(values)]
    ask, turn = _chain(check, [0])[0], _chain(main, moving)[0]
    count = 0
    try:
        while length is None or count < length:
            if not bool(quietly(_run, check, ask, [*current[:carries], *[current[i] for i in held]], [0])[0]):
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


def _chain(plan: Plan, wanted: Sequence[int]) -> tuple[list[Any], set[int]]:
    """Return the steps that the fetches with these numbers need, and the slots that these read."""
    slots = {plan.fetches[k] for k in wanted}
    steps = []
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


def _run(plan: Plan, steps: Sequence[Any], given: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Run on NumPy the steps that some fetches need."""
    slots = dict(zip(plan.feeds, given, strict=True))
    for step in steps:
        node = step.node
        result = node.op.eager(*[slots[i] for i in step.inputs], **node.attrs)
        for k, one in enumerate(result if step.several else (result,)):
            slots[step.output + k] = np.asarray(one)
    return [slots[plan.fetches[k]] for k in wanted]
