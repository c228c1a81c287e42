"""`wengert run` of a module or of a program on PATH: what they start finds TensorFlow served, by the environment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from wengert.ground.terminal import tell
from wengert.run.started import Chosen, environment

Handler = Callable[[int, FrameType | None], object] | signal.Handlers
"""Who answers to a signal."""

__all__ = ["found", "run_program", "serving_started"]


def found(name: str) -> str | None:
    """Return the path of a program: on PATH, or beside the running Python; None if it is a file, or there is none."""
    if os.path.exists(name) or os.path.basename(name) != name:
        return None
    return shutil.which(name) or shutil.which(name, path=os.path.dirname(sys.executable))


@contextlib.contextmanager
def serving_started(how: Chosen) -> Iterator[None]:
    """Have what this process starts served."""
    variables = environment(how)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run_program(path: str, arguments: Sequence[str], how: Chosen) -> int:
    """Run a program, and return its status: 128 and the signal's number where one has ended it."""
    try:
        with serving_started(how):
            process = subprocess.Popen([path, *arguments])
    except OSError as error:
        tell(f"wengert run: {path} cannot be started: {error.strerror or error}")
        return 2

    def pass_on(number: int, frame: FrameType | None) -> None:
        process.send_signal(number)

    # Ctrl-C reaches the child from the terminal: what becomes of it is the child's to say.
    answers: dict[int, Handler] = {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: pass_on}
    before = {number: signal.signal(number, answer) for number, answer in answers.items()}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status
