"""The executor over XLA as users have it: what XLA cannot run, NumPy does."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from wengert.execute.xla.arrays import Unsupported
from wengert.execute.xla.program import XlaProgram
from wengert.ground.types import NumPyArray

__all__ = ["Falling"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

_told: set[str] = set()


class Falling(XlaProgram):
    """A program for XLA that runs on NumPy where XLA cannot; the reason is logged once."""

    def run(self, arrays: Sequence[NumPyArray], copy: bool = True) -> list[NumPyArray]:
        """Run on XLA, or on NumPy."""
        try:
            return super().run(arrays, copy)
        except Unsupported as error:
            if error.message not in _told:
                _told.add(error.message)
                log.warning("%s; NumPy runs it", error.message)
        return self.numpy(*arrays) if copy else self.numpy.inside(*arrays)
