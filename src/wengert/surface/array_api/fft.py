"""The fft extension of the array API standard: discrete Fourier transforms, by the operations of `tf.signal`.

``norm`` says which side carries the factor 1 / n: the inverse ("backward"), the transform ("forward"), or both, its
root ("ortho").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wengert.functions import math as elementary
from wengert.functions import signal
from wengert.functions.numpy import arrangement as shaping
from wengert.functions.numpy.promotion import asarray, dtype_of, float_type, floating
from wengert.ground.dtypes import DtypeLike
from wengert.ground.types import NumPyArray
from wengert.surface.array_api.dtypes import device_in
from wengert.tensor.tensor import AxisLike, Tensor, TensorLike, cast, convert

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft", "rfftfreq",
    "rfftn",
]  # fmt: skip

Transform = Callable[[Tensor, int | None], tuple[Tensor, int]]
"""A function along the last axis, with its length: it returns what it gives, and the length that the factor goes by."""

POWERS = {"backward": (0.0, 0.0), "ortho": (-0.5, 0.5), "forward": (-1.0, 1.0)}
"""The power of n in the factor of the transform, and in that of the inverse beside its own 1 / n."""


def _complex(x: Tensor) -> Tensor:
    return cast(x, np.result_type(x.nptype, np.complex64))  # type: ignore[no-any-return]


def _of_length(x: Tensor, n: int | None) -> Tensor:
    return x if n is None else signal.resized(x, [n])


def _forward(x: Tensor, n: int | None) -> tuple[Tensor, int]:
    y = _of_length(_complex(x), n)
    return signal.fft(y), y.sizes[-1]


def _inverse(x: Tensor, n: int | None) -> tuple[Tensor, int]:
    y = _of_length(_complex(x), n)
    return signal.ifft(y), y.sizes[-1]


def _of_real(x: Tensor, n: int | None) -> tuple[Tensor, int]:
    length = x.sizes[-1] if n is None else n
    return signal.rfft(x, [length]), length


def _to_real(x: Tensor, n: int | None) -> tuple[Tensor, int]:
    length = 2 * (x.sizes[-1] - 1) if n is None else n
    return signal.irfft(_complex(x), [length]), length


def _along(transform: Transform, x: Tensor, n: int | None, axis: int, norm: str, inverse: bool) -> Tensor:
    """Return a transform along an axis, with its factor."""
    if norm not in POWERS:
        raise ValueError(f"norm is one of {', '.join(POWERS)}, not {norm!r}.")
    found, length = transform(shaping.moveaxis(x, axis, -1), n)
    power = POWERS[norm][inverse]
    found = found * float(length) ** power if power else found
    return shaping.moveaxis(found, -1, axis)  # type: ignore[no-any-return]


def fft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the transform Σ x_j exp(-2πi jk/n) along an axis, which is cut or filled with zeros to length n.

    >>> fft([1.0, 0.0]).numpy().tolist()
    [(1+0j), (1+0j)]
    """
    return _along(_forward, floating(x), n, axis, norm, False)


def ifft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the inverse transform along an axis."""
    return _along(_inverse, floating(x), n, axis, norm, True)


def rfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the transform of real values along an axis: its first n // 2 + 1 components."""
    return _along(_of_real, floating(x), n, axis, norm, False)


def irfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the n real values, 2 (m - 1) by default, of which `rfft` gives the m components along an axis."""
    return _along(_to_real, floating(x), n, axis, norm, True)


def hfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the real transform, n components, of values whose other half are the conjugates of these."""

    def transform(x: Tensor, n: int | None) -> tuple[Tensor, int]:
        found, length = _to_real(elementary.conj(x), n)
        return found * float(length), length

    return _along(transform, floating(x), n, axis, norm, False)


def ihfft(x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """Return the first n // 2 + 1 of the values of which `hfft` gives the real transform."""

    def transform(x: Tensor, n: int | None) -> tuple[Tensor, int]:
        found, length = _of_real(x, n)
        return elementary.conj(found) * (1.0 / length), length

    return _along(transform, floating(x), n, axis, norm, True)


def _several(x: Tensor, s: Sequence[int] | None, axes: Sequence[int] | None) -> list[tuple[int, int | None]]:
    """Return the axes of a transform of several, each with its length."""
    if axes is None:
        rank = len(x.sizes)
        axes = range(rank) if s is None else range(rank - len(s), rank)
    if s is not None and len(s) != len(axes):
        raise ValueError(f"s holds a length for each of the axes {list(axes)}, not {list(s)}.")
    lengths: Sequence[int | None] = [None] * len(axes) if s is None else s
    return list(zip(axes, lengths, strict=True))


def fftn(
    x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the transform along several axes, all by default."""
    found = floating(x)
    for axis, n in _several(found, s, axes):
        found = fft(found, n=n, axis=axis, norm=norm)
    return found  # type: ignore[no-any-return]


def ifftn(
    x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the inverse transform along several axes, all by default."""
    found = floating(x)
    for axis, n in _several(found, s, axes):
        found = ifft(found, n=n, axis=axis, norm=norm)
    return found  # type: ignore[no-any-return]


def rfftn(
    x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the transform of real values along several axes, of the last one the first n // 2 + 1 components."""
    found = floating(x)
    *others, (axis, n) = _several(found, s, axes)
    found = rfft(found, n=n, axis=axis, norm=norm)
    for axis, n in others:
        found = fft(found, n=n, axis=axis, norm=norm)
    return found


def irfftn(
    x: TensorLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """Return the real values of which `rfftn` gives the components."""
    found = floating(x)
    *others, (last, length) = _several(found, s, axes)
    for axis, n in others:
        found = ifft(found, n=n, axis=axis, norm=norm)
    return irfft(found, n=length, axis=last, norm=norm)


def _frequencies(values: NumPyArray, dtype: DtypeLike | None, device: str | None) -> Tensor:
    device_in(device)
    return convert(values.astype(float_type() if dtype is None else dtype_of(dtype)))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return the frequencies of the components of `fft`, for n values at distances d: cycles per unit of d."""
    return _frequencies(np.fft.fftfreq(n, d), dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DtypeLike | None = None, device: str | None = None) -> Tensor:
    """Return the frequencies of the components of `rfft`, for n values at distances d: cycles per unit of d."""
    return _frequencies(np.fft.rfftfreq(n, d), dtype, device)


def fftshift(x: TensorLike, /, *, axes: AxisLike | None = None) -> Tensor:
    """Return a tensor with the zero frequency moved to the middle."""
    return signal.fftshift(asarray(x), axes)  # type: ignore[no-any-return]


def ifftshift(x: TensorLike, /, *, axes: AxisLike | None = None) -> Tensor:
    """Return a tensor with the zero frequency moved to the front."""
    return signal.ifftshift(asarray(x), axes)  # type: ignore[no-any-return]
