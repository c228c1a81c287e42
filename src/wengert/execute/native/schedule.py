"""The order of a pass's work: what is done in one loop, when, and which values share memory.

Each work has a *depth*: that of what it reads, and one more, unless it may stand in one loop with what makes it. All elementwise
work of a depth over elements of one shape is one loop, in which values go from one operation to the next in registers; only what
something else reads is written to the memory of the tile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wengert.execute.native.work import Buffer, Loop, Place, Work

__all__ = ["Group", "Schedule", "schedule"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LONGEST = 160
"""Operations of a loop. More at once would only keep more values than there are registers."""


class Group(NamedTuple):
    """Work that is done together: one loop's operations, or one other work."""

    works: list[Work]


class Schedule(NamedTuple):
    """Groups in their order, and the memory that they need."""

    groups: list[Group]
    peak: int
    """Bytes for each row of a tile."""


def schedule(works: Sequence[Work]) -> Schedule:
    """Order the work of a pass, and give its values their places in the memory of a tile."""
    works = _wanted(works)
    for work in works:
        work.depth = max((_after(work, place) for place in work.reads), default=0)
    _sink(works)
    groups = list(_grouped(works))
    for number, group in enumerate(groups):
        for work in group.works:
            work.order = number
    return Schedule(groups, _places(groups))


def _wanted(works: Sequence[Work]) -> list[Work]:
    """Return the work without what makes nothing that is read: a value of which the shape alone was asked has no memory."""
    read: set[int] = set()
    kept: list[Work] = []
    for work in reversed(works):
        if not work.makes or any(id(b) in read for b in work.makes):
            kept.append(work)
            read.update(id(place.source) for place in work.reads)
    return kept[::-1]


def _maker(place: Place) -> Work | None:
    return place.source.maker if isinstance(place.source, Buffer) else None


def _after(work: Work, place: Place) -> int:
    """Return the least depth at which a work can read an input."""
    maker = _maker(place)
    if maker is None:
        return 0
    return maker.depth + (0 if work.joins(place) else 1)


def _sink(works: Sequence[Work]) -> None:
    """Do work later, next to what reads it, where fewer bytes are then kept meanwhile."""
    users: dict[int, list[tuple[Work, Place]]] = {}
    last: dict[int, int] = {}
    for work in works:
        for place in work.reads:
            if isinstance(place.source, Buffer):
                users.setdefault(id(place.source), []).append((work, place))
                last[id(place.source)] = max(last.get(id(place.source), 0), work.depth)
    for work in reversed(works):
        reading = [(user, place) for b in work.makes for user, place in users.get(id(b), ())]
        if not reading:
            continue
        latest = min(user.depth - (0 if user.joins(place) else 1) for user, place in reading)
        if latest <= work.depth:
            continue
        read = {id(p.source): p.source for p in work.reads if isinstance(p.source, Buffer)}
        longer = sum(b.width for key, b in read.items() if last[key] < latest)
        if longer <= sum(b.width for b in work.makes):
            work.depth = latest
            for key in read:
                last[key] = max(last[key], latest)


def _grouped(works: Sequence[Work]) -> Iterable[Group]:
    depths: dict[int, list[Work]] = {}
    for work in works:
        depths.setdefault(work.depth, []).append(work)
    for depth in sorted(depths):
        loops: dict[tuple[int, ...], list[Work]] = {}
        for work in depths[depth]:
            if isinstance(work, Loop):
                loops.setdefault(work.shape, []).append(work)
            else:
                yield Group([work])
        for several in loops.values():
            for k in range(0, len(several), LONGEST):
                yield Group(several[k : k + LONGEST])


def _places(groups: Sequence[Group]) -> int:
    """Give values their offsets; return how many bytes a row takes."""
    made: dict[int, Buffer] = {}
    for number, group in enumerate(groups):
        for work in group.works:
            for place in work.reads:
                if isinstance(place.source, Buffer) and (place.source.maker is None or place.source.maker.order != number):
                    place.source.last = max(place.source.last, number)
            for b in work.makes:
                made[id(b)] = b
    dying: dict[int, list[Buffer]] = {}
    for b in made.values():
        if b.last >= 0:
            dying.setdefault(b.last, []).append(b)
    free: list[tuple[int, int]] = []
    peak = 0
    for number, group in enumerate(groups):
        for work in group.works:
            for b in work.makes:
                if b.last >= 0:
                    b.offset, peak = _take(free, b.width, peak)
        for b in dying.get(number, ()):
            _give(free, b.offset, b.width)
    return peak


def _take(free: list[tuple[int, int]], width: int, peak: int) -> tuple[int, int]:
    """Return an offset with room for so many bytes, and how far the memory reaches then."""
    best = -1
    for k, (_, size) in enumerate(free):
        if size >= width and (best < 0 or size < free[best][1]):
            best = k
    if best >= 0:
        offset, size = free.pop(best)
        if size > width:
            free.append((offset + width, size - width))
        return offset, peak
    if free:
        free.sort()
        offset, size = free[-1]
        if offset + size == peak:  # the last gap is made longer
            free.pop()
            return offset, offset + width
    return peak, peak + width


def _give(free: list[tuple[int, int]], offset: int, width: int) -> None:
    """Take memory back, and join it with what is free beside it."""
    free.append((offset, width))
    free.sort()
    joined: list[tuple[int, int]] = []
    for at, size in free:
        if joined and joined[-1][0] + joined[-1][1] == at:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((at, size))
    free[:] = joined
