"""Threads run a pass together: every tile once, whatever else the process is at."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from wengert.execute.native import engine, pool
from wengert.execute.native.target import ATTRIBUTES

UNAVAILABLE = engine.available()
pytestmark = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)
HERE = Path(__file__)

# Words of the argument: the counter of tiles, how many there are, turns in each; from SUM on the sum of the tiles' numbers, from
# PRODUCTS on, for each worker, a number too small to be normal times two, and from DONE on, for each worker, its tiles.
SUM, TINY, PRODUCTS, DONE, SIZE = 8, 9, 16, 32, 48
TEXT = f"""
define void @f(ptr %a, i64 %worker) #0 {{
  %tiles = getelementptr i64, ptr %a, i64 1
  %n = load i64, ptr %tiles
  %turnses = getelementptr i64, ptr %a, i64 2
  %turns = load i64, ptr %turnses
  %sum = getelementptr i64, ptr %a, i64 {SUM}
  %products = getelementptr i64, ptr %a, i64 {PRODUCTS}
  %product = getelementptr i64, ptr %products, i64 %worker
  %dones = getelementptr i64, ptr %a, i64 {DONE}
  %done = getelementptr i64, ptr %dones, i64 %worker
  %tinies = getelementptr i64, ptr %a, i64 {TINY}
  %tiny = load double, ptr %tinies
  %twice = fadd double %tiny, %tiny
  store double %twice, ptr %product
  br label %next
next:
  %tile = atomicrmw add ptr %a, i64 1 monotonic
  %there = icmp slt i64 %tile, %n
  br i1 %there, label %loop, label %end
loop:
  %i = phi i64 [ 0, %next ], [ %more, %loop ]
  %x = phi double [ 1.0, %next ], [ %y, %loop ]
  %y = fdiv double %x, 1.5
  %more = add i64 %i, 1
  %on = icmp slt i64 %more, %turns
  br i1 %on, label %loop, label %add
add:
  %zero = fptosi double %y to i64
  %number = add i64 %tile, %zero
  atomicrmw add ptr %sum, i64 %number monotonic
  %before = load i64, ptr %done
  %after = add i64 %before, 1
  store i64 %after, ptr %done
  br label %next
end:
  ret void
}}
attributes #0 = {{ {ATTRIBUTES} }}
"""
SMALL = 1e-310


class Pass:
    def __init__(self) -> None:
        self.library = engine.compiled(TEXT, ["f"])
        self.words = np.zeros(SIZE, np.int64)

    def __call__(self, tiles: int, turns: int, threads: int) -> int:
        """Return how many tiles others than the caller did."""
        self.words[:] = 0
        self.words[1:3] = tiles, turns
        self.words.view(np.float64)[[TINY, *range(PRODUCTS, DONE)]] = SMALL
        pool.run(self.library.address("f"), self.words.ctypes.data, threads)
        done = self.words[DONE:]
        assert self.words[SUM] == tiles * (tiles - 1) // 2
        assert done.sum() == tiles
        assert not done[threads:].any()
        return int(done[1:].sum())

    def helped(self, threads: int = 2) -> None:
        """Return when a worker has taken part."""
        for _ in range(2000):
            if self(100, 2000, threads):
                return
        pytest.fail("no worker took part")


@pytest.fixture(scope="module")
def work() -> Pass:
    return Pass()


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_every_tile_is_done_once(work, threads):
    for tiles, turns in [(0, 1), (1, 1), (3, 1), (1000, 1), (50, 500)] * 20:
        work(tiles, turns, threads)


def test_workers_take_part(work):
    work.helped()
    work.helped(4)


def test_jobs_that_follow_at_once_are_all_done(work):
    for _ in range(5000):
        work(2, 1, 2)


def test_many_threads_run_passes_at_once():
    failed = []

    def go():
        try:
            own = Pass()
            for i in range(300):
                own(i % 40, 100, 1 + i % 4)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed


def test_numbers_that_are_not_normal_are_zero_inside_and_not_after(work):
    work.helped()
    products = work.words.view(np.float64)[PRODUCTS:DONE]
    assert products[0] == products[1] == 0.0
    assert products[2] == SMALL
    assert float(np.add(SMALL, SMALL)) == 2 * SMALL > 0.0
    # A worker is not a thread of Python's in which it could be seen; a pass alone is.
    work(3, 1, 1)
    assert products[0] == 0.0
    assert float(np.add(SMALL, SMALL)) > 0.0


def test_workers_sleep_and_wake(work):
    work.helped()
    workers, wait = pool._pool.workers, threading.Event()
    for _ in range(2000):
        if len(pool._pool.sleepers) == len(workers):
            break
        wait.wait(0.005)
    assert len(pool._pool.sleepers) == len(workers) > 0
    work.helped()


def test_where_the_system_gives_no_threads_the_caller_is_alone(work, monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(pool, "_pool", pool.Pool())
    monkeypatch.setattr(threading.Thread, "start", refused)
    assert work(100, 100, 2) == 0


def run(program: str) -> str:
    source = f"""
import os, signal, sys, threading, time
sys.path.insert(0, {str(HERE.parent)!r})
from test_pool import Pass, SUM, pool
import numpy as np
work = Pass()
{textwrap.dedent(program)}
"""
    done = subprocess.run([sys.executable, "-Wignore", "-c", source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


forks = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


@forks
def test_a_child_has_workers_of_its_own():
    said = run(
        """
        work.helped()
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                assert not pool._pool.workers
                work.helped()
                sys.exit(7)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            work.helped()
        """
    )
    assert said == "7\n" * 3


@forks
def test_a_fork_while_a_pass_runs_in_another_thread():
    said = run(
        """
        own, end, failed = Pass(), threading.Event(), []

        def busy():
            try:
                while not end.is_set():
                    own(200, 500, 3)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=busy)
        thread.start()
        codes = set()
        for i in range(20):
            pid = os.fork()
            if pid == 0:
                work(50, 100, 3)
                work.helped()
                os._exit(7)
            codes.add(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        end.set()
        thread.join()
        print(codes, failed)
        """
    )
    assert said == "{7} []\n"


@pytest.mark.parametrize(
    "ending",
    ["", "time.sleep(0.05)", "threading.Thread(target=forever, daemon=True).start(); time.sleep(0.05)", "atexit.register(late)"],
)
def test_the_interpreter_ends_whatever_the_workers_are_at(ending):
    said = run(
        f"""
        import atexit

        def forever():
            own = Pass()
            while True:
                own(100, 1000, 2)

        def late():
            print(work(50, 10, 2) >= 0)

        if {"late" in ending}:
            atexit.register(late)  # called last: without workers
        work.helped()
        {ending}
        """
    )
    assert said == ("True\n" * 2 if "late" in ending else "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_ctrl_c_is_answered_when_the_pass_has_ended():
    said = run(
        """
        work.helped()
        begun = []

        def press():
            begun.append(1)
            while work.words[0] < 20:
                pass
            os.kill(os.getpid(), signal.SIGINT)

        for _ in range(5):
            work.words[0] = 0
            thread = threading.Thread(target=press)
            try:
                thread.start()
                work(4000, 5000, 2)
                thread.join()
                time.sleep(5)
            except KeyboardInterrupt:
                print(int(work.words[SUM]) == 4000 * 3999 // 2)
            thread.join()
            work(10, 10, 2)
        """
    )
    assert said == "True\n" * 5


def test_two_processes_share_the_cores():
    program = f"import sys; sys.path.insert(0, {str(HERE.parent)!r}); from test_pool import Pass; work = Pass()"
    program += "\nfor i in range(3000): work(20, 500, 2)\nprint('done')"
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate(timeout=60)[0] for one in both] == ["done\n"] * 2
