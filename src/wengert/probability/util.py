"""``tfp.util``: what is computed from a variable each time it is read, and may be assigned to through a bijector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.functions import array
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike, TensorShape
from wengert.modes.module import Module
from wengert.modes.valued import Valued
from wengert.modes.variable import Variable
from wengert.probability.bijector import Bijector
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["DeferredTensor", "TransformedVariable"]


class DeferredTensor(Module, Valued):
    """A function of a variable or tensor, computed each time that it is read: so a tape sees it depend on the variable.

    >>> import wengert as tf
    >>> v = tf.Variable(1.0)
    >>> doubled = DeferredTensor(v, lambda x: 2.0 * x)
    >>> float(doubled + 1.0)
    3.0
    """

    _composite = True

    def __init__(
        self, pretransformed_input: TensorLike, transform_fn: Callable[..., Any], dtype: DtypeLike | None = None,
        shape: ShapeLike | str | None = "None", also_track: Module | Variable | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        """Take what is read, and the function of it.

        Args:
            pretransformed_input: a variable, a tensor, or what answers for one.
            transform_fn: the function, or a bijector.
            dtype: the dtype of the result, that of the input by default.
            shape: the static shape of the result; that of the input by default, as the bijector says; None where it is not known.
            also_track: variables or modules that the function reads, whose variables this module has too.
            name: a name.

        Raises:
            TypeError: if transform_fn cannot be called.
        """
        if not callable(transform_fn):
            raise TypeError(f"DeferredTensor: transform_fn is a function, not {transform_fn!r}.")
        source: Any = pretransformed_input if hasattr(pretransformed_input, "dtype") else convert(pretransformed_input)
        title = getattr(transform_fn, "__name__", None) or getattr(transform_fn, "name", type(transform_fn).__name__)
        super().__init__()
        self._name = name or f"{title}_{getattr(source, 'name', 'constant')}".replace(":", "_").lower()
        self._pretransformed_input: Any = source
        self._transform_fn, self._also_track = transform_fn, also_track
        own = dtype or getattr(transform_fn, "dtype", None)
        self._dtype = as_dtype(own if own is not None else source.dtype)
        if isinstance(shape, str):
            shape = TensorShape(source.shape)
            if isinstance(transform_fn, Bijector):
                shape = transform_fn.forward_event_shape(shape)
        self._shape = TensorShape(shape)

    @property
    def pretransformed_input(self) -> Any:
        """What is read."""
        return self._pretransformed_input

    @property
    def transform_fn(self) -> Any:
        """The function of it."""
        return self._transform_fn

    @property
    def also_track(self) -> Any:
        """Variables or modules that the function reads."""
        return self._also_track

    @property
    def dtype(self) -> Any:
        """The dtype of the result."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape of the result."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """Return the static shape of the result."""
        return self._shape

    def set_shape(self, shape: ShapeLike) -> None:
        """Add to what is known of the shape."""
        self._shape = self._shape.merge_with(shape)

    def _as_tensor(self) -> Any:
        value = convert(self._transform_fn(convert(self._pretransformed_input)), self._dtype)
        if isinstance(value, Tensor) and not value.shape.is_fully_defined():
            value.set_shape(self._shape)
        return value

    def numpy(self) -> Any:
        """Return the result as a NumPy array.

        Raises:
            NotImplementedError: while a graph is built.
        """
        value = self._as_tensor()
        if not hasattr(value, "array"):
            raise NotImplementedError("DeferredTensor.numpy() is only available when eager execution is enabled.")
        return value.numpy()

    def __array__(self, dtype: DtypeLike | None = None, copy: bool | None = None) -> Any:
        return np.asarray(self.numpy(), None if dtype is None else as_dtype(dtype).numpy)

    def __iter__(self) -> Any:
        return iter(self._as_tensor())

    def __len__(self) -> int:
        return len(self._as_tensor())

    def __bool__(self) -> bool:
        return bool(self._as_tensor())

    def __repr__(self) -> str:
        title = getattr(self._transform_fn, "__name__", None) or repr(getattr(self._transform_fn, "name", "?")).replace("'", '"')
        head = f"{type(self).__name__}: name={self.name}, dtype={self.dtype.name}, shape={self.shape.as_list()}, fn={title}"
        value = self._as_tensor()
        return f"<{head}, numpy={repr(value).partition('numpy=')[2]}" if hasattr(value, "array") else f"<{head}>"


class TransformedVariable(DeferredTensor):
    """A variable's map by a bijector, which may be assigned to: the variable then holds the inverse.

    >>> from wengert.probability.bijectors import Exp
    >>> scale = TransformedVariable(1.0, Exp())
    >>> round(float(scale.assign(3.0)), 4), round(float(scale + 0.0), 4)
    (1.0986, 3.0)
    """

    def __init__(
        self, initial_value: TensorLike | Callable[[], TensorLike], bijector: Bijector, dtype: DtypeLike | None = None,
        name: str | None = None, **kwargs: TensorLike | None,
    ) -> None:  # fmt: skip
        """Take the first value, and the bijector that makes it of a variable; further arguments are the variable's."""
        first = initial_value() if callable(initial_value) else initial_value
        value = array.convert_to_tensor(first, dtype, dtype_hint=bijector.dtype)
        start = bijector.inverse(value)
        arguments: dict[str, Any] = dict(kwargs)
        held = Variable(start, name=name, dtype=dtype, **arguments)
        super().__init__(held, bijector, dtype=value.dtype, shape=value.shape, name=name or bijector.name)
        self._bijector = bijector

    @property
    def bijector(self) -> Bijector:
        """The bijector."""
        return self._bijector

    @property
    def initializer(self) -> Any:
        """The operation that sets the variable's initial value, in a graph of TensorFlow 1."""
        return self._pretransformed_input.initializer

    def assign(self, value: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Set the value, through the variable; return what the assignment to that returns."""
        return self._pretransformed_input.assign(self._bijector.inverse(convert(value, self.dtype)), read_value=read_value)

    def assign_add(self, value: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Add to the value."""
        return self.assign(self._as_tensor() + convert(value, self.dtype), read_value=read_value)

    def assign_sub(self, value: TensorLike, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Subtract from the value."""
        return self.assign(self._as_tensor() - convert(value, self.dtype), read_value=read_value)
