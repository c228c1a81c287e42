"""Locks that a fork leaves open.

A fork copies locks as they are, and none of the threads that would open those that they hold. So in the child what
another thread held is free: that thread was in the middle of making something which nobody else had seen yet.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol, cast

from wengert.ground.blocks import Raised
from wengert.ground.weakly import Weakly

__all__ = ["lock"]


class Lock(Protocol):
    """What `threading.RLock` returns; the standard library reopens its own locks after a fork by these methods too."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> bool: ...
    def __exit__(self, *error: Raised) -> None: ...
    def _is_owned(self) -> bool: ...
    def _at_fork_reinit(self) -> None: ...


_all: Weakly[Lock] = Weakly()


def lock() -> Lock:
    """Return a lock that one thread may take several times, and that is free after a fork unless the forking thread has it."""
    made = cast(Lock, threading.RLock())
    _all.add(made)
    return made


def _reopen() -> None:
    for one in _all:
        if not one._is_owned():
            one._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reopen)
