"""Results that stay on the device: what a call of a function costs beside its own compiled program.

    python benchmarks/resident.py [--points 4096] [--rounds 200]

The derivatives of order 1, 2, 4 and 6 of a tanh network, 2-64-64-64-64-1, float32, under XLA, each timed to completion, in
turns in one run: the compiled program itself with arguments that lie on the device; the function on tensors that lie there,
and its result left there; the same with the points sent and the result fetched, as arrays; and JAX's nested `jvp`,
compiled, on its own arrays. Then a time step u + dt f(u) taken a hundred times, its state a tensor throughout, and with
the state fetched and sent at each step. Then a training step of a Session whose points come in the same array each time, and in
new ones: what is fed again is not sent again to a device with a memory of its own, or to several.
"""

import argparse
import itertools
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from machine import describe

import wengert as tf
from wengert.tensor.resident import tensor_of, value_there

v1 = tf.compat.v1
SIZES = (2, 64, 64, 64, 64, 1)


def layers(rng):
    """Return weights and biases."""
    return [(np.float32(rng.standard_normal((a, b)) / a**0.5), np.zeros(b, np.float32)) for a, b in itertools.pairwise(SIZES)]


def in_turns(contenders, rounds):
    """Return the median of each in milliseconds."""
    times = {name: [] for name in contenders}
    for run in contenders.values():
        for _ in range(3):
            run()
    for _ in range(rounds):
        for name, run in contenders.items():
            begin = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begin)
    return {name: 1e3 * statistics.median(found) for name, found in times.items()}


def derivative(weights, order):
    """Return the function of x and t that gives u differentiated by x so often, as a program of ours."""
    variables = [(tf.constant(w), tf.constant(b)) for w, b in weights]

    @tf.function
    def found(x, t):
        u = tf.concat([x, t], 1)
        for w, b in variables[:-1]:
            u = tf.tanh(u @ w + b)
        u = u @ variables[-1][0] + variables[-1][1]
        for _ in range(order):
            u = tf.gradients(u, x)[0]
        return u

    return found


def by_jax(weights, order):
    """Return the same by nested `jvp`."""

    def f(x, t):
        u = jnp.concatenate([x, t], 1)
        for w, b in weights[:-1]:
            u = jnp.tanh(u @ w + b)
        return u @ weights[-1][0] + weights[-1][1]

    def nested(g, k):
        return g if k == 0 else nested(lambda x, t: jax.jvp(lambda x: g(x, t), (x,), (jnp.ones_like(x),))[1], k - 1)

    return jax.jit(nested(f, order))


def values(points, rounds):
    """Print the table of derivatives."""
    rng = np.random.RandomState(0)
    weights = layers(rng)
    x, t = (np.float32(rng.uniform(-1, 1, (points, 1))) for _ in "xt")
    there = [jax.device_put(a) for a in (x, t)]
    resident = [tensor_of(a) for a in there]
    print(
        f"{'order':>5} {'program':>9} {'tensors':>9} {'ratio':>6} {'arrays':>9} {'ratio':>6} {'JAX jvp':>9}   (ms, to completion)"
    )
    for order in (1, 2, 4, 6):
        function, theirs = derivative(weights, order), by_jax(weights, order)
        function(*resident)
        trace = function.get_concrete_function(*resident)
        (entry,) = trace.compiled._known.values()
        given = [*entry.constants, *there, *[jax.device_put(t.array) for t in trace.captured_inputs]]

        def alone(entry=entry, given=given):
            entry.call(*given)[0].block_until_ready()

        def stays(function=function):
            value_there(function(*resident)).block_until_ready()

        def comes(function=function, given=(x, t)):
            function(*map(tf.constant, given)).numpy()

        def jax_alone(theirs=theirs):
            theirs(*there).block_until_ready()

        np.testing.assert_allclose(function(*resident), theirs(*there), rtol=1e-3, atol=1e-3)
        found = in_turns({"program": alone, "tensors": stays, "arrays": comes, "jax": jax_alone}, rounds)
        base = found["program"]
        print(
            f"{order:5d} {base:9.3f} {found['tensors']:9.3f} {found['tensors'] / base:6.2f} {found['arrays']:9.3f} "
            f"{found['arrays'] / base:6.2f} {found['jax']:9.3f}"
        )


def steps(points, rounds):
    """Print what a hundred time steps take."""
    step = tf.function(lambda u: u + 1e-3 * (tf.roll(u, 1, 0) - 2.0 * u + tf.roll(u, -1, 0)) - 1e-3 * u**3)
    begin = np.float32(np.random.RandomState(1).uniform(-1, 1, (64 * points, 1)))

    def stays():
        u = tf.constant(begin)
        for _ in range(100):
            u = step(u)
        u.numpy()

    def comes():
        u = begin
        for _ in range(100):
            u = step(tf.constant(u)).numpy()

    found = in_turns({"stays": stays, "comes": comes}, max(5, rounds // 20))
    print(f"100 time steps of {64 * points} values: {found['stays']:.2f} ms as tensors, {found['comes']:.2f} ms fetched and sent")


def fed(points, rounds):
    """Print what a training step takes whose points are the same, or new ones."""
    rng = np.random.RandomState(2)
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2])
        u = x
        for w, b in layers(rng):
            u = tf.tanh(u @ tf.Variable(w) + tf.Variable(b))
        train = v1.train.GradientDescentOptimizer(1e-3).minimize(tf.reduce_mean(u**2))
        session.run(v1.global_variables_initializer())
        points_ = np.float32(rng.uniform(-1, 1, (points, 2)))
        batches = [points_ + np.float32(1e-3 * k) for k in range(8)]
        others = iter(range(10**9))
        found = in_turns(
            {
                "same": lambda: session.run(train, {x: points_}),
                "new": lambda: session.run(train, {x: batches[next(others) % 8]}),
            },
            rounds,
        )
    print(f"a training step: {found['same']:.3f} ms with the same points, {found['new']:.3f} ms with new ones")


def main():
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--devices", type=int, default=1, help="over so many devices, of which a CPU may have several")
    arguments = parser.parse_args()
    if arguments.devices > 1:
        tf.config.set_devices(arguments.devices)
    tf.config.set_executor("xla")
    print(f"{describe()}, JAX {jax.__version__}; {arguments.devices} of {jax.devices()[0].platform}")
    if arguments.devices == 1:
        values(arguments.points, arguments.rounds)
        steps(arguments.points, arguments.rounds)
    fed(arguments.points, arguments.rounds)


if __name__ == "__main__":
    main()
