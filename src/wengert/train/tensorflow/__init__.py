"""Checkpoints that TensorFlow wrote, read without it: of version 2 (``.index`` and ``.data-*``) and of version 1 (one table).

They are data: tables of names and bytes, and records of protocol buffers. Nothing in them is executed, no library beyond NumPy
is needed, every length is compared with the file before anything is read or allocated, and checksums are checked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from wengert.ground.dtypes import DType
from wengert.ground.errors import NotFoundError
from wengert.ground.types import NumPyArray
from wengert.train.objects import OBJECTS
from wengert.train.tensorflow import graph, table
from wengert.train.tensorflow.bundle import Bundle
from wengert.train.tensorflow.slices import Slices

__all__ = ["Stored", "find", "load", "open_checkpoint", "shards"]


class Stored(Protocol):
    """What a checkpoint holds: its arrays by name, which are read one by one."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes by name."""

    @property
    def dtypes(self) -> Mapping[str, DType]:
        """The dtypes by name."""

    def read(self, name: str) -> NumPyArray:
        """Return an array, its checksum checked."""


def shards(prefix: str) -> list[str]:
    """Return the files of a checkpoint that TensorFlow wrote, the one that tells it first; none if there is none."""
    index = f"{prefix}.index"
    if os.path.isfile(index) and table.is_table(index):
        return [index, *_numbered(f"{prefix}.data")]
    return [one for one in ([prefix] if os.path.isfile(prefix) else _numbered(prefix)) if table.is_table(one)]


def _numbered(prefix: str) -> list[str]:
    """Return the files that are called after a prefix and their number among several: ``-00000-of-00002``."""
    folder, name = os.path.split(prefix)
    found = []
    if os.path.isdir(folder or "."):
        for one in sorted(os.listdir(folder or ".")):
            end = one.removeprefix(name)
            if one.startswith(name) and len(end) == 15 and end[0] + end[6:10] == "--of-" and (end[1:6] + end[10:]).isdecimal():
                found.append(os.path.join(folder, one))
    return found


def find(prefix: str) -> bool:
    """Return whether TensorFlow wrote a checkpoint of this prefix."""
    return bool(shards(prefix))


def open_checkpoint(prefix: str) -> Stored:
    """Return what a checkpoint of TensorFlow's holds.

    Raises:
        NotFoundError: if there is none of this prefix.
        DataLossError: if it is damaged; it names the file.
    """
    found = shards(prefix)
    if not found:
        raise NotFoundError(f"There is no checkpoint {prefix} that TensorFlow wrote.")
    return Bundle(prefix) if found[0].endswith(".index") else Slices(prefix, found)


def load(prefix: str) -> tuple[dict[str, NumPyArray], dict[str, str]]:
    """Return the arrays of a checkpoint by name, and its texts: the picture of its objects (`wengert.train.objects`), if any.

    Raises:
        NotFoundError: if there is none of this prefix.
        DataLossError: if it is damaged; it names the file.
    """
    stored = open_checkpoint(prefix)
    values = {name: stored.read(name) for name in stored.shapes}
    told = values.pop(graph.KEY, None)
    if told is None:
        return values, {}
    text = told.item() if told.shape == () and told.dtype == np.dtype(object) else b""
    return values, {OBJECTS: json.dumps(graph.picture(text, list(values), prefix))}
