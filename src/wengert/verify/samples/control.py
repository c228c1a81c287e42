"""Samples of `wengert.ops.control`: lists in lists."""

from __future__ import annotations

from typing import Any

from wengert.modes.control import cond, while_loop
from wengert.verify.samples.sample import between, normal, sample

__all__: list[str] = []


def _choice(xp: Any, x: Any, y: Any) -> Any:
    return cond(xp.sum(x, axis=None, keepdims=False) > 0.0, lambda: (x * y + xp.sin(x), y), lambda: (xp.exp(y) * x, x * x * y))


def _repetition(xp: Any, x: Any, y: Any) -> Any:
    def step(k: Any, s: Any, t: Any) -> Any:
        return k + 1, s * xp.cos(t) + y, t + s * x

    return while_loop(lambda k, s, t: k < 3, step, (0, x, y))[1:]


sample("cond", between(0.3, 1.2, 2), normal(2), call=_choice)
sample("cond", between(-1.2, -0.3, 2), normal(2), call=_choice, note="the other branch")
sample("loop", normal(2), normal(2), call=_repetition)
sample("linked", normal(2, 3), normal(2))
