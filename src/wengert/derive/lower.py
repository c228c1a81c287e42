"""Lowering: from a list with Gradient nodes to one without. This is the one place that chooses how to differentiate.

A Gradient node becomes coefficients of a Taylor series where the rows of x are independent (or x is one number), reverse
mode otherwise. A coefficient is not computed where it is asked for but where it is needed: sums, slices and further
gradients of coefficients are carried as sums of coefficients, `Deferred`, so that nested gradients ask one series for its
greatest index, and a sum of greatest coefficients (a Laplacian, u_t - ν u_xx) is carried through the list as one value.

The cost model, in forward passes: Taylor mode costs one for each coefficient, so one for each direction and order; nested
reverse mode multiplies by three with each order, and is blind to the number of directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wengert.derive.adjoint import entries_of
from wengert.derive.choice import REVERSE_FACTOR, Choice, Path, Refusal
from wengert.derive.decide import Decisions
from wengert.derive.deferred import Columns, Deferred, alone, filled, ones_like, scaled
from wengert.derive.directions import Directions
from wengert.derive.frame import Frame
from wengert.derive.lowered import Lowered, blank, number_in, sharpened, watchers
from wengert.derive.questions import GRADIENT, TAYLOR, split_gradient
from wengert.derive.reverse import reach_of, sweep
from wengert.derive.series import Series
from wengert.derive.structure import ancestors
from wengert.derive.sums import Sums
from wengert.derive.survey import Survey, name_of
from wengert.graph.node import Node
from wengert.ground.context import state
from wengert.ground.options import options
from wengert.ground.shapes import is_full
from wengert.ops import linear
from wengert.ops.control import opened
from wengert.ops.linear import (
    CONSTANT,
    PLACEHOLDER,
)
from wengert.ops.state import FED
from wengert.tensor.tensor import Graph, SymbolicTensor, Tensor, tensors

__all__ = ["lower"]


def lower(
    graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Iterable[Node], sizes: Sequence[Any] | None = None
) -> Any:
    """Lower what the fetches and the controls need; ``sizes``: the shapes that the feeds will have, where they are known.

    Returns:
        (lowered list, the fetched tensors in it, the placeholders of the feeds in it, the control nodes in it).
    """
    return _Lowering(fetches, list(controls)).run(fetches, feeds, controls, sizes)


class _Lowering:
    """One lowering: the walk over the source list."""

    def __init__(self, fetches: Sequence[Any], controls: Sequence[Node]) -> None:
        self.lowered = Lowered()
        self.series = Series(self.lowered.nodes)
        self.survey = Survey(fetches, controls)
        self.sums = Sums(self.lowered, self.series, self.survey)
        self.directions = Directions(self.lowered, self.series, self.sums)
        self.decisions = Decisions(self.lowered, self.series, self.survey, self.directions)
        self.mapped: dict[int, Any] = {}
        self.fed: dict[int, Any] = {}
        self.twins: dict[Node, Node] = {}

    def run(self, fetches: Sequence[Any], feeds: Sequence[Any], controls: Iterable[Node], sizes: Sequence[int] | None) -> Any:
        lowered, places = self.lowered, []
        for k, t in enumerate(feeds):
            shape = t.sizes if sizes is None else sizes[k]
            attrs = {"dtype": t.nptype, "shape": shape}
            place = lowered.append(PLACEHOLDER, (), attrs, [(shape, t.nptype)], t.name, None, ("feed", t.n)).outputs[0]
            places.append(place)
            lowered.fed.add(place.n)
            if t.node.op is PLACEHOLDER:
                self.mapped[t.n] = place
            else:
                self.fed[t.n] = place
        before = state.graph, state.observers, state.site
        state.graph, state.observers = lowered, ()
        try:
            for node in self.survey.nodes:
                state.site = node.site
                if node.op is PLACEHOLDER and node.outputs[0].n in self.mapped:
                    continue  # a feed
                if node.op is GRADIENT:
                    results = self._gradient(node)
                elif node.op is TAYLOR:
                    results = self._taylor(node)
                else:
                    results = self.sums.folded(node, [self.mapped[t.n] for t in node.inputs], self.value) or self._copy(node)
                for t, r in zip(node.outputs, results, strict=True):
                    if t.n in self.fed:
                        place = self.fed[t.n]
                        spec = [(place.sizes, t.nptype)]
                        r = lowered.append(FED, (self.sums.force(r), place), {}, spec, None, node.site, t.n).outputs[0]
                    elif t.n in self.survey.singled and node.op in (GRADIENT, TAYLOR):
                        # A derivative by a derivative, or not through one: it stands for itself, not for the coefficients
                        # that it is made of, nor for a number to be computed with beforehand.
                        r = self.sums.force(r)
                        spec = [(r.sizes, r.nptype)]
                        r = lowered.append(linear.IDENTITY, (r,), {}, spec, None, node.site, (t.n,)).outputs[0]
                    self.mapped.setdefault(t.n, r)
            found = []
            for t in fetches:
                state.site = t.node.site
                found.append(self.value(t))
            found = self._spared(found)
        finally:
            state.graph, state.observers, state.site = before
        for watcher in watchers:
            watcher(lowered)
        twins = [self.twins[c] for c in controls if c in self.twins]
        blank(found, twins, lowered.fed)
        return lowered, found, places, twins

    def _spared(self, found: list[Any]) -> list[Any]:
        """Return the fetches computed without placeholders that are not fed, where they need known shapes of them alone."""
        waiting = {node.outputs[0].n for node in self.lowered.nodes if node.op is PLACEHOLDER} - self.lowered.fed
        if not waiting:
            return found
        mapped: dict[int, Any] = {}
        for node in ancestors(found):
            if node.op is FED or node.op.stateful or node.control_inputs:
                continue
            inputs = [mapped.get(t.n, t) for t in node.inputs]
            at = node.op.reference
            if at in node.op.constant_inputs and inputs[at].n in waiting and is_full(inputs[at].sizes):
                inputs[at] = filled(0, inputs[at])
            outputs = node.outputs
            if any(new is not old for new, old in zip(inputs, node.inputs, strict=True)):
                specs = [(t.sizes, t.nptype) for t in node.outputs]
                outputs = self.lowered.append(node.op, tuple(inputs), node.attrs, specs, node.name, node.site).outputs
                mapped.update(zip([t.n for t in node.outputs], outputs, strict=True))
            if any(t.n in waiting for t in inputs):
                waiting.update([t.n for t in outputs])
        return [mapped.get(t.n, t) for t in found]

    def value(self, t: Tensor) -> Any:
        """Return a source tensor's value in the lowered list."""
        r = self.mapped[t.n]
        if r.__class__ is not SymbolicTensor:
            r = self.mapped[t.n] = self.sums.force(r)
        return r

    def _copy(self, node: Node) -> Any:
        own = [t.n for t in node.outputs if t.n in self.survey.singled]
        # An operation that waits for others waits for what has been lowered of them.
        waits = tuple([self.twins[c] for c in node.control_inputs if c in self.twins])
        inputs = tuple([self.value(t) for t in node.inputs])
        specs = [(t.sizes, t.nptype) for t in node.outputs]
        if inputs and not all(is_full(s) for s, _ in specs):
            specs = sharpened(node, inputs, specs)
        unique: Any = tuple(own) if own else None
        if node.op is PLACEHOLDER:
            unique = node.outputs[0].n
        if own and node.op is CONSTANT:
            # What is differentiated by is not a number to be computed with beforehand.
            inputs, unique = self.lowered.append(CONSTANT, (), node.attrs, specs, node.name, node.site).outputs, tuple(own)
            twin = self.lowered.append(linear.IDENTITY, inputs, {}, specs, node.name, node.site, unique, waits)
            self.twins[node] = twin
            return twin.outputs
        kept = opened(node.op, node.attrs) if node in self.survey.through else None
        if kept is not None:
            specs = [*specs, *node.op.infer(inputs, kept.attrs)[kept.own :]]
            twin = self.lowered.append(node.op, inputs, kept.attrs, specs, node.name, node.site, unique, waits)
            self.twins[node] = twin
            return self.lowered.keep(twin.outputs, kept)
        twin = self.lowered.append(node.op, inputs, node.attrs, specs, node.name, node.site, unique, waits)
        self.twins[node] = twin
        return twin.outputs

    def _gradient(self, node: Node) -> list[Any]:
        ys, gs, xs, stops = split_gradient(node)
        self.lowered.opening = node in self.survey.nested
        blocked = frozenset(self.value(t).n for t in stops)
        values = [self.value(x) for x in xs]
        frames: list[Frame | str] = []
        bases = None
        for x, t, out in zip(values, xs, node.outputs, strict=True):
            try:
                if bases is None:
                    bases = self._bases(ys, gs)
                frames.append(self.decisions.frame(node, x, t, out, bases, blocked))
            except Refusal as refusal:
                frames.append(str(refusal))
        high = self.survey.height[node]
        if high <= 1 and any(isinstance(f, str) for f in frames):
            reason = next(f for f in frames if isinstance(f, str))
            frames = [f"another x of the request goes by reverse mode: {reason}" if isinstance(f, Frame) else f for f in frames]
        results: list[Any] = [None] * len(xs)
        left = [k for k, f in enumerate(frames) if isinstance(f, str)]

        def by_reverse(which: Sequence[int]) -> list[Any]:
            weights = [None if g is None else self.value(g) for g in gs]
            inner = [self._differentiated(y, g) for y, g in zip(ys, weights, strict=True)]
            found = self._reverse(inner, weights, [values[k] for k in which], blocked)
            if any(self.series.bounds.wild(y) for y in inner):
                self.directions.wild.update([r.n for r in found])
            return found

        for k, f in enumerate(frames):
            if isinstance(f, Frame):
                assert bases is not None

                def note(reason: str, k: int = k) -> None:
                    self._note(node, xs[k], reason, bases)

                results[k] = self.directions.gradient(f, bases, blocked, lambda k=k: by_reverse([k])[0], note)
            self._note(node, xs[k], f, bases)
        if left:
            for k, r in zip(left, by_reverse(left), strict=True):
                results[k] = r
        return results

    def _differentiated(self, y: Tensor, g: Tensor | None) -> Any:
        """Return a value whose sum is that of y: of a gradient by all columns, the sum along one direction."""
        r = self.mapped[y.n]
        return self.sums.force(r.total()) if isinstance(r, Columns) and g is None else self.value(y)

    def _note(self, node: Node, x: Tensor, frame: Any, bases: Sequence[Any] | None) -> None:
        order = self.survey.orders[node.index]
        reverse = float(sum(REVERSE_FACTOR**k for k in range(order)) + 1)
        if isinstance(frame, str):
            # What is inside may be a series: reverse mode over its coefficients.
            inside = max([len(a) for d, _ in bases or () for _, a in d.terms], default=0)
            cost = min(reverse, float(REVERSE_FACTOR * (inside + 1))) if inside else reverse
            choice = Choice(node.where, name_of(x), "reverse", order, 0, cost, reverse, frame)
        else:
            asked = self.survey.asked[node.outputs[0].n]
            cost = 1.0 + order * (asked.directions if frame.dear else asked.of(frame.width))
            how = f"rows along axis {frame.axis}, {frame.width} a row" if frame.axis is not None else f"{frame.width} numbers"
            if frame.dear:
                how += f"; its sum is one direction, its value by reverse mode ({frame.dear})"
            choice = Choice(node.where, name_of(x), "taylor", order, frame.width, cost, reverse, how)
        self.lowered.choices.append(choice)

    def _bases(self, ys: Sequence[Any], gs: Sequence[Any]) -> list[tuple[Deferred, Any]]:
        """Return each y as a sum of coefficients, with its cotangent; None for ones."""
        found = []
        for y, g in zip(ys, gs, strict=True):
            weight = None if g is None else self.value(g)
            number = None if weight is None else number_in(weight)
            r = self.mapped[y.n]
            if isinstance(r, Columns):
                r = self.value(y) if weight is not None and not number else r.total()
            d = r if isinstance(r, Deferred) else alone(r)
            found.append((scaled(d, number), None) if number else (d, weight))
        return found

    def _reverse(self, ys: Sequence[Any], gs: Sequence[Any], xs: Sequence[Any], blocked: frozenset[int]) -> list[Any]:
        cotangents: dict[int, Any] = {}
        for y, g in zip(ys, gs, strict=True):
            if g is None:
                g = ones_like(y)
            cotangents[y.n] = g if y.n not in cotangents else cotangents[y.n] + g
        sources = {x.n for x in xs}
        nodes = [n for n in ancestors(ys) if n.op.kind != "constant" and not all(o.n in blocked for o in n.outputs)]
        entries = entries_of(self.series if options.adjoint and not blocked else None, ys, nodes, sources)
        reach = reach_of(entries, sources)
        found = sweep(tensors, entries, cotangents, reach, sources, raw=False, blocked=blocked)
        return [found[x.n] if x.n in found else filled(0, x) for x in xs]

    def _taylor(self, node: Node) -> list[Any]:
        """Lower a Taylor node: the coefficients of ys, those of xs being given."""
        ny, nx = node.attrs["ys"], node.attrs["xs"]
        seeds, indices, outputs = node.attrs["seeds"], node.attrs["given"], node.attrs["wanted"]
        values = [self.value(t) for t in node.inputs]
        ys, xs, rest = values[:ny], values[ny : ny + nx], values[ny + nx :]
        own = {(xs[i].n, a): c for (i, a), c in zip(indices, rest, strict=True)}
        for x in xs:
            path = Path(x, frozenset())
            path.advance(self.lowered.nodes)
            for y in ys:
                if path.reasons.get(y.n):
                    raise NotImplementedError(path.reasons[y.n])
        first = self.series.seed(own, frozenset(), seeds)
        self.series.ceiling = max((tuple(s + first for s in a) for _, a in outputs), key=len, default=())
        found = []
        for i, a in outputs:
            index = tuple(s + first for s in a)
            c = self.series.coefficient(ys[i], index)
            found.append(filled(0, ys[i]) if c is None else self.series.whole(c, ys[i]))
        return found
