"""What is checked: a copy of the part of a graph that some outputs need, with the values of all that it reads.

The copy has a placeholder for whatever comes from outside (feeds, captures, variables), and what does not change with the
inputs by intent (what stands behind `stop_gradient`, random numbers, results of Python functions) is held at its value. Its
lowered lists are walked here with any array namespace: NumPy's, or that of mpmath's numbers.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.derive.lower import lower
from wengert.derive.lowered import needed
from wengert.execute.plan import plan
from wengert.graph.node import Node
from wengert.ground.context import quietly
from wengert.ground.options import Options, options
from wengert.ground.shapes import is_full
from wengert.modes.tracing import Body, FuncGraph, tracing
from wengert.ops.linear import PLACEHOLDER, STOP_GRADIENT
from wengert.ops.op import Op
from wengert.ops.state import ASSERT, ASSIGN, ASSIGN_SCATTER, CUSTOM, HANDLE, NO_OP, PRINT, PY_FUNCTION, READ, SNAPSHOT
from wengert.tensor.tensor import SymbolicTensor, append

__all__ = ["Listing", "Question", "Unanswerable", "inside", "is_held", "passed", "rewrites", "with_numpy", "wrapped"]


class Unanswerable(Exception):
    """A question cannot be put; the message says why."""


def rewrites(on: bool) -> dict[str, bool]:
    """Return the switches of all rewrites, as options."""
    return dict.fromkeys(Options.REWRITES, on)


def is_held(op: Op) -> bool:
    """Whether what an operation gives does not change with its inputs, by intent."""
    return op.draws or op in (STOP_GRADIENT, PY_FUNCTION)


def passed(nodes: Sequence[Node]) -> set[Node]:
    """Return the nodes of ``stop_gradient`` that hold nothing: within a function with a custom gradient.

    How such a function is differentiated is what the user says, so it is known by its values, and they move.
    """
    found: set[Node] = set()
    for node in nodes:
        if node.op is CUSTOM:
            results, arguments = node.attrs["results"], node.attrs["arguments"]
            cut = dict.fromkeys([t.n for t in node.inputs[results : results + arguments]])
            inside = _up_to(node.inputs[:results], cut)
            found.update(n for n in inside if n.op is STOP_GRADIENT)
    return found


class Question:
    """Outputs ys and inputs xs of a graph of its own, and the point at which their derivatives are asked for."""

    def __init__(self) -> None:
        """Make an empty graph."""
        self.graph = FuncGraph(None, "check")
        self.ys: list[Any] = []
        self.xs: list[Any] = []
        self.names: list[str] = []
        self.feeds: list[Any] = []
        self.arrays: list[Any] = []
        self._listings: dict[Any, Listing] = {}

    def place(self, array: Any) -> Any:
        """Return a placeholder that holds an array."""
        array = np.asarray(array)
        t = self.graph.placeholder(array.shape, array.dtype, "value")
        self.feeds.append(t)
        self.arrays.append(array)
        return t

    def leaf(self, symbol: Any, array: Any) -> tuple[Any, Any]:
        """Return what stands for a value that is differentiated by: a placeholder that holds it, and the value.

        The value moves with the placeholder, and with what the tensor ``symbol``, by which it was computed, depends on.
        """
        leaf = self.place(array)
        return leaf, leaf if symbol.node.op is PLACEHOLDER else self.beside(leaf, symbol, array)

    def beside(self, value: Any, moving: Any, base: Any) -> Any:
        """Return a value (an array or a tensor), moved by as much as a tensor is moved from what it holds."""
        with tracing(self.graph):
            start = self.place(value) if isinstance(value, np.ndarray) else value
            return start + (moving - self.place(base))

    def copy(
        self, ys: Sequence[Any], xs: Sequence[Any], value: Callable[[Node], Any], cut: Mapping[int, Any] | None = None
    ) -> None:
        """Copy what ys need.

        Args:
            ys: The outputs.
            xs: The inputs: placeholders or values on the way; a variable's handle stands for it.
            value: Gives the array of a placeholder's or of a handle's node.
            cut: What tensors hold that no derivative passes through.
        """
        mapped: dict[int, Any] = {}
        stopped = dict(cut or {})
        moved = {x.n for x in xs}
        held: list[tuple[Any, Any]] = []
        nodes = _up_to([*ys, *xs], stopped)
        moving = passed(nodes)
        with tracing(self.graph):
            for node in nodes:
                op = node.op
                if node.outputs and all(t.n in stopped for t in node.outputs):
                    mapped.update((t.n, self.place(stopped[t.n])) for t in node.outputs)
                    continue
                if op in (PLACEHOLDER, HANDLE):
                    array = value(node)
                    if array is None:
                        raise Unanswerable(f"{node.name} has no value ({node.where})")
                    mapped[node.outputs[0].n] = self.place(array)
                    continue
                inputs = [mapped[t.n] for t in node.inputs]
                if any(t.n in moved for t in node.inputs):
                    if op is PY_FUNCTION:
                        raise Unanswerable(f"a Python function is on the way, which takes doubles only ({node.where})")
                    moved.update(t.n for t in node.outputs)
                if op in (READ, SNAPSHOT):
                    mapped[node.outputs[0].n] = inputs[0]
                    continue
                if op in (ASSIGN, ASSIGN_SCATTER, PRINT, ASSERT, NO_OP):
                    raise Unanswerable(f"{op.name} acts on the world ({node.where})")
                result = append(self.graph, op, inputs, node.attrs)
                several = list(result) if op.outputs != 1 else [result]
                if several:
                    several[0].node.site = node.site
                for t, r in zip(node.outputs, several, strict=True):
                    mapped[t.n] = self.place(stopped[t.n]) if t.n in stopped else r
                    if is_held(op) and node not in moving:
                        held.append((r, None))
        self.ys, self.xs = [mapped[y.n] for y in ys], [mapped[x.n] for x in xs]
        self.hold(held)

    def hold(self, held: Sequence[tuple[Any, Any]]) -> None:
        """Feed values on the way, and xs, with what they hold: the arrays given, or what is computed at the point."""
        held = [*held, *((x, None) for x in self.xs)]
        fixed = {t.n for t in self.feeds}
        missing: dict[int, Any] = {}
        for t, array in held:
            if t.n in fixed or t.n in missing:
                continue
            if array is None:
                missing[t.n] = t
            else:
                fixed.add(t.n)
                self.feeds.append(t)
                self.arrays.append(np.array(array))
        if missing:
            found = Listing(self, list(missing.values()), False).run(self.arrays)
            self.feeds += missing.values()
            self.arrays += found

    def at(self, x: Any) -> int:
        """Return the position of an input among the feeds."""
        return next(k for k, t in enumerate(self.feeds) if t.n == x.n)

    def listing(self, fetches: Sequence[Any], on: bool) -> Listing:
        """Return the lowered list of some tensors of the copy, with the rewrites or without."""
        key = (tuple(t.n for t in fetches), on)
        if key not in self._listings:
            self._listings[key] = Listing(self, fetches, on)
        return self._listings[key]

    def values(self, fetches: Sequence[Any]) -> list[Any]:
        """Return what tensors of the copy hold at the point, in their own arithmetic."""
        return self.listing(fetches, False).run(self.arrays)

    def narrowest(self, fetches: Sequence[Any]) -> np.dtype[Any]:
        """Return the narrowest type in which something is computed for some tensors, and they have the digits of which."""
        nodes = [step.node for step in self.listing(fetches, False).plan.steps]
        found = [t.nptype for t in (*self.xs, *fetches, *(t for n in nodes if n.inputs for t in n.outputs))]
        return max((d for d in found if d.kind in "fc"), key=lambda d: np.finfo(d).eps)

    def size(self) -> int:
        """Return how many numbers the list of ys computes."""
        return self.listing(self.ys, False).size()


def _up_to(fetches: Iterable[Any], cut: Mapping[int, Any]) -> list[Node]:
    """Return the nodes that tensors depend on, and nothing above those that are cut off."""
    seen: set[Node] = set()
    pending = [t.node for t in fetches]
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            if not node.outputs or any(t.n not in cut for t in node.outputs):
                pending.extend([t.node for t in node.inputs])
    return sorted(seen, key=lambda node: node.index)


def inside(nodes: Sequence[Node], deep: bool = False) -> Iterator[Node]:
    """Return the nodes of bodies."""
    for node in nodes:
        if deep:
            yield node
        for body in (v for v in node.attrs.values() if isinstance(v, Body)):
            yield from inside(needed(body.outputs, body.graph.effects), True)


class Listing:
    """A lowered list of a question, and its walk."""

    def __init__(self, question: Question, fetches: Sequence[Any], on: bool) -> None:
        """Lower for the shapes of the values."""
        with options.set(**rewrites(on)):
            self.lowered, self.outputs, self.places, _ = lower(
                question.graph, fetches, question.feeds, (), [np.shape(a) for a in question.arrays]
            )
        self.plan = plan(self.outputs, self.places, [], lambda node: node.op)
        if self.plan.unfed:
            raise Unanswerable(f"{self.plan.unfed[0].name} has no value")

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        """Walk with NumPy."""
        return quietly(self.walk, arrays, with_numpy)  # type: ignore[no-any-return]

    def walk(self, arrays: Sequence[Any], run: Callable[[Node, list[Any]], Any], slots: list[Any] | None = None) -> list[Any]:
        """Walk the list; ``run`` computes a node from its inputs. ``slots``, of the plan's size, keeps all values."""
        kept = slots is not None
        slots = [None] * self.plan.size if slots is None else slots
        for k, array in zip(self.plan.feeds, arrays, strict=True):
            slots[k] = array
        for step in self.plan.steps:
            found = run(step.node, [slots[k] for k in step.inputs])
            if step.several:
                for k, one in enumerate(found):
                    slots[step.output + k] = one
            else:
                slots[step.output] = found
            for k in () if kept else step.dead:
                slots[k] = None
        return [slots[k] for k in self.plan.fetches]

    def size(self) -> int:
        """Return how many numbers it computes, those in bodies not counted."""
        outputs = [t for step in self.plan.steps for t in step.node.outputs]
        return sum(math.prod(t.sizes) for t in outputs if is_full(t.sizes))

    def slot(self, t: SymbolicTensor) -> int | None:
        """Return the slot of a tensor of the lowered list."""
        for step in self.plan.steps:
            if step.node is t.node:
                return step.output + t.index
        return None


def with_numpy(node: Node, arrays: list[Any]) -> Any:
    """Compute a node with NumPy."""
    if node.op in (READ, SNAPSHOT):
        return arrays[0]
    found = node.op.eager(*arrays, **wrapped(node.attrs, with_numpy))
    return found if node.op.outputs != 1 else np.asarray(found)


def wrapped(attrs: dict[str, Any], run: Callable[[Node, list[Any]], Any]) -> dict[str, Any]:
    """Return attributes in which the bodies of choices and loops are walked in the manner of the list around them."""
    if not any(isinstance(v, Body) for v in attrs.values()):
        return attrs
    return {name: _Walked(v, run) if isinstance(v, Body) else v for name, v in attrs.items()}


class _Walked:
    """A body that is walked."""

    def __init__(self, body: Body, run: Callable[[Node, list[Any]], Any]) -> None:
        self.body, self.run, self.specs, self.program, self.compiled = body, run, body.specs, self, self

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        """Walk, called as a body (with a namespace first) or as its program (without)."""
        arrays = arguments[len(arguments) - len(self.body.places) :]
        walked = _plan_of(self.body)
        slots: list[Any] = [None] * walked.size
        for k, array in zip(walked.feeds, arrays, strict=True):
            slots[k] = array
        for step in walked.steps:
            found = self.run(step.node, [slots[k] for k in step.inputs])
            if step.several:
                for k, one in enumerate(found):
                    slots[step.output + k] = one
            else:
                slots[step.output] = found
        return tuple(slots[k] for k in walked.fetches)


_plans: weakref.WeakKeyDictionary[Body, Any] = weakref.WeakKeyDictionary()


def _plan_of(body: Body) -> Any:
    """Return the plan of a body's list, without rewrites."""
    if body not in _plans:
        with options.set(**rewrites(False)):
            _, outputs, places, _ = lower(body.graph, body.outputs, body.places, ())
        _plans[body] = plan(outputs, places, [], lambda node: node.op)
    return _plans[body]
