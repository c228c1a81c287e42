"""Assertions: what passes, what raises at once, what raises when a graph runs."""

import numpy as np
import pytest

import wengert as tf
from wengert import errors
from wengert.execute.numpy import NumPyProgram
from wengert.functions import debugging as D
from wengert.graph.node import Node
from wengert.ops.linear import PLACEHOLDER
from wengert.tensor.tensor import Graph, apply

a = np.array([1.0, 2.0], np.float32)
# (function, arguments that pass, arguments that fail)
TABLE = [
    (D.assert_equal, (a, [1.0, 2.0]), (a, 1.0)),
    (D.assert_none_equal, (a, 3.0), (a, 1.0)),
    (D.assert_less, (a, 3.0), (a, 2.0)),
    (D.assert_less_equal, (a, 2.0), (a, 1.0)),
    (D.assert_greater, (a, 0.5), (a, 1.0)),
    (D.assert_greater_equal, (a, 1.0), (a, 1.5)),
    (D.assert_near, (a, a + 1e-7), (a, a + 1e-3)),
    (D.assert_near, (a, a + 1e-3, 0.0, 0.01), (a, a + 1e-3, 0.0, 1e-4)),
    (D.assert_near, ([1, 2], [1, 2]), ([1, 2], [1, 3])),
    (D.assert_positive, (a,), (a - 1,)),
    (D.assert_negative, (-a,), (a,)),
    (D.assert_non_negative, (a - 1,), (-a,)),
    (D.assert_non_positive, (1 - a,), (a,)),
    (D.Assert, ([True, True], ["data"]), ([True, False], ["data", a])),
    (D.Assert, (1, ["data"]), (0, "data")),
]
IDS = [f"{row[0].__name__} {i}" for i, row in enumerate(TABLE)]


@pytest.mark.parametrize(("f", "good", "bad"), TABLE, ids=IDS)
def test_eagerly(f, good, bad):
    assert f(*good) is None
    with pytest.raises(errors.InvalidArgumentError):
        f(*bad)


@pytest.mark.parametrize(("f", "good", "bad"), TABLE, ids=IDS)
def test_in_a_graph_constants_are_checked_at_once(f, good, bad):
    with Graph().as_default() as graph:
        node = f(*good)
        assert isinstance(node, Node) and node.graph is graph and node.type == "Assert"
        with pytest.raises(errors.InvalidArgumentError):
            f(*bad)


@pytest.mark.parametrize(("f", "good", "bad"), TABLE, ids=IDS)
def test_in_a_run(f, good, bad):
    first, rest = np.asarray(good[0]), good[1:]
    graph = Graph()
    with graph.as_default():
        x = apply(PLACEHOLDER, (), {"dtype": tf.constant(good[0]).nptype if first.dtype != bool else first.dtype, "shape": None})
        node = f(x, *rest)
        with graph.control_dependencies([node]):
            y = tf.identity(x)
    run = NumPyProgram(graph, [y], [x], [node])
    run(first.astype(x.nptype))
    if f is D.Assert:
        failing = np.zeros_like(first)
    elif f in (D.assert_greater, D.assert_greater_equal, D.assert_positive, D.assert_non_negative):
        failing = -10 * np.abs(first)
    else:
        failing = np.full_like(first, 3) if f is D.assert_none_equal else np.abs(first) + 10
    with pytest.raises(errors.InvalidArgumentError, match=r"assertion failed|did not hold"):
        run(failing.astype(x.nptype))


def test_messages():
    with pytest.raises(errors.InvalidArgumentError) as caught:
        D.assert_less([1, 5, 7], 5, message="too big")
    assert "too big" in str(caught.value) and "x < y" in str(caught.value) and "[[1], [2]]" in str(caught.value)
    with pytest.raises(errors.InvalidArgumentError, match="no"):
        D.Assert(False, ["no", tf.constant([1, 2, 3, 4])])
    with pytest.raises(errors.InvalidArgumentError, match=r"1 2 3 4"):
        D.Assert(False, [tf.constant([1, 2, 3, 4])], summarize=-1)


def test_types():
    D.assert_type(a, tf.float32)
    D.assert_integer([1])
    for f in (lambda: D.assert_type(a, tf.int32), lambda: D.assert_integer(a)):
        with pytest.raises(TypeError):
            f()
    assert D.assert_same_float_dtype([a, a]) is tf.float32 and D.assert_same_float_dtype([a], tf.float32) is tf.float32
    assert D.assert_same_float_dtype() is tf.float32
    for f in (
        lambda: D.assert_same_float_dtype([a, tf.constant(1.0, tf.float64)]),
        lambda: D.assert_same_float_dtype([a], tf.float64),
        lambda: D.assert_same_float_dtype([1]),
    ):
        with pytest.raises(ValueError):
            f()
    assert D.is_numeric_tensor(tf.constant(1)) and not D.is_numeric_tensor(tf.constant("a")) and not D.is_numeric_tensor(a)
    D.assert_proper_iterable([a])
    for wrong in (tf.constant(a), a, "abc", 1):
        with pytest.raises(TypeError):
            D.assert_proper_iterable(wrong)


def test_ranks():
    assert D.assert_rank(a, 1) is None and D.assert_rank_at_least(a, 0) is None and D.assert_rank_in(a, [0, 1]) is None
    assert D.assert_scalar(2.0).numpy() == 2
    for f in (
        lambda: D.assert_rank(a, 2, "here"),
        lambda: D.assert_rank_at_least(a, 2),
        lambda: D.assert_rank_in(a, (0, 2)),
        lambda: D.assert_scalar(a),
    ):
        with pytest.raises(ValueError):
            f()


@pytest.mark.parametrize(
    ("f", "wrong"),
    [(lambda x: D.assert_rank(x, 1), 2), (lambda x: D.assert_rank_at_least(x, 1), 0), (lambda x: D.assert_rank_in(x, [1, 3]), 2)],
)
def test_ranks_in_a_run(f, wrong):
    graph = Graph()
    with graph.as_default():
        x = apply(PLACEHOLDER, (), {"dtype": np.dtype("f4"), "shape": None})
        node = f(x)
    run = NumPyProgram(graph, [], [x], [node])
    run(np.zeros(1, np.float32))
    with pytest.raises(errors.InvalidArgumentError, match="must have rank"):
        run(np.zeros((1,) * wrong, np.float32))


def test_shapes():
    ones = tf.ones([2, 3])
    D.assert_shapes(
        [(ones, ("N", "M")), (tf.ones([2]), ("N",)), (tf.ones([3, 7]), ("M", None)), (ones, ("...", 3)), (ones, "NM")]
    )
    D.assert_shapes({ones.ref(): ("N", 3)})
    D.assert_shapes([(tf.ones([4, 2, 3]), (Ellipsis, "N", "M")), (ones, ["N", "M"]), (1.0, ())])
    for wanted in (
        [(ones, ("N", "N"))],
        [(ones, (2, 2))],
        [(ones, ("N",))],
        [(ones, ("...", 1, 2, 3))],
        [(ones, ("N", 3)), (a, ("N",)), (tf.ones([9]), ("N",))],
    ):
        with pytest.raises(ValueError):
            D.assert_shapes(wanted)
    with Graph().as_default():
        D.assert_shapes([(apply(PLACEHOLDER, (), {"dtype": np.dtype("f4"), "shape": (None, 3)}), ("N", 3)), (a, ("N",))])


def test_numerics():
    x = tf.constant(a)
    assert D.check_numerics(x, "bad") is x and D.assert_all_finite(x, "bad") is x
    with pytest.raises(errors.InvalidArgumentError, match="bad : Tensor had Inf and NaN values"):
        D.check_numerics([np.inf, np.nan], "bad")
    with pytest.raises(TypeError):
        D.check_numerics([1], "bad")


def test_numerics_in_a_function():
    @tf.function
    def f(x):
        return tf.debugging.check_numerics(1.0 / x, "divided") + 1.0

    assert f(tf.constant(2.0)).numpy() == 1.5
    with pytest.raises(errors.InvalidArgumentError, match="divided"):
        f(tf.constant(0.0))


def test_an_assertion_in_a_function_runs_though_nobody_asks_for_it():
    @tf.function
    def f(x):
        tf.debugging.assert_less(x, 10.0, message="too big")
        return x + 1.0

    assert f(tf.constant(1.0)).numpy() == 2
    with pytest.raises(errors.InvalidArgumentError, match="too big"):
        f(tf.constant(20.0))


def test_check_numerics_has_a_derivative():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.debugging.check_numerics(x * x, "bad")
    assert tape.gradient(y, x).numpy() == 6


def test_switches():
    D.enable_check_numerics()
    D.disable_check_numerics()
    D.set_log_device_placement(True)
    assert D.get_log_device_placement() is True
    D.set_log_device_placement(False)
    assert D.get_log_device_placement() is False
    D.disable_traceback_filtering()
    assert not D.is_traceback_filtering_enabled()
    D.enable_traceback_filtering()
    assert D.is_traceback_filtering_enabled()


# --- the check of every operation -------------------------------------------------------------------------------------


@pytest.fixture
def looked_at():
    tf.debugging.enable_check_numerics()
    tf.debugging.enable_check_numerics()
    yield
    tf.debugging.disable_check_numerics()


def slope_of_root(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sqrt(x)
    return tape.gradient(y, x, output_gradients=tf.ones_like(x))


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "function"])
def test_every_operation_is_looked_at(looked_at, traced):
    def value(x):
        return 2.0 * tf.math.log(x)

    def loop(x):
        return tf.while_loop(lambda k, x: k < 3, lambda k, x: (k + 1, x * 1e30), (0, x))[1]

    for f, name, bad in ((value, "Log", 0.0), (slope_of_root, "RealDiv", 0.0), (loop, "Mul", 1.0)):
        ask = tf.function(f) if traced else f
        with pytest.raises(tf.errors.InvalidArgumentError, match="Detected Infinity or NaN in output 0") as caught:
            ask(tf.constant(bad))
        assert f'op "{name}"' in str(caught.value)
        assert __file__ in str(caught.value)
    assert float((tf.function(value) if traced else value)(tf.constant(1.0))) == 0.0


def test_graphs_are_looked_at(looked_at):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [2])
        y = tf.math.log(x)
        g = tf.gradients(tf.sqrt(x), x)[0]
        assert np.isfinite(session.run([y, g], {x: [1.0, 2.0]})).all()
        for fetch in (y, g):
            with pytest.raises(tf.errors.InvalidArgumentError, match="Detected Infinity or NaN") as caught:
                session.run(fetch, {x: [0.0, 1.0]})
            assert __file__ in str(caught.value)
            assert "# of" in str(caught.value)


def test_what_is_handed_on_is_not_blamed(looked_at):
    mask = tf.constant([-np.inf, 0.0])
    assert tf.reshape(tf.stack([mask, mask]), [4]).shape == [4]
    assert tf.where([True, False], mask, tf.zeros(2)).shape == [2]


def test_the_check_ends():
    tf.debugging.enable_check_numerics()
    tf.debugging.disable_check_numerics()
    assert np.isneginf(tf.math.log(0.0).numpy())
    assert np.isneginf(tf.function(tf.math.log)(tf.constant(0.0)).numpy())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        assert np.isneginf(session.run(tf.math.log(tf.constant(0.0))))
