"""Functions that densities are made of, and that the core has not: compositions, so that their derivatives follow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = [
    "fill_triangular", "fill_triangular_inverse", "lbeta", "log1mexp", "log_ndtr", "ndtr", "rows_of_triangle",
    "softplus_inverse", "student_cdf",
]  # fmt: skip

_TERMS = 20
"""How many terms of a series are summed."""


def log1mexp(x: TensorLike, name: str | None = None) -> Any:
    """Return log(1 - exp(-|x|)).

    >>> round(float(log1mexp(1e-5)), 4)
    -11.5129
    """
    x = convert(elementary.abs(x))
    half = math.log(2.0)  # below which 1 - exp(-x) cancels, and above which its logarithm does
    near = elementary.log(elementary.negative(elementary.expm1(elementary.negative(x))))
    far = elementary.log1p(elementary.negative(elementary.exp(elementary.negative(elementary.maximum(x, half)))))
    return array.where(x < half, near, far)


def softplus_inverse(x: TensorLike, name: str | None = None) -> Any:
    """Return y with log(1 + exp(y)) = x, for positive x.

    >>> round(float(softplus_inverse(0.5)), 5)
    -0.43275
    """
    x = convert(x)
    return x + elementary.log(elementary.negative(elementary.expm1(elementary.negative(x))))


def lbeta(x: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return log B(x, y), the logarithm of the beta function.

    >>> round(float(lbeta(2.0, 3.0)), 5)
    -2.48491
    """
    return elementary.lgamma(x) + elementary.lgamma(y) - elementary.lgamma(elementary.add(x, y))


def ndtr(x: TensorLike, name: str | None = None) -> Any:
    """Return Φ(x), the normal distribution function.

    >>> float(ndtr(0.0))
    0.5
    """
    return 0.5 * elementary.erfc(convert(x) * -math.sqrt(0.5))


def log_ndtr(x: TensorLike, name: str | None = None) -> Any:
    """Return log Φ(x), without loss where Φ(x) is near 0 or 1.

    Below a limit by the asymptotic series Φ(x) = φ(x) / -x Σ (-1)^k (2k - 1)!! / x^(2k) (Abramowitz and Stegun, 26.2.12), whose
    terms fall until k is x²/2.

    >>> round(float(log_ndtr(-40.0)), 3)
    -804.608
    """
    x = convert(x)
    limit = -10.0 if x.dtype.size == 8 else -7.0
    # Each branch gets arguments at which it is finite, so that what is not chosen has no NaN in its derivative.
    below = elementary.minimum(x, limit)
    within = elementary.log(ndtr(elementary.clip_by_value(x, limit, 0.0)))
    above = elementary.log1p(elementary.negative(ndtr(elementary.negative(elementary.maximum(x, 0.0)))))
    total = convert(1.0, x.dtype)
    squared = elementary.square(below)
    for k in range(_TERMS, 0, -1):
        total = 1.0 - (2 * k - 1) * total / squared
    tail = -0.5 * squared - elementary.log(-below) - 0.5 * math.log(2 * math.pi) + elementary.log(total)
    return array.where(x < limit, tail, array.where(x > 0.0, above, within))


def student_cdf(z: TensorLike, df: TensorLike) -> Any:
    """Return the distribution function of Student's t at z.

    From the incomplete beta function of df / (df + z²), whose derivative is infinite at z = 0; near it from the series
    F = 1/2 + z c ₂F₁(1/2, (df + 1)/2; 3/2; -z²/df), c the density at 0.
    """
    z, df = convert(z), convert(df)
    squared = elementary.square(z)
    near = squared < 0.1 * elementary.minimum(df, 1.0)
    far = df / (df + array.where(near, convert(1.0, z.dtype), squared))
    tail = 0.5 * elementary.betainc(df / 2.0 + 0.0 * far, 0.5 + 0.0 * far, far)
    ratio = elementary.negative(array.where(near, squared, convert(0.0, z.dtype))) / df
    total = convert(1.0, z.dtype)
    for k in range(_TERMS - 1, -1, -1):
        total = 1.0 + total * ratio * ((df + 1.0) / 2.0 + float(k)) * ((k + 0.5) / ((k + 1.5) * (k + 1)))
    density = elementary.exp(elementary.lgamma((df + 1.0) / 2.0) - elementary.lgamma(df / 2.0)) / elementary.sqrt(math.pi * df)
    return array.where(near, 0.5 + z * density * total, array.where(z < 0.0, tail, 1.0 - tail))


# --- triangles -------------------------------------------------------------------------------------------------------------


def rows_of_triangle(count: int) -> int:
    """Return of how many rows a triangle is that has so many elements.

    Raises:
        ValueError: if there is none.
    """
    rows = (math.isqrt(8 * count + 1) - 1) // 2
    if rows * (rows + 1) // 2 != count:
        raise ValueError(f"Input right-most shape ({count}) does not correspond to a triangular matrix.")
    return rows


def _places(rows: int, upper: bool) -> Any:
    """Return for each element of a matrix which of the vector it is, where it is in the triangle."""
    each = np.arange(rows * (rows + 1) // 2)
    spiral = [each, each[rows:][::-1]] if upper else [each[rows:], each[::-1]]
    return np.concatenate(spiral).reshape(rows, rows)


def fill_triangular(x: TensorLike, upper: bool = False, name: str | None = None) -> Any:
    """Return vectors of n (n + 1) / 2 elements as triangular matrices.

    Raises:
        ValueError: for another number of elements, or one that is not known.

    >>> fill_triangular([1.0, 2.0, 3.0], upper=True).numpy().tolist()
    [[1.0, 2.0], [0.0, 3.0]]
    """
    x = convert(x)
    places = _places(rows_of_triangle(_known(x, "fill_triangular")), upper)
    return linalg.band_part(array.gather(x, places, axis=-1), 0 if upper else -1, -1 if upper else 0)


def fill_triangular_inverse(x: TensorLike, upper: bool = False, name: str | None = None) -> Any:
    """Return the elements of triangular matrices as vectors, in the order in which `fill_triangular` takes them."""
    x = convert(x)
    rows = _known(x, "fill_triangular_inverse")
    inside = (np.triu if upper else np.tril)(np.ones((rows, rows), bool)).reshape(-1)
    at = np.flatnonzero(inside)[np.argsort(_places(rows, upper).reshape(-1)[inside])]
    flat = array.reshape(x, array.concat([array.shape(x)[:-2], [rows * rows]], 0))
    return array.gather(flat, at, axis=-1)


def _known(x: Tensor, what: str) -> int:
    if not len(x.shape) or x.shape[-1] is None:
        raise ValueError(f"{what} takes a last axis of a known size, not shape {x.shape}.")
    return int(x.shape[-1])
