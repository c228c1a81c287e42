"""How tensors take part in NumPy's manner, once a program has asked for it: which dtype operands have together, and indexing.

`tf.experimental.numpy` chooses it; nothing here is looked at where two tensors of one dtype meet.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from wengert.ground.weakly import WeakValues

__all__ = ["BEHAVIOR", "Kind", "promoted"]

BEHAVIOR: list[Any] = [None]
"""What decides of operands and indices; None: TensorFlow's own rules, which are in `wengert.tensor.tensor`."""

WEAK: WeakValues[Any] = WeakValues()
"""The symbolic tensors whose dtype gives way, by their number."""

_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


class Kind(NamedTuple):
    """A dtype, and whether it gives way: it was inferred from Python's numbers, and nobody asked for it."""

    nptype: np.dtype[Any]
    weak: bool = False


def promoted(a: Kind, b: Kind, safe: bool) -> Kind | None:
    """Return what two dtypes become together; None where that may lose digits and `safe` forbids it.

    The lattice is that of TensorFlow's modes "all" and "safe": integers give way to any float, inferred dtypes to all of
    their kind and above.
    """
    if a.nptype == b.nptype:
        return Kind(a.nptype, a.weak and b.weak)
    if "b" in (a.nptype.kind, b.nptype.kind):
        return b if a.nptype.kind == "b" else a
    if a.weak and b.weak:
        return a if _RANK[a.nptype.kind] >= _RANK[b.nptype.kind] else b
    if a.weak or b.weak:
        weak, strong = (a, b) if a.weak else (b, a)
        return _given_way(weak, strong, safe)
    return _strong(a.nptype, b.nptype, safe)


def _given_way(weak: Kind, strong: Kind, safe: bool) -> Kind | None:
    kind, small = strong.nptype.kind, strong.nptype.itemsize <= 4
    if _RANK[weak.nptype.kind] <= _RANK[kind]:
        return strong
    if weak.nptype.kind == "f":
        return None if safe else Kind(np.dtype(np.float64), True)
    if safe:
        return Kind(weak.nptype, True) if small == (kind != "f") else None
    return Kind(weak.nptype, True) if kind != "f" else Kind(np.dtype(np.complex64 if small else np.complex128))


def _strong(a: np.dtype[Any], b: np.dtype[Any], safe: bool) -> Kind | None:
    if safe:
        return Kind(a) if _holds(a, b) else Kind(b) if _holds(b, a) else None
    inexact = [t for t in (a, b) if t.kind in "fc"]
    if inexact:
        return Kind(np.result_type(*inexact))
    found = np.promote_types(a, b)
    return Kind(found, found.kind == "f")  # uint64 with a signed integer


def _holds(a: np.dtype[Any], b: np.dtype[Any]) -> bool:
    """Whether a holds each number of b."""
    return bool(np.can_cast(b, a)) and not (b.kind in "iu" and b.itemsize == 8 and a.kind in "fc")
