"""Training: what ``fit``, ``evaluate`` and ``predict`` do with a model's steps and with data."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from wengert.ground import nest
from wengert.keras.callbacks import CallbackList, Callbacks
from wengert.keras.compiled import Compiled
from wengert.keras.configuration import is_interactive_logging_enabled
from wengert.keras.data import (
    Batches,
    Data,
    Parts,
    as_batch,
    class_weights,
    divided,
    is_stream,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)
from wengert.keras.steps import Steps
from wengert.tensor.tensor import EagerTensor, Nested

__all__ = ["Compiled", "Trainer", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


class Trainer(Steps):
    """What `Model` has for training."""

    _initial_epoch: int | None = None
    """With which epoch a callback has said that training begins."""

    def fit(
        self, x: Data = None, y: Nested | None = None, batch_size: int | None = None, epochs: int = 1,
        verbose: int | str = "auto", callbacks: Callbacks = None, validation_split: float = 0.0, validation_data: Data = None,
        shuffle: bool = True, class_weight: Mapping[int, float] | None = None, sample_weight: Nested | None = None,
        initial_epoch: int = 0, steps_per_epoch: int | None = None, validation_steps: int | None = None,
        validation_batch_size: int | None = None, validation_freq: int | Collection[int] = 1, workers: int = 1,
        use_multiprocessing: bool = False, max_queue_size: int = 10,
    ) -> Any:  # fmt: skip
        """Train for some epochs; return the `History`.

        x, y: arrays, tensors, or structures of them; or an iterable of batches (x, y) or (x, y, sample_weight). With
        ``steps_per_epoch`` an epoch goes on where the one before it has ended, and begins the data anew at their end.
        """
        self._ready("fit", needs_optimizer=type(self).train_step is Steps.train_step)
        if class_weight is not None:
            if is_stream(x):
                raise ValueError("fit: class_weight is not served for an iterable of batches; let them hold sample weights.")
            sample_weight = class_weights(y, class_weight, sample_weight)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = divided(x, y, sample_weight, validation_split)
        batches = Batches(x, y, sample_weight, batch_size, shuffle, steps_per_epoch)
        log = self._log(callbacks, verbose, epochs, batches, add_history=True)
        self.stop_training, self._initial_epoch = False, None
        log.on_train_begin()
        logs: dict[str, Any] = {}
        for epoch in range(self._initial_epoch or initial_epoch, epochs):
            self.reset_metrics()
            log.on_epoch_begin(epoch)
            found: Any = None
            for result in self._run("train", batches, log):
                found = result
                if self.stop_training:
                    break
            self._tell(batches)
            if found is None:
                break  # the data have ended, and it has been said
            logs = _numbers(found)
            if validation_data is not None and _due(epoch, validation_freq):
                logs |= self._validated(validation_data, validation_batch_size or batch_size, validation_steps, log)
            logs = _sorted(logs)
            log.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        log.on_train_end(logs)
        self.history = log.history
        return log.history

    def _log(self, callbacks: Callbacks, verbose: int | str, epochs: int, batches: Batches, add_history: bool = False) -> Any:
        automatic = 1 if is_interactive_logging_enabled() else 2
        level = automatic if verbose == "auto" else int(verbose or 0)
        return CallbackList(
            callbacks, add_history, add_progbar=level != 0, verbose=level, epochs=epochs, steps=batches.count, model=self
        )

    def _run(self, which: str, batches: Batches, log: CallbackList) -> Iterator[Any]:
        """Take a step for each batch; iterate over what the steps return."""
        step: Any = None
        begin, end = getattr(log, f"on_{which}_batch_begin"), getattr(log, f"on_{which}_batch_end")
        for i, batch in enumerate(batches):
            if step is None:
                self._begin(which, batch)
                step = self._step(which)
            begin(i)
            found = step(batch)
            if log.listens:
                end(i, {"outputs": found} if which == "predict" else _sorted(_numbers(found)))
            yield found

    def _tell(self, batches: Batches) -> None:
        if batches.ended:
            batches.ended = False
            warnings.warn(batches.shortfall, stacklevel=3)

    def _validated(self, data: Any, batch_size: int | None, steps: int | None, log: CallbackList) -> dict[str, Any]:
        x, y, weight = (data, None, None) if is_stream(data) else unpack_x_y_sample_weight(data)
        found = self.evaluate(x, y, batch_size, sample_weight=weight, steps=steps, verbose=0, return_dict=True, _callbacks=log)
        return {f"val_{k}": v for k, v in found.items()}

    def evaluate(
        self, x: Data = None, y: Nested | None = None, batch_size: int | None = None, verbose: int | str = "auto",
        sample_weight: Nested | None = None, steps: int | None = None, callbacks: Callbacks = None, return_dict: bool = False,
        _callbacks: CallbackList | None = None, **keywords: Any,
    ) -> Any:  # fmt: skip
        """Return the loss and the metrics over data: a number, a list, or with ``return_dict`` a dictionary."""
        self._ready("evaluate")
        batches = Batches(x, y, sample_weight, batch_size, False, steps)
        log = _callbacks or self._log(callbacks, verbose, 1, batches)
        self.reset_metrics()
        log.on_test_begin()
        last: Any = None
        for result in self._run("test", batches, log):
            last = result
        self._tell(batches)
        found = _numbers(last)
        log.on_test_end(_sorted(found))
        return _sorted(found) if return_dict else _plain(found)

    def predict(
        self, x: Data, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None,
        callbacks: Callbacks = None, **keywords: Any,
    ) -> Any:  # fmt: skip
        """Return the model's values for data as NumPy arrays, batch by batch."""
        self._ready("predict")
        batches = Batches(x, None, None, batch_size, False, steps)
        log = self._log(callbacks, verbose, 1, batches)
        parts: list[list[Any]] = []
        structure: Any = None
        log.on_predict_begin()
        for structure in self._run("predict", batches, log):
            parts.append([np.asarray(t) for t in nest.flatten(structure)])
        self._tell(batches)
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
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Do one step of training; return the loss and the metrics."""
        self._ready("train_on_batch", needs_optimizer=type(self).train_step is Steps.train_step)
        if class_weight is not None:
            sample_weight = class_weights(y, class_weight, sample_weight)
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
        return nest.map_structure(np.asarray, self._step("predict")(as_batch((x, None, None))[:1]))

    def _one(self, which: str, data: Parts, return_dict: bool) -> Any:
        batch = as_batch(data)
        self._begin(which, batch)
        self.reset_metrics()
        found = _numbers(self._step(which)(batch))
        return _sorted(found) if return_dict else _plain(found)


def _plain(found: dict[str, Any]) -> Any:
    """Return the loss alone, or a list of it and the metrics."""
    values = list(found.values())
    return values[0] if len(values) == 1 else values


def _sorted(logs: dict[str, Any]) -> dict[str, Any]:
    """Return numbers by name in the order of the names, in which they are shown."""
    return dict(sorted(logs.items()))


def _due(epoch: int, every: int | Collection[int]) -> bool:
    return (epoch + 1) % every == 0 if isinstance(every, int) else epoch + 1 in every


def _numbers(logs: Nested | None) -> dict[str, Any]:
    """Return what a step returned as numbers by name."""
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
