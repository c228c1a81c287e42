"""Taking turns where user's code runs meanwhile."""

from __future__ import annotations

import threading
from typing import cast

from wengert.ground.blocks import Block, Leaving, Raised
from wengert.ground.locks import lock

__all__ = ["Turn"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_changed = threading.Condition(cast(threading._RLock, lock()))
_waiting: dict[threading.Thread, Turn] = {}
"""For what each waiting thread waits."""
PATIENCE = 1.0
"""After how many seconds one who waits looks again: who was broken off by a signal has told nobody."""


class Turn:
    """A lock that a thread holds while it traces a function, and that cannot deadlock with others of its kind.

    What is traced is the user's code, which may call any other function: two functions that call each other, traced by two
    threads, would wait for each other. The last thread to come into such a circle does not wait: whoever holds the turn
    stands still in the middle of it until this thread is done, as one thread does that comes to a function again while it
    traces it. A thread that is gone, as all others are in a process that was forked, holds none.
    """

    def __init__(self) -> None:
        """Let it be nobody's."""
        self.owner: threading.Thread | None = None
        """Whose turn it is."""

    def taken(self) -> _Taken:
        """Have the turn for a with block; wait for it as long as another thread has it that can go on."""
        return _Taken(self)

    def free(self) -> bool:
        """Whether it is nobody's."""
        return self.owner is None or not self.owner.is_alive()

    def leads_to(self, thread: threading.Thread) -> bool:
        """Whether the turn is a thread's, or that of one who waits, over however many others, for what is the thread's."""
        turn: Turn | None = self
        while turn is not None and turn.owner is not None:
            if turn.owner is thread:
                return True
            turn = _waiting.get(turn.owner)
        return False


class _Taken(Block):
    """A with block that has a turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn, self._mine = turn, False

    def __enter__(self) -> None:
        me, turn = threading.current_thread(), self._turn
        with _changed:
            while not turn.free() and not turn.leads_to(me):
                _waiting[me] = turn
                try:
                    _changed.wait(PATIENCE)
                finally:
                    del _waiting[me]
            if turn.free():
                self.keep((vars(turn), {"owner": None}))
                self._mine, turn.owner = True, me

    def _leave(self, *exception: Raised) -> None:
        if self._mine:
            with _changed:
                self._turn.owner = None
                _changed.notify_all()
        self.kept()

    __exit__ = Leaving(_leave)
