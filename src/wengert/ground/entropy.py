"""Where random numbers come from that no seed decides: the system, or what processes that run one script have agreed on."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator

import numpy as np

__all__ = ["alike", "fresh", "own", "share"]

_shared: list[Iterator[list[int]]] = []
_begun: list[tuple[str, str]] = []
"""Where Python's and NumPy's generators were when `alike` had set them."""


def fresh() -> int:
    """Return 128 bits that nobody has seen, the same in all processes that have agreed: each time others."""
    if not _shared:
        return int.from_bytes(os.urandom(16), "little")
    words = np.random.SeedSequence(next(_shared[0])).generate_state(4, np.uint32)
    return int.from_bytes(words.tobytes(), "little")


def alike() -> None:
    """Have Python's and NumPy's generators begin with what is fresh: alike in all processes that have agreed."""
    random.seed(fresh())
    np.random.seed(fresh() % 2**32)
    _begun[:] = [_states()]


def own() -> None:
    """Have all that is fresh from now on be this process's own, and the generators too that nobody has seeded or asked since."""
    _shared.clear()
    if not _begun:
        return
    now, begun = _states(), _begun.pop()
    if now[0] == begun[0]:
        random.seed()
    if now[1] == begun[1]:
        np.random.seed()


def _states() -> tuple[str, str]:
    state = np.random.get_state(legacy=False)["state"]
    return repr(random.getstate()), repr((state["key"].tobytes(), state["pos"]))


def share(root: int) -> None:
    """Have all that is fresh from now on follow from a number of 128 bits."""
    _shared[:] = [([root, number] for number in itertools.count())]
