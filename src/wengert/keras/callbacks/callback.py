"""What is told of the course of training, and may change or stop it."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from wengert.ground.displayed import displayed
from wengert.ground.options import options
from wengert.ground.terminal import in_notebook
from wengert.keras.layers.layer import Layer
from wengert.keras.progress import Line, Progbar

__all__ = [
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]


class Callback:
    """Is told when training, epochs and batches begin and end; subclasses state what they want to know.

    >>> class Best(Callback):
    ...     best = float("inf")
    ...
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.best = min(self.best, logs["loss"])
    """

    def __init__(self) -> None:
        """Belong to no model yet."""
        self._model: Any = None
        self.params: dict[str, Any] = {}
        self.validation_data: Any = None

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return getattr(self, "_model", None)

    def set_params(self, params: Mapping[str, Any] | None) -> None:
        """Take the numbers of epochs and steps."""
        self.params = dict(params or {})

    def set_model(self, model: Layer | None) -> None:
        """Take the model."""
        self._model = model

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Training begins."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Training has ended."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """An epoch begins."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """An epoch has ended."""

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch begins."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch has ended."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch of training begins."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch of training has ended."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Evaluation begins."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Evaluation has ended."""

    def on_test_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch of evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch of evaluation has ended."""

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Prediction begins."""

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Prediction has ended."""

    def on_predict_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch of prediction begins."""

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """A batch of prediction has ended."""


BaseLogger = Callback
Logs = dict[str, Any] | None
_BATCH_END = ("on_batch_end", "on_train_batch_end", "on_test_batch_end", "on_predict_batch_end")


class History(Callback):
    """Keeps the logs of each epoch, in lists by name: ``history``; and the epochs: ``epoch``."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin anew."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the logs."""
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)

    @displayed
    def _repr_html_(self) -> str:
        from wengert.keras.courses import course

        return course(self.epoch, self.history)


Callbacks: TypeAlias = "Sequence[Callback] | Callback | CallbackList | None"


class CallbackList:
    """Callbacks, each of which is told in turn."""

    def __init__(
        self,
        callbacks: Callbacks = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Layer | None = None,
        **params: Any,
    ) -> None:
        """Take callbacks; add a `History` and a `ProgbarLogger` where there are none."""
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        given = callbacks if isinstance(callbacks, list | tuple) else [] if callbacks is None else [callbacks]
        self.callbacks: list[Any] = list(given)
        self.history: Any = next((c for c in self.callbacks if isinstance(c, History)), None)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)
        self.listens = any(
            getattr(getattr(c, name), "__func__", None) is not getattr(Callback, name)
            for c in self.callbacks
            for name in _BATCH_END
        )

    def append(self, callback: Callback) -> None:
        """Append a callback."""
        self.callbacks.append(callback)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a function that tells all of them."""
        if not name.startswith("on_"):
            raise AttributeError(name)

        numbered = "epoch" in name or "batch" in name  # told with a number before the logs

        def tell(*place: int | Logs, logs: Logs = None) -> None:
            if len(place) > numbered:
                *place, logs = place  # type: ignore[assignment]
            told = {} if logs is None else logs
            for callback in self.callbacks:
                getattr(callback, name)(*place, told)

        self.__dict__[name] = tell
        return tell


MANY = 20
"""Epochs of which each has a line of its own in a notebook; where there are more, they share one."""


class ProgbarLogger(Callback):
    """Prints how far an epoch is, and its logs.

    ``count_mode`` and ``stateful_metrics`` are Keras 2's; scripts that train by hand call its methods themselves.
    """

    def __init__(self, count_mode: str | None = None, stateful_metrics: Iterable[str] | None = None) -> None:
        """Take what is counted ("steps" or "samples"), and which logs are not averaged."""
        super().__init__()
        if count_mode not in (None, "steps", "samples"):
            raise ValueError(f"Unknown `count_mode`: {count_mode!r}. Expected values are 'samples', 'steps'.")
        self.count_mode = count_mode or "steps"
        self.stateful_metrics = set(stateful_metrics or [])
        self.seen = 0
        self.target: int | None = None
        self.verbose, self.epochs = 1, 1
        self.progbar: Any = None
        self._line: Line | None = None
        """What the epochs are written into, one over the other."""

    def set_params(self, params: Mapping[str, Any] | None) -> None:
        """Take the numbers of epochs and steps (or samples), and how much to print."""
        super().set_params(params)
        self.verbose = int(self.params.get("verbose", 1))
        self.epochs = int(self.params.get("epochs", 1))
        target = self.params.get("samples" if self.count_mode == "samples" else "steps")
        self.target = None if target is None else int(target)

    def _begin(self) -> None:
        self.seen = 0
        self.progbar = Progbar(target=self.target, verbose=self.verbose, stateful_metrics=self.stateful_metrics, unit_name="step")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin."""
        self._training = True
        self._line = Line(0.0) if self.verbose == 1 and self.epochs > MANY and in_notebook() else None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the epoch; in a notebook, of many epochs each over the one before."""
        self._begin()
        if self._line is not None:
            self.progbar.within(self._line, f"Epoch {epoch + 1}/{self.epochs} - ", epoch + 1 == self.epochs)
        elif self.verbose and self.epochs > 1:
            print(f"Epoch {epoch + 1}/{self.epochs}")

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Print how far the epoch is."""
        if self.progbar is None:
            self._begin()
        logs = dict(logs or {})
        count = int(logs.pop("size", 1)) if self.count_mode == "samples" else 1
        self.seen = self.seen + count if self.count_mode == "samples" else max(self.seen + 1, int(batch) + 1)
        logs.pop("batch", None)
        self.progbar.update(self.seen, list(logs.items()), finalize=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the logs of the epoch."""
        if self.progbar is None:
            self._begin()
        if self.target is None:
            self.progbar.target = self.seen
        self.progbar.update(self.progbar.target or self.seen, list((logs or {}).items()), finalize=True)
        self.progbar = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin, unless training goes on around it."""
        if not getattr(self, "_training", False):
            self._begin()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Print how far evaluation is."""
        if not getattr(self, "_training", False):
            self.on_batch_end(batch, logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Print the logs of the evaluation."""
        if not getattr(self, "_training", False):
            self.on_epoch_end(0, logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """End."""
        self._training = False
        if self._line is not None:
            self._line.end()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin."""
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Print how far prediction is."""
        self.on_batch_end(batch)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """End."""
        self.on_epoch_end(0)


def _watched(logs: dict[str, Any] | None, monitor: str, who: str, known: set[str]) -> Any:
    """Return the number to look at, None with a warning (once) where there is none of its name."""
    value = (logs or {}).get(monitor)
    if value is None and monitor not in known:
        import warnings

        known.add(monitor)
        warnings.warn(
            f"{who}: there is no log named {monitor!r}; there are {', '.join(logs or {}) or 'none'}.", UserWarning, stacklevel=4
        )
    return value


def _direction(mode: str, monitor: str, who: str) -> int:
    """Return 1 where greater is better, -1 where less is."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"{who}: mode must be 'auto', 'min' or 'max', not {mode!r}.")
    name = monitor.removeprefix("val_")
    greater = name.endswith(("acc", "accuracy", "auc", "f1", "r2_score", "precision", "recall"))
    return 1 if mode == "max" or (mode == "auto" and greater) else -1


class EarlyStopping(Callback):
    """Stops training when a log has not become better for some epochs."""

    def __init__(
        self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0, mode: str = "auto",
        baseline: float | None = None, restore_best_weights: bool = False, start_from_epoch: int = 0,
    ) -> None:  # fmt: skip
        """Take what to look at, and how patiently."""
        super().__init__()
        self.monitor, self.patience, self.verbose, self.baseline = monitor, patience, verbose, baseline
        self.min_delta, self.restore_best_weights, self.start_from_epoch = abs(min_delta), restore_best_weights, start_from_epoch
        self._sign = _direction(mode, monitor, "EarlyStopping")
        self._missing: set[str] = set()
        self.on_train_begin()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin anew."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: Any = None
        self.best_weights: Any = None

    def _better(self, value: float, than: float) -> bool:
        return bool(self._sign * (value - than) > self.min_delta)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the log."""
        value = _watched(logs, self.monitor, "EarlyStopping", self._missing)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.best is None or self._better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Put the best weights back."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(Callback):
    """Writes the weights (or the model) after each epoch, or after each that was better than all before.

    ``filepath`` may hold ``{epoch}`` and names of logs.
    """

    def __init__(
        self, filepath: str | os.PathLike[str], monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
        save_weights_only: bool = False, mode: str = "auto", save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None, period: int = 1,
    ) -> None:  # fmt: skip
        """Take where to write, and when."""
        super().__init__()
        self.filepath, self.monitor, self.verbose = os.fspath(filepath), monitor, verbose
        self.save_best_only, self.save_weights_only, self.save_freq, self.period = (
            save_best_only,
            save_weights_only,
            save_freq,
            period,
        )
        self.best = initial_value_threshold
        self._sign = _direction(mode, monitor, "ModelCheckpoint")
        self._missing: set[str] = set()
        self._batches = 0
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write after so many batches."""
        if self.save_freq != "epoch":
            self._batches += 1
            if self._batches % int(self.save_freq) == 0:
                self._save(self._epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write after the epoch."""
        if self.save_freq == "epoch" and (epoch + 1) % self.period == 0:
            self._save(epoch, logs)

    def _save(self, epoch: int, logs: dict[str, Any] | None) -> None:
        if self.save_best_only:
            value = _watched(logs, self.monitor, "ModelCheckpoint", self._missing)
            if value is None or (self.best is not None and not self._sign * (value - self.best) > 0):
                return
            self.best = value
        try:
            path = self.filepath.format(epoch=epoch + 1, **(logs or {}))
        except KeyError as error:
            raise KeyError(f"ModelCheckpoint: {self.filepath} names {error}, and the logs are {', '.join(logs or {})}.") from None
        if self.verbose:
            print(f"Epoch {epoch + 1}: saving model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)


def _rate(model: Any) -> float:
    return float(np.asarray(model.optimizer.learning_rate))


def _set_rate(model: Any, value: float) -> None:
    rate = model.optimizer.learning_rate
    if hasattr(rate, "assign"):
        rate.assign(value)
    else:
        model.optimizer.learning_rate = value


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch by a function of (epoch, the rate)."""

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        """Take the function, of the epoch alone or of the rate too."""
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate."""
        try:
            rate = self.schedule(epoch, _rate(self.model))
        except TypeError:
            rate = self.schedule(epoch)
        value = float(np.asarray(rate))
        _set_rate(self.model, value)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {value}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Enter the rate into the logs."""
        if logs is not None:
            logs["learning_rate"] = _rate(self.model)


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by a factor when a log has not become better for some epochs."""

    def __init__(
        self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0, mode: str = "auto",
        min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0, **keywords: Any,
    ) -> None:  # fmt: skip
        """Take what to look at, how patiently, and the factor.

        Raises:
            ValueError: for a factor of at least 1.
        """
        super().__init__()
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Got {factor}")
        self.monitor, self.factor, self.patience, self.verbose = monitor, factor, patience, verbose
        self.min_delta, self.cooldown, self.min_lr = min_delta, cooldown, min_lr
        self._sign = _direction(mode, monitor, "ReduceLROnPlateau")
        self._missing: set[str] = set()
        self.on_train_begin()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin anew."""
        self.best = -self._sign * math.inf
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the log."""
        value = _watched(logs, self.monitor, "ReduceLROnPlateau", self._missing)
        if logs is not None:
            logs["learning_rate"] = _rate(self.model)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._sign * (value - self.best) > self.min_delta:
            self.best, self.wait = value, 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and _rate(self.model) > self.min_lr:
                _set_rate(self.model, max(_rate(self.model) * self.factor, self.min_lr))
                self.cooldown_counter, self.wait = self.cooldown, 0
                if self.verbose:
                    print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {_rate(self.model)}.")


class LambdaCallback(Callback):
    """Calls functions: ``LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch))``."""

    def __init__(self, **functions: Any) -> None:
        """Take functions by the names of a callback's methods.

        Raises:
            TypeError: for a name that is no method of `Callback`.
        """
        super().__init__()
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                raise TypeError(f"LambdaCallback: there is no {name!r} to be told of.")
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training when the loss is not a number, or infinite."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file."""

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        """Take the file's name."""
        super().__init__()
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self._keys: list[str] | None = None
        self._file: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the file."""
        self._header = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0)
        path = self.filename if options.writes else os.devnull
        self._file = open(path, "a" if self.append else "w", newline="")  # closed when training ends
        self._keys = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a line."""
        logs = logs or {}
        if self._keys is None:
            self._keys = sorted(logs)
            if self._header:
                csv.writer(self._file, delimiter=self.sep).writerow(["epoch", *self._keys])
        csv.writer(self._file, delimiter=self.sep).writerow([epoch, *(logs.get(k, "NA") for k in self._keys)])
        self._file.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the file."""
        self._file.close()
        self._file = None
