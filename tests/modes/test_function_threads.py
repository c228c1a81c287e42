"""Functions that several threads trace first: none waits for ever, each signature is traced once, each variable made once.

A thread that hangs is told from one that is slow by a minute's patience.
"""

import gc
import itertools
import threading

import numpy as np
import pytest

import wengert as tf
from wengert import config
from wengert.modes.turn import Turn

PATIENCE = 60.0


def _together(*works):
    """Run works in threads of their own; return what they gave, in order."""
    found, failed = [None] * len(works), []

    def run(k):
        try:
            found[k] = works[k]()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(len(works))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(PATIENCE)
    assert not any(t.is_alive() for t in threads), "a thread hangs"
    if failed:
        raise failed[0]
    return found


def _meeting(parties):
    """What each thread calls in the middle of its first trace: all are in the middle of theirs then."""
    barrier, met = threading.Barrier(parties), threading.local()

    def meet():
        if not hasattr(met, "once"):
            met.once = True
            barrier.wait(PATIENCE)

    return meet


def _ring(n):
    """Functions of which each calls the next, and the last the first, down to a depth."""
    meet = _meeting(n)
    ring = []

    def make(k):
        @tf.function
        def f(x, depth):
            meet()
            return x + float(k) if depth == 0 else ring[(k + 1) % n](x, depth - 1) * 2.0

        return f

    ring.extend(make(k) for k in range(n))
    return ring


@pytest.mark.parametrize("n", [2, 3, 5])
def test_functions_that_call_each_other_are_traced_by_as_many_threads(n):
    ring = _ring(n)
    x = tf.constant(1.0)
    found = _together(*[lambda f=f: f(x, n + 1).numpy() for f in ring])
    assert found == [(1.0 + (k + n + 1) % n) * 2.0 ** (n + 1) for k in range(n)]
    assert [f(x, n + 1).numpy() for f in ring] == found


def test_methods_that_call_each_other():
    meet = _meeting(2)

    class Pair(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = None

        @tf.function
        def one(self, x, deep=True):
            if self.w is None:
                self.w = tf.Variable(3.0)
            meet()
            return self.two(x, False) * self.w if deep else x

        @tf.function
        def two(self, x, deep=True):
            meet()
            return self.one(x, False) + 1.0 if deep else x

    pair, x = Pair(), tf.constant(2.0)
    pair.w = tf.Variable(3.0)
    assert _together(lambda: pair.one(x).numpy(), lambda: pair.two(x).numpy()) == [6.0, 3.0]


def test_a_signature_is_traced_once_and_a_variable_made_once():
    made = []
    together = threading.Barrier(6)

    class Model:
        w = None

        @tf.function
        def __call__(self, x):
            if self.w is None:
                made.append(1)
                self.w = tf.Variable(2.0)
            return self.w * x

    model = Model()

    def work():
        together.wait(PATIENCE)
        return model(tf.constant(3.0)).numpy()

    assert _together(*[work] * 6) == [6.0] * 6
    assert made == [1]
    assert type(model).__call__.__get__(model).experimental_get_tracing_count() == 2  # with and without making it


def test_a_trace_that_waits_for_a_thread_that_traces_another_function():
    inner = tf.function(lambda x: x * 2.0)

    @tf.function
    def outer(x):
        (found,) = _together(lambda: inner(tf.constant(4.0)).numpy())
        return x + found

    assert outer(tf.constant(1.0)).numpy() == 9.0


def test_calls_of_what_is_traced_do_not_wait_for_a_trace_under_way():
    inside, done = threading.Event(), threading.Event()

    @tf.function
    def f(x, slow=False):
        if slow:
            inside.set()
            assert done.wait(PATIENCE)
        return x * 2.0

    f(tf.constant(1.0))

    def call():
        assert inside.wait(PATIENCE)
        try:
            return f(tf.constant(3.0)).numpy()
        finally:
            done.set()

    assert _together(lambda: f(tf.constant(1.0), True).numpy(), call) == [2.0, 6.0]


def test_a_trace_that_fails_lets_others_go_on():
    meet = _meeting(2)
    tried = []

    @tf.function
    def f(x):
        tried.append(1)
        if len(tried) == 1:
            raise RuntimeError("the first one fails")
        return x * 2.0

    def work():
        meet()
        try:
            return f(tf.constant(1.0)).numpy()
        except RuntimeError:
            return "failed"

    assert sorted(map(str, _together(work, work))) == ["2.0", "failed"]


def test_traces_are_dropped_while_threads_call_them():
    before = config.get_trace_limit()
    config.set_trace_limit(2)
    try:
        f = tf.function(lambda x: tf.reduce_sum(x * x))

        def work(seed):
            sizes = np.random.default_rng(seed).integers(1, 6, 60)
            return all(f(tf.ones([n])).numpy() == n for n in sizes)

        assert _together(*[lambda k=k: work(k) for k in range(4)]) == [True] * 4
        assert len(f._traces) <= 2
    finally:
        config.set_trace_limit(before)


def test_objects_go_while_threads_trace_for_others():
    f = tf.function(lambda x, o: x * o.factor)

    class Thing:
        def __init__(self, factor):
            self.factor = factor

    def work(k):
        return all(f(tf.constant(1.0), Thing(float(k * i))).numpy() == k * i for i in range(40))

    assert _together(*[lambda k=k: work(k) for k in range(1, 5)]) == [True] * 4
    gc.collect()
    assert len(f._traces) == 0


def test_sessions_of_one_graph_and_functions_in_it():
    with tf.Graph().as_default() as graph:
        v = tf.compat.v1.get_variable("v", initializer=2.0)
        steps = [tf.gradients(v**k, v)[0] for k in range(1, 7)]
        init = tf.compat.v1.global_variables_initializer()
    session = tf.compat.v1.Session(graph=graph)
    session.run(init)
    both = threading.Barrier(2)

    def work(order):
        both.wait(PATIENCE)
        return [float(session.run(steps[k])) for k in order]

    up, down = _together(lambda: work(range(6)), lambda: work(reversed(range(6))))
    assert up == down[::-1] == [k * 2.0 ** (k - 1) for k in range(1, 7)]


def test_turns_taken_in_every_order():
    turns = [Turn() for _ in range(3)]
    for orders in itertools.product(itertools.permutations(range(3)), repeat=2):
        first = threading.Barrier(2)

        def work(order, first=first, apart=orders[0][0] != orders[1][0]):
            with turns[order[0]].taken():
                if apart:
                    first.wait(PATIENCE)
                with turns[order[1]].taken(), turns[order[2]].taken(), turns[order[0]].taken():
                    return order

        assert _together(*[lambda o=o: work(o) for o in orders]) == list(orders)
        assert all(t.owner is None for t in turns)
