"""Running a list with and without the rewrites, to find a rewrite that changes what it computes."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np

from wengert.derive.lowered import needed
from wengert.execute.numpy import NumPyProgram
from wengert.execute.protocol import Program, Wrapped
from wengert.graph.node import Node
from wengert.ground.errors import InternalError, InvalidArgumentError
from wengert.ground.options import Options, options
from wengert.ground.types import NumPyArray
from wengert.ops.control import bodies
from wengert.ops.state import HANDLE, READ, SNAPSHOT

__all__ = ["Compared"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

TOLERANCE = {2: 5e-2, 4: 2e-3, 8: 1e-8}
"""How far the results may lie apart, relative to the greatest value of an array, by the size of its numbers in bytes."""


class Compared(Wrapped):
    """A program, and the same without rewrites, whose results must agree."""

    def __init__(self, inner: Program) -> None:
        """Take the program; a list that acts on the world is run once and not compared, which is logged."""
        super().__init__(inner)
        graph, fetches, feeds, controls = inner.request
        acts = [n for n in _with_bodies(needed(fetches, controls)) if n.op.stateful and n.op not in (HANDLE, READ, SNAPSHOT)]
        self.plain = None if acts else NumPyProgram(graph, fetches, feeds, controls)
        if acts:
            where = acts[0].where
            log.warning("A list is not compared with its plain form: it acts on the world by %s (%s).", acts[0].name, where)

    def __call__(self, *arrays: NumPyArray) -> list[NumPyArray]:
        """Run both.

        Raises:
            InternalError: where a result differs by more than rounding explains.
        """
        found = self.inner(*arrays)
        if self.plain is None:
            return found
        try:
            with options.set(compare=False, **dict.fromkeys(Options.REWRITES, False)):
                expected = self.plain(*arrays)
        except InvalidArgumentError as error:
            # The plain list may need a feed that the rewritten one, which leaves out what it does not read, does not.
            log.warning("A list is not compared with its plain form, which cannot run: %s", error)
            return found
        for t, a, b in zip(self.request.fetches, found, expected, strict=True):
            difference = _apart(a, b)
            if difference is not None:
                raise InternalError(
                    t.node, t.node,
                    f"{t.name} (made at {t.node.where}) differs by {difference:.3g}, relative to its greatest value, from the "
                    "plain list. This is a defect of a rewrite: please report it; wengert.config.set_rewrites(taylor=False) "
                    "switches the rewrites off.",
                )  # fmt: skip
        return found


def _with_bodies(nodes: Iterable[Node]) -> list[Node]:
    """Return operations, and after them those of the bodies of choices and loops."""
    found = list(nodes)
    for node in found:  # which grows meanwhile
        for body, _ in bodies(node, node.inputs):
            found += body.graph.nodes
    return found


def _apart(a: NumPyArray, b: NumPyArray) -> float | None:
    """Return by how much two results differ if that is too much: relative to the greatest finite value; inf for NaN in one."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return float("inf")
    if a.dtype.kind not in "fc":
        return None if a.dtype.kind == "O" or bool(np.array_equal(a, b)) else float("inf")
    there = np.isfinite(a) & np.isfinite(b)
    if not bool((np.isfinite(a) == np.isfinite(b)).all()):
        return float("inf")
    if not there.any():
        return None
    scale = float(np.abs(b[there]).max())
    difference = float(np.abs(a[there] - b[there]).max()) / (scale or 1.0)
    bits = a.dtype.itemsize // (2 if a.dtype.kind == "c" else 1)
    return difference if difference > TOLERANCE.get(bits, 1e-8) else None
