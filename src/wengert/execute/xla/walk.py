"""Walking a list with arrays of JAX: what each operation becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from wengert.execute.numpy import failure, located, unfed
from wengert.execute.plan import Plan
from wengert.execute.xla import control
from wengert.execute.xla import state as rules
from wengert.execute.xla.arrays import Unsupported, XlaArrays, brief
from wengert.execute.xla.values import Env, Ref
from wengert.graph.node import Node
from wengert.ground.context import quietly, state
from wengert.ground.errors import OpError
from wengert.ground.types import Array, Attrs, Dtype, NumPyArray
from wengert.ops.control import COND, LOOP
from wengert.ops.linear import CONSTANT, SHAPE, SIZE
from wengert.ops.op import Op
from wengert.ops.state import ASSERT, ASSIGN, ASSIGN_SCATTER, FED, HANDLE, IS_INITIALIZED, NO_OP, READ, SNAPSHOT

__all__ = ["Draw", "Walk", "sample"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

Draw = tuple[Callable[..., Any], Sequence[Any], Attrs]
"""Random numbers that are to be drawn before a run: a NumPy kernel, its inputs and attributes."""


class Walk:
    """One reading of a list with arrays of JAX."""

    def __init__(
        self, xp: XlaArrays, variables: Sequence[Any], large: Sequence[Array] | None, drawn: Sequence[Array] | None
    ) -> None:
        """Take the variables in the order of the environment, the large constants, and the random numbers.

        ``large`` and ``drawn``: arrays in the order in which they are first used; None: only note which there are.
        """
        self.xp, self.jax, self.variables, self.large = xp, xp.jax, variables, large
        self.places = {id(v): i for i, v in enumerate(variables)}
        self.drawn = drawn
        self.constants: dict[int, tuple[int, NumPyArray]] = {}
        """By identity: the large constants, numbered as they are first used."""
        self.draws: list[Draw] = []
        self.kernels: dict[Op, Callable[..., Any]] = {}
        self.spread: set[int] = set()
        """The places of the variables of which each device has its own rows."""

    def __call__(self, plan: Plan, given: Sequence[Any], env: Env, inner: bool = False) -> list[Any]:
        """Walk a plan; ``env`` is changed. ``inner``: what stands here may run any number of times, or not at all."""
        if plan.unfed:
            raise unfed(plan.unfed[0])
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
                raise error if " at " in error.message else located(error, node) from None
            if not step.several:
                slots[step.output] = result
            else:
                for k, one in enumerate(result):
                    slots[step.output + k] = one
            for i in step.dead:
                slots[i] = None
        return [slots[i] for i in plan.fetches]

    def step(self, node: Node, values: list[Any], env: Env, inner: bool) -> Any:
        """Return the result of one operation."""
        op = node.op
        rule = RULES.get(op)
        if rule is not None:
            return rule(self, node, values, env, inner)
        known = all([v.__class__ is np.ndarray for v in values])
        if op.draws:
            return self.draw(node, values, known, inner)
        if op is ASSERT and known and bool(np.all(values[0])):
            return ()
        if op.stateful and op is not NO_OP:
            raise Unsupported(op.eager_only or "it acts on the world")
        if op is NO_OP:
            return ()
        values = [self.value(v, env) for v in values]
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
            raise failure(node, values, error) from error
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

    def typed(self, x: Array, nptype: Dtype) -> Any:
        """Return an array of JAX with this very dtype, not a weak one."""
        if getattr(x, "dtype", None) != nptype or getattr(x, "weak_type", False) or isinstance(x, np.ndarray | np.generic):
            return self.xp.astype(x, nptype)
        return x

    def read(self, at: int, env: Env) -> Array:
        """Return a variable's value.

        Raises:
            FailedPreconditionError: if it has none.
        """
        if env[at] is None:
            raise self.variables[at].storage.missing()
        return env[at]  # type: ignore[no-any-return]

    def value(self, x: Array | Ref, env: Env) -> Array:
        """Return a value, a variable's being read."""
        return self.read(x.at, env) if isinstance(x, Ref) else x

    def constant(self, value: NumPyArray) -> Array:
        """Return a large constant, which is an argument."""
        at, _ = self.constants.setdefault(id(value), (len(self.constants), value))
        return self.xp.zeros(value.shape, value.dtype) if self.large is None else self.large[at]

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


Rule = Callable[[Walk, Node, Sequence[Any], Env, bool], Any]

RULES: dict[Op, Rule] = {
    CONSTANT: rules.constant,
    HANDLE: rules.handle,
    READ: rules.read_variable,
    SNAPSHOT: rules.snapshot,
    FED: rules.fed,
    IS_INITIALIZED: rules.is_initialized,
    ASSIGN: rules.assign,
    ASSIGN_SCATTER: rules.assign_scatter,
    COND: control.cond,
    LOOP: control.loop,
}
"""What is no function of arrays."""


def _refusal(node: Node, why: str) -> Unsupported:
    return Unsupported(node, node, f"xla cannot run {node.op.name} at {node.where}: {why}")


def _modest(node: Node) -> bool:
    """Whether a result that can be computed beforehand may stand in the executable."""
    for t in node.outputs:
        if t.sizes is not None and None not in t.sizes and t.nptype.kind != "O":
            if int(np.prod(t.sizes, dtype=object)) * t.nptype.itemsize > rules.SMALL:
                return False
    return True


def sample(draw: Draw) -> NumPyArray:
    """Return numbers like those of a random operation, without counting it as a run."""
    before = state.counters
    state.counters = {}
    try:
        return np.asarray(quietly(partial(draw[0], *draw[1], **draw[2])))
    finally:
        state.counters = before
