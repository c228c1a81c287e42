"""When machine code takes over, what it is compiled for, and what is left to NumPy."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import wengert as tf
from wengert.execute.native import engine, passes
from wengert.execute.native import program as native_program
from wengert.execute.native.passes import NativeTiling
from wengert.execute.native.program import NativeProgram
from wengert.execute.native.target import Target
from wengert.execute.native.work import Loop, Product
from wengert.ground.options import options
from wengert.ops import linear
from wengert.tensor.tensor import apply

v1 = tf.compat.v1
missing = engine.available()
pytestmark = pytest.mark.skipif(bool(missing), reason=missing)


def network(dtype=tf.float32, width=16):
    """A network of two coordinates, its second derivative by x, and gradients of a loss by the weights."""
    rng = np.random.default_rng(0)
    sizes = [(2, width), (width, width), (width, 1)]
    weights = [tf.Variable(rng.normal(size=s) / np.sqrt(s[0]), dtype=dtype) for s in sizes]
    x, t = (v1.placeholder(dtype, [None, 1]) for _ in range(2))
    h = tf.concat([x, t], 1)
    for w in weights[:-1]:
        h = tf.tanh(tf.matmul(h, w))
    u = tf.matmul(h, weights[-1])
    u_xx = tf.gradients(tf.gradients(u, x)[0], x)[0]
    loss = tf.reduce_mean(tf.square(tf.gradients(u, t)[0] - u_xx))
    return [u_xx, loss, *tf.gradients(loss, weights)], (x, t)


def feeds(places, n, dtype=np.float32):
    rng = np.random.default_rng(n)
    return {p: rng.uniform(-1, 1, (n, 1)).astype(dtype) for p in places}


def started(graph):
    session = v1.Session(graph=graph)
    session.run(v1.global_variables_initializer())
    session._programs.clear()
    return session


def program(session) -> NativeProgram:
    (found,) = (p for p in session._programs.values() if isinstance(p, NativeProgram))
    return found


def bits(arrays):
    return [np.asarray(a).tobytes() for a in arrays]


def test_the_first_runs_are_numpys_and_a_fixed_one_moves():
    with tf.Graph().as_default() as graph:
        fetches, places = network()
        feed = feeds(places, 2000)
        # A list as small as this is run whole meanwhile: to cut it into NumPy's tiles would take longer than the two runs.
        with started(graph) as session, options.set(executor="numpy", tiles=False):
            wanted = bits(session.run(fetches, feed))
        with started(graph) as session, options.set(executor="native", after=2):
            runs = [bits(session.run(fetches, feed)) for _ in range(5)]
            decision = program(session).decision
    assert runs[:2] == [wanted] * 2
    assert runs[2] != wanted and runs[2:] == [runs[2]] * 3
    assert decision.startswith("native: 2000 rows")


def test_a_large_list_is_run_in_numpys_tiles_until_its_code_is_there(monkeypatch):
    monkeypatch.setattr(native_program, "WHOLE", 0)
    with tf.Graph().as_default() as graph:
        fetches, places = network()
        feed = feeds(places, 2000)
        with started(graph) as session, options.set(executor="numpy"):
            wanted = bits(session.run(fetches, feed))
        with started(graph) as session, options.set(executor="native", after=2):
            assert [bits(session.run(fetches, feed)) for _ in range(2)] == [wanted] * 2


def conditions(width):
    """A loss of two parts, by slices of the rows, as libraries for PDEs put it together, and its gradients."""
    rng = np.random.default_rng(0)
    sizes = [(2, width), (width, width), (width, 1)]
    weights = [tf.Variable(rng.normal(size=s) / np.sqrt(s[0]), dtype=tf.float64) for s in sizes]
    points = v1.placeholder(tf.float64, [None, 2])
    h = points
    for w in weights[:-1]:
        h = tf.tanh(tf.matmul(h, w))
    u = tf.matmul(h, weights[-1])
    u_x = tf.gradients(u, points)[0][:, 0:1]
    loss = tf.reduce_mean(tf.square(u_x[100:] - u[100:])) + tf.reduce_mean(tf.square(u[:100] - 1.0))
    return [loss, u, *tf.gradients(loss, weights)], points


def two_passes(width):
    """Run a list of two passes in all ways; return how much each row of the second reads."""
    with tf.Graph().as_default() as graph:
        fetches, points = conditions(width)
        feed = {points: np.random.default_rng(1).uniform(-1, 1, (1000, 2))}
        with started(graph) as session, options.set(executor="numpy", tiles=False):
            wanted = session.run(fetches, feed)
        with started(graph) as session, options.set(executor="native", after=0):
            found = session.run(fetches, feed)
            (tiling,) = (t for t in program(session).tilings.values() if t is not None)
            _, second = tiling.passes
            with options.set(threads=1):
                assert bits(session.run(fetches, feed)) == bits(found)
            # A pass that fails leaves a list that can be run whole, with what was computed and not written out.
            second.compiled = lambda: 1 / 0
            whole = session.run(fetches, feed)
            assert len(tiling.failures) == 1
    for a, b, c in zip(found, wanted, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(c, b, rtol=1e-11, atol=1e-14)
    return sum(tiling.specs[load.slot].sizes[-1] for load in second.loads)


def test_a_later_pass_computes_again_what_is_cheaper_than_memory():
    assert two_passes(16) <= 4 * 16 and two_passes(400) >= 5 * 400


def test_large_matrices_are_left_to_numpy_and_its_tiles():
    with tf.Graph().as_default() as graph:
        fetches, places = network(width=520)
        feed = feeds(places, 600)
        with started(graph) as session, options.set(executor="numpy"):
            wanted = session.run(fetches, feed)
        with started(graph) as session, options.set(executor="native", after=0):
            found = [session.run(fetches, feed) for _ in range(2)]
            assert program(session).decision == "numpy: a product with a large matrix, which the BLAS does"
    assert bits(found[0]) == bits(found[1]) == bits(wanted)


@pytest.mark.parametrize("after", [0, 2])
def test_two_processes_give_the_same_bits(after, tmp_path):
    script = textwrap.dedent(f"""
        import hashlib, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        import test_program as t
        t.options.after = {after}
        with t.tf.Graph().as_default() as graph:
            fetches, places = t.network()
            with t.started(graph) as session:
                for n in (2000, 1500, 2000, 900):
                    print(*[hashlib.sha256(b).hexdigest()[:12] for b in t.bits(session.run(fetches, t.feeds(places, n)))])
        assert "jax" not in sys.modules
    """)
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, str(tmp_path / "script.py")]
    found = [subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout for _ in range(2)]
    assert found[0] == found[1] and len(found[0].splitlines()) == 4


def test_importing_wengert_imports_no_compiler():
    source = "import sys, wengert; assert not {'llvmlite', 'wengert.execute.native.passes'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", source], check=True, timeout=100)


def test_without_llvmlite_numpy_serves_and_says_so(tmp_path):
    script = textwrap.dedent(f"""
        import sys
        sys.modules["llvmlite"] = None
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        import numpy as np, wengert as tf
        from wengert.ground.options import options
        v1 = tf.compat.v1
        options.after = 0
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            x = v1.placeholder(tf.float64, [None, 8])
            y = x
            for _ in range(20):
                y = tf.tanh(y) * 1.5
            print(session.run(y, {{x: np.ones((2000, 8))}})[0, 0])
            (program,) = session._programs.values()
            print(program.decision)
    """)
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, str(tmp_path / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    number, decision = done.stdout.splitlines()
    y = 1.0
    for _ in range(20):
        y = np.tanh(y) * 1.5
    assert float(number) == pytest.approx(y, rel=1e-14)
    assert decision.startswith("numpy: llvmlite is not installed")


def test_another_number_of_rows_compiles_nothing():
    with tf.Graph().as_default() as graph:
        fetches, places = network(width=23)
        with started(graph) as session, options.set(executor="native", after=0):
            session.run(fetches, feeds(places, 2000))
            before = engine._compiled.cache_info().misses
            for n in (600, 512, 5000, 1023):
                session.run(fetches, feeds(places, n))
            assert engine._compiled.cache_info().misses == before


def test_few_rows_and_little_work_are_numpys():
    with tf.Graph().as_default() as graph:
        fetches, places = network()
        with started(graph) as session, options.set(executor="native", after=0):
            session.run(fetches, feeds(places, 100))
            assert program(session).decision.startswith("numpy: no part of it works on many rows")


def test_what_has_no_form_is_numpys_and_the_rest_is_not(monkeypatch):
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None, 16])
        y = tf.tanh(x) * 2.0 + tf.square(x)
        z = tf.math.lgamma(tf.abs(y) + 1.0)
        out = tf.reduce_sum(tf.sin(z) * y)
        value = np.random.default_rng(0).normal(size=(3000, 16))
        monkeypatch.setattr(passes, "LEAST_BYTES", 0)
        with started(graph) as session:
            with options.set(executor="numpy"):
                wanted = session.run(out, {x: value})
            with options.set(executor="native", after=0):
                assert session.run(out, {x: value}) == pytest.approx(wanted, rel=1e-12)
                decision = program(session).decision
        assert decision.startswith("native: 3000 rows") and "lgamma is NumPy's (lgamma has no form)" in decision


@pytest.mark.parametrize("n", [512, 513, 1031, 4096])
@pytest.mark.parametrize("dtype, tolerance", [(tf.float64, 1e-12), (tf.float32, 2e-5)])
def test_derivatives_of_closed_forms(n, dtype, tolerance):
    """u = sin(3x) exp(-t): derivatives to the sixth order, and their sum over the rows."""
    with tf.Graph().as_default() as graph:
        x, t = (v1.placeholder(dtype, [None, 1]) for _ in range(2))
        u = tf.sin(3.0 * x) * tf.exp(-t)
        derivatives, y = [], u
        for _ in range(6):
            (y,) = tf.gradients(y, x)
            derivatives.append(y)
        (mixed,) = tf.gradients(derivatives[1], t)
        kind = dtype.as_numpy_dtype
        feed = feeds((x, t), n, kind)
        a, b = (feed[p].astype(np.float64) for p in (x, t))
        with started(graph) as session, options.set(executor="native", after=0):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(passes, "LEAST_BYTES", 0)
                *found, mixed_, total = session.run([*derivatives, mixed, tf.reduce_sum(derivatives[3])], feed)
            assert isinstance(next(iter(program(session).tilings.values())), NativeTiling)
    for k, one in enumerate(found, 1):
        exact = 3.0**k * np.sin(3 * a + k * np.pi / 2) * np.exp(-b)
        np.testing.assert_allclose(one / 3.0**k, exact / 3.0**k, rtol=0, atol=tolerance)
    np.testing.assert_allclose(mixed_, 9.0 * np.sin(3 * a) * np.exp(-b), rtol=0, atol=9 * tolerance)
    exact = (81.0 * np.sin(3 * a) * np.exp(-b)).sum()
    assert total == pytest.approx(exact, rel=1e2 * tolerance, abs=81 * n * tolerance)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, -0.0])
def test_special_values_stay_in_their_rows(special):
    """What is NaN or infinite in one row says nothing of others, and sums over the rows see it."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 8])
        w = tf.constant(np.eye(8, dtype=np.float32))
        y = tf.matmul(tf.tanh(x), w) + tf.exp(-x) * tf.maximum(x, 0.25)
        fetches = [y, 1.0 / x, tf.reduce_sum(y, axis=0), tf.matmul(y, y, transpose_a=True), tf.reduce_max(y)]
        value = np.random.default_rng(0).normal(size=(1031, 8)).astype(np.float32)
        value[700] = special
        with started(graph) as session, pytest.MonkeyPatch.context() as patch:
            patch.setattr(passes, "LEAST_BYTES", 0)
            with options.set(executor="numpy", tiles=False):
                wanted = session.run(fetches, {x: value})
            with options.set(executor="native", after=0):
                found = session.run(fetches, {x: value})
                assert isinstance(next(iter(program(session).tilings.values())), NativeTiling)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
            np.testing.assert_array_equal(np.isinf(a), np.isinf(b))
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(np.signbit(found[1]), np.signbit(wanted[1]))


@pytest.mark.parametrize("target", [Target(64, 32), Target(32, 16), Target(16, 32), Target(16, 16)])
@pytest.mark.parametrize("dtype, tolerance", [(tf.float64, 1e-10), (tf.float32, 1e-4)])
@pytest.mark.parametrize("width", [1, 10, 23])
def test_vectors_of_every_length(target, dtype, tolerance, width, monkeypatch):
    """Text for other processors' vectors: LLVM splits what this processor has not."""
    monkeypatch.setattr(engine, "target", lambda: target)
    monkeypatch.setattr(passes, "LEAST_BYTES", 0)
    with tf.Graph().as_default() as graph:
        fetches, places = network(dtype, width)
        feed = feeds(places, 1031, dtype.as_numpy_dtype)
        with started(graph) as session:
            with options.set(executor="numpy", tiles=False):
                wanted = session.run(fetches, feed)
            with options.set(executor="native", after=0):
                found = session.run(fetches, feed)
                tiling = next(iter(program(session).tilings.values()))
            assert isinstance(tiling, NativeTiling) and tiling.failures == [] and not tiling.unfit
            assert tiling.passes[0].rows % (3 * target.lanes(np.dtype(dtype.as_numpy_dtype))) == 0
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, float(np.abs(b).max())))


@pytest.mark.parametrize("target", [Target(64, 32), Target(32, 16), Target(16, 32)])
def test_integers_beside_wide_floats(target, monkeypatch):
    """A tile has a few vectors of float64, fewer rows than vectors of int32 or of truth values would have lanes."""
    monkeypatch.setattr(engine, "target", lambda: target)
    monkeypatch.setattr(passes, "LEAST_BYTES", 0)
    monkeypatch.setattr(passes, "ROOM", 0)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None, 3])
        k = v1.placeholder(tf.int32, [None, 4])
        flags = k > 2
        fetches = [
            tf.reduce_sum(k * 3 - 1, axis=0), tf.reduce_any(flags, axis=0), tf.cast(flags, tf.int32) + k,
            tf.reduce_sum(tf.tanh(x) * tf.cast(k[:, :3], tf.float64)),
        ]  # fmt: skip
        rng = np.random.default_rng(0)
        feed = {x: rng.normal(size=(1031, 3)), k: rng.integers(-9, 9, (1031, 4)).astype(np.int32)}
        with started(graph) as session:
            with options.set(executor="numpy", tiles=False):
                wanted = session.run(fetches, feed)
            with options.set(executor="native", after=0):
                found = session.run(fetches, feed)
            assert isinstance(next(iter(program(session).tilings.values())), NativeTiling)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_set_executor_says_how_many_runs_are_numpys():
    before = options.executor, options.after
    try:
        tf.config.set_executor("native", after=5)
        assert options.after == 5
        tf.config.set_executor("numpy")
        assert (tf.config.get_executor(), options.after) == ("numpy", 5)
        with pytest.raises(ValueError, match="-1"):
            tf.config.set_executor("native", after=-1)
    finally:
        options.executor, options.after = before


def test_a_product_of_which_the_shape_alone_is_asked_is_not_made():
    # It has no memory in a tile: where it was written all the same, it fell upon that of another value.
    rng = np.random.default_rng(0)
    W, V = rng.normal(size=(2, 8, 8)).astype(np.float32)
    given = rng.normal(size=(4096, 8)).astype(np.float32)
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 8])
        unread = tf.matmul(tf.sin(x), W)
        like = apply(linear.BROADCAST_LIKE, (tf.constant(2.0), unread))
        z = tf.matmul(tf.tanh(x), V)
        for _ in range(6):
            z = tf.matmul(tf.sin(z), V) + tf.tanh(x)
        fetched = [z * like, tf.reduce_sum(z, 0)]
        with started(graph) as session:
            with options.set(executor="numpy"):
                wanted = session.run(fetched, {x: given})
            session._programs.clear()
            with options.set(executor="native", after=0):
                found = session.run(fetched, {x: given})
            (tiling,) = program(session).tilings.values()
    works = [work for pass_ in tiling.passes for group in pass_.plan.groups for work in group.works]
    assert all(b.last >= 0 for work in works if not isinstance(work, Loop) for b in work.makes)
    assert sum(isinstance(work, Product) for work in works) == 7
    np.testing.assert_allclose(found[0], wanted[0], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(found[1], wanted[1], rtol=2e-3, atol=2e-2)
