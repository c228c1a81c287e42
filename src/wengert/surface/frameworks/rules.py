"""The table of rules: what each primitive of JAX becomes, by its name, and what rules have in common."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from wengert.ops.op import Op
from wengert.surface.frameworks.jaxpr import OfLine, Rule
from wengert.tensor.tensor import Tensor, apply, convert

__all__ = ["RULES", "Sizes", "direct", "number", "rule", "sizes_of"]

RULES: dict[str, Rule | OfLine] = {}
"""By the names of JAX's primitives."""

Sizes = tuple[int, ...]
R = TypeVar("R", bound=Rule | OfLine)


def rule(*names: str) -> Callable[[R], R]:
    """Enter a rule."""

    def enter(function: R) -> R:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def direct(op: Op) -> Rule:
    """Return the rule that an operation is, without parameters."""

    def applied(*inputs: Tensor, **params: Hashable) -> Any:
        return apply(op, inputs)

    return applied


def sizes_of(x: Tensor) -> Sizes:
    """Return the shape of a tensor, which is known: JAX's programs are of known shapes."""
    return tuple(int(s) for s in x.shape)


def number(value: int) -> Any:
    """Return a place, int32."""
    return convert(np.int32(value))
