"""Compiled code on disk, so that the next process has it at once.

It lies in a folder that belongs to the user alone, since whoever can write there decides what runs here. A file names what it was
made from, and has a sum of its content: one that is damaged, cut short, or another's is as good as none, and is written anew.
Nothing in it is taken apart but by LLVM. A disk that is full or may not be written is no error: the code is compiled each time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys

from wengert.ground.replacing import replace

__all__ = ["folder", "load", "save", "signature"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

MAGIC = b"wengert code 1\n\0"
ENDING = ".code"
MOST = 256 << 20
"""Bytes that all files may have together: beyond, those that were not used for longest go."""
OFF = ("", "off", "0")


def folder() -> str | None:
    """Return where code is kept: where WENGERT_CACHE says, or at the system's place for such; None where it is switched off."""
    chosen = os.environ.get("WENGERT_CACHE")
    if chosen is not None:
        return None if chosen.lower() in OFF else os.path.abspath(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return os.path.join(base, "wengert") if os.path.isabs(base) else None


def signature(*parts: str) -> bytes:
    """Return the sum of all that code depends on."""
    return _sum("".join([f"{len(part)} {part}" for part in parts]).encode())


def _sum(content: bytes) -> bytes:
    import hashlib  # which loads a library of ciphers

    return hashlib.sha256(content).digest()


def _ours(found: os.stat_result) -> bool:
    """Return whether something belongs to this user, and nobody else may write it; Windows guards the user's folders itself."""
    return sys.platform == "win32" or (found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _guarded() -> str | None:
    """Return the folder, made if need be; None if it is switched off, or not the user's alone."""
    path = folder()
    if path is None:
        return None
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
    except OSError as error:
        log.debug("compiled code is not kept: %s", error)
        return None
    if not stat.S_ISDIR(found.st_mode) or not _ours(found):
        log.debug("compiled code is not kept: %s is not a folder that this user alone may write", path)
        return None
    return path


def _path(place: str, key: bytes) -> str:
    return os.path.join(place, key.hex() + ENDING)


def load(key: bytes) -> bytes | None:
    """Return the code that was kept under a signature, if it is there and whole."""
    place = _guarded()
    if place is None:
        return None
    path = _path(place, key)
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0))
        with open(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or not _ours(found):
                log.debug("compiled code is not taken from %s, which is not this user's alone", path)
                return None
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.debug("compiled code is not read: %s", error)
        return None
    code = content[len(MAGIC) + 64 :]
    if content != _content(key, code):
        log.debug("compiled code in %s is damaged", path)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # it was used today
    return code


def _content(key: bytes, code: bytes) -> bytes:
    return b"".join([MAGIC, key, _sum(code), code])


def save(key: bytes, code: bytes) -> None:
    """Keep code under a signature, where that can be done."""
    place = _guarded()
    if place is None:
        return
    try:
        replace(_path(place, key), [_content(key, code)], durable=False, mode=0o600, everywhere=True)
        _shrink(place)
    except OSError as error:
        log.debug("compiled code is not kept: %s", error)


def _shrink(place: str) -> None:
    """Remove the files that were not used for longest, down to three quarters of what they may have."""
    found: list[tuple[float, int, str]] = []
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.endswith(ENDING):
                with contextlib.suppress(FileNotFoundError):  # another process removes, too
                    told = entry.stat(follow_symlinks=False)
                    found.append((told.st_mtime, told.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    if total <= MOST:
        return
    for _, size, path in sorted(found):
        if total <= 0.75 * MOST:
            return
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        total -= size
