"""The threads of NumPy's BLAS.

OpenBLAS cuts a product into equal parts, one for each thread, and waits for the last. Where another process keeps one of the
cores busy, the thread on it is put aside for milliseconds at a time, and a product of 50 microseconds takes as long. So
products run on one thread, but for those so large that such a wait is little beside them. How many threads there are is one
number of the process: it is changed for a product and set back at once, by two calls in C.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from wengert.ground.locks import lock
from wengert.ground.types import NumPyArray

__all__ = ["blas"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

SINGLE = 1 << 13
"""Multiplications up to which OpenBLAS takes one thread of itself: of matrices; a matrix by a vector begins at 9,216."""
LARGE, LARGE_FOR_TWO = 1 << 29, 1 << 31
"""Multiplications from which a product gets all threads: about 20 and 60 ms on one core, a wait being 2 to 10.

On two cores, one of them shared, two halves take no less time than the whole on one; more parts gain there too.
"""


class _Blas:
    """How many threads NumPy's BLAS uses."""

    def __init__(self) -> None:
        self.lock = lock()
        self.depth = self.before = 0
        self.calls: tuple[Callable[[], int], Callable[[int], object]] | tuple[()] | None = None

    def found(self) -> tuple[Callable[[], int], Callable[[int], object]] | tuple[()]:
        """Return the functions that tell and set how many threads OpenBLAS uses; for another BLAS, nothing."""
        if self.calls is None:
            calls: tuple[Any, ...] = ()
            with contextlib.suppress(Exception):
                # NumPy's own module: what it is linked to is searched with it. Python's lock is kept: the calls are short.
                library = ctypes.PyDLL(importlib.import_module("numpy._core._multiarray_umath").__file__)
                for name in ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads64_",
                             "openblas_{}_num_threads"):  # fmt: skip
                    if hasattr(library, name.format("set")):
                        calls = (getattr(library, name.format("get")), getattr(library, name.format("set")))
                        break
            self.calls = calls
        return self.calls

    def product(self, function: Callable[..., Any], a: NumPyArray, b: NumPyArray) -> Any:
        """Return a function of NumPy's for the product of matrices, or of stacks of them, on as many threads as pay.

        Floats of 16 bits, of which BLAS knows nothing, are multiplied and summed as floats of 32: NumPy's loop over them takes a
        hundred times as long.
        """
        if a.dtype.itemsize == 2 and a.dtype.kind in "fV":
            with np.errstate(over="ignore"):
                return self.product(function, a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
        work = (a.size if a.ndim == 2 else a.shape[-2] * a.shape[-1]) * b.shape[-1]  # of one in a stack
        if work <= SINGLE:
            return function(a, b)
        calls = self.found()
        if not calls:
            return function(a, b)
        get_threads, set_threads = calls
        count = get_threads()
        if count == 1 or work >= (LARGE_FOR_TWO if count == 2 else LARGE):
            return function(a, b)
        try:  # a signal's handler runs only after a call: so whatever it raises, the number is set back
            set_threads(1)
            return function(a, b)
        finally:
            set_threads(count)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Have one thread in the with block; blocks may overlap."""
        with self.lock:
            calls = self.found()
            if calls and self.depth == 0:
                self.before = calls[0]()
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
