"""Initial values of variables: objects that are called with a shape and a dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.functions import array, linalg, random
from wengert.ground import shapes
from wengert.ground.dtypes import DType, DtypeLike, as_dtype, float32
from wengert.ground.errors import ShapeError
from wengert.ground.shapes import ShapeLike
from wengert.tensor.tensor import Tensor, TensorLike, cast

__all__ = [
    "Initializer",
    "constant_initializer",
    "ones_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "zeros_initializer",
]


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """Return how many inputs and outputs a layer with weights of this shape has.

    >>> fans([3, 4])
    (3.0, 4.0)
    """
    if len(shape) < 1:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


def _sizes(shape: ShapeLike | Tensor | None) -> list[int]:
    sizes = shapes.as_shape(shape)
    if not shapes.is_full(sizes):
        raise ShapeError(f"An initializer needs a shape that is known, not {shapes.text(sizes)}.")
    return [s or 0 for s in sizes or ()]


class Initializer:
    """Returns the initial value of a variable when it is called with a shape and a dtype."""

    dtype: DType = float32

    def __call__(self, shape: ShapeLike | None, dtype: DtypeLike | None = None, **keywords: Any) -> Any:
        """Return the value."""
        return self.value(_sizes(shape), as_dtype(self.dtype if dtype is None else dtype))

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value for a known shape."""
        raise NotImplementedError("Initializer subclasses must implement __call__().")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it."""
        return {k.lstrip("_"): v for k, v in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make one from its arguments."""
        return cls(**{k: v for k, v in config.items() if k != "dtype" or "dtype" in cls.__init__.__annotations__})


class zeros_initializer(Initializer):
    """Zeros.

    >>> zeros_initializer()([2]).numpy()
    array([0., 0.], dtype=float32)
    """

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return zeros."""
        return array.zeros(shape, dtype)


class ones_initializer(Initializer):
    """Ones."""

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return ones."""
        return array.ones(shape, dtype)


class constant_initializer(Initializer):
    """A number throughout, or the numbers of a list or array in order.

    >>> constant_initializer([1.0, 2.0])([2]).numpy()
    array([1., 2.], dtype=float32)
    """

    def __init__(self, value: TensorLike = 0, support_partial: bool = False) -> None:
        """Take the value."""
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise TypeError(f"Invalid type for initial value: {type(value)}. Expected Python scalar, list or tuple of values, "
                            "or numpy.ndarray.")  # fmt: skip
        self._value = value

    def __call__(self, shape: ShapeLike | None, dtype: DtypeLike | None = None, **keywords: Any) -> Any:
        """Return the value; without a dtype its own."""
        wanted = None if shape is None else _sizes(shape)
        kind = dtype if dtype is not None else getattr(self, "_dtype", None)
        given = np.asarray(self._value)
        if wanted is None or math.prod(wanted) == given.size:
            return array.constant(self._value, kind, wanted)
        if given.size != 1:
            raise TypeError(f"constant_initializer: {given.size} values do not fill the shape {wanted}.")
        return array.constant(given.reshape(()).item(), kind, wanted)


class random_uniform_initializer(Initializer):
    """Values drawn uniformly from [minval, maxval)."""

    def __init__(self, minval: TensorLike = -0.05, maxval: TensorLike = 0.05, seed: int | Sequence[int] | None = None) -> None:
        """Take the limits and a seed."""
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value."""
        return random.uniform(shape, self.minval, self.maxval, dtype, seed=self.seed)


class random_normal_initializer(Initializer):
    """Values drawn from a normal distribution."""

    def __init__(self, mean: TensorLike = 0.0, stddev: TensorLike = 0.05, seed: int | Sequence[int] | None = None) -> None:
        """Take mean, standard deviation and a seed."""
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value."""
        return random.normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


class truncated_normal_initializer(Initializer):
    """Values drawn from a normal distribution, within two standard deviations of its mean."""

    def __init__(self, mean: TensorLike = 0.0, stddev: TensorLike = 1.0, seed: int | Sequence[int] | None = None) -> None:
        """Take mean, standard deviation and a seed."""
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value."""
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


class variance_scaling_initializer(Initializer):
    """Values whose variance is scale / n, n the number of inputs, of outputs, or their mean.

    With ``distribution`` "truncated_normal", "untruncated_normal" or "uniform".
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | Sequence[int] | None = None,
    ) -> None:
        """Take the choices.

        Raises:
            ValueError: for a scale that is not positive, and unknown choices.
        """
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float. Received: {scale}")
        if mode not in {"fan_in", "fan_out", "fan_avg"}:
            raise ValueError(f"Invalid `mode` argument: {mode}")
        distribution = "truncated_normal" if distribution.lower() == "normal" else distribution.lower()
        if distribution not in {"uniform", "truncated_normal", "untruncated_normal"}:
            raise ValueError(f"Invalid `distribution` argument: {distribution}")
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value."""
        inward, outward = fans(shape)
        n = {"fan_in": inward, "fan_out": outward, "fan_avg": (inward + outward) / 2.0}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, seed=self.seed)
        # 0.87962566103423978 is the standard deviation of a standard normal variable cut at -2 and 2.
        return random.truncated_normal(shape, 0.0, math.sqrt(variance) / 0.87962566103423978, dtype, seed=self.seed)


class orthogonal_initializer(Initializer):
    """A matrix with orthonormal rows or columns, times a gain."""

    def __init__(self, gain: float = 1.0, seed: int | Sequence[int] | None = None) -> None:
        """Take the gain and a seed."""
        self.gain, self.seed = gain, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value: the first axes are joined to one.

        Raises:
            ValueError: for fewer than two axes.
        """
        if len(shape) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        x = random.normal([max(rows, columns), min(rows, columns)], dtype=dtype, seed=self.seed)
        q, r = linalg.qr(x)
        q = q * array.reshape(cast(_sign(linalg.diag_part(r)), dtype.numpy), [1, -1])
        if rows < columns:
            q = array.transpose(q)
        return array.reshape(q, shape) * self.gain


def _sign(x: TensorLike) -> Any:
    from wengert.functions.math import sign

    return sign(x)


class identity_initializer(Initializer):
    """The identity matrix, times a gain."""

    def __init__(self, gain: float = 1.0) -> None:
        """Take the gain."""
        self.gain = gain

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value.

        Raises:
            ValueError: unless there are two axes.
        """
        if len(shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        return array.eye(shape[0], shape[1], dtype=dtype) * self.gain
