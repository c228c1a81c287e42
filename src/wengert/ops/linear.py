"""Linear operations that move values: shapes, slices, joins, gathers, scatters; and the constants they start from.

A reference input (a tensor of which only the shape is read) and an index have no derivative; `Op.constant_inputs`
names them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.graph.static import static_value
from wengert.ground import dtypes, shapes
from wengert.ground.errors import InvalidArgumentError, ResourceExhaustedError, ShapeError
from wengert.ground.shapes import Shape
from wengert.ground.types import Array, Attrs, Described, Namespace, NumPyArray
from wengert.ops import layout, rows, signature, slopes, static
from wengert.ops.derivative import Constant, Implicit, Linear, Piecewise
from wengert.ops.op import Op
from wengert.ops.signature import ShapeRule, first, like
from wengert.ops.slopes import FINITE, Columns

__all__ = ["GETITEM", "MOST_ELEMENTS", "RESHAPE", "as_sizes", "full_index", "index_along", "range_count"]

INT32 = dtypes.int32.numpy
MOST_ELEMENTS = 2**40
"""A tensor of more is refused before memory is asked for."""


# --- sources and copies -------------------------------------------------------------------------------------------

CONSTANT = Op(
    "constant", Constant(), lambda xp, *, value: value, lambda inputs, attrs: (attrs["value"].shape, attrs["value"].dtype),
    type="Const", aliases=True, rows=None, static=static.constant,
)
PLACEHOLDER = Op(
    "placeholder", Constant(), lambda xp, *, dtype, shape: _unfed(), lambda inputs, attrs: (attrs["shape"], attrs["dtype"]),
    type="Placeholder", rows=None, no_digits="has no value of its own",
)


def _unfed() -> Any:
    raise InvalidArgumentError("a placeholder has no value until it is fed")


IDENTITY = Op(
    "identity", Linear(transpose=lambda xp, g, i, inputs, output, attrs: g), lambda xp, x: x, first, aliases=True,
    rows=rows.elementwise, bounds=slopes.hull, columns=Columns.SAME, layout=layout.SAME, static=static.same,
)
STOP_GRADIENT = Op("stop_gradient", Constant(), lambda xp, x: x, first, aliases=True, rows=rows.elementwise, layout=layout.SAME)
CAST = Op(
    "cast", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.cast(g, dtype=inputs[0].dtype.name)
    if inputs[0].dtype.kind in "fc" and output.dtype.kind in "fc" else None,
    ),
    lambda xp, x, *, dtype: xp.astype(x, dtype), lambda inputs, attrs: (inputs[0].sizes, dtypes.as_dtype(attrs["dtype"]).numpy),
    kinds="biufc", told=True, rows=rows.elementwise, bounds=slopes.hull, columns=Columns.SAME, static=static.same,
)


def _bitcast(xp: Namespace, x: Array, *, dtype: str) -> Any:
    old, new = x.dtype.itemsize, dtypes.as_dtype(dtype).itemsize
    if old == new:
        return xp.array(x).view(dtype)
    if old > new:
        return xp.array(xp.reshape(x, (*x.shape, 1))).view(dtype)
    return xp.reshape(xp.array(x).view(dtype), x.shape[:-1])


def _bitcast_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, nptype = inputs[0].sizes, dtypes.as_dtype(attrs["dtype"]).numpy
    old, new = inputs[0].nptype.itemsize, nptype.itemsize
    if sizes is None or old == new:
        return sizes, nptype
    if old > new:
        return (*sizes, old // new), nptype
    if not sizes or sizes[-1] not in (new // old, None):
        raise ShapeError(f"Cannot bitcast to {nptype.name}: the last axis of shape {shapes.text(sizes)} is not {new // old}.")
    return sizes[:-1], nptype


BITCAST = Op(
    "bitcast", Constant(), _bitcast, _bitcast_infer, rows=None, gives="bits",
    no_digits="reads the bits of a number of a certain width",
)


def _shaped(xp: Namespace, g: Array, y: Array) -> Any:
    if g.shape != y.shape:
        raise ShapeError(f"grad_ys of shape {shapes.text(g.shape)} does not fit y of shape {shapes.text(y.shape)}.")
    return g


def _shaped_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    return shapes.merge(inputs[0].sizes, inputs[1].sizes), inputs[0].nptype


SHAPED = Op(
    "shaped", Linear(transpose=lambda xp, g, i, inputs, output, attrs: g, constant_inputs=(1,)), _shaped,
    ShapeRule(_shaped_infer, lambda inputs: inputs[1].root), type="EnsureShape", aliases=True, rows=rows.elementwise,
    bounds=slopes.hull, columns=Columns.SAME, layout=layout.SAME, references=(1,),
)
"""A tensor that must have the shape of another: what a cotangent is to its y."""
ZEROS_LIKE = Op(
    "zeros_like", Constant(constant_inputs=(0,)), lambda xp, x: xp.zeros(x.shape, x.dtype), like(0), label="zeros_like",
    rows=rows.kept, bounds=(0.0, 0.0), layout=layout.ZEROS, gives="shape",
)
ONES_LIKE = Op(
    "ones_like", Constant(constant_inputs=(0,)), lambda xp, x: xp.ones(x.shape, x.dtype), like(0), label="ones_like",
    rows=rows.kept, bounds=(1.0, 1.0), layout=layout.ONES, gives="shape",
)
SHAPE = Op(
    "shape", Constant(), lambda xp, x, *, dtype: xp.asarray(x.shape, dtype=dtype),
    lambda inputs, attrs: ((None if inputs[0].sizes is None else len(inputs[0].sizes),), dtypes.as_dtype(attrs["dtype"]).numpy),
    rows=None, references=(0,), gives="shape", static=static.shape,
)
SIZE = Op(
    "size", Constant(), lambda xp, x, *, dtype: xp.asarray(math.prod(x.shape), dtype=dtype),
    lambda inputs, attrs: ((), dtypes.as_dtype(attrs["dtype"]).numpy), rows=None, references=(0,), gives="shape",
)


def sizes_from(inputs: Sequence[Any], position: int, shape: Sequence[int]) -> Any:
    """Return the static shape that a shape attribute, or a shape tensor at a position, tells; -1 becomes None."""
    if shape is not None:
        return tuple(None if s < 0 else s for s in shape)
    known = static_value(inputs[position])
    if known is None:
        length = inputs[position].sizes
        return None if length is None or len(length) != 1 or length[0] is None else (None,) * length[0]
    return tuple(None if s is None or s < 0 else s for s in known)


def as_sizes(tensor: Any, wild: bool = False) -> tuple[int, ...]:
    """Return the sizes in a shape tensor, which are no longer seen by a shape rule."""
    sizes, total = tuple(int(s) for s in tensor), 1
    for s in sizes:
        if s < (-1 if wild else 0):
            raise ShapeError(f"A shape holds no negative sizes: {list(sizes)}.")
        total *= s
    if total > MOST_ELEMENTS:
        raise ResourceExhaustedError(f"A tensor of shape {list(sizes)} is beyond any memory.")
    return sizes


FILL = Op(
    "fill", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.sum_like(g, inputs[0]), constant_inputs=(1,)),
    lambda xp, x, dims=None, *, shape: xp.broadcast_to(x, as_sizes(dims) if shape is None else shape),
    lambda inputs, attrs: (sizes_from(inputs, 1, attrs["shape"]), inputs[0].nptype), aliases=True, rows=None,
    bounds=slopes.hull, layout=layout.SPREAD,
)


def _range_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    known = [static_value(t) for t in inputs]
    if all(isinstance(k, int) for k in known) and known[2]:
        return (max(0, -(-(known[1] - known[0]) // known[2])),), inputs[0].nptype
    return (None,), inputs[0].nptype


def range_count(start: Any, limit: Any, delta: Any) -> int:
    """Return how many numbers a range holds: ⌈|(limit - start) / delta|⌉, computed in the dtype as TensorFlow does.

    Raises:
        InvalidArgumentError: for a zero delta, and one that leads away from the limit.
    """
    quotient = (limit - start) / delta if start.dtype.kind == "f" and delta else None
    start, limit, delta = start.item(), limit.item(), delta.item()
    if delta == 0:
        raise InvalidArgumentError("Requires delta != 0: 0")
    if (start > limit) if delta > 0 else (start < limit):
        sign, relation = (">", "<=") if delta > 0 else ("<", ">=")
        raise InvalidArgumentError(f"Requires start {relation} limit when delta {sign} 0: {start}/{limit}")
    count = -((start - limit) // delta) if quotient is None else abs(quotient.item())
    if not abs(count) <= MOST_ELEMENTS:
        raise ResourceExhaustedError(f"A range from {start} to {limit} by {delta} is beyond any memory.")
    whole: int = math.ceil(count)
    return whole


def _range(xp: Namespace, start: Array, limit: Any, delta: Any) -> Any:
    # Not arange(start, limit, delta) alone: for floats its length may be one more than TensorFlow's.
    n = range_count(start, limit, delta)
    return xp.astype(start + delta * xp.arange(n, dtype=start.dtype), start.dtype)


def _place(xp: Namespace, inputs: Sequence[Array], output: Array) -> Any:
    """Return k for each number start + k delta of a range."""
    return xp.round((output - inputs[0]) / inputs[2])


# The limit decides how many numbers there are, and nothing else.
RANGE = Op(
    "range", Implicit(
        tangent=lambda xp, t, inputs, output, attrs: (
        0.0 * output if t[0] is None else xp.broadcast_like(t[0], output)
    ) + (0.0 if t[2] is None else t[2] * _place(xp, inputs, output)),
        transpose=lambda xp, g, i, inputs, output, attrs: xp.sum(
        g if i == 0 else g * _place(xp, inputs, output), axis=None, keepdims=False),
        constant_inputs=(1,), linear_inputs=(0, 2), slope=FINITE,
    ),
    _range, _range_infer, label="range", rows=None, static=static.numbers,
)
LINSPACE = Op(
    "linspace", Linear(transpose=lambda xp, g, i, inputs, output, attrs: _linspace_transpose(xp, g, i, inputs, attrs)),
    lambda xp, start, stop, *, num, axis: xp.linspace(start, stop, num, axis=axis, dtype=start.dtype),
    lambda inputs, attrs: (_linspace_sizes(inputs[0].sizes, attrs["num"], attrs["axis"]), inputs[0].nptype), type="LinSpace",
    rows=rows.linspace,
)


def _linspace_sizes(sizes: Shape, num: int, axis: int) -> Any:
    if sizes is None:
        return None
    axis = axis % (len(sizes) + 1)
    return (*sizes[:axis], num, *sizes[axis:])


def _linspace_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], attrs: Attrs) -> Any:
    # Row j is (1 - t_j) start + t_j stop, and t goes from zero to one.
    t = xp.linspace(xp.zeros_like(inputs[0]), xp.ones_like(inputs[1]), **attrs)
    return xp.sum(g * (t if i == 1 else 1.0 - t), axis=(attrs["axis"],), keepdims=False)


# --- broadcasting -------------------------------------------------------------------------------------------------


def _sum_like(xp: Namespace, g: Array, x: Array) -> Any:
    return _sum_to(xp, g, x.shape)


def _sum_to(xp: Any, g: Any, shape: Any) -> Any:
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i in range(len(shape)) if shape[i] == 1 and g.shape[i + extra] != 1)
    return xp.reshape(xp.sum(g, axis=axes, dtype=g.dtype), shape) if axes else xp.reshape(g, shape)


SUM_LIKE = Op(
    "sum_like", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.broadcast_like(g, inputs[0]), constant_inputs=(1,)),
    _sum_like, like(1), type="Sum", aliases=True, rows=rows.sum_to, columns=Columns.PLACED, layout=layout.SUMMED_TO,
)
SUM_TO = Op(
    "sum_to", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.broadcast_like(g, inputs[0])),
    lambda xp, g, *, shape: _sum_to(xp, g, shape), lambda inputs, attrs: (attrs["shape"], inputs[0].nptype), type="Sum",
    aliases=True, rows=rows.sum_to, layout=layout.SUMMED_TO,
)
BROADCAST_LIKE = Op(
    "broadcast_like", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.sum_like(g, inputs[0]), constant_inputs=(1,)),
    lambda xp, x, y: xp.broadcast_to(x, y.shape), like(1), type="BroadcastTo", aliases=True, rows=rows.broadcast,
    bounds=slopes.hull, columns=Columns.PLACED, layout=layout.SPREAD,
)


def _broadcast_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = sizes_from(inputs, 1, attrs["shape"])
    if sizes is not None and inputs[0].sizes is not None:
        mixed = shapes.broadcast(inputs[0].sizes, sizes)
        if not shapes.fits(mixed, sizes):
            raise ShapeError(f"Incompatible shapes: {shapes.text(inputs[0].sizes)} cannot be broadcast to {shapes.text(sizes)}.")
    return sizes, inputs[0].nptype


BROADCAST_TO = Op(
    "broadcast_to", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.sum_like(g, inputs[0]), constant_inputs=(1,)),
    lambda xp, x, dims=None, *, shape: xp.broadcast_to(x, as_sizes(dims) if shape is None else shape), _broadcast_infer,
    aliases=True, rows=rows.broadcast, bounds=slopes.hull, layout=layout.SPREAD,
)

# --- shape --------------------------------------------------------------------------------------------------------


def _reshape_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = sizes_from(inputs, 1, attrs["shape"])
    total = shapes.count(inputs[0].sizes)
    if sizes is None:
        return None, inputs[0].nptype
    unknown = [i for i, s in enumerate(sizes) if s is None]
    wild = attrs["shape"] is None or sum(s == -1 for s in attrs["shape"]) <= 1
    if not wild:
        raise ShapeError(f"Only one size of {attrs['shape']} can be -1.")
    known = math.prod(s for s in sizes if s is not None)
    if total is not None:
        if len(unknown) == 1 and known and total % known == 0:
            sizes = tuple(total // known if s is None else s for s in sizes)
        elif attrs["shape"] is None and not known and not total:
            pass  # a size that a tensor tells is any
        elif (not unknown and known != total) or (len(unknown) == 1 and (known == 0 or total % known)):
            raise ShapeError(
                f"Cannot reshape a tensor with {total} elements, shape {shapes.text(inputs[0].sizes)}, "
                f"to shape {shapes.text(sizes)}."
            )
    return sizes, inputs[0].nptype


RESHAPE = Op(
    "reshape", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.reshape_like(g, inputs[0]), constant_inputs=(1,)),
    lambda xp, x, dims=None, *, shape: xp.reshape(x, as_sizes(dims, wild=True) if shape is None else shape), _reshape_infer,
    aliases=True, rows=rows.reshape, bounds=slopes.hull, layout=layout.SAME,
)
RESHAPE_LIKE = Op(
    "reshape_like", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.reshape_like(g, inputs[0]), constant_inputs=(1,),
    ),
    lambda xp, x, y: xp.reshape(x, y.shape), like(1), type="Reshape", aliases=True, rows=rows.reshape, layout=layout.SAME,
)


def _transpose_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, axes = inputs[0].sizes, attrs["axes"]
    if sizes is None:
        return (None if axes is None else (None,) * len(axes)), inputs[0].nptype
    if axes is None:
        return sizes[::-1], inputs[0].nptype
    if sorted(a % max(len(sizes), 1) for a in axes) != list(range(len(sizes))):
        raise ShapeError(f"perm {list(axes)} does not name each axis of shape {shapes.text(sizes)} once.")
    return tuple(sizes[a] for a in axes), inputs[0].nptype


def _inverse_permutation(axes: Sequence[int]) -> Any:
    if axes is None:
        return None
    inverse = [0] * len(axes)
    for i, a in enumerate(axes):
        inverse[a] = i
    return tuple(inverse)


TRANSPOSE = Op(
    "transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.transpose(g, axes=_inverse_permutation(attrs["axes"])),
    ),
    lambda xp, x, *, axes: xp.transpose(x, axes), _transpose_infer, aliases=True, label="transpose", rows=rows.transpose,
    bounds=slopes.hull, columns=Columns.PLACED, layout=layout.VIEW,
)


def _transpose_by_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, order = inputs[0].sizes, inputs[1].sizes
    if order is not None and len(order) != 1:
        raise ShapeError(f"perm is a vector, not of shape {shapes.text(order)}.")
    rank = order[0] if sizes is None and order is not None else None if sizes is None else len(sizes)
    if sizes is not None and order is not None and order[0] not in (rank, None):
        raise ShapeError(f"perm names {order[0]} axes, and the tensor has {rank}.")
    return (None if rank is None else (None,) * rank), inputs[0].nptype


def _transpose_by(xp: Namespace, x: Array, perm: Any, *, back: bool) -> Any:
    axes = tuple(int(a) % max(x.ndim, 1) for a in perm)
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(f"perm {[int(a) for a in perm]} does not name each axis of shape {shapes.text(x.shape)} once.")
    return xp.transpose(x, _inverse_permutation(axes) if back else axes)


TRANSPOSE_BY = Op(
    "transpose_by", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.transpose_by(g, inputs[1], back=not attrs["back"]),
        constant_inputs=(1,),
    ),
    _transpose_by, _transpose_by_infer, aliases=True, type="Transpose", label="transpose", rows=None,
)
"""The transpose by a permutation that is computed, or by its inverse (``back``)."""
MATRIX_TRANSPOSE = Op(
    "matrix_transpose", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.matrix_transpose(g)),
    lambda xp, x: xp.swapaxes(x, -1, -2), lambda inputs, attrs: (_swapped(inputs[0].sizes), inputs[0].nptype), aliases=True,
    type="Transpose", label="transpose", rows=rows.matrix_transpose, bounds=slopes.hull, columns=Columns.PLACED,
    layout=layout.VIEW,
)


def _swapped(sizes: Shape) -> Any:
    if sizes is None:
        return None
    if len(sizes) < 2:
        raise ShapeError(f"A matrix has at least two axes, not shape {shapes.text(sizes)}.")
    return (*sizes[:-2], sizes[-1], sizes[-2])


def _expand_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = inputs[0].sizes
    if sizes is None:
        return None, inputs[0].nptype
    axis = shapes.axis_of(attrs["axis"], len(sizes) + 1)
    return (*sizes[:axis], 1, *sizes[axis:]), inputs[0].nptype


EXPAND_DIMS = Op(
    "expand_dims", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.reshape_like(g, inputs[0])),
    lambda xp, x, *, axis: xp.expand_dims(x, axis), _expand_infer, aliases=True, rows=rows.expand, bounds=slopes.hull,
    columns=Columns.PLACED, layout=layout.SAME,
)


def _squeeze_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, axes = inputs[0].sizes, attrs["axis"]
    if sizes is None:
        return None, inputs[0].nptype
    if axes is None:
        if None in sizes:
            return None, inputs[0].nptype
        return tuple(s for s in sizes if s != 1), inputs[0].nptype
    over = [shapes.axis_of(a, len(sizes)) for a in axes]
    for a in over:
        if sizes[a] not in (1, None):
            raise ShapeError(f"Cannot squeeze axis {a} of shape {shapes.text(sizes)}: its size is not 1.")
    return tuple(s for i, s in enumerate(sizes) if i not in over), inputs[0].nptype


SQUEEZE = Op(
    "squeeze", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.reshape_like(g, inputs[0])),
    lambda xp, x, *, axis: xp.squeeze(x, axis), _squeeze_infer, aliases=True, rows=rows.squeeze, bounds=slopes.hull,
    columns=Columns.PLACED, layout=layout.SAME,
)


def _tile_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = inputs[0].sizes
    times = attrs["multiples"] if attrs["multiples"] is not None else static_value(inputs[1])
    if sizes is None:
        return (None if times is None else (None,) * len(times)), inputs[0].nptype
    if times is None:
        return (None,) * len(sizes), inputs[0].nptype
    if len(times) != len(sizes):
        raise ShapeError(f"tile needs {len(sizes)} multiples for shape {shapes.text(sizes)}, not {len(times)}.")
    return tuple(None if s is None or t is None else s * t for s, t in zip(sizes, times, strict=True)), inputs[0].nptype


def _tile_transpose(xp: Namespace, g: Array, x: Array, times: Any = None, *, multiples: Any) -> Any:
    times = multiples if multiples is not None else as_sizes(times)
    split: list[int] = []
    for t, s in zip(times, x.shape, strict=True):
        split += [t, s]
    return xp.sum(xp.reshape(g, split), axis=tuple(range(0, 2 * x.ndim, 2)), dtype=g.dtype)


TILE = Op(
    "tile", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.tile_transpose(g, *inputs, **attrs), constant_inputs=(1,),
    ),
    lambda xp, x, times=None, *, multiples: xp.tile(x, multiples if multiples is not None else as_sizes(times)), _tile_infer,
    rows=rows.tile, bounds=slopes.hull, columns=Columns.PLACED,
)
TILE_TRANSPOSE = Op(
    "tile_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.tile(g, *inputs[2:], **attrs), constant_inputs=(1, 2),
    ),
    _tile_transpose, like(1), type="Sum", rows=None,
)


def _pad_sizes(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, paddings = inputs[0].sizes, attrs["paddings"]
    if paddings is None:
        return (None if sizes is None else (None,) * len(sizes)), inputs[0].nptype
    if any(before < 0 or after < 0 for before, after in paddings):
        raise ShapeError(f"paddings must not be negative: {paddings}.")
    if sizes is None:
        return (None,) * len(paddings), inputs[0].nptype
    return _padded(sizes, paddings, attrs["mode"]), inputs[0].nptype


def _padded(sizes: Any, paddings: Any, mode: str) -> tuple[int | None, ...]:
    if len(paddings) != len(sizes):
        raise ShapeError(f"pad needs {len(sizes)} pairs for shape {shapes.text(sizes)}, not {len(paddings)}.")
    padded: list[int | None] = []
    for s, (before, after) in zip(sizes, paddings, strict=True):
        limit = {"reflect": 1, "symmetric": 0}.get(mode)
        if limit is not None and s is not None and max(before, after) > s - limit:
            raise ShapeError(f"paddings {paddings} are too large for mode {mode} and shape {shapes.text(sizes)}.")
        padded.append(None if s is None else s + before + after)
    if math.prod(s or 0 for s in padded) > MOST_ELEMENTS:
        raise ResourceExhaustedError(f"A tensor of shape {padded} is beyond any memory.")
    return tuple(padded)


def _pairs(paddings: Any, pairs: Any) -> Any:
    return tuple(as_sizes(row) for row in pairs[0]) if paddings is None else paddings


def _pad(xp: Namespace, x: Array, *pairs: Any, paddings: Any, mode: str, value: Array) -> Any:
    paddings = _pairs(paddings, pairs)
    _padded(x.shape, paddings, mode)
    if not x.ndim:
        return xp.array(x)
    if mode == "constant":
        return xp.pad(x, paddings, mode="constant", constant_values=value)
    return xp.pad(x, paddings, mode=mode)


def _pad_transpose(xp: Namespace, g: Array, x: Array, *pairs: Any, paddings: Any, mode: str, value: Array) -> Any:
    paddings = _pairs(paddings, pairs)
    if mode == "constant":
        return g[tuple(slice(b, g.shape[i] - a) for i, (b, a) in enumerate(paddings))]
    # Each padded place shows one place of x: add its cotangent there, one axis after another.
    for axis, (before, after) in enumerate(paddings):
        n = x.shape[axis]
        source = xp.pad(xp.arange(n), (before, after), mode=mode)
        shape = list(g.shape)
        shape[axis] = n
        moved = xp.index_add(
            xp.zeros([shape[axis]] + [s for i, s in enumerate(shape) if i != axis], g.dtype), source, xp.moveaxis(g, axis, 0)
        )
        g = xp.moveaxis(moved, 0, axis)
    return g


# Linear with the value 0 alone: another value is put in place by the function of that name.
PAD = Op(
    "pad",
    Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.pad_transpose(g, *inputs, **attrs), constant_inputs=(1,)), _pad,
    _pad_sizes, label="Pad", rows=rows.pad, columns=Columns.FILLED,
)
PAD_TRANSPOSE = Op(
    "pad_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.pad(g, *inputs[2:], **attrs), constant_inputs=(1, 2),
    ),
    _pad_transpose, like(1), type="Slice", aliases=True, rows=None,
)
REVERSE = Op(
    "reverse", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.reverse(g, **attrs)),
    lambda xp, x, *, axis: xp.flip(x, axis=axis), first, type="ReverseV2", aliases=True, rows=rows.along, bounds=slopes.hull,
    columns=Columns.PLACED, layout=layout.VIEW,
)
ROLL = Op(
    "roll", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.roll(
        g, shift=tuple(-s for s in attrs["shift"]), axis=attrs["axis"]),
    ),
    lambda xp, x, *, shift, axis: xp.roll(x, shift, axis=axis), first, rows=rows.along, bounds=slopes.hull,
    columns=Columns.PLACED,
)

# --- joining and parting ------------------------------------------------------------------------------------------


def _concat_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    merged: Any = None
    total: int | None = 0
    nptype = inputs[0].nptype
    for t in inputs:
        nptype = dtypes.promote(nptype, t.nptype, "concat")
        if t.sizes is None:
            total = None
            continue
        axis = shapes.axis_of(attrs["axis"], len(t.sizes))
        if len(t.sizes) == 0:
            raise ShapeError("concat joins tensors along an axis, and scalars have none; use stack.")
        rest = (*t.sizes[:axis], None, *t.sizes[axis + 1 :])
        if not shapes.fits(merged, rest):
            raise ShapeError(
                f"concat along axis {attrs['axis']}: the shapes "
                + ", ".join(shapes.text(u.sizes) for u in inputs)
                + " differ in another axis."
            )
        merged = shapes.merge(merged, rest)
        total = None if total is None or t.sizes[axis] is None else total + t.sizes[axis]
    if merged is None:
        return None, nptype
    axis = shapes.axis_of(attrs["axis"], len(merged))
    return (*merged[:axis], total, *merged[axis + 1 :]), nptype


def _concat_part(xp: Namespace, g: Array, *xs: Array, axis: int, i: int) -> Any:
    start = sum(x.shape[axis] for x in xs[:i])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + xs[i].shape[axis])
    return g[tuple(index)]


def _concat_part_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    parts = [xp.zeros_like(x) for x in inputs[1:]]
    parts[attrs["i"]] = g
    return xp.concat(*parts, axis=attrs["axis"])


def _concat_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    axis, sizes = attrs["axis"], []
    for x in inputs:
        size = x.shape[axis]
        if size is None:
            return xp.concat_part(g, *inputs, axis=axis, i=i)
        sizes.append(int(size))
    start, rank = sum(sizes[:i]), len(inputs[0].shape)
    index = [slice(None)] * (axis % rank) + [slice(start, start + sizes[i])]
    return xp.getitem(g, index=tuple(index))


CONCAT = Op(
    "concat", Linear(transpose=_concat_transpose), lambda xp, *xs, axis: xp.concatenate(xs, axis=axis), _concat_infer,
    type="ConcatV2", label="concat", rows=rows.concat, bounds=slopes.hull, columns=Columns.JOINED, layout=layout.JOINED,
    static=static.concat,
)
CONCAT_PART = Op(
    "concat_part", Linear(transpose=_concat_part_transpose, constant_inputs=tuple(range(1, 1000)), selects=True), _concat_part,
    lambda inputs, attrs: (inputs[1 + attrs["i"]].sizes, inputs[0].nptype), type="Slice", aliases=True, rows=rows.concat_part,
    columns=Columns.PLACED, layout=layout.VIEW, references=(1, ...),
)


def _stack_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    merged, nptype = None, inputs[0].nptype
    for t in inputs:
        nptype = dtypes.promote(nptype, t.nptype, "stack")
        if not shapes.fits(merged, t.sizes):
            raise ShapeError(f"Shapes must be equal to stack them: {', '.join(shapes.text(u.sizes) for u in inputs)}.")
        merged = shapes.merge(merged, t.sizes)
    if merged is None:
        return None, nptype
    axis = shapes.axis_of(attrs["axis"], len(merged) + 1)
    return (*merged[:axis], len(inputs), *merged[axis:]), nptype


STACK = Op(
    "stack", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.getitem(g, index=index_along(attrs["axis"], i))),
    lambda xp, *xs, axis: xp.stack(xs, axis=axis), _stack_infer, type="Pack", label="stack", rows=rows.stack,
    bounds=slopes.hull, columns=Columns.JOINED, static=static.stack,
)


def full_index(axis: int, rank: int, item: Any) -> tuple[Any, ...]:
    """Return the index that takes an item along one axis and everything along the others."""
    return (slice(None),) * (axis % rank) + (item,)


def index_along(axis: int, item: Any) -> tuple[Any, ...]:
    """Return the same for a rank that need not be known."""
    return (slice(None),) * axis + (item,) if axis >= 0 else (Ellipsis, item) + (slice(None),) * (-1 - axis)


def _unstack_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = inputs[0].sizes
    if sizes is None:
        return [(None, inputs[0].nptype)] * attrs["num"]
    axis = shapes.axis_of(attrs["axis"], len(sizes))
    if sizes[axis] not in (None, attrs["num"]):
        raise ShapeError(f"unstack: axis {axis} of shape {shapes.text(sizes)} does not hold {attrs['num']} parts.")
    return [((*sizes[:axis], *sizes[axis + 1 :]), inputs[0].nptype)] * attrs["num"]


def _filled(xp: Any, gs: NumPyArray, outputs: Sequence[Array | None]) -> list[Any]:
    return [xp.zeros_like(v) if g is None else g for g, v in zip(gs, outputs, strict=True)]


UNSTACK = Op(
    "unstack", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.stack(*_filled(xp, g, output), axis=attrs["axis"]), selects=True,
    ),
    lambda xp, x, *, axis, num: tuple(xp.moveaxis(x, axis, 0)), _unstack_infer, outputs=None, type="Unpack", label="unstack",
    aliases=True, rows=rows.unstack, bounds=slopes.hull, columns=Columns.PLACED, layout=layout.VIEW,
)


def _parts(size: Any, parts: Any, what: str) -> tuple[Any, ...]:
    """Return the sizes of the parts: a number of equal ones, or sizes of which one may be -1, what is left."""
    if isinstance(parts, int):
        if size is None:
            return (None,) * parts
        if size % parts:
            raise ShapeError(f"split: {what} cannot be cut into {parts} equal parts.")
        return (size // parts,) * parts
    if -1 in parts:
        if parts.count(-1) > 1:
            raise ShapeError(f"split: more than one of the parts {list(parts)} is -1.")
        rest = None if size is None else size - sum(p for p in parts if p >= 0)
        if rest is not None and rest < 0:
            raise ShapeError(f"split: the parts {list(parts)} are more than {what}.")
        return tuple(rest if p == -1 else p for p in parts)
    if size is not None and sum(parts) != size:
        raise ShapeError(f"split: the parts {list(parts)} do not add up to {what}.")
    return tuple(parts)


def _split_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, parts = inputs[0].sizes, attrs["parts"]
    if sizes is None:
        return [(None, inputs[0].nptype)] * (parts if isinstance(parts, int) else len(parts))
    axis = shapes.axis_of(attrs["axis"], len(sizes))
    if not sizes:
        raise ShapeError("split takes a tensor with at least one axis.")
    found = _parts(sizes[axis], parts, f"axis {axis} of shape {shapes.text(sizes)}")
    return [((*sizes[:axis], p, *sizes[axis + 1 :]), inputs[0].nptype) for p in found]


def _split(xp: Namespace, x: Array, *, axis: int, parts: Any) -> Any:
    result, start = [], 0
    for p in _parts(x.shape[axis], parts, f"axis {axis} of shape {x.shape}"):
        result.append(x[full_index(axis, x.ndim, slice(start, start + p))])
        start += p
    return tuple(result)


SPLIT = Op(
    "split", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.concat(*_filled(xp, g, output), axis=attrs["axis"]), selects=True,
    ),
    _split, _split_infer, outputs=None, label="split", aliases=True, rows=rows.along, bounds=slopes.hull,
    columns=Columns.PLACED, layout=layout.VIEW,
)

# --- NumPy-style indexing -----------------------------------------------------------------------------------------


class Dynamic:
    """A place in an index that an input tensor fills when the operation runs."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        """Take the input's position."""
        self.position = position

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dynamic) and other.position == self.position

    def __hash__(self) -> int:
        return hash(("Dynamic", self.position))

    def __repr__(self) -> str:
        return f"Dynamic({self.position})"


def _fill(xp: Any, index: Any, dynamic: Any) -> Any:
    if not dynamic:
        return index

    def value(item: Any) -> Any:
        return int(dynamic[item.position]) if isinstance(item, Dynamic) else item

    def place(item: Any) -> Any:
        # One element may be named by a number that is not known yet; the bounds of a slice, which make a shape, may not.
        return dynamic[item.position] if xp.name == "xla" and isinstance(item, Dynamic) else value(item)

    return tuple(slice(value(i.start), value(i.stop), value(i.step)) if isinstance(i, slice) else place(i) for i in index)


def _getitem_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, index = inputs[0].sizes, attrs["index"]
    if sizes is None:
        return None, inputs[0].nptype
    used = sum(i is not None and i is not Ellipsis for i in index)
    if used > len(sizes):
        raise ShapeError(f"Index {index} takes {used} axes, and shape {shapes.text(sizes)} has {len(sizes)}: too many indices.")
    items = list(index) if Ellipsis in index else [*index, Ellipsis]
    at = items.index(Ellipsis)
    items[at : at + 1] = [slice(None)] * (len(sizes) - used)
    result: list[int | None] = []
    axis = 0
    for item in items:
        if item is None:
            result.append(1)
            continue
        size = sizes[axis]
        axis += 1
        if isinstance(item, slice):
            bounds = (item.start, item.stop, item.step)
            if item == slice(None):
                result.append(size)
            elif size is None or any(isinstance(b, Dynamic) for b in bounds):
                result.append(None)
            else:
                result.append(len(range(*item.indices(size))))
        elif isinstance(item, int) and size is not None and not -size <= item < size:
            raise ShapeError(f"slice index {item} of dimension {axis - 1} out of bounds for shape {shapes.text(sizes)}.")
    return tuple(result), inputs[0].nptype


def _getitem_transpose(xp: Namespace, g: Array, x: Array, *dynamic: Any, index: Array) -> Any:
    return xp.filled(x.shape, g.dtype, _fill(xp, index, dynamic), g)


GETITEM = Op(
    "getitem", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.getitem_transpose(g, *inputs, **attrs),
        constant_inputs=tuple(range(1, 100)), selects=slopes.taken,
    ),
    lambda xp, x, *dynamic, index: x[_fill(xp, index, dynamic)], _getitem_infer, type="StridedSlice", label="strided_slice",
    aliases=True, told=True, rows=rows.getitem, bounds=slopes.hull, columns=Columns.PLACED, layout=layout.VIEW,
    static=static.getitem,
)
GETITEM_TRANSPOSE = Op(
    "getitem_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.getitem(g, *inputs[2:], **attrs),
        constant_inputs=tuple(range(1, 100)),
    ),
    _getitem_transpose, like(1), type="StridedSliceGrad", rows=rows.getitem_transpose, columns=Columns.FILLED,
    layout=layout.SCATTERED,
)

# --- gather and scatter -------------------------------------------------------------------------------------------


def _take_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    x, indices, batch = inputs[0].sizes, inputs[1].sizes, attrs["batch_dims"]
    signature.check("gather", inputs[1], "iu")
    if x is None or indices is None:
        return None, inputs[0].nptype
    if not x:
        raise ShapeError("gather needs a tensor with at least one axis, not a scalar.")
    axis = shapes.axis_of(attrs["axis"], len(x))
    if batch > len(indices) or batch > axis:
        raise ShapeError(f"gather: batch_dims = {batch} must not exceed axis = {axis} and the rank of the indices.")
    return (*x[:axis], *indices[batch:], *x[axis + 1 :]), inputs[0].nptype


def _checked(xp: Any, indices: Any, size: int, what: str) -> Any:
    if xp.name != "xla" and indices.size and (indices.min() < 0 or indices.max() >= size):
        bad = indices[(indices < 0) | (indices >= size)].flat[0]
        raise IndexError(f"{what}: index {bad} is not in [0, {size})")
    return indices


def _take(xp: Namespace, x: Array, indices: Array, *, axis: int, batch_dims: int) -> Any:
    axis %= x.ndim
    _checked(xp, indices, x.shape[axis], "gather")
    if batch_dims == 0:
        return xp.take(x, indices, axis=axis)
    return x[_batch_index(xp, x, indices, axis, batch_dims)]


def _batch_index(xp: Namespace, x: Array, indices: Array, axis: int, batch: int) -> Any:
    """Return the index for x[b..., i..., indices[b...], ...]: open grids for every axis up to ``axis``."""
    middle = axis - batch
    rank = axis + indices.ndim - batch
    index = []
    for a in range(batch):
        shape = [1] * rank
        shape[a] = x.shape[a]
        index.append(xp.reshape(xp.arange(x.shape[a]), shape))
    for a in range(batch, axis):
        shape = [1] * rank
        shape[a] = x.shape[a]
        index.append(xp.reshape(xp.arange(x.shape[a]), shape))
    index.append(xp.reshape(indices, indices.shape[:batch] + (1,) * middle + indices.shape[batch:]))
    return tuple(index)


def _take_transpose(xp: Namespace, g: Array, x: Array, indices: Array, *, axis: int, batch_dims: int) -> Any:
    axis %= x.ndim
    zeros = xp.zeros(x.shape, g.dtype)
    if batch_dims == 0:
        return xp.index_add(zeros, full_index(axis, x.ndim, indices), g)
    return xp.index_add(zeros, _batch_index(xp, x, indices, axis, batch_dims), g)


TAKE = Op(
    "take", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.take_transpose(g, *inputs, **attrs), constant_inputs=(1,),
        selects=True,
    ),
    _take, _take_infer, type="GatherV2", label="GatherV2", rows=rows.take, bounds=slopes.hull, columns=Columns.PLACED,
    layout=layout.TAKEN,
)
TAKE_TRANSPOSE = Op(
    "take_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.take(g, inputs[2], **attrs), constant_inputs=(1, 2),
    ),
    _take_transpose, like(1), type="UnsortedSegmentSum", rows=None,
)
TAKE_ALONG_AXIS = Op(
    "take_along_axis", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.take_along_axis_transpose(g, *inputs, **attrs),
        constant_inputs=(1,), selects=True,
    ),
    lambda xp, x, indices, *, axis: xp.take_along_axis(x, indices, axis=axis),
    lambda inputs, attrs: (inputs[1].sizes, inputs[0].nptype), type="GatherV2", rows=rows.take_along,
)


def _along_index(xp: Namespace, indices: Array, axis: int) -> Any:
    grid = []
    for a in range(indices.ndim):
        shape = [1] * indices.ndim
        shape[a] = indices.shape[a]
        grid.append(indices if a == axis % indices.ndim else xp.reshape(xp.arange(indices.shape[a]), shape))
    return tuple(grid)


TAKE_ALONG_AXIS_TRANSPOSE = Op(
    "take_along_axis_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.take_along_axis(g, inputs[2], **attrs), constant_inputs=(1, 2),
    ),
    lambda xp, g, x, indices, *, axis: xp.index_add(xp.zeros(x.shape, g.dtype), _along_index(xp, indices, axis), g), like(1),
    type="ScatterNd", rows=None,
)


def _gather_nd_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    x, indices, batch = inputs[0].sizes, inputs[1].sizes, attrs["batch_dims"]
    signature.check("gather_nd", inputs[1], "iu")
    if x is None or indices is None or not indices or indices[-1] is None:
        return None, inputs[0].nptype
    if indices[-1] + batch > len(x):
        raise ShapeError(f"gather_nd: indices of {indices[-1]} coordinates do not fit shape {shapes.text(x)}.")
    return (*indices[:-1], *x[batch + indices[-1] :]), inputs[0].nptype


def _nd_index(xp: Namespace, x: Array, indices: Array, batch: int) -> Any:
    depth = indices.shape[-1]
    index = []
    for a in range(batch):
        shape = [1] * (indices.ndim - 1)
        shape[a] = x.shape[a]
        index.append(xp.reshape(xp.arange(x.shape[a]), shape))
    for d in range(depth):
        index.append(_checked(xp, indices[..., d], x.shape[batch + d], "index"))
    return tuple(index)


def _nd_add(xp: Namespace, x: Array, indices: Array, batch: int, updates: Any) -> Any:
    index = _nd_index(xp, x, indices, batch)
    if not index:  # no coordinates: each update goes to the whole
        return x + xp.sum(updates, axis=tuple(range(indices.ndim - 1)), dtype=x.dtype)
    return xp.index_add(x, index, updates)


GATHER_ND = Op(
    "gather_nd", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.gather_nd_transpose(g, *inputs, **attrs), constant_inputs=(1,),
        selects=True,
    ),
    lambda xp, x, indices, *, batch_dims: xp.broadcast_to(
        x[_nd_index(xp, x, indices, batch_dims)], indices.shape[:-1] + x.shape[batch_dims + indices.shape[-1]:]),
    _gather_nd_infer, aliases=True, rows=None,
)
GATHER_ND_TRANSPOSE = Op(
    "gather_nd_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.gather_nd(g, inputs[2], **attrs), constant_inputs=(1, 2),
    ),
    lambda xp, g, x, indices, *, batch_dims: _nd_add(xp, xp.zeros(x.shape, g.dtype), indices, batch_dims, g), like(1),
    type="ScatterNd", rows=None,
)


def _scatter_check(inputs: Sequence[Any], attrs: Attrs, updates: int, indices: int, sizes: Any) -> None:
    signature.check("scatter", inputs[indices], "iu")
    index, update = inputs[indices].sizes, inputs[updates].sizes
    if sizes is None or index is None or update is None or not index or index[-1] is None:
        return
    if index[-1] > len(sizes):
        raise ShapeError(f"scatter: indices of {index[-1]} coordinates do not fit shape {shapes.text(sizes)}.")
    expected = (*index[:-1], *sizes[index[-1] :])
    if not shapes.fits(expected, update):
        raise ShapeError(f"scatter: updates have shape {shapes.text(update)}, and the indices need {shapes.text(expected)}.")


def _scatter_nd_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = sizes_from(inputs, 2, attrs["shape"])
    _scatter_check(inputs, attrs, 0, 1, sizes)
    return sizes, inputs[0].nptype


def _scatter_nd(xp: Namespace, updates: Any, indices: Array, dims: int | None = None, *, shape: Shape) -> Any:
    zeros = xp.zeros(as_sizes(dims) if shape is None else shape, updates.dtype)
    return _nd_add(xp, zeros, indices, 0, updates)


SCATTER_ND = Op(
    "scatter_nd", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.gather_nd(g, inputs[1], batch_dims=0), constant_inputs=(1, 2),
    ),
    _scatter_nd, _scatter_nd_infer, rows=None,
)


def _tensor_scatter_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    _scatter_check(inputs, attrs, 2, 1, inputs[0].sizes)
    return inputs[0].sizes, dtypes.promote(inputs[0].nptype, inputs[2].nptype, "tensor_scatter_nd_update")


SCATTER_UPDATE = Op(
    "tensor_scatter_update", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.tensor_scatter_update(g, inputs[1], xp.zeros_like(inputs[2]))
    if i == 0 else xp.gather_nd(g, inputs[1], batch_dims=0) * xp.scatter_winner(*inputs),
        constant_inputs=(1,), selects=True,
    ),
    lambda xp, x, indices, updates: xp.index_set(x, _nd_index(xp, x, indices, 0), updates), _tensor_scatter_infer, rows=None,
)


def _scatter_winner(xp: Namespace, x: Array, indices: Array, updates: Any) -> Any:
    # Of several updates of one place one stays, and only that one has a derivative (TensorFlow gives it to all).
    lead, depth = indices.shape[:-1], indices.shape[-1]
    number = xp.reshape(xp.arange(math.prod(lead)), lead)
    index = _nd_index(xp, x, indices, 0)
    standing = xp.index_set(xp.zeros(x.shape[:depth], number.dtype), index, number)[index]
    return xp.reshape(xp.astype(standing == number, updates.dtype), lead + (1,) * (updates.ndim - len(lead)))


SCATTER_WINNER = Op(
    "scatter_winner", Constant(), _scatter_winner,
    lambda inputs, attrs: (
        None if inputs[1].sizes is None or inputs[2].sizes is None
        else inputs[1].sizes[:-1] + (1,) * (len(inputs[2].sizes) - len(inputs[1].sizes) + 1), inputs[2].nptype),
    type="Equal", rows=None,
)
SCATTER_ADD = Op(
    "tensor_scatter_add", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: g if i == 0 else xp.gather_nd(g, inputs[1], batch_dims=0),
        constant_inputs=(1,),
    ),
    lambda xp, x, indices, updates: _nd_add(xp, x, indices, 0, updates), _tensor_scatter_infer, rows=None,
)


def _extreme_transpose(xp: Namespace, g: Array, i: int, inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    # Whatever equals the extreme shares its cotangent evenly, as TensorFlow's rule does.
    x, indices, updates = inputs
    winner = xp.cast(xp.equal(x, output), dtype=g.dtype.name)
    rivals = xp.cast(xp.equal(updates, xp.gather_nd(output, indices, batch_dims=0)), dtype=g.dtype.name)
    share = g / (winner + xp.gather_nd_transpose(rivals, x, indices, batch_dims=0))
    return share * winner if i == 0 else rivals * xp.gather_nd(share, indices, batch_dims=0)


def _extreme_tangent(xp: Namespace, tangents: Sequence[Array], inputs: Sequence[Array], output: Array, attrs: Attrs) -> Any:
    x, indices, updates = inputs
    winner = xp.cast(xp.equal(x, output), dtype=x.dtype.name)
    rivals = xp.cast(xp.equal(updates, xp.gather_nd(output, indices, batch_dims=0)), dtype=x.dtype.name)
    total = xp.zeros_like(x)
    if tangents[0] is not None:
        total = total + winner * tangents[0]
    if tangents[2] is not None:
        total = total + xp.gather_nd_transpose(rivals * tangents[2], x, indices, batch_dims=0)
    return total / (winner + xp.gather_nd_transpose(rivals, x, indices, batch_dims=0))


SCATTER_MIN = Op(
    "tensor_scatter_min", Piecewise(
        tangent=_extreme_tangent, transpose=_extreme_transpose, constant_inputs=(1,), slope=FINITE, selects=True,
    ),
    lambda xp, x, indices, updates: xp.index_min(x, _nd_index(xp, x, indices, 0), updates), _tensor_scatter_infer, rows=None,
)
SCATTER_MAX = Op(
    "tensor_scatter_max", Piecewise(
        tangent=_extreme_tangent, transpose=_extreme_transpose, constant_inputs=(1,), slope=FINITE, selects=True,
    ),
    lambda xp, x, indices, updates: xp.index_max(x, _nd_index(xp, x, indices, 0), updates), _tensor_scatter_infer, rows=None,
)


def _segment_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    x, ids = inputs[0].sizes, inputs[1].sizes
    signature.check("segment", inputs[1], "iu")
    if x is None or ids is None:
        return None, inputs[0].nptype
    if not shapes.fits(x[: len(ids)], ids):
        raise ShapeError(f"segment ids of shape {shapes.text(ids)} do not fit data of shape {shapes.text(x)}.")
    return (attrs["num"], *x[len(ids) :]), inputs[0].nptype


def _segment_sum(xp: Any, x: NumPyArray, ids: Any, *, num: Any) -> Any:
    count = num if num is not None else (int(ids.max()) + 1 if ids.size else 0)
    if xp.name == "xla":  # what is added outside is left out
        return xp.index_add(xp.zeros((count, *x.shape[ids.ndim :]), x.dtype), xp.where(ids < 0, count, ids), x)
    kept = ids >= 0
    _checked(xp, ids[kept], count, "segment id")
    return xp.index_add(xp.zeros((count, *x.shape[ids.ndim :]), x.dtype), ids[kept], x[kept])


SEGMENT_SUM = Op(
    "segment_sum",
    Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.segment_take(g, inputs[1]), constant_inputs=(1,)), _segment_sum,
    _segment_infer, type="UnsortedSegmentSum", rows=None,
)
SEGMENT_TAKE = Op(
    "segment_take", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.segment_sum_like(g, inputs[1], inputs[0]), constant_inputs=(1,),
        selects=True,
    ),
    lambda xp, g, ids: xp.where(
        xp.reshape(ids >= 0, ids.shape + (1,) * (g.ndim - 1)), g[xp.maximum(ids, 0)], xp.zeros((), g.dtype)),
    lambda inputs, attrs: (
        None if inputs[0].sizes is None or inputs[1].sizes is None else inputs[1].sizes + inputs[0].sizes[1:], inputs[0].nptype),
    type="GatherV2", rows=None,
)
SEGMENT_SUM_LIKE = Op(
    "segment_sum_like", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.segment_take(g, inputs[1]), constant_inputs=(1, 2),
    ),
    lambda xp, x, ids, y: _segment_sum(xp, x, ids, num=y.shape[0]), like(2), type="UnsortedSegmentSum", rows=None,
)



def _checked_places(xp: Any, places: Any, whole: Any) -> Any:
    if xp.name != "xla" and len(places):
        outside = ((places < 0) | (places >= whole)).any(axis=1)
        if outside.any():
            at = int(outside.argmax())
            raise InvalidArgumentError(
                f"indices[{at}] = {places[at].tolist()} is out of bounds: need 0 <= index < {whole.tolist()}"
            )
        before, after = places[:-1], places[1:]
        first = (before != after).argmax(axis=1)[:, None]
        step = xp.take_along_axis(after - before, first, axis=1)[:, 0]
        if (step <= 0).any():
            at = int((step <= 0).argmax()) + 1
            how = "repeated" if step[at - 1] == 0 else "out of order: reorder() puts them in order"
            raise InvalidArgumentError(f"indices[{at}] = {places[at].tolist()} is {how}")
    return places


CHECKED_PLACES = Op(
    "checked_places", Constant(), _checked_places, first, kinds="iu", type="Identity", aliases=True, rows=None,
    gives="place",
)
"""Coordinates that lie within a shape, in the order of rows and none twice."""

# --- where values are, as integers --------------------------------------------------------------------------------

NONZERO = Op(
    "nonzero", Constant(),
    lambda xp, x: xp.astype(xp.stack(xp.nonzero(x), axis=-1), "int64") if x.ndim
    else xp.zeros((int(bool(x)), 0), "int64"),
    lambda inputs, attrs: ((None, None if inputs[0].sizes is None else len(inputs[0].sizes)), dtypes.int64.numpy), type="Where",
    label="Where", rows=None, gives="place", eager_only="the shape of its result depends on values",
)


def _one_hot_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, depth = inputs[0].sizes, attrs["depth"]
    nptype = dtypes.as_dtype(attrs["dtype"]).numpy
    if sizes is None:
        return None, nptype
    axis = attrs["axis"] % (len(sizes) + 1)
    return (*sizes[:axis], depth, *sizes[axis:]), nptype


def _one_hot(xp: Namespace, x: Array, *depths: Any, depth: Any, on: Any, off: Any, axis: int, dtype: str) -> Any:
    axis %= x.ndim + 1
    shape = [1] * (x.ndim + 1)
    shape[axis] = as_sizes(depths[0])[0] if depth is None else depth
    hit = xp.expand_dims(x, axis) == xp.reshape(xp.arange(shape[axis]), shape)
    return xp.where(hit, xp.asarray(on, dtype=dtype), xp.asarray(off, dtype=dtype))


ONE_HOT = Op("one_hot", Constant(), _one_hot, _one_hot_infer, label="one_hot", rows=rows.one_hot)


def _searchsorted_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    x, v = inputs[0].sizes, inputs[1].sizes
    if x is not None and v is not None:
        if not x or (len(x) > 1 and (len(x) != len(v) or not shapes.fits(x[:-1], v[:-1]))):
            raise ShapeError(f"searchsorted: the sequences {shapes.text(x)} and values {shapes.text(v)} do not fit.")
    return v, dtypes.as_dtype(attrs["dtype"]).numpy


def _searchsorted(xp: Namespace, x: Array, v: Array, *, side: str, dtype: str) -> Any:
    if x.ndim == 1:
        return xp.astype(xp.searchsorted(x, v, side=side), dtype)
    rows, values = xp.reshape(x, (-1, x.shape[-1])), xp.reshape(v, (-1, v.shape[-1]))
    found = [xp.searchsorted(rows[i], values[i], side=side) for i in range(rows.shape[0])]
    return xp.reshape(xp.astype(xp.stack(found), dtype), v.shape) if found else xp.zeros(v.shape, dtype)


SEARCHSORTED = Op(
    "searchsorted", Constant(), _searchsorted, _searchsorted_infer, type="SearchSorted", kinds="iuf", rows=None, gives="place",
)


def _invert_permutation(xp: Any, x: NumPyArray) -> Any:
    order = xp.argsort(x)
    if xp.name != "xla" and (x[order] != xp.arange(x.size)).any():
        raise InvalidArgumentError(f"invert_permutation: {x.tolist()} does not hold each of 0 to {x.size - 1} once.")
    return xp.astype(order, x.dtype)


INVERT_PERMUTATION = Op("invert_permutation", Constant(), _invert_permutation, first, kinds="iu", rows=None, gives="place")
REPEAT_INDEX = Op(
    "repeat_index", Constant(), lambda xp, times, n: xp.repeat(xp.arange(int(n)), _repeats(xp, times, int(n))),
    lambda inputs, attrs: ((None,), dtypes.int64.numpy), type="Repeat", rows=None,
    eager_only="the shape of its result depends on values",
)


def _repeats(xp: Any, times: Any, n: int) -> Any:
    if xp.name != "xla" and times.size:
        if times.min() < 0:
            raise InvalidArgumentError(f"repeats must not be negative: {times.tolist()}.")
        if int(times.max()) * n > MOST_ELEMENTS:
            raise ResourceExhaustedError(f"repeat: {n} elements {times.max()} times are beyond any memory.")
    return xp.broadcast_to(times, (n,))


def _partition(xp: Namespace, to: Any, *, num: int) -> Any:
    _checked(xp, to, num, "partition")
    return tuple(NONZERO.bind(xp)(to == i) for i in range(num))


PARTITION = Op(
    "partition", Constant(), _partition,
    lambda inputs, attrs: [
        ((None, None if inputs[0].sizes is None else len(inputs[0].sizes)), dtypes.int64.numpy)] * attrs["num"],
    outputs=None, type="DynamicPartition", label="DynamicPartition", kinds="iu", rows=None,
    eager_only="the shapes of its results depend on values",
)
BROADCAST_SHAPE = Op(
    "broadcast_shape", Constant(), lambda xp, a, b: xp.asarray(xp.broadcast_shapes(as_sizes(a), as_sizes(b)), dtype=a.dtype),
    lambda inputs, attrs: (_longest([t.sizes for t in inputs]), inputs[0].nptype), type="BroadcastArgs", rows=None,
    gives="shape",
)


def _longest(known: Any) -> Any:
    lengths: list[Any] = [None if sizes is None or len(sizes) != 1 else sizes[0] for sizes in known]
    return (None if None in lengths else max(lengths),)


def _ensure_shape(xp: Namespace, x: Array, *, shape: Shape) -> Any:
    if not shapes.fits(x.shape, shape):
        raise ShapeError(f"The shape {shapes.text(x.shape)} is not compatible with the expected {shapes.text(shape)}.")
    return x


ENSURE_SHAPE = Op(
    "ensure_shape", Linear(transpose=lambda xp, g, i, inputs, output, attrs: g), _ensure_shape,
    lambda inputs, attrs: (shapes.merge(inputs[0].sizes, attrs["shape"]), inputs[0].nptype), aliases=True,
    rows=rows.elementwise, bounds=slopes.hull, columns=Columns.SAME, layout=layout.SAME,
)


def _reverse_sequence_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes, lengths, batch = inputs[0].sizes, inputs[1].sizes, attrs["batch_axis"]
    if attrs["axis"] == batch:
        raise ShapeError(f"reverse_sequence: seq_axis and batch_axis are both {batch}.")
    if sizes is not None and lengths is not None and not shapes.fits(lengths, sizes[batch : batch + 1]):
        raise ShapeError(f"reverse_sequence: lengths {shapes.text(lengths)} do not fit axis {batch} of {shapes.text(sizes)}.")
    return sizes, inputs[0].nptype


def _reverse_sequence(xp: Namespace, x: Array, lengths: Any, *, axis: int, batch_axis: int) -> Any:
    _checked(xp, lengths, x.shape[axis] + 1, "sequence length")
    along, across = [1] * x.ndim, [1] * x.ndim
    along[axis], across[batch_axis] = x.shape[axis], x.shape[batch_axis]
    place, length = xp.reshape(xp.arange(x.shape[axis]), along), xp.reshape(lengths, across)
    index = xp.where(place < length, length - 1 - place, place)
    return xp.take_along_axis(x, xp.broadcast_to(index, x.shape), axis=axis)


REVERSE_SEQUENCE = Op(
    "reverse_sequence", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.reverse_sequence(g, inputs[1], **attrs), constant_inputs=(1,),
    ),
    _reverse_sequence, _reverse_sequence_infer, rows=None,
)


def _band_part(xp: Namespace, x: Array, *, lower: int, upper: int) -> Any:
    rows, columns = x.shape[-2:]
    offset = xp.reshape(xp.arange(columns), (1, columns)) - xp.reshape(xp.arange(rows), (rows, 1))
    keep = (offset >= (-lower if lower >= 0 else -rows)) & (offset <= (upper if upper >= 0 else columns))
    return xp.where(keep, x, xp.zeros((), x.dtype))


BAND_PART = Op(
    "band_part", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.band_part(g, **attrs), selects=True), _band_part,
    first, type="MatrixBandPart", rows=rows.diagonal,
)


def _diag_sizes(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = inputs[0].sizes
    if sizes is None:
        return None, inputs[0].nptype
    if not sizes:
        raise ShapeError("diag needs at least one axis.")
    n = None if sizes[-1] is None else sizes[-1] + abs(attrs["k"])
    return (*sizes[:-1], n, n), inputs[0].nptype


def _diag(xp: Namespace, x: Array, *, k: int) -> Any:
    n = x.shape[-1] + abs(k)
    rows = xp.arange(x.shape[-1]) + max(-k, 0)
    return xp.filled((*x.shape[:-1], n, n), x.dtype, (..., rows, rows + k), x)


def _diag_part_sizes(inputs: Sequence[Described], attrs: Attrs) -> Any:
    sizes = inputs[0].sizes
    if sizes is None:
        return None, inputs[0].nptype
    if len(sizes) < 2:
        raise ShapeError(f"diag_part needs a matrix, not shape {shapes.text(sizes)}.")
    rows, columns = sizes[-2:]
    k = attrs["k"]
    n = None if rows is None or columns is None else max(0, min(rows + min(k, 0), columns - max(k, 0)))
    return (*sizes[:-2], n), inputs[0].nptype


DIAG = Op(
    "diag", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.diag_part(g, **attrs)), _diag, _diag_sizes,
    type="MatrixDiagV3", label="MatrixDiag", rows=rows.last,
)
DIAG_PART = Op(
    "diag_part", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.diag_part_transpose(g, inputs[0], **attrs), selects=True,
    ),
    lambda xp, x, *, k: xp.diagonal(x, offset=k, axis1=-2, axis2=-1), _diag_part_sizes, type="MatrixDiagPartV3",
    label="MatrixDiagPart", aliases=True, rows=rows.diagonal,
)


def _diag_part_transpose(xp: Namespace, g: Array, x: Array, *, k: int) -> Any:
    rows = xp.arange(g.shape[-1]) + max(-k, 0)
    return xp.filled(x.shape, g.dtype, (..., rows, rows + k), g)


DIAG_PART_TRANSPOSE = Op(
    "diag_part_transpose", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.diag_part(g, **attrs), constant_inputs=(1,),
    ),
    _diag_part_transpose, like(1), type="MatrixDiagV3", rows=None,
)


def _set_diag_infer(inputs: Sequence[Described], attrs: Attrs) -> Any:
    nptype = dtypes.promote(inputs[0].nptype, inputs[1].nptype, "set_diag")
    expected = _diag_part_sizes(inputs, attrs)[0]
    if not shapes.fits(expected, inputs[1].sizes):
        raise ShapeError(f"set_diag: the diagonal has shape {shapes.text(expected)}, not {shapes.text(inputs[1].sizes)}.")
    return inputs[0].sizes, nptype


SET_DIAG = Op(
    "set_diag", Linear(
        transpose=lambda xp, g, i, inputs, output, attrs: xp.set_diag(g, xp.zeros_like(inputs[1]), **attrs)
    if i == 0 else xp.diag_part(g, **attrs),
        selects=True,
    ),
    lambda xp, x, d, *, k: xp.index_set(
        x, (..., xp.arange(d.shape[-1]) + max(-k, 0), xp.arange(d.shape[-1]) + max(k, 0)), d),
    _set_diag_infer, type="MatrixSetDiagV3", rows=rows.set_diag,
)
