"""Full disks: a save fails with an error that names its file, the old file stays, and what is saved later is right.

A limit to the size of files stands for the disk: writing beyond it fails as it does where there is no room.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import wengert as tf

from .kills import warm
from .savers import SAVERS, debris
from .trial import Fault, forked, same

SUBJECTS = tuple(SAVERS)
SHORT = 24
OURS = (OSError, tf.errors.ResourceExhaustedError)


def trial(subject: str, random: Random) -> None:
    if "matplotlib.pyplot" not in sys.modules:
        warm()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "files"
        folder.mkdir()
        forked(lambda: _full(subject, folder, random))


def limited(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _full(subject: str, folder: Path, random: Random) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    saver = SAVERS[subject](folder)
    for k in (1, 2):
        saver.save(k)
    largest = max(p.stat().st_size for p in folder.iterdir())
    there, k = 2, 2
    for _ in range(3):
        k += 1
        limited(int(largest * random.choice([0.0, random.random(), random.uniform(0.95, 1.3)])))
        failed = _fails(saver, k, folder)
        limited(resource.RLIM_INFINITY)
        if subject == "summary":  # what could not be written waits
            continue
        there = there if failed else k
        same("lost", "the step that is there after a save that " + ("failed" if failed else "did not"), saver.read(), there)
    saver.save(k + 1)
    same("lost", "the step that is there after room was made", saver.read(), k + 1)
    debris(folder)


def _fails(saver: Any, k: int, folder: Path) -> bool:
    """Return whether a save fails, as it should."""
    try:
        saver.save(k)
    except OURS as error:
        text = str(error)
        names = {p.name for p in folder.iterdir()} | {os.fspath(folder), "figure"}
        if not any(name in text for name in names):
            raise Fault("unnamed", f"{type(error).__name__} names no file: {text}") from None
        if isinstance(error, OSError) and error.errno not in (None, errno.EFBIG, errno.ENOSPC):
            raise Fault("unnamed", f"another error: {error!r}") from None
        return True
    except Fault:
        raise
    except BaseException as error:
        raise Fault("unnamed", f"{type(error).__name__}: {error}") from error
    return False
