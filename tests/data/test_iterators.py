"""Iterators, eagerly and in functions, and what a checkpoint keeps of them."""

import gc
import weakref
from unittest.mock import Mock

import numpy as np
import pytest

import wengert as tf

D = tf.data.Dataset
ZERO = np.int64(0)


def test_iterators_are_independent_and_end():
    dataset = D.range(2)
    one, other = iter(dataset), iter(dataset)
    assert [int(next(one)), int(next(one)), int(next(other))] == [0, 1, 0]
    with pytest.raises(StopIteration):
        next(one)
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        one.get_next()
    assert isinstance(one, tf.data.Iterator) and one.element_spec == dataset.element_spec


def test_an_element_that_may_be_there():
    iterator = iter(D.range(1))
    assert int(iterator.get_next_as_optional().get_value()) == 0
    last = iterator.get_next_as_optional()
    assert not last.has_value()
    with pytest.raises(tf.errors.InvalidArgumentError):
        last.get_value()


# --- in functions -----------------------------------------------------------------------------------------------------


def test_a_loop_is_one_of_the_graph():
    note = Mock()

    @tf.function
    def total(dataset):
        s = tf.constant(ZERO)
        for x in dataset:
            note()
            s += x
        return s

    assert int(total(D.range(1000))) == 499500
    assert 0 < note.call_count < 10


def test_break_continue_enumerate_and_zip():
    @tf.function
    def f(dataset):
        s = tf.constant(ZERO)
        for x in dataset:
            if x == 2:
                continue
            if x > 4:
                break
            s += x
        for i, x in enumerate(dataset, 1):
            s += 100 * i * x
        for a, b in zip(dataset, dataset.skip(1), strict=False):
            s += 100000 * a * b
        return s

    n = 7
    plain = (
        (0 + 1 + 3 + 4) + sum(100 * i * x for i, x in enumerate(range(n), 1)) + sum(100000 * a * (a + 1) for a in range(n - 1))
    )
    assert int(f(D.range(n))) == plain


def test_structures_in_a_loop():
    @tf.function
    def f(dataset):
        s = 0.0
        for batch in dataset:
            s += tf.reduce_sum(batch["x"] * batch["y"][:, 0])
        return s

    x, y = np.arange(5, dtype=np.float32), np.ones((5, 2), np.float32)
    assert float(f(D.from_tensor_slices({"x": x, "y": y}).batch(2))) == x.sum()


def test_a_dataset_of_a_functions_tensors():
    @tf.function
    def f(n, scale):
        s = tf.constant(ZERO)
        for x in D.range(n).map(lambda x: scale * x).batch(2, drop_remainder=True):
            s += tf.reduce_sum(x)
        return s + D.from_tensors(n).get_single_element(), D.range(n).reduce(ZERO, lambda a, b: a + b)

    for n, scale in ((4, 1), (6, 10)):
        found = f(tf.constant(n, tf.int64), tf.constant(scale, tf.int64))
        assert [int(v) for v in found] == [scale * sum(range(n)) + n, sum(range(n))]


def test_next_in_a_function():
    @tf.function
    def one(iterator):
        return next(iterator)

    @tf.function
    def several(iterator):
        s = tf.constant(ZERO)
        for _ in tf.range(2):
            s += next(iterator)
        return s

    iterator = iter(D.range(5))
    assert [int(one(iterator)), int(several(iterator)), int(next(iterator)), int(one(iterator))] == [0, 3, 3, 4]
    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
        one(iterator)


def test_an_iterator_made_in_a_function():
    @tf.function
    def f(dataset):
        iterator = iter(dataset)
        first = next(iterator)
        rest = tf.constant(ZERO)
        for x in iterator:
            rest += x
        return first, rest

    assert [int(v) for v in f(D.range(3, 6))] == [3, 9]


def test_an_element_that_may_be_there_when_the_graph_runs():
    @tf.function
    def f(iterator):
        element = iterator.get_next_as_optional()
        return element.get_value() if element.has_value() else tf.constant(-1, tf.int64)

    iterator = iter(D.range(1))
    assert [int(f(iterator)) for _ in range(3)] == [0, -1, -1]


@pytest.mark.parametrize("read", [lambda d: [x for x in d], lambda d: list(d)], ids=["comprehension", "list"])
def test_a_loop_that_is_python_s_is_refused(read):
    @tf.function
    def f(dataset):
        return read(dataset)

    with pytest.raises(TypeError, match="Iterating over a dataset is not allowed in a graph"):
        f(D.range(3))


def test_without_autograph_it_is_refused():
    @tf.function(autograph=False)
    def f(dataset):
        s = tf.constant(ZERO)
        for x in dataset:
            s += x
        return s

    with pytest.raises(TypeError, match="autograph=True"):
        f(D.range(3))


def test_training_in_a_function():
    x = np.linspace(-1.0, 1.0, 64, dtype=np.float32)[:, None]
    dataset = D.from_tensor_slices((x, 3.0 * x + 1.0)).shuffle(64, seed=1).batch(8)
    w, b = tf.Variable(0.0), tf.Variable(0.0)

    @tf.function
    def epoch():
        loss = 0.0
        for a, y in dataset:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((w * a + b - y) ** 2)
            for v, g in zip((w, b), tape.gradient(loss, (w, b)), strict=True):
                v.assign_sub(0.3 * g)
        return loss

    losses = [float(epoch()) for _ in range(20)]
    assert losses[-1] < 1e-6 < losses[0]
    assert np.allclose([w.numpy(), b.numpy()], [3.0, 1.0], atol=1e-3)


def test_a_derivative_through_a_loop_over_a_dataset():
    @tf.function
    def f(w, dataset):
        y = tf.constant(0.0)
        for x in dataset:
            y += tf.sin(w * x)
        return y

    w = tf.constant(0.5)
    x = np.array([1.0, 2.0, 3.0], np.float32)
    with tf.GradientTape() as tape:
        tape.watch(w)
        y = f(w, D.from_tensor_slices(x))
    assert np.allclose(tape.gradient(y, w), np.sum(x * np.cos(0.5 * x)), rtol=1e-6)


def test_a_trace_does_not_keep_an_iterator():
    @tf.function
    def f(iterator):
        return next(iterator)

    iterator = iter(D.range(3))
    f(iterator)
    gone = weakref.ref(iterator)
    del iterator
    gc.collect()
    assert gone() is None


def test_what_is_traced_around_does_not_see_a_dataset():
    with tf.GradientTape() as tape:
        list(D.range(3).map(lambda x: tf.cast(x, tf.float32) ** 2))
    assert not tape.watched_variables()


# --- in a checkpoint --------------------------------------------------------------------------------------------------


def points(seed=None):
    rows = D.from_tensor_slices(np.arange(10))
    return rows.shuffle(10, seed=seed).batch(3).map(lambda x: x + 1).repeat(3)


@pytest.mark.parametrize("taken", [0, 1, 5, 11])
def test_an_iterator_goes_on_where_it_was_saved(tmp_path, taken):
    iterator = iter(points())
    for _ in range(taken):
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "ckpt"))
    rest = [x.numpy().tolist() for x in iterator]
    for again in (iterator, iter(points())):  # here, and as another process would make it
        tf.train.Checkpoint(iterator=again).restore(path).assert_consumed()
        assert [x.numpy().tolist() for x in again] == rest


def test_a_later_pass_and_what_comes_after_it(tmp_path):
    dataset = D.range(6).shuffle(6, seed=1)
    list(dataset)
    iterator = iter(dataset)
    next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "saved"))
    rest, after = [int(x) for x in iterator], [int(x) for x in dataset]
    fresh = D.range(6).shuffle(6, seed=1)
    again = iter(fresh)
    tf.train.Checkpoint(iterator=again).read(path).assert_consumed()
    assert ([int(x) for x in again], [int(x) for x in fresh]) == (rest, after)


def test_a_position_with_random_functions_and_an_inner_shuffle(tmp_path):
    def made():
        tf.random.set_seed(3)
        return D.range(4).flat_map(lambda x: D.range(3).shuffle(3)).map(lambda x: tf.random.uniform([]) + tf.cast(x, tf.float32))

    iterator = iter(made())
    for _ in range(5):
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "saved"))
    rest = [float(x) for x in iterator]
    again = iter(made())
    tf.train.Checkpoint(iterator=again).read(path)
    assert [float(x) for x in again] == rest
    tf.random.set_seed(None)


def test_a_position_of_another_dataset_is_refused(tmp_path):
    path = tf.train.Checkpoint(iterator=iter(D.range(3).shuffle(3))).write(str(tmp_path / "saved"))
    with pytest.raises(ValueError, match="shape"):
        tf.train.Checkpoint(iterator=iter(D.range(3))).read(path)


def test_saving_does_not_move_an_iterator(tmp_path):
    read = []

    def count():
        for i in range(4):
            read.append(i)
            yield i

    iterator = iter(D.from_generator(count, output_types=tf.int32))
    next(iterator)
    tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "ckpt"))
    assert [int(x) for x in iterator] == [1, 2, 3] and read == [0, 1, 2, 3]


def test_ctrl_c_in_the_midst_of_an_element_loses_none():
    strikes = [True]

    def count():
        for i in range(5):
            if i == 3 and strikes:
                strikes.pop()
                raise KeyboardInterrupt
            yield i

    iterator = iter(D.from_generator(count, output_types=tf.int32).map(lambda x: 10 * x).batch(2))
    assert next(iterator).numpy().tolist() == [0, 10]
    with pytest.raises(KeyboardInterrupt):
        next(iterator)
    assert [x.numpy().tolist() for x in iterator] == [[20, 30], [40]]


def test_no_derivative_goes_back_through_a_dataset_in_a_graph():
    @tf.function
    def f(a):
        y = D.from_tensors(3.0 * a).reduce(0.0, lambda s, x: s + x)
        return y, tf.gradients(y * y, a)

    with pytest.warns(tf.errors.NoGradientWarning, match="a dataset there"):
        y, found = f(tf.constant(2.0))
    assert float(y) == 6.0 and found == [None]


@pytest.mark.parametrize("executor", ["native", "xla", "auto"])
def test_every_executor_leaves_a_loop_over_a_dataset_to_numpy(executor):
    if executor != "native":
        pytest.importorskip("jax")
    before = tf.config.get_executor()
    tf.config.set_executor(executor)
    try:

        @tf.function
        def f(dataset):
            s = tf.constant(ZERO)
            for x in dataset:
                s += tf.reduce_sum(x)
            return s

        assert [int(f(D.range(9).batch(2))) for _ in range(2)] == [36, 36]
    finally:
        tf.config.set_executor(before)
