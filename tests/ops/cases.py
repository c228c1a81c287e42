"""The table over all operations: sample inputs, attributes, and an oracle for the value that is not the code under test.

Oracles: mpmath at 50 digits for functions of numbers and for matrices, NumPy and plain loops for what moves values,
and for a stated adjoint the adjoint law itself, applied to the oracle of what it is the adjoint of.
"""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

import wengert.ops  # noqa: F401
from wengert.ops.linear import Dynamic


class Case(NamedTuple):
    """One call of an operation."""

    op: str
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    oracle: Callable[..., Any]
    """The value (several outputs: a tuple), from the input arrays."""
    note: str = ""
    rtol: float = 1e-13
    atol: float = 0.0
    smooth: bool = True
    """Whether derivatives exist here, so that differences can tell them."""
    open: bool = False
    """Whether the shape depends on values, so that a shape rule cannot know it."""
    enter: Callable[..., Any] | None = None
    """What is done to the inputs, as tensors, before: where only some inputs are allowed (symmetric ones)."""
    view: Callable[..., Any] | None = None
    """What is compared of (inputs, outputs), where outputs are not unique (signs of eigenvectors)."""
    outputs: tuple[int, ...] | None = None
    """The outputs with a derivative that is told here; None: all."""
    first: bool = False
    """Whether only the first derivative is stated, and that in reverse mode alone."""
    loose: float = 2e-5
    """The relative error of the float32 value."""


CASES: list[Case] = []

EXEMPT = {
    "placeholder": "has no value of its own",
    "gradient": "is lowered before it runs; tests/derive",
    "taylor": "is lowered before it runs; tests/derive",
    "fed": "is made by the lowering alone; tests/derive",
    "variable_handle": "needs a variable",
    "read_variable": "needs a variable",
    "assign": "needs a variable",
    "assign_scatter": "needs a variable",
    "is_initialized": "needs a variable",
    "no_op": "computes nothing",
    "print": "computes nothing",
    "assert": "computes nothing",
    "py_function": "is what the user's function says",
    "custom_gradient": "is what the user's function says",
    "call": "holds a graph of its own",
    "cond": "holds graphs of its own",
    "loop": "holds graphs of its own",
    "absent": "stands for what nobody reads",
    "linked": "passes its input on; tests/test_tapes_in_graphs",
    "passed": "is what the user's function says; tests/test_bodies",
    "snapshot": "needs a variable; tests/test_bodies",
    "skip_random": "counts numbers that are drawn; tests/functions/test_random",
}
"""Operations that are not in the table, and why."""

rng = np.random.default_rng(20)


def case(op: str, *inputs: Any, oracle: Any, note: str = "", **keywords: Any) -> None:
    """Enter a case; keywords that `Case` does not know are attributes."""
    known = {k: keywords.pop(k) for k in list(keywords) if k in Case._fields}
    CASES.append(Case(op, tuple(np.asarray(x) for x in inputs), keywords, oracle, note, **known))


def normal(*shape: int) -> Any:
    return rng.standard_normal(shape)


def cnormal(*shape: int) -> Any:
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def away(*shape: int) -> Any:
    """Return numbers that are not near zero."""
    x = rng.standard_normal(shape)
    return x + np.sign(x)


def apart(*shape: int) -> Any:
    """Return numbers no two of which are near each other."""
    return (rng.permutation(math.prod(shape)) * 0.37 - 1.1).reshape(shape)


def between(low: float, high: float, *shape: int) -> Any:
    return rng.uniform(low, high, shape)


def exact(f: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluate a function of numbers with 50 digits, element by element."""

    def oracle(*arrays: Any) -> Any:
        mixed = np.broadcast_arrays(*arrays)
        values = []
        with mp.workdps(50):
            for items in zip(*[a.ravel() for a in mixed], strict=True):
                value = f(*[number(i) for i in items])
                values.append(complex(value) if isinstance(value, complex | mp.mpc) else float(value))
        return np.array(values).reshape(mixed[0].shape)

    return oracle


def number(item: Any) -> Any:
    if isinstance(item, complex | np.complexfloating):
        return mp.mpc(complex(item))
    if isinstance(item, float | np.floating):
        return mp.mpf(float(item))
    return int(item)


def adjoint(f: Callable[[Any], Any], like: int) -> Callable[..., Any]:
    """Return the oracle of the adjoint of a real linear map, of (g, ...) where input ``like`` has the map's input shape.

    The map may use the inputs behind that one: f(x, *rest).
    """

    def oracle(g: Any, *rest: Any) -> Any:
        x = np.zeros(rest[like - 1].shape)
        for i in np.ndindex(*x.shape):
            e = np.zeros(x.shape)
            e[i] = 1.0
            x[i] = np.sum(g * f(e, *rest[like:]))
        return x

    return oracle


def rows(f: Callable[[Any], Any], axis: int) -> Callable[[Any], Any]:
    """Apply a function of lists of numbers along an axis."""
    return lambda x: np.apply_along_axis(lambda v: np.array(f(list(v))), axis, x)


# --- arithmetic -----------------------------------------------------------------------------------------------------

for shapes in [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((), (2,)),
    ((2, 1, 2), (3, 1)),
    ((0, 3), (3,)),
    ((1, 2), (2, 2)),
]:
    a, b = normal(*shapes[0]), away(*shapes[1])
    case("add", a, b, oracle=exact(lambda x, y: x + y), note=str(shapes))
    case("subtract", a, b, oracle=exact(lambda x, y: x - y), note=str(shapes))
    case("multiply", a, b, oracle=exact(lambda x, y: x * y), note=str(shapes))
    case("divide", a, b, oracle=exact(lambda x, y: x / y), note=str(shapes))
for name, f in [("add", lambda x, y: x + y), ("subtract", lambda x, y: x - y), ("multiply", lambda x, y: x * y)]:
    case(name, cnormal(2, 2), cnormal(2), oracle=exact(f), note="complex")
    case(name, np.array([3, -4], np.int32), np.array([[5], [7]], np.int32), oracle=exact(f), note="int32")
case("divide", cnormal(2, 2), cnormal(2), oracle=exact(lambda x, y: x / y), note="complex")
case("negative", normal(2, 3), oracle=exact(lambda x: -x))
case("negative", cnormal(3), oracle=exact(lambda x: -x), note="complex")
case("negative", np.array([3, -4], np.int8), oracle=exact(lambda x: -x), note="int8")
case("divide_no_nan", normal(2, 3), away(3), oracle=exact(lambda x, y: x / y))
case("divide_no_nan", cnormal(2, 3), cnormal(3), oracle=exact(lambda x, y: x / y), note="complex")
case(
    "divide_no_nan",
    np.array([1.0, 0.0, 2.0]),
    np.array([0.0, 0.0, 4.0]),
    oracle=lambda x, y: [0, 0, 0.5],
    note="zeros",
    smooth=False,
)
case(
    "divide_no_nan",
    np.array([[1.0], [2.0]]),
    np.array([0.0, 4.0]),
    oracle=lambda x, y: [[0, 0.25], [0, 0.5]],
    note="broadcast zeros",
    smooth=False,
)
case("multiply_no_nan", normal(2, 3), normal(3), oracle=exact(lambda x, y: x * y))
case("multiply_no_nan", cnormal(2, 3), cnormal(3), oracle=exact(lambda x, y: x * y), note="complex")
case(
    "multiply_no_nan",
    np.array([np.inf, np.nan, np.inf, 0.0]),
    np.array([0.0, 0.0, 2.0, 3.0]),
    oracle=lambda x, y: [0, 0, np.inf, 0],
    note="infinite",
    smooth=False,
)
for k in (1, 3):
    case("add_n", *[normal(2, 2) for _ in range(k)], oracle=lambda *xs: sum(xs), note=f"{k}")
NUM = np.array([7.3, -7.3, 7.3, -7.3, 0.4])
DEN = np.array([2.1, 2.1, -2.1, -2.1, 3.0])
INUM, IDEN = np.array([7, -7, 7, -7, 0], np.int32), np.array([2, 2, -2, -2, 3], np.int32)
for note, x, y in [("", NUM, DEN), ("int32", INUM, IDEN), ("broadcast", NUM[:, None], DEN[:2])]:
    case("floor_divide", x, y, oracle=exact(lambda x, y: mp.floor(mp.mpf(x) / y)), note=note)
    case("remainder", x, y, oracle=exact(lambda x, y: x - y * mp.floor(mp.mpf(x) / y)), note=note)
    case(
        "truncated_remainder",
        x,
        y,
        note=note,
        oracle=exact(lambda x, y: x - y * mp.sign(mp.mpf(x) / y) * mp.floor(abs(mp.mpf(x) / y))),
    )
for n in (-2, -1, 0, 1, 2, 3, 7):
    case("integer_power", normal(2, 3), n=n, oracle=exact(lambda x, n=n: x**n), note=f"n={n}")
case("integer_power", cnormal(3), n=3, oracle=exact(lambda x: x**3), note="complex")
case("integer_power", np.array([-3, 2], np.int64), n=5, oracle=exact(lambda x: x**5), note="int64")
case("integer_power", np.array([0.0, -0.5]), n=2, oracle=exact(lambda x: x**2), note="at zero")
case("integer_power", np.array([0.0, -0.5]), n=1, oracle=exact(lambda x: x), note="n=1 at zero")
for p in (0.5, -1.3, 2.5):
    case("real_power", between(0.3, 2, 2, 3), p=p, oracle=exact(lambda x, p=p: x ** mp.mpf(p)), note=f"p={p}")
case("real_power", cnormal(3), p=1.5, oracle=exact(lambda x: x ** mp.mpf(1.5)), note="complex")
case("power", between(0.3, 2, 2, 3), normal(3), oracle=exact(lambda x, y: x**y))
case("power", between(0.3, 2, 3), normal(2, 1), oracle=exact(lambda x, y: x**y), note="broadcast")
case("power", cnormal(3), cnormal(3), oracle=exact(lambda x, y: x**y), note="complex")
case("power", np.array([2, -3], np.int32), np.array([[3], [2]], np.int32), oracle=exact(lambda x, y: x**y), note="int32")
case("square", normal(2, 3), oracle=exact(lambda x: x * x))
case("square", cnormal(3), oracle=exact(lambda x: x * x), note="complex")
case("square", np.array([-3, 2], np.int32), oracle=exact(lambda x: x * x), note="int32")
case("hypot", normal(2, 3), away(3), oracle=exact(mp.hypot))
case(
    "hypot",
    np.array([1e200, 3e-200]),
    np.array([1e200, 4e-200]),
    oracle=exact(mp.hypot),
    note="extreme",
    smooth=False,
    loose=math.inf,
)
case("direction", normal(2, 3), away(3), oracle=exact(lambda x, y: x / mp.hypot(x, y)))
case("squared_difference", normal(2, 3), normal(3), oracle=exact(lambda x, y: (x - y) ** 2))
case(
    "squared_difference",
    np.array([3, -4], np.int32),
    np.array([5, 1], np.int32),
    oracle=exact(lambda x, y: (x - y) ** 2),
    note="int32",
)


# --- functions of one number ----------------------------------------------------------------------------------------

ALL = np.array([-2.3, -0.7, 0.4, 1.6])
POSITIVE = np.array([0.2, 0.9, 1.7, 4.2])
UNIT = np.array([-0.93, -0.3, 0.2, 0.8])
ABOVE = np.array([1.1, 1.7, 5.0])
OPEN = np.array([0.1, 0.3, 0.6, 0.85])
COMPLEX = np.array([0.7 + 0.4j, -0.6 + 1.1j, 0.3 - 0.8j])


def sinc(x: Any) -> Any:
    return mp.sin(x) / x if x else mp.mpf(1)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def log_sigmoid(x: Any) -> Any:
    return -mp.log1p(mp.exp(-x))


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x))


def ndtr(x: Any) -> Any:
    return mp.ncdf(x)


def ndtri(x: Any) -> Any:
    return mp.sqrt(2) * mp.erfinv(2 * x - 1)


def dawson(x: Any) -> Any:
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def log_gamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


def odd_root(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def parameter_slope(a: Any, x: Any) -> Any:
    """Return ∂P/∂a(a, x) by a difference of the smaller of P and 1 - P, with the digits that it needs."""
    with mp.workdps(90):
        h = mp.mpf(10) ** -20 * a
        ends = (0, x) if x < a else (x, mp.inf)
        values = [mp.gammainc(a + s * h, *ends, regularized=True) for s in (1, -1)]
        return (values[0] - values[1]) / (2 * h) * (1 if x < a else -1)


# (name, function, points, further points for the value alone, whether it takes complex numbers, relative error)
FUNCTIONS: list[tuple[str, Any, Any, Any, bool, float]] = [
    ("sqrt", mp.sqrt, POSITIVE, [0.0, 1e-300, 1e300], True, 1e-15),
    ("rsqrt", lambda x: 1 / mp.sqrt(x), POSITIVE, [1e-300, 1e300], True, 1e-15),
    ("cbrt", odd_root, ALL, [0.0, 1e-300, -1e300], False, 1e-15),
    ("reciprocal", lambda x: 1 / x, ALL, [1e-300, -1e300], True, 1e-15),
    ("exp", mp.exp, ALL, [-745.0, 709.0, 0.0], True, 1e-15),
    ("expm1", mp.expm1, ALL, [1e-12, -1e-300, 700.0, -800.0], True, 1e-15),
    ("log", mp.log, POSITIVE, [1e-300, 1e300, 1.0], True, 1e-14),
    ("log1p", mp.log1p, np.array([-0.9, -0.2, 0.5, 3.0]), [1e-12, 1e-300, 1e300], True, 1e-14),
    ("sin", mp.sin, ALL, [0.0, 1e6], True, 1e-14),
    ("cos", mp.cos, ALL, [0.0, 1e6], True, 1e-14),
    ("tan", mp.tan, np.array([-2.3, -0.7, 0.4, 1.1]), [0.0, 1e-300], True, 1e-14),
    ("asin", mp.asin, UNIT, [0.0, 1.0, -1.0], True, 1e-14),
    ("acos", mp.acos, UNIT, [0.0, 1.0, -1.0], True, 1e-14),
    ("atan", mp.atan, ALL, [0.0, 1e300], True, 1e-14),
    ("sinh", mp.sinh, ALL, [0.0, 1e-300, 700.0], True, 1e-14),
    ("cosh", mp.cosh, ALL, [0.0, 700.0], True, 1e-14),
    ("tanh", mp.tanh, ALL, [0.0, 1e-300, 400.0, -20.0], True, 1e-14),
    ("sech_squared", lambda x: 1 / mp.cosh(x) ** 2, ALL, [0.0, 30.0, -300.0], True, 1e-14),
    ("asinh", mp.asinh, ALL, [0.0, 1e-300, 1e200], True, 1e-14),
    ("acosh", mp.acosh, ABOVE, [1.0, 1e200], True, 1e-14),
    ("atanh", mp.atanh, UNIT, [0.0, 1e-300], True, 1e-14),
    ("asin_slope", lambda x: 1 / mp.sqrt((1 - x) * (1 + x)), UNIT, [0.0, 1e-300], True, 1e-14),
    ("atan_slope", lambda x: 1 / (1 + x * x), ALL, [0.0, 1e160, -1e150, 1.0], True, 1e-11),
    ("asinh_slope", lambda x: 1 / mp.sqrt(1 + x * x), ALL, [0.0, 1e300, -1e160], True, 1e-14),
    ("atanh_slope", lambda x: 1 / ((1 - x) * (1 + x)), UNIT, [0.0, 1e-300], True, 1e-14),
    ("sinc_unnormalised", sinc, ALL, [0.0, 1e-9], False, 1e-14),
    ("sigmoid", sigmoid, ALL, [0.0, 40.0, -40.0, -700.0], True, 1e-14),
    ("softplus", softplus, ALL, [0.0, 800.0, -700.0], False, 1e-14),
    ("log_sigmoid", log_sigmoid, ALL, [0.0, 700.0, -800.0], False, 1e-14),
    ("softsign", lambda x: x / (1 + abs(x)), ALL, [0.0, 1e300], False, 1e-15),
    ("erf", mp.erf, ALL, [0.0, 1e-300, 6.0], False, 1e-14),
    ("erfc", mp.erfc, ALL, [0.0, 6.0, 25.0], False, 1e-13),
    ("erfinv", mp.erfinv, UNIT, [0.0, 0.999999], False, 1e-13),
    ("erfcinv", lambda x: mp.erfinv(1 - x), np.array([0.1, 0.6, 1.3, 1.9]), [1e-9], False, 1e-13),
    ("ndtr", ndtr, ALL, [0.0, -30.0, 9.0], False, 1e-13),
    ("ndtri", ndtri, OPEN, [0.5, 1e-9], False, 1e-13),
    ("lgamma", log_gamma, np.array([0.3, 1.4, 4.2, -1.6]), [1e-10, 1e5, 1.0], False, 1e-13),
    ("digamma", mp.digamma, np.array([0.3, 1.2, 4.2, -1.6]), [1e-5, 1e5], False, 1e-13),
    ("bessel_i0", lambda x: mp.besseli(0, x), ALL, [0.0, 100.0], False, 1e-14),
    ("bessel_i1", lambda x: mp.besseli(1, x), ALL, [0.0, 100.0], False, 1e-14),
    ("bessel_i0e", lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), ALL, [0.0, 300.0], False, 1e-14),
    ("bessel_i1e", lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), ALL, [0.0, -300.0], False, 1e-14),
    ("bessel_j0", lambda x: mp.besselj(0, x), ALL, [0.0, 40.0], False, 1e-13),
    ("bessel_j1", lambda x: mp.besselj(1, x), ALL, [0.0, 40.0], False, 1e-13),
    ("bessel_y0", lambda x: mp.bessely(0, x), POSITIVE, [40.0], False, 1e-13),
    ("bessel_y1", lambda x: mp.bessely(1, x), POSITIVE, [40.0], False, 1e-13),
    ("bessel_k0", lambda x: mp.besselk(0, x), POSITIVE, [100.0], False, 1e-13),
    ("bessel_k1", lambda x: mp.besselk(1, x), POSITIVE, [100.0], False, 1e-13),
    ("bessel_k0e", lambda x: mp.exp(x) * mp.besselk(0, x), POSITIVE, [1000.0], False, 1e-13),
    ("bessel_k1e", lambda x: mp.exp(x) * mp.besselk(1, x), POSITIVE, [1000.0], False, 1e-13),
    ("expint", mp.ei, POSITIVE, [1e-10, 100.0], False, 1e-13),
    ("fresnel_sin", mp.fresnels, ALL, [0.0, 10.0], False, 1e-13),
    ("fresnel_cos", mp.fresnelc, ALL, [0.0, 10.0], False, 1e-13),
    ("dawsn", dawson, ALL, [0.0, 6.0], False, 1e-13),
    ("spence", lambda x: mp.re(mp.polylog(2, 1 - x)), POSITIVE, [1.0, 1e-5], False, 1e-13),
]
for name, f, points, further, takes_complex, rtol in FUNCTIONS:
    case(name, points, oracle=exact(f), rtol=rtol)
    case(name, np.array(further), oracle=exact(f), rtol=rtol, note="extremes", smooth=False, loose=math.inf)
    if takes_complex:
        case(name, COMPLEX, oracle=exact(f), rtol=1e-13, note="complex")
for n in (1, 2):
    case("dawsn_slope", ALL, n=n, note=f"n={n}", rtol=1e-12, oracle=exact(lambda x, n=n: mp.diff(dawson, x, n)))
case("dawsn_slope", np.array([0.0, 7.4, -7.6, 20.0]), n=1, note="ends", oracle=exact(lambda x: 1 - 2 * x * dawson(x)))
for k in range(4):
    case("wave", ALL, k=k, note=f"k={k}", oracle=exact(lambda x, k=k: mp.sin(mp.pi / 2 * (x * x + k))))
case(
    "wave",
    np.array([40.3125, -1000.1, 1e6 + 0.1, 0.0]),
    k=1,
    note="far",
    smooth=False,
    loose=math.inf,
    oracle=exact(lambda x: mp.cos(mp.pi / 2 * x * x)),
)
for n in (0, 1, 2):
    case(
        "log_quotient",
        np.array([0.1, 0.501, 0.9, 1.1, 1.5, 4.2]),
        n=n,
        note=f"n={n}",
        oracle=exact(lambda x, n=n: mp.diff(lambda t: mp.log(t) / (1 - t), x, n)),
    )
case("log_quotient", np.array([1.0]), n=3, note="at one", oracle=lambda x: [1.5])
for n in (1, 2, 3):
    case("polygamma", np.array([0.3, 1.2, 4.2]), n=n, oracle=exact(lambda x, n=n: mp.psi(n, x)), note=f"n={n}")
for family, f in [
    ("i", mp.besseli),
    ("ie", lambda n, x: mp.exp(-x) * mp.besseli(n, x)),
    ("j", mp.besselj),
    ("y", mp.bessely),
    ("k", mp.besselk),
    ("ke", lambda n, x: mp.exp(x) * mp.besselk(n, x)),
]:
    for n in (0, 1, 3):
        case("bessel", POSITIVE, family=family, n=n, oracle=exact(lambda x, f=f, n=n: f(n, x)), note=f"{family}{n}")
for n in (0, 1, 3):
    case(
        "spherical_bessel",
        ALL,
        n=n,
        oracle=exact(lambda x, n=n: (-1) ** (n * (x < 0)) * mp.sqrt(mp.pi / 2 / abs(x)) * mp.besselj(n + 0.5, abs(x))),
        note=f"n={n}",
    )
case("zeta", np.array([1.5, 2.0, 4.2]), np.array([[0.3], [1.7]]), oracle=exact(mp.zeta))
case(
    "igamma",
    np.array([0.5, 1.5, 4.2]),
    np.array([[0.3], [2.7]]),
    oracle=exact(lambda a, x: mp.gammainc(a, 0, x, regularized=True)),
)
case(
    "igammac",
    np.array([0.5, 1.5, 4.2]),
    np.array([[0.3], [2.7]]),
    oracle=exact(lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True)),
)
case(
    "betainc",
    np.array([0.5, 2.5]),
    np.array([1.5, 0.7]),
    np.array([[0.2], [0.8]]),
    rtol=1e-12,
    oracle=exact(lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True)),
)
SHAPES, PLACES = np.array([0.5, 2.5]), np.array([[0.3], [2.7]])
case(
    "igamma_by",
    SHAPES,
    PLACES,
    n=1,
    oracle=exact(lambda a, x: mp.diff(lambda t: mp.gammainc(t, 0, x, regularized=True), a)),
)
case(
    "igamma_by",
    np.array([1e-4, 0.01, 1.6, 30.0, 150.0, 20.0, 1000.0, 3.0, 3.0]),
    np.array([0.2, 1e-50, 1.7, 28.0, 150.0, 100.0, 950.0, 0.0, np.inf]),
    n=1,
    rtol=1e-12,
    note="extremes",
    smooth=False,
    loose=math.inf,
    oracle=exact(lambda a, x: parameter_slope(a, x) if 0 < x < mp.inf else mp.mpf(0)),
)
case(
    "gamma_density",
    SHAPES,
    PLACES,
    oracle=exact(lambda a, x: x ** (a - 1) * mp.exp(-x) / mp.gamma(a)),
)
case(
    "gamma_density",
    np.array([1e-3, 9.9, 10.1, 1e3, 1e6, 1.0, 2.0]),
    np.array([1e-9, 3.0, 30.0, 1.1e3, 1.001e6, 0.0, 0.0]),
    note="extremes",
    smooth=False,
    oracle=exact(lambda a, x: x ** (a - 1) * mp.exp(-x) / mp.gamma(a)),
)
BETAS = np.array([0.5, 2.5]), np.array([1.5, 0.7]), np.array([[0.2], [0.8]])
for m, n in ((1, 0), (0, 1)):
    case(
        "betainc_by",
        *BETAS,
        m=m,
        n=n,
        note=f"{m}{n}",
        rtol=1e-12,
        oracle=exact(lambda a, b, x, k=(m, n): mp.diff(lambda s, t: mp.betainc(s, t, 0, x, regularized=True), (a, b), k)),
    )
case(
    "betainc_by",
    np.array([0.01, 30.0, 200.0, 3.0, 1.0]),
    np.array([2.0, 20.0, 300.0, 0.01, 2.0]),
    np.array([1e-6, 0.7, 0.41, 0.999, 0.0]),
    m=1,
    n=0,
    note="extremes",
    smooth=False,
    rtol=1e-11,
    loose=math.inf,
    oracle=exact(lambda a, b, x: mp.diff(lambda t: mp.betainc(t, b, 0, x, regularized=True), a) if x else mp.mpf(0)),
)
case("beta_density", *BETAS, oracle=exact(lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)))
case(
    "beta_density",
    np.array([1e3, 1e5, 0.1]),
    np.array([2e3, 1e5, 0.2]),
    np.array([0.3, 0.501, 1e-9]),
    note="extremes",
    smooth=False,
    loose=1e-2,
    oracle=exact(lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)),
)
case("zeta_by", np.array([1.5, 2.0, 4.2]), np.array([[0.3], [1.7]]), n=1, oracle=exact(lambda s, q: mp.zeta(s, q, 1)))
case("zeta_by", np.array([1.01, 30.0, 3.0]), np.array([1.0, 2.5, 200.0]), n=2, note="second", smooth=False,
     oracle=exact(lambda s, q: mp.zeta(s, q, 2)))  # fmt: skip
case("polygamma_order", np.array([1.0, 2.0]), oracle=lambda n: n, smooth=False)
case("xlogy", normal(2, 3), between(0.2, 3, 3), oracle=exact(lambda x, y: x * mp.log(y)))
case(
    "xlogy",
    np.array([0.0, 0.0, 2.0]),
    np.array([0.0, -1.0, 3.0]),
    oracle=lambda x, y: [0, 0, 2 * math.log(3)],
    note="zeros",
    smooth=False,
)
case("xlogy", cnormal(3), cnormal(3), oracle=exact(lambda x, y: x * mp.log(y)), note="complex")
case("xlog1py", normal(2, 3), between(-0.8, 3, 3), oracle=exact(lambda x, y: x * mp.log1p(y)))
case("xlog1py", np.array([0.0, 0.0]), np.array([-1.0, -2.0]), oracle=lambda x, y: [0, 0], note="zeros", smooth=False)
case("xdivy", normal(2, 3), away(3), oracle=exact(lambda x, y: x / y))
case("xdivy", np.array([0.0, 0.0]), np.array([0.0, 2.0]), oracle=lambda x, y: [0, 0], note="zeros", smooth=False)
case("logaddexp", normal(2, 3), normal(3), oracle=exact(lambda x, y: mp.log(mp.exp(x) + mp.exp(y))))
case(
    "logaddexp",
    np.array([1000.0, -1000.0]),
    np.array([1001.0, -1000.0]),
    oracle=exact(lambda x, y: mp.log(mp.exp(x) + mp.exp(y))),
    note="extremes",
    smooth=False,
)
case("atan2", normal(2, 3), away(3), oracle=exact(mp.atan2))
for name, f in [("relu", lambda x: max(x, 0)), ("relu6", lambda x: min(max(x, 0), 6)), ("step", lambda x: int(x > 0))]:
    case(name, np.array([-2.3, -0.7, 0.4, 7.6]), oracle=exact(f))
    case(name, np.array([-2, 0, 4, 7], np.int32), oracle=exact(f), note="int32")
    case(name, np.array([0.0, -0.0, 6.0]), oracle=exact(f), note="kinks", smooth=False)
case("box", np.array([-2.3, 0.4, 7.6, 1.0, 2.0]), low=1.0, high=8.0, oracle=lambda x: [0, 0, 1, 0, 1], smooth=False)
case("box", np.array([-2.3, 0.4, 7.6]), low=0.0, high=6.0, oracle=lambda x: [0, 1, 0], note="smooth")
case("leaky_relu_slope", np.array([-2.3, 0.0, 0.4]), alpha=0.2, oracle=lambda x: [0.2, 0.2, 1], smooth=False)
case("leaky_relu_slope", ALL, alpha=0.2, oracle=lambda x: [0.2, 0.2, 1, 1], note="smooth")
case("leaky_relu", ALL, alpha=0.2, oracle=exact(lambda x: x if x > 0 else mp.mpf(0.2) * x))
for alpha, scale in [(1.0, 1.0), (1.6, 1.1)]:
    case(
        "elu",
        ALL,
        alpha=alpha,
        scale=scale,
        note=f"{alpha}, {scale}",
        oracle=exact(lambda x, a=alpha, s=scale: mp.mpf(s) * (x if x > 0 else mp.mpf(a) * mp.expm1(x))),
    )
    case(
        "elu_slope",
        ALL,
        alpha=alpha,
        scale=scale,
        note=f"{alpha}, {scale}",
        oracle=exact(lambda x, a=alpha, s=scale: mp.mpf(s) * (1 if x > 0 else mp.mpf(a) * mp.exp(x))),
    )
case(
    "elu",
    np.array([800.0, -800.0, -1e-12]),
    alpha=1.0,
    scale=1.0,
    note="extremes",
    smooth=False,
    oracle=exact(lambda x: x if x > 0 else mp.expm1(x)),
)

# --- piecewise ------------------------------------------------------------------------------------------------------

case("abs", ALL, oracle=exact(abs))
case("abs", COMPLEX, oracle=exact(abs), note="complex")
case("abs", np.array([-3, 0, 2], np.int32), oracle=exact(abs), note="int32")
case("sign", ALL, oracle=exact(mp.sign))
case("sign", np.array([-3, 0, 2], np.int32), oracle=exact(mp.sign), note="int32")
HALVES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -0.2, 0.7, 1e300])
case("floor", HALVES, oracle=exact(mp.floor), smooth=False, loose=math.inf)
case("ceil", HALVES, oracle=exact(mp.ceil), smooth=False, loose=math.inf)
case("round", HALVES, oracle=exact(mp.nint), smooth=False, loose=math.inf, note="halves to even")
case("trunc", HALVES, oracle=exact(lambda x: mp.floor(x) if x > 0 else mp.ceil(x)), smooth=False, loose=math.inf)
case("floor", ALL, oracle=exact(mp.floor), note="smooth")
for name, f in [("maximum", max), ("minimum", min), ("maximum_first", max)]:
    case(name, apart(2, 3), apart(3) + 0.1, oracle=exact(f))
    case(name, apart(3), apart(2, 1) + 0.1, oracle=exact(f), note="broadcast")
    case(name, np.array([3, -4], np.int32), np.array([1, 7], np.int32), oracle=exact(f), note="int32")
case(
    "clip", np.array([-2.3, 0.4, 7.6]), np.array(-1.0), np.array([1.0, 2.0, 3.0]), oracle=exact(lambda x, a, b: min(max(x, a), b))
)
case(
    "clip",
    apart(2, 3),
    np.array([[-0.3], [0.2]]),
    np.array(0.5),
    oracle=exact(lambda x, a, b: min(max(x, a), b)),
    note="broadcast",
)
case(
    "nextafter",
    np.array([1.0, 0.0, -3.0]),
    np.array([2.0, 1.0, -3.0]),
    smooth=False,
    loose=math.inf,
    oracle=lambda x, y: [1 + 2.0**-52, 2.0**-1074, -3.0],
)
MASK = np.array([[True, False, True], [False, False, True]])
case("where", MASK, normal(2, 3), normal(2, 3), oracle=exact(lambda c, x, y: x if c else y))
case("where", MASK[0], normal(2, 1), normal(3), oracle=exact(lambda c, x, y: x if c else y), note="broadcast")
case("where", MASK, cnormal(3), cnormal(2, 3), oracle=exact(lambda c, x, y: x if c else y), note="complex")

# --- complex numbers ------------------------------------------------------------------------------------------------

case("real", cnormal(2, 3), oracle=exact(mp.re))
case("real", normal(2, 3), oracle=exact(lambda x: x), note="of real")
case("imag", cnormal(2, 3), oracle=exact(mp.im))
case("imag", normal(2, 3), oracle=exact(lambda x: 0), note="of real")
case("conj", cnormal(2, 3), oracle=exact(mp.conj))
case("conj", normal(2, 3), oracle=exact(lambda x: x), note="of real")
case("complex", normal(2, 3), normal(3), oracle=exact(lambda x, y: mp.mpc(x, y)))
case("angle", COMPLEX, oracle=exact(mp.arg))
case("angle", ALL, oracle=exact(mp.arg), note="of real")

# --- comparisons, logic, bits ---------------------------------------------------------------------------------------

for name, f in [
    ("equal", lambda x, y: x == y),
    ("not_equal", lambda x, y: x != y),
    ("less", lambda x, y: x < y),
    ("less_equal", lambda x, y: x <= y),
    ("greater", lambda x, y: x > y),
    ("greater_equal", lambda x, y: x >= y),
]:
    case(name, np.array([1.0, 2.0, 3.0]), np.array([[2.0], [3.0]]), oracle=exact(f))
    case(name, np.array([1, 2, 3]), np.array([2, 2, 2]), oracle=exact(f), note="int64")
case("equal", np.array([b"a", b"bc"], object), np.array([b"a", b"b"], object), oracle=lambda x, y: [True, False], note="strings")
case(
    "not_equal",
    np.array([b"a", b"bc"], object),
    np.array([b"a", b"b"], object),
    oracle=lambda x, y: [False, True],
    note="strings",
)
case("equal", np.array([1j, 2.0]), np.array([1j, 2j]), oracle=lambda x, y: [True, False], note="complex")
P, Q = np.array([True, True, False, False]), np.array([True, False, True, False])
case("logical_and", P, Q, oracle=exact(lambda x, y: x and y))
case("logical_or", P, Q, oracle=exact(lambda x, y: x or y))
case("logical_xor", P, Q, oracle=exact(lambda x, y: x != y))
case("logical_not", P, oracle=exact(lambda x: not x))
SPECIAL = np.array([0.0, np.inf, -np.inf, np.nan, 1.0])
case("is_finite", SPECIAL, oracle=lambda x: [1, 0, 0, 0, 1], smooth=False)
case("is_inf", SPECIAL, oracle=lambda x: [0, 1, 1, 0, 0], smooth=False)
case("is_nan", SPECIAL, oracle=lambda x: [0, 0, 0, 1, 0], smooth=False)
BITS, MORE = np.array([5, -6, 12], np.int32), np.array([3, 7, -9], np.int32)
case("bitwise_and", BITS, MORE, oracle=exact(lambda x, y: x & y))
case("bitwise_or", BITS, MORE, oracle=exact(lambda x, y: x | y))
case("bitwise_xor", BITS, MORE, oracle=exact(lambda x, y: x ^ y))
case("invert", BITS, oracle=exact(lambda x: ~x))
case("left_shift", BITS, np.array(2, np.int32), oracle=exact(lambda x, y: x << y))
case("right_shift", BITS, np.array(2, np.int32), oracle=exact(lambda x, y: x >> y))

# --- sources, copies, shapes ----------------------------------------------------------------------------------------

case("constant", value=np.array([1.0, 2.0]), oracle=lambda: [1, 2])
for x, note in [(normal(2, 3), ""), (cnormal(2), "complex"), (np.array([b"a"], object), "strings"), (normal(0, 2), "empty")]:
    case("identity", x, oracle=lambda x: x, note=note)
    case("stop_gradient", x, oracle=lambda x: x, note=note, smooth=False)
case("ensure_shape", normal(2, 3), shape=(None, 3), oracle=lambda x: x)
case("cast", normal(2, 3) * 9, dtype="int32", oracle=exact(lambda x: int(x)), note="to int32", smooth=False)
case("cast", normal(2, 3), dtype="complex128", oracle=lambda x: x, note="to complex")
case("cast", cnormal(2, 3), dtype="float64", oracle=exact(mp.re), note="to real")
case("cast", np.array([1, 0, -2]), dtype="float64", oracle=lambda x: [1.0, 0.0, -2.0], note="from int64")
case("cast", np.array([1.5, 0.0]), dtype="bool", oracle=lambda x: [True, False], note="to bool", smooth=False)
case("cast", np.array([1.5, 2.25, -3.0]), dtype="float32", oracle=lambda x: x, note="to float32", smooth=False)
case("bitcast", np.array([1.0, -2.0]), dtype="int64", oracle=lambda x: [0x3FF << 52, -(1 << 62)], smooth=False, loose=math.inf)
case(
    "bitcast",
    np.array([1, 256], np.int32),
    dtype="uint8",
    oracle=lambda x: [[1, 0, 0, 0], [0, 1, 0, 0]],
    note="smaller",
    smooth=False,
)
case("bitcast", np.array([[1, 0], [0, 1]], np.uint8), dtype="uint16", oracle=lambda x: [1, 256], note="larger", smooth=False)
case("zeros_like", normal(2, 3), oracle=lambda x: np.zeros((2, 3)))
case("ones_like", normal(2, 3), oracle=lambda x: np.ones((2, 3)))
case("shape", normal(2, 3), dtype="int32", oracle=lambda x: [2, 3])
case("size", normal(2, 3), dtype="int64", oracle=lambda x: 6)
case("fill", normal(), shape=(2, 3), oracle=lambda x: [[x] * 3] * 2)
case("fill", normal(), np.array([2, 3], np.int32), shape=None, oracle=lambda x, d: [[x] * 3] * 2, note="dims a tensor", open=True)
case("range", np.array(2), np.array(9), np.array(3), oracle=lambda a, b, c: [2, 5, 8], open=True)
case(
    "range",
    np.array(1.0),
    np.array(0.0),
    np.array(-0.3),
    oracle=lambda a, b, c: [1, 1 - 0.3, 1 - 2 * 0.3, 1 - 3 * 0.3],
    note="down",
    open=True,
    smooth=False,
    loose=1e-5,
)
case("range", np.array(3), np.array(3), np.array(1), oracle=lambda a, b, c: np.zeros(0), note="empty", open=True)
for axis in (0, -1):
    case(
        "linspace",
        normal(2),
        normal(2),
        num=5,
        axis=axis,
        note=f"axis={axis}",
        rtol=1e-12,
        oracle=lambda a, b, axis=axis: np.stack([a + (b - a) * k / 4 for k in range(5)], axis),
    )
case("linspace", normal(), normal(), num=1, axis=0, oracle=lambda a, b: [a], note="one")

case("sum_like", normal(2, 3), normal(3), oracle=lambda g, x: g[0] + g[1])
case("sum_like", normal(4, 2, 3), normal(2, 1), oracle=adjoint(lambda x: np.broadcast_to(x, (4, 2, 3)), 1), note="axes of one")
case("sum_to", normal(2, 3), shape=(3,), oracle=lambda g: g[0] + g[1])
case("sum_to", normal(4, 2, 3), shape=(2, 1), oracle=lambda g: [[g[:, i].sum()] for i in range(2)], note="axes of one")
case("shaped", normal(2, 3), normal(2, 3), oracle=lambda g, y: g)
case("broadcast_like", normal(3), normal(2, 3), oracle=lambda x, y: np.stack([x, x]))
case("broadcast_to", normal(2, 1), shape=(2, 3), oracle=lambda x: np.concatenate([x, x, x], 1))
case(
    "broadcast_to",
    normal(2, 1),
    np.array([4, 2, 3], np.int32),
    shape=None,
    oracle=lambda x, d: np.ones((4, 2, 3)) * x,
    note="tensor",
    open=True,
)
case("reshape", normal(2, 3), shape=(3, -1), oracle=lambda x: [[x[0, 0], x[0, 1]], [x[0, 2], x[1, 0]], [x[1, 1], x[1, 2]]])
case(
    "reshape",
    normal(2, 3),
    np.array([3, -1], np.int32),
    shape=None,
    oracle=lambda x, d: x.ravel().reshape(3, 2),
    note="tensor",
    open=True,
)
case("reshape", normal(0, 3), shape=(3, 0), oracle=lambda x: np.zeros((3, 0)), note="empty")
case("reshape", normal(1), shape=(), oracle=lambda x: x[0], note="scalar")
case("reshape_like", normal(2, 3), normal(3, 2), oracle=lambda x, y: x.ravel().reshape(3, 2))
case(
    "transpose",
    normal(2, 3, 4),
    axes=(2, 0, 1),
    oracle=lambda x: [[[x[j, k, i] for k in range(3)] for j in range(2)] for i in range(4)],
)
case("transpose", normal(2, 3, 4), axes=(-1, 0, -2), oracle=lambda x: np.einsum("jki->ijk", x), note="negative")
case("transpose", normal(2, 3), axes=None, oracle=lambda x: [x[:, 0], x[:, 1], x[:, 2]], note="reversed")
case("matrix_transpose", normal(2, 3, 4), oracle=lambda x: np.einsum("ijk->ikj", x))
for axis in (0, 1, -1, -2):
    case("expand_dims", normal(2, 3), axis=axis, oracle=lambda x, axis=axis: np.stack([x], axis), note=f"axis={axis}")
case("squeeze", normal(1, 2, 1), axis=None, oracle=lambda x: x[0, :, 0])
case("squeeze", normal(1, 2, 1), axis=(-1,), oracle=lambda x: x[:, :, 0], note="axis=-1")
case("tile", normal(2, 3), multiples=(2, 1), oracle=lambda x: np.concatenate([x, x]))
case(
    "tile",
    normal(2, 3),
    np.array([1, 2], np.int32),
    multiples=None,
    oracle=lambda x, t: np.concatenate([x, x], 1),
    note="tensor",
    open=True,
)
case("tile_transpose", normal(4, 3), normal(2, 3), multiples=(2, 1), oracle=lambda g, x: g[:2] + g[2:])
case(
    "tile_transpose",
    normal(2, 6),
    normal(2, 3),
    np.array([1, 2], np.int32),
    multiples=None,
    note="tensor",
    oracle=lambda g, x, t: g[:, :3] + g[:, 3:],
)


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


for mode in ("constant", "reflect", "symmetric"):
    pads = ((1, 0), (2, 1))

    def pad_oracle(x: Any, *pairs: Any, mode: str = mode) -> Any:
        return rows(padded(mode, 2, 1), 1)(rows(padded(mode, 1, 0), 0)(x))

    case("pad", normal(2, 3), paddings=pads, mode=mode, value=0, oracle=pad_oracle, note=mode)
    case(
        "pad",
        normal(2, 3),
        np.array(pads, np.int32),
        paddings=None,
        mode=mode,
        value=0,
        oracle=pad_oracle,
        note=f"{mode}, tensor",
        open=True,
    )
    case("pad_transpose", normal(3, 6), normal(2, 3), paddings=pads, mode=mode, value=0, oracle=adjoint(pad_oracle, 1), note=mode)
    case(
        "pad_transpose",
        normal(3, 6),
        normal(2, 3),
        np.array(pads, np.int32),
        paddings=None,
        mode=mode,
        value=0,
        oracle=adjoint(pad_oracle, 1),
        note=f"{mode}, tensor",
    )
case("reverse", normal(2, 3), axis=(1,), oracle=lambda x: np.stack([x[:, 2], x[:, 1], x[:, 0]], 1))
case("reverse", normal(2, 3), axis=(0, -1), oracle=lambda x: x.ravel()[::-1].reshape(2, 3), note="two axes")
case("roll", normal(4), shift=(1,), axis=(0,), oracle=lambda x: [x[3], x[0], x[1], x[2]])
case(
    "roll",
    normal(2, 3),
    shift=(1, -1),
    axis=(0, -1),
    oracle=lambda x: [[x[1 - i, (j + 1) % 3] for j in range(3)] for i in range(2)],
    note="two axes",
)

# --- joining and parting --------------------------------------------------------------------------------------------

case("concat", normal(2, 3), normal(1, 3), axis=0, oracle=lambda a, b: [*a, *b])
case(
    "concat",
    normal(2, 3),
    normal(2, 1),
    normal(2, 0),
    axis=-1,
    oracle=lambda a, b, c: [[*a[0], *b[0]], [*a[1], *b[1]]],
    note="axis=-1",
)
case("concat", cnormal(2), cnormal(3), axis=0, oracle=lambda a, b: [*a, *b], note="complex")
case(
    "concat",
    np.array([b"a"], object),
    np.array([b"bc"], object),
    axis=0,
    oracle=lambda a, b: np.array([b"a", b"bc"], object),
    note="strings",
)
case("concat_part", normal(5, 2), normal(2, 2), normal(3, 2), axis=0, i=1, oracle=lambda g, a, b: g[2:])
case("stack", normal(2), normal(2), axis=0, oracle=lambda a, b: [a, b])
case(
    "stack",
    normal(2, 3),
    normal(2, 3),
    axis=-1,
    oracle=lambda a, b: [[[a[i, j], b[i, j]] for j in range(3)] for i in range(2)],
    note="axis=-1",
)
case("unstack", normal(3, 2), axis=0, num=3, oracle=lambda x: (x[0], x[1], x[2]))
case("unstack", normal(3, 2), axis=-1, num=2, oracle=lambda x: (x[:, 0], x[:, 1]), note="axis=-1")
case("split", normal(4, 3), axis=0, parts=2, oracle=lambda x: (x[:2], x[2:]))
case("split", normal(2, 5), axis=-1, parts=(1, -1, 2), oracle=lambda x: (x[:, :1], x[:, 1:3], x[:, 3:]), note="sizes")
INDICES = [
    ((slice(None), 1), lambda x: [x[i, 1] for i in range(4)]),
    ((slice(None, None, 2), slice(None, None, -1)), lambda x: [[x[i, 2 - j] for j in range(3)] for i in (0, 2)]),
    ((Ellipsis, None, slice(-2, None)), lambda x: [[[x[i, 1], x[i, 2]]] for i in range(4)]),
    ((-1, slice(1, 9)), lambda x: [x[3, 1], x[3, 2]]),
    ((slice(3, 0, -2),), lambda x: [x[3], x[1]]),
    ((slice(2, 2),), lambda x: np.zeros((0, 3))),
]
for k, (index, f) in enumerate(INDICES):
    case("getitem", normal(4, 3), index=index, oracle=f, note=str(k))
    case(
        "getitem_transpose",
        normal(*np.shape(f(np.zeros((4, 3))))),
        normal(4, 3),
        index=index,
        note=str(k),
        oracle=adjoint(lambda x, f=f: np.array(f(x)), 1),
    )
case(
    "getitem",
    normal(4, 3),
    np.array(1),
    np.array(3),
    index=(slice(Dynamic(0), Dynamic(1)), 0),
    oracle=lambda x, a, b: x[1:3, 0],
    note="dynamic",
    open=True,
)
case("getitem", normal(4, 3), np.array(2), index=(Dynamic(0),), oracle=lambda x, a: x[2], note="dynamic integer")
case(
    "getitem_transpose",
    normal(2),
    normal(4, 3),
    np.array(1),
    np.array(3),
    index=(slice(Dynamic(0), Dynamic(1)), 0),
    oracle=lambda g, x, a, b: [[0, 0, 0], [g[0], 0, 0], [g[1], 0, 0], [0, 0, 0]],
    note="dynamic",
)

# --- gather and scatter ---------------------------------------------------------------------------------------------

TAKES = [
    (0, 0, (4, 3), [2, 0, 2], lambda x, i: [x[2], x[0], x[2]]),
    (1, 0, (2, 3), [[2, 0], [1, 1]], lambda x, i: [[[x[r, i[a, b]] for b in range(2)] for a in range(2)] for r in range(2)]),
    (-1, 0, (2, 3), [1], lambda x, i: x[:, 1:2]),
    (1, 1, (2, 3, 2), [[2, 0], [1, 1]], lambda x, i: [[x[b, i[b, k]] for k in range(2)] for b in range(2)]),
    (
        2,
        1,
        (2, 2, 3),
        [[2, 0], [1, 1]],
        lambda x, i: [[[x[b, r, i[b, k]] for k in range(2)] for r in range(2)] for b in range(2)],
    ),
    (0, 0, (3,), 1, lambda x, i: x[1]),
    (0, 0, (3,), [], lambda x, i: np.zeros(0)),
]
for axis, batch, shape, at, f in TAKES:
    at = np.array(at, np.int32)
    note = f"axis={axis}, batch={batch}, {shape}, {at.shape}"
    case("take", normal(*shape), at, axis=axis, batch_dims=batch, oracle=f, note=note)
    out = np.shape(f(np.zeros(shape), at))
    case(
        "take_transpose",
        normal(*out),
        normal(*shape),
        at,
        axis=axis,
        batch_dims=batch,
        note=note,
        oracle=adjoint(lambda x, i, f=f: np.array(f(x, i)), 1),
    )
for axis, at in [(1, [[2, 0, 2], [1, 1, 0]]), (0, [[1, 0, 1]]), (-1, [[0], [2]])]:
    at = np.array(at, np.int32)

    def along(x: Any, i: Any, axis: int = axis) -> Any:
        return np.array([[x[r, i[r, c]] if axis else x[i[r, c], c] for c in range(i.shape[1])] for r in range(i.shape[0])])

    case("take_along_axis", normal(2, 3), at, axis=axis, oracle=along, note=f"axis={axis}")
    case(
        "take_along_axis_transpose", normal(*at.shape), normal(2, 3), at, axis=axis, oracle=adjoint(along, 1), note=f"axis={axis}"
    )
NDS = [
    (0, (3, 2), [[2, 1], [0, 0], [2, 1]], lambda x, i: [x[2, 1], x[0, 0], x[2, 1]]),
    (0, (3, 2), [[2], [0]], lambda x, i: [x[2], x[0]]),
    (1, (2, 3, 2), [[[2], [0]], [[1], [1]]], lambda x, i: [[x[b, i[b, k, 0]] for k in range(2)] for b in range(2)]),
    (0, (3,), [[[2]], [[1]]], lambda x, i: [[x[2]], [x[1]]]),
]
for batch, shape, at, f in NDS:
    at = np.array(at, np.int32)
    case("gather_nd", normal(*shape), at, batch_dims=batch, oracle=f, note=f"batch={batch}, {at.shape}")
    out = np.shape(f(np.zeros(shape), at))
    case(
        "gather_nd_transpose",
        normal(*out),
        normal(*shape),
        at,
        batch_dims=batch,
        note=f"batch={batch}, {at.shape}",
        oracle=adjoint(lambda x, i, f=f: np.array(f(x, i)), 1),
    )
case("gather_nd", normal(3, 2), np.zeros((2, 0), np.int32), batch_dims=0, oracle=lambda x, i: [x, x], note="no coordinates")
AT = np.array([[0], [3], [3]], np.int32)
case("scatter_nd", normal(3, 2), AT, shape=(4, 2), oracle=lambda u, i: [u[0], 0 * u[0], 0 * u[0], u[1] + u[2]])
case(
    "scatter_nd",
    normal(3, 2),
    AT,
    np.array([4, 2], np.int32),
    shape=None,
    oracle=lambda u, i, d: [u[0], 0 * u[0], 0 * u[0], u[1] + u[2]],
    note="tensor",
    open=True,
)
ONCE = np.array([[0, 1], [2, 0]], np.int32)


def scattered(how: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def oracle(x: Any, indices: Any, updates: Any) -> Any:
        result = np.array(x)
        lead = indices.shape[:-1]
        for k in itertools.product(*map(range, lead)):
            at = tuple(indices[k])
            result[at] = how(result[at], updates[k])
        return result

    return oracle


for name, how in [
    ("tensor_scatter_update", lambda a, b: b),
    ("tensor_scatter_add", lambda a, b: a + b),
    ("tensor_scatter_min", np.minimum),
    ("tensor_scatter_max", np.maximum),
]:
    case(name, normal(3, 2), ONCE, normal(2), oracle=scattered(how))
    case(name, normal(4, 2), AT, normal(3, 2), oracle=scattered(how), note="rows, repeated")
case("scatter_winner", normal(4, 2), AT, normal(3, 2), oracle=lambda x, i, u: [[1], [0], [1]])
SEGMENTS = np.array([1, 0, 1, -1], np.int32)
case("segment_sum", normal(4, 2), SEGMENTS, num=3, oracle=lambda x, i: [x[1], x[0] + x[2], 0 * x[0]])
case("segment_sum", normal(4, 2), SEGMENTS, num=None, oracle=lambda x, i: [x[1], x[0] + x[2]], note="open", open=True)
case(
    "segment_sum",
    normal(2, 2),
    np.array([[0, 1], [1, 1]]),
    num=2,
    oracle=lambda x, i: [x[0, 0], x[0, 1] + x[1, 0] + x[1, 1]],
    note="matrix",
)
case("segment_take", normal(3, 2), SEGMENTS, oracle=lambda g, i: [g[1], g[0], g[1], 0 * g[0]])
case("segment_sum_like", normal(4, 2), SEGMENTS, normal(3, 2), oracle=lambda x, i, y: [x[1], x[0] + x[2], 0 * x[0]])
case("nonzero", np.array([[0, 2], [3, 0]]), oracle=lambda x: [[0, 1], [1, 0]], open=True)
case("nonzero", np.array(True), oracle=lambda x: np.zeros((1, 0)), note="scalar", open=True)
case("nonzero", np.array([False, False]), oracle=lambda x: np.zeros((0, 1)), note="none", open=True)
HOT = np.array([1, -1, 2, 3], np.int32)
case(
    "one_hot",
    HOT,
    depth=3,
    on=1.0,
    off=0.0,
    axis=-1,
    dtype="float64",
    oracle=lambda x: [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]],
)
case(
    "one_hot",
    HOT,
    depth=3,
    on=5,
    off=-1,
    axis=0,
    dtype="int32",
    oracle=lambda x: [[-1] * 4, [5, -1, -1, -1], [-1, -1, 5, -1]],
    note="axis=0",
)
case(
    "one_hot",
    HOT,
    np.array([3], np.int32),
    depth=None,
    on=1.0,
    off=0.0,
    axis=-1,
    dtype="float32",
    note="tensor",
    open=True,
    oracle=lambda x, d: [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]],
)
case(
    "searchsorted",
    np.array([1.0, 3.0, 3.0, 7.0]),
    np.array([3.0, 0.0, 8.0]),
    side="left",
    dtype="int32",
    oracle=lambda x, v: [1, 0, 4],
)
case(
    "searchsorted",
    np.array([1.0, 3.0, 3.0, 7.0]),
    np.array([3.0, 0.0, 8.0]),
    side="right",
    dtype="int64",
    oracle=lambda x, v: [3, 0, 4],
    note="right",
)
case(
    "searchsorted",
    np.array([[1, 3], [5, 9]]),
    np.array([[2, 4, 0], [9, 4, 6]]),
    side="left",
    dtype="int32",
    note="rows",
    oracle=lambda x, v: [[1, 2, 0], [1, 0, 1]],
)
case("invert_permutation", np.array([2, 0, 1], np.int32), oracle=lambda x: [1, 2, 0])
case("repeat_index", np.array([2, 0, 1]), np.array(3), oracle=lambda t, n: [0, 0, 2], open=True)
case("repeat_index", np.array(2), np.array(3), oracle=lambda t, n: [0, 0, 1, 1, 2, 2], note="each", open=True)
case("partition", np.array([1, 0, 1, 2]), num=3, oracle=lambda x: ([[1]], [[0], [2]], [[3]]), open=True)
case("broadcast_shape", np.array([2, 1, 3]), np.array([4, 1]), oracle=lambda a, b: [2, 4, 3])
case(
    "reverse_sequence",
    normal(2, 4),
    np.array([3, 0]),
    axis=1,
    batch_axis=0,
    oracle=lambda x, n: [[x[0, 2], x[0, 1], x[0, 0], x[0, 3]], x[1]],
)
case(
    "reverse_sequence",
    normal(3, 2),
    np.array([3, 2]),
    axis=0,
    batch_axis=1,
    note="axis=0",
    oracle=lambda x, n: [[x[2, 0], x[1, 1]], [x[1, 0], x[0, 1]], [x[0, 0], x[2, 1]]],
)
for lower, upper in [(0, -1), (-1, 0), (1, 0), (0, 0), (-1, -1)]:
    case(
        "band_part",
        normal(2, 3, 4),
        lower=lower,
        upper=upper,
        note=f"{lower}, {upper}",
        oracle=lambda x, lo=lower, up=upper: [
            [[m[i, j] if (lo < 0 or i - j <= lo) and (up < 0 or j - i <= up) else 0 for j in range(4)] for i in range(3)]
            for m in x
        ],
    )
for k in (0, 1, -2):

    def diagonal(x: Any, k: int = k) -> Any:
        return (
            np.array([x[..., i, i + k] for i in range(x.shape[-2]) if 0 <= i + k < x.shape[-1]]).T
            if x.ndim == 2
            else np.stack([x[..., i, i + k] for i in range(x.shape[-2]) if 0 <= i + k < x.shape[-1]], -1)
        )

    n = len(diagonal(np.zeros((3, 4))))
    case("diag", normal(2, 3), k=k, oracle=lambda x, k=k: [np.diag(v, k) for v in x], note=f"k={k}")
    case("diag_part", normal(2, 3, 4), k=k, oracle=diagonal, note=f"k={k}")
    case("diag_part_transpose", normal(2, n), normal(2, 3, 4), k=k, oracle=adjoint(diagonal, 1), note=f"k={k}")
    case(
        "set_diag",
        normal(3, 4),
        normal(n),
        k=k,
        note=f"k={k}",
        oracle=lambda x, d, k=k: [[d[i + min(k, 0)] if j == i + k else x[i, j] for j in range(4)] for i in range(3)],
    )

# --- rows written one by one ----------------------------------------------------------------------------------------

case("write_row", normal(3, 2), np.array(1, np.int32), normal(2), grows=False, oracle=lambda x, i, v: [x[0], v, x[2]])
case(
    "write_row",
    normal(2, 2),
    np.array(3, np.int32),
    normal(2),
    grows=True,
    oracle=lambda x, i, v: [x[0], x[1], 0 * v, v],
    note="grows",
    open=True,
)
case("erase_row", normal(3, 2), normal(3, 2), np.array(1, np.int32), oracle=lambda g, x, i: [g[0], 0 * g[1], g[2]])
case("erase_row", normal(4, 2), normal(2, 2), np.array(3, np.int32), oracle=lambda g, x, i: g[:2], note="cut")

# --- products -------------------------------------------------------------------------------------------------------


def product(x: Any, y: Any) -> Any:
    return np.einsum("...ij,...jk->...ik", x, y)


def turned(x: Any, by: bool) -> Any:
    return np.einsum("...ij->...ji", x) if by else x


for ta, tb in itertools.product((False, True), repeat=2):
    for batch_a, batch_b in [((), ()), ((2,), (2,)), ((2,), ()), ((2, 1), (3,))]:
        a = normal(*batch_a, *((3, 2) if ta else (2, 3)))
        b = normal(*batch_b, *((2, 3) if tb else (3, 2)))
        case(
            "matmul",
            a,
            b,
            ta=ta,
            tb=tb,
            note=f"{ta}, {tb}, {batch_a}, {batch_b}",
            oracle=lambda a, b, ta=ta, tb=tb: product(turned(a, ta), turned(b, tb)),
            rtol=1e-12,
        )
case("matmul", cnormal(2, 3), cnormal(3, 2), oracle=product, note="complex", rtol=1e-12)
case(
    "matmul",
    cnormal(3, 2),
    cnormal(2, 3),
    ta=True,
    tb=True,
    oracle=lambda a, b: product(a.T, b.T),
    note="complex, both",
    rtol=1e-12,
)
case("matmul", normal(2, 0), normal(0, 3), oracle=lambda a, b: np.zeros((2, 3)), note="empty")
case("matmul", np.array([[1, 2]], np.int32), np.array([[3], [4]], np.int32), oracle=lambda a, b: [[11]], note="int32")
for equation, s, t in [
    ("ij,jk->ik", (2, 3), (3, 2)),
    ("bij,bj->bi", (2, 3, 2), (2, 2)),
    ("i,j->ij", (2,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ijk,lk->lji", (2, 2, 3), (2, 3)),
]:

    def by_hand(a: Any, b: Any, equation: str = equation) -> Any:
        left, out = equation.split("->")
        one, two = left.split(",")
        sizes = dict(zip(one, a.shape, strict=True)) | dict(zip(two, b.shape, strict=True))
        result = np.zeros([sizes[c] for c in out], np.result_type(a, b))
        for k in itertools.product(*[range(sizes[c]) for c in sizes]):
            at = dict(zip(sizes, k, strict=True))
            result[tuple(at[c] for c in out)] += a[tuple(at[c] for c in one)] * b[tuple(at[c] for c in two)]
        return result

    case("einsum", normal(*s), normal(*t), equation=equation, oracle=by_hand, note=equation, rtol=1e-12)
case("einsum", cnormal(2, 3), cnormal(3, 2), equation="ij,jk->ik", oracle=product, note="complex", rtol=1e-12)

# --- reductions -----------------------------------------------------------------------------------------------------


def reduced(f: Callable[[list[Any]], Any], axis: Any, keepdims: bool) -> Callable[..., Any]:
    """Reduce by a function of a list of numbers, with 50 digits."""

    def oracle(x: Any) -> Any:
        over = range(x.ndim) if axis is None else [a % x.ndim for a in axis]
        kept = [i for i in range(x.ndim) if i not in over]
        moved = np.transpose(x, (*kept, *over)).reshape([x.shape[i] for i in kept] + [-1])
        with mp.workdps(50):
            flat = [f([number(v) for v in line]) for line in moved.reshape(-1, moved.shape[-1])]
        out = np.array([complex(v) if isinstance(v, mp.mpc) else float(v) for v in flat])
        return out.reshape([1 if i in over else s for i, s in enumerate(x.shape)] if keepdims else [x.shape[i] for i in kept])

    return oracle


AXES = [(None, False), (None, True), ((0,), False), ((1,), True), ((-1,), False), ((0, -1), False), ((0, 2), True), ((), False)]
REDUCTIONS: list[tuple[str, Any]] = [
    ("sum", lambda v: mp.fsum(v)),
    ("mean", lambda v: mp.fsum(v) / len(v)),
    ("max", max),
    ("min", min),
]
for name, f in REDUCTIONS:
    for axis, keepdims in AXES:
        case(
            name,
            apart(2, 3, 2),
            axis=axis,
            keepdims=keepdims,
            oracle=reduced(f, axis, keepdims),
            note=f"{axis}, {keepdims}",
            atol=1e-15,
        )
    case(name, normal(), axis=None, keepdims=False, oracle=lambda x: x, note="scalar")
case("sum", normal(0, 2), axis=(0,), keepdims=False, oracle=lambda x: [0, 0], note="empty")
case("sum", cnormal(2, 2), axis=(0,), keepdims=False, oracle=lambda x: x[0] + x[1], note="complex")
case("sum", np.array([[3, 4]], np.int32), axis=None, keepdims=False, oracle=lambda x: 7, note="int32")
case("mean", cnormal(2, 2), axis=(0,), keepdims=False, oracle=lambda x: (x[0] + x[1]) / 2, note="complex")
case("mean", np.array([[3, 4, -9], [-3, 4, 2]], np.int32), axis=(1,), keepdims=False, oracle=lambda x: [0, 1], note="int32")
case("mean", np.array([[3, 4, 9], [-3, -4, -2]], np.int32), axis=None, keepdims=True, oracle=lambda x: [[1]], note="int32, all")
case("max", np.zeros((0, 2)), axis=(0,), keepdims=False, oracle=lambda x: [-np.inf, -np.inf], note="empty", smooth=False)
case("min", np.zeros((0, 2), np.int32), axis=(0,), keepdims=False, oracle=lambda x: [2**31 - 1] * 2, note="empty int32")
for axis, keepdims in [((0,), False), ((1,), True), ((-1,), False)]:
    case(
        "prod",
        normal(2, 3, 2),
        axis=axis,
        keepdims=keepdims,
        oracle=reduced(mp.fprod, axis, keepdims),
        note=f"{axis}, {keepdims}",
    )
case("prod", np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0]]), axis=(1,), keepdims=False, oracle=lambda x: [0, 0], note="zeros")
case("prod", cnormal(3), axis=(0,), keepdims=False, oracle=reduced(mp.fprod, (0,), False), note="complex")
case("prod", np.array([2, -3], np.int32), axis=(0,), keepdims=False, oracle=lambda x: -6, note="int32")
for axis, keepdims in [(None, False), ((1,), True)]:
    like = np.shape(reduced(mp.fsum, axis, keepdims)(np.zeros((2, 3))))
    case(
        "spread_like",
        normal(*like),
        normal(2, 3),
        axis=axis,
        keepdims=keepdims,
        note=f"{axis}, {keepdims}",
        oracle=adjoint(reduced(mp.fsum, axis, keepdims), 1),
    )
    case(
        "mean_transpose",
        normal(*like),
        normal(2, 3),
        axis=axis,
        keepdims=keepdims,
        note=f"{axis}, {keepdims}",
        oracle=adjoint(reduced(lambda v: mp.fsum(v) / len(v), axis, keepdims), 1),
    )
case(
    "spread_like",
    normal(2),
    normal(2, 3),
    axis=(-1,),
    keepdims=False,
    oracle=lambda g, x: [[g[0]] * 3, [g[1]] * 3],
    note="axis=-1",
)
for axis, keepdims in [(None, False), ((0,), True)]:
    case(
        "any",
        MASK,
        axis=axis,
        keepdims=keepdims,
        oracle=lambda x, k=keepdims: [[True, False, True]] if k else True,
        note=f"{axis}",
    )
    case(
        "all",
        MASK,
        axis=axis,
        keepdims=keepdims,
        oracle=lambda x, k=keepdims: [[False, False, True]] if k else False,
        note=f"{axis}",
    )


def running(combine: Callable[[Any, Any], Any], start: float, exclusive: bool, reverse: bool) -> Callable[[list[Any]], list[Any]]:
    def of(v: list[Any]) -> list[Any]:
        v = v[::-1] if reverse else v
        found = list(itertools.accumulate(v, combine, initial=start))
        found = found[:-1] if exclusive else found[1:]
        return found[::-1] if reverse else found

    return of


for exclusive, reverse in itertools.product((False, True), repeat=2):
    for axis in (0, 1, -1):
        note = f"{axis}, {exclusive}, {reverse}"
        case(
            "cumsum",
            normal(2, 3),
            axis=axis,
            exclusive=exclusive,
            reverse=reverse,
            note=note,
            atol=1e-15,
            oracle=rows(running(lambda a, b: a + b, 0.0, exclusive, reverse), axis),
        )
        case(
            "cumprod",
            normal(2, 3),
            axis=axis,
            exclusive=exclusive,
            reverse=reverse,
            note=note,
            oracle=rows(running(lambda a, b: a * b, 1.0, exclusive, reverse), axis),
        )
    case(
        "cumprod",
        np.array([2.0, 0.0, 3.0, 0.0, 5.0]),
        axis=0,
        exclusive=exclusive,
        reverse=reverse,
        note=f"zeros, {exclusive}, {reverse}",
        oracle=rows(running(lambda a, b: a * b, 1.0, exclusive, reverse), 0),
    )
case(
    "cumsum",
    cnormal(3),
    axis=0,
    exclusive=False,
    reverse=False,
    oracle=lambda x: [x[0], x[0] + x[1], x[0] + x[1] + x[2]],
    note="complex",
)
case(
    "cumprod",
    cnormal(3),
    axis=0,
    exclusive=False,
    reverse=False,
    oracle=lambda x: [x[0], x[0] * x[1], x[0] * x[1] * x[2]],
    note="complex",
    rtol=1e-12,
)
case("cumsum", np.array([1, 2, 3], np.int32), axis=0, exclusive=True, reverse=False, oracle=lambda x: [0, 1, 3], note="int32")


def recurred(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.zeros(b.shape, np.result_type(a, b))
    last = 0.0
    for k in range(len(b))[:: -1 if reverse else 1]:
        last = y[k] = a[k] * last + b[k]
    return np.moveaxis(y, 0, axis)


for axis, reverse in [(0, False), (0, True), (1, False), (-1, True)]:
    case(
        "recurrence",
        normal(2, 3),
        normal(2, 3),
        axis=axis,
        reverse=reverse,
        note=f"{axis}, {reverse}",
        oracle=lambda a, b, axis=axis, reverse=reverse: recurred(a, b, axis, reverse),
    )
case(
    "recurrence",
    cnormal(3),
    cnormal(3),
    axis=0,
    reverse=False,
    oracle=lambda a, b: recurred(a, b, 0, False),
    note="complex",
    rtol=1e-12,
)
for reverse, f in [
    (False, lambda v: list(itertools.accumulate(v, max))),
    (True, lambda v: list(itertools.accumulate(v[::-1], max))[::-1]),
]:
    for axis in (0, -1):
        case("cummax", normal(2, 3), axis=axis, reverse=reverse, oracle=rows(f, axis), note=f"{axis}, {reverse}", smooth=False)
case("checked_ids", np.array([2, 0, 1]), oracle=lambda x: x)
case("checked_ids", np.array([2, -1, 1], np.int32), normal(4, 2), oracle=lambda x, f: [2, 3, 1], note="with a frame")
case("checked_ids", np.array([0, 0, 2]), increasing=True, oracle=lambda x: x, note="increasing")
case("segment_table", np.array([1, 0, 1, -1]), normal(3, 2), oracle=lambda i, f: [[1, 4], [0, 2], [4, 4]], open=True)
for power, shares in [(0.0, [1, 1, 1, 1]), (1.0, [0.5, 1, 0.5, 1]), (0.5, [0.5**0.5, 1, 0.5**0.5, 1])]:
    case(
        "segment_shares", np.array([4, 0, 0, 1]), np.array([1, 0, 1, 2]), normal(3, 2), count=5, power=power,
        oracle=lambda p, i, f, shares=shares: shares, note=f"{power}",
    )  # fmt: skip
TIES = np.array([[2.0, 7.0, 7.0], [1.0, -1.0, -1.0]])
case("argmax", TIES, axis=1, dtype="int64", oracle=lambda x: [1, 0])
case("argmax", TIES, axis=-2, dtype="int32", oracle=lambda x: [0, 0, 0], note="axis=-2")
case("argmin", TIES, axis=1, dtype="int64", oracle=lambda x: [0, 1])
case(
    "isotonic_blocks",
    np.array([[3.0, 1.0, 2.0, -1.0], [1.0, 2.0, 3.0, 4.0]]),
    increasing=False,
    oracle=lambda x: [[0, 1, 1, 2], [0, 0, 0, 0]],
)
case("isotonic_blocks", np.array([[3.0, 1.0, 2.0]]), increasing=True, oracle=lambda x: [[0, 0, 0]], note="increasing")
case("argsort", TIES, axis=-1, descending=False, oracle=lambda x: [[0, 1, 2], [1, 2, 0]])
case("argsort", TIES, axis=-1, descending=True, oracle=lambda x: [[1, 2, 0], [0, 1, 2]], note="descending, stable")
case("argsort", TIES, axis=0, descending=False, oracle=lambda x: [[1, 1, 1], [0, 0, 0]], note="axis=0")
case("unique", np.array([3, 1, 3, 7, 1]), dtype="int32", oracle=lambda x: ([3, 1, 7], [0, 1, 0, 2, 1], [2, 2, 1]), open=True)
case(
    "bincount",
    np.array([1, 4, 1], np.int32),
    length=3,
    dtype="int32",
    open=True,
    oracle=lambda x: [collections.Counter(x.tolist())[k] for k in range(5)],
)

# --- Fourier transforms ---------------------------------------------------------------------------------------------


def fourier(x: Any, sign: int) -> Any:
    n = x.shape[-1]
    return x @ np.exp(sign * 2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n)


for n in (1, 3, 4):
    case("fft", cnormal(2, n), oracle=lambda x: fourier(x, -1), note=f"{n}", rtol=1e-12, atol=1e-14)
    case("ifft", cnormal(2, n), oracle=lambda x: fourier(x, 1) / x.shape[-1], note=f"{n}", rtol=1e-12, atol=1e-14)

# --- linear algebra -------------------------------------------------------------------------------------------------


def matrices(f: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluate a function of mpmath's matrices with 50 digits, for stacks of them."""

    def oracle(*arrays: Any) -> Any:
        batch = np.broadcast_shapes(*[a.shape[:-2] for a in arrays])
        stacks = [np.broadcast_to(a, batch + a.shape[-2:]) for a in arrays]
        found = []
        with mp.workdps(50):
            for at in np.ndindex(*batch):
                value = f(*[mp.matrix([[number(v) for v in row] for row in s[at]]) for s in stacks])
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


def definite(*shape: int) -> Any:
    a = normal(*shape)
    return product(a, turned(a, True)) + np.eye(shape[-1])


def triangle(x: Any, lower: bool, adjoint_: bool) -> Any:
    for i, j in itertools.product(range(x.rows), repeat=2):
        if (j > i) if lower else (j < i):
            x[i, j] = mp.mpf(0)
    return x.H if adjoint_ else x


def mirrored(x: Any) -> Any:
    """Make a tensor symmetric."""
    from wengert.tensor.tensor import tensors

    return 0.5 * (x + tensors.conj(tensors.matrix_transpose(x)))


def lower_mirrored(x: Any) -> Any:
    """Fill a matrix from its lower triangle."""
    return (
        x.copy()
        if x.rows == 0
        else mp.matrix([[x[max(i, j), min(i, j)] if i >= j else mp.conj(x[j, i]) for j in range(x.rows)] for i in range(x.rows)])
    )


rng = np.random.default_rng(21)  # numbers of its own, whatever is put into the table before


def trace(a: Any) -> Any:
    return sum(a[i, i] for i in range(a.rows))


WELL = normal(2, 3, 3) + 3 * np.eye(3)
SPREAD = 0.2 * normal(2, 3, 3) + np.diag([1.0, 3.0, 6.0])
CWELL = cnormal(3, 3) + 3 * np.eye(3)
for note, x in [("", WELL), ("complex", CWELL)]:
    case("inverse", x, oracle=matrices(lambda a: a**-1), note=note, rtol=1e-12, loose=1e-3)
    case("det", x, oracle=matrices(mp.det), note=note, rtol=1e-12, loose=1e-3)
    case("adjugate", x, oracle=matrices(lambda a: mp.det(a) * a**-1), note=note, rtol=1e-12, atol=1e-12, loose=1e-3)
    case(
        "adjugate_change",
        x,
        x[..., ::-1] * 0.5,
        note=note,
        rtol=1e-12,
        atol=1e-12,
        loose=1e-3,
        oracle=matrices(lambda a, e: mp.det(a) * (trace(a**-1 * e) * a**-1 - a**-1 * e * a**-1)),
    )
    case(
        "slogdet",
        x,
        note=note,
        rtol=1e-12,
        loose=1e-3,
        outputs=(1,),
        atol=1e-15,
        oracle=lambda a: (matrices(lambda m: mp.det(m) / abs(mp.det(m)))(a), matrices(lambda m: mp.log(abs(mp.det(m))))(a)),
    )
    case("expm", x / 4, oracle=matrices(mp.expm), note=note, rtol=1e-12, loose=1e-3)
    case("logm", x @ x, oracle=matrices(mp.logm), note=note, rtol=1e-11, loose=1e-3)
    case("sqrtm", x @ x, oracle=matrices(mp.sqrtm), note=note, rtol=1e-11, loose=1e-3)
    for adj in (False, True):
        for batch in ((), (2,)):
            b = normal(*batch, 3, 2) if note == "" else cnormal(*batch, 3, 2)
            case(
                "solve",
                x,
                b,
                adjoint=adj,
                note=f"{note} {adj} {batch}",
                rtol=1e-12,
                loose=1e-3,
                oracle=matrices(lambda a, b, adj=adj: (a.H if adj else a) ** -1 * b),
            )
            for lower in (False, True):
                case(
                    "triangular_solve",
                    x,
                    b,
                    adjoint=adj,
                    lower=lower,
                    note=f"{note} {adj} {lower} {batch}",
                    rtol=1e-12,
                    loose=1e-3,
                    oracle=matrices(lambda a, b, adj=adj, lower=lower: triangle(a, lower, adj) ** -1 * b),
                )
case("det", np.array([[-1.0, 2.0], [0.5, 3.0]]), oracle=lambda x: -4.0, note="negative")
case("slogdet", np.array([[-1.0, 2.0], [0.5, 3.0]]), oracle=lambda x: (-1.0, math.log(4.0)), note="negative")
case("cholesky", definite(2, 3, 3), oracle=matrices(mp.cholesky), enter=mirrored, rtol=1e-12, loose=1e-3)
hermitian = CWELL @ CWELL.conj().T
hermitian = (hermitian + hermitian.conj().T) / 2
case("cholesky", hermitian, oracle=matrices(mp.cholesky), enter=mirrored, rtol=1e-12, loose=1e-3, note="complex")


def eigen(x: Any) -> Any:
    def of(m: Any) -> Any:
        return mp.matrix([sorted(mp.eigh(lower_mirrored(m), eigvals_only=True), key=mp.re)])

    return matrices(of)(x)[..., 0, :], matrices(lower_mirrored)(x)


def eigen_view(inputs: Any, outputs: Any) -> Any:
    e, v = outputs
    return e, np.einsum("...ij,...j,...kj->...ik", v, e, v.conj())


case("eigh", SPREAD, oracle=eigen, view=eigen_view, rtol=1e-11, atol=1e-12, loose=1e-3)
case(
    "eigh",
    hermitian,
    oracle=eigen,
    view=eigen_view,
    rtol=1e-11,
    atol=1e-12,
    loose=1e-3,
    note="complex",
    outputs=(0,),
    enter=mirrored,
)
for note, x in [("square", SPREAD), ("tall", normal(4, 2)), ("wide", normal(2, 4)), ("complex", cnormal(3, 2))]:
    for full in (False, True):

        def singular(x: Any) -> Any:
            def of(m: Any) -> Any:
                small = m * m.H if m.rows < m.cols else m.H * m
                return mp.matrix([sorted([mp.sqrt(mp.re(e)) for e in mp.eigh(small, eigvals_only=True)], reverse=True)])

            return matrices(of)(x)[..., 0, :], x

        def singular_view(inputs: Any, outputs: Any) -> Any:
            s, u, v = outputs
            k = s.shape[-1]
            return s, np.einsum("...ij,...j,...kj->...ik", u[..., :k], s, v[..., :k].conj())

        case(
            "svd",
            x,
            full_matrices=full,
            oracle=singular,
            view=singular_view,
            note=f"{note}, {full}",
            rtol=1e-11,
            atol=1e-12,
            loose=1e-3,
            outputs=(0,) if full or note == "complex" else None,
            first=full or note == "complex",
        )
        case(
            "qr",
            x,
            full_matrices=full,
            note=f"{note}, {full}",
            rtol=1e-11,
            atol=1e-12,
            loose=1e-3,
            oracle=lambda x, full=full: (x, np.eye(x.shape[-2] if full else min(x.shape[-2:])) + np.zeros((*x.shape[:-2], 1, 1))),
            view=lambda inputs, outputs: (product(*outputs), product(turned(outputs[0].conj(), True), outputs[0])),
            outputs=() if full or note in ("wide", "complex") else None,
        )


def by_size(values: Any) -> Any:
    return np.sort_complex(np.asarray(values))


def eig(x: Any) -> Any:
    return matrices(lambda m: mp.matrix([by_value(mp.eig(m, left=False, right=False))]))(x)[..., 0, :], x + 0j


def by_value(values: Any) -> Any:
    return sorted(values, key=lambda e: (mp.re(e), mp.im(e)))


def eig_view(inputs: Any, outputs: Any) -> Any:
    e, v = outputs
    return np.sort_complex(e), product(v * e[..., None, :], np.linalg.inv(v))


case("eig", SPREAD, oracle=eig, view=eig_view, rtol=1e-10, atol=1e-11, loose=1e-3, outputs=(0,))
case(
    "eig", cnormal(3, 3) + SPREAD[0], oracle=eig, view=eig_view, rtol=1e-10, atol=1e-11, loose=1e-3, outputs=(0,), note="complex"
)
for note, x in [("tall", normal(2, 4, 2)), ("wide", normal(2, 4)), ("complex", cnormal(3, 2))]:
    case(
        "pinv",
        x,
        rcond=None,
        note=note,
        rtol=1e-12,
        atol=1e-13,
        loose=1e-3,
        oracle=matrices(lambda a: (a.H * a) ** -1 * a.H if a.rows >= a.cols else a.H * (a * a.H) ** -1),
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


SEEDS = {"seeds": (3, 5), "key": None}
for dims, shape, note in [((), (2, 30), ""), ((np.array([2, 30], np.int32),), None, "tensor")]:
    given = {"shape": shape, "note": note, "open": shape is None, "smooth": False} | SEEDS
    case("random_uniform", *dims, dtype="float64", oracle=lambda *d: stream().random((2, 30)), **given)
    case(
        "random_uniform_int",
        *dims,
        dtype="int32",
        low=-3,
        high=9,
        oracle=lambda *d: stream().integers(-3, 9, (2, 30), dtype="int32"),
        **given,
    )
    case("random_normal", *dims, dtype="float64", oracle=lambda *d: stream().standard_normal((2, 30)), **given)
    case("truncated_normal", *dims, dtype="float64", oracle=lambda *d: truncated(), **given)
for op, parameter, f in [
    ("random_gamma", [0.5, 1.7], lambda g, p, n: g.gamma(p, size=n)),
    ("random_poisson", [2.5], lambda g, p, n: g.poisson(p, size=n)),
]:
    parameter = np.array(parameter)
    for dims, shape, note in [((), (2, 30), ""), ((np.array([2, 30], np.int32),), None, "tensor")]:
        case(
            op,
            parameter,
            *dims,
            dtype="float64",
            shape=shape,
            note=note,
            open=shape is None,
            smooth=False,
            loose=math.inf,
            **SEEDS,
            oracle=lambda p, *d, f=f: f(stream(), p, (2, 30, len(p))),
        )
case("random_shuffle", normal(5, 2), oracle=lambda x: x[stream().permutation(5)], smooth=False, **SEEDS)
LOGITS = np.log(np.array([[0.2, 0.5, 0.3], [0.0001, 0.0001, 0.9998]]))


def chosen(logits: Any, *rest: Any) -> Any:
    at = stream().random((2, 20))
    return [[next(k for k in range(3) if u < np.exp(row[: k + 1]).sum()) for u in us] for row, us in zip(logits, at, strict=True)]


case("categorical", LOGITS, shape=(20,), dtype="int64", oracle=chosen, smooth=False, loose=math.inf, **SEEDS)
