"""Processes made by a fork: they compute what the parent would, under every executor, whatever the parent's threads were at.

Each program runs in a process of its own, which a limit of time guards: what goes wrong with forks is that something hangs.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import wengert

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

LIMIT = 60
"""Seconds after which a program hangs."""

CHILD = """
import os, sys, threading, time
import numpy as np
import wengert as tf

def child(work):
    "Return what a forked process says of its work, or that it hangs."
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = repr(work())
        except BaseException as error:
            said = repr(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    end = time.time() + 15
    while time.time() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            said = os.read(read, 10000).decode()
            os.close(read)
            return said
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "hangs"
"""


def run(program: str, executor: str = "numpy") -> subprocess.CompletedProcess:
    source = f"{CHILD}\ntf.config.set_executor({executor!r})\n{textwrap.dedent(program)}"
    found = subprocess.run(
        # JAX warns of every fork.
        [sys.executable, "-W", "ignore:os.fork:RuntimeWarning", "-c", source],
        capture_output=True, text=True, timeout=LIMIT, cwd=Path(wengert.__file__).parents[1],
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found


everywhere = pytest.mark.parametrize("executor", ["native", "numpy", "xla", "auto"])


@pytest.fixture(autouse=True)
def _jax(request):
    if "executor" in request.fixturenames and request.getfixturevalue("executor") in ("xla", "auto"):
        pytest.importorskip("jax")


@everywhere
def test_functions_sessions_and_fits_go_on_in_a_child(executor):
    found = run(
        """
        v = tf.Variable(np.ones(3))

        @tf.function
        def step(x):
            v.assign_add(x * np.ones(3))
            return tf.reduce_sum(v * x)

        g = tf.Graph()
        with g.as_default():
            w = tf.compat.v1.Variable([1.0, 2.0])
            up = w.assign_add([1.0, 1.0])
            start = tf.compat.v1.global_variables_initializer()
        session = tf.compat.v1.Session(graph=g)
        session.run(start)
        model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,)), tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        x = np.ones((4, 3), np.float32)

        def work():
            fit = model.fit(x, x[:, :1], epochs=2, verbose=0, shuffle=False).history["loss"]
            new = tf.function(lambda t: tf.tanh(t) * 2.0)(tf.constant([0.5, 1.0]))
            return float(step(2.0)), session.run(up).tolist(), [round(l, 4) for l in fit], new.numpy().round(4).tolist()

        step(2.0), session.run(up), model.fit(x, x[:, :1], verbose=0)
        one = child(work)
        two = child(lambda: child(work))  # and in a child's child
        print(one == repr(work()), two == repr(one), one)
        """,
        executor,
    )
    assert found.stdout.startswith("True True"), found.stdout + found.stderr
    # Each child says it once, on a line.
    assert found.stderr.count("NumPy computes here") == (3 if executor == "xla" else 0) - (executor == "xla"), found.stderr


def test_a_child_may_leave_by_sys_exit_after_xla_has_run():
    pytest.importorskip("jax")
    found = run(
        """
        f = tf.function(lambda x: tf.sin(x))
        f(tf.constant(1.0))
        pid = os.fork()
        if pid == 0:
            f(tf.constant([1.0, 2.0]))
            del f  # what XLA had compiled for it goes too
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
        "xla",
    )
    assert found.stdout == "7\n"


@everywhere
def test_a_pool_of_forked_processes(executor):
    found = run(
        """
        import multiprocessing
        f = tf.function(lambda x: tf.reduce_sum(x * x))
        f(tf.constant([1.0, 2.0]))
        v = tf.Variable([3.0])

        def job(t):
            return f(t), v

        with multiprocessing.get_context("fork").Pool(2) as pool:
            found = pool.map_async(job, [tf.constant([float(i), 1.0]) for i in range(6)]).get(20)
        print([float(t) for t, _ in found], {float(w[0]) for _, w in found})
        """,
        executor,
    )
    assert found.stdout == "[1.0, 2.0, 5.0, 10.0, 17.0, 26.0] {3.0}\n"


@everywhere
def test_forks_while_threads_trace_run_and_assign(executor):
    found = run(
        """
        v = tf.Variable(np.zeros(200))

        @tf.function
        def step(x):
            v.assign_add(x * np.ones(200))
            return tf.reduce_sum(v)

        def fresh(x):
            return tf.function(lambda t: tf.reduce_sum(tf.sin(t) * t))(x)

        step(1.0)
        end, failed = threading.Event(), []

        def busy():
            try:
                while not end.is_set():
                    step(1.0)
                    fresh(tf.constant([1.0, 2.0]))
            except Exception as error:
                failed.append(error)

        def work():
            before = v.numpy()
            after = float(step(1.0))
            return len(set(before.tolist())), bool(after == 200 * (before[0] + 1.0)), round(float(fresh(tf.constant([1.0]))), 4)

        threads = [threading.Thread(target=busy, daemon=True) for _ in range(2)]
        for t in threads:
            t.start()
        print({child(work) for _ in range(25)}, failed)
        end.set()
        for t in threads:
            t.join(20)
        """,
        executor,
    )
    assert found.stdout == "{'(1, True, 0.8415)'} []\n", found.stdout + found.stderr


@pytest.mark.parametrize("executor", ["native", "auto"])
def test_forks_while_threads_compile_machine_code(executor):
    found = run(
        """
        w, x = tf.Variable(np.eye(16)), np.linspace(0, 1, 2000 * 16).reshape(2000, 16)

        @tf.function
        def step(x):
            y = x
            for _ in range(8):
                y = tf.tanh(tf.matmul(y, w)) * 1.1
            return tf.reduce_sum(y)

        def fresh(k):
            f = tf.function(lambda t: tf.reduce_sum(tf.sin(t * float(k)) * tf.exp(t) * t + tf.tanh(t) * t * t))
            return [float(f(tf.constant(x))) for _ in range(4)][-1]

        wanted = float(step(x))
        end, failed = threading.Event(), []

        def busy(k):
            try:
                turn = 0
                while not end.is_set():
                    step(x)
                    fresh(turn % 7 + 10 * k)
                    turn += 1
            except Exception as error:
                failed.append(error)

        def work():
            return all(abs(float(step(x)) - wanted) < 1e-9 for _ in range(4)), fresh(3) != 0.0

        threads = [threading.Thread(target=busy, args=(k,), daemon=True) for k in range(2)]
        for t in threads:
            t.start()
        print({child(work) for _ in range(15)}, failed)
        end.set()
        for t in threads:
            t.join(20)
        """,
        executor,
    )
    assert found.stdout == "{'(True, True)'} []\n", found.stdout + found.stderr


@everywhere
def test_a_fork_inside_of_a_callback(executor):
    found = run(
        """
        def call(a):
            said.append(child(lambda: float(other(tf.constant(2.0)))))
            return a

        said = []
        other = tf.function(lambda x: x * x)
        f = tf.function(lambda x: tf.numpy_function(call, [x], tf.float32) * 2.0)
        other(tf.constant(1.0))
        print(float(f(tf.constant(3.0))), said)
        """,
        executor,
    )
    assert found.stdout == "6.0 ['4.0']\n"


def test_row_tiles_have_their_threads_in_a_child():
    found = run(
        """
        from wengert.execute.tiles import run as tiles
        x = tf.constant(np.random.RandomState(0).rand(60000, 16).astype("f4"))
        f = tf.function(lambda x: tf.reduce_sum(tf.tanh(tf.sin(x) * x) + tf.exp(-x * x), axis=1))
        one = f(x).numpy()
        print(child(lambda: bool((f(x).numpy() == one).all())))
        """
    )
    assert found.stdout == "True\n"


def test_a_child_of_a_thread_answers_to_ctrl_c():
    found = run(
        """
        import signal
        held, going = threading.Event(), threading.Event()

        def wait(a):
            going.set()
            held.wait(20)
            return a

        v = tf.Variable(1.0)

        @tf.function
        def slow(x):
            v.assign_add(1.0)
            return tf.numpy_function(wait, [x], tf.float32)

        def work():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            except KeyboardInterrupt:
                return "interrupted"

        def fork():
            going.wait(20)
            said.append(child(work))
            held.set()

        said = []
        t = threading.Thread(target=fork)
        t.start()
        slow(tf.constant(1.0))
        t.join(20)
        print(said)
        """
    )
    assert found.stdout == "[\"'interrupted'\"]\n"


@everywhere
def test_what_a_function_gave_is_read_in_a_child_as_well(executor):
    found = run(
        """
        f = tf.function(lambda x: x * 3.0)
        y = f(tf.constant([1.0, 2.0]))
        print(child(lambda: (y.numpy().tolist(), f(y).numpy().tolist())))
        print(y.numpy().tolist())
        """,
        executor,
    )
    assert found.stdout == "([3.0, 6.0], [9.0, 18.0])\n[3.0, 6.0]\n"
