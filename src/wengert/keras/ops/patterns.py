"""Functions of pieces: of axes by a pattern, of blocks of images, of neighbours joined, and of scalars applied to all."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.ground.shapes import axis_of
from wengert.keras.configuration import image_data_format
from wengert.keras.ops.promotion import floating, tensor
from wengert.modes import control
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "associative_scan", "fold", "rearrange", "unfold", "vectorize"]

Size = int | Sequence[int]


def _axes(side: str) -> list[list[str]]:
    """Return the axes that a side of a pattern names, those in brackets as one."""
    return [group.strip("()").split() for group in re.findall(r"\([^)]*\)|\S+", side)]


def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Any:
    """Return a tensor with its axes split, reordered and joined, as a pattern says.

    >>> rearrange(np.arange(6.0).reshape(2, 3), "a b -> (b a)").numpy().tolist()
    [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]

    Raises:
        ValueError: where the pattern does not go with the shape.
    """
    x = floating(tensor) if not hasattr(tensor, "dtype") else array.convert_to_tensor(tensor)
    before, arrow, after = pattern.partition("->")
    left, right = _axes(before), _axes(after)
    names = [name for group in left for name in group]
    if not arrow or len(left) != len(x.sizes) or sorted(names) != sorted(name for group in right for name in group):
        raise ValueError(f"rearrange: the pattern {pattern!r} does not go with shape {list(x.sizes)}.")
    whole, lengths = array.shape(x), dict(axes_lengths)
    for i, group in enumerate(left):
        open_ones = [name for name in group if name not in lengths]
        if len(open_ones) > 1:
            raise ValueError(f"rearrange: give the lengths of all but one of {', '.join(open_ones)}.")
        if open_ones:
            known = math.prod(lengths[name] for name in group if name in lengths)
            size = x.sizes[i]
            lengths[open_ones[0]] = whole[i] // known if size is None else size // known
    x = array.reshape(x, [lengths[name] for name in names])
    order = [names.index(name) for group in right for name in group]
    x = array.transpose(x, order)
    return array.reshape(x, [math.prod([lengths[name] for name in group]) for group in right])


def _two(value: Size) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _places(size: Sequence[int], kernel: Size, dilation: Size, padding: Size, stride: Size) -> Any:
    """Return where the elements of each block stand in the padded image, as rows and columns: (kernel, blocks) each."""
    (h, w), (kh, kw), (dh, dw), (ph, pw), (sh, sw) = (_two(v) for v in (size, kernel, dilation, padding, stride))
    rows, columns = (np.arange(0, n + 2 * p - d * (k - 1), s) for n, k, d, p, s in ((h, kh, dh, ph, sh), (w, kw, dw, pw, sw)))
    y = (np.arange(kh) * dh)[:, None, None, None] + rows[:, None]
    x = (np.arange(kw) * dw)[None, :, None, None] + columns[None]
    y, x = np.broadcast_arrays(y, x)
    return (y * (w + 2 * pw) + x).reshape(kh * kw, -1).astype(np.int32)


def unfold(x: TensorLike, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Any:
    """Return the blocks of images (batch, channels, rows, columns), each as a column: (batch, channels * kernel, blocks)."""
    t = tensor(x)
    c, h, w = t.sizes[1:]
    ph, pw = _two(padding)
    at = _places((h, w), kernel_size, dilation, padding, stride)
    flat = array.reshape(array.pad(t, [[0, 0], [0, 0], [ph, ph], [pw, pw]]), [-1, c, (h + 2 * ph) * (w + 2 * pw)])
    return array.reshape(array.gather(flat, at, axis=2), [-1, c * at.shape[0], at.shape[1]])


def fold(x: TensorLike, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Any:
    """Return images whose elements are the sums of the blocks' that `unfold` takes there."""
    t = tensor(x)
    (h, w), (ph, pw) = _two(output_size), _two(padding)
    at = _places((h, w), kernel_size, dilation, padding, stride)
    c = t.sizes[1] // at.shape[0]
    values = array.transpose(array.reshape(t, [-1, c, at.size]), [2, 0, 1])
    sums = elementary.unsorted_segment_sum(values, at.reshape(-1), (h + 2 * ph) * (w + 2 * pw))
    image = array.reshape(array.transpose(sums, [1, 2, 0]), [-1, c, h + 2 * ph, w + 2 * pw])
    return image[:, :, ph : ph + h, pw : pw + w]


def _adaptive(function: Callable[..., Any], inputs: TensorLike, output_size: Size, data_format: str | None) -> Any:
    """Return a function's values over windows that share each axis evenly: from ⌊i n / m⌋ up to ⌈(i + 1) n / m⌉."""
    x = floating(inputs)
    count = len(x.sizes) - 2
    start = 2 if (data_format or image_data_format()) == "channels_first" else 1
    targets = [output_size] * count if isinstance(output_size, int) else list(output_size)
    for axis, m in zip(range(start, start + count), targets, strict=True):
        n = x.sizes[axis]
        before: list[Any] = [slice(None)] * axis
        parts = [function(x[(*before, slice(i * n // m, -(-(i + 1) * n // m)))], axis) for i in range(m)]
        x = array.stack(parts, axis)
    return x


def adaptive_average_pool(inputs: TensorLike, output_size: Size, data_format: str | None = None) -> Any:
    """Return the means of as many windows as are asked for."""
    return _adaptive(elementary.reduce_mean, inputs, output_size, data_format)


def adaptive_max_pool(inputs: TensorLike, output_size: Size, data_format: str | None = None) -> Any:
    """Return the greatest elements of as many windows as are asked for."""
    return _adaptive(elementary.reduce_max, inputs, output_size, data_format)


def associative_scan(f: Callable[[Any, Any], Any], elems: Nested, reverse: bool = False, axis: int = 0) -> Any:
    """Return f of all elements up to each along an axis, f being associative; in about 2 log₂ n steps: G. E. Blelloch (1990).

    >>> associative_scan(lambda a, b: a * b, np.array([1.0, 2.0, 3.0, 4.0])).numpy().tolist()
    [1.0, 2.0, 6.0, 24.0]
    """
    flat = [tensor(x) for x in nest.flatten(elems)]
    axis = axis_of(axis, len(flat[0].sizes))

    def cut(xs: Sequence[Tensor], *piece: int | None) -> list[Any]:
        return [x[(*[slice(None)] * axis, slice(*piece))] for x in xs]

    def joined(a: Sequence[Tensor], b: Sequence[Tensor]) -> list[Any]:
        return [tensor(y) for y in nest.flatten(f(*(nest.pack_sequence_as(elems, list(v)) for v in (a, b))))]

    if reverse:
        flat = [array.reverse(x, [axis]) for x in flat]
    distance, count = 1, flat[0].sizes[axis]
    while distance < count:  # each holds what the `distance` elements up to it make
        whole = joined(cut(flat, None, -distance), cut(flat, distance, None))
        flat = [array.concat([a, b], axis) for a, b in zip(cut(flat, None, distance), whole, strict=True)]
        distance *= 2
    if reverse:
        flat = [array.reverse(x, [axis]) for x in flat]
    return nest.pack_sequence_as(elems, flat)


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Collection[int | str] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """Return a function that applies another to all elements of its arguments, which are broadcast to each other.

    Raises:
        NotImplementedError: for a signature: see `vectorized_map` for rows.
    """
    if signature is not None:
        raise NotImplementedError("vectorize: a signature is not served; vectorized_map takes a function of rows.")
    left_out = set(excluded or ())

    def over_all(*arguments: TensorLike) -> Any:
        places = [i for i in range(len(arguments)) if i not in left_out]
        given = [tensor(arguments[i]) for i in places]
        sizes = array.shape(given[0])
        for x in given[1:]:
            sizes = array.broadcast_dynamic_shape(sizes, array.shape(x))
        rows = tuple(array.reshape(array.broadcast_to(x, sizes), [-1]) for x in given)

        def one(scalars: Sequence[Tensor]) -> Any:
            values = list(arguments)
            for i, scalar in zip(places, scalars, strict=True):
                values[i] = scalar
            return pyfunc(*values)

        found: Any = control.vectorized_map(one, rows)
        return nest.map_structure(lambda y: array.reshape(y, sizes), found)

    return over_all
