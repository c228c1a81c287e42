"""What a pass is told of a run: whole numbers, then the addresses of arrays, 8 bytes each."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence

import numpy as np

from wengert.execute.native import engine
from wengert.ground.types import NumPyArray

__all__ = ["job"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

# Asking an array for its address in Python takes a microsecond. NumPy's binary interface says where it stands: in the first
# field behind the head that every object has.
TEXT = """
define void @find(ptr %objects, i64 %count) nounwind {{
  br label %look
look:
  %left = phi i64 [ %count, %0 ], [ %less, %next ]
  %less = sub i64 %left, 1
  %on = icmp sge i64 %less, 0
  br i1 %on, label %next, label %done
next:
  %place = getelementptr i64, ptr %objects, i64 %less
  %object = load ptr, ptr %place, align 8
  %field = getelementptr i8, ptr %object, i64 {head}
  %data = load ptr, ptr %field, align 8
  store ptr %data, ptr %place, align 8
  br label %look
done:
  ret void
}}
"""


def job(numbers: Sequence[int], arrays: Sequence[NumPyArray]) -> ctypes.Array[ctypes.c_int64]:
    """Return the numbers and the arrays' addresses."""
    find, count, more = _finder(), len(numbers), len(arrays)
    if find is None:
        return (ctypes.c_int64 * (count + more))(*numbers, *[a.ctypes.data for a in arrays])
    made = (ctypes.c_int64 * (count + more))(*numbers, *map(id, arrays))
    find(ctypes.addressof(made) + 8 * count, more)
    return made


@functools.cache
def _finder() -> Callable[[int, int], None] | None:
    """Return what puts addresses in the places of arrays; None for a Python whose objects are not where `id` says."""
    if sys.implementation.name != "cpython":
        return None
    library = engine.compiled(TEXT.format(head=object.__basicsize__), ["find"])
    called = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library.address("find"))

    def find(objects: int, count: int, library: engine.Library = library) -> None:
        called(objects, count)

    sample = np.zeros(8)[3:]
    place = ctypes.c_int64(id(sample))
    find(ctypes.addressof(place), 1)
    return find if place.value == sample.ctypes.data else None
