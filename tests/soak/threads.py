"""Threads that do the same at once, from a barrier on: every number is right, every counter exact, every thread ends."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import wengert as tf

from .savers import one_step
from .trial import Fault, same

v1 = tf.compat.v1
WIDTH = 6
"""How many threads."""
PATIENCE = 20.0
"""Seconds after which a thread hangs."""
Call = Callable[[int], None]
Checks = tuple[Call, Callable[[], None]]
"""What thread ``i`` does, and what holds when all have done it."""


def close(got: Any, want: Any) -> None:
    if not np.allclose(np.asarray(got), want, rtol=1e-5, atol=1e-6):
        raise Fault("lost", f"got {got}, want {want}")


def nothing() -> None:
    """Check nothing: the numbers have been looked at in the threads."""


def eager(random: Random) -> Checks:
    def call(i: int) -> None:
        x = np.linspace(0.0, 1.0, 7) + i
        with tf.name_scope(f"scope{i}"):
            close(
                tf.reduce_sum(tf.sin(x) * tf.cos(x) + tf.matmul([x], [x], transpose_b=True)),
                (np.sin(x) * np.cos(x) + x @ x).sum(),
            )
            same("lost", "the name scope", tf.Variable(0.0, name="v").name, f"scope{i}/v:0")

    return call, nothing


def tapes(random: Random) -> Checks:
    shared = tf.Variable(2.0)

    def call(i: int) -> None:
        x = tf.constant(float(i + 1))
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x**3 * shared
            first = inner.gradient(y, x)
        close(outer.gradient(first, [x, shared]), [12.0 * (i + 1), 3.0 * (i + 1) ** 2])

    return call, nothing


def traced_first(random: Random) -> Checks:
    v = tf.Variable(1.5)

    @tf.function
    def f(x: Any) -> Any:
        for _ in tf.range(3):
            x = x * v
        return x

    shapes = [random.choice([(), (2,), (3, 2)]) for _ in range(WIDTH)]
    return lambda i: close(f(tf.fill(shapes[i], float(i))), np.full(shapes[i], i * 1.5**3)), nothing


def each_other(random: Random) -> Checks:
    @tf.function
    def even(x: Any, n: int) -> Any:
        return x if n == 0 else odd(x + 1.0, n - 1)

    @tf.function
    def odd(x: Any, n: int) -> Any:
        return x if n == 0 else even(x * 2.0, n - 1)

    def want(x: float, n: int, first: bool) -> float:
        for k in range(n):
            x = x + 1.0 if (k % 2 == 0) == first else x * 2.0
        return x

    depth = random.randrange(1, 5)
    functions = [(even, True), (odd, False)]

    def call(i: int) -> None:
        f, first = functions[i % 2]
        close(f(tf.constant(float(i)), depth), want(float(i), depth, first))

    return call, nothing


def static(random: Random) -> Checks:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float64, [None])
        y = tf.gradients(tf.reduce_sum(tf.sin(x)), x)[0]
        count = v1.get_variable("count", initializer=np.zeros(3))
        up = count.assign_add(np.ones(3)).op
        session = v1.Session(graph=graph)
        session.run(v1.global_variables_initializer())

    def call(i: int) -> None:
        xs = np.linspace(0.0, 1.0, 2 + i)
        for _ in range(10):
            close(session.run(y, {x: xs}), np.cos(xs))
            session.run(up)

    return call, lambda: close(session.run(count), np.full(3, 10.0 * WIDTH))


def counters(random: Random) -> Checks:
    eagerly, in_function = tf.Variable(np.zeros(3)), tf.Variable(np.zeros(3))

    @tf.function
    def up() -> None:
        in_function.assign_add(np.ones(3))

    def call(i: int) -> None:
        for _ in range(20):
            eagerly.assign_add(np.ones(3))
            up()

    def check() -> None:
        close(eagerly, np.full(3, 20.0 * WIDTH))
        close(in_function, np.full(3, 20.0 * WIDTH))

    return call, check


def graphs(random: Random) -> Checks:
    def call(i: int) -> None:
        with tf.Graph().as_default(), v1.variable_scope("s"):
            v = v1.get_variable("v", initializer=float(i))
            same("lost", "the name of a variable", v.name, "s/v:0")
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                close(session.run(v * 2.0), 2.0 * i)

    return call, nothing


@functools.cache
def model() -> Any:
    made = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(2, use_bias=False)])
    made.set_weights([np.ones((3, 2), "f4")])
    return made


def predict(random: Random) -> Checks:
    def call(i: int) -> None:
        close(model().predict(np.full((2 + i, 3), float(i), "f4"), verbose=0), np.full((2 + i, 2), 3.0 * i))

    return call, nothing


def saves(random: Random) -> Checks:
    home = tempfile.TemporaryDirectory()
    path = str(Path(home.name) / "shared")

    def call(i: int) -> None:
        own = [tf.Variable(np.full(500, float(i + 1))) for _ in range(2)]
        checkpoint = tf.train.Checkpoint(own=own)
        for _ in range(3):
            checkpoint.write(path)
            reader = tf.train.load_checkpoint(path)
            found = map(reader.get_tensor, reader.get_variable_to_shape_map())
            one_step(found, path)

    def check() -> None:
        left = os.listdir(home.name)
        home.cleanup()
        if left != ["shared.safetensors"]:
            raise Fault("left", f"files after saves of threads: {left}")

    return call, check


def summaries(random: Random) -> Checks:
    home = tempfile.TemporaryDirectory()
    writer = tf.summary.create_file_writer(home.name)

    def call(i: int) -> None:
        for k in range(10):
            with writer.as_default(step=k):
                tf.summary.scalar(f"t{i}", float(k))

    def check() -> None:
        found = sorted((e["tag"], e["step"], e["scalar"]) for e in tf.summary.read(home.name))
        home.cleanup()
        same("lost", "the events of threads", found, [(f"t{i}", k, float(k)) for i in range(WIDTH) for k in range(10)])

    return call, check


def forward(random: Random) -> Checks:
    u = tf.field(lambda x, t: tf.sin(x) * t, "x t")

    def call(i: int) -> None:
        x = tf.constant([[0.5 + i]])
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
            y = tf.exp(x)
        close(accumulator.jvp(y), [[np.exp(0.5 + i)]])
        close(u.xx(x, x), [[-np.sin(0.5 + i) * (0.5 + i)]])

    return call, nothing


MAKERS: dict[str, Callable[[Random], Checks]] = {
    "eager": eager, "tapes": tapes, "function traced first": traced_first, "functions of each other": each_other,
    "session": static, "counters": counters, "graphs": graphs, "predict": predict, "saves": saves, "summaries": summaries,
    "forward and fields": forward,
}  # fmt: skip
SUBJECTS = tuple(MAKERS)
SHORT = 4 * len(SUBJECTS)


def trial(subject: str, random: Random) -> int:
    call, check = MAKERS[subject](random)
    barrier, faults = threading.Barrier(WIDTH), []

    def body(i: int) -> None:
        try:
            barrier.wait()
            call(i)
        except Fault as fault:
            faults.append(fault)
        except BaseException:
            faults.append(Fault("crashed", traceback.format_exc(limit=-6)))

    before = sys.getswitchinterval()
    sys.setswitchinterval(random.choice([1e-6, 1e-5, 1e-3]))
    try:
        threads = [threading.Thread(target=body, args=(i,), daemon=True) for i in range(WIDTH)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
            if thread.is_alive():
                frames = [f for number, f in sys._current_frames().items() if number == thread.ident]
                raise Fault("hung", "".join(traceback.format_stack(frames[0], limit=8)) if frames else "a thread")
    finally:
        sys.setswitchinterval(before)
    if faults:
        raise faults[0]
    check()
    return WIDTH
