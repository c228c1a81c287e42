"""The indices of Taylor coefficients: how they add, split and are lowered; and the words of those who ask for coefficients."""

from __future__ import annotations

import math
from collections.abc import Generator
from functools import cache
from typing import Any, NamedTuple

__all__ = ["Combination", "Functional", "Index", "Key", "Products", "Request", "Steps", "join", "lowered_by", "splits", "within"]

Index = tuple[int, ...]
Functional = tuple[tuple[Index, float], ...]
Key = tuple[int, Any, bool]
Request = tuple[Any, Any, bool]
"""(tensor, index or functional, whether to go by the tensor's own operation, whatever else is known of it)."""
Steps = Generator[Request, Any, Any]
Products = dict[tuple[int, int, bool], tuple[float, Any, Any, bool]]
"""Products to be summed: their factor, the two values, and whether the sum is over directions too."""


class Combination(NamedTuple):
    """A sum of coefficients: numbers by (tensor's number, index), and the tensors."""

    terms: dict[tuple[int, Index], float]
    tensors: dict[int, Any]


@cache
def splits(a: Index) -> tuple[tuple[Index, Index, float], ...]:
    """Return all (b, a - b, C(a, b)) with b ≤ a, from b = 0 on."""
    found: list[tuple[Index, Index, float]] = [((), (), 1.0)]
    for seed in sorted(set(a)):
        n = a.count(seed)
        found = [(b + (seed,) * k, c + (seed,) * (n - k), m * math.comb(n, k)) for b, c, m in found for k in range(n + 1)]
    return tuple(sorted(found, key=lambda item: (len(item[0]), item[0])))


@cache
def join(a: Index, b: Index) -> Index:
    """Return the index that is the sum of two."""
    return tuple(sorted(a + b))


@cache
def lowered_by(a: Index) -> tuple[int, Index]:
    """Return a seed of the index, that with the lowest order, and the index with one order less of it."""
    seed = min(set(a), key=lambda s: (a.count(s), s))
    at = a.index(seed)
    return seed, a[:at] + a[at + 1 :]


def within(a: Index, b: Index) -> bool:
    """Whether an index is no greater than another in any seed."""
    return all(a.count(s) <= b.count(s) for s in set(a))
