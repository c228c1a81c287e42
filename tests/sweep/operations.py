"""The operations that programs are made of: how each is written for the library and for JAX, and what it can be given.

An operation is two texts, formats of its arguments and attributes. Where a function has a domain, its text leads the argument
there (``tf.sqrt(1.5 + tf.tanh({0}))``), so that any value will do; numbers are such as float32 holds. ``bound`` is a bound
of the result's size, by which the generator keeps numbers within a range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

__all__ = ["OPERATIONS", "SINGULAR", "Fit", "Operation"]

Shape = tuple[int, ...]


class Fit(NamedTuple):
    """What an operation makes of its arguments: attributes for its texts, shape and bound of the result."""

    attrs: dict[str, Any]
    shape: Shape
    bound: float


class Operation(NamedTuple):
    """One operation. ``fit`` says what it makes of the shapes and bounds of arguments; None: they do not suit it."""

    name: str
    arity: int
    text: str
    jax: str | None
    fit: Callable[[Random, Sequence[Shape], Sequence[float]], Fit | None]
    weight: float = 1.0


OPERATIONS: list[Operation] = []
"""What may stand anywhere."""
SINGULAR: list[Operation] = []
"""What is at a singular point or a tie where the argument is 0 or 1, or two arguments are equal."""

MOST = 1e3
"""Values are kept below this."""


def enter(name: str, arity: int, text: str, jax: str | None, fit: Any, weight: float = 1.0, table: Any = None) -> None:
    (OPERATIONS if table is None else table).append(Operation(name, arity, text, jax, fit, weight))


# --- one argument, element by element -----------------------------------------------------------------------------------------


def unary(name: str, text: str, jax: str | None, bound: Any, **keywords: Any) -> None:
    """Enter an elementwise operation; ``bound`` is a number or a function of the argument's bound."""

    def fit(rng: Random, shapes: Sequence[Shape], bounds: Sequence[float]) -> Fit | None:
        b = bound(bounds[0]) if callable(bound) else bound
        return Fit({}, shapes[0], max(b, 1e-3)) if b <= MOST else None

    enter(name, 1, text, jax, fit, **keywords)


U, POS = "0.875 * tf.tanh({0})", "(1.5 + tf.tanh({0}))"
JU, JPOS = U.replace("tf.", "jnp."), POS.replace("tf.", "jnp.")
for _name, _bound in [("sin", 1), ("cos", 1), ("tanh", 1), ("sinh", math.sinh), ("cosh", math.cosh), ("exp", math.exp)]:
    _far = "{0}" if _name in ("sin", "cos", "tanh") else "2.0 * tf.tanh({0})"
    unary(_name, f"tf.{_name}({_far})", f"jnp.{_name}({_far.replace('tf.', 'jnp.')})", 8 if _far != "{0}" else 1, weight=2)
unary("square", "tf.square({0})", "jnp.square({0})", lambda b: b * b, weight=2)
unary("cube", "{0} ** 3", "{0} ** 3", lambda b: b**3)
unary("power 2.5", f"{POS} ** 2.5", f"{JPOS} ** 2.5", 12)
unary("power -2", f"tf.pow({POS}, -2)", f"{JPOS} ** -2", 4)
unary("square as tensor", "{0} ** tf.constant(2.0, F)", "{0} ** 2", lambda b: b * b)
unary("negative", "-{0}", "-{0}", lambda b: b)
unary("scaled", "0.75 * {0} + 0.5", "0.75 * {0} + 0.5", lambda b: b + 0.5)
unary("one minus", "1.0 - {0}", "1.0 - {0}", lambda b: b + 1)
unary("sigmoid", "tf.sigmoid({0})", "jax.nn.sigmoid({0})", 1)
unary("softplus", "tf.math.softplus({0})", "jax.nn.softplus({0})", lambda b: b + 1)
unary("log_sigmoid", "tf.math.log_sigmoid({0})", "jax.nn.log_sigmoid({0})", lambda b: b + 1)
unary("silu", "tf.nn.silu({0})", "jax.nn.silu({0})", lambda b: b)
unary("gelu", "tf.nn.gelu({0})", "jax.nn.gelu({0}, approximate=False)", lambda b: b)
unary("elu", "tf.nn.elu({0})", "jax.nn.elu({0})", lambda b: b + 1)
unary("selu", "tf.nn.selu({0})", "jax.nn.selu({0})", lambda b: 2 * b + 2)
unary("relu", "tf.nn.relu({0})", "jax.nn.relu({0})", lambda b: b)
unary("leaky_relu", "tf.nn.leaky_relu({0}, 0.25)", "jax.nn.leaky_relu({0}, 0.25)", lambda b: b)
unary("softsign", "tf.nn.softsign({0})", "jax.nn.soft_sign({0})", 1)
unary("abs", "tf.abs({0})", "jnp.abs({0})", lambda b: b)
unary("log", f"tf.math.log({POS})", f"jnp.log({JPOS})", 1)
unary("log1p", f"tf.math.log1p({U})", f"jnp.log1p({JU})", 3)
unary("expm1", f"tf.math.expm1({U})", f"jnp.expm1({JU})", 2)
unary("sqrt", f"tf.sqrt({POS})", f"jnp.sqrt({JPOS})", 2)
unary("rsqrt", f"tf.math.rsqrt({POS})", f"lax.rsqrt({JPOS})", 2)
unary("reciprocal", f"tf.math.reciprocal({POS})", f"1.0 / {JPOS}", 2)
unary("divide", f"1.0 / {POS}", f"1.0 / {JPOS}", 2)
unary("tan", f"tf.tan({U})", f"jnp.tan({JU})", 2)
for _name in ("asin", "acos", "atanh"):
    unary(_name, f"tf.math.{_name}({U})", f"jnp.{'arc' + _name[1:]}({JU})", 3)
for _name in ("atan", "asinh"):
    unary(_name, f"tf.math.{_name}({{0}})", f"jnp.{'arc' + _name[1:]}({{0}})", lambda b: 2 + math.log1p(b))
unary("acosh", "tf.math.acosh(2.5 + tf.tanh({0}))", "jnp.arccosh(2.5 + jnp.tanh({0}))", 2)
for _name in ("erf", "erfc"):
    unary(_name, f"tf.math.{_name}({{0}})", f"jsp.{_name}({{0}})", 2)
unary("erfinv", f"tf.math.erfinv({U})", f"jsp.erfinv({JU})", 2)
unary("erfcinv", f"tf.math.erfcinv(1.0 + {U})", f"jsp.erfinv(-{JU})", 2)
unary("ndtri", "tf.math.ndtri(0.5 + 0.375 * tf.tanh({0}))", "2.0**0.5 * jsp.erfinv(0.75 * jnp.tanh({0}))", 2)
unary("lgamma", f"tf.math.lgamma({POS})", f"jsp.gammaln({JPOS})", 1, weight=0.5)
unary("digamma", f"tf.math.digamma({POS})", f"jsp.digamma({JPOS})", 3, weight=0.5)
for _n in (1, 2):
    unary(f"polygamma {_n}", f"tf.math.polygamma(tf.constant({_n}.0, F), {POS})", f"jsp.polygamma({_n}, {JPOS})", 20, weight=0.3)
unary("zeta", f"tf.math.zeta(tf.constant(2.5, F), {POS})", f"jsp.zeta(2.5, {JPOS})", 20, weight=0.3)
unary("igamma", f"tf.math.igamma(tf.constant(1.5, F), {POS})", f"jsp.gammainc(1.5, {JPOS})", 1, weight=0.5)
unary("igammac", f"tf.math.igammac(tf.constant(1.5, F), {POS})", f"jsp.gammaincc(1.5, {JPOS})", 1, weight=0.5)
unary("betainc", "tf.math.betainc(tf.constant(1.5, F), tf.constant(2.5, F), 0.5 + 0.375 * tf.tanh({0}))",
      "jsp.betainc(1.5, 2.5, 0.5 + 0.375 * jnp.tanh({0}))", 1, weight=0.5)  # fmt: skip
for _name in ("bessel_i0e", "bessel_i1e"):
    unary(_name, f"tf.math.{_name}({{0}})", f"jsp.{_name[7:]}({{0}})", 1, weight=0.5)
for _name in ("bessel_j0", "bessel_j1", "dawsn", "fresnel_sin"):
    unary(_name, f"tf.math.special.{_name}({U})", None, 1, weight=0.2)
for _name in ("bessel_k0", "bessel_y1", "expint"):
    unary(_name, f"tf.math.special.{_name}({POS})", None, 3, weight=0.2)
unary("spence", f"tf.math.special.spence({POS})", f"spence({JPOS})", 2, weight=0.3)
unary("clip", "tf.clip_by_value({0}, -0.8125, 0.8125)", "jnp.where(jnp.abs({0}) > 0.8125, 0.8125 * jnp.sign({0}), {0})", 1)
unary("floormod", "tf.math.floormod({0}, 1.6875)", "jnp.mod({0}, 1.6875)", 1.7, weight=0.5)
unary("round", "{0} * tf.round({0})", "{0} * lax.stop_gradient(jnp.round({0}))", lambda b: b * b + b, weight=0.5)
unary("sign", "{0} * tf.sign({0})", "{0} * lax.stop_gradient(jnp.sign({0}))", lambda b: b, weight=0.5)
unary("floor", "{0} - tf.floor({0})", "{0} - lax.stop_gradient(jnp.floor({0}))", 1, weight=0.5)
unary("stop_gradient", "{0} * tf.stop_gradient({0})", "{0} * lax.stop_gradient({0})", lambda b: b * b)
unary("identity", "tf.identity({0})", "{0}", lambda b: b)
unary("cast", "tf.cast(tf.cast({0} > 0.25, F), F) * {0}", "({0} > 0.25) * {0}", lambda b: b, weight=0.5)
unary("where", "tf.where({0} > 0.0625, tf.sin({0}), {0} * {0})", "jnp.where({0} > 0.0625, jnp.sin({0}), {0} * {0})",
      lambda b: b * b + 1)  # fmt: skip
unary("complex exp", "tf.math.real(tf.exp(tf.complex(0.5 * tf.tanh({0}), {0})))",
      "jnp.exp(0.5 * jnp.tanh({0})) * jnp.cos({0})", 2)  # fmt: skip
unary("complex abs", "tf.abs(tf.complex({0}, 0.5 + {0} * {0}))", "jnp.hypot({0}, 0.5 + {0} * {0})", lambda b: b * b + b + 1)
unary("polyval", "tf.math.polyval([tf.constant(0.5, F), tf.constant(-1.0, F), tf.constant(0.25, F)], {0})",
      "0.5 * {0} ** 2 - {0} + 0.25", lambda b: b * b + b + 1)  # fmt: skip

# --- two and three, broadcast -------------------------------------------------------------------------------------------------


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """Return the shape of two arrays together; None if they do not fit."""
    n = max(len(a), len(b))
    left, right = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    if any(p != q and 1 not in (p, q) for p, q in zip(left, right, strict=True)):
        return None
    return tuple(q if p == 1 else p for p, q in zip(left, right, strict=True))


def binary(name: str, text: str, jax: str | None, bound: Any, **keywords: Any) -> None:
    """Enter an elementwise operation of two."""

    def fit(rng: Random, shapes: Sequence[Shape], bounds: Sequence[float]) -> Fit | None:
        shape = broadcast(shapes[0], shapes[1])
        b = bound(*bounds) if callable(bound) else bound
        return None if shape is None or b > MOST or len(shape) > 3 or math.prod(shape) > 40 else Fit({}, shape, b)

    enter(name, 2, text, jax, fit, **keywords)


def _sum(a: float, b: float) -> float:
    return a + b


def _product(a: float, b: float) -> float:
    return a * b


binary("add", "{0} + {1}", "{0} + {1}", _sum, weight=4)
binary("subtract", "{0} - {1}", "{0} - {1}", _sum, weight=2)
binary("multiply", "{0} * {1}", "{0} * {1}", _product, weight=6)
binary("divide by", "{0} / (1.5 + tf.sin({1}))", "{0} / (1.5 + jnp.sin({1}))", lambda a, b: 2 * a, weight=2)
binary("power", f"{POS} ** tf.tanh({{1}})", f"{JPOS} ** jnp.tanh({{1}})", 3)
binary("maximum", "tf.maximum({0}, 0.125 + {1})", "jnp.maximum({0}, 0.125 + {1})", _sum)
binary("minimum", "tf.minimum({0}, 0.125 + {1})", "jnp.minimum({0}, 0.125 + {1})", _sum)
binary("squared_difference", "tf.math.squared_difference({0}, {1})", "({0} - {1}) ** 2", lambda a, b: (a + b) ** 2)
binary("atan2", "tf.atan2({0}, 1.5 + tf.tanh({1}))", "jnp.arctan2({0}, 1.5 + jnp.tanh({1}))", 2)
binary("xlogy", "tf.math.xlogy({0}, 1.5 + tf.tanh({1}))", "{0} * jnp.log(1.5 + jnp.tanh({1}))", lambda a, b: a)
binary("xlog1py", "tf.math.xlog1py({0}, 0.875 * tf.tanh({1}))", "{0} * jnp.log1p(0.875 * jnp.tanh({1}))", lambda a, b: 3 * a,
       weight=0.5)  # fmt: skip
binary("divide_no_nan", "tf.math.divide_no_nan({0}, 1.5 + tf.tanh({1}))", "{0} / (1.5 + jnp.tanh({1}))", lambda a, b: 2 * a)
binary("where of two", "tf.where({0} > {1}, {0} * {1}, tf.sin({1}))", "jnp.where({0} > {1}, {0} * {1}, jnp.sin({1}))",
       lambda a, b: a * b + 1)  # fmt: skip
binary("igamma of two", "tf.math.igamma(1.5 + tf.tanh({1}), 1.5 + tf.tanh({0}))",
       "jsp.gammainc(1.5 + jnp.tanh({1}), 1.5 + jnp.tanh({0}))", 1, weight=0.2)  # fmt: skip
binary("multiply_no_nan", "tf.math.multiply_no_nan({0}, tf.sin({1}))", "{0} * jnp.sin({1})", lambda a, b: a, weight=0.5)
binary("complex product", "tf.math.imag(tf.complex({0}, {1}) * tf.complex({1}, 2.0 * {0}))", "{0} * 2.0 * {0} + {1} * {1}",
       lambda a, b: 2 * a * a + b * b, weight=0.5)  # fmt: skip

# --- reductions ---------------------------------------------------------------------------------------------------------------


def reduced(rng: Random, shape: Shape) -> tuple[int | None, bool, Shape] | None:
    """Choose an axis and whether it stays; return the shape of the result too."""
    if not shape:
        return None
    axis = rng.choice([None, *range(len(shape)), -1])
    keep = rng.random() < 0.5
    at = range(len(shape)) if axis is None else [axis % len(shape)]
    if keep:
        return axis, keep, tuple(1 if k in at else n for k, n in enumerate(shape))
    return axis, keep, tuple(n for k, n in enumerate(shape) if k not in at)


def reduction(name: str, text: str, jax: str, bound: Any, empty: bool = False, **keywords: Any) -> None:
    """Enter a reduction; ``empty``: of nothing, too."""

    def fit(rng: Random, shapes: Sequence[Shape], bounds: Sequence[float]) -> Fit | None:
        how = reduced(rng, shapes[0])
        if how is None or (not empty and 0 in shapes[0]):
            return None
        axis, keep, shape = how
        count = math.prod(shapes[0]) if axis is None else shapes[0][axis]
        b = bound(bounds[0], count)
        return Fit({"axis": axis, "keep": keep}, shape, b) if b <= MOST else None

    enter(name, 1, text, jax, fit, **keywords)


def _reduction(tf_name: str, jnp_name: str, bound: Any, inner: str = "{0}", **keywords: Any) -> None:
    reduction(tf_name, f"tf.{tf_name}({inner}, axis={{axis}}, keepdims={{keep}})",
              f"{jnp_name}({inner.replace('tf.', 'jnp.')}, axis={{axis}}, keepdims={{keep}})", bound, **keywords)  # fmt: skip


_reduction("reduce_sum", "jnp.sum", lambda b, n: b * max(n, 1), empty=True, weight=4)
_reduction("reduce_mean", "jnp.mean", lambda b, n: b, weight=2)
_reduction("reduce_max", "jnp.max", lambda b, n: b)
_reduction("reduce_min", "jnp.min", lambda b, n: b)
_reduction("reduce_prod", "jnp.prod", lambda b, n: b**n)
_reduction("reduce_logsumexp", "jsp.logsumexp", lambda b, n: b + 3)
_reduction("math.reduce_variance", "jnp.var", lambda b, n: b * b)
reduction("norm", "tf.norm(1.5 + tf.tanh({0}), axis={axis}, keepdims={keep})",
          "jnp.sqrt(jnp.sum((1.5 + jnp.tanh({0})) ** 2, axis={axis}, keepdims={keep}))", lambda b, n: 3 * n**0.5)  # fmt: skip
reduction("reduce_euclidean_norm", "tf.math.reduce_euclidean_norm(1.5 + tf.tanh({0}), axis={axis}, keepdims={keep})",
          "jnp.sqrt(jnp.sum((1.5 + jnp.tanh({0})) ** 2, axis={axis}, keepdims={keep}))", lambda b, n: 3 * n**0.5,
          weight=0.5)  # fmt: skip


def along(name: str, text: str, jax: str, bound: Any, least: int = 1, **keywords: Any) -> None:
    """Enter an operation along an axis that keeps the shape."""

    def fit(rng: Random, shapes: Sequence[Shape], bounds: Sequence[float]) -> Fit | None:
        if not shapes[0] or 0 in shapes[0]:
            return None
        axis = rng.randrange(len(shapes[0]))
        n = shapes[0][axis]
        b = bound(bounds[0], n)
        flags = {"exclusive": rng.random() < 0.3, "reverse": rng.random() < 0.3, "shift": rng.choice([1, 2, -1])}
        return Fit({"axis": axis, "rank": len(shapes[0]), **flags}, shapes[0], b) if n >= least and b <= MOST else None

    enter(name, 1, text, jax, fit, **keywords)


along("cumsum", "tf.cumsum({0}, {axis}, exclusive={exclusive}, reverse={reverse})",
      "cumulative(jnp.cumsum, 0.0, {0}, {axis}, {exclusive}, {reverse})", lambda b, n: b * n, weight=2)  # fmt: skip
along("cumprod", "tf.math.cumprod({0}, {axis}, exclusive={exclusive}, reverse={reverse})",
      "cumulative(jnp.cumprod, 1.0, {0}, {axis}, {exclusive}, {reverse})", lambda b, n: max(b, 1) ** n)  # fmt: skip
along("cumulative_logsumexp", "tf.math.cumulative_logsumexp({0}, {axis})", "lax.cumlogsumexp({0}, {axis})",
      lambda b, n: b + 3, weight=0.5)  # fmt: skip
along("softmax", "tf.nn.softmax({0}, {axis})", "jax.nn.softmax({0}, {axis})", lambda b, n: 1, weight=2)
along("log_softmax", "tf.nn.log_softmax({0}, {axis})", "jax.nn.log_softmax({0}, {axis})", lambda b, n: 2 * b + 2)
along("l2_normalize", "tf.math.l2_normalize(1.5 + tf.tanh({0}), {axis})", "unit(1.5 + jnp.tanh({0}), {axis})", lambda b, n: 1)
along("reverse", "tf.reverse({0}, [{axis}])", "jnp.flip({0}, {axis})", lambda b, n: b)
along("roll", "tf.roll({0}, {shift}, {axis})", "jnp.roll({0}, {shift}, {axis})", lambda b, n: b)
along("sort", "tf.sort({0}, {axis})", "jnp.sort({0}, {axis})", lambda b, n: b)
along("sorted back", 'tf.sort({0}, {axis}, direction="DESCENDING")', "-jnp.sort(-{0}, {axis})", lambda b, n: b, weight=0.5)

# --- shapes -------------------------------------------------------------------------------------------------------------------


def shaped(name: str, arity: int, text: str, jax: str, how: Any, grow: Any = None, **keywords: Any) -> None:
    """Enter what moves elements; ``how`` gives (attributes, shape) or None from (rng, *shapes)."""

    def fit(rng: Random, shapes: Sequence[Shape], bounds: Sequence[float]) -> Fit | None:
        found = how(rng, *shapes)
        if found is None or math.prod(found[1]) > 40 or len(found[1]) > 3:
            return None
        b = grow(*bounds) if grow else max(bounds)
        return Fit(found[0], found[1], b) if b <= MOST else None

    enter(name, arity, text, jax, fit, **keywords)


def _columns(rng: Random, s: Shape) -> Any:
    if len(s) != 2 or s[1] < 2:
        return None
    k = rng.randrange(s[1])
    return {"k": k, "end": k + 1}, (s[0], 1)


shaped("column", 1, "{0}[:, {k}:{end}]", "{0}[:, {k}:{end}]", _columns, weight=5)
shaped("column, flat", 1, "{0}[:, {k}]", "{0}[:, {k}]", lambda r, s: (f := _columns(r, s)) and (f[0], s[:1]), weight=0.7)
shaped("first row", 1, "{0}[0]", "{0}[0]", lambda r, s: ({}, s[1:]) if s and s[0] else None)
shaped("backwards", 1, "{0}[::-1]", "{0}[::-1]", lambda r, s: ({}, s) if s else None)
shaped("new axis", 1, "{0}[..., tf.newaxis]", "{0}[..., None]", lambda r, s: ({}, (*s, 1)))
shaped("without first", 1, "{0}[1:]", "{0}[1:]", lambda r, s: ({}, (s[0] - 1, *s[1:])) if s and s[0] > 1 else None)
shaped(
    "flat",
    1,
    "tf.reshape({0}, [-1])",
    "jnp.reshape({0}, (-1,))",
    lambda r, s: ({}, (math.prod(s),)) if s and math.prod(s) else None,
)
shaped(
    "as column",
    1,
    "tf.reshape({0}, [-1, 1])",
    "jnp.reshape({0}, (-1, 1))",
    lambda r, s: ({}, (math.prod(s), 1)) if s and math.prod(s) else None,
)
shaped("transpose", 1, "tf.transpose({0})", "jnp.transpose({0})", lambda r, s: ({}, s[::-1]) if len(s) > 1 else None, weight=2)
shaped("expand_dims", 1, "tf.expand_dims({0}, 0)", "{0}[None]", lambda r, s: ({}, (1, *s)))
shaped("squeeze", 1, "tf.squeeze({0}, {k})", "jnp.squeeze({0}, {k})",
       lambda r, s: ({"k": s.index(1)}, (*s[: s.index(1)], *s[s.index(1) + 1 :])) if 1 in s else None)  # fmt: skip
shaped("concat", 2, "tf.concat([{0}, {1}], {k})", "jnp.concatenate([{0}, {1}], {k})",
       lambda r, a, b: _concat(r, a, b), weight=4)  # fmt: skip
shaped("stack", 2, "tf.stack([{0}, {1}], {k})", "jnp.stack([{0}, {1}], {k})",
       lambda r, a, b: (lambda k: ({"k": k}, (*a[:k], 2, *a[k:])))(r.randrange(len(a) + 1)) if a == b else None)  # fmt: skip


def _concat(rng: Random, a: Shape, b: Shape) -> Any:
    if len(a) != len(b) or not a:
        return None
    fitting = [k for k in range(len(a)) if a[:k] == b[:k] and a[k + 1 :] == b[k + 1 :]]
    if not fitting:
        return None
    k = fitting[-1] if rng.random() < 0.7 else rng.choice(fitting)
    return {"k": k}, (*a[:k], a[k] + b[k], *a[k + 1 :])


shaped("add_n", 2, "tf.add_n([{0}, {1}, {0}])", "{0} + {1} + {0}", lambda r, a, b: ({}, a) if a == b else None,
       grow=lambda a, b: 2 * a + b, weight=0.5)  # fmt: skip


def _matrix(rng: Random, s: Shape) -> Any:
    return ({}, s) if len(s) == 2 and 0 not in s else None


shaped("split", 1, "tf.split({0}, 2, 1)[{k}]", "jnp.split({0}, 2, 1)[{k}]",
       lambda r, s: ({"k": r.randrange(2)}, (s[0], s[1] // 2)) if len(s) == 2 and s[1] % 2 == 0 and s[1] else None)  # fmt: skip
shaped(
    "unstack",
    1,
    "tf.unstack({0}, {n}, axis=1)[{k}]",
    "{0}[:, {k}]",
    lambda r, s: (f := _columns(r, s)) and ({**f[0], "n": s[1]}, s[:1]),
)
shaped("tile", 1, "tf.tile({0}, [1, 2])", "jnp.tile({0}, (1, 2))", lambda r, s: ({}, (s[0], 2 * s[1])) if len(s) == 2 else None)
shaped("tiled rows", 1, "tf.tile({0}, [2, 1])", "jnp.tile({0}, (2, 1))", lambda r, s: ({}, (2 * s[0], s[1])) if len(s) == 2 else None,
       weight=0.5)  # fmt: skip
shaped("pad", 1, "tf.pad({0}, [[{a}, {b}], [{b}, 0]])", "jnp.pad({0}, (({a}, {b}), ({b}, 0)))",
       lambda r, s: (lambda a, b: ({"a": a, "b": b}, (s[0] + a + b, s[1] + b)))(r.randrange(2), r.randrange(2)) if len(s) == 2
       else None)  # fmt: skip
shaped("repeat", 1, "tf.repeat({0}, 2, axis=0)", "jnp.repeat({0}, 2, axis=0)", lambda r, s: ({}, (2 * s[0], *s[1:])) if s else None,
       weight=0.5)  # fmt: skip
shaped("gather", 1, "tf.gather({0}, {k})", "{0}[np.array({k})]",
       lambda r, s: (lambda k: ({"k": k}, (len(k), *s[1:])))([r.randrange(s[0]) for _ in range(r.choice([1, 2, 3]))]) if s and s[0]
       else None, weight=2)  # fmt: skip
shaped("gather columns", 1, "tf.gather({0}, {k}, axis=1)", "{0}[:, np.array({k})]",
       lambda r, s: (lambda k: ({"k": k}, (s[0], len(k))))([r.randrange(s[1]) for _ in range(2)]) if len(s) == 2 and s[1] else None)  # fmt: skip
shaped("gather_nd", 1, "tf.gather_nd({0}, {k})", "{0}[tuple(np.array({k}).T)]",
       lambda r, s: ({"k": [[r.randrange(s[0]), r.randrange(s[1])] for _ in range(3)]}, (3,)) if len(s) == 2 and 0 not in s else None)  # fmt: skip
shaped("broadcast_to", 1, "tf.broadcast_to({0}, {to})", "jnp.broadcast_to({0}, {to})",
       lambda r, s: ({"to": [2, *s]}, (2, *s)) if len(s) < 3 else None)  # fmt: skip
shaped("scatter_nd_add", 1, "tf.tensor_scatter_nd_add({0}, [[0], [{k}]], tf.sin({0}[:2]))", "{0}.at[np.array([0, {k}])].add(jnp.sin({0}[:2]))",
       lambda r, s: ({"k": r.randrange(s[0])}, s) if s and s[0] > 1 else None, grow=lambda b: b + 2, weight=0.7)  # fmt: skip
shaped("scatter_nd_update", 1, "tf.tensor_scatter_nd_update({0}, [[{k}]], tf.sin({0}[:1]))", "{0}.at[np.array([{k}])].set(jnp.sin({0}[:1]))",
       lambda r, s: ({"k": r.randrange(s[0])}, s) if s and s[0] else None, grow=lambda b: b + 1, weight=0.7)  # fmt: skip
shaped("scatter_nd", 1, "tf.scatter_nd([[{k}], [0]], {0}[:2], tf.shape({0}))", "jnp.zeros_like({0}).at[np.array([{k}, 0])].add({0}[:2])",
       lambda r, s: ({"k": r.randrange(s[0])}, s) if s and s[0] > 1 else None, grow=lambda b: 2 * b, weight=0.3)  # fmt: skip
shaped("segment_sum", 1, "tf.math.segment_sum({0}, {k})", "jnp.zeros((2, *{0}.shape[1:]), {0}.dtype).at[np.array({k})].add({0})",
       lambda r, s: ({"k": [0] + [1] * (s[0] - 1)}, (2, *s[1:])) if s and s[0] > 1 else None, grow=lambda b: 4 * b, weight=0.7)  # fmt: skip
shaped("unsorted_segment_sum", 1, "tf.math.unsorted_segment_sum({0}, {k}, 3)", "jnp.zeros((3, *{0}.shape[1:]), {0}.dtype).at[np.array({k})].add({0})",
       lambda r, s: ({"k": [r.randrange(3) for _ in range(s[0])]}, (3, *s[1:])) if s and s[0] else None, grow=lambda b: 4 * b,
       weight=0.5)  # fmt: skip
shaped(
    "top_k",
    1,
    "tf.math.top_k({0}, 1)[0]",
    "-jnp.sort(-{0}, -1)[..., :1]",
    lambda r, s: ({}, (*s[:-1], 1)) if s and 0 not in s else None,
)
shaped(
    "diag",
    1,
    "tf.linalg.diag({0})",
    "jnp.diag({0})",
    lambda r, s: ({}, (s[0], s[0])) if len(s) == 1 and s[0] else None,
    weight=0.7,
)
shaped(
    "diag_part",
    1,
    "tf.linalg.diag_part({0})",
    "jnp.diagonal({0})",
    lambda r, s: ({}, (min(s),)) if len(s) == 2 and 0 not in s else None,
)
shaped("trace", 1, "tf.linalg.trace({0})", "jnp.trace({0})", lambda r, s: ({}, ()) if len(s) == 2 and 0 not in s else None,
       grow=lambda b: 4 * b, weight=0.7)  # fmt: skip
shaped("band_part", 1, "tf.linalg.band_part({0}, -1, 0)", "jnp.tril({0})", _matrix, weight=0.7)
shaped("reversed columns", 1, "{0}[:, ::-1]", "{0}[:, ::-1]", _matrix)
shaped("boolean_mask", 1, "tf.boolean_mask({0}, {k})", "{0}[np.array({k})]",
       lambda r, s: ({"k": [True] + [False] * (s[0] - 1)}, (1, *s[1:])) if s and s[0] else None, weight=0.5)  # fmt: skip
shaped("dynamic_stitch", 1, "tf.dynamic_stitch([[1], [0]], [{0}[:1], 2.0 * {0}[:1]])", "jnp.concatenate([2.0 * {0}[:1], {0}[:1]])",
       lambda r, s: ({}, (2, *s[1:])) if s and s[0] else None, grow=lambda b: 2 * b, weight=0.3)  # fmt: skip

# --- products -----------------------------------------------------------------------------------------------------------------


def product(name: str, text: str, jax: str, how: Any, **keywords: Any) -> None:
    """Enter a product: the bound is that of the factors and the number of terms."""
    shaped(name, 2, text, jax, how, grow=lambda a, b: 4 * a * b, **keywords)


def _inner(rng: Random, a: Shape, b: Shape) -> Any:
    return ({}, (a[0], b[1])) if len(a) == len(b) == 2 and a[1] == b[0] else None


product("matmul", "tf.matmul({0}, {1})", "{0} @ {1}", _inner, weight=5)
product("matmul, transposed", "tf.matmul({0}, {1}, transpose_b=True)", "{0} @ {1}.T",
        lambda r, a, b: ({}, (a[0], b[0])) if len(a) == len(b) == 2 and a[1] == b[1] else None, weight=2)  # fmt: skip
product("matmul, first transposed", "tf.matmul({0}, {1}, transpose_a=True)", "{0}.T @ {1}",
        lambda r, a, b: ({}, (a[1], b[1])) if len(a) == len(b) == 2 and a[0] == b[0] else None, weight=2)  # fmt: skip
product("einsum", 'tf.einsum("ij,kj->ik", {0}, {1})', 'jnp.einsum("ij,kj->ik", {0}, {1})',
        lambda r, a, b: ({}, (a[0], b[0])) if len(a) == len(b) == 2 and a[1] == b[1] else None)  # fmt: skip
product("einsum of rows", 'tf.einsum("ij,ij->i", {0}, {1})', 'jnp.einsum("ij,ij->i", {0}, {1})',
        lambda r, a, b: ({}, a[:1]) if len(a) == 2 and a == b else None)  # fmt: skip
product("outer", 'tf.einsum("i,j->ij", {0}, {1})', 'jnp.einsum("i,j->ij", {0}, {1})',
        lambda r, a, b: ({}, (a[0], b[0])) if len(a) == len(b) == 1 else None)  # fmt: skip
product("tensordot", "tf.tensordot({0}, {1}, 1)", "jnp.tensordot({0}, {1}, 1)",
        lambda r, a, b: ({}, (*a[:-1], *b[1:])) if a and b and a[-1] == b[0] else None)  # fmt: skip
product("matvec", "tf.linalg.matvec({0}, {1})", "{0} @ {1}",
        lambda r, a, b: ({}, a[:1]) if len(a) == 2 and len(b) == 1 and a[1] == b[0] else None)  # fmt: skip


def square(name: str, text: str, jax: str, how: Any, bound: float, **keywords: Any) -> None:
    """Enter an operation of a matrix that is made definite of a matrix with at least one column: A = 2 I + tanh(x)ᵀ tanh(x)."""
    a, j = (f"(2.0 * {n}.eye({{k}}, {d}) + {m})" for n, d, m in (
        ("tf", "dtype=F", "tf.matmul(tf.tanh({0}), tf.tanh({0}), transpose_a=True)"),
        ("jnp", "dtype={0}.dtype", "jnp.tanh({0}).T @ jnp.tanh({0})")))  # fmt: skip
    shaped(name, 1, text.replace("A", a), jax.replace("A", j),
           lambda r, s: ({"k": s[1]}, how(s[1])) if len(s) == 2 and 0 < s[1] < 4 else None, grow=lambda b: bound, **keywords)  # fmt: skip


square("inv", "tf.linalg.inv(A)", "jnp.linalg.inv(A)", lambda n: (n, n), 1, weight=0.7)
square("det", "tf.linalg.det(A)", "jnp.linalg.det(A)", lambda n: (), 100, weight=0.7)
square("logdet", "tf.linalg.logdet(A)", "jnp.linalg.slogdet(A)[1]", lambda n: (), 8, weight=0.7)
square("cholesky", "tf.linalg.cholesky(A)", "jnp.linalg.cholesky(A)", lambda n: (n, n), 3, weight=0.7)
square("slogdet", "tf.linalg.slogdet(A)[1]", "jnp.linalg.slogdet(A)[1]", lambda n: (), 8, weight=0.3)
shaped("solve", 1, "tf.linalg.solve(2.0 * tf.eye({k}, dtype=F) + tf.matmul(tf.tanh({0}), tf.tanh({0}), transpose_a=True), "
       "tf.transpose({0}))", "jnp.linalg.solve(2.0 * jnp.eye({k}) + jnp.tanh({0}).T @ jnp.tanh({0}), {0}.T)",
       lambda r, s: ({"k": s[1]}, s[::-1]) if len(s) == 2 and 0 not in s and s[1] < 4 else None, weight=0.7)  # fmt: skip

# --- networks -----------------------------------------------------------------------------------------------------------------

shaped("conv1d", 1, "tf.nn.conv1d({0}[tf.newaxis], tf.reshape(tf.constant([0.5, -1.0, 0.25], F), [3, 1, 1]), 1, \"SAME\")[0]",
       'lax.conv_general_dilated({0}[None], jnp.array([0.5, -1.0, 0.25]).reshape(3, 1, 1), (1,), "SAME", '
       'dimension_numbers=("NWC", "WIO", "NWC"))[0]',
       lambda r, s: ({}, s) if len(s) == 2 and s[1] == 1 and s[0] else None, grow=lambda b: 2 * b, weight=0.5)  # fmt: skip
shaped("max_pool1d", 1, "tf.nn.max_pool1d({0}[tf.newaxis], 2, 1, \"VALID\")[0]", "jnp.maximum({0}[1:], {0}[:-1])",
       lambda r, s: ({}, (s[0] - 1, s[1])) if len(s) == 2 and s[0] > 1 and s[1] else None, weight=0.4)  # fmt: skip
shaped("moments", 1, "tf.nn.moments({0}, 0)[1]", "jnp.var({0}, 0)", lambda r, s: ({}, s[1:]) if len(s) == 2 and 0 not in s else None,
       grow=lambda b: b * b, weight=0.5)  # fmt: skip
shaped("l2_loss", 1, "tf.nn.l2_loss({0})", "0.5 * jnp.sum({0} * {0})", lambda r, s: ({}, ()), grow=lambda b: 20 * b * b)
shaped("softmax cross entropy", 1, "tf.nn.softmax_cross_entropy_with_logits(tf.ones_like({0}) / 2.0, {0})",
       "-0.5 * jnp.sum(jax.nn.log_softmax({0}), -1)", lambda r, s: ({}, s[:1]) if len(s) == 2 and 0 not in s else None,
       grow=lambda b: 8 * b + 8, weight=0.5)  # fmt: skip
unary("sigmoid cross entropy", "tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like({0}) / 4.0, logits={0})",
      "jax.nn.softplus({0}) - 0.25 * {0}", lambda b: 2 * b + 1, weight=0.5)  # fmt: skip

# --- singular points and ties -------------------------------------------------------------------------------------------------
# No oracle here: at such points the modes are compared with each other. Where the derivative exists all the same, JAX's text
# stands.


def singular(name: str, text: str, jax: str | None = None, arity: int = 1, reduce: bool = False) -> None:
    def fit(rng: Random, shapes: Sequence[Shape], bounds: Sequence[float]) -> Fit | None:
        if reduce and 0 in shapes[0]:
            return None
        shape = () if reduce else shapes[0] if arity == 1 else broadcast(*shapes)
        return None if shape is None or len(shape) > 3 else Fit({}, shape, max(bounds) ** 2 + 2)

    enter(name, arity, text, jax, fit, table=SINGULAR)


singular("sqrt at 0", "tf.sqrt(tf.abs({0}))")
singular("sqrt of square", "tf.sqrt(tf.square({0}))")
singular("norm at 0", "tf.norm({0})", reduce=True)
singular("norm of column", "tf.norm({0}, axis=-1, keepdims=True) + tf.zeros_like({0}) if {0}.shape.rank else tf.identity({0})")
singular("power 1.5", "tf.abs({0}) ** 1.5")
singular("power of constant", "{0} ** tf.constant(2.0, F)")
singular("power of one", "{0} ** tf.constant(1.0, F)")
singular("power of zero", "{0} ** 0.0")
singular("power of integer", "{0} ** 3")
singular("power of tensor", "tf.abs({0}) ** {1}", arity=2)
singular("where with a bad branch", "tf.where({0} > 0.0, tf.sqrt({0}), {0})")
singular("where with a bad quotient", "tf.where(tf.equal({0}, 0.0), {0}, 1.0 / {0})")
singular("divide_no_nan at 0", "tf.math.divide_no_nan(1.0, {0})")
singular("divide_no_nan of two", "tf.math.divide_no_nan({0}, {1})", arity=2)
singular("multiply_no_nan", "tf.math.multiply_no_nan({0}, {1})", arity=2)
singular("xlogy at 0", "tf.math.xlogy({0}, tf.abs({0}))")
singular("log at 0", "tf.math.log(tf.abs({0}))")
singular("relu at 0", "tf.nn.relu({0})")
singular("abs at 0", "tf.abs({0})")
singular("maximum of equals", "tf.maximum({0}, {1})", arity=2)
singular("minimum of equals", "tf.minimum({0}, {1})", arity=2)
singular("max of equals", "tf.reduce_max({0})", reduce=True)
singular("prod with zeros", "tf.reduce_prod({0})", reduce=True)
singular("cumprod with zeros", "tf.math.cumprod({0}) if {0}.shape.rank else tf.identity({0})")
singular("asin at 1", "tf.asin(tf.clip_by_value({0}, -1.0, 1.0))")
singular("atan2 at 0", "tf.atan2({0}, {1})", arity=2)
singular("clip at an end", "tf.clip_by_value({0}, 0.0, 1.0)")
singular("sign", "{0} * tf.sign({0})")
singular("sort of equals", "tf.sort({0}, 0) if {0}.shape.rank else tf.identity({0})")
singular("variance of equals", "tf.math.reduce_std({0})", reduce=True)
singular("l2_normalize at 0", "tf.math.l2_normalize({0}, -1) if {0}.shape.rank else tf.identity({0})")
singular("floormod of equals", "tf.math.floormod({0}, 1.0)")
singular("divide", "{0} / {1}", arity=2)
