"""The course of training as summaries."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ground.types import NumPyArray
from wengert.keras.callbacks.callback import Callback, Logs
from wengert.keras.layers.layer import Layer
from wengert.train import summary

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes logs and weights as `wengert.summary` writes them, under Keras's names: below ``train`` and ``validation``.

    `wengert.summary.read` returns the events of a folder.
    """

    def __init__(
        self, log_dir: str | os.PathLike[str] = "logs", histogram_freq: int = 0, write_graph: bool = True,
        write_images: bool = False, write_steps_per_second: bool = False, update_freq: str | int = "epoch",
        profile_batch: int | Sequence[int] = 0, embeddings_freq: int = 0,
        embeddings_metadata: Mapping[str, str] | str | None = None,
    ) -> None:  # fmt: skip
        """Take the folder; every how many epochs to write weights; and when to write logs: "epoch", "batch", or batches.

        ``write_graph``, ``profile_batch`` and ``embeddings_freq`` are accepted: there is no picture of them here.
        """
        super().__init__()
        self.log_dir, self.histogram_freq, self.write_images = os.fspath(log_dir), histogram_freq, write_images
        self.write_graph, self.write_steps_per_second = write_graph, write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, summary.SummaryWriter] = {}
        self._step = 0
        self._since, self._steps_before = time.monotonic(), 0

    def set_model(self, model: Layer | None) -> None:
        """Take the model."""
        super().set_model(model)
        self._writers = {}

    def _scalars(self, folder: str, values: Mapping[str, Any], step: int) -> None:
        """Write numbers to the record in a folder."""
        if folder not in self._writers:
            self._writers[folder] = summary.create_file_writer(os.path.join(self.log_dir, folder))
        with self._writers[folder].as_default(step):
            for name, value in values.items():
                if np.ndim(value) == 0:
                    summary.scalar(name, float(value))

    def _pace(self) -> float:
        now = time.monotonic()
        pace = (self._step - self._steps_before) / max(now - self._since, 1e-9)
        self._since, self._steps_before = now, self._step
        return pace

    def on_train_begin(self, logs: Logs = None) -> None:
        """Begin to count."""
        self._step = 0
        self._since, self._steps_before = time.monotonic(), 0

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write the logs of a batch, where it is its turn."""
        self._step += 1
        if isinstance(self.update_freq, int) and self._step % self.update_freq == 0:
            found = {"batch_steps_per_second": self._pace()} if self.write_steps_per_second else {}
            self._scalars("train", found | {f"batch_{k}": v for k, v in (logs or {}).items()}, self._step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the logs of an epoch, and the weights where it is their turn."""
        given = logs or {}
        own = {f"epoch_{k}": v for k, v in given.items() if not k.startswith("val_")}
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and hasattr(optimizer, "learning_rate"):
            own.setdefault("epoch_learning_rate", np.asarray(optimizer.learning_rate))
        if self.write_steps_per_second:
            own["epoch_steps_per_second"] = self._pace()
        self._scalars("train", own, epoch)
        validated = {f"epoch_{k[4:]}": v for k, v in given.items() if k.startswith("val_")}
        if validated:
            self._scalars("validation", validated, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)

    def _weights(self, epoch: int) -> None:
        with self._writers["train"].as_default(epoch):
            for layer in self.model.layers:
                for weight in layer.weights:
                    name = str(getattr(weight, "path", weight.name)).replace(":", "_")
                    summary.histogram(f"{name}/histogram", weight)
                    if self.write_images and len(_pictures(weight.numpy())):
                        summary.image(f"{name}/image", _pictures(weight.numpy()))

    def on_test_end(self, logs: Logs = None) -> None:
        """Write the logs of an evaluation at the number of steps that the optimizer took."""
        iterations = getattr(getattr(self.model, "optimizer", None), "iterations", None)
        if iterations is not None:
            found = {f"evaluation_{k}_vs_iterations": v for k, v in (logs or {}).items()}
            self._scalars("validation", found, int(np.asarray(iterations)))
            self._writers["validation"].flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the records."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _pictures(weight: NumPyArray) -> NumPyArray:
    """Return a weight as a batch of one-channel images, of none where it has no two axes."""
    array = np.squeeze(weight)
    if array.ndim == 1:
        array = array[None]
    if array.ndim not in (2, 3):
        return np.zeros((0, 1, 1, 1))
    if array.ndim == 2:
        return np.asarray((array if array.shape[0] <= array.shape[1] else array.T)[None, :, :, None])
    return np.asarray(np.moveaxis(array, -1, 0)[:, :, :, None])
