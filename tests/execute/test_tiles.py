"""Lists run tile by tile give what lists run whole give."""

import gc
import importlib.util
import itertools
import re
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wengert as tf
import wengert.execute.native.passes
import wengert.execute.tiles.bind
import wengert.execute.tiles.layout
import wengert.execute.tiles.run
from wengert.execute import tiles
from wengert.execute.native import engine
from wengert.execute.native.passes import NativeTiling
from wengert.execute.native.program import NativeProgram
from wengert.execute.numpy import NumPyProgram
from wengert.ground.context import state
from wengert.ground.options import options
from wengert.ops.linear import PLACEHOLDER
from wengert.ops.op import table
from wengert.tensor.tensor import apply

spec = importlib.util.spec_from_file_location("cases", Path(__file__).parents[1] / "ops" / "cases.py")
assert spec is not None and spec.loader is not None
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)
v1 = tf.compat.v1


NUMPY = {  # what they look at is NumPy's alone
    "test_few_buffers_serve_many_steps", "test_large_shared_values_are_not_copied", "test_memory_does_not_grow",
    "test_switching_it_off_takes_effect_at_once",
}  # fmt: skip


def pytest_generate_tests(metafunc):
    if "executor" in metafunc.fixturenames:
        every = ["numpy"] if metafunc.function.__name__ in NUMPY else ["numpy", "native"]
        metafunc.parametrize("executor", every, indirect=True)


@pytest.fixture(autouse=True)
def executor(request):
    """Both that run in tiles, machine code from the first run on."""
    if request.param == "native" and engine.available():
        pytest.skip(engine.available())
    with options.set(executor=request.param, after=0):
        yield request.param


@pytest.fixture(autouse=True, scope="module")
def small_tiles():
    """Cut what is not worth it too, into many tiles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wengert.execute.native.passes, "LEAST_BYTES", 0)
        patch.setattr(wengert.execute.native.passes, "LEAST_STEPS", 1)
        patch.setattr(wengert.execute.native.passes, "ROOM", 1 << 14)
        patch.setattr(tiles.run, "LEAST_BYTES", 0)
        patch.setattr(tiles.run, "LEAST_STEPS", 1)
        patch.setattr(tiles.layout, "CACHE", 1 << 16)
        patch.setattr(tiles.layout, "CALL", 1 << 8)
        patch.setattr(tiles.layout, "FEWEST", 32)
        patch.setattr(tiles.layout, "HELD", 1e-9)
        yield


def tilings(session):
    programs = [p for p in session._programs.values() if isinstance(p, NumPyProgram | NativeProgram)]
    return [t for p in programs for t in p.tilings.values() if t is not None]


def tolerance(array):
    return {"f4": 2e-4, "f8": 1e-11, "c8": 2e-4, "c16": 1e-11}.get(f"{array.dtype.kind}{array.dtype.itemsize}", 1e-2)


def same(got, wanted):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape and a.dtype == b.dtype
        if a.dtype.kind in "fc":
            finite = np.abs(b)[np.isfinite(b)]
            scale = max(1.0, float(finite.max(initial=0.0)))
            np.testing.assert_allclose(a / scale, b / scale, rtol=0, atol=tolerance(a))
        else:
            np.testing.assert_array_equal(a, b)


def compare(fetches, feed, session, threads=2):
    """Run whole and in tiles, and return the tiling."""
    with options.set(tiles=False):
        wanted = session.run(fetches, feed)
    assert not tilings(session)
    with options.set(tiles=True, threads=threads):
        got = session.run(fetches, feed)
    same(got, wanted)
    found = tilings(session)
    assert [t.failures for t in found] == [[]] * len(found)
    return found[0] if found else None


# --- random lists -------------------------------------------------------------------------------------------------


def unary(x, rng):
    return [
        tf.tanh, tf.sin, tf.square, tf.abs, tf.nn.relu, tf.sigmoid, tf.negative, tf.exp, tf.nn.softplus, tf.identity,
        lambda x: tf.nn.softmax(x), lambda x: x - tf.reduce_max(x, axis=1, keepdims=True), lambda x: x * 0.5,
        lambda x: tf.where(x > 0, x, 0.1 * x), lambda x: tf.transpose(tf.tanh(tf.transpose(x))),
        lambda x: tf.reshape(tf.reshape(x, [-1, x.shape[1], 1]) * 2.0, [-1, x.shape[1]]),
        lambda x: tf.squeeze(tf.expand_dims(x, 1) + 1.0, 1), lambda x: x[:, ::-1], lambda x: tf.concat([x[:, :1], x[:, 1:]], 1),
        lambda x: tf.concat([x[:, 2:], x[:, :2]], 1), lambda x: tf.stack(tf.unstack(x, axis=1), axis=1),
        lambda x: tf.cumsum(x, axis=1), lambda x: x + tf.zeros_like(x), lambda x: x * tf.ones_like(x[:, :1]),
        lambda x: tf.cast(tf.cast(x * 8.0, tf.int32), x.dtype), lambda x: tf.reverse(x, [1]),
        lambda x: tf.one_hot(tf.argmax(x, axis=1), x.shape[1], dtype=x.dtype), lambda x: tf.clip_by_value(x, -1.0, 1.0),
        lambda x: tf.broadcast_to(tf.reduce_sum(x, axis=1, keepdims=True), tf.shape(x)), lambda x: x ** 2, lambda x: x ** 3,
        lambda x: tf.pad(x[:, 1:], [[0, 0], [1, 0]]), lambda x: 1.0 / (1.5 + tf.cos(x)), lambda x: tf.math.rsqrt(2.0 + tf.sin(x)),
    ][int(rng.integers(34))](x)  # fmt: skip


def mixing(x, rng):
    """Operations over the rows."""
    return [
        lambda x: x - tf.reduce_mean(x, axis=0), lambda x: x / (1.0 + tf.reduce_max(tf.abs(x), axis=0, keepdims=True)),
        lambda x: x - tf.reduce_min(x), lambda x: tf.cumsum(x, axis=0) * 0.01, lambda x: tf.sort(x, axis=0),
        lambda x: x[::-1], lambda x: tf.gather(x, tf.argsort(x[:, 0])), lambda x: x + tf.roll(x, 1, axis=0),
        lambda x: tf.matmul(x, tf.matmul(x, x, transpose_a=True)) * 0.001,
        lambda x: (x - tf.reduce_mean(x, axis=0)) / tf.sqrt(tf.math.reduce_variance(x, axis=0) + 0.1),
        lambda x: tf.where(tf.reduce_all(x > -9.0), x, -x), lambda x: tf.concat([x[1:], x[:1]], 0),
    ][int(rng.integers(12))](x)  # fmt: skip


def joined(x, y, rng):
    return [
        tf.add, tf.multiply, tf.subtract, tf.maximum, lambda a, b: a * b[:, :1], lambda a, b: tf.where(a > b, a, b),
        lambda a, b: tf.einsum("ij,ij->i", a, b)[:, None] * b, lambda a, b: a + tf.stop_gradient(b),
        lambda a, b: tf.add_n([a, b, a]),
        lambda a, b: tf.squeeze(tf.matmul(a[:, None, :], tf.stack([b, a], 2)), 1)[:, :1] * a,
    ][int(rng.integers(10))](x, y)  # fmt: skip


def drawn(rng, n, width, dtype, steps, mixes):
    """Draw a list: values of n rows, their sums, and gradients by weights."""
    x = v1.placeholder(dtype, [None, width])
    y = v1.placeholder(dtype, [n, 1])
    weights = [
        tf.Variable(rng.normal(size=s) / np.sqrt(width), dtype=dtype)
        for s in ((width, width), (width,), (1, width), (width, width))
    ]
    constant = tf.constant(rng.normal(size=(n, width)), dtype)
    values = [x, x * y, tf.tanh(tf.matmul(x, weights[0]) + weights[1]), constant]
    for _ in range(steps):
        kind = rng.integers(10)
        a, b = (values[int(rng.integers(len(values)))] for _ in range(2))
        if kind < 4:
            v = unary(a, rng)
        elif kind < 7:
            v = joined(a, b, rng)
        elif kind < 9 or not mixes:
            v = tf.matmul(a, weights[0 if rng.integers(2) else 3], transpose_b=bool(rng.integers(2))) + weights[1] * weights[2]
        else:
            v = mixing(a, rng)
        values.append(tf.tanh(v) if rng.integers(2) else v / (1.0 + tf.reduce_max(tf.abs(v), axis=1, keepdims=True)))
    last = values[-1]
    loss = tf.reduce_mean(tf.square(last)) + tf.reduce_sum(last * values[-2]) / n
    gradients = [g for g in tf.gradients(loss, weights) if g is not None]
    fetches = [loss, last, tf.reduce_sum(last, axis=0), tf.reduce_max(last), values[int(rng.integers(len(values)))], *gradients]
    kind = np.float32 if dtype is tf.float32 else np.float64
    return fetches, {x: rng.normal(size=(n, width)).astype(kind), y: rng.normal(size=(n, 1)).astype(kind)}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([512, 1000, 1031]), st.integers(3, 7), st.sampled_from([tf.float32, tf.float64]),
    st.integers(1, 14), st.booleans(), st.integers(1, 3),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")
def test_tiles_change_nothing(seed, n, width, dtype, steps, mixes, threads):
    rng = np.random.default_rng(seed)
    with tf.Graph().as_default() as graph:
        fetches, feed = drawn(rng, n, width, dtype, steps, mixes)
        with v1.Session(graph=graph) as session:
            session.run(v1.global_variables_initializer())
            session._programs.clear()
            compare(fetches, feed, session, threads)


# --- every operation ----------------------------------------------------------------------------------------------

PURE = [c for c in cases.CASES if c.inputs and not table[c.op].stateful and table[c.op].kind not in ("control", "custom")]


@pytest.mark.parametrize("op", sorted({c.op for c in PURE}))
def test_each_operation_in_tiles_of_one_and_of_two_rows(op, monkeypatch, executor):
    """Rows are taken from each choice of the inputs, and the others are shared."""
    monkeypatch.setattr(tiles.cut, "LEAST_ROWS", 2)
    every = lambda self: frozenset() if self.passes else frozenset(n for n, _ in self.rows.values())  # noqa: E731
    monkeypatch.setattr(tiles.run.Tiling, "small", every)
    ways = [(1, None), (2, None)] if executor == "numpy" else [(None, NativeTiling)]
    source = tiles.cut.Cut._source
    for case in [c for c in PURE if c.op == op]:
        arrays = [np.asarray(a) for a in case.inputs]
        with tf.Graph().as_default() as graph:
            places = [apply(PLACEHOLDER, (), {"dtype": a.dtype, "shape": a.shape}) for a in arrays]
            found = apply(table[op], tuple(places), dict(case.attrs))
            program = NumPyProgram(graph, list(found) if isinstance(found, list | tuple) else [found], places)
        with options.set(tiles=False):
            wanted = program(*arrays)
        (variant,) = program.variants.values()
        several = range(len(arrays))
        for chosen in [*itertools.combinations(several, 1), *itertools.combinations(several, 2), tuple(several)]:
            slots = {variant.plan.feeds[k] for k in chosen}

            def chosen_alone(cut, slot, among=None, slots=slots):
                return source(cut, slot, among) if slot in slots else None

            monkeypatch.setattr(tiles.cut.Cut, "_source", chosen_alone)
            for rows, kind in ways:
                tiling = program.tilings[None] = tiles.run.cut(variant.plan, variant.feeds, rows, kind)
                if tiling is not None:
                    same(program(*arrays), wanted)
                    assert tiling.failures == []


# --- what stands in a list ----------------------------------------------------------------------------------------


def network(n, dtype, sizes=(2, 16, 16, 1), residual=True):
    """A training step: the residual of Burgers' equation, its mean square, and the gradients by all weights."""
    rng = np.random.default_rng(0)
    weights = []
    for a, b in itertools.pairwise(sizes):
        weights.append(tf.Variable(rng.normal(size=(a, b)) / np.sqrt(a), dtype=dtype))
        weights.append(tf.Variable(rng.normal(size=(b,)) * 0.1, dtype=dtype))
    x, t = v1.placeholder(dtype, [None, 1]), v1.placeholder(dtype, [None, 1])
    h = tf.concat([x, t], 1)
    for k in range(0, len(weights) - 2, 2):
        h = tf.tanh(tf.matmul(h, weights[k]) + weights[k + 1])
    u = tf.matmul(h, weights[-2]) + weights[-1]
    (u_x,) = tf.gradients(u, x)
    f = tf.gradients(u, t)[0] + u * u_x - 0.01 * tf.gradients(u_x, x)[0]
    loss = tf.reduce_mean(tf.square(f))
    gradients = tf.gradients(loss, weights[:-1])
    kind = dtype.as_numpy_dtype
    feed = {x: rng.normal(size=(n, 1)).astype(kind), t: rng.normal(size=(n, 1)).astype(kind)}
    return [loss, f, *gradients] if residual else [loss, *gradients], feed, weights


def started(graph):
    session = v1.Session(graph=graph)
    session.run(v1.global_variables_initializer())
    session._programs.clear()
    return session


def bits(arrays):
    return [np.asarray(a).tobytes() for a in arrays]


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("n", [512, 1000, 1031])
def test_a_training_step_is_one_pass(n, dtype):
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(n, dtype)
        with started(graph) as session:
            tiling = compare(fetches, feed, session)
            assert len(tiling.passes) == 1
            (only,) = tiling.passes
            assert only.tiles > 3 and sum(item.role == "row" for item in only.items) > 30
            assert len(only.stores) == 1  # the residual, which is fetched
            # Whatever reads rows is in the pass.
            shapes = [t.sizes for item in tiling.items if item.role == "whole" for t in item.step.node.outputs]
            assert not any(n in (sizes or ()) for sizes in shapes)


def test_few_buffers_serve_many_steps():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2048, 8])
        y = x
        for k in range(100):
            y = tf.tanh(y) * (1.0 + 0.1 * k)
        with started(graph) as session:
            tiling = compare([y, tf.reduce_sum(y)], {x: np.ones((2048, 8), np.float32)}, session)
            assert len(tiling.passes[0].buffers) <= 3


def test_the_same_bits_in_every_run_and_for_any_number_of_threads():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(5000, tf.float32)
        with started(graph) as session:
            found = []
            for threads in (1, 2, 3, 7):
                with options.set(threads=threads):
                    found += [bits(session.run(fetches, feed)) for _ in range(3)]
            assert tilings(session)[0].passes[0].groups >= 7
            assert all(one == found[0] for one in found)


def test_switching_it_off_takes_effect_at_once():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(1000, tf.float64)
        program = NumPyProgram(graph, fetches, sorted(feed, key=lambda t: t.n))
        arrays = [feed[t] for t in sorted(feed, key=lambda t: t.n)]
        with started(graph) as session:
            state.session = session
            try:
                with options.set(tiles=False):
                    whole = program(*arrays)
                    assert not program.tilings
                tiled = program(*arrays)
                assert program.tilings
                with options.set(tiles=False):
                    assert bits(program(*arrays)) == bits(whole)
                assert bits(program(*arrays)) == bits(tiled)
                assert bits(program.inside(*arrays)) == bits(whole)
            finally:
                state.session = None
            same(tiled, whole)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_normalising_over_the_rows_takes_one_pass_more_each_time(steps):
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None, 6])
        scale = tf.Variable(np.linspace(0.5, 2.0, 6))
        y = x
        for _ in range(steps):
            mean = tf.reduce_mean(y, axis=0)
            variance = tf.reduce_mean(tf.square(y - mean), axis=0)
            y = tf.tanh((y - mean) * tf.math.rsqrt(variance + 1e-3) * scale)
        loss = tf.reduce_sum(y**2)
        fetches = [y, loss, tf.reduce_max(y, axis=0), *tf.gradients(loss, [scale, x])]
        feed = {x: np.random.default_rng(0).normal(size=(1031, 6)) * [1, 2, 3, 4, 5, 6] + 3}
        with started(graph) as session:
            tiling = compare(fetches, feed, session)
            assert len(tiling.passes) >= 2 * steps + 1


def test_steps_that_need_all_rows_stand_between_passes():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None, 4])
        y = tf.tanh(x) * 2.0
        z = tf.sort(y, axis=0)
        w = tf.exp(-z) + y
        fetches = [w, tf.reduce_sum(w, axis=0), tf.cumsum(tf.square(w), axis=0), z]
        with started(graph) as session:
            tiling = compare(fetches, {x: np.random.default_rng(0).normal(size=(1000, 4))}, session)
            assert len(tiling.passes) == 2
            assert {i.step.node.op.name for i in tiling.items if i.role == "whole"} >= {"take_along_axis", "cumsum"}


def test_every_reduction_over_the_rows():
    rng = np.random.default_rng(1)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [1031, 3, 4])
        k = v1.placeholder(tf.int32, [1031, 4])
        y = tf.sin(x)
        i = k * 3 - 1
        fetches = []
        for reduce in (tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_min, tf.reduce_prod):
            for axis in (None, 0, [0, 1], [0, 2]):
                if reduce is not tf.reduce_prod or axis == 0:
                    fetches += [reduce(y, axis=axis), reduce(y, axis=axis, keepdims=True)]
            fetches.append(reduce(i, axis=0))
        flags = tf.greater(y, -0.999)
        fetches += [tf.reduce_all(flags, axis=0), tf.reduce_any(flags), tf.reduce_all(flags)]
        fetches += [tf.einsum("nij,nkj->ik", y, y), tf.einsum("nij,njk->nik", y, tf.transpose(y, [0, 2, 1]))]
        feed = {x: rng.normal(size=(1031, 3, 4)) * 3.0, k: rng.integers(-5, 5, (1031, 4)).astype(np.int32)}
        with started(graph) as session:
            tiling = compare(fetches, feed, session)
            roles = {(item.step.node.op.name, item.role) for item in tiling.items}
            assert {(name, "sum") for name in ("sum", "mean", "max", "min", "prod", "all", "any", "einsum")} <= roles


def test_rows_may_lie_along_the_last_axis_and_in_constants():
    rng = np.random.default_rng(2)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [2, None])
        data, noise = tf.constant(rng.normal(size=(1031, 3))), tf.constant(rng.normal(size=(5, 1031)))
        w = tf.Variable(rng.normal(size=(5, 2)))
        h = tf.tanh(tf.matmul(w, x)) + noise
        y = tf.matmul(h, data * 2.0)
        rows = tf.matmul(tf.transpose(h), tf.ones([5, 2]))
        z = tf.concat([rows, data], 1) * tf.transpose(x)[:, :1]
        fetches = [y, h, z, tf.reduce_sum(h, axis=1), tf.gradients(tf.reduce_sum(y) + tf.reduce_sum(z), w)[0]]
        with started(graph) as session:
            tiling = compare(fetches, {x: rng.normal(size=(2, 1031))}, session)
            assert any(item.axes == [1] for item in tiling.items)


def test_points_of_several_kinds_have_passes_of_their_own():
    rng = np.random.default_rng(3)
    with tf.Graph().as_default() as graph:
        w = tf.Variable(rng.normal(size=(3, 8)))
        places = [v1.placeholder(tf.float64, [None, 3]) for _ in range(3)]
        losses = [tf.reduce_mean(tf.tanh(tf.tanh(tf.matmul(p, w)) * 2.0)) for p in places]
        loss = tf.add_n(losses)
        fetches = [loss, *tf.gradients(loss, w)]
        feed = {p: rng.normal(size=(n, 3)) for p, n in zip(places, (1031, 2000, 50), strict=True)}
        with started(graph) as session:
            tiling = compare(fetches, feed, session)
            assert sorted(p.n for p in tiling.passes) == [1031, 2000]


def test_large_shared_values_are_not_copied(monkeypatch):
    monkeypatch.setattr(tiles.bind, "COPIED", 0)
    with tf.Graph().as_default() as graph:
        fetches, feed, weights = network(1000, tf.float64)
        x = next(iter(feed))
        ids = tf.cast(tf.abs(x[:, 0]) * 4.0, tf.int32)
        fetches += [tf.gather(weights[2], tf.minimum(ids, 15)), tf.maximum(x, weights[1]) * weights[3]]
        with started(graph) as session:
            compare(fetches, feed, session)


def test_what_a_list_may_hold_beside_rows():
    """Variables that change, control dependencies, loops, strings, random numbers."""
    rng = np.random.default_rng(4)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None, 2])
        w = tf.Variable(rng.normal(size=(2, 3)))
        count = tf.Variable(0.0, dtype=tf.float64)
        y = tf.tanh(tf.matmul(x, w))
        with tf.control_dependencies([count.assign_add(tf.reduce_sum(y))]):
            z = tf.square(y) * count.read_value()
        looped = tf.while_loop(lambda k, v: k < 3, lambda k, v: (k + 1, tf.sin(v) + y), [0, z])[1]
        text = tf.where(tf.reduce_max(looped) > 0.0, tf.constant(["yes"]), tf.constant(["no"]))
        noise = v1.random_normal([1000, 3], dtype=tf.float64, seed=1) * 0.0 + y
        grown = w.assign_sub(0.1 * tf.matmul(x, tf.tanh(looped), transpose_a=True) / 1000.0)
        fetches = [z, looped, text, grown, tf.shape(z), tf.size(y), noise]
        with started(graph) as session:
            values = []
            for on in (False, True):
                session.run(v1.global_variables_initializer())
                with options.set(tiles=on):
                    values.append([session.run(fetches, {x: np.linspace(-1, 1, 2000).reshape(-1, 2)}) for _ in range(3)])
            for one, other in zip(*values, strict=True):
                assert one.pop(2) == other.pop(2)
                same(one, other)
            assert any(t.passes for t in tilings(session)) and all(t.failures == [] for t in tilings(session))


def test_traced_functions_are_tiled_too():
    w = tf.Variable(np.linspace(-1, 1, 32).reshape(2, 16))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, w)) * 2.0 + tf.sin(x[:, :1])))
        return loss, tape.gradient(loss, w)

    x = tf.constant(np.random.default_rng(0).normal(size=(1031, 2)))
    with options.set(tiles=False):
        wanted = [v.numpy() for v in step(x)]
    same([v.numpy() for v in step(x)], wanted)


# --- whose memory -------------------------------------------------------------------------------------------------


def test_results_belong_to_the_caller():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(1000, tf.float64)
        x = next(iter(feed))
        fetches += [tf.reshape(fetches[1], [-1]), tf.identity(x), tf.reduce_sum(x * 2.0, axis=0)]
        with started(graph) as session:
            first = session.run(fetches, feed)
            kept = [np.array(a) for a in first]
            session.run(fetches, {k: v + 1.0 for k, v in feed.items()})
            assert bits(first) == bits(kept)
            for a in first:
                if isinstance(a, np.ndarray):
                    a[...] = 7.0
            same(session.run(fetches, feed), kept)


def test_memory_does_not_grow():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(2000, tf.float32)
        with started(graph) as session:
            for _ in range(3):
                session.run(fetches, feed)
            gc.collect()
            tracemalloc.start()
            try:
                session.run(fetches, feed)
                before = tracemalloc.get_traced_memory()[0]
                for _ in range(20):
                    session.run(fetches, feed)
                gc.collect()
                after = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
            assert after - before < 20_000
            (tiling,) = tilings(session)
            assert len(tiling.crews) == 1
            # Nothing of a run is held on to.
            bound = [b for worker in tiling.crews[0].workers for b in worker.bound.values()]
            assert all(v is None for _, views, _ in bound for several in views.values() for v in several)


def test_feeds_of_different_lengths_in_turn():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(10, tf.float64)
        rng = np.random.default_rng(5)
        with started(graph) as session:
            for _ in range(2):
                for n in (600, 37, 1031, 512, 511, 2000, 3, 700, 800, 900, 1100, 1200):
                    given_ = {k: rng.normal(size=(n, 1)) for k in feed}
                    with options.set(tiles=False):
                        wanted = session.run(fetches, given_)
                    same(session.run(fetches, given_), wanted)
            assert len(tilings(session)) >= 4


def test_threads_may_share_a_session():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(2000, tf.float64)
        with started(graph) as session, options.set(threads=2):
            feeds = [{k: v + i for k, v in feed.items()} for i in range(4)]
            wanted = [bits(session.run(fetches, f)) for f in feeds]
            wrong = []

            def work(k):
                for i in range(12):
                    which = (k + i) % 4
                    if bits(session.run(fetches, feeds[which])) != wanted[which]:
                        wrong.append(which)

            workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            assert not wrong
            kept = tilings(session)[0]
            assert len(kept.waiting if isinstance(kept, NativeTiling) else kept.crews) <= tiles.run.CREWS


def test_threads_are_silent_about_floating_point():
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 8])
        y = tf.exp(x * 1000.0) / (x - x)
        fetches = [tf.math.log(x), y, tf.reduce_sum(y), tf.reduce_max(tf.sqrt(x) * 2.0)]
        with started(graph) as session, options.set(threads=3):
            found = session.run(fetches, {x: np.random.default_rng(0).normal(size=(2000, 8))})
            assert tilings(session)[0].failures == [] and np.isnan(found[2])


# --- failures -----------------------------------------------------------------------------------------------------


def told(run):
    with pytest.raises(Exception) as caught:
        run()
    return type(caught.value), re.sub(r"0x[0-9a-f]+", "", str(caught.value))


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_tile_is_the_one_of_the_whole(threads, executor):
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.int32, [None, 2])
        table = tf.constant(np.arange(20.0).reshape(10, 2))
        y = tf.gather(table, x[:, 0] + 1) * 2.0
        z = 100 // (x[:, 1] * 3)
        good = np.ones((1000, 2), np.int32)
        with started(graph) as session, options.set(threads=threads):
            for fetch, column in ((tf.reduce_sum(y), 0), (z, 1)):
                bad = good.copy()
                bad[777, column] = 99 if column == 0 else 0
                with options.set(tiles=False):
                    wanted = told(lambda: session.run(fetch, {x: bad}))  # noqa: B023
                assert told(lambda: session.run(fetch, {x: bad})) == wanted  # noqa: B023
                assert "1000" in wanted[1] and "test_tiles.py" in wanted[1]
                assert np.all(np.isfinite(session.run(fetch, {x: good})))
            assert tilings(session) or executor == "native"  # which leaves what may fail to whole steps


def test_a_pass_that_fails_where_the_list_does_not_is_given_up(monkeypatch):
    with tf.Graph().as_default() as graph:
        count = tf.Variable(0.0, dtype=tf.float64)
        fetches, feed, _ = network(1000, tf.float64)
        fetches.append(count.assign_add(1.0))
        with started(graph) as session:
            with options.set(tiles=False):
                wanted = session.run(fetches, feed)[:-1]
            monkeypatch.setattr(tiles.run.Tiling, "mean", lambda *a: 1 / 0)
            for k in range(5):
                got = session.run(fetches, feed)
                same(got[:-1], wanted)
                assert got[-1] == k + 2  # what acts on the world does so once
            assert len(tilings(session)[0].failures) == 3


def test_a_placeholder_that_is_not_fed_is_told_as_ever():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(1000, tf.float64)
        feed.pop(next(iter(feed)))
        with started(graph) as session:
            with options.set(tiles=False):
                wanted = told(lambda: session.run(fetches, feed))
            assert told(lambda: session.run(fetches, feed)) == wanted


def test_a_value_of_another_shape_than_was_promised_is_run_whole():
    with tf.Graph().as_default() as graph:
        fetches, feed, _ = network(1000, tf.float64)
        with started(graph) as session:
            session.run(fetches, feed)
            for storage in session._storages.values():
                if storage.sizes == (16,):
                    storage.array = storage.array[:1]  # it broadcasts as well
            with options.set(tiles=False):
                wanted = session.run(fetches[:2], feed)
            same(session.run(fetches[:2], feed), wanted)
            assert tilings(session)[-1].failures == ["Mismatch()"]


# --- accuracy -----------------------------------------------------------------------------------------------------


def test_sums_are_no_worse_than_those_of_numpy():
    n = 200_000
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4])
        y = tf.sqrt(tf.abs(x)) + 1.0
        fetches = [tf.reduce_sum(y, axis=0), tf.reduce_mean(y), tf.matmul(y, y, transpose_a=True)]
        values = np.random.default_rng(0).uniform(0.0, 1.0, (n, 4)).astype(np.float32)
        exact = np.sqrt(np.abs(values)) + np.float32(1.0)
        exact = exact.astype(np.float64)
        wanted = [exact.sum(0), exact.mean(), exact.T @ exact]
        with started(graph) as session:
            errors = []
            for on in (False, True):
                with options.set(tiles=on):
                    found = session.run(fetches, {x: values})
                errors.append([float(np.abs(a / b - 1.0).max()) for a, b in zip(found, wanted, strict=True)])
            assert tilings(session)
            for whole, tiled in zip(*errors, strict=True):
                assert tiled <= max(whole, 2e-7)
