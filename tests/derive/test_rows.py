"""The row proof: where it is given, a row of the output changes with its own row of the input alone."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import wengert as tf
from wengert.ground.options import options
from wengert.ops.derivative import Constant
from wengert.ops.linear import PLACEHOLDER, Dynamic
from wengert.ops.op import Op, operations, table
from wengert.ops.rows import Refused, row_axes
from wengert.tensor.tensor import Graph, append, apply


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent
cases = load("cases", HERE.parent / "ops" / "cases.py")
oracle = load("oracle", HERE / "oracle.py")
Differences, choices, close, columns, nested = (
    oracle.Differences, oracle.choices, oracle.close, oracle.columns, oracle.nested)  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


class Call(NamedTuple):
    """An operation applied to arrays."""

    op: str
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    note: str = ""


def label(call: Any) -> str:
    return f"{call.op}[{call.note}]" if call.note else call.op


RNG = np.random.default_rng(11)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape)


WELL = normal(3, 3, 3) + 4 * np.eye(3)
MORE = [
    # Sizes that can be mistaken for one another, and axes of length one.
    *[Call("reshape", (normal(*a),), {"shape": b}, f"{a} to {b}") for a, b in [
        ((2, 3, 2), (2, 3, 2)), ((2, 2, 3), (4, 3)), ((2, 6), (2, 3, 2)), ((2, 6), (6, 2)), ((2, 6), (3, 2, 2)),
        ((2, 2, 2), (4, 2)), ((2, 2, 2), (2, 4)), ((6, 2), (2, 3, 2)), ((2, 1, 3), (2, 3)), ((2, 3), (1, 2, 3)),
        ((1, 3), (3, 1)), ((3, 1), (1, 3)), ((3, 1, 2), (3, 2, 1)), ((4, 1), (2, 2)), ((3, 3), (3, 3)), ((3, 4), (3, -1)),
        ((2, 3), (6,)), ((6,), (6, 1)), ((6,), (2, 3)), ((4, 2, 2), (2, 4, 2)),
    ]],
    *[Call("reshape_like", (normal(*a), normal(*b)), {}, f"{a} to {b}") for a, b in [
        ((2, 3), (2, 3, 1)), ((2, 3, 2), (2, 6)), ((2, 6), (6, 2)),
    ]],
    Call("transpose", (normal(3, 3, 3),), {"axes": (2, 0, 1)}, "equal sizes"),
    Call("transpose", (normal(3, 3),), {"axes": None}, "square"),
    Call("matrix_transpose", (normal(3, 3, 3),), {}, "equal sizes"),
    Call("add", (normal(3, 3), normal(3)), {}, "square and row"),
    Call("add", (normal(3, 3), normal(3, 1)), {}, "square and column"),
    Call("multiply", (normal(3, 1), normal(1, 3)), {}, "column and row"),
    Call("multiply", (normal(3, 1), normal(3)), {}, "column and vector"),
    Call("divide", (normal(1, 3), normal(3, 3)), {}, "one row"),
    Call("where", (normal(3, 1) > 0, normal(3), normal(3, 3)), {}, "three shapes"),
    Call("clip", (normal(3, 3), normal(3), normal(3, 1) + 2), {}, "three shapes"),
    Call("matmul", (normal(3, 3), normal(3, 3)), {"ta": False, "tb": False}, "square"),
    Call("matmul", (normal(3, 3), normal(3, 3)), {"ta": True, "tb": False}, "square, ta"),
    Call("matmul", (normal(3, 3), normal(3, 3)), {"ta": False, "tb": True}, "square, tb"),
    Call("matmul", (normal(3, 3, 3), normal(3, 3)), {"ta": False, "tb": True}, "stack and square"),
    Call("matmul", (normal(3, 3), normal(3, 3, 3)), {"ta": True, "tb": False}, "square and stack"),
    Call("matmul", (normal(3, 1, 3, 3), normal(3, 3, 3)), {"ta": False, "tb": False}, "stacks"),
    Call("einsum", (normal(3, 3), normal(3, 3)), {"equation": "ij,ij->ij"}, "elementwise"),
    Call("einsum", (normal(3, 3), normal(3, 3)), {"equation": "ij,ji->ij"}, "turned"),
    Call("einsum", (normal(3, 3, 3), normal(3, 3)), {"equation": "bij,bj->bi"}, "batch, equal sizes"),
    Call("einsum", (normal(3, 3), normal(3,)), {"equation": "ij,k->ijk"}, "outer"),
    Call("take", (normal(3, 3), np.array([2, 0, 1])), {"axis": 1, "batch_dims": 0}, "columns"),
    Call("take", (normal(3, 3, 2), np.array([[2, 0, 1]] * 3)), {"axis": 1, "batch_dims": 1}, "batch"),
    Call("take", (normal(3, 3), np.array([[2, 0, 1]] * 3)), {"axis": 0, "batch_dims": 0}, "rows by a matrix"),
    Call("take", (normal(3, 2, 3), np.array([[1, 0], [0, 1], [1, 1]])), {"axis": 1, "batch_dims": 1}, "batch of pairs"),
    Call("take_along_axis", (normal(3, 3), np.array([[2, 0, 1], [0, 0, 1], [1, 1, 2]])), {"axis": 0}, "square"),
    Call("take_along_axis", (normal(3, 3), np.array([[2, 0, 1], [0, 0, 1], [1, 1, 2]])), {"axis": 1}, "square, 1"),
    Call("take_along_axis", (normal(1, 3), np.array([[2, 0, 1], [0, 0, 1], [1, 1, 2]])), {"axis": 1}, "broadcast"),
    Call("take_along_axis", (normal(3, 3), np.array([[2, 0, 1]])), {"axis": 1}, "indices broadcast"),
    Call("concat", (normal(3, 3), normal(3, 3)), {"axis": 0}, "square"),
    Call("concat", (normal(3, 3), normal(3, 3)), {"axis": -1}, "square, last"),
    Call("stack", (normal(2, 2), normal(2, 2)), {"axis": 1}, "square, 1"),
    Call("stack", (normal(2, 2), normal(2, 2)), {"axis": -1}, "square, last"),
    Call("stack", (normal(2, 2), normal(2, 2)), {"axis": 0}, "square, first"),
    Call("concat_part", (normal(3, 6), normal(3, 3), normal(3, 3)), {"axis": -1, "i": 1}, "square"),
    Call("unstack", (normal(3, 3, 3),), {"axis": 1, "num": 3}, "equal sizes"),
    Call("split", (normal(4, 4),), {"axis": 1, "parts": 2}, "square"),
    Call("set_diag", (normal(3, 3, 3), normal(3, 3)), {"k": 0}, "stack"),
    Call("diag", (normal(3, 3),), {"k": 0}, "square"),
    Call("diag_part", (normal(3, 3, 3),), {"k": 0}, "equal sizes"),
    Call("pad", (normal(3, 3),), {"paddings": ((0, 0), (1, 1)), "mode": "reflect", "value": 0}, "columns"),
    Call("pad", (normal(3, 3),), {"paddings": ((1, 1), (0, 0)), "mode": "constant", "value": 0}, "rows"),
    Call("tile", (normal(3, 3),), {"multiples": (1, 2)}, "columns"),
    Call("expand_dims", (normal(3, 3),), {"axis": -1}, "last"),
    Call("squeeze", (normal(1, 3, 1, 3),), {"axis": (0, 2)}, "two"),
    Call("squeeze", (normal(1, 3, 1, 1),), {"axis": (-1,)}, "one of several"),
    Call("broadcast_to", (normal(3, 3),), {"shape": (3, 3, 3)}, "in front"),
    Call("broadcast_like", (normal(3, 1), normal(3, 3)), {}, "columns"),
    Call("sum_to", (normal(3, 3, 3),), {"shape": (3, 3)}, "in front"),
    Call("sum_to", (normal(3, 3, 3),), {"shape": (3, 1, 3)}, "between"),
    Call("sum_like", (normal(3, 3, 3), normal(3, 1)), {}, "equal sizes"),
    Call("reverse", (normal(3, 3),), {"axis": (1,)}, "columns"),
    Call("roll", (normal(3, 3),), {"shift": (1,), "axis": (-1,)}, "columns"),
    Call("sum", (normal(3, 3, 3),), {"axis": (1,), "keepdims": False}, "equal sizes"),
    Call("mean", (normal(3, 3, 3),), {"axis": (0, 2), "keepdims": True}, "equal sizes"),
    Call("argmax", (normal(3, 3, 3),), {"axis": 1, "dtype": "int64"}, "equal sizes"),
    Call("argsort", (normal(3, 3),), {"axis": -1, "descending": False}, "square"),
    Call("one_hot", (np.array([[0, 1, 2], [2, 1, 0], [1, 1, 1]]),),
         {"depth": 3, "on": 1.0, "off": 0.0, "axis": 1, "dtype": "float64"}, "between"),
    Call("spread_like", (normal(3, 3), normal(3, 3, 3)), {"axis": (1,), "keepdims": False}, "equal sizes"),
    Call("mean_transpose", (normal(3, 3), normal(3, 3, 3)), {"axis": (0,), "keepdims": False}, "equal sizes"),
    Call("getitem", (normal(3, 3, 3),), {"index": (slice(None), 0)}, "equal sizes"),
    Call("getitem", (normal(3, 3, 3),), {"index": (Ellipsis, None, 0)}, "new axis"),
    Call("getitem", (normal(3, 3),), {"index": (slice(0, 3), slice(1, 2))}, "all rows by numbers"),
    Call("getitem", (normal(3, 3),), {"index": (slice(None, None, -1),)}, "rows turned"),
    Call("getitem", (normal(3, 3), np.array(0)), {"index": (slice(None), Dynamic(0))}, "a dynamic column"),
    Call("getitem", (normal(3, 3), np.array(3)), {"index": (slice(0, Dynamic(0)),)}, "a dynamic slice"),
    Call("getitem_transpose", (normal(3, 1), normal(3, 3)), {"index": (slice(None), slice(0, 1))}, "a column"),
    Call("getitem_transpose", (normal(3), normal(3, 3)), {"index": (slice(None), 0)}, "a column taken"),
    Call("getitem_transpose", (normal(3), normal(3, 3)), {"index": (0,)}, "a row"),
    Call("getitem_transpose", (normal(3, 1, 3), normal(3, 3)), {"index": (slice(None), None)}, "a new axis"),
    Call("linspace", (normal(3, 3), normal(3, 3)), {"num": 3, "axis": 1}, "between"),
    Call("inverse", (WELL,), {}, "equal sizes"),
    Call("solve", (WELL, normal(3, 3, 3)), {"adjoint": False}, "equal sizes"),
    Call("solve", (WELL, normal(3, 3)), {"adjoint": False}, "one right side"),
    Call("solve", (WELL[0], normal(3, 3, 3)), {"adjoint": False}, "one matrix"),
    Call("solve", (WELL[:1], normal(3, 3, 3)), {"adjoint": True}, "a stack of one"),
    Call("triangular_solve", (WELL[:, None], normal(3, 3, 2)), {"adjoint": False, "lower": True}, "stacks broadcast"),
    Call("recurrence", (normal(3, 3), normal(3, 3)), {"axis": 1, "reverse": False}, "square"),
    Call("cumsum", (normal(3, 3, 3),), {"axis": 1, "exclusive": False, "reverse": False}, "equal sizes"),
    Call("cummax", (normal(3, 3),), {"axis": 1, "reverse": False}, "square"),
]  # fmt: skip
CALLS = [*[Call(c.op, c.inputs, c.attrs, c.note) for c in cases.CASES], *MORE]


# --- rules ------------------------------------------------------------------------------------------------------------


def built(call: Any, sizes: Any) -> Any:
    """Return the node of a call in a graph, with inputs of the given static shapes."""
    graph = Graph()
    with graph.as_default():
        xs = [append(graph, PLACEHOLDER, (), {"dtype": a.dtype, "shape": s}) for a, s in zip(call.inputs, sizes, strict=True)]
        ys = apply(table[call.op], xs, call.attrs)
        return (ys[0] if isinstance(ys, tuple | list) else ys).node


def run(call: Any, arrays: Any) -> list[Any]:
    """Run the kernel on NumPy."""
    with np.errstate(all="ignore"):
        found = table[call.op].eager(*arrays, **call.attrs)
    return [np.asarray(f) for f in (found if isinstance(found, tuple | list) else [found])]


def other(a: Any, rng: Any) -> Any:
    """Return an array with other elements, each of them allowed where those of ``a`` are."""
    if a.dtype.kind == "b":
        return ~a
    if a.dtype.kind in "iu":
        return np.where(a > 0, a - 1, a + (a.max() > 0)).astype(a.dtype) if a.size else a
    if a.dtype.kind == "O":
        return np.full(a.shape, b"else", object)
    with np.errstate(invalid="ignore"):
        return (a + rng.uniform(0.05, 0.15, a.shape) * (1 + np.abs(a))).astype(a.dtype)


def holds(call: Any, axes: Any, results: Any) -> None:
    """Check that rows along the axes of the inputs are the rows along those of the outputs."""
    rng = np.random.default_rng(0)
    before = run(call, call.inputs)
    counts = {a.shape[axis] for a, axis in zip(call.inputs, axes, strict=True) if axis is not None}
    assert len(counts) == 1, f"the inputs have {counts} rows"
    n = counts.pop()
    for y, axis in zip(before, results, strict=True):
        assert y.shape[axis] == n, f"the output has {y.shape} and not {n} rows along {axis}"
    for j in range(n):
        moved = []
        for a, axis in zip(call.inputs, axes, strict=True):
            b = np.array(a)
            if axis is not None:
                at = (slice(None),) * axis + (j,)
                b[at] = np.asarray(other(np.asarray(a), rng))[at]
            moved.append(b)
        for y, z, axis in zip(before, run(call, moved), results, strict=True):
            assert y.shape == z.shape
            kept = [k for k in range(n) if k != j]
            same(np.take(y, kept, axis), np.take(z, kept, axis))


def same(a: Any, b: Any) -> None:
    if a.dtype.kind == "O":
        assert a.tolist() == b.tolist()
    else:
        # Kernels of stacks of matrices may sum in another order where other matrices stand beside.
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13 * np.abs(a[np.isfinite(a)]).max(initial=0.0))


def choices_of_axes(call: Any) -> Any:
    """Return rows along each axis of each input alone, and along axes of two inputs with as many rows."""
    ranks = [a.ndim for a in call.inputs]
    none = [None] * len(ranks)
    for i, rank in enumerate(ranks):
        for axis in range(rank):
            yield [*none[:i], axis, *none[i + 1 :]]
    for i, k in itertools.combinations(range(len(ranks)), 2):
        for p, q in itertools.product(range(ranks[i]), range(ranks[k])):
            if call.inputs[i].shape[p] == call.inputs[k].shape[q]:
                axes = list(none)
                axes[i], axes[k] = p, q
                yield axes


def static_shapes(call: Any) -> Any:
    yield [a.shape for a in call.inputs]
    yield [(None,) * a.ndim for a in call.inputs]
    yield [(None, *a.shape[1:]) if a.ndim else () for a in call.inputs]
    yield [None] * len(call.inputs)


RULED = [c for c in CALLS if c.inputs and table[c.op].rows is not None]


@pytest.mark.parametrize("call", RULED, ids=label)
def test_rows_are_independent_where_the_rule_says_so(call: Any) -> None:
    for sizes in static_shapes(call):
        node = built(call, sizes)
        for axes in choices_of_axes(call):
            try:
                results = row_axes(node, axes)
            except Refused as refusal:
                assert str(refusal)
                continue
            holds(call, axes, results)


def proved() -> set[str]:
    """Return the operations of which some call has rows."""
    found = set()
    for call in RULED:
        node = built(call, [a.shape for a in call.inputs])
        for axes in choices_of_axes(call):
            try:
                row_axes(node, axes)
            except Refused:
                continue
            found.add(call.op)
            break
    return found


def test_each_rule_finds_rows_somewhere() -> None:
    """A rule that always refuses would pass the test above; those without a case are tested further down."""
    ruled = {op.name for op in operations() if op.rows is not None}
    assert ruled - proved() <= {"cond", "loop", "fed", "call"}


def test_an_operation_says_what_becomes_of_rows() -> None:
    with pytest.raises(ValueError, match="nonsense does not say what becomes of rows"):
        Op("nonsense", Constant(), "abs", lambda inputs, attrs: inputs[0])
    assert "nonsense" not in table


def test_an_operation_without_a_rule_is_refused() -> None:
    call = Call("segment_sum", (normal(4, 2), np.array([0, 1, 1, 0])), {"num": 2})
    with pytest.raises(Refused, match="segment_sum has no rule for rows"):
        row_axes(built(call, [(4, 2), (4,)]), [0, None])


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def factors(draw: Any, total: int) -> list[int]:
    """Return sizes whose product is the given one."""
    shape = []
    while total > 1:
        part = draw(st.sampled_from([k for k in range(1, total + 1) if total % k == 0]))
        shape.append(part)
        total //= part
        if len(shape) > 4:
            return [*shape, total]
    return shape or [1]


@settings(max_examples=80)
@given(st.data())
def test_reshape(data: Any) -> None:
    shape = data.draw(SHAPES)
    x = np.arange(float(np.prod(shape))).reshape(shape)
    target = factors(data.draw, x.size)
    call = Call("reshape", (x,), {"shape": tuple(target)})
    for sizes in ([tuple(shape)], [(None, *shape[1:])], [(*shape[:-1], None)]):
        node = built(call, sizes)
        for axis in range(x.ndim):
            try:
                results = row_axes(node, [axis])
            except Refused:
                continue
            holds(call, [axis], results)


ITEM = st.one_of(
    st.just(slice(None)), st.none(), st.just(Ellipsis), st.integers(0, 0),
    st.builds(slice, st.sampled_from([None, 0, 1, -1]), st.sampled_from([None, 1, 2, 4]), st.sampled_from([None, 1, -1, 2])),
)  # fmt: skip


@settings(max_examples=80)
@given(SHAPES, st.lists(ITEM, min_size=1, max_size=5))
def test_getitem(shape: list[int], index: list[Any]) -> None:
    assume(index.count(Ellipsis) <= 1 and sum(i is not None and i is not Ellipsis for i in index) <= len(shape))
    x = normal(*shape)
    picked = x[tuple(index)]
    assume(picked.size)
    for call in (
        Call("getitem", (x,), {"index": tuple(index)}),
        Call("getitem_transpose", (np.array(picked), x), {"index": tuple(index)}),
    ):
        for sizes in ([a.shape for a in call.inputs], [(None,) * a.ndim for a in call.inputs]):
            node = built(call, sizes)
            for axes in choices_of_axes(call):
                try:
                    results = row_axes(node, axes)
                except Refused:
                    continue
                holds(call, axes, results)


@settings(max_examples=80)
@given(st.data())
def test_broadcasting(data: Any) -> None:
    whole = data.draw(st.lists(st.sampled_from([2, 3]), min_size=1, max_size=3))

    def part() -> Any:
        return tuple(data.draw(st.sampled_from([1, s])) for s in whole[data.draw(st.integers(0, len(whole))) :])

    a, b = normal(*part()), normal(*part())
    matrices = data.draw(st.booleans())
    calls = [Call("multiply", (a, b), {}), Call("atan2", (a, b), {})]
    if matrices:
        a = a[..., None, None] + normal(2, 2)
        b = b[..., None, None] + normal(2, 2)
        calls = [Call("matmul", (a, b), {"ta": False, "tb": True}), Call("solve", (a + 9 * np.eye(2), b), {"adjoint": False})]
    for call in calls:
        for sizes in static_shapes(call):
            if sizes[0] is None:
                continue
            node = built(call, sizes)
            for axes in choices_of_axes(call):
                try:
                    results = row_axes(node, axes)
                except Refused:
                    continue
                holds(call, axes, results)


# --- functions that mix rows ------------------------------------------------------------------------------------------


class Mixing(NamedTuple):
    """A function whose rows depend on other rows; the sum of what it gives is known by hand."""

    f: Callable[[Any], Any]
    total: Callable[[list[Any]], Any]
    """The sum of the outputs, of a list of numbers of mpmath, the rows."""
    names: str
    """What the reason must name, one of these."""


X = np.array([[0.4], [-0.7], [1.1], [0.25]])
N = len(X)
WEIGHTS = np.array([[1.0], [-0.5], [2.0], [0.7]])
MIX = np.array([[0.5, 0.2, -0.1, 0.3], [0.1, -0.6, 0.4, 0.2], [0.3, 0.3, 0.2, -0.5], [-0.2, 0.7, 0.1, 0.4]])
W = WEIGHTS[:, 0].tolist()


def weigh(values: Any) -> Any:
    return mp.fsum(mp.mpf(w) * v for w, v in zip(W, values, strict=True))


def batch_norm(x: Any) -> Any:
    mean, variance = tf.nn.moments(x, [0])
    return tf.nn.batch_normalization(x, mean, variance, None, None, 0.1)


def normalized(x: list[Any]) -> list[Any]:
    mean = mp.fsum(x) / N
    variance = mp.fsum((v - mean) ** 2 for v in x) / N
    return [(v - mean) / mp.sqrt(variance + mp.mpf(0.1)) for v in x]


def attention(x: Any) -> Any:
    q, k, v = tf.sin(x), tf.cos(x), tf.exp(x)
    return tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True)), v)


def attended(x: list[Any]) -> list[Any]:
    found = []
    for a in x:
        scores = [mp.exp(mp.sin(a) * mp.cos(b)) for b in x]
        found.append(mp.fsum(s * mp.exp(b) for s, b in zip(scores, x, strict=True)) / mp.fsum(scores))
    return found


def running(x: list[Any]) -> list[Any]:
    return list(itertools.accumulate(x))


MIXING = {
    "batch norm": Mixing(lambda x: batch_norm(tf.sin(x)) ** 3, lambda x: weigh(v**3 for v in normalized([mp.sin(v) for v in x])),
                         "mean reduces"),
    "mean subtracted": Mixing(lambda x: tf.exp(x - tf.reduce_mean(x)), lambda x: weigh(mp.exp(v - mp.fsum(x) / N) for v in x),
                              "mean reduces"),
    "mean over rows subtracted": Mixing(
        lambda x: tf.exp(x - tf.reduce_mean(x, 0, keepdims=True)), lambda x: weigh(mp.exp(v - mp.fsum(x) / N) for v in x),
        "mean reduces"),
    "divided by the sum": Mixing(lambda x: x**2 / tf.reduce_sum(tf.exp(x), 0), lambda x: weigh(
        v**2 / mp.fsum(mp.exp(u) for u in x) for v in x), "sum reduces"),
    "divided by the greatest": Mixing(
        lambda x: x**3 / tf.reduce_max(x), lambda x: weigh(v**3 / max(x) for v in x), "max reduces"),
    "softmax over rows": Mixing(lambda x: tf.nn.softmax(x, 0), lambda x: weigh(
        mp.exp(v) / mp.fsum(mp.exp(u) for u in x) for v in x), "max reduces|sum reduces"),
    "attention": Mixing(attention, lambda x: weigh(attended(x)), "matmul"),
    "cumsum": Mixing(lambda x: tf.sin(tf.cumsum(x)), lambda x: weigh(mp.sin(v) for v in running(x)), "cumsum"),
    "cumprod": Mixing(lambda x: tf.math.cumprod(tf.exp(x)), lambda x: weigh(mp.exp(v) for v in running(x)), "cumprod|getitem"),
    "sort": Mixing(lambda x: tf.sort(x, 0) ** 3, lambda x: weigh(v**3 for v in sorted(x)), "gather|take"),
    "reversed by a slice": Mixing(lambda x: tf.exp(x - 0.5 * x[::-1]), lambda x: weigh(
        mp.exp(v - u / 2) for v, u in zip(x, x[::-1], strict=True)), "slice|getitem"),
    "shifted by slices": Mixing(lambda x: tf.concat([x[:1], tf.exp(x[1:] * x[:-1])], 0), lambda x: weigh(
        [x[0], *[mp.exp(v * u) for v, u in zip(x[1:], x, strict=False)]]), "slice|getitem"),
    "gather of rows": Mixing(lambda x: tf.exp(x * tf.gather(x, [1, 2, 3, 0])), lambda x: weigh(
        mp.exp(v * u) for v, u in zip(x, [*x[1:], x[0]], strict=True)), "gather"),
    "one row for all": Mixing(lambda x: tf.sin(x * x[0]), lambda x: weigh(mp.sin(v * x[0]) for v in x), "slice|getitem"),
    "reverse": Mixing(lambda x: tf.exp(x * tf.reverse(x, [0])), lambda x: weigh(
        mp.exp(v * u) for v, u in zip(x, x[::-1], strict=True)), "reverse"),
    "roll": Mixing(lambda x: tf.exp(x * tf.roll(x, 1, 0)), lambda x: weigh(
        mp.exp(v * u) for v, u in zip(x, [x[-1], *x[:-1]], strict=True)), "roll"),
    "a matrix from the left": Mixing(lambda x: tf.sin(tf.matmul(tf.constant(MIX), x)), lambda x: weigh(
        mp.sin(mp.fsum(mp.mpf(m) * v for m, v in zip(row, x, strict=True))) for row in MIX.tolist()), "matmul sums"),
    "outer product": Mixing(lambda x: tf.sin(x * tf.transpose(x)), lambda x: mp.fsum(
        mp.mpf(W[i]) * mp.sin(x[i] * x[j]) for i in range(N) for j in range(N)), "axes|broadcasts"),
    "differences of all pairs": Mixing(lambda x: tf.exp(-((x[:, None] - x[None]) ** 2)), lambda x: mp.fsum(
        mp.mpf(W[j]) * mp.exp(-((x[i] - x[j]) ** 2)) for i in range(N) for j in range(N)), "axes|broadcasts"),
    "regrouped": Mixing(lambda x: tf.reshape(tf.reduce_prod(tf.reshape(x, [2, 2]), 1), [2, 1]) * tf.ones([1, 2], tf.float64),
                        lambda x: x[0] * x[1] * (W[0] + W[1]) + x[2] * x[3] * (W[2] + W[3]), "reshape"),
    "rows flattened": Mixing(lambda x: tf.exp(x * tf.reduce_sum(tf.reshape(x, [-1]))), lambda x: weigh(
        mp.exp(v * mp.fsum(x)) for v in x), "sum reduces"),
    "segments": Mixing(lambda x: tf.gather(tf.math.segment_sum(tf.exp(x), [0, 0, 1, 1]) ** 2, [0, 0, 1, 1]), lambda x: weigh(
        [(mp.exp(x[0]) + mp.exp(x[1])) ** 2] * 2 + [(mp.exp(x[2]) + mp.exp(x[3])) ** 2] * 2), "segment_sum"),
    "a solve": Mixing(lambda x: tf.linalg.solve(tf.constant(MIX + 3 * np.eye(4)), tf.exp(x)) ** 2, lambda x: weigh(
        v**2 for v in (mp.matrix((MIX + 3 * np.eye(4)).tolist()) ** -1) * mp.matrix([mp.exp(v) for v in x])), "solve"),
    "scan over rows": Mixing(
        lambda x: tf.scan(lambda a, v: tf.sin(a + v), x, initializer=tf.zeros([1], tf.float64)),
        lambda x: weigh(list(itertools.accumulate(x, lambda a, v: mp.sin(a + v), initial=mp.mpf(0)))[1:]), "loop"),
    "a norm": Mixing(lambda x: x / tf.norm(x), lambda x: weigh(v / mp.sqrt(mp.fsum(u * u for u in x)) for v in x),
                     "sum reduces"),
}  # fmt: skip


def iterated(total: Any, order: int) -> Any:
    """Return the nested gradients of the sum: each is the gradient of the sum of the one before.

    That sum is the derivative along all rows together, so the gradient by row j is that of F(x + s (1, ..., 1) + r e_j).
    """
    found = []
    for j in range(N):

        def moved(s: Any, r: Any, j: int = j) -> Any:
            return total([mp.mpf(v) + s + (r if i == j else 0) for i, v in enumerate(X[:, 0].tolist())])

        found.append([float(Differences(moved, 0.0, 0.0)(order - 1, 1))])
    return found


def evaluate(f: Any, sizes: int | None, **switched: Any) -> tuple[dict[int, Any], list[Any]]:
    with tf.Graph().as_default():
        x = columns(sizes, "x")[0]
        y = f(x)
        gs = {k: nested(y, *[x] * k) for k in range(1, 4)}
        with options.set(**switched), choices() as how, tf.compat.v1.Session() as session:
            found = session.run(gs, {x: X})
    return found, [c for c in how if c.what.startswith("x ")]  # not those within the bodies of loops


@pytest.mark.parametrize("rows_", [None, N])
@pytest.mark.parametrize("name", MIXING)
def test_what_mixes_rows_is_left_to_reverse_mode(name: str, rows_: int | None) -> None:
    entry = MIXING[name]
    if name == "regrouped" and rows_ is None:
        return  # the number of rows is in the function

    def weighed(x: Any) -> Any:
        y = entry.f(x)
        if name in ("outer product", "segments", "scan over rows", "sort") or y.shape.rank == 2:
            shape = (2, 2) if name == "regrouped" else (N, 1)
            return y * tf.constant(WEIGHTS.reshape(shape) if name == "regrouped" else WEIGHTS)
        return y * tf.constant(WEIGHTS)

    found, how = evaluate(weighed, rows_)
    plain, _ = evaluate(weighed, rows_, taylor=False)
    for k in range(1, 4):
        expected = iterated(entry.total, k)
        close(found[k], expected, 1e-10, f"{name}, order {k}", scale=1e-3)
        np.testing.assert_allclose(found[k], plain[k], rtol=1e-12, atol=1e-12)
    left_to_reverse(how, entry.names)


ELEMENTS = f"rows along axis 1, {N} a row"
"""Each element is a direction of its own: that is right whatever mixes them, and affordable where they are few."""


def left_to_reverse(how: list[Any], names: str) -> None:
    assert how
    for choice in how:
        if choice.method == "taylor":
            assert choice.reason == ELEMENTS, choice
        else:
            assert any(n in choice.reason for n in names.split("|")), choice


def beside(x: Any, other: Any) -> Any:
    """Return what a choice in a choice gives of rows, times what it gives beside."""
    yes = tf.constant(1.0) > 0.0

    def inner() -> Any:
        rows, more = tf.cond(yes, lambda: (tf.sin(x), other), lambda: (x, 2.0 * other))
        return rows * tf.reduce_sum(more * more)

    return tf.cond(yes, inner, lambda: x)


KEEPING = {
    "a number beside rows that a choice gives": (lambda x: beside(x, tf.constant(2.0, tf.float64)), lambda v: 4 * mp.sin(v)),
    "a vector beside rows that a choice gives": (
        lambda x: beside(x, tf.constant([1.0, 2.0, -1.0], tf.float64)), lambda v: 6 * mp.sin(v)),
    "a mean without a derivative": (
        lambda x: tf.exp(x - tf.stop_gradient(tf.reduce_mean(x))),
        lambda v: mp.exp(v - mp.fsum(map(mp.mpf, X.flat)) / N)),
    "a place without a derivative": (
        lambda x: x**3 * tf.cast(tf.argmax(x, 0), tf.float64), lambda v: 2 * v**3),
    "a choice that does not depend on rows": (
        lambda x: tf.cond(tf.reduce_sum(tf.stop_gradient(x)) > 0.0, lambda: tf.sin(x), lambda: x), mp.sin),
    "a choice by a reduction": (
        lambda x: tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.sin(x) * x, lambda: x), lambda v: mp.sin(v) * v),
    "the number of rows": (lambda x: tf.exp(x) / tf.cast(tf.shape(x)[0], tf.float64), lambda v: mp.exp(v) / N),
    "the sum of functions of rows": (
        lambda x: tf.reduce_mean(tf.exp(x)), lambda v: mp.exp(v) / N),
    "a square of rows from the left, of a constant": (
        lambda x: tf.sin(x) * tf.matmul(tf.constant(MIX), tf.constant(WEIGHTS)), None),
    "rows that are compared": (
        lambda x: tf.where(x > tf.reduce_mean(x), tf.sin(x), tf.exp(x)), lambda v: mp.sin(v) if v > X.mean() else mp.exp(v)),
}  # fmt: skip


@pytest.mark.parametrize("name", KEEPING)
def test_what_mixes_rows_where_no_derivative_passes(name: str) -> None:
    f, exact = KEEPING[name]
    found, how = evaluate(f, None)
    plain, _ = evaluate(f, None, taylor=False)
    for k in range(1, 4):
        np.testing.assert_allclose(found[k], plain[k], rtol=1e-12, atol=1e-12)
        if exact is not None:
            close(found[k], [[float(Differences(exact, v)(k))] for v in X.flat], 1e-11, f"order {k}")
    assert {c.method for c in how if c.order > 1} == {"taylor"}, how


# --- rows through choices and loops -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cond", "while", "scan", "loop over columns"])
def test_rows_through_bodies(kind: str) -> None:
    """A body is walked with the axes of what enters it."""

    def inner(mixes: bool) -> Any:
        def f(x: Any) -> Any:
            def step(a: Any) -> Any:
                return tf.sin(a) + (tf.reduce_mean(a) if mixes else tf.reduce_mean(a, 1, keepdims=True)) * 0.3

            if kind == "cond":
                return tf.cond(tf.constant(1.0) > 0.0, lambda: step(x) * x, lambda: x)
            if kind == "while":
                return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, step(a)), (0, x))[1]
            if kind == "scan":
                elements = tf.constant([0.2, 0.5, 0.7], tf.float64)
                return tf.reduce_sum(tf.scan(lambda a, e: step(a + e), elements, initializer=x), 0)
            parts = tf.transpose(tf.concat([x, x * x, tf.sin(x)], 1))[:, :, None]
            return tf.foldl(lambda a, e: step(a + e), parts, initializer=x)

        return f

    for mixes in (False, True):
        found, how = evaluate(inner(mixes), N)
        plain, _ = evaluate(inner(mixes), N, taylor=False)
        if mixes:
            left_to_reverse(how, "mean reduces")
        else:
            assert {c.method for c in how} == {"taylor"}, how
        for k in range(1, 4):
            np.testing.assert_allclose(found[k], plain[k], rtol=1e-11, atol=1e-11)
