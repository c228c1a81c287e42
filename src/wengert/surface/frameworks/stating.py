"""What rules of all frameworks have in common: how one is registered, and what their kinks share."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import numpy as np

from wengert.functions import array as arrays
from wengert.ground import checks
from wengert.ops import elementwise as E
from wengert.ops import linear
from wengert.ops.op import Op
from wengert.tensor.tensor import Tensor, apply

__all__ = ["bounded", "registered", "shared"]

Function = Callable[..., Any]


def registered(table: MutableMapping[str, Any], called: str, name: str, rule: Function | None) -> Any:
    """Enter a rule by its name and return it; without a rule, return what enters the function that it decorates.

    Raises:
        TypeError: for a rule that is no function.
    """
    if rule is None:
        return lambda function: registered(table, called, name, function)
    checks.function(rule, called, "rule")
    table[name] = rule
    return rule


def shared(op: Op, x: Tensor, y: Tensor) -> Any:
    """Return the greater of two, or the smaller: equal ones share the derivative."""
    if x.nptype.kind == "b":
        return apply(E.LOGICAL_OR if op is E.MAXIMUM else E.LOGICAL_AND, (x, y))
    if x.nptype.kind != "f":
        return apply(op, (x, y))
    half = np.asarray(0.5, x.nptype)
    return arrays.where(apply(E.EQUAL, (x, y)), half * x + half * y, apply(op, (x, y)))


def bounded(low: Tensor, x: Tensor, high: Tensor) -> Any:
    """Return x within bounds: on a bound there is no derivative by x."""
    if x.nptype.kind != "f":
        return apply(E.CLIP, (x, low, high))
    inside = apply(E.LOGICAL_AND, (apply(E.GREATER, (x, low)), apply(E.LESS, (x, high))))
    on = apply(linear.STOP_GRADIENT, (apply(E.CLIP, (x, low, high)),))
    below = apply(E.LOGICAL_AND, (apply(E.LESS, (x, low)), apply(E.LESS, (low, high))))
    outside = arrays.where(below, low, arrays.where(apply(E.GREATER, (x, high)), high, on))
    return arrays.where(inside, x, outside)
