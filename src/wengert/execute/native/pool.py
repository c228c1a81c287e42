"""The threads of passes: a few that outlive a run, wait awake for a moment, and then sleep.

A pass's code takes groups of tiles from a counter until there are none, so whoever comes late finds nothing to do. The caller is
one of those who take; it waits for others only if they have begun, and never for one that sleeps. While a thread waits awake it
is in machine code and holds no lock of Python's; asleep, it waits for a lock that a caller opens.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import threading

import numpy as np

from wengert.execute.native import engine
from wengert.ground.locks import lock

__all__ = ["run"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SPINS = 20_000
"""Turns of waiting awake, of some 50 ns each: about a millisecond."""
YIELDS = 2_000
"""Turns after which whoever waits for a worker lets others have the processor, in each turn."""

# A desk is eight whole numbers: the number of the job, its function, its argument, how many workers it has room for, how many
# have come, how many are at work, whether it is open, and whether all are to go.
_TEXT = """
declare void @sched_yield()
PAUSE_DECLARED

define internal void @at_work(ptr %function, ptr %argument, i64 %worker) noinline nounwind {
  FLUSH
  call void %function(ptr %argument, i64 %worker)
  RESTORE
  ret void
}

; Post a job: its own work is the caller's, as worker 0. Then the job is closed, and those at work are waited for.
define void @lead(ptr %desk, ptr %function, ptr %argument, i64 %room) nounwind {
entry:
  %functions = getelementptr i64, ptr %desk, i64 1
  %arguments = getelementptr i64, ptr %desk, i64 2
  %rooms = getelementptr i64, ptr %desk, i64 3
  %come = getelementptr i64, ptr %desk, i64 4
  %working = getelementptr i64, ptr %desk, i64 5
  %open = getelementptr i64, ptr %desk, i64 6
  store ptr %function, ptr %functions
  store ptr %argument, ptr %arguments
  store i64 %room, ptr %rooms
  store atomic i64 0, ptr %come seq_cst, align 8
  store atomic i64 1, ptr %open seq_cst, align 8
  %number = atomicrmw add ptr %desk, i64 1 seq_cst
  call void @at_work(ptr %function, ptr %argument, i64 0)
  store atomic i64 0, ptr %open seq_cst, align 8
  br label %wait
wait:
  %turn = phi i64 [ 0, %entry ], [ %next, %again ], [ %next, %yield ]
  %left = load atomic i64, ptr %working seq_cst, align 8
  %none = icmp eq i64 %left, 0
  br i1 %none, label %done, label %more
more:
  %next = add i64 %turn, 1
  PAUSE
  %long = icmp ugt i64 %next, YIELDS
  br i1 %long, label %yield, label %again
yield:
  call void @sched_yield()
  br label %wait
again:
  br label %wait
done:
  ret void
}

; Do jobs as they come; return when none has come for so many turns, with the number of the last one.
define i64 @follow(ptr %desk, i64 %seen, i64 %turns) nounwind {
entry:
  %functions = getelementptr i64, ptr %desk, i64 1
  %arguments = getelementptr i64, ptr %desk, i64 2
  %rooms = getelementptr i64, ptr %desk, i64 3
  %come = getelementptr i64, ptr %desk, i64 4
  %working = getelementptr i64, ptr %desk, i64 5
  %open = getelementptr i64, ptr %desk, i64 6
  %go = getelementptr i64, ptr %desk, i64 7
  br label %look
look:
  %known = phi i64 [ %seen, %entry ], [ %known, %idle ], [ %number, %leave ]
  %turn = phi i64 [ 0, %entry ], [ %next, %idle ], [ 0, %leave ]
  %number = load atomic i64, ptr %desk seq_cst, align 8
  %new = icmp ne i64 %number, %known
  br i1 %new, label %enter, label %rest
rest:
  %next = add i64 %turn, 1
  %over = icmp ugt i64 %next, %turns
  %gone = load atomic i64, ptr %go seq_cst, align 8
  %going = icmp ne i64 %gone, 0
  %out = or i1 %over, %going
  br i1 %out, label %done, label %idle
idle:
  PAUSE
  br label %look
enter:
  %before = atomicrmw add ptr %working, i64 1 seq_cst
  %still = load atomic i64, ptr %open seq_cst, align 8
  %is = icmp ne i64 %still, 0
  br i1 %is, label %place, label %leave
place:
  %mine = atomicrmw add ptr %come, i64 1 seq_cst
  %most = load i64, ptr %rooms
  %has = icmp ult i64 %mine, %most
  br i1 %has, label %work, label %leave
work:
  %function = load ptr, ptr %functions
  %argument = load ptr, ptr %arguments
  %worker = add i64 %mine, 1
  call void @at_work(ptr %function, ptr %argument, i64 %worker)
  br label %leave
leave:
  %after = atomicrmw sub ptr %working, i64 1 seq_cst
  br label %look
done:
  ret i64 %known
}
"""

_X86 = {
    "PAUSE_DECLARED": "declare void @llvm.x86.sse2.pause()\ndeclare void @llvm.x86.sse.stmxcsr(ptr)\n"
    "declare void @llvm.x86.sse.ldmxcsr(ptr)",
    "PAUSE": "call void @llvm.x86.sse2.pause()",
    # Bits 15 and 6 of the control word: results, and operands, that are denormal count as zero.
    "FLUSH": "%word = alloca i32\n  %other = alloca i32\n  call void @llvm.x86.sse.stmxcsr(ptr %word)\n"
    "  %bits = load i32, ptr %word\n  %flush = or i32 %bits, 32832\n  store i32 %flush, ptr %other\n"
    "  call void @llvm.x86.sse.ldmxcsr(ptr %other)",
    "RESTORE": "call void @llvm.x86.sse.ldmxcsr(ptr %word)",
}
_ARM = {
    "PAUSE_DECLARED": "declare void @llvm.aarch64.hint(i32)\ndeclare i64 @llvm.aarch64.get.fpcr()\n"
    "declare void @llvm.aarch64.set.fpcr(i64)",
    "PAUSE": "call void @llvm.aarch64.hint(i32 1)",
    "FLUSH": "%bits = call i64 @llvm.aarch64.get.fpcr()\n  %flush = or i64 %bits, 16777216\n"
    "  call void @llvm.aarch64.set.fpcr(i64 %flush)",
    "RESTORE": "call void @llvm.aarch64.set.fpcr(i64 %bits)",
}


@functools.cache
def _code() -> tuple[engine.Library, ctypes._FuncPointer, ctypes._FuncPointer]:
    text = _TEXT
    for word, code in (_ARM if engine.target().registers == 32 and engine.target().bytes == 16 else _X86).items():
        text = text.replace(f"{word}\n", f"{code}\n")
    library = engine.compiled(text.replace("YIELDS", str(YIELDS)))
    whole, address = ctypes.c_int64, ctypes.c_void_p
    lead = ctypes.CFUNCTYPE(None, address, address, address, whole)(library.address("lead"))
    follow = ctypes.CFUNCTYPE(whole, address, whole, whole)(library.address("follow"))
    return library, lead, follow


class _Pool:
    """The threads of this process, and the desk where jobs are posted."""

    def __init__(self) -> None:
        self.taken = lock()
        """Held while a job is at the desk."""
        self.begin()

    def begin(self) -> None:
        """Begin without threads, as a forked process does."""
        self.desk = np.zeros(8, np.int64)
        self.bells: list[threading.Semaphore] = []
        self.asleep: set[int] = set()
        self.threads: list[threading.Thread] = []

    def work(self, k: int, desk: np.ndarray[tuple[int], np.dtype[np.int64]], bell: threading.Semaphore) -> None:
        """Wait awake, then asleep, again and again."""
        follow, seen = _code()[2], 0
        while not desk[7]:
            seen = follow(desk.ctypes.data, seen, SPINS)
            if desk[7]:
                return
            self.asleep.add(k)
            if desk[0] == seen:  # whoever posts later sees that it sleeps
                bell.acquire()
            self.asleep.discard(k)

    def hire(self, count: int) -> None:
        """Have so many threads, and wake those that sleep."""
        while len(self.threads) < count:
            if not self.threads:
                atexit.register(self.end)
            bell = threading.Semaphore(0)
            k = len(self.threads)
            thread = threading.Thread(target=self.work, args=(k, self.desk, bell), name="wengert tiles", daemon=True)
            self.bells.append(bell)
            self.threads.append(thread)
            thread.start()
        for k in range(count):
            if k in self.asleep:
                self.bells[k].release()

    def end(self) -> None:
        """Let all go, and wait for them."""
        self.desk[7] = 1
        for bell in self.bells:
            bell.release()
        for thread in self.threads:
            thread.join(1.0)


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.begin)


def run(address: int, argument: int, threads: int) -> None:
    """Call machine code ``void f(ptr argument, i64 worker)``, on so many threads at most, with denormals flushed to zero.

    The caller's thread is worker 0. Where another thread's job is at the desk, the caller works alone.
    """
    lead = _code()[1]
    if threads > 1 and _pool.taken.acquire(blocking=False):
        try:
            _pool.hire(threads - 1)
            lead(_pool.desk.ctypes.data, address, argument, threads - 1)
        finally:
            _pool.taken.release()
    else:
        own = np.zeros(8, np.int64)
        lead(own.ctypes.data, address, argument, 0)
