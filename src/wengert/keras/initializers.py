"""``keras.initializers``: the first values of weights.

With a seed an initializer draws the same numbers each time it is called; without one it draws from the program's sequence,
which `keras.utils.set_random_seed` and ``tf.random.set_seed`` start.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import numpy as np

from wengert.functions import array, linalg, random
from wengert.functions import math as elementary
from wengert.functions.initializers import _sizes, fans
from wengert.ground import shapes
from wengert.ground.dtypes import DType, DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike
from wengert.keras import registry
from wengert.keras.configuration import standardize_dtype
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

InitializerLike = registry.Identifier | TensorLike
"""How a program says which initializer it means: as all objects that are found by name, or by the value itself."""
CUT = 0.87962566103423978
"""The standard deviation of a standard normal variable that is cut at -2 and 2."""


class Seeded(Protocol):
    """What holds a seed, such as a `keras.random.SeedGenerator`."""

    seed: int


class Initializer(registry.Stated):
    """Returns the first value of a weight when it is called with a shape and a dtype."""

    _arguments: ClassVar[tuple[str, ...] | None] = None

    seed: Any = None

    def __call__(self, shape: ShapeLike, dtype: DtypeLike | None = None, **keywords: Any) -> Any:
        """Return the value; the dtype is `floatx` by default."""
        return self.value(_sizes(shape), as_dtype(standardize_dtype(dtype)))

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value for a shape that is known."""
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def clone(self) -> Any:
        """Return another like it."""
        return self.from_config(self.get_config())

    def _uniform(self, shape: list[int], low: float, high: float, dtype: DType) -> Any:
        if self.seed is None:
            return random.uniform(shape, low, high, dtype)
        return random.stateless_uniform(shape, _pair(self.seed), low, high, dtype)

    def _normal(self, shape: list[int], mean: float, stddev: float, dtype: DType) -> Any:
        if self.seed is None:
            return random.normal(shape, mean, stddev, dtype)
        return random.stateless_normal(shape, _pair(self.seed), mean, stddev, dtype)

    def _truncated(self, shape: list[int], mean: float, stddev: float, dtype: DType) -> Any:
        if self.seed is None:
            return random.truncated_normal(shape, mean, stddev, dtype)
        return random.stateless_truncated_normal(shape, _pair(self.seed), mean, stddev, dtype)


def _pair(seed: int | Seeded) -> tuple[int, int]:
    return (int(seed if isinstance(seed, int | np.integer) else seed.seed), 0)


class Zeros(Initializer):
    """Zeros.

    >>> Zeros()((2,)).numpy()
    array([0., 0.], dtype=float32)
    """

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return zeros."""
        return array.zeros(shape, dtype)


class Ones(Initializer):
    """Ones."""

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return ones."""
        return array.ones(shape, dtype)


class Constant(Initializer):
    """A number throughout, or an array that broadcasts to the shape.

    >>> Constant(3.0)((2,)).numpy()
    array([3., 3.], dtype=float32)
    """

    def __init__(self, value: TensorLike = 0.0) -> None:
        """Take the value."""
        self._value = value

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the value."""
        given = self._value if isinstance(self._value, Tensor) else np.asarray(self._value)
        return array.broadcast_to(array.cast(given, dtype), shape)

    def get_config(self) -> dict[str, Any]:
        """Return the value."""
        return {"value": self._value if np.isscalar(self._value) else np.asarray(self._value).tolist()}


class RandomNormal(Initializer):
    """Numbers of a normal distribution."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | Seeded | None = None) -> None:
        """Take mean, standard deviation and a seed."""
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Draw."""
        return self._normal(shape, self.mean, self.stddev, dtype)


class TruncatedNormal(Initializer):
    """Numbers of a normal distribution, those beyond two standard deviations drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | Seeded | None = None) -> None:
        """Take mean, standard deviation and a seed."""
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Draw."""
        return self._truncated(shape, self.mean, self.stddev, dtype)


class RandomUniform(Initializer):
    """Numbers spread evenly over [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | Seeded | None = None) -> None:
        """Take the limits and a seed."""
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Draw."""
        return self._uniform(shape, self.minval, self.maxval, dtype)


class VarianceScaling(Initializer):
    """Numbers of variance scale / n: n the number of inputs, of outputs, or their mean.

    ``distribution``: "truncated_normal", "untruncated_normal" or "uniform".
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | Seeded | None = None,
    ) -> None:
        """Take the choices.

        Raises:
            ValueError: for a scale that is not positive, and for unknown choices.
        """
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode!r}: it is 'fan_in', 'fan_out' or 'fan_avg'.")
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f"Invalid `distribution` argument: {distribution!r}: it is 'uniform', 'truncated_normal' or 'untruncated_normal'."
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Draw."""
        inward, outward = fans(shape)
        n = {"fan_in": inward, "fan_out": outward, "fan_avg": (inward + outward) / 2.0}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return self._uniform(shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, 0.0, math.sqrt(variance), dtype)
        return self._truncated(shape, 0.0, math.sqrt(variance) / CUT, dtype)


class _Scaled(VarianceScaling):
    _arguments = ("seed",)
    how: tuple[float, str, str]

    def __init__(self, seed: int | Seeded | None = None) -> None:
        """Take a seed."""
        super().__init__(*self.how, seed=seed)


class GlorotUniform(_Scaled):
    """Uniform numbers of variance 2 / (inputs + outputs): Glorot and Bengio (2010)."""

    how = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Normal numbers of variance 2 / (inputs + outputs), cut at two standard deviations: Glorot and Bengio (2010)."""

    how = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform numbers of variance 2 / inputs: He and others (2015)."""

    how = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Normal numbers of variance 2 / inputs, cut at two standard deviations: He and others (2015)."""

    how = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform numbers of variance 1 / inputs: Klambauer and others (2017)."""

    how = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Normal numbers of variance 1 / inputs, cut at two standard deviations: Klambauer and others (2017)."""

    how = (1.0, "fan_in", "truncated_normal")


class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns, times a gain: Saxe and others (2014).

    The first axes of the shape are joined to one.
    """

    def __init__(self, gain: float = 1.0, seed: int | Seeded | None = None) -> None:
        """Take the gain and a seed."""
        self.gain, self.seed = gain, seed

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Draw a normal matrix and return its Q, the signs such that R's diagonal is positive.

        Raises:
            ValueError: for fewer than two axes.
        """
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: the shape must have at least two axes, not {tuple(shape)}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = linalg.qr(self._normal([max(rows, columns), min(rows, columns)], 0.0, 1.0, dtype))
        q = q * array.reshape(elementary.sign(linalg.diag_part(r)), [1, -1])
        return self.gain * array.reshape(array.transpose(q) if rows < columns else q, shape)


class Identity(Initializer):
    """The identity matrix, times a gain."""

    def __init__(self, gain: float = 1.0) -> None:
        """Take the gain."""
        self.gain = gain

    def value(self, shape: list[int], dtype: DType) -> Any:
        """Return the matrix.

        Raises:
            ValueError: unless there are two axes.
        """
        if len(shape) != 2:
            raise ValueError(f"Identity: the shape must have two axes, not {tuple(shape)}.")
        return self.gain * array.eye(shape[0], shape[1], dtype=dtype)


OrthogonalInitializer, IdentityInitializer = Orthogonal, Identity
constant, zeros, ones, random_normal, random_uniform = Constant, Zeros, Ones, RandomNormal, RandomUniform
truncated_normal, variance_scaling, orthogonal, identity = TruncatedNormal, VarianceScaling, Orthogonal, Identity
glorot_uniform, glorot_normal, he_uniform, he_normal = GlorotUniform, GlorotNormal, HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal


class _Given(Initializer):
    """A function of shape and dtype as an initializer."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, shape: ShapeLike, dtype: DtypeLike | None = None, **keywords: Any) -> Any:
        """Call the function with a shape, and a dtype if it takes one."""
        dtype = as_dtype(standardize_dtype(dtype))
        sizes = shapes.as_shape(shape)
        try:
            return self.function(sizes, dtype=dtype)
        except TypeError as error:
            if "dtype" not in str(error):
                raise
            return array.cast(self.function(sizes), dtype)


def _adapted(found: InitializerLike) -> Any:
    """Return an initializer of an array or a function."""
    if isinstance(found, np.ndarray | Tensor):
        return Constant(found)
    return _Given(found) if callable(found) and not hasattr(found, "get_config") else found


_TABLE = {n: v for n, v in list(globals().items()) if isinstance(v, type) and issubclass(v, Initializer) and v is not _Given}
_TABLE |= {"zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform}
_REGISTRY = registry.Registry("initializer", _TABLE, adapt=_adapted)
get, serialize, deserialize = _REGISTRY.get, _REGISTRY.serialize, _REGISTRY.deserialize
