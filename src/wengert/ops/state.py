"""Operations that read and write variables, or act on the world: run once each, in the order of the program.

A variable's handle stands in a list as an array would; its value is the variable's storage, an object with
``read()`` and ``write(array)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ground.errors import InvalidArgumentError
from wengert.ground.types import Array, Attrs, Described, Namespace, NumPyArray
from wengert.ops import rows, signature
from wengert.ops.derivative import Constant, Custom, Linear
from wengert.ops.op import Op
from wengert.ops.signature import ShapeRule, first
from wengert.ops.slopes import Columns

__all__ = ["ASSERT", "ASSIGN", "FED", "HANDLE", "NO_OP", "PASSED", "PRINT", "PY_FUNCTION", "READ", "SNAPSHOT"]

_STORED = "reads a variable, whose storage holds NumPy's arrays"

HANDLE = Op(
    "variable_handle", Constant(), lambda xp, *, variable: variable.storage,
    lambda inputs, attrs: (attrs["variable"].sizes, attrs["variable"].nptype), type="VarHandleOp", label="VarHandleOp",
    stateful=True, rows=None, no_digits="gives a variable, whose storage holds NumPy's arrays",
)
READ = Op(
    "read_variable", Linear(transpose=lambda xp, g, i, inputs, output, attrs: g), lambda xp, handle: handle.read(), first,
    stateful=True, aliases=True, type="ReadVariableOp", label="ReadVariableOp", rows=None, no_digits=_STORED,
)

SNAPSHOT = Op(
    "snapshot", Constant(), lambda xp, handle: handle if handle.array is None else handle.array, first, stateful=True,
    aliases=True, type="ReadVariableOp", label="Snapshot", rows=None, no_digits=_STORED,
)
"""A variable's value for a body that reads it; the variable itself where it has none, so that only a read is an error."""


def _fed_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return inputs[1].sizes, inputs[0].nptype


FED = Op(
    "fed", Linear(transpose=lambda xp, g, i, inputs, output, attrs: g, constant_inputs=(1,)),
    lambda xp, original, value: value.read() if hasattr(value, "read") else value,
    ShapeRule(_fed_infer, lambda inputs: inputs[0].root), type="Fed", aliases=True, rows=rows.kept, columns=Columns.SAME,
    no_digits="is made by the lowering alone",
)
"""A value from elsewhere in the place of one that is computed or read: the derivative passes on as if it were that one."""


def _assign(xp: Namespace, handle: Any, value: Array, *, how: str) -> Any:
    return handle.write(value, how)


ASSIGN = Op(
    "assign", Constant(), _assign, first, stateful=True, writes="first", type="AssignVariableOp", label="Assign", rows=None,
    acts=True, no_digits="changes a variable",
)


def _scatter(xp: Namespace, handle: Any, indices: Array, updates: Any, *, how: str) -> Any:
    x = handle.read()
    if how == "update":
        changed = xp.index_set(x, indices, updates)
    else:
        changed = xp.index_add(x, indices, -updates if how == "sub" else updates)
    return handle.write(changed, "update")


ASSIGN_SCATTER = Op(
    "assign_scatter", Constant(), _scatter, first, writes="first", stateful=True, type="ResourceScatterUpdate",
    label="ScatterUpdate", rows=None, acts=True, no_digits="changes a variable",
)
IS_INITIALIZED = Op(
    "is_initialized", Constant(), lambda xp, handle: xp.asarray(handle.array is not None),
    lambda inputs, attrs: ((), signature.BOOL), stateful=True, type="VarIsInitializedOp", rows=None,
    no_digits="asks a variable",
)
NO_OP = Op(
    "no_op", Constant(), lambda xp, *arrays: (), lambda inputs, attrs: [], outputs=None, stateful=True, type="NoOp", rows=None,
    no_digits="computes nothing",
)


def _print(xp: Namespace, *arrays: Array, write: Any) -> Any:
    write(arrays)
    return ()


PRINT = Op(
    "print", Constant(), _print, lambda inputs, attrs: [], outputs=None, stateful=True, type="PrintV2", rows=None,
    eager_only="XLA does not print", acts=True,
)


def _assert(xp: Namespace, condition: Array, *data: Any, message: str) -> Any:
    if not xp.all(condition):
        shown = " ".join(str(d) for d in data)
        raise InvalidArgumentError(f"assertion failed: {message} {shown}".rstrip())
    return ()


ASSERT = Op(
    "assert", Constant(), _assert, lambda inputs, attrs: [], outputs=None, stateful=True, type="Assert", rows=None, acts=True,
)


def _python_vjp(
    xp: Namespace,
    g: NumPyArray,
    inputs: Sequence[Array | None],
    outputs: Sequence[Any],
    attrs: Attrs,
    wanted: Sequence[int],
) -> Any:
    if attrs["gradient"] is None:
        return [None] * len(wanted)
    node = outputs[0].node
    found = node.graph.opened.get(node)
    if found is not None:
        g, outputs, inputs = g[: found.own], outputs[: found.own], [*inputs, *node.graph.record_of(node)]
    return attrs["gradient"](xp, g, inputs, outputs, wanted)


PY_FUNCTION = Op(
    "py_function", Custom(vjp=_python_vjp), lambda xp, *arrays, call, run, keep, specs, gradient: call(keep, *arrays),
    lambda inputs, attrs: list(attrs["specs"]), outputs=None, writes="any", stateful=True, type="EagerPyFunc",
    label="EagerPyFunc", rows=None, eager_only="it calls Python", acts=True, no_digits="is what the user's function says",
)
"""``call``: the function of arrays, after ``keep``; ``run``: of eager tensors, before it. ``keep``: whether it gives its run
beside the results, an object of which the derivative is taken. ``gradient``: appends the derivative; None if there is none.
``specs``: of what it gives."""


def _passed_vjp(
    xp: Namespace, g: Array, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs, wanted: Sequence[int]
) -> Any:
    n = attrs["results"]
    by_arguments = [i - n for i in wanted if i >= n]
    found = iter(attrs["gradient"](xp, g, inputs[n:], outputs, by_arguments) if by_arguments else ())
    return [next(found) if i >= n else None for i in wanted]


PASSED = Op(
    "passed", Custom(vjp=_passed_vjp), lambda xp, *arrays, results, gradient: tuple(arrays[:results]),
    lambda inputs, attrs: [(t.sizes, t.nptype) for t in inputs[: attrs["results"]]], outputs=None, aliases=True, rows=None,
)
"""A Python function's results, its arguments, and its run: the results pass on, with the function's derivative."""


def _custom_vjp(
    xp: Any,
    g: NumPyArray,
    inputs: Sequence[Array],
    outputs: Sequence[Array | None],
    attrs: Attrs,
    wanted: Sequence[int],
) -> Any:
    results, arguments, body = attrs["results"], attrs["arguments"], attrs["body"]
    if attrs["failure"] is not None:
        raise attrs["failure"]
    gs = [xp.zeros_like(v) if one is None else one for one, v in zip(g, outputs, strict=True)]
    found = iter(body.open(xp, [*gs, *inputs[results + arguments :]]))
    by_argument = [next(found) if there else None for there in attrs["there"]]
    return [by_argument[i - results] if results <= i < results + arguments else None for i in wanted]


CUSTOM = Op(
    "custom_gradient", Custom(vjp=_custom_vjp),
    lambda xp, *arrays, results, arguments, body, there, failure: tuple(arrays[:results]),
    lambda inputs, attrs: [(t.sizes, t.nptype) for t in inputs[: attrs["results"]]], outputs=None, type="IdentityN",
    aliases=True, rows=None,
)
"""In a graph: inputs are results, arguments, and what the user's derivative uses beside; the results pass on."""
