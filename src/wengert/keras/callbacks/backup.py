"""Training that goes on where it was interrupted."""

from __future__ import annotations

import contextlib
import json
import os

from wengert.execute.processes import file_of_first
from wengert.ground.options import options
from wengert.ground.replacing import remove, replace
from wengert.keras.callbacks.callback import Callback, Logs

__all__ = ["BackupAndRestore"]

_WEIGHTS, _STATE = "latest.weights.h5", "training_metadata.json"


class BackupAndRestore(Callback):
    """Keeps the weights, the optimizer's state and the number of the epoch; a later ``fit`` goes on from there."""

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        """Take the folder, and when to write: after each epoch, or after so many batches.

        ``double_checkpoint``: keep the state before, too. ``delete_checkpoint``: remove both when training is done.

        Raises:
            ValueError: without a folder, and for another frequency.
        """
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"Invalid value for argument `save_freq`. Received: save_freq={save_freq}. Expected 'epoch' or int.")
        self.backup_dir, self.save_freq = os.fspath(backup_dir), save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._epoch = self._batches = 0
        self._waiting = False

    def _path(self, name: str, before: bool = False) -> str:
        return os.path.join(self.backup_dir, name + (".prev" if before else ""))

    def _state(self, before: bool = False) -> dict[str, int] | None:
        """Return what was written of the course of training, None where nothing that is whole was."""
        try:
            with file_of_first(self._path(_STATE, before)) as path, open(path, encoding="utf-8") as file:
                found = json.load(file)
            return {"epoch": int(found["epoch"]), "batch": int(found["batch"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Say where to go on; set the weights, as soon as there are some."""
        self._batches = 0
        found = self._state() or (self._state(before=True) if self.double_checkpoint else None)
        self._waiting = found is not None
        if found is not None:
            self.model._initial_epoch = self._epoch = found["epoch"]
            if self.model.built and self.model.weights:
                self._restore()

    def _restore(self) -> None:
        self._waiting = False
        try:
            self.model.load_weights(self._path(_WEIGHTS))
        except (OSError, ValueError):
            if not self.double_checkpoint:
                raise
            self.model.load_weights(self._path(_WEIGHTS, before=True))

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Set the weights that are made by now."""
        if self._waiting:
            self._restore()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write after so many batches."""
        self._batches += 1
        if isinstance(self.save_freq, int) and self.save_freq and self._batches % self.save_freq == 0:
            self._save(self._epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write after the epoch."""
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def _save(self, epoch: int, batch: int) -> None:
        if not options.writes:
            return
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            for name in (_WEIGHTS, _STATE):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(self._path(name), self._path(name, before=True))
        self.model.save_weights(self._path(_WEIGHTS), overwrite=True)
        replace(self._path(_STATE), [json.dumps({"epoch": epoch, "batch": batch}).encode()])

    def on_train_end(self, logs: Logs = None) -> None:
        """Remove what was written."""
        if not self.delete_checkpoint:
            return
        for name in (_WEIGHTS, _STATE):
            for before in (False, True):
                remove(self._path(name, before))
        with contextlib.suppress(OSError):  # others' files are in it
            os.rmdir(self.backup_dir)
