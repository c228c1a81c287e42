"""Operations that hold lists of their own: a choice and a loop.

A body is an object with

- ``body(xp, *arrays)``: run it, giving a tuple of arrays;
- ``specs``: (shape, dtype) of its outputs; ``shapes(arrays)``: their shapes for inputs of these shapes, as far as known;
- ``split()``: the body that also gives its record (below), and the pure one that takes the record;
- ``series(given, indices, seeds)``: the body with coefficients of Taylor series beside the values; ``of``, ``widened``: the
  same with other outputs and inputs;
- ``adjoint(wanted, given)``: a body of (inputs..., cotangents of the outputs numbered in ``given``...) that gives the
  cotangents of the wanted inputs, zeros where there is none, and which of them there are.

The law: **a derivative uses what the forward run computed**. What a body takes from the world while it runs (random numbers,
values of variables that it assigns to, results of Python functions) is its *record*. An operation through which a derivative
leads is opened: it gives its record beside its outputs, stacked by turn where it is a loop, and a loop the states at the
beginning of each turn. The derivative is that of the *pure* operation, which takes the record and computes the same again:
only what is pure is computed twice. The derivative of a choice is a choice between adjoints, that of a loop a loop that
runs back over the states; so both are closed under differentiation, to any order, and nothing impure runs twice.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from wengert.graph.node import Node
from wengert.ground.errors import ShapeError
from wengert.ground.types import Array, Attrs, Described, Dtype, Namespace, NumPyArray
from wengert.ops import rows, signature
from wengert.ops.derivative import Constant, Control, Linear
from wengert.ops.op import Op
from wengert.ops.state import PY_FUNCTION

__all__ = [
    "ABSENT", "CALL", "COND", "GRADIENT", "LINKED", "LOOP", "OPENED", "TAYLOR", "Body", "Loop", "Opened", "bodies", "branches",
    "led_to", "made", "opened", "with_record",
]


Spec = tuple[Any, Dtype]
"""The static shape of a value, and its dtype."""
Counts = tuple[int, int, int]
"""How many carries, sequences and captures a loop has."""
V = TypeVar("V")


class Numbered(Protocol):
    """What has a number by which a tape knows it."""

    @property
    def n(self) -> int:
        """The number."""


N = TypeVar("N", bound=Numbered)


class Body(Protocol):
    """A list that a choice or a loop runs; see the text of this module."""

    @property
    def graph(self) -> Any:
        """Where its operations stand."""

    @property
    def places(self) -> list[Any]:
        """Its inputs."""

    @property
    def specs(self) -> list[Spec]:
        """(shape, dtype) of its outputs."""

    @property
    def program(self) -> Any:
        """The program that runs it on NumPy."""

    @property
    def compiled(self) -> Any:
        """The program of the executor that is chosen."""

    @property
    def touched(self) -> list[list[int]]:
        """For each output the numbers of the inputs that it has a derivative by."""

    def __call__(self, xp: Namespace, *arrays: Array) -> tuple[Array, ...]:
        """Run."""

    def shapes(self, sizes: Sequence[Any]) -> list[Any]:
        """Return the shapes of the outputs for inputs of these shapes, as far as they are known without a run."""


def branches(attrs: Attrs, predicate: Array | bool) -> tuple[Body, Body]:
    """Return the branch of a choice that is taken, and the other one."""
    yes, no = attrs["yes"], attrs["no"]
    return (yes, no) if predicate else (no, yes)


class Loop(NamedTuple):
    """What a loop is: its attributes, and what they mean.

    Inputs are [carry..., sequences..., captures...], as many of each as ``counts`` says.

    - body: (carry..., slices of the sequences..., captures...) -> (carry..., rows...)
    - test: (carry..., captures...) -> whether there is another turn

    It turns until the test is false or the sequences are at their end, from which it begins if it runs in ``reverse``; without
    sequences ``limit`` says how many turns there are at most. Outputs are [carry..., rows stacked...], the rows in the order
    of the sequences.
    """

    body: Body
    test: Body | None
    counts: Counts
    carry_specs: Sequence[Spec]
    limit: int | None
    reverse: bool

    def parts(self, inputs: Sequence[V]) -> tuple[Sequence[V], Sequence[V], Sequence[V]]:
        """Return the carry, the sequences and the captures among the inputs, or whatever stands for these."""
        carries, sequences, _ = self.counts
        return inputs[:carries], inputs[carries : carries + sequences], inputs[carries + sequences :]

    def length(self, sequences: Sequence[Any]) -> int | None:
        """Return how many turns there are at most; None if the test alone tells."""
        return len(sequences[0]) if sequences else self.limit

    def run(self, inputs: Sequence[V], call: Callable[[Body, list[V]], Sequence[V]]) -> tuple[Sequence[V], list[Sequence[V]]]:
        """Turn; return the carry at the end, and the rows of each turn.

        ``call``: what a body gives for values.
        """
        carry, sequences, held = self.parts(inputs)
        carries, length, test = len(carry), self.length(sequences), self.test
        rows: list[Sequence[V]] = []
        step = 0
        while (length is None or step < length) and (test is None or bool(call(test, [*carry, *held])[0])):
            at = length - 1 - step if self.reverse and length is not None else step
            found = call(self.body, [*carry, *[_slice(s, at) for s in sequences], *held])
            carry = found[:carries]
            rows.append(found[carries:])
            step += 1
        if self.reverse:
            rows.reverse()
        return carry, rows

    def row_specs(self, sizes: Iterable[Any]) -> list[Spec]:
        """Return (shape, dtype) of the rows for inputs of these shapes where no turn tells; what is unknown is 0."""
        carries = self.counts[0]
        specs = self.body.specs[carries:]
        if not specs:
            return []
        carry, sequences, held = self.parts(list(sizes))
        shapes = self.body.shapes([*carry, *[s[1:] for s in sequences], *held])[carries:]
        return [(tuple([s or 0 for s in shape or ()]), nptype) for shape, (_, nptype) in zip(shapes, specs, strict=True)]


def bodies(node: Node, given: Sequence[V]) -> list[tuple[Body, Sequence[V]]]:
    """Return the bodies of a control operation, each with those of the node's inputs (or their values) that it takes."""
    op, attrs = node.op, node.attrs
    if op is COND:
        return [(body, given[1:]) for body in branches(attrs, True)]
    if op is LOOP:
        loop = Loop(**attrs)
        carry, _, held = loop.parts(given)
        return [(loop.body, given), *([] if loop.test is None else [(loop.test, [*carry, *held])])]
    return []


def _slice(s: Any, at: int) -> Any:
    one = s[at]
    return one if hasattr(one, "shape") else s[at, ...]  # an array, even where it is one of objects


class Opened(NamedTuple):
    """An operation that keeps what its derivative needs; its outputs are its own, then the record, then a loop's states."""

    attrs: dict[str, Any]
    """Its attributes."""
    pure: dict[str, Any]
    """The attributes of the pure operation, whose outputs are the own ones and a loop's states."""
    own: int
    record: int

    def parts(self, outputs: Sequence[Array]) -> tuple[Any, Any, Any]:
        """Return the own outputs, the record, and the states."""
        end = self.own + self.record
        return outputs[: self.own], outputs[self.own : end], outputs[end:]


def opened(op: Op, attrs: dict[str, Any], states: bool = True) -> Opened | None:
    """Return what an operation becomes when it keeps what its derivative needs; None if there is nothing to keep.

    ``states``: keep those of a loop, too.
    """
    if op is COND:
        yes, no = attrs["yes"].split(), attrs["no"].split()
        a, b = yes.record, no.record
        if not a and not b:
            return None
        # One record for both branches: the one that is not taken gives zeros for its part.
        kept = {"yes": yes.kept.padded(len(yes.pure.outputs), (), b), "no": no.kept.padded(len(no.pure.outputs), a, ())}
        pure = {"yes": yes.pure.taking(len(a), (), b), "no": no.pure.taking(len(b), a, ())}
        return Opened(kept, pure, len(yes.pure.outputs), len(a) + len(b))
    if op is LOOP:
        carries, sequences, captures = attrs["counts"]
        body = attrs["body"].split()
        changing = attrs["test"] is not None and bool(attrs["test"].split().record)
        if not states and not body.record and not changing:
            return None
        kept_body, pure_body, record = body.kept, body.pure, len(body.record)
        own = len(pure_body.outputs)
        if changing and not record:
            # The pure loop cannot ask its test again: it has as many turns as there are rows of a record.
            kept_body, pure_body, record = kept_body.counted(own), pure_body.taking(0, (), [_TURN]), 1
        pure_body = pure_body.in_order([*range(carries), *range(len(pure_body.places) - record, len(pure_body.places)),
                                        *range(carries, len(pure_body.places) - record)])
        if states:
            kept_body, pure_body = kept_body.remembering(carries), pure_body.remembering(carries)
        ends = {} if not record else {"test": None, "limit": None}
        pure = attrs | {"body": pure_body, "counts": (carries, record + sequences, captures)} | ends
        return Opened(attrs | {"body": kept_body}, pure, own, record)
    if op is PY_FUNCTION and attrs["gradient"] is not None:
        specs = attrs["specs"]
        return None if attrs["keep"] else Opened(attrs | {"keep": True, "specs": (*specs, _RUN)}, attrs, len(specs), 1)
    return None


def with_record(op: Op, attrs: dict[str, Any], inputs: Sequence[Any], record: Any) -> list[Any]:
    """Return the inputs of the pure operation: a choice's record is captured, a loop's is a sequence, the first."""
    if op is COND:
        return [*inputs, *record]
    carries = attrs["counts"][0]
    return [*inputs[:carries], *record, *inputs[carries:]]


def made(op: Op, inputs: Sequence[Array], attrs: dict[str, Any], xp: Namespace | None, graph: Any) -> Any:
    """Append an operation to a lowered list; an open one where a derivative will lead through it."""
    found = opened(op, attrs) if graph.opening else None
    function = getattr(xp, op.name)
    if found is None:
        return function(*inputs, **attrs)
    results = function(*inputs, **found.attrs)
    return graph.keep(results, found)


def _cond_infer(inputs: Sequence[Described], attrs: Attrs) -> list[Spec]:
    specs: list[Spec] = []
    for (a, nptype), (b, other) in zip(attrs["yes"].specs, attrs["no"].specs, strict=True):
        if nptype != other:
            raise ShapeError(f"cond: the branches give dtypes {nptype} and {other}.")
        same = a is not None and b is not None and len(a) == len(b)
        specs.append((tuple(x if x == y else None for x, y in zip(a, b, strict=True)) if same else None, nptype))
    return specs


def _cond(xp: Namespace, predicate: Array, *captures: Array, yes: Body, no: Body) -> tuple[Array, ...]:
    taken, _ = branches({"yes": yes, "no": no}, predicate)
    return taken(xp, *captures)


def _purely(node: Any) -> tuple[dict[str, Any], int, Any]:
    """Return the attributes of an operation's pure form, the number of its own outputs, and its record."""
    found = node.graph.opened.get(node)
    if found is None:
        return node.attrs, len(node.outputs), ()
    return found.pure, found.own, node.graph.record_of(node)


def _cond_vjp(
    xp: Namespace, g: Array, inputs: Sequence[Array], outputs: Sequence[Any], attrs: Attrs, wanted: Sequence[int]
) -> Any:
    node = outputs[0].node
    pure, own, record = _purely(node)
    given = tuple(k for k, one in enumerate(g[:own]) if one is not None)
    inner = tuple(i - 1 for i in wanted if i > 0)
    if not given:
        return [None] * len(wanted)
    yes, yes_there = pure["yes"].adjoint(inner, given)
    no, no_there = pure["no"].adjoint(inner, given)
    results = made(COND, [*inputs, *record, *(g[k] for k in given)], {"yes": yes, "no": no}, xp, node.graph)
    there = iter(r if a or b else None for r, a, b in zip(results, yes_there, no_there, strict=True))
    return [next(there) if i > 0 else None for i in wanted]


def _relabelled(indices: Any) -> tuple[dict[int, int], Any]:
    """Return seeds counted from 0, and a function that gives an index of them."""
    seeds = {s: k for k, s in enumerate(sorted({s for a in indices for s in a}))}
    return seeds, lambda a: tuple(seeds[s] for s in a)


def _cond_series(xp: Namespace, moved: Any, indices: Array, node: Node) -> Any:
    """The same choice, between branches that carry coefficients."""
    seeds, local = _relabelled(indices)
    given = {
        (i, local(a)): c for i, row in enumerate(moved[1:]) for a, c in zip(indices[1:], row[1:], strict=True) if c is not None
    }
    pure, own, record = _purely(node)
    branches, keys = {}, []
    for branch in ("yes", "no"):
        places, coefficients, outputs, found = pure[branch].series(tuple(given), [local(a) for a in indices[1:]], len(seeds))
        branches[branch] = pure[branch].of([*outputs, *found.values()], [*places, *coefficients])
        keys = list(found)
    values = [moved[0][0], *(row[0] for row in moved[1:]), *record, *given.values()]
    results = made(COND, values, branches, xp, node.graph)[own:]
    return {(k, a): r for k in range(own) for a in indices[1:] for key, r in zip(keys, results, strict=True)
            if key == (k, local(a))}  # fmt: skip


COND = Op(
    "cond", Control(vjp=_cond_vjp, series=_cond_series, constant_inputs=(0,)), _cond, _cond_infer, outputs=None, type="If",
    label="cond", rows=rows.cond,
)


def _call_vjp(
    xp: Namespace,
    g: Sequence[Array | None],
    inputs: Sequence[Array],
    outputs: Sequence[Array],
    attrs: Attrs,
    wanted: Sequence[int],
) -> list[Any]:
    given = tuple(k for k, one in enumerate(g) if one is not None)
    ahead = attrs.get("ahead")
    if ahead is not None:
        known: list[Any] | None = ahead.taken(xp, g, tuple(wanted), given)
        if known is not None:
            return known
    body, there = attrs["body"].adjoint(tuple(wanted), given)
    results = xp.call(*inputs, *(g[k] for k in given), body=body)
    return [r if yes else None for r, yes in zip(results, there, strict=True)]


CALL = Op(
    "call", Control(vjp=_call_vjp), lambda xp, *arrays, body: tuple(body.compiled(*arrays)),
    lambda inputs, attrs: list(attrs["body"].specs), outputs=None, type="PartitionedCall", label="PartitionedCall", rows=None,
    no_digits="holds a list, which an executor runs",
)
"""A body that runs: what a tape records for a traced function, and for a derivative that it took by way of a list.

On a tape the attribute ``ahead`` may know the cotangents already: ``taken(xp, g, wanted, given)`` gives them, or None.
"""


def led_to(op: Op, inputs: Sequence[N], outputs: Sequence[N], attrs: Attrs, live: Container[int]) -> Sequence[N]:
    """Return the outputs, of an operation with several, that change with what is live, as some of its inputs are."""
    if op is not CALL:
        return outputs
    moving = {i for i, t in enumerate(inputs) if t.n in live}
    return [o for o, at in zip(outputs, attrs["body"].touched, strict=True) if not moving.isdisjoint(at)]


_TURN = ((), signature.BOOL)
"""What a loop's record has where nothing else tells how many turns there were."""
_RUN = ((), signature.OBJECT)
"""What a Python function's record is: an object that holds what its run computed."""


ABSENT = Op(
    "absent", Constant(), lambda xp, *, shape, dtype: xp.zeros(tuple(s or 0 for s in shape or ()), dtype),
    lambda inputs, attrs: (attrs["shape"], attrs["dtype"]), rows=None,
)
"""What the branch that is not taken gives for the record of the other: nobody reads it."""


LINKED = Op(
    "linked", Linear(transpose=lambda xp, g, i, inputs, output, attrs: xp.zeros_like(inputs[i]) if i else g),
    lambda xp, x, *others: x, signature.first, aliases=True, rows=None,
)
"""The first input, of which the derivatives by the others are zero: they are not None."""


def _loop_infer(inputs: Sequence[Described], attrs: Attrs) -> list[Spec]:
    loop = Loop(**attrs)
    carry, sequences, _ = loop.parts(inputs)
    length = None
    for t in sequences:
        length = t.sizes[0] if t.sizes else length
    rows = [(None if sizes is None else (length, *sizes), nptype) for sizes, nptype in loop.body.specs[len(carry) :]]
    return [*loop.carry_specs, *rows]


def _loop(
    xp: Namespace, *arrays: Array, body: Body, test: Body | None, counts: Counts, carry_specs: Sequence[Spec], limit: int | None,
    reverse: bool,
) -> tuple[Array, ...]:  # fmt: skip
    loop = Loop(body, test, counts, carry_specs, limit, reverse)
    carry, rows = loop.run(arrays, lambda body, values: body(xp, *values))
    if rows:
        return (*carry, *[_rows(xp, column) for column in zip(*rows, strict=True)])
    return (*carry, *[xp.zeros((0, *sizes), nptype) for sizes, nptype in loop.row_specs(a.shape for a in arrays)])


def _rows(xp: Namespace, rows: Sequence[Array]) -> Any:
    """Stack the rows; those of a carry that grows have different shapes, and stand side by side as objects."""
    if all([row.shape == rows[0].shape for row in rows]):
        return xp.stack(rows)
    side_by_side = xp.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        side_by_side[i] = row
    return side_by_side


def _loop_vjp(xp: Any, g: Sequence[Any], inputs: Any, outputs: Any, attrs: Any, wanted: Any) -> Any:
    node = outputs[0].node
    graph = node.graph
    found = graph.opened.get(node)
    carries, _, captures = attrs["counts"]
    if found is not None:
        own, _, states = found.parts(outputs)
        record, pure = graph.record_of(node), found.pure
        g = [*g[: found.own], *g[found.own + found.record :]]
    else:
        # A loop that a rule made, and nothing was known of a further derivative: pure, so that it may run once more.
        again = opened(LOOP, attrs)
        assert again is not None and not again.record
        own, _, states = again.parts(xp.loop(*inputs, **again.attrs))
        record, pure = (), attrs
    if all(one is None for one in g):
        return [None] * len(wanted)
    more = len(record)
    places = [i if i < carries else i + more for i in wanted]
    inputs = with_record(LOOP, attrs, inputs, record)
    _, sequences, _ = pure["counts"]
    back = pure["body"].loop_adjoint(pure["counts"], tuple(one is not None for one in g[carries:]), tuple(places))
    start = []
    for k in range(carries):
        if back.carried[k]:
            start.append(xp.zeros_like(own[k]) if g[k] is None else g[k])
    for k in back.captured:
        start.append(xp.zeros_like(inputs[carries + sequences + k]))
    row_gs = [one for one in g[carries:] if one is not None]
    over = [*states, *inputs[carries : carries + sequences], *row_gs]
    rest = inputs[carries + sequences :]
    turned = {"body": back.body, "test": None, "counts": (len(start), len(over), captures), "carry_specs": back.carry_specs,
              "limit": None, "reverse": not attrs["reverse"]}  # fmt: skip
    return back.pick(made(LOOP, [*start, *over, *rest], turned, xp, graph), places)


def _loop_series(xp: Namespace, moved: Any, indices: NumPyArray, node: Node) -> Any:
    """The same loop, which carries coefficients beside the values; it ends when the values say so."""
    attrs, own, record = _purely(node)
    moved = with_record(LOOP, attrs, moved, [[r, *([None] * (len(indices) - 1))] for r in record])
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
                   new_places)
    new_test = None
    if test is not None:
        spots: list[Any] = [*range(carries), *((spot[key].sizes, spot[key].nptype) for key in order[0])]
        spots += [*range(carries, carries + captures), *((spot[key].sizes, spot[key].nptype) for key in order[2])]
        new_test = test.widened(spots)
    specs = [*attrs["carry_specs"], *(attrs["carry_specs"][i] for i, _ in order[0])]
    results = made(LOOP, inputs, attrs | {"body": wide, "test": new_test, "counts": tuple(counts), "carry_specs": tuple(specs)},
                    xp, node.graph)
    by_key: dict[Any, Any] = dict(zip(order[0], results[carries:], strict=False))
    at = carries + len(order[0]) + len(outputs) - carries
    by_key.update(zip(rows, results[at:], strict=True))
    # The states are outputs of the operation after its record, and of the pure one at once after its own.
    return {(k if k < own else k + len(record), a): by_key[k, local(a)] for k in range(len(outputs)) for a in indices[1:]
            if (k, local(a)) in by_key}  # fmt: skip


LOOP = Op(
    "loop", Control(vjp=_loop_vjp, series=_loop_series), _loop, _loop_infer, outputs=None, type="While", label="while",
    rows=rows.loop,
)
OPENED = frozenset([COND, LOOP, PY_FUNCTION])
"""What may keep what its derivative needs."""


# --- derivatives that are asked for: nodes until the graph is lowered (`wengert.derive.lower`) ---------------------------------


def _gradient_infer(inputs: Any, attrs: Any) -> Any:
    at = attrs["ys"] + sum(attrs["given"])
    return [(x.sizes, x.nptype) for x in inputs[at : at + attrs["xs"]]]


def _taylor_infer(inputs: Any, attrs: Any) -> Any:
    return [(inputs[k].sizes, inputs[k].nptype) for k, _ in attrs["wanted"]]


def _unlowered(xp: Any, *arrays: Any, **attrs: Any) -> Any:
    raise AssertionError("a Gradient node is lowered before it runs")


GRADIENT = Op(
    "gradient", Control(), _unlowered, _gradient_infer, outputs=None, type="Gradient", label="gradients/grad", rows=None,
    no_digits="is lowered before it runs",
)
"""Inputs: ys, the cotangents that are given, xs, stops. Attributes: how many ys and xs, which ys have a cotangent."""
TAYLOR = Op(
    "taylor", Control(), _unlowered, _taylor_infer, outputs=None, type="Taylor", label="taylor", rows=None,
    no_digits="is lowered before it runs",
)
"""Inputs: ys, xs, coefficients of xs. Attributes: how many ys and xs and seeds; for each coefficient given the number of its x
and its index, a sorted tuple of seeds; for each one wanted the number of its y and its index."""
