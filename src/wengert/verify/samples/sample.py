"""What a sample of an operation is, and the draws of which its inputs are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import wengert.ops  # noqa: F401
from wengert.ops.op import Op, table

__all__ = ["SAMPLES", "Draw", "Sample", "moves", "sample"]

Draw = Callable[[np.random.Generator], Any]


class Sample(NamedTuple):
    """One manner of calling an operation."""

    op: str
    draw: Callable[[np.random.Generator], tuple[Any, ...]]
    """Draws the inputs."""
    attrs: dict[str, Any]
    note: str = ""
    """What is particular about it."""
    call: Callable[..., Any] | None = None
    """The outputs as a function of the operation's namespace and the inputs; None: the operation itself."""
    enter: Callable[..., Any] | None = None
    """What is done to each input before, as a tensor: where only some inputs are allowed (symmetric ones)."""
    outputs: tuple[int, ...] | None = None
    """The outputs with a derivative that is told; None: all."""
    smooth: bool = True
    """Whether derivatives exist here, so that differences can tell them."""
    first: bool = False
    """Whether only the first derivative is stated, and that in reverse mode alone."""
    open: bool = False
    """Whether the shape depends on values, so that a shape rule cannot know it."""
    most: int = 99
    """The points at which the verifier looks at it, at most."""
    order: int = 99
    """The greatest order to which the verifier looks at it."""

    @property
    def record(self) -> Op:
        """The operation's record."""
        return table[self.op]

    def moves(self, k: int) -> bool:
        """Whether a derivative by input k is stated."""
        return self.call is not None or moves(self.record, k)


def moves(op: Op, k: int) -> bool:
    """Whether a derivative of an operation by its input k is stated."""
    return k not in op.constant_inputs and op.states(k)


SAMPLES: dict[str, list[Sample]] = {}
"""The samples of each operation."""


def sample(op: str, *inputs: Draw, joint: Any = None, **more: Any) -> None:
    """Enter a sample: a draw for each input, or a joint one; keywords that `Sample` does not know are attributes."""
    known = {k: more.pop(k) for k in list(more) if k in Sample._fields}
    draw = joint or (lambda rng: tuple(np.asarray(d(rng)) for d in inputs))
    SAMPLES.setdefault(op, []).append(Sample(op, draw, more, **known))


def normal(*shape: int) -> Draw:
    """Return a draw of normal numbers."""
    return lambda rng: rng.standard_normal(shape)


def pairs(*shape: int) -> Draw:
    """Return a draw of complex normal numbers."""
    return lambda rng: rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def between(low: float, high: float, *shape: int) -> Draw:
    """Return a draw of numbers between two."""
    return lambda rng: rng.uniform(low, high, shape)


def away(*shape: int) -> Draw:
    """Return a draw of numbers of either sign, not near zero."""
    return lambda rng: rng.choice([-1.0, 1.0], shape) * rng.uniform(0.4, 2.2, shape)


def complex_away(*shape: int) -> Draw:
    """Return a draw of complex numbers, neither near zero nor near an axis."""
    return lambda rng: away(*shape)(rng) + 1j * away(*shape)(rng)


def apart(*shape: int, by: float = 0.0) -> Draw:
    """Return a draw of numbers no two of which are near each other; ``by``: moved, so that they are not near those of another."""
    n = math.prod(shape)
    return lambda rng: (rng.permutation(n) * 0.37 - 1.1 + by + rng.uniform(-0.07, 0.07, n)).reshape(shape)


def near(*values: float) -> Draw:
    """Return a draw of numbers near some, a tenth off at most."""
    return lambda rng: np.array(values) + rng.uniform(-0.1, 0.1, len(values))


def these(values: Any, dtype: str = "int32") -> Draw:
    """Return what gives the same array each time."""
    array = np.array(values, dtype)
    return lambda rng: array.copy()


def reals(*values: float) -> Draw:
    """Return what gives the same numbers each time."""
    return these(values, "float64")


def texts(*values: bytes) -> Draw:
    """Return what gives the same strings each time."""
    return these(values, "O")


def fits(divisor: Callable[..., Any]) -> Any:
    """Return a draw of (x, y) with x / y not near a whole number."""

    def draw(rng: np.random.Generator) -> tuple[Any, Any]:
        y = rng.choice([-1.0, 1.0], 3) * rng.uniform(0.7, 2.0, 3)
        return divisor(rng) * y + rng.integers(-3, 3, divisor(rng).shape) * y, y

    return draw


def well(*shape: int, kind: Any = None) -> Draw:
    """Return a draw of matrices that are well conditioned, their eigenvalues far apart."""
    n = shape[-1]
    return lambda rng: 0.3 * (kind or normal)(*shape)(rng) + np.diag(1.0 + 2.0 * np.arange(n))


def definite(*shape: int, kind: Any = normal) -> Draw:
    """Return a draw of positive definite matrices."""

    def draw(rng: np.random.Generator) -> Any:
        a = kind(*shape)(rng)
        return a @ np.conj(np.swapaxes(a, -1, -2)) + np.diag(1.0 + np.arange(shape[-1]))

    return draw
