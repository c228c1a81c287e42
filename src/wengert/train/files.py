"""Files of named arrays, in the format safetensors: nothing in them is ever executed.

A checkpoint PREFIX is the file ``PREFIX.safetensors``. Beside it a text file named ``checkpoint`` says which is the latest.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ground.dtypes import DType, as_dtype
from wengert.ground.errors import DataLossError, NotFoundError

__all__ = [
    "CheckpointReader",
    "CheckpointState",
    "checkpoint_exists",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "read",
    "remove_checkpoint",
    "update_checkpoint_state",
    "write",
]

SUFFIX = ".safetensors"
LATEST = "checkpoint"
DTYPES = "wengert.dtypes"
"""The entry of a file's metadata that names the dtypes that safetensors has not: complex128, as pairs of float64."""


def path_of(prefix: Any) -> str:
    """Return the file of a checkpoint.

    >>> path_of("runs/model-3")
    'runs/model-3.safetensors'
    """
    text = os.fspath(prefix)
    text = text.decode() if isinstance(text, bytes) else str(text)
    return text if text.endswith(SUFFIX) else text + SUFFIX


def write(prefix: Any, values: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> None:
    """Write arrays by name, and texts, whole or not at all: a file that was there stays until the new one is complete.

    Raises:
        TypeError: for an array that is not of numbers.
        OSError: if the file cannot be written.
    """
    from safetensors.numpy import save

    packed: dict[str, Any] = {}
    special: dict[str, str] = {}
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            raise TypeError(f"A checkpoint holds numbers, and {name} is of dtype {array.dtype}.")
        if array.dtype == np.complex128:
            special[name] = "complex128"
            array = np.stack([array.real, array.imag], -1)
        packed[name] = np.array(array, order="C")
    texts = {"format": "np", **(texts or {}), **({DTYPES: json.dumps(special)} if special else {})}
    replace(path_of(prefix), save(packed, texts))


def replace(path: str, content: bytes) -> None:
    """Write a file, whole or not at all: one that was there stays until the new one is complete. Its folder is made.

    Raises:
        OSError: if it cannot be written.
    """
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=os.path.basename(path) + ".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise


def read(prefix: Any) -> dict[str, Any]:
    """Return the arrays of a checkpoint by name.

    Raises:
        NotFoundError: if there is no such file.
        DataLossError: if it is no whole file of this format.
    """
    from safetensors import SafetensorError, safe_open

    path = path_of(prefix)
    if not os.path.isfile(path):
        other = f" There is {prefix}.index, a checkpoint that TensorFlow wrote: it is not read here." if os.path.isfile(
            f"{os.fspath(prefix)}.index") else ""  # fmt: skip
        raise NotFoundError(f"There is no checkpoint {os.fspath(prefix)}: the file {path} does not exist.{other}")
    try:
        with safe_open(path, framework="np") as file:
            values = {name: file.get_tensor(name) for name in file.keys()}
            special = json.loads((file.metadata() or {}).get(DTYPES, "{}"))
        for name, dtype in special.items():
            pairs = values[name]
            if dtype != "complex128" or pairs.dtype != np.float64 or pairs.shape[-1:] != (2,):
                raise ValueError(f"{name} is not of dtype {dtype}")
            values[name] = np.ascontiguousarray(pairs).view(np.complex128)[..., 0]
    except (SafetensorError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataLossError(
            f"{path} cannot be read as a checkpoint, it is damaged or of another format: {error}. Nothing has been restored."
        ) from None
    return values


def metadata(prefix: Any) -> dict[str, str]:
    """Return the texts of a checkpoint that `read` has read."""
    from safetensors import safe_open

    with safe_open(path_of(prefix), framework="np") as file:
        return dict(file.metadata() or {})


# --- which is the latest ------------------------------------------------------------------------------------------------


class CheckpointState:
    """What the file ``checkpoint`` of a folder says: the latest checkpoint, and all that are kept, oldest first."""

    def __init__(
        self, model_checkpoint_path: str = "", all_model_checkpoint_paths: Sequence[str] = (),
        all_model_checkpoint_timestamps: Sequence[float] = (), last_preserved_timestamp: float | None = None,
    ) -> None:  # fmt: skip
        """Take the paths."""
        self.model_checkpoint_path = model_checkpoint_path
        self.all_model_checkpoint_paths = list(all_model_checkpoint_paths)
        self.all_model_checkpoint_timestamps = list(all_model_checkpoint_timestamps)
        self.last_preserved_timestamp = last_preserved_timestamp

    def __repr__(self) -> str:
        lines = [f"model_checkpoint_path: {json.dumps(self.model_checkpoint_path)}"]
        lines += [f"all_model_checkpoint_paths: {json.dumps(p)}" for p in self.all_model_checkpoint_paths]
        return "\n".join(lines) + "\n"


_LINE = re.compile(r'\s*(model_checkpoint_path|all_model_checkpoint_paths)\s*:\s*("(?:[^"\\]|\\.)*")\s*\Z')


def update_checkpoint_state(
    save_dir: Any, model_checkpoint_path: str, all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None, all_model_checkpoint_timestamps: Any = None, last_preserved_timestamp: Any = None,
) -> None:  # fmt: skip
    """Write the file that says which checkpoint is the latest; paths within the folder are kept relative to it."""
    paths = list(all_model_checkpoint_paths or ())
    if model_checkpoint_path not in paths:
        paths.append(model_checkpoint_path)
    folder = os.fspath(save_dir)
    short = [_within(folder, p) for p in paths]
    state = CheckpointState(_within(folder, model_checkpoint_path), short)
    replace(os.path.join(folder, latest_filename or LATEST), repr(state).encode())


def _within(folder: str, path: str) -> str:
    relative = os.path.relpath(path, folder or ".")
    return path if relative.startswith(os.pardir) else relative


def get_checkpoint_state(checkpoint_dir: Any, latest_filename: str | None = None) -> CheckpointState | None:
    """Return what a folder's file ``checkpoint`` says, None where there is none.

    Raises:
        DataLossError: if the file is not of this kind.
    """
    folder = os.fspath(checkpoint_dir)
    path = os.path.join(folder, latest_filename or LATEST)
    if not os.path.isfile(path):
        return None
    state = CheckpointState()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            found = _LINE.match(line)
            if found is None:
                if line.strip() and not line.strip().startswith(("all_model_checkpoint_timestamps", "last_preserved_timestamp")):
                    raise DataLossError(f"{path} does not say which checkpoint is the latest: {line.strip()!r}")
                continue
            one = os.path.join(folder, str(json.loads(found[2])))
            if found[1] == "model_checkpoint_path":
                state.model_checkpoint_path = one
            else:
                state.all_model_checkpoint_paths.append(one)
    return state


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """Return the prefix of the latest checkpoint of a folder, None if there is none."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not state.model_checkpoint_path or not checkpoint_exists(state.model_checkpoint_path):
        return None
    return state.model_checkpoint_path


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Return whether there is a checkpoint of this prefix."""
    return os.path.isfile(path_of(checkpoint_prefix))


def get_checkpoint_mtimes(checkpoint_prefixes: Sequence[Any]) -> list[float]:
    """Return when checkpoints were written, of those that there are."""
    return [os.path.getmtime(path_of(p)) for p in checkpoint_prefixes if checkpoint_exists(p)]


def remove_checkpoint(checkpoint_prefix: Any, checkpoint_format_version: Any = None, meta_graph_suffix: str = "meta") -> None:
    """Remove a checkpoint, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(path_of(checkpoint_prefix))


# --- looking into one ---------------------------------------------------------------------------------------------------


class CheckpointReader:
    """The arrays of a checkpoint, with their shapes and dtypes."""

    def __init__(self, prefix: Any) -> None:
        """Read the file."""
        self._values = read(prefix)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shapes by name."""
        return {name: list(v.shape) for name, v in self._values.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """Return the dtypes by name."""
        return {name: as_dtype(v.dtype) for name, v in self._values.items()}

    def has_tensor(self, name: str) -> bool:
        """Return whether there is an array of this name."""
        return name in self._values

    def get_tensor(self, name: str) -> Any:
        """Return an array.

        Raises:
            NotFoundError: if there is none of this name.
        """
        if name not in self._values:
            raise NotFoundError(f"Key {name} not found in checkpoint; it holds {', '.join(sorted(self._values)) or 'nothing'}.")
        return self._values[name]

    def debug_string(self) -> bytes:
        """Return names, dtypes and shapes, one a line."""
        return "".join(f"{n} ({v.dtype}) {list(v.shape)}\n" for n, v in sorted(self._values.items())).encode()


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
