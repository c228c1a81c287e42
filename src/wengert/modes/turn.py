"""Taking turns where user's code runs meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

__all__ = ["Turn"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

_changed = threading.Condition(threading.RLock())
_waiting: dict[int, Turn] = {}
"""For what each waiting thread waits, by the thread's number."""


class Turn:
    """A lock that a thread holds while it traces a function, and that cannot deadlock with others of its kind.

    What is traced is the user's code, which may call any other function: two functions that call each other, traced by two
    threads, would wait for each other. The last thread to come into such a circle does not wait: whoever holds the turn
    stands still in the middle of it until this thread is done, as one thread does that comes to a function again while it
    traces it.
    """

    __slots__ = ("owner",)

    def __init__(self) -> None:
        """Let it be nobody's."""
        self.owner: int | None = None
        """The number of the thread whose turn it is."""

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Have the turn for a with block; wait for it as long as another thread has it that can go on."""
        me, mine = threading.get_ident(), False
        try:
            with _changed:
                while self.owner is not None and not self._leads_to(me):
                    _waiting[me] = self
                    try:
                        _changed.wait()
                    finally:
                        del _waiting[me]
                mine = self.owner is None
                if mine:
                    self.owner = me
            yield
        finally:
            if mine:
                with _changed:
                    self.owner = None
                    _changed.notify_all()

    def _leads_to(self, thread: int) -> bool:
        """Whether the turn is a thread's, or that of one who waits, over however many others, for what is the thread's."""
        turn: Turn | None = self
        while turn is not None and turn.owner is not None:
            if turn.owner == thread:
                return True
            turn = _waiting.get(turn.owner)
        return False
