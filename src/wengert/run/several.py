"""`wengert run` as one of several processes that run one script."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wengert.execute import processes
from wengert.ground.entropy import alike, fresh

__all__ = ["begin"]

Seed = int | Sequence[int] | np.random.SeedSequence | None
"""What random numbers begin with."""


def begin() -> None:
    """Wait for the others; from then on what NumPy and Python draw without a seed is the same in all."""
    processes.join()
    if processes.count() == 1:
        return
    alike()
    before = np.random.default_rng

    def default_rng(seed: Seed | np.random.BitGenerator | np.random.Generator = None) -> np.random.Generator:
        return before(fresh() if seed is None else seed)

    vars(np.random)["default_rng"] = default_rng
