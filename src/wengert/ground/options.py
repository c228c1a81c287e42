"""What may be switched: the rewrites, the executor. `wengert.config` is what users call."""

from __future__ import annotations

import os
from typing import Any

from wengert.ground.blocks import changed

__all__ = ["EXECUTORS", "Options", "options"]

EXECUTORS = ("native", "numpy", "xla", "auto")


class Options:
    """The switches of the process, as attributes. What is compiled is kept by `key`, so a change takes effect at once."""

    KEY = ("adjoint", "batch", "collapse", "compare", "executor", "simplify", "taylor", "threads", "tiles")
    """What a compiled list depends on."""

    REWRITES = ("taylor", "collapse", "batch", "adjoint", "simplify", "tiles")

    def __init__(self) -> None:
        """Set what holds until something else is asked for."""
        self.taylor = True
        """Nested gradients become coefficients of one Taylor series, where rows are proved independent."""
        self.collapse = True
        """A sum of top coefficients (a Laplacian) is carried as one."""
        self.batch = True
        """Many directions of one sum stand side by side in one array."""
        self.adjoint = True
        """Reverse mode over a series uses the transposed Cauchy product."""
        self.simplify = True
        """Additions of zero, multiplications by one and their like are left out."""
        self.tiles = True
        """NumPy runs row-wise lists tile by tile."""
        self.threads = os.cpu_count() or 1
        """How many threads run tiles."""
        self.executor = os.environ.get("WENGERT_EXECUTOR", "native")
        """Who runs static graphs and traced functions."""
        self.after = 2
        """How many runs of a list are NumPy's before machine code takes over, under "native"."""
        self.compare = False
        """Every list is run with and without the rewrites, and the results compared."""
        self.traces: int | None = 1000
        """How many traces a function keeps; None for as many as there are."""

    def key(self) -> tuple[Any, ...]:
        """Return the values that matter to what is compiled, as part of its key."""
        return tuple([getattr(self, name) for name in self.KEY])

    def set(self, **values: Any) -> changed[None]:
        """Set options for a with block."""
        return changed(self, **values)


options = Options()
"""The one instance."""
