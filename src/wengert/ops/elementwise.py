"""Elementwise operations: each states its partial derivatives in terms of its inputs x (and y) and its output v.

Where a formula through the output would cancel (1 - tanh² where tanh is near 1), the partial is stated through an
operation that does not. Behaviour at kinks and ties follows TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.ground import dtypes, shapes
from wengert.ground.parameters import bell
from wengert.ground.types import Array, Attrs, Described, Namespace, NumPyArray
from wengert.ops import layout, rows, signature, slopes, static
from wengert.ops.derivative import Bilinear, Constant, Derivative, Elementwise, Linear, Piecewise, Unstated
from wengert.ops.op import Op
from wengert.ops.signature import boolean, elementwise, first
from wengert.ops.slopes import FINITE, Columns

__all__ = ["integer_power"]

NUMBER, FLOAT, REAL, ANY = "iufc", "fc", "f", "biufcO"


def zero(xp: Namespace, x: Array, *rest: Any, **attrs: Any) -> Any:
    """A derivative that is there and is zero (TensorFlow's answer for sign and its like)."""
    return xp.zeros_like(x)


def unary(
    name: str, kernel: Any, partial: Any, kinds: str = FLOAT, kind: type[Derivative] = Elementwise, *, infer: Any = first,
    taylor: Any = None, vjp: Any = None, jvp: Any = None, slope: Any = None, **more: Any,
) -> Op:
    """Make the record of a function of one input."""
    return Op(
        name, kind(partials=(partial,), taylor=taylor, vjp=vjp, jvp=jvp, slope=slope), kernel, infer, kinds=kinds, **more,
    )


def predicate(name: str, kernel: str, kinds: str = "iufcbO", **more: Any) -> Op:
    """Make the record of a comparison."""
    return Op(name, Constant(), kernel, boolean, kinds=kinds, rows=rows.elementwise, **more)


# --- arithmetic ---------------------------------------------------------------------------------------------------

ADD = Op(
    "add", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.fit(g, inputs[i])), "add", elementwise, type="AddV2",
    label="add", kinds="iufcO", rows=rows.elementwise, bounds=slopes.added, columns=Columns.ANY, static=static.total,
)
SUBTRACT = Op(
    "subtract", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.fit(g if i == 0 else -g, inputs[i])), "subtract",
    elementwise, type="Sub", label="sub", kinds=NUMBER, rows=rows.elementwise, bounds=slopes.subtracted, columns=Columns.ANY,
    static=static.difference,
)


def _add_n(xp: Namespace, *terms: Any) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _add_n_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = inputs[0].sizes, inputs[0].nptype
    for term in inputs[1:]:
        sizes = shapes.merge(sizes, term.sizes)
        nptype = dtypes.promote(nptype, term.nptype, "AddN")
    return sizes, nptype


ADD_N = Op(
    "add_n", Linear(transpose=lambda xp, g, i, inputs, output, attrs: g), _add_n, _add_n_infer, type="AddN", kinds=NUMBER,
    aliases=True, rows=rows.elementwise, bounds=slopes.added, columns=Columns.ANY,
)
"""The sum of any number of tensors of one shape."""
NEGATIVE = Op(
    "negative", Linear(transpose=lambda xp, g, i, inputs, output, attrs: -g), "negative", first, type="Neg", kinds=NUMBER,
    rows=rows.elementwise, bounds=slopes.negated, columns=Columns.SAME,
)
MULTIPLY = Op(
    "multiply", Bilinear(transpose=lambda xp, g, i, inputs, output, attrs: xp.fit(g * xp.dual(inputs[1 - i]), inputs[i])),
    "multiply", elementwise, type="Mul", label="mul", kinds=NUMBER, rows=rows.elementwise, bounds=slopes.product,
    columns=Columns.ANY, static=static.product,
)
MULTIPLY_NO_NAN = Op(
    "multiply_no_nan", Bilinear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.fit(
        xp.multiply_no_nan(g, xp.dual(inputs[1])) if i == 0 else xp.multiply_no_nan(xp.dual(inputs[0]), g), inputs[i]),
        selects=True,
    ),
    lambda xp, x, y: xp.where(y == 0, xp.zeros((), x.dtype), xp.where(y == 0, xp.zeros((), x.dtype), x) * y), elementwise,
    type="MulNoNan", label="mul_no_nan", kinds=FLOAT, rows=rows.elementwise, columns=Columns.ANY,
)
"""x * y, and 0 where y is 0, even if x is infinite or NaN there."""


# What the `taylor=` statements of this file save at order 6, as benchmarks/statements.py measures it (operations of the list;
# time over 20,000 points): quotient 77 instead of 347, 1.8 ms instead of 6.1; tanh, by 1/cosh², 49 instead of 54, 0.5 instead
# of 0.9; square 22 instead of 29, 0.6 instead of 1.2; reciprocal 74 instead of 93, 1.9 instead of 2.2.
DIVIDE = Op(
    "divide", Elementwise(
        partials=(lambda xp, x, y, v: 1.0 / y, lambda xp, x, y, v: -(v / y)), taylor=lambda xp, x, y, v: (x, y),
        linear_inputs=(0,), slope=slopes.pole(1, below=True),
    ),
    "divide", elementwise, type="RealDiv", label="truediv", kinds=FLOAT, bounds=slopes.quotient,
)
DIVIDE_NO_NAN = Op(
    "divide_no_nan", Elementwise(
        partials=(
        lambda xp, x, y, v: xp.divide_no_nan(xp.ones_like(x), y),
        lambda xp, x, y, v: -xp.divide_no_nan(v, y),
    ),
        linear_inputs=(0,), slope=slopes.pole(1, below=True),
    ),
    lambda xp, x, y: xp.where(y == 0, xp.zeros_like(x), x / xp.where(y == 0, 1, y)), elementwise, type="DivNoNan",
    label="div_no_nan", kinds=FLOAT,
)


def _floor_divide(xp: Any, x: NumPyArray, y: NumPyArray) -> Any:
    if x.dtype.kind == "f":  # TensorFlow's: NumPy takes the quotient that its remainder leaves, 14 for 1.5 // 0.1
        return xp.floor(x / y)
    if xp.name != "xla" and not xp.all(y):
        raise ZeroDivisionError("Integer division by zero")
    return xp.floor_divide(x, y)


FLOOR_DIVIDE = Op(
    "floor_divide", Constant(), _floor_divide, elementwise, type="FloorDiv", label="floordiv", kinds="iuf",
    rows=rows.elementwise, gives="step",
)


def _remainder(xp: Any, x: NumPyArray, y: NumPyArray) -> Any:
    if xp.name != "xla" and x.dtype.kind in "iu" and not xp.all(y):
        raise ZeroDivisionError("Integer division by zero")
    return xp.remainder(x, y)


REMAINDER = Op(
    "remainder", Piecewise(
        partials=(lambda xp, x, y, v: xp.ones_like(v), lambda xp, x, y, v: -xp.round((x - v) / y)), slope=FINITE,
    ),
    _remainder, elementwise, type="FloorMod", label="FloorMod", kinds="iuf",
)
"""x - k y; by y the derivative is -k, k being the whole number that leaves this very remainder."""


def _truncated_remainder(xp: Any, x: NumPyArray, y: NumPyArray) -> Any:
    if xp.name != "xla" and x.dtype.kind in "iu" and not xp.all(y):
        raise ZeroDivisionError("Integer division by zero")
    return xp.fmod(x, y)


TRUNCATED_REMAINDER = Op(
    "truncated_remainder", Piecewise(
        partials=(lambda xp, x, y, v: xp.ones_like(v), lambda xp, x, y, v: -xp.round((x - v) / y)), slope=FINITE,
    ),
    _truncated_remainder, elementwise, type="TruncateMod", kinds="iuf",
)


def _integer_power(xp: Namespace, x: Array, *, n: int) -> Any:
    """Multiply by repeated squaring: exact for integers, and for any array namespace."""
    if n == -1:
        return 1.0 / x
    if n < 0:
        power = _integer_power(xp, x, n=-n)
        # Where it overflows, its reciprocal may not have vanished yet.
        return xp.where(xp.isinf(power), _integer_power(xp, 1.0 / x, n=-n), 1.0 / power)
    if n == 0:
        return xp.ones_like(x)
    result, base = None, x
    while True:
        if n & 1:
            result = base if result is None else result * base
        n >>= 1
        if not n:
            return xp.positive(result) if result is x else result
        base = base * base


def _integer_power_partial(xp: Namespace, x: Array, v: Array, *, n: int) -> Any:
    # At n = 0 the derivative is zero and stays so at every order (TensorFlow goes on to x ** -1, NaN at 0).
    if n == 0:
        return 0.0 * xp.integer_power(x, n=0)
    if n == 2:
        return 2.0 * xp.integer_power(x, n=1)
    return float(n) * xp.integer_power(x, n=n - 1)


INTEGER_POWER = Op(
    "integer_power", Elementwise(
        partials=(_integer_power_partial,), taylor=lambda xp, x, v, *, n: x * x if n == 2 else (None, x) if n == -1 else None,
        slope=lambda attrs: FINITE if attrs["n"] >= 0 else slopes.pole(0, below=True),
    ),
    _integer_power, first, type="Pow", label="pow", kinds=NUMBER, bounds=slopes.power,
)
integer_power = INTEGER_POWER

REAL_POWER = Op(
    "real_power", Elementwise(partials=(lambda xp, x, v, *, p: p * xp.real_power(x, p=p - 1.0),), slope=slopes.branch(0)),
    lambda xp, x, *, p: xp.power(x, p), first, type="Pow", label="pow", kinds=FLOAT,
)


def _log_of_base(xp: Namespace, x: Array, y: Array, v: Array) -> Any:
    # d/dy x**y = v log x; where x is not positive TensorFlow takes 0, which is the limit at x = 0, y > 0.
    if x.dtype.kind == "c":
        safe = xp.not_equal(x, xp.zeros_like(x))
    else:
        safe = xp.greater(x, xp.zeros_like(x))
    return v * xp.where(safe, xp.log(xp.where(safe, x, xp.ones_like(x))), xp.zeros_like(x))


def _power_slope(xp: Namespace, x: Array, y: Array, v: Array) -> Any:
    # d/dx x**y = y x**(y-1). Where x = 0 and y = 0, x**y is 1 whatever x: not 0 times infinity, and no order after it either.
    spent = xp.logical_and(xp.equal(x, xp.zeros_like(x)), xp.equal(y, xp.zeros_like(y)))
    return y * xp.power(x, xp.where(spent, xp.ones_like(y), y - 1.0))


POWER = Op(
    "power", Elementwise(partials=(_power_slope, _log_of_base), slope=slopes.branch(0)), "power", elementwise, type="Pow",
    label="pow", kinds=NUMBER,
)
SQUARE = unary(
    "square", "square", lambda xp, x, v: 2.0 * x, NUMBER, taylor=lambda xp, x, v: x * x, slope=FINITE, bounds=slopes.power
)
SQRT = unary(
    "sqrt", "sqrt", lambda xp, x, v: 0.5 / v,
    vjp=lambda xp, g, inputs, v, attrs, wanted: [xp.multiply_no_nan(xp.dual(0.5 / v), g)],
    jvp=lambda xp, tangents, inputs, v, attrs: xp.multiply_no_nan(0.5 / v, tangents[0]),
    slope=slopes.branch(0), bounds=slopes.root,
)
"""Where nothing is handed back, nothing comes of the infinite slope at 0: a root behind a selection gives no NaN."""
RSQRT = unary("rsqrt", lambda xp, x: 1.0 / xp.sqrt(x), lambda xp, x, v: -0.5 * v / x, slope=slopes.pole(0))
CBRT = unary("cbrt", "cbrt", lambda xp, x, v: (1.0 / 3.0) / (v * v), REAL, slope=slopes.branch(0, below=True))
RECIPROCAL = unary(
    "reciprocal", lambda xp, x: 1.0 / x, lambda xp, x, v: -(v * v), taylor=lambda xp, x, v: (None, x),
    slope=slopes.pole(0, below=True), bounds=slopes.quotient,
)
DIRECTION = Op(
    "direction", Elementwise(
        partials=(
        lambda xp, x, y, v: _across(xp, x, y, xp.direction(y, x)), lambda xp, x, y, v: -_across(xp, x, y, v),
    ),
        slope=slopes.pole(0, below=True),
    ),
    lambda xp, x, y: x / xp.hypot(x, y), elementwise, kinds=REAL,
)
"""x / √(x² + y²), the cosine of the angle of (x, y)."""


def _across(xp: Namespace, x: Array, y: Array, part: Array) -> Any:
    # The derivative of the cosine c by x is s² / r, by y -c s / r, s being the sine, where 1 - c² would cancel.
    return part / xp.hypot(x, y) * xp.direction(y, x)


HYPOT = Op(
    "hypot", Elementwise(
        partials=(lambda xp, x, y, v: xp.direction(x, y), lambda xp, x, y, v: xp.direction(y, x)),
        slope=slopes.pole(0, below=True),
    ),
    "hypot", elementwise, kinds=REAL,
)
SQUARED_DIFFERENCE = Op(
    "squared_difference", Elementwise(
        partials=(lambda xp, x, y, v: 2.0 * (x - y), lambda xp, x, y, v: 2.0 * (y - x)), slope=FINITE,
    ),
    lambda xp, x, y: (x - y) * xp.conj(x - y) if x.dtype.kind == "c"
    else xp.square(x - y),
    elementwise, kinds="iuf", type="SquaredDifference",
)

# --- exponential and logarithm ------------------------------------------------------------------------------------

EXP = unary("exp", "exp", lambda xp, x, v: v, slope=FINITE, bounds=slopes.exponential)
EXP2 = unary("exp2", lambda xp, x: 2.0**x, lambda xp, x, v: math.log(2.0) * v, slope=FINITE, bounds=(0.0, math.inf))
EXPM1 = unary("expm1", "expm1", lambda xp, x, v: xp.exp(x), slope=FINITE)
LOG = unary("log", "log", lambda xp, x, v: 1.0 / x, slope=slopes.pole(0))
LOG1P = unary("log1p", "log1p", lambda xp, x, v: 1.0 / (1.0 + x), slope=slopes.pole(0, -1.0))
XLOGY = Op(
    "xlogy", Elementwise(
        partials=(
        lambda xp, x, y, v: xp.xlogy(xp.cast(xp.not_equal(x, xp.zeros_like(x)), dtype=y.dtype.name), y),
        lambda xp, x, y, v: xp.xdivy(x, y),
    ),
        slope=slopes.pole(1),
    ),
    lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x * y), x * xp.log(xp.where(x == 0, 1, y))), elementwise, kinds=FLOAT,
)
XLOG1PY = Op(
    "xlog1py", Elementwise(
        partials=(
        lambda xp, x, y, v: xp.xlog1py(xp.cast(xp.not_equal(x, xp.zeros_like(x)), dtype=y.dtype.name), y),
        lambda xp, x, y, v: xp.xdivy(x, y + 1.0),
    ),
        slope=slopes.pole(1, -1.0),
    ),
    lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x * y), x * xp.log1p(xp.where(x == 0, 0, y))), elementwise, kinds=FLOAT,
    type="Xlog1py",
)
XDIVY = Op(
    "xdivy", Elementwise(
        partials=(
        lambda xp, x, y, v: xp.xdivy(xp.cast(xp.not_equal(x, xp.zeros_like(x)), dtype=y.dtype.name), y),
        lambda xp, x, y, v: -xp.xdivy(v, y),
    ),
        linear_inputs=(0,), slope=slopes.pole(1, below=True),
    ),
    lambda xp, x, y: xp.where(x == 0, xp.zeros_like(x * y), x / xp.where(x == 0, 1, y)), elementwise, kinds=FLOAT,
)
LOGADDEXP = Op(
    "logaddexp", Elementwise(
        partials=(lambda xp, x, y, v: xp.sigmoid(x - y), lambda xp, x, y, v: xp.sigmoid(y - x)), slope=FINITE,
    ),
    "logaddexp", elementwise, kinds=REAL,
)

# --- trigonometric and hyperbolic ---------------------------------------------------------------------------------

SIN = unary("sin", "sin", lambda xp, x, v: xp.cos(x), slope=FINITE, bounds=(-1.0, 1.0))
COS = unary("cos", "cos", lambda xp, x, v: -xp.sin(x), slope=FINITE, bounds=(-1.0, 1.0))
TAN = unary("tan", "tan", lambda xp, x, v: 1.0 + v * v, slope=slopes.pole(0, -1.5, 1.5))
# The slopes of the inverse functions are operations of their own, whose kernels do not overflow with x² and whose partials
# neither: as products in this order they vanish where the derivative does, and not before.
ASIN_SLOPE = unary(
    "asin_slope", lambda xp, x: 1.0 / xp.sqrt((1.0 - x) * (1.0 + x)), lambda xp, x, v: (x * v) * v * v, type="AsinGrad",
    slope=slopes.pole(0, -1.0, 1.0),
)
"""1 / √(1 - x²)."""
ASIN = unary("asin", "arcsin", lambda xp, x, v: xp.asin_slope(x), slope=slopes.branch(0, -1.0, 1.0))
ACOS = unary("acos", "arccos", lambda xp, x, v: -xp.asin_slope(x), slope=slopes.branch(0, -1.0, 1.0))


def _atan_slope(xp: Namespace, x: Array) -> Any:
    if x.dtype.kind == "c":
        return 1.0 / (1.0 + x * x)
    far = xp.abs(x) > 1.0
    small = xp.where(far, 1.0 / xp.where(far, x, 1.0), x)
    rest = 1.0 / (1.0 + small * small)
    return xp.where(far, (small * small) * rest, rest)


ATAN_SLOPE = unary(
    "atan_slope", _atan_slope, lambda xp, x, v: -2.0 * ((x * v) * v), taylor=lambda xp, x, v: (None, 1.0 + x * x),
    type="AtanGrad",
    slope=FINITE,
)
"""1 / (1 + x²)."""
ATAN = unary("atan", "arctan", lambda xp, x, v: xp.atan_slope(x), slope=FINITE)
ATAN2 = Op(
    "atan2", Elementwise(
        partials=(
        lambda xp, y, x, v: xp.direction(x, y) / xp.hypot(x, y), lambda xp, y, x, v: -xp.direction(y, x) / xp.hypot(x, y),
    ),
        slope=slopes.pole(0, below=True),
    ),
    "arctan2", elementwise, kinds=REAL,
)
SINH = unary("sinh", "sinh", lambda xp, x, v: xp.cosh(x), slope=FINITE)
COSH = unary("cosh", "cosh", lambda xp, x, v: xp.sinh(x), slope=FINITE, bounds=(1.0, math.inf))
TANH = unary("tanh", "tanh", lambda xp, x, v: xp.sech_squared(x), slope=FINITE, bounds=(-1.0, 1.0), saturates=(-1.0, 1.0))


SECH_SQUARED = unary(
    "sech_squared", "sech_squared", lambda xp, x, v: -2.0 * (xp.tanh(x) * v), type="TanhGrad",
    taylor=lambda xp, x, v: -xp.square(xp.tanh(x)),
    slope=FINITE, bounds=(0.0, math.inf),
)
"""1 - tanh², but without its cancellation; so beyond the value itself their series are one."""
ASINH_SLOPE = unary(
    "asinh_slope", lambda xp, x: 1.0 / (xp.sqrt(1.0 + x * x) if x.dtype.kind == "c" else xp.hypot(xp.ones_like(x), x)),
    lambda xp, x, v: -((x * v) * v * v), type="AsinhGrad",
    slope=FINITE,
)
"""1 / √(1 + x²)."""
ASINH = unary("asinh", "arcsinh", lambda xp, x, v: xp.asinh_slope(x), slope=FINITE)
ACOSH = unary("acosh", "arccosh", lambda xp, x, v: xp.rsqrt(x - 1.0) * xp.rsqrt(x + 1.0), slope=slopes.branch(0, 1.0))
ATANH_SLOPE = unary(
    "atanh_slope", lambda xp, x: 1.0 / ((1.0 - x) * (1.0 + x)), lambda xp, x, v: 2.0 * ((x * v) * v),
    taylor=lambda xp, x, v: (None, (1.0 - x) * (1.0 + x)), type="AtanhGrad",
    slope=slopes.pole(0, -1.0, 1.0),
)
"""1 / (1 - x²)."""
ATANH = unary("atanh", "arctanh", lambda xp, x, v: xp.atanh_slope(x), slope=slopes.pole(0, -1.0, 1.0))


def _spherical_partial(xp: Namespace, x: Array, v: Array, *, n: int) -> Any:
    # jₙ' = (n jₙ₋₁ - (n + 1) jₙ₊₁) / (2n + 1) (DLMF 10.51.2): no division by x, so right at 0 too, at every order.
    upper = ((n + 1) / (2 * n + 1)) * xp.spherical_bessel(x, n=n + 1)
    return -upper if n == 0 else (n / (2 * n + 1)) * xp.spherical_bessel(x, n=n - 1) - upper


SPHERICAL_BESSEL = unary(
    "spherical_bessel", lambda xp, x, *, n: xp.spherical_bessel(x, n), _spherical_partial, REAL, slope=FINITE
)
SINC = unary(
    "sinc_unnormalised", lambda xp, x: xp.where(x == 0, xp.ones_like(x), xp.sin(x) / xp.where(x == 0, 1, x)),
    lambda xp, x, v: -xp.spherical_bessel(x, n=1), REAL,
    slope=FINITE,
)

# --- activations --------------------------------------------------------------------------------------------------


def _sigmoid(xp: Namespace, x: Array) -> Any:
    """exp(-|x|) never overflows, and neither branch cancels."""
    if x.dtype.kind == "c":
        return 1.0 / (1.0 + xp.exp(-x))
    e = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, xp.ones_like(e), e) / (1.0 + e)


SIGMOID = unary(
    "sigmoid", _sigmoid, lambda xp, x, v: 0.25 * xp.sech_squared(0.5 * x), slope=FINITE, bounds=(0.0, math.inf), saturates=(1.0,)
)
SOFTPLUS = unary(
    "softplus",
    lambda xp, x: xp.logaddexp(x, xp.zeros_like(x)),
    lambda xp, x, v: xp.sigmoid(x),
    REAL,
    slope=FINITE,
    bounds=(0.0, math.inf),
)
LOG_SIGMOID = unary(
    "log_sigmoid", lambda xp, x: -xp.logaddexp(-x, xp.zeros_like(x)), lambda xp, x, v: xp.sigmoid(-x), REAL,
    slope=FINITE,
)
STEP = unary(
    "step", lambda xp, x: xp.astype(x > 0, x.dtype), lambda xp, x, v: 0.0 * v, "iuf", Piecewise, type="ReluGrad",
    slope=FINITE, bounds=(0.0, math.inf),
)
"""Its derivatives are zero at every order and, as in TensorFlow, never None."""
BOX = unary(
    "box", lambda xp, x, *, low, high: xp.astype((x > low) & (x < high), x.dtype), lambda xp, x, v, **attrs: 0.0 * v,
    "iuf", Piecewise,
    slope=FINITE,
)
RELU = unary(
    "relu",
    lambda xp, x: xp.maximum(x, xp.zeros_like(x)),
    lambda xp, x, v: xp.step(x),
    "iuf",
    Piecewise,
    slope=FINITE,
    bounds=(0.0, math.inf),
)
RELU6 = unary(
    "relu6", lambda xp, x: xp.minimum(xp.maximum(x, xp.zeros_like(x)), 6 * xp.ones_like(x)),
    lambda xp, x, v: xp.box(x, low=0.0, high=6.0), "iuf", Piecewise,
    slope=FINITE,
)
LEAKY_RELU = unary(
    "leaky_relu", lambda xp, x, *, alpha: xp.where(x > 0, x, alpha * x),
    lambda xp, x, v, *, alpha: xp.leaky_relu_slope(x, alpha=alpha), REAL, Piecewise,
    slope=FINITE,
)
LEAKY_RELU_SLOPE = unary(
    "leaky_relu_slope", lambda xp, x, *, alpha: xp.astype(xp.where(x > 0, 1.0, alpha), x.dtype), zero, REAL, Piecewise,
    type="LeakyReluGrad",
    slope=FINITE,
)
# The two factors are multiplied first: one rounding less of each element.
ELU = unary(
    "elu", lambda xp, x, *, alpha, scale: xp.where(x > 0, scale * x, (scale * alpha) * xp.expm1(xp.minimum(x, xp.zeros_like(x)))),
    lambda xp, x, v, *, alpha, scale: xp.elu_slope(x, alpha=alpha, scale=scale), REAL,
    slope=FINITE,
)
ELU_SLOPE = unary(
    "elu_slope",
    lambda xp, x, *, alpha, scale: xp.where(
        x >= 0, scale * xp.ones_like(x), (scale * alpha) * xp.exp(xp.minimum(x, xp.zeros_like(x)))
    ),
    lambda xp, x, v, *, alpha, scale: v * xp.step(-x), REAL, type="EluGrad",
    slope=FINITE,
)
SOFTSIGN = unary(
    "softsign", lambda xp, x: x / (1.0 + xp.abs(x)), lambda xp, x, v: xp.integer_power(1.0 + xp.abs(x), n=-2), REAL,
    slope=FINITE, bounds=(-1.0, 1.0),
)

# --- special functions --------------------------------------------------------------------------------------------

ERF = unary(
    "erf",
    "erf",
    lambda xp, x, v: (2.0 / math.sqrt(math.pi)) * xp.exp(-(x * x)),
    REAL,
    slope=FINITE,
    bounds=(-1.0, 1.0),
    saturates=(-1.0, 1.0),
)
ERFC = unary(
    "erfc", "erfc", lambda xp, x, v: (-2.0 / math.sqrt(math.pi)) * xp.exp(-(x * x)), REAL, slope=FINITE, bounds=(0.0, 2.0)
)
ERFINV = unary(
    "erfinv", "erfinv", lambda xp, x, v: (math.sqrt(math.pi) / 2.0) * xp.exp(v * v), REAL, slope=slopes.pole(0, -1.0, 1.0)
)
ERFCINV = unary(
    "erfcinv", "erfcinv", lambda xp, x, v: (-math.sqrt(math.pi) / 2.0) * xp.exp(v * v), REAL, slope=slopes.pole(0, high=2.0)
)
NDTR = unary(
    "ndtr",
    "ndtr",
    lambda xp, x, v: (1.0 / math.sqrt(2 * math.pi)) * xp.exp(-0.5 * (x * x)),
    REAL,
    slope=FINITE,
    bounds=(0.0, math.inf),
    saturates=(1.0,),
)
NDTRI = unary(
    "ndtri", "ndtri", lambda xp, x, v: math.sqrt(2 * math.pi) * xp.exp(0.5 * (v * v)), REAL, slope=slopes.pole(0, high=1.0)
)
LGAMMA = unary("lgamma", "lgamma", lambda xp, x, v: xp.digamma(x), REAL, slope=slopes.pole(0))
DIGAMMA = unary("digamma", "digamma", lambda xp, x, v: xp.polygamma(x, n=1), REAL, slope=slopes.pole(0))
POLYGAMMA = unary(
    "polygamma", lambda xp, x, *, n: xp.polygamma(x, n), lambda xp, x, v, *, n: xp.polygamma(x, n=n + 1), REAL,
    slope=slopes.pole(0),
)
POLYGAMMA_ORDER = Op("polygamma_order", Unstated(), lambda xp, n: xp.array(n), first, kinds=REAL, type="Polygamma", rows=None)
"""An order that is a tensor: it is a whole number, and no derivative by it is stated."""


# --- incomplete gamma and beta functions, Hurwitz's zeta function, and their derivatives by parameters, of all orders ----


def _stirling(xp: Namespace, a: Array) -> Any:
    """Return log Γ(a + 1) - log(2π a) / 2 - a log a + a for a ≥ 10."""
    s = 1.0 / (a * a)
    return (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * (691 / 360360)))))) / a


def _excess(xp: Namespace, e: Array) -> Any:
    """Return e - log(1 + e)."""
    return e - xp.log1p(e)


def _gamma_density(xp: Namespace, a: Array, x: Array) -> Any:
    """Return xᵃ⁻¹ e⁻ˣ / Γ(a): for large a by C. Loader's saddle point, where the factors' logarithms are large and cancel.

    At a = 0, -1, ... it is 0, and below 0 it has the sign of Γ, which its slope at x = 0 needs.
    """
    dtype, a, x = x.dtype.name, xp.astype(a, "float64"), xp.astype(x, "float64")
    large = xp.logical_and(a >= 10.0, x > 0.0)
    m, y = xp.where(large, a, 10.0), xp.where(large, x, 10.0)
    point = xp.exp(-_stirling(xp, m) - m * _excess(xp, (y - m) / m)) * xp.sqrt(m / (2.0 * math.pi)) / y
    log_gamma = xp.lgamma(a)
    sign = xp.where(a < 0.0, 1.0 - 2.0 * xp.remainder(xp.floor(a), 2.0), 1.0)
    small = sign * xp.exp(XLOGY.bind(xp)(a - 1.0, x) - x - log_gamma)
    return xp.astype(xp.where(large, point, xp.where(xp.isinf(log_gamma), 0.0, small)), dtype)


def _gamma_density_slope(xp: Namespace, a: Array, x: Array, v: Array) -> Any:
    # p' = (a - 1 - x) p / x; at x = 0 by p(a - 1) - p(a), DLMF 8.8.13.
    end = xp.equal(x, xp.zeros_like(x))
    inside = xp.where(end, xp.ones_like(x), x)
    return xp.where(end, xp.gamma_density(a - 1.0, x) - v, v * ((a - 1.0 - inside) / inside))


GAMMA_DENSITY = Op(
    "gamma_density", Elementwise(
        partials=(lambda xp, a, x, v: xp.multiply_no_nan(xp.log(x) - xp.digamma(a), v), _gamma_density_slope),
        slope=slopes.branch(1),
    ),
    _gamma_density, elementwise, kinds=REAL,
)
"""The slope of igamma by x: the density of the gamma distribution."""


def _gammas(xp: Namespace, a: Array) -> Any:
    """Return the derivatives of log Γ, of order n = 1, 2, ..."""
    return lambda n: xp.digamma(a) if n == 1 else xp.polygamma(a, n=n - 1)


def _igamma_by_slope(xp: Namespace, a: Array, x: Array, v: Array, *, n: int) -> Any:
    of_a = _gammas(xp, a)
    factor = bell(lambda i, j: xp.log(x) - of_a(1) if i == 1 else -of_a(i), n, 0)
    return xp.multiply_no_nan(factor, xp.gamma_density(a, x))


IGAMMA_BY = Op(
    "igamma_by", Elementwise(
        partials=(lambda xp, a, x, v, *, n: xp.igamma_by(a, x, n=n + 1), _igamma_by_slope), slope=slopes.branch(1),
    ),
    lambda xp, a, x, *, n: xp.gammainc_by(a, x, n=n), elementwise, kinds=REAL, type="IgammaGradA",
)
"""The n-th derivative of igamma by a."""
IGAMMA = Op(
    "igamma", Elementwise(
        partials=(lambda xp, a, x, v: xp.igamma_by(a, x, n=1), lambda xp, a, x, v: xp.gamma_density(a, x)),
        slope=slopes.branch(1),
    ),
    "gammainc", elementwise, kinds=REAL,
)
IGAMMAC = Op(
    "igammac", Elementwise(
        partials=(lambda xp, a, x, v: -xp.igamma_by(a, x, n=1), lambda xp, a, x, v: -xp.gamma_density(a, x)),
        slope=slopes.branch(1),
    ),
    "gammaincc", elementwise, kinds=REAL,
)


def _beta_density(xp: Namespace, a: Array, b: Array, x: Array) -> Any:
    """Return xᵃ⁻¹ (1 - x)ᵇ⁻¹ / B(a, b), as `_gamma_density` does."""
    dtype, a, b, x = x.dtype.name, xp.astype(a, "float64"), xp.astype(b, "float64"), xp.astype(x, "float64")
    large = xp.logical_and(xp.logical_and(a >= 10.0, b >= 10.0), xp.logical_and(x > 0.0, x < 1.0))
    m, n, y = xp.where(large, a, 10.0), xp.where(large, b, 10.0), xp.where(large, x, 0.5)
    both = m + n
    off = y * n - (1.0 - y) * m
    point = (
        xp.exp(_stirling(xp, both) - _stirling(xp, m) - _stirling(xp, n) - m * _excess(xp, off / m) - n * _excess(xp, -off / n))
        * xp.sqrt(m * n / both / (2.0 * math.pi))
        / (y * (1.0 - y))
    )
    beta = xp.lgamma(a) + xp.lgamma(b) - xp.lgamma(a + b)
    small = XLOGY.bind(xp)(a - 1.0, x) + XLOG1PY.bind(xp)(b - 1.0, -x) - beta
    return xp.astype(xp.where(large, point, xp.exp(small)), dtype)


def _beta_density_slope(xp: Namespace, a: Array, b: Array, x: Array, v: Array) -> Any:
    # p' = ((a - 1) / x - (b - 1) / (1 - x)) p; at the ends by (a + b - 1) (p(a - 1, b) - p(a, b - 1)), DLMF 8.17.
    end = xp.logical_or(xp.equal(x, xp.zeros_like(x)), xp.equal(x, xp.ones_like(x)))
    inside = xp.where(end, 0.5 * xp.ones_like(x), x)
    there = (a + b - 1.0) * (xp.beta_density(a - 1.0, b, x) - xp.beta_density(a, b - 1.0, x))
    return xp.where(end, there, v * ((a - 1.0) / inside - (b - 1.0) / (1.0 - inside)))


def _beta_logs(xp: Namespace, a: Array, b: Array, x: Array) -> Any:
    """Return the derivatives of log p, p the density, of orders i by a and j by b."""
    of_a, of_b, of_both = _gammas(xp, a), _gammas(xp, b), _gammas(xp, a + b)

    def logs(i: int, j: int) -> Any:
        found = of_both(i + j)
        if i and j:
            return found
        found = found - (of_a if i else of_b)(i + j)
        return found if i + j > 1 else found + (xp.log(x) if i else xp.log1p(-x))

    return logs


BETA_DENSITY = Op(
    "beta_density", Elementwise(
        partials=(
        lambda xp, a, b, x, v: xp.multiply_no_nan(_beta_logs(xp, a, b, x)(1, 0), v),
        lambda xp, a, b, x, v: xp.multiply_no_nan(_beta_logs(xp, a, b, x)(0, 1), v),
        _beta_density_slope,
    ),
        slope=slopes.branch(2, high=1.0),
    ),
    _beta_density, elementwise, kinds=REAL,
)
"""The slope of betainc by x: the density of the beta distribution."""
BETAINC_BY = Op(
    "betainc_by", Elementwise(
        partials=(
        lambda xp, a, b, x, v, *, m, n: xp.betainc_by(a, b, x, m=m + 1, n=n),
        lambda xp, a, b, x, v, *, m, n: xp.betainc_by(a, b, x, m=m, n=n + 1),
        lambda xp, a, b, x, v, *, m, n: xp.multiply_no_nan(
            bell(_beta_logs(xp, a, b, x), m, n), xp.beta_density(a, b, x)),
    ),
        slope=slopes.branch(2, high=1.0),
    ),
    lambda xp, a, b, x, *, m, n: xp.betainc_by(a, b, x, m=m, n=n), elementwise, kinds=REAL,
)
"""The derivative of betainc of orders m by a and n by b."""
BETAINC = Op(
    "betainc", Elementwise(
        partials=(
        lambda xp, a, b, x, v: xp.betainc_by(a, b, x, m=1, n=0), lambda xp, a, b, x, v: xp.betainc_by(a, b, x, m=0, n=1),
        lambda xp, a, b, x, v: xp.beta_density(a, b, x),
    ),
        slope=slopes.branch(2, high=1.0),
    ),
    "betainc", elementwise, kinds=REAL,
)



def _igamma_inverse(sign: float) -> Elementwise:
    """Return the derivatives of v with P(a, v) = p, or Q(a, v) = p: those of an implicit function."""
    return Elementwise(
        partials=(
            lambda xp, a, p, v: -xp.divide_no_nan(xp.igamma_by(a, v, n=1), xp.gamma_density(a, v)),
            lambda xp, a, p, v: sign / xp.gamma_density(a, v),
        ),
        slope=slopes.pole(1, high=1.0),
    )  # fmt: skip


IGAMMAINV = Op("igammainv", _igamma_inverse(1.0), "gammaincinv", elementwise, kinds=REAL)
"""v with igamma(a, v) = p."""
IGAMMACINV = Op("igammacinv", _igamma_inverse(-1.0), "gammainccinv", elementwise, kinds=REAL)
"""v with igammac(a, v) = p."""
BETAINCINV = Op(
    "betaincinv", Elementwise(
        partials=(
        lambda xp, a, b, p, v: -xp.divide_no_nan(xp.betainc_by(a, b, v, m=1, n=0), xp.beta_density(a, b, v)),
        lambda xp, a, b, p, v: -xp.divide_no_nan(xp.betainc_by(a, b, v, m=0, n=1), xp.beta_density(a, b, v)),
        lambda xp, a, b, p, v: 1.0 / xp.beta_density(a, b, v),
    ),
        slope=slopes.pole(2, high=1.0),
    ),
    "betaincinv", elementwise, kinds=REAL,
)
"""v with betainc(a, b, v) = p."""

def _zeta_by_slope(xp: Namespace, s: Array, q: Array, v: Array, *, n: int) -> Any:
    # ∂/∂q ζ(s, q) = -s ζ(s + 1, q), differentiated n times by s.
    less = xp.zeta(s + 1.0, q) if n == 1 else xp.zeta_by(s + 1.0, q, n=n - 1)
    return -(s * xp.zeta_by(s + 1.0, q, n=n) + float(n) * less)


ZETA_BY = Op(
    "zeta_by", Elementwise(
        partials=(lambda xp, s, q, v, *, n: xp.zeta_by(s, q, n=n + 1), _zeta_by_slope), slope=slopes.pole(1, 1.0),
    ),
    lambda xp, s, q, *, n: xp.zeta_by(s, q, n=n), elementwise, kinds=REAL,
)
"""The n-th derivative of zeta by its first argument."""
ZETA = Op(
    "zeta", Elementwise(
        partials=(lambda xp, s, q, v: xp.zeta_by(s, q, n=1), lambda xp, s, q, v: -s * xp.zeta(s + 1.0, q)),
        slope=slopes.pole(1, 1.0),
    ),
    "zeta", elementwise, kinds=REAL,
)

# Cylinder functions, family "j", "y", "i", "k", and "ie" = exp(-|x|) I, "ke" = exp(x) K. The recurrences of DLMF 10.6.1
# and 10.29.1 hold at 0 too, where those with n / x do not.


def _bessel_partial(xp: Namespace, x: Array, v: Array, *, family: str, n: int) -> Any:
    upper = xp.bessel(x, family=family, n=n + 1)
    if n == 0:
        slope = upper if family[0] == "i" else -upper
    else:
        lower = xp.bessel(x, family=family, n=n - 1)
        slope = 0.5 * (lower + upper if family[0] in "ik" else lower - upper)
        slope = -slope if family[0] == "k" else slope
    if family == "ie":
        return slope - xp.sign(x) * v
    return slope + v if family == "ke" else slope


def _bessel(name: str, family: str, n: int, kernel: str | None = None, **more: Any) -> Op:
    return unary(
        name, kernel or (lambda xp, x: xp.bessel(x, family, n)),
        lambda xp, x, v: _bessel_partial(xp, x, v, family=family, n=n), REAL, **more,
    )


BESSEL = unary("bessel", lambda xp, x, *, family, n: xp.bessel(x, family, n), _bessel_partial, REAL, slope=slopes.pole(0))
BESSEL_I0 = _bessel("bessel_i0", "i", 0, "i0", slope=FINITE)
BESSEL_I1 = _bessel("bessel_i1", "i", 1, "i1", slope=FINITE)
BESSEL_I0E = _bessel("bessel_i0e", "ie", 0, "i0e", slope=FINITE)
BESSEL_I1E = _bessel("bessel_i1e", "ie", 1, "i1e", slope=FINITE)
BESSEL_J0 = _bessel("bessel_j0", "j", 0, slope=FINITE, bounds=(-1.0, 1.0))
BESSEL_J1 = _bessel("bessel_j1", "j", 1, slope=FINITE, bounds=(-1.0, 1.0))
BESSEL_Y0 = _bessel("bessel_y0", "y", 0, slope=slopes.pole(0))
BESSEL_Y1 = _bessel("bessel_y1", "y", 1, slope=slopes.pole(0))
BESSEL_K0 = _bessel("bessel_k0", "k", 0, slope=slopes.pole(0))
BESSEL_K1 = _bessel("bessel_k1", "k", 1, slope=slopes.pole(0))
BESSEL_K0E = _bessel("bessel_k0e", "ke", 0, slope=slopes.pole(0))
BESSEL_K1E = _bessel("bessel_k1e", "ke", 1, slope=slopes.pole(0))
EXPINT = unary("expint", "expi", lambda xp, x, v: xp.exp(x) / x, REAL, slope=slopes.pole(0))


def _wave(xp: Namespace, x: Array, *, k: int) -> Any:
    """Return sin(π/2 (x² + k)): of x² only the rest by 4 counts, found without rounding (T. J. Dekker, 1971)."""
    wide = xp.astype(x, "float64")
    large = wide * 134217729.0
    high = large - (large - wide)
    low = wide - high
    square = wide * wide
    rest = ((high * high - square) + 2.0 * high * low) + low * low
    return xp.astype(xp.sin((0.5 * math.pi) * (xp.fmod(square, 4.0) + (rest + k))), x.dtype.name)


WAVE = unary(
    "wave", _wave, lambda xp, x, v, *, k: math.pi * x * xp.wave(x, k=(k + 1) % 4), REAL, type="FresnelGrad", slope=FINITE
)
FRESNEL_SIN = unary(
    "fresnel_sin", lambda xp, x: xp.fresnel(x)[0], lambda xp, x, v: xp.wave(x, k=0), REAL, slope=FINITE, bounds=(-1.0, 1.0)
)
FRESNEL_COS = unary(
    "fresnel_cos", lambda xp, x: xp.fresnel(x)[1], lambda xp, x, v: xp.wave(x, k=1), REAL, slope=FINITE, bounds=(-1.0, 1.0)
)

# Dawson's integral: D' = 1 - 2 x D and D⁽ⁿ⁺¹⁾ = -2 x D⁽ⁿ⁾ - 2 n D⁽ⁿ⁻¹⁾, which cancel where x is large: there
# D ~ Σ (2k - 1)!! / (2ᵏ⁺¹ x²ᵏ⁺¹), differentiated term by term.


def _dawsn_slope(xp: Namespace, x: Array, *, n: int) -> Any:
    wide = xp.astype(x, "float64")
    far = xp.abs(wide) > 7.5
    near, large = xp.where(far, 0.0, wide), xp.where(far, wide, 8.0)
    before, value = xp.dawsn(near), 1.0 - 2.0 * near * xp.dawsn(near)
    for k in range(1, n):
        before, value = value, -2.0 * (near * value + k * before)
    inverse = 1.0 / large
    square, series, factor = inverse * inverse, xp.zeros_like(wide), (-1.0) ** n * math.factorial(n) / 2.0
    factors = [factor]
    for k in range(1, 40):
        factors.append(factors[-1] * (2 * k - 1) / 2.0 * ((2 * k + n - 1) * (2 * k + n)) / ((2 * k - 1) * (2 * k)))
    for c in reversed(factors):
        series = series * square + c
    for _ in range(n + 1):
        series = series * inverse
    return xp.astype(xp.where(far, series, value), x.dtype.name)


DAWSN_SLOPE = unary(
    "dawsn_slope", _dawsn_slope, lambda xp, x, v, *, n: xp.dawsn_slope(x, n=n + 1), REAL, type="DawsnGrad",
    slope=FINITE,
)
"""The n-th derivative of Dawson's integral, n > 0."""
DAWSN = unary("dawsn", "dawsn", lambda xp, x, v: xp.dawsn_slope(x, n=1), REAL, slope=FINITE)

# log(x) / (1 - x) is smooth at x = 1, where it is -1, and so are its derivatives h⁽ⁿ⁾: from (1 - x) h = log x
# follows (1 - x) h⁽ⁿ⁾ = n h⁽ⁿ⁻¹⁾ + log⁽ⁿ⁾(x); near 1 they are series in 1 - x.


def _log_quotient(xp: Namespace, x: Array, *, n: int) -> Any:
    wide = xp.astype(x, "float64")
    w = 1.0 - wide
    near = xp.abs(w) < 0.5
    small, far = xp.where(near, w, 0.0), xp.where(near, 2.0, wide)
    quotient = xp.log(far) / (1.0 - far)
    for k in range(1, n + 1):
        quotient = (k * quotient - (-1.0) ** k * math.factorial(k - 1) * far ** (-k)) / (1.0 - far)
    # h = -Σ wᵏ / (k + 1), and each derivative by x is one by w with the sign changed.
    series = xp.zeros_like(wide)
    for k in range(64 + 8 * n, n - 1, -1):
        series = series * small - math.perm(k, n) / (k + 1)
    return xp.astype(xp.where(near, (-1.0) ** n * series, quotient), x.dtype.name)


LOG_QUOTIENT = unary(
    "log_quotient", _log_quotient, lambda xp, x, v, *, n: xp.log_quotient(x, n=n + 1), REAL, type="SpenceGrad",
    slope=slopes.pole(0),
)
"""The n-th derivative of log(x) / (1 - x)."""
SPENCE = unary("spence", "spence", lambda xp, x, v: xp.log_quotient(x, n=0), REAL, slope=slopes.branch(0))

# --- piecewise ----------------------------------------------------------------------------------------------------


def _abs_partial(xp: Namespace, x: Array, v: Array) -> Any:
    # d|z| = Re(conj(z)/|z| dz), of which the cotangent takes the conjugate: z/|z|, TensorFlow's answer.
    if x.dtype.kind == "c":
        return xp.dual(xp.divide_no_nan(x, xp.cast(v, dtype=x.dtype.name)))
    return xp.sign(x)


ABS = unary("abs", "abs", _abs_partial, NUMBER, Piecewise, infer=signature.real_of, slope=FINITE, bounds=(0.0, math.inf))
SIGN = unary("sign", "sign", zero, "iuf", Piecewise, slope=FINITE)
FLOOR = unary("floor", "floor", None, "iuf", Constant, rows=rows.elementwise, gives="step")
CEIL = unary("ceil", "ceil", None, "iuf", Constant, rows=rows.elementwise, gives="step")
ROUND = unary("round", "round", None, "iuf", Constant, rows=rows.elementwise, gives="step")
TRUNC = unary("trunc", "trunc", None, "iuf", Constant, type="Trunc", rows=rows.elementwise, gives="step")
MAXIMUM = Op(
    "maximum", Piecewise(
        partials=(
        lambda xp, x, y, v: xp.cast(xp.greater_equal(x, y), dtype=x.dtype.name),
        lambda xp, x, y, v: xp.cast(xp.less(x, y), dtype=x.dtype.name),
    ),
        slope=FINITE,
    ),
    "maximum", elementwise, kinds="iuf", bounds=slopes.greater,
)
MINIMUM = Op(
    "minimum", Piecewise(
        partials=(
        lambda xp, x, y, v: xp.cast(xp.less_equal(x, y), dtype=x.dtype.name),
        lambda xp, x, y, v: xp.cast(xp.greater(x, y), dtype=x.dtype.name),
    ),
        slope=FINITE,
    ),
    "minimum", elementwise, kinds="iuf", bounds=slopes.less,
)
MAXIMUM_FIRST = Op(
    "maximum_first", Piecewise(
        partials=(lambda xp, x, y, v: 1.0 - xp.step(y - x), lambda xp, x, y, v: xp.step(y - x)), slope=FINITE,
    ),
    "maximum", elementwise, kinds="iuf", type="MaxPool", label="MaxPool2d",
)
"""The maximum of two windows: of equals the first has the derivative; the second derivative is there and zero."""
CLIP = Op(
    "clip", Piecewise(
        partials=(
        lambda xp, x, a, b, v: xp.cast(
            xp.logical_and(xp.greater_equal(x, a), xp.less_equal(x, b)), dtype=x.dtype.name),
        lambda xp, x, a, b, v: xp.cast(xp.less(xp.minimum(x, b), a), dtype=x.dtype.name),
        lambda xp, x, a, b, v: xp.cast(xp.logical_and(xp.greater(x, b), xp.less_equal(a, b)), dtype=x.dtype.name),
    ),
        slope=FINITE,
    ),
    lambda xp, x, low, high: xp.maximum(xp.minimum(x, high), low), elementwise, kinds="iuf", type="Maximum",
    label="clip_by_value",
)
NEXTAFTER = Op(
    "nextafter", Piecewise(partials=(lambda xp, x, y, v: xp.ones_like(v), lambda xp, x, y, v: xp.zeros_like(v)), slope=FINITE),
    "nextafter", elementwise, kinds=REAL, type="NextAfter",
)


def _where_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = elementwise(inputs[1:], attrs)
    return shapes.broadcast(inputs[0].sizes, sizes), nptype


WHERE = Op(
    "where", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.fit(
        xp.where(inputs[0], g, xp.zeros_like(g)) if i == 1 else xp.where(inputs[0], xp.zeros_like(g), g), inputs[i]),
        constant_inputs=(0,), selects=True,
    ),
    "where", _where_infer, type="SelectV2", label="SelectV2", rows=rows.elementwise, bounds=slopes.hull, columns=Columns.ANY,
)

# --- complex numbers; a cotangent follows TensorFlow: the conjugate of the derivative ------------------------------


def _complex_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = elementwise(inputs, attrs)
    return sizes, signature.COMPLEX[nptype.name]


REAL_PART = Op(
    "real", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.complex(g, xp.zeros_like(g))
    if inputs[0].dtype.kind == "c" else g,
    ),
    lambda xp, x: xp.real(x), signature.real_of, aliases=True, rows=rows.elementwise, columns=Columns.SAME, layout=layout.VIEW,
)
IMAGINARY_PART = Op(
    "imag", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.complex(xp.zeros_like(g), g)
    if inputs[0].dtype.kind == "c" else xp.zeros_like(g),
    ),
    lambda xp, x: xp.imag(x), signature.real_of, aliases=True, rows=rows.elementwise, columns=Columns.SAME, layout=layout.VIEW,
)
CONJ = Op(
    "conj", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.conj(g)), "conj", first, aliases=True,
    rows=rows.elementwise, columns=Columns.SAME,
)
COMPLEX = Op(
    "complex",
    Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.fit(xp.real(g) if i == 0 else xp.imag(g), inputs[i])),
    "complex_of", _complex_infer, kinds=REAL, rows=rows.elementwise,
)


def _angle_partial(xp: Namespace, x: Array, v: Array) -> Any:
    # The angle is the imaginary part of log x, the real part of -i log x.
    return -1j / x if x.dtype.kind == "c" else xp.zeros_like(x)


ANGLE = unary(
    "angle", lambda xp, x: xp.astype(xp.angle(x), x.real.dtype), _angle_partial, FLOAT, infer=signature.real_of,
    slope=slopes.pole(),
)

# --- comparisons and logic ----------------------------------------------------------------------------------------

EQUAL = predicate("equal", "equal", ANY, gives="truth")
NOT_EQUAL = predicate("not_equal", "not_equal", ANY, gives="truth")
LESS = predicate("less", "less", "iuf", gives="truth")
LESS_EQUAL = predicate("less_equal", "less_equal", "iuf", gives="truth")
GREATER = predicate("greater", "greater", "iuf", gives="truth")
GREATER_EQUAL = predicate("greater_equal", "greater_equal", "iuf", gives="truth")
LOGICAL_AND = predicate("logical_and", "logical_and", "b")
LOGICAL_OR = predicate("logical_or", "logical_or", "b")
LOGICAL_XOR = predicate("logical_xor", "logical_xor", "b")
LOGICAL_NOT = predicate("logical_not", "logical_not", "b")
IS_FINITE = predicate("is_finite", "isfinite", FLOAT, gives="truth")
IS_INF = predicate("is_inf", "isinf", FLOAT, gives="truth")
IS_NAN = predicate("is_nan", "isnan", FLOAT, gives="truth")
BITWISE_AND = Op("bitwise_and", Constant(), "bitwise_and", elementwise, kinds="iub", rows=rows.elementwise)
BITWISE_OR = Op("bitwise_or", Constant(), "bitwise_or", elementwise, kinds="iub", rows=rows.elementwise)
BITWISE_XOR = Op("bitwise_xor", Constant(), "bitwise_xor", elementwise, kinds="iub", rows=rows.elementwise)
INVERT = Op("invert", Constant(), "invert", first, kinds="iub", rows=rows.elementwise)
LEFT_SHIFT = Op("left_shift", Constant(), "left_shift", elementwise, kinds="iu", rows=rows.elementwise)
RIGHT_SHIFT = Op("right_shift", Constant(), "right_shift", elementwise, kinds="iu", rows=rows.elementwise)
