"""``tfp.optimizer.linesearch``: Hager and Zhang's line search, for a batch of starts at once.

W. Hager and H. Zhang, "Algorithm 851: CG_DESCENT, a conjugate gradient method with guaranteed descent" (2006). φ is the function
along the line; an interval is bracketed by a left end, where φ falls and is not above φ(0) by more than ε|φ(0)|, and a right
end, where φ rises. Letters and numbers in brackets are the paper's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from wengert.functions import array
from wengert.functions import math as functions
from wengert.functions.array import convert_to_tensor, where
from wengert.ground import nest
from wengert.ground.dtypes import int32
from wengert.modes.control import cond, while_loop
from wengert.tensor.tensor import TensorLike

__all__ = ["HagerZhangLineSearchResults", "hager_zhang"]


class HagerZhangLineSearchResults(NamedTuple):
    """What `hager_zhang` returns."""

    converged: Any
    failed: Any
    func_evals: Any
    iterations: Any
    left: Any
    right: Any


class _Bracket(NamedTuple):
    """Where the search is: a row a start."""

    done: Any
    """Whether an end meets Wolfe's conditions; it is then both ends."""
    failed: Any
    steps: Any
    """How many iterations each has taken."""
    evaluations: Any
    left: Any
    right: Any


def _choose(mask: Any, yes: Any, no: Any) -> Any:
    """Return one value and slope, or another, in each row; what has more axes than the mask is chosen by rows."""

    def one(a: Any, b: Any) -> Any:
        more = [1] * (a.shape.rank - mask.shape.rank)
        return where(array.reshape(mask, array.concat([array.shape(mask), more], 0)) if more else mask, a, b)

    return nest.map_structure(one, yes, no)


def _one(now: Any) -> Any:
    return array.cast(now, int32)


class _Line:
    """φ, and the conditions that are asked of its points."""

    def __init__(self, function: Callable[..., Any], zero: Any, epsilon: Any, delta: float, sigma: float, most: int) -> None:
        self.function, self.zero, self.delta, self.sigma, self.most = function, zero, delta, sigma, most
        self.limit = zero.f + epsilon * functions.abs(zero.f)

    def finite(self, p: Any) -> Any:
        return functions.is_finite(p.f) & functions.is_finite(p.df)

    def wolfe(self, p: Any) -> Any:
        """Whether points meet Wolfe's conditions [T1] or, near the minimum, the approximate ones [T2]."""
        zero = self.zero
        curved = p.df >= self.sigma * zero.df
        exact = curved & (p.f - zero.f <= self.delta * p.x * zero.df)
        near = curved & ((2.0 * self.delta - 1.0) * zero.df >= p.df) & (p.f <= self.limit)
        return (p.x > 0) & (exact | near)

    def ended(self, s: _Bracket, p: Any, active: Any) -> _Bracket:
        """Take points that meet the conditions as both ends."""
        hit = active & ~(s.done | s.failed) & self.wolfe(p)
        return s._replace(done=s.done | hit, left=_choose(hit, p, s.left), right=_choose(hit, p, s.right))

    def at(self, s: _Bracket, x: Any) -> tuple[_Bracket, Any]:
        return s._replace(evaluations=s.evaluations + 1), self.function(x)

    def halved(self, s: _Bracket, active: Any) -> _Bracket:
        """Halve intervals at whose right end φ is too high and falls, until it rises there [U3]."""

        def wrong(s: _Bracket) -> Any:
            return active & ~s.failed & (s.right.df < 0)

        def step(s: _Bracket) -> tuple[_Bracket]:
            now = wrong(s)
            s, p = self.at(s, 0.5 * (s.left.x + s.right.x))
            left = now & (p.df < 0) & (p.f <= self.limit)
            # The interval is as short as it can be where its middle is one of its ends.
            short = functions.equal(p.x, s.left.x) | functions.equal(p.x, s.right.x)
            s = s._replace(failed=s.failed | (now & (~self.finite(p) | short)))
            now = now & ~s.failed
            return (s._replace(left=_choose(left & now, p, s.left), right=_choose(now & ~left, p, s.right)),)

        return while_loop(lambda s: functions.reduce_any(wrong(s)), step, (s,))[0]  # type: ignore[no-any-return]

    def bracketed(self, s: _Bracket, expansion: float) -> _Bracket:
        """Go right until φ rises, or is too high [B]."""

        def falling(s: _Bracket) -> Any:
            return ~(s.done | s.failed) & (s.right.df < 0) & (s.right.f <= self.limit) & (s.steps < self.most)

        def step(s: _Bracket) -> tuple[_Bracket]:
            now = falling(s)
            s, p = self.at(s, where(now, expansion * s.right.x, s.right.x))
            good = now & self.finite(p)
            s = s._replace(steps=s.steps + _one(now), failed=s.failed | (now & ~good))
            return (s._replace(left=_choose(good, s.right, s.left), right=_choose(good, p, s.right)),)

        s = while_loop(lambda s: functions.reduce_any(falling(s)), step, (s,))[0]
        return self.halved(s, ~(s.done | s.failed) & (s.right.df < 0) & (s.right.f > self.limit))

    def updated(self, s: _Bracket, x: Any, active: Any, ends: bool = True) -> tuple[_Bracket, Any]:
        """Return smaller intervals by points within [U], and these points.

        ``ends``: whether a point that meets the conditions is to be both ends.
        """
        inside = active & (x > s.left.x) & (x < s.right.x)
        s, p = cond(functions.reduce_any(inside), lambda: self.at(s, where(inside, x, s.left.x)), lambda: (s, s.left))
        inside = inside & self.finite(p)
        left = inside & (p.df < 0) & (p.f <= self.limit)
        high = inside & (p.df < 0) & (p.f > self.limit)
        s = s._replace(left=_choose(left, p, s.left), right=_choose(inside & ~left, p, s.right))
        if ends:
            s = self.ended(s, p, inside)
        return self.halved(s, high & ~s.done), p

    def secant(self, a: Any, b: Any) -> Any:
        return functions.divide_no_nan(a.x * b.df - b.x * a.df, b.df - a.df)

    def narrowed(self, s: _Bracket, shrinkage: float) -> _Bracket:
        """Return smaller intervals: by two secants [S], and by their middle where these do little [L2]."""
        before, active = s, ~(s.done | s.failed)
        s, p = self.updated(s, self.secant(s.left, s.right), active)
        right, left = functions.equal(p.x, s.right.x), functions.equal(p.x, s.left.x)
        second = where(right, self.secant(before.right, s.right), self.secant(before.left, s.left))
        s, _ = self.updated(s, second, active & ~s.done & (right | left))
        narrow = s.right.x - s.left.x < shrinkage * (before.right.x - before.left.x)
        wide = active & ~(s.done | s.failed | narrow)
        # As in TensorFlow Probability, whose line searches end there: at a left end that is not below the right one, twice.
        level = (before.right.f <= before.left.f) & (s.right.f <= s.left.f)
        s = s._replace(done=s.done | (active & ~s.failed & narrow & level))
        # TensorFlow Probability asks the conditions of the secants alone, and so takes as many evaluations.
        s, _ = self.updated(s, 0.5 * (s.left.x + s.right.x), wide, ends=False)
        return s._replace(steps=s.steps + _one(active))


def hager_zhang(
    value_and_gradients_function: Callable[..., Any], initial_step_size: TensorLike | None = None,
    value_at_initial_step: Any = None, value_at_zero: Any = None, converged: Any = None,
    threshold_use_approximate_wolfe_condition: TensorLike = 1e-6, shrinkage_param: float = 0.66, expansion_param: float = 5.0,
    sufficient_decrease_param: float = 0.1, curvature_param: float = 0.9, max_iterations: int = 50,
    step_size_shrink_param: float = 0.1, name: str | None = None,
) -> HagerZhangLineSearchResults:  # fmt: skip
    """Return steps along lines that meet Wolfe's conditions, by Hager's and Zhang's search.

    Args:
        value_and_gradients_function: from steps to a named tuple of these (``x``), the values (``f``) and the slopes (``df``)
            there, and what else is to be kept with them.
        initial_step_size: the first steps, 1 if not given.
        value_at_initial_step: what the function gives there.
        value_at_zero: what the function gives at 0.
        converged: where no search is wanted.
        threshold_use_approximate_wolfe_condition: how far, relatively, a value may be above that at 0 and count as not above.
        shrinkage_param: an iteration that leaves more of an interval halves it, too.
        expansion_param: how much farther the next step goes, until an interval is found.
        sufficient_decrease_param: of the slope at 0, how much of a fall is wanted.
        curvature_param: of the slope at 0, how little is wanted.
        max_iterations: at most so many.
        step_size_shrink_param: how much shorter the next first step is, where the function is not finite.
        name: not used.

    >>> from collections import namedtuple
    >>> point = namedtuple("point", "x f df")
    >>> found = hager_zhang(lambda x: point(x, (x - 3.0) ** 2, 2.0 * (x - 3.0)), initial_step_size=1.0)
    >>> bool(found.converged), float(found.left.x)
    (True, 3.0)
    """
    function = value_and_gradients_function
    first = 1.0 if initial_step_size is None else initial_step_size
    evaluations = int(value_at_zero is None) + int(value_at_initial_step is None)
    if value_at_zero is None:
        value_at_zero = function(array.zeros_like(convert_to_tensor(first)))
    line = _Line(
        function, value_at_zero, threshold_use_approximate_wolfe_condition, sufficient_decrease_param, curvature_param,
        max_iterations,
    )  # fmt: skip
    no = array.zeros_like(value_at_zero.f, dtype="bool")
    start = no if converged is None else convert_to_tensor(converged) | no
    if value_at_initial_step is None:
        value_at_initial_step = function(array.zeros_like(value_at_zero.f) + first)
    zero, one = array.zeros_like(value_at_zero.f, dtype=int32), array.constant(evaluations, int32)
    s = _Bracket(start, no, zero, one, value_at_zero, value_at_initial_step)

    def bad(s: _Bracket) -> Any:
        # Where the function is not finite at 0 either, no step is short enough: the others' iterations are not for that.
        return ~s.done & line.finite(value_at_zero) & ~line.finite(s.right) & (s.steps < max_iterations)

    def shorter(s: _Bracket) -> tuple[_Bracket]:
        now = bad(s)
        s, p = line.at(s, where(now, step_size_shrink_param * s.right.x, s.right.x))
        return (s._replace(steps=s.steps + _one(now), right=_choose(now, p, s.right)),)

    s = while_loop(lambda s: functions.reduce_any(bad(s)), shorter, (s,))[0]
    s = s._replace(failed=~s.done & ~(line.finite(s.right) & line.finite(value_at_zero)))
    s = line.bracketed(s, expansion_param)
    s = while_loop(
        lambda s: functions.reduce_any(~(s.done | s.failed) & (s.steps < max_iterations)),
        lambda s: (line.narrowed(s, shrinkage_param),), (s,),
    )[0]  # fmt: skip
    return HagerZhangLineSearchResults(s.done, s.failed, s.evaluations, s.steps, s.left, s.right)
