"""What operations do with rows: for each input along which axis its rows lie, for each output along which they come out.

An operation states its rule in its record. A rule gets a node and the axis of each input (None: it does not depend on the
source), and returns the axis of every output, or a list of them. It raises `Refused` where rows are mixed. The proof that walks
down a list by these rules is `wengert.derive.rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.graph.node import Node
from wengert.ground.shapes import text
from wengert.ground.types import Array, Attrs

__all__ = ["Refused", "Rule", "row_axes"]

Axes = Sequence[int | None]
Rule = Callable[[Node, Axes], int | list[int | None] | None]


class Refused(Exception):
    """An operation mixes rows, or it is not known that it does not."""


def row_axes(node: Node, axes: Axes) -> list[int | None]:
    """Return the axis of rows of each output, from that of each input (None: it does not depend on the source).

    None for an output of a control operation that does not depend on the source either.

    Raises:
        Refused: where there is none.
    """
    rule = node.op.rows
    if rule is None:
        raise Refused(f"{node.op.name} has no rule for rows")
    if any(t.sizes is None for t in (*node.inputs, *node.outputs)):
        raise Refused(f"{node.op.name}: a shape is not known")
    found = rule(node, axes)
    return list(found) if isinstance(found, list) else [found] * len(node.outputs)


def _rank(t: Any) -> int:
    return len(t.sizes)


def _same_axis(found: Sequence[int], what: str) -> int:
    if len(set(found)) != 1:
        raise Refused(f"{what}: the rows lie along different axes")
    return found[0]


def elementwise(node: Node, axes: Axes) -> Any:
    """Broadcasting aligns axes from the right; the rows must not be broadcast themselves."""
    out = node.outputs[0]
    found = []
    for t, axis in zip(node.inputs, axes, strict=True):
        if axis is not None:
            placed = axis + _rank(out) - _rank(t)
            if t.sizes[axis] != out.sizes[placed] or (t.sizes[axis] is None and t.root is not out.root):
                raise Refused(f"{node.op.name} broadcasts rows of shape {text(t.sizes)} to {text(out.sizes)}")
            found.append(placed)
    return _same_axis(found, node.op.name)


def kept(node: Node, axes: Axes) -> Any:
    """The first input alone decides, and the axis stays."""
    if axes[0] is None:
        raise Refused(f"{node.op.name}: rows enter as an index or a reference")
    return axes[0]


def over(node: Node, axes: Axes) -> list[int | None]:
    """A reduction, not over the rows."""
    axis, keep = node.attrs["axis"], node.attrs["keepdims"]
    rank = _rank(node.inputs[0])
    over = set(range(rank)) if axis is None else {a % rank for a in (axis if isinstance(axis, tuple | list) else (axis,))}
    mine = kept(node, axes)
    if mine in over:
        raise Refused(f"{node.op.name} reduces over the rows")
    return [mine if keep else mine - sum(a < mine for a in over)]


def arg(node: Node, axes: Axes) -> Any:
    """An axis goes, that of the rows does not."""
    over, mine = node.attrs["axis"] % _rank(node.inputs[0]), kept(node, axes)
    if over == mine:
        raise Refused(f"{node.op.name} looks along the rows")
    return mine - (over < mine)


def spread(node: Node, axes: Axes) -> Any:
    """The adjoint of a reduction: the axes that were reduced come back."""
    axis, keep, out = node.attrs["axis"], node.attrs["keepdims"], node.outputs[0]
    mine = kept(node, axes)
    over = set(range(_rank(out))) if axis is None else {a % _rank(out) for a in axis}
    if keep or _rank(node.inputs[0]) == _rank(out):
        placed = mine
    else:
        placed = [a for a in range(_rank(out)) if a not in over][mine]
    if placed in over:
        raise Refused(f"{node.op.name} spreads one row over all")
    return placed


def along(node: Node, axes: Axes) -> Any:
    """Something happens along one axis, or several, that must not be the rows'."""
    mine, rank = kept(node, axes), _rank(node.inputs[0])
    axis = node.attrs["axis"]
    several = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple | list) else (axis,)
    if mine in {a % rank for a in several}:
        raise Refused(f"{node.op.name} works along the rows")
    return mine


def recurrence(node: Node, axes: Axes) -> Any:
    """As elementwise, along another axis."""
    mine = elementwise(node, axes)
    if node.attrs["axis"] % _rank(node.outputs[0]) == mine:
        raise Refused("recurrence works along the rows")
    return mine


def concat(node: Node, axes: Axes) -> Any:
    """Tensors joined along another axis."""
    found = [a for a in axes if a is not None]
    mine = _same_axis(found, node.op.name)
    if node.attrs["axis"] % _rank(node.inputs[0]) == mine:
        raise Refused("concat joins along the rows")
    return mine


def stack(node: Node, axes: Axes) -> Any:
    """A new axis, before or behind that of the rows."""
    mine = _same_axis([a for a in axes if a is not None], node.op.name)
    return mine + (node.attrs["axis"] % _rank(node.outputs[0]) <= mine)


def concat_part(node: Node, axes: Axes) -> Any:
    """The part of a joined tensor that one input was."""
    if any(a is not None for a in axes[1:]) and axes[0] is None:
        raise Refused("concat_part: rows enter as a reference")
    if node.attrs["axis"] % _rank(node.inputs[0]) == axes[0]:
        raise Refused("concat_part cuts along the rows")
    return axes[0]


def unstack(node: Node, axes: Axes) -> Any:
    """Taken apart along another axis."""
    mine, along = kept(node, axes), node.attrs["axis"] % _rank(node.inputs[0])
    if along == mine:
        raise Refused("unstack takes the rows apart")
    return mine - (along < mine)


def getitem(node: Node, axes: Axes) -> Any:
    """An index that takes all rows."""
    mine, rank = kept(node, axes), _rank(node.inputs[0])
    index = node.attrs["index"]
    used = sum(i is not None and i is not Ellipsis for i in index)
    items = list(index) if Ellipsis in index else [*index, Ellipsis]
    at = items.index(Ellipsis)
    items[at : at + 1] = [slice(None)] * (rank - used)
    axis = placed = 0
    for item in items:
        if item is None:
            placed += 1
            continue
        if axis == mine:
            size = node.inputs[0].sizes[axis]
            if not isinstance(item, slice) or not _whole(item, size):
                raise Refused("getitem picks some of the rows")
            return placed
        placed += isinstance(item, slice)
        axis += 1
    raise Refused("the rows are not found in an index")


def _whole(item: Any, size: Any) -> bool:
    if item == slice(None):
        return True
    if size is None or not all(b is None or isinstance(b, int) for b in (item.start, item.stop, item.step)):
        return False
    return bool(range(*item.indices(size)) == range(size))


def getitem_transpose(node: Node, axes: Axes) -> Any:
    """The adjoint of an index that takes all rows."""
    # The adjoint: g's rows go where the index would have found them.
    probe = _Probe([node.inputs[1]], node.attrs)
    for axis in range(_rank(node.inputs[1])):
        try:
            if getitem(probe, [axis]) == axes[0]:  # type: ignore[arg-type]
                return axis
        except Refused:
            continue
    raise Refused("the adjoint of a slice fills some of the rows")


class _Probe:
    def __init__(self, inputs: Sequence[Array], attrs: Attrs) -> None:
        self.inputs, self.attrs = inputs, attrs


def matmul(node: Node, axes: Axes) -> Any:
    """Matrices; the rows are those of the result, or among the stack."""
    a, b, out = node.inputs[0], node.inputs[1], node.outputs[0]
    found = []
    for k, (t, axis) in enumerate(zip((a, b), axes, strict=True)):
        if axis is None:
            continue
        flipped = node.attrs.get("ta" if k == 0 else "tb", False)
        free = _rank(t) - (2 if (k == 0) != flipped else 1)
        if axis >= _rank(t) - 2:
            if axis != free:
                raise Refused("matmul sums over the rows")
            found.append(_rank(out) - (2 if k == 0 else 1))
        else:
            placed = axis + _rank(out) - _rank(t)
            if t.sizes[axis] != out.sizes[placed] or t.sizes[axis] is None:
                raise Refused("matmul broadcasts the rows")
            found.append(placed)
    return _same_axis(found, "matmul")


def einsum(node: Node, axes: Axes) -> Any:
    """A product of any shape: the rows' letter is in the result."""
    operands, result = node.attrs["equation"].split("->")
    labels = [part[axis] for part, axis in zip(operands.split(","), axes, strict=True) if axis is not None]
    if len(set(labels)) != 1 or labels[0] not in result:
        raise Refused("einsum sums over the rows")
    for part, axis in zip(operands.split(","), axes, strict=True):
        if axis is None and labels[0] in part:
            continue
        if axis is not None and part.count(labels[0]) != 1:
            raise Refused("einsum takes a diagonal")
    return int(result.index(labels[0]))


def transpose(node: Node, axes: Axes) -> Any:
    """Axes in another order."""
    mine, rank = kept(node, axes), _rank(node.inputs[0])
    order = node.attrs["axes"]
    return rank - 1 - mine if order is None else [a % rank for a in order].index(mine)


def matrix_transpose(node: Node, axes: Axes) -> Any:
    """The last two axes change places."""
    mine, rank = kept(node, axes), _rank(node.inputs[0])
    return mine if mine < rank - 2 else (rank - 1 if mine == rank - 2 else rank - 2)


def reshape(node: Node, axes: Axes) -> Any:
    """The rows stay rows where what stands before them, and what stands behind them, is only regrouped."""
    mine = kept(node, axes)
    old, new = node.inputs[0].sizes, node.outputs[0].sizes
    size = old[mine]
    before, behind = _product(old[:mine]), _product(old[mine + 1 :])
    for axis, s in enumerate(new):
        if s == size and size is not None and before is not None and behind is not None:
            if _product(new[:axis]) == before and _product(new[axis + 1 :]) == behind:
                return axis
    root = getattr(node.outputs[0], "root", None)
    if root is not None and root is node.inputs[0].root:
        return mine
    raise Refused(f"reshape of {text(old)} to {text(new)} regroups the rows")


def _product(sizes: Sequence[Any]) -> Any:
    total = 1
    for s in sizes:
        if s is None:
            return None
        total *= s
    return total


def expand(node: Node, axes: Axes) -> Any:
    """A new axis."""
    mine = kept(node, axes)
    return mine + (node.attrs["axis"] % _rank(node.outputs[0]) <= mine)


def squeeze(node: Node, axes: Axes) -> Any:
    """Axes of size one go."""
    mine, sizes = kept(node, axes), node.inputs[0].sizes
    over = node.attrs["axis"]
    gone = {i for i, s in enumerate(sizes) if s == 1} if over is None else {a % len(sizes) for a in over}
    if over is None and None in sizes:
        raise Refused("squeeze: a size is not known")
    if mine in gone:
        raise Refused("squeeze takes the axis of rows away")
    return mine - sum(a < mine for a in gone)


def broadcast(node: Node, axes: Axes) -> Any:
    """Repeated along other axes."""
    mine, x, out = kept(node, axes), node.inputs[0], node.outputs[0]
    placed = mine + _rank(out) - _rank(x)
    if x.sizes[mine] != out.sizes[placed] or (x.sizes[mine] is None and x.root is not out.root):
        raise Refused(f"{node.op.name} repeats the rows")
    return placed


def sum_to(node: Node, axes: Axes) -> Any:
    """Summed over the axes that another shape lacks."""
    mine, x, out = kept(node, axes), node.inputs[0], node.outputs[0]
    placed = mine + _rank(out) - _rank(x)
    if placed < 0 or x.sizes[mine] != out.sizes[placed] or x.sizes[mine] is None:
        raise Refused(f"{node.op.name} sums over the rows")
    return placed


def pad(node: Node, axes: Axes) -> Any:
    """Padded along other axes."""
    mine, paddings = kept(node, axes), node.attrs["paddings"]
    if paddings is None or tuple(paddings[mine]) != (0, 0):
        raise Refused("pad adds rows")
    return mine


def tile(node: Node, axes: Axes) -> Any:
    """Repeated along other axes."""
    mine, times = kept(node, axes), node.attrs["multiples"]
    if times is None or times[mine] != 1:
        raise Refused("tile repeats the rows")
    return mine


def matrices(node: Node, axes: Axes) -> list[int | None]:
    """Linear algebra of stacks: the rows must be among the stack."""
    found = []
    lead = max(_rank(t) for t in node.inputs) - 2
    for t, axis in zip(node.inputs, axes, strict=True):
        if axis is not None:
            if axis >= _rank(t) - 2:
                raise Refused(f"{node.op.name} works across the rows")
            placed = axis + lead - (_rank(t) - 2)
            if node.outputs[0].sizes[placed] != t.sizes[axis] or t.sizes[axis] is None:
                raise Refused(f"{node.op.name} broadcasts the rows")
            found.append(placed)
    return [_same_axis(found, node.op.name)] * len(node.outputs)


def diagonal(node: Node, axes: Axes) -> Any:
    """Matrices, the last two axes."""
    mine = kept(node, axes)
    if mine >= _rank(node.inputs[0]) - 2:
        raise Refused(f"{node.op.name} works across the rows")
    return mine


def set_diag(node: Node, axes: Axes) -> Any:
    """Matrices and their diagonals."""
    found = [a for a in axes if a is not None]
    mine = _same_axis(found, "set_diag")
    if mine >= _rank(node.outputs[0]) - 2:
        raise Refused("set_diag works across the rows")
    return mine


def last(node: Node, axes: Axes) -> Any:
    """Something happens along the last axis."""
    mine = kept(node, axes)
    if mine == _rank(node.inputs[0]) - 1:
        raise Refused(f"{node.op.name} works along the rows")
    return mine


def take(node: Node, axes: Axes) -> Any:
    """A gather: rows of the indices, or of what is gathered from along another axis."""
    x, indices = node.inputs[0], node.inputs[1]
    axis, batch = node.attrs["axis"] % _rank(x), node.attrs["batch_dims"]
    if axes[1] is None:
        mine = axes[0]
        assert mine is not None
        if mine == axis:
            raise Refused("gather picks rows")
        return mine if mine < axis else mine + _rank(indices) - batch - 1
    if axes[0] is None and batch == 0:
        return axis + axes[1]
    if axes[0] is not None and axes[0] == axes[1] < batch:
        return axes[0]
    raise Refused("gather picks rows")


def take_along(node: Node, axes: Axes) -> Any:
    """A gather along an axis, for each row."""
    mine = _same_axis([a for a in axes[:2] if a is not None], "gather")
    out = node.outputs[0].sizes
    if node.attrs["axis"] % _rank(node.inputs[0]) == mine:
        raise Refused("gather picks rows")
    if any(t.sizes[mine] is None or t.sizes[mine] != out[mine] for t in node.inputs):
        raise Refused("gather broadcasts the rows")
    return mine


def one_hot(node: Node, axes: Axes) -> Any:
    """A new axis for the classes."""
    mine = kept(node, axes)
    return mine + (node.attrs["axis"] % _rank(node.outputs[0]) <= mine)


def linspace(node: Node, axes: Axes) -> Any:
    """A new axis for the points."""
    mine = _same_axis([a for a in axes if a is not None], "linspace")
    return mine + (node.attrs["axis"] % _rank(node.outputs[0]) <= mine)


def cond(node: Node, axes: Axes) -> list[int | None]:
    """Both branches lay the rows alike."""
    if axes[0] is not None:
        raise Refused("the condition of a choice depends on the rows")
    found = [_inside(node.attrs[branch], axes[1:]) for branch in ("yes", "no")]
    results = []
    for a, b in zip(*found, strict=True):
        if a is not None and b is not None and a != b:
            raise Refused("the branches of a choice lay rows along different axes")
        results.append(a if a is not None else b)
    return results


def loop(node: Node, axes: Axes) -> list[int | None]:
    """Each turn leaves the rows where they are."""
    carries, sequences, _ = node.attrs["counts"]
    body, test = node.attrs["body"], node.attrs["test"]
    carried = list(axes[:carries])
    slices = []
    for axis in axes[carries : carries + sequences]:
        if axis == 0:
            raise Refused("a loop runs over the rows")
        slices.append(None if axis is None else axis - 1)
    rest = list(axes[carries + sequences :])
    while True:
        out = _inside(body, [*carried, *slices, *rest])
        merged = [a if a is not None else b for a, b in zip(carried, out[:carries], strict=True)]
        if any(a is not None and b is not None and a != b for a, b in zip(carried, out[:carries], strict=True)):
            raise Refused("a loop turns the rows to another axis")
        if merged == carried:
            break
        carried = merged
    if test is not None and any(a is not None for a in _inside(test, [*carried, *rest])):
        raise Refused("a loop ends by a condition on the rows")
    return [*carried, *[None if a is None else a + 1 for a in out[carries:]]]


def _inside(body: Any, axes: Axes) -> list[int | None]:
    """Return the axes of a body's outputs from those of its inputs."""
    known = {p.n: a for p, a in zip(body.places, axes, strict=True) if a is not None}
    for node in body.graph.nodes:
        found = [known.get(t.n) for t in node.inputs]
        if any(a is not None for a in found):
            known.update({t.n: axis for t, axis in zip(node.outputs, row_axes(node, found), strict=True) if axis is not None})
    return [known.get(t.n) for t in body.outputs]
