"""Traced functions under tapes: one entry, whose derivatives are those of closed forms and of the function untraced."""

import gc
import importlib.util
import threading
import warnings
import weakref

import numpy as np
import pytest

import wengert as tf
import wengert.modes.function
from wengert.errors import NoGradientError, NoGradientWarning
from wengert.execute.program import EXECUTORS
from wengert.ground.options import options
from wengert.ops.control import CALL

POINTS = np.random.default_rng(5).normal(size=(7, 1))


@pytest.fixture(params=list(EXECUTORS))
def executor(request):
    """Every executor in turn."""
    if request.param in ("xla", "auto") and importlib.util.find_spec("jax") is None:
        pytest.skip("needs jax: pip install 'wengert[xla]'")
    with options.set(executor=request.param):
        yield request.param


@pytest.fixture
def replays(monkeypatch):
    """The lists that are replayed step by step."""
    found = []

    def counted(program, values):
        found.append(program)
        return replay(program, values)

    replay = wengert.modes.function.replay
    monkeypatch.setattr(wengert.modes.function, "replay", counted)
    return found


def numbers(found):
    return None if found is None else tf.convert_to_tensor(found).numpy()


def agree(a, b, tolerance=1e-10):
    """Compare derivatives, None with None."""
    for one, other in zip(tf.nest.flatten(a), tf.nest.flatten(b), strict=True):
        if one is None or other is None:
            assert one is None
            assert other is None
        else:
            np.testing.assert_allclose(numbers(one), numbers(other), rtol=tolerance, atol=tolerance)


def nested(f, order, x):
    """The values of f and its derivatives by x up to an order, each on a tape of its own."""
    tapes = [tf.GradientTape() for _ in range(order)]
    for tape in tapes:
        tape.__enter__()
        tape.watch(x)
    found = [f(x)]
    for tape in reversed(tapes):
        tape.__exit__(None, None, None)
        found.append(tape.gradient(found[-1], x))
    return found


# --- the plain case ----------------------------------------------------------------------------------------------------------


def test_a_call_is_one_entry_and_nothing_is_replayed(executor, replays):
    w, b = tf.Variable(np.array([[2.0], [-1.0]])), tf.Variable(0.5, dtype=tf.float64)
    data = np.random.default_rng(1).normal(size=(5, 2))

    @tf.function
    def loss():
        return tf.reduce_sum(tf.square(tf.tanh(tf.matmul(data, w) + b)))

    for _ in range(3):
        with tf.GradientTape() as tape:
            value = loss()
        assert [e[0] for e in tape.entries].count(CALL) == 1
        assert len(tape.entries) == 3  # and the two variables that were read
        y = np.tanh(data @ w.numpy() + b.numpy())
        slope = 2 * y * (1 - y * y)
        np.testing.assert_allclose(value, (y * y).sum(), rtol=1e-12)
        by_w, by_b = tape.gradient(value, [w, b])
        np.testing.assert_allclose(by_w, data.T @ slope, rtol=1e-12)
        np.testing.assert_allclose(by_b, slope.sum(), rtol=1e-12)
        w.assign_sub(0.1 * by_w)
        b.assign_sub(0.1 * by_b)
    assert not replays


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_nested_tapes_around_it(executor, replays, order):
    x = tf.constant(POINTS)
    found = nested(tf.function(lambda x: tf.sin(2.0 * x) * tf.exp(-x)), order, x)
    # sin(2x) exp(-x) is the imaginary part of exp((2i - 1) x)
    for k, one in enumerate(found):
        np.testing.assert_allclose(one, np.imag((2j - 1) ** k * np.exp((2j - 1) * POINTS)), rtol=1e-9, atol=1e-9)
    assert not replays


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_nested_tapes_around_a_network_by_variables_and_arguments(replays, order):
    rng = np.random.default_rng(order)
    ws = [tf.Variable(rng.normal(size=s)) for s in ((1, 4), (4, 4), (4, 1))]

    def u(x):
        return tf.matmul(tf.tanh(tf.matmul(tf.tanh(tf.matmul(x, ws[0])), ws[1])), ws[2])

    def by_weights(f):
        x = tf.constant(POINTS)
        with tf.GradientTape() as last:
            last.watch(x)
            found = nested(f, order, x)
            loss = tf.reduce_sum(tf.square(found[-1]) + found[0] * found[-1])
        return found, last.gradient(loss, [*ws, x])

    agree(by_weights(tf.function(u)), by_weights(u), 1e-8)
    assert not replays


def test_tapes_within_and_around(executor, replays):
    v = tf.Variable(1.5, dtype=tf.float64)

    def residual(x):
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                u = tf.sin(v * x)
            u_x = first.gradient(u, x)
        return tf.reduce_mean(tf.square(second.gradient(u_x, x) + u * u_x))

    def grads(f):
        x = tf.constant(POINTS)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = f(x)
            by = tape.gradient(loss, [v, x])
            total = by[0] + tf.reduce_sum(by[1])
        return loss, by, outer.gradient(total, v)

    agree(grads(tf.function(residual)), grads(residual), 1e-9)
    assert not replays


# --- what is asked of a tape ---------------------------------------------------------------------------------------------------


def both(f, *arguments, ask):
    """What is asked of a persistent tape that watched the arguments, of a function traced and not."""
    found = []
    for one in (tf.function(f), f):
        for _ in range(3):  # the first call, and those of which more is known
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(arguments)
                result = one(*arguments)
            answer = ask(tape, result, *arguments)
        found.append((result, answer))
    return found


def test_a_persistent_tape_is_asked_several_times(replays):
    x = tf.constant([0.5, -2.0], tf.float64)
    a, b = both(
        lambda x: (tf.reduce_sum(tf.exp(x)), tf.reduce_prod(x)), x,
        ask=lambda tape, y, x: [tape.gradient(y[0], x), tape.gradient(y[1], x), tape.gradient(y, x), tape.gradient(y[0], x)],
    )  # fmt: skip
    agree(a, b)
    np.testing.assert_allclose(a[1][2], np.exp(x.numpy()) + x.numpy()[::-1])
    assert not replays


def test_output_gradients_and_weights_of_the_loss(replays):
    x = tf.constant([0.5, -2.0], tf.float64)
    weights = iter([1.0, 1.0, 3.0, 1.0, 1.0, 3.0])  # what was foreseen does not come

    def ask(tape, y, x):
        return tape.gradient(y, x, output_gradients=tf.constant(next(weights), tf.float64))

    agree(*both(lambda x: tf.reduce_sum(tf.exp(x)), x, ask=ask))
    assert not replays


@pytest.mark.parametrize("weight", [0.0, 2.5, np.nan, np.inf])
def test_a_loss_that_is_weighted_after_the_call(weight):
    v = tf.Variable([0.5, -2.0], dtype=tf.float64)
    loss = tf.function(lambda: tf.reduce_sum(tf.exp(v)))
    for _ in range(3):
        with tf.GradientTape() as tape:
            y = weight * loss()
        np.testing.assert_allclose(tape.gradient(y, v), weight * np.exp(v.numpy()))


def test_jacobians(replays):
    x = tf.constant(POINTS.reshape(7, 1) * [1.0, 2.0])
    f = lambda x: tf.stack([tf.sin(x[:, 0]) * x[:, 1], tf.exp(x[:, 1])], 1)  # noqa: E731
    a, b = both(f, x, ask=lambda tape, y, x: [tape.jacobian(y, x), tape.batch_jacobian(y, x)])
    agree(a, b)
    assert not replays


def test_unconnected_sources(replays):
    x, z = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
    ask = lambda tape, y, x, z: tape.gradient(y, [x, z], unconnected_gradients="zero")  # noqa: E731
    a, b = both(lambda x, z: (x * x, tf.stop_gradient(z)), x, z, ask=ask)
    agree(a, b)
    np.testing.assert_array_equal(a[1][1], [0.0, 0.0])
    assert not replays


def test_a_function_of_functions_and_of_structures(replays):
    inner = tf.function(lambda d: {"a": tf.sin(d["p"]) * d["q"], "b": None, "c": (d["p"], tf.shape(d["q"]))})

    def f(p, q):
        found = inner({"p": p, "q": q})
        return inner({"p": found["a"], "q": found["c"][0]})

    x, y = tf.constant(POINTS), tf.constant(POINTS**2)
    a, b = both(f, x, y, ask=lambda tape, r, x, y: tape.gradient(r["a"], [x, y]))
    agree(a, b)
    assert a[0]["b"] is None
    assert not replays


def test_one_tensor_as_two_arguments(replays):
    def ask(tape, y, *xs):
        return tape.gradient(y, xs[0])

    x = tf.constant(POINTS)
    agree(*both(lambda p, q: tf.sin(p) * q * q, x, x, ask=ask))
    assert not replays


def test_a_loop_and_a_branch(replays):
    v = tf.Variable(0.5, dtype=tf.float64)

    def f(x):
        total = x
        for _ in tf.range(3):
            total = tf.sin(total) * v + x
        if tf.reduce_sum(total) > 0.0:
            total = total * v
        return total

    def by_hand(x):
        total = x
        for _ in range(3):
            total = tf.sin(total) * v + x
        return total * v if float(tf.reduce_sum(total)) > 0.0 else total

    def grads(one):
        x = tf.constant(np.abs(POINTS))
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = one(x)
            g = tape.gradient(y, [x, v])
        return y, g, outer.gradient(g[0], [x, v])

    agree(grads(tf.function(f)), grads(by_hand), 1e-9)
    assert not replays


def test_sizes_that_are_left_open(replays):
    f = tf.function(lambda x: tf.reduce_mean(tf.square(x)), input_signature=[tf.TensorSpec([None, 1], tf.float64)])
    for n in (1, 4, 2):
        x = tf.constant(POINTS[:n])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        np.testing.assert_allclose(tape.gradient(y, x), 2 * POINTS[:n] / n)
    assert not replays


def test_a_custom_gradient(replays):
    @tf.custom_gradient
    def halved(x):
        return tf.exp(x), lambda g: 0.5 * g * tf.exp(x)

    x = tf.constant(POINTS)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.function(halved)(x)
        g = tape.gradient(y, x)
    np.testing.assert_allclose(g, 0.5 * np.exp(POINTS))
    np.testing.assert_allclose(outer.gradient(g, x), 0.5 * np.exp(POINTS))
    assert not replays


def test_methods_and_their_variables(replays):
    class Model(tf.Module):
        def __init__(self, start):
            self.v = tf.Variable(start)

        @tf.function
        def __call__(self, x):
            return self.v * x

    for model in (Model(2.0), Model(3.0)):
        with tf.GradientTape() as tape:
            y = model(tf.constant(5.0)) * model.v
        assert float(tape.gradient(y, model.v)) == 10.0 * float(model.v)
        assert [v is model.v for v in tape.watched_variables()] == [True]
    assert not replays


# --- results that depend on each other, and results that are arguments ---------------------------------------------------------


def test_a_result_as_a_source(replays):
    v = tf.Variable(0.7, dtype=tf.float64)

    def f(x):
        u = tf.sin(v * x)
        parts = tf.reduce_sum(u * u), tf.reduce_sum(tf.exp(u))
        return parts[0] + parts[1], parts, u

    def grads(one):
        x = tf.constant(POINTS)
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(x)
                total, parts, u = one(x)
                later = total * parts[1]
            found = [tape.gradient(later, [u, parts[0], parts[1], total, x, v]), tape.gradient(total, [v, x])]
        return found, outer.gradient(found[1][1], [v, x]), outer.gradient(total, [u, parts[0]])

    agree(grads(tf.function(f)), grads(f), 1e-9)
    assert not replays


def test_a_result_that_another_tape_watches(replays):
    def grads(f):
        x = tf.constant(POINTS)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as tape:
                tape.watch(x)
                p, y = f(x)
                outer.watch(p)
            g = tape.gradient(y, x)
        return g, outer.gradient(g, p)

    def f(x):
        p = x * x
        return p, p * p * p

    agree(grads(tf.function(f)), grads(f))
    assert not replays


def test_an_argument_that_is_handed_back_is_itself(replays):
    v = tf.Variable(3.0)
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        same, read, y = tf.function(lambda x: (x, v.read_value(), x * v))(x)
    assert same is x
    assert float(tape.gradient(y, same)) == 3.0
    assert float(tape.gradient(y, read)) == 2.0
    assert not replays


def test_what_does_not_depend_on_what_is_watched_is_not_recorded():
    x, z = tf.constant([1.0, 2.0]), tf.constant([[4.0, 1.0], [1.0, 3.0]])

    def f(x, z):
        return x * x, z + 1.0

    for one in (f, tf.function(f)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            a, b = one(x, z)
        assert a.n in tape.live
        assert b.n not in tape.live


# --- None, and why ---------------------------------------------------------------------------------------------------------


def _floor(x):
    return tf.reduce_sum(tf.floor(x) * 2.0)


def _stopped(x):
    return tf.reduce_sum(tf.stop_gradient(x) * 2.0)


def _whole(x):
    return tf.cast(tf.cast(x, tf.int32), tf.float32)


def _slope(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 3.0 * x
    return tape.gradient(y, x)


@tf.custom_gradient
def _without(x):
    return x * x, lambda g: None


@pytest.mark.parametrize("f", [_floor, _stopped, _whole, _slope, lambda x: _without(x)])
def test_the_reason_for_none_is_that_of_the_steps_within(f):
    said = []
    for one in (f, tf.function(f)):
        x = tf.constant([0.5, 1.5])
        one(x)  # traced before the tape records
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = 2.0 * one(x)
        with pytest.warns(NoGradientWarning) as caught:
            assert tape.gradient(y, x) is None
        said.append(str(caught[0].message).replace("_without at", "IdentityN at"))
        assert tf.why(y, x)
    assert said[0] == said[1]


@pytest.mark.parametrize("late", [False, True])
def test_the_reason_where_the_source_was_not_watched(late):
    said = []
    for one in (lambda x: x * x, tf.function(lambda x: x * x)):
        x = tf.constant(2.0)
        with tf.GradientTape() as tape:
            y = one(x)
            if late:
                tape.watch(x)
        with pytest.warns(NoGradientWarning) as caught:
            assert tape.gradient(y, x) is None
        said.append(str(caught[0].message))
    assert said[0] == said[1]


def test_second_derivatives_that_are_none(replays):
    x = tf.constant(POINTS)
    for f in (lambda x: 3.0 * x, tf.function(lambda x: 3.0 * x)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoGradientWarning)
            found = nested(f, 2, x)
        np.testing.assert_array_equal(found[1], np.full_like(POINTS, 3.0))
        assert found[2] is None
    assert not replays


# --- the values of the call ------------------------------------------------------------------------------------------------


def test_the_derivative_is_that_of_the_values_at_the_call(replays):
    v = tf.Variable([1.0, 2.0], dtype=tf.float64)
    f = tf.function(lambda: v * v * v)
    with tf.GradientTape(persistent=True) as tape:
        first = f()
        v.assign([5.0, 6.0])
        second = f()
    np.testing.assert_allclose(tape.gradient(second, v), [75.0, 108.0])
    v.assign([0.0, 0.0])
    np.testing.assert_allclose(tape.gradient(first, v), [3.0, 12.0])
    assert not replays


# --- what is replayed ------------------------------------------------------------------------------------------------------


def test_assignments_happen_once_and_in_order(replays):
    v, count = tf.Variable(2.0), tf.Variable(0.0, trainable=False)

    @tf.function
    def f(x):
        before = v * x
        count.assign_add(1.0)
        v.assign(10.0)
        return before + v * x

    with tf.GradientTape() as tape:
        y = f(tf.constant(3.0))
    assert float(y) == 36.0
    assert float(tape.gradient(y, v)) == 6.0
    assert float(count) == 1.0
    assert len(replays) == 1


def test_draws_are_those_of_the_call(replays):
    f = tf.function(lambda x: x * tf.random.normal([4]))
    x = tf.constant(np.ones(4, np.float32))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_array_equal(tape.gradient(y, x), y)
    assert len(replays) == 1


def test_rows_of_a_gather(replays):
    table = tf.Variable(np.arange(6.0).reshape(3, 2))
    f = tf.function(lambda: tf.reduce_sum(tf.square(tf.gather(table, [2, 0, 2]))))
    with tf.GradientTape() as tape:
        y = f()
    found = tape.gradient(y, table)
    assert isinstance(found, tf.IndexedSlices)
    np.testing.assert_array_equal(numbers(found), [[0.0, 2.0], [0.0, 0.0], [16.0, 20.0]])
    assert len(replays) == 1


def test_what_calls_python_and_checks_values(replays):
    called = []

    def host(x):
        called.append(1)
        return 2.0 * x

    @tf.function
    def f(x):
        tf.debugging.assert_positive(x)
        return x * tf.py_function(host, [x], tf.float32)

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert float(tape.gradient(y, x)) == 12.0
    assert len(called) == 1
    assert len(replays) == 1


def test_forward_accumulators_and_recordings_see_each_step(replays):
    f = tf.function(lambda x: tf.sin(x) * x)
    x = tf.constant(POINTS)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = f(x)
    slope = np.cos(POINTS) * POINTS + np.sin(POINTS)
    np.testing.assert_allclose(accumulator.jvp(y), slope)
    with tf.recording():
        z = tf.identity(x)
        np.testing.assert_allclose(tf.gradients(f(z), z)[0], slope)
    assert len(replays) == 2


def test_a_derivative_that_is_not_stated_is_an_error_for_who_asks(replays):
    def f(x):
        return tf.unique(x)[0], x * x

    x = tf.constant([1.5, 2.5])
    for one in (f, tf.function(f)):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            a, b = one(x)
        np.testing.assert_array_equal(tape.gradient(b, x), [3.0, 5.0])
        with pytest.raises(NoGradientError):
            tape.gradient(a, x)


# --- what is kept, and threads ---------------------------------------------------------------------------------------------


def test_nothing_is_kept_longer_than_the_tape_needs_it():
    def made():
        f = tf.function(lambda x: tf.reduce_sum(x * x))
        x = tf.constant(POINTS)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        gone = weakref.ref(f.get_concrete_function(x).called.body)
        assert tape.gradient(y, x) is not None
        return gone, y

    gone, y = made()
    gc.collect()
    assert y.shape == ()
    assert gone() is None


def test_a_derivative_that_was_foreseen_is_not_kept_for_the_next_call():
    v = tf.Variable(POINTS)
    f = tf.function(lambda: tf.reduce_sum(v * v))
    for _ in range(3):
        with tf.GradientTape():
            f()
        v.assign(v + 1.0)
        with tf.GradientTape() as tape:
            y = f()
        np.testing.assert_allclose(tape.gradient(y, v), 2 * v.numpy())


def test_threads(replays):
    f = tf.function(lambda x, v: tf.reduce_sum(tf.sin(v * x)))
    wrong = []

    def work(k):
        v = tf.Variable(1.0 + k, dtype=tf.float64)
        for i in range(20):
            x = tf.constant(POINTS + i)
            with tf.GradientTape() as tape:
                y = f(x, v)
            expected = (np.cos(v.numpy() * x.numpy()) * x.numpy()).sum()
            if not np.isclose(tape.gradient(y, v), expected):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert not wrong
    assert not replays


def test_an_error_is_at_the_line_of_the_user(replays):
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
    def f(x):
        return tf.linalg.inv(x)

    x = tf.zeros([2, 2])
    with tf.GradientTape() as tape, pytest.raises(tf.errors.InvalidArgumentError, match=r"test_traced_under_tape\.py"):
        tape.watch(x)
        f(x)
    assert not replays


def test_explain_tells_of_the_derivative_and_names_what_it_is_by(monkeypatch):
    """By tapes within the function, and by the one around it."""
    monkeypatch.setattr("wengert.execute.program.looked_at", found := [])
    weight = tf.Variable(np.ones((1, 5)), name="weight")
    data = tf.constant(POINTS)

    @tf.function
    def loss(points):
        with tf.GradientTape() as tape:
            tape.watch(points)
            u = tf.tanh(tf.matmul(points, weight))
        return tf.reduce_mean(tf.square(tape.gradient(u, points)))

    with tf.GradientTape() as tape:
        y = loss(data)
    assert tape.gradient(y, weight) is not None
    assert len(found) == 1  # values and derivative in one program
    assert [t.node.name for t in found[0].request.feeds[:2]] == ["points", "weight"]
    assert len(found[0].request.fetches) == 2


# --- variables in bodies -------------------------------------------------------------------------------------------------


def _branch(x, v):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x * v, lambda: tf.sin(x))


def _turns(x, v):
    return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, x * v), (0, x))[1]


NESTED = {
    "a branch": (_branch, 1),
    "a loop": (_turns, 3),
    "a loop in a branch": (lambda x, v: tf.cond(tf.reduce_sum(x) > 0, lambda: _turns(x, v), lambda: tf.sin(x)), 3),
    "a branch in a loop": (lambda x, v: tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, _branch(x, v)), (0, x))[1], 3),
    "a branch in a branch": (lambda x, v: tf.cond(tf.reduce_sum(x) > 0, lambda: _branch(x, v), lambda: tf.sin(x)), 1),
}


def _within(f):
    inner = tf.function(f)
    return tf.function(lambda x: inner(x))


WAYS = {
    "eagerly": lambda f: f,
    "as a function": tf.function,
    "as a function of a signature": tf.function(input_signature=[tf.TensorSpec([None], "float64")]),
    "as a function in a function": _within,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("drawing", [False, True], ids=["plain", "drawing"])
@pytest.mark.parametrize("body", NESTED)
def test_a_variable_that_bodies_read_is_what_the_derivative_is_taken_by(body, drawing, way):
    # y = x v^n, and z = y^2: asked for together with what z is computed from, and where a draw has the steps seen one by one.
    turns, n = NESTED[body]
    v = tf.Variable(2.0, dtype="float64")

    def f(x):
        y = turns(x, v)
        return y, y * y, tf.random.normal([2]) if drawing else y + 1

    x = tf.constant([1.0, 2.0], "float64")
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y, z, _ = WAYS[way](f)(x)
        by_x, by_v = tape.gradient(z, [x, v])
        _, again = tape.gradient(z, [y, v])
    squares = 5.0
    np.testing.assert_allclose(by_x, 2 * x * 4.0**n)
    np.testing.assert_allclose(by_v, squares * 2 * n * 2.0 ** (2 * n - 1))
    np.testing.assert_allclose(again, by_v)
    np.testing.assert_allclose(tape.gradient(y, v), 3 * n * 2.0 ** (n - 1))
    np.testing.assert_allclose(outer.gradient(by_v, v), squares * 2 * n * (2 * n - 1) * 2.0 ** (2 * n - 2))
    np.testing.assert_allclose(outer.gradient(by_v, x), 2 * x * 2 * n * 2.0 ** (2 * n - 1))


def test_a_variable_in_a_loop_in_a_branch_before_an_inner_tape():
    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.v, self.c = tf.Variable(2.0), tf.constant([5.0])

        @tf.function(input_signature=[tf.TensorSpec([None], "float32")])
        def slope(self, x):
            if tf.reduce_sum(x) > 0:
                for _ in tf.range(3):
                    x = x * self.v + self.c
            else:
                x = tf.sin(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(x**4)
            return tape.gradient(y, x), x[::2, None], tf.random.normal([2], seed=3)

    model, x = Model(), tf.constant([1.0, 2.0])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(model.slope(x)[0])
        by_x, by_v = tape.gradient(y, [x, model.v])
        total = tf.reduce_sum(by_x) + by_v
    np.testing.assert_allclose(by_x, [177504.0, 249696.0])  # TensorFlow's numbers
    np.testing.assert_allclose(by_v, 2350344.0)
    np.testing.assert_allclose(outer.gradient(total, x), [637776.0, 932688.0])
