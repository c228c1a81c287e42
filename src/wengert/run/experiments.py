"""Latin hypercubes, for scripts that say ``from pyDOE import lhs``: the module has another name now, or is not installed.

The points are those that pyDOE 0.3.8 draws for the same `numpy.random.seed`, but for the criterion "correlation": there pyDOE may
take a hypercube's correlation with itself for one with another.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["lhs"]

SUCCESSORS = ("pydoe", "pyDOE3", "pyDOE2")


def lhs(n: int, samples: int | None = None, criterion: str | None = None, iterations: int | None = None) -> Any:
    """Return a Latin hypercube: points of [0, 1]ⁿ of which each interval of each axis has one; shape (samples, n).

    ``samples``: n of them by default. ``criterion``: "center" (c), "maximin" (m), "centermaximin" (cm), "correlation" (corr)
    or None; the last three choose among ``iterations`` hypercubes, 5 by default.

    Raises:
        ValueError: for another criterion.

    >>> points = lhs(2, 4)
    >>> sorted((points[:, 0] * 4).astype(int).tolist())
    [0, 1, 2, 3]
    """
    n, samples = int(n), int(n if samples is None else samples)
    rounds = 5 if iterations is None else iterations
    match None if criterion is None else criterion.lower():
        case None:
            return _classic(n, samples)
        case "center" | "c":
            return _centered(n, samples)
        case "maximin" | "m":
            return _farthest(n, samples, rounds, _classic)
        case "centermaximin" | "cm":
            return _farthest(n, samples, rounds, _centered)
        case "correlation" | "corr":
            return _uncorrelated(n, samples, rounds)
    raise ValueError(f"lhs: criterion must be center, maximin, centermaximin, correlation or None, not {criterion!r}.")


def _classic(n: int, samples: int) -> Any:
    cut = np.linspace(0, 1, samples + 1)
    low, high = cut[:-1, None], cut[1:, None]
    points = np.random.rand(samples, n) * (high - low) + low
    found = np.empty_like(points)
    for j in range(n):
        found[:, j] = points[np.random.permutation(range(samples)), j]
    return found


def _centered(n: int, samples: int) -> Any:
    cut = np.linspace(0, 1, samples + 1)
    np.random.rand(samples, n)  # pyDOE draws them too: what comes after must be the same
    middle = (cut[:-1] + cut[1:]) / 2
    return np.stack([np.random.permutation(middle) for _ in range(n)], axis=1)


def _farthest(n: int, samples: int, rounds: int, make: Callable[..., Any]) -> Any:
    distances = importlib.import_module("scipy.spatial.distance").pdist
    found, best = make(n, samples) if rounds < 1 else None, 0.0
    for _ in range(rounds):
        candidate = make(n, samples)
        least = float(np.min(distances(candidate))) if samples > 1 else 0.0
        if found is None or best < least:
            found, best = candidate, least
    return found


def _uncorrelated(n: int, samples: int, rounds: int) -> Any:
    found, best = None, np.inf
    for _ in range(max(1, rounds)):
        candidate = _classic(n, samples)
        matrix = np.atleast_2d(np.corrcoef(candidate.T))
        worst = float(np.max(np.abs(matrix - np.eye(n))))
        if found is None or worst < best:
            found, best = candidate, worst
    return found


def __getattr__(name: str) -> Any:
    """Take other designs from pyDOE under its present name."""
    if not name.startswith("__"):
        for successor in SUCCESSORS:
            try:
                return getattr(importlib.import_module(successor), name)
            except (ImportError, AttributeError):
                continue
    raise AttributeError(
        f"pyDOE.{name} is not served by Wengert, and neither {', nor '.join(SUCCESSORS)} has it: pip install pydoe"
    )
