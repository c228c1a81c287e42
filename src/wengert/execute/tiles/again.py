"""What a later pass computes again rather than reads, so that no value of a tile is written out and taken back in between.

Where whole steps stand between two passes (a loss by slices of the rows, say), the second one, a reverse sweep, reads nearly all
that the first has made. To write a number out and to take it back costs as much as many operations, and memory for
all rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from wengert.execute.tiles.cut import Item, Spec, lies_of, outputs_of
from wengert.ops.layout import Lies

__all__ = ["again", "without_unread"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

Key = tuple[int, int]
"""A pass: its stage, and how many rows it goes through."""
PER_BYTE = 12
"""Operations for which the time of a byte that is written out or read is given."""
POINTWISE = 4
"""Operations that an elementwise step counts as, for each element: a few are functions, of forty, the most are one."""


def again(items: Sequence[Item], specs: Mapping[int, Spec], kept: set[int]) -> dict[Key, list[Item]]:
    """Return for each pass what it does again, as items of its own; ``kept``: the slots that are written out anyway."""
    maker = {slot: item for item in items if item.role == "row" for slot in outputs_of(item.step)}
    found: dict[Key, list[Item]] = {}
    for key in sorted({(i.level, i.n) for i in items if i.role != "whole"}):
        mine = [i for i in items if i.role != "whole" and (i.level, i.n) == key]
        chain: dict[int, Item] = {}
        missing: set[int] = set()
        waiting = [(slot, True) for item in mine for slot in item.read()]
        while waiting:
            slot, read_by_it = waiting.pop()
            made = maker.get(slot)
            if made is None or slot in kept or (made.level, made.n) == key:
                continue
            if read_by_it:
                missing.add(slot)
            if made.n != key[1] or made.step.node.op.stateful or made.step.node.control_inputs:
                missing.clear()  # it cannot be computed again
                break
            if made.step.output not in chain:
                chain[made.step.output] = made
                waiting += [(s, False) for s in made.read()]
        size = sum(2 * math.prod(specs[s].sizes) * specs[s].nptype.itemsize for s in missing)
        if missing and sum(_operations(i, specs) for i in chain.values()) <= PER_BYTE * size:
            found[key] = [_copied(i, key[0]) for i in chain.values()]
    return found


def _copied(item: Item, level: int) -> Item:
    copy = Item(item.step, item.role, item.n, item.axes, dict(item.slices))
    copy.references, copy.level, copy.again = item.references, level, True
    return copy


def _operations(item: Item, specs: Mapping[int, Spec]) -> int:
    out, lies = int(math.prod(specs[item.step.output].sizes)), lies_of(item.step.node.op)
    if lies in (Lies.MATRICES, Lies.LETTERS):
        left, right = (math.prod(specs[s].sizes) for s in item.step.inputs[:2])
        rows = item.n if len(item.slices) > 1 else 1  # each row has a matrix of its own, or all have the same
        return 2 * out * max(1, math.isqrt(left * right // max(out * rows, 1)))
    if lies is Lies.POINTWISE:
        return POINTWISE * out
    return out


def without_unread(group: Iterable[Item], stored: set[int]) -> list[Item]:
    """Return a pass's items without those that nothing in it reads and that are not written out."""
    read: set[int] = set()
    left = []
    for item in reversed(list(group)):
        outs = set(outputs_of(item.step))
        if item.role == "sum" or outs & read or (outs & stored and not item.again):
            left.append(item)
            read.update(item.step.inputs)
    return left[::-1]
