"""What the trials share: faults, children of a fork, and what may not be left in a thread."""

from __future__ import annotations

import faulthandler
import gc
import os
import pickle
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any

from wengert.ground.context import State, state

SORTS = ("lost", "half", "hung", "unnamed", "crashed", "left")
"""What can be wrong: something is gone; some of it is there; no end; an error that is not ours or names nothing; the process
died or an error came where none should; something stays behind in the process or on the disk."""


class Fault(Exception):
    """A law is broken: which sort, and what was seen."""

    def __init__(self, sort: str, text: str) -> None:
        assert sort in SORTS
        super().__init__(sort, text)
        self.sort, self.text = sort, text


def end_child(pid: int) -> int:
    """Kill a child that this process has forked; return its status."""
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def fork(function: Callable[[], Any], answer: int | None = None, log: Any = None, seconds: float = 0.0) -> int:
    """Return the number of a child that calls a function and pickles what it gives, or raises, into ``answer``.

    After ``seconds`` it writes into ``log`` where it is.
    """
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        if log is not None:
            faulthandler.dump_traceback_later(seconds, file=log)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        try:
            given = function()
        except Fault as fault:
            given = fault
        except BaseException:
            given = Fault("crashed", traceback.format_exc(limit=-6))
        if answer is not None:
            with os.fdopen(answer, "wb") as pipe:
                pickle.dump(given, pipe)
    finally:
        os._exit(0)


def forked(function: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return what a function gives in a child of this process.

    Raises:
        Fault: what was one there; if the child dies, or does not end.
    """
    source, sink = os.pipe()
    log = tempfile.TemporaryFile("w+")
    pid = fork(function, sink, log, seconds - 2.0)
    os.close(sink)
    text, end = b"", time.monotonic() + seconds
    with os.fdopen(source, "rb", buffering=0) as pipe:
        while True:
            if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
                end_child(pid)
                log.seek(0)
                raise Fault("hung", f"{log.read()[:2000]}\na child of a fork did not end within {seconds:.0f} s")
            part = pipe.read(1 << 16)
            if not part:
                break
            text += part
    status = os.waitpid(pid, 0)[1]
    if status or not text:
        raise Fault("crashed", f"a child of a fork ended with status {status} and gave {len(text)} bytes")
    given = pickle.loads(text)
    if isinstance(given, Fault):
        raise given
    return given


FRESH = {
    name: getattr(State, name) for name in ("graph", "observers", "scope", "site", "graphs", "sessions", "session", "memory")
}
"""What a thread starts with. Counters are a session's business: `signals` looks at the numbers drawn."""


def nothing_left(before: dict[int, Any] | None = None) -> None:
    """Check that nothing is in force in this thread, and that these signals have these handlers; put things right.

    Raises:
        Fault: if something is.
    """
    found = {name: getattr(state, name) for name, fresh in FRESH.items() if getattr(state, name) != fresh}
    for name in found:
        setattr(state, name, FRESH[name])
    handlers = {n: signal.getsignal(n) for n, handler in (before or {}).items() if signal.getsignal(n) != handler}
    for number in handlers:
        signal.signal(number, (before or {})[number])
    if not gc.isenabled():
        gc.enable()
        found["gc"] = "disabled"
    if found or handlers:
        raise Fault("left", f"left in the thread: {found} {handlers or ''}")


def same(sort: str, what: str, got: Any, want: Any) -> None:
    """Raise a Fault of a sort unless two things are equal."""
    if got != want:
        raise Fault(sort, f"{what}: got {str(got)[:300]}, want {str(want)[:300]}")
