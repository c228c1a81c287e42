"""The samples of all operations, each with an oracle for its value that is not the code under test.

The inputs are those of `wengert.verify.samples`. Oracles are functions of them and of the attributes: mpmath at 50 digits for
functions of numbers and for matrices, NumPy and plain loops for what moves values, and for a stated adjoint the adjoint law
itself, applied to the oracle of what it is the adjoint of.
"""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from wengert.verify.samples import SAMPLES, Sample


class Case(NamedTuple):
    """One call of an operation."""

    op: str
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    sample: Sample
    oracle: Callable[..., Any]
    """The value (several outputs: a tuple), from the input arrays."""
    note: str = ""
    rtol: float = 1e-13
    atol: float = 0.0
    view: Callable[..., Any] | None = None
    """What is compared of (inputs, outputs), where outputs are not unique (signs of eigenvectors)."""
    loose: float = 2e-5
    """The relative error of the float32 value."""

    @property
    def smooth(self) -> bool:
        return self.sample.smooth

    @property
    def open(self) -> bool:
        return self.sample.open

    @property
    def enter(self) -> Any:
        return self.sample.enter

    @property
    def outputs(self) -> Any:
        return self.sample.outputs

    @property
    def first(self) -> bool:
        return self.sample.first


EXEMPT = {
    "absent": "stands for what nobody reads",
    "no_op": "computes nothing",
    "print": "computes nothing",
    "assert": "computes nothing",
}
"""Operations without a value that could be compared, and why; further those that cannot be called with arrays alone."""


def exempt(op: Any) -> str:
    """Return why an operation has no case; nothing if it has to have one."""
    if op.name in SAMPLES and not op.kind == "control":
        return ""
    return EXEMPT.get(op.name) or op.no_digits or ("holds graphs of its own" if op.kind in ("control", "custom") else "")


ORACLES: dict[tuple[str, str | None], dict[str, Any]] = {}


def oracle(ops: str, f: Callable[..., Any], note: str | None = None, **more: Any) -> None:
    """Enter the oracle f(*inputs, **attrs) of all samples of some operations, or of those with a note."""
    for op in ops.split():
        assert (op, note) not in ORACLES
        ORACLES[op, note] = {"oracle": f} | more


def given(ops: str, note: str, value: Any, **more: Any) -> None:
    """Enter what is to come out of one sample."""
    oracle(ops, lambda *inputs, **attrs: value, note, **more)


def cases() -> list[Case]:
    """Return the samples with their oracles; the numbers of each are its own, whatever is put into the table before."""
    found = []
    for op, samples in SAMPLES.items():
        for k, one in enumerate(samples):
            if one.call is None:
                rule = dict(ORACLES.get((op, one.note)) or ORACLES.get((op, None)) or {})
                assert rule, f"{op}: its sample {one.note!r} has no oracle here"
                inputs = one.draw(np.random.default_rng([20, *op.encode(), k]))
                value = partial(rule.pop("oracle"), **one.attrs)
                found.append(Case(op, inputs, one.attrs, one, value, one.note, **rule))
    return found


def exact(f: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluate a function of numbers with 50 digits, element by element."""

    def oracle(*arrays: Any, **attrs: Any) -> Any:
        mixed = np.broadcast_arrays(*arrays)
        values = []
        with mp.workdps(50):
            for items in zip(*[a.ravel() for a in mixed], strict=True):
                value = f(*[number(i) for i in items], **attrs)
                values.append(complex(value) if isinstance(value, complex | mp.mpc) else float(value))
        return np.array(values).reshape(mixed[0].shape)

    return oracle


def number(item: Any) -> Any:
    if isinstance(item, complex | np.complexfloating):
        return mp.mpc(complex(item))
    if isinstance(item, float | np.floating):
        return mp.mpf(float(item))
    return int(item)


def adjoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the oracle of the adjoint of a real linear map: of (g, x, ...), where x has the map's input shape.

    The map may use the inputs behind that one: f(x, *rest).
    """

    def oracle(g: Any, like: Any, *rest: Any, **attrs: Any) -> Any:
        x = np.zeros(like.shape)
        for i in np.ndindex(*x.shape):
            e = np.zeros(x.shape)
            e[i] = 1.0
            x[i] = np.sum(g * np.asarray(f(e, *rest, **attrs)))
        return x

    return oracle


def rows(f: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function of lists of numbers along an axis."""
    return lambda x, *, axis, **attrs: np.apply_along_axis(lambda v: np.array(f(list(v), **attrs)), axis, x)


# --- arithmetic -----------------------------------------------------------------------------------------------------

oracle("add", exact(lambda x, y: x + y))
oracle("subtract", exact(lambda x, y: x - y))
oracle("multiply", exact(lambda x, y: x * y))
oracle("divide", exact(lambda x, y: x / y))
oracle("negative", exact(lambda x: -x))
oracle("divide_no_nan", exact(lambda x, y: x / y if y else 0))
oracle("multiply_no_nan", exact(lambda x, y: x * y if y else 0))
oracle("add_n", lambda *xs: sum(xs))
oracle("floor_divide", exact(lambda x, y: mp.floor(mp.mpf(x) / y)))
oracle("remainder", exact(lambda x, y: x - y * mp.floor(mp.mpf(x) / y)), rtol=1e-12)
oracle("truncated_remainder", exact(lambda x, y: x - y * mp.sign(mp.mpf(x) / y) * mp.floor(abs(mp.mpf(x) / y))), rtol=1e-12)
oracle("integer_power", exact(lambda x, n: x**n))
oracle("real_power", exact(lambda x, p: x ** mp.mpf(p)))
oracle("power", exact(lambda x, y: x**y))
oracle("square", exact(lambda x: x * x))
oracle("hypot", exact(mp.hypot))
oracle("hypot", exact(mp.hypot), "extremes", loose=math.inf)
oracle("direction", exact(lambda x, y: x / mp.hypot(x, y)))
oracle("squared_difference", exact(lambda x, y: (x - y) ** 2))


# --- functions of one number ----------------------------------------------------------------------------------------


def sinc(x: Any) -> Any:
    return mp.sin(x) / x if x else mp.mpf(1)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def log_sigmoid(x: Any) -> Any:
    return -mp.log1p(mp.exp(-x))


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x))


def ndtri(x: Any) -> Any:
    return mp.sqrt(2) * mp.erfinv(2 * x - 1)


def dawson(x: Any) -> Any:
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def log_gamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


def odd_root(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def parameter_slope(a: Any, x: Any, n: int) -> Any:
    """Return ∂P/∂a(a, x) by a difference of the smaller of P and 1 - P, with the digits that it needs."""
    if not 0 < x < mp.inf:
        return mp.mpf(0)
    with mp.workdps(90):
        h = mp.mpf(10) ** -20 * a
        ends = (0, x) if x < a else (x, mp.inf)
        values = [mp.gammainc(a + s * h, *ends, regularized=True) for s in (1, -1)]
        return (values[0] - values[1]) / (2 * h) * (1 if x < a else -1)


FUNCTIONS: list[tuple[str, Any, float]] = [
    ("sqrt", mp.sqrt, 1e-15),
    ("rsqrt", lambda x: 1 / mp.sqrt(x), 1e-15),
    ("cbrt", odd_root, 1e-15),
    ("reciprocal", lambda x: 1 / x, 1e-15),
    ("exp", mp.exp, 1e-15),
    ("exp2", lambda x: mp.power(2, x), 1e-15),
    ("expm1", mp.expm1, 1e-15),
    ("log", mp.log, 1e-14),
    ("log1p", mp.log1p, 1e-14),
    ("sin", mp.sin, 1e-14),
    ("cos", mp.cos, 1e-14),
    ("tan", mp.tan, 1e-14),
    ("asin", mp.asin, 1e-14),
    ("acos", mp.acos, 1e-14),
    ("atan", mp.atan, 1e-14),
    ("sinh", mp.sinh, 1e-14),
    ("cosh", mp.cosh, 1e-14),
    ("tanh", mp.tanh, 1e-14),
    ("sech_squared", lambda x: 1 / mp.cosh(x) ** 2, 1e-14),
    ("asinh", mp.asinh, 1e-14),
    ("acosh", mp.acosh, 1e-14),
    ("atanh", mp.atanh, 1e-14),
    ("asin_slope", lambda x: 1 / mp.sqrt((1 - x) * (1 + x)), 1e-14),
    ("atan_slope", lambda x: 1 / (1 + x * x), 1e-11),
    ("asinh_slope", lambda x: 1 / mp.sqrt(1 + x * x), 1e-14),
    ("atanh_slope", lambda x: 1 / ((1 - x) * (1 + x)), 1e-14),
    ("sinc_unnormalised", sinc, 1e-14),
    ("sigmoid", sigmoid, 1e-14),
    ("softplus", softplus, 1e-14),
    ("log_sigmoid", log_sigmoid, 1e-14),
    ("softsign", lambda x: x / (1 + abs(x)), 1e-15),
    ("erf", mp.erf, 1e-14),
    ("erfc", mp.erfc, 1e-13),
    ("erfinv", mp.erfinv, 1e-13),
    ("erfcinv", lambda x: mp.erfinv(1 - x), 1e-13),
    ("ndtr", mp.ncdf, 1e-13),
    ("ndtri", ndtri, 1e-13),
    ("lgamma", log_gamma, 1e-13),
    ("digamma", mp.digamma, 1e-13),
    ("bessel_i0", lambda x: mp.besseli(0, x), 1e-14),
    ("bessel_i1", lambda x: mp.besseli(1, x), 1e-14),
    ("bessel_i0e", lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), 1e-14),
    ("bessel_i1e", lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), 1e-14),
    ("bessel_j0", lambda x: mp.besselj(0, x), 1e-13),
    ("bessel_j1", lambda x: mp.besselj(1, x), 1e-13),
    ("bessel_y0", lambda x: mp.bessely(0, x), 1e-13),
    ("bessel_y1", lambda x: mp.bessely(1, x), 1e-13),
    ("bessel_k0", lambda x: mp.besselk(0, x), 1e-13),
    ("bessel_k1", lambda x: mp.besselk(1, x), 1e-13),
    ("bessel_k0e", lambda x: mp.exp(x) * mp.besselk(0, x), 1e-13),
    ("bessel_k1e", lambda x: mp.exp(x) * mp.besselk(1, x), 1e-13),
    ("expint", mp.ei, 1e-13),
    ("fresnel_sin", mp.fresnels, 1e-13),
    ("fresnel_cos", mp.fresnelc, 1e-13),
    ("dawsn", dawson, 1e-13),
    ("spence", lambda x: mp.re(mp.polylog(2, 1 - x)), 1e-13),
]
for name, f, rtol in FUNCTIONS:
    oracle(name, exact(f), rtol=rtol)
    oracle(name, exact(f), "extremes", rtol=rtol, loose=math.inf)
    oracle(name, exact(f), "complex")
oracle("dawsn_slope", exact(lambda x, n: mp.diff(dawson, x, n)), rtol=1e-12)
oracle("dawsn_slope", exact(lambda x, n: 1 - 2 * x * dawson(x)), "ends")
oracle("wave", exact(lambda x, k: mp.sin(mp.pi / 2 * (x * x + k))), atol=1e-15)
oracle("wave", exact(lambda x, k: mp.sin(mp.pi / 2 * (x * x + k))), "far", loose=math.inf)
oracle("log_quotient", exact(lambda x, n: mp.diff(lambda t: mp.log(t) / (1 - t), x, n)))
given("log_quotient", "at one", [1.5])
oracle("polygamma", exact(lambda x, n: mp.psi(n, x)))
BESSEL = {
    "i": mp.besseli, "ie": lambda n, x: mp.exp(-x) * mp.besseli(n, x), "j": mp.besselj, "y": mp.bessely, "k": mp.besselk,
    "ke": lambda n, x: mp.exp(x) * mp.besselk(n, x),
}  # fmt: skip
oracle("bessel", exact(lambda x, family, n: BESSEL[family](n, x)))
oracle(
    "spherical_bessel",
    exact(lambda x, n: (-1) ** (n * (x < 0)) * mp.sqrt(mp.pi / 2 / abs(x)) * mp.besselj(n + 0.5, abs(x))),
)
oracle("zeta", exact(mp.zeta))
oracle("igamma", exact(lambda a, x: mp.gammainc(a, 0, x, regularized=True)))
oracle("igammac", exact(lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True)))
oracle("betainc", exact(lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True)), rtol=1e-12)


def bisected(f: Any, low: float, high: float) -> Any:
    """Return where an increasing function is zero."""
    low, high = mp.mpf(low), mp.mpf(high)
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return low


oracle("igammainv", exact(lambda a, p: bisected(lambda x: mp.gammainc(a, 0, x, regularized=True) - p, 0, 1000)), rtol=1e-12)
oracle("igammacinv", exact(lambda a, p: bisected(lambda x: p - mp.gammainc(a, x, mp.inf, regularized=True), 0, 1000)), rtol=1e-12)
oracle("betaincinv", exact(lambda a, b, p: bisected(lambda x: mp.betainc(a, b, 0, x, regularized=True) - p, 0, 1)), rtol=1e-12)
oracle("igamma_by", exact(lambda a, x, n: mp.diff(lambda t: mp.gammainc(t, 0, x, regularized=True), a, n)))
oracle("igamma_by", exact(parameter_slope), "extremes", rtol=1e-12, loose=math.inf)
DENSITY = exact(lambda a, x: x ** (a - 1) * mp.exp(-x) / mp.gamma(a))
oracle("gamma_density", DENSITY)
BY = exact(lambda a, b, x, m, n: mp.diff(lambda s, t: mp.betainc(s, t, 0, x, regularized=True), (a, b), (m, n)) if x else 0)
oracle("betainc_by", BY, rtol=1e-12)
oracle("betainc_by", BY, "extremes", rtol=1e-11, loose=math.inf)
BETA_DENSITY = exact(lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b))
oracle("beta_density", BETA_DENSITY)
oracle("beta_density", BETA_DENSITY, "extremes", loose=1e-2)
oracle("zeta_by", exact(lambda s, q, n: mp.zeta(s, q, n)))
oracle("polygamma_order", lambda n: n)
oracle("xlogy", exact(lambda x, y: x * mp.log(y) if x else 0))
oracle("xlog1py", exact(lambda x, y: x * mp.log1p(y) if x else 0))
oracle("xdivy", exact(lambda x, y: x / y if x else 0))
oracle("logaddexp", exact(lambda x, y: mp.log(mp.exp(x) + mp.exp(y))))
oracle("atan2", exact(mp.atan2))
oracle("relu", exact(lambda x: max(x, 0)))
oracle("relu6", exact(lambda x: min(max(x, 0), 6)))
oracle("step", exact(lambda x: int(x > 0)))
oracle("box", exact(lambda x, low, high: int(low < x < high)))
oracle("leaky_relu_slope", exact(lambda x, alpha: 1 if x > 0 else alpha))
oracle("leaky_relu", exact(lambda x, alpha: x if x > 0 else mp.mpf(alpha) * x))
oracle("elu", exact(lambda x, alpha, scale: mp.mpf(scale) * (x if x > 0 else mp.mpf(alpha) * mp.expm1(x))))
oracle("elu_slope", exact(lambda x, alpha, scale: mp.mpf(scale) * (1 if x > 0 else mp.mpf(alpha) * mp.exp(x))))

# --- piecewise ------------------------------------------------------------------------------------------------------

oracle("abs", exact(abs))
oracle("sign", exact(mp.sign))
oracle("floor", exact(mp.floor), loose=math.inf)
oracle("ceil", exact(mp.ceil), loose=math.inf)
oracle("round", exact(mp.nint), loose=math.inf)
oracle("trunc", exact(lambda x: mp.floor(x) if x > 0 else mp.ceil(x)), loose=math.inf)
oracle("maximum maximum_first", exact(max))
oracle("minimum", exact(min))
oracle("clip", exact(lambda x, a, b: min(max(x, a), b)))
oracle("nextafter", lambda x, y: [math.nextafter(a, b) for a, b in zip(x, y, strict=True)], loose=math.inf)
given("nextafter", "ends", [1 + 2.0**-52, 2.0**-1074, -3.0], loose=math.inf)
oracle("where", exact(lambda c, x, y: x if c else y))

# --- complex numbers ------------------------------------------------------------------------------------------------

oracle("real", exact(mp.re))
oracle("imag", exact(mp.im))
oracle("conj", exact(mp.conj))
oracle("complex", exact(lambda x, y: mp.mpc(x, y)))
oracle("angle", exact(mp.arg))

# --- comparisons, logic, bits ---------------------------------------------------------------------------------------

for name, f in [
    ("equal", lambda x, y: x == y),
    ("not_equal", lambda x, y: x != y),
    ("less", lambda x, y: x < y),
    ("less_equal", lambda x, y: x <= y),
    ("greater", lambda x, y: x > y),
    ("greater_equal", lambda x, y: x >= y),
]:
    oracle(name, exact(f))
given("equal", "strings", [True, False])
given("not_equal", "strings", [False, True])
oracle("logical_and", exact(lambda x, y: x and y))
oracle("logical_or", exact(lambda x, y: x or y))
oracle("logical_xor", exact(lambda x, y: x != y))
oracle("logical_not", exact(lambda x: not x))
given("is_finite", "", [1, 0, 0, 0, 1])
given("is_inf", "", [0, 1, 1, 0, 0])
given("is_nan", "", [0, 0, 0, 1, 0])
oracle("bitwise_and", exact(lambda x, y: x & y))
oracle("bitwise_or", exact(lambda x, y: x | y))
oracle("bitwise_xor", exact(lambda x, y: x ^ y))
oracle("invert", exact(lambda x: ~x))
oracle("left_shift", exact(lambda x, y: x << y))
oracle("right_shift", exact(lambda x, y: x >> y))

# --- sources, copies, shapes ----------------------------------------------------------------------------------------

given("constant", "", [1, 2])
oracle("identity stop_gradient shaped linked", lambda x, *others: x)
oracle("ensure_shape", lambda x, shape: x)
oracle("cast", lambda x, dtype: x)
oracle("cast", exact(lambda x, dtype: int(x)), "to int32")
oracle("cast", exact(lambda x, dtype: mp.re(x)), "to real")
oracle("cast", exact(lambda x, dtype: bool(x)), "to bool")
given("bitcast", "", [0x3FF << 52, -(1 << 62)], loose=math.inf)
given("bitcast", "smaller", [[1, 0, 0, 0], [0, 1, 0, 0]])
given("bitcast", "larger", [1, 256])
given("zeros_like", "", np.zeros((2, 3)))
given("ones_like", "", np.ones((2, 3)))
given("shape", "", [2, 3])
given("size", "", 6)
oracle("fill", lambda x, *dims, shape: [[x] * 3] * 2)
oracle("range", lambda a, b, c: [a + k * c for k in range(math.ceil((b - a) / c))], loose=1e-5)
given("range", "empty", np.zeros(0))
oracle("linspace", lambda a, b, num, axis: np.stack([a + (b - a) * k / 4 for k in range(num)], axis), rtol=1e-12)


def broadcast(x: Any, *sizes: Any, shape: Any = None) -> Any:
    """Repeat a value in a loop over the places of the result."""
    shape = tuple(sizes[0]) if shape is None else shape
    out = np.zeros(shape)
    for at in np.ndindex(*shape):
        own = at[len(shape) - x.ndim :]
        out[at] = x[tuple(0 if x.shape[k] == 1 else own[k] for k in range(x.ndim))]
    return out


oracle("sum_like", lambda g, x: adjoint(lambda e: broadcast(e, shape=g.shape))(g, x), rtol=1e-12)
oracle("sum_to", lambda g, shape: adjoint(lambda e: broadcast(e, shape=g.shape))(g, np.zeros(shape)), rtol=1e-12)
oracle("broadcast_like", lambda x, y: broadcast(x, shape=y.shape))
oracle("broadcast_to", broadcast)


def in_order(x: Any, *like: Any, shape: Any = None) -> Any:
    """Put the elements, in order, into rows of two."""
    values = [x[at] for at in np.ndindex(*x.shape)]
    return [values[k : k + 2] for k in range(0, len(values), 2)]


oracle("reshape reshape_like", in_order)
given("reshape", "empty", np.zeros((3, 0)))
oracle("reshape", lambda x, shape: x[0], "scalar")
oracle("transpose", lambda x, axes: [[[x[j, k, i] for k in range(3)] for j in range(2)] for i in range(2)])
oracle("transpose", lambda x, axes: np.einsum("jki->ijk", x), "negative")
oracle("transpose", lambda x, axes: [x[:, 0], x[:, 1], x[:, 2]], "reversed")
oracle("transpose_by", lambda x, perm, back: np.einsum("ijk->kij", x))
oracle("matrix_transpose", lambda x: np.einsum("ijk->ikj", x))
oracle("expand_dims", lambda x, axis: np.stack([x], axis))
oracle("squeeze", lambda x, axis: x[0, :, 0] if axis is None else x[:, :, 0])
oracle("tile", lambda x, *times, multiples: np.concatenate([x, x], 0 if multiples == (2, 1) else 1))
oracle("tile_transpose", lambda g, x, *times, multiples: g[:2] + g[2:] if multiples == (2, 1) else g[:, :3] + g[:, 3:])


def padded(mode: str, before: int, after: int) -> Callable[[list[Any]], list[Any]]:
    def of(v: list[Any]) -> list[Any]:
        n = len(v)
        if mode == "constant":
            return [0.0] * before + v + [0.0] * after
        if mode == "reflect":
            period = v + v[-2:0:-1]
            return [period[k % max(1, 2 * n - 2)] for k in range(-before, n + after)]
        period = v + v[::-1]
        return [period[k % (2 * n)] for k in range(-before, n + after)]

    return of


def pad(x: Any, *pairs: Any, paddings: Any, mode: str, value: Any) -> Any:
    for axis, (before, after) in enumerate(pairs[0] if paddings is None else paddings):
        x = rows(padded(mode, before, after))(x, axis=axis)
    return x


oracle("pad", pad)
oracle("pad_transpose", adjoint(pad))
oracle("reverse", lambda x, axis: np.stack([x[:, 2], x[:, 1], x[:, 0]], 1))
oracle("reverse", lambda x, axis: x.ravel()[::-1].reshape(2, 3), "two axes")
oracle("roll", lambda x, shift, axis: [x[3], x[0], x[1], x[2]])
oracle("roll", lambda x, shift, axis: [[x[1 - i, (j + 1) % 3] for j in range(3)] for i in range(2)], "two axes")

# --- joining and parting --------------------------------------------------------------------------------------------

oracle("concat", lambda *parts, axis: [row for x in parts for row in x])
oracle("concat", lambda *parts, axis: [[v for x in parts for v in x[i]] for i in range(2)], "axis=-1")
oracle("concat", lambda *parts, axis: [[v for x in parts for v in x[i]] for i in range(2)], "one of them empty")
given("concat", "strings", np.array([b"a", b"bc"], object))
oracle("concat_part", lambda g, a, b, axis, i: g[2:])
oracle("stack", lambda a, b, axis: [a, b])
oracle("stack", lambda a, b, axis: [[[a[i, j], b[i, j]] for j in range(3)] for i in range(2)], "axis=-1")
oracle("unstack", lambda x, axis, num: (x[0], x[1], x[2]))
oracle("unstack", lambda x, axis, num: (x[:, 0], x[:, 1]), "axis=-1")
oracle("split", lambda x, axis, parts: (x[:2], x[2:]))
oracle("split", lambda x, axis, parts: (x[:, :1], x[:, 1:3], x[:, 3:]), "sizes")
PARTS = [
    lambda x: [x[i, 1] for i in range(4)],
    lambda x: [[x[i, 2 - j] for j in range(3)] for i in (0, 2)],
    lambda x: [[[x[i, 1], x[i, 2]]] for i in range(4)],
    lambda x: [x[3, 1], x[3, 2]],
    lambda x: [x[3], x[1]],
    lambda x: np.zeros((0, 3)),
]
for k, f in enumerate(PARTS):
    oracle("getitem", lambda x, index, f=f: f(x), f"{k}")
    oracle("getitem_transpose", adjoint(lambda x, index, f=f: f(x)), f"{k}")
oracle("getitem", lambda x, a, b, index: [x[1, 0], x[2, 0]], "dynamic")
oracle("getitem", lambda x, a, index: x[2], "dynamic integer")
oracle("getitem_transpose", lambda g, x, a, b, index: [[0, 0, 0], [g[0], 0, 0], [g[1], 0, 0], [0, 0, 0]], "dynamic")

# --- gather and scatter ---------------------------------------------------------------------------------------------


def taken(x: Any, at: Any, axis: int, batch_dims: int) -> Any:
    """Take in a loop over the places of the result."""
    axis = axis % x.ndim
    own = at.shape[batch_dims:]
    out = np.zeros((*x.shape[:axis], *own, *x.shape[axis + 1 :]))
    for place in np.ndindex(*out.shape):
        before, inner, after = place[:axis], place[axis : axis + len(own)], place[axis + len(own) :]
        out[place] = x[(*before, at[(*before[:batch_dims], *inner)], *after)]
    return out


oracle("take", taken)
oracle("take_transpose", adjoint(taken))


def along(x: Any, i: Any, axis: int) -> Any:
    return np.array([[x[r, i[r, c]] if axis else x[i[r, c], c] for c in range(i.shape[1])] for r in range(i.shape[0])])


oracle("take_along_axis", along)
oracle("take_along_axis_transpose", adjoint(along))


def gathered(x: Any, at: Any, batch_dims: int) -> Any:
    """Gather in a loop over the tuples of coordinates."""
    lead = at.shape[:-1]
    out = np.zeros((*lead, *x.shape[batch_dims + at.shape[-1] :]))
    for place in np.ndindex(*lead):
        out[place] = x[(*place[:batch_dims], *at[place])]
    return out


oracle("gather_nd", gathered)
oracle("gather_nd_transpose", adjoint(gathered))
oracle("scatter_nd", lambda u, i, *dims, shape: [u[0], 0 * u[0], 0 * u[0], u[1] + u[2]])


def scattered(how: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def oracle(x: Any, indices: Any, updates: Any) -> Any:
        result = np.array(x)
        lead = indices.shape[:-1]
        for k in itertools.product(*map(range, lead)):
            at = tuple(indices[k])
            result[at] = how(result[at], updates[k])
        return result

    return oracle


oracle("tensor_scatter_update", scattered(lambda a, b: b))
oracle("tensor_scatter_add", scattered(lambda a, b: a + b))
oracle("tensor_scatter_min", scattered(np.minimum))
oracle("tensor_scatter_max", scattered(np.maximum))
given("scatter_winner", "", [[1], [0], [1]])
oracle("segment_sum", lambda x, i, num: [x[1], x[0] + x[2], *([0 * x[0]] if num else [])])
oracle("segment_sum", lambda x, i, num: [x[0, 0], x[0, 1] + x[1, 0] + x[1, 1]], "matrix")
oracle("segment_take", lambda g, i: [g[1], g[0], g[1], 0 * g[0]])
oracle("segment_sum_like", lambda x, i, y: [x[1], x[0] + x[2], 0 * x[0]])
oracle("checked_places", lambda places, whole: places)
given("nonzero", "", [[0, 1], [1, 0]])
given("nonzero", "scalar", np.zeros((1, 0)))
given("nonzero", "none", np.zeros((0, 1)))
oracle("one_hot", lambda x, *depths, **attrs: [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]])
given("one_hot", "axis=0", [[-1] * 4, [5, -1, -1, -1], [-1, -1, 5, -1]])
given("searchsorted", "left", [1, 0, 4])
given("searchsorted", "right", [3, 0, 4])
given("searchsorted", "rows", [[1, 2, 0], [1, 0, 1]])
given("invert_permutation", "", [1, 2, 0])
given("repeat_index", "", [0, 0, 2])
given("repeat_index", "each", [0, 0, 1, 1, 2, 2])
given("partition", "", ([[1]], [[0], [2]], [[3]]))
given("broadcast_shape", "", [2, 4, 3])
oracle("reverse_sequence", lambda x, n, axis, batch_axis: [[x[0, 2], x[0, 1], x[0, 0], x[0, 3]], x[1]])
oracle(
    "reverse_sequence",
    lambda x, n, axis, batch_axis: [[x[2, 0], x[1, 1]], [x[1, 0], x[0, 1]], [x[0, 0], x[2, 1]]],
    "axis=0",
)


def band(x: Any, lower: int, upper: int) -> Any:
    out = np.array(x)
    for at in np.ndindex(*x.shape):
        i, j = at[-2:]
        if (0 <= lower < i - j) or (0 <= upper < j - i):
            out[at] = 0.0
    return out


def diagonal(x: Any, k: int) -> Any:
    return np.stack([x[..., i, i + k] for i in range(x.shape[-2]) if 0 <= i + k < x.shape[-1]], -1)


oracle("band_part", band)
oracle("diag", lambda x, k: [np.diag(v, k) for v in x])
oracle("diag_part", diagonal)
oracle("diag_part_transpose", adjoint(diagonal))
oracle("set_diag", lambda x, d, k: [[d[i + min(k, 0)] if j == i + k else x[i, j] for j in range(4)] for i in range(3)])

# --- rows written one by one ----------------------------------------------------------------------------------------

oracle("write_row", lambda x, i, v, grows: [x[0], x[1], 0 * v, v] if grows else [x[0], v, x[2]])
oracle("erase_row", lambda g, x, i: [g[0], 0 * g[1], g[2]])
oracle("erase_row", lambda g, x, i: g[:2], "cut")

# --- products -------------------------------------------------------------------------------------------------------


def product(x: Any, y: Any) -> Any:
    return np.einsum("...ij,...jk->...ik", x, y)


def turned(x: Any, by: bool) -> Any:
    return np.einsum("...ij->...ji", x) if by else x


def by_hand(a: Any, b: Any, equation: str) -> Any:
    left, out = equation.split("->")
    one, two = left.split(",")
    sizes = dict(zip(one, a.shape, strict=True)) | dict(zip(two, b.shape, strict=True))
    result = np.zeros([sizes[c] for c in out], np.result_type(a, b))
    for k in itertools.product(*[range(sizes[c]) for c in sizes]):
        at = dict(zip(sizes, k, strict=True))
        result[tuple(at[c] for c in out)] += a[tuple(at[c] for c in one)] * b[tuple(at[c] for c in two)]
    return result


oracle("matmul", lambda a, b, ta=False, tb=False: product(turned(a, ta), turned(b, tb)), rtol=1e-12)
oracle("einsum", by_hand, rtol=1e-12)

# --- reductions -----------------------------------------------------------------------------------------------------


def reduced(f: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """Reduce by a function of a list of numbers, with 50 digits."""

    def oracle(x: Any, axis: Any, keepdims: bool) -> Any:
        over = range(x.ndim) if axis is None else [a % x.ndim for a in axis]
        kept = [i for i in range(x.ndim) if i not in over]
        lines = np.transpose(x, (*kept, *over)).reshape((math.prod(x.shape[i] for i in kept), -1))
        with mp.workdps(50):
            flat = [f([number(v) for v in line]) for line in lines]
        out = np.array([complex(v) if isinstance(v, mp.mpc) else float(v) for v in flat])
        return out.reshape([1 if i in over else s for i, s in enumerate(x.shape)] if keepdims else [x.shape[i] for i in kept])

    return oracle


def mean(v: list[Any]) -> Any:
    return mp.fsum(v) / len(v)


oracle("sum", reduced(mp.fsum), atol=1e-15)
given("sum", "empty", [0, 0])
oracle("mean", reduced(mean), atol=1e-15)
given("mean", "int32", [0, 1])
given("mean", "int32, all", [[1]])
oracle("max", reduced(max))
given("max", "empty", [-np.inf, -np.inf])
oracle("min", reduced(min))
given("min", "empty int32", [2**31 - 1] * 2)
oracle("prod", reduced(mp.fprod))
oracle("spread_like", adjoint(reduced(mp.fsum)))
oracle("mean_transpose", adjoint(reduced(mean)))
oracle("any", lambda x, axis, keepdims: [[True, False, True]] if keepdims else True)
oracle("all", lambda x, axis, keepdims: [[False, False, True]] if keepdims else False)


def running(combine: Callable[[Any, Any], Any], start: float) -> Callable[..., Any]:
    def of(v: list[Any], exclusive: bool, reverse: bool) -> list[Any]:
        v = v[::-1] if reverse else v
        found = list(itertools.accumulate(v, combine, initial=start))
        found = found[:-1] if exclusive else found[1:]
        return found[::-1] if reverse else found

    return rows(of)


oracle("cumsum", running(lambda a, b: a + b, 0), atol=1e-15)
oracle("cumprod", running(lambda a, b: a * b, 1.0), rtol=1e-12)


def recurred(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.zeros(b.shape, np.result_type(a, b))
    last = 0.0
    for k in range(len(b))[:: -1 if reverse else 1]:
        last = y[k] = a[k] * last + b[k]
    return np.moveaxis(y, 0, axis)


def greatest(v: list[Any], reverse: bool) -> list[Any]:
    found = list(itertools.accumulate(v[::-1] if reverse else v, max))
    return found[::-1] if reverse else found


oracle("recurrence", recurred, rtol=1e-12)
oracle("cummax", rows(greatest))
oracle("checked_ids", lambda x, increasing=False: x)
given("checked_ids", "with a frame", [2, 3, 1])
given("segment_table", "", [[1, 4], [0, 2], [4, 4]])
SHARES = {0.0: [1, 1, 1, 1], 1.0: [0.5, 1, 0.5, 1], 0.5: [0.5**0.5, 1, 0.5**0.5, 1]}
oracle("segment_shares", lambda p, i, f, count, power: SHARES[power])
given("argmax", "", [1, 0])
given("argmax", "axis=-2", [0, 0, 0])
given("argmin", "", [0, 1])
given("isotonic_blocks", "", [[0, 1, 1, 2], [0, 0, 0, 0]])
given("isotonic_blocks", "increasing", [[0, 0, 0]])
given("argsort", "", [[0, 1, 2], [1, 2, 0]])
given("argsort", "descending, stable", [[1, 2, 0], [0, 1, 2]])
given("argsort", "axis=0", [[1, 1, 1], [0, 0, 0]])
given("unique", "", ([3, 1, 7], [0, 1, 0, 2, 1], [2, 2, 1]))
oracle("bincount", lambda x, length, dtype: [collections.Counter(x.tolist())[k] for k in range(5)])

# --- Fourier transforms ---------------------------------------------------------------------------------------------


def fourier(x: Any, sign: int) -> Any:
    n = x.shape[-1]
    return x @ np.exp(sign * 2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)


oracle("fft", lambda x: fourier(x, -1), rtol=1e-12, atol=1e-14)
oracle("ifft", lambda x: fourier(x, 1) / x.shape[-1], rtol=1e-12, atol=1e-14)

# --- linear algebra -------------------------------------------------------------------------------------------------


def matrices(f: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluate a function of mpmath's matrices with 50 digits, for stacks of them."""

    def oracle(*arrays: Any, **attrs: Any) -> Any:
        batch = np.broadcast_shapes(*[a.shape[:-2] for a in arrays])
        stacks = [np.broadcast_to(a, batch + a.shape[-2:]) for a in arrays]
        found = []
        with mp.workdps(50):
            for at in np.ndindex(*batch):
                value = f(*[mp.matrix([[number(v) for v in row] for row in s[at]]) for s in stacks], **attrs)
                found.append(plain(value))
        out = np.array(found)
        return out.reshape(batch + out.shape[1:])

    return oracle


def plain(value: Any) -> Any:
    if isinstance(value, mp.matrix):
        value = [[complex(value[i, j]) for j in range(value.cols)] for i in range(value.rows)]
        return np.array(value) if np.iscomplex(value).any() else np.array(value).real
    value = complex(value)
    return value if value.imag else value.real


def triangle(x: Any, lower: bool, adjoint_: bool) -> Any:
    for i, j in itertools.product(range(x.rows), repeat=2):
        if (j > i) if lower else (j < i):
            x[i, j] = mp.mpf(0)
    return x.H if adjoint_ else x


def lower_mirrored(x: Any) -> Any:
    """Fill a matrix from its lower triangle."""
    return mp.matrix([[x[max(i, j), min(i, j)] if i >= j else mp.conj(x[j, i]) for j in range(x.rows)] for i in range(x.rows)])


def of_three_diagonals(d: Any) -> Any:
    """Return the matrix whose three diagonals these are, the one above first."""
    n = d.cols
    return mp.matrix([[d[1 + i - j, i] if abs(i - j) < 2 else mp.mpf(0) for j in range(n)] for i in range(n)])


def factors(a: Any) -> Any:
    """Return L and U of A in one matrix, the largest element of a column its pivot; and where each of their rows stands in A.

    mpmath's own pivots are the largest by the sums of their rows.
    """
    a, n = a.copy(), a.rows
    place = list(range(n))
    for k in range(n):
        pivot = max(range(k, n), key=lambda i, k=k: abs(a[i, k]))
        place[k], place[pivot] = place[pivot], place[k]
        for j in range(n):
            a[k, j], a[pivot, j] = a[pivot, j], a[k, j]
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return a, mp.matrix([place])


def trace(a: Any) -> Any:
    return sum(a[i, i] for i in range(a.rows))


MATRIX = {"rtol": 1e-12, "loose": 1e-3}
DECOMPOSED = {"rtol": 1e-11, "atol": 1e-12, "loose": 1e-3}
oracle("inverse", matrices(lambda a: a**-1), **MATRIX)
oracle("det", matrices(mp.det), **MATRIX)
oracle("adjugate", matrices(lambda a: mp.det(a) * a**-1), atol=1e-12, **MATRIX)
oracle(
    "adjugate_change",
    matrices(lambda a, e: mp.det(a) * (trace(a**-1 * e) * a**-1 - a**-1 * e * a**-1)),
    atol=1e-12,
    **MATRIX,
)
SIGN, LOGARITHM = matrices(lambda m: mp.det(m) / abs(mp.det(m))), matrices(lambda m: mp.log(abs(mp.det(m))))
oracle("slogdet", lambda a: (SIGN(a), LOGARITHM(a)), atol=1e-15, **MATRIX)
oracle("expm", matrices(mp.expm), **MATRIX)
oracle("logm", matrices(mp.logm), rtol=1e-11, loose=1e-3)
oracle("sqrtm", matrices(mp.sqrtm), rtol=1e-11, loose=1e-3)
oracle("solve", matrices(lambda a, b, adjoint: (a.H if adjoint else a) ** -1 * b), **MATRIX)
oracle("triangular_solve", matrices(lambda a, b, adjoint, lower: triangle(a, lower, adjoint) ** -1 * b), **MATRIX)
oracle(
    "tridiagonal_solve",
    matrices(lambda d, b, adjoint, perturb=False: (of_three_diagonals(d).H if adjoint else of_three_diagonals(d)) ** -1 * b),
    **MATRIX,
)
oracle("lu", lambda a: (matrices(lambda m: factors(m)[0])(a), matrices(lambda m: factors(m)[1])(a)[..., 0, :]), **MATRIX)
oracle("cholesky", matrices(lambda a: mp.cholesky((a + a.H) / 2)), **MATRIX)


def eigen(x: Any) -> Any:
    def of(m: Any) -> Any:
        return mp.matrix([sorted(mp.eigh(lower_mirrored(m), eigvals_only=True), key=mp.re)])

    return matrices(of)(x)[..., 0, :], matrices(lower_mirrored)(x)


def eigen_view(inputs: Any, outputs: Any) -> Any:
    e, v = outputs
    return e, np.einsum("...ij,...j,...kj->...ik", v, e, v.conj())


def singular(x: Any, full_matrices: bool) -> Any:
    def of(m: Any) -> Any:
        small = m * m.H if m.rows < m.cols else m.H * m
        return mp.matrix([sorted([mp.sqrt(mp.re(e)) for e in mp.eigh(small, eigvals_only=True)], reverse=True)])

    return matrices(of)(x)[..., 0, :], x


def singular_view(inputs: Any, outputs: Any) -> Any:
    s, u, v = outputs
    k = s.shape[-1]
    return s, np.einsum("...ij,...j,...kj->...ik", u[..., :k], s, v[..., :k].conj())


def orthogonal(x: Any, full_matrices: bool) -> Any:
    return x, np.eye(x.shape[-2] if full_matrices else min(x.shape[-2:])) + np.zeros((*x.shape[:-2], 1, 1))


oracle("eigh", eigen, view=eigen_view, **DECOMPOSED)
oracle("svd", singular, view=singular_view, **DECOMPOSED)
oracle(
    "qr",
    orthogonal,
    view=lambda inputs, outputs: (product(*outputs), product(turned(outputs[0].conj(), True), outputs[0])),
    **DECOMPOSED,
)


def eig(x: Any) -> Any:
    return matrices(lambda m: mp.matrix([by_value(mp.eig(m, left=False, right=False))]))(x)[..., 0, :], x + 0j


def by_value(values: Any) -> Any:
    return sorted(values, key=lambda e: (mp.re(e), mp.im(e)))


def eig_view(inputs: Any, outputs: Any) -> Any:
    e, v = outputs
    return np.sort_complex(e), product(v * e[..., None, :], np.linalg.inv(v))


oracle("eig", eig, view=eig_view, rtol=1e-10, atol=1e-11, loose=1e-3)
oracle(
    "pinv",
    matrices(lambda a, rcond: (a.H * a) ** -1 * a.H if a.rows >= a.cols else a.H * (a * a.H) ** -1),
    atol=1e-13,
    **MATRIX,
)

# --- random numbers: the same draws from NumPy's Philox streams -----------------------------------------------------


def stream() -> Any:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([3, 5, 0])))


def truncated() -> Any:
    g = stream()
    x = g.standard_normal((2, 30))
    while (np.abs(x) > 2).any():
        bad = np.abs(x) > 2
        x[bad] = g.standard_normal(bad.sum())
    return x


oracle("random_uniform", lambda *d, **attrs: stream().random((2, 30)))
oracle("random_uniform_int", lambda *d, low, high, **attrs: stream().integers(low, high, (2, 30), dtype="int32"))
oracle("random_normal", lambda *d, **attrs: stream().standard_normal((2, 30)))
oracle("truncated_normal", lambda *d, **attrs: truncated())
oracle("random_gamma", lambda p, *d, **attrs: stream().gamma(p, size=(2, 30, len(p))), loose=math.inf)
oracle("random_poisson", lambda p, *d, **attrs: stream().poisson(p, size=(2, 30, len(p))), loose=math.inf)
oracle("random_shuffle", lambda x, **attrs: x[stream().permutation(5)])


def chosen(logits: Any, *rest: Any, **attrs: Any) -> Any:
    at = stream().random((2, 20))
    return [[next(k for k in range(3) if u < np.exp(row[: k + 1]).sum()) for u in us] for row, us in zip(logits, at, strict=True)]


oracle("categorical", chosen, loose=math.inf)
given("skip_random", "", [-100 + 3 * 256, 7 + 1, 9])

CASES = cases()
