"""Forward mode: the tangent of an operation's output from those of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.ground.errors import UnimplementedError
from wengert.ops.op import Op

__all__ = ["rule"]


def rule(op: Op) -> Callable[..., Any]:
    """Return ``jvp(xp, tangents, inputs, output, attrs)``: the output's tangent, or a tuple; None where there is none.

    An absent tangent of an input is None; at least one is there.
    """
    if op.jvp is None:
        if op.kind == "constant":
            op.jvp = lambda xp, tangents, inputs, output, attrs: None
        elif op.partials or op.kind == "unstated":
            op.jvp = _of_partials(op)
        elif op.tangent is not None:
            op.jvp = _of_tangent(op)
        elif op.kind == "linear":
            op.jvp = _of_linear(op)
        elif op.kind == "bilinear":
            op.jvp = _of_bilinear(op)
        else:
            raise UnimplementedError(f"{op.name} states no rule for forward mode.")
    return op.jvp


def _of_partials(op: Op) -> Callable[..., Any]:
    def jvp(xp: Any, tangents: Any, inputs: Any, output: Any, attrs: Any) -> Any:
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
    def jvp(xp: Any, tangents: Any, inputs: Any, output: Any, attrs: Any) -> Any:
        live = [t for i, t in enumerate(tangents) if i not in op.constant_inputs and t is not None]
        return op.tangent(xp, tangents, inputs, output, attrs) if live else None  # type: ignore[misc]

    return jvp


def _of_linear(op: Op) -> Callable[..., Any]:
    def jvp(xp: Any, tangents: Any, inputs: Any, output: Any, attrs: Any) -> Any:
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
    def jvp(xp: Any, tangents: Any, inputs: Any, output: Any, attrs: Any) -> Any:
        a, b = tangents
        product = getattr(xp, op.name)
        if a is None:
            return product(inputs[0], b, **attrs)
        first = product(a, inputs[1], **attrs)
        return first if b is None else first + product(inputs[0], b, **attrs)

    return jvp
