"""Functions that densities are made of, and that the core has not: compositions, so that their derivatives follow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wengert.functions import array, linalg
from wengert.functions import math as elementary
from wengert.ops import elementwise
from wengert.ops.op import Op
from wengert.tensor.tensor import NONE, Tensor, TensorLike, apply, convert

__all__ = [
    "betaincinv", "fill_triangular", "fill_triangular_inverse", "igammacinv", "igammainv", "lbeta", "log1mexp", "log_ndtr",
    "ndtr", "rows_of_triangle", "softplus_inverse", "student_cdf", "student_quantile",
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


def igammainv(a: TensorLike, p: TensorLike, name: str | None = None) -> Any:
    """Return x with igamma(a, x) = p.

    >>> round(float(igammainv(1.0, 0.5)), 5)
    0.69315
    """
    return _inverse(elementwise.IGAMMAINV, name, a, p)


def igammacinv(a: TensorLike, p: TensorLike, name: str | None = None) -> Any:
    """Return x with igammac(a, x) = p.

    >>> round(float(igammacinv(1.0, 0.5)), 5)
    0.69315
    """
    return _inverse(elementwise.IGAMMACINV, name, a, p)


def betaincinv(a: TensorLike, b: TensorLike, y: TensorLike, name: str | None = None) -> Any:
    """Return x with betainc(a, b, x) = y.

    >>> round(float(betaincinv(2.0, 1.0, 0.25)), 5)
    0.5
    """
    return _inverse(elementwise.BETAINCINV, name, a, b, y)


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


def student_quantile(p: TensorLike, df: TensorLike) -> Any:
    """Return z of which `student_cdf` is p.

    From the inverse of the incomplete beta function, whose derivative is infinite at p = 1/2; near it from the power series in
    u = (p - 1/2) / c, c the density at 0. The density's inverse is dz/du = (1 + z²/df)^((df + 1)/2), so that
    (1 + z²/df) z'' = (1 + 1/df) z z'², an equation for the series' coefficients (G. Steinbrecher and W. Shaw, 2008).
    """
    p, df = convert(p), convert(df)
    df = convert(df + array.zeros_like(p))
    density = elementary.exp(elementary.lgamma((df + 1.0) / 2.0) - elementary.lgamma(df / 2.0)) / elementary.sqrt(math.pi * df)
    u = (p - 0.5) / density
    near = elementary.square(u) < 0.01 * elementary.minimum(df, 1.0)
    quarter = convert(0.25, p.dtype)
    tail = 2.0 * array.where(near, quarter, elementary.minimum(p, 1.0 - p))
    x = betaincinv(df / 2.0, convert(0.5, p.dtype), tail)
    far = elementary.sqrt(df * (1.0 - x) / x)
    small = array.where(near, u, convert(0.0, p.dtype))
    return array.where(near, _student_series(convert(small), df), array.where(p < 0.5, -far, far))


def _student_series(u: Tensor, df: Tensor) -> Any:
    """Return Σ c_k u^(2k + 1), c_0 = 1, by the equation that `student_quantile` states."""
    one = convert(1.0, u.dtype)
    scale, squared = 1.0 / df, elementary.square(u)
    # The coefficients of z, z², z'², and z'', each without its lowest power of u.
    c, twice, slopes, bends = [one], [one], [one], [convert(0.0, one.dtype)]
    for k in range(1, 8):
        right = sum(c[i] * slopes[k - 1 - i] for i in range(k))
        left = sum(twice[k - 1 - i] * bends[i] for i in range(k))
        bends.append((1.0 + scale) * right - scale * left)
        c.append(bends[k] / float((2 * k + 1) * 2 * k))
        twice.append(sum(c[i] * c[k - i] for i in range(k + 1)))
        slopes.append(sum(c[i] * c[k - i] * float((2 * i + 1) * (2 * (k - i) + 1)) for i in range(k + 1)))
    found = c[-1]
    for each in reversed(c[:-1]):
        found = each + squared * found
    return u * found


def _inverse(op: Op, name: str | None, *inputs: TensorLike) -> Any:
    return apply(op, elementary.alike(inputs, op), NONE, name)


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
        ValueError: for another number of elements.

    >>> fill_triangular([1.0, 2.0, 3.0], upper=True).numpy().tolist()
    [[1.0, 2.0], [0.0, 3.0]]
    """
    x = convert(x)
    count = x.shape[-1] if len(x.shape) else None
    if count is not None:
        spiral = array.gather(x, _places(rows_of_triangle(int(count)), upper), axis=-1)
    else:  # the same two runs of elements, of a number that the graph knows when it runs
        size = array.shape(x)[-1]
        root = elementary.sqrt(array.cast(8 * size + 1, "float64"))
        rows = array.cast(elementary.round((root - 1.0) / 2.0), "int32")
        runs = [x, array.reverse(x[..., rows:], [-1])] if upper else [x[..., rows:], array.reverse(x, [-1])]
        spiral = array.reshape(array.concat(runs, -1), array.concat([array.shape(x)[:-1], [rows, rows]], 0))
    return linalg.band_part(spiral, 0 if upper else -1, -1 if upper else 0)


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
