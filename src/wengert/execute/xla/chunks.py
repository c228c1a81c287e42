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

from wengert.execute.tiles.bind import Binder
from wengert.execute.tiles.cut import Item, Load, Store, kept_dims, outputs_of, over_axes
from wengert.execute.tiles.layout import Pass
from wengert.execute.tiles.run import Tiling
from wengert.execute.xla.values import Env
from wengert.execute.xla.walk import Walk
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
    count, rest = divmod(pass_.n, rows)
    head = count * rows

    def split(load: Load) -> Any:
        x = jnp.moveaxis(jnp.asarray(slots[load.slot]), load.axis, 0)[:head]
        return x.reshape(count, rows, *x.shape[1:])

    def body(carry: Any, xs: Any) -> Any:
        given = {load: jnp.moveaxis(x, 0, load.axis) for load, x in zip(pass_.loads, xs, strict=True)}
        stored, sums = _tile(walk, pass_, slots, given, rows)
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
        stored, sums = _tile(walk, pass_, slots, tail, rest)
        totals = [c + s for c, s in zip(totals, sums, strict=True)]
        moved = [jnp.moveaxis(s, store.axis, 0) for s, store in zip(stored, pass_.stores, strict=True)]
        whole = [jnp.concatenate([a, b]) for a, b in zip(whole, moved, strict=True)]
    for store, array in zip(pass_.stores, whole, strict=True):
        slots[store.slot] = jnp.moveaxis(array, 0, store.axis)
    for item, total in zip(pass_.sums, totals, strict=True):
        if item.step.node.op.layout.mean:
            sizes = specs[item.step.inputs[0]].sizes
            total = total / math.prod([sizes[a] for a in over_axes(item.step.node.attrs["axis"], len(sizes))])
        slots[item.step.output] = total


def _tile(walk: Walk, pass_: Pass, slots: Sequence[Any], given: dict[Load, Any], rows: int) -> tuple[list[Any], list[Any]]:
    """Put one chunk through a pass; return what is stored and the parts of the sums."""
    binder = Binder(pass_, rows, None, None)  # type: ignore[arg-type]
    values: dict[int, Any] = {}
    stored, sums = [], []
    for work in pass_.work:
        if isinstance(work, Load):
            continue
        if isinstance(work, Store):
            stored.append(values[work.slot])
            continue
        inputs = []
        for p, slot in enumerate(work.step.inputs):
            if p in work.references:
                inputs.append(binder.dummy(work, p))
            elif p in work.slices:
                inputs.append(values[slot] if slot in pass_.made else given[Load(slot, work.slices[p])])
            else:
                inputs.append(slots[slot])
        if work.role == "sum":
            sums.append(_part(walk, pass_, work, inputs))
            continue
        found = _row_step(walk, pass_, binder, work, inputs, rows)
        for slot, one in zip(outputs_of(work.step), found, strict=True):
            values[slot] = one
    return stored, sums


def _part(walk: Walk, pass_: Pass, item: Item, inputs: list[Any]) -> Any:
    """Return the part of a sum over the rows that a chunk gives."""
    node = item.step.node
    layout, spec = node.op.layout, pass_.specs[item.step.output]
    if layout.lies is not Lies.REDUCED:
        return walk.typed(node.op.bind(walk.xp)(*inputs, **node.attrs), spec.nptype)
    x = inputs[0]
    if not layout.axes:
        extra = x.ndim - len(spec.sizes)
        over = (*range(extra), *[k + extra for k, s in enumerate(spec.sizes) if s == 1 and x.shape[k + extra] != 1])
    else:
        over = over_axes(node.attrs["axis"], x.ndim)
    return walk.jax.numpy.sum(x, axis=over, dtype=spec.nptype).reshape(spec.sizes)


def _row_step(walk: Walk, pass_: Pass, binder: Binder, item: Item, inputs: list[Any], rows: int) -> list[Any]:
    """Return the outputs of a row step for a chunk."""
    jnp = walk.jax.numpy
    node = item.step.node
    op, layout, attrs = node.op, node.op.layout, node.attrs
    lies = None if layout is None else layout.lies
    specs = [pass_.specs[s] for s in outputs_of(item.step)]
    shapes = [spec.tile(axis, rows) for spec, axis in zip(specs, item.axes, strict=True)]
    if lies is Lies.SAME:
        return [jnp.reshape(inputs[0], shapes[0])]
    if lies is Lies.FILLED:
        return [jnp.full(shapes[0], layout.value, specs[0].nptype)]
    if lies is Lies.SPREAD:
        x = jnp.asarray(inputs[0])
        if layout.axes:
            x = x.reshape(kept_dims(x.shape, shapes[0], attrs))
        if layout.mean:
            x = x / math.prod([specs[0].sizes[a] for a in over_axes(attrs["axis"], len(specs[0].sizes))])
        return [jnp.broadcast_to(x, shapes[0])]
    if lies is Lies.REDUCED and not layout.axes:
        over, _ = binder.reduction(item, inputs[0])
        return [jnp.sum(inputs[0], axis=over).reshape(shapes[0])]
    found = op.bind(walk.xp)(*inputs, **binder.turned(item, attrs))
    results = list(found) if item.step.several else [found]
    return [walk.typed(r, spec.nptype) for r, spec in zip(results, specs, strict=True)]
