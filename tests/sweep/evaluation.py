"""Functions of JAX, evaluated by NumPy.

JAX differentiates, which takes Python alone; compiling each primitive for each shape would take a thousand times as long as running
it once. So a function is traced to a jaxpr, and NumPy and SciPy evaluate that. What is not in the table is run by JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import scipy.special as sp
from jax.extend import core

__all__ = ["Traced", "evaluated"]

PRIMITIVES: dict[str, Callable[..., Any]] = {
    "abs": np.abs, "acos": np.arccos, "acosh": np.arccosh, "add": np.add, "add_any": np.add, "and": np.logical_and,
    "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan, "atan2": np.arctan2, "atanh": np.arctanh,
    "bessel_i0e": sp.i0e, "bessel_i1e": sp.i1e, "ceil": np.ceil, "copy": np.copy, "cos": np.cos, "cosh": np.cosh,
    "digamma": sp.psi, "div": np.divide, "eq": np.equal, "erf": sp.erf, "erfc": sp.erfc, "erf_inv": sp.erfinv, "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "floor": np.floor, "ge": np.greater_equal, "gt": np.greater, "igamma": sp.gammainc,
    "igammac": sp.gammaincc, "is_finite": np.isfinite, "le": np.less_equal, "lgamma": sp.gammaln, "log": np.log,
    "log1p": np.log1p, "lt": np.less, "max": np.maximum, "min": np.minimum, "mul": np.multiply, "ne": np.not_equal,
    "neg": np.negative, "not": np.logical_not, "or": np.logical_or, "pow": np.power, "regularized_incomplete_beta": sp.betainc,
    "rem": np.fmod, "sign": np.sign, "sin": np.sin, "sinh": np.sinh, "sqrt": np.sqrt, "stop_gradient": np.asarray,
    "sub": np.subtract, "tan": np.tan, "tanh": np.tanh, "zeta": sp.zeta,
}  # fmt: skip
PRIMITIVES |= {
    "cbrt": np.cbrt, "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high), "logistic": sp.expit,
    "polygamma": lambda n, x: sp.polygamma(n.astype(int), x), "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "select_n": lambda which, *cases: np.choose(which.astype(int), cases), "square": np.square,
}  # fmt: skip
PLAIN = frozenset(PRIMITIVES)
"""Those without parameters that matter."""


def enter(*names: str) -> Callable[[Any], Any]:
    """Enter a function, of operands and parameters, as a primitive."""

    def take(f: Any) -> Any:
        PRIMITIVES.update(dict.fromkeys(names, f))
        return f

    return take


@enter("integer_pow")
def _integer_pow(x: Any, y: int) -> Any:
    return x**y if y >= 0 else 1.0 / x**-y


@enter("round")
def _round(x: Any, rounding_method: Any) -> Any:
    return np.round(x) if int(rounding_method) else np.sign(x) * np.floor(np.abs(x) + 0.5)


@enter("convert_element_type")
def _convert(x: Any, new_dtype: Any, **_: Any) -> Any:
    return np.asarray(x).astype(new_dtype)


@enter("broadcast_in_dim")
def _broadcast_in_dim(x: Any, shape: Any, broadcast_dimensions: Any, **_: Any) -> Any:
    placed = [1] * len(shape)
    for k, d in enumerate(broadcast_dimensions):
        placed[d] = x.shape[k]
    return np.broadcast_to(np.reshape(x, placed), shape)


@enter("reshape")
def _reshape(x: Any, new_sizes: Any, dimensions: Any, **_: Any) -> Any:
    return np.reshape(x if dimensions is None else np.transpose(x, dimensions), new_sizes)


@enter("squeeze")
def _squeeze(x: Any, dimensions: Any) -> Any:
    return np.squeeze(x, tuple(dimensions))


@enter("expand_dims")
def _expand_dims(x: Any, dimensions: Any) -> Any:
    return np.expand_dims(x, tuple(dimensions))


@enter("transpose")
def _transpose(x: Any, permutation: Any) -> Any:
    return np.transpose(x, permutation)


@enter("rev")
def _rev(x: Any, dimensions: Any) -> Any:
    return np.flip(x, tuple(dimensions))


@enter("slice")
def _slice(x: Any, start_indices: Any, limit_indices: Any, strides: Any) -> Any:
    strides = strides or [1] * x.ndim
    return x[tuple(slice(a, b, c) for a, b, c in zip(start_indices, limit_indices, strides, strict=True))]


@enter("concatenate")
def _concatenate(*xs: Any, dimension: int) -> Any:
    return np.concatenate(xs, dimension)


@enter("split")
def _split(x: Any, sizes: Any, axis: int) -> Any:
    return np.split(x, np.cumsum(sizes)[:-1], axis)


@enter("iota")
def _iota(*_: Any, dtype: Any, shape: Any, dimension: int, **__: Any) -> Any:
    placed = [1] * len(shape)
    placed[dimension] = shape[dimension]
    return np.broadcast_to(np.arange(shape[dimension]).reshape(placed), shape).astype(dtype)


@enter("pad")
def _pad(x: Any, value: Any, padding_config: Any) -> Any:
    shape = [a + b + n + max(n - 1, 0) * c for n, (a, b, c) in zip(x.shape, padding_config, strict=True)]
    grown = np.full([max(a, 0) + max(b, 0) + n + max(n - 1, 0) * c
                     for n, (a, b, c) in zip(x.shape, padding_config, strict=True)], value, x.dtype)  # fmt: skip
    grown[tuple(slice(max(a, 0), max(a, 0) + n + max(n - 1, 0) * c, c + 1)
                for n, (a, b, c) in zip(x.shape, padding_config, strict=True))] = x  # fmt: skip
    return grown[tuple(slice(max(-a, 0), max(-a, 0) + s) for s, (a, _, _) in zip(shape, padding_config, strict=True))]


def _reduction(f: Any) -> Any:
    return lambda x, axes, **_: f(x, axis=tuple(axes))


for _name, _f in (("sum", np.sum), ("max", np.max), ("min", np.min), ("prod", np.prod), ("and", np.all), ("or", np.any)):
    PRIMITIVES[f"reduce_{_name}"] = _reduction(_f)


@enter("argmax")
def _argmax(x: Any, axes: Any, index_dtype: Any) -> Any:
    return np.argmax(x, axes[0]).astype(index_dtype)


@enter("argmin")
def _argmin(x: Any, axes: Any, index_dtype: Any) -> Any:
    return np.argmin(x, axes[0]).astype(index_dtype)


def _cumulative(f: Any) -> Any:
    def run(x: Any, axis: int, reverse: bool) -> Any:
        return np.flip(f(np.flip(x, axis), axis), axis) if reverse else f(x, axis)

    return run


PRIMITIVES["cumsum"], PRIMITIVES["cumprod"] = _cumulative(np.cumsum), _cumulative(np.cumprod)
PRIMITIVES["cummax"] = _cumulative(np.maximum.accumulate)
PRIMITIVES["cumlogsumexp"] = _cumulative(np.logaddexp.accumulate)


@enter("dot_general")
def _dot_general(a: Any, b: Any, dimension_numbers: Any, **_: Any) -> Any:
    (ca, cb), (ba, bb) = dimension_numbers
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    left, right = [""] * a.ndim, [""] * b.ndim
    batch = []
    for p, q in zip(ba, bb, strict=True):
        left[p] = right[q] = next(letters)
        batch.append(left[p])
    for p, q in zip(ca, cb, strict=True):
        left[p] = right[q] = next(letters)
    free: list[str] = []
    for side, gone in ((left, {*ba, *ca}), (right, {*bb, *cb})):
        for k in range(len(side)):
            if k not in gone:
                side[k] = next(letters)
                free.append(side[k])
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join([*batch, *free])}", a, b)


@enter("sort")
def _sort(*xs: Any, dimension: int, num_keys: int, **_: Any) -> Any:
    order = np.argsort(xs[0], axis=dimension, kind="stable")
    return [np.take_along_axis(x, order, dimension) for x in xs]


INNER = {"pjit": "jaxpr", "jit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr",
         "custom_vjp_call": "call_jaxpr", "custom_vjp_call_jaxpr": "fun_jaxpr", "remat": "jaxpr", "checkpoint": "jaxpr",
         "custom_lin": "call_jaxpr"}  # fmt: skip
SEVERAL = {"sort", "split"}


def _scan(given: Any, jaxpr: Any, num_consts: int, num_carry: int, length: int, reverse: bool, **_: Any) -> list[Any]:
    consts, carried, rows = given[:num_consts], given[num_consts : num_consts + num_carry], given[num_consts + num_carry :]
    made: list[Any] = []
    for i in reversed(range(length)) if reverse else range(length):
        found = _walk(jaxpr.jaxpr, jaxpr.consts, [*consts, *carried, *[x[i] for x in rows]])
        carried = found[:num_carry]
        made.append(found[num_carry:])
    made = made[::-1] if reverse else made
    empty = [np.zeros((0, *v.aval.shape)) for v in jaxpr.jaxpr.outvars[num_carry:]]
    return [*carried, *([np.stack(xs) for xs in zip(*made, strict=True)] if made else empty)]


def _cond(given: Any, branches: Any, **_: Any) -> list[Any]:
    chosen = branches[min(max(int(given[0]), 0), len(branches) - 1)]
    return _walk(chosen.jaxpr, chosen.consts, given[1:])


def _while(given: Any, cond_jaxpr: Any, cond_nconsts: int, body_jaxpr: Any, body_nconsts: int, **_: Any) -> list[Any]:
    test, body = given[:cond_nconsts], given[cond_nconsts : cond_nconsts + body_nconsts]
    carried = given[cond_nconsts + body_nconsts :]
    while _walk(cond_jaxpr.jaxpr, cond_jaxpr.consts, [*test, *carried])[0]:
        carried = _walk(body_jaxpr.jaxpr, body_jaxpr.consts, [*body, *carried])
    return list(carried)


CONTROL = {"scan": _scan, "cond": _cond, "while": _while}


ROUNDED = (PLAIN | {"dot_general", "reduce_sum", "reduce_prod", "cumsum", "cumprod", "cumlogsumexp", "integer_pow"}) - {
    "abs", "ceil", "clamp", "copy", "floor", "max", "min", "neg", "select_n", "sign", "stop_gradient",
}  # fmt: skip
"""What rounds its result."""
_move: Any = None


def _walk(jaxpr: Any, consts: Any, args: Any) -> list[Any]:
    values: dict[Any, Any] = {}

    def read(v: Any) -> Any:
        return np.asarray(v.val) if isinstance(v, core.Literal) else values[v]

    for v, x in zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args], strict=True):
        values[v] = np.asarray(x)
    for eqn in jaxpr.eqns:
        name, given = eqn.primitive.name, [read(v) for v in eqn.invars]
        if name in INNER:
            inner = eqn.params[INNER[name]]
            closed = inner if hasattr(inner, "consts") else None
            found = _walk(closed.jaxpr if closed else inner, closed.consts if closed else (), given)
        elif name in CONTROL:
            found = CONTROL[name](given, **eqn.params)
        elif name in PRIMITIVES:
            found = PRIMITIVES[name](*given) if name in PLAIN else PRIMITIVES[name](*given, **eqn.params)
            found = found if name in SEVERAL else [found]
        else:
            found = eqn.primitive.bind(*given, **eqn.params)
            found = found if eqn.primitive.multiple_results else [found]
        for v, x in zip(eqn.outvars, found, strict=True):
            value = np.asarray(x, v.aval.dtype)
            values[v] = _move(value) if _move is not None and name in ROUNDED and value.dtype.kind == "f" else value
    return [read(v) for v in jaxpr.outvars]


class Traced:
    """A function of JAX, traced at some arguments."""

    def __init__(self, f: Callable[..., Any], args: list[Any]) -> None:
        self.counts = [len(jax.tree_util.tree_leaves(a)) for a in args]
        self.closed, shape = jax.make_jaxpr(f, return_shape=True)(*args)
        self.structure = jax.tree_util.tree_structure(shape)

    def run(self, args: list[Any], move: Any = None) -> Any:
        """Evaluate it; ``move`` is applied to what arithmetic gives."""
        global _move
        _move = move
        try:
            with np.errstate(all="ignore"):
                flat = _walk(self.closed.jaxpr, self.closed.consts, jax.tree_util.tree_leaves(args))
        finally:
            _move = None
        return jax.tree_util.tree_unflatten(self.structure, flat)

    def used(self) -> list[bool]:
        """Return for each argument whether the results depend on it."""
        jaxpr = self.closed.jaxpr
        wanted = {v for v in jaxpr.outvars if not isinstance(v, core.Literal)}
        for eqn in reversed(jaxpr.eqns):
            if not wanted.isdisjoint(eqn.outvars):
                wanted.update(v for v in eqn.invars if not isinstance(v, core.Literal))
        leaves = iter(jaxpr.invars)
        return [any([next(leaves) in wanted for _ in range(n)]) for n in self.counts]


def evaluated(f: Callable[..., Any], *args: Any) -> Any:
    """Return f(*args), as arrays of NumPy."""
    return Traced(f, list(args)).run(list(args))
