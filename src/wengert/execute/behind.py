"""The thread behind the runs, in which lists are compiled."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import weakref
from collections.abc import Callable, Hashable
from typing import Any

from wengert.ground.locks import lock

__all__ = ["Worker", "behind"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

PATIENCE = 60.0
"""Seconds that the interpreter's exit waits for a compilation under way."""


class Worker:
    """One thread that compiles, one list after another."""

    def __init__(self) -> None:
        self.watching = False
        self.begin()

    def begin(self) -> None:
        """Begin without a thread, as a forked process does."""
        self.jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.thread: threading.Thread | None = None
        self.lock = lock()
        self.ending = False
        self.guarded = False

    def ask(self, method: Callable[..., None], *arguments: Hashable) -> None:
        """Call a method that compiles something when its turn has come, if whose it is is still there then."""
        with self.lock:
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.work, name="wengert compiles", daemon=True)
                atexit.register(self.end)
                if not self.watching and hasattr(os, "register_at_fork"):
                    self.watching = True
                    os.register_at_fork(after_in_child=self.begin)
                self.thread.start()
        self.jobs.put((weakref.WeakMethod(method), arguments))

    def work(self) -> None:
        """Compile, as a thread of its own."""
        while not self.ending:
            job = self.jobs.get()
            if job is None:
                return
            method = job[0]()
            if method is not None and not self.ending:
                method(*job[1])
            del method, job

    def guard(self) -> None:
        """Once JAX is there: end before it does. What is registered later is called earlier."""
        if not self.guarded:
            self.guarded = True
            atexit.register(self.end)

    def end(self) -> None:
        """Let the thread finish what it is at: the interpreter must not go away beneath it."""
        self.ending = True
        self.jobs.put(None)
        thread = self.thread
        if thread is not None:
            thread.join(PATIENCE)


behind = Worker()
"""The one instance."""
