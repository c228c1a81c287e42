"""What a step of training costs beside its own computation: `sess.run(train_op, feed_dict)` in a Python loop.

    .venv/bin/python benchmarks/step.py

A network 2-20x8-1, Burgers' residual at few points, Adam. Beside `sess.run`, in turns within one run: the program alone, with
feeds that are converted; and for XLA the executable alone, with values that are on the device and are handed on from call to
call. The differences are the overhead of a step. How often anything was compiled is counted.
"""

import statistics
import time

import numpy as np
from machine import describe

import wengert as tf2
import wengert.compat.v1 as tf
from wengert.ground import context

ROUNDS, STEPS, POINTS = 20, 30, 100


def network():
    """Return a training operation and the feeds, in the default graph."""
    x, t = tf.placeholder(tf.float32, [None, 1]), tf.placeholder(tf.float32, [None, 1])
    rng = np.random.default_rng(0)
    h = tf.concat([x, t], 1)
    for m, n in [(2, 20), *[(20, 20)] * 7, (20, 1)]:
        w = tf.Variable(rng.normal(0, np.sqrt(2 / (m + n)), (m, n)).astype("float32"))
        b = tf.Variable(np.zeros((1, n), "float32"))
        h = tf.matmul(h, w) + b
        h = tf.tanh(h) if n != 1 else h
    u_x, u_t = tf.gradients(h, [x, t])
    u_xx = tf.gradients(u_x, x)[0]
    loss = tf.reduce_mean(tf.square(u_t + h * u_x - 0.003 * u_xx))
    train = tf.train.AdamOptimizer().minimize(loss)
    return train, {x: rng.random((POINTS, 1)), t: rng.random((POINTS, 1))}


def timed(function):
    """Return the median of some calls in microseconds."""
    times = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def measure(executor):
    """Print the rows of one executor."""
    tf2.config.set_executor(executor)
    with tf.Graph().as_default(), tf.Session() as sess:
        train, feeds = network()
        sess.run(tf.global_variables_initializer())
        sess.run(train, feeds)
        program = next(p for (_, nodes, order, _), p in sess._programs.items() if nodes and len(order) == 2)
        order = sorted(feeds, key=lambda t: t.n)
        arrays = [np.asarray(feeds[t], np.float32) for t in order]

        def alone():
            before, context.state.session = context.state.session, sess
            try:
                program(*arrays)
            finally:
                context.state.session = before

        contenders = {"sess.run": lambda: sess.run(train, feeds), "program": alone}
        if executor == "xla":
            (entry,) = program._known.values()
            n = program._variables.assigned
            with program._xp.wide():
                values = [program._xp.array(np.array(sess.storage_of(v).read())) for v in program._variables.all]

            def executable():
                with program._xp.wide():
                    found = entry.call(*values, *entry.constants, *arrays)
                    found[0].block_until_ready()
                    values[:n] = found[:n]

            contenders["executable"] = executable
        rows = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, function in contenders.items():
                rows[name].append(timed(function))
        for name, found in rows.items():
            print(f"{executor:6} {name:11} {statistics.median(found):8.0f} us")
        compiled = len(program._known) if executor == "xla" else len(program.numpy.variants)
        print(f"{executor:6} programs {len(sess._programs)}, compiled {compiled} after {ROUNDS * STEPS * 2} steps")


if __name__ == "__main__":
    print(describe())
    for one in ("numpy", "xla"):
        measure(one)
