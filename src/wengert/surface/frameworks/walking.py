"""Lowered lists with JAX's arrays, in whatever JAX is doing: compiling, differentiating, mapping."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.execute.xla.arrays import XlaArrays, arrays
from wengert.execute.xla.walk import Walk
from wengert.graph.node import Node
from wengert.ground.types import Array, Dtype, NumPyArray
from wengert.modes.tracing import FuncGraph
from wengert.ops.elementwise import SECH_SQUARED
from wengert.ops.op import Op

__all__ = ["UserArrays", "walked"]


class UserArrays(XlaArrays):
    """JAX's arrays in the user's own settings: of the widths of types, of the precision of products."""

    def __init__(self) -> None:
        """Take JAX as it is."""
        self.__dict__.update(arrays().__dict__)
        self._canonical = importlib.import_module("jax").dtypes.canonicalize_dtype

    def astype(self, x: Array, dtype: Dtype | str) -> Any:
        """Convert; where 64 bits are off, to 32."""
        return super().astype(x, self._canonical(np.dtype(dtype)))


class _Walk(Walk):
    """A walk in which constants are constants."""

    def constant(self, value: NumPyArray) -> Array:
        """Return a large constant, which is JAX's to place."""
        return self.xp.asarray(value)  # type: ignore[no-any-return]

    def typed(self, x: Array, nptype: Dtype) -> Any:
        """Return an array of this dtype, as wide as the user has it."""
        wanted = self.xp._canonical(nptype)
        return super().typed(x, wanted)

    def later(self, node: Node, values: list[Any]) -> Any:
        """Run a kernel; one that is written for its values alone has the slope that the operation states."""
        if node.op in _ROUGH:
            return _smooth(node.op, self.xp)(*values)
        return super().later(node, values)


_ROUGH = frozenset([SECH_SQUARED])
"""Operations whose kernel over JAX is exact in value but not, at some points, in what JAX derives from it: |x| at 0."""


@functools.cache
def _smooth(op: Op, xp: UserArrays) -> Callable[..., Any]:
    jax = xp.jax
    kernel, partial = op.bind(xp), op.partials[0]
    assert partial is not None
    function = jax.custom_jvp(kernel)

    def tangent(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        (x,), (t,) = primals, tangents
        v = function(x)
        return v, partial(xp, x, v) * t

    function.defjvp(tangent)
    return function  # type: ignore[no-any-return]


@functools.cache
def user_arrays() -> UserArrays:
    """Return the namespace; JAX is imported when this is first called."""
    return UserArrays()


def walked(graph: FuncGraph, outputs: Sequence[Any]) -> Callable[..., list[Any]]:
    """Return a function of JAX's arrays, of the graph's inputs, that gives the outputs.

    The list is lowered once, here: all shapes are known.
    """
    program = NumPyProgram(graph, outputs, graph.inputs)
    plan = program.variant().plan
    xp = user_arrays()

    def run(*given: Array) -> list[Any]:
        with xp.jax.numpy_dtype_promotion("standard"):
            found = _Walk(xp, [], None, None)(plan, list(given), [])
            return [xp.asarray(y) for y in found]

    return run
