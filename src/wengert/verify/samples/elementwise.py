"""Samples of `wengert.ops.elementwise`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.verify.samples.sample import (
    apart,
    away,
    between,
    complex_away,
    fits,
    near,
    normal,
    pairs,
    reals,
    sample,
    texts,
    these,
)

__all__: list[str] = []

# --- functions of one number --------------------------------------------------------------------------------------

REAL, UNIT, POSITIVE, COMPLEX = (-2.2, 2.2), (-0.85, 0.85), (0.3, 3.0), "complex"
UNARY: dict[str, tuple[tuple[Any, ...], tuple[float, ...]]] = {
    "abs": ((REAL, COMPLEX), ()), "acos": ((UNIT, COMPLEX), (0.0, 1.0, -1.0)), "acosh": (((1.2, 4.0), COMPLEX), (1.0, 1e200)),
    "angle": ((REAL, COMPLEX), ()), "asin": ((UNIT, COMPLEX), (0.0, 1.0, -1.0)), "asin_slope": ((UNIT, COMPLEX), (0.0, 1e-300)),
    "asinh": ((REAL, COMPLEX), (0.0, 1e-300, 1e200)), "asinh_slope": ((REAL, COMPLEX), (0.0, 1e300, -1e160)),
    "atan": ((REAL, COMPLEX), (0.0, 1e300)), "atan_slope": ((REAL, COMPLEX), (0.0, 1e160, -1e150, 1.0)),
    "atanh": ((UNIT, COMPLEX), (0.0, 1e-300)), "atanh_slope": ((UNIT, COMPLEX), (0.0, 1e-300)),
    "bessel_i0": ((REAL,), (0.0, 100.0)), "bessel_i0e": ((REAL,), (0.0, 300.0)), "bessel_i1": ((REAL,), (0.0, 100.0)),
    "bessel_i1e": ((REAL,), (0.0, -300.0)), "bessel_j0": ((REAL,), (0.0, 40.0)), "bessel_j1": ((REAL,), (0.0, 40.0)),
    "bessel_k0": ((POSITIVE,), (100.0,)), "bessel_k0e": ((POSITIVE,), (1000.0,)), "bessel_k1": ((POSITIVE,), (100.0,)),
    "bessel_k1e": ((POSITIVE,), (1000.0,)), "bessel_y0": ((POSITIVE,), (40.0,)), "bessel_y1": ((POSITIVE,), (40.0,)),
    "cbrt": ((POSITIVE, (-3.0, -0.3)), (0.0, 1e-300, -1e300)), "conj": ((REAL, COMPLEX), ()),
    "cos": ((REAL, COMPLEX), (0.0, 1e6)), "cosh": ((REAL, COMPLEX), (0.0, 700.0)), "dawsn": ((REAL,), (0.0, 6.0)),
    "digamma": ((POSITIVE, (-1.8, -1.2)), (1e-5, 1e5)), "erf": ((REAL,), (0.0, 1e-300, 6.0)), "erfc": ((REAL,), (0.0, 6.0, 25.0)),
    "erfcinv": (((0.15, 1.85),), (1e-9,)), "erfinv": ((UNIT,), (0.0, 0.999999)), "exp": ((REAL, COMPLEX), (-745.0, 709.0, 0.0)),
    "exp2": ((REAL, COMPLEX), (-1074.0, 1023.0, 0.0)),
    "expint": ((POSITIVE,), (1e-10, 100.0)), "expm1": ((REAL, COMPLEX), (1e-12, -1e-300, 700.0, -800.0)),
    "fresnel_cos": ((REAL,), (0.0, 10.0)), "fresnel_sin": ((REAL,), (0.0, 10.0)), "identity": ((REAL, COMPLEX), ()),
    "imag": ((REAL, COMPLEX), ()), "lgamma": ((POSITIVE, (-1.8, -1.2)), (1e-10, 1e5, 1.0)),
    "log": ((POSITIVE, COMPLEX), (1e-300, 1e300, 1.0)), "log1p": (((-0.7, 3.0), COMPLEX), (1e-12, 1e-300, 1e300)),
    "log_sigmoid": ((REAL,), (0.0, 700.0, -800.0)), "ndtr": ((REAL,), (0.0, -30.0, 9.0)), "ndtri": (((0.1, 0.9),), (0.5, 1e-9)),
    "negative": ((REAL, COMPLEX), ()), "real": ((REAL, COMPLEX), ()), "reciprocal": ((POSITIVE, COMPLEX), (1e-300, -1e300)),
    "relu": (((0.5, 2.2), (-2.2, -0.5)), ()), "relu6": (((0.5, 5.5), (6.5, 8.0), (-2.0, -0.5)), ()),
    "rsqrt": ((POSITIVE, COMPLEX), (1e-300, 1e300)), "sech_squared": ((REAL, COMPLEX), (0.0, 30.0, -300.0)),
    "sigmoid": ((REAL, COMPLEX), (0.0, 40.0, -40.0, -700.0)), "sign": (((0.5, 2.2), (-2.2, -0.5)), ()),
    "sin": ((REAL, COMPLEX), (0.0, 1e6)), "sinc_unnormalised": ((REAL,), (0.0, 1e-9)),
    "sinh": ((REAL, COMPLEX), (0.0, 1e-300, 700.0)), "softplus": ((REAL,), (0.0, 800.0, -700.0)),
    "softsign": ((REAL,), (0.0, 1e300)), "spence": ((POSITIVE,), (1.0, 1e-5)),
    "sqrt": ((POSITIVE, COMPLEX), (0.0, 1e-300, 1e300)),
    "square": ((REAL, COMPLEX), ()), "step": (((0.5, 2.2), (-2.2, -0.5)), ()), "tan": (((-1.2, 1.2), COMPLEX), (0.0, 1e-300)),
    "tanh": ((REAL, COMPLEX), (0.0, 1e-300, 400.0, -20.0)),
}  # fmt: skip
"""For each function its domains, and further points at which only the value is looked at."""
for _name, (_domains, _further) in UNARY.items():
    for _domain in _domains:
        if _domain == COMPLEX:
            sample(_name, complex_away(2), note="complex")
        else:
            sample(_name, between(*_domain, 3), note="" if _domain is _domains[0] else str(_domain))
    if _further:
        sample(_name, reals(*_further), note="extremes", smooth=False)
for _name, _dtype in (("negative", "int8"), ("square", "int32"), ("abs", "int32"), ("sign", "int32")):
    sample(_name, these([-3, 0, 2], _dtype), note=_dtype)
for _name in ("relu", "relu6", "step"):
    sample(_name, these([-2, 0, 4, 7]), note="int32")
    sample(_name, reals(0.0, -0.0, 6.0), note="kinks", smooth=False)
for _name in ("identity", "stop_gradient"):
    _held = _name == "stop_gradient"
    sample(_name, texts(b"a"), note="strings", smooth=not _held)
    sample(_name, normal(0, 2), note="empty", smooth=not _held)
sample("stop_gradient", normal(2, 3), smooth=False)
sample("stop_gradient", pairs(2), note="complex", smooth=False)
for _n in (-2, -1, 0, 1, 2, 3, 7):
    sample("integer_power", away(3), n=_n, note=f"n={_n}")
sample("integer_power", complex_away(2), n=3, note="complex")
sample("integer_power", these([-3, 2], "int64"), n=5, note="int64")
for _n in (1, 2):
    sample("integer_power", reals(0.0, -0.5), n=_n, note=f"n={_n} at zero")
for _p in (0.5, -1.3, 2.5):
    sample("real_power", between(0.3, 2.0, 3), p=_p, note=f"p={_p}")
sample("real_power", complex_away(2), p=1.5, note="complex")
for _n in (1, 2, 3):
    sample("polygamma", between(0.4, 3.0, 2), n=_n, note=f"n={_n}")
sample("polygamma_order", reals(1.0, 2.0), smooth=False)
for _n in (0, 1, 3):
    sample("spherical_bessel", between(-2.2, 2.2, 2), n=_n, note=f"n={_n}")
    for _family in ("i", "ie", "j", "y", "k", "ke"):
        sample("bessel", between(0.4, 3.0, 2), family=_family, n=_n, note=f"{_family}{_n}")
for _n in (1, 2):
    sample("dawsn_slope", between(-2.2, 2.2, 3), n=_n, note=f"n={_n}")
sample("dawsn_slope", reals(0.0, 7.4, -7.6, 20.0), n=1, note="ends")
for _n in range(4):
    sample("wave", between(-2.2, 2.2, 3), k=_n, note=f"k={_n}")
sample("wave", reals(40.3125, -1000.1, 1e6 + 0.1, 0.0), k=1, note="far", smooth=False)
for _n in (0, 1, 2):
    sample("log_quotient", between(0.3, 3.0, 3), n=_n, note=f"n={_n}")
    sample("log_quotient", reals(0.1, 0.501, 0.9, 1.1, 1.5, 4.2), n=_n, note=f"n={_n}, where the formulas meet", order=2, most=1)
sample("log_quotient", reals(1.0), n=3, note="at one")
sample("box", near(-2.3, 0.4, 7.6), low=0.0, high=6.0)
sample("box", reals(-2.3, 0.4, 7.6, 1.0, 2.0), low=1.0, high=8.0, note="ends", smooth=False)
sample("leaky_relu", near(-2.2, -0.5, 1.3), alpha=0.2)
sample("leaky_relu_slope", near(-2.2, -0.5, 1.3), alpha=0.2)
sample("leaky_relu_slope", reals(-2.3, 0.0, 0.4), alpha=0.2, note="kink", smooth=False)
for _alpha, _scale in ((1.0, 1.0), (1.6, 1.1)):
    sample("elu", near(-2.1, -0.5, 1.3), alpha=_alpha, scale=_scale, note=f"{_alpha}, {_scale}")
    sample("elu_slope", near(-2.1, -0.5, 1.3), alpha=_alpha, scale=_scale, note=f"{_alpha}, {_scale}")
sample("elu", reals(800.0, -800.0, -1e-12), alpha=1.0, scale=1.0, note="extremes", smooth=False)
for _name in ("negative", "square", "real", "imag", "conj", "identity"):
    sample(_name, normal(2, 3), note="matrix", most=1, order=2)
for _n in (-2, -1, 0, 1, 2, 3, 7):
    sample("integer_power", away(2, 3), n=_n, note=f"n={_n}, matrix", most=1, order=2)
for _p in (0.5, -1.3, 2.5):
    sample("real_power", between(0.3, 2.0, 2, 3), p=_p, note=f"p={_p}, matrix", most=1, order=2)
for _name in ("real", "imag", "conj"):
    sample(_name, pairs(2, 3), note="complex matrix", most=1, order=2)
HALVES = reals(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -0.2, 0.7, 1e300)
for _name in ("floor", "ceil", "round", "trunc"):
    sample(_name, HALVES, note="halves", smooth=False)
sample("floor", near(-2.3, -0.7, 0.4, 1.6))

# --- of two and more ------------------------------------------------------------------------------------------------

SHAPES: tuple[Any, ...] = (
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((2, 1, 2), (2, 1)), ((0, 3), (3,)), ((1, 2), (2, 2)),
)  # fmt: skip
for _name in ("add", "subtract", "multiply", "divide"):
    for _one, _two in SHAPES:
        sample(_name, normal(*_one), (away if _name == "divide" else normal)(*_two), note=f"{_one}, {_two}")
for _name in ("add", "subtract", "multiply"):
    sample(_name, pairs(2), pairs(2, 2), note="complex")
    sample(_name, pairs(2, 2), pairs(2), note="complex, the other way round")
    sample(_name, these([3, -4]), these([[5], [7]]), note="int32")
sample("multiply", pairs(2), pairs(), note="complex number")
sample("divide", normal(3), away(2, 1))
sample("divide", pairs(2, 2), complex_away(2), note="complex")
sample("divide_no_nan", normal(2, 3), away(3))
sample("divide_no_nan", normal(3), away(2, 1), note="broadcast")
sample("divide_no_nan", pairs(2, 2), complex_away(2), note="complex")
sample("divide_no_nan", reals(1.0, 0.0, 2.0), reals(0.0, 0.0, 4.0), note="zeros", smooth=False)
sample("divide_no_nan", these([[1.0], [2.0]], "float64"), reals(0.0, 4.0), note="broadcast zeros", smooth=False)
sample("multiply_no_nan", normal(2, 3), away(3))
sample("multiply_no_nan", pairs(2, 2), complex_away(2), note="complex")
sample("multiply_no_nan", reals(np.inf, np.nan, np.inf, 0.0), reals(0.0, 0.0, 2.0, 3.0), note="infinite", smooth=False)
sample("add_n", normal(2, 2))
sample("add_n", normal(2, 2), normal(2, 2), normal(2, 2), note="three")
NUM, DEN = (7.3, -7.3, 7.3, -7.3, 0.4), (2.1, 2.1, -2.1, -2.1, 3.0)
for _name in ("floor_divide", "remainder", "truncated_remainder"):
    sample(_name, reals(*NUM), reals(*DEN), note="signs")
    sample(_name, these([7, -7, 7, -7, 0]), these([2, 2, -2, -2, 3]), note="int32")
    sample(_name, these([[x] for x in NUM], "float64"), reals(*DEN[:2]), note="broadcast signs")
for _name in ("remainder", "truncated_remainder"):
    sample(_name, joint=fits(between(0.2, 0.8, 3)))
    sample(_name, joint=fits(between(0.2, 0.8, 2, 3)), note="broadcast")
sample("power", between(0.3, 2.0, 2, 3), normal(3))
sample("power", between(0.3, 2.0, 3), normal(2, 1), note="broadcast")
sample("power", complex_away(2), pairs(2), note="complex")
sample("power", these([2, -3]), these([[3], [2]]), note="int32")
sample("hypot", normal(2, 3), away(3))
sample("hypot", reals(1e200, 3e-200), reals(1e200, 4e-200), note="extremes", smooth=False)
sample("direction", normal(2, 3), away(3))
sample("squared_difference", normal(2, 3), normal(3))
sample("squared_difference", these([3, -4]), these([5, 1]), note="int32")
sample("xlogy", away(2, 2), between(0.3, 3.0, 2))
sample("xlogy", complex_away(2), complex_away(2), note="complex")
sample("xlogy", reals(0.0, 0.0, 2.0), reals(0.0, -1.0, 3.0), note="zeros", smooth=False)
sample("xlog1py", away(2, 2), between(-0.7, 3.0, 2))
sample("xlog1py", reals(0.0, 0.0), reals(-1.0, -2.0), note="zeros", smooth=False)
sample("xdivy", away(2, 2), away(2))
sample("xdivy", reals(0.0, 0.0), reals(0.0, 2.0), note="zeros", smooth=False)
sample("logaddexp", normal(2, 3), normal(3))
sample("logaddexp", reals(1000.0, -1000.0), reals(1001.0, -1000.0), note="extremes", smooth=False)
sample("atan2", normal(2, 2), away(2))
for _name in ("maximum", "minimum", "maximum_first"):
    sample(_name, apart(2, 3), apart(3, by=0.185))
    sample(_name, apart(3), apart(2, 1, by=0.185), note="broadcast")
    sample(_name, these([3, -4]), these([1, 7]), note="int32")
sample("clip", near(-2.3, 0.4, 7.6), near(-1.0, -1.5, 0.5), near(1.0, 2.0, 3.0))
sample("clip", near(-2.3, 0.4, 7.6), between(-1.1, -0.9), near(1.0, 2.0, 3.0), note="one bound for all")
sample("clip", apart(2, 3), between(-0.6, -0.45, 2, 1), between(0.2, 0.3), note="broadcast")
sample("nextafter", normal(3), away(3))
sample("nextafter", reals(1.0, 0.0, -3.0), reals(2.0, 1.0, -3.0), note="ends", smooth=False)
MASK = [[True, False, True], [False, False, True]]
sample("where", these(MASK, "bool"), normal(2, 3), normal(2, 3))
sample("where", these(MASK[0], "bool"), normal(2, 1), normal(3), note="broadcast")
sample("where", these(MASK, "bool"), pairs(3), pairs(2, 3), note="complex")
sample("complex", normal(2, 3), normal(3))

# --- special functions with parameters ------------------------------------------------------------------------------

sample("zeta", between(1.5, 4.0, 2), between(0.4, 2.0, 1, 1), most=4, order=3)
sample("igamma", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1), most=4, order=3)
sample("igammac", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1), most=4, order=3)
sample("betainc", between(0.5, 3.0, 1), between(0.5, 3.0, 1), between(0.2, 0.8, 2, 1), most=2, order=2)
for _name in ("igammainv", "igammacinv"):
    sample(_name, between(0.5, 3.0, 2), between(0.2, 0.8, 2, 1), most=2, order=2)
    sample(_name, reals(0.2, 0.5, 2.0, 300.0), reals(0.7, 0.999, 1e-9, 0.3), note="extremes", smooth=False)
sample("betaincinv", between(0.5, 3.0, 1), between(0.5, 3.0, 1), between(0.2, 0.8, 2, 1), most=1, order=2)
sample("betaincinv", reals(0.1, 30.0, 2.0), reals(2.0, 20.0, 0.2), reals(0.5, 0.01, 0.7), note="extremes", smooth=False)
sample("zeta_by", between(1.5, 4.0, 2), between(0.4, 2.0, 1, 1), most=2, order=3, n=1)
sample("zeta_by", reals(1.01, 30.0, 3.0), reals(1.0, 2.5, 200.0), n=2, note="second", smooth=False)
sample("igamma_by", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1), most=4, order=3, n=1)
sample(
    "igamma_by", reals(1e-4, 0.01, 1.6, 30.0, 150.0, 20.0, 1000.0, 3.0, 3.0),
    reals(0.2, 1e-50, 1.7, 28.0, 150.0, 100.0, 950.0, 0.0, np.inf), n=1, note="extremes", smooth=False,
)  # fmt: skip
sample("betainc_by", between(0.5, 3.0, 1), between(0.5, 3.0, 1), between(0.2, 0.8, 1, 1), most=1, order=1, m=1, n=0)
sample("betainc_by", between(0.5, 3.0, 1), between(0.5, 3.0, 1), between(0.2, 0.8, 1, 1), most=1, order=1, m=0, n=1, note="by b")
sample(
    "betainc_by", reals(0.01, 30.0, 200.0, 3.0, 1.0), reals(2.0, 20.0, 300.0, 0.01, 2.0), reals(1e-6, 0.7, 0.41, 0.999, 0.0),
    m=1, n=0, note="extremes", smooth=False,
)  # fmt: skip
sample("gamma_density", between(0.5, 3.0, 2), between(0.4, 2.5, 2, 1))
sample(
    "gamma_density", reals(1e-3, 9.9, 10.1, 1e3, 1e6, 1.0, 2.0), reals(1e-9, 3.0, 30.0, 1.1e3, 1.001e6, 0.0, 0.0),
    note="extremes", smooth=False,
)  # fmt: skip
sample("beta_density", between(0.5, 3.0, 2), between(0.5, 3.0, 2), between(0.2, 0.8, 2, 1))
sample("beta_density", reals(1e3, 1e5, 0.1), reals(2e3, 1e5, 0.2), reals(0.3, 0.501, 1e-9), note="extremes", smooth=False)

# --- comparisons, logic, bits ---------------------------------------------------------------------------------------

for _name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    sample(_name, reals(1.0, 2.0, 3.0), these([[2.0], [3.0]], "float64"))
    sample(_name, these([1, 2, 3], "int64"), these([2, 2, 2], "int64"), note="int64")
for _name in ("equal", "not_equal"):
    sample(_name, texts(b"a", b"bc"), texts(b"a", b"b"), note="strings")
sample("equal", these([1j, 2.0], "complex128"), these([1j, 2j], "complex128"), note="complex")
P, Q = these([True, True, False, False], "bool"), these([True, False, True, False], "bool")
for _name in ("logical_and", "logical_or", "logical_xor"):
    sample(_name, P, Q)
sample("logical_not", P)
for _name in ("is_finite", "is_inf", "is_nan"):
    sample(_name, reals(0.0, np.inf, -np.inf, np.nan, 1.0), smooth=False)
for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    sample(_name, these([5, -6, 12]), these([3, 7, -9]))
sample("invert", these([5, -6, 12]))
for _name in ("left_shift", "right_shift"):
    sample(_name, these([5, -6, 12]), these(2))
