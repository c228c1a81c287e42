"""The check of the library itself: every operation that states a derivative, at random points of its domain.

For each operation there are cases (shapes, attributes, domains), and for each case a rule that draws its inputs. The lists of
the derivatives are built once for a case and walked at all of its points, in arithmetic of many digits.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, NamedTuple

import numpy as np

import wengert.ops  # noqa: F401
from wengert.modes.tracing import tracing
from wengert.ops.linear import Dynamic
from wengert.ops.op import table
from wengert.tensor.tensor import append, tensors
from wengert.verify.findings import Fault, Row
from wengert.verify.judge import check_points, probes
from wengert.verify.lists import Question
from wengert.verify.report import Report

__all__ = ["CASES", "EXCLUDED", "Case", "check_operations", "questions"]

EXCLUDED = {
    "custom_gradient": "is what the user's function says",
    "fed": "is made by the lowering alone",
    "gradient": "is lowered before it runs",
    "linked": "has derivatives that are zero, which say that there is a way",
    "passed": "is what the user's function says",
    "polygamma_order": "states no derivative",
    "py_function": "is what the user's function says",
    "random_gamma": "draws random numbers",
    "random_shuffle": "states no derivative",
    "read_variable": "reads a variable, and hands its cotangent on",
    "taylor": "is lowered before it runs",
    "unique": "states no derivative",
}
"""Operations with a derivative that cannot be called alone, and why. Those of kind `constant` have none."""

Draw = Callable[[np.random.Generator], Any]


class Case(NamedTuple):
    """One manner of calling an operation."""

    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    """Draws the inputs."""
    attrs: dict[str, Any]
    call: Callable[..., Any] | None
    """The outputs as a function of the operation's namespace and the inputs; None: the operation itself."""
    outputs: tuple[int, ...] | None
    """The outputs with a derivative that is told; None: all."""
    most: int
    """The points at which it is looked at, at most."""
    order: int
    """The greatest order to which it is looked at."""


CASES: dict[str, list[Case]] = {}
"""The cases of each operation."""


def case(op: str, *inputs: Draw, joint: Any = None, call: Any = None, outputs: Any = None, most: int = 99, order: int = 99,
         **attrs: Any) -> None:  # fmt: skip
    """Enter a case: a draw for each input, or a joint one."""
    draw = joint or (lambda rng: tuple(d(rng) for d in inputs))
    CASES.setdefault(op, []).append(Case(draw, attrs, call, outputs, most, order))


# --- draws ------------------------------------------------------------------------------------------------------------------


def normal(*shape: int) -> Draw:
    """Return a draw of normal numbers."""
    return lambda rng: rng.standard_normal(shape)


def pairs(*shape: int) -> Draw:
    """Return a draw of complex normal numbers."""
    return lambda rng: rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def between(low: float, high: float, *shape: int) -> Draw:
    """Return a draw of numbers between two."""
    return lambda rng: rng.uniform(low, high, shape)


def away(*shape: int) -> Draw:
    """Return a draw of numbers of either sign, not near zero."""
    return lambda rng: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.4, 2.2, shape)


def complex_away(*shape: int) -> Draw:
    """Return a draw of complex numbers, neither near zero nor near an axis."""
    return lambda rng: away(*shape)(rng) + 1j * away(*shape)(rng)


def apart(*shape: int) -> Draw:
    """Return a draw of numbers no two of which are near each other, nor near zero."""
    return lambda rng: (rng.permutation(math.prod(shape)) * 0.37 - 1.1 + rng.uniform(-0.1, 0.1, math.prod(shape))).reshape(shape)


def near(*values: float) -> Draw:
    """Return a draw of numbers near some, a tenth off at most."""
    return lambda rng: np.array(values) + rng.uniform(-0.1, 0.1, len(values))


def these(values: Any, dtype: str = "int32") -> Draw:
    """Return what gives the same array each time."""
    array = np.array(values, dtype)
    return lambda rng: array.copy()


def fits(divisor: Callable[..., Any]) -> Any:
    """Return a draw of (x, y) with x / y not near a whole number."""

    def draw(rng: np.random.Generator) -> tuple[Any, Any]:
        y = rng.choice([-1.0, 1.0], 3) * rng.uniform(0.7, 2.0, 3)
        return divisor(rng) * y + rng.integers(-3, 3, divisor(rng).shape) * y, y

    return draw


def well(*shape: int, kind: Any = None) -> Draw:
    """Return a draw of matrices that are well conditioned, their eigenvalues far apart."""
    n = shape[-1]
    return lambda rng: 0.3 * (kind or normal)(*shape)(rng) + np.diag(1.0 + 2.0 * np.arange(n))


def definite(*shape: int, kind: Any = normal) -> Draw:
    """Return a draw of positive definite matrices."""

    def draw(rng: np.random.Generator) -> Any:
        a = kind(*shape)(rng)
        return a @ np.conj(np.swapaxes(a, -1, -2)) + np.diag(1.0 + np.arange(shape[-1]))

    return draw


# --- elementwise ------------------------------------------------------------------------------------------------------------

REAL, UNIT, POSITIVE, COMPLEX = (-2.2, 2.2), (-0.85, 0.85), (0.3, 3.0), "complex"
UNARY: dict[str, Any] = {
    "abs": (REAL, COMPLEX), "acos": (UNIT, COMPLEX), "acosh": ((1.2, 4.0), COMPLEX), "angle": (REAL, COMPLEX),
    "asin": (UNIT, COMPLEX), "asin_slope": (UNIT, COMPLEX), "asinh": (REAL, COMPLEX), "asinh_slope": (REAL, COMPLEX),
    "atan": (REAL, COMPLEX), "atan_slope": (REAL, COMPLEX), "atanh": (UNIT, COMPLEX), "atanh_slope": (UNIT, COMPLEX),
    "bessel_i0": (REAL,), "bessel_i0e": (REAL,), "bessel_i1": (REAL,), "bessel_i1e": (REAL,), "bessel_j0": (REAL,),
    "bessel_j1": (REAL,), "bessel_k0": (POSITIVE,), "bessel_k0e": (POSITIVE,), "bessel_k1": (POSITIVE,),
    "bessel_k1e": (POSITIVE,), "bessel_y0": (POSITIVE,), "bessel_y1": (POSITIVE,), "cbrt": (POSITIVE, (-3.0, -0.3)),
    "conj": (REAL, COMPLEX), "cos": (REAL, COMPLEX), "cosh": (REAL, COMPLEX), "dawsn": (REAL,), "digamma": (POSITIVE,),
    "erf": (REAL,), "erfc": (REAL,), "erfcinv": ((0.15, 1.85),), "erfinv": (UNIT,), "exp": (REAL, COMPLEX),
    "expint": (POSITIVE,), "expm1": (REAL, COMPLEX), "fresnel_cos": (REAL,), "fresnel_sin": (REAL,), "identity": (REAL, COMPLEX),
    "imag": (REAL, COMPLEX), "lgamma": (POSITIVE, (-1.8, -1.2)), "log": (POSITIVE, COMPLEX), "log1p": ((-0.7, 3.0), COMPLEX),
    "log_sigmoid": (REAL,), "ndtr": (REAL,), "ndtri": ((0.1, 0.9),), "negative": (REAL, COMPLEX), "real": (REAL, COMPLEX),
    "reciprocal": (POSITIVE, COMPLEX), "relu": (REAL,), "relu6": ((0.5, 5.5), (6.5, 8.0), (-2.0, -0.5)),
    "rsqrt": (POSITIVE, COMPLEX), "sech_squared": (REAL, COMPLEX), "sigmoid": (REAL, COMPLEX), "sign": (REAL,),
    "sin": (REAL, COMPLEX), "sinc_unnormalised": (REAL,), "sinh": (REAL, COMPLEX), "softplus": (REAL,), "softsign": (REAL,),
    "spence": (POSITIVE,), "sqrt": (POSITIVE, COMPLEX), "square": (REAL, COMPLEX), "step": (REAL,),
    "tan": ((-1.2, 1.2), COMPLEX), "tanh": (REAL, COMPLEX),
}  # fmt: skip
for _name, _domains in UNARY.items():
    for _domain in _domains:
        case(_name, complex_away(2) if _domain == COMPLEX else between(*_domain, 3))
for _n in (-2, -1, 0, 1, 2, 3, 7):
    case("integer_power", away(3), n=_n)
case("integer_power", complex_away(2), n=3)
for _p in (0.5, -1.3, 2.5):
    case("real_power", between(0.3, 2.0, 3), p=_p)
case("real_power", complex_away(2), p=1.5)
for _n in (1, 2, 3):
    case("polygamma", between(0.4, 3.0, 2), n=_n)
for _n in (0, 1, 3):
    case("spherical_bessel", between(-2.2, 2.2, 2), n=_n)
    for _family in ("i", "ie", "j", "y", "k", "ke"):
        case("bessel", between(0.4, 3.0, 2), family=_family, n=_n)
case("box", near(-2.3, 0.4, 7.6), low=0.0, high=6.0)
case("leaky_relu", between(-2.2, 2.2, 3), alpha=0.2)
case("leaky_relu_slope", between(-2.2, 2.2, 3), alpha=0.2)
for _alpha, _scale in ((1.0, 1.0), (1.6, 1.1)):
    case("elu", between(-2.2, 2.2, 3), alpha=_alpha, scale=_scale)
    case("elu_slope", between(-2.2, 2.2, 3), alpha=_alpha, scale=_scale)
for _name in ("add", "subtract", "multiply"):
    for _shapes in (((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((2, 1, 2), (2, 1))):
        case(_name, normal(*_shapes[0]), normal(*_shapes[1]))
    case(_name, pairs(2), pairs(2, 2))
case("multiply", pairs(2), pairs())
for _name in ("divide", "divide_no_nan"):
    case(_name, normal(2, 3), away(3))
    case(_name, normal(3), away(2, 1))
    case(_name, pairs(2, 2), complex_away(2))
case("multiply_no_nan", normal(2, 3), away(3))
case("multiply_no_nan", pairs(2, 2), complex_away(2))
case("add_n", normal(2, 2))
case("add_n", normal(2, 2), normal(2, 2), normal(2, 2))
for _name in ("remainder", "truncated_remainder"):
    case(_name, joint=fits(between(0.2, 0.8, 3)))
    case(_name, joint=fits(between(0.2, 0.8, 2, 3)))
case("power", between(0.3, 2.0, 3), normal(2, 1))
case("power", complex_away(2), pairs(2))
case("hypot", normal(2, 3), away(3))
case("direction", normal(2, 3), away(3))
case("dawsn_slope", between(-2.2, 2.2, 3), n=1)
for _n in (0, 3):
    case("wave", between(-2.2, 2.2, 3), k=_n)
for _n in (0, 2):
    case("log_quotient", between(0.3, 3.0, 3), n=_n)
case("squared_difference", normal(2, 3), normal(3))
case("xlogy", away(2, 2), between(0.3, 3.0, 2))
case("xlogy", complex_away(2), complex_away(2))
case("xlog1py", away(2, 2), between(-0.7, 3.0, 2))
case("xdivy", away(2, 2), away(2))
case("logaddexp", normal(2, 3), normal(3))
case("atan2", normal(2, 2), away(2))
case("zeta", between(1.5, 4.0, 2), between(0.4, 2.0, 1), most=4, order=3)
case("igamma", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1), most=4, order=3)
case("igammac", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1), most=4, order=3)
case("betainc", between(0.5, 3.0, 1), between(0.5, 3.0, 1), between(0.2, 0.8, 2), most=2, order=2)
case("zeta_by", between(1.5, 4.0, 2), between(0.4, 2.0, 1), most=2, order=3, n=1)
case("igamma_by", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1), most=4, order=3, n=1)
case("betainc_by", between(0.5, 3.0, 1), between(0.5, 3.0, 1), between(0.2, 0.8, 1), most=1, order=1, m=1, n=0)
case("gamma_density", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1))
case("beta_density", between(0.5, 3.0, 2), between(0.5, 3.0, 2), between(0.2, 0.8, 2))
for _name in ("maximum", "minimum", "maximum_first"):
    case(_name, normal(2, 3), normal(3))
    case(_name, normal(3), normal(2, 1))
case("clip", near(-2.3, 0.4, 7.6), near(-1.0, -1.5, 0.5), near(1.0, 2.0, 3.0))
case("clip", normal(2, 3), between(-0.6, -0.2, 2, 1), between(0.2, 0.6))
case("nextafter", normal(3), away(3))
MASK = [[True, False, True], [False, False, True]]
case("where", these(MASK, "bool"), normal(2, 3), normal(2, 3))
case("where", these(MASK[0], "bool"), normal(2, 1), normal(3))
case("where", these(MASK, "bool"), pairs(3), pairs(2, 3))
case("complex", normal(2, 3), normal(3))

# --- linear -----------------------------------------------------------------------------------------------------------------

case("ensure_shape", normal(2, 3), shape=(None, 3))
case("cast", normal(2, 3), dtype="complex128")
case("cast", pairs(2, 3), dtype="float64")
case("shaped", normal(2, 3), normal(2, 3))
case("fill", normal(), shape=(2, 3))
case("fill", normal(), these([2, 3]), shape=None)
case("range", between(0.1, 0.4), these(3.0, "float64"), between(0.7, 0.9))
for _axis in (0, -1):
    case("linspace", normal(2), normal(2), num=5, axis=_axis)
case("linspace", normal(), normal(), num=1, axis=0)
case("sum_like", normal(2, 3), normal(3))
case("sum_like", normal(2, 2, 3), normal(2, 1))
case("sum_to", normal(2, 3), shape=(3,))
case("sum_to", normal(2, 2, 3), shape=(2, 1))
case("broadcast_like", normal(3), normal(2, 3))
case("broadcast_like", normal(2, 1), normal(2, 2, 3))
case("broadcast_to", normal(2, 1), shape=(2, 3))
case("broadcast_to", normal(2, 1), these([2, 2, 3]), shape=None)
case("reshape", normal(2, 3), shape=(3, -1))
case("reshape", normal(2, 3), these([3, -1]), shape=None)
case("reshape_like", normal(2, 3), normal(3, 2))
case("transpose", normal(2, 3, 2), axes=(2, 0, 1))
case("transpose", normal(2, 3, 2), axes=(-1, 0, -2))
case("transpose", normal(2, 3), axes=None)
case("matrix_transpose", normal(2, 3, 2))
for _axis in (0, 1, -1):
    case("expand_dims", normal(2, 3), axis=_axis)
case("squeeze", normal(1, 2, 1), axis=None)
case("squeeze", normal(1, 2, 1), axis=(-1,))
case("tile", normal(2, 3), multiples=(2, 1))
case("tile", normal(2, 3), these([1, 2]), multiples=None)
case("tile_transpose", normal(4, 3), normal(2, 3), multiples=(2, 1))
case("tile_transpose", normal(2, 6), normal(2, 3), these([1, 2]), multiples=None)
PADS = ((1, 0), (2, 1))
for _mode in ("constant", "reflect", "symmetric"):
    case("pad", normal(2, 3), paddings=PADS, mode=_mode, value=0)
    case("pad_transpose", normal(3, 6), normal(2, 3), paddings=PADS, mode=_mode, value=0)
case("pad", normal(2, 3), these(PADS), paddings=None, mode="constant", value=0)
case("pad_transpose", normal(3, 6), normal(2, 3), these(PADS), paddings=None, mode="reflect", value=0)
case("reverse", normal(2, 3), axis=(1,))
case("reverse", normal(2, 3), axis=(0, -1))
case("roll", normal(4), shift=(1,), axis=(0,))
case("roll", normal(2, 3), shift=(1, -1), axis=(0, -1))
case("concat", normal(2, 3), normal(1, 3), axis=0)
case("concat", normal(2, 3), normal(2, 1), normal(2, 2), axis=-1)
case("concat", pairs(2), pairs(3), axis=0)
case("concat_part", normal(5, 2), normal(2, 2), normal(3, 2), axis=0, i=1)
case("stack", normal(2), normal(2), axis=0)
case("stack", normal(2, 3), normal(2, 3), axis=-1)
case("unstack", normal(3, 2), axis=0, num=3)
case("unstack", normal(3, 2), axis=-1, num=2)
case("split", normal(4, 3), axis=0, parts=2)
case("split", normal(2, 5), axis=-1, parts=(1, -1, 2))
_ALL = slice(None)
for _index, _part in (
    ((_ALL, 1), (4,)), ((slice(None, None, 2), slice(None, None, -1)), (2, 3)), ((Ellipsis, None, slice(-2, None)), (4, 1, 2)),
    ((-1, slice(1, 9)), (2,)), ((slice(3, 0, -2),), (2, 3)),
):  # fmt: skip
    case("getitem", normal(4, 3), index=_index)
    case("getitem_transpose", normal(*_part), normal(4, 3), index=_index)
case("getitem", normal(4, 3), these(1), these(3), index=(slice(Dynamic(0), Dynamic(1)), 0))
case("getitem", normal(4, 3), these(2), index=(Dynamic(0),))
case("getitem_transpose", normal(2), normal(4, 3), these(1), these(3), index=(slice(Dynamic(0), Dynamic(1)), 0))
for _axis, _batch, _shape, _at, _part in (
    (0, 0, (4, 3), [2, 0, 2], (3, 3)), (1, 0, (2, 3), [[2, 0], [1, 1]], (2, 2, 2)), (-1, 0, (2, 3), [1], (2, 1)),
    (1, 1, (2, 3, 2), [[2, 0], [1, 1]], (2, 2, 2)), (2, 1, (2, 2, 3), [[2, 0], [1, 1]], (2, 2, 2)), (0, 0, (3,), 1, ()),
):  # fmt: skip
    case("take", normal(*_shape), these(_at), axis=_axis, batch_dims=_batch)
    case("take_transpose", normal(*_part), normal(*_shape), these(_at), axis=_axis, batch_dims=_batch)
for _axis, _at in ((1, [[2, 0, 2], [1, 1, 0]]), (0, [[1, 0, 1]]), (-1, [[0], [2]])):
    case("take_along_axis", normal(2, 3), these(_at), axis=_axis)
    case("take_along_axis_transpose", normal(*np.shape(_at)), normal(2, 3), these(_at), axis=_axis)
for _batch, _shape, _at, _part in (
    (0, (3, 2), [[2, 1], [0, 0], [2, 1]], (3,)), (0, (3, 2), [[2], [0]], (2, 2)),
    (1, (2, 3, 2), [[[2], [0]], [[1], [1]]], (2, 2, 2)),
):  # fmt: skip
    case("gather_nd", normal(*_shape), these(_at), batch_dims=_batch)
    case("gather_nd_transpose", normal(*_part), normal(*_shape), these(_at), batch_dims=_batch)
AT, ONCE, SEGMENTS = [[0], [3], [3]], [[0, 1], [2, 0]], [1, 0, 1, -1]
case("scatter_nd", normal(3, 2), these(AT), shape=(4, 2))
case("scatter_nd", normal(3, 2), these(AT), these([4, 2]), shape=None)
for _name in ("tensor_scatter_update", "tensor_scatter_add", "tensor_scatter_min", "tensor_scatter_max"):
    case(_name, normal(3, 2), these(ONCE), normal(2))
    case(_name, normal(4, 2), these(AT), normal(3, 2))
case("segment_sum", normal(4, 2), these(SEGMENTS), num=3)
case("segment_sum", normal(4, 2), these(SEGMENTS), num=None)
case("segment_sum", normal(2, 2), these([[0, 1], [1, 1]]), num=2)
case("segment_take", normal(3, 2), these(SEGMENTS))
case("segment_sum_like", normal(4, 2), these(SEGMENTS), normal(3, 2))
case("reverse_sequence", normal(2, 4), these([3, 0]), axis=1, batch_axis=0)
case("reverse_sequence", normal(3, 2), these([3, 2]), axis=0, batch_axis=1)
for _lower, _upper in ((0, -1), (-1, 0), (1, 0), (0, 0)):
    case("band_part", normal(3, 4), lower=_lower, upper=_upper)
for _k, _n in ((0, 3), (1, 3), (-2, 1)):
    case("diag", normal(2, 2), k=_k)
    case("diag_part", normal(3, 4), k=_k)
    case("diag_part_transpose", normal(_n), normal(3, 4), k=_k)
    case("set_diag", normal(3, 4), normal(_n), k=_k)
case("write_row", normal(3, 2), these(1), normal(2), grows=False)
case("write_row", normal(2, 2), these(3), normal(2), grows=True)
case("erase_row", normal(3, 2), normal(3, 2), these(1))
case("erase_row", normal(4, 2), normal(2, 2), these(3))
for _n in (1, 3, 4):
    case("fft", pairs(2, _n))
    case("ifft", pairs(2, _n))

# --- products and reductions ------------------------------------------------------------------------------------------------

for _ta in (False, True):
    for _tb in (False, True):
        for _one, _two in (((), ()), ((2,), (2,)), ((2,), ()), ((2, 1), (2,))):
            _a, _b = (*_one, *((2, 1) if _ta else (1, 2))), (*_two, *((3, 2) if _tb else (2, 3)))
            case("matmul", normal(*_a), normal(*_b), ta=_ta, tb=_tb)
case("matmul", pairs(2, 2), pairs(2, 1), ta=False, tb=False)
case("matmul", pairs(2, 1), pairs(2, 2), ta=True, tb=True)
for _equation, _a, _b in (
    ("ij,jk->ik", (2, 3), (3, 2)), ("bij,bj->bi", (2, 2, 2), (2, 2)), ("i,j->ij", (2,), (3,)), ("ij,ij->", (2, 3), (2, 3)),
    ("ijk,lk->lji", (2, 1, 3), (2, 3)),
):  # fmt: skip
    case("einsum", normal(*_a), normal(*_b), equation=_equation)
case("einsum", pairs(2, 2), pairs(2, 1), equation="ij,jk->ik")
for _axis, _keepdims in (
    (None, False),
    (None, True),
    ((0,), False),
    ((1,), True),
    ((-1,), False),
    ((0, 2), True),
    ((0, -1), False),
):
    for _name in ("sum", "mean", "max", "min"):
        case(_name, apart(2, 3, 2), axis=_axis, keepdims=_keepdims)
case("sum", pairs(2, 2), axis=(0,), keepdims=False)
case("mean", pairs(2, 2), axis=(0,), keepdims=False)
for _axis, _keepdims in (((0,), False), ((1,), True), ((-1,), False)):
    case("prod", away(2, 3, 2), axis=_axis, keepdims=_keepdims)
case("prod", pairs(3), axis=(0,), keepdims=False)
for _axis, _keepdims, _part in ((None, False, ()), ((1,), True, (2, 1)), ((-1,), False, (2,))):
    case("spread_like", normal(*_part), normal(2, 3), axis=_axis, keepdims=_keepdims)
    case("mean_transpose", normal(*_part), normal(2, 3), axis=_axis, keepdims=_keepdims)
for _exclusive in (False, True):
    for _reverse in (False, True):
        for _axis in (0, -1):
            case("cumsum", normal(2, 3), axis=_axis, exclusive=_exclusive, reverse=_reverse)
            case("cumprod", normal(2, 3), axis=_axis, exclusive=_exclusive, reverse=_reverse)
case("cumprod", pairs(3), axis=0, exclusive=False, reverse=False)
for _axis, _reverse in ((0, False), (0, True), (1, False), (-1, True)):
    case("recurrence", normal(2, 3), normal(2, 3), axis=_axis, reverse=_reverse)
case("recurrence", pairs(3), pairs(3), axis=0, reverse=False)

# --- linear algebra ---------------------------------------------------------------------------------------------------------

case("adjugate", well(3, 3))
case("adjugate_change", well(3, 3), normal(3, 3), most=4, order=3)
for _name in ("inverse", "det", "slogdet"):
    case(_name, well(3, 3))
    case(_name, well(2, 2, 2))
    case(_name, well(2, 2, kind=pairs))
for _adjoint in (False, True):
    case("solve", well(2, 2), normal(2, 2), adjoint=_adjoint)
    case("solve", well(2, 2), normal(2, 2, 1), adjoint=_adjoint)
    case("solve", well(2, 2, kind=pairs), pairs(2, 1), adjoint=_adjoint)
    for _low in (False, True):
        case("triangular_solve", well(2, 2), normal(2, 2), adjoint=_adjoint, lower=_low)
        case("triangular_solve", well(2, 2, 2), normal(2, 1), adjoint=_adjoint, lower=_low)
    case("triangular_solve", well(2, 2, kind=pairs), pairs(2, 1), adjoint=_adjoint, lower=True)


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + tensors.conj(tensors.matrix_transpose(x)))


# The derivative of the Cholesky factor is that by a symmetric matrix.
case("cholesky", definite(3, 3), call=lambda xp, x: xp.cholesky(_symmetric(x)))
case("cholesky", definite(2, 2, kind=pairs), call=lambda xp, x: xp.cholesky(_symmetric(x)))
case("eigh", definite(3, 3))
case("eigh", definite(2, 2, 2))
case("eigh", definite(2, 2, kind=pairs), call=lambda xp, x: xp.eigh(_symmetric(x)), outputs=(0,))
for _shape in ((2, 2), (3, 2), (2, 3)):
    case("svd", well(2, 2) if _shape == (2, 2) else normal(*_shape), full_matrices=False)
    case("pinv", well(2, 2) if _shape == (2, 2) else normal(*_shape), rcond=None)
case("pinv", pairs(3, 2), rcond=None)
case("qr", well(2, 2), full_matrices=False)
case("qr", normal(3, 2), full_matrices=False)
case("eig", well(2, 2), outputs=(0,))
case("eig", well(2, 2, kind=pairs), outputs=(0,))
# A derivative of these is one of a matrix twice as wide.
for _name in ("expm", "logm", "sqrtm"):
    case(_name, well(1, 1), most=1 if _name == "logm" else 99)
    case(_name, well(2, 2), most=1, order=2)

# --- lists in lists ---------------------------------------------------------------------------------------------------------


def _choice(xp: Any, x: Any, y: Any) -> Any:
    from wengert.modes.control import cond

    return cond(xp.sum(x, axis=None, keepdims=False) > 0.0, lambda: (x * y + xp.sin(x), y), lambda: (xp.exp(y) * x, x * x * y))


def _repetition(xp: Any, x: Any, y: Any) -> Any:
    from wengert.modes.control import while_loop

    def step(k: Any, s: Any, t: Any) -> Any:
        return k + 1, s * xp.cos(t) + y, t + s * x

    return while_loop(lambda k, s, t: k < 3, step, (0, x, y))[1:]


case("cond", between(0.3, 1.2, 2), normal(2), call=_choice)
case("cond", between(-1.2, -0.3, 2), normal(2), call=_choice)
case("loop", normal(2), normal(2), call=_repetition)


# --- the check --------------------------------------------------------------------------------------------------------------


def question_of(name: str, one: Case, rng: np.random.Generator) -> Question:
    """Return the question of a case at a random point."""
    op = table[name]
    question = Question()
    with tracing(question.graph):
        places = [question.place(a) for a in one.draw(rng)]
        result = append(question.graph, op, places, one.attrs) if one.call is None else one.call(tensors, *places)
    ys = list(result) if isinstance(result, list | tuple) else [result]
    ys = ys if one.outputs is None else [ys[k] for k in one.outputs]
    moving = [k for k, t in enumerate(places) if t.nptype.kind in "fc" and (one.call is not None or moves(op, k))]
    question.ys = [y for y in ys if y.nptype.kind in "fc"]
    question.xs, question.names = [places[k] for k in moving], [f"input {k}" for k in moving]
    return question


def moves(op: Any, k: int) -> bool:
    """Whether an operation has a derivative by its input k."""
    return k not in op.constant_inputs and op.states(k)


def questions(name: str, rng: np.random.Generator) -> Iterator[Question]:
    """Return a question for each case of an operation, at a random point."""
    for one in CASES[name]:
        yield question_of(name, one, rng)


def check_operation(name: str, order: int = 4, points: int = 20, seed: int = 0) -> list[Row]:
    """Check one operation at that many random points, which its cases share.

    Each case is looked at along a random direction of all its inputs at once: reverse mode and the series at all orders, forward
    mode at orders 1 and 2; at its first point also along each input, to order 2. Forward mode, whose lists double with each
    order, is looked at to the full order at the first point of the first case; of choices and loops, whose lists hold lists, to
    order 2 alone.
    """
    rng = np.random.default_rng([seed, *name.encode()])
    cases = CASES[name]
    shares = shared([one.most for one in cases], points)
    rows: list[Row] = []
    wanted = order
    for number, (one, count) in enumerate(zip(cases, shares, strict=True)):
        order = min(wanted, one.order)
        question = question_of(name, one, rng)
        arrays = [question.arrays, *(one.draw(rng) for _ in range(count - 1))]
        by_input, *along = probes(question, order, rng)
        probe = along[0] if along else by_input
        if along:
            rows += check_points(question, by_input.up_to(2), arrays[:1], {"reverse": 2, "forward": 2, "series": 2}, name)
        if number == 0 and table[name].kind != "control":
            rows += check_points(question, probe, arrays[:1], {"forward": order}, name)
        rows += check_points(question, probe, arrays, {"reverse": order, "forward": 2, "series": order}, name)
    return rows


def shared(most: Sequence[int], points: int) -> list[int]:
    """Share points among cases, at least one each.

    >>> shared([99, 99, 1], 8)
    [4, 3, 1]
    """
    found = [1] * len(most)
    while sum(found) < points and any(n < m for n, m in zip(found, most, strict=True)):
        at = min((n, k) for k, (n, m) in enumerate(zip(found, most, strict=True)) if n < m)[1]
        found[at] += 1
    return found


def check_operations(
    order: int = 4, points: int = 20, names: Sequence[str] | None = None, progress: Callable[[str, int, int], None] | None = None,
    jobs: int = 2, seed: int = 0,
) -> Report:  # fmt: skip
    """Check all operations that state a derivative, or those named, at random points; see `check_operation`.

    Args:
        order: The greatest order.
        points: How many points for each operation, shared among its cases, one for each at least.
        names: The operations, by the names of `wengert.ops.op.table`.
        progress: Called with an operation, and how many of how many are done.
        jobs: Processes that work at once.
        seed: Of the points.

    Raises:
        KeyError: for a name that is no operation's, or of one that is excluded.
    """
    chosen = list(CASES) if names is None else list(names)
    for name in chosen:
        if name not in CASES:
            raise KeyError(name)
    found: dict[str, list[Row]] = {}
    if jobs > 1 and len(chosen) > 1:
        # A fork would carry this process's threads and locks along.
        with ProcessPoolExecutor(min(jobs, len(chosen)), multiprocessing.get_context("spawn")) as pool:
            waiting = {pool.submit(check_operation, name, order, points, seed): name for name in chosen}
            for done in as_completed(waiting):
                found[waiting[done]] = done.result()
                if progress is not None:
                    progress(waiting[done], len(found), len(chosen))
    else:
        for name in chosen:
            found[name] = check_operation(name, order, points, seed)
            if progress is not None:
                progress(name, len(found), len(chosen))
    rows = [row for name in chosen for row in found[name]]
    wrong = list(dict.fromkeys(row.function for row in rows if row.status == "wrong"))
    faults = [Fault("wrong rule", name, "", "", "the operation's own derivative is wrong") for name in wrong]
    return Report(rows, faults, [f"{len(chosen)} operations at {points} random points each, orders 1 to {order}."])
