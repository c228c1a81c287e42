"""Lowering: from a list with Gradient nodes to one without. This is the one place that chooses how to differentiate.

A Gradient node becomes coefficients of a Taylor series where the rows of x are independent (or x is one number), reverse
mode otherwise. A coefficient is not computed where it is asked for but where it is needed: sums, slices and further
gradients of coefficients are carried as sums of coefficients, `Deferred`, so that nested gradients ask one series for its
greatest index, and a sum of greatest coefficients (a Laplacian, u_t - ν u_xx) is carried through the list as one value.

The cost model, in forward passes: Taylor mode costs one for each coefficient, so one for each direction and order; nested
reverse mode multiplies by three with each order, and is blind to the number of directions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wengert.derive.adjoint import entries_of
from wengert.derive.choice import REVERSE_FACTOR, TAIL, Asked, Choice, Path, Refusal, mentions_output, reads_sum, takes_directions
from wengert.derive.deferred import Columns, Deferred, filled, is_below, ones_like, scaled, total_of
from wengert.derive.directions import BATCH, Frame, axes_of_rows, column_index, others_of
from wengert.derive.lowered import Lowered, blank, needed, number_in, sharpened, watchers
from wengert.derive.questions import GRADIENT, TAYLOR, split_gradient
from wengert.derive.reverse import reach_of, sweep
from wengert.derive.rows import Rows
from wengert.derive.series import Combination, Series, join, plus
from wengert.derive.structure import ancestors
from wengert.graph.graph import Node
from wengert.ground.context import Site, state
from wengert.ground.options import options
from wengert.ground.shapes import is_full, text
from wengert.ops import elementwise, linear, reduction
from wengert.ops.control import OPENED, opened
from wengert.ops.elementwise import DIVIDE, MULTIPLY, NEGATIVE
from wengert.ops.linear import (
    CONSTANT,
    EXPAND_DIMS,
    GETITEM,
    IDENTITY,
    PLACEHOLDER,
    RESHAPE,
    SPLIT,
    SQUEEZE,
    TRANSPOSE,
    UNSTACK,
)
from wengert.ops.reduction import MEAN, SUM
from wengert.ops.state import FED, HANDLE, READ
from wengert.tensor.tensor import Graph, SymbolicTensor, apply, convert, tensors

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
    """One lowering."""

    def __init__(self, fetches: Sequence[Any], controls: Sequence[Node]) -> None:
        self.lowered = Lowered()
        self.series = Series(self.lowered.nodes)
        self.mapped: dict[int, Any] = {}
        self.fed: dict[int, Any] = {}
        self.twins: dict[Node, Node] = {}
        self.rows: dict[Any, Rows] = {}
        self.paths: dict[Any, Path] = {}
        self.directions: dict[Any, int] = {}
        self.units: dict[int, tuple[Frame, tuple[int, ...]]] = {}
        """By seed: the frame, and which columns of it."""
        self.taken: dict[int, Any] = {}
        """The seeds along which derivatives are series, and by what."""
        self.wild: set[int] = set()
        """Values that reverse mode found through slopes that may be infinite, and what is computed from them."""
        self.wild_upto = 0
        self.batches: dict[tuple[int, ...], int] = {}
        self.nodes = needed(fetches, controls)
        self.singled: set[int] = set()
        self.uses: dict[int, int] = {}
        self.orders: dict[int, int] = {}
        for t in fetches:
            self.uses[t.n] = 2
        for node in self.nodes:
            ys: list[Any] = []
            if node.op is GRADIENT:
                ys, _, xs, stops = split_gradient(node)
                self.singled |= {x.n for x in (*xs, *stops)}
            elif node.op is TAYLOR:
                self.singled |= {x.n for x in node.inputs[node.attrs["ys"] : node.attrs["ys"] + node.attrs["xs"]]}
            for t in node.inputs[len(ys) :]:
                self.uses[t.n] = self.uses.get(t.n, 0) + 1
        self.awkward = self._awkward()
        self.height = self._heights()
        self.asked: dict[int, Asked] = {}
        self.outer: dict[int, int] = {}
        self.through = self._through_control()
        self.nested = self._nested()
        self._survey({t.n for t in fetches})

    def _through_control(self) -> set[Node]:
        """Return the choices, loops and Python functions that derivatives may lead through."""
        if not any(node.op in OPENED for node in self.nodes):
            return set()
        sources: set[int] = set()
        targets: list[Any] = []
        for node in self.nodes:
            if node.op is GRADIENT:
                ys, _, xs, _ = split_gradient(node)
            elif node.op is TAYLOR:
                ys, xs = list(node.inputs[: node.attrs["ys"]]), list(node.inputs[node.attrs["ys"] :][: node.attrs["xs"]])
            else:
                continue
            targets += ys
            sources.update(x.n for x in xs)
        behind = set(ancestors(targets))
        found = set()
        for node in self.nodes:
            if any(t.n in sources for t in node.inputs):
                sources.update(t.n for t in node.outputs)
                if node in behind and node.op in OPENED:
                    found.add(node)
        return found

    def _nested(self) -> set[Node]:
        """Return the Gradient nodes of which further derivatives are taken."""
        inside: set[int] = set()
        found = set()
        for node in reversed(self.nodes):
            gradient = node.op in (GRADIENT, TAYLOR)
            if any(t.n in inside for t in node.outputs):
                inside.update(t.n for t in node.inputs)
                if gradient:
                    found.add(node)
            elif gradient:
                inside.update(t.n for t in node.inputs)
        return found

    def _awkward(self) -> list[tuple[Node, Any, set[int]]]:
        """Return the Gradient nodes by a value that is computed by an operation whose derivative reads its output.

        With each: that value, and the numbers of all that it is computed from. Of a derivative by one of these, the
        derivative by the value depends on the very form of the first; see `_check_related`.
        """
        found = []
        for node in self.nodes:
            if node.op is GRADIENT:
                for x in split_gradient(node)[2]:
                    if x.node.op.kind not in ("constant", "linear", "bilinear") and mentions_output(x.node):
                        found.append((node, x, {t.n for a in ancestors(x.node.inputs) for t in a.outputs}))
        return found

    # --- how deep gradients are nested, and which columns of them are used ---------------------------------------------

    def _heights(self) -> dict[Node, int]:
        """Return for each Gradient node the greatest order of derivatives by coordinates that it is a part of."""
        depth: dict[int, int] = {}
        for node in self.nodes:
            deep = max([depth.get(t.n, 0) for t in node.inputs], default=0)
            if node.op is GRADIENT:
                if any(x.node.op not in (HANDLE, READ) for x in split_gradient(node)[2]):
                    deep += 1
                self.orders[node.index] = deep
            for t in node.outputs:
                depth[t.n] = deep
        above: dict[int, int] = {}
        found: dict[Node, int] = {}
        for node in reversed(self.nodes):
            high = max([above.get(t.n, 0) for t in node.outputs], default=0)
            if node.op is GRADIENT:
                high = max(high, self.orders[node.index])
                found[node] = high
                inner = split_gradient(node)
                if all(x.node.op in (HANDLE, READ) for x in inner[2]):
                    high = 0
            for t in node.inputs:
                above[t.n] = max(above.get(t.n, 0), high)
        return found

    def _survey(self, fetched: set[int]) -> None:
        """Note which columns of a gradient are used, and how many further gradients are taken of it."""
        users_of: dict[int, list[Node]] = {}
        for node in self.nodes:
            for t in node.inputs:
                if t.node.op is GRADIENT:
                    users_of.setdefault(t.n, []).append(node)
        users: dict[int, int] = {}
        for node in self.nodes:
            if node.op is GRADIENT:
                for y in split_gradient(node)[0]:
                    at = y
                    while at.node.op in (GETITEM, SQUEEZE, RESHAPE, SUM, IDENTITY, NEGATIVE):
                        at = at.node.inputs[0]
                    users[at.n] = users.get(at.n, 0) + 1
        for node in self.nodes:
            if node.op is not GRADIENT:
                continue
            for t in node.outputs:
                self.outer[t.n] = users.get(t.n, 0)
                slices, whole, summed = set(), t.n in fetched, False
                for user in users_of.get(t.n, ()):
                    if user.op is GETITEM and len(user.inputs) == 1:
                        slices.add(repr(user.attrs["index"]))
                    elif reads_sum(user, t):
                        summed = True
                    else:
                        whole = True
                self.asked[t.n] = Asked(len(slices) + summed, whole, summed)

    # --- the walk ------------------------------------------------------------------------------------------------------

    def run(self, fetches: Sequence[Any], feeds: Sequence[Any], controls: Iterable[Node], sizes: Any) -> Any:
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
            for node in self.nodes:
                state.site = node.site
                if node.op is PLACEHOLDER and node.outputs[0].n in self.mapped:
                    continue  # a feed
                if node.op is GRADIENT:
                    results = self._gradient(node)
                elif node.op is TAYLOR:
                    results = self._taylor(node)
                else:
                    results = self._folded(node) or self._copy(node)
                for t, r in zip(node.outputs, results, strict=True):
                    if t.n in self.fed:
                        place = self.fed[t.n]
                        spec = [(place.sizes, t.nptype)]
                        r = lowered.append(FED, (self.force(r), place), {}, spec, None, node.site, t.n).outputs[0]
                    elif t.n in self.singled and node.op in (GRADIENT, TAYLOR):
                        # A derivative by a derivative, or not through one: it stands for itself, not for the coefficients
                        # that it is made of, nor for a number to be computed with beforehand.
                        r = self.force(r)
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
            at: int = getattr(node.op.infer, "reference", -1)
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

    def value(self, t: Any) -> Any:
        """Return a source tensor's value in the lowered list."""
        r = self.mapped[t.n]
        if r.__class__ is not SymbolicTensor:
            r = self.mapped[t.n] = self.force(r)
        return r

    def _copy(self, node: Node) -> Any:
        own = [t.n for t in node.outputs if t.n in self.singled]
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
        kept = opened(node.op, node.attrs) if node in self.through else None
        if kept is not None:
            specs = [*specs, *node.op.infer(inputs, kept.attrs)[kept.own :]]
            twin = self.lowered.append(node.op, inputs, kept.attrs, specs, node.name, node.site, unique, waits)
            self.twins[node] = twin
            return self.lowered.keep(twin.outputs, kept)
        twin = self.lowered.append(node.op, inputs, node.attrs, specs, node.name, node.site, unique, waits)
        self.twins[node] = twin
        return twin.outputs

    # --- sums of coefficients ----------------------------------------------------------------------------------------

    def _folded(self, node: Node) -> Any:
        """Return the outputs of an operation on deferred values, deferred again; None if their values are needed."""
        given = [self.mapped[t.n] for t in node.inputs]
        if all(g.__class__ is SymbolicTensor for g in given) or any(t.n in self.singled for t in node.outputs):
            return None
        op = node.op
        if isinstance(given[0], Columns):
            return self._columns_folded(node, given[0]) if len(given) == 1 else None
        if any(isinstance(g, Columns) for g in given):
            return None
        single = [isinstance(g, Deferred) and self.uses.get(t.n, 0) <= 1 for g, t in zip(given, node.inputs, strict=True)]
        if not any(single):
            return None
        nptype = node.outputs[0].nptype
        if op in (elementwise.ADD, elementwise.SUBTRACT, elementwise.ADD_N):
            parts = [g if yes else self._as_deferred(self.value(t)) for g, yes, t in zip(given, single, node.inputs, strict=True)]
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
            other = self.value(node.inputs[1 - at])
            number = number_in(other) if other.sizes == () or other.sizes == (1,) * len(given[at].sizes) else None
            if number is None or (op is elementwise.DIVIDE and not number):
                return None
            return [scaled(given[at], number if op is elementwise.MULTIPLY else 1.0 / number)]
        if op in (GETITEM, SQUEEZE, EXPAND_DIMS, TRANSPOSE, linear.RESHAPE) and len(given) == 1:
            return [self._through(given[0], lambda base: apply(op, (base,), node.attrs))]
        return None

    def _as_deferred(self, t: Any) -> Deferred:
        return Deferred({(t.n, ()): 1.0}, {t.n: t}, t.sizes, t.nptype)

    def _through(self, d: Deferred, move: Any) -> Deferred:
        """Apply a linear operation: the coefficients of its value are its values of the coefficients."""
        moved = {n: move(t) for n, t in d.tensors.items()}
        terms: dict[Any, float] = {}
        for (n, a), c in d.terms.items():
            key = (moved[n].n, a)
            terms[key] = terms.get(key, 0.0) + c
        one = next(iter(moved.values()))
        return Deferred(terms, {t.n: t for t in moved.values()}, one.sizes, one.nptype)

    def _columns_folded(self, node: Node, g: Columns) -> Any:
        op, attrs = node.op, node.attrs
        if op is GETITEM:
            return self._picked(g, attrs["index"])
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
                one = self._picked(g, (slice(None), item) if g.axis == 0 else (item, slice(None)))
                if one is None:
                    return None
                found += one
            return found
        return [g] if op is linear.IDENTITY else None

    def _picked(self, g: Columns, index: tuple[Any, ...]) -> Any:
        found = g.pick(index)
        if found is None or isinstance(found, Columns):
            return None if found is None else [found]
        number, rest = found
        part = g.part((number,))
        return [self._through(part, lambda base: apply(GETITEM, (base,), {"index": rest})) if rest else part]

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
                found = self._functional(base, tuple(tops))
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

    def _functional(self, base: Any, terms: Any) -> Any:
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

    def _batch(self, base: Any, seeds: tuple[int, ...]) -> int | None:
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

    def _carries(self, base: Any, sources: set[int], blocked: frozenset[int]) -> bool:
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

    # --- gradients --------------------------------------------------------------------------------------------------

    def _gradient(self, node: Node) -> list[Any]:
        ys, gs, xs, stops = split_gradient(node)
        self.lowered.opening = node in self.nested
        blocked = frozenset(self.value(t).n for t in stops)
        values = [self.value(x) for x in xs]
        frames: list[Frame | str] = []
        bases = None
        for x, t, out in zip(values, xs, node.outputs, strict=True):
            try:
                if bases is None:
                    bases = self._bases(ys, gs)
                frames.append(self._frame(node, x, t, out, bases, blocked))
            except Refusal as refusal:
                frames.append(str(refusal))
        high = self.height[node]
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
                self.wild.update([r.n for r in found])
            return found

        for k, f in enumerate(frames):
            if isinstance(f, Frame):
                assert bases is not None

                def note(reason: str, k: int = k) -> None:
                    self._note(node, xs[k], reason, bases)

                results[k] = self._directional(f, bases, blocked, lambda k=k: by_reverse([k])[0], note)
            self._note(node, xs[k], f, bases)
        if left:
            for k, r in zip(left, by_reverse(left), strict=True):
                results[k] = r
        return results

    def _differentiated(self, y: Any, g: Any) -> Any:
        """Return a value whose sum is that of y: of a gradient by all columns, the sum along one direction."""
        r = self.mapped[y.n]
        return self.force(r.total()) if isinstance(r, Columns) and g is None else self.value(y)

    def _note(self, node: Node, x: Any, frame: Any, bases: Any) -> None:
        order = self.orders[node.index]
        reverse = float(sum(REVERSE_FACTOR**k for k in range(order)) + 1)
        if isinstance(frame, str):
            # What is inside may be a series: reverse mode over its coefficients.
            inside = max([len(a) for d, _ in bases or () for _, a in d.terms], default=0)
            cost = min(reverse, float(REVERSE_FACTOR * (inside + 1))) if inside else reverse
            choice = Choice(node.where, _name(x), "reverse", order, 0, cost, reverse, frame)
        else:
            asked = self.asked[node.outputs[0].n]
            cost = 1.0 + order * (asked.directions if frame.dear else asked.of(frame.width))
            how = f"rows along axis {frame.axis}, {frame.width} a row" if frame.axis is not None else f"{frame.width} numbers"
            if frame.dear:
                how += f"; its sum is one direction, its value by reverse mode ({frame.dear})"
            choice = Choice(node.where, _name(x), "taylor", order, frame.width, cost, reverse, how)
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
            d = r if isinstance(r, Deferred) else self._as_deferred(r)
            found.append((scaled(d, number), None) if number else (d, weight))
        return found

    def _frame(self, node: Node, x: Any, t: Any, out: Any, bases: Any, blocked: frozenset[int]) -> Frame:
        if not options.taylor:
            raise Refusal("Taylor mode is switched off")
        if x.nptype.kind != "f" or any(d.nptype != x.nptype for d, _ in bases):
            raise Refusal("the dtypes are not one real dtype")
        if x.sizes is None:
            raise Refusal(f"the shape of {_name(t)} is not known")
        if any(b.sizes is None for d, _ in bases for b in d.tensors.values()):
            raise Refusal("a shape on the way is not known")
        self._check_related(x, blocked)
        for other, at, before in self.awkward:
            if other.index > node.index and t.n in before and at.n != t.n:
                raise Refusal(
                    f"a derivative by {_name(at)} is taken of this one, and {at.node.op.name}, by which that is computed, names "
                    "its output in its derivative"
                )
        high = self.height[node]
        variable = t.node.op in (HANDLE, READ)
        nested = self._nested_by(node, t)
        if variable and not nested:
            raise Refusal("a variable, and the order in it is one")
        if is_full(x.sizes) and math.prod(x.sizes) == 1:
            if high <= 1 and not any(len(b.sizes) == len(x.sizes) for d, _ in bases for b in d.tensors.values()):
                raise Refusal("reverse mode costs less: one number, order one")
            self._check_path(x, bases, blocked)
            return self._allowed(node, t, out, Frame(x, None, None, 1), bases, blocked)
        reasons = []
        for axis in axes_of_rows(x):
            rest = others_of(x, axis)
            if None in rest or not math.prod(rest):
                reasons.append(f"the number of columns of {_name(t)} is not known")
                continue
            if x.sizes[axis] == 1 and len(x.sizes) > 1:
                continue  # one row: its elements are columns
            try:
                frame = self._row_frame(x, axis, math.prod(rest), bases, blocked)
                return self._allowed(node, t, out, frame, bases, blocked)
            except Refusal as refusal:
                reasons.append(str(refusal))
        if is_full(x.sizes) and 0 < math.prod(x.sizes) <= 64 and len(x.sizes) == 1 and high > 1:
            self._check_path(x, bases, blocked)
            return self._allowed(node, t, out, Frame(x, None, None, math.prod(x.sizes)), bases, blocked)
        raise Refusal(reasons[0] if reasons else "its elements are not independent rows")

    def _check_related(self, x: Any, blocked: frozenset[int]) -> None:
        """Raise Refusal if the order of derivatives by x and by an earlier source matters.

        It does where one is computed from the other by an operation whose partial derivative is stated through its output:
        of exp(x), which is v, a derivative by v is left in the derivative by x, but not the other way round.
        """
        for seed, source in self.taken.items():
            if source.n == x.n:
                continue
            later = x if self.series.depends(x, seed) else None
            if later is None and mentions_output(source.node):
                path = self._path(x, blocked)
                later = source if source.n in path.reasons else None
            if later is not None and mentions_output(later.node):
                raise Refusal(f"{later.node.op.name}, by which {_name(later)} is computed, names its output in its derivative")

    def _path(self, x: Any, blocked: frozenset[int]) -> Path:
        """Return what depends on x, up to date."""
        path = self.paths.setdefault((x.n, blocked), Path(x, blocked))
        path.advance(self.lowered.nodes)
        return path

    def _nested_by(self, node: Node, t: Any) -> bool:
        """Whether a derivative by the same variable stands within, or around."""
        return any(other is not node and other.op is GRADIENT and any(x is t for x in split_gradient(other)[2])
                   for other in self.nodes) if t.sizes is not None and self.height[node] > 1 else False  # fmt: skip

    def _allowed(self, node: Node, t: Any, out: Any, frame: Frame, bases: Any, blocked: frozenset[int]) -> Frame:
        """Return the frame with what it costs; raise Refusal where reverse mode costs less, or must decide."""
        if frame.width == 1:
            reason = self._stands_in(self._seed(frame, (0,), blocked), bases)
            if reason is not None:
                raise Refusal(reason)
        dear = self._dear(node, t, out, frame.width)
        if dear is not None and not self.asked[out.n].summed:
            raise Refusal(dear)
        return frame._replace(dear=dear)

    def _dear(self, node: Node, t: Any, out: Any, count: int) -> str | None:
        """Return why reverse mode finds the columns that are asked for at less cost; None if it does not.

        Reverse mode is blind to columns. Once more over what stands inside, it costs three times that, so the last order by
        more than three columns goes by it. Where further derivatives are taken of the columns, it multiplies their cost too:
        by three with each order, where a series needs one coefficient for each multi-index.
        """
        asked = self.asked[out.n]
        used = asked.of(count)
        if used <= 2:
            return None
        own, above = self._order_in(node, t)
        order = own + above
        if not above:
            dear = used > (REVERSE_FACTOR if order > 1 else 2)
        elif asked.whole:
            dear = min(used**order, math.comb(used + order - 1, order)) > REVERSE_FACTOR**order
        else:
            dear = used > REVERSE_FACTOR**order * max(1, self.outer.get(out.n, 0))
        return f"reverse mode costs less: {used} columns, order {order} in {_name(t)}" if dear else None

    def _order_in(self, node: Node, t: Any) -> tuple[int, int]:
        """Return the greatest orders of derivatives within the node (its own counts) and around it.

        In x, or what x depends on or x decides.
        """
        before = {t.n} | {o.n for a in ancestors([t]) for o in a.outputs}
        related = set(before)
        for other in self.nodes:
            if any(i.n == t.n or (i.n in related and i.n not in before) for i in other.inputs):
                related.update([o.n for o in other.outputs])
        inner: dict[int, int] = {}
        outer: dict[int, int] = {}
        own = 0
        for other in self.nodes:
            step = int(other.op is GRADIENT and any(x.n in related for x in split_gradient(other)[2]))
            deep = max([inner.get(i.n, 0) for i in other.inputs], default=0) + step
            high = max([outer[i.n] for i in other.inputs if i.n in outer], default=-1)
            if other is node:
                own, high = deep, 0
            elif high >= 0:
                high += step
            for o in other.outputs:
                inner[o.n] = deep
                if high >= 0:
                    outer[o.n] = high
        return own, max(outer.values(), default=0)

    def _row_frame(self, x: Any, axis: int, count: int, bases: Any, blocked: frozenset[int]) -> Frame:
        key = (x.n, axis, blocked)
        if key not in self.rows:
            self.rows[key] = Rows({x.n: axis}, x.node.index + 1, blocked - {x.n})
        rows = self.rows[key]
        rows.advance(self.lowered.nodes, len(self.lowered.nodes))
        self._check_path(x, bases, blocked)
        for d, g in bases:
            for n, base in d.tensors.items():
                if n in rows.mixed and not self._tail(base, rows):
                    raise Refusal(rows.mixed[n])
                if n in rows.axes and not is_full(base.sizes) and None in others_of(base, rows.axes[n]):
                    raise Refusal("a shape on the way is not known")
            if g is not None and g.sizes is None:
                raise Refusal("the shape of a cotangent is not known")
        return Frame(x, axis, rows, count)

    def _check_path(self, x: Any, bases: Any, blocked: frozenset[int]) -> None:
        """Raise Refusal if an operation between x and the bases has no series."""
        path = self._path(x, blocked)
        for d, _ in bases:
            for n in d.tensors:
                if path.reasons.get(n):
                    raise Refusal(path.reasons[n])

    def _tail(self, base: Any, rows: Rows) -> bool:
        """Whether a value is a sum over rows of values whose rows are independent."""
        return self._frontier(base, rows) is not None

    def _frontier(self, base: Any, rows: Rows) -> list[Any] | None:
        """Return the nodes of the linear tail between a value and the last ones with independent rows."""
        pending, seen = [base], set()
        found: list[Any] = []
        while pending:
            t = pending.pop()
            if t.n in seen or t.n not in rows.mixed:
                continue
            seen.add(t.n)
            node = t.node
            depends = [i for i in node.inputs if i.n in rows.mixed or i.n in rows.axes]
            if node.op not in (SUM, MEAN) and any(i.n in rows.axes for i in depends):
                return None  # not a sum of rows, but a mixture of rows and sums
            linear_ = node.op in TAIL or (node.op is MULTIPLY and len(depends) == 1) or (
                node.op is DIVIDE and len(depends) == 1 and depends[0] is node.inputs[0])  # fmt: skip
            if not linear_ or len(found) > 64:
                return None
            found.append(node)
            pending.extend(depends)
        return sorted(found, key=lambda node: node.index)

    def _peeled(self, d: Deferred, g: Any, rows: Rows) -> list[tuple[Deferred, Any]]:
        """Carry a cotangent back through sums over rows, to values whose rows are independent."""
        mixed = [n for n in d.tensors if n in rows.mixed]
        if not mixed:
            return [(d, g)]
        found = []
        kept = {key: c for key, c in d.terms.items() if key[0] not in mixed}
        if kept:
            found.append((Deferred(kept, {n: t for n, t in d.tensors.items() if n not in mixed}, d.sizes, d.nptype), g))
        for (n, a), c in d.terms.items():
            if n not in mixed:
                continue
            base = d.tensors[n]
            nodes = self._frontier(base, rows)
            assert nodes is not None
            start = ones_like(base) if g is None else g
            entries = entries_of(None, [base], nodes)
            edge = {t.n: t for node in nodes for t in node.inputs if t.n in rows.axes and t.n not in rows.mixed}
            reach = reach_of(entries, set(edge))
            cotangents = sweep(tensors, entries, {n: start}, reach, set(edge), raw=False)
            for m, t in edge.items():
                if m in cotangents:
                    weight, number = cotangents[m], number_in(cotangents[m])
                    one = Deferred({(m, a): c * (1.0 if number is None else number)}, {m: t}, t.sizes, t.nptype)
                    found.append((one, weight if number is None else None))
        return found

    def _directional(self, frame: Frame, bases: Sequence[Any], blocked: frozenset[int], reverse: Any, note: Any) -> Any:
        """Return the gradient, deferred.

        ``reverse``: gives the whole of it by reverse mode, for a direction along which a series may not stand for it.
        """
        if frame.rows is not None:
            bases = [part for d, g in bases for part in self._peeled(d, g, frame.rows)]
        made: dict[tuple[int, ...], Deferred] = {}
        whole: list[Any] = []

        def of_all() -> Any:
            if not whole:
                whole.append(reverse())
            return whole[0]

        def part(columns: tuple[int, ...]) -> Deferred:
            if columns not in made:
                reason = self._stands_in(self._seed(frame, columns, blocked), bases)
                if reason is None:
                    made[columns] = self._one_direction(frame, columns, bases, blocked)
                else:
                    note(reason)
                    made[columns] = self._as_deferred(self._some_columns(of_all(), frame, columns))
            return made[columns]

        if frame.width == 1:
            return part((0,))
        return Columns(frame.x, frame.axis, range(frame.width), part, of_all if frame.dear else None)

    def _some_columns(self, g: Any, frame: Frame, columns: Sequence[int]) -> Any:
        """Return the sum of some columns of a gradient, in the shape that a column of x has."""
        total = None
        for j in columns:
            total = plus(total, apply(GETITEM, (g,), {"index": column_index(frame.x, frame.axis, j)}))
        return total

    def _seed(self, frame: Frame, columns: tuple[int, ...], blocked: frozenset[int]) -> int:
        """Return the seed of a direction: the sum of some unit columns."""
        x = frame.x
        key = (x.n, frame.axis, columns, blocked)
        if key not in self.directions:
            sizes = tuple(1 if k == frame.axis else s for k, s in enumerate(x.sizes))
            unit = np.zeros(math.prod(sizes), x.nptype)
            unit[list(columns)] = 1
            unit = unit.reshape(sizes)
            own: dict[Any, Any] = {(x.n, (0,)): convert(unit)}
            seed = self.series.seed(own, blocked - {x.n}, columns={x.n: None if unit.all() else unit != 0})
            self.directions[key] = seed
            self.units[seed] = frame, columns
        return self.directions[key]

    def _stands_in(self, seed: int, bases: Any) -> str | None:
        """Return why a series along a direction may not stand for the gradient of the bases; see `moves`."""
        nodes = self.lowered.nodes
        for at in range(self.wild_upto, len(nodes)):
            if any([t.n in self.wild for t in nodes[at].inputs]):
                self.wild.update([t.n for t in nodes[at].outputs])
        self.wild_upto = len(nodes)
        for d, _ in bases:
            for t in d.tensors.values():
                if t.n in self.wild:
                    return "a derivative within went by reverse mode, through slopes that may be infinite"
                if self.series.depends(t, seed) and self.series.moved[seed].reason(t):
                    return self.series.moved[seed].reason(t)
        return None

    def _one_direction(self, frame: Frame, columns: tuple[int, ...], bases: Sequence[Any], blocked: frozenset[int]) -> Deferred:
        seed = self._seed(frame, columns, blocked)
        self.taken[seed] = frame.x
        x = frame.x
        parts = []
        for d, g in bases:
            moved = {(n, join(a, (seed,))): c for (n, a), c in d.terms.items() if self._moves(d.tensors[n], seed, frame)}
            if not moved:
                continue
            one = Deferred(moved, {n: d.tensors[n] for n, _ in moved}, d.sizes, d.nptype)
            if g is not None:
                product = apply(elementwise.MULTIPLY, (g, self.force(one)))
                one = self._as_deferred(self._column(product, frame, next(iter(one.tensors.values()))))
            else:
                one = self._through(one, lambda base: self._column(base, frame, base))
            parts.append(one)
        if not parts:
            like = x if frame.width == 1 else apply(GETITEM, (x,), {"index": column_index(x, frame.axis, 0)})
            return self._as_deferred(filled(0, like))
        return total_of(parts, [1.0] * len(parts))

    def _moves(self, t: Any, seed: int, frame: Frame) -> bool:
        if frame.rows is not None:
            frame.rows.advance(self.lowered.nodes, len(self.lowered.nodes))
            return t.n in frame.rows.axes
        return self.series.depends(t, seed)

    def _column(self, t: Any, frame: Frame, base: Any) -> Any:
        """Return the sum over all but the rows, in the shape that a column of x has."""
        x = frame.x
        if frame.axis is None:
            if frame.width > 1:
                return apply(reduction.SUM, (t,), {"axis": None, "keepdims": False}) if t.sizes != () else t
            if t.sizes == x.sizes:
                return t
            total = t if t.sizes == () else apply(reduction.SUM, (t,), {"axis": None, "keepdims": False})
            return apply(linear.RESHAPE, (total,), {"shape": tuple(x.sizes)})
        assert frame.rows is not None
        axis = frame.rows.axes[base.n]
        over = tuple(k for k, s in enumerate(base.sizes) if k != axis and s != 1)
        if over:
            t = apply(reduction.SUM, (t,), {"axis": over, "keepdims": True})
        if len(t.sizes) == len(x.sizes) and axis == frame.axis:
            return t
        shape = tuple((x.sizes[k] if x.sizes[k] is not None else -1) if k == frame.axis else 1 for k in range(len(x.sizes)))
        return apply(linear.RESHAPE, (t,), {"shape": shape})

    # --- reverse mode -------------------------------------------------------------------------------------------------

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

    # --- series that are asked for by name -----------------------------------------------------------------------------

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


def _place() -> str:
    return "?" if state.site is None else str(Site(*state.site))


def _name(x: Any) -> str:
    return f"{x.node.name} {text(x.sizes)}"
