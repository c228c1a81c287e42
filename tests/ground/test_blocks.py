"""With blocks give back what they changed: wherever an exception falls into their leaving, and between coroutines."""

import asyncio
import contextvars
import decimal
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.ground.context import ROOT, State, apart, current, errors_now, known, quietly, state

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def _plain_state_again() -> Iterator[None]:
    """Coroutines have parts of the state apart, once one of them has asked: other tests are to find it plain."""
    before = {name: vars(State)[name] for name in apart.NAMES}
    yield
    for name, value in before.items():
        setattr(State, name, value)


def _graph() -> Any:
    return tf.Graph().as_default()


def _session() -> Any:
    with tf.Graph().as_default():
        tf.constant(1.0)
        return v1.Session()


def _keras_scope() -> Any:
    return tf.keras.backend.name_scope("scope")


def _accumulator() -> Any:
    x = tf.constant(1.0)
    return tf.autodiff.ForwardAccumulator(x, tf.constant(1.0))


BLOCKS: dict[str, Callable[[], Any]] = {
    "tape": tf.GradientTape,
    "persistent tape": lambda: tf.GradientTape(persistent=True),
    "recording": tf.recording,
    "accumulator": _accumulator,
    "graph": _graph,
    "session": _session,
    "default session": lambda: _session().as_default(),
    "name scope": lambda: tf.name_scope("scope"),
    "scope of Keras": _keras_scope,
    "init_scope": tf.init_scope,
    "rewrites": lambda: tf.config.rewrites(taylor=False),
}
IN_GRAPH: dict[str, Callable[[], Any]] = {
    "name scope": lambda: tf.name_scope("scope"),
    "control dependencies": lambda: tf.control_dependencies([tf.constant(1.0)]),
    "device": lambda: tf.device("/cpu:0"),
    "overrides": lambda: v1.get_default_graph().gradient_override_map({"Sin": "nothing"}),
    "graph": _graph,
    "init_scope": tf.init_scope,
}


def _now() -> dict[str, Any]:
    """Return all that is current, the graph's own entries included."""
    names = ("graph", "graphs", "observers", "scope", "sessions", "memory", "site", "session", "counters")
    found = {name: getattr(state, name) for name in names}
    if state.graph is not None:
        found.update({f"graph.{name}": getattr(state.graph, name) for name in ("scope", "controls", "device_name", "overrides")})
    return {**found, "rewrites": tf.config.get_rewrites()}


def _struck_while_left(block: Any, at: int, within: Callable[[], object] = bool) -> bool:
    """Leave a block in which something is called, with Ctrl-C at an event of the leaving, as a handler would raise it.

    Returns:
        Whether there was such an event.
    """
    left = [at]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(ROOT):
            return None
        if event in ("call", "line"):
            left[0] -= 1
            if left[0] < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    try:
        with block:
            within()
            sys.settrace(trace)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("kind", BLOCKS)
def test_struck_at_each_line_of_its_leaving(kind: str):
    _strike_each(BLOCKS[kind])


@pytest.mark.parametrize("kind", IN_GRAPH)
def test_struck_at_each_line_of_its_leaving_in_a_graph(kind: str):
    with tf.Graph().as_default():
        _strike_each(IN_GRAPH[kind])


def _strike_each(make: Callable[[], Any]) -> None:
    at = 0
    while True:
        before = _now()
        if not _struck_while_left(make(), at):
            break
        after = _now()
        assert after == before, at
        at += 1
    assert at > 0


def test_a_pause_of_a_tape_ends_wherever_it_is_struck():
    at, struck = 0, True
    while struck:
        x = tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            struck = _struck_while_left(tape.stop_recording(), at)
            assert state.observers == (tape,)
            y = x * x
        assert float(tape.gradient(y, x)) == 4.0
        assert state.observers == ()
        at += 1
    assert at > 1


def test_a_tape_whose_leaving_was_broken_off_can_be_entered_again():
    tape = tf.GradientTape(persistent=True)
    assert _struck_while_left(tape, 0)
    x = tf.constant(3.0)
    with tape:
        tape.watch(x)
        y = x * x
    assert float(tape.gradient(y, x)) == 6.0


def test_tapes_may_overlap():
    x = tf.constant(3.0)
    first, second = tf.GradientTape(), tf.GradientTape()
    with first:
        first.watch(x)
        second.__enter__()
        second.watch(x)
        y = x * x
    assert state.observers == (second,)
    z = y * x
    second.__exit__(None, None, None)
    assert state.observers == ()
    assert (float(first.gradient(y, x)), float(second.gradient(z, x))) == (6.0, 27.0)


# --- coroutines ---------------------------------------------------------------------------------------------------------


def test_graphs_of_coroutines_do_not_mix():
    async def build(name: str, count: int) -> list[str]:
        with tf.Graph().as_default() as graph:
            for k in range(count):
                tf.constant(1.0, name=f"{name}{k}")
                await asyncio.sleep(0)
                assert v1.get_default_graph() is graph
        return [op.name for op in graph.get_operations()]

    async def eager() -> float:
        total = tf.constant(0.0)
        for _ in range(6):
            assert tf.executing_eagerly()
            total = total + 1.0
            await asyncio.sleep(0)
        return float(total)

    async def main() -> list[Any]:
        return await asyncio.gather(build("a", 5), build("b", 3), eager(), build("c", 4))

    a, b, total, c = asyncio.run(main())
    assert (a, b, c) == ([f"a{k}" for k in range(5)], [f"b{k}" for k in range(3)], [f"c{k}" for k in range(4)])
    assert total == 6.0
    assert state.graph is None


def test_tapes_of_coroutines_do_not_mix():
    async def derivative(value: float, order: int) -> float:
        x = tf.constant(value)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.ones([])
            for _ in range(order):
                y = y * x
                await asyncio.sleep(0)
                assert state.observers == (tape,)
        await asyncio.sleep(0)
        assert state.observers == ()
        return float(tape.gradient(y, x))

    async def main() -> list[float]:
        return await asyncio.gather(*[derivative(float(k), k) for k in range(1, 6)])

    assert asyncio.run(main()) == [float(k * k ** (k - 1)) for k in range(1, 6)]
    assert state.observers == ()


def test_sessions_and_scopes_of_coroutines_do_not_mix():
    async def work(name: str) -> tuple[str, Any]:
        with tf.Graph().as_default(), v1.Session() as session:
            await asyncio.sleep(0)
            with tf.name_scope(name):
                await asyncio.sleep(0)
                c = tf.constant(name, name="c")
            await asyncio.sleep(0)
            assert v1.get_default_session() is session
            return c.op.name, c.eval()

    async def main() -> Any:
        return await asyncio.gather(work("one"), work("two"), work("three"))

    assert asyncio.run(main()) == [(f"{n}/c", n.encode()) for n in ("one", "two", "three")]


def test_a_task_begins_with_what_is_current_where_it_is_made():
    async def child() -> str:
        await asyncio.sleep(0)
        return str(tf.constant(1.0, name="of_the_child").graph is not None)

    async def main() -> list[str]:
        with tf.Graph().as_default() as graph:
            task = asyncio.create_task(child())
        await task
        return [op.name for op in graph.get_operations()]

    assert asyncio.run(main()) == ["of_the_child"]


def test_eager_execution_may_be_switched_off_after_coroutines_have_run():
    test_graphs_of_coroutines_do_not_mix()
    try:
        v1.disable_eager_execution()
        assert not tf.executing_eagerly()
    finally:
        v1.enable_eager_execution()
    assert tf.executing_eagerly()


# --- contexts -----------------------------------------------------------------------------------------------------------

VARIABLE = contextvars.ContextVar("VARIABLE", default="default")


def _seen() -> tuple[Any, ...]:
    with np.errstate():
        return VARIABLE.get(), decimal.getcontext().prec, np.geterr()["divide"]


MINE = ("mine", 50, "raise")


@pytest.fixture
def mine() -> Iterator[None]:
    """Have a context variable, a precision and NumPy's settings of the caller's own."""
    tf.sin(1.0)
    token = VARIABLE.set("mine")
    with decimal.localcontext(prec=50), np.errstate(divide="raise"):
        yield
    VARIABLE.reset(token)


def _eagerly(f: Callable[[Any], Any]) -> Any:
    return f(tf.constant(1.0))


def _traced(f: Callable[[Any], Any]) -> Any:
    return tf.function(f)(tf.constant(1.0))


def _in_a_session(f: Callable[[Any], Any]) -> Any:
    with tf.Graph().as_default(), v1.Session() as session:
        return session.run(f(tf.constant(1.0)))


ROADS = {"eagerly": _eagerly, "function": _traced, "session": _in_a_session}


@pytest.mark.parametrize("executor", ["numpy", "xla", "auto"])
@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("kind", [tf.numpy_function, tf.py_function])
def test_a_callback_runs_in_its_callers_context(mine: None, executor: str, road: str, kind: Any):
    if executor != "numpy":
        pytest.importorskip("jax")
    seen = []

    def callback(a: Any) -> Any:
        seen.append(_seen())
        VARIABLE.set("from the callback")
        return a

    before = tf.config.get_executor()
    tf.config.set_executor(executor)
    try:
        ROADS[road](lambda x: kind(callback, [x], tf.float32) / 0.0)  # what tensors do stays silent
        assert seen[0] == MINE
        assert VARIABLE.get() == "from the callback"
        assert np.geterr()["divide"] == "raise"
    finally:
        tf.config.set_executor(before)


@pytest.mark.parametrize("road", ["eagerly", "function"])
def test_a_derivative_of_the_users_own_runs_in_its_callers_context(mine: None, road: str):
    seen = []

    @tf.custom_gradient
    def f(x: Any) -> Any:
        def grad(g: Any) -> Any:
            seen.append(_seen())
            return 3.0 * g

        return tf.identity(x), grad

    def derivative(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    assert float(ROADS[road](derivative)) == 3.0
    assert set(seen) == {MINE}


def test_what_is_computed_again_runs_in_its_callers_context(mine: None):
    seen = []

    @tf.recompute_grad
    def f(x: Any) -> Any:
        seen.append(_seen())
        return x * x

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert float(tape.gradient(y, x)) == 6.0
    assert seen == [MINE, MINE]


def test_callbacks_within_callbacks(mine: None):
    seen = []

    @tf.function
    def inner(x: Any) -> Any:
        return tf.numpy_function(lambda a: (seen.append(_seen()), a)[1], [x], tf.float32)

    def outer(a: Any) -> Any:
        with np.errstate(divide="warn"):
            inner(tf.constant(a))
        seen.append(_seen())
        return a

    tf.function(lambda x: tf.numpy_function(outer, [x], tf.float32))(tf.constant(1.0))
    assert seen == [("mine", 50, "warn"), MINE]


def test_numpy_is_silent_within_and_speaks_again_after():
    before = errors_now()
    assert quietly(lambda: str(np.float64(1.0) / np.zeros([])[()])) == "inf"
    assert errors_now() is before
    with np.errstate(divide="raise"):
        assert float(tf.constant(1.0) / tf.constant(0.0)) == np.inf
        with pytest.raises(FloatingPointError):
            np.float64(1.0) / np.zeros([])[()]


COLLECTING = """
import contextvars, gc, random
import wengert as tf

x = tf.constant(1.0)
tf.sin(x)

def computes(phase, info):
    tf.sin(x)
    for _ in range(6):
        contextvars.ContextVar("other").set(1)

def turns():
    kept = []
    while True:
        kept += [[] for _ in range(random.randrange(20))]  # so that the collector comes at any point
        tf.cos(x)
        context = contextvars.copy_context()
        assert len(context) == len(list(context))
        if len(context) > 60:
            return

gc.callbacks.append(computes)
gc.set_threshold(100)
for _ in range(12):
    contextvars.Context().run(turns)
"""


def test_what_the_collector_calls_may_compute():
    # In a process of its own: what it guards against may end the interpreter.
    done = subprocess.run([sys.executable, "-c", COLLECTING], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_handler_may_compute_at_any_time():
    ran, failed = [0], []
    x = tf.constant(np.random.default_rng(0).random((60, 60)))
    step = tf.function(lambda a: tf.sin(a) @ a)

    def handler(number: int, frame: Any) -> None:
        ran[0] += 1
        try:
            value = float(tf.reduce_sum(tf.sin(tf.constant([1.0, 2.0]))))
            assert abs(value - 1.750768) < 1e-5
        except Exception as error:
            failed.append(error)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        while ran[0] < 150:
            tf.map_fn(lambda a: a * 2.0, tf.constant(np.ones(5)))
            step(x)
            tf.sin(x) @ x
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert failed == []


def test_current_gives_what_was_asked_for():
    with current("given", scope="a/") as given:
        assert (given, state.scope, known(state)["scope"]) == ("given", "a/", "a/")
    assert state.scope == ""
    assert os.path.isdir(ROOT)


def test_a_tape_that_was_paused_is_left_wherever_it_is_struck():
    at, struck = 0, True
    while struck:
        tape = tf.GradientTape()

        def pause(tape: tf.GradientTape = tape) -> None:
            with tape.stop_recording():
                pass

        struck = _struck_while_left(tape, at, pause)
        assert (state.observers, tape.recording) == ((), False), at
        at += 1
    assert at > 1
