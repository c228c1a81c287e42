"""Operations that move elements: views, joins, paddings, and whatever else puts elements elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wengert.execute.native.code import NoForm
from wengert.execute.native.places import ROWS, Places, ordered
from wengert.execute.native.work import Copy, Place
from wengert.execute.tiles.cut import Item, lies_of, outputs_of
from wengert.ground.types import NumPyArray
from wengert.ops.layout import Lies

__all__ = ["moved"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def moved(reader: Places, item: Item) -> None:
    """Read what puts elements elsewhere, by having it done to numbers that stand for them.

    The operation is linear. If it makes of random whole numbers nothing but some of them, and zeros, then it moves elements,
    and one can tell which: that a sum of several, or a multiple of one, is another of them by chance has odds of 2 ** -40.
    """
    step = item.step
    op, count = step.node.op, len(step.inputs)
    lies = lies_of(op)
    fixed = set(item.references) | set(op.constant_inputs) | ({1} if lies is Lies.TAKEN else set())
    reading = [p for p in range(count) if p not in fixed]
    places: list[Place] = []
    arrays: list[NumPyArray] = []
    given: list[NumPyArray] = []
    for p in reading:
        axis = item.slices.get(p)
        if axis is None:
            raise NoForm("a shared value among what is put together")
        place = reader.place(item, p)
        drawn = np.asarray(reader.random.integers(1 << 40, 1 << 62, place.at.shape))
        places.append(place)
        arrays.append(drawn)
        given.append(np.repeat(np.expand_dims(drawn, axis), ROWS, axis))
    given = [given[reading.index(p)] if p in reading else reader.fixed(item, p) for p in range(count)]
    _, shapes = reader.outputs(item)
    if lies is Lies.SAME:
        results: Sequence[NumPyArray] = [given[0].reshape(shapes[0])]
    else:
        attrs = reader.turned(item, step.node.attrs) if lies in (Lies.VIEW, Lies.SCATTERED) else step.node.attrs
        found = op.eager(*given, **attrs)
        results = found if step.several else [found]
    known = np.concatenate([[0], *[a.ravel() for a in arrays]])
    sources = np.concatenate([[-1], *[np.asarray(q.at).ravel() for q in places]])
    owners = np.concatenate([[-1], *[np.full(q.at.size, k) for k, q in enumerate(places)]])
    order = np.argsort(known)
    for slot, one, axis, shape in zip(outputs_of(step), results, item.axes, shapes, strict=True):
        numbers = np.asarray(one)
        if numbers.shape != shape or numbers.dtype.kind not in "iu":
            raise NoForm(f"{op.name} of whole numbers")
        first = np.take(numbers, 0, axis)
        picks = order[np.minimum(np.searchsorted(known[order], first), len(order) - 1)]
        if (np.expand_dims(first, axis) != numbers).any() or (known[picks] != first).any():
            raise NoForm(f"{op.name} does more than move elements")
        _picked(reader, slot, places, picks, sources, owners)


def _picked(
    reader: Places, slot: int, places: Sequence[Place], picks: NumPyArray, sources: NumPyArray, owners: NumPyArray
) -> None:
    """Enter a value that has these elements of others: by its place alone, or as a copy."""
    nptype = reader.specs[slot].nptype
    own = np.unique(owners[picks])
    first = places[own[0]] if own.size and own[0] >= 0 else None
    if own.size == 1 and first is not None:
        reader.set(slot, first._replace(at=sources[picks]))
        return
    if own.size == 1:
        reader.set(slot, Place(None, np.zeros(picks.shape, np.int64), nptype, 0))
        return
    solid = [reader.solid(q) for q in places]
    out = reader.fresh(picks.shape, nptype)
    reader.works.append(Copy(solid, out, picks - 1))
    reader.set(slot, Place(out, ordered(picks.shape), nptype))
