"""Sums of coefficients through the list: carried by what is linear, and computed where their values are needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.derive.choice import takes_directions
from wengert.derive.coefficients import plus
from wengert.derive.deferred import Columns, Deferred, alone, filled, is_below, mapped_by, scaled, total_of
from wengert.derive.frame import BATCH, Frame, others_of
from wengert.derive.index import Combination
from wengert.derive.lowered import Lowered, number_in
from wengert.derive.series import Series
from wengert.derive.structure import ancestors
from wengert.derive.survey import Survey
from wengert.graph.node import Node
from wengert.ground.context import Site, state
from wengert.ground.options import options
from wengert.ops import elementwise, linear
from wengert.ops.linear import (
    EXPAND_DIMS,
    GETITEM,
    SPLIT,
    SQUEEZE,
    TRANSPOSE,
    UNSTACK,
)
from wengert.tensor.tensor import SymbolicTensor, Tensor, apply, convert

__all__ = ["Sums"]


class Sums:
    """The sums of coefficients of one lowering."""

    def __init__(self, lowered: Lowered, series: Series, survey: Survey) -> None:
        """Take the list being made, its series, and what is known of the source list."""
        self.lowered, self.series, self.survey = lowered, series, survey
        self.units: dict[int, tuple[Frame, tuple[int, ...]]] = {}
        """By seed: the frame, and which columns of it."""
        self.batches: dict[tuple[int, ...], int] = {}

    def folded(self, node: Node, given: Sequence[Any], value: Callable[[Any], Any]) -> Any:
        """Return the outputs of an operation on what is given, some of it deferred, deferred again; None if values are needed.

        ``value``: gives the value of an input.
        """
        if all(g.__class__ is SymbolicTensor for g in given) or any(t.n in self.survey.singled for t in node.outputs):
            return None
        op = node.op
        if isinstance(given[0], Columns):
            return _columns_folded(node, given[0]) if len(given) == 1 else None
        if any(isinstance(g, Columns) for g in given):
            return None
        single = [isinstance(g, Deferred) and self.survey.uses.get(t.n, 0) <= 1 for g, t in zip(given, node.inputs, strict=True)]
        if not any(single):
            return None
        nptype = node.outputs[0].nptype
        if op in (elementwise.ADD, elementwise.SUBTRACT, elementwise.ADD_N):
            parts = [g if yes else alone(value(t)) for g, yes, t in zip(given, single, node.inputs, strict=True)]
            if any(p.sizes != parts[0].sizes or p.nptype != nptype for p in parts) or not parts[0].sizes is not None:
                return None
            signs = [1.0] * len(parts)
            if op is elementwise.SUBTRACT:
                signs[1] = -1.0
            return [total_of(parts, signs)]
        if op is elementwise.NEGATIVE:
            return [scaled(given[0], -1.0)]
        if op is linear.IDENTITY:
            return [given[0]]
        if op is elementwise.MULTIPLY or (op is elementwise.DIVIDE and single[0]):
            at = 0 if single[0] else 1
            other = value(node.inputs[1 - at])
            number = number_in(other) if other.sizes == () or other.sizes == (1,) * len(given[at].sizes) else None
            if number is None or (op is elementwise.DIVIDE and not number):
                return None
            return [scaled(given[at], number if op is elementwise.MULTIPLY else 1.0 / number)]
        if op in (GETITEM, SQUEEZE, EXPAND_DIMS, TRANSPOSE, linear.RESHAPE) and len(given) == 1:
            return [mapped_by(given[0], lambda base: apply(op, (base,), node.attrs))]
        return None

    def force(self, r: Any) -> Any:
        """Return the value of something deferred."""
        if isinstance(r, Columns):
            return self._joined(r)
        if not isinstance(r, Deferred):
            return r
        grouped: dict[int, list[Any]] = {}
        for (n, a), c in r.terms.items():
            if c:
                grouped.setdefault(n, []).append((a, c))
        total = None
        for n, terms in grouped.items():
            base = r.tensors[n]
            for a, c in terms:
                if not a:
                    total = plus(total, self.series.scaled(base, c))
            live = sorted((a, c) for a, c in terms if a)
            tops = []
            if options.collapse and len(live) > 1:
                tops = [(a, c) for a, c in live if not any(a != b and is_below(a, b) for b, _ in live)]
            if len(tops) > 1:
                self.series.ceiling = max((a for a, _ in tops), key=len)
                found = self.functional(base, tuple(tops))
                total = plus(total, None if found is None else self.series.whole(found, base))
                live = [item for item in live if item not in tops]
            for a, c in live:
                self.series.ceiling = a
                found = self.series.coefficient(base, a)
                total = plus(total, None if found is None else self.series.scaled(self.series.whole(found, base), c))
        if total is None:
            base = next(iter(r.tensors.values()))
            return filled(0, base)
        newest = max(t.node.index for t in r.tensors.values())
        if total.node.index > newest and total.n not in r.tensors:
            self.series.terms.setdefault(total.n, Combination(dict(r.terms), dict(r.tensors)))
        return total

    def functional(self, base: Tensor, terms: Any) -> Any:
        """Return a sum of coefficients; pure derivatives of one order along many directions go side by side."""
        alike: dict[tuple[int, float], list[Any]] = {}
        for a, c in terms:
            if len(set(a)) == 1 and len(a) > 1 and a[0] in self.units:
                alike.setdefault((len(a), c), []).append(a)
        kept = dict(terms)
        words = f"a sum of {len(terms)} greatest derivatives is carried as one"
        for (order, c), group in alike.items():
            seed = self._batch(base, tuple(a[0] for a in group)) if options.batch and len(group) >= BATCH else None
            if seed is not None:
                for a in group:
                    del kept[a]
                kept[(seed,) * order] = c
                words += f"; {len(group)} directions stand side by side"
        self.lowered.notes.append((_place(), words))
        return self.series.functional(base, tuple(sorted(kept.items())))

    def _batch(self, base: Tensor, seeds: tuple[int, ...]) -> int | None:
        """Return a seed that stands for several, if all operations on the way can carry it; None if not."""
        if seeds in self.batches:
            return self.batches[seeds]
        own: dict[Any, Any] = {}
        for k, s in enumerate(seeds):
            frame, chosen = self.units[s]
            x = frame.x
            if frame.axis != 0 or len(x.sizes) != 2:
                return None
            direction = own.setdefault((x.n, (0,)), np.zeros((1, len(seeds), x.sizes[1]), x.nptype))
            direction[0, k, list(chosen)] = 1
        frame = self.units[seeds[0]][0]
        blocked = self.series.stops[seeds[0]]
        if any(self.series.stops[s] != blocked for s in seeds):
            return None
        sources = {n for n, _ in own}
        if not self._carries(base, sources, blocked):
            return None
        found = self.series.seed({key: convert(array) for key, array in own.items()}, blocked)
        self.series.batched.add(found)
        self.batches[seeds] = found
        return found

    def _carries(self, base: Tensor, sources: set[int], blocked: frozenset[int]) -> bool:
        """Whether all operations between the sources and a value work on rows × columns in a way that takes directions."""
        reach = set(sources)
        for node in ancestors([base]):
            if node.op.kind == "constant" or not any(t.n in reach for t in node.inputs):
                continue
            if any(t.n in blocked for t in node.outputs):
                continue
            if node.op.outputs != 1 or not takes_directions(node, reach):
                return False
            reach.add(node.outputs[0].n)
        return base.n not in self.series.terms

    def _joined(self, g: Columns) -> Any:
        if g.whole is not None:
            return g.whole()
        parts = [self.force(g.part((j,))) for j in g.numbers]
        x = g.x
        if g.axis is None:
            whole = apply(linear.STACK, parts, {"axis": 0})
        elif len(x.sizes) == 2:
            return parts[0] if len(parts) == 1 else apply(linear.CONCAT, parts, {"axis": 1 - g.axis})
        else:
            if g.axis not in (0, len(x.sizes) - 1):
                raise AssertionError("rows lie along the first or the last axis")
            flat = [apply(linear.RESHAPE, (p,), {"shape": (-1, 1) if g.axis == 0 else (1, -1)}) for p in parts]
            whole = apply(linear.CONCAT, flat, {"axis": 1 if g.axis == 0 else 0})
        if len(parts) == math.prod(others_of(x, g.axis)):
            return apply(linear.RESHAPE_LIKE, (whole, x))
        return whole


def _columns_folded(node: Node, g: Columns) -> Any:
    op, attrs = node.op, node.attrs
    if op is GETITEM:
        return _picked(g, attrs["index"])
    rank = len(g.x.sizes)
    if op in (UNSTACK, SPLIT) and g.axis is not None and rank == 2 and attrs["axis"] % 2 == 1 - g.axis:
        if op is UNSTACK:
            numbers: list[Any] = list(range(attrs["num"]))
        elif isinstance(attrs["parts"], int):
            size = len(g.numbers) // attrs["parts"]
            numbers = [slice(k * size, (k + 1) * size) for k in range(attrs["parts"])]
        else:
            return None
        found = []
        for item in numbers:
            one = _picked(g, (slice(None), item) if g.axis == 0 else (item, slice(None)))
            if one is None:
                return None
            found += one
        return found
    return [g] if op is linear.IDENTITY else None


def _picked(g: Columns, index: tuple[Any, ...]) -> Any:
    found = g.pick(index)
    if found is None or isinstance(found, Columns):
        return None if found is None else [found]
    number, rest = found
    part = g.part((number,))
    return [mapped_by(part, lambda base: apply(GETITEM, (base,), {"index": rest})) if rest else part]


def _place() -> str:
    return "?" if state.site is None else str(Site(*state.site))
