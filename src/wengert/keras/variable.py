"""``keras.Variable``: a variable made by an initializer, of a shape and a dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.functions import array
from wengert.ground import shapes
from wengert.ground.dtypes import DtypeLike, as_dtype
from wengert.ground.shapes import ShapeLike
from wengert.keras.configuration import standardize_dtype
from wengert.keras.registry import auto_name
from wengert.modes import variable as state
from wengert.tensor.tensor import TensorLike

__all__ = ["Variable"]


class Variable(state.Variable):
    """A variable whose first value an initializer gives.

    >>> from wengert.keras.initializers import Ones
    >>> Variable(Ones(), shape=(2,), name="w").numpy()
    array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        initializer: str | Callable[..., Any] | TensorLike,
        shape: ShapeLike | None = None,
        dtype: DtypeLike | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = None,
        synchronization: str | None = None,
        name: str | None = None,
        regularizer: Callable[[Any], Any] | None = None,
        constraint: Callable[[Any], Any] | None = None,
        path: str | None = None,
    ) -> None:
        """Take an initializer with the shape to call it with, or a value.

        Raises:
            ValueError: for an initializer without a shape.
        """
        name = name or auto_name("variable")
        self._label, self.path, self.regularizer, self.autocast = name, path or name, regularizer, autocast
        self._declared = bool(trainable)
        if isinstance(initializer, str):
            from wengert.keras import initializers

            initializer = initializers.get(initializer)
        value: Any = initializer
        if callable(initializer):
            if shape is None:
                raise ValueError(f"Variable {name}: an initializer needs the shape of what it is to make.")
            sizes = shapes.as_shape(shape)
            if not shapes.is_full(sizes):
                raise ValueError(f"Variable {name}: the shape must be known, not {shapes.text(sizes)}.")
            kind = as_dtype(standardize_dtype(dtype))

            def value() -> Any:
                return array.cast(initializer(sizes, dtype=kind), kind)

        elif dtype is not None:
            value = array.cast(initializer, as_dtype(standardize_dtype(dtype)))
        super().__init__(value, trainable=trainable, name=self.path, constraint=constraint)

    @property
    def name(self) -> str:
        """The name alone; in a TensorFlow 1 graph, TensorFlow 1's."""
        return self._label if self._graph is None else super().name

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it by themselves, and optimizers are given it; may be set."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = self._declared = bool(value)
