"""Which checkpoint of a folder is the latest: the file ``checkpoint`` beside them, in TensorFlow's text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from wengert.execute.processes import file_of_first
from wengert.ground.errors import DataLossError
from wengert.ground.replacing import replace

__all__ = ["CheckpointState", "enter", "get_checkpoint_state", "pending", "update_checkpoint_state"]

PathLike = str | bytes | os.PathLike[str]
LATEST = "checkpoint"
PENDING = "# pending: "
"""What a comment begins with that names a checkpoint which is being written, or is about to be removed."""


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
        lines = [f"model_checkpoint_path: {_quoted(self.model_checkpoint_path)}"] if self.model_checkpoint_path else []
        lines += [f"all_model_checkpoint_paths: {_quoted(p)}" for p in self.all_model_checkpoint_paths]
        return "".join(f"{line}\n" for line in lines)


# --- strings as protocol buffers' text has them ---------------------------------------------------------------------------

_PLAIN = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "'": 39, '"': 34, "?": 63}
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\'\"?])|([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|((?:u[0-9a-fA-F]{4})(?:\\u[0-9a-fA-F]{4})*)"
                     r"|U([0-9a-fA-F]{8})|.)")  # fmt: skip
_WRITTEN = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "'": "\\'", "\\": "\\\\"}
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_FIELD = re.compile(rf"\s*(?:#[^\n]*(?:\n|\Z)|(\w+)\s*:\s*({_STRING}(?:\s*{_STRING})*|[-+.\w]+)[ \t]*[,;]?)")


def _quoted(path: str) -> str:
    r"""Return a path in quotes; bytes that are not ASCII are octal numbers.

    >>> print(_quoted("caf\u00e9-3"))
    "caf\303\251-3"
    """
    return '"' + "".join(_WRITTEN.get(chr(b)) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in os.fsencode(path)) + '"'


def _unescaped(found: re.Match[str]) -> str:
    plain, octal, hexadecimal, short, long = found.groups()
    if short:
        units = bytes.fromhex(short.replace("\\u", "").removeprefix("u"))
        return units.decode("utf-16-be", "surrogatepass")
    if long:
        return chr(int(long, 16))
    if not (plain or octal or hexadecimal):
        raise ValueError(found[0])
    number = _PLAIN[plain] if plain else int(octal, 8) & 255 if octal else int(hexadecimal, 16)
    return chr(number) if number < 128 else chr(0xDC00 + number)  # as undecodable bytes stand in a string


def _path(quoted: str) -> str:
    """Return the path that stands in quotes: one string, or several behind one another."""
    text = "".join(_ESCAPE.sub(_unescaped, part[1:-1]) for part in re.findall(_STRING, quoted))
    return os.fsdecode(text.encode("utf-8", "surrogateescape"))


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Iterate over the fields of a text and their values.

    Raises:
        ValueError: where there is none; it says what stands there.
    """
    at = 0
    while text[at:].strip():
        found = _FIELD.match(text, at)
        if found is None:
            raise ValueError(text[at:].strip().partition("\n")[0])
        at = found.end()
        if found[1] is not None:
            yield found[1], found[2]


# --- the file -------------------------------------------------------------------------------------------------------------


def _file(checkpoint_dir: PathLike, latest_filename: str | None) -> tuple[str, str]:
    folder = os.fsdecode(checkpoint_dir)
    return folder, os.path.join(folder, latest_filename or LATEST)


def update_checkpoint_state(
    save_dir: PathLike, model_checkpoint_path: str, all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None, all_model_checkpoint_timestamps: Any = None, last_preserved_timestamp: Any = None,
) -> None:  # fmt: skip
    """Write the file that says which checkpoint is the latest; paths within the folder are kept relative to it."""
    paths = list(all_model_checkpoint_paths or ())
    if model_checkpoint_path not in paths:
        paths.append(model_checkpoint_path)
    enter(save_dir, model_checkpoint_path, paths, latest_filename=latest_filename)


def enter(
    save_dir: PathLike, latest: str | None, paths: Sequence[str], pending: Sequence[str] = (), latest_filename: str | None = None,
    durable: bool = True,
) -> None:  # fmt: skip
    """Write the file: the latest checkpoint, all that are kept, and those that are being written or removed.

    ``durable``: see `wengert.ground.replacing.replace`.
    """
    folder, file = _file(save_dir, latest_filename)
    state = CheckpointState("" if latest is None else _within(folder, latest), [_within(folder, p) for p in paths])
    comments = "".join(f"{PENDING}{_quoted(_within(folder, p))}\n" for p in pending)
    replace(file, [(repr(state) + comments).encode("ascii")], durable)


def _within(folder: str, path: str) -> str:
    relative = os.path.relpath(path, folder or ".")
    return path if relative.startswith(os.pardir) else relative


def _text(file: str) -> str:
    with open(file, "rb") as opened:
        return opened.read().decode("utf-8", "surrogateescape")


def get_checkpoint_state(checkpoint_dir: PathLike, latest_filename: str | None = None) -> CheckpointState | None:
    """Return what a folder's file ``checkpoint`` says, None where there is none.

    Raises:
        DataLossError: if the file is not of this kind.
    """
    folder, file = _file(checkpoint_dir, latest_filename)
    with file_of_first(file) as here:
        text = _text(here) if os.path.isfile(here) else None
    if text is None:
        return None
    state = CheckpointState()
    try:
        for name, value in _fields(text):
            if name == "model_checkpoint_path":
                state.model_checkpoint_path = os.path.join(folder, _path(value))
            elif name == "all_model_checkpoint_paths":
                state.all_model_checkpoint_paths.append(os.path.join(folder, _path(value)))
            elif name not in ("all_model_checkpoint_timestamps", "last_preserved_timestamp"):
                raise ValueError(f"{name}: {value}")
    except (ValueError, OverflowError) as error:
        raise DataLossError(f"{file} does not say which checkpoint is the latest: {str(error)!r:.200}") from None
    return state if state.model_checkpoint_path or state.all_model_checkpoint_paths else None


def pending(checkpoint_dir: PathLike, latest_filename: str | None = None) -> list[str]:
    """Return the checkpoints of a folder that were being written or removed when its file was written."""
    folder, file = _file(checkpoint_dir, latest_filename)
    if not os.path.isfile(file):
        return []
    lines = [line.removeprefix(PENDING) for line in _text(file).splitlines() if line.startswith(PENDING)]
    return [os.path.join(folder, _path(line)) for line in lines]
