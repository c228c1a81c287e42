"""Taylor coefficients through the public interface: nested gradients of every operation, against differences with 170 digits."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import pytest

import wengert as tf
from wengert.ops.op import table
from wengert.verify.samples.elementwise import REAL, UNARY


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
oracle = load("oracle", HERE / "oracle.py")
cases = load("cases", HERE.parent / "ops" / "cases.py")
CASES = cases.CASES
Differences, choices, close, columns = oracle.Differences, oracle.choices, oracle.close, oracle.columns
nested, operation = oracle.nested, oracle.operation

TOLERANCE = 1e-12
"""Relative to the greatest derivative of the order among the points. Measured: 2e-14."""
NARROW = 1e-5
"""The same for float32. Measured: 4e-6."""

# Points that float32 holds exactly, and s = x + 0.75 t: then the derivative of order (k, l) of F(s) is 0.75^l F^(k+l)(s).
X = np.array([[-0.875], [0.625]])
T = np.array([[0.25], [-0.5]])
SLANT = 0.75
MIXED = [(1, 1), (2, 1), (1, 2), (2, 2), (1, 4), (3, 3), (0, 2), (0, 5)]


def inner(xp: Any, s: Any) -> Any:
    """A function that has derivatives of all orders, and bounds: it stays away from where an operation's slope is infinite."""
    return 0.7 * xp.sin(s) + 0.3 * xp.cos(0.8 * s)


class Entry(NamedTuple):
    """An elementwise operation of one input."""

    op: str
    f: Callable[[Any], Any]
    """In mpmath."""
    where: tuple[tuple[float, float], ...]
    """Centres and radii of what the operation is applied to."""
    attrs: dict[str, Any] = {}  # noqa: RUF012
    rtol: float = TOLERANCE
    narrow: float = NARROW


ANY = ((0.5, 1.5),)
SIDES = ((2.0, 1.5), (-2.0, 1.5))
ABOVE_ZERO = ((1.5, 1.0),)
WITHIN = ((0.1, 0.7),)
HALF = ((0.45, 0.4),)


def spherical(n: int) -> Any:
    return lambda x: mp.sqrt(mp.pi / 2 / x) * mp.besselj(n + mp.mpf(1) / 2, x)


def dawson(x: Any) -> Any:
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


ENTRIES = [
    Entry("sin", mp.sin, ANY),
    Entry("cos", mp.cos, ANY),
    Entry("tan", mp.tan, ((0.2, 0.8),)),
    Entry("asin", mp.asin, WITHIN),
    Entry("acos", mp.acos, WITHIN),
    Entry("atan", mp.atan, ANY),
    Entry("sinh", mp.sinh, ANY),
    Entry("cosh", mp.cosh, ANY),
    Entry("tanh", mp.tanh, ANY),
    Entry("sech_squared", lambda x: 1 / mp.cosh(x) ** 2, ANY),
    Entry("asinh", mp.asinh, ANY),
    Entry("acosh", mp.acosh, ((2.5, 1.0),)),
    Entry("atanh", mp.atanh, WITHIN),
    Entry("asin_slope", lambda x: 1 / mp.sqrt(1 - x * x), WITHIN),
    Entry("asinh_slope", lambda x: 1 / mp.sqrt(1 + x * x), ANY),
    Entry("atan_slope", lambda x: 1 / (1 + x * x), ANY),
    Entry("atanh_slope", lambda x: 1 / (1 - x * x), WITHIN),
    Entry("sinc_unnormalised", lambda x: mp.sin(x) / x, SIDES),
    *[Entry("spherical_bessel", spherical(n), ((2.0, 1.5),), {"n": n}) for n in (0, 2)],
    Entry("exp", mp.exp, ANY),
    Entry("expm1", mp.expm1, ANY),
    Entry("log", mp.log, ABOVE_ZERO),
    Entry("log1p", mp.log1p, ((0.5, 1.0),)),
    Entry("sqrt", mp.sqrt, ABOVE_ZERO),
    Entry("rsqrt", lambda x: 1 / mp.sqrt(x), ABOVE_ZERO),
    Entry("cbrt", lambda x: mp.sign(x) * mp.cbrt(abs(x)), SIDES),
    Entry("reciprocal", lambda x: 1 / x, SIDES),
    Entry("square", lambda x: x * x, ANY),
    *[Entry("integer_power", lambda x, n=n: x**n, SIDES, {"n": n}) for n in (-3, -1, 0, 1, 2, 3, 5)],
    *[Entry("real_power", lambda x, p=p: x ** mp.mpf(p), ABOVE_ZERO, {"p": p}) for p in (-1.3, 0.5, 2.5)],
    Entry("sigmoid", lambda x: 1 / (1 + mp.exp(-x)), ANY),
    Entry("softplus", lambda x: mp.log(1 + mp.exp(x)), ANY),
    Entry("log_sigmoid", lambda x: -mp.log(1 + mp.exp(-x)), ANY),
    Entry("softsign", lambda x: x / (1 + abs(x)), SIDES),
    Entry("elu", lambda x: mp.mpf(1.1) * (x if x > 0 else mp.mpf(1.6) * mp.expm1(x)), SIDES, {"alpha": 1.6, "scale": 1.1}),
    Entry("elu_slope", lambda x: mp.mpf(1.1) * (1 if x > 0 else mp.mpf(1.6) * mp.exp(x)), SIDES, {"alpha": 1.6, "scale": 1.1}),
    Entry("erf", mp.erf, ANY),
    Entry("erfc", mp.erfc, ANY),
    Entry("erfinv", mp.erfinv, WITHIN),
    Entry("erfcinv", lambda x: mp.erfinv(1 - x), ((0.9, 0.7),)),
    Entry("ndtr", mp.ncdf, ANY),
    Entry("ndtri", lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1), HALF),
    Entry("lgamma", lambda x: mp.log(abs(mp.gamma(x))), ((2.0, 1.5),)),
    Entry("digamma", mp.digamma, ((2.0, 1.5),)),
    Entry("polygamma", lambda x: mp.psi(2, x), ((2.0, 1.5),), {"n": 2}),
    Entry("bessel_i0", lambda x: mp.besseli(0, x), ANY),
    Entry("bessel_i1", lambda x: mp.besseli(1, x), ANY),
    Entry("bessel_i0e", lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), SIDES),
    Entry("bessel_i1e", lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), SIDES),
    Entry("bessel_j0", lambda x: mp.besselj(0, x), ANY),
    Entry("bessel_j1", lambda x: mp.besselj(1, x), ANY),
    Entry("bessel_y0", lambda x: mp.bessely(0, x), ((2.0, 1.0),)),
    Entry("bessel_y1", lambda x: mp.bessely(1, x), ((2.0, 1.0),)),
    Entry("bessel_k0", lambda x: mp.besselk(0, x), ((2.0, 1.0),)),
    Entry("bessel_k1", lambda x: mp.besselk(1, x), ((2.0, 1.0),)),
    Entry("bessel_k0e", lambda x: mp.exp(x) * mp.besselk(0, x), ((2.0, 1.0),)),
    Entry("bessel_k1e", lambda x: mp.exp(x) * mp.besselk(1, x), ((2.0, 1.0),)),
    Entry("bessel", lambda x: mp.besselj(2, x), SIDES, {"family": "j", "n": 2}),
    Entry("bessel", lambda x: mp.exp(-x) * mp.besseli(2, x), ((2.0, 1.0),), {"family": "ie", "n": 2}),
    Entry("expint", mp.ei, ((2.0, 1.0),)),
    Entry("fresnel_sin", mp.fresnels, ANY),
    Entry("fresnel_cos", mp.fresnelc, ANY),
    Entry("wave", lambda x: mp.sin(mp.pi * x * x / 2), ANY, {"k": 0}),
    Entry("wave", lambda x: -mp.cos(mp.pi * x * x / 2), ANY, {"k": 3}),
    Entry("dawsn", dawson, ANY),
    Entry("dawsn_slope", lambda x: 1 - 2 * x * dawson(x), ANY, {"n": 1}),
    Entry("spence", lambda x: mp.re(mp.polylog(2, 1 - x)), ((2.5, 1.0), (1.1, 0.3))),
    Entry("log_quotient", lambda x: mp.log(x) / (1 - x), ((2.5, 1.0), (1.1, 0.3)), {"n": 0}),
    Entry("angle", lambda x: mp.mpf(0), ((2.0, 1.5),)),
    Entry("abs", abs, SIDES),
    Entry("sign", mp.sign, SIDES),
    Entry("relu", lambda x: max(x, mp.mpf(0)), SIDES),
    Entry("relu6", lambda x: min(max(x, mp.mpf(0)), mp.mpf(6)), (*SIDES, (9.0, 1.5))),
    Entry("step", lambda x: mp.mpf(x > 0), SIDES),
    Entry("box", lambda x: mp.mpf(-1 < x < 4), SIDES, {"low": -1.0, "high": 4.0}),
    Entry("leaky_relu", lambda x: x if x > 0 else mp.mpf(0.2) * x, SIDES, {"alpha": 0.2}),
    Entry("leaky_relu_slope", lambda x: mp.mpf(1 if x > 0 else 0.2), SIDES, {"alpha": 0.2}),
]
# What has a sample over all reals and an oracle, and no centres of its own above.
OWN = {e.op for e in ENTRIES}
ENTRIES += [Entry(n, f, ANY) for n, f, _ in cases.FUNCTIONS if n not in OWN and UNARY[n][0][0] == REAL and table[n].partials]


PURE = [(k, 0) for k in range(1, 7)]


def derivatives(y: Any, x: Any, t: Any, orders: Any) -> dict[tuple[int, int], Any]:
    """Return nested gradients of y, by x and t."""
    found = {(0, 0): y}

    def at(k: int, m: int) -> Any:
        if (k, m) not in found:
            found[k, m] = nested(at(k, m - 1), t) if m else nested(at(k - 1, 0), x)
        return found[k, m]

    return {(k, m): at(k, m) for k, m in orders}


def session_run(fetches: dict[Any, Any], feeds: dict[Any, Any]) -> tuple[dict[Any, Any], list[Any]]:
    """Run what is not None, and tell how the derivatives were found."""
    with choices() as how, tf.compat.v1.Session() as session:
        return session.run({k: f for k, f in fetches.items() if f is not None}, feeds), how


def by_taylor(how: list[Any]) -> None:
    assert how
    assert {c.method for c in how} == {"taylor"}, [c for c in how if c.method != "taylor"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.op}{[*e.attrs.values()] or ''}")
def test_function_of_one_number(entry: Entry) -> None:
    for centre, radius in entry.where:

        def f(s: Any, centre: float = centre, radius: float = radius) -> Any:
            return entry.f(centre + radius * inner(mp, s))

        exact = [Differences(f, a) for a in (X + SLANT * T)[:, 0].tolist()]
        by_order = {k: np.array([[float(d(k))] for d in exact]) for k in range(1, 7)}
        for dtype, rtol in ((tf.float64, entry.rtol), (tf.float32, entry.narrow)):
            with tf.Graph().as_default():
                x, t = columns(None, "x", "t", dtype=dtype)
                u = centre + radius * inner(tf, x + SLANT * t)
                orders = [*PURE, *MIXED] if dtype == tf.float64 else [*PURE, (2, 2)]
                found, how = session_run(derivatives(operation(entry.op, u, **entry.attrs), x, t, orders), {x: X, t: T})
            by_taylor(how)
            for (k, m), value in found.items():
                expected = SLANT**m * by_order[k + m]
                assert value.dtype == dtype.as_numpy_dtype
                close(value, expected, rtol, f"{entry.op}, order {k}, {m}, {dtype.name}")


# --- elementwise operations of several inputs --------------------------------------------------------------------------


class Several(NamedTuple):
    """An elementwise operation of several inputs."""

    op: str
    f: Callable[..., Any]
    where: tuple[tuple[float, float], ...]
    """The centre and radius of each input; those of radius 0 are constants, by which no derivative is stated."""
    attrs: dict[str, Any] = {}  # noqa: RUF012
    note: str = ""


def clip(x: Any, low: Any, high: Any) -> Any:
    return max(min(x, high), low)


def remainder(x: Any, y: Any) -> Any:
    return x - y * mp.floor(x / y)


def truncated_remainder(x: Any, y: Any) -> Any:
    q = x / y
    return x - y * (mp.floor(q) if q > 0 else mp.ceil(q))


SEVERAL = [
    Several("add", lambda a, b: a + b, ((0.5, 1.0), (-0.3, 0.7))),
    Several("subtract", lambda a, b: a - b, ((0.5, 1.0), (-0.3, 0.7))),
    Several("add_n", lambda a, b, c: a + b + c, ((0.5, 1.0), (-0.3, 0.7), (0.2, 0.4))),
    Several("multiply", lambda a, b: a * b, ((0.5, 1.0), (-0.3, 0.7))),
    Several("multiply_no_nan", lambda a, b: a * b, ((0.5, 1.0), (1.3, 0.7))),
    Several("divide", lambda a, b: a / b, ((0.5, 1.0), (2.0, 0.9))),
    Several("divide_no_nan", lambda a, b: a / b, ((0.5, 1.0), (2.0, 0.9))),
    Several("xdivy", lambda a, b: a / b, ((0.5, 1.0), (2.0, 0.9))),
    Several("power", lambda a, b: a**b, ((1.5, 0.8), (0.4, 0.9))),
    Several("hypot", mp.hypot, ((0.5, 1.0), (2.0, 0.9))),
    Several("direction", lambda a, b: a / mp.hypot(a, b), ((0.5, 1.0), (2.0, 0.9))),
    Several("squared_difference", lambda a, b: (a - b) ** 2, ((0.5, 1.0), (2.0, 0.9))),
    Several("atan2", mp.atan2, ((0.5, 1.0), (2.0, 0.9))),
    Several("atan2", mp.atan2, ((0.5, 1.0), (-2.0, 0.9)), note="behind the branch cut's side"),
    Several("xlogy", lambda a, b: a * mp.log(b), ((0.5, 1.0), (2.0, 0.9))),
    Several("xlog1py", lambda a, b: a * mp.log1p(b), ((0.5, 1.0), (1.2, 0.9))),
    Several("logaddexp", lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), ((0.5, 1.0), (0.2, 0.9))),
    Several("maximum", max, ((3.0, 1.0), (0.2, 0.9))),
    Several("maximum", max, ((-3.0, 1.0), (0.2, 0.9)), note="second"),
    Several("minimum", min, ((3.0, 1.0), (0.2, 0.9))),
    Several("minimum", min, ((-3.0, 1.0), (0.2, 0.9)), note="second"),
    Several("maximum_first", max, ((3.0, 1.0), (0.2, 0.9))),
    Several("maximum_first", max, ((-3.0, 1.0), (0.2, 0.9)), note="second"),
    Several("clip", clip, ((0.3, 0.6), (-2.0, 0.5), (2.5, 0.5))),
    Several("clip", clip, ((-5.3, 0.6), (-2.0, 0.5), (2.5, 0.5)), note="below"),
    Several("clip", clip, ((5.3, 0.6), (-2.0, 0.5), (2.5, 0.5)), note="above"),
    Several("clip", clip, ((0.3, 0.2), (2.5, 0.5), (-2.0, 0.5)), note="bounds crossed"),
    Several("remainder", remainder, ((5.0, 0.3), (2.0, 0.1))),
    Several("remainder", remainder, ((-5.0, 0.3), (2.0, 0.1)), note="negative"),
    Several("truncated_remainder", truncated_remainder, ((5.0, 0.3), (2.0, 0.1))),
    Several("truncated_remainder", truncated_remainder, ((-5.0, 0.3), (2.0, 0.1)), note="negative"),
    Several("nextafter", lambda a, b: a, ((0.5, 1.0), (4.0, 0.9))),
    Several("zeta", mp.zeta, ((2.3, 0.0), (1.5, 0.8))),
    Several("igamma", lambda a, x: mp.gammainc(a, 0, x, regularized=True), ((1.5, 0.0), (1.5, 0.8))),
    Several("igammac", lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), ((1.5, 0.0), (1.5, 0.8))),
    Several("gamma_density", lambda a, x: x ** (a - 1) * mp.exp(-x) / mp.gamma(a), ((1.7, 0.6), (1.5, 0.8))),
    Several("betainc", lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), ((0.5, 0.0), (1.5, 0.0), (0.45, 0.4))),
    Several(
        "beta_density", lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b), ((0.9, 0.3), (1.5, 0.5), (0.45, 0.3))
    ),
]
INNER = [
    lambda xp, x, t: xp.sin(0.8 * x + 0.5 * t) * 0.9,
    lambda xp, x, t: 0.4 * xp.cos(0.6 * x - 0.9 * t) + 0.25 * xp.sin(x * t),
    lambda xp, x, t: 0.5 * xp.sin(1.1 * x * t + 0.3),
]
"""What the inputs are made of: functions of x and t, of absolute value below 1 near the points."""
BOTH = [(1, 0), (0, 1), (1, 1), (3, 0), (2, 1), (1, 2), (2, 2), (4, 1), (0, 5), (3, 3), (6, 0)]


@pytest.mark.parametrize("entry", SEVERAL, ids=lambda e: f"{e.op}[{e.note}]" if e.note else e.op)
def test_function_of_several_numbers(entry: Several) -> None:
    def inputs(xp: Any, x: Any, t: Any) -> list[Any]:
        return [c + r * f(xp, x, t) if r else c for (c, r), f in zip(entry.where, INNER, strict=False)]

    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        y = operation(entry.op, *[tf.constant(u, tf.float64) if isinstance(u, float) else u for u in inputs(tf, x, t)])
        found, how = session_run(derivatives(y, x, t, BOTH), {x: X, t: T})
    by_taylor(how)
    exact = [Differences(lambda *p: entry.f(*inputs(mp, *p)), a, b) for a, b in zip(X.flat, T.flat, strict=True)]
    for orders, value in found.items():
        close(value, [[float(d(*orders))] for d in exact], TOLERANCE, f"{entry.op}, order {orders}")


@pytest.mark.parametrize(
    "entry", [e for e in SEVERAL if len(e.where) == 2], ids=lambda e: f"{e.op}[{e.note}]" if e.note else e.op
)
def test_each_input_has_a_coordinate_of_its_own(entry: Several) -> None:
    def inputs(xp: Any, x: Any, t: Any) -> list[Any]:
        (c, r), (d, s) = entry.where
        return [c + r * xp.sin(x) if r else c, d + s * xp.cos(t + 0.4)]

    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        y = operation(entry.op, *[tf.constant(u, tf.float64) if isinstance(u, float) else u for u in inputs(tf, x, t)])
        wanted = {(k, m): nested(y, *[t] * m, *[x] * k) for k, m in [(1, 1), (2, 1), (1, 2), (3, 3)]}
        found, how = session_run(wanted, {x: X, t: T}) if any(g is not None for g in wanted.values()) else ({}, None)
    exact = [Differences(lambda *p: entry.f(*inputs(mp, *p)), a, b) for a, b in zip(X.flat, T.flat, strict=True)]
    for orders, g in wanted.items():
        expected = np.array([[float(d(*orders))] for d in exact])
        if g is None:
            np.testing.assert_allclose(expected, 0, atol=1e-30)
        else:
            close(found[orders], expected, TOLERANCE, f"{entry.op}, order {orders}")
    if how:
        by_taylor(how)


# --- complex numbers on the way ---------------------------------------------------------------------------------------

COMPLEX = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sech_squared": lambda z: 1 / mp.cosh(z) ** 2,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "sqrt": mp.sqrt,
    "rsqrt": lambda z: 1 / mp.sqrt(z),
    "reciprocal": lambda z: 1 / z,
    "square": lambda z: z * z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "negative": lambda z: -z,
    "conj": mp.conj,
    "abs": abs,
    "angle": mp.arg,
    "real": mp.re,
    "imag": mp.im,
}


@pytest.mark.parametrize("name", COMPLEX)
def test_function_of_a_complex_number(name: str) -> None:
    def at(xp: Any, x: Any, t: Any) -> tuple[Any, Any]:
        return 1.4 + 0.5 * xp.sin(0.8 * x + 0.5 * t), 1.1 + 0.4 * xp.cos(0.6 * x - 0.9 * t)

    def exact(x: Any, t: Any) -> Any:
        w = COMPLEX[name](mp.mpc(*at(mp, x, t)))
        return mp.re(w) + 0.7 * mp.im(w)

    with tf.Graph().as_default():
        x, t = columns(None, "x", "t")
        w = operation(name, tf.complex(*at(tf, x, t)))
        y = tf.math.real(w) + 0.7 * tf.math.imag(w) if w.dtype.is_complex else w
        found, how = session_run(derivatives(y, x, t, [(1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (2, 2)]), {x: X, t: T})
    slope = table[name].slope if name in table else None
    if slope is None or slope.everywhere or not slope.value:  # it is not known how far from a branch point a complex number is
        by_taylor(how)
    points = [Differences(exact, a, b) for a, b in zip(X.flat, T.flat, strict=True)]
    for orders, value in found.items():
        close(value, [[float(d(*orders))] for d in points], TOLERANCE, f"{name}, order {orders}")


# --- linear and bilinear operations of the table, by exact linearity ---------------------------------------------------
# Input i is A_i sin(W_i x + P_i), element by element, with x one number; the derivatives of the inputs are known exactly,
# and those of the output are the oracle's value of them.


def movable(case: Any) -> list[int]:
    op = table[case.op]
    return [i for i, a in enumerate(case.inputs) if a.dtype.kind in "fc" and i not in op.constant_inputs]


def label(case: Any) -> str:
    return f"{case.op}[{case.note}]" if case.note else case.op


def of_kind(kind: str) -> list[Any]:
    chosen = [c for c in CASES if table[c.op].kind == kind and movable(c) and c.smooth]
    return [c for c in chosen if all(a.size for a in c.inputs)]


LINEAR, BILINEAR = of_kind("linear"), of_kind("bilinear")
ORDERS = 6


class Moving:
    """The inputs of a case as functions of one number, and their derivatives."""

    def __init__(self, case: Any) -> None:
        rng = np.random.default_rng(7)
        self.case, self.at = case, movable(case)
        shapes = [case.inputs[i].shape for i in self.at]
        self.speeds = [rng.uniform(0.4, 1.2, s) for s in shapes]
        self.phases = [rng.uniform(0.0, 3.0, s) for s in shapes]

    def tensors(self, x: Any) -> list[Any]:
        moving = iter(zip(self.at, self.speeds, self.phases, strict=True))
        found = []
        for i, a in enumerate(self.case.inputs):
            if i in self.at:
                _, w, p = next(moving)
                wave = tf.sin(w * x + p)
                found.append(tf.constant(a) * (tf.cast(wave, tf.complex128) if a.dtype.kind == "c" else wave))
            else:
                found.append(tf.constant(a))
        return found

    def arrays(self, x: float, order: int, positions: Any = None) -> list[Any]:
        """Return the inputs' derivatives of an order; of those at other positions the values."""
        found = [np.array(a) for a in self.case.inputs]
        for i, w, p in zip(self.at, self.speeds, self.phases, strict=True):
            k = order if positions is None or i in positions else 0
            found[i] = found[i] * w**k * np.sin(w * x + p + k * np.pi / 2)
        return found


def real_numbers(value: Any, kinds: list[bool]) -> list[Any]:
    """Return several values as real arrays; ``kinds``: whether each is complex."""
    found = []
    for v, both in zip(value if isinstance(value, tuple) else (value,), kinds, strict=True):
        v = np.asarray(v)
        found += [v.real, v.imag] if both else [v.astype(np.float64)]
    return found


def weighed(ys: Any, rng: Any) -> Any:
    """Return a sum of outputs with random weights, as a tensor, and the same function of arrays."""
    ys = ys if isinstance(ys, tuple | list) else [ys]
    total, weights, kinds = 0.0, [], [y.dtype.is_complex for y in ys]
    for y in ys:
        for part in (tf.math.real(y), tf.math.imag(y)) if y.dtype.is_complex else (y,):
            w = rng.uniform(0.5, 1.5, tuple(part.shape.as_list()) if part.shape.is_fully_defined() else ())
            weights.append(w)
            total = total + tf.reduce_sum(tf.cast(part, tf.float64) * w)
    return total, lambda value: sum(np.sum(v * w) for v, w in zip(real_numbers(value, kinds), weights, strict=True))


def by_orders(case: Any, x0: float) -> tuple[Any, Any, list[Any]]:
    """Return the derivatives of orders 1 to 6 of a weighted sum of a case's outputs, the weights, and how."""
    moving = Moving(case)
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [])
        y, weigh = weighed(operation(case.op, *moving.tensors(x), **case.attrs), np.random.default_rng(3))
        gs = {k: nested(y, *[x] * k) for k in range(1, ORDERS + 1)}
        found, how = session_run(gs, {x: x0})
    return found, weigh, how


@pytest.mark.parametrize("case", LINEAR, ids=label)
def test_linear_operation(case: Any) -> None:
    x0 = 0.4
    found, weigh, how = by_orders(case, x0)
    moving = Moving(case)
    for k in range(1, ORDERS + 1):
        expected = weigh(case.oracle(*moving.arrays(x0, k)))
        if k in found:
            close(found[k], expected, TOLERANCE, f"order {k}", scale=1.0)
        else:
            assert abs(expected) < 1e-15
    if how:
        by_taylor([c for c in how if c.order > 1])


@pytest.mark.parametrize("case", BILINEAR, ids=label)
def test_bilinear_operation(case: Any) -> None:
    x0 = 0.4
    found, weigh, how = by_orders(case, x0)
    moving = Moving(case)
    left, right = moving.at
    for k in range(1, ORDERS + 1):
        expected = 0.0
        for j in range(k + 1):
            a, b = moving.arrays(x0, j, [left]), moving.arrays(x0, k - j, [right])
            expected += math.comb(k, j) * weigh(case.oracle(a[left], b[right]))
        close(found[k], expected, TOLERANCE, f"order {k}", scale=1.0)
    by_taylor([c for c in how if c.order > 1])


# --- linear operations on rows -----------------------------------------------------------------------------------------
# V(x) has one row for each x, and columns x (of which the coefficient is one row for all), 0.5 x², sin x and a constant.


def stacked(x: Any) -> Any:
    return tf.concat([x, 0.5 * x * x, tf.sin(x), tf.ones_like(x) * 0.7], 1)


def stacked_derivative(x: Any, k: int) -> Any:
    parts = [
        [x, np.ones_like(x)][k] if k < 2 else 0 * x,
        [0.5 * x * x, x, np.ones_like(x)][k] if k < 3 else 0 * x,
        np.sin(x + k * np.pi / 2),
        0.7 + 0 * x if k == 0 else 0 * x,
    ]
    return np.concatenate(parts, 1)


MASK = np.array([True, False, True, False])
C = np.array([[0.3, -0.7, 1.1, 0.4], [1.2, 0.5, -0.2, 0.9], [0.1, 0.8, 0.6, -1.3]])
ON_ROWS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "concat": (lambda v: tf.concat([v, v[:, 1:3]], 1), lambda v: np.concatenate([v, v[:, 1:3]], 1)),
    "concat, a part constant": (
        lambda v: tf.concat([v[:, 0:1], tf.zeros_like(v[:, :1]) + 3.0, v], 1),
        lambda v: np.concatenate([v[:, 0:1], 0 * v[:, :1], v], 1),
    ),
    "concat, a part of known rows": (
        lambda v: tf.concat([v[:, 0:1], tf.constant([[3.0]] * 3, tf.float64), v], 1),
        lambda v: np.concatenate([v[:, 0:1], 0 * v[:, :1], v], 1),
    ),
    "stack": (lambda v: tf.stack([v, 2.0 * v], 1), lambda v: np.stack([v, 2.0 * v], 1)),
    "stack in front": (lambda v: tf.stack([v, 2.0 * v], 0), lambda v: np.stack([v, 2.0 * v], 0)),
    "split": (lambda v: tf.split(v, 2, 1)[1] - tf.split(v, [1, 2, 1], 1)[1], lambda v: v[:, 2:] - v[:, 1:3]),
    "unstack": (lambda v: tf.unstack(v, axis=1)[0] - 2.0 * tf.unstack(v, axis=1)[2], lambda v: v[:, 0] - 2.0 * v[:, 2]),
    "getitem": (lambda v: v[:, ::-2][:, None], lambda v: v[:, ::-2][:, None]),
    "getitem of a column": (lambda v: v[:, 0] * 2.0, lambda v: v[:, 0] * 2.0),
    "pad": (lambda v: tf.pad(v, [[0, 0], [1, 2]]), lambda v: np.pad(v, [[0, 0], [1, 2]])),
    "pad, reflected": (lambda v: tf.pad(v, [[0, 0], [1, 2]], "REFLECT"), lambda v: np.pad(v, [[0, 0], [1, 2]], "reflect")),
    "tile": (lambda v: tf.tile(v, [1, 2]), lambda v: np.tile(v, [1, 2])),
    "reverse": (lambda v: tf.reverse(v, [1]), lambda v: v[:, ::-1]),
    "roll": (lambda v: tf.roll(v, 1, 1), lambda v: np.roll(v, 1, 1)),
    "cumsum": (lambda v: tf.cumsum(v, axis=1), lambda v: np.cumsum(v, 1)),
    "cumsum, exclusive": (
        lambda v: tf.cumsum(v, axis=1, exclusive=True, reverse=True),
        lambda v: np.cumsum(v[:, ::-1], 1)[:, ::-1] - v,
    ),
    "transpose": (lambda v: tf.transpose(v), lambda v: v.T),
    "transpose there and back": (lambda v: tf.transpose(3.0 * tf.transpose(v)), lambda v: 3.0 * v),
    "reshape": (lambda v: tf.reshape(v, [-1, 2, 2]), lambda v: v.reshape(-1, 2, 2)),
    "expand_dims": (lambda v: tf.expand_dims(v, 0), lambda v: v[None]),
    "squeeze": (lambda v: tf.squeeze(tf.expand_dims(v, 1), 1), lambda v: v),
    "sum": (lambda v: tf.reduce_sum(v, 1), lambda v: v.sum(1)),
    "sum, kept": (lambda v: v + tf.reduce_sum(v, 1, keepdims=True), lambda v: v + v.sum(1, keepdims=True)),
    "mean": (lambda v: v - tf.reduce_mean(v, 1, keepdims=True), lambda v: v - v.mean(1, keepdims=True)),
    "broadcast": (lambda v: tf.broadcast_to(v[:, :1], tf.shape(v)), lambda v: v[:, :1] + 0 * v),
    "broadcast against a column": (lambda v: v[:, :1] - v, lambda v: v[:, :1] - v),
    "where": (lambda v: tf.where(MASK, v, -2.0 * v), lambda v: np.where(MASK, v, -2.0 * v)),
    "where, one a constant": (lambda v: tf.where(MASK, v, 5.0), lambda v: np.where(MASK, v, 0.0)),
    "take": (lambda v: tf.gather(v, [2, 0, 2], axis=1), lambda v: v[:, [2, 0, 2]]),
    "take_along_axis": (
        lambda v: tf.gather(v, tf.constant([[2, 0]] * 3), axis=1, batch_dims=1),
        lambda v: v[:, [2, 0]],
    ),
    "diag": (lambda v: tf.linalg.diag(v), lambda v: np.stack([np.diag(r) for r in v])),
    "diag_part": (lambda v: tf.linalg.diag_part(tf.reshape(v, [-1, 2, 2])), lambda v: v[:, [0, 3]]),
    "band_part": (
        lambda v: tf.linalg.band_part(tf.reshape(v, [-1, 2, 2]), -1, 0),
        lambda v: np.tril(v.reshape(-1, 2, 2)),
    ),
    "set_diag": (
        lambda v: tf.linalg.set_diag(tf.reshape(v, [-1, 2, 2]), v[:, 1:3]),
        lambda v: np.stack([np.array([[r[1], r[1]], [r[2], r[2]]]) for r in v]),
    ),
    "matmul from the right": (lambda v: tf.matmul(v, C.T), lambda v: v @ C.T),
    "matmul, transposed": (lambda v: tf.matmul(v, C, transpose_b=True), lambda v: v @ C.T),
    "matmul, from the left on columns": (lambda v: tf.matmul(C, v, transpose_b=True), lambda v: C @ v.T),
    "einsum": (lambda v: tf.einsum("ni,ki->nk", v, tf.constant(C)), lambda v: v @ C.T),
    "tensordot": (lambda v: tf.tensordot(v, C, [[1], [1]]), lambda v: v @ C.T),
    "fft": (lambda v: tf.math.imag(tf.signal.fft(tf.cast(v, tf.complex128))), lambda v: np.fft.fft(v).imag),
    "ifft": (lambda v: tf.math.real(tf.signal.ifft(tf.cast(v, tf.complex128))), lambda v: np.fft.ifft(v).real),
    "complex": (lambda v: tf.math.real(tf.math.conj(tf.complex(v, 2.0 * v))), lambda v: v),
    "linspace": (lambda v: tf.linspace(v[:, 0], v[:, 2], 3, axis=1),
                 lambda v: np.stack([v[:, 0], (v[:, 0] + v[:, 2]) / 2, v[:, 2]], 1)),
    "identity": (lambda v: tf.identity(tf.ensure_shape(v, [None, 4])), lambda v: v),
    "scan's sums": (lambda v: tf.add_n([v, v, -v]), lambda v: v),
}  # fmt: skip
POINTS = np.array([[-0.9], [0.3], [1.2]])


@pytest.mark.parametrize("rows", [None, 3])
@pytest.mark.parametrize("name", ON_ROWS)
def test_linear_operation_on_rows(name: str, rows: int | None) -> None:
    f, exact = ON_ROWS[name]
    shape = exact(stacked_derivative(POINTS, 0)).shape
    weights = np.random.default_rng(4).uniform(0.5, 1.5, shape)
    with tf.Graph().as_default():
        x = columns(rows, "x")[0]
        y = f(stacked(x)) * weights
        found, how = session_run({k: nested(y, *[x] * k) for k in range(1, ORDERS + 1)}, {x: POINTS})
    by_taylor(how)
    for k, value in found.items():
        weighted = weights * exact(stacked_derivative(POINTS, k))
        assert weighted.shape == shape
        at = [a for a, s in enumerate(shape) if s == 3]
        at = at[0] if len(at) == 1 else at[-1] if "left" in name or name == "transpose" else at[0]
        expected = np.moveaxis(weighted, at, 0).reshape(3, -1).sum(1, keepdims=True)
        close(value, expected, TOLERANCE, f"{name}, order {k}", scale=1.0)
    assert len(found) == ORDERS


# --- operations that are not linear, on a matrix in each row -----------------------------------------------------------


class Implicit(NamedTuple):
    """A function of matrices whose entries are functions of x."""

    f: Callable[..., Any]
    """Of a tensor (n, 3, 3) and one (n, 3, 2): a tensor of n rows."""
    exact: Callable[..., Any]
    """Of matrices of mpmath, one row: a list of the numbers in the row."""
    symmetric: bool = False
    order: int = 6
    rtol: float = TOLERANCE
    digits: int = 170
    taylor: bool = True


A0 = np.array([[3.0, 0.5, -0.3], [0.2, 4.5, 0.4], [-0.6, 0.1, 6.5]])
A1 = np.array([[0.5, 0.3, 0.2], [-0.4, 0.6, 0.1], [0.3, -0.2, 0.4]])
A2 = np.array([[0.2, -0.1, 0.3], [0.1, 0.25, -0.2], [0.15, 0.3, -0.2]])
B0 = np.array([[0.7, -0.4], [0.3, 1.1], [-0.8, 0.2]])
B1 = np.array([[0.4, 0.6], [-0.5, 0.3], [0.2, 0.9]])


def matrix(xp: Any, x: Any, symmetric: bool, kind: Any) -> tuple[Any, Any]:
    """Return A(x) and B(x)."""
    a0, a1, a2 = ((m + m.T) / 2 if symmetric else m for m in (A0, A1, A2))
    return kind(a0) + kind(a1) * xp.sin(x) + kind(a2) * (x * x), kind(B0) + kind(B1) * xp.cos(0.7 * x)


def flat(m: Any) -> list[Any]:
    return [m[i, j] for i in range(m.rows) for j in range(m.cols)]


def lower(a: Any, unit: bool = False) -> Any:
    return mp.matrix([[a[i, j] if i >= j else mp.mpf(0) for j in range(a.cols)] for i in range(a.rows)])


def eigenvalues(a: Any) -> list[Any]:
    return sorted(mp.eigsy(a, eigvals_only=True))


def projector(a: Any) -> list[Any]:
    e, q = mp.eigsy(a)
    at = min(range(a.rows), key=lambda i: e[i])
    return [q[i, at] * q[j, at] for i in range(a.rows) for j in range(a.rows)]


def gram_schmidt(a: Any) -> tuple[Any, Any]:
    """Q and R with a positive diagonal."""
    n = a.cols
    q, r = a.copy(), mp.zeros(n, n)
    for j in range(n):
        for i in range(j):
            r[i, j] = sum(q[k, i] * a[k, j] for k in range(a.rows))
            for k in range(a.rows):
                q[k, j] -= r[i, j] * q[k, i]
        r[j, j] = mp.sqrt(sum(q[k, j] ** 2 for k in range(a.rows)))
        for k in range(a.rows):
            q[k, j] /= r[j, j]
    return q, r


def running_products(v: list[Any]) -> list[Any]:
    return [mp.fprod(v[: k + 1]) for k in range(len(v))]


def recurrence(a: list[Any], b: list[Any]) -> list[Any]:
    found, last = [], mp.mpf(0)
    for p, q in zip(a, b, strict=True):
        last = p * last + q
        found.append(last)
    return found


def row(m: Any, i: int) -> list[Any]:
    return [m[i, j] for j in range(m.cols)]


def of_diagonals(d: Any) -> Any:
    return mp.matrix([[d[1 + i - j, i] if abs(i - j) < 2 else mp.mpf(0) for j in range(3)] for i in range(3)])


def column(m: Any, j: int) -> list[Any]:
    return [m[i, j] for i in range(m.rows)]


IMPLICIT = {
    "matmul": Implicit(lambda a, b: tf.matmul(a, tf.matmul(a, b)), lambda a, b: flat(a * a * b)),
    "matmul, transposed": Implicit(
        lambda a, b: tf.matmul(b, a, transpose_a=True, transpose_b=True), lambda a, b: flat(b.T * a.T)
    ),
    "einsum": Implicit(lambda a, b: tf.einsum("nij,njk,nlk->nil", a, b, b), lambda a, b: flat(a * b * b.T)),
    "inverse": Implicit(lambda a, b: tf.linalg.inv(a), lambda a, b: flat(a**-1)),
    "solve": Implicit(lambda a, b: tf.linalg.solve(a, b), lambda a, b: flat(a**-1 * b)),
    "solve, adjoint": Implicit(lambda a, b: tf.linalg.solve(a, b, adjoint=True), lambda a, b: flat(a.T**-1 * b)),
    "triangular_solve": Implicit(lambda a, b: tf.linalg.triangular_solve(a, b), lambda a, b: flat(lower(a) ** -1 * b)),
    "triangular_solve, upper, adjoint": Implicit(
        lambda a, b: tf.linalg.triangular_solve(a, b, lower=False, adjoint=True), lambda a, b: flat(lower(a.T) ** -1 * b)
    ),
    "tridiagonal_solve": Implicit(
        lambda a, b: tf.linalg.tridiagonal_solve(a, b), lambda a, b: flat(of_diagonals(a) ** -1 * b)
    ),
    "lu": Implicit(lambda a, b: tf.linalg.lu(a).lu, lambda a, b: flat(mp.mp.LU_decomp(a)[0])),
    "cholesky": Implicit(lambda a, b: tf.linalg.cholesky(a), lambda a, b: flat(mp.cholesky(a)), symmetric=True),
    "det": Implicit(lambda a, b: tf.linalg.det(a)[:, None], lambda a, b: [mp.det(a)]),
    "slogdet": Implicit(lambda a, b: tf.linalg.slogdet(a)[1][:, None], lambda a, b: [mp.log(mp.det(a))]),
    "eigh": Implicit(lambda a, b: tf.linalg.eigh(a)[0], lambda a, b: eigenvalues(a), symmetric=True, digits=140),
    "eigh, vectors": Implicit(
        lambda a, b: tf.linalg.eigh(a)[1][:, :, :1] * tf.linalg.matrix_transpose(tf.linalg.eigh(a)[1][:, :, :1]),
        lambda a, b: projector(a),
        symmetric=True,
        digits=140,
        taylor=False,  # one vector of several: where eigenvalues meet, the others' infinite slopes are for reverse mode to judge
    ),
    "eig": Implicit(
        lambda a, b: tf.math.real(tf.reduce_sum(tf.exp(-tf.linalg.eig(a)[0]), -1, keepdims=True)),
        lambda a, b: [sum(mp.exp(-e) for e in mp.eigsy(a, eigvals_only=True))],
        symmetric=True,
        digits=140,
    ),
    "svd": Implicit(
        lambda a, b: tf.linalg.svd(b, compute_uv=False),
        lambda a, b: [mp.sqrt(e) for e in eigenvalues(b.T * b)[::-1]],
        digits=140,
    ),
    "svd, vectors": Implicit(
        lambda a, b: tf.matmul(tf.linalg.svd(b)[1][:, :, 1:], tf.linalg.svd(b)[2][:, :, 1:], transpose_b=True),
        lambda a, b: flat(b * mp.matrix([projector(b.T * b)[:2], projector(b.T * b)[2:]]) / mp.sqrt(eigenvalues(b.T * b)[0])),
        digits=140,
        taylor=False,
    ),
    "qr": Implicit(lambda a, b: tf.linalg.qr(b)[0] ** 2, lambda a, b: [v * v for v in flat(gram_schmidt(b)[0])]),
    "qr, triangle": Implicit(lambda a, b: tf.linalg.qr(b)[1] ** 2, lambda a, b: [v * v for v in flat(gram_schmidt(b)[1])]),
    "pinv": Implicit(lambda a, b: tf.linalg.pinv(b), lambda a, b: flat((b.T * b) ** -1 * b.T)),
    "expm": Implicit(lambda a, b: tf.linalg.expm(a / 4.0), lambda a, b: flat(mp.expm(a / 4)), digits=140),
    "logm": Implicit(lambda a, b: tf.linalg.logm(tf.matmul(a, a)), lambda a, b: flat(logarithm(a)), digits=140, rtol=1e-10),
    "sqrtm": Implicit(lambda a, b: tf.linalg.sqrtm(tf.matmul(a, a)), lambda a, b: flat(a), rtol=1e-10),
    "prod": Implicit(lambda a, b: tf.reduce_prod(a[:, :, 0], 1, keepdims=True), lambda a, b: [mp.fprod(column(a, 0))]),
    "prod of zeros": Implicit(
        lambda a, b: tf.reduce_prod(tf.concat([tf.zeros_like(b[:, :1, 0]), b[:, :, 0]], 1), 1, keepdims=True),
        lambda a, b: [mp.mpf(0)],
    ),
    "cumprod": Implicit(lambda a, b: tf.math.cumprod(a[:, :, 0], axis=1), lambda a, b: running_products(column(a, 0))),
    "recurrence": Implicit(
        lambda a, b: operation("recurrence", a[:, :, 0], b[:, :, 1], axis=1, reverse=False),
        lambda a, b: recurrence(column(a, 0), column(b, 1)),
    ),
    "max": Implicit(lambda a, b: tf.reduce_max(a, -1), lambda a, b: [max(row(a, i)) for i in range(3)]),
    "min": Implicit(lambda a, b: tf.reduce_min(a, [1, 2])[:, None], lambda a, b: [min(flat(a))]),
    "softmax": Implicit(
        lambda a, b: tf.nn.softmax(b),
        lambda a, b: [mp.exp(b[i, j]) / (mp.exp(b[i, 0]) + mp.exp(b[i, 1])) for i in range(3) for j in range(2)],
    ),
    "logsumexp": Implicit(
        lambda a, b: tf.reduce_logsumexp(b, -1), lambda a, b: [mp.log(mp.exp(b[i, 0]) + mp.exp(b[i, 1])) for i in range(3)]
    ),
    # The rule of rows does not follow indices, so it refuses the gather of a sort.
    "sort": Implicit(
        lambda a, b: tf.sort(b, -1) ** 2, lambda a, b: [v * v for i in range(3) for v in sorted(row(b, i))], taylor=False
    ),
}  # fmt: skip


def logarithm(a: Any) -> Any:
    """The logarithm of A², by the series of the logarithm about the unit after taking square roots."""
    n = a.rows
    one = mp.eye(n)
    x, doublings = a, 1
    while mp.norm(x - one, 1) > mp.mpf(10) ** -8:
        y, z = x, one.copy()
        for _ in range(40):  # Denman and Beavers
            y, z, old = (y + z**-1) / 2, (z + y**-1) / 2, y
            if mp.norm(y - old, 1) < mp.mpf(10) ** (-mp.mp.dps + 5):
                break
        x, doublings = y, doublings * 2
    d, total, power = x - one, mp.zeros(n), one
    for k in range(1, mp.mp.dps // 8 + 2):
        power = power * d
        total += power * ((-1) ** (k + 1) * mp.mpf(1) / k)
    return total * (2 * doublings)


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@pytest.mark.parametrize("name", IMPLICIT)
def test_operation_on_a_matrix_in_each_row(name: str) -> None:
    by_matrices(name, lambda f, a, b: f(a, b), IMPLICIT[name].order)


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@pytest.mark.parametrize("name", IMPLICIT)
def test_operation_on_a_matrix_in_a_branch(name: str) -> None:
    """The coefficients of the matrices enter the branch from outside."""
    by_matrices(name, lambda f, a, b: tf.cond(tf.constant(1.0) > 0.0, lambda: f(a, b), lambda: 2.0 * f(a, b)), 3, 2)


def by_matrices(name: str, apply: Any, order: int, rows: int | None = None) -> None:
    entry = IMPLICIT[name]
    points = POINTS[1:]

    def numbers(s: Any) -> list[Any]:
        return entry.exact(*matrix(mp, s, entry.symmetric, lambda m: mp.matrix(m.tolist())))

    count = len(numbers(mp.mpf(0.3)))
    weights = np.random.default_rng(6).uniform(0.5, 1.5, count)
    exact = [Differences(lambda s: mp.fdot(numbers(s), weights.tolist()), a, digits=entry.digits) for a in points[:, 0].tolist()]
    with tf.Graph().as_default():
        x = columns(rows, "x")[0]
        a, b = matrix(tf, x[:, :, None], entry.symmetric, lambda m: tf.constant(m[None]))
        y = apply(entry.f, a, b)
        w = weights.reshape(entry.f(a, b).shape.as_list()[1:])
        found, how = session_run({k: nested(y * w, *[x] * k) for k in range(1, order + 1)}, {x: points})
    for k, value in found.items():
        close(value, [[float(d(k))] for d in exact], entry.rtol, f"{name}, order {k}")
    assert len(found) == order
    if entry.taylor and rows is None:
        by_taylor(how)


# --- choices and loops -------------------------------------------------------------------------------------------------


class Control(NamedTuple):
    """A function with a choice or a loop in it; ``flag`` is a number that does not depend on x."""

    f: Callable[[Any, Any], Any]
    exact: Callable[[Any, int], Any]


def chain(f: Callable[[Any], Any], start: Any, count: int) -> Any:
    for _ in range(count):
        start = f(start)
    return start


def scanned(xp_sin: Any, x: Any, rows: Any) -> Any:
    total, last = 0, x * 0
    for k in rows:
        last = xp_sin(last + x * k)
        total = total + last * (1 + mp.mpf(k))
    return total


ELEMENTS = [0.3, 0.8, -0.5]
CONTROL = {
    "cond": Control(
        lambda x, flag: tf.cond(flag > 0, lambda: tf.sin(x) * x, lambda: tf.exp(0.3 * x)),
        lambda x, flag: mp.sin(x) * x if flag > 0 else mp.exp(mp.mpf(0.3) * x),
    ),
    "cond, one branch constant": Control(
        lambda x, flag: tf.cond(flag > 0, lambda: tf.sin(x) * x, lambda: tf.zeros_like(x) + 2.0),
        lambda x, flag: mp.sin(x) * x if flag > 0 else mp.mpf(2),
    ),
    "cond, one branch linear": Control(
        lambda x, flag: tf.sin(tf.cond(flag > 0, lambda: x, lambda: x * x)),
        lambda x, flag: mp.sin(x if flag > 0 else x * x),
    ),
    "cond of a function of x, used on": Control(
        lambda x, flag: tf.exp(tf.cond(flag > 0, lambda: [tf.sin(x), x**2], lambda: [x**3, tf.cos(x)])[1]) * x,
        lambda x, flag: mp.exp(x**2 if flag > 0 else mp.cos(x)) * x,
    ),
    "cond in a cond": Control(
        lambda x, flag: tf.cond(
            flag > 0, lambda: tf.cond(flag > 2, lambda: tf.sin(x), lambda: tf.cos(x) * x), lambda: tf.exp(-x)
        ),
        lambda x, flag: mp.sin(x) if flag > 2 else mp.cos(x) * x if flag > 0 else mp.exp(-x),
    ),
    "while": Control(
        lambda x, flag: tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, tf.sin(y + 0.5 * x)), (0, x))[1],
        lambda x, flag: chain(lambda y: mp.sin(y + x / 2), x, 4),
    ),
    "while, from a constant": Control(
        lambda x, flag: tf.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, tf.sin(y) + x * x), (0, tf.zeros_like(x) + 0.25)
        )[1],
        lambda x, flag: chain(lambda y: mp.sin(y) + x * x, mp.mpf(0.25), 3),
    ),
    "while, as long as a flag says": Control(
        lambda x, flag: tf.while_loop(lambda n, y: n > 0, lambda n, y: (n - 1.0, y * x + 1.0), (flag, x))[1],
        lambda x, flag: chain(lambda y: y * x + 1, x, max(0, int(flag))),
    ),
    "while, two carried": Control(
        lambda x, flag: tf.while_loop(
            lambda i, y, z: i < 3, lambda i, y, z: (i + 1, tf.sin(z), y * x), (0, x, x * x)
        )[2],
        lambda x, flag: chain(lambda p: (mp.sin(p[1]), p[0] * x), (x, x * x), 3)[1],
    ),
    "while in a while": Control(
        lambda x, flag: tf.while_loop(
            lambda i, y: i < 2,
            lambda i, y: (
                i + 1,
                tf.while_loop(lambda j, z: j < 2, lambda j, z: (j + 1, tf.sin(z) + 0.25 * y), (0, y * x))[1],
            ),
            (0, x),
        )[1],
        lambda x, flag: chain(lambda y: chain(lambda z: mp.sin(z) + y / 4, y * x, 2), x, 2),
    ),
    "cond in a while": Control(
        lambda x, flag: tf.while_loop(
            lambda i, y: i < 4,
            lambda i, y: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: tf.sin(y) * x, lambda: y + 0.5 * y * y)),
            (0, x),
        )[1],
        lambda x, flag: chain(lambda y: (lambda z: z + z * z / 2)(mp.sin(y) * x), x, 2),
    ),
    "scan": Control(
        lambda x, flag: tf.reduce_sum(
            tf.scan(lambda a, k: tf.sin(a + x * k), tf.constant(ELEMENTS, tf.float64), initializer=tf.zeros_like(x))
            * (1.0 + tf.constant(ELEMENTS, tf.float64))[:, None, None],
            0,
        ),
        lambda x, flag: scanned(mp.sin, x, ELEMENTS),
    ),
    "foldl": Control(
        lambda x, flag: tf.foldl(lambda a, k: tf.exp(0.1 * a) * x * k, tf.constant(ELEMENTS, tf.float64), initializer=x),
        lambda x, flag: fold(x),
    ),
}  # fmt: skip


def fold(x: Any) -> Any:
    a = x
    for k in ELEMENTS:
        a = mp.exp(mp.mpf(0.1) * a) * x * mp.mpf(k)
    return a


@pytest.mark.parametrize("name", CONTROL)
def test_choices_and_loops(name: str) -> None:
    entry = CONTROL[name]
    orders = [*[(k, 0) for k in range(1, 6)], (1, 1), (2, 2), (1, 3)]
    with tf.Graph().as_default():
        x, t = columns(2, "x", "t")
        flag = tf.compat.v1.placeholder(tf.float64, [])
        y = entry.f(x + 0.75 * t, flag)
        found = derivatives(y, x, t, orders)
        with choices() as how, tf.compat.v1.Session() as session:
            for value in (3.0, 1.0, -1.0):
                got = session.run({k: g for k, g in found.items() if g is not None}, {x: X, t: T, flag: value})
                exact = [Differences(lambda s, v=value: entry.exact(s, v), a) for a in (X + SLANT * T)[:, 0].tolist()]
                for (k, m), g in got.items():
                    expected = [[SLANT**m * float(d(k + m))] for d in exact]
                    close(g, expected, TOLERANCE, f"{name}, flag {value}, order {k}, {m}", scale=1e-3)
    by_taylor(how)


def test_a_loop_that_ends_by_the_value_of_a_number() -> None:
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [])
        y = tf.while_loop(
            lambda y: tf.abs(y**3 - x) > 1e-13,
            lambda y: ((2.0 * y + x / y**2) / 3.0,),
            (x,),
        )
        y = y[0] if isinstance(y, list | tuple) else y
        gs = {k: nested(y, *[x] * k) for k in range(1, 4)}
        found, how = session_run(gs, {x: 2.0})
    steps, y0 = 0, 2.0
    while abs(y0**3 - 2.0) > 1e-13:
        y0, steps = (2.0 * y0 + 2.0 / y0**2) / 3.0, steps + 1
    exact = Differences(lambda s: chain(lambda y: (2 * y + s / y**2) / 3, s, steps), 2.0)
    for k, g in found.items():
        close(g, float(exact(k)), 1e-10, f"order {k}")
    by_taylor([c for c in how if c.order > 1])


# --- series that are asked for by name -----------------------------------------------------------------------------------


def series(f: Callable[..., Any], count: int, given: dict[Any, Any], wanted: list[Any], seeds: int, at: Any) -> Any:
    """Return coefficients by the TAYLOR node of f at arrays, those of its inputs being given."""
    from wengert.derive import request

    with tf.Graph().as_default():
        xs = [tf.compat.v1.placeholder(tf.float64, np.shape(a)) for a in at]
        ys = f(*xs)
        ys = list(ys) if isinstance(ys, tuple | list) else [ys]
        found = request.series(ys, xs, {key: tf.constant(np.asarray(c)) for key, c in given.items()}, wanted, seeds)
        with tf.compat.v1.Session() as session:
            return session.run(found, dict(zip(xs, at, strict=True)))


def test_series_of_one_seed() -> None:
    """The curve x(s) = x + a s + b s²/2 + c s³/6 of each element."""
    rng = np.random.default_rng(1)
    x, a, b, c = rng.uniform(-0.8, 0.8, (4, 2, 3))
    given = {(0, (0,)): a, (0, (0, 0)): b, (0, (0, 0, 0)): c}
    wanted = [(0, (0,) * k) for k in range(1, 7)]
    found = series(lambda x: tf.exp(tf.sin(x)) * tf.tanh(x), 1, given, wanted, 1, [x])
    for at in np.ndindex(2, 3):
        x0, a0, b0, c0 = (v[at] for v in (x, a, b, c))

        def curve(s: Any, x0: Any = x0, a0: Any = a0, b0: Any = b0, c0: Any = c0) -> Any:
            p = mp.mpf(x0) + mp.mpf(a0) * s + mp.mpf(b0) * s**2 / 2 + mp.mpf(c0) * s**3 / 6
            return mp.exp(mp.sin(p)) * mp.tanh(p)

        exact = Differences(curve, 0.0)
        for k in range(1, 7):
            np.testing.assert_allclose(found[k - 1][at], float(exact(k)), rtol=1e-11, atol=1e-11)


def test_series_of_two_seeds() -> None:
    """X(s, r) = X + A s + B r + C s r, through products of matrices, an inverse and two outputs."""
    rng = np.random.default_rng(2)
    x, a, b, c = 0.3 * rng.standard_normal((4, 3, 3)) + np.array([3 * np.eye(3), 0 * np.eye(3), 0 * np.eye(3), 0 * np.eye(3)])
    y, d = rng.standard_normal((2, 3, 2))
    given = {(0, (0,)): a, (0, (1,)): b, (0, (0, 1)): c, (1, (1,)): d}
    indices = [(0,), (1,), (0, 1), (0, 0), (1, 1), (0, 0, 1), (0, 1, 1), (0, 0, 1, 1)]
    wanted = [(j, i) for j in (0, 1) for i in indices]
    found = series(lambda x, y: (tf.matmul(tf.linalg.inv(x), y), tf.linalg.det(x)), 2, given, wanted, 2, [x, y])

    def curve(s: Any, r: Any) -> tuple[Any, Any]:
        m = [mp.matrix(v.tolist()) for v in (x, a, b, c)]
        return m[0] + m[1] * s + m[2] * r + m[3] * s * r, mp.matrix(y.tolist()) + mp.matrix(d.tolist()) * r

    for (j, i), value in zip(wanted, found, strict=True):
        k, m = i.count(0), i.count(1)
        if j == 1:
            exact = Differences(lambda s, r: mp.det(curve(s, r)[0]), 0.0, 0.0)
            np.testing.assert_allclose(value, float(exact(k, m)), rtol=1e-11, atol=1e-11)
            continue
        for at in np.ndindex(3, 2):
            exact = Differences(lambda s, r, at=at: (curve(s, r)[0] ** -1 * curve(s, r)[1])[at[0], at[1]], 0.0, 0.0)
            np.testing.assert_allclose(value[at], float(exact(k, m)), rtol=1e-11, atol=1e-11)


def test_series_that_is_zero() -> None:
    x = np.array([1.0, 2.0])
    found = series(lambda x: (x * x, tf.stop_gradient(x), 3.0 * x), 1, {(0, (0,)): x},
                   [(0, (0, 0, 0)), (1, (0,)), (2, (0, 0)), (2, (0,)), (0, (0, 0))], 1, [x])  # fmt: skip
    np.testing.assert_array_equal(found, [0 * x, 0 * x, 0 * x, 3 * x, 2 * x * x])


def test_series_without_given_coefficients_of_an_input() -> None:
    """The coefficients that are not given are zero, so those of the output come of the others alone."""
    x, y = np.array([0.3, 0.7]), np.array([1.1, 0.4])
    found = series(lambda x, y: x * tf.sin(y), 2, {(1, (0,)): np.ones(2)}, [(0, (0,)), (0, (0, 0))], 1, [x, y])
    np.testing.assert_allclose(found, [x * np.cos(y), -x * np.sin(y)], rtol=1e-14)


def test_series_through_what_states_none() -> None:
    @tf.custom_gradient
    def f(x: Any) -> Any:
        return x * x, lambda g: 7.0 * g

    with pytest.raises(NotImplementedError, match="custom_gradient states no series"):
        series(f, 1, {(0, (0,)): np.ones(2)}, [(0, (0,))], 1, [np.ones(2)])


# --- only what is asked for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", range(1, 7))
def test_one_order_alone(order: int) -> None:
    """No lower derivative is fetched, and each is used once."""
    with tf.Graph().as_default():
        x = columns(None, "x")[0]
        y = tf.tanh(tf.matmul(tf.sin(tf.matmul(x, C[:1, :3])), C[:, :1]))
        found, how = session_run({0: nested(y, *[x] * order)}, {x: POINTS})
    w, v = C[0, :3].tolist(), C[:, 0].tolist()
    exact = [Differences(lambda s: mp.tanh(sum(b * mp.sin(a * s) for a, b in zip(w, v, strict=True))), a) for a in POINTS.flat]
    close(found[0], [[float(d(order))] for d in exact], TOLERANCE)
    by_taylor(how)


@pytest.mark.parametrize("order", range(1, 5))
@pytest.mark.parametrize("columns_", [(0,), (1,), (0, 1), (1, 2, 0)])
def test_columns_of_one_tensor(order: int, columns_: tuple[int, ...]) -> None:
    """x with three columns, and derivatives by slices of the gradient: one column after the other."""
    chosen = [columns_[k % len(columns_)] for k in range(order)]
    points = np.array([[0.3, -0.7, 0.9], [-0.4, 0.2, 0.6]])
    with tf.Graph().as_default():
        z = tf.compat.v1.placeholder(tf.float64, [None, 3], name="z")
        g = tf.sin(tf.matmul(z, C[:, :3])) * z[:, 1:2]
        for j in chosen:
            g = tf.gradients(g, z)[0][:, j : j + 1]
        found, how = session_run({0: g}, {z: points})

    def f(*z: Any) -> Any:
        return sum(mp.sin(sum(mp.mpf(C[i, k]) * z[i] for i in range(3))) for k in range(3)) * z[1]

    expected = [[float(Differences(f, *p)(*[chosen.count(j) for j in range(3)]))] for p in points.tolist()]
    close(found[0], expected, TOLERANCE)
    by_taylor(how)


# --- the table -----------------------------------------------------------------------------------------------------------

ALIASES = {"cond": "cond", "loop": "while"}
EXEMPT = {
    "adjugate": "is the derivative of det",
    "adjugate_change": "is the derivative of adjugate",
    "betainc_by": "is a derivative of betainc; tests/ops",
    "betaincinv": "has derivatives by each argument, which tests/ops holds",
    "igammainv": "has derivatives by each argument, which tests/ops holds",
    "igammacinv": "has derivatives by each argument, which tests/ops holds",
    "igamma_by": "is a derivative of igamma",
    "zeta_by": "is a derivative of zeta",
    "random_gamma": "draws random numbers; tests/ops",
    "range": "has no rule for rows; tests/ops",
    "fed": "is made by the lowering alone; test_lowering",
    "read_variable": "needs a variable; test_lowering",
    "gradient": "is what is lowered",
    "taylor": "is what is lowered; test_series_of_one_seed and those after it",
    "custom_gradient": "states no series; test_lowering",
    "py_function": "states no series; test_lowering",
    "call": "is what a tape records; tests/test_fields.py",
    "tensor_scatter_max": "has no rule for rows; test_scatter",
    "tensor_scatter_min": "has no rule for rows; test_scatter",
    "passed": "states no series; tests/test_bodies.py",
}
"""Operations with a derivative that are not in one of the tables here, and why."""


def test_every_operation_with_a_derivative_is_tested() -> None:
    tested = {e.op for e in (*ENTRIES, *SEVERAL)} | {c.op for c in (*LINEAR, *BILINEAR)} | {n.split(",")[0] for n in IMPLICIT}
    tested |= set(COMPLEX) | {ALIASES[n] for n in ALIASES if any(m.startswith(ALIASES[n]) for m in CONTROL)} | {"loop"}
    from wengert.ops.op import operations

    names = {op.name for op in operations() if op.kind not in ("constant", "unstated")}
    assert not names - tested - set(EXEMPT), " ".join(sorted(names - tested - set(EXEMPT)))
    assert not tested & set(EXEMPT)


@pytest.mark.parametrize("name, choose", [("tensor_scatter_max", np.maximum), ("tensor_scatter_min", np.minimum)])
def test_scatter(name: str, choose: Any) -> None:
    at = np.array([[0], [2], [2]], np.int32)

    def parts(xp: Any, x: Any) -> Any:
        return 0.3 + xp.sin(x) * np.array([1.0, 2.0, 0.1]), xp.sin(0.7 * x) * np.array([0.9, 1.5, -0.4]) + 0.2

    x0 = 0.4
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [])
        base, updates = parts(tf, x)
        y = operation(name, base, tf.constant(at), updates) * tf.constant([1.0, 2.0, 3.0], tf.float64)
        found, _ = session_run({k: nested(y, *[x] * k) for k in range(1, 5)}, {x: x0})
    base, updates = parts(np, x0)
    candidates = [
        [(base[0], 0, 0), (updates[0], 1, 0)],
        [(base[1], 0, 1)],
        [(base[2], 0, 2), (updates[1], 1, 1), (updates[2], 1, 2)],
    ]
    pick = max if choose is np.maximum else min
    for k, g in found.items():
        slopes = [np.sin(x0 + k * np.pi / 2) * np.array([1.0, 2.0, 0.1]),
                  0.7**k * np.sin(0.7 * x0 + k * np.pi / 2) * np.array([0.9, 1.5, -0.4])]  # fmt: skip
        expected = sum(w * slopes[pick(c)[1]][pick(c)[2]] for w, c in zip([1.0, 2.0, 3.0], candidates, strict=True))
        close(g, expected, TOLERANCE, f"order {k}")
