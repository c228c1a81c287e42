"""The traces that a function keeps: what makes a call another one, a limit, a word where they become many, shapes left open."""

import collections
import gc
import logging
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

import wengert as tf
from wengert import config


@pytest.fixture
def limit():
    before = config.get_trace_limit()
    yield config.set_trace_limit
    config.set_trace_limit(before)


def _count(f):
    return f.experimental_get_tracing_count()


def _text(x, value):
    return tf.constant(f"{type(value).__name__} {value!r}")


DIFFERENT = [0, 0.0, -0.0, False, 0j, -0j, complex(0.0, -0.0), 1, 1.0, True, "1", b"1", None, float("inf"), (1,), [1], (1.0,)]


def test_values_of_other_types_and_signs_are_other_calls():
    f = tf.function(lambda x, value: _text(x, value))
    for _ in range(2):
        for value in DIFFERENT:
            assert f(tf.constant(1.0), value).numpy().decode() == f"{type(value).__name__} {value!r}"
    assert _count(f) == len(DIFFERENT)


@pytest.mark.parametrize("nan", [lambda: float("nan"), lambda: complex(float("nan"), 1.0)], ids=["float", "complex"])
def test_nan_is_one_value(nan):
    f = tf.function(lambda x, value: x * value)
    assert all(np.isnan(f(tf.constant(1.0, tf.complex128), nan()).numpy()) for _ in range(4))
    assert _count(f) == 1


def test_keys_and_classes_of_containers_are_part_of_a_call():
    Left, Right = (collections.namedtuple("Pair", fields) for fields in ("a b", "b a"))
    f = tf.function(lambda value: tf.constant(repr(value)))
    for value in (Left(1, 2), Right(1, 2), (1, 2), [1, 2], {1: 2}, {True: 2}, {1.0: 2}):
        assert f(value).numpy().decode() == repr(value)


@dataclass(frozen=True)
class Setting:
    factor: float


@dataclass
class Mutable:
    factor: float


class Thing:
    def __init__(self, factor=2.0):
        self.factor = factor


def test_values_are_compared_by_value_and_objects_by_identity():
    f = tf.function(lambda x, o: x * o.factor)
    x = tf.constant(3.0)
    assert [f(x, Setting(k)).numpy() for k in (2.0, 5.0, 2.0)] == [6.0, 15.0, 6.0]
    assert _count(f) == 2
    objects = [Thing(2.0), Thing(5.0), Mutable(2.0), Mutable(2.0)]
    assert [f(x, o).numpy() for o in objects * 2] == [6.0, 15.0, 6.0, 6.0] * 2
    assert _count(f) == 6


@pytest.mark.parametrize("make", [Thing, lambda: Mutable(2.0), lambda: lambda: None], ids=["object", "unhashable", "function"])
def test_a_trace_goes_with_the_object_that_it_is_for(make):
    f = tf.function(lambda x, o: x * 2.0)
    for _ in range(50):
        one = make()
        trace = f.get_concrete_function(tf.constant(1.0), one)
        assert f.get_concrete_function(tf.constant(1.0), one) is trace
        gone = weakref.ref(one)
        assert trace.structured_input_signature[0][1] is one
        del one
        assert gone() is None
        assert trace.structured_input_signature[0][1] is None
        with pytest.raises(TypeError, match="an object that is gone"):
            trace(tf.constant(1.0), make())
        assert len(f._traces) == 0


def test_sets_are_told_apart_though_nothing_refers_to_them():
    f = tf.function(lambda x, names: x * float(len(names)))
    assert [f(tf.constant(1.0), set(range(n))).numpy() for n in (1, 2, 3)] == [1.0, 2.0, 3.0]


class Equal:
    """All of them are equal."""

    def __init__(self, factor):
        self.factor = factor

    def __eq__(self, other):
        return isinstance(other, Equal)

    def __hash__(self):
        return 1

    @tf.function
    def times(self, x):
        return x * self.factor


class Unhashable(Equal):
    __hash__ = None
    made = 0

    def __eq__(self, other):
        return isinstance(other, Unhashable)

    @tf.function
    def times(self, x):
        type(self).made += 1
        return x * self.factor


@pytest.mark.parametrize("kind", [Equal, Unhashable])
def test_equal_instances_have_methods_of_their_own(kind):
    one, two = kind(2.0), kind(3.0)
    assert [float(o.times(tf.constant(1.0))) for o in (one, two, one, two)] == [2.0, 3.0, 2.0, 3.0]
    assert one.times.experimental_get_tracing_count() == 1
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None and float(two.times(tf.constant(1.0))) == 3.0


# --- the limit ------------------------------------------------------------------------------------------------------------


def test_traces_beyond_the_limit_are_dropped_and_made_again(limit, caplog):
    limit(3)
    f = tf.function(lambda x: tf.reduce_sum(x * x))
    for n in (1, 2, 3, 1, 4, 1):  # 2 is the one that was not used for longest when 4 comes
        assert f(tf.ones([n])).numpy() == n
    assert len(f._traces) == 3 and _count(f) == 4
    assert f(tf.ones([1])).numpy() == 1.0 and f(tf.ones([3])).numpy() == 3.0
    assert _count(f) == 4
    assert f(tf.ones([2])).numpy() == 2.0
    assert _count(f) == 5 and len(f._traces) == 3
    assert sum("more than 3 traces" in r.message for r in caplog.records) == 1


def test_memory_of_many_shapes_has_a_bound(limit):
    limit(5)
    f = tf.function(lambda x: tf.reduce_sum(x * x))
    gone = [weakref.ref(f.get_concrete_function(tf.ones([n])).graph) for n in range(1, 40)]
    gc.collect()
    assert sum(g() is not None for g in gone) == 5


def test_no_limit_keeps_all(limit):
    limit(None)
    f = tf.function(lambda x: x * 2.0)
    for n in range(1, 30):
        f.get_concrete_function(tf.ones([n]))
    assert len(f._traces) == 29


@pytest.mark.parametrize(("wrong", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("3", TypeError)])
def test_a_limit_is_a_whole_number_from_one_on(wrong, error):
    with pytest.raises(error, match="set_trace_limit"):
        config.set_trace_limit(wrong)


def test_variables_of_the_first_trace_outlive_it(limit):
    limit(1)

    class Model:
        w = None

        @tf.function
        def __call__(self, x):
            if self.w is None:
                self.w = tf.Variable(2.0)
            return self.w.assign_add(tf.reduce_sum(x))

    model = Model()
    assert [model(tf.ones([n])).numpy() for n in (1, 2, 1, 2)] == [3.0, 5.0, 6.0, 8.0]

    @tf.function
    def late(x):
        return tf.Variable(1.0) if x.shape[0] > 1 else x[0]

    late(tf.ones([1]))
    late(tf.ones([1]))
    with pytest.raises(ValueError, match="first call"):
        late(tf.ones([2]))


def test_random_numbers_go_on_where_a_dropped_trace_ended(limit):
    def drawn():
        tf.random.set_seed(3)

        @tf.function
        def f(x):
            once = tf.random.normal([2], seed=7) + x[0]
            return tf.cond(x[0] > 0.0, lambda: once + tf.random.uniform([], seed=8), lambda: once)

        return [f(tf.ones([n])).numpy() for n in (1, 2, 1, 2, 2, 1)]

    limit(None)
    whole = drawn()
    limit(1)
    np.testing.assert_array_equal(drawn(), whole)


# --- a word ---------------------------------------------------------------------------------------------------------------


def _said(caplog):
    return [r for r in caplog.records if "traced anew in 5 of its last" in r.message]


@pytest.mark.parametrize("argument", [lambda n: tf.ones([n]), float, lambda n: Thing()], ids=["shapes", "numbers", "objects"])
def test_a_word_where_nearly_each_call_makes_a_trace(argument, caplog):
    def named(x):
        return tf.constant(1.0)

    f = tf.function(named)
    for n in range(1, 5):
        f(argument(n))
    assert not _said(caplog)
    for n in range(5, 30):
        f(argument(n))
    (record,) = _said(caplog)
    assert record.levelno == logging.WARNING and record.name == "wengert"
    assert record.message.startswith("named was traced anew in 5 of its last 5 calls")


def test_no_word_where_traces_are_rare_or_asked_for(caplog):
    f = tf.function(lambda x: x * 2.0)
    for n in range(1, 9):
        for _ in range(3):
            f(tf.ones([n]))
    g = tf.function(lambda x: x * 2.0)
    for n in range(1, 9):
        g.get_concrete_function(tf.ones([n]))
    tf.function(lambda: [g(tf.ones([n])) for n in range(9, 19)])()
    assert not _said(caplog)


# --- shapes left open -----------------------------------------------------------------------------------------------------


def test_shapes_that_change_are_left_open(caplog):
    f = tf.function(lambda x, k=1.0: tf.reduce_sum(x * k), reduce_retracing=True)
    for shape in ([2, 3], [4, 3], [5, 3], [2, 3], [1, 3]):
        assert f(tf.ones(shape)).numpy() == np.prod(shape)
    assert _count(f) == 2
    (trace,) = f._traces.values()
    assert trace.inputs[0].shape.as_list() == [None, 3]
    assert f(tf.ones([4, 5])).numpy() == 20.0 and f(tf.ones([9, 9])).numpy() == 81.0 and f(tf.ones([2, 3])).numpy() == 6.0
    assert _count(f) == 3
    assert f(tf.ones([4])).numpy() == f(tf.ones([])).numpy() * 4.0 == 4.0
    assert _count(f) == 4
    assert f(tf.ones([4]), 2.0).numpy() == 8.0 and f(tf.ones([4], tf.float64)).numpy() == 4.0
    assert _count(f) == 6
    assert not _said(caplog)


def test_a_spec_asks_for_as_open_a_shape_as_it_says():
    f = tf.function(lambda x: tf.reduce_sum(x), reduce_retracing=True)
    f(tf.ones([3]))
    trace = f.get_concrete_function(tf.TensorSpec([None], tf.float32))
    assert trace.inputs[0].shape.as_list() == [None]
    assert f.get_concrete_function(tf.ones([3])) is trace and _count(f) == 2


def test_derivatives_through_open_shapes_in_graphs_and_methods():
    class Model:
        def __init__(self):
            self.w = tf.Variable(3.0)

        @tf.function(reduce_retracing=True)
        def square(self, x, *, more):
            return self.w * x * x + more["k"]

    model = Model()
    for n in (1, 2, 3, 4):
        x = tf.ones([n]) * 2.0
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model.square(x, more={"k": x})
        np.testing.assert_array_equal(tape.gradient(y, x), np.full(n, 13.0))
        inside = tf.function(lambda x: tf.gradients(model.square(x, more={"k": x}), x)[0])
        np.testing.assert_array_equal(inside(x), np.full(n, 13.0))
    assert model.square.experimental_get_tracing_count() == 2


def test_a_variable_of_the_closure_is_not_taken_for_the_argument() -> None:
    """TensorFlow shares the trace between variables of one shape, and adds p to itself."""
    w, p = tf.Variable(10.0), tf.Variable(1.0)

    @tf.function
    def f(v):
        v.assign(5.0)
        return w + v

    assert float(f(w)) == 10.0
    w.assign(100.0)
    assert float(f(p)) == 105.0


def test_an_optimizer_in_a_function_has_moments_for_each_variable_that_is_an_argument() -> None:
    """TensorFlow's one trace uses the first variable's for both. After one step of Adam each has moved by the rate."""
    a, b = tf.Variable(2.0, dtype=tf.float64), tf.Variable(3.0, dtype=tf.float64)
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.build([a, b])

    @tf.function
    def step(v):
        with tf.GradientTape() as tape:
            loss = v * v
        optimizer.apply_gradients([(tape.gradient(loss, v), v)])
        return loss

    assert [float(step(v)) for v in (a, b)] == [4.0, 9.0]
    moments = [v.numpy() for v in optimizer.variables if "momentum" in v.path]
    np.testing.assert_allclose(moments, [0.1 * 4.0, 0.1 * 6.0], rtol=1e-6)
