"""The executor over XLA as users have it: what XLA cannot run, NumPy and machine code do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from wengert.execute.native.program import NativeProgram
from wengert.execute.resident import on_host
from wengert.execute.xla.arrays import Unsupported
from wengert.execute.xla.program import XlaProgram

__all__ = ["Falling"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

log = logging.getLogger("wengert")

_told: set[str] = set()


class Falling(XlaProgram):
    """A program for XLA that runs as under "native" where XLA cannot run it; the reason is logged once."""

    plain: NativeProgram | None = None
    """What runs it then."""

    def run(self, arrays: Sequence[Any], copy: bool = True, there: bool = False) -> list[Any]:
        """Run on XLA, or on NumPy and as machine code."""
        try:
            return super().run(arrays, copy, there)
        except Unsupported as error:
            if self.own_rows:  # NumPy would see the rows of this process alone
                raise
            if error.message not in _told:
                _told.add(error.message)
                log.warning("%s; NumPy runs it", error.message)
        if self.plain is None:
            asked = self.request
            self.plain = NativeProgram(asked.graph, asked.fetches, asked.feeds, asked.controls, self.numpy)
        return on_host(self.plain, arrays, copy)
