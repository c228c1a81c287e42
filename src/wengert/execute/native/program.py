"""The executor in machine code: NumPy at first, and from a fixed run on the passes over tiles as machine code."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Hashable, Sequence
from types import ModuleType
from typing import Any

from wengert.execute.behind import behind
from wengert.execute.numpy import MOST_FAILURES, NumPyProgram, Variant
from wengert.execute.protocol import Request
from wengert.execute.tiles import cut
from wengert.execute.tiles.run import Tiling
from wengert.graph.node import Node
from wengert.ground.interrupt import undivided
from wengert.ground.locks import lock
from wengert.ground.options import options
from wengert.ground.shapes import is_full
from wengert.ground.types import NumPyArray
from wengert.ops.linear import CONSTANT
from wengert.tensor.tensor import Graph

__all__ = ["NativeProgram"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")


WHOLE = 1 << 27
"""Bytes up to which a list that waits for its code is run whole: to cut it for a run or two takes longer than they do."""


class NativeProgram:
    """The part of a graph that some fetches and controls need, whose row-wise parts are machine code.

    The first `options.after` runs are NumPy's, while the code is made in the background; the next one waits for it if it must. So
    the run that moves is the same in every process, and two runs of a script give the same bits. What is not row-wise, and
    whatever has no form in machine code, is NumPy's in every run.

    Calling it with the feeds' arrays returns the fetches' arrays, which are the caller's.
    """

    def __init__(
        self, graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Sequence[Node] = (),
        numpy: NumPyProgram | None = None,
    ) -> None:  # fmt: skip
        """Take the request, and the program for it on NumPy if there is one; it is lowered when it is first run."""
        self.numpy = NumPyProgram(graph, fetches, feeds, controls) if numpy is None else numpy
        self.tilings: dict[Hashable, Tiling | None] = {}
        self.asked: set[Hashable] = set()
        self.ready: set[Hashable] = set()
        """The lists of which it is known who runs them."""
        self.left: dict[Hashable, str] = {}
        """Why lists are left to NumPy."""
        self.runs = 0
        self.reason = ""
        """Why NumPy runs it all; empty where it does not, or where it is not known yet."""
        self._latest: Hashable = None
        self._lock = lock()

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.numpy.request

    @property
    def decision(self) -> str:
        """Who runs it, and why."""
        if self.reason:
            return f"numpy: {self.reason}"
        if self.runs <= options.after:
            return f"numpy: machine code takes over after {options.after} runs"
        tiling = self.tilings.get(self._latest)
        if tiling is None:
            why = "no part of it works on many rows by themselves, or too little does"
            return f"numpy: {self.left.get(self._latest, why)}"
        if tiling.failures:
            return f"numpy: {tiling.failures[-1]}"
        left = {node.op.name: why for node, why in tiling.unfit.items()}
        whole = "".join(f"; {name} is NumPy's ({why})" for name, why in sorted(left.items()))
        passes = ", ".join(f"{p.n} rows by {p.rows}" for p in tiling.passes)
        return f"native: {passes}{whole}"

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run.

        Raises:
            InvalidArgumentError: for a placeholder that is needed and not fed, and for values that do not fit.
        """
        return self.numpy.called(self.numpy.run, arrays, True, self.tiling)

    def inside(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run within another run; what comes back may be shared."""
        return self.numpy.inside(*arrays)

    def tiling(self, key: Hashable, variant: Variant) -> Tiling | None:
        """Return how this run goes through the tiles."""
        self.runs += 1
        key = self._latest = key if key in self.numpy.variants else None
        if not self.reason:
            if self.runs > options.after:
                if key not in self.ready:  # looked at once: neither the list nor the compiler is asked again in a run
                    if _has_rows(variant):
                        undivided(self.prepared, key, variant)
                    self.ready.add(key)
                found = self.tilings.get(key)
                if found is not None and not self.reason and len(found.failures) < MOST_FAILURES:
                    return found
            elif key not in self.asked:
                self.asked.add(key)
                if _has_rows(variant):
                    _compiler()
                    behind.ask(self.prepare, key)
        waiting = not self.reason and self.runs <= options.after
        return None if waiting and _written(variant) < WHOLE else self.numpy.tiling(key, variant)

    def prepared(self, key: Hashable, variant: Variant) -> None:
        """Make the tiles and their code, where they are not there yet, or say why NumPy is to run the list."""
        engine, passes = _compiler()
        with self._lock:
            if not self.reason:
                self.reason = engine.available()
            if self.reason:
                return
            found = self.numpy.cut(key, variant, self.tilings, passes.NativeTiling)
            if isinstance(found, passes.NativeTiling) and found.left():
                self.tilings[key], self.left[key] = None, found.left()
            elif isinstance(found, passes.NativeTiling):
                try:
                    found.compile()
                except Exception as error:  # of the compiler: NumPy can run the list
                    self.reason = f"it could not be compiled: {error}"
                    log.warning("A list is not run as machine code: %s", error)

    def prepare(self, key: Hashable) -> None:
        """Make the code, in the background."""
        variant = self.numpy.variants.get(key)
        if variant is not None:
            self.prepared(key, variant)


_importing = lock()
"""Held while the compiler is imported, and by forks: a child would wait for ever for what another thread was importing."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_importing.acquire, after_in_parent=_importing.release, after_in_child=_importing.release)


def _compiler() -> tuple[ModuleType, ModuleType]:
    """Return the modules that compile, which are imported when they are first needed."""
    with _importing:
        from wengert.execute.native import engine, passes

        return engine, passes


def _written(variant: Variant) -> float:
    """Return how many bytes the steps of a list write, if that is known."""
    outputs = [t for step in variant.plan.steps for t in step.node.outputs]
    known = all(is_full(t.sizes) for t in outputs)
    return sum(math.prod(t.sizes) * t.nptype.itemsize for t in outputs) if known else math.inf


def _has_rows(variant: Variant) -> bool:
    """Whether a feed or a constant may have rows enough for tiles."""
    shapes = [sizes for sizes, _ in variant.feeds if is_full(sizes)]
    shapes += [t.sizes for step in variant.plan.steps if step.node.op is CONSTANT for t in step.node.outputs if is_full(t.sizes)]
    return any(s >= cut.LEAST_ROWS for sizes in shapes for s in sizes)
