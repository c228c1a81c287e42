"""What more of PyTorch's functions become: activations with kinks, norms, edges, special functions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import math as maths
from wengert.ground.errors import UnimplementedError
from wengert.ops import elementwise as E
from wengert.ops import linear
from wengert.surface.frameworks.aten import RULES, Axes, Operand, normal, pair, rule, to_tensor
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__: list[str] = []

for _name, _op in {
    "bitwise_and": E.LOGICAL_AND, "bitwise_or": E.LOGICAL_OR, "bitwise_xor": E.LOGICAL_XOR, "logical_xor": E.LOGICAL_XOR,
    "__and__": E.LOGICAL_AND, "__or__": E.LOGICAL_OR, "remainder": E.REMAINDER, "floor_divide": E.FLOOR_DIVIDE, "xlogy": E.XLOGY,
    "special_xlogy": E.XLOGY,
}.items():  # fmt: skip
    rule(_name)(pair(_op))
RULES |= {"aten.bitwise_not": RULES["aten.logical_not"], "aten.sgn": RULES["aten.sign"]}


# --- activations --------------------------------------------------------------------------------------------------


@rule("hardsigmoid")
def hardsigmoid(x: Tensor) -> Any:
    """A line between 0 and 1; on a bound there is no derivative."""
    inside = apply(E.LOGICAL_AND, (x > to_tensor(-3.0, x), x < to_tensor(3.0, x)))
    line = x * to_tensor(1.0 / 6.0, x) + to_tensor(0.5, x)
    clipped = apply(linear.STOP_GRADIENT, (apply(E.CLIP, (line, to_tensor(0.0, x), to_tensor(1.0, x))),))
    return arrays.where(inside, line, clipped)


@rule("hardswish")
def hardswish(x: Tensor) -> Any:
    """X (x + 3) / 6 between -3 and 3."""
    three = to_tensor(3.0, x)
    middle = x * (x + three) * to_tensor(1.0 / 6.0, x)
    return arrays.where(x <= -three, arrays.zeros_like(x), arrays.where(x < three, middle, x))


@rule("softshrink")
def softshrink(x: Tensor, lambd: float = 0.5) -> Any:
    """Nearer to 0, and 0 near it."""
    bound, zero = to_tensor(lambd, x), arrays.zeros_like(x)
    return arrays.where(x > bound, x - bound, arrays.where(x < -bound, x + bound, zero))


@rule("hardshrink")
def hardshrink(x: Tensor, lambd: float = 0.5) -> Any:
    """0 near 0."""
    outside = apply(E.LOGICAL_OR, (x > to_tensor(lambd, x), x < to_tensor(-lambd, x)))
    return arrays.where(outside, x, arrays.zeros_like(x))


@rule("threshold")
def threshold(x: Tensor, bound: float, value: float) -> Any:
    """One number up to a bound."""
    return arrays.where(x > to_tensor(bound, x), x, arrays.zeros_like(x) + to_tensor(value, x))


@rule("_prelu_kernel")
def prelu(x: Tensor, w: Tensor) -> Any:
    """A line of another slope, a parameter, up to 0."""
    return arrays.where(x > to_tensor(0.0, x), x, w * x)


@rule("rrelu")
def rrelu(x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, *rest: Hashable) -> Any:
    """A line of another slope below 0."""
    if training:
        raise UnimplementedError("wengert.torch: rrelu in training mode draws for each point; call the module's eval().")
    return arrays.where(x > to_tensor(0.0, x), x, to_tensor((lower + upper) / 2, x) * x)


@rule("glu")
def glu(x: Tensor, dim: int = -1) -> Any:
    """One half times the sigmoid of the other."""
    a, b = arrays.split(x, 2, dim)
    return a * maths.sigmoid(b)


# --- arithmetic ---------------------------------------------------------------------------------------------------


@rule("lerp")
def lerp(x: Tensor, y: Tensor, weight: Operand) -> Any:
    """Between x and y."""
    return x + to_tensor(weight, x) * (y - x)


@rule("addcmul")
def addcmul(x: Tensor, a: Tensor, b: Tensor, value: float = 1) -> Any:
    """X + v a b."""
    return x + to_tensor(value, x) * (a * b)


@rule("addcdiv")
def addcdiv(x: Tensor, a: Tensor, b: Tensor, value: float = 1) -> Any:
    """X + v a / b."""
    return x + to_tensor(value, x) * (a / b)


@rule("addmv")
def addmv(c: Tensor, a: Tensor, b: Tensor, beta: float = 1, alpha: float = 1) -> Any:
    """β c + α a b, with a vector b."""
    return to_tensor(beta, a) * c + to_tensor(alpha, a) * maths.matvec(a, b)


@rule("frac")
def frac(x: Tensor) -> Any:
    """What is behind the point."""
    return x - apply(E.TRUNC, (x,))


@rule("nan_to_num")
def nan_to_num(x: Tensor, nan: float | None = None, high: float | None = None, low: float | None = None) -> Any:
    """Numbers in place of NaN and infinities."""
    info = np.finfo(x.nptype)
    ends = (float(info.min) if low is None else low, float(info.max) if high is None else high)
    big = arrays.where(x > to_tensor(0.0, x), to_tensor(ends[1], x), to_tensor(ends[0], x))
    other = arrays.where(apply(E.IS_NAN, (x,)), to_tensor(nan or 0.0, x), big)
    return arrays.where(apply(E.IS_FINITE, (x,)), x, other)


@rule("heaviside")
def heaviside(x: Tensor, at: Tensor) -> Any:
    """0 below 0 and 1 above."""
    zero, one = arrays.zeros_like(x), arrays.ones_like(x)
    return arrays.where(x > zero, one, arrays.where(apply(E.EQUAL, (x, zero)), zero + at, zero))


@rule("mse_loss")
def mse_loss(x: Tensor, y: Tensor, reduction: int = 1) -> Any:
    """Squared differences: each, their mean, or their sum."""
    found = apply(E.SQUARED_DIFFERENCE, (x, y))
    return (found, maths.reduce_mean(found), maths.reduce_sum(found))[reduction] if reduction else found


for _name, _base in (("log2", 2.0), ("log10", 10.0)):
    rule(_name)(lambda x, base=_base: maths.log(x) * to_tensor(1.0 / math.log(base), x))
for _name, _factor in (("deg2rad", math.pi / 180.0), ("rad2deg", 180.0 / math.pi)):
    rule(_name)(lambda x, factor=_factor: x * to_tensor(factor, x))


# --- special functions --------------------------------------------------------------------------------------------


@rule("logit", "special_logit")
def logit(x: Tensor, eps: float | None = None) -> Any:
    """Log x - log(1 - x)."""
    if eps is not None:
        x = RULES["aten.clamp"](x, eps, 1.0 - eps)
    return maths.log(x) - maths.log1p(-x)


@rule("polygamma", "special_polygamma")
def polygamma(n: int, x: Tensor) -> Any:
    """The n-th derivative of digamma."""
    return maths.polygamma(to_tensor(float(n), x), x)


@rule("sinc", "special_sinc")
def sinc(x: Tensor) -> Any:
    """sin(π x) / (π x)."""
    return apply(E.SINC, (to_tensor(math.pi, x) * x,))


@rule("special_ndtr")
def ndtr(x: Tensor) -> Any:
    """The normal distribution."""
    return apply(E.NDTR, (x,))


# --- sums ---------------------------------------------------------------------------------------------------------


@rule("linalg_vector_norm", "norm")
def vector_norm(x: Tensor, order: float | None = 2, dim: Axes = None, keepdim: bool = False, dtype: Hashable = None) -> Any:
    """Norms over axes; of zeros the derivative is 0."""
    p = 2.0 if order is None else float(order)
    axes = None if dim is None or dim == [] else dim
    if math.isinf(p):
        reduce = maths.reduce_max if p > 0 else maths.reduce_min
        return reduce(apply(E.ABS, (x,)), axis=axes, keepdims=keepdim)
    if p == 1.0:
        return maths.reduce_sum(apply(E.ABS, (x,)), axis=axes, keepdims=keepdim)
    if p <= 0.0:
        raise UnimplementedError(f"wengert.torch: the norm of order {order} is not there.")
    powers = x * x if p == 2.0 else apply(E.REAL_POWER, (apply(E.ABS, (x,)),), {"p": p})
    total = maths.reduce_sum(powers, axis=axes, keepdims=keepdim)
    none = apply(E.EQUAL, (total, to_tensor(0.0, total)))
    safe = arrays.where(none, arrays.ones_like(total), total)
    root = maths.sqrt(safe) if p == 2.0 else apply(E.REAL_POWER, (safe,), {"p": 1.0 / p})
    return arrays.where(none, arrays.zeros_like(total), root)


@rule("std")
def deviation(x: Tensor, dim: Axes = None, correction: float | None = 1, keepdim: bool = False, unbiased: Hashable = None) -> Any:
    """Roots of variances."""
    return maths.sqrt(RULES["aten.var"](x, dim, correction, keepdim))


@rule("var_mean")
def var_mean(x: Tensor, dim: Axes = None, correction: float | None = 1, keepdim: bool = False) -> Any:
    """Variances and means."""
    return RULES["aten.var"](x, dim, correction, keepdim), RULES["aten.mean"](x, dim, keepdim)


@rule("cumprod")
def cumprod(x: Tensor, dim: int, dtype: Hashable = None) -> Any:
    """Products from the start."""
    return maths.cumprod(x, axis=dim)


@rule("logcumsumexp")
def logcumsumexp(x: Tensor, dim: int) -> Any:
    """Logarithms of sums of exponentials from the start."""
    return maths.cumulative_logsumexp(x, axis=dim)


@rule("nansum")
def nansum(x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: Hashable = None) -> Any:
    """Sums of what is no NaN."""
    return RULES["aten.sum"](arrays.where(apply(E.IS_NAN, (x,)), arrays.zeros_like(x), x), dim, keepdim)


@rule("aminmax")
def aminmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the greatest elements."""
    return RULES["aten.amin"](x, dim, keepdim), RULES["aten.amax"](x, dim, keepdim)


# --- new tensors, edges, normalisation ----------------------------------------------------------------------------


@rule("new_zeros")
def new_zeros(x: Tensor, sizes: Sequence[int], **keywords: Hashable) -> Any:
    """Zeros of a shape."""
    return convert(np.zeros([int(s) for s in sizes], x.nptype))


@rule("new_ones")
def new_ones(x: Tensor, sizes: Sequence[int], **keywords: Hashable) -> Any:
    """Ones of a shape."""
    return convert(np.ones([int(s) for s in sizes], x.nptype))


@rule("new_full")
def new_full(x: Tensor, sizes: Sequence[int], value: float, **keywords: Hashable) -> Any:
    """One number in a shape."""
    return convert(np.full([int(s) for s in sizes], value, x.nptype))


@rule("pad")
def pad(x: Tensor, edges: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """More elements before and after, from the last axis on."""
    if mode == "constant":
        return RULES["aten.constant_pad_nd"](x, edges, value or 0.0)
    for k in range(len(edges) // 2):
        axis = len(x.shape) - 1 - k
        n = int(x.shape[axis])
        at = np.arange(-int(edges[2 * k]), n + int(edges[2 * k + 1]))
        if mode == "circular":
            at = at % n
        elif mode == "reflect":
            at = (n - 1) - np.abs((n - 1) - np.abs(at))
        else:
            at = np.clip(at, 0, n - 1)
        x = arrays.gather(x, at.astype(np.int32), axis=axis)
    return x


@rule("instance_norm")
def instance_norm(
    x: Tensor, w: Tensor | None, b: Tensor | None, mean: Tensor | None, var: Tensor | None, own: bool, momentum: float,
    eps: float, cudnn: bool = True,
) -> Any:  # fmt: skip
    """Each channel of each sample normalised."""
    if not own:
        return RULES["aten.batch_norm"](x, w, b, mean, var, False, momentum, eps)
    if mean is not None:
        raise UnimplementedError("wengert.torch: InstanceNorm that learns statistics mixes the points; call the module's eval().")
    y, wide = normal(x, range(2, len(x.shape)), eps), [1, -1] + [1] * (len(x.shape) - 2)
    y = y if w is None else y * arrays.reshape(w, wide)
    return y if b is None else y + arrays.reshape(b, wide)


for _name in ("all", "any"):
    _reduce = maths.reduce_all if _name == "all" else maths.reduce_any
    rule(_name)(lambda x, dim=None, keepdim=False, reduce=_reduce: reduce(cast(x, np.dtype(bool)), axis=dim, keepdims=keepdim))
