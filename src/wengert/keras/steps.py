"""The steps of training, evaluation and prediction, and what ``compile`` keeps for them.

A step is traced once for each shape of a batch: so a last, smaller batch costs one trace more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.functions import array
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.ground.context import state
from wengert.keras import metrics as measures
from wengert.keras import optimizers
from wengert.keras.compiled import Compiled, CompileMetrics, PerOutput
from wengert.keras.data import unpack_x_y_sample_weight
from wengert.keras.layers.layer import Layer
from wengert.keras.registry import Identifier
from wengert.modes.function import function
from wengert.modes.tape import GradientTape
from wengert.tensor.tensor import Nested, Tensor, TensorLike, convert

__all__ = ["Steps"]


class Steps(Layer):
    """A layer that says how one step of its training goes."""

    _TRAINS = True
    _compiled: Compiled
    _named: Any = None

    def compile(
        self, optimizer: Identifier = "rmsprop", loss: PerOutput = None, loss_weights: PerOutput = None,
        metrics: PerOutput = None, weighted_metrics: PerOutput = None, run_eagerly: bool = False, steps_per_execution: int = 1,
        jit_compile: bool | str = "auto", auto_scale_loss: bool = True, **keywords: Any,
    ) -> None:  # fmt: skip
        """Say how to train: an optimizer (or its name), a loss for each output, and metrics."""
        if keywords:
            raise TypeError(f"compile: unrecognized keyword arguments: {', '.join(keywords)}.")
        if isinstance(optimizer, str | dict):
            optimizer = optimizers.get(optimizer)
        c = self._compiled = Compiled()
        if auto_scale_loss and optimizer is not None and self.dtype_policy.name == "mixed_float16":
            if isinstance(optimizer, optimizers.Optimizer) and not isinstance(optimizer, optimizers.LossScaleOptimizer):
                optimizer = optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")
        c.optimizer, c.loss, c.loss_weights = optimizer, loss, loss_weights
        c.run_eagerly, c.jit_compile = run_eagerly, jit_compile
        c.tracker = measures.Mean(name="loss")
        if metrics is not None or weighted_metrics is not None:
            c.together = CompileMetrics(self, metrics, weighted_metrics)
        c.done = True
        if self._named is not None:  # a file of weights with an optimizer's state was loaded
            self._named.left.silent = optimizer is None

    def _states_call(self) -> bool:
        """Return whether it says what its value is: a model that only says how it is trained need not."""
        return True

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_named"}

    @property
    def optimizer(self) -> Any:
        """The optimizer that the model was compiled with; may be set."""
        return self._compiled.optimizer

    @optimizer.setter
    def optimizer(self, value: Identifier) -> None:
        self._compiled.optimizer = value
        self._compiled.steps = {}

    @property
    def loss(self) -> Any:
        """The loss that the model was compiled with; may be set."""
        return self._compiled.loss

    @loss.setter
    def loss(self, value: PerOutput) -> None:
        self._compiled.loss, self._compiled.losses = value, None

    @property
    def compiled(self) -> bool:
        """Whether the model was compiled."""
        return self._compiled.done

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python."""
        return self._compiled.run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._compiled.run_eagerly = bool(value)

    @property
    def metrics(self) -> list[Any]:
        """The trackers: of the loss, of what ``compile`` was given (as one), and those of the model and of the layers within."""
        c = self._compiled
        return [*(m for m in (c.tracker, c.together, *c.each.values()) if m is not None), *self._gathered()]

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Begin all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _names(self, y_pred: Nested | None) -> list[str]:
        """Return the names of the outputs."""
        given = getattr(self, "output_names", None)
        flat = nest.flatten(y_pred)
        if given is not None and len(given) == len(flat):
            return list(given)
        if isinstance(y_pred, Mapping):
            return sorted(y_pred)
        return [f"output_{i + 1}" for i in range(len(flat))]

    def _several(self, x: Nested, y: Nested) -> list[str]:
        """Return the names of the outputs where targets show that there are several, none where there is one."""
        if self._compiled.each or self._compiled.loss is None or len(nest.flatten(y)) < 2:
            return []
        given = getattr(self, "output_names", None)
        return list(given) if given is not None else self._names(self(x, training=False))

    # --- one step ----------------------------------------------------------------------------------------------

    def compute_loss(
        self,
        x: Nested | None = None,
        y: Nested | None = None,
        y_pred: Nested | None = None,
        sample_weight: Nested | None = None,
        training: bool = True,
    ) -> Any:
        """Return the loss that ``compile`` was given, plus what layers and regularizers add."""
        total = self._compiled.loss_of(y, y_pred, sample_weight, self._names(y_pred))
        for extra in self.losses:
            total = extra if total is None else total + elementary.reduce_sum(extra)
        if total is None:
            raise ValueError("There is no loss to minimise: pass `loss` to compile(), or call add_loss() in the model.")
        return total

    def compute_metrics(self, x: Nested, y: Nested, y_pred: Nested, sample_weight: Nested | None = None) -> dict[str, Any]:
        """Give a batch to the metrics of ``compile``; return all results by name."""
        if self._compiled.together is not None:
            self._compiled.together.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of all metrics by name."""
        found: dict[str, Any] = {}
        together = self._compiled.together
        for metric in sorted(self.metrics, key=lambda m: m is together):  # the losses come first
            result = metric.result()
            found.update(result if isinstance(result, dict) else {metric.name: result})
        return found

    def train_step(self, data: Nested) -> dict[str, Any]:
        """Do one step of training; subclasses may state their own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
            self._track(loss, x)
            scale = getattr(self.optimizer, "scale_loss", None)
            loss = loss if scale is None else scale(loss)
        variables = self.trainable_variables
        if variables:
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Nested) -> dict[str, Any]:
        """Do one step of evaluation; subclasses may state their own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self._track(self.compute_loss(x, y, y_pred, sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Nested) -> Any:
        """Return the model's value for one batch; subclasses may state their own."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    @property
    def compiled_loss(self) -> Any:
        """Keras 2's function of (y_true, y_pred, sample_weight, regularization_losses), whose values count in the tracker."""
        return self._compiled_loss if self._compiled.done else None

    def _compiled_loss(
        self,
        y_true: Nested,
        y_pred: Nested,
        sample_weight: Nested | None = None,
        regularization_losses: Sequence[TensorLike] | None = None,
    ) -> Any:
        y_true, y_pred = (nest.map_structure(lambda t: None if t is None else convert(t), v) for v in (y_true, y_pred))
        total = self._compiled.loss_of(y_true, y_pred, sample_weight, self._names(y_pred))
        for extra in regularization_losses or ():
            total = extra if total is None else total + elementary.reduce_sum(extra)
        if total is None:
            raise ValueError("There is no loss: pass `loss` to compile().")
        self._track(total, y_pred)
        return total

    @property
    def compiled_metrics(self) -> Any:
        """The metrics of ``compile`` as one, by Keras 2's name; of none, one that gathers nothing."""
        c = self._compiled
        return c.together or (CompileMetrics(self, None, None) if c.done else None)

    def _track(self, loss: Tensor, x: Nested) -> None:
        first = next((t for t in nest.flatten(x) if t is not None), None)
        rows = 1 if first is None or first.sizes == () else array.shape(first)[0]
        tracker = self._compiled.tracker
        if tracker is not None:
            rows = array.cast(rows, tracker.dtype)
            tracker.total.assign_add(array.cast(elementary.reduce_mean(loss), tracker.dtype) * rows)
            tracker.count.assign_add(rows)

    def _step(self, which: str) -> Any:
        """Return a step as a traced function."""
        c = self._compiled
        found = c.steps.get(which)
        if found is None:
            method = {"train": self.train_step, "test": self.test_step, "predict": self.predict_step}[which]

            def step(data: Nested) -> Any:
                return method(data)

            step.__name__ = f"{which}_step"
            found = c.steps[which] = step if c.run_eagerly else function(step)
        return found

    def make_train_function(self, force: bool = False) -> Any:
        """Return the traced step of training."""
        if force:
            self._compiled.steps.pop("train", None)
        return self._step("train")

    def _ready(self, who: str, needs_optimizer: bool = False) -> None:
        if state.graph is not None:
            raise RuntimeError(
                f"{who}() runs eagerly, and a TensorFlow 1 graph is being built. Call the model on placeholders and minimise a "
                "loss of it, or run the script in TensorFlow 2's manner (wengert run --tf2)."
            )
        if not self._compiled.done and who != "predict":
            raise ValueError(f"You must call `compile()` before calling `{who}()`.")
        if needs_optimizer and self._compiled.optimizer is None:
            raise ValueError(f"{who}: the model was compiled without an optimizer.")

    def _begin(self, which: str, data: Nested) -> None:
        """Make weights, metrics and the optimizer's variables before a step is traced."""
        x, y, _ = unpack_x_y_sample_weight(data)
        c = self._compiled
        if which == "predict":
            if not self._built:
                self(x, training=False)
            return
        plain = type(self).train_step is Steps.train_step
        if plain and not (self._built and (c.together is None or c.together.metrics)):
            y_pred = self(x, training=False)
            self.reset_metrics()  # what the call has given to those of layers is no batch's
            if c.together is not None and not c.together.metrics:
                c.together.build(y, y_pred)
        elif not self._built and type(self).call is not Layer.call and self._states_call():
            self(x, training=False)
            self.reset_metrics()
        if plain and (names := self._several(x, y)):
            c.track_each(names)
        optimizer = c.optimizer
        if optimizer is not None and hasattr(optimizer, "build") and not getattr(optimizer, "built", False):
            variables = self.trainable_variables
            if variables:
                optimizer.build(variables)
