"""Bijectors: maps with an inverse and the logarithm of their Jacobian's determinant; their chains, and those run backwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike, TensorShape
from wengert.modes.module import Module
from wengert.probability import values
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["Bijector", "Chain", "Identity", "Invert", "described"]

Rank = int | Tensor


class Mapped(Protocol):
    """What has a form of its own mapped by a bijector: a distribution."""

    def _mapped(self, bijector: Bijector) -> Any: ...


def described(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments that an object was made with, of ``locals()`` in its ``__init__``."""
    return {k: v for k, v in (parameters or {}).items() if k != "self" and not k.startswith("__")}


class Bijector(Module):
    """A differentiable map with an inverse.

    A subclass states ``_forward``, ``_inverse`` and one of the log-determinants, ``_forward_log_det_jacobian`` or
    ``_inverse_log_det_jacobian``, for events of as few axes as it can take.

    >>> import wengert as tf
    >>> from wengert.probability.bijectors import Exp
    >>> float(Exp().forward(0.0)), float(Exp().inverse_log_det_jacobian(2.0)) == -float(tf.math.log(2.0))
    (1.0, True)
    """

    _increasing: ClassVar[bool | None] = None
    """Whether it increases, or decreases; None: neither is known."""
    _composite = True

    def __init__(
        self, graph_parents: Sequence[Tensor] | None = None, is_constant_jacobian: bool = False, validate_args: bool = False,
        dtype: DtypeLike | None = None, forward_min_event_ndims: int | None = None, inverse_min_event_ndims: int | None = None,
        experimental_use_kahan_sum: bool = False, parameters: Mapping[str, Any] | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        """Take how many axes an event has before and after, at least; of a map that is not elementwise one must be given."""
        super().__init__(re.sub(r"\W", "_", name or re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()))
        forward = inverse_min_event_ndims if forward_min_event_ndims is None else forward_min_event_ndims
        if forward is None:
            raise ValueError("Must specify at least one of `forward_min_event_ndims` and `inverse_min_event_ndims`.")
        self._forward_min = forward
        self._inverse_min = forward if inverse_min_event_ndims is None else inverse_min_event_ndims
        self._dtype = None if dtype is None else as_dtype(dtype)
        self._constant, self._validate = is_constant_jacobian, validate_args
        self._parameters = described(parameters)
        self._cache: dict[Any, Any] = {}  # GPflow empties it before it copies a model; nothing is kept

    # --- what it is ----------------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The dtype of its parameters; None if it takes any."""
        return self._dtype

    @property
    def forward_min_event_ndims(self) -> int:
        """How many axes an event has, at least, before the map."""
        return self._forward_min

    @property
    def inverse_min_event_ndims(self) -> int:
        """How many axes an event has, at least, after it."""
        return self._inverse_min

    @property
    def is_constant_jacobian(self) -> bool:
        """Whether the Jacobian is the same everywhere."""
        return self._constant

    @property
    def validate_args(self) -> bool:
        """Whether arguments are checked."""
        return self._validate

    @property
    def parameters(self) -> dict[str, Any]:
        """The arguments that it was made with."""
        return dict(self._parameters)

    def copy(self, **overrides: TensorLike) -> Bijector:
        """Return one like it, with other arguments where said."""
        return type(self)(**{**self.parameters, **overrides})

    def is_like(self, other: Bijector) -> bool:
        """Return whether another is the same map, as far as that shows: of the same kind, made with the same arguments."""
        if type(self) is not type(other):
            return False
        own, others = self.parameters, other.parameters
        return all(
            own[name] is others[name] or (isinstance(own[name], str | float | int) and own[name] == others[name])
            for name in own
            if name != "name"
        )

    def is_increasing(self) -> Any:
        """Return whether it increases.

        Raises:
            NotImplementedError: if that is not known.
        """
        if self._increasing is None:
            raise NotImplementedError(f"{type(self).__name__} neither increases nor decreases everywhere.")
        return self._increasing

    def forward_event_ndims(self, event_ndims: Rank) -> Any:
        """Return how many axes an event has after the map, of how many before."""
        return event_ndims + (self._inverse_min - self._forward_min)

    def inverse_event_ndims(self, event_ndims: Rank) -> Any:
        """Return how many axes an event has before the map, of how many after."""
        return event_ndims - (self._inverse_min - self._forward_min)

    def forward_event_shape(self, input_shape: ShapeLike) -> TensorShape:
        """Return the static shape after the map."""
        return TensorShape(self._forward_event_shape(TensorShape(input_shape)))

    def inverse_event_shape(self, output_shape: ShapeLike) -> TensorShape:
        """Return the static shape before the map."""
        return TensorShape(self._inverse_event_shape(TensorShape(output_shape)))

    def forward_event_shape_tensor(self, input_shape: TensorLike, name: str | None = None) -> Any:
        """Return the shape after the map as an integer tensor."""
        return values.known(self.forward_event_shape(array.get_static_value(convert(input_shape))))

    def inverse_event_shape_tensor(self, output_shape: TensorLike, name: str | None = None) -> Any:
        """Return the shape before the map as an integer tensor."""
        return values.known(self.inverse_event_shape(array.get_static_value(convert(output_shape))))

    def _forward_event_shape(self, shape: TensorShape) -> TensorShape:
        return shape

    def _inverse_event_shape(self, shape: TensorShape) -> TensorShape:
        return shape

    # --- the map -------------------------------------------------------------------------------------------------------------

    def __call__(self, value: TensorLike | Bijector | Mapped, name: str | None = None) -> Any:
        """Return the value mapped; of another bijector the chain, of a distribution that of its mapped draws."""
        if isinstance(value, Bijector):
            return Chain([self, value])
        if hasattr(value, "_mapped"):
            return value._mapped(self)
        return self.forward(value, name or "forward")

    def forward(self, x: TensorLike, name: str = "forward") -> Any:
        """Return the map of x."""
        return self._stated("_forward")(self._taken(x))

    def inverse(self, y: TensorLike, name: str = "inverse") -> Any:
        """Return x of which y is the map."""
        return self._stated("_inverse")(self._taken(y))

    def forward_log_det_jacobian(
        self, x: TensorLike, event_ndims: Rank | None = None, name: str = "forward_log_det_jacobian"
    ) -> Any:
        """Return log |det dy/dx| at x, for events of the last ``event_ndims`` axes (as few as it can take by default).

        Raises:
            ValueError: if the events have fewer axes than the map takes, or x has fewer than an event.
        """
        return self._summed(self._log_det(self._taken(x), True), self._taken(x), event_ndims, self._forward_min)

    def inverse_log_det_jacobian(
        self, y: TensorLike, event_ndims: Rank | None = None, name: str = "inverse_log_det_jacobian"
    ) -> Any:
        """Return log |det dx/dy| at y; the arguments are those of `forward_log_det_jacobian`."""
        return self._summed(self._log_det(self._taken(y), False), self._taken(y), event_ndims, self._inverse_min)

    def _log_det(self, at: Tensor, forward: bool) -> Any:
        """Return the log-determinant as it is stated, or minus that of the other direction at the point there."""
        own, other = ("_forward_log_det_jacobian", "_inverse_log_det_jacobian")[:: 1 if forward else -1]
        if hasattr(self, own):
            return getattr(self, own)(at)
        there = self._stated("_forward" if forward else "_inverse")(at)
        return elementary.negative(self._stated(other)(there))

    def _stated(self, name: str) -> Callable[..., Any]:
        if not hasattr(self, name):
            raise NotImplementedError(f"{type(self).__name__} has no `{name.removeprefix('_')}`.")
        return getattr(self, name)  # type: ignore[no-any-return]

    def _taken(self, value: TensorLike) -> Any:
        return array.convert_to_tensor(value, dtype_hint=self._dtype)

    def _summed(self, found: TensorLike, x: Tensor, event_ndims: Rank | None, least: int) -> Any:
        """Return a log-determinant of the smallest events as that of larger ones: the sum over their further axes."""
        given = least if event_ndims is None else int(array.get_static_value(convert(event_ndims)))
        if given < least:
            raise ValueError(f"event_ndims ({given}) must be at least {least} for {type(self).__name__}.")
        if x.shape.rank is not None and x.shape.rank < given:
            raise ValueError(f"Input must have rank at least {given}. Saw: {x.shape.rank}")
        total, more = convert(found), given - least
        if not more:
            return total
        shape = array.shape(x)
        rank = len(x.shape)
        return values.reduced(total + array.zeros(shape[rank - given : rank - least], total.dtype), more)

    def __str__(self) -> str:
        return f'tfp.bijectors.{type(self).__name__}("{self.name}", batch_shape=[], min_event_ndims={self._forward_min})'

    def __repr__(self) -> str:
        dtype = "?" if self._dtype is None else self._dtype.name
        return (
            f"<tfp.bijectors.{type(self).__name__} '{self.name}' batch_shape=[] forward_min_event_ndims={self._forward_min} "
            f"inverse_min_event_ndims={self._inverse_min} dtype_x={dtype} dtype_y={dtype}{self._parts()}>"
        )

    def _parts(self) -> str:
        return ""


class Identity(Bijector):
    """y = x."""

    _increasing = True

    def __init__(self, validate_args: bool = False, name: str = "identity") -> None:
        """Take a name."""
        super().__init__(
            forward_min_event_ndims=0, is_constant_jacobian=True, validate_args=validate_args, parameters=locals(), name=name
        )

    def _forward(self, x: Tensor) -> Any:
        return x

    def _inverse(self, y: Tensor) -> Any:
        return y

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return convert(0.0, x.dtype)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return convert(0.0, y.dtype)


class Chain(Bijector):
    """Bijectors one after another, the last first: Chain([f, g]) maps x to f(g(x)).

    >>> from wengert.probability.bijectors import Exp, Scale
    >>> float(Chain([Scale(2.0), Exp()]).forward(0.0))
    2.0
    """

    def __init__(
        self, bijectors: Sequence[Bijector] | None = None, validate_args: bool = False, validate_event_size: bool = False,
        parameters: Mapping[str, Any] | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        """Take the bijectors; none are the identity."""
        made = described(locals()) | {"name": name}
        every = list(bijectors or ())
        for b in every:
            if not isinstance(b, Bijector):
                raise TypeError(f"Chain takes bijectors, not {b!r}.")
        least = change = 0  # axes that an event has in the beginning; how many more there are before the bijector at hand
        for b in reversed(every):
            least = max(least, b.forward_min_event_ndims - change)
            change += b.inverse_min_event_ndims - b.forward_min_event_ndims
        super().__init__(
            forward_min_event_ndims=least, inverse_min_event_ndims=least + change,
            is_constant_jacobian=all(b.is_constant_jacobian for b in every), validate_args=validate_args,
            dtype=next((b.dtype for b in every if b.dtype is not None), None),
            parameters=made, name=name or ("chain" + "".join(f"_of_{b.name}" for b in every) if every else "identity"),
        )  # fmt: skip
        self._bijectors = every

    @property
    def bijectors(self) -> list[Bijector]:
        """The bijectors, the last of which is applied first."""
        return self._bijectors

    def is_increasing(self) -> Any:
        """Return whether it increases: with an even number of bijectors that decrease."""
        increasing = True
        for b in self._bijectors:
            increasing = elementary.equal(increasing, b.is_increasing())
        return increasing

    def forward_event_ndims(self, event_ndims: Rank) -> Any:
        """Return how many axes an event has after all."""
        for b in reversed(self._bijectors):
            event_ndims = b.forward_event_ndims(event_ndims)
        return event_ndims

    def _forward(self, x: Tensor) -> Any:
        for b in reversed(self._bijectors):
            x = b.forward(x)
        return x

    def _inverse(self, y: Tensor) -> Any:
        for b in self._bijectors:
            y = b.inverse(y)
        return y

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        found, rank = convert(0.0, x.dtype), self._forward_min
        for b in reversed(self._bijectors):
            found = found + b.forward_log_det_jacobian(x, rank)
            x, rank = b.forward(x), b.forward_event_ndims(rank)
        return found

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        found, rank = convert(0.0, y.dtype), self._inverse_min
        for b in self._bijectors:
            found = found + b.inverse_log_det_jacobian(y, rank)
            y, rank = b.inverse(y), b.inverse_event_ndims(rank)
        return found

    def _forward_event_shape(self, shape: TensorShape) -> TensorShape:
        for b in reversed(self._bijectors):
            shape = b.forward_event_shape(shape)
        return shape

    def _inverse_event_shape(self, shape: TensorShape) -> TensorShape:
        for b in self._bijectors:
            shape = b.inverse_event_shape(shape)
        return shape

    def _parts(self) -> str:
        return f" bijectors={self._bijectors or ()}"


class Invert(Bijector):
    """A bijector run backwards."""

    def __init__(
        self, bijector: Bijector, validate_args: bool = False, parameters: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:  # fmt: skip
        """Take the bijector."""
        super().__init__(
            forward_min_event_ndims=bijector.inverse_min_event_ndims, inverse_min_event_ndims=bijector.forward_min_event_ndims,
            is_constant_jacobian=bijector.is_constant_jacobian, validate_args=validate_args, dtype=bijector.dtype,
            parameters={"bijector": bijector, "validate_args": validate_args, "name": name},
            name=name or f"invert_{bijector.name}",
        )  # fmt: skip
        self._bijector = bijector

    @property
    def bijector(self) -> Bijector:
        """The bijector that is run backwards."""
        return self._bijector

    def is_increasing(self) -> Any:
        """Return whether it increases: as the other does."""
        return self._bijector.is_increasing()

    def forward_event_ndims(self, event_ndims: Rank) -> Any:
        """Return how many axes an event has after it."""
        return self._bijector.inverse_event_ndims(event_ndims)

    def inverse_event_ndims(self, event_ndims: Rank) -> Any:
        """Return how many axes an event has before it."""
        return self._bijector.forward_event_ndims(event_ndims)

    def _forward(self, x: Tensor) -> Any:
        return self._bijector.inverse(x)

    def _inverse(self, y: Tensor) -> Any:
        return self._bijector.forward(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        return self._bijector.inverse_log_det_jacobian(x)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return self._bijector.forward_log_det_jacobian(y)

    def _forward_event_shape(self, shape: TensorShape) -> TensorShape:
        return self._bijector.inverse_event_shape(shape)

    def _inverse_event_shape(self, shape: TensorShape) -> TensorShape:
        return self._bijector.forward_event_shape(shape)

    def _parts(self) -> str:
        return f" bijector={self._bijector!r}"
