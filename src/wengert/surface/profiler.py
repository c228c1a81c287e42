"""TensorFlow's ``tf.profiler.experimental``: profiles of the calls, by Python's own profiler, in files that `pstats` reads."""

from __future__ import annotations

import contextlib
import cProfile
import os
import time
from typing import Any, NamedTuple

from wengert.ground.errors import AlreadyExistsError, UnavailableError
from wengert.ground.options import options as switches

__all__ = ["experimental"]

_running: list[tuple[cProfile.Profile, str]] = []


class ProfilerOptions(NamedTuple):
    """Options of TensorFlow's profiler, which have no effect here."""

    host_tracer_level: int = 2
    python_tracer_level: int = 0
    device_tracer_level: int = 1
    delay_ms: int | None = None


def start(logdir: str | os.PathLike[str], options: ProfilerOptions | None = None) -> None:
    """Begin a profile, which `stop` writes to ``logdir/<time>.prof``.

    Raises:
        AlreadyExistsError: if there is one under way.
    """
    if _running:
        raise AlreadyExistsError("Another profiler is running.")
    profile = cProfile.Profile()
    _running.append((profile, os.fspath(logdir)))
    profile.enable()


def stop(save: bool = True) -> None:
    """End the profile, and write it.

    Raises:
        UnavailableError: if there is none.
    """
    if not _running:
        raise UnavailableError("Cannot export profiling results. No profiler is running.")
    profile, folder = _running.pop()
    profile.disable()
    if save and switches.writes:
        os.makedirs(folder, exist_ok=True)
        profile.dump_stats(os.path.join(folder, time.strftime("%Y_%m_%d_%H_%M_%S.prof")))


class Profile:
    """A with block of which a profile is written."""

    def __init__(self, logdir: str | os.PathLike[str], options: ProfilerOptions | None = None) -> None:
        """Take the folder."""
        self._folder = logdir

    def __enter__(self) -> None:
        start(self._folder)

    def __exit__(self, *_: object) -> None:
        stop()


class Trace(contextlib.nullcontext[Any]):
    """A part of a program that has a name: a profile shows its calls."""

    def __init__(self, name: str, **keywords: Any) -> None:
        """Take the name."""
        super().__init__(self)

    def set_metadata(self, **keywords: Any) -> None:
        """Do nothing: a profile has no place for it."""


class experimental:
    """TensorFlow's ``tf.profiler.experimental``."""

    ProfilerOptions, Profile, Trace = ProfilerOptions, Profile, Trace
    start, stop = staticmethod(start), staticmethod(stop)
