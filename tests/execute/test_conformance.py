"""The laws of `wengert.execute.protocol`, held for every executor that is registered, and for programs around programs.

What is expected comes from formulas and from NumPy. A new executor is tested by being entered into `program.EXECUTORS`.
"""

from __future__ import annotations

import ast
import gc
import importlib.util
import inspect
import re
import signal
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.errors import FailedPreconditionError, InvalidArgumentError
from wengert.execute import auto, behind
from wengert.execute.compare import Compared
from wengert.execute.program import EXECUTORS, Watched, compile, watchers
from wengert.execute.protocol import Program, Wrapped
from wengert.ground import options as switches
from wengert.ground.options import options
from wengert.tensor.tensor import Graph

v1 = tf.compat.v1

MEMBERS = ["request", "numpy", "decision", "__call__", "inside"]
WAYS = [*EXECUTORS, *[f"{name} compared" for name in EXECUTORS], "numpy watched", "auto at once"]
"""The executors, alone and within what may be around them."""
HERE = Path(__file__).name


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Every executor in turn."""
    name, _, around = request.param.partition(" ")
    if name != "numpy" and importlib.util.find_spec("jax") is None:
        pytest.skip("needs jax: pip install 'wengert[xla]'")
    if around == "watched":
        monkeypatch.setattr("wengert.execute.program.watchers", [*watchers, lambda request, arrays: lambda results: None])
    if around == "at once":  # it compiles and compares from the first run on
        monkeypatch.setattr(auto, "SHORT", 0.0)
        monkeypatch.setattr(auto, "LONG", 0.0)
    with options.set(executor=name, compare=around == "compared"):
        yield request.param


def program_of(build: Callable[..., Any], *specs: tuple[Any, Any]) -> Program:
    """Return a program of what a function makes of placeholders."""
    graph = Graph()
    with graph.as_default():
        feeds = [v1.placeholder(dtype, shape) for dtype, shape in specs]
        fetches = build(*feeds)
    return compile(graph, fetches if isinstance(fetches, list | tuple) else [fetches], feeds)


def line_of(text: str) -> str:
    """Return where a line of this file stands, as errors say it."""
    (number,) = (i for i, line in enumerate(Path(__file__).read_text().splitlines(), 1) if line.rstrip().endswith(f"# {text}"))
    return f"{HERE}:{number}"


# --- the interface ----------------------------------------------------------------------------------------------------


def test_the_names_are_those_of_the_options() -> None:
    assert tuple(EXECUTORS) == switches.EXECUTORS


@pytest.mark.parametrize("kind", [*EXECUTORS.values(), Wrapped], ids=lambda kind: kind.__name__)
def test_members_stand_in_one_order(kind: type) -> None:
    if kind.__name__ == "Falling":
        kind = kind.__bases__[0]
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    written = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in MEMBERS]
    assert written == [name for name in MEMBERS if name in written]
    assert {"__call__", "inside"} <= set(written)


def test_a_program_is_one(way: str) -> None:
    program = program_of(lambda x: x + 1.0, (tf.float64, [2]))
    assert isinstance(program, Program)
    assert program.decision is None or isinstance(program.decision, str)
    graph, fetches, feeds, controls = program.request
    assert (len(fetches), len(feeds), len(controls)) == (1, 1, 0) and fetches[0].graph is graph
    assert program.numpy.numpy is program.numpy and program.numpy.request is program.request
    np.testing.assert_array_equal(program.inside(np.array([1.0, 2.0]))[0], [2.0, 3.0])
    if "compared" in way:
        assert isinstance(program, Compared)
    if "watched" in way:
        assert isinstance(program, Watched)


# --- values -----------------------------------------------------------------------------------------------------------


def test_values(way: str) -> None:
    x, y = np.linspace(-2, 2, 12).reshape(3, 4), np.linspace(1, 3, 8).reshape(4, 2)
    program = program_of(
        lambda a, b: [tf.exp(a) - a * a, a @ b, tf.reduce_sum(tf.sin(a), 0), tf.transpose(b), a, tf.constant([1, 2]), a @ b],
        (tf.float64, [3, 4]), (tf.float64, [4, 2]),
    )  # fmt: skip
    expected = [np.exp(x) - x * x, x @ y, np.sin(x).sum(0), y.T, x, np.array([1, 2], np.int32), x @ y]
    for _ in range(3):
        found = program(x, y)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert isinstance(a, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "complex64", "complex128"])
def test_dtypes(way: str, dtype: str) -> None:
    x = np.array([1, 2, 3]).astype(dtype)
    doubled, squared, larger = program_of(lambda a: [a + a, a * a, tf.equal(a, a)], (dtype, [3]))(x)
    assert (doubled.dtype, squared.dtype, larger.dtype) == (x.dtype, x.dtype, np.dtype(bool))
    np.testing.assert_array_equal(doubled, [2, 4, 6])
    np.testing.assert_array_equal(squared, [1, 4, 9])
    assert larger.all()


def test_what_comes_back_is_the_callers(way: str) -> None:
    program = program_of(lambda a: [a, tf.constant([5.0, 6.0], tf.float64), a * 2.0, tf.reshape(a, [2, 1])], (tf.float64, [2]))
    x = np.array([1.0, 2.0])
    for _ in range(3):
        found = program(x)
        for one, expected in zip(found, ([1, 2], [5, 6], [2, 4], [[1], [2]]), strict=True):
            np.testing.assert_array_equal(one, expected)
            one[...] = -1.0
        np.testing.assert_array_equal(x, [1.0, 2.0])


def test_derivatives(way: str) -> None:
    x = np.array([0.3, -1.2])

    def build(a: Any) -> list[Any]:
        y = tf.sin(a) * a
        slope = tf.gradients(y, a)[0]
        return [slope, tf.gradients(slope, a)[0]]

    slope, curvature = program_of(build, (tf.float64, [2]))(x)
    np.testing.assert_allclose(slope, np.cos(x) * x + np.sin(x), rtol=1e-14)
    np.testing.assert_allclose(curvature, 2 * np.cos(x) - np.sin(x) * x, rtol=1e-13)


def test_feeds_of_another_shape(way: str) -> None:
    program = program_of(lambda a: [tf.reduce_sum(a * a, 1), tf.shape(a)], (tf.float64, [None, None]))
    for m, n in [(3, 2), (1, 4), (0, 3), (2, 0), (5, 5), *[(k, 1) for k in range(1, 9)], (3, 2)]:
        x = np.arange(float(m * n)).reshape(m, n)
        total, shape = program(x)
        np.testing.assert_array_equal(total, (x * x).sum(1))
        assert shape.tolist() == [m, n]


def test_the_same_bits_again(way: str) -> None:
    x = np.random.default_rng(3).normal(size=(700, 5))

    def build(a: Any) -> list[Any]:
        h = tf.tanh(a @ tf.constant(np.random.default_rng(4).normal(size=(5, 5))))
        return [tf.reduce_sum(h * h), tf.reduce_mean(h, 0), tf.linalg.inv(tf.transpose(h) @ h)]

    program, other = (program_of(build, (tf.float64, [None, 5])) for _ in range(2))
    first = program(x)
    h = np.tanh(x @ np.random.default_rng(4).normal(size=(5, 5)))
    np.testing.assert_allclose(first[0], (h * h).sum(), rtol=1e-13)
    if not way.startswith("auto"):  # which may turn from one to the other
        for again in (program(x), other(x), program.inside(x)):
            assert [a.tobytes() for a in again] == [a.tobytes() for a in first]


# --- variables --------------------------------------------------------------------------------------------------------


def test_variables_are_read_and_written_in_order(way: str) -> None:
    with Graph().as_default(), v1.Session() as session:
        v = v1.get_variable("v", [2], tf.float64, initializer=tf.constant_initializer([1.0, 2.0]))
        x = v1.placeholder(tf.float64, [2])
        before = tf.identity(v.read_value())
        with tf.control_dependencies([before]):
            added = v.assign_add(x)
        with tf.control_dependencies([added]):
            between = v.read_value() * 1.0
        with tf.control_dependencies([between]):
            doubled = v.assign(v.read_value() * 2.0)
        with tf.control_dependencies([doubled]):
            after = tf.identity(v.read_value())
        session.run(v1.global_variables_initializer())
        value = np.array([1.0, 2.0])
        for k in range(4):
            given = np.array([k, -1.0])
            a, b, c = session.run([before, between, after], {x: given})
            np.testing.assert_array_equal(a, value)
            np.testing.assert_array_equal(b, value + given)
            value = 2 * (value + given)
            np.testing.assert_array_equal(c, value)
            np.testing.assert_array_equal(session.run(v), value)


def test_rows_of_a_variable_are_written(way: str) -> None:
    with Graph().as_default(), v1.Session() as session:
        v = v1.get_variable("v", [4], tf.float64, initializer=tf.zeros_initializer())
        at, by = v1.placeholder(tf.int32, [None]), v1.placeholder(tf.float64, [None])
        add, update = v1.scatter_add(v, at, by), v1.scatter_update(v, at, by)
        session.run(v1.global_variables_initializer())
        session.run(add, {at: [1, 3, 1], by: [1.0, 2.0, 4.0]})
        np.testing.assert_array_equal(session.run(v), [0.0, 5.0, 0.0, 2.0])
        session.run(update, {at: [0], by: [7.0]})
        np.testing.assert_array_equal(session.run(v), [7.0, 5.0, 0.0, 2.0])


def test_sessions_have_values_of_their_own(way: str) -> None:
    with Graph().as_default() as graph:
        v = v1.get_variable("v", [], tf.float64, initializer=tf.zeros_initializer())
        more = v.assign_add(1.0)
        start = v1.global_variables_initializer()
    with v1.Session(graph=graph) as one, v1.Session(graph=graph) as two:
        one.run(start)
        with pytest.raises(FailedPreconditionError, match="v"):
            two.run(more.op)
        two.run(start)
        for _ in range(3):
            one.run(more.op)
        two.run(more.op)
        assert (one.run(v), two.run(v)) == (3.0, 1.0)


def test_a_step_of_training(way: str) -> None:
    """Momentum on w²: v ← 0.5 v + 2 w, w ← w - v / 8."""
    with Graph().as_default(), v1.Session() as session:
        w = v1.get_variable("w", [], tf.float64, initializer=tf.constant_initializer(1.0))
        train = v1.train.MomentumOptimizer(0.125, 0.5).minimize(w * w)
        session.run(v1.global_variables_initializer())
        expected, speed = 1.0, 0.0
        for _ in range(5):
            session.run(train)
            speed = 0.5 * speed + 2 * expected
            expected -= 0.125 * speed
            np.testing.assert_allclose(session.run(w), expected, rtol=1e-14)


def test_random_numbers(way: str) -> None:
    def drawn() -> list[Any]:
        with Graph().as_default(), v1.Session() as session:
            v1.set_random_seed(7)
            noise = tf.random.normal([2000], dtype=tf.float64)
            both = [noise, tf.random.uniform([2000], 2.0, 4.0, tf.float64) * 1.0, noise * 2.0]
            return [session.run(both) for _ in range(3)]

    found, again = drawn(), drawn()
    with options.set(executor="numpy", compare=False):
        plain = drawn()
    for runs in zip(found, again, plain, strict=True):
        for arrays in zip(*runs, strict=True):
            np.testing.assert_array_equal(arrays[0], arrays[1])
            np.testing.assert_array_equal(arrays[0], arrays[2])
    noise, even, twice = found[0]
    np.testing.assert_array_equal(twice, 2 * noise)
    assert abs(noise.mean()) < 5 / np.sqrt(2000) and abs(noise.std() - 1) < 5 / np.sqrt(4000)
    assert even.min() >= 2 and even.max() < 4 and abs(even.mean() - 3) < 5 / np.sqrt(3 * 2000)
    assert not np.array_equal(found[0][0], found[1][0])


# --- control flow -----------------------------------------------------------------------------------------------------


def test_a_choice(way: str) -> None:
    def build(x: Any) -> list[Any]:
        y = tf.cond(x > 0.0, lambda: tf.exp(x), lambda: x * x)
        return [y, tf.gradients(y, x)[0]]

    program = program_of(build, (tf.float64, []))
    for x in (0.7, -1.5, 2.0):
        y, slope = program(np.array(x))
        np.testing.assert_allclose([y, slope], [np.exp(x)] * 2 if x > 0 else [x * x, 2 * x], rtol=1e-14)


def test_a_loop_whose_end_is_a_value(way: str) -> None:
    """x to the n-th power, n being fed: no turn, one, and many."""
    program = program_of(
        lambda x, n: v1.while_loop(lambda k, y: k < n, lambda k, y: (k + 1, y * x), (tf.constant(0), tf.ones([], tf.float64))),
        (tf.float64, []), (tf.int32, []),
    )  # fmt: skip
    for n in (0, 1, 2, 13):
        turns, power = program(np.array(1.5), np.array(n, np.int32))
        assert turns == n
        np.testing.assert_allclose(power, 1.5**n, rtol=1e-14)


@pytest.mark.parametrize(("limit", "turns"), [(0, 0), (3, 3), (50, 10)])
def test_a_loop_with_a_limit(way: str, limit: int, turns: int) -> None:
    def build(x: Any) -> list[Any]:
        k, y = tf.while_loop(
            lambda k, y: k < 10, lambda k, y: (k + 1, y * x), (tf.constant(0), tf.ones([], tf.float64)), maximum_iterations=limit
        )
        return [k, y, *tf.gradients(y, x)]

    k, power, slope = program_of(build, (tf.float64, []))(np.array(1.1))
    assert k == turns
    np.testing.assert_allclose([power, slope], [1.1**turns, turns * 1.1 ** (turns - 1)], rtol=1e-13)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("rows", [0, 1, 6])
def test_a_scan(way: str, rows: int, reverse: bool) -> None:
    x = np.arange(1.0, 2.0 * rows + 1).reshape(rows, 2)
    program = program_of(
        lambda a: tf.scan(lambda total, row: total + row, a, initializer=tf.zeros([2], tf.float64), reverse=reverse),
        (tf.float64, [None, 2]),
    )
    (found,) = program(x)
    expected = x[::-1].cumsum(0)[::-1] if reverse else x.cumsum(0)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def test_a_scan_has_derivatives(way: str) -> None:
    """y₀ = 1, yₖ = xₖ yₖ₋₁: the last is the product, whose slope by xₖ is the product of the others."""
    x = np.array([0.5, 2.0, 3.0, -1.5])

    def build(a: Any) -> list[Any]:
        rows = tf.scan(lambda y, row: y * row, a, initializer=tf.ones([], tf.float64))
        return [rows, *tf.gradients(rows[-1], a)]

    rows, slope = program_of(build, (tf.float64, [4]))(x)
    np.testing.assert_allclose(rows, np.cumprod(x), rtol=1e-14)
    np.testing.assert_allclose(slope, [np.prod(np.delete(x, k)) for k in range(4)], rtol=1e-14)


def test_a_map(way: str) -> None:
    x = np.arange(6.0).reshape(3, 2)
    (found,) = program_of(lambda a: tf.map_fn(lambda row: tf.reduce_sum(row) * row, a), (tf.float64, [None, 2]))(x)
    np.testing.assert_array_equal(found, x.sum(1, keepdims=True) * x)


def test_what_a_loop_carries_may_grow(way: str) -> None:
    program = program_of(
        lambda x: v1.while_loop(
            lambda k, y: k < 3, lambda k, y: (k + 1, tf.concat([y, y * 2.0], 0)), (tf.constant(0), x),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
        )[1],
        (tf.float64, [1]),
    )  # fmt: skip
    (found,) = program(np.array([1.5]))
    np.testing.assert_array_equal(found, 1.5 * np.array([1, 2, 2, 4, 2, 4, 4, 8]))


def test_bodies_assign_to_variables(way: str) -> None:
    with Graph().as_default(), v1.Session() as session:
        v = tf.Variable(np.float64(0.0), name="v")
        n = v1.placeholder(tf.int32, [])

        @tf.function
        def run(n: Any) -> Any:
            k = tf.constant(0)
            while k < n:
                if tf.equal(k % 2, 0):  # `==` in a static graph compares identity
                    v.assign_add(tf.cast(k, tf.float64))
                k += 1
            return v.read_value()

        y = run(n)
        session.run(v1.global_variables_initializer())
        assert session.run(y, {n: 5}) == 6.0  # 0 + 2 + 4
        assert session.run(y, {n: 0}) == 6.0
        assert session.run(v) == 6.0


# --- effects ----------------------------------------------------------------------------------------------------------


def test_effects_happen_once_and_in_order(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[str, float]] = []

    def note(name: str) -> Callable[[Any], Any]:
        def called(value: Any) -> Any:
            seen.append((name, float(value)))
            return np.float64(value + 1.0)

        return called

    with Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float64, [])
        first = tf.numpy_function(note("first"), [x], tf.float64)
        with tf.control_dependencies([tf.print("between", x, output_stream=sys.stdout)]):
            second = tf.py_function(lambda t: note("second")(t.numpy()), [first], tf.float64)
        with tf.control_dependencies([second]):
            third = tf.numpy_function(note("third"), [x], tf.float64)
        for k in range(3):
            assert session.run([third, second], {x: float(k)}) == [k + 1.0, k + 2.0]
            assert seen == [("first", k), ("second", k + 1.0), ("third", k)]
            assert capsys.readouterr().out.split() == ["between", str(k)] or k == 0
            seen.clear()


def test_a_check_that_fails_stops_the_run(way: str) -> None:
    with Graph().as_default(), v1.Session() as session:
        v = v1.get_variable("v", [], tf.float64, initializer=tf.zeros_initializer())
        x = v1.placeholder(tf.float64, [])
        with tf.control_dependencies([v1.assert_positive(x, message="it is to be positive")]):
            more = v.assign_add(x)
        session.run(v1.global_variables_initializer())
        session.run(more.op, {x: 2.0})
        with pytest.raises(InvalidArgumentError, match="it is to be positive"):
            session.run(more.op, {x: -1.0})
        assert session.run(v) == 2.0


def test_what_the_host_raises_comes_out(way: str) -> None:
    def fails(x: Any) -> Any:
        raise KeyError("of the user's")

    with Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float64, [])
        y = tf.numpy_function(fails, [x], tf.float64)  # the call
        with pytest.raises(Exception, match="of the user's") as caught:
            session.run(y, {x: 1.0})
        assert line_of("the call") in str(caught.value)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_names_the_users_line(way: str) -> None:
    program = program_of(lambda a, b: a @ b, (tf.float64, [None, None]), (tf.float64, [None, None]))  # the product
    assert program(np.ones((2, 3)), np.ones((3, 1)))[0].tolist() == [[3.0], [3.0]]
    with pytest.raises(InvalidArgumentError, match=re.escape(line_of("the product"))) as caught:
        program(np.ones((2, 3)), np.ones((4, 1)))
    assert "(2, 3)" in str(caught.value) and "(4, 1)" in str(caught.value)
    assert program(np.ones((1, 2)), np.ones((2, 1)))[0].tolist() == [[2.0]]


def test_a_placeholder_that_is_not_fed(way: str) -> None:
    graph = Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float64, [None, 3], "angle")
        y = tf.sin(x)
    with pytest.raises(InvalidArgumentError, match=r"placeholder tensor 'angle' with dtype double and shape \[\?,3\]|'angle'"):
        compile(graph, [y], [])()


# --- threads and interrupts -------------------------------------------------------------------------------------------


def test_threads_run_one_program(way: str) -> None:
    program = program_of(lambda a: [tf.reduce_sum(tf.sin(a)), a + 1.0], (tf.float64, [None]))
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            rng = np.random.default_rng(seed)
            for _ in range(10):
                x = rng.normal(size=seed % 3 + 2)
                total, more = program(x)
                np.testing.assert_allclose(total, np.sin(x).sum(), rtol=1e-13, atol=1e-14)
                np.testing.assert_array_equal(more, x + 1.0)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_threads_add_to_one_variable(way: str) -> None:
    with Graph().as_default() as graph:
        v = v1.get_variable("v", [], tf.float64, initializer=tf.zeros_initializer())
        more = v.assign_add(1.0)
        start = v1.global_variables_initializer()
    with v1.Session(graph=graph) as session:
        session.run(start)
        threads = [threading.Thread(target=lambda: [session.run(more.op) for _ in range(25)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert session.run(v) == 100.0


def test_ctrl_c_undoes_the_run(way: str) -> None:
    strikes = [False]

    def maybe(x: Any) -> Any:
        if strikes[0]:
            signal.raise_signal(signal.SIGINT)
        return x

    with Graph().as_default(), v1.Session() as session:
        v = v1.get_variable("v", [], tf.float64, initializer=tf.zeros_initializer())
        first = v.assign_add(1.0)
        with tf.control_dependencies([first]):
            called = tf.numpy_function(maybe, [v.read_value()], tf.float64)
        with tf.control_dependencies([called]):
            both = v.assign_add(1.0)
        session.run(v1.global_variables_initializer())
        session.run(both.op)
        strikes[0] = True
        with pytest.raises(KeyboardInterrupt):
            session.run(both.op)
        assert session.run(v) == 2.0
        strikes[0] = False
        session.run(both.op)
        assert session.run(v) == 4.0


# --- what holds it ----------------------------------------------------------------------------------------------------


def test_under_a_tape_its_operations_are_seen(way: str) -> None:
    @tf.function
    def cube(x: Any) -> Any:
        return x * x * x

    x = tf.constant(2.0, tf.float64)
    for _ in range(2):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = cube(x)
        assert (float(y), float(tape.gradient(y, x))) == (8.0, 12.0)
        assert float(cube(x)) == 8.0


def test_a_closed_session_runs_no_more(way: str) -> None:
    with Graph().as_default():
        y = tf.constant(2.0) * 3.0
        session = v1.Session()
        assert session.run(y) == 6.0
        session.close()
        with pytest.raises(RuntimeError, match="closed"):
            session.run(y)


def test_nothing_holds_on_to_a_program(way: str) -> None:
    program = program_of(lambda a: a * 2.0, (tf.float64, [2]))
    for _ in range(3):
        program(np.ones(2))
    alive = weakref.ref(program.numpy)
    if behind.behind.thread is not None:  # it may be compiling this one
        done = threading.Event()
        behind.behind.jobs.put((lambda: None, None, None))
        for _ in range(400):
            if behind.behind.jobs.empty():
                break
            done.wait(0.05)
    del program
    for _ in range(200):
        gc.collect()
        if alive() is None:
            break
        threading.Event().wait(0.05)
    assert alive() is None
