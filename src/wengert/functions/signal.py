"""TensorFlow's ``tf.signal``: Fourier transforms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.functions.array import cast
from wengert.ground import dtypes
from wengert.ground.errors import DTypeError, ShapeError
from wengert.ground.types import Array
from wengert.ops.op import Op
from wengert.ops.spectral import FFT, IFFT
from wengert.tensor.tensor import AxisLike, TensorLike, apply, convert

__all__ = [
    "fft",
    "fft2d",
    "fft3d",
    "fftshift",
    "ifft",
    "ifft2d",
    "ifft3d",
    "ifftshift",
    "irfft",
    "irfft2d",
    "irfft3d",
    "rfft",
    "rfft2d",
    "rfft3d",
]


def _complex(value: TensorLike, what: str, axes: int) -> Any:
    x = convert(value)
    if x.nptype.kind != "c":
        raise DTypeError(f"{what} takes a complex tensor, not {x.dtype.name}: convert it first with cast(x, complex64).")
    if x.sizes is not None and len(x.sizes) < axes:
        raise ShapeError(f"{what} takes a tensor with at least {axes} axes, not shape {x.shape}.")
    return x


def _over(op: Op, value: TensorLike, axes: int, what: str, name: str | None) -> Any:
    """Apply a transform of the last axis to the last few, one after the other."""
    return _along(op, apply(op, (_complex(value, what, axes),), {}, name), range(2, axes + 1), what)


def _along(op: Op, y: Array, places: Iterable[int], what: str) -> Any:
    """Apply a transform of the last axis to others, counted from the end."""
    for k in places:
        if y.ndim is None:
            raise ShapeError(f"{what}: the rank must be known.")
        order = list(range(y.ndim))
        order[-1], order[-k] = order[-k], order[-1]
        y = array.transpose(apply(op, (array.transpose(y, order),)), order)
    return y


def fft(input: TensorLike, name: str | None = None) -> Any:
    """Return the discrete Fourier transform along the last axis.

    >>> import wengert as tf
    >>> tf.signal.fft(tf.constant([1.0, 0.0], tf.complex64)).numpy().tolist()
    [(1+0j), (1+0j)]
    """
    return _over(FFT, input, 1, "fft", name)


def ifft(input: TensorLike, name: str | None = None) -> Any:
    """Return the inverse transform along the last axis."""
    return _over(IFFT, input, 1, "ifft", name)


def fft2d(input: TensorLike, name: str | None = None) -> Any:
    """Return the transform along the last two axes."""
    return _over(FFT, input, 2, "fft2d", name)


def ifft2d(input: TensorLike, name: str | None = None) -> Any:
    """Return the inverse transform along the last two axes."""
    return _over(IFFT, input, 2, "ifft2d", name)


def fft3d(input: TensorLike, name: str | None = None) -> Any:
    """Return the transform along the last three axes."""
    return _over(FFT, input, 3, "fft3d", name)


def ifft3d(input: TensorLike, name: str | None = None) -> Any:
    """Return the inverse transform along the last three axes."""
    return _over(IFFT, input, 3, "ifft3d", name)


def resized(x: Any, lengths: Sequence[int]) -> Any:
    """Return x with its last axes cut, or filled up with zeros, to the lengths."""
    have = x.sizes[x.ndim - len(lengths) :]
    x = x[(..., *(slice(n) for n in lengths))]
    more = [[0, max(n - m, 0)] for n, m in zip(lengths, have, strict=True)]
    return array.pad(x, [[0, 0]] * (x.ndim - len(more)) + more) if any(n for _, n in more) else x


def _lengths(x: Any, given: Any, axes: int, last: int, what: str) -> list[int]:
    """Return the sizes of the real side along the last axes; ``last``: what the last one is where it is not given."""
    if x.sizes is None or len(x.sizes) < axes or None in x.sizes[-axes:]:
        raise ShapeError(f"{what} takes a tensor with at least {axes} axes, whose sizes are known, not shape {x.shape}.")
    if given is None:
        return [*x.sizes[-axes:-1], last]
    lengths = list(array.integers_of(given, "fft_length"))
    if len(lengths) != axes or min(lengths) < 0:
        raise ShapeError(f"{what}: fft_length holds {axes} sizes, not {lengths}.")
    return lengths


def _real_over(value: TensorLike, fft_length: TensorLike | None, axes: int, what: str, name: str | None) -> Any:
    x = convert(value)
    if x.nptype.kind != "f":
        raise DTypeError(f"{what} takes a real tensor, not {x.dtype.name}.")
    lengths = _lengths(x, fft_length, axes, x.sizes[-1] if x.sizes else 0, what)
    kind = dtypes.complex128 if x.nptype == np.float64 else dtypes.complex64
    return _along(FFT, fft(cast(resized(x, lengths), kind), name)[..., : lengths[-1] // 2 + 1], range(2, axes + 1), what)


def _to_real_over(value: TensorLike, fft_length: TensorLike | None, axes: int, what: str, name: str | None) -> Any:
    x = _complex(value, what, axes)
    *rest, n = _lengths(x, fft_length, axes, 2 * ((x.sizes[-1] or 1) - 1) if x.sizes else 0, what)
    m = n // 2 + 1
    half = _along(IFFT, resized(x, [*rest, m]), range(axes, 1, -1), what)
    other = elementary.conj(array.reverse(half[..., 1 : n - m + 1], [-1]))
    return elementary.real(ifft(array.concat([half, other], -1), name))


def rfft(input_tensor: TensorLike, fft_length: TensorLike | None = None, Tcomplex: Any = None, name: str | None = None) -> Any:
    """Return the transform of real values along the last axis: its first n // 2 + 1 components."""
    return _real_over(input_tensor, fft_length, 1, "rfft", name)


def rfft2d(input_tensor: TensorLike, fft_length: TensorLike | None = None, Tcomplex: Any = None, name: str | None = None) -> Any:
    """Return the transform of real values along the last two axes: of the last one the first n // 2 + 1 components."""
    return _real_over(input_tensor, fft_length, 2, "rfft2d", name)


def rfft3d(input_tensor: TensorLike, fft_length: TensorLike | None = None, Tcomplex: Any = None, name: str | None = None) -> Any:
    """Return the transform of real values along the last three axes: of the last one the first n // 2 + 1 components."""
    return _real_over(input_tensor, fft_length, 3, "rfft3d", name)


def irfft(input_tensor: TensorLike, fft_length: TensorLike | None = None, Treal: Any = None, name: str | None = None) -> Any:
    """Return the real values of which `rfft` gives the components: n = fft_length or 2 (m - 1) of them."""
    return _to_real_over(input_tensor, fft_length, 1, "irfft", name)


def irfft2d(input_tensor: TensorLike, fft_length: TensorLike | None = None, Treal: Any = None, name: str | None = None) -> Any:
    """Return the real values of which `rfft2d` gives the components."""
    return _to_real_over(input_tensor, fft_length, 2, "irfft2d", name)


def irfft3d(input_tensor: TensorLike, fft_length: TensorLike | None = None, Treal: Any = None, name: str | None = None) -> Any:
    """Return the real values of which `rfft3d` gives the components."""
    return _to_real_over(input_tensor, fft_length, 3, "irfft3d", name)


def _axes(x: Array, axes: AxisLike | None) -> list[int]:
    if axes is None:
        return list(range(x.ndim))
    return list(array.integers_of(axes, "axes"))


def fftshift(x: TensorLike, axes: AxisLike | None = None, name: str | None = None) -> Any:
    """Return the tensor with the zero frequency moved to the middle."""
    t = convert(x)
    chosen = _axes(t, axes)
    return array.roll(t, [t.sizes[a] // 2 for a in chosen], chosen, name)


def ifftshift(x: TensorLike, axes: AxisLike | None = None, name: str | None = None) -> Any:
    """Return the tensor with the zero frequency moved to the front."""
    t = convert(x)
    chosen = _axes(t, axes)
    return array.roll(t, [-(t.sizes[a] // 2) for a in chosen], chosen, name)
