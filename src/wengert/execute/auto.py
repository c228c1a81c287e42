"""The executor that finds out which of the others is faster.

It starts on NumPy at once, and machine code takes over what works on many rows. For each signature (the shapes of the feeds)
whose runs take long enough, a background thread compiles the list for XLA; then some of the user's own runs are timed on XLA and
without it, and the faster stays. No run is made for the timing alone, so nothing acts on the world twice.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.execute.behind import behind
from wengert.execute.native.program import NativeProgram
from wengert.execute.protocol import Request
from wengert.execute.resident import on_host
from wengert.execute.variables import variables_of
from wengert.execute.xla.arrays import Unsupported, brief
from wengert.execute.xla.forked import is_lost
from wengert.execute.xla.program import XlaProgram
from wengert.execute.xla.values import Key, signature
from wengert.graph.node import Node
from wengert.ground.context import state
from wengert.ground.errors import OpError
from wengert.ground.interrupt import undivided
from wengert.ground.locks import lock
from wengert.ground.types import Array, NumPyArray
from wengert.tensor.tensor import Graph

__all__ = ["AutoProgram"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SHORT = 200e-6
"""Seconds under which a run on NumPy is not worth a compilation."""
LONG = 5e-3
"""Seconds from which one run tells enough to start compiling."""
LOOKS = 3
"""How many runs on NumPy tell that they are short."""
BLOCKS = ("xla", "numpy", "xla", "numpy")
"""Who runs in the comparison, `RUNS` runs each; the first of a block, which moves variables to and fro, is not counted."""
RUNS = 3
GAIN = 0.9
"""XLA is taken where its median is below this part of NumPy's."""
SIGNATURES = 8
"""How many signatures of one list are compiled."""


class Contest:
    """The comparison for one signature."""

    __slots__ = ("decision", "phase", "taken", "times", "winner")

    def __init__(self) -> None:
        """Start on NumPy."""
        self.phase = "looking"
        """looking: at NumPy alone; compiling; racing; done."""
        self.winner = "numpy"
        self.taken = 0
        """How many runs of the race have been given out."""
        self.times: dict[str, list[float]] = {"numpy": [], "xla": []}
        self.decision = "numpy: XLA has not been tried yet"

    def settle(self, winner: str, reason: str) -> None:
        """Decide."""
        self.winner, self.phase, self.decision = winner, "done", f"{winner}: {reason}"
        self.times.clear()


class AutoProgram:
    """The part of a graph that some fetches and controls need, on NumPy or on XLA, whichever is found faster.

    Calling it with the feeds' arrays returns the fetches' arrays, which are the caller's.
    """

    def __init__(self, graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = ()) -> None:
        """Lower and plan."""
        self.plain = NativeProgram(graph, fetches, feeds, controls)
        """What runs without XLA: NumPy, and machine code once it is there."""
        self.numpy = self.plain.numpy
        self.decisions: dict[Key, Contest] = {}
        """The comparisons by signature."""
        self._variables = variables_of(self.numpy.request)[0]
        self._xla: XlaProgram | None = None
        self._refused = ""
        self._latest: Contest | None = None
        self._lock = lock()

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.numpy.request

    @property
    def decision(self) -> str:
        """What was decided for the signature of the latest run, and why."""
        latest = self._latest
        if is_lost():
            return "numpy: this process was forked after XLA had started"
        found = "numpy: it has not run yet" if latest is None else latest.decision
        who, _, why = found.partition(":")
        return f"native:{why}" if who == "numpy" and self.plain.decision.startswith("native") else found

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run."""
        return undivided(self.run, arrays)  # type: ignore[no-any-return]

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run; what comes back may be shared."""
        return undivided(self.run, arrays, False)  # type: ignore[no-any-return]

    def resident(self, values: Sequence[Array]) -> list[Array]:
        """Run with tensors' values, here or where a device has them; what comes back may be there too."""
        return undivided(self.run, values, True, True)  # type: ignore[no-any-return]

    def run(self, arrays: Sequence[Any], copy: bool = True, there: bool = False) -> list[Any]:
        """Run where it is this run's turn. ``there``: with tensors' values, and XLA's results stay where the device has them."""
        if state.numerics is not None or is_lost():
            return self._on_numpy(arrays, copy)
        arrays = [a if there or isinstance(a, np.ndarray) else np.asarray(a) for a in arrays]
        key = signature(arrays, [v.storage for v in self._variables] if self._variables else ())
        contest = self.decisions.get(key)
        if contest is None:
            with self._lock:
                contest = self.decisions.setdefault(key, Contest())
                if len(self.decisions) > SIGNATURES and contest.phase == "looking":
                    contest.settle("numpy", f"it has been called with more than {SIGNATURES} signatures")
        self._latest = contest
        if contest.phase == "done":
            if contest.winner == "numpy":
                return self._on_numpy(arrays, copy)
            return self._on_xla(contest, arrays, copy, there)[0]
        if contest.phase != "racing":
            begin = time.perf_counter()
            found = self._on_numpy(arrays, copy)
            self._look(contest, key, time.perf_counter() - begin)
            return found
        return self._race(contest, arrays, copy, there)

    def _on_numpy(self, arrays: Sequence[Array], copy: bool) -> list[NumPyArray]:
        return on_host(self.plain, arrays, copy)

    def _on_xla(self, contest: Contest, arrays: Sequence[Any], copy: bool, there: bool) -> tuple[list[Any], bool]:
        """Run on XLA, and on NumPy if that fails, which has had no effect then; return whether XLA did it."""
        assert self._xla is not None
        try:
            return self._xla.run(arrays, copy, there), True
        except OpError as error:
            if not isinstance(error, Unsupported):
                raise
            contest.settle("numpy", error.message)
        except Exception as error:
            contest.settle("numpy", f"XLA failed: {brief(error)}")
        return self._on_numpy(arrays, copy), False

    def _look(self, contest: Contest, key: Key, seconds: float) -> None:
        """Count a run on NumPy, and ask for a compilation where that is worth it."""
        with self._lock:
            if contest.phase != "looking":
                return
            times = contest.times["numpy"]
            times.append(seconds)
            least = min(times)
            if least < SHORT:
                if len(times) >= LOOKS:
                    contest.settle("numpy", f"{_shown(least)}, not worth a compilation")
                return
            if least < LONG and len(times) < 2:
                return
            contest.phase, contest.decision = "compiling", "numpy: XLA is being compiled"
            times.clear()
        behind.ask(self.compile, contest, key)

    def _race(self, contest: Contest, arrays: Sequence[Any], copy: bool, there: bool) -> list[Any]:
        with self._lock:
            turn = contest.taken
            contest.taken += 1
        if turn >= RUNS * len(BLOCKS) + RUNS:  # the last turn failed, or has been another thread's for long
            with self._lock:
                if contest.phase == "racing":
                    self._judge(contest)
        if turn >= RUNS * len(BLOCKS):
            return self._on_numpy(arrays, copy)
        who = BLOCKS[turn // RUNS]
        begin = time.perf_counter()
        if who == "xla":
            found, done = self._on_xla(contest, arrays, copy, there)
            if not done:
                return found
        else:
            found = self._on_numpy(arrays, copy)
        seconds = time.perf_counter() - begin
        with self._lock:
            if contest.phase == "racing":
                if turn % RUNS:
                    contest.times[who].append(seconds)
                if turn == RUNS * len(BLOCKS) - 1:
                    self._judge(contest)
        return found

    def _judge(self, contest: Contest) -> None:
        if not contest.times["xla"] or not contest.times["numpy"]:
            contest.settle("numpy", "the runs of the comparison failed")
            return
        xla, numpy = (statistics.median(contest.times[w]) for w in ("xla", "numpy"))
        runs = len(contest.times["xla"])
        if xla < GAIN * numpy:
            contest.settle("xla", f"{_shown(xla)} against {_shown(numpy)} over {runs} runs")
        else:
            contest.settle("numpy", f"{_shown(numpy)} against {_shown(xla)} of XLA over {runs} runs")

    def compile(self, contest: Contest, key: Key) -> None:
        """Compile for XLA, in the background; what stands in the way becomes the decision."""
        if self._refused:
            contest.settle("numpy", self._refused)
            return
        try:
            if self._xla is None:
                self._xla = XlaProgram(*self.numpy.request, self.numpy)
                behind.guard()
            self._xla.compile(key)
        except ImportError as error:
            self._refused = str(error)
            contest.settle("numpy", self._refused)
        except Unsupported as error:
            contest.settle("numpy", error.message)
        except BaseException as error:
            contest.settle("numpy", f"XLA cannot compile it: {brief(error)}")
        else:
            with self._lock:
                contest.phase, contest.decision = "racing", "numpy and xla in turn: they are being compared"


def _shown(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1.0 else f"{seconds:.3g} s"
