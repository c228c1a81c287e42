"""Forward mode: the tangent of an operation's output from those of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.ground.errors import UnimplementedError
from wengert.ground.types import Array, Attrs, Namespace
from wengert.ops.op import Op, table

__all__ = ["forget", "rule"]


_derived: dict[Op, Callable[..., Any]] = {}
"""By operation: the rule that follows from its statement."""


def rule(op: Op) -> Callable[..., Any]:
    """Return ``jvp(xp, tangents, inputs, output, attrs)``: the output's tangent, or a tuple; None where there is none.

    An absent tangent of an input is None; at least one is there. It is the operation's own, or is derived once from what
    that states.
    """
    found = op.jvp or _derived.get(op)
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
        return lambda xp, tangents, inputs, output, attrs: None
    if op.partials or op.kind == "unstated":
        return _of_partials(op)
    if op.tangent is not None:
        return _of_tangent(op)
    if op.kind == "linear":
        return _of_linear(op)
    if op.kind == "bilinear":
        return _of_bilinear(op)
    raise UnimplementedError(f"{op.name} states no rule for forward mode.")


def _of_partials(op: Op) -> Callable[..., Any]:
    def jvp(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
        total = None
        for i, t in enumerate(tangents):
            if t is not None:
                if not op.states(i):
                    raise op.unstated(i)
                partial: Any = op.partials[i]
                term = t * partial(xp, *inputs, output, **attrs)
                if term.dtype.kind == "c" and output.dtype.kind != "c":
                    term = xp.real(term)
                total = term if total is None else total + term
        return total

    return jvp


def _of_tangent(op: Op) -> Callable[..., Any]:
    def jvp(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
        live = [t for i, t in enumerate(tangents) if i not in op.constant_inputs and t is not None]
        return op.tangent(xp, tangents, inputs, output, attrs) if live else None  # type: ignore[misc]

    return jvp


def _of_linear(op: Op) -> Callable[..., Any]:
    def jvp(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
        live = [
            i for i, t in enumerate(tangents) if t is not None and i not in op.constant_inputs and inputs[i].dtype.kind in "fc"
        ]
        if not live or (op.outputs == 1 and output.dtype.kind not in "fc"):  # a cast from or to an integer
            return None
        moved = [
            inputs[i] if i in op.constant_inputs else (xp.zeros_like(inputs[i]) if t is None else t)
            for i, t in enumerate(tangents)
        ]
        return getattr(xp, op.name)(*moved, **attrs)

    return jvp


def _of_bilinear(op: Op) -> Callable[..., Any]:
    def jvp(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
        a, b = tangents
        product = getattr(xp, op.name)
        if a is None:
            return product(inputs[0], b, **attrs)
        first = product(a, inputs[1], **attrs)
        return first if b is None else first + product(inputs[0], b, **attrs)

    return jvp
