"""Files that are written whole or not at all, and what a kill has left of them.

A file is written as a part beside the one that it replaces, and takes its name when it is complete. While it is written, the part
is locked; the system takes that lock away with the process. So a part that nobody locks is one that a kill has left, and the next
file that is written into its folder removes it. What other processes are writing there stays.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable

from wengert.ground.options import options

if sys.platform == "win32":
    fcntl = None
else:
    import fcntl

__all__ = ["PART", "append", "remove", "replace"]

PART = ".wengert.part"
"""What the names of parts end in."""
DAY = 86400.0
"""How many seconds old a part is that is taken for left behind where there are no locks."""


def replace(
    path: str, content: Iterable[bytes | memoryview], durable: bool = True, mode: int = 0o666, everywhere: bool = False
) -> None:
    """Write a file, whole or not at all: one that was there stays until the new one is complete. Its folder is made.

    Of several processes that run one script the first writes it alone, unless ``everywhere``.

    ``content``: bytes, piece by piece. ``durable``: whether the file is on the disk when this returns,
    so that it outlives a loss of power; a file that is not outlives a kill of the process. ``mode``: who may read and write it,
    but for what the process denies to all of its files.

    Raises:
        OSError: if it cannot be written; it names the file.
    """
    if not (everywhere or options.writes):
        return
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
        _tidy(folder)
        handle, part = _part(path, mode)
        try:
            try:
                for piece in content:
                    append(handle, piece)
                if durable:
                    os.fsync(handle)
                if fcntl is not None:  # it keeps its lock until it is no part any more
                    os.replace(part, path)
            finally:
                os.close(handle)
            if fcntl is None:  # such a system moves no file that is open
                os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.remove(part)
            raise
    except OSError as error:
        error.filename = path
        del error.filename2  # the part's name says nothing to anybody
        raise
    if durable:
        _sync(folder)


def remove(path: str) -> None:
    """Remove a file that `replace` has written, if it is there; what does not write does not remove."""
    if options.writes:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def append(handle: int, content: bytes | memoryview) -> None:
    """Write all of the content to an open file."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _part(path: str, mode: int) -> tuple[int, str]:
    """Make a part of a file and lock it; return its handle and its name."""
    folder, name = os.path.split(path)
    while True:
        part = os.path.join(folder, f"{name[:40]}.{os.urandom(6).hex()}{PART}")
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        if fcntl is None:
            return handle, part
        with contextlib.suppress(OSError):  # a file system may have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, part
        os.close(handle)  # another process took it for left behind before it was locked


def _tidy(folder: str) -> None:
    """Remove the parts that kills have left in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(PART) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_left(entry.path)


def _remove_left(part: str) -> None:
    """Remove a part unless somebody is writing it."""
    old = time.time() - os.path.getmtime(part) > DAY
    if fcntl is None:
        if old:
            os.remove(part)
        return
    handle = os.open(part, os.O_RDWR | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left = True
        except OSError as error:  # somebody writes it; or there are no locks here
            left = old and not isinstance(error, BlockingIOError)
        if left:
            os.remove(part)
    finally:
        os.close(handle)


def _sync(folder: str) -> None:
    """Have the names of a folder on the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
