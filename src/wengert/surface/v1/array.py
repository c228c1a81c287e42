"""The functions about shapes and values at TensorFlow 1's top that have other arguments than TensorFlow 2's."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array as two
from wengert.functions import nn
from wengert.ground import dtypes, shapes
from wengert.ground.errors import InvalidArgumentError
from wengert.surface.v1.keywords import renamed
from wengert.tensor.tensor import convert

__all__ = [
    "batch_gather",
    "boolean_mask",
    "constant",
    "convert_to_tensor",
    "expand_dims",
    "extract_image_patches",
    "gather",
    "gather_nd",
    "ones_like",
    "pad",
    "reverse_sequence",
    "setdiff1d",
    "shape",
    "size",
    "sparse_to_dense",
    "squeeze",
    "transpose",
    "where",
    "zeros_like",
]


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = "Const", verify_shape: bool = False) -> Any:
    """Return a constant; fewer values than the shape has places are filled up with the last one.

    Raises:
        TypeError: with ``verify_shape``, unless the value has the shape.
    """
    if shape is None:
        return two.constant(value, dtype, None, name)
    wanted = shapes.as_shape(shape)
    plain = two.constant(value, dtype)
    if verify_shape and plain.sizes != wanted:
        raise TypeError(f"Expected Tensor's shape: {shapes.text(wanted)}, got {shapes.text(plain.sizes)}.")
    return two.constant(value, dtype, wanted, name)


def convert_to_tensor(
    value: Any, dtype: Any = None, name: str | None = None, preferred_dtype: Any = None, dtype_hint: Any = None
) -> Any:
    """Return a value as a tensor; the preferred dtype is taken if the value allows."""
    return two.convert_to_tensor(value, dtype, renamed("dtype_hint", dtype_hint, "preferred_dtype", preferred_dtype), name)


def shape(input: Any, name: str | None = None, out_type: Any = dtypes.int32) -> Any:
    """Return the shape of a tensor as an integer tensor."""
    return two.shape(input, dtypes.as_dtype(out_type), name)


def size(input: Any, name: str | None = None, out_type: Any = dtypes.int32) -> Any:
    """Return the number of elements of a tensor."""
    return two.size(input, dtypes.as_dtype(out_type), name)


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Return zeros of the shape of a tensor."""
    return two.zeros_like(tensor, dtype, name)


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Return ones of the shape of a tensor."""
    return two.ones_like(tensor, dtype, name)


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """Return the tensor with a new axis of size 1."""
    place = renamed("axis", axis, "dim", dim)
    if place is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return two.expand_dims(input, place, name)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """Return the tensor without its axes of size 1."""
    return two.squeeze(input, renamed("axis", axis, "squeeze_dims", squeeze_dims), name)


def transpose(a: Any, perm: Any = None, name: str | None = "transpose", conjugate: bool = False) -> Any:
    """Return the tensor with its axes permuted."""
    return two.transpose(a, perm, conjugate, name)


def extract_image_patches(
    images: Any, ksizes: Any = None, strides: Any = None, rates: Any = None, padding: Any = None, name: str | None = None,
    sizes: Any = None,
) -> Any:  # fmt: skip
    """Return the pixels of windows as channels, as `tf.image.extract_patches`; ``sizes`` is another name of ksizes."""
    return nn.extract_patches(images, renamed("ksizes", ksizes, "sizes", sizes), strides, rates, padding, name)


def gather(
    params: Any, indices: Any, validate_indices: Any = None, name: str | None = None, axis: Any = None, batch_dims: Any = 0
) -> Any:
    """Return the slices of a tensor at some indices of an axis."""
    return two.gather(params, indices, validate_indices, axis, batch_dims, name)


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """Return the slices at indices, row by row."""
    at = convert(indices)
    if at.ndim is None:
        raise ValueError("batch_gather: the rank of the indices must be known.")
    return two.gather(params, at, None, at.ndim - 1, at.ndim - 1, name)


def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: Any = 0) -> Any:
    """Return the elements or slices at coordinates."""
    return two.gather_nd(params, indices, batch_dims, name)


def boolean_mask(tensor: Any, mask: Any, name: str | None = "boolean_mask", axis: Any = None) -> Any:
    """Return the elements where a mask is True."""
    return two.boolean_mask(tensor, mask, axis, name)


def pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0) -> Any:
    """Return the tensor with a margin."""
    return two.pad(tensor, paddings, mode, constant_values, name)


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: Any = None,
    batch_axis: Any = None,
    name: str | None = None,
    seq_dim: Any = None,
    batch_dim: Any = None,
) -> Any:
    """Return the tensor with the start of each sequence reversed."""
    along = renamed("seq_axis", seq_axis, "seq_dim", seq_dim)
    return two.reverse_sequence(input, seq_lengths, along, renamed("batch_axis", batch_axis, "batch_dim", batch_dim, 0), name)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Return x where a condition holds and y elsewhere; a vector condition chooses among the rows of x and y.

    Raises:
        InvalidArgumentError: (a ValueError) if x and y have different shapes.
    """
    if x is None and y is None:
        return two.where(condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    test = convert(condition)
    left = convert(x)
    right = convert(y, like=left)
    if left.nptype != right.nptype and not hasattr(x, "sizes"):
        left = convert(x, like=right)
    if not shapes.fits(left.sizes, right.sizes):
        raise InvalidArgumentError(
            f"where: x and y must have the same shape, not {shapes.text(left.sizes)} and {shapes.text(right.sizes)}."
        )
    rank = None if left.sizes is None else len(left.sizes)
    if test.sizes is not None and len(test.sizes) == 1 and rank is not None and rank > 1:
        test = two.reshape(test, [-1, *([1] * (rank - 1))])
    return two.where(test, left, right, name)


def setdiff1d(x: Any, y: Any, index_dtype: Any = dtypes.int32, name: str | None = None) -> Any:
    """Return the elements of x that are not in y, and where they stand."""
    a, b = two.get_static_value(convert(x)), two.get_static_value(convert(y))
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        if a is not None and b is not None:
            raise InvalidArgumentError("setdiff1d: x and y must be vectors.")
        raise NotImplementedError("setdiff1d: the values must be known while the graph is built.")
    if a.ndim != 1 or b.ndim != 1:
        raise InvalidArgumentError(f"setdiff1d takes vectors, not shapes {a.shape} and {b.shape}.")
    keep = np.nonzero(~np.isin(a, b))[0]
    return two.constant(a[keep]), two.constant(keep.astype(dtypes.as_dtype(index_dtype).numpy))


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Any:
    """Return a tensor of a default value, with values at some places."""
    values = convert(sparse_values)
    whole = two.fill(output_shape, convert(default_value, like=values))
    at = convert(sparse_indices)
    if at.ndim is not None and at.ndim < 2:
        at = two.reshape(at, [-1, 1])
        values = two.broadcast_to(values, two.shape(at)[:1])
    return two.tensor_scatter_nd_update(whole, at, values)
