"""Reverse mode over a series.

The coefficients of v = φ(u) depend on those of u by dV = H dU, products of series, H being the series of the stated partial
derivative. So the adjoint is the transposed product: Ubar_b = Σ_{a ≥ b} C(a, b) H_{a-b} Vbar_a. What the coefficients were
computed by, a recurrence, is never differentiated: H is at hand.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from wengert.derive.index import splits
from wengert.derive.series import Series
from wengert.graph.node import Node
from wengert.ground.types import Array, Attrs, Namespace
from wengert.tensor.tensor import Tensor

__all__ = ["entries_of"]


class _Group:
    """The coefficients of one value as one operation with many outputs."""

    outputs = None
    name = "series"

    def __init__(self, series: Series, v: Tensor) -> None:
        self.series, self.v = series, v
        self.members: list[tuple[Any, Any]] = []
        self.vjp = self._vjp
        self.places: list[tuple[int, Any]] = []

    def close(self) -> tuple[list[Any], list[Any]]:
        """Return the inputs, coefficients of the operation's inputs, and the outputs."""
        node = self.v.node
        inputs: dict[tuple[int, Any], Any] = {}
        for _, key in self.members:
            if _is_functional(key):
                wanted = [key, *[b for a, _ in key for b, c, _ in splits(a) if c]]
            else:
                wanted = [b for b, _, _ in splits(key)]
            for i, u in enumerate(node.inputs):
                if u.nptype.kind not in "fc":
                    continue
                for part in wanted:
                    if (i, part) not in inputs:
                        found = self.series.functional(u, part) if _is_functional(part) else self.series.coefficient(u, part)
                        if found is not None:
                            inputs[i, part] = found
        self.places = list(inputs)
        return list(inputs.values()), [t for t, _ in self.members]

    def _vjp(
        self, xp: Namespace, g: Any, inputs: Sequence[Array], outputs: Sequence[Array], attrs: Attrs, wanted: Sequence[int]
    ) -> list[Any]:
        node, series = self.v.node, self.series
        results = []
        partials: dict[int, Any] = {}
        for at in wanted:
            i, key = self.places[at]
            if i not in partials:
                partials[i] = node.op.partials[i](xp, *node.inputs, self.v, **node.attrs)
            # By shape: where all rows are alike, a coefficient and its cotangent may have one row, beside others with all.
            shapes: dict[Any, dict[tuple[float, bool], Any]] = {}
            for (_, member), vbar in zip(self.members, g, strict=True):
                if vbar is not None:
                    for m, factor, wide, over in self._terms(partials[i], member, key, vbar):
                        if factor is not None:
                            term = wide * xp.dual(factor)
                            sums = shapes.setdefault(term.sizes, {})
                            sums[m, over] = term if (m, over) not in sums else sums[m, over] + term
            total = None
            for sums in shapes.values():
                found = xp.fit(series.weighted(sums), inputs[at])
                total = found if total is None else total + found
            results.append(total)
        return results

    def _terms(self, h: Tensor, member: Any, key: Any, vbar: Any) -> list[Any]:
        """Return (weight, coefficient of h, cotangent, whether to sum over directions) of one output for one input."""
        series = self.series
        if not _is_functional(member):
            if _is_functional(key):
                return []
            over = series.is_batched(member) and not series.is_batched(key)
            return [(m, self._part(h, c, member), vbar, over) for b, c, m in splits(member) if b == key]
        if key == member:
            return [(1.0, h, vbar, False)]
        if not key:
            return [(1.0, series.part(h, member), vbar, False)]
        if _is_functional(key):
            return []
        return [
            (w * m, self._part(h, c, a), series.aligned(vbar, (), a), series.is_batched(a) and not series.is_batched(key))
            for a, w in member
            for b, c, m in splits(a)
            if b == key and c
        ]

    def _part(self, h: Any, c: Any, a: Any) -> Any:
        found = self.series.part(h, c)
        return None if found is None else self.series.aligned(found, c, a)


def _is_functional(key: Any) -> bool:
    return bool(key) and isinstance(key[0], tuple)


def entries_of(series: Series | None, ys: Sequence[Any], nodes: Sequence[Node], sources: Container[int] = ()) -> list[Any]:
    """Return the entries of a reverse sweep over the nodes, in order: (operation, inputs, output or outputs, attributes).

    With a series, the coefficients of an elementwise operation stand together as one entry; not those of a value that is
    differentiated by, which partial derivatives may read.
    """
    plain = [_entry(node) for node in nodes]
    if series is None:
        return plain
    groups: dict[int, _Group] = {}
    for node in nodes:
        if node.op.outputs == 1 and node.outputs[0].n in series.made:
            v, key = series.made[node.outputs[0].n]
            if v.n in series.made or v.n in sources or v.node.graph is not node.graph:
                continue
            group = groups.get(v.n)
            if group is None:
                group = groups[v.n] = _Group(series, v)
                group.members.append((v, ()))
            group.members.append((node.outputs[0], key))
    if not groups:
        return plain
    units: dict[int, Any] = {}
    for group in groups.values():
        inputs, outputs = group.close()
        unit: Any = (group, inputs, tuple(outputs), {})
        for t in outputs:
            units[t.n] = unit
    ordered = _in_order(ys, units)
    return plain if ordered is None else ordered


def _entry(node: Node) -> Any:
    return node.op, node.inputs, node.outputs[0] if node.op.outputs == 1 else node.outputs, node.attrs


def _in_order(ys: Sequence[Any], units: dict[int, Any]) -> list[Any] | None:
    """Return what the ys depend on in order, groups as one; None if they depend on one another in a circle."""
    done: set[int] = set()
    open_: set[int] = set()
    ordered: list[Any] = []
    single: dict[int, Any] = {}

    def unit_of(t: Tensor) -> Any:
        unit = units.get(t.n)
        if unit is None:
            unit = single.get(t.node.index)
            if unit is None:
                unit = single[t.node.index] = _entry(t.node)
        return unit

    stack: list[tuple[Any, int]] = [(unit_of(y), 0) for y in ys]
    while stack:
        unit, at = stack.pop()
        key = id(unit)
        if at == 0:
            if key in done:
                continue
            if key in open_:
                return None
            open_.add(key)
        inputs = unit[1]
        while at < len(inputs):
            child = unit_of(inputs[at])
            at += 1
            if id(child) not in done:
                if id(child) in open_:
                    return None
                stack.append((unit, at))
                stack.append((child, 0))
                break
        else:
            open_.discard(key)
            done.add(key)
            ordered.append(unit)
    return ordered
