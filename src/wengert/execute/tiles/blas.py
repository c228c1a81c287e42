"""The threads of NumPy's BLAS, which is to use one while tiles run on several."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
from collections.abc import Iterator
from typing import Any

from wengert.ground.locks import lock

__all__ = ["blas"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class _Blas:
    """The threads of NumPy's BLAS, which is to use one while tiles run: they have threads of their own."""

    def __init__(self) -> None:
        self.lock = lock()
        self.depth = self.before = 0
        self.calls: Any = None

    def found(self) -> Any:
        """Return the functions that tell and set how many threads OpenBLAS uses; for another BLAS, nothing."""
        if self.calls is None:
            self.calls = ()
            with contextlib.suppress(Exception):
                # NumPy's own module: what it is linked to is searched with it.
                library = ctypes.CDLL(importlib.import_module("numpy._core._multiarray_umath").__file__)
                for name in ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads64_",
                             "openblas_{}_num_threads"):  # fmt: skip
                    if hasattr(library, name.format("set")):
                        self.calls = (getattr(library, name.format("get")), getattr(library, name.format("set")))
                        break
        return self.calls

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Have one thread in the with block; blocks may overlap."""
        with self.lock:
            calls = self.found()
            if calls and self.depth == 0:
                self.before = int(calls[0]())
                if self.before != 1:
                    calls[1](1)
            self.depth += 1
        try:
            yield
        finally:
            with self.lock:
                self.depth -= 1
                if calls and self.depth == 0 and self.before != 1:
                    calls[1](self.before)


blas = _Blas()
