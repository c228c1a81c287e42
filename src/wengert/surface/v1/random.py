"""TensorFlow 1's ``tf.random``."""

from __future__ import annotations

from typing import Any

from wengert.functions import array
from wengert.functions import random as two
from wengert.functions.random import (
    Generator,
    categorical,
    gamma,
    get_global_generator,
    normal,
    set_global_generator,
    set_seed,
    shuffle,
    stateless_normal,
    stateless_truncated_normal,
    stateless_uniform,
    truncated_normal,
    uniform,
)
from wengert.ground import dtypes
from wengert.surface.v1.graphs import get_seed, set_random_seed
from wengert.tensor.tensor import convert

__all__ = [
    "Generator",
    "categorical",
    "gamma",
    "get_global_generator",
    "get_seed",
    "multinomial",
    "normal",
    "poisson",
    "random_crop",
    "random_gamma",
    "random_normal",
    "random_poisson",
    "random_shuffle",
    "random_uniform",
    "set_global_generator",
    "set_random_seed",
    "set_seed",
    "shuffle",
    "stateless_normal",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
]

random_normal, random_uniform, random_gamma, random_shuffle = normal, uniform, gamma, shuffle


def poisson(lam: Any, shape: Any, dtype: Any = dtypes.float32, seed: Any = None, name: str | None = None) -> Any:
    """Return draws from Poisson distributions."""
    return two.poisson(shape, lam, dtype, seed, name)


random_poisson = poisson


def multinomial(logits: Any, num_samples: Any, seed: Any = None, name: str | None = None, output_dtype: Any = None) -> Any:
    """Return draws from categories with the given log-probabilities."""
    return two.categorical(logits, num_samples, output_dtype, seed, name)


def random_crop(value: Any, size: Any, seed: Any = None, name: str | None = None) -> Any:
    """Return a part of the given size, from a random place."""
    x = convert(value)
    limits = array.shape(x) - convert(size) + 1
    offset = two.uniform(array.shape(limits), 0, 2**31 - 1, dtypes.int32, seed) % limits
    return array.slice(x, offset, size)
