"""Threads that run a pass together: each takes tiles from it until none is left.

A worker spins for a millisecond after its last job, so that the next costs a microsecond, and then sleeps. The caller works too,
and when it has run out of tiles it waits for those who have begun, never for one that is still to wake up. All that must not be
torn apart by a signal is one call of machine code, during which Python's lock is free.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from wengert.execute.native import engine
from wengert.ground.locks import lock

__all__ = ["ready", "run"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

SPIN = 1e-3
"""Seconds that a worker without a job spins."""
HASTE = 5e-5
"""Seconds that a caller spins for workers at their last tile, before it leaves its core to them."""
NAP = 50
"""Microseconds for which it leaves it, again and again; on Windows, for as long as others want it."""
OFTEN = 255
"""After how many turns a worker that spins offers its core to others, less one: a power of two, less one."""
PATIENCE = 10.0
"""Seconds that the end of the interpreter waits for a worker."""

# The block that the threads share, in words of 8 bytes; what different threads write stands on lines of its own.
WORDS = {"OWNER": 0, "WORD": 16, "FUNCTION": 32, "ARGUMENT": 33, "STOP": 48, "HASTY": 49, "NAP": 50, "YIELD": 51}
SIZE = 64

# The word counts, in its lower half, the places that are open for workers, and in its upper half those who are at work. A worker
# takes a place by one exchange of the word; from then on the function and its argument are those of one job, until it leaves.
# Whoever finds a place takes it, so no job is missed, and a worker that takes a second one finds no tiles left.
TEXT = """
define internal void @call(ptr %f, ptr %argument, i64 %worker) noinline nounwind {{
{enter}
  call void %f(ptr %argument, i64 %worker)
{leave}
  ret void
}}

define void @rest(i64 %turns) nounwind {{
  br label %loop
loop:
  %left = phi i64 [ %turns, %0 ], [ %less, %loop ]
  {pause}
  %less = sub i64 %left, 1
  %on = icmp sgt i64 %less, 0
  br i1 %on, label %loop, label %done
done:
  ret void
}}

define void @work(ptr %block, i64 %turns) nounwind {{
  %word = getelementptr i64, ptr %block, i64 {WORD}
  %functions = getelementptr i64, ptr %block, i64 {FUNCTION}
  %arguments = getelementptr i64, ptr %block, i64 {ARGUMENT}
  %stops = getelementptr i64, ptr %block, i64 {STOP}
  %yielders = getelementptr i64, ptr %block, i64 {YIELD}
  %yielder = load ptr, ptr %yielders, align 8
  br label %look
look:
  %left = phi i64 [ %turns, %0 ], [ %less, %wait ], [ %less, %yield ], [ %left, %join ], [ %turns, %job ]
  %state = load atomic i64, ptr %word monotonic, align 8
  %places = and i64 %state, 4294967295
  %open = icmp ne i64 %places, 0
  br i1 %open, label %join, label %idle
join:
  %joined = add i64 %state, 4294967295
  %pair = cmpxchg ptr %word, i64 %state, i64 %joined acq_rel monotonic
  %taken = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %taken, label %job, label %look
job:
  %f = load ptr, ptr %functions, align 8
  %argument = load ptr, ptr %arguments, align 8
  call void @call(ptr %f, ptr %argument, i64 %places)
  %before = atomicrmw sub ptr %word, i64 4294967296 release
  br label %look
idle:
  %stop = load atomic i64, ptr %stops monotonic, align 8
  %less = sub i64 %left, 1
  %tired = icmp sle i64 %less, 0
  %stopped = icmp ne i64 %stop, 0
  %end = or i1 %tired, %stopped
  br i1 %end, label %done, label %wait
wait:
  {pause}
  %some = and i64 %less, {often}
  %now = icmp eq i64 %some, 0
  br i1 %now, label %yield, label %look
yield:
  call void %yielder()
  br label %look
done:
  ret void
}}

define void @run(ptr %block, ptr %f, ptr %argument, i64 %workers) nounwind {{
  %owner = getelementptr i64, ptr %block, i64 {OWNER}
  %word = getelementptr i64, ptr %block, i64 {WORD}
  %functions = getelementptr i64, ptr %block, i64 {FUNCTION}
  %arguments = getelementptr i64, ptr %block, i64 {ARGUMENT}
  %hasties = getelementptr i64, ptr %block, i64 {HASTY}
  %nappers = getelementptr i64, ptr %block, i64 {NAP}
  %many = icmp sgt i64 %workers, 0
  br i1 %many, label %claim, label %alone
claim:
  %pair = cmpxchg ptr %owner, i64 0, i64 1 acquire monotonic
  %claimed = extractvalue {{ i64, i1 }} %pair, 1
  br i1 %claimed, label %post, label %alone
alone:
  call void @call(ptr %f, ptr %argument, i64 0)
  ret void
post:
  store ptr %f, ptr %functions, align 8
  store ptr %argument, ptr %arguments, align 8
  store atomic i64 %workers, ptr %word release, align 8
  call void @call(ptr %f, ptr %argument, i64 0)
  %ended = atomicrmw and ptr %word, i64 -4294967296 acq_rel
  %hasty = load i64, ptr %hasties, align 8
  %napper = load ptr, ptr %nappers, align 8
  br label %look
look:
  %left = phi i64 [ %hasty, %post ], [ %less, %spin ], [ 0, %nap ]
  %now = load atomic i64, ptr %word acquire, align 8
  %none = icmp eq i64 %now, 0
  br i1 %none, label %done, label %wait
wait:
  %tired = icmp sle i64 %left, 0
  br i1 %tired, label %nap, label %spin
spin:
  {pause}
  %less = sub i64 %left, 1
  br label %look
nap:
  call void %napper(i32 {nap})
  br label %look
done:
  store atomic i64 0, ptr %owner release, align 8
  ret void
}}
"""

# Numbers too small to be normal are taken for zero, by bits of the register that governs floating point (x86: FTZ and DAZ;
# ARM: FZ): the processor takes hundreds of cycles for each. The caller's own setting is back when it returns.
X86 = {
    "enter": """  %was = alloca i32
  %is = alloca i32
  call void @llvm.x86.sse.stmxcsr(ptr %was)
  %bits = load i32, ptr %was
  %flushing = or i32 %bits, 32832
  store i32 %flushing, ptr %is
  call void @llvm.x86.sse.ldmxcsr(ptr %is)""",
    "leave": "  call void @llvm.x86.sse.ldmxcsr(ptr %was)",
    "pause": "call void @llvm.x86.sse2.pause()",
}
ARM = {
    "enter": """  %was = call i64 @llvm.aarch64.get.fpcr()
  %flushing = or i64 %was, 16777216
  call void @llvm.aarch64.set.fpcr(i64 %flushing)""",
    "leave": "  call void @llvm.aarch64.set.fpcr(i64 %was)",
    "pause": "call void @llvm.aarch64.isb(i32 15)",
}
DECLARED = """
declare void @llvm.x86.sse.stmxcsr(ptr)
declare void @llvm.x86.sse.ldmxcsr(ptr)
declare void @llvm.x86.sse2.pause()
""", """
declare i64 @llvm.aarch64.get.fpcr()
declare void @llvm.aarch64.set.fpcr(i64)
declare void @llvm.aarch64.isb(i32)
"""  # fmt: skip


class Native(NamedTuple):
    """The functions above, for Python."""

    library: engine.Library
    run: Callable[[int, int, int, int], None]
    work: Callable[[int, int], None]
    turns: float
    """How many times a second a thread that spins looks for a job."""
    system: dict[str, int]
    """Where the system's functions are."""


@functools.cache
def _native() -> Native:
    arm = engine.is_arm()
    if sys.platform == "win32":
        kernel = ctypes.CDLL("kernel32")
        nap, system = 0, {"NAP": kernel.Sleep, "YIELD": kernel.SwitchToThread}
    else:
        libc = ctypes.CDLL(None)
        nap, system = NAP, {"NAP": libc.usleep, "YIELD": libc.sched_yield}
    text = TEXT.format(**(ARM if arm else X86), **WORDS, often=OFTEN, nap=nap) + DECLARED[arm]
    library = engine.compiled(text, ["rest", "run", "work"])
    word, address = ctypes.c_int64, ctypes.c_void_p
    rest = ctypes.CFUNCTYPE(None, word)(library.address("rest"))
    took = []
    for _ in range(5):
        start = time.perf_counter()
        rest(1000)
        took.append(time.perf_counter() - start)
    return Native(
        library,
        ctypes.CFUNCTYPE(None, address, address, address, word)(library.address("run")),
        ctypes.CFUNCTYPE(None, address, word)(library.address("work")),
        1000 / min(took),
        {name: ctypes.cast(called, address).value or 0 for name, called in system.items()},
    )


class Pool:
    """The workers of a process."""

    def __init__(self) -> None:
        """Begin without any."""
        self.guarded = False
        self.begin()

    def begin(self) -> None:
        """Begin without workers, as a forked process does, whatever those of its parent were at."""
        self.lock = lock()
        self.workers: list[threading.Thread] = []
        self.sleepers: deque[threading.Lock] = deque()
        self.most = sys.maxsize
        """How many workers the system allows, as far as is known."""
        self.ended = False
        self.memory = (ctypes.c_int64 * (SIZE + 16))()
        start = ctypes.addressof(self.memory)
        self.block = start + -start % 128
        self.first = (self.block - start) // 8
        self.native: Native | None = None

    def start(self) -> Native:
        """Compile what the workers run."""
        native = _native()
        for name, value in {**native.system, "HASTY": int(HASTE * native.turns)}.items():
            self.memory[self.first + WORDS[name]] = value
        self.native = native
        return native

    def gather(self, count: int) -> None:
        """Have as many workers awake."""
        count = min(count, self.most)
        if len(self.workers) < count and not self.ended:
            self.grow(count)
        while len(self.sleepers) > max(len(self.workers) - count, 0):
            try:
                self.sleepers.pop().release()
            except IndexError:  # another thread has woken the last one
                break

    def grow(self, count: int) -> None:
        """Have as many workers, or as many as the system allows."""
        with self.lock:
            if not self.guarded:
                self.guarded = True
                atexit.register(self.end)
            while len(self.workers) < count and not self.ended:
                worker = threading.Thread(target=self.work, name="wengert works", daemon=True)
                try:
                    worker.start()
                except RuntimeError as error:  # the system has no more threads, or the interpreter ends
                    log.debug("passes run on %s threads: %s", len(self.workers) + 1, error)
                    self.most = len(self.workers)
                    return
                self.workers.append(worker)

    def work(self) -> None:
        """Work, as a thread of its own."""
        native = self.native or self.start()
        wake = threading.Lock()
        wake.acquire()
        while True:
            native.work(self.block, int(SPIN * native.turns))
            self.sleepers.append(wake)
            if self.ended:  # looked at after the line above: who ends wakes those who are in it
                return
            wake.acquire()

    def end(self) -> None:
        """Let the workers finish what they are at: the interpreter must not go away beneath them."""
        self.ended = True
        self.memory[self.first + WORDS["STOP"]] = 1
        while self.sleepers:
            self.sleepers.pop().release()
        for worker in self.workers:
            worker.join(PATIENCE)


_pool = Pool()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.begin)


def ready(threads: int) -> None:
    """Have the workers awake for a call that is about to come: one that sleeps needs a while."""
    if threads > 1 and _pool.native is not None:
        _pool.gather(threads - 1)


def run(address: int, argument: int, threads: int) -> None:
    """Call ``void f(ptr argument, i64 worker)`` as worker 0, and meanwhile as workers 1 to threads - 1 on other threads.

    Each call takes work from a shared counter until none is left, so that one which comes late returns at once; some of the
    workers may not come at all. A number stands for one call at a time. Numbers too small to be normal are zero in it. Another
    thread's call at the same time is worker 0 alone. Ctrl-C is answered when all calls have returned.
    """
    pool = _pool
    native = pool.native or pool.start()
    if threads > 1:
        pool.gather(threads - 1)
    native.run(pool.block, address, argument, threads - 1)
