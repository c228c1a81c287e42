"""What the end of a script owes: its figures, its checkpoint, its summaries; each is paid whatever became of the others.

Only the process that began pays: a child that was forked has the script's variables as they were, and owes nothing.
"""

from __future__ import annotations

import atexit
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from wengert.ground.terminal import tell
from wengert.ground.weakly import Weakly

__all__ = ["Debt", "Debts"]

Debt = tuple[str, Callable[[], object]]
"""What is owed, in words, and what pays it."""

Handler = Callable[[int, FrameType | None], object] | int | None
"""Who answers to a signal."""

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that ask a process to end."""


class Debts:
    """Runs a script, and pays what it owes.

    A debt that cannot be paid is told on standard error and makes a status of 0 to 1. ``answering``: SIGTERM and SIGHUP end the
    script as `sys.exit` does, where no step is half done, unless it answers to them itself or they are ignored.
    While debts are paid these signals wait, and so does the first Ctrl-C: a second one breaks off the debt being paid, no other.
    """

    def __init__(self, answering: bool) -> None:
        """Owe nothing."""
        self._answering = answering
        self._owed: list[tuple[str, Callable[[], Iterable[Debt]]]] = []
        self._forsaken: list[Callable[[], None]] = []
        self._laid: list[tuple[int, Any, Any]] = []
        """Signals that are answered here: how, and how before."""
        self._asked = 0
        """The signal that has asked for an end; 0: none."""
        self._strikes = 0
        self._open = False
        """Whether Ctrl-C may break off what is done now."""
        _watch_forks()
        _living.add(self)

    def close(self) -> None:
        """Give the signals back."""
        self._give_back()

    def owe(self, what: str, found: Callable[[], Iterable[Debt]], forsaken: Callable[[], None] | None = None) -> None:
        """Take on debts, which are found in the end.

        ``forsaken``: called in a child that is forked, which owes nothing.
        """
        self._owed.append((what, found))
        if forsaken is not None:
            self._forsaken.append(forsaken)

    def settled(self, run: Callable[[], int]) -> int:
        """Run something, then pay; return the status that it ends with."""
        self._asked = self._strikes = 0
        if self._answering:
            self._lay(ENDING, self._end, lambda before: before is signal.SIG_DFL)
        status = 130
        try:
            try:
                status = run()
            finally:
                self._hold()
        except KeyboardInterrupt:  # a second one, while the first was being told
            status = 130
        except SystemExit:  # of a signal, while an error was being told
            status = 1
        except BaseException as error:  # nor must what goes wrong in telling an error keep us from paying
            tell(f"wengert run: {type(error).__name__}: {error}")
            status = 1
        self._hold()
        try:
            status = self._paid(status)
        finally:
            self._give_back()
        if self._owed and any(not t.daemon and t is not threading.current_thread() for t in threading.enumerate()):
            atexit.register(self._paid, 0)  # Python waits for such threads first: what they have done by then is paid, too
        return status

    @property
    def terminated(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._asked in ENDING

    # --- paying -------------------------------------------------------------------------------------------------------

    def _paid(self, status: int) -> int:
        self._pay(None, _flushed)
        paid = True
        for what, find in list(self._owed):
            found: list[Debt] = []
            paid &= self._pay(what, lambda found=found, find=find: found.extend(find()))  # type: ignore[misc]
            for name, pay in found:
                paid &= self._pay(name, pay)
        if self._asked:
            return 128 + self._asked
        return status or int(not paid)

    def _pay(self, what: str | None, pay: Callable[[], object]) -> bool:
        """Pay one debt, and return whether that was done; say so where not, unless it has no name."""
        self._open = True
        try:
            pay()
            self._open = False
            return True
        except KeyboardInterrupt:
            self._open, why = False, "broken off by Ctrl-C"
        except BaseException as error:  # a library's panic too: the next debt is paid
            self._open, why = False, f"{type(error).__name__}: {error}"
        if what is not None:
            tell(f"wengert run: {what} is not written: {why}")
        return False

    # --- signals ------------------------------------------------------------------------------------------------------

    def _lay(
        self,
        numbers: Iterable[int],
        answer: Callable[..., None],
        wanted: Callable[[signal.Handlers | Callable[..., Any] | int | None], bool],
    ) -> None:
        if threading.current_thread() is not threading.main_thread():  # no other can
            return
        for number in numbers:
            before = signal.getsignal(number)
            if wanted(before):
                self._laid.append((number, answer, before))
                signal.signal(number, answer)

    def _give_back(self) -> None:
        while self._laid:
            number, answer, before = self._laid[-1]
            if signal.getsignal(number) == answer:  # else the script has another one since
                signal.signal(number, before)
            self._laid.pop()

    def _end(self, number: int, frame: FrameType | None) -> None:
        """Answer to a signal that asks for the end of the script."""
        self._asked = number
        raise SystemExit(128 + number)  # a run that assigns is undone, or ends first

    def _hold(self) -> None:
        """Have signals wait."""
        ignored = (None, signal.SIG_IGN, self._note)
        self._lay([signal.SIGINT, *ENDING], self._note, lambda before: before not in ignored)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._asked or number
        self._strikes += number == signal.SIGINT
        if self._open and self._strikes > 1 and number == signal.SIGINT:
            self._open = False
            raise KeyboardInterrupt

    # --- children -----------------------------------------------------------------------------------------------------

    def forsake(self) -> None:
        """In a child: owe nothing, and answer to no signal."""
        self._owed.clear()
        while self._forsaken:
            self._forsaken.pop()()
        self._give_back()


def _flushed() -> None:
    """Have what the script has printed stand before what we say. Where that cannot be, Python says so itself in the end."""
    if sys.stdout is not None:
        sys.stdout.flush()


_living: Weakly[Debts] = Weakly()
"""Those that somebody holds: threads that go on after the script's last line may fork, too."""


@functools.cache
def _watch_forks() -> None:
    if hasattr(os, "register_at_fork"):  # not where there is no fork
        os.register_at_fork(after_in_child=_forked)


def _forked() -> None:
    for debts in _living:
        debts.forsake()
