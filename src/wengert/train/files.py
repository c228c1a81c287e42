"""Checkpoints: files of named arrays (`wengert.train.archive`). A checkpoint PREFIX is the file ``PREFIX.safetensors``.

Where there is none of that name, one that TensorFlow wrote is read (`wengert.train.tensorflow`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from wengert.execute.processes import file_of_first, of_first
from wengert.ground.dtypes import DType, as_dtype
from wengert.ground.errors import DataLossError, NotFoundError
from wengert.ground.replacing import remove
from wengert.ground.types import NumPyArray
from wengert.train import archive, tensorflow
from wengert.train.latest import CheckpointState, get_checkpoint_state, update_checkpoint_state

__all__ = [
    "CheckpointReader",
    "CheckpointState",
    "checkpoint_exists",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load",
    "load_checkpoint",
    "load_variable",
    "read",
    "remove_checkpoint",
    "update_checkpoint_state",
    "write",
]

SUFFIX = ".safetensors"


def path_of(prefix: Any) -> str:
    """Return the file of a checkpoint.

    >>> path_of("runs/model-3")
    'runs/model-3.safetensors'
    """
    text = os.fspath(prefix)
    text = os.fsdecode(text)
    return text if text.endswith(SUFFIX) else text + SUFFIX


def write(prefix: Any, values: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> None:
    """Write arrays by name, and texts, whole or not at all: a file that was there stays until the new one is complete.

    Raises:
        TypeError: for an array that is not of numbers.
        OSError: if the file cannot be written.
        ResourceExhaustedError: without the memory for it.
    """
    archive.dump(path_of(prefix), values, {"format": "np", **(texts or {})})


def load(prefix: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arrays of a checkpoint by name, and its texts.

    Raises:
        NotFoundError: if there is no such file.
        DataLossError: if it is no whole file of this format.
        PermissionDeniedError, ResourceExhaustedError: if it may not be read, or without the memory for it.
    """
    path, text = path_of(prefix), os.fsdecode(prefix)
    with file_of_first(path) as here:
        try:
            if not os.path.isfile(here) and tensorflow.find(text):
                return tensorflow.load(text)
            return archive.load(here)
        except NotFoundError as error:
            raise NotFoundError(f"There is no checkpoint {text}: the file {str(error).replace(here, path)}") from None
        except DataLossError as error:
            raise DataLossError(f"{str(error).replace(here, path)} Nothing has been restored.") from None


def read(prefix: Any) -> dict[str, Any]:
    """Return the arrays of a checkpoint by name; see `load`."""
    return load(prefix)[0]


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """Return the prefix of the latest checkpoint of a folder, None if there is none."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not state.model_checkpoint_path or not checkpoint_exists(state.model_checkpoint_path):
        return None
    return state.model_checkpoint_path


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Return whether there is a checkpoint of this prefix."""
    return of_first(bool(files_of(checkpoint_prefix)))


def files_of(prefix: Any) -> list[str]:
    """Return the files of a checkpoint, none if it is not there: ours, or TensorFlow's."""
    path = path_of(prefix)
    return [path] if os.path.isfile(path) else tensorflow.shards(os.fsdecode(prefix))


def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[Any]) -> list[float]:
    """Return when checkpoints were written, of those that there are."""
    return of_first([os.path.getmtime(files[0]) for p in checkpoint_prefixes if (files := files_of(p))])


def remove_checkpoint(checkpoint_prefix: Any, checkpoint_format_version: Any = None, meta_graph_suffix: str = "meta") -> None:
    """Remove a checkpoint, if it is there."""
    for path in files_of(checkpoint_prefix):
        remove(path)


# --- looking into one ---------------------------------------------------------------------------------------------------


class _Arrays:
    """The arrays of one of our files, which are read already."""

    def __init__(self, values: Mapping[str, NumPyArray]) -> None:
        self._values = values
        self.shapes = {name: v.shape for name, v in values.items()}
        self.dtypes = {name: as_dtype(v.dtype) for name, v in values.items()}

    def read(self, name: str) -> NumPyArray:
        return self._values[name]


class CheckpointReader:
    """The arrays of a checkpoint, with their shapes and dtypes."""

    def __init__(self, prefix: Any) -> None:
        """Read the file; of TensorFlow's files, what arrays there are: each is read when it is asked for."""
        self._stored: tensorflow.Stored
        if not os.path.isfile(path_of(prefix)) and tensorflow.find(os.fsdecode(prefix)):
            self._stored = tensorflow.open_checkpoint(os.fsdecode(prefix))
        else:
            self._stored = _Arrays(read(prefix))

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shapes by name."""
        return {name: list(shape) for name, shape in self._stored.shapes.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """Return the dtypes by name."""
        return dict(self._stored.dtypes)

    def has_tensor(self, name: str) -> bool:
        """Return whether there is an array of this name."""
        return name in self._stored.shapes

    def get_tensor(self, name: str) -> Any:
        """Return an array.

        Raises:
            NotFoundError: if there is none of this name.
        """
        if name not in self._stored.shapes:
            held = ", ".join(sorted(self._stored.shapes)) or "nothing"
            raise NotFoundError(f"Key {name} not found in checkpoint; it holds {held}.")
        found = self._stored.read(name)
        return found.item() if found.dtype.kind == "O" and found.shape == () else found

    def debug_string(self) -> bytes:
        """Return names, dtypes and shapes, one a line."""
        return "".join(
            f"{name} ({self._stored.dtypes[name].name}) {list(shape)}\n" for name, shape in sorted(self._stored.shapes.items())
        ).encode()


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """Return a reader of a checkpoint, or of the latest one in a folder.

    Raises:
        ValueError: if a folder has none.
    """
    if os.path.isdir(ckpt_dir_or_file):
        latest = latest_checkpoint(ckpt_dir_or_file)
        if latest is None:
            raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {os.fspath(ckpt_dir_or_file)}")
        return CheckpointReader(latest)
    return CheckpointReader(ckpt_dir_or_file)


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Return the names and shapes of what a checkpoint holds, by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """Return one array of a checkpoint. A name may end in ":0".

    Raises:
        NotFoundError: if there is none of this name.
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))
