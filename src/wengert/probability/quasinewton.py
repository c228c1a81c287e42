"""BFGS and its form with little memory for many starts at once: a row of positions each, by Hager's and Zhang's line search.

J. Nocedal and S. Wright, "Numerical Optimization" (2006), algorithms 6.1 and 7.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from wengert.functions import array
from wengert.functions import math as functions
from wengert.functions.array import convert_to_tensor, where
from wengert.ground.dtypes import int32
from wengert.modes.control import while_loop
from wengert.probability.linesearch import hager_zhang
from wengert.tensor.tensor import Tensor, TensorLike

__all__ = ["Inverse", "Pairs", "Search", "Tolerances", "search"]

Function = Callable[[Tensor], tuple[TensorLike, TensorLike]]


class Tolerances(NamedTuple):
    """The tests of convergence: of the gradient, the step, the relative and the absolute fall."""

    gradient: TensorLike
    x: TensorLike
    relative: TensorLike
    absolute: TensorLike


class Search(NamedTuple):
    """Where the search is."""

    converged: Any
    failed: Any
    steps: Any
    evaluations: Any
    x: Any
    f: Any
    g: Any
    memory: Any
    """What is kept of the steps: the tensors of an `Inverse`, or of `Pairs`."""


class _Point(NamedTuple):
    """A point along a line, for the line search."""

    x: Any
    f: Any
    df: Any
    gradient: Any


class Memory(Protocol):
    """What makes a direction of the gradient, and learns from a step."""

    def direction(self, kept: tuple[Any, ...], g: Tensor) -> Any:
        """Return the estimate of the inverse Hessian times g."""

    def learned(self, kept: tuple[Any, ...], s: Tensor, y: Tensor, now: Tensor, first: Tensor) -> tuple[Any, ...]:
        """Return what is kept after steps s by which the gradients changed by y, in the rows that moved."""


def _dot(a: Tensor, b: Tensor) -> Any:
    return functions.reduce_sum(a * b, -1)


class Inverse:
    """BFGS: the estimate itself, a matrix for each row."""

    def __init__(self, scaled: bool) -> None:
        self.scaled = scaled

    def direction(self, kept: tuple[Any, ...], g: Tensor) -> Any:
        """Return the matrix times g."""
        return functions.reduce_sum(kept[0] * g[..., None, :], -1)

    def learned(self, kept: tuple[Any, ...], s: Tensor, y: Tensor, now: Tensor, first: Tensor) -> tuple[Any, ...]:
        """Return BFGS's new matrix."""
        (h,), sy = kept, _dot(s, y)
        if self.scaled:
            h = where((now & first)[..., None, None], functions.divide_no_nan(sy, _dot(y, y))[..., None, None] * h, h)
        rho = functions.divide_no_nan(array.ones_like(sy), sy)[..., None, None]
        turned = array.eye(s.shape[-1], dtype=s.dtype) - rho * s[..., :, None] * y[..., None, :]
        new = functions.matmul(functions.matmul(turned, h), turned, transpose_b=True) + rho * s[..., :, None] * s[..., None, :]
        return (where((now & (sy > 0))[..., None, None], new, h),)


class Pairs:
    """L-BFGS: the last steps, and the changes of the gradients in them, along the first axis of two tensors."""

    def __init__(self, count: int) -> None:
        self.count = count

    def direction(self, kept: tuple[Any, ...], g: Tensor) -> Any:
        """Return it by two loops over the pairs."""
        steps, changes = kept
        pairs = list(zip(array.unstack(steps, self.count), array.unstack(changes, self.count), strict=True))
        rho = [functions.divide_no_nan(array.ones_like(g[..., 0]), _dot(s, y)) for s, y in pairs]
        alpha = []
        for (s, y), r in zip(reversed(pairs), reversed(rho), strict=True):
            alpha.append(r * _dot(s, g))
            g = g - alpha[-1][..., None] * y
        if pairs:
            sy, yy = _dot(*pairs[-1]), _dot(pairs[-1][1], pairs[-1][1])
            g = g * where(yy > 0, functions.divide_no_nan(sy, yy), array.ones_like(yy))[..., None]
        for (s, y), r, a in zip(pairs, rho, reversed(alpha), strict=True):
            g = g + (a - r * _dot(y, g))[..., None] * s
        return g

    def learned(self, kept: tuple[Any, ...], s: Tensor, y: Tensor, now: Tensor, first: Tensor) -> tuple[Any, ...]:
        """Return the pairs without the first, and the new one."""
        good = (now & (_dot(s, y) > 0))[None, ..., None]
        return tuple(where(good, array.concat([k[1:], v[None]], 0), k) for k, v in zip(kept, (s, y), strict=True))


def search(
    function: Function, start: Tensor, memory: Memory, kept: tuple[Any, ...], tolerances: Tolerances,
    condition: Callable[[Tensor, Tensor], TensorLike], limits: tuple[int, int], done: tuple[TensorLike, TensorLike] = (0, 0),
) -> Search:  # fmt: skip
    """Minimize from many starts, the last axis theirs.

    Args:
        function: from positions to the values and the gradients.
        start: the positions.
        memory: BFGS or L-BFGS.
        kept: what it knows at the start.
        tolerances: the tests of convergence.
        condition: from which have converged and failed to whether to stop.
        limits: of the iterations, and of those of a line search.
        done: how many iterations and evaluations there were before.
    """

    def evaluated(x: Tensor) -> tuple[Any, Any]:
        f, g = function(x)
        return convert_to_tensor(f, x.dtype), convert_to_tensor(g, x.dtype)

    def stops(s: Search) -> Any:
        return convert_to_tensor(condition(s.converged, s.failed)) | (s.steps >= limits[0])

    def step(s: Search) -> tuple[Search]:
        active = ~(s.converged | s.failed)
        p = -memory.direction(s.memory, s.g)
        p = where((_dot(p, s.g) < 0)[..., None], p, -s.g)

        def along(a: Tensor) -> _Point:
            f, g = evaluated(s.x + a[..., None] * p)
            return _Point(a, f, _dot(g, p), g)

        zero = _Point(array.zeros_like(s.f), s.f, _dot(s.g, p), s.g)
        line = hager_zhang(
            along, initial_step_size=array.ones_like(s.f), value_at_zero=zero, converged=~active, max_iterations=limits[1]
        )  # fmt: skip
        now = active & line.converged
        x = where(now[..., None], s.x + line.left.x[..., None] * p, s.x)
        f, g = where(now, line.left.f, s.f), where(now[..., None], line.left.gradient, s.g)
        kept = memory.learned(s.memory, x - s.x, g - s.g, now, s.steps <= done[0])
        moved, fell = functions.reduce_max(functions.abs(x - s.x), -1), functions.abs(f - s.f)
        ended = _flat(g, tolerances) | (moved <= tolerances.x) | (fell <= tolerances.relative * functions.abs(s.f))
        ended = now & (ended | (fell <= tolerances.absolute))
        failed = s.failed | (active & ~line.converged)
        return (Search(s.converged | ended, failed, s.steps + 1, s.evaluations + line.func_evals, x, f, g, kept),)

    f, g = evaluated(start)
    before, more = (convert_to_tensor(n, int32) for n in done)
    first = Search(_flat(g, tolerances), array.zeros_like(f, "bool"), before, more + 1, start, f, g, kept)
    return while_loop(lambda s: ~stops(s), step, (first,))[0]  # type: ignore[no-any-return]


def _flat(g: Tensor, tolerances: Tolerances) -> Any:
    return functions.reduce_max(functions.abs(g), -1) <= tolerances.gradient
