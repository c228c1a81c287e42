"""TensorFlow 1's ``tf.initializers``: they take a dtype when they are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.functions import initializers as two
from wengert.functions.initializers import Initializer
from wengert.ground.dtypes import DtypeLike, as_dtype, float32
from wengert.tensor.tensor import TensorLike

__all__ = [
    "Constant",
    "Initializer",
    "Ones",
    "Zeros",
    "constant",
    "constant_initializer",
    "glorot_normal",
    "glorot_normal_initializer",
    "glorot_uniform",
    "glorot_uniform_initializer",
    "he_normal",
    "he_uniform",
    "identity",
    "identity_initializer",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "ones_initializer",
    "orthogonal",
    "orthogonal_initializer",
    "random_normal",
    "random_normal_initializer",
    "random_uniform",
    "random_uniform_initializer",
    "truncated_normal",
    "truncated_normal_initializer",
    "uniform_unit_scaling",
    "uniform_unit_scaling_initializer",
    "variance_scaling",
    "variance_scaling_initializer",
    "zeros",
    "zeros_initializer",
]


class zeros_initializer(two.zeros_initializer):
    """Zeros.

    >>> zeros_initializer()([2]).shape
    TensorShape([2])
    """

    def __init__(self, dtype: DtypeLike = float32) -> None:
        self.dtype = as_dtype(dtype)


class ones_initializer(two.ones_initializer):
    """Ones."""

    def __init__(self, dtype: DtypeLike = float32) -> None:
        self.dtype = as_dtype(dtype)


class constant_initializer(two.constant_initializer):
    """A number throughout, or numbers in order."""

    def __init__(self, value: TensorLike = 0, dtype: DtypeLike = float32, verify_shape: bool = False) -> None:
        super().__init__(value)
        self.dtype = self._dtype = as_dtype(dtype)


class random_uniform_initializer(two.random_uniform_initializer):
    """Values drawn uniformly from [minval, maxval)."""

    def __init__(
        self,
        minval: TensorLike = 0.0,
        maxval: TensorLike | None = None,
        seed: int | Sequence[int] | None = None,
        dtype: DtypeLike = float32,
    ) -> None:
        super().__init__(minval, 1.0 if maxval is None else maxval, seed)
        self.dtype = as_dtype(dtype)


class random_normal_initializer(two.random_normal_initializer):
    """Values drawn from a normal distribution."""

    def __init__(
        self,
        mean: TensorLike = 0.0,
        stddev: TensorLike = 1.0,
        seed: int | Sequence[int] | None = None,
        dtype: DtypeLike = float32,
    ) -> None:
        super().__init__(mean, stddev, seed)
        self.dtype = as_dtype(dtype)


class truncated_normal_initializer(two.truncated_normal_initializer):
    """Values drawn from a normal distribution, within two standard deviations."""

    def __init__(
        self,
        mean: TensorLike = 0.0,
        stddev: TensorLike = 1.0,
        seed: int | Sequence[int] | None = None,
        dtype: DtypeLike = float32,
    ) -> None:
        super().__init__(mean, stddev, seed)
        self.dtype = as_dtype(dtype)


class variance_scaling_initializer(two.variance_scaling_initializer):
    """Values whose variance is scale over the number of inputs, of outputs, or their mean."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | Sequence[int] | None = None,
        dtype: DtypeLike = float32,
    ) -> None:
        super().__init__(scale, mode, distribution, seed)
        self.dtype = as_dtype(dtype)


class orthogonal_initializer(two.orthogonal_initializer):
    """A matrix with orthonormal rows or columns, times a gain."""

    def __init__(self, gain: float = 1.0, seed: int | Sequence[int] | None = None, dtype: DtypeLike = float32) -> None:
        super().__init__(gain, seed)
        self.dtype = as_dtype(dtype)


class identity_initializer(two.identity_initializer):
    """The identity matrix, times a gain."""

    def __init__(self, gain: float = 1.0, dtype: DtypeLike = float32) -> None:
        super().__init__(gain)
        self.dtype = as_dtype(dtype)


class glorot_uniform_initializer(variance_scaling_initializer):
    """Uniform values with variance 2 / (inputs + outputs): Glorot and Bengio (2010)."""

    def __init__(self, seed: int | Sequence[int] | None = None, dtype: DtypeLike = float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


class glorot_normal_initializer(variance_scaling_initializer):
    """Normal values with variance 2 / (inputs + outputs), cut at two standard deviations."""

    def __init__(self, seed: int | Sequence[int] | None = None, dtype: DtypeLike = float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


class uniform_unit_scaling_initializer(variance_scaling_initializer):
    """Uniform values that keep the scale of the input."""

    def __init__(self, factor: float = 1.0, seed: int | Sequence[int] | None = None, dtype: DtypeLike = float32) -> None:
        super().__init__(factor**2, "fan_in", "uniform", seed, dtype)


def he_normal(seed: int | Sequence[int] | None = None) -> Any:
    """Return normal values with variance 2 / inputs."""
    return variance_scaling_initializer(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | Sequence[int] | None = None) -> Any:
    """Return uniform values with variance 2 / inputs."""
    return variance_scaling_initializer(2.0, "fan_in", "uniform", seed)


def lecun_normal(seed: int | Sequence[int] | None = None) -> Any:
    """Return normal values with variance 1 / inputs."""
    return variance_scaling_initializer(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: int | Sequence[int] | None = None) -> Any:
    """Return uniform values with variance 1 / inputs."""
    return variance_scaling_initializer(1.0, "fan_in", "uniform", seed)


zeros = Zeros = zeros_initializer
ones = Ones = ones_initializer
constant = Constant = constant_initializer
random_uniform = random_uniform_initializer
random_normal = random_normal_initializer
truncated_normal = truncated_normal_initializer
variance_scaling = variance_scaling_initializer
orthogonal = orthogonal_initializer
identity = identity_initializer
glorot_uniform = glorot_uniform_initializer
glorot_normal = glorot_normal_initializer
uniform_unit_scaling = uniform_unit_scaling_initializer
