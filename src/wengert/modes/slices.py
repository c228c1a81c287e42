"""`IndexedSlices`: some rows of a tensor, as the gradient of a gather is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.derive.outside import ways
from wengert.derive.request import request
from wengert.derive.structure import ancestors
from wengert.graph.static import static_value
from wengert.ground.dtypes import DType, DtypeLike
from wengert.ground.shapes import TensorShape, is_full
from wengert.modes.valued import Valued
from wengert.ops.elementwise import ADD
from wengert.ops.linear import CONCAT, EXPAND_DIMS, RESHAPE, SCATTER_ND, SHAPE, TAKE
from wengert.ops.state import READ
from wengert.tensor.tensor import Tensor, apply, cast, convert

__all__ = ["IndexedSlices", "request_rows"]


class IndexedSlices(Valued):
    """Rows ``values`` that stand at ``indices`` of the first axis of a tensor; repeated rows add up.

    Wherever a tensor is needed it is taken as the whole tensor.
    """

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        """Take the rows (n, ...), where they stand (n,), and the shape of the whole."""
        self.values, self.indices, self.dense_shape = values, indices, dense_shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self.values.dtype  # type: ignore[no-any-return]

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        if self.dense_shape is None:
            return TensorShape(None)
        return TensorShape(static_value(self.dense_shape))

    @property
    def device(self) -> str:
        """Where it is."""
        return str(self.values.device)

    @property
    def name(self) -> Any:
        """The name of the rows."""
        return self.values.name

    @property
    def op(self) -> Any:
        """The operation that gives the rows."""
        return self.values.op

    @property
    def graph(self) -> Any:
        """The graph of the rows."""
        return self.values.graph

    def _as_tensor(self) -> Any:
        if self.dense_shape is None:
            raise ValueError("IndexedSlices without a dense_shape cannot become a tensor.")
        index = apply(EXPAND_DIMS, (convert(self.indices),), {"axis": -1})
        known = static_value(self.dense_shape)
        if isinstance(known, list) and None not in known:
            return apply(SCATTER_ND, (convert(self.values), index), {"shape": tuple(known)})
        return apply(SCATTER_ND, (convert(self.values), index, convert(self.dense_shape)), {"shape": None})

    def numpy(self) -> Any:
        """Return the whole as a NumPy array."""
        return self._as_tensor().numpy()

    def __array__(self, dtype: DtypeLike | None = None, copy: bool | None = None) -> Any:
        return self._as_tensor().__array__(dtype, copy)

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def __repr__(self) -> str:
        shape = "" if self.dense_shape is None else f", dense_shape={self.dense_shape}"
        return f"IndexedSlices(indices={self.indices}, values={self.values}{shape})"

    __str__ = __repr__


def request_rows(
    ys: Sequence[Any], xs: Sequence[Any], gs: Sequence[Any], stops: Sequence[Any], name: str | None = None
) -> list[Any]:
    """Request gradients in a graph as `request` does, but as `IndexedSlices` by an x that is gathered from and nothing else.

    As in TensorFlow, and as tapes give them eagerly: gathered along the first axis, by any number of gathers.
    """
    gathers = _gathers(ys, xs, frozenset([t.n for t in stops]))
    if not gathers:
        return request(ys, xs, gs, stops, name)
    places = [[t.node.outputs[0] for t in gathers[x.n]] if x.n in gathers else [x] for x in xs]
    found = iter(request(ys, [t for place in places for t in place], gs, stops, name))
    answers: list[Any] = []
    for x, place in zip(xs, places, strict=True):
        there = [(t, g) for t in place if (g := next(found)) is not None]
        if x.n not in gathers:
            answers.append(there[0][1] if there else None)
        else:
            answers.append(_joined(x, there) if there else None)
    return answers


def request_within(
    graph: Any, ys: Sequence[Any], xs: Sequence[Any], gs: Sequence[Any], stops: Sequence[Any],
    passes: Callable[[int], bool], name: str | None = None,
) -> list[Any]:  # fmt: skip
    """Request gradients as `request_rows` does, by tensors of a graph or of those around it, and by variables.

    ``stops``: tensors of the graph; ``passes``: whether a derivative leads through a tensor outside of it, by its number.
    """
    places, found = ways(graph, ys, xs, frozenset(t.n for t in stops), passes)
    if not found:
        return request_rows(ys, places, gs, stops, name)
    first = request(ys, [*places, *(p for p, _ in found)], gs, stops, name)
    pairs = [(end, g) for (_, end), g in zip(found, first[len(places) :], strict=True) if g is not None]
    direct = first[: len(places)]
    if not pairs:
        return direct
    along = request([end for end, _ in pairs], places, [g for _, g in pairs], (), name)
    return [b if a is None else a if b is None else apply(ADD, (a, b)) for a, b in zip(direct, along, strict=True)]


def _gathers(ys: Sequence[Any], xs: Sequence[Any], stops: frozenset[int]) -> dict[int, list[Any]]:
    """Return the gathers from each x that only gathers use on the way to the ys; ``stops``: where no way leads through."""
    wanted = {x.n for x in xs if x.nptype.kind in "fc"}
    owner = {n: n for n in wanted}
    """The x that a tensor is: itself, or what was read of a variable."""
    found: dict[int, list[Any]] = {}
    other = {y.n for y in ys}
    for node in ancestors(ys, stops):
        if node.op is READ and node.inputs[0].n in wanted:
            owner[node.outputs[0].n] = node.inputs[0].n
            continue
        rows = node.op is TAKE and node.attrs["axis"] == 0 and node.attrs["batch_dims"] == 0 and _is_known(*node.inputs)
        for k, t in enumerate(node.inputs):
            if t.n in owner:
                if rows and k == 0:
                    found.setdefault(owner[t.n], []).append(node.outputs[0])
                else:
                    other.add(t.n)
    dense = {owner[n] for n in other if n in owner}
    return {n: gathers for n, gathers in found.items() if n not in dense}


def _is_known(x: Any, indices: Any) -> bool:
    """Return whether the shape of rows is known, or they need no other."""
    return x.sizes is not None and indices.sizes is not None and (len(indices.sizes) == 1 or is_full(x.sizes[1:]))


def _joined(x: Tensor, pairs: Sequence[tuple[Any, Any]]) -> IndexedSlices:
    """Return the gradients of gathers, pairs of a gather and its gradient, as rows of x."""
    values, indices = [], []
    for rows, g in pairs:
        at = rows.node.inputs[1]
        if len(at.sizes) != 1:
            g = apply(RESHAPE, (g,), {"shape": (-1, *x.sizes[1:])})
            at = apply(RESHAPE, (at,), {"shape": (-1,)})
        values.append(g)
        indices.append(at)
    if len({at.nptype for at in indices}) > 1:
        indices = [cast(at, np.dtype(np.int64)) for at in indices]
    shape = (
        convert(np.array(x.sizes, np.int32))
        if is_full(x.sizes)
        else apply(SHAPE, (pairs[0][0].node.inputs[0],), {"dtype": "int32"})
    )
    parts = [p[0] if len(p) == 1 else apply(CONCAT, p, {"axis": 0}) for p in (values, indices)]
    return IndexedSlices(parts[0], parts[1], shape)
