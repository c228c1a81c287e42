"""Operations that hold lists of their own: a choice and a loop.

A body is an object with

- ``body(xp, *arrays)``: run it, giving a tuple of arrays;
- ``specs``: (shape, dtype) of its outputs;
- ``series(given, indices, seeds)``: the body with coefficients of Taylor series beside the values; ``of``, ``widened``: the
  same with other outputs and inputs;
- ``adjoint(wanted, given)``: a body of (inputs..., cotangents of the outputs numbered in ``given``...) that gives the
  cotangents of the wanted inputs, zeros where there is none, and which of them there are.

The derivative of a choice is a choice between adjoints. The derivative of a loop is a loop that runs back over the
states, which a second run of the loop lays out; so both are closed under differentiation, to any order.
"""

from __future__ import annotations

from typing import Any

from wengert.errors import ShapeError
from wengert.op import Op

__all__ = ["CALL", "COND", "LOOP"]


def _cond_infer(inputs: Any, attrs: Any) -> Any:
    specs = []
    for (a, nptype), (b, other) in zip(attrs["yes"].specs, attrs["no"].specs, strict=True):
        if nptype != other:
            raise ShapeError(f"cond: the branches give dtypes {nptype} and {other}.")
        same = a is not None and b is not None and len(a) == len(b)
        specs.append((tuple(x if x == y else None for x, y in zip(a, b, strict=True)) if same else None, nptype))
    return specs


def _cond(xp: Any, predicate: Any, *captures: Any, yes: Any, no: Any) -> Any:
    return yes(xp, *captures) if predicate else no(xp, *captures)


def _cond_vjp(xp: Any, g: Any, inputs: Any, outputs: Any, attrs: Any, wanted: Any) -> Any:
    given = tuple(k for k, one in enumerate(g) if one is not None)
    inner = tuple(i - 1 for i in wanted if i > 0)
    yes, yes_there = attrs["yes"].adjoint(inner, given)
    no, no_there = attrs["no"].adjoint(inner, given)
    results = xp.cond(*inputs, *(g[k] for k in given), yes=yes, no=no)
    there = iter(r if a or b else None for r, a, b in zip(results, yes_there, no_there, strict=True))
    return [next(there) if i > 0 else None for i in wanted]


def _relabelled(indices: Any) -> tuple[dict[int, int], Any]:
    """Return seeds counted from 0, and a function that gives an index of them."""
    seeds = {s: k for k, s in enumerate(sorted({s for a in indices for s in a}))}
    return seeds, lambda a: tuple(seeds[s] for s in a)


def _cond_series(xp: Any, moved: Any, indices: Any, node: Any) -> Any:
    """The same choice, between branches that carry coefficients."""
    seeds, local = _relabelled(indices)
    given = {
        (i, local(a)): c for i, row in enumerate(moved[1:]) for a, c in zip(indices[1:], row[1:], strict=True) if c is not None
    }
    branches, keys = {}, []
    for branch in ("yes", "no"):
        places, coefficients, outputs, found = node.attrs[branch].series(
            tuple(given), [local(a) for a in indices[1:]], len(seeds)
        )
        branches[branch] = node.attrs[branch].of([*outputs, *found.values()], [*places, *coefficients])
        keys = list(found)
    results = xp.cond(moved[0][0], *(row[0] for row in moved[1:]), *given.values(), **branches)[len(node.outputs) :]
    return {(k, a): r for k in range(len(node.outputs)) for a in indices[1:] for key, r in zip(keys, results, strict=True)
            if key == (k, local(a))}  # fmt: skip


COND = Op("cond", "control", _cond, _cond_infer, outputs=None, type="If", label="cond", vjp=_cond_vjp, series=_cond_series,
          constant_inputs=(0,))  # fmt: skip


def _call_vjp(xp: Any, g: Any, inputs: Any, outputs: Any, attrs: Any, wanted: Any) -> Any:
    given = tuple(k for k, one in enumerate(g) if one is not None)
    body, there = attrs["body"].adjoint(tuple(wanted), given)
    results = xp.call(*inputs, *(g[k] for k in given), body=body)
    return [r if yes else None for r, yes in zip(results, there, strict=True)]


CALL = Op(
    "call", "control", lambda xp, *arrays, body: tuple(body.program(*arrays)), lambda inputs, attrs: list(attrs["body"].specs),
    outputs=None, type="PartitionedCall", label="PartitionedCall", vjp=_call_vjp,
)  # fmt: skip
"""A body that runs: what a tape records for a derivative that it took by way of a list."""


# A loop: inputs are [carry..., sequences..., captures...]; ``counts`` says how many of each.
# Body: (carry..., slices of the sequences..., captures...) -> (carry..., rows...). It ends when ``test`` (on carry...,
# captures...) is false, or the sequences do. Outputs are [carry..., rows stacked...].


def _loop_infer(inputs: Any, attrs: Any) -> Any:
    carries, sequences, _ = attrs["counts"]
    specs = list(attrs["carry_specs"])
    length = None
    for t in inputs[carries : carries + sequences]:
        length = t.sizes[0] if t.sizes else length
    for sizes, nptype in attrs["body"].specs[carries:]:
        specs.append((None if sizes is None else (length, *sizes), nptype))
    return specs


def _loop(xp: Any, *arrays: Any, body: Any, test: Any, counts: Any, carry_specs: Any, limit: Any, reverse: bool) -> Any:
    carries, sequences, _ = counts
    carry = arrays[:carries]
    rows_in = arrays[carries : carries + sequences]
    captures = arrays[carries + sequences :]
    length = rows_in[0].shape[0] if rows_in else limit
    rows: list[tuple[Any, ...]] = []
    step = 0
    while (length is None or step < length) and (test is None or bool(test(xp, *carry, *captures)[0])):
        at = length - 1 - step if reverse else step
        out = body(xp, *carry, *(s[at] for s in rows_in), *captures)
        carry = out[:carries]
        rows.append(out[carries:])
        step += 1
    if reverse:
        rows.reverse()
    stacked = []
    for k, (sizes, nptype) in enumerate(body.specs[carries:]):
        if rows:
            stacked.append(_rows(xp, [row[k] for row in rows]))
        else:
            stacked.append(xp.zeros((0, *(s or 0 for s in sizes or ())), nptype))
    return (*carry, *stacked)


def _rows(xp: Any, rows: list[Any]) -> Any:
    """Stack the rows; those of a carry that grows have different shapes, and stand side by side as objects."""
    if all([row.shape == rows[0].shape for row in rows]):
        return xp.stack(rows)
    side_by_side = xp.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        side_by_side[i] = row
    return side_by_side


def _loop_vjp(xp: Any, g: Any, inputs: Any, outputs: Any, attrs: Any, wanted: Any) -> Any:
    carries, sequences, captures = attrs["counts"]
    body = attrs["body"]
    # Once more, with each step's carry as a row: the states to run back over.
    history = xp.loop(*inputs, **(attrs | {"body": body.remember(carries)}))
    states = history[len(outputs) :]
    back = body.loop_adjoint(attrs["counts"], tuple(one is not None for one in g[carries:]), tuple(wanted))
    start = []
    for k in range(carries):
        if back.carried[k]:
            start.append(xp.zeros_like(outputs[k]) if g[k] is None else g[k])
    for k in back.captured:
        start.append(xp.zeros_like(inputs[carries + sequences + k]))
    row_gs = [one for one in g[carries:] if one is not None]
    over = [*states, *inputs[carries : carries + sequences], *row_gs]
    rest = inputs[carries + sequences :]
    results = xp.loop(
        *start, *over, *rest, body=back.body, test=None, counts=(len(start), len(over), captures),
        carry_specs=back.carry_specs, limit=None, reverse=not attrs["reverse"],
    )  # fmt: skip
    return back.pick(results, wanted)


def _loop_series(xp: Any, moved: Any, indices: Any, node: Any) -> Any:
    """The same loop, which carries coefficients beside the values; it ends when the values say so."""
    attrs = node.attrs
    carries, sequences, captures = attrs["counts"]
    body, test = attrs["body"], attrs["test"]
    seeds, local = _relabelled(indices)
    wanted = [local(a) for a in indices[1:]]
    given: dict[Any, Any] = {}
    for i, row in enumerate(moved):
        for a, c in zip(wanted, row[1:], strict=True):
            # What is carried gets coefficients in the loop, even where it has none at the start.
            if c is None and i < carries and row[0].nptype.kind in "fc":
                c = xp.zeros_like(row[0])
            if c is not None:
                given[i, a] = c
    places, coefficients, outputs, found = body.series(tuple(given), wanted, len(seeds))
    spot = dict(zip(given, coefficients, strict=True))
    groups = [range(carries), range(carries, carries + sequences), range(carries + sequences, carries + sequences + captures)]
    order = [[key for key in given if key[0] in group] for group in groups]
    new_places, inputs, counts = [], [], []
    for group, keys in zip(groups, order, strict=True):
        new_places += [*(places[i] for i in group), *(spot[key] for key in keys)]
        inputs += [*(moved[i][0] for i in group), *(given[key] for key in keys)]
        counts.append(len(group) + len(keys))
    rows = [key for key in found if key[0] >= carries]
    wide = body.of([*outputs[:carries], *(found[key] for key in order[0]), *outputs[carries:], *(found[key] for key in rows)],
                   new_places)  # fmt: skip
    new_test = None
    if test is not None:
        spots: list[Any] = [*range(carries), *((spot[key].sizes, spot[key].nptype) for key in order[0])]
        spots += [*range(carries, carries + captures), *((spot[key].sizes, spot[key].nptype) for key in order[2])]
        new_test = test.widened(spots)
    specs = [*attrs["carry_specs"], *(attrs["carry_specs"][i] for i, _ in order[0])]
    results = xp.loop(*inputs, **(attrs | {"body": wide, "test": new_test, "counts": tuple(counts), "carry_specs": tuple(specs)}))
    by_key: dict[Any, Any] = dict(zip(order[0], results[carries:], strict=False))
    at = carries + len(order[0]) + len(outputs) - carries
    by_key.update(zip(rows, results[at:], strict=True))
    return {(k, a): by_key[k, local(a)] for k in range(len(node.outputs)) for a in indices[1:] if (k, local(a)) in by_key}


LOOP = Op("loop", "control", _loop, _loop_infer, outputs=None, type="While", label="while", vjp=_loop_vjp, series=_loop_series)
