"""Row-wise lists under XLA in parts: device by device, and on each a chunk of rows at a time.

Both follow the cut of `wengert.execute.tiles`. Each device has its own rows of what a pass loads and makes; sums over the rows
are joined among devices when the passes of a stage are done, all of them by one collective. What stands between the passes is
done by every device alike, and what it reads of rows is gathered first.

XLA makes room for all temporaries of an executable at once. Where that is much, each run begins with fresh pages (the C
library gives blocks above 32 MB back to the system), which costs as much as the work itself. So a pass runs as a scan over
chunks of a device's rows then: what depends on a row lives in the room for one chunk, sums are carried from chunk to chunk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from wengert.execute.plan import Step
from wengert.execute.tiles.cut import Item, Load, Store, kept_dims, lies_of, outputs_of
from wengert.execute.tiles.layout import Pass
from wengert.execute.tiles.run import Tiling
from wengert.execute.tiles.tile import Tile
from wengert.execute.xla.mesh import ROWS, Mesh
from wengert.execute.xla.placing import Places
from wengert.execute.xla.values import Env, Ref
from wengert.execute.xla.walk import Walk
from wengert.ground.types import Array, Dtype
from wengert.ops.layout import REDUCES, Lies, nothing
from wengert.ops.state import ASSIGN

__all__ = ["Alone", "Among", "in_parts"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


class Alone:
    """One device has all rows."""

    def __init__(self, jax: ModuleType) -> None:
        """Take JAX."""
        self.jax = jax

    def rows(self, n: int) -> int:
        """Return how many of n rows a device has."""
        return n

    def part(self, x: Array, axis: int, n: int) -> Array:
        """Return the rows of this device."""
        return x

    def whole(self, x: Array, axis: int, n: int) -> Array:
        """Return all rows."""
        return x

    def valid(self, n: int) -> Array | None:
        """Return for each row of this device whether it is one of the n, and no filling; None: they all are."""
        return None

    def joined(self, sums: Sequence[Any], joins: Sequence[str]) -> Sequence[Any]:
        """Return what the parts of sums that devices have come to."""
        return sums


class Among(Alone):
    """A device has some of the rows: what a function does that runs on each device of a mesh."""

    def __init__(self, mesh: Mesh) -> None:
        """Take the mesh."""
        super().__init__(mesh.jax)
        self.mesh = mesh

    def rows(self, n: int) -> int:
        """Return how many of n rows a device has."""
        return self.mesh.rows(n)

    def part(self, x: Array, axis: int, n: int) -> Any:
        """Return the rows of this device."""
        jax, m = self.jax, self.rows(n)
        return jax.lax.dynamic_slice_in_dim(self.mesh.filled(jax.numpy, x, axis), jax.lax.axis_index(ROWS) * m, m, axis)

    def whole(self, x: Array, axis: int, n: int) -> Any:
        """Return all rows."""
        found = self.jax.lax.all_gather(x, ROWS, axis=axis, tiled=True)
        return self.jax.lax.slice_in_dim(found, 0, n, axis=axis)

    def valid(self, n: int) -> Any:
        """Return for each row of this device whether it is one of the n, and no filling; None: they all are."""
        m = self.rows(n)
        if m * self.mesh.size == n:
            return None
        return self.jax.lax.axis_index(ROWS) * m + np.arange(m) < n

    def joined(self, sums: Sequence[Any], joins: Sequence[str]) -> Sequence[Any]:
        """Return what the parts of sums that devices have come to: what is added, by one collective for each dtype."""
        jax, jnp = self.jax, self.jax.numpy
        found = list(sums)
        added: dict[Dtype, list[int]] = {}
        for k, (part, join) in enumerate(zip(sums, joins, strict=True)):
            if join == "add" and part.dtype.kind in "iufc":
                added.setdefault(part.dtype, []).append(k)
            else:
                found[k] = getattr(jnp, REDUCES[join])(jax.lax.all_gather(part, ROWS), axis=0).astype(part.dtype)
        for places in added.values():
            total = jax.lax.psum(jnp.concatenate([sums[k].ravel() for k in places]), ROWS)
            at = 0
            for k in places:
                found[k] = total[at : at + sums[k].size].reshape(sums[k].shape)
                at += sums[k].size
        return found


def in_parts(
    walk: Walk, tiling: Tiling, given: Sequence[Any], env: Env, room: float, share: Alone, places: Places
) -> tuple[list[Any], dict[int, int]]:
    """Walk a cut list; return the fetches, and the axes of rows of those of which a device has its own alone, by their numbers.

    ``room``: by how much the temporaries of a device's rows exceed those that a chunk is to have. ``places``: of which feeds,
    constants, variables and draws a device is given its own rows alone.
    """
    run = _Run(walk, tiling, env, room, share, places)
    for slot, value in zip(tiling.plan.feeds, given, strict=True):
        run.enter(slot, value)
    for stage in tiling.stages:
        rest = [step for step in stage.steps if not run.linear(step)]
        for step in rest:
            run.step(step)
        run.passes([tiling.passes[number] for number in stage.passes])
    fetched, spread = [], {}
    for k, slot in enumerate(tiling.plan.fetches):
        if slot in run.parts and places.fetched(slot):
            axis, fetch = run.parts[slot]
            spread[k] = axis
        else:
            fetch = run.whole(slot)
        fetched.append(fetch)
    return fetched, spread


class _Run:
    """One walk: what is known as a whole, and what by a device's own rows."""

    def __init__(self, walk: Walk, tiling: Tiling, env: Env, room: float, share: Alone, places: Places) -> None:
        self.walk, self.tiling, self.env, self.room, self.share, self.places = walk, tiling, env, room, share, places
        self.slots: list[Any] = [None] * tiling.plan.size
        self.parts: dict[int, tuple[int, Any]] = {}
        """By slot: the axis of the rows, and those of this device."""
        self.sums: dict[int, tuple[str, Any]] = {}
        """By slot: the sums of which devices have parts, and how these are joined: all at once, when somebody asks for one."""
        self.readers = Counter(slot for item in tiling.items for slot in item.step.inputs) + Counter(tiling.plan.fetches)
        """How often a value will still be read."""
        self.dummies = dict(tiling.dummies)

    def enter(self, slot: int, value: Array | Ref) -> None:
        """Take a value from outside, or from a step: as a whole, or a device's rows of it."""
        axis = self.places.of.get(slot)
        if axis is None:
            self.slots[slot] = value
        else:
            self.parts[slot] = axis, value

    def whole(self, slot: int) -> Any:
        """Return a value with all rows, or of all rows."""
        if slot in self.sums:
            self.join()
        if self.slots[slot] is None and slot in self.parts:
            axis, x = self.parts[slot]
            self.slots[slot] = self.share.whole(x, axis, self.tiling.specs[slot].sizes[axis])
        return self.slots[slot]

    def own(self, load: Load) -> Any:
        """Return a device's rows of a value."""
        if load.slot in self.parts and self.parts[load.slot][0] == load.axis:
            return self.parts[load.slot][1]
        n = self.tiling.specs[load.slot].sizes[load.axis]
        x = self.walk.value(self.whole(load.slot), self.env)
        return self.share.part(self.walk.jax.numpy.asarray(x), load.axis, n)

    def step(self, step: Step) -> None:
        """Do what stands between the passes."""
        node = step.node
        shapes = node.op.shapes_only(len(step.inputs))
        kept = self.places.assigned.get(node)  # a variable of which each device has its own rows
        values = []
        for p, slot in enumerate(step.inputs):
            if kept is not None and p == 1:
                values.append(self.own(Load(slot, kept)))
            elif p in shapes and self.slots[slot] is None:
                values.append(self.dummies[slot] if slot in self.dummies else self.dummy(slot))
            else:
                values.append(self.whole(slot))
        self.readers.subtract(step.inputs)
        self.places.note(self.walk, step)
        result = self.walk.step(node, values, self.env, False)
        if node.op is ASSIGN and kept is not None:
            self.parts[step.output] = kept, result
            return
        for slot, one in zip(outputs_of(step), result if step.several else (result,), strict=False):
            self.enter(slot, one)

    def dummy(self, slot: int) -> Array:
        """Return something of a value's shape."""
        spec = self.tiling.specs[slot]
        return np.broadcast_to(np.zeros((), spec.nptype), spec.sizes)

    def passes(self, passes: Sequence[Pass]) -> None:
        """Run the passes of a stage."""
        for pass_ in passes:
            given = {load: self.own(load) for load in pass_.loads}
            shared = {slot: self.walk.value(self.whole(slot), self.env) for slot in self._shared(pass_)}
            stored, totals = _chunks(self.walk, pass_, shared, given, self.room, self.share)
            for store, array in zip(pass_.stores, stored, strict=True):
                self.parts[store.slot] = store.axis, array
            for item in pass_.items:
                self.readers.subtract(item.step.inputs)
            for item, total in zip(pass_.sums, totals, strict=True):
                layout = item.step.node.op.layout
                part = total / Tile(pass_, 1).terms(item) if layout.mean else total
                self.sums[item.step.output] = layout.join, part

    def join(self) -> None:
        """Join the sums of which devices have parts, but for those that nobody reads any more."""
        wanted = {slot: sum_ for slot, sum_ in self.sums.items() if self.readers[slot] > 0}
        self.sums.clear()
        found = self.share.joined([part for _, part in wanted.values()], [join for join, _ in wanted.values()])
        for slot, total in zip(wanted, found, strict=True):
            self.slots[slot] = total

    def linear(self, step: Step) -> bool:
        """Do a step on parts of sums, of which it is a sum itself, and return whether it is such a one."""
        op = step.node.op
        if op.kind != "linear" or op.outputs != 1 or op.constant_inputs or step.node.outputs[0].nptype.kind not in "fc":
            return False
        if any(self.sums.get(slot, ("",))[0] != "add" for slot in step.inputs):
            return False
        self.readers.subtract(step.inputs)
        self.sums[step.output] = "add", self.walk.step(step.node, [self.sums[slot][1] for slot in step.inputs], self.env, False)
        return True

    def _shared(self, pass_: Pass) -> set[int]:
        """Return the values that a pass reads as wholes."""
        return {
            slot for item in pass_.items for p, slot in enumerate(item.step.inputs)
            if p not in item.references and p not in item.slices and slot not in pass_.made
        }  # fmt: skip


def _chunks(
    walk: Walk, pass_: Pass, shared: dict[int, Any], given: dict[Load, Any], room: float, share: Alone
) -> tuple[list[Array], list[Array]]:
    """Run a pass over a device's rows; return what it stores of them, and their part of its sums."""
    jnp, jax = walk.jax.numpy, walk.jax
    n = share.rows(pass_.n)
    valid = share.valid(pass_.n)
    rows = n if room <= 1.0 else min(n, max(32, 1 << int(math.log2(max(1.0, n / room)))))
    if rows == n:
        return _tile(walk, Tile(pass_, n), shared, given, valid)
    tile = Tile(pass_, rows)
    count, rest = divmod(n, rows)
    head = count * rows
    joins = [item.step.node.op.layout.join for item in pass_.sums]
    join = [getattr(jnp, name) for name in joins]

    def split(x: Array, axis: int) -> Any:
        first = jnp.moveaxis(jnp.asarray(x), axis, 0)[:head]
        return first.reshape(count, rows, *first.shape[1:])

    def body(carry: Sequence[Array], xs: tuple[Sequence[Array], Array | None]) -> Any:
        own = {load: jnp.moveaxis(x, 0, load.axis) for load, x in zip(pass_.loads, xs[0], strict=True)}
        stored, sums = _tile(walk, tile, shared, own, xs[1])
        moved = [jnp.moveaxis(s, store.axis, 0) for s, store in zip(stored, pass_.stores, strict=True)]
        return [f(c, s) for f, c, s in zip(join, carry, sums, strict=True)], moved

    specs = pass_.specs
    first = []
    for item, name in zip(pass_.sums, joins, strict=True):
        spec = specs[item.step.output]
        first.append(jnp.full(spec.sizes, nothing(name, spec.nptype), spec.nptype))
    loads = [split(given[load], load.axis) for load in pass_.loads]
    xs = loads, None if valid is None else split(valid, 0)
    totals, stacked = jax.lax.scan(body, first, xs, length=count)
    whole = [s.reshape(head, *s.shape[2:]) for s in stacked]
    if rest:
        tail = {load: jax.lax.slice_in_dim(jnp.asarray(given[load]), head, n, axis=load.axis) for load in pass_.loads}
        stored, sums = _tile(walk, Tile(pass_, rest), shared, tail, None if valid is None else valid[head:])
        totals = [f(c, s) for f, c, s in zip(join, totals, sums, strict=True)]
        moved = [jnp.moveaxis(s, store.axis, 0) for s, store in zip(stored, pass_.stores, strict=True)]
        whole = [jnp.concatenate([a, b]) for a, b in zip(whole, moved, strict=True)]
    return [jnp.moveaxis(array, 0, store.axis) for store, array in zip(pass_.stores, whole, strict=True)], totals


def _tile(
    walk: Walk, tile: Tile, shared: dict[int, Any], given: dict[Load, Any], valid: Array | None
) -> tuple[list[Array], list[Array]]:
    """Put some rows through a pass; return what is stored and the parts of the sums, in which only valid rows are."""
    values: dict[int, Array] = {}
    stored, sums = [], []
    for work in tile.pass_.work:
        if isinstance(work, Load):
            continue
        if isinstance(work, Store):
            stored.append(values[work.slot])
            continue
        inputs: list[Any] = []
        for p, slot in enumerate(work.step.inputs):
            if p in work.references:
                inputs.append(tile.dummy(work, p))
            elif p in work.slices:
                inputs.append(values[slot] if slot in tile.pass_.made else given[Load(slot, work.slices[p])])
            else:
                inputs.append(shared[slot])
        if work.role == "sum":
            sums.append(_part(walk, tile, work, inputs, valid))
            continue
        for slot, one in zip(outputs_of(work.step), _row_step(walk, tile, work, inputs), strict=True):
            values[slot] = one
    return stored, sums


def _part(walk: Walk, tile: Tile, item: Item, inputs: Sequence[Array], valid: Array | None) -> Any:
    """Return the part of a sum over the rows that some of them give."""
    jnp = walk.jax.numpy
    node, spec, layout = item.step.node, tile.pass_.specs[item.step.output], item.step.node.op.layout
    if valid is not None:
        shut = nothing(layout.join, np.dtype(spec.nptype)) if layout.lies is Lies.REDUCED else 0
        inputs = [_only(jnp, x, item.slices.get(p), valid, shut) for p, x in enumerate(inputs)]
    if layout.lies is not Lies.REDUCED:
        return walk.typed(node.op.bind(walk.xp)(*inputs, **node.attrs), spec.nptype)
    over, _ = tile.reduction(item, inputs[0])
    typed = {"dtype": spec.nptype} if layout.join in ("add", "multiply") else {}
    return getattr(jnp, REDUCES[layout.join])(inputs[0], axis=over, **typed).reshape(spec.sizes)


def _only(jnp: ModuleType, x: Array, axis: int | None, valid: Array, shut: float) -> Any:
    """Return an input with what changes nothing in place of the rows that are filling."""
    if axis is None:
        return x
    shape = [-1 if k == axis else 1 for k in range(x.ndim)]
    return jnp.where(jnp.reshape(valid, shape), x, jnp.asarray(shut, x.dtype))


def _row_step(walk: Walk, tile: Tile, item: Item, inputs: Sequence[Any]) -> list[Array]:
    """Return the outputs of a row step for a chunk."""
    jnp = walk.jax.numpy
    node = item.step.node
    op, layout, attrs, lies = node.op, node.op.layout, node.attrs, lies_of(node.op)
    specs, shapes = tile.outputs(item)
    if lies is Lies.SAME:
        return [jnp.reshape(inputs[0], shapes[0])]
    if lies is Lies.FILLED:
        return [jnp.full(shapes[0], layout.value, specs[0].nptype)]
    if lies is Lies.SPREAD:
        x = jnp.asarray(inputs[0])
        if layout.axes:
            x = x.reshape(kept_dims(x.shape, shapes[0], attrs))
        return [jnp.broadcast_to(x / tile.terms(item) if layout.mean else x, shapes[0])]
    if lies is Lies.REDUCED and not layout.axes:
        over, _ = tile.reduction(item, inputs[0])
        return [jnp.sum(inputs[0], axis=over).reshape(shapes[0])]
    found = op.bind(walk.xp)(*inputs, **tile.turned(item, attrs))
    results = list(found) if item.step.several else [found]
    return [walk.typed(r, spec.nptype) for r, spec in zip(results, specs, strict=True)]
