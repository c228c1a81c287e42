"""The interpreter over NumPy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from wengert.derive.lower import lower
from wengert.derive.lowered import Lowered
from wengert.execute.plan import POOLED, Plan, Step, plan
from wengert.execute.protocol import Request
from wengert.execute.tiles.run import Tiling, cut
from wengert.execute.variables import variables_of
from wengert.graph.node import Node
from wengert.ground.context import quietly, state, uncollected
from wengert.ground.errors import InvalidArgumentError, OpError
from wengert.ground.interrupt import breakable, undivided
from wengert.ground.options import options
from wengert.ground.shapes import Shape, is_full, text
from wengert.ground.types import NumPyArray
from wengert.tensor.tensor import Graph, diagnose

__all__ = ["NumPyProgram", "Variant", "failure", "located", "unfed"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_ndarray = np.ndarray
log = logging.getLogger("wengert")
MOST_FAILURES = 3
"""How often tiles may fail where the whole list does not, before they are left alone."""
MOST_VARIANTS = 8
"""Shapes of the feeds for which a list is lowered, before one serves all."""


class Variant(NamedTuple):
    """A list lowered for feeds of certain shapes."""

    lowered: Lowered
    outputs: list[Any]
    plan: Plan
    feeds: list[Any]
    """The shape and the dtype of each feed, as far as they are known."""


class NumPyProgram:
    """The part of a graph that some fetches and controls need, lowered and planned for given feeds.

    Calling it with the feeds' arrays returns the fetches' arrays, which are the caller's. The list is lowered anew for
    the shapes of the feeds that it meets, up to `MOST_VARIANTS` of them: what is known of shapes decides which rewrites are
    proved right.
    """

    def __init__(self, graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = ()) -> None:
        """Take the request; it is lowered when it is first run."""
        self.request = Request(graph, list(fetches), list(feeds), list(controls))
        self.open = tuple([k for k, t in enumerate(feeds) if not is_full(t.sizes)])
        self.variants: dict[Any, Variant] = {}
        self.tilings: dict[Hashable, Tiling | None] = {}
        self.assigned: list[Any] | None = None
        """The variables that it may assign to; None before the first run."""

    @property
    def numpy(self) -> NumPyProgram:
        """The program itself."""
        return self

    @property
    def decision(self) -> None:
        """Nothing was to be decided."""
        return None

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run.

        Raises:
            InvalidArgumentError: for a placeholder that is needed and not fed, and for values that do not fit.
        """
        return self.called(self.run, arrays)

    def called(self, run: Callable[..., Any], *arguments: Any) -> list[NumPyArray]:
        """Run this way; what it assigns to is set back if Ctrl-C breaks it off."""
        assigned = self.assigned
        if assigned is None:
            found, n = variables_of(self.request)
            assigned = self.assigned = found[:n]
        if not assigned:
            return quietly(run, *arguments)  # type: ignore[no-any-return]
        return undivided(quietly, run, *arguments, storages=[v.storage for v in assigned])  # type: ignore[no-any-return]

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run; what comes back may be shared."""
        return self.run(arrays, copy=False)

    @breakable
    def variant(self, key: Any = None, arrays: Sequence[Any] = ()) -> Variant:
        """Return the list for the shapes of the feeds that are not fully known; without a key, for all shapes."""
        found = self.variants.get(key)
        if found is None:
            if key is not None and len(self.variants) >= MOST_VARIANTS:
                return self.variant()
            found = self.variants[key] = uncollected(self._made, None if key is None else [a.shape for a in arrays])
        return found

    @breakable
    def _made(self, sizes: Sequence[Shape] | None) -> Variant:
        graph, fetches, feeds, controls = self.request
        lowered, outputs, places, twins = lower(graph, fetches, feeds, controls, sizes)
        return Variant(lowered, outputs, plan(outputs, places, twins, _bind), [(t.sizes, t.nptype) for t in places])

    @property
    def lowered(self) -> Lowered:
        """The list for feeds of any shape."""
        return self.variant().lowered

    @property
    def outputs(self) -> list[Any]:
        """Its fetches."""
        return self.variant().outputs

    @property
    def plan(self) -> Plan:
        """Its plan."""
        return self.variant().plan

    @breakable
    def run(
        self,
        arrays: Sequence[NumPyArray],
        copy: bool = True,
        tiling_of: Callable[[Hashable, Variant], Tiling | None] | None = None,
    ) -> list[NumPyArray]:
        """Walk the steps; ``tiling_of``: how a list is run tile by tile, where it is not as NumPy runs it."""
        key = tuple([arrays[k].shape for k in self.open]) if self.open else None
        found_variant = self.variants.get(key) or self.variant(key, arrays)
        size, feeds, steps, fetches, shared, missing = found_variant.plan
        if missing:
            raise unfed(missing[0])
        tiling = (tiling_of or self.tiling)(key, found_variant) if copy and options.tiles and state.numerics is None else None
        if tiling is not None:
            slots = undivided(tiling.run, arrays, _walk)  # threads are awaited
        else:
            slots = [None] * size
            for i, a in zip(feeds, arrays, strict=True):
                slots[i] = a
            if state.numerics is None:
                _walk(steps, slots)
            else:
                _looked_at(steps, slots, state.numerics)
        found = [slots[i] for i in fetches]
        if not copy:
            return found
        return [np.array(v) if s or not isinstance(v, _ndarray) else v for v, s in zip(found, shared, strict=True)]

    @breakable
    def tiling(self, key: Hashable, variant: Variant) -> Tiling | None:
        """Return how a list is run tile by tile; None if it is not."""
        return self.cut(key, variant, self.tilings, Tiling)

    @breakable
    def cut(self, key: Hashable, variant: Variant, tilings: dict[Hashable, Tiling | None], kind: type[Tiling]) -> Tiling | None:
        """Return a tiling of a kind, which is made once; None for a list that is run whole."""
        if key not in self.variants:
            key = None  # the list for all shapes serves these too
        found = tilings.get(key, _UNKNOWN)
        if found is _UNKNOWN:
            try:
                found = uncollected(partial(cut, kind=kind), variant.plan, variant.feeds)
            except Exception as error:  # of the cutting, not of the user's: the list is run whole
                log.warning("A list is not run in tiles: %s: %s", type(error).__name__, error)
                found = None
            tilings[key] = found
        return None if found is None or len(found.failures) >= MOST_FAILURES else found


_UNKNOWN: Any = object()


@breakable
def _walk(steps: Sequence[Step], slots: list[Any]) -> None:
    """Run steps one after another; ``slots`` holds the values."""
    pool: dict[Any, list[Any]] = {}
    step = None
    try:
        for step in steps:
            kernel, inputs, output, several, dead, freed, ufunc, overwrites, node = step
            values = [slots[i] for i in inputs]
            if ufunc:
                out = _place(slots, values, overwrites, pool, node)
                result = kernel(*values) if out is None else kernel(*values, out=out)
            else:
                result = kernel(*values)
            if not several:
                slots[output] = result if result.__class__ is _ndarray or node.op.stateful else np.asarray(result)
            else:
                for k, one in enumerate(result):
                    slots[output + k] = one if isinstance(one, _ndarray) else np.asarray(one)
            for i in freed:
                a = slots[i]
                if a.__class__ is _ndarray and a.nbytes >= POOLED and a is not slots[output] and a.base is None:
                    pool.setdefault((a.shape, a.dtype), []).append(a)
            for i in dead:
                slots[i] = None
    except OpError as error:
        raise error if " at " in error.message or step is None else located(error, step.node) from None
    except Exception as error:
        assert step is not None
        raise failure(step.node, [slots[i] for i in step.inputs], error) from error


def _looked_at(steps: Sequence[Step], slots: list[Any], look: Callable[..., None]) -> None:
    """Run steps one after another, and have each one's results looked at."""
    for step in steps:
        _walk((step._replace(dead=(), freed=()),), slots)
        count = len(step.node.outputs) if step.several else 1
        try:
            look(step.node.op, slots[step.output : step.output + count], step.node.where)
        except OpError as error:
            raise type(error)(step.node, step.node, error.message) from None
        for i in step.dead:
            slots[i] = None


def _place(slots: list[Any], values: list[Any], overwrites: Sequence[int], pool: Any, node: Node) -> Any:
    """Return an array to write an elementwise result to, or None for a new one."""
    first = values[0]
    if first.__class__ is not _ndarray or first.nbytes < POOLED:
        if len(values) < 2 or values[1].__class__ is not _ndarray or values[1].nbytes < POOLED:
            return None
        first = values[1]
    shape = first.shape
    for v in values:
        if v is not first and v.shape != shape and v.ndim:
            try:
                shape = np.broadcast_shapes(*(u.shape for u in values))
            except ValueError:
                return None
            break
    for i in overwrites:
        a = slots[i]
        if a.__class__ is _ndarray and a.shape == shape and a.flags.c_contiguous and a.flags.writeable:
            return a
    waiting = pool.get((shape, node.outputs[0].nptype))
    return waiting.pop() if waiting else None


def _bind(node: Node) -> Any:
    kernel = node.op.eager
    return partial(kernel, **node.attrs) if node.attrs else kernel


def unfed(node: Node) -> InvalidArgumentError:
    """Return the error of a placeholder that is needed and not fed."""
    sizes = node.attrs["shape"]
    shape = "<unknown>" if sizes is None else "[" + ",".join("?" if s is None else str(s) for s in sizes) + "]"
    dtype = node.outputs[0].dtype.name
    return InvalidArgumentError(
        node, node,
        f"You must feed a value for placeholder tensor '{node.name}' with dtype {dtype} and shape {shape} "
        f"(made at {node.where}).",
    )  # fmt: skip


def located(error: OpError, node: Node) -> OpError:
    """Return an error with the operation and the user's line."""
    return type(error)(node, node, f"{error.message} [{node.type} '{node.name}' at {node.where}]")


def failure(node: Node, values: Sequence[Any], error: Exception) -> Exception:
    """Return a kernel's failure with the operation, the shapes, and the user's line at which it was made."""
    from wengert.tensor.tensor import EagerTensor

    tensors = [EagerTensor(v) if isinstance(v, _ndarray) else EagerTensor(np.asarray(0.0)) for v in values]
    plain = diagnose(node.op, tensors, node.attrs, error)
    if not isinstance(plain, OpError):
        return plain
    shown = ", ".join(text(v.shape) if isinstance(v, _ndarray) else "?" for v in values)
    message = plain.message.partition(" at ")[0]
    return type(plain)(node, node, f"{message} [{node.type} '{node.name}' at {node.where}; inputs of shape {shown}]")
