"""TensorFlow's ``tf.experimental.numpy.random``."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.functions import array as arrangement
from wengert.functions import random as draws
from wengert.functions.numpy.promotion import asarray, dtype_of, float_type, floating
from wengert.ground.dtypes import DtypeLike
from wengert.ground.shapes import ShapeLike
from wengert.tensor.tensor import TensorLike

__all__ = ["poisson", "rand", "randint", "randn", "random", "seed", "standard_normal", "uniform"]


def seed(s: int) -> None:
    """Set the seed."""
    draws.set_seed(int(s))


def _sizes(size: ShapeLike | None) -> Any:
    return () if size is None else [size] if isinstance(size, int | np.integer) else size


def randn(*args: int) -> Any:
    """Return normal values of a shape."""
    return standard_normal(args)


def standard_normal(size: ShapeLike | None = None) -> Any:
    """Return normal values of mean 0 and deviation 1."""
    return draws.normal(_sizes(size), dtype=float_type())


def uniform(low: TensorLike = 0.0, high: TensorLike = 1.0, size: ShapeLike | None = None) -> Any:
    """Return uniform values between bounds, in the shape that these have together unless told otherwise."""
    first, last = (arrangement.cast(t, float_type()) for t in floating(low, high))
    shape = arrangement.broadcast_static_shape(first.shape, last.shape) if size is None else _sizes(size)
    return first + draws.uniform(shape, dtype=float_type()) * (last - first)


def random(size: ShapeLike | None = None) -> Any:
    """Return uniform values in [0, 1)."""
    return uniform(0.0, 1.0, () if size is None else size)


def rand(*size: int) -> Any:
    """Return uniform values in [0, 1) of a shape."""
    return uniform(0.0, 1.0, size)


def randint(low: int, high: int | None = None, size: ShapeLike | None = None, dtype: DtypeLike = np.int64) -> Any:
    """Return whole numbers from low up to but without high; with one bound, from 0 up to it."""
    low, high = (0, low) if high is None else (low, high)
    nptype = dtype_of(dtype)
    if nptype not in (np.int32, np.int64):
        return arrangement.cast(randint(low, high, size), nptype)
    return draws.uniform(_sizes(size), low, high, dtype=nptype)


def poisson(lam: TensorLike = 1.0, size: ShapeLike | None = None) -> Any:
    """Return counts of events of a mean number, as int64."""
    mean = asarray(lam)
    return draws.poisson((), mean, "int64") if size is None else draws.poisson(_sizes(size), mean, "int64")
