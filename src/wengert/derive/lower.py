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
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.derive.adjoint import entries_of
from wengert.derive.questions import GRADIENT, TAYLOR, split_gradient
from wengert.derive.reverse import reach_of, sweep
from wengert.derive.rows import Rows
from wengert.derive.series import Combination, Series, join, series_reason
from wengert.derive.structure import ancestors, freeze, traced
from wengert.graph.graph import Node
from wengert.ground.context import Site, quietly, state
from wengert.ground.errors import OpError
from wengert.ground.options import options
from wengert.ground.shapes import is_full, merge, text
from wengert.ops import elementwise, linear, reduction
from wengert.ops.contraction import MATMUL
from wengert.ops.control import COND, LOOP, OPENED, Opened, opened
from wengert.ops.elementwise import ADD, ADD_N, DIVIDE, MULTIPLY, NEGATIVE, SUBTRACT
from wengert.ops.linear import (
    BROADCAST_LIKE,
    BROADCAST_TO,
    CAST,
    CONCAT,
    CONSTANT,
    ENSURE_SHAPE,
    EXPAND_DIMS,
    FILL,
    GETITEM,
    IDENTITY,
    ONES_LIKE,
    PLACEHOLDER,
    RESHAPE,
    RESHAPE_LIKE,
    SHAPED,
    SPLIT,
    SQUEEZE,
    SUM_LIKE,
    SUM_TO,
    TRANSPOSE,
    UNSTACK,
    ZEROS_LIKE,
)
from wengert.ops.op import Op
from wengert.ops.reduction import MEAN, SUM
from wengert.ops.state import ASSIGN, FED, HANDLE, PY_FUNCTION, READ
from wengert.tensor.tensor import Graph, SymbolicTensor, apply, convert, tensors

__all__ = ["Choice", "Lowered", "lower", "needed", "watchers"]


ARRANGED = frozenset([GETITEM, TRANSPOSE, EXPAND_DIMS, SQUEEZE])
REVERSE_FACTOR = 3
"""By how much nested reverse mode's cost grows with an order; measured 2 to 4 in TensorFlow, PyTorch and JAX."""
BATCH = 4
"""Directions from which a sum of pure derivatives carries them side by side in one array."""
UNIFORM = frozenset([FILL, linear.BROADCAST_TO, linear.BROADCAST_LIKE, reduction.SPREAD_LIKE, ONES_LIKE, ZEROS_LIKE, CONSTANT])
"""Operations whose value may be one number in all places."""
PASSING = frozenset([IDENTITY, SUM_TO, RESHAPE, BROADCAST_TO, BROADCAST_LIKE, SUM_LIKE, SHAPED, RESHAPE_LIKE])
"""Operations that pass their input on where it has the shape already."""
SMALL = 4096
"""Elements up to which what can be computed from constants is computed at once."""


class Choice(NamedTuple):
    """How one derivative is found, and why."""

    where: str
    what: str
    method: str
    order: int
    directions: int
    cost: float
    """In forward passes, of all orders up to this one."""
    reverse_cost: float
    reason: str


watchers: list[Callable[[Lowered], None]] = []
"""Called with each list that has been lowered: how `wengert explain` learns of them."""


class Lowered(Graph):
    """A list without Gradient nodes, in which the same computation stands once."""

    building_function = True

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__()
        self.known: dict[Any, Node] = {}
        self.fed: set[int] = set()
        self.singled: set[int] = set()
        """Values that are differentiated by: what they hold is not to be computed with beforehand."""
        self.opened: dict[Node, Opened] = {}
        """Operations that keep what their derivative needs."""
        self.opening = False
        """Whether derivatives will lead through what rules append now."""
        self.choices: list[Choice] = []
        """How each derivative was found."""
        self.notes: list[tuple[str, str]] = []
        """Rewrites of sums of derivatives: where, and what became of them."""

    def keep(self, outputs: Sequence[Any], found: Opened) -> Any:
        """Note that an operation keeps what its derivative needs; return its own outputs."""
        self.opened[outputs[0].node] = found
        return outputs[: found.own]

    def record_of(self, node: Node) -> list[Any]:
        """Return what an operation took from the world: the derivative takes it as it is."""
        _, record, _ = self.opened[node].parts(node.outputs)
        return [apply(linear.STOP_GRADIENT, (t,)) if t.nptype.kind in "fc" else t for t in record]

    def append(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], specs: Any, name: str | None = None,
               site: Any = None, unique: Any = None, controls: tuple[Node, ...] = ()) -> Node:  # fmt: skip
        """Append an operation, or return the node that computes the same already.

        What acts on the world, is waited for, or is differentiated by (``unique``) stands for itself.
        """
        alone = op.stateful or controls
        key = None
        if not alone:
            key = (op, tuple([t.n for t in inputs]), freeze(attrs) if attrs else None, unique)
            node = self.known.get(key)
            if node is not None:
                return node
            if unique is None and inputs and options.simplify:
                simpler = _simpler(op, inputs, attrs, specs)
                if simpler is not None:
                    if isinstance(simpler, np.ndarray):
                        spec = [(simpler.shape, simpler.dtype)]
                        node = self.append(CONSTANT, (), {"value": simpler}, spec, None, site)
                    else:
                        node = simpler
                    self.known[key] = node
                    return node
        node = Node(self, op, inputs, attrs, name or op.label)
        node.outputs = tuple([SymbolicTensor(node, i, sizes, nptype) for i, (sizes, nptype) in enumerate(specs)])
        node.index, node.site, node.control_inputs = len(self.nodes), site, controls
        self.nodes.append(node)
        if key is not None:
            self.known[key] = node
        if unique is not None:
            self.singled.update([t.n for t in node.outputs])
        return node


# --- simplification -----------------------------------------------------------------------------------------------


def _simpler(op: Op, inputs: Sequence[Any], attrs: dict[str, Any], specs: Any) -> Any:
    """Return a node that gives the same, or an array if the value is known, or None."""
    if not specs:
        return None
    sizes, nptype = specs[0]
    if op is elementwise.MULTIPLY:
        for one, other in ((inputs[0], inputs[1]), (inputs[1], inputs[0])):
            if _is_number(one, 1) and _passes(other, sizes, nptype):
                return other.node
    elif op is elementwise.ADD:
        for zero, other in ((inputs[0], inputs[1]), (inputs[1], inputs[0])):
            if _is_number(zero, 0) and _passes(other, sizes, nptype):
                return other.node
    elif op in PASSING:
        if _passes(inputs[0], sizes, nptype):
            return inputs[0].node
    for t in inputs:
        if t.node.op is not CONSTANT:
            return None
    if op.outputs != 1 or op.kind in ("control", "custom") or nptype.kind == "O" or op is HANDLE:
        return None
    if op is CONSTANT or not is_full(sizes) or math.prod(sizes) > SMALL:
        return None
    arrays = [t.node.attrs["value"] for t in inputs]
    try:
        found = quietly(lambda: op.eager(*arrays, **attrs))
    except (ArithmeticError, ValueError, TypeError, IndexError, OpError):
        return None  # the run raises it, with the line
    found = np.asarray(found)
    return np.array(found) if found.shape == tuple(sizes) and found.dtype == nptype else None


def _passes(t: Any, sizes: Any, nptype: Any) -> bool:
    return bool(is_full(sizes) and t.sizes == sizes and t.nptype == nptype and t.index == 0 and t.node.op.outputs == 1)


def _spread_from(t: Any) -> Any:
    """Return the node whose one value a tensor holds in all places; that of a value that is differentiated by is itself."""
    while t.node.op in (FILL, linear.BROADCAST_TO, linear.BROADCAST_LIKE, reduction.SPREAD_LIKE) and t.n not in t.graph.singled:
        t = t.node.inputs[0]
    return None if t.n in t.graph.singled else t.node


def _is_number(t: Any, number: int) -> bool:
    node = _spread_from(t) if t.node.op in UNIFORM else None
    if node is None:
        return False
    if node.op is ONES_LIKE or node.op is ZEROS_LIKE:
        return number == (node.op is ONES_LIKE)
    if node.op is not CONSTANT or node.attrs["value"].dtype.kind not in "iufc":
        return False
    value = node.attrs["value"]
    return not value.size or bool(value.item(0) == number and (value.size == 1 or (value == number).all()))


def _number_in(t: Any) -> float | None:
    """Return the number that a tensor holds in all places, if it is known and finite."""
    node = _spread_from(t)
    if node is None:
        return None
    if node.op is ONES_LIKE:
        return 1.0
    if node.op is CONSTANT and node.attrs["value"].dtype.kind in "iuf" and node.attrs["value"].size:
        value = node.attrs["value"]
        number = float(value.flat[0])
        return number if math.isfinite(number) and bool((value == value.flat[0]).all()) else None
    return None


# --- the walk -----------------------------------------------------------------------------------------------------


def lower(
    graph: Graph, fetches: Sequence[Any], feeds: Sequence[Any], controls: Iterable[Node], sizes: Sequence[Any] | None = None
) -> Any:
    """Lower what the fetches and the controls need; ``sizes``: the shapes that the feeds will have, where they are known.

    Returns:
        (lowered list, the fetched tensors in it, the placeholders of the feeds in it, the control nodes in it).
    """
    return _Lowering(fetches, list(controls)).run(fetches, feeds, controls, sizes)


def needed(
    fetches: Iterable[Any], controls: Iterable[Node], inputs: Callable[[Node], Iterable[Any]] = lambda node: node.inputs
) -> list[Node]:
    """Return the nodes that the tensors and nodes depend on, through inputs and control inputs, in order.

    ``inputs``: which inputs of a node count; all of them, if not given.
    """
    seen: set[Node] = set()
    pending = [t.node for t in fetches] + list(controls)
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend([t.node for t in inputs(node)])
            pending.extend(node.control_inputs)
    return sorted(seen, key=lambda node: node.index)


def _blank(fetches: Sequence[Any], controls: Sequence[Node], fed: set[int]) -> None:
    """Give zeros to placeholders that are not fed, where nothing but their shape, which is known, is read of them."""
    unfed = [node for node in needed(fetches, controls) if node.op is PLACEHOLDER and node.outputs[0].n not in fed]
    if not unfed:
        return

    def with_values(node: Node) -> list[Any]:
        shape_only = node.op.shapes_only(len(node.inputs))
        return [t for i, t in enumerate(node.inputs) if i not in shape_only or not is_full(t.sizes)]

    read = set(needed(fetches, controls, with_values))
    for node in unfed:
        t = node.outputs[0]
        if node not in read and is_full(t.sizes) and t.nptype.kind != "O":
            node.op, node.attrs = CONSTANT, {"value": np.broadcast_to(np.zeros((), t.nptype), t.sizes)}


class Deferred:
    """A sum of coefficients that is computed where its value is needed."""

    __slots__ = ("nptype", "sizes", "tensors", "terms")

    def __init__(self, terms: dict[Any, float], tensors: dict[int, Any], sizes: Any, nptype: Any) -> None:
        self.terms, self.tensors, self.sizes, self.nptype = terms, tensors, sizes, nptype


class Columns:
    """The gradient by all columns of x, of which only those that are asked for are found."""

    def __init__(self, x: Any, axis: int | None, numbers: Sequence[int], part: Any, whole: Any = None) -> None:
        """Take x, its axis of rows, and which columns these are.

        ``part``: gives the sum of some of them, deferred. ``whole``: gives all by reverse mode, where that costs less.
        """
        self.x, self.axis, self.numbers, self.part, self.whole = x, axis, numbers, part, whole

    def pick(self, index: tuple[Any, ...]) -> Any:
        """Return what a static index takes: (a part, the index that is left for it), `Columns`, or None."""
        if self.whole is not None:
            return None
        rank = len(self.x.sizes)
        used = sum(i is not None and i is not Ellipsis for i in index)
        if any(i is None for i in index) or used > rank:
            return None
        items = list(index) if Ellipsis in index else [*index, Ellipsis]
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (rank - used)
        if self.axis is None:
            if rank != 1:
                return None
            item = items[0]
            rest: tuple[Any, ...] = ()
        else:
            if rank != 2 or items[self.axis] != slice(None):
                return None
            item = items[1 - self.axis]
            rest = (slice(None), 0) if self.axis == 0 else (0, slice(None))
        count = len(self.numbers)
        if isinstance(item, slice):
            if not all(b is None or isinstance(b, int) for b in (item.start, item.stop, item.step)):
                return None
            chosen = list(self.numbers[item])
            if len(chosen) == 1 and self.axis is not None:
                return chosen[0], ()
            return Columns(self.x, self.axis, chosen, self.part) if chosen else None
        return (self.numbers[item], rest) if isinstance(item, int) and -count <= item < count else None

    def total(self) -> Deferred:
        """Return the sum of the columns, which is one direction: all that a gradient of these reads."""
        return self.part(tuple(self.numbers))  # type: ignore[no-any-return]


class _Frame(NamedTuple):
    """The directions of an x: unit columns of rows, or of a few elements."""

    x: Any
    axis: int | None
    rows: Rows | None
    width: int
    dear: str | None = None
    """Why the whole gradient goes by reverse mode, though sums of its columns are directions."""


class _Asked(NamedTuple):
    """What of a gradient by several columns is asked for."""

    directions: int
    """Slices, and the sum of all, if a further gradient reads that."""
    whole: bool
    summed: bool

    def of(self, count: int) -> int:
        """Return how many directions that takes, of so many columns."""
        return count if self.whole else min(self.directions, count)


class _Refusal(Exception):
    """Why Taylor mode is not taken."""


class _Lowering:
    """One lowering."""

    def __init__(self, fetches: Sequence[Any], controls: Sequence[Node]) -> None:
        self.lowered = Lowered()
        self.series = Series(self.lowered.nodes)
        self.mapped: dict[int, Any] = {}
        self.fed: dict[int, Any] = {}
        self.twins: dict[Node, Node] = {}
        self.rows: dict[Any, Rows] = {}
        self.paths: dict[Any, _Path] = {}
        self.directions: dict[Any, int] = {}
        self.units: dict[int, tuple[_Frame, tuple[int, ...]]] = {}
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
        self.asked: dict[int, _Asked] = {}
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
                    if x.node.op.kind not in ("constant", "linear", "bilinear") and _mentions_output(x.node):
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
                    elif _reads_sum(user, t):
                        summed = True
                    else:
                        whole = True
                self.asked[t.n] = _Asked(len(slices) + summed, whole, summed)

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
        _blank(found, twins, lowered.fed)
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
                inputs[at] = _filled(0, inputs[at])
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
            specs = _sharpened(node, inputs, specs)
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
            if any(p.sizes != parts[0].sizes or p.nptype != nptype for p in parts) or not _known(parts[0].sizes):
                return None
            signs = [1.0] * len(parts)
            if op is elementwise.SUBTRACT:
                signs[1] = -1.0
            return [_sum(parts, signs)]
        if op is elementwise.NEGATIVE:
            return [_scaled(given[0], -1.0)]
        if op is linear.IDENTITY:
            return [given[0]]
        if op is elementwise.MULTIPLY or (op is elementwise.DIVIDE and single[0]):
            at = 0 if single[0] else 1
            other = self.value(node.inputs[1 - at])
            number = _number_in(other) if other.sizes == () or other.sizes == (1,) * len(given[at].sizes) else None
            if number is None or (op is elementwise.DIVIDE and not number):
                return None
            return [_scaled(given[at], number if op is elementwise.MULTIPLY else 1.0 / number)]
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
                    total = _plus(total, self.series.scaled(base, c))
            live = sorted((a, c) for a, c in terms if a)
            tops = []
            if options.collapse and len(live) > 1:
                tops = [(a, c) for a, c in live if not any(a != b and _below(a, b) for b, _ in live)]
            if len(tops) > 1:
                self.series.ceiling = max((a for a, _ in tops), key=len)
                found = self._functional(base, tuple(tops))
                total = _plus(total, None if found is None else self.series.whole(found, base))
                live = [item for item in live if item not in tops]
            for a, c in live:
                self.series.ceiling = a
                found = self.series.coefficient(base, a)
                total = _plus(total, None if found is None else self.series.scaled(self.series.whole(found, base), c))
        if total is None:
            base = next(iter(r.tensors.values()))
            return _filled(0, base)
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
            if node.op.outputs != 1 or not _takes_directions(node, reach):
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
        if len(parts) == math.prod(_rest(x, g.axis)):
            return apply(linear.RESHAPE_LIKE, (whole, x))
        return whole

    # --- gradients --------------------------------------------------------------------------------------------------

    def _gradient(self, node: Node) -> list[Any]:
        ys, gs, xs, stops = split_gradient(node)
        self.lowered.opening = node in self.nested
        blocked = frozenset(self.value(t).n for t in stops)
        values = [self.value(x) for x in xs]
        frames: list[_Frame | str] = []
        bases = None
        for x, t, out in zip(values, xs, node.outputs, strict=True):
            try:
                if bases is None:
                    bases = self._bases(ys, gs)
                frames.append(self._frame(node, x, t, out, bases, blocked))
            except _Refusal as refusal:
                frames.append(str(refusal))
        high = self.height[node]
        if high <= 1 and any(isinstance(f, str) for f in frames):
            reason = next(f for f in frames if isinstance(f, str))
            frames = [f"another x of the request goes by reverse mode: {reason}" if isinstance(f, _Frame) else f for f in frames]
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
            if isinstance(f, _Frame):
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
            number = None if weight is None else _number_in(weight)
            r = self.mapped[y.n]
            if isinstance(r, Columns):
                r = self.value(y) if weight is not None and not number else r.total()
            d = r if isinstance(r, Deferred) else self._as_deferred(r)
            found.append((_scaled(d, number), None) if number else (d, weight))
        return found

    def _frame(self, node: Node, x: Any, t: Any, out: Any, bases: Any, blocked: frozenset[int]) -> _Frame:
        if not options.taylor:
            raise _Refusal("Taylor mode is switched off")
        if x.nptype.kind != "f" or any(d.nptype != x.nptype for d, _ in bases):
            raise _Refusal("the dtypes are not one real dtype")
        if x.sizes is None:
            raise _Refusal(f"the shape of {_name(t)} is not known")
        if any(b.sizes is None for d, _ in bases for b in d.tensors.values()):
            raise _Refusal("a shape on the way is not known")
        self._check_related(x, blocked)
        for other, at, before in self.awkward:
            if other.index > node.index and t.n in before and at.n != t.n:
                raise _Refusal(
                    f"a derivative by {_name(at)} is taken of this one, and {at.node.op.name}, by which that is computed, names "
                    "its output in its derivative"
                )
        high = self.height[node]
        variable = t.node.op in (HANDLE, READ)
        nested = self._nested_by(node, t)
        if variable and not nested:
            raise _Refusal("a variable, and the order in it is one")
        if is_full(x.sizes) and math.prod(x.sizes) == 1:
            if high <= 1 and not any(len(b.sizes) == len(x.sizes) for d, _ in bases for b in d.tensors.values()):
                raise _Refusal("reverse mode costs less: one number, order one")
            self._check_path(x, bases, blocked)
            return self._allowed(node, t, out, _Frame(x, None, None, 1), bases, blocked)
        reasons = []
        for axis in _axes_of_rows(x):
            rest = _rest(x, axis)
            if None in rest or not math.prod(rest):
                reasons.append(f"the number of columns of {_name(t)} is not known")
                continue
            if x.sizes[axis] == 1 and len(x.sizes) > 1:
                continue  # one row: its elements are columns
            try:
                frame = self._row_frame(x, axis, math.prod(rest), bases, blocked)
                return self._allowed(node, t, out, frame, bases, blocked)
            except _Refusal as refusal:
                reasons.append(str(refusal))
        if is_full(x.sizes) and 0 < math.prod(x.sizes) <= 64 and len(x.sizes) == 1 and high > 1:
            self._check_path(x, bases, blocked)
            return self._allowed(node, t, out, _Frame(x, None, None, math.prod(x.sizes)), bases, blocked)
        raise _Refusal(reasons[0] if reasons else "its elements are not independent rows")

    def _check_related(self, x: Any, blocked: frozenset[int]) -> None:
        """Raise _Refusal if the order of derivatives by x and by an earlier source matters.

        It does where one is computed from the other by an operation whose partial derivative is stated through its output:
        of exp(x), which is v, a derivative by v is left in the derivative by x, but not the other way round.
        """
        for seed, source in self.taken.items():
            if source.n == x.n:
                continue
            later = x if self.series.depends(x, seed) else None
            if later is None and _mentions_output(source.node):
                path = self._path(x, blocked)
                later = source if source.n in path.reasons else None
            if later is not None and _mentions_output(later.node):
                raise _Refusal(f"{later.node.op.name}, by which {_name(later)} is computed, names its output in its derivative")

    def _path(self, x: Any, blocked: frozenset[int]) -> _Path:
        """Return what depends on x, up to date."""
        path = self.paths.setdefault((x.n, blocked), _Path(x, blocked))
        path.advance(self.lowered.nodes)
        return path

    def _nested_by(self, node: Node, t: Any) -> bool:
        """Whether a derivative by the same variable stands within, or around."""
        return any(other is not node and other.op is GRADIENT and any(x is t for x in split_gradient(other)[2])
                   for other in self.nodes) if t.sizes is not None and self.height[node] > 1 else False  # fmt: skip

    def _allowed(self, node: Node, t: Any, out: Any, frame: _Frame, bases: Any, blocked: frozenset[int]) -> _Frame:
        """Return the frame with what it costs; raise _Refusal where reverse mode costs less, or must decide."""
        if frame.width == 1:
            reason = self._stands_in(self._seed(frame, (0,), blocked), bases)
            if reason is not None:
                raise _Refusal(reason)
        dear = self._dear(node, t, out, frame.width)
        if dear is not None and not self.asked[out.n].summed:
            raise _Refusal(dear)
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

    def _row_frame(self, x: Any, axis: int, count: int, bases: Any, blocked: frozenset[int]) -> _Frame:
        key = (x.n, axis, blocked)
        if key not in self.rows:
            self.rows[key] = Rows({x.n: axis}, x.node.index + 1, blocked - {x.n})
        rows = self.rows[key]
        rows.advance(self.lowered.nodes, len(self.lowered.nodes))
        self._check_path(x, bases, blocked)
        for d, g in bases:
            for n, base in d.tensors.items():
                if n in rows.mixed and not self._tail(base, rows):
                    raise _Refusal(rows.mixed[n])
                if n in rows.axes and not is_full(base.sizes) and None in _rest(base, rows.axes[n]):
                    raise _Refusal("a shape on the way is not known")
            if g is not None and g.sizes is None:
                raise _Refusal("the shape of a cotangent is not known")
        return _Frame(x, axis, rows, count)

    def _check_path(self, x: Any, bases: Any, blocked: frozenset[int]) -> None:
        """Raise _Refusal if an operation between x and the bases has no series."""
        path = self._path(x, blocked)
        for d, _ in bases:
            for n in d.tensors:
                if path.reasons.get(n):
                    raise _Refusal(path.reasons[n])

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
            start = _ones(base) if g is None else g
            entries = entries_of(None, [base], nodes)
            edge = {t.n: t for node in nodes for t in node.inputs if t.n in rows.axes and t.n not in rows.mixed}
            reach = reach_of(entries, set(edge))
            cotangents = sweep(tensors, entries, {n: start}, reach, set(edge), raw=False)
            for m, t in edge.items():
                if m in cotangents:
                    weight, number = cotangents[m], _number_in(cotangents[m])
                    one = Deferred({(m, a): c * (1.0 if number is None else number)}, {m: t}, t.sizes, t.nptype)
                    found.append((one, weight if number is None else None))
        return found

    def _directional(self, frame: _Frame, bases: Sequence[Any], blocked: frozenset[int], reverse: Any, note: Any) -> Any:
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

    def _some_columns(self, g: Any, frame: _Frame, columns: Sequence[int]) -> Any:
        """Return the sum of some columns of a gradient, in the shape that a column of x has."""
        total = None
        for j in columns:
            total = _plus(total, apply(GETITEM, (g,), {"index": _column_index(frame.x, frame.axis, j)}))
        return total

    def _seed(self, frame: _Frame, columns: tuple[int, ...], blocked: frozenset[int]) -> int:
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

    def _one_direction(self, frame: _Frame, columns: tuple[int, ...], bases: Sequence[Any], blocked: frozenset[int]) -> Deferred:
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
            like = x if frame.width == 1 else apply(GETITEM, (x,), {"index": _column_index(x, frame.axis, 0)})
            return self._as_deferred(_filled(0, like))
        return _sum(parts, [1.0] * len(parts))

    def _moves(self, t: Any, seed: int, frame: _Frame) -> bool:
        if frame.rows is not None:
            frame.rows.advance(self.lowered.nodes, len(self.lowered.nodes))
            return t.n in frame.rows.axes
        return self.series.depends(t, seed)

    def _column(self, t: Any, frame: _Frame, base: Any) -> Any:
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
                g = _ones(y)
            cotangents[y.n] = g if y.n not in cotangents else cotangents[y.n] + g
        sources = {x.n for x in xs}
        nodes = [n for n in ancestors(ys) if n.op.kind != "constant" and not all(o.n in blocked for o in n.outputs)]
        entries = entries_of(self.series if options.adjoint and not blocked else None, ys, nodes, sources)
        reach = reach_of(entries, sources)
        found = sweep(tensors, entries, cotangents, reach, sources, raw=False, blocked=blocked)
        return [found[x.n] if x.n in found else _filled(0, x) for x in xs]

    # --- series that are asked for by name -----------------------------------------------------------------------------

    def _taylor(self, node: Node) -> list[Any]:
        """Lower a Taylor node: the coefficients of ys, those of xs being given."""
        ny, nx = node.attrs["ys"], node.attrs["xs"]
        seeds, indices, outputs = node.attrs["seeds"], node.attrs["given"], node.attrs["wanted"]
        values = [self.value(t) for t in node.inputs]
        ys, xs, rest = values[:ny], values[ny : ny + nx], values[ny + nx :]
        own = {(xs[i].n, a): c for (i, a), c in zip(indices, rest, strict=True)}
        for x in xs:
            path = _Path(x, frozenset())
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
            found.append(_filled(0, ys[i]) if c is None else self.series.whole(c, ys[i]))
        return found


TAIL = frozenset([SUM, MEAN, NEGATIVE, IDENTITY, ADD, SUBTRACT, ADD_N, RESHAPE, SQUEEZE, EXPAND_DIMS])


def _takes_directions(node: Node, reach: set[int]) -> bool:
    out, op = node.outputs[0], node.op
    moving = [t for t in node.inputs if t.n in reach]
    if any(t.sizes is None or len(t.sizes) != 2 or t.sizes[1] is None for t in (*moving, out)):
        return False
    if op in (ADD, SUBTRACT, ADD_N, MULTIPLY):
        return all(t.sizes is not None and len(t.sizes) <= 2 for t in node.inputs)
    if op in (NEGATIVE, IDENTITY, CAST, SHAPED, ENSURE_SHAPE) or (op.partials and len(node.inputs) == 1):
        return not op.stated and op.kind != "piecewise"
    if op is MATMUL:
        return node.inputs[0] in moving and len(moving) == 1 and not node.attrs.get("ta", False) and (
            node.inputs[1].sizes is not None and len(node.inputs[1].sizes) == 2)  # fmt: skip
    if op is CONCAT:
        return node.attrs["axis"] in (1, -1) and all(t.sizes is not None and t.sizes[1] is not None for t in node.inputs)
    if op in (SUM, MEAN):
        return node.attrs["keepdims"] and tuple(node.attrs["axis"] or ()) in ((1,), (-1,))
    if op is GETITEM:
        index = node.attrs["index"]
        return len(node.inputs) == 1 and len(index) == 2 and index[0] == slice(None) and isinstance(index[1], slice)
    return False


def _mentions_output(node: Node) -> bool:
    """Whether a partial derivative of an operation, or its tangent, reads what the operation gives."""
    op = node.op
    if op.kind in ("constant", "linear", "bilinear") or op is HANDLE:
        return False
    if not op.partials or op.stated:
        return True
    return any(_reads_output(op, node, i) for i, p in enumerate(op.partials) if p is not None)


def _reads_output(op: Op, node: Node, i: int) -> bool:
    complexes = tuple([t.nptype.kind == "c" for t in (*node.inputs, node.outputs[0])])
    _, leaves, result = traced(op, node.attrs, complexes, i)
    return any(leaves[-1].node is a for a in ancestors([result]))


class _Path:
    """What depends on a value, and the first operation on the way that has no series."""

    def __init__(self, x: Any, stops: frozenset[int]) -> None:
        self.reasons: dict[int, str | None] = {x.n: None}
        self.stops, self.upto = stops, x.node.index + 1

    def advance(self, nodes: Sequence[Node]) -> None:
        reasons = self.reasons
        for at in range(self.upto, len(nodes)):
            node = nodes[at]
            if node.op.kind == "constant":
                continue
            touched = [t.n for t in node.inputs if t.n in reasons]
            if touched:
                reason = next((reasons[n] for n in touched if reasons[n]), None)
                if reason is None:
                    reason = _series_reason(node)
                for t in node.outputs:
                    if t.n not in self.stops:
                        reasons.setdefault(t.n, reason)
        self.upto = len(nodes)


def _series_reason(node: Node) -> str | None:
    """Return why an operation, or one that a body of it runs, has no series; None if all have one."""
    pending, seen = [node], set()
    while pending:
        node = pending.pop()
        own = series_reason(node.op)
        if own is not None:
            return f"{own} ({node.where})"
        if node.op is COND or node.op is LOOP:
            for body in (node.attrs.get(name) for name in ("yes", "no", "body")):
                if body is not None and body not in seen:
                    seen.add(body)
                    pending += [n for n in ancestors(body.outputs) if n.op.kind in ("custom", "control", "implicit")]
    return None


def _sharpened(node: Node, inputs: Sequence[Any], specs: Any) -> Any:
    """Return what is known of an operation's outputs from the sizes of its lowered inputs."""
    if node.op in (HANDLE, READ, ASSIGN, PY_FUNCTION):
        return specs
    try:
        found = node.op.infer(inputs, node.attrs)
        several = [found] if node.op.outputs == 1 else found
        return [(merge(sizes, new), nptype) for (sizes, nptype), (new, _) in zip(specs, several, strict=True)]
    except OpError:
        return specs  # the run raises it, with the line


def _place() -> str:
    return "?" if state.site is None else str(Site(*state.site))


def _rest(x: Any, axis: int | None) -> tuple[Any, ...]:
    return tuple(s for k, s in enumerate(x.sizes) if k != axis)


def _known(sizes: Any) -> bool:
    return sizes is not None


def _name(x: Any) -> str:
    return f"{x.node.name} {text(x.sizes)}"


def _column_index(x: Any, axis: int | None, j: int) -> tuple[Any, ...]:
    """Return the index of a column, that has as many axes as x; of an element where there are no rows."""
    if axis is None:
        return (j,)
    places = iter(np.unravel_index(j, _rest(x, axis)))
    return tuple(slice(None) if k == axis else slice(at := int(next(places)), at + 1) for k in range(len(x.sizes)))


def _axes_of_rows(x: Any) -> list[int]:
    """Return the axes along which the rows of x may lie: the first, the last, or one beside which there is nothing."""
    rank = len(x.sizes)
    return sorted({0, rank - 1} | {k for k in range(rank) if _rest(x, k) == (1,) * (rank - 1)}) if rank else []


def _reads_sum(user: Node, g: Any) -> bool:
    """Whether a node is a gradient that reads g only as what is differentiated, summed with equal weights."""
    if user.op is not GRADIENT:
        return False
    ys, gs, _, _ = split_gradient(user)
    return sum(t is g for t in user.inputs) == 1 and any(y is g and w is None for y, w in zip(ys, gs, strict=True))


def _below(a: Any, b: Any) -> bool:
    return all(a.count(s) <= b.count(s) for s in set(a))


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _scaled(d: Deferred, c: float) -> Deferred:
    return d if c == 1.0 else Deferred({key: c * old for key, old in d.terms.items()}, d.tensors, d.sizes, d.nptype)


def _sum(parts: Sequence[Deferred], signs: Sequence[float]) -> Deferred:
    terms: dict[Any, float] = {}
    known: dict[int, Any] = {}
    for d, sign in zip(parts, signs, strict=True):
        known.update(d.tensors)
        for key, c in d.terms.items():
            terms[key] = terms.get(key, 0.0) + sign * c
    return Deferred(terms, known, parts[0].sizes, parts[0].nptype)


def _ones(y: Any) -> Any:
    """Return ones of the shape of y: where y is a slice or another arrangement of a value, that arrangement of ones.

    So the value itself is not asked for: the gradient of a gradient's column does not depend on what it is.
    """
    node = y.node
    if is_full(y.sizes):
        return _filled(1, y)
    if node.op in ARRANGED and len(node.inputs) == 1:
        return apply(node.op, (_ones(node.inputs[0]),), node.attrs)
    return apply(ONES_LIKE, (y,))


def _filled(number: int, y: Any) -> Any:
    """Return a number in the shape and dtype of y: where the shape is known, y itself is not asked for."""
    if not is_full(y.sizes):
        return apply(ONES_LIKE if number else ZEROS_LIKE, (y,))
    one = convert(y.nptype.type(number))
    return one if y.sizes == () else apply(FILL, (one,), {"shape": tuple(y.sizes)})
