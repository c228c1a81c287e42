"""What PyTorch's operations become: rules of tensors by name, ``rule(*arguments, **keywords)`` as PyTorch calls them.

Derivatives are PyTorch's at kinks and ties too. A case that a rule does not serve raises UnimplementedError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import linalg, nn
from wengert.functions import math as maths
from wengert.ground.errors import UnimplementedError
from wengert.ops import elementwise as E
from wengert.ops import linear
from wengert.ops.op import Op
from wengert.surface.frameworks.stating import bounded, shared
from wengert.surface.frameworks.torch_arrays import torch_arrays
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__ = ["RULES", "Axes", "Operand", "alike", "normal", "pair", "rule", "to_tensor"]

RULES: dict[str, Callable[..., Any]] = {}
"""By the names of PyTorch's operations, as "aten.linear"."""
Axes = int | Sequence[int] | None
Operand = Tensor | float


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a rule."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        RULES.update({f"aten.{name}": function for name in names})
        return function

    return enter


def to_tensor(x: Operand, other: Tensor) -> Any:
    """Return a number as a tensor of another one's dtype."""
    return x if isinstance(x, Tensor) else convert(np.asarray(x, other.nptype))


_KINDS = "biufc"


def alike(x: Operand, y: Operand) -> Any:
    """Return two operands in one dtype, as PyTorch promotes.

    What has axes decides, unless the other is of a higher kind: Booleans, integers, real numbers. A real number beside integers
    has PyTorch's default dtype.
    """
    a, b = (v if isinstance(v, Tensor) else convert(np.asarray(v)) for v in (x, y))
    if a.nptype == b.nptype:
        return a, b
    weak = [not isinstance(v, Tensor) or (not v.sizes and bool(o.sizes)) for v, o in ((x, b), (y, a))]
    ranks = [_KINDS.index(v.nptype.kind) for v in (a, b)]
    if weak[0] != weak[1] and ranks[weak.index(False)] >= ranks[weak.index(True)]:
        common = (a, b)[weak.index(False)].nptype
    elif weak[0] != weak[1] and not isinstance((x, y)[weak.index(True)], Tensor) and max(ranks) == _KINDS.index("f"):
        common = np.dtype(str(torch_arrays().torch.get_default_dtype()).removeprefix("torch."))
    else:
        common = np.promote_types(a.nptype, b.nptype)
    return cast(a, common), cast(b, common)


def pair(op: Op) -> Callable[..., Any]:
    """Return the rule that an operation of two is."""
    return lambda x, y: apply(op, alike(x, y))


def _one(op: Op) -> Callable[..., Any]:
    return lambda x: apply(op, (x,))


for _name, _op in {
    "tanh": E.TANH, "sin": E.SIN, "cos": E.COS, "tan": E.TAN, "exp": E.EXP, "exp2": E.EXP2, "expm1": E.EXPM1, "log": E.LOG,
    "log1p": E.LOG1P, "sigmoid": E.SIGMOID, "sqrt": E.SQRT, "rsqrt": E.RSQRT, "square": E.SQUARE, "abs": E.ABS, "neg": E.NEGATIVE,
    "reciprocal": E.RECIPROCAL, "sinh": E.SINH, "cosh": E.COSH, "asin": E.ASIN, "acos": E.ACOS, "atan": E.ATAN,
    "asinh": E.ASINH, "acosh": E.ACOSH, "atanh": E.ATANH, "erf": E.ERF, "erfc": E.ERFC, "erfinv": E.ERFINV, "lgamma": E.LGAMMA,
    "digamma": E.DIGAMMA, "sign": E.SIGN, "floor": E.FLOOR, "ceil": E.CEIL, "round": E.ROUND, "trunc": E.TRUNC, "relu": E.RELU,
    "relu6": E.RELU6, "log_sigmoid": E.LOG_SIGMOID, "logical_not": E.LOGICAL_NOT, "isfinite": E.IS_FINITE, "isnan": E.IS_NAN,
    "special_erf": E.ERF, "special_expit": E.SIGMOID,
}.items():  # fmt: skip
    rule(_name)(_one(_op))
for _name, _op in {
    "mul": E.MULTIPLY, "div": E.DIVIDE, "pow": E.POWER, "atan2": E.ATAN2, "eq": E.EQUAL, "ne": E.NOT_EQUAL, "lt": E.LESS,
    "le": E.LESS_EQUAL, "gt": E.GREATER, "ge": E.GREATER_EQUAL, "logical_and": E.LOGICAL_AND, "logical_or": E.LOGICAL_OR,
    "hypot": E.HYPOT, "logaddexp": E.LOGADDEXP, "true_divide": E.DIVIDE, "fmod": E.TRUNCATED_REMAINDER,
}.items():  # fmt: skip
    rule(_name)(pair(_op))
for _name in ("clone", "contiguous", "alias", "lift_fresh_copy"):
    rule(_name)(lambda x, **keywords: x)


@rule("add")
def add(x: Operand, y: Operand, alpha: float = 1) -> Any:
    """The sum of x and alpha y."""
    return pair(E.ADD)(x, y if alpha == 1 else pair(E.MULTIPLY)(y, alpha))


@rule("sub")
def subtract(x: Operand, y: Operand, alpha: float = 1) -> Any:
    """The difference of x and alpha y."""
    return pair(E.SUBTRACT)(x, y if alpha == 1 else pair(E.MULTIPLY)(y, alpha))


@rule("rsub")
def reversed_subtract(x: Operand, y: Operand, alpha: float = 1) -> Any:
    """The difference of y and alpha x."""
    return subtract(y, x, alpha)


@rule("pow")
def power(x: Operand, y: Operand) -> Any:
    """A power; a whole number as exponent has derivatives at 0."""
    if isinstance(x, Tensor) and not isinstance(y, Tensor):
        if float(y) == int(y):
            return apply(E.INTEGER_POWER, (x,), {"n": int(y)})
        return apply(E.REAL_POWER, (x,), {"p": float(y)})
    return pair(E.POWER)(x, y)


@rule("maximum", "max.other")
def maximum(x: Tensor, y: Tensor) -> Any:
    """Equal operands share the derivative."""
    return shared(E.MAXIMUM, *alike(x, y))


@rule("minimum", "min.other")
def minimum(x: Tensor, y: Tensor) -> Any:
    """Equal operands share the derivative."""
    return shared(E.MINIMUM, *alike(x, y))


@rule("clamp", "clip")
def clamp(x: Tensor, low: float | None = None, high: float | None = None) -> Any:
    """On a bound the derivative is 1."""
    for bound, outside in ((low, E.LESS), (high, E.GREATER)):
        if bound is not None:
            b = to_tensor(bound, x)
            x = arrays.where(apply(outside, (x, b)), arrays.broadcast_to(b, arrays.shape(x)), x)
    return x


@rule("hardtanh")
def hardtanh(x: Tensor, low: float = -1.0, high: float = 1.0) -> Any:
    """On a bound there is no derivative."""
    return bounded(to_tensor(low, x), x, to_tensor(high, x))


RULES["aten.relu6"] = lambda x: hardtanh(x, 0.0, 6.0)
RULES["aten.clamp_min"] = lambda x, low: clamp(x, low)
RULES["aten.clamp_max"] = lambda x, high: clamp(x, None, high)


@rule("where")
def where(condition: Tensor, x: Operand, y: Operand) -> Any:
    """Elements of either."""
    return arrays.where(condition, *alike(x, y))


@rule("gelu")
def gelu(x: Tensor, approximate: str = "none") -> Any:
    """The product of x and Φ(x), or its approximation by tanh."""
    return nn.gelu(x, approximate == "tanh")


@rule("silu")
def silu(x: Tensor) -> Any:
    """The product of x and σ(x)."""
    return nn.silu(x)


@rule("mish")
def mish(x: Tensor) -> Any:
    """The product of x and tanh(softplus(x))."""
    return x * maths.tanh(maths.softplus(x))


@rule("softplus")
def softplus(x: Tensor, beta: float = 1, threshold: float = 20) -> Any:
    """log(1 + exp(β x)) / β, and x beyond a threshold."""
    b = np.asarray(beta, x.nptype)
    scaled = b * x
    beyond = apply(E.GREATER, (scaled, to_tensor(threshold, x)))
    safe = arrays.where(beyond, arrays.zeros_like(x), scaled)
    return arrays.where(beyond, x, maths.softplus(safe) / b)


@rule("elu")
def elu(x: Tensor, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    """Exponential below 0."""
    low = to_tensor(alpha * scale, x) * maths.expm1(to_tensor(input_scale, x) * maths.minimum(x, to_tensor(0.0, x)))
    return arrays.where(apply(E.GREATER, (x, to_tensor(0.0, x))), to_tensor(scale, x) * x, low)


RULES["aten.selu"] = lambda x: elu(x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)
RULES["aten.celu"] = lambda x, alpha=1.0: elu(x, alpha, 1.0, 1.0 / alpha)


@rule("leaky_relu")
def leaky_relu(x: Tensor, slope: float = 0.01) -> Any:
    """A line of another slope below 0."""
    return arrays.where(apply(E.GREATER, (x, to_tensor(0.0, x))), x, to_tensor(slope, x) * x)


@rule("softmax", "_softmax")
def softmax(x: Tensor, dim: int, dtype: Hashable = None) -> Any:
    """Softmax."""
    return maths.softmax(x, dim)


@rule("log_softmax", "_log_softmax")
def log_softmax(x: Tensor, dim: int, dtype: Hashable = None) -> Any:
    """Its logarithm."""
    return maths.log_softmax(x, dim)


# --- products -----------------------------------------------------------------------------------------------------


@rule("linear")
def dense(x: Tensor, w: Tensor, b: Tensor | None = None) -> Any:
    """X Wᵀ + b."""
    y = maths.matmul(x, w, transpose_b=True) if len(x.shape) > 1 else maths.matvec(w, x)
    return y if b is None else y + b


@rule("matmul", "mm", "bmm", "mv", "dot")
def product(a: Tensor, b: Tensor) -> Any:
    """A product of matrices, of stacks of them, of vectors."""
    if len(a.shape) == 1 and len(b.shape) == 1:
        return maths.reduce_sum(a * b)
    if len(b.shape) == 1:
        return maths.matvec(a, b)
    if len(a.shape) == 1:
        return maths.matvec(b, a, transpose_a=True)
    return maths.matmul(a, b)


@rule("addmm", "baddbmm")
def added_product(c: Tensor, a: Tensor, b: Tensor, beta: float = 1, alpha: float = 1) -> Any:
    """β c + α a b."""
    found = maths.matmul(a, b)
    found = found if alpha == 1 else to_tensor(alpha, found) * found
    return found + (c if beta == 1 else to_tensor(beta, c) * c)


@rule("outer")
def outer(a: Tensor, b: Tensor) -> Any:
    """The outer product."""
    return arrays.expand_dims(a, 1) * arrays.expand_dims(b, 0)


@rule("einsum")
def einsum(equation: str, operands: Sequence[Tensor], path: Hashable = None) -> Any:
    """A sum over letters."""
    return maths.einsum(equation, *operands)


@rule("scaled_dot_product_attention")
def attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, dropout: float = 0.0, causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """Attention by products."""
    if dropout or enable_gqa:
        raise UnimplementedError("wengert.torch: attention with dropout, or with groups, is not there.")
    factor = 1.0 / math.sqrt(int(q.shape[-1])) if scale is None else scale
    scores = maths.matmul(q, k, transpose_b=True) * to_tensor(factor, q)
    n, m = int(q.shape[-2]), int(k.shape[-2])
    allowed = convert(np.tril(np.ones((n, m), bool))) if causal else mask
    if allowed is not None and allowed.nptype.kind == "b":
        scores = arrays.where(allowed, scores, to_tensor(-math.inf, scores))
    elif allowed is not None:
        scores = scores + allowed
    return maths.matmul(maths.softmax(scores, -1), v)


# --- shapes -------------------------------------------------------------------------------------------------------


@rule("view", "reshape", "_unsafe_view", "view_copy")
def reshape(x: Tensor, sizes: Sequence[int]) -> Any:
    """The elements in another shape."""
    return arrays.reshape(x, [int(s) for s in sizes])


@rule("flatten")
def flatten(x: Tensor, start: int = 0, end: int = -1) -> Any:
    """Some axes as one."""
    rank = len(x.shape)
    first, last = start % rank, end % rank
    sizes = [int(s) for s in x.shape]
    return arrays.reshape(x, [*sizes[:first], math.prod(sizes[first : last + 1]), *sizes[last + 1 :]])


@rule("permute")
def permute(x: Tensor, dims: Sequence[int]) -> Any:
    """Axes in another order."""
    return arrays.transpose(x, [d % len(x.shape) for d in dims])


@rule("transpose", "swapaxes")
def transpose(x: Tensor, a: int, b: int) -> Any:
    """Two axes exchanged."""
    order = list(range(len(x.shape)))
    order[a], order[b] = order[b], order[a]
    return arrays.transpose(x, order)


RULES["aten.t"] = lambda x: arrays.transpose(x) if len(x.shape) > 1 else x
RULES["aten.numpy_T"] = arrays.transpose


@rule("unsqueeze")
def unsqueeze(x: Tensor, dim: int) -> Any:
    """A new axis of one element."""
    return arrays.expand_dims(x, dim)


@rule("squeeze")
def squeeze(x: Tensor, dim: Axes = None) -> Any:
    """Axes of one element gone, where they have one."""
    sizes = [int(s) for s in x.shape]
    axes = range(len(sizes)) if dim is None else [d % len(sizes) for d in ([dim] if isinstance(dim, int) else dim)]
    return arrays.reshape(x, [s for k, s in enumerate(sizes) if s != 1 or k not in axes])


@rule("expand", "broadcast_to")
def expand(x: Tensor, sizes: Sequence[int], implicit: bool = False) -> Any:
    """Repeated to a shape."""
    lead = len(sizes) - len(x.shape)
    return arrays.broadcast_to(x, [int(x.shape[k - lead]) if s == -1 else int(s) for k, s in enumerate(sizes)])


@rule("repeat")
def repeat(x: Tensor, times: Sequence[int]) -> Any:
    """Tiles."""
    sizes = [1] * (len(times) - len(x.shape)) + [int(s) for s in x.shape]
    return arrays.tile(arrays.reshape(x, sizes), [int(t) for t in times])


@rule("cat", "concat")
def cat(xs: Sequence[Tensor], dim: int = 0) -> Any:
    """One after the other."""
    return arrays.concat(list(xs), dim)


@rule("stack")
def stack(xs: Sequence[Tensor], dim: int = 0) -> Any:
    """Side by side."""
    return arrays.stack(list(xs), dim)


@rule("slice")
def sliced(x: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    """A slice of an axis."""
    index = [slice(None)] * len(x.shape)
    index[dim] = slice(start, None if end is None or end >= int(x.shape[dim]) else end, step)
    return x[tuple(index)]


@rule("select")
def select(x: Tensor, dim: int, at: int) -> Any:
    """An element of an axis, which goes."""
    return x[(*[slice(None)] * (dim % len(x.shape)), at)]


@rule("unbind")
def unbind(x: Tensor, dim: int = 0) -> Any:
    """The elements of an axis."""
    return list(arrays.unstack(x, axis=dim))


@rule("chunk")
def chunk(x: Tensor, chunks: int, dim: int = 0) -> Any:
    """Parts of equal size, but for the last."""
    return split(x, -(-int(x.shape[dim]) // chunks), dim)


@rule("split", "split_with_sizes")
def split(x: Tensor, sizes: int | Sequence[int], dim: int = 0) -> Any:
    """Parts of a size, or of given sizes."""
    count = int(x.shape[dim])
    if isinstance(sizes, int):
        sizes = [min(sizes, count - k) for k in range(0, count, sizes)]
    return list(arrays.split(x, list(sizes), dim))


@rule("flip")
def flip(x: Tensor, dims: Sequence[int]) -> Any:
    """Axes backwards."""
    return arrays.reverse(x, list(dims))


@rule("index_select")
def index_select(x: Tensor, dim: int, indices: Tensor) -> Any:
    """Elements of an axis."""
    return arrays.gather(x, indices, axis=dim)


@rule("gather")
def gather(x: Tensor, dim: int, indices: Tensor, sparse_grad: bool = False) -> Any:
    """Elements along an axis, by places of the result's shape."""
    return apply(linear.TAKE_ALONG_AXIS, (x, indices), {"axis": dim % len(x.shape)})


@rule("_to_copy", "to")
def converted(x: Tensor, *arguments: Hashable, dtype: Hashable = None, **keywords: Hashable) -> Any:
    """Another dtype."""
    named = [dtype, *arguments]
    found = next((d for d in named if type(d).__name__ == "dtype"), None)
    return x if found is None else cast(x, np.dtype(str(found).removeprefix("torch.")))


@rule("detach")
def detach(x: Tensor) -> Any:
    """Without a derivative."""
    return apply(linear.STOP_GRADIENT, (x,))


RULES["aten.ones_like"] = lambda x, **keywords: arrays.ones_like(x)
RULES["aten.zeros_like"] = lambda x, **keywords: arrays.zeros_like(x)


@rule("full_like")
def full_like(x: Tensor, value: float, **keywords: Hashable) -> Any:
    """One number in the shape of x."""
    return arrays.zeros_like(x) + to_tensor(value, x)


# --- sums ---------------------------------------------------------------------------------------------------------


def _axes(dim: Axes) -> Any:
    return None if dim is None or dim == [] else dim


@rule("sum")
def total(x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: Hashable = None) -> Any:
    """Sums over axes."""
    return maths.reduce_sum(x, axis=_axes(dim), keepdims=keepdim)


@rule("mean")
def mean(x: Tensor, dim: Axes = None, keepdim: bool = False, dtype: Hashable = None) -> Any:
    """Means over axes."""
    return maths.reduce_mean(x, axis=_axes(dim), keepdims=keepdim)


@rule("prod")
def prod(x: Tensor, dim: int | None = None, keepdim: bool = False, dtype: Hashable = None) -> Any:
    """Products over axes."""
    return maths.reduce_prod(x, axis=dim, keepdims=keepdim)


@rule("amax")
def amax(x: Tensor, dim: Axes = None, keepdim: bool = False) -> Any:
    """The greatest elements; equal ones share the derivative."""
    return maths.reduce_max(x, axis=_axes(dim), keepdims=keepdim)


@rule("amin")
def amin(x: Tensor, dim: Axes = None, keepdim: bool = False) -> Any:
    """The smallest elements; equal ones share the derivative."""
    return maths.reduce_min(x, axis=_axes(dim), keepdims=keepdim)


@rule("logsumexp")
def logsumexp(x: Tensor, dim: Axes, keepdim: bool = False) -> Any:
    """Logarithms of sums of exponentials."""
    return maths.reduce_logsumexp(x, axis=dim, keepdims=keepdim)


@rule("var")
def variance(x: Tensor, dim: Axes = None, correction: float | None = 1, keepdim: bool = False, unbiased: Hashable = None) -> Any:
    """Variances over axes."""
    axes = _axes(dim)
    found = maths.reduce_variance(x, axis=axes, keepdims=keepdim)
    every = range(len(x.shape)) if axes is None else [axes] if isinstance(axes, int) else axes
    n = math.prod(int(x.shape[k]) for k in every)
    less = 1.0 if correction is None else float(correction)
    return found * to_tensor(n / max(n - less, 0.0) if n > less else math.inf, x)


@rule("cumsum")
def cumsum(x: Tensor, dim: int, dtype: Hashable = None) -> Any:
    """Sums from the start."""
    return maths.cumsum(x, axis=dim)


# --- normalisation ------------------------------------------------------------------------------------------------


def normal(x: Tensor, axes: Sequence[int], epsilon: float) -> Any:
    """Return x with mean 0 and variance 1 over axes."""
    mean_ = maths.reduce_mean(x, axis=list(axes), keepdims=True)
    centred = x - mean_
    return centred * maths.rsqrt(maths.reduce_mean(centred * centred, axis=list(axes), keepdims=True) + to_tensor(epsilon, x))


@rule("layer_norm")
def layer_norm(
    x: Tensor, shape: Sequence[int], w: Tensor | None = None, b: Tensor | None = None, eps: float = 1e-5, cudnn: bool = True
) -> Any:
    """Each row's mean 0, and its variance 1."""
    y = normal(x, range(-len(shape), 0), eps)
    y = y if w is None else y * w
    return y if b is None else y + b


@rule("rms_norm")
def rms_norm(x: Tensor, shape: Sequence[int], w: Tensor | None = None, eps: float | None = None) -> Any:
    """Each row's mean square 1."""
    epsilon = float(np.finfo(x.nptype).eps) if eps is None else eps
    y = x * maths.rsqrt(maths.reduce_mean(x * x, axis=list(range(-len(shape), 0)), keepdims=True) + to_tensor(epsilon, x))
    return y if w is None else y * w


@rule("group_norm")
def group_norm(
    x: Tensor, groups: int, w: Tensor | None = None, b: Tensor | None = None, eps: float = 1e-5, *rest: Hashable
) -> Any:
    """Each group of channels normalised."""
    sizes = [int(s) for s in x.shape]
    y = arrays.reshape(normal(arrays.reshape(x, [sizes[0], groups, -1]), [2], eps), sizes)
    wide = [1, sizes[1]] + [1] * (len(sizes) - 2)
    y = y if w is None else y * arrays.reshape(w, wide)
    return y if b is None else y + arrays.reshape(b, wide)


@rule("batch_norm")
def batch_norm(
    x: Tensor, w: Tensor | None, b: Tensor | None, mean_: Tensor | None, var_: Tensor | None, training: bool, momentum: float,
    eps: float, cudnn: bool = True,
) -> Any:  # fmt: skip
    """Normalised by what was learnt of all rows."""
    if training or mean_ is None or var_ is None:
        raise UnimplementedError("wengert.torch: BatchNorm in training mode mixes the points; call the module's eval().")
    wide = [1, -1] + [1] * (len(x.shape) - 2)
    y = (x - arrays.reshape(mean_, wide)) * arrays.reshape(maths.rsqrt(var_ + to_tensor(eps, var_)), wide)
    y = y if w is None else y * arrays.reshape(w, wide)
    return y if b is None else y + arrays.reshape(b, wide)


@rule("dropout", "native_dropout", "feature_dropout", "alpha_dropout")
def dropout(x: Tensor, p: float, training: bool) -> Any:
    """Nothing, where it is not training."""
    if training and p:
        raise UnimplementedError("wengert.torch: dropout in training mode draws for each point; call the module's eval().")
    return x


# --- linear algebra -----------------------------------------------------------------------------------------------

RULES |= {
    "aten.linalg_inv": linalg.inv, "aten.linalg_det": linalg.det, "aten.det": linalg.det,
    "aten.linalg_cholesky": linalg.cholesky,
}  # fmt: skip
