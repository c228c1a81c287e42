"""Draws by a seed: a whole number, as TensorFlow's functions with state take it, or a pair, which alone decides the draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions import array, random
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.probability.values import Size
from wengert.tensor.tensor import Tensor, TensorLike, convert, is_tensor_like

__all__ = ["Seed", "categorical", "gamma", "normal", "poisson", "split", "uniform"]

Seed = int | Sequence[int] | None
"""A whole number, a pair (a tensor may be one), or none."""


def _pair(seed: Seed) -> Sequence[int] | None:
    """Return a seed that is a pair, None for any other."""
    if seed is None or isinstance(seed, int):
        return None
    return seed if is_tensor_like(seed) or np.ndim(seed) else None


def normal(shape: ShapeLike, dtype: DtypeLike, seed: Seed) -> Any:
    """Return standard normal numbers."""
    pair = _pair(seed)
    return random.normal(shape, dtype=dtype, seed=seed) if pair is None else random.stateless_normal(shape, pair, dtype=dtype)


def uniform(shape: ShapeLike, dtype: DtypeLike, seed: Seed, low: float = 0.0) -> Any:
    """Return numbers spread evenly from low to 1."""
    pair = _pair(seed)
    if pair is None:
        return random.uniform(shape, low, 1.0, dtype, seed)
    return random.stateless_uniform(shape, pair, low, 1.0, dtype)


def gamma(count: Size, concentration: TensorLike, seed: Seed) -> Any:
    """Return so many draws of the gamma distribution of scale 1 for each concentration."""
    alpha, pair = convert(concentration), _pair(seed)
    if pair is None:
        return random.gamma(array.reshape(count, [1]), alpha, dtype=alpha.dtype, seed=seed)
    return random.stateless_gamma(_each(count, alpha), pair, alpha, dtype=alpha.dtype)


def poisson(count: Size, rate: TensorLike, seed: Seed) -> Any:
    """Return so many draws of the Poisson distribution for each rate."""
    lam, pair = convert(rate), _pair(seed)
    if pair is None:
        return random.poisson(array.reshape(count, [1]), lam, lam.dtype, seed)
    return random.stateless_poisson(_each(count, lam), pair, lam, lam.dtype)


def categorical(count: Size, logits: TensorLike, dtype: DtypeLike, seed: Seed) -> Any:
    """Return so many classes for each row of a matrix of logits, a row each."""
    pair = _pair(seed)
    if pair is None:
        return random.categorical(logits, count, dtype, seed)
    return random.stateless_categorical(logits, count, pair, dtype)


def split(seed: Seed, count: int = 2) -> list[Any]:
    """Return so many seeds of one."""
    pair = _pair(seed)
    if pair is not None:
        limits = np.iinfo(np.int32)
        return array.unstack(random.stateless_uniform([count, 2], pair, int(limits.min), int(limits.max), "int32"))
    if not isinstance(seed, int):
        return [seed] * count
    words = np.random.SeedSequence(seed & (2**63 - 1)).generate_state(count)
    return [int(w) >> 1 for w in words]


def _each(count: Size, of: Tensor) -> Any:
    return array.concat([array.reshape(count, [1]), array.shape(of)], 0)
