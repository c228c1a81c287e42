"""Rows over several devices and processes: whether the numbers are those of one device, what devices send to each other, memory.

    python benchmarks/scale.py [--steps 100] [--rows 10000000] [--parts equality,bfgs,minima,collectives,efficiency,memory,times]

Equality: 100 steps in float64 on 1, 2 and 4 devices and on 2 processes with 2 devices each, of Burgers' equation, Korteweg-de
Vries (third order), Kuramoto-Sivashinsky (fourth), and a Keras fit; the greatest relative difference of any loss and of
any weight in the end from one device's. Then 20 iterations of L-BFGS, and the final loss after 200 more; and of smaller networks
the loss where L-BFGS finds nothing lower. Collectives: of one
compiled training step of Burgers on 2 to 512 devices, how many, how many bytes. Efficiency: what follows from
that and from the flops, by speeds of links. Memory: a step on many rows over 4
devices, compiled in chunks: bytes of a device's arguments and temporaries, as XLA tells them, and the process's peak.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
from machine import describe

import wengert as tf
from wengert.execute.xla.program import XlaProgram
from wengert.ground.context import state

v1 = tf.compat.v1
EQUATIONS = ("burgers", "korteweg-de vries", "kuramoto-sivashinsky")


# --- what is computed ---------------------------------------------------------------------------------------------------------


def problem(equation: str, rows: int, dtype: Any = tf.float64, widths: tuple[int, ...] = (2, 20, 20, 20, 1)) -> Any:
    """Return a graph of one equation: the loss, the weights, and what is fed."""
    rng = np.random.RandomState(1)
    x, t = (v1.placeholder(dtype, [None, 1]) for _ in "xt")
    pairs = [(widths[k], widths[k + 1]) for k in range(len(widths) - 1)]
    weights = [tf.Variable((rng.randn(a, b) / np.sqrt(a)).astype(dtype.as_numpy_dtype)) for a, b in pairs]
    biases = [tf.Variable(np.zeros(b, dtype.as_numpy_dtype)) for _, b in pairs]
    h = tf.concat([x, t], 1)
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        h = tf.tanh(h @ w + b)
    u = h @ weights[-1] + biases[-1]
    orders = [u]
    for _ in range({"burgers": 2, "korteweg-de vries": 3, "kuramoto-sivashinsky": 4}[equation]):
        orders.append(tf.gradients(orders[-1], x)[0])
    f = tf.gradients(u, t)[0] + u * orders[1]
    f += {"burgers": lambda: -0.01 * orders[2], "korteweg-de vries": lambda: 0.01 * orders[3]}.get(
        equation, lambda: 0.1 * orders[2] + 0.01 * orders[4]
    )()
    loss = tf.reduce_mean(f**2) + tf.reduce_mean((u + tf.sin(np.pi * x)) ** 2 * tf.exp(-t))
    kind = dtype.as_numpy_dtype
    feeds = {x: rng.uniform(-1, 1, (rows, 1)).astype(kind), t: rng.uniform(0, 1, (rows, 1)).astype(kind)}
    return loss, [*weights, *biases], feeds


def stepped(equation: str, steps: int) -> list[list[float]]:
    """Return the losses of steps of Adam, and the weights in the end."""
    with tf.Graph().as_default():
        loss, weights, feeds = problem(equation, 2001)
        train = v1.train.AdamOptimizer(1e-3).minimize(loss)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            losses = [float(session.run([train, loss], feeds)[1]) for _ in range(steps)]
            return [losses, *[np.ravel(w).tolist() for w in session.run(weights)]]


def fitted(steps: int) -> list[list[float]]:
    """Return the losses of a Keras fit, and its weights."""
    tf.keras.backend.set_floatx("float64")
    tf.random.set_seed(3)
    rng = np.random.RandomState(0)
    model = tf.keras.Sequential([tf.keras.layers.Dense(32, "tanh"), tf.keras.layers.Dense(32, "tanh"), tf.keras.layers.Dense(1)])
    model.compile("adam", "mse")
    x = rng.rand(4096, 3)
    told = model.fit(x, np.sin(x.sum(1, keepdims=True)), batch_size=1024, epochs=max(1, steps // 4), verbose=0)
    return [[float(v) for v in told.history["loss"]], *[np.ravel(w).tolist() for w in model.get_weights()]]


def searched(iterations: int) -> list[list[float]]:
    """Return the loss after some iterations of L-BFGS, and the weights."""
    with tf.Graph().as_default():
        loss, weights, feeds = problem("burgers", 2001)
        search = v1.contrib.opt.ScipyOptimizerInterface(
            loss, method="L-BFGS-B", options={"maxiter": iterations, "maxcor": 20, "ftol": 0.0, "gtol": 0.0}
        )
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            search.minimize(session, feed_dict=feeds)
            return [[float(session.run(loss, feeds))], *[np.ravel(w).tolist() for w in session.run(weights)]]


def converged(equation: str, width: int, shuffled: int = 0) -> list[list[float]]:
    """Return the loss where L-BFGS finds no lower one, the greatest slope there and the count of iterations; the weights.

    ``shuffled``: a seed of another order of the rows, which changes how sums are rounded and nothing else.
    """
    with tf.Graph().as_default():
        loss, weights, feeds = problem(equation, 1001, widths=(2, width, 1))
        order = np.random.RandomState(shuffled).permutation(1001) if shuffled else np.arange(1001)
        feeds = {place: rows[order] for place, rows in feeds.items()}
        slopes = tf.gradients(loss, weights)
        search = v1.contrib.opt.ScipyOptimizerInterface(
            loss, method="L-BFGS-B",
            options={"maxiter": 100_000, "maxfun": 200_000, "maxcor": 50, "ftol": 1e-15, "gtol": 1e-10},
        )  # fmt: skip
        taken: list[int] = []
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            search.minimize(session, feed_dict=feeds, step_callback=lambda _: taken.append(1))
            slope = max(float(np.abs(s).max()) for s in session.run(slopes, feeds))
            found = [float(session.run(loss, feeds)), slope, float(len(taken))]
            return [found, *[np.ravel(w).tolist() for w in session.run(weights)]]


def analysed(rows: int, width: int, run: bool, single: bool = False) -> dict[str, float]:
    """Return what XLA says of a training step, and of a run of it."""
    with tf.Graph().as_default() as graph:
        dtype = tf.float32 if single else tf.float64
        loss, _, feeds = problem("burgers", rows, dtype, (2, width, width, 1) if run else (2, *[width] * 4, 1))
        train = v1.train.AdamOptimizer(1e-3).minimize(loss)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            program = XlaProgram(graph, [loss], list(feeds), [train])
            before, state.session = state.session, session
            found = program.analysis(*feeds.values())
            if run:
                times = []
                for _ in range(3):
                    begin = time.perf_counter()
                    program(*feeds.values())
                    times.append(time.perf_counter() - begin)
                found["step"] = statistics.median(times)
            state.session = before
            found["weights"] = sum(int(np.prod(v.shape)) for v in v1.trainable_variables())
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return found


# --- who computes it ----------------------------------------------------------------------------------------------------------


def computed(what: str, devices: int, *arguments: object, processes: int = 1) -> Any:
    """Return what a function of this file gives on so many devices of so many processes."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    running = []
    for k in range(processes):
        environment = {**os.environ, "WENGERT_DEVICES": str(devices), "WENGERT_EXECUTOR": "xla"}
        if processes > 1:
            environment |= {
                "WENGERT_PROCESSES": str(processes), "WENGERT_PROCESS_ID": str(k), "WENGERT_COORDINATOR": f"127.0.0.1:{port}",
            }  # fmt: skip
        command = [sys.executable, __file__, "--give", json.dumps([what, *arguments])]
        running.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    results = []
    for process in running:
        out, err = process.communicate()
        if process.returncode:
            sys.exit(f"{what} on {processes} x {devices}: {err[-3000:]}")
        results.append(json.loads(out.splitlines()[-1]))
    if any(result != results[0] for result in results):
        sys.exit(f"{what}: the processes differ")
    return results[0]


def furthest(found: list[list[float]], want: list[list[float]]) -> float:
    """Return the greatest difference, of a loss or relative to the greatest weight of its array."""
    losses = max(abs(a - b) / abs(b) for a, b in zip(found[0], want[0], strict=True))
    weights = [np.abs(np.subtract(a, b)).max() / max(np.abs(b).max(), 1e-300) for a, b in zip(found[1:], want[1:], strict=True)]
    return float(max(losses, *weights))


PLACES = ((2, 1), (4, 1), (2, 2))


def equality(steps: int) -> None:
    """Print the differences after steps."""
    print(f"{steps} steps, float64, 2001 rows (fit: 4096): the greatest relative difference from one device")
    for name in (*EQUATIONS, "keras fit"):
        what = ("fitted", steps) if name == "keras fit" else ("stepped", name, steps)
        want = computed(what[0], 1, *what[1:])
        found = [furthest(computed(what[0], d, *what[1:], processes=p), want) for d, p in PLACES]
        print(f"  {name:22}" + "".join(f"{p} x {d}: {v:8.1e}   " for (d, p), v in zip(PLACES, found, strict=True)))


def bfgs() -> None:
    """Print the differences after a search."""
    for iterations in (20, 220):
        want = computed("searched", 1, iterations)
        found = [computed("searched", d, iterations, processes=p) for d, p in PLACES]
        losses = [abs(v[0][0] - want[0][0]) / want[0][0] for v in found]
        print(f"L-BFGS, {iterations} iterations, loss {want[0][0]:.6g}; relative difference of the loss, of all")
        for (d, p), loss, v in zip(PLACES, losses, found, strict=True):
            print(f"  {p} x {d}: {loss:8.1e} {furthest(v, want):8.1e}")


def minima() -> None:
    """Print where searches end that go on until they find nothing lower; on one device also with the rows in other orders."""
    print(
        "L-BFGS until it finds nothing lower, float64, 1001 rows: iterations, loss, greatest slope; relative difference of losses"
    )
    for equation, width in (("burgers", 4), ("burgers", 8), ("korteweg-de vries", 4), ("kuramoto-sivashinsky", 4)):
        want = computed("converged", 1, equation, width)
        every = {"1 x 1": want} | {f"{p} x {d}": computed("converged", d, equation, width, processes=p) for d, p in PLACES}
        every |= {f"1 x 1, rows in order {k}": computed("converged", 1, equation, width, k) for k in range(1, 7)}
        for where, found in every.items():
            loss, slope, taken = found[0]
            apart = abs(loss - want[0][0]) / want[0][0]
            print(f"  {equation}, 2-{width}-1, {where}: {taken:6.0f}  {loss:.12f}  {slope:.1e}  {apart:.1e}", flush=True)


def collectives() -> None:
    """Print what devices send."""
    print("a step of Burgers, 2-64-64-64-64-1, float32, 16384 rows: collectives of the compiled step")
    for devices in (2, 8, 64, 512):
        found = computed("analysed", devices, 16384, 64, False, True)
        print(
            f"  {devices:4} devices: {found['collectives']:.0f} of {found['collective_bytes']:.0f} bytes "
            f"({found['weights']:.0f} weights, {4 * found['weights']:.0f} bytes); flops a device {found['flops']:.3g}; "
            f"compiled in {found['compile_seconds']:.1f} s"
        )


LINKS = {  # bytes a second in each direction, and seconds that a hop takes
    "H100, NVLink 4 among 8, InfiniBand NDR beyond": ((8, 450e9, 3e-6), (4096, 50e9, 5e-6), 10e12),
    "16-core CPUs, Ethernet of 25 Gb/s": ((1, 0.0, 0.0), (4096, 3.1e9, 20e-6), 500e9),
}
"""Published speeds of links, guesses of the time of a hop, and of the flops a second that a device reaches."""


def reduced(size: float, devices: int, inner: tuple[int, float, float], outer: tuple[int, float, float]) -> float:
    """Return the seconds of an all-reduce: a ring's bytes and a tree's hops, within a machine and among machines."""
    seconds = 0.0
    for count, (_, speed, hop) in ((min(devices, inner[0]), inner), (-(-devices // inner[0]), outer)):
        if count > 1:
            seconds += 2 * (count - 1) / count * size / speed + 2 * np.ceil(np.log2(count)) * hop
    return float(seconds)


def efficiency() -> None:
    """Print what is to be expected, by the count of flops and of bytes."""
    found = computed("analysed", 64, 16384, 64, False, True)
    flops, size = found["flops"] / (16384 / 64), found["collective_bytes"]
    print(f"expected efficiency of a step of Burgers, 2-64-64-64-64-1, float32: {flops:.3g} flops a row, {size:.0f} bytes joined")
    for name, (inner, outer, rate) in LINKS.items():
        print(f"  {name}; {rate:.0e} flops a second a device")
        for rows in (1024, 16384, 262144):
            work = rows * flops / rate
            line = [work / (work + reduced(size, d, inner, outer)) for d in (1, 8, 64, 512, 4096)]
            print(f"    {rows:7} rows a device: " + " ".join(f"{100 * v:5.1f}%" for v in line))


def memory(rows: int) -> None:
    """Print what a step on many rows needs."""
    found = computed("analysed", 4, rows, 32, True, True)
    print(
        f"a step of Burgers, 2-32-32-1, float32, {rows} rows over 4 devices: each {found['argument_bytes'] / 2**20:.0f} MiB of "
        f"arguments, {found['temp_bytes'] / 2**20:.0f} MiB of temporaries; the process's peak {found['peak'] / 2**20:.0f} MiB; "
        f"{found['step']:.1f} s a step"
    )


def times() -> None:
    """Print how long a step takes."""
    for devices in (1, 2):
        found = computed("analysed", devices, 65536, 32, True, True)
        print(f"a step of Burgers, 2-32-32-1, float32, 65536 rows on {devices} devices: {1e3 * found['step']:.0f} ms")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--parts", default="equality,bfgs,minima,collectives,efficiency,memory,times")
    parser.add_argument("--give", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.give:
        name, *arguments = json.loads(given.give)
        print(json.dumps(globals()[name](*arguments)))
        return
    print(describe())
    acts = {"equality": lambda: equality(given.steps), "memory": lambda: memory(given.rows)}
    for part in given.parts.split(","):
        acts.get(part, globals()[part])()


if __name__ == "__main__":
    main()
