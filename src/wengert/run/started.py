"""What is started under `wengert run`: programs and kernels that find ``import tensorflow`` by their environment.

A folder with packages named tensorflow, keras and tensorflow_probability stands first on their PYTHONPATH. One of them, imported,
has TensorFlow served in that process, and gives way to what is served. How is said by a variable of the environment.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from wengert.ground.context import state
from wengert.ground.errors import NoGradientWarning
from wengert.modes.recording import recording
from wengert.run.mending import Mending
from wengert.run.notice import Program, frames_shown
from wengert.run.reading import read
from wengert.run.served import serve
from wengert.run.style import style_of, wants_recording
from wengert.surface.config import set_executor

__all__ = ["Chosen", "chosen", "environment", "give_way", "set_up"]

BESIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "beside")
"""The folder with the packages."""

VARIABLE = "WENGERT_RUN"


class Chosen(NamedTuple):
    """How `wengert run` was told to run what it starts."""

    style: str | None = None
    executor: str | None = None
    strict: bool = False
    quiet: bool = False
    recorded: bool = False
    frames: bool = False
    unpickled: tuple[str, ...] = ()


def environment(how: Chosen) -> dict[str, str]:
    """Return the variables that are to be set for what is started."""
    before = os.environ.get("PYTHONPATH")
    files = tuple(os.path.abspath(file) for file in how.unpickled)
    text = json.dumps(how._replace(unpickled=files)._asdict())
    return {"PYTHONPATH": os.pathsep.join([BESIDE, *([before] if before else [])]), VARIABLE: text}


def chosen() -> Chosen:
    """Return how the one that has started this process was told to."""
    text = os.environ.get(VARIABLE)
    how = Chosen() if not text else Chosen(**json.loads(text))
    return how._replace(unpickled=tuple(how.unpickled), frames=how.frames or frames_shown())


def set_up(how: Chosen) -> None:
    """Set what holds for a whole process."""
    if how.executor is not None:
        set_executor(how.executor)
    if how.quiet:
        warnings.simplefilter("ignore", NoGradientWarning)


_held: list[AbstractContextManager[object]] = []
"""The contexts in which this process runs, which nobody leaves."""


def give_way(name: str) -> None:
    """Serve TensorFlow in this process; called by one of the packages while it is imported: another takes its place."""
    del sys.modules[name]
    shell = _shell()
    if shell is not None:
        shell.extension_manager.load_extension("wengert")
    elif not _held:
        _begin(chosen())
    importlib.import_module(name)


def _shell() -> Any:
    """Return the IPython that runs in this process, None if there is none."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _begin(how: Chosen) -> None:
    set_up(how)
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    program = Program(file or "", os.getcwd())
    style, recorded = how.style or "tf2", how.recorded
    if file and file.endswith(".py") and os.path.isfile(file):
        folder = os.path.dirname(os.path.abspath(file))
        if Program("", folder).owns(file):  # a program of the user's, not an installed one
            program, source = Program(file, folder), read(file)
            style, recorded = how.style or style_of(source), wants_recording(source)
    serve(style)
    mending = Mending(program, how.strict, unpickled=how.unpickled)
    _held.append(mending.__enter__())
    if recorded and state.graph is None:
        mending.enter_context(recording())
