"""Training: what ``compile`` keeps, and what ``fit``, ``evaluate`` and ``predict`` do with it.

A step is traced once for each shape of a batch: so a last, smaller batch costs one trace more.
"""

from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from wengert.functions import array, random
from wengert.functions import math as elementary
from wengert.ground import nest
from wengert.ground.context import state
from wengert.ground.dtypes import as_dtype
from wengert.ground.types import Array
from wengert.keras import callbacks as reports
from wengert.keras import losses, metrics, optimizers
from wengert.keras.configuration import floatx
from wengert.modes.function import function
from wengert.modes.tape import GradientTape
from wengert.tensor.tensor import EagerTensor, Nested, Tensor, TensorLike

__all__ = ["Compiled", "Trainer", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return data as (x, y, sample_weight), None for what it lacks.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if isinstance(data, list):
        data = tuple(data)
    if not 1 <= len(data) <= 3:
        raise ValueError(f"Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, not {data!r}.")
    return (*data, *[None] * (3 - len(data)))


def pack_x_y_sample_weight(x: Nested, y: Nested | None = None, sample_weight: Nested | None = None) -> Any:
    """Return what there is of x, y and sample_weight as one."""
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


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
        self.jit_compile: Any = None
        self.run_eagerly = False
        self.done = False
        self.steps: dict[str, Any] = {}

    def __deepcopy__(self, memo: Any) -> Compiled:
        """Return one that is not compiled: optimizers belong to one model's variables."""
        return Compiled()


class CompileMetrics(metrics.Metric):
    """The metrics that ``compile`` was given, as one: each is made when the first batch shows what there is to measure."""

    def __init__(self, model: Any, plain: Any, weighted: Any) -> None:
        """Take a model, its metrics, and those that sample weights count in."""
        super().__init__(name="compile_metrics")
        self._model: Any = weakref.ref(model)
        self._given = ((plain, False), (weighted, True))
        self._places: list[tuple[Any, int, bool]] | None = None

    @property
    def metrics(self) -> list[Any]:
        """The metrics, as far as they are made."""
        return [m for m, _, _ in self._places or ()]

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
                    if len(names) > 1:
                        metric.name = f"{names[i]}_{metric.name}"
                    self._places.append((metric, i, weighted))

    def update_state(self, y_true: Nested, y_pred: Nested, sample_weight: Nested | None = None) -> None:
        """Give a batch to each; sample weights to those that they count in."""
        if self._places is None:
            self.build(y_true, y_pred)
        names = self._model()._names(y_pred)
        outputs, targets = nest.flatten(y_pred), _arranged(y_true, names)
        for metric, i, weighted in self._places or ():
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
        for metric, _, weighted in self._places:
            name = f"weighted_{metric.name}" if weighted and metric.name in found else metric.name
            label, count = name, 1
            while name in found:
                name, count = f"{label}_{count}", count + 1
            found[name] = metric.result()
        return found

    def reset_state(self) -> None:
        """Begin each anew."""
        for metric in self.metrics:
            metric.reset_state()


def _by_output(value: TensorLike, names: list[str], what: str) -> list[Any]:
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


class Trainer:
    """What `Model` has for training."""

    _compiled: Compiled
    _named: Any = None

    # --- compiling ---------------------------------------------------------------------------------------------

    def compile(
        self, optimizer: str = "rmsprop", loss: TensorLike | None = None, loss_weights: Any = None, metrics: Any = None,
        weighted_metrics: Any = None, run_eagerly: bool = False, steps_per_execution: int = 1, jit_compile: str = "auto",
        auto_scale_loss: bool = True, **keywords: Any,
    ) -> None:  # fmt: skip
        """Say how to train: an optimizer (or its name), a loss for each output, and metrics."""
        if keywords:
            raise TypeError(f"compile: unrecognized keyword arguments: {', '.join(keywords)}.")
        if isinstance(optimizer, str | dict):
            optimizer = optimizers.get(optimizer)
        c = self._compiled = Compiled()
        c.optimizer, c.loss, c.loss_weights = optimizer, loss, loss_weights
        c.run_eagerly, c.jit_compile = run_eagerly, jit_compile
        c.tracker = _metrics.Mean(name="loss")
        if metrics is not None or weighted_metrics is not None:
            c.together = CompileMetrics(self, metrics, weighted_metrics)
        c.done = True
        if self._named is not None:  # a file of weights with an optimizer's state was loaded
            self._named.left.silent = optimizer is None

    @property
    def optimizer(self) -> Any:
        """The optimizer that the model was compiled with; may be set."""
        return self._compiled.optimizer

    @optimizer.setter
    def optimizer(self, value: TensorLike) -> None:
        self._compiled.optimizer = value
        self._compiled.steps = {}

    @property
    def loss(self) -> Any:
        """The loss that the model was compiled with; may be set."""
        return self._compiled.loss

    @loss.setter
    def loss(self, value: TensorLike) -> None:
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
        """The trackers: of the loss, of what ``compile`` was given (as one), and those among the model's attributes."""
        c = self._compiled
        found = [m for m in (c.tracker, c.together) if m is not None]
        for value in vars(self).values():
            found += [m for m in nest.flatten(value) if isinstance(m, _metrics.Metric)] if nest.is_nested(value) else []
            if isinstance(value, _metrics.Metric):
                found.append(value)
        return found

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
        c = self._compiled
        total: Any = None
        if c.loss is not None:
            names = self._names(y_pred)
            if c.losses is None:
                c.losses = [_loss(one) for one in _by_output(c.loss, names, "losses")]
            scales = _by_output(1.0 if c.loss_weights is None else c.loss_weights, names, "loss_weights")
            outputs = nest.flatten(y_pred)
            targets = _arranged(y, names)
            weights = _arranged(sample_weight, names) if nest.is_nested(sample_weight) else [sample_weight] * len(names)
            if len(targets) != len(outputs):
                raise ValueError(f"The model has {len(outputs)} outputs, and {len(targets)} targets are given.")
            for one, target, output, weight, scale in zip(c.losses, targets, outputs, weights, scales, strict=True):
                if one is not None:
                    value = one(target, output, weight)
                    value = value if scale == 1.0 or scale is None else scale * value
                    total = value if total is None else total + value
        for extra in self.losses:  # type: ignore[attr-defined]
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
        for metric in self.metrics:
            result = metric.result()
            found.update(result if isinstance(result, dict) else {metric.name: result})
        return found

    def train_step(self, data: Nested) -> dict[str, Any]:
        """Do one step of training; subclasses may state their own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        self._track(loss, x)
        variables = self.trainable_variables  # type: ignore[attr-defined]
        if variables:
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Nested) -> dict[str, Any]:
        """Do one step of evaluation; subclasses may state their own."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        self._track(self.compute_loss(x, y, y_pred, sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Nested) -> Any:
        """Return the model's value for one batch; subclasses may state their own."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)  # type: ignore[operator]

    def _track(self, loss: TensorLike, x: Nested) -> None:
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

    def _begin(self, data: Nested) -> None:
        """Make weights, metrics and the optimizer's variables before a step is traced."""
        x, y, _ = unpack_x_y_sample_weight(data)
        c = self._compiled
        plain = type(self).train_step is Trainer.train_step
        if plain and not (self._built and (c.together is None or c.together.metrics)):  # type: ignore[attr-defined]
            y_pred = self(x, training=False)  # type: ignore[operator]
            if c.together is not None and not c.together.metrics:
                c.together.build(y, y_pred)
        elif not self._built and type(self).call is not _no_call():  # type: ignore[attr-defined]
            self(x, training=False)  # type: ignore[operator]
        optimizer = c.optimizer
        if optimizer is not None and hasattr(optimizer, "build") and not getattr(optimizer, "built", False):
            variables = self.trainable_variables  # type: ignore[attr-defined]
            if variables:
                optimizer.build(variables)

    # --- loops -------------------------------------------------------------------------------------------------

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: Any = "auto",
        callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None, shuffle: bool = True,
        class_weight: Any = None, sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
        validation_steps: int | None = None, validation_batch_size: int | None = None, validation_freq: int = 1,
        workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10,
    ) -> Any:  # fmt: skip
        """Train for some epochs; return the `History`.

        x, y: arrays, tensors, or structures of them; or an iterable of batches (x, y) or (x, y, sample_weight). With
        ``steps_per_epoch`` an epoch goes on where the one before it has ended, and begins the data anew at their end.
        """
        self._ready("fit", needs_optimizer=type(self).train_step is Trainer.train_step)
        if class_weight is not None:
            if _is_stream(x):
                raise ValueError("fit: class_weight is not served for an iterable of batches; let them hold sample weights.")
            sample_weight = _class_weights(y, class_weight, sample_weight)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = _divided(x, y, sample_weight, validation_split)
        batches = _Batches(x, y, sample_weight, batch_size, shuffle, steps_per_epoch)
        log = reports.CallbackList(
            callbacks, add_history=True, add_progbar=verbose not in (0, None, False), verbose=_level(verbose),
            epochs=epochs, steps=batches.count, model=self,
        )  # fmt: skip
        self.stop_training = False
        step: Any = None
        log.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            log.on_epoch_begin(epoch)
            i = -1
            for i, batch in enumerate(batches):
                if step is None:
                    self._begin(batch)
                    step = self._step("train")
                log.on_train_batch_begin(i)
                logs = step(batch)
                if log.listens:
                    log.on_train_batch_end(i, _numbers(logs))
                if self.stop_training:
                    break
            if i < 0:
                break  # the data have ended, and it has been said
            logs = _numbers(logs)
            due = (epoch + 1) % validation_freq == 0 if isinstance(validation_freq, int) else epoch + 1 in validation_freq
            if validation_data is not None and due:
                vx, vy, vw = (
                    unpack_x_y_sample_weight(validation_data)
                    if not _is_stream(validation_data)
                    else (validation_data, None, None)
                )
                found = self.evaluate(
                    vx, vy, batch_size=validation_batch_size or batch_size, sample_weight=vw, steps=validation_steps,
                    verbose=0, return_dict=True, _callbacks=log,
                )  # fmt: skip
                logs |= {f"val_{k}": v for k, v in found.items()}
            log.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        log.on_train_end(logs)
        self.history = log.history
        return log.history

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto", sample_weight: Any = None,
        steps: int | None = None, callbacks: Any = None, return_dict: bool = False, _callbacks: Any = None, **keywords: Any,
    ) -> Any:  # fmt: skip
        """Return the loss and the metrics over data: a number, a list, or with ``return_dict`` a dictionary."""
        self._ready("evaluate")
        batches = _Batches(x, y, sample_weight, batch_size, False, steps)
        log = _callbacks or reports.CallbackList(
            callbacks, add_progbar=verbose not in (0, None, False), verbose=_level(verbose), epochs=1,
            steps=batches.count, model=self,
        )  # fmt: skip
        self.reset_metrics()
        log.on_test_begin()
        logs: Any = {}
        step: Any = None
        for i, batch in enumerate(batches):
            if step is None:
                self._begin(batch)
                step = self._step("test")
            log.on_test_batch_begin(i)
            logs = step(batch)
            if log.listens:
                log.on_test_batch_end(i, _numbers(logs))
        found = _numbers(logs)
        log.on_test_end(found)
        if return_dict:
            return found
        values = list(found.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None, callbacks: Any = None,
        **keywords: Any,
    ) -> Any:  # fmt: skip
        """Return the model's values for data as NumPy arrays, batch by batch."""
        self._ready("predict")
        batches = _Batches(x, None, None, batch_size, False, steps)
        log = reports.CallbackList(
            callbacks, add_progbar=verbose not in (0, None, False), verbose=_level(verbose), epochs=1,
            steps=batches.count, model=self,
        )  # fmt: skip
        parts: list[list[Any]] = []
        structure: Any = None
        step: Any = None
        log.on_predict_begin()
        for i, batch in enumerate(batches):
            if step is None:
                if not self._built:  # type: ignore[attr-defined]
                    self(unpack_x_y_sample_weight(batch)[0], training=False)  # type: ignore[operator]
                step = self._step("predict")
            log.on_predict_batch_begin(i)
            structure = step(batch)
            parts.append([np.asarray(t) for t in nest.flatten(structure)])
            log.on_predict_batch_end(i, {"outputs": structure} if log.listens else None)
        log.on_predict_end()
        if not parts:
            raise ValueError("predict: there is no data.")
        joined = [np.concatenate(column) if len(column) > 1 else column[0] for column in zip(*parts, strict=True)]
        return nest.pack_sequence_as(structure, joined)

    def train_on_batch(
        self,
        x: Nested,
        y: Nested | None = None,
        sample_weight: Nested | None = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one step of training; return the loss and the metrics."""
        self._ready("train_on_batch", needs_optimizer=type(self).train_step is Trainer.train_step)
        if class_weight is not None:
            sample_weight = _class_weights(y, class_weight, sample_weight)
        return self._one("train", (x, y, sample_weight), return_dict)

    def test_on_batch(
        self, x: Nested, y: Nested | None = None, sample_weight: Nested | None = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and the metrics of one batch."""
        self._ready("test_on_batch")
        return self._one("test", (x, y, sample_weight), return_dict)

    def predict_on_batch(self, x: Nested) -> Any:
        """Return the model's values for one batch as NumPy arrays."""
        self._ready("predict")
        return nest.map_structure(np.asarray, self._step("predict")(_batch((x, None, None))[:1]))

    def _one(self, which: str, data: Any, return_dict: bool) -> Any:
        batch = _batch(data)
        self._begin(batch)
        self.reset_metrics()
        found = _numbers(self._step(which)(batch))
        values = list(found.values())
        return found if return_dict else values[0] if len(values) == 1 else values


def _no_call() -> Any:
    from wengert.keras.layers.layer import Layer

    return Layer.call


_metrics = metrics


def _loss(given: Any) -> Any:
    """Return a loss as an object that takes sample weights."""
    found = losses.get(given)
    if found is None or isinstance(found, losses.Loss):
        return found
    return losses.LossFunctionWrapper(found)


def _metric(given: Any, y: Any, y_pred: Any) -> Any:
    """Return a metric as an object: "accuracy" is the one that fits the shapes."""
    if isinstance(given, _metrics.Metric):
        return given
    if given in ("accuracy", "acc", "crossentropy", "ce"):
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
        return _metrics.MeanMetricWrapper(_metrics.get(name), name=str(given))
    found: Any = _metrics.get(given)
    if isinstance(found, _metrics.Metric):
        if isinstance(given, str):
            found.name = given
        return found
    return _metrics.MeanMetricWrapper(found, name=given if isinstance(given, str) else None)


def _arranged(value: Nested | None, names: list[str]) -> list[Any]:
    """Return what is given for each output, in order: a dictionary by names, or anything in its own order."""
    if isinstance(value, Mapping) and set(value) <= set(names):
        return [value.get(n) for n in names]
    if len(names) == 1:
        return [value[0] if isinstance(value, list | tuple) and len(value) == 1 else value]
    return nest.flatten(value)


def _numbers(logs: Mapping[str, Any]) -> dict[str, Any]:
    if logs is None:
        return {}
    if not isinstance(logs, Mapping):
        return {"loss": float(np.asarray(logs))}
    found: dict[str, Any] = {}
    for key, value in logs.items():
        if isinstance(value, Mapping):  # what several metrics tell as one
            found.update(_numbers(value))
        else:
            plain = np.asarray(value.array if isinstance(value, EagerTensor) else value)
            found[key] = plain if plain.ndim else float(plain)
    return found


def _class_weights(y: Any, class_weight: Any, sample_weight: Any) -> Any:
    if sample_weight is not None:
        raise ValueError("Give class_weight or sample_weight, not both.")
    labels = np.asarray(y)
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    return np.array([float(class_weight.get(int(k), 1.0)) for k in labels])


def _is_stream(x: Any) -> bool:
    """Whether data is an iterable of batches, rather than arrays."""
    if (
        x is None
        or isinstance(x, Tensor | np.ndarray | list | tuple | Mapping)
        or hasattr(x, "_as_tensor")
        or hasattr(x, "__array__")
    ):
        return False
    return isinstance(x, Iterable)


_END = object()


def _level(verbose: Any) -> int:
    return 1 if verbose == "auto" else int(verbose or 0)


def _array(value: Array) -> Any:
    """Return data as an array, floats in `floatx`."""
    if isinstance(value, EagerTensor):
        value = value.array
    elif hasattr(value, "_as_tensor"):
        value = value._as_tensor().array
    value = np.asarray(value)
    wanted = as_dtype(floatx()).numpy
    return value.astype(wanted) if value.dtype.kind == "f" and value.dtype != wanted else value


def _is_array(value: Array) -> bool:
    return isinstance(value, Tensor | np.ndarray) or hasattr(value, "_as_tensor") or hasattr(value, "__array__")


def _arrays(data: Any) -> Any:
    """Return a structure with arrays for its leaves; lists of numbers are arrays."""
    if data is None:
        return None
    if _is_array(data):
        return _array(data)
    if isinstance(data, Mapping):
        return {k: _arrays(v) for k, v in data.items()}
    if isinstance(data, list | tuple) and data and all(_is_array(v) or isinstance(v, list | tuple | Mapping) for v in data):
        if any(_is_array(v) and not isinstance(v, np.generic) for v in data) or any(isinstance(v, Mapping) for v in data):
            return type(data)([_arrays(v) for v in data])
    return _array(data)


def _batch(data: Any) -> Any:
    """Return (x, y, sample_weight) as a batch of tensors."""
    x, y, w = unpack_x_y_sample_weight(data)
    parts = [nest.map_structure(lambda v: None if v is None else EagerTensor(v), _arrays(p)) for p in (x, y, w)]
    return tuple(parts)


def _length(batches: Any) -> int | None:
    return len(batches) if hasattr(batches, "__len__") else None


class _Batches:
    """Data in batches: arrays in the order of a new permutation each time, or an iterable as it comes.

    A batch is what steps are given: x, (x, y) or (x, y, sample_weight), as many as there are. With ``steps`` each iteration takes
    so many, and goes on where the one before it has ended.
    """

    def __init__(
        self, x: Nested, y: Nested | None, w: Nested | None, batch_size: int | None, shuffle: bool, steps: int | None
    ) -> None:
        self.stream: Any = None
        self.steps = steps
        self.count: Any = None
        self._going: Iterator[Any] | None = None
        if _is_stream(x):
            if y is not None:
                raise ValueError("y must be None where x is an iterable of batches: they hold their own.")
            self.stream = x
            self.count = steps if steps is not None else _length(x)
            return
        self.data = tuple(_arrays(p) for p in (x, y, w))
        flat = [v for v in nest.flatten(list(self.data)) if v is not None]
        if not flat:
            raise ValueError("There is no data: x is None.")
        sizes = {v.shape[0] if v.ndim else None for v in flat}
        if len(sizes) != 1 or None in sizes:
            raise ValueError(
                f"Make sure all arrays contain the same number of samples: the numbers of rows are {sorted(map(str, sizes))}."
            )
        self.rows = int(next(iter(sizes)))  # type: ignore[arg-type]
        self.size = int(batch_size) if batch_size is not None else math.ceil(self.rows / steps) if steps else 32
        self.shuffle = bool(shuffle)
        self.count = math.ceil(self.rows / self.size)
        self.whole: Any = None
        if steps:
            self.count = min(steps, self.count)

    def __iter__(self) -> Iterator[Any]:
        if self.steps is None:
            found = False
            for batch in self._once():
                found = True
                yield batch
            if not found:
                self._ended()
            return
        for i in range(self.steps):
            carried = self._going is not None
            if self._going is None:
                self._going = self._once()
            batch = next(self._going, _END)
            if batch is _END and i == 0 and carried:  # the data ended with the last epoch
                self._going = self._once()
                batch = next(self._going, _END)
            if batch is _END:
                self._going = None
                self._ended()
                return
            yield batch

    def _ended(self) -> None:
        more = " times epochs" if self.steps is not None else ""
        warnings.warn(
            f"The data have ended before an epoch has: {'an iterable' if self.stream is not None else 'x'} must give as many "
            f"batches as steps{more}, or begin anew when it is iterated over.",
            stacklevel=4,
        )  # fmt: skip

    def _once(self) -> Iterator[Any]:
        """Iterate over all batches that there are."""
        if self.stream is not None:
            for batch in self.stream:
                parts = _batch(batch)
                yield parts[: len(batch)] if isinstance(batch, list | tuple) else parts[0]
            return
        if self.size >= self.rows:  # the order of the rows of one batch does not matter
            if self.whole is None:
                self.whole = self._tensors(self.data, lambda v: v)
            yield self.whole
            return
        data = self.data
        if self.shuffle:
            order = np.asarray(random.shuffle(np.arange(self.rows)))
            data = tuple(nest.map_structure(lambda v: None if v is None else v[order], p) for p in data)
        for i in range(math.ceil(self.rows / self.size)):
            rows = slice(i * self.size, (i + 1) * self.size)
            yield self._tensors(data, lambda v, rows=rows: v[rows])

    def _tensors(self, data: Any, cut: Any) -> Any:
        parts = [nest.map_structure(lambda v: None if v is None else EagerTensor(cut(v)), p) for p in data]
        return pack_x_y_sample_weight(*parts)


def _divided(x: Array, y: Array, w: Array, share: float) -> tuple[Any, Any]:
    """Return data without its last rows, and these."""
    parts = [_arrays(p) for p in (x, y, w)]
    rows = next(v for v in nest.flatten(parts) if v is not None).shape[0]
    at = math.floor(rows * (1.0 - share))
    if not 0 < at < rows:
        raise ValueError(f"validation_split={share} leaves no rows on one side: there are {rows}.")

    def cut(piece: slice) -> tuple[Any, ...]:
        return tuple(nest.map_structure(lambda v: None if v is None else v[piece], p) for p in parts)

    return cut(slice(0, at)), cut(slice(at, None))
