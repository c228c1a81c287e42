"""Where random numbers come from that no seed decides: the system, or what processes that run one script have agreed on."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import numpy as np

__all__ = ["fresh", "own", "share"]

_shared: list[Iterator[list[int]]] = []


def fresh() -> int:
    """Return 128 bits that nobody has seen, the same in all processes that have agreed: each time others."""
    if not _shared:
        return int.from_bytes(os.urandom(16), "little")
    words = np.random.SeedSequence(next(_shared[0])).generate_state(4, np.uint32)
    return int.from_bytes(words.tobytes(), "little")


def own() -> None:
    """Have all that is fresh from now on be this process's own."""
    _shared.clear()


def share(root: int) -> None:
    """Have all that is fresh from now on follow from a number of 128 bits."""
    _shared[:] = [([root, number] for number in itertools.count())]
