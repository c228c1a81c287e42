"""Row-wise lists under XLA, a chunk of rows at a time.

XLA makes room for all temporaries of an executable at once. Where that is much, each run begins with fresh pages (the C
library gives blocks above 32 MB back to the system), which costs as much as the work itself. So a list that was cut by
`wengert.execute.tiles` runs as a scan over chunks of its rows: what depends on a row lives in the room for one chunk, sums
over the rows are carried from chunk to chunk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.execute.tiles.cut import Item, Load, Store, kept_dims, lies_of, outputs_of
from wengert.execute.tiles.layout import Pass
from wengert.execute.tiles.run import Tiling
from wengert.execute.tiles.tile import Tile
from wengert.execute.xla.values import Env
from wengert.execute.xla.walk import Walk
from wengert.ground.types import Array
from wengert.ops.layout import Lies

__all__ = ["chunked", "fits"]

UNDIVIDED = True  # by Ctrl-C: see wengert.ground.interrupt


def fits(tiling: Tiling) -> bool:
    """Whether all that a list sums over its rows is added up, so that chunks can carry it."""
    return all(item.step.node.op.layout.join == "add" for pass_ in tiling.passes for item in pass_.sums)


def chunked(walk: Walk, tiling: Tiling, given: Sequence[Any], env: Env, room: float) -> list[Any]:
    """Walk a cut list; ``room``: by how much the temporaries of all rows exceed those that a chunk is to have."""
    plan = tiling.plan
    slots: list[Any] = [None] * plan.size
    for i, a in zip(plan.feeds, given, strict=True):
        slots[i] = a
    for slot, dummy in tiling.dummies:
        if slots[slot] is None:
            slots[slot] = dummy
    for stage in tiling.stages:
        for step in stage.steps:
            result = walk.step(step.node, [slots[i] for i in step.inputs], env, False)
            for k, one in enumerate(result if step.several else (result,)):
                slots[step.output + k] = one
        for number in stage.passes:
            pass_ = tiling.passes[number]
            rows = max(32, 1 << int(math.log2(max(1.0, pass_.n / room))))
            plain = [walk.value(v, env) for v in slots]
            _scan(walk, pass_, plain, min(rows, pass_.n))
            for slot in pass_.made:
                slots[slot] = plain[slot]
    return [slots[i] for i in plan.fetches]


def _scan(walk: Walk, pass_: Pass, slots: list[Any], rows: int) -> None:
    """Run a pass over chunks of rows."""
    jnp, jax = walk.jax.numpy, walk.jax
    tile = Tile(pass_, rows)
    count, rest = divmod(pass_.n, rows)
    head = count * rows

    def split(load: Load) -> Any:
        x = jnp.moveaxis(jnp.asarray(slots[load.slot]), load.axis, 0)[:head]
        return x.reshape(count, rows, *x.shape[1:])

    def body(carry: Any, xs: Any) -> Any:
        given = {load: jnp.moveaxis(x, 0, load.axis) for load, x in zip(pass_.loads, xs, strict=True)}
        stored, sums = _tile(walk, tile, slots, given)
        moved = [jnp.moveaxis(s, store.axis, 0) for s, store in zip(stored, pass_.stores, strict=True)]
        return [c + s for c, s in zip(carry, sums, strict=True)], moved

    specs = pass_.specs
    first = [jnp.zeros(specs[i.step.output].sizes, specs[i.step.output].nptype) for i in pass_.sums]
    totals, stacked = jax.lax.scan(body, first, [split(load) for load in pass_.loads], length=count)
    whole = [s.reshape(head, *s.shape[2:]) for s in stacked]
    if rest:
        tail = {}
        for load in pass_.loads:
            x = jnp.asarray(slots[load.slot])
            tail[load] = jax.lax.slice_in_dim(x, head, pass_.n, axis=load.axis)
        stored, sums = _tile(walk, Tile(pass_, rest), slots, tail)
        totals = [c + s for c, s in zip(totals, sums, strict=True)]
        moved = [jnp.moveaxis(s, store.axis, 0) for s, store in zip(stored, pass_.stores, strict=True)]
        whole = [jnp.concatenate([a, b]) for a, b in zip(whole, moved, strict=True)]
    for store, array in zip(pass_.stores, whole, strict=True):
        slots[store.slot] = jnp.moveaxis(array, 0, store.axis)
    for item, total in zip(pass_.sums, totals, strict=True):
        if item.step.node.op.layout.mean:
            total = total / tile.terms(item)
        slots[item.step.output] = total


def _tile(walk: Walk, tile: Tile, slots: Sequence[Any], given: dict[Load, Array]) -> tuple[list[Array], list[Array]]:
    """Put one chunk through a pass; return what is stored and the parts of the sums."""
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
                inputs.append(slots[slot])
        if work.role == "sum":
            sums.append(_part(walk, tile, work, inputs))
            continue
        for slot, one in zip(outputs_of(work.step), _row_step(walk, tile, work, inputs), strict=True):
            values[slot] = one
    return stored, sums


def _part(walk: Walk, tile: Tile, item: Item, inputs: Sequence[Array]) -> Array:
    """Return the part of a sum over the rows that a chunk gives."""
    node, spec = item.step.node, tile.pass_.specs[item.step.output]
    if node.op.layout.lies is not Lies.REDUCED:
        return walk.typed(node.op.bind(walk.xp)(*inputs, **node.attrs), spec.nptype)  # type: ignore[no-any-return]
    over, _ = tile.reduction(item, inputs[0])
    return walk.jax.numpy.sum(inputs[0], axis=over, dtype=spec.nptype).reshape(spec.sizes)  # type: ignore[no-any-return]


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
