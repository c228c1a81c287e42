"""Functions of JAX's whose derivative their author states: `jax.custom_jvp` and `jax.custom_vjp`.

A derivative is the author's, as everywhere in JAX. Where it is that of the function's own lines, which most state only to be
quick or to keep digits, the lines are read, and there is a Taylor series; that it is, is tried once for each structure, at
ordinary and at singular points, to the second order. Functions of JAX's own that have an operation here become it. All others
keep the stated derivative, and what depends on the coordinates through them goes by reverse mode.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from wengert.execute.xla.arrays import arrays
from wengert.functions.program import custom_gradient
from wengert.ops import elementwise
from wengert.ops.op import Op
from wengert.surface.frameworks.jaxpr import (
    MOST_NESTED,
    Aval,
    Equation,
    Line,
    OfLine,
    alone,
    deeper,
    extend,
    flat,
    key_of,
    read_closed,
)
from wengert.surface.frameworks.rules import RULES, direct, rule
from wengert.tensor.tensor import Tensor

__all__ = ["STATED", "enter", "said"]

STATED = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
"""The primitives."""

_verdicts: dict[Hashable, str] = {}
"""What becomes of a function, by its structure: "read", "stated", or the name of an operation."""
_asking: list[Hashable] = []
"""The functions whose stated derivative is being told: one that uses itself is not told twice."""


def body_of(eqn: Equation) -> Any:
    """Return the lines of a function whose derivative is stated."""
    return eqn.params.get("call_jaxpr") or eqn.params["fun_jaxpr"]


def vjp_of(line: Line) -> Any:
    """Return the jaxpr of (inputs..., cotangents...) -> cotangents of the inputs that are real or complex, as JAX says."""
    jax = arrays().jax
    function = alone(line)
    ins, outs = [[v.aval for v in atoms] for atoms in (line.eqn.invars, line.eqn.outvars)]
    live = [k for k, aval in enumerate(ins) if _moves(aval)]

    def pulled(*given: Aval) -> Any:
        def of_live(*xs: Aval) -> Any:
            full = list(given[: len(ins)])
            for k, x in zip(live, xs, strict=True):
                full[k] = x
            return tuple([y for y, aval in zip(function(*full), outs, strict=True) if _moves(aval)])

        return jax.vjp(of_live, *[given[k] for k in live])[1](given[len(ins) :])

    specs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in [*ins, *[o for o in outs if _moves(o)]]]
    return jax.make_jaxpr(pulled)(*specs)


def _moves(aval: Aval) -> bool:
    return np.dtype(aval.dtype).kind in "fc"


def said(line: Line) -> Hashable:
    """Return what a key says of a line beside its parameters: the stated derivative."""
    if line.primitive not in STATED:
        return None
    own = key_of(flat(body_of(line.eqn)))
    if own in _asking or len(_asking) > MOST_NESTED:
        return "again"
    _asking.append(own)
    try:
        return own, key_of(flat(vjp_of(line)), said=said)
    finally:
        _asking.pop()


def enter(line: Line, inputs: Sequence[Any]) -> list[Any]:
    """Append a function whose derivative is stated."""
    key = said(line)
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _verdicts[key] = _verdict(line, key)
    if verdict in OWN:
        return [direct(OWN[verdict])(*inputs)]
    if verdict == "read":
        return read_closed(body_of(line.eqn), inputs, RULES)
    return _stated(line, inputs, key)


def _stated(line: Line, inputs: Sequence[Any], key: Hashable) -> list[Any]:
    outs = [_moves(v.aval) for v in line.eqn.outvars]
    ins = [_moves(v.aval) for v in line.eqn.invars]

    def function(*xs: Tensor) -> Any:
        def pulled(*cotangents: Tensor) -> Any:
            given = [c for c, moves in zip(cotangents, outs, strict=True) if moves]
            with deeper(key):
                found = iter(read_closed(vjp_of(line), [*xs, *given], RULES))
            return [next(found) if moves else None for moves in ins]

        return tuple(read_closed(body_of(line.eqn), xs, RULES)), pulled

    return list(custom_gradient(function)(*inputs))


rule(*STATED)(OfLine(enter))

# --- what a stated derivative is ----------------------------------------------------------------------------------


OWN: dict[str, Op] = {
    "jax.nn.relu": elementwise.RELU, "jax.numpy.logaddexp": elementwise.LOGADDEXP,
    "jax.scipy.special.xlogy": elementwise.XLOGY, "jax.scipy.special.xlog1py": elementwise.XLOG1PY,
}  # fmt: skip
"""JAX's functions that are operations here, with the same derivatives at every point."""

POINTS = (0.0, -0.0, 1.0, -1.0, 20.0, -20.0, 120.0, -120.0, 0.5, 1e-4)
"""Where a stated derivative is compared with that of the lines, beside a few random points."""


def _verdict(line: Line, key: Hashable) -> str:
    jax = arrays().jax
    avals = [atom.aval for atom in line.eqn.invars]
    for name in OWN:
        reference = operator.attrgetter(name.removeprefix("jax."))(jax)
        if sum(partial is not None for partial in OWN[name].partials) != len(avals) or any(
            np.dtype(a.dtype).kind != "f" for a in avals
        ):
            continue
        closed = jax.make_jaxpr(reference)(*[jax.ShapeDtypeStruct(a.shape, a.dtype) for a in avals])
        stated = [other for other in flat(closed).lines if other.primitive in STATED]
        if len(stated) == 1 and said(stated[0]) == key:
            return name
    return "read" if line.primitive == "custom_jvp_call" and _is_own(line) else "stated"


def _is_own(line: Line) -> bool:
    """Whether the stated derivative is that of the lines, at some points, to the second order."""
    jax = arrays().jax
    function, body = alone(line), extend().jaxpr_as_fun(body_of(line.eqn))
    avals = [atom.aval for atom in line.eqn.invars]
    if any(np.dtype(a.dtype).kind != "f" for a in avals):
        return False
    rng = np.random.default_rng(0)

    def second(f: Callable[..., Any], xs: tuple[Any, ...], ts: tuple[Any, ...], us: tuple[Any, ...]) -> Any:
        return jax.jvp(lambda *x: jax.jvp(lambda *y: tuple(f(*y)), x, ts), xs, us)

    def random() -> Any:
        return tuple([(2.0 * rng.normal(size=a.shape)).astype(a.dtype) for a in avals])

    with jax.ensure_compile_time_eval():
        for at in [*POINTS, None, None, None]:
            xs = random() if at is None else tuple([np.full(a.shape, at, a.dtype) for a in avals])
            ts, us = random(), random()
            of_both = [jax.tree.leaves(second(f, xs, ts, us)) for f in (function, body)]
            for found, wanted in zip(*of_both, strict=True):
                p, q = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
                if not np.allclose(p, q, rtol=1e-4, atol=1e-5, equal_nan=True):
                    return False
    return True
