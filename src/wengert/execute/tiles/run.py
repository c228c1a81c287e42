"""Tiles at work: stages of whole steps and passes, threads that take groups of tiles in turn, parts that are put together."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from wengert.execute.plan import Plan, Step
from wengert.execute.tiles.again import again, without_unread
from wengert.execute.tiles.bind import Binder, Forms, ndarray
from wengert.execute.tiles.cut import Cut, Item, Mismatch, Unfit, outputs_of
from wengert.execute.tiles.layout import Pass, Way
from wengert.execute.tiles.tile import Tile
from wengert.graph.node import Node
from wengert.ground.blas import blas
from wengert.ground.context import quietly
from wengert.ground.interrupt import breakable
from wengert.ground.locks import lock
from wengert.ground.options import options
from wengert.ground.types import NumPyArray

__all__ = ["CREWS", "HELPERS", "LEAST_BYTES", "LEAST_STEPS", "Crew", "Stage", "Tiling", "Worker", "cut"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt

LEAST_STEPS = 6
"""Row steps under which it does not pay."""
LEAST_BYTES = 1 << 20
"""Bytes that the row steps write in all, under which everything stays in the cache anyway."""
CREWS = 4
"""Sets of buffers that are kept; there are as many as runs at the same time."""
HELPERS = 256


def cut(plan: Plan, feeds: Sequence[tuple[Any, Any]], tile: int | None = None, kind: type[Tiling] | None = None) -> Tiling | None:
    """Cut a planned list, whose feeds have the given shapes and dtypes; None if it is to be run whole.

    ``tile``: the rows of a tile, where they are not to be found by the size of the cache. ``kind``: who goes through the tiles.
    """
    without: frozenset[int] = frozenset()
    unfit: dict[Node, str] = {}
    while True:
        walk = Cut(plan, feeds, without, set(unfit))
        if not walk.families:
            return None
        try:
            tiling = (kind or Tiling)(plan, walk, tile)
        except Unfit as error:
            unfit[error.step.node] = error.reason
            continue
        tiling.unfit = unfit
        small = tiling.small()
        if not small:
            return tiling
        without |= small


class Worker:
    """The buffers of one thread, and the calls bound to them."""

    def __init__(self) -> None:
        self.bound: dict[int, Any] = {}

    def bind(self, number: int, pass_: Pass, forms: Forms) -> Any:
        """Return what a pass needs: the calls by length of the tile, the views to set for a tile, the parts of sums."""
        found = self.bound.get(number)
        if found is None:
            memory = _memory(pass_.buffers)
            parts = [np.empty(pass_.specs[i.step.output].sizes, pass_.specs[i.step.output].nptype) for i in pass_.sums]
            calls, views = {}, {}
            for rows in {pass_.rows, pass_.last}:
                binder = Binder(pass_, rows, _from(memory, pass_.places), forms, None, parts)
                for work in pass_.work:
                    binder.do(work)
                calls[rows], views[rows] = (binder.first, binder.later), binder.views
            found = self.bound[number] = (calls, views, parts)
        return found


def _memory(sizes: Sequence[int]) -> list[Any]:
    """Return buffers of these many bytes, each at the start of a line of the cache."""
    line = 64
    whole = np.empty(sum(-(-s // line) * line + line for s in sizes) + line, np.uint8)
    at = -whole.ctypes.data % line
    found = []
    for s in sizes:
        found.append(whole[at : at + s])
        at += -(-s // line) * line + line
    return found


def _from(memory: Sequence[Any], places: Sequence[int]) -> Any:
    order = iter(places)

    def allocate(shape: Any, nptype: Any, over: Any) -> Any:
        buffer = memory[next(order)]
        return buffer[: math.prod(shape) * nptype.itemsize].view(nptype).reshape(shape)

    return allocate


class Crew:
    """What one run works with: workers, and for each pass the shared values."""

    def __init__(self, passes: int) -> None:
        self.forms = [Forms() for _ in range(passes)]
        self.workers: list[Worker] = []

    def worker(self, k: int) -> Worker:
        """Return the k-th worker."""
        while len(self.workers) <= k:
            self.workers.append(Worker())
        return self.workers[k]

    def release(self) -> None:
        """Hold on to no array of a run."""
        for forms in self.forms:
            forms.release()


class Stage(NamedTuple):
    """Whole steps, and then passes."""

    steps: tuple[Step, ...]
    passes: tuple[int, ...]
    dead: tuple[tuple[int, ...], ...]
    """For each pass, the slots that nobody reads any more."""


class Tiling:
    """A list that is cut, and the buffers for running it."""

    repeats = False
    """Whether a pass computes again what it would else read."""

    def __init__(self, plan: Plan, walk: Cut, tile: int | None) -> None:
        """Order the steps by stages."""
        self.plan, self.specs, self.rows, self.items = plan, walk.specs, walk.rows, walk.items
        self.arrays = walk.arrays
        self._levels()
        self._sink()
        groups = self._grouped()
        keys = sorted(groups)
        self.passes: list[Any] = [self.way(n, groups[level, n], tile) for level, n in keys]
        self.unfit: dict[Node, str] = {}
        """What runs whole though its rows do not depend on each other, and why."""
        self.stages = self._stages(keys)
        self.crews: list[Crew] = []
        self.failures: list[str] = []
        """Why passes failed where the whole steps did not."""
        shapes = {item.step.inputs[p] for item in self.items if item.role == "whole" for p in item.references}
        self.dummies = [(s, np.broadcast_to(np.zeros((), self.specs[s].nptype), self.specs[s].sizes)) for s in shapes]
        """Stand-ins for values of tiles of which whole steps read the shape alone."""

    def way(self, n: int, items: list[Item], tile: int | None) -> Way:
        """Return a pass through so many rows."""
        return Pass(n, items, self, tile)

    def _users(self) -> dict[int, list[Item]]:
        users: dict[int, list[Item]] = {}
        for item in self.items:
            for slot in item.read():
                users.setdefault(slot, []).append(item)
        return users

    def _levels(self) -> None:
        """Give each step the first stage in which it can run."""
        maker: dict[int, Item] = {}
        of: dict[Node, Item] = {}
        effects = 0

        def ready(item: Item, tiled: bool, slot: int | None = None) -> int:
            if item.role == "whole" or (item.role == "row" and tiled and slot is not None):
                return item.level
            return item.level + 1

        for item in self.items:
            tiled = item.role != "whole"
            level = 0
            for slot in item.read():
                if slot in maker:
                    tile = tiled and maker[slot].n == item.n
                    level = max(level, ready(maker[slot], tile, slot))
            for node in item.step.node.control_inputs:
                if node in of:
                    level = max(level, ready(of[node], False))
            if item.step.node.op.stateful:
                effects = level = max(level, effects)
            item.level = level
            of[item.step.node] = item
            for slot in outputs_of(item.step):
                maker[slot] = item

    def _sink(self) -> None:
        """Move row steps to the pass that reads them, where fewer bytes are then written out whole."""
        if all(item.level == 0 for item in self.items):
            return
        users = self._users()
        maker = {slot: item for item in self.items for slot in outputs_of(item.step)}
        awaited = {node for item in self.items for node in item.step.node.control_inputs}
        fetched = set(self.plan.fetches)

        def crosses(slot: int) -> bool:
            made = maker.get(slot)
            if made is None or made.role != "row" or slot in fetched:
                return False
            return any(u.level != made.level or u.role == "whole" for u in users.get(slot, ()))

        def width(slot: int) -> int:
            spec = self.specs[slot]
            return int(math.prod(spec.sizes) * spec.nptype.itemsize)

        for item in reversed(self.items):
            outs = list(outputs_of(item.step))
            if item.role != "row" or fetched & set(outs) or item.step.node.control_inputs:
                continue
            if item.step.node in awaited:
                continue
            reading = [u for slot in outs for u in users.get(slot, ())]
            latest = min((u.level - (u.role == "whole" or u.n != item.n) for u in reading), default=item.level)
            if latest <= item.level:
                continue
            ours = [s for s in item.read() if s in maker and maker[s].role == "row" and not crosses(s) and s not in fetched]
            if sum(map(width, ours)) <= sum(map(width, outs)):
                item.level = latest

    def _grouped(self) -> dict[tuple[int, int], list[Item]]:
        """Return the items of each pass, and find the row values that are written out whole."""
        kept = {slot for item in self.items if item.role == "whole" for slot in item.read()} | set(self.plan.fetches)
        groups = again(self.items, self.specs, kept) if self.repeats else {}
        for item in self.items:
            if item.role != "whole":
                groups.setdefault((item.level, item.n), []).append(item)
        order = {item.step.node: k for k, item in enumerate(self.items)}
        made = {key: {s for item in group for s in outputs_of(item.step)} for key, group in groups.items()}
        taken = {slot for key, group in groups.items() for item in group for slot in item.read() if slot not in made[key]}
        rows = {slot for item in self.items if item.role == "row" for slot in outputs_of(item.step)}
        self.stored = rows & (kept | taken)
        for group in groups.values():
            group.sort(key=lambda item: order[item.step.node])
        return {key: without_unread(group, self.stored) for key, group in groups.items()} if self.repeats else groups

    def _stages(self, keys: Sequence[tuple[int, int]]) -> list[Stage]:
        count = max([item.level for item in self.items], default=0) + 1
        order: list[Any] = []
        for level in range(count):
            order.extend(item for item in self.items if item.role == "whole" and item.level == level)
            order.extend(k for k, (at, _) in enumerate(keys) if at == level)
        last: dict[int, int] = {}
        for at, one in enumerate(order):
            for item in [one] if isinstance(one, Item) else self.passes[one].items:
                for slot in (*(item.step.inputs if item.role == "whole" else item.read()), *outputs_of(item.step)):
                    last[slot] = at
        kept = set(self.plan.fetches)
        dying: dict[int, list[int]] = {}
        for slot, at in last.items():
            if slot not in kept:
                dying.setdefault(at, []).append(slot)
        stages: list[Stage] = []
        at = 0
        for level in range(count):
            steps = []
            while at < len(order) and isinstance(order[at], Item) and order[at].level == level:
                steps.append(order[at].step._replace(dead=tuple(dying.get(at, ())), freed=(), overwrites=()))
                at += 1
            passes, dead = [], []
            while at < len(order) and not isinstance(order[at], Item) and keys[order[at]][0] == level:
                passes.append(order[at])
                dead.append(tuple(dying.get(at, ())))
                at += 1
            stages.append(Stage(tuple(steps), tuple(passes), tuple(dead)))
        return stages

    def least(self) -> tuple[int, int]:
        """Return of how many row steps, that write how many bytes, tiles are made."""
        return LEAST_STEPS, LEAST_BYTES

    def small(self) -> frozenset[int]:
        """Return the numbers of rows for which tiles do not pay."""
        found = set()
        least_steps, least_bytes = self.least()
        for n in {p.n for p in self.passes}:
            mine = [p for p in self.passes if p.n == n]
            written = sum(p.written() for p in mine)
            steps = sum(len(p.items) for p in mine)
            out = sum(math.prod(self.specs[s.slot].sizes) * self.specs[s.slot].nptype.itemsize for p in mine for s in p.stores)
            fetched = set(self.plan.fetches)
            forced = sum(
                math.prod(self.specs[s.slot].sizes) * self.specs[s.slot].nptype.itemsize
                for p in mine for s in p.stores if s.slot not in fetched
            )  # fmt: skip
            if steps < least_steps or written < least_bytes or 2 * forced > written or out > written:
                found.add(n)
        return frozenset(found) if self.passes else frozenset({n for n, _ in self.rows.values()})

    # --- a run --------------------------------------------------------------------------------------------------------

    def run(self, arrays: Sequence[Any], walk: Callable[[Sequence[Step], list[Any]], None]) -> list[Any]:
        """Run for the feeds' arrays; ``walk`` runs whole steps. Return the slots, of which those of the fetches are filled."""
        slots: list[Any] = [None] * self.plan.size
        for slot, a in zip(self.plan.feeds, arrays, strict=True):
            slots[slot] = a
        for slot, dummy in self.dummies:
            slots[slot] = dummy
        crew = self.begun()
        done: set[int] = set()
        try:
            for stage in self.stages:
                walk(stage.steps, slots)
                for number, dead in zip(stage.passes, stage.dead, strict=True):
                    try:
                        self._pass(number, crew, slots)
                    except Exception as error:
                        reason = repr(error)
                        self._rest(stage, done, slots, walk)
                        self.failures.append(reason)
                        return slots
                    done.add(number)
                    for slot in dead:
                        slots[slot] = None
        finally:
            self.ended(crew)
        return slots

    def begun(self) -> Any:
        """Return what a run works with."""
        try:
            return self.crews.pop()
        except IndexError:
            return Crew(len(self.passes))

    def ended(self, crew: Any) -> None:
        """Take it back."""
        crew.release()
        if len(self.crews) < CREWS:
            self.crews.append(crew)

    def _rest(self, stage: Stage, done: set[int], slots: list[Any], walk: Any) -> None:
        """Run whole what has not run."""
        finished = {step.node for s in self.stages[: self.stages.index(stage) + 1] for step in s.steps}
        finished |= {item.step.node for k in done for item in self.passes[k].items}
        left: list[Step] = []
        needed = {slot for slot in self.plan.fetches if slots[slot] is None}
        for step in reversed(self.plan.steps):  # also what passes have computed and not written out
            if step.node not in finished or any(slot in needed and slots[slot] is None for slot in outputs_of(step)):
                left.append(step)
                needed.update(step.inputs)
        left.reverse()
        for step in left:
            for p in step.node.op.shapes_only(len(step.inputs)):
                slot = step.inputs[p]
                if slots[slot] is None and slot in self.rows:
                    slots[slot] = np.broadcast_to(np.zeros((), self.specs[slot].nptype), self.specs[slot].sizes)
        walk([step._replace(dead=(), freed=(), overwrites=()) for step in left], slots)

    def array(self, slots: Sequence[Any], slot: int) -> NumPyArray:
        """Return a value of a run, which has the shape and the dtype that the list says.

        Raises:
            Mismatch: where it has not.
        """
        array, spec = slots[slot], self.specs[slot]
        if array.__class__ is not ndarray or array.shape != spec.sizes or array.dtype != spec.nptype:
            raise Mismatch
        return array

    def room(self, pass_: Way) -> tuple[dict[int, NumPyArray], list[NumPyArray]]:
        """Return arrays for what a pass writes out whole, by slots, and for the parts of its sums, of each group."""
        specs = self.specs
        fresh = {s.slot: np.empty(specs[s.slot].sizes, specs[s.slot].nptype) for s in pass_.stores}
        outputs = [specs[i.step.output] for i in pass_.sums]
        return fresh, [np.empty((pass_.groups, *spec.sizes), spec.nptype) for spec in outputs]

    def made(self, slots: list[Any], pass_: Way, fresh: Mapping[int, NumPyArray], totals: Sequence[NumPyArray]) -> None:
        """Enter what a pass has made."""
        for slot, array in fresh.items():
            slots[slot] = array
        for item, total in zip(pass_.sums, totals, strict=True):
            joined = np.asarray(getattr(np, item.step.node.op.layout.join).reduce(total, 0, total.dtype))  # in the groups' order
            slots[item.step.output] = self.mean(pass_, item, joined)

    def _pass(self, number: int, crew: Any, slots: list[Any]) -> None:
        pass_ = self.passes[number]
        whole: list[tuple[Any, int]] = [(self.array(slots, slot), axis) for slot, axis in pass_.loads]
        fresh, totals = self.room(pass_)
        whole.extend((fresh[s.slot], s.axis) for s in pass_.stores)
        threads = max(1, min(int(options.threads), pass_.groups, pass_.threads))
        bound = [crew.worker(k).bind(number, pass_, crew.forms[number]) for k in range(threads)]
        crew.forms[number].fill(slots)
        counter = itertools.count()
        failures: list[BaseException] = []

        def work(k: int) -> None:
            calls, views, parts = bound[k]
            try:
                _tiles(pass_, calls, views, parts, whole, totals, counter, failures)
            except BaseException as error:
                failures.append(error)
                if not isinstance(error, Exception):
                    raise
            finally:
                for several in views.values():
                    several[:] = [None] * len(several)

        with blas.alone():
            waiting: list[Any] = []
            try:
                for k in range(1, threads):
                    waiting.append(_pool().submit(quietly, work, k))
                quietly(work, 0)
            finally:
                for future in waiting:
                    if not future.cancel():
                        future.exception()
        if failures:
            raise failures[0]
        self.made(slots, pass_, fresh, totals)

    def mean(self, pass_: Way, item: Item, total: NumPyArray) -> NumPyArray:
        """Return what a sum over the rows gives: itself, or its share of a term where that is its mean."""
        if not item.step.node.op.layout.mean:
            return total
        return np.asarray(total / np.asarray(Tile(pass_, pass_.rows).terms(item), total.dtype))


@breakable
def _tiles(
    pass_: Pass, calls: Any, views: Any, parts: Any, whole: Any, totals: Any, counter: Iterator[int], failures: list[Any]
) -> None:
    """Work on one group after another, as long as there are any."""
    n, m, per = pass_.n, pass_.rows, pass_.group
    plain = all(axis == 0 for _, axis in whole)
    for group in counter:
        if group >= pass_.groups or failures:
            return
        begin = True
        for tile in range(group * per, min((group + 1) * per, pass_.tiles)):
            lo = tile * m
            rows = min(m, n - lo)
            if plain:
                views[rows][:] = [a[lo : lo + rows] for a, _ in whole]
            else:
                views[rows][:] = [a[(slice(None),) * axis + (slice(lo, lo + rows),)] for a, axis in whole]
            for call in calls[rows][0 if begin else 1]:
                call()
            begin = False
        for total, part in zip(totals, parts, strict=True):
            total[group] = part


_threads: list[ThreadPoolExecutor] = []


_making = lock()


def _pool() -> ThreadPoolExecutor:
    """Return the threads, of which there are as many as have been asked for at the same time."""
    with _making:
        if not _threads:
            _threads.append(ThreadPoolExecutor(HELPERS, "wengert tiles"))
        return _threads[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.clear)
