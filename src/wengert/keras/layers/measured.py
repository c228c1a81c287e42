"""The metrics of a layer: those among its attributes and of the layers within, and Keras 2's ``add_metric``."""

from __future__ import annotations

from typing import Any, ClassVar

from wengert.ground import nest
from wengert.keras.layers.tracking import Tracked
from wengert.keras.metrics.metric import Mean, Metric
from wengert.tensor.tensor import Tensor, TensorLike, convert

__all__ = ["Measured"]


class Measured(Tracked):
    """A layer that gathers metrics, which the model that it is in tells with its own."""

    _TRAINS: ClassVar[bool] = False
    """Whether it is trained by itself: another model does not tell its metrics."""
    _added: list[Metric]
    """What `add_metric` has made."""

    @property
    def metrics(self) -> list[Any]:
        """The metrics among its attributes, those of the layers within, and what `add_metric` has made."""
        return self._gathered()

    def _gathered(self) -> list[Any]:
        """Return the metrics of the layer and of those within, each once."""
        layers = [one for one in self._flatten_layers() if one is self or not getattr(one, "_TRAINS", False)]
        return list(dict.fromkeys(m for one in layers if isinstance(one, Measured) for m in one._own_metrics()))

    def _own_metrics(self) -> list[Metric]:
        held = [one for value in vars(self).values() for one in (nest.flatten(value) if nest.is_nested(value) else [value])]
        return [one for one in held if isinstance(one, Metric)]

    def add_metric(self, value: TensorLike, name: str | None = None, aggregation: str | None = None) -> None:
        """Have a number of this call told by the model that the layer is in: its mean over the batches, under a name.

        As in Keras 2, and from within `call`. What a metric gave when it was called is told as that metric gathers it, by its own
        name; it need be no attribute.

        Args:
            value: a tensor of any shape, of which the mean is taken; or what a metric gave.
            name: the name in `fit`'s history.
            aggregation: accepted; numbers are always averaged.

        Raises:
            ValueError: without a name where a metric did not give the value, and for what `Input()` returned or was made of it.
        """
        given: Metric | None = getattr(value, "_metric_obj", None)
        if given is None and name is None:
            raise ValueError("add_metric: give the metric a name, as in self.add_metric(tf.reduce_sum(x), name='activation').")
        own = self._own_metrics()
        if given is None:
            measured: Tensor = convert(value)
            metric = next((one for one in own if one.name == name), None)
            metric = metric or Mean(name=str(name), dtype=measured.dtype.name if measured.dtype.is_floating else None)
            metric.update_state(measured)
        else:
            metric = given
        if metric not in own:
            self._added = [*vars(self).get("_added", ()), metric]
