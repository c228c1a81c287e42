"""``.keras`` files: a zip archive of a configuration, as JSON, and an HDF5 file of weights.

Two members are read, by their names, into memory: nothing is written to the disk, whatever an archive's members are called.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wengert.ground.errors import PermissionDeniedError, ResourceExhaustedError

__all__ = ["Members", "read", "written"]

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
LONGEST = 1 << 26
"""How many bytes a configuration may have."""
VERSION = "3.15.1"
"""The version of Keras whose files these are like."""


class Members(NamedTuple):
    """What an archive holds."""

    config: dict[str, Any]
    weights: bytes


def read(path: str, who: str) -> Members:
    """Return what an archive holds.

    Raises:
        ValueError: if it is none, or packed more than it may be; it names the file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(_member(archive, CONFIG, LONGEST))
            if not isinstance(config, dict):
                raise ValueError(f"{CONFIG} is no configuration")
            # Keras packs nothing: what unpacks to more than the file has is not its own.
            return Members(config, _member(archive, WEIGHTS, os.path.getsize(path)))
    except PermissionError as error:
        raise PermissionDeniedError(f"{path} may not be read: {error}") from None
    except MemoryError:
        raise ResourceExhaustedError(f"{path} was not read: there is not enough memory.") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        LookupError,
        ValueError,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        what = "its configuration is nested too deeply" if isinstance(error, RecursionError) else str(error).strip("\"'")
        raise ValueError(f"{who}: {path} cannot be read, it is damaged or of another format: {what}") from None


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member, unpacked no further than it may be."""
    told = archive.getinfo(name)
    if told.file_size > most:
        raise ValueError(f"{name} is said to have {told.file_size} bytes, more than the {most} that are read")
    with archive.open(told) as member:
        return member.read(most + 1) if told.file_size else b""


def written(config: Mapping[str, Any], weights: bytes) -> Sequence[bytes | memoryview]:
    """Return the pieces of an archive."""
    now = datetime.datetime.now(datetime.UTC)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(METADATA, json.dumps({"keras_version": VERSION, "date_saved": f"{now:%Y-%m-%d@%H:%M:%S}"}))
        archive.writestr(CONFIG, json.dumps(config))
        archive.writestr(WEIGHTS, weights)
    return (buffer.getbuffer(),)
