"""Reverse mode: one rule for each kind of operation, and the sweep."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from wengert.ground.context import Site
from wengert.ground.errors import InvalidArgumentError, NoGradientError, UnimplementedError
from wengert.ground.types import Array, Attrs, Namespace
from wengert.ops.control import led_to
from wengert.ops.linear import TAKE
from wengert.ops.op import Op, table
from wengert.ops.state import READ
from wengert.tensor.tensor import Tensor

__all__ = ["forget", "located", "reach_of", "rule", "sweep"]

Entry = tuple[Op, Sequence[Any], Any, dict[str, Any]]
"""(operation, inputs, output or tuple of outputs, attributes); inputs and outputs have a number ``n``."""


OF_ONE: tuple[tuple[int, ...], ...] = ((), (0,))
OF_TWO: tuple[tuple[tuple[int, ...], ...], ...] = (((), (1,)), ((0,), (0, 1)))
"""The positions wanted, by whether the first is, and the second."""
_derived: dict[Op, Callable[..., Any]] = {}
"""By operation: the rule that follows from its statement."""


def rule(op: Op) -> Callable[..., Any]:
    """Return ``vjp(xp, g, inputs, output, attrs, wanted)``: the cotangents of the inputs at the positions wanted.

    One that is not there is None. It is the operation's own, or is derived once from what that states.
    """
    found = op.vjp or _derived.get(op)
    if found is None:
        found = _of_statement(op)
        if table.get(op.name) is op:  # one that is not in the table lives as long as its call
            _derived[op] = found
    return found


def forget() -> None:
    """Forget the rules that follow from statements: one has been changed."""
    _derived.clear()


def _of_statement(op: Op) -> Callable[..., Any]:
    if op.kind == "constant":
        return _nothing
    if len(op.partials) == 1 and op.partials[0] is not None:
        return _of_one_partial(op.partials[0])
    if op.partials or op.kind == "unstated":
        return _of_partials(op)
    if op.transpose is not None:
        return _of_transpose(op.transpose, op.constant_inputs)
    raise UnimplementedError(f"{op.name} states no derivative.")


def _nothing(xp: Namespace, g: Array, inputs: Sequence[Array], output: Array, attrs: Attrs, wanted: Sequence[int]) -> Any:
    return [None] * len(wanted)


def _of_one_partial(partial: Any) -> Callable[..., Any]:
    def vjp(xp: Namespace, g: Array, inputs: Sequence[Array], output: Array, attrs: Attrs, wanted: Sequence[int]) -> Any:
        return [g * xp.dual(partial(xp, inputs[0], output, **attrs))]

    return vjp


def _of_partials(op: Op) -> Callable[..., Any]:
    partials = op.partials

    def vjp(xp: Any, g: Tensor, inputs: Sequence[Array | None], output: Tensor, attrs: dict[str, Any], wanted: Any) -> Any:
        for i in wanted:
            if not op.states(i):
                raise op.unstated(i)
        return [xp.fit(g * xp.dual(partials[i](xp, *inputs, output, **attrs)), inputs[i]) for i in wanted]

    return vjp


def _of_transpose(transpose: Any, constants: Any) -> Callable[..., Any]:
    if not constants:

        def vjp(xp: Namespace, g: Array, inputs: Sequence[Array], output: Array, attrs: Attrs, wanted: Sequence[int]) -> Any:
            if len(wanted) == 1:
                return [transpose(xp, g, wanted[0], inputs, output, attrs)]
            return [transpose(xp, g, i, inputs, output, attrs) for i in wanted]

    else:

        def vjp(xp: Namespace, g: Array, inputs: Sequence[Array], output: Array, attrs: Attrs, wanted: Sequence[int]) -> Any:
            return [None if i in constants else transpose(xp, g, i, inputs, output, attrs) for i in wanted]

    return vjp


class Slices:
    """A cotangent that is zero but for some rows of the first axis: what a gather hands back."""

    __slots__ = ("indices", "like", "values")

    def __init__(self, values: Any, indices: Any, like: Any) -> None:
        """Take the rows, where they go (repeats add up), and the gathered input."""
        self.values, self.indices, self.like = values, indices, like

    def dense(self, xp: Namespace) -> Any:
        """Return the whole cotangent."""
        return xp.take_transpose(self.values, self.like, self.indices, axis=0, batch_dims=0)

    def joined(self, xp: Namespace, other: Slices) -> Slices:
        """Return the rows of both."""
        rest = tuple(self.like.shape)[1:]
        parts = [(xp.reshape(s.values, shape=(-1, *rest)), xp.reshape(s.indices, shape=(-1,))) for s in (self, other)]
        (a, i), (b, j) = parts
        kind = "int64" if "int64" in (i.dtype.name, j.dtype.name) else i.dtype.name
        i, j = xp.cast(i, dtype=kind), xp.cast(j, dtype=kind)
        return Slices(xp.concat(a, b, axis=0), xp.concat(i, j, axis=0), self.like)


def reach_of(entries: Sequence[Entry], sources: set[int]) -> set[int]:
    """Return the numbers of all values that depend on the sources, through the entries in order."""
    reach = set(sources)
    for op, inputs, output, attrs in entries:
        for t in inputs:
            if t.n in reach:
                if op.outputs == 1:
                    reach.add(output.n)
                else:
                    reach.update([o.n for o in led_to(op, inputs, output, attrs, reach)])
                break
    return reach


def sweep(
    xp: Namespace,
    entries: Sequence[Entry],
    cotangents: dict[int, Any],
    reach: Container[int],
    sources: Container[int],
    raw: bool,
    sparse: Container[int] = (),
    blocked: Container[int] = (),
) -> dict[int, Any]:
    """Carry cotangents back through the entries; return those of the sources, by number.

    ``raw``: compute on the arrays of eager tensors, unseen by anyone, rather than on tensors. ``sparse``: the values
    whose cotangent may be `Slices`. ``blocked``: outputs, of operations with several, that pass nothing on.
    """
    output: Any = None
    try:
        for op, inputs, output, attrs in reversed(entries):
            if op.outputs == 1:
                g = cotangents.get(output.n) if output.n in sources else cotangents.pop(output.n, None)
            else:
                g = _several(output, cotangents, sources, blocked)
            if g is None:
                continue
            if len(inputs) == 1:  # a comprehension is a call of a function
                wanted: Sequence[int] = OF_ONE[inputs[0].n in reach]
            elif len(inputs) == 2:
                wanted = OF_TWO[inputs[0].n in reach][inputs[1].n in reach]
            else:
                wanted = [i for i, t in enumerate(inputs) if t.n in reach]
            if not wanted:
                continue
            found = _rows_alone(op, g, inputs, attrs, raw, sparse) if sparse and op is TAKE else None
            if found is None:
                if g.__class__ is Slices and op is not READ:
                    g = g.dense(xp)
                vjp = op.vjp or _derived.get(op) or rule(op)
                if raw:
                    found = vjp(xp, g, _arrays(inputs), output.array if op.outputs == 1 else _arrays(output), attrs, wanted)
                else:
                    found = vjp(xp, g, inputs, output, attrs, wanted)
            for k, r in enumerate(found):
                if r is not None:
                    n = inputs[wanted[k]].n
                    old = cotangents.get(n)
                    cotangents[n] = r if old is None else _plus(xp, old, r)
    except NoGradientError as error:
        raise located(error, output) from None
    except np.linalg.LinAlgError as error:
        text = f"the derivative of {op.type}: Input is not invertible or the decomposition was not successful: {error}."
        raise InvalidArgumentError(f"{text}{_at(output)}") from error
    return cotangents


def _several(output: Sequence[Any], cotangents: dict[int, Any], sources: Container[int], blocked: Container[int]) -> Any:
    """Return the cotangents of an operation with several outputs; None where there is none."""
    g = tuple([cotangents.get(o.n) if o.n in sources else cotangents.pop(o.n, None) for o in output])
    if blocked:
        g = tuple([None if o.n in blocked else one for o, one in zip(output, g, strict=True)])
    return None if all(one is None for one in g) else g


def _arrays(tensors: Sequence[Any]) -> Any:
    if len(tensors) == 1:
        return (tensors[0].array,)
    if len(tensors) == 2:
        return tensors[0].array, tensors[1].array
    return [t.array for t in tensors]


def _rows_alone(op: Op, g: Any, inputs: Sequence[Any], attrs: Attrs, raw: bool, sparse: Container[int]) -> list[Slices] | None:
    """Return what a gather of rows hands back, where that may be the rows."""
    if inputs[0].n not in sparse or attrs != {"axis": 0, "batch_dims": 0}:
        return None
    x, at = _arrays(inputs) if raw else inputs
    return [Slices(g, at, x)]


def _plus(xp: Namespace, old: Any, new: Any) -> Any:
    """Add two cotangents, either of which may be the rows of a gather."""
    if old.__class__ is Slices and new.__class__ is Slices:
        return old.joined(xp, new)
    old = old.dense(xp) if old.__class__ is Slices else old
    return old + (new.dense(xp) if new.__class__ is Slices else new)


def located(error: NoGradientError, output: Tensor) -> NoGradientError:
    """Return the error with the line of the operation that gave an output, unless it names one."""
    return error if ": at " in error.message else NoGradientError(f"{error.message}:{_at(output)}.")


def _at(output: Tensor) -> str:
    """Return " at " and the line of the operation that gave an output, where it is known."""
    one = output if hasattr(output, "n") else output[0]
    node, made = getattr(one, "node", None), getattr(one, "made", None)
    if node is not None:
        return f" at {node.where}"
    return f" at {Site(*made[2])}" if made is not None and made[2] is not None else ""
