"""The works of `derivatives.py`: networks, weights, points and what is computed; the same numbers for every contender."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

NETWORKS: dict[str, tuple[list[int], int]] = {
    "A": ([2, 64, 64, 64, 64, 1], 4096),
    "B": ([2, *[20] * 8, 1], 10000),
    "C10": ([10, 64, 64, 64, 1], 1024),
    "C100": ([100, 64, 64, 64, 1], 1024),
    "D": ([5, 64, 64, 64, 1], 1024),
}
ACTIVATIONS = "sin", "swish", "gelu", "softplus"
"""Those of networks else like A, which are called after them; the others have tanh."""
NETWORKS |= dict.fromkeys(ACTIVATIONS, NETWORKS["A"])
NU = 0.01 / math.pi  # the viscosity of Burgers' equation
ORDER = {"burgers": 2, "kdv": 3, "ks": 4}  # the highest derivative by x in a training step
Layers = list[tuple[np.ndarray, np.ndarray]]
# What a contender prepares: a function that runs a work to its end, and one that says, after a run, how many bytes the
# compiler planned for temporaries, None where it does not tell.
Prepared = tuple[Callable[[], list[Any]], Callable[[], int | None]]


@dataclasses.dataclass(frozen=True)
class Work:
    """One computation: which network, in which precision, and what of it."""

    network: str
    dtype: str
    kind: str  # forward, dx, burgers, kdv, ks, xxyy, laplacian, laplacian-train, biharmonic
    order: int = 0  # of dx
    points: int = 0

    @property
    def name(self) -> str:
        """Return what tables and filters call it."""
        return f"{self.network}/{self.dtype}/{self.kind}{self.order or ''}"

    @property
    def trains(self) -> bool:
        """Return whether the loss and its gradient by all weights are wanted, rather than values at the points."""
        return self.kind in ORDER or self.kind.endswith("-train")

    @property
    def columns(self) -> bool:
        """Return whether the inputs are columns x and t of their own, rather than one matrix."""
        return self.network in ("A", "B", *ACTIVATIONS)

    @property
    def activation(self) -> str:
        """Return what is between the layers."""
        return self.network if self.network in ACTIVATIONS else "tanh"


def works(divide: int = 1) -> list[Work]:
    """Return all works; `divide` makes the number of points smaller."""
    plane = [("forward", 0), *(("dx", k) for k in range(1, 9)), ("burgers", 0), ("kdv", 0), ("ks", 0), ("xxyy", 0)]
    space = {"C10": ["laplacian", "laplacian-train"], "C100": ["laplacian", "laplacian-train"], "D": ["biharmonic"]}
    others = [("dx", 2), ("dx", 4), ("dx", 6), ("burgers", 0)]
    found = []
    for network, (_, points) in NETWORKS.items():
        for dtype in ("float32", "float64"):
            for kind, order in (
                [(kind, 0) for kind in space[network]] if network in space else (others if network in ACTIVATIONS else plane)
            ):
                found.append(Work(network, dtype, kind, order, points // divide))
    return found


def data(work: Work) -> tuple[Layers, np.ndarray]:
    """Return the layers (matrix and bias each) and the points of a work, from a fixed seed, in its precision."""
    rng = np.random.default_rng(0)
    widths = NETWORKS[work.network][0]
    layers = []
    for m, n in itertools.pairwise(widths):
        matrix = rng.normal(0.0, math.sqrt(2.0 / (m + n)), (m, n))  # Glorot
        layers.append((matrix.astype(work.dtype), rng.normal(0.0, 0.1, n).astype(work.dtype)))
    return layers, rng.uniform(-1.0, 1.0, (work.points, widths[0])).astype(work.dtype)
