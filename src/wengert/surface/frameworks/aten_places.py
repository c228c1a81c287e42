"""What PyTorch's operations of places become: indices, sorts, parts of matrices; and windows: convolutions, pools, edges.

Where equals are to be chosen among, it is the first that has the derivative, as in PyTorch.
"""

from __future__ import annotations

import itertools
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
from wengert.surface.frameworks.aten import Operand, rule, to_tensor
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__: list[str] = []

MOST_SHIFTS = 4096
"""Elements of a window that is gone through shift by shift."""
INT = np.dtype("int64")


def _sizes(x: Tensor) -> list[int]:
    return [int(s) for s in x.shape]


# --- indices ------------------------------------------------------------------------------------------------------


@rule("index", "_unsafe_index")
def index(x: Tensor, indices: Sequence[Tensor | None]) -> Any:
    """Elements at places along one axis, or along neighbouring ones, which are then one axis."""
    at = [k for k, i in enumerate(indices) if i is not None]
    places = [cast(i, INT) for i in indices if i is not None]
    if any(i is not None and i.nptype.kind == "b" for i in indices):
        raise UnimplementedError("wengert.torch: places that are Booleans are not there; give their numbers, or torch.where.")
    if at != list(range(at[0], at[-1] + 1)):
        raise UnimplementedError("wengert.torch: places along axes that are no neighbours are not there.")
    sizes = _sizes(x)
    flat: Any = None
    for k, place in zip(at, places, strict=True):
        inside = arrays.where(place < np.int64(0), place + np.int64(sizes[k]), place)
        flat = inside if flat is None else flat * np.int64(sizes[k]) + inside
    count = math.prod(sizes[k] for k in at)
    return arrays.gather(arrays.reshape(x, [*sizes[: at[0]], count, *sizes[at[-1] + 1 :]]), flat, axis=at[0])


@rule("embedding")
def embedding(table: Tensor, indices: Tensor, *rest: Hashable) -> Any:
    """Rows of a table."""
    return arrays.gather(table, indices, axis=0)


@rule("argmax")
def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The place of the greatest element."""
    found = maths.argmax(arrays.reshape(x, [-1]) if dim is None else x, 0 if dim is None else dim)
    return arrays.expand_dims(found, dim) if keepdim and dim is not None else found


@rule("argmin")
def argmin(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The place of the smallest element."""
    return argmax(-x, dim, keepdim)


def _along(x: Tensor, places: Tensor, dim: int) -> Any:
    return apply(linear.TAKE_ALONG_AXIS, (x, places), {"axis": dim % len(x.shape)})


def _chosen(x: Tensor, places: Tensor, dim: int, keepdim: bool) -> Any:
    """Return the elements at one place of an axis, and the places."""
    found = _along(x, arrays.expand_dims(places, dim), dim)
    return (found, arrays.expand_dims(places, dim)) if keepdim else (arrays.squeeze(found, [dim]), places)


@rule("max.dim")
def greatest(x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The greatest elements and their places."""
    return _chosen(x, maths.argmax(x, dim), dim, keepdim)


@rule("min.dim")
def smallest(x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The smallest elements and their places."""
    return _chosen(x, maths.argmax(-x, dim), dim, keepdim)


@rule("sort")
def sort(x: Tensor, dim: int = -1, descending: bool = False, stable: Hashable = None) -> Any:
    """The elements in order, and their places."""
    places = arrays.argsort(x, dim, "DESCENDING" if descending else "ASCENDING", stable=True)
    return _along(x, places, dim), cast(places, INT)


@rule("topk")
def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, ordered: bool = True) -> Any:
    """The k greatest elements and their places."""
    found, places = sort(x, dim, largest)
    part = [slice(None)] * len(x.shape)
    part[dim] = slice(0, k)
    return found[tuple(part)], places[tuple(part)]


@rule("median.dim")
def median(x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The lower of the middle elements, and its place."""
    _, places = sort(x, dim)
    part: list[Any] = [slice(None)] * len(x.shape)
    part[dim] = (_sizes(x)[dim] - 1) // 2
    return _chosen(x, places[tuple(part)], dim, keepdim)


@rule("masked_fill")
def masked_fill(x: Tensor, mask: Tensor, value: Operand) -> Any:
    """One number where a mask is true."""
    return arrays.where(mask, cast(to_tensor(value, x), x.nptype), x)


@rule("roll")
def roll(x: Tensor, shifts: Sequence[int], dims: Sequence[int] = ()) -> Any:
    """Elements moved along axes."""
    if not dims:
        return arrays.reshape(arrays.roll(arrays.reshape(x, [-1]), shifts[0], 0), _sizes(x))
    return arrays.roll(x, list(shifts), list(dims))


# --- parts of matrices --------------------------------------------------------------------------------------------


def _band(x: Tensor, kept: Callable[[Any, Any], Any]) -> Any:
    n, m = _sizes(x)[-2:]
    return arrays.where(convert(kept(np.arange(n)[:, None], np.arange(m))), x, arrays.zeros_like(x))


@rule("tril")
def tril(x: Tensor, diagonal: int = 0) -> Any:
    """The lower triangle."""
    return _band(x, lambda i, j: j - i <= diagonal)


@rule("triu")
def triu(x: Tensor, diagonal: int = 0) -> Any:
    """The upper triangle."""
    return _band(x, lambda i, j: j - i >= diagonal)


@rule("diag_embed")
def diag_embed(x: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices with these diagonals."""
    rank = len(x.shape) + 1
    if offset or (dim1 % rank, dim2 % rank) != (rank - 2, rank - 1):
        raise UnimplementedError("wengert.torch: diagonals beside the main one, or of other axes than the last, are not there.")
    return linalg.diag(x)


@rule("diagonal")
def diagonal(x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonals of matrices."""
    rank = len(x.shape)
    a, b = dim1 % rank, dim2 % rank
    if offset:
        raise UnimplementedError("wengert.torch: diagonals beside the main one are not there.")
    return linalg.diag_part(arrays.transpose(x, [*[k for k in range(rank) if k not in (a, b)], a, b]))


@rule("linalg_inv_ex")
def inverse(x: Tensor, check_errors: bool = False) -> Any:
    """The inverse, and that it is there."""
    return linalg.inv(x), convert(np.zeros(_sizes(x)[:-2], np.int32))


@rule("linalg_cholesky_ex")
def cholesky(x: Tensor, upper: bool = False, check_errors: bool = False) -> Any:
    """The triangular factor, and that it is there."""
    found = linalg.cholesky(x)
    return linalg.matrix_transpose(found) if upper else found, convert(np.zeros(_sizes(x)[:-2], np.int32))


@rule("linalg_solve_ex", "_linalg_solve_ex")
def solve(a: Tensor, b: Tensor, left: bool = True, check_errors: bool = False) -> Any:
    """The solution of a system."""
    if not left:
        raise UnimplementedError("wengert.torch: a system with its matrix on the right is not there.")
    vector = len(b.shape) == len(a.shape) - 1
    found = linalg.solve(a, arrays.expand_dims(b, -1) if vector else b)
    return (arrays.squeeze(found, [-1]) if vector else found,)


@rule("linalg_matrix_exp", "matrix_exp")
def matrix_exp(x: Tensor) -> Any:
    """The exponential of matrices."""
    return linalg.expm(x)


@rule("linalg_eigvalsh")
def eigvalsh(x: Tensor, triangle: str = "L") -> Any:
    """The eigenvalues of symmetric matrices."""
    return linalg.eigvalsh(x)


@rule("linalg_cross")
def cross(a: Tensor, b: Tensor, dim: int = -1) -> Any:
    """Products of vectors of three elements."""
    x, y = (arrays.unstack(v, axis=dim) for v in (a, b))
    parts = [x[(k + 1) % 3] * y[(k + 2) % 3] - x[(k + 2) % 3] * y[(k + 1) % 3] for k in range(3)]
    return arrays.stack(parts, dim)


# --- windows ------------------------------------------------------------------------------------------------------


@rule("constant_pad_nd")
def constant_pad(x: Tensor, edges: Sequence[int], value: float = 0.0) -> Any:
    """One number before and after, from the last axis on; fewer than none is a cut."""
    pairs = [(0, 0)] * len(x.shape)
    for k in range(len(edges) // 2):
        pairs[-1 - k] = (int(edges[2 * k]), int(edges[2 * k + 1]))
    x = arrays.pad(x, [(max(a, 0), max(b, 0)) for a, b in pairs], constant_values=np.asarray(value, x.nptype))
    return x[tuple([slice(max(-a, 0), size - max(-b, 0)) for (a, b), size in zip(pairs, _sizes(x), strict=True)])]


def _each(values: int | Sequence[int], n: int) -> list[int]:
    found = [values] if isinstance(values, int) else [int(v) for v in values]
    return found * n if len(found) == 1 else found


@rule("convolution", "conv1d", "conv2d", "conv3d")
def convolution(
    x: Tensor, w: Tensor, b: Tensor | None = None, stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, *rest: Hashable,
) -> Any:  # fmt: skip
    """A convolution over one to three axes, channels before them."""
    n = len(w.shape) - 2
    named: Any = rest
    turned, out, groups = named if len(rest) == 3 else (False, [0], named[0] if rest else 1)
    if isinstance(padding, str) or len(x.shape) != n + 2:
        raise UnimplementedError("wengert.torch: convolutions of one sample, or with padding by name, are not there.")
    strides, edges, steps, more = (_each(v, n) for v in (stride, padding, dilation, out))
    if turned:  # the input spread, and the filter turned around
        sizes = _sizes(w)
        w = arrays.reverse(w, list(range(2, n + 2)))
        w = arrays.reshape(w, [groups, sizes[0] // groups, sizes[1], *sizes[2:]])
        w = arrays.reshape(arrays.transpose(w, [0, 2, 1, *range(3, n + 3)]), [groups * sizes[1], sizes[0] // groups, *sizes[2:]])
        for k, s in enumerate(strides):
            x = _spread(x, k + 2, s)
        reach = [d * (s - 1) - e for d, s, e in zip(steps, sizes[2:], edges, strict=True)]
        x = constant_pad(x, [v for r, m in reversed(list(zip(reach, more, strict=True))) for v in (r, r + m)])
        strides = [1] * n
    else:
        x = constant_pad(x, [v for e in reversed(edges) for v in (e, e)])
    last = [0, *range(2, n + 2), 1]
    x, w = arrays.transpose(x, last), arrays.transpose(w, [*range(2, n + 2), 1, 0])
    if max(strides) > 1 and max(steps) > 1:
        for k, s in enumerate(steps):
            w = _spread(w, k, s)
        steps = [1] * n
    parts = zip(arrays.split(x, groups, -1), arrays.split(w, groups, -1), strict=True) if groups > 1 else [(x, w)]
    found = [nn.convolution(u, v, strides, "VALID", dilations=steps) for u, v in parts]
    y = arrays.concat(found, -1) if groups > 1 else found[0]
    return arrays.transpose(y if b is None else y + b, [0, n + 1, *range(1, n + 1)])


def _spread(x: Tensor, axis: int, step: int) -> Any:
    """Return zeros between the elements of an axis."""
    if step == 1:
        return x
    sizes = _sizes(x)
    gaps = [(0, 0)] * (len(sizes) + 1)
    gaps[axis + 1] = (0, step - 1)
    wide = arrays.reshape(arrays.pad(arrays.expand_dims(x, axis + 1), gaps), [*sizes[:axis], -1, *sizes[axis + 1 :]])
    return wide[(*[slice(None)] * axis, slice(0, (sizes[axis] - 1) * step + 1))]


def _windows(x: Tensor, size: Sequence[int], stride: Sequence[int], dilation: Sequence[int], ceil: bool) -> list[Any]:
    if ceil or math.prod(size) > MOST_SHIFTS:
        raise UnimplementedError("wengert.torch: pools of large windows, or with ceil_mode, are not there.")
    n, sizes = len(size), _sizes(x)
    counts = [(s - (w - 1) * d - 1) // t + 1 for s, w, d, t in zip(sizes[-n:], size, dilation, stride, strict=True)]
    found = []
    for place in itertools.product(*[range(w) for w in size]):
        at = zip(place, dilation, counts, stride, strict=True)
        found.append(x[(..., *[slice(p * d, p * d + (c - 1) * t + 1, t) for p, d, c, t in at])])
    return found


def _pool(n: int) -> None:
    @rule(f"avg_pool{n}d")
    def average(
        x: Tensor, size: int | Sequence[int], stride: int | Sequence[int] = (), padding: int | Sequence[int] = 0,
        ceil: bool = False, counted: bool = True, divisor: int | None = None,
    ) -> Any:  # fmt: skip
        """Means over windows."""
        sizes, edges = _each(size, n), _each(padding, n)
        if any(edges) and not counted:
            raise UnimplementedError("wengert.torch: means that leave the edges out are not there.")
        x = constant_pad(x, [v for e in reversed(edges) for v in (e, e)])
        parts = _windows(x, sizes, _each(stride or sizes, n), [1] * n, ceil)
        return maths.add_n(parts) * np.asarray(1.0 / (divisor or math.prod(sizes)), x.nptype)

    @rule(f"max_pool{n}d", f"max_pool{n}d_with_indices")
    def maximum(
        x: Tensor, size: int | Sequence[int], stride: int | Sequence[int] = (), padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1, ceil: bool = False,
    ) -> Any:  # fmt: skip
        """The greatest elements of windows."""
        sizes, edges = _each(size, n), _each(padding, n)
        x = constant_pad(x, [v for e in reversed(edges) for v in (e, e)], -math.inf) if any(edges) else x
        first, *others = _windows(x, sizes, _each(stride or sizes, n), _each(dilation, n), ceil)
        for other in others:
            first = apply(E.MAXIMUM_FIRST, (first, other))
        return first


for _n in (1, 2, 3):
    _pool(_n)
