"""Stand-in until the real one is here."""
from __future__ import annotations
from typing import Any
import numpy as np
from wengert import dtypes, shapes
from wengert.graph import static_value
from wengert.op import table
from wengert.ops import signature
from wengert.tensor import Tensor, apply, cast, coerce, convert, power, tensors as xp

__all__ = []
def _public(f, name=None):
    globals()[name or f.__name__] = f
    __all__.append(name or f.__name__)
    return f
def _unary(name, opname=None):
    op = table[opname or name]
    def f(x, name=None):
        t = x._as_tensor() if hasattr(x, "_as_tensor") else convert(x)
        if t.nptype.kind not in op.kinds:
            signature.check(op.type, t, op.kinds)
        return apply(op, (t,), {}, name)
    _public(f, name)
for _n in ("negative square sqrt rsqrt reciprocal exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sigmoid softplus log_sigmoid sign abs floor ceil round erf erfc erfinv ndtri lgamma digamma conj real imag angle is_nan is_inf is_finite logical_not").split():
    _unary(_n)
_unary("rint", "round")
def _binary(name, opname=None):
    op = table[opname or name]
    def f(x, y, name=None):
        return apply(op, coerce(op, x, y), {}, name)
    _public(f, name)
for _n in "add subtract multiply maximum minimum atan2 equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor squared_difference xlogy divide_no_nan".split():
    _binary(_n)
_binary("floordiv", "floor_divide"); _binary("mod", "remainder"); _binary("floormod", "remainder")
@_public
def divide(x, y, name=None):
    return convert(x) / y
truediv = _public(divide, "truediv")
@_public
def pow(x, y, name=None):
    return power(convert(x), y)
def _axes(axis):
    if axis is None: return None
    if isinstance(axis, Tensor):
        axis = static_value(axis)
    return tuple(int(a) for a in axis) if isinstance(axis, (list, tuple, np.ndarray)) else (int(axis),)
def _reduce(name, opname):
    op = table[opname]
    def f(input_tensor, axis=None, keepdims=False, name=None):
        t = input_tensor._as_tensor() if hasattr(input_tensor, "_as_tensor") else convert(input_tensor)
        return apply(op, (t,), {"axis": _axes(axis), "keepdims": bool(keepdims)}, name)
    _public(f, name)
for _n in "sum mean max min any all".split():
    _reduce("reduce_" + _n, _n)
@_public
def reduce_prod(input_tensor, axis=None, keepdims=False, name=None):
    t = convert(input_tensor)
    if axis is None:
        t = xp.reshape(t, shape=(-1,)); axis = 0
    return apply(table["prod"], (t,), {"axis": (axis,), "keepdims": keepdims}, name)
@_public
def reduce_logsumexp(input_tensor, axis=None, keepdims=False, name=None):
    t = convert(input_tensor)
    m = xp.stop_gradient(reduce_max(t, axis, True))
    s = log(reduce_sum(exp(t - m), axis, keepdims))
    return s + (m if keepdims else xp.reshape_like(m, s))
@_public
def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    t = convert(input_tensor)
    return reduce_mean(square(t - reduce_mean(t, axis, True)), axis, keepdims)
@_public
def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    return sqrt(reduce_variance(input_tensor, axis, keepdims))
@_public
def matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, a_is_sparse=False, b_is_sparse=False, output_type=None, name=None):
    op = table["matmul"]
    return apply(op, coerce(op, a, b), {"ta": transpose_a, "tb": transpose_b} if transpose_a or transpose_b else {}, name)
@_public
def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    return apply(table["cumsum"], (convert(x),), {"axis": axis, "exclusive": exclusive, "reverse": reverse}, name)
@_public
def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    return apply(table["cumprod"], (convert(x),), {"axis": axis, "exclusive": exclusive, "reverse": reverse}, name)
@_public
def add_n(inputs, name=None):
    t = inputs[0]
    for u in inputs[1:]: t = t + u
    return t
@_public
def argmax(input, axis=None, output_type=dtypes.int64, name=None):
    return apply(table["argmax"], (convert(input),), {"axis": axis or 0, "dtype": output_type.name}, name)
@_public
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    t = convert(t)
    return apply(table["clip"], (t, convert(clip_value_min, like=t), convert(clip_value_max, like=t)), {}, name)
@_public
def complex(real, imag, name=None):
    return apply(table["complex"], coerce(table["complex"], real, imag), {}, name)
