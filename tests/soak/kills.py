"""SIGKILL while files are written: each is the old one or the new one, whole, and the next save clears up."""

from __future__ import annotations

import functools
import itertools
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any

from .savers import SAVERS, debris
from .trial import Fault, end_child, fork, forked, same

SUBJECTS = tuple(SAVERS)
SHORT = 16
SAVES = 3
"""How many programs in turn are killed in a folder before a last one saves."""


def warm() -> None:
    """Import what children would have to, each anew."""
    import matplotlib.pyplot  # noqa: F401
    import safetensors.numpy

    assert safetensors.numpy.save


def trial(subject: str, random: Random) -> int:
    if "matplotlib.pyplot" not in sys.modules:
        warm()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "files"
        folder.mkdir()
        make = SAVERS[subject]
        longest = 0.1 if "figures" in subject else 0.02
        seen = 0
        for _ in range(SAVES):
            source, sink = os.pipe()

            def saves(first: int = seen, ready: int = sink) -> None:
                saver = make(folder)
                saver.read()
                os.write(ready, b"!")
                for k in itertools.count(first + 1):
                    saver.save(k)

            errors = Path(home) / "errors"
            pid = fork(functools.partial(_told, saves, errors))
            os.close(sink)
            os.read(source, 1)
            os.close(source)
            time.sleep(random.uniform(0.0, longest))
            end_child(pid)
            if errors.exists():
                raise Fault("crashed", errors.read_text())
            seen = forked(lambda before=seen: _step(make(folder), before))
        forked(lambda: _next(make(folder), folder, seen + 1))
    return SAVES


def _told(function: Any, errors: Path) -> None:
    """Call a function that never returns; write down what it raises."""
    try:
        function()
    except BaseException:
        errors.write_text(traceback.format_exc(limit=-6))


def _step(saver: Any, before: int) -> int:
    """Return the step that is there after a kill: never one before what was there already."""
    k: int | None = saver.read()
    if (k or 0) < before:
        raise Fault("lost", f"step {before} was there, and now step {k}")
    return k or 0


def _next(saver: Any, folder: Path, k: int) -> None:
    """Save once more, as the program that is started again does."""
    saver.read()
    saver.save(k)
    same("lost", "the step that is there after the next save", saver.read(), k)
    debris(folder)
