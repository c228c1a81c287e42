"""What a direction moves: which columns of each value, and where a slope on the way may be infinite.

Two facts of one walk down the list, kept for each seed.

A column that a direction does not move is absent, not zero: ``X[:, 0:1]`` does not depend on the second column of X, and no
number 0 is made that could meet an infinite slope. The columns are an array of truth values that broadcasts to the value's
shape, or None where all may move.

A series multiplies slopes from x on, reverse mode from y back. The products are the same, but not what becomes of infinite
factors: reverse mode hands zeros back to what a selection did not choose, and zero times infinity is NaN, while a series leaves
it out; infinite slopes cancel in the one and not in the other; a root gives nothing where nothing is handed back. Eager mode is
the definition, and is reverse mode. So where a slope on the way may be infinite and the two may differ, a series does not stand
for the gradient. That an argument stays away from the pole is proved by bounds (``sqrt(1 + x*x)``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.graph.graph import Node
from wengert.ops.linear import CONSTANT
from wengert.ops.rows import Refused, row_axes

__all__ = ["POLES", "REGULAR", "SLOPES", "Bounds", "Moves", "is_classed"]

Columns = Any
"""An array of truth values; None where all columns may move."""
Interval = tuple[float, float]
INFINITE = (-math.inf, math.inf)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


REGULAR = _names(
    "abs adjugate adjugate_change asinh asinh_slope atan atan_slope bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 "
    "bessel_j1 box clip cos cosh cumprod dawsn dawsn_slope elu elu_slope erf erfc exp expm expm1 fresnel_cos fresnel_sin "
    "leaky_relu leaky_relu_slope log_sigmoid logaddexp max maximum maximum_first min minimum ndtr nextafter prod range "
    "recurrence relu relu6 remainder sech_squared sigmoid sign sin sinc_unnormalised sinh softplus softsign "
    "spherical_bessel square squared_difference step tanh tensor_scatter_max tensor_scatter_min truncated_remainder wave"
)
"""Operations, beside the linear and bilinear ones, whose derivatives are finite at all finite arguments, at every order."""
SLOPES: dict[str, tuple[int, Interval]] = {
    "sqrt": (0, (0.0, math.inf)), "cbrt": (0, (0.0, math.inf)), "real_power": (0, (0.0, math.inf)),
    "power": (0, (0.0, math.inf)), "asin": (0, (-1.0, 1.0)), "acos": (0, (-1.0, 1.0)), "acosh": (0, (1.0, math.inf)),
    "spence": (0, (0.0, math.inf)), "igamma": (1, (0.0, math.inf)), "igammac": (1, (0.0, math.inf)), "betainc": (2, (0.0, 1.0)),
    "igamma_by": (1, (0.0, math.inf)), "betainc_by": (2, (0.0, 1.0)), "gamma_density": (1, (0.0, math.inf)),
    "beta_density": (2, (0.0, 1.0)),
}  # fmt: skip
"""Those that are finite where their slope, or that of a derivative, is infinite: which input, and where it is regular."""
POLES: dict[str, tuple[int, Interval] | None] = {
    "log": (0, (0.0, math.inf)), "log1p": (0, (-1.0, math.inf)), "rsqrt": (0, (0.0, math.inf)),
    "reciprocal": (0, (0.0, math.inf)), "integer_power": (0, (0.0, math.inf)), "divide": (1, (0.0, math.inf)),
    "divide_no_nan": (1, (0.0, math.inf)), "xdivy": (1, (0.0, math.inf)), "xlogy": (1, (0.0, math.inf)),
    "xlog1py": (1, (-1.0, math.inf)), "atanh": (0, (-1.0, 1.0)),
    "atanh_slope": (0, (-1.0, 1.0)), "asin_slope": (0, (-1.0, 1.0)), "log_quotient": (0, (0.0, math.inf)),
    "tan": (0, (-1.5, 1.5)), "lgamma": (0, (0.0, math.inf)),
    "digamma": (0, (0.0, math.inf)), "polygamma": (0, (0.0, math.inf)), "zeta": (1, (1.0, math.inf)),
    "zeta_by": (1, (1.0, math.inf)),
    "expint": (0, (0.0, math.inf)), "erfinv": (0, (-1.0, 1.0)), "erfcinv": (0, (0.0, 2.0)), "ndtri": (0, (0.0, 1.0)),
    "bessel_k0": (0, (0.0, math.inf)), "bessel_k0e": (0, (0.0, math.inf)), "bessel_k1": (0, (0.0, math.inf)),
    "bessel_k1e": (0, (0.0, math.inf)), "bessel_y0": (0, (0.0, math.inf)), "bessel_y1": (0, (0.0, math.inf)),
    "bessel": (0, (0.0, math.inf)), "hypot": (0, (0.0, math.inf)), "direction": (0, (0.0, math.inf)),
    "atan2": (0, (0.0, math.inf)), "angle": None,
    **dict.fromkeys("cholesky det eig eigh inverse logm pinv qr random_gamma slogdet solve sqrtm svd triangular_solve".split()),
}  # fmt: skip
"""Those that are infinite themselves, or undefined, where their slope is; None: where that is, is not known."""
SYMMETRIC = _names("reciprocal integer_power divide divide_no_nan xdivy cbrt hypot direction atan2")
"""Of these, those that are regular below zero as well."""
SELECTIONS = _names(
    "where getitem take take_along_axis gather_nd split unstack concat_part max min diag_part band_part segment_take erase_row "
    "tensor_scatter_max tensor_scatter_min tensor_scatter_update set_diag multiply_no_nan"
)
"""Operations by which reverse mode hands back zeros to what was not chosen."""


def is_classed(name: str, kind: str) -> bool:
    """Whether it is stated of an operation where its derivatives are finite."""
    return (
        kind in ("linear", "bilinear", "constant", "control", "custom", "unstated")
        or name in REGULAR
        or name in SLOPES
        or name in POLES
    )


class Bounds:
    """Lower and upper bounds of values, found from the list where they are asked for; it is not proved that they are reached."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.known: dict[int, Interval] = {}
        self.known_wild: dict[int, bool] = {}

    def of(self, t: Any) -> Interval:
        """Return the bounds of a value."""
        known = self.known
        if t.n not in known:
            for node in _unknown(t, known):
                bounds = self._of_node(node)
                for o in node.outputs:
                    known[o.n] = bounds
        return known[t.n]

    def wild(self, t: Any) -> bool:
        """Whether a value is computed by an operation whose slope may be infinite."""
        known = self.known_wild
        if t.n not in known:
            for node in _unknown(t, known):
                own = any([known[i.n] for i in node.inputs])
                if not own and node.op.kind == "control":
                    own = any(_of_bodies(node))
                elif not own and node.op.kind != "constant":
                    own = not _harmless(node, range(len(node.inputs))) and not self.regular(node)
                known.update([(o.n, own) for o in node.outputs])
        return known[t.n]

    def _of_node(self, node: Node) -> Interval:
        if node.op is CONSTANT:
            value = node.attrs["value"]
            if value.dtype.kind not in "iuf" or not value.size or not np.isfinite(value).all():
                return INFINITE
            return float(value.min()), float(value.max())
        rule = _BOUNDS.get(node.op.name)
        if rule is None:
            return _RANGES.get(node.op.name, INFINITE)
        low, high = rule(node, [self.known[t.n] for t in node.inputs])
        return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)

    def regular(self, node: Node) -> bool:
        """Whether an operation's derivatives are finite at its arguments."""
        name = node.op.name
        if name == "integer_power" and node.attrs["n"] >= 0:
            return True
        place = SLOPES.get(name) or POLES.get(name)
        if place is None:
            return False
        at, (low, high) = place
        bounds = self.of(node.inputs[at])
        return (low < bounds[0] and bounds[1] < high) or (low < bounds[0] and high == math.inf) or (
            name in SYMMETRIC and bounds[1] < 0.0)  # fmt: skip


def _unknown(t: Any, known: dict[int, Any]) -> list[Node]:
    """Return the nodes that a value is computed from, in order, but for those of which something is known."""
    pending, found, seen = [t.node], [], set()
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            found.append(node)
            pending.extend([i.node for i in node.inputs if i.n not in known])
    return sorted(found, key=lambda node: node.index)


class Moves:
    """One direction: what it moves, and what stands in the way of a series along it."""

    __slots__ = ("bounds", "columns", "lost", "poles", "refused", "stops", "upto")

    def __init__(self, sources: dict[int, Columns], stops: frozenset[int], bounds: Bounds) -> None:
        """Take the columns of the sources that move, by number, and the values through which no change passes."""
        self.columns: dict[int, Columns] = dict(sources)
        """The values that change, and which of their columns."""
        self.poles: dict[int, str] = {}
        """Of these, those behind an operation whose slope may be infinite, and which that is."""
        self.refused: dict[int, str] = {}
        """Of these, those for which a series may differ from reverse mode, and why."""
        self.lost: set[int] = set()
        """Of these, those of which some columns stand still, but it is not known which."""
        self.stops, self.bounds = stops, bounds
        self.upto = 0

    def reason(self, t: Any) -> str | None:
        """Return why a series along the direction may not stand for the gradient of a value; None if it may."""
        return self.refused.get(t.n)

    def advance(self, nodes: Sequence[Node], terms: dict[int, Any]) -> None:
        """Walk on to the end of the list; ``terms``: what is known to be a sum of coefficients, and of which values."""
        columns = self.columns
        for at in range(self.upto, len(nodes)):
            node = nodes[at]
            op = node.op
            if op.kind == "constant":
                continue
            moving = [i for i, t in enumerate(node.inputs) if t.n in columns and i not in op.constant_inputs]
            found: Any = [None] * len(node.outputs)
            if not moving:
                # A coefficient may be computed from what does not change with the seed, and change with it all the same.
                sums = terms.get(node.outputs[0].n) if node.outputs else None
                if sums is None or not any([n in columns for n in sums.tensors]):
                    continue
            elif op.name in FILLING or any([columns[node.inputs[i].n] is not None for i in moving]):
                known = _moved(node, moving, [columns[t.n] if t.n in columns else False for t in node.inputs])
                if known is None:
                    self.lost.update([t.n for t in node.outputs])
                found = known or found
            if self.lost and op.name not in MIXING and any([node.inputs[i].n in self.lost for i in moving]):
                self.lost.update([t.n for t in node.outputs])
            if self.poles or self.refused or op.kind not in ("linear", "bilinear"):
                self._judge(node, moving)
            for t, mine in zip(node.outputs, found, strict=True):
                if mine is False and t.n in self.refused:
                    mine = None  # reverse mode hands zeros back to what was left out, and they may meet an infinite slope
                if t.n not in self.stops and t.n not in columns and mine is not False:
                    columns[t.n] = mine
        self.upto = len(nodes)

    def _judge(self, node: Node, live: Sequence[int]) -> None:
        op, inputs = node.op, node.inputs
        if not live:
            return
        refused = next((self.refused[inputs[i].n] for i in live if inputs[i].n in self.refused), None)
        pole = next((self.poles[inputs[i].n] for i in live if inputs[i].n in self.poles), None)
        if refused is None:
            if pole is not None and _selects(node):
                refused = f"{op.name} takes a part of what lies behind {pole}"
            elif op.kind == "control":
                refused, own = _of_bodies(node)
                pole = pole or own
            elif not _harmless(node, live) and not self.bounds.regular(node):
                slope = f"{op.name}, whose slope may be infinite ({node.where})"
                if op.name in SLOPES:
                    refused = slope
                elif any(self.columns[inputs[i].n] is not None or inputs[i].n in self.lost for i in live):
                    refused = f"{slope}, of which some columns stand still"
                pole = pole or slope
        for t in node.outputs:
            if refused is not None:
                self.refused[t.n] = refused
            if pole is not None:
                self.poles[t.n] = pole


def _harmless(node: Node, live: Sequence[int]) -> bool:
    """Whether an operation's derivatives by the moving inputs are finite at all finite arguments."""
    op = node.op
    if op.kind in ("linear", "bilinear") or op.name in REGULAR:
        return True
    # A quotient is linear in its numerator.
    return op.name in ("divide", "divide_no_nan", "xdivy") and 1 not in live


def _selects(node: Node) -> bool:
    if node.op.name == "getitem":
        return any(not (i is None or i is Ellipsis or i == slice(None)) for i in node.attrs["index"])
    return node.op.name in SELECTIONS


def _of_bodies(node: Node) -> tuple[str | None, str | None]:
    """Return what stands in the way in the bodies of a choice or loop, and an operation in them with a pole."""
    names: set[str] = set()
    pending = [node]
    while pending:
        for body in pending.pop().attrs.values():
            graph = getattr(body, "graph", None)
            if graph is not None:
                names.update([inner.op.name for inner in graph.nodes])
                pending.extend([inner for inner in graph.nodes if inner.op.kind == "control"])
    slope = next((n for n in sorted(names) if n in SLOPES), None)
    if slope is not None:
        return f"{slope}, whose slope may be infinite, in a body ({node.where})", None
    pole = next((n for n in sorted(names) if n in POLES and n != "integer_power"), None)
    if pole is None:
        return None, None
    text = f"{pole}, whose slope may be infinite, in a body ({node.where})"
    return (text, text) if names & SELECTIONS else (None, text)


# --- columns ------------------------------------------------------------------------------------------------------

SAME = _names("negative identity cast real imag conj shaped ensure_shape fed")
MOVED = _names("getitem transpose matrix_transpose expand_dims squeeze split unstack pad tile reverse roll take cumsum")
JOINED = _names("concat stack")
FILLING = JOINED | _names("pad getitem_transpose")
"""Operations beyond which some columns stand still, even where all of an input move."""
SUMMED = _names("sum mean")
PLACED = _names("add subtract add_n multiply multiply_no_nan where")
MIXING = SUMMED | _names("matmul einsum fft ifft max min prod")
"""Operations beyond which all columns move, if one of them does."""
MIRRORED = _names("getitem_transpose spread_like mean_transpose broadcast_like sum_like concat_part")


def _moved(node: Node, live: Sequence[int], given: Sequence[Columns]) -> list[Columns] | None:
    """Return which columns of the outputs move, from those of the inputs, of which some move; False: none.

    None if it is not known.
    """
    op = node.op
    everything: list[Columns] = [None] * len(node.outputs)
    if op.name in MIXING and op.name not in SUMMED:
        return everything
    if all(given[i] is None for i in live) and (len(live) == len(node.inputs) or op.name not in FILLING) and op.name != "pad":
        return everything
    if op.name in SAME:
        return [given[0]]
    if op.partials or op.name in PLACED:
        if any(given[i] is None for i in live):
            return everything
        found = given[live[0]]
        for i in live[1:]:
            found = np.logical_or(found, given[i])
        return [_shortened(found)]
    if op.name in MOVED or op.name in SUMMED or op.name in JOINED or op.name in MIRRORED:
        arrays = _placed(node, given, live)
        if arrays is not None:
            attrs = dict(node.attrs, value=0) if op.name == "pad" else node.attrs
            results = op.eager(*arrays, **attrs)
            several = [results] if op.outputs == 1 else list(results)
            return [_shortened(np.asarray(r) > 0) for r in several]
    return None


def _placed(node: Node, given: Sequence[Columns], live: Sequence[int]) -> list[Any] | None:
    """Return numbers, 1 where an input moves, of size one along the axes on which the operation does not work."""
    inputs = node.inputs
    indices = inputs[-1].node
    if node.op.name == "take" and indices.op is not CONSTANT:
        return None
    if any(t.sizes is None or (t.nptype.kind not in "fc" and indices is not t.node) for t in inputs):
        return None
    rank = len(inputs[0].sizes)
    if any(given[i] is not None and given[i].ndim != rank for i in live):
        return None
    shape: list[list[Any]] = [list(t.sizes) for t in inputs]
    for axis in range(rank):
        try:
            placed = row_axes(node, [axis if i in live else None for i in range(len(inputs))])[0]
        except Refused:
            continue
        if placed is not None and all(given[i] is None or given[i].shape[axis] == 1 for i in live):
            for i, sizes in enumerate(shape):
                if node.op.name != "take" or i == 0:
                    sizes[placed if i in node.op.constant_inputs else axis] = 1
    if any(None in sizes or math.prod(sizes) > 4096 for sizes in shape):
        return None
    marks = [0.0 if i not in live else 1.0 if given[i] is None else given[i] for i in range(len(inputs))]
    arrays = [np.array(np.broadcast_to(mark, sizes), float) for mark, sizes in zip(marks, shape, strict=True)]
    if node.op.name == "take":
        arrays[1] = indices.attrs["value"]
    return arrays


def _shortened(columns: Any) -> Columns:
    return None if columns.all() else columns if columns.any() else False


# --- bounds -------------------------------------------------------------------------------------------------------

_RANGES: dict[str, Interval] = {
    **dict.fromkeys(_names("sin cos tanh erf fresnel_sin fresnel_cos bessel_j0 bessel_j1 softsign"), (-1.0, 1.0)),
    **dict.fromkeys(_names("sigmoid ndtr sech_squared softplus abs relu step"), (0.0, math.inf)),
    "cosh": (1.0, math.inf), "erfc": (0.0, 2.0), "ones_like": (1.0, 1.0), "zeros_like": (0.0, 0.0),
}  # fmt: skip


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def _product(node: Node, given: Sequence[Interval]) -> Interval:
    (a, b), (c, d) = given
    ends = [_times(p, q) for p in (a, b) for q in (c, d)]
    low = min(ends)
    return (max(low, 0.0) if node.inputs[0] is node.inputs[1] else low), max(ends)


def _power(node: Node, given: Sequence[Interval]) -> Interval:
    n, (low, _) = node.attrs.get("n", 2), given[0]
    if n <= 0:
        return (0.0, math.inf) if n % 2 == 0 or low > 0.0 else INFINITE
    if low >= 0.0:
        return min(low, 1.0) ** n, math.inf
    return (0.0, math.inf) if n % 2 == 0 else INFINITE


def _quotient(node: Node, given: Sequence[Interval]) -> Interval:
    c, d = given[1]
    if c <= 0.0 <= d:
        return INFINITE
    ends = [_times(p, 1.0 / q) for p in given[0] for q in (c, d)]
    return min(ends), max(ends)


def _exp(node: Node, given: Sequence[Interval]) -> Interval:
    # Positive: that it underflows beyond all bounds is not counted.
    low, high = given[0]
    return max(math.exp(min(low, 700.0)), math.ulp(0.0)), math.exp(high) if high < 700.0 else math.inf


def _total(node: Node, given: Sequence[Interval]) -> Interval:
    low, high = given[0]
    return (low if low >= 0.0 else -math.inf), (high if high <= 0.0 else math.inf)


def _hull(node: Node, given: Sequence[Interval]) -> Interval:
    kept = [g for i, g in enumerate(given) if i not in node.op.constant_inputs]
    return min(low for low, _ in kept), max(high for _, high in kept)


_BOUNDS: dict[str, Any] = {
    "add": lambda node, g: (g[0][0] + g[1][0], g[0][1] + g[1][1]),
    "subtract": lambda node, g: (g[0][0] - g[1][1], g[0][1] - g[1][0]),
    "add_n": lambda node, g: (sum(low for low, _ in g), sum(high for _, high in g)),
    "negative": lambda node, g: (-g[0][1], -g[0][0]),
    "multiply": _product,
    "integer_power": _power,
    "square": _power,
    "divide": _quotient,
    "reciprocal": lambda node, g: _quotient(node, [(1.0, 1.0), g[0]]),
    "exp": _exp,
    "sqrt": lambda node, g: (math.sqrt(max(g[0][0], 0.0)), math.sqrt(max(g[0][1], 0.0))),
    "sum": _total,
    "maximum": lambda node, g: (max(g[0][0], g[1][0]), max(g[0][1], g[1][1])),
    "minimum": lambda node, g: (min(g[0][0], g[1][0]), min(g[0][1], g[1][1])),
    **dict.fromkeys(
        "identity cast shaped ensure_shape getitem reshape expand_dims squeeze transpose matrix_transpose broadcast_to "
        "broadcast_like fill concat stack split unstack tile reverse roll take mean max min where".split(), _hull),
}  # fmt: skip
