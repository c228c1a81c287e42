"""What a model was compiled with: its optimizer, its losses and its metrics, one for each output or one for all."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from wengert.functions import array
from wengert.ground import nest
from wengert.keras import losses, metrics
from wengert.keras.layers.layer import Layer
from wengert.keras.registry import Identifier
from wengert.tensor.tensor import Nested, Tensor

__all__ = ["BY_SHAPE", "CompileMetrics", "Compiled", "PerOutput"]

BY_SHAPE = ("accuracy", "acc", "crossentropy", "ce")
"""The metrics of which there is one that fits the shapes."""

PerOutput = Identifier | float | Sequence[Any]
"""What is given for the outputs of a model: one for all, a list, or a dictionary by name."""


class Compiled:
    """What a model was compiled with, its trackers, and the traces of its steps."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.optimizer: Any = None
        self.loss: Any = None
        self.losses: Any = None
        self.loss_weights: Any = None
        self.together: Any = None
        self.tracker: Any = None
        self.each: dict[int, metrics.Mean] = {}
        """The trackers of the losses by the places of their outputs, where there are several."""
        self.jit_compile: Any = None
        self.run_eagerly = False
        self.done = False
        self.steps: dict[str, Any] = {}

    def track_each(self, names: list[str]) -> None:
        """Keep a tracker for the loss of each output, unless there is but one loss."""
        if self.each or self.loss is None:
            return
        places = [i for i, one in enumerate(_by_output(self.loss, names, "losses")) if one is not None]
        if len(places) > 1:
            self.each = {i: metrics.Mean(name=f"{names[i]}_loss") for i in places}

    def loss_of(self, y: Nested | None, y_pred: Nested | None, sample_weight: Nested | None, names: list[str]) -> Any:
        """Return the sum of the outputs' losses, None if there are none.

        Raises:
            ValueError: where targets or losses do not go with the outputs.
        """
        if self.loss is None:
            return None
        if self.losses is None:
            self.losses = [_loss(one) for one in _by_output(self.loss, names, "losses")]
        scales = _by_output(1.0 if self.loss_weights is None else self.loss_weights, names, "loss_weights")
        outputs, targets = nest.flatten(y_pred), _arranged(y, names)
        weights = _arranged(sample_weight, names) if nest.is_nested(sample_weight) else [sample_weight] * len(names)
        if len(targets) != len(outputs):
            raise ValueError(f"The model has {len(outputs)} outputs, and {len(targets)} targets are given.")
        total: Any = None
        for i, (one, target, output, weight, scale) in enumerate(
            zip(self.losses, targets, outputs, weights, scales, strict=True)
        ):
            if one is not None:
                value = one(target, output, weight)
                if i in self.each:
                    self.each[i].update_state(value, sample_weight=array.shape(output)[0])
                value = value if scale == 1.0 or scale is None else scale * value
                total = value if total is None else total + value
        return total

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "steps": {}}  # traces are made anew


class CompileMetrics(metrics.Metric):
    """The metrics that ``compile`` was given, as one: each is made when the first batch shows what there is to measure."""

    def __init__(self, model: Layer, plain: PerOutput, weighted: PerOutput) -> None:
        """Take a model, its metrics, and those that sample weights count in."""
        super().__init__(name="compile_metrics")
        self._model: Any = weakref.ref(model)
        self._given = ((plain, False), (weighted, True))
        self._places: list[tuple[Any, int, bool, str]] | None = None
        """Each metric, the place of its output, whether sample weights count in it, and what its result is called."""

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_model": self._model()}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept, _model=weakref.ref(kept["_model"]))

    @property
    def metrics(self) -> list[Any]:
        """The metrics, as far as they are made."""
        return [m for m, _, _, _ in self._places or ()]

    @property
    def given(self) -> dict[str, PerOutput]:
        """What ``compile`` was given, by its arguments."""
        return {"metrics": self._given[0][0], "weighted_metrics": self._given[1][0]}

    @property
    def variables(self) -> list[Any]:
        """Their variables."""
        return [v for m in self.metrics for v in m.variables]

    def _trackable_children(self) -> dict[str, Any]:
        return {str(i): m for i, m in enumerate(self.metrics)}

    def build(self, y: Nested, y_pred: Nested) -> None:
        """Make the metrics for targets and outputs like these."""
        names = self._model()._names(y_pred)
        outputs, targets = nest.flatten(y_pred), _arranged(y, names)
        self._places = []
        for group, weighted in self._given:
            if group is None:
                continue
            if len(names) == 1 and not isinstance(group, Mapping):
                group = [list(group) if isinstance(group, list | tuple) else [group]]
            for i, given in enumerate(_by_output(group, names, "metrics")):
                if given is None:
                    continue
                for one in given if isinstance(given, list | tuple) else [given]:
                    metric = _metric(one, targets[i], outputs[i])
                    label = f"{names[i]}_{metric.name}" if len(names) > 1 else str(metric.name)
                    self._places.append((metric, i, weighted, label))

    def update_state(self, y_true: Nested, y_pred: Nested, sample_weight: Nested | None = None) -> None:
        """Give a batch to each; sample weights to those that they count in."""
        if self._places is None:
            self.build(y_true, y_pred)
        names = self._model()._names(y_pred)
        outputs, targets = nest.flatten(y_pred), _arranged(y_true, names)
        for metric, i, weighted, _ in self._places or ():
            if weighted and sample_weight is not None:
                metric.update_state(targets[i], outputs[i], sample_weight=sample_weight)
            else:
                metric.update_state(targets[i], outputs[i])

    def result(self) -> dict[str, Any]:
        """Return their results by name; where two have one name, the other is "weighted_..." or numbered.

        Raises:
            ValueError: before the first batch.
        """
        if self._places is None:
            raise ValueError("Cannot get result() since the metric has not yet been built: no batch was given to it.")
        found: dict[str, Any] = {}
        for metric, _, weighted, label in self._places:
            name = f"weighted_{label}" if weighted and label in found else label
            label, count = name, 1
            while name in found:
                name, count = f"{label}_{count}", count + 1
            found[name] = metric.result()
        return found

    def reset_state(self) -> None:
        """Begin each anew."""
        for metric in self.metrics:
            metric.reset_state()


def _by_output(value: PerOutput, names: list[str], what: str) -> list[Any]:
    """Return what is given for each output: one for all, a list, or a dictionary by name."""
    if isinstance(value, Mapping):
        unknown = [k for k in value if k not in names]
        if unknown:
            raise ValueError(f"compile: {what} names the outputs {unknown}, and there are {names}.")
        return [value.get(n) for n in names]
    if isinstance(value, list | tuple):
        if len(value) != len(names):
            raise ValueError(f"compile: {len(value)} {what} are given for {len(names)} outputs.")
        return list(value)
    return [value] * len(names)


def _loss(given: Identifier) -> Any:
    """Return a loss as an object that takes sample weights."""
    found = losses.get(given)
    if found is None or isinstance(found, losses.Loss):
        return found
    return losses.LossFunctionWrapper(found)


def _metric(given: Identifier, y: Tensor, y_pred: Tensor) -> Any:
    """Return a metric as an object: "accuracy" is the one that fits the shapes."""
    if isinstance(given, metrics.Metric):
        return given
    if given in BY_SHAPE:
        sizes, labels = y_pred.sizes or (), y.sizes or ()
        kind = (
            "binary"
            if sizes and sizes[-1] == 1
            else "categorical"
            if len(labels) == len(sizes) and labels[-1:] == sizes[-1:]
            else "sparse"
        )
        what = "accuracy" if str(given).startswith("acc") else "crossentropy"
        name = {"binary": f"binary_{what}", "categorical": f"categorical_{what}", "sparse": f"sparse_categorical_{what}"}[kind]
        return metrics.MeanMetricWrapper(metrics.get(name), name=str(given))
    found: Any = metrics.get(given)
    if isinstance(found, metrics.Metric):
        if isinstance(given, str):
            found.name = given
        return found
    return metrics.MeanMetricWrapper(found, name=given if isinstance(given, str) else None)


def _arranged(value: Nested | None, names: list[str]) -> list[Any]:
    """Return what is given for each output, in order: a dictionary by names, or anything in its own order."""
    if isinstance(value, Mapping) and set(value) <= set(names):
        return [value.get(n) for n in names]
    if len(names) == 1:
        return [value[0] if isinstance(value, list | tuple) and len(value) == 1 else value]
    return nest.flatten(value)
