"""Systems of equations with three diagonals that may be singular, over an array namespace.

The elimination is that of LAPACK's xLAGTF and xLAGTS, as TensorFlow 2.21 has it: two rows are exchanged where the one below
has the greater pivot in units of its row, and a pivot that would lead beyond the largest number is moved by ε max |U|, then by
twice as much, until it does not. Inverse iteration needs it: the solution of a singular system is large and finite, and points
along the matrix's null space.

Row by row, all matrices of a stack at once; a namespace says how it goes through rows, and how it repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from wengert.ground.types import Namespace, NumPyArray

__all__ = ["solve_perturbed", "through", "until"]

Row = tuple[NumPyArray, ...]
Step = Callable[[Row, Row], tuple[Row, Row]]
"""What is carried and a row, to what is carried on and what this row gives."""
S = TypeVar("S")


def through(step: Step, carry: Row, rows: Sequence[NumPyArray], reverse: bool = False) -> tuple[Row, list[NumPyArray]]:
    """Take a step for each row of arrays of NumPy's, from the last one if reverse; return the end and what the rows gave."""
    found: list[Row] = []
    for row in zip(*(part[::-1] if reverse else part for part in rows), strict=True):
        carry, given = step(carry, row)
        found.append(given)
    return carry, [np.stack(parts[::-1] if reverse else parts) for parts in zip(*found, strict=True)]


def until(going: Callable[[S], bool], turn: Callable[[S], S], state: S) -> S:
    """Take turns while there is one to take."""
    while going(state):
        state = turn(state)
    return state


def _eliminated(xp: Namespace) -> Step:
    """Return the step of the elimination: the row at hand (two elements, right-hand sides, size) meets the one below it."""

    def step(carry: Row, below: Row) -> tuple[Row, Row]:
        (u, v, z, scale), (low, main, up, b) = carry, below
        size = xp.abs(low) + xp.abs(main) + xp.abs(up)
        done, zero = low == 0, u == 0
        here = xp.where(zero, 0, xp.abs(u) / xp.where(zero, 1, scale))
        stays = done | (xp.abs(low) / xp.where(done, 1, size) <= here)
        wide = stays[..., None]
        factor = xp.where(stays, low, u) / xp.where(done, 1, xp.where(stays, u, low))
        on = (
            xp.where(stays, main, v) - factor * xp.where(stays, v, main),
            xp.where(stays, up, -factor * up),
            xp.where(wide, b, z) - factor[..., None] * xp.where(wide, z, b),
            xp.where(stays, size, scale),
        )
        given = (xp.where(stays, u, low), xp.where(stays, v, main), xp.where(stays, 0 * up, up), xp.where(wide, z, b))
        return on, given

    return step


def _divided(xp: Namespace, repeat: Callable[..., Row], pivot: NumPyArray, row: NumPyArray, least: NumPyArray) -> Any:
    """Return a row divided by its pivot, which is moved by least, twice least ... while the quotient would overflow."""
    tiny = np.finfo(least.dtype).tiny
    great = 1 / tiny
    most = xp.max(xp.abs(row), axis=-1)

    def turn(state: Row) -> Row:
        pivot, row, move, going = state
        size = xp.abs(pivot)
        deep = size < tiny
        moved = going & xp.where(deep, (size == 0) | (most * tiny > size), most > size * great)
        raised = xp.where(going & deep & ~moved, great, xp.ones_like(move))
        pivot = pivot * raised + xp.where(moved, move, 0)
        return pivot, row * raised[..., None], 2 * move, moved & (xp.abs(pivot) < 1)

    first = xp.copysign(xp.maximum(least, tiny), xp.real(pivot))
    pivot, row, *_ = repeat(lambda state: xp.any(state[3]), turn, (pivot, row, first, xp.abs(pivot) < 1))
    return row * (1 / pivot)[..., None]


def solve_perturbed(
    xp: Namespace, d: NumPyArray, b: NumPyArray, through: Callable[..., Any] = through, repeat: Callable[..., Any] = until
) -> Any:
    """Solve A x = b for a stack of matrices given by three diagonals (..., 3, n); a singular one as if it were near by.

    Args:
        xp: NumPy, or another namespace.
        d: the diagonals, that above the main one first; what stands outside of the matrix is zero.
        b: the right-hand sides (..., n, k), with the same axes before, none of them empty.
        through: as `through`.
        repeat: as `until`.
    """
    above, main, below = xp.moveaxis(d, (-2, -1), (0, 1))
    sides = xp.moveaxis(b, -2, 0)
    # Below the last row stands a row of zeros.
    rows = [xp.concatenate([part[1:], xp.zeros_like(part[:1])]) for part in (below, main, above, sides)]
    first = (main[0], above[0], sides[0], xp.abs(main[0]) + xp.abs(above[0]))
    _, upper = through(_eliminated(xp), first, rows)
    *u, z = upper
    # TensorFlow's max |U| leaves out the row before the last, but for what it held at first.
    sizes = [xp.abs(part[:-2]) for part in u] + [xp.abs(part)[None] for part in (main[0], above[0], u[0][-1])]
    least = np.finfo(d.dtype).eps * xp.max(xp.concatenate(sizes), axis=0)

    def back(carry: Row, row: Row) -> tuple[Row, Row]:
        (after, beyond), (pivot, v, w, z) = carry, row
        x = _divided(xp, repeat, pivot, z - v[..., None] * after - w[..., None] * beyond, least)
        return (x, after), (x,)

    still = xp.zeros_like(sides[0])
    _, (x,) = through(back, (still, still), (*u, z), reverse=True)
    return xp.moveaxis(x, 0, -2)
