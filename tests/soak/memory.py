"""Ten thousand of everything, made, used and dropped: none is left alive, and the process is no larger in the end."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

import wengert as tf

from .trial import Fault, nothing_left

v1 = tf.compat.v1
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "10000"))
"""How many of each are made: fewer in the tests."""
FLAT = 4e6
"""By how many bytes a process may grow between the second and the last quarter: the allocator's own ups and downs."""
WIDTH = 2000
"""Numbers in each array: what is left alive is seen, 16 kB each."""


def scalars() -> Any:
    x = tf.constant(np.ones(WIDTH))
    return [x, tf.sin(x) * 2.0]


def variables() -> Any:
    v = tf.Variable(np.ones(WIDTH))
    v.assign_add(v)
    return [v]


def tapes() -> Any:
    x = tf.Variable(np.ones(WIDTH))
    with tf.GradientTape() as outer:
        with tf.GradientTape(persistent=True) as inner:
            y = tf.reduce_sum(x**3)
        first = inner.gradient(y, x)
    outer.gradient(first, x)
    return [outer, inner, x]


def graphs() -> Any:
    with tf.Graph().as_default() as graph:
        v = v1.get_variable("v", initializer=np.ones(WIDTH))
        train = v1.train.AdamOptimizer(0.1).minimize(tf.reduce_sum(v**2))
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            session.run(train)
    return [graph, session, v]


@functools.cache
def static() -> Any:
    with tf.Graph().as_default() as graph:
        v = v1.get_variable("v", initializer=np.ones(WIDTH))
        y, start = v * 2.0, v1.global_variables_initializer()
    return graph, y, start


def sessions() -> Any:
    graph, y, start = static()
    with v1.Session(graph=graph) as session:
        session.run(start)
        session.run(y)
    return [session]


def functions() -> Any:
    v = tf.Variable(np.ones(WIDTH))

    @tf.function
    def f(x: Any) -> Any:
        if tf.reduce_sum(x) > 0.0:
            return x * v
        return -x * v

    f(tf.constant(np.ones(WIDTH)))
    return [f, v]


class Module(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.v = tf.Variable(np.ones(WIDTH))

    @tf.function
    def call(self, x: Any) -> Any:
        if tf.reduce_sum(x) > 0.0:
            return x * self.v
        return -x * self.v


def methods() -> Any:
    m = Module()
    m.call(tf.constant(1.0, tf.float64))
    return [m, m.v]


@functools.cache
def doubled() -> Any:
    return tf.function(lambda x, k: x * 2.0 * k)


def arguments() -> Any:
    x = tf.constant(np.ones(WIDTH))
    doubled()(x, tf.constant(2.0, tf.float64))
    return [x]


def traces() -> Any:
    f = tf.function(lambda x: x * 2.0)
    x = tf.constant(np.ones(WIDTH))
    concrete = f.get_concrete_function(x)
    concrete(x)
    return [f, concrete, x]


def models() -> Any:
    model = tf.keras.Sequential([tf.keras.layers.Input((40,)), tf.keras.layers.Dense(50)])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 40), "f4"), np.ones((4, 50), "f4"), verbose=0)
    return [model, *model.weights, model.optimizer]


def optimizers() -> Any:
    v = tf.Variable(np.ones(WIDTH))
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.apply_gradients([(tf.ones_like(v), v)])
    return [optimizer, v]


def fields() -> Any:
    v = tf.Variable(np.ones((1, 50)))
    u = tf.field(lambda x, t: tf.tanh(x * t * v), "x t")
    u.xx(tf.ones([4, 1], tf.float64), tf.ones([4, 1], tf.float64))
    return [u, v]


def forward() -> Any:
    x = tf.constant(np.ones(WIDTH))
    with tf.autodiff.ForwardAccumulator(x, x) as accumulator:
        y = tf.sin(x)
    accumulator.jvp(y)
    return [accumulator, x]


@functools.cache
def home() -> str:
    path = tempfile.mkdtemp()
    weakref.finalize(Module, shutil.rmtree, path, True)
    return path


number = itertools.count()


def writers() -> Any:
    path = Path(home()) / "summaries"
    writer = tf.summary.create_file_writer(str(path))
    with writer.as_default(step=1):
        tf.summary.text("a", "b" * 16000)
    writer.close()
    shutil.rmtree(path)
    return [writer]


def checkpoints() -> Any:
    v = tf.Variable(np.ones(WIDTH))
    checkpoint = tf.train.Checkpoint(v=v)
    manager = tf.train.CheckpointManager(checkpoint, home() + "/kept", 2)
    manager.save()
    checkpoint.restore(manager.latest_checkpoint)
    return [checkpoint, manager, v]


def breaks(exception: type[BaseException]) -> Callable[[], Any]:
    """Return what makes a tape, a function and a session, and breaks each of them off."""

    def fails(a: Any) -> Any:
        raise exception("from a callback")

    def make() -> Any:
        x = tf.Variable(np.ones(WIDTH))
        f = tf.function(lambda y: tf.numpy_function(fails, [y * x], tf.float64))
        with tf.Graph().as_default() as graph:
            v = v1.get_variable("v", initializer=np.ones(WIDTH))
            y = tf.numpy_function(fails, [v], tf.float64)
            session = v1.Session(graph=graph)
            session.run(v1.global_variables_initializer())
        tape = tf.GradientTape()

        def taped() -> None:
            with tape:
                tf.numpy_function(fails, [x * x], tf.float64)

        for one in (lambda: f(x), lambda: session.run(y), taped):
            try:
                one()
            except BaseException as error:
                if "from a callback" not in str(error):
                    raise
        nothing_left()
        return [f, graph, session, tape, x]

    return make


MAKERS: dict[str, Callable[[], Any]] = {
    "tensors": scalars, "variables": variables, "tapes": tapes, "graphs": graphs, "sessions": sessions, "functions": functions,
    "methods": methods, "arguments": arguments, "traces": traces, "models": models, "optimizers": optimizers, "fields": fields,
    "accumulators": forward, "writers": writers, "checkpoints": checkpoints, "exceptions": breaks(ValueError),
    "Ctrl-C in callbacks": breaks(KeyboardInterrupt),
}  # fmt: skip
SUBJECTS = tuple(MAKERS)
SHORT = len(SUBJECTS)


def size() -> int:
    """Return how many bytes of memory the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def trial(subject: str, random: Random) -> int:
    make = MAKERS[subject]
    quarters: list[list[int]] = []
    for _ in range(4):
        sizes: list[int] = []
        for _ in range(5):
            references = [weakref.ref(one) for _ in range(max(1, ROUNDS // 20)) for one in make()]
            gc.collect()
            alive = [one for one in (r() for r in references) if one is not None]
            if alive:
                kinds = sorted({type(one).__name__ for one in alive})
                raise Fault("left", f"{len(alive)} of {len(references)} are alive: {', '.join(kinds)}")
            sizes.append(size())
        quarters.append(sizes)
    second, last = (sum(q) / len(q) for q in (quarters[1], quarters[3]))
    if last - second > FLAT:
        raise Fault("left", f"the process grew by {(last - second) / 1e6:.1f} MB while {ROUNDS // 2} were made and dropped")
    return ROUNDS
