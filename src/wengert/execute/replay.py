"""Running a lowered list step by step through the door, so that tapes and accumulators see each operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.execute.numpy import NumPyProgram
from wengert.ground.context import state
from wengert.ground.types import Attrs
from wengert.ops import linear
from wengert.ops.control import COND, LINKED, LOOP, Body, Loop, branches
from wengert.ops.linear import CONSTANT
from wengert.ops.state import ASSIGN, CUSTOM, FED, HANDLE, PY_FUNCTION, READ, SNAPSHOT
from wengert.tensor.tensor import EagerTensor, apply

__all__ = ["replay"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def replay(program: NumPyProgram, values: Sequence[Any]) -> list[Any]:
    """Run a program on eager tensors (and variables, where its inputs are handles); return eager tensors.

    The operations are attributed to the lines at which the graph was made.
    """
    _, feeds, steps, fetches, _, unfed = program.plan
    if unfed:
        raise AssertionError(f"{unfed[0].name} is not fed")
    slots: dict[int, Any] = dict(zip(feeds, values, strict=True))
    site = state.site
    try:
        for step in steps:
            node, op = step.node, step.node.op
            state.site = node.site
            inputs = [slots[i] for i in step.inputs]
            if op is HANDLE:
                result: Any = node.attrs["variable"]
            elif op is READ:
                result = inputs[0]._as_tensor()
            elif op is SNAPSHOT:
                # A variable without a value is handed on: it is an error where it is read.
                result = inputs[0]._as_tensor() if inputs[0].storage.held is not None else inputs[0]
            elif op is FED:
                result = _fed(*inputs)
            elif op is ASSIGN:
                result = inputs[0]._assign(inputs[1], node.attrs["how"], True, None)._as_tensor()
            elif op is COND:
                result = _choice(inputs, node.attrs)
            elif op is LOOP:
                result = _loop(inputs, node.attrs)
            elif op is PY_FUNCTION and node.attrs["gradient"] is not None:
                result = node.attrs["run"](inputs, node.attrs["keep"])
            elif op is CUSTOM:
                result = apply(op, inputs, _custom(inputs, node.attrs))
            elif op is CONSTANT:
                result = EagerTensor(node.attrs["value"])
            else:
                result = apply(op, inputs, node.attrs)
            for k, one in enumerate(result if step.several else (result,)):
                slots[step.output + k] = one
            for i in step.dead:
                slots.pop(i, None)
    finally:
        state.site = site
    return [slots[i] for i in fetches]


def _fed(original: Any, value: Any) -> Any:
    """Return a value that stands for a variable, or for its reading, such that the derivative passes on to that."""
    if value.__class__ is not EagerTensor:  # a variable that had no value when the operation began
        return value._as_tensor()
    read = original if original.__class__ is EagerTensor else original._as_tensor()
    return read if read.array is value.array else apply(FED, (read, value))


def _custom(inputs: Sequence[Any], attrs: Attrs) -> dict[str, Any]:
    """Return the attributes of a custom derivative that knows the variables among what it uses: a sweep gives it arrays."""
    first = attrs["arguments"]  # the body takes cotangents, one for each result, in the place of results and arguments
    storages = {k - first: t.storage for k, t in enumerate(inputs) if k >= attrs["results"] + first and hasattr(t, "storage")}
    return dict(attrs) | {"body": attrs["body"].holding(storages)} if storages else dict(attrs)


def _choice(inputs: Sequence[Any], attrs: Attrs) -> list[Any]:
    taken, other = branches(attrs, inputs[0].array)
    return _linked(replay(taken.program, inputs[1:]), other, inputs[1:])


def _loop(inputs: Sequence[Any], attrs: Attrs) -> list[Any]:
    loop = Loop(**attrs)
    carry, rows = loop.run(inputs, lambda body, values: replay(body.program, values))
    if rows:
        return [*carry, *[apply(linear.STACK, column, {"axis": 0}) for column in zip(*rows, strict=True)]]
    empty = [EagerTensor(np.zeros((0, *sizes), nptype)) for sizes, nptype in loop.row_specs(t.sizes for t in inputs)]
    _, over, held = loop.parts(inputs)
    return [*_linked(list(carry), loop.body, [*carry, *([None] * len(over)), *held]), *empty]


def _linked(results: list[Any], other: Body, inputs: Sequence[Any]) -> list[Any]:
    """Return the results, as depending on what only the branch, or the turn, that did not run connects them with.

    Where a branch or a number of turns depends on values, a derivative by that is zero, not None.
    """
    if not state.observers:
        return results
    found = []
    for result, at in zip(results, other.touched, strict=False):
        sources = [inputs[i] for i in at if inputs[i] is not None]
        sources = [s._as_tensor() if hasattr(s, "handle_in") else s for s in sources]
        found.append(apply(LINKED, (result, *sources)) if sources else result)
    return found
