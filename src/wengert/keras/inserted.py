"""What a functional model counts beside its outputs: Keras 2's ``add_loss`` and ``add_metric`` of symbolic tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from wengert.ground import nest
from wengert.keras import symbolic
from wengert.keras.layers.layer import Layer
from wengert.keras.saved import Saved
from wengert.tensor.tensor import Nested, Tensor, TensorLike

__all__ = ["AddLoss", "AddMetric", "Inserted"]


class _Beside(Layer):
    """A layer that hands on what it is called with."""

    supports_masking = True
    counts_beside: ClassVar[str]
    """What puts it into a model, of which no file says so."""

    def get_config(self) -> NoReturn:
        """Refuse: a model that is made of a file would be trained without it.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"No configuration says what {self.counts_beside} was given; put it into the call() of a layer.")


class AddLoss(_Beside):
    """Adds what it is called with to the loss."""

    counts_beside = "add_loss()"

    def call(self, x: Tensor) -> Any:
        """Return what is given."""
        self.add_loss(x)
        return x


class AddMetric(_Beside):
    """Has the mean of what it is called with told."""

    counts_beside = "add_metric()"

    def __init__(self, metric_name: str, name: str | None = None) -> None:
        """Take the name under which it is told."""
        super().__init__(name=name)
        self.metric_name = metric_name

    def call(self, x: Tensor) -> Any:
        """Return what is given."""
        self.add_metric(x, self.metric_name)
        return x


class Inserted(Saved):
    """A model that may be functional."""

    _layers: list[Any]
    _read: list[Any]

    def add_loss(self, losses: Nested | Callable[[], Any], inputs: Nested | None = None) -> None:
        """Add to the loss: tensors of this call, functions, or symbolic tensors that follow from a functional model's inputs.

        Raises:
            ValueError: for a symbolic tensor, if the model is not functional, or the tensor follows from another input.
        """
        given: list[Any] = [losses] if callable(losses) else nest.flatten(losses)
        for one in given:
            if symbolic.is_keras_tensor(one):
                self._count(AddLoss(), one)
        super().add_loss([one for one in given if not symbolic.is_keras_tensor(one)], inputs)

    def add_metric(self, value: TensorLike, name: str | None = None, aggregation: str | None = None) -> None:
        """Have a number told: of this call, or a symbolic tensor that follows from a functional model's inputs.

        As in Keras 2: its mean over the batches. See `Layer.add_metric`.

        Raises:
            ValueError: without a name; for a symbolic tensor, if the model is not functional, or it follows from another input.
        """
        if isinstance(value, Tensor) and symbolic.is_keras_tensor(value) and name is not None:
            self._count(AddMetric(name), value)
        else:
            super().add_metric(value, name, aggregation)

    def _count(self, layer: Layer, tensor: Tensor) -> None:
        """Have a layer called with a symbolic tensor whenever the model is called."""
        path = self._path
        if path is None:
            raise ValueError(
                f"{self.name}: a symbolic tensor can be counted in a functional model alone; call add_loss() and add_metric() "
                "with the tensors of a call() otherwise."
            )
        symbolic.nodes_between(path.sources, [tensor])  # which says if it does not follow from the inputs
        self._set_path(path.inputs, path.outputs, [*path.ends, layer(tensor)])
        self._compiled.steps = {}

    def _set_path(self, inputs: Nested, outputs: Nested | None, ends: list[Any] | None = None) -> None:
        """Become a functional model."""
        self._path = symbolic.Path(inputs, outputs, ends or ())
        self._layers = self._path.layers
        self._read = self._path.variables
        self._built = True
        self._trainable = True
        if not self.trainable:
            self.trainable = False
