"""Blocks of space: as channels (`space_to_depth`), as batches (`space_to_batch`), and back. They only move elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.ground.errors import InvalidArgumentError, ShapeError
from wengert.ground.shapes import text
from wengert.tensor.tensor import EagerTensor, Tensor, TensorLike, convert, value_of

__all__ = ["batch_to_space", "depth_to_space", "space_to_batch", "space_to_depth"]


def _sizes(x: Tensor) -> list[Any]:
    """Return the size of each axis: a number where it is known, else a tensor."""
    if x.sizes is None:
        raise ShapeError("blocks of space need to know the rank of the tensor.")
    known: list[Any] = list(x.sizes)
    return [array.shape(x)[a] if size is None else size for a, size in enumerate(known)]


def _image(input: TensorLike, data_format: str, name: str) -> Any:
    """Return images, channels last."""
    x = convert(input)
    if not isinstance(data_format, str) or data_format not in ("NHWC", "NCHW"):
        raise InvalidArgumentError(f"{name}: data_format is NHWC or NCHW, not {data_format!r}.")
    if x.sizes is not None and len(x.sizes) != 4:
        raise ShapeError(f"{name} takes images of four axes, not of shape {text(x.sizes)}.")
    return array.transpose(x, [0, 2, 3, 1]) if data_format == "NCHW" else x


def _as_it_was(x: Tensor, data_format: str) -> Any:
    return array.transpose(x, [0, 3, 1, 2]) if data_format == "NCHW" else x


def _count(value: TensorLike, what: str) -> int:
    """Return a size of a block."""
    count = array.integer_of(value, what)
    if count < 1:
        raise InvalidArgumentError(f"{what} is 1 or more, not {count}.")
    return count


def _listed(pairs: TensorLike) -> list[Any]:
    found = value_of(pairs)
    found = found.array if isinstance(found, EagerTensor) else found
    if not isinstance(found, list | tuple) and not (isinstance(found, np.ndarray) and found.ndim):
        raise InvalidArgumentError(f"for each axis two numbers are wanted, not {pairs!r}.")
    return list(found)


def _parts(size: Any, by: int, what: str) -> Any:
    """Return a size over a number that divides it."""
    if isinstance(size, int) and size % by:
        raise InvalidArgumentError(f"{what} of size {size} is not divided by {by}.")
    return size // by


def space_to_depth(input: TensorLike, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Any:
    """Return images (n, h, w, c) as (n, h/b, w/b, b·b·c): each block of pixels is the channels of one.

    Raises:
        InvalidArgumentError: (a ValueError) if the block does not divide height and width.

    >>> space_to_depth([[[[1], [2]], [[3], [4]]]], 2).numpy().tolist()
    [[[[1, 2, 3, 4]]]]
    """
    x, b = _image(input, data_format, "space_to_depth"), _count(block_size, "block_size")
    n, h, w, c = _sizes(x)
    rows, columns = _parts(h, b, "space_to_depth: height"), _parts(w, b, "space_to_depth: width")
    split = array.transpose(array.reshape(x, [n, rows, b, columns, b, c]), [0, 1, 3, 2, 4, 5])
    return _as_it_was(array.reshape(split, [n, rows, columns, b * b * c]), data_format)


def depth_to_space(input: TensorLike, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Any:
    """Return images (n, h, w, c) as (n, h·b, w·b, c/(b·b)): the channels of each pixel are a block of them.

    Raises:
        InvalidArgumentError: (a ValueError) if the block does not divide the channels.

    >>> depth_to_space([[[[1, 2, 3, 4]]]], 2).numpy().tolist()
    [[[[1], [2]], [[3], [4]]]]
    """
    x, b = _image(input, data_format, "depth_to_space"), _count(block_size, "block_size")
    n, h, w, c = _sizes(x)
    depth = _parts(c, b * b, "depth_to_space: depth")
    split = array.transpose(array.reshape(x, [n, h, w, b, b, depth]), [0, 1, 3, 2, 4, 5])
    return _as_it_was(array.reshape(split, [n, h * b, w * b, depth]), data_format)


def _block(block_shape: TensorLike | int, pairs: TensorLike) -> tuple[list[int], list[tuple[int, ...]]]:
    ends = [tuple(array.integers_of(pair, "what is put at, or cut from, the ends")) for pair in _listed(pairs)]
    if any(len(pair) != 2 or min(pair) < 0 for pair in ends):
        raise InvalidArgumentError(f"for each axis two numbers, 0 or more, are put at or cut from its ends, not {pairs!r}.")
    block = [_count(b, "a block's size") for b in array.integers_of(block_shape, "block_shape")]
    block *= len(ends) if np.ndim(value_of(block_shape)) == 0 else 1
    if len(block) != len(ends):
        raise InvalidArgumentError(f"a block of {len(block)} sizes takes so many pairs, and there are {len(ends)}.")
    return block, ends


def _covered(x: Tensor, k: int) -> None:
    if x.sizes is not None and len(x.sizes) <= k:
        raise ShapeError(f"a block of {k} axes takes a tensor of more of them, not of shape {text(x.sizes)}.")


def space_to_batch(input: TensorLike, block_shape: TensorLike | int, paddings: TensorLike, name: str | None = None) -> Any:
    """Return each place within a block as an element of the batch, of the tensor with zeros at its edges.

    >>> space_to_batch([[[[1], [2]], [[3], [4]]]], [2, 2], [[0, 0], [0, 0]]).numpy().ravel().tolist()
    [1, 2, 3, 4]
    """
    block, ends = _block(block_shape, paddings)
    x = convert(input)
    k, rank = len(block), len(_sizes(x))
    _covered(x, k)
    x = array.pad(x, [(0, 0), *ends, *[(0, 0)] * (rank - k - 1)])
    n, *sizes = _sizes(x)
    counts = [_parts(s, b, "space_to_batch: an axis") for s, b in zip(sizes, block, strict=False)]
    split = array.reshape(x, [n, *_mixed(counts, block), *sizes[k:]])
    order = [*range(2, 2 * k + 1, 2), 0, *range(1, 2 * k, 2), *range(2 * k + 1, rank + k)]
    return array.reshape(array.transpose(split, order), [n * int(np.prod(block)), *counts, *sizes[k:]])


def batch_to_space(input: TensorLike, block_shape: TensorLike | int, crops: TensorLike, name: str | None = None) -> Any:
    """Return the tensor that `space_to_batch` was applied to, less what is cropped from its edges.

    >>> batch_to_space([[[[1]]], [[[2]]], [[[3]]], [[[4]]]], [2, 2], [[0, 0], [0, 0]]).numpy().ravel().tolist()
    [1, 2, 3, 4]
    """
    block, ends = _block(block_shape, crops)
    x = convert(input)
    n, *sizes = _sizes(x)
    k, rank = len(block), len(sizes) + 1
    _covered(x, k)
    rest = _parts(n, int(np.prod(block)), "batch_to_space: the batch")
    split = array.reshape(x, [*block, rest, *sizes])
    order = [k, *_mixed(list(range(k + 1, 2 * k + 1)), list(range(k))), *range(2 * k + 1, rank + k)]
    whole = [s * b for s, b in zip(sizes, block, strict=False)]
    found = array.reshape(array.transpose(split, order), [rest, *whole, *sizes[k:]])
    index = [slice(a, None if b == 0 else -b) for a, b in ends]
    return found[(slice(None), *index)]


def _mixed(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    return [size for pair in zip(first, second, strict=True) for size in pair]
