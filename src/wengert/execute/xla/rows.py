"""How many rows each process feeds, where each feeds its own: all learn it when it changes, and a steady step asks nobody."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from wengert.execute.xla.joined import Joined, joined
from wengert.execute.xla.mesh import Own
from wengert.ground.context import SKIP
from wengert.ground.errors import InvalidArgumentError, UnavailableError
from wengert.ground.types import NumPyArray

__all__ = ["Rows"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

TICK = 0.5
"""Seconds after which a process that is where it was says so."""

PLACE = "wengert/rows/"
"""Where it says so."""

CHANGE = "the numbers of rows may differ, but change in the same run in all processes"
SAME = "all processes take the same steps"

Shapes = list[list[int]]


class Rows:
    """The rows that processes feed to one program.

    A process that feeds shapes other than in the latest run asks the others, and all see how many rows each has. One that feeds
    the same asks nobody. So all have to change in the same run.
    """

    def __init__(self, has: Sequence[bool]) -> None:
        """Take which of the feeds have rows."""
        self._has = has
        self._shapes: Shapes | None = None
        """What this process fed in the latest run."""
        self._next: Shapes | None = None
        """What it is about to feed in place of that."""
        self._counts: list[tuple[int, ...]] = []
        """For each feed, how many rows each process has."""

    def own(self, feeds: Sequence[NumPyArray]) -> list[NumPyArray | Own]:
        """Return the feeds, those that have rows as a part of what all processes have.

        Raises:
            InvalidArgumentError: if shapes differ in more than the number of rows, or have changed in some processes alone.
            RuntimeError: if the others have come to another place of the program.
        """
        if not any(self._has):  # the same in all, who need not all run it
            return list(feeds)
        shapes, runs = [list(a.shape) for a in feeds], _runs()
        if shapes == self._shapes:
            runs.go_on(self)
        else:
            self._next = shapes
            try:
                every = runs.ask(self, shapes)
            finally:
                self._next = None
            self._check(every)
            self._shapes, self._counts = shapes, [tuple(s[0] if s else 0 for s in one) for one in zip(*every, strict=True)]
        return [Own(a, counts) if has else a for a, has, counts in zip(feeds, self._has, self._counts, strict=True)]

    @property
    def asks(self) -> bool:
        """Whether this process is asking the others."""
        return self._next is not None

    def told(self) -> str:
        """Return in words what this process feeds."""
        former = "" if self._shapes is None else self._told(self._shapes)
        if self._next is None:
            return f"feeds {former} again"
        return f"feeds {self._told(self._next)}" + (f" after {former}" if former else "")

    def _told(self, shapes: Shapes) -> str:
        counts = [str(shape[0]) for shape, has in zip(shapes, self._has, strict=True) if has]
        return f"{' and '.join(dict.fromkeys(counts)) or 'no'} rows"

    def _check(self, every: Sequence[Shapes]) -> None:
        """Check that shapes are alike, but for the rows that each process has."""
        kinds = [[s[1:] if has else s for s, has in zip(shapes, self._has, strict=True)] for shapes in every]
        if any(kind != kinds[0] for kind in kinds):
            told = "; ".join(f"process {i} {', '.join(str(tuple(s)) for s in shapes)}" for i, shapes in enumerate(every))
            raise InvalidArgumentError(
                None, None, f"What processes feed may differ in the number of rows alone, and the shapes are: {told}."
            )


class _Now(NamedTuple):
    """Where a process is."""

    run: int
    """How many runs on the rows of all processes it has begun."""
    rows: Rows | None
    """What it feeds; None where it is between two of them."""
    thread: int
    """Who is there."""


class _Runs:
    """The runs of this process on the rows of all, in the midst of which it may wait for one that does not come."""

    def __init__(self, here: Joined) -> None:
        """Count from 0."""
        self.here, self.now = here, _Now(0, None, 0)
        here.meanwhile = self.look
        threading.Thread(target=self._say, name="wengert-rows", daemon=True).start()

    def go_on(self, rows: Rows) -> None:
        """Begin a run with the shapes of the latest one."""
        self.now = _Now(self.now.run + 1, rows, threading.get_ident())

    def ask(self, rows: Rows, shapes: Shapes) -> list[Shapes]:
        """Begin a run with others; return what each process feeds.

        Raises:
            RuntimeError: if the others have come to another place of the program.
        """
        run = self.now.run
        self.now = _Now(run, rows, threading.get_ident())
        told = self.here.exchange(b"rows" + json.dumps([run, shapes]).encode(), range(self.here.count))
        self.now = _Now(run + 1, None, 0)
        found: list[Shapes] = []
        for process, one in enumerate(told):
            at, its = json.loads(one[4:]) if one.startswith(b"rows") else (None, [])
            if at != run or len(its) != len(shapes):
                raise RuntimeError(
                    f"Process {self.here.index} is about to run a step on the rows of all, and process {process} another."
                )
            found.append(its)
        return found

    def look(self) -> None:
        """While this process waits for the others: see whether one is in a run that this one has not begun, and waits there.

        Raises:
            InvalidArgumentError: if so; nothing can bring that one back, so it ends.
        """
        if not self._ahead():
            return
        time.sleep(3 * TICK)  # until each has said where it is
        ahead, rows = self._ahead(), self.now.rows
        if self.here.over:
            mine, law = "has come to its end", SAME
        elif rows is not None and rows.asks:
            mine, law = f"{rows.told()} ({_line(threading.get_ident())})", CHANGE
        else:
            mine, law = f"waits for the others ({_line(threading.get_ident())})", SAME
        ahead[self.here.index] = mine
        message = f"{'; '.join(f'process {i} {told}' for i, told in sorted(ahead.items()))}: {law}"
        self.here.fail(1, message)
        raise InvalidArgumentError(None, None, f"P{message[1:]}.")

    def _ahead(self) -> dict[int, str]:
        """Return where the others are, if one of them is in a run that this one has not begun."""
        found = {int(key): json.loads(told) for key, told in self.here.posted(PLACE) if told}
        run = self.now.run
        return {i: told for i, (at, told) in found.items() if at >= run} if any(at > run for at, _ in found.values()) else {}

    def _say(self) -> None:
        """Say where this process is whenever it stays there."""
        before, said = self.now, False
        while True:
            time.sleep(TICK)
            now = self.now
            if now is not before:
                before, said = now, False
            elif now.rows is not None and not said:
                said = True
                with contextlib.suppress(UnavailableError):  # the end
                    self.here.post(f"{PLACE}{self.here.index}", json.dumps([now.run, f"{now.rows.told()} ({_line(now.thread)})"]))


def _line(thread: int) -> str:
    """Return the file and the line of the script at which a thread is."""
    frame = sys._current_frames().get(thread)
    for ours in (False, True):  # what we have called; what has called us
        while frame is not None and frame.f_back is not None and frame.f_code.co_filename.startswith(SKIP) == ours:
            frame = frame.f_back
    return "somewhere" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


_made: list[_Runs] = []


def _runs() -> _Runs:
    if not _made:
        here = joined()
        assert here is not None
        _made.append(_Runs(here))
    return _made[0]
