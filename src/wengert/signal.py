"""TensorFlow's ``tf.signal``: Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import dtypes
from wengert.errors import DTypeError, ShapeError
from wengert.functions import array
from wengert.functions import math as elementary
from wengert.functions.array import cast
from wengert.ops.spectral import FFT, IFFT
from wengert.tensor import apply, convert

__all__ = ["fft", "fft2d", "fft3d", "fftshift", "ifft", "ifft2d", "ifft3d", "ifftshift", "irfft", "rfft"]


def _complex(value: Any, what: str, axes: int) -> Any:
    x = convert(value)
    if x.nptype.kind != "c":
        raise DTypeError(f"{what} takes a complex tensor, not {x.dtype.name}: convert it first with cast(x, complex64).")
    if x.sizes is not None and len(x.sizes) < axes:
        raise ShapeError(f"{what} takes a tensor with at least {axes} axes, not shape {x.shape}.")
    return x


def _over(op: Any, value: Any, axes: int, what: str, name: str | None) -> Any:
    """Apply a transform of the last axis to the last few, one after the other."""
    x = _complex(value, what, axes)
    y = apply(op, (x,), {}, name)
    rank = x.ndim
    if axes > 1 and rank is None:
        raise ShapeError(f"{what}: the rank must be known.")
    for k in range(2, axes + 1):
        order = list(range(rank))
        order[-1], order[-k] = order[-k], order[-1]
        y = array.transpose(apply(op, (array.transpose(y, order),)), order)
    return y


def fft(input: Any, name: str | None = None) -> Any:
    """Return the discrete Fourier transform along the last axis.

    >>> import wengert as tf
    >>> tf.signal.fft(tf.constant([1.0, 0.0], tf.complex64)).numpy().tolist()
    [(1+0j), (1+0j)]
    """
    return _over(FFT, input, 1, "fft", name)


def ifft(input: Any, name: str | None = None) -> Any:
    """Return the inverse transform along the last axis."""
    return _over(IFFT, input, 1, "ifft", name)


def fft2d(input: Any, name: str | None = None) -> Any:
    """Return the transform along the last two axes."""
    return _over(FFT, input, 2, "fft2d", name)


def ifft2d(input: Any, name: str | None = None) -> Any:
    """Return the inverse transform along the last two axes."""
    return _over(IFFT, input, 2, "ifft2d", name)


def fft3d(input: Any, name: str | None = None) -> Any:
    """Return the transform along the last three axes."""
    return _over(FFT, input, 3, "fft3d", name)


def ifft3d(input: Any, name: str | None = None) -> Any:
    """Return the inverse transform along the last three axes."""
    return _over(IFFT, input, 3, "ifft3d", name)


def _resized(x: Any, n: int) -> Any:
    """Return x with its last axis cut, or filled up with zeros, to n."""
    have = x.sizes[-1]
    if have >= n:
        return x[..., :n]
    return array.pad(x, [[0, 0]] * (x.ndim - 1) + [[0, n - have]])


def _length(x: Any, given: Any, default: Any, what: str) -> int:
    if given is not None:
        return array.integers_of(given, "fft_length")[-1]
    if default is None:
        raise ShapeError(f"{what}: the last axis must be known, or fft_length given.")
    return int(default)


def rfft(input_tensor: Any, fft_length: Any = None, Tcomplex: Any = None, name: str | None = None) -> Any:
    """Return the transform of real values along the last axis: its first n // 2 + 1 components."""
    x = convert(input_tensor)
    if x.nptype.kind != "f":
        raise DTypeError(f"rfft takes a real tensor, not {x.dtype.name}.")
    n = _length(x, fft_length, x.sizes[-1], "rfft")
    kind = dtypes.complex128 if x.nptype == np.float64 else dtypes.complex64
    return fft(cast(_resized(x, n), kind), name)[..., : n // 2 + 1]


def irfft(input_tensor: Any, fft_length: Any = None, Treal: Any = None, name: str | None = None) -> Any:
    """Return the real values of which `rfft` gives the components: n = fft_length or 2 (m - 1) of them."""
    x = _complex(input_tensor, "irfft", 1)
    n = _length(x, fft_length, 2 * (x.sizes[-1] - 1), "irfft")
    m = n // 2 + 1
    half = _resized(x, m)
    rest = elementary.conj(array.reverse(half[..., 1 : n - m + 1], [-1]))
    return elementary.real(ifft(array.concat([half, rest], -1), name))


def _axes(x: Any, axes: Any) -> list[int]:
    if axes is None:
        return list(range(x.ndim))
    return list(array.integers_of(axes, "axes"))


def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Any:
    """Return the tensor with the zero frequency moved to the middle."""
    t = convert(x)
    chosen = _axes(t, axes)
    return array.roll(t, [t.sizes[a] // 2 for a in chosen], chosen, name)


def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Any:
    """Return the tensor with the zero frequency moved to the front."""
    t = convert(x)
    chosen = _axes(t, axes)
    return array.roll(t, [-(t.sizes[a] // 2) for a in chosen], chosen, name)
