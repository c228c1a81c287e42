"""`wengert launch`: several processes of one script on this machine, their output in one place, none left when one fails.

Each is a `wengert run --processes N --process-id I`. It holds the end of a pipe whose other end is the launcher's: when that
closes, be it because the launcher was killed, the process ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import IO, NoReturn

from wengert.execute.xla.joined import ENDED
from wengert.ground.terminal import tell

__all__ = ["hold_on", "launch"]

LIFELINE = "WENGERT_LIFELINE"
"""The variable of the environment that names a process's end of the pipe."""

GRACE = 10.0
"""Seconds that a process has for its end, before it is killed."""

PAUSE = 0.1
"""Seconds after which a line that has not ended yet is shown."""

ABORTED = (-signal.SIGABRT, 128 + signal.SIGABRT)
"""How JAX ends a process whose others are gone."""

Line = tuple[int, IO[bytes], bytes]
"""Whose output, where it goes, and what it is."""


def launch(count: int, arguments: Sequence[str]) -> int:
    """Run ``wengert run`` with the arguments in so many processes; return the status of the first that fails, 0 if none does."""
    lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
    shown = threading.Thread(target=_show, args=(lines,), daemon=True)
    kept: list[subprocess.Popen[bytes]] = []
    readers: list[threading.Thread] = []
    with _asked() as asked:
        ends = os.pipe() if os.name == "posix" else None
        try:
            shown.start()
            where = f"127.0.0.1:{_free_port()}"
            seed = str(int.from_bytes(os.urandom(4), "little"))  # else sets of strings have another order in each
            for index in range(count):
                which = ["--processes", str(count), "--process-id", str(index), "--coordinator", where]
                kept.append(_started(index, [*which, *arguments], ends, seed))
                for stream, out in ((kept[-1].stdout, sys.stdout), (kept[-1].stderr, sys.stderr)):
                    assert stream is not None
                    readers.append(threading.Thread(target=_read, args=(index, stream, out.buffer, lines), daemon=True))
                    readers[-1].start()
            status = _watched(kept, asked, shown)
        finally:
            _end(kept)
            for reader in readers:
                reader.join(1.0)  # a process that it has started may hold the pipe for longer
            lines.put(None)
            shown.join(GRACE)
            for end in ends or ():
                os.close(end)
    return status


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(index: int, arguments: list[str], ends: tuple[int, int] | None, seed: str) -> subprocess.Popen[bytes]:
    environment = {"PYTHONHASHSEED": seed} | os.environ | {"PYTHONUNBUFFERED": "1"} | ({LIFELINE: str(ends[0])} if ends else {})
    return subprocess.Popen(
        [sys.executable, "-m", "wengert", "run", *arguments],
        stdin=None if index == 0 else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        pass_fds=(ends[0],) if ends else (),
        process_group=None if os.name != "posix" or _by_terminal() else 0,
    )  # fmt: skip


def _by_terminal() -> bool:
    """Whether a terminal tells the processes of Ctrl-C, as it tells this one; they must be of its group to read from it."""
    return sys.stdin is not None and sys.stdin.isatty()


# --- output ---------------------------------------------------------------------------------------------------------------


def _read(index: int, stream: IO[bytes], out: IO[bytes], lines: queue.SimpleQueue[Line | None]) -> None:
    """Pass on what a process writes, as it comes."""
    while content := os.read(stream.fileno(), 1 << 16):
        lines.put((index, out, content))


def _show(lines: queue.SimpleQueue[Line | None]) -> None:
    """Write what all processes write, until there is None."""
    marked = _Marked()
    while True:
        try:
            line = lines.get(timeout=PAUSE if marked.waits() else None)
        except queue.Empty:
            marked.pause()
            continue
        if line is None:
            marked.pause(ended=True)
            return
        marked.take(*line)


class _Marked:
    """Lines of several processes, each marked with whose it is; one that waits to be ended is shown after a pause."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, IO[bytes]], bytes] = {}
        """What has come after the last end of a line."""
        self._begun: tuple[int, IO[bytes]] | None = None
        """Whose line stands there and has not ended."""

    def waits(self) -> bool:
        return any(self._waiting.values())

    def take(self, index: int, out: IO[bytes], content: bytes) -> None:
        whose = index, out
        *whole, self._waiting[whose] = _lines(self._waiting.get(whose, b"") + content)
        self._write(whose, whole)

    def pause(self, ended: bool = False) -> None:
        for whose, rest in self._waiting.items():
            self._write(whose, [rest] if rest else [])
            self._waiting[whose] = b""
        if ended and self._begun is not None:
            self._write((-1, self._begun[1]), [])

    def _write(self, whose: tuple[int, IO[bytes]], lines: list[bytes]) -> None:
        mark = b"[%d] " % whose[0]
        text = b"".join([mark + line for line in lines])
        if self._begun == whose:
            text = text.removeprefix(mark)
        elif self._begun is not None and (lines or whose[0] < 0):
            self._begun[1].write(b"\n")
            self._begun[1].flush()
            self._begun = None
        if text:
            whose[1].write(text)
            whose[1].flush()
            self._begun = None if text.endswith((b"\n", b"\r")) else whose


def _lines(content: bytes) -> list[bytes]:
    """Return lines with their ends, and what has none yet; that of a progress bar is a carriage return."""
    return re.split(rb"(?<=\n)|(?<=\r)(?!\n|\Z)", content)


# --- the end --------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _asked() -> Iterator[list[int]]:
    """Give a list that the signals that ask for an end are put in."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, note) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield asked
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)


def _watched(kept: list[subprocess.Popen[bytes]], asked: list[int], shown: threading.Thread) -> int:
    """Wait until all have ended well, or one has not, or somebody asks for the end; return the status."""
    patience = time.monotonic() + 1e9
    while True:
        if asked:
            return _interrupted(kept, asked)
        if not shown.is_alive():  # nobody reads what they write
            return 120
        statuses = [process.poll() for process in kept]
        failed = [i for i, status in enumerate(statuses) if status]
        if failed:
            patience = min(patience, time.monotonic() + (GRACE + 2.0 if statuses[failed[0]] == ENDED else 0.5))
            why = min(failed, key=lambda i: (statuses[i] == ENDED, statuses[i] in ABORTED))
            told = statuses[why]
            assert told is not None
            consequence = told == ENDED or told in ABORTED  # of another's failure, perhaps
            if not consequence or time.monotonic() > patience or None not in statuses:
                return _told(why, told)
        elif None not in statuses:
            return 0
        time.sleep(0.02)


def _told(index: int, status: int) -> int:
    """Say which process has failed, and return the status as a shell has it."""
    if status > 0:
        tell(f"wengert launch: process {index} has failed with status {status}")
        return status
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    tell(f"wengert launch: process {index} was ended by {name}")
    return 128 - status


def _interrupted(kept: list[subprocess.Popen[bytes]], asked: list[int]) -> int:
    """Pass a signal on, and wait for the processes; a second one ends the wait."""
    number = asked[0]
    if not (number == signal.SIGINT and _by_terminal()):
        _send(kept, number)
    until = time.monotonic() + GRACE
    while len(asked) < 2 and time.monotonic() < until and any(process.poll() is None for process in kept):
        time.sleep(0.02)
    return 128 + number


def _send(kept: list[subprocess.Popen[bytes]], number: int) -> None:
    for process in kept:
        if process.poll() is None:
            with contextlib.suppress(OSError):
                process.send_signal(number)


def _end(kept: list[subprocess.Popen[bytes]]) -> None:
    """End those that have not ended."""
    _send(kept, signal.SIGTERM)
    until = time.monotonic() + GRACE
    for process in kept:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def hold_on() -> None:
    """In a process that was launched: end when the launcher is no more."""
    told = os.environ.pop(LIFELINE, None)
    if told is None:
        return
    end = int(told)
    os.set_inheritable(end, False)

    def wait() -> NoReturn:
        with contextlib.suppress(OSError):
            os.read(end, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=wait, name="wengert-lifeline", daemon=True).start()
