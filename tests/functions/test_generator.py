"""Generators are their state: eager code, functions, loops and graphs go on from each other; and what `set_seed` begins anew.

The states are those that TensorFlow 2.21 has after the same calls; equalities between draws are those that it shows.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

import wengert as tf
from wengert import config

Generator = tf.random.Generator
v1 = tf.compat.v1


@pytest.fixture(params=["numpy", "xla", "auto"])
def executor(request):
    if request.param != "numpy":
        pytest.importorskip("jax")
    before = config.get_executor()
    config.set_executor(request.param)
    yield request.param
    config.set_executor(before)


@pytest.fixture(autouse=True)
def no_seed():
    yield
    tf.random.set_seed(None)


def eager(count=5, seed=3):
    g = Generator.from_seed(seed)
    return [g.normal([2]).numpy().tolist() for _ in range(count)]


def test_states():
    g = Generator.from_seed(1)
    seen = [g.state.numpy().tolist()]
    for move in (lambda: g.normal([]), lambda: g.normal([3]), lambda: g.uniform([2, 2]), lambda: g.truncated_normal([2]),
                 lambda: g.uniform([2], maxval=5, dtype=tf.int32), lambda: g.normal([0]), lambda: g.skip(3),
                 lambda: g.split(2), lambda: g.make_seeds(2)):  # fmt: skip
        move()
        seen.append(g.state.numpy().tolist())
    assert [s[0] for s in seen] == [1, 257, 1025, 2049, 2561, 3073, 3073, 3841, 4353, 4865]
    assert all(s[1:] == [0, 0] for s in seen)
    assert Generator.from_seed([1, 2]).state.numpy().tolist() == [0, 1, 2]
    assert Generator.from_seed(2**64 - 1).state.numpy().tolist() == [-1, 0, 0]
    assert Generator.from_key_counter(5, [7, 8]).state.numpy().tolist() == [7, 8, 5]
    g.reset([4, 5, 6])
    assert g.state.numpy().tolist() == [4, 5, 6] and int(g.key) == 6
    g.reset_from_key_counter(9, [1, 2])
    assert g.state.numpy().tolist() == [1, 2, 9]
    assert g.state.dtype == tf.int64 and not g.state.trainable and g.algorithm == 1


def test_the_counter_has_two_words():
    g = Generator.from_state([-256, 7, 1])  # 2^64 - 256
    g.skip(1)
    assert g.state.numpy().tolist() == [0, 8, 1]


def test_copies_and_parts():
    g = Generator.from_seed(3)
    g.normal([2])
    for other in (Generator(copy_from=g), Generator.from_state(g.state), Generator(state=g.state.numpy())):
        assert other.normal([2]).numpy().tolist() == eager()[1]
    parts = g.split(2)
    drawn = {str(p.normal([2]).numpy().tolist()) for p in (*parts, g)}
    assert len(drawn) == 3
    assert parts[0].state.numpy().tolist()[:2] == [512, 0]
    assert g.make_seeds(3).numpy()[1].tolist() == [0, 0, 0]
    full = g.uniform_full_int([4000], tf.int16).numpy()
    assert scipy.stats.kstest(full / 2.0**15, scipy.stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert g.uniform_full_int([2]).dtype == tf.uint64
    with pytest.raises(ValueError, match="three whole numbers"):
        Generator.from_state([1, 2])
    with pytest.raises(ValueError, match="not both"):
        Generator(copy_from=g, state=[1, 2, 3])


def test_fresh_ones_differ_and_leave_numpy_alone():
    np.random.seed(1)
    before = np.random.get_state()[2]
    a, b = Generator.from_non_deterministic_state(), Generator()
    assert a.normal([2]).numpy().tolist() != b.normal([2]).numpy().tolist()
    assert np.random.get_state()[2] == before


def test_functions_and_eager_code_go_on_from_each_other(executor):
    g = Generator.from_seed(3)
    f = tf.function(lambda: g.normal([2]))
    drawn = [f(), g.normal([2]), f(), f.get_concrete_function()(), g.normal([2])]
    assert [d.numpy().tolist() for d in drawn] == eager()
    g.reset_from_seed(3)
    assert f().numpy().tolist() == eager()[0]
    g.state.assign([3, 0, 0])
    assert f().numpy().tolist() == eager()[0]


def test_loops_branches_and_what_is_not_used(executor):
    g = Generator.from_seed(3)

    @tf.function
    def loop():
        found = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            found = found.write(i, g.normal([2]))
        return found.stack()

    @tf.function
    def branch(p):
        return g.normal([2]) if p else -g.normal([2])

    @tf.function
    def unused(x):
        g.normal([2])
        return x

    @tf.function
    def anew(n):
        g.reset_from_seed(3)
        first = g.normal([n])
        g.skip(2)
        return first, g.normal([n]), g.normal([2])

    assert loop().numpy().tolist() == eager()[:3]
    assert branch(tf.constant(True)).numpy().tolist() == eager()[3]
    assert (-branch(tf.constant(False))).numpy().tolist() == eager()[4]
    unused(tf.constant(1.0))
    assert g.state.numpy().tolist() == [3 + 6 * 512, 0, 0]
    assert [t.numpy().tolist() for t in anew(tf.constant(2))] == [eager()[i] for i in (0, 2, 3)]


def test_sessions(executor):
    outside, wanted = Generator.from_seed(3), eager()
    outside.normal([2])
    with tf.Graph().as_default():
        g = Generator.from_seed(3)
        a, b, c = g.normal([2]), g.normal([2]), outside.normal([2])
        assert any(v is g.state for v in v1.global_variables())
        for _ in range(2):
            with v1.Session() as sess:
                with pytest.raises(tf.errors.FailedPreconditionError):
                    sess.run(a)
                sess.run(v1.global_variables_initializer())
                drawn = [sess.run(a), sess.run(b), *sess.run([a, b])]
                assert [d.tolist() for d in drawn] == wanted[:4]
        with v1.Session() as sess:
            assert [sess.run(c).tolist() for _ in range(2)] == wanted[1:3]
    assert outside.normal([2]).numpy().tolist() == wanted[3]


def test_the_derivative_is_of_the_draw():
    g, v = Generator.from_seed(3), tf.Variable(2.0)

    def f():
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(g.normal([2], stddev=v))
        return y, tape.gradient(y, v)

    for call in (f, tf.function(f)):
        g.reset_from_seed(3)
        y, d = call()
        np.testing.assert_allclose([y, d], [2 * np.sum(eager()[0]), np.sum(eager()[0])], rtol=1e-6)
        assert g.state.numpy()[0] == 3 + 512


def test_a_checkpoint_restores_it(tmp_path: Path):
    g = Generator.from_seed(3)
    g.normal([2])
    path = tf.train.Checkpoint(g=g).write(os.fspath(tmp_path / "g"))
    late = tf.train.Checkpoint()
    status = late.restore(path)
    late.g = Generator.from_seed(8)
    assert late.g.normal([2]).numpy().tolist() == eager()[1]
    status.expect_partial()


def test_drawing_is_no_step_of_training():
    from wengert.execute.variables import trains

    with tf.Graph().as_default():
        x = Generator.from_seed(3).normal([2])
        v = v1.get_variable("v", initializer=1.0)
        with v1.Session() as sess:
            sess.run(v1.global_variables_initializer())
            sess.run(x)
            sess.run(v.assign_add(1.0))
            told = [trains(p.request) for p in sess._programs.values()]
    assert told == [False, False, True]


# --- the global seed -----------------------------------------------------------------------------------------------------


def pattern(draws):
    """Return which draws are equal: the number of each among those that differ."""
    seen: dict[float, int] = {}
    return [seen.setdefault(float(x), len(seen)) for x in draws]


@pytest.mark.parametrize("seed", [None, 5])
def test_set_seed_begins_functions_anew(seed, executor):
    def make():
        return tf.function(lambda: tf.random.normal([], seed=seed))

    tf.random.set_seed(1)
    f = make()
    drawn = [f() for _ in range(3)]
    tf.random.set_seed(1)
    drawn += [f() for _ in range(3)]
    tf.random.set_seed(2)  # the function was traced under the other seed
    drawn += [f() for _ in range(2)]
    g = make()
    drawn += [g() for _ in range(2)]
    assert pattern(drawn) == [0, 1, 2, 0, 1, 2, 0, 1, 3, 4]


def test_one_seed_is_one_sequence_eagerly_and_in_functions():
    tf.random.set_seed(1)
    f, g = (tf.function(lambda: tf.random.normal([], seed=5)) for _ in range(2))
    assert pattern([f(), f(), g(), g(), f(), tf.random.normal([], seed=5)]) == [0, 1, 0, 1, 2, 0]


def test_each_kind_of_operation_has_its_sequence():
    tf.random.set_seed(4)
    first = [op([], seed=5) for op in (tf.random.normal, tf.random.uniform, tf.random.normal)]
    tf.random.set_seed(4)
    second = [op([], seed=5) for op in (tf.random.uniform, tf.random.normal, tf.random.normal)]
    assert pattern(first + second) == [0, 1, 2, 1, 0, 2]


def test_sessions_go_on_whatever_set_seed_says_elsewhere():
    with tf.Graph().as_default() as graph:
        x = tf.random.normal([], seed=5)
    with v1.Session(graph=graph) as sess:
        first = sess.run(x)
        tf.random.set_seed(1)
        assert pattern([first, sess.run(x)]) == [0, 1]
