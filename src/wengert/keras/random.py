"""``keras.random``: random numbers, the seed by keyword."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array, nn
from wengert.functions import random as draws
from wengert.keras.configuration import standardize_dtype

__all__ = ["SeedGenerator", "categorical", "dropout", "normal", "randint", "shuffle", "truncated_normal", "uniform"]


class SeedGenerator:
    """A sequence of seeds."""

    def __init__(self, seed: int | None = None, name: str | None = None, **keywords: Any) -> None:
        """Take the first seed, a new one by default."""
        self.seed = int(np.random.default_rng().integers(2**31)) if seed is None else int(seed)
        self.name = name or "seed_generator"
        self._count = 0

    def next(self, ordered: bool = True) -> tuple[int, int]:
        """Return the next seed, as a pair of numbers."""
        self._count += 1
        return (self.seed, self._count - 1)


def _drawn(plain: Any, stateless: Any, seed: Any, *arguments: Any) -> Any:
    if seed is None:
        return plain(*arguments)
    pair = seed.next() if hasattr(seed, "next") else (int(seed), 0)
    return stateless(arguments[0], pair, *arguments[1:])


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return numbers spread evenly over [minval, maxval); with a whole seed the same ones each time.

    >>> bool((uniform((3,), seed=1).numpy() == uniform((3,), seed=1).numpy()).all())
    True
    """
    return _drawn(draws.uniform, draws.stateless_uniform, seed, shape, minval, maxval, standardize_dtype(dtype))


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return numbers of a normal distribution."""
    return _drawn(draws.normal, draws.stateless_normal, seed, shape, mean, stddev, standardize_dtype(dtype))


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Return numbers of a normal distribution, within two standard deviations."""
    return _drawn(draws.truncated_normal, draws.stateless_truncated_normal, seed, shape, mean, stddev, standardize_dtype(dtype))


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return whole numbers of [minval, maxval)."""
    return _drawn(draws.uniform, draws.stateless_uniform, seed, shape, minval, maxval, standardize_dtype(dtype))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """Return x in another order along its first axis."""
    if axis != 0:
        raise NotImplementedError("keras.random.shuffle: the axis must be 0.")
    return draws.shuffle(x, seed=None if seed is None else seed.seed if hasattr(seed, "seed") else seed)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Return classes drawn by the logarithms of their odds."""
    return array.cast(draws.categorical(logits, num_samples, seed=seed), standardize_dtype(dtype))


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Return inputs, a share of them 0, the others divided by 1 - rate."""
    return nn.dropout(inputs, rate, noise_shape=noise_shape, seed=None if seed is None else getattr(seed, "seed", seed))
