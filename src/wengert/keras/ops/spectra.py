"""Short-time Fourier transforms, factors of matrices as LAPACK keeps them, and numbers seen as others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike
from wengert.keras.configuration import standardize_dtype
from wengert.keras.ops.algebra import irfft, rfft
from wengert.keras.ops.promotion import floating, tensor
from wengert.keras.ops.windows import extract_sequences
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["istft", "lu_factor", "polar", "stft", "view"]


def _window(window: str | TensorLike | None, length: int, fft_length: int, like: Tensor) -> Any:
    """Return a window in the middle of ``fft_length`` elements; None for none.

    Raises:
        ValueError: for a name other than "hann" and "hamming", and for a window of another length.
    """
    if fft_length < length:
        raise ValueError(
            "`fft_length` must equal or larger than `sequence_length`. Received: "
            f"sequence_length={length}, fft_length={fft_length}"
        )
    if window is None:
        return None
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                f'If a string is passed to `window`, it must be one of `"hann"`, `"hamming"`. Received: window={window}'
            )
        # Periodic where the length is even, symmetric where it is odd, as TensorFlow's are.
        share = 0.5 if window == "hann" else 0.54
        at = np.arange(length) / max(length - length % 2, 1)
        window = share - (1.0 - share) * np.cos(2.0 * np.pi * at) if length > 1 else np.ones(1)
    found = array.cast(tensor(window), like.dtype)
    if tuple(found.sizes) != (length,):
        raise ValueError(f"The shape of `window` must be equal to [sequence_length]. Received: window shape={tuple(found.sizes)}")
    before = (fft_length - length) // 2
    return array.pad(found, [[before, fft_length - length - before]])


def stft(
    x: TensorLike, sequence_length: int, sequence_stride: int, fft_length: int, window: str | TensorLike | None = "hann",
    center: bool = True,
) -> tuple[Any, Any]:  # fmt: skip
    """Return real and imaginary parts of the Fourier transforms of pieces of sequences: (..., pieces, fft_length // 2 + 1).

    Args:
        x: real sequences, along the last axis.
        sequence_length: how long the window is.
        sequence_stride: how far apart the pieces begin.
        fft_length: how long the pieces are; the window stands in their middle.
        window: "hann", "hamming", a window of this length, or None.
        center: whether the sequences are continued at both ends, mirrored, so that pieces are centred at their elements.

    Raises:
        TypeError: for sequences that are not of floats.
        ValueError: for a window that there is not, and for pieces shorter than it.

    >>> real, imaginary = stft(np.cos(np.arange(8.0)), 4, 2, 4)
    >>> real.shape, imaginary.shape
    (TensorShape([5, 3]), TensorShape([5, 3]))
    """
    given = tensor(x)
    if given.nptype.kind != "f":
        raise TypeError(f"Invalid input type. Expected `float32` or `float64`. Received: input type={given.dtype.name}")
    bell = _window(window, sequence_length, fft_length, given)
    if center:
        half = fft_length // 2
        given = array.pad(given, [*[[0, 0]] * (len(given.sizes) - 1), [half, half]], "REFLECT")
    pieces = extract_sequences(given, fft_length, sequence_stride)
    return rfft(pieces if bell is None else pieces * bell, fft_length)


def istft(
    x: Sequence[TensorLike], sequence_length: int, sequence_stride: int, fft_length: int, length: int | None = None,
    window: str | TensorLike | None = "hann", center: bool = True,
) -> Any:  # fmt: skip
    """Return the sequences of which `stft`, with the same arguments, gives these parts; ``length`` says how long they were.

    >>> x = np.cos(np.arange(16.0))
    >>> bool(np.allclose(istft(stft(x, 4, 2, 4), 4, 2, 4, length=16), x))
    True
    """
    pieces = irfft(x, fft_length)
    bell = _window(window, sequence_length, fft_length, pieces)
    if bell is not None:
        # Each piece times its window, over the sum of the squares of all windows that lie there.
        rest = -fft_length % sequence_stride
        squares = array.reshape(array.pad(bell * bell, [[0, rest]]), [-1, sequence_stride])
        total = array.tile(elementary.reduce_sum(squares, 0), [squares.sizes[0]])[:fft_length]
        pieces = pieces * (bell / total)
    sequences = _overlapped(pieces, sequence_stride)
    start = fft_length // 2 if center else 0
    if length is not None:
        return sequences[..., start : start + length]
    return sequences[..., start : -start or None]


def _overlapped(pieces: Tensor, stride: int) -> Any:
    """Return the sums of pieces that begin ``stride`` apart."""
    count, long = pieces.sizes[-2:]
    if count is None or long is None:
        raise ValueError("istft: how many pieces there are must be known.")
    lead = array.shape(pieces)[:-2]
    at = (np.arange(count)[:, None] * stride + np.arange(long)).ravel()
    flat = array.transpose(array.reshape(pieces, [-1, count * long]), [1, 0])
    whole = long + stride * (count - 1)
    sums = elementary.unsorted_segment_sum(flat, at.astype(np.int32), whole)
    return array.reshape(array.transpose(sums, [1, 0]), array.concat([lead, [whole]], 0))


def lu_factor(x: TensorLike) -> tuple[Any, Any]:
    """Return the two triangular factors of square matrices in one, and where each row of theirs stands in the product.

    >>> lu, places = lu_factor([[0.0, 2.0], [3.0, 4.0]])
    >>> lu.numpy().tolist(), places.numpy().tolist()
    ([[3.0, 4.0], [0.0, 2.0]], [1, 0])
    """
    factors, order = linalg.lu(floating(x))
    return factors, array.cast(array.argsort(order), "int32")


def polar(abs_: TensorLike, angle: TensorLike) -> Any:
    """Return complex numbers of their sizes and angles.

    >>> polar(2.0, 0.0).numpy()
    np.complex64(2+0j)
    """
    size, turn = floating(abs_), floating(angle)
    return elementary.complex(size * elementary.cos(turn), size * elementary.sin(turn))


def view(x: TensorLike, dtype: DtypeLike | None = None) -> Any:
    """Return the bits of numbers as numbers of another dtype; narrower ones stand one after another along the last axis.

    Raises:
        ValueError: where the last axis does not hold a whole number of them.

    >>> view(np.array([1.0], "float32"), "int32").numpy()
    array([1065353216], dtype=int32)
    """
    given = tensor(x)
    if dtype is None:
        return given
    kind = np.dtype(standardize_dtype(dtype))
    before, after, sizes = given.nptype.itemsize, kind.itemsize, list(given.sizes)
    if before != after and (not sizes or sizes[-1] is None or sizes[-1] * before % after):
        raise ValueError(
            f"Cannot view array of shape {given.shape} and dtype {given.dtype.name} as dtype {kind.name} because the total "
            "number of bytes is not divisible by the new itemsize."
        )
    if before < after:
        given = array.reshape(given, [*sizes[:-1], sizes[-1] * before // after, after // before])
    found = array.bitcast(given, kind.name)
    return array.reshape(found, [*sizes[:-1], sizes[-1] * before // after]) if before > after else found
