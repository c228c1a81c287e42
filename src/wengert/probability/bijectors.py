"""``tfp.bijectors``: elementwise maps, shifts and scales, triangular matrices, and how they are put together."""

from __future__ import annotations

import math
from typing import Any

from wengert.functions import math as elementary
from wengert.ground.shapes import TensorShape
from wengert.probability import special
from wengert.probability.bijector import Bijector, Chain, Identity, Invert
from wengert.probability.values import common_dtype, parameter
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = [
    "Bijector", "Chain", "Exp", "FillTriangular", "Identity", "Invert", "Log", "NormalCDF", "Power", "Reciprocal", "Scale",
    "Shift", "Sigmoid", "SoftClip", "Softplus", "Square", "Tanh",
]  # fmt: skip


class Exp(Bijector):
    """y = exp(x)."""

    _increasing = True

    def __init__(self, validate_args: bool = False, name: str = "exp") -> None:
        """Take a name."""
        super().__init__(forward_min_event_ndims=0, validate_args=validate_args, parameters=locals(), name=name)

    def _forward(self, x: Tensor) -> Any:
        return elementary.exp(x)

    def _inverse(self, y: Tensor) -> Any:
        return elementary.log(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return x

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return elementary.negative(elementary.log(y))


class Log(Invert):
    """y = log(x)."""

    def __init__(self, validate_args: bool = False, name: str = "log") -> None:
        """Take a name."""
        super().__init__(Exp(), validate_args, name=name)
        self._parameters = {"validate_args": validate_args, "name": name}


class Softplus(Bijector):
    """y = low + h log(1 + exp(x / h)), h the hinge softness (1 by default; negative: downwards)."""

    _increasing = True

    def __init__(
        self, hinge_softness: TensorLike | None = None, low: TensorLike | None = None, validate_args: bool = False,
        name: str = "softplus",
    ) -> None:  # fmt: skip
        """Take the hinge softness and the least value."""
        made = locals()
        dtype = common_dtype([hinge_softness, low])
        super().__init__(
            forward_min_event_ndims=0, validate_args=validate_args, parameters=made, name=name,
            dtype=None if hinge_softness is None and low is None else dtype,
        )  # fmt: skip
        self._hinge_softness, self._low = parameter(hinge_softness, dtype), parameter(low, dtype)

    @property
    def hinge_softness(self) -> Any:
        """The hinge softness."""
        return self._hinge_softness

    @property
    def low(self) -> Any:
        """The least value."""
        return self._low

    def _within(self, x: TensorLike) -> Any:
        return x if self._hinge_softness is None else x / self._hinge_softness

    def _forward(self, x: Tensor) -> Any:
        y = elementary.softplus(self._within(x))
        y = y if self._hinge_softness is None else y * self._hinge_softness
        return y if self._low is None else y + self._low

    def _raised(self, y: Tensor) -> Any:
        return self._within(y if self._low is None else y - self._low)

    def _inverse(self, y: Tensor) -> Any:
        x = special.softplus_inverse(self._raised(y))
        return x if self._hinge_softness is None else x * self._hinge_softness

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return elementary.negative(elementary.softplus(elementary.negative(self._within(x))))

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return elementary.negative(special.log1mexp(self._raised(y)))


class Sigmoid(Bijector):
    """y = low + (high - low) / (1 + exp(-x)), between 0 and 1 by default."""

    _increasing = True

    def __init__(
        self, low: TensorLike | None = None, high: TensorLike | None = None, validate_args: bool = False, name: str = "sigmoid"
    ) -> None:
        """Take both bounds, or none.

        Raises:
            ValueError: for one without the other.
        """
        made = locals()
        if (low is None) != (high is None):
            raise ValueError("Sigmoid: give both `low` and `high`, or neither.")
        dtype = common_dtype([low, high])
        super().__init__(
            forward_min_event_ndims=0,
            validate_args=validate_args,
            parameters=made,
            name=name,
            dtype=None if low is None else dtype,
        )
        self._low, self._high = parameter(low, dtype), parameter(high, dtype)

    @property
    def low(self) -> Any:
        """The lower bound."""
        return self._low

    @property
    def high(self) -> Any:
        """The upper bound."""
        return self._high

    def _width(self) -> Any:
        return convert(self._high) - convert(self._low)

    def _forward(self, x: Tensor) -> Any:
        y = elementary.sigmoid(x)
        return y if self._low is None else self._low + self._width() * y

    def _inverse(self, y: Tensor) -> Any:
        if self._low is None:
            return elementary.log(y) - elementary.log1p(elementary.negative(y))
        return elementary.log(y - self._low) - elementary.log(self._high - y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        slope = elementary.negative(elementary.softplus(elementary.negative(x)) + elementary.softplus(x))
        return slope if self._low is None else slope + elementary.log(self._width())


class Tanh(Bijector):
    """y = tanh(x)."""

    _increasing = True

    def __init__(self, validate_args: bool = False, name: str = "tanh") -> None:
        """Take a name."""
        super().__init__(forward_min_event_ndims=0, validate_args=validate_args, parameters=locals(), name=name)

    def _forward(self, x: Tensor) -> Any:
        return elementary.tanh(x)

    def _inverse(self, y: Tensor) -> Any:
        return elementary.atanh(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        # log(1 - tanh(x)²) = 2 (log 2 - x - log(1 + exp(-2 x))), which does not cancel
        return 2.0 * (math.log(2.0) - x - elementary.softplus(-2.0 * x))


class NormalCDF(Bijector):
    """y = Φ(x), the normal distribution function."""

    _increasing = True

    def __init__(self, validate_args: bool = False, name: str = "normal") -> None:
        """Take a name."""
        super().__init__(forward_min_event_ndims=0, validate_args=validate_args, parameters=locals(), name=name)

    def _forward(self, x: Tensor) -> Any:
        return special.ndtr(x)

    def _inverse(self, y: Tensor) -> Any:
        return elementary.ndtri(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return -0.5 * math.log(2 * math.pi) - elementary.square(x) / 2.0


class Square(Bijector):
    """y = x², for x of no negative elements."""

    _increasing = True

    def __init__(self, validate_args: bool = False, name: str = "square") -> None:
        """Take a name."""
        super().__init__(forward_min_event_ndims=0, validate_args=validate_args, parameters=locals(), name=name)

    def _forward(self, x: Tensor) -> Any:
        return elementary.square(x)

    def _inverse(self, y: Tensor) -> Any:
        return elementary.sqrt(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return math.log(2.0) + elementary.log(x)


class Power(Bijector):
    """y = x to a power, for positive x."""

    def __init__(self, power: TensorLike, validate_args: bool = False, name: str = "power") -> None:
        """Take the power."""
        made = locals()
        dtype = common_dtype([power])
        super().__init__(forward_min_event_ndims=0, validate_args=validate_args, dtype=dtype, parameters=made, name=name)
        self._power = parameter(power, dtype)

    @property
    def power(self) -> Any:
        """The power."""
        return self._power

    def is_increasing(self) -> Any:
        """Return whether the power is positive."""
        return elementary.greater(self._power, 0)

    def _forward(self, x: Tensor) -> Any:
        return elementary.pow(x, self._power)

    def _inverse(self, y: Tensor) -> Any:
        return elementary.pow(y, elementary.reciprocal(self._power))

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        power = convert(self._power)
        return elementary.log(elementary.abs(power)) + elementary.xlogy(power - 1.0, x)


class Reciprocal(Bijector):
    """y = 1 / x."""

    def __init__(self, validate_args: bool = False, name: str = "reciprocal") -> None:
        """Take a name."""
        super().__init__(forward_min_event_ndims=0, validate_args=validate_args, parameters=locals(), name=name)

    def _forward(self, x: Tensor) -> Any:
        return 1.0 / x

    _inverse = _forward

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return -2.0 * elementary.log(elementary.abs(x))


class Shift(Bijector):
    """y = x + shift."""

    _increasing = True

    def __init__(self, shift: TensorLike, validate_args: bool = False, name: str = "shift") -> None:
        """Take the shift."""
        made = locals()
        dtype = common_dtype([shift])
        super().__init__(
            forward_min_event_ndims=0, is_constant_jacobian=True, validate_args=validate_args, dtype=dtype, parameters=made,
            name=name,
        )  # fmt: skip
        self._shift = parameter(shift, dtype)

    @property
    def shift(self) -> Any:
        """The shift."""
        return self._shift

    def _forward(self, x: Tensor) -> Any:
        return x + self._shift

    def _inverse(self, y: Tensor) -> Any:
        return y - self._shift

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return convert(0.0, x.dtype)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return convert(0.0, y.dtype)


class Scale(Bijector):
    """y = scale x, or exp(log_scale) x."""

    def __init__(
        self, scale: TensorLike | None = None, log_scale: TensorLike | None = None, validate_args: bool = False,
        name: str = "scale",
    ) -> None:  # fmt: skip
        """Take the scale or its logarithm.

        Raises:
            ValueError: for both, or neither.
        """
        made = locals()
        if (scale is None) == (log_scale is None):
            raise ValueError("Scale: give one of `scale` and `log_scale`.")
        dtype = common_dtype([scale, log_scale])
        super().__init__(
            forward_min_event_ndims=0, is_constant_jacobian=True, validate_args=validate_args, dtype=dtype, parameters=made,
            name=name,
        )  # fmt: skip
        self._scale, self._log_scale = parameter(scale, dtype), parameter(log_scale, dtype)

    @property
    def scale(self) -> Any:
        """The scale."""
        return self._scale

    @property
    def log_scale(self) -> Any:
        """The logarithm of the scale."""
        return self._log_scale

    def _factor(self) -> Any:
        return elementary.exp(self._log_scale) if self._scale is None else self._scale

    def is_increasing(self) -> Any:
        """Return whether the scale is positive."""
        return True if self._scale is None else elementary.greater(self._scale, 0)

    def _forward(self, x: Tensor) -> Any:
        return x * self._factor()

    def _inverse(self, y: Tensor) -> Any:
        return y / self._factor()

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return convert(self._log_scale) if self._scale is None else elementary.log(elementary.abs(self._scale))


class SoftClip(Bijector):
    """A map to between two bounds, or beyond one, which is the identity but near them: softplus at each."""

    _increasing = True

    def __init__(
        self, low: TensorLike | None = None, high: TensorLike | None = None, hinge_softness: TensorLike | None = None,
        validate_args: bool = False, name: str = "soft_clip",
    ) -> None:  # fmt: skip
        """Take the bounds, and over which width the hinge bends."""
        made = locals()
        dtype = common_dtype([low, high, hinge_softness])
        given = low is not None or high is not None or hinge_softness is not None
        super().__init__(
            forward_min_event_ndims=0, validate_args=validate_args, dtype=dtype if given else None, parameters=made, name=name
        )
        self._low, self._high = parameter(low, dtype), parameter(high, dtype)
        self._hinge_softness = parameter(hinge_softness, dtype)

    @property
    def low(self) -> Any:
        """The lower bound."""
        return self._low

    @property
    def high(self) -> Any:
        """The upper bound."""
        return self._high

    @property
    def hinge_softness(self) -> Any:
        """Over which width the hinge bends."""
        return self._hinge_softness

    def _whole(self) -> Chain:
        bend = Softplus(self._hinge_softness)
        parts: list[Bijector] = []
        if self._high is not None:
            high = convert(self._high)
            parts = [Shift(high), Scale(convert(-1.0, high.dtype)), bend, Scale(convert(-1.0, high.dtype)), Shift(-high)]
        if self._low is not None:
            low = convert(self._low)
            if parts:  # so that the lower bound stays where it is
                width = high - low
                parts.insert(1, Scale(width / bend.forward(width)))
            parts += [Shift(low), bend, Shift(-low)]
        return Chain(parts)

    def _forward(self, x: Tensor) -> Any:
        return self._whole().forward(x)

    def _inverse(self, y: Tensor) -> Any:
        return self._whole().inverse(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return self._whole().forward_log_det_jacobian(x)


class FillTriangular(Bijector):
    """A vector of n (n + 1) / 2 elements as a triangular matrix of n rows, filled clockwise in a spiral as TensorFlow's.

    >>> FillTriangular().forward([1.0, 2.0, 3.0]).numpy().tolist()
    [[3.0, 0.0], [2.0, 1.0]]
    """

    def __init__(self, upper: bool = False, validate_args: bool = False, name: str = "fill_triangular") -> None:
        """Take which triangle."""
        super().__init__(
            forward_min_event_ndims=1, inverse_min_event_ndims=2, is_constant_jacobian=True, validate_args=validate_args,
            parameters=locals(), name=name,
        )  # fmt: skip
        self._upper = upper

    def _forward(self, x: Tensor) -> Any:
        return special.fill_triangular(x, self._upper)

    def _inverse(self, y: Tensor) -> Any:
        return special.fill_triangular_inverse(y, self._upper)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return convert(0.0, x.dtype)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return convert(0.0, y.dtype)

    def _forward_event_shape(self, shape: TensorShape) -> TensorShape:
        n = None if shape[-1] is None else special.rows_of_triangle(shape[-1])
        return TensorShape([*shape[:-1], n, n])

    def _inverse_event_shape(self, shape: TensorShape) -> TensorShape:
        n = shape[-1]
        return TensorShape([*shape[:-2], None if n is None else n * (n + 1) // 2])
