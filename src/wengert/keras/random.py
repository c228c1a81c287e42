"""``keras.random``: random numbers, the seed by keyword."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.functions import array, nn
from wengert.functions import random as draws
from wengert.ground.dtypes import DtypeLike
from wengert.ground.entropy import fresh
from wengert.ground.shapes import ShapeLike
from wengert.keras.configuration import standardize_dtype
from wengert.keras.variable import Variable
from wengert.tensor.tensor import TensorLike, convert

__all__ = ["SeedGenerator", "categorical", "dropout", "normal", "randint", "shuffle", "truncated_normal", "uniform"]


class SeedGenerator:
    """A sequence of seeds: its state, a variable (the seed, and how many were taken), moves on in each mode.

    >>> import wengert as tf
    >>> one, two = SeedGenerator(1), SeedGenerator(1)
    >>> draw = tf.function(lambda: normal((2,), seed=two))
    >>> [bool((normal((2,), seed=one).numpy() == draw().numpy()).all()) for _ in range(2)]
    [True, True]
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **keywords: Any) -> None:
        """Take the first seed, a new one by default."""
        self.seed = fresh() >> 97 if seed is None else int(seed)
        self.name = name or "seed_generator"
        start = np.array([self.seed % 2**32, 0], np.uint32)
        self.state = Variable(start, dtype="uint32", trainable=False, name=f"{self.name}_state")

    def _trackable_children(self) -> dict[str, Any]:
        return {"state": self.state}

    def next(self, ordered: bool = True) -> Any:
        """Return the next seed, as a tensor of two numbers."""
        seed = self.state.read_value()
        self.state.assign(seed + np.array([0, 1], np.uint32))
        return seed


def _pair(seed: int | SeedGenerator) -> Any:
    """Return what decides the numbers, where a seed or a generator of seeds is given."""
    return seed.next() if isinstance(seed, SeedGenerator) else (int(seed), 0)


def _drawn(plain: Callable[..., Any], stateless: Callable[..., Any], seed: int | SeedGenerator | None, *arguments: Any) -> Any:
    if seed is None:
        return plain(*arguments)
    return stateless(arguments[0], _pair(seed), *arguments[1:])


def uniform(
    shape: ShapeLike,
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
    dtype: DtypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Any:
    """Return numbers spread evenly over [minval, maxval); with a whole seed the same ones each time.

    >>> bool((uniform((3,), seed=1).numpy() == uniform((3,), seed=1).numpy()).all())
    True
    """
    return _drawn(draws.uniform, draws.stateless_uniform, seed, shape, minval, maxval, standardize_dtype(dtype))


def normal(
    shape: ShapeLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DtypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Any:
    """Return numbers of a normal distribution."""
    return _drawn(draws.normal, draws.stateless_normal, seed, shape, mean, stddev, standardize_dtype(dtype))


def truncated_normal(
    shape: ShapeLike,
    mean: TensorLike = 0.0,
    stddev: TensorLike = 1.0,
    dtype: DtypeLike | None = None,
    seed: int | SeedGenerator | None = None,
) -> Any:
    """Return numbers of a normal distribution, within two standard deviations."""
    return _drawn(draws.truncated_normal, draws.stateless_truncated_normal, seed, shape, mean, stddev, standardize_dtype(dtype))


def randint(
    shape: ShapeLike, minval: TensorLike, maxval: TensorLike, dtype: DtypeLike = "int32", seed: int | SeedGenerator | None = None
) -> Any:
    """Return whole numbers of [minval, maxval)."""
    return _drawn(draws.uniform, draws.stateless_uniform, seed, shape, minval, maxval, standardize_dtype(dtype))


def shuffle(x: TensorLike, axis: int = 0, seed: int | SeedGenerator | None = None) -> Any:
    """Return x in another order along its first axis."""
    if axis != 0:
        raise NotImplementedError("keras.random.shuffle: the axis must be 0.")
    if seed is None:
        return draws.shuffle(x)
    x = convert(x)
    order = array.argsort(draws.stateless_uniform(array.shape(x)[:1], _pair(seed), dtype="float64"))
    return array.gather(x, order)


def categorical(logits: TensorLike, num_samples: int, dtype: DtypeLike = "int32", seed: int | SeedGenerator | None = None) -> Any:
    """Return classes drawn by the logarithms of their odds."""
    if seed is None:
        drawn = draws.categorical(logits, num_samples)
    else:
        drawn = draws.stateless_categorical(logits, num_samples, _pair(seed))
    return array.cast(drawn, standardize_dtype(dtype))


def dropout(inputs: TensorLike, rate: float, noise_shape: Any = None, seed: int | SeedGenerator | None = None) -> Any:
    """Return inputs, a share of them 0, the others divided by 1 - rate."""
    if seed is None:
        return nn.dropout(inputs, rate, noise_shape=noise_shape)
    x = convert(inputs)
    sizes = array.shape(x) if noise_shape is None else noise_shape
    kept = draws.stateless_uniform(sizes, _pair(seed), dtype=x.dtype) >= rate
    return array.where(kept, x / (1.0 - rate), array.zeros_like(x))
