"""What each primitive of JAX becomes: rules of tensors, ``rule(*inputs, **params)``, by the primitive's name.

Values are JAX's, and so are derivatives, at kinks and ties too: where JAX shares what an operation here gives to one input,
the rule says so. A parameter that a rule cannot serve raises UnimplementedError. The inputs are tensors.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any, SupportsInt

import numpy as np

from wengert.functions import array as arrays
from wengert.functions import math as maths
from wengert.graph.static import static_value
from wengert.ground.errors import UnimplementedError
from wengert.ground.types import Dtype
from wengert.modes.control import cond, graph_loop
from wengert.ops import elementwise, linear, reduction
from wengert.ops.op import Op
from wengert.surface.frameworks.jaxpr import Closed, Rule, read_closed
from wengert.surface.frameworks.rules import RULES, Sizes, direct, rule, sizes_of
from wengert.surface.frameworks.stating import bounded, shared
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__ = ["RULES"]

# --- elementwise --------------------------------------------------------------------------------------------------


E = elementwise
for _name, _op in {
        "add": E.ADD, "add_any": E.ADD, "sub": E.SUBTRACT, "mul": E.MULTIPLY, "neg": E.NEGATIVE, "square": E.SQUARE,
        "sqrt": E.SQRT, "rsqrt": E.RSQRT, "cbrt": E.CBRT, "exp": E.EXP, "exp2": E.EXP2, "expm1": E.EXPM1, "log": E.LOG,
        "log1p": E.LOG1P, "sin": E.SIN, "cos": E.COS, "tan": E.TAN, "asin": E.ASIN, "acos": E.ACOS, "atan": E.ATAN,
        "atan2": E.ATAN2, "sinh": E.SINH, "cosh": E.COSH, "tanh": E.TANH, "asinh": E.ASINH, "acosh": E.ACOSH, "atanh": E.ATANH,
        "logistic": E.SIGMOID, "erf": E.ERF, "erfc": E.ERFC, "erf_inv": E.ERFINV, "lgamma": E.LGAMMA, "digamma": E.DIGAMMA,
        "igamma": E.IGAMMA, "igammac": E.IGAMMAC, "regularized_incomplete_beta": E.BETAINC, "zeta": E.ZETA,
        "sign": E.SIGN, "floor": E.FLOOR, "ceil": E.CEIL, "is_finite": E.IS_FINITE, "bessel_i0e": E.BESSEL_I0E,
        "bessel_i1e": E.BESSEL_I1E, "eq": E.EQUAL, "ne": E.NOT_EQUAL, "lt": E.LESS, "le": E.LESS_EQUAL, "gt": E.GREATER,
        "ge": E.GREATER_EQUAL, "real": E.REAL_PART, "imag": E.IMAGINARY_PART, "complex": E.COMPLEX, "conj": E.CONJ,
        "nextafter": E.NEXTAFTER, "shift_left": E.LEFT_SHIFT, "stop_gradient": linear.STOP_GRADIENT, "copy": linear.IDENTITY,
        "copy_p": linear.IDENTITY, "device_put": linear.IDENTITY, "name": linear.IDENTITY,
        "sharding_constraint": linear.IDENTITY,
}.items():  # fmt: skip
    rule(_name)(direct(_op))


@rule("abs")
def absolute(x: Tensor, **params: Hashable) -> Any:
    """Its derivative at 0 is 1."""
    if x.nptype.kind != "f":
        return apply(E.ABS, (x,))
    zero = convert(np.zeros((), x.nptype))
    return arrays.where(apply(E.EQUAL, (x, zero)), x + zero, apply(E.ABS, (x,)))


@rule("div")
def divide(x: Tensor, y: Tensor, **params: Hashable) -> Any:
    """Of integers it cuts."""
    if x.nptype.kind in "iu":
        return cast(apply(E.TRUNC, (cast(x, np.dtype("float64")) / cast(y, np.dtype("float64")),)), x.nptype)
    return apply(E.DIVIDE, (x, y))


@rule("rem")
def remainder(x: Tensor, y: Tensor, **params: Hashable) -> Any:
    """It has the sign of x."""
    return apply(E.TRUNCATED_REMAINDER, (x, y))


@rule("round")
def rounded(x: Tensor, *, rounding_method: SupportsInt, **params: Hashable) -> Any:
    """To even, or away from zero."""
    if int(rounding_method) == 1:
        return apply(E.ROUND, (x,))
    return apply(E.SIGN, (x,)) * apply(E.FLOOR, (apply(E.ABS, (x,)) + np.asarray(0.5, x.nptype),))


@rule("max")
def maximum(x: Tensor, y: Tensor, **params: Hashable) -> Any:
    """Equal operands share the derivative."""
    return _of_two(E.MAXIMUM, x, y)


@rule("min")
def minimum(x: Tensor, y: Tensor, **params: Hashable) -> Any:
    """Equal operands share the derivative."""
    return _of_two(E.MINIMUM, x, y)


def _of_two(op: Op, x: Tensor, y: Tensor) -> Any:
    if not np.isfinite(_number(x, 0.0)) or not np.isfinite(_number(y, 0.0)):
        return apply(op, (x, y))  # an infinite number is a beginning, as in the greatest of nothing
    return shared(op, x, y)


def _number(x: Tensor, otherwise: float) -> float:
    value = arrays.get_static_value(x) if x.sizes == () else None
    return otherwise if value is None else float(value)


@rule("clamp")
def clamp(low: Tensor, x: Tensor, high: Tensor, **params: Hashable) -> Any:
    """On a bound there is no derivative."""
    return bounded(low, x, high)


@rule("pow")
def power(x: Tensor, y: Tensor, **params: Hashable) -> Any:
    """A power; whole exponents may be of integers."""
    return apply(E.POWER, (x, y if y.nptype == x.nptype else cast(y, x.nptype)))


@rule("integer_pow")
def integer_power(x: Tensor, *, y: int, **params: Hashable) -> Any:
    """A whole power."""
    return apply(E.INTEGER_POWER, (x,), {"n": int(y)})


@rule("polygamma")
def polygamma(n: Tensor, x: Tensor, **params: Hashable) -> Any:
    """The derivative of digamma, of a known order."""
    return maths.polygamma(n, x)


@rule("select_n")
def select(which: Tensor, *cases: Tensor, **params: Hashable) -> Any:
    """The case that is chosen, element by element."""
    chosen = static_value(which)
    if isinstance(chosen, int):
        return cases[chosen]
    if which.nptype.kind == "b":
        return arrays.where(which, cases[1], cases[0]) if len(cases) == 2 else cases[0]
    found: Any = cases[-1]
    for k in range(len(cases) - 2, -1, -1):
        found = arrays.where(apply(E.EQUAL, (which, convert(np.asarray(k, which.nptype)))), cases[k], found)
    return found


@rule("convert_element_type")
def converted(x: Tensor, *, new_dtype: Dtype, **params: Hashable) -> Any:
    """A cast."""
    if np.dtype(new_dtype).name == "bfloat16":
        raise UnimplementedError("wengert.jax: NumPy has no bfloat16.")
    if np.dtype(new_dtype).kind == "b":
        return apply(E.NOT_EQUAL, (x, convert(np.zeros((), x.nptype))))
    return cast(x, np.dtype(new_dtype))


def _bits(truths: Op, bits: Op) -> Rule:
    def applied(*inputs: Tensor, **params: Hashable) -> Any:
        return apply(truths if inputs[0].nptype.kind == "b" else bits, inputs)

    return applied


rule("and")(_bits(E.LOGICAL_AND, E.BITWISE_AND))
rule("or")(_bits(E.LOGICAL_OR, E.BITWISE_OR))
rule("xor")(_bits(E.LOGICAL_XOR, E.BITWISE_XOR))
rule("not")(_bits(E.LOGICAL_NOT, E.INVERT))
rule("shift_right_arithmetic")(direct(E.RIGHT_SHIFT))


# --- shapes -------------------------------------------------------------------------------------------------------


@rule("broadcast_in_dim")
def broadcast(x: Tensor, *more: Tensor, shape: Sizes, broadcast_dimensions: Sequence[int], **params: Hashable) -> Any:
    """Axes of the input stand at some axes of the result."""
    own = dict(zip([int(d) for d in broadcast_dimensions], sizes_of(x), strict=True))
    laid = tuple([own.get(k, 1) for k in range(len(shape))])
    if laid != sizes_of(x):
        x = arrays.reshape(x, laid)
    return x if laid == tuple(shape) else arrays.broadcast_to(x, tuple(shape))


@rule("reshape")
def reshape(x: Tensor, *more: Tensor, new_sizes: Sizes, dimensions: Sequence[int] | None = None, **params: Hashable) -> Any:
    """The same elements in another shape."""
    x = x if dimensions is None else transpose(x, permutation=dimensions)
    return arrays.reshape(x, tuple(new_sizes))


@rule("transpose")
def transpose(x: Tensor, *, permutation: Sequence[int], **params: Hashable) -> Any:
    """Axes in another order; two after each other are one."""
    order = [int(k) for k in permutation]
    node = getattr(x, "node", None)
    if node is not None and node.op is linear.TRANSPOSE and node.attrs["axes"] is not None:
        order = [node.attrs["axes"][k] for k in order]
        x = node.inputs[0]
    return x if order == sorted(order) else arrays.transpose(x, order)


@rule("squeeze")
def squeeze(x: Tensor, *, dimensions: Sequence[int], **params: Hashable) -> Any:
    """Axes of one element go."""
    sizes = sizes_of(x)
    gone = {int(d) % len(sizes) for d in dimensions}
    return arrays.reshape(x, tuple([s for k, s in enumerate(sizes) if k not in gone]))


@rule("expand_dims")
def expand(x: Tensor, *, dimensions: Sequence[int], **params: Hashable) -> Any:
    """Axes of one element come."""
    sizes = list(sizes_of(x))
    for d in sorted(int(d) for d in dimensions):
        sizes.insert(d, 1)
    return arrays.reshape(x, tuple(sizes))


@rule("concatenate")
def concatenate(*xs: Tensor, dimension: int, **params: Hashable) -> Any:
    """One after the other."""
    return arrays.concat(xs, int(dimension))


@rule("stack")
def stack(*xs: Tensor, axis: int, **params: Hashable) -> Any:
    """Side by side along a new axis."""
    return arrays.stack(xs, int(axis))


@rule("unstack")
def unstack(x: Tensor, *, axis: int, **params: Hashable) -> Any:
    """What lies side by side along an axis."""
    return list(arrays.unstack(x, axis=int(axis)))


@rule("tile")
def tile(x: Tensor, *, reps: Sizes, **params: Hashable) -> Any:
    """Repeated along each axis."""
    sizes = sizes_of(x)
    lead = (1,) * (len(reps) - len(sizes))
    return arrays.tile(arrays.reshape(x, (*lead, *sizes)) if lead else x, [int(r) for r in reps])


@rule("split")
def split(x: Tensor, *, sizes: Sequence[int], axis: int, **params: Hashable) -> Any:
    """Parts of given sizes."""
    return list(arrays.split(x, [int(s) for s in sizes], int(axis)))


@rule("rev")
def reverse(x: Tensor, *, dimensions: Sequence[int], **params: Hashable) -> Any:
    """Some axes backwards."""
    return arrays.reverse(x, [int(d) for d in dimensions])


@rule("slice")
def strided(x: Tensor, *, start_indices: Sizes, limit_indices: Sizes, strides: Sizes | None, **params: Hashable) -> Any:
    """A slice of known bounds."""
    steps = strides or (1,) * len(start_indices)
    return x[tuple([slice(int(a), int(b), int(s)) for a, b, s in zip(start_indices, limit_indices, steps, strict=True)])]


@rule("pad")
def pad(x: Tensor, value: Tensor, *, padding_config: Sequence[tuple[int, int, int]], **params: Hashable) -> Any:
    """Before, after and between the elements; fewer than none is a cut."""
    for axis, (_, _, between) in enumerate(padding_config):
        if between:
            sizes = sizes_of(x)
            wide = arrays.expand_dims(x, axis + 1)
            gap = [(0, 0)] * (len(sizes) + 1)
            gap[axis + 1] = (0, int(between))
            wide = arrays.pad(wide, gap, constant_values=value)
            count = sizes[axis] * (between + 1)
            x = arrays.reshape(wide, (*sizes[:axis], count, *sizes[axis + 1 :]))
            kept = [slice(None)] * len(sizes)
            kept[axis] = slice(0, max(0, count - between))
            x = x[tuple(kept)]
    edges = [(max(0, int(low)), max(0, int(high))) for low, high, _ in padding_config]
    if any(low or high for low, high in edges):
        x = arrays.pad(x, edges, constant_values=value)
    sizes = sizes_of(x)
    cut = [(max(0, -int(low)), size - max(0, -int(high))) for (low, high, _), size in zip(padding_config, sizes, strict=True)]
    return x if cut == [(0, s) for s in sizes] else x[tuple([slice(a, b) for a, b in cut])]


@rule("iota")
def iota(*, dtype: Dtype, shape: Sizes, dimension: int, **params: Hashable) -> Any:
    """The number of each element along an axis."""
    line = np.arange(shape[dimension]).astype(np.dtype(dtype))
    laid = line.reshape([-1 if k == dimension else 1 for k in range(len(shape))])
    return convert(np.array(np.broadcast_to(laid, shape)))


@rule("optimization_barrier")
def barrier(*xs: Tensor, **params: Hashable) -> Any:
    """Values as they are."""
    return list(xs)


# --- products and sums --------------------------------------------------------------------------------------------


DotNumbers = tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]
"""The axes that are summed over, of both operands, and those of stacks."""


@rule("dot_general")
def dot(
    a: Tensor, b: Tensor, *, dimension_numbers: DotNumbers, preferred_element_type: Dtype | None = None, **params: Hashable
) -> Any:
    """The sum over shared axes, stacks first, then what is left of a and of b."""
    if preferred_element_type is not None and np.dtype(preferred_element_type) != a.nptype:
        a, b = cast(a, np.dtype(preferred_element_type)), cast(b, np.dtype(preferred_element_type))
    (over_a, over_b), (stack_a, stack_b) = [tuple(tuple(int(k) for k in axes) for axes in pair) for pair in dimension_numbers]
    rank_a, rank_b = len(sizes_of(a)), len(sizes_of(b))
    if not stack_a and len(over_a) == 1 and rank_b == 2 and rank_a >= 2:
        if over_a[0] == rank_a - 1:
            return maths.matmul(a, b, transpose_b=over_b[0] == 1)
        if rank_a == 2 and over_b[0] == 1 and over_a[0] == 1:
            return maths.matmul(a, b, transpose_b=True)
        if rank_a == 2:
            return maths.matmul(a, b, transpose_a=True, transpose_b=over_b[0] == 1)
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    of_a: list[str] = [""] * rank_a
    of_b: list[str] = [""] * rank_b
    for i, j in zip((*stack_a, *over_a), (*stack_b, *over_b), strict=True):
        of_a[i] = of_b[j] = next(letters)
    stacked = "".join(of_a[i] for i in stack_a)
    free = ""
    for labels in (of_a, of_b):
        for k, label in enumerate(labels):
            if not label:
                labels[k] = next(letters)
                free += labels[k]
    return maths.einsum(f"{''.join(of_a)},{''.join(of_b)}->{stacked}{free}", a, b)


def _reduced(function: Callable[..., Any]) -> Rule:
    def applied(x: Tensor, *, axes: Sequence[int], **params: Hashable) -> Any:
        return function(x, axis=[int(k) for k in axes]) if axes else x

    return applied


for _name, _function in {
    "reduce_sum": maths.reduce_sum, "reduce_max": maths.reduce_max, "reduce_min": maths.reduce_min,
    "reduce_prod": maths.reduce_prod, "reduce_and": maths.reduce_all, "reduce_or": maths.reduce_any,
}.items():  # fmt: skip
    rule(_name)(_reduced(_function))


MOST_TURNS = 4096
"""Elements that a function of the user's folds into one."""


@rule("reduce")
def folded(*inputs: Tensor, jaxpr: Closed, dimensions: Sequence[int], **params: Hashable) -> Any:
    """Several arrays at once, element after element, by a function of two elements of each, which works on arrays as well."""
    half = len(inputs) // 2
    sizes, axes = sizes_of(inputs[0]), [int(d) for d in dimensions]
    rest = [k for k in range(len(sizes)) if k not in axes]
    left, count = [sizes[k] for k in rest], int(np.prod([sizes[k] for k in axes]))
    if count > MOST_TURNS:
        raise UnimplementedError(f"wengert.jax: reduce by a function of one's own, of {count} elements, is not there.")
    rows = [arrays.reshape(transpose(x, permutation=[*axes, *rest]), [count, *left]) for x in inputs[:half]]
    total = [arrays.broadcast_to(x, left) for x in inputs[half:]]
    for k in range(count):
        total = read_closed(jaxpr, [*total, *[x[k] for x in rows]], RULES)
    return total


def _placed(function: Callable[..., Any]) -> Rule:
    def applied(x: Tensor, *, axes: Sequence[int], index_dtype: Dtype, **params: Hashable) -> Any:
        return cast(function(x, axis=int(axes[0])), np.dtype(index_dtype))

    return applied


rule("argmax")(_placed(maths.argmax))
rule("argmin")(_placed(maths.argmin))


@rule("cumsum")
def cumsum(x: Tensor, *, axis: int, reverse: bool, **params: Hashable) -> Any:
    """Sums from the start, or to the end."""
    return maths.cumsum(x, axis=int(axis), reverse=bool(reverse))


@rule("cumprod")
def cumprod(x: Tensor, *, axis: int, reverse: bool, **params: Hashable) -> Any:
    """Products from the start, or to the end."""
    return maths.cumprod(x, axis=int(axis), reverse=bool(reverse))


@rule("cumlogsumexp")
def cumlogsumexp(x: Tensor, *, axis: int, reverse: bool, **params: Hashable) -> Any:
    """Logarithms of sums of exponentials."""
    return maths.cumulative_logsumexp(x, axis=int(axis), reverse=bool(reverse))


def _extreme_so_far(sign: float) -> Rule:
    def applied(x: Tensor, *, axis: int, reverse: bool, **params: Hashable) -> Any:
        y = arrays.reverse(x, [int(axis)]) if reverse else x
        key = y if sign > 0 else -y
        best = apply(linear.STOP_GRADIENT, (_cummax(key, int(axis)),))
        sizes = sizes_of(y)
        here = iota(dtype=np.dtype(np.int32), shape=sizes, dimension=int(axis))
        reached = arrays.where(apply(E.EQUAL, (key, best)), here, convert(np.zeros((), np.int32)))
        at = _cummax(reached, int(axis))
        found = apply(linear.TAKE_ALONG_AXIS, (y, at), {"axis": int(axis)})
        return arrays.reverse(found, [int(axis)]) if reverse else found

    return applied


def _cummax(x: Tensor, axis: int) -> Any:
    return apply(reduction.CUMMAX, (x,), {"axis": axis, "reverse": False})


rule("cummax")(_extreme_so_far(1.0))
rule("cummin")(_extreme_so_far(-1.0))


@rule("sort")
def sort(*xs: Tensor, dimension: int, num_keys: int, **params: Hashable) -> Any:
    """By the first operands, of equals by the next; the others go with them."""
    axis = int(dimension)

    def placed(x: Tensor, order: Tensor | None) -> Any:
        return x if order is None else apply(linear.TAKE_ALONG_AXIS, (x, order), {"axis": axis})

    order: Any = None
    for key in reversed(xs[: int(num_keys)]):
        now = arrays.argsort(placed(key, order), axis=axis, stable=True)
        order = now if order is None else placed(order, now)
    return [placed(x, order) for x in xs]


@rule("top_k")
def top_k(x: Tensor, *, k: int, **params: Hashable) -> Any:
    """The k greatest of the last axis, and where they stand."""
    values, places = maths.top_k(x, int(k))
    return [values, cast(places, np.dtype("int32"))]


# --- choices and loops --------------------------------------------------------------------------------------------


@rule("platform_index")
def platform(*, platforms: Sequence[Any], **params: Hashable) -> Any:
    """Which of several forms of a function is for this machine."""
    own = importlib.import_module("jax").default_backend()
    known = [k for k, names in enumerate(platforms) if names is None or own in names]
    return convert(np.int32(known[0]))


@rule("cond")
def choice(index: Tensor, *inputs: Tensor, branches: Sequence[Any], **params: Hashable) -> Any:
    """The branch of a number, which is pushed inside."""
    if index.nptype.kind == "b":
        index = cast(index, np.dtype("int32"))
    taken = arrays.get_static_value(index)
    if taken is not None:
        return read_closed(branches[min(max(int(taken), 0), len(branches) - 1)], inputs, RULES)

    def from_(k: int) -> list[Any]:
        if k == len(branches) - 1:
            return read_closed(branches[k], inputs, RULES)
        here = apply(E.LESS_EQUAL, (index, convert(np.asarray(k, index.nptype))))
        return list(cond(here, lambda: read_closed(branches[k], inputs, RULES), lambda: from_(k + 1)))

    return from_(0)


@rule("scan")
def scan(*inputs: Tensor, jaxpr: Closed, length: int, reverse: bool, num_consts: int, num_carry: int, **params: Hashable) -> Any:
    """A loop over rows."""
    held, start, rows = inputs[:num_consts], inputs[num_consts : num_consts + num_carry], inputs[num_consts + num_carry :]
    bare = not rows
    if bare:
        rows = (convert(np.arange(length, dtype=np.int32)),)

    def body(*values: Tensor) -> Any:
        carry, slices = values[:num_carry], values[num_carry:]
        found = read_closed(jaxpr, [*held, *carry, *([] if bare else slices)], RULES)
        return found[:num_carry], found[num_carry:]

    return graph_loop(None, body, start, sequences=rows, reverse=bool(reverse), rows=True)


@rule("while")
def loop(
    *inputs: Tensor, cond_jaxpr: Closed, body_jaxpr: Closed, cond_nconsts: int, body_nconsts: int, **params: Hashable
) -> Any:
    """A loop until a test fails."""
    of_test, of_body = inputs[:cond_nconsts], inputs[cond_nconsts : cond_nconsts + body_nconsts]

    def test(*carry: Tensor) -> Any:
        return read_closed(cond_jaxpr, [*of_test, *carry], RULES)[0]

    def body(*carry: Tensor) -> Any:
        return read_closed(body_jaxpr, [*of_body, *carry], RULES)

    return graph_loop(test, body, inputs[cond_nconsts + body_nconsts :])
