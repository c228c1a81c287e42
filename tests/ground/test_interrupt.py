"""Ctrl-C: what a run assigns is there whole or not at all, and the session goes on to work."""

import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

import wengert as tf
import wengert.execute
from wengert.ground import interrupt
from wengert.ground.context import state
from wengert.ground.interrupt import breakable, undivided
from wengert.modes.variable import Storage

v1 = tf.compat.v1

LOOP = """
import signal
armed, waiting = False, 0
def struck(number, frame):  # what comes while something is printed is kept until the next run
    global waiting
    if armed:
        raise KeyboardInterrupt
    waiting += 1
signal.signal(signal.SIGINT, struck)
def go(run, report):
    global armed, waiting
    print("ready", flush=True)
    while True:
        try:
            armed = True
            if waiting:
                raise KeyboardInterrupt
            while True:
                run()
        except KeyboardInterrupt:
            armed, waiting = False, 0
            report()
"""

SESSION = """
import sys
import numpy as np
import wengert as tf
v1 = tf.compat.v1
tf.config.set_executor(sys.argv[1])
wide = sys.argv[2] == "tiles"
with tf.Graph().as_default():
    x = v1.placeholder(tf.float32, [20000, 3] if wide else [200, 200])
    variables = [v1.Variable(np.zeros([3, 3] if wide else [200, 200], np.float32)) for _ in range(4)]
    counts, h = [], x
    for v in variables:
        for _ in range(12):
            h = tf.tanh(h @ tf.zeros_like(v) + h) if wide else tf.tanh(h @ h * 0.01)
        with tf.control_dependencies(counts[-1:]):
            counts.append(v.assign_add(tf.ones_like(v) + 0.0 * tf.reduce_mean(h)).op)
    noise = v1.random_uniform([], seed=3)
    sess = v1.Session()
    sess.run(v1.global_variables_initializer())
    feeds = {x: np.random.default_rng(0).random(x.shape).astype("f")}
    train = (counts, noise)
    sess.run(train, feeds)
    def report():
        print(*{float(v.ravel()[0]) for v in sess.run(variables)}, flush=True)
    go(lambda: sess.run(train, feeds), report)
"""

FUNCTION = """
import sys
import numpy as np
import wengert as tf
tf.config.set_executor(sys.argv[1])
variables = [tf.Variable(tf.zeros([200, 200])) for _ in range(4)]
x = tf.constant(np.random.default_rng(0).random([200, 200]).astype("f"))
@tf.function
def train():
    h = x
    for v in variables:
        for _ in range(12):
            h = tf.tanh(h @ h * 0.01)
        v.assign_add(tf.ones_like(v) + 0.0 * tf.reduce_mean(h))
train()
go(train, lambda: print(*{float(v.numpy().ravel()[0]) for v in variables}, flush=True))
"""


@pytest.mark.parametrize("executor", ["numpy", "xla", "auto"])
@pytest.mark.parametrize("kind", ["whole", "tiles", "function"])
def test_assignments_of_a_run_happen_together(executor: str, kind: str):
    if executor != "numpy":
        pytest.importorskip("jax")
    source = LOOP + (FUNCTION if kind == "function" else SESSION)
    command = [sys.executable, "-c", source, executor, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) as child:
        try:
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
            seen = []
            for k in range(12):
                time.sleep(0.005 + 0.0031 * k if k < 11 else 1.5)  # within runs; at last after many
                child.send_signal(signal.SIGINT)
                seen.append(child.stdout.readline().split())
        finally:
            child.kill()
    assert [len(values) for values in seen] == [1] * 12, seen  # all variables have been counted up as often
    counts = [float(values[0]) for values in seen]
    assert counts == sorted(counts) and counts[-1] > counts[0]


def test_a_run_that_is_broken_off_is_undone():
    first, second = Storage("a", (), np.dtype("f4")), Storage("b", (), np.dtype("f4"))
    first.write(1.0)
    state.counters = {"draw": 2}

    @breakable
    def run() -> None:
        first.write(5.0)
        second.write(6.0)
        state.counters["draw"] += 1
        signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            undivided(run, storages=[first, second])
        assert state.counters == {"draw": 2}
    finally:
        state.counters = None
    assert (first.read(), second.array) == (1.0, None)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_where_it_may_not_be_broken_off_it_ends_first():
    done = []

    @breakable
    def awaits() -> None:
        undivided(quiet)
        done.append("outer")

    def quiet() -> str:
        signal.raise_signal(signal.SIGINT)
        done.append("inner")
        return "result"

    with pytest.raises(KeyboardInterrupt):
        undivided(quiet)
    assert done == ["inner"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):  # what may not be broken off stands nearer than what may
        undivided(awaits)
    assert done == ["inner", "inner", "outer"]


def test_a_second_one_while_it_is_undone_changes_nothing():
    storage = Storage("a", (), np.dtype("f4"))
    storage.write(1.0)
    steps = []

    @breakable
    def run() -> None:
        storage.write(2.0)
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            steps.append("cleared up")

    with pytest.raises(KeyboardInterrupt):
        undivided(run, storages=[storage])
    assert (steps, storage.read()) == (["cleared up"], 1.0)


def test_a_handler_of_the_users_own_is_called():
    told = []
    before = signal.signal(signal.SIGINT, lambda number, frame: told.append(number))
    try:
        assert undivided(lambda: signal.raise_signal(signal.SIGINT) or "done") == "done"
        assert told == [signal.SIGINT]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert undivided(lambda: signal.raise_signal(signal.SIGINT) or "done") == "done"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert told == [signal.SIGINT]


def test_other_threads_and_errors_of_the_run():
    found = []
    thread = threading.Thread(target=lambda: found.append(undivided(lambda: 3)))
    thread.start()
    thread.join()
    assert found == [3]

    def fails() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        undivided(fails)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_comes_the_moment_the_handler_is_laid_is_not_forgotten(monkeypatch: pytest.MonkeyPatch):
    laid = interrupt._install

    def at_once(number: int, handler: object) -> object:
        before = laid(number, handler)
        if handler is interrupt._strike:
            signal.raise_signal(signal.SIGINT)
        return before

    monkeypatch.setattr(interrupt, "_install", at_once)
    done = []
    with pytest.raises(KeyboardInterrupt):
        undivided(lambda: done.append(1))
    assert done == [1]


def test_what_is_half_done_stands_in_modules_that_say_so():
    names = [info.name for info in pkgutil.walk_packages(wengert.execute.__path__, "wengert.execute.") if not info.ispkg]
    owners = {module.__name__ for module in map(importlib.import_module, names)}
    owners |= {kind.__module__ for kind in (Storage, v1.Session, type(tf.function(lambda: 0)))}
    unmarked = sorted(name for name in owners if not getattr(sys.modules[name], "UNDIVIDED", False))
    assert unmarked == []


# --- signals other than Ctrl-C --------------------------------------------------------------------------------------------

OTHERS = [getattr(signal, name) for name in ("SIGTERM", "SIGALRM", "SIGUSR1", "SIGHUP") if hasattr(signal, name)]


class _Ended(BaseException):
    pass


@pytest.fixture
def raising(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal whose handler raises."""

    def handler(number: int, frame: object) -> None:
        raise _Ended

    before = signal.signal(request.param, handler)
    yield request.param
    assert signal.getsignal(request.param) is handler
    signal.signal(request.param, before)


@pytest.mark.parametrize("raising", OTHERS, indirect=True)
def test_another_signal_waits_where_nothing_may_be_broken_off(raising: int):
    done = []

    def run() -> None:
        signal.raise_signal(raising)
        done.append(1)

    with pytest.raises(_Ended):
        undivided(run)
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("raising", OTHERS, indirect=True)
def test_another_signal_undoes_what_may_be_undone(raising: int):
    storage = Storage("a", (), np.dtype("f4"))
    storage.write(1.0)

    @breakable
    def run() -> None:
        storage.write(2.0)
        signal.raise_signal(raising)

    with pytest.raises(_Ended):
        undivided(run, storages=[storage])
    assert storage.read() == 1.0


@pytest.mark.parametrize("raising", OTHERS[:2], indirect=True)
@pytest.mark.parametrize("sent", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
@pytest.mark.parametrize("at", range(9))
def test_whenever_it_comes_the_handlers_are_given_back(raising: int, sent: list[int], at: int, monkeypatch: pytest.MonkeyPatch):
    """Signals arrive the moment before, or after, a handler is laid or given back."""
    laid, calls, come = interrupt._install, [0], []

    def install(number: int, handler: object) -> object:
        calls[0] += 1
        mine = calls[0] - 1 == at // 2
        if mine and at % 2 == 0:
            come.extend(sent)
            for one in sent:
                signal.raise_signal(one)
        before = laid(number, handler)
        if mine and at % 2:
            come.extend(sent)
            for one in sent:
                signal.raise_signal(one)
        return before

    def ends(number: int, frame: object) -> None:
        raise _Ended

    term = signal.signal(signal.SIGTERM, ends)
    monkeypatch.setattr(interrupt, "_install", install)
    done = []
    try:
        try:
            undivided(lambda: done.append(1))
            raised = False
        except (KeyboardInterrupt, _Ended):
            raised = True
        assert raised == bool(come)
        assert (interrupt._run.depth, interrupt._run.struck) == (0, False)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is ends
        monkeypatch.undo()
        assert undivided(lambda: "well") == "well"
    finally:
        signal.signal(signal.SIGTERM, term)


def test_each_of_several_that_waited_is_answered():
    told = []
    numbers = OTHERS[:3]
    before = [signal.signal(n, lambda number, frame: told.append(number)) for n in numbers]
    try:
        with pytest.raises(KeyboardInterrupt):
            undivided(lambda: [signal.raise_signal(n) for n in (signal.SIGINT, *numbers)])
    finally:
        for n, handler in zip(numbers, before, strict=True):
            signal.signal(n, handler)
    assert sorted(told) == sorted(numbers)


def test_a_handler_sees_whole_steps_and_may_assign():
    """As one that saves before the machine is taken away; what it assigns stays, where the run does not assign later."""
    first, second, third = (Storage(name, (), np.dtype("f4")) for name in "abc")
    for storage in (first, second, third):
        storage.write(1.0)
    seen = []

    def handler(number: int, frame: object) -> None:
        seen.append((float(first.read()), float(second.read())))
        third.write(9.0)

    @breakable
    def run() -> None:
        first.write(2.0)
        signal.raise_signal(signal.SIGTERM)
        second.write(float(first.read()))

    before = signal.signal(signal.SIGTERM, handler)
    try:
        undivided(run, storages=[first, second, third])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [(1.0, 1.0)]
    assert [float(s.read()) for s in (first, second, third)] == [2.0, 2.0, 9.0]


def test_what_jax_calls_back_is_no_place_to_be_broken_off():
    """The collector of garbage passes over exceptions of its callbacks: one raised there would be lost."""
    namespace = {"__name__": "jax._src.lib", "signal": signal}
    exec("def callback():\n    signal.raise_signal(signal.SIGINT)\n", namespace)
    done = []

    @breakable
    def run() -> None:
        namespace["callback"]()
        done.append(1)

    with pytest.raises(KeyboardInterrupt):
        undivided(run)
    assert done == [1]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the exceptions that Python ignores, as below
@pytest.mark.parametrize("executor", ["numpy", "xla"])
def test_a_run_broken_off_by_a_timer_leaves_variables_and_whole_steps(executor: str):
    if executor == "xla":
        pytest.importorskip("jax")
    before = tf.config.get_executor()
    tf.config.set_executor(executor)
    a, b = tf.Variable(np.zeros(3000)), tf.Variable(np.zeros(3000))

    @tf.function
    def step() -> None:
        a.assign_add(tf.ones_like(a))
        b.assign_add(tf.ones_like(b))

    armed = False

    def alarm(number: int, frame: object) -> None:
        if armed:
            raise _Ended

    handler = signal.signal(signal.SIGALRM, alarm)
    try:
        step()
        for k in range(60):
            # Again and again: Python ignores what is raised within a callback of the collector's, such as Hypothesis' own.
            with pytest.raises(_Ended):
                armed = True
                signal.setitimer(signal.ITIMER_REAL, 0.001 + 0.00013 * k, 0.25)
                while True:
                    step()
            armed = False
            assert np.unique(a.numpy()).tolist() == np.unique(b.numpy()).tolist()
            assert len(np.unique(a.numpy())) == 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        tf.config.set_executor(before)
