"""A request for a gradient in a graph: one Gradient node, lowered when the graph is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.derive.questions import GRADIENT, TAYLOR
from wengert.derive.structure import ancestors, connected
from wengert.ground.context import asked
from wengert.ground.errors import DTypeError, ShapeError
from wengert.ground.shapes import fits, is_full, text
from wengert.ops.elementwise import ADD_N
from wengert.ops.linear import ONES_LIKE, SHAPED
from wengert.tensor.tensor import Tensor, append, apply, cast

__all__ = ["request", "series"]


def request(
    ys: Sequence[Any], xs: Sequence[Any], gs: Sequence[Any], stops: Sequence[Any] = (), name: str | None = None
) -> list[Any]:
    """Return the gradient of the sum of ys (weighted by gs where not None) by each x, None where there is none.

    All are tensors of one graph. A derivative reaches a stop that is an x, and does not pass through it.

    Raises:
        ShapeError: (a ValueError) where a cotangent has not the shape of its y.
        DTypeError: (a TypeError) where it is not of y's kind.
    """
    real = [x for x in xs if x.nptype.kind in "fc"]
    if len(real) < len(xs):
        by_real = iter(request(ys, real, gs, stops, name))
        return [next(by_real) if x.nptype.kind in "fc" else itself(x, ys, gs) for x in xs]
    pairs = []
    for y, g in zip(ys, gs, strict=True):
        if y.nptype.kind not in "fc":
            continue
        if g is not None:
            if not fits(g.sizes, y.sizes):
                raise ShapeError(f"grad_ys of shape {text(g.sizes)} does not fit y of shape {text(y.sizes)}.")
            if g.nptype.kind not in "fc":
                raise DTypeError(f"Gradient type {g.dtype.name} generated for real-valued tensor {y!r} must be real or complex.")
            g = cast(g, y.nptype)
            if g.root is not y.root and not (g.sizes == y.sizes and is_full(g.sizes)):
                g = append(y.graph, SHAPED, (g, y))
        pairs.append((y, g))
    if not pairs or not xs:
        return [None] * len(xs)
    blocked = frozenset(t.n for t in stops)
    answers = connected([y for y, _ in pairs], xs, blocked)
    wanted = [x for x, yes in zip(xs, answers, strict=True) if yes]
    if not wanted:
        return [None] * len(xs)
    ys = [y for y, _ in pairs]
    if ys[0].graph.failing:
        _raise_failure(ys, wanted, blocked)
    given = [g for _, g in pairs if g is not None]
    attrs = {"ys": len(ys), "given": tuple(g is not None for _, g in pairs), "xs": len(wanted)}
    made = append(ys[0].graph, GRADIENT, (*ys, *given, *wanted, *stops), attrs, name)
    made[0].node.site = asked()
    found = iter(made)
    return [next(found) if yes else None for yes in answers]


def _raise_failure(ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int]) -> None:
    """Raise what a custom derivative between xs and ys raised."""
    behind = set(ancestors(ys, stops))
    for node in ys[0].graph.failing:
        if node in behind and any(t.n in {x.n for x in xs} for a in ancestors(node.inputs, stops) for t in a.outputs):
            raise node.attrs["failure"]


def itself(x: Tensor, ys: Sequence[Any], gs: Sequence[Any]) -> Any:
    """Return the gradient of x by itself: its weights as one of the ys, ones for None; None where it is none of them.

    As in TensorFlow it holds of integers too, and of what a tape does not know.
    """
    if x.nptype.kind not in "iufc":
        return None
    weights = [apply(ONES_LIKE, (x,)) if g is None else g for y, g in zip(ys, gs, strict=True) if y is x]
    return apply(ADD_N, weights) if len(weights) > 1 else weights[0] if weights else None


def series(ys: Sequence[Any], xs: Sequence[Any], given: dict[tuple[int, Any], Any], wanted: Sequence[Any], seeds: int) -> Any:
    """Return coefficients of Taylor series (not divided by factorials) of ys, from those of xs; those not given are zero.

    ``given``: by (number of the x, index); ``wanted``: (number of the y, index). An index is a sorted tuple of seeds, which
    count from 0. All tensors are of the graph being built.
    """
    attrs = {"ys": len(ys), "xs": len(xs), "seeds": seeds, "given": tuple(given), "wanted": tuple(wanted)}
    return list(append(ys[0].graph, TAYLOR, (*ys, *xs, *given.values()), attrs))
