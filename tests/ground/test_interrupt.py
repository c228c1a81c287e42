"""Ctrl-C: what a run assigns is there whole or not at all, and the session goes on to work."""

import importlib
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time

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
