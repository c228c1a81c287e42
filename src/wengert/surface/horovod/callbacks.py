"""Horovod's callbacks for Keras: equal beginnings, means of metrics, learning rates that rise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.keras.callbacks import Callback
from wengert.modes.variable import Variable
from wengert.surface.horovod.collectives import allreduce, broadcast_variables
from wengert.surface.horovod.world import rank, size

__all__ = [
    "BroadcastGlobalVariablesCallback",
    "LearningRateScheduleCallback",
    "LearningRateWarmupCallback",
    "MetricAverageCallback",
]

Logs = dict[str, Any] | None


class BroadcastGlobalVariablesCallback(Callback):
    """Sets the model's and the optimizer's variables to one process's, after the first batch, when all of them are there."""

    def __init__(self, root_rank: int, device: str = "") -> None:
        """Take which process's; the device is accepted."""
        super().__init__()
        self.root_rank, self._done, self._local = root_rank, False, set[Any]()

    def register_local_var(self, var: Variable) -> None:
        """Leave a variable as each process has it."""
        self._local.add(var.ref())

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Send them, the first time."""
        if self._done:
            return
        shared = [v for v in self.model.variables if v.ref() not in self._local]
        broadcast_variables([*shared, *self.model.optimizer.variables], self.root_rank)
        self._done = True


class MetricAverageCallback(Callback):
    """Puts the means over the processes in the place of an epoch's metrics, for the callbacks after it."""

    def __init__(self, device: str = "") -> None:
        """Accept a device."""
        super().__init__()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Exchange the metrics, in the order of their names."""
        names = sorted(logs or {})
        if logs and names:
            means = allreduce(np.array([float(logs[name]) for name in names])).numpy()
            logs.update(zip(names, means.tolist(), strict=True))


class LearningRateScheduleCallback(Callback):
    """Multiplies a learning rate by what a function of the epoch says, from one epoch on and before another.

    With ``staircase`` once an epoch, else with each batch, of which ``steps_per_epoch`` are an epoch. With
    ``momentum_correction`` the momentum of a step whose rate has changed is multiplied by the new rate over the old one.
    """

    def __init__(
        self, initial_lr: float, multiplier: Callable[[float], float] | float, start_epoch: int = 0, end_epoch: int | None = None,
        staircase: bool = True, momentum_correction: bool = True, steps_per_epoch: int | None = None,
    ) -> None:  # fmt: skip
        """Take them; a number is the factor from one epoch to the next.

        Raises:
            ValueError: without a rate to begin with.
        """
        super().__init__()
        if initial_lr is None:
            raise ValueError("Parameter `initial_lr` is required")
        self.initial_lr, self.start_epoch, self.end_epoch, self.staircase = initial_lr, start_epoch, end_epoch, staircase
        self.momentum_correction, self.steps_per_epoch = momentum_correction, steps_per_epoch
        self.multiplier: Callable[[float], float] = (
            multiplier if callable(multiplier) else lambda epoch: multiplier ** (epoch - start_epoch)
        )
        self._epoch = 0
        self._momentum: float | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find how many steps an epoch has.

        Raises:
            ValueError: where that is not known.
        """
        if not self.staircase and not self.steps_per_epoch:
            params: Mapping[str, Any] = self.params or {}
            self.steps_per_epoch = params.get("steps")
            if not self.steps_per_epoch:
                raise ValueError(f"{type(self).__name__}: give steps_per_epoch, as the data do not say how many there are.")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Keep which epoch it is."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Set the rate."""
        if self._epoch < self.start_epoch or (self.end_epoch is not None and self._epoch >= self.end_epoch):
            return
        if self.staircase and batch == 0:
            self._set(self._epoch)
        elif not self.staircase:
            assert self.steps_per_epoch, "on_train_begin has found it"
            self._set(self._epoch + batch / self.steps_per_epoch)

    def _set(self, epoch: float) -> None:
        optimizer = self.model.optimizer
        old, new = float(optimizer.learning_rate), self.initial_lr * self.multiplier(epoch)
        optimizer.learning_rate = new
        if self.momentum_correction and getattr(optimizer, "momentum", None):
            self._momentum = optimizer.momentum
            optimizer.momentum = self._momentum * new / old

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Give the momentum back."""
        if self._momentum is not None:
            self.model.optimizer.momentum, self._momentum = self._momentum, None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Tell the rate among the metrics."""
        if logs is not None:
            logs["lr"] = float(self.model.optimizer.learning_rate)


class LearningRateWarmupCallback(LearningRateScheduleCallback):
    """Lets a learning rate rise from that of one process, its number's part, to the whole over some epochs."""

    def __init__(
        self, initial_lr: float, warmup_epochs: int = 5, momentum_correction: bool = True, steps_per_epoch: int | None = None,
        verbose: int = 0,
    ) -> None:  # fmt: skip
        """Take the rate to end with, and over how many epochs."""

        def multiplier(epoch: float) -> float:
            assert self.steps_per_epoch, "on_train_begin has found it"
            return ((epoch + 1.0 / self.steps_per_epoch) * (size() - 1) / warmup_epochs + 1.0) / size()

        super().__init__(initial_lr, multiplier, 0, warmup_epochs, False, momentum_correction, steps_per_epoch)
        self.verbose = verbose

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Tell when the rate has risen."""
        super().on_epoch_end(epoch, logs)
        if self.end_epoch is not None and epoch == self.end_epoch - 1 and self.verbose > 0 and rank() == 0:
            print(f"\nEpoch {epoch + 1}: finished gradual learning rate warmup to {float(self.model.optimizer.learning_rate):g}.")
