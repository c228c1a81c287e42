"""What constants and variables become in a walk; see `wengert.execute.xla.values`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.execute.xla.values import Env, Ref
from wengert.graph.node import Node
from wengert.ground.types import Array

if TYPE_CHECKING:
    from wengert.execute.xla.walk import Walk

__all__ = [
    "SMALL", "assign", "assign_scatter", "constant", "fed", "handle", "is_initialized", "read_variable", "snapshot",
]  # fmt: skip

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SMALL = 1 << 16
"""Bytes up to which a constant stands in the executable; a larger one is an argument."""


def constant(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array:
    """A large one is noted, and is an argument."""
    value = node.attrs["value"]
    return value if value.dtype.kind == "O" or value.nbytes <= SMALL else walk.constant(value)


def handle(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Ref:
    """A variable."""
    return Ref(walk.places[id(node.attrs["variable"])])


def read_variable(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array:
    """Its value."""
    return walk.read(values[0].at, env)


def snapshot(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array | Ref:
    """Its value, if it has one: where it has none, reading it is an error."""
    ref: Ref = values[0]
    return ref if env[ref.at] is None else walk.read(ref.at, env)


def fed(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array:
    """What was fed in place of a computed value."""
    return walk.value(values[1], env)


def is_initialized(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array:
    """Whether a variable has a value: known now."""
    return np.asarray(env[values[0].at] is not None)


def assign(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array:
    """Put a value, or what it adds up to, in a variable's place."""
    at, value, how = values[0].at, values[1], node.attrs["how"]
    if how == "add":
        value = walk.xp.add(walk.read(at, env), value)
    elif how == "sub":
        value = walk.xp.subtract(walk.read(at, env), value)
    return _store(walk, at, value, env)


def assign_scatter(walk: Walk, node: Node, values: Sequence[Any], env: Env, inner: bool) -> Array:
    """Put rows into a variable."""
    ref, indices, updates = values
    x, how = walk.read(ref.at, env), node.attrs["how"]
    if how == "update":
        return _store(walk, ref.at, walk.xp.index_set(x, indices, updates), env)
    return _store(walk, ref.at, walk.xp.index_add(x, indices, -updates if how == "sub" else updates), env)


def _store(walk: Walk, at: int, value: Array, env: Env) -> Array:
    """Put a value into the environment."""
    variable = walk.variables[at]
    value = walk.typed(value, variable.nptype)
    if at not in walk.spread:  # a device's own rows are of no shape that a variable has
        variable.storage.check(value.shape)
    env[at] = value
    return value
